import { quantileOf } from '@sombra/vfs';
import type { LatencySnapshot } from '@sombra/vfs';
import type { DatabaseStats } from './stats.ts';

const MS_PER_SECOND = 1000;
const US_PER_SECOND = 1_000_000;

/**
 * How an open database performs: counters since it was opened, read in one moment; it does not change any more. For operators who
 * want a few figures; `stats()` has all of them.
 */
export class PerformanceMetrics {
  readonly transactionsBegun: number;
  /** Those that changed nothing too. */
  readonly transactionsCommitted: number;
  readonly transactionsRolledBack: number;
  /** Of those rolled back: because `transactionTimeoutMs` was over. */
  readonly transactionTimeouts: number;
  /** Could not begin. */
  readonly transactionsRefused: number;
  /** Operations that took as long as `slowOperationMs`. */
  readonly slowOperations: number;
  /** bytes */
  readonly walBytesWritten: number;
  /** Of log and database file. */
  readonly syncs: number;
  readonly checkpoints: number;
  /** Pages that the cache may hold. */
  readonly cacheSize: number;
  /** Bytes of a page. */
  readonly pageSize: number;
  /** Page reads that the cache answered. */
  readonly cacheHits: number;
  /** Page reads that went to the database file or the log. */
  readonly cacheMisses: number;
  readonly pageEvictions: number;
  /** Times that reading met damage. */
  readonly corruptionErrors: number;

  private readonly commits: LatencySnapshot;
  private readonly reads: LatencySnapshot;

  constructor({ pager, transactions, latencies, slowOperations, pageSize }: DatabaseStats) {
    this.transactionsBegun = transactions.begun;
    this.transactionsCommitted = transactions.committed;
    this.transactionsRolledBack = transactions.rolledBack;
    this.transactionTimeouts = transactions.timedOut;
    this.transactionsRefused = transactions.refused;
    this.slowOperations = slowOperations;
    this.walBytesWritten = pager.logBytes;
    this.syncs = pager.syncs;
    this.checkpoints = pager.checkpoints;
    this.cacheSize = pager.cacheSize;
    this.pageSize = pageSize;
    this.cacheHits = pager.hits + pager.oldVersionHits;
    this.cacheMisses = pager.misses;
    this.pageEvictions = pager.evictions;
    this.corruptionErrors = pager.corruptions;
    this.commits = latencies.commit;
    this.reads = latencies.read;
    Object.freeze(this);
  }

  /** Part of the page reads that the cache answered, 0 to 1; 0 without reads. */
  cacheHitRate(): number {
    const accesses = this.cacheHits + this.cacheMisses;
    return accesses === 0 ? 0 : this.cacheHits / accesses;
  }

  /** Of the last 1,000 commits, milliseconds from the call of commit to the commit being durable; undefined without any. */
  p50CommitLatency(): number | undefined {
    return scaled(quantileOf(this.commits, 0.5), MS_PER_SECOND);
  }

  /** As `p50CommitLatency`. */
  p95CommitLatency(): number | undefined {
    return scaled(quantileOf(this.commits, 0.95), MS_PER_SECOND);
  }

  /** As `p50CommitLatency`. */
  p99CommitLatency(): number | undefined {
    return scaled(quantileOf(this.commits, 0.99), MS_PER_SECOND);
  }

  /** Of the last 10,000 reads that were measured, one in 128 of `getNode`, `getEdge`, `neighbors` and `edgesOf`, microseconds. */
  p50ReadLatency(): number | undefined {
    return scaled(quantileOf(this.reads, 0.5), US_PER_SECOND);
  }

  /** As `p50ReadLatency`. */
  p95ReadLatency(): number | undefined {
    return scaled(quantileOf(this.reads, 0.95), US_PER_SECOND);
  }

  /** As `p50ReadLatency`. */
  p99ReadLatency(): number | undefined {
    return scaled(quantileOf(this.reads, 0.99), US_PER_SECOND);
  }

  /** The counters, and what the methods return; null where they return undefined. */
  toJSON(): Record<string, number | null> {
    const counters = Object.entries(this).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
    return {
      ...Object.fromEntries(counters),
      cacheHitRate: this.cacheHitRate(),
      p50CommitLatencyMs: this.p50CommitLatency() ?? null,
      p95CommitLatencyMs: this.p95CommitLatency() ?? null,
      p99CommitLatencyMs: this.p99CommitLatency() ?? null,
      p50ReadLatencyUs: this.p50ReadLatency() ?? null,
      p95ReadLatencyUs: this.p95ReadLatency() ?? null,
      p99ReadLatencyUs: this.p99ReadLatency() ?? null,
    };
  }
}

function scaled(seconds: number | undefined, factor: number): number | undefined {
  return seconds === undefined ? undefined : seconds * factor;
}
