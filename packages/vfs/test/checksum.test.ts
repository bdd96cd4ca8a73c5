// Goal: xxh32 is XXH32, at any length and alignment. Method: published vectors, and a second implementation that is
// written straight from the specification with BigInt.
import { describe, expect, test } from 'vitest';
import { encodeText, xxh32, xxh32Words } from '../src/index.ts';
import { Random, seeds } from '../src/testing/index.ts';

const [P1, P2, P3, P4, P5] = [0x9e3779b1n, 0x85ebca77n, 0xc2b2ae3dn, 0x27d4eb2fn, 0x165667b1n];
const MASK = 0xffffffffn;

const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (32n - by))) & MASK;

function reference(bytes: Uint8Array, seed: number): number {
  const word = (at: number): bigint => BigInt(new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true));
  const round = (lane: bigint, input: bigint): bigint => (rotate((lane + input * P2) & MASK, 13n) * P1) & MASK;
  const start = BigInt(seed >>> 0);
  let at = 0;
  let hash = (start + P5) & MASK;
  if (bytes.length >= 16) {
    let lanes = [start + P1 + P2, start + P2, start, start - P1].map((lane) => lane & MASK);
    for (; at + 16 <= bytes.length; at += 16) lanes = lanes.map((lane, index) => round(lane, word(at + index * 4)));
    hash = [1n, 7n, 12n, 18n].reduce((sum, by, index) => (sum + rotate(lanes[index]!, by)) & MASK, 0n);
  }
  hash = (hash + BigInt(bytes.length)) & MASK;
  for (; at + 4 <= bytes.length; at += 4) hash = (rotate((hash + word(at) * P3) & MASK, 17n) * P4) & MASK;
  for (; at < bytes.length; at += 1) hash = (rotate((hash + BigInt(bytes[at]!) * P5) & MASK, 11n) * P1) & MASK;
  hash = ((hash ^ (hash >> 15n)) * P2) & MASK;
  hash = ((hash ^ (hash >> 13n)) * P3) & MASK;
  return Number(hash ^ (hash >> 16n));
}

/** The buffer that the sanity checks of xxHash hash. */
function sanityBuffer(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let generator = 2654435761n;
  for (let i = 0; i < length; i += 1) {
    bytes[i] = Number(generator >> 56n);
    generator = (generator * 11400714785074694797n) & (2n ** 64n - 1n);
  }
  return bytes;
}

describe('published vectors', () => {
  test.each([
    ['', 0, 0x02cc5d05],
    ['a', 0, 0x550d7456],
    ['abc', 0, 0x32d153ff],
    ['Nobody inspects the spammish repetition', 0, 0xe2293b2f],
  ])('text %j, seed %i', (text, seed, expected) => {
    const bytes = encodeText(text);
    expect(xxh32(bytes, 0, bytes.length, seed)).toBe(expected);
    expect(reference(bytes, seed)).toBe(expected);
  });

  test.each([
    [0, 0, 0x02cc5d05],
    [0, 0x9e3779b1, 0x36b78ae7],
    [1, 0, 0xcf65b03e],
    [1, 0x9e3779b1, 0xb4545aa4],
    [14, 0, 0x1208e7e2],
    [14, 0x9e3779b1, 0x6af1d1fe],
    [222, 0, 0x5bd11dbd],
    [222, 0x9e3779b1, 0x58803c5f],
  ])('sanity buffer of %i bytes, seed %i', (length, seed, expected) => {
    const bytes = sanityBuffer(length);
    expect(xxh32(bytes, 0, length, seed)).toBe(expected);
    expect(reference(bytes, seed)).toBe(expected);
  });
});

describe('against a second implementation', () => {
  test.each([400, 401, 402, 403])(
    'every length from 0 to 300, at every alignment and at the end of a buffer of %i bytes',
    (size) => {
      const slab = new Random(7).bytes(size);
      const wrong: string[] = [];
      for (let length = 0; length <= 300; length += 1) {
        for (const from of [0, 1, 2, 3, slab.length - length]) {
          const expected = reference(slab.slice(from, from + length), length * 77);
          if (xxh32(slab, from, from + length, length * 77) !== expected) wrong.push(`${length} bytes at ${from}`);
        }
      }
      expect(wrong).toEqual([]);
    },
  );

  test('words, every number of them from 0 to 80, at every place', () => {
    const slab = new Random(8).bytes(400);
    const words = new Uint32Array(slab.buffer, slab.byteOffset, 100);
    const wrong: string[] = [];
    for (let count = 0; count <= 80; count += 1) {
      for (const from of [0, 1, 2, 3, 100 - count]) {
        const expected = reference(slab.slice(from * 4, (from + count) * 4), count * 77);
        if (xxh32Words(words, from, from + count, count * 77) !== expected) wrong.push(`${count} words at ${from}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('random ranges, seeds and views; the buffer is not changed', () => {
    for (const seed of seeds(40)) {
      const random = new Random(seed);
      const whole = random.bytes(9000 + random.below(4));
      const copy = whole.slice();
      const offset = random.below(9);
      const view = whole.subarray(offset, whole.length - random.below(9));
      const from = random.below(view.length);
      const to = from + random.below(view.length - from + 1);
      const start = random.next();
      expect(xxh32(view, from, to, start), `SOMBRA_SEED=${seed}`).toBe(reference(view.slice(from, to), start));
      expect(Buffer.compare(whole, copy)).toBe(0);
    }
  });

  test('a seed counts modulo 2^32, negative ones too', () => {
    const bytes = sanityBuffer(200);
    expect(xxh32(bytes, 0, 200, -1)).toBe(xxh32(bytes, 0, 200, 0xffffffff));
  });

  test('a buffer that changes is read again, also when it has grown', () => {
    const buffer = new (ArrayBuffer as new (length: number, options: { maxByteLength: number }) => ArrayBuffer)(256, {
      maxByteLength: 1024,
    });
    const before = new Uint8Array(buffer);
    expect(xxh32(before, 0, 256, 0)).toBe(reference(before.slice(), 0));
    before.fill(9);
    expect(xxh32(before, 0, 256, 0)).toBe(reference(new Uint8Array(256).fill(9), 0));
    (buffer as unknown as { resize(length: number): void }).resize(1024);
    const after = new Uint8Array(buffer);
    after.fill(3, 256);
    expect(xxh32(after, 0, 1024, 0)).toBe(reference(after.slice(), 0));
  });
});
