/**
 * A database as this package sees it. These are shapes, not imports: the package works on any version of the database that has them,
 * and on a plain `Pager` or `AppendLog` for what these can tell. The type tests hold them against the packages.
 */

/** Something noteworthy that is not the caller's error. */
export interface ObservedWarning {
  readonly code: string;
  readonly message: string;
  readonly cause?: unknown;
}

/** One write of a committed transaction: what was done, and to which ids. Never a value of a property. */
export interface ObservedMutation {
  /** Name of the method that made it: `addNode`, `setNodeProperty`, `createPropertyIndex`. */
  readonly action: string;
  readonly nodes?: readonly number[] | undefined;
  readonly edges?: readonly number[] | undefined;
  /** Instead of the ids, where there are too many. */
  readonly counts?: { readonly nodes: number; readonly edges: number } | undefined;
  /** What a property index is on. */
  readonly index?: { readonly of: string; readonly keys: readonly string[] } | undefined;
}

/** An error of Sombra. */
export interface ObservedError {
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Why a transaction was rolled back. */
export type RollbackReason = 'error' | 'rollback' | 'timeout' | 'closed' | 'leaked' | 'unknown';

/** What a pager calls. Every function may be left out. Times in milliseconds. */
export interface PagerObserver {
  commit?(lsn: number, pages: number, logBytes: number): void;
  checkpoint?(lsn: number, pages: number, ms: number): void;
  recovered?(lsn: number, commits: number): void;
  warning?(warning: ObservedWarning): void;
  poisoned?(cause: unknown): void;
  /** A read met damage. */
  corruption?(error: ObservedError): void;
  /** A write transaction could not begin. */
  refused?(error: ObservedError): void;
  rotated?(seq: number): void;
  advanced?(lsn: number): void;
}

/** What a database calls. Every function may be left out. Transactions are numbered from 1 for each connection. */
export interface DatabaseObserver extends PagerObserver {
  opened?(event: { readonly path: string; readonly lsn: number; readonly readOnly: boolean }): void;
  closed?(event: { readonly path: string }): void;
  begun?(event: { readonly transaction: number }): void;
  /** @param event  `lsn` is null when nothing was changed */
  committed?(event: { readonly transaction: number; readonly lsn: number | null; readonly ms: number }): void;
  rolledBack?(event: {
    readonly transaction: number;
    readonly reason: RollbackReason;
    readonly ms: number;
    readonly error: unknown;
  }): void;
  /**
   * After a commit that changed something.
   * @param event  `transaction` is null for bulk loads and indexes; `time` is that of the commit, ms since 1970
   */
  mutated?(event: {
    readonly transaction: number | null;
    readonly lsn: number;
    readonly time: number;
    readonly mutations: readonly ObservedMutation[];
  }): void;
  slow?(event: { readonly operation: string; readonly ms: number; readonly transaction: number | null }): void;
  cacheResized?(event: { readonly pages: number }): void;
}

/** A database that can be watched. */
export interface WatchedDatabase {
  readonly path: string;
  /** @returns ends it */
  observe(observer: DatabaseObserver): () => void;
}

export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy';

/** One of the checks of a report. */
export interface ObservedCheck {
  readonly name: string;
  readonly healthy: boolean;
  description(): string;
}

/** What `healthCheck` of a database tells. */
export interface ObservedHealth {
  readonly status: HealthStatus;
  readonly checks: readonly ObservedCheck[];
}

/** A database whose health can be checked. */
export interface CheckedDatabase {
  readonly path: string;
  healthCheck(): ObservedHealth;
}

/** Durations of one kind of work, in seconds. */
export interface ObservedLatency {
  /** Upper bounds of the buckets, ascending. */
  readonly bounds: readonly number[];
  /** Durations in each bucket; one more than there are bounds, for what is over the last of them. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
  /** The newest ones, ascending. */
  readonly newest: readonly number[];
}

/** Figures of a pager. */
export interface ObservedPagerStats {
  readonly pageSize: number;
  readonly lsn: number;
  readonly begun: number;
  readonly commits: number;
  readonly rollbacks: number;
  readonly timedOut: number;
  readonly refused: number;
  readonly hits: number;
  readonly oldVersionHits: number;
  readonly misses: number;
  readonly evictions: number;
  readonly mainReads: number;
  readonly logReads: number;
  readonly pagesWritten: number;
  readonly logBytes: number;
  readonly syncs: number;
  readonly rotations: number;
  readonly checkpoints: number;
  readonly checkpointFailures: number;
  readonly cacheSize: number;
  readonly cachePages: number;
  readonly cachePagesDirty: number;
  readonly oldVersions: number;
  readonly snapshots: number;
  readonly readers: number;
  readonly oldestSnapshotMs: number;
  readonly checkpointAgeMs: number;
  readonly maxWalBytes: number;
  readonly latencies: {
    readonly commit: ObservedLatency;
    readonly sync: ObservedLatency;
    readonly checkpoint: ObservedLatency;
  };
  readonly poisoned: boolean;
  readonly corruptions: number;
}

/** Figures of a database. */
export interface ObservedStats {
  readonly path: string;
  readonly nodes: number;
  readonly edges: number;
  readonly pager: ObservedPagerStats;
  readonly graph: { readonly bulkLoads: number };
  readonly transactions: {
    readonly begun: number;
    readonly committed: number;
    readonly rolledBack: number;
    readonly timedOut: number;
    readonly refused: number;
    readonly waiting: number;
  };
  readonly latencies: {
    readonly commit: ObservedLatency;
    readonly read: ObservedLatency;
    readonly checkpoint: ObservedLatency;
    readonly sync: ObservedLatency;
  };
  readonly slowOperations: number;
  readonly files: {
    readonly databaseBytes: number;
    readonly walBytes: number;
    readonly diskFreeBytes: number | null;
    readonly diskSizeBytes: number | null;
  };
}

/** What `metrics` of a database tells: counters since it was opened, at one moment. */
export interface ObservedMetrics {
  readonly transactionsBegun: number;
  readonly transactionsCommitted: number;
  readonly transactionsRolledBack: number;
  readonly transactionTimeouts: number;
  readonly transactionsRefused: number;
  readonly slowOperations: number;
  readonly walBytesWritten: number;
  readonly syncs: number;
  readonly checkpoints: number;
  readonly cacheSize: number;
  readonly pageSize: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  readonly pageEvictions: number;
  readonly corruptionErrors: number;
  /** 0 to 1; 0 without accesses. */
  cacheHitRate(): number;
}

/** A plain pager. */
export interface ObservedPager {
  readonly path: string;
  readonly closed: boolean;
  stats(): ObservedPagerStats;
}

/** Figures of a plain append log. */
export interface ObservedLogStats {
  readonly first: number;
  readonly last: number;
  readonly durable: number;
  readonly segments: number;
  readonly bytes: number;
  readonly syncs: number;
  readonly syncLatency: ObservedLatency;
  readonly droppedBytes: number;
}

/** A plain append log. */
export interface ObservedLog {
  readonly closed: boolean;
  stats(): ObservedLogStats;
}

/** A database whose figures can be read. */
export interface MeasuredDatabase extends CheckedDatabase {
  stats(): ObservedStats;
  metrics(): ObservedMetrics;
}

/** A database as this package needs it whole. `GraphDB` is one. */
export interface ObservedDatabase extends WatchedDatabase, MeasuredDatabase {}
