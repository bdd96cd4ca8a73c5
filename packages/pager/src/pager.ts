import { archivedThrough, endArchive, markArchived } from '@sombra/wal';
import { quantileOf } from '@sombra/vfs';
import type { Latency, SombraError, VfsEnv } from '@sombra/vfs';
import type { BulkWriter } from './writing/bulk-writer.ts';
import type { CheckOptions, CheckStepsOptions, Problem } from './inspect/check.ts';
import { checkPages, checkPagesSteps } from './inspect/check.ts';
import { walkFreelist } from './inspect/freelist-walk.ts';
import type { CheckpointResult } from './checkpoint/checkpoint.ts';
import type { CheckpointRequest } from './checkpoint/checkpoint-request.ts';
import { DatabaseCopy } from './copying/database-copy.ts';
import { logEnd } from './copying/log-end.ts';
import type { LogEnd, LogEndOptions } from './copying/log-end.ts';
import { removePlacedPages } from './files/placed-files.ts';
import { closeConnection } from './life/close.ts';
import type { OpenDatabase } from './life/inspection.ts';
import { openDatabase } from './life/open.ts';
import type { PagerOptions, PagerWarning } from './base/options.ts';
import { checkCacheSize, resolveOptions } from './base/options.ts';
import type { PageCache } from './pages/page-cache.ts';
import type { ReaderMark } from './sharing/shm.ts';
import type { OtherConnections } from './sharing/told-figures.ts';
import type { PagerStats, PagerVitals } from './base/stats.ts';
import type { WriteTransaction } from './writing/transaction.ts';
import type { View } from './reading/view.ts';
import { wrongTrunk } from './writing/freelist.ts';

/** Shortest pause between two tries of a caller that waits without blocking, and how much longer it may be. */
const PAUSE_MIN_MS = 1;
const PAUSE_SPREAD_MS = 4;
/** The quantile that connections tell each other. */
const TOLD_QUANTILE = 0.95;

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
  private closing = false;

  private constructor(database: OpenDatabase) {
    const { connection } = database;
    this.database = database;
    this.path = connection.options.path;
    this.readOnly = connection.options.readOnly;
    this.cache = connection.cache;
    this.view = connection.views.view;
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
    for (const warning of database.warnings) database.connection.health.warn(warning);
    return new Pager(database);
  }

  /** Clock, timers and event loop of the vfs that it was opened with. */
  get env(): VfsEnv {
    return this.database.connection.vfs.env;
  }

  get pageSize(): number {
    return this.cache.pageSize;
  }

  /** How long a call waits while another connection writes, unless it says otherwise. */
  get busyTimeoutMs(): number {
    return this.database.connection.options.busyTimeoutMs;
  }

  /** Is a write transaction or a bulk load open? */
  get inTransaction(): boolean {
    const { connection } = this.database;
    return connection.writer.isOpen;
  }

  /** Did a sync fail, so that nothing is written until the database has been opened again? */
  get poisoned(): boolean {
    return this.database.connection.health.poisoned;
  }

  /** May other connections have the database open? */
  get shared(): boolean {
    return this.database.connection.shm !== null;
  }

  get closed(): boolean {
    return this.database.connection.health.closed;
  }

  /** A view of the newest commit that stays as it is. Release it: while it is open, checkpoints cannot pass it. */
  snapshot(options: { readonly exempt?: boolean } = {}): View {
    return this.database.connection.views.snapshot(options.exempt);
  }

  /**
   * A copy of the newest commit, as the bytes of a database file, for backups. Release it: while it is open, checkpoints cannot pass it.
   * @throws CorruptionError SOMBRA_FREELIST, …; IoError SOMBRA_IO; StateError SOMBRA_CLOSED
   */
  copy(): DatabaseCopy {
    const { connection } = this.database;
    connection.health.checkOpen();
    return new DatabaseCopy(connection);
  }

  /**
   * Begins the write transaction.
   * @param waitMs  how long it may block while another connection writes. Default `busyTimeoutMs`. A caller that retries with 0 should
   *   announce that it waits with `waiting(true)`
   * @throws IoError SOMBRA_BUSY (details pid, host, since); StateError SOMBRA_TRANSACTION_ACTIVE, SOMBRA_READ_ONLY, SOMBRA_CLOSED; PoisonedError SOMBRA_LOCK_POISONED
   */
  begin(waitMs?: number): WriteTransaction {
    return this.database.connection.writer.begin(waitMs);
  }

  /**
   * Lets the connection that is writing know that this one waits for its turn, or no longer does. Say it again after each try.
   * @param waiter  tells this caller from others of the connection, which waits as long as any of them does
   */
  waiting(waits: boolean, waiter: object = this): void {
    this.database.connection.tenure.wait(waits, waiter);
  }

  /** How long to pause before the next try, ms: at random, so that two that wait do not move in step. */
  pauseMs(): number {
    return PAUSE_MIN_MS + (this.env.random(1)[0]! / 256) * PAUSE_SPREAD_MS;
  }

  /**
   * Do so many commits wait for a sync (1,024, or 64 MiB of log) that the next `commitAsync` would not join them but block until
   * all are durable? A caller that must not block awaits one of their promises first.
   */
  get isGroupFull(): boolean {
    return this.database.connection.writer.isGroupFull;
  }

  /**
   * Makes durable and publishes what `commitAsync` has appended, without waiting for the event loop.
   * @throws IoError SOMBRA_SYNC; the promises are then rejected with SOMBRA_COMMIT_UNKNOWN
   */
  flush(): void {
    const { connection } = this.database;
    connection.health.checkOpen();
    connection.writer.flush();
  }

  /**
   * Brings committed pages from the log to the main file, as far as open snapshots allow.
   * @param waitMs  how long it may block while another connection writes. Default `busyTimeoutMs`
   * @throws as `begin`; IoError SOMBRA_IO, SOMBRA_DISK_FULL (nothing is lost, the log is kept); CorruptionError
   */
  checkpoint(waitMs?: number): CheckpointResult {
    return this.database.connection.writer.checkpoint(waitMs);
  }

  /**
   * Asks for a checkpoint that runs beside the work of the event loop: in steps of a few milliseconds, with syncs that do not block.
   * It is given up when another connection gets the right to write first: ask again until `lsn` of its end is as new as wanted.
   * @param waitMs  how long this call may block while another connection writes. Default `busyTimeoutMs`
   * @throws as `begin`. What a checkpoint throws stands in the end of the request
   */
  requestCheckpoint(waitMs?: number): CheckpointRequest {
    return this.database.connection.writer.requestCheckpoint(waitMs);
  }

  /**
   * Begins a bulk load: pages past the log, one commit at the end.
   * @param waitMs  as `begin`
   * @throws as `begin`
   */
  bulk(waitMs?: number): BulkWriter {
    return this.database.connection.writer.bulk(waitMs);
  }

  /** Checks the newest commit. @returns problems found, empty when all is well @throws StateError SOMBRA_CLOSED */
  check(options?: CheckOptions): Problem[] {
    const { connection } = this.database;
    connection.health.checkOpen();
    connection.views.useNewest();
    return checkPages(connection, connection.views.view, options);
  }

  /**
   * As `check`, in steps between which others may have their turn.
   * @param view  a snapshot: the commit that is checked. Release it afterwards
   * @throws StateError SOMBRA_CLOSED when the view ends meanwhile
   */
  checkSteps(view: View, options?: CheckStepsOptions): Generator<undefined, Problem[], undefined> {
    return checkPagesSteps(this.database.connection, view, options);
  }

  /**
   * Numbers of the free pages of a commit.
   * @param view  a snapshot
   * @throws CorruptionError SOMBRA_FREELIST, and as reading pages; IoError SOMBRA_IO
   */
  freePages(view: View): ReadonlySet<number> {
    const { reader } = this.database.connection;
    const free = new Set<number>();
    const steps = walkFreelist(reader, view.catalogue, this.pageSize, (pageNumber) => {
      if (free.has(pageNumber) || pageNumber >= view.pageCount)
        throw wrongTrunk(pageNumber, 'is named twice, or does not exist');
      free.add(pageNumber);
      return true;
    });
    while (steps.next().done !== true);
    return free;
  }

  /**
   * Registers the listener that is called when commits of other connections have been followed, before anything is read at or after them.
   * @param listener  gets a view of the newest commit, for the time of the call
   */
  onAdvanced(listener: (newest: View) => void): void {
    this.database.connection.views.onAdvanced = listener;
  }

  /** Renews the implicit view when it is older than `maxAgeMs` within one turn of the event loop. */
  freshen(maxAgeMs: number): void {
    this.database.connection.views.freshen(maxAgeMs);
  }

  /** The readers of other connections now, and what they keep. */
  readers(): ReaderMark[] {
    const { connection } = this.database;
    connection.health.checkOpen();
    return connection.marks.others();
  }

  /**
   * Writes cache hits, commits and their latency where other processes can look at them, if anything has changed since they were
   * written last. Call it now and then, never for each operation: it sorts the newest durations. A connection that never calls it
   * tells nothing.
   * @param reads  durations of short reads, as the caller measures them
   * @throws StateError SOMBRA_CLOSED; IoError
   */
  tellFigures(reads: Latency): void {
    const { health, stats, cache, told } = this.database.connection;
    health.checkOpen();
    const { misses, oldVersionHits, latencies } = stats;
    const now = {
      hits: cache.hits[0]! + oldVersionHits,
      misses,
      commits: latencies.commit.count,
      reads: reads.count,
    };
    told.tell(now, () => ({
      commitP95: quantileOf(latencies.commit.snapshot(), TOLD_QUANTILE),
      readP95: quantileOf(reads.snapshot(), TOLD_QUANTILE),
    }));
  }

  /** The other connections, of this process and of others, and the figures of those that tell them. @throws StateError SOMBRA_CLOSED; IoError */
  others(): OtherConnections {
    const { connection } = this.database;
    connection.health.checkOpen();
    return connection.told.others();
  }

  /**
   * Changes how many pages are kept in memory, from the next turn of the event loop on. No page of an open transaction is lost. A
   * smaller cache gives its memory back if no transaction and no cursor is open then.
   * @param pages  8 to 2^24
   * @throws DataError SOMBRA_CONFIG; StateError SOMBRA_CLOSED
   */
  setCacheSize(pages: number): void {
    const { connection } = this.database;
    connection.health.checkOpen();
    checkCacheSize(pages);
    this.cache.checkSize(pages);
    // No code on the stack, a predicate of the caller within a traversal for example, may hold the memory that is replaced.
    connection.health.defer(() => connection.cache.resize(pages));
  }

  /**
   * Tells of damage that a layer above has found in pages whose checksums are right: it counts in `stats().corruptions`, and the hook `corruption`
   * hears of it. An error that has been told, or is no CorruptionError, changes nothing.
   */
  noteDamage(error: unknown): void {
    this.database.connection.health.noteDamage(error);
  }

  /**
   * Where the log ends behind the newest commit, which is made durable first unless asked otherwise: with `syncMode` other than `full` a power loss
   * could take it back, and an archive must hold nothing that the database then does not.
   * @throws StateError SOMBRA_ARCHIVE_NO_LOG: it is open without a log; SOMBRA_CLOSED, SOMBRA_READ_ONLY, SOMBRA_TRANSACTION_ACTIVE; IoError SOMBRA_BUSY, SOMBRA_SYNC,
   *   SOMBRA_IO; PoisonedError SOMBRA_LOCK_POISONED
   */
  logEnd(options?: LogEndOptions): LogEnd {
    return logEnd(this.database.connection, options);
  }

  /** The highest sealed segment of the log that is archived; Infinity when there is no archive. */
  archivedThrough(): number {
    const { vfs, options } = this.database.connection;
    return archivedThrough(vfs, options.path);
  }

  /**
   * Says that sealed segments up to `seq` have been copied away, and begins an archive when there was none: from then on no
   * segment is recycled or removed before it is archived, by whichever process, and the last close leaves those that wait.
   * Bulk loads write their pages to a file for the archive, too; and no archive begins while one is open, in any process.
   * @throws DataError SOMBRA_OPTION; StateError SOMBRA_READ_ONLY, SOMBRA_CLOSED, SOMBRA_TRANSACTION_ACTIVE (a bulk load is open);
   *   IoError, also SOMBRA_BUSY when an archive is to begin and another connection writes for longer than `busyTimeoutMs`
   */
  markArchived(seq: number): void {
    const { connection } = this.database;
    connection.health.checkWritable();
    const mark = (): void => markArchived(connection.vfs, connection.options.path, seq);
    if (this.archivedThrough() === Infinity) connection.writer.beginArchive(mark);
    else mark();
  }

  /** Ends the archive; segments that wait go with the next checkpoint, pages of bulk loads at once. @throws as `markArchived` */
  endArchive(): void {
    const { connection } = this.database;
    connection.health.checkWritable();
    endArchive(connection.vfs, connection.options.path);
    removePlacedPages(connection.vfs, connection.options.path);
  }

  /**
   * Counts a write transaction that could not begin, and tells `hooks.refused`: for a caller that asked by `begin(0)` until its own time
   * was over, which counts as one.
   */
  noteRefusal(error: unknown): void {
    this.database.connection.writer.noteRefusal(error);
  }

  /**
   * What shows whether the connection is well: figures that lie in memory, so that no lock is probed and no duration is sorted. A new
   * object.
   */
  vitals(): PagerVitals {
    const { stats, cache, header, commits, health, options, checkpointAge } = this.database.connection;
    const { published } = commits;
    const { checkpointLsn } = header.state;
    return {
      pageSize: cache.pageSize,
      pageCount: published.pageCount,
      lsn: published.lsn,
      checkpointLsn,
      checkpointAgeMs: checkpointAge.look(checkpointLsn, published.lsn),
      logBytesSinceCheckpoint: this.database.connection.logBytes(),
      maxWalBytes: options.maxWalBytes,
      hits: cache.hits[0]!,
      oldVersionHits: stats.oldVersionHits,
      misses: stats.misses,
      poisoned: health.poisoned,
      corruptions: health.corruptions,
    };
  }

  /** Figures for operators. A new object. */
  stats(): PagerStats {
    const { connection } = this.database;
    const { cache, commits, reader, limits, marks, health } = connection;
    const { latencies, ...counters } = connection.stats;
    return {
      ...counters,
      ...this.vitals(),
      freePages: commits.published.freeCount,
      logEntries: connection.index.count,
      cacheSize: cache.cacheSize,
      cachePages: cache.used,
      cachePagesDirty: cache.dirty,
      evictions: cache.evictions,
      oldVersions: cache.oldVersions(),
      mainReads: reader.mainReads,
      logReads: reader.entryReads,
      snapshots: connection.views.snapshots.size,
      oldestSnapshotMs: limits.oldestMs(),
      readers: health.closed ? 0 : marks.others().length,
      latencies: {
        commit: latencies.commit.snapshot(),
        sync: latencies.sync.snapshot(),
        checkpoint: latencies.checkpoint.snapshot(),
      },
    };
  }

  /**
   * Rolls back what is open, ends snapshots, checkpoints, and leaves only the main file. Harmless when repeated.
   * Everything is given back even when it throws.
   * @throws what the final checkpoint threw: commits are then still in the log (with `enableWal: false` those since the
   *   last checkpoint are lost)
   */
  close(): void {
    if (this.closing) return; // a hook of the last checkpoint asked for it
    this.closing = true;
    closeConnection(this.database.connection);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
