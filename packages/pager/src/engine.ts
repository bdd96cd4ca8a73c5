import { CorruptionError, DataError, PoisonedError, preadFully, StateError, TransactionError } from '@sombra/vfs';
import type { FileId, Vfs, VfsFile } from '@sombra/vfs';
import { inodeNumber, LogFiles, RecordBuilder, SEGMENT_HEADER_SIZE } from '@sombra/wal';
import type { LogTail, RecordView, Wal, WalOptions } from '@sombra/wal';
import { BackgroundCheckpoint } from './background-checkpoint.ts';
import { Catalogue } from './catalogue.ts';
import { RecordEntries } from './commit.ts';
import { directoryOf } from './create.ts';
import { DirtyPages } from './dirty-pages.ts';
import { doubleWritePath } from './double-write.ts';
import type { DoubleWriteIdentity } from './double-write.ts';
import { commitInDoubt, isSyncFailure } from './failure.ts';
import { GroupCommit } from './group-commit.ts';
import { indexRecord } from './index-record.ts';
import { LOCK_READ, LOCK_READ_SLOTS } from './locks.ts';
import type { LockTable } from './locks.ts';
import { LogLimits } from './log-limits.ts';
import { LogWriter, walOptions } from './log-writer.ts';
import type { PagerHooks, ResolvedOptions } from './options.ts';
import { NO_FRAME } from './page-cache.ts';
import type { PageCache } from './page-cache.ts';
import type { PageIndex } from './page-index.ts';
import { ReadMarks } from './read-marks.ts';
import { readRootsPage, rootsPage, treeSlots } from './roots-page.ts';
import { saltBytes, saltWords } from './salt.ts';
import { newSharedState } from './shared-state.ts';
import type { SharedState } from './shared-state.ts';
import type { ReaderMark, Shm } from './shm.ts';
import type { Counters } from './stats.ts';
import { newCounters } from './stats.ts';
import { readSuperblocks, SUPERBLOCK_AREA_MIN } from './superblock.ts';
import type { Superblock } from './superblock.ts';
import { Tenure } from './tenure.ts';
import { WriteTransaction } from './transaction.ts';
import type { VersionReader } from './version-reader.ts';
import type { PageSource } from './view.ts';
import { ENDED, IDLE, TOO_OLD, View } from './view.ts';

/** Log entries that a page version may take to rebuild before its next change is logged as an image. */
const HEAVY_DEPTH = 32;
/** Reads that miss the cache between two looks at a transaction's deadline. */
const FAULTS_PER_DEADLINE = 256;
/** Longest time of a timer. */
const TIMER_MAX_MS = 2 ** 31 - 1;

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
 * 3. At most one of `transaction` and `bulkOpen` is set.
 * 4. After `poison` nothing is written any more; reads at published commits go on.
 * 5. With shm, whatever is written is written within a tenure, and whatever is read is kept by a tenure or a reader's mark.
 */
export class Engine implements PageSource {
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
  bulkOpen = false;
  closed = false;
  /** A sync of this connection failed: it writes nothing any more. */
  poisoned = false;
  poisonCause: unknown = undefined;
  /** Asynchronous syncs under way. */
  syncsInFlight = 0;
  /** A checkpoint that is half done. */
  checkpointing = false;
  /** A lock file is held, which closing removes. */
  lockFile = false;

  private readonly spareCatalogues: Catalogue[] = [];
  private readonly maxPages: number;
  private readonly firstPage: number;
  private lastTime = 0;
  private ownFaults = 0;
  /** Timer that rolls an open transaction back at its deadline. */
  private deadline: unknown;
  private epoch: number;
  /** The implicit view sees a commit, and is kept by a reader's mark until the end of the turn. */
  private viewMarked = false;
  private viewSince = 0;
  /** Commits of others were followed, and the layer above has not been told. */
  private advanced = false;
  /** Who keeps something in memory that commits of other connections may change. */
  onAdvanced: ((newest: View) => void) | undefined;
  private mainTwin: VfsFile | undefined;
  private doubleWriteNamed = false;

  constructor(parts: EngineParts) {
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
    this.dirty = new DirtyPages(parts.cache, parts.options.maxTransactionPages);
    this.maxPages = parts.options.maxPages(parts.cache.pageSize);
    this.firstPage = rootsPage(parts.cache.pageSize);
    this.view = new View(parts.cache, this, parts.shm === null ? parts.published.lsn : IDLE, parts.published);
    this.tenure = new Tenure(this);
    this.marks = new ReadMarks(this);
    this.group = new GroupCommit(this);
    this.checkpoints = new BackgroundCheckpoint(this);
    this.limits = new LogLimits(this);
  }

  /** Time of the environment in ms. */
  now(): number {
    return this.vfs.env.now();
  }

  // ---- reading

  fault(view: View, pageNumber: number): number {
    if (view.limit < 0) this.renew(view);
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

  /** A view without a commit is read through: the implicit one gets the newest, others have ended. */
  renew(view: View): void {
    if (this.closed) throw new StateError('SOMBRA_CLOSED', 'the database is closed: open it again');
    if (view.limit === TOO_OLD) {
      throw new TransactionError(
        'SOMBRA_SNAPSHOT_TOO_OLD',
        'the snapshot was older than readTimeoutMs while the log was over its limit, and was ended: take a new one, and release snapshots earlier',
      );
    }
    if (view.limit !== IDLE)
      throw new StateError('SOMBRA_CLOSED', 'this view has ended with its transaction or was released: take a new one');
    if (!this.tenure.held) {
      this.marks.begin();
      this.markView();
    }
    this.view.limit = this.published.lsn;
    this.view.catalogue = this.published;
    this.tellAdvanced();
  }

  private tellAdvanced(): void {
    if (!this.advanced) return;
    this.advanced = false;
    this.onAdvanced?.(new View(this.cache, this, this.published.lsn, this.published));
  }

  /** The turn of the event loop ends: the implicit view too. */
  private endMarkedView(): void {
    if (!this.viewMarked) return;
    this.viewMarked = false;
    if (this.closed) return;
    // Also within a tenure: the view may be older than what the tenure keeps.
    this.view.limit = IDLE;
    this.shrinkMarks();
  }

  /** The implicit view sees the newest commit from here on. */
  useNewest(): void {
    if (this.shm === null) return;
    if (this.tenure.held) this.view.limit = IDLE;
    else if (this.viewMarked) this.endMarkedView();
    this.renew(this.view);
  }

  /** Ends the implicit view: the connection is being closed. */
  endImplicitView(): void {
    this.viewMarked = false;
    this.view.limit = ENDED;
  }

  /**
   * A tenure ends, and an implicit view that only the tenure kept.
   * @param turnGoesOn  it may be in use in this turn of the event loop, and stays as it is until its end
   */
  endUnprotectedView(turnGoesOn: boolean): void {
    const { view } = this;
    if (this.viewMarked || view.limit < 0) return;
    if (turnGoesOn && this.marks.tryBegin()) this.markView();
    else view.limit = IDLE;
  }

  private markView(): void {
    this.viewMarked = true;
    this.viewSince = this.now();
    this.vfs.env.defer(() => this.endMarkedView());
  }

  /** A view that is older than this is renewed when `freshen` is called. */
  freshen(maxAgeMs: number): void {
    if (this.viewMarked && !this.tenure.held && this.now() - this.viewSince > maxAgeMs) this.endMarkedView();
  }

  release(view: View): void {
    if (view === this.view || (this.transaction !== null && view === this.transaction.view)) return;
    this.endView(view, ENDED);
  }

  /** Ends a snapshot. @param how  ENDED or TOO_OLD */
  endView(view: View, how: number): void {
    view.limit = how;
    this.snapshots.delete(view);
    this.limits.forget(view);
    this.updateSnapshotLimits();
    if (!this.closed) this.shrinkMarks();
  }

  /**
   * A view of the newest published commit that stays as it is until it is released.
   * @param exempt  it may be as old as it likes: a backup, an export, a check
   */
  snapshot(exempt = false): View {
    this.checkOpen();
    if (this.shm !== null) this.marks.begin();
    const view = new View(this.cache, this, this.published.lsn, this.published);
    this.snapshots.add(view);
    this.updateSnapshotLimits();
    this.tellAdvanced();
    if (!exempt) this.limits.watch(view);
    return view;
  }

  private shrinkMarks(): void {
    if (this.shm === null) return;
    let oldest = this.viewMarked ? this.view.limit : Infinity;
    for (const view of this.snapshots) oldest = Math.min(oldest, view.limit);
    this.marks.shrink(oldest);
  }

  /** Tells the cache which old versions may still be read. */
  updateSnapshotLimits(): void {
    const limits = new Set([...this.snapshots].map((view) => view.limit));
    if (this.tail !== this.published || this.view.limit < this.published.lsn)
      limits.add(this.view.limit >= 0 ? this.view.limit : this.published.lsn);
    this.cache.snapshotLimits = [...limits];
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
    this.follow();
  }

  /** Brings index, cache and catalogue to where `shared` is (rule R3). */
  follow(): void {
    const { shared, index, cache } = this;
    const { publishedLsn } = shared;
    const known = index.baseLsn + index.commits;
    if (
      this.published.lsn === publishedLsn &&
      publishedLsn === known &&
      index.baseLsn === shared.checkpointLsn &&
      this.epoch === shared.epoch
    )
      return;
    if (known < shared.checkpointLsn || this.epoch !== shared.epoch) {
      if (this.epoch !== shared.epoch) this.reopen();
      this.epoch = shared.epoch;
      cache.dropAll();
      index.reset(shared.checkpointLsn);
      this.log.close();
      this.useLog(new LogFiles(this.walOptions()));
    } else if (index.baseLsn < shared.checkpointLsn) index.dropUpTo(shared.checkpointLsn);
    this.indexFloor = shared.replaySeq;
    this.log.forgetBefore(Math.min(shared.replaySeq, this.marks.floor));
    const from = index.baseLsn + index.commits;
    if (from < publishedLsn) {
      const visit = (record: RecordView): void => indexRecord(index, record, cache);
      this.log.follow({ ...this.indexedTail(), lsn: from }, { seq: shared.logSeq, offset: shared.logOffset }, visit);
    }
    if (this.published.lsn !== publishedLsn) {
      this.published = this.tail = this.readCatalogue(publishedLsn, shared.publishedPages);
      this.advanced = true;
      this.tell((hooks) => hooks.advanced?.(publishedLsn));
    }
  }

  /** E1: the database was cured. The system may still have failures to tell of writes from before, once per descriptor. */
  private reopen(): void {
    const { vfs, options, fileId } = this;
    const main = vfs.open(options.path, { write: !options.readOnly });
    const { dev, ino } = main.stat();
    if (dev !== fileId.dev || ino !== fileId.ino) {
      main.close();
      this.refuseMoved();
    }
    this.closeMain();
    this.main = main;
    this.mainTwin = undefined;
    this.reader.useMain(main);
    this.logs.close();
  }

  /** Where the log has been indexed up to. */
  private indexedTail(): LogTail & { readonly salt: Uint8Array } {
    const { shared, index } = this;
    const salt = saltBytes(shared.replaySaltLow, shared.replaySaltHigh);
    if (index.commits === 0)
      return { seq: shared.replaySeq, offset: shared.replayOffset, chain: shared.replayChain, salt };
    const last = index.commits - 1;
    return { seq: index.commitSeq[last]!, offset: index.commitEnd[last]!, chain: index.commitChain[last]!, salt };
  }

  private readCatalogue(lsn: number, pageCount: number): Catalogue {
    const scratch = new Uint8Array(this.cache.pageSize);
    this.reader.read(this.firstPage, lsn, scratch, 0);
    return readRootsPage(scratch, 0, this.cache.pageSize, lsn, pageCount);
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
      this.limits.check();
    } catch (error) {
      this.tenure.settle(false);
      throw error;
    }
    this.tellAdvanced();
    const catalogue = this.takeCatalogue();
    catalogue.copyFrom(this.tail);
    catalogue.lsn = this.tail.lsn + 1;
    this.dirty.begin(catalogue.lsn);
    const timeout = this.options.transactionTimeoutMs;
    const tx = new WriteTransaction(this, catalogue, timeout === Infinity ? Infinity : this.now() + timeout);
    this.transaction = tx;
    if (timeout <= TIMER_MAX_MS) this.deadline = this.vfs.env.setTimer(() => tx.expire(), timeout);
    return tx;
  }

  /** The transaction that was open is over. */
  private endTransaction(): void {
    this.transaction = null;
    if (this.deadline !== undefined) this.vfs.env.clearTimer(this.deadline);
    this.deadline = undefined;
  }

  /** May this connection write now? */
  checkWritable(): void {
    this.checkOpen();
    if (this.options.readOnly)
      throw new StateError(
        'SOMBRA_READ_ONLY',
        `${this.options.path} was opened read-only: open it with readOnly false`,
      );
    if (this.poisoned) this.refusePoisoned();
  }

  private refusePoisoned(): never {
    throw new PoisonedError(
      'SOMBRA_LOCK_POISONED',
      'a sync failed or a write could not be taken back: close the database and open it again',
      {
        cause: this.poisonCause,
      },
    );
  }

  checkOpen(): void {
    if (this.closed) throw new StateError('SOMBRA_CLOSED', 'the database is closed: open it again');
  }

  /** May a transaction or bulk load begin? */
  checkIdle(): void {
    this.checkWritable();
    if (this.transaction !== null || this.bulkOpen) {
      throw new StateError(
        'SOMBRA_TRANSACTION_ACTIVE',
        `a ${this.bulkOpen ? 'bulk load' : 'write transaction'} is open on this connection: end it first`,
      );
    }
  }

  /** May the tenure end here? */
  isQuiet(): boolean {
    return (
      this.transaction === null &&
      !this.bulkOpen &&
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
    if (this.transaction !== null || this.bulkOpen) return false;
    this.group.settleNow();
    this.checkpoints.giveUp();
    if (this.syncsInFlight > 0 && !this.poisoned) {
      const wal = this.logs.current();
      if (wal !== null) this.sync(wal);
      this.sync(this.main);
    }
    return true;
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
    this.lastTime = Math.max(this.lastTime, this.shared.publishedTime, this.now());
    return this.lastTime;
  }

  /** The log, made ready for its first record if need be (rules O2, K6). */
  ensureLog(): Wal {
    const wal = this.logs.current();
    if (wal !== null && !(this.superblock.clean && this.options.enableWal)) return wal;
    return this.logs.start(this);
  }

  /** Appends the record that was built. A failed write leaves the log as it was; a failed sync within rotation poisons. */
  append(wal: Wal): { readonly seq: number; readonly offset: number } {
    const { builder } = this;
    if (wal.isFull(builder.length)) this.group.settleNow();
    const before = wal.tail.seq;
    try {
      const position = this.guardSync(() => wal.append(builder));
      this.stats.logBytes += builder.length;
      return position;
    } finally {
      // Also when there was no room for the record: the names have changed.
      if (wal.tail.seq !== before) this.publishSegmentOf(wal);
    }
  }

  /** When that fails, nobody knows of the segment that the log goes on in, nor of a record that stands in it. */
  private publishSegmentOf(wal: Wal): void {
    try {
      this.publishSegment(wal);
    } catch (error) {
      this.poison(error);
      throw commitInDoubt(this.tail.lsn + 1, error);
    }
  }

  /** K6: a new live segment is published before anything that lies in it. */
  private publishSegment(wal: Wal): void {
    const { shared } = this;
    const { seq } = wal.tail;
    shared.logSeq = seq;
    shared.logOffset = shared.synced = SEGMENT_HEADER_SIZE;
    shared.logChain = wal.startChain;
    shared.logInode = inodeNumber(wal.liveId());
    [shared.logSaltLow, shared.logSaltHigh] = saltWords(wal.liveSalt);
    try {
      this.writeShared();
    } catch (error) {
      this.poison(error); // the names have changed, and nobody knows
      throw error;
    }
    this.stats.rotations += 1;
    this.tell((hooks) => hooks.rotated?.(seq));
  }

  /**
   * Publishes everything up to a commit that was appended (rules C2, C4): only then it counts for anybody.
   * @param position  where its record ends
   * @throws TransactionError SOMBRA_COMMIT_UNKNOWN when the shm header cannot be written, or somebody poisoned the database
   */
  publish(catalogue: Catalogue, position: LogTail): void {
    const { shared, shm } = this;
    const wal = this.logs.current()!;
    if (this.poisoned || shm?.readPoisoned() === true) {
      this.poison(undefined);
      throw new TransactionError(
        'SOMBRA_COMMIT_UNKNOWN',
        `commit ${catalogue.lsn} was written, and a sync of another connection failed: open the database again to see whether the commit is there`,
        {
          details: { lsn: catalogue.lsn },
        },
      );
    }
    const { publishedLsn, publishedPages, publishedTime, logSeq, logOffset, logChain, synced } = shared;
    wal.publish(position.offset);
    shared.publishedLsn = catalogue.lsn;
    shared.publishedPages = catalogue.pageCount;
    shared.publishedTime = this.lastTime;
    shared.logSeq = position.seq;
    shared.logOffset = position.offset;
    shared.logChain = position.chain;
    shared.synced = wal.synced;
    try {
      this.writeShared();
    } catch (error) {
      Object.assign(shared, { publishedLsn, publishedPages, publishedTime, logSeq, logOffset, logChain, synced });
      this.poison(error);
      throw commitInDoubt(catalogue.lsn, error);
    }
    const before = this.published;
    this.published = catalogue;
    if (this.view.limit >= 0 || this.shm === null) {
      this.view.catalogue = catalogue;
      this.view.limit = catalogue.lsn;
    }
    if (this.viewMarked) {
      // C5: from here on the tenure keeps the view, and the mark of the old one would keep the log from shrinking.
      this.viewMarked = false;
      this.shrinkMarks();
    }
    if (this.snapshots.size === 0 && this.tail === catalogue && before !== catalogue) this.giveCatalogue(before);
  }

  /** A transaction was appended: the next one builds on it. */
  appended(tx: WriteTransaction): void {
    this.tail = tx.catalogue;
    this.endTransaction();
    this.stats.commits += 1;
    this.tell((hooks) => hooks.commit?.(tx.lsn, this.entries.count, this.builder.length));
  }

  /** A transaction ended without a change. */
  committedNothing(tx: WriteTransaction): void {
    if (this.transaction === tx) this.endTransaction();
    this.giveCatalogue(tx.catalogue);
  }

  rolledBack(tx: WriteTransaction): void {
    if (this.transaction === tx) {
      this.endTransaction();
      this.stats.rollbacks += 1;
    }
    try {
      this.tenure.settle(false);
    } catch (error) {
      this.tenure.tellFailed(error); // why the transaction was rolled back is what the caller has to hear
    }
  }

  /** E1: nothing is written any more until the database has been opened again. Everybody is told. */
  poison(cause: unknown): void {
    if (this.poisoned) return;
    this.poisoned = true;
    this.poisonCause = cause;
    this.group.fail(cause);
    try {
      this.shm?.setPoisoned(true);
    } catch (error) {
      // The held mark stays set instead: whoever follows believes nothing that only the page cache holds.
      const message = `a sync failed (${String(cause)}), and other connections could not be told: close them, and open the database again`;
      this.poisonCause = new PoisonedError('SOMBRA_LOCK_POISONED', message, { cause: error });
    }
    this.tell((hooks) => hooks.poisoned?.(this.poisonCause));
  }

  /** Calls a hook. What it throws becomes an uncaught exception of whoever gave it, and disturbs nothing here. */
  tell(call: (hooks: PagerHooks) => void): void {
    try {
      call(this.options.hooks);
    } catch (error) {
      this.vfs.env.defer(() => {
        throw error;
      });
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
    this.guardSync(() => file.sync('data'));
    this.stats.syncs += 1;
  }

  /** Runs something that syncs; a failed sync poisons. */
  guardSync<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (isSyncFailure(error)) this.poison(error);
      throw error;
    }
  }

  /** K1: the least commit that a view of anybody may read, at most `bound`; -1 when somebody is just writing his mark. */
  lowestMark(bound: number): number {
    let lowest = bound;
    for (const view of this.snapshots) lowest = Math.min(lowest, view.limit);
    if (this.viewMarked) lowest = Math.min(lowest, this.view.limit);
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
    for (let slot = 0; slot < LOCK_READ_SLOTS; slot += 1) {
      if (locks.holds(LOCK_READ + slot)) continue; // our own views have been looked at
      if (locks.tryLock(LOCK_READ + slot, 'exclusive')) locks.unlock(LOCK_READ + slot);
      else visit(shm.readMark(slot));
    }
  }

  /** Second descriptor of main, for asynchronous syncs: a failure that it is told of is told to the first one, too (C3). */
  mainAsync(): VfsFile {
    if (this.mainTwin !== undefined) return this.mainTwin;
    const twin = this.vfs.open(this.options.path, { write: true });
    const { dev, ino } = twin.stat();
    if (dev !== this.fileId.dev || ino !== this.fileId.ino) {
      twin.close();
      this.refuseMoved();
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
      this.tenure.tellFailed(error);
    }
  }

  /** Log bytes since the last checkpoint. */
  logBytes(): number {
    const { shared, log } = this;
    if (!log.has(shared.logSeq)) return 0;
    const end = log.distance({ seq: shared.logSeq, offset: shared.logOffset });
    return end - (log.has(shared.replaySeq) ? log.distance({ seq: shared.replaySeq, offset: shared.replayOffset }) : 0);
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
    this.vfs.syncDir(directoryOf(this.options.path));
    this.doubleWriteNamed = true;
  }

  /**
   * P4: main is the file under its name, and nobody else wrote its superblock. Leaves the newest slot in `superblock`.
   * @param died  the last holder of WRITE died, and may have left a newer slot
   * @returns the newest slot; after a write that was reported as failed perhaps the one after `superblock`
   * @throws StateError SOMBRA_DATABASE_MOVED; nothing is written any more
   */
  checkSameFile(died: boolean): Superblock {
    const { main, vfs, options, fileId } = this;
    const named = vfs.stat(options.path);
    const area = new Uint8Array(SUPERBLOCK_AREA_MIN);
    const read = preadFully(main, area, 0);
    const { newest } = readSuperblocks(area.subarray(0, read), options.path);
    const { sequence, checkpointLsn, checkpointPages } = this.shared;
    const same =
      newest.sequence === sequence && newest.checkpointLsn === checkpointLsn && newest.pageCount === checkpointPages;
    // One more: a slot whose write was reported as failed, or whose writer died.
    const next = (died || this.tenure.unsettled) && newest.sequence === sequence + 1;
    const ours =
      newest.salt === this.superblock.salt &&
      newest.databaseId.every((byte, at) => byte === this.superblock.databaseId[at]);
    if (named !== null && named.dev === fileId.dev && named.ino === fileId.ino && ours && (same || next)) {
      if (named.size < checkpointPages * newest.pageSize) this.refuseMoved();
      if (same || died) this.superblock = newest;
      return newest;
    }
    return this.refuseMoved();
  }

  /** P4: what was written from now on might be written to another file. Reads go on. */
  private refuseMoved(): never {
    const error = new StateError(
      'SOMBRA_DATABASE_MOVED',
      `${this.options.path} was replaced, moved or written by somebody else while it was open: close it, and open the right file again`,
    );
    this.poisoned = true;
    this.poisonCause = error;
    this.group.fail(error);
    throw error;
  }

  takeCatalogue(): Catalogue {
    return this.spareCatalogues.pop() ?? new Catalogue(treeSlots(this.cache.pageSize));
  }

  giveCatalogue(catalogue: Catalogue): void {
    if (this.spareCatalogues.length < 8) this.spareCatalogues.push(catalogue);
  }

  wrongRoots(): never {
    throw new CorruptionError(
      'SOMBRA_ROOTS',
      `page ${this.firstPage} is not the roots page any more: restore a backup`,
    );
  }
}
