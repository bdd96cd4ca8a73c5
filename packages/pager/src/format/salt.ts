import { readU32, writeU32 } from '@sombra/vfs';

/** The salt of a log segment as two words, as the shm header holds it. */
export function saltWords(salt: Uint8Array): [low: number, high: number] {
  return [readU32(salt, 0), readU32(salt, 4)];
}

/** The salt of a log segment from two words. @returns 8 bytes, a new array */
export function saltBytes(low: number, high: number): Uint8Array {
  const salt = new Uint8Array(8);
  writeU32(salt, 0, low);
  writeU32(salt, 4, high);
  return salt;
}
