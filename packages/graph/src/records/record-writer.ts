/** Encodes labels and properties into property records. Layout: record-format.ts. */
import { DataError } from '@sombra/vfs';
import { ByteWriter, textSize } from '../values/byte-writer.ts';
import { NESTING_MAX, RECORD_SIZE_MAX, VALUE_SIZE_MAX } from '../model/limits.ts';
import { describe } from '../model/options.ts';
import { isPlainPrototype } from '../model/bare-object.ts';
import { RECORD_FORMAT, TAG } from './record-format.ts';
import type { PropertyInput } from '../model/types.ts';

/** Gives the id of a property key, adding the key when it is new. */
export interface KeyNumbers {
  /** @throws DataError SOMBRA_NAME_TOO_LONG, SOMBRA_TEXT_SURROGATE, SOMBRA_DICTIONARY_FULL */
  keyId(name: string): number;
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Encodes one record at a time into a buffer of its own that is reused. */
export class RecordWriter {
  private readonly out = new ByteWriter();
  private readonly shape = new ByteWriter();
  private readonly values = new ByteWriter();

  /** Bytes of the last record; valid until the next call. */
  get bytes(): Uint8Array {
    return this.out.bytes;
  }

  /**
   * Encodes a node record.
   * @param labels  label ids, each once
   * @returns its size; the bytes are `bytes[0, size)`
   * @throws DataError SOMBRA_VALUE_KIND, SOMBRA_VALUE_TOO_LARGE, SOMBRA_NESTING, SOMBRA_TEXT_SURROGATE, and of `keys`
   */
  node(labels: readonly number[], properties: PropertyInput | undefined, keys: KeyNumbers): number {
    this.out.length = 0;
    this.properties(labels, properties, keys);
    return this.out.length;
  }

  /** Encodes an edge record: fixed fields, then properties. Otherwise as `node`. */
  edge(source: number, target: number, type: number, properties: PropertyInput | undefined, keys: KeyNumbers): number {
    const { out } = this;
    out.length = 14;
    const { bytes } = out;
    putU32(bytes, 0, source);
    putU32(bytes, 4, target);
    putU16(bytes, 8, type);
    putU16(bytes, 10, Math.floor(source / 0x1_0000_0000));
    putU16(bytes, 12, Math.floor(target / 0x1_0000_0000));
    this.properties(NO_LABELS, properties, keys);
    return out.length;
  }

  private properties(labels: readonly number[], properties: PropertyInput | undefined, keys: KeyNumbers): void {
    const { out, shape, values } = this;
    shape.length = 0;
    values.length = 0;
    shape.varint(labels.length);
    for (let i = 0; i < labels.length; i += 1) shape.varint(labels[i]!);
    const names = properties === undefined ? NO_NAMES : Object.keys(checkProperties(properties));
    // Each is read once: a getter may answer differently the next time.
    const given = new Array<unknown>(names.length);
    let count = 0;
    for (let i = 0; i < names.length; i += 1) {
      const value = properties![names[i]!];
      given[i] = value;
      if (value !== null && value !== undefined) count += 1;
    }
    shape.varint(count);
    for (let i = 0; i < names.length; i += 1) {
      const name = names[i]!;
      const value = given[i];
      if (value === null || value === undefined) continue;
      shape.varint(keys.keyId(name));
      shape.u8(this.value(value, name, 0));
    }
    out.u8(RECORD_FORMAT << 4);
    out.varint(shape.length);
    out.raw(shape.bytes, 0, shape.length);
    out.raw(values.bytes, 0, values.length);
    if (out.length > RECORD_SIZE_MAX) {
      throw new DataError(
        'SOMBRA_VALUE_TOO_LARGE',
        `the properties take ${out.length} bytes together; a record has at most ${RECORD_SIZE_MAX}: split it, or keep large values outside`,
      );
    }
  }

  /** Appends a value to `values`; returns its tag. `name` is the property, for messages; `depth` counts containers around. */
  private value(value: unknown, name: string, depth: number): number {
    const { values } = this;
    switch (typeof value) {
      case 'boolean':
        return value ? TAG.true : TAG.false;
      case 'number':
        if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
          values.signedVarint(value);
          return TAG.integer;
        }
        values.float64(value);
        return TAG.float;
      case 'string':
        return this.text(value, name);
      case 'bigint':
        return this.bigint(value, name);
      case 'object':
        if (value === null) throw refused(value, name); // only in a list: elsewhere null means absent
        return this.object(value, name, depth);
      default:
        throw refused(value, name);
    }
  }

  private text(value: string, name: string): number {
    const size = textSize(value);
    if (size > VALUE_SIZE_MAX) throw tooLarge(name, size);
    this.values.varint(size);
    if (size === value.length) {
      this.values.ascii(value);
      return TAG.ascii;
    }
    this.values.utf8(value, size);
    return TAG.text;
  }

  private bigint(value: bigint, name: string): number {
    if (value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)) {
      this.values.signedVarint(Number(value));
      return TAG.integer;
    }
    if (value < INT64_MIN || value > INT64_MAX) {
      throw new DataError(
        'SOMBRA_VALUE_KIND',
        `property '${name}': a bigint has to fit into 64 bits; store it as text or bytes`,
      );
    }
    this.values.int64(value);
    return TAG.integer64;
  }

  private object(value: object, name: string, depth: number): number {
    const { values } = this;
    if (value instanceof Uint8Array) {
      if (value.length > VALUE_SIZE_MAX) throw tooLarge(name, value.length);
      values.varint(value.length);
      values.raw(value, 0, value.length);
      return TAG.bytes;
    }
    if (value instanceof Date) {
      const time = Date.prototype.getTime.call(value);
      if (Number.isNaN(time)) throw new DataError('SOMBRA_VALUE_KIND', `property '${name}': the date is invalid`);
      values.signedVarint(time);
      return TAG.date;
    }
    const list = Array.isArray(value);
    if (!list && !isPlainPrototype(Object.getPrototypeOf(value))) throw refused(value, name);
    if (depth >= NESTING_MAX) {
      throw new DataError(
        'SOMBRA_NESTING',
        `property '${name}': lists and maps are nested more than ${NESTING_MAX} levels deep (or contain themselves)`,
      );
    }
    const start = this.beginBlock();
    if (list) this.list(value, name, depth);
    else this.map(value as Record<string, unknown>, name, depth);
    this.endBlock(start, name);
    return list ? TAG.list : TAG.map;
  }

  private list(value: readonly unknown[], name: string, depth: number): void {
    const { values } = this;
    const { length } = value;
    values.varint(length);
    for (let i = 0; i < length; i += 1) {
      const tagAt = values.length;
      values.u8(0);
      const tag = this.value(value[i], name, depth + 1);
      values.bytes[tagAt] = tag;
    }
  }

  private map(value: Record<string, unknown>, name: string, depth: number): void {
    const { values } = this;
    const entries = Object.entries(value).filter(([, one]) => one !== undefined && one !== null);
    values.varint(entries.length);
    for (const [key, one] of entries) {
      const keyAt = values.length;
      values.u8(0);
      const keyTag = this.text(key, name);
      values.bytes[keyAt] = keyTag;
      const tagAt = values.length;
      values.u8(0);
      const tag = this.value(one, name, depth + 1);
      values.bytes[tagAt] = tag;
    }
  }

  /** Leaves room for the longest length; `endBlock` closes the gap. */
  private beginBlock(): number {
    const start = this.values.length;
    this.values.reserve(LENGTH_ROOM);
    this.values.length += LENGTH_ROOM;
    return start;
  }

  private endBlock(start: number, name: string): void {
    const { values } = this;
    const from = start + LENGTH_ROOM;
    const end = values.length;
    const size = end - from;
    if (size > VALUE_SIZE_MAX) throw tooLarge(name, size);
    values.length = start;
    values.varint(size);
    values.bytes.copyWithin(values.length, from, end);
    values.length += size;
  }
}

/** Refuses anything but a plain object. @throws DataError SOMBRA_VALUE_KIND */
export function checkProperties(properties: PropertyInput): PropertyInput {
  if (typeof properties !== 'object' || properties === null || !isPlainPrototype(Object.getPrototypeOf(properties))) {
    throw new DataError('SOMBRA_VALUE_KIND', `properties are a plain object, not ${describe(properties)}`);
  }
  return properties;
}

const LENGTH_ROOM = 4;
const NO_LABELS: readonly number[] = [];
const NO_NAMES: string[] = [];

function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

function refused(value: unknown, name: string): DataError {
  return new DataError(
    'SOMBRA_VALUE_KIND',
    `property '${name}': ${describe(value)} cannot be stored; values are booleans, numbers, bigints, strings, Uint8Array, Date, lists and plain objects of these`,
  );
}

function tooLarge(name: string, size: number): DataError {
  return new DataError(
    'SOMBRA_VALUE_TOO_LARGE',
    `property '${name}' takes ${size} bytes, at most ${VALUE_SIZE_MAX} can be stored: keep large values outside, or split them`,
  );
}
