import type { Pager } from '@sombra/pager';
import type { VfsEnv } from '@sombra/vfs';
import type { Warning } from '../base/warning.ts';

/** Checkpoints by the clock. Its timer keeps no process alive. */
export class CheckpointTimer {
  private readonly pager: Pager;
  private readonly env: VfsEnv;
  private readonly intervalMs: number;
  private readonly warn: (warning: Warning) => void;
  private timer: unknown;

  /** @param intervalMs  Infinity for none */
  constructor(pager: Pager, env: VfsEnv, intervalMs: number, warn: (warning: Warning) => void) {
    this.pager = pager;
    this.env = env;
    this.intervalMs = intervalMs;
    this.warn = warn;
    this.arm();
  }

  stop(): void {
    if (this.timer !== undefined) this.env.clearTimer(this.timer);
    this.timer = undefined;
  }

  private arm(): void {
    if (this.intervalMs === Infinity || this.pager.readOnly) return;
    this.timer = this.env.setTimer(() => this.run(), this.intervalMs);
  }

  private run(): void {
    if (this.pager.closed) return;
    try {
      const { lsn, checkpointLsn, poisoned } = this.pager.vitals();
      if (lsn > checkpointLsn && !poisoned) this.pager.checkpoint(0);
    } catch (error) {
      // Do not wait: the connection that is writing may checkpoint itself, and otherwise the next tick does.
      if ((error as { code?: unknown }).code !== 'SOMBRA_BUSY') {
        this.warn({
          code: 'SOMBRA_CHECKPOINT_FAILED',
          message: 'a checkpoint failed; commits are safe in the log, which keeps growing: see the cause',
          cause: error,
        });
      }
    } finally {
      this.arm();
    }
  }
}
