/**
 * Id block: ascending ids of nodes or edges that share a label or type. Little-endian; begins at a multiple of 4.
 *
 *   offset  size  field     notes
 *        0     1  format    format number in the high four bits (1), flags in the low ones: 1 wide
 *        1     3  reserved  zero
 *        4        ids       u32 per id; wide: u64 per id, below 2^48. Their number follows from the length of the value
 *
 * Source: docs/format/id-block.md. id-block.test.ts compares its table with these constants.
 */
import { CorruptionError } from '@sombra/vfs';

export const ID_BLOCK_FORMAT = 1;
export const ID_BLOCK_FORMAT_OFFSET = 0;
export const ID_BLOCK_IDS_OFFSET = ID_BLOCK_FORMAT_OFFSET + 4;
/** Flag in the low bits of the first byte. */
export const ID_BLOCK_WIDE = 1;

const NARROW_WORD = ID_BLOCK_FORMAT << 4;
const WIDE_WORD = NARROW_WORD | ID_BLOCK_WIDE;
const TWO_32 = 0x1_0000_0000;

/** Largest block in bytes for a page size. */
export function idBlockSizeMax(pageSize: number): number {
  return Math.min(1024, pageSize >> 3);
}

/**
 * Tests a block.
 * @param at  byte offset of the block in `words`, a multiple of 4
 * @returns bytes per id: 4, or 8 in a wide block
 * @throws CorruptionError SOMBRA_ID_BLOCK
 */
export function checkIdBlock(words: Uint32Array, at: number, length: number): number {
  const word = words[at >> 2]!;
  const size = word === NARROW_WORD ? 4 : 8;
  if (
    (word !== NARROW_WORD && word !== WIDE_WORD) ||
    length <= ID_BLOCK_IDS_OFFSET ||
    (length - ID_BLOCK_IDS_OFFSET) % size !== 0
  ) {
    throw damagedIdBlock(`${length} bytes that begin with ${word} are no block`);
  }
  return size;
}

/** Id at position `i` of a checked block. */
export function idAt(words: Uint32Array, at: number, size: number, i: number): number {
  if (size === 4) return words[((at + ID_BLOCK_IDS_OFFSET) >> 2) + i]!;
  const word = ((at + ID_BLOCK_IDS_OFFSET) >> 2) + i * 2;
  return words[word]! + (words[word + 1]! & 0xffff) * TWO_32;
}

/** Position of the first id that is not below `id` in a checked block of `count` ids. */
export function searchIds(words: Uint32Array, at: number, size: number, count: number, id: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (idAt(words, at, size, middle) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Encodes ids[from, to) into `bytes` (with `words` over the same memory). @returns size of the block */
export function buildIdBlock(
  bytes: Uint8Array,
  words: Uint32Array,
  ids: Float64Array,
  from: number,
  to: number,
): number {
  const wide = to > from && ids[to - 1]! >= TWO_32;
  bytes.fill(0, 0, ID_BLOCK_IDS_OFFSET);
  bytes[ID_BLOCK_FORMAT_OFFSET] = wide ? WIDE_WORD : NARROW_WORD;
  let word = ID_BLOCK_IDS_OFFSET >> 2;
  for (let i = from; i < to; i += 1) {
    words[word++] = ids[i]!;
    if (wide) words[word++] = Math.floor(ids[i]! / TWO_32);
  }
  return word * 4;
}

/** Ids that fit into a block of `size` bytes when the largest of them is `id`. */
export function idCapacity(size: number, id: number): number {
  return (size - ID_BLOCK_IDS_OFFSET) >> (id >= TWO_32 ? 3 : 2);
}

/** A block whose bytes make no sense. */
export function damagedIdBlock(what: string): CorruptionError {
  return new CorruptionError(
    'SOMBRA_ID_BLOCK',
    `the index of labels or edge types is damaged: ${what}; run verify, restore from a backup`,
  );
}
