/**
 * The way out of a poisoned database while others have it open (rule E1). Who opens it takes, besides RECOVER, WRITE and all READ
 * slots: nobody writes, and nobody has a view. Then it recovers as if it were alone (rule O4), publishes what it found under a new
 * epoch, and takes the poison mark away. The others drop what they remember, and open their files anew, when they see the epoch.
 * A crash in any step leaves the poison mark, so the next one does it again.
 */
import type { VfsFile } from '@sombra/vfs';
import { Engine } from '../connection/engine.ts';
import { LOCK_READ, LOCK_READ_SLOTS, LOCK_WRITE } from '../sharing/locks.ts';
import type { LockTable } from '../sharing/locks.ts';
import type { PagerWarning, ResolvedOptions } from '../base/options.ts';
import { closeLog, readerFor, recover } from './recovery.ts';
import { newSharedState } from '../format/shared-state.ts';
import type { Shm } from '../sharing/shm.ts';

/**
 * Call while holding RECOVER.
 * @returns null when somebody writes or reads now
 */
export function cure(
  options: ResolvedOptions,
  main: VfsFile,
  locks: LockTable,
  shm: Shm,
  warnings: PagerWarning[],
): Engine | null {
  const wanted = [LOCK_WRITE, ...Array.from({ length: LOCK_READ_SLOTS }, (_, slot) => LOCK_READ + slot)];
  const taken: number[] = [];
  try {
    for (const byte of wanted) {
      if (!locks.tryLock(byte, 'exclusive')) return null;
      taken.push(byte);
    }
    return recoverInPlace(options, main, locks, shm, warnings);
  } finally {
    for (const byte of taken) locks.unlock(byte);
  }
}

function recoverInPlace(
  options: ResolvedOptions,
  main: VfsFile,
  locks: LockTable,
  shm: Shm,
  warnings: PagerWarning[],
): Engine {
  const before = newSharedState();
  shm.forget();
  shm.read(before);
  const parts = recover(options, main, locks, warnings);
  try {
    const { shared } = parts;
    shared.epoch = before.epoch + 1;
    shared.bound = Math.max(shared.bound, before.bound);
    shared.intendedBound = Math.max(shared.bound, before.intendedBound);
    const engine = new Engine({ ...parts, reader: readerFor(options, main, parts, shm, locks), options, shm });
    shm.write(shared);
    shm.setHeld(false);
    shm.setPoisoned(false);
    return engine;
  } catch (error) {
    closeLog(parts.wal);
    throw error;
  }
}
