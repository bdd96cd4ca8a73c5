// Random directed multigraphs with parallel edges and self loops, in a database and beside it.
import { OpenGraph } from './open.ts';
import type { Random } from './random.ts';
import type { ReferenceEdge } from './reference.ts';

export interface Shape {
  readonly name: string;
  readonly nodes: number;
  readonly edges: number;
  /** Part of the edges that begin or end at one of the first three nodes; these get chains when there are many. */
  readonly hubs?: number;
  /** Are all edges from lower to higher ids? Then there is no cycle. */
  readonly acyclic?: boolean;
  /** Part of the nodes that are deleted at the end, so that ids have gaps. */
  readonly deleted?: number;
}

export interface RandomGraph {
  readonly db: OpenGraph;
  /** Ids of the nodes that are there, ascending. */
  readonly ids: readonly number[];
  /** Edges that are there, by id. */
  readonly edges: ReadonlyMap<number, ReferenceEdge>;
}

/** Types A (half of the edges), B and C; labels X for every second node, Y for every third; weight an integer of 0 to 8. */
export function randomGraph(shape: Shape, random: Random): RandomGraph {
  const db = new OpenGraph({ cacheSize: 64 });
  const edges = new Map<number, ReferenceEdge>();
  const gone = new Set<number>();
  const end = (): number =>
    random.chance(shape.hubs ?? 0) ? 1 + random.below(Math.min(3, shape.nodes)) : 1 + random.below(shape.nodes);
  db.write((tx) => {
    for (let id = 1; id <= shape.nodes; id += 1) tx.addNode(labelsOf(id));
    for (let i = 0; i < shape.edges; i += 1) {
      let source = end();
      let target = random.chance(0.04) ? source : end();
      if (shape.acyclic === true) {
        if (source === target) continue;
        [source, target] = [Math.min(source, target), Math.max(source, target)];
      }
      const edge = { source, target, type: random.pick(['A', 'A', 'B', 'C']), weight: random.below(9) };
      edges.set(tx.addEdge(source, target, edge.type, { weight: edge.weight }), edge);
    }
    for (let id = 1; id <= shape.nodes; id += 1) {
      if (!random.chance(shape.deleted ?? 0)) continue;
      tx.deleteNode(id, { cascade: true });
      gone.add(id);
    }
  });
  for (const [id, { source, target }] of edges) if (gone.has(source) || gone.has(target)) edges.delete(id);
  const ids = Array.from({ length: shape.nodes }, (_, i) => i + 1).filter((id) => !gone.has(id));
  return { db, ids, edges };
}

export function labelsOf(id: number): string[] {
  return [...(id % 2 === 0 ? ['X'] : []), ...(id % 3 === 0 ? ['Y'] : [])];
}
