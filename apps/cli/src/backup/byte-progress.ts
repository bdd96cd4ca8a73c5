import { RowProgress } from '../shell/row-progress.ts';
import type { Shell } from '../shell/shell.ts';

/** A bar over bytes, for each phase of a command. */
export class ByteProgress {
  private readonly shell: Shell;
  private phase: string | undefined;
  private bar: RowProgress | undefined;

  constructor(shell: Shell) {
    this.shell = shell;
  }

  /** @param phase  what is done with the bytes: `copied`, `verified` */
  at(phase: string, doneBytes: number, totalBytes: number): void {
    if (this.phase !== phase) {
      this.bar?.stop();
      this.phase = phase;
      this.bar = new RowProgress(totalBytes, this.shell);
    }
    this.bar!.at(doneBytes, `bytes ${phase}`);
  }

  stop(): void {
    this.bar?.stop();
    this.bar = undefined;
  }
}
