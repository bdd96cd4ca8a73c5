// What is measured, the same for every engine. An engine is what `open(path)` of engine-*.js gives; its ids are those of
// graph-data.js. Every workload gives a figure and a digest of its answers; the runner compares the digests.
import { statSync } from 'node:fs';
import { digest, edgesWithinReach, hubId, random, sampleIds } from './graph-data.js';

/** Repeats `pass` (a fixed list of operations) until the time is used up; the digest is that of the first pass. */
function timed(budgetMs, operations, pass) {
  const answer = pass(); // warm-up, and the answer
  let passes = 0;
  const start = performance.now();
  let elapsed = 0;
  do {
    if (pass() !== answer) throw new Error('the answer changed from pass to pass');
    passes += 1;
    elapsed = performance.now() - start;
  } while (elapsed < budgetMs);
  return { value: (passes * operations) / (elapsed / 1000), answer };
}

/** Sum and number of ids, whatever their order. */
function setDigest(d, ids) {
  let sum = 0;
  for (let i = 0; i < ids.length; i += 1) sum += ids[i];
  return digest(digest(d, sum), ids.length);
}

/**
 * In the order in which they run; each leaves the engine open.
 * `uses`: methods that an engine needs for it; one that lacks them has no figure. `smaller`: less is better. `floor`, `goal`:
 * ratio to SQLite that the design wants at the sizes large and xl; `floors`: ratios to other engines.
 */
export const WORKLOADS = {
  bulkLoad: {
    uses: ['load', 'counts'],
    title: 'bulk load, rows/s',
    floor: 3,
    goal: 6,
    run({ engine, graph }) {
      const start = performance.now();
      engine.load(graph);
      const seconds = (performance.now() - start) / 1000;
      const { nodes, edges } = engine.counts();
      return { value: (graph.nodes + graph.edges) / seconds, answer: `${nodes}/${edges}` };
    },
  },
  fileSize: {
    uses: ['bfsLevels'],
    title: 'file after a clean close, MiB',
    smaller: true,
    floor: 0.9,
    goal: 0.7,
    async run(context) {
      await context.engine.close();
      const value = statSync(context.path).size / 2 ** 20;
      context.engine = context.open(context.path);
      return { value, answer: '' };
    },
  },
  reopen: {
    uses: ['readNode'],
    title: 'reopen and first read, ms',
    smaller: true,
    floor: 2,
    goal: 1,
    async run(context) {
      const times = [];
      let age = 0;
      for (let i = 0; i < 9; i += 1) {
        await context.engine.close();
        const start = performance.now();
        context.engine = context.open(context.path);
        ({ age } = context.engine.readNode(1));
        times.push(performance.now() - start);
      }
      return { value: times.sort((a, b) => a - b)[4], answer: age };
    },
  },
  pointRead: {
    uses: ['readNode'],
    title: 'point read, whole object, reads/s',
    floor: 5,
    goal: 14,
    floors: { lmdb: 1.5 },
    run({ engine, graph, budgetMs }) {
      const ids = sampleIds(graph.nodes, 10_000, 1);
      return timed(budgetMs, ids.length, () => {
        let d = 0;
        for (const id of ids) {
          const { name, age, score } = engine.readNode(id);
          d = digest(digest(d, name.length), age + Math.round(score * 1000));
        }
        return d;
      });
    },
  },
  neighbours: {
    uses: ['neighbours'],
    title: 'neighbours (ids), queries/s',
    floor: 12,
    goal: 30,
    run({ engine, graph, budgetMs }) {
      const ids = sampleIds(graph.nodes, 2_000, 2);
      return timed(budgetMs, ids.length, () => {
        let d = 0;
        for (const id of ids) d = setDigest(d, engine.neighbours(id));
        return d;
      });
    },
  },
  edges: {
    uses: ['edgesOf'],
    title: 'edges with properties (objects), edges/s',
    floor: 8,
    goal: 40,
    run({ engine, graph, budgetMs }) {
      const ids = sampleIds(graph.nodes, 500, 3);
      let count = 0;
      for (const id of ids) count += engine.edgesOf(id).length;
      return timed(budgetMs, count, () => {
        let d = 0;
        for (const id of ids) {
          let sum = 0;
          for (const edge of engine.edgesOf(id)) sum += edge.target * 7 + engine.weightOf(edge);
          d = digest(d, sum);
        }
        return d;
      });
    },
  },
  twoHop: {
    uses: ['twoHops'],
    title: 'ends of walks of two edges, distinct, queries/s',
    floor: 10,
    goal: 19,
    run({ engine, graph, budgetMs }) {
      const ids = sampleIds(graph.nodes, 100, 4);
      return timed(budgetMs, ids.length, () => {
        let d = 0;
        for (const id of ids) d = setDigest(d, engine.twoHops(id));
        return d;
      });
    },
  },
  bfs: {
    uses: ['bfsLevels'],
    title: 'breadth-first search, whole graph, edges/s',
    floor: 12,
    goal: 28,
    run({ engine, graph, budgetMs }) {
      const start = hubId(graph);
      return timed(budgetMs, edgesWithinReach(graph, start), () => engine.bfsLevels(start).join(' '));
    },
  },
  shortestPath: {
    uses: ['pathLength'],
    title: 'shortest path, paths/s',
    floor: 10,
    goal: 30,
    run({ engine, graph, budgetMs }) {
      const from = sampleIds(graph.nodes, 20, 5);
      const to = sampleIds(graph.nodes, 20, 6);
      return timed(budgetMs, from.length, () => {
        let d = 0;
        for (let i = 0; i < from.length; i += 1) d = digest(d, engine.pathLength(from[i], to[i]));
        return d;
      });
    },
  },
  smallRelaxed: {
    uses: ['addPairs'],
    title: 'small transactions, relaxed, tx/s',
    floor: 5,
    goal: 12,
    floors: { lmdb: 2 },
    run: (context) => transactions(context, 'relaxed', 1),
  },
  smallDurable: {
    uses: ['addPairs'],
    title: 'small transactions, durable, tx/s',
    floor: 1.1,
    goal: 1.4,
    run: (context) => transactions(context, 'durable', 1),
  },
  inFlight: {
    uses: ['addPairsAsync'],
    title: 'small transactions, durable, 64 in flight, tx/s',
    floors: { lmdb: 3 },
    run: inFlight,
  },
  batches: {
    uses: ['addPairs'],
    title: 'transactions of 1000 rows, durable, rows/s',
    floor: 2,
    goal: 4,
    run: (context) => transactions(context, 'durable', 500),
  },
  intact: {
    uses: ['isIntact'],
    hidden: true,
    run: ({ engine }) => ({ value: 0, answer: engine.isIntact() }),
  },
};

/** `pairs` nodes, each with an edge, in one transaction: a fixed number first, then as many as fit into the time. */
async function transactions(context, durability, pairs) {
  await context.engine.close();
  const engine = (context.engine = context.open(context.path, durability));
  const { graph, budgetMs } = context;
  const next = random(7);
  const names = Array.from({ length: pairs }, (_, i) => `new ${i}`);
  const targets = new Uint32Array(pairs);
  const one = () => {
    for (let i = 0; i < pairs; i += 1) targets[i] = 1 + Math.floor(next() * graph.nodes);
    engine.addPairs(names, targets);
  };
  const before = engine.counts();
  const fixed = pairs === 1 ? 500 : 5;
  for (let i = 0; i < fixed; i += 1) one();
  const warm = engine.counts();
  let count = 0;
  const start = performance.now();
  while (performance.now() - start < budgetMs) {
    for (let i = pairs === 1 ? 20 : 1; i > 0; i -= 1) one();
    count += pairs === 1 ? 20 : 1;
  }
  const seconds = (performance.now() - start) / 1000;
  const after = engine.counts();
  if (after.nodes - warm.nodes !== count * pairs || after.edges - warm.edges !== count * pairs)
    throw new Error('transactions are missing');
  const rows = pairs === 1 ? count : count * pairs * 2;
  return { value: rows / seconds, answer: `${warm.nodes - before.nodes}/${warm.edges - before.edges}` };
}

const IN_FLIGHT = 64;

/** One node with an edge per transaction, 64 of them asked for and not acknowledged at any time. */
async function inFlight(context) {
  await context.engine.close();
  const engine = (context.engine = context.open(context.path, 'durable'));
  const { graph, budgetMs } = context;
  const next = random(8);
  const names = ['new'];
  const before = engine.counts();
  let count = 0;
  const keepOne = async (isOver) => {
    while (!isOver()) {
      count += 1;
      await engine.addPairsAsync(names, Uint32Array.of(1 + Math.floor(next() * graph.nodes)));
    }
  };
  const run = (isOver) => Promise.all(Array.from({ length: IN_FLIGHT }, () => keepOne(isOver)));
  await run(() => count >= 10 * IN_FLIGHT);
  const warm = count;
  const start = performance.now();
  await run(() => performance.now() - start >= budgetMs);
  const seconds = (performance.now() - start) / 1000;
  const after = engine.counts();
  const added = [after.nodes - before.nodes, after.edges - before.edges];
  if (added.some((number) => number !== count)) throw new Error('transactions are missing');
  return { value: (count - warm) / seconds, answer: 'all there' };
}
