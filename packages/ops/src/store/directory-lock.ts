import { IoError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { backOffMs, pause } from '../base/pause.ts';
import { release } from './directory-draft.ts';

/** A holder looks and renames, without waiting for anything: it is stopped, or its disk is, when it takes longer. */
const WAIT_MAX_MS = 30_000;
const BACK_OFF_MS = 2;
const BACK_OFF_MAX_MS = 100;

/**
 * Runs `section`, which does not wait, while no other process runs one for the same lock file.
 * @throws IoError SOMBRA_BUSY when another one holds the lock for 30 seconds; StateError SOMBRA_ABORTED
 */
export async function exclusively<T>(
  vfs: Vfs,
  path: string,
  signal: AbortSignal | undefined,
  section: () => T,
): Promise<T> {
  const { env } = vfs;
  const file = vfs.open(path, { write: true, create: true });
  try {
    const deadline = env.monotonicMs() + WAIT_MAX_MS;
    for (let failures = 1; !file.tryLock(0, 1, 'exclusive'); failures += 1) {
      if (env.monotonicMs() >= deadline) throw busy(path);
      await pause(env, backOffMs(env, failures, BACK_OFF_MS, BACK_OFF_MAX_MS), signal);
    }
    return section();
  } finally {
    release(file);
  }
}

function busy(path: string): IoError {
  return new IoError(
    'SOMBRA_BUSY',
    `another process has held ${path} for ${WAIT_MAX_MS} ms: see whether it is stopped, then try again`,
    {
      details: { path },
    },
  );
}
