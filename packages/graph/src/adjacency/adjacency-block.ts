/**
 * Adjacency block: edges of one node in one direction, in columns, by edge id. Little-endian; begins at a multiple of 4.
 *
 *   offset  size  field       notes
 *        0     1  format      format number in the high four bits (1), flags in the low ones: 1 wide, 2 chains, 4 type head
 *        1     1  typeCount   number of types in the block, 1 to 255; 0 in heads
 *        2     2  count       edges in the block
 *        4     2  capacity    edges that the columns have room for
 *        6     2  firstType   edge type with index 0
 *        8        neighbours  u32 per place: low 32 bits of the neighbour's id
 *                 edges       u32 per place: low 32 bits of the edge's id
 *                 highs       wide: u16 per place for neighbours, then for edges: high 16 bits
 *                 typeIndexes typeCount > 1: u8 per place, padded to 4
 *                 types       typeCount > 1: u16 per type, index 0 = firstType, padded to 4
 *
 * A node with more edges than a block takes has chains instead: a head (flag 2) under the node's key, per type a head
 * (flag 4) under node and type, and blocks of one type under node, type and a lower bound of their edge ids. Heads:
 *
 *   offset  size  field       notes
 *        0     1  format      as above, flag 2 or 4
 *        1     3  reserved    zero
 *        4     4  degree      edges of the node, or of the node and type
 *
 * Source: docs/format/adjacency.md. adjacency-block.test.ts compares its tables with these constants.
 */
import { CorruptionError } from '@sombra/vfs';
import type { EdgeColumns } from './edge-columns.ts';
import type { TypeFilter } from '../names/type-filter.ts';

export const BLOCK_FORMAT = 1;
export const BLOCK_FORMAT_OFFSET = 0;
export const BLOCK_TYPE_COUNT_OFFSET = BLOCK_FORMAT_OFFSET + 1;
export const BLOCK_COUNT_OFFSET = BLOCK_TYPE_COUNT_OFFSET + 1;
export const BLOCK_CAPACITY_OFFSET = BLOCK_COUNT_OFFSET + 2;
export const BLOCK_FIRST_TYPE_OFFSET = BLOCK_CAPACITY_OFFSET + 2;
export const BLOCK_NEIGHBOURS_OFFSET = BLOCK_FIRST_TYPE_OFFSET + 2;

export const HEAD_DEGREE_OFFSET = 4;
export const HEAD_SIZE = HEAD_DEGREE_OFFSET + 4;

/** Low bits of the first byte. */
export const FLAG_WIDE = 1;
export const FLAG_CHAINS = 2;
export const FLAG_TYPE_HEAD = 4;

/** First two bytes of a block of one type with 32-bit ids, the usual case: format, no flags, one type. */
export const SIMPLE_BLOCK = (BLOCK_FORMAT << 4) | (1 << 8);
/** First byte of the head of chains. */
export const CHAINS_HEAD = (BLOCK_FORMAT << 4) | FLAG_CHAINS;
/** First byte of a type head. */
export const TYPE_HEAD = (BLOCK_FORMAT << 4) | FLAG_TYPE_HEAD;

/** Largest number of types in one block: indexes are bytes. */
export const BLOCK_TYPES_MAX = 255;

const TWO_32 = 0x1_0000_0000;

/** The memory that blocks lie in: the page cache. */
export interface BlockMemory {
  readonly bytes: Uint8Array;
  readonly halves: Uint16Array;
  readonly words: Uint32Array;
}

/** Largest block in bytes for a page size: beyond it a node's edges go to chains, a chain to its next block. */
export function blockSizeMax(pageSize: number): number {
  return Math.min(1024, pageSize >> 3);
}

/** Size of a block in bytes. */
export function blockSize(capacity: number, typeCount: number, wide: boolean): number {
  const columns = BLOCK_NEIGHBOURS_OFFSET + capacity * (wide ? 12 : 8);
  return typeCount === 1 ? columns : columns + align4(capacity) + align4(typeCount * 2);
}

/** Places that fit into a block of at most `size` bytes: an even number. */
export function capacityFor(size: number, typeCount: number, wide: boolean): number {
  let capacity = Math.floor((size - BLOCK_NEIGHBOURS_OFFSET) / (wide ? 12 : 8)) & ~1;
  while (capacity > 0 && blockSize(capacity, typeCount, wide) > size) capacity -= 2;
  return capacity;
}

/** Places to give a block with `count` edges that may grow: an even number with a quarter to spare. */
export function roomyCapacity(count: number): number {
  return (count + (count >> 2) + 1) & ~1;
}

/** Where the columns after the edges begin, relative to the block. */
export function edgesOffset(capacity: number): number {
  return BLOCK_NEIGHBOURS_OFFSET + capacity * 4;
}
export function highsOffset(capacity: number): number {
  return BLOCK_NEIGHBOURS_OFFSET + capacity * 8;
}
export function typeIndexesOffset(capacity: number, wide: boolean): number {
  return BLOCK_NEIGHBOURS_OFFSET + capacity * (wide ? 12 : 8);
}
export function typesOffset(capacity: number, wide: boolean): number {
  return typeIndexesOffset(capacity, wide) + align4(capacity);
}

function align4(size: number): number {
  return (size + 3) & ~3;
}

/**
 * Tests the header of a block with edges against the length of its value.
 * @param at  byte offset of the block in `memory`, a multiple of 4
 * @returns its first word: format and flags, typeCount << 8, count << 16
 * @throws CorruptionError SOMBRA_ADJACENCY
 */
export function checkBlock(memory: BlockMemory, at: number, length: number, node: number): number {
  const word = memory.words[at >> 2]!;
  const capacity = memory.halves[(at + BLOCK_CAPACITY_OFFSET) >> 1]!;
  const typeCount = (word >>> 8) & 0xff;
  const wide = (word & FLAG_WIDE) !== 0;
  if ((word & 0xfe) !== BLOCK_FORMAT << 4 || typeCount === 0) throw damagedBlock(node, 'it begins with unknown bytes');
  if (word >>> 16 > capacity || blockSize(capacity, typeCount, wide) !== length) {
    throw damagedBlock(node, `${word >>> 16} edges, room for ${capacity} and ${length} bytes do not fit together`);
  }
  return word;
}

/**
 * Appends the edges of a checked block to `into`.
 * @param word    what `checkBlock` returned
 * @param filter  which types to take
 * @param skip    neighbour to leave out (for self loops), -1 for none
 */
export function collectBlock(
  memory: BlockMemory,
  at: number,
  word: number,
  filter: TypeFilter,
  skip: number,
  into: EdgeColumns,
  node: number,
): void {
  const { words, halves, bytes } = memory;
  const count = word >>> 16;
  const capacity = halves[(at + BLOCK_CAPACITY_OFFSET) >> 1]!;
  const typeCount = (word >>> 8) & 0xff;
  const wide = (word & FLAG_WIDE) !== 0;
  const firstType = halves[(at + BLOCK_FIRST_TYPE_OFFSET) >> 1]!;
  if (typeCount === 1 && !filter.accepts(firstType)) return;
  const neighbours = (at + BLOCK_NEIGHBOURS_OFFSET) >> 2;
  const edges = (at + edgesOffset(capacity)) >> 2;
  const highs = (at + highsOffset(capacity)) >> 1;
  const indexes = at + typeIndexesOffset(capacity, wide);
  const types = (at + typesOffset(capacity, wide)) >> 1;
  into.reserve(count);
  for (let i = 0; i < count; i += 1) {
    let type = firstType;
    if (typeCount > 1) {
      const index = bytes[indexes + i]!;
      if (index >= typeCount) throw damagedBlock(node, `an edge has type index ${index} of ${typeCount}`);
      type = halves[types + index]!;
      if (!filter.accepts(type)) continue;
    }
    let neighbour = words[neighbours + i]!;
    let edge = words[edges + i]!;
    if (wide) {
      neighbour += halves[highs + i]! * TWO_32;
      edge += halves[highs + capacity + i]! * TWO_32;
    }
    if (neighbour !== skip) into.push(neighbour, edge, type);
  }
}

/** Position of an edge in a checked block of `count` edges, -1 if it is not there. Edge ids ascend. */
export function findEdge(memory: BlockMemory, at: number, word: number, edge: number): number {
  const capacity = memory.halves[(at + BLOCK_CAPACITY_OFFSET) >> 1]!;
  const wide = (word & FLAG_WIDE) !== 0;
  const edges = (at + edgesOffset(capacity)) >> 2;
  const highs = ((at + highsOffset(capacity)) >> 1) + capacity;
  let low = 0;
  let high = (word >>> 16) - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const id = memory.words[edges + middle]! + (wide ? memory.halves[highs + middle]! * TWO_32 : 0);
    if (id === edge) return middle;
    if (id < edge) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** Degree that a head holds. @throws CorruptionError SOMBRA_ADJACENCY */
export function headDegree(memory: BlockMemory, at: number, length: number, format: number, node: number): number {
  if (length !== HEAD_SIZE || memory.words[at >> 2] !== format)
    throw damagedBlock(node, 'the head of its chains has unknown bytes');
  return memory.words[(at + HEAD_DEGREE_OFFSET) >> 2]!;
}

/** Bytes of a block being built; reused. */
export class BlockBuilder {
  private readonly buffer = new ArrayBuffer(4096);
  readonly bytes = new Uint8Array(this.buffer);
  private readonly halves = new Uint16Array(this.buffer);
  private readonly words = new Uint32Array(this.buffer);
  private readonly typeIndex = new Map<number, number>();
  private readonly typeList: number[] = [];

  /** How many types edges [from, to) have; more than BLOCK_TYPES_MAX do not fit into one block. */
  countTypes(list: EdgeColumns, from: number, to: number): number {
    const { typeIndex, typeList } = this;
    typeList.length = 0;
    const first = list.types[from]!;
    let i = from + 1;
    while (i < to && list.types[i] === first) i += 1;
    typeList.push(first);
    if (i === to) return 1;
    typeIndex.clear();
    typeIndex.set(first, 0);
    for (; i < to; i += 1) {
      const type = list.types[i]!;
      if (typeIndex.has(type)) continue;
      typeIndex.set(type, typeList.length);
      typeList.push(type);
    }
    return typeList.length;
  }

  /** Does one of the ids of edges [from, to) need more than 32 bits? */
  static isWide(list: EdgeColumns, from: number, to: number): boolean {
    for (let i = from; i < to; i += 1) if (list.neighbours[i]! >= TWO_32 || list.edges[i]! >= TWO_32) return true;
    return false;
  }

  /**
   * Encodes edges [from, to), at least one, of which `countTypes` was asked last.
   * @param capacity  even, at least to - from; the block is at most 4096 bytes
   * @returns size of the block in `bytes`
   */
  build(list: EdgeColumns, from: number, to: number, capacity: number, wide: boolean): number {
    const { bytes, halves, words, typeList } = this;
    const typeCount = typeList.length;
    const size = blockSize(capacity, typeCount, wide);
    bytes.fill(0, 0, size);
    bytes[BLOCK_FORMAT_OFFSET] = (BLOCK_FORMAT << 4) | (wide ? FLAG_WIDE : 0);
    bytes[BLOCK_TYPE_COUNT_OFFSET] = typeCount;
    halves[BLOCK_COUNT_OFFSET >> 1] = to - from;
    halves[BLOCK_CAPACITY_OFFSET >> 1] = capacity;
    halves[BLOCK_FIRST_TYPE_OFFSET >> 1] = typeList[0]!;
    const neighbours = BLOCK_NEIGHBOURS_OFFSET >> 2;
    const edges = edgesOffset(capacity) >> 2;
    const highs = highsOffset(capacity) >> 1;
    const indexes = typeIndexesOffset(capacity, wide);
    for (let i = from; i < to; i += 1) {
      const place = i - from;
      words[neighbours + place] = list.neighbours[i]!;
      words[edges + place] = list.edges[i]!;
      if (wide) {
        halves[highs + place] = Math.floor(list.neighbours[i]! / TWO_32);
        halves[highs + capacity + place] = Math.floor(list.edges[i]! / TWO_32);
      }
      if (typeCount > 1) bytes[indexes + place] = this.typeIndex.get(list.types[i]!)!;
    }
    if (typeCount > 1) {
      const types = typesOffset(capacity, wide) >> 1;
      for (let i = 0; i < typeCount; i += 1) halves[types + i] = typeList[i]!;
    }
    return size;
  }

  /** Encodes a head. @returns its size */
  head(format: number, degree: number): number {
    this.words[0] = format;
    this.words[HEAD_DEGREE_OFFSET >> 2] = degree;
    return HEAD_SIZE;
  }
}

/** A block whose bytes make no sense. */
export function damagedBlock(node: number, what: string): CorruptionError {
  return new CorruptionError(
    'SOMBRA_ADJACENCY',
    `the adjacency of node ${node} is damaged: ${what}; run verify, restore from a backup`,
    {
      details: { node },
    },
  );
}
