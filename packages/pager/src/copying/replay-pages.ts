/** Pages of a file that a replay works on: read when they are needed, written when their place is, or at the end. */

/** Where pages come from and go to. */
export interface PageStore {
  readonly pageSize: number;
  /** Reads a page to `into[at]`, and checks it. @returns its lsn @throws CorruptionError, IoError */
  read(pageNumber: number, into: Uint8Array, at: number): number;
  /** Writes the page at `bytes[at]`, whose header holds number and lsn; seals it in place. @throws IoError */
  write(pageNumber: number, bytes: Uint8Array, at: number): void;
}

/** Frames at least: a commit looks at one page after the other. */
const FRAMES_MIN = 8;

/** See the top of the file. */
export class ReplayPages {
  /** Frame f holds its page at `f * pageSize`. */
  readonly bytes: Uint8Array;
  private readonly store: PageStore;
  private readonly pageSize: number;
  private readonly count: number;
  private readonly frames = new Map<number, number>();
  private readonly page: Float64Array;
  private readonly lsn: Float64Array;
  /** Was the frame used since the hand passed it? */
  private readonly used: Uint8Array;
  private readonly dirty: Uint8Array;
  private hand = 0;

  constructor(store: PageStore, cacheBytes: number) {
    this.store = store;
    this.pageSize = store.pageSize;
    this.count = Math.max(FRAMES_MIN, Math.floor(cacheBytes / store.pageSize));
    this.bytes = new Uint8Array(this.count * store.pageSize);
    this.page = new Float64Array(this.count).fill(-1);
    this.lsn = new Float64Array(this.count);
    this.used = new Uint8Array(this.count);
    this.dirty = new Uint8Array(this.count);
  }

  /** The frame of a page that is about to be changed; valid until the next call. */
  edit(pageNumber: number): number {
    const there = this.frames.get(pageNumber);
    if (there !== undefined) {
      this.used[there] = this.dirty[there] = 1;
      return there;
    }
    const frame = this.free();
    this.lsn[frame] = this.store.read(pageNumber, this.bytes, frame * this.pageSize);
    this.take(frame, pageNumber);
    return frame;
  }

  /** Puts the page at `bytes[at]` in place of the one that is there. */
  replace(pageNumber: number, lsn: number, bytes: Uint8Array, at: number): void {
    let frame = this.frames.get(pageNumber);
    if (frame === undefined) this.take((frame = this.free()), pageNumber);
    this.bytes.set(bytes.subarray(at, at + this.pageSize), frame * this.pageSize);
    this.lsn[frame] = lsn;
    this.used[frame] = this.dirty[frame] = 1;
  }

  lsnOf(frame: number): number {
    return this.lsn[frame]!;
  }

  setLsn(frame: number, lsn: number): void {
    this.lsn[frame] = lsn;
  }

  /** Writes every changed page, in their order in the file. */
  flush(): void {
    const changed = [...this.frames].filter(([, frame]) => this.dirty[frame] === 1).sort(([a], [b]) => a - b);
    for (const [, frame] of changed) this.write(frame);
  }

  private take(frame: number, pageNumber: number): void {
    this.frames.set(pageNumber, frame);
    this.page[frame] = pageNumber;
    this.used[frame] = this.dirty[frame] = 1;
  }

  /** A frame without a page: the next one that was not used for a round. */
  private free(): number {
    for (;;) {
      const frame = this.hand;
      this.hand = (frame + 1) % this.count;
      if (this.page[frame] === -1) return frame;
      if (this.used[frame] === 1) {
        this.used[frame] = 0;
        continue;
      }
      if (this.dirty[frame] === 1) this.write(frame);
      this.frames.delete(this.page[frame]!);
      this.page[frame] = -1;
      return frame;
    }
  }

  private write(frame: number): void {
    this.store.write(this.page[frame]!, this.bytes, frame * this.pageSize);
    this.dirty[frame] = 0;
  }
}
