import type { RadixSorter } from '../sorting/radix-sort.ts';

/** A growable list of a node's edges, column by column. Reused; ids as doubles, so that they may exceed 32 bits. */
export class EdgeColumns {
  neighbours = new Float64Array(64);
  edges = new Float64Array(64);
  types = new Uint16Array(64);
  length = 0;

  /** Makes room for `count` more edges. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.edges.length) return;
    const size = Math.max(needed, this.edges.length * 2);
    this.neighbours = grown(this.neighbours, new Float64Array(size));
    this.edges = grown(this.edges, new Float64Array(size));
    const types = new Uint16Array(size);
    types.set(this.types);
    this.types = types;
  }

  push(neighbour: number, edge: number, type: number): void {
    if (this.length === this.edges.length) this.reserve(1);
    const at = this.length;
    this.neighbours[at] = neighbour;
    this.edges[at] = edge;
    this.types[at] = type;
    this.length = at + 1;
  }

  /** Removes one edge; those behind it move up. */
  removeAt(at: number): void {
    this.neighbours.copyWithin(at, at + 1, this.length);
    this.edges.copyWithin(at, at + 1, this.length);
    this.types.copyWithin(at, at + 1, this.length);
    this.length -= 1;
  }

  /** Of the edges from `from` on, keeps those that lead to a neighbour. */
  keep(from: number, neighbour: number): void {
    const { neighbours, edges, types, length } = this;
    let kept = from;
    for (let i = from; i < length; i += 1) {
      if (neighbours[i] !== neighbour) continue;
      neighbours[kept] = neighbour;
      edges[kept] = edges[i]!;
      types[kept] = types[i]!;
      kept += 1;
    }
    this.length = kept;
  }

  /** Groups the edges by type; within one type they keep their order. */
  groupByType(sorter: RadixSorter): void {
    this.reorder(sorter.sort(this.types, this.length));
  }

  /** Orders the edges by edge id, or by type and then edge id. */
  sort(byType: boolean): void {
    const { edges, types, length } = this;
    const order = Uint32Array.from({ length }, (_, i) => i);
    order.sort((a, b) => (byType ? types[a]! - types[b]! : 0) || edges[a]! - edges[b]!);
    this.reorder(order);
  }

  private reorder(order: Uint32Array): void {
    const { neighbours, edges, types, length } = this;
    const from = neighbours.slice(0, length);
    const fromEdges = edges.slice(0, length);
    const fromTypes = types.slice(0, length);
    for (let i = 0; i < length; i += 1) {
      const at = order[i]!;
      neighbours[i] = from[at]!;
      edges[i] = fromEdges[at]!;
      types[i] = fromTypes[at]!;
    }
  }
}

function grown(from: Float64Array<ArrayBuffer>, to: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  to.set(from);
  return to;
}
