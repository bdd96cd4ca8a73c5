import type { EdgeLists } from './neighbour-rows.ts';
import type { Subgraph } from './subgraph.ts';

/**
 * Tarjan's algorithm (SIAM J. Comput. 1972) with stacks of its own, in slices. A node stands on `path` while its edges are
 * followed, and on `open` until its component is complete.
 */
export class StrongSearch {
  /** Per node the least node of its component, once `advance` has returned false. */
  readonly roots: Uint32Array;
  private readonly lists: EdgeLists;
  private readonly count: number;
  /** Order of the first visit, from 1; 0 is not visited. */
  private readonly order: Uint32Array;
  /** Least order of an open node that the node's subtree reaches; 0 once its component is complete. */
  private readonly low: Uint32Array;
  /** Next edge to follow. */
  private readonly next: Uint32Array;
  private readonly path: Uint32Array;
  private readonly open: Uint32Array;
  private pathLength = 0;
  private openLength = 0;
  private visited = 0;
  private start = 0;

  constructor(lists: EdgeLists, { budget, count }: Subgraph) {
    this.lists = lists;
    this.count = count;
    this.roots = budget.words(count);
    this.order = budget.words(count);
    this.low = budget.words(count);
    this.next = budget.words(count);
    this.path = budget.words(count);
    this.open = budget.words(count);
  }

  /** Works on, for about so many edges. @returns false when all is done */
  advance(steps: number): boolean {
    const { lists, count, order, low, next, path } = this;
    const { offsets, targets } = lists;
    let left = steps;
    while (left > 0) {
      if (this.pathLength === 0) {
        while (this.start < count && order[this.start] !== 0) this.start += 1;
        if (this.start === count) return false;
        this.visit(this.start);
      }
      const node = path[this.pathLength - 1]!;
      const end = offsets[node + 1]!;
      let at = next[node]!;
      let least = low[node]!;
      const first = at;
      let child = -1;
      for (; at < end; at += 1) {
        const target = targets[at]!;
        if (order[target] === 0) {
          child = target;
          at += 1;
          break;
        }
        // Nodes of complete components have a low of 0, which is no order.
        if (low[target] !== 0 && order[target]! < least) least = order[target]!;
      }
      next[node] = at;
      low[node] = least;
      left -= at - first + 1;
      if (child >= 0) {
        this.visit(child);
        continue;
      }
      this.pathLength -= 1;
      if (least === order[node]) this.complete(node);
      else {
        const parent = path[this.pathLength - 1]!;
        if (least < low[parent]!) low[parent] = least;
      }
    }
    return true;
  }

  private visit(node: number): void {
    this.visited += 1;
    this.order[node] = this.visited;
    this.low[node] = this.visited;
    this.next[node] = this.lists.offsets[node]!;
    this.path[this.pathLength++] = node;
    this.open[this.openLength++] = node;
  }

  /** Takes the component of `node` from the open nodes. */
  private complete(node: number): void {
    const { low, open, roots } = this;
    let first = this.openLength;
    let least = node;
    do {
      first -= 1;
      const member = open[first]!;
      low[member] = 0;
      if (member < least) least = member;
    } while (open[first] !== node);
    for (let i = first; i < this.openLength; i += 1) roots[open[i]!] = least;
    this.openLength = first;
  }
}
