/**
 * Closing a connection (rule L4). What is open is rolled back or ended. The last one to close leaves only main. Steps, and what a
 * crash after each leaves:
 * 1. RECOVER is taken, PRESENCE given back; who then gets PRESENCE exclusively was the last.
 * 2. A last checkpoint; its superblock slot says clean, and is synced.     A clean file with a log that is not needed.
 * 3. Log, double-write file and shm file are removed.                      The same, or only main.
 * 4. The locks are given back.
 */
import { InvariantError } from '@sombra/vfs';
import { sparePath } from '@sombra/wal';
import { bulkScratchPath } from '../writing/bulk-scratch.ts';
import { runCheckpoint } from '../checkpoint/checkpoint.ts';
import { clearHolders } from '../sharing/holders.ts';
import { LOCK_PRESENCE, LOCK_RECOVER } from '../sharing/locks.ts';
import { doubleWritePath } from '../format/double-write.ts';
import type { Engine } from '../connection/engine.ts';
import { unregister } from './registry.ts';

import { retryUntil } from '../sharing/waiting.ts';

/** Longest wait for somebody who is opening or closing, ms. Without RECOVER, the others or the next opener do the rest. */
const RECOVER_WAIT_MS = 1000;

/** Closes; gives everything back even when the last checkpoint fails, and then throws what it threw. */
export function closeConnection(engine: Engine): void {
  if (engine.health.closed) return;
  const { options, vfs, locks, shm } = engine;
  runAll([
    () => engine.bulk?.abort(),
    () => {
      engine.transaction?.rollback();
      for (const view of [...engine.snapshots]) view.release();
      if (!options.readOnly && !engine.health.poisoned && engine.tenure.held) engine.quiesce();
      // No view of this connection may hold back the last checkpoint.
      engine.views.endImplicit();
      if (isLast(engine)) leaveOnlyMain(engine);
    },
    () => {
      engine.health.close();
      engine.views.endImplicit();
      engine.tenure.stop();
      engine.stopDeadline();
      engine.limits.stop();
      unregister(engine);
    },
    () => engine.checkpoints.giveUp(),
    () => engine.tenure.release(false, true),
    () => engine.marks.end(),
    () => engine.logs.close(),
    () => engine.log.close(),
    () => shm?.close(),
    () => engine.closeMain(),
    () => engine.lockFile?.release(),
    () => shm === null && !options.readOnly && clearHolders(vfs, options.path),
    () => locks.close(),
    () => engine.cache.dispose(vfs.env),
  ]);
}

/** Takes every step, whatever the others throw, and then throws what the first one threw that failed. */
function runAll(steps: readonly (() => unknown)[]): void {
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

function isLast(engine: Engine): boolean {
  const { vfs, locks, shm } = engine;
  if (shm === null) return true;
  engine.tenure.release(false, true);
  engine.marks.end();
  if (!retryUntil(vfs, RECOVER_WAIT_MS, () => locks.tryLock(LOCK_RECOVER, 'exclusive'))) return false;
  locks.unlock(LOCK_PRESENCE);
  return locks.tryLock(LOCK_PRESENCE, 'exclusive');
}

function leaveOnlyMain(engine: Engine): void {
  const { options, vfs, shm } = engine;
  if (engine.health.poisoned || shm?.readPoisoned() === true) return; // the next opener recovers
  if (options.readOnly) {
    // Whatever writers that died left is for the next opener, and then the shm file says what was synced (rule F6).
    if (shm !== null && !engine.peekShared().logInode) clearHolders(vfs, options.path);
    return;
  }
  engine.tenure.acquire();
  if (engine.hasWritten()) {
    runCheckpoint(engine, true);
    if (!engine.superblock.clean || engine.superblock.checkpointLsn !== engine.published.lsn) {
      throw new InvariantError('the last checkpoint brings everything to main before the log goes');
    }
    engine.logs.removeAll();
  }
  // What a close that was cut short, or a bulk load that died, left beside a clean file.
  for (const name of [doubleWritePath(options.path), sparePath(options.path), bulkScratchPath(options.path)]) {
    if (vfs.stat(name) !== null) vfs.unlink(name);
  }
  if (shm !== null) clearHolders(vfs, options.path);
}
