// Goal: page operations change exactly the bytes that they name, and hostile lists of them get a typed error and never reach out
// of the page. Method: each operation by hand; random lists against a plain model; random bytes with guard zones around the page.
import { Random, seeds } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { applyOps, OP_FILL, OP_MOVE, OP_SET, OPS_FIRST_BYTE } from '../src/index.ts';
import { codeOf } from './support/files.ts';

const PAGE = 4096;

function numbers(...values: number[]): Uint8Array {
  return new Uint8Array(Uint16Array.from(values).buffer);
}

function set(offset: number, ...bytes: number[]): Uint8Array {
  const padded = bytes.length % 2 === 0 ? bytes : [...bytes, 0];
  return Uint8Array.of(...numbers(OP_SET, offset, bytes.length - 1), ...padded);
}

function join(...lists: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(lists));
}

function apply(page: Uint8Array, ops: Uint8Array, pageSize = page.length): void {
  applyOps(page, 0, pageSize, ops, 0, ops.length);
}

test('set, move and fill do what they say, in order', () => {
  const page = new Uint8Array(64);
  apply(page, join(set(16, 1, 2, 3), set(20, 9), numbers(OP_MOVE, 32, 2, 16), numbers(OP_FILL, 16, 1, 0xff)));
  expect([...page.subarray(16, 24)]).toEqual([255, 255, 3, 0, 9, 0, 0, 0]);
  expect([...page.subarray(32, 36)]).toEqual([1, 2, 3, 0]);
});

test('a move may overlap itself, both ways', () => {
  const page = Uint8Array.from({ length: 64 }, (_, at) => at);
  apply(page, numbers(OP_MOVE, 18, 9, 16));
  expect([...page.subarray(16, 30)]).toEqual([16, 17, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 28, 29]);
  apply(page, numbers(OP_MOVE, 16, 9, 18));
  expect([...page.subarray(16, 26)]).toEqual([16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
});

test('a whole page of 64 KiB can be set, and the operations may lie anywhere in their buffer', () => {
  const bytes = new Random(1).bytes(65536 - OPS_FIRST_BYTE);
  const ops = join(new Uint8Array(5), numbers(OP_SET, OPS_FIRST_BYTE, bytes.length - 1), bytes, new Uint8Array(3));
  const page = new Uint8Array(65536 + 100);
  applyOps(page, 100, 65536, ops, 5, ops.length - 3);
  expect(Buffer.compare(page.subarray(116), bytes)).toBe(0);
  expect(page.subarray(0, 116).every((byte) => byte === 0)).toBe(true);
});

describe('malformed', () => {
  const cases: [string, Uint8Array][] = [
    ['code 0', numbers(0, 16, 0, 0)],
    ['unknown code', numbers(4, 16, 0, 0)],
    ['code with a high byte', numbers(0x101, 16, 0, 0)],
    ['header of the page', set(15, 1)],
    ['first byte of the page', set(0, 1)],
    ['behind the page', set(PAGE, 1)],
    ['over the end of the page', set(PAGE - 1, 1, 2)],
    ['offset 65535', set(65535, 1)],
    ['set without bytes', numbers(OP_SET, 16, 0)],
    ['set with too few bytes', numbers(OP_SET, 16, 9, 1, 2)],
    ['set without its padding', set(16, 1).subarray(0, 7)],
    ['cut off in its header', set(16, 1, 2).subarray(0, 5)],
    ['one byte', Uint8Array.of(1)],
    ['move to the header', numbers(OP_MOVE, 15, 0, 16)],
    ['move from the header', numbers(OP_MOVE, 16, 0, 15)],
    ['move from over the end', numbers(OP_MOVE, 16, 1, PAGE - 1)],
    ['move cut off', numbers(OP_MOVE, 16, 0)],
    ['fill over the end', numbers(OP_FILL, PAGE - 1, 1, 7)],
    ['fill with two bytes', numbers(OP_FILL, 16, 0, 256)],
    ['fill cut off', numbers(OP_FILL, 16, 0)],
    ['second operation', join(set(16, 1, 2), numbers(9, 16, 0, 0))],
  ];
  test.each(cases)('%s', (_name, ops) => {
    expect(codeOf(() => apply(new Uint8Array(PAGE), ops))).toBe('SOMBRA_WAL_OPS');
  });
});

test.each(seeds(20))('seed %i: random lists give what a model gives', (seed) => {
  const random = new Random(seed);
  const page = random.bytes(PAGE);
  const model = [...page];
  const lists: Uint8Array[] = [];
  for (let count = 0; count < 200; count += 1) {
    const length = 1 + random.below(random.chance(0.1) ? 2000 : 100);
    const offset = OPS_FIRST_BYTE + random.below(PAGE - OPS_FIRST_BYTE - length + 1);
    const kind = random.below(3);
    if (kind === 0) {
      const bytes = [...random.bytes(length)];
      lists.push(set(offset, ...bytes));
      model.splice(offset, length, ...bytes);
    } else if (kind === 1) {
      const from = OPS_FIRST_BYTE + random.below(PAGE - OPS_FIRST_BYTE - length + 1);
      lists.push(numbers(OP_MOVE, offset, length - 1, from));
      model.splice(offset, length, ...model.slice(from, from + length));
    } else {
      const value = random.below(256);
      lists.push(numbers(OP_FILL, offset, length - 1, value));
      model.fill(value, offset, offset + length);
    }
  }
  apply(page, join(...lists));
  expect(Buffer.compare(page, Uint8Array.from(model))).toBe(0);
});

test.each(seeds(10))('seed %i: hostile bytes give a typed error or stay within the page', (seed) => {
  const random = new Random(seed);
  const memory = new Uint8Array(3 * 512).fill(0xaa);
  let refused = 0;
  for (let run = 0; run < 2000; run += 1) {
    const ops = random.bytes(random.below(60));
    // Plausible codes and lengths, so that the later checks are reached.
    if (random.chance(0.7) && ops.length > 6)
      ops.set(numbers(1 + random.below(3), random.below(600), random.below(20)));
    const code = codeOf(() => applyOps(memory, 512, 512, ops, 0, ops.length));
    if (code === 'SOMBRA_WAL_OPS') refused += 1;
    else if (code !== 'no error') throw new Error(code);
  }
  expect(refused).toBeGreaterThan(100);
  expect(memory.subarray(0, 512 + OPS_FIRST_BYTE).every((byte) => byte === 0xaa)).toBe(true);
  expect(memory.subarray(1024).every((byte) => byte === 0xaa)).toBe(true);
});
