/** Something that is no error of a call, but that somebody should know. `code` is stable, `message` says what to do. */
export interface Warning {
  readonly code: string;
  readonly message: string;
  readonly cause?: unknown;
}

/** Tells about a warning. What the listener throws must not break the work that noticed it, and must not be lost either. */
export function tell(onWarning: (warning: Warning) => void, warning: Warning): void {
  try {
    onWarning(warning);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
