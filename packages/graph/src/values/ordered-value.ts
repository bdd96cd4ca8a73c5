/**
 * Values that have an order, as numbers and bytes that can be compared where they lie. Kinds in their order: boolean, number,
 * text, bytes, date. NaN, lists and maps have no order. Numbers compare by value, whatever they are stored as; text by its
 * UTF-8 bytes, which is the order of code points.
 */
import { encodeText } from '@sombra/vfs';
import { textSize } from './byte-writer.ts';
import type { PropertyValue } from '../model/types.ts';

/** Kinds of values in their order. */
export const KIND = { boolean: 1, number: 2, text: 3, bytes: 4, date: 5, unordered: 6 } as const;

const NO_BYTES = new Uint8Array(0);

/** One value, refilled for each use. */
export class OrderedValue {
  /** One of KIND. */
  kind = 0;
  /** boolean: 0 or 1. number: rounded to a double. date: milliseconds. */
  number = 0;
  /** number: what rounding took away; 0 below 2^53. */
  remainder = 0;
  /** text, bytes: bytes[from, from + size). Borrowed. */
  bytes: Uint8Array = NO_BYTES;
  from = 0;
  size = 0;

  setBoolean(value: boolean): void {
    this.kind = KIND.boolean;
    this.number = value ? 1 : 0;
    this.remainder = 0;
  }

  /** NaN has no order. */
  setNumber(value: number): void {
    this.kind = value === value ? KIND.number : KIND.unordered;
    this.number = value;
    this.remainder = 0;
  }

  setBigint(value: bigint): void {
    const rounded = Number(value);
    this.kind = KIND.number;
    this.number = rounded;
    // Beyond all doubles it still is no infinity.
    this.remainder = Number.isFinite(rounded) ? Number(value - BigInt(rounded)) : value > 0n ? -1 : 1;
  }

  setDate(time: number): void {
    this.kind = KIND.date;
    this.number = time;
    this.remainder = 0;
  }

  /** @param kind  KIND.text or KIND.bytes */
  setBytes(kind: number, bytes: Uint8Array, from: number, size: number): void {
    this.kind = kind;
    this.bytes = bytes;
    this.from = from;
    this.size = size;
  }

  setUnordered(): void {
    this.kind = KIND.unordered;
  }

  /**
   * Takes a value as callers give it.
   * @throws DataError SOMBRA_TEXT_SURROGATE
   */
  set(value: PropertyValue): this {
    if (typeof value === 'boolean') this.setBoolean(value);
    else if (typeof value === 'number') this.setNumber(value);
    else if (typeof value === 'bigint') this.setBigint(value);
    else if (typeof value === 'string') {
      textSize(value);
      const bytes = encodeText(value);
      this.setBytes(KIND.text, bytes, 0, bytes.length);
    } else if (value instanceof Date) {
      const time = value.getTime();
      if (Number.isNaN(time)) this.setUnordered();
      else this.setDate(time);
    } else if (value instanceof Uint8Array) this.setBytes(KIND.bytes, value.slice(), 0, value.length);
    else this.setUnordered();
    return this;
  }
}

/**
 * Order of two values; of different kinds, that of the kinds. Values without order are equal here: test `kind` first where that
 * matters.
 * @returns negative, 0, positive
 */
export function compareValues(a: OrderedValue, b: OrderedValue): number {
  if (a.kind !== b.kind) return a.kind - b.kind;
  if (a.kind === KIND.unordered) return 0;
  if (a.kind === KIND.text || a.kind === KIND.bytes) return compareBytes(a, b);
  if (a.number !== b.number) return a.number < b.number ? -1 : 1;
  return a.remainder - b.remainder;
}

function compareBytes(a: OrderedValue, b: OrderedValue): number {
  const { bytes: left, from: leftAt } = a;
  const { bytes: right, from: rightAt } = b;
  const common = a.size < b.size ? a.size : b.size;
  for (let i = 0; i < common; i += 1) {
    const difference = left[leftAt + i]! - right[rightAt + i]!;
    if (difference !== 0) return difference;
  }
  return a.size - b.size;
}

/** Does the text or byte value begin with the bytes of the other one, of the same kind? */
export function beginsWith(value: OrderedValue, prefix: OrderedValue): boolean {
  if (value.kind !== prefix.kind || value.size < prefix.size) return false;
  for (let i = 0; i < prefix.size; i += 1)
    if (value.bytes[value.from + i] !== prefix.bytes[prefix.from + i]) return false;
  return true;
}

/** Does the text or byte value end with the bytes of the other one, of the same kind? */
export function endsWith(value: OrderedValue, end: OrderedValue): boolean {
  if (value.kind !== end.kind || value.size < end.size) return false;
  const from = value.from + value.size - end.size;
  for (let i = 0; i < end.size; i += 1) if (value.bytes[from + i] !== end.bytes[end.from + i]) return false;
  return true;
}

/** Do the bytes of the other one, of the same kind, occur in the text or byte value? */
export function includesBytes(value: OrderedValue, part: OrderedValue): boolean {
  if (value.kind !== part.kind || value.size < part.size) return false;
  if (part.size === 0) return true;
  const { bytes } = value;
  const first = part.bytes[part.from]!;
  const end = value.from + value.size - part.size;
  for (let at = value.from; at <= end; at += 1) {
    if (bytes[at] !== first) continue;
    let i = 1;
    while (i < part.size && bytes[at + i] === part.bytes[part.from + i]) i += 1;
    if (i === part.size) return true;
  }
  return false;
}
