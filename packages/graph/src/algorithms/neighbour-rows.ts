import { CorruptionError } from '@sombra/vfs';
import type { Adjacency } from '../adjacency/adjacency.ts';
import { BLOCK_NEIGHBOURS_OFFSET } from '../adjacency/adjacency-block.ts';
import { EdgeColumns } from '../adjacency/edge-columns.ts';
import { COUNTER } from '../model/counters.ts';
import type { Direction } from '../model/types.ts';
import { SLICE, type Steps } from '../model/steps.ts';
import type { Subgraph } from './subgraph.ts';

/** Bytes that one edge of a node takes while the node is read: its columns and its place in the row. */
const ROW_BYTES = 8 + 8 + 2 + 4;

/** Reads the neighbours of one node after the other, as indexes of a subgraph. */
export class NeighbourRows {
  /** Neighbours of the node read last: one per edge, in the order of `Adjacency.collect`, outgoing before incoming. */
  row = new Uint32Array(256);
  /** How many there are. */
  length = 0;
  private readonly subgraph: Subgraph;
  private readonly direction: Direction;
  private readonly columns = new EdgeColumns();

  /** @param direction  in `both` a self loop is there once */
  constructor(subgraph: Subgraph, direction: Direction) {
    this.subgraph = subgraph;
    this.direction = direction;
  }

  /** Reads the neighbours of the node with this index into `row`. */
  read(index: number): void {
    const { direction, subgraph } = this;
    const node = subgraph.ids[index]!;
    this.length = 0;
    if (direction !== 'in') this.readOne(subgraph.store.out, node, -1);
    if (direction !== 'out') this.readOne(subgraph.store.in, node, direction === 'both' ? node : -1);
  }

  private readOne(adjacency: Adjacency, node: number, skip: number): void {
    const { subgraph, columns } = this;
    const { view, filter } = subgraph;
    const at = adjacency.head(view, node);
    if (at < 0) return;
    const count = adjacency.simpleCount(view.cache, at, filter);
    if (count >= 0) {
      this.reserve(count);
      const { words } = view.cache;
      const first = (at + BLOCK_NEIGHBOURS_OFFSET) >> 2;
      const { row } = this;
      let { length } = this;
      for (let i = first; i < first + count; i += 1) {
        const id = words[i]!;
        if (id === skip) continue;
        const index = subgraph.indexOf(id);
        if (index >= 0) row[length++] = index;
      }
      this.length = length;
      return;
    }
    columns.length = 0;
    this.reserve(adjacency.degree(view, node, filter, columns));
    columns.length = 0;
    adjacency.collect(view, node, filter, skip, columns);
    this.reserve(columns.length);
    for (let i = 0; i < columns.length; i += 1) {
      const index = subgraph.indexOf(columns.neighbours[i]!);
      if (index >= 0) this.row[this.length++] = index;
    }
  }

  /** Makes room for `count` more, also in the columns that they may pass through. */
  private reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.row.length) return;
    const size = Math.max(needed, this.row.length * 2);
    this.subgraph.budget.take((size - this.row.length) * ROW_BYTES);
    const row = new Uint32Array(size);
    row.set(this.row);
    this.row = row;
  }
}

/**
 * Edges of a subgraph in memory: those of node i lead to targets[offsets[i], offsets[i + 1]). Memory: 4 bytes per node and 4
 * per edge in each direction; up to 12 while the list of a part grows, whose edges have not been counted.
 */
export interface EdgeLists {
  readonly offsets: Uint32Array;
  readonly targets: Uint32Array;
}

/** Reads the edges of a subgraph. @param distinct  parallel edges once, and no self loops */
export function* readEdgeLists(subgraph: Subgraph, direction: Direction, distinct: boolean): Steps<EdgeLists> {
  const reader = new EdgeListReader(subgraph, direction, distinct);
  while (reader.readSlice()) yield;
  if (!distinct && direction !== 'both') reader.checkCount();
  return reader;
}

class EdgeListReader implements EdgeLists {
  readonly offsets: Uint32Array;
  targets: Uint32Array<ArrayBuffer>;
  private readonly subgraph: Subgraph;
  private readonly rows: NeighbourRows;
  /** Per node, in distinct lists: 1 + the last node that it was listed for. */
  private readonly seen: Uint32Array;
  private node = 0;
  private length = 0;

  constructor(subgraph: Subgraph, direction: Direction, distinct: boolean) {
    const { budget, count } = subgraph;
    this.subgraph = subgraph;
    this.rows = new NeighbourRows(subgraph, direction);
    this.offsets = budget.words(count + 1);
    const most = direction === 'both' ? subgraph.edgesMax * 2 : subgraph.edgesMax;
    this.targets = budget.words(subgraph.partial ? Math.min(most, count * 4) : most);
    this.seen = budget.words(distinct ? count : 0);
  }

  /** Compares with what the graph counts, where that is the same. @throws CorruptionError SOMBRA_ADJACENCY */
  checkCount(): void {
    const { view, filter, partial } = this.subgraph;
    if (partial || !filter.all || this.length === view.counter(COUNTER.edgeCount)) return;
    throw new CorruptionError(
      'SOMBRA_ADJACENCY',
      `the nodes have ${this.length} edges in one direction, not ${view.counter(COUNTER.edgeCount)}; run verify, restore from a backup`,
    );
  }

  /** @returns false when all are read */
  readSlice(): boolean {
    const { subgraph, rows, offsets, seen } = this;
    const distinct = seen.length > 0;
    let work = 0;
    for (; this.node < subgraph.count && work < SLICE; this.node += 1) {
      const { node } = this;
      rows.read(node);
      work += rows.length + 4;
      if (this.length + rows.length > this.targets.length)
        this.targets = subgraph.budget.grownWords(this.targets, this.length + rows.length);
      const { row, length } = rows;
      const { targets } = this;
      let end = this.length;
      if (distinct) {
        seen[node] = node + 1;
        for (let i = 0; i < length; i += 1) {
          const target = row[i]!;
          if (seen[target] === node + 1) continue;
          seen[target] = node + 1;
          targets[end++] = target;
        }
      } else for (let i = 0; i < length; i += 1) targets[end++] = row[i]!;
      this.length = end;
      offsets[node + 1] = end;
    }
    return this.node < subgraph.count;
  }
}
