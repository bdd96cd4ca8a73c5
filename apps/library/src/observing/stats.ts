import type { LatencySnapshot } from '@sombra/vfs';
import type { GraphStats } from '@sombra/graph';
import type { PagerStats } from '@sombra/pager';

/** Figures of an open database: counters since it was opened, and how things stand. */
export interface DatabaseStats {
  readonly path: string;
  /** Bytes of a page. */
  readonly pageSize: number;
  /** Number of the newest commit. */
  readonly lsn: number;
  readonly nodes: number;
  readonly edges: number;
  /** Counters of pages, cache, log and checkpoints. */
  readonly pager: PagerStats;
  /** Counters of graph operations. */
  readonly graph: GraphStats;
  readonly transactions: TransactionCounts;
  /** How long work takes, seconds. */
  readonly latencies: {
    /** From the call of commit to the commit being durable (as `syncMode` says) and visible. */
    readonly commit: LatencySnapshot;
    /** One in 128 calls of `getNode`, `getEdge`, `neighbors` and `edgesOf`. */
    readonly read: LatencySnapshot;
    readonly checkpoint: LatencySnapshot;
    /** Each sync of the log or of the database file. */
    readonly sync: LatencySnapshot;
  };
  /** Operations that took as long as `slowOperationMs`. */
  readonly slowOperations: number;
  readonly files: FileFigures;
}

/** What became of the write transactions. */
export interface TransactionCounts {
  readonly begun: number;
  /** Those that changed nothing too. */
  readonly committed: number;
  readonly rolledBack: number;
  /** Of those rolled back: because `transactionTimeoutMs` was over. */
  readonly timedOut: number;
  /** Could not begin. */
  readonly refused: number;
  /** Asynchronous ones that are queued or wait for their sync now. */
  readonly waiting: number;
}

/** Sizes, bytes. */
export interface FileFigures {
  /** Of the database file, once everything that is committed has been brought to it. */
  readonly databaseBytes: number;
  /** Of the log since the last checkpoint. */
  readonly walBytes: number;
  /** Log size at which checkpoints keep it. */
  readonly walMaxBytes: number;
  /** Free, and in all, on the disk of the database; null when it cannot be told. */
  readonly diskFreeBytes: number | null;
  readonly diskSizeBytes: number | null;
}
