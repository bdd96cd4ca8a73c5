/** Plain counters of one connection; read them whenever you like. */
export interface Counters {
  /** Page reads that had to build the version from main and log. (Hits are not counted: a read that hits is too short.) */
  misses: number;
  /** Page reads that found an older version in the cache. */
  oldVersionHits: number;
  commits: number;
  rollbacks: number;
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

/** All zero. */
export function newCounters(): Counters {
  return {
    misses: 0,
    oldVersionHits: 0,
    commits: 0,
    rollbacks: 0,
    pagesLogged: 0,
    pagesWritten: 0,
    logBytes: 0,
    syncs: 0,
    rotations: 0,
    checkpoints: 0,
    checkpointFailures: 0,
    checkpointMs: 0,
  };
}

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
  readonly evictions: number;
  readonly mainReads: number;
  readonly logReads: number;
  readonly snapshots: number;
  readonly poisoned: boolean;
}
