/** Shortest paths by a weight: Dijkstra's algorithm with a binary heap on typed arrays. Ties go to the node met first. */
import type { View } from '@sombra/pager';
import { CorruptionError, DataError } from '@sombra/vfs';
import type { Adjacency } from './adjacency.ts';
import { EdgeColumns } from './edge-columns.ts';
import { NodeMarks } from './node-marks.ts';
import type { TypeFilter } from './type-filter.ts';
import type { Direction, Path, PropertyValue } from './types.ts';

/** What the search needs of the graph. */
export interface WeightedSource {
  readonly out: Adjacency;
  readonly in: Adjacency;
  /** The weight property of an edge, undefined if it has none. */
  weightOf(view: View, edge: number): PropertyValue | undefined;
}

const NEXT_NODE_ID = 0;

export class WeightedPath {
  private readonly source: WeightedSource;
  private readonly marks = new NodeMarks();
  private readonly columns = new EdgeColumns();
  private readonly heap = new Heap();
  // Per node met, by its index in the marks.
  private node = new Float64Array(1024);
  private distance = new Float64Array(1024);
  private parent = new Uint32Array(1024);
  private edge = new Float64Array(1024);
  private settled = new Uint8Array(1024);

  constructor(source: WeightedSource) {
    this.source = source;
  }

  /**
   * A path of least weight between two nodes that exist.
   * @param property  name of the weight, for messages
   * @throws DataError SOMBRA_WEIGHT for an edge on the way whose weight is missing, no number, NaN or negative
   */
  find(
    view: View,
    from: number,
    to: number,
    direction: Direction,
    filter: TypeFilter,
    property: string,
  ): Path | undefined {
    const { marks, heap } = this;
    marks.begin(view.counter(NEXT_NODE_ID));
    heap.length = 0;
    this.meet(from, 0, 0, 0);
    heap.push(0, 0);
    while (heap.length > 0) {
      const place = heap.pop();
      if (this.settled[place] === 1) continue;
      this.settled[place] = 1;
      const node = this.node[place]!;
      if (node === to) return this.path(place);
      const { columns } = this;
      columns.length = 0;
      if (direction !== 'in') this.source.out.collect(view, node, filter, -1, columns);
      if (direction !== 'out') this.source.in.collect(view, node, filter, direction === 'both' ? node : -1, columns);
      for (let i = 0; i < columns.length; i += 1)
        this.relax(view, place, columns.neighbours[i]!, columns.edges[i]!, property);
    }
    return undefined;
  }

  private relax(view: View, from: number, neighbour: number, edge: number, property: string): void {
    const { marks } = this;
    const distance = this.distance[from]! + checkWeight(this.source.weightOf(view, edge), edge, property);
    const place = marks.indexOf(neighbour);
    if (place < 0) {
      this.meet(neighbour, distance, from, edge);
      this.heap.push(distance, marks.count - 1);
    } else if (distance < this.distance[place]!) {
      if (this.settled[place] === 1) return;
      this.distance[place] = distance;
      this.parent[place] = from;
      this.edge[place] = edge;
      this.heap.push(distance, place);
    }
  }

  private meet(node: number, distance: number, parent: number, edge: number): void {
    this.marks.add(node);
    const place = this.marks.count - 1;
    if (place === this.node.length) this.grow();
    this.node[place] = node;
    this.distance[place] = distance;
    this.parent[place] = parent;
    this.edge[place] = edge;
    this.settled[place] = 0;
  }

  private path(last: number): Path {
    const nodes = [this.node[last]!];
    const edges: number[] = [];
    for (let at = last; at !== 0; at = this.parent[at]!) {
      edges.push(this.edge[at]!);
      nodes.push(this.node[this.parent[at]!]!);
    }
    nodes.reverse();
    edges.reverse();
    return { nodes, edges, length: edges.length, weight: this.distance[last]! };
  }

  private grow(): void {
    const size = this.node.length * 2;
    const widen = (from: Float64Array): Float64Array<ArrayBuffer> => {
      const to = new Float64Array(size);
      to.set(from);
      return to;
    };
    this.node = widen(this.node);
    this.distance = widen(this.distance);
    this.edge = widen(this.edge);
    const parent = new Uint32Array(size);
    parent.set(this.parent);
    this.parent = parent;
    const settled = new Uint8Array(size);
    settled.set(this.settled);
    this.settled = settled;
  }
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

/** An edge that adjacency names and that has no record. */
export function danglingEdge(edge: number): CorruptionError {
  return new CorruptionError(
    'SOMBRA_ADJACENCY',
    `edge ${edge} is in the adjacency of a node and has no record; run verify, restore from a backup`,
    {
      details: { edge },
    },
  );
}

/** Binary heap of (distance, place), least first, ties by place. */
class Heap {
  length = 0;
  private distances = new Float64Array(1024);
  private places = new Uint32Array(1024);

  push(distance: number, place: number): void {
    if (this.length === this.places.length) this.grow();
    const { distances, places } = this;
    let at = this.length++;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const above = distances[up]!;
      if (above < distance || (above === distance && places[up]! <= place)) break;
      distances[at] = above;
      places[at] = places[up]!;
      at = up;
    }
    distances[at] = distance;
    places[at] = place;
  }

  /** Removes the least entry. @returns its place */
  pop(): number {
    const { distances, places } = this;
    const least = places[0]!;
    const size = --this.length;
    const distance = distances[size]!;
    const place = places[size]!;
    let at = 0;
    for (;;) {
      let down = at * 2 + 1;
      if (down >= size) break;
      if (down + 1 < size && this.less(down + 1, down)) down += 1;
      const below = distances[down]!;
      if (below > distance || (below === distance && places[down]! >= place)) break;
      distances[at] = below;
      places[at] = places[down]!;
      at = down;
    }
    distances[at] = distance;
    places[at] = place;
    return least;
  }

  private less(a: number, b: number): boolean {
    const difference = this.distances[a]! - this.distances[b]!;
    return difference < 0 || (difference === 0 && this.places[a]! < this.places[b]!);
  }

  private grow(): void {
    const distances = new Float64Array(this.length * 2);
    distances.set(this.distances);
    this.distances = distances;
    const places = new Uint32Array(this.length * 2);
    places.set(this.places);
    this.places = places;
  }
}
