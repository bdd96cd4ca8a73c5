import { DataError } from '@sombra/vfs';
import type { ByteRange, PutOptions } from './object-store.ts';

/** Refuses options that do not exist: a misspelt condition would be none. @throws DataError SOMBRA_OPTION */
export function checkOptions(call: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name))
      throw new DataError('SOMBRA_OPTION', `${call} has no option ${name}; it has ${known.join(', ')}`);
  }
}

/** @throws DataError SOMBRA_OPTION */
export function checkPutOptions(options: PutOptions): void {
  checkOptions('put', options, ['ifAbsent', 'ifUnchanged', 'signal']);
  const { ifAbsent, ifUnchanged } = options;
  if (ifAbsent !== undefined && ifAbsent !== true) throw invalid('ifAbsent is true, or left out');
  if (ifUnchanged === undefined) return;
  if (typeof ifUnchanged !== 'string' || ifUnchanged === '')
    throw invalid('ifUnchanged is an etag, as put, get and head return it');
  if (ifAbsent === true) throw invalid('ifAbsent and ifUnchanged exclude each other');
}

/** @throws DataError SOMBRA_OPTION */
export function checkRange({ offset, length }: ByteRange): void {
  const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
  if (!isCount(offset)) throw invalid('the offset of a range is a whole number of bytes, from 0');
  if (length !== undefined && !isCount(length))
    throw invalid('the length of a range is a whole number of bytes, from 0');
}

/** @param least  smallest value @throws DataError SOMBRA_OPTION */
export function checkCount(name: string, value: number | undefined, least: number): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && value >= least))
    throw invalid(`${name} is a whole number of at least ${least}`);
}

function invalid(message: string): DataError {
  return new DataError('SOMBRA_OPTION', message);
}
