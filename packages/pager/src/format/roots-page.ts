/**
 * Roots page: the first page after the superblock area. Catalogue of trees, counters, freelist head. Little-endian.
 * Logged and versioned like any other page. Source: docs/format/roots.md; roots-page.test.ts compares the tables.
 *
 *   offset  size  field
 *        0    24  page header, kind 1
 *       24     4  freelist head (page number of the first trunk page, 0 = none)
 *       28     4  free pages (trunk pages included)
 *       32     4  next catalogue page, 0 in format 1
 *       36     4  reserved, 0
 *       40   128  counters, 16 safe integers
 *      168    24  reserved, 0
 *      192    64  first tree, and so on to the end of the page
 */
import { CorruptionError, decodeText, encodeText, readSafe64, readU32 } from '@sombra/vfs';
import { Catalogue, COUNTERS, sinceWord } from './catalogue.ts';
import { KIND_OFFSET, PAGE_HEADER_SIZE, PAGE_KIND_ROOTS } from './page-header.ts';

export const ROOTS_FREELIST_HEAD = PAGE_HEADER_SIZE;
export const ROOTS_FREE_COUNT = ROOTS_FREELIST_HEAD + 4;
export const ROOTS_NEXT_CATALOGUE = ROOTS_FREE_COUNT + 4;
export const ROOTS_RESERVED = ROOTS_NEXT_CATALOGUE + 4;
export const ROOTS_COUNTERS = ROOTS_RESERVED + 4;
export const ROOTS_RESERVED_2 = ROOTS_COUNTERS + COUNTERS * 8;
export const ROOTS_TREES = ROOTS_RESERVED_2 + 24;

export const TREE_ENTRY_SIZE = 64;
export const TREE_ROOT = 0;
export const TREE_SINCE = 4;
export const TREE_COUNT = 8;
export const TREE_NAME_LENGTH = 16;
export const TREE_NAME = 17;
export const TREE_NAME_MAX = TREE_ENTRY_SIZE - TREE_NAME;

/** Page number of the roots page: the first page after the superblock area of max(pageSize, 8192) bytes. */
export function rootsPage(pageSize: number): number {
  return Math.max(pageSize, 8192) / pageSize;
}

/** How many trees the catalogue can hold. */
export function treeSlots(pageSize: number): number {
  return Math.floor((pageSize - ROOTS_TREES) / TREE_ENTRY_SIZE);
}

/**
 * Reads the catalogue from a roots page whose checksum has been verified.
 * @param bytes  slab that holds the page at `base`; read only, not retained
 * @throws CorruptionError SOMBRA_ROOTS
 */
export function readRootsPage(
  bytes: Uint8Array,
  base: number,
  pageSize: number,
  lsn: number,
  pageCount: number,
): Catalogue {
  const roots = rootsPage(pageSize);
  const wrong = (what: string): never => {
    throw new CorruptionError('SOMBRA_ROOTS', `roots page ${roots}: ${what}; restore a backup`, {
      details: { pageNumber: roots },
    });
  };
  if (bytes[base + KIND_OFFSET] !== PAGE_KIND_ROOTS) wrong(`is of kind ${bytes[base + KIND_OFFSET]}`);
  const inFile = (page: number): boolean => page === 0 || (page > roots && page < pageCount);
  const catalogue = new Catalogue(treeSlots(pageSize));
  catalogue.lsn = lsn;
  catalogue.pageCount = pageCount;
  catalogue.freelistHead = readU32(bytes, base + ROOTS_FREELIST_HEAD);
  catalogue.freeCount = readU32(bytes, base + ROOTS_FREE_COUNT);
  if (!inFile(catalogue.freelistHead)) wrong(`freelist head ${catalogue.freelistHead} lies outside the file`);
  if (catalogue.freeCount >= pageCount) wrong(`${catalogue.freeCount} free pages in a file of ${pageCount}`);
  if (readU32(bytes, base + ROOTS_NEXT_CATALOGUE) !== 0)
    wrong('names a second catalogue page, which format 1 does not have');
  for (let index = 0; index < COUNTERS; index += 1) {
    const value = readSafe64(bytes, base + ROOTS_COUNTERS + index * 8);
    if (value < 0) wrong(`counter ${index} is out of range`);
    catalogue.counters[index] = value;
  }
  for (let slot = 0; slot < catalogue.roots.length; slot += 1) {
    const entry = base + ROOTS_TREES + slot * TREE_ENTRY_SIZE;
    const nameLength = bytes[entry + TREE_NAME_LENGTH]!;
    if (nameLength === 0) continue;
    if (nameLength > TREE_NAME_MAX) wrong(`the name of tree ${slot} has ${nameLength} bytes`);
    const root = readU32(bytes, entry + TREE_ROOT);
    const count = readSafe64(bytes, entry + TREE_COUNT);
    if (!inFile(root)) wrong(`the root ${root} of tree ${slot} lies outside the file`);
    if (count < 0) wrong(`the count of tree ${slot} is out of range`);
    catalogue.names[slot] = decodeText(bytes, entry + TREE_NAME, entry + TREE_NAME + nameLength);
    catalogue.roots[slot] = root;
    catalogue.counts[slot] = count;
    catalogue.since[slot] = sinceOf(readU32(bytes, entry + TREE_SINCE), lsn);
    catalogue.slotsUsed = slot + 1;
  }
  return catalogue;
}

/**
 * The newest commit up to `lsn` that ends in these 32 bits. It is never older than the one that was meant, so that a page is
 * rather taken for a freed one than for a page of the tree.
 */
function sinceOf(word: number, lsn: number): number {
  const high = lsn - (lsn >>> 0);
  return word <= lsn >>> 0 || high === 0 ? high + word : high - 2 ** 32 + word;
}

/** What `writeRootsPage` changes bytes through: a write transaction. */
export interface RootsWriter {
  setU32(base: number, offset: number, value: number): void;
  setU64(base: number, offset: number, value: number): void;
  setBytes(base: number, offset: number, source: Uint8Array, from: number, to: number): void;
}

/** Writes the fields in which `after` differs from `before`, as page operations on the roots page at `base`. */
export function writeRootsPage(tx: RootsWriter, base: number, before: Catalogue, after: Catalogue): void {
  if (after.freelistHead !== before.freelistHead) tx.setU32(base, ROOTS_FREELIST_HEAD, after.freelistHead);
  if (after.freeCount !== before.freeCount) tx.setU32(base, ROOTS_FREE_COUNT, after.freeCount);
  for (let index = 0; index < COUNTERS; index += 1) {
    const value = after.counters[index]!;
    if (value !== before.counters[index]) tx.setU64(base, ROOTS_COUNTERS + index * 8, value);
  }
  const used = Math.max(before.slotsUsed, after.slotsUsed);
  for (let slot = 0; slot < used; slot += 1) {
    const entry = ROOTS_TREES + slot * TREE_ENTRY_SIZE;
    if (after.roots[slot] !== before.roots[slot]) tx.setU32(base, entry + TREE_ROOT, after.roots[slot]!);
    if (after.counts[slot] !== before.counts[slot]) tx.setU64(base, entry + TREE_COUNT, after.counts[slot]!);
    const since = sinceWord(after.since[slot]!);
    if (since !== sinceWord(before.since[slot]!)) tx.setU32(base, entry + TREE_SINCE, since);
    const name = after.names[slot]!;
    if (name === before.names[slot]) continue;
    const field = new Uint8Array(TREE_ENTRY_SIZE - TREE_NAME_LENGTH);
    const text = encodeText(name);
    field[0] = text.length;
    field.set(text, 1);
    tx.setBytes(base, entry + TREE_NAME_LENGTH, field, 0, field.length);
  }
}
