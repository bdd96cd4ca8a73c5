// The synthetic graph that every engine loads: power-law degrees, seeded, the same bytes on every machine.

/** Named sizes: nodes and edges. */
export const SIZES = {
  medium: { nodes: 1_000, edges: 25_000 },
  large: { nodes: 10_000, edges: 500_000 },
  xl: { nodes: 100_000, edges: 1_000_000 },
};

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
 * @returns typed arrays; nodes are numbered from 0, edge i goes source[i] -> target[i]
 */
export function makeGraph({ nodes, edges }, seed = 42) {
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
  // Both ends are drawn with a density that falls as a power of the rank; ranks are shuffled over the ids.
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

/** `count` node numbers, seeded: which nodes the reading workloads ask for. */
export function sample(nodes, count, seed) {
  const next = random(seed);
  return Uint32Array.from({ length: count }, () => Math.floor(next() * nodes));
}

/** Order-dependent digest of numbers, so that engines can be held to the same answers. */
export function digest(previous, value) {
  return (Math.imul(previous ^ (value | 0), 0x01000193) + 0x9e3779b9) | 0;
}
