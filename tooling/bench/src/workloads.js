// What is measured, the same for every engine. An engine is an object with the methods called here; node and edge
// numbers are those of graph-data.js. Every workload gives a digest of its answers; the runner compares the digests.
import { digest, random, sample } from './graph-data.js';

/** Repeats `pass` (a fixed list of operations) until the time is used up; the digest is that of the first pass. */
function timed(budgetMs, operations, pass) {
  const answer = pass(); // warm-up, and the answer
  let passes = 0;
  const start = performance.now();
  let elapsed = 0;
  do {
    pass();
    passes += 1;
    elapsed = performance.now() - start;
  } while (elapsed < budgetMs);
  return { rate: (passes * operations) / (elapsed / 1000), answer };
}

function textDigest(d, text) {
  for (let i = 0; i < text.length; i += 1) d = digest(d, text.charCodeAt(i));
  return d;
}

export const WORKLOADS = {
  bulkLoad: {
    title: 'bulk load, rows/s',
    run({ engine, graph }) {
      const start = performance.now();
      engine.load(graph);
      const seconds = (performance.now() - start) / 1000;
      const { nodes, edges } = engine.counts();
      return { rate: (graph.nodes + graph.edges) / seconds, answer: [nodes, edges].join('/') };
    },
  },
  pointRead: {
    title: 'point read, whole object, reads/s',
    run({ engine, graph, budgetMs }) {
      const ids = sample(graph.nodes, 10_000, 1);
      return timed(budgetMs, ids.length, () => {
        let d = 0;
        for (const id of ids) {
          const node = engine.readNode(id);
          d = digest(textDigest(d, node.name), node.age + Math.round(node.score * 1000));
        }
        return d;
      });
    },
  },
  neighbours: {
    title: 'neighbours (ids), queries/s',
    run({ engine, graph, budgetMs }) {
      const ids = sample(graph.nodes, 2_000, 2);
      return timed(budgetMs, ids.length, () => {
        let d = 0;
        for (const id of ids) {
          const found = engine.neighbours(id);
          let sum = 0;
          for (let i = 0; i < found.length; i += 1) sum += found[i];
          d = digest(d, sum + found.length);
        }
        return d;
      });
    },
  },
  bfs: {
    title: 'breadth-first search, whole graph, edges/s',
    run({ engine, graph, budgetMs }) {
      const degree = new Uint32Array(graph.nodes);
      for (const s of graph.source) degree[s] += 1;
      const start = degree.indexOf(degree.reduce((a, b) => Math.max(a, b)));
      const reached = engine.bfsLevels(start);
      const nodesReached = reached.reduce((a, b) => a + b, 0);
      // Edges looked at: those that leave a reached node. Counted once, from the data, for every engine alike.
      const seen = reachable(graph, start);
      let edges = 0;
      for (let i = 0; i < graph.edges; i += 1) edges += seen[graph.source[i]];
      const { rate } = timed(budgetMs, edges, () => engine.bfsLevels(start).length);
      return { rate, answer: `${nodesReached}: ${reached.join(' ')}` };
    },
  },
  smallRelaxed: {
    title: 'small transactions, relaxed, tx/s',
    run: (context) => smallTransactions(context, 'relaxed'),
  },
  smallDurable: {
    title: 'small transactions, durable, tx/s',
    run: (context) => smallTransactions(context, 'durable'),
  },
};

/** One node and one edge in a transaction, a fixed number for the answer, then as many as fit into the time. */
function smallTransactions({ engine, graph, budgetMs }, mode) {
  engine.setDurability(mode);
  const next = random(7);
  const one = (i) => engine.smallTransaction(`new ${i}`, i % 90, Math.floor(next() * graph.nodes));
  const fixed = 500;
  for (let i = 0; i < fixed; i += 1) one(i);
  const { nodes, edges } = engine.counts();
  const answer = [nodes - engine.loaded.nodes, edges - engine.loaded.edges].join('/');
  let count = 0;
  const start = performance.now();
  while (performance.now() - start < budgetMs) for (let i = 0; i < 20; i += 1) one((count += 1));
  const seconds = (performance.now() - start) / 1000;
  const after = engine.counts();
  if (after.nodes !== nodes + count || after.edges !== edges + count) throw new Error(`${mode}: transactions are missing`);
  engine.loaded = after;
  return { rate: count / seconds, answer };
}

function reachable(graph, start) {
  const first = new Uint32Array(graph.nodes + 1);
  for (const s of graph.source) first[s + 1] += 1;
  for (let i = 0; i < graph.nodes; i += 1) first[i + 1] += first[i];
  const at = first.slice();
  const to = new Uint32Array(graph.edges);
  for (let i = 0; i < graph.edges; i += 1) to[at[graph.source[i]]++] = graph.target[i];
  const seen = new Uint8Array(graph.nodes);
  const queue = new Uint32Array(graph.nodes);
  let tail = 1;
  queue[0] = start;
  seen[start] = 1;
  for (let head = 0; head < tail; head += 1) {
    for (let k = first[queue[head]]; k < first[queue[head] + 1]; k += 1) {
      if (seen[to[k]] === 0) {
        seen[to[k]] = 1;
        queue[tail++] = to[k];
      }
    }
  }
  return seen;
}
