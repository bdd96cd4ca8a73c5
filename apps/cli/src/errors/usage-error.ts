import { DataError } from '@sombra/vfs';

/** An invalid command line. */
export function usageError(message: string): DataError {
  return new DataError('SOMBRA_USAGE', message);
}
