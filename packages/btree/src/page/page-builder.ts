/**
 * Builds a tree page in scratch memory: entries come in key order, from other pages or as key and value. The caller has worked out that
 * they fit (entryBytes, rangeBytes, gap).
 *
 * Source: docs/format/btree.md.
 */
import { assert } from '@sombra/vfs';
import {
  align4,
  CELL_TAIL_OFFSET,
  CONTENT_SIZE_OFFSET,
  FIRST_CHILD_OFFSET,
  FREE_BYTES_OFFSET,
  HEAD_SIZE,
  PREFIX_LENGTH_OFFSET,
  PREFIX_OFFSET,
  SLOT_COUNT_OFFSET,
  SLOT_SIZE,
  type PageMemory,
} from './layout.ts';
import { damagedPage } from './fault.ts';
import { cellSizeOf, headOf, prefixLengthOf, readKey, slotsOf } from './page.ts';

/** Bytes of one entry in a page: slot, cell header, key tail, payload (capacity of a leaf's value, 0 in a branch). */
export function entryBytes(suffixLength: number, payload: number): number {
  return (
    SLOT_SIZE + CELL_TAIL_OFFSET + (suffixLength > HEAD_SIZE ? align4(suffixLength - HEAD_SIZE) : 0) + align4(payload)
  );
}

/**
 * Bytes that the entries [from, to) of a page take in a page with another prefix.
 * @param leaf  whether `base` is a leaf
 */
export function rangeBytes(
  memory: PageMemory,
  base: number,
  from: number,
  to: number,
  leaf: boolean,
  prefixLength: number,
): number {
  const slots = slotsOf(memory, base);
  const own = prefixLengthOf(memory, base);
  let total = 0;
  for (let i = from; i < to; i++) {
    const size = SLOT_SIZE + cellSizeOf(memory, base, slots, i, leaf);
    if (own === prefixLength) total += size;
    else {
      const suffix = memory.halves[(slots + i * SLOT_SIZE + 2) >> 1]!;
      total += size + entryBytes(suffix + own - prefixLength, 0) - entryBytes(suffix, 0);
    }
  }
  return total;
}

export class PageBuilder implements PageMemory {
  readonly pageSize: number;
  readonly bytes: Uint8Array;
  readonly halves: Uint16Array;
  readonly words: Uint32Array;
  readonly #key: Uint8Array;
  #leaf = true;
  #slots = 0;
  #prefixLength = 0;
  #count = 0;
  #content = 0;

  constructor(pageSize: number) {
    const buffer = new ArrayBuffer(pageSize);
    this.pageSize = pageSize;
    this.bytes = new Uint8Array(buffer);
    this.halves = new Uint16Array(buffer);
    this.words = new Uint32Array(buffer);
    this.#key = new Uint8Array(pageSize);
  }

  /** Entries so far. */
  get count(): number {
    return this.#count;
  }

  /** Prefix length of the page being built. */
  get prefixLength(): number {
    return this.#prefixLength;
  }

  /** Bytes between slots and cells. */
  get gap(): number {
    return this.pageSize - this.#slots - this.#count * SLOT_SIZE - this.#content;
  }

  /**
   * Starts a page.
   * @param prefix        holds the shared prefix in its first `prefixLength` bytes; copied
   * @param firstChild    of a branch; 0 in a leaf
   */
  begin(leaf: boolean, prefix: Uint8Array, prefixLength: number, firstChild: number): void {
    const bytes = this.bytes;
    bytes.fill(0);
    for (let i = 0; i < prefixLength; i++) bytes[PREFIX_OFFSET + i] = prefix[i]!;
    this.words[FIRST_CHILD_OFFSET >> 2] = firstChild;
    this.#leaf = leaf;
    this.#prefixLength = prefixLength;
    this.#slots = PREFIX_OFFSET + align4(prefixLength);
    this.#count = 0;
    this.#content = 0;
  }

  /**
   * Reserves slot and cell of the next entry and writes the key into them.
   * @returns offset of the cell in the page
   */
  #place(key: Uint8Array, keyLength: number, payload: number): number {
    const prefixLength = this.#prefixLength;
    const suffix = keyLength - prefixLength;
    const tail = suffix > HEAD_SIZE ? suffix - HEAD_SIZE : 0;
    const size = CELL_TAIL_OFFSET + align4(tail) + align4(payload);
    assert(size + SLOT_SIZE <= this.gap, 'entries given to a page builder fit');
    this.#content += size;
    const cell = this.pageSize - this.#content;
    const slot = this.#slots + this.#count++ * SLOT_SIZE;
    this.halves[slot >> 1] = cell;
    this.halves[(slot >> 1) + 1] = suffix;
    this.words[(slot >> 2) + 1] = headOf(key, prefixLength, keyLength);
    for (let i = 0; i < tail; i++) this.bytes[cell + CELL_TAIL_OFFSET + i] = key[prefixLength + HEAD_SIZE + i]!;
    return cell;
  }

  /**
   * Adds an entry to a leaf.
   * @param lengthField  value length, with OVERFLOW_FLAG when [from, to) is an overflow reference
   * @param capacity     bytes to reserve, a multiple of 4, at least `to - from`
   */
  addValue(
    key: Uint8Array,
    keyLength: number,
    lengthField: number,
    capacity: number,
    value: Uint8Array,
    from: number,
    to: number,
  ): void {
    const cell = this.#place(key, keyLength, capacity);
    this.halves[cell >> 1] = lengthField;
    this.halves[(cell >> 1) + 1] = capacity;
    const tail = keyLength - this.#prefixLength - HEAD_SIZE;
    let at = cell + CELL_TAIL_OFFSET + (tail > 0 ? align4(tail) : 0);
    const bytes = this.bytes;
    if (to - from > 64) bytes.set(value.subarray(from, to), at);
    else for (let i = from; i < to; i++) bytes[at++] = value[i]!;
  }

  /** Adds a separator and the child for the keys from it on to a branch. */
  addChild(key: Uint8Array, keyLength: number, child: number): void {
    const cell = this.#place(key, keyLength, 0);
    this.words[cell >> 2] = child;
  }

  /** Takes the last entry out again. */
  removeLast(): void {
    assert(this.#count > 0, 'a page builder has an entry to remove');
    const size = cellSizeOf(this.#finishFields(), 0, this.#slots, this.#count - 1, this.#leaf);
    const cell = this.pageSize - this.#content;
    this.bytes.fill(0, cell, cell + size);
    this.#content -= size;
    this.#count -= 1;
    const slot = this.#slots + this.#count * SLOT_SIZE;
    this.bytes.fill(0, slot, slot + SLOT_SIZE);
    this.#finishFields();
  }

  /**
   * Appends entries [from, to) of another page of the same kind, whose keys start with this page's prefix.
   * @throws CorruptionError SOMBRA_TREE_PAGE when a cell of the source leaves its page, or a key does not start so
   */
  copyEntries(memory: PageMemory, base: number, from: number, to: number): void {
    if (from >= to) return;
    if (prefixLengthOf(memory, base) === this.#prefixLength) this.#copySame(memory, base, from, to);
    else this.#copyOther(memory, base, from, to);
  }

  /** Same prefix: slots and cells are copied as they are. */
  #copySame(memory: PageMemory, base: number, from: number, to: number): void {
    const { halves, words } = memory;
    const ownHalves = this.halves;
    const ownWords = this.words;
    const leaf = this.#leaf;
    const slots = slotsOf(memory, base);
    let content = this.#content;
    let slot = this.#slots + this.#count * SLOT_SIZE;
    for (let i = from; i < to; i++) {
      const size = cellSizeOf(memory, base, slots, i, leaf);
      const theirs = slots + i * SLOT_SIZE;
      content += size;
      const cell = this.pageSize - content;
      assert(cell >= slot + SLOT_SIZE, 'entries copied into a page builder fit');
      ownHalves[slot >> 1] = cell;
      ownHalves[(slot >> 1) + 1] = halves[(theirs >> 1) + 1]!;
      ownWords[(slot >> 2) + 1] = words[(theirs >> 2) + 1]!;
      let source = (base + halves[theirs >> 1]!) >> 2;
      let target = cell >> 2;
      for (const end = target + (size >> 2); target < end; ) ownWords[target++] = words[source++]!;
      slot += SLOT_SIZE;
    }
    this.#content = content;
    this.#count += to - from;
  }

  /** Another prefix: each key is put together and cut again. */
  #copyOther(memory: PageMemory, base: number, from: number, to: number): void {
    const key = this.#key;
    const slots = slotsOf(memory, base);
    const prefixLength = this.#prefixLength;
    for (let i = from; i < to; i++) {
      const size = cellSizeOf(memory, base, slots, i, this.#leaf);
      const keyLength = readKey(memory, base, i, key);
      for (let at = 0; at < prefixLength; at++) {
        if (at >= keyLength || key[at] !== this.bytes[PREFIX_OFFSET + at])
          throw damagedPage(memory, base, 'keys are out of order');
      }
      const offset = memory.halves[(slots + i * SLOT_SIZE) >> 1]!;
      const tail = keyLength - prefixLengthOf(memory, base) - HEAD_SIZE;
      const skip = CELL_TAIL_OFFSET + (tail > 0 ? align4(tail) : 0);
      const payload = size - skip;
      const cell = this.#place(key, keyLength, payload);
      this.words[cell >> 2] = memory.words[(base + offset) >> 2]!;
      const ownTail = keyLength - prefixLength - HEAD_SIZE;
      let target = (cell + CELL_TAIL_OFFSET + (ownTail > 0 ? align4(ownTail) : 0)) >> 2;
      let source = (base + offset + skip) >> 2;
      for (const end = target + (payload >> 2); target < end; ) this.words[target++] = memory.words[source++]!;
    }
  }

  #finishFields(): this {
    this.halves[SLOT_COUNT_OFFSET >> 1] = this.#count;
    this.halves[CONTENT_SIZE_OFFSET >> 1] = this.#content;
    this.halves[FREE_BYTES_OFFSET >> 1] = 0;
    this.halves[PREFIX_LENGTH_OFFSET >> 1] = this.#prefixLength;
    return this;
  }

  /** Writes the page's fields: bytes [FIRST_CHILD_OFFSET, pageSize) are then the page's body. */
  finish(): void {
    this.#finishFields();
  }
}
