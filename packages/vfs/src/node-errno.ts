/** Errors of Node's file calls, as typed errors. */
import { systemError } from './system-error.ts';
import type { Operation } from './system-error.ts';

/** Name of the system error, for example ENOENT; undefined when it is something else. */
export function errnoOf(error: unknown): string | undefined {
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string') return undefined;
  if (/^E[A-Z0-9]+$/.test(code)) return code;
  // Node's own word for a path that holds a zero byte.
  return code === 'ERR_INVALID_ARG_VALUE' ? 'EINVAL' : undefined;
}

/** Runs a call again as long as a signal interrupts it (rule E4). Not for `close`. */
export function retrying<T>(call: () => T): T {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (errnoOf(error) !== 'EINTR') throw error;
    }
  }
}

/**
 * For calls too frequent for a closure: `for (;;) try { return call } catch (error) { throwUnlessInterrupted(error, …) }`.
 * @throws IoError for a system error but EINTR; what is no system error as it is
 */
export function throwUnlessInterrupted(error: unknown, op: Operation, path: string, at: number | undefined): void {
  const errno = errnoOf(error);
  if (errno === 'EINTR') return;
  if (errno === undefined) throw error;
  throw systemError(errno, op, path, { at, cause: error });
}

/** Runs a call, retrying, and turns a system error into an IoError. */
export function withErrno<T>(op: Operation, path: string, at: number | undefined, call: () => T): T {
  for (;;) {
    try {
      return call();
    } catch (error) {
      throwUnlessInterrupted(error, op, path, at);
    }
  }
}
