// Goal: a read that fails while a connection takes up names that another one has committed changes nothing: the call ends with a
// typed error or the right answer, the next call gives the right answer, and no new name gets the number of another.
// Method: an old graph of many names, opened by two connections. The second commits names that need several pages; then each
// read of the first fails in turn, once and for ever, while it asks, begins, loads or indexes. Afterwards the disk is well again.
import { Pager } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import { FaultyVfs } from '@sombra/vfs/testing';
import { afterAll, expect, test } from 'vitest';
import { Graph, type GraphReader } from '../src/index.ts';
import { OpenGraph, SMALL } from './support/open.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const long = (name: string, i: number): string => `${name} ${i} ${'x'.repeat(180)}`;
const NAMES = 60; // of one kind: some twelve kilobytes, three pages

/** Bytes of a file whose dictionary has several pages already. */
const IMAGE = ((): Uint8Array => {
  const db = new OpenGraph({ cacheSize: 64 });
  db.write((tx) => {
    const old = tx.addNode('Old', Object.fromEntries(Array.from({ length: NAMES }, (_, i) => [long('old', i), i])));
    tx.addEdge(old, old, 'OLD');
  });
  db.pager.close();
  return db.image();
})();

interface Two {
  readonly faulty: FaultyVfs;
  readonly one: Graph;
  readonly two: Graph;
}

/** Two connections; the first has not seen what the second has committed. */
async function behind(): Promise<Two> {
  const vfs = new MemoryVfs();
  vfs.open(SMALL.path, { write: true, create: true }).pwrite([IMAGE], 0);
  const faulty = new FaultyVfs(vfs);
  const [one, two] = [faulty, vfs].map((each) => Graph.open(Pager.open({ ...SMALL, vfs: each, cacheSize: 64 }))) as [
    Graph,
    Graph,
  ];
  expect(one.reader.nodeCount('Old')).toBe(1);
  await nextTurn();
  const tx = two.begin();
  const node = tx.addNode('New', Object.fromEntries(Array.from({ length: NAMES }, (_, i) => [long('new', i), i])));
  tx.addEdge(1, node, 'NEW', { weight: 2 });
  tx.commit();
  await nextTurn();
  return { faulty, one, two };
}

/** What the first connection does when it has heard of nothing yet: always by a name that is new to it. */
const ASKED: readonly (readonly [string, (graph: Graph) => unknown, unknown])[] = [
  ['nodeCount', ({ reader }) => reader.nodeCount('New'), 1],
  ['edgeCount', ({ reader }) => reader.edgeCount('NEW'), 1],
  ['degree', ({ reader }) => reader.degree(1, { type: 'NEW' }), 1],
  ['neighbors', ({ reader }) => reader.neighbors(1, { type: 'NEW' }), [2]],
  ['edgesOf', ({ reader }) => reader.edgesOf(1, { type: 'NEW' }).map(({ id }) => id), [2]],
  ['edgesBetween', ({ reader }) => reader.edgesBetween(1, 2, { type: 'NEW' }).map(({ id }) => id), [2]],
  ['expand', ({ reader }) => reader.expand(1, { type: 'NEW' }).map(({ node }) => node.labels), [['New']]],
  ['getNodeProperty', ({ reader }) => reader.getNodeProperty(2, long('new', NAMES - 1)), NAMES - 1],
  ['getNode', ({ reader }) => reader.getNode(2)?.labels, ['New']],
  ['nodeIds', ({ reader }) => [...reader.nodeIds('New')], [2]],
  [
    'find',
    ({ reader }) => [...reader.findNodes({ label: 'New', where: { [long('new', 5)]: 5 } })].map(({ id }) => id),
    [2],
  ],
  ['count', ({ reader }) => reader.countNodes({ where: { [long('new', 7)]: { gt: 6 } } }), 1],
  ['labels', ({ reader }) => reader.labels(), ['Old', 'New']],
  ['labelCounts', ({ reader }) => reader.labelCounts().map(({ count }) => count), [1, 1]],
  ['bfs', ({ reader }) => reader.bfs(1, { type: 'NEW' }).length, 2],
  ['shortestPath', ({ reader }) => reader.shortestPath(1, 2, { type: 'NEW' })?.length, 1],
  ['weighted path', ({ reader }) => reader.shortestPath(1, 2, { type: 'NEW', weight: 'weight' })?.weight, 2],
  ['distances', ({ reader }) => reader.distances(1, { type: 'NEW' }).length, 2],
  ['kHop', ({ reader }) => reader.kHop(1, 1, { type: 'NEW' }), [2]],
  [
    'degreeDistribution',
    ({ reader }) => reader.degreeDistribution({ label: 'New', direction: 'in' }),
    [{ degree: 1, nodes: 1 }],
  ],
  ['a snapshot', (graph) => usingSnapshot(graph, (reader) => reader.nodeCount('New')), 1],
  ['stats', (graph) => [graph.stats().labels, graph.stats().propertyKeys], [2, 2 * NAMES + 1]],
  ['verify', (graph) => graph.verifyIntegrity().errors, []],
];

/** One of each way to a view: the implicit one, a snapshot, one that an iterator takes. */
const SWEPT = ['degree', 'getNodeProperty', 'find', 'a snapshot'];

function usingSnapshot<T>(graph: Graph, read: (reader: GraphReader) => T): T {
  const snapshot = graph.snapshot();
  try {
    return read(snapshot);
  } finally {
    snapshot.release();
  }
}

/** Calls that give numbers to new names. They are not undone: what they leave is checked. */
const WRITTEN: readonly (readonly [string, (graph: Graph) => unknown])[] = [
  [
    'a transaction',
    (graph) => {
      const tx = graph.begin();
      try {
        tx.addEdge(tx.addNode('Third', { third: 1 }), 1, 'THIRD');
        tx.commit();
      } finally {
        tx.rollback();
      }
    },
  ],
  ['createPropertyIndex', (graph) => graph.createPropertyIndex('Third', 'third')],
  ['createEdgePropertyIndex', (graph) => graph.createEdgePropertyIndex('NEW', 'weight')],
  ['bulkLoad', (graph) => graph.bulkLoad({ nodes: [{ labels: 'Third' }], edges: [] })],
];

/** Both connections know the same names, none twice, and new ones get numbers of their own. */
async function agree({ one, two }: Two): Promise<void> {
  const tx = one.begin();
  tx.addEdge(tx.addNode('Last', { last: 1 }), 2, 'LAST');
  tx.commit();
  await nextTurn();
  expect(two.reader.countNodes({ label: 'Last', where: { last: 1 } })).toBe(1);
  for (const { reader } of [one, two])
    for (const names of [reader.labels(), reader.edgeTypes(), reader.propertyKeys()])
      expect(new Set(names).size).toBe(names.length);
  expect(one.reader.labels()).toEqual(two.reader.labels());
  expect(one.reader.propertyKeys()).toEqual(two.reader.propertyKeys());
  expect(one.reader.propertyKeys().slice(0, 2 * NAMES)).toEqual(
    ['old', 'new'].flatMap((name) => Array.from({ length: NAMES }, (_, i) => long(name, i))),
  );
  const own = two.reader.getNode(2)!;
  expect([own.labels, Object.keys(own.properties).length]).toEqual([['New'], NAMES]);
  expect(two.verifyIntegrity().errors).toEqual([]);
  one.pager.close();
  two.pager.close();
}

let failures = 0;

/** Fails the nth read of a call until there is none left. @param call  @returns what is left to say, when it did not fail */
async function sweep(call: (graph: Graph) => void, again: (graph: Graph) => void): Promise<void> {
  for (const sticky of [false, true]) {
    for (let nth = 1; ; nth += 1) {
      const both = await behind();
      both.faulty.add({ op: 'pread', nth, action: 'EIO', sticky });
      let refused: unknown;
      try {
        call(both.one);
      } catch (error) {
        refused = error;
      }
      const { failed } = both.faulty;
      both.faulty.heal();
      if (refused !== undefined) {
        expect((refused as { code?: string }).code, `read ${nth}: ${String(refused)}`).toMatch(/^SOMBRA_/);
        failures += 1;
        again(both.one);
      }
      await agree(both);
      if (failed.length === 0) break;
    }
  }
}

test.each(ASKED)('%s: the first question of a turn may be by a brand-new name', async (_name, ask, answer) => {
  const both = await behind();
  expect(ask(both.one)).toEqual(answer);
  await agree(both);
});

for (const [name, ask, answer] of ASKED.filter(([name]) => SWEPT.includes(name))) {
  test(`${name}: each read of the first question fails once`, async () => {
    const right = (graph: Graph): void => expect(ask(graph)).toEqual(answer);
    await sweep(right, right);
  });
}

for (const [name, write] of WRITTEN) {
  test(`${name}: each read fails once, and no name takes the number of another`, async () => {
    await sweep(
      (graph) => write(graph),
      (graph) => {
        try {
          write(graph);
        } catch (error) {
          expect((error as { code?: string }).code).toBe('SOMBRA_BULK_NOT_EMPTY');
        }
      },
    );
  });
}

afterAll(() => {
  expect(failures).toBeGreaterThan(100);
});
