// Goal: id blocks read back as they were written, in both widths; docs/format/id-block.md agrees with the code; damaged
// blocks give a typed error or an answer of bounded size.
// Method: encode, decode and search lists of ids; hold the table against the constants; mutate bytes at random.
import { expect, test } from 'vitest';
import { readFormatTable } from '../../../tooling/vitest/format-table.ts';
import * as block from '../src/ids/id-block.ts';
import { codeOf } from './support/errors.ts';
import { pageMemory } from './support/page-memory.ts';
import { Random, suiteRuns, suiteSeed } from './support/random.ts';

/** Encodes ids at offset 64 of a piece of memory. */
function encode(ids: readonly number[]) {
  const scratch = pageMemory(1200);
  const length = block.buildIdBlock(scratch.bytes, scratch.words, Float64Array.from(ids), 0, ids.length);
  const memory = pageMemory(1264);
  memory.bytes.fill(0xee);
  memory.bytes.set(scratch.bytes.subarray(0, length), 64);
  return { memory, at: 64, length };
}

function decode(words: Uint32Array, at: number, length: number): number[] {
  const size = block.checkIdBlock(words, at, length);
  return Array.from({ length: (length - block.ID_BLOCK_IDS_OFFSET) / size }, (_, i) => block.idAt(words, at, size, i));
}

test('the table of docs/format/id-block.md agrees with the constants', () => {
  expect(readFormatTable('id-block.md', 'Block').map(({ field, offset, size }) => [field, offset, size])).toEqual([
    ['format', block.ID_BLOCK_FORMAT_OFFSET, 1],
    ['reserved', block.ID_BLOCK_FORMAT_OFFSET + 1, block.ID_BLOCK_IDS_OFFSET - 1],
    ['ids', block.ID_BLOCK_IDS_OFFSET, NaN],
  ]);
  expect([block.ID_BLOCK_FORMAT, block.ID_BLOCK_WIDE]).toEqual([1, 1]);
});

test('both widths are laid out byte by byte as described', () => {
  const narrow = encode([1, 0xfffefdfc]);
  expect([...narrow.memory.bytes.subarray(64, 64 + narrow.length)]).toEqual([
    0x10, 0, 0, 0, 1, 0, 0, 0, 0xfc, 0xfd, 0xfe, 0xff,
  ]);
  const wide = encode([1, 2 ** 48 - 2]);
  expect([...wide.memory.bytes.subarray(64, 64 + wide.length)]).toEqual(
    [0x11, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0], // prettier-ignore
  );
});

test('ids read back, and each is found', () => {
  const random = new Random(1);
  for (const first of [1, 2 ** 32 - 50, 2 ** 40]) {
    for (const count of [1, 2, 3, 60, 127]) {
      let id = first;
      const ids = Array.from({ length: count }, () => (id += 1 + random.below(3)));
      const { memory, at, length } = encode(ids);
      expect(length).toBe(4 + count * (id >= 2 ** 32 ? 8 : 4));
      expect(decode(memory.words, at, length)).toEqual(ids);
      const size = block.checkIdBlock(memory.words, at, length);
      for (let wanted = first; wanted <= id + 1; wanted += 1) {
        const expected = ids.findIndex((one) => one >= wanted);
        expect(block.searchIds(memory.words, at, size, count, wanted)).toBe(expected < 0 ? count : expected);
      }
    }
  }
});

test('a block takes what its size allows', () => {
  expect([4096, 8192, 65536].map(block.idBlockSizeMax)).toEqual([512, 1024, 1024]);
  expect([block.idCapacity(512, 5), block.idCapacity(512, 2 ** 32), block.idCapacity(1024, 2 ** 32 - 1)]).toEqual([
    127, 63, 255,
  ]);
});

test('what is no block is refused', () => {
  const { memory, at, length } = encode([1, 2, 3]);
  for (const size of [0, 3, 4, length - 1, length + 1, length + 2]) {
    expect(codeOf(() => block.checkIdBlock(memory.words, at, size))).toBe('SOMBRA_ID_BLOCK');
  }
  for (const word of [0, 0x12, 0x20, 0x110, 0x11 + 2 ** 31, 0xffffffff]) {
    memory.words[at >> 2] = word;
    expect(codeOf(() => block.checkIdBlock(memory.words, at, length))).toBe('SOMBRA_ID_BLOCK');
  }
  memory.words[at >> 2] = 0x11; // three ids of four bytes are no ids of eight
  expect(codeOf(() => block.checkIdBlock(memory.words, at, length))).toBe('SOMBRA_ID_BLOCK');
});

test('random damage gives SOMBRA_ID_BLOCK or ids below 2^48', () => {
  const random = new Random(suiteSeed(3));
  const seen = new Set<string>();
  for (let run = suiteRuns(20_000); run > 0; run -= 1) {
    const ids = Array.from(
      { length: 1 + random.below(40) },
      (_, i) => i * 7 + 1 + (random.chance(0.1) ? 2 ** 33 : 0),
    ).sort((a, b) => a - b);
    const { memory, at, length } = encode(ids);
    memory.bytes[at + random.below(random.chance(0.5) ? 4 : length)] = random.below(256);
    seen.add(
      codeOf(() => {
        const found = decode(memory.words, at, length);
        expect(found.every((id) => id >= 0 && id < 2 ** 48)).toBe(true);
        const place = block.searchIds(
          memory.words,
          at,
          block.checkIdBlock(memory.words, at, length),
          found.length,
          random.below(300),
        );
        expect(place >= 0 && place <= found.length).toBe(true);
      }),
    );
  }
  expect([...seen].sort()).toEqual(['SOMBRA_ID_BLOCK', 'no error']);
});
