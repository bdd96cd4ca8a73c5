// Goal: finds, indexes, algorithms and writes of many things are reached through a database, its snapshots and its transactions
// alike, see what each of them should see, and let go of what they hold. Method: small graphs; the same question to all three.
import { describe, expect, it } from 'vitest';
import { and, GraphDB, not, or } from '../src/index.ts';
import type { GraphReads, Warning } from '../src/index.ts';
import { codeOf, thrownBy } from './support/codes.ts';
import { expectSound, withMemory } from './support/open.ts';

/** 100 people in a ring, of age 0 to 49 twice; even ones are Member, too. */
function addPeople(db: GraphDB): void {
  db.transaction((tx) => {
    const ids = Array.from({ length: 100 }, (_, at) =>
      tx.addNode(at % 2 === 0 ? ['Person', 'Member'] : 'Person', { name: `p${at}`, age: at % 50, even: at % 2 === 0 }),
    );
    ids.forEach((id, at) => tx.addEdge(id, ids[(at + 1) % 100]!, 'NEXT', { step: at, weight: 1 + (at % 3) }));
  });
}

/** Answers of one reader. Both paths, with an index and without, have to give the same. */
function answers(graph: GraphReads): unknown {
  const where = and(
    { age: { between: [10, 12] } },
    or({ even: true }, { name: { startsWith: 'p6' } }),
    not({ age: 11 }),
  );
  return {
    find: [...graph.findNodes({ label: 'Person', where, orderBy: { key: 'age', descending: true } })].map(
      ({ id }) => id,
    ),
    page: [...graph.findNodes({ label: 'Person', orderBy: ['age', 'name'], skip: 3, limit: 2, select: ['name'] })],
    list: graph
      .findNodes({ label: 'Member', where: { age: 20 } })
      .all()
      .map(({ id }) => id),
    edges: [...graph.findEdges({ type: 'NEXT', where: { step: { gte: 98 } } })].map(({ id }) => id),
    counts: [graph.countNodes({ label: 'Person', where: { age: { lt: 3 } } }), graph.countEdges({ type: 'NEXT' })],
    first: [...graph.nodes({ label: 'Member', limit: 2 })].map(({ id }) => id),
    last: [...graph.nodeIds({ reverse: true, limit: 2 })],
    range: [...graph.edgeIds({ type: 'NEXT', from: 40, to: 42 })],
    names: [graph.labelCounts(), graph.typeCounts()],
    expand: graph.expand(1).map(({ edge, node }) => [edge.id, node.id]),
    levels: graph.levels(1, { maxDepth: 2 }),
    dfs: graph.dfs(1, { maxDepth: 2 }).map(({ id }) => id),
    paths: [...graph.paths(1, 3, { maxLength: 5 })].map(({ nodes }) => nodes),
    shortest: [...graph.allShortestPaths(1, 3)].length,
    best: graph.kShortestPaths(1, 4, 2, { weight: 'weight', direction: 'both' }).map(({ weight }) => weight),
    distances: graph.distances(1, { maxDepth: 2 }).length,
    components: graph.components().count,
    triangles: graph.triangles().total,
    ranks: graph.pageRank().perNode.top(1).length,
    degrees: graph.degreeDistribution(),
    cycle: graph.findCycle()?.length,
    order: codeOf(() => graph.topologicalOrder()),
  };
}

describe('the same question', () => {
  it('gets the same answer from a database, a snapshot and a transaction, with indexes and without', async () => {
    const db = GraphDB.open(':memory:');
    addPeople(db);
    const expected = answers(db) as { find: number[]; order: string; components: number };
    expect(expected.find).toEqual([13, 63, 11, 61]);
    expect([expected.order, expected.components]).toEqual(['SOMBRA_CYCLE', 1]);
    expect(db.createPropertyIndex('Person', 'age')).toBe(true);
    expect(db.createPropertyIndex('Person', ['even', 'name'])).toBe(true);
    expect(db.createEdgePropertyIndex('NEXT', 'step')).toBe(true);
    expect(db.createPropertyIndex('Person', 'age')).toBe(false);
    expect(answers(db)).toEqual(expected);
    const snapshot = db.snapshot();
    const tx = db.beginTransaction();
    expect([answers(snapshot), answers(tx)]).toEqual([expected, expected]);
    expect(db.explainNodes({ label: 'Person', where: { age: 3 } })).toMatchObject({
      access: 'index-equality',
      index: { on: 'node', name: 'Person', keys: ['age'] },
    });
    expect(db.explainEdges({ type: 'NEXT', where: { step: { gt: 97 } } }, { analyze: true })).toMatchObject({
      access: 'index-range',
      rowsMatched: 2,
    });
    expect((await db.componentsAsync()).count).toBe(1);
    expect((await db.pageRankAsync()).perNode.top(3)).toEqual(db.pageRank().perNode.top(3));
    tx.rollback();
    snapshot.release();
    expectSound(db);
    db.close();
  });

  it('is answered by what each of them sees', () => {
    withMemory((db) => {
      addPeople(db);
      db.createPropertyIndex('Person', 'age');
      const snapshot = db.snapshot();
      const tx = db.beginTransaction();
      tx.setNodeProperty(1, 'age', 1000);
      const old = (graph: GraphReads): number => graph.countNodes({ label: 'Person', where: { age: { gte: 1000 } } });
      expect([old(db), old(snapshot), old(tx)]).toEqual([0, 0, 1]);
      tx.commit();
      expect([old(db), old(snapshot)]).toEqual([1, 0]);
      snapshot.release();
    });
  });
});

describe('indexes', () => {
  it('are listed, unique, kept, dropped, and are there after an open', () => {
    withMemory((db) => {
      addPeople(db);
      const phases = new Set<string>();
      db.createPropertyIndex('Person', 'name', { unique: true, onProgress: ({ phase }) => phases.add(phase) });
      expect(phases.has('records')).toBe(true);
      expect(db.propertyIndexes()).toEqual([
        { on: 'node', name: 'Person', keys: ['name'], unique: true, entries: 100 },
      ]);
      const error = thrownBy(() => db.addNode('Person', { name: 'p7' }));
      expect([error.name, error.code]).toEqual(['DataError', 'SOMBRA_UNIQUE']);
      expect(db.nodeCount()).toBe(100);
      expect(thrownBy(() => db.createPropertyIndex('Person', 'age', { unique: true })).code).toBe('SOMBRA_UNIQUE');
      expect(db.dropPropertyIndex('Person', 'age')).toBe(false);
      expect(db.upsertNode('Person', { name: 'p7' }, { age: 7000 })).toEqual({ id: 8, created: false });
      expect(db.upsertNode('Person', { name: 'new' })).toMatchObject({ created: true });
      expect(db.dropPropertyIndex('Person', 'name')).toBe(true);
      expect(db.propertyIndexes()).toEqual([]);
      expect(db.addNode('Person', { name: 'p7' })).toBeGreaterThan(100);
      expect(codeOf(() => db.upsertNode('Person', { name: 'p7' }))).toBe('SOMBRA_NO_UNIQUE_INDEX');
    });
  });

  it('are made by themselves, not inside a transaction', () => {
    withMemory((db) => {
      addPeople(db);
      db.transaction(() => {
        expect(codeOf(() => db.createPropertyIndex('Person', 'age'))).toBe('SOMBRA_TRANSACTION_ACTIVE');
        expect(codeOf(() => db.dropEdgePropertyIndex('NEXT', 'step'))).toBe('SOMBRA_TRANSACTION_ACTIVE');
      });
      const tx = db.beginTransaction();
      expect(codeOf(() => db.createEdgePropertyIndex('NEXT', 'step'))).toBe('SOMBRA_BUSY');
      tx.rollback();
      expect(db.createEdgePropertyIndex('NEXT', 'step')).toBe(true);
      expect(db.dropEdgePropertyIndex('NEXT', 'step')).toBe(true);
    });
  });
});

describe('many at once', () => {
  it('is a transaction on a database, and a part of one in a transaction', () => {
    withMemory((db) => {
      const { nodes, refs } = db.addMany({
        nodes: [{ ref: 'a', labels: 'N' }, { labels: 'N' }],
        edges: [{ source: 'a', target: 'a', type: 'SELF' }],
      });
      expect([nodes, refs.get('a'), db.edgeCount()]).toEqual([[1, 2], 1, 1]);
      expect(codeOf(() => db.addMany({ edges: [{ source: 'a', target: 1, type: 'T' }] }))).toBe('SOMBRA_REFERENCE');
      db.transaction((tx) => {
        expect(tx.upsertEdge(1, 2, 'T', { x: 1 }).created).toBe(true);
        expect(tx.upsertEdge(1, 2, 'T', { x: 2 }).created).toBe(false);
        expect(tx.deleteEdges(tx.edgeIdsOf(1, { type: 'SELF' }))).toBe(1);
      });
      expect(db.upsertEdge(1, 2, 'T')).toMatchObject({ created: false });
      expect(db.deleteEdges([...db.edgeIds('T')])).toBe(1);
      expect(db.deleteNodes(db.nodeIds('N'))).toBe(2);
      expect([db.nodeCount(), db.edgeCount()]).toEqual([0, 0]);
    });
  });
});

describe('an iterator of a find', () => {
  it('keeps the commit it began with, and lets go of it at its end, by break and by error', () => {
    const warnings: Warning[] = [];
    const db = GraphDB.open(':memory:', { onWarning: (warning) => warnings.push(warning) });
    addPeople(db);
    const snapshots = (): number => db.stats().pager.snapshots;
    const before = snapshots();
    const iterator = db.findNodes({ label: 'Person', where: { age: 3 } });
    expect(snapshots()).toBe(before);
    expect(iterator.next().value).toMatchObject({ id: 4 });
    expect(snapshots()).toBe(before + 1);
    db.setNodeProperty(54, 'age', 4);
    expect([...iterator].map(({ id }) => id)).toEqual([54]);
    expect(snapshots()).toBe(before);
    for (const path of db.paths(1)) if (path.length === 0) break;
    for (const edge of db.findEdges({ type: 'NEXT' })) if (edge.id === 2) break;
    expect(() => [...db.findNodes({ where: () => thrownError() })]).toThrowError('mine');
    expect(codeOf(() => [...db.findNodes({ lable: 'Person' } as never)])).toBe('SOMBRA_OPTION');
    expect(snapshots()).toBe(before);
    db.close();
    expect(warnings).toEqual([]);
  });
});

function thrownError(): never {
  throw new Error('mine');
}
