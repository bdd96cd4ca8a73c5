// The same graph in graphology, as an independent opinion. Its packages are CommonJS, and their types do not agree with
// NodeNext, so what is used of them is declared here.
import { createRequire } from 'node:module';

export interface Graphology {
  readonly order: number;
  addNode(key: string): void;
  addEdgeWithKey(key: string, source: string, target: string, attributes?: object): void;
  outboundNeighbors(key: string): string[];
}
type Visit = (key: string, attributes: object, depth: number) => void;
interface Mode {
  readonly mode: 'outbound' | 'inbound';
}
type Paths = Record<string, string[]>;

const require = createRequire(import.meta.url);
const { MultiDirectedGraph } = require('graphology') as { MultiDirectedGraph: new () => Graphology };

export const components = require('graphology-components') as {
  connectedComponents(graph: Graphology): string[][];
  stronglyConnectedComponents(graph: Graphology): string[][];
};
export const pagerank = require('graphology-metrics/centrality/pagerank') as (
  graph: Graphology,
  options: { getEdgeWeight: null; alpha: number; tolerance: number; maxIterations: number },
) => Record<string, number>;
export const traversal = require('graphology-traversal') as {
  bfsFromNode(graph: Graphology, key: string, visit: Visit, options: Mode): void;
  dfsFromNode(graph: Graphology, key: string, visit: Visit, options: Mode): void;
};
export const unweighted = require('graphology-shortest-path/unweighted') as {
  singleSourceLength(graph: Graphology, key: string): Record<string, number>;
  brandes(graph: Graphology, key: string): [string[], Paths, Record<string, number>];
};
export const dijkstra = require('graphology-shortest-path/dijkstra') as {
  singleSource(graph: Graphology, key: string, weight: string): Paths;
};
export const dag = require('graphology-dag') as {
  hasCycle(graph: Graphology): boolean;
  topologicalSort(graph: Graphology): string[];
};

/** Key of a node: with a letter, so that objects keep the order in which neighbours were added. */
export function keyOf(id: number): string {
  return `n${id}`;
}

export function idOf(key: string): number {
  return Number(key.slice(1));
}

/** A directed multigraph with nodes 1 to `nodes`. */
export function buildGraphology(
  nodes: number,
  edges: ReadonlyMap<number, { readonly source: number; readonly target: number; readonly weight?: number }>,
): Graphology {
  const graph = new MultiDirectedGraph();
  for (let id = 1; id <= nodes; id += 1) graph.addNode(keyOf(id));
  for (const [id, { source, target, weight }] of edges)
    graph.addEdgeWithKey(`e${id}`, keyOf(source), keyOf(target), { weight });
  return graph;
}
