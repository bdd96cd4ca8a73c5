import type { WriteTransaction } from '@sombra/pager';
import { DataError, StateError, type VfsEnv } from '@sombra/vfs';
import { describe } from './options.ts';
import type { AbortSignalLike, RunOptions } from './run-options.ts';

/** Steps between two checks. */
const STEPS_PER_LOOK = 1024;

/** Checks at intervals whether a running call has to end. */
export class Watch {
  private readonly signal: AbortSignalLike | undefined;
  private readonly env: VfsEnv;
  private readonly until: number;
  private readonly transaction: WriteTransaction | undefined;
  private steps = 0;

  /**
   * @param transaction  the one that the call works in, if any: its time limit counts too
   * @throws DataError SOMBRA_OPTION
   */
  constructor(options: RunOptions | undefined, env: VfsEnv, transaction: WriteTransaction | undefined) {
    const signal = options?.signal;
    if (signal !== undefined && (typeof signal !== 'object' || signal === null || typeof signal.aborted !== 'boolean'))
      throw new DataError('SOMBRA_OPTION', `signal is an AbortSignal, not ${describe(signal)}`);
    const timeout = options?.timeoutMs;
    if (timeout !== undefined && !(typeof timeout === 'number' && timeout >= 0))
      throw new DataError('SOMBRA_OPTION', `timeoutMs is a number of at least 0, not ${describe(timeout)}`);
    this.signal = signal;
    this.env = env;
    this.until = timeout === undefined ? Infinity : env.monotonicMs() + timeout;
    this.transaction = transaction;
  }

  /** Looks when enough is done. @param count  nodes, or what costs as much. @throws as `check` */
  step(count = 1): void {
    this.steps += count;
    if (this.steps < STEPS_PER_LOOK) return;
    this.steps = 0;
    this.check();
  }

  /** @throws StateError SOMBRA_ABORTED; TransactionError SOMBRA_TRANSACTION_TIMEOUT */
  check(): void {
    if (this.signal?.aborted === true)
      throw new StateError('SOMBRA_ABORTED', 'the call was aborted by its signal: see the cause', {
        cause: this.signal.reason,
      });
    if (this.until !== Infinity && this.env.monotonicMs() >= this.until)
      throw new StateError(
        'SOMBRA_ABORTED',
        'the call took longer than its timeoutMs: ask for less, or allow more time',
      );
    this.transaction?.checkDeadline();
  }
}
