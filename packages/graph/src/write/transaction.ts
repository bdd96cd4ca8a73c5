import type { View, WriteTransaction } from '@sombra/pager';
import { DataError, StateError } from '@sombra/vfs';
import type { AdjacencyWriter } from '../adjacency/adjacency-writer.ts';
import { type DictionaryMark, NAME_KIND, type NameKind } from '../names/dictionary.ts';
import type { EdgeColumns } from '../adjacency/edge-columns.ts';
import { ID_MAX } from '../model/limits.ts';
import { checkId, checkOptions, describe, flagOption } from '../model/options.ts';
import { GraphReader } from '../read/reader.ts';
import type { EdgeEnds } from '../records/edge-record.ts';
import { RECORD_KINDS } from '../names/record-kind.ts';
import { checkProperties, type RecordWriter } from '../records/record-writer.ts';
import type { IndexChanges } from '../indexes/index-changes.ts';
import type { GraphStore } from '../store/store.ts';
import { COUNTER } from '../model/counters.ts';
import type { EdgeId, NodeId, Properties, PropertyInput, ReadonlyValue } from '../model/types.ts';
import { danglingEdge } from '../model/damage.ts';
import type { Workspace } from '../traversal/workspace.ts';
import { refuseTooManyEdges } from './cascade.ts';
import { addMany, deleteEdges, deleteNodes, upsertEdge, upsertNode } from './write-many.ts';
import type { AddManyInput, AddManyResult, Upserted } from './write-many.ts';

/** What only the writer of a graph needs; one per graph. */
export interface WriterParts {
  readonly records: RecordWriter;
  readonly out: AdjacencyWriter;
  readonly in: AdjacencyWriter;
  readonly indexes: IndexChanges;
  /** Edges of a node that is deleted. */
  readonly incident: EdgeColumns;
}

interface Savepoint {
  readonly id: number;
  readonly names: DictionaryMark;
  readonly counts: Map<number, number>;
}

/**
 * The one write transaction of a graph; its reads see its own writes.
 *
 * A statement checks everything first: when it throws DataError, nothing has changed. An error of the disk or a limit
 * (SOMBRA_TRANSACTION_PAGES, SOMBRA_DATABASE_FULL, SOMBRA_TRANSACTION_TIMEOUT, SOMBRA_IO …) in the middle of a statement
 * rolls the whole transaction back before it is thrown. Every method throws StateError SOMBRA_TX_DONE once it has ended, and TransactionError
 * SOMBRA_TRANSACTION_TIMEOUT once its time was over.
 */
export class GraphTransaction extends GraphReader {
  private readonly tx: WriteTransaction;
  private readonly parts: WriterParts;
  private readonly savepoints: Savepoint[] = [];
  private readonly names: DictionaryMark;
  private settled = false;
  /** Is a statement reading what the caller gave? */
  private checking = false;

  /** @internal Transactions come from Graph.begin. */
  constructor(store: GraphStore, workspace: Workspace, tx: WriteTransaction, parts: WriterParts) {
    super(store, workspace, tx.view);
    this.tx = tx;
    this.parts = parts;
    this.names = store.dictionary.mark();
  }

  /** Its state. */
  get state(): 'active' | 'committed' | 'rolled-back' {
    return this.tx.state;
  }

  /** Number of the commit to come. */
  get lsn(): number {
    return this.tx.lsn;
  }

  // --- nodes -------------------------------------------------------------------------------------------------------

  /**
   * Adds a node.
   * @param labels      one label or a list; [] for none. Repeated ones count once
   * @param properties  a plain object; null and undefined mean absent
   * @returns its id
   * @throws DataError SOMBRA_LABEL_EMPTY, SOMBRA_NAME_TOO_LONG, SOMBRA_VALUE_KIND, SOMBRA_VALUE_TOO_LARGE, SOMBRA_NESTING,
   *   SOMBRA_TEXT_SURROGATE, SOMBRA_DICTIONARY_FULL
   */
  addNode(labels: string | readonly string[], properties?: PropertyInput): NodeId {
    this.checkActive();
    const { store, tx } = this;
    const id = this.nextId(COUNTER.nextNodeId, 'node');
    const labelIds: number[] = [];
    const size = this.checked(() => {
      store.dictionary.internLabels(labels, labelIds);
      const encoded = this.parts.records.node(labelIds, properties, store.dictionary);
      this.planIndexes('node', id, NO_NAMES, labelIds, encoded);
      return encoded;
    });
    try {
      this.storeNames();
      store.nodes.tree.putU48(tx, id, this.parts.records.bytes, 0, size);
      this.changeIndexes(id);
      for (let i = 0; i < labelIds.length; i += 1) {
        store.nodes.byName.add(tx, labelIds[i]!, id);
        store.statistics.add(NAME_KIND.label, labelIds[i]!, 1);
      }
      tx.setCounter(COUNTER.nextNodeId, id + 1);
      this.addToCounter(COUNTER.nodeCount, 1);
    } catch (error) {
      throw this.failed(error);
    }
    if ((id & 1023) === 0) store.fitHints(this.view);
    return id;
  }

  /**
   * Deletes a node.
   * @param options  `cascade`: its edges too
   * @throws DataError SOMBRA_NODE_NOT_FOUND, SOMBRA_NODE_HAS_EDGES; TransactionError SOMBRA_TRANSACTION_PAGES for more edges than
   *   one transaction can delete: as far as that can be known before, nothing is changed, and the transaction goes on
   */
  deleteNode(id: NodeId, options?: { readonly cascade?: boolean }): void {
    this.checkActive();
    checkId(id, 'node');
    options = checkOptions(options, ['cascade'], 'deleteNode');
    const cascade = flagOption(options?.cascade, false, 'cascade');
    const { store, tx } = this;
    const labels = this.labelIdsOf(id);
    const connected = store.out.head(this.view, id) >= 0 || store.in.head(this.view, id) >= 0;
    if (connected && !cascade) {
      const degree = this.degree(id, { direction: 'both' });
      throw new DataError(
        'SOMBRA_NODE_HAS_EDGES',
        `node ${id} has ${degree} edges: delete them first, or pass { cascade: true }`,
        {
          details: { node: id, degree },
        },
      );
    }
    const outgoing = connected ? this.collectIncident(id) : 0;
    try {
      if (connected) this.deleteIncident(id, outgoing);
      this.planIndexes('node', id, labels, NO_NAMES, 0);
      this.changeIndexes(id);
      for (const label of labels) {
        store.nodes.byName.remove(tx, label, id);
        store.statistics.add(NAME_KIND.label, label, -1);
      }
      store.nodes.tree.deleteU48(tx, id);
      this.addToCounter(COUNTER.nodeCount, -1);
    } catch (error) {
      throw this.failed(error);
    }
  }

  /** Sets a property; null or undefined removes it. @throws DataError SOMBRA_NODE_NOT_FOUND, and as `addNode` */
  setNodeProperty(id: NodeId, key: string, value: ReadonlyValue | null | undefined): void {
    this.changeNode(id, (properties) => setProperty(properties, key, value));
  }

  /** Removes a property. @returns false if the node did not have it. @throws DataError SOMBRA_NODE_NOT_FOUND */
  removeNodeProperty(id: NodeId, key: string): boolean {
    return this.changeNode(id, (properties) => removeProperty(properties, key));
  }

  /** Replaces all properties. @throws DataError SOMBRA_NODE_NOT_FOUND, and as `addNode` */
  replaceNodeProperties(id: NodeId, properties: PropertyInput): void {
    this.changeNode(id, () => checkProperties(properties));
  }

  /** Sets the given properties and keeps the others; null and undefined remove. @throws as `replaceNodeProperties` */
  updateNodeProperties(id: NodeId, properties: PropertyInput): void {
    this.changeNode(id, (before) => ({ ...before, ...checkProperties(properties) }));
  }

  /** Adds a label. @returns false if the node has it. @throws DataError SOMBRA_NODE_NOT_FOUND, and as `addNode` */
  addLabel(id: NodeId, label: string): boolean {
    this.checkActive();
    checkId(id, 'node');
    const { store } = this;
    const labels = this.labelIdsOf(id);
    const node = this.getNode(id)!;
    let labelId = -1;
    const size = this.checked(() => {
      labelId = store.dictionary.intern(NAME_KIND.label, label);
      if (labels.includes(labelId)) return -1;
      const more = [...labels, labelId];
      const encoded = this.parts.records.node(more, node.properties, store.dictionary);
      this.planIndexes('node', id, labels, more, encoded);
      return encoded;
    });
    if (size < 0) return false;
    this.writeLabels(id, size, labelId, true);
    return true;
  }

  /** Removes a label. @returns false if the node does not have it. @throws DataError SOMBRA_NODE_NOT_FOUND */
  removeLabel(id: NodeId, label: string): boolean {
    this.checkActive();
    checkId(id, 'node');
    const { store } = this;
    const labels = this.labelIdsOf(id);
    const labelId = store.dictionary.find(NAME_KIND.label, label);
    if (labelId < 0 || !labels.includes(labelId)) return false;
    const node = this.getNode(id)!;
    const left = labels.filter((one) => one !== labelId);
    const size = this.parts.records.node(left, node.properties, store.dictionary);
    this.planIndexes('node', id, labels, left, size);
    this.writeLabels(id, size, labelId, false);
    return true;
  }

  // --- edges -------------------------------------------------------------------------------------------------------

  /**
   * Adds an edge. Parallel edges and self loops are allowed.
   * @returns its id
   * @throws DataError SOMBRA_NODE_NOT_FOUND for a missing end, and as `addNode`
   */
  addEdge(source: NodeId, target: NodeId, type: string, properties?: PropertyInput): EdgeId {
    this.checkActive();
    const { store, tx } = this;
    this.checkNode(source);
    if (target !== source) this.checkNode(target);
    const id = this.nextId(COUNTER.nextEdgeId, 'edge');
    let typeId = -1;
    const size = this.checked(() => {
      typeId = store.dictionary.intern(NAME_KIND.edgeType, type);
      const encoded = this.parts.records.edge(source, target, typeId, properties, store.dictionary);
      this.planIndexes('edge', id, NO_NAMES, [typeId], encoded);
      return encoded;
    });
    try {
      this.storeNames();
      store.edges.tree.putU48(tx, id, this.parts.records.bytes, 0, size);
      this.changeIndexes(id);
      this.parts.out.append(tx, source, target, id, typeId);
      this.parts.in.append(tx, target, source, id, typeId);
      store.edges.byName.add(tx, typeId, id);
      store.statistics.add(NAME_KIND.edgeType, typeId, 1);
      tx.setCounter(COUNTER.nextEdgeId, id + 1);
      this.addToCounter(COUNTER.edgeCount, 1);
    } catch (error) {
      throw this.failed(error);
    }
    if ((id & 16383) === 0) store.fitHints(this.view);
    return id;
  }

  /** Deletes an edge. @throws DataError SOMBRA_EDGE_NOT_FOUND */
  deleteEdge(id: EdgeId): void {
    this.checkActive();
    const { source, target, type } = this.edgeFields(id);
    try {
      this.deleteEdgeRecord(id, type);
      this.store.edges.byName.remove(this.tx, type, id);
      if (!this.parts.out.remove(this.tx, source, id, type) || !this.parts.in.remove(this.tx, target, id, type))
        throw danglingEdge(id);
    } catch (error) {
      throw this.failed(error);
    }
  }

  /** Sets a property; null or undefined removes it. @throws DataError SOMBRA_EDGE_NOT_FOUND, and as `addNode` */
  setEdgeProperty(id: EdgeId, key: string, value: ReadonlyValue | null | undefined): void {
    this.changeEdge(id, (properties) => setProperty(properties, key, value));
  }

  /** Removes a property. @returns false if the edge did not have it. @throws DataError SOMBRA_EDGE_NOT_FOUND */
  removeEdgeProperty(id: EdgeId, key: string): boolean {
    return this.changeEdge(id, (properties) => removeProperty(properties, key));
  }

  /** Replaces all properties. @throws DataError SOMBRA_EDGE_NOT_FOUND, and as `addNode` */
  replaceEdgeProperties(id: EdgeId, properties: PropertyInput): void {
    this.changeEdge(id, () => checkProperties(properties));
  }

  /** Sets the given properties and keeps the others; null and undefined remove. @throws as `replaceEdgeProperties` */
  updateEdgeProperties(id: EdgeId, properties: PropertyInput): void {
    this.changeEdge(id, (before) => ({ ...before, ...checkProperties(properties) }));
  }

  // --- many at once ------------------------------------------------------------------------------------------------

  /**
   * Adds nodes, then edges, which may refer to the nodes by their `ref`. All or nothing.
   * @throws DataError SOMBRA_REFERENCE for a `ref` that is unknown or given twice, and as addNode and addEdge
   */
  addMany(input: AddManyInput): AddManyResult {
    return addMany(this, input);
  }

  /**
   * Updates the node of a label that has the properties `match`, or adds it. Needs a unique index on exactly these.
   * @param properties  set on it besides; null removes one
   * @throws DataError SOMBRA_NO_UNIQUE_INDEX, and as addNode and updateNodeProperties
   */
  upsertNode(
    label: string,
    match: Readonly<Record<string, ReadonlyValue>>,
    properties?: PropertyInput,
  ): Upserted<NodeId> {
    return upsertNode(this, label, match, properties);
  }

  /** Updates the first edge of a type from one node to another, or adds it. @throws as addEdge and updateEdgeProperties */
  upsertEdge(source: NodeId, target: NodeId, type: string, properties?: PropertyInput): Upserted<EdgeId> {
    return upsertEdge(this, source, target, type, properties);
  }

  /** For ManyWriter. @internal */
  hasUniqueIndex(label: string, keys: readonly string[]): boolean {
    const { store, view } = this;
    const { dictionary } = store;
    const keyIds = keys.map((key) => dictionary.find(NAME_KIND.propertyKey, key));
    return store.indexes
      .of(view)
      .of('node', dictionary.find(NAME_KIND.label, label))
      .some(
        (index) =>
          index.unique && index.keyIds.length === keys.length && keyIds.every((id) => index.keyIds.includes(id)),
      );
  }

  /** Deletes nodes, all or nothing; missing ids are skipped. @returns how many @throws as deleteNode */
  deleteNodes(ids: Iterable<NodeId>, options?: { readonly cascade?: boolean }): number {
    return deleteNodes(this, ids, options);
  }

  /** Deletes edges, all or nothing; missing ids are skipped. @returns how many */
  deleteEdges(ids: Iterable<EdgeId>): number {
    return deleteEdges(this, ids);
  }

  // --- ends --------------------------------------------------------------------------------------------------------

  /** Marks this place of the transaction. @returns its id, for `rollbackTo` and `releaseSavepoint` */
  savepoint(): number {
    this.checkActive();
    const id = this.tx.savepoint();
    this.savepoints.push({ id, names: this.store.dictionary.mark(), counts: this.store.statistics.mark() });
    return id;
  }

  /** Takes back everything since a savepoint, which stays open. @throws StateError SOMBRA_SAVEPOINT */
  rollbackTo(savepoint: number): void {
    this.checkActive();
    const { store } = this;
    this.tx.rollbackTo(savepoint);
    const at = this.savepoints.findIndex(({ id }) => id === savepoint);
    const { names, counts } = this.savepoints[at]!;
    this.savepoints.length = at + 1;
    store.rolledBackTo(this.view, names, counts);
  }

  /** Ends a savepoint and those after it; their changes stay. @throws StateError SOMBRA_SAVEPOINT */
  releaseSavepoint(savepoint: number): void {
    this.checkActive();
    this.tx.releaseSavepoint(savepoint);
    this.savepoints.length = this.savepoints.findIndex(({ id }) => id === savepoint);
  }

  /**
   * Makes the changes permanent.
   * @returns number of the commit
   * @throws as WriteTransaction.commit of the pager
   */
  commit(): number {
    return this.finish((tx) => tx.commit(), true);
  }

  /**
   * Makes the changes permanent together with others that share a sync; see WriteTransaction.commitAsync of the pager.
   * @returns fulfilled with the number of the commit when it is durable and visible to all readers
   */
  commitAsync(): Promise<number> {
    return this.finish((tx) => tx.commitAsync(), false);
  }

  private finish<T>(commit: (tx: WriteTransaction) => T, published: boolean): T {
    this.checkActive();
    const { store, tx } = this;
    try {
      store.statistics.write(tx);
      store.committing(tx.view);
      const result = commit(tx);
      this.settled = true;
      store.committed(published);
      return result;
    } catch (error) {
      tx.rollback();
      this.settle();
      throw error;
    }
  }

  /** Takes everything back. Idempotent. */
  rollback(): void {
    this.refuseMeddling();
    this.tx.rollback();
    this.settle();
  }

  /** Was it rolled back because its time was over? */
  get isLate(): boolean {
    return this.tx.isLate;
  }

  /** Its time is over: rolls back, unless it has ended. From then on every method throws TransactionError SOMBRA_TRANSACTION_TIMEOUT. */
  expire(): void {
    this.refuseMeddling();
    this.tx.expire();
    this.settle();
  }

  /** Rolls back unless it has ended. */
  [Symbol.dispose](): void {
    this.rollback();
  }

  /** Brings names, counts and hints back after any rollback. @internal */
  settle(): void {
    if (this.settled || this.tx.state === 'active') return;
    this.settled = true;
    this.store.rolledBack(this.names);
  }

  // --- parts -------------------------------------------------------------------------------------------------------

  /** @internal */
  protected override get transaction(): WriteTransaction {
    return this.tx;
  }

  /** @internal */
  protected override get view(): View {
    if (this.tx.state !== 'active') this.checkActive();
    return this.tx.view;
  }

  /** @internal */
  protected override get writing(): boolean {
    return true;
  }

  /** @internal */
  protected override countOf(kind: NameKind, name: string): number {
    const id = this.store.dictionary.find(kind, name);
    return id < 0 ? 0 : this.store.statistics.stored(this.view, kind, id) + this.store.statistics.change(kind, id);
  }

  /** Refuses a write at the wrong time: after the end, or by a getter among the values of another write. */
  private checkActive(): void {
    this.refuseMeddling();
    if (this.tx.state === 'active') return;
    this.settle();
    this.tx.refuseEnded();
  }

  private refuseMeddling(): void {
    if (!this.checking) return;
    throw new StateError(
      'SOMBRA_TRANSACTION_ACTIVE',
      'a getter among the values of a write used the same transaction: pass plain values',
    );
  }

  /** Runs the checks of a statement, which may give numbers to new names; takes those back when it throws. */
  private checked(check: () => number): number {
    const { dictionary } = this.store;
    const names = dictionary.mark();
    this.checking = true;
    try {
      const size = check();
      if (size < 0) dictionary.truncate(names);
      return size;
    } catch (error) {
      dictionary.truncate(names);
      throw error;
    } finally {
      this.checking = false;
    }
  }

  private storeNames(): void {
    this.store.dictionary.store(this.tx, this.store.dictionaryTree);
  }

  private nextId(counter: number, what: string): number {
    const id = this.view.counter(counter);
    if (id > ID_MAX)
      throw new DataError('SOMBRA_ID_RANGE', `all ${ID_MAX} ${what} ids are used up: export the graph into a new file`);
    return id;
  }

  private addToCounter(counter: number, delta: number): void {
    this.tx.setCounter(counter, this.view.counter(counter) + delta);
  }

  private checkNode(id: NodeId): void {
    checkId(id, 'node');
    if (this.store.nodes.find(this.view, id) < 0) throw noNode(id);
  }

  /** Ends and type of an edge that must exist. */
  private edgeFields(id: EdgeId): EdgeEnds {
    checkId(id, 'edge');
    const ends = this.store.edgeEnds(this.view, id);
    if (ends !== undefined) return ends;
    throw new DataError('SOMBRA_EDGE_NOT_FOUND', `there is no edge ${id}`, { details: { edge: id } });
  }

  /** Label ids of a node that must exist. */
  private labelIdsOf(id: NodeId): readonly number[] {
    checkId(id, 'node');
    const shape = this.store.nodeShape(this.view, id);
    if (shape === undefined) throw noNode(id);
    return shape.labelIds;
  }

  /** Gives a node what `change` makes of its properties; undefined: it stays. @returns whether it changed */
  private changeNode(id: NodeId, change: (properties: Properties) => PropertyInput | undefined): boolean {
    this.checkActive();
    const { store, tx, parts } = this;
    const labels = this.labelIdsOf(id);
    const before = this.getNode(id)!.properties;
    const size = this.checked(() => {
      const properties = change(before);
      if (properties === undefined) return -1;
      const encoded = parts.records.node(labels, properties, store.dictionary);
      this.planIndexes('node', id, labels, labels, encoded);
      return encoded;
    });
    if (size < 0) return false;
    try {
      this.storeNames();
      store.nodes.tree.putU48(tx, id, parts.records.bytes, 0, size);
      this.changeIndexes(id);
    } catch (error) {
      throw this.failed(error);
    }
    return true;
  }

  /** As `changeNode`, for an edge. */
  private changeEdge(id: EdgeId, change: (properties: Properties) => PropertyInput | undefined): boolean {
    this.checkActive();
    const { store, tx, parts } = this;
    const { source, target, type } = this.edgeFields(id);
    const before = this.getEdge(id)!.properties;
    const size = this.checked(() => {
      const properties = change(before);
      if (properties === undefined) return -1;
      const encoded = parts.records.edge(source, target, type, properties, store.dictionary);
      this.planIndexes('edge', id, [type], [type], encoded);
      return encoded;
    });
    if (size < 0) return false;
    try {
      this.storeNames();
      store.edges.tree.putU48(tx, id, parts.records.bytes, 0, size);
      this.changeIndexes(id);
    } catch (error) {
      throw this.failed(error);
    }
    return true;
  }

  /** Gives a node other labels. `added` or removed is the one that differs. */
  private writeLabels(id: NodeId, size: number, label: number, added: boolean): void {
    const { store, tx } = this;
    try {
      this.storeNames();
      store.nodes.tree.putU48(tx, id, this.parts.records.bytes, 0, size);
      this.changeIndexes(id);
      if (added) store.nodes.byName.add(tx, label, id);
      else store.nodes.byName.remove(tx, label, id);
      store.statistics.add(NAME_KIND.label, label, added ? 1 : -1);
    } catch (error) {
      throw this.failed(error);
    }
  }

  /**
   * Gathers the edges of a node in `parts.incident`, outgoing ones first.
   * @returns how many are outgoing
   * @throws TransactionError SOMBRA_TRANSACTION_PAGES
   */
  private collectIncident(id: NodeId): number {
    const { store, view, tx, parts } = this;
    const { incident } = parts;
    incident.length = 0;
    store.out.collect(view, id, store.everyType, -1, incident);
    const outgoing = incident.length;
    store.in.collect(view, id, store.everyType, id, incident);
    refuseTooManyEdges(store, tx, id, incident, outgoing);
    return outgoing;
  }

  /** Removes the edges of a node that `collectIncident` has gathered, from the other ends too; one tree after the other. */
  private deleteIncident(id: NodeId, outgoing: number): void {
    const { store, tx, parts } = this;
    const { neighbours, edges, types, length } = parts.incident;
    for (let i = 0; i < length; i += 1) this.deleteEdgeRecord(edges[i]!, types[i]!);
    for (let from = 0, to = 0; from < length; from = to) {
      const type = types[from]!;
      while (to < length && types[to] === type) to += 1;
      store.edges.byName.removeAll(tx, type, edges.slice(from, to).sort());
    }
    for (let i = 0; i < length; i += 1) {
      if (neighbours[i] === id) continue;
      const other = i < outgoing ? parts.in : parts.out;
      if (!other.remove(tx, neighbours[i]!, edges[i]!, types[i]!)) throw danglingEdge(edges[i]!);
    }
    parts.out.drop(tx, id);
    parts.in.drop(tx, id);
  }

  /** Removes what is kept of an edge outside of adjacency and of the index of types. @throws CorruptionError SOMBRA_ADJACENCY */
  private deleteEdgeRecord(id: EdgeId, type: number): void {
    const { store, tx } = this;
    this.planIndexes('edge', id, [type], NO_NAMES, 0);
    if (!store.edges.tree.deleteU48(tx, id)) throw danglingEdge(id);
    this.changeIndexes(id);
    store.statistics.add(NAME_KIND.edgeType, type, -1);
    this.addToCounter(COUNTER.edgeCount, -1);
  }

  /**
   * Works out what a statement changes in property indexes, before it changes anything; `changeIndexes` then does it.
   * @param before  labels or type of the record that is there; none for a new one
   * @param after   of the record to come, which `parts.records` has encoded; none when it is deleted
   * @param size    bytes of the record to come
   * @throws DataError SOMBRA_UNIQUE
   */
  private planIndexes(
    on: 'node' | 'edge',
    id: number,
    before: readonly number[],
    after: readonly number[],
    size: number,
  ): void {
    const { store, view } = this;
    const { indexes, records } = this.parts;
    const set = store.indexes.of(view);
    indexes.begin();
    if (!set.has(on)) return;
    if (before.length > 0)
      store.withProperties(view, on, id, (bytes, at, length) => {
        indexes.before(set, on, before, bytes, at, length);
      });
    if (after.length === 0) return;
    const skip = RECORD_KINDS[on].propertiesAt;
    indexes.after(set, on, after, records.bytes, skip, size - skip);
    indexes.check(view, id, records.bytes, skip, size - skip);
  }

  private changeIndexes(id: number): void {
    if (!this.parts.indexes.isEmpty) this.parts.indexes.apply(this.tx, id);
  }

  /** A statement failed after its checks: nothing of the transaction can stay. */
  private failed(error: unknown): unknown {
    this.tx.rollback();
    this.settle();
    return error;
  }
}

const NO_NAMES: readonly number[] = [];

function setProperty(properties: Properties, key: string, value: ReadonlyValue | null | undefined): PropertyInput {
  if (typeof key !== 'string')
    throw new DataError('SOMBRA_VALUE_KIND', `a property key is a string, not ${describe(key)}`);
  // A computed key makes an own property, even for `__proto__`.
  return { ...properties, [key]: value };
}

function removeProperty(properties: Properties, key: string): PropertyInput | undefined {
  return Object.hasOwn(properties, key) ? { ...properties, [key]: null } : undefined;
}

function noNode(id: NodeId): DataError {
  return new DataError('SOMBRA_NODE_NOT_FOUND', `there is no node ${id}`, { details: { node: id } });
}
