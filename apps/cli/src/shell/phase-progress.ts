/** What a command is doing, on stderr, when a person is watching. */
import type { Shell } from './shell.ts';

const CLEAR_LINE = '\r\u001b[K';

/** One line that is written over. */
export class PhaseProgress {
  private readonly stream: NodeJS.WriteStream | undefined;
  private shown = false;

  constructor(shell: Shell) {
    this.stream = shell.progress;
  }

  at(text: string): void {
    this.stream?.write(`${CLEAR_LINE}${text} …`);
    this.shown = true;
  }

  /** Clears the line. */
  stop(): void {
    if (this.shown) this.stream?.write(CLEAR_LINE);
    this.shown = false;
  }
}
