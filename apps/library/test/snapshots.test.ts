// Goal: a snapshot shows one commit whatever is written meanwhile, iterators stream over one in bounded memory and let it
// go, and one that is forgotten is noticed. Method: databases in memory with tiny caches.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { GraphDB } from '../src/index.ts';
import type { GraphReads, Warning } from '../src/index.ts';
import { codeOf } from './support/codes.ts';
import { contentOf } from './support/content.ts';
import { expectSound, withMemory } from './support/open.ts';
import { addSmallGraph } from './support/small-graph.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Fills a database with a ring of so many nodes, in commits of 500. */
function addRing(db: GraphDB, count: number): void {
  for (let first = 0; first < count; first += 500) {
    db.transaction((tx) => {
      for (let i = first; i < Math.min(count, first + 500); i += 1) {
        const id = tx.addNode(i % 2 === 0 ? 'Even' : 'Odd', { number: i, text: `node number ${i}` });
        if (i > 0) tx.addEdge(id - 1, id, i % 2 === 0 ? 'UP' : 'ON');
      }
    });
  }
}

describe('a snapshot', () => {
  it('shows one commit, through writes, checkpoints and a cache that forgets', () => {
    withMemory(
      (db) => {
        addRing(db, 1500);
        const snapshot = db.snapshot();
        const { lsn } = db;
        const before = contentOf(snapshot);
        for (let round = 0; round < 20; round += 1) {
          db.transaction((tx) => {
            for (let i = 1; i <= 50; i += 1) {
              tx.setNodeProperty(round * 50 + i, 'text', `changed in round ${round}`);
              tx.deleteEdge(round * 50 + i);
              tx.addNode('New', { round });
            }
          });
          if (round % 5 === 0) db.checkpoint();
        }
        expect(contentOf(snapshot)).toEqual(before);
        expect([snapshot.lsn, snapshot.nodeCount(), db.nodeCount()]).toEqual([lsn, 1500, 2500]);
        expect(db.checkpoint()).toMatchObject({ lsn, newestLsn: db.lsn });
        snapshot.release();
        expect(db.checkpoint()).toMatchObject({ lsn: db.lsn });
      },
      { cacheSize: 16, maxTransactionPages: 2000 },
    );
  });

  it('taken inside a transaction shows what was committed before it', () => {
    withMemory((db) => {
      addSmallGraph(db);
      db.transaction((tx) => {
        tx.addNode('New');
        using snapshot = db.snapshot();
        expect([snapshot.nodeCount(), tx.nodeCount()]).toEqual([3, 4]);
      });
    });
  });

  it('is over once released; releasing again is harmless', () => {
    withMemory((db) => {
      const { ada } = addSmallGraph(db);
      const snapshot = db.snapshot();
      expect(db.stats().pager.snapshots).toBe(1);
      const iterator = snapshot.nodes();
      iterator.next();
      snapshot.release();
      snapshot.release();
      snapshot[Symbol.dispose]();
      expect(db.stats().pager.snapshots).toBe(0);
      expect(codeOf(() => snapshot.getNode(ada))).toBe('SOMBRA_CLOSED');
      expect(codeOf(() => [...iterator])).toBe('SOMBRA_CLOSED');
      expect(db.getNode(ada)?.id).toBe(ada);
    });
  });
});

describe('iterators of the database', () => {
  it('keep the commit they began with, and let it go at their end', () => {
    withMemory((db) => {
      addRing(db, 1000);
      const all = [...db.nodes()];
      let seen = 0;
      for (const node of db.nodes()) {
        expect(node).toEqual(all[seen]);
        seen += 1;
        if (seen % 100 === 0) {
          db.transaction((tx) => {
            tx.setNodeProperty(node.id + 1, 'number', -1);
            tx.addNode('Late');
          });
        }
        expect(db.stats().pager.snapshots).toBe(1);
      }
      expect(seen).toBe(1000);
      expect(db.stats().pager.snapshots).toBe(0);
      expect([...db.nodeIds('Late')]).toHaveLength(10);
    });
  });

  it.each<[string, (graph: GraphReads) => Iterable<unknown>, number]>([
    ['nodes', (graph) => graph.nodes(), 3],
    ['nodes of a label', (graph) => graph.nodes({ label: 'Person' }), 2],
    ['edges', (graph) => graph.edges(), 1],
    ['edges of a type', (graph) => graph.edges({ type: 'INSPIRED' }), 1],
    ['nodeIds', (graph) => graph.nodeIds('Person'), 2],
    ['edgeIds', (graph) => graph.edgeIds('INSPIRED'), 1],
  ])('%s: let go at the end, by break, by an error and by return', (_name, of, count) => {
    withMemory((db) => {
      addSmallGraph(db);
      const held = (): number => db.stats().pager.snapshots;
      expect([[...of(db)].length, held()]).toEqual([count, 0]);
      for (const item of of(db)) {
        expect([item === undefined, held()]).toEqual([false, 1]);
        break;
      }
      expect(held()).toBe(0);
      expect(() => {
        for (const item of of(db)) throw new Error(`at ${JSON.stringify(item)}`);
      }).toThrow('at ');
      expect(held()).toBe(0);
      const iterator = of(db)[Symbol.iterator]();
      expect([held(), iterator.next().done, held()]).toEqual([0, false, 1]);
      expect([iterator.return?.().done, held(), iterator.next()]).toEqual([true, 0, { done: true, value: undefined }]);
      using snapshot = db.snapshot();
      db.transaction((tx) => {
        expect([...of(tx)]).toEqual([...of(snapshot)]);
        expect([...of(tx)]).toEqual([...of(db)]);
      });
      expect(held()).toBe(1);
    });
  });

  it('refuse a wrong option without keeping anything', () => {
    withMemory((db) => {
      addSmallGraph(db);
      expect(codeOf(() => [...db.nodes({ lable: 'Person' } as never)])).toBe('SOMBRA_OPTION');
      expect(codeOf(() => [...db.edges({ label: 'Person' } as never)])).toBe('SOMBRA_OPTION');
      expect(db.stats().pager.snapshots).toBe(0);
    });
  });

  it('are iterators as generators are', () => {
    withMemory((db) => {
      const prototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;
      expect(prototype.isPrototypeOf(db.nodes())).toBe(true);
      const iterator = db.nodes();
      expect(iterator[Symbol.iterator]()).toBe(iterator);
    });
  });

  it('stream: memory does not grow with what is read', () => {
    withMemory(
      (db) => {
        for (let i = 0; i < 60; i += 1) {
          db.transaction((tx) => {
            for (let j = 0; j < 200; j += 1) tx.addNode('Big', { payload: 'x'.repeat(2000) });
          });
        }
        collectGarbage();
        const before = process.memoryUsage();
        let most = 0;
        let seen = 0;
        for (const { properties } of db.nodes()) {
          seen += (properties['payload'] as string).length === 2000 ? 1 : 0;
          if (seen % 2000 !== 0) continue;
          collectGarbage();
          const now = process.memoryUsage();
          most = Math.max(most, now.heapUsed + now.arrayBuffers - before.heapUsed - before.arrayBuffers);
        }
        expect(seen).toBe(12_000);
        expect(most).toBeLessThan(4 * 1024 * 1024); // of 24 MB that were read
      },
      { cacheSize: 64 },
    );
  });
});

describe('what was dropped', () => {
  it.each<[string, (db: GraphDB) => unknown]>([
    ['snapshot', (db) => db.snapshot().nodeCount()],
    ['iterator', (db) => db.nodes().next()],
  ])('a %s is let go and told about', async (_name, drop) => {
    const warnings: Warning[] = [];
    const db = GraphDB.open(':memory:', { onWarning: (warning) => warnings.push(warning) });
    addSmallGraph(db);
    (() => {
      drop(db);
    })();
    expect(db.stats().pager.snapshots).toBe(1);
    for (let turn = 0; turn < 200 && warnings.length === 0; turn += 1) {
      collectGarbage();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(warnings.map(({ code }) => code)).toEqual(['SOMBRA_SNAPSHOT_LEAKED']);
    expect(db.stats().pager.snapshots).toBe(0);
    db.addNode('After');
    expect(db.checkpoint().lsn).toBe(db.lsn);
    expectSound(db);
    db.close();
  });
});
