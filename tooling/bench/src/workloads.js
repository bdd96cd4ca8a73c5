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
 * `unit`: per second unless it is named. `smaller`: less is better. `floor`, `goal`: ratio to SQLite that the design wants at
 * the sizes large and xl.
 */
export const WORKLOADS = {
  bulkLoad: {
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
    title: 'file after a clean close, MiB',
    smaller: true,
    floor: 0.9,
    goal: 0.7,
    run(context) {
      context.engine.close();
      const value = statSync(context.path).size / 2 ** 20;
      context.engine = context.open(context.path);
      return { value, answer: '' };
    },
  },
  reopen: {
    title: 'reopen and first read, ms',
    smaller: true,
    floor: 2,
    goal: 1,
    run(context) {
      const times = [];
      let age = 0;
      for (let i = 0; i < 9; i += 1) {
        context.engine.close();
        const start = performance.now();
        context.engine = context.open(context.path);
        ({ age } = context.engine.readNode(1));
        times.push(performance.now() - start);
      }
      return { value: times.sort((a, b) => a - b)[4], answer: age };
    },
  },
  pointRead: {
    title: 'point read, whole object, reads/s',
    floor: 5,
    goal: 14,
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
    title: 'breadth-first search, whole graph, edges/s',
    floor: 12,
    goal: 28,
    run({ engine, graph, budgetMs }) {
      const start = hubId(graph);
      return timed(budgetMs, edgesWithinReach(graph, start), () => engine.bfsLevels(start).join(' '));
    },
  },
  shortestPath: {
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
    title: 'small transactions, relaxed, tx/s',
    floor: 5,
    goal: 12,
    run: (context) => transactions(context, 'relaxed', 1),
  },
  smallDurable: {
    title: 'small transactions, durable, tx/s',
    floor: 1.1,
    goal: 1.4,
    run: (context) => transactions(context, 'durable', 1),
  },
  batches: {
    title: 'transactions of 1000 rows, durable, rows/s',
    floor: 2,
    goal: 4,
    run: (context) => transactions(context, 'durable', 500),
  },
  intact: {
    hidden: true,
    run: ({ engine }) => ({ value: 0, answer: engine.isIntact() }),
  },
};

/** `pairs` nodes, each with an edge, in one transaction: a fixed number first, then as many as fit into the time. */
function transactions(context, durability, pairs) {
  context.engine.close();
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
