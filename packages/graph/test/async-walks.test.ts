// Goal: the asynchronous searches give what the synchronous ones give, let others have their turn after every slice, and can be
// given up at every slice. Method: a random graph over several slices; a clock on which every slice is too long; a signal that
// aborts at its nth look, for every n until the call comes through.
import { Pager } from '@sombra/pager';
import { slowVfs } from '@sombra/vfs/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { type BfsOptions, Graph, type GraphReader } from '../src/index.ts';
import { CountingSignal, turnsDuring } from './support/pauses.ts';
import { Random, suiteSeed } from './support/random.ts';

const NODES = 5000;
/** Of a slice, as near-nodes.ts has it. */
const SLICE = 1024;

const random = new Random(suiteSeed(61));
const pager = Pager.open({ vfs: slowVfs(), path: 'g.db', pageSize: 4096, cacheSize: 64, maxTransactionPages: 1000 });
const graph = Graph.open(pager);
graph.bulkLoad({
  nodes: Array.from({ length: NODES }, () => ({ labels: 'N' })),
  edges: Array.from({ length: NODES * 3 }, (_, i) => ({
    source: i % NODES,
    target: random.below(NODES),
    type: i % 4 === 0 ? 'B' : 'A',
    properties: { w: 1 + random.below(5) },
  })),
});
const { reader } = graph;
afterAll(() => pager.close());

const WALKS: [string, BfsOptions][] = [
  ['all', {}],
  ['of one type', { type: 'A' }],
  ['both ways', { direction: 'both' }],
  ['against the edges, of two types', { direction: 'in', type: ['A', 'B'] }],
  ['in a band of depths', { minDepth: 3, maxDepth: 7 }],
  ['up to a limit', { limit: 2500 }],
  ['up to a limit behind a depth', { minDepth: 4, limit: 1500 }],
  ['nothing', { limit: 0 }],
  ['with a node filter', { nodeFilter: ({ id }) => id % 3 !== 0 }],
  ['with an edge filter', { edgeFilter: ({ properties }) => properties['w'] !== 1, limit: 2000, minDepth: 2 }],
];

describe.each(WALKS)('breadth first, %s', (_name, options) => {
  test('the same nodes, levels and sizes', async () => {
    for (const start of [1, 2, NODES, NODES + 1]) {
      expect(await reader.bfsAsync(start, options)).toEqual(reader.bfs(start, options));
      expect(await reader.bfsLevelsAsync(start, options)).toEqual(reader.bfsLevels(start, options));
      expect(await reader.levelsAsync(start, options)).toEqual(reader.levels(start, options));
    }
  });
});

test.each([
  ['by edges', {}],
  ['by edges, up to a depth', { maxDepth: 5 }],
  ['by edges, both ways, of one type', { direction: 'both', type: 'B' }],
  ['by weight', { weight: 'w' }],
  ['by weight, up to a cost', { weight: 'w', maxCost: 12 }],
] as const)('paths and distances %s', async (_name, options) => {
  expect(await reader.distancesAsync(1, options)).toEqual(reader.distances(1, options));
  expect(await reader.distancesAsync(1, { ...options, limit: 70 })).toEqual(
    reader.distances(1, { ...options, limit: 70 }),
  );
  for (let i = 0; i < 40; i += 1) {
    const [from, to] = [1 + random.below(NODES), 1 + random.below(NODES)];
    expect(await reader.shortestPathAsync(from, to, options)).toEqual(reader.shortestPath(from, to, options));
  }
  expect(await reader.shortestPathAsync(1, NODES + 1, options)).toBeUndefined();
  expect(await reader.shortestPathAsync(1, 1, options)).toEqual(reader.shortestPath(1, 1, options));
});

const CALLS: Record<string, (signal: CountingSignal) => Promise<unknown>> = {
  bfs: (signal) => reader.bfsAsync(1, { signal }),
  'bfs with a filter': (signal) => reader.bfsAsync(1, { signal, nodeFilter: () => true }),
  bfsLevels: (signal) => reader.bfsLevelsAsync(1, { signal }),
  levels: (signal) => reader.levelsAsync(1, { signal }),
  'shortestPath by edges': (signal) => reader.shortestPathAsync(1, NODES, { signal, type: 'A' }),
  'shortestPath by weight': (signal) => reader.shortestPathAsync(1, NODES, { signal, weight: 'w' }),
  distances: (signal) => reader.distancesAsync(1, { signal }),
  'distances by weight': (signal) => reader.distancesAsync(1, { signal, weight: 'w' }),
};

test.each(Object.entries(CALLS))('%s can be given up at every look, and leaves nothing held', async (name, call) => {
  const expected = await call(new CountingSignal());
  let aborts = 0;
  for (let at = 1; ; at += 1) {
    const signal = new CountingSignal(at);
    const outcome = await call(signal).then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    );
    expect(pager.stats().snapshots).toBe(0);
    if ('result' in outcome) {
      expect(outcome.result).toEqual(expected);
      break;
    }
    aborts += 1;
    expect(outcome.error).toMatchObject({ code: 'SOMBRA_ABORTED', cause: signal.reason });
  }
  expect(aborts).toBeGreaterThan(name === 'shortestPath by edges' ? 0 : 4);
});

test('others have a turn after every slice', async () => {
  const { turns, result } = await turnsDuring(reader.bfsLevelsAsync(1));
  const reached = result.reduce((sum, size) => sum + size, 0);
  expect(reached).toBeGreaterThan(4 * SLICE);
  expect(turns).toBeGreaterThanOrEqual(Math.floor(reached / SLICE) - 1);
});

test('two at once, with synchronous ones in between, do not disturb each other', async () => {
  const expected = [reader.bfs(1), reader.bfs(2, { direction: 'in' }), reader.bfs(3, { type: 'B' })] as const;
  const running = Promise.all([reader.bfsAsync(1), reader.bfsAsync(2, { direction: 'in' })]);
  const { result, turns } = await turnsDuring(running, () => {
    expect(reader.bfs(3, { type: 'B' })).toEqual(expected[2]);
    expect(reader.neighbors(1, { distinct: true }).length).toBeGreaterThan(0);
  });
  expect(turns).toBeGreaterThan(2);
  expect(result).toEqual([expected[0], expected[1]]);
});

test('it sees the commit that it began with, whatever is written meanwhile', async () => {
  const before = reader.bfs(1);
  const { result } = await turnsDuring(reader.bfsAsync(1), (turn) => {
    const tx = graph.begin();
    tx.addEdge(1, tx.addNode('New'), 'A');
    if (turn % 2 === 0) tx.rollback();
    else tx.commit();
  });
  expect(result).toEqual(before);
  expect(reader.nodeCount('New')).toBeGreaterThan(0);
});

test('what a filter throws ends it, and what is asked wrongly is a rejection', async () => {
  const wrong = new Error('no');
  const nodeFilter = ({ id }: { id: number }): boolean => {
    if (id % 500 === 0) throw wrong;
    return true;
  };
  await expect(reader.bfsAsync(1, { nodeFilter })).rejects.toBe(wrong);
  for (const call of [
    (r: GraphReader) => r.bfsAsync(0),
    (r: GraphReader) => r.shortestPathAsync(1, -1),
    (r: GraphReader) => r.distancesAsync(Number.NaN),
  ])
    await expect(call(reader)).rejects.toMatchObject({ code: 'SOMBRA_ID_RANGE' });
  await expect(reader.levelsAsync(1, { depth: 2 } as BfsOptions)).rejects.toMatchObject({
    code: 'SOMBRA_OPTION',
    message: expect.stringContaining('levelsAsync') as string,
  });
  expect(pager.stats().snapshots).toBe(0);
});

test('in a transaction it has read everything when it returns', async () => {
  const tx = graph.begin();
  const added = tx.addNode('T');
  tx.addEdge(1, added, 'A');
  const running = tx.bfsLevelsAsync(1, { maxDepth: 1 });
  tx.rollback();
  expect(await running).toEqual([1, reader.neighbors(1, { distinct: true }).length + 1]);
});

test('a close in between ends it', async () => {
  const own = Pager.open({ vfs: slowVfs(), path: 'c.db' });
  const other = Graph.open(own);
  other.bulkLoad({
    nodes: Array.from({ length: NODES }, () => ({ labels: 'N' })),
    edges: Array.from({ length: NODES - 1 }, (_, i) => ({ source: i >> 1, target: i + 1, type: 'T' })),
  });
  for (const call of [other.reader.bfsAsync(1), other.reader.distancesAsync(1, {})]) {
    setImmediate(() => own.close());
    await expect(call).rejects.toMatchObject({ code: 'SOMBRA_CLOSED' });
  }
});
