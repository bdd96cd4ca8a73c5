import { StateError } from '@sombra/vfs';
import { archivedThrough, endArchive, markArchived } from '@sombra/wal';
import type { SombraError, VfsEnv } from '@sombra/vfs';
import { BulkWriter, refuseArchived } from './writing/bulk-writer.ts';
import type { CheckOptions, Problem } from './inspect/check.ts';
import { checkPages } from './inspect/check.ts';
import type { CheckpointResult } from './checkpoint/checkpoint.ts';
import { checkpointNow } from './checkpoint/background-checkpoint.ts';
import { closeConnection } from './life/close.ts';
import type { OpenDatabase } from './life/inspection.ts';
import { openDatabase } from './life/open.ts';
import type { PagerOptions, PagerWarning } from './base/options.ts';
import { checkCacheSize, resolveOptions } from './base/options.ts';
import type { PageCache } from './pages/page-cache.ts';
import type { ReaderMark } from './sharing/shm.ts';
import type { PagerStats } from './base/stats.ts';
import type { WriteTransaction } from './writing/transaction.ts';
import type { View } from './reading/view.ts';

/**
 * An ACID store of pages in one file: one write transaction at a time, any number of snapshots. Synchronous.
 */
export class Pager {
  readonly path: string;
  readonly readOnly: boolean;
  readonly cache: PageCache;
  /**
   * The implicit read view: the newest published commit. While others may write, it stays as it is until the end of the turn
   * of the event loop, or until this connection commits.
   */
  readonly view: View;
  /** What was noticed when the database was opened. */
  readonly warnings: readonly PagerWarning[];
  /** Damage that was met and gone on with when the file was opened with `inspect`; empty otherwise. */
  readonly damage: readonly SombraError[];

  private readonly database: OpenDatabase;

  private constructor(database: OpenDatabase) {
    const { engine } = database;
    this.database = database;
    this.path = engine.options.path;
    this.readOnly = engine.options.readOnly;
    this.cache = engine.cache;
    this.view = engine.view;
    this.warnings = database.warnings;
    this.damage = database.damage;
  }

  /**
   * Opens a database, creating and recovering it as needed.
   * @throws DataError SOMBRA_CONFIG, SOMBRA_NOT_FOUND, SOMBRA_NOT_A_DATABASE, SOMBRA_PAGE_SIZE, SOMBRA_FORMAT_VERSION;
   *   IoError SOMBRA_BUSY (details pid, host, since), SOMBRA_IO, SOMBRA_DISK_FULL;
   *   CorruptionError SOMBRA_SUPERBLOCK, SOMBRA_FILE_TRUNCATED, SOMBRA_WAL_DAMAGED, SOMBRA_RESTORE_MISMATCH, SOMBRA_ROOTS, …;
   *   StateError SOMBRA_RECOVERY_REQUIRED (read-only open of a file that was not closed), SOMBRA_LOCKS_UNAVAILABLE,
   *   SOMBRA_HARD_LINK
   */
  static open(options: PagerOptions): Pager {
    const database = openDatabase(resolveOptions(options));
    for (const warning of database.warnings) database.engine.health.warn(warning);
    return new Pager(database);
  }

  /** Clock, timers and event loop of the vfs that it was opened with. */
  get env(): VfsEnv {
    return this.database.engine.vfs.env;
  }

  get pageSize(): number {
    return this.cache.pageSize;
  }

  /** Is a write transaction or a bulk load open? */
  get inTransaction(): boolean {
    const { engine } = this.database;
    return engine.transaction !== null || engine.bulk !== null;
  }

  /** Did a sync fail, so that nothing is written until the database has been opened again? */
  get poisoned(): boolean {
    return this.database.engine.health.poisoned;
  }

  /** May other connections have the database open? */
  get shared(): boolean {
    return this.database.engine.shm !== null;
  }

  get closed(): boolean {
    return this.database.engine.health.closed;
  }

  /** A view of the newest commit that stays as it is. Release it: while it is open, checkpoints cannot pass it. */
  snapshot(options: { readonly exempt?: boolean } = {}): View {
    return this.database.engine.views.snapshot(options.exempt);
  }

  /**
   * Begins the write transaction.
   * @param waitMs  how long it may block while another connection writes. Default `busyTimeoutMs`. Who calls it with 0 until it
   *   works should tell that he waits, by `waiting(true)`
   * @throws IoError SOMBRA_BUSY (details pid, host, since); StateError SOMBRA_TRANSACTION_ACTIVE, SOMBRA_READ_ONLY, SOMBRA_CLOSED; PoisonedError SOMBRA_LOCK_POISONED
   */
  begin(waitMs?: number): WriteTransaction {
    return this.database.engine.begin(waitMs);
  }

  /** Tells the connection that writes now that this one waits for its turn, or does not any more. */
  waiting(waits: boolean): void {
    this.database.engine.tenure.wait(waits);
  }

  /**
   * Makes durable and publishes what `commitAsync` has appended, without waiting for the event loop.
   * @throws IoError SOMBRA_SYNC; the promises are then rejected with SOMBRA_COMMIT_UNKNOWN
   */
  settle(): void {
    const { engine } = this.database;
    engine.health.checkOpen();
    engine.group.settleNow();
    engine.tenure.settle(true);
  }

  /**
   * Brings committed pages from the log to the main file, as far as open snapshots allow.
   * @param waitMs  how long it may block while another connection writes. Default `busyTimeoutMs`
   * @throws as `begin`; IoError SOMBRA_IO, SOMBRA_DISK_FULL (nothing is lost, the log is kept); CorruptionError
   */
  checkpoint(waitMs?: number): CheckpointResult {
    const { engine } = this.database;
    engine.health.checkWritable();
    engine.tenure.acquire(waitMs);
    try {
      return checkpointNow(engine);
    } finally {
      engine.tenure.settle(false);
    }
  }

  /**
   * Begins a bulk load: pages past the log, one commit at the end.
   * @throws as `begin`
   */
  bulk(): BulkWriter {
    const { engine } = this.database;
    engine.checkIdle();
    engine.tenure.acquire();
    try {
      refuseArchived(engine);
      return new BulkWriter(engine);
    } catch (error) {
      engine.tenure.settle(false);
      throw error;
    }
  }

  /** Checks the newest commit. @returns problems found, empty when all is well @throws StateError SOMBRA_CLOSED */
  check(options?: CheckOptions): Problem[] {
    const { engine } = this.database;
    engine.health.checkOpen();
    engine.views.useNewest();
    return checkPages(engine, options);
  }

  /**
   * Names who is to be told when commits of other connections have been followed, before anything is read at or behind them.
   * @param listener  gets a view of the newest commit, for the time of the call
   */
  onAdvanced(listener: (newest: View) => void): void {
    this.database.engine.views.onAdvanced = listener;
  }

  /** Renews the implicit view when it is older than `maxAgeMs` within one turn of the event loop. */
  freshen(maxAgeMs: number): void {
    this.database.engine.views.freshen(maxAgeMs);
  }

  /** Who reads through other connections now, and what they keep. */
  readers(): ReaderMark[] {
    const { engine } = this.database;
    engine.health.checkOpen();
    return engine.marks.others();
  }

  /**
   * Changes how many pages are kept in memory, from the next turn of the event loop on. No page of an open transaction is lost. A
   * smaller cache gives its memory back if no transaction and no cursor is open then.
   * @param pages  8 to 2^24
   * @throws DataError SOMBRA_CONFIG; StateError SOMBRA_CLOSED
   */
  setCacheSize(pages: number): void {
    const { engine } = this.database;
    engine.health.checkOpen();
    checkCacheSize(pages);
    this.cache.checkSize(pages);
    // No code on the stack, a predicate of the caller within a traversal for example, may hold the memory that is replaced.
    engine.vfs.env.defer(() =>
      engine.health.runUpkeep(() => {
        if (!engine.health.closed) engine.cache.resize(pages);
      }),
    );
  }

  /** The highest sealed segment of the log that is archived; Infinity when there is no archive. */
  archivedThrough(): number {
    const { vfs, options } = this.database.engine;
    return archivedThrough(vfs, options.path);
  }

  /**
   * Says that sealed segments up to `seq` have been copied away, and begins an archive when there was none: from then on no
   * segment is recycled or removed before it is archived, by whichever process, and the last close leaves those that wait.
   * Bulk loads are refused, because what they write is in no segment; and no archive begins while one is open, in any process.
   * @throws DataError SOMBRA_OPTION; StateError SOMBRA_READ_ONLY, SOMBRA_CLOSED, SOMBRA_TRANSACTION_ACTIVE (a bulk load is open);
   *   IoError, also SOMBRA_BUSY when an archive is to begin and another connection writes for longer than `busyTimeoutMs`
   */
  markArchived(seq: number): void {
    const { engine } = this.database;
    engine.health.checkWritable();
    if (this.archivedThrough() !== Infinity) return markArchived(engine.vfs, engine.options.path, seq);
    if (engine.bulk !== null)
      throw new StateError(
        'SOMBRA_TRANSACTION_ACTIVE',
        `a bulk load is open on this connection, and would be missing in the archive of ${this.path}: end it first`,
      );
    engine.tenure.acquire();
    try {
      markArchived(engine.vfs, engine.options.path, seq);
    } finally {
      engine.tenure.settle(false);
    }
  }

  /** Ends the archive; segments that wait go with the next checkpoint. @throws as `markArchived` */
  endArchive(): void {
    const { engine } = this.database;
    engine.health.checkWritable();
    endArchive(engine.vfs, engine.options.path);
  }

  /** Figures for operators. A new object. */
  stats(): PagerStats {
    const { engine } = this.database;
    const { cache, shared, published, reader } = engine;
    return {
      ...engine.stats,
      pageSize: cache.pageSize,
      pageCount: published.pageCount,
      freePages: published.freeCount,
      lsn: published.lsn,
      checkpointLsn: shared.checkpointLsn,
      logBytesSinceCheckpoint: engine.logBytes(),
      logEntries: engine.index.count,
      cacheSize: cache.cacheSize,
      cachePages: cache.used,
      cachePagesDirty: cache.dirty,
      evictions: cache.evictions,
      mainReads: reader.mainReads,
      logReads: reader.entryReads,
      snapshots: engine.snapshots.size,
      poisoned: engine.health.poisoned,
    };
  }

  /**
   * Rolls back what is open, ends snapshots, checkpoints, and leaves only the main file. Harmless when repeated.
   * Everything is given back even when it throws.
   * @throws what the final checkpoint threw: commits are then still in the log (with `enableWal: false` those since the
   *   last checkpoint are lost)
   */
  close(): void {
    closeConnection(this.database.engine);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
