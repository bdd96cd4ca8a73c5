/**
 * Checkpoint (rules K1 to K3): brings the commits up to a bound into main. A step machine: `step` does one piece of work
 * and returns what has to be synced before the next, so that a driver may sync synchronously (`runCheckpoint`) or not.
 * Steps, and what a crash after each leaves:
 *
 *  1. sync the log                        commits up to the bound are durable
 *  2. plan: bound, pages                  -
 *  3. finish an unfinished batch          main repaired from the double-write area, again
 *     per batch of pages:
 *  4.   images to the double-write area, sync    a torn area is void, and main untouched
 *       (the first time its name, too)
 *  5.   pages to main, sync               main may be torn: recovery writes the area's pages again
 *  6. superblock slot, sync               the old slot, or the new one
 *  7. publish; drop index entries; release segments        segments too many: released by the next checkpoint
 *
 * One checkpoint takes some thousand pages at most: the commits up to where that many have changed, and at least one commit. What is
 * beyond is for the next one, which may follow at once. So planning is short, little is lost when one is given up half done, and a
 * connection that another one waits for can finish it instead.
 *
 * With the log in memory the area holds all pages of the checkpoint before the first goes to main: nothing else could finish it.
 */
import { assert, pwriteFully, verifying } from '@sombra/vfs';
import type { VfsEnv, VfsFile } from '@sombra/vfs';
import type { LogTail } from '@sombra/wal';
import { isIoError } from '../base/failure.ts';
import type { Health } from '../base/health.ts';
import { runAll } from '../base/run-all.ts';
import type { Measures } from '../base/stats.ts';
import type { Syncs } from '../base/syncs.ts';
import {
  encodeDoubleWrite,
  imagesOffset,
  readDoubleWrite,
  restoreFromDoubleWrite,
  rewriteDoubleWrite,
  writeRuns,
} from '../format/double-write.ts';
import type { DoubleWriteBatch } from '../format/double-write.ts';
import { sealPage } from '../format/page-header.ts';
import { saltBytes } from '../format/salt.ts';
import type { Superblock } from '../format/superblock.ts';
import type { DoubleWriteArea } from '../files/double-write-area.ts';
import type { FollowedLog } from '../files/followed-log.ts';
import { isHistoryLost } from '../files/log-writer.ts';
import type { LogWriter } from '../files/log-writer.ts';
import type { MainFile } from '../files/main-file.ts';
import { NO_FRAME } from '../pages/page-cache.ts';
import type { PageCache } from '../pages/page-cache.ts';
import type { PageIndex } from '../pages/page-index.ts';
import type { VersionReader } from '../pages/version-reader.ts';
import type { Commits } from '../reading/commits.ts';
import type { Header } from '../sharing/header.ts';

/** Most pages of one checkpoint, except for a commit that changed more. */
export const CHECKPOINT_PAGES = 4096;
/** Most pages of one batch, and most bytes: the batch is in memory once. */
const BATCH_PAGES = 1024;
const BATCH_BYTES = 8 * 1024 * 1024;
/** Pages that one step builds or writes: well below 2 ms. */
const STEP_PAGES = 32;

/** What a checkpoint did. */
export interface CheckpointResult {
  /** Commit up to which main holds everything now. */
  readonly lsn: number;
  /** Pages written to main. */
  readonly pages: number;
  /** Newest commit: greater than `lsn` when a snapshot kept the checkpoint behind. */
  readonly newestLsn: number;
}

/** What a checkpoint reads and writes. */
export interface CheckpointParts {
  readonly main: MainFile;
  readonly area: DoubleWriteArea;
  readonly header: Header;
  readonly log: { readonly writer: LogWriter; readonly followed: FollowedLog };
  readonly pages: { readonly index: PageIndex; readonly cache: PageCache; readonly reader: VersionReader };
  readonly commits: Commits;
  /** K1: the least commit that any view may read, at most `bound`; below 0 while that is unknown. */
  readonly horizon: (bound: number) => number;
  /** K3: the least segment that replay, which begins in segment `seq`, or any reader needs. */
  readonly floor: (seq: number) => number;
  readonly health: Health;
  readonly syncs: Syncs;
  readonly stats: Measures;
  readonly env: VfsEnv;
  /** false: the log is in memory. */
  readonly enableWal: boolean;
}

/** Something to sync before the next step. */
export interface Syncable {
  sync(): void;
  syncAsync(): Promise<void>;
}

type Stage = 'log' | 'plan' | 'redo' | 'redo-main' | 'images' | 'main' | 'superblock' | 'publish' | 'done';

/** One checkpoint in progress. Give it up at any step: its successor begins at step 1. */
export class Checkpoint {
  /** False as long as there are steps to take. */
  done = false;
  result: CheckpointResult;
  /** A reader held it back. */
  keptBack = false;
  /** It left commits that may be brought to main now to the next one. */
  leavesMore = false;

  private readonly parts: CheckpointParts;
  private readonly whole: boolean;
  private readonly clean: boolean;
  private stage: Stage = 'log';
  private bound = 0;
  private pages: Uint32Array = new Uint32Array(0);
  private pageCount = 0;
  /** Pages of batches before this one; pages of this batch; how many of them this stage has dealt with. */
  private next = 0;
  private batch = 0;
  private written = 0;
  private buffer: Uint8Array = new Uint8Array(0);
  private checksums = new Uint32Array(0);
  private slot: Superblock | undefined;
  private readonly mainSync: Syncable;
  private readonly areaSync: Syncable;
  private area: VfsFile | undefined;
  private areaTwin: VfsFile | undefined;

  /** @param clean  true: the superblock slot says that the database was closed (rule L4) */
  constructor(parts: CheckpointParts, clean = false) {
    const { main, area, header, commits } = parts;
    this.parts = parts;
    this.clean = clean;
    this.whole = !parts.enableWal;
    this.result = { lsn: header.state.checkpointLsn, pages: 0, newestLsn: commits.published.lsn };
    this.mainSync = { sync: () => main.file.sync('data'), syncAsync: () => main.syncAsync() };
    this.areaSync = {
      sync: () => {
        this.area!.sync('data');
        area.makeNameDurable(this.area!);
      },
      syncAsync: async () => {
        await (this.areaTwin ??= area.open()).syncAsync('data');
        area.makeNameDurable(this.areaTwin);
      },
    };
  }

  /**
   * Takes the next step.
   * @returns what must be synced before the next call, or undefined
   * @throws whatever the step's reads and writes throw; the checkpoint is then over, and the log has lost nothing
   */
  step(): Syncable | undefined {
    switch (this.stage) {
      case 'log':
        return this.syncLog();
      case 'plan':
        return this.plan();
      case 'redo':
        return this.redo();
      case 'redo-main':
        return this.redoMain();
      case 'images':
        return this.writeImages();
      case 'main':
        return this.writeMain();
      case 'superblock':
        return this.writeSuperblock();
      case 'publish':
        this.publish();
        return undefined;
      case 'done':
        return undefined;
    }
  }

  /** Closes the double-write file. Call when done or given up. */
  close(): void {
    const { area, areaTwin } = this;
    this.area = this.areaTwin = undefined;
    runAll([() => area?.close(), () => areaTwin?.close()]);
  }

  /** How much of its work is done, 0 to 1. */
  get progress(): number {
    if (this.done) return 1;
    const half = this.stage === 'main' ? this.batch : 0;
    return this.pages.length === 0 ? 0 : (2 * this.next + half + this.written) / (2 * this.pages.length + 1);
  }

  // ---- step 1

  private syncLog(): Syncable | undefined {
    const { header, log, commits } = this.parts;
    this.stage = 'plan';
    this.bound = commits.published.lsn;
    const wal = log.writer.current();
    return wal === null || this.whole || header.state.synced === header.state.logOffset ? undefined : wal;
  }

  // ---- step 2

  private plan(): Syncable | undefined {
    const { header, pages, main, area } = this.parts;
    const { state } = header;
    if (!this.chooseBound()) return this.finish();
    if (this.bound === state.checkpointLsn) {
      if (this.clean && (!main.superblock.clean || header.isUnsettled)) this.stage = 'superblock';
      else return this.finish();
    }
    this.pages = pages.index.pagesUpTo(this.bound);
    this.pageCount =
      this.bound === state.checkpointLsn ? main.superblock.pageCount : pages.index.commitPages(this.bound);
    const newest = main.check(false);
    if (newest.sequence !== state.sequence) return this.adopt(newest);
    if (this.stage === 'superblock') return undefined;
    if (this.pages.length > 0 || area.exists()) this.area = area.open();
    this.stage = this.pendingBatch() !== undefined ? 'redo' : this.pages.length > 0 ? 'images' : 'superblock';
    return undefined;
  }

  /**
   * K1: views hold the bound down. It never goes back below the one in use, which an unfinished checkpoint may have written pages for.
   * @returns false when a reader is just changing its mark, so that nothing can be done now
   */
  private chooseBound(): boolean {
    const { header, pages, log, horizon } = this.parts;
    const { state } = header;
    header.intendBound(this.bound, log.writer.synced);
    let allowed = -1;
    try {
      allowed = horizon(this.bound);
    } finally {
      if (allowed < state.bound) header.withdrawBound();
    }
    this.keptBack = allowed < this.bound;
    if (allowed < state.bound) return false;
    const few = pages.index.lsnOfPages(CHECKPOINT_PAGES, allowed);
    this.bound = Math.max(few, state.bound);
    this.leavesMore = this.bound < allowed;
    header.useBound(this.bound);
    return true;
  }

  /**
   * P4: a slot of ours stands in the file although its write was reported as failed. It may be what a crash leaves, and would
   * void the next batch of images: it is written again, synced, and counts.
   */
  private adopt(slot: Superblock): Syncable {
    this.completeOther(slot.checkpointLsn, slot.pageCount);
    this.slot = slot;
    this.parts.main.writeSlot(slot);
    this.stage = 'publish';
    return this.mainSync;
  }

  /** This checkpoint completes one that had stopped: what was committed after that is for the next one. */
  private completeOther(bound: number, pageCount: number): void {
    this.leavesMore = true;
    this.bound = bound;
    this.pageCount = pageCount;
    this.pages = this.pages.subarray(0, 0);
  }

  // ---- step 3

  /** K2: a batch of a checkpoint that stopped may be all that holds a page of main. Torn or not: again, and synced. */
  private redo(): Syncable | undefined {
    const batch = this.pendingBatch();
    this.stage = 'redo-main';
    if (batch === undefined) return undefined;
    rewriteDoubleWrite(this.area!, batch, this.parts.main.identity);
    return this.areaSync;
  }

  private redoMain(): Syncable {
    const { main, pages } = this.parts;
    const batch = this.pendingBatch();
    if (batch !== undefined) {
      main.extend(batch.pageCount);
      restoreFromDoubleWrite(this.area!, batch, pages.cache.pageSize, main.file);
    }
    // No log leads from the old checkpoint to these pages: it has to be completed before the area is used again.
    if (batch?.whole === true) this.completeOther(batch.bound, batch.pageCount);
    this.stage = this.pages.length > 0 ? 'images' : 'superblock';
    return this.mainSync;
  }

  private pendingBatch(): DoubleWriteBatch | undefined {
    if (this.area === undefined) return undefined;
    const { main, header } = this.parts;
    return readDoubleWrite(this.area, main.identity, header.state.sequence);
  }

  // ---- steps 4 and 5

  /** K2: images of the next batch, or of all pages, some at a time; then the header, which makes them valid. */
  private writeImages(): Syncable | undefined {
    const { pages } = this;
    const { main, header } = this.parts;
    const { pageSize } = this.parts.pages.cache;
    if (this.written === 0) {
      const perBatch = Math.max(1, Math.min(BATCH_PAGES, Math.floor(BATCH_BYTES / pageSize)));
      this.batch = this.whole ? pages.length : Math.min(perBatch, pages.length - this.next);
      this.checksums = new Uint32Array(this.batch);
      const held = this.whole ? Math.min(STEP_PAGES, this.batch) : this.batch;
      if (this.buffer.length < held * pageSize) this.buffer = new Uint8Array(held * pageSize);
    }
    const batchPages = pages.subarray(this.next, this.next + this.batch);
    const images = Math.min(STEP_PAGES, this.batch - this.written);
    const bytes = this.stepBytes(images);
    this.build(batchPages, this.written, images, bytes);
    pwriteFully(this.area!, bytes, imagesOffset(this.batch) + this.written * pageSize);
    this.written += images;
    if (this.written < this.batch) return undefined;
    const batch: DoubleWriteBatch = {
      sequence: header.state.sequence,
      bound: this.bound,
      pageCount: this.pageCount,
      whole: this.whole,
      pages: batchPages,
      checksums: this.checksums,
    };
    pwriteFully(this.area!, encodeDoubleWrite(batch, main.identity), 0);
    this.written = 0;
    this.stage = 'main';
    return this.areaSync;
  }

  private writeMain(): Syncable | undefined {
    const { pages } = this;
    const { main, stats } = this.parts;
    const { pageSize } = this.parts.pages.cache;
    if (this.next === 0 && this.written === 0) main.extend(this.pageCount);
    const batchPages = pages.subarray(this.next, this.next + this.batch);
    const images = Math.min(STEP_PAGES, this.batch - this.written);
    const bytes = this.stepBytes(images);
    if (this.whole) this.build(batchPages, this.written, images, bytes); // more than memory holds at once: again
    writeRuns(main.file, bytes, batchPages, this.written, images, pageSize);
    this.written += images;
    if (this.written < this.batch) return undefined;
    this.written = 0;
    this.next += this.batch;
    stats.pagesWritten += this.batch;
    this.stage = this.next < pages.length ? 'images' : 'superblock';
    return this.mainSync;
  }

  /** Where the images of this step are in memory. */
  private stepBytes(images: number): Uint8Array {
    const { pageSize } = this.parts.pages.cache;
    const from = this.whole ? 0 : this.written * pageSize;
    return this.buffer.subarray(from, from + images * pageSize);
  }

  /** Brings the versions at the bound of some pages, ready for main, into `bytes`. */
  private build(pageNumbers: Uint32Array, first: number, images: number, bytes: Uint8Array): void {
    const { cache, reader } = this.parts.pages;
    const { pageSize } = cache;
    const { salt } = this.parts.main.superblock;
    for (let i = 0; i < images; i += 1) {
      const pageNumber = pageNumbers[first + i]!;
      const at = i * pageSize;
      const frame = cache.find(pageNumber, this.bound);
      if (frame === NO_FRAME) reader.read(pageNumber, this.bound, bytes, at);
      else bytes.set(cache.bytes.subarray(frame << cache.shift, (frame + 1) << cache.shift), at);
      this.checksums[first + i] = sealPage(bytes, at, pageSize, pageNumber, salt);
    }
  }

  // ---- step 6

  /** K3: the slot never names a page or a length that is not durable. */
  private writeSuperblock(): Syncable {
    const { main, header, commits, env } = this.parts;
    assert(this.next === this.pages.length, 'every page of the checkpoint is in main before the slot');
    this.slot = {
      ...main.superblock,
      ...this.replay(),
      sequence: header.state.sequence + 1,
      checkpointLsn: this.bound,
      pageCount: this.pageCount,
      // The log is missing, and closing makes the file look whole (rule P6).
      forked: main.superblock.forked || (header.state.logInode === 0 && isHistoryLost(main.superblock)),
      clean: (this.clean && this.bound === commits.published.lsn) || this.whole,
      time: env.wallTimeMs(),
    };
    header.leaveUnsettled(); // until the slot is durable and published, the next holder of WRITE has to look at it
    main.writeSlot(this.slot);
    this.stage = 'publish';
    return this.mainSync;
  }

  /** Where replay begins after commit `bound`. With the log in memory: where it was, for there is no log file. */
  private replay(): Pick<Superblock, 'replaySeq' | 'replayOffset' | 'chain' | 'logSalt'> {
    const { main, header, log } = this.parts;
    if (log.writer.current() === null || this.whole) return main.superblock;
    const { seq, offset, chain } = this.boundPosition();
    const { state } = header;
    // Without a commit since the checkpoint, this connection may never have looked at the segment.
    const known = this.bound === state.checkpointLsn;
    const logSalt = known ? saltBytes(state.replaySaltLow, state.replaySaltHigh) : log.followed.segments.get(seq).salt;
    return { replaySeq: seq, replayOffset: offset, chain, logSalt };
  }

  private boundPosition(): LogTail {
    const { header, pages } = this.parts;
    const { checkpointLsn, replaySeq, replayOffset, replayChain } = header.state;
    if (this.bound === checkpointLsn) return { seq: replaySeq, offset: replayOffset, chain: replayChain };
    return pages.index.commitEnd(this.bound);
  }

  // ---- step 7

  private publish(): void {
    const { header, main, log, stats, floor, health } = this.parts;
    const slot = this.slot!;
    const replay = this.boundPosition();
    const { segments } = log.followed;
    header.checkpointed(slot, replay, segments.has(replay.seq) ? segments.get(replay.seq).salt : undefined);
    main.adopt(slot);
    assert(
      main.superblock.sequence === header.state.sequence && main.superblock.checkpointLsn === this.bound,
      'superblock and header name the same checkpoint',
    );
    log.followed.forgetUpTo(this.bound, replay.seq);
    stats.checkpoints += 1;
    this.finish();
    try {
      const wal = log.writer.current();
      wal?.release(floor(replay.seq));
      wal?.syncGivenUp();
    } catch (error) {
      if (!isIoError(error)) throw error;
      health.warn({
        code: 'SOMBRA_SEGMENT_KEPT',
        message:
          'a log segment that is no longer needed could not be removed or reused; the next checkpoint tries again',
        cause: error,
      });
    }
  }

  private finish(): undefined {
    const { header, commits, pages } = this.parts;
    if (verifying) pages.index.check();
    this.result = {
      lsn: header.state.checkpointLsn,
      pages: this.pages.length,
      newestLsn: commits.published.lsn,
    };
    this.stage = 'done';
    this.done = true;
    return undefined;
  }
}

/**
 * Runs checkpoints until main has everything that views allow, syncing synchronously. A failed sync poisons the database (rule E1).
 * @param clean  true when the database is being closed
 */
export function runCheckpoint(parts: CheckpointParts, clean = false): CheckpointResult {
  const started = parts.env.monotonicMs();
  let pages = 0;
  let checkpoint: Checkpoint;
  do {
    checkpoint = new Checkpoint(parts, clean);
    runToEnd(checkpoint, parts);
    pages += checkpoint.result.pages;
  } while (checkpoint.leavesMore);
  const elapsed = parts.env.monotonicMs() - started;
  parts.stats.checkpointMs += elapsed;
  parts.stats.latencies.checkpoint.record(elapsed);
  const result = { ...checkpoint.result, pages };
  parts.health.callHook((hooks) => hooks.checkpoint?.(result.lsn, result.pages, elapsed));
  return result;
}

function runToEnd(checkpoint: Checkpoint, parts: CheckpointParts): void {
  try {
    while (!checkpoint.done) {
      const wanted = checkpoint.step();
      if (wanted !== undefined) parts.syncs.sync(wanted);
    }
  } finally {
    checkpoint.close();
  }
}
