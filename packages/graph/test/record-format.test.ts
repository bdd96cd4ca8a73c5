// Goal: property records give back exactly what went in, for every kind of value; docs/format/property-record.md agrees with
// the code; what cannot be stored is refused with its code; damaged records give a typed error or an answer of bounded size.
// Method: encode and decode by way of a plain list of names; hold the tables against the constants; mutate bytes at random.
import { inspect } from 'node:util';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readFormatTable } from '../../../tooling/vitest/format-table.ts';
import { NESTING_MAX, RECORD_SIZE_MAX, VALUE_SIZE_MAX } from '../src/model/limits.ts';
import * as format from '../src/records/record-format.ts';
import { RecordReader } from '../src/records/record-reader.ts';
import { damagedRecord } from '../src/records/record-shape.ts';
import { RecordWriter } from '../src/records/record-writer.ts';
import type { PropertyInput, PropertyValue } from '../src/model/types.ts';
import { codeOf } from './support/errors.ts';
import { withGraph } from './support/open.ts';
import { Random, suiteRuns, suiteSeed } from './support/random.ts';
import { randomProperties, sameStored } from './support/values.ts';

const { TAG } = format;

/** Names in order of first use, as the dictionary gives them. */
class Names {
  readonly keys: string[] = [];
  keyId(name: string): number {
    const at = this.keys.indexOf(name);
    return at >= 0 ? at : this.keys.push(name) - 1;
  }
  keyName(id: number): string {
    return this.keys[id] ?? fail(id);
  }
  labelName(id: number): string {
    return id < 10 ? `L${id}` : fail(id);
  }
}

function fail(id: number): never {
  throw damagedRecord(`there is no name ${id}`);
}

const names = new Names();
const writer = new RecordWriter();
const reader = new RecordReader(names);

function encode(properties: PropertyInput | undefined, labels: number[] = []): Uint8Array {
  const size = writer.node(labels, properties, names);
  return writer.bytes.slice(0, size);
}

function decode(bytes: Uint8Array): { labels: readonly string[]; properties: Record<string, PropertyValue> } {
  const shape = reader.open(bytes, 0, bytes.length);
  return { labels: shape.labels, properties: reader.values(shape) };
}

/** The value as a reader gives it back. */
function stored(value: PropertyValue): PropertyValue | undefined {
  const bytes = encode({ value });
  const all = decode(bytes).properties['value'];
  const one = reader.property(bytes, 0, bytes.length, names.keyId('value'));
  expect(sameStored(all, one)).toBe(true);
  return all;
}

function nested(depth: number, list: boolean): PropertyValue {
  let value: PropertyValue = 1;
  for (let i = 0; i < depth; i += 1) value = list ? [value] : { k: value };
  return value;
}

describe('format', () => {
  test('the tables of docs/format/property-record.md agree with the constants', () => {
    const rows = (heading: string): unknown[] =>
      readFormatTable('property-record.md', heading).map(({ field, offset, size }) => [field, offset, size]);
    expect(rows('Record')).toEqual([
      ['format', format.RECORD_FORMAT_OFFSET, 1],
      ['shapeLength', format.RECORD_SHAPE_LENGTH_OFFSET, NaN],
    ]);
    expect(rows('Edge record')).toEqual([
      ['source', format.EDGE_SOURCE_OFFSET, 4],
      ['target', format.EDGE_TARGET_OFFSET, 4],
      ['type', format.EDGE_TYPE_OFFSET, 2],
      ['sourceHigh', format.EDGE_SOURCE_HIGH_OFFSET, 2],
      ['targetHigh', format.EDGE_TARGET_HIGH_OFFSET, 2],
      ['properties', format.EDGE_PROPERTIES_OFFSET, NaN],
    ]);
  });

  test('the table of tags names every tag with its number', async () => {
    const { readFileSync } = await import('node:fs');
    const text = readFileSync(new URL('../../../docs/format/property-record.md', import.meta.url), 'utf8');
    const listed = [...text.matchAll(/^\| (\d+) +\| `(\w+)` +\|/gm)].map(([, tag, name]) => [name, Number(tag)]);
    expect(listed).toEqual(Object.entries(TAG));
  });

  test('a record is laid out byte by byte as described', () => {
    const fresh = new Names();
    const size = writer.node([2, 300], { a: true, b: -1, c: 'hi', d: 'é', e: [64, false] }, fresh);
    expect([...writer.bytes.subarray(0, size)]).toEqual([
      0x10, 15,
      2, 2, 0xac, 0x02,
      5, 0, TAG.true, 1, TAG.integer, 2, TAG.ascii, 3, TAG.text, 4, TAG.list,
      0x03,
      2, 104, 105,
      2, 0xc3, 0xa9,
      5, 2, TAG.integer, 0x80, 1, TAG.false,
    ]); // prettier-ignore
  });

  test('every kind of value has the bytes that are described', () => {
    const bytesOf = (value: PropertyValue): number[] => {
      const fresh = new Names();
      const size = writer.node([], { value }, fresh);
      return [...writer.bytes.subarray(5, size)];
    };
    const float = (value: number): number[] => [...new Uint8Array(Float64Array.of(value).buffer)];
    expect(bytesOf(false)).toEqual([TAG.false]);
    expect(bytesOf(true)).toEqual([TAG.true]);
    expect(bytesOf(0)).toEqual([TAG.integer, 0]);
    expect(bytesOf(63)).toEqual([TAG.integer, 126]);
    expect(bytesOf(-64)).toEqual([TAG.integer, 0x81, 1]);
    expect(bytesOf(Number.MAX_SAFE_INTEGER)).toEqual([TAG.integer, 0xfe, 255, 255, 255, 255, 255, 255, 31]);
    expect(bytesOf(2n ** 53n)).toEqual([TAG.integer64, 0, 0, 0, 0, 0, 0, 32, 0]);
    expect(bytesOf(-1.5)).toEqual([TAG.float, ...float(-1.5)]);
    expect(bytesOf(-0)).toEqual([TAG.float, ...float(-0)]);
    expect(bytesOf('a')).toEqual([TAG.ascii, 1, 97]);
    expect(bytesOf('\u{1f600}')).toEqual([TAG.text, 4, 0xf0, 0x9f, 0x98, 0x80]);
    expect(bytesOf(Uint8Array.of(9, 8))).toEqual([TAG.bytes, 2, 9, 8]);
    expect(bytesOf(new Date(-1))).toEqual([TAG.date, 3]);
    expect(bytesOf([])).toEqual([TAG.list, 1, 0]);
    expect(bytesOf({ k: 1 })).toEqual([TAG.map, 6, 1, TAG.ascii, 1, 107, TAG.integer, 2]);
  });

  test('an edge record is its fixed fields and a record without labels', () => {
    const fresh = new Names();
    const size = writer.edge(2 ** 48 - 1, 2 ** 32 + 5, 0x0102, { a: 1 }, fresh);
    expect([...writer.bytes.subarray(0, size)]).toEqual([
      255, 255, 255, 255, 5, 0, 0, 0, 2, 1, 255, 255, 1, 0, 0x10, 4, 0, 1, 0, 3, 2,
    ]);
  });
});

describe('values come back as they were', () => {
  const cases: [string, PropertyValue][] = [
    ['booleans', [true, false]],
    ['zero', 0],
    ['minus zero', -0],
    ['NaN', NaN],
    ['infinities', [Infinity, -Infinity]],
    ['1e300', 1e300],
    ['the least float', 5e-324],
    ['a fraction', 0.1],
    ['2^53', 2 ** 53],
    ['the largest safe integer', Number.MAX_SAFE_INTEGER],
    ['the least safe integer', Number.MIN_SAFE_INTEGER],
    ['2^53 + 1 as a bigint', 2n ** 53n + 1n],
    ['the largest 64-bit integer', 2n ** 63n - 1n],
    ['the least 64-bit integer', -(2n ** 63n)],
    ['empty text', ''],
    ['ASCII', 'plain ~ text'],
    ['ASCII of some length', 'x'.repeat(5000)],
    ['Latin-1', 'Zürich'],
    ['text of every length of UTF-8', 'aé€😀'],
    ['text with a byte order mark and NUL', '\uFEFF\0é'],
    ['text of some length', '日本'.repeat(3000)],
    ['no bytes', new Uint8Array()],
    ['bytes', Uint8Array.of(0, 255, 128)],
    ['many bytes', new Uint8Array(70_000).fill(7)],
    ['the first moment', new Date(0)],
    ['a moment before 1970', new Date(-1)],
    ['the last moment', new Date(8.64e15)],
    ['the earliest moment', new Date(-8.64e15)],
    ['an empty list', []],
    ['an empty map', {}],
    ['a mixed list', [1, 'two', 3.5, [true], { four: 4n ** 30n }, Uint8Array.of(5), new Date(6)]],
    ['a map of maps', { a: { b: { c: [1, { d: 'é' }] } }, ü: 1 }],
    ['lists 32 deep', nested(NESTING_MAX, true)],
    ['maps 32 deep', nested(NESTING_MAX, false)],
  ];

  test.each(cases)('%s', (_name, value) => {
    const back = stored(value);
    expect(sameStored(back, value)).toBe(true);
  });

  test('every integer around powers of two', () => {
    for (let bits = 0; bits <= 52; bits += 1) {
      for (const near of [-1, 0, 1]) {
        for (const sign of [1, -1]) {
          const value = sign * (2 ** bits + near) + 0; // no -0
          expect(stored(value)).toBe(value);
        }
      }
    }
    for (let bits = 53n; bits < 63n; bits += 1n) {
      for (const value of [2n ** bits, 2n ** bits + 1n, -(2n ** bits), -(2n ** bits) - 1n])
        expect(stored(value)).toBe(value);
    }
  });

  test('a bigint that is a safe integer comes back as a number', () => {
    expect(stored(42n)).toBe(42);
    expect(stored(-(2n ** 53n - 1n))).toBe(Number.MIN_SAFE_INTEGER);
  });

  test('null and undefined are absent, in a record and in maps', () => {
    const { properties } = decode(
      encode({ a: null, b: undefined, c: { d: null, e: undefined, f: 1 } } as unknown as PropertyInput),
    );
    expect(Object.keys(properties)).toEqual(['c']);
    expect(properties['c']).toEqual({ f: 1 });
  });

  test('labels come back in their order, and a record without anything is empty', () => {
    expect(decode(encode(undefined, [3, 1]))).toEqual({ labels: ['L3', 'L1'], properties: {} });
    expect(decode(encode(undefined))).toEqual({ labels: [], properties: {} });
  });

  test('the results are copies: changing them or the source changes nothing', () => {
    const source = Uint8Array.of(1, 2, 3);
    const bytes = encode({ value: source });
    source.fill(9);
    const first = decode(bytes).properties['value'] as Uint8Array;
    expect([...first]).toEqual([1, 2, 3]);
    bytes.fill(0, bytes.length - 3);
    expect([...first]).toEqual([1, 2, 3]);
  });

  test('one property is read without the others, wherever it stands', () => {
    const properties = {
      a: 1,
      b: 'text',
      c: [1, [2]],
      d: new Date(5),
      e: 2n ** 60n,
      f: 1.5,
      g: true,
      h: { x: 1 },
      i: Uint8Array.of(1),
      j: 'ü',
      k: -70,
    };
    const bytes = encode(properties, [1, 2, 3]);
    for (const [key, value] of Object.entries(properties)) {
      expect(sameStored(reader.property(bytes, 0, bytes.length, names.keyId(key)), value)).toBe(true);
    }
    expect(reader.property(bytes, 0, bytes.length, names.keyId('absent'))).toBeUndefined();
  });

  test('records of the same shape, and of many shapes, are not mixed up', () => {
    const random = new Random(5);
    const written = Array.from({ length: 3000 }, () => randomProperties(random));
    for (const properties of written) {
      const bytes = encode(properties, [random.below(3)]);
      expect(sameStored(decode(bytes).properties, properties)).toBe(true);
    }
  });

  test('a shape too long to be remembered is read all the same', () => {
    const properties = Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`long${i}`, i]));
    const bytes = encode(properties);
    expect(decode(bytes).properties).toEqual(properties);
    expect(decode(bytes).properties).toEqual(properties);
    expect(reader.property(bytes, 0, bytes.length, names.keyId('long599'))).toBe(599);
  });
});

describe('keys are data', () => {
  const inherited = Object.getOwnPropertyDescriptors(Object.prototype);

  afterEach(() => {
    expect(Object.getOwnPropertyDescriptors(Object.prototype)).toEqual(inherited);
  });

  const KEYS = [
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'prototype',
    '',
    '0',
    '10',
    'length',
    '__defineGetter__',
  ];

  test('keys that JavaScript objects know come back, in records and in maps, and Object.prototype stays as it is', () => {
    const own = Object.fromEntries(KEYS.map((key, i) => [key, i]));
    const { properties } = decode(encode({ ...own, map: own }));
    for (const object of [properties, properties['map'] as Record<string, PropertyValue>]) {
      expect(object instanceof Object).toBe(false);
      KEYS.forEach((key, i) => {
        expect(Object.hasOwn(object, key)).toBe(true);
        expect(object[key]).toBe(i);
      });
    }
    expect(Object.keys(properties).sort()).toEqual([...KEYS, 'map'].sort());
  });

  test('nothing is inherited: absent keys are undefined', () => {
    const { properties } = decode(encode({ a: { b: 1 } }));
    for (const object of [properties, properties['a'] as Record<string, PropertyValue>]) {
      for (const key of KEYS) expect(object[key]).toBeUndefined();
      for (const key in object) expect(Object.hasOwn(object, key)).toBe(true);
    }
    expect({}).not.toHaveProperty('b');
  });

  test('what was read can be written again', () => {
    const { properties } = decode(encode(Object.fromEntries(KEYS.map((key) => [key, { [key]: [key] }]))));
    expect(sameStored(decode(encode(properties)).properties, properties)).toBe(true);
  });
});

describe('what cannot be stored is refused, with its code', () => {
  class Point {
    x = 1;
  }
  const refusals: [string, unknown, string][] = [
    ['half a surrogate pair', '\ud800', 'SOMBRA_TEXT_SURROGATE'],
    ['half a pair at the end', 'ok\udbff', 'SOMBRA_TEXT_SURROGATE'],
    ['a pair the wrong way round', '\udc00\ud800', 'SOMBRA_TEXT_SURROGATE'],
    ['half a pair in a list', ['a', '\udfff'], 'SOMBRA_TEXT_SURROGATE'],
    ['half a pair as the key of a map', { '\ud812': 1 }, 'SOMBRA_TEXT_SURROGATE'],
    ['lists 33 deep', nested(NESTING_MAX + 1, true), 'SOMBRA_NESTING'],
    ['maps 33 deep', nested(NESTING_MAX + 1, false), 'SOMBRA_NESTING'],
    ['ASCII of more than 16 MiB', 'x'.repeat(VALUE_SIZE_MAX + 1), 'SOMBRA_VALUE_TOO_LARGE'],
    ['text of more than 16 MiB', 'é'.repeat(VALUE_SIZE_MAX / 2 + 1), 'SOMBRA_VALUE_TOO_LARGE'],
    ['bytes of more than 16 MiB', new Uint8Array(VALUE_SIZE_MAX + 1), 'SOMBRA_VALUE_TOO_LARGE'],
    ['a list of more than 16 MiB', [new Uint8Array(VALUE_SIZE_MAX - 10), 'x'.repeat(20)], 'SOMBRA_VALUE_TOO_LARGE'],
    ['a map of more than 16 MiB', { a: new Uint8Array(VALUE_SIZE_MAX) }, 'SOMBRA_VALUE_TOO_LARGE'],
    ['2^63', 2n ** 63n, 'SOMBRA_VALUE_KIND'],
    ['-2^63 - 1', -(2n ** 63n) - 1n, 'SOMBRA_VALUE_KIND'],
    ['a function', () => 1, 'SOMBRA_VALUE_KIND'],
    ['a symbol', Symbol('s'), 'SOMBRA_VALUE_KIND'],
    ['an invalid date', new Date(NaN), 'SOMBRA_VALUE_KIND'],
    ['a Map', new Map([['a', 1]]), 'SOMBRA_VALUE_KIND'],
    ['a Set', new Set([1]), 'SOMBRA_VALUE_KIND'],
    ['an instance of a class', new Point(), 'SOMBRA_VALUE_KIND'],
    ['another typed array', new Float64Array(1), 'SOMBRA_VALUE_KIND'],
    ['a promise', Promise.resolve(1), 'SOMBRA_VALUE_KIND'],
    ['null in a list', [1, null], 'SOMBRA_VALUE_KIND'],
    ['a hole in a list', new Array(2), 'SOMBRA_VALUE_KIND'],
  ];

  test.each(refusals)('%s', (_name, value, code) => {
    expect(codeOf(() => encode({ value: value as PropertyValue }))).toBe(code);
    expect(decode(encode({ value: 1 })).properties).toEqual({ value: 1 });
  });

  test('a value that contains itself', () => {
    const list: unknown[] = [];
    list.push(list);
    const map: Record<string, unknown> = {};
    map['self'] = { map };
    expect(codeOf(() => encode({ value: list as PropertyValue }))).toBe('SOMBRA_NESTING');
    expect(codeOf(() => encode({ value: map as PropertyValue }))).toBe('SOMBRA_NESTING');
  });

  test('what is no plain object of properties', () => {
    for (const properties of [null, 1, 'text', [1], new Map(), new Point(), () => 1]) {
      expect(codeOf(() => encode(properties as unknown as PropertyInput))).toBe('SOMBRA_VALUE_KIND');
    }
  });

  test('exactly 16 MiB are stored; a record of more than 17 MiB is not', () => {
    const text = 'x'.repeat(VALUE_SIZE_MAX);
    expect(stored(text) === text).toBe(true);
    const part = new Uint8Array(VALUE_SIZE_MAX / 2);
    expect(encode({ a: part, b: part }).length).toBeLessThan(RECORD_SIZE_MAX);
    expect(codeOf(() => encode({ a: part, b: part, c: new Uint8Array(1024 * 1024) }))).toBe('SOMBRA_VALUE_TOO_LARGE');
  });

  test('a message names the property, not its content', () => {
    const message = (value: unknown): string => {
      try {
        encode({ secret: value as PropertyValue });
      } catch (error) {
        return (error as Error).message;
      }
      return '';
    };
    for (const value of [new Map([['hidden', 'hidden']]), 'hidden'.repeat(3_000_000), [Symbol('hidden')]]) {
      expect(message(value)).toContain("'secret'");
      expect(message(value)).not.toContain('hidden');
    }
  });

  test('an object whose getters answer differently each time cannot make a record that does not read back', () => {
    let calls = 0;
    const fickle = {
      get a() {
        calls += 1;
        return calls % 2 === 1 ? null : 1;
      },
      get b() {
        calls += 1;
        return calls % 3 === 0 ? undefined : { c: 1 };
      },
    };
    for (let i = 0; i < 6; i += 1) {
      decode(encode(fickle as PropertyInput));
      decode(encode({ map: fickle as unknown as PropertyValue }));
      calls += 1;
    }
  });
});

describe('bytes are hostile', () => {
  /** A record with these bytes of shape and values. */
  const record = (shape: number[], values: number[]): Uint8Array =>
    Uint8Array.from([0x10, shape.length, ...shape, ...values]);
  const damaged: [string, Uint8Array][] = [
    ['nothing', new Uint8Array()],
    ['one byte', Uint8Array.of(0x10)],
    ['another format', Uint8Array.of(0x20, 2, 0, 0)],
    ['low bits set', Uint8Array.of(0x11, 2, 0, 0)],
    ['a shape beyond the end', Uint8Array.of(0x10, 9, 0, 0)],
    ['a shape length that never ends', Uint8Array.of(0x10, 255, 255, 255, 255, 255, 1)],
    ['a shape that ends in a number', record([0x80], [])],
    ['a shape without property count', record([0], [])],
    ['a shape with bytes behind it', record([0, 0, 0], [])],
    ['more labels than bytes', record([100, 1], [])],
    ['a label that no dictionary has', record([1, 99, 0], [])],
    ['a key that no dictionary has', record([0, 1, 0xff, 0x7f, TAG.true], [])],
    ['an unknown tag', record([0, 1, 0, 12], [])],
    ['tag 0', record([0, 1, 0, 0], [])],
    ['bytes behind the last value', record([0, 1, 0, TAG.true], [1])],
    ['an integer that ends early', record([0, 1, 0, TAG.integer], [0x80])],
    ['an integer beyond 2^53', record([0, 1, 0, TAG.integer], [0xfe, 255, 255, 255, 255, 255, 255, 32])],
    [
      'an integer that never ends',
      record([0, 1, 0, TAG.integer], [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]),
    ],
    ['half a float', record([0, 1, 0, TAG.float], [1, 2, 3, 4])],
    ['half a 64-bit integer', record([0, 1, 0, TAG.integer64], [1, 2, 3, 4, 5, 6, 7])],
    ['text beyond the end', record([0, 1, 0, TAG.text], [5, 65])],
    ['text that is no UTF-8', record([0, 1, 0, TAG.text], [2, 0xc3, 0x28])],
    ['text with half a surrogate pair', record([0, 1, 0, TAG.text], [3, 0xed, 0xa0, 0x80])],
    ['ASCII that is none', record([0, 1, 0, TAG.ascii], [1, 0x80])],
    ['bytes beyond the end', record([0, 1, 0, TAG.bytes], [0xff, 0xff, 0x7f])],
    ['a date that no Date holds', record([0, 1, 0, TAG.date], [0xfe, 255, 255, 255, 255, 255, 255, 31])],
    ['a list with fewer elements than it says', record([0, 1, 0, TAG.list], [2, 2, TAG.true])],
    ['a list with a gap behind its elements', record([0, 1, 0, TAG.list], [3, 1, TAG.true, 0])],
    ['a list beyond the end', record([0, 1, 0, TAG.list], [9, 0])],
    ['a list of a billion', record([0, 1, 0, TAG.list], [5, 255, 255, 255, 127, TAG.true])],
    ['a list longer than its container', record([0, 1, 0, TAG.list], [3, 1, TAG.list, 5])],
    ['a map whose key is a number', record([0, 1, 0, TAG.map], [3, 1, TAG.integer, 2])],
    ['a map without a value', record([0, 1, 0, TAG.map], [4, 1, TAG.ascii, 1, 65])],
    [
      '33 levels',
      record([0, 1, 0, TAG.list], Array.from({ length: 33 }, (_, i) => [33 * 3 - i * 3 - 1, 1, TAG.list]).flat()),
    ],
  ];

  beforeAll(() => {
    names.keyId('value');
  });

  test.each(damaged)('%s', (_name, bytes) => {
    expect(codeOf(() => decode(bytes))).toBe('SOMBRA_RECORD');
  });

  test('a place behind the record is never read: the same bytes in the middle of others give the same', () => {
    for (const [, bytes] of damaged) {
      const around = new Uint8Array(bytes.length + 64).fill(TAG.true);
      around.set(bytes, 32);
      expect(
        codeOf(() => {
          reader.values(reader.open(around, 32, bytes.length));
        }),
      ).toBe('SOMBRA_RECORD');
    }
  });

  test('random damage gives SOMBRA_RECORD or a value; reading one property likewise', () => {
    const random = new Random(suiteSeed(4));
    const seen = new Set<string>();
    for (let run = suiteRuns(30_000); run > 0; run -= 1) {
      const bytes = encode(randomProperties(random), [random.below(4)]);
      for (let i = random.below(3); i >= 0; i -= 1) {
        const at = random.chance(0.5) ? random.below(Math.min(12, bytes.length)) : random.below(bytes.length);
        bytes[at] = random.chance(0.5) ? random.below(256) : bytes[at]! ^ (1 << random.below(8));
      }
      const length = random.chance(0.2) ? random.below(bytes.length + 1) : bytes.length;
      const view = bytes.subarray(0, length);
      seen.add(codeOf(() => decode(view)));
      seen.add(codeOf(() => reader.property(view, 0, length, random.below(12))));
    }
    expect([...seen].sort()).toEqual(['SOMBRA_RECORD', 'no error']);
  });
});

test('decoded objects are shown as plain ones, whatever their keys', () => {
  withGraph({}, (db) => {
    const id = db.write((tx) => tx.addNode('N', { name: 'x', map: { ['__proto__']: 1, toString: 2 } }));
    const { properties } = db.reader.getNode(id)!;
    expect(inspect(properties)).toBe(`{ name: 'x', map: { ['__proto__']: 1, toString: 2 } }`);
    expect(Object.getOwnPropertyNames(Object.getPrototypeOf(properties))).toEqual([]);
  });
});
