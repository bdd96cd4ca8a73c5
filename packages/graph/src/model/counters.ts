/**
 * Counters of the roots page. `catalogueVersion` grows with each commit that adds names, `indexVersion` with each property index
 * that is created or dropped.
 */
export const COUNTER = {
  nextNodeId: 0,
  nextEdgeId: 1,
  catalogueVersion: 2,
  nodeCount: 3,
  edgeCount: 4,
  labels: 5,
  edgeTypes: 6,
  propertyKeys: 7,
  indexVersion: 8,
} as const;
