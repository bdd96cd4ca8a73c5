/**
 * The writing side of one connection: the open transaction or bulk load, its deadline, and what follows its end. It alone calls commit.
 *
 * Invariants:
 * 1. At most one of `transaction` and `load` is set; while one is, WRITE is held.
 * 2. With shm, whatever is written is written within a tenure.
 * 3. What fails before a transaction or load has begun gives WRITE back.
 */
import { assert, DataError, IoError, SombraError, StateError, verifying } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { RecordBuilder, recordPagesMax } from '@sombra/wal';
import type { LogTail } from '@sombra/wal';
import type { Health } from '../base/health.ts';
import type { ResolvedOptions } from '../base/options.ts';
import type { Measures } from '../base/stats.ts';
import type { Syncs } from '../base/syncs.ts';
import type { BackgroundCheckpoint } from '../checkpoint/background-checkpoint.ts';
import type { CheckpointResult } from '../checkpoint/checkpoint.ts';
import type { CheckpointAge } from '../checkpoint/checkpoint-age.ts';
import type { CheckpointRequest } from '../checkpoint/checkpoint-request.ts';
import type { Catalogue } from '../format/catalogue.ts';
import type { SharedState } from '../format/shared-state.ts';
import type { LogWriter } from '../files/log-writer.ts';
import type { MainFile } from '../files/main-file.ts';
import { DirtyPages } from '../pages/dirty-pages.ts';
import type { PageCache } from '../pages/page-cache.ts';
import type { PageIndex } from '../pages/page-index.ts';
import type { VersionReader } from '../pages/version-reader.ts';
import type { Commits } from '../reading/commits.ts';
import type { LogLimits } from '../reading/log-limits.ts';
import type { PageSource } from '../reading/page-source.ts';
import type { Views } from '../reading/views.ts';
import type { Header } from '../sharing/header.ts';
import type { Tenure } from '../sharing/tenure.ts';
import { BulkWriter } from './bulk-writer.ts';
import type { BulkHost } from './bulk-writer.ts';
import { commitInGroup, commitNow } from './commit.ts';
import type { CommitParts } from './commit.ts';
import { RecordEntries } from './commit-record.ts';
import { GroupCommit } from './group-commit.ts';
import { Publisher } from './publish.ts';
import { WriteTransaction } from './transaction.ts';
import type { Changes, TransactionHost } from './transaction-host.ts';

/** What a writer is made of. */
export interface WriterParts {
  readonly vfs: Vfs;
  readonly options: ResolvedOptions;
  readonly health: Health;
  readonly header: Header;
  readonly main: MainFile;
  readonly syncs: Syncs;
  readonly stats: Measures;
  readonly cache: PageCache;
  readonly index: PageIndex;
  readonly reader: VersionReader;
  readonly pages: PageSource;
  readonly commits: Commits;
  readonly views: Views;
  readonly limits: LogLimits;
  readonly tenure: Tenure;
  readonly logWriter: LogWriter;
  readonly checkpoints: BackgroundCheckpoint;
  readonly checkpointAge: CheckpointAge;
}

/** See the top of the file. */
export class Writer implements TransactionHost, CommitParts, BulkHost {
  readonly vfs: Vfs;
  readonly options: ResolvedOptions;
  readonly health: Health;
  readonly header: Header;
  readonly main: MainFile;
  readonly syncs: Syncs;
  readonly stats: Measures;
  readonly cache: PageCache;
  readonly index: PageIndex;
  readonly reader: VersionReader;
  readonly pages: PageSource;
  readonly commits: Commits;
  readonly logWriter: LogWriter;
  readonly dirty: DirtyPages;
  readonly builder: RecordBuilder;
  readonly entries = new RecordEntries();
  readonly publisher: Publisher;
  readonly group: GroupCommit;

  private readonly views: Views;
  private readonly limits: LogLimits;
  private readonly tenure: Tenure;
  private readonly checkpoints: BackgroundCheckpoint;
  private readonly checkpointAge: CheckpointAge;
  private readonly maxPages: number;
  private transaction: WriteTransaction | null = null;
  private load: BulkWriter | null = null;
  /** Timer that looks whether the open transaction has passed its deadline; there while one may be open. */
  private deadline: unknown;

  constructor(parts: WriterParts) {
    this.vfs = parts.vfs;
    this.options = parts.options;
    this.health = parts.health;
    this.header = parts.header;
    this.main = parts.main;
    this.syncs = parts.syncs;
    this.stats = parts.stats;
    this.cache = parts.cache;
    this.index = parts.index;
    this.reader = parts.reader;
    this.pages = parts.pages;
    this.commits = parts.commits;
    this.logWriter = parts.logWriter;
    this.views = parts.views;
    this.limits = parts.limits;
    this.tenure = parts.tenure;
    this.checkpoints = parts.checkpoints;
    this.checkpointAge = parts.checkpointAge;
    const pagesMax = Math.min(parts.options.maxTransactionPages, recordPagesMax(parts.cache.pageSize));
    this.dirty = new DirtyPages(parts.cache, pagesMax);
    this.builder = new RecordBuilder(parts.cache.pageSize);
    this.maxPages = parts.options.maxPages(parts.cache.pageSize);
    this.publisher = new Publisher(parts);
    const { publisher } = this;
    const onPublished = (): void => this.afterCommit();
    this.group = new GroupCommit({ ...parts, env: parts.vfs.env, publisher, onPublished });
  }

  /** For durations only, ms: not the time of day. */
  now(): number {
    return this.vfs.env.monotonicMs();
  }

  // ---- transactions

  /** Is a write transaction or a bulk load open? */
  get isOpen(): boolean {
    return this.transaction !== null || this.load !== null;
  }

  /**
   * Begins the write transaction.
   * @param waitMs  how long it may block while another connection writes
   * @throws IoError SOMBRA_BUSY when that is not long enough
   */
  begin(waitMs = this.options.busyTimeoutMs): WriteTransaction {
    try {
      this.checkIdle();
      this.tenure.acquire(waitMs);
    } catch (error) {
      // A caller that does not wait at all asks again until its own time is over.
      if (waitMs > 0 || waitMs === this.options.busyTimeoutMs || !isBusy(error)) this.noteRefusal(error);
      throw error;
    }
    try {
      this.limits.makeRoom();
      this.views.callAdvanced();
      const { tail } = this.commits;
      const catalogue = this.commits.take();
      catalogue.copyFrom(tail);
      catalogue.lsn = tail.lsn + 1;
      this.dirty.begin(catalogue.lsn);
      const timeout = this.options.transactionTimeoutMs;
      const tx = new WriteTransaction(this, catalogue, timeout === Infinity ? Infinity : this.now() + timeout);
      if (this.deadline === undefined && timeout !== Infinity) this.watchDeadline(timeout);
      this.transaction = tx;
      this.stats.begun += 1;
      return tx;
    } catch (error) {
      this.giveBack();
      this.noteRefusal(error);
      throw error;
    }
  }

  /** A transaction could not begin. Also for callers that asked without waiting, once they give up. */
  noteRefusal(error: unknown): void {
    if (!(error instanceof SombraError)) return;
    this.stats.refused += 1;
    this.health.callHook((hooks) => hooks.refused?.(error));
  }

  /** May a transaction or bulk load begin? */
  private checkIdle(): void {
    this.health.checkWritable();
    if (this.isOpen) {
      throw new StateError(
        'SOMBRA_TRANSACTION_ACTIVE',
        `a ${this.load !== null ? 'bulk load' : 'write transaction'} is open on this connection: end it first`,
      );
    }
  }

  /** Nothing is open any more, and the caller's error is already being thrown. */
  private giveBack(): void {
    try {
      this.tenure.yield(false);
    } catch (error) {
      this.health.warnOfUpkeep(error);
    }
  }

  /**
   * One timer serves all transactions: most end long before it fires, and a timer for each would cost more than they do.
   * @param ms  until the open one ends at the earliest
   */
  private watchDeadline(ms: number): void {
    this.deadline = this.vfs.env.setTimer(() => {
      this.deadline = undefined;
      const tx = this.transaction;
      if (tx === null || this.health.closed) return;
      const left = tx.deadline - this.now();
      // A moment later than its deadline: a timer that the caller has for the transaction then comes first.
      if (left > 0) this.watchDeadline(left + 1);
      else this.health.runUpkeep(() => tx.expire());
    }, ms);
  }

  /** Pages of the newest commit that was appended. */
  get committedPages(): number {
    return this.commits.tail.pageCount;
  }

  checkSize(pageCount: number): void {
    if (pageCount <= this.maxPages) return;
    throw new DataError(
      'SOMBRA_DATABASE_FULL',
      `the database would exceed ${this.maxPages} pages of ${this.cache.pageSize} bytes: delete data, or raise maxDatabaseSizeMb`,
      { details: { maxPages: this.maxPages } },
    );
  }

  takeCatalogue(): Catalogue {
    return this.commits.take();
  }

  giveCatalogue(catalogue: Catalogue): void {
    this.commits.give(catalogue);
  }

  commit(changes: Changes): number {
    return commitNow(this, changes);
  }

  commitAsync(changes: Changes): Promise<number> {
    return commitInGroup(this, changes);
  }

  ended(): void {
    this.transaction = null;
  }

  afterCommit(): void {
    if (verifying) this.check();
    this.checkpointAge.committed(this.header.state.checkpointLsn, this.commits.published.lsn);
    try {
      if (this.load === null) this.checkpoints.consider();
      this.limits.consider();
      this.cache.trim();
      this.tenure.yield(true);
    } catch (error) {
      this.health.warnOfUpkeep(error);
    }
  }

  rolledBack(changes: Changes): void {
    if (this.transaction === changes) {
      if (this.transaction.isLate) this.stats.timedOut += 1;
      this.transaction = null;
      this.stats.rollbacks += 1;
    }
    if (verifying) this.check();
    this.giveBack();
  }

  /** Do so many commits wait for a sync that the next one would make them durable itself? */
  get isGroupFull(): boolean {
    return this.group.isFull;
  }

  // ---- bulk loads

  /** Begins a bulk load. @throws as `begin` */
  bulk(waitMs?: number): BulkWriter {
    this.checkIdle();
    this.tenure.acquire(waitMs);
    try {
      this.group.flushNow();
      this.checkpoints.finishNow();
      // A view of this turn may be older than what WRITE brought: a caller that looks before it loads must see what others committed.
      this.views.useNewest();
      return (this.load = new BulkWriter(this));
    } catch (error) {
      this.giveBack();
      throw error;
    }
  }

  /**
   * Begins an archive, in which the pages of no bulk load may be missing: none is open in any process while WRITE is held.
   * @throws StateError SOMBRA_TRANSACTION_ACTIVE; IoError SOMBRA_BUSY; what `begin` throws
   */
  beginArchive(begin: () => void): void {
    if (this.load !== null)
      throw new StateError(
        'SOMBRA_TRANSACTION_ACTIVE',
        `a bulk load is open on this connection, and would be missing in the archive of ${this.options.path}: end it first`,
      );
    this.tenure.acquire();
    try {
      begin();
    } finally {
      this.tenure.yield(false);
    }
  }

  /** For BulkWriter. */
  readyLog(): void {
    this.logWriter.ensureReady(this.commits.published.lsn);
  }

  /** The pages of the load are in main; its commit is a transaction like any other, in the same tenure. */
  beginBulkCommit(): WriteTransaction {
    this.load = null;
    return this.begin();
  }

  bulkAborted(): void {
    this.load = null;
    this.tenure.yield(false);
  }

  // ---- checkpoints, and the end of a tenure

  /** Brings commits to main as far as views allow. @throws as `begin`; what the checkpoint throws */
  checkpoint(waitMs?: number): CheckpointResult {
    return this.withinTenure(waitMs, () => this.checkpointNow());
  }

  /** As `checkpoint`, beside the work of the event loop. @throws as `begin` */
  requestCheckpoint(waitMs?: number): CheckpointRequest {
    return this.withinTenure(waitMs, () => this.checkpoints.request());
  }

  private withinTenure<T>(waitMs: number | undefined, work: () => T): T {
    this.health.checkWritable();
    if (this.load !== null)
      throw new StateError('SOMBRA_TRANSACTION_ACTIVE', 'a bulk load is open on this connection: end it first');
    this.tenure.acquire(waitMs);
    try {
      return work();
    } finally {
      this.tenure.yield(false);
    }
  }

  /** A checkpoint on request, to its end, within a tenure. */
  checkpointNow(): CheckpointResult {
    this.group.flushNow();
    return this.checkpoints.runNow();
  }

  /**
   * Makes a published commit durable, whatever the sync mode.
   * @param end  where its record ends; undefined when there never was a log
   * @throws as `begin`; IoError SOMBRA_SYNC. SOMBRA_BUSY also when the log is in memory, and a snapshot keeps the checkpoint behind the commit
   */
  makeDurable(lsn: number, end: LogTail | undefined, waitMs?: number): void {
    const { header, syncs, logWriter, options } = this;
    if (isDurable(header.peek(), lsn, end)) return;
    if (!options.enableWal) return this.checkpointTo(lsn, waitMs);
    this.withinTenure(waitMs, () => {
      if (isDurable(header.state, lsn, end)) return;
      syncs.sync(logWriter.current()!);
      header.markSynced(logWriter.synced);
    });
  }

  /** One checkpoint may not bring everything to main. */
  private checkpointTo(lsn: number, waitMs: number | undefined): void {
    for (let before = -1; ; ) {
      const { lsn: reached } = this.checkpoint(waitMs);
      if (reached >= lsn) return;
      if (reached === before)
        throw new IoError(
          'SOMBRA_BUSY',
          `a snapshot keeps commits after ${reached} in memory, so that commit ${lsn} cannot be made durable: release it, then try again`,
          { details: { lock: 'READ' } },
        );
      before = reached;
    }
  }

  /** Makes durable and publishes what waits, now. */
  flush(): void {
    this.group.flushNow();
    this.tenure.yield(true);
  }

  /** May the tenure end here? */
  isQuiet(): boolean {
    return (
      this.transaction === null &&
      this.load === null &&
      !this.checkpoints.active &&
      this.syncs.inFlight === 0 &&
      this.group.isEmpty
    );
  }

  /**
   * Brings asynchronous work to a safe point, so that the tenure may end at once: what waits for a sync gets it now, a checkpoint
   * is given up or finished, and syncs in flight are repeated, so that nothing depends on their results (rule K4).
   * @returns false when a transaction or a bulk load is open
   */
  quiesce(): boolean {
    if (this.isOpen) return false;
    this.group.flushNow();
    this.checkpoints.yield();
    if (this.syncs.inFlight > 0 && !this.health.poisoned) {
      const wal = this.logWriter.current();
      if (wal !== null) this.syncs.sync(wal);
      this.syncs.sync(this.main.file);
      this.header.warnOfLateSync();
    }
    return true;
  }

  /** Between two transactions: do the parts agree? For tests, see `verifying` of vfs. */
  private check(): void {
    assert(!this.isOpen || this.tenure.held, 'what is open holds WRITE');
    assert(this.transaction !== null || this.cache.dirty === 0, 'only an open transaction has dirty pages');
    this.tenure.check();
    this.cache.check();
  }

  /** The connection is being closed: a bulk load that is open is given up. */
  abortBulk(): void {
    this.load?.abort();
  }

  /** The connection is being closed: a transaction that is open is rolled back. */
  rollback(): void {
    this.transaction?.rollback();
  }

  /** Stops the timer. */
  stop(): void {
    if (this.deadline !== undefined) this.vfs.env.clearTimer(this.deadline);
    this.deadline = undefined;
  }
}

/** Is a published commit known to be durable? Sealed segments were synced. */
function isDurable(state: Readonly<SharedState>, lsn: number, end: LogTail | undefined): boolean {
  if (lsn <= state.checkpointLsn) return true;
  if (end === undefined) return false;
  return state.logSeq > end.seq || (state.logSeq === end.seq && state.synced >= end.offset);
}

function isBusy(error: unknown): boolean {
  return error instanceof SombraError && error.code === 'SOMBRA_BUSY';
}
