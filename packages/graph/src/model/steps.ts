import type { VfsEnv } from '@sombra/vfs';
import type { Watch } from './watch.ts';

/**
 * A long computation in slices: a generator that yields between them, every few thousand edges, never inside a hot loop.
 * One mechanism serves both forms of a call: the synchronous one runs the slices one after the other, the asynchronous
 * one lets the event loop turn in between. What runs the slices checks the watch after each. An abandoned computation is
 * ended at its current yield, so that its `finally` blocks run.
 *
 * It may yield a promise that has to be fulfilled before it goes on. Only computations that have no synchronous form do.
 */
export type Steps<T> = Generator<PromiseLike<unknown> | undefined, T, undefined>;

/** Edges, or what costs as much, of one slice. */
export const SLICE = 16_384;
/** Milliseconds that an asynchronous run works before it lets the event loop turn. */
const TURN_MS = 2;

/** Runs to the end. */
export function runSteps<T>(steps: Steps<T>, watch: Watch): T {
  try {
    watch.check();
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value;
      watch.check();
    }
  } finally {
    steps.return(undefined as never);
  }
}

/** A computation that runs with turns of the event loop in between. */
export class PausingRun<T> {
  private readonly steps: Steps<T>;
  private readonly watch: Watch;
  private readonly env: VfsEnv;
  private working = false;
  private failure: { readonly error: unknown } | undefined;

  constructor(steps: Steps<T>, watch: Watch, env: VfsEnv) {
    this.steps = steps;
    this.watch = watch;
    this.env = env;
  }

  /** Runs to the end; the first slice before this returns. Call once. */
  async run(): Promise<T> {
    const { watch, env } = this;
    try {
      watch.check();
      for (let pauseAt = env.monotonicMs() + TURN_MS; ; ) {
        // Code of the caller that `watch` runs may have called `end`.
        this.throwIfEnded();
        const { done, value } = this.step();
        if (done === true) return value;
        if (value !== undefined || env.monotonicMs() >= pauseAt) {
          await (value ?? turn(env));
          pauseAt = env.monotonicMs() + TURN_MS;
        }
        this.throwIfEnded();
        watch.check();
      }
    } finally {
      this.letGo();
    }
  }

  /**
   * Abandons it: what it holds is released before this returns, or after the slice that this is called by. The promise of `run` is
   * rejected with `error`, or with what letting go throws: iterators of the caller are ended, too, and may throw. Never throws.
   */
  end(error: unknown): void {
    this.failure ??= { error };
    if (this.working) return;
    try {
      this.letGo();
    } catch (thrown) {
      this.failure = { error: thrown };
    }
  }

  private throwIfEnded(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }

  /** Runs the `finally` blocks where the computation stands. Code of the caller in them may call `end`. */
  private letGo(): void {
    this.working = true;
    try {
      this.steps.return(undefined as never);
    } finally {
      this.working = false;
    }
  }

  private step(): IteratorResult<PromiseLike<unknown> | undefined, T> {
    this.working = true;
    try {
      return this.steps.next();
    } finally {
      this.working = false;
    }
  }
}

/** A turn of the event loop. */
function turn(env: VfsEnv): Promise<void> {
  return new Promise((resolve) => {
    env.defer(resolve);
  });
}
