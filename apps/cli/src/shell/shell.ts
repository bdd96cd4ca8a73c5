/** Where a command writes: data on stdout, everything else on stderr. */
import { createColors } from 'picocolors';
import { printable } from '../values/text.ts';

/** The process as a command sees it. */
export interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** Functions that put a text into a colour, or leave it as it is. */
export type Colors = ReturnType<typeof createColors>;

/** Exit codes. Scripts rely on them. */
export const EXIT = Object.freeze({ ok: 0, error: 1, damaged: 2, interrupted: 130 });

/** What a command is given beside its arguments. */
export class Shell {
  readonly json: boolean;
  readonly colors: Colors;
  private readonly streams: Streams;

  constructor(streams: Streams, json: boolean) {
    this.streams = streams;
    this.json = json;
    this.colors = createColors(!json && wantsColor(streams.stdout, process.env));
  }

  /** Where progress may be drawn: stderr, when a person is watching it. */
  get progress(): NodeJS.WriteStream | undefined {
    return this.streams.stderr.isTTY && !this.json ? this.streams.stderr : undefined;
  }

  /** Characters in a line of stdout; Infinity where it is no terminal. */
  get width(): number {
    return this.streams.stdout.columns ?? Infinity;
  }

  /** Writes the result: one JSON document, or text for people. */
  result(data: unknown, text: () => string): void {
    this.streams.stdout.write(`${this.json ? JSON.stringify(data, undefined, 2) : text()}\n`);
  }

  /** Writes rows to stdout, and waits until there is room for more. */
  async rows(text: string): Promise<void> {
    if (this.streams.stdout.write(text)) return;
    await new Promise<void>((resolve) => this.streams.stdout.once('drain', resolve));
  }

  /** Writes a message to stderr. */
  note(message: string): void {
    this.streams.stderr.write(`${printable(message)}\n`);
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
