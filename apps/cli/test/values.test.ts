// Goal: values print without loss of meaning or control over the terminal, and a text on the command line finds the value
// that it means. Method: tables.
import { describe, expect, it } from 'vitest';
import { GraphDB } from '@sombra/db';
import type { PropertyValue } from '@sombra/db';
import { toJson } from '../src/values/plain-json.ts';
import { oneLine, propertiesToText } from '../src/values/text.ts';
import { count } from '../src/shell/tables.ts';
import { parseEquality } from '../src/database/conditions.ts';

describe('JSON', () => {
  it.each<[PropertyValue, unknown]>([
    [true, true],
    [1.5, 1.5],
    [NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    [9223372036854775807n, '9223372036854775807'],
    ['x', 'x'],
    [new Uint8Array([1, 255]), 'Af8='],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [
      [1, [new Date(0)]],
      [1, ['1970-01-01T00:00:00.000Z']],
    ],
    [{ a: { b: 1n } }, { a: { b: '1' } }],
  ])('%o', (value, expected) => expect(JSON.parse(JSON.stringify(toJson(value)))).toEqual(expected));

  it('keeps keys that mean something to JavaScript', () => {
    const value = JSON.parse('{"__proto__": 1, "constructor": 2}') as PropertyValue;
    expect(JSON.stringify(toJson(value))).toBe('{"__proto__":1,"constructor":2}');
  });
});

describe('numbers', () => {
  it.each([
    [1234567, '1,234,567'],
    [0.0004, '0.0004'],
    [-1234.56789, '-1,234.56789'],
    [1e-7, '1e-7'],
    [1e21, '1e+21'],
    [2 ** 60, '1,152,921,504,606,846,976'],
    [0.1 + 0.2, '0.30000000000000004'],
    [Infinity, 'Infinity'],
  ])('%d is shown with every digit: %s', (value, text) => expect(count(value)).toBe(text));
});

describe('text', () => {
  it('steers no terminal', () => {
    expect(oneLine('a\u001b[31mred\nb\u0007\u009b\t')).toBe('a\\u001b[31mred\\nb\\u0007\\u009b\\t');
    expect(propertiesToText({ 'k\n': 'v\n' })).toBe('k\\n=v\\n');
  });
});

describe('what a text means', () => {
  it.each<[PropertyValue, string, boolean]>([
    ['AUS', 'AUS', true],
    ['AUS', '"AUS"', true],
    ['AUS', 'aus', false],
    ['1', '1', true],
    ['1', '"1"', true],
    [1, '1', true],
    [1, '1.0', true],
    [1, '"1"', false],
    [1, 'one', false],
    [1, '', false],
    [0, '', false],
    [12250n, '12250', true],
    [9223372036854775807n, '9223372036854775807', true],
    [true, 'true', true],
    [true, '1', false],
    [new Date('2024-02-29T00:00:00Z'), '2024-02-29', true],
    [new Date('2024-02-29T12:00:00Z'), '2024-02-29T12:00:00Z', true],
    [new Date('2024-02-29T12:00:00Z'), '2024-02-29', false],
    [new Uint8Array([1, 255]), 'Af8=', true],
    [new Uint8Array([1, 255]), 'Af4=', false],
    [['a', 'b'], '["a","b"]', true],
    [['a', 'b'], 'a', false],
    [{ a: 1 }, '{"a":1}', true],
    ['"', '"', true],
  ])('%o is %s: %s', (value, text, expected) => {
    const db = GraphDB.open(':memory:');
    db.addNode('N', { key: value });
    const { where } = parseEquality(`key=${text}`)!;
    expect([...db.findNodes({ where })].length).toBe(expected ? 1 : 0);
    db.close();
  });
});

describe('a node by a property', () => {
  it.each([
    ['code=AUS', 'code', 'AUS'],
    ['code=a=b:c', 'code', 'a=b:c'],
    ['code:AUS', 'code', 'AUS'],
    ['code:a=b', 'code', 'a=b'],
    ['code=', 'code', ''],
  ])('%s', (text, key, value) => {
    const db = GraphDB.open(':memory:');
    const node = db.addNode('N', { [key]: value });
    db.addNode('N', { [key]: 'other' });
    expect([...db.findNodes({ where: parseEquality(text)!.where })].map(({ id }) => id)).toEqual([node]);
    db.close();
  });

  it('is found by an index where there is one', () => {
    const db = GraphDB.open(':memory:');
    db.createPropertyIndex('Airport', ['code']);
    const { where } = parseEquality('code=AUS')!;
    expect(db.explainNodes({ label: 'Airport', where }).index).toMatchObject({ name: 'Airport', keys: ['code'] });
    db.close();
  });

  it.each(['=x', 'AUS', 'code!=AUS', 'born>=1815'])('%s names none', (text) =>
    expect(parseEquality(text)).toBeUndefined(),
  );
});
