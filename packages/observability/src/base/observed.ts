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
}

/** Why a transaction was rolled back. */
export type RollbackReason = 'error' | 'rollback' | 'timeout' | 'closed' | 'leaked';

/** What a pager calls. Every function may be left out. Times in milliseconds. */
export interface PagerObserver {
  commit?(lsn: number, pages: number, logBytes: number): void;
  checkpoint?(lsn: number, pages: number, ms: number): void;
  recovered?(lsn: number, commits: number): void;
  warning?(warning: ObservedWarning): void;
  poisoned?(cause: unknown): void;
  rotated?(seq: number): void;
  advanced?(lsn: number): void;
}

/** What a database calls. Every function may be left out. Transactions are numbered from 1 for each connection. */
export interface DatabaseObserver extends PagerObserver {
  opened?(event: { readonly path: string; readonly lsn: number; readonly readOnly: boolean }): void;
  closed?(): void;
  begun?(event: { readonly transaction: number }): void;
  /** @param event  `lsn` is null when nothing was changed */
  committed?(event: { readonly transaction: number; readonly lsn: number | null; readonly ms: number }): void;
  rolledBack?(event: {
    readonly transaction: number;
    readonly reason: RollbackReason;
    readonly ms: number;
    readonly error?: unknown;
  }): void;
  /** A write transaction could not begin. */
  refused?(event: { readonly code: string; readonly message: string }): void;
  /** After a commit that changed something. @param event  `time` is that of the commit, ms since 1970 */
  mutated?(event: {
    readonly transaction: number;
    readonly lsn: number;
    readonly time: number;
    readonly mutations: readonly ObservedMutation[];
  }): void;
  slow?(event: {
    readonly operation: string;
    readonly ms: number;
    readonly details: Readonly<Record<string, unknown>>;
  }): void;
  corruption?(event: { readonly code: string; readonly message: string; readonly page?: number | undefined }): void;
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

/** Latencies since the database was opened, in seconds. */
export interface ObservedLatency {
  /** Upper bounds of the buckets, ascending. */
  readonly bounds: readonly number[];
  /** Samples in each bucket; one more than there are bounds, for what is over the last of them. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
  /** From the exact recent samples; undefined without any. */
  quantile(q: number): number | undefined;
}

/** Figures of a pager. */
export interface ObservedPagerStats {
  readonly hits: number;
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
  readonly corruptions: number;
  readonly pageVersions: number;
  readonly readers: number;
  readonly oldestSnapshotMs: number | null;
  readonly lastCheckpointMs: number | null;
  readonly cacheSize: number;
  readonly cachePages: number;
  readonly cachePagesDirty: number;
  readonly walBytes: number;
  readonly walMaxBytes: number;
  readonly poisoned: boolean;
}

/** Figures of a database. */
export interface ObservedStats {
  readonly path: string;
  readonly pageSize: number;
  readonly lsn: number;
  readonly nodes: number;
  readonly edges: number;
  readonly pager: ObservedPagerStats;
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
    readonly walMaxBytes: number;
    readonly diskFreeBytes: number | null;
    readonly diskSizeBytes: number | null;
  };
}

/** A database as this package needs it whole. `GraphDB` is one. */
export interface ObservedDatabase extends WatchedDatabase, CheckedDatabase {
  stats(): ObservedStats;
}
