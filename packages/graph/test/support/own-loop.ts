// The event loop of simulated processes: it turns when it is told to, many times as fast as the real one.
import { SimEnv } from '@sombra/vfs/testing';

/** Promises that follow from each other within one turn, at most. */
const CHAIN = 24;

/** Clock, timers and deferred calls from a seed. What a deferred call throws, `turn` throws: nothing may. */
export class OwnLoop extends SimEnv {
  private due: (() => void)[] = [];

  override defer(fn: () => void): void {
    this.due.push(fn);
  }

  /** One turn: what was deferred before it, and the promises that follow. Then time passes. */
  async turn(ms: number): Promise<void> {
    const { due } = this;
    this.due = [];
    for (const fn of due) fn();
    for (let i = 0; i < CHAIN; i += 1) await undefined;
    this.advance(ms);
  }

  /** Turns until `promise` is settled. */
  async until(promise: Promise<unknown>): Promise<void> {
    let settled = false;
    const settle = (): void => void (settled = true);
    promise.then(settle, settle);
    await undefined;
    while (!settled) await this.turn(0);
    await promise;
  }
}
