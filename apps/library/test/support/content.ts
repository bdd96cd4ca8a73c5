import type { GraphReads } from '../../src/index.ts';

/** Everything that a database holds, for comparing. */
export function contentOf(graph: GraphReads): unknown {
  return {
    nodes: [...graph.nodes()],
    edges: [...graph.edges()],
    counts: [graph.nodeCount(), graph.edgeCount()],
    labels: graph.labels().map((label) => [label, graph.nodeCount(label), [...graph.nodeIds(label)]]),
    types: graph.edgeTypes().map((type) => [type, graph.edgeCount(type), [...graph.edgeIds(type)]]),
    keys: graph.propertyKeys(),
    adjacency: [...graph.nodeIds()].map((id) => [graph.edgeIdsOf(id), graph.edgeIdsOf(id, { direction: 'in' })]),
  };
}
