import type { View } from '@sombra/pager';
import { NAME_KIND } from '../names/dictionary.ts';
import { RECORD_KINDS } from '../names/record-kind.ts';
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
import type { Include, Including, WithIncluded } from '../find/include.ts';
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
import { GraphRecords } from './graph-records.ts';
import { type IdRange, idRange, type IdSource, NameScan, NoIds, type Range, RecordScan } from '../ids/id-source.ts';
import { checkOptions, flagOption, ownOptions } from '../model/options.ts';
import { BareObject } from '../model/bare-object.ts';
import type { GraphStore } from '../store/store.ts';
import type { EdgeId, EdgeRecord, NodeId, NodeRecord, Properties } from '../model/types.ts';

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
export class GraphReader extends GraphRecords {
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
   * rows are those of the commit that was newest when the first was asked for; a transaction sees its own writes. `include`: each
   * node comes with edges and nodes around it, over several hops; see Hop.
   * @throws DataError SOMBRA_SORT_MEMORY when rows have to be put in order that take more than 64 MiB
   */
  findNodes(query: NodeQuery & Selection): Rows<SelectedRecord<NodeId>>;
  findNodes<const I extends Include>(query: NodeQuery & Including<I>): Rows<WithIncluded<I>>;
  findNodes(query?: NodeQuery): Rows<NodeRecord>;
  findNodes(query?: NodeQuery & Partial<Selection & Including>): Rows<NodeRecord | SelectedRecord> {
    return this.runFind(parseFind('node', query, 'findNodes', FIND_OPTIONS.node)) as Rows<NodeRecord | SelectedRecord>;
  }

  /** Edges by their type and conditions on their properties. As `findNodes`. */
  findEdges(query: EdgeQuery & Selection): Rows<SelectedRecord<EdgeId>>;
  findEdges(query?: EdgeQuery): Rows<EdgeRecord>;
  findEdges(query?: EdgeQuery & Partial<Selection>): Rows<EdgeRecord | SelectedRecord> {
    return this.runFind(parseFind('edge', query, 'findEdges', FIND_OPTIONS.edge)) as Rows<EdgeRecord | SelectedRecord>;
  }

  /** The first of `findNodes`; undefined when there is none. */
  findNode(query: NodeQuery & Selection): SelectedRecord<NodeId> | undefined;
  findNode<const I extends Include>(query: NodeQuery & Including<I>): WithIncluded<I> | undefined;
  findNode(query?: NodeQuery): NodeRecord | undefined;
  findNode(query?: NodeQuery & Partial<Selection & Including>): NodeRecord | SelectedRecord | undefined {
    return this.runFirst(parseFind('node', query, 'findNode', FIND_OPTIONS.node)) as NodeRecord | undefined;
  }

  /** The first of `findEdges`; undefined when there is none. */
  findEdge(query: EdgeQuery & Selection): SelectedRecord<EdgeId> | undefined;
  findEdge(query?: EdgeQuery): EdgeRecord | undefined;
  findEdge(query?: EdgeQuery & Partial<Selection>): EdgeRecord | SelectedRecord | undefined {
    return this.runFirst(parseFind('edge', query, 'findEdge', FIND_OPTIONS.edge)) as EdgeRecord | undefined;
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
  explainNodes(query?: NodeQuery & Partial<Selection & Including>, options?: { readonly analyze?: boolean }): FindPlan {
    return this.runExplain(parseFind('node', query, 'explainNodes', FIND_OPTIONS.node), options);
  }

  /** How `findEdges` would run. As `explainNodes`. */
  explainEdges(query?: EdgeQuery & Partial<Selection>, options?: { readonly analyze?: boolean }): FindPlan {
    return this.runExplain(parseFind('edge', query, 'explainEdges', FIND_OPTIONS.edge), options);
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
  prepareNodes<const I extends Include>(query: NodeQuery & Including<I>): PreparedFind<WithIncluded<I>>;
  prepareNodes(query?: NodeQuery): PreparedFind<NodeRecord>;
  prepareNodes(query?: NodeQuery & Partial<Selection & Including>): PreparedFind<NodeRecord | SelectedRecord> {
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
    const next = this.view.counter(RECORD_KINDS[on].nextId);
    return { ...range, to: Math.min(range.to, next - 1) };
  }

  private scan(on: 'node' | 'edge', name: string | undefined, range: Range): IdSource {
    const { store } = this;
    const { tree, byName, kind } = store.table(on);
    if (name === undefined) return new RecordScan(tree, range);
    const id = store.dictionary.find(kind.names, name);
    return id < 0 ? new NoIds() : new NameScan(byName, id, range);
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

  private rowOf({ on, select, include }: Find, id: number): NodeRecord | EdgeRecord | SelectedRecord | undefined {
    if (select !== undefined) return this.selected(on, id, select);
    if (on === 'edge') return this.getEdge(id);
    const node = this.getNode(id);
    if (include !== undefined && node !== undefined) this.include(node, include);
    return node;
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
