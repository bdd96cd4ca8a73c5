// Goal: a file that is filled and emptied again and again keeps its size, whichever way it is filled.
// Method: rounds of one kind of work each; the largest file is compared with what the data take.
import { expect, test } from 'vitest';
import { OpenGraph } from './support/open.ts';

const NODES = 2000;
const nodes = Array.from({ length: NODES }, (_, i) => ({ labels: 'N', properties: { i, text: 'x'.repeat(i % 40) } }));
const edges = Array.from({ length: NODES }, (_, i) => ({ source: i, target: (i * 7) % NODES, type: 'T' }));

/** Runs rounds; the size of the largest file after any of them, in sizes of the first. */
function growth(db: OpenGraph, rounds: number, round: () => void): number {
  let [first, largest] = [0, 0];
  for (let i = 0; i < rounds; i += 1) {
    round();
    const { pageCount } = db.pager.stats();
    if (i === 0) first = pageCount;
    largest = Math.max(largest, pageCount);
  }
  return largest / first;
}

function deleteAll(db: OpenGraph): void {
  for (;;) {
    const ids = [...db.reader.nodes()].slice(0, 200);
    if (ids.length === 0) return;
    db.write((tx) => ids.forEach((node) => tx.deleteNode(node.id, { cascade: true })));
  }
}

test('a property index is created and dropped', () => {
  const db = new OpenGraph();
  db.graph.bulkLoad({ nodes, edges });
  const round = (): void => {
    db.graph.createPropertyIndex('N', 'text');
    db.graph.dropPropertyIndex('N', 'text');
  };
  expect(growth(db, 15, round)).toBeLessThan(1.1);
  db.close();
});

test('a graph is loaded and deleted', () => {
  const db = new OpenGraph();
  const round = (): void => {
    db.graph.bulkLoad({ nodes, edges });
    deleteAll(db);
  };
  expect(growth(db, 6, round)).toBeLessThan(2);
  db.close();
});

test('nodes are added and deleted', () => {
  const db = new OpenGraph();
  const round = (): void => {
    for (let from = 0; from < NODES; from += 200) {
      db.write((tx) => {
        for (const { labels, properties } of nodes.slice(from, from + 200)) tx.addNode(labels, properties);
      });
    }
    deleteAll(db);
  };
  expect(growth(db, 5, round)).toBeLessThan(1.5);
  db.close();
});
