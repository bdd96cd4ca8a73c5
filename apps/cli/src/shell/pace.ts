/** Lets a long walk over rows be watched and interrupted, though the database answers synchronously. */
import type { Signals } from './signals.ts';

/** Rows between two turns of the event loop. */
const ROWS_PER_TURN = 2048;

/** Counts rows, and checks for signals. */
export class Pace {
  private readonly signals: Signals;
  private readonly progress: (rows: number) => void;
  private rows = 0;

  /** @param progress  called at intervals with the number of rows */
  constructor(signals: Signals, progress: (rows: number) => void) {
    this.signals = signals;
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
    await this.signals.turn();
  }
}
