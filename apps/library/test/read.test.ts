// Goal: `read` shows one commit and lets go of it in every case; rows let go when they end, however they end, and refuse bad
// options at the call. Method: each way out, with the number of snapshots counted after it.
import { describe, expect, it } from 'vitest';
import type { GraphDB, Snapshot } from '../src/index.ts';
import { codeOf } from './support/codes.ts';
import { withMemory } from './support/open.ts';

function filled(db: GraphDB): void {
  db.transaction((tx) => {
    for (let i = 0; i < 300; i += 1) tx.addNode('P', { i });
    tx.addEdge(1, 2, 'T');
  });
}

const held = (db: GraphDB): number => db.stats().pager.snapshots;

describe('read', () => {
  it('shows one commit, and gives what the function returns', () => {
    withMemory((db) => {
      filled(db);
      const counts = db.read((view) => {
        const before = view.nodeCount();
        db.addNode('P');
        return [before, view.countNodes(), db.nodeCount()];
      });
      expect([counts, held(db)]).toEqual([[300, 300, 301], 0]);
    });
  });

  it('ends when the function throws, and what was kept of it is over', () => {
    withMemory((db) => {
      let kept: Snapshot | undefined;
      expect(() =>
        db.read((view) => {
          kept = view;
          throw new Error('mine');
        }),
      ).toThrow('mine');
      expect([held(db), codeOf(() => kept!.nodeCount())]).toEqual([0, 'SOMBRA_CLOSED']);
      expect(codeOf(() => db.read(5 as never))).toBe('SOMBRA_OPTION');
    });
  });

  it('ends with a promise, kept or broken', async () => {
    const { GraphDB: Database } = await import('../src/index.ts');
    const db = Database.open(':memory:');
    const count = db.read(async (view) => {
      await Promise.resolve();
      return view.nodeCount();
    });
    expect(held(db)).toBe(1);
    expect([await count, held(db)]).toEqual([0, 0]);
    await expect(db.read(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    expect(held(db)).toBe(0);
    db.close();
  });
});

describe('rows', () => {
  it('let go at their end, at the first, by return and by using', () => {
    withMemory((db) => {
      filled(db);
      expect([db.findNodes({ label: 'P' }).all().length, held(db)]).toEqual([300, 0]);
      expect([db.nodes().first()?.id, held(db)]).toEqual([1, 0]);
      const rows = db.findNodes({ label: 'P', where: { i: { gte: 5 } } });
      expect(held(db)).toBe(0);
      rows.next();
      expect(held(db)).toBe(1);
      expect([rows.all().length, rows.first(), held(db)]).toEqual([294, undefined, 0]);
      {
        using ids = db.nodeIds();
        ids.next();
        expect(held(db)).toBe(1);
      }
      expect(held(db)).toBe(0);
      for (const path of db.paths(1)) if (path.length > 0) break;
      expect([db.findNode({ label: 'P' })?.id, held(db)]).toEqual([1, 0]);
    });
  });

  it('refuse options at the call', () => {
    withMemory((db) => {
      filled(db);
      const calls = [
        () => db.findNodes({ lable: 'P' } as never),
        () => db.findEdges({ limit: -1 }),
        () => db.nodes({ limit: 0.5 }),
        () => db.edgeIds({ label: 'P' } as never),
        () => db.paths(1, undefined, { unique: 'all' as never }),
        () => db.allShortestPaths(1, 2, { maxDepth: -1 }),
      ];
      expect(calls.map(codeOf)).toEqual(calls.map(() => 'SOMBRA_OPTION'));
    });
  });
});
