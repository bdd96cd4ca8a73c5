/**
 * Decodes property records where they lie, in the page cache or in a copy. Layout: record-format.ts. Bytes are hostile:
 * every length is checked against what is left before it is used.
 */
import { decodeAscii, decodeUtf8 } from '@sombra/vfs';
import { NESTING_MAX } from '../model/limits.ts';
import { BareObject } from '../model/bare-object.ts';
import { RECORD_FORMAT, TAG } from './record-format.ts';
import { KIND, type OrderedValue } from '../values/ordered-value.ts';
import type { RecordNames, Shape } from './record-shape.ts';
import { damagedRecord, ShapeCache } from './record-shape.ts';
import type { Properties, PropertyValue } from '../model/types.ts';

const floats = new Float64Array(1);
const integers = new BigInt64Array(floats.buffer);
const floatBytes = new Uint8Array(floats.buffer);

/** Decoder with a place of its own; one per graph. Results are copies that outlive the bytes. */
export class RecordReader {
  private readonly shapes: ShapeCache;
  private bytes: Uint8Array = floatBytes;
  private at = 0;
  private end = 0;

  constructor(names: RecordNames) {
    this.shapes = new ShapeCache(names);
  }

  /** Call when ids may have got other names. */
  forgetShapes(): void {
    this.shapes.clear();
  }

  /**
   * Begins a record: bytes[at, at + length).
   * @returns its shape; `values` then decodes the properties
   * @throws CorruptionError SOMBRA_RECORD, SOMBRA_DICTIONARY
   */
  open(bytes: Uint8Array, at: number, length: number): Shape {
    const size = this.openShape(bytes, at, length);
    const shape = this.shapes.find(bytes, this.at, size);
    this.at += size;
    return shape;
  }

  /**
   * Decodes the properties of the record that was opened last. Call once after `open`.
   * @throws CorruptionError SOMBRA_RECORD
   */
  values(shape: Shape): Properties {
    const { keys, tags } = shape;
    const properties = new BareObject() as Properties;
    for (let i = 0; i < keys.length; i += 1) properties[keys[i]!] = this.value(tags[i]!, 0);
    if (this.at !== this.end) throw damagedRecord(`${this.end - this.at} bytes follow its last value`);
    return properties;
  }

  /**
   * Reads one property without decoding the others.
   * @returns undefined if the record does not have it
   * @throws CorruptionError SOMBRA_RECORD
   */
  property(bytes: Uint8Array, at: number, length: number, keyId: number): PropertyValue | undefined {
    const tag = this.locate(bytes, at, length, keyId);
    return tag === 0 ? undefined : this.value(tag, 0);
  }

  /**
   * Finds one property; `located` or `orderedLocated` then reads its value.
   * @returns its tag, 0 if the record does not have it
   * @throws CorruptionError SOMBRA_RECORD
   */
  locate(bytes: Uint8Array, at: number, length: number, keyId: number): number {
    const size = this.openShape(bytes, at, length);
    const shapeStart = this.at;
    const shapeEnd = shapeStart + size;
    const valuesEnd = this.end;
    this.end = shapeEnd;
    for (let rest = this.varint(); rest > 0; rest -= 1) this.varint();
    const count = this.varint();
    const first = this.at;
    let found = -1;
    for (let i = 0; i < count; i += 1) {
      const key = this.varint();
      if (key === keyId) {
        found = i;
        break;
      }
      this.take(1);
    }
    if (found < 0) return 0;
    // Second walk: over the tags before it, each moving the place among the values.
    let tagAt = first;
    this.at = shapeEnd;
    this.end = valuesEnd;
    for (let i = 0; ; i += 1) {
      while (bytes[tagAt]! >= 0x80) tagAt += 1;
      const tag = bytes[tagAt + 1]!;
      tagAt += 2;
      if (i === found) {
        if (tagAt > shapeEnd) throw damagedRecord('its shape ends before a tag');
        if (tag === 0) throw damagedRecord('a value has the unknown tag 0');
        return tag;
      }
      this.skip(tag);
    }
  }

  /** The value that `locate` found just before. @throws CorruptionError SOMBRA_RECORD */
  located(tag: number): PropertyValue {
    return this.value(tag, 0);
  }

  /** The value that `locate` found just before, for comparing; text and bytes stay where they lie. @throws CorruptionError SOMBRA_RECORD */
  orderedLocated(tag: number, into: OrderedValue): void {
    switch (tag) {
      case TAG.false:
      case TAG.true:
        into.setBoolean(tag === TAG.true);
        return;
      case TAG.integer:
        into.setNumber(this.signedVarint());
        return;
      case TAG.float:
        this.loadScratch();
        into.setNumber(floats[0]!);
        return;
      case TAG.integer64:
        this.loadScratch();
        into.setBigint(integers[0]!);
        return;
      case TAG.ascii:
      case TAG.text:
      case TAG.bytes: {
        const size = this.size();
        into.setBytes(tag === TAG.bytes ? KIND.bytes : KIND.text, this.bytes, this.at, size);
        return;
      }
      case TAG.date:
        into.setDate(this.signedVarint());
        return;
      case TAG.list:
      case TAG.map:
        into.setUnordered();
        return;
      default:
        throw damagedRecord(`a value has the unknown tag ${tag}; a newer version of Sombra may have written it`);
    }
  }

  private openShape(bytes: Uint8Array, at: number, length: number): number {
    this.bytes = bytes;
    this.at = at;
    this.end = at + length;
    if (length < 2 || bytes[at] !== RECORD_FORMAT << 4) {
      throw damagedRecord(
        length < 2
          ? `it has ${length} bytes`
          : `its first byte is ${bytes[at]}, format ${RECORD_FORMAT} begins with ${RECORD_FORMAT << 4}`,
      );
    }
    this.at += 1;
    const size = this.varint();
    if (size > this.end - this.at) throw damagedRecord('its shape is longer than the record');
    return size;
  }

  private value(tag: number, depth: number): PropertyValue {
    switch (tag) {
      case TAG.false:
        return false;
      case TAG.true:
        return true;
      case TAG.integer:
        return this.signedVarint();
      case TAG.ascii: {
        const size = this.size();
        const from = this.at;
        this.at = from + size;
        const text = decodeAscii(this.bytes, from, from + size);
        if (text === undefined) throw damagedRecord('an ASCII text has other bytes');
        return text;
      }
      case TAG.float:
        this.loadScratch();
        return floats[0]!;
      case TAG.text: {
        const size = this.size();
        const from = this.at;
        this.at = from + size;
        const text = decodeUtf8(this.bytes, from, from + size);
        if (text === undefined) throw damagedRecord('a text is not UTF-8');
        return text;
      }
      default:
        return this.rareValue(tag, depth);
    }
  }

  private rareValue(tag: number, depth: number): PropertyValue {
    switch (tag) {
      case TAG.integer64: {
        this.loadScratch();
        const value = integers[0]!;
        const number = Number(value);
        return Number.isSafeInteger(number) ? number : value;
      }
      case TAG.bytes: {
        const size = this.size();
        const from = this.at;
        this.at = from + size;
        const copy = new Uint8Array(size);
        copy.set(this.bytes.subarray(from, from + size));
        return copy;
      }
      case TAG.date: {
        const time = this.signedVarint();
        if (Math.abs(time) > 8.64e15) throw damagedRecord('a date lies outside what a Date can hold');
        return new Date(time);
      }
      case TAG.list:
        return this.list(depth);
      case TAG.map:
        return this.map(depth);
      default:
        throw damagedRecord(`a value has the unknown tag ${tag}; a newer version of Sombra may have written it`);
    }
  }

  private list(depth: number): PropertyValue[] {
    const outerEnd = this.enter(depth);
    const list: PropertyValue[] = [];
    for (let rest = this.varint(); rest > 0; rest -= 1) {
      const tag = this.take(1);
      list.push(this.value(tag, depth + 1));
    }
    this.leave(outerEnd);
    return list;
  }

  private map(depth: number): Properties {
    const outerEnd = this.enter(depth);
    const map = new BareObject() as Properties;
    for (let rest = this.varint(); rest > 0; rest -= 1) {
      const keyTag = this.take(1);
      if (keyTag !== TAG.ascii && keyTag !== TAG.text) throw damagedRecord('the key in a map is not a text');
      const key = this.value(keyTag, 0) as string;
      const tag = this.take(1);
      map[key] = this.value(tag, depth + 1);
    }
    this.leave(outerEnd);
    return map;
  }

  /** Limits reading to the container that begins here; returns the end before. */
  private enter(depth: number): number {
    if (depth >= NESTING_MAX) throw damagedRecord(`lists and maps are nested more than ${NESTING_MAX} levels deep`);
    const size = this.size();
    const outerEnd = this.end;
    this.end = this.at + size;
    return outerEnd;
  }

  private leave(outerEnd: number): void {
    if (this.at !== this.end) throw damagedRecord('a list or map is shorter than its length says');
    this.end = outerEnd;
  }

  private skip(tag: number): void {
    switch (tag) {
      case TAG.false:
      case TAG.true:
        return;
      case TAG.integer:
      case TAG.date:
        while (this.take(1) >= 0x80);
        return;
      case TAG.integer64:
      case TAG.float:
        this.take(8);
        return;
      case TAG.ascii:
      case TAG.text:
      case TAG.bytes:
      case TAG.list:
      case TAG.map: {
        const size = this.size();
        this.at += size;
        return;
      }
      default:
        throw damagedRecord(`a value has the unknown tag ${tag}; a newer version of Sombra may have written it`);
    }
  }

  /** Moves on by `count` bytes; returns the first of them. */
  private take(count: number): number {
    const { at } = this;
    if (at + count > this.end) throw damagedRecord('it ends in the middle of a value');
    this.at = at + count;
    return this.bytes[at]!;
  }

  /** A length in bytes that has been checked against what is left. */
  private size(): number {
    const size = this.varint();
    if (size > this.end - this.at) throw damagedRecord(`a value of ${size} bytes goes beyond its end`);
    return size;
  }

  /** Unsigned varint below 2^28. */
  private varint(): number {
    const { bytes, end } = this;
    let at = this.at;
    if (at >= end) throw damagedRecord('it ends in the middle of a number');
    let byte = bytes[at++]!;
    let value = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (at >= end || shift > 21) throw damagedRecord('a length is broken');
      byte = bytes[at++]!;
      value |= (byte & 0x7f) << shift;
    }
    this.at = at;
    return value;
  }

  private signedVarint(): number {
    const { bytes, end } = this;
    let at = this.at;
    if (at >= end) throw damagedRecord('it ends in the middle of a number');
    let byte = bytes[at++]!;
    const negative = (byte & 1) !== 0;
    let value = (byte & 0x7f) >> 1;
    let scale = 64;
    while (byte >= 0x80) {
      if (at >= end) throw damagedRecord('it ends in the middle of a number');
      byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (value > Number.MAX_SAFE_INTEGER) throw damagedRecord('an integer is out of range');
      if (scale > 2 ** 55 && byte >= 0x80) throw damagedRecord('an integer is too long');
    }
    this.at = at;
    return negative ? 0 - value : value;
  }

  private loadScratch(): void {
    const { bytes, at } = this;
    if (at + 8 > this.end) throw damagedRecord('it ends in the middle of a number');
    for (let i = 0; i < 8; i += 1) floatBytes[i] = bytes[at + i]!;
    this.at = at + 8;
  }
}
