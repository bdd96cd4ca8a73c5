/** Lets a long walk over rows be watched and interrupted, though the database answers synchronously. */
import { setImmediate } from 'node:timers/promises';

/** Rows between two turns of the event loop. */
const ROWS_PER_TURN = 2048;

/** The command was interrupted. */
export class Interrupted extends Error {}

/** Counts rows, and hears signals. */
export class Pace {
  private readonly signal: AbortSignal;
  private readonly progress: (rows: number) => void;
  private rows = 0;

  /** @param progress  told now and then how many rows there were */
  constructor(signal: AbortSignal, progress: (rows: number) => void) {
    this.signal = signal;
    this.progress = progress;
  }

  /** One more row. @returns is it time for a `turn`? */
  row(): boolean {
    this.rows += 1;
    return this.rows % ROWS_PER_TURN === 0;
  }

  /** Gives the event loop a turn. @throws Interrupted */
  async turn(): Promise<void> {
    this.progress(this.rows);
    await setImmediate();
    if (this.signal.aborted) throw new Interrupted();
  }
}
