// Goal: figures over records are exact where numbers are whole, in the order of the groups, within a bounded memory. Method: tables
// of values, and random rows against sums worked out in bigints.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PropertyValue } from '../src/index.ts';
import { aggregate, parseAggregate } from '../src/find/aggregate.ts';
import type { FindSource } from '../src/find/find.ts';
import { Sum } from '../src/find/sum.ts';
import { codeOf } from './support/errors.ts';
import { withGraph } from './support/open.ts';

function total(...values: (number | bigint)[]): number | bigint | undefined {
  const sum = new Sum();
  for (const value of values) sum.add(value);
  return sum.total;
}

test.each<[readonly (number | bigint)[], number | bigint | undefined]>([
  [[], undefined],
  [[1, 2, 3], 6],
  [[2 ** 53 - 1, 1], 2n ** 53n],
  [[2 ** 53 - 1, 2 ** 53 - 1, -(2 ** 53 - 1), -(2 ** 53 - 1)], 0],
  [[2n ** 63n - 1n, 2n ** 63n - 1n], 2n ** 64n - 2n],
  [[2n ** 62n, -(2n ** 62n), 5], 5],
  [[0.1, 0.2, 0.3], 0.6],
  [[1e100, 1, -1e100], 1],
  [[0.5, 2 ** 53 - 1, 1], 2 ** 53],
  [[Infinity, 1], Infinity],
  [[Infinity, -Infinity], NaN],
  [[NaN, 1], NaN],
])('the sum of %s is %s', (values, wanted) => {
  expect(total(...values)).toBe(wanted);
});

test('whole numbers add up exactly, whatever their order', () => {
  const whole = fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
  fc.assert(
    fc.property(fc.array(whole, { minLength: 1 }), (values) => {
      expect(BigInt(total(...values)!)).toBe(values.reduce<bigint>((sum, value) => sum + BigInt(value), 0n));
    }),
  );
});

test('groups come in the order of their values, with the figures that were asked for', () => {
  withGraph({}, (db) => {
    db.write((tx) => {
      const rows: Record<string, PropertyValue>[] = [
        { city: 'York', age: 30 },
        { city: 'Bath', age: 10, note: 'b' },
        { city: 'Bath', age: 20, note: 'a' },
        { age: 5 },
        { city: 7, age: 1 },
        { city: NaN },
        { city: NaN, age: 4 },
        { city: [1], age: 2 },
        { city: [1], age: 3 },
      ];
      for (const row of rows) tx.addNode('P', row);
      tx.addNode('Q', { age: 'old' });
      tx.addEdge(1, 2, 'T', { w: 2n ** 60n });
      tx.addEdge(1, 2, 'T', { w: 2n ** 60n });
    });
    const { reader } = db;
    const groups = reader.aggregateNodes({
      ...{ label: 'P', groupBy: 'city', count: true, sum: ['age'], avg: ['age'], min: ['age', 'note'], max: ['note'] },
    });
    expect(groups.slice(0, 3)).toEqual([
      { group: { city: 7 }, count: 1, sum: { age: 1 }, avg: { age: 1 }, min: { age: 1 }, max: {} },
      {
        ...{ group: { city: 'Bath' }, count: 2, sum: { age: 30 }, avg: { age: 15 } },
        ...{ min: { age: 10, note: 'a' }, max: { note: 'b' } },
      },
      { group: { city: 'York' }, count: 1, sum: { age: 30 }, avg: { age: 30 }, min: { age: 30 }, max: {} },
    ]);
    expect(groups.slice(3).map(({ group, count, sum }) => [group['city'], count, sum!['age']])).toEqual(
      expect.arrayContaining([
        [NaN, 2, 4],
        [[1], 2, 5],
        [undefined, 1, 5],
      ]),
    );
    expect(groups).toHaveLength(6);
    expect(reader.aggregateNodes({ label: 'P', sum: ['never'], count: true })).toEqual([
      { group: {}, count: 9, sum: {} },
    ]);
    expect(reader.aggregateNodes({ label: 'None', max: ['age'] })).toEqual([{ group: {}, max: {} }]);
    expect(reader.aggregateNodes({ label: 'None', groupBy: 'city', count: true })).toEqual([]);
    expect(reader.aggregateEdges({ type: 'T', sum: ['w'], avg: ['w'] })).toEqual([
      { group: {}, sum: { w: 2n ** 61n }, avg: { w: 2 ** 60 } },
    ]);
    expect(reader.aggregateNodes({ groupBy: ['age', 'city'], where: { city: 'Bath' }, count: true })).toEqual([
      { group: { age: 10, city: 'Bath' }, count: 1 },
      { group: { age: 20, city: 'Bath' }, count: 1 },
    ]);
    expect(codeOf(() => reader.aggregateNodes({ sum: ['age'] }))).toBe('SOMBRA_NOT_A_NUMBER');
    expect(() => reader.aggregateNodes({ avg: ['age'] })).toThrow("property 'age' of node 10 is 'old'");
  });
});

test('groups beyond the memory for them are refused', () => {
  withGraph({}, (db) => {
    db.write((tx) => {
      for (let i = 0; i < 100; i += 1) tx.addNode('P', { i });
    });
    const source = (db.reader as unknown as { findSource(): FindSource }).findSource();
    const asked = parseAggregate('node', { groupBy: 'i', count: true }, 'aggregateNodes');
    expect(aggregate(source, asked)).toHaveLength(100);
    expect(codeOf(() => aggregate(source, asked, 10_000))).toBe('SOMBRA_GROUP_MEMORY');
  });
});

test.each([
  ['nothing asked', {}],
  ['an unknown option', { count: true, order: 'x' }],
  ['a text for count', { count: 'yes' }],
  ['a text for sum', { sum: 'age' }],
  ['a number to group by', { count: true, groupBy: 5 }],
  ['a list of labels', { count: true, label: ['A', 'B'] }],
])('%s is refused', (_name, query) => {
  withGraph({}, (db) => {
    expect(codeOf(() => db.reader.aggregateNodes(query as never))).toBe('SOMBRA_OPTION');
  });
});
