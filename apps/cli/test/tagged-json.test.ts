// Goal: every value survives JSON and CSV cells, and what is no such value is refused. Method: random values of every kind
// there and back, columns of random values, and tables of bad input.
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PropertyValue } from '@sombra/db';
import { parseCell } from '../src/csv/cell.ts';
import { CellError } from '../src/values/scalar.ts';
import { addKinds, cellText, columnTypeOf, kindsOf, LIST_DELIMITER } from '../src/export/column-kinds.ts';
import { parseTagged, toTagged } from '../src/values/tagged-json.ts';
import { anyValue, randomRuns } from './support/arbitrary.ts';

/** Maps are compared by their content: those that are read have the usual prototype. */
function plain(value: PropertyValue): PropertyValue {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value instanceof Date || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.keys(value).map((key) => [key, plain(value[key]!)]));
}

/** As the engine reads it back: an integer that is safe is a number. */
function stored(value: PropertyValue): PropertyValue {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(stored);
  if (typeof value !== 'object' || value instanceof Date || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.keys(value).map((key) => [key, stored(value[key]!)]));
}

describe('values', () => {
  it('survive tagged JSON', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const read = parseTagged(JSON.stringify(toTagged(stored(value))));
        expect(isDeepStrictEqual(plain(read), plain(stored(value)))).toBe(true);
      }),
      randomRuns(1, 2000),
    );
  });

  it('survive a column of CSV, whatever else is in it', () => {
    fc.assert(
      fc.property(fc.array(anyValue, { minLength: 1, maxLength: 4 }), (given) => {
        const values = given.map(stored);
        let kinds: number | undefined;
        for (const value of values) kinds = addKinds(kinds, kindsOf(value));
        const type = columnTypeOf(kinds!);
        const read = values.map((value) => parseCell(cellText(value, type), type, LIST_DELIMITER));
        expect(
          isDeepStrictEqual(
            read.map((value) => plain(value!)),
            values.map(plain),
          ),
        ).toBe(true);
      }),
      randomRuns(2, 2000),
    );
  });

  it.each<[string, PropertyValue[], string]>([
    ['integers and floats', [1, 1.5], 'float'],
    ['integers of any size', [1, 2n ** 62n], 'int'],
    ['floats and integers beyond 2^53', [1.5, 2n ** 62n], 'json'],
    ['lists of texts', [['a'], ['b', 'c']], 'string[]'],
    ['a list of nothing', [[]], 'json'],
    ['a list with the delimiter in it', [['a;b']], 'json'],
    ['the empty text', ['', 'a'], 'json'],
    ['dates', [new Date(0)], 'datetime'],
    ['a date beyond the year 9999', [new Date(8.64e15)], 'json'],
    ['a list and a text', [['a'], 'a'], 'json'],
  ])('%s', (_name, values, expected) => {
    let kinds: number | undefined;
    for (const value of values) kinds = addKinds(kinds, kindsOf(value));
    const { scalar, list } = columnTypeOf(kinds!);
    expect(scalar + (list ? '[]' : '')).toBe(expected);
  });
});

it('a key __proto__ is a key like any other', () => {
  const map = parseTagged('{"__proto__":{"a":1}}') as { [key: string]: PropertyValue };
  expect(Object.entries(map)).toEqual([['__proto__', { a: 1 }]]);
});

describe('JSON that is no value', () => {
  it.each([
    ['{', 'is not JSON'],
    ['null', 'null is no value'],
    ['[1,null]', 'null is no value'],
    ['9223372036854775807', 'beyond 2^53: write {"$integer":"9223372036854775807"}'],
    ['[1,{"a":9007199254740992}]', 'beyond 2^53'],
    ['{"$integer":"9223372036854775808"}', 'does not fit into 64 bits'],
    ['{"$integer":1}', '"$integer" holds a text'],
    ['{"$float":"one"}', 'is not a number'],
    ['{"$date":"yesterday"}', 'is not a date and time'],
    ['{"$bytes":"?"}', 'is not base64'],
    ['{"$map":1}', '$map holds an object'],
    ['{"$time":"12:00"}', 'there is no tag "$time"'],
    [`${'['.repeat(40)}${']'.repeat(40)}`, 'nested more than 32 levels deep'],
    ['1e400', '"1e400" is too large for a float'],
    ['[-1e400]', '"-1e400" is too large'],
    ['{"a":[1e-400]}', '"1e-400" is too small for a float'],
    ['{"a":1,"a":2}', 'the key "a" stands twice'],
    ['{"a":1,"\\u0061":1}', 'the key "a" stands twice'],
    ['[{"m":{"x":[{}],"__proto__":1,"__proto__" : {}}}]', 'the key "__proto__" stands twice'],
    [`${'['.repeat(1e5)}${']'.repeat(1e5)}`, 'nested more than 32 levels deep'],
  ])('%s', (text, message) => {
    expect(() => parseTagged(text)).toThrow(CellError);
    expect(() => parseTagged(text)).toThrow(message);
  });

  it.each([
    '9007199254740991',
    '0.12345678901234567890',
    '0',
    '[-0.0e-999,0e400]',
    '5e-324',
    '"1e400, \\"a\\":1, \\\\"',
    '{"a":{"a":1},"b":[{"a":1},{"a":1}]}',
    '{"\\"":":","constructor":1}',
    '1e300',
    '"9223372036854775807"',
    '{"9223372036854775807":1}',
  ])('%s is taken, since nothing of it is lost', (text) => expect(parseTagged(text)).toEqual(JSON.parse(text)));
});
