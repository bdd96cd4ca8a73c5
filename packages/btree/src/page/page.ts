/**
 * Reading one slotted page: fields, binary search, keys. Free functions over the cache's typed arrays; nothing
 * allocates. Each function tests what it is about to use, so that a damaged page gives a CorruptionError and never a
 * read outside of the page.
 *
 * Source: docs/format/btree.md.
 */
import {
  align4,
  CELL_CAPACITY_OFFSET,
  CELL_LENGTH_OFFSET,
  CELL_TAIL_OFFSET,
  CONTENT_SIZE_OFFSET,
  FIRST_CHILD_OFFSET,
  FREE_BYTES_OFFSET,
  HEAD_SIZE,
  KIND_BRANCH,
  KIND_LEAF,
  KIND_OFFSET,
  LEVELS_MAX,
  OVERFLOW_FLAG,
  PREFIX_LENGTH_OFFSET,
  PREFIX_OFFSET,
  REFERENCE_PAGE_OFFSET,
  REFERENCE_SIZE,
  SLOT_COUNT_OFFSET,
  SLOT_SIZE,
  type PageMemory,
} from './layout.ts';
import { damagedPage, wrongPage } from './fault.ts';

/** Kind, level and tree id as one number, as they lie in the page header: one compare checks all three. */
export function identityOf(kind: number, level: number, treeId: number): number {
  return (kind | (level << 8) | (treeId << 16)) >>> 0;
}

/** Identity of a tree page of this level: a leaf at level 0, else a branch. */
export function pageIdentityAt(level: number, treeId: number): number {
  return identityOf(level === 0 ? KIND_LEAF : KIND_BRANCH, level, treeId);
}

/** The page's own kind, level and tree id; compare with {@link identityOf}. */
export function pageIdentity(memory: PageMemory, base: number): number {
  return memory.words[(base + KIND_OFFSET) >> 2]!;
}

/**
 * Level of a tree's root page.
 * @throws CorruptionError SOMBRA_TREE_PAGE when it is no page of this tree, or too high
 */
export function treeLevel(memory: PageMemory, base: number, treeId: number, pageNumber: number): number {
  const identity = memory.words[(base + KIND_OFFSET) >> 2]!;
  const level = (identity >>> 8) & 0xff;
  if (level >= LEVELS_MAX || identity !== pageIdentityAt(level, treeId))
    throw wrongPage(pageNumber, `is not a root of tree ${treeId}`);
  return level;
}

export function slotCountOf(memory: PageMemory, base: number): number {
  return memory.halves[(base + SLOT_COUNT_OFFSET) >> 1]!;
}

export function prefixLengthOf(memory: PageMemory, base: number): number {
  return memory.halves[(base + PREFIX_LENGTH_OFFSET) >> 1]!;
}

export function contentSizeOf(memory: PageMemory, base: number): number {
  return memory.halves[(base + CONTENT_SIZE_OFFSET) >> 1]!;
}

export function freeBytesOf(memory: PageMemory, base: number): number {
  return memory.halves[(base + FREE_BYTES_OFFSET) >> 1]!;
}

/** Byte offset of the slot array in `memory`, after testing that prefix, slots and cells fit into the page. */
export function slotsOf(memory: PageMemory, base: number): number {
  const halves = memory.halves;
  const slots = base + PREFIX_OFFSET + align4(halves[(base + PREFIX_LENGTH_OFFSET) >> 1]!);
  const used =
    slots - base + halves[(base + SLOT_COUNT_OFFSET) >> 1]! * SLOT_SIZE + halves[(base + CONTENT_SIZE_OFFSET) >> 1]!;
  if (used > memory.pageSize) throw damagedPage(memory, base, 'prefix, slots and cells exceed the page');
  return slots;
}

/** Bytes between the slot array and the lowest cell. */
export function gapOf(memory: PageMemory, base: number): number {
  return (
    memory.pageSize -
    (slotsOf(memory, base) - base) -
    slotCountOf(memory, base) * SLOT_SIZE -
    contentSizeOf(memory, base)
  );
}

/** Bytes in use by prefix, slots and cells, without the page header. */
export function usedBytesOf(memory: PageMemory, base: number): number {
  return memory.pageSize - PREFIX_OFFSET - gapOf(memory, base) - freeBytesOf(memory, base);
}

/** First four bytes of a key's suffix as a big-endian number, zero-padded. */
export function headOf(key: Uint8Array, prefixLength: number, keyLength: number): number {
  const left = keyLength - prefixLength;
  if (left >= 4) {
    return (
      ((key[prefixLength]! << 24) |
        (key[prefixLength + 1]! << 16) |
        (key[prefixLength + 2]! << 8) |
        key[prefixLength + 3]!) >>>
      0
    );
  }
  if (left === 3)
    return ((key[prefixLength]! << 24) | (key[prefixLength + 1]! << 16) | (key[prefixLength + 2]! << 8)) >>> 0;
  if (left === 2) return ((key[prefixLength]! << 24) | (key[prefixLength + 1]! << 16)) >>> 0;
  if (left === 1) return (key[prefixLength]! << 24) >>> 0;
  return 0;
}

/**
 * Compares a key with the key of a slot that has the same prefix and the same head.
 * @returns negative, 0, positive as `key` is less than, equal to or greater than the slot's key
 */
export function compareTail(
  memory: PageMemory,
  base: number,
  slot: number,
  key: Uint8Array,
  keyLength: number,
  prefixLength: number,
): number {
  const halves = memory.halves;
  const suffix = keyLength - prefixLength;
  const slotSuffix = halves[(slot + 2) >> 1]!;
  if (slotSuffix > HEAD_SIZE && suffix > HEAD_SIZE) {
    const bytes = memory.bytes;
    const cell = halves[slot >> 1]!;
    if (cell + CELL_TAIL_OFFSET + slotSuffix - HEAD_SIZE > memory.pageSize)
      throw damagedPage(memory, base, 'a key leaves the page');
    const common = (suffix < slotSuffix ? suffix : slotSuffix) - HEAD_SIZE;
    let at = base + cell + CELL_TAIL_OFFSET;
    let from = prefixLength + HEAD_SIZE;
    for (const end = at + common; at < end; at++, from++) {
      const difference = key[from]! - bytes[at]!;
      if (difference !== 0) return difference;
    }
  }
  return suffix - slotSuffix;
}

/**
 * Compares a key with the page's prefix.
 * @returns 0 when the key starts with the prefix, negative when it sorts before every key that does, else positive
 */
export function comparePrefix(memory: PageMemory, base: number, key: Uint8Array, keyLength: number): number {
  const bytes = memory.bytes;
  const prefixLength = prefixLengthOf(memory, base);
  const common = keyLength < prefixLength ? keyLength : prefixLength;
  const prefix = base + PREFIX_OFFSET;
  for (let i = 0; i < common; i++) {
    const difference = key[i]! - bytes[prefix + i]!;
    if (difference !== 0) return difference;
  }
  return keyLength < prefixLength ? -1 : 0;
}

/**
 * Binary search for a key in a page.
 * @returns the slot index of the equal key, or `~position` where it would be inserted
 * @throws CorruptionError SOMBRA_TREE_PAGE
 */
export function searchPage(memory: PageMemory, base: number, key: Uint8Array, keyLength: number): number {
  const slots = slotsOf(memory, base);
  const words = memory.words;
  const count = memory.halves[(base + SLOT_COUNT_OFFSET) >> 1]!;
  const prefixLength = memory.halves[(base + PREFIX_LENGTH_OFFSET) >> 1]!;
  if (prefixLength > 0) {
    const order = comparePrefix(memory, base, key, keyLength);
    if (order !== 0) return order < 0 ? ~0 : ~count;
  }
  const head = headOf(key, prefixLength, keyLength);
  const heads = (slots >> 2) + 1;
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = words[heads + middle + middle]!;
    if (other < head) low = middle + 1;
    else if (other > head) high = middle;
    else {
      const order = compareTail(memory, base, slots + middle * SLOT_SIZE, key, keyLength, prefixLength);
      if (order > 0) low = middle + 1;
      else if (order < 0) high = middle;
      else return middle;
    }
  }
  return ~low;
}

const u48Key = new Uint8Array(6);

/** Writes a 48-bit id as six big-endian bytes. */
export function writeU48(target: Uint8Array, at: number, id: number): void {
  const high = (id / 0x100000000) & 0xffff;
  const low = id >>> 0;
  target[at] = high >>> 8;
  target[at + 1] = high;
  target[at + 2] = low >>> 24;
  target[at + 3] = low >>> 16;
  target[at + 4] = low >>> 8;
  target[at + 5] = low;
}

/**
 * {@link searchPage} for the six-byte key of a 48-bit id, given as its two parts. Where the page has the two-byte
 * prefix that ids usually give it, the head is the whole rest of the key; in a page of consecutive ids the position
 * is then id minus first id, which is tried before the search.
 */
export function searchU48(memory: PageMemory, base: number, high: number, low: number): number {
  const words = memory.words;
  const halves = memory.halves;
  const slots = slotsOf(memory, base);
  const count = halves[(base + SLOT_COUNT_OFFSET) >> 1]!;
  const prefixLength = halves[(base + PREFIX_LENGTH_OFFSET) >> 1]!;
  const heads = (slots >> 2) + 1;
  let head: number;
  if (prefixLength === 2) {
    const prefix = halves[(base + PREFIX_OFFSET) >> 1]!;
    const order = high - ((prefix >>> 8) | ((prefix & 0xff) << 8));
    if (order !== 0) return order < 0 ? ~0 : ~count;
    head = low;
    if (count > 0) {
      const guess = low - words[heads]!;
      if (
        guess >= 0 &&
        guess < count &&
        words[heads + guess + guess] === low &&
        halves[((slots + guess * SLOT_SIZE) >> 1) + 1] === 4
      ) {
        return guess;
      }
    }
  } else if (prefixLength > 2 && prefixLength <= 4) {
    const prefix = words[(base + PREFIX_OFFSET) >> 2]!;
    const theirs = ((prefix << 24) | ((prefix & 0xff00) << 8) | ((prefix >>> 8) & 0xff00) | (prefix >>> 24)) >>> 0;
    const top = ((high << 16) | (low >>> 16)) >>> 0;
    const ours = prefixLength === 4 ? top : (top & 0xffffff00) >>> 0;
    if (ours !== theirs) return ours < theirs ? ~0 : ~count;
    head = prefixLength === 4 ? (low << 16) >>> 0 : (low << 8) >>> 0;
  } else {
    writeU48(u48Key, 0, high * 0x100000000 + low);
    return searchPage(memory, base, u48Key, 6);
  }
  const suffix = 6 - prefixLength;
  let from = 0;
  let to = count;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const other = words[heads + middle + middle]!;
    if (other < head) from = middle + 1;
    else if (other > head) to = middle;
    else {
      // Our suffix lies in the head as a whole: the shorter key sorts first.
      const theirs = halves[((slots + middle * SLOT_SIZE) >> 1) + 1]!;
      if (theirs < suffix) from = middle + 1;
      else if (theirs > suffix) to = middle;
      else return middle;
    }
  }
  return ~from;
}

/** Writes the key of a slot into `target` (at least keySizeMax bytes). @returns its length */
export function readKey(memory: PageMemory, base: number, index: number, target: Uint8Array): number {
  const bytes = memory.bytes;
  const slot = slotsOf(memory, base) + index * SLOT_SIZE;
  const prefixLength = prefixLengthOf(memory, base);
  const suffix = memory.halves[(slot + 2) >> 1]!;
  const length = prefixLength + suffix;
  if (length > target.length) throw damagedPage(memory, base, 'a key is longer than keys may be');
  const prefix = base + PREFIX_OFFSET;
  for (let i = 0; i < prefixLength; i++) target[i] = bytes[prefix + i]!;
  const head = memory.words[(slot + 4) >> 2]!;
  if (suffix >= 4) {
    target[prefixLength] = head >>> 24;
    target[prefixLength + 1] = head >>> 16;
    target[prefixLength + 2] = head >>> 8;
    target[prefixLength + 3] = head;
    if (suffix > 4) {
      const cell = memory.halves[slot >> 1]!;
      if (cell + CELL_TAIL_OFFSET + suffix - HEAD_SIZE > memory.pageSize)
        throw damagedPage(memory, base, 'a key leaves the page');
      let at = base + cell + CELL_TAIL_OFFSET;
      for (let i = prefixLength + HEAD_SIZE; i < length; i++) target[i] = bytes[at++]!;
    }
  } else {
    for (let i = 0; i < suffix; i++) target[prefixLength + i] = head >>> (24 - 8 * i);
  }
  return length;
}

/**
 * Offset of a leaf slot's value from the start of the page, after testing that the whole cell lies inside of the
 * page's content and is aligned.
 */
export function valueOffsetOf(memory: PageMemory, base: number, slots: number, index: number): number {
  const halves = memory.halves;
  const slot = (slots + index * SLOT_SIZE) >> 1;
  const cell = halves[slot]!;
  const suffix = halves[slot + 1]!;
  const value = cell + CELL_TAIL_OFFSET + (suffix > HEAD_SIZE ? align4(suffix - HEAD_SIZE) : 0);
  if (
    (cell & 3) !== 0 ||
    cell < memory.pageSize - halves[(base + CONTENT_SIZE_OFFSET) >> 1]! ||
    value + halves[(base + cell + CELL_CAPACITY_OFFSET) >> 1]! > memory.pageSize
  ) {
    throw damagedPage(memory, base, `the cell of slot ${index} leaves the content`);
  }
  return value;
}

/**
 * Finds out what a leaf's cell holds, after {@link valueOffsetOf} has tested its place.
 * @param value  byte offset of its value in `memory`, as valueOffsetOf gives it, plus `base`
 * @returns first page of the value's overflow chain, 0 for a value inside the cell
 * @throws CorruptionError SOMBRA_TREE_PAGE when the length is neither within the capacity nor that of a reference
 */
export function overflowOf(memory: PageMemory, base: number, slots: number, index: number, value: number): number {
  const cell = base + memory.halves[(slots + index * SLOT_SIZE) >> 1]!;
  const length = memory.halves[(cell + CELL_LENGTH_OFFSET) >> 1]!;
  const capacity = memory.halves[(cell + CELL_CAPACITY_OFFSET) >> 1]!;
  if (length <= capacity) return 0;
  if (length !== (OVERFLOW_FLAG | REFERENCE_SIZE) || capacity < REFERENCE_SIZE) {
    throw damagedPage(memory, base, `the value of slot ${index} exceeds its cell`);
  }
  const page = memory.words[(value + REFERENCE_PAGE_OFFSET) >> 2]!;
  if (page === 0) throw damagedPage(memory, base, `the value of slot ${index} has no place in the file`);
  return page;
}

/** Child page of a branch: of slot `index`, or the first child for -1. */
export function childOf(memory: PageMemory, base: number, slots: number, index: number): number {
  if (index < 0) return memory.words[(base + FIRST_CHILD_OFFSET) >> 2]!;
  const cell = memory.halves[(slots + index * SLOT_SIZE) >> 1]!;
  if (
    (cell & 3) !== 0 ||
    cell < memory.pageSize - memory.halves[(base + CONTENT_SIZE_OFFSET) >> 1]! ||
    cell > memory.pageSize - 4
  ) {
    throw damagedPage(memory, base, `the cell of slot ${index} leaves the content`);
  }
  return memory.words[(base + cell) >> 2]!;
}

/** Size in bytes of the cell of a slot: of a leaf, or of a branch. Tests that the cell lies in the content. */
export function cellSizeOf(memory: PageMemory, base: number, slots: number, index: number, leaf: boolean): number {
  const halves = memory.halves;
  const slot = (slots + index * SLOT_SIZE) >> 1;
  const cell = halves[slot]!;
  const suffix = halves[slot + 1]!;
  let size = CELL_TAIL_OFFSET + (suffix > HEAD_SIZE ? align4(suffix - HEAD_SIZE) : 0);
  if (
    (cell & 3) !== 0 ||
    cell < memory.pageSize - halves[(base + CONTENT_SIZE_OFFSET) >> 1]! ||
    cell + size > memory.pageSize
  ) {
    throw damagedPage(memory, base, `the cell of slot ${index} leaves the content`);
  }
  if (leaf) {
    size += align4(halves[(base + cell + CELL_CAPACITY_OFFSET) >> 1]!);
    if (cell + size > memory.pageSize) throw damagedPage(memory, base, `the cell of slot ${index} leaves the content`);
  }
  return size;
}
