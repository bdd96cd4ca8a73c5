import { DataError } from '@sombra/vfs';

const scratch = new DataView(new ArrayBuffer(8));

/** A growable run of bytes, reused: `length = 0` starts over. `bytes` is replaced when it grows. */
export class ByteWriter {
  bytes = new Uint8Array(256);
  length = 0;

  /** Makes room for `size` more bytes. */
  reserve(size: number): void {
    const needed = this.length + size;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  u8(value: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** Unsigned varint: seven bits a byte, lowest first. @param value  0 to 2^32 - 1 */
  varint(value: number): void {
    if (this.length + 5 > this.bytes.length) this.reserve(5);
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.bytes[this.length++] = rest | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
  }

  /**
   * Signed varint: the first byte holds the sign in its lowest bit and six bits of the magnitude, the others seven each.
   * @param value  a safe integer, not -0
   */
  signedVarint(value: number): void {
    if (this.length + 8 > this.bytes.length) this.reserve(8);
    const sign = value < 0 ? 1 : 0;
    const magnitude = value < 0 ? -value : value;
    let rest = Math.floor(magnitude / 64);
    const first = (magnitude % 64 << 1) | sign;
    this.bytes[this.length++] = rest > 0 ? first | 0x80 : first;
    while (rest > 0) {
      const low = rest % 128;
      rest = Math.floor(rest / 128);
      this.bytes[this.length++] = rest > 0 ? low | 0x80 : low;
    }
  }

  float64(value: number): void {
    this.reserve(8);
    scratch.setFloat64(0, value, true);
    this.copyScratch();
  }

  /** @param value  -2^63 to 2^63 - 1 */
  int64(value: bigint): void {
    this.reserve(8);
    scratch.setBigInt64(0, value, true);
    this.copyScratch();
  }

  raw(source: Uint8Array, from: number, to: number): void {
    this.reserve(to - from);
    if (to - from > 32) this.bytes.set(source.subarray(from, to), this.length);
    else for (let i = from; i < to; i += 1) this.bytes[this.length + i - from] = source[i]!;
    this.length += to - from;
  }

  /** ASCII text; the caller has checked that it is. */
  ascii(text: string): void {
    this.reserve(text.length);
    const { bytes, length } = this;
    for (let i = 0; i < text.length; i += 1) bytes[length + i] = text.charCodeAt(i);
    this.length += text.length;
  }

  /** Text as UTF-8. The caller has checked it with `textSize` and passes that size. */
  utf8(text: string, size: number): void {
    this.reserve(size);
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < text.length; i += 1) {
      let code = text.charCodeAt(i);
      if (code >= 0xd800 && code < 0xdc00)
        code = 0x10000 + ((code - 0xd800) << 10) + text.charCodeAt((i += 1)) - 0xdc00;
      if (code < 0x80) {
        bytes[at++] = code;
        continue;
      }
      if (code < 0x800) bytes[at++] = 0xc0 | (code >> 6);
      else {
        if (code < 0x10000) bytes[at++] = 0xe0 | (code >> 12);
        else {
          bytes[at++] = 0xf0 | (code >> 18);
          bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
        }
        bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
      }
      bytes[at++] = 0x80 | (code & 0x3f);
    }
    this.length = at;
  }

  private copyScratch(): void {
    for (let i = 0; i < 8; i += 1) this.bytes[this.length + i] = scratch.getUint8(i);
    this.length += 8;
  }
}

/**
 * Bytes of a string in UTF-8; equal to its length exactly when it is ASCII.
 * @throws DataError SOMBRA_TEXT_SURROGATE when it holds half of a surrogate pair, which no UTF-8 can represent
 */
export function textSize(text: string): number {
  let size = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    if (code < 0x800) size += 1;
    else if (code < 0xd800 || code > 0xdfff) size += 2;
    else {
      const low = code < 0xdc00 && i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
      if (low < 0xdc00 || low > 0xdfff) {
        throw new DataError(
          'SOMBRA_TEXT_SURROGATE',
          `the text has half a surrogate pair at position ${i}, which cannot be stored: repair it with toWellFormed()`,
        );
      }
      i += 1;
      size += 2;
    }
  }
  return size;
}
