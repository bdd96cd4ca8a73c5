import { StateError, TransactionError } from '@sombra/vfs';
import { addMany, deleteEdges, deleteNodes, upsertEdge, upsertNode } from '@sombra/graph';
import type {
  AddManyInput,
  AddManyResult,
  EdgeId,
  GraphReader,
  GraphTransaction,
  NodeId,
  PropertyInput,
  ReadonlyValue,
  Upserted,
} from '@sombra/graph';
import type { ReportedTransaction } from '../observing/reports.ts';
import { ReadMethods } from '../reading/read-methods.ts';
import type { SchemaRules } from '../schema/schema-rules.ts';

/** An edge that is about to be added. */
interface NewEdge {
  readonly source: NodeId;
  readonly target: NodeId;
  readonly type: string;
  readonly properties: PropertyInput | undefined;
}

/** How a write transaction ended: its time ran out, its database was closed, or anything else. */
export type TransactionEnd = 'timeout' | 'closed' | 'done';

/**
 * A write transaction as the database knows it. It does not refer to the `Transaction` that the caller holds, so a handle
 * that is dropped without commit or rollback can be collected, and noticed.
 */
export interface OpenTransaction extends ReportedTransaction {
  readonly inner: GraphTransaction;
  /** Did `transaction(fn)` begin it, which then also ends it? */
  readonly managed: boolean;
  /** Deadline of an explicit transaction. */
  timer: unknown;
  ended: TransactionEnd | undefined;
}

/** What a handle asks of its database. */
export interface TransactionOwner {
  /** What every write is checked against; undefined: nothing. */
  readonly rules: SchemaRules | undefined;
  commitExplicit(open: OpenTransaction, handle: Transaction): number;
  rollbackExplicit(open: OpenTransaction, handle: Transaction): void;
  runNested<T>(open: OpenTransaction, handle: Transaction, fn: (tx: Transaction) => T): T;
}

/**
 * A write transaction. Its reads see its own writes; no other reader sees them before it commits. Nothing in it is asynchronous.
 *
 * A write that is refused with DataError for what it was given (see the codes of each) changes nothing, and the transaction
 * goes on. One that reaches a limit (SOMBRA_TRANSACTION_PAGES, SOMBRA_DATABASE_FULL, SOMBRA_TRANSACTION_TIMEOUT) or meets a
 * failing disk rolls the whole transaction back. Once it has ended, every call throws SOMBRA_TX_DONE; SOMBRA_TRANSACTION_TIMEOUT when its time
 * was over.
 */
export class Transaction extends ReadMethods {
  private readonly open: OpenTransaction;
  private readonly owner: TransactionOwner;

  /** @internal */
  constructor(open: OpenTransaction, owner: TransactionOwner) {
    super();
    this.open = open;
    this.owner = owner;
  }

  /** How it stands. */
  get state(): 'active' | 'committed' | 'rolled-back' {
    return this.open.inner.state;
  }

  /** Its number: 1 for the first transaction of this open database, one more for each later one. Observers are told it. */
  get id(): number {
    return this.open.id;
  }

  /** Number of the commit that it will be. */
  get lsn(): number {
    return this.open.inner.lsn;
  }

  /**
   * Adds a node.
   * @param labels  one label, several, or `[]`
   * @throws DataError SOMBRA_LABEL_EMPTY, SOMBRA_NAME_TOO_LONG, SOMBRA_VALUE_KIND, SOMBRA_VALUE_TOO_LARGE, SOMBRA_NESTING,
   *   SOMBRA_TEXT_SURROGATE, SOMBRA_DICTIONARY_FULL, SOMBRA_SCHEMA
   */
  addNode(labels: string | readonly string[], properties?: PropertyInput): NodeId {
    const tx = this.use();
    this.owner.rules?.checkNode(labels, properties);
    const id = tx.addNode(labels, properties);
    this.noteNode('addNode', id);
    return id;
  }

  /** Adds an edge. @throws DataError SOMBRA_NODE_NOT_FOUND, and as `addNode` */
  addEdge(source: NodeId, target: NodeId, type: string, properties?: PropertyInput): EdgeId {
    const tx = this.use();
    const { rules } = this.owner;
    if (rules !== undefined) checkNewEdge(rules, tx, { source, target, type, properties });
    const id = tx.addEdge(source, target, type, properties);
    this.noteEdge('addEdge', id);
    return id;
  }

  /** Sets one property; null removes it. @throws DataError SOMBRA_NODE_NOT_FOUND, and as `addNode` */
  setNodeProperty(id: NodeId, key: string, value: ReadonlyValue | null): void {
    const tx = this.use();
    this.checkNode(tx, id, { [key]: value });
    tx.setNodeProperty(id, key, value);
    this.noteNode('setNodeProperty', id);
  }

  /** @returns false when it was not there @throws DataError SOMBRA_NODE_NOT_FOUND */
  removeNodeProperty(id: NodeId, key: string): boolean {
    const tx = this.use();
    this.checkNode(tx, id, { [key]: null });
    const removed = tx.removeNodeProperty(id, key);
    if (removed) this.noteNode('removeNodeProperty', id);
    return removed;
  }

  /** Replaces all properties. @throws DataError SOMBRA_NODE_NOT_FOUND, and as `addNode` */
  replaceNodeProperties(id: NodeId, properties: PropertyInput): void {
    const tx = this.use();
    this.checkNode(tx, id, properties, false);
    tx.replaceNodeProperties(id, properties);
    this.noteNode('replaceNodeProperties', id);
  }

  /** Sets the given properties, keeps the others; null removes one. @throws as `replaceNodeProperties` */
  updateNodeProperties(id: NodeId, properties: PropertyInput): void {
    const tx = this.use();
    this.checkNode(tx, id, properties);
    tx.updateNodeProperties(id, properties);
    this.noteNode('updateNodeProperties', id);
  }

  /** Sets one property; null removes it. @throws DataError SOMBRA_EDGE_NOT_FOUND, and as `addNode` */
  setEdgeProperty(id: EdgeId, key: string, value: ReadonlyValue | null): void {
    const tx = this.use();
    this.checkEdge(tx, id, { [key]: value });
    tx.setEdgeProperty(id, key, value);
    this.noteEdge('setEdgeProperty', id);
  }

  /** @returns false when it was not there @throws DataError SOMBRA_EDGE_NOT_FOUND */
  removeEdgeProperty(id: EdgeId, key: string): boolean {
    const tx = this.use();
    this.checkEdge(tx, id, { [key]: null });
    const removed = tx.removeEdgeProperty(id, key);
    if (removed) this.noteEdge('removeEdgeProperty', id);
    return removed;
  }

  /** Replaces all properties. @throws DataError SOMBRA_EDGE_NOT_FOUND, and as `addNode` */
  replaceEdgeProperties(id: EdgeId, properties: PropertyInput): void {
    const tx = this.use();
    this.checkEdge(tx, id, properties, false);
    tx.replaceEdgeProperties(id, properties);
    this.noteEdge('replaceEdgeProperties', id);
  }

  /** Sets the given properties, keeps the others; null removes one. @throws as `replaceEdgeProperties` */
  updateEdgeProperties(id: EdgeId, properties: PropertyInput): void {
    const tx = this.use();
    this.checkEdge(tx, id, properties);
    tx.updateEdgeProperties(id, properties);
    this.noteEdge('updateEdgeProperties', id);
  }

  /** @returns false when the node has it already @throws DataError SOMBRA_NODE_NOT_FOUND, and as `addNode` */
  addLabel(id: NodeId, label: string): boolean {
    const tx = this.use();
    this.checkLabels(tx, id, (labels) => (labels.includes(label) ? labels : [...labels, label]));
    const added = tx.addLabel(id, label);
    if (added) this.noteNode('addLabel', id);
    return added;
  }

  /** @returns false when the node does not have it @throws DataError SOMBRA_NODE_NOT_FOUND */
  removeLabel(id: NodeId, label: string): boolean {
    const tx = this.use();
    let left: string[] = [];
    this.checkLabels(tx, id, (labels) => (left = labels.filter((each) => each !== label)));
    this.owner.rules?.checkLostLabel(label, left, (type, direction) => tx.degree(id, { type, direction }) > 0);
    const removed = tx.removeLabel(id, label);
    if (removed) this.noteNode('removeLabel', id);
    return removed;
  }

  /**
   * Deletes a node, with `cascade` its edges too.
   * @throws DataError SOMBRA_NODE_NOT_FOUND, SOMBRA_NODE_HAS_EDGES
   */
  deleteNode(id: NodeId, options?: { readonly cascade?: boolean }): void {
    const tx = this.use();
    const { recorder } = this.open;
    const cascades = recorder !== undefined && options?.cascade === true;
    const edges = cascades ? tx.edgeIdsOf(id, { direction: 'both' }) : [];
    tx.deleteNode(id, options);
    recorder?.note({ action: 'deleteNode', nodes: [id], edges });
  }

  /** @throws DataError SOMBRA_EDGE_NOT_FOUND */
  deleteEdge(id: EdgeId): void {
    this.use().deleteEdge(id);
    this.noteEdge('deleteEdge', id);
  }

  /**
   * Adds nodes, then edges, which may refer to the nodes by their `ref`. All or nothing.
   * @throws DataError SOMBRA_REFERENCE for a `ref` that is unknown or given twice, and as addNode and addEdge
   */
  addMany(input: AddManyInput): AddManyResult {
    this.use();
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
    this.use();
    this.owner.rules?.checkWholeNode(label, { ...properties, ...match });
    return upsertNode(this, label, match, properties);
  }

  /** For ManyWriter. @internal */
  hasUniqueIndex(label: string, keys: readonly string[]): boolean {
    return this.use().hasUniqueIndex(label, keys);
  }

  /** Updates the first edge of a type from one node to another, or adds it. @throws as addEdge and updateEdgeProperties */
  upsertEdge(source: NodeId, target: NodeId, type: string, properties?: PropertyInput): Upserted<EdgeId> {
    this.use();
    this.owner.rules?.checkWholeEdge(type, properties ?? {});
    return upsertEdge(this, source, target, type, properties);
  }

  /** Deletes nodes, all or nothing; missing ids are skipped. @returns how many @throws as deleteNode */
  deleteNodes(ids: Iterable<NodeId>, options?: { readonly cascade?: boolean }): number {
    this.use();
    return deleteNodes(this, ids, options);
  }

  /** Deletes edges, all or nothing; missing ids are skipped. @returns how many */
  deleteEdges(ids: Iterable<EdgeId>): number {
    this.use();
    return deleteEdges(this, ids);
  }

  /** A transaction within this one: when `fn` throws, only what it wrote is taken back. */
  transaction<T>(fn: (tx: Transaction) => T): T {
    this.use();
    return this.owner.runNested(this.open, this, fn);
  }

  /** Marks this point. @returns what `rollbackTo` and `releaseSavepoint` take */
  savepoint(): number {
    const savepoint = this.use().savepoint();
    this.open.recorder?.mark(savepoint);
    return savepoint;
  }

  /** Takes back what was written since a savepoint. It and the transaction stay open. */
  rollbackTo(savepoint: number): void {
    this.use().rollbackTo(savepoint);
    this.open.recorder?.rewind(savepoint);
  }

  /** Forgets a savepoint and those after it; what was written stays. */
  releaseSavepoint(savepoint: number): void {
    this.use().releaseSavepoint(savepoint);
    this.open.recorder?.release(savepoint);
  }

  /**
   * Makes everything written durable (as `syncMode` says) and visible.
   * @returns number of the commit
   * @throws StateError SOMBRA_TRANSACTION_MANAGED inside `transaction(fn)`, SOMBRA_TX_DONE; TransactionError
   *   SOMBRA_TRANSACTION_TIMEOUT, SOMBRA_COMMIT_UNKNOWN (open the database again to see whether the commit is there);
   *   IoError SOMBRA_IO, SOMBRA_DISK_FULL (rolled back); PoisonedError SOMBRA_LOCK_POISONED
   */
  commit(): number {
    this.use();
    this.refuseManaged('return from it to commit');
    return this.owner.commitExplicit(this.open, this);
  }

  /** Takes everything back. Harmless when repeated. @throws StateError SOMBRA_TRANSACTION_MANAGED inside `transaction(fn)` */
  rollback(): void {
    this.refuseManaged('throw from it to roll back');
    this.owner.rollbackExplicit(this.open, this);
  }

  /** Rolls back, unless it was committed. Does nothing inside `transaction(fn)`. */
  [Symbol.dispose](): void {
    if (!this.open.managed) this.rollback();
  }

  protected override reads(): GraphReader {
    return this.use();
  }

  /** @param keeps  what is not in `change` stays */
  private checkNode(tx: GraphTransaction, id: NodeId, change: PropertyInput, keeps = true): void {
    const { rules } = this.owner;
    const node = rules === undefined ? undefined : tx.getNode(id);
    if (node !== undefined) rules!.checkNode(node.labels, keeps ? { ...node.properties, ...change } : change);
  }

  private checkEdge(tx: GraphTransaction, id: EdgeId, change: PropertyInput, keeps = true): void {
    const { rules } = this.owner;
    const edge = rules === undefined ? undefined : tx.getEdge(id);
    if (edge !== undefined) rules!.checkEdge(edge.type, keeps ? { ...edge.properties, ...change } : change);
  }

  private checkLabels(tx: GraphTransaction, id: NodeId, change: (labels: string[]) => string[]): void {
    const { rules } = this.owner;
    const node = rules === undefined ? undefined : tx.getNode(id);
    if (node !== undefined) rules!.checkNode(change(node.labels), node.properties);
  }

  private noteNode(action: string, id: NodeId): void {
    this.open.recorder?.note({ action, nodes: [id] });
  }

  private noteEdge(action: string, id: EdgeId): void {
    this.open.recorder?.note({ action, edges: [id] });
  }

  private refuseManaged(instead: string): void {
    if (!this.open.managed) return;
    throw new StateError('SOMBRA_TRANSACTION_MANAGED', `this transaction belongs to transaction(fn): ${instead}`);
  }

  private use(): GraphTransaction {
    checkNotEnded(this.open);
    return this.open.inner;
  }
}

/** An end that is not there is left to the write itself, which says so. */
function checkNewEdge(rules: SchemaRules, tx: GraphTransaction, edge: NewEdge): void {
  rules.checkEdge(edge.type, edge.properties);
  const [source, target] = [tx.getNode(edge.source), tx.getNode(edge.target)];
  if (source !== undefined && target !== undefined) rules.checkEnds(edge.type, source.labels, target.labels);
}

/** @throws StateError SOMBRA_TX_DONE, SOMBRA_CLOSED; TransactionError SOMBRA_TRANSACTION_TIMEOUT */
export function checkNotEnded(open: OpenTransaction): void {
  if (open.ended !== undefined) throw endedError(open.ended);
}

function endedError(end: TransactionEnd): StateError | TransactionError {
  if (end === 'timeout') {
    return new TransactionError(
      'SOMBRA_TRANSACTION_TIMEOUT',
      'the transaction was open longer than transactionTimeoutMs and was rolled back: begin again, with less to do',
    );
  }
  if (end === 'closed') return new StateError('SOMBRA_CLOSED', 'the database is closed: open it again');
  return new StateError('SOMBRA_TX_DONE', 'the transaction has ended: begin a new one');
}
