/** Where a command writes: data on stdout, everything else on stderr. */
import { createColors } from 'picocolors';
import type { Output } from './output.ts';
import { Pace } from './pace.ts';
import type { Signals } from './signals.ts';
import { printable } from '../values/text.ts';

/** The process as a command sees it. */
export interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Functions that put a text into a colour, or leave it as it is. */
export type Colors = ReturnType<typeof createColors>;

/** Exit codes. Scripts rely on them. */
export const EXIT = Object.freeze({ ok: 0, error: 1, damaged: 2, readerGone: 141 });

/** What a command is given beside its arguments. */
export class Shell {
  readonly json: boolean;
  readonly colors: Colors;
  /** What ends the command early. */
  readonly signals: Signals;
  private readonly stdout: Output;
  private readonly stderr: Output;

  constructor(stdout: Output, stderr: Output, signals: Signals, json: boolean) {
    this.stdout = stdout;
    this.stderr = stderr;
    this.signals = signals;
    this.json = json;
    this.colors = createColors(!json && wantsColor(stdout.stream, process.env));
  }

  /** Where progress may be drawn: stderr, when a person is watching it. */
  get progress(): NodeJS.WriteStream | undefined {
    const { stream } = this.stderr;
    return stream.isTTY && !this.json ? stream : undefined;
  }

  /** Characters in a line of stdout; Infinity where it is no terminal. */
  get width(): number {
    return this.stdout.stream.columns ?? Infinity;
  }

  /** Writes the result: one JSON document, or text for people. */
  result(data: unknown, text: () => string): void {
    this.stdout.write(`${this.json ? JSON.stringify(data, undefined, 2) : text()}\n`);
  }

  /** Writes rows to stdout, and waits until there is room for more. @throws ReaderGone; IoError SOMBRA_OUTPUT */
  async rows(text: string): Promise<void> {
    this.stdout.write(text);
    await this.stdout.room();
  }

  /** Counts rows of a long walk. @param progress  called at intervals with the count */
  pace(progress: (rows: number) => void = () => undefined): Pace {
    return new Pace(this.signals, progress);
  }

  /** Writes a message to stderr. */
  note(message: string): void {
    this.stderr.write(`${printable(message)}\n`);
  }
}

/**
 * Are colours wanted? NO_COLOR and FORCE_COLOR decide, else whether the stream is a terminal. picocolors' own rule also says
 * yes wherever CI is set, which would put escape sequences into files.
 */
export function wantsColor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}
