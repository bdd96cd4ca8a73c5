// Goal: deeply nested conditions get a typed error; NaN is not comparable with anything.
// Method: depths around the limit, for and, or, not and all together; every operator with NaN.
import { describe, expect, test } from 'vitest';
import { and, not, or, type Predicate } from '../src/index.ts';
import { CONDITION_DEPTH_MAX } from '../src/model/limits.ts';
import { codeOf } from './support/errors.ts';
import { OpenGraph, withGraph } from './support/open.ts';

test('NaN may be there as often as it likes, and is compared with nothing', () => {
  withGraph({}, (db) => {
    db.graph.createPropertyIndex('U', 'key', { unique: true });
    db.write((tx) => {
      for (const key of [NaN, NaN, 1, 'text']) tx.addNode('U', { key });
      tx.addNode('U', { other: [NaN] });
    });
    const ids = (where: object): number[] =>
      [...db.reader.findNodes({ label: 'U', where: where as never })].map(({ id }) => id);
    for (const operator of ['eq', 'ne', 'lt', 'lte', 'gt', 'gte'])
      expect(ids({ key: { [operator]: NaN } })).toEqual([]);
    expect(ids({ other: { ne: NaN } })).toEqual([]);
    expect(ids({ key: { ne: 1 } })).toEqual([4]);
    expect(ids({ key: { exists: true } })).toEqual([1, 2, 3, 4]);
    expect([...db.reader.findNodes({ label: 'U', where: not({ key: { ne: NaN } }) })]).toHaveLength(5);
  });
});

describe('conditions in each other', () => {
  type Wrap = (part: Predicate) => Predicate;
  const wraps: readonly (readonly [string, Wrap])[] = [
    ['and', (part) => and(part, { a: 1 })],
    ['or', (part) => or(part, { a: 2 })],
    ['not', (part) => not(part)],
    ['all three', (part) => and(or(not(part)))],
  ];

  function nested(wrap: Wrap, times: number): Predicate {
    let condition: Predicate = and({ a: 1 });
    for (let i = 0; i < times; i += 1) condition = wrap(condition);
    return condition;
  }

  test.each(wraps)('%s: 3,000 and 10,000 deep get a typed error', (_name, wrap) => {
    for (const times of [3000, 10_000]) expect(codeOf(() => nested(wrap, times))).toBe('SOMBRA_NESTING');
  });

  test.each(wraps.slice(0, 3))('%s: as deep as allowed works, in find, count and explain', (name, wrap) => {
    const db = new OpenGraph();
    db.write((tx) => tx.addNode('N', { a: 1 }));
    const where = nested(wrap, CONDITION_DEPTH_MAX - 1) as never;
    const expected = name === 'not' && CONDITION_DEPTH_MAX % 2 === 0 ? 0 : 1;
    expect([...db.reader.findNodes({ label: 'N', where })]).toHaveLength(expected);
    expect(db.reader.countNodes({ label: 'N', where })).toBe(expected);
    expect(db.reader.explainNodes({ label: 'N', where }, { analyze: true }).rowsMatched).toBe(expected);
    expect(codeOf(() => wrap(where))).toBe('SOMBRA_NESTING');
    db.close();
  });

  test('any number of parts fits into one call', () => {
    withGraph({}, (db) => {
      db.write((tx) => tx.addNode('N', { a: 9999 }));
      const where = or(...Array.from({ length: 10_000 }, (_, a) => ({ a })));
      expect(db.reader.countNodes({ label: 'N', where })).toBe(1);
    });
  });
});
