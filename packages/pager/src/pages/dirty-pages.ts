import { InvariantError, TransactionError } from '@sombra/vfs';
import type { PageCache } from './page-cache.ts';
import { NO_FRAME } from './page-cache.ts';
import type { OpMark } from './op-log.ts';
import { OpLog } from './op-log.ts';
import { PageList } from './page-list.ts';
import { KIND_OFFSET, stampHeader, stampLsn } from '../format/page-header.ts';

/** The page is logged as the operations that were made on it. */
export const MODE_DELTA = 0;
/** The page is logged whole: it is new, or so much changed that an image is smaller. Operations are not kept. */
export const MODE_IMAGE = 1;
/** The page was changed, or allocated, and then freed in this transaction: nothing is logged, what a free page holds does not matter. */
export const MODE_FREED = 2;

/** State of a dirty page when a savepoint's part of the transaction first touched it. */
interface SavedPage {
  d: number;
  level: number;
  mode: number;
  baseLsn: number;
  readonly bytes: Uint8Array;
  readonly ops: OpMark;
}

/**
 * The pages that the running write transaction changed, and how to take changes back.
 *
 * Invariants:
 * 1. Each has a dirty frame, first in the chain of its page, stamped with the lsn of the commit to come.
 * 2. `level[d]` is the savepoint depth whose part of the transaction touched the page last. Before a deeper part changes
 *    it, its bytes and the end of its list of operations are saved; before the first change at all, nothing needs to be:
 *    the committed version is the saved state. When its frame was taken over, main and log have it (rule R1).
 * 3. Pages and saved states together are at most `limit`: this bounds the memory of a transaction (rule C6).
 */
export class DirtyPages {
  /** Pages changed. Arrays below are addressed by 0 .. count - 1. */
  count = 0;
  page = new Uint32Array(64);
  frame = new Int32Array(64);
  /** Lsn of the committed version that was there; -1 for a page without one. */
  baseLsn = new Float64Array(64);
  mode = new Uint8Array(64);
  level = new Int32Array(64);
  /** Savepoint depth now; 0 outside savepoints. */
  depth = 0;
  readonly log = new OpLog();
  /** Pages that were freed without becoming dirty. */
  readonly untouched = new PageList();

  private readonly cache: PageCache;
  private readonly limit: number;
  /** Above this many bytes of operations a page is logged as an image. */
  private readonly imageBytes: number;
  private lsn = 0;
  private readonly saved: SavedPage[] = [];
  private readonly pool: SavedPage[] = [];

  constructor(cache: PageCache, limit: number) {
    this.cache = cache;
    this.limit = limit;
    this.imageBytes = cache.pageSize >>> 1;
  }

  /** Starts over for a transaction that will be commit `lsn`. */
  begin(lsn: number): void {
    this.lsn = lsn;
    this.count = 0;
    this.depth = 0;
    this.log.reset();
    this.untouched.rewind(0);
    this.forgetSaved(0);
  }

  /** Pages that may still be added, or saved for a savepoint. */
  get left(): number {
    return this.limit - this.count - this.saved.length;
  }

  /** Index of a page that this transaction changed already, -1 otherwise. */
  indexOf(pageNumber: number): number {
    const { table, frameDirty } = this.cache;
    const frame = pageNumber < table.length ? table[pageNumber]! : NO_FRAME;
    return frame >= 0 ? frameDirty[frame]! : -1;
  }

  /**
   * Makes the committed version of a page writable: its frame is taken over when it has no known reader, else it is copied.
   * @param base  where that version is in the cache
   * @returns index of the page
   * @throws TransactionError SOMBRA_TRANSACTION_PAGES; StateError SOMBRA_CACHE_FULL
   */
  addCommitted(pageNumber: number, base: number): number {
    const { cache } = this;
    const frame = base >>> cache.shift;
    if (!cache.isUnread(frame)) return this.addCopy(pageNumber, base);
    this.checkLimit();
    const d = this.note(pageNumber, frame, this.baseOf(frame), this.modeOf(frame));
    cache.takeOver(frame, this.lsn, d);
    stampLsn(cache.bytes, base, this.lsn);
    return d;
  }

  private addCopy(pageNumber: number, base: number): number {
    const { cache } = this;
    cache.pin(base); // the copy's frame must not be this one
    let frame: number;
    try {
      this.checkLimit();
      frame = cache.allocate();
    } finally {
      cache.unpin(base);
    }
    const old = base >>> cache.shift;
    const copy = frame << cache.shift;
    cache.bytes.copyWithin(copy, base, base + cache.pageSize);
    stampHeader(cache.bytes, copy, pageNumber, this.lsn);
    return this.add(pageNumber, frame, this.baseOf(old), this.modeOf(old));
  }

  /** Lsn of the committed version in a frame; -1 when a bulk load wrote the page for this very commit, which no delta can follow. */
  private baseOf(frame: number): number {
    const lsn = this.cache.frameLsn[frame]!;
    return lsn < this.lsn ? lsn : -1;
  }

  private modeOf(frame: number): number {
    return this.cache.frameHeavy[frame] === 1 || this.baseOf(frame) < 0 ? MODE_IMAGE : MODE_DELTA;
  }

  /**
   * A page whose old content does not matter, all zero but for page number and lsn. Logged as an image.
   * @returns index of the page
   * @throws TransactionError SOMBRA_TRANSACTION_PAGES; StateError SOMBRA_CACHE_FULL
   */
  addFresh(pageNumber: number): number {
    const { cache } = this;
    let d = this.indexOf(pageNumber);
    if (d >= 0) {
      this.touch(d);
      this.mode[d] = MODE_IMAGE;
    } else {
      this.checkLimit();
      d = this.add(pageNumber, cache.allocate(), -1, MODE_IMAGE);
    }
    const base = this.frame[d]! << cache.shift;
    cache.bytes.fill(0, base, base + cache.pageSize);
    stampHeader(cache.bytes, base, pageNumber, this.lsn);
    return d;
  }

  private add(pageNumber: number, frame: number, baseLsn: number, mode: number): number {
    const d = this.note(pageNumber, frame, baseLsn, mode);
    this.cache.insertDirty(frame, pageNumber, this.lsn, d);
    return d;
  }

  private note(pageNumber: number, frame: number, baseLsn: number, mode: number): number {
    const d = this.count;
    if (d === this.page.length) this.grow();
    this.page[d] = pageNumber;
    this.frame[d] = frame;
    this.baseLsn[d] = baseLsn;
    this.mode[d] = mode;
    this.level[d] = this.depth;
    this.log.begin(d);
    this.count = d + 1;
    return d;
  }

  /** Call before page `d` changes: saves it if a deeper savepoint than before is open. */
  touch(d: number): void {
    if (this.level[d] !== this.depth) this.save(d);
  }

  /** Notes a write of bytes [offset, offset + length) that has just been made to page `d` at `base`. */
  noteSet(d: number, base: number, offset: number, length: number): void {
    if (this.mode[d] !== MODE_DELTA) return;
    if (length > this.imageBytes) {
      this.mode[d] = MODE_IMAGE;
      return;
    }
    this.log.set(d, this.cache.bytes, base, offset, length);
    if (this.log.byteLength(d) > this.imageBytes) this.mode[d] = MODE_IMAGE;
  }

  /** Notes a move that has just been made within page `d`. */
  noteMove(d: number, to: number, from: number, length: number): void {
    if (this.mode[d] === MODE_DELTA) this.log.move(d, to, from, length);
  }

  /** Notes a fill that has just been made in page `d`. */
  noteFill(d: number, offset: number, length: number, value: number): void {
    if (this.mode[d] === MODE_DELTA) this.log.fill(d, offset, length, value);
  }

  /**
   * Page `d` was freed: it becomes all zero, kind 0, so that no code that remembers the page takes it for what it was.
   * @param existed  the page lies within the file of the commit before
   */
  wipe(d: number, existed: boolean): void {
    this.discard(d, existed);
    if (this.baseLsn[d]! < 0) return; // no commit had it
    this.mode[d] = MODE_DELTA;
    const length = this.cache.pageSize - KIND_OFFSET;
    if (this.log.isOneFill(d, KIND_OFFSET, length, 0)) return; // freed before, and allocated again in between
    this.log.begin(d);
    this.log.fill(d, KIND_OFFSET, length, 0);
  }

  /** As `wipe`, for a page that only this transaction could take for what it was: it is logged only if the file ends before it. */
  discard(d: number, existed: boolean): void {
    this.touch(d);
    const { cache } = this;
    const base = this.frame[d]! << cache.shift;
    cache.bytes.fill(0, base + KIND_OFFSET, base + cache.pageSize);
    this.mode[d] = existed ? MODE_FREED : MODE_IMAGE;
  }

  /** How many saved states there are: what a savepoint remembers, to come back to it. */
  get savedCount(): number {
    return this.saved.length;
  }

  /** Takes pages back to how they were when `count` pages were dirty and `savedCount` states saved. */
  rewind(count: number, savedCount: number): void {
    const { cache } = this;
    for (let at = this.saved.length - 1; at >= savedCount; at -= 1) {
      const saved = this.saved[at]!;
      const { d } = saved;
      cache.bytes.set(saved.bytes, this.frame[d]! << cache.shift);
      this.log.rewind(d, saved.ops);
      this.level[d] = saved.level;
      this.mode[d] = saved.mode;
      this.baseLsn[d] = saved.baseLsn;
    }
    this.forgetSaved(savedCount);
    // A program that rolls back is likely to do so again.
    if (this.count > count) cache.copyForAWhile();
    for (let d = this.count - 1; d >= count; d -= 1) cache.dropDirty(this.frame[d]!);
    this.count = count;
  }

  /**
   * The part of the transaction at the current depth becomes part of the one around it.
   * @param count       pages that were dirty when the part began
   * @param savedCount  states that were saved when it began
   * @param outerCount  pages that were dirty when the part around it began
   */
  merge(count: number, savedCount: number, outerCount: number): void {
    const outer = this.depth - 1;
    let kept = savedCount;
    for (let at = savedCount; at < this.saved.length; at += 1) {
      const saved = this.saved[at]!;
      this.level[saved.d] = outer;
      // The part around needs the state only if it did not touch the page itself, and did not find it clean.
      if (outer > 0 && saved.level < outer && saved.d < outerCount) {
        this.saved[at] = this.saved[kept]!;
        this.saved[kept++] = saved;
      }
    }
    for (let d = count; d < this.count; d += 1) this.level[d] = outer;
    this.forgetSaved(kept);
    this.depth = outer;
  }

  private save(d: number): void {
    const { cache } = this;
    this.checkLimit();
    const saved = this.pool.pop() ?? {
      d: 0,
      level: 0,
      mode: 0,
      baseLsn: 0,
      bytes: new Uint8Array(cache.pageSize),
      ops: { head: 0, tail: 0, used: 0, chunkOps: 0, words: 0, ops: 0 },
    };
    saved.d = d;
    saved.level = this.level[d]!;
    saved.mode = this.mode[d]!;
    saved.baseLsn = this.baseLsn[d]!;
    const base = this.frame[d]! << cache.shift;
    saved.bytes.set(cache.bytes.subarray(base, base + cache.pageSize));
    this.log.mark(d, saved.ops);
    this.saved.push(saved);
    this.level[d] = this.depth;
  }

  private forgetSaved(count: number): void {
    while (this.saved.length > count) {
      const saved = this.saved.pop();
      if (saved === undefined) throw new InvariantError('a saved state is there');
      if (this.pool.length < 64) this.pool.push(saved);
    }
  }

  private checkLimit(): void {
    if (this.count + this.saved.length < this.limit) return;
    throw new TransactionError(
      'SOMBRA_TRANSACTION_PAGES',
      `the transaction touches more than ${this.limit} pages (with ${this.saved.length} kept for savepoints): commit in smaller parts, use a bulk load, or raise maxTransactionPages`,
      { details: { limit: this.limit } },
    );
  }

  private grow(): void {
    const length = this.count * 2;
    const page = new Uint32Array(length);
    page.set(this.page);
    this.page = page;
    const frame = new Int32Array(length);
    frame.set(this.frame);
    this.frame = frame;
    const baseLsn = new Float64Array(length);
    baseLsn.set(this.baseLsn);
    this.baseLsn = baseLsn;
    const mode = new Uint8Array(length);
    mode.set(this.mode);
    this.mode = mode;
    const level = new Int32Array(length);
    level.set(this.level);
    this.level = level;
  }
}
