import { DataError } from '@sombra/vfs';

/** Refuses options that do not exist: a misspelt one would be a default in silence. @throws DataError SOMBRA_OPTION */
export function checkOptions(call: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new DataError('SOMBRA_OPTION', `${call} has no option ${name}; it has ${known.join(', ')}`);
  }
}
