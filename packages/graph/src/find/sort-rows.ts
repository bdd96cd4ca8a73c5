/**
 * Putting rows in order by some of their properties: each row gets a key whose bytes compare as the row does, the id last. A
 * value without order (missing, NaN, a list or map) comes last in both directions.
 */
import { compareKeys } from '@sombra/btree';
import { DataError } from '@sombra/vfs';
import { readU48 } from '../values/u48.ts';
import { ID_MAX } from '../model/limits.ts';
import { ByteWriter } from '../values/byte-writer.ts';
import { CONTENT_ZERO, ID_SIZE, IndexKeyWriter } from '../indexes/index-key.ts';
import { KIND, OrderedValue } from '../values/ordered-value.ts';
import type { RecordReader } from '../records/record-reader.ts';

/** Memory that the keys of one sort may take in bytes. */
export const SORT_MEMORY = 64 * 1024 * 1024;
/** What a key takes besides its bytes, roughly. */
const KEY_OVERHEAD = 64;
/** Comes after every component, whichever way it is turned. */
const LAST = 0xff;
const TEXT = 0x30;
const BYTES = 0x40;

/** By what to order: a property, and which way. */
export interface SortBy {
  keyId: number;
  readonly descending: boolean;
}

/** Makes the key of a row; components are whole, unlike those of indexes. */
export class SortKeyWriter {
  private readonly out = new ByteWriter();
  private readonly short = new IndexKeyWriter();
  private readonly value = new OrderedValue();
  private readonly descendingIds: boolean;

  constructor(descendingIds = false) {
    this.descendingIds = descendingIds;
  }

  /** @returns a new key for the record whose property record is bytes[at, at + length) */
  key(
    records: RecordReader,
    bytes: Uint8Array,
    at: number,
    length: number,
    order: readonly SortBy[],
    id: number,
  ): Uint8Array {
    const { out, value } = this;
    out.length = 0;
    for (let i = 0; i < order.length; i += 1) {
      const { keyId, descending } = order[i]!;
      const tag = keyId < 0 ? 0 : records.locate(bytes, at, length, keyId);
      if (tag === 0) value.setUnordered();
      else records.orderedLocated(tag, value);
      this.component(value, descending);
    }
    return this.withId(id);
  }

  /** @returns a new key for a row that has these values, one for each of `order` */
  keyOf(values: readonly OrderedValue[], order: readonly SortBy[], id: number): Uint8Array {
    this.out.length = 0;
    for (let i = 0; i < order.length; i += 1) this.component(values[i]!, order[i]!.descending);
    return this.withId(id);
  }

  private withId(id: number): Uint8Array {
    const { out, short, descendingIds } = this;
    const key = new Uint8Array(out.length + ID_SIZE);
    key.set(out.bytes.subarray(0, out.length));
    short.clear();
    short.id(descendingIds ? ID_MAX - id : id);
    key.set(short.bytes.subarray(0, ID_SIZE), out.length);
    return key;
  }

  private component(value: OrderedValue, descending: boolean): void {
    const { out } = this;
    if (value.kind === KIND.unordered) {
      out.u8(LAST);
      return;
    }
    const from = out.length;
    this.ascending(value);
    if (descending) for (let j = from; j < out.length; j += 1) out.bytes[j] = 0xff - out.bytes[j]!;
  }

  private ascending(value: OrderedValue): void {
    const { out, short } = this;
    if (value.kind !== KIND.text && value.kind !== KIND.bytes) {
      short.clear();
      short.component(value);
      out.raw(short.bytes, 0, short.length);
      return;
    }
    out.u8(value.kind === KIND.text ? TEXT : BYTES);
    for (let i = 0; i < value.size; i += 1) {
      const byte = value.bytes[value.from + i]!;
      out.u8(byte);
      if (byte === 0) out.u8(CONTENT_ZERO);
    }
    out.u8(0);
    out.u8(0);
  }
}

/** Gathers rows and gives them in order. */
export class RowSorter {
  /** With a limit a heap with the last row on top. */
  private readonly rows: Uint8Array[] = [];
  private readonly keep: number;
  private readonly memoryMax: number;
  private memory = 0;

  private readonly descendingIds: boolean;

  /** @param keep  rows that are asked for: the first so many @param memoryMax  bytes; for tests */
  constructor(keep: number, memoryMax = SORT_MEMORY, descendingIds = false) {
    this.keep = keep;
    this.descendingIds = descendingIds;
    this.memoryMax = memoryMax;
  }

  /** @throws DataError SOMBRA_SORT_MEMORY */
  add(key: Uint8Array): void {
    const { rows, keep } = this;
    if (rows.length < keep) {
      this.take(key.length + KEY_OVERHEAD);
      rows.push(key);
      if (keep !== Infinity) this.rise(rows.length - 1);
      return;
    }
    if (keep === 0 || compareRows(key, rows[0]!) >= 0) return;
    this.take(key.length - rows[0]!.length);
    rows[0] = key;
    this.sink();
  }

  /** Ids in order. Call once. */
  ids(): Float64Array {
    this.rows.sort(compareRows);
    const ids = new Float64Array(this.rows.length);
    this.rows.forEach((key, i) => {
      const id = readU48(key, key.length - ID_SIZE);
      ids[i] = this.descendingIds ? ID_MAX - id : id;
    });
    this.rows.length = 0;
    return ids;
  }

  private take(bytes: number): void {
    this.memory += bytes;
    if (this.memory > this.memoryMax)
      throw new DataError(
        'SOMBRA_SORT_MEMORY',
        `ordering ${this.rows.length} rows takes more than ${this.memoryMax >> 20} MiB: give a limit, a narrower where, or create an index on the property of orderBy`,
      );
  }

  private rise(from: number): void {
    const { rows } = this;
    for (let at = from; at > 0; ) {
      const above = (at - 1) >> 1;
      if (compareRows(rows[at]!, rows[above]!) <= 0) return;
      [rows[at], rows[above]] = [rows[above]!, rows[at]!];
      at = above;
    }
  }

  private sink(): void {
    const { rows } = this;
    for (let at = 0; ; ) {
      let below = at * 2 + 1;
      if (below >= rows.length) return;
      if (below + 1 < rows.length && compareRows(rows[below + 1]!, rows[below]!) > 0) below += 1;
      if (compareRows(rows[below]!, rows[at]!) <= 0) return;
      [rows[at], rows[below]] = [rows[below]!, rows[at]!];
      at = below;
    }
  }
}

/** Order of two keys of rows. */
export function compareRows(a: Uint8Array, b: Uint8Array): number {
  return compareKeys(a, a.length, b, b.length);
}
