/** The progress of a command over rows on stderr, when a person is watching. */
import { Presets, SingleBar } from 'cli-progress';
import type { Shell } from './shell.ts';
import { count } from './tables.ts';

/** A bar over rows, or without a total a count. */
export class RowProgress {
  private readonly bar: SingleBar | undefined;

  /** @param total  rows in all */
  constructor(total: number, shell: Shell) {
    const stream = shell.progress;
    if (stream === undefined) return;
    this.bar = new SingleBar(
      { format: '{bar} {percentage}% {text}', stream, clearOnComplete: true, hideCursor: null, etaBuffer: 100 },
      Presets.shades_classic,
    );
    this.bar.start(total, 0, { text: '' });
  }

  /** So many rows are done. */
  at(rows: number, text = 'rows'): void {
    this.bar?.update(rows, { text: `${count(rows)} ${text}` });
  }

  stop(): void {
    this.bar?.stop();
  }
}
