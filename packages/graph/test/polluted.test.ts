// Goal: what a program has put into `Object.prototype` is no option, no condition, no property and no part of a row.
// Method: the same calls before and after every name that options have was added to `Object.prototype` with a value that would
// change the answer.
import { afterEach, expect, test } from 'vitest';
import { and, type Graph, type GraphTransaction, or } from '../src/index.ts';
import { codeOf } from './support/errors.ts';
import { OpenGraph } from './support/open.ts';

const POLLUTION: Readonly<Record<string, unknown>> = {
  ...{
    cascade: true,
    direction: 'in',
    type: 'NONE',
    limit: 1,
    distinct: true,
    mode: 'exact',
    maxDepth: 1,
    minDepth: 1,
  },
  ...{ label: 'None', from: 3, to: 3, reverse: true, where: () => false, skip: 1, select: ['a'], orderBy: 'b' },
  ...{ nodeFilter: () => false, edgeFilter: () => false, signal: { aborted: true }, timeoutMs: 0, order: 'post' },
  ...{ weight: 'missing', maxCost: 0, minLength: 2, maxLength: 1, unique: 'nodes', analyze: true, descending: true },
  ...{
    key: 'b',
    eq: 7,
    ne: 7,
    lt: 0,
    in: [],
    exists: false,
    damping: 0,
    maxIterations: 1,
    tolerance: 9,
    kind: 'strong',
  },
  ...{ maxMemoryMb: 0, ref: 'same', labels: 'Polluted', properties: { polluted: 1 }, source: 1, target: 1, a: 9, b: 9 },
  ...{ nodes: [{ labels: 'Polluted' }], edges: [], onProgress: 1, progressEvery: 0, checksumOnly: true, maxErrors: 0 },
  ...{ exempt: 1, polluted: 1 },
};

afterEach(clean);

function pollute(): void {
  for (const [name, value] of Object.entries(POLLUTION))
    Object.defineProperty(Object.prototype, name, { value, configurable: true, enumerable: false, writable: true });
}

function clean(): void {
  for (const name of Object.keys(POLLUTION)) Reflect.deleteProperty(Object.prototype, name);
}

const READS: readonly ((graph: Graph) => unknown)[] = [
  ({ reader }) => reader.degree(1, {}),
  ({ reader }) => reader.neighbors(1, {}),
  ({ reader }) => reader.edgeIdsOf(1, {}),
  ({ reader }) => reader.edgesOf(1, {}),
  ({ reader }) => reader.expand(1, {}),
  ({ reader }) => reader.edgesBetween(1, 2, {}),
  ({ reader }) => reader.outgoing(1, {}),
  ({ reader }) => reader.incoming(1, {}),
  ({ reader }) => [...reader.nodes({})],
  ({ reader }) => [...reader.edges({})],
  ({ reader }) => [...reader.nodeIds({})],
  ({ reader }) => [...reader.edgeIds({})],
  ({ reader }) => [...reader.findNodes({})],
  ({ reader }) => [...reader.findNodes()],
  ({ reader }) => [...reader.findNodes({ where: { a: { gte: 2 } } })],
  ({ reader }) => [...reader.findNodes({ where: { a: { eq: 1 } }, select: ['a', 'b'] })],
  ({ reader }) => [...reader.findNodes({ where: or({ a: 1 }, and({ a: { gt: 2 } })), orderBy: [{ key: 'a' }] })],
  ({ reader }) => [...reader.findEdges({})],
  ({ reader }) => reader.countNodes({}),
  ({ reader }) => reader.countNodes(),
  ({ reader }) => reader.findNode(),
  ({ reader }) => reader.findEdge({}),
  ({ reader }) => reader.prepareNodes().all(),
  ({ reader }) => reader.aggregateNodes({ count: true }),
  ({ reader }) => reader.countEdges({}),
  ({ reader }) => reader.explainNodes({}, {}),
  ({ reader }) => reader.findNodes({ label: 'N', where: {} }).all(),
  ({ reader }) => reader.kHop(1, 2, {}),
  ({ reader }) => reader.bfs(1, {}),
  ({ reader }) => reader.bfsLevels(1, {}),
  ({ reader }) => reader.levels(1, {}),
  ({ reader }) => reader.dfs(1, {}),
  ({ reader }) => [...reader.paths(1, undefined, {})],
  ({ reader }) => reader.shortestPath(1, 3, {}),
  ({ reader }) => reader.shortestPath(1, 3),
  ({ reader }) => [...reader.allShortestPaths(1, 3, {})],
  ({ reader }) => reader.kShortestPaths(1, 3, 2, {}),
  ({ reader }) => reader.distances(1, {}),
  ({ reader }) => reader.components({}).count,
  ({ reader }) => reader.triangles({}).total,
  ({ reader }) => reader.clustering({}).average,
  ({ reader }) => [...reader.pageRank({}).perNode],
  ({ reader }) => reader.degreeDistribution({}),
  ({ reader }) => codeOf(() => reader.topologicalOrder({})),
  ({ reader }) => reader.findCycle({}),
  ({ reader }) => [reader.getNode(1), reader.getEdge(1), reader.getNodeProperty(1, 'polluted')],
  (graph) => graph.verifyIntegrity({}),
  (graph) => {
    const snapshot = graph.snapshot({});
    const count = snapshot.nodeCount();
    snapshot.release();
    return count;
  },
];

const WRITES: readonly ((tx: GraphTransaction) => unknown)[] = [
  (tx) => codeOf(() => tx.deleteNode(1, {})),
  (tx) => codeOf(() => tx.deleteNodes([1], {})),
  (tx) => tx.addNode('New', {}),
  (tx) => tx.addMany({ nodes: [{ labels: 'One' }, { labels: ['Two'] }] }),
  (tx) => tx.addMany({ edges: [{ source: 1, target: 2, type: 'T' }] }),
  (tx) => codeOf(() => tx.addMany({ nodes: [{} as never] })),
  (tx) => tx.upsertEdge(1, 2, 'T', {}),
  (tx) => tx.updateNodeProperties(1, {}),
  (tx) => tx.replaceNodeProperties(2, { map: {}, list: [] }),
  (tx) => tx.removeNodeProperty(1, 'polluted'),
];

function open(): OpenGraph {
  const db = new OpenGraph({ cacheSize: 64 });
  db.write((tx) => {
    for (let i = 1; i <= 4; i += 1) tx.addNode('N', { a: i, b: 10 - i });
    for (const [source, target] of [
      [1, 2],
      [1, 2],
      [2, 3],
      [3, 1],
      [1, 4],
      [4, 3],
    ] as const)
      tx.addEdge(source, target, 'T', { weight: source });
  });
  return db;
}

test('reads answer as ever', () => {
  const db = open();
  const before = READS.map((read) => read(db.graph));
  pollute();
  // A comparison of objects would look at what they inherit.
  const after = READS.map((read) => read(db.graph));
  clean();
  for (const [i, answer] of after.entries()) expect(answer, String(READS[i])).toEqual(before[i]);
  db.close();
});

test('writes do as ever', () => {
  const [one, two] = [open(), open()];
  const run = (db: OpenGraph): unknown[] =>
    db.write((tx) => [...WRITES.map((write) => write(tx)), [...tx.nodes()], [...tx.edges()]]);
  const expected = run(one);
  pollute();
  const done = run(two);
  clean();
  expect(done).toEqual(expected);
  one.close();
  two.close();
});

test('a bulk load and a new index do as ever', () => {
  const load = (db: OpenGraph): unknown[] => {
    const result = db.graph.bulkLoad(
      { nodes: [{ labels: 'N' }, { labels: 'N', properties: { a: 1 } }], edges: [{ source: 0, target: 1, type: 'T' }] },
      {},
    );
    db.graph.createPropertyIndex('N', 'a', {});
    return [result, [...db.reader.nodes()], [...db.reader.edges()], db.reader.propertyIndexes()];
  };
  const [one, two] = [new OpenGraph(), new OpenGraph()];
  const expected = load(one);
  pollute();
  const done = load(two);
  clean();
  expect(done).toEqual(expected);
  one.close();
  two.close();
});
