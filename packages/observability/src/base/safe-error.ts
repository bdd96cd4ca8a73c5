/**
 * Errors as they may be logged. Messages of `DataError` show the value that was refused, and an error of the program's own code may say
 * anything, so that of both only the class and the code are told. All other errors of Sombra speak of files, pages, limits and locks.
 */

/** What may be logged of an error. */
export interface SafeError {
  /** Its class. */
  readonly name: string;
  readonly code?: string;
  /** Only where it cannot contain a property value. */
  readonly message?: string;
}

/** Classes of Sombra whose messages never contain what the caller gave. */
const PLAIN = new Set([
  'CorruptionError',
  'IoError',
  'PoisonedError',
  'StateError',
  'TransactionError',
  'InvariantError',
]);
const CODE = /^[A-Z][A-Z0-9_]{1,63}$/;
const NAME = /^[A-Za-z_$][\w$]{0,63}$/;

/** What may be logged of something that was thrown. Anything may be thrown, also what cannot be looked at. */
export function safeError(error: unknown): SafeError {
  try {
    if (!(error instanceof Error)) return { name: typeof error };
    const { name, code, message } = error as Error & { readonly code?: unknown };
    const safe = { name: typeof name === 'string' && NAME.test(name) ? name : 'Error' };
    if (typeof code !== 'string' || !CODE.test(code)) return safe;
    return PLAIN.has(name) && code.startsWith('SOMBRA_') ? { ...safe, code, message } : { ...safe, code };
  } catch {
    return { name: 'unreadable' };
  }
}

/**
 * The message of a warning. One that was caused by code of the program, such as a hook, quotes what that code threw: this is left out.
 */
export function safeWarning(message: string, cause: unknown): string {
  if (cause === undefined) return message;
  const safe = safeError(cause);
  return safe.message === undefined ? withoutText(message, cause, safe) : message;
}

function withoutText(message: string, cause: unknown, { name, code }: SafeError): string {
  let text: string;
  try {
    text = String(cause);
  } catch {
    return message; // it cannot have become part of the message either
  }
  const own = cause instanceof Error ? cause.message : text;
  const instead = code ?? name;
  const without = message.replaceAll(text, instead);
  return own === '' ? without : without.replaceAll(own, instead);
}
