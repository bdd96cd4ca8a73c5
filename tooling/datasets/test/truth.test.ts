// Goal: Sombra answers questions about real graphs as a plain computation without any database does. Method: load each
// set through the public API into a database in memory, put every question of truth/NAME.json, compare; then verify.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GraphDB } from '@sombra/db';
import { readDataset, readTruth, type Dataset } from './load.ts';
import { SOLVERS, type Subject } from './questions.ts';

/** `questions`: how many the truth has; none may get lost. */
const SETS = [
  { name: 'air-routes', label: 'Airport', type: 'ROUTE', key: 'code', questions: 73 },
  { name: 'wiki-vote', label: 'User', type: 'VOTED', key: 'id', questions: 47 },
  { name: 'bitcoin-otc', label: 'User', type: 'RATED', key: 'id', questions: 53 },
] as const;

/** Loads a set in one transaction; ids of the files stay as a property. */
function load(db: GraphDB, data: Dataset): Map<string | number, number> {
  const known = new Map<string | number, number>();
  db.transaction((tx) => {
    for (const { label, rows } of data.nodes) {
      for (const row of rows) known.set(row['id'] ?? '', tx.addNode(label, { ...row }));
    }
    for (const { label, rows } of data.edges) {
      for (const { from, to, ...properties } of rows) {
        tx.addEdge(known.get(from ?? '') ?? 0, known.get(to ?? '') ?? 0, label, properties);
      }
    }
  });
  return known;
}

describe.each(SETS)('$name', ({ name, label, type, key, questions }) => {
  let db: GraphDB;
  let subject: Subject;

  beforeAll(() => {
    db = GraphDB.open(':memory:', { maxTransactionPages: 100_000, transactionTimeoutMs: null });
    load(db, readDataset(name));
    const keyed = [...db.nodes({ label })].map(
      ({ id, properties }) => [id, properties[key] as string | number] as const,
    );
    subject = { db, label, type, key, keyOf: new Map(keyed), byKey: new Map(keyed.map(([id, value]) => [value, id])) };
  });
  afterAll(() => db.close());

  const items = readTruth(name);
  it('has all its questions', () => expect(items.length).toBe(questions));

  it.each(items.map((item) => [item.id, item] as const))('%s', (id, item) => {
    const solver = SOLVERS.find(([pattern]) => pattern.test(id))?.[1];
    if (solver === undefined) throw new Error(`nothing answers ${id}: ${item.what}`);
    expect(solver(subject, { id, params: item.params ?? {} })).toEqual(item.answer);
  });

  it('passes verification', () => {
    expect(db.verifyIntegrity().isClean).toBe(true);
  });
});

it('has no way of answering that no question needs', () => {
  const ids = SETS.flatMap(({ name }) => readTruth(name).map(({ id }) => id));
  const first = (id: string): RegExp | undefined => SOLVERS.find(([pattern]) => pattern.test(id))?.[0];
  const used = new Set(ids.map(first));
  expect(SOLVERS.filter(([pattern]) => !used.has(pattern)).map(([pattern]) => String(pattern))).toEqual([]);
});
