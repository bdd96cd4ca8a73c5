/**
 * Triangles and clustering, on the undirected simple graph: directions, parallel edges and self loops do not count.
 *
 * Every edge points from the node of lower degree to that of higher degree (ties by id), so that no list is longer than the
 * square root of twice the number of edges; a triangle is found once, from its first node (Chiba and Nishizeki 1985).
 * Memory: 24 bytes per node besides the 12 of a Subgraph, and 8 per edge.
 */
import { NodeValues } from './node-values.ts';
import { readEdgeLists } from './neighbour-rows.ts';
import type { ReadSource } from '../traversal/read-source.ts';
import { SLICE, type Steps } from '../model/steps.ts';
import { type AlgorithmOptions, readSubgraph, type Subgraph } from './subgraph.ts';

/** Triangles of a graph. */
export interface Triangles {
  /** How many there are. */
  readonly total: number;
  /** In how many each node is. */
  readonly perNode: NodeValues;
}

/**
 * How much the neighbours of nodes are connected. The coefficient of a node is the part of the pairs of its neighbours that
 * are connected, 0 with fewer than two neighbours.
 */
export interface Clustering {
  /** Mean coefficient; 0 without nodes. */
  readonly average: number;
  /** Three times the triangles by the number of pairs of edges that share a node (transitivity); 0 without such pairs. */
  readonly global: number;
  readonly perNode: NodeValues;
}

export function* triangles(source: ReadSource, options: AlgorithmOptions | undefined): Steps<Triangles> {
  const subgraph = yield* readSubgraph(source, options, [], 'triangles');
  const { total, counts } = yield* countTriangles(subgraph);
  return { total, perNode: new NodeValues(subgraph.ids, counts) };
}

export function* clustering(source: ReadSource, options: AlgorithmOptions | undefined): Steps<Clustering> {
  const subgraph = yield* readSubgraph(source, options, [], 'clustering');
  const { total, counts, degrees } = yield* countTriangles(subgraph);
  let sum = 0;
  let pairs = 0;
  for (let i = 0; i < counts.length; i += 1) {
    const possible = (degrees[i]! * (degrees[i]! - 1)) / 2;
    pairs += possible;
    counts[i] = possible === 0 ? 0 : counts[i]! / possible;
    sum += counts[i]!;
  }
  return {
    average: counts.length === 0 ? 0 : sum / counts.length,
    global: pairs === 0 ? 0 : (3 * total) / pairs,
    perNode: new NodeValues(subgraph.ids, counts),
  };
}

interface Count {
  readonly total: number;
  /** Triangles per node. */
  readonly counts: Float64Array;
  /** Neighbours per node. */
  readonly degrees: Uint32Array;
}

function* countTriangles(subgraph: Subgraph): Steps<Count> {
  const { budget, count } = subgraph;
  const { offsets, targets } = yield* readEdgeLists(subgraph, 'both', true);
  const degrees = budget.words(count);
  for (let i = 0; i < count; i += 1) degrees[i] = offsets[i + 1]! - offsets[i]!;
  orient(offsets, targets, degrees);
  yield;
  const counter = new TriangleCounter(offsets, targets, budget.words(count), budget.floats(count));
  while (counter.advance(SLICE * 16)) yield;
  return { total: counter.total, counts: counter.counts, degrees };
}

/** Keeps in each list the nodes that are behind its own by degree and number. In place. */
function orient(offsets: Uint32Array, targets: Uint32Array, degrees: Uint32Array): void {
  let end = 0;
  let from = 0;
  for (let node = 0; node < degrees.length; node += 1) {
    const to = offsets[node + 1]!;
    const degree = degrees[node]!;
    for (let i = from; i < to; i += 1) {
      const target = targets[i]!;
      const other = degrees[target]!;
      if (other > degree || (other === degree && target > node)) targets[end++] = target;
    }
    from = to;
    offsets[node + 1] = end;
  }
}

class TriangleCounter {
  total = 0;
  readonly counts: Float64Array;
  private readonly offsets: Uint32Array;
  private readonly targets: Uint32Array;
  /** Per node: 1 + the last node whose list it is in. */
  private readonly marks: Uint32Array;
  private node = 0;

  constructor(offsets: Uint32Array, targets: Uint32Array, marks: Uint32Array, counts: Float64Array) {
    this.offsets = offsets;
    this.targets = targets;
    this.marks = marks;
    this.counts = counts;
  }

  /** Works on, for about so many steps. @returns false when all nodes are done */
  advance(steps: number): boolean {
    const { offsets, targets, marks, counts } = this;
    let left = steps;
    for (; this.node < marks.length && left > 0; this.node += 1) {
      const a = this.node;
      const from = offsets[a]!;
      const to = offsets[a + 1]!;
      const mark = a + 1;
      left -= 1;
      if (to - from < 2) continue;
      for (let i = from; i < to; i += 1) marks[targets[i]!] = mark;
      let ofA = 0;
      for (let i = from; i < to; i += 1) {
        const b = targets[i]!;
        const end = offsets[b + 1]!;
        let ofB = 0;
        for (let j = offsets[b]!; j < end; j += 1) {
          const c = targets[j]!;
          if (marks[c] !== mark) continue;
          ofB += 1;
          counts[c]! += 1;
        }
        left -= end - offsets[b]! + 1;
        counts[b]! += ofB;
        ofA += ofB;
      }
      counts[a]! += ofA;
      this.total += ofA;
    }
    return this.node < marks.length;
  }
}
