import { InvariantError } from './errors.ts';

/**
 * States what our own code guarantees. Bytes from disk and arguments of callers are not asserted but checked.
 * @throws InvariantError SOMBRA_INVARIANT
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Are costly checks on? They are when SOMBRA_VERIFY=1 is in the environment, as in the tests. */
export const verifying: boolean =
  (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.['SOMBRA_VERIFY'] === '1';
