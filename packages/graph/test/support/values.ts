// Property values for tests: making them at random, and comparing them exactly.
import type { PropertyValue } from '../../src/model/types.ts';
import type { Random } from './random.ts';

const KEYS = ['name', 'age', 'weight', '__proto__', 'constructor', 'Größe', 'a', 'b', 'c', '7'];
const TEXTS = ['', 'Ada', 'Grace Hopper', 'Zoë', '日本語', '😀 and more', '\0', 'x'.repeat(300)];
const NUMBERS = [
  0,
  -0,
  1,
  -1,
  63,
  64,
  -64,
  1e300,
  -1e-300,
  0.1,
  NaN,
  Infinity,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  -(2 ** 53),
  1 / 3,
];

/** A value of any kind. */
export function randomValue(random: Random, depth = 0): PropertyValue {
  switch (random.below(depth < 3 ? 9 : 7)) {
    case 0:
      return random.chance(0.5);
    case 1:
      return random.pick(NUMBERS);
    case 2:
      return random.below(2 ** 32) - 2 ** 31;
    case 3:
      return random.pick(TEXTS);
    case 4:
      return (BigInt(random.next()) << 31n) - 2n ** 62n;
    case 5:
      return Uint8Array.from({ length: random.below(20) }, () => random.below(256));
    case 6:
      return new Date((random.below(2 ** 32) - 2 ** 31) * 1000);
    case 7:
      return Array.from({ length: random.below(4) }, () => randomValue(random, depth + 1));
    default:
      return randomProperties(random, depth + 1);
  }
}

/** An object of some properties. */
export function randomProperties(random: Random, depth = 0): Record<string, PropertyValue> {
  return Object.fromEntries(
    Array.from({ length: random.below(4) }, () => [random.pick(KEYS), randomValue(random, depth)]),
  );
}

/**
 * Is what was read exactly what was written? As Object.is, so that -0 and NaN are told apart; a bigint that is a safe integer
 * comes back as a number.
 */
export function sameStored(read: unknown, written: unknown): boolean {
  if (typeof written === 'bigint') {
    const number = Number(written);
    return Object.is(read, Number.isSafeInteger(number) ? number : written);
  }
  if (typeof read !== 'object' || typeof written !== 'object' || read === null || written === null)
    return Object.is(read, written);
  if (written instanceof Date) return read instanceof Date && read.getTime() === written.getTime();
  if (written instanceof Uint8Array) return read instanceof Uint8Array && Buffer.compare(read, written) === 0;
  if (Array.isArray(written)) {
    return (
      Array.isArray(read) && read.length === written.length && written.every((value, i) => sameStored(read[i], value))
    );
  }
  const keys = Object.keys(written);
  const from = read as Record<string, unknown>;
  const to = written as Record<string, unknown>;
  return (
    !Array.isArray(read) &&
    Object.keys(read).length === keys.length &&
    keys.every((key) => Object.hasOwn(from, key) && sameStored(from[key], to[key]))
  );
}
