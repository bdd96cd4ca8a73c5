// The synthetic graph that every engine loads: power-law degrees, seeded, the same bytes on every machine.

/** Named sizes: nodes and edges. */
export const SIZES = {
  quick: { nodes: 10_000, edges: 100_000 },
  medium: { nodes: 1_000, edges: 25_000 },
  large: { nodes: 10_000, edges: 500_000 },
  xl: { nodes: 100_000, edges: 1_000_000 },
};

/** Seed of the graph. */
export const SEED = 42;

/** A small seeded generator (mulberry32); benchmarks must draw the same numbers everywhere. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * @param {{nodes: number, edges: number}} size
 * @returns typed arrays. Row i of the nodes has id i + 1 in every engine; edge i goes from row source[i] to row target[i].
 */
export function makeGraph({ nodes, edges }, seed = SEED) {
  const next = random(seed);
  const source = new Uint32Array(edges);
  const target = new Uint32Array(edges);
  const weight = new Uint32Array(edges);
  const age = new Uint32Array(nodes);
  const score = new Float64Array(nodes);
  const names = new Array(nodes);
  for (let i = 0; i < nodes; i += 1) {
    age[i] = Math.floor(next() * 90);
    score[i] = next() * 100;
    names[i] = `person ${Math.floor(next() * 1e9).toString(36)} ${i}`;
  }
  // Both ends are drawn with a density that falls as a power of the rank; ranks are shuffled over the rows.
  const rank = new Uint32Array(nodes).map((_, i) => i);
  for (let i = nodes - 1; i > 0; i -= 1) {
    const j = Math.floor(next() * (i + 1));
    const swap = rank[i];
    rank[i] = rank[j];
    rank[j] = swap;
  }
  const draw = (power) => rank[Math.min(nodes - 1, Math.floor(nodes * Math.pow(next(), power)))];
  for (let i = 0; i < edges; i += 1) {
    source[i] = draw(1.6);
    target[i] = draw(1.6);
    weight[i] = Math.floor(next() * 1000);
  }
  return { nodes, edges, source, target, weight, age, score, names };
}

/** `count` ids, seeded: which nodes the reading workloads ask for. */
export function sampleIds(nodes, count, seed) {
  const next = random(seed);
  return Uint32Array.from({ length: count }, () => 1 + Math.floor(next() * nodes));
}

/** Id of the node with the most outgoing edges, the lowest of several. */
export function hubId({ nodes, source }) {
  const degree = new Uint32Array(nodes);
  for (const row of source) degree[row] += 1;
  let hub = 0;
  for (let row = 1; row < nodes; row += 1) if (degree[row] > degree[hub]) hub = row;
  return hub + 1;
}

/** How many edges leave the nodes that can be reached from a node: what a whole breadth-first search has to look at. */
export function edgesWithinReach({ nodes, edges, source, target }, startId) {
  const first = new Uint32Array(nodes + 1);
  for (const row of source) first[row + 1] += 1;
  for (let i = 0; i < nodes; i += 1) first[i + 1] += first[i];
  const at = first.slice();
  const to = new Uint32Array(edges);
  for (let i = 0; i < edges; i += 1) to[at[source[i]]++] = target[i];
  const seen = new Uint8Array(nodes);
  const queue = new Uint32Array(nodes);
  queue[0] = startId - 1;
  seen[startId - 1] = 1;
  let count = 0;
  for (let head = 0, tail = 1; head < tail; head += 1) {
    for (let k = first[queue[head]]; k < first[queue[head] + 1]; k += 1) {
      count += 1;
      if (seen[to[k]] === 0) {
        seen[to[k]] = 1;
        queue[tail++] = to[k];
      }
    }
  }
  return count;
}

/** Order-dependent digest of numbers, so that engines can be held to the same answers. */
export function digest(previous, value) {
  return (Math.imul(previous ^ (value | 0), 0x01000193) + 0x9e3779b9) | 0;
}
