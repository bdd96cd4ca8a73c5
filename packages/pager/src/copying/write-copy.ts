/** A copy in a file of its own, which gets its name when it is whole and durable (rule O1). */
import { DataError, directoryOf, IoError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { NewFile } from '../life/new-file.ts';
import type { DatabaseCopy } from './database-copy.ts';

/** Bytes that are read and written in one step. */
const STEP_BYTES = 256 * 1024;

/** How far a copy is. */
export interface CopyProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/**
 * Writes a copy to a new file, a step at a time. When it is ended early, or fails, nothing is left.
 * @param vfs         where to
 * @param onProgress  called after each step; what it throws ends it
 * @returns steps; one that yields a promise goes on when that is fulfilled
 * @throws DataError SOMBRA_BACKUP_TARGET: the name is one of the database's own; SOMBRA_FILE_EXISTS: there is such a file, which stays as it is; IoError SOMBRA_DISK_FULL (found out before
 *   anything is written, where the system tells), SOMBRA_IO, SOMBRA_PERMISSION, SOMBRA_SYNC; as `DatabaseCopy.read`
 */
export function* writeCopy(
  copy: DatabaseCopy,
  vfs: Vfs,
  path: string,
  onProgress?: (progress: CopyProgress) => void,
): Generator<PromiseLike<unknown> | undefined, void, undefined> {
  if (copy.isOwnName(vfs, path)) {
    throw new DataError(
      'SOMBRA_BACKUP_TARGET',
      `${path} is a name that the files of the database itself may get: choose another one`,
      { details: { path } },
    );
  }
  checkNewFile(vfs, path, copy.size);
  const file = new NewFile(vfs, path);
  try {
    const step = new Uint8Array(Math.max(STEP_BYTES, copy.pageSize));
    for (let done = 0; done < copy.size; ) {
      const count = copy.read(step);
      file.write(step.subarray(0, count), done);
      done += count;
      onProgress?.({ doneBytes: done, totalBytes: copy.size });
      yield;
    }
    yield file.syncAsync();
    if (!file.publish()) throw fileExists(path);
  } finally {
    file.abandon();
  }
}

/** May a file of so many bytes be made? @throws DataError SOMBRA_FILE_EXISTS; IoError SOMBRA_DISK_FULL, where the system tells */
export function checkNewFile(vfs: Vfs, path: string, bytes: number): void {
  if (vfs.stat(path) !== null) throw fileExists(path);
  checkRoom(vfs, path, bytes);
}

/** @throws IoError SOMBRA_DISK_FULL when the disk of `path` surely has no room for so many bytes */
export function checkRoom(vfs: Vfs, path: string, bytes: number): void {
  const space = vfs.diskSpace?.(directoryOf(path)) ?? null;
  if (space === null || space.free >= bytes) return;
  throw new IoError(
    'SOMBRA_DISK_FULL',
    `${path} takes ${bytes} bytes, and its disk has ${space.free} left: free space, or write elsewhere`,
    { details: { path, needed: bytes, free: space.free } },
  );
}

/** What is thrown about a name that is taken. */
export function fileExists(path: string): DataError {
  return new DataError(
    'SOMBRA_FILE_EXISTS',
    `${path} is there already, and nothing is written over it: remove it, or choose another name`,
    { details: { path } },
  );
}
