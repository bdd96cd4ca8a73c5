import type { BTree } from '@sombra/btree';
import type { View } from '@sombra/pager';
import { CorruptionError, DataError } from '@sombra/vfs';
import { readU48 } from './adjacency.ts';
import { BLOCK_NEIGHBOURS_OFFSET } from './adjacency-block.ts';
import { NAME_KIND, type NameKind } from './dictionary.ts';
import { ID_MAX } from './limits.ts';
import { checkId, checkOptions, countOption, describe, directionOption, flagOption } from './options.ts';
import {
  EDGE_PROPERTIES_OFFSET,
  EDGE_SOURCE_HIGH_OFFSET,
  EDGE_TARGET_HIGH_OFFSET,
  EDGE_TYPE_OFFSET,
} from './record-format.ts';
import { sameValue } from './same-value.ts';
import { COUNTER, type GraphStore } from './store.ts';
import type {
  BfsOptions,
  Direction,
  EdgeId,
  EdgeRecord,
  EdgesOfOptions,
  KHopOptions,
  NeighborOptions,
  NodeId,
  NodeRecord,
  Path,
  PathOptions,
  Properties,
  PropertyValue,
} from './types.ts';
import { danglingEdge } from './weighted-path.ts';

const TWO_32 = 0x1_0000_0000;
/** Records that a scan reads before it hands them out. */
const SCAN_BATCH = 128;
const EMPTY: number[] = [];

/**
 * Reading a graph: the same methods on the newest commit (`graph.reader`), on snapshots and inside transactions.
 *
 * What does not exist is `undefined`, an empty list or 0; only misuse and damage throw. Every method throws DataError
 * SOMBRA_ID_RANGE for what cannot be an id, SOMBRA_OPTION for an unknown or senseless option, CorruptionError for damaged
 * pages, StateError SOMBRA_CLOSED when the view or the database is closed.
 *
 * Order: the edges of a node come by edge id within one type and direction. While all edges of a direction lie in one block
 * (about 120) they come by edge id over all types, later grouped by type. `both` gives outgoing, then incoming edges, and
 * a self loop once, with the outgoing ones.
 */
export class GraphReader {
  /** @internal */
  protected readonly store: GraphStore;
  private readonly ownView: View;

  /** @internal Readers come from a Graph. */
  constructor(store: GraphStore, view: View) {
    this.store = store;
    this.ownView = view;
  }

  /** What this reader sees. @internal */
  protected get view(): View {
    return this.ownView;
  }

  // --- records -----------------------------------------------------------------------------------------------------

  /** The node, undefined if there is none. */
  getNode(id: NodeId): NodeRecord | undefined {
    checkId(id, 'node');
    const { store, view } = this;
    const at = store.findNode(view, id);
    return at < 0 ? undefined : this.nodeFound(id, at);
  }

  /** The edge, undefined if there is none. */
  getEdge(id: EdgeId): EdgeRecord | undefined {
    checkId(id, 'edge');
    const { store, view } = this;
    const at = store.findEdge(view, id);
    return at < 0 ? undefined : this.edgeFound(id, at);
  }

  /** Is there a node with this id? */
  hasNode(id: NodeId): boolean {
    checkId(id, 'node');
    return this.store.findNode(this.view, id) >= 0;
  }

  /** Is there an edge with this id? */
  hasEdge(id: EdgeId): boolean {
    checkId(id, 'edge');
    return this.store.findEdge(this.view, id) >= 0;
  }

  /** One property of a node, read without the others. undefined: no such node or property. */
  getNodeProperty(id: NodeId, key: string): PropertyValue | undefined {
    checkId(id, 'node');
    return this.property(this.store.nodes, this.store.findNode(this.view, id), 0, key);
  }

  /** One property of an edge, read without the others. undefined: no such edge or property. */
  getEdgeProperty(id: EdgeId, key: string): PropertyValue | undefined {
    checkId(id, 'edge');
    return this.property(this.store.edges, this.store.findEdge(this.view, id), EDGE_PROPERTIES_OFFSET, key);
  }

  // --- counts and names --------------------------------------------------------------------------------------------

  /** Number of nodes, or of those with a label. */
  nodeCount(label?: string): number {
    return label === undefined ? this.view.counter(COUNTER.nodeCount) : this.countOf(NAME_KIND.label, label);
  }

  /** Number of edges, or of those of a type. */
  edgeCount(type?: string): number {
    return type === undefined ? this.view.counter(COUNTER.edgeCount) : this.countOf(NAME_KIND.edgeType, type);
  }

  /** Every label ever used, in order of first use. */
  labels(): string[] {
    return this.store.dictionary.names(NAME_KIND.label, this.view.counter(COUNTER.labels));
  }

  /** Every edge type ever used, in order of first use. */
  edgeTypes(): string[] {
    return this.store.dictionary.names(NAME_KIND.edgeType, this.view.counter(COUNTER.edgeTypes));
  }

  /** Every property key ever used, in order of first use. */
  propertyKeys(): string[] {
    return this.store.dictionary.names(NAME_KIND.propertyKey, this.view.counter(COUNTER.propertyKeys));
  }

  // --- neighbourhood -----------------------------------------------------------------------------------------------

  /** Number of edges of a node. A self loop counts 2 in `both`. 0 for a missing node. */
  degree(id: NodeId, options?: { readonly direction?: Direction; readonly type?: string | readonly string[] }): number {
    checkId(id, 'node');
    checkOptions(options, ['direction', 'type'], 'degree');
    const { store, view } = this;
    const direction = directionOption(options?.direction);
    const filter = store.filter.set(options?.type, store.dictionary);
    let degree = 0;
    if (direction !== 'in') degree += store.out.degree(view, id, filter, store.columns);
    if (direction !== 'out') degree += store.in.degree(view, id, filter, store.columns);
    return degree;
  }

  /** Ids of the nodes at the other ends of a node's edges: one per edge, unless `distinct`. Empty for a missing node. */
  neighbors(id: NodeId, options?: NeighborOptions): NodeId[] {
    checkId(id, 'node');
    if (options === undefined) {
      const { store, view } = this;
      const at = store.out.head(view, id);
      if (at < 0) return [];
      const count = store.out.simpleCount(view.cache, at, store.everyType);
      if (count >= 0) {
        const { words } = view.cache;
        const first = (at + BLOCK_NEIGHBOURS_OFFSET) >> 2;
        const found = new Array<number>(count);
        for (let i = 0; i < count; i += 1) found[i] = words[first + i]!;
        return found;
      }
    }
    checkOptions(options, ['direction', 'type', 'distinct', 'limit'], 'neighbors');
    const limit = countOption(options?.limit, Infinity, 'limit');
    const distinct = flagOption(options?.distinct, false, 'distinct');
    this.collectEdges(id, options);
    const { columns, traversal } = this.store;
    if (!distinct) return toArray(columns.neighbours, 0, Math.min(limit, columns.length));
    const marks = traversal.marks(this.view);
    const found: number[] = [];
    for (let i = 0; i < columns.length && found.length < limit; i += 1) {
      if (marks.add(columns.neighbours[i]!)) found.push(columns.neighbours[i]!);
    }
    return found;
  }

  /** Ids of a node's edges, in the order of `neighbors`. Empty for a missing node. */
  edgeIdsOf(id: NodeId, options?: EdgesOfOptions): EdgeId[] {
    checkId(id, 'node');
    checkOptions(options, ['direction', 'type', 'limit'], 'edgeIdsOf');
    const limit = countOption(options?.limit, Infinity, 'limit');
    this.collectEdges(id, options);
    const { columns } = this.store;
    return toArray(columns.edges, 0, Math.min(limit, columns.length));
  }

  /** A node's edges, in the order of `neighbors`. Empty for a missing node. */
  edgesOf(id: NodeId, options?: EdgesOfOptions): EdgeRecord[] {
    checkId(id, 'node');
    checkOptions(options, ['direction', 'type', 'limit'], 'edgesOf');
    const limit = countOption(options?.limit, Infinity, 'limit');
    this.collectEdges(id, options);
    const { store, view } = this;
    const count = Math.min(limit, store.columns.length);
    const found = new Array<EdgeRecord>(count);
    for (let i = 0; i < count; i += 1) {
      const edge = store.columns.edges[i]!;
      const at = store.findEdge(view, edge);
      if (at < 0) throw danglingEdge(edge);
      found[i] = this.edgeFound(edge, at);
    }
    return found;
  }

  /** `edgesOf` with direction `out`. */
  outgoing(id: NodeId, options?: Omit<EdgesOfOptions, 'direction'>): EdgeRecord[] {
    checkOptions(options, ['type', 'limit'], 'outgoing');
    return this.edgesOf(id, { ...options, direction: 'out' });
  }

  /** `edgesOf` with direction `in`. */
  incoming(id: NodeId, options?: Omit<EdgesOfOptions, 'direction'>): EdgeRecord[] {
    checkOptions(options, ['type', 'limit'], 'incoming');
    return this.edgesOf(id, { ...options, direction: 'in' });
  }

  // --- scans -------------------------------------------------------------------------------------------------------

  /**
   * All nodes, or those with a label, by id. Memory stays bounded. On `graph.reader` the iterator holds the commit it began
   * with until it ends (a `for` loop ends it); in a transaction it sees nodes that are added behind its place.
   */
  *nodes(options?: { readonly label?: string }): IterableIterator<NodeRecord> {
    checkOptions(options, ['label'], 'nodes');
    const reader = this.holding();
    try {
      for (const id of reader.scanNodeIds(options?.label)) {
        const node = reader.getNode(id);
        if (node !== undefined) yield node;
      }
    } finally {
      reader.letGo();
    }
  }

  /** All edges, or those of a type, by id. As `nodes`. */
  *edges(options?: { readonly type?: string }): IterableIterator<EdgeRecord> {
    checkOptions(options, ['type'], 'edges');
    const reader = this.holding();
    try {
      for (const id of reader.scanEdgeIds(options?.type)) {
        const edge = reader.getEdge(id);
        if (edge !== undefined) yield edge;
      }
    } finally {
      reader.letGo();
    }
  }

  /** Ids of all nodes, or of those with a label, ascending. As `nodes`. */
  *nodeIds(label?: string): IterableIterator<NodeId> {
    const reader = this.holding();
    try {
      yield* reader.scanNodeIds(label);
    } finally {
      reader.letGo();
    }
  }

  /** Ids of all edges, or of those of a type, ascending. As `nodes`. */
  *edgeIds(type?: string): IterableIterator<EdgeId> {
    const reader = this.holding();
    try {
      yield* reader.scanEdgeIds(type);
    } finally {
      reader.letGo();
    }
  }

  /**
   * Nodes that have a label (undefined: any) and match: every property in `where` has the same value, or the function says
   * so. Integers and floats of the same value are the same; NaN matches nothing. Reads every node of the label.
   */
  findNodes(
    label: string | undefined,
    where: Properties | ((node: NodeRecord) => boolean),
    options?: { readonly limit?: number },
  ): NodeRecord[] {
    checkOptions(options, ['limit'], 'findNodes');
    const limit = countOption(options?.limit, Infinity, 'limit');
    const found: NodeRecord[] = [];
    if (limit === 0) return found;
    const wanted = typeof where === 'function' ? undefined : this.wantedProperties(where);
    const reader = this.holding();
    try {
      for (const id of reader.scanNodeIds(label)) {
        if (wanted !== undefined && !reader.matches(id, wanted)) continue;
        const node = reader.getNode(id);
        if (node === undefined || (typeof where === 'function' && !where(node))) continue;
        found.push(node);
        if (found.length >= limit) break;
      }
    } finally {
      reader.letGo();
    }
    return found;
  }

  // --- traversal ---------------------------------------------------------------------------------------------------

  /** Nodes some steps away from a node, each once; see KHopOptions. Empty for a missing node. */
  kHop(id: NodeId, hops: number, options?: KHopOptions): NodeId[] {
    checkId(id, 'node');
    checkOptions(options, ['direction', 'type', 'mode', 'limit'], 'kHop');
    const steps = countOption(hops, 0, 'hops');
    const limit = countOption(options?.limit, Infinity, 'limit');
    const kind = options?.mode ?? 'within';
    if (kind !== 'within' && kind !== 'exact' && kind !== 'walk') {
      throw new DataError('SOMBRA_OPTION', `mode is 'within', 'exact' or 'walk', not ${describe(kind)}`);
    }
    if (kind === 'walk' && steps === Infinity)
      throw new DataError('SOMBRA_OPTION', 'walks have a finite number of hops');
    if (!this.hasNode(id)) return [];
    const { store, view } = this;
    const direction = directionOption(options?.direction);
    const filter = store.filter.set(options?.type, store.dictionary);
    const { traversal } = store;
    let from = 0;
    let to: number;
    if (kind === 'walk')
      to =
        steps === 0
          ? traversal.breadthFirst(view, id, direction, filter, 0, 1)
          : traversal.walkEnds(view, id, direction, filter, steps);
    else {
      to = traversal.breadthFirst(view, id, direction, filter, steps, Infinity);
      const { levelEnds } = traversal;
      if (kind === 'within') from = 1;
      else if (steps > 0) from = steps < levelEnds.length ? levelEnds[steps - 1]! : to;
    }
    return toArray(traversal.nodes, from, Math.min(to, from + limit));
  }

  /** Nodes by distance, the start first with depth 0. Empty for a missing node. */
  bfs(id: NodeId, options?: BfsOptions): { id: NodeId; depth: number }[] {
    const count = this.breadthFirst(id, options, 'bfs');
    const { nodes, levelEnds } = this.store.traversal;
    const found = new Array<{ id: NodeId; depth: number }>(count);
    for (let i = 0, depth = 0; i < count; i += 1) {
      if (i === levelEnds[depth]) depth += 1;
      found[i] = { id: nodes[i]!, depth };
    }
    return found;
  }

  /** Number of nodes per distance: [1, neighbours, …]. Empty for a missing node. Builds no object per node. */
  bfsLevels(id: NodeId, options?: BfsOptions): number[] {
    if (this.breadthFirst(id, options, 'bfsLevels') === 0) return [];
    const { levelEnds } = this.store.traversal;
    return levelEnds.map((end, depth) => end - (depth === 0 ? 0 : levelEnds[depth - 1]!));
  }

  /**
   * A path with the fewest edges, or with the least sum of a weight; always the same one for the same graph.
   * @returns undefined when there is none, or when one of the nodes is missing
   * @throws DataError SOMBRA_WEIGHT for an edge that the search meets and whose weight is missing, NaN or negative
   */
  shortestPath(from: NodeId, to: NodeId, options?: PathOptions): Path | undefined {
    checkId(from, 'node');
    checkId(to, 'node');
    checkOptions(options, ['direction', 'type', 'maxDepth', 'weight'], 'shortestPath');
    const maxDepth = countOption(options?.maxDepth, Infinity, 'maxDepth');
    const weight = options?.weight;
    if (weight !== undefined && typeof weight !== 'string')
      throw new DataError('SOMBRA_OPTION', `weight is the name of a property, not ${describe(weight)}`);
    if (weight !== undefined && options?.maxDepth !== undefined)
      throw new DataError('SOMBRA_OPTION', 'maxDepth and weight cannot be combined');
    if (!this.hasNode(from) || !this.hasNode(to)) return undefined;
    const { store, view } = this;
    const direction = directionOption(options?.direction);
    const filter = store.filter.set(options?.type, store.dictionary);
    if (from === to)
      return weight === undefined
        ? { nodes: [from], edges: [], length: 0 }
        : { nodes: [from], edges: [], length: 0, weight: 0 };
    if (weight !== undefined) return store.weightedPath(view, from, to, direction, filter, weight);
    const nodes: number[] = [];
    const edges: number[] = [];
    const found = store.traversal.shortestPath(view, from, to, direction, filter, maxDepth, nodes, edges);
    return found ? { nodes, edges, length: edges.length } : undefined;
  }

  // --- parts -------------------------------------------------------------------------------------------------------

  /** A reader whose commit stays as it is until `letGo`. @internal */
  protected holding(): GraphReader {
    return this;
  }

  /** Ends what `holding` began. @internal */
  protected letGo(): void {
    // this reader holds its view anyway
  }

  /** Nodes of a label or edges of a type. @internal */
  protected countOf(kind: NameKind, name: string): number {
    const id = this.store.dictionary.find(kind, name);
    return id < 0 ? 0 : this.store.statistics.stored(this.view, kind, id);
  }

  private breadthFirst(id: NodeId, options: BfsOptions | undefined, where: string): number {
    checkId(id, 'node');
    checkOptions(options, ['direction', 'type', 'maxDepth', 'limit'], where);
    const maxDepth = countOption(options?.maxDepth, Infinity, 'maxDepth');
    const limit = countOption(options?.limit, Infinity, 'limit');
    const direction = directionOption(options?.direction);
    if (limit === 0 || !this.hasNode(id)) return 0;
    const { store, view } = this;
    const filter = store.filter.set(options?.type, store.dictionary);
    return store.traversal.breadthFirst(view, id, direction, filter, maxDepth, limit);
  }

  /** Fills `store.columns` with a node's edges. */
  private collectEdges(id: NodeId, options: EdgesOfOptions | undefined): void {
    const { store, view } = this;
    const direction = directionOption(options?.direction);
    const filter = store.filter.set(options?.type, store.dictionary);
    store.columns.length = 0;
    if (direction !== 'in') store.out.collect(view, id, filter, -1, store.columns);
    if (direction !== 'out') store.in.collect(view, id, filter, direction === 'both' ? id : -1, store.columns);
  }

  /** Decodes the node record that `findNode` found. */
  private nodeFound(id: NodeId, at: number): NodeRecord {
    const { nodes, records } = this.store;
    let shape;
    if (nodes.foundOverflow === 0) shape = records.open(this.view.cache.bytes, at, nodes.foundLength);
    else {
      const copy = nodes.readValue(this.view);
      shape = records.open(copy, 0, copy.length);
    }
    return { id, labels: shape.labels.slice(), properties: records.values(shape) };
  }

  /** Decodes the edge record that `findEdge` found. */
  private edgeFound(id: EdgeId, at: number): EdgeRecord {
    const { edges, records, dictionary } = this.store;
    let bytes = this.view.cache.bytes;
    let start = at;
    let length = edges.foundLength;
    if (edges.foundOverflow !== 0) {
      bytes = edges.readValue(this.view);
      start = 0;
      length = bytes.length;
    }
    checkEdgeLength(id, length);
    const source = edgeSource(bytes, start);
    const target = edgeTarget(bytes, start);
    const type = dictionary.name(NAME_KIND.edgeType, edgeType(bytes, start));
    const shape = records.open(bytes, start + EDGE_PROPERTIES_OFFSET, length - EDGE_PROPERTIES_OFFSET);
    return { id, source, target, type, properties: records.values(shape) };
  }

  /** Reads one property of the record that was found at `at` in `tree`, which begins `skip` bytes into the value. */
  private property(tree: BTree, at: number, skip: number, key: string): PropertyValue | undefined {
    const keyId = this.store.dictionary.find(NAME_KIND.propertyKey, key);
    return at < 0 || keyId < 0 ? undefined : this.store.propertyFound(this.view, tree, at, skip, keyId);
  }

  private wantedProperties(where: Properties): { keyId: number; value: PropertyValue }[] {
    if (typeof where !== 'object' || where === null)
      throw new DataError('SOMBRA_OPTION', `where is an object of properties or a function, not ${describe(where)}`);
    return Object.keys(where).map((key) => ({
      keyId: this.store.dictionary.find(NAME_KIND.propertyKey, key),
      value: where[key]!,
    }));
  }

  /** Does a node have all these properties? Reads them on the page, without building the node. */
  private matches(id: NodeId, wanted: readonly { keyId: number; value: PropertyValue }[]): boolean {
    const { store, view } = this;
    for (const { keyId, value } of wanted) {
      if (keyId < 0) return false;
      const at = store.findNode(view, id);
      if (at < 0) return false;
      const found = store.propertyFound(view, store.nodes, at, 0, keyId);
      if (found === undefined || !sameValue(found, value)) return false;
    }
    return true;
  }

  private scanNodeIds(label: string | undefined): Iterable<number> {
    const { store } = this;
    if (label === undefined) return this.scanTree(store.nodes);
    const id = store.dictionary.find(NAME_KIND.label, label);
    return id < 0 ? EMPTY : this.scanIndex(store.labelIndex, id);
  }

  private scanEdgeIds(type: string | undefined): Iterable<number> {
    const { store } = this;
    if (type === undefined) return this.scanTree(store.edges);
    const id = store.dictionary.find(NAME_KIND.edgeType, type);
    return id < 0 ? EMPTY : this.scanIndex(store.typeIndex, id);
  }

  /** Keys of a tree of records, read in batches, so that no page is held while the caller works. */
  private *scanTree(tree: BTree): IterableIterator<number> {
    const batch = new Float64Array(SCAN_BATCH);
    let last = 0;
    for (;;) {
      const count = readIds(tree, this.view, last, batch);
      for (let i = 0; i < count; i += 1) yield batch[i]!;
      if (count < SCAN_BATCH) return;
      last = batch[count - 1]!;
    }
  }

  private *scanIndex(index: GraphStore['labelIndex'], name: number): IterableIterator<number> {
    const batch = new Float64Array(index.batchSize);
    let last = 0;
    for (;;) {
      const count = index.read(this.view, name, last, batch);
      if (count === 0) return;
      for (let i = 0; i < count; i += 1) yield batch[i]!;
      last = batch[count - 1]!;
    }
  }
}

/** Copies ids[from, to) into an array. */
function toArray(ids: Float64Array, from: number, to: number): number[] {
  const array = new Array<number>(to - from);
  for (let i = from; i < to; i += 1) array[i - from] = ids[i]!;
  return array;
}

const KEY = new Uint8Array(8192);

/** Reads the ids greater than `after` from a tree of records. @returns how many; less than fit means that the tree ended */
function readIds(tree: BTree, view: View, after: number, into: Float64Array): number {
  if (after >= ID_MAX) return 0;
  const cursor = tree.cursor(view);
  try {
    let count = 0;
    let last = after;
    for (let more = cursor.seekU48(after + 1); more && count < into.length; more = cursor.next()) {
      if (cursor.keyInto(KEY) !== 6)
        throw new CorruptionError('SOMBRA_GRAPH_FORMAT', `tree '${tree.name}' holds a key that is no id; run verify`);
      const id = readU48(KEY, 0);
      // Who goes on behind the last id would never come to an end.
      if (id <= last)
        throw new CorruptionError(
          'SOMBRA_GRAPH_FORMAT',
          `tree '${tree.name}' holds id ${id} after id ${last}; run verify`,
        );
      last = id;
      into[count++] = id;
    }
    return count;
  } finally {
    cursor.close();
  }
}

/** Refuses an edge record that is too short for its fixed fields. @throws CorruptionError SOMBRA_RECORD */
export function checkEdgeLength(id: EdgeId, length: number): void {
  if (length < EDGE_PROPERTIES_OFFSET) {
    throw new CorruptionError(
      'SOMBRA_RECORD',
      `the record of edge ${id} has ${length} bytes; run verify, restore from a backup`,
      { details: { edge: id } },
    );
  }
}

/** Source of the edge record at `at`. */
export function edgeSource(bytes: Uint8Array, at: number): NodeId {
  return u32(bytes, at) + u16(bytes, at + EDGE_SOURCE_HIGH_OFFSET) * TWO_32;
}

/** Target of the edge record at `at`. */
export function edgeTarget(bytes: Uint8Array, at: number): NodeId {
  return u32(bytes, at + 4) + u16(bytes, at + EDGE_TARGET_HIGH_OFFSET) * TWO_32;
}

/** Type id of the edge record at `at`. */
export function edgeType(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + EDGE_TYPE_OFFSET);
}

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

function u16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}
