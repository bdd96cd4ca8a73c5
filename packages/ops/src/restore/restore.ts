/** A database file from a backup, those that it follows, and commits of the log behind it, in memory that does not grow with it. */
import { DataError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { checkNewFile, CopyRestore } from '@sombra/pager';
import type { RestoredCopy } from '@sombra/pager';
import type { ObjectStore } from '../base/object-store.ts';
import { throwIfAborted } from '../base/abort.ts';
import { nextTurn } from '../base/pause.ts';
import type { RestorePlan } from './choose.ts';
import type { RestoreTarget } from './log-plan.ts';
import { replayLog } from './replay-log.ts';
import { asDamage, checkSizes, rawBytes } from '../backup/stored.ts';

/** How far a restore is, bytes before compression. */
export interface RestoreProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface RestoreOptions {
  /** Whose newest backup `latest` means. Default the one that there is. */
  readonly name?: string | undefined;
  /**
   * Which commit: `latest`, the newest that is archived; a number; or a time, at which it is the last one. Needs an archive of the log
   * beside the backups. Default the commit of the backup itself.
   */
  readonly at?: RestoreTarget | undefined;
  /** Only say what would be restored, and whether it could be. Default false. */
  readonly dryRun?: boolean | undefined;
  /** What it throws ends the restore. */
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What was restored, or with `dryRun` would be: then `timeline` is undefined. */
export interface RestoreResult {
  readonly id: string;
  readonly path: string;
  /** Number of the newest commit in it, and when it was made, ISO 8601; undefined when that is not known before it is done. */
  readonly lsn: number;
  readonly time: string | undefined;
  /** Of the new file, whose log and backups tell it from every other history of the database. */
  readonly timeline: number | undefined;
  /** Size of the file, bytes. */
  readonly size: number;
  /** Ids of the backups that it was made from, in order. */
  readonly backups: readonly string[];
  /** Bytes that are read from the repository. */
  readonly storedBytes: number;
  /** What of the archived log was applied; undefined when the backup itself is what was restored. */
  readonly log:
    | {
        /** Objects of it, and commits in them that were applied. */
        readonly objects: number;
        readonly commits: number;
        /** The newest commit that is archived, when it was made, and how many commits behind the restored one are left out. */
        readonly newestLsn: number;
        readonly newestTime: string;
        readonly leftOut: number;
      }
    | undefined;
}

/** @throws as `Backups.restore` */
export async function restorePlan(
  store: ObjectStore,
  vfs: Vfs,
  { chain, log }: RestorePlan,
  path: string,
  { dryRun = false, onProgress, signal }: RestoreOptions,
): Promise<RestoreResult> {
  if (typeof path !== 'string' || path === '' || path === ':memory:')
    throw new DataError('SOMBRA_OPTION', `restore takes the path of a new file, not ${JSON.stringify(path)}`);
  const last = chain.at(-1)!;
  const parts = chain.flatMap((manifest) => manifest.parts);
  const result = {
    id: last.id,
    path,
    lsn: last.lsn,
    time: last.time,
    size: last.pageSize * last.pageCount,
    backups: chain.map(({ id }) => id),
    storedBytes: [...parts, ...(log?.pieces ?? [])].reduce((sum, { size }) => sum + size, 0),
    log: log && {
      objects: log.pieces.length,
      commits: log.lsn - last.lsn,
      newestLsn: log.newest.lsn,
      newestTime: new Date(log.newest.time).toISOString(),
      leftOut: log.newest.lsn - log.lsn,
    },
  };
  // Before hours are spent.
  for (const manifest of chain) await checkSizes(store, manifest, signal);
  if (dryRun) {
    checkNewFile(vfs, path, result.size);
    // When that commit was made is not known before it is read.
    return { ...result, ...(log === undefined ? {} : { lsn: log.lsn, time: undefined }), timeline: undefined };
  }
  const logBytes = (log?.pieces ?? []).reduce((sum, { from, to }) => sum + to - from, 0);
  const totalBytes = parts.reduce((sum, { rawSize }) => sum + rawSize, logBytes);
  const { timeline, lsn, time, pageSize, pageCount } = await write(
    store,
    vfs,
    { chain, log },
    path,
    signal,
    (doneBytes) => onProgress?.({ doneBytes: Math.min(doneBytes, totalBytes), totalBytes }),
  );
  return { ...result, lsn, time: new Date(time).toISOString(), size: pageSize * pageCount, timeline };
}

async function write(
  store: ObjectStore,
  vfs: Vfs,
  { chain, log }: RestorePlan,
  path: string,
  signal: AbortSignal | undefined,
  onRead: (done: number) => void,
): Promise<RestoredCopy> {
  const restore = new CopyRestore(vfs, path, chain[0]!.id);
  let [done, id] = [0, chain[0]!.id];
  try {
    for (const manifest of chain) {
      if (manifest !== chain[0]) restore.beginChanges(manifest.id, manifest.pages);
      ({ id } = manifest);
      for await (const piece of rawBytes(store, manifest, signal)) {
        restore.push(piece);
        done += piece.length;
        onRead(done);
        await nextTurn(vfs.env);
      }
    }
    if (log !== undefined) {
      const { index, pieces, lsn } = log;
      const onLog = (bytes: number): void => onRead((done += bytes));
      const source = { store, env: vfs.env, signal, onRead: onLog, index, pieces };
      await replayLog(restore.beginLog(), chain.at(-1)!, lsn, source);
    }
    throwIfAborted(signal);
    return await restore.finishAsync();
  } catch (error) {
    throw asDamage(id, error);
  } finally {
    restore.abandon();
  }
}
