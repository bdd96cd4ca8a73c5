/**
 * Paths of least cost: Dijkstra's algorithm with a binary heap on typed arrays. With estimates of the cost that is left it is
 * A*. Ties go to the node met first.
 */
import type { View } from '@sombra/pager';
import { DataError } from '@sombra/vfs';
import type { Adjacency } from '../adjacency/adjacency.ts';
import type { Watch } from '../model/watch.ts';
import { CostHeap } from './cost-heap.ts';
import { EdgeColumns } from '../adjacency/edge-columns.ts';
import { NodeMarks } from './node-marks.ts';
import { COUNTER } from '../model/counters.ts';
import type { TypeFilter } from '../names/type-filter.ts';
import type { Direction, Path, PropertyValue } from '../model/types.ts';

/** What the search needs of the graph. */
export interface WeightedSource {
  readonly out: Adjacency;
  readonly in: Adjacency;
  /** A property of an edge, undefined if it has none. `keyId` -1: a key that nothing has. */
  edgeProperty(view: View, edge: number, keyId: number): PropertyValue | undefined;
}

/** A weight: a property of edges. undefined in its place: every edge costs 1. */
export interface Weight {
  readonly keyId: number;
  /** For messages. */
  readonly name: string;
}

/** Lower bounds of the cost from nodes to the target of a search. */
export interface Estimates {
  /** -1 when the target cannot be reached. */
  costOf(node: number): number;
}

/** What is searched for. */
export interface CostQuery {
  readonly view: View;
  readonly from: number;
  /** Cost of the way to `from`, which all costs include. Default 0. */
  readonly fromCost?: number;
  /** 0: no target, every node is settled that can be reached. */
  readonly to: number;
  readonly direction: Direction;
  readonly filter: TypeFilter;
  readonly weight: Weight | undefined;
  readonly maxCost: number;
  readonly watch: Watch | undefined;
  /** Nodes to settle at most when there is no target. */
  readonly limit: number;
  readonly estimates?: Estimates;
  readonly closedNodes?: ReadonlySet<number>;
  readonly closedEdges?: ReadonlySet<number>;
}

/** Estimates are sums in another order, so that rounding may make them greater than what they estimate, by less than this part. */
const ROUNDING = 1e-9;

/** Cost up to which a way is followed while the rest of it is estimated. What arrives is compared with `maxCost` itself. */
export function estimateLimit(maxCost: number): number {
  return maxCost + maxCost * ROUNDING;
}

export class WeightedPath implements Estimates {
  /** Places of the nodes whose cost is final, cheapest first. Without estimates only. */
  readonly settled: number[] = [];
  /** Place of the target when it was found, else -1. */
  target = -1;
  private readonly source: WeightedSource;
  private readonly marks = new NodeMarks();
  private readonly columns = new EdgeColumns();
  private readonly heap = new CostHeap();
  // Per node met, by its index in the marks.
  private node = new Float64Array(1024);
  private cost = new Float64Array(1024);
  private estimate = new Float64Array(1024);
  private parent = new Uint32Array(1024);
  private edge = new Float64Array(1024);

  constructor(source: WeightedSource) {
    this.source = source;
  }

  /**
   * Searches from a node that exists.
   * @returns place of the target; -1 when there is no path of at most `maxCost`, and without a target
   * @throws DataError SOMBRA_WEIGHT for an edge on the way whose weight is missing, no number, NaN or negative
   */
  search(query: CostQuery): number {
    this.begin(query);
    this.advance(query, Infinity);
    return this.target;
  }

  /** Begins a search that `advance` goes on with. */
  begin({ view, from, fromCost = 0, maxCost, estimates }: CostQuery): void {
    this.marks.begin(view.counter(COUNTER.nextNodeId));
    this.heap.length = 0;
    this.settled.length = 0;
    this.target = -1;
    const left = estimates?.costOf(from) ?? 0;
    if (left >= 0 && !isBeyond(fromCost, left, maxCost)) this.meet(from, fromCost, left, 0, 0);
  }

  /**
   * Goes on with the search that was begun, for so many edges or so.
   * @returns false when it has ended; see `target`
   * @throws as `search`
   */
  advance(query: CostQuery, edges: number): boolean {
    const { view, direction, filter, watch } = query;
    const { heap, columns, settled } = this;
    for (let left = edges; heap.length > 0 && left > 0; ) {
      const priority = heap.least;
      const place = heap.pop();
      // A way that was found later is cheaper.
      if (priority > this.cost[place]! + this.estimate[place]!) continue;
      const node = this.node[place]!;
      if (node === query.to) {
        this.target = place;
        return false;
      }
      if (query.to === 0) {
        settled.push(place);
        if (settled.length === query.limit) return false;
      }
      watch?.step();
      columns.length = 0;
      if (direction !== 'in') this.source.out.collect(view, node, filter, -1, columns);
      if (direction !== 'out') this.source.in.collect(view, node, filter, direction === 'both' ? node : -1, columns);
      for (let i = 0; i < columns.length; i += 1) this.relax(query, place, columns.neighbours[i]!, columns.edges[i]!);
      left -= columns.length + 1;
    }
    return heap.length > 0;
  }

  /** Node at a place. */
  nodeAt(place: number): number {
    return this.node[place]!;
  }

  /** Cost of the way to the node at a place. */
  costAt(place: number): number {
    return this.cost[place]!;
  }

  /** Cost of the way to a node, -1 when it was not met. */
  costOf(node: number): number {
    const place = this.marks.indexOf(node);
    return place < 0 ? -1 : this.cost[place]!;
  }

  /** The way to the node at a place. */
  path(last: number): Path & { weight: number } {
    const nodes = [this.node[last]!];
    const edges: number[] = [];
    for (let at = last; at !== 0; at = this.parent[at]!) {
      edges.push(this.edge[at]!);
      nodes.push(this.node[this.parent[at]!]!);
    }
    nodes.reverse();
    edges.reverse();
    return { nodes, edges, length: edges.length, weight: this.cost[last]! };
  }

  /** Cost of the way to each node of `path(last)`. */
  costsAlong(last: number): number[] {
    const costs = [this.cost[last]!];
    for (let at = last; at !== 0; at = this.parent[at]!) costs.push(this.cost[this.parent[at]!]!);
    return costs.reverse();
  }

  private relax(query: CostQuery, from: number, neighbour: number, edge: number): void {
    const { marks } = this;
    if (query.closedEdges?.has(edge) === true || query.closedNodes?.has(neighbour) === true) return;
    const { weight } = query;
    const step =
      weight === undefined
        ? 1
        : checkWeight(this.source.edgeProperty(query.view, edge, weight.keyId), edge, weight.name);
    const cost = this.cost[from]! + step;
    const place = marks.indexOf(neighbour);
    if (place >= 0) {
      if (!(cost < this.cost[place]!)) return;
      this.cost[place] = cost;
      this.parent[place] = from;
      this.edge[place] = edge;
      this.heap.push(cost + this.estimate[place]!, place);
      return;
    }
    const left = query.estimates?.costOf(neighbour) ?? 0;
    if (left < 0 || isBeyond(cost, left, query.maxCost)) return;
    this.meet(neighbour, cost, left, from, edge);
  }

  private meet(node: number, cost: number, estimate: number, parent: number, edge: number): void {
    this.marks.add(node);
    const place = this.marks.count - 1;
    if (place === this.node.length) this.grow();
    this.node[place] = node;
    this.cost[place] = cost;
    this.estimate[place] = estimate;
    this.parent[place] = parent;
    this.edge[place] = edge;
    this.heap.push(cost + estimate, place);
  }

  private grow(): void {
    const size = this.node.length * 2;
    const widen = (from: Float64Array): Float64Array<ArrayBuffer> => {
      const to = new Float64Array(size);
      to.set(from);
      return to;
    };
    this.node = widen(this.node);
    this.cost = widen(this.cost);
    this.estimate = widen(this.estimate);
    this.edge = widen(this.edge);
    const parent = new Uint32Array(size);
    parent.set(this.parent);
    this.parent = parent;
  }
}

function isBeyond(cost: number, left: number, maxCost: number): boolean {
  return left === 0 ? cost > maxCost : cost + left > estimateLimit(maxCost);
}

function checkWeight(value: PropertyValue | undefined, edge: number, property: string): number {
  if (typeof value === 'number' && value >= 0) return value;
  if (typeof value === 'bigint' && value >= 0n) return Number(value);
  const found =
    value === undefined
      ? 'has no such property'
      : typeof value === 'number' || typeof value === 'bigint'
        ? `has ${value}`
        : 'has no number there';
  throw new DataError(
    'SOMBRA_WEIGHT',
    `weight '${property}': edge ${edge} ${found}; weights are numbers of at least 0: set it, or leave edges out with 'type'`,
    { details: { edge } },
  );
}
