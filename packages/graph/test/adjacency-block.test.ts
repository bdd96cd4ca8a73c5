// Goal: adjacency blocks read back as they were written, in every layout; docs/format/adjacency.md agrees with the code;
// damaged blocks give a typed error or an answer of bounded size.
// Method: encode lists of edges, decode them, compare; hold the tables against the constants; mutate bytes at random.
import { expect, test } from 'vitest';
import { readFormatTable } from '../../../tooling/vitest/format-table.ts';
import * as block from '../src/adjacency/adjacency-block.ts';
import { Dictionary, NAME_KIND } from '../src/names/dictionary.ts';
import { EdgeColumns } from '../src/adjacency/edge-columns.ts';
import { TypeFilter } from '../src/names/type-filter.ts';
import { codeOf } from './support/errors.ts';
import { pageMemory } from './support/page-memory.ts';
import { Random, suiteRuns, suiteSeed } from './support/random.ts';

type Edge = [neighbour: number, edge: number, type: number];

const NODE = 7;
const all = new TypeFilter();
const builder = new block.BlockBuilder();

/** A filter for types by number: the dictionary knows type n as `T<n>`. */
function filterOf(types: number[]): TypeFilter {
  const dictionary = new Dictionary(() => undefined);
  for (let i = 0; i <= Math.max(0, ...types); i += 1) dictionary.intern(NAME_KIND.edgeType, `T${i}`);
  return new TypeFilter().set(
    types.map((type) => `T${type}`),
    dictionary,
  );
}

function columnsOf(edges: readonly Edge[]): EdgeColumns {
  const columns = new EdgeColumns();
  for (const [neighbour, edge, type] of edges) columns.push(neighbour, edge, type);
  return columns;
}

function edgesIn(columns: EdgeColumns): Edge[] {
  return Array.from({ length: columns.length }, (_, i) => [
    columns.neighbours[i]!,
    columns.edges[i]!,
    columns.types[i]!,
  ]);
}

/** Encodes edges at offset 64 of a piece of memory. */
function encode(edges: readonly Edge[], capacity: number) {
  const list = columnsOf(edges);
  const typeCount = builder.countTypes(list, 0, list.length);
  const wide = block.BlockBuilder.isWide(list, 0, list.length);
  const length = builder.build(list, 0, list.length, capacity, wide);
  const memory = pageMemory(64 + length + 64);
  memory.bytes.fill(0xee);
  memory.bytes.set(builder.bytes.subarray(0, length), 64);
  return { memory, at: 64, length, typeCount, wide };
}

function decode(memory: block.BlockMemory, at: number, length: number, filter = all, skip = -1): Edge[] {
  const into = new EdgeColumns();
  block.collectBlock(memory, at, block.checkBlock(memory, at, length, NODE), filter, skip, into, NODE);
  return edgesIn(into);
}

test('the tables of docs/format/adjacency.md agree with the constants', () => {
  const rows = (heading: string): unknown[] =>
    readFormatTable('adjacency.md', heading).map(({ field, offset, size }) => [field, offset, size]);
  expect(rows('Block')).toEqual([
    ['format', block.BLOCK_FORMAT_OFFSET, block.BLOCK_TYPE_COUNT_OFFSET - block.BLOCK_FORMAT_OFFSET],
    ['typeCount', block.BLOCK_TYPE_COUNT_OFFSET, block.BLOCK_COUNT_OFFSET - block.BLOCK_TYPE_COUNT_OFFSET],
    ['count', block.BLOCK_COUNT_OFFSET, block.BLOCK_CAPACITY_OFFSET - block.BLOCK_COUNT_OFFSET],
    ['capacity', block.BLOCK_CAPACITY_OFFSET, block.BLOCK_FIRST_TYPE_OFFSET - block.BLOCK_CAPACITY_OFFSET],
    ['firstType', block.BLOCK_FIRST_TYPE_OFFSET, block.BLOCK_NEIGHBOURS_OFFSET - block.BLOCK_FIRST_TYPE_OFFSET],
    ['columns', block.BLOCK_NEIGHBOURS_OFFSET, NaN],
  ]);
  expect(rows('Head')).toEqual([
    ['format', block.BLOCK_FORMAT_OFFSET, 1],
    ['reserved', 1, block.HEAD_DEGREE_OFFSET - 1],
    ['degree', block.HEAD_DEGREE_OFFSET, block.HEAD_SIZE - block.HEAD_DEGREE_OFFSET],
  ]);
  expect([block.FLAG_WIDE, block.FLAG_CHAINS, block.FLAG_TYPE_HEAD]).toEqual([1, 2, 4]);
  expect([block.BLOCK_FORMAT, block.BLOCK_TYPES_MAX]).toEqual([1, 255]);
});

test('a block of one type is laid out byte by byte as described', () => {
  const { memory, at, length } = encode(
    [
      [0x01020304, 0x0a0b0c0d, 0x1122],
      [5, 0x0a0b0c0e, 0x1122],
    ],
    4,
  );
  expect([...memory.bytes.subarray(at, at + length)]).toEqual([
    0x10, 1, 2, 0, 4, 0, 0x22, 0x11,
    4, 3, 2, 1, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0x0d, 0x0c, 0x0b, 0x0a, 0x0e, 0x0c, 0x0b, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0,
  ]); // prettier-ignore
});

test('a wide block of several types is laid out byte by byte as described', () => {
  const { memory, at, length } = encode(
    [
      [2 ** 48 - 1, 1, 9],
      [3, 2 ** 32 + 2, 8],
    ],
    2,
  );
  expect([...memory.bytes.subarray(at, at + length)]).toEqual([
    0x11, 2, 2, 0, 2, 0, 9, 0,
    255, 255, 255, 255, 3, 0, 0, 0,
    1, 0, 0, 0, 2, 0, 0, 0,
    255, 255, 0, 0,
    0, 0, 1, 0,
    0, 1, 0, 0,
    9, 0, 8, 0,
  ]); // prettier-ignore
});

test('heads are laid out as described, and hold a degree of 32 bits', () => {
  expect(builder.head(block.CHAINS_HEAD, 0xfedcba98)).toBe(8);
  expect([...builder.bytes.subarray(0, 8)]).toEqual([0x12, 0, 0, 0, 0x98, 0xba, 0xdc, 0xfe]);
  const memory = pageMemory(64);
  memory.bytes.set(builder.bytes.subarray(0, 8), 16);
  expect(block.headDegree(memory, 16, 8, block.CHAINS_HEAD, NODE)).toBe(0xfedcba98);
  expect(codeOf(() => block.headDegree(memory, 16, 8, block.TYPE_HEAD, NODE))).toBe('SOMBRA_ADJACENCY');
  expect(codeOf(() => block.headDegree(memory, 16, 12, block.CHAINS_HEAD, NODE))).toBe('SOMBRA_ADJACENCY');
  memory.bytes[17] = 1;
  expect(codeOf(() => block.headDegree(memory, 16, 8, block.CHAINS_HEAD, NODE))).toBe('SOMBRA_ADJACENCY');
});

test('every number of edges, types and both widths read back, and each edge is found', () => {
  const random = new Random(1);
  for (const typeCount of [1, 2, 3, 5, 255]) {
    for (const wide of [false, true]) {
      const most = block.capacityFor(1024, typeCount, wide);
      expect(block.blockSize(most, typeCount, wide)).toBeLessThanOrEqual(1024);
      expect(block.blockSize(most + 2, typeCount, wide)).toBeGreaterThan(1024);
      for (const count of [1, 2, 3, most - 1, most].filter((size) => size >= typeCount)) {
        let edge = wide ? 2 ** 33 : 1;
        const edges: Edge[] = Array.from({ length: count }, (_, i) => {
          edge += 1 + random.below(5);
          return [wide ? random.below(2 ** 32) * 2 ** 16 : random.below(2 ** 32), edge, (i % typeCount) * 257];
        });
        const { memory, at, length, ...layout } = encode(edges, most);
        expect(layout).toEqual({ typeCount, wide });
        expect(decode(memory, at, length)).toEqual(edges);
        const word = block.checkBlock(memory, at, length, NODE);
        edges.forEach(([, id], i) => expect(block.findEdge(memory, at, word, id)).toBe(i));
        for (const missing of [0, edges[0]![1] - 1, edge + 1, 2 ** 48 - 1])
          expect(block.findEdge(memory, at, word, missing)).toBe(-1);
      }
    }
  }
});

test('filters and the neighbour to skip apply in every layout', () => {
  const edges: Edge[] = [[1, 10, 0], [2, 11, 1], [1, 12, 2], [3, 13, 1], [2 ** 40, 14, 0]]; // prettier-ignore
  for (const list of [edges, edges.slice(0, 4), edges.slice(1, 2)]) {
    const { memory, at, length } = encode(list, 8);
    for (const types of [[], [0], [1], [0, 2], [1, 2], [0, 1, 2], [3]]) {
      for (const skip of [-1, 1, 2 ** 40]) {
        const expected = list.filter(([neighbour, , type]) => types.includes(type) && neighbour !== skip);
        expect(decode(memory, at, length, filterOf(types), skip)).toEqual(expected);
      }
    }
  }
});

test('capacities leave room to grow and never exceed a block', () => {
  for (let count = 1; count < 200; count += 1) {
    const capacity = block.roomyCapacity(count);
    expect(capacity % 2).toBe(0);
    expect(capacity).toBeGreaterThanOrEqual(count);
    expect(capacity).toBeLessThanOrEqual(count + (count >> 2) + 1);
  }
  expect([4096, 8192, 16384, 65536].map(block.blockSizeMax)).toEqual([512, 1024, 1024, 1024]);
});

test('more types than a block can index are counted, so that the writer takes chains', () => {
  const list = columnsOf(Array.from({ length: 300 }, (_, i) => [1, i + 1, i]));
  expect(builder.countTypes(list, 0, 255)).toBe(block.BLOCK_TYPES_MAX);
  expect(builder.countTypes(list, 0, 256)).toBe(256);
  expect(builder.countTypes(list, 10, 11)).toBe(1);
});

test('every wrong header is refused', () => {
  const { memory, at, length } = encode([[1, 1, 0], [2, 2, 0], [3, 3, 1]], 4); // prettier-ignore
  const refused = (change: (bytes: Uint8Array) => void, size = length): string => {
    const copy = pageMemory(memory.bytes.length);
    copy.bytes.set(memory.bytes);
    change(copy.bytes.subarray(at));
    return codeOf(() => decode(copy, at, size));
  };
  expect(refused(() => undefined)).toBe('no error');
  for (const first of [0, 0x0f, 0x12, 0x14, 0x18, 0x20, 0x90, 0xff])
    expect(refused((bytes) => (bytes[0] = first))).toBe('SOMBRA_ADJACENCY');
  expect(refused((bytes) => (bytes[1] = 0))).toBe('SOMBRA_ADJACENCY');
  expect(refused((bytes) => (bytes[2] = 5))).toBe('SOMBRA_ADJACENCY');
  expect(refused((bytes) => (bytes[4] = 200))).toBe('SOMBRA_ADJACENCY');
  expect(refused((bytes) => (bytes[0] = 0x11))).toBe('SOMBRA_ADJACENCY');
  for (const size of [0, 4, 8, length - 1, length + 4]) expect(refused(() => undefined, size)).toBe('SOMBRA_ADJACENCY');
  expect(refused((bytes) => (bytes[block.typeIndexesOffset(4, false) + 1] = 2))).toBe('SOMBRA_ADJACENCY');
});

test('random damage gives SOMBRA_ADJACENCY or at most as many edges as the block has room for', () => {
  const random = new Random(suiteSeed(2));
  const seen = new Map<string, number>();
  for (let run = suiteRuns(20_000); run > 0; run -= 1) {
    const types = 1 + random.below(4);
    const wide = random.chance(0.3);
    const edges: Edge[] = Array.from({ length: 1 + random.below(30) }, (_, i) => [
      random.below(1000) + (wide ? 2 ** 33 : 0),
      i * 3,
      random.below(types),
    ]);
    const { memory, at, length } = encode(edges, block.roomyCapacity(edges.length));
    for (let i = random.below(3); i >= 0; i -= 1)
      memory.bytes[at + random.below(random.chance(0.5) ? 8 : length)] = random.below(256);
    const outcome = codeOf(() => {
      const word = block.checkBlock(memory, at, length, NODE);
      block.findEdge(memory, at, word, random.below(100));
      const found = decode(memory, at, length);
      expect(found.length).toBeLessThanOrEqual((length - 8) / 8);
      for (const [neighbour, edge, type] of found) {
        expect(neighbour < 2 ** 48 && edge < 2 ** 48 && type < 65536).toBe(true);
      }
    });
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
  }
  expect([...seen.keys()].sort()).toEqual(['SOMBRA_ADJACENCY', 'no error']);
});
