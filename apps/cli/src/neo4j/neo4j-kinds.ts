/** Which type of neo4j-admin a column needs to hold all values of a property. */
import type { PropertyValue } from '@sombra/db';
import type { ColumnType } from '../csv/column.ts';
import { addKinds, columnTypeOf, kindsOf, LIST } from '../export/column-kinds.ts';

/** Stands for a value that these files cannot hold, whatever else is in the column. */
const OTHER = kindsOf({});

/** A column of these files: its type as the header names it, and as cells are written. */
export interface Neo4jColumnType {
  readonly name: string;
  readonly type: ColumnType;
}

/** Names of types in neo4j-admin, whose `int` has 32 bits. `bytes` and `json` have none. */
const NAMES: Readonly<Partial<Record<ColumnType['scalar'], string>>> = Object.freeze({
  string: 'string',
  int: 'long',
  float: 'double',
  boolean: 'boolean',
  datetime: 'datetime',
});

/** Kinds of a value as bits, as `kindsOf` has them; but a quoted empty cell holds an empty text, or an empty list. */
export function neo4jKindsOf(value: PropertyValue): number {
  if (value === '') return kindsOf('x');
  if (!Array.isArray(value)) return kindsOf(value);
  if (value.length === 0) return LIST;
  if (value.length === 1 && value[0] === '') return OTHER; // its cell would be that of an empty list
  return kindsOf(value.map((one) => (one === '' ? 'x' : one)));
}

/** The kinds of a column that holds these and those. */
export function addNeo4jKinds(column: number | undefined, value: number): number {
  return addKinds(column, value);
}

/** The type of a column that holds values of these kinds; undefined when there is none. */
export function neo4jTypeOf(kinds: number): Neo4jColumnType | undefined {
  const type = kinds === LIST ? { scalar: 'string' as const, list: true } : columnTypeOf(kinds);
  const name = NAMES[type.scalar];
  return name === undefined ? undefined : { name: type.list ? `${name}[]` : name, type };
}
