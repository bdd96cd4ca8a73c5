/**
 * An open database: composes what belongs to a connection.
 *
 * After `close` every method throws SOMBRA_CLOSED, and every promise is rejected with it; `close` itself does nothing.
 */
import { DataError, StateError } from '@sombra/vfs';
import type { DiskSpace, Vfs } from '@sombra/vfs';
import type { CheckpointResult, DatabaseCopy, LogEnd, LogEndOptions, Pager, PagerVitals } from '@sombra/pager';
import type {
  AllShortestOptions,
  BulkOptions,
  BulkResult,
  BulkSource,
  BackupOptions,
  BackupResult,
  CheckpointOptions,
  CreateIndexOptions,
  EdgeId,
  EdgeRecord,
  Find,
  Graph,
  GraphReader,
  GraphSnapshot,
  IdRange,
  NodeId,
  NodeRecord,
  Path,
  PathsOptions,
  RecordPath,
  Rows,
  VerifyOptions,
  VerifyReport,
  WithRecords,
} from '@sombra/graph';
import { judgeHealth } from '../observing/health.ts';
import type { HealthReport, ResolvedHealthLimits } from '../observing/health.ts';
import type { DatabaseHooks, Mutation } from '../observing/hooks.ts';
import { PerformanceMetrics } from '../observing/metrics.ts';
import type { Observers } from '../observing/observers.ts';
import type { Reports } from '../observing/reports.ts';
import type { DatabaseStats, FileFigures } from '../observing/stats.ts';
import { HeldRows } from '../reading/held-rows.ts';
import { Snapshot } from '../reading/snapshot.ts';
import type { SnapshotKeeper, SnapshotOptions } from '../reading/snapshot-keeper.ts';
import { checkedSource } from '../schema/checked-source.ts';
import type { Transaction } from '../writing/transaction.ts';
import type { Transactions } from '../writing/transactions.ts';
import type { CheckpointTimer } from './checkpoint-timer.ts';
import { FiguresTimer } from './figures-timer.ts';
import { MeasuredReads } from './measured-reads.ts';

/** In a loop that never lets the event loop turn, reads see commits of other processes that are older than this. */
const VIEW_AGE_MAX_MS = 100;
/** Reads between two looks at the clock, less one; of the form 2^n - 1. */
const READS_PER_LOOK = 31;

/** What belongs to one connection, beside the layers below. */
export interface ConnectionParts {
  readonly vfs: Vfs;
  /** Where files beside the database go, also when that is in memory. */
  readonly files: Vfs;
  readonly observers: Observers;
  readonly reports: Reports;
  readonly health: ResolvedHealthLimits;
  readonly transactions: Transactions;
  readonly snapshots: SnapshotKeeper;
  readonly checkpoints: CheckpointTimer;
}

/** What an open database does. `GraphDB.open` makes one. */
export abstract class Connection extends MeasuredReads {
  /** Path of the file, or `:memory:`. */
  readonly path: string;

  private readonly pager: Pager;
  private readonly graph: Graph;
  private readonly parts: ConnectionParts;
  private readonly transactions: Transactions;
  private readonly snapshots: SnapshotKeeper;
  private readonly checkpoints: CheckpointTimer;
  private readonly figures: FiguresTimer;
  private readsSeen = 0;

  protected constructor(path: string, pager: Pager, graph: Graph, parts: ConnectionParts) {
    super(parts.reports, parts.vfs.env);
    this.path = path;
    this.pager = pager;
    this.graph = graph;
    this.parts = parts;
    this.transactions = parts.transactions;
    this.snapshots = parts.snapshots;
    this.checkpoints = parts.checkpoints;
    const { env } = parts.vfs;
    this.figures = new FiguresTimer(pager, this.readLatency, env, parts.observers.warn);
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
   * `beginTransaction` is open they wait for its end. At most 262,144 wait; the promise of one more is rejected with
   * SOMBRA_QUEUE_FULL, and `fn` is not called.
   * @returns fulfilled with what `fn` returns when the commit is durable (as `syncMode` says) and visible; rejected with what
   *   `fn` throws, with what `transaction` throws, and with TransactionError SOMBRA_QUEUE_FULL. After SOMBRA_COMMIT_UNKNOWN open the database again to see whether the
   *   commit is there
   */
  transactionAsync<T>(fn: (tx: Transaction) => T): Promise<T> {
    return this.pager.closed ? Promise.reject(this.closedError()) : this.transactions.runAsync(fn);
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
      this.reports.met(error);
    }
    if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== 'function') {
      view.release();
      return result;
    }
    return this.releasedAfter(result as PromiseLike<unknown>, view) as T;
  }

  private async releasedAfter<T>(promise: PromiseLike<T>, view: Snapshot): Promise<T> {
    try {
      return await promise;
    } catch (error) {
      this.reports.met(error);
    } finally {
      view.release();
    }
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

  /** For FindRunner. @internal */
  override runFind(find: Find): Rows<unknown> {
    return this.stream((snapshot) => snapshot.runFind(find));
  }

  override paths(from: NodeId, to: NodeId | undefined, options: PathsOptions & WithRecords): Rows<RecordPath>;
  override paths(from: NodeId, to?: NodeId, options?: PathsOptions): Rows<Path>;
  override paths(from: NodeId, to?: NodeId, options?: PathsOptions & Partial<WithRecords>): Rows<Path | RecordPath> {
    const begun = this.graph.reader.paths(from, to, options as WithRecords);
    return this.checked(begun, (snapshot) => snapshot.paths(from, to, options as WithRecords));
  }

  override allShortestPaths(from: NodeId, to: NodeId, options: AllShortestOptions & WithRecords): Rows<RecordPath>;
  override allShortestPaths(from: NodeId, to: NodeId, options?: AllShortestOptions): Rows<Path>;
  override allShortestPaths(
    from: NodeId,
    to: NodeId,
    options?: AllShortestOptions & Partial<WithRecords>,
  ): Rows<Path | RecordPath> {
    const begun = this.graph.reader.allShortestPaths(from, to, options as WithRecords);
    return this.checked(begun, (snapshot) => snapshot.allShortestPaths(from, to, options as WithRecords));
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
    return this.alone('createPropertyIndex', indexed(label, keys), (graph) =>
      graph.createPropertyIndex(label, keys, options),
    );
  }

  /** As `createPropertyIndex`, on the edges of a type. */
  createEdgePropertyIndex(type: string, keys: string | readonly string[], options?: CreateIndexOptions): boolean {
    return this.alone('createEdgePropertyIndex', indexed(type, keys), (graph) =>
      graph.createEdgePropertyIndex(type, keys, options),
    );
  }

  /**
   * As `createPropertyIndex`, letting the event loop turn every few milliseconds. It holds the right to write until it has ended: reads go
   * on, `transactionAsync` and other connections wait, other writes are refused with SOMBRA_BUSY. A signal ends it, and nothing was
   * changed.
   * @returns rejected with SOMBRA_ABORTED, with SOMBRA_CLOSED when the database is closed meanwhile, and with what the synchronous form
   *   throws
   */
  createPropertyIndexAsync(
    label: string,
    keys: string | readonly string[],
    options?: CreateIndexOptions,
  ): Promise<boolean> {
    return this.alonePausing('createPropertyIndex', indexed(label, keys), (graph) =>
      graph.createPropertyIndexAsync(label, keys, options),
    );
  }

  /** As `createPropertyIndexAsync`, on the edges of a type. */
  createEdgePropertyIndexAsync(
    type: string,
    keys: string | readonly string[],
    options?: CreateIndexOptions,
  ): Promise<boolean> {
    return this.alonePausing('createEdgePropertyIndex', indexed(type, keys), (graph) =>
      graph.createEdgePropertyIndexAsync(type, keys, options),
    );
  }

  /** Drops the index on exactly these properties. @returns false when there is none @throws as `addNode` */
  dropPropertyIndex(label: string, keys: string | readonly string[]): boolean {
    return this.alone('dropPropertyIndex', indexed(label, keys), (graph) => graph.dropPropertyIndex(label, keys));
  }

  /** As `dropPropertyIndex`, on the edges of a type. */
  dropEdgePropertyIndex(type: string, keys: string | readonly string[]): boolean {
    return this.alone('dropEdgePropertyIndex', indexed(type, keys), (graph) => graph.dropEdgePropertyIndex(type, keys));
  }

  /**
   * Fills an empty database, much faster than transactions do: pages are written in order, past the log, and published by
   * one commit. Exempt from `maxTransactionPages` and `transactionTimeoutMs`. All or nothing.
   * @throws StateError SOMBRA_BULK_NOT_EMPTY, SOMBRA_READ_ONLY, SOMBRA_CLOSED, and as `addNode`; DataError for what the
   *   source gives; what the source throws
   */
  bulkLoad(source: BulkSource, options?: BulkOptions): BulkResult {
    return this.alone('bulkLoad', loaded, (graph) => graph.bulkLoad(this.rows(source), options));
  }

  /** As `bulkLoad`, letting the event loop turn; see `createPropertyIndexAsync`. The database stays empty when it is ended. */
  bulkLoadAsync(source: BulkSource, options?: BulkOptions): Promise<BulkResult> {
    return this.alonePausing('bulkLoad', loaded, (graph) => graph.bulkLoadAsync(this.rows(source), options));
  }

  /**
   * Brings what is committed from the log into the database file, as far as open snapshots allow, and waits for the disk.
   * @throws StateError SOMBRA_READ_ONLY, SOMBRA_CLOSED; IoError SOMBRA_BUSY while another connection writes, SOMBRA_IO,
   *   SOMBRA_DISK_FULL (nothing is lost, the log is kept); PoisonedError SOMBRA_LOCK_POISONED
   */
  checkpoint(): CheckpointResult {
    this.checkOpen();
    this.transactions.refusePausing();
    if (!this.inTransaction) this.transactions.drain();
    return this.reports.timed('checkpoint', () => this.pager.checkpoint());
  }

  /**
   * As `checkpoint`, letting the event loop turn: reads and writes go on, `transactionAsync` and other connections do not wait for it,
   * and a signal can end it; the log then stays as it is, and nothing is lost. What is committed when this connection gets its turn
   * is in the file afterwards, as far as open snapshots allow; what is committed later need not be.
   * @returns rejected with SOMBRA_ABORTED, SOMBRA_CLOSED when the database is closed meanwhile, and what the synchronous form throws
   */
  async checkpointAsync(options?: CheckpointOptions): Promise<CheckpointResult> {
    this.checkOpen();
    return await this.reports.timedAsync('checkpointAsync', () =>
      this.transactions.runBeside(() => this.graph.checkpointAsync(options)),
    );
  }

  /**
   * Copies the newest commit to a new file while everything else goes on; a database of its own that opens as it is. The file has its name
   * when it is whole and durable: ended early, there is none. Meanwhile the log cannot shrink. A database in memory is copied to a file, too.
   * @param path  of the new file; there must be none with this name
   * @returns rejected with DataError SOMBRA_FILE_EXISTS, SOMBRA_BACKUP_TARGET (a name of the database's own files), SOMBRA_OPTION;
   *   IoError SOMBRA_DISK_FULL (before anything is written, where the system tells), SOMBRA_IO, SOMBRA_PERMISSION, SOMBRA_SYNC;
   *   CorruptionError: a page is damaged; StateError SOMBRA_ABORTED, SOMBRA_CLOSED; what `onProgress` throws
   */
  async backup(path: string, options?: BackupOptions): Promise<BackupResult> {
    this.checkOpen();
    if (typeof path !== 'string' || path === '' || path === ':memory:')
      throw new DataError('SOMBRA_OPTION', `backup takes the path of a new file, not ${JSON.stringify(path)}`);
    return await this.reports.timedAsync('backup', () => this.graph.backup(this.parts.files, path, options));
  }

  /**
   * The newest commit as bytes of a database file, for programs that store backups themselves; `backup` writes them to a file, and the package
   * `@sombra/ops` keeps them with checksums, compressed, in a directory or in S3. Release it: while it is open, the log cannot shrink.
   * @throws StateError SOMBRA_CLOSED; CorruptionError SOMBRA_FREELIST; IoError SOMBRA_IO
   */
  copy(): DatabaseCopy {
    this.checkOpen();
    return this.pager.copy();
  }

  /**
   * Where the log ends behind the newest commit, for programs that archive it themselves; `@sombra/ops` does it with checksums, into a directory or
   * S3. The commit is made durable first, unless asked otherwise.
   * @throws StateError SOMBRA_ARCHIVE_NO_LOG, SOMBRA_CLOSED, SOMBRA_READ_ONLY, SOMBRA_TRANSACTION_ACTIVE; IoError SOMBRA_BUSY, SOMBRA_SYNC, SOMBRA_IO
   */
  logEnd(options?: LogEndOptions): LogEnd {
    this.checkOpen();
    return this.pager.logEnd(options);
  }

  /** The highest sealed segment of the log that is archived; Infinity when there is no archive. @throws StateError SOMBRA_CLOSED */
  archivedThrough(): number {
    this.checkOpen();
    return this.pager.archivedThrough();
  }

  /**
   * Says that segments of the log up to `seq` have been archived, and begins an archive when there was none: from then on none is removed before.
   * @throws DataError SOMBRA_OPTION; StateError SOMBRA_READ_ONLY, SOMBRA_CLOSED, SOMBRA_TRANSACTION_ACTIVE; IoError SOMBRA_BUSY, SOMBRA_IO
   */
  markArchived(seq: number): void {
    this.checkOpen();
    this.pager.markArchived(seq);
  }

  /** Ends the archive: the log is removed again when it is not needed. @throws as `markArchived` */
  endArchive(): void {
    this.checkOpen();
    this.pager.endArchive();
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
    this.parts.observers.tell((hooks) => hooks.cacheResized?.({ pages }));
  }

  /**
   * Checks every page, record, edge and index of the newest commit.
   * @returns what was found; it throws for a misuse only
   */
  verifyIntegrity(options?: VerifyOptions): VerifyReport {
    this.checkOpen();
    return this.reports.timed('verifyIntegrity', () => this.graph.verifyIntegrity(options));
  }

  /**
   * As `verifyIntegrity`, letting the event loop turn every few milliseconds: meanwhile reads and writes go on, and a signal can
   * end it. It checks the commit that was newest when it began, and keeps it until it ends.
   * @returns rejected with SOMBRA_ABORTED, and with what the synchronous form throws
   */
  async verifyIntegrityAsync(options?: VerifyOptions): Promise<VerifyReport> {
    this.checkOpen();
    return await this.reports.timedAsync('verifyIntegrityAsync', () => this.graph.verifyIntegrityAsync(options));
  }

  /**
   * All figures for operators. A new object.
   * @throws StateError SOMBRA_CLOSED
   */
  stats(): DatabaseStats {
    this.checkOpen();
    const { reports, transactions, path, pageSize } = this;
    const pager = this.pager.stats();
    const { begun, committed, rolledBack, timedOut, slowOperations } = reports;
    return {
      path,
      pageSize,
      lsn: this.lsn,
      nodes: this.nodeCount(),
      edges: this.edgeCount(),
      pager,
      graph: this.graph.stats(),
      transactions: { begun, committed, rolledBack, timedOut, refused: pager.refused, waiting: transactions.pending },
      latencies: { ...pager.latencies, read: this.readLatency.snapshot() },
      slowOperations,
      files: this.fileFigures(pager),
    };
  }

  private fileFigures(pager: PagerVitals): FileFigures {
    const disk = this.path === this.pager.path ? spaceOf(this.parts.vfs, this.path) : undefined;
    return {
      databaseBytes: pager.pageCount * pager.pageSize,
      walBytes: pager.logBytesSinceCheckpoint,
      walMaxBytes: pager.maxWalBytes,
      diskFreeBytes: disk?.free ?? null,
      diskSizeBytes: disk?.size ?? null,
    };
  }

  /** The figures that operators look at most, as they are now. @throws StateError SOMBRA_CLOSED */
  metrics(): PerformanceMetrics {
    return new PerformanceMetrics(this.stats());
  }

  /**
   * Is the database well? Looks at figures that are there anyway, held to the limits of `Config.health`: it reads no page, takes no
   * lock, and waits for nothing. `verifyIntegrity` is what looks at the data.
   * @throws StateError SOMBRA_CLOSED
   */
  healthCheck(): HealthReport {
    this.checkOpen();
    const pager = this.pager.vitals();
    return judgeHealth({ pager, files: this.fileFigures(pager) }, this.parts.health);
  }

  /**
   * Adds an observer of this database, from the next event on; see `DatabaseHooks`.
   * @returns ends it; harmless when repeated
   * @throws DataError SOMBRA_OPTION when there is no such event; StateError SOMBRA_CLOSED
   */
  observe(hooks: DatabaseHooks): () => void {
    this.checkOpen();
    return this.parts.observers.add(hooks);
  }

  /**
   * Rolls back an open transaction, ends snapshots and iterators, checkpoints, and leaves only the database file. Harmless
   * when repeated.
   * @throws what the last checkpoint threw; the database is closed nevertheless and its commits are in the log
   */
  close(): void {
    if (this.closed) return;
    this.checkpoints.stop();
    this.figures.stop();
    try {
      this.transactions.close();
    } finally {
      this.closePager();
    }
  }

  private closePager(): void {
    if (this.closed) return; // a transaction that was queued has closed it
    try {
      this.pager.close();
    } finally {
      this.parts.observers.tell((hooks) => hooks.closed?.({ path: this.path }));
    }
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
    if (this.pager.closed) throw this.closedError();
  }

  private closedError(): StateError {
    return new StateError('SOMBRA_CLOSED', `${this.path} is closed: open it again`);
  }

  protected override write<T>(write: (tx: Transaction) => T): T {
    this.checkOpen();
    return this.transactions.single(write);
  }

  /** As `alone`, for what lets the event loop turn. */
  private async alonePausing<T>(action: string, changed: Changed<T>, work: (graph: Graph) => Promise<T>): Promise<T> {
    this.checkOpen();
    return await this.reports.timedAsync(`${action}Async`, async () => {
      const result = await this.transactions.runPausing(() => work(this.graph));
      this.reportMutation(action, changed(result));
      return result;
    });
  }

  private reportMutation(action: string, changed: Omit<Mutation, 'action'> | undefined): void {
    if (changed === undefined || !this.parts.observers.recording || this.closed) return;
    this.reports.mutate(this.lsn, { action, ...changed });
  }

  /** What a bulk load takes, checked against the schema if there is one. */
  private rows(source: BulkSource): BulkSource {
    const { rules } = this.transactions;
    return rules === undefined ? source : checkedSource(source, rules);
  }

  /**
   * What commits by itself, past the transactions, and comes behind those that wait.
   * @param changed  what observers are told of its result
   */
  private alone<T>(action: string, changed: Changed<T>, work: (graph: Graph) => T): T {
    this.checkOpen();
    this.transactions.refuseOutside();
    this.transactions.drain();
    const result = this.reports.timed(action, () => work(this.graph));
    this.reportMutation(action, changed(result));
    return result;
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

/** What something that commits by itself has changed; undefined: nothing. */
type Changed<T> = (result: T) => Omit<Mutation, 'action'> | undefined;

function indexed(of: string, keys: string | readonly string[]): Changed<boolean> {
  return (changed) => (changed ? { index: { of, keys: [keys].flat() } } : undefined);
}

const loaded: Changed<BulkResult> = ({ nodes, edges }) =>
  nodes + edges > 0 ? { counts: { nodes, edges } } : undefined;

/** A disk that cannot be asked, because its directory is gone for example, is one whose space cannot be told. */
function spaceOf(vfs: Vfs, path: string): DiskSpace | null | undefined {
  try {
    return vfs.diskSpace?.(path);
  } catch {
    return null;
  }
}
