/**
 * PageRank by power iteration. Parallel edges count as often as there are of them, self loops too. What nodes without edges
 * onward hold is spread evenly over all nodes, as the jumps are, so that ranks always sum up to 1.
 *
 * Memory: 24 bytes per node besides the 12 of a Subgraph, and 4 per edge (8 in direction both).
 */
import { DataError } from '@sombra/vfs';
import { countOption, describe, directionOption, ownOptions } from '../model/options.ts';
import type { Direction } from '../model/types.ts';
import { type EdgeLists, readEdgeLists } from './neighbour-rows.ts';
import { NodeValues } from './node-values.ts';
import type { ReadSource } from '../traversal/read-source.ts';
import { SLICE, type Steps } from '../model/steps.ts';
import { type AlgorithmOptions, readSubgraph } from './subgraph.ts';

/**
 * Options of `pageRank`. `direction`: which way rank flows along edges, `out` by default. `damping`: part of the rank that
 * follows edges instead of jumping, 0 to 1, 0.85 by default. It ends when the ranks change by less than `tolerance` in sum
 * (1e-6 by default; 0: never) or after `maxIterations` (100 by default).
 */
export interface PageRankOptions extends AlgorithmOptions {
  readonly direction?: Direction;
  readonly damping?: number;
  readonly maxIterations?: number;
  readonly tolerance?: number;
}

/** Ranks of nodes. */
export interface PageRank {
  /** Ranks; they sum up to 1. */
  readonly perNode: NodeValues;
  readonly iterations: number;
  /** Did the last iteration change the ranks by less than `tolerance`? */
  readonly converged: boolean;
}

export function* pageRank(source: ReadSource, options: PageRankOptions | undefined): Steps<PageRank> {
  const more = ['direction', 'damping', 'maxIterations', 'tolerance'];
  options = ownOptions(options);
  const subgraph = yield* readSubgraph(source, options, more, 'pageRank');
  const direction = directionOption(options?.direction);
  const damping = options?.damping ?? 0.85;
  if (!(typeof damping === 'number' && damping >= 0 && damping <= 1))
    throw new DataError('SOMBRA_OPTION', `damping is a number of 0 to 1, not ${describe(damping)}`);
  const tolerance = options?.tolerance ?? 1e-6;
  if (!(typeof tolerance === 'number' && tolerance >= 0))
    throw new DataError('SOMBRA_OPTION', `tolerance is a number of at least 0, not ${describe(tolerance)}`);
  const maxIterations = countOption(options?.maxIterations, 100, 'maxIterations');
  if (maxIterations === Infinity && tolerance === 0)
    throw new DataError('SOMBRA_OPTION', 'give a finite maxIterations or a tolerance above 0, or it would never end');

  const { budget, count, ids } = subgraph;
  // Each node adds up what flows in, so its list holds the nodes that an edge leads to it from.
  const reverse = direction === 'both' ? 'both' : direction === 'out' ? 'in' : 'out';
  const lists = yield* readEdgeLists(subgraph, reverse, false);
  const degrees = budget.words(count);
  for (let i = 0; i < lists.offsets[count]!; i += 1) degrees[lists.targets[i]!]! += 1;
  const ranks = budget.floats(count).fill(1 / count);
  const shares = budget.floats(count);
  let iterations = 0;
  let converged = count === 0;
  while (!converged && iterations < maxIterations) {
    const base = (1 - damping + damping * share(ranks, degrees, shares)) / count;
    let change = 0;
    for (let from = 0; from < count; ) {
      const to = sliceEnd(lists.offsets, from, count);
      change += flow(lists, from, to, base, damping, shares, ranks);
      from = to;
      yield;
    }
    iterations += 1;
    converged = change < tolerance;
  }
  return { perNode: new NodeValues(ids, ranks), iterations, converged };
}

/** Divides the rank of each node by its edges onward. @returns rank of the nodes that have none */
function share(ranks: Float64Array, degrees: Uint32Array, shares: Float64Array): number {
  let dangling = 0;
  for (let i = 0; i < ranks.length; i += 1) {
    const degree = degrees[i]!;
    if (degree === 0) dangling += ranks[i]!;
    else shares[i] = ranks[i]! / degree;
  }
  return dangling;
}

/** Gives nodes [from, to) their new ranks. @returns sum of the changes */
function flow(
  { offsets, targets }: EdgeLists,
  from: number,
  to: number,
  base: number,
  damping: number,
  shares: Float64Array,
  ranks: Float64Array,
): number {
  let change = 0;
  let i = offsets[from]!;
  for (let node = from; node < to; node += 1) {
    const end = offsets[node + 1]!;
    let sum = 0;
    for (; i < end; i += 1) sum += shares[targets[i]!]!;
    const rank = base + damping * sum;
    change += Math.abs(rank - ranks[node]!);
    ranks[node] = rank;
  }
  return change;
}

/** First node behind a slice that begins at `from`. */
function sliceEnd(offsets: Uint32Array, from: number, count: number): number {
  const edges = offsets[from]! + SLICE * 8;
  const last = Math.min(count, from + SLICE * 8);
  let to = from + 1;
  while (to < last && offsets[to]! < edges) to += 1;
  return to;
}
