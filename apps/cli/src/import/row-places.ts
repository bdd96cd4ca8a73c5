import type { RowPlace } from './messages.ts';

/** Rows that follow each other. `records` is null where their records do, too. */
interface Run {
  readonly first: number;
  readonly start: RowPlace;
  readonly records: Float64Array | null;
}

/** Where the rows of an import stand in their files: a few bytes for each batch whose records follow each other. */
export class RowPlaces {
  private readonly runs: Run[] = [];
  private count = 0;

  /** Takes a batch. @param records  numbers of its records; null when they follow each other */
  add(start: RowPlace, records: Float64Array | null, rows: number): void {
    const inOrder = records === null || records.every((record, i) => record === start.record + i);
    this.runs.push({ first: this.count, start, records: inOrder ? null : records });
    this.count += rows;
  }

  /** @param row  counted from 0 over all batches */
  at(row: number): RowPlace {
    const { first, start, records } = this.runs.findLast((run) => run.first <= row)!;
    return { file: start.file, record: records?.[row - first] ?? start.record + row - first };
  }
}
