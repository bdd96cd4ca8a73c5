// Goal: whatever a callback of the caller does, the database stays usable: what it throws arrives as it was thrown, no lock is left
// held and no snapshot open. Method: every place that takes a callback, and in it one that throws, closes the database, begins another
// transaction, writes, takes a checkpoint or makes the same call again; afterwards a second connection writes, and the file is verified.
import { setImmediate as turn } from 'node:timers/promises';
import { MemoryVfs } from '@sombra/vfs';
import { describe, expect, it } from 'vitest';
import { GraphDB } from '../src/index.ts';
import type { NodeId, Warning } from '../src/index.ts';

type Deed = () => void;
type Place = (db: GraphDB, deed: Deed, first: NodeId) => unknown;

const yes = (deed: Deed) => (): boolean => {
  deed();
  return true;
};

/** Runs the deed at the second row. */
function* rows<T>(deed: Deed, list: readonly T[]): IterableIterator<T> {
  for (const [at, row] of list.entries()) {
    if (at === 1) deed();
    yield row;
  }
}

function walkOver(found: Iterable<unknown>, deed: Deed): void {
  for (const row of found) if (row !== undefined) deed();
}

const signal = (deed: Deed): { readonly aborted: boolean } => ({
  get aborted(): boolean {
    if (new Error().stack?.includes('new Watch') !== true) deed();
    return false;
  },
});

/** Places of a database with three nodes in a row. */
const PLACES: Record<string, Place> = {
  transaction: (db, deed) => db.transaction(deed),
  'transaction that has written': (db, deed) =>
    db.transaction((tx) => {
      tx.addNode('Written');
      deed();
    }),
  'nested transaction': (db, deed) => db.transaction((tx) => tx.transaction(deed)),
  transactionAsync: (db, deed) => db.transactionAsync(deed),
  'transactionAsync behind another': async (db, deed) => {
    const before = db.transactionAsync((tx) => tx.addNode('Before'));
    const own = db.transactionAsync(deed);
    await Promise.allSettled([before, own]);
    await own;
  },
  read: (db, deed) => db.read(deed),
  'read with a promise': (db, deed) => db.read(() => Promise.resolve().then(deed)),
  'rows of nodes': (db, deed) => walkOver(db.nodes(), deed),
  'rows of edges of a snapshot': (db, deed) => db.read((view) => walkOver(view.edges(), deed)),
  'rows of findNodes': (db, deed) => walkOver(db.findNodes({ label: 'Town' }), deed),
  'rows of paths': (db, deed, first) => walkOver(db.paths(first), deed),
  'rows of a transaction': (db, deed) => db.transaction((tx) => walkOver(tx.nodes(), deed)),
  'where of findNodes': (db, deed) => db.findNodes({ where: yes(deed) }).all(),
  'where of findNode': (db, deed) => db.findNode({ where: yes(deed) }),
  'where of findEdges': (db, deed) => db.findEdges({ where: yes(deed) }).all(),
  'where of countNodes': (db, deed) => db.countNodes({ where: yes(deed) }),
  'where of explainNodes': (db, deed) => db.explainNodes({ where: yes(deed) }, { analyze: true }),
  'where of aggregateNodes': (db, deed) => db.aggregateNodes({ where: yes(deed), count: true }),
  'where in a transaction': (db, deed) => db.transaction((tx) => tx.findNodes({ where: yes(deed) }).all()),
  'where in a snapshot': (db, deed) => db.read((view) => view.countNodes({ where: yes(deed) })),
  'nodeFilter of bfs': (db, deed, first) => db.bfs(first, { nodeFilter: yes(deed) }),
  'edgeFilter of levels': (db, deed, first) => db.levels(first, { edgeFilter: yes(deed) }),
  'nodeFilter of bfsLevels': (db, deed, first) => db.bfsLevels(first, { nodeFilter: yes(deed) }),
  'nodeFilter of dfs': (db, deed, first) => db.dfs(first, { nodeFilter: yes(deed) }),
  'edgeFilter of dfs in a transaction': (db, deed, first) =>
    db.transaction((tx) => tx.dfs(first, { edgeFilter: yes(deed) })),
  'edgeFilter of paths': (db, deed, first) => db.paths(first, undefined, { edgeFilter: yes(deed) }).all(),
  'nodeFilter of bfsAsync': (db, deed, first) => db.bfsAsync(first, { nodeFilter: yes(deed) }),
  'edgeFilter of levelsAsync': (db, deed, first) => db.levelsAsync(first, { edgeFilter: yes(deed) }),
  'signal of bfs': (db, deed, first) => db.bfs(first, { signal: signal(deed) }),
  'signal of pageRank': (db, deed) => db.pageRank({ signal: signal(deed) }),
  'signal of pageRankAsync': (db, deed) => db.pageRankAsync({ signal: signal(deed) }),
  'signal of componentsAsync': (db, deed) => db.componentsAsync({ signal: signal(deed) }),
  'signal of paths': (db, deed, first) => db.paths(first, undefined, { signal: signal(deed) }).all(),
  'signal of verifyIntegrity': (db, deed) => db.verifyIntegrity({ signal: signal(deed) }),
  'signal of verifyIntegrityAsync': (db, deed) => db.verifyIntegrityAsync({ signal: signal(deed) }),
  'signal of createPropertyIndex': (db, deed) => db.createPropertyIndex('Town', 'name', { signal: signal(deed) }),
  'signal of createPropertyIndexAsync': (db, deed) =>
    db.createPropertyIndexAsync('Town', 'name', { signal: signal(deed) }),
  'onProgress of verifyIntegrity': (db, deed) => db.verifyIntegrity({ onProgress: deed }),
  'onProgress of verifyIntegrityAsync': (db, deed) => db.verifyIntegrityAsync({ onProgress: deed }),
  'onProgress of createPropertyIndex': (db, deed) => db.createPropertyIndex('Town', 'name', { onProgress: deed }),
  'onProgress of createPropertyIndexAsync': (db, deed) =>
    db.createPropertyIndexAsync('Town', 'name', { onProgress: deed }),
  'onProgress of createEdgePropertyIndexAsync': (db, deed) =>
    db.createEdgePropertyIndexAsync('ROAD', 'km', { onProgress: deed }),
  'nodes of addMany': (db, deed) =>
    db.transaction((tx) => tx.addMany({ nodes: rows(deed, [{ labels: 'A' }, { labels: 'B' }]) } as never)),
  'ids of deleteNodes': (db, deed, first) =>
    db.transaction((tx) => tx.deleteNodes(rows(deed, [first, first]), { cascade: true })),
};

const NODES = [{ labels: 'A' }, { labels: 'B' }, { labels: 'C' }];
const EDGES = [
  { source: 0, target: 1, type: 'E' },
  { source: 1, target: 2, type: 'E' },
];

/** Places of an empty database. */
const EMPTY: Record<string, Place> = {
  'nodes of bulkLoad': (db, deed) => db.bulkLoad({ nodes: rows(deed, NODES), edges: EDGES }),
  'edges of bulkLoad': (db, deed) => db.bulkLoad({ nodes: NODES, edges: rows(deed, EDGES) }),
  'onProgress of bulkLoad': (db, deed) => db.bulkLoad({ nodes: NODES, edges: EDGES }, { onProgress: deed }),
  'signal of bulkLoad': (db, deed) => db.bulkLoad({ nodes: NODES, edges: EDGES }, { signal: signal(deed) }),
  'nodes of bulkLoadAsync': (db, deed) => db.bulkLoadAsync({ nodes: rows(deed, NODES), edges: EDGES }),
  'edges of bulkLoadAsync': (db, deed) => db.bulkLoadAsync({ nodes: NODES, edges: rows(deed, EDGES) }),
  'onProgress of bulkLoadAsync': (db, deed) => db.bulkLoadAsync({ nodes: NODES, edges: EDGES }, { onProgress: deed }),
  'signal of bulkLoadAsync': (db, deed) => db.bulkLoadAsync({ nodes: NODES, edges: EDGES }, { signal: signal(deed) }),
};

const MINE = new Error('thrown by the callback');
const DEEDS: Record<string, (db: GraphDB) => void> = {
  throws: () => {
    throw MINE;
  },
  'closes the database': (db) => db.close(),
  'begins a transaction': (db) => db.beginTransaction().commit(),
  'runs a transaction': (db) => db.transaction((tx) => tx.addNode('Inner')),
  writes: (db) => db.addNode('Inner'),
  'takes a checkpoint': (db) => void db.checkpoint(),
  'runs the same again': () => undefined,
};

const CASES = [
  ...Object.keys(PLACES).map((name) => [name, false] as const),
  ...Object.keys(EMPTY).map((name) => [name, true] as const),
].flatMap(([name, empty]) => Object.keys(DEEDS).map((deed) => ({ name, empty, deed })));

describe('a callback may do what it likes', () => {
  it.each(CASES)('$name: it $deed', async ({ name, empty, deed }) => {
    const vfs = new MemoryVfs();
    const warnings: Warning[] = [];
    const open = (): GraphDB => GraphDB.open('g.db', { vfs, onWarning: (warning) => warnings.push(warning) });
    const db = open();
    const first = empty ? 0 : addTowns(db);
    const place = (empty ? EMPTY : PLACES)[name]!;
    let calls = 0;
    let again: Promise<unknown> | undefined;
    const act: Deed = () => {
      if ((calls += 1) > 1) return; // once: what it does must not call it again
      if (deed === 'runs the same again') again = Promise.resolve(place(db, act, first)).catch(expectCode);
      else DEEDS[deed]!(db);
    };
    let failure: unknown;
    try {
      await place(db, act, first);
    } catch (error) {
      failure = error;
    }
    expect(calls, 'the callback was called').toBeGreaterThan(0);
    if (deed === 'throws') expect(failure).toBe(MINE);
    else if (failure !== undefined) expectCode(failure);
    await again;

    if (!db.closed) {
      expect([db.inTransaction, db.stats().pager.snapshots]).toEqual([false, 0]);
      db.addNode('After');
      expect(db.nodeCount('After')).toBe(1);
    }
    for (let turns = 0; turns < 3; turns += 1) await turn();
    const other = open();
    await other.transactionAsync((tx) => tx.addNode('Other'));
    expect(other.nodeCount('Other')).toBe(1);
    expect(other.verifyIntegrity().errors).toEqual([]);
    other.close();
    db.close();
    expect(warnings).toEqual([]);
    expect(vfs.list('.')).toEqual(['g.db']);
  });
});

function expectCode(error: unknown): void {
  expect((error as { code?: unknown }).code, String(error)).toMatch(/^SOMBRA_/);
}

function addTowns(db: GraphDB): NodeId {
  return db.transaction((tx) => {
    const [a, b, c] = ['A', 'B', 'C'].map((name) => tx.addNode('Town', { name }));
    tx.addEdge(a!, b!, 'ROAD', { km: 1 });
    tx.addEdge(b!, c!, 'ROAD', { km: 2 });
    return a!;
  });
}
