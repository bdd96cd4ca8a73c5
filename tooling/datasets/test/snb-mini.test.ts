// Goal: the queries of LDBC SNB interactive v1, written in TypeScript over the typed API, give the rows that were computed
// without a database (and by LDBC's SQL). Method: load snb-mini whole, put every question of its truth, apply the update
// streams, put the questions about afterwards.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AnyGraphDB, GraphDB } from '@sombra/db';
import { readTruth, type TruthItem } from './load.ts';
import { edgesByEnds, networkRows } from './network-files.ts';
import { QUERIES } from './snb/queries.ts';
import { createIndexes, schema, type SnbDB } from './snb/schema.ts';
import { applyUpdates } from './snb/updates.ts';

const LABELS = ['Organisation', 'Place', 'Tag', 'TagClass', 'Comment', 'Forum', 'Person', 'Post'] as const;
const DATES = ['creationDate', 'birthday', 'joinDate'];
const isMessage = (label: string): boolean => label === 'Post' || label === 'Comment';
const items = readTruth('snb-mini');
const isAfterwards = ({ id }: TruthItem): boolean => /^(count-)?after-updates/.test(id);

function countsOf(db: SnbDB, what: string): unknown {
  if (what === 'nodes') return db.nodeCount();
  if (what === 'edges') return db.edgeCount();
  if (what === 'by-label') return Object.fromEntries(LABELS.map((label) => [label, db.nodeCount(label)]));
  if (what === 'by-type') return edgesByEnds(db as unknown as GraphDB, LABELS);
  throw new Error(`nothing counts ${what}`);
}

/** Dates as the truth has them; lists inside a row in one order, since the benchmark leaves it open. */
function comparable(row: unknown[], query: string): unknown[] {
  const isOrdered = query === 'IC14';
  return row.map((value) => {
    if (value instanceof Date) return value.getTime();
    if (!Array.isArray(value) || isOrdered) return value;
    return (value as unknown[]).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  });
}

/** Paths of one weight come in any order. */
function comparableRows(rows: unknown[][], query: string): unknown[][] {
  const made = rows.map((row) => comparable(row, query));
  if (query !== 'IC14') return made;
  const weights = made.map(([, weight]) => Number(weight));
  expect(weights).toEqual(weights.toSorted((a, b) => b - a));
  return made.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

describe('snb-mini', () => {
  let db: SnbDB;
  beforeAll(() => {
    db = GraphDB.open(':memory:', { schema });
    createIndexes(db);
    // The rows are read from files: their labels are known when they come.
    (db as AnyGraphDB).bulkLoad(
      networkRows('snb-mini', { labels: (label) => (isMessage(label) ? [label, 'Message'] : [label]), dates: DATES }),
    );
  });
  afterAll(() => db.close());

  const answer = (item: TruthItem): void => {
    const [kind = '', what = ''] = item.id.split('/');
    if (kind.startsWith('count')) {
      expect(countsOf(db, what)).toEqual(item.answer);
      return;
    }
    const name = kind.replace('after-updates-', '');
    const query = QUERIES[name];
    if (query === undefined) throw new Error(`nothing answers ${item.id}: ${item.what}`);
    const rows = query(db, item.params as never);
    expect(comparableRows(rows, name)).toEqual(comparableRows(item.answer as unknown[][], name));
  };

  it('has all its questions', () => expect(items.length).toBe(120));

  it.each(items.filter((item) => !isAfterwards(item)).map((item) => [item.id, item] as const))('%s', (_, item) =>
    answer(item),
  );

  describe('after its updates', () => {
    beforeAll(() => expect(applyUpdates(db)).toBe(6920));

    it.each(items.filter(isAfterwards).map((item) => [item.id, item] as const))('%s', (_, item) => answer(item));

    it('passes verification', () => expect(db.verifyIntegrity().isClean).toBe(true));
  });
});
