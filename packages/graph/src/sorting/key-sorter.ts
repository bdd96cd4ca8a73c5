/**
 * Puts any number of keys in order with bounded memory: keys are gathered in one buffer, which is sorted and written to scratch
 * space as a run when it is full; at the end the runs are merged. Equal keys are kept.
 */
import { compareKeys } from '@sombra/btree';
import type { BulkScratch } from '@sombra/pager';

/** Bytes of keys gathered before they are written out; sorting them takes some 16 bytes more for each. */
export const SORT_BYTES = 16 * 1024 * 1024;
const FIRST_BYTES = 64 * 1024;
/** Bytes read or written at once. */
const BATCH_BYTES = 64 * 1024;
/** A key in a run: its length in two bytes, then the key. */
const LENGTH_SIZE = 2;
/** Leading bytes of a key that are compared as one number. */
const HEAD_SIZE = 6;

/** Keys in ascending order, one after the other: key[0, length) is the one that `next` came to. */
export interface KeyStream {
  readonly key: Uint8Array;
  length: number;
  /** @returns false at the end */
  next(): boolean;
}

interface Run {
  readonly offset: number;
  readonly size: number;
}

export class KeySorter {
  /** Keys added. */
  count = 0;
  private readonly scratch: () => BulkScratch;
  private readonly bytesMax: number;
  private readonly keyMax: number;
  private readonly runs: Run[] = [];
  private bytes: Uint8Array<ArrayBuffer>;
  private used = 0;
  private starts: number[] = [];

  /**
   * @param keyMax    bytes of a key at most
   * @param scratch   where runs go; called when the first one is written
   * @param bytesMax  bytes to gather
   */
  constructor(keyMax: number, scratch: () => BulkScratch, bytesMax = SORT_BYTES) {
    this.keyMax = keyMax;
    this.scratch = scratch;
    this.bytesMax = Math.max(bytesMax, keyMax + LENGTH_SIZE);
    this.bytes = new Uint8Array(Math.min(FIRST_BYTES, this.bytesMax));
  }

  /** Adds key[0, length), copied. @throws what writing to scratch space throws */
  add(key: Uint8Array, length: number): void {
    const needed = this.used + length + LENGTH_SIZE;
    if (needed > this.bytes.length) this.makeRoom(needed);
    const { bytes } = this;
    let at = this.used;
    this.starts.push(at);
    bytes[at] = length;
    bytes[at + 1] = length >>> 8;
    at += LENGTH_SIZE;
    for (let i = 0; i < length; i += 1) bytes[at + i] = key[i]!;
    this.used = at + length;
    this.count += 1;
  }

  /** All keys in order. No key is added any more; call once. */
  sorted(): KeyStream {
    const held = new HeldRun(this.bytes, this.order(), this.keyMax);
    if (this.runs.length === 0) return held;
    const scratch = this.scratch();
    return new MergedKeys([...this.runs.map((run) => new WrittenRun(scratch, run, this.keyMax)), held], this.keyMax);
  }

  private makeRoom(needed: number): void {
    if (needed > this.bytesMax) {
      this.writeRun();
      return;
    }
    const grown = new Uint8Array(Math.min(this.bytesMax, Math.max(needed, this.bytes.length * 2)));
    grown.set(this.bytes.subarray(0, this.used));
    this.bytes = grown;
  }

  private writeRun(): void {
    const scratch = this.scratch();
    const { bytes } = this;
    const offset = scratch.size;
    const batch = new Uint8Array(BATCH_BYTES + this.keyMax + LENGTH_SIZE);
    let filled = 0;
    for (const start of this.order()) {
      const size = sizeAt(bytes, start) + LENGTH_SIZE;
      batch.set(bytes.subarray(start, start + size), filled);
      filled += size;
      if (filled < BATCH_BYTES) continue;
      scratch.append(batch.subarray(0, filled));
      filled = 0;
    }
    if (filled > 0) scratch.append(batch.subarray(0, filled));
    this.runs.push({ offset, size: scratch.size - offset });
    this.used = 0;
    this.starts = [];
  }

  /** Where the keys in hand begin, in their order. */
  private order(): Uint32Array {
    const { bytes, starts } = this;
    const heads = new Float64Array(starts.length);
    for (let i = 0; i < starts.length; i += 1) heads[i] = headAt(bytes, starts[i]!);
    const places = new Uint32Array(starts.length);
    for (let i = 0; i < places.length; i += 1) places[i] = i;
    places.sort((a, b) => heads[a]! - heads[b]! || compareAt(bytes, starts[a]!, starts[b]!));
    return places.map((place) => starts[place]!);
  }
}

function sizeAt(bytes: Uint8Array, start: number): number {
  return bytes[start]! | (bytes[start + 1]! << 8);
}

function headAt(bytes: Uint8Array, start: number): number {
  const size = sizeAt(bytes, start);
  let head = 0;
  for (let i = 0; i < HEAD_SIZE; i += 1) head = head * 256 + (i < size ? bytes[start + LENGTH_SIZE + i]! : 0);
  return head;
}

function compareAt(bytes: Uint8Array, a: number, b: number): number {
  const sizeA = sizeAt(bytes, a);
  const sizeB = sizeAt(bytes, b);
  const common = Math.min(sizeA, sizeB);
  for (let i = LENGTH_SIZE; i < common + LENGTH_SIZE; i += 1) {
    const difference = bytes[a + i]! - bytes[b + i]!;
    if (difference !== 0) return difference;
  }
  return sizeA - sizeB;
}

/** The keys in hand. */
class HeldRun implements KeyStream {
  readonly key: Uint8Array;
  length = 0;
  private readonly bytes: Uint8Array;
  private readonly order: Uint32Array;
  private at = 0;

  constructor(bytes: Uint8Array, order: Uint32Array, keyMax: number) {
    this.bytes = bytes;
    this.order = order;
    this.key = new Uint8Array(keyMax);
  }

  next(): boolean {
    if (this.at === this.order.length) return false;
    const start = this.order[this.at]!;
    this.at += 1;
    this.length = sizeAt(this.bytes, start);
    for (let i = 0; i < this.length; i += 1) this.key[i] = this.bytes[start + LENGTH_SIZE + i]!;
    return true;
  }
}

/** A run in scratch space, read batch by batch. */
class WrittenRun implements KeyStream {
  readonly key: Uint8Array;
  length = 0;
  private readonly scratch: BulkScratch;
  private readonly batch: Uint8Array;
  private offset: number;
  private left: number;
  private at = 0;
  private end = 0;

  constructor(scratch: BulkScratch, run: Run, keyMax: number) {
    this.scratch = scratch;
    this.offset = run.offset;
    this.left = run.size;
    this.batch = new Uint8Array(Math.min(run.size, BATCH_BYTES + keyMax + LENGTH_SIZE));
    this.key = new Uint8Array(keyMax);
  }

  next(): boolean {
    if (!this.has(LENGTH_SIZE)) return false;
    this.length = sizeAt(this.batch, this.at);
    this.has(LENGTH_SIZE + this.length);
    for (let i = 0; i < this.length; i += 1) this.key[i] = this.batch[this.at + LENGTH_SIZE + i]!;
    this.at += LENGTH_SIZE + this.length;
    return true;
  }

  /** Makes sure that so many bytes are in the batch. @returns false at the end of the run */
  private has(size: number): boolean {
    if (this.end - this.at >= size) return true;
    this.batch.copyWithin(0, this.at, this.end);
    this.end -= this.at;
    this.at = 0;
    const more = Math.min(this.left, this.batch.length - this.end);
    if (more > 0) this.scratch.read(this.offset, this.batch.subarray(this.end, this.end + more));
    this.offset += more;
    this.left -= more;
    this.end += more;
    return this.end >= size;
  }
}

/** Several streams as one: a binary heap by their keys. */
class MergedKeys implements KeyStream {
  readonly key: Uint8Array;
  length = 0;
  private readonly heap: KeyStream[] = [];

  constructor(streams: readonly KeyStream[], keyMax: number) {
    this.key = new Uint8Array(keyMax);
    for (const stream of streams) if (stream.next()) this.heap.push(stream);
    for (let at = (this.heap.length >> 1) - 1; at >= 0; at -= 1) this.sink(at);
  }

  next(): boolean {
    const { heap } = this;
    const top = heap[0];
    if (top === undefined) return false;
    this.length = top.length;
    for (let i = 0; i < top.length; i += 1) this.key[i] = top.key[i]!;
    if (!top.next()) {
      const last = heap.pop()!;
      if (heap.length === 0) return true;
      if (last !== top) heap[0] = last;
    }
    this.sink(0);
    return true;
  }

  private sink(from: number): void {
    const { heap } = this;
    const moved = heap[from]!;
    let at = from;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && before(heap[below + 1]!, heap[below]!)) below += 1;
      if (!before(heap[below]!, moved)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = moved;
  }
}

function before(one: KeyStream, other: KeyStream): boolean {
  return compareKeys(one.key, one.length, other.key, other.length) < 0;
}
