/** Random graphs with gaps between ids, pages that were freed, large records and indexes; and all that a graph holds. */
import { Graph } from '@sombra/graph';
import type { GraphReader } from '@sombra/graph';
import { Pager } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import { PAGE_SIZE, PATH } from './damage.ts';

/** Numbers of a seed. */
export function numbers(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 12345;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return ((state >>> 8) * below) >>> 24;
  };
}

/** A closed database. */
export function randomDatabase(seed: number, nodes: number): MemoryVfs {
  const next = numbers(seed);
  const vfs = new MemoryVfs();
  const pager = Pager.open({ vfs, path: PATH, pageSize: PAGE_SIZE });
  const graph = Graph.open(pager);
  if (next(2) === 0) graph.createPropertyIndex('Person', 'nr', { unique: true });
  const tx = graph.begin();
  const ids: number[] = [];
  for (let nr = 0; nr < nodes; nr += 1) {
    const text = 'x'.repeat(next(20) === 0 ? next(12_000) : next(300));
    ids.push(tx.addNode(next(3) === 0 ? ['Person', 'Admin'] : ['Person'], { nr, text, [`key${next(5)}`]: next(1000) }));
  }
  const edges: number[] = [];
  for (let nr = 0; nr < nodes * 2; nr += 1)
    edges.push(tx.addEdge(ids[next(nodes)]!, ids[next(nodes)]!, next(2) === 0 ? 'KNOWS' : 'LIKES', { nr }));
  tx.commit();
  if (next(2) === 0) pager.checkpoint();
  // Whole pages are freed: they keep what they held.
  const from = next(nodes);
  const away = graph.begin();
  for (const id of ids.slice(from, from + next(nodes))) away.deleteNode(id, { cascade: true });
  away.commit();
  graph.createPropertyIndex('Person', 'key1');
  if (next(3) > 0) {
    const more = graph.begin();
    for (let nr = 0; nr < next(40); nr += 1) more.addNode('Late', { nr: nodes + nr });
    more.commit();
  }
  pager.close();
  return vfs;
}

/** Everything, by id. */
export function contentOf(reader: GraphReader): { nodes: Map<number, string>; edges: Map<number, string> } {
  const nodes = new Map<number, string>();
  for (const { id, labels, properties } of reader.nodes())
    nodes.set(id, JSON.stringify([[...labels].sort(), sorted(properties)]));
  const edges = new Map<number, string>();
  for (const { id, source, target, type, properties } of reader.edges())
    edges.set(id, JSON.stringify([source, target, type, sorted(properties)]));
  return { nodes, edges };
}

function sorted(properties: object): unknown {
  return Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1));
}
