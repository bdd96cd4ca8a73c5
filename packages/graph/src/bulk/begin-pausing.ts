import type { Pager } from '@sombra/pager';
import type { Steps } from '../model/steps.ts';

/**
 * Begins to write without blocking the thread: while another connection writes, the event loop turns, for `busyTimeoutMs` at most.
 * @param begin  tries once
 * @throws IoError SOMBRA_BUSY; what `begin` throws
 */
export function* beginPausing<T>(pager: Pager, begin: (waitMs: number) => T): Steps<T> {
  const { env } = pager;
  const until = env.monotonicMs() + pager.busyTimeoutMs;
  const waiter = {};
  try {
    for (;;) {
      try {
        return begin(0);
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'SOMBRA_BUSY' || env.monotonicMs() >= until) throw error;
      }
      pager.waiting(true, waiter);
      const pause = pager.pauseMs();
      yield new Promise<void>((resolve) => {
        env.setTimer(resolve, pause, true);
      });
    }
  } finally {
    if (!pager.closed) pager.waiting(false, waiter);
  }
}
