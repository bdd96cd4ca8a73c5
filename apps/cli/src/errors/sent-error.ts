/** Errors on their way between threads, which keeps messages but not codes. */
import { CorruptionError, SombraError } from '@sombra/vfs';

/** An error as data. */
export interface SentError {
  readonly name: string;
  readonly code: string | undefined;
  readonly message: string;
  readonly details: unknown;
  readonly stack: string | undefined;
}

/** An error as data. */
export function sentError(error: unknown): SentError {
  const { name, code, message, details, stack } = error as Record<string, unknown>;
  return {
    name: String(name),
    code: typeof code === 'string' ? code : undefined,
    message: String(message),
    details: details === undefined ? undefined : (JSON.parse(JSON.stringify(details)) as unknown),
    stack: typeof stack === 'string' ? stack : undefined,
  };
}

/** The error again, with its code. One without a code is a bug, and keeps its stack. */
export function receivedError({ name, code, message, details, stack }: SentError): Error {
  if (code === undefined) {
    const bug = new Error(message);
    if (stack !== undefined) bug.stack = stack;
    return bug;
  }
  const options = { details: (details ?? {}) as Record<string, unknown> };
  return name === 'CorruptionError'
    ? new CorruptionError(code, message, options)
    : new SombraError(code, message, options);
}
