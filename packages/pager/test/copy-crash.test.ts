// Goal: a copy that is written to a file is there whole and durable, or not at all, whatever ends it: a crash, an error of the disk, the
// caller; the database that is copied loses nothing. Method: every operation of writing a copy is the last one before a crash, or fails, on a
// simulated disk; what is left is opened and compared with the model.
import { MemoryVfs, SombraError } from '@sombra/vfs';
import type { DiskSpace, Vfs } from '@sombra/vfs';
import { CRASH_POLICIES, FaultyVfs, Random, SimCrash, SimDisk } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { writeCopy } from '../src/index.ts';
import type { CopyProgress, DatabaseCopy } from '../src/index.ts';
import { examineFile, fileOf } from './support/copies.ts';
import { Life, PATH } from './support/life.ts';
import { codeOf } from './support/open.ts';

const COPY = 'backup.db';

async function writeAll(
  copy: DatabaseCopy,
  vfs: Vfs,
  onProgress?: (progress: CopyProgress) => void,
  path = COPY,
): Promise<void> {
  const steps = writeCopy(copy, vfs, path, onProgress);
  try {
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return;
      await value;
    }
  } finally {
    steps.return();
    copy.release();
  }
}

function begin(vfs: Vfs, disk?: SimDisk): Life {
  const life = new Life(vfs, {}, 5);
  if (disk !== undefined) disk.onOperation = (_number, operation, path) => life.before(operation, path);
  life.open();
  life.fill(5);
  life.waste(3);
  life.commit(4);
  return life;
}

/** The copy that is left on a disk is whole, if there is one. @returns whether there is one */
function expectWhole(vfs: Vfs, life: Life, lsn: number): boolean {
  const found = vfs.stat(COPY);
  if (found === null) return false;
  const file = vfs.open(COPY, { write: false });
  const bytes = new Uint8Array(found.size);
  expect(file.pread(bytes, 0)).toBe(found.size);
  file.close();
  expect(examineFile(fileOf(bytes), lsn, life.promised.states.get(lsn)!)).toEqual([]);
  return true;
}

test('a crash at any operation leaves a whole copy or none, and the database', async () => {
  let images = 0;
  let whole = 0;
  for (let step = 1; ; step += 1) {
    const disk = new SimDisk({ seed: 7 });
    const life = begin(disk, disk);
    const { lsn } = life.pager.view;
    disk.crashAt = disk.ops + step;
    let ended = false;
    try {
      await writeAll(life.pager.copy(), disk);
      ended = true;
    } catch (error) {
      expect(error).toBeInstanceOf(SimCrash);
    }
    const policies = CRASH_POLICIES.filter((_, at) => (at + step) % 9 === 0);
    for (const image of [disk.kill(), ...policies.map((policy) => disk.crash(policy, new Random(step)))]) {
      images += 1;
      const isThere = expectWhole(image, life, lsn);
      if (ended) expect(isThere, 'a copy that was acknowledged').toBe(true);
      whole += Number(isThere);
      const after = new Life(image, {}, 5, life.promised);
      after.open();
      after.pager.close();
    }
    life.discard();
    if (ended) break;
  }
  console.log(`copies: ${images} images, ${whole} with a copy`);
  expect(images).toBeGreaterThan(30);
  expect(whole).toBeGreaterThan(0);
});

test.each(['EIO', 'ENOSPC', 'EMFILE', 'EACCES'])('%s at any call is told, and leaves no file', async (action) => {
  let failures = 0;
  for (let nth = 1; ; nth += 1) {
    const disk = new MemoryVfs();
    const faulty = new FaultyVfs(disk);
    const life = begin(faulty);
    const { lsn } = life.pager.view;
    const copy = life.pager.copy();
    faulty.add({ op: 'any', nth, action });
    let error: unknown;
    try {
      await writeAll(copy, faulty);
    } catch (caught) {
      error = caught;
    }
    const [failed] = faulty.failed;
    faulty.heal();
    expectWhole(disk, life, lsn);
    if (error !== undefined) expect(error).toBeInstanceOf(SombraError);
    else if (failed === undefined) expect(disk.stat(COPY)).not.toBeNull();
    // What cannot be removed stays under its temporary name.
    if (failed?.op !== 'unlink') expect(disk.list('.').filter((name) => name.includes('.tmp-'))).toEqual([]);
    life.commit(3);
    expect(life.pager.stats().snapshots).toBe(0);
    life.pager.close();
    if (failed === undefined) break;
    failures += 1;
  }
  expect(failures).toBeGreaterThan(8);
});

describe('the caller', () => {
  test('may end it at any step, which leaves nothing', async () => {
    const vfs = new MemoryVfs();
    const life = begin(vfs);
    const size = life.pager.view.pageCount * 4096;
    const before = vfs.list('.');
    const steps = writeCopy(life.pager.copy(), vfs, COPY);
    steps.next();
    steps.return();
    expect(vfs.list('.')).toEqual(before);
    const throwing = writeAll(life.pager.copy(), vfs, () => {
      throw new RangeError('enough');
    });
    await expect(throwing).rejects.toThrow('enough');
    expect(vfs.list('.')).toEqual(before);
    const seen: CopyProgress[] = [];
    await writeAll(life.pager.copy(), vfs, (progress) => seen.push(progress));
    expect(seen.at(-1)).toEqual({ doneBytes: size, totalBytes: size });
    life.pager.close();
  });

  test('gets an error when there is a file with the name, or no room, before anything is written', () => {
    class Small extends MemoryVfs {
      diskSpace(): DiskSpace {
        return { free: 10_000, size: 1_000_000 };
      }
    }
    const vfs = new Small();
    const life = begin(vfs);
    vfs.open('taken', { write: true, create: true }).close();
    const before = vfs.list('.');
    for (const [path, code] of [
      [PATH, 'SOMBRA_BACKUP_TARGET'],
      [`${PATH}-shm`, 'SOMBRA_BACKUP_TARGET'],
      ['taken', 'SOMBRA_FILE_EXISTS'],
      [COPY, 'SOMBRA_DISK_FULL'],
    ] as const) {
      const copy = life.pager.copy();
      expect(codeOf(() => writeCopy(copy, vfs, path).next())).toBe(code);
      copy.release();
    }
    expect(vfs.list('.')).toEqual(before);
    life.pager.close();
  });
});
