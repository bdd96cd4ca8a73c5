/** From the first line of a CSV file, and options, to columns. */
import type { Column, ColumnType } from './column.ts';
import { parseColumnType, typeNames } from './column.ts';
import { quote } from '../values/scalar.ts';
import { importError } from '../errors/import-error.ts';
import type { Place } from '../errors/import-error.ts';

/** What a file holds. */
export type FileKind = 'nodes' | 'edges';

/** How plain headers are read: which column plays which part. A name that is undefined means the usual one, if it is there. */
export interface HeaderOptions {
  readonly idColumn?: string | undefined;
  readonly labelColumn?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly typeColumn?: string | undefined;
  /** Types of columns by name, before what the header says; null: leave the column out. */
  readonly columns: ReadonlyMap<string, ColumnType | null>;
  /** Property that keeps the ids of nodes, instead of the one that the header names. */
  readonly idProperty?: { readonly name: string; readonly type: ColumnType } | undefined;
}

const STRING: ColumnType = { scalar: 'string', list: false };
/** Longest property key in bytes of UTF-8. */
const NAME_SIZE_MAX = 255;
const FIELD = /^([^:]*)(?::([A-Za-z_]+(?:\[\])?)(?:\(([^()]*)\))?(?:\{([^{}]*)\})?)?$/;
/** The option of neo4j-admin for a column of ids: `{id-type:long}`. */
const ID_TYPE = /^\s*id-type\s*:\s*(string|int|integer|long)\s*$/i;
/** Types of Neo4j that have no counterpart here. */
const FOREIGN_TYPES = new Set(['time', 'localtime', 'localdatetime', 'duration', 'point', 'vector']);

/**
 * Reads a header.
 * @param fields  the cells of the first record
 * @param place   the file, and the line of the header
 * @throws DataError SOMBRA_CSV_HEADER
 */
export function parseHeader(fields: readonly string[], kind: FileKind, options: HeaderOptions, place: Place): Column[] {
  const columns = fields.map((field) => parseField(field, kind, options, place));
  assignParts(columns, fields, kind, options, place);
  checkHeader(columns, kind, place);
  return columns;
}

function refuse(place: Place, message: string): never {
  throw importError('SOMBRA_CSV_HEADER', place, message);
}

/** One field on its own: `name`, `name:type`, `:LABEL`, `name:ID(Group)` and the like. */
function parseField(field: string, kind: FileKind, options: HeaderOptions, place: Place): Column {
  const match = FIELD.exec(field.trim());
  if (match === null)
    refuse(place, `the column ${quote(field)} cannot be read: write name, name:type or name:ID(Group)`);
  const name = match[1]!;
  checkName(name, place);
  const [, , special, group = null, braces] = match;
  if (special === undefined) {
    if (name === '') refuse(place, 'a column has no name');
    return property(name, STRING, options);
  }
  const idType = special === 'ID' && braces !== undefined ? ID_TYPE.exec(braces)?.[1] : undefined;
  if (braces !== undefined && idType === undefined)
    refuse(place, `the column ${quote(field)} has options in braces; only {id-type:…} of a column of ids is known`);
  const part = parsePart(special, name, group, kind, options, idType);
  if (part !== undefined) return part;
  const type = parseColumnType(special);
  if (type === undefined && FOREIGN_TYPES.has(special.toLowerCase().replace('[]', '')) && name !== '') {
    if (options.columns.has(name)) return property(name, STRING, options);
    const advice = `keep its text by --columns ${name}:string, or leave it out by --columns ${name}:ignore`;
    refuse(place, `the column ${quote(field)} has a type of Neo4j that Sombra does not have: ${advice}`);
  }
  if (type === undefined)
    refuse(place, `the column ${quote(field)} has a type that ${kind} do not have; known: ${typeNames()}`);
  if (group !== null) refuse(place, `the column ${quote(field)} names a group, which only ids have`);
  if (name === '') refuse(place, `the column ${quote(field)} has no name`);
  return property(name, type, options);
}

/** A property of the type that the options say, or else the header. */
function property(name: string, type: ColumnType, { columns }: HeaderOptions): Column {
  const chosen = columns.get(name) === undefined ? type : columns.get(name)!;
  return chosen === null ? { role: 'ignore' } : { role: 'property', name, type: chosen };
}

/** Ids. They are also kept as a property, unless the column has no name or the options say to ignore it. */
function idColumn(
  name: string,
  group: string | null,
  { columns, idProperty }: HeaderOptions,
  written: ColumnType = STRING,
): Column {
  if (idProperty !== undefined) return { role: 'id', ...idProperty, group };
  const type = columns.get(name);
  return { role: 'id', name: name === '' || type === null ? null : name, group, type: type ?? written };
}

function checkName(name: string, place: Place): void {
  if (name.includes('\r'))
    refuse(place, 'lines end by a carriage return alone: convert the file, for example by mac2unix');
  const size = Buffer.byteLength(name);
  if (size > NAME_SIZE_MAX)
    refuse(place, `the column ${quote(name)} has a name of ${size} bytes; ${NAME_SIZE_MAX} are the most`);
}

function parsePart(
  special: string,
  name: string,
  group: string | null,
  kind: FileKind,
  options: HeaderOptions,
  idType: string | undefined,
): Column | undefined {
  switch (special) {
    case 'ID':
      if (kind === 'edges') return undefined;
      return idColumn(name, group, options, idType === undefined ? STRING : parseColumnType(idType));
    case 'LABEL':
      return kind === 'nodes' ? { role: 'label' } : undefined;
    case 'LABELS':
      return kind === 'nodes' ? { role: 'labels' } : undefined;
    case 'PROPERTIES':
      return { role: 'properties' };
    case 'START_ID':
      return kind === 'edges' ? { role: 'start', group } : undefined;
    case 'END_ID':
      return kind === 'edges' ? { role: 'end', group } : undefined;
    case 'TYPE':
      return kind === 'edges' ? { role: 'type' } : undefined;
    case 'IGNORE':
      return { role: 'ignore' };
    default:
      return undefined;
  }
}

/** Gives plain columns the parts that the options, or their usual names, say. */
function assignParts(
  columns: Column[],
  fields: readonly string[],
  kind: FileKind,
  options: HeaderOptions,
  place: Place,
): void {
  const assign = (
    role: Column['role'],
    wanted: string | undefined,
    usual: string | undefined,
    option: string,
  ): void => {
    if (columns.some((column) => column.role === role)) return;
    const name = wanted ?? usual;
    if (name === undefined) return;
    const at = fields.findIndex((field) => field.trim() === name);
    if (at < 0) {
      if (wanted === undefined) return;
      refuse(
        place,
        `there is no column ${quote(name)}, which ${option} names; columns: ${fields.map((field) => field.trim()).join(', ')}`,
      );
    }
    if (role === 'id') columns[at] = idColumn(name, null, options);
    else if (role === 'start' || role === 'end') columns[at] = { role, group: null };
    else if (role === 'label' || role === 'type') columns[at] = { role };
  };
  if (kind === 'nodes') {
    assign('id', options.idColumn, 'id', '--id-column');
    assign('label', options.labelColumn, undefined, '--label-column');
  } else {
    assign('start', options.from, 'from', '--from');
    assign('end', options.to, 'to', '--to');
    assign('type', options.typeColumn, undefined, '--type-column');
  }
}

function checkHeader(columns: readonly Column[], kind: FileKind, place: Place): void {
  for (const role of ['id', 'start', 'end', 'label', 'labels', 'type', 'properties'] as const) {
    if (columns.filter((column) => column.role === role).length > 1)
      refuse(place, `two columns are :${columnWord(role)}`);
  }
  const names = columns.flatMap((column) => ('name' in column && column.name !== null ? [column.name] : []));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) refuse(place, `two columns are called ${quote(twice)}`);
  if (kind === 'nodes') return;
  for (const [role, option] of [
    ['start', '--from'],
    ['end', '--to'],
  ] as const) {
    if (columns.some((column) => column.role === role)) continue;
    refuse(
      place,
      `no column says where an edge ${role === 'start' ? 'begins' : 'ends'}: name one :${columnWord(role)}, or give ${option}`,
    );
  }
}

function columnWord(role: 'id' | 'start' | 'end' | 'label' | 'labels' | 'type' | 'properties'): string {
  return role === 'start' ? 'START_ID' : role === 'end' ? 'END_ID' : role.toUpperCase();
}
