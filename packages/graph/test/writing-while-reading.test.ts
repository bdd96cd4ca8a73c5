// Goal: a loop over rows of a transaction that writes to it always ends: it gets the rows that were there when it began. An
// iterator of the newest commit that is never finished does not hold its commit for ever.
// Method: every iterator, while each row adds rows of the same kind, changes or deletes; a count stops what would not end.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import type { GraphTransaction } from '../src/index.ts';
import { type OpenGraph, withGraph } from './support/open.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Ten nodes in a ring, with an index and properties. */
function ring(db: OpenGraph, index: boolean): void {
  db.write((tx) => {
    for (let i = 1; i <= 10; i += 1) tx.addNode(['N', 'M'], { same: 1, number: i });
    for (let i = 1; i <= 10; i += 1) tx.addEdge(i, (i % 10) + 1, 'T', { same: 1, number: i });
  });
  if (!index) return;
  for (const key of ['same', 'number']) {
    db.graph.createPropertyIndex('N', key);
    db.graph.createEdgePropertyIndex('T', key);
  }
}

type Iterate = (tx: GraphTransaction) => Iterable<unknown>;

const ITERATORS: readonly (readonly [string, Iterate])[] = [
  ['nodes', (tx) => tx.nodes()],
  ['nodes of a label', (tx) => tx.nodes({ label: 'N' })],
  ['nodes in reverse', (tx) => tx.nodes({ label: 'N', reverse: true })],
  ['nodeIds', (tx) => tx.nodeIds()],
  ['nodeIds of a label', (tx) => tx.nodeIds('N')],
  ['edges', (tx) => tx.edges()],
  ['edges of a type', (tx) => tx.edges({ type: 'T' })],
  ['edgeIds', (tx) => tx.edgeIds()],
  ['edgeIds of a type, in reverse', (tx) => tx.edgeIds({ type: 'T', reverse: true })],
  ['find of everything', (tx) => tx.findNodes()],
  ['find of a label', (tx) => tx.findNodes({ label: 'N' })],
  ['find by equality', (tx) => tx.findNodes({ label: 'N', where: { same: 1 } })],
  ['find by a list', (tx) => tx.findNodes({ label: 'N', where: { same: { in: [1, 2] } } })],
  ['find by a range', (tx) => tx.findNodes({ label: 'N', where: { number: { gte: 1 } } })],
  ['find by a range, in order', (tx) => tx.findNodes({ label: 'N', where: { number: { gte: 1 } }, orderBy: 'number' })],
  [
    'find in reverse order',
    (tx) => tx.findNodes({ label: 'N', orderBy: { key: 'number', descending: true }, select: ['number'] }),
  ],
  ['find by a function', (tx) => tx.findNodes({ where: () => true })],
  ['findEdges of a type', (tx) => tx.findEdges({ type: 'T' })],
  ['findEdges by equality', (tx) => tx.findEdges({ type: 'T', where: { same: 1 } })],
  ['findEdges by a range', (tx) => tx.findEdges({ type: 'T', where: { number: { gt: 0 } } })],
  ['paths', (tx) => tx.paths(1)],
  ['paths to a node', (tx) => tx.paths(1, 10)],
  ['allShortestPaths', (tx) => tx.allShortestPaths(1, 10, { direction: 'both' })],
  ['neighbors', (tx) => tx.neighbors(1, { direction: 'both' })],
  ['edgesOf', (tx) => tx.edgesOf(1, { direction: 'both' })],
  ['expand', (tx) => tx.expand(1)],
  ['bfs', (tx) => tx.bfs(1)],
  ['labels', (tx) => tx.labels()],
  ['labelCounts', (tx) => tx.labelCounts()],
];

const WRITES: readonly (readonly [string, (tx: GraphTransaction, row: number) => void])[] = [
  [
    'adds rows like those that it gets',
    (tx, row) => {
      const node = tx.addNode(['N', 'M', `L${row}`], { same: 1, number: 100 + row });
      tx.addEdge(10, node, 'T', { same: 1, number: 100 + row });
      tx.addEdge(node, 10, 'T', { same: 1, number: 100 + row });
      tx.addEdge(1, 10, 'T', { same: 1, number: 100 + row });
    },
  ],
  [
    'brings changed rows back further on',
    (tx, row) => {
      for (let id = 1; id <= 10; id += 1) {
        tx.setNodeProperty(id, 'number', 1000 * row + id);
        tx.setEdgeProperty(id, 'number', 1000 * row + id);
        tx.removeLabel(id, 'N');
        tx.addLabel(id, 'N');
      }
    },
  ],
];

describe.each([true, false])('with indexes: %s', (index) => {
  describe.each(ITERATORS)('%s', (_name, iterate) => {
    test.each(WRITES)('a loop that %s gets the rows that were there', (_write, write) => {
      withGraph({ cacheSize: 64 }, (db) => {
        ring(db, index);
        const tx = db.graph.begin();
        const before = [...iterate(tx)].map((row) => idOf(row));
        const rows: unknown[] = [];
        for (const row of iterate(tx)) {
          rows.push(idOf(row));
          if (rows.length > 500) break;
          write(tx, rows.length);
        }
        expect(rows).toEqual(before);
        tx.commit();
      });
    });
  });
});

/** What tells rows of all kinds apart. */
function idOf(row: unknown): unknown {
  if (typeof row !== 'object' || row === null) return row;
  const { id, edges, label, edge } = row as { id?: unknown; edges?: unknown; label?: unknown; edge?: { id: unknown } };
  return id ?? edges ?? label ?? edge?.id;
}

test.each<[string, Iterate]>([
  ['nodes', (tx) => tx.nodes()],
  ['find', (tx) => tx.findNodes({ label: 'N', where: { same: 1 } })],
])('%s: rows that are deleted in the loop do not come', (_name, iterate) => {
  withGraph({}, (db) => {
    ring(db, true);
    const tx = db.graph.begin();
    const rows: unknown[] = [];
    for (const row of iterate(tx)) {
      rows.push(idOf(row));
      if (rows.length === 1) for (const id of [2, 3, 10]) tx.deleteNode(id, { cascade: true });
    }
    expect(rows).toEqual([1, 4, 5, 6, 7, 8, 9]);
    tx.commit();
  });
});

test.each<[string, (db: OpenGraph) => Iterator<unknown>]>([
  ['nodes', (db) => db.reader.nodes()],
  ['edgeIds', (db) => db.reader.edgeIds()],
  ['find', (db) => db.reader.findNodes({ label: 'N' })],
  ['paths', (db) => db.reader.paths(1)],
  ['allShortestPaths', (db) => db.reader.allShortestPaths(1, 10, { direction: 'both' })],
])('an iterator of %s that is dropped lets go of its commit', async (_name, begin) => {
  const { OpenGraph } = await import('./support/open.ts');
  const db = new OpenGraph();
  ring(db, false);
  // In a function of its own: nothing of it may stay on the stack.
  (() => {
    expect(begin(db).next().done).toBe(false);
  })();
  expect(db.pager.stats().snapshots).toBe(1);
  for (let turn = 0; turn < 500 && db.pager.stats().snapshots > 0; turn += 1) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect(db.pager.stats().snapshots).toBe(0);
  db.close();
});
