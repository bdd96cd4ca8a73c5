/** A database file from a backup and those that it follows, in memory that does not grow with it. */
import { DataError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { checkNewFile, CopyRestore } from '@sombra/pager';
import type { RestoredCopy } from '@sombra/pager';
import type { ObjectStore } from '../base/object-store.ts';
import { throwIfAborted } from '../base/abort.ts';
import { nextTurn } from '../base/pause.ts';
import type { Manifest } from '../backup/manifest.ts';
import { asDamage, checkSizes, rawBytes } from '../backup/stored.ts';

/** How far a restore is, bytes before compression. */
export interface RestoreProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface RestoreOptions {
  /** Whose newest backup `latest` means. Default the one that there is. */
  readonly name?: string | undefined;
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
  /** Number of the newest commit in it, and when it was made, ISO 8601. */
  readonly lsn: number;
  readonly time: string;
  /** Of the new file, whose log and backups tell it from every other history of the database. */
  readonly timeline: number | undefined;
  /** Size of the file, bytes. */
  readonly size: number;
  /** Ids of the backups that it was made from, in order. */
  readonly backups: readonly string[];
  /** Bytes that are read from the repository. */
  readonly storedBytes: number;
}

/** @param chain  as `chainOf` gives it @throws as `Backups.restore` */
export async function restoreChain(
  store: ObjectStore,
  vfs: Vfs,
  chain: readonly Manifest[],
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
    storedBytes: parts.reduce((sum, { size }) => sum + size, 0),
  };
  // Before hours are spent.
  for (const manifest of chain) await checkSizes(store, manifest, signal);
  if (dryRun) {
    checkNewFile(vfs, path, result.size);
    return { ...result, timeline: undefined };
  }
  const totalBytes = parts.reduce((sum, { rawSize }) => sum + rawSize, 0);
  const { timeline } = await write(store, vfs, chain, path, signal, (doneBytes) =>
    onProgress?.({ doneBytes, totalBytes }),
  );
  return { ...result, timeline };
}

async function write(
  store: ObjectStore,
  vfs: Vfs,
  chain: readonly Manifest[],
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
    throwIfAborted(signal);
    return await restore.finishAsync();
  } catch (error) {
    throw asDamage(id, error);
  } finally {
    restore.abandon();
  }
}
