import { DataError } from '@sombra/vfs';

/** Codes of what can be wrong with files to import. */
export const IMPORT_CODES = Object.freeze([
  'SOMBRA_IMPORT_FILE',
  'SOMBRA_CSV_HEADER',
  'SOMBRA_CSV_SYNTAX',
  'SOMBRA_CSV_CELL',
  'SOMBRA_IMPORT_DUPLICATE_ID',
  'SOMBRA_IMPORT_DANGLING_EDGE',
  'SOMBRA_JSONL_SYNTAX',
  'SOMBRA_JSONL_VALUE',
  'SOMBRA_GRAPH_FILE_SYNTAX',
  'SOMBRA_GRAPH_FILE_VALUE',
  'SOMBRA_GRAPH_FILE_UNSUPPORTED',
] as const);
export type ImportCode = (typeof IMPORT_CODES)[number];

/** Where in a file. Lines count from 1, the header is line 1. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  readonly column?: string;
}

/** An error that begins with its place, `file:line:`. */
export function importError(code: ImportCode, place: Place, message: string, cause?: unknown): DataError {
  return placedError(code, place, message, cause);
}

/** The same for an error of the engine, which keeps its code and its details. */
export function placedError(code: string, place: Place, message: string, cause: unknown): DataError {
  const details = (cause as { readonly details?: object } | undefined)?.details;
  const where = place.line === undefined ? place.file : `${place.file}:${place.line}`;
  return new DataError(code, `${where}: ${message}`, { details: { ...details, ...place }, cause });
}
