import type { BTree } from '@sombra/btree';
import type { View } from '@sombra/pager';
import { CorruptionError } from '@sombra/vfs';
import { BLOCK_NEIGHBOURS_OFFSET } from '../adjacency/adjacency-block.ts';
import { toArray } from '../values/to-array.ts';
import { missingNode } from '../model/damage.ts';
import { NAME_KIND, type NameKind } from '../names/dictionary.ts';
import {
  type Aggregate,
  aggregate,
  type EdgeAggregate,
  type GroupRow,
  type NodeAggregate,
  parseAggregate,
} from '../find/aggregate.ts';
import { countFound, explainFind, findIds, type FindPlan, type FindSource } from '../find/find.ts';
import { asksCaller, type Condition } from '../find/predicate.ts';
import { PreparedFind } from '../find/prepared-find.ts';
import {
  COUNT_OPTIONS,
  type EdgeQuery,
  type Find,
  FIND_OPTIONS,
  type NodeQuery,
  OpenFind,
  parseFind,
  type SelectedRecord,
  type Selection,
} from '../find/query.ts';
import { Rows } from '../model/rows.ts';
import { GraphWalks } from './graph-walks.ts';
import { type IdRange, idRange, type IdSource, NameScan, NoIds, type Range, RecordScan } from '../ids/id-source.ts';
import { checkId, checkOptions, countOption, directionOption, flagOption, ownOptions } from '../model/options.ts';
import { BareObject } from '../model/bare-object.ts';
import {
  EDGE_PROPERTIES_OFFSET,
  EDGE_SOURCE_HIGH_OFFSET,
  EDGE_TARGET_HIGH_OFFSET,
  EDGE_TYPE_OFFSET,
} from '../records/record-format.ts';
import { indexInfo, type PropertyIndexInfo } from '../indexes/index-info.ts';
import type { Workspace } from '../traversal/workspace.ts';
import type { TypeFilter } from '../names/type-filter.ts';
import type { GraphStore } from '../store/store.ts';
import { COUNTER } from '../model/counters.ts';
import type {
  Direction,
  EdgeId,
  EdgeRecord,
  EdgesOfOptions,
  NeighborOptions,
  NodeId,
  NodeRecord,
  Properties,
  PropertyValue,
} from '../model/types.ts';
import { danglingEdge } from '../model/damage.ts';

const TWO_32 = 0x1_0000_0000;

/**
 * Reading a graph: the same methods on the newest commit (`graph.reader`), on snapshots and inside transactions.
 *
 * What does not exist is `undefined`, an empty list or 0; only misuse and damage throw. Every method throws DataError
 * SOMBRA_ID_RANGE for an invalid id, SOMBRA_OPTION for an unknown or invalid option, CorruptionError for damaged
 * pages, StateError SOMBRA_CLOSED when the view or the database is closed.
 *
 * Order: the edges of a node come by edge id within one type and direction. While all edges of a direction lie in one block
 * (about 120) they come by edge id over all types, later grouped by type. `both` gives outgoing, then incoming edges, and
 * a self loop once, with the outgoing ones.
 */
export class GraphReader extends GraphWalks {
  /** @internal */
  protected readonly store: GraphStore;
  /** @internal */
  protected readonly workspace: Workspace;
  /** @internal */
  protected readonly ownView: View;

  /** @internal Readers come from a Graph. */
  constructor(store: GraphStore, workspace: Workspace, view: View) {
    super();
    this.store = store;
    this.workspace = workspace;
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

  /** Number of nodes per label ever used, in order of first use. No scan. */
  labelCounts(): { label: string; count: number }[] {
    return this.labels().map((label) => ({ label, count: this.nodeCount(label) }));
  }

  /** Number of edges per type ever used, in order of first use. No scan. */
  typeCounts(): { type: string; count: number }[] {
    return this.edgeTypes().map((type) => ({ type, count: this.edgeCount(type) }));
  }

  /** The property indexes, in the order in which they were created. */
  propertyIndexes(): PropertyIndexInfo[] {
    const { store, view } = this;
    return store.indexes.of(view).all.map((index) => ({
      ...indexInfo(index, store.dictionary),
      entries: index.tree.count(view),
    }));
  }

  // --- neighbourhood -----------------------------------------------------------------------------------------------

  /** Number of edges of a node. A self loop counts 2 in `both`. 0 for a missing node. */
  degree(id: NodeId, options?: { readonly direction?: Direction; readonly type?: string | readonly string[] }): number {
    checkId(id, 'node');
    options = checkOptions(options, ['direction', 'type'], 'degree');
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
    options = checkOptions(options, ['direction', 'type', 'distinct', 'limit'], 'neighbors');
    const limit = countOption(options?.limit, Infinity, 'limit');
    const distinct = flagOption(options?.distinct, false, 'distinct');
    this.collectEdges(id, options);
    const { columns } = this.store;
    if (!distinct) return toArray(columns.neighbours, 0, Math.min(limit, columns.length));
    const marks = this.workspace.breadthFirst.marks(this.view);
    const found: number[] = [];
    for (let i = 0; i < columns.length && found.length < limit; i += 1) {
      if (marks.add(columns.neighbours[i]!)) found.push(columns.neighbours[i]!);
    }
    return found;
  }

  /** Ids of a node's edges, in the order of `neighbors`. Empty for a missing node. */
  edgeIdsOf(id: NodeId, options?: EdgesOfOptions): EdgeId[] {
    checkId(id, 'node');
    options = checkOptions(options, ['direction', 'type', 'limit'], 'edgeIdsOf');
    const limit = countOption(options?.limit, Infinity, 'limit');
    this.collectEdges(id, options);
    const { columns } = this.store;
    return toArray(columns.edges, 0, Math.min(limit, columns.length));
  }

  /** A node's edges, in the order of `neighbors`. Empty for a missing node. */
  edgesOf(id: NodeId, options?: EdgesOfOptions): EdgeRecord[] {
    checkId(id, 'node');
    options = checkOptions(options, ['direction', 'type', 'limit'], 'edgesOf');
    const limit = countOption(options?.limit, Infinity, 'limit');
    this.collectEdges(id, options);
    return this.edgesCollected(limit);
  }

  /**
   * A node's edges with the nodes at their other ends, in the order of `neighbors`. `distinct`: each neighbour once, with the
   * first edge that leads there. Empty for a missing node.
   */
  expand(id: NodeId, options?: NeighborOptions): { edge: EdgeRecord; node: NodeRecord }[] {
    checkId(id, 'node');
    options = checkOptions(options, ['direction', 'type', 'distinct', 'limit'], 'expand');
    const limit = countOption(options?.limit, Infinity, 'limit');
    const distinct = flagOption(options?.distinct, false, 'distinct');
    this.collectEdges(id, options);
    const { store, view } = this;
    const { columns } = store;
    const marks = distinct ? this.workspace.breadthFirst.marks(view) : undefined;
    const found: { edge: EdgeRecord; node: NodeRecord }[] = [];
    for (let i = 0; i < columns.length && found.length < limit; i += 1) {
      const neighbour = columns.neighbours[i]!;
      if (marks !== undefined && !marks.add(neighbour)) continue;
      const edgeId = columns.edges[i]!;
      const at = store.findEdge(view, edgeId);
      if (at < 0) throw danglingEdge(edgeId);
      const edge = this.edgeFound(edgeId, at);
      const node = neighbour === 0 ? undefined : this.getNode(neighbour);
      if (node === undefined) throw missingNode(neighbour);
      found.push({ edge, node });
    }
    return found;
  }

  /**
   * Edges from one node to another; with direction `in` those from the other, with `both` all. Looks from the end that has fewer
   * edges. In the order of `edgesOf`. Empty for missing nodes.
   */
  edgesBetween(source: NodeId, target: NodeId, options?: EdgesOfOptions): EdgeRecord[] {
    options = checkOptions(options, ['direction', 'type', 'limit'], 'edgesBetween');
    const direction = directionOption(options?.direction);
    const limit = countOption(options?.limit, Infinity, 'limit');
    checkId(source, 'node');
    checkId(target, 'node');
    const { store, view } = this;
    const { columns } = store;
    const filter = store.filter.set(options?.type, store.dictionary);
    columns.length = 0;
    if (direction !== 'in') this.collectBetween(view, source, target, filter, limit);
    if (direction === 'in' || (direction === 'both' && source !== target))
      this.collectBetween(view, target, source, filter, limit);
    return this.edgesCollected(limit);
  }

  /** `edgesOf` with direction `out`. */
  outgoing(id: NodeId, options?: Omit<EdgesOfOptions, 'direction'>): EdgeRecord[] {
    options = checkOptions(options, ['type', 'limit'], 'outgoing');
    return this.edgesOf(id, { ...options, direction: 'out' });
  }

  /** `edgesOf` with direction `in`. */
  incoming(id: NodeId, options?: Omit<EdgesOfOptions, 'direction'>): EdgeRecord[] {
    options = checkOptions(options, ['type', 'limit'], 'incoming');
    return this.edgesOf(id, { ...options, direction: 'in' });
  }

  // --- scans -------------------------------------------------------------------------------------------------------

  /**
   * All nodes, or those with a label, by id; see IdRange. Memory stays bounded. On `graph.reader` the iterator holds the commit
   * it began with until it ends (a `for` loop ends it). In a transaction it gives the nodes that were there at its first row, as
   * they are when it comes to them: those added meanwhile are left out, those deleted or changed meanwhile are as they are.
   */
  nodes(options?: { readonly label?: string | undefined } & IdRange): Rows<NodeRecord> {
    const own = ownOptions(options);
    return this.scanned(idRange(own, ['label'], 'nodes'), 'node', own?.label, (reader, id) => reader.getNode(id));
  }

  /** All edges, or those of a type, by id. As `nodes`. */
  edges(options?: { readonly type?: string | undefined } & IdRange): Rows<EdgeRecord> {
    const own = ownOptions(options);
    return this.scanned(idRange(own, ['type'], 'edges'), 'edge', own?.type, (reader, id) => reader.getEdge(id));
  }

  /** Ids of all nodes, or of those with a label. As `nodes`. */
  nodeIds(options?: string | ({ readonly label?: string | undefined } & IdRange)): Rows<NodeId> {
    const given = typeof options === 'string' ? { label: options } : ownOptions(options);
    return this.scanned(idRange(given, ['label'], 'nodeIds'), 'node', given?.label, (_reader, id) => id);
  }

  /** Ids of all edges, or of those of a type. As `nodes`. */
  edgeIds(options?: string | ({ readonly type?: string | undefined } & IdRange)): Rows<EdgeId> {
    const given = typeof options === 'string' ? { type: options } : ownOptions(options);
    return this.scanned(idRange(given, ['type'], 'edgeIds'), 'edge', given?.type, (_reader, id) => id);
  }

  // --- find --------------------------------------------------------------------------------------------------------

  /**
   * Nodes by their labels and conditions on their properties; see NodeQuery. By id, unless `orderBy` says otherwise. Uses
   * property indexes where they help, tests records on their pages, and builds only those that it gives. On `graph.reader` the
   * rows are those of the commit that was newest when the first was asked for; a transaction sees its own writes.
   * @throws DataError SOMBRA_SORT_MEMORY when rows have to be put in order that take more than 64 MiB
   */
  findNodes(query: NodeQuery & Selection): Rows<SelectedRecord<NodeId>>;
  findNodes(query?: NodeQuery): Rows<NodeRecord>;
  findNodes(query?: NodeQuery & Partial<Selection>): Rows<NodeRecord | SelectedRecord> {
    return this.runFind(parseFind('node', query, 'findNodes', FIND_OPTIONS)) as Rows<NodeRecord | SelectedRecord>;
  }

  /** Edges by their type and conditions on their properties. As `findNodes`. */
  findEdges(query: EdgeQuery & Selection): Rows<SelectedRecord<EdgeId>>;
  findEdges(query?: EdgeQuery): Rows<EdgeRecord>;
  findEdges(query?: EdgeQuery & Partial<Selection>): Rows<EdgeRecord | SelectedRecord> {
    return this.runFind(parseFind('edge', query, 'findEdges', FIND_OPTIONS)) as Rows<EdgeRecord | SelectedRecord>;
  }

  /** The first of `findNodes`; undefined when there is none. */
  findNode(query: NodeQuery & Selection): SelectedRecord<NodeId> | undefined;
  findNode(query?: NodeQuery): NodeRecord | undefined;
  findNode(query?: NodeQuery & Partial<Selection>): NodeRecord | SelectedRecord | undefined {
    return this.runFirst(parseFind('node', query, 'findNode', FIND_OPTIONS)) as NodeRecord | undefined;
  }

  /** The first of `findEdges`; undefined when there is none. */
  findEdge(query: EdgeQuery & Selection): SelectedRecord<EdgeId> | undefined;
  findEdge(query?: EdgeQuery): EdgeRecord | undefined;
  findEdge(query?: EdgeQuery & Partial<Selection>): EdgeRecord | SelectedRecord | undefined {
    return this.runFirst(parseFind('edge', query, 'findEdge', FIND_OPTIONS)) as EdgeRecord | undefined;
  }

  /** Number of nodes that `findNodes` would give. Reads no record when an index or a count answers it. */
  countNodes(query?: Pick<NodeQuery, 'label' | 'where'>): number {
    return this.runCount(parseFind('node', query, 'countNodes', COUNT_OPTIONS));
  }

  /** Number of edges that `findEdges` would give. As `countNodes`. */
  countEdges(query?: Pick<EdgeQuery, 'type' | 'where'>): number {
    return this.runCount(parseFind('edge', query, 'countEdges', COUNT_OPTIONS));
  }

  /** How `findNodes` would run. @param options  `analyze`: it is carried out, and what was read is counted */
  explainNodes(query?: NodeQuery & Partial<Selection>, options?: { readonly analyze?: boolean }): FindPlan {
    return this.runExplain(parseFind('node', query, 'explainNodes', FIND_OPTIONS), options);
  }

  /** How `findEdges` would run. As `explainNodes`. */
  explainEdges(query?: EdgeQuery & Partial<Selection>, options?: { readonly analyze?: boolean }): FindPlan {
    return this.runExplain(parseFind('edge', query, 'explainEdges', FIND_OPTIONS), options);
  }

  /**
   * Figures over nodes: a row for each combination of the values of `groupBy`, in their order; without it one row.
   * @throws DataError SOMBRA_GROUP_MEMORY when the groups take more than 64 MiB, SOMBRA_NOT_A_NUMBER
   */
  aggregateNodes(query: NodeAggregate): GroupRow[] {
    return this.aggregated(parseAggregate('node', query, 'aggregateNodes'));
  }

  /** Figures over edges. As `aggregateNodes`. */
  aggregateEdges(query: EdgeAggregate): GroupRow[] {
    return this.aggregated(parseAggregate('edge', query, 'aggregateEdges'));
  }

  /** A find of nodes that is checked and planned once; see `param`. */
  prepareNodes(query: NodeQuery & Selection): PreparedFind<SelectedRecord<NodeId>>;
  prepareNodes(query?: NodeQuery): PreparedFind<NodeRecord>;
  prepareNodes(query?: NodeQuery & Partial<Selection>): PreparedFind<NodeRecord | SelectedRecord> {
    return new PreparedFind(this, new OpenFind('node', query, 'prepareNodes'));
  }

  /** A find of edges that is checked and planned once; see `param`. */
  prepareEdges(query: EdgeQuery & Selection): PreparedFind<SelectedRecord<EdgeId>>;
  prepareEdges(query?: EdgeQuery): PreparedFind<EdgeRecord>;
  prepareEdges(query?: EdgeQuery & Partial<Selection>): PreparedFind<EdgeRecord | SelectedRecord> {
    return new PreparedFind(this, new OpenFind('edge', query, 'prepareEdges'));
  }

  /** For FindRunner. @internal */
  runFind(find: Find): Rows<NodeRecord | EdgeRecord | SelectedRecord> {
    return new Rows(() => this.rowsOf(find));
  }

  /** For FindRunner. @internal */
  runFirst(find: Find): NodeRecord | EdgeRecord | SelectedRecord | undefined {
    return this.heldFor(find.condition, (reader) => {
      for (const id of findIds(reader.findSource(), { ...find, limit: Math.min(find.limit, 1) })) {
        const row = reader.rowOf(find, id);
        if (row !== undefined) return row;
      }
      return undefined;
    });
  }

  /** For FindRunner. @internal */
  runCount(find: Find): number {
    return this.heldFor(find.condition, (reader) => countFound(reader.findSource(), find));
  }

  /** For FindRunner. @internal */
  runExplain(find: Find, options: { readonly analyze?: boolean } | undefined): FindPlan {
    options = checkOptions(options, ['analyze'], 'explain');
    const analyze = flagOption(options?.analyze, false, 'analyze');
    return this.heldFor(find.condition, (reader) => explainFind(reader.findSource(), find, analyze));
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

  /** Can its data change during an iteration? @internal */
  protected get writing(): boolean {
    return false;
  }

  /** Nodes of a label or edges of a type. @internal */
  protected countOf(kind: NameKind, name: string): number {
    const { store, view } = this;
    const id = store.dictionary.find(kind, name);
    return id < 0 ? 0 : store.statistics.stored(view, kind, id);
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

  /** Appends the edges from one node to another to `store.columns`, up to `limit` there. Looks from the end with fewer edges. */
  private collectBetween(view: View, source: NodeId, target: NodeId, filter: TypeFilter, limit: number): void {
    const { out, in: into, columns, scratch } = this.store;
    if (out.degree(view, source, filter, scratch) <= into.degree(view, target, filter, scratch))
      out.collectTo(view, source, target, filter, limit, columns);
    else into.collectTo(view, target, source, filter, limit, columns);
  }

  /** The first `limit` edges of `store.columns`. */
  private edgesCollected(limit: number): EdgeRecord[] {
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

  private scanned<T>(
    range: Range,
    on: 'node' | 'edge',
    name: string | undefined,
    make: (reader: GraphReader, id: number) => T | undefined,
  ): Rows<T> {
    return new Rows(() => this.recordsOf(range, on, name, make));
  }

  /** What `make` gives for the ids of a range. */
  private *recordsOf<T>(
    range: Range,
    on: 'node' | 'edge',
    name: string | undefined,
    make: (reader: GraphReader, id: number) => T | undefined,
  ): IterableIterator<T> {
    if (range.limit === 0) return;
    const reader = this.holding();
    try {
      const ids = reader.scan(on, name, reader.bounded(on, range));
      let left = range.limit;
      for (let count = ids.next(reader.view); count > 0; count = ids.next(reader.view)) {
        for (let i = 0; i < count; i += 1) {
          const made = make(reader, ids.ids[i]!);
          if (made === undefined) continue;
          yield made;
          left -= 1;
          if (left === 0) return;
        }
      }
    } finally {
      reader.letGo();
    }
  }

  /** In a transaction a scan ends at the ids that were there when it began: the caller may add rows as fast as it gets them. */
  private bounded(on: 'node' | 'edge', range: Range): Range {
    if (!this.writing) return range;
    const next = this.view.counter(on === 'node' ? COUNTER.nextNodeId : COUNTER.nextEdgeId);
    return { ...range, to: Math.min(range.to, next - 1) };
  }

  private scan(on: 'node' | 'edge', name: string | undefined, range: Range): IdSource {
    const { store } = this;
    const node = on === 'node';
    if (name === undefined) return new RecordScan(node ? store.nodes : store.edges, range);
    const id = store.dictionary.find(node ? NAME_KIND.label : NAME_KIND.edgeType, name);
    if (id < 0) return new NoIds();
    return new NameScan(node ? store.labelIndex : store.typeIndex, id, range);
  }

  private *rowsOf(find: Find): IterableIterator<NodeRecord | EdgeRecord | SelectedRecord> {
    const reader = this.holding();
    try {
      for (const id of findIds(reader.findSource(), find)) {
        const row = reader.rowOf(find, id);
        if (row !== undefined) yield row;
      }
    } finally {
      reader.letGo();
    }
  }

  private rowOf({ on, select }: Find, id: number): NodeRecord | EdgeRecord | SelectedRecord | undefined {
    if (select !== undefined) return this.selected(on, id, select);
    return on === 'node' ? this.getNode(id) : this.getEdge(id);
  }

  private aggregated(asked: Aggregate): GroupRow[] {
    return this.heldFor(asked.find.condition, (reader) => aggregate(reader.findSource(), asked));
  }

  private selected(on: 'node' | 'edge', id: number, keys: readonly string[]): SelectedRecord | undefined {
    const { store, view } = this;
    const properties = new BareObject() as Properties;
    const exists = store.withProperties(view, on, id, (bytes, at, length) => {
      for (const key of keys) {
        const keyId = store.dictionary.find(NAME_KIND.propertyKey, key);
        const value = keyId < 0 ? undefined : store.records.property(bytes, at, length, keyId);
        if (value !== undefined) properties[key] = value;
      }
    });
    return exists ? { id, properties } : undefined;
  }

  /** Runs what reads one commit from its beginning to its end. Nothing comes in between, unless functions of the caller do. */
  private heldFor<T>(condition: Condition, read: (reader: GraphReader) => T): T {
    if (!asksCaller(condition)) return read(this);
    const reader = this.holding();
    try {
      return read(reader);
    } finally {
      reader.letGo();
    }
  }

  private findSource(): FindSource {
    void this.view; // a find looks up names before it reads: those of the newest commit have to be known
    return new ReaderSource(this.store, this.writing, {
      view: () => this.view,
      node: (id) => this.getNode(id),
      edge: (id) => this.getEdge(id),
      count: (on, name) => (on === 'node' ? this.nodeCount(name) : this.edgeCount(name)),
    });
  }
}

/** A reader as finds see it. */
class ReaderSource implements FindSource {
  readonly store: GraphStore;
  readonly changing: boolean;
  private readonly ask: ReaderQuestions;

  constructor(store: GraphStore, changing: boolean, ask: ReaderQuestions) {
    this.store = store;
    this.changing = changing;
    this.ask = ask;
  }

  get view(): View {
    return this.ask.view();
  }

  recordOf(on: 'node' | 'edge', id: number): NodeRecord | EdgeRecord | undefined {
    return on === 'node' ? this.ask.node(id) : this.ask.edge(id);
  }

  rows(on: 'node' | 'edge', name: string | undefined): number {
    return this.ask.count(on, name);
  }
}

interface ReaderQuestions {
  readonly view: () => View;
  readonly node: (id: number) => NodeRecord | undefined;
  readonly edge: (id: number) => EdgeRecord | undefined;
  readonly count: (on: 'node' | 'edge', name: string | undefined) => number;
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
