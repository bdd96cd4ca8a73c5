import { Writable } from 'node:stream';

/** A line of a log that was written as JSON. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly level: string; readonly event: string };

/** A stream that keeps what is written to it, as the terminal or the pipe that a log goes to. */
export class Output extends Writable {
  isTTY: boolean;
  text = '';

  constructor(isTTY = false) {
    super();
    this.isTTY = isTTY;
  }

  /** Its lines, each one document. */
  get lines(): LogLine[] {
    return this.text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogLine);
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
