/**
 * An export as CSV: a file for each set of labels, and one for each edge type, with headers that `sombra import` reads.
 *
 * 1. All rows are read to learn which columns a file needs, and of which types.
 * 2. The files are begun; an existing one ends the export.
 * 3. All rows are read again, and written.
 * Both readings see the same commit. Memory: a number for each property of each file, and what `OutputFiles` holds.
 */
import { join } from 'node:path';
import type { EdgeRecord, NodeRecord, Properties } from '@sombra/db';
import type { ColumnType } from '../csv/column.ts';
import { propertiesToTagged } from '../values/tagged-json.ts';
import { addKinds, cellText, columnTypeOf, kindsOf, LIST_DELIMITER, quoted } from './column-kinds.ts';
import { FileNames } from './file-names.ts';
import type { OutputFiles } from '../files/output-files.ts';
import type { Pace } from '../shell/pace.ts';
import type { Selected } from './selection.ts';

/** Group of the ids: they are unique among all nodes. */
const GROUP = 'Node';
/** Names that a header can hold; others go into :PROPERTIES. */
const HEADER_NAME = /^[^\s:](?:[^:\r\n]*[^\s:])?$/;

/** What a file has. */
export interface ExportedFile {
  readonly file: string;
  readonly kind: 'nodes' | 'edges';
  readonly rows: number;
}

/** A file in the making. */
interface CsvTable {
  readonly kind: 'nodes' | 'edges';
  /** Labels, or the type. */
  readonly names: readonly string[];
  readonly kinds: Map<string, number>;
  /** Are there properties that have no column of their own? */
  further: boolean;
  path: string;
  columns: readonly { readonly key: string; readonly type: ColumnType }[];
  /** Labels or type as a cell. */
  nameCell: string;
  rows: number;
}

/**
 * Exports.
 * @param folder  where the files go
 * @param pace    is told of every row, and interrupts
 * @throws DataError SOMBRA_EXPORT_EXISTS; IoError SOMBRA_EXPORT_FILE; what the database and `pace` throw
 */
export async function exportCsv(
  selected: Selected,
  folder: string,
  ending: string,
  output: OutputFiles,
  pace: Pace,
): Promise<ExportedFile[]> {
  const nodeTables = new Map<string, CsvTable>();
  const edgeTables = new Map<string, CsvTable>();
  for (const { labels, properties } of selected.nodes()) {
    learn(tableOf(nodeTables, 'nodes', labels), properties);
    if (pace.row()) await pace.turn();
  }
  for (const { type, properties } of selected.edges()) {
    learn(tableOf(edgeTables, 'edges', [type]), properties);
    if (pace.row()) await pace.turn();
  }
  const tables = [...nodeTables.values(), ...edgeTables.values()];
  const names = new FileNames(ending);
  for (const table of tables) {
    table.path = join(folder, names.give(table.kind, table.names));
    table.columns = [...table.kinds].map(([key, kinds]) => ({ key, type: columnTypeOf(kinds) }));
  }
  output.begin(tables.map(({ path }) => path));
  for (const table of tables) output.write(table.path, header(table));
  for (const node of selected.nodes()) {
    const table = tableOf(nodeTables, 'nodes', node.labels);
    output.write(table.path, nodeRow(node, table));
    if (pace.row()) await pace.turn();
  }
  for (const edge of selected.edges()) {
    const table = tableOf(edgeTables, 'edges', [edge.type]);
    output.write(table.path, edgeRow(edge, table));
    if (pace.row()) await pace.turn();
  }
  return tables.map(({ path, kind, rows }) => ({ file: path, kind, rows }));
}

function tableOf(tables: Map<string, CsvTable>, kind: 'nodes' | 'edges', names: readonly string[]): CsvTable {
  // The sign tells a name that looks like a list from a list of names.
  const key = names.length === 1 ? `=${names[0]!}` : JSON.stringify(names);
  return tables.get(key) ?? newTable(tables, key, kind, names);
}

function newTable(
  tables: Map<string, CsvTable>,
  key: string,
  kind: 'nodes' | 'edges',
  names: readonly string[],
): CsvTable {
  const table: CsvTable = {
    kind,
    names,
    kinds: new Map(),
    further: false,
    path: '',
    columns: [],
    nameCell: quoted(
      kind === 'edges' ? names[0]! : needsList(names) ? JSON.stringify(names) : names.join(LIST_DELIMITER),
    ),
    rows: 0,
  };
  tables.set(key, table);
  return table;
}

function needsList(labels: readonly string[]): boolean {
  return labels.some((label) => label.includes(LIST_DELIMITER));
}

function learn(table: CsvTable, properties: Properties): void {
  for (const key of Object.keys(properties)) {
    if (HEADER_NAME.test(key)) table.kinds.set(key, addKinds(table.kinds.get(key), kindsOf(properties[key]!)));
    else table.further = true;
  }
}

function header({ kind, names, columns, further }: CsvTable): string {
  const fixed =
    kind === 'nodes'
      ? [`:ID(${GROUP})`, needsList(names) ? ':LABELS' : ':LABEL']
      : [`:START_ID(${GROUP})`, `:END_ID(${GROUP})`, ':TYPE'];
  const own = columns.map(({ key, type }) => quoted(`${key}:${type.scalar}${type.list ? '[]' : ''}`));
  return `${[...fixed, ...own, ...(further ? [':PROPERTIES'] : [])].join(',')}\n`;
}

function nodeRow({ id, properties }: NodeRecord, table: CsvTable): string {
  return `${id},${table.nameCell}${propertyCells(properties, table)}\n`;
}

function edgeRow({ source, target, properties }: EdgeRecord, table: CsvTable): string {
  return `${source},${target},${table.nameCell}${propertyCells(properties, table)}\n`;
}

function propertyCells(properties: Properties, table: CsvTable): string {
  let cells = '';
  for (const { key, type } of table.columns)
    cells += Object.hasOwn(properties, key) ? `,${quoted(cellText(properties[key]!, type))}` : ',';
  table.rows += 1;
  return table.further ? `${cells},${furtherCell(properties)}` : cells;
}

function furtherCell(properties: Properties): string {
  const further = Object.create(null) as Properties;
  let some = false;
  for (const key of Object.keys(properties)) {
    if (HEADER_NAME.test(key)) continue;
    further[key] = properties[key]!;
    some = true;
  }
  return some ? quoted(JSON.stringify(propertiesToTagged(further))) : '';
}
