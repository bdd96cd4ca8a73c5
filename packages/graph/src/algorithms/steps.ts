import type { VfsEnv } from '@sombra/vfs';
import type { Watch } from '../traversal/watch.ts';

/**
 * A long computation in slices: a generator that yields between them, every few thousand edges, never inside a hot loop.
 * One mechanism serves both forms of an algorithm: the synchronous one runs the slices one after the other, the asynchronous
 * one lets the event loop turn in between. The caller that runs the slices checks the watch after each.
 */
export type Steps<T> = Generator<undefined, T, undefined>;

/** Edges, or what costs as much, of one slice. */
export const SLICE = 16_384;
/** Milliseconds that an asynchronous run works before it lets the event loop turn. */
const TURN_MS = 4;

/** Runs to the end. */
export function runSteps<T>(steps: Steps<T>, watch: Watch): T {
  watch.check();
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    watch.check();
  }
}

/** Runs to the end, with turns of the event loop in between. */
export async function runStepsPausing<T>(steps: Steps<T>, watch: Watch, env: VfsEnv): Promise<T> {
  watch.check();
  for (let pauseAt = env.monotonicMs() + TURN_MS; ; ) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (env.monotonicMs() >= pauseAt) {
      await new Promise<void>((resolve) => {
        env.defer(resolve);
      });
      pauseAt = env.monotonicMs() + TURN_MS;
    }
    watch.check();
  }
}
