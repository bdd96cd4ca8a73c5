/**
 * Keys of a property index: one component per property of the index, then the id of the node or edge. Keys compare as bytes, and
 * so as their values do.
 *
 *   component   bytes
 *   boolean     10 false, 11 true
 *   number      20, the rounded double (8), what rounding took away (2)
 *   text        30, content, 00 00; or 30, beginning of the content, 00 01, hash (4)
 *   bytes       40, as text
 *   date        50, milliseconds as a double (8)
 *   unordered   60: NaN, a list or a map
 *
 * Doubles are big-endian, with the sign bit inverted when it is clear and all bits inverted when it is set; -0 counts as 0. The
 * remainder is big-endian, plus 32768. In content a byte 00 is written as 00 FF; content that takes more than 56 bytes is cut at
 * the last byte that fits, and the hash is the XXH32 of the bytes that were left out.
 *
 * Source: docs/format/property-index.md. index-key.test.ts compares its tables with these constants.
 */
import { readU48 } from '../values/u48.ts';
import { writeU48 } from '@sombra/btree';
import { xxh32 } from '@sombra/vfs';
import type { RecordReader } from '../records/record-reader.ts';
import { KIND, type OrderedValue } from '../values/ordered-value.ts';

/** First bytes of components. */
export const COMPONENT = {
  false: 0x10,
  true: 0x11,
  number: 0x20,
  text: 0x30,
  bytes: 0x40,
  date: 0x50,
  unordered: 0x60,
} as const;

/** Bytes of content that a component of text or bytes has at most, escapes included. */
export const CONTENT_MAX = 56;
/** Follows whole content. */
export const CONTENT_END = 0x00;
/** Follows content that was cut. */
export const CONTENT_CUT = 0x01;
/** Follows the 00 of a zero byte of the content. */
export const CONTENT_ZERO = 0xff;
export const NUMBER_SIZE = 8;
export const REMAINDER_SIZE = 2;
export const HASH_SIZE = 4;
export const ID_SIZE = 6;
/** Longest component: 30, content, 00 01, hash. */
export const COMPONENT_MAX = 1 + CONTENT_MAX + 2 + HASH_SIZE;
/** Properties that an index has at most: its keys fit into pages of 4096 bytes. */
export const INDEX_KEYS_MAX = 8;
/** Longest key. */
export const INDEX_KEY_MAX = INDEX_KEYS_MAX * COMPONENT_MAX + ID_SIZE;

const REMAINDER_MAX = 0x7fff;
const HASH_SEED = 0;
const double = new DataView(new ArrayBuffer(8));

/** Puts keys together, in bytes of its own. */
export class IndexKeyWriter {
  /** Room for a key and for what makes it a bound. */
  readonly bytes = new Uint8Array(INDEX_KEY_MAX + 16);
  length = 0;
  /** Was content cut since `clear`? */
  cut = false;
  /** Was a value without order among the components since `clear`? */
  unordered = false;

  /** Do equal keys mean equal values? */
  get exact(): boolean {
    return !this.cut && !this.unordered;
  }

  clear(): void {
    this.length = 0;
    this.cut = false;
    this.unordered = false;
  }

  /** Appends the component of a value. */
  component(value: OrderedValue): void {
    switch (value.kind) {
      case KIND.boolean:
        this.byte(value.number === 0 ? COMPONENT.false : COMPONENT.true);
        return;
      case KIND.number: {
        this.byte(COMPONENT.number);
        this.double(value.number);
        const remainder = Math.max(-REMAINDER_MAX, Math.min(REMAINDER_MAX, value.remainder)) + REMAINDER_MAX + 1;
        this.byte(remainder >> 8);
        this.byte(remainder & 0xff);
        return;
      }
      case KIND.text:
        this.content(COMPONENT.text, value);
        return;
      case KIND.bytes:
        this.content(COMPONENT.bytes, value);
        return;
      case KIND.date:
        this.byte(COMPONENT.date);
        this.double(value.number);
        return;
      default:
        this.byte(COMPONENT.unordered);
        this.unordered = true;
    }
  }

  /** Appends the beginning of a component of text, without its end. @returns whether it was cut; then with the mark of that */
  beginning(value: OrderedValue): boolean {
    this.byte(value.kind === KIND.text ? COMPONENT.text : COMPONENT.bytes);
    const taken = this.escaped(value);
    if (taken === value.size) return false;
    this.byte(0);
    this.byte(CONTENT_CUT);
    return true;
  }

  /** Appends an id. */
  id(id: number): void {
    writeU48(this.bytes, this.length, id);
    this.length += ID_SIZE;
  }

  byte(value: number): void {
    this.bytes[this.length] = value;
    this.length += 1;
  }

  /** Makes of a beginning what is greater than all keys that have it and no less than any other greater key. */
  after(): void {
    for (let i = 0; i <= ID_SIZE; i += 1) this.byte(0xff);
  }

  private double(value: number): void {
    double.setFloat64(0, value === 0 ? 0 : value, false);
    const flip = double.getUint8(0) >= 0x80 ? 0xff : 0;
    this.byte(double.getUint8(0) ^ (flip | 0x80));
    for (let i = 1; i < NUMBER_SIZE; i += 1) this.byte(double.getUint8(i) ^ flip);
  }

  private content(first: number, value: OrderedValue): void {
    this.byte(first);
    const taken = this.escaped(value);
    this.byte(0);
    if (taken === value.size) {
      this.byte(CONTENT_END);
      return;
    }
    this.byte(CONTENT_CUT);
    const hash = xxh32(value.bytes, value.from + taken, value.from + value.size, HASH_SEED);
    this.byte(hash >>> 24);
    this.byte((hash >>> 16) & 0xff);
    this.byte((hash >>> 8) & 0xff);
    this.byte(hash & 0xff);
    this.cut = true;
  }

  /** Appends as much of the content as a key takes. @returns bytes of it that were taken */
  private escaped({ bytes, from, size }: OrderedValue): number {
    const end = this.length + CONTENT_MAX;
    for (let i = 0; i < size; i += 1) {
      const byte = bytes[from + i]!;
      if (this.length + (byte === 0 ? 2 : 1) > end) return i;
      this.byte(byte);
      if (byte === 0) this.byte(CONTENT_ZERO);
    }
    return size;
  }

  /**
   * Makes the key of a record, without the id.
   * @param bytes   bytes[at, at + length) are its property record
   * @param value   scratch space
   * @returns false if one of the properties is missing, so that the record is not in the index
   * @throws CorruptionError SOMBRA_RECORD
   */
  record(
    records: RecordReader,
    bytes: Uint8Array,
    at: number,
    length: number,
    keyIds: readonly number[],
    value: OrderedValue,
  ): boolean {
    this.clear();
    for (let i = 0; i < keyIds.length; i += 1) {
      const tag = records.locate(bytes, at, length, keyIds[i]!);
      if (tag === 0) return false;
      records.orderedLocated(tag, value);
      this.component(value);
    }
    return true;
  }
}

/** Id at the end of a key. */
export function idOf(key: Uint8Array, keyLength: number): number {
  return readU48(key, keyLength - ID_SIZE);
}

/** Is a component of this many bytes at `from` one of text or bytes that was cut? */
export function isCut(key: Uint8Array, from: number, end: number): boolean {
  const first = key[from];
  if (first !== COMPONENT.text && first !== COMPONENT.bytes) return false;
  const mark = end - HASH_SIZE - 2;
  if (mark <= from || key[mark] !== 0 || key[mark + 1] !== CONTENT_CUT) return false;
  // A hash may look like the end of whole content, so the content itself says where it ends.
  for (let at = from + 1; at < mark; at += 1) {
    if (key[at] !== 0) continue;
    if (key[at + 1] !== CONTENT_ZERO) return false;
    at += 1;
  }
  return true;
}
