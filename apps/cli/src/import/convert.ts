/** From records of a file to batches for the loading thread. */
import type { PropertyValue } from '@sombra/db';
import type { Column, ColumnType } from '../csv/column.ts';
import { parseCell } from '../csv/cell.ts';
import { CellError, quote } from '../values/scalar.ts';
import { parseJson } from '../values/exact-json.ts';
import { parseTaggedProperties } from '../values/tagged-json.ts';
import { lineOfRecord } from '../csv/records.ts';
import type { Batch } from '../csv/records.ts';
import { compactId } from './id-table.ts';
import type { IdGroup, IdTable } from './id-table.ts';
import { importError } from '../errors/import-error.ts';
import type { ImportCode } from '../errors/import-error.ts';
import type { EdgeBatch, NodeBatch, Row, RowPlace } from './messages.ts';
import type { FilePlan, ImportPlan } from './plan.ts';

/** A problem with a record, before its line is known. */
class RecordError extends Error {
  readonly code: ImportCode;
  readonly record: number;
  readonly column: string | undefined;

  constructor(code: ImportCode, record: number, message: string, column?: string) {
    super(message);
    this.code = code;
    this.record = record;
    this.column = column;
  }
}

interface PropertyColumn {
  readonly at: number;
  readonly column: Extract<Column, { name: string | null }>;
}

/** Turns the records of one file into batches. */
export class Converter {
  private readonly plan: FilePlan;
  private readonly file: number;
  private readonly arrayDelimiter: string;
  private readonly ids: IdTable;
  private readonly keys: readonly string[];
  private readonly properties: readonly PropertyColumn[];
  /** Position of :PROPERTIES, -1 without. */
  private readonly furtherAt: number;

  /**
   * @param file  position of the file in the plan
   * @param ids   filled by node files, read by edge files
   */
  constructor(plan: ImportPlan, file: number, ids: IdTable) {
    this.plan = plan.files[file]!;
    this.file = file;
    this.arrayDelimiter = plan.arrayDelimiter;
    this.ids = ids;
    this.properties = this.plan.columns.flatMap((column, at) =>
      'name' in column && column.name !== null ? [{ at, column }] : [],
    );
    this.keys = this.properties.map(({ column }) => column.name!);
    this.furtherAt = this.indexOf('properties');
  }

  /**
   * Nodes. Their positions count on from `position`.
   * @throws DataError SOMBRA_CSV_SYNTAX, SOMBRA_CSV_CELL, SOMBRA_IMPORT_DUPLICATE_ID
   */
  async nodes(batch: Batch, position: number): Promise<NodeBatch> {
    const { labels, groups } = this.plan;
    const idAt = this.indexOf('id');
    const labelAt = this.indexOf('label');
    const listAt = this.indexOf('labels');
    const group = idAt < 0 ? undefined : this.ids.group(this.groupOf(idAt, groups[0]));
    const rowLabels: string[][] | null = labelAt < 0 && listAt < 0 ? null : [];
    const rows = await this.eachRecord(batch, (cells, record, row) => {
      if (group !== undefined) this.addId(group, cells[idAt]!, position + row, record);
      if (rowLabels === null) return;
      const own = labelAt < 0 ? [] : cells[labelAt]!.split(this.arrayDelimiter).filter((label) => label !== '');
      rowLabels.push([...labels, ...own, ...(listAt < 0 ? [] : readLabelList(cells[listAt]!, record))]);
    });
    return { kind: 'nodes', start: this.startOf(batch), records: null, keys: this.keys, labels, rowLabels, rows };
  }

  /** Edges. @throws DataError SOMBRA_CSV_SYNTAX, SOMBRA_CSV_CELL, SOMBRA_IMPORT_DANGLING_EDGE */
  async edges(batch: Batch): Promise<EdgeBatch> {
    const { groups, type } = this.plan;
    const [startAt, endAt, typeAt] = [this.indexOf('start'), this.indexOf('end'), this.indexOf('type')];
    const [startGroup, endGroup] = [this.groupOf(startAt, groups[0]), this.groupOf(endAt, groups[1])];
    const [starts, ends] = [this.ids.group(startGroup), this.ids.group(endGroup)];
    const sources = new Float64Array(batch.records.length);
    const targets = new Float64Array(batch.records.length);
    const rowTypes: string[] | null = typeAt < 0 ? null : [];
    const rows = await this.eachRecord(batch, (cells, record, row) => {
      sources[row] = position(starts, startGroup, cells[startAt]!, record, 'begins');
      targets[row] = position(ends, endGroup, cells[endAt]!, record, 'ends');
      if (rowTypes === null) return;
      const own = cells[typeAt]! || type;
      if (own === null)
        throw new RecordError('SOMBRA_CSV_CELL', record, 'the edge has no type: fill the column, or give --type');
      rowTypes.push(own);
    });
    return {
      kind: 'edges',
      start: this.startOf(batch),
      records: null,
      keys: this.keys,
      type: type ?? '',
      rowTypes,
      sources: sources.subarray(0, rows.length),
      targets: targets.subarray(0, rows.length),
      rows,
    };
  }

  /** Place of the first row of a batch. */
  private startOf({ first }: Batch): RowPlace {
    return { file: this.file, record: Math.max(first, 1) };
  }

  private indexOf(role: Column['role']): number {
    return this.plan.columns.findIndex((column) => column.role === role);
  }

  private groupOf(at: number, fallback: string): string {
    const column = this.plan.columns[at];
    return (column !== undefined && 'group' in column ? column.group : null) ?? fallback;
  }

  private addId(group: IdGroup, id: string, position: number, record: number): void {
    if (id === '') throw new RecordError('SOMBRA_CSV_CELL', record, 'the id is empty');
    if (group.add(compactId(id), position)) return;
    throw new RecordError(
      'SOMBRA_IMPORT_DUPLICATE_ID',
      record,
      `the id ${quote(id)} was used before: ids are unique within a group, see Label(Group)=FILE`,
    );
  }

  /** Reads the properties of every record but the header, and hands the cells to `visit` for the rest. */
  private async eachRecord(
    { first, records, quotedEmpty }: Batch,
    visit: (cells: readonly string[], record: number, row: number) => void,
  ): Promise<Row[]> {
    const rows: Row[] = [];
    try {
      for (let at = first === 0 ? 1 : 0; at < records.length; at += 1) {
        const cells = records[at]!;
        this.checkLength(cells, first + at);
        visit(cells, first + at, rows.length);
        rows.push(this.readProperties(cells, first + at, quotedEmpty?.take(first + at)));
      }
    } catch (error) {
      throw error instanceof RecordError ? await this.placed(error) : error;
    }
    return rows;
  }

  private checkLength(cells: readonly string[], record: number): void {
    const expected = this.plan.columns.length;
    if (cells.length === expected) return;
    throw new RecordError(
      'SOMBRA_CSV_SYNTAX',
      record,
      `${cells.length} cells instead of ${expected}, which the header has`,
    );
  }

  private readProperties(cells: readonly string[], record: number, quotedEmpty: readonly number[] = []): Row {
    const values: (PropertyValue | undefined)[] = [];
    for (const { at, column } of this.properties)
      if (cells[at] === '' && quotedEmpty.includes(at)) values.push(emptyValue(column.type));
      else values.push(readCell(record, column.name!, () => parseCell(cells[at]!, column.type, this.arrayDelimiter)));
    if (this.furtherAt < 0 || cells[this.furtherAt] === '') return values;
    const further = readCell(record, ':PROPERTIES', () => parseTaggedProperties(cells[this.furtherAt]!));
    for (const key of Object.keys(further)) {
      if (this.keys.includes(key)) {
        const message = `:PROPERTIES holds ${quote(key)}, which has a column of its own`;
        throw new RecordError('SOMBRA_CSV_CELL', record, message, ':PROPERTIES');
      }
      values.push(key, further[key]);
    }
    return values;
  }

  private async placed({ code, record, message, column }: RecordError): Promise<Error> {
    const { file } = this.plan;
    const line = await lineOfRecord(file, record);
    return importError(code, { file: file.path, line, ...(column === undefined ? {} : { column }) }, message);
  }
}

function position(group: IdGroup, name: string, id: string, record: number, verb: string): number {
  const found = group.get(compactId(id));
  if (found !== undefined) return found;
  const where = name === '' ? '' : ` of group ${quote(name)}`;
  throw new RecordError(
    'SOMBRA_IMPORT_DANGLING_EDGE',
    record,
    `the edge ${verb} at ${quote(id)}, which is the id of no node${where}`,
  );
}

/** Reads a cell. @throws RecordError for what it cannot be */
function readCell<T>(record: number, column: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CellError)) throw error;
    throw new RecordError('SOMBRA_CSV_CELL', record, `column ${column}: ${error.message}`, column);
  }
}

/** What a quoted empty cell is: neo4j-admin tells it from one that is not quoted. */
function emptyValue({ scalar, list }: ColumnType): PropertyValue | undefined {
  if (list) return [];
  return scalar === 'string' ? '' : undefined;
}

/** Labels of a cell of :LABELS. */
function readLabelList(cell: string, record: number): readonly string[] {
  if (cell === '') return [];
  const labels = readCell(record, ':LABELS', () => parseJson(cell));
  if (Array.isArray(labels) && labels.every((label) => typeof label === 'string')) return labels;
  const message = `column :LABELS: ${quote(cell)} is no list of labels, ["A","B"]`;
  throw new RecordError('SOMBRA_CSV_CELL', record, message, ':LABELS');
}
