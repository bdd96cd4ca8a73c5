/** Work between two calls that failed, such as giving a lock back: tried again by a timer, ever less often, until it succeeds. */
import type { VfsEnv } from '@sombra/vfs';

/** Pauses between two tries, ms: each is twice the one before. */
const FIRST_MS = 2;
const LAST_MS = 1000;

/** One kind of work. Its timer keeps no process alive, and errors of a retry are dropped: the first attempt has reported the failure. */
export class Retry {
  private readonly env: VfsEnv;
  private readonly work: () => void;
  private timer: unknown;
  private pauseMs = FIRST_MS;

  /** @param work  harmless when nothing is left to do */
  constructor(env: VfsEnv, work: () => void) {
    this.env = env;
    this.work = work;
  }

  /** The work has failed: it is tried again later. */
  later(): void {
    this.timer ??= this.env.setTimer(() => this.run(), this.pauseMs);
  }

  /** Stops retrying. */
  stop(): void {
    if (this.timer !== undefined) this.env.clearTimer(this.timer);
    this.timer = undefined;
  }

  private run(): void {
    this.timer = undefined;
    this.pauseMs = Math.min(2 * this.pauseMs, LAST_MS);
    try {
      this.work();
    } catch {
      this.later();
      return;
    }
    if (this.timer === undefined) this.pauseMs = FIRST_MS;
  }
}
