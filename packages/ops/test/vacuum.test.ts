// Goal: a compact copy holds the same and is smaller; in place a crash at any operation leaves the old database or the new one, whole; who
// writes meanwhile loses nothing.
// Method: graphs of which much was deleted, in memory and on a simulated disk that crashes at each operation.
import { Graph } from '@sombra/graph';
import { Pager, readFileHeader } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { CRASH_POLICIES, Random, SimCrash, SimDisk } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import { vacuumDatabase, vacuumInto, verifyDatabase } from '../src/index.ts';
import { everything, PAGE_SIZE, PATH } from './support/damage.ts';
import { contentOf } from './support/random-graph.ts';

/** Fills a database, and deletes most of it. */
function wasted(vfs: Vfs, nodes = 600): void {
  const pager = Pager.open({ vfs, path: PATH, pageSize: PAGE_SIZE });
  const graph = Graph.open(pager);
  graph.createPropertyIndex('Person', 'nr', { unique: true });
  const tx = graph.begin();
  const ids = Array.from({ length: nodes }, (_, nr) =>
    tx.addNode('Person', { nr, text: 'x'.repeat(nr % 9 === 0 ? 5000 : 200) }),
  );
  for (let nr = 0; nr < nodes; nr += 1) tx.addEdge(ids[nr]!, ids[(nr * 7) % nodes]!, 'KNOWS', { nr });
  tx.commit();
  const away = graph.begin();
  for (const id of ids) if (id % 10 !== 0) away.deleteNode(id, { cascade: true });
  away.commit();
  graph.createPropertyIndex('Person', 'text');
  graph.dropPropertyIndex('Person', 'text');
  pager.close();
}

/** What a database holds, and gives out next. */
function stateOf(vfs: Vfs, path = PATH): unknown {
  const pager = Pager.open({ vfs, path });
  try {
    const graph = Graph.open(pager);
    const { reader } = graph;
    const tx = graph.begin();
    const next = tx.addNode('X');
    tx.rollback();
    return {
      ...contentOf(reader),
      indexes: reader.propertyIndexes(),
      labels: reader.labelCounts(),
      types: reader.typeCounts(),
      next,
    };
  } finally {
    pager.close();
  }
}

test('a compact copy holds the same, under the same id and another timeline, and is much smaller', async () => {
  const vfs = new MemoryVfs();
  wasted(vfs);
  const before = everything(vfs);
  const result = await vacuumInto(PATH, 'compact.db', { vfs });
  expect(everything(vfs).get(PATH)).toBe(before.get(PATH));
  expect(vfs.list('.')).toEqual(['compact.db', PATH]);
  expect(result.sizeAfter).toBeLessThan(result.sizeBefore / 4);
  expect(vfs.stat('compact.db')!.size).toBe(result.sizeAfter);
  expect(await verifyDatabase('compact.db', { vfs })).toMatchObject({ isClean: true, warnings: [] });
  expect(stateOf(vfs, 'compact.db')).toEqual(stateOf(vfs));
  const [old, fresh] = [PATH, 'compact.db'].map((path) => readFileHeader(vfs, path).newest!);
  expect(fresh!.databaseId).toEqual(old!.databaseId);
  expect([fresh!.timeline === old!.timeline, fresh!.salt === old!.salt]).toEqual([false, false]);
});

test('beside a writer it holds the commit that was newest when it began', async () => {
  const vfs = new MemoryVfs();
  wasted(vfs, 3000);
  const pager = Pager.open({ vfs, path: PATH });
  const graph = Graph.open(pager);
  const before = contentOf(graph.reader);
  let commits = 0;
  const onProgress = (): void => {
    const tx = graph.begin(1000);
    tx.addNode('Late');
    tx.commit();
    commits += 1;
  };
  await vacuumInto(PATH, 'compact.db', { vfs, onProgress });
  expect(commits).toBeGreaterThan(0);
  expect([...graph.reader.nodes({ label: 'Late' })]).toHaveLength(commits);
  pager.close();
  const copy = Pager.open({ vfs, path: 'compact.db' });
  expect(contentOf(Graph.open(copy).reader)).toEqual(before);
  copy.close();
});

test('in place: the backup is the database as it was, the database is compact, and nothing else is left', async () => {
  const vfs = new MemoryVfs();
  wasted(vfs);
  const before = stateOf(vfs);
  const size = vfs.stat(PATH)!.size;
  const result = await vacuumDatabase(PATH, 'before.db', { vfs });
  expect(vfs.list('.')).toEqual(['before.db', PATH]);
  expect([result.backup, vfs.stat(PATH)!.size]).toEqual(['before.db', result.sizeAfter]);
  expect(result.sizeAfter).toBeLessThan(size / 4);
  expect(stateOf(vfs)).toEqual(before);
  expect(stateOf(vfs, 'before.db')).toEqual(before);
  expect((await verifyDatabase(PATH, { vfs })).isClean).toBe(true);
});

test('in place it is refused while another connection has the database, and while there is an archive', async () => {
  const vfs = new MemoryVfs();
  wasted(vfs, 50);
  const pager = Pager.open({ vfs, path: PATH });
  await expect(vacuumDatabase(PATH, 'before.db', { vfs, busyTimeoutMs: 0 })).rejects.toMatchObject({
    code: 'SOMBRA_BUSY',
  });
  pager.markArchived(0);
  pager.close();
  await expect(vacuumDatabase(PATH, 'before.db', { vfs })).rejects.toMatchObject({ code: 'SOMBRA_ARCHIVE_GAP' });
  expect(vfs.stat('before.db')).toBe(null);
});

test('a database that was used before it could be replaced stays as it is', async () => {
  const vfs = new MemoryVfs();
  wasted(vfs, 50);
  const onProgress = ({ phase }: { phase: string }): void => {
    if (phase !== 'publish') return;
    const pager = Pager.open({ vfs, path: PATH });
    const tx = Graph.open(pager).begin();
    tx.addNode('Late');
    tx.commit();
    pager.close();
  };
  await expect(vacuumDatabase(PATH, 'before.db', { vfs, onProgress })).rejects.toMatchObject({
    code: 'SOMBRA_DATABASE_CHANGED',
  });
  expect(vfs.list('.')).toEqual(['before.db', PATH]);
  expect(JSON.stringify(stateOf(vfs))).toContain('Late');
});

test('a signal ends it, and an existing target is refused; nothing is left', async () => {
  const vfs = new MemoryVfs();
  wasted(vfs, 50);
  const before = everything(vfs);
  const abort = new AbortController();
  abort.abort();
  await expect(vacuumDatabase(PATH, 'before.db', { vfs, signal: abort.signal })).rejects.toMatchObject({
    code: 'SOMBRA_ABORTED',
  });
  await expect(vacuumInto(PATH, PATH, { vfs })).rejects.toMatchObject({ code: 'SOMBRA_FILE_EXISTS' });
  for (const own of ['-wal', '-3-wal', '.tmp-1'])
    await expect(vacuumInto(PATH, PATH + own, { vfs })).rejects.toMatchObject({ code: 'SOMBRA_BACKUP_TARGET' });
  expect([...everything(vfs).keys()]).toEqual([...before.keys()]);
});

test('in place, a crash at any operation leaves the old database or the new one, whole', async () => {
  const base = new SimDisk({ seed: 1 });
  wasted(base, 40);
  const expected = stateOf(base);
  const start = base.ops;
  await vacuumDatabase(PATH, 'before.db', { vfs: base });
  const operations = base.ops - start;
  expect(operations).toBeGreaterThan(30);
  const seen = { old: 0, fresh: 0 };
  // The renaming is at the end: every operation there, and a sample of those before.
  for (let step = 1; step <= operations; step += step < operations - 14 ? 17 : 1) {
    const disk = new SimDisk({ seed: 1 });
    wasted(disk, 40);
    const { timeline } = readFileHeader(disk, PATH).newest!;
    disk.crashAt = disk.ops + step;
    await expect(vacuumDatabase(PATH, 'before.db', { vfs: disk })).rejects.toBeInstanceOf(SimCrash);
    const policies = CRASH_POLICIES.filter((_, at) => (at + step) % 4 === 0);
    for (const image of [disk.kill(), ...policies.map((policy) => disk.crash(policy, new Random(step)))]) {
      expect(stateOf(image)).toEqual(expected);
      if (readFileHeader(image, PATH).newest!.timeline === timeline) seen.old += 1;
      else seen.fresh += 1;
      if (image.stat('before.db') !== null) expect(stateOf(image, 'before.db')).toEqual(expected);
    }
  }
  expect(Math.min(seen.old, seen.fresh)).toBeGreaterThan(0);
});
