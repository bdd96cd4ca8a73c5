/**
 * Puts a new file in the place of a database, for a vacuum. Steps, and what a crash after each leaves:
 * 1. RECOVER and PRESENCE are taken exclusively: no other connection has it open, or opens it meanwhile.       The old database.
 * 2. The old file is looked at: closed cleanly at the commit that the new one was made from, without log and double-write area. A log
 *    that is there holds commits that the new file lacks, and would not belong to it.                             The old database.
 * 3. The new file, closed and durable, is renamed over the old one.                                        The old one or the new one.
 * 4. The directory is synced.                                                                                       The new database.
 * Each of both is whole without any other file, so that whichever name a crash leaves, it opens. The new file has a timeline and a salt
 * of its own (rule P2): a log of the old one that comes back from elsewhere does not join it.
 *
 * A connection that waits for the locks meanwhile finds another file under the name when it gets them, and begins again.
 */
import { directoryOf, StateError, syncDirectory } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { archivedThrough, livePath } from '@sombra/wal';
import { doubleWritePath } from '../format/double-write.ts';
import { readFileHeader } from '../inspect/file-header.ts';
import { checkLockFile } from '../sharing/lock-file.ts';
import { LOCK_PRESENCE, LOCK_RECOVER, LockTable, refuseHeld } from '../sharing/locks.ts';
import { retryUntil } from '../sharing/waiting.ts';

/** The commit that the new file holds. */
export interface ReplacedCommit {
  readonly databaseId: Uint8Array;
  readonly timeline: number;
  readonly lsn: number;
}

/**
 * Renames `fresh` over the database at `path`.
 * @param path    without symbolic links
 * @param fresh   a database in the same directory, closed
 * @param commit  what it was made from
 * @param waitMs  how long to wait for others who are opening or closing it
 * @throws IoError SOMBRA_BUSY: another connection has it open; StateError SOMBRA_DATABASE_CHANGED: there are other commits, or a log;
 *   IoError SOMBRA_IO, SOMBRA_SYNC: then the name leads to the old file or to the new one
 */
export function replaceDatabase(vfs: Vfs, path: string, fresh: string, commit: ReplacedCommit, waitMs: number): void {
  checkLockFile(vfs, path);
  const locks = new LockTable(vfs.env, vfs.open(path, { write: true }));
  try {
    for (const byte of [LOCK_RECOVER, LOCK_PRESENCE])
      if (!retryUntil(vfs, waitMs, () => locks.tryLock(byte, 'exclusive'))) refuseHeld(vfs, path, byte, locks);
    if (!locks.isNamed(vfs, path)) throw changed(path);
    checkLockFile(vfs, path);
    checkCommit(vfs, path, commit);
    vfs.rename(fresh, path);
    syncDirectory(vfs, directoryOf(path));
  } finally {
    locks.close();
  }
}

function checkCommit(vfs: Vfs, path: string, { databaseId, timeline, lsn }: ReplacedCommit): void {
  const { newest } = readFileHeader(vfs, path);
  const isSame =
    newest !== null &&
    newest.clean &&
    newest.checkpointLsn === lsn &&
    newest.timeline === timeline &&
    newest.databaseId.every((byte, i) => byte === databaseId[i]);
  const leftOver = [livePath(path), doubleWritePath(path)].some((name) => vfs.stat(name) !== null);
  if (!isSame || leftOver || archivedThrough(vfs, path) !== Infinity) throw changed(path);
}

function changed(path: string): StateError {
  return new StateError(
    'SOMBRA_DATABASE_CHANGED',
    `${path} was used or replaced while its compact copy was made, so it stays as it is: do it again while nobody uses it`,
    { details: { path } },
  );
}
