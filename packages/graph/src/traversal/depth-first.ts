/**
 * Search in depth, without recursion. A node's edges are followed in the order of `Adjacency.collect`, outgoing before
 * incoming; each node is visited once, by the first way that leads to it.
 *
 * Memory: 4 bytes per node id, and the edges of the nodes on the current path (18 bytes each).
 */
import type { View } from '@sombra/pager';
import { EdgeColumns } from '../adjacency/edge-columns.ts';
import { NodeMarks } from './node-marks.ts';
import { COUNTER } from '../model/counters.ts';
import type { TypeFilter } from '../names/type-filter.ts';
import type { TraversalSource } from './breadth-first.ts';
import type { Filters, WalkBounds } from './walk-options.ts';
import type { Watch } from '../model/watch.ts';

/** Nodes of a traversal, each with its depth. */
export type VisitedNodes = { id: number; depth: number }[];

export class DepthFirst {
  private readonly source: TraversalSource;
  private readonly marks = new NodeMarks();
  /** Nodes that a predicate refused. */
  private readonly refused = new NodeMarks();
  /** Edges of the nodes on the path, one node's behind the other's. */
  private readonly columns = new EdgeColumns();
  // Per node on the path: itself, its next edge, the end of its edges.
  private node = new Float64Array(64);
  private next = new Uint32Array(64);
  private end = new Uint32Array(64);

  constructor(source: TraversalSource) {
    this.source = source;
  }

  /**
   * Visits nodes from one that exists.
   * @param post  list a node behind those that were reached through it, instead of before
   */
  walk(
    view: View,
    start: number,
    { direction, minDepth, maxDepth, limit }: WalkBounds,
    filter: TypeFilter,
    filters: Filters,
    post: boolean,
    watch: Watch | undefined,
  ): VisitedNodes {
    const { source, marks, refused, columns } = this;
    const found: VisitedNodes = [];
    if (limit === 0) return found;
    marks.begin(view.counter(COUNTER.nextNodeId));
    refused.begin(filters.none ? 0 : view.counter(COUNTER.nextNodeId));
    columns.length = 0;
    marks.add(start);
    let depth = -1;
    let entering = start;
    for (;;) {
      if (entering !== 0) {
        watch?.step();
        depth += 1;
        if (depth === this.node.length) this.grow();
        this.node[depth] = entering;
        this.next[depth] = columns.length;
        if (!post && depth >= minDepth) {
          found.push({ id: entering, depth });
          if (found.length === limit) return found;
        }
        if (depth < maxDepth) {
          if (direction !== 'in') source.out.collect(view, entering, filter, -1, columns);
          if (direction !== 'out')
            source.in.collect(view, entering, filter, direction === 'both' ? entering : -1, columns);
        }
        this.end[depth] = columns.length;
      }
      entering = this.nextChild(view, depth, filters);
      if (entering !== 0) continue;
      if (post && depth >= minDepth) {
        found.push({ id: this.node[depth]!, depth });
        if (found.length === limit) return found;
      }
      if (depth === 0) return found;
      depth -= 1;
      columns.length = this.end[depth]!;
    }
  }

  /** Takes the next unvisited neighbour of the node at a depth; 0 when there is none. */
  private nextChild(view: View, depth: number, filters: Filters): number {
    const { marks, columns, refused, next } = this;
    const end = this.end[depth]!;
    for (let i = next[depth]!; i < end; i += 1) {
      const neighbour = columns.neighbours[i]!;
      if (!filters.none) {
        if (neighbour >= marks.limit && neighbour < view.counter(COUNTER.nextNodeId)) continue; // added by a predicate
        if (marks.indexOf(neighbour) >= 0 || refused.indexOf(neighbour) >= 0) continue;
        if (!filters.acceptsEdge(columns.edges[i]!, depth + 1)) continue;
        if (!filters.acceptsNode(neighbour, depth + 1)) {
          refused.add(neighbour);
          continue;
        }
      }
      if (!marks.add(neighbour)) continue;
      next[depth] = i + 1;
      return neighbour;
    }
    next[depth] = end;
    return 0;
  }

  private grow(): void {
    const node = new Float64Array(this.node.length * 2);
    node.set(this.node);
    this.node = node;
    const next = new Uint32Array(node.length);
    next.set(this.next);
    this.next = next;
    const end = new Uint32Array(node.length);
    end.set(this.end);
    this.end = end;
  }
}
