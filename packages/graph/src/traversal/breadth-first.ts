/**
 * Walking the graph: breadth first, and shortest paths by number of edges. Queues and marks are typed arrays that are kept
 * between calls; loops run over the columns of adjacency blocks in the page cache.
 *
 * Determinism: nodes are met in the order of the queue, edges in the order of `Adjacency.collect`, outgoing before incoming.
 */
import type { View } from '@sombra/pager';
import type { Adjacency } from '../adjacency/adjacency.ts';
import { BLOCK_CAPACITY_OFFSET, BLOCK_NEIGHBOURS_OFFSET, edgesOffset } from '../adjacency/adjacency-block.ts';
import { EdgeColumns } from '../adjacency/edge-columns.ts';
import { NodeMarks } from './node-marks.ts';
import { COUNTER } from '../model/counters.ts';
import type { TypeFilter } from '../names/type-filter.ts';
import type { Filters, WalkBounds } from './walk-options.ts';
import type { Watch } from '../model/watch.ts';
import type { Direction, Path } from '../model/types.ts';

/** What a traversal needs of the graph. */
export interface TraversalSource {
  readonly out: Adjacency;
  readonly in: Adjacency;
}

/** Nodes whose blocks are looked up before the first one is read. */
const LOOK_UP_BATCH = 32;

/** A set of seen nodes with the queue that they stand in; a node's place in it is its index in the marks. */
class Frontier {
  readonly marks = new NodeMarks();
  queue = new Float64Array(1024);
  /** Per place in the queue: place of the node it was reached from, and by which edge. Only kept for paths. */
  parent = new Uint32Array(0);
  edge = new Float64Array(0);
  /** First place that is not expanded yet. */
  head = 0;
  depth = 0;

  begin(limit: number, start: number, paths: boolean): void {
    this.marks.begin(limit);
    this.head = 0;
    this.depth = 0;
    if (paths && this.parent.length < this.queue.length) {
      this.parent = new Uint32Array(this.queue.length);
      this.edge = new Float64Array(this.queue.length);
    }
    this.marks.add(start);
    this.queue[0] = start;
  }

  grow(paths: boolean): void {
    const queue = new Float64Array(this.queue.length * 2);
    queue.set(this.queue);
    this.queue = queue;
    if (!paths) return;
    const parent = new Uint32Array(queue.length);
    parent.set(this.parent);
    this.parent = parent;
    const edge = new Float64Array(queue.length);
    edge.set(this.edge);
    this.edge = edge;
  }
}

export class BreadthFirst {
  private readonly source: TraversalSource;
  private readonly forward = new Frontier();
  private readonly backward = new Frontier();
  private readonly columns = new EdgeColumns();
  private readonly heads = new Int32Array(LOOK_UP_BATCH * 2);
  private readonly counts = new Int32Array(LOOK_UP_BATCH * 2);
  /** Where each level of the last visit ends in `nodes`. */
  readonly levelEnds: number[] = [];
  /** Of the visit or search under way: first id that was not there at its beginning; place behind the level that is being
   * expanded; number of nodes from which on none is part of the result. */
  private ids = 0;
  private levelEnd = 0;
  private ceiling = Infinity;
  /** Of a search for a path: the side that a level is being added to, and the node where both sides have met. */
  private growing: Frontier | undefined;
  private meeting = -1;

  constructor(source: TraversalSource) {
    this.source = source;
  }

  /** Nodes of the last `visit`, level by level, the start first; valid until the next call. */
  get nodes(): Float64Array {
    return this.forward.queue;
  }

  /** A set for callers, empty; valid until the next traversal. */
  marks(view: View): NodeMarks {
    this.forward.marks.begin(view.counter(COUNTER.nextNodeId));
    return this.forward.marks;
  }

  /** Place of a node among the `nodes` of the last `visit`, -1 when it is not there. */
  placeOf(node: number): number {
    return this.forward.marks.indexOf(node);
  }

  /**
   * Visits nodes level by level from `start`, which exists.
   * @param bounds  levels below `maxDepth`; the limit counts nodes from `minDepth` on
   * @returns number of nodes seen, those above `minDepth` included; see `nodes` and `levelEnds`
   */
  visit(view: View, start: number, bounds: WalkBounds, filter: TypeFilter, watch: Watch | undefined): number {
    this.begin(view, start, bounds, undefined);
    this.advance(view, bounds, filter, undefined, watch, Infinity);
    return this.count;
  }

  /**
   * Begins a visit that `advance` goes on with.
   * @param filters  predicates to ask; they may use the graph: nothing of theirs is held while they run
   */
  begin(view: View, start: number, { minDepth, limit }: WalkBounds, filters: Filters | undefined): void {
    const ids = view.counter(COUNTER.nextNodeId);
    this.ids = ids;
    this.forward.begin(ids, start, false);
    if (filters !== undefined) this.backward.marks.begin(ids);
    this.levelEnds.length = 0;
    this.levelEnds.push(1);
    this.levelEnd = 0;
    this.ceiling = minDepth === 0 ? limit : Infinity;
  }

  /**
   * Goes on with the visit that was begun, for so many nodes or so. The parameters are those of `begin` each time.
   * @returns false when it has ended; see `count`
   */
  advance(
    view: View,
    { direction, minDepth, maxDepth, limit }: WalkBounds,
    filter: TypeFilter,
    filters: Filters | undefined,
    watch: Watch | undefined,
    nodes: number,
  ): boolean {
    const { forward: side, levelEnds } = this;
    const { marks } = side;
    for (let left = nodes; side.depth < maxDepth && marks.count < this.ceiling; ) {
      if (side.head === this.levelEnd) {
        this.levelEnd = marks.count;
        if (side.depth + 1 === minDepth) this.ceiling = this.levelEnd + limit;
      }
      const from = side.head;
      const end = Math.min(this.levelEnd, from + left);
      if (filters === undefined) this.expandLevel(view, direction, filter, end, this.ceiling, watch);
      else this.expandFiltered(view, direction, filter, filters, end, watch);
      left -= side.head - from;
      if (side.head < this.levelEnd && marks.count < this.ceiling) return true;
      side.depth += 1;
      if (marks.count === this.levelEnd) return false;
      levelEnds.push(Math.min(marks.count, this.ceiling));
      if (left <= 0) return true;
    }
    return false;
  }

  /** Number of nodes that the visit has seen, as `visit` returns it. */
  get count(): number {
    return Math.min(this.forward.marks.count, this.ceiling);
  }

  /** As `expandLevel`, asking predicates. */
  private expandFiltered(
    view: View,
    direction: Direction,
    filter: TypeFilter,
    filters: Filters,
    end: number,
    watch: Watch | undefined,
  ): void {
    const { forward: side, columns, ids, ceiling } = this;
    const refused = this.backward.marks;
    const depth = side.depth + 1;
    for (; side.head < end && side.marks.count < ceiling; side.head += 1) {
      watch?.step();
      const node = side.queue[side.head]!;
      columns.length = 0;
      if (direction !== 'in') this.source.out.collect(view, node, filter, -1, columns);
      if (direction !== 'out') this.source.in.collect(view, node, filter, direction === 'both' ? node : -1, columns);
      for (let i = 0; i < columns.length && side.marks.count < ceiling; i += 1) {
        const neighbour = columns.neighbours[i]!;
        if (neighbour >= ids && neighbour < view.counter(COUNTER.nextNodeId)) continue; // added by a predicate
        if (side.marks.indexOf(neighbour) >= 0 || refused.indexOf(neighbour) >= 0) continue;
        if (!filters.acceptsEdge(columns.edges[i]!, depth)) continue;
        if (filters.acceptsNode(neighbour, depth)) this.enqueue(neighbour);
        else refused.add(neighbour);
      }
    }
  }

  /** Adds a node that was not seen yet. */
  private enqueue(node: number): void {
    const side = this.forward;
    side.marks.add(node);
    if (side.marks.count > side.queue.length) side.grow(false);
    side.queue[side.marks.count - 1] = node;
  }

  /**
   * Nodes at the ends of walks of exactly `hops` edges, each once.
   * @returns how many; see `nodes`
   */
  walkEnds(
    view: View,
    start: number,
    direction: Direction,
    filter: TypeFilter,
    hops: number,
    watch: Watch | undefined,
  ): number {
    const limit = view.counter(COUNTER.nextNodeId);
    this.forward.begin(limit, start, false);
    let sources = Float64Array.of(start);
    for (let hop = 0; hop < hops && sources.length > 0; hop += 1) {
      if (hop > 0) sources = this.forward.queue.slice(0, this.forward.marks.count);
      this.forward.marks.begin(limit);
      for (let i = 0; i < sources.length; i += 1) {
        watch?.step();
        this.expand(view, sources[i]!, direction, filter, Infinity);
      }
    }
    return this.forward.marks.count;
  }

  /**
   * Expands the nodes before `end` that are not expanded yet. The blocks of several nodes are looked up first and read
   * afterwards: the look-ups do not depend on each other, so that the processor waits for their memory at the same time.
   */
  private expandLevel(
    view: View,
    direction: Direction,
    filter: TypeFilter,
    end: number,
    limit: number,
    watch: Watch | undefined,
  ): void {
    const side = this.forward;
    const { cache } = view;
    const { heads, counts } = this;
    const out = direction !== 'in';
    const into = direction !== 'out';
    while (side.head < end && side.marks.count < limit) {
      watch?.step(LOOK_UP_BATCH);
      const first = side.head;
      const last = Math.min(first + LOOK_UP_BATCH, end);
      const { evictions } = cache;
      let place = 0;
      for (let i = first; i < last; i += 1) {
        const node = side.queue[i]!;
        if (out) this.lookUp(view, this.source.out, node, filter, place++);
        if (into) this.lookUp(view, this.source.in, node, filter, place++);
      }
      place = 0;
      for (let i = first; i < last && side.marks.count < limit; i += 1) {
        side.head = i + 1;
        const node = side.queue[i]!;
        // A page that was evicted meanwhile may have been one of these.
        if (cache.evictions !== evictions) {
          this.expand(view, node, direction, filter, limit);
          continue;
        }
        if (out) {
          this.expandFound(view, this.source.out, node, heads[place]!, counts[place]!, filter, limit);
          place += 1;
        }
        if (!into) continue;
        if (cache.evictions === evictions)
          this.expandFound(view, this.source.in, node, heads[place]!, counts[place]!, filter, limit);
        else this.expandOne(view, this.source.in, node, filter, limit);
        place += 1;
      }
    }
  }

  /** Notes where a node's block is, and the number of its edges as `Adjacency.simpleCount`. */
  private lookUp(view: View, adjacency: Adjacency, node: number, filter: TypeFilter, place: number): void {
    const at = adjacency.head(view, node);
    this.heads[place] = at;
    this.counts[place] = at < 0 ? 0 : adjacency.simpleCount(view.cache, at, filter);
  }

  private expand(view: View, node: number, direction: Direction, filter: TypeFilter, limit: number): void {
    if (direction !== 'in') this.expandOne(view, this.source.out, node, filter, limit);
    if (direction !== 'out') this.expandOne(view, this.source.in, node, filter, limit);
  }

  /** Adds the unseen neighbours of a node in one direction to the queue. */
  private expandOne(view: View, adjacency: Adjacency, node: number, filter: TypeFilter, limit: number): void {
    const at = adjacency.head(view, node);
    if (at < 0) return;
    this.expandFound(view, adjacency, node, at, adjacency.simpleCount(view.cache, at, filter), filter, limit);
  }

  /** As `expandOne`, with the block found. @param count  what `Adjacency.simpleCount` says of it */
  private expandFound(
    view: View,
    adjacency: Adjacency,
    node: number,
    at: number,
    count: number,
    filter: TypeFilter,
    limit: number,
  ): void {
    const side = this.forward;
    const { marks } = side;
    if (count < 0 || marks.count + count > limit) {
      this.expandColumns(view, adjacency, node, filter, limit);
      return;
    }
    while (marks.count + count > side.queue.length) side.grow(false);
    const first = (at + BLOCK_NEIGHBOURS_OFFSET) >> 2;
    marks.addAll(view.cache.words, first, first + count, side.queue);
  }

  /** As `expandOne`, for blocks of any layout. */
  private expandColumns(view: View, adjacency: Adjacency, node: number, filter: TypeFilter, limit: number): void {
    const side = this.forward;
    const { columns } = this;
    columns.length = 0;
    adjacency.collect(view, node, filter, -1, columns);
    for (let i = 0; i < columns.length && side.marks.count < limit; i += 1) {
      const neighbour = columns.neighbours[i]!;
      if (!side.marks.add(neighbour)) continue;
      if (side.marks.count > side.queue.length) side.grow(false);
      side.queue[side.marks.count - 1] = neighbour;
    }
  }

  /** The search as a whole. @returns undefined when there is no path of at most `maxDepth` edges */
  shortestPath(
    view: View,
    from: number,
    to: number,
    direction: Direction,
    filter: TypeFilter,
    maxDepth: number,
    watch: Watch | undefined,
  ): Path | undefined {
    this.beginPath(view, from, to);
    this.advancePath(view, direction, filter, maxDepth, watch, Infinity);
    return this.path();
  }

  /**
   * Begins the search for a path with the fewest edges between two nodes that exist, from both ends: always the smaller frontier
   * grows, by a whole level, so the first node that both have seen lies on a shortest path.
   */
  beginPath(view: View, from: number, to: number): void {
    const limit = view.counter(COUNTER.nextNodeId);
    this.forward.begin(limit, from, true);
    this.backward.begin(limit, to, true);
    this.growing = undefined;
    this.meeting = -1;
  }

  /**
   * Goes on with the search that was begun, for so many nodes or so.
   * @returns false when it has ended; see `path`
   */
  advancePath(
    view: View,
    direction: Direction,
    filter: TypeFilter,
    maxDepth: number,
    watch: Watch | undefined,
    nodes: number,
  ): boolean {
    const { forward, backward } = this;
    const reverse: Direction = direction === 'both' ? 'both' : direction === 'out' ? 'in' : 'out';
    for (let left = nodes; ; ) {
      if (this.growing === undefined) {
        const ahead = forward.marks.count - forward.head;
        const behind = backward.marks.count - backward.head;
        if (forward.depth + backward.depth >= maxDepth || ahead === 0 || behind === 0) return false;
        this.growing = ahead <= behind ? forward : backward;
        this.growing.depth += 1;
        this.levelEnd = this.growing.marks.count;
      }
      const side = this.growing;
      const from = side.head;
      const end = Math.min(this.levelEnd, from + left);
      this.meeting =
        side === forward
          ? this.growLevel(view, forward, backward, direction, filter, end, watch)
          : this.growLevel(view, backward, forward, reverse, filter, end, watch);
      if (this.meeting >= 0) return false;
      left -= side.head - from;
      if (side.head === this.levelEnd) this.growing = undefined;
      if (left <= 0) return true;
    }
  }

  /** The path that the search has found; undefined when there is none of at most `maxDepth` edges. */
  path(): Path | undefined {
    const { forward, backward, meeting } = this;
    if (meeting < 0) return undefined;
    const nodes: number[] = [];
    const edges: number[] = [];
    collectPath(forward, forward.marks.indexOf(meeting), true, nodes, edges);
    nodes.push(meeting);
    collectPath(backward, backward.marks.indexOf(meeting), false, nodes, edges);
    return { nodes, edges, length: edges.length };
  }

  /** Grows one side by the nodes before `end`. @returns a node that the other side has seen, -1 if there is none */
  private growLevel(
    view: View,
    side: Frontier,
    other: Frontier,
    direction: Direction,
    filter: TypeFilter,
    end: number,
    watch: Watch | undefined,
  ): number {
    for (; side.head < end; side.head += 1) {
      watch?.step();
      const node = side.queue[side.head]!;
      if (direction !== 'in') {
        const meeting = this.growOne(view, this.source.out, node, side, other, filter);
        if (meeting >= 0) return meeting;
      }
      if (direction !== 'out') {
        const meeting = this.growOne(view, this.source.in, node, side, other, filter);
        if (meeting >= 0) return meeting;
      }
    }
    return -1;
  }

  private growOne(
    view: View,
    adjacency: Adjacency,
    node: number,
    side: Frontier,
    other: Frontier,
    filter: TypeFilter,
  ): number {
    const at = adjacency.head(view, node);
    if (at < 0) return -1;
    const count = adjacency.simpleCount(view.cache, at, filter);
    if (count < 0) return this.growColumns(view, adjacency, node, side, other, filter);
    const { marks } = side;
    while (marks.count + count > side.queue.length) side.grow(true);
    const { words, halves } = view.cache;
    const first = (at + BLOCK_NEIGHBOURS_OFFSET) >> 2;
    const edges = ((at + edgesOffset(halves[(at + BLOCK_CAPACITY_OFFSET) >> 1]!)) >> 2) - first;
    const { queue, parent, edge, head } = side;
    for (let i = first; i < first + count; i += 1) {
      const neighbour = words[i]!;
      if (!marks.add(neighbour)) continue;
      const place = marks.count - 1;
      queue[place] = neighbour;
      parent[place] = head;
      edge[place] = words[i + edges]!;
      if (other.marks.indexOf(neighbour) >= 0) return neighbour;
    }
    return -1;
  }

  private growColumns(
    view: View,
    adjacency: Adjacency,
    node: number,
    side: Frontier,
    other: Frontier,
    filter: TypeFilter,
  ): number {
    const { columns } = this;
    columns.length = 0;
    adjacency.collect(view, node, filter, -1, columns);
    for (let i = 0; i < columns.length; i += 1) {
      const neighbour = columns.neighbours[i]!;
      if (!side.marks.add(neighbour)) continue;
      if (side.marks.count > side.queue.length) side.grow(true);
      const place = side.marks.count - 1;
      side.queue[place] = neighbour;
      side.parent[place] = side.head;
      side.edge[place] = columns.edges[i]!;
      if (other.marks.indexOf(neighbour) >= 0) return neighbour;
    }
    return -1;
  }
}

/** Appends the way between the start of a side and the node at `place`, without that node. */
function collectPath(side: Frontier, place: number, forwards: boolean, nodes: number[], edges: number[]): void {
  const firstNode = nodes.length;
  const firstEdge = edges.length;
  for (let at = place; at !== 0; at = side.parent[at]!) {
    edges.push(side.edge[at]!);
    nodes.push(side.queue[side.parent[at]!]!);
  }
  if (!forwards) return;
  reverseFrom(nodes, firstNode);
  reverseFrom(edges, firstEdge);
}

function reverseFrom(list: number[], first: number): void {
  for (let low = first, high = list.length - 1; low < high; low += 1, high -= 1) {
    const swap = list[low]!;
    list[low] = list[high]!;
    list[high] = swap;
  }
}
