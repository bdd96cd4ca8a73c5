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
 * With the log in memory the area holds all pages of the checkpoint before the first goes to main: nothing else could finish it.
 */
import { pwriteFully, StateError } from '@sombra/vfs';
import type { VfsFile } from '@sombra/vfs';
import type { LogTail } from '@sombra/wal';
import {
  doubleWritePath,
  encodeDoubleWrite,
  imagesOffset,
  readDoubleWrite,
  restoreFromDoubleWrite,
  rewriteDoubleWrite,
  writeRuns,
} from '../format/double-write.ts';
import type { DoubleWriteBatch } from '../format/double-write.ts';
import type { Engine } from '../connection/engine.ts';
import { isIoError } from '../base/failure.ts';
import { NO_FRAME } from '../pages/page-cache.ts';
import { sealPage } from '../format/page-header.ts';
import { saltBytes, saltWords } from '../format/salt.ts';
import { checkSameFile } from '../files/same-file.ts';
import { encodeSuperblock, slotOffset } from '../format/superblock.ts';
import type { Superblock } from '../format/superblock.ts';

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
  /** It completed an earlier checkpoint that had stopped: what was committed after that is for the next one. */
  continues = false;
  /** A reader kept it from going as far as it wanted to. */
  keptBack = false;

  private readonly engine: Engine;
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
  private readonly dataSync: Syncable;
  private readonly areaSync: Syncable;
  private area: VfsFile | undefined;
  private areaAsync: VfsFile | undefined;

  /** @param clean  true: the superblock slot says that the database was closed (rule L4) */
  constructor(engine: Engine, clean = false) {
    this.engine = engine;
    this.clean = clean;
    this.whole = !engine.options.enableWal;
    this.result = { lsn: engine.shared.checkpointLsn, pages: 0, newestLsn: engine.published.lsn };
    this.dataSync = { sync: () => engine.main.sync('data'), syncAsync: () => engine.mainAsync().syncAsync('data') };
    this.areaSync = {
      sync: () => {
        this.area!.sync('data');
        engine.nameDoubleWrite();
      },
      syncAsync: async () => {
        await (this.areaAsync ??= engine.openDoubleWrite()).syncAsync('data');
        engine.nameDoubleWrite();
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
    this.area?.close();
    this.areaAsync?.close();
    this.area = this.areaAsync = undefined;
  }

  /** How much of its work is done, 0 to 1. */
  get progress(): number {
    if (this.done) return 1;
    const half = this.stage === 'main' ? this.batch : 0;
    return this.pages.length === 0 ? 0 : (2 * this.next + half + this.written) / (2 * this.pages.length + 1);
  }

  private syncLog(): Syncable | undefined {
    const { engine } = this;
    const { shared } = engine;
    this.stage = 'plan';
    this.bound = engine.published.lsn;
    const wal = engine.logs.current();
    return wal === null || this.whole || shared.synced === shared.logOffset ? undefined : wal;
  }

  /** K1: views hold the bound down. */
  private plan(): Syncable | undefined {
    const { engine } = this;
    const { shared, index } = engine;
    const wal = engine.logs.current();
    if (wal !== null && !this.whole) shared.synced = wal.synced;
    shared.intendedBound = this.bound;
    engine.writeShared();
    this.bound = engine.lowestMark(this.bound);
    this.keptBack = this.bound < shared.intendedBound;
    if (this.bound < shared.bound) return this.finish();
    shared.bound = shared.intendedBound = this.bound;
    engine.writeShared();
    if (this.bound === shared.checkpointLsn) {
      if (this.clean && (!engine.superblock.clean || engine.tenure.unsettled)) this.stage = 'superblock';
      else return this.finish();
    }
    this.pages = index.pagesUpTo(this.bound);
    this.pageCount = this.bound === shared.checkpointLsn ? engine.superblock.pageCount : index.commitPages(this.bound);
    const newest = checkSameFile(engine, false);
    if (newest.sequence !== shared.sequence) return this.adopt(newest);
    if (this.stage === 'superblock') return undefined;
    if (this.pages.length > 0 || engine.vfs.stat(doubleWritePath(engine.options.path)) !== null)
      this.area = engine.openDoubleWrite();
    this.stage = this.pendingBatch() !== undefined ? 'redo' : this.pages.length > 0 ? 'images' : 'superblock';
    return undefined;
  }

  /**
   * P4: a slot of ours stands in the file although its write was reported as failed. It may be what a crash leaves, and would
   * void the next batch of images: it is written again, synced, and counts.
   */
  private adopt(slot: Superblock): Syncable {
    this.continues = true;
    this.bound = slot.checkpointLsn;
    this.pageCount = slot.pageCount;
    this.pages = this.pages.subarray(0, 0);
    this.slot = slot;
    pwriteFully(this.engine.main, encodeSuperblock(slot), slotOffset(slot.sequence));
    this.stage = 'publish';
    return this.dataSync;
  }

  /** K2: a batch of a checkpoint that stopped may be all that holds a page of main. Torn or not: again, and synced. */
  private redo(): Syncable | undefined {
    const batch = this.pendingBatch();
    this.stage = 'redo-main';
    if (batch === undefined) return undefined;
    rewriteDoubleWrite(this.area!, batch, this.engine.identity());
    return this.areaSync;
  }

  private redoMain(): Syncable {
    const batch = this.pendingBatch();
    if (batch !== undefined) {
      this.extendMain(batch.pageCount);
      restoreFromDoubleWrite(this.area!, batch, this.engine.cache.pageSize, this.engine.main);
    }
    if (batch?.whole === true) {
      // No log leads from the old checkpoint to these pages: it has to be completed before the area is used again.
      this.continues = true;
      this.bound = batch.bound;
      this.pageCount = batch.pageCount;
      this.pages = this.pages.subarray(0, 0);
    }
    this.stage = this.pages.length > 0 ? 'images' : 'superblock';
    return this.dataSync;
  }

  private pendingBatch(): DoubleWriteBatch | undefined {
    if (this.area === undefined) return undefined;
    return readDoubleWrite(this.area, this.engine.identity(), this.engine.shared.sequence);
  }

  /** K2: images of the next batch, or of all pages, some at a time; then the header, which makes them count. */
  private writeImages(): Syncable | undefined {
    const { engine, pages } = this;
    const { pageSize } = engine.cache;
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
    const header: DoubleWriteBatch = {
      sequence: engine.shared.sequence,
      bound: this.bound,
      pageCount: this.pageCount,
      whole: this.whole,
      pages: batchPages,
      checksums: this.checksums,
    };
    pwriteFully(this.area!, encodeDoubleWrite(header, engine.identity()), 0);
    this.written = 0;
    this.stage = 'main';
    return this.areaSync;
  }

  private writeMain(): Syncable | undefined {
    const { engine, pages } = this;
    const { pageSize } = engine.cache;
    if (this.next === 0 && this.written === 0) this.extendMain(this.pageCount);
    const batchPages = pages.subarray(this.next, this.next + this.batch);
    const images = Math.min(STEP_PAGES, this.batch - this.written);
    const bytes = this.stepBytes(images);
    if (this.whole) this.build(batchPages, this.written, images, bytes); // more than memory holds at once: again
    writeRuns(engine.main, bytes, batchPages, this.written, images, pageSize);
    this.written += images;
    if (this.written < this.batch) return undefined;
    this.written = 0;
    this.next += this.batch;
    engine.stats.pagesWritten += this.batch;
    this.stage = this.next < pages.length ? 'images' : 'superblock';
    return this.dataSync;
  }

  private extendMain(pageCount: number): void {
    const { main, cache } = this.engine;
    const size = pageCount * cache.pageSize;
    if (main.stat().size < size) main.truncate(size);
  }

  /** Where the images of this step are in memory. */
  private stepBytes(images: number): Uint8Array {
    const { pageSize } = this.engine.cache;
    const from = this.whole ? 0 : this.written * pageSize;
    return this.buffer.subarray(from, from + images * pageSize);
  }

  /** Brings the versions at the bound of some pages, ready for main, into `bytes`. */
  private build(pages: Uint32Array, first: number, images: number, bytes: Uint8Array): void {
    const { engine } = this;
    const { cache } = engine;
    const { pageSize } = cache;
    for (let i = 0; i < images; i += 1) {
      const pageNumber = pages[first + i]!;
      const at = i * pageSize;
      const frame = cache.find(pageNumber, this.bound);
      if (frame === NO_FRAME) engine.reader.read(pageNumber, this.bound, bytes, at);
      else bytes.set(cache.bytes.subarray(frame << cache.shift, (frame + 1) << cache.shift), at);
      this.checksums[first + i] = sealPage(bytes, at, pageSize, pageNumber, engine.superblock.salt);
    }
  }

  /** K3: the slot never names a page or a length that is not durable. */
  private writeSuperblock(): Syncable {
    const { engine } = this;
    const before = engine.superblock;
    this.slot = {
      ...before,
      ...this.replay(),
      sequence: engine.shared.sequence + 1,
      checkpointLsn: this.bound,
      pageCount: this.pageCount,
      clean: (this.clean && this.bound === engine.published.lsn) || this.whole,
      time: engine.vfs.env.wallTimeMs(),
    };
    engine.tenure.unsettled = true; // until the slot is durable, whoever follows has to look at it
    pwriteFully(engine.main, encodeSuperblock(this.slot), slotOffset(this.slot.sequence));
    this.stage = 'publish';
    return this.dataSync;
  }

  /** Where replay begins after commit `bound`. With the log in memory: where it was, for there is no log file. */
  private replay(): Pick<Superblock, 'replaySeq' | 'replayOffset' | 'chain' | 'logSalt'> {
    const { engine } = this;
    if (engine.logs.current() === null || this.whole) return engine.superblock;
    const { seq, offset, chain } = this.boundPosition();
    const { shared } = engine;
    // Without a commit since the checkpoint, this connection may never have looked at the segment.
    const known = this.bound === shared.checkpointLsn;
    const logSalt = known ? saltBytes(shared.replaySaltLow, shared.replaySaltHigh) : engine.log.get(seq).salt;
    return { replaySeq: seq, replayOffset: offset, chain, logSalt };
  }

  private boundPosition(): LogTail {
    const { index, shared } = this.engine;
    if (this.bound === shared.checkpointLsn)
      return { seq: shared.replaySeq, offset: shared.replayOffset, chain: shared.replayChain };
    return index.commitEnd(this.bound);
  }

  private publish(): void {
    const { engine } = this;
    const { shared } = engine;
    const { seq, offset, chain } = this.boundPosition();
    engine.superblock = this.slot!;
    shared.sequence = this.slot!.sequence;
    shared.clean = this.slot!.clean ? 1 : 0;
    shared.checkpointLsn = this.bound;
    shared.checkpointPages = this.pageCount;
    shared.replaySeq = seq;
    shared.replayOffset = offset;
    shared.replayChain = chain;
    if (engine.log.has(seq)) [shared.replaySaltLow, shared.replaySaltHigh] = saltWords(engine.log.get(seq).salt);
    engine.writeShared(); // the new sequence voids the double-write area
    engine.tenure.unsettled = false;
    engine.index.dropUpTo(this.bound);
    engine.indexFloor = seq;
    engine.stats.checkpoints += 1;
    this.finish();
    try {
      engine.logs.current()?.release(engine.lowestFloor(seq));
    } catch (error) {
      if (!isIoError(error)) throw error;
      engine.health.warn({
        code: 'SOMBRA_SEGMENT_KEPT',
        message:
          'a log segment that is no longer needed could not be removed or reused; the next checkpoint tries again',
        cause: error,
      });
    }
  }

  private finish(): undefined {
    this.result = {
      lsn: this.engine.shared.checkpointLsn,
      pages: this.pages.length,
      newestLsn: this.engine.published.lsn,
    };
    this.stage = 'done';
    this.done = true;
    return undefined;
  }
}

function runOne(engine: Engine, clean: boolean): Checkpoint {
  const checkpoint = new Checkpoint(engine, clean);
  try {
    while (!checkpoint.done) {
      const wanted = checkpoint.step();
      if (wanted !== undefined) engine.sync(wanted);
    }
  } finally {
    checkpoint.close();
  }
  return checkpoint;
}

/**
 * Runs a checkpoint to its end, syncing synchronously. A failed sync poisons the database (rule E1).
 * @param clean  true when the database is being closed
 */
export function runCheckpoint(engine: Engine, clean = false): CheckpointResult {
  if (engine.bulk !== null)
    throw new StateError('SOMBRA_TRANSACTION_ACTIVE', 'a bulk load is open on this connection: end it first');
  const started = engine.now();
  let checkpoint = runOne(engine, clean);
  if (checkpoint.continues) checkpoint = runOne(engine, clean);
  const elapsed = engine.now() - started;
  engine.stats.checkpointMs += elapsed;
  const { result } = checkpoint;
  engine.health.callHook((hooks) => hooks.checkpoint?.(result.lsn, result.pages, elapsed));
  return result;
}
