/** What the two threads of an import tell each other. */
import type { MessagePort } from 'node:worker_threads';
import type { PropertyValue } from '@sombra/db';
import type { SentError } from '../errors/sent-error.ts';

/** Where a row comes from. */
export interface RowPlace {
  /** Position of its file in the plan. */
  readonly file: number;
  /** Number of its record in the file; the header is record 0. */
  readonly record: number;
}

/** A value for each key of the batch, undefined where there is none; then further properties, each as its key and its value. */
export type Row = readonly (PropertyValue | undefined)[];

/** Rows of one file. */
interface Rows {
  /** Place of the first row. */
  readonly start: RowPlace;
  /** Number of the record of each row; null: they follow each other. */
  readonly records: Float64Array | null;
  readonly keys: readonly string[];
  readonly rows: readonly Row[];
}

/** Nodes of one file. */
export interface NodeBatch extends Rows {
  readonly kind: 'nodes';
  /** Labels of all rows, or with `rowLabels` of none. */
  readonly labels: readonly string[];
  readonly rowLabels: readonly (readonly string[])[] | null;
}

/** Edges of one file; `sources` and `targets` are positions of nodes, from 0 in the order in which they were sent. */
export interface EdgeBatch extends Rows {
  readonly kind: 'edges';
  readonly type: string;
  readonly rowTypes: readonly string[] | null;
  readonly sources: Float64Array;
  readonly targets: Float64Array;
}

/** To the thread that has the database. */
export type Feed = NodeBatch | EdgeBatch | { readonly kind: 'nodes-end' } | { readonly kind: 'edges-end' };

/** What the loading thread is given at its start. */
export interface LoadTask {
  readonly database: string;
  readonly maxTransactionPages: number | undefined;
  /** Two words: number of messages sent, and 1 when the work is to be given up. */
  readonly shared: Int32Array<SharedArrayBuffer>;
  readonly port: MessagePort;
}
export const SENT = 0;
export const GIVE_UP = 1;

/** What came of it. */
export interface LoadResult {
  readonly nodes: number;
  readonly edges: number;
  readonly method: 'bulk' | 'transaction';
}

/** From the loading thread. */
export type Report =
  /** The database is open. `empty`: it holds nothing yet. */
  | { readonly kind: 'opened'; readonly empty: boolean }
  /** One message of the feed was taken. */
  | { readonly kind: 'consumed' }
  | { readonly kind: 'progress'; readonly phase: string; readonly rows: number }
  | { readonly kind: 'warning'; readonly code: string; readonly message: string }
  | { readonly kind: 'done'; readonly result: LoadResult }
  | { readonly kind: 'given-up' }
  | { readonly kind: 'failed'; readonly error: RowError };

/** What went wrong. */
export interface RowError extends SentError {
  /** The row that was refused, if it was one. */
  readonly row: RowPlace | undefined;
}
