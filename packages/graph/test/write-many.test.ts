// Goal: calls that write many things do all of it or nothing, find what is there already, and leave the transaction usable.
// Method: small graphs; each call with what it should do, and with a failure in its middle.
import { describe, expect, test } from 'vitest';
import { codeOf } from './support/errors.ts';
import { withGraph } from './support/open.ts';

describe('addMany', () => {
  test('adds nodes and edges that name them by ref, or others by id', () => {
    withGraph({}, (db) => {
      const old = db.write((tx) => tx.addNode('Old'));
      const { nodes, edges, refs } = db.write((tx) =>
        tx.addMany({
          nodes: [
            { ref: 'a', labels: 'Person', properties: { name: 'Ada' } },
            { labels: [] },
            { ref: 'b', labels: ['Person', 'Author'] },
          ],
          edges: [
            { source: 'a', target: 'b', type: 'KNOWS', properties: { since: 1 } },
            { source: 'b', target: old, type: 'KNOWS' },
            { source: 'a', target: 'a', type: 'SELF' },
          ],
        }),
      );
      expect([nodes, edges, [...refs]]).toEqual([
        [2, 3, 4],
        [1, 2, 3],
        [
          ['a', 2],
          ['b', 4],
        ],
      ]);
      const { reader } = db.graph;
      expect(reader.getNode(2)).toEqual({ id: 2, labels: ['Person'], properties: { name: 'Ada' } });
      expect([reader.neighbors(2), reader.neighbors(4), reader.nodeCount()]).toEqual([[4, 2], [old], 4]);
    });
  });

  test('takes everything back when a part fails, and the transaction goes on', () => {
    withGraph({}, (db) => {
      const tx = db.graph.begin();
      tx.addNode('Kept');
      const nodes = [{ ref: 'a', labels: 'New' }];
      const failures = [
        { nodes: [...nodes, ...nodes] },
        { nodes, edges: [{ source: 'a', target: 'b', type: 'T' }] },
        { nodes, edges: [{ source: 'a', target: 99, type: 'T' }] },
        { nodes: [...nodes, { labels: 'New', properties: { call: (() => 1) as never } }] },
        { nodes, edge: [] },
      ];
      expect(failures.map((input) => codeOf(() => tx.addMany(input)))).toEqual([
        'SOMBRA_REFERENCE',
        'SOMBRA_REFERENCE',
        'SOMBRA_NODE_NOT_FOUND',
        'SOMBRA_VALUE_KIND',
        'SOMBRA_OPTION',
      ]);
      expect([tx.nodeCount(), tx.nodeCount('New'), tx.edgeCount()]).toEqual([1, 0, 0]);
      expect(tx.addMany({})).toEqual({ nodes: [], edges: [], refs: new Map() });
      expect(tx.addNode('Kept')).toBe(2); // ids were given back
      tx.commit();
    });
  });

  test('an error of the source takes everything back, too', () => {
    withGraph({}, (db) => {
      const tx = db.graph.begin();
      const mine = new Error('source');
      const nodes = (function* () {
        yield { labels: 'New' };
        throw mine;
      })();
      expect(() => tx.addMany({ nodes })).toThrow(mine);
      expect(tx.nodeCount()).toBe(0);
      tx.rollback();
    });
  });
});

describe('upsertNode', () => {
  test('adds once, then updates, by the unique index', () => {
    withGraph({}, (db) => {
      db.graph.createPropertyIndex('Person', 'email', { unique: true });
      const tx = db.graph.begin();
      const match = { email: 'ada@example.org' };
      expect(tx.upsertNode('Person', match, { name: 'Ada', born: 1815 })).toEqual({ id: 1, created: true });
      expect(tx.upsertNode('Person', match, { name: 'Ada L.', born: null })).toEqual({ id: 1, created: false });
      expect(tx.upsertNode('Person', { email: 'alan@example.org' })).toEqual({ id: 2, created: true });
      expect(tx.upsertNode('Person', match)).toEqual({ id: 1, created: false });
      expect(tx.getNode(1)?.properties).toEqual({ email: 'ada@example.org', name: 'Ada L.' });
      expect(codeOf(() => tx.upsertNode('Person', { email: NaN }))).toBe('SOMBRA_OPTION');
      tx.commit();
    });
  });

  test('needs a unique index on exactly these properties, in any order', () => {
    withGraph({}, (db) => {
      db.graph.createPropertyIndex('Person', ['first', 'last'], { unique: true });
      db.graph.createPropertyIndex('Person', 'age');
      const tx = db.graph.begin();
      expect(tx.upsertNode('Person', { last: 'L', first: 'A' }).created).toBe(true);
      expect(tx.upsertNode('Person', { first: 'A', last: 'L' })).toEqual({ id: 1, created: false });
      const refused = [{ first: 'A' }, { age: 3 }, { first: 'A', last: 'L', age: 3 }, {}];
      expect(refused.map((match) => codeOf(() => tx.upsertNode('Person', match)))).toEqual(
        refused.map(() => 'SOMBRA_NO_UNIQUE_INDEX'),
      );
      expect(codeOf(() => tx.upsertNode('Animal', { first: 'A', last: 'L' }))).toBe('SOMBRA_NO_UNIQUE_INDEX');
      expect(tx.nodeCount()).toBe(1);
      tx.rollback();
    });
  });
});

describe('upsertNode, what is matched', () => {
  test('stays as it was asked for, whatever the properties say', () => {
    withGraph({}, (db) => {
      db.graph.createPropertyIndex('P', 'key', { unique: true });
      const tx = db.graph.begin();
      for (const created of [true, false, false])
        expect(tx.upsertNode('P', { key: 'a' }, { key: 'b', seen: created })).toEqual({ id: 1, created });
      expect(tx.getNode(1)?.properties).toEqual({ key: 'a', seen: false });
      tx.commit();
    });
  });

  test('is a value, even when it looks like conditions', () => {
    withGraph({}, (db) => {
      db.graph.createPropertyIndex('P', 'key', { unique: true });
      const tx = db.graph.begin();
      tx.addNode('P', { key: 'a' });
      expect(tx.upsertNode('P', { key: { ne: 'b' } }, { hit: true })).toEqual({ id: 2, created: true });
      expect(tx.upsertNode('P', { key: { ne: 'b' } })).toEqual({ id: 2, created: false });
      expect(tx.upsertNode('P', { key: { x: 1 } })).toEqual({ id: 3, created: true });
      expect(tx.getNode(1)?.properties).toEqual({ key: 'a' });
      tx.commit();
    });
  });
});

test('what is no input of a call is refused by name, and changes nothing', () => {
  withGraph({}, (db) => {
    db.graph.createPropertyIndex('P', 'key', { unique: true });
    const tx = db.graph.begin();
    const a = tx.addNode('P', { key: 1 });
    tx.addEdge(a, a, 'T');
    const wrong: [unknown, string][] = [
      [() => tx.upsertNode('P', null as never), 'SOMBRA_OPTION'],
      [() => tx.upsertEdge(a, a, undefined as never, { x: 1 }), 'SOMBRA_VALUE_KIND'],
      [() => tx.upsertEdge(a, a, ['T'] as never, { x: 1 }), 'SOMBRA_VALUE_KIND'],
      [() => tx.addMany({ nodes: 5 as never }), 'SOMBRA_OPTION'],
      [() => tx.addMany({ nodes: [{ labels: 'P' }], edges: null as never }), 'SOMBRA_OPTION'],
      [() => tx.addMany({ nodes: [null as never] }), 'SOMBRA_OPTION'],
      [() => tx.addMany({ nodes: [{ labels: 'P' }], edges: [7 as never] }), 'SOMBRA_OPTION'],
      [() => tx.addMany({ nodes: [{ ref: 1 as never, labels: 'P' }] }), 'SOMBRA_OPTION'],
    ];
    for (const [call, code] of wrong) expect(codeOf(call as () => unknown)).toBe(code);
    expect([tx.nodeCount(), tx.edgeCount(), tx.getEdge(1)?.properties]).toEqual([1, 1, {}]);
    tx.rollback();
  });
});

describe('upsertEdge', () => {
  test('adds once, then updates the first of that type and direction', () => {
    withGraph({}, (db) => {
      const tx = db.graph.begin();
      const [a, b, c] = [tx.addNode([]), tx.addNode([]), tx.addNode([])];
      for (let i = 0; i < 5; i += 1) tx.addEdge(a, c, 'T');
      tx.addEdge(b, a, 'T');
      tx.addEdge(a, b, 'U');
      const { id, created } = tx.upsertEdge(a, b, 'T', { weight: 1 });
      expect(created).toBe(true);
      expect(tx.upsertEdge(a, b, 'T', { since: 2 })).toEqual({ id, created: false });
      expect(tx.getEdge(id)).toEqual({ id, source: a, target: b, type: 'T', properties: { weight: 1, since: 2 } });
      tx.addEdge(a, b, 'T');
      expect(tx.upsertEdge(a, b, 'T', { weight: null })).toEqual({ id, created: false });
      expect(tx.upsertEdge(a, a, 'SELF').created).toBe(true);
      expect(tx.upsertEdge(a, a, 'SELF').created).toBe(false);
      expect(codeOf(() => tx.upsertEdge(a, 99, 'T'))).toBe('SOMBRA_NODE_NOT_FOUND');
      tx.commit();
    });
  });
});

describe('deleting many', () => {
  test('passes over what is not there, and counts', () => {
    withGraph({}, (db) => {
      const tx = db.graph.begin();
      const ids = Array.from({ length: 5 }, () => tx.addNode('N'));
      const edges = [tx.addEdge(1, 2, 'T'), tx.addEdge(2, 3, 'T'), tx.addEdge(4, 5, 'T')];
      expect(tx.deleteEdges([edges[0]!, 77, edges[0]!])).toBe(1);
      expect(codeOf(() => tx.deleteNodes(ids))).toBe('SOMBRA_NODE_HAS_EDGES');
      expect([tx.nodeCount(), tx.edgeCount()]).toEqual([5, 2]); // node 1 was taken back
      expect(tx.deleteNodes([1, 1, 2, 99], { cascade: true })).toBe(2);
      expect(tx.deleteNodes(tx.nodeIds('N'), { cascade: true })).toBe(3); // reads what it deletes
      expect([tx.nodeCount(), tx.edgeCount()]).toEqual([0, 0]);
      expect(codeOf(() => tx.deleteNodes(7 as never))).toBe('SOMBRA_OPTION');
      expect(codeOf(() => tx.deleteNodes([1.5]))).toBe('SOMBRA_ID_RANGE');
      expect(codeOf(() => tx.deleteNodes([], { casacde: true } as never))).toBe('SOMBRA_OPTION');
      tx.commit();
    });
  });
});
