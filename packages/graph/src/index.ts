/** @sombra/graph: a property graph in the pages of @sombra/pager. Start at `Graph.open`. */
export { Graph } from './graph.ts';
export type { GraphStats } from './graph.ts';
export { GraphReader } from './reader.ts';
export { GraphSnapshot } from './snapshot.ts';
export { GraphTransaction } from './transaction.ts';
export type { BulkEdge, BulkNode, BulkOptions, BulkPhase, BulkProgress, BulkResult, BulkSource } from './bulk-load.ts';
export type { CreateIndexOptions, IndexPhase, IndexProgress } from './property-index/create-index.ts';
export type { PropertyIndexInfo, PropertyIndexName } from './property-index/index-info.ts';
export { INDEX_KEYS_MAX } from './property-index/index-key.ts';
export type { EdgeQuery, FindPlan, NodeQuery, OrderBy, SelectedRecord, Selection } from './find/find.ts';
export type { AccessKind } from './find/plan.ts';
export { and, not, or, Predicate } from './find/predicate.ts';
export type { PropertyCondition, PropertyConditions, Where, WhereProperties } from './find/predicate.ts';
export type { IdRange } from './id-source.ts';
export type { VerifyOptions, VerifyReport } from './verify.ts';
export { Components } from './algorithms/components.ts';
export { NodeValues } from './algorithms/node-values.ts';
export type { ComponentsOptions } from './algorithms/components.ts';
export type { TopologicalOptions } from './algorithms/cycles.ts';
export type { DegreeOptions } from './algorithms/degree-distribution.ts';
export type { DfsOptions } from './algorithms/near-nodes.ts';
export type { PageRank, PageRankOptions } from './algorithms/page-rank.ts';
export type { AllShortestOptions, PathsOptions } from './algorithms/paths.ts';
export type { DistanceOptions, NodeDistance, PathOptions } from './algorithms/shortest-path.ts';
export type { AlgorithmOptions } from './algorithms/subgraph.ts';
export type { Clustering, Triangles } from './algorithms/triangles.ts';
export type { WalkFilters, BfsOptions } from './algorithms/walk-options.ts';
export type { AbortSignalLike, RunOptions } from './algorithms/watch.ts';
export {
  EDGE_TYPES_MAX,
  ID_MAX,
  LABELS_MAX,
  NAME_SIZE_MAX,
  NESTING_MAX,
  PROPERTY_KEYS_MAX,
  RECORD_SIZE_MAX,
  VALUE_SIZE_MAX,
} from './limits.ts';
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
} from './types.ts';
export { addMany, deleteEdges, deleteNodes, upsertEdge, upsertNode } from './write-many.ts';
export type { AddManyInput, AddManyResult, ManyWriter, NewEdge, NewNode, Upserted } from './write-many.ts';
