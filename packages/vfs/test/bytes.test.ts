// Goal: numbers come back as they were written, at any alignment, and nothing beside them changes. Method: edge values; damaged bytes.
import { describe, expect, test } from 'vitest';
import { readSafe64, readU16, readU32, sameBytes, toHex, writeU16, writeU32, writeU64 } from '../src/index.ts';

describe('numbers', () => {
  test.each([
    ['16 bits', writeU16, readU16, [0, 1, 0x1234, 0xffff], '3412', 0x1234],
    ['32 bits', writeU32, readU32, [0, 1, 0x80000000, 0xffffffff], '78563412', 0x12345678],
    ['64 bits', writeU64, readSafe64, [0, 2 ** 32, Number.MAX_SAFE_INTEGER], '7856341200000000', 0x12345678],
  ] as const)('of %s come back, little-endian', (_, write, read, values, shown, value) => {
    const width = shown.length / 2;
    for (const at of [0, 1, 2, 3]) {
      for (const each of values) {
        const bytes = new Uint8Array(16).fill(0xaa);
        write(bytes, at, each);
        expect(read(bytes, at)).toBe(each);
        expect(toHex(bytes.subarray(0, at))).toBe('aa'.repeat(at));
        expect(toHex(bytes.subarray(at + width))).toBe('aa'.repeat(16 - at - width));
      }
    }
    const bytes = new Uint8Array(width);
    write(bytes, 0, value);
    expect(toHex(bytes)).toBe(shown);
  });

  test('a number that is no safe integer is read as -1', () => {
    const bytes = new Uint8Array(8).fill(0xff);
    expect(readSafe64(bytes, 0)).toBe(-1);
    writeU64(bytes, 0, Number.MAX_SAFE_INTEGER);
    bytes[6] = 0x20;
    expect(readSafe64(bytes, 0)).toBe(-1);
  });
});

test('sameBytes compares the two ranges and nothing else', () => {
  const a = Uint8Array.of(9, 1, 2, 3);
  const b = Uint8Array.of(1, 2, 4);
  expect(sameBytes(a, 1, b, 0, 2)).toBe(true);
  expect(sameBytes(a, 1, b, 0, 3)).toBe(false);
  expect(sameBytes(a, 0, b, 0, 0)).toBe(true);
});

test('toHex shows two digits per byte', () => {
  expect(toHex(Uint8Array.of(0, 10, 255))).toBe('000aff');
  expect(toHex(new Uint8Array(0))).toBe('');
});
