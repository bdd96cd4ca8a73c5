// Goal: verify finds every kind of damage, says where it is, and finds nothing in a sound graph.
// Method: a graph with every structure in it (one-block and chained adjacency, wide ids, index blocks, overflow records); one
// thing is damaged through the pager, so that checksums are right; the report must count it in the right place.
import type { PagerOptions } from '@sombra/pager';
import { describe, expect, test } from 'vitest';
import { Graph, type VerifyReport } from '../src/index.ts';
import { COUNTER } from '../src/model/counters.ts';
import { OpenGraph, SMALL } from './support/open.ts';
import { adjacencyKey, indexKey, nameKey, plant, type Planter, recordKey } from './support/plant.ts';

const HUB = 1;
const SMALL_NODE = 2;
const LOOP = 3;
const WIDE = 2 ** 32 + 4;
const NODES = 61;
/** Labels: Hub 0, N 1, Big 2. Types: HUB 0, PAIR 1, LOOP 2. */
const EDGES = 207;

let image: Uint8Array | undefined;

/** A graph with every structure; each call gives a copy of the same file. */
function everything(options: Partial<PagerOptions> = {}): OpenGraph {
  if (image === undefined) {
    const db = buildEverything();
    db.pager.close();
    image = db.image();
  }
  return new OpenGraph({ cacheSize: 32, ...options }, image);
}

/** Edges 1 to 200 leave the hub (type 0, chained); then a few single ones. */
function buildEverything(): OpenGraph {
  const db = new OpenGraph({ cacheSize: 32 });
  db.write((tx) => {
    tx.addNode('Hub', { name: 'hub' });
    for (let i = 1; i < 60; i += 1) tx.addNode('N', { i });
    for (let i = 0; i < 200; i += 1) tx.addEdge(HUB, 2 + (i % 59), 'HUB', { i });
    tx.addEdge(SMALL_NODE, LOOP, 'PAIR');
    tx.addEdge(SMALL_NODE, 4, 'LOOP');
    tx.addEdge(LOOP, LOOP, 'LOOP', { data: new Uint8Array(9000) });
  });
  const skip = db.pager.begin();
  skip.setCounter(COUNTER.nextNodeId, WIDE);
  skip.setCounter(COUNTER.nextEdgeId, WIDE);
  skip.commit();
  db.reopen();
  db.write((tx) => {
    tx.addNode(['N', 'Big'], { data: 'x'.repeat(20_000) });
    tx.addEdge(WIDE, SMALL_NODE, 'PAIR');
    tx.addEdge(WIDE, WIDE, 'PAIR');
    tx.addEdge(5, WIDE, 'PAIR');
    tx.addEdge(5, 6, 'PAIR');
  });
  return db;
}

type Category = 'checksumFailures' | 'structureErrors' | 'recordErrors' | 'adjacencyErrors' | 'indexErrors';
const CATEGORIES: Category[] = [
  'checksumFailures',
  'structureErrors',
  'recordErrors',
  'adjacencyErrors',
  'indexErrors',
];

function counts(report: VerifyReport): Record<Category, number> {
  return Object.fromEntries(CATEGORIES.map((category) => [category, report[category]])) as Record<Category, number>;
}

test('a sound graph is clean, and everything was looked at', () => {
  const db = everything();
  const report = db.graph.verifyIntegrity();
  expect(report).toMatchObject({ isClean: true, checkedNodes: NODES, checkedEdges: EDGES, errors: [] });
  expect(counts(report)).toEqual({
    checksumFailures: 0,
    structureErrors: 0,
    recordErrors: 0,
    adjacencyErrors: 0,
    indexErrors: 0,
  });
  expect(report.checkedPages).toBeGreaterThan(20);
  db.close();
});

test('an empty graph is clean', () => {
  const db = new OpenGraph();
  expect(db.graph.verifyIntegrity()).toMatchObject({ isClean: true, checkedNodes: 0, checkedEdges: 0 });
  db.close();
});

/** First word of a block: format, types, count. */
const setCount = (value: Uint8Array, count: number): void => {
  value[2] = count;
};

const DAMAGE: [name: string, category: Category, change: (planter: Planter) => void][] = [
  // records
  [
    'a node record of another format',
    'recordErrors',
    (p) => p.change('nodes', recordKey(4), (value) => (value[0] = 0x20)),
  ],
  [
    'a node record that ends early',
    'recordErrors',
    (p) => p.put('nodes', recordKey(4), p.get('nodes', recordKey(4)).slice(0, -1)),
  ],
  [
    'a node record with bytes behind it',
    'recordErrors',
    (p) => p.put('nodes', recordKey(4), [...p.get('nodes', recordKey(4)), 0]),
  ],
  ['a node with an unknown label', 'recordErrors', (p) => p.put('nodes', recordKey(4), [0x10, 3, 1, 9, 0])],
  ['an edge record that is too short', 'recordErrors', (p) => p.put('edges', recordKey(3), new Uint8Array(10))],
  ['an edge with an unknown type', 'recordErrors', (p) => p.change('edges', recordKey(3), (value) => (value[8] = 77))],
  [
    'a key in the tree of nodes that is no id',
    'recordErrors',
    (p) => p.put('nodes', Uint8Array.of(0, 0, 0, 0, 2), [0x10, 2, 0, 0]),
  ],
  ['node 0', 'recordErrors', (p) => p.put('nodes', recordKey(0), [0x10, 2, 0, 0])],
  ['a node id that was not given out yet', 'recordErrors', (p) => p.tx.setCounter(COUNTER.nextNodeId, WIDE)],
  ['an edge id that was not given out yet', 'recordErrors', (p) => p.tx.setCounter(COUNTER.nextEdgeId, WIDE)],
  // edges against adjacency
  [
    'an edge whose source is another',
    'adjacencyErrors',
    (p) => p.change('edges', recordKey(201), (value) => (value[0] = 9)),
  ],
  [
    'an edge whose target is another',
    'adjacencyErrors',
    (p) => p.change('edges', recordKey(201), (value) => (value[4] = 9)),
  ],
  [
    'an edge whose source does not exist',
    'adjacencyErrors',
    (p) => p.change('edges', recordKey(201), (value) => (value[0] = 200)),
  ],
  ['an edge without a record', 'adjacencyErrors', (p) => p.delete('edges', recordKey(201))],
  ['an edge missing in out', 'adjacencyErrors', (p) => p.delete('out', adjacencyKey(LOOP))],
  ['an edge missing in in', 'adjacencyErrors', (p) => p.delete('in', adjacencyKey(6))],
  [
    'one edge of several missing in a block',
    'adjacencyErrors',
    (p) => p.change('out', adjacencyKey(SMALL_NODE), (value) => setCount(value, 1)),
  ],
  [
    'an edge of another neighbour in a block',
    'adjacencyErrors',
    (p) => p.change('out', adjacencyKey(SMALL_NODE), (value) => (value[8] = 9)),
  ],
  [
    'an edge of another id in a block',
    'adjacencyErrors',
    (p) => p.change('in', adjacencyKey(6), (value) => (value[8 + value[4]! * 4] = 99)),
  ],
  [
    'an edge of another type in a block',
    'adjacencyErrors',
    (p) => p.change('out', adjacencyKey(LOOP), (value) => (value[6] = 1)),
  ],
  ['edges of a block not in order', 'adjacencyErrors', (p) => p.change('out', adjacencyKey(5), swapFirstTwo)],
  [
    'an edge twice in a block',
    'adjacencyErrors',
    (p) =>
      p.change('out', adjacencyKey(SMALL_NODE), (value) =>
        value.copyWithin(8 + value[4]! * 4 + 4, 8 + value[4]! * 4, 12 + value[4]! * 4),
      ),
  ],
  ['an empty block', 'adjacencyErrors', (p) => p.change('out', adjacencyKey(LOOP), (value) => setCount(value, 0))],
  [
    'a block of another format',
    'adjacencyErrors',
    (p) => p.change('out', adjacencyKey(LOOP), (value) => (value[0] = 0x20)),
  ],
  [
    'a block with more edges than places',
    'adjacencyErrors',
    (p) => p.change('out', adjacencyKey(LOOP), (value) => setCount(value, 99)),
  ],
  [
    'adjacency of a node that does not exist',
    'adjacencyErrors',
    (p) => p.put('out', adjacencyKey(5000), p.get('out', adjacencyKey(LOOP))),
  ],
  // chains
  [
    'a wrong degree in the head of chains',
    'adjacencyErrors',
    (p) => p.change('out', adjacencyKey(HUB), (value) => (value[4]! += 1)),
  ],
  [
    'a wrong degree in a type head',
    'adjacencyErrors',
    (p) => p.change('out', adjacencyKey(HUB, 0), (value) => (value[4]! -= 1)),
  ],
  ['a type head missing', 'adjacencyErrors', (p) => p.delete('out', adjacencyKey(HUB, 0))],
  ['a head of chains missing', 'adjacencyErrors', (p) => p.delete('out', adjacencyKey(HUB))],
  ['a chain block missing', 'adjacencyErrors', (p) => p.delete('out', secondBlock(p))],
  [
    'a chain block under another type',
    'adjacencyErrors',
    (p) => p.put('out', adjacencyKey(HUB, 1, 5000), p.get('out', secondBlock(p))),
  ],
  [
    'a chain block whose key is above its edges',
    'adjacencyErrors',
    (p) => moveBlock(p, 'out', secondBlock(p), (key) => (key[13]! += 1)),
  ],
  [
    'a type head without blocks',
    'adjacencyErrors',
    (p) => p.put('out', adjacencyKey(HUB, 1), [0x14, 0, 0, 0, 0, 0, 0, 0]),
  ],
  // indexes
  [
    'a node missing in the label index',
    'indexErrors',
    (p) => p.put('labels', indexKey(1, 2), p.get('labels', indexKey(1, 2)).slice(0, -4)),
  ],
  ['a label index without its block', 'indexErrors', (p) => p.delete('labels', indexKey(0, HUB))],
  [
    'a node too many in the label index',
    'indexErrors',
    (p) => p.put('labels', indexKey(0, HUB), [0x10, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]),
  ],
  [
    'a node that does not exist in the label index',
    'indexErrors',
    (p) => p.put('labels', indexKey(0, HUB), [0x10, 0, 0, 0, 1, 0, 0, 0, 200, 0, 0, 0]),
  ],
  [
    'ids of an index not in order',
    'indexErrors',
    (p) => p.change('labels', indexKey(1, 2), (value) => value.copyWithin(4, 8, 12)),
  ],
  [
    'an index block of another format',
    'indexErrors',
    (p) => p.change('labels', indexKey(0, HUB), (value) => (value[0] = 0x20)),
  ],
  [
    'an index block whose key is above its ids',
    'indexErrors',
    (p) => moveBlock(p, 'labels', indexKey(0, HUB), (key) => (key[9] = 2)),
  ],
  [
    'an index of a label that does not exist',
    'indexErrors',
    (p) => p.put('labels', indexKey(9, 2), [0x10, 0, 0, 0, 2, 0, 0, 0]),
  ],
  [
    'an edge missing in the type index',
    'indexErrors',
    (p) => p.put('edge-types', indexKey(2, 202), [0x10, 0, 0, 0, 202, 0, 0, 0]),
  ],
  [
    'an edge of another type in the type index',
    'indexErrors',
    (p) => p.put('edge-types', indexKey(2, 202), [0x10, 0, 0, 0, 201, 0, 0, 0, 202, 0, 0, 0, 203, 0, 0, 0]),
  ],
  [
    'a wrong count of a label',
    'indexErrors',
    (p) => p.change('statistics', nameKey(1, 1), (value) => (value[0]! += 1)),
  ],
  ['a wrong count of a type', 'indexErrors', (p) => p.delete('statistics', nameKey(2, 1))],
  [
    'a count of a label that does not exist',
    'indexErrors',
    (p) => p.put('statistics', nameKey(1, 9), [1, 0, 0, 0, 0, 0, 0, 0]),
  ],
  ['a count of another length', 'indexErrors', (p) => p.put('statistics', nameKey(1, 1), [60, 0, 0, 0])],
  ['a wrong number of nodes', 'indexErrors', (p) => p.tx.setCounter(COUNTER.nodeCount, NODES - 1)],
  ['a wrong number of edges', 'indexErrors', (p) => p.tx.setCounter(COUNTER.edgeCount, EDGES + 1)],
  // pages and trees
  ['an unused page that is not free', 'structureErrors', (p) => p.tx.allocate(17, 1)],
  ['a free page that is in use', 'structureErrors', (p) => p.tx.free(leafOf(p))],
  ['a tree page of another tree', 'structureErrors', (p) => changePage(p, 18, 7)],
  ['slots of a leaf not in order', 'structureErrors', (p) => swapSlots(p)],
  ['a wrong number of entries of a tree', 'structureErrors', (p) => p.tx.addTreeCount(p.tree('in').slot, 1)],
];

function swapFirstTwo(value: Uint8Array): void {
  const capacity = value[4]!;
  for (const column of [8, 8 + capacity * 4]) {
    const first = value.slice(column, column + 4);
    value.copyWithin(column, column + 4, column + 8);
    value.set(first, column + 4);
  }
  if ((value[0]! & 1) === 0) return;
  for (const column of [8 + capacity * 8, 8 + capacity * 10]) {
    const first = value.slice(column, column + 2);
    value.copyWithin(column, column + 2, column + 4);
    value.set(first, column + 2);
  }
}

/** Key of the hub's second chain block. */
function secondBlock(p: Planter): Uint8Array {
  const cursor = p.tree('out').cursor(p.tx.view);
  cursor.seek(adjacencyKey(HUB, 0, 0), 14);
  cursor.next();
  const key = cursor.key();
  cursor.close();
  return key;
}

function moveBlock(p: Planter, tree: 'out' | 'labels', key: Uint8Array, change: (key: Uint8Array) => void): void {
  const value = p.get(tree, key);
  p.delete(tree, key);
  const to = key.slice();
  change(to);
  p.put(tree, to, value);
}

/** The leaf with the record of node 4. */
function leafOf(p: Planter): number {
  const tree = p.tree('nodes');
  tree.findU48(p.tx.view, 4);
  return tree.foundPage;
}

function changePage(p: Planter, offset: number, value: number): void {
  p.tx.setU8(p.tx.edit(leafOf(p)), offset, value);
}

function swapSlots(p: Planter): void {
  const base = p.tx.edit(leafOf(p));
  const { bytes, halves } = p.tx.view.cache;
  const slots = 32 + ((halves[(base + 30) >> 1]! + 3) & ~3);
  const first = bytes.slice(base + slots, base + slots + 8);
  p.tx.move(base, slots, slots + 8, 8);
  p.tx.setBytes(base, slots + 8, first, 0, 8);
}

describe('planted damage is found', () => {
  test.each(DAMAGE)('%s', (_name, category, change) => {
    const db = everything();
    plant(db, change);
    const report = db.graph.verifyIntegrity();
    expect(report.isClean).toBe(false);
    expect({ [category]: report[category] }).not.toEqual({ [category]: 0 });
    expect(report.checksumFailures).toBe(0);
    expect(report.errors.length).toBeGreaterThan(0);
    expect(report.errors.every((error) => error.length > 10)).toBe(true);
    expect(db.graph.verifyIntegrity()).toEqual(report);
    db.reopen();
    expect(counts(db.graph.verifyIntegrity())).toEqual(counts(report));
    db.pager.close();
  });

  test('a damaged dictionary', () => {
    const db = everything();
    plant(db, (p) => p.put('dictionary', nameKey(1, 1), new TextEncoder().encode('Hub')));
    expect(db.graph.verifyIntegrity().isClean).toBe(false);
    db.pager.close();
  });
});

describe('damage of the file itself', () => {
  test('a flipped bit in each page of main is found, by a full check and by one of checksums only', () => {
    const db = everything({ locking: 'single-process' });
    db.pager.close();
    const file = db.vfs.open(SMALL.path, { write: true });
    const pages = file.stat().size / SMALL.pageSize;
    const byte = new Uint8Array(1);
    let found = 0;
    for (let page = 3; page < pages; page += 2) {
      const at = page * SMALL.pageSize + 100 + page;
      file.pread(byte, at);
      const before = byte[0]!;
      file.pwrite([Uint8Array.of(before ^ 8)], at);
      const { pager, graph, error } = open(db);
      if (graph === undefined) expect(error).toMatchObject({ name: 'CorruptionError' });
      else {
        const report = graph.verifyIntegrity();
        expect([page, report.isClean, report.checksumFailures]).toEqual([page, false, 1]);
        expect(graph.verifyIntegrity({ checksumOnly: true })).toMatchObject({ isClean: false, checksumFailures: 1 });
        found += 1;
      }
      pager.close();
      file.pwrite([Uint8Array.of(before)], at);
    }
    expect(found).toBeGreaterThan(pages / 4);
    db.reopen();
    expect(db.problems()).toEqual([]);
    db.close();
  });

  function open(db: OpenGraph): { pager: OpenGraph['pager']; graph?: Graph; error?: unknown } {
    const pager = db.openPagerAgain();
    try {
      return { pager, graph: Graph.open(pager) };
    } catch (error) {
      return { pager, error };
    }
  }
});

/** Damage that contradicts nothing else. */
const ONCE: [category: Category, code: string, change: (planter: Planter) => void][] = [
  ['structureErrors', 'SOMBRA_PAGE_LOST', (p) => p.tx.allocate(17, 1)],
  ['recordErrors', 'SOMBRA_RECORD', (p) => p.put('edges', recordKey(201), p.get('edges', recordKey(201)).slice(0, -1))],
  ['adjacencyErrors', 'SOMBRA_ADJACENCY', (p) => p.change('out', adjacencyKey(HUB), (value) => (value[4]! += 1))],
  ['indexErrors', 'SOMBRA_INDEX_DIFFERS', (p) => p.change('statistics', nameKey(1, 1), (value) => (value[0]! += 1))],
  ['indexErrors', 'SOMBRA_INDEX_DIFFERS', (p) => p.tx.setCounter(COUNTER.nodeCount, NODES - 1)],
];

describe('the report', () => {
  test.each(ONCE)('counts a defect of %s once, and names its kind and code %s', (category, code, change) => {
    const db = everything();
    plant(db, change);
    const report = db.graph.verifyIntegrity();
    expect(Object.entries(counts(report)).filter(([, count]) => count > 0)).toEqual([[category, 1]]);
    expect(report.findings).toMatchObject([{ kind: category, code }]);
    expect(report.errors).toHaveLength(1);
    db.pager.close();
  });

  test('a check of pages finds a damaged tree and does not read records', () => {
    const db = everything();
    plant(db, (p) => {
      p.put('nodes', recordKey(4), [0x20, 2, 0, 0]);
      changePage(p, 18, 7);
    });
    const report = db.graph.verifyIntegrity({ pagesOnly: true });
    expect(report).toMatchObject({ isClean: false, structureErrors: 1, recordErrors: 0, checkedNodes: 0 });
    expect(report.findings).toMatchObject([
      { kind: 'structureErrors', code: 'SOMBRA_TREE_PAGE', page: expect.any(Number) as number },
    ]);
    db.pager.close();
  });

  test('holds at most so many messages and counts all the same', () => {
    const db = everything();
    plant(db, (p) => {
      for (let node = 10; node < 50; node += 1) p.put('nodes', recordKey(node), [0x20, 2, 0, 0]);
    });
    const all = db.graph.verifyIntegrity({ maxErrors: 0 });
    expect(all.recordErrors).toBe(40);
    expect(all.errors.length).toBeGreaterThanOrEqual(40);
    const few = db.graph.verifyIntegrity({ maxErrors: 3 });
    expect([few.recordErrors, few.errors]).toEqual([40, all.errors.slice(0, 3)]);
    db.pager.close();
  });

  test('a check of checksums only does not read records', () => {
    const db = everything();
    plant(db, (p) => p.put('nodes', recordKey(4), [0x20, 2, 0, 0]));
    expect(db.graph.verifyIntegrity({ checksumOnly: true })).toMatchObject({ isClean: true, recordErrors: 0 });
    db.pager.close();
  });

  test('unknown options are refused', () => {
    const db = new OpenGraph();
    for (const options of [{ checksumsOnly: true }, { maxErrors: -1 }, { checksumOnly: 1 }]) {
      expect(() => db.graph.verifyIntegrity(options as never)).toThrow(
        expect.objectContaining({ code: 'SOMBRA_OPTION' }),
      );
    }
    db.close();
  });

  test('while a transaction is open it looks at the newest commit', () => {
    const db = everything();
    const tx = db.graph.begin();
    for (let node = 10; node < 50; node += 1) tx.deleteNode(node, { cascade: true });
    expect(db.graph.verifyIntegrity()).toMatchObject({ isClean: true, checkedNodes: NODES });
    tx.commit();
    expect(db.graph.verifyIntegrity()).toMatchObject({ isClean: true, checkedNodes: NODES - 40 });
    db.close();
  });
});
