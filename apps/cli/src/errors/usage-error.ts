import { DataError } from '@sombra/vfs';

/** A command line that says something that cannot be meant. */
export function usageError(message: string): DataError {
  return new DataError('SOMBRA_USAGE', message);
}
