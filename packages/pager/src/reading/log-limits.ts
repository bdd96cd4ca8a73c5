/**
 * What happens when a reader keeps the log from shrinking (rule L9): above `maxWalSizeMb` an alert, and snapshots older than
 * `readTimeoutMs` end in their own process; at `walHardLimitMb` writers are refused. Writers are never blocked before.
 */
import { IoError } from '@sombra/vfs';
import { SEGMENT_HEADER_SIZE } from '@sombra/wal';
import { checkpointNow } from '../checkpoint/background-checkpoint.ts';
import type { Engine } from '../connection/engine.ts';
import { TOO_OLD } from './view.ts';
import type { View } from './view.ts';

/** The limits of the log of one connection. */
export class LogLimits {
  private readonly engine: Engine;
  private alerted = false;
  private timer: unknown;
  /** When each snapshot that is watched began, ms. */
  private readonly since = new Map<View, number>();

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** A commit was made, and a checkpoint if it was time for one. @param bytes  of the log since the last checkpoint */
  consider(bytes: number): void {
    const { options } = this.engine;
    if (bytes <= options.maxWalBytes) {
      this.alerted = false;
      return;
    }
    // Without a reader in the way the next checkpoint shortens it; one that fails has a warning of its own.
    if (this.alerted || !this.engine.checkpoints.keptBack) return;
    this.alerted = true;
    this.engine.health.warn({
      code: 'SOMBRA_LOG_OVER_LIMIT',
      message: `the log of ${options.path} has ${bytes} bytes, more than maxWalSizeMb allows: a snapshot or another reader keeps it from shrinking; release old snapshots`,
    });
  }

  /**
   * May the log grow? At its hard limit a checkpoint has to make room first: no commit would come by to start one.
   * Call within a tenure.
   * @throws IoError SOMBRA_LOG_FULL
   */
  makeRoom(): void {
    const { engine } = this;
    const { options } = engine;
    if (options.walHardLimitBytes === Infinity || engine.logBytes() < options.walHardLimitBytes) return;
    let cause: unknown;
    try {
      checkpointNow(engine);
    } catch (error) {
      if (engine.health.poisoned) throw error;
      cause = error;
    }
    const bytes = engine.logBytes();
    if (bytes < options.walHardLimitBytes) return;
    const why =
      cause === undefined
        ? 'a snapshot or another reader keeps a checkpoint from shortening it: release old snapshots'
        : `a checkpoint failed (${String(cause)}): remove its cause`;
    throw new IoError(
      'SOMBRA_LOG_FULL',
      `the log of ${options.path} has ${bytes} bytes, walHardLimitMb allows ${options.walHardLimitBytes}, and ${why}, or raise the limit`,
      { cause, details: { bytes, limit: options.walHardLimitBytes } },
    );
  }

  /** A snapshot began that may not keep the log for long. */
  watch(view: View): void {
    const { engine } = this;
    if (engine.options.readTimeoutMs === Infinity) return;
    this.since.set(view, engine.now());
    this.arm();
  }

  /** A snapshot ended. */
  forget(view: View): void {
    this.since.delete(view);
  }

  /** The connection is being closed. */
  stop(): void {
    if (this.timer !== undefined) this.engine.vfs.env.clearTimer(this.timer);
    this.timer = undefined;
  }

  /** One timer looks after all snapshots of the connection. */
  private arm(): void {
    if (this.timer !== undefined) return;
    const { engine } = this;
    this.timer = engine.vfs.env.setTimer(() => {
      this.timer = undefined;
      if (engine.health.closed || this.since.size === 0) return;
      engine.health.runUpkeep(() => this.endOld());
      if (this.since.size > 0) this.arm();
    }, engine.options.readTimeoutMs / 2);
  }

  private endOld(): void {
    const { engine } = this;
    const before = engine.now() - engine.options.readTimeoutMs;
    const old = [...this.since].filter(([, since]) => since <= before);
    if (old.length === 0 || !this.isOver()) return;
    for (const [view] of old) engine.views.endView(view, TOO_OLD);
  }

  /** Is the log over its limit now, whoever writes it? Segments in between count whole. */
  isOver(): boolean {
    const { engine } = this;
    const now = engine.peekShared();
    const { segmentSize, maxWalBytes } = engine.options;
    return (
      (now.logSeq - now.replaySeq) * (segmentSize - SEGMENT_HEADER_SIZE) + now.logOffset - now.replayOffset >
      maxWalBytes
    );
  }
}
