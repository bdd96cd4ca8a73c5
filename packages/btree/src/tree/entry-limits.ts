/** What an entry may be. */
import { DataError } from '@sombra/vfs';
import { keySizeMax, VALUE_SIZE_MAX } from '../page/layout.ts';

/**
 * Tests the arguments of a put before anything changes.
 * @throws DataError SOMBRA_KEY_TOO_LONG, SOMBRA_VALUE_TOO_LARGE; RangeError when key or value do not have so many bytes
 */
export function checkEntry(
  pageSize: number,
  key: Uint8Array,
  keyLength: number,
  value: Uint8Array,
  from: number,
  to: number,
): void {
  if (!(keyLength >= 0 && keyLength <= key.length))
    throw new RangeError(`${keyLength} bytes of a key of ${key.length}`);
  if (!(from >= 0 && from <= to && to <= value.length))
    throw new RangeError(`bytes ${from} to ${to} of a value of ${value.length}`);
  const keyMax = keySizeMax(pageSize);
  if (keyLength > keyMax) {
    throw new DataError(
      'SOMBRA_KEY_TOO_LONG',
      `a key of ${keyLength} bytes is longer than ${keyMax}, an eighth of a page: shorten it, or use larger pages`,
    );
  }
  if (to - from > VALUE_SIZE_MAX) {
    throw new DataError(
      'SOMBRA_VALUE_TOO_LARGE',
      `a value of ${to - from} bytes is larger than ${VALUE_SIZE_MAX}: divide it`,
    );
  }
}
