// Goal: a bulk load of rows that bring their ids gives the graph that had them: records, adjacency, indexes, and what comes next.
// Method: random gaps, with few rows gathered at once too; the graph is verified and compared. Ids that make no sense are refused.
import { describe, expect, test } from 'vitest';
import type { BulkEdge, BulkNode } from '../src/index.ts';
import { OpenGraph } from './support/open.ts';

/** Ascending ids with gaps. */
function ids(count: number, step: (i: number) => number): number[] {
  let id = 0;
  return Array.from({ length: count }, (_, i) => (id += step(i)));
}

const NODES = ids(500, (i) => (i % 7 === 0 ? 40 : 1));
const EDGES = ids(1500, (i) => (i % 11 === 0 ? 5 : 1));
const nodes: BulkNode[] = NODES.map((id) => ({ id, labels: id % 2 === 0 ? ['Even'] : [], properties: { own: id } }));
const edges: BulkEdge[] = EDGES.map((id, i) => ({
  id,
  source: NODES[(i * 13) % 500]!,
  target: NODES[(i * 29) % 500]!,
  type: i % 3 === 0 ? 'A' : 'B',
  properties: { own: id },
}));

test('nodes and edges keep their ids', () => {
  const db = new OpenGraph();
  db.graph.createPropertyIndex('Even', 'own', { unique: true });
  const result = db.graph.bulkLoad({ nodes, edges, ids: { nextNode: 9000, nextEdge: 5 } });
  expect([result.nodes, result.edges]).toEqual([500, 1500]);
  expect(db.graph.verifyIntegrity()).toMatchObject({ isClean: true, errors: [] });
  const { reader } = db.graph;
  expect([...reader.nodes()].map(({ id, properties }) => [id, properties['own']])).toEqual(NODES.map((id) => [id, id]));
  expect([...reader.edges()].map(({ id, source, target, type }) => ({ id, source, target, type }))).toEqual(
    edges.map(({ id, source, target, type }) => ({ id, source, target, type })),
  );
  expect([...reader.nodes({ label: 'Even' })]).toHaveLength(NODES.filter((id) => id % 2 === 0).length);
  const tx = db.graph.begin();
  expect(tx.addNode('Next')).toBe(9000);
  expect(tx.addEdge(NODES[0]!, 9000, 'A')).toBe(EDGES.at(-1)! + 1);
  tx.commit();
  expect(db.graph.verifyIntegrity().isClean).toBe(true);
  db.close();
});

describe('what makes no sense is refused, and the graph stays empty', () => {
  const next = { nextNode: 1, nextEdge: 1 };
  test.each<[string, string, readonly BulkNode[], readonly BulkEdge[], unknown]>([
    ['a node without an id', 'SOMBRA_ID_RANGE', [{ labels: [] }], [], next],
    [
      'ids that do not ascend',
      'SOMBRA_ID_RANGE',
      [
        { id: 5, labels: [] },
        { id: 5, labels: [] },
      ],
      [],
      next,
    ],
    ['an id that is too great', 'SOMBRA_ID_RANGE', [{ id: 2 ** 48, labels: [] }], [], next],
    ['an id far beyond the first', 'SOMBRA_BULK_TOO_LARGE', [{ id: 2 ** 40, labels: [] }], [], next],
    [
      'an end that is no node',
      'SOMBRA_NODE_NOT_FOUND',
      [{ id: 5, labels: [] }],
      [{ id: 1, source: 5, target: 4, type: 'A' }],
      next,
    ],
    ['a next id that is none', 'SOMBRA_OPTION', [{ id: 5, labels: [] }], [], { nextNode: 0, nextEdge: 1 }],
  ])('%s', (_name, code, rows, links, given) => {
    const db = new OpenGraph();
    expect(() => db.graph.bulkLoad({ nodes: rows, edges: links, ids: given as typeof next })).toThrow(
      expect.objectContaining({ code }) as Error,
    );
    expect(db.graph.verifyIntegrity()).toMatchObject({ isClean: true, checkedNodes: 0 });
    db.close();
  });
});
