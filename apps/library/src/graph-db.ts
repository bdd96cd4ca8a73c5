/**
 * A graph database in one file: opens the layers below and composes what belongs to a connection.
 *
 * After `close` every method throws SOMBRA_CLOSED; `close` itself does nothing.
 */
import { DataError, MemoryVfs, NodeVfs, StateError } from '@sombra/vfs';
import { Pager } from '@sombra/pager';
import type { CheckpointResult } from '@sombra/pager';
import { Graph } from '@sombra/graph';
import type {
  AddManyInput,
  AddManyResult,
  AllShortestOptions,
  BulkProgress,
  BulkResult,
  BulkSource,
  CreateIndexOptions,
  EdgeId,
  EdgeRecord,
  Find,
  GraphReader,
  GraphSnapshot,
  IdRange,
  NodeId,
  NodeRecord,
  Path,
  PathsOptions,
  Properties,
  PropertyInput,
  PropertyValue,
  Rows,
  Upserted,
  VerifyOptions,
  VerifyReport,
} from '@sombra/graph';
import { CheckpointTimer } from './checkpoint-timer.ts';
import type { Config, Warning } from './config.ts';
import { GraphReads } from './graph-reads.ts';
import { HeldRows } from './held-rows.ts';
import { checkedSource } from './schema/checked-source.ts';
import type { Schema, SchemaDefinition } from './schema/schema.ts';
import type { GraphDBOf } from './schema/typed-graph.ts';
import { resolveConfig } from './resolve-config.ts';
import type { ResolvedConfig } from './resolve-config.ts';
import { Snapshot } from './snapshot.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';
import type { SnapshotOptions } from './snapshot-keeper.ts';
import type { DatabaseStats } from './stats.ts';
import type { Transaction } from './transaction.ts';
import { Transactions } from './transactions.ts';
import { tell } from './warnings.ts';

/** Path of a database that lives in memory and ends with its handle. */
const MEMORY = ':memory:';

/** In a loop that never lets the event loop turn, reads see commits of other processes that are older than this. */
const VIEW_AGE_MAX_MS = 100;
/** Reads between two looks at the clock, less one; of the form 2^n - 1. */
const READS_PER_LOOK = 31;

/** What belongs to one connection, beside the layers below. */
interface ConnectionParts {
  readonly transactions: Transactions;
  readonly snapshots: SnapshotKeeper;
  readonly checkpoints: CheckpointTimer;
}

/**
 * An open database. Reads on it see the newest commit of this connection; what other processes commit is seen from the next
 * turn of the event loop on.
 */
export class GraphDB extends GraphReads {
  /** Path of the file, or `:memory:`. */
  readonly path: string;

  private readonly pager: Pager;
  private readonly graph: Graph;
  private readonly transactions: Transactions;
  private readonly snapshots: SnapshotKeeper;
  private readonly checkpoints: CheckpointTimer;
  private readsSeen = 0;

  private constructor(path: string, pager: Pager, graph: Graph, parts: ConnectionParts) {
    super();
    this.path = path;
    this.pager = pager;
    this.graph = graph;
    this.transactions = parts.transactions;
    this.snapshots = parts.snapshots;
    this.checkpoints = parts.checkpoints;
  }

  /**
   * Opens a database, creating the file and recovering from a crash as needed.
   * @param path    path of the file, or `:memory:`
   * @param config  see `Config`; presets are `Config.production()` and its like
   * @throws DataError SOMBRA_CONFIG (nothing was touched), SOMBRA_NOT_FOUND, SOMBRA_NOT_A_DATABASE, SOMBRA_PAGE_SIZE,
   *   SOMBRA_FORMAT_VERSION; IoError SOMBRA_BUSY (details pid, host, since), SOMBRA_PERMISSION, SOMBRA_IO,
   *   SOMBRA_DISK_FULL; StateError SOMBRA_RECOVERY_REQUIRED, SOMBRA_LOCKS_UNAVAILABLE, SOMBRA_HARD_LINK; CorruptionError
   */
  static open<D extends SchemaDefinition>(path: string, config: Config & { readonly schema: Schema<D> }): GraphDBOf<D>;
  static open(path: string, config?: Config): GraphDB;
  static open(path: string, config?: Config): unknown {
    const resolved = resolveConfig(config);
    if (typeof path !== 'string' || path === '') {
      throw new DataError('SOMBRA_CONFIG', "the path of a database is a non-empty text, or ':memory:'", {
        details: { field: 'path' },
      });
    }
    const inMemory = path === MEMORY;
    if (inMemory && resolved.vfs === undefined) refuseEmptyMemory(resolved);
    const vfs = resolved.vfs ?? (inMemory ? new MemoryVfs() : new NodeVfs());
    const warn = (warning: Warning): void => tell(resolved.onWarning, warning);
    const pager = Pager.open({
      ...resolved.pager,
      vfs,
      path: inMemory ? 'memory.db' : path,
      hooks: { ...resolved.hooks, warning: warn },
    });
    try {
      const graph = Graph.open(pager);
      return new GraphDB(inMemory ? MEMORY : pager.path, pager, graph, {
        transactions: new Transactions(graph, vfs.env, resolved, warn),
        snapshots: new SnapshotKeeper(graph, warn),
        checkpoints: new CheckpointTimer(pager, vfs.env, resolved.autoCheckpointIntervalMs, warn),
      });
    } catch (error) {
      closeBecauseOf(pager, warn);
      throw error;
    }
  }

  /** Bytes of a page. */
  get pageSize(): number {
    return this.pager.pageSize;
  }

  /** Number of the newest commit. */
  get lsn(): number {
    this.checkOpen();
    return this.pager.view.lsn;
  }

  /** Was it opened without the right to write? */
  get readOnly(): boolean {
    return this.pager.readOnly;
  }

  /** Has `close` been called? */
  get closed(): boolean {
    return this.pager.closed;
  }

  /** Is a write transaction open? */
  get inTransaction(): boolean {
    return this.transactions.active !== undefined;
  }

  /**
   * Runs `fn` in a write transaction: commits when it returns, rolls back when it throws, and throws what it threw.
   * Inside another `transaction(fn)` it is a savepoint: when `fn` throws, only what it wrote is taken back.
   * @returns what `fn` returns
   * @throws StateError SOMBRA_PROMISE_IN_TRANSACTION when `fn` returns a promise (rolled back), SOMBRA_READ_ONLY,
   *   SOMBRA_CLOSED; IoError SOMBRA_BUSY while a transaction of `beginTransaction` is open, or when another connection
   *   writes for longer than `busyTimeoutMs`; PoisonedError SOMBRA_LOCK_POISONED; what a commit throws, see
   *   `Transaction.commit`
   */
  transaction<T>(fn: (tx: Transaction) => T): T {
    this.checkOpen();
    return this.transactions.run(fn);
  }

  /**
   * Runs `fn` in a write transaction, later: never before this call has returned, in the order of the calls. Many that are
   * asked for at once share a sync, so this is the way to many small durable transactions.
   *
   * A synchronous transaction first runs those that wait, and makes them durable when it returns. While a transaction of
   * `beginTransaction` is open they wait for its end.
   * @returns fulfilled with what `fn` returns when the commit is durable (as `syncMode` says) and visible; rejected with what
   *   `fn` throws, and with what `transaction` throws. After SOMBRA_COMMIT_UNKNOWN open the database again to see whether the
   *   commit is there
   * @throws StateError SOMBRA_CLOSED
   */
  transactionAsync<T>(fn: (tx: Transaction) => T): Promise<T> {
    this.checkOpen();
    return this.transactions.runAsync(fn);
  }

  /**
   * Begins a write transaction that the caller ends by `commit` or `rollback`. One that is forgotten is rolled back when
   * `transactionTimeoutMs` is over.
   * @throws StateError SOMBRA_TRANSACTION_ACTIVE when one is open, SOMBRA_READ_ONLY, SOMBRA_CLOSED; IoError SOMBRA_BUSY
   *   when another connection writes for longer than `busyTimeoutMs`; PoisonedError SOMBRA_LOCK_POISONED
   */
  beginTransaction(): Transaction {
    this.checkOpen();
    return this.transactions.begin();
  }

  /** The database as it is now, for reading, whatever is written later. Release it. @throws StateError SOMBRA_CLOSED */
  snapshot(options?: SnapshotOptions): Snapshot {
    this.checkOpen();
    return new Snapshot(this.snapshots, options);
  }

  /**
   * Runs `fn` on the database as it is now: all reads in it see the same commit, whatever is written meanwhile. It ends when `fn`
   * returns or throws; when `fn` returns a promise, with the promise.
   * @returns what `fn` returns
   * @throws StateError SOMBRA_CLOSED
   */
  read<T>(fn: (view: Snapshot) => T): T {
    if (typeof fn !== 'function')
      throw new DataError('SOMBRA_OPTION', 'read takes a function of what it reads from, as in db.read((view) => …)');
    const view = this.snapshot();
    let result: T;
    try {
      result = fn(view);
    } catch (error) {
      view.release();
      throw error;
    }
    if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== 'function') {
      view.release();
      return result;
    }
    return releasedAfter(result as PromiseLike<unknown>, view) as T;
  }

  override nodes(options?: { readonly label?: string | undefined } & IdRange): Rows<NodeRecord> {
    return this.checked(this.graph.reader.nodes(options), (snapshot) => snapshot.nodes(options));
  }

  override edges(options?: { readonly type?: string | undefined } & IdRange): Rows<EdgeRecord> {
    return this.checked(this.graph.reader.edges(options), (snapshot) => snapshot.edges(options));
  }

  override nodeIds(options?: string | ({ readonly label?: string | undefined } & IdRange)): Rows<NodeId> {
    return this.checked(this.graph.reader.nodeIds(options), (snapshot) => snapshot.nodeIds(options));
  }

  override edgeIds(options?: string | ({ readonly type?: string | undefined } & IdRange)): Rows<EdgeId> {
    return this.checked(this.graph.reader.edgeIds(options), (snapshot) => snapshot.edgeIds(options));
  }

  override runFind(find: Find): Rows<unknown> {
    return this.stream((snapshot) => snapshot.runFind(find));
  }

  override paths(from: NodeId, to?: NodeId, options?: PathsOptions): Rows<Path> {
    const begun = this.graph.reader.paths(from, to, options);
    return this.checked(begun, (snapshot) => snapshot.paths(from, to, options));
  }

  override allShortestPaths(from: NodeId, to: NodeId, options?: AllShortestOptions): Rows<Path> {
    const begun = this.graph.reader.allShortestPaths(from, to, options);
    return this.checked(begun, (snapshot) => snapshot.allShortestPaths(from, to, options));
  }

  /**
   * Creates an index on a property of the nodes with a label, or on several together, over all data that there is; a commit of
   * its own, whatever the size. From then on every write keeps it, and finds use it.
   * @param keys  one name, or up to 8, the most important first
   * @returns false when there is this index already
   * @throws DataError SOMBRA_UNIQUE when two nodes have the same values, SOMBRA_INDEX_EXISTS when there is one that differs in
   *   `unique`, SOMBRA_OPTION, SOMBRA_DATABASE_FULL; StateError SOMBRA_ABORTED, and as `addNode`; nothing was changed then
   */
  createPropertyIndex(label: string, keys: string | readonly string[], options?: CreateIndexOptions): boolean {
    return this.alone((graph) => graph.createPropertyIndex(label, keys, options));
  }

  /** As `createPropertyIndex`, on the edges of a type. */
  createEdgePropertyIndex(type: string, keys: string | readonly string[], options?: CreateIndexOptions): boolean {
    return this.alone((graph) => graph.createEdgePropertyIndex(type, keys, options));
  }

  /** Drops the index on exactly these properties. @returns false when there is none @throws as `addNode` */
  dropPropertyIndex(label: string, keys: string | readonly string[]): boolean {
    return this.alone((graph) => graph.dropPropertyIndex(label, keys));
  }

  /** As `dropPropertyIndex`, on the edges of a type. */
  dropEdgePropertyIndex(type: string, keys: string | readonly string[]): boolean {
    return this.alone((graph) => graph.dropEdgePropertyIndex(type, keys));
  }

  /**
   * `Transaction.addNode` as a transaction of its own, like all writes of the database.
   * @throws StateError SOMBRA_TRANSACTION_ACTIVE inside a `transaction(fn)`; IoError SOMBRA_BUSY while a transaction of
   *   `beginTransaction` is open
   */
  addNode(labels: string | readonly string[], properties?: PropertyInput): NodeId {
    return this.write((tx) => tx.addNode(labels, properties));
  }

  /** `Transaction.addEdge` as a transaction of its own. @throws as `addNode` */
  addEdge(source: NodeId, target: NodeId, type: string, properties?: PropertyInput): EdgeId {
    return this.write((tx) => tx.addEdge(source, target, type, properties));
  }

  /** `Transaction.setNodeProperty` as a transaction of its own. */
  setNodeProperty(id: NodeId, key: string, value: PropertyValue | null): void {
    this.write((tx) => tx.setNodeProperty(id, key, value));
  }

  /** `Transaction.removeNodeProperty` as a transaction of its own. */
  removeNodeProperty(id: NodeId, key: string): boolean {
    return this.write((tx) => tx.removeNodeProperty(id, key));
  }

  /** `Transaction.setNodeProperties` as a transaction of its own. */
  setNodeProperties(id: NodeId, properties: PropertyInput): void {
    this.write((tx) => tx.setNodeProperties(id, properties));
  }

  /** `Transaction.updateNodeProperties` as a transaction of its own. */
  updateNodeProperties(id: NodeId, properties: PropertyInput): void {
    this.write((tx) => tx.updateNodeProperties(id, properties));
  }

  /** `Transaction.setEdgeProperty` as a transaction of its own. */
  setEdgeProperty(id: EdgeId, key: string, value: PropertyValue | null): void {
    this.write((tx) => tx.setEdgeProperty(id, key, value));
  }

  /** `Transaction.removeEdgeProperty` as a transaction of its own. */
  removeEdgeProperty(id: EdgeId, key: string): boolean {
    return this.write((tx) => tx.removeEdgeProperty(id, key));
  }

  /** `Transaction.setEdgeProperties` as a transaction of its own. */
  setEdgeProperties(id: EdgeId, properties: PropertyInput): void {
    this.write((tx) => tx.setEdgeProperties(id, properties));
  }

  /** `Transaction.updateEdgeProperties` as a transaction of its own. */
  updateEdgeProperties(id: EdgeId, properties: PropertyInput): void {
    this.write((tx) => tx.updateEdgeProperties(id, properties));
  }

  /** `Transaction.addLabel` as a transaction of its own. */
  addLabel(id: NodeId, label: string): boolean {
    return this.write((tx) => tx.addLabel(id, label));
  }

  /** `Transaction.removeLabel` as a transaction of its own; with a schema also SOMBRA_SCHEMA for ends of edges. */
  removeLabel(id: NodeId, label: string): boolean {
    return this.write((tx) => tx.removeLabel(id, label));
  }

  /** `Transaction.deleteNode` as a transaction of its own. */
  deleteNode(id: NodeId, options?: { readonly cascade?: boolean }): void {
    this.write((tx) => tx.deleteNode(id, options));
  }

  /** `Transaction.deleteEdge` as a transaction of its own. */
  deleteEdge(id: EdgeId): void {
    this.write((tx) => tx.deleteEdge(id));
  }

  /** `Transaction.addMany` as a transaction of its own. */
  addMany(input: AddManyInput): AddManyResult {
    return this.write((tx) => tx.addMany(input));
  }

  /** `Transaction.upsertNode` as a transaction of its own. */
  upsertNode(label: string, match: Properties, properties?: PropertyInput): Upserted {
    return this.write((tx) => tx.upsertNode(label, match, properties));
  }

  /** `Transaction.upsertEdge` as a transaction of its own. */
  upsertEdge(source: NodeId, target: NodeId, type: string, properties?: PropertyInput): Upserted {
    return this.write((tx) => tx.upsertEdge(source, target, type, properties));
  }

  /** `Transaction.deleteNodes` as a transaction of its own. */
  deleteNodes(ids: Iterable<NodeId>, options?: { readonly cascade?: boolean }): number {
    return this.write((tx) => tx.deleteNodes(ids, options));
  }

  /** `Transaction.deleteEdges` as a transaction of its own. */
  deleteEdges(ids: Iterable<EdgeId>): number {
    return this.write((tx) => tx.deleteEdges(ids));
  }

  /**
   * Fills an empty database, much faster than transactions do: pages are written in order, past the log, and published by
   * one commit. Exempt from `maxTransactionPages` and `transactionTimeoutMs`. All or nothing.
   * @throws StateError SOMBRA_BULK_NOT_EMPTY, SOMBRA_READ_ONLY, SOMBRA_CLOSED, and as `addNode`; DataError for what the
   *   source gives; what the source throws
   */
  bulkLoad(
    source: BulkSource,
    options?: { readonly onProgress?: (progress: BulkProgress) => void; readonly progressEvery?: number },
  ): BulkResult {
    const { rules } = this.transactions;
    return this.alone((graph) => graph.bulkLoad(rules === undefined ? source : checkedSource(source, rules), options));
  }

  /**
   * Brings what is committed from the log into the database file, as far as open snapshots allow, and waits for the disk.
   * @throws StateError SOMBRA_READ_ONLY, SOMBRA_CLOSED; IoError SOMBRA_BUSY while another connection writes, SOMBRA_IO,
   *   SOMBRA_DISK_FULL (nothing is lost, the log is kept); PoisonedError SOMBRA_LOCK_POISONED
   */
  checkpoint(): CheckpointResult {
    this.checkOpen();
    if (!this.inTransaction) this.transactions.drain();
    return this.pager.checkpoint();
  }

  /**
   * Changes how many pages are kept in memory, from the next turn of the event loop on. An open transaction loses nothing. Memory
   * of a smaller cache is given back if no transaction and no iterator is open then.
   * @param pages  8 to 2^24
   * @throws DataError SOMBRA_CONFIG; StateError SOMBRA_CLOSED
   */
  setCacheSize(pages: number): void {
    this.checkOpen();
    this.pager.setCacheSize(pages);
  }

  /**
   * Checks every page, record, edge and index of the newest commit.
   * @returns what was found; it throws for a misuse only
   */
  verifyIntegrity(options?: VerifyOptions): VerifyReport {
    this.checkOpen();
    return this.graph.verify(options);
  }

  /** Figures for operators. A new object. */
  stats(): DatabaseStats {
    this.checkOpen();
    return {
      path: this.path,
      pageSize: this.pageSize,
      lsn: this.lsn,
      nodes: this.nodeCount(),
      edges: this.edgeCount(),
      pager: this.pager.stats(),
      graph: this.graph.stats(),
    };
  }

  /**
   * Rolls back an open transaction, ends snapshots and iterators, checkpoints, and leaves only the database file. Harmless
   * when repeated.
   * @throws what the last checkpoint threw; the database is closed nevertheless and its commits are in the log
   */
  close(): void {
    if (this.closed) return;
    this.checkpoints.stop();
    this.transactions.close();
    this.pager.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  protected override reads(): GraphReader {
    this.checkOpen();
    this.readsSeen = (this.readsSeen + 1) & READS_PER_LOOK;
    if (this.readsSeen === 0) this.pager.freshen(VIEW_AGE_MAX_MS);
    return this.graph.reader;
  }

  private checkOpen(): void {
    if (this.pager.closed) throw new StateError('SOMBRA_CLOSED', `${this.path} is closed: open it again`);
  }

  private write<T>(write: (tx: Transaction) => T): T {
    this.checkOpen();
    return this.transactions.single(write);
  }

  /** What commits by itself, past the transactions, and comes behind those that wait. */
  private alone<T>(work: (graph: Graph) => T): T {
    this.checkOpen();
    this.transactions.refuseOutside();
    this.transactions.drain();
    return work(this.graph);
  }

  /** @param _same  the same rows, asked of the newest commit and never begun: this is where its arguments were checked */
  private checked<T>(_same: Rows<T>, begin: (snapshot: GraphSnapshot) => Iterator<T>): Rows<T> {
    return this.stream(begin);
  }

  private stream<T>(begin: (snapshot: GraphSnapshot) => Iterator<T>): Rows<T> {
    this.checkOpen();
    return new HeldRows(this.snapshots, begin);
  }
}

/** A database in memory begins empty, so that there is nothing to read. */
function refuseEmptyMemory({ pager }: ResolvedConfig): void {
  const field = pager.readOnly === true ? 'readOnly' : pager.createIfMissing === false ? 'createIfMissing' : undefined;
  if (field === undefined) return;
  throw new DataError('SOMBRA_CONFIG', `a database in memory begins empty: leave ${field} out`, { details: { field } });
}

/** Closes after a failed open. What the open threw is what matters; what the close throws is told as a warning. */
function closeBecauseOf(pager: Pager, warn: (warning: Warning) => void): void {
  try {
    pager.close();
  } catch (cause) {
    const message = 'closing after a failed open failed too; commits are safe in the log: see the cause';
    warn({ code: 'SOMBRA_CHECKPOINT_FAILED', message, cause });
  }
}

async function releasedAfter<T>(promise: PromiseLike<T>, view: Snapshot): Promise<T> {
  try {
    return await promise;
  } finally {
    view.release();
  }
}
