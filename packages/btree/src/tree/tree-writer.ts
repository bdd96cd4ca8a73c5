/**
 * Changing a tree: insert, replace, delete, split, merge. One writer per page cache holds the scratch memory; it keeps
 * nothing of a tree between two calls.
 *
 * Invariants of a tree, here and in check.ts:
 * 1. All leaves have level 0 and the same distance from the root; a page's level is one above its children's.
 * 2. Keys are strictly ascending over the leaves. A separator is greater than every key to its left and not greater than
 *    any to its right.
 * 3. No page but the root is empty, except that a branch may have a first child and no separator.
 * 4. Every key of a page starts with the page's prefix. A key that does not sorts before or after all of the page.
 *
 * What is logged: an insert into a page with room is one move of the slot array, one slot, one cell, four bytes of
 * counts. Whatever rearranges a page (compaction, split, merge) writes its body as a whole, which the log takes as an image.
 */
import type { PageCache, View, WriteTransaction } from '@sombra/pager';
import { CorruptionError } from '@sombra/vfs';
import { damagedPage, wrongPage } from '../page/fault.ts';
import { commonPrefix, prefixFor, separatorLength } from '../page/keys.ts';
import {
  align4,
  CELL_CAPACITY_OFFSET,
  CELL_TAIL_OFFSET,
  FIRST_CHILD_OFFSET,
  HEAD_SIZE,
  inlineSizeMax,
  keySizeMax,
  KIND_BRANCH,
  KIND_LEAF,
  LEVEL_OFFSET,
  LEVELS_MAX,
  OVERFLOW_FLAG,
  PREFIX_OFFSET,
  REFERENCE_LENGTH_OFFSET,
  REFERENCE_PAGE_OFFSET,
  REFERENCE_SIZE,
  SLOT_COUNT_OFFSET,
  SLOT_SIZE,
} from '../page/layout.ts';
import { freeChain, writeChain } from '../page/overflow.ts';
import { entryBytes, PageBuilder, rangeBytes } from '../page/page-builder.ts';
import {
  cellSizeOf,
  childOf,
  comparePrefix,
  contentSizeOf,
  freeBytesOf,
  gapOf,
  headOf,
  overflowOf,
  pageIdentity,
  pageIdentityAt,
  prefixLengthOf,
  readKey,
  searchPage,
  slotCountOf,
  slotsOf,
  treeLevel,
  usedBytesOf,
  valueOffsetOf,
} from '../page/page.ts';
import type { TreeState } from './tree-state.ts';

/** The tree that a call works on. */
export interface TreeRef {
  readonly slot: number;
  readonly treeId: number;
  readonly state: TreeState;
}

export class TreeWriter {
  private readonly memory: PageCache;
  private readonly pageSize: number;
  private readonly builder: PageBuilder;

  // Path of the last descent: page and taken child (-1: first child) per level; the leaf's entry is its position.
  private readonly path = new Uint32Array(LEVELS_MAX);
  private readonly index = new Int32Array(LEVELS_MAX);
  private rootLevel = 0;
  private rightmost = false;

  // The entry that is to be inserted: its key, and a value for a leaf or a child for a branch.
  private key: Uint8Array;
  private keyLength = 0;
  private lengthField = 0;
  private capacity = 0;
  private value: Uint8Array;
  private from = 0;
  private to = 0;
  private child = 0;

  private readonly reference = new Uint8Array(REFERENCE_SIZE);
  private readonly referenceWords = new Uint32Array(this.reference.buffer);
  private readonly cell: Uint8Array;
  private readonly cellHalves: Uint16Array;
  private readonly cellWords: Uint32Array;
  private readonly slotBytes = new Uint8Array(SLOT_SIZE);
  private readonly slotHalves = new Uint16Array(this.slotBytes.buffer);
  private readonly slotWords = new Uint32Array(this.slotBytes.buffer);
  private readonly first: Uint8Array;
  private readonly last: Uint8Array;
  /** Separators on their way up: those of neighbouring levels are in use at the same time. */
  private readonly separators: readonly [Uint8Array, Uint8Array];

  constructor(memory: PageCache) {
    const { pageSize } = memory;
    this.memory = memory;
    this.pageSize = pageSize;
    this.builder = new PageBuilder(pageSize);
    const buffer = new ArrayBuffer(pageSize);
    this.cell = new Uint8Array(buffer);
    this.cellHalves = new Uint16Array(buffer);
    this.cellWords = new Uint32Array(buffer);
    const keySize = keySizeMax(pageSize);
    this.first = new Uint8Array(keySize);
    this.last = new Uint8Array(keySize);
    this.separators = [new Uint8Array(keySize), new Uint8Array(keySize)];
    this.key = this.first;
    this.value = this.cell;
  }

  /**
   * Inserts or replaces an entry; the caller has checked key and value sizes.
   * @param replace  false: an entry that is there stays as it is
   * @returns true if the key was not there
   */
  put(
    tx: WriteTransaction,
    tree: TreeRef,
    root: number,
    key: Uint8Array,
    keyLength: number,
    value: Uint8Array,
    from: number,
    to: number,
    capacity: number,
    replace: boolean,
  ): boolean {
    const found = this.descend(tx.view, tree, root, key, keyLength);
    if (found >= 0 && !replace) return false;
    this.key = key;
    this.keyLength = keyLength;
    if (found >= 0) {
      this.replaceValue(tx, tree, found, value, from, to, capacity);
      return false;
    }
    this.takeValue(tx, tree, value, from, to, capacity);
    tree.state.moves += 1;
    this.addEntry(tx, tree, 0, ~found);
    addCount(tx, tree, 1);
    return true;
  }

  /** Deletes an entry. @returns false if the key was not there */
  delete(tx: WriteTransaction, tree: TreeRef, root: number, key: Uint8Array, keyLength: number): boolean {
    const found = this.descend(tx.view, tree, root, key, keyLength);
    if (found < 0) return false;
    tree.state.moves += 1;
    const base = tx.edit(this.path[0]!);
    this.freeOverflow(tx, tree, base, found);
    this.removeEntry(tx, base, found, true);
    addCount(tx, tree, -1);
    this.rebalance(tx, tree);
    return true;
  }

  /** Walks from the root to the leaf of a key and notes the path. @returns what searchPage finds in the leaf */
  private descend(view: View, tree: TreeRef, root: number, key: Uint8Array, keyLength: number): number {
    const memory = this.memory;
    let page = root;
    let base = view.page(page);
    let level = treeLevel(memory, base, tree.treeId, page);
    this.rootLevel = level;
    this.rightmost = true;
    for (;;) {
      this.path[level] = page;
      const found = searchPage(memory, base, key, keyLength);
      if (level === 0) return found;
      const taken = found >= 0 ? found : ~found - 1;
      this.index[level] = taken;
      if (taken !== slotCountOf(memory, base) - 1) this.rightmost = false;
      page = childOf(memory, base, slotsOf(memory, base), taken);
      level -= 1;
      base = this.childPage(view, tree, level, page);
    }
  }

  /** Base of a page of the tree that must have this level. @throws CorruptionError SOMBRA_TREE_PAGE */
  private childPage(view: View, tree: TreeRef, level: number, page: number): number {
    const base = view.page(page);
    if (pageIdentity(this.memory, base) !== pageIdentityAt(level, tree.treeId)) {
      throw wrongPage(page, `is not the page of level ${level} of tree ${tree.treeId} that its parent points to`);
    }
    return base;
  }

  /** Makes value[from, to) the value of the entry to insert, in overflow pages if it is large. */
  private takeValue(
    tx: WriteTransaction,
    tree: TreeRef,
    value: Uint8Array,
    from: number,
    to: number,
    capacity: number,
  ): void {
    const length = to - from;
    const limit = inlineSizeMax(this.pageSize, this.keyLength);
    if (length <= limit) {
      const wanted = align4(capacity > length ? capacity : length);
      this.lengthField = length;
      this.capacity = wanted < limit ? wanted : limit;
      this.value = value;
      this.from = from;
      this.to = to;
      return;
    }
    this.referenceWords[REFERENCE_PAGE_OFFSET >> 2] = writeChain(tx, tree.treeId, value, from, to);
    this.referenceWords[REFERENCE_LENGTH_OFFSET >> 2] = length;
    this.lengthField = OVERFLOW_FLAG | REFERENCE_SIZE;
    this.capacity = REFERENCE_SIZE;
    this.value = this.reference;
    this.from = 0;
    this.to = REFERENCE_SIZE;
  }

  /** Frees the overflow pages of a leaf's slot, if it has any. `base` is dirty. */
  private freeOverflow(tx: WriteTransaction, tree: TreeRef, base: number, index: number): void {
    const memory = this.memory;
    const slots = slotsOf(memory, base);
    const value = base + valueOffsetOf(memory, base, slots, index);
    const first = overflowOf(memory, base, slots, index, value);
    if (first !== 0) freeChain(tx, tree.treeId, first, memory.words[(value + REFERENCE_LENGTH_OFFSET) >> 2]!);
  }

  /** Gives the entry at `position` of the leaf a new value: in place where it fits, else in a new cell. */
  private replaceValue(
    tx: WriteTransaction,
    tree: TreeRef,
    position: number,
    value: Uint8Array,
    from: number,
    to: number,
    capacity: number,
  ): void {
    const memory = this.memory;
    const { halves } = memory;
    const base = tx.edit(this.path[0]!);
    this.freeOverflow(tx, tree, base, position);
    this.takeValue(tx, tree, value, from, to, capacity);
    const slots = slotsOf(memory, base);
    const cell = halves[(slots + position * SLOT_SIZE) >> 1]!;
    const old = halves[(base + cell + CELL_CAPACITY_OFFSET) >> 1]!;
    const spare = old - this.capacity;
    if (spare >= 0 && spare <= (this.capacity > 64 ? this.capacity : 64)) {
      tree.state.touches += 1;
      const offset = valueOffsetOf(memory, base, slots, position);
      if (halves[(base + cell) >> 1] !== this.lengthField) tx.setU16(base, cell, this.lengthField);
      tx.setBytes(base, offset, this.value, this.from, this.to);
      return;
    }
    tree.state.moves += 1;
    const prefixLength = prefixLengthOf(memory, base);
    const size = entryBytes(this.keyLength - prefixLength, this.capacity) - SLOT_SIZE;
    if (size <= gapOf(memory, base)) {
      const count = slotCountOf(memory, base);
      const content = contentSizeOf(memory, base) + size;
      const freed = freeBytesOf(memory, base) + cellSizeOf(memory, base, slots, position, true);
      if (freed > content) throw damagedPage(memory, base, 'cells overlap');
      this.writeCell(tx, base, this.pageSize - content, true, prefixLength);
      tx.setU16(base, slots - base + position * SLOT_SIZE, this.pageSize - content);
      tx.setU48(base, SLOT_COUNT_OFFSET, count + content * 0x10000 + freed * 0x100000000);
      return;
    }
    this.removeEntry(tx, base, position, true);
    this.addEntry(tx, tree, 0, position);
  }

  /** Inserts the entry at `position` of the path's page of this level, splitting pages upwards as needed. */
  private addEntry(tx: WriteTransaction, tree: TreeRef, level: number, position: number): void {
    const memory = this.memory;
    const leaf = level === 0;
    const page = this.path[level]!;
    const base = tx.edit(page);
    const count = slotCountOf(memory, base);
    const prefixLength = prefixLengthOf(memory, base);
    const payload = leaf ? this.capacity : 0;
    const shares = comparePrefix(memory, base, this.key, this.keyLength) === 0;
    if (shares && (count > 0 || !leaf)) {
      const need = entryBytes(this.keyLength - prefixLength, payload);
      const gap = gapOf(memory, base);
      if (need > gap) {
        const free = freeBytesOf(memory, base);
        const left = gap + free - need;
        // Compaction must win enough room, or a full page would be rewritten at each insert: split it then.
        if (left < 0 || (free < this.pageSize >>> 3 && left < this.pageSize >>> 5)) {
          this.split(tx, tree, level, position, base, true);
          return;
        }
        this.compact(tx, base, leaf, count);
      }
      this.placeEntry(tx, base, position, leaf);
    } else {
      const shared = count === 0 ? this.keyLength : this.sharedWithPrefix(base, prefixLength);
      const shortest = this.shortestKey(base, 0, count, this.keyLength);
      const prefix = prefixFor(leaf, shared, shortest, 0);
      const total =
        align4(prefix) +
        rangeBytes(memory, base, 0, count, leaf, prefix) +
        entryBytes(this.keyLength - prefix, payload);
      if (total > this.pageSize - PREFIX_OFFSET) {
        this.split(tx, tree, level, position, base, false);
        return;
      }
      this.builder.begin(leaf, this.key, prefix, memory.words[(base + FIRST_CHILD_OFFSET) >> 2]!);
      this.emit(base, 0, count + 1, position, leaf);
      this.writeBody(tx, base);
    }
    if (leaf) {
      tree.state.lastPage = page;
      tree.state.lastPosition = position;
    }
  }

  /** Leading bytes that the entry's key shares with the page's prefix. */
  private sharedWithPrefix(base: number, prefixLength: number): number {
    const { bytes } = this.memory;
    let i = 0;
    while (i < prefixLength && i < this.keyLength && this.key[i] === bytes[base + PREFIX_OFFSET + i]) i++;
    return i;
  }

  /** Length of the shortest key among slots [from, to) of a page and `limit`. */
  private shortestKey(base: number, from: number, to: number, limit: number): number {
    const { halves } = this.memory;
    const slots = slotsOf(this.memory, base);
    const prefixLength = prefixLengthOf(this.memory, base);
    let shortest = limit;
    for (let i = from; i < to; i++) {
      const length = prefixLength + halves[((slots + i * SLOT_SIZE) >> 1) + 1]!;
      if (length < shortest) shortest = length;
    }
    return shortest;
  }

  /** Writes the entry into the gap of a page that has room for it. */
  private placeEntry(tx: WriteTransaction, base: number, position: number, leaf: boolean): void {
    const memory = this.memory;
    const count = slotCountOf(memory, base);
    const prefixLength = prefixLengthOf(memory, base);
    const suffix = this.keyLength - prefixLength;
    const content = contentSizeOf(memory, base) + entryBytes(suffix, leaf ? this.capacity : 0) - SLOT_SIZE;
    const cell = this.pageSize - content;
    const slot = slotsOf(memory, base) - base + position * SLOT_SIZE;
    if (position < count) tx.move(base, slot + SLOT_SIZE, slot, (count - position) * SLOT_SIZE);
    this.slotHalves[0] = cell;
    this.slotHalves[1] = suffix;
    this.slotWords[1] = headOf(this.key, prefixLength, this.keyLength);
    tx.setBytes(base, slot, this.slotBytes, 0, SLOT_SIZE);
    tx.setU32(base, SLOT_COUNT_OFFSET, ((count + 1) | (content << 16)) >>> 0);
    this.writeCell(tx, base, cell, leaf, prefixLength);
  }

  /** Writes the entry's cell at an offset of the page; slack keeps the bytes it has. */
  private writeCell(tx: WriteTransaction, base: number, at: number, leaf: boolean, prefixLength: number): void {
    const { cell, key } = this;
    let end = CELL_TAIL_OFFSET;
    this.cellWords[0] = leaf ? 0 : this.child;
    const keyLength = this.keyLength;
    for (let i = prefixLength + HEAD_SIZE; i < keyLength; i++) cell[end++] = key[i]!;
    if (leaf) {
      this.cellHalves[0] = this.lengthField;
      this.cellHalves[1] = this.capacity;
      while ((end & 3) !== 0) cell[end++] = 0;
      const { value, from, to } = this;
      if (to - from > 64) {
        cell.set(value.subarray(from, to), end);
        end += to - from;
      } else for (let i = from; i < to; i++) cell[end++] = value[i]!;
    }
    tx.setBytes(base, at, cell, 0, end);
  }

  /** Takes an entry out of a page. */
  private removeEntry(tx: WriteTransaction, base: number, index: number, leaf: boolean): void {
    const memory = this.memory;
    const slots = slotsOf(memory, base);
    const count = slotCountOf(memory, base);
    const size = cellSizeOf(memory, base, slots, index, leaf);
    const cell = memory.halves[(slots + index * SLOT_SIZE) >> 1]!;
    let content = contentSizeOf(memory, base);
    let free = freeBytesOf(memory, base);
    if (count === 1) content = free = 0;
    else if (cell === this.pageSize - content) content -= size;
    else free += size;
    if (free > content) throw damagedPage(memory, base, 'cells overlap');
    const slot = slots - base + index * SLOT_SIZE;
    if (index < count - 1) tx.move(base, slot, slot + SLOT_SIZE, (count - 1 - index) * SLOT_SIZE);
    tx.setU48(base, SLOT_COUNT_OFFSET, count - 1 + content * 0x10000 + free * 0x100000000);
  }

  /** Closes the holes between a page's cells. */
  private compact(tx: WriteTransaction, base: number, leaf: boolean, count: number): void {
    const memory = this.memory;
    this.checkSize(
      base,
      rangeBytes(memory, base, 0, count, leaf, prefixLengthOf(memory, base)) + freeBytesOf(memory, base),
      count,
    );
    const prefix = memory.bytes.subarray(base + PREFIX_OFFSET, base + PREFIX_OFFSET + prefixLengthOf(memory, base));
    this.builder.begin(leaf, prefix, prefix.length, memory.words[(base + FIRST_CHILD_OFFSET) >> 2]!);
    this.builder.copyEntries(memory, base, 0, count);
    this.writeBody(tx, base);
  }

  /** Tests that slots and cells have the size that a page's counts say: cells of a damaged page may overlap. */
  private checkSize(base: number, bytes: number, count: number): void {
    if (bytes !== count * SLOT_SIZE + contentSizeOf(this.memory, base))
      throw damagedPage(this.memory, base, 'cells overlap or leave holes');
  }

  /** Replaces the body of a page by the built one. */
  private writeBody(tx: WriteTransaction, base: number): void {
    this.builder.finish();
    tx.setBytes(base, FIRST_CHILD_OFFSET, this.builder.bytes, FIRST_CHILD_OFFSET, this.pageSize);
  }

  // --- split -------------------------------------------------------------------------------------------------------
  // "Combined" indexes count the page's entries with the new one at `position`.

  /** Appends combined entries [from, to) to the builder. */
  private emit(base: number, from: number, to: number, position: number, leaf: boolean): void {
    const { builder, memory } = this;
    builder.copyEntries(memory, base, from, to < position ? to : position);
    if (from <= position && position < to) {
      if (leaf)
        builder.addValue(this.key, this.keyLength, this.lengthField, this.capacity, this.value, this.from, this.to);
      else builder.addChild(this.key, this.keyLength, this.child);
    }
    builder.copyEntries(memory, base, from > position ? from - 1 : position, to - 1);
  }

  /** Copies a combined entry's key. @returns its length */
  private combinedKey(base: number, index: number, position: number, target: Uint8Array): number {
    if (index !== position) return readKey(this.memory, base, index < position ? index : index - 1, target);
    for (let i = 0; i < this.keyLength; i++) target[i] = this.key[i]!;
    return this.keyLength;
  }

  /** Bytes of prefix, slots and cells of combined entries [from, to) in a page with this prefix. */
  private combinedBytes(
    base: number,
    from: number,
    to: number,
    position: number,
    leaf: boolean,
    prefix: number,
  ): number {
    const memory = this.memory;
    const total =
      align4(prefix) +
      rangeBytes(memory, base, from, to < position ? to : position, leaf, prefix) +
      rangeBytes(memory, base, from > position ? from - 1 : position, to - 1, leaf, prefix);
    return from <= position && position < to
      ? total + entryBytes(this.keyLength - prefix, leaf ? this.capacity : 0)
      : total;
  }

  /** Builds a page from combined entries [from, to). */
  private buildRange(
    base: number,
    from: number,
    to: number,
    position: number,
    leaf: boolean,
    shares: boolean,
    firstChild: number,
  ): void {
    const own = position >= from && position < to && !shares ? 0 : prefixLengthOf(this.memory, base);
    const firstLength = from < to ? this.combinedKey(base, from, position, this.first) : 0;
    let prefix = 0;
    if (from < to) {
      const lastLength = this.combinedKey(base, to - 1, position, this.last);
      const shared = commonPrefix(this.first, firstLength, this.last, lastLength);
      const shortest = this.shortestKey(
        base,
        from > position ? from - 1 : from,
        to > position ? to - 1 : to,
        firstLength < lastLength ? firstLength : lastLength,
      );
      const withNew = position >= from && position < to && this.keyLength < shortest ? this.keyLength : shortest;
      prefix = prefixFor(leaf, shared, withNew, own);
      // Padding may make a longer prefix cost more than it saves, and the page had no byte to spare.
      if (prefix > own && this.combinedBytes(base, from, to, position, leaf, prefix) > this.pageSize - PREFIX_OFFSET)
        prefix = own;
    }
    this.builder.begin(leaf, this.first, prefix, firstChild);
    this.emit(base, from, to, position, leaf);
  }

  /**
   * Divides a full page and the entry at `position` between it and a new page to its right, then inserts the separator
   * one level up.
   * @param shares  does the entry's key start with the page's prefix? If not, it gets a page of its own
   */
  private split(
    tx: WriteTransaction,
    tree: TreeRef,
    level: number,
    position: number,
    base: number,
    shares: boolean,
  ): void {
    const memory = this.memory;
    const leaf = level === 0;
    const page = this.path[level]!;
    const count = slotCountOf(memory, base);
    const size = rangeBytes(memory, base, 0, count, leaf, prefixLengthOf(memory, base));
    this.checkSize(base, size + freeBytesOf(memory, base), count);
    const at = this.splitPoint(tree, base, level, page, position, count, size, shares);
    const separator = this.separators[(level & 1) as 0 | 1];
    const right = tx.allocate(leaf ? KIND_LEAF : KIND_BRANCH, tree.treeId);
    const rightBase = tx.edit(right);
    tx.setU8(rightBase, LEVEL_OFFSET, level);
    let length: number;
    if (leaf) {
      const leftLength = this.combinedKey(base, at - 1, position, this.first);
      const rightLength = this.combinedKey(base, at, position, separator);
      length = separatorLength(this.first, leftLength, separator, rightLength);
      if (length > rightLength) throw damagedPage(memory, base, 'keys are out of order');
      if (at === count && position === count) {
        // The new entry alone, and the left page as it is. What it shares with its neighbour predicts the prefix.
        const prefix = prefixFor(true, length - 1, this.keyLength, 0);
        this.builder.begin(true, this.key, prefix, 0);
        this.emit(base, count, count + 1, position, true);
        this.writeBody(tx, rightBase);
      } else {
        this.buildRange(base, at, count + 1, position, true, shares, 0);
        this.writeBody(tx, rightBase);
        this.buildRange(base, 0, at, position, true, shares, 0);
        this.writeBody(tx, base);
      }
      tree.state.lastPage = position < at ? page : right;
      tree.state.lastPosition = position < at ? position : position - at;
    } else {
      length = this.combinedKey(base, at, position, separator);
      const middle =
        at === position ? this.child : childOf(memory, base, slotsOf(memory, base), at < position ? at : at - 1);
      const firstChild = memory.words[(base + FIRST_CHILD_OFFSET) >> 2]!;
      this.buildRange(base, at + 1, count + 1, position, false, shares, middle);
      this.writeBody(tx, rightBase);
      this.buildRange(base, 0, at, position, false, shares, firstChild);
      this.writeBody(tx, base);
    }
    this.key = separator;
    this.keyLength = length;
    this.child = right;
    if (level === this.rootLevel) this.growRoot(tx, tree, page);
    else this.addEntry(tx, tree, level + 1, this.index[level + 1]! + 1);
  }

  /** A root above the old one, with the entry as its only separator. */
  private growRoot(tx: WriteTransaction, tree: TreeRef, oldRoot: number): void {
    const level = this.rootLevel + 1;
    if (level === LEVELS_MAX)
      throw wrongPage(oldRoot, `is the root of a tree of ${LEVELS_MAX} levels, more than a file can fill`);
    const root = tx.allocate(KIND_BRANCH, tree.treeId);
    const base = tx.edit(root);
    tx.setU8(base, LEVEL_OFFSET, level);
    this.builder.begin(false, this.key, 0, oldRoot);
    this.builder.addChild(this.key, this.keyLength, this.child);
    this.writeBody(tx, base);
    tx.setTreeRoot(tree.slot, root);
  }

  /**
   * Where to split: in a leaf the first combined entry of the right page (1 to count), in a branch the one that moves up
   * (0 to count).
   */
  private splitPoint(
    tree: TreeRef,
    base: number,
    level: number,
    page: number,
    position: number,
    count: number,
    size: number,
    shares: boolean,
  ): number {
    const memory = this.memory;
    const leaf = level === 0;
    if (!shares) return position === 0 && leaf ? 1 : position;
    const prefixLength = prefixLengthOf(memory, base);
    const slots = slotsOf(memory, base);
    const added = entryBytes(this.keyLength - prefixLength, leaf ? this.capacity : 0);
    const run = leaf && tree.state.lastPage === page && tree.state.lastPosition === position - 1 && position > 0;
    if (position === count && (run || this.rightmost)) return leaf ? count : count - 1;
    const room = this.pageSize - PREFIX_OFFSET - align4(prefixLength);
    if (run) {
      // Ascending inserts in the middle. What follows them leaves the page, which then fills up with the run; if it is only
      // little it goes on in front of the run instead.
      const rest = rangeBytes(memory, base, position, count, true, prefixLength);
      if (rest * 8 > room && size - rest + added <= room) return position + 1;
      if (rest + added <= room) return position;
    }
    const total = size + added;
    let left = 0;
    let at = 0;
    for (; at <= count; at++) {
      const entry =
        at === position ? added : SLOT_SIZE + cellSizeOf(memory, base, slots, at < position ? at : at - 1, leaf);
      if (2 * left + entry >= total) break;
      left += entry;
    }
    const most = leaf ? count : count - 1;
    return at < 1 ? 1 : at > most ? most : at;
  }

  // --- merge -------------------------------------------------------------------------------------------------------

  /** After a removal: joins thin pages of the path with neighbours, bottom up, and takes empty ones out. */
  private rebalance(tx: WriteTransaction, tree: TreeRef): void {
    const memory = this.memory;
    for (let level = 0; level < this.rootLevel; level++) {
      const page = this.path[level]!;
      const base = tx.edit(page);
      if (usedBytesOf(memory, base) * 3 >= this.pageSize) return;
      if (level === 0 && slotCountOf(memory, base) === 0) {
        level = this.removeChild(tx, tree);
        continue;
      }
      const parent = tx.edit(this.path[level + 1]!);
      const slots = slotsOf(memory, parent);
      const at = this.index[level + 1]!;
      const merged =
        (at >= 0 && this.merge(tx, tree, level, parent, at, childOf(memory, parent, slots, at - 1), page)) ||
        (at + 1 < slotCountOf(memory, parent) &&
          this.merge(tx, tree, level, parent, at + 1, page, childOf(memory, parent, slots, at + 1)));
      if (!merged) return;
    }
    this.shrinkRoot(tx, tree);
  }

  /** While the root is a branch without separators, its only child becomes the root. */
  private shrinkRoot(tx: WriteTransaction, tree: TreeRef): void {
    const memory = this.memory;
    let level = this.rootLevel;
    if (level === 0) return;
    let root = this.path[level]!;
    const before = root;
    for (; level > 0; level--) {
      const base = tx.view.page(root);
      if (slotCountOf(memory, base) > 0) break;
      const child = memory.words[(base + FIRST_CHILD_OFFSET) >> 2]!;
      tx.free(root);
      this.childPage(tx.view, tree, level - 1, child);
      root = child;
    }
    if (root !== before) tx.setTreeRoot(tree.slot, root);
  }

  /**
   * Takes the empty leaf of the path out of its parent, with the branches above that have no other child.
   * @returns the level of the topmost page removed; if nothing else is left, the leaf becomes the root
   */
  private removeChild(tx: WriteTransaction, tree: TreeRef): number {
    const memory = this.memory;
    let top = 0;
    while (top < this.rootLevel && slotCountOf(memory, tx.view.page(this.path[top + 1]!)) === 0) top++;
    const leaf = this.path[0]!;
    for (let level = 1; level <= top; level++) tx.free(this.path[level]!);
    if (top === this.rootLevel) {
      tx.setTreeRoot(tree.slot, leaf);
      this.path[top] = leaf;
      this.rootLevel = 0;
      return 0;
    }
    tx.free(leaf);
    const parent = tx.edit(this.path[top + 1]!);
    const at = this.index[top + 1]!;
    if (at < 0) {
      tx.setU32(parent, FIRST_CHILD_OFFSET, childOf(memory, parent, slotsOf(memory, parent), 0));
      this.removeEntry(tx, parent, 0, false);
    } else this.removeEntry(tx, parent, at, false);
    return top;
  }

  /**
   * Joins two neighbours into the left page if they fit with room to spare.
   * @param at  the slot of `parent` that separates them
   */
  private merge(
    tx: WriteTransaction,
    tree: TreeRef,
    level: number,
    parent: number,
    at: number,
    left: number,
    right: number,
  ): boolean {
    const memory = this.memory;
    const leaf = level === 0;
    const { view } = tx;
    // Both are pinned or dirty while the other is fetched: one of them is the path's page, which is dirty.
    const leftBase = this.childPage(view, tree, level, left);
    const rightBase = this.childPage(view, tree, level, right);
    if (left === right) throw wrongPage(left, 'is its own neighbour');
    const leftCount = slotCountOf(memory, leftBase);
    const rightCount = slotCountOf(memory, rightBase);
    const separator = this.separators[0];
    const separatorSize = leaf ? 0 : readKey(memory, parent, at, separator);
    const firstLength =
      leftCount > 0
        ? readKey(memory, leftBase, 0, this.first)
        : leaf
          ? readKey(memory, rightBase, 0, this.first)
          : copy(separator, separatorSize, this.first);
    const lastLength =
      rightCount > 0
        ? readKey(memory, rightBase, rightCount - 1, this.last)
        : leaf
          ? readKey(memory, leftBase, leftCount - 1, this.last)
          : copy(separator, separatorSize, this.last);
    const shared = commonPrefix(this.first, firstLength, this.last, lastLength);
    let shortest = this.shortestKey(rightBase, 0, rightCount, this.shortestKey(leftBase, 0, leftCount, lastLength));
    if (!leaf && separatorSize < shortest) shortest = separatorSize;
    const less = Math.min(prefixLengthOf(memory, leftBase), prefixLengthOf(memory, rightBase));
    const prefix = prefixFor(leaf, shared, shortest, Math.min(less, shared, shortest));
    const total =
      align4(prefix) +
      rangeBytes(memory, leftBase, 0, leftCount, leaf, prefix) +
      rangeBytes(memory, rightBase, 0, rightCount, leaf, prefix) +
      (leaf ? 0 : entryBytes(separatorSize - prefix, 0));
    if (total > this.pageSize - (this.pageSize >>> 3)) return false;
    this.builder.begin(leaf, this.first, prefix, memory.words[(leftBase + FIRST_CHILD_OFFSET) >> 2]!);
    this.builder.copyEntries(memory, leftBase, 0, leftCount);
    if (!leaf) this.builder.addChild(separator, separatorSize, memory.words[(rightBase + FIRST_CHILD_OFFSET) >> 2]!);
    this.builder.copyEntries(memory, rightBase, 0, rightCount);
    this.writeBody(tx, tx.edit(left));
    tx.free(right);
    this.removeEntry(tx, parent, at, false);
    return true;
  }
}

/**
 * Corrects the number of entries in the catalogue.
 * @throws CorruptionError SOMBRA_TREE_COUNT when the catalogue counted wrongly before
 */
function addCount(tx: WriteTransaction, tree: TreeRef, delta: 1 | -1): void {
  const count = tx.view.treeCount(tree.slot) + delta;
  if (count < 0 || count > Number.MAX_SAFE_INTEGER) {
    throw new CorruptionError(
      'SOMBRA_TREE_COUNT',
      `the catalogue counts ${count - delta} entries of tree ${tree.treeId}, and it has more or fewer; the file is damaged: run verify, restore from a backup`,
    );
  }
  tx.addTreeCount(tree.slot, delta);
}

function copy(source: Uint8Array, length: number, target: Uint8Array): number {
  for (let i = 0; i < length; i++) target[i] = source[i]!;
  return length;
}

const writers = new WeakMap<PageCache, TreeWriter>();

/** The writer of a page cache. */
export function treeWriter(cache: PageCache): TreeWriter {
  let writer = writers.get(cache);
  if (writer === undefined) writers.set(cache, (writer = new TreeWriter(cache)));
  return writer;
}
