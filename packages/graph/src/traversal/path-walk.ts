/**
 * Walks all paths from a node in depth, one after the other: a path comes before its extensions, edges are followed in the
 * order of `Adjacency.collect`, outgoing before incoming.
 *
 * Memory: 18 bytes per edge of the nodes on the current path, and a set of the path's nodes or edges.
 */
import type { View } from '@sombra/pager';
import { EdgeColumns } from '../adjacency/edge-columns.ts';
import type { TraversalSource } from './breadth-first.ts';
import { COUNTER } from '../model/counters.ts';
import type { TypeFilter } from '../names/type-filter.ts';
import type { Direction, Path } from '../model/types.ts';
import type { Filters } from './walk-options.ts';
import type { Watch } from '../model/watch.ts';

/** Which paths are walked. */
export interface PathQuery {
  readonly from: number;
  /** 0: wherever they end. */
  readonly to: number;
  readonly minLength: number;
  readonly maxLength: number;
  readonly direction: Direction;
  readonly filter: TypeFilter;
  readonly filters: Filters;
  /** What a path has at most once. */
  readonly unique: 'nodes' | 'edges';
  /** Of the edges from one node to another, follow one only. */
  readonly distinct: boolean;
  /** Edges from a node to `to` at least; -1 when it cannot be reached. undefined: not known. */
  readonly distances: { of(node: number): number } | undefined;
  readonly watch: Watch | undefined;
}

export class PathWalk {
  private readonly source: TraversalSource;
  private readonly view: View;
  private readonly query: PathQuery;
  private readonly nodes: number[];
  private readonly edges: number[] = [];
  /** Nodes or edges of the path. */
  private readonly used = new Set<number>();
  private readonly columns = new EdgeColumns();
  // Per node of the path whose edges are in `columns`: its first and its next edge there.
  private readonly first: number[] = [];
  private readonly next: number[] = [];
  /** Neighbours that the walk went to, per node of the path. Only with `distinct`. */
  private readonly taken: Set<number>[] = [];
  /** Edges from this id on were added after the walk began, by a caller that writes while it gets paths. */
  private readonly end: number;
  private begun = false;

  constructor(source: TraversalSource, view: View, query: PathQuery) {
    this.source = source;
    this.view = view;
    this.query = query;
    this.end = view.counter(COUNTER.nextEdgeId);
    this.nodes = [query.from];
    if (query.unique === 'nodes') this.used.add(query.from);
  }

  /** The next path; undefined when there are no more. */
  advance(): Path | undefined {
    const { query, nodes, edges } = this;
    if (!this.begun) {
      this.begun = true;
      if (query.minLength === 0 && this.fits()) return this.path();
    }
    for (;;) {
      query.watch?.step();
      if (this.first.length < nodes.length) this.open();
      if (!this.extend()) {
        this.columns.length = this.first.pop()!;
        this.next.pop();
        this.taken.pop();
        const node = nodes.pop()!;
        if (nodes.length === 0) return undefined;
        const edge = edges.pop()!;
        this.used.delete(query.unique === 'nodes' ? node : edge);
        continue;
      }
      if (edges.length >= query.minLength && this.fits()) return this.path();
    }
  }

  private fits(): boolean {
    return this.query.to === 0 || this.nodes.at(-1) === this.query.to;
  }

  private path(): Path {
    return { nodes: this.nodes.slice(), edges: this.edges.slice(), length: this.edges.length };
  }

  /** Reads the edges of the last node, unless the path must not grow. */
  private open(): void {
    const { query, columns, view, source } = this;
    const { direction, filter } = query;
    const node = this.nodes.at(-1)!;
    this.first.push(columns.length);
    this.next.push(columns.length);
    if (query.distinct) this.taken.push(new Set());
    if (this.edges.length >= query.maxLength) return;
    if (direction !== 'in') source.out.collect(view, node, filter, -1, columns);
    if (direction !== 'out') source.in.collect(view, node, filter, direction === 'both' ? node : -1, columns);
  }

  /** Goes on by the next edge of the last node. @returns false when it has none */
  private extend(): boolean {
    const { query, columns, used, edges } = this;
    const { filters, distances, unique } = query;
    const depth = edges.length + 1;
    const top = this.next.length - 1;
    for (let i = this.next[top]!; i < columns.length; i += 1) {
      const neighbour = columns.neighbours[i]!;
      const edge = columns.edges[i]!;
      if (edge >= this.end) continue;
      if (used.has(unique === 'nodes' ? neighbour : edge)) continue;
      if (distances !== undefined) {
        const left = distances.of(neighbour);
        if (left < 0 || depth + left > query.maxLength) continue;
      }
      if (this.taken[top]?.has(neighbour) === true) continue;
      if (!filters.acceptsEdge(edge, depth) || !filters.acceptsNode(neighbour, depth)) continue;
      this.taken[top]?.add(neighbour);
      this.next[top] = i + 1;
      this.nodes.push(neighbour);
      edges.push(edge);
      used.add(unique === 'nodes' ? neighbour : edge);
      return true;
    }
    this.next[top] = columns.length;
    return false;
  }
}
