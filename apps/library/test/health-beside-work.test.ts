// Goal: whether a database is well can be asked at any time: the question touches no file, takes no lock, reads no page, and is answered
// while long asynchronous work goes on in the same process.
// Method: every call of the file system is counted; a traversal and a checkpoint run until health has been asked fifty times.
import { MemoryVfs } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { FaultyVfs } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import { GraphDB } from '../src/index.ts';
import type { NodeId } from '../src/index.ts';

const NODES = 40_000;

/** A graph that takes many slices to walk. */
function opened(vfs: Vfs): { db: GraphDB; first: NodeId } {
  const db = GraphDB.open('g.db', { vfs });
  const nodes = Array.from({ length: NODES }, (_, id) => ({ id, labels: ['A'] }));
  const edges = nodes.flatMap(({ id }) =>
    [1, 7, 611].map((step) => ({ source: id, target: (id + step) % NODES, type: 'T' })),
  );
  db.bulkLoad({ nodes, edges });
  return { db, first: 1 as NodeId };
}

function pages(db: GraphDB): number[] {
  const { hits, misses, oldVersionHits } = db.stats().pager;
  return [hits, misses, oldVersionHits];
}

test('it opens nothing, locks nothing, reads no file and no page', () => {
  const vfs = new FaultyVfs(new MemoryVfs());
  const db = GraphDB.open('g.db', { vfs });
  db.transaction((tx) => tx.addNode('A'));
  const other = GraphDB.open('g.db', { vfs });
  const snapshot = other.snapshot();
  const [first, second] = [pages(db), pages(db)];
  const { calls } = vfs;
  for (let i = 0; i < 100; i += 1) expect(db.healthCheck().status).toBe('healthy');
  expect(vfs.calls).toBe(calls);
  // `stats` itself may look at pages.
  expect(pages(db)).toEqual(second.map((count, at) => 2 * count - first[at]!));
  snapshot.release();
  for (const each of [other, db]) each.close();
});

test('it is answered between the steps of a traversal and of a checkpoint, in no time of its own', async () => {
  const vfs = new FaultyVfs(new MemoryVfs());
  const { db, first } = opened(vfs);
  const checks = { duringTraversal: 0, duringCheckpoint: 0 };
  const own: number[] = [];
  const found: unknown[] = [];
  const running = { traversal: false, checkpoint: false };
  const enough = (): boolean => checks.duringTraversal >= 50 && checks.duringCheckpoint >= 5;
  const ask = (): void => {
    const { calls } = vfs;
    const begun = process.cpuUsage();
    const { status } = db.healthCheck();
    const { user, system } = process.cpuUsage(begun);
    own.push((user + system) / 1000);
    found.push([status, vfs.calls - calls]);
    if (running.traversal) checks.duringTraversal += 1;
    if (running.checkpoint) checks.duringCheckpoint += 1;
  };
  const asking = setInterval(ask, 1);
  const traverse = async (): Promise<void> => {
    while (!enough()) {
      running.traversal = true;
      expect(await db.bfsAsync(first)).toHaveLength(NODES);
      running.traversal = false;
    }
  };
  const checkpoint = async (): Promise<void> => {
    while (!enough()) {
      for (let i = 0; i < 200; i += 1) db.addNode('B', { text: 'x'.repeat(1000) });
      running.checkpoint = true;
      await db.checkpointAsync();
      running.checkpoint = false;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  await Promise.all([traverse(), checkpoint()]);
  clearInterval(asking);
  expect(found).toEqual(found.map(() => ['healthy', 0]));
  // Its own time, not that of the machine: half of them in less than 5 ms of the processor.
  expect(own.sort((a, b) => a - b)[own.length >> 1]).toBeLessThan(5);
  db.close();
});
