/** Text to bytes and back. The only place that knows how the runtime does it. */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const strictDecoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

type Slice = (this: Uint8Array, from: number, to: number) => string;

/** Node's own decoder where there is one: it works on any Uint8Array, without making a view of its part. */
const { utf8Slice } = (globalThis as { Buffer?: { prototype: { utf8Slice?: Slice } } }).Buffer?.prototype ?? {};

/** Up to so many bytes, building a text from character codes is faster than a call into the runtime: measured, 16 to 24. */
const SHORT = 16;

const REPLACEMENT = '\ufffd';

/** UTF-8 bytes of a text. Lone surrogates become U+FFFD: refuse them before. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Text of UTF-8 bytes [from, to). Bytes that are no UTF-8 become U+FFFD. */
export function decodeText(bytes: Uint8Array, from = 0, to = bytes.length): string {
  return decoder.decode(bytes.subarray(from, to));
}

/** Text of UTF-8 bytes [from, to), which lie in `bytes`; undefined when they are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array, from: number, to: number): string | undefined {
  if (utf8Slice !== undefined) {
    const text = utf8Slice.call(bytes, from, to);
    // U+FFFD may have been stored, or stand for what is no UTF-8.
    if (!text.includes(REPLACEMENT)) return text;
  }
  try {
    return strictDecoder.decode(bytes.subarray(from, to));
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Text of ASCII bytes [from, to), which lie in `bytes`; undefined when one of them is 128 or more. */
export function decodeAscii(bytes: Uint8Array, from: number, to: number): string | undefined {
  if (to - from <= SHORT) return shortAscii(bytes, from, to);
  const text = decodeUtf8(bytes, from, to);
  // Only ASCII has as many characters as bytes.
  return text?.length === to - from ? text : undefined;
}

/** As `decodeAscii`, eight bytes at a time. */
function shortAscii(bytes: Uint8Array, from: number, to: number): string | undefined {
  let text = '';
  let all = 0;
  let at = from;
  for (; at + 8 <= to; at += 8) {
    const a = bytes[at]!;
    const b = bytes[at + 1]!;
    const c = bytes[at + 2]!;
    const d = bytes[at + 3]!;
    const e = bytes[at + 4]!;
    const f = bytes[at + 5]!;
    const g = bytes[at + 6]!;
    const h = bytes[at + 7]!;
    all |= a | b | c | d | e | f | g | h;
    text += String.fromCharCode(a, b, c, d, e, f, g, h);
  }
  if (at + 4 <= to) {
    const a = bytes[at]!;
    const b = bytes[at + 1]!;
    const c = bytes[at + 2]!;
    const d = bytes[at + 3]!;
    all |= a | b | c | d;
    text += String.fromCharCode(a, b, c, d);
    at += 4;
  }
  for (; at < to; at += 1) {
    const a = bytes[at]!;
    all |= a;
    text += String.fromCharCode(a);
  }
  return all < 0x80 ? text : undefined;
}
