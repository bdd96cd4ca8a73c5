/**
 * Reads pages of a tree one by one, without the tree: for what is left of a damaged file. Bytes are hostile; a page that makes no sense
 * is refused as a whole, an entry whose overflow pages are damaged by itself.
 */
import { CorruptionError } from '@sombra/vfs';
import { compareKeys } from '../page/keys.ts';
import {
  CELL_LENGTH_OFFSET,
  keySizeMax,
  KIND_BRANCH,
  KIND_LEAF,
  KIND_OFFSET,
  KIND_OVERFLOW,
  LEVEL_OFFSET,
  LEVELS_MAX,
  OVERFLOW_DATA_OFFSET,
  OVERFLOW_NEXT_OFFSET,
  OVERFLOW_REMAINING_OFFSET,
  overflowPayload,
  type PageMemory,
  REFERENCE_LENGTH_OFFSET,
  REFERENCE_PAGE_OFFSET,
  SLOT_SIZE,
  TREE_ID_OFFSET,
  VALUE_SIZE_MAX,
} from '../page/layout.ts';
import { childOf, overflowOf, readKey, slotCountOf, slotsOf, valueOffsetOf } from '../page/page.ts';

/** Where pages come from. */
export interface PageSource {
  readonly pageSize: number;
  /** Pages of the file. */
  readonly pageCount: number;
  /**
   * Reads a page whose checksum is right.
   * @param into  exactly one page, at a multiple of 4 of its buffer
   * @throws CorruptionError; IoError SOMBRA_IO
   */
  read(pageNumber: number, into: Uint8Array): void;
}

/** What a page says of itself. */
export interface TreePageKind {
  readonly kind: 'branch' | 'leaf';
  /** 0 in leaves. */
  readonly level: number;
  readonly treeId: number;
}

/** A child of a branch: its keys are >= `low` and < `high`; undefined: what bounds the branch. */
export interface BranchChild {
  readonly page: number;
  readonly low: Uint8Array | undefined;
  readonly high: Uint8Array | undefined;
}

/** An entry of a leaf. */
export interface LeafEntry {
  readonly key: Uint8Array;
  /** undefined when the pages that it continues on are damaged. */
  readonly value: Uint8Array | undefined;
}

/** Memory for one page, and the page that was read into it last. */
export class PageBuffer implements PageMemory {
  readonly bytes: Uint8Array;
  readonly halves: Uint16Array;
  readonly words: Uint32Array;
  readonly pageSize: number;

  constructor(pageSize: number) {
    const buffer = new ArrayBuffer(pageSize);
    this.bytes = new Uint8Array(buffer);
    this.halves = new Uint16Array(buffer);
    this.words = new Uint32Array(buffer);
    this.pageSize = pageSize;
  }

  /** undefined for a page of no tree. */
  get treeKind(): TreePageKind | undefined {
    const { bytes, halves } = this;
    const kind = bytes[KIND_OFFSET];
    const level = bytes[LEVEL_OFFSET]!;
    const treeId = halves[TREE_ID_OFFSET >> 1]!;
    if (kind === KIND_LEAF && level === 0) return { kind: 'leaf', level, treeId };
    if (kind === KIND_BRANCH && level > 0 && level < LEVELS_MAX) return { kind: 'branch', level, treeId };
    return undefined;
  }
}

/** Children of a branch, with the separators between them. @throws CorruptionError SOMBRA_TREE_PAGE, SOMBRA_TREE_ORDER */
export function readBranch(page: PageBuffer, pageNumber: number): BranchChild[] {
  const separators = keysOf(page, pageNumber);
  const slots = slotsOf(page, 0);
  return Array.from({ length: separators.length + 1 }, (_, i) => ({
    page: childOf(page, 0, slots, i - 1),
    low: separators[i - 1],
    high: separators[i],
  }));
}

/**
 * Entries of a leaf, in order.
 * @param source  gives overflow pages
 * @throws CorruptionError SOMBRA_TREE_PAGE, SOMBRA_TREE_ORDER; IoError SOMBRA_IO
 */
export function readLeaf(page: PageBuffer, pageNumber: number, source: PageSource, overflow: PageBuffer): LeafEntry[] {
  const keys = keysOf(page, pageNumber);
  const slots = slotsOf(page, 0);
  const treeId = page.halves[TREE_ID_OFFSET >> 1]!;
  return keys.map((key, i) => {
    const value = valueOffsetOf(page, 0, slots, i);
    if (overflowOf(page, 0, slots, i, value) === 0) {
      const cell = page.halves[(slots + i * SLOT_SIZE) >> 1]!;
      return { key, value: page.bytes.slice(value, value + page.halves[(cell + CELL_LENGTH_OFFSET) >> 1]!) };
    }
    const first = page.words[(value + REFERENCE_PAGE_OFFSET) >> 2]!;
    const length = page.words[(value + REFERENCE_LENGTH_OFFSET) >> 2]!;
    return { key, value: readChain(source, overflow, treeId, first, length) };
  });
}

function keysOf(page: PageBuffer, pageNumber: number): Uint8Array[] {
  slotsOf(page, 0); // tests that the slots fit into the page
  const scratch = new Uint8Array(keySizeMax(page.pageSize));
  const keys: Uint8Array[] = [];
  for (let i = 0; i < slotCountOf(page, 0); i += 1) {
    const key = scratch.slice(0, readKey(page, 0, i, scratch));
    const before = keys[i - 1];
    if (before !== undefined && compareKeys(before, before.length, key, key.length) >= 0)
      throw new CorruptionError('SOMBRA_TREE_ORDER', `page ${pageNumber}: the keys are not in order`, {
        details: { pageNumber },
      });
    keys.push(key);
  }
  return keys;
}

/** @returns undefined when a page of the chain is damaged, or is not of the chain */
function readChain(
  source: PageSource,
  page: PageBuffer,
  treeId: number,
  first: number,
  length: number,
): Uint8Array | undefined {
  const payload = overflowPayload(page.pageSize);
  if (length > VALUE_SIZE_MAX || length > source.pageCount * payload) return undefined;
  const value = new Uint8Array(length);
  for (let number = first, done = 0; done < length; ) {
    if (!readOverflowPage(source, page, number)) return undefined;
    const remaining = length - done;
    const isOurs =
      page.bytes[KIND_OFFSET] === KIND_OVERFLOW &&
      page.bytes[LEVEL_OFFSET] === 0 &&
      page.halves[TREE_ID_OFFSET >> 1] === treeId &&
      page.words[OVERFLOW_REMAINING_OFFSET >> 2] === remaining;
    if (!isOurs) return undefined;
    const part = Math.min(remaining, payload);
    value.set(page.bytes.subarray(OVERFLOW_DATA_OFFSET, OVERFLOW_DATA_OFFSET + part), done);
    done += part;
    number = page.words[OVERFLOW_NEXT_OFFSET >> 2]!;
    if ((number === 0) !== (done === length)) return undefined;
  }
  return value;
}

function readOverflowPage(source: PageSource, page: PageBuffer, number: number): boolean {
  if (number === 0 || number >= source.pageCount) return false;
  try {
    source.read(number, page.bytes);
    return true;
  } catch (error) {
    if (error instanceof CorruptionError) return false;
    throw error;
  }
}
