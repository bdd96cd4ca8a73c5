/** Records of a CSV file (RFC 4180): streams, so memory is bounded by the batch. */
import { pipeline } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import type { CastingFunction } from 'csv-parse';
import { importError } from '../errors/import-error.ts';
import type { TextFile } from '../files/text-file.ts';
import { openText } from '../files/text-file.ts';

/** Records of a batch, at most. */
const BATCH_RECORDS = 1000;
/** Characters of a batch, about. */
const BATCH_CHARACTERS = 1024 * 1024;
/** Longest record in bytes: the largest property, and then some. */
const RECORD_SIZE_MAX = 32 * 1024 * 1024;

/** Some records that follow each other. `first` is the number of the first one; the header is record 0. */
export interface Batch {
  readonly first: number;
  readonly records: string[][];
  /** With `quotedEmpty`: the empty cells that are quoted. */
  readonly quotedEmpty?: QuotedCells;
}

/** Cells of a file, by record and column. A record is forgotten when it has been asked about. */
export class QuotedCells {
  private readonly records = new Map<number, number[]>();

  add(record: number, column: number): void {
    const columns = this.records.get(record);
    if (columns === undefined) this.records.set(record, [column]);
    else columns.push(column);
  }

  /** The columns of a record. */
  take(record: number): readonly number[] {
    const columns = this.records.get(record) ?? [];
    this.records.delete(record);
    return columns;
  }
}

/** How a file is read. */
export interface CsvOptions {
  readonly delimiter: string;
  /** Tell empty cells that are quoted from those that are not. */
  readonly quotedEmpty?: boolean;
  readonly onBytes?: (bytes: number) => void;
}

/**
 * Reads the records of a file, the header among them. Empty lines are skipped.
 * @throws DataError SOMBRA_IMPORT_FILE, SOMBRA_CSV_SYNTAX
 */
export async function* readBatches(file: TextFile, options: CsvOptions): AsyncGenerator<Batch> {
  const quoted = options.quotedEmpty === true ? new QuotedCells() : undefined;
  const parser = parse({
    ...(quoted === undefined ? {} : { cast: notingQuotes(quoted) }),
    bom: true,
    delimiter: options.delimiter,
    record_delimiter: ['\r\n', '\n'],
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: RECORD_SIZE_MAX,
  });
  // An error of the source destroys the parser with it, so the loop below throws it.
  pipeline(openText(file, options.onBytes), parser).catch(() => undefined);
  let first = 0;
  let records: string[][] = [];
  let characters = 0;
  try {
    for await (const record of parser as AsyncIterable<string[]>) {
      records.push(record);
      for (const cell of record) characters += cell.length;
      if (records.length < BATCH_RECORDS && characters < BATCH_CHARACTERS) continue;
      yield batch(first, records, quoted);
      first += records.length;
      records = [];
      characters = 0;
    }
  } catch (error) {
    throw error instanceof CsvError ? await syntaxError(file, error) : error;
  }
  if (records.length > 0) yield batch(first, records, quoted);
}

function batch(first: number, records: string[][], quotedEmpty: QuotedCells | undefined): Batch {
  return quotedEmpty === undefined ? { first, records } : { first, records, quotedEmpty };
}

function notingQuotes(quoted: QuotedCells): CastingFunction {
  return (cell, { quoting, records, index }) => {
    if (cell === '' && quoting) quoted.add(records, index);
    return cell;
  };
}

/** The first record, and the line it begins in. @throws DataError SOMBRA_IMPORT_FILE, SOMBRA_CSV_SYNTAX, SOMBRA_CSV_HEADER */
export async function readHeaderRecord(
  file: TextFile,
  options: CsvOptions,
): Promise<{ fields: string[]; line: number }> {
  for await (const { records } of readBatches(file, options))
    return { fields: records[0]!, line: await lineOfRecord(file, 0) };
  throw importError('SOMBRA_CSV_HEADER', { file: file.path }, 'the file is empty: its first line names the columns');
}

/**
 * The line that a record begins in, from 1. Reads the file again: only for error messages.
 * The parser's own line count is not used, since it counts a line end of two bytes within quotes twice.
 */
export async function lineOfRecord(file: TextFile, record: number): Promise<number> {
  let line = 1;
  let seen = -1;
  let quoted = false;
  let empty = true;
  for await (const chunk of openText(file) as AsyncIterable<Buffer>) {
    for (const byte of chunk) {
      if (byte === 0x0a) {
        line += 1;
        if (!quoted) empty = true;
        continue;
      }
      if (byte === 0x22) quoted = !quoted;
      if (byte === 0x0d || !empty) continue;
      empty = false;
      seen += 1;
      if (seen === record) return line;
    }
  }
  return line;
}

async function syntaxError(file: TextFile, error: CsvError): Promise<Error> {
  const records = (error as unknown as { records?: number }).records ?? 0;
  const line = await lineOfRecord(file, records);
  // The parser's text ends with its own idea of the line, and may hold the whole value.
  const message = error.message.replace(/ at line \d+.*$/s, '').slice(0, 200);
  return importError(
    'SOMBRA_CSV_SYNTAX',
    { file: file.path, line },
    `${message}; quote a field by "…" and write "" for a quote in it`,
    error,
  );
}
