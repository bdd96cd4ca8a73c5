import type { Pager } from '@sombra/pager';
import type { Latency, VfsEnv } from '@sombra/vfs';
import type { Warning } from '../base/warning.ts';

/** Time between two looks whether there is anything new, ms. */
const INTERVAL_MS = 1000;

/**
 * Tells other processes by the clock how this connection performs, for `sombra-inspect stats`: no read and no commit pays for it. Its
 * timer keeps no process alive.
 */
export class FiguresTimer {
  private readonly pager: Pager;
  private readonly reads: Latency;
  private readonly env: VfsEnv;
  private readonly warn: (warning: Warning) => void;
  private timer: unknown;

  /** @param reads  durations of short reads */
  constructor(pager: Pager, reads: Latency, env: VfsEnv, warn: (warning: Warning) => void) {
    this.pager = pager;
    this.reads = reads;
    this.env = env;
    this.warn = warn;
    if (pager.shared) this.arm();
  }

  stop(): void {
    if (this.timer !== undefined) this.env.clearTimer(this.timer);
    this.timer = undefined;
  }

  private arm(): void {
    this.timer = this.env.setTimer(() => this.run(), INTERVAL_MS);
  }

  private run(): void {
    this.timer = undefined;
    if (this.pager.closed) return;
    try {
      this.pager.tellFigures(this.reads);
    } catch (cause) {
      // A timer has no caller to throw to. And not again: a disk that fails would be told of every second.
      const message = `${this.pager.path}: figures for sombra-inspect could not be written, and are not written any more until the database is opened again; data and commits are unaffected`;
      this.warn({ code: 'SOMBRA_UPKEEP_FAILED', message, cause });
      return;
    }
    this.arm();
  }
}
