// Goal: long calls end when they are told to, memory stays within its limit, hostile options are refused before anything runs,
// and every kind of reader has its own view. Method: signals aborted before, between turns and by predicates; a clock that a
// test turns; limits just below and above what is needed; tables of bad options; transactions and snapshots beside each other.
import { CorruptionError, MemoryVfs } from '@sombra/vfs';
import { describe, expect, test } from 'vitest';
import { Graph, type GraphReader } from '../src/index.ts';
import { Pager } from '@sombra/pager';
import { Filters } from '../src/traversal/walk-options.ts';
import { NodeMarks } from '../src/traversal/node-marks.ts';
import { COUNTER } from '../src/model/counters.ts';
import { codeOf } from './support/errors.ts';
import { OpenGraph, withGraph } from './support/open.ts';
import { Random, suiteSeed } from './support/random.ts';

type Options = Record<string, unknown>;
/** Every call that takes `signal` and `timeoutMs`, on nodes 1 and 2. */
const LONG: Record<string, (reader: GraphReader, options: Options) => unknown> = {
  bfs: (reader, options) => reader.bfs(1, options),
  'bfs with a predicate': (reader, options) => reader.bfs(1, { ...options, nodeFilter: () => true }),
  bfsLevels: (reader, options) => reader.bfsLevels(1, options),
  levels: (reader, options) => reader.levels(1, options),
  dfs: (reader, options) => reader.dfs(1, options),
  kHop: (reader, options) => reader.kHop(1, 1_000_000, options),
  'kHop by walks': (reader, options) => reader.kHop(1, 1_000_000, { ...options, mode: 'walk' }),
  paths: (reader, options) => [...reader.paths(1, undefined, options)],
  'paths to a node': (reader, options) => [...reader.paths(1, 2, { ...options, unique: 'nodes' })],
  shortestPath: (reader, options) => reader.shortestPath(2, 1, options),
  'shortestPath by weight': (reader, options) => reader.shortestPath(2, 1, { ...options, weight: 'w' }),
  allShortestPaths: (reader, options) => [...reader.allShortestPaths(1, 2, options)],
  distances: (reader, options) => reader.distances(1, options),
  'distances by weight': (reader, options) => reader.distances(1, { ...options, weight: 'w' }),
};
const WHOLE: Record<string, (reader: GraphReader, options: Options) => unknown> = {
  kShortestPaths: (reader, options) => reader.kShortestPaths(1, 2, 1_000_000, options),
  components: (reader, options) => reader.components(options),
  'components, strong': (reader, options) => reader.components({ ...options, kind: 'strong' }),
  triangles: (reader, options) => reader.triangles(options),
  clustering: (reader, options) => reader.clustering(options),
  pageRank: (reader, options) => reader.pageRank(options),
  degreeDistribution: (reader, options) => reader.degreeDistribution(options),
  topologicalOrder: (reader, options) => reader.topologicalOrder(options),
  findCycle: (reader, options) => reader.findCycle(options),
};
const TWINS: Record<string, (reader: GraphReader, options: Options) => Promise<unknown>> = {
  bfs: (reader, options) => reader.bfsAsync(1, options),
  'bfs with a predicate': (reader, options) => reader.bfsAsync(1, { ...options, nodeFilter: () => true }),
  bfsLevels: (reader, options) => reader.bfsLevelsAsync(1, options),
  levels: (reader, options) => reader.levelsAsync(1, options),
  'shortestPath by weight': (reader, options) => reader.shortestPathAsync(1, 2900, { ...options, weight: 'w' }),
  distances: (reader, options) => reader.distancesAsync(1, options),
  'distances by weight': (reader, options) => reader.distancesAsync(1, { ...options, weight: 'w' }),
  kShortestPaths: (reader, options) => reader.kShortestPathsAsync(1, 2, 1_000_000, options),
  components: (reader, options) => reader.componentsAsync(options),
  'components, strong': (reader, options) => reader.componentsAsync({ ...options, kind: 'strong' }),
  triangles: (reader, options) => reader.trianglesAsync(options),
  clustering: (reader, options) => reader.clusteringAsync(options),
  pageRank: (reader, options) => reader.pageRankAsync(options),
  degreeDistribution: (reader, options) => reader.degreeDistributionAsync(options),
  topologicalOrder: (reader, options) => reader.topologicalOrderAsync(options),
  findCycle: (reader, options) => reader.findCycleAsync(options),
};

const NODES = 3000;

/** A random graph; from every 10th node an edge comes back to node 1 or 2, so there are very many ways between them. */
function filled(vfs = new MemoryVfs()): { graph: Graph; pager: Pager } {
  const random = new Random(suiteSeed(51));
  const pager = Pager.open({ vfs, path: 'g.db', pageSize: 4096, cacheSize: 64, maxTransactionPages: 1000 });
  const graph = Graph.open(pager);
  graph.bulkLoad({
    nodes: Array.from({ length: NODES }, () => ({ labels: 'N' })),
    edges: Array.from({ length: NODES * 6 }, (_, i) => ({
      source: i % NODES,
      target: i % 10 === 7 ? random.below(2) : random.below(NODES),
      type: 'T',
      properties: { w: 1 + random.below(5) },
    })),
  });
  return { graph, pager };
}

/** A vfs in memory whose clock each look at moves. */
function vfsWithClock(look: (now: number) => number): { vfs: MemoryVfs; turn: (ms: number) => void } {
  const vfs = new MemoryVfs();
  let now = 1_000;
  const env = Object.create(vfs.env, { monotonicMs: { value: () => (now = look(now)) } }) as typeof vfs.env;
  Object.defineProperty(vfs, 'env', { value: env });
  return { vfs, turn: (ms) => void (now += ms) };
}

describe('a call ends', () => {
  const { graph, pager } = filled();
  const { reader } = graph;
  const reason = new Error('enough');

  test.each(Object.entries(LONG))('%s: after its time, and at an aborted signal', (_name, call) => {
    const aborted = { code: 'SOMBRA_ABORTED', name: 'StateError' };
    expect(() => call(reader, { timeoutMs: 0 })).toThrow(expect.objectContaining(aborted));
    expect(() => call(reader, { signal: AbortSignal.abort(reason) })).toThrow(
      expect.objectContaining({ ...aborted, cause: reason }),
    );
    expect(pager.stats().snapshots).toBe(0);
  });

  test.each(Object.entries(WHOLE))('%s: after its time, and at an aborted signal', (_name, call) => {
    expect(codeOf(() => call(reader, { timeoutMs: 0 }))).toBe('SOMBRA_ABORTED');
    expect(() => call(reader, { signal: AbortSignal.abort(reason) })).toThrow(
      expect.objectContaining({ code: 'SOMBRA_ABORTED', cause: reason }),
    );
    expect(pager.stats().snapshots).toBe(0);
  });

  test.each(Object.entries(TWINS))('the asynchronous %s: at a signal that another turn aborts', async (_name, call) => {
    // Each look at this clock takes so long that every slice is followed by a turn of the event loop.
    const slow = filled(vfsWithClock((now) => now + 10).vfs);
    const controller = new AbortController();
    const running = call(slow.graph.reader, { signal: controller.signal });
    setImmediate(() => controller.abort(reason));
    await expect(running).rejects.toMatchObject({ code: 'SOMBRA_ABORTED', cause: reason });
    expect(slow.pager.stats().snapshots).toBe(0);
    await expect(call(reader, { signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
      code: 'SOMBRA_ABORTED',
      cause: reason,
    });
    slow.pager.close();
  });

  test('the ones that take long are aborted in their middle by a signal', async () => {
    const controller = new AbortController();
    const endless = { tolerance: Number.MIN_VALUE, maxIterations: Infinity, damping: 1 };
    const slow = filled(vfsWithClock((now) => now + 10).vfs); // every look ends a slice
    const running = slow.graph.reader.pageRankAsync({ ...endless, signal: controller.signal });
    let turns = 0;
    const turn = (): void => {
      turns += 1;
      if (turns === 5) controller.abort();
      else setImmediate(turn);
    };
    setImmediate(turn);
    await expect(running).rejects.toMatchObject({ code: 'SOMBRA_ABORTED' });
    expect(turns).toBe(5);
    expect(slow.pager.stats().snapshots).toBe(0);
    slow.pager.close();
  });

  test('the ones that take long are aborted in their middle by their time', async () => {
    const slow = filled(vfsWithClock((now) => now + 10).vfs);
    const { reader: late } = slow.graph;
    const endless = { tolerance: Number.MIN_VALUE, maxIterations: Infinity, damping: 1 };
    expect(codeOf(() => late.pageRank({ ...endless, timeoutMs: 20 }))).toBe('SOMBRA_ABORTED');
    expect(codeOf(() => late.kHop(1, Number.MAX_SAFE_INTEGER, { mode: 'walk', timeoutMs: 20 }))).toBe('SOMBRA_ABORTED');
    expect(codeOf(() => [...late.paths(1, 2, { timeoutMs: 20, nodeFilter: ({ id }) => id !== 2 })])).toBe(
      'SOMBRA_ABORTED',
    );
    await expect(late.kShortestPathsAsync(1, 2, 1e9, { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'SOMBRA_ABORTED',
    });
    expect(slow.pager.stats().snapshots).toBe(0);
    slow.pager.close();
  });

  // Those that meet more than a thousand nodes here; the first look, before they begin, still finds time left.
  test.each(Object.entries(LONG).filter(([name]) => !/shortest|paths to/i.test(name)))(
    '%s: in its middle',
    (_name, call) => {
      let looks = 0;
      const { vfs } = vfsWithClock((now) => {
        looks += 1;
        return now + 10;
      });
      const slow = filled(vfs);
      looks = 0;
      expect(codeOf(() => call(slow.graph.reader, { timeoutMs: 15 }))).toBe('SOMBRA_ABORTED');
      expect(looks).toBeGreaterThan(2);
      slow.pager.close();
    },
  );

  test('when a predicate aborts its signal', () => {
    const controller = new AbortController();
    let asked = 0;
    const nodeFilter = (): boolean => {
      asked += 1;
      if (asked === 10) controller.abort(reason);
      return true;
    };
    expect(() => reader.bfs(1, { nodeFilter, signal: controller.signal })).toThrow(
      expect.objectContaining({ code: 'SOMBRA_ABORTED', cause: reason }),
    );
    expect(asked).toBeLessThan(NODES);
  });

  test('when a signal does not abort, the result is there', async () => {
    const { signal } = new AbortController();
    expect(await reader.trianglesAsync({ signal, timeoutMs: 600_000 })).toEqual(reader.triangles());
    expect(reader.bfs(1, { signal, timeoutMs: Infinity })).toEqual(reader.bfs(1));
  });
});

describe('memory', () => {
  const { graph } = filled();

  test.each(Object.entries(WHOLE).filter(([name]) => name !== 'kShortestPaths'))(
    '%s stays within its limit',
    (_name, call) => {
      const refused = codeOf(() => call(graph.reader, { maxMemoryMb: 0.02 }));
      expect(refused).toBe('SOMBRA_MEMORY_LIMIT');
      expect(['no error', 'SOMBRA_CYCLE']).toContain(codeOf(() => call(graph.reader, { maxMemoryMb: 1 })));
    },
  );

  // What the README says: bytes per node, bytes per edge.
  test.each<[string, (reader: GraphReader, options: Options) => unknown, number, number]>([
    ['components', (r, o) => r.components({ ...o, type: 'none' }), 28, 0],
    ['strong components', (r, o) => r.components({ ...o, kind: 'strong' }), 52, 4],
    ['pageRank', (r, o) => r.pageRank(o), 36, 4],
    ['pageRank both ways', (r, o) => r.pageRank({ ...o, direction: 'both' }), 36, 8],
    ['triangles', (r, o) => r.triangles(o), 36, 8],
    ['clustering', (r, o) => r.clustering(o), 36, 8],
    ['topologicalOrder', (r, o) => r.topologicalOrder(o), 32, 4],
    ['findCycle', (r, o) => r.findCycle(o), 28, 4],
    ['degreeDistribution', (r, o) => r.degreeDistribution(o), 12, 0],
  ])('%s takes what is written', (_name, call, perNode, perEdge) => {
    const db = new OpenGraph({ cacheSize: 64, maxTransactionPages: 1000 });
    db.graph.bulkLoad({
      nodes: Array.from({ length: NODES }, () => ({ labels: [] })),
      edges: Array.from({ length: NODES * 5 }, (_, i) => ({
        source: Math.floor(i / 5),
        target: Math.min(NODES - 1, Math.floor(i / 5) + 1 + (i % 5)),
        type: 'T',
      })),
    });
    db.write((tx) => tx.deleteEdge(NODES * 5)); // the last node's edges lead to itself
    for (const edge of db.reader.edgeIdsOf(NODES)) db.write((tx) => tx.deleteEdge(edge));
    const needed = NODES * perNode + db.reader.edgeCount() * perEdge;
    const mb = (bytes: number): { maxMemoryMb: number } => ({ maxMemoryMb: bytes / (1024 * 1024) });
    expect(codeOf(() => call(db.reader, mb(needed * 1.01)))).toBe('no error');
    expect(codeOf(() => call(db.reader, mb(needed * 0.97)))).toBe('SOMBRA_MEMORY_LIMIT');
    db.pager.close();
  });

  test('the error says how much was asked for', () => {
    withGraph({}, (db) => {
      db.write((tx) => tx.addNode('N'));
      expect(codeOf(() => db.reader.triangles({ maxMemoryMb: 1e-9 }))).toBe('SOMBRA_MEMORY_LIMIT');
      expect(() => db.reader.components({ maxMemoryMb: 1e-9 })).toThrow(
        expect.objectContaining({ name: 'DataError', details: { bytes: 8 } }),
      );
    });
  });
});

describe('hostile options', () => {
  const BAD: Options[] = [
    { signal: 5 },
    { signal: null },
    { signal: {} },
    { timeoutMs: -1 },
    { timeoutMs: NaN },
    { timeoutMs: '5' },
    { type: 5 },
    { type: [5] },
    { unknown: 1 },
    { __proto__: null, signal: 'x' },
  ];
  const BAD_WHOLE: Options[] = [
    { maxMemoryMb: 0 },
    { maxMemoryMb: NaN },
    { maxMemoryMb: '1' },
    { label: 5 },
    { label: null },
  ];
  const BAD_WALK: Options[] = [
    { direction: 'up' },
    { limit: -1 },
    { limit: 1.5 },
    { minDepth: -1 },
    { minDepth: NaN },
    { maxDepth: '3' },
    { nodeFilter: 5 },
    { edgeFilter: {} },
    { nodeFilter: null },
  ];
  const db = new OpenGraph();
  db.write((tx) => tx.addEdge(tx.addNode('N'), tx.addNode('N'), 'T', { w: 1 }));
  const { reader } = db;

  test.each(Object.entries({ ...LONG, ...WHOLE }))('%s refuses invalid options', (_name, call) => {
    for (const options of BAD)
      expect([options, codeOf(() => call(reader, options))]).toEqual([options, 'SOMBRA_OPTION']);
    expect(codeOf(() => call(reader, { sginal: undefined }))).toBe('SOMBRA_OPTION');
  });

  test.each(Object.entries(WHOLE).filter(([name]) => name !== 'kShortestPaths'))(
    '%s refuses parts that make no sense',
    (_name, call) => {
      for (const options of BAD_WHOLE)
        expect([options, codeOf(() => call(reader, options))]).toEqual([options, 'SOMBRA_OPTION']);
    },
  );

  test.each(Object.entries(TWINS))('the asynchronous %s rejects them', async (_name, call) => {
    for (const options of BAD) {
      const promise = call(reader, options);
      await expect(promise).rejects.toMatchObject({ code: 'SOMBRA_OPTION' });
    }
  });

  test.each(['bfs', 'bfsLevels', 'levels', 'dfs'] as const)('%s refuses bad bounds and predicates', (name) => {
    for (const options of BAD_WALK)
      expect([options, codeOf(() => reader[name](1, options))]).toEqual([options, 'SOMBRA_OPTION']);
    for (const options of [null, 'all', 7] as unknown as Options[])
      expect(codeOf(() => reader[name](1, options))).toBe('SOMBRA_OPTION');
  });

  test.each<[string, (r: GraphReader) => unknown]>([
    ['dfs order', (r) => r.dfs(1, { order: 'in' } as unknown as Options)],
    ['paths minLength', (r) => [...r.paths(1, 2, { minLength: -1 })]],
    ['paths maxLength', (r) => [...r.paths(1, 2, { maxLength: 0.5 })]],
    ['paths unique', (r) => [...r.paths(1, 2, { unique: 'all' } as unknown as Options)]],
    ['paths distinct', (r) => [...r.paths(1, 2, { distinct: 1 } as unknown as Options)]],
    ['paths limit', (r) => [...r.paths(1, 2, { limit: NaN })]],
    ['allShortestPaths weight', (r) => [...r.allShortestPaths(1, 2, { weight: 'w' } as unknown as Options)]],
    ['allShortestPaths distinct', (r) => [...r.allShortestPaths(1, 2, { distinct: 'no' } as unknown as Options)]],
    ['k missing', (r) => r.kShortestPaths(1, 2, undefined as unknown as number)],
    ['k negative', (r) => r.kShortestPaths(1, 2, -1)],
    ['k no number', (r) => r.kShortestPaths(1, 2, '3' as unknown as number)],
    ['weight no name', (r) => r.distances(1, { weight: 5 } as unknown as Options)],
    ['weight with maxDepth', (r) => r.distances(1, { weight: 'w', maxDepth: 3 })],
    ['maxCost without weight', (r) => r.shortestPath(1, 2, { maxCost: 3 })],
    ['maxCost negative', (r) => r.shortestPath(1, 2, { weight: 'w', maxCost: -1 })],
    ['maxCost NaN', (r) => r.kShortestPaths(1, 2, 2, { weight: 'w', maxCost: NaN })],
    ['distances limit', (r) => r.distances(1, { limit: -1 })],
    ['components kind', (r) => r.components({ kind: 'odd' } as unknown as Options)],
    ['damping', (r) => r.pageRank({ damping: 1.1 })],
    ['damping NaN', (r) => r.pageRank({ damping: NaN })],
    ['tolerance', (r) => r.pageRank({ tolerance: -1 })],
    ['maxIterations', (r) => r.pageRank({ maxIterations: -1 })],
    ['an endless run', (r) => r.pageRank({ maxIterations: Infinity, tolerance: 0 })],
    ['an order both ways', (r) => r.topologicalOrder({ direction: 'both' } as unknown as Options)],
    ['degrees upwards', (r) => r.degreeDistribution({ direction: 'up' } as unknown as Options)],
    ['expand with a property', (r) => r.expand(1, { label: 'N' } as unknown as Options)],
  ])('%s', (_name, call) => {
    expect(codeOf(() => call(reader))).toBe('SOMBRA_OPTION');
  });

  test.each([0, -1, 1.5, NaN, '1', null, undefined, 2 ** 48])('a node %s is none', (id) => {
    const bad = id as number;
    for (const call of [
      () => reader.dfs(bad),
      () => reader.levels(bad),
      () => reader.expand(bad),
      () => [...reader.paths(bad)],
      () => [...reader.allShortestPaths(1, bad)],
      () => reader.kShortestPaths(bad, 1, 1),
      () => reader.distances(bad),
    ])
      expect(codeOf(call)).toBe('SOMBRA_ID_RANGE');
  });
});

describe('every reader has its own view', () => {
  test('transactions see their own writes, snapshots and iterators do not', async () => {
    const db = new OpenGraph();
    db.write((tx) => {
      for (let i = 0; i < 3; i += 1) tx.addNode('N');
      tx.addEdge(1, 2, 'T');
      tx.addEdge(2, 3, 'T');
    });
    const snapshot = db.graph.snapshot();
    const tx = db.graph.begin();
    const closing = tx.addEdge(3, 1, 'T');
    const added = tx.addNode('M');
    tx.addEdge(3, added, 'T');
    expect(tx.triangles().total).toBe(1);
    expect(tx.findCycle()!.edges).toEqual([1, 2, closing]);
    expect(codeOf(() => tx.topologicalOrder())).toBe('SOMBRA_CYCLE');
    expect([...tx.components({ kind: 'strong' }).sizes]).toEqual([3, 1]);
    expect(tx.dfs(1).map(({ id }) => id)).toEqual([1, 2, 3, added]);
    expect([...tx.paths(1, added)].map(({ nodes }) => nodes)).toEqual([[1, 2, 3, added]]);
    expect(tx.degreeDistribution({ direction: 'both' })).toEqual([
      { degree: 1, nodes: 1 },
      { degree: 2, nodes: 2 },
      { degree: 3, nodes: 1 },
    ]);
    expect((await tx.pageRankAsync()).perNode.size).toBe(4);
    for (const reader of [snapshot, db.reader]) {
      expect(reader.triangles().total).toBe(0);
      expect(reader.topologicalOrder()).toEqual([1, 2, 3]);
      expect(reader.dfs(1).length).toBe(3);
    }
    tx.commit();
    expect(db.reader.triangles().total).toBe(1);
    expect(snapshot.triangles().total).toBe(0);
    expect(codeOf(() => tx.triangles())).toBe('SOMBRA_TX_DONE');
    await expect(tx.pageRankAsync()).rejects.toMatchObject({ code: 'SOMBRA_TX_DONE' });
    snapshot.release();
    expect(codeOf(() => snapshot.triangles())).toBe('SOMBRA_CLOSED');
    await expect(snapshot.trianglesAsync()).rejects.toMatchObject({ code: 'SOMBRA_CLOSED' });
    db.close();
  });

  test('an asynchronous run works on the commit that it began with', async () => {
    const { graph, pager } = filled();
    const before = graph.reader.components({ kind: 'strong' });
    const running = graph.reader.componentsAsync({ kind: 'strong' });
    const tx = graph.begin();
    for (let id = 1; id <= 200; id += 1) tx.deleteNode(id, { cascade: true });
    tx.commit();
    expect(await running).toEqual(before);
    expect(graph.reader.components().of.size).toBe(NODES - 200);
    pager.close();
  });

  test('in a transaction the asynchronous form has read everything when it returns', async () => {
    const db = new OpenGraph();
    const tx = db.graph.begin();
    tx.addNode('N');
    const running = tx.componentsAsync();
    tx.addNode('N');
    tx.rollback();
    expect((await running).count).toBe(1);
    db.close();
  });

  test('a transaction that takes too long ends inside of an algorithm', () => {
    const { vfs, turn } = vfsWithClock((now) => now + 1);
    const pager = Pager.open({ vfs, path: 'g.db', transactionTimeoutMs: 100_000 });
    const graph = Graph.open(pager);
    const tx = graph.begin();
    for (let i = 0; i < 50; i += 1) tx.addNode('N');
    expect(tx.pageRank().perNode.size).toBe(50);
    turn(200_000);
    expect(codeOf(() => tx.pageRank())).toBe('SOMBRA_TRANSACTION_TIMEOUT');
    expect(tx.state).toBe('rolled-back');
    pager.close();
  });
});

test('an edge to node 0 is damage, also where a predicate would be asked about it', () => {
  withGraph({}, ({ reader }) => {
    const marks = new NodeMarks();
    marks.begin(10);
    expect(codeOf(() => marks.add(0))).toBe('SOMBRA_ADJACENCY');
    const filters = new Filters(reader, { nodeFilter: () => true, edgeFilter: () => true });
    expect(codeOf(() => filters.acceptsNode(0, 1))).toBe('SOMBRA_ADJACENCY');
    expect(codeOf(() => filters.acceptsEdge(0, 1))).toBe('SOMBRA_ADJACENCY');
  });
});

test('an edge to a node that is gone is damage, not a wrong answer', () => {
  const db = new OpenGraph();
  db.write((tx) => {
    for (let i = 0; i < 3; i += 1) tx.addNode([]);
    tx.addEdge(1, 2, 'T');
    tx.addEdge(2, 3, 'T');
  });
  // The record goes, its edges stay: what a damaged tree could look like.
  const tx = db.graph.begin();
  const { store, tx: pages } = tx as unknown as {
    store: { nodes: { tree: { deleteU48(tx: unknown, id: number): boolean } } };
    tx: { setCounter(counter: number, value: number): void };
  };
  expect(store.nodes.tree.deleteU48(pages, 3)).toBe(true);
  expect(codeOf(() => tx.components())).toBe('SOMBRA_STATISTICS');
  pages.setCounter(COUNTER.nodeCount, 2);
  for (const call of [
    () => tx.components(),
    () => tx.components({ kind: 'strong' }),
    () => tx.triangles(),
    () => tx.pageRank(),
    () => tx.topologicalOrder(),
    () => tx.findCycle(),
    () => tx.expand(2),
  ]) {
    expect(call).toThrow(CorruptionError);
    expect(codeOf(call)).toBe('SOMBRA_ADJACENCY');
  }
  tx.rollback();
  db.close();
});
