import type { View } from '@sombra/pager';
import { BLOCK_NEIGHBOURS_OFFSET } from '../adjacency/adjacency-block.ts';
import { toArray } from '../values/to-array.ts';
import { danglingEdge, missingNode } from '../model/damage.ts';
import { NAME_KIND, type NameKind } from '../names/dictionary.ts';
import { GraphWalks } from './graph-walks.ts';
import { BareObject } from '../model/bare-object.ts';
import {
  type CheckedHop,
  type Expanded,
  type Hop,
  type Include,
  type Including,
  parseHop,
  type WithIncluded,
} from '../find/include.ts';
import { checkId, checkOptions, countOption, directionOption, flagOption } from '../model/options.ts';
import { checkEdgeLength, edgeSource, edgeTarget, edgeType } from '../records/edge-record.ts';
import { EDGE_PROPERTIES_OFFSET } from '../records/record-format.ts';
import { indexInfo, type PropertyIndexInfo } from '../indexes/index-info.ts';
import type { Workspace } from '../traversal/workspace.ts';
import type { TypeFilter } from '../names/type-filter.ts';
import type { RecordTable } from '../store/record-table.ts';
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
  PropertyValue,
} from '../model/types.ts';

/** The methods of GraphReader that read single records, counts and names, and the edges of a node. Its rules hold here too. */
export abstract class GraphRecords extends GraphWalks {
  /** @internal */
  protected readonly store: GraphStore;
  /** @internal */
  protected readonly workspace: Workspace;
  /** @internal */
  protected readonly ownView: View;

  /** @internal */
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
    const at = store.nodes.find(view, id);
    return at < 0 ? undefined : this.nodeFound(id, at);
  }

  /** The edge, undefined if there is none. */
  getEdge(id: EdgeId): EdgeRecord | undefined {
    checkId(id, 'edge');
    const { store, view } = this;
    const at = store.edges.find(view, id);
    return at < 0 ? undefined : this.edgeFound(id, at);
  }

  /** Is there a node with this id? */
  hasNode(id: NodeId): boolean {
    checkId(id, 'node');
    return this.store.nodes.find(this.view, id) >= 0;
  }

  /** Is there an edge with this id? */
  hasEdge(id: EdgeId): boolean {
    checkId(id, 'edge');
    return this.store.edges.find(this.view, id) >= 0;
  }

  /** One property of a node, read without the others. undefined: no such node or property. */
  getNodeProperty(id: NodeId, key: string): PropertyValue | undefined {
    checkId(id, 'node');
    return this.property(this.store.nodes, id, key);
  }

  /** One property of an edge, read without the others. undefined: no such edge or property. */
  getEdgeProperty(id: EdgeId, key: string): PropertyValue | undefined {
    checkId(id, 'edge');
    return this.property(this.store.edges, id, key);
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
   * first edge that leads there. `include`: with each of these nodes its own edges and nodes, over several hops; see Hop. Empty for a
   * missing node.
   */
  expand<const I extends Include>(id: NodeId, options: NeighborOptions & Including<I>): Expanded<WithIncluded<I>>[];
  expand(id: NodeId, options?: NeighborOptions): Expanded[];
  expand(id: NodeId, options?: Hop): Expanded[] {
    checkId(id, 'node');
    return this.expanded(id, parseHop(options, 'expand', 'expand'));
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

  // --- parts -------------------------------------------------------------------------------------------------------

  /** Nodes of a label or edges of a type. @internal */
  protected countOf(kind: NameKind, name: string): number {
    const { store, view } = this;
    const id = store.dictionary.find(kind, name);
    return id < 0 ? 0 : store.statistics.stored(view, kind, id);
  }

  /** Edges and nodes of one hop, with what comes along with these nodes. */
  private expanded(id: NodeId, hop: CheckedHop): Expanded[] {
    this.collectEdges(id, hop);
    const { store, view } = this;
    const { columns } = store;
    const marks = hop.distinct ? this.workspace.breadthFirst.marks(view) : undefined;
    const found: Expanded[] = [];
    for (let i = 0; i < columns.length && found.length < hop.limit; i += 1) {
      const neighbour = columns.neighbours[i]!;
      if (marks !== undefined && !marks.add(neighbour)) continue;
      const edgeId = columns.edges[i]!;
      const at = store.edges.find(view, edgeId);
      if (at < 0) throw danglingEdge(edgeId);
      const edge = this.edgeFound(edgeId, at);
      const node = neighbour === 0 ? undefined : this.getNode(neighbour);
      if (node === undefined) throw missingNode(neighbour);
      found.push({ edge, node });
    }
    // Behind the loop: the hops that follow fill the same columns and marks.
    if (hop.include !== undefined) for (const { node } of found) this.include(node, hop.include);
    return found;
  }

  /** Puts what comes along with a node into its record. @internal */
  protected include(node: NodeRecord, hops: readonly CheckedHop[]): void {
    const included = new BareObject() as Record<string, Expanded[]>;
    for (const hop of hops) included[hop.name] = this.expanded(node.id, hop);
    (node as NodeRecord & { included: typeof included }).included = included;
  }

  /** Fills `store.columns` with a node's edges. */
  private collectEdges(id: NodeId, options: Partial<Pick<CheckedHop, 'direction' | 'type'>> | undefined): void {
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
      const at = store.edges.find(view, edge);
      if (at < 0) throw danglingEdge(edge);
      found[i] = this.edgeFound(edge, at);
    }
    return found;
  }

  /** Decodes the node record that was found at `at`. */
  private nodeFound(id: NodeId, at: number): NodeRecord {
    const { nodes, records } = this.store;
    const shape = records.open(nodes.bytes(this.view), nodes.start(at), nodes.length);
    return { id, labels: shape.labels.slice(), properties: records.values(shape) };
  }

  /** Decodes the edge record that was found at `at`. */
  private edgeFound(id: EdgeId, at: number): EdgeRecord {
    const { edges, records, dictionary } = this.store;
    const { length } = edges;
    checkEdgeLength(id, length);
    const bytes = edges.bytes(this.view);
    const start = edges.start(at);
    const source = edgeSource(bytes, start);
    const target = edgeTarget(bytes, start);
    const type = dictionary.name(NAME_KIND.edgeType, edgeType(bytes, start));
    const shape = records.open(bytes, start + EDGE_PROPERTIES_OFFSET, length - EDGE_PROPERTIES_OFFSET);
    return { id, source, target, type, properties: records.values(shape) };
  }

  /** Reads one property of a node or edge. */
  private property(table: RecordTable, id: number, key: string): PropertyValue | undefined {
    const { store, view } = this;
    const at = table.find(view, id);
    const keyId = store.dictionary.find(NAME_KIND.propertyKey, key);
    return at < 0 || keyId < 0 ? undefined : store.propertyFound(view, table, at, keyId);
  }
}
