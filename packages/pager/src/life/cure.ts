/**
 * The way out of a poisoned database while others have it open (rule E1). The opener takes, besides RECOVER, WRITE and all READ slots: no
 * other connection writes or has a view. Then it recovers as if it were alone (rule O4), publishes what it found under a new epoch, and
 * takes the poison mark away. The others drop what they remember and reopen their files when they see the epoch. A crash in any step
 * leaves the poison mark, so the next one does it again.
 */
import type { VfsFile } from '@sombra/vfs';
import { giveBack, runAll } from '../base/run-all.ts';
import { Connection } from '../connection/connection.ts';
import { LOCK_READ, LOCK_READ_SLOTS, LOCK_WRITE } from '../sharing/locks.ts';
import type { LockTable } from '../sharing/locks.ts';
import type { PagerWarning, ResolvedOptions } from '../base/options.ts';
import { closeLog, recover } from './recovery.ts';
import { newSharedState } from '../format/shared-state.ts';
import type { SharedState } from '../format/shared-state.ts';
import type { Shm } from '../sharing/shm.ts';

/**
 * Call while holding RECOVER.
 * @returns null when another connection writes or reads now
 */
export function cure(
  options: ResolvedOptions,
  main: VfsFile,
  locks: LockTable,
  shm: Shm,
  warnings: PagerWarning[],
): Connection | null {
  const wanted = [LOCK_WRITE, ...Array.from({ length: LOCK_READ_SLOTS }, (_, slot) => LOCK_READ + slot)];
  const taken: number[] = [];
  const unlockAll = (): void => runAll(taken.map((byte) => () => locks.unlock(byte)));
  let cured: Connection | null = null;
  try {
    if (takeAll(locks, wanted, taken)) cured = recoverInPlace(options, main, locks, shm, warnings);
    unlockAll();
    return cured;
  } catch (error) {
    giveBack([() => cured?.closeFiles(), unlockAll]);
    throw error;
  }
}

/** @returns whether every one was free */
function takeAll(locks: LockTable, wanted: readonly number[], taken: number[]): boolean {
  for (const byte of wanted) {
    if (!locks.tryLock(byte, 'exclusive')) return false;
    taken.push(byte);
  }
  return true;
}

function recoverInPlace(
  options: ResolvedOptions,
  main: VfsFile,
  locks: LockTable,
  shm: Shm,
  warnings: PagerWarning[],
): Connection {
  const before = newSharedState();
  shm.forget();
  shm.read(before);
  const parts = recover(options, main, locks, warnings, { refuseLoss: true });
  try {
    const bound = Math.max(parts.shared.bound, before.bound);
    const intendedBound = Math.max(bound, before.intendedBound);
    const shared: SharedState = { ...parts.shared, epoch: before.epoch + 1, bound, intendedBound };
    const connection = new Connection({ ...parts, shared, options, shm });
    shm.write(shared);
    shm.setHeld(false);
    shm.setPoisoned(false);
    return connection;
  } catch (error) {
    giveBack([() => closeLog(parts.wal)]);
    throw error;
  }
}
