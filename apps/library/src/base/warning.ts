/** A problem that is not the error of a call, but that operators should know about. `code` is stable, `message` says what to do. */
export interface Warning {
  readonly code: string;
  readonly message: string;
  readonly cause?: unknown;
}

/**
 * Runs work of a timer, a later turn of the event loop or a finaliser. It has no caller, so what it throws becomes a warning: an
 * exception there would end the whole program.
 */
export function runUpkeep(warn: (warning: Warning) => void, work: () => void): void {
  try {
    work();
  } catch (cause) {
    warn({
      code: 'SOMBRA_UPKEEP_FAILED',
      message: 'work between two calls failed, such as rolling back a transaction that was forgotten: see the cause',
      cause,
    });
  }
}
