import { OP_FILL, OP_MOVE, OP_SET } from '@sombra/wal';

/**
 * The page operations of a running transaction, per dirty page in the order they were made: what becomes the page's delta
 * in the log (docs/format/record.md).
 *
 * Operations live in chunks of one arena of 16-bit words; a page's chunks are linked and double in size, so a page with
 * few small changes (the usual one) has one chunk, and a long list costs no copying. A chunk begins with a header:
 * next chunk + 1 (2 words, 0 for none), words used, operations, capacity in words; then the operations.
 *
 * Coalescing: a set that continues, overlaps or lies within the page's last set is merged into it, also over a gap that is
 * smaller than a second operation's header. The bytes of a gap are those that the page has now: writing them again at this
 * place of the list changes nothing.
 */

const CHUNK_HEADER = 5;
const FIRST_CHUNK = 128; // words
const LARGEST_CHUNK = 4096; // words
const SET_HEADER = 3; // words: code, offset, length - 1
const GAP_MAX = SET_HEADER * 2; // bytes

/** Marks a page without operations, or a last operation that must not be merged into. */
export const NO_OP = -1;

/** Position in a page's list of operations, to go back to. */
export interface OpMark {
  head: number;
  tail: number;
  used: number;
  chunkOps: number;
  words: number;
  ops: number;
}

/** Lists of operations, one per dirty page, addressed by the page's index in the transaction. */
export class OpLog {
  /** The arena. `bytes` is the same memory. Replaced when it grows. */
  words = new Uint16Array(8192);
  bytes = new Uint8Array(this.words.buffer);
  private top = 0;

  private head = new Int32Array(64);
  private tail = new Int32Array(64);
  private last = new Int32Array(64);
  private wordCount = new Int32Array(64);
  private opCount = new Int32Array(64);

  /** Forgets all lists. */
  reset(): void {
    this.top = 0;
    if (this.words.length > 1 << 20) {
      this.words = new Uint16Array(8192);
      this.bytes = new Uint8Array(this.words.buffer);
    }
  }

  /** Words of the arena in use: what a savepoint remembers. */
  get used(): number {
    return this.top;
  }

  /** Gives back what was taken of the arena since `used` was this. No list may have a chunk from then on. */
  giveBack(used: number): void {
    this.top = used;
  }

  /** Begins an empty list for page `d`. */
  begin(d: number): void {
    if (d >= this.head.length) this.growLists(d);
    this.head[d] = NO_OP;
    this.tail[d] = NO_OP;
    this.last[d] = NO_OP;
    this.wordCount[d] = 0;
    this.opCount[d] = 0;
  }

  /** Bytes of the page's operations, as they will stand in a delta. */
  byteLength(d: number): number {
    return this.wordCount[d]! * 2;
  }

  /** Number of the page's operations. */
  operations(d: number): number {
    return this.opCount[d]!;
  }

  /**
   * Notes that bytes [offset, offset + length) of page `d` have just been written.
   * @param page  slab that holds the page
   * @param base  where the page begins in it
   */
  set(d: number, page: Uint8Array, base: number, offset: number, length: number): void {
    const last = this.last[d]!;
    if (last !== NO_OP) {
      const from = this.words[last + 1]!;
      const size = this.words[last + 2]! + 1;
      if (offset >= from && offset <= from + size + GAP_MAX) {
        const grownSize = Math.max(size, offset + length - from);
        const extra = ((grownSize + 1) >>> 1) - ((size + 1) >>> 1);
        const chunk = this.tail[d]!;
        const end = last + SET_HEADER + ((size + 1) >>> 1);
        if (extra === 0 || end + extra <= chunk + CHUNK_HEADER + this.words[chunk + 4]!) {
          this.words[last + 2] = grownSize - 1;
          const start = Math.min(offset, from + size); // with the gap
          if (extra > 0 && (grownSize & 1) === 1) this.words[end + extra - 1] = 0; // padding byte
          this.copy(page, base + start, (last + SET_HEADER) * 2 + (start - from), offset + length - start);
          this.words[chunk + 2]! += extra;
          this.wordCount[d]! += extra;
          return;
        }
      }
    }
    const bodyWords = (length + 1) >>> 1;
    const at = this.reserve(d, SET_HEADER + bodyWords);
    this.words[at] = OP_SET;
    this.words[at + 1] = offset;
    this.words[at + 2] = length - 1;
    if ((length & 1) === 1) this.words[at + SET_HEADER + bodyWords - 1] = 0;
    this.copy(page, base + offset, (at + SET_HEADER) * 2, length);
    this.last[d] = at;
  }

  /** Notes a move of `length` bytes from `from` to `to` within page `d`. */
  move(d: number, to: number, from: number, length: number): void {
    const at = this.reserve(d, 4);
    this.words[at] = OP_MOVE;
    this.words[at + 1] = to;
    this.words[at + 2] = length - 1;
    this.words[at + 3] = from;
    this.last[d] = NO_OP;
  }

  /** Notes a fill of bytes [offset, offset + length) of page `d` with `value`. */
  fill(d: number, offset: number, length: number, value: number): void {
    const at = this.reserve(d, 4);
    this.words[at] = OP_FILL;
    this.words[at + 1] = offset;
    this.words[at + 2] = length - 1;
    this.words[at + 3] = value;
    this.last[d] = NO_OP;
  }

  /** Is this fill all that the list of page `d` holds? */
  isOneFill(d: number, offset: number, length: number, value: number): boolean {
    if (this.opCount[d] !== 1) return false;
    const at = this.head[d]! + CHUNK_HEADER;
    const { words } = this;
    return words[at] === OP_FILL && words[at + 1] === offset && words[at + 2] === length - 1 && words[at + 3] === value;
  }

  /** First chunk of page `d`, or NO_OP. */
  firstChunk(d: number): number {
    return this.head[d]!;
  }
  /** The chunk after `chunk`, or NO_OP. */
  nextChunk(chunk: number): number {
    return (this.words[chunk]! | (this.words[chunk + 1]! << 16)) - 1;
  }
  /** Byte offset of a chunk's first operation in `bytes`. */
  chunkFrom(chunk: number): number {
    return (chunk + CHUNK_HEADER) * 2;
  }
  /** Byte offset behind a chunk's last operation. */
  chunkTo(chunk: number): number {
    return (chunk + CHUNK_HEADER + this.words[chunk + 2]!) * 2;
  }
  /** Number of operations in a chunk. */
  chunkOperations(chunk: number): number {
    return this.words[chunk + 3]!;
  }

  /** Remembers the end of the list of page `d` in `mark`. What is there already is not merged into any more. */
  mark(d: number, mark: OpMark): void {
    const tail = this.tail[d]!;
    mark.head = this.head[d]!;
    mark.tail = tail;
    mark.used = tail === NO_OP ? 0 : this.words[tail + 2]!;
    mark.chunkOps = tail === NO_OP ? 0 : this.words[tail + 3]!;
    mark.words = this.wordCount[d]!;
    mark.ops = this.opCount[d]!;
    this.last[d] = NO_OP;
  }

  /** Takes the list of page `d` back to where `mark` was set. */
  rewind(d: number, mark: OpMark): void {
    this.head[d] = mark.head;
    this.tail[d] = mark.tail;
    if (mark.tail !== NO_OP) {
      this.words[mark.tail] = 0;
      this.words[mark.tail + 1] = 0;
      this.words[mark.tail + 2] = mark.used;
      this.words[mark.tail + 3] = mark.chunkOps;
    }
    this.last[d] = NO_OP;
    this.wordCount[d] = mark.words;
    this.opCount[d] = mark.ops;
  }

  private copy(page: Uint8Array, from: number, to: number, length: number): void {
    if (length > 64) {
      this.bytes.set(page.subarray(from, from + length), to);
      return;
    }
    const bytes = this.bytes;
    for (let i = 0; i < length; i += 1) bytes[to + i] = page[from + i]!;
  }

  /** Room for one more operation of `length` words at the end of the list of page `d`; its word index. */
  private reserve(d: number, length: number): number {
    let chunk = this.tail[d]!;
    if (chunk === NO_OP || this.words[chunk + 2]! + length > this.words[chunk + 4]!) chunk = this.addChunk(d, length);
    const at = chunk + CHUNK_HEADER + this.words[chunk + 2]!;
    this.words[chunk + 2]! += length;
    this.words[chunk + 3]! += 1;
    this.wordCount[d]! += length;
    this.opCount[d]! += 1;
    return at;
  }

  private addChunk(d: number, length: number): number {
    const before = this.tail[d]!;
    const usual = before === NO_OP ? FIRST_CHUNK : Math.min(this.words[before + 4]! * 2, LARGEST_CHUNK);
    const capacity = Math.max(usual, length);
    const chunk = this.top;
    this.top += CHUNK_HEADER + capacity;
    if (this.top > this.words.length) this.growArena();
    this.words[chunk] = 0;
    this.words[chunk + 1] = 0;
    this.words[chunk + 2] = 0;
    this.words[chunk + 3] = 0;
    this.words[chunk + 4] = capacity;
    if (before === NO_OP) this.head[d] = chunk;
    else {
      this.words[before] = (chunk + 1) & 0xffff;
      this.words[before + 1] = (chunk + 1) >>> 16;
    }
    this.tail[d] = chunk;
    return chunk;
  }

  private growArena(): void {
    let length = this.words.length;
    while (length < this.top) length *= 2;
    const words = new Uint16Array(length);
    words.set(this.words);
    this.words = words;
    this.bytes = new Uint8Array(words.buffer);
  }

  private growLists(d: number): void {
    let length = this.head.length;
    while (length <= d) length *= 2;
    const grow = (from: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
      const to = new Int32Array(length);
      to.set(from);
      return to;
    };
    this.head = grow(this.head);
    this.tail = grow(this.tail);
    this.last = grow(this.last);
    this.wordCount = grow(this.wordCount);
    this.opCount = grow(this.opCount);
  }
}
