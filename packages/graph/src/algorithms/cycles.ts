/** Cycles of directed edges, and the order of nodes that exists when there are none. */
import { CorruptionError, DataError } from '@sombra/vfs';
import { EdgeColumns } from '../adjacency/edge-columns.ts';
import { describe, directionOption, ownOptions } from '../model/options.ts';
import type { Direction, NodeId, Path } from '../model/types.ts';
import { IndexHeap } from './index-heap.ts';
import { type EdgeLists, readEdgeLists } from './neighbour-rows.ts';
import type { ReadSource } from '../traversal/read-source.ts';
import { SLICE, type Steps } from '../model/steps.ts';
import { type AlgorithmOptions, readSubgraph, type Subgraph } from './subgraph.ts';

/** Options of `topologicalOrder`. `direction`: `out` (default): sources before targets; `in`: targets before sources. */
export interface TopologicalOptions extends AlgorithmOptions {
  readonly direction?: 'out' | 'in';
}

/**
 * Kahn's algorithm; of the nodes that may come next, always the one with the least id. Memory: 12 bytes per node besides the
 * 12 of a Subgraph, 8 per node for the result, and 4 per edge.
 * @throws DataError SOMBRA_CYCLE, details: `nodes` and `edges` of one cycle
 */
export function* topologicalOrder(source: ReadSource, options: TopologicalOptions | undefined): Steps<NodeId[]> {
  options = ownOptions(options);
  const subgraph = yield* readSubgraph(source, options, ['direction'], 'topologicalOrder');
  const direction: Direction = directionOption(options?.direction);
  if (direction === 'both')
    throw new DataError('SOMBRA_OPTION', `direction is 'out' or 'in' for an order, not ${describe(direction)}`);
  const { budget, count, ids } = subgraph;
  const lists = yield* readEdgeLists(subgraph, direction, false);
  const { offsets, targets } = lists;
  const waiting = budget.words(count);
  for (let i = 0; i < offsets[count]!; i += 1) waiting[targets[i]!]! += 1;
  const ready = new IndexHeap(budget.words(count));
  for (let i = 0; i < count; i += 1) if (waiting[i] === 0) ready.push(i);
  budget.take(count * 8);
  const order = new Array<number>(count);
  let length = 0;
  while (ready.length > 0) {
    for (let work = 0; ready.length > 0 && work < SLICE; length += 1) {
      const node = ready.pop();
      order[length] = ids[node]!;
      for (let i = offsets[node]!; i < offsets[node + 1]!; i += 1) {
        const target = targets[i]!;
        waiting[target]! -= 1;
        if (waiting[target] === 0) ready.push(target);
      }
      work += offsets[node + 1]! - offsets[node]! + 4;
    }
    yield;
  }
  if (length === count) return order;
  const cycle = yield* cycleIn(subgraph, lists, direction);
  throw new DataError(
    'SOMBRA_CYCLE',
    `nodes on a cycle have no order: one of ${cycle!.length} edges begins at node ${cycle!.nodes[0]}; 'details' has it, findCycle finds it too`,
    { details: { nodes: cycle!.nodes, edges: cycle!.edges } },
  );
}

/**
 * One cycle of edges in their direction, undefined when there is none; a self loop is one. The same one for the same graph;
 * it begins and ends at the least of its nodes. Memory: 12 bytes per node besides the 12 of a Subgraph, and 4 per
 * edge.
 */
export function* findCycle(source: ReadSource, options: AlgorithmOptions | undefined): Steps<Path | undefined> {
  const subgraph = yield* readSubgraph(source, options, [], 'findCycle');
  const lists = yield* readEdgeLists(subgraph, 'out', false);
  return yield* cycleIn(subgraph, lists, 'out');
}

function* cycleIn(subgraph: Subgraph, lists: EdgeLists, direction: 'out' | 'in'): Steps<Path | undefined> {
  const search = new CycleSearch(lists, subgraph);
  while (search.advance(SLICE)) yield;
  if (search.cycle.length === 0) return undefined;
  const { ids } = subgraph;
  // Edges were followed backwards in direction `in`; the cycle is given in their direction.
  const indexes = direction === 'out' ? search.cycle : search.cycle.reverse();
  const least = indexes.indexOf(indexes.reduce((a, b) => Math.min(a, b)));
  const nodes = [...indexes.slice(least), ...indexes.slice(0, least + 1)].map((index) => ids[index]!);
  const edges: number[] = [];
  const columns = new EdgeColumns();
  for (let i = 0; i + 1 < nodes.length; i += 1) edges.push(edgeBetween(subgraph, nodes[i]!, nodes[i + 1]!, columns));
  return { nodes, edges, length: edges.length };
}

/** The first of the edges that lead from one node to another. */
function edgeBetween({ store, view, filter }: Subgraph, from: number, to: number, columns: EdgeColumns): number {
  columns.length = 0;
  store.out.collect(view, from, filter, -1, columns);
  for (let i = 0; i < columns.length; i += 1) if (columns.neighbours[i] === to) return columns.edges[i]!;
  throw new CorruptionError(
    'SOMBRA_ADJACENCY',
    `an edge from node ${from} reaches node ${to} and is not among those that leave node ${from}; run verify, restore from a backup`,
    { details: { node: from } },
  );
}

const ON_PATH = 1;
const DONE = 2;

/** Search in depth for an edge back to a node of the path that led there. */
class CycleSearch {
  /** Nodes of the cycle, in the order of the walk; empty while none is found. */
  cycle: number[] = [];
  private readonly lists: EdgeLists;
  private readonly state: Uint32Array;
  private readonly next: Uint32Array;
  private readonly path: Uint32Array;
  private length = 0;
  private start = 0;

  constructor(lists: EdgeLists, { budget, count }: Subgraph) {
    this.lists = lists;
    this.state = budget.words(count);
    this.next = budget.words(count);
    this.path = budget.words(count);
  }

  /** Works on, for about so many edges. @returns false when a cycle is found or there is none */
  advance(steps: number): boolean {
    const { state, next, path } = this;
    const { offsets, targets } = this.lists;
    for (let left = steps; left > 0; left -= 1) {
      if (this.length === 0) {
        while (this.start < state.length && state[this.start] !== 0) this.start += 1;
        if (this.start === state.length) return false;
        this.enter(this.start);
      }
      const node = path[this.length - 1]!;
      const at = next[node]!;
      if (at === offsets[node + 1]) {
        state[node] = DONE;
        this.length -= 1;
        continue;
      }
      next[node] = at + 1;
      const target = targets[at]!;
      if (state[target] === ON_PATH) {
        this.cycle = Array.from(path.subarray(path.indexOf(target), this.length));
        return false;
      }
      if (state[target] !== DONE) this.enter(target);
    }
    return true;
  }

  private enter(node: number): void {
    this.state[node] = ON_PATH;
    this.next[node] = this.lists.offsets[node]!;
    this.path[this.length++] = node;
  }
}
