/**
 * Rows of a bulk load on their way to being sorted: three numbers and a row number each. Rows are gathered in columns of
 * bounded size. When these are full, they are written to scratch space as a run, once in each order that will be asked for; at
 * the end the runs are merged. Rows with equal keys keep their order.
 */
import type { BulkScratch } from '@sombra/pager';
import { DataError } from '@sombra/vfs';
import type { RadixSorter } from './radix-sort.ts';

/** A column: `a` and `b` are below 2^32, `c` is below 2^16. */
export type Column = 'a' | 'b' | 'c';

/** Rows, one after the other. */
export interface RowStream {
  a: number;
  b: number;
  c: number;
  /** Number of the row, from 0 in the order in which they were added. */
  row: number;
  /** Goes to the next row. @returns false at the end */
  next(): boolean;
}

/** Rows that are gathered before they are written out as a run; each takes 10 bytes, and 8 while they are sorted. */
const RUN_ROWS = 1 << 22;
/** Rows that are read of a run, or written, at once; of many runs fewer, so that all together take 32 MB at most. */
const BATCH_ROWS = 1 << 13;
const BATCHES_ROWS = 1 << 21;
const BATCH_ROWS_MIN = 1 << 8;
const ROW_WORDS = 4;
const ROWS_MAX = 0xffff_ffff;
const FIRST_ROWS = 1 << 12;
/** Rows in memory that are put in order at once; a power of two. */
const GATHER_ROWS = 1 << 8;

/** Where a run lies in scratch space. */
interface Run {
  readonly offset: number;
  readonly count: number;
}

export class BulkRows {
  private readonly what: string;
  private readonly orders: readonly Column[];
  private readonly scratch: () => BulkScratch;
  private readonly runRows: number;
  private readonly sorter: RadixSorter;
  private readonly runs: Record<Column, Run[]> = { a: [], b: [], c: [] };
  private a: Uint32Array<ArrayBuffer>;
  private b: Uint32Array<ArrayBuffer>;
  private c: Uint16Array<ArrayBuffer>;
  private first = 0;
  private held = 0;

  /**
   * @param what     of what these are rows, for messages
   * @param orders   columns that `sorted` will be asked for
   * @param scratch  where runs go; called when the first one is written
   * @param sorter   may be shared
   * @param runRows  rows to gather, for tests
   */
  constructor(
    what: string,
    orders: readonly Column[],
    scratch: () => BulkScratch,
    sorter: RadixSorter,
    runRows = RUN_ROWS,
  ) {
    this.what = what;
    this.orders = orders;
    this.scratch = scratch;
    this.sorter = sorter;
    this.runRows = runRows;
    const rows = Math.min(FIRST_ROWS, runRows);
    this.a = new Uint32Array(rows);
    this.b = new Uint32Array(rows);
    this.c = new Uint16Array(rows);
  }

  /** Number of rows. */
  get count(): number {
    return this.first + this.held;
  }

  /** Adds a row. @throws DataError SOMBRA_BULK_TOO_LARGE; what writing to scratch space throws */
  add(a: number, b: number, c: number): void {
    let at = this.held;
    if (at === this.a.length) {
      this.makeRoom();
      at = this.held;
    }
    this.a[at] = a;
    this.b[at] = b;
    this.c[at] = c;
    this.held = at + 1;
  }

  /** All rows by a column. No row is added any more; the stream is valid until the next call. */
  sorted(by: Column): RowStream {
    const last =
      this.held > 0
        ? [new HeldRun(this.a, this.b, this.c, this.sorter.sort(this[by], this.held), this.held, this.first)]
        : [];
    const runs = this.runs[by];
    if (runs.length === 0) return last[0] ?? new MergedRows([], by);
    const batch = Math.min(BATCH_ROWS, Math.max(BATCH_ROWS_MIN, Math.floor(BATCHES_ROWS / runs.length)));
    return new MergedRows([...runs.map((run) => new WrittenRun(this.scratch(), run, batch)), ...last], by);
  }

  private makeRoom(): void {
    if (this.count === ROWS_MAX) {
      throw new DataError(
        'SOMBRA_BULK_TOO_LARGE',
        `one bulk load takes at most ${ROWS_MAX} ${this.what}: load the rest in transactions`,
      );
    }
    if (this.held === this.runRows) {
      this.writeRuns();
      return;
    }
    const size = Math.min(this.a.length * 2, this.runRows);
    this.a = copyOf(this.a, new Uint32Array(size));
    this.b = copyOf(this.b, new Uint32Array(size));
    this.c = copyOf(this.c, new Uint16Array(size));
  }

  /** Writes the rows in hand to scratch space, once per order. */
  private writeRuns(): void {
    const scratch = this.scratch();
    const { a, b, c, held, first } = this;
    const words = new Uint32Array(BATCH_ROWS * ROW_WORDS);
    const bytes = new Uint8Array(words.buffer);
    for (const by of this.orders) {
      const order = this.sorter.sort(this[by], held);
      this.runs[by].push({ offset: scratch.size, count: held });
      for (let from = 0; from < held; from += BATCH_ROWS) {
        const to = Math.min(from + BATCH_ROWS, held);
        let word = 0;
        for (let i = from; i < to; i += 1) {
          const place = order[i]!;
          words[word] = a[place]!;
          words[word + 1] = b[place]!;
          words[word + 2] = c[place]!;
          words[word + 3] = first + place;
          word += ROW_WORDS;
        }
        scratch.append(word * 4 === bytes.length ? bytes : bytes.subarray(0, word * 4));
      }
    }
    this.first += held;
    this.held = 0;
  }
}

/** Rows in memory, in an order. */
class HeldRun implements RowStream {
  a = 0;
  b = 0;
  c = 0;
  row = 0;
  private readonly columnA: Uint32Array;
  private readonly columnB: Uint32Array;
  private readonly columnC: Uint16Array;
  private readonly order: Uint32Array;
  private readonly count: number;
  private readonly first: number;
  private at = 0;
  // Rows that come next: taken together from the columns, where they lie far from each other.
  private readonly nextA = new Uint32Array(GATHER_ROWS);
  private readonly nextB = new Uint32Array(GATHER_ROWS);
  private readonly nextC = new Uint16Array(GATHER_ROWS);
  private gathered = 0;

  constructor(a: Uint32Array, b: Uint32Array, c: Uint16Array, order: Uint32Array, count: number, first: number) {
    this.columnA = a;
    this.columnB = b;
    this.columnC = c;
    this.order = order;
    this.count = count;
    this.first = first;
  }

  next(): boolean {
    if (this.at === this.count) return false;
    if (this.at === this.gathered) this.gather();
    const next = this.at & (GATHER_ROWS - 1);
    this.a = this.nextA[next]!;
    this.b = this.nextB[next]!;
    this.c = this.nextC[next]!;
    this.row = this.first + this.order[this.at]!;
    this.at += 1;
    return true;
  }

  private gather(): void {
    const { at, order, columnA, columnB, columnC, nextA, nextB, nextC } = this;
    const rows = Math.min(GATHER_ROWS, this.count - at);
    for (let i = 0; i < rows; i += 1) nextA[i] = columnA[order[at + i]!]!;
    for (let i = 0; i < rows; i += 1) nextB[i] = columnB[order[at + i]!]!;
    for (let i = 0; i < rows; i += 1) nextC[i] = columnC[order[at + i]!]!;
    this.gathered = at + rows;
  }
}

/** A run in scratch space, read batch by batch. */
class WrittenRun implements RowStream {
  a = 0;
  b = 0;
  c = 0;
  row = 0;
  private readonly scratch: BulkScratch;
  private readonly words: Uint32Array;
  private readonly bytes: Uint8Array;
  private readonly batch: number;
  private offset: number;
  private left: number;
  private word = 0;
  private end = 0;

  constructor(scratch: BulkScratch, run: Run, batch: number) {
    this.scratch = scratch;
    this.offset = run.offset;
    this.left = run.count;
    this.batch = Math.min(run.count, batch);
    this.words = new Uint32Array(this.batch * ROW_WORDS);
    this.bytes = new Uint8Array(this.words.buffer);
  }

  next(): boolean {
    if (this.word === this.end && !this.fill()) return false;
    const { words, word } = this;
    this.a = words[word]!;
    this.b = words[word + 1]!;
    this.c = words[word + 2]!;
    this.row = words[word + 3]!;
    this.word = word + ROW_WORDS;
    return true;
  }

  private fill(): boolean {
    const count = Math.min(this.left, this.batch);
    if (count === 0) return false;
    const size = count * ROW_WORDS * 4;
    this.scratch.read(this.offset, this.bytes.subarray(0, size));
    this.offset += size;
    this.left -= count;
    this.word = 0;
    this.end = count * ROW_WORDS;
    return true;
  }
}

/** Several streams, each in the order of a column, as one; rows with equal keys come from the earlier stream first. */
class MergedRows implements RowStream {
  a = 0;
  b = 0;
  c = 0;
  row = 0;
  /** Streams that have a row, as a binary heap by key and number of the stream. */
  private readonly heap: { readonly stream: RowStream; readonly number: number; key: number }[] = [];
  private readonly by: Column;
  private begun = false;

  constructor(streams: readonly RowStream[], by: Column) {
    this.by = by;
    streams.forEach((stream, number) => {
      if (stream.next()) this.heap.push({ stream, number, key: stream[by] });
    });
    for (let at = (this.heap.length >> 1) - 1; at >= 0; at -= 1) this.sink(at);
  }

  next(): boolean {
    const { heap } = this;
    if (this.begun) this.advance();
    this.begun = true;
    const top = heap[0];
    if (top === undefined) return false;
    const { stream } = top;
    this.a = stream.a;
    this.b = stream.b;
    this.c = stream.c;
    this.row = stream.row;
    return true;
  }

  /** Moves the stream on top on by one row. */
  private advance(): void {
    const { heap } = this;
    const top = heap[0];
    if (top === undefined) return;
    if (top.stream.next()) top.key = top.stream[this.by];
    else {
      const last = heap.pop()!;
      if (heap.length === 0) return;
      if (last !== top) heap[0] = last;
    }
    this.sink(0);
  }

  private sink(from: number): void {
    const { heap } = this;
    const moved = heap[from]!;
    let at = from;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && before(heap[below + 1]!, heap[below]!)) below += 1;
      if (!before(heap[below]!, moved)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = moved;
  }
}

function before(
  one: { readonly key: number; readonly number: number },
  other: { readonly key: number; readonly number: number },
): boolean {
  return one.key < other.key || (one.key === other.key && one.number < other.number);
}

function copyOf<T extends Uint32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>>(from: T, to: T): T {
  to.set(from);
  return to;
}
