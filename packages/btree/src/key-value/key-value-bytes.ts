/** What callers give as key or value, as bytes; and bytes as text. */
import { DataError, decodeUtf8, encodeText } from '@sombra/vfs';

/** A key or a value: bytes, or text that stands for its UTF-8. */
export type KeyValueInput = string | Uint8Array;

/** Matches half of a surrogate pair: with the flag `u`, whole pairs are other characters. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Bytes of a key or value.
 * @param what  names it in messages
 * @returns the array itself, or the UTF-8 of a text
 * @throws DataError SOMBRA_VALUE_KIND, SOMBRA_TEXT_SURROGATE
 */
export function bytesOf(input: KeyValueInput, what: string): Uint8Array {
  if (typeof input === 'string') {
    checkText(input, what);
    return encodeText(input);
  }
  if (input instanceof Uint8Array) return input;
  throw new DataError(
    'SOMBRA_VALUE_KIND',
    `${what} is a string or a Uint8Array, not ${kindOf(input)}: encode it first`,
  );
}

/** Refuses text that UTF-8 cannot hold. @throws DataError SOMBRA_TEXT_SURROGATE */
export function checkText(text: string, what: string): void {
  if (!LONE_SURROGATE.test(text)) return;
  throw new DataError(
    'SOMBRA_TEXT_SURROGATE',
    `${what} holds half of a surrogate pair: repair it with toWellFormed(), or give bytes`,
  );
}

/** Text of UTF-8. @throws DataError SOMBRA_NOT_TEXT */
export function textOf(bytes: Uint8Array, what: string): string {
  const text = decodeUtf8(bytes, 0, bytes.length);
  if (text === undefined) throw new DataError('SOMBRA_NOT_TEXT', `${what} is not UTF-8: read it as bytes`);
  return text;
}

/** A short text for a value of unknown kind, never its content. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const { constructor } = value;
  return typeof constructor === 'function' && constructor !== Object
    ? `an object of class ${constructor.name}`
    : 'an object';
}
