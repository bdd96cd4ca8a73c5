import type { Vfs } from '@sombra/vfs';

/** Pauses between two tries, ms: short at first, for what ends at once. */
const PAUSES = [0.2, 0.5, 1, 2, 5];

/**
 * Tries until it works or the time is over, sleeping in between. For synchronous waits only.
 * @returns whether it worked
 */
export function retryUntil(vfs: Vfs, timeoutMs: number, attempt: () => boolean): boolean {
  if (attempt()) return true;
  const until = vfs.env.monotonicMs() + timeoutMs;
  for (let tries = 0; vfs.env.monotonicMs() < until; tries += 1) {
    vfs.env.sleep(PAUSES[Math.min(tries, PAUSES.length - 1)]!);
    if (attempt()) return true;
  }
  return false;
}
