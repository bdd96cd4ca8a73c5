/** What a column of a CSV file is for. */
import { SCALAR_TYPES } from '../values/scalar.ts';
import type { ScalarType } from '../values/scalar.ts';

/** Type of a cell: one value, or a list of them. */
export interface ColumnType {
  /** `json`: any value, as tagged-json.ts writes it. */
  readonly scalar: ScalarType | 'json';
  readonly list: boolean;
}

/** Names of types as other tools write them too. */
const TYPE_NAMES: Readonly<Record<string, ColumnType['scalar']>> = Object.freeze({
  string: 'string',
  char: 'string',
  int: 'int',
  integer: 'int',
  long: 'int',
  short: 'int',
  byte: 'int',
  float: 'float',
  double: 'float',
  boolean: 'boolean',
  bool: 'boolean',
  bytes: 'bytes',
  date: 'date',
  datetime: 'datetime',
  json: 'json',
});

/**
 * What a column does with its cells. `group`: the id group of the ids in it. `labels`: a JSON list of them. `properties`: more
 * properties, as a JSON object.
 */
export type Column =
  | { readonly role: 'property'; readonly name: string; readonly type: ColumnType }
  | { readonly role: 'id'; readonly name: string | null; readonly group: string | null; readonly type: ColumnType }
  | { readonly role: 'start' | 'end'; readonly group: string | null }
  | { readonly role: 'label' | 'labels' | 'type' | 'properties' | 'ignore' };

/** Reads `int`, `string[]` and the like. @returns undefined when there is no such type */
export function parseColumnType(text: string): ColumnType | undefined {
  const list = text.endsWith('[]');
  const name = (list ? text.slice(0, -2) : text).toLowerCase();
  const scalar = Object.hasOwn(TYPE_NAMES, name) ? TYPE_NAMES[name] : undefined;
  return scalar === undefined || (scalar === 'json' && list) ? undefined : { scalar, list };
}

/** Names of the types for a message. */
export function typeNames(): string {
  return `${SCALAR_TYPES.join(', ')}, each also with [], and json`;
}
