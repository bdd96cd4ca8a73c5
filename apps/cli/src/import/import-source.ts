/** What an import reads: files of one format. */
import type { Place } from '../errors/import-error.ts';
import type { Feed, RowPlace } from './messages.ts';

/** Rows that were read from a file. */
export interface FileSummary {
  readonly file: string;
  readonly kind: 'nodes' | 'edges';
  readonly rows: number;
}

/** Files that have been looked at, and can be read. */
export interface ImportSource {
  /** Bytes that reading them takes; 0 when that is not known. */
  readonly bytes: number;
  /**
   * Reads everything: batches of nodes, `nodes-end`, batches of edges, `edges-end`.
   * @param send  @returns false when nothing more is wanted; then reading stops
   * @param read  told how many bytes have been read
   * @throws DataError SOMBRA_IMPORT_…, SOMBRA_CSV_…, SOMBRA_JSONL_…, SOMBRA_GRAPH_FILE_…
   */
  feed(send: (feed: Feed) => Promise<boolean>, read: (bytes: number) => void): Promise<readonly FileSummary[]>;
  /** Where a row stands. */
  place(row: RowPlace): Promise<Place>;
}
