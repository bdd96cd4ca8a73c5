/** SIGINT and SIGTERM during a command that has something to take back. */
import { EXIT } from './shell.ts';

/** What a command that listens is told. */
export interface Signals {
  /** The first signal asks for a clean end, */
  readonly first: AbortSignal;
  /** the second one for an end. */
  readonly second: AbortSignal;
  /** 130, or 143 after SIGTERM. */
  exitCode(): number;
  /** Ends the listening. */
  stop(): void;
}

/** Begins to listen. */
export function listenToSignals(): Signals {
  const first = new AbortController();
  const second = new AbortController();
  let code: number = EXIT.interrupted;
  const handler = (signal: NodeJS.Signals): void => {
    if (first.signal.aborted) second.abort();
    code = signal === 'SIGTERM' ? 143 : EXIT.interrupted;
    first.abort();
  };
  process.on('SIGINT', handler).on('SIGTERM', handler);
  return {
    first: first.signal,
    second: second.signal,
    exitCode: () => code,
    stop: () => void process.off('SIGINT', handler).off('SIGTERM', handler),
  };
}

/** Is an error what a signal was for? */
export function wasAborted(error: unknown, signals: Signals): boolean {
  return signals.first.aborted && (error as { code?: unknown }).code === 'SOMBRA_ABORTED';
}
