/**
 * Layout of tree pages. Little-endian; keys compare as bytes. Offsets count from the start of the page; the first
 * 24 bytes are the pager's page header, of which `flags` (17) holds the level and `aux` (20) a branch's first child.
 *
 *   offset  size  field          notes
 *        0    17                 page header of the pager
 *       17     1  level          0 in leaves; a branch of level n has children of level n - 1
 *       18     2                 page header of the pager: tree id
 *       20     4  firstChild     branch: child for keys below the first separator; leaf: 0
 *       24     2  slotCount
 *       26     2  contentSize    bytes from the lowest cell to the end of the page
 *       28     2  freeBytes      bytes inside the content that no cell uses
 *       30     2  prefixLength   length of the prefix that all keys of the page share
 *       32        prefix         zero-padded to a multiple of 4; the slots follow it
 *
 * Source: docs/format/btree.md. format.test.ts compares its tables with these constants.
 */

/** Kind of a branch page in the page header. */
export const KIND_BRANCH = 16;
/** Kind of a leaf page in the page header. */
export const KIND_LEAF = 17;
/** Kind of an overflow page in the page header. */
export const KIND_OVERFLOW = 18;

export const KIND_OFFSET = 16;
export const LEVEL_OFFSET = 17;
export const TREE_ID_OFFSET = 18;
export const FIRST_CHILD_OFFSET = 20;
export const SLOT_COUNT_OFFSET = FIRST_CHILD_OFFSET + 4;
export const CONTENT_SIZE_OFFSET = SLOT_COUNT_OFFSET + 2;
export const FREE_BYTES_OFFSET = CONTENT_SIZE_OFFSET + 2;
export const PREFIX_LENGTH_OFFSET = FREE_BYTES_OFFSET + 2;
export const PREFIX_OFFSET = PREFIX_LENGTH_OFFSET + 2;

/** A slot: cell offset u16, suffix length u16, head u32 (first four bytes of the suffix as a big-endian number). */
export const SLOT_SIZE = 8;
export const SLOT_CELL_OFFSET = 0;
export const SLOT_SUFFIX_OFFSET = SLOT_CELL_OFFSET + 2;
export const SLOT_HEAD_OFFSET = SLOT_SUFFIX_OFFSET + 2;
/** Bytes of a key suffix that its slot holds. */
export const HEAD_SIZE = 4;

/** Leaf cell: value length u16 (bit 15: overflow), capacity u16, key tail, padding to 4, value, slack. */
export const CELL_LENGTH_OFFSET = 0;
export const CELL_CAPACITY_OFFSET = CELL_LENGTH_OFFSET + 2;
/** Branch cell: child page u32, key tail, padding to 4. */
export const CELL_CHILD_OFFSET = 0;
/** The key tail (bytes of the suffix after the head) starts here in both kinds of cell. */
export const CELL_TAIL_OFFSET = 4;
/** Set in a leaf cell's value length when the cell holds an overflow reference instead of the value. */
export const OVERFLOW_FLAG = 0x8000;

/** Overflow reference, the value of a flagged cell: total length u32, first page u32. */
export const REFERENCE_LENGTH_OFFSET = 0;
export const REFERENCE_PAGE_OFFSET = REFERENCE_LENGTH_OFFSET + 4;
export const REFERENCE_SIZE = REFERENCE_PAGE_OFFSET + 4;

/** Overflow page: next page in the page header's aux, then bytes left in the chain from this page on, then data. */
export const OVERFLOW_NEXT_OFFSET = 20;
export const OVERFLOW_REMAINING_OFFSET = OVERFLOW_NEXT_OFFSET + 4;
export const OVERFLOW_DATA_OFFSET = OVERFLOW_REMAINING_OFFSET + 4;

/** Levels of a tree at most: a branch has a level below this. */
export const LEVELS_MAX = 32;
/** Largest value in bytes. */
export const VALUE_SIZE_MAX = 64 * 1024 * 1024;

/** Rounds up to the next multiple of 4. */
export function align4(size: number): number {
  return (size + 3) & ~3;
}

/** Longest key in bytes that a tree on pages of this size takes: an eighth of a page. */
export function keySizeMax(pageSize: number): number {
  return pageSize >> 3;
}

/** Most bytes that one entry may take in a page, slot included: at least four fit. */
export function entrySizeMax(pageSize: number): number {
  return ((pageSize - PREFIX_OFFSET) >> 2) & ~3;
}

/**
 * Largest value, slack included, that stays inside a leaf for a key of this length; larger ones go to overflow pages.
 * @returns bytes, a multiple of 4
 */
export function inlineSizeMax(pageSize: number, keyLength: number): number {
  const tail = keyLength > HEAD_SIZE ? keyLength - HEAD_SIZE : 0;
  return entrySizeMax(pageSize) - SLOT_SIZE - CELL_TAIL_OFFSET - align4(tail);
}

/** Data bytes of one overflow page. */
export function overflowPayload(pageSize: number): number {
  return pageSize - OVERFLOW_DATA_OFFSET;
}

/**
 * The memory that pages lie in, seen as bytes, 16-bit and 32-bit words of one buffer. The pager's cache is one; so is
 * the scratch page of a builder.
 */
export interface PageMemory {
  readonly bytes: Uint8Array;
  readonly halves: Uint16Array;
  readonly words: Uint32Array;
  readonly pageSize: number;
}
