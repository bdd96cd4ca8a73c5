// Goal: what the engine promises about ids, directions, multiplicity, transactions, snapshots and scans.
// Method: small graphs, each rule by itself.
import { describe, expect, test } from 'vitest';
import type { NodeRecord, PropertyValue, Where, WhereProperties } from '../src/index.ts';
import { compare } from './support/compare.ts';
import { codeOf } from './support/errors.ts';
import { ModelGraph } from './support/model.ts';
import { OpenGraph, withGraph } from './support/open.ts';
import { sameStored } from './support/values.ts';

describe('ids', () => {
  test('they count from 1; a committed id is never given out again, whatever is deleted', () => {
    withGraph({}, (db) => {
      const first = db.write((tx) => [tx.addNode([]), tx.addNode([]), tx.addEdge(1, 2, 'T'), tx.addEdge(2, 1, 'T')]);
      expect(first).toEqual([1, 2, 1, 2]);
      db.write((tx) => {
        tx.deleteEdge(2);
        tx.deleteNode(2, { cascade: true });
      });
      db.reopen();
      expect(db.write((tx) => [tx.addNode([]), tx.addEdge(1, 1, 'T')])).toEqual([3, 3]);
    });
  });

  test('an id that was deleted in its own transaction is used up once that commits', () => {
    withGraph({}, (db) => {
      db.write((tx) => tx.deleteNode(tx.addNode([])));
      expect(db.write((tx) => tx.addNode([]))).toBe(2);
    });
  });

  test('a rollback, a rollback to a savepoint, and an end without commit give uncommitted ids back', () => {
    withGraph({}, (db) => {
      const rolledBack = db.graph.begin();
      expect([rolledBack.addNode([]), rolledBack.addEdge(1, 1, 'T')]).toEqual([1, 1]);
      rolledBack.rollback();
      const tx = db.graph.begin();
      expect(tx.addNode([])).toBe(1);
      const mark = tx.savepoint();
      expect([tx.addNode([]), tx.addEdge(1, 2, 'T')]).toEqual([2, 1]);
      tx.rollbackTo(mark);
      expect([tx.addNode([]), tx.addEdge(1, 1, 'T')]).toEqual([2, 1]);
      tx.commit();
      const left = db.graph.begin();
      left.addNode([]);
      db.reopen();
      expect(db.write((again) => [again.addNode([]), again.addEdge(3, 3, 'T')])).toEqual([3, 2]);
    });
  });
});

describe('direction and multiplicity', () => {
  /** a -KNOWS-> b twice, b -LIKES-> a, a -KNOWS-> a. */
  function loops(db: OpenGraph): void {
    db.write((tx) => {
      const [a, b] = [tx.addNode('A'), tx.addNode('B')];
      tx.addEdge(a, b, 'KNOWS');
      tx.addEdge(a, b, 'KNOWS');
      tx.addEdge(b, a, 'LIKES');
      tx.addEdge(a, a, 'KNOWS');
    });
  }

  test('the default direction is out, everywhere', () => {
    withGraph({}, (db) => {
      loops(db);
      const { reader } = db;
      expect(reader.neighbors(1)).toEqual(reader.neighbors(1, { direction: 'out' }));
      expect(reader.edgeIdsOf(1)).toEqual([1, 2, 4]);
      expect(reader.edgesOf(2).map(({ id }) => id)).toEqual([3]);
      expect(reader.degree(2)).toBe(1);
      expect(reader.bfs(2)).toEqual([{ id: 2, depth: 0 }, { id: 1, depth: 1 }]); // prettier-ignore
      expect(reader.kHop(2, 1)).toEqual([1]);
      db.write((tx) => tx.addEdge(1, tx.addNode([]), 'KNOWS'));
      expect(reader.shortestPath(3, 1)).toBeUndefined();
      expect(reader.shortestPath(3, 1, { direction: 'in' })).toEqual({ nodes: [3, 1], edges: [5], length: 1 });
    });
  });

  test('one row per edge, unless distinct; parallel edges are edges of their own', () => {
    withGraph({}, (db) => {
      loops(db);
      const { reader } = db;
      expect(reader.neighbors(1)).toEqual([2, 2, 1]);
      expect(reader.neighbors(1, { distinct: true })).toEqual([2, 1]);
      expect(reader.neighbors(1, { distinct: true, limit: 1 })).toEqual([2]);
      expect(reader.neighbors(1, { limit: 2 })).toEqual([2, 2]);
      expect(reader.neighbors(1, { limit: 0 })).toEqual([]);
      db.write((tx) => tx.deleteEdge(1));
      expect(reader.edgeIdsOf(1)).toEqual([2, 4]);
    });
  });

  test('a self loop counts 2 in the degree over both directions, and is one edge in both', () => {
    withGraph({}, (db) => {
      loops(db);
      const { reader } = db;
      expect([
        reader.degree(1),
        reader.degree(1, { direction: 'in' }),
        reader.degree(1, { direction: 'both' }),
      ]).toEqual([3, 2, 5]);
      expect(reader.degree(1, { direction: 'both', type: 'KNOWS' })).toBe(4);
      expect(reader.edgeIdsOf(1, { direction: 'both' })).toEqual([1, 2, 4, 3]);
      expect(reader.neighbors(1, { direction: 'both' })).toEqual([2, 2, 1, 2]);
      expect(reader.edgeIdsOf(1, { direction: 'in' })).toEqual([3, 4]);
    });
  });

  test('outgoing and incoming are edgesOf with a direction', () => {
    withGraph({}, (db) => {
      loops(db);
      const { reader } = db;
      expect(reader.outgoing(1)).toEqual(reader.edgesOf(1));
      expect(reader.incoming(1)).toEqual(reader.edgesOf(1, { direction: 'in' }));
      expect(reader.outgoing(1, { type: 'KNOWS', limit: 2 }).map(({ id }) => id)).toEqual([1, 2]);
      expect(reader.incoming(1, { type: ['LIKES'] })).toEqual([
        { id: 3, source: 2, target: 1, type: 'LIKES', properties: {} },
      ]);
    });
  });

  test('types are one name or several; none that is known matches nothing', () => {
    withGraph({}, (db) => {
      loops(db);
      const { reader } = db;
      const ids = (type: string | string[]): number[] => reader.edgeIdsOf(1, { direction: 'both', type });
      expect([ids('KNOWS'), ids('LIKES'), ids(['LIKES', 'KNOWS']), ids(['LIKES', 'LIKES', 'NONE'])]).toEqual([
        [1, 2, 4],
        [3],
        [1, 2, 4, 3],
        [3],
      ]);
      expect([ids('NONE'), ids([]), ids('')]).toEqual([[], [], []]);
    });
  });
});

describe('deleting', () => {
  test('a cascade that no transaction has room for is refused before anything is changed, with what to do', () => {
    const db = new OpenGraph({ maxTransactionPages: 60, cacheSize: 200 });
    const EDGES = 20_000;
    db.graph.bulkLoad({
      nodes: Array.from({ length: EDGES + 1 }, () => ({ labels: 'N' })),
      edges: Array.from({ length: EDGES }, (_, i) => ({
        source: i % 2 ? 0 : i + 1,
        target: i % 2 ? i + 1 : 0,
        type: 'T',
      })),
    });
    const tx = db.graph.begin();
    const added = tx.addNode('M');
    for (const call of [() => tx.deleteNode(1, { cascade: true }), () => tx.deleteNodes([1], { cascade: true })]) {
      expect(call).toThrow(expect.objectContaining({ code: 'SOMBRA_TRANSACTION_PAGES' }));
      expect(call).toThrow(/node 1 has 20000 edges.*deleteEdges/);
    }
    expect([tx.state, tx.degree(1, { direction: 'both' }), tx.hasNode(added)]).toEqual(['active', EDGES, true]);
    tx.commit();
    for (let left = EDGES; left > 0; left -= 1000) {
      const part = db.graph.begin();
      part.deleteEdges(part.edgeIdsOf(1, { direction: 'both', limit: 1000 }));
      part.commit();
    }
    db.write((last) => last.deleteNode(1, { cascade: true }));
    expect([db.reader.nodeCount(), db.reader.edgeCount()]).toEqual([EDGES + 1, 0]);
    expect(db.graph.verifyIntegrity().errors).toEqual([]);
    db.pager.close();
  });

  test.each<[string, (i: number) => boolean]>([
    ['every other edge', (i) => i % 2 === 0],
    ['all but every seventh', (i) => i % 7 !== 0],
    ['one in a hundred', (i) => i % 100 === 99],
    ['a run in the middle', (i) => i > 900 && i < 2500],
    ['all', () => true],
  ])('a cascade takes its own edges out of the lists of types, and no other: %s', (_name, isOfHub) => {
    withGraph({ cacheSize: 64 }, (db) => {
      const rest: Record<string, number[]> = { T: [], U: [] };
      db.write((tx) => {
        for (let i = 0; i < 60; i += 1) tx.addNode('N');
        for (let i = 0; i < 3000; i += 1) {
          const type = i % 5 === 0 ? 'U' : 'T';
          const ends: [number, number] = isOfHub(i) ? [1, 2 + (i % 50)] : [2 + (i % 20), 30 + (i % 30)];
          const id = i % 3 === 0 ? tx.addEdge(ends[1], ends[0], type) : tx.addEdge(...ends, type);
          if (!isOfHub(i)) rest[type]!.push(id);
        }
      });
      const tx = db.graph.begin();
      tx.deleteNode(1, { cascade: true });
      for (const type of ['T', 'U']) expect([...tx.edgeIds(type)]).toEqual(rest[type]);
      rest['T']!.push(tx.addEdge(2, 3, 'T'));
      tx.commit();
      expect([...db.reader.edgeIds('T')]).toEqual(rest['T']);
      expect(db.problems()).toEqual([]);
    });
  });

  test('a node with edges stays unless cascade is asked for; then its edges go, from the other ends too', () => {
    withGraph({}, (db) => {
      const model = new ModelGraph();
      db.write((tx) => {
        for (let i = 0; i < 4; i += 1) expect(tx.addNode('N')).toBe(model.addNode(['N']));
        for (const [source, target] of [
          [1, 2],
          [2, 1],
          [1, 1],
          [3, 1],
          [1, 3],
          [2, 3],
        ] as const) {
          // prettier-ignore
          tx.addEdge(source, target, 'T');
          model.addEdge(source, target, 'T');
        }
      });
      const tx = db.graph.begin();
      const refused = (() => {
        try {
          tx.deleteNode(1, { cascade: false });
        } catch (error) {
          return error;
        }
        return undefined;
      })();
      expect(refused).toMatchObject({ code: 'SOMBRA_NODE_HAS_EDGES', details: { node: 1, degree: 6 } });
      expect(compare(tx, model)).toEqual([]);
      tx.deleteNode(1, { cascade: true });
      model.deleteNode(1);
      expect(compare(tx, model)).toEqual([]);
      tx.deleteNode(4);
      model.deleteNode(4);
      tx.commit();
      expect(compare(db.reader, model)).toEqual([]);
    });
  });
});

describe('transactions and snapshots', () => {
  test('a transaction sees its own writes; other readers do only after the commit', () => {
    withGraph({}, (db) => {
      db.write((tx) => tx.addNode('A', { v: 1 }));
      const tx = db.graph.begin();
      tx.setNodeProperty(1, 'v', 2);
      tx.addEdge(1, tx.addNode('B'), 'T');
      expect([tx.getNodeProperty(1, 'v'), tx.neighbors(1), tx.nodeCount(), tx.edgeCount('T')]).toEqual([2, [2], 2, 1]);
      expect([
        db.reader.getNodeProperty(1, 'v'),
        db.reader.neighbors(1),
        db.reader.nodeCount(),
        db.reader.edgeCount('T'),
      ]).toEqual([1, [], 1, 0]);
      const snapshot = db.graph.snapshot();
      const { lsn } = tx;
      expect(tx.commit()).toBe(lsn);
      expect([db.reader.getNodeProperty(1, 'v'), db.reader.neighbors(1)]).toEqual([2, [2]]);
      expect([snapshot.getNodeProperty(1, 'v'), snapshot.neighbors(1), snapshot.lsn]).toEqual([1, [], lsn - 1]);
      snapshot.release();
    });
  });

  test('a transaction without changes commits nothing', () => {
    withGraph({}, (db) => {
      const { lsn } = db.pager.view;
      expect(db.graph.begin().commit()).toBe(lsn);
      expect(db.pager.view.lsn).toBe(lsn);
    });
  });

  test('a transaction rolls back when it is disposed of', () => {
    withGraph({}, (db) => {
      const tx = db.graph.begin();
      tx.addNode('A');
      tx[Symbol.dispose]();
      expect([tx.state, db.reader.nodeCount()]).toEqual(['rolled-back', 0]);
    });
  });

  test('savepoints nest; one that was rolled back to stays, those after it are gone', () => {
    withGraph({}, (db) => {
      const tx = db.graph.begin();
      tx.addNode('A');
      const outer = tx.savepoint();
      tx.addNode('B');
      const inner = tx.savepoint();
      tx.addNode('C');
      tx.rollbackTo(inner);
      expect([tx.nodeCount(), tx.labels()]).toEqual([2, ['A', 'B']]);
      tx.addNode('D');
      tx.rollbackTo(outer);
      expect([tx.nodeCount(), codeOf(() => tx.rollbackTo(inner))]).toEqual([1, 'SOMBRA_SAVEPOINT']);
      tx.addNode('E');
      tx.rollbackTo(outer);
      const third = tx.savepoint();
      tx.addNode('F');
      tx.releaseSavepoint(third);
      expect(codeOf(() => tx.rollbackTo(third))).toBe('SOMBRA_SAVEPOINT');
      tx.releaseSavepoint(outer);
      tx.commit();
      expect([db.reader.labels(), db.reader.nodeCount('F')]).toEqual([['A', 'F'], 1]);
    });
  });

  test('snapshots keep their commit through changes, deletes and checkpoints', () => {
    withGraph({ cacheSize: 16 }, (db) => {
      const model = new ModelGraph();
      const kept: { snapshot: ReturnType<OpenGraph['graph']['snapshot']>; model: ModelGraph }[] = [];
      for (let round = 0; round < 6; round += 1) {
        db.write((tx) => {
          for (let i = 0; i < 40; i += 1) {
            const properties = { round, text: 'x'.repeat(i * 20) };
            tx.addNode(['N', `R${round}`], properties);
            const id = model.addNode(['N', `R${round}`], properties);
            tx.addEdge(id, 1 + (i % 2), 'T');
            model.addEdge(id, 1 + (i % 2), 'T');
          }
        });
        kept.push({ snapshot: db.graph.snapshot(), model: model.copy() });
        db.write((tx) => {
          const victim = round * 40 + 3;
          tx.deleteNode(victim, { cascade: true });
          model.deleteNode(victim);
        });
        if (round % 2 === 0) db.pager.checkpoint();
      }
      for (const { snapshot, model: then } of kept) expect(compare(snapshot, then)).toEqual([]);
      expect(compare(db.reader, model)).toEqual([]);
      for (const { snapshot } of kept) snapshot.release();
    });
  });
});

describe('properties', () => {
  test('set, update, replace and remove do as they say; null removes', () => {
    withGraph({}, (db) => {
      db.write((tx) => {
        const node = tx.addNode('A', { a: 1, b: null, c: undefined });
        expect(tx.getNode(node)!.properties).toEqual({ a: 1 });
        tx.setNodeProperty(node, 'b', [1, { x: 'y' }]);
        tx.updateNodeProperties(node, { a: 2, c: 'c' });
        expect(tx.getNode(node)!.properties).toEqual({ a: 2, b: [1, { x: 'y' }], c: 'c' });
        expect([
          tx.removeNodeProperty(node, 'a'),
          tx.removeNodeProperty(node, 'a'),
          tx.removeNodeProperty(node, 'toString'),
        ]).toEqual([true, false, false]);
        tx.setNodeProperty(node, 'c', null);
        tx.setNodeProperty(node, 'never', null);
        expect([tx.getNode(node)!.properties, tx.propertyKeys()]).toEqual([{ b: [1, { x: 'y' }] }, ['a', 'b', 'c']]);
        tx.replaceNodeProperties(node, { z: 1 });
        expect(tx.getNode(node)!.properties).toEqual({ z: 1 });
        const edge = tx.addEdge(node, node, 'T', { w: 1 });
        tx.setEdgeProperty(edge, 'w', 2n ** 60n);
        tx.updateEdgeProperties(edge, { v: new Date(5) });
        expect(tx.getEdge(edge)).toEqual({
          id: edge,
          source: node,
          target: node,
          type: 'T',
          properties: { w: 2n ** 60n, v: new Date(5) },
        });
        expect(tx.removeEdgeProperty(edge, 'w')).toBe(true);
        tx.replaceEdgeProperties(edge, {});
        expect(tx.getEdge(edge)!.properties).toEqual({});
      });
    });
  });

  test('records and values that lie in overflow pages come back, and give their pages back', () => {
    withGraph({ cacheSize: 16 }, (db) => {
      const large = { text: 'é'.repeat(50_000), bytes: new Uint8Array(100_000).fill(5), small: 1 };
      const [node, edge] = db.write((tx) => {
        const id = tx.addNode('A', large);
        return [id, tx.addEdge(id, id, 'T', large)];
      }) as [number, number];
      expect(sameStored(db.reader.getNode(node), { id: node, labels: ['A'], properties: large })).toBe(true);
      expect(
        sameStored(db.reader.getEdge(edge), { id: edge, source: node, target: node, type: 'T', properties: large }),
      ).toBe(true);
      expect([db.reader.getNodeProperty(node, 'small'), db.reader.getEdgeProperty(edge, 'small')]).toEqual([1, 1]);
      expect(db.reader.countNodes({ label: 'A', where: { small: 1n, bytes: large.bytes } as WhereProperties })).toBe(1);
      expect(db.write((tx) => [tx.addLabel(node, 'B'), tx.removeLabel(node, 'A')])).toEqual([true, true]);
      expect(sameStored(db.reader.getNode(node), { id: node, labels: ['B'], properties: large })).toBe(true);
      db.write((tx) => tx.replaceNodeProperties(node, {}));
      db.write((tx) => tx.deleteEdge(edge));
      expect(db.reader.getNode(node)!.properties).toEqual({});
    });
  });

  test("what a reader gives out is the caller's own", () => {
    withGraph({}, (db) => {
      db.write((tx) => tx.addEdge(tx.addNode(['A'], { list: [1, { a: 1 }], bytes: Uint8Array.of(1) }), 1, 'T'));
      const first = db.reader.getNode(1)!;
      first.labels.push('B');
      (first.properties['list'] as PropertyValue[]).push(2);
      (first.properties['bytes'] as Uint8Array)[0] = 9;
      db.reader.labels().push('C');
      db.reader.neighbors(1).push(7);
      expect(db.reader.getNode(1)).toEqual({
        id: 1,
        labels: ['A'],
        properties: { list: [1, { a: 1 }], bytes: Uint8Array.of(1) },
      });
      expect([db.reader.labels(), db.reader.neighbors(1)]).toEqual([['A'], [1]]);
    });
  });

  test('16 MiB go in and come out', () => {
    withGraph({ pageSize: 8192, maxTransactionPages: 10_000 }, (db) => {
      const text = 'abcdefgh'.repeat(2 * 1024 * 1024);
      db.write((tx) => tx.addNode('Big', { text }));
      expect(db.reader.getNodeProperty(1, 'text') === text).toBe(true);
      db.write((tx) => tx.deleteNode(1));
    });
  });
});

describe('labels', () => {
  test('none, one or several; repeated ones count once', () => {
    withGraph({}, (db) => {
      db.write((tx) => [tx.addNode([]), tx.addNode('A'), tx.addNode(['A', 'B', 'A'])]);
      expect([1, 2, 3].map((id) => db.reader.getNode(id)!.labels)).toEqual([[], ['A'], ['A', 'B']]);
      db.write((tx) => {
        expect([
          tx.addLabel(1, 'B'),
          tx.addLabel(1, 'B'),
          tx.removeLabel(3, 'A'),
          tx.removeLabel(3, 'A'),
          tx.removeLabel(3, 'None'),
        ]).toEqual([true, false, true, false, false]);
      });
      expect([[...db.reader.nodeIds('A')], [...db.reader.nodeIds('B')], [...db.reader.nodeIds()]]).toEqual([
        [2],
        [1, 3],
        [1, 2, 3],
      ]);
      expect(db.reader.nodeCount('B')).toBe(2);
    });
  });

  test('an index over many blocks takes ids in any order and loses none', () => {
    withGraph({ cacheSize: 16 }, (db) => {
      const count = 2000;
      db.write((tx) => {
        for (let i = 0; i < count; i += 1) tx.addNode([]);
      });
      const order = Array.from({ length: count }, (_, i) => ((i * 1237) % count) + 1);
      const members = new Set<number>();
      for (let from = 0; from < count; from += 250) {
        db.write((tx) => {
          for (const id of order.slice(from, from + 250)) {
            tx.addLabel(id, 'L');
            members.add(id);
          }
          for (const id of order.slice(Math.max(0, from - 100), from)) {
            tx.removeLabel(id, 'L');
            members.delete(id);
          }
        });
        expect([...db.reader.nodeIds('L')]).toEqual([...members].sort((a, b) => a - b));
        expect(db.problems()).toEqual([]);
      }
      db.write((tx) => {
        for (const id of members) tx.removeLabel(id, 'L');
      });
      expect([...db.reader.nodeIds('L')]).toEqual([]);
    });
  });

  test.each(['rollback', 'savepoint'] as const)(
    'an index that lost its last blocks has them back after a %s',
    (kind) => {
      withGraph({}, (db) => {
        db.write((tx) => {
          for (let i = 0; i < 600; i += 1) tx.addNode('L');
          for (let id = 50; id < 80; id += 1) tx.removeLabel(id, 'L'); // the first block has room again
        });
        const tx = db.graph.begin();
        const mark = tx.savepoint();
        for (let id = 100; id <= 600; id += 1) tx.removeLabel(id, 'L');
        tx.addNode('L');
        tx.addNode('L');
        if (kind === 'savepoint') tx.rollbackTo(mark);
        else tx.rollback();
        const again = kind === 'savepoint' ? tx : db.graph.begin();
        for (let i = 0; i < 3; i += 1) again.addNode('L');
        again.commit();
        expect([...db.reader.nodeIds('L')]).toEqual(
          Array.from({ length: 603 }, (_, i) => i + 1).filter((id) => id < 50 || id >= 80),
        );
      });
    },
  );
});

describe('scans', () => {
  test('an iterator of the reader holds the commit it began with; it lets go when it is left', () => {
    withGraph({}, (db) => {
      db.write((tx) => {
        for (let i = 0; i < 300; i += 1) tx.addNode('N', { i });
      });
      const iterator = db.reader.nodes({ label: 'N' });
      iterator.next();
      db.write((tx) => {
        for (let i = 2; i <= 300; i += 1) tx.deleteNode(i);
      });
      expect(db.pager.stats().snapshots).toBe(1);
      expect([...iterator].length).toBe(299);
      expect(db.pager.stats().snapshots).toBe(0);
      const firstOf = (rows: Iterable<unknown>): unknown => {
        for (const row of rows) return row;
        return undefined;
      };
      expect([firstOf(db.reader.nodes()), firstOf(db.reader.edgeIds())]).toEqual([db.reader.getNode(1), undefined]);
      expect(db.pager.stats().snapshots).toBe(0);
    });
  });

  test('an iterator of a transaction gives the rows that were there at its first one, whatever is changed meanwhile', () => {
    withGraph({}, (db) => {
      const tx = db.graph.begin();
      for (let i = 0; i < 300; i += 1) tx.addNode('N');
      const seen: number[] = [];
      for (const { id } of tx.nodes({ label: 'N' })) {
        seen.push(id);
        if (id <= 300) tx.addNode('N');
        if (id % 2 === 0) tx.deleteNode(id);
      }
      expect(seen).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
      expect(tx.nodeCount('N')).toBe(450);
      tx.commit();
    });
  });

  test('findNodes compares values, numbers whatever their kind; NaN matches nothing; a limit stops', () => {
    withGraph({}, (db) => {
      db.write((tx) => {
        tx.addNode('A', { n: 1, f: 0.5, t: 'x', nan: NaN, when: new Date(5) });
        tx.addNode('A', { n: 1, big: 2n ** 60n, list: [1, 2] });
        tx.addNode('B', { n: 1 });
      });
      const ids = (
        label: string | undefined,
        where: Where<NodeRecord>,
        options: { readonly limit?: number } = {},
      ): number[] =>
        db.reader
          .findNodes({ label, where, ...options })
          .all()
          .map(({ id }) => id);
      expect(ids('A', { n: 1 })).toEqual([1, 2]);
      expect(ids(undefined, { n: 1 })).toEqual([1, 2, 3]);
      expect(ids('A', { n: 1n })).toEqual([1, 2]);
      expect(ids('A', { big: 2 ** 60 })).toEqual([2]);
      expect(ids('A', { list: [1, 2] })).toEqual([2]);
      expect(ids('A', { when: new Date(5), t: 'x' })).toEqual([1]);
      expect(ids('A', { nan: NaN })).toEqual([]);
      expect(ids('A', { n: '1' })).toEqual([]);
      expect(ids('A', {})).toEqual([1, 2]);
      expect(ids(undefined, ({ properties }) => properties['f'] === 0.5)).toEqual([1]);
      expect(ids(undefined, { n: 1 }, { limit: 2 })).toEqual([1, 2]);
      expect(ids(undefined, { n: 1 }, { limit: 0 })).toEqual([]);
      expect(db.pager.stats().snapshots).toBe(0);
      expect(codeOf(() => ids('A', () => { throw new RangeError('mine'); }))).toBe('RangeError: mine'); // prettier-ignore
      expect(db.pager.stats().snapshots).toBe(0);
    });
  });

  test('a query inside a predicate does not disturb the scan around it', () => {
    withGraph({}, (db) => {
      db.write((tx) => {
        for (let i = 0; i < 200; i += 1) tx.addNode('N', { i });
        for (let i = 1; i < 200; i += 1) tx.addEdge(i, i + 1, 'T');
      });
      const where = ({ id }: NodeRecord): boolean =>
        db.reader.bfsLevels(id, { maxDepth: 2 }).length === 3 &&
        db.reader.findNodes({ label: 'N', where: { i: 3 } }).all().length === 1;
      const found = db.reader.findNodes({ label: 'N', where }).all();
      expect(found.length).toBe(198);
      const nested = [...db.reader.nodeIds('N')].filter((id) => [...db.reader.neighbors(id)].length > 0);
      expect(nested.length).toBe(199);
    });
  });
});

describe('edges between two nodes', () => {
  test('are those of either side, whichever has fewer edges', () => {
    withGraph({}, (db) => {
      const { hub, leaf, there, back } = db.write((tx) => {
        const [hub, leaf] = [tx.addNode([]), tx.addNode([])];
        for (let i = 0; i < 300; i += 1) tx.addEdge(hub, tx.addNode([]), i % 2 === 0 ? 'A' : 'B');
        const there = [tx.addEdge(hub, leaf, 'A'), tx.addEdge(hub, leaf, 'B'), tx.addEdge(hub, leaf, 'A')];
        return { hub, leaf, there, back: [tx.addEdge(leaf, hub, 'A'), tx.addEdge(hub, hub, 'A')] };
      });
      const { reader } = db.graph;
      const ids = (...given: Parameters<typeof reader.edgesBetween>): number[] =>
        reader.edgesBetween(...given).map(({ id }) => id);
      expect(ids(hub, leaf).sort()).toEqual(there);
      expect(ids(leaf, hub, { direction: 'in' }).sort()).toEqual(there);
      expect(ids(hub, leaf, { type: 'A' })).toEqual([there[0], there[2]]);
      expect(ids(hub, leaf, { type: 'A', limit: 1 })).toEqual([there[0]]);
      expect(ids(leaf, hub)).toEqual([back[0]]);
      expect(ids(leaf, hub, { direction: 'both' }).sort()).toEqual([...there, back[0]].sort());
      expect(ids(hub, hub, { direction: 'both' })).toEqual([back[1]]);
      expect([ids(hub, 9999), ids(9999, hub), ids(hub, leaf, { type: 'none' })]).toEqual([[], [], []]);
      expect(codeOf(() => reader.edgesBetween(hub, 0.5))).toBe('SOMBRA_ID_RANGE');
    });
  });
});
