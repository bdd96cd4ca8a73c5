/**
 * What happens when a reader keeps the log from shrinking (rule L9): above `maxWalSizeMb` an alert, and snapshots older than
 * `readTimeoutMs` end in their own process; at `walHardLimitMb` writers are refused. Writers are never blocked before.
 */
import { IoError } from '@sombra/vfs';
import type { VfsEnv } from '@sombra/vfs';
import type { Health } from '../base/health.ts';
import type { ResolvedOptions } from '../base/options.ts';
import { TOO_OLD } from './view.ts';
import type { View } from './view.ts';

/** What limits are made of. */
export interface LogLimitsParts {
  readonly env: VfsEnv;
  readonly options: ResolvedOptions;
  readonly health: Health;
  /** Log bytes since the last checkpoint, as far as this connection has followed it. */
  readonly logBytes: () => number;
  /** Is the log over its limit now, whichever connection writes it? */
  readonly isOver: () => boolean;
  /** Does a reader keep the log over its limit, as far as the last checkpoint showed? */
  readonly isKeptBack: () => boolean;
  /** Runs a checkpoint to its end, within a tenure. */
  readonly checkpoint: () => void;
  /** Ends a snapshot. @param how  the limit that its view gets */
  readonly end: (view: View, how: number) => void;
}

/** The limits of the log of one connection. */
export class LogLimits {
  private readonly parts: LogLimitsParts;
  private alerted = false;
  private timer: unknown;
  /** When each snapshot began, ms. */
  private readonly since = new Map<View, number>();
  private readonly exempt = new Set<View>();

  constructor(parts: LogLimitsParts) {
    this.parts = parts;
  }

  /** A commit was made, and a checkpoint if it was time for one. */
  consider(): void {
    const { options, health, logBytes, isKeptBack } = this.parts;
    const bytes = logBytes();
    if (bytes <= options.maxWalBytes) {
      this.alerted = false;
      return;
    }
    // Without a reader in the way the next checkpoint shortens it; one that fails has a warning of its own.
    if (this.alerted || !isKeptBack()) return;
    this.alerted = true;
    health.warn({
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
    const { options, health, logBytes, checkpoint } = this.parts;
    if (options.walHardLimitBytes === Infinity || logBytes() < options.walHardLimitBytes) return;
    let cause: unknown;
    try {
      checkpoint();
    } catch (error) {
      if (health.poisoned) throw error;
      cause = error;
    }
    const bytes = logBytes();
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

  /** A snapshot began. @param exempt  it may keep the log for longer than `readTimeoutMs` */
  watch(view: View, exempt: boolean): void {
    const { options, env } = this.parts;
    this.since.set(view, env.monotonicMs());
    if (exempt) this.exempt.add(view);
    else if (options.readTimeoutMs !== Infinity) this.arm();
  }

  /** Age of the oldest snapshot, ms; 0 without any. */
  oldestMs(): number {
    for (const since of this.since.values()) return this.parts.env.monotonicMs() - since; // they began in this order
    return 0;
  }

  /** A snapshot ended. */
  forget(view: View): void {
    this.since.delete(view);
    this.exempt.delete(view);
  }

  /** The connection is being closed. */
  stop(): void {
    if (this.timer !== undefined) this.parts.env.clearTimer(this.timer);
    this.timer = undefined;
  }

  /** One timer serves all snapshots of the connection. */
  private arm(): void {
    if (this.timer !== undefined) return;
    const { env, health, options } = this.parts;
    this.timer = env.setTimer(() => {
      this.timer = undefined;
      if (health.closed || this.since.size === 0) return;
      health.runUpkeep(() => this.endOld());
      if (this.since.size > 0) this.arm();
    }, options.readTimeoutMs / 2);
  }

  private endOld(): void {
    const { env, options, isOver, end } = this.parts;
    const before = env.monotonicMs() - options.readTimeoutMs;
    const old = [...this.since].filter(([view, since]) => since <= before && !this.exempt.has(view));
    if (old.length === 0 || !isOver()) return;
    for (const [view] of old) end(view, TOO_OLD);
  }
}
