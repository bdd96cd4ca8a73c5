// Goal: a plan says how several labels or types are read, and what would make a find faster. Method: small graphs with and without
// indexes; the plan, and the rows that the find gives.
import { describe, expect, it } from 'vitest';
import { GraphDB, or } from '../src/index.ts';

function open(): GraphDB {
  const db = GraphDB.open(':memory:');
  db.transaction((tx) => {
    for (let i = 0; i < 50; i += 1) tx.addNode(i % 2 === 0 ? 'Even' : 'Odd', { n: i });
    for (let i = 1; i <= 10; i += 1) tx.addEdge(i, i + 1, i % 2 === 0 ? 'UP' : 'DOWN', { n: i });
  });
  return db;
}

describe('the plan of a find of several labels or types', () => {
  it('is a union with a part for each, by indexes where there are such', () => {
    const db = open();
    const query = { label: { any: ['Even', 'Odd'] }, where: { n: { lt: 4 } } } as const;
    const scanned = db.explainNodes(query, { analyze: true });
    expect(scanned.parts?.map(({ access }) => access)).toEqual(['label-scan', 'label-scan']);
    db.createPropertyIndex('Even', 'n');
    db.createPropertyIndex('Odd', 'n');
    const plan = db.explainNodes(query, { analyze: true });
    expect(plan.access).toBe('union');
    expect(plan.parts?.map(({ index }) => index?.name)).toEqual(['Even', 'Odd']);
    expect(plan.rowsMatched).toBe(4);
    expect(db.findNodes(query).all()).toHaveLength(4);
    const edges = db.explainEdges({ type: ['UP', 'DOWN'], where: { n: 3 } }, { analyze: true });
    expect([edges.parts?.length, edges.rowsMatched]).toEqual([2, 1]);
    db.close();
  });
});

describe('the hint of a plan', () => {
  it('names the label or type whose index a find passes by, and is not there when nothing is to be gained', () => {
    const db = open();
    expect(db.explainNodes({ where: { n: 3 } }).hint).toBeUndefined();
    db.createPropertyIndex('Odd', 'n');
    db.createEdgePropertyIndex('UP', 'n');
    expect(db.explainNodes({ where: { n: 3 } }).hint).toMatch(/index on n of 'Odd': give the label/);
    expect(db.explainEdges({ where: { n: { gte: 3 } } }).hint).toMatch(/index on n of 'UP': give the type/);
    expect(db.explainNodes({ label: 'Odd', where: { n: 3 } }).hint).toBeUndefined();
    expect(db.explainNodes({ where: or({ n: 3 }, { m: 4 }) }).hint).toBeUndefined();
    expect(db.explainNodes({ where: { m: 3 } }).hint).toBeUndefined();
    db.close();
  });
});
