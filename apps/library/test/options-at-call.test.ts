// Goal: an option that cannot be meant is refused where it is given, not at the first row, and a promise is rejected whatever else is
// going on. Method: every method of a database, a snapshot and a transaction that gives rows or a promise, with every bad option; the
// types see to it that none is left out.
import { describe, expect, it } from 'vitest';
import { GraphDB, param } from '../src/index.ts';
import type { Rows, Snapshot, Transaction } from '../src/index.ts';
import { codeOf } from './support/codes.ts';
import { withMemory } from './support/open.ts';
import { addSmallGraph } from './support/small-graph.ts';

/** Names of the methods that give rows or a promise. */
type Late<T> = {
  [K in keyof T]: T[K] extends (...args: never[]) => Rows<unknown> | Promise<unknown> ? K : never;
}[keyof T];
type Reads = Snapshot | Transaction;
type Call<On> = (on: On, bad: never) => Iterable<unknown> | Promise<unknown>;

const READS: {
  readonly [K in Exclude<Late<Snapshot> | Late<Transaction>, 'runFind' | 'transaction'>]: Call<Reads | GraphDB>;
} = {
  nodes: (on, bad) => on.nodes(bad),
  edges: (on, bad) => on.edges(bad),
  nodeIds: (on, bad) => on.nodeIds(bad),
  edgeIds: (on, bad) => on.edgeIds(bad),
  findNodes: (on, bad) => on.findNodes(bad),
  findEdges: (on, bad) => on.findEdges(bad),
  paths: (on, bad) => on.paths(1, 2, bad),
  allShortestPaths: (on, bad) => on.allShortestPaths(1, 2, bad),
  bfsAsync: (on, bad) => on.bfsAsync(1, bad),
  bfsLevelsAsync: (on, bad) => on.bfsLevelsAsync(1, bad),
  levelsAsync: (on, bad) => on.levelsAsync(1, bad),
  shortestPathAsync: (on, bad) => on.shortestPathAsync(1, 2, bad),
  kShortestPathsAsync: (on, bad) => on.kShortestPathsAsync(1, 2, 3, bad),
  distancesAsync: (on, bad) => on.distancesAsync(1, bad),
  componentsAsync: (on, bad) => on.componentsAsync(bad),
  trianglesAsync: (on, bad) => on.trianglesAsync(bad),
  clusteringAsync: (on, bad) => on.clusteringAsync(bad),
  pageRankAsync: (on, bad) => on.pageRankAsync(bad),
  degreeDistributionAsync: (on, bad) => on.degreeDistributionAsync(bad),
  topologicalOrderAsync: (on, bad) => on.topologicalOrderAsync(bad),
  findCycleAsync: (on, bad) => on.findCycleAsync(bad),
};

const DATABASE: {
  readonly [K in Exclude<Late<GraphDB>, keyof typeof READS | 'runFind' | 'transaction' | 'read'>]: Call<GraphDB>;
} = {
  transactionAsync: (db, bad) => db.transactionAsync(bad),
  bulkLoadAsync: (db, bad) => db.bulkLoadAsync({ nodes: [], edges: [] }, bad),
  createPropertyIndexAsync: (db, bad) => db.createPropertyIndexAsync('Person', 'name', bad),
  createEdgePropertyIndexAsync: (db, bad) => db.createEdgePropertyIndexAsync('INSPIRED', 'since', bad),
  verifyIntegrityAsync: (db, bad) => db.verifyIntegrityAsync(bad),
  checkpointAsync: (db, bad) => db.checkpointAsync(bad),
  backup: (db, bad) => db.backup('no/such/folder/backup.db', bad),
};

/** Each is wrong for every call: of the wrong value where there is such an option, else unknown. */
const BAD: unknown[] = [
  5,
  null,
  { nonsense: 1 },
  { limit: -1, maxDepth: -1, timeoutMs: 1 / 0, minDepth: -1 },
  { timeoutMs: -1 },
  { signal: 5 },
  { label: 5, type: 5 },
  { direction: 'up' },
  { nodeFilter: 5 },
  { edgeFilter: 5 },
  { where: 5 },
  { weight: 5 },
  { maxMemoryMb: 'much' },
  { onProgress: 5 },
  { unique: 'yes', maxErrors: 0 },
  { records: 1 },
];

async function outcomeOf(call: () => Iterable<unknown> | Promise<unknown>): Promise<string> {
  let given: Iterable<unknown> | Promise<unknown> | undefined;
  const code = codeOf(() => (given = call()));
  if (!(given instanceof Promise)) return code;
  return await given.then(
    () => 'no error',
    (error: { code?: string }) => error.code ?? String(error),
  );
}

async function expectRefused<On>(on: On, [name, call]: [string, Call<On>]): Promise<void> {
  for (const bad of BAD) {
    const shown = `${name} ${JSON.stringify(bad)}`;
    expect([shown, await outcomeOf(() => call(on, bad as never))]).toEqual([shown, 'SOMBRA_OPTION']);
  }
}

async function withDatabase(work: (db: GraphDB) => Promise<void>): Promise<void> {
  const db = GraphDB.open(':memory:');
  try {
    await work(db);
  } finally {
    db.close();
  }
}

describe('a bad option is refused at the call', () => {
  it.each(Object.entries(READS))('%s', async (...entry) => {
    await withDatabase(async (db) => {
      addSmallGraph(db);
      await expectRefused(db, entry);
      const snapshot = db.snapshot();
      await expectRefused(snapshot, entry);
      snapshot.release();
      const tx = db.beginTransaction();
      await expectRefused(tx, entry);
      expect(tx.state).toBe('active');
      tx.rollback();
      expect(db.stats().pager.snapshots).toBe(0);
    });
  });

  it.each(Object.entries(DATABASE))('%s', async (...entry) => {
    await withDatabase(async (db) => {
      await expectRefused(db, entry);
      expect([db.stats().pager.snapshots, db.inTransaction, db.nodeCount()]).toEqual([0, false, 0]);
      db.addNode('After');
    });
  });

  it.each(Object.entries({ ...READS, ...DATABASE }).filter(([name]) => name.endsWith('Async')))(
    'the promise of %s is rejected when the database is closed',
    async (_name, call) => {
      const db = GraphDB.open(':memory:');
      db.close();
      const given = call(db, undefined as never);
      expect(given).toBeInstanceOf(Promise);
      await expect(given).rejects.toMatchObject({ code: 'SOMBRA_CLOSED' });
    },
  );

  it('values of a prepared find', () => {
    withMemory((db) => {
      const find = db.prepareNodes({ where: { born: param('born') }, limit: param('limit') });
      for (const bad of [5, null, {}, { born: 1 }, { born: 1, limit: -1 }, { born: 1, limit: 1, more: 1 }])
        expect([bad, codeOf(() => find.rows(bad as never))]).toEqual([bad, 'SOMBRA_OPTION']);
    });
  });

  it.each([5, undefined, null, 'text', {}])('%s instead of the function of a transaction', (bad) => {
    withMemory((db) => {
      expect(codeOf(() => db.transaction(bad as never))).toBe('SOMBRA_OPTION');
      expect(codeOf(() => db.read(bad as never))).toBe('SOMBRA_OPTION');
      db.transaction((tx) => {
        expect(codeOf(() => tx.transaction(bad as never))).toBe('SOMBRA_OPTION');
        expect(codeOf(() => db.transaction(bad as never))).toBe('SOMBRA_OPTION');
        tx.addNode('Kept');
      });
      expect(db.nodeCount('Kept')).toBe(1);
    });
  });
});
