// Goal: a main file whose log, newest slot or double-write area is gone is opened only if it stands whole at one commit, and
// never so that commits to come could be taken for those that were lost.
// Method: files of databases that were not closed, with one of them taken away, cut or changed on purpose; each by its outcome.
import { MemoryVfs } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { SimDisk } from '@sombra/vfs/testing';
import { RECORD_COMMIT, RecordBuilder, recoverLog } from '@sombra/wal';
import { expect, test } from 'vitest';
import { readSuperblocks, slotOffset } from '../src/format/superblock.ts';
import { load } from './support/damage.ts';
import type { LifeOptions } from './support/life.ts';
import { Life } from './support/life.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';

type Files = Map<string, Uint8Array>;

/** A life up to before the nth write of the kind that `path` and `nth` name. @returns the files without shm */
function cutShort(options: LifeOptions, path: RegExp, nth: number, run: (life: Life) => void): Files {
  const disk = new SimDisk({ seed: 9 });
  let left: SimDisk | undefined;
  let matches = 0;
  disk.onOperation = (_number, operation, name) => {
    if (operation !== 'pwrite' || !path.test(name) || (matches += 1) !== nth) return;
    left = disk.kill();
    disk.halt();
  };
  expect(() => run(new Life(disk, options, 9))).toThrow('stopped');
  return new Map([...left!.image()].filter(([name]) => !name.endsWith('-shm')));
}

/** Two pages as of commit 1 in main; commits 2 and 3 change them; a checkpoint of both dies after its first page. */
const DYING = (life: Life): void => {
  life.open();
  life.fill(2);
  life.checkpoint();
  const { pager } = life;
  write(pager, (tx) => tx.setU32(tx.edit(3), 24, 2));
  write(pager, (tx) => newPage(tx, 3));
  pager.checkpoint();
};

/** Changes one file. */
function changed(files: Files, name: string, change: (bytes: Uint8Array) => void): Files {
  const bytes = files.get(name)!.slice();
  change(bytes);
  return new Map([...files, [name, bytes]]);
}

function without(files: Files, ...names: string[]): Vfs {
  return load(new Map([...files].filter(([name]) => !names.includes(name))));
}

const lastByte = (bytes: Uint8Array): number => bytes.findLastIndex((byte) => byte !== 0);

test('a checkpoint that died: its log and its area bring everything back', () => {
  const files = cutShort({}, /t\.db$/, 5, DYING);
  const pager = openPager({}, load(files));
  expect([pager.view.lsn, valueOf(pager.view, 3), pager.warnings]).toEqual([3, 2, []]);
  pager.close();
});

test('without its log a half-done checkpoint is refused: pages of main are newer than the commit at which it would stand', () => {
  const files = cutShort({}, /t\.db$/, 5, DYING);
  expect([...files.keys()].sort()).toEqual(['t.db', 't.db-dw', 't.db-wal']);
  for (const vfs of [without(files, 't.db-wal'), without(files, 't.db-wal', 't.db-dw')]) {
    const before = vfs.list('.');
    expect(codeOf(() => openPager({}, vfs))).toBe('SOMBRA_PAGE_LSN');
    expect(codeOf(() => openPager({ enableWal: false }, vfs))).toBe('SOMBRA_PAGE_LSN');
    expect(vfs.list('.')).toEqual(before);
  }
});

test('without its log a file whose checkpoint had not reached main stands at the one before, and the area repairs nothing', () => {
  const files = cutShort({}, /t\.db$/, 4, DYING);
  expect(files.has('t.db-dw')).toBe(true);
  const vfs = without(files, 't.db-wal');
  const pager = openPager({}, vfs);
  expect([pager.view.lsn, pager.warnings.map(({ code }) => code)]).toEqual([1, ['SOMBRA_WAL_MISSING']]);
  const value = valueOf(pager.view, 3);
  expect(value).not.toBe(2);
  write(pager, (tx) => tx.setCounter(0, 7));
  pager.checkpoint();
  expect([valueOf(pager.view, 3), pager.check()]).toEqual([value, []]);
  pager.close();
});

test('a log that ends before the commits whose pages a checkpoint had brought to main is damaged', () => {
  const files = cutShort({}, /t\.db$/, 5, DYING);
  const damaged = changed(files, 't.db-wal', (bytes) => (bytes[lastByte(bytes)]! ^= 1));
  expect(codeOf(() => openPager({}, load(damaged)))).toBe('SOMBRA_WAL_DAMAGED');
});

test('after a clean close, the slot before the newest one is not believed when a checkpoint came between', () => {
  const vfs = new MemoryVfs();
  const pager = openPager({}, vfs);
  write(pager, (tx) => newPage(tx, 1));
  pager.close();
  const main = new Uint8Array(5 * 4096);
  const file = vfs.open('t.db', { write: true });
  file.pread(main, 0);
  const { newest } = readSuperblocks(main.subarray(0, 8192), 't.db');
  file.pwrite([new Uint8Array(512)], slotOffset(newest.sequence));
  for (const readOnly of [false, true])
    expect(codeOf(() => openPager({ readOnly }, vfs))).toMatch(/^SOMBRA_(PAGE_LSN|RECOVERY_REQUIRED)$/);
  file.close();
});

test('with the log in memory, a lost batch of images is noticed when main has pages of it', () => {
  const files = cutShort({ enableWal: false }, /t\.db$/, 4, DYING);
  const whole = openPager({ enableWal: false }, load(files));
  expect(whole.view.lsn).toBe(3);
  whole.close();
  const damaged = changed(files, 't.db-dw', (bytes) => (bytes[20]! ^= 1));
  expect(codeOf(() => openPager({ enableWal: false }, load(damaged)))).toBe('SOMBRA_PAGE_LSN');
});

test('a record that claims pages which neither main nor the log has is refused before memory is taken for them', () => {
  const files = cutShort({}, /t\.db$/, 5, DYING);
  const vfs = load(files);
  const main = new Uint8Array(8192);
  const file = vfs.open('t.db', { write: false });
  file.pread(main, 0);
  file.close();
  const { newest } = readSuperblocks(main, 't.db');
  const { replaySeq, replayOffset, logSalt: salt, chain, checkpointLsn: lsn, databaseId, timeline, pageSize } = newest;
  const where = {
    vfs,
    path: 't.db',
    identity: { pageSize, databaseId, timeline },
    segmentSize: 2 ** 20,
    syncMode: 'full',
  } as const;
  const { wal } = recoverLog(
    where,
    { position: { seq: replaySeq, offset: replayOffset }, salt, chain, lsn },
    {},
    () => undefined,
  );
  const builder = new RecordBuilder(pageSize);
  builder.begin(RECORD_COMMIT, 4, newest.time, 2 ** 30);
  builder.addImage(2 ** 30 - 1, new Uint8Array(pageSize), 0);
  wal!.append(builder);
  wal!.sync();
  wal!.close();
  wal!.files.close();
  expect(codeOf(() => openPager({}, vfs))).toBe('SOMBRA_WAL_RECORD');
});
