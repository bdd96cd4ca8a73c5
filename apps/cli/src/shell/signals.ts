/** SIGINT, SIGTERM and SIGHUP during a command: what is open is closed before the process ends. */
import { setImmediate } from 'node:timers/promises';

/** Exit codes after signals: 128 and the number of the signal, as shells have it. */
const EXIT_CODES = Object.freeze({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 });
type Ending = keyof typeof EXIT_CODES;

/** The command was interrupted. The message says what became of its work. */
export class Interrupted extends Error {
  constructor(message = 'interrupted') {
    super(message);
  }
}

/** Listens from its construction until `stop`. */
export class Signals {
  private readonly firstOne = new AbortController();
  private readonly secondOne = new AbortController();
  private code: number = EXIT_CODES.SIGINT;

  constructor() {
    for (const name of Object.keys(EXIT_CODES)) process.on(name, this.hear);
  }

  /** The first signal asks for a clean end, */
  get first(): AbortSignal {
    return this.firstOne.signal;
  }

  /** the second one for an end. */
  get second(): AbortSignal {
    return this.secondOne.signal;
  }

  /** 130 after SIGINT, 143 after SIGTERM, 129 after SIGHUP. */
  get exitCode(): number {
    return this.code;
  }

  /** Is an error what a signal was for? */
  caused(error: unknown): boolean {
    if (!this.first.aborted) return false;
    return error instanceof Interrupted || (error as { code?: unknown }).code === 'SOMBRA_ABORTED';
  }

  /** Gives the event loop a turn, in which a signal is heard. @throws Interrupted */
  async turn(): Promise<void> {
    await setImmediate();
    if (this.first.aborted) throw new Interrupted();
  }

  stop(): void {
    for (const name of Object.keys(EXIT_CODES)) process.off(name, this.hear);
  }

  private readonly hear = (name: NodeJS.Signals): void => {
    if (this.first.aborted) this.secondOne.abort();
    else this.code = EXIT_CODES[name as Ending];
    this.firstOne.abort();
  };
}
