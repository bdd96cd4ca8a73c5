/** Waiting for the byte WRITE, with WAIT held (rule L5), after other connections of this thread were asked to let go (rule L7). */
import type { Vfs } from '@sombra/vfs';
import { LOCK_WAIT, LOCK_WRITE, refuseHeld } from './locks.ts';
import type { LockTable } from './locks.ts';
import { releaseIdle } from './registry.ts';
import type { Neighbour } from './registry.ts';
import { retryUntil } from './waiting.ts';

/** Where a connection asks for WRITE. */
export interface WriteLockParts {
  readonly vfs: Vfs;
  readonly path: string;
  readonly locks: LockTable;
  readonly neighbour: Neighbour;
}

/**
 * Takes WRITE, or waits until the caller no longer needs it.
 * @param waitMs   how long it may block
 * @param attempt  does it: takes WRITE, or finds that it is not needed any more
 * @throws IoError SOMBRA_BUSY when that is not long enough
 */
export function waitForWrite(
  { vfs, path, locks, neighbour }: WriteLockParts,
  waitMs: number,
  attempt: () => boolean = () => locks.tryLock(LOCK_WRITE, 'exclusive'),
): void {
  if (attempt() || (releaseIdle(neighbour) && attempt())) return;
  if (waitMs === 0) refuseHeld(vfs, path, LOCK_WRITE, locks);
  const waited = locks.holds(LOCK_WAIT); // announced before, without blocking
  try {
    const waitAndTry = (): boolean => (locks.holds(LOCK_WAIT) || locks.tryLock(LOCK_WAIT, 'shared')) && attempt();
    if (!retryUntil(vfs, waitMs, waitAndTry)) refuseHeld(vfs, path, LOCK_WRITE, locks);
  } finally {
    if (!waited) locks.unlock(LOCK_WAIT);
  }
}
