/**
 * XXH32, the one checksum of Sombra (docs/adr/0002-one-checksum-xxh32.md).
 * Source: the xxHash specification, "XXH32 algorithm description".
 */

const PRIME_1 = 0x9e3779b1 | 0;
const PRIME_2 = 0x85ebca77 | 0;
const PRIME_3 = 0xc2b2ae3d | 0;
const PRIME_4 = 0x27d4eb2f | 0;
const PRIME_5 = 0x165667b1 | 0;
const STRIPE = 16;

/** Below this many bytes, assembling words costs less than finding the view of the buffer. */
const SHORT = 128;

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
/** Buffers as 32-bit words. Weak: a checksum must not keep a page cache alive. */
const wordViews = new WeakMap<ArrayBufferLike, Uint32Array>();

function wordsOf(buffer: ArrayBufferLike): Uint32Array {
  const known = wordViews.get(buffer);
  if (known !== undefined && known.length === buffer.byteLength >>> 2) return known;
  const words = new Uint32Array(buffer, 0, buffer.byteLength >>> 2);
  wordViews.set(buffer, words);
  return words;
}

/**
 * XXH32 of bytes [from, to). Allocates nothing once the buffer behind `bytes` has been seen.
 * @param bytes  read only, not retained
 * @param seed   32 bits
 * @returns 0 to 2^32 - 1
 */
export function xxh32(bytes: Uint8Array, from: number, to: number, seed: number): number {
  const length = to - from;
  let hash: number;
  let at = from;
  if (length < STRIPE) {
    hash = (seed + PRIME_5) | 0;
  } else {
    at += length & ~(STRIPE - 1);
    hash =
      length < SHORT || !LITTLE_ENDIAN ? stripesOfBytes(bytes, from, at, seed) : stripesOfBuffer(bytes, from, at, seed);
  }
  hash = (hash + length) | 0;
  for (; at + 4 <= to; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    hash = (hash + Math.imul(word, PRIME_3)) | 0;
    hash = Math.imul((hash << 17) | (hash >>> 15), PRIME_4);
  }
  for (; at < to; at += 1) {
    hash = (hash + Math.imul(bytes[at]!, PRIME_5)) | 0;
    hash = Math.imul((hash << 11) | (hash >>> 21), PRIME_1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * XXH32 of words [from, to): what `xxh32` gives for their bytes in little-endian order. For memory that is written as words anyway;
 * short lengths cost half as much this way.
 */
export function xxh32Words(words: Uint32Array, from: number, to: number, seed: number): number {
  let hash = (seed + PRIME_5) | 0;
  let at = from;
  if (to - from >= 4) {
    let a = (seed + PRIME_1 + PRIME_2) | 0;
    let b = (seed + PRIME_2) | 0;
    let c = seed | 0;
    let d = (seed - PRIME_1) | 0;
    for (const end = to - 3; at < end; at += 4) {
      a = (a + Math.imul(words[at]!, PRIME_2)) | 0;
      a = Math.imul((a << 13) | (a >>> 19), PRIME_1);
      b = (b + Math.imul(words[at + 1]!, PRIME_2)) | 0;
      b = Math.imul((b << 13) | (b >>> 19), PRIME_1);
      c = (c + Math.imul(words[at + 2]!, PRIME_2)) | 0;
      c = Math.imul((c << 13) | (c >>> 19), PRIME_1);
      d = (d + Math.imul(words[at + 3]!, PRIME_2)) | 0;
      d = Math.imul((d << 13) | (d >>> 19), PRIME_1);
    }
    hash = merge(a, b, c, d);
  }
  hash = (hash + ((to - from) << 2)) | 0;
  for (; at < to; at += 1) {
    hash = (hash + Math.imul(words[at]!, PRIME_3)) | 0;
    hash = Math.imul((hash << 17) | (hash >>> 15), PRIME_4);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The four accumulators of whole stripes, merged; words assembled from bytes. */
function stripesOfBytes(bytes: Uint8Array, from: number, to: number, seed: number): number {
  let a = (seed + PRIME_1 + PRIME_2) | 0;
  let b = (seed + PRIME_2) | 0;
  let c = seed | 0;
  let d = (seed - PRIME_1) | 0;
  for (let at = from; at < to; at += STRIPE) {
    a =
      (a + Math.imul(bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24), PRIME_2)) |
      0;
    a = Math.imul((a << 13) | (a >>> 19), PRIME_1);
    b =
      (b +
        Math.imul(bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24), PRIME_2)) |
      0;
    b = Math.imul((b << 13) | (b >>> 19), PRIME_1);
    c =
      (c +
        Math.imul(
          bytes[at + 8]! | (bytes[at + 9]! << 8) | (bytes[at + 10]! << 16) | (bytes[at + 11]! << 24),
          PRIME_2,
        )) |
      0;
    c = Math.imul((c << 13) | (c >>> 19), PRIME_1);
    d =
      (d +
        Math.imul(
          bytes[at + 12]! | (bytes[at + 13]! << 8) | (bytes[at + 14]! << 16) | (bytes[at + 15]! << 24),
          PRIME_2,
        )) |
      0;
    d = Math.imul((d << 13) | (d >>> 19), PRIME_1);
  }
  return merge(a, b, c, d);
}

/** As `stripesOfBytes`, reading whole words of the buffer; from an odd offset each word comes from two neighbours. */
function stripesOfBuffer(bytes: Uint8Array, from: number, to: number, seed: number): number {
  const words = wordsOf(bytes.buffer);
  const start = bytes.byteOffset + from;
  const shift = (start & 3) << 3;
  let index = start >>> 2;
  const end = index + ((to - from) >>> 2);
  if (end > words.length || (shift !== 0 && end + 1 > words.length)) return stripesOfBytes(bytes, from, to, seed);
  let a = (seed + PRIME_1 + PRIME_2) | 0;
  let b = (seed + PRIME_2) | 0;
  let c = seed | 0;
  let d = (seed - PRIME_1) | 0;
  if (shift === 0) {
    for (; index < end; index += 4) {
      a = (a + Math.imul(words[index]!, PRIME_2)) | 0;
      a = Math.imul((a << 13) | (a >>> 19), PRIME_1);
      b = (b + Math.imul(words[index + 1]!, PRIME_2)) | 0;
      b = Math.imul((b << 13) | (b >>> 19), PRIME_1);
      c = (c + Math.imul(words[index + 2]!, PRIME_2)) | 0;
      c = Math.imul((c << 13) | (c >>> 19), PRIME_1);
      d = (d + Math.imul(words[index + 3]!, PRIME_2)) | 0;
      d = Math.imul((d << 13) | (d >>> 19), PRIME_1);
    }
    return merge(a, b, c, d);
  }
  const back = 32 - shift;
  let low = words[index]!;
  for (; index < end; index += 4) {
    const second = words[index + 1]!;
    const third = words[index + 2]!;
    const fourth = words[index + 3]!;
    const next = words[index + 4]!;
    a = (a + Math.imul((low >>> shift) | (second << back), PRIME_2)) | 0;
    a = Math.imul((a << 13) | (a >>> 19), PRIME_1);
    b = (b + Math.imul((second >>> shift) | (third << back), PRIME_2)) | 0;
    b = Math.imul((b << 13) | (b >>> 19), PRIME_1);
    c = (c + Math.imul((third >>> shift) | (fourth << back), PRIME_2)) | 0;
    c = Math.imul((c << 13) | (c >>> 19), PRIME_1);
    d = (d + Math.imul((fourth >>> shift) | (next << back), PRIME_2)) | 0;
    d = Math.imul((d << 13) | (d >>> 19), PRIME_1);
    low = next;
  }
  return merge(a, b, c, d);
}

function merge(a: number, b: number, c: number, d: number): number {
  return (((a << 1) | (a >>> 31)) + ((b << 7) | (b >>> 25)) + ((c << 12) | (c >>> 20)) + ((d << 18) | (d >>> 14))) | 0;
}
