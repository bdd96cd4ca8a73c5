import { StateError } from '@sombra/vfs';

/** @throws StateError SOMBRA_ABORTED when the signal says so; its reason is the cause */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw aborted(signal);
}

/** What an aborted call ends with. */
export function aborted(signal: AbortSignal): StateError {
  return new StateError('SOMBRA_ABORTED', 'the call was aborted by its signal', { cause: signal.reason });
}
