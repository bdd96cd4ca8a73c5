// Goal: what salvage hands out is what was there, and all that is missing is in its report; without damage nothing is lost.
// Method: random graphs in memory of which random pages are damaged, the catalogue, roots of trees and the freelist among them.
import { Graph } from '@sombra/graph';
import { Pager, readFileHeader, rootsPage } from '@sombra/pager';
import type { MemoryVfs } from '@sombra/vfs';
import { expect, test } from 'vitest';
import { salvageDatabase, verifyDatabase } from '../src/index.ts';
import type { SalvageReport } from '../src/index.ts';
import { bytesOf, copyOf, everything, flip, PAGE_SIZE, PATH, peopleDatabase, withGraph } from './support/damage.ts';
import { checkSalvage } from './support/salvage-check.ts';
import { contentOf, numbers, randomDatabase } from './support/random-graph.ts';

const RUNS = Number(process.env['SOMBRA_RUNS'] ?? 12);
const SEED = Number(process.env['SOMBRA_SEED'] ?? 1);

test.each(Array.from({ length: RUNS }, (_, i) => SEED + i))('random pages are damaged, seed %i', async (seed) => {
  await checkSalvage(seed);
});

test('without damage nothing is lost: content, ids and indexes are the same', async () => {
  for (const seed of [101, 102, 103]) {
    const vfs = randomDatabase(seed, 150);
    const before = everything(vfs);
    const report = await salvageDatabase(PATH, 'new.db', { vfs });
    expect(report).toMatchObject({ isComplete: true, catalogue: true, names: [], damage: [], unprovenLeaves: 0 });
    for (const name of before.keys()) expect(everything(vfs).get(name)).toBe(before.get(name));
    expect(vfs.list('.')).toEqual([PATH, 'new.db']);
    const [old, fresh] = [PATH, 'new.db'].map((path) =>
      withGraph(vfs, path, ({ reader }) => ({
        ...contentOf(reader),
        indexes: reader.propertyIndexes(),
        counts: [reader.labelCounts(), reader.typeCounts()].map((list) => list.filter(({ count }) => count > 0)),
      })),
    );
    expect(fresh!.nodes).toEqual(old!.nodes);
    expect(fresh!.edges).toEqual(old!.edges);
    expect(fresh!.indexes).toEqual(old!.indexes);
    expect(nextIds(vfs, 'new.db')).toEqual(nextIds(vfs, PATH));
  }
});

test('the catalogue alone is damaged: everything is found by its pages', async () => {
  const vfs = randomDatabase(7, 150);
  const { nodes, edges } = withGraph(copyOf(vfs), PATH, ({ reader }) => contentOf(reader));
  flip(vfs, rootsPage(PAGE_SIZE) * PAGE_SIZE + 50);
  const report = await salvageDatabase(PATH, 'new.db', { vfs });
  expect(report).toMatchObject({ catalogue: false, unprovenLeaves: 0, names: [] });
  const found = withGraph(vfs, 'new.db', ({ reader }) => contentOf(reader));
  expect([found.nodes, found.edges]).toEqual([nodes, edges]);
});

test('names that are lost get placeholders, and the report says which', async () => {
  const vfs = peopleDatabase(20);
  const page = withPager(vfs, (pager) => pager.view.treeRoot(pager.view.findTree('dictionary')));
  flip(vfs, page * PAGE_SIZE + 200);
  const report = await salvageDatabase(PATH, 'new.db', { vfs });
  expect(report).toMatchObject({ isComplete: false, dictionaryDamaged: true });
  expect(report.names.map(({ placeholder }) => placeholder)).toContain('lost label 0');
  withGraph(vfs, 'new.db', ({ reader }) => {
    expect(reader.labels()).toEqual(['lost label 0', 'lost label 1']);
    expect(Object.values([...reader.nodes()][0]!.properties)).toContain('person 0');
  });
});

test('a dry run reports the same and writes nothing', async () => {
  const vfs = peopleDatabase(300);
  for (const page of [9, 14, 20]) flip(vfs, page * PAGE_SIZE + 200);
  const before = everything(vfs);
  const { target, dryRun, ...planned } = await salvageDatabase(PATH, 'dry.db', { vfs, dryRun: true });
  expect([target, dryRun, everything(vfs)]).toEqual(['dry.db', true, before]);
  const done: SalvageReport = await salvageDatabase(PATH, 'new.db', { vfs });
  expect(done).toMatchObject(planned);
});

test('what cannot be done leaves nothing', async () => {
  const vfs = peopleDatabase(50);
  const taken = vfs.open('taken.db', { write: true, create: true });
  taken.close();
  await expect(salvageDatabase(PATH, 'taken.db', { vfs })).rejects.toMatchObject({ code: 'SOMBRA_FILE_EXISTS' });
  await expect(salvageDatabase(PATH, `${PATH}-wal`, { vfs })).rejects.toMatchObject({ code: 'SOMBRA_BACKUP_TARGET' });
  await expect(salvageDatabase('none.db', 'new.db', { vfs })).rejects.toMatchObject({ code: 'SOMBRA_NOT_FOUND' });
  const abort = new AbortController();
  const stopped = salvageDatabase(PATH, 'new.db', { vfs, signal: abort.signal, onProgress: () => abort.abort() });
  await expect(stopped).rejects.toMatchObject({ code: 'SOMBRA_ABORTED' });
  for (const { offset } of readFileHeader(vfs, PATH).slots) flip(vfs, offset + 40);
  await expect(salvageDatabase(PATH, 'new.db', { vfs })).rejects.toMatchObject({ code: 'SOMBRA_SUPERBLOCK' });
  expect(vfs.list('.')).toEqual([PATH, 'taken.db']);
});

test('a log that is damaged: the commits before the damage are salvaged, and the report is not complete', async () => {
  const vfs = peopleDatabase(50);
  const pager = Pager.open({ vfs, path: PATH });
  const graph = Graph.open(pager);
  for (let i = 0; i < 20; i += 1) {
    const tx = graph.begin();
    tx.addNode('Late', { text: 'y'.repeat(300) });
    tx.commit();
  }
  const crashed = copyOf(vfs);
  pager.close();
  for (const name of crashed.list('.')) if (name.endsWith('-shm')) crashed.unlink(name);
  flip(crashed, Math.floor(bytesOf(crashed, `${PATH}-wal`).length / 64), `${PATH}-wal`);
  const report = await salvageDatabase(PATH, 'new.db', { vfs: crashed });
  expect(report.damage.map(({ code }) => code)).toContain('SOMBRA_WAL_DAMAGED');
  expect(report.isComplete).toBe(false);
  expect(report.nodes.found).toBeGreaterThanOrEqual(50);
  expect(report.nodes.found).toBeLessThan(70);
  expect((await verifyDatabase('new.db', { vfs: crashed })).isClean).toBe(true);
});

function nextIds(vfs: MemoryVfs, path: string): number[] {
  return withGraph(copyOf(vfs), path, (graph) => {
    const tx = graph.begin();
    const id = tx.addNode('X');
    const ids = [id, tx.addEdge(id, id, 'Y')];
    tx.rollback();
    return ids;
  });
}

function withPager<T>(vfs: MemoryVfs, use: (pager: Pager) => T): T {
  const pager = Pager.open({ vfs, path: PATH });
  try {
    return use(pager);
  } finally {
    pager.close();
  }
}

test('numbers of a seed are the same each time', () => {
  const [a, b] = [numbers(5), numbers(5)];
  expect(Array.from({ length: 9 }, () => a(100))).toEqual(Array.from({ length: 9 }, () => b(100)));
});
