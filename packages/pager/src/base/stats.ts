import { Latency } from '@sombra/vfs';
import type { LatencySnapshot } from '@sombra/vfs';

/** Plain counters of one connection; read them whenever you like. */
export interface Counters {
  /** Page reads that had to build the version from main and log. */
  misses: number;
  /** Page reads that found an older version in the cache. */
  oldVersionHits: number;
  /** Write transactions begun, committed (those that changed nothing too), rolled back. */
  begun: number;
  commits: number;
  rollbacks: number;
  /** Of those rolled back: because `transactionTimeoutMs` was over. */
  timedOut: number;
  /** Write transactions that could not begin: another connection wrote, the log was full, the connection was poisoned or closed. */
  refused: number;
  /** Page entries written to the log by commits. */
  pagesLogged: number;
  /** Pages written to main by checkpoints and bulk loads. */
  pagesWritten: number;
  logBytes: number;
  syncs: number;
  rotations: number;
  checkpoints: number;
  checkpointFailures: number;
  checkpointMs: number;
}

/** How long the work of one connection takes. */
export interface PagerLatencies<T = LatencySnapshot> {
  /** From the call of commit to the commit being durable (as `syncMode` says) and visible. */
  readonly commit: T;
  /** Each sync of the log or of main. */
  readonly sync: T;
  readonly checkpoint: T;
}

/** What the parts of a connection count and measure. */
export interface Measures extends Counters {
  readonly latencies: PagerLatencies<Latency>;
}

/** Commits, syncs and checkpoints whose durations are kept for quantiles. */
const NEWEST = { commit: 1000, sync: 1000, checkpoint: 100 };

/** All zero. */
export function newMeasures(): Measures {
  return {
    misses: 0,
    oldVersionHits: 0,
    begun: 0,
    commits: 0,
    rollbacks: 0,
    timedOut: 0,
    refused: 0,
    pagesLogged: 0,
    pagesWritten: 0,
    logBytes: 0,
    syncs: 0,
    rotations: 0,
    checkpoints: 0,
    checkpointFailures: 0,
    checkpointMs: 0,
    latencies: {
      commit: new Latency(NEWEST.commit),
      sync: new Latency(NEWEST.sync),
      checkpoint: new Latency(NEWEST.checkpoint),
    },
  };
}

/** Figures that show whether a connection is well. */
export type PagerVitals = Pick<
  PagerStats,
  | 'pageSize'
  | 'pageCount'
  | 'lsn'
  | 'checkpointLsn'
  | 'checkpointAgeMs'
  | 'logBytesSinceCheckpoint'
  | 'maxWalBytes'
  | 'hits'
  | 'oldVersionHits'
  | 'misses'
  | 'poisoned'
  | 'corruptions'
>;

/** Figures of a connection: counters since it was opened, and how things stand. */
export interface PagerStats extends Counters {
  readonly pageSize: number;
  readonly pageCount: number;
  readonly freePages: number;
  readonly lsn: number;
  readonly checkpointLsn: number;
  /** Log bytes since the last checkpoint. */
  readonly logBytesSinceCheckpoint: number;
  /** Log entries since the last checkpoint, each with its place in memory. */
  readonly logEntries: number;
  /** Pages that the cache may hold, and holds. */
  readonly cacheSize: number;
  readonly cachePages: number;
  readonly cachePagesDirty: number;
  /** Page reads that found the newest version in the cache. */
  readonly hits: number;
  readonly evictions: number;
  /** Pages in the cache beside the newest version of each, for readers that may see them. */
  readonly oldVersions: number;
  readonly mainReads: number;
  readonly logReads: number;
  readonly snapshots: number;
  /** Age of the oldest one, ms; 0 without any. */
  readonly oldestSnapshotMs: number;
  /** Other connections that are reading. */
  readonly readers: number;
  /** Log size at which checkpoints keep it, bytes. */
  readonly maxWalBytes: number;
  /** Time for which commits have been waiting for a checkpoint, ms; 0 while none waits. */
  readonly checkpointAgeMs: number;
  readonly latencies: PagerLatencies;
  readonly poisoned: boolean;
  /** Damage that reads of pages and of the log met, each time that they met it. */
  readonly corruptions: number;
}
