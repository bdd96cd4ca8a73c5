// Goal: a database file in any state is checked without changing it; damage is named by kind and page, and counted once.
// Method: a graph in memory whose superblock, log, catalogue, dictionary or pages are damaged, or which is cut; every file is compared
// before and after.
import { Graph } from '@sombra/graph';
import { Pager, readFileHeader, rootsPage } from '@sombra/pager';
import { IoError, MemoryVfs } from '@sombra/vfs';
import type { OpenMode, VfsFile } from '@sombra/vfs';
import { expect, test } from 'vitest';
import { verifyDatabase } from '../src/index.ts';
import type { DatabaseReport, VerifyDatabaseOptions } from '../src/index.ts';
import { bytesOf, copyOf, everything, flip, PAGE_SIZE, PATH, peopleDatabase } from './support/damage.ts';

/** Checks, and proves that nothing was changed. */
async function verify(vfs: MemoryVfs, options: VerifyDatabaseOptions = {}): Promise<DatabaseReport> {
  const before = everything(vfs);
  const report = await verifyDatabase(PATH, { vfs, ...options });
  expect(everything(vfs)).toEqual(before);
  return report;
}

const SOUND = peopleDatabase();
/** As `SOUND`, after a commit more: both slots of the superblock are in use. */
const USED = copyOf(SOUND);
reopen(USED);

const KINDS = [
  'headerErrors',
  'logErrors',
  'checksumFailures',
  'structureErrors',
  'recordErrors',
  'adjacencyErrors',
  'indexErrors',
] as const;

/** What was found, by kind. */
function found(report: DatabaseReport): [string, number][] {
  return KINDS.map((kind): [string, number] => [kind, report[kind]]).filter(([, count]) => count > 0);
}

test('a sound database is clean, however much is checked', async () => {
  const vfs = copyOf(SOUND);
  const full = await verify(vfs);
  expect(full).toMatchObject({
    isClean: true,
    complete: true,
    checkedNodes: 200,
    checkedEdges: 400,
    errors: [],
    warnings: [],
  });
  for (const depth of ['fast', 'checksums'] as const)
    expect(await verify(vfs, { depth })).toMatchObject({
      isClean: true,
      depth,
      checkedNodes: 0,
      checkedPages: full.checkedPages,
    });
});

test('each damaged page is one finding with its number, whatever leads through it', async () => {
  const pages = bytesOf(SOUND).length / PAGE_SIZE;
  let complete = 0;
  for (let page = rootsPage(PAGE_SIZE); page < pages; page += 1) {
    const vfs = copyOf(SOUND);
    flip(vfs, page * PAGE_SIZE + 100);
    const report = await verify(vfs);
    if (report.isClean) continue; // a free page
    expect([page, found(report), report.findings.map((finding) => finding.page)]).toEqual([
      page,
      [['checksumFailures', 1]],
      [page],
    ]);
    expect(await verify(vfs, { depth: 'fast' })).toMatchObject({ checksumFailures: 1, findingCount: 1 });
    if (report.complete) complete += 1;
  }
  expect(complete).toBeGreaterThan(20);
});

test.each([
  ['a slot of the superblock', flipOlderSlot, 'headerErrors', 'SOMBRA_SUPERBLOCK_SLOT'],
  ['the end of the file', cut, 'checksumFailures', 'SOMBRA_FILE_TRUNCATED'],
] as const)('%s', async (_name, damage, kind, code) => {
  const vfs = copyOf(USED);
  damage(vfs);
  const report = await verify(vfs);
  expect(report.isClean).toBe(false);
  expect(report[kind]).toBeGreaterThan(0);
  expect(report.findings.map((finding) => finding.code)).toContain(code);
});

test('both slots of the superblock', async () => {
  const vfs = copyOf(USED);
  flip(vfs, 40);
  flip(vfs, 4096 + 40);
  const report = await verify(vfs);
  expect([found(report), report.commit, report.complete]).toEqual([[['headerErrors', 2]], null, false]);
});

test('the log, of which the part before the damage is read', async () => {
  const vfs = copyOf(SOUND);
  leaveLog(vfs);
  const log = bytesOf(vfs, `${PATH}-wal`);
  flip(vfs, 4096 + 60, `${PATH}-wal`);
  expect(log.length).toBeGreaterThan(4200);
  const report = await verify(vfs);
  expect([found(report), report.complete]).toEqual([[['logErrors', 1]], true]);
});

test('more findings than are wanted are counted', async () => {
  const vfs = peopleDatabase(1000);
  for (let page = 10; page < 40; page += 1) flip(vfs, page * PAGE_SIZE + 100);
  const few = await verify(vfs, { maxErrors: 3 });
  expect([few.findings.length, few.errors.length, few.findingCount]).toEqual([3, 3, 30]);
  expect((await verify(vfs)).findings).toHaveLength(16);
  expect((await verify(vfs, { maxErrors: 0 })).findings).toHaveLength(30);
});

test('a file and a folder that may not be written', async () => {
  class ReadOnlyVfs extends MemoryVfs {
    readOnly = false;
    override open(path: string, mode: OpenMode): VfsFile {
      if (mode.write && this.readOnly)
        throw new IoError('SOMBRA_PERMISSION', `open of ${path} failed with EROFS`, { details: { errno: 'EROFS' } });
      return super.open(path, mode);
    }
  }
  const vfs = new ReadOnlyVfs();
  copyOf(SOUND, vfs);
  leaveLog(vfs);
  flip(vfs, 12 * PAGE_SIZE + 100);
  vfs.readOnly = true;
  expect(found(await verify(vfs))).toEqual([['checksumFailures', 1]]);
});

test('options that make no sense are refused', async () => {
  const vfs = peopleDatabase(1);
  for (const options of [{ depth: 'deep' }, { maxErrors: -1 }, { busyTimeoutMs: 0.5 }, { quick: true }])
    await expect(verifyDatabase(PATH, { vfs, ...options } as never)).rejects.toMatchObject({ code: 'SOMBRA_OPTION' });
  await expect(verifyDatabase('none.db', { vfs })).rejects.toMatchObject({ code: 'SOMBRA_NOT_FOUND' });
});

test('a signal ends it', async () => {
  const vfs = copyOf(SOUND);
  const abort = new AbortController();
  const running = verifyDatabase(PATH, { vfs, signal: abort.signal, onProgress: () => abort.abort() });
  await expect(running).rejects.toMatchObject({ code: 'SOMBRA_ABORTED' });
  reopen(vfs);
});

function flipOlderSlot(vfs: MemoryVfs): void {
  const { slots, newest } = readFileHeader(vfs, PATH);
  flip(vfs, slots.find(({ superblock }) => superblock !== newest)!.offset + 40);
}

function cut(vfs: MemoryVfs): void {
  const file = vfs.open(PATH, { write: true });
  file.truncate(file.stat().size - PAGE_SIZE);
  file.close();
}

function reopen(vfs: MemoryVfs): void {
  const pager = Pager.open({ vfs, path: PATH });
  const graph = Graph.open(pager);
  const tx = graph.begin();
  tx.setNodeProperty(1, 'seen', true);
  tx.commit();
  pager.close();
}

/** Leaves commits in the log, as a process that died does. */
function leaveLog(vfs: MemoryVfs): void {
  const pager = Pager.open({ vfs, path: PATH });
  const graph = Graph.open(pager);
  for (let i = 0; i < 40; i += 1) {
    const tx = graph.begin();
    tx.addNode('Late', { text: 'y'.repeat(200), i });
    tx.commit();
  }
  const [log, main] = [bytesOf(vfs, `${PATH}-wal`), bytesOf(vfs)];
  pager.close();
  for (const [path, bytes] of [
    [PATH, main],
    [`${PATH}-wal`, log],
  ] as const) {
    const file = vfs.open(path, { write: true, create: true });
    file.truncate(bytes.length);
    file.pwrite([bytes], 0);
    file.close();
  }
}
