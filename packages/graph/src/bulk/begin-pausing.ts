import type { Pager } from '@sombra/pager';
import type { Steps } from '../model/steps.ts';

/** Shortest and longest pause between two tries while another connection writes: apart, so that two do not move in step. */
const POLL_MIN_MS = 1;
const POLL_SPREAD_MS = 4;

/**
 * Begins to write without blocking the thread: while another connection writes, the event loop turns, for `busyTimeoutMs` at most.
 * @param begin  tries once
 * @throws IoError SOMBRA_BUSY; what `begin` throws
 */
export function* beginPausing<T>(pager: Pager, begin: (waitMs: number) => T): Steps<T> {
  const { env } = pager;
  const until = env.monotonicMs() + pager.busyTimeoutMs;
  let waiting = false;
  try {
    for (;;) {
      try {
        return begin(0);
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'SOMBRA_BUSY' || env.monotonicMs() >= until) throw error;
      }
      pager.waiting(true); // again and again: another call that waited on this connection may have ended its wait for both
      waiting = true;
      const pause = POLL_MIN_MS + (env.random(1)[0]! / 256) * POLL_SPREAD_MS;
      yield new Promise<void>((resolve) => {
        env.setTimer(resolve, pause, true);
      });
    }
  } finally {
    if (waiting && !pager.closed) pager.waiting(false);
  }
}
