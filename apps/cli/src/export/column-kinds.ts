/** Which type a CSV column needs to hold all values of a property, and values as its cells. */
import type { PropertyValue } from '@sombra/db';
import type { ColumnType } from '../csv/column.ts';
import { toTagged } from '../values/tagged-json.ts';

/** Between the values of a list, and between labels. */
export const LIST_DELIMITER = ';';

/** Kinds of values, as bits. `wide`: an integer beyond 2^53, which no float is. */
const KIND = Object.freeze({ string: 1, int: 2, wide: 4, float: 8, boolean: 16, bytes: 32, date: 64 });
/** What only `json` can hold. */
const OTHER = 128;
/** Lists of the kinds; alone: empty lists. */
export const LIST = 256;

/** Kinds of a value, as bits; `or` them for those of a column. */
export function kindsOf(value: PropertyValue): number {
  if (!Array.isArray(value)) return scalarKind(value);
  if (value.length === 0) return OTHER;
  let kinds = LIST;
  for (const one of value) {
    const kind = Array.isArray(one) ? OTHER : scalarKind(one);
    kinds |= kind;
    if (kind === KIND.string && (one as string).includes(LIST_DELIMITER)) kinds |= OTHER;
  }
  return kinds;
}

/** The kind of a value that is no list. What has an empty cell, or none that is read as itself, needs `json`. */
function scalarKind(value: Exclude<PropertyValue, PropertyValue[]>): number {
  switch (typeof value) {
    case 'string':
      return value === '' ? OTHER : KIND.string;
    case 'boolean':
      return KIND.boolean;
    case 'bigint':
      return KIND.wide;
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? KIND.int : KIND.float;
    default:
      if (value instanceof Uint8Array) return value.length === 0 ? OTHER : KIND.bytes;
      if (value instanceof Date) return value.toISOString().length === 24 ? KIND.date : OTHER;
      return OTHER;
  }
}

/** The type of a column that holds values of these kinds. */
export function columnTypeOf(kinds: number): ColumnType {
  const list = (kinds & LIST) !== 0;
  switch (kinds & ~LIST) {
    case KIND.string:
      return { scalar: 'string', list };
    case KIND.int:
    case KIND.wide:
    case KIND.int | KIND.wide:
      return { scalar: 'int', list };
    case KIND.float:
    case KIND.float | KIND.int:
      return { scalar: 'float', list };
    case KIND.boolean:
      return { scalar: 'boolean', list };
    case KIND.bytes:
      return { scalar: 'bytes', list };
    case KIND.date:
      return { scalar: 'datetime', list };
    default:
      return { scalar: 'json', list: false };
  }
}

/** Marks that a column holds lists and other values: then it is `json`. */
export function addKinds(column: number | undefined, value: number): number {
  if (column === undefined) return value;
  return (column & LIST) === (value & LIST) ? column | value : column | value | OTHER;
}

/** A value as the text of a cell of this type, not yet quoted. */
export function cellText(value: PropertyValue, type: ColumnType): string {
  if (type.scalar === 'json') return JSON.stringify(toTagged(value));
  return Array.isArray(value) ? value.map(scalarText).join(LIST_DELIMITER) : scalarText(value);
}

function scalarText(value: PropertyValue): string {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64');
  return Object.is(value, -0) ? '-0' : String(value as boolean | number | bigint | string);
}

/** A cell as RFC 4180 has it. Quoted also when other readers would cut it, or take it for a comment. */
export function quoted(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
const NEEDS_QUOTES = /[",\r\n]|^[\s#\uFEFF]|\s$/;
