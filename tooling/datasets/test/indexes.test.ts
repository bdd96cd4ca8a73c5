// Goal: a find gives the same rows in the same order with and without an index, and says which index it reads. Method: load
// the persons of snb-sf01 and the messages of snb-mini twice, once with indexes, and ask both. Dates of snb-sf01 are integers
// of 17 digits, more than a double holds. Numbers of rows were counted in the CSV files.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GraphDB, type EdgeQuery, type NodeQuery } from '@sombra/db';
import { readTruth } from './load.ts';
import { networkRows, type NetworkOptions } from './network-files.ts';

function open(set: string, options: NetworkOptions): GraphDB {
  const db = GraphDB.open(':memory:');
  db.bulkLoad(networkRows(set, options));
  return db;
}

interface Pair {
  readonly plain: GraphDB;
  readonly indexed: GraphDB;
}
const close = ({ plain, indexed }: Pair): void => [plain, indexed].forEach((db) => db.close());

describe('persons of snb-sf01', () => {
  let pair: Pair;
  beforeAll(() => {
    const only = { only: ['Person'] };
    pair = { plain: open('snb-sf01', only), indexed: open('snb-sf01', only) };
    for (const key of ['creationDate', 'firstName']) pair.indexed.createPropertyIndex('Person', key);
    pair.indexed.createPropertyIndex('Person', 'id', { unique: true });
    pair.indexed.createPropertyIndex('Person', ['gender', 'birthday']);
    pair.indexed.createEdgePropertyIndex('KNOWS', 'creationDate');
  });
  afterAll(() => close(pair));

  it.each<[string, NodeQuery, readonly string[], number]>([
    ['equality', { label: 'Person', where: { id: 2199023256077 } }, ['id'], 1],
    ['a list', { label: 'Person', where: { id: { in: [933, 1129, -1] } } }, ['id'], 2],
    ['a prefix', { label: 'Person', where: { firstName: { startsWith: 'Al' } } }, ['firstName'], 89],
    [
      'a range of integers beyond 2^53',
      { label: 'Person', where: { creationDate: { gte: 20100214153210447n, lt: 20100301000000000n } } },
      ['creationDate'],
      13,
    ],
    [
      'two properties',
      { label: 'Person', where: { gender: 'male', birthday: { between: [19850101, 19851231] } } },
      ['gender', 'birthday'],
      73,
    ],
  ])('are found by %s', (_, query, keys, count) => {
    const rows = [...pair.indexed.findNodes(query)];
    expect(rows).toEqual([...pair.plain.findNodes(query)]);
    expect(rows.length).toBe(count);
    expect(pair.indexed.countNodes(query)).toBe(count);
    expect(pair.plain.countNodes(query)).toBe(count);
    expect(pair.indexed.explainNodes(query).index).toMatchObject({ name: 'Person', keys });
    expect(pair.plain.explainNodes(query)).not.toHaveProperty('index');
  });

  it('tells dates apart that are the same double', () => {
    const [date, next] = [20100422123057947n, 20100422123057948n];
    expect(Number(date)).toBe(Number(next));
    for (const db of [pair.plain, pair.indexed]) {
      expect(db.countEdges({ type: 'KNOWS', where: { creationDate: date } })).toBe(1);
      expect(db.countEdges({ type: 'KNOWS', where: { creationDate: next } })).toBe(0);
    }
  });

  it('gives the newest friendships from the index, as sorted', () => {
    const query: EdgeQuery = { type: 'KNOWS', orderBy: { key: 'creationDate', descending: true }, limit: 25, skip: 5 };
    const rows = [...pair.indexed.findEdges(query)];
    expect(rows).toEqual([...pair.plain.findEdges(query)]);
    expect(rows.length).toBe(25);
    expect(pair.indexed.explainEdges(query)).toMatchObject({ index: { name: 'KNOWS' }, sorted: false });
    expect(pair.plain.explainEdges(query).sorted).toBe(true);
  });

  it('gives the friendships of a person with dates as published', () => {
    const published = readTruth('snb-sf01').find(({ id }) => id === 'published/IS3')?.answer as string[];
    const [person] = pair.indexed.findNodes({ label: 'Person', where: { id: 1129 }, select: [] });
    const dates = pair.indexed
      .edgesOf(person?.id ?? 0, { type: 'KNOWS', direction: 'both' })
      .map(({ properties }) => String(properties['creationDate']));
    expect(dates.toSorted().reverse()).toEqual(published.map((row) => row.split('|')[3]));
  });
});

describe('messages of snb-mini', () => {
  let pair: Pair;
  beforeAll(() => {
    const options = { only: ['Post', 'Comment'], dates: ['creationDate'] };
    pair = { plain: open('snb-mini', options), indexed: open('snb-mini', options) };
    pair.indexed.createPropertyIndex('Post', 'creationDate');
    pair.indexed.createPropertyIndex('Post', ['browserUsed', 'length']);
  });
  afterAll(() => close(pair));

  const from = new Date(Date.UTC(2010, 5, 1));
  const to = new Date(Date.UTC(2010, 6, 1));
  it.each<[string, NodeQuery, readonly string[]]>([
    ['of a month', { label: 'Post', where: { creationDate: { gte: from, lt: to } } }, ['creationDate']],
    [
      'that are newest',
      { label: 'Post', orderBy: { key: 'creationDate', descending: true }, limit: 20 },
      ['creationDate'],
    ],
    [
      'of a browser and a length',
      { label: 'Post', where: { browserUsed: 'Opera', length: { gt: 80 } } },
      ['browserUsed', 'length'],
    ],
  ])('%s are the same with an index', (_, query, keys) => {
    const rows = [...pair.indexed.findNodes(query)];
    expect(rows.length).toBeGreaterThan(0);
    expect(rows).toEqual([...pair.plain.findNodes(query)]);
    expect(pair.indexed.explainNodes(query).index).toMatchObject({ name: 'Post', keys });
  });
});
