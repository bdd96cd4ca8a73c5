/** @sombra/graph: a property graph in the pages of @sombra/pager. Start at `Graph.open`. */
export { Graph } from './graph.ts';
export type { GraphStats } from './graph.ts';
export { GraphReader } from './reader.ts';
export { GraphSnapshot } from './snapshot.ts';
export { GraphTransaction } from './transaction.ts';
export type { BulkEdge, BulkNode, BulkOptions, BulkPhase, BulkProgress, BulkResult, BulkSource } from './bulk-load.ts';
export type { VerifyOptions, VerifyReport } from './verify.ts';
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
  BfsOptions,
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
  PathOptions,
  Properties,
  PropertyInput,
  PropertyValue,
} from './types.ts';
