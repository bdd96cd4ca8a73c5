/**
 * Brings the log of a database into its file. Modes:
 * - `full`: the file holds every commit up to the newest one when it began to look; others may commit meanwhile.
 * - `restart`: the same while no other connection can write, so that the log holds nothing that the file lacks when it ends: whoever opens
 *   the file next has nothing to replay.
 * - `truncate`: the same while no other connection has the database open, and the files of the log are removed.
 */
import { Pager, readFileHeader } from '@sombra/pager';
import type { CheckpointResult, PagerWarning } from '@sombra/pager';
import { DataError, IoError, NodeVfs } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { checkCount, checkOptions } from '../base/check-options.ts';
import { pause } from '../base/pause.ts';
import { locateDatabase, logSegments } from './examination.ts';

/** See the top of the file. */
export type CheckpointMode = 'full' | 'restart' | 'truncate';

/** Options of `checkpointDatabase`. */
export interface CheckpointDatabaseOptions {
  /** Default `full`. */
  readonly mode?: CheckpointMode | undefined;
  /** Only says what there is to do; takes no lock. Default false. */
  readonly dryRun?: boolean | undefined;
  /** Milliseconds to wait for writers, and for readers of older commits. Default 5000. */
  readonly busyTimeoutMs?: number | undefined;
  /** Ends it with SOMBRA_ABORTED; what was brought into the file stays there. */
  readonly signal?: AbortSignal | undefined;
  /** Default: that of Node. */
  readonly vfs?: Vfs | undefined;
}

/** What was done. */
export interface CheckpointReport {
  readonly path: string;
  readonly mode: CheckpointMode;
  readonly dryRun: boolean;
  /** The file holds every commit up to this one; null in a dry run of a file whose superblock cannot be read. */
  readonly commit: number | null;
  /** Pages written. */
  readonly pages: number;
  /** Files of the log that are there afterwards, and their bytes. */
  readonly logFiles: number;
  readonly logBytes: number;
  /** Dry run: commits in the log that the file lacks; 0 otherwise. */
  readonly logCommits: number;
  readonly warnings: readonly PagerWarning[];
}

/** What waits while a checkpoint cannot go on. */
export interface CheckpointWaiting {
  /** Of the database, for messages. */
  readonly path: string;
  readonly mode: CheckpointMode;
  readonly busyTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export const CHECKPOINT_MODES: readonly CheckpointMode[] = ['full', 'restart', 'truncate'];
const BUSY_TIMEOUT_MS = 5000;
/** Pause between two attempts to pass a reader, in milliseconds. */
const RETRY_MS = 20;

/**
 * Checkpoints a database. One that was not closed properly is recovered first.
 * @throws DataError SOMBRA_NOT_FOUND, SOMBRA_OPTION; CorruptionError SOMBRA_WAL_DAMAGED, …; IoError SOMBRA_BUSY naming the reader, the writer or,
 *   for `truncate`, the process that has it open, SOMBRA_IO; StateError SOMBRA_ABORTED
 */
export async function checkpointDatabase(
  path: string,
  options: CheckpointDatabaseOptions = {},
): Promise<CheckpointReport> {
  checkOptions('checkpointDatabase', options, ['mode', 'dryRun', 'busyTimeoutMs', 'signal', 'vfs']);
  checkCount('busyTimeoutMs', options.busyTimeoutMs, 0);
  const { mode = 'full', busyTimeoutMs = BUSY_TIMEOUT_MS, signal } = options;
  if (!CHECKPOINT_MODES.includes(mode))
    throw new DataError('SOMBRA_OPTION', `mode is one of ${CHECKPOINT_MODES.join(', ')}, not ${String(mode)}`);
  const vfs = options.vfs ?? new NodeVfs();
  const real = locateDatabase(vfs, path);
  if (options.dryRun === true) return { ...planCheckpoint(vfs, real, mode), path };
  const warnings: PagerWarning[] = [];
  const pager = Pager.open({
    vfs,
    path: real,
    createIfMissing: false,
    busyTimeoutMs,
    locking: mode === 'truncate' ? 'exclusive' : 'shared',
    hooks: { warning: (one) => warnings.push(one) },
  });
  let result: CheckpointResult;
  try {
    result = await completeCheckpoint(pager, { path, mode, busyTimeoutMs, signal });
  } finally {
    pager.close();
  }
  const { lsn: commit, pages } = result;
  return { path, mode, dryRun: false, commit, pages, ...logOf(vfs, real), logCommits: 0, warnings };
}

/** What a checkpoint would have to do. @param path  without symbolic links @throws IoError */
export function planCheckpoint(vfs: Vfs, path: string, mode: CheckpointMode): CheckpointReport {
  const header = readFileHeader(vfs, path);
  const logCommits = logSegments(vfs, path, header).reduce((sum, { records }) => sum + records, 0);
  const commit = header.newest?.checkpointLsn ?? null;
  return { path, mode, dryRun: true, commit, pages: 0, ...logOf(vfs, path), logCommits, warnings: [] };
}

/** Files of the log. @param path  without symbolic links @throws IoError */
export function logOf(vfs: Vfs, path: string): { readonly logFiles: number; readonly logBytes: number } {
  const segments = logSegments(vfs, path, readFileHeader(vfs, path));
  return { logFiles: segments.length, logBytes: segments.reduce((sum, segment) => sum + segment.size, 0) };
}

/**
 * A checkpoint of everything by an open pager: readers of older commits are waited for.
 * @throws IoError SOMBRA_BUSY; StateError SOMBRA_ABORTED; as `Pager.checkpoint`
 */
export async function completeCheckpoint(pager: Pager, waiting: CheckpointWaiting): Promise<CheckpointResult> {
  const { env } = pager;
  const until = env.monotonicMs() + waiting.busyTimeoutMs;
  let pages = 0;
  for (;;) {
    let result = pager.checkpoint();
    pages += result.pages;
    if (result.lsn === result.newestLsn) {
      if (waiting.mode === 'full') return { ...result, pages };
      result = checkpointAlone(pager);
      pages += result.pages;
      if (result.lsn === result.newestLsn) return { ...result, pages };
    }
    if (env.monotonicMs() >= until) throw behindReader(pager, waiting.path, result);
    await pause(env, RETRY_MS, waiting.signal);
  }
}

/** While no other connection can write: whatever was committed before WRITE was ours. */
function checkpointAlone(pager: Pager): CheckpointResult {
  const tx = pager.begin();
  try {
    return pager.checkpoint();
  } finally {
    tx.rollback();
  }
}

/** What is thrown when a reader keeps the file from being complete. */
export function behindReader(pager: Pager, path: string, { lsn, newestLsn }: CheckpointResult): IoError {
  const [oldest] = [...pager.readers()].sort((a, b) => a.since - b.since);
  const { host } = pager.env;
  const who =
    oldest === undefined
      ? 'a reader'
      : `process ${oldest.pid} on ${host} since ${new Date(oldest.since).toISOString()}`;
  return new IoError(
    'SOMBRA_BUSY',
    `${path}: ${who} reads an older commit, so only commits up to ${lsn} of ${newestLsn} could be brought into the file: end that reader, or wait longer with --busy-timeout`,
    { details: { lock: 'READ', pid: oldest?.pid, host, since: oldest?.since, lsn, newestLsn } },
  );
}
