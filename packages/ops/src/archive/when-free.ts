/** Waits for another connection that writes, without blocking the event loop. */
import { IoError } from '@sombra/vfs';
import type { VfsEnv } from '@sombra/vfs';
import { pause } from '../base/pause.ts';

/** Pauses between tries, ms, at random up to this, so that a writer that commits in a beat is not met each time. */
const PAUSE_MS = 20;
/** How long it goes on, ms. */
const WAIT_MS = 10_000;

/** Does `work`, again while it ends with SOMBRA_BUSY. @throws what `work` throws, after a while also SOMBRA_BUSY; StateError SOMBRA_ABORTED */
export async function whenFree<T>(env: VfsEnv, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  const until = env.monotonicMs() + WAIT_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof IoError && error.code === 'SOMBRA_BUSY') || env.monotonicMs() >= until) throw error;
    }
    await pause(env, 1 + (env.random(1)[0]! * PAUSE_MS) / 256, signal);
  }
}
