/** What an import will do, worked out before anything is written. */
import type { Column, ColumnType } from '../csv/column.ts';
import { parseColumnType, typeNames } from '../csv/column.ts';
import type { FileKind, HeaderOptions } from '../csv/header.ts';
import { parseHeader } from '../csv/header.ts';
import { readHeaderRecord } from '../csv/records.ts';
import type { TextFile } from '../files/text-file.ts';
import { inspectFile } from '../files/text-file.ts';
import { quote } from '../values/scalar.ts';
import { usageError } from '../errors/usage-error.ts';
import type { FileSpec } from './file-spec.ts';
import { parseEdgeSpec, parseNodeSpec } from './file-spec.ts';
import { importError } from '../errors/import-error.ts';
import type { Place } from '../errors/import-error.ts';

/** Options of `sombra import` that say how files are read. */
export interface ImportOptions {
  readonly nodes?: readonly string[];
  readonly edges?: readonly string[];
  readonly label?: string;
  readonly type?: string;
  readonly idColumn?: string;
  readonly labelColumn?: string;
  readonly from?: string;
  readonly to?: string;
  readonly typeColumn?: string;
  readonly columns?: string;
  readonly idProperty?: string;
  /** undefined: a comma. */
  readonly delimiter?: string;
  readonly arrayDelimiter: string;
  readonly quotedEmpty?: boolean;
}

/** Other characters that files have between their cells. */
const OTHER_DELIMITERS = Object.freeze({ ';': "';'", '\t': 'tab', '|': "'|'" });

/** Type of the property that keeps ids, unless it is said. */
const ID_TYPE: ColumnType = { scalar: 'string', list: false };

/** One file with its columns. */
export interface FilePlan {
  readonly kind: FileKind;
  readonly file: TextFile;
  readonly columns: readonly Column[];
  /** Labels of every node of the file. */
  readonly labels: readonly string[];
  /** Type of edges without one of their own; null when a column gives it. */
  readonly type: string | null;
  /** Groups of ids where the header names none: of the nodes, or of the starts and the ends. */
  readonly groups: readonly [string, string];
}

/** Files in the order in which they are read, nodes first. */
export interface ImportPlan {
  readonly files: readonly FilePlan[];
  readonly delimiter: string;
  readonly arrayDelimiter: string;
  /** Is a quoted empty cell an empty text or list, and not an absent value? */
  readonly quotedEmpty: boolean;
  /** Bytes on disk of all files. */
  readonly bytes: number;
}

/** Looks at every file and its header. @throws DataError SOMBRA_USAGE, SOMBRA_IMPORT_FILE, SOMBRA_CSV_HEADER, SOMBRA_CSV_SYNTAX */
export async function planImport(options: ImportOptions): Promise<ImportPlan> {
  const nodes = (options.nodes ?? []).map(parseNodeSpec);
  const edges = (options.edges ?? []).map(parseEdgeSpec);
  if (nodes.length + edges.length === 0)
    throw usageError('nothing to import: name files by --nodes and --edges, or by an option of their format');
  checkNames(options);
  const delimiter = parseDelimiter(options.delimiter ?? ',', '--delimiter');
  const arrayDelimiter = parseDelimiter(options.arrayDelimiter, '--array-delimiter');
  const types = parseColumnTypes(options.columns);
  const idProperty = parseIdProperty(options.idProperty);
  const unused = new Set(types.keys());
  const files: FilePlan[] = [];
  for (const [kind, specs] of [
    ['nodes', nodes],
    ['edges', edges],
  ] as const) {
    for (const spec of specs) {
      const file = inspectFile(spec.path);
      const { fields, line } = await readHeaderRecord(file, { delimiter });
      for (const field of fields) unused.delete(field.trim().split(':')[0]!);
      const place = { file: spec.path, line };
      if (options.delimiter === undefined) checkDelimiter(fields, place);
      files.push(
        planFile(
          kind,
          spec,
          file,
          parseHeader(fields, kind, headerOptions(options, types, idProperty), place),
          options,
          place,
        ),
      );
    }
  }
  for (const name of unused) throw usageError(`--columns names ${JSON.stringify(name)}, which is a column of no file`);
  const { quotedEmpty = false } = options;
  return { files, delimiter, arrayDelimiter, quotedEmpty, bytes: files.reduce((sum, { file }) => sum + file.size, 0) };
}

/** One column whose name holds another delimiter was meant to be several. @throws DataError SOMBRA_CSV_HEADER */
function checkDelimiter(fields: readonly string[], place: Place): void {
  const [only = ''] = fields;
  const other = Object.entries(OTHER_DELIMITERS).find(([character]) => only.includes(character));
  if (fields.length > 1 || other === undefined) return;
  const message = `the only column is ${quote(only)}: pass --delimiter ${other[1]} if that is what stands between cells, or --delimiter , if it is one name`;
  throw importError('SOMBRA_CSV_HEADER', place, message);
}

function headerOptions(
  options: ImportOptions,
  columns: HeaderOptions['columns'],
  idProperty: HeaderOptions['idProperty'],
): HeaderOptions {
  const { idColumn, labelColumn, from, to, typeColumn } = options;
  return { idColumn, labelColumn, from, to, typeColumn, columns, idProperty };
}

function planFile(
  kind: FileKind,
  spec: FileSpec,
  file: TextFile,
  columns: readonly Column[],
  options: ImportOptions,
  place: Place,
): FilePlan {
  const names = spec.names.length > 0 ? spec.names : fallbackNames(kind, options);
  const typed = columns.some(({ role }) => role === 'type');
  if (kind === 'edges' && !typed && names.length === 0) {
    throw importError(
      'SOMBRA_CSV_HEADER',
      place,
      'no column is :TYPE: write --edges TYPE=FILE, or give --type or --type-column',
    );
  }
  return {
    kind,
    file,
    columns,
    labels: kind === 'nodes' ? names : [],
    type: kind === 'edges' ? (names[0] ?? null) : null,
    groups: [spec.groups[0] ?? '', spec.groups[1] ?? ''],
  };
}

function fallbackNames(kind: FileKind, options: ImportOptions): readonly string[] {
  const names = kind === 'edges' ? [options.type] : (options.label?.split(':') ?? []);
  return names.filter((name) => name !== undefined);
}

/** Labels and type for what has none of its own, in files that hold nodes and edges. @throws DataError SOMBRA_USAGE */
export function fallbacksOf(options: Pick<ImportOptions, 'label' | 'type'>): {
  labels: readonly string[];
  type: string | undefined;
} {
  checkNames(options);
  return { labels: options.label?.split(':') ?? [], type: options.type };
}

/** @throws DataError SOMBRA_USAGE for an empty label or type */
function checkNames({ label, type }: Pick<ImportOptions, 'label' | 'type'>): void {
  if (label?.split(':').includes('')) throw usageError('--label names an empty label');
  if (type === '') throw usageError('--type names an empty type');
}

function parseDelimiter(text: string, option: string): string {
  const delimiter = text === '\\t' || text.toLowerCase() === 'tab' ? '\t' : text;
  if (delimiter.length === 1 && !/["\r\n]/.test(delimiter)) return delimiter;
  throw usageError(`${option} is one character, or tab`);
}

/** Reads `key` or `key:type`. */
function parseIdProperty(text: string | undefined): HeaderOptions['idProperty'] {
  if (text === undefined) return undefined;
  const at = text.lastIndexOf(':');
  const name = at < 0 ? text : text.slice(0, at);
  const type = at < 0 ? ID_TYPE : parseColumnType(text.slice(at + 1));
  if (name !== '' && type !== undefined) return { name, type };
  throw usageError(`--id-property ${JSON.stringify(text)} cannot be read: write key or key:type, for example id:int`);
}

/** Reads `longest:int,lat:float,note:ignore`. */
function parseColumnTypes(text: string | undefined): Map<string, ColumnType | null> {
  const types = new Map<string, ColumnType | null>();
  for (const part of text === undefined ? [] : text.split(',')) {
    const at = part.lastIndexOf(':');
    const name = part.slice(0, at).trim();
    const word = part.slice(at + 1).trim();
    const type = word.toLowerCase() === 'ignore' ? null : parseColumnType(word);
    if (at < 1 || name === '' || type === undefined) {
      throw usageError(
        `--columns ${JSON.stringify(part)} cannot be read: write name:type, where type is ${typeNames()}, or ignore`,
      );
    }
    types.set(name, type);
  }
  return types;
}
