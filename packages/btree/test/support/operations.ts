// Random runs for fast-check: lists of operations by weight, and keys and values that make trees interesting.
import fc from 'fast-check';
import { digits } from './entries.ts';

export type Entry = readonly [key: string, value: string];

/** An operation, and three numbers that say on what and with what. */
export type Operation<Name extends string> = readonly [name: Name, a: number, b: number, c: number];

const number = fc.nat(2 ** 20);

/**
 * Runs of so many operations. What a failing run is reduced to prints without the operations that do nothing, which
 * shrinking puts in place of others.
 * @param weights  how often each operation occurs; the first one must be `nothing`
 */
export function runsOf<Name extends string>(
  weights: Readonly<Record<Name, number>>,
  length: number,
): fc.Arbitrary<Operation<Name>[]> {
  const names = (Object.keys(weights) as Name[]).flatMap((name) => new Array<Name>(weights[name]).fill(name));
  const operation: fc.Arbitrary<Operation<Name>> = fc.tuple(fc.constantFrom(...names), number, number, number);
  const print = (operations: readonly Operation<Name>[]): string =>
    JSON.stringify(operations.filter(([name]) => name !== 'nothing'));
  return fc
    .array(operation, { minLength: length, maxLength: length })
    .map((operations) => Object.defineProperty(operations, fc.toStringMethod, { value: () => print(operations) }));
}

/** Sizes of caches: so small that pages are evicted all the time. */
export const cacheSizes = fc.integer({ min: 8, max: 32 });

/** Key number `n` of some hundreds: short and long, with common prefixes, beginning each other, with zeros. */
export function keyOf(n: number): string {
  const part = n >> 3;
  switch (n & 7) {
    case 0:
    case 1:
    case 2:
      return digits(part % 300, 4);
    case 3:
      return `common/prefix/${digits(part % 200, 3)}`;
    case 4:
      return `${'x'.repeat((part % 12) * 40)}${part % 3}`;
    case 5:
      return '\0'.repeat(part % 9) + ['', 'a', '\xff'][part % 3]!;
    case 6:
      return `common/${digits(part % 50, 2)}`.padEnd(20 + (part % 4) * 100, '.');
    default:
      return String.fromCharCode(part & 0xff) + ['', 'tail', '\0\0'][part % 3]!;
  }
}

/** Value number `n`: mostly short, now and then as large as a leaf takes, or in overflow pages. */
export function valueOf(n: number): string {
  const letter = String.fromCharCode(97 + (n % 26));
  const kind = n % 64;
  if (kind === 0) return letter.repeat(3000 + (n % 7000));
  if (kind < 4) return letter.repeat(n % 1100);
  return letter.repeat((n >> 6) % 80);
}

/** A capacity to ask for: mostly none. */
export function capacityOf(n: number): number {
  return n % 5 === 0 ? (n >> 3) % 300 : 0;
}

export function same<T>(found: T, expected: T, what: string): void {
  if (!Object.is(found, expected)) throw new Error(`${what} is ${short(found)}, expected ${short(expected)}`);
}

/** Two lists of keys must be the same. */
export function sameKeys(found: readonly string[], expected: readonly string[], what: string): void {
  same(found.length, expected.length, `the number of ${what}`);
  for (let i = 0; i < found.length; i += 1)
    if (found[i] !== expected[i]) same(found[i], expected[i], `number ${i} of ${what}`);
}

/** Two lists of entries must be the same. */
export function sameEntries(found: readonly Entry[], expected: readonly Entry[], what: string): void {
  same(found.length, expected.length, `the number of ${what}`);
  for (let i = 0; i < found.length; i += 1) {
    const [[key, value], [expectedKey, expectedValue]] = [found[i]!, expected[i]!];
    if (key !== expectedKey) same(key, expectedKey, `the key of number ${i} of ${what}`);
    if (value !== expectedValue) same(value, expectedValue, `the value of number ${i} of ${what}`);
  }
}

export function agree(wrong: readonly string[]): void {
  if (wrong.length > 0) throw new Error(wrong.slice(0, 5).join('\n'));
}

function short(value: unknown): string {
  const text = String(value);
  return text.length > 120 ? `${text.slice(0, 100)}… (${text.length} characters)` : text;
}
