// Goal: property indexes are created, kept by every write, rolled back, seen by snapshots and other connections as of their
// commit, and dropped; unique ones refuse duplicates and leave everything as it was; verify and readers see damage.
// Method: small graphs, each verified at the end (verify compares every index with the records both ways); large ones where
// size matters; damage planted through the pager, so that checksums are right.
import { BTree } from '@sombra/btree';
import { Pager } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import { describe, expect, test } from 'vitest';
import { Graph, type GraphReader, type GraphTransaction, type PropertyValue } from '../src/index.ts';
import { bulkLoad, createIndex } from './support/small-runs.ts';
import { dropIndex } from '../src/bulk/drop-index.ts';
import { KeySorter } from '../src/sorting/key-sorter.ts';
import { COUNTER } from '../src/model/counters.ts';
import { DICTIONARY_KEY_SIZE, INDEX_KIND, writeDictionaryKey } from '../src/names/dictionary.ts';
import { codeOf } from './support/errors.ts';
import { OpenGraph, SMALL, withGraph } from './support/open.ts';
import { nameKey, plant } from './support/plant.ts';
import { Random, suiteRuns, suiteSeed } from './support/random.ts';
import { StoreGraph } from './support/store.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function found(reader: GraphReader, label: string, where: Record<string, PropertyValue>): number[] {
  const query = { label, where: where as Record<string, number> };
  expect(reader.explainNodes(query).access).toMatch(/^index-/);
  return [...reader.findNodes({ ...query, select: [] })].map(({ id }) => id);
}

function entries(reader: GraphReader): number[] {
  return reader.propertyIndexes().map((index) => index.entries);
}

function errorOf(run: () => unknown): { code?: string; message: string; details?: unknown } {
  try {
    run();
  } catch (error) {
    return error as { message: string };
  }
  return { message: 'no error' };
}

test('creating, listing, dropping', () => {
  withGraph({}, (db) => {
    const { graph, reader } = db;
    expect(graph.createPropertyIndex('Person', 'name')).toBe(true);
    expect(graph.createPropertyIndex('Person', ['city', 'name'], { unique: true })).toBe(true);
    expect(graph.createEdgePropertyIndex('KNOWS', 'since')).toBe(true);
    expect(reader.propertyIndexes()).toEqual([
      { on: 'node', name: 'Person', keys: ['name'], unique: false, entries: 0 },
      { on: 'node', name: 'Person', keys: ['city', 'name'], unique: true, entries: 0 },
      { on: 'edge', name: 'KNOWS', keys: ['since'], unique: false, entries: 0 },
    ]);
    expect(reader.labels()).toEqual(['Person']);
    expect(graph.createPropertyIndex('Person', 'name')).toBe(false);
    expect(codeOf(() => graph.createPropertyIndex('Person', 'name', { unique: true }))).toBe('SOMBRA_INDEX_EXISTS');
    expect(graph.dropPropertyIndex('Person', ['name', 'city'])).toBe(false);
    expect(graph.dropPropertyIndex('Nobody', 'name')).toBe(false);
    expect(graph.dropEdgePropertyIndex('Person', 'name')).toBe(false);
    expect(graph.dropPropertyIndex('Person', 'name')).toBe(true);
    expect(reader.propertyIndexes().map(({ keys }) => keys)).toEqual([['city', 'name'], ['since']]);
    db.reopen();
    expect(db.reader.propertyIndexes().map(({ keys, unique }) => [keys, unique])).toEqual([
      [['city', 'name'], true],
      [['since'], false],
    ]);
    db.write((tx) => tx.addNode('Person', { city: 'London', name: 'Ada' }));
    expect(entries(db.reader)).toEqual([1, 0]);
  });
});

test.each<[string, (graph: Graph) => unknown, string]>([
  ['no key', (graph) => graph.createPropertyIndex('A', []), 'SOMBRA_OPTION'],
  ['nine keys', (graph) => graph.createPropertyIndex('A', [...'abcdefghi']), 'SOMBRA_OPTION'],
  ['a key twice', (graph) => graph.createPropertyIndex('A', ['a', 'a']), 'SOMBRA_OPTION'],
  ['a key that is a number', (graph) => graph.createPropertyIndex('A', 1 as never), 'SOMBRA_OPTION'],
  ['an empty label', (graph) => graph.createPropertyIndex('', 'a'), 'SOMBRA_LABEL_EMPTY'],
  ['an unknown option', (graph) => graph.createPropertyIndex('A', 'a', { uniqe: true } as never), 'SOMBRA_OPTION'],
  [
    'a signal that was aborted',
    (graph) => graph.createPropertyIndex('A', 'a', { signal: AbortSignal.abort() }),
    'SOMBRA_ABORTED',
  ],
  ['unique as a text', (graph) => graph.createPropertyIndex('A', 'a', { unique: 'yes' as never }), 'SOMBRA_OPTION'],
  [
    'an open transaction',
    (graph) => {
      const tx = graph.begin();
      try {
        return graph.createPropertyIndex('A', 'a');
      } finally {
        tx.rollback();
      }
    },
    'SOMBRA_TRANSACTION_ACTIVE',
  ],
])('refused, and nothing changes: %s', (_name, run, code) => {
  withGraph({}, (db) => {
    const { lsn } = db.pager.view;
    expect(codeOf(() => run(db.graph))).toBe(code);
    expect([db.pager.view.lsn, db.reader.labels(), db.reader.propertyKeys()]).toEqual([lsn, [], []]);
  });
});

test('an index has the nodes that have the label and all properties, and follows every write', () => {
  withGraph({}, (db) => {
    db.graph.createPropertyIndex('A', 'x');
    db.graph.createPropertyIndex('A', ['x', 'y']);
    db.graph.createPropertyIndex('B', 'x');
    db.graph.createEdgePropertyIndex('T', 'x');
    const counts = (reader: GraphReader): number[] => entries(reader);
    db.write((tx) => {
      const one = tx.addNode(['A', 'B'], { x: 1 });
      expect(counts(tx)).toEqual([1, 0, 1, 0]);
      tx.setNodeProperty(one, 'y', 2);
      expect(counts(tx)).toEqual([1, 1, 1, 0]);
      expect(found(tx, 'A', { x: 1, y: 2 })).toEqual([one]);
      tx.removeLabel(one, 'B');
      expect(counts(tx)).toEqual([1, 1, 0, 0]);
      tx.addLabel(one, 'B');
      tx.replaceNodeProperties(one, { x: 2n ** 60n });
      expect(counts(tx)).toEqual([1, 0, 1, 0]);
      expect(found(tx, 'B', { x: 2 ** 60 })).toEqual([one]);
      tx.updateNodeProperties(one, { x: [1], y: NaN });
      expect(counts(tx)).toEqual([1, 1, 1, 0]);
      expect([...tx.findNodes({ label: 'A', where: { x: [1] } })]).toHaveLength(1);
      tx.removeNodeProperty(one, 'x');
      expect(counts(tx)).toEqual([0, 0, 0, 0]);
      tx.setNodeProperty(one, 'x', null);
      tx.setNodeProperty(one, 'x', 'z'.repeat(20_000));
      expect(found(tx, 'A', { x: 'z'.repeat(20_000) })).toEqual([one]);
      const edge = tx.addEdge(one, one, 'T', { x: new Date(5) });
      tx.addEdge(one, one, 'U', { x: 1 });
      expect(counts(tx)).toEqual([1, 1, 1, 1]);
      expect([...tx.findEdges({ type: 'T', where: { x: new Date(5) } })]).toHaveLength(1);
      tx.setEdgeProperty(edge, 'x', 7);
      expect(tx.countEdges({ type: 'T', where: { x: 7 } })).toBe(1);
      tx.removeEdgeProperty(edge, 'x');
      expect(counts(tx)).toEqual([1, 1, 1, 0]);
      tx.updateEdgeProperties(edge, { x: 'again' });
      tx.deleteNode(one, { cascade: true });
      expect(counts(tx)).toEqual([0, 0, 0, 0]);
    });
  });
});

test('a rollback and a savepoint take index changes back', () => {
  withGraph({}, (db) => {
    db.graph.createPropertyIndex('A', 'x', { unique: true });
    db.write((tx) => tx.addNode('A', { x: 1 }));
    const tx = db.graph.begin();
    const savepoint = tx.savepoint();
    tx.setNodeProperty(1, 'x', 2);
    tx.addNode('A', { x: 1 });
    tx.rollbackTo(savepoint);
    expect([found(tx, 'A', { x: 1 }), tx.countNodes({ label: 'A', where: { x: 2 } })]).toEqual([[1], 0]);
    tx.addNode('A', { x: 2 });
    tx.rollback();
    expect([found(db.reader, 'A', { x: 1 }), entries(db.reader)]).toEqual([[1], [1]]);
  });
});

describe('unique', () => {
  const open = (): OpenGraph => {
    const db = new OpenGraph();
    db.graph.createPropertyIndex('User', 'mail', { unique: true });
    db.write((tx) => {
      tx.addNode('User', { mail: 'ada@example.org', n: 1 });
      tx.addNode('Other', { mail: 'ada@example.org' });
      tx.addNode('User', { n: 3 });
    });
    return db;
  };

  test.each<[string, (tx: GraphTransaction) => unknown]>([
    ['addNode', (tx) => tx.addNode(['New', 'User'], { mail: 'ada@example.org', neverBefore: 1 })],
    ['setNodeProperty', (tx) => tx.setNodeProperty(3, 'mail', 'ada@example.org')],
    ['replaceNodeProperties', (tx) => tx.replaceNodeProperties(3, { neverBefore: 1, mail: 'ada@example.org' })],
    ['updateNodeProperties', (tx) => tx.updateNodeProperties(3, { neverBefore: 1, mail: 'ada@example.org' })],
    ['addLabel', (tx) => tx.addLabel(2, 'User')],
  ])('%s of a value that another node has changes nothing, and the transaction goes on', (_name, run) => {
    const db = open();
    db.write((tx) => {
      const before = [...tx.nodes()];
      const error = errorOf(() => run(tx));
      expect(error).toMatchObject({
        code: 'SOMBRA_UNIQUE',
        details: { on: 'node', label: 'User', keys: ['mail'], value: 'ada@example.org', id: 1 },
      });
      expect(error.message).toContain('ada@example.org');
      expect([...tx.nodes()]).toEqual(before);
      expect([tx.labels(), tx.propertyKeys()]).toEqual([
        ['User', 'Other'],
        ['mail', 'n'],
      ]);
      tx.addNode('User', { mail: 'next@example.org' });
      tx.setNodeProperty(1, 'mail', 'ada@example.org');
      tx.setNodeProperty(1, 'mail', 'free@example.org');
      tx.addLabel(2, 'User');
    });
    expect(found(db.reader, 'User', { mail: 'ada@example.org' })).toEqual([2]);
    db.close();
  });

  test('numbers are the same whatever they are stored as; NaN never is', () => {
    const db = open();
    db.graph.createPropertyIndex('User', 'n', { unique: true });
    db.write((tx) => {
      tx.addNode('User', { n: 2 ** 60 });
      expect(codeOf(() => tx.addNode('User', { n: 2n ** 60n }))).toBe('SOMBRA_UNIQUE');
      tx.addNode('User', { n: 2n ** 60n + 1n });
      tx.addNode('User', { n: 0 });
      expect(codeOf(() => tx.addNode('User', { n: -0 }))).toBe('SOMBRA_UNIQUE');
      for (const n of [NaN, NaN, [NaN], [NaN]]) tx.addNode('User', { n });
    });
    db.close();
  });

  test('lists and maps are the same by content', () => {
    const db = open();
    db.graph.createPropertyIndex('User', ['n', 'm'], { unique: true });
    db.write((tx) => {
      const first = tx.addNode('User', { n: [1, 'a'], m: 1 });
      const second = tx.addNode('User', { n: { a: 1, b: [2] }, m: 1 });
      for (const n of [[1, 'b'], ['a', 1], { a: 1, b: [3] }, { a: 1 }, [], {}]) tx.addNode('User', { n, m: 1 });
      tx.addNode('User', { n: [1, 'a'], m: 2 });
      const refused = (write: () => unknown, id: number): void =>
        expect(errorOf(write)).toMatchObject({ code: 'SOMBRA_UNIQUE', details: { id } });
      refused(() => tx.addNode('User', { n: [1n, 'a'], m: 1 }), first);
      refused(() => tx.addNode('User', { n: { b: [2], a: 1 }, m: 1 }), second);
      refused(() => tx.setNodeProperty(second, 'n', [1, 'a']), first);
      tx.updateNodeProperties(first, { n: [1, 'a'], more: true });
      tx.setNodeProperty(first, 'n', [2]);
      tx.setNodeProperty(second, 'n', [1, 'a']);
      refused(() => tx.setNodeProperty(first, 'n', [1, 'a']), second);
    });
    expect(db.graph.verifyIntegrity().errors).toEqual([]);
    db.close();
  });

  test('long texts are compared as a whole', () => {
    const db = open();
    const long = 'm'.repeat(100);
    db.write((tx) => {
      tx.addNode('User', { mail: `${long}1` });
      tx.addNode('User', { mail: `${long}2` });
      expect(codeOf(() => tx.addNode('User', { mail: `${long}2` }))).toBe('SOMBRA_UNIQUE');
      tx.setNodeProperty(5, 'mail', `${long}3`);
      tx.addNode('User', { mail: `${long}2` });
    });
    db.close();
  });

  test('several properties are unique together', () => {
    const db = open();
    db.graph.createPropertyIndex('P', ['a', 'b'], { unique: true });
    db.write((tx) => {
      tx.addNode('P', { a: 1, b: 1 });
      tx.addNode('P', { a: 1, b: 2 });
      tx.addNode('P', { a: 1 });
      tx.addNode('P', { a: 1 });
      expect(errorOf(() => tx.addNode('P', { b: 2, a: 1 }))).toMatchObject({
        code: 'SOMBRA_UNIQUE',
        details: { value: [1, 2], id: 5 },
      });
    });
    db.close();
  });

  test('an edge index is unique too', () => {
    const db = open();
    db.graph.createEdgePropertyIndex('T', 'key', { unique: true });
    db.write((tx) => {
      tx.addEdge(1, 2, 'T', { key: 'k' });
      expect(errorOf(() => tx.addEdge(2, 1, 'T', { key: 'k' }))).toMatchObject({
        code: 'SOMBRA_UNIQUE',
        details: { type: 'T', id: 1 },
      });
      tx.addEdge(2, 1, 'U', { key: 'k' });
      expect(tx.edgeCount()).toBe(2);
    });
    db.close();
  });

  test.each<[PropertyValue, string]>([
    ['short', 'short'],
    ['long '.repeat(40), 'long long'],
    [[1, 'two'], '[1,"two"]'],
    [{ a: [1] }, '{"a":[1]}'],
  ])('creating it over duplicates names value and ids, and changes nothing (%#)', (mail, shown) => {
    const db = open();
    db.graph.dropPropertyIndex('User', 'mail');
    db.write((tx) => {
      tx.addNode('User', { mail });
      tx.addNode('User', { mail: Array.isArray(mail) ? [...mail, '!'] : `${String(mail)}!` });
      tx.addNode('User', { mail });
    });
    const { lsn } = db.pager.view;
    const error = errorOf(() => db.graph.createPropertyIndex('User', 'mail', { unique: true }));
    expect(error).toMatchObject({ code: 'SOMBRA_UNIQUE', details: { value: mail, id: 4, refused: 6 } });
    expect(error.message).toContain(shown);
    expect([db.pager.view.lsn, db.reader.propertyIndexes()]).toEqual([lsn, []]);
    db.write((tx) => tx.deleteNode(6));
    expect(db.graph.createPropertyIndex('User', 'mail', { unique: true })).toBe(true);
    db.close();
  });
});

test('a snapshot knows the indexes of its own commit, also after others got their place', () => {
  withGraph({}, (db) => {
    db.write((tx) => {
      for (let x = 0; x < 50; x += 1) tx.addNode('A', { x, y: x % 5 });
    });
    const none = db.graph.snapshot();
    db.graph.createPropertyIndex('A', 'x');
    const first = db.graph.snapshot();
    db.write((tx) => tx.setNodeProperty(1, 'x', 100));
    db.graph.dropPropertyIndex('A', 'x');
    db.graph.createPropertyIndex('A', 'y');
    const second = db.graph.snapshot();
    const seen = (reader: GraphReader): unknown[] => [
      reader.propertyIndexes().map(({ keys }) => keys[0]),
      reader.explainNodes({ label: 'A', where: { x: 0 } }).access,
      reader.countNodes({ label: 'A', where: { x: 0 } }),
    ];
    for (let turn = 0; turn < 3; turn += 1) {
      expect(seen(none)).toEqual([[], 'label-scan', 1]);
      expect(seen(first)).toEqual([['x'], 'index-equality', 1]);
      expect(seen(second)).toEqual([['y'], 'label-scan', 0]);
      expect(seen(db.reader)).toEqual([['y'], 'label-scan', 0]);
    }
    for (const snapshot of [none, first, second]) snapshot.release();
  });
});

test('other connections keep an index that one of them created, and see it dropped', async () => {
  const vfs = new MemoryVfs();
  const connect = (): Graph => Graph.open(Pager.open({ vfs, ...SMALL, cacheSize: 32 }));
  const [one, two] = [connect(), connect()];
  const write = (graph: Graph, change: (tx: GraphTransaction) => void): void => {
    const tx = graph.begin();
    change(tx);
    tx.commit();
  };
  write(one, (tx) => tx.addNode('A', { x: 1 }));
  one.createPropertyIndex('A', 'x', { unique: true });
  // No turn has passed: the other connection may not have read anything since.
  write(two, (tx) => {
    expect(codeOf(() => tx.addNode('A', { x: 1 }))).toBe('SOMBRA_UNIQUE');
    tx.addNode(['A', 'New'], { x: 2, y: 1 });
  });
  await nextTurn();
  expect(found(one.reader, 'A', { x: 2 })).toEqual([2]);
  expect([...one.reader.findNodes({ label: 'New', where: { y: 1 } })]).toHaveLength(1);
  two.createPropertyIndex('New', 'y');
  write(one, (tx) => tx.setNodeProperty(2, 'y', 5));
  await nextTurn();
  expect(found(two.reader, 'New', { y: 5 })).toEqual([2]);
  one.dropPropertyIndex('A', 'x');
  write(two, (tx) => tx.addNode('A', { x: 1 }));
  await nextTurn();
  expect(two.reader.propertyIndexes().map(({ name }) => name)).toEqual(['New']);
  for (const graph of [one, two]) expect(graph.verifyIntegrity().errors).toEqual([]);
  for (const { pager } of [one, two]) pager.close();
});

test('100,000 rows are indexed with keys going through scratch space, in a cache of 64 pages', () => {
  const rows = 100_000;
  const vfs = new MemoryVfs();
  const graph = new StoreGraph(Pager.open({ vfs, ...SMALL, cacheSize: 64, maxTransactionPages: 100 }));
  const source = {
    *nodes() {
      for (let i = 0; i < rows; i += 1) yield { labels: 'N', properties: { r: (i * 7919) % rows, t: `t${i % 100}` } };
    },
  };
  bulkLoad(graph.store, { nodes: source.nodes(), edges: [] }, undefined);
  let scratch = 0;
  const phases: string[] = [];
  const onProgress = ({ phase, rows: count }: { phase: string; rows: number }): void => {
    scratch = Math.max(scratch, vfs.stat(`${SMALL.path}-bulk`)?.size ?? 0);
    if (count % 50_000 === 0) phases.push(`${phase} ${count}`);
  };
  createIndex(graph.store, 'node', 'N', 'r', { unique: true, onProgress }, 64 * 1024);
  createIndex(graph.store, 'node', 'N', ['t', 'r'], undefined, 64 * 1024);
  expect(scratch).toBeGreaterThan(rows * 17);
  expect(phases).toEqual([
    'records 0',
    'records 50000',
    'records 100000',
    'build 0',
    'build 50000',
    'build 100000',
    'publish 0',
  ]);
  const { reader } = graph;
  expect(entries(reader)).toEqual([rows, rows]);
  expect(found(reader, 'N', { r: 7919 })).toEqual([2]);
  const some = [...reader.findNodes({ label: 'N', where: { t: 't7' }, orderBy: 'r', limit: 3, select: ['r'] })];
  expect(some.map(({ properties: { r } }) => r)).toEqual([33, 133, 233]);
  dropIndex(graph.store, 'node', 'N', 'r');
  expect(entries(reader)).toEqual([rows]);
  graph.pager.close();
  const again = Graph.open(Pager.open({ vfs, ...SMALL, cacheSize: 64 }));
  expect(again.verifyIntegrity().errors).toEqual([]);
  expect(again.pager.view.trees()).toHaveLength(9);
  again.pager.close();
}, 60_000);

test('an index that is larger than a transaction is dropped in one commit', () => {
  const db = new OpenGraph({ maxTransactionPages: 24 });
  for (let n = 0; n < 40; n += 1)
    db.write((tx) => {
      for (let i = 0; i < 25; i += 1) tx.addNode('A', { x: `${(n * 25 + i) % 997} ${'x'.repeat(50)}` });
    });
  const { store } = db.graph as unknown as { store: StoreGraph['store'] };
  createIndex(store, 'node', 'A', 'x', undefined);
  const { lsn } = db.pager.view;
  expect(dropIndex(store, 'node', 'A', 'x')).toBe(true);
  expect(db.pager.view.lsn).toBe(lsn + 1);
  expect(db.pager.view.trees()).toHaveLength(8);
  db.close();
});

test('what a former version left of an index that it dropped goes with the next one, whichever connection is faster', async () => {
  const vfs = new MemoryVfs();
  const [one, two] = [0, 1].map(() => Graph.open(Pager.open({ vfs, ...SMALL, cacheSize: 64 }))) as [Graph, Graph];
  const tx = two.begin();
  for (let x = 0; x < 60; x += 1) tx.addNode('A', { x });
  tx.commit();
  for (const last of ['create', 'drop'] as const) {
    two.createPropertyIndex('A', 'x');
    loseDefinition(two);
    expect(two.pager.view.trees()).toHaveLength(9);
    await nextTurn();
    expect(one.pager.view.trees()).toHaveLength(9);
    two.dropPropertyIndex('A', 'nothing');
    expect(two.pager.view.trees()).toHaveLength(8);
    // In this turn the first one still sees the tree.
    expect(one.pager.view.trees()).toHaveLength(9);
    if (last === 'create') {
      expect(one.createPropertyIndex('A', 'x')).toBe(true);
      await nextTurn();
      expect(two.dropPropertyIndex('A', 'x')).toBe(true);
    } else expect(one.dropPropertyIndex('A', 'x')).toBe(false);
    await nextTurn();
    for (const graph of [one, two]) {
      expect(graph.pager.view.trees()).toHaveLength(8);
      expect(graph.verifyIntegrity().errors).toEqual([]);
    }
  }
  for (const { pager } of [one, two]) pager.close();
});

/** Takes away the definition of the newest index and leaves its tree, as a version did that died while it dropped a large one. */
function loseDefinition(graph: Graph): void {
  const { store } = graph as unknown as { store: StoreGraph['store'] };
  const tx = graph.pager.begin();
  const key = new Uint8Array(DICTIONARY_KEY_SIZE);
  const number = tx.view.counter(COUNTER.indexVersion);
  writeDictionaryKey(key, INDEX_KIND, number);
  expect(store.dictionaryTree.delete(tx, key, key.length)).toBe(true);
  tx.setCounter(COUNTER.indexVersion, number + 1);
  tx.commit();
}

test('keys come out of the sorter in order, each as often as it went in', () => {
  const random = new Random(suiteSeed(81));
  const vfs = new MemoryVfs();
  const pager = Pager.open({ vfs, ...SMALL });
  for (const bytes of [1, 500, 5000, 1 << 20]) {
    const writer = pager.bulk();
    const sorter = new KeySorter(40, () => writer.scratch(), bytes);
    const keys = Array.from({ length: 2000 }, () =>
      Buffer.from(Array.from({ length: random.below(40) }, () => random.below(3))),
    );
    for (const key of keys) sorter.add(key, key.length);
    const sorted: string[] = [];
    for (const stream = sorter.sorted(); stream.next(); )
      sorted.push(Buffer.from(stream.key.slice(0, stream.length)).toString('hex'));
    expect(sorted).toEqual(keys.toSorted(Buffer.compare).map((key) => key.toString('hex')));
    writer.abort();
  }
  pager.close();
});

describe('a bulk load into a graph with indexes', () => {
  const LONG = 'l'.repeat(80);
  const nodes = Array.from({ length: 300 }, (_, i) => ({
    labels: i % 3 === 0 ? ['A', 'B'] : 'A',
    properties: { i, text: `${LONG}${i}`, half: i % 2 === 0 ? 'even' : null },
  }));
  const edges = Array.from({ length: 500 }, (_, i) => ({
    source: i % 7,
    target: i % 300,
    type: `T${i % 2}`,
    properties: { i },
  }));

  function indexed(): StoreGraph {
    const graph = new StoreGraph(Pager.open({ vfs: new MemoryVfs(), ...SMALL, cacheSize: 200 }));
    createIndex(graph.store, 'node', 'Dropped', 'x', undefined);
    createIndex(graph.store, 'node', 'A', 'i', { unique: true });
    createIndex(graph.store, 'node', 'A', ['text'], { unique: true });
    createIndex(graph.store, 'node', 'B', ['half', 'i'], undefined);
    createIndex(graph.store, 'edge', 'T1', 'i', undefined);
    dropIndex(graph.store, 'node', 'Dropped', 'x');
    return graph;
  }

  test.each([4, 64, undefined])('fills them (%s)', (runRows) => {
    const graph = indexed();
    bulkLoad(graph.store, { nodes, edges }, undefined, runRows);
    const { reader } = graph;
    expect(entries(reader)).toEqual([300, 300, 50, 250]);
    expect(found(reader, 'A', { text: `${LONG}7` })).toEqual([8]);
    expect(found(reader, 'B', { half: 'even', i: 6 })).toEqual([7]);
    graph.write((tx) => tx.addNode('B', { half: 'even', i: -1 }));
    const open = Graph.open(graph.pager);
    expect(open.verifyIntegrity().errors).toEqual([]);
    expect(open.reader.propertyIndexes()).toHaveLength(4);
    graph.pager.close();
  });

  test.each([
    ['a number', { i: 5, text: 'other' }],
    ['a long text', { i: 1000, text: `${LONG}5` }],
  ])('refuses what is not unique, and loads nothing: %s', (_name, properties) => {
    const graph = indexed();
    const source = { nodes: [...nodes, { labels: 'A', properties }], edges };
    expect(errorOf(() => bulkLoad(graph.store, source, undefined))).toMatchObject({
      code: 'SOMBRA_UNIQUE',
      details: { id: 6, refused: 301 },
    });
    expect([graph.reader.nodeCount(), entries(graph.reader)]).toEqual([0, [0, 0, 0, 0]]);
    bulkLoad(graph.store, { nodes, edges }, undefined);
    expect(Graph.open(graph.pager).verifyIntegrity().errors).toEqual([]);
    graph.pager.close();
  });
});

test('a bulk load refuses equal lists in a unique index, among others that differ', () => {
  const load = (text: (i: number) => PropertyValue): unknown => {
    const graph = new StoreGraph(Pager.open({ vfs: new MemoryVfs(), ...SMALL, cacheSize: 200 }));
    createIndex(graph.store, 'node', 'A', 'text', { unique: true });
    const nodes = Array.from({ length: 5000 }, (_, i) => ({ labels: 'A', properties: { text: text(i) } }));
    const error = errorOf(() => bulkLoad(graph.store, { nodes, edges: [] }, undefined));
    graph.pager.close();
    return error;
  };
  expect(load((i) => [i])).toMatchObject({ message: 'no error' });
  expect(load((i) => [i % 4999])).toMatchObject({ code: 'SOMBRA_UNIQUE', details: { id: 1, refused: 5000 } });
  expect(load((i) => ({ i: i % 4000, big: 2n ** 60n + 1n }))).toMatchObject({
    code: 'SOMBRA_UNIQUE',
    message: expect.stringContaining('1152921504606846977'),
  });
});

describe('damage', () => {
  function damaged(change: (tree: BTree, tx: ReturnType<Pager['begin']>) => void): readonly string[] {
    const db = new OpenGraph({ cacheSize: 32 });
    db.graph.createPropertyIndex('A', 'x', { unique: true });
    db.graph.createEdgePropertyIndex('T', 'x');
    db.write((tx) => {
      for (let x = 0; x < 20; x += 1) tx.addNode('A', { x });
      tx.addNode('B', { x: 1 });
      tx.addEdge(1, 2, 'T', { x: 1 });
    });
    const tx = db.pager.begin();
    change(BTree.open(tx.view, 'index-1')!, tx);
    tx.commit();
    const { errors, indexErrors } = db.graph.verifyIntegrity();
    expect(indexErrors).toBe(errors.length);
    db.pager.close();
    return errors;
  }
  const key = (x: number, id: number): Uint8Array => {
    const bytes = Buffer.alloc(17);
    bytes[0] = 0x20;
    bytes.writeDoubleBE(x, 1);
    bytes[1] = bytes[1]! ^ 0x80;
    bytes.writeUInt16BE(0x8000, 9);
    bytes.writeUIntBE(id, 11, 6);
    return bytes;
  };
  const put = (tree: BTree, tx: ReturnType<Pager['begin']>, bytes: Uint8Array, value = new Uint8Array(0)): void =>
    tree.put(tx, bytes, bytes.length, value, 0, value.length);

  test('nothing is found in a sound index', () => {
    expect(damaged((tree, tx) => put(tree, tx, key(5, 6)))).toEqual([]);
  });

  test.each<[string, RegExp, (tree: BTree, tx: ReturnType<Pager['begin']>) => void]>([
    ['an entry that is missing', /entry of node 6 is missing/, (tree, tx) => tree.delete(tx, key(5, 6), 17)],
    [
      'an entry of a node that does not exist',
      /entry of node 999, which should not/,
      (tree, tx) => put(tree, tx, key(5, 999)),
    ],
    ['an entry of another label', /entry of node 21, which should not/, (tree, tx) => put(tree, tx, key(1, 21))],
    ['an entry with another value', /node 6 is not what its properties are/, (tree, tx) => put(tree, tx, key(77, 6))],
    ['a value behind an entry', /has a value/, (tree, tx) => put(tree, tx, key(5, 6), Uint8Array.of(1))],
    ['a key that is too short', /a key of 3 bytes/, (tree, tx) => put(tree, tx, Uint8Array.of(1, 2, 3))],
    [
      'an invalid definition',
      /definition of index 1/,
      (_tree, tx) => put(BTree.open(tx.view, 'dictionary')!, tx, nameKey(4, 1), Uint8Array.of(9)),
    ],
    [
      'a definition without a tree',
      /index 9 has no tree|counter says 2/,
      (_tree, tx) =>
        put(BTree.open(tx.view, 'dictionary')!, tx, nameKey(4, 9), Uint8Array.of(0x10, 1, 0, 0, 0, 0, 0, 0)),
    ],
    ['a counter that is too low', /counter says 1/, (_tree, tx) => tx.setCounter(COUNTER.indexVersion, 1)],
  ])('verify finds %s', (_name, message, change) => {
    expect(damaged(change).join('\n')).toMatch(message);
  });

  test('verify finds two nodes with one unique value', () => {
    const db = new OpenGraph({ cacheSize: 32 });
    db.graph.createPropertyIndex('A', 'x');
    db.write((tx) => {
      for (const x of [1, 2, 2, 'long'.repeat(30), 'long'.repeat(30), NaN, NaN, [1], [2], [1]]) tx.addNode('A', { x });
    });
    plant(db, ({ tx }) =>
      put(BTree.open(tx.view, 'dictionary')!, tx, nameKey(4, 1), Uint8Array.of(0x12, 1, 0, 0, 0, 0, 0, 0)),
    );
    db.reopen();
    expect(db.graph.verifyIntegrity().errors).toEqual([
      expect.stringContaining('node 2 and 3 have the same values'),
      expect.stringContaining('node 4 and 5 have the same values'),
      expect.stringContaining('node 8 and 10 have the same values'),
    ]);
    db.pager.close();
  });

  test('changed pages of indexes give rows that fulfil the question, or a CorruptionError, in finite time', () => {
    const random = new Random(suiteSeed(91));
    const specimen = new OpenGraph({ cacheSize: 64 });
    specimen.write((tx) => {
      for (let n = 0; n < 300; n += 1) tx.addNode('A', { n, t: `${'t'.repeat(n % 70)}${n}` });
    });
    specimen.graph.createPropertyIndex('A', 'n', { unique: true });
    specimen.graph.createPropertyIndex('A', ['t']);
    const pages: number[] = [];
    for (const name of ['index-1', 'index-2'])
      BTree.open(specimen.pager.view, name)!.check(specimen.pager.view, (page) => pages.push(page));
    specimen.pager.close();
    const image = specimen.image();
    const seen = { answers: 0, refused: 0, found: 0 };
    const runs = suiteRuns(250);
    for (let run = runs; run > 0; run -= 1) {
      const db = new OpenGraph({ cacheSize: 64, locking: 'single-process' }, image);
      const tx = db.pager.begin();
      for (let i = random.below(4); i >= 0; i -= 1) {
        const base = tx.edit(random.pick(pages));
        tx.setU8(base, 16 + random.below(random.chance(0.5) ? 100 : SMALL.pageSize - 16), random.below(256));
      }
      tx.commit();
      const attempt = (query: () => unknown): void => {
        try {
          query();
          seen.answers += 1;
        } catch (error) {
          if ((error as Error).name !== 'CorruptionError') throw error;
          seen.refused += 1;
        }
      };
      const { reader } = db;
      for (const n of [0, 7, 299])
        attempt(() => {
          for (const node of reader.findNodes({ label: 'A', where: { n } })) expect(node.properties['n']).toBe(n);
        });
      attempt(() => {
        for (const node of reader.findNodes({ label: 'A', where: { n: { between: [10, 40] } } }))
          expect(Math.abs((node.properties['n'] as number) - 25)).toBeLessThanOrEqual(15);
      });
      attempt(() => [...reader.findNodes({ label: 'A', orderBy: { key: 't', descending: true }, limit: 200 })]);
      attempt(() => [...reader.findNodes({ label: 'A', orderBy: 'n' })]);
      attempt(() => reader.countNodes({ label: 'A', where: { t: { startsWith: 'tt' } } }));
      attempt(() => reader.explainNodes({ label: 'A', where: { n: 5 } }));
      attempt(() => reader.propertyIndexes());
      attempt(() => db.write((write) => write.setNodeProperty(1 + random.below(300), 'n', -5)));
      if (!db.graph.verifyIntegrity().isClean) seen.found += 1;
      db.pager.close();
    }
    expect(seen.refused).toBeGreaterThan(runs / 12);
    expect(seen.answers).toBeGreaterThan(runs * 2);
    expect(seen.found).toBeGreaterThan(runs / 12);
  }, 60_000);
});
