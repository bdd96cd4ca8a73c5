import { CorruptionError, DataError, directoryOf, StateError, syncDirectory } from '@sombra/vfs';
import type { FileId, Vfs, VfsFile } from '@sombra/vfs';
import { LogFiles, RecordBuilder, recordPagesMax } from '@sombra/wal';
import type { Wal, WalOptions } from '@sombra/wal';
import { BackgroundCheckpoint } from '../checkpoint/background-checkpoint.ts';
import { Catalogue } from '../format/catalogue.ts';
import { RecordEntries } from '../writing/commit.ts';
import { DirtyPages } from '../pages/dirty-pages.ts';
import { doubleWritePath } from '../format/double-write.ts';
import type { DoubleWriteIdentity } from '../format/double-write.ts';
import { Health } from '../base/health.ts';
import { followLog } from '../files/follow-log.ts';
import { GroupCommit } from '../writing/group-commit.ts';
import type { LockFile } from '../sharing/lock-file.ts';
import { LOCK_READ, LOCK_READ_SLOTS } from '../sharing/locks.ts';
import type { LockTable } from '../sharing/locks.ts';
import { LogLength } from '../files/log-length.ts';
import { LogLimits } from '../reading/log-limits.ts';
import { LogWriter, walOptions } from '../files/log-writer.ts';
import type { ResolvedOptions } from '../base/options.ts';
import { NO_FRAME } from '../pages/page-cache.ts';
import type { PageCache } from '../pages/page-cache.ts';
import type { PageIndex } from '../pages/page-index.ts';
import { ReadMarks } from '../sharing/read-marks.ts';
import { rootsPage, treeSlots } from '../format/roots-page.ts';
import { refuseMoved } from '../files/same-file.ts';
import { newSharedState } from '../format/shared-state.ts';
import type { SharedState } from '../format/shared-state.ts';
import type { ReaderMark, Shm } from '../sharing/shm.ts';
import type { Counters } from '../base/stats.ts';
import { newCounters } from '../base/stats.ts';
import type { Superblock } from '../format/superblock.ts';
import { Tenure } from '../sharing/tenure.ts';
import { WriteTransaction } from '../writing/transaction.ts';
import type { VersionReader } from '../pages/version-reader.ts';
import type { PageSource } from '../reading/view.ts';
import { IDLE, View } from '../reading/view.ts';
import { Views } from '../reading/views.ts';

/** Log entries that a page version may take to rebuild before its next change is logged as an image. */
const HEAVY_DEPTH = 32;
/** Reads that miss the cache between two looks at a transaction's deadline. */
const FAULTS_PER_DEADLINE = 256;
/** Catalogues that are kept for transactions to come: as many as usually wait for a sync together. */
const SPARE_CATALOGUES = 128;

/** What opening hands over: an open database file and what was found in it. */
export interface EngineParts {
  readonly vfs: Vfs;
  readonly options: ResolvedOptions;
  readonly main: VfsFile;
  readonly locks: LockTable;
  readonly cache: PageCache;
  readonly index: PageIndex;
  readonly reader: VersionReader;
  readonly shared: SharedState;
  /** null: nobody else can have the database open. */
  readonly shm: Shm | null;
  readonly published: Catalogue;
  readonly superblock: Superblock;
  readonly wal: Wal | null;
}

/**
 * The state that transactions, views, checkpoints and bulk loads share, and the small decisions that tie them together.
 *
 * Invariants:
 * 1. `published` is the newest published commit that this connection has followed the log to; `view` sees it, or is idle.
 * 2. `tail` is the newest commit that was appended; between the two lie the commits of the group that waits for its sync.
 * 3. At most one of `transaction` and `bulk` is set.
 * 4. After `poison` nothing is written any more; reads at published commits go on.
 * 5. With shm, whatever is written is written within a tenure, and whatever is read is kept by a tenure or a reader's mark.
 */
export class Engine implements PageSource {
  readonly health: Health;
  readonly vfs: Vfs;
  readonly options: ResolvedOptions;
  /** Replaced after a cure (rule E1). */
  main: VfsFile;
  readonly fileId: FileId;
  readonly locks: LockTable;
  readonly cache: PageCache;
  readonly index: PageIndex;
  readonly reader: VersionReader;
  readonly shared: SharedState;
  readonly logs: LogWriter;
  readonly tenure: Tenure;
  readonly marks: ReadMarks;
  readonly group: GroupCommit;
  readonly checkpoints: BackgroundCheckpoint;
  readonly limits: LogLimits;
  readonly dirty: DirtyPages;
  readonly builder: RecordBuilder;
  readonly entries = new RecordEntries();
  readonly stats: Counters = newCounters();
  readonly view: View;
  readonly views: Views;
  readonly snapshots = new Set<View>();
  /** Newest slot known to be durable. */
  superblock: Superblock;
  published: Catalogue;
  /** As of the newest commit that was appended. */
  tail: Catalogue;
  /** The segments of the log. Replaced when a log comes into being. */
  log: LogFiles;
  /** Least segment that the index names. */
  indexFloor: number;
  /** null: nobody else can have the database open. */
  readonly shm: Shm | null;
  transaction: WriteTransaction | null = null;
  /** The bulk load that is open. */
  bulk: { abort(): void } | null = null;
  /** Asynchronous syncs under way. */
  syncsInFlight = 0;
  /** A checkpoint that is half done. */
  checkpointing = false;
  /** In single-process mode: given back by closing. */
  lockFile: LockFile | null = null;
  /** Of the shm header that was followed last. */
  epoch: number;
  /** Second descriptor of main, while there is one. */
  mainTwin: VfsFile | undefined;
  /** Of the newest record of this connection, ms. */
  lastTime = 0;

  private readonly length = new LogLength();
  private readonly spareCatalogues: Catalogue[] = [];
  private readonly maxPages: number;
  private readonly firstPage: number;
  private ownFaults = 0;
  /** Timer that looks whether the open transaction has passed its deadline; there while one may be open. */
  private deadline: unknown;
  private doubleWriteNamed = false;

  constructor(parts: EngineParts) {
    this.health = new Health(parts.options);
    this.vfs = parts.vfs;
    this.options = parts.options;
    this.main = parts.main;
    this.fileId = parts.main.stat();
    this.locks = parts.locks;
    this.cache = parts.cache;
    this.index = parts.index;
    this.reader = parts.reader;
    this.shared = parts.shared;
    this.shm = parts.shm;
    this.epoch = parts.shared.epoch;
    this.indexFloor = parts.shared.replaySeq;
    this.superblock = parts.superblock;
    this.published = parts.published;
    this.tail = parts.published;
    this.logs = new LogWriter(parts.wal);
    this.log = parts.wal?.files ?? new LogFiles(this.walOptions());
    this.reader.attach(this.log);
    this.lastTime = parts.shared.publishedTime;
    this.builder = new RecordBuilder(parts.cache.pageSize);
    const { maxTransactionPages } = parts.options;
    this.dirty = new DirtyPages(parts.cache, Math.min(maxTransactionPages, recordPagesMax(parts.cache.pageSize)));
    this.maxPages = parts.options.maxPages(parts.cache.pageSize);
    this.firstPage = rootsPage(parts.cache.pageSize);
    this.view = new View(parts.cache, this, parts.shm === null ? parts.published.lsn : IDLE, parts.published);
    this.views = new Views(this);
    this.tenure = new Tenure(this);
    this.marks = new ReadMarks(this);
    this.group = new GroupCommit(this);
    this.checkpoints = new BackgroundCheckpoint(this);
    this.limits = new LogLimits(this);
    this.health.onPoison((cause) => this.group.fail(cause));
    this.health.onPoison((_cause, reach) => {
      if (reach === 'all') this.shm?.setPoisoned(true);
    });
  }

  /** For durations only, ms: not the time of day. */
  now(): number {
    return this.vfs.env.monotonicMs();
  }

  // ---- reading

  fault(view: View, pageNumber: number): number {
    if (view.limit < 0) this.views.renew(view);
    const tx = this.transaction;
    const own = tx !== null && tx.view === view;
    if (own && (this.ownFaults += 1) % FAULTS_PER_DEADLINE === 0) tx.checkDeadline();
    try {
      this.checkRange(pageNumber, view);
      let frame = this.cache.find(pageNumber, view.limit);
      if (frame === NO_FRAME) frame = this.load(pageNumber, view);
      else this.stats.oldVersionHits += 1;
      this.cache.referenced[frame] = 1;
      return frame << this.cache.shift;
    } catch (error) {
      throw own ? tx.abort(error) : error;
    }
  }

  private checkRange(pageNumber: number, view: View): void {
    if (!(pageNumber >= this.firstPage && pageNumber < view.catalogue.pageCount && Number.isInteger(pageNumber))) {
      throw new CorruptionError(
        'SOMBRA_PAGE_RANGE',
        `page ${pageNumber} does not exist; the file has pages ${this.firstPage} to ${view.catalogue.pageCount - 1}: run verify`,
        {
          details: { pageNumber },
        },
      );
    }
  }

  private load(pageNumber: number, view: View): number {
    const { cache, reader } = this;
    this.stats.misses += 1;
    cache.noteOldRead(pageNumber);
    const frame = cache.allocate();
    try {
      const lsn = reader.read(pageNumber, view.limit, cache.bytes, frame << cache.shift);
      if (reader.depth >= HEAVY_DEPTH) cache.frameHeavy[frame] = 1;
      cache.insert(frame, pageNumber, lsn, reader.until);
    } catch (error) {
      cache.release(frame);
      throw error;
    }
    return frame;
  }

  renew(view: View): void {
    this.views.renew(view);
  }

  release(view: View): void {
    this.views.release(view);
  }

  // ---- following the log

  /** Reads the shm header into `shared`. */
  readShared(): void {
    this.shm?.read(this.shared);
  }

  /** The shm header as it is now, beside what this connection has followed. */
  peekShared(): SharedState {
    const now = newSharedState();
    if (this.shm === null) return Object.assign(now, this.shared);
    this.shm.peek(now);
    return now;
  }

  /** Publishes `shared`. */
  writeShared(): void {
    this.shm?.write(this.shared);
  }

  /** Brings this connection to the newest published commit. Call while a tenure or a mark keeps it. */
  refresh(): void {
    this.readShared();
    followLog(this);
  }

  /** The log is now this one. */
  useLog(log: LogFiles): void {
    this.log = log;
    this.reader.attach(log);
  }

  walOptions(): WalOptions {
    return walOptions(this.options, this.superblock, this.vfs);
  }

  // ---- writing

  /**
   * Begins the write transaction.
   * @param waitMs  how long it may block while another connection writes
   * @throws IoError SOMBRA_BUSY when that is not long enough
   */
  begin(waitMs = this.options.busyTimeoutMs): WriteTransaction {
    this.checkIdle();
    this.tenure.acquire(waitMs);
    try {
      this.limits.makeRoom();
    } catch (error) {
      this.tenure.settle(false);
      throw error;
    }
    this.views.tellAdvanced();
    const catalogue = this.takeCatalogue();
    catalogue.copyFrom(this.tail);
    catalogue.lsn = this.tail.lsn + 1;
    this.dirty.begin(catalogue.lsn);
    const timeout = this.options.transactionTimeoutMs;
    const tx = new WriteTransaction(this, catalogue, timeout === Infinity ? Infinity : this.now() + timeout);
    this.transaction = tx;
    if (this.deadline === undefined && timeout !== Infinity) this.watchDeadline(timeout);
    return tx;
  }

  /** The connection is being closed: no timer of it goes on. */
  stopDeadline(): void {
    if (this.deadline !== undefined) this.vfs.env.clearTimer(this.deadline);
    this.deadline = undefined;
  }

  /**
   * One timer looks after all transactions: most are over long before it fires, and a timer for each would cost more than they do.
   * @param ms  until the open one ends at the earliest
   */
  private watchDeadline(ms: number): void {
    this.deadline = this.vfs.env.setTimer(() => {
      this.deadline = undefined;
      const tx = this.transaction;
      if (tx === null || this.health.closed) return;
      const left = tx.deadline - this.now();
      // A moment later than its deadline: whoever has a timer of his own for the transaction then comes first.
      if (left > 0) this.watchDeadline(left + 1);
      else tx.expire();
    }, ms);
  }

  /** May a transaction or bulk load begin? */
  checkIdle(): void {
    this.health.checkWritable();
    if (this.transaction !== null || this.bulk !== null) {
      throw new StateError(
        'SOMBRA_TRANSACTION_ACTIVE',
        `a ${this.bulk !== null ? 'bulk load' : 'write transaction'} is open on this connection: end it first`,
      );
    }
  }

  /** May the tenure end here? */
  isQuiet(): boolean {
    return (
      this.transaction === null &&
      this.bulk === null &&
      !this.checkpointing &&
      this.syncsInFlight === 0 &&
      this.group.isEmpty
    );
  }

  /**
   * Brings asynchronous work to a safe point, so that the tenure may end at once: what waits for a sync gets it now, a checkpoint
   * is given up, and syncs in flight are repeated, so that nothing depends on their results (rule K4).
   * @returns false when a transaction or a bulk load is open
   */
  quiesce(): boolean {
    if (this.transaction !== null || this.bulk !== null) return false;
    this.group.settleNow();
    this.checkpoints.giveUp();
    if (this.syncsInFlight > 0 && !this.health.poisoned) {
      const wal = this.logs.current();
      if (wal !== null) this.sync(wal);
      this.sync(this.main);
      this.warnOfLateSync();
    }
    return true;
  }

  /** WRITE is about to be given back, and a failure may come in later: whoever writes then has to look for it (rule E1). */
  private warnOfLateSync(): void {
    const { shm, tenure } = this;
    if (shm === null || shm.late) return;
    const { unsettled } = tenure;
    tenure.unsettled = true; // if the mark cannot be set, the next holder settles as after a death
    shm.setLate();
    tenure.unsettled = unsettled;
  }

  /** May the file have this many pages? */
  checkSize(pageCount: number): void {
    if (pageCount <= this.maxPages) return;
    throw new DataError(
      'SOMBRA_DATABASE_FULL',
      `the database would exceed ${this.maxPages} pages of ${this.cache.pageSize} bytes: delete data, or raise maxDatabaseSizeMb`,
      {
        details: { maxPages: this.maxPages },
      },
    );
  }

  /** Time for the next commit, ms: never earlier than the one before. */
  commitTime(): number {
    this.lastTime = Math.max(this.lastTime, this.shared.publishedTime, this.vfs.env.wallTimeMs());
    return this.lastTime;
  }

  /** The log, made ready for its first record if need be (rules O2, K6). */
  ensureLog(): Wal {
    const wal = this.logs.current();
    if (wal !== null && !(this.superblock.clean && this.options.enableWal)) return wal;
    return this.logs.start(this);
  }

  /** A transaction was appended: the next one builds on it. */
  appended(tx: WriteTransaction): void {
    this.tail = tx.catalogue;
    this.transaction = null;
    this.stats.commits += 1;
    if (this.options.hooks.commit !== undefined)
      this.health.callHook((hooks) => hooks.commit?.(tx.lsn, this.entries.count, this.builder.length));
  }

  /** A transaction ended without a change. */
  committedNothing(tx: WriteTransaction): void {
    if (this.transaction === tx) this.transaction = null;
    this.giveCatalogue(tx.catalogue);
  }

  rolledBack(tx: WriteTransaction): void {
    if (this.transaction === tx) {
      this.transaction = null;
      this.stats.rollbacks += 1;
    }
    try {
      this.tenure.settle(false);
    } catch (error) {
      this.health.warnOfUpkeep(error); // why the transaction was rolled back is what the caller has to hear
    }
  }

  /** Does a commit wait for a sync? */
  get syncsCommits(): boolean {
    return this.options.syncMode === 'full' && this.options.enableWal;
  }

  /** Closes the descriptors of main. */
  closeMain(): void {
    try {
      this.mainTwin?.close();
    } finally {
      this.main.close();
    }
  }

  /** Closes the descriptors of log and shm. */
  closeFiles(): void {
    this.logs.close();
    this.log.close();
    this.shm?.close();
  }

  /** Syncs a file. A failure poisons. */
  sync(file: { sync(kind: 'data' | 'full'): void }): void {
    this.health.guardSync(() => file.sync('data'));
    this.stats.syncs += 1;
  }

  /** K1: the least commit that a view of anybody may read, at most `bound`; -1 when somebody is just writing his mark. */
  lowestMark(bound: number): number {
    let lowest = bound;
    for (const view of this.snapshots) lowest = Math.min(lowest, view.limit);
    lowest = Math.min(lowest, this.views.markedLimit);
    this.eachReader((mark) => (lowest = mark === undefined ? -1 : Math.min(lowest, mark.lsn)));
    return lowest;
  }

  /** K3: the least segment that replay or a reader needs. */
  lowestFloor(seq: number): number {
    let lowest = Math.min(seq, this.marks.floor);
    this.eachReader((mark) => (lowest = mark === undefined ? 0 : Math.min(lowest, mark.floor)));
    return lowest;
  }

  /** Visits the marks of all READ slots that other connections hold. */
  private eachReader(visit: (mark: ReaderMark | undefined) => void): void {
    const { shm, locks } = this;
    if (shm === null) return;
    for (const byte of locks.heldElsewhere(LOCK_READ, LOCK_READ_SLOTS)) visit(shm.readMark(byte - LOCK_READ));
  }

  /** Second descriptor of main, for asynchronous syncs: a failure that it is told of is told to the first one, too (C3). */
  mainAsync(): VfsFile {
    if (this.mainTwin !== undefined) return this.mainTwin;
    const twin = this.vfs.open(this.options.path, { write: true });
    const { dev, ino } = twin.stat();
    if (dev !== this.fileId.dev || ino !== this.fileId.ino) {
      twin.close();
      refuseMoved(this);
    }
    return (this.mainTwin = twin);
  }

  /** A group was published. */
  afterGroup(): void {
    this.checkpoints.consider();
    this.limits.consider(this.logBytes());
  }

  /** A transaction was committed: perhaps a checkpoint, perhaps the tenure ends. Never throws: the commit stands. */
  afterCommit(): void {
    try {
      this.afterGroup();
      this.tenure.settle(true);
    } catch (error) {
      this.health.warnOfUpkeep(error);
    }
  }

  /** Log bytes since the last checkpoint. */
  logBytes(): number {
    return this.length.bytes(this.log, this.shared);
  }

  /** Is there anything that closing has to bring to main or to clean up? */
  hasWritten(): boolean {
    return this.shared.logInode !== 0 || !this.superblock.clean;
  }

  /** Whom double-write batches must belong to. */
  identity(): DoubleWriteIdentity {
    return this.superblock;
  }

  /** Opens the double-write file, creating it if need be. */
  openDoubleWrite(): VfsFile {
    return this.vfs.open(doubleWritePath(this.options.path), { write: true, create: true, perm: 0o600 });
  }

  /** Pages of main depend on the double-write area from now on: its name has to be durable, too. */
  nameDoubleWrite(): void {
    if (this.doubleWriteNamed) return;
    syncDirectory(this.vfs, directoryOf(this.options.path));
    this.doubleWriteNamed = true;
  }

  takeCatalogue(): Catalogue {
    return this.spareCatalogues.pop() ?? new Catalogue(treeSlots(this.cache.pageSize));
  }

  giveCatalogue(catalogue: Catalogue): void {
    if (this.spareCatalogues.length < SPARE_CATALOGUES) this.spareCatalogues.push(catalogue);
  }

  wrongRoots(): never {
    throw new CorruptionError(
      'SOMBRA_ROOTS',
      `page ${this.firstPage} is not the roots page any more: restore a backup`,
    );
  }
}
