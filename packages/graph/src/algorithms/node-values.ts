import type { NodeId } from '../model/types.ts';

/** A number per node, as an algorithm found it. Arrays are the caller's; they lie side by side: `values[i]` is of `nodes[i]`. */
export class NodeValues implements Iterable<{ id: NodeId; value: number }> {
  /** Ids, ascending. */
  readonly nodes: Float64Array;
  readonly values: Float64Array | Uint32Array;

  constructor(nodes: Float64Array, values: Float64Array | Uint32Array) {
    this.nodes = nodes;
    this.values = values;
  }

  /** Number of nodes. */
  get size(): number {
    return this.nodes.length;
  }

  /** Value of a node, undefined when it was not part of the run. */
  get(id: NodeId): number | undefined {
    const { nodes } = this;
    let low = 0;
    let high = nodes.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = nodes[middle]!;
      if (found === id) return this.values[middle];
      if (found < id) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  /** The nodes with the highest values, highest first; those with the same value by id. */
  top(count: number): { id: NodeId; value: number }[] {
    const { nodes, values } = this;
    const order = Uint32Array.from({ length: nodes.length }, (_, i) => i);
    order.sort((a, b) => values[b]! - values[a]! || a - b);
    return Array.from(order.subarray(0, Math.max(0, count)), (i) => ({ id: nodes[i]!, value: values[i]! }));
  }

  /** Nodes with their values, by id. */
  *[Symbol.iterator](): IterableIterator<{ id: NodeId; value: number }> {
    for (let i = 0; i < this.nodes.length; i += 1) yield { id: this.nodes[i]!, value: this.values[i]! };
  }
}
