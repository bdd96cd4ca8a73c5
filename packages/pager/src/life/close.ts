/**
 * Closing a connection (rule L4). What is open is rolled back or ended. The last one to close leaves only main. Steps, and what a
 * crash after each leaves:
 * 1. RECOVER is taken, PRESENCE given back; a connection that then gets PRESENCE exclusively was the last.
 * 2. A last checkpoint; its superblock slot says clean, and is synced.     A clean file with a log that is not needed.
 * 3. Log, double-write file and shm file are removed.                      The same, or only main.
 * 4. The locks are given back.
 */
import { InvariantError } from '@sombra/vfs';
import { sparePath } from '@sombra/wal';
import { runAll } from '../base/run-all.ts';
import { bulkScratchPath } from '../writing/bulk-scratch.ts';
import { runCheckpoint } from '../checkpoint/checkpoint.ts';
import { clearHolders } from '../sharing/holders.ts';
import { LOCK_PRESENCE, LOCK_RECOVER } from '../sharing/locks.ts';
import { doubleWritePath } from '../format/double-write.ts';
import type { Connection } from '../connection/connection.ts';
import { unregister } from '../sharing/registry.ts';
import { retryUntil } from '../sharing/waiting.ts';

/** Longest wait for another connection that is opening or closing, ms. Without RECOVER, the others or the next opener do the rest. */
const RECOVER_WAIT_MS = 1000;

/** Closes; releases everything even when the last checkpoint fails, and then throws its error. */
export function closeConnection(connection: Connection): void {
  const { options, vfs, locks, shm, health, views, tenure, writer, marks, checkpoints } = connection;
  if (health.closed) return;
  runAll([
    () => writer.abortBulk(),
    () => {
      writer.rollback();
      for (const view of [...views.snapshots]) view.release();
      if (!options.readOnly && !health.poisoned && tenure.held) writer.quiesce();
      // No view of this connection may hold back the last checkpoint.
      views.endImplicit();
      if (isLast(connection)) leaveOnlyMain(connection);
    },
    // Each by itself: a lock that cannot be given back keeps neither a timer running nor the connection in memory.
    () => unregister(connection.neighbour),
    () => health.close(),
    () => views.endImplicit(),
    () => tenure.stop(),
    () => writer.stop(),
    () => connection.limits.stop(),
    () => checkpoints.giveUp(),
    () => tenure.release(false, true),
    () => marks.end(),
    () => connection.logWriter.close(),
    () => connection.followed.segments.close(),
    () => shm?.close(),
    () => connection.main.close(),
    () => shm === null && !options.readOnly && clearHolders(vfs, options.path),
    () => locks.close(),
    () => connection.cache.dispose(vfs.env),
  ]);
}

/** Step 1. */
function isLast({ vfs, locks, shm, tenure, marks }: Connection): boolean {
  if (shm === null) return true;
  tenure.release(false, true);
  marks.end();
  if (!retryUntil(vfs, RECOVER_WAIT_MS, () => locks.tryLock(LOCK_RECOVER, 'exclusive'))) return false;
  locks.unlock(LOCK_PRESENCE);
  return locks.tryLock(LOCK_PRESENCE, 'exclusive');
}

/** Steps 2 and 3. */
function leaveOnlyMain(connection: Connection): void {
  const { options, vfs, shm, health, header, tenure, main, commits, checkpoint } = connection;
  if (health.poisoned || shm?.readPoisoned() === true) return; // the next opener recovers
  if (options.readOnly) {
    // What dead writers left is for the next opener; for that, the shm file says what was synced (rule F6).
    if (shm !== null && header.peek().logInode === 0) clearHolders(vfs, options.path);
    return;
  }
  tenure.acquire();
  if (connection.hasWritten()) {
    runCheckpoint(checkpoint, true);
    if (!main.superblock.clean || main.superblock.checkpointLsn !== commits.published.lsn) {
      throw new InvariantError('the last checkpoint brings everything to main before the log goes');
    }
    connection.logWriter.removeAll();
  }
  // What a close that was cut short, or a bulk load that died, left beside a clean file.
  for (const name of [doubleWritePath(options.path), sparePath(options.path), bulkScratchPath(options.path)]) {
    if (vfs.stat(name) !== null) vfs.unlink(name);
  }
  if (shm !== null) clearHolders(vfs, options.path);
}
