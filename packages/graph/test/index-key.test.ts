// Goal: keys of property indexes compare as bytes as their values compare, equal values have equal keys, different ones different
// keys unless they were cut, and docs/format/property-index.md agrees with the constants.
// Method: fast-check over values of every kind against a reference comparator; the tables of the page.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readFormatTable } from '../../../tooling/vitest/format-table.ts';
import type { PropertyValue } from '../src/index.ts';
import { keyKind } from '../src/indexes/build-index.ts';
import {
  decodeDefinition,
  DEFINITION_FORMAT_OFFSET,
  DEFINITION_KEY_COUNT_OFFSET,
  DEFINITION_KEYS_OFFSET,
  DEFINITION_NAME_OFFSET,
  encodeDefinition,
} from '../src/indexes/definition.ts';
import { COMPONENT, COMPONENT_MAX, INDEX_KEY_MAX, IndexKeyWriter } from '../src/indexes/index-key.ts';
import { OrderedValue } from '../src/values/ordered-value.ts';
import { codeOf } from './support/errors.ts';
import { ordered } from './support/find-arbitraries.ts';
import { compareOrdered } from './support/naive-find.ts';
import { suiteRuns, suiteSeed } from './support/random.ts';

function keyOf(...values: readonly PropertyValue[]): { bytes: Buffer; cut: boolean } {
  const writer = new IndexKeyWriter();
  for (const value of values) writer.component(new OrderedValue().set(value));
  return { bytes: Buffer.from(writer.bytes.slice(0, writer.length)), cut: writer.cut };
}

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const any: fc.Arbitrary<PropertyValue> = fc.oneof(
  ordered,
  int64,
  fc.integer({ min: -600, max: 600 }).map((near) => 2n ** 62n + BigInt(near)),
  fc.integer({ min: -3, max: 3 }).map((near) => 2n ** 53n + BigInt(near)),
  fc.double({ noNaN: true }),
  fc.string({ unit: 'binary', maxLength: 70 }),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 70 }),
);

const RUNS = { seed: suiteSeed(71), numRuns: suiteRuns(20_000) };

test('keys compare as values do', () => {
  let cut = 0;
  fc.assert(
    fc.property(any, any, (a, b) => {
      const [left, right] = [keyOf(a), keyOf(b)];
      const order = Math.sign(Buffer.compare(left.bytes, right.bytes));
      const expected = Math.sign(compareOrdered(a, b));
      if (left.cut && right.cut && left.bytes.subarray(0, -4).equals(right.bytes.subarray(0, -4))) {
        cut += 1;
        if (expected === 0) expect(order).toBe(0);
        return;
      }
      expect(order).toBe(expected);
    }),
    RUNS,
  );
  expect(cut).toBeGreaterThan(0);
});

test('keys of several values compare from left to right', () => {
  fc.assert(
    fc.property(any, any, any, any, (a, b, c, d) => {
      const [left, right] = [keyOf(a, b), keyOf(c, d)];
      const first = compareOrdered(a, c);
      // Where the first ones were cut and begin alike, their order is not that of the values.
      if (keyOf(a).cut && keyOf(c).cut && first !== 0) return;
      const expected = first !== 0 ? first : keyOf(b).cut && keyOf(d).cut ? undefined : compareOrdered(b, d);
      if (expected !== undefined) expect(Math.sign(Buffer.compare(left.bytes, right.bytes))).toBe(Math.sign(expected));
    }),
    RUNS,
  );
});

test('no component is the beginning of another one, and each tells its kind', () => {
  fc.assert(
    fc.property(any, any, (a, b) => {
      const [left, right] = [keyOf(a), keyOf(b)];
      if (left.bytes.equals(right.bytes)) return;
      expect(left.bytes.subarray(0, right.bytes.length).equals(right.bytes)).toBe(false);
      expect(left.bytes.length).toBeLessThanOrEqual(COMPONENT_MAX);
      const both = keyOf(a, b);
      expect(keyKind(both.bytes, both.bytes.length)).toBe(both.cut ? 'cut' : 'whole');
      if (typeof b !== 'boolean') expect(keyKind(both.bytes, both.bytes.length - 1)).toBe('damaged');
    }),
    { ...RUNS, numRuns: suiteRuns(5000) },
  );
});

test.each<[string, PropertyValue, string]>([
  ['false', false, '10'],
  ['true', true, '11'],
  ['0', 0, '2080000000000000008000'],
  ['-0', -0, '2080000000000000008000'],
  ['1', 1, '20bff00000000000008000'],
  ['-1', -1, '20400fffffffffffff8000'],
  ['2^53 + 1', 2n ** 53n + 1n, '20c3400000000000008001'],
  ['2^60 as a float', 2 ** 60, '20c3b00000000000008000'],
  ['2^60 as an integer', 2n ** 60n, '20c3b00000000000008000'],
  ['2^63 - 1', 2n ** 63n - 1n, '20c3e00000000000007fff'],
  ['a text', 'a\0é', '306100ffc3a90000'],
  ['bytes', Uint8Array.of(0, 1), '4000ff010000'],
  ['a date', new Date(0), '508000000000000000'],
  ['NaN', NaN, '60'],
  ['a list', [1], '60'],
])('the key of %s is as described', (_name, value, hex) => {
  expect(keyOf(value).bytes.toString('hex')).toBe(hex);
});

test('56 bytes of content are whole, 57 are cut', () => {
  const whole = keyOf('x'.repeat(56));
  const cut = keyOf('x'.repeat(57));
  expect([whole.cut, whole.bytes.length, cut.cut, cut.bytes.length]).toEqual([false, 59, true, COMPONENT_MAX]);
  expect(cut.bytes.subarray(57, 59).toString('hex')).toBe('0001');
  expect(keyOf(`${'x'.repeat(55)}\0`).bytes.length).toBe(1 + 55 + 2 + 4);
  expect(INDEX_KEY_MAX).toBe(510);
});

test('docs/format/property-index.md agrees with the constants', () => {
  expect(readFormatTable('property-index.md', 'Definition').map(({ field, offset }) => [field, offset])).toEqual([
    ['format', DEFINITION_FORMAT_OFFSET],
    ['keyCount', DEFINITION_KEY_COUNT_OFFSET],
    ['name', DEFINITION_NAME_OFFSET],
    ['keys', DEFINITION_KEYS_OFFSET],
  ]);
  const page = readFileSync(new URL('../../../docs/format/property-index.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| ([0-9a-f]{2}) +\| (\w+) /gm)].map(([, byte, kind]) => [
    kind,
    Number.parseInt(byte!, 16),
  ]);
  expect(Object.fromEntries(rows)).toEqual(COMPONENT);
});

test('a definition survives, and everything else is refused', () => {
  const definition = { number: 7, on: 'edge', name: 65_534, keyIds: [3, 2 ** 24 - 1], unique: true } as const;
  const bytes = encodeDefinition(definition);
  expect(decodeDefinition(7, bytes)).toEqual(definition);
  for (const bad of [
    new Uint8Array(0),
    bytes.slice(0, 3),
    bytes.slice(0, -1),
    Uint8Array.of(...bytes, 0),
    Uint8Array.of(0x20, ...bytes.slice(1)),
    Uint8Array.of(0x14, ...bytes.slice(1)),
    Uint8Array.of(0x10, 0, 0, 0),
    Uint8Array.of(0x10, 9, 0, 0, ...new Uint8Array(36)),
  ])
    expect(codeOf(() => decodeDefinition(7, bad))).toBe('SOMBRA_PROPERTY_INDEX');
});
