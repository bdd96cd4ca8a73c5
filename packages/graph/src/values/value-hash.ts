import type { PropertyValue } from '../model/types.ts';

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** A hash of 32 bits that values have in common when they are the same (`sameValue`). */
export function valueHash(value: PropertyValue): number {
  return mixed(0x811c9dc5, value) >>> 0;
}

function mixed(hash: number, value: PropertyValue): number {
  if (typeof value === 'string') return text(mix(hash, 1), value);
  if (typeof value === 'boolean') return mix(hash, value ? 2 : 3);
  if (typeof value === 'number' || typeof value === 'bigint') return number(mix(hash, 4), Number(value));
  if (value instanceof Date) return number(mix(hash, 5), value.getTime());
  if (value instanceof Uint8Array) return value.reduce(mix, mix(hash, 6));
  if (Array.isArray(value)) return value.reduce(mixed, mix(hash, 7));
  // The order of keys does not count.
  let sum = 0;
  for (const key of Object.keys(value)) sum = (sum + mixed(text(0, key), value[key]!)) | 0;
  return mix(mix(hash, 8), sum);
}

function number(hash: number, value: number): number {
  double[0] = value === 0 ? 0 : value; // -0 is the same as 0
  return mix(mix(hash, words[0]!), words[1]!);
}

function text(hash: number, value: string): number {
  for (let i = 0; i < value.length; i += 1) hash = mix(hash, value.charCodeAt(i));
  return mix(hash, value.length);
}

function mix(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x9e3779b1);
  return product ^ (product >>> 15);
}
