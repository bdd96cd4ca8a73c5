/**
 * An export as the CSV files of `neo4j-admin database import`: files for each set of labels, and for each edge type. A column has one type
 * there, so that rows whose values are of other kinds go into a further file of the same labels.
 *
 * 1. All rows are read to learn the columns of each file. A row takes the first file whose columns can hold it. Columns only ever
 *    take up further kinds, so that in step 3 every row meets the same files, and takes the same one.
 * 2. The files are begun; an existing one ends the export.
 * 3. All rows are read again, and written.
 * Both readings see the same commit. What these files cannot hold is refused in step 1, before anything is written.
 */
import { join } from 'node:path';
import type { Properties } from '@sombra/db';
import { DataError } from '@sombra/vfs';
import { cellText, LIST_DELIMITER, quoted } from '../export/column-kinds.ts';
import type { ExportedFile } from '../export/csv-export.ts';
import { FileNames } from '../export/file-names.ts';
import type { Selected } from '../export/selection.ts';
import type { OutputFiles } from '../files/output-files.ts';
import type { Pace } from '../shell/pace.ts';
import { quote } from '../values/scalar.ts';
import type { Neo4jColumnType } from './neo4j-kinds.ts';
import { addNeo4jKinds, neo4jKindsOf, neo4jTypeOf } from './neo4j-kinds.ts';

/** Group of the ids: they are unique among all nodes. */
const GROUP = 'Node';
/** Keys that a header can hold. */
const HEADER_NAME = /^[^\s:{}()](?:[^:\r\n{}()]*[^\s:{}()])?$/;

/** A file in the making. */
interface Neo4jTable {
  readonly kind: 'nodes' | 'edges';
  /** Labels, or the type. */
  readonly names: readonly string[];
  /** Labels or type as a cell. */
  readonly nameCell: string;
  readonly kinds: Map<string, number>;
  path: string;
  columns: readonly (Neo4jColumnType & { readonly key: string })[];
  rows: number;
}

/** The files of one kind, by labels or type, in the order in which rows try them. */
type Tables = Map<string, Neo4jTable[]>;

/**
 * Exports.
 * @param folder  where the files go
 * @param ending  of their names, for example `.csv`
 * @param pace    is told of every row, and interrupts
 * @throws DataError SOMBRA_EXPORT_VALUE, SOMBRA_EXPORT_EXISTS; IoError SOMBRA_EXPORT_FILE; what the database and `pace` throw
 */
export async function exportNeo4j(
  selected: Selected,
  folder: string,
  ending: string,
  output: OutputFiles,
  pace: Pace,
): Promise<ExportedFile[]> {
  const nodeTables: Tables = new Map();
  const edgeTables: Tables = new Map();
  for (const { id, labels, properties } of selected.nodes()) {
    learn(nodeTables, 'nodes', labels, properties, `node ${id}`);
    if (pace.row()) await pace.turn();
  }
  for (const { id, type, properties } of selected.edges()) {
    learn(edgeTables, 'edges', [type], properties, `edge ${id}`);
    if (pace.row()) await pace.turn();
  }
  const tables = [...nodeTables.values(), ...edgeTables.values()].flat();
  const names = new FileNames(ending);
  for (const table of tables) {
    table.path = join(folder, names.give(table.kind, table.names));
    table.columns = [...table.kinds].map(([key, kinds]) => ({ key, ...neo4jTypeOf(kinds)! }));
  }
  output.begin(tables.map(({ path }) => path));
  for (const table of tables) output.write(table.path, header(table));
  for (const { id, labels, properties } of selected.nodes()) {
    const table = tableFor(nodeTables.get(keyOf(labels))!, properties)!;
    output.write(table.path, `${id},${table.nameCell}${cells(properties, table)}\n`);
    if (pace.row()) await pace.turn();
  }
  for (const { source, target, type, properties } of selected.edges()) {
    const table = tableFor(edgeTables.get(keyOf([type]))!, properties)!;
    output.write(table.path, `${source},${target},${table.nameCell}${cells(properties, table)}\n`);
    if (pace.row()) await pace.turn();
  }
  return tables.map(({ path, kind, rows }) => ({ file: path, kind, rows }));
}

function keyOf(names: readonly string[]): string {
  return JSON.stringify(names);
}

/** Notes what a row needs. @param what  the row, for messages */
function learn(
  tables: Tables,
  kind: 'nodes' | 'edges',
  names: readonly string[],
  properties: Properties,
  what: string,
): void {
  const key = keyOf(names);
  let list = tables.get(key);
  if (list === undefined) {
    if (kind === 'nodes') checkLabels(names, what);
    tables.set(key, (list = []));
  }
  let table = tableFor(list, properties);
  if (table === undefined) {
    checkProperties(properties, what);
    table = newTable(kind, names);
    list.push(table);
  }
  for (const name of Object.keys(properties))
    table.kinds.set(name, addNeo4jKinds(table.kinds.get(name), neo4jKindsOf(properties[name]!)));
}

/** The first file whose columns can hold a row. */
function tableFor(list: readonly Neo4jTable[], properties: Properties): Neo4jTable | undefined {
  const keys = Object.keys(properties);
  return list.find(({ kinds }) =>
    keys.every((key) => {
      const column = kinds.get(key);
      if (column === undefined && !HEADER_NAME.test(key)) return false;
      return neo4jTypeOf(addNeo4jKinds(column, neo4jKindsOf(properties[key]!))) !== undefined;
    }),
  );
}

function newTable(kind: 'nodes' | 'edges', names: readonly string[]): Neo4jTable {
  return {
    kind,
    names,
    nameCell: quoted(names.join(LIST_DELIMITER)),
    kinds: new Map(),
    path: '',
    columns: [],
    rows: 0,
  };
}

function checkLabels(labels: readonly string[], what: string): void {
  const label = labels.find((one) => one.includes(LIST_DELIMITER));
  if (label !== undefined)
    refuse(what, `the label ${quote(label)} holds a ${quote(LIST_DELIMITER)}, which separates labels`);
}

function checkProperties(properties: Properties, what: string): void {
  for (const key of Object.keys(properties)) {
    if (!HEADER_NAME.test(key)) refuse(what, `the key ${quote(key)} cannot be the name of a column`);
    if (neo4jTypeOf(neo4jKindsOf(properties[key]!)) !== undefined) continue;
    const kinds = 'texts, numbers, booleans, dates, and lists of one of them without a ; in texts';
    refuse(what, `the property ${quote(key)} is of a kind that these files do not have; they hold ${kinds}`);
  }
}

function refuse(what: string, message: string): never {
  const advice = 'leave it out by --properties, or export as csv or jsonl';
  throw new DataError('SOMBRA_EXPORT_VALUE', `${what}: ${message}: ${advice}`, { details: { format: 'neo4j', what } });
}

function header({ kind, columns }: Neo4jTable): string {
  const fixed = kind === 'nodes' ? [`:ID(${GROUP})`, ':LABEL'] : [`:START_ID(${GROUP})`, `:END_ID(${GROUP})`, ':TYPE'];
  return `${[...fixed, ...columns.map(({ key, name }) => quoted(`${key}:${name}`))].join(',')}\n`;
}

function cells(properties: Properties, table: Neo4jTable): string {
  let text = '';
  for (const { key, type } of table.columns)
    text += `,${Object.hasOwn(properties, key) ? cell(properties[key]!, type) : ''}`;
  table.rows += 1;
  return text;
}

/** A value as a cell; an empty one is quoted. */
function cell(value: Properties[string], type: Neo4jColumnType['type']): string {
  const text = cellText(value, type);
  return text === '' ? '""' : quoted(text);
}
