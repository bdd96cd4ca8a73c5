/** Sombra: an embedded, single-file, ACID property-graph database. Start at `GraphDB.open`. */
export { Config } from './config/config.ts';
export type { CompleteConfig } from './config/fields.ts';
export type { Warning } from './base/warning.ts';
export type { Environment } from './config/config-from-env.ts';
export { ERROR_CODES } from './base/error-codes.ts';
export type { ErrorCode, ErrorEntry, ErrorKind } from './base/error-codes.ts';
export { GraphDB } from './graph-db.ts';
export type { AnyGraphDB, AnySnapshot, AnyTransaction, GraphReads, GraphWrites } from './typed/any-graph.ts';
export { defineSchema, Schema } from './schema/schema.ts';
export type { EdgeDefinition, PropertyType, PropertyTypes, SchemaDefinition, ValueKind } from './schema/schema.ts';
export type {
  AnyEdgeOf,
  AnyNodeOf,
  EdgeIdOf,
  EdgeOf,
  LabelOf,
  NodeIdOf,
  NodeOf,
  SourceIdOf,
  TargetIdOf,
  TypeOf,
} from './typed/schema-types.ts';
export type { ExpandedOf, IncludeOf, WithIncludedOf } from './typed/typed-include.ts';
export type { RecordPathOf } from './typed/typed-walks.ts';
export type { GraphDBOf, ReadsOf, SnapshotOf, TransactionOf } from './typed/typed-graph.ts';
export type { BulkEdgeOf, BulkNodeOf, NewEdgeOf, NewNodeOf, WritesOf } from './typed/typed-writes.ts';
export { Snapshot } from './reading/snapshot.ts';
export type { DatabaseStats, FileFigures, TransactionCounts } from './observing/stats.ts';
export { PerformanceMetrics } from './observing/metrics.ts';
export type { HealthCheck, HealthLimits, HealthReport, HealthStatus } from './observing/health.ts';
export type { DatabaseHooks, Mutation, RollbackReason } from './observing/hooks.ts';
export { Transaction } from './writing/transaction.ts';
export {
  CorruptionError,
  DataError,
  InvariantError,
  IoError,
  MemoryVfs,
  NodeVfs,
  PoisonedError,
  SombraError,
  SombraError as GraphError,
  StateError,
  TransactionError,
} from '@sombra/vfs';
export type { LatencySnapshot, Vfs } from '@sombra/vfs';
export type {
  CheckpointResult,
  DatabaseCopy,
  LogEnd,
  LogEndOptions,
  PagerHooks,
  PagerLatencies,
  PagerStats,
  SyncMode,
} from '@sombra/pager';
export type { SnapshotOptions } from './reading/snapshot-keeper.ts';
export { and, Components, edgeId, nodeId, NodeValues, not, or, param, Predicate } from '@sombra/graph';
export type {
  AbortSignalLike,
  AccessKind,
  AddManyInput,
  AddManyResult,
  AlgorithmOptions,
  AllShortestOptions,
  BfsOptions,
  BulkEdge,
  BulkNode,
  BulkOptions,
  BulkProgress,
  BulkResult,
  BulkSource,
  BackupOptions,
  BackupResult,
  CheckpointOptions,
  CheckpointProgress,
  Clustering,
  ComponentsOptions,
  CreateIndexOptions,
  DegreeOptions,
  DfsOptions,
  Direction,
  DistanceOptions,
  EdgeAggregate,
  EdgeId,
  EdgeQuery,
  EdgeRecord,
  EdgesOfOptions,
  Expanded,
  Figures,
  FindPlan,
  FindRunner,
  GraphStats,
  GroupRow,
  Hop,
  IdRange,
  Include,
  Including,
  IndexPhase,
  IndexProgress,
  KHopOptions,
  LabelChoice,
  NeighborOptions,
  NewEdge,
  NewNode,
  NodeAggregate,
  NodeDistance,
  NodeId,
  NodeQuery,
  NodeRecord,
  NodeRecord as Node,
  OrderBy,
  PageRank,
  PageRankOptions,
  PageStart,
  Parameter,
  ParameterValues,
  Path,
  PathOptions,
  PathsOptions,
  Properties,
  PreparedFind,
  PropertyCondition,
  PropertyConditions,
  PropertyIndexInfo,
  PropertyInput,
  PropertyValue,
  ReadonlyValue,
  RecordLike,
  RecordPath,
  RowQuery,
  Rows,
  RunOptions,
  SelectedRecord,
  Selection,
  TextMode,
  TopologicalOptions,
  Triangles,
  Upserted,
  VerifyOptions,
  VerifyPhase,
  VerifyProgress,
  VerifyFinding,
  VerifyReport,
  WalkFilters,
  Where,
  WhereProperties,
  WithIncluded,
  WithRecords,
} from '@sombra/graph';
