import { assert, DataError, StateError, verifying } from '@sombra/vfs';
import type { VfsEnv } from '@sombra/vfs';
import { giveSlab, takeSlab } from './slabs.ts';

/**
 * The page cache: one slab of frames, a page table, and chains of page versions.
 *
 * Invariants:
 * 1. A frame is free, clean (a committed version) or dirty (the running write transaction changes it: a copy, or the frame of
 *    the newest committed version, which is then not cached any more).
 * 2. A clean frame never changes. It holds version `frameLsn` of page `framePage`, which readers with
 *    `frameLsn <= limit < frameUntil` see; `frameUntil` is Infinity while no newer version exists.
 * 3. The frames of a page form a chain through `older`, newest first. It may have holes: any unpinned clean frame may be
 *    evicted, whichever place it has.
 * 4. `table[page]` is the first frame of the chain if that is the newest version of the page, dirty or committed. If the
 *    newest is not cached but older ones are, it is -(frame + 2); -1 without any. So a reader needs one load and one
 *    comparison: a frame in the table whose lsn is within its limit is the version to see.
 * 5. A pinned or dirty frame stays where it is.
 */

/** No frame; end of a chain. */
export const NO_FRAME = -1;

const FREE = 0;
const CLEAN = 1;
const DIRTY = 2;
/** Dropped while pinned (a cursor of a transaction that was rolled back): free as soon as it is unpinned. */
const ORPHAN = 3;

/** Largest slab: byte offsets of pages stay non-negative 32-bit integers. */
const SLAB_BYTES_MAX = 2 ** 31;
/** Frames beyond cache size and transaction limit, for pages that cursors pin. */
export const SPARE_FRAMES = 64;
const EMPTY_FRAME_BYTE = 0xee;
/** Pages that the writer copies before it takes a frame over again. */
const COPIES_BEFORE_TAKEOVER = 1024;
/** Frames that the arrays have room for when the cache is made: opening a database must not pay for all of them. */
const FRAMES_AT_FIRST = 512;

function grown<T extends Float64Array | Uint32Array | Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Frames for so many pages. @throws DataError SOMBRA_CONFIG when the slab would exceed 2 GiB */
function capacityFor(pageSize: number, cacheSize: number, reserve: number): number {
  const capacity = cacheSize + reserve + SPARE_FRAMES;
  if (capacity * pageSize <= SLAB_BYTES_MAX) return capacity;
  throw new DataError(
    'SOMBRA_CONFIG',
    `cacheSize ${cacheSize} and maxTransactionPages ${reserve} need ${capacity} pages of ${pageSize} bytes; at most 2 GiB together: lower one of them`,
    { details: { field: 'cacheSize' } },
  );
}

/** Page cache over one buffer. `bytes`, `halves` and `words` are views of the same memory; `resize` replaces them. */
export class PageCache {
  /** Bytes of a page, a power of two. */
  readonly pageSize: number;
  /** Pages that it holds in the long run, besides those that a transaction has changed; more only while they are pinned. */
  cacheSize: number;
  /** log2 of `pageSize`: `base >>> shift` is a frame, `frame << shift` a base. */
  readonly shift: number;
  /** Empty after `dispose`. */
  bytes: Uint8Array;
  halves: Uint16Array;
  words: Uint32Array;
  /** Page number to frame, see invariant 4. Replaced when it grows: never keep a reference over a call. */
  table: Int32Array;
  // What is known of each frame. These grow with the frames in use: replaced then, as `table` is.
  frameLsn: Float64Array;
  frameUntil: Float64Array;
  framePage: Uint32Array;
  older: Int32Array;
  referenced: Uint8Array;
  /** Index in the write transaction's list of dirty pages, -1 for frames that are not dirty. */
  frameDirty: Int32Array;
  /** 1: this version took so many log entries to rebuild that its next change is logged as an image. */
  frameHeavy: Uint8Array;
  /** Frames that ever held a page; memory of the others was never touched. */
  highWater = 0;
  used = 0;
  dirty = 0;
  evictions = 0;
  /** Reads of newest versions that were there; in an array, because it is counted where nothing may be allocated. */
  readonly hits = new Float64Array(1);
  /** Limits of all open snapshots, to know which old versions may still be read. */
  snapshotLimits: number[] = [];

  private readonly reserve: number;
  private capacity: number;
  private state: Uint8Array;
  private pins: Int32Array;
  private free: Int32Array;
  private freeCount = 0;
  private evictable = 0;
  private hand = 0;
  /** So many pages are copied before a frame is taken over again. */
  private copying = 0;

  /**
   * @param pageSize   bytes, a power of two
   * @param cacheSize  pages that the cache holds in the long run
   * @param reserve    frames beyond that, for the dirty pages of a transaction
   * @throws DataError SOMBRA_CONFIG when the slab would exceed 2 GiB
   */
  constructor(pageSize: number, cacheSize: number, reserve: number) {
    const capacity = capacityFor(pageSize, cacheSize, reserve);
    this.pageSize = pageSize;
    this.reserve = reserve;
    this.shift = 31 - Math.clz32(pageSize);
    this.capacity = capacity;
    this.cacheSize = cacheSize;
    const slab = takeSlab(capacity * pageSize);
    this.bytes = new Uint8Array(slab);
    this.halves = new Uint16Array(slab);
    this.words = new Uint32Array(slab);
    this.table = new Int32Array(1024).fill(NO_FRAME);
    const frames = Math.min(capacity, FRAMES_AT_FIRST);
    this.frameLsn = new Float64Array(frames);
    this.frameUntil = new Float64Array(frames);
    this.framePage = new Uint32Array(frames);
    this.older = new Int32Array(frames);
    this.referenced = new Uint8Array(frames);
    this.frameDirty = new Int32Array(frames).fill(-1);
    this.frameHeavy = new Uint8Array(frames);
    this.state = new Uint8Array(frames);
    this.pins = new Int32Array(frames);
    this.free = new Int32Array(frames);
  }

  private growFrames(): void {
    const before = this.state.length;
    const frames = Math.min(this.capacity, before * 4);
    this.frameLsn = grown(this.frameLsn, new Float64Array(frames));
    this.frameUntil = grown(this.frameUntil, new Float64Array(frames));
    this.framePage = grown(this.framePage, new Uint32Array(frames));
    this.older = grown(this.older, new Int32Array(frames));
    this.referenced = grown(this.referenced, new Uint8Array(frames));
    this.frameDirty = grown(this.frameDirty, new Int32Array(frames)).fill(-1, before);
    this.frameHeavy = grown(this.frameHeavy, new Uint8Array(frames));
    this.state = grown(this.state, new Uint8Array(frames));
    this.pins = grown(this.pins, new Int32Array(frames));
    this.free = grown(this.free, new Int32Array(frames));
  }

  /** Could the cache hold so many pages? @throws DataError SOMBRA_CONFIG when it could not @internal */
  checkSize(cacheSize: number): void {
    capacityFor(this.pageSize, cacheSize, this.reserve);
  }

  /**
   * Changes how many pages the cache holds in the long run. Frames in use keep their places when it grows; when it shrinks, the
   * slab becomes smaller only if no page is dirty or pinned, and the cache is empty then. Code that keeps `bytes`, `halves`, `words` or
   * the place of an unpinned page across this call reads stale bytes: call it in a turn of the event loop of its own.
   * @internal
   */
  resize(cacheSize: number): void {
    const capacity = capacityFor(this.pageSize, cacheSize, this.reserve);
    this.cacheSize = cacheSize;
    this.trim();
    if (capacity === this.capacity) return;
    if (capacity < this.capacity) {
      if (this.used !== this.evictable) return;
      this.dropAll();
      this.highWater = 0;
      this.freeCount = 0;
      this.hand = 0;
    }
    const bytes = new Uint8Array(capacity * this.pageSize);
    bytes.set(this.bytes.subarray(0, this.highWater * this.pageSize));
    this.bytes = bytes;
    this.halves = new Uint16Array(bytes.buffer);
    this.words = new Uint32Array(bytes.buffer);
    this.capacity = capacity;
  }

  /** The database was closed: the slab may serve the next one. Nothing can be read from the cache any more. @internal */
  dispose(env: VfsEnv): void {
    giveSlab(this.bytes.buffer as ArrayBuffer, env);
    this.bytes = new Uint8Array(0);
    this.halves = new Uint16Array(0);
    this.words = new Uint32Array(0);
  }

  /** Makes room for `pageNumber` in the page table. @internal */
  ensureTable(pageNumber: number): void {
    if (pageNumber < this.table.length) return;
    let length = this.table.length;
    while (length <= pageNumber) length *= 2;
    const table = new Int32Array(length).fill(NO_FRAME);
    table.set(this.table);
    this.table = table;
  }

  /** First frame of the page's chain, cached newest version or not; NO_FRAME if nothing of it is cached. @internal */
  first(pageNumber: number): number {
    const entry = pageNumber < this.table.length ? this.table[pageNumber]! : NO_FRAME;
    return entry >= NO_FRAME ? entry : -(entry + 2);
  }

  /** The cached version that a reader with this limit sees, or NO_FRAME: it is not cached. @internal */
  find(pageNumber: number, limit: number): number {
    for (let frame = this.first(pageNumber); frame !== NO_FRAME; frame = this.older[frame]!) {
      if (this.frameLsn[frame]! <= limit) return limit < this.frameUntil[frame]! ? frame : NO_FRAME;
    }
    return NO_FRAME;
  }

  /**
   * Takes a frame, evicting a clean page when the cache is full. The frame belongs to no chain until `insert` or
   * `insertDirty`; give it back with `release` otherwise.
   * @throws StateError SOMBRA_CACHE_FULL when every frame is pinned or dirty
   * @internal
   */
  allocate(): number {
    // Dirty frames have room of their own: counted here, a large transaction would evict the branches that it descends by.
    // Pages that were pinned, or dirty while the end of a commit trimmed, may be more than the cache size: shrink by one page per allocation.
    if (this.isFull() && this.evict()) {
      if (this.isFull()) this.evict();
    } else if (this.freeCount === 0 && this.highWater === this.capacity) this.evict();
    if (this.freeCount > 0) {
      const frame = this.free[(this.freeCount -= 1)]!;
      this.used += 1;
      return this.prepare(frame);
    }
    if (this.highWater < this.capacity) {
      if (this.highWater === this.state.length) this.growFrames();
      this.used += 1;
      return this.prepare(this.highWater++);
    }
    throw new StateError(
      'SOMBRA_CACHE_FULL',
      `all ${this.capacity} frames of the cache are pinned or dirty: close cursors or raise cacheSize`,
    );
  }

  /** Evicts down to the cache size, as far as pages are not pinned: a commit leaves the pages that it changed clean, however many. @internal */
  trim(): void {
    while (this.used - this.dirty > this.cacheSize && this.evict());
  }

  private isFull(): boolean {
    return this.used - this.dirty >= this.cacheSize;
  }

  private prepare(frame: number): number {
    if (verifying) this.bytes.fill(EMPTY_FRAME_BYTE, frame << this.shift, (frame + 1) << this.shift);
    this.frameDirty[frame] = -1;
    this.frameHeavy[frame] = 0;
    this.older[frame] = NO_FRAME;
    return frame;
  }

  /** Puts a committed version, already in `frame`, into its chain. @internal */
  insert(frame: number, pageNumber: number, lsn: number, until: number): void {
    this.framePage[frame] = pageNumber;
    this.frameLsn[frame] = lsn;
    this.frameUntil[frame] = until;
    this.state[frame] = CLEAN;
    this.evictable += 1;
    this.ensureTable(pageNumber);
    let newer = NO_FRAME;
    let next = this.first(pageNumber);
    while (next !== NO_FRAME && this.frameLsn[next]! > lsn) {
      newer = next;
      next = this.older[next]!;
    }
    // Newest committed version below the writer's copy: that copy's lsn ends it.
    if (newer !== NO_FRAME && until === Infinity) this.frameUntil[frame] = this.frameLsn[newer]!;
    this.older[frame] = next;
    if (newer === NO_FRAME) this.setFirst(pageNumber, frame);
    else this.older[newer] = frame;
  }

  /** Puts the writer's copy in front of the chain: `lsn` is the commit to come. @internal */
  insertDirty(frame: number, pageNumber: number, lsn: number, dirtyIndex: number): void {
    this.framePage[frame] = pageNumber;
    this.frameLsn[frame] = lsn;
    this.frameUntil[frame] = Infinity;
    this.state[frame] = DIRTY;
    this.frameDirty[frame] = dirtyIndex;
    this.dirty += 1;
    this.ensureTable(pageNumber);
    const next = this.first(pageNumber);
    if (next !== NO_FRAME && this.frameUntil[next] === Infinity) this.frameUntil[next] = lsn;
    this.older[frame] = next;
    this.table[pageNumber] = frame;
  }

  /**
   * Is this the newest version of its page, and can no known reader see it? For a later reader nevertheless (the implicit view, while a
   * transaction is open) it is rebuilt from main and log, and the writer copies for a while.
   * @internal
   */
  isUnread(frame: number): boolean {
    if (this.copying > 0) {
      this.copying -= 1;
      return false;
    }
    if (this.state[frame] !== CLEAN || this.pins[frame] !== 0 || this.frameUntil[frame] !== Infinity) return false;
    const lsn = this.frameLsn[frame]!;
    const limits = this.snapshotLimits;
    for (let i = 0; i < limits.length; i += 1) if (lsn <= limits[i]!) return false;
    return true;
  }

  /** Versions beside the newest one of their page. @internal */
  oldVersions(): number {
    let count = 0;
    for (let frame = 0; frame < this.highWater; frame += 1)
      if (this.state[frame] !== FREE && this.frameUntil[frame] !== Infinity) count += 1;
    return count;
  }

  /** The writer takes the frame of the newest committed version over. Call when it `isUnread`. @internal */
  takeOver(frame: number, lsn: number, dirtyIndex: number): void {
    this.frameLsn[frame] = lsn;
    this.frameHeavy[frame] = 0;
    this.state[frame] = DIRTY;
    this.frameDirty[frame] = dirtyIndex;
    this.evictable -= 1;
    this.dirty += 1;
  }

  /** A version below this page's newest had to be rebuilt: if the writer took its frame over, there are concurrent readers. @internal */
  noteOldRead(pageNumber: number): void {
    const newest = pageNumber < this.table.length ? this.table[pageNumber]! : NO_FRAME;
    if (newest >= 0) this.copyForAWhile();
  }

  /**
   * What is committed must stay in the cache beside the writer's version: the writer copies its next pages instead of taking their
   * frames over.
   * @internal
   */
  copyForAWhile(): void {
    this.copying = COPIES_BEFORE_TAKEOVER;
  }

  /** The writer's copy becomes the newest committed version; the version before it goes unless a reader may see it. @internal */
  commitDirty(frame: number): void {
    this.state[frame] = CLEAN;
    this.frameDirty[frame] = -1;
    this.referenced[frame] = 1;
    this.dirty -= 1;
    if (this.pins[frame] === 0) this.evictable += 1;
    const next = this.older[frame]!;
    if (next !== NO_FRAME && this.pins[next] === 0 && !this.needed(next)) this.drop(next);
  }

  /** Drops the writer's version: the one behind it is the newest again, or has to be rebuilt where its frame was taken over. @internal */
  dropDirty(frame: number): void {
    const pageNumber = this.framePage[frame]!;
    const next = this.older[frame]!;
    if (next !== NO_FRAME && this.frameUntil[next] === this.frameLsn[frame]) this.frameUntil[next] = Infinity;
    this.setFirst(pageNumber, next);
    this.dirty -= 1;
    this.release(frame);
  }

  /** Gives a frame that is in no chain back. @internal */
  release(frame: number): void {
    this.frameLsn[frame] = Infinity;
    this.frameDirty[frame] = -1;
    this.older[frame] = NO_FRAME;
    this.referenced[frame] = 0;
    if (this.pins[frame]! > 0) {
      this.state[frame] = ORPHAN;
      return;
    }
    this.state[frame] = FREE;
    this.free[this.freeCount++] = frame;
    this.used -= 1;
  }

  /** Commit `lsn`, which another connection made, changed a page: what is cached of it is not the newest version any more. @internal */
  supersede(pageNumber: number, lsn: number): void {
    const frame = pageNumber < this.table.length ? this.table[pageNumber]! : NO_FRAME;
    if (frame < 0) return;
    this.frameUntil[frame] = lsn;
    this.setFirst(pageNumber, frame);
  }

  /** Forgets every version. Pinned frames keep their bytes until they are unpinned. @internal */
  dropAll(): void {
    for (let frame = 0; frame < this.highWater; frame += 1) {
      if (this.state[frame] !== CLEAN) continue;
      this.table[this.framePage[frame]!] = NO_FRAME;
      if (this.pins[frame] === 0) this.evictable -= 1;
      this.release(frame);
    }
  }

  /**
   * Forgets the versions of commit `lsn`, which failed: they are the newest of their pages. Pinned frames as `dropAll`.
   * @internal
   */
  dropVersionsOf(lsn: number): void {
    for (let frame = 0; frame < this.highWater; frame += 1) {
      if (this.state[frame] !== CLEAN || this.frameLsn[frame] !== lsn) continue;
      const pageNumber = this.framePage[frame]!;
      assert(this.first(pageNumber) === frame, 'a commit that did not come about is the newest');
      this.setFirst(pageNumber, this.older[frame]!);
      if (this.pins[frame] === 0) this.evictable -= 1;
      this.release(frame);
    }
  }

  /** Keeps the page at `base` in place until as many unpins. */
  pin(base: number): void {
    const frame = base >>> this.shift;
    if (this.pins[frame] === 0 && this.state[frame] === CLEAN) this.evictable -= 1;
    this.pins[frame]! += 1;
  }

  /** Undoes one pin. */
  unpin(base: number): void {
    const frame = base >>> this.shift;
    assert(this.pins[frame]! > 0, 'a page is unpinned as often as it was pinned');
    this.pins[frame]! -= 1;
    if (this.pins[frame] !== 0) return;
    if (this.state[frame] === CLEAN) this.evictable += 1;
    else if (this.state[frame] === ORPHAN) this.release(frame);
  }

  /** Sets the first frame of a page's chain, keeping invariant 4. */
  private setFirst(pageNumber: number, frame: number): void {
    if (frame === NO_FRAME) this.table[pageNumber] = NO_FRAME;
    else this.table[pageNumber] = this.frameUntil[frame] === Infinity ? frame : -(frame + 2);
  }

  /** May an open snapshot read this version, or is it the newest? */
  private needed(frame: number): boolean {
    const until = this.frameUntil[frame]!;
    if (until === Infinity) return true;
    // Behind the writer's copy it is still the newest committed version.
    const first = this.first(this.framePage[frame]!);
    if (this.state[first] === DIRTY && this.frameLsn[first] === until) return true;
    const lsn = this.frameLsn[frame]!;
    for (const limit of this.snapshotLimits) if (lsn <= limit && limit < until) return true;
    return false;
  }

  /** Takes an unpinned clean frame out of its chain and frees it. */
  private drop(frame: number): void {
    const pageNumber = this.framePage[frame]!;
    const next = this.older[frame]!;
    const first = this.first(pageNumber);
    if (first === frame) this.setFirst(pageNumber, next);
    else {
      let newer = first;
      while (this.older[newer] !== frame) newer = this.older[newer]!;
      this.older[newer] = next;
    }
    this.evictable -= 1;
    this.release(frame);
  }

  /** CLOCK over all frames. False when every frame is dirty, pinned or free. */
  private evict(): boolean {
    if (this.evictable === 0) return false;
    const steps = 2 * this.highWater + 1; // the first round may only clear reference bits
    for (let step = 0; step < steps; step += 1) {
      const frame = this.hand < this.highWater ? this.hand : 0;
      this.hand = frame + 1;
      if (this.state[frame] !== CLEAN || this.pins[frame] !== 0) continue;
      if (this.referenced[frame] === 1 && this.needed(frame)) {
        this.referenced[frame] = 0;
        continue;
      }
      this.evictions += 1;
      this.drop(frame);
      return true;
    }
    return false;
  }

  /** Walks all frames and chains, between two calls: the invariants above, and the counts. For tests, see `verifying` of vfs. @internal */
  check(): void {
    let [used, dirty, evictable, chained] = [0, 0, 0, 0];
    for (let frame = 0; frame < this.highWater; frame += 1) {
      const state = this.state[frame];
      if (state !== FREE) used += 1;
      if (state === DIRTY) dirty += 1;
      if (state === CLEAN && this.pins[frame] === 0) evictable += 1;
      if (state !== CLEAN && state !== DIRTY) continue;
      const pageNumber = this.framePage[frame]!;
      const first = this.first(pageNumber);
      let at = first;
      while (at !== frame && at !== NO_FRAME) at = this.older[at]!;
      assert(at === frame, 'a frame that holds a version is in the chain of its page');
      if (first === frame) chained += this.checkChain(pageNumber, frame);
    }
    assert(used === this.used, 'frames in use are counted');
    assert(this.freeCount === this.highWater - used, 'every other frame is on the free list');
    assert(dirty === this.dirty && evictable === this.evictable, 'dirty and evictable frames are counted');
    assert(chained <= used, 'no frame is in two chains');
  }

  /** @returns frames of the chain */
  private checkChain(pageNumber: number, first: number): number {
    assert(
      this.table[pageNumber]! >= 0 === (this.frameUntil[first] === Infinity),
      'the table names the newest version, and only that, by its frame',
    );
    let length = 0;
    for (let frame = first; frame !== NO_FRAME; frame = this.older[frame]!) {
      length += 1;
      const older = this.older[frame]!;
      assert(this.framePage[frame] === pageNumber, 'a chain holds versions of one page');
      assert(
        this.frameDirty[frame]! >= 0 === (this.state[frame] === DIRTY),
        'a dirty frame has its place in the transaction',
      );
      assert(frame === first || this.state[frame] === CLEAN, 'only the first frame of a chain is dirty');
      assert(older === NO_FRAME || this.frameLsn[older]! < this.frameLsn[frame]!, 'a chain is newest first');
      assert(
        older === NO_FRAME || this.frameUntil[older]! <= this.frameLsn[frame]!,
        'a version ends with the next one',
      );
    }
    return length;
  }
}
