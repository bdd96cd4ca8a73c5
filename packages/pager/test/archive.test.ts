// Goal: while there is an archive no segment of the log goes before it is archived, the chain of those that wait has no gap, over
// checkpoints, rotations, closes, kills and power losses, and the database opens as ever. Method: small segments; a reader of headers
// that follows the chain; crash images at every operation of a run that closes and opens.
import { MemoryVfs } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { CRASH_POLICIES, Random, SimDisk } from '@sombra/vfs/testing';
import { markArchived } from '@sombra/wal';
import { describe, expect, test } from 'vitest';
import { placedCommits } from '../src/index.ts';
import type { Pager } from '../src/index.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';

const OPTIONS = { maxWalSizeMb: 0.0625, checkpointAfterBytes: 40_000, hooks: {} };

/** Numbers of the sealed segments that are there, ascending. */
function sealed(vfs: Vfs): number[] {
  const numbers = vfs.list('.').map((name) => /^t\.db-(\d+)-wal$/.exec(name)?.[1]);
  return numbers
    .filter((number) => number !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

function expectNoGap(numbers: readonly number[], where = ''): void {
  expect(numbers, where).toEqual(numbers.map((_, at) => numbers[0]! + at));
}

/** So many commits, each of some hundred bytes. */
function commits(pager: Pager, page: number, count: number): void {
  for (let i = 0; i < count; i += 1) {
    write(pager, (tx) => {
      const base = tx.edit(page);
      tx.setU32(base, 24, tx.lsn);
      for (let at = 32; at < 500; at += 4) tx.setU32(base, at, Math.imul(tx.lsn, at) >>> 0);
    });
  }
}

describe('segments', () => {
  test('wait for the archive, over checkpoints and closes, and go when they are archived', () => {
    const vfs = new MemoryVfs();
    const pager = openPager(OPTIONS, vfs);
    expect(pager.archivedThrough()).toBe(Infinity);
    pager.markArchived(0);
    const page = write(pager, (tx) => newPage(tx, 0));
    commits(pager, page, 300);
    pager.checkpoint();
    const before = sealed(vfs);
    expect(before.length).toBeGreaterThan(5);
    expect(before[0]).toBe(1);
    expectNoGap(before);
    pager.markArchived(4);
    pager.checkpoint();
    commits(pager, page, 60);
    pager.checkpoint();
    expect(sealed(vfs)[0]).toBe(5);
    expectNoGap(sealed(vfs));
    pager.close();
    const closed = sealed(vfs);
    expect(closed.at(-1)).toBeGreaterThan(before.at(-1)!); // the live one has its sealed name now
    expect(vfs.list('.').sort()).toEqual(['t.db', 't.db-archive', ...closed.map((seq) => `t.db-${seq}-wal`)].sort());
    const again = openPager(OPTIONS, vfs);
    expect(again.warnings).toEqual([]);
    expect(valueOf(again.view, page)).toBe(again.view.lsn);
    commits(again, page, 60);
    again.close();
    expect(sealed(vfs).slice(0, closed.length)).toEqual(closed);
    expectNoGap(sealed(vfs));
    const last = openPager(OPTIONS, vfs);
    last.endArchive();
    commits(last, page, 1);
    last.close();
    expect(vfs.list('.')).toEqual(['t.db']);
  });

  test('are not needed to open: an archiver may take those away that a checkpoint has passed', () => {
    const vfs = new MemoryVfs();
    const pager = openPager(OPTIONS, vfs);
    pager.markArchived(0);
    const page = write(pager, (tx) => newPage(tx, 0));
    commits(pager, page, 100);
    pager.close();
    for (const seq of sealed(vfs)) vfs.unlink(`t.db-${seq}-wal`);
    const again = openPager(OPTIONS, vfs);
    expect(valueOf(again.view, page)).toBe(again.view.lsn);
    commits(again, page, 1);
    again.close();
  });

  test('are missing what a bulk load writes, which waits in a file of its own until the archive ends', () => {
    const vfs = new MemoryVfs();
    const pager = openPager(OPTIONS, vfs);
    pager.bulk().finish((tx) => tx.setCounter(0, 1)); // without an archive
    pager.markArchived(0);
    const load = (): number => {
      const bulk = pager.bulk();
      bulk.write(bulk.allocate(), new Uint8Array(pager.pageSize), 0);
      return bulk.finish((tx) => tx.setCounter(0, 2));
    };
    const loads = [load(), load()];
    const given = pager.bulk();
    given.write(given.allocate(), new Uint8Array(pager.pageSize), 0);
    given.abort();
    expect(placedCommits(vfs, 't.db')).toEqual(loads);
    pager.close();
    const again = openPager(OPTIONS, vfs);
    expect(placedCommits(vfs, 't.db')).toEqual(loads);
    again.endArchive();
    expect(placedCommits(vfs, 't.db')).toEqual([]);
    again.close();
    expect(codeOf(() => pager.markArchived(1))).toBe('SOMBRA_CLOSED');
  });

  test('an archive that begins while a load is open is never silently useless: it waits, or the load is refused', () => {
    const vfs = new MemoryVfs();
    const pager = openPager({ ...OPTIONS, busyTimeoutMs: 20 }, vfs);
    const other = openPager({ ...OPTIONS, busyTimeoutMs: 20 }, vfs);
    const page = write(pager, (tx) => newPage(tx, 1));
    let bulk = pager.bulk();
    expect(codeOf(() => other.markArchived(0))).toBe('SOMBRA_BUSY');
    expect(codeOf(() => pager.markArchived(0))).toBe('SOMBRA_TRANSACTION_ACTIVE');
    expect(pager.archivedThrough()).toBe(Infinity);
    bulk.abort();
    bulk = pager.bulk();
    bulk.allocate();
    markArchived(vfs, 't.db', 0); // by a program that does not ask
    const { lsn } = pager.view;
    expect(codeOf(() => bulk.finish((tx) => tx.setCounter(0, 1)))).toBe('SOMBRA_ARCHIVE_GAP');
    expect(pager.view.lsn).toBe(lsn);
    expect(codeOf(() => bulk.allocate())).toBe('SOMBRA_BULK_DONE');
    const tx = pager.begin();
    tx.setU32(tx.edit(page), 24, 2);
    pager.endArchive();
    pager.markArchived(0); // a transaction goes through the log
    tx.commit();
    expect(valueOf(pager.view, page)).toBe(2);
    pager.endArchive();
    other.close();
    pager.close();
  });

  test('have no gap after a kill or a power loss anywhere', () => {
    const disk = new SimDisk({ seed: 3 });
    const random = new Random(3);
    let acknowledged = 0;
    let images = 0;
    const judge = (image: SimDisk, where: string): void => {
      images += 1;
      const found = openPager(OPTIONS, image);
      const { lsn } = found.view;
      expect(lsn, where).toBeGreaterThanOrEqual(acknowledged);
      expect(valueOf(found.view, page), where).toBe(lsn);
      commits(found, page, 20);
      found.checkpoint();
      const numbers = sealed(image);
      expectNoGap(numbers, where);
      expect(numbers[0], where).toBe(1);
      found.close();
      expectNoGap(sealed(image), where);
    };
    let pager = openPager(OPTIONS, disk);
    pager.markArchived(0);
    const page = write(pager, (tx) => newPage(tx, 2));
    commits(pager, page, 30);
    acknowledged = pager.view.lsn;
    disk.onOperation = (number, operation, path) => {
      if (number % 3 !== 0) return;
      const where = `before operation ${number} (${operation} ${path})`;
      judge(disk.kill(), `${where}, kill`);
      judge(disk.crash(random.pick(CRASH_POLICIES), random.fork(where)), where);
    };
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < 20; i += 1) {
        commits(pager, page, 1);
        acknowledged += 1;
      }
      pager.close();
      pager = openPager(OPTIONS, disk);
    }
    disk.onOperation = undefined;
    expect(images).toBeGreaterThan(100);
    pager.close();
  });
});
