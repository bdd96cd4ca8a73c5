/** @sombra/graph: a property graph in the pages of @sombra/pager. Start at `Graph.open`. */
export { Graph } from './graph.ts';
export type { GraphStats } from './graph.ts';
export { GraphReader } from './read/reader.ts';
export { GraphSnapshot } from './read/snapshot.ts';
export { GraphTransaction } from './write/transaction.ts';
export type {
  BulkEdge,
  BulkNode,
  BulkOptions,
  BulkPhase,
  BulkProgress,
  BulkResult,
  BulkSource,
} from './bulk/bulk-load.ts';
export type { GivenIds } from './bulk/row-ids.ts';
export type { BackupOptions, BackupResult } from './bulk/backup.ts';
export type { CheckpointOptions, CheckpointProgress } from './bulk/checkpoint.ts';
export type { CreateIndexOptions, IndexPhase, IndexProgress } from './bulk/create-index.ts';
export type { PropertyIndexInfo, PropertyIndexName } from './indexes/index-info.ts';
export { INDEX_KEYS_MAX } from './indexes/index-key.ts';
export type { EdgeAggregate, Figures, GroupRow, NodeAggregate } from './find/aggregate.ts';
export type { FindPlan } from './find/find.ts';
export { INCLUDE_HOPS_MAX } from './find/include.ts';
export type { Expanded, Hop, Include, Including, OnlyHops, WithIncluded } from './find/include.ts';
export { param, Parameter } from './find/parameters.ts';
export type { ParameterValues } from './find/parameters.ts';
export { PreparedFind } from './find/prepared-find.ts';
export type { FindRunner } from './find/prepared-find.ts';
export { FIND_OPTIONS, OpenFind, parseFind } from './find/query.ts';
export type {
  EdgeQuery,
  Find,
  LabelChoice,
  NodeQuery,
  OrderBy,
  PageStart,
  RowQuery,
  SelectedRecord,
  Selection,
} from './find/query.ts';
export { edgeId, nodeId } from './model/options.ts';
export { Rows } from './model/rows.ts';
export type { AccessKind } from './find/plan.ts';
export { and, not, or, Predicate } from './find/predicate.ts';
export type {
  PropertyCondition,
  PropertyConditions,
  RecordLike,
  TextMode,
  Where,
  WhereProperties,
} from './find/predicate.ts';
export type { IdRange } from './ids/id-source.ts';
export type { FindingKind, VerifyFinding } from './model/findings.ts';
export type { VerifyOptions, VerifyPhase, VerifyProgress, VerifyReport } from './verify/verify.ts';
export { Components } from './algorithms/components.ts';
export { NodeValues } from './algorithms/node-values.ts';
export type { ComponentsOptions } from './algorithms/components.ts';
export type { TopologicalOptions } from './algorithms/cycles.ts';
export type { DegreeOptions } from './algorithms/degree-distribution.ts';
export type { DfsOptions } from './traversal/near-nodes.ts';
export type { PageRank, PageRankOptions } from './algorithms/page-rank.ts';
export type { AllShortestOptions, PathsOptions } from './traversal/paths.ts';
export type { DistanceOptions, NodeDistance, PathOptions } from './traversal/shortest-path.ts';
export type { AlgorithmOptions } from './algorithms/subgraph.ts';
export type { Clustering, Triangles } from './algorithms/triangles.ts';
export type { WalkFilters, BfsOptions } from './traversal/walk-options.ts';
export type { AbortSignalLike, RunOptions } from './model/run-options.ts';
export {
  EDGE_TYPES_MAX,
  ID_MAX,
  LABELS_MAX,
  NAME_SIZE_MAX,
  NESTING_MAX,
  PROPERTY_KEYS_MAX,
  RECORD_SIZE_MAX,
  VALUE_SIZE_MAX,
} from './model/limits.ts';
export type {
  Direction,
  EdgeFilter,
  EdgeId,
  EdgeRecord,
  EdgesOfOptions,
  KHopOptions,
  NeighborOptions,
  NodeId,
  NodeRecord,
  Path,
  Properties,
  PropertyInput,
  PropertyValue,
  ReadonlyValue,
  RecordPath,
  WithRecords,
} from './model/types.ts';
export { addMany, deleteEdges, deleteNodes, upsertEdge, upsertNode } from './write/write-many.ts';
export type { AddManyInput, AddManyResult, ManyWriter, NewEdge, NewNode, Upserted } from './write/write-many.ts';
export { GraphSalvage } from './salvage/salvage.ts';
export type { LostRecord, LostRecords, SalvagedIndex } from './salvage/salvage.ts';
export type { IdRange as LostIdRange } from './salvage/id-ranges.ts';
export type { LostName } from './salvage/salvage-names.ts';
