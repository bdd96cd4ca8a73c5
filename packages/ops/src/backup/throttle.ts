import type { VfsEnv } from '@sombra/vfs';
import { pause } from '../base/pause.ts';

/** Longest pause at once, ms. */
const STEP_MS = 250;

/** Holds a flow of bytes to a rate, over the whole time: what was slower before does not make it faster later by more than a second's worth. */
export class Throttle {
  private readonly env: VfsEnv;
  private readonly bytesPerSecond: number;
  private readonly signal: AbortSignal | undefined;
  /** When all that went through so far may have gone through. */
  private due: number;

  /** @param bytesPerSecond  Infinity: no limit */
  constructor(env: VfsEnv, bytesPerSecond: number, signal: AbortSignal | undefined) {
    this.env = env;
    this.bytesPerSecond = bytesPerSecond;
    this.signal = signal;
    this.due = env.monotonicMs();
  }

  /** So many bytes went through: waits until the next may. @throws StateError SOMBRA_ABORTED */
  async passed(bytes: number): Promise<void> {
    const { env, signal } = this;
    this.due = Math.max(this.due, env.monotonicMs() - 1000) + (bytes / this.bytesPerSecond) * 1000;
    for (let left = this.due - env.monotonicMs(); left > 0; left = this.due - env.monotonicMs())
      await pause(env, Math.min(left, STEP_MS), signal);
  }
}
