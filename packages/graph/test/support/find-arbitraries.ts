// Random values, questions and rows that meet each other: few keys, few values, all kinds, long texts that begin alike.
import fc from 'fast-check';
import { and, type NodeRecord, not, or, type PropertyValue, type Where } from '../../src/index.ts';
import type { Question } from './naive-find.ts';

export const KEYS = ['a', 'b', 'c'] as const;

const LONG = 'x'.repeat(55);
/** Texts around the length at which keys are cut, with surrogate pairs and what sorts differently in UTF-16, and zero bytes. */
export const text = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'ab',
    'abc',
    'b',
    '\0',
    'a\0',
    'a\0b',
    '\u{10000}',
    '\uffff',
    'é',
    'É',
    'A',
    'aB',
    'ß',
    'SS',
    'ς',
    'ſ',
    'Σ',
    '\u{1f600}',
    'ab\u{10ffff}',
  ),
  fc
    .tuple(
      fc.constantFrom(LONG, `${LONG}x`, `${LONG}\0`, 'é'.repeat(28)),
      fc.constantFrom('', '\0', 'a', 'b', 'é', 'longer than that'),
    )
    .map(([start, end]) => start + end),
);
const SIXTY = 2n ** 60n;
/** Numbers around the limits of doubles and of 64 bits. */
export const number = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom<number | bigint>(
    -0,
    0.5,
    -2.5,
    1e300,
    -1e300,
    5e-324,
    Infinity,
    -Infinity,
    2 ** 53,
    2 ** 53 - 1,
    -(2 ** 53),
    2n ** 53n + 1n,
    -(2n ** 53n) - 1n,
    2 ** 60,
    SIXTY,
    SIXTY + 1n,
    SIXTY - 1n,
    2n ** 63n - 1n,
    2n ** 63n - 2n,
    -(2n ** 63n),
    2 ** 63,
  ),
);
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 3, max: 2 }),
  fc.uint8Array({ maxLength: 2 }).map((end) => Uint8Array.of(...new Uint8Array(28), ...end)),
);
const date = fc.integer({ min: -2, max: 2 }).map((time) => new Date(time));
/** A value with an order. */
export const ordered: fc.Arbitrary<PropertyValue> = fc.oneof(
  { weight: 4, arbitrary: number },
  { weight: 4, arbitrary: text },
  { weight: 1, arbitrary: fc.boolean() },
  { weight: 1, arbitrary: bytes },
  { weight: 1, arbitrary: date },
);
const unordered: fc.Arbitrary<PropertyValue> = fc.constantFrom<PropertyValue>(NaN, [], [1], ['a', 2], { x: 1 }, {});
export const value: fc.Arbitrary<PropertyValue> = fc.oneof(
  { weight: 9, arbitrary: ordered },
  { weight: 1, arbitrary: unordered },
);

/** Properties of a row; some are missing. */
export const properties: fc.Arbitrary<Record<string, PropertyValue>> = fc
  .record({ a: fc.option(value), b: fc.option(value, { freq: 9 }), c: fc.option(value) })
  .map(
    (row) => Object.fromEntries(Object.entries(row).filter(([, one]) => one !== null)) as Record<string, PropertyValue>,
  );

const key = fc.constantFrom(...KEYS, 'a', 'never');

const test: fc.Arbitrary<Question> = fc.oneof(
  fc
    .tuple(key, fc.constantFrom('eq', 'eq', 'ne', 'contains'), value)
    .map(([on, operator, one]): Question => ({ op: 'test', key: on, operator, value: one })),
  fc
    .tuple(key, fc.constantFrom('lt', 'lte', 'gt', 'gte'), ordered)
    .map(([on, operator, one]): Question => ({ op: 'test', key: on, operator, value: one })),
  fc
    .tuple(key, ordered, ordered)
    .map(([on, low, high]): Question => ({ op: 'test', key: on, operator: 'between', value: [low, high] })),
  fc
    .tuple(key, fc.constantFrom('in', 'notIn'), fc.array(value, { maxLength: 5 }))
    .map(([on, operator, list]): Question => ({ op: 'test', key: on, operator, value: list })),
  fc
    .tuple(key, fc.constantFrom('startsWith', 'endsWith'), text)
    .map(([on, operator, one]): Question => ({ op: 'test', key: on, operator, value: one })),
  // Lists are left out: in them, elements of lists keep their case.
  fc
    .tuple(key, fc.constantFrom('eq', 'ne', 'startsWith', 'endsWith', 'contains'), text)
    .map(([on, operator, one]): Question => ({ op: 'test', key: on, operator, value: one, fold: true })),
  fc
    .tuple(key, fc.constantFrom('in', 'notIn'), fc.array(text, { maxLength: 3 }))
    .map(([on, operator, list]): Question => ({ op: 'test', key: on, operator, value: list, fold: true })),
  fc.tuple(key, fc.boolean()).map(([on, one]): Question => ({ op: 'test', key: on, operator: 'exists', value: one })),
);

/** A question of any nesting; most often some conditions that must all hold. */
export const question: fc.Arbitrary<Question> = fc.letrec<{ any: Question; all: Question }>((tie) => ({
  all: fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map((parts): Question => ({ op: 'all', parts })),
  any: fc.oneof(
    { maxDepth: 3 },
    { weight: 6, arbitrary: test },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('all', 'any'), fc.array(tie('any'), { maxLength: 3 }))
        .map(([op, parts]): Question => ({ op, parts })),
    },
    { weight: 1, arbitrary: tie('any').map((part): Question => ({ op: 'not', part })) },
    { weight: 1, arbitrary: key.map((on): Question => ({ op: 'call', key: on })) },
  ),
})).all;

export interface WithProperties {
  readonly properties: Readonly<Record<string, PropertyValue>>;
}

/** The question as callers ask it. */
export function where<R extends WithProperties>(asked: Question): Where<R> {
  switch (asked.op) {
    case 'all':
      return and(...asked.parts.map((part) => where<NodeRecord>(part))) as unknown as Where<R>;
    case 'any':
      return or(...asked.parts.map((part) => where<NodeRecord>(part))) as unknown as Where<R>;
    case 'not':
      return not(where<NodeRecord>(asked.part)) as unknown as Where<R>;
    case 'call':
      return (record: R) => Object.hasOwn(record.properties, asked.key);
    default:
      return {
        [asked.key]: { [asked.operator]: asked.value, ...(asked.fold === true ? { mode: 'insensitive' } : {}) },
      } as unknown as Where<R>;
  }
}

export const order = fc.array(fc.record({ key: fc.constantFrom(...KEYS), descending: fc.boolean() }), { maxLength: 2 });
