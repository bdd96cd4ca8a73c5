/** Names of objects: what every place can hold, and nothing that leads out of it. */
import { DataError, encodeText } from '@sombra/vfs';

/** Longest key, bytes of UTF-8: S3 takes 1024 together with the prefix. */
const KEY_MAX = 800;
/** Longest part between two `/`, bytes of UTF-8: what file systems take. */
const PART_MAX = 255;
/** First part of keys that a store keeps for itself. */
export const OWN_FOLDER = '.sombra';

// Control characters, lone surrogates, the two characters that XML cannot carry, and the other separator of Windows.
const FORBIDDEN = /[\p{Cc}\p{Cs}\ufffe\uffff\\]/u;

/**
 * Refuses what is no key: empty, absolute, or ending with `/`; with an empty part, `.` or `..`; with control characters, `\` or lone
 * surrogates; longer than 800 bytes, or a part of it than 255; or in the folder `.sombra`.
 * @throws DataError SOMBRA_OBJECT_KEY
 */
export function checkKey(key: string): void {
  const problem = problemOf(key);
  if (problem !== undefined) throw invalid(key, problem);
}

/** Could an object have this key? */
export function isKey(key: string): boolean {
  return problemOf(key) === undefined;
}

/** Refuses what cannot be the beginning of a key. The empty text begins all. @throws DataError SOMBRA_OBJECT_KEY */
export function checkPrefix(prefix: string): void {
  if (prefix === '') return;
  if (typeof prefix !== 'string') throw invalid(prefix, 'it is no text');
  // Whatever is cut off at the end of a valid key is completed by a letter, unless it ends within a part such as `..`.
  const problem = problemOf(`${prefix}x`);
  if (problem !== undefined) throw invalid(prefix, problem);
}

function problemOf(key: unknown): string | undefined {
  if (typeof key !== 'string') return 'it is no text';
  if (key === '') return 'it is empty';
  if (FORBIDDEN.test(key)) return 'it has a control character, a lone surrogate or a backslash';
  if (encodeText(key).length > KEY_MAX) return `it has more than ${KEY_MAX} bytes`;
  const parts = key.split('/');
  if (parts.includes('')) return 'it begins or ends with /, or has two in a row';
  if (parts.some((part) => part === '.' || part === '..')) return 'a part of it is . or ..';
  if (parts.some((part) => encodeText(part).length > PART_MAX)) return `a part of it has more than ${PART_MAX} bytes`;
  if (parts[0] === OWN_FOLDER) return `the folder ${OWN_FOLDER} belongs to the store`;
  return undefined;
}

function invalid(key: unknown, problem: string): DataError {
  const shown = typeof key === 'string' ? JSON.stringify(key.slice(0, 100)) : typeof key;
  return new DataError('SOMBRA_OBJECT_KEY', `${shown} cannot be the key of an object: ${problem}`);
}

/** Compares keys by their bytes in UTF-8, which is the order of S3; that of JavaScript differs behind U+FFFF. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const [left, right] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (left === right) continue;
    const [leftIsHalf, rightIsHalf] = [isSurrogate(left), isSurrogate(right)];
    // Halves of pairs stand for code points above all others.
    return leftIsHalf === rightIsHalf ? left - right : leftIsHalf ? 1 : -1;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
