// Goal: FaultyVfs fails exactly the calls that it is set to fail, and sees every call. Method: fixed plans over MemoryVfs and SimDisk.
import { describe, expect, test } from 'vitest';
import { MemoryVfs, pwriteFully } from '../src/index.ts';
import type { Vfs } from '../src/index.ts';
import { FaultyVfs, failureOf, Random, SimDisk } from '../src/testing/index.ts';
import type { Fault } from '../src/testing/index.ts';

const some = (length: number): Uint8Array => new Uint8Array(length).fill(7);

function faulty(...faults: Fault[]): FaultyVfs {
  return new FaultyVfs(new MemoryVfs(), faults);
}

/** Every call of the seam once, in order; names of those that failed. */
function everything(vfs: Vfs): string[] {
  const failed: string[] = [];
  const run = <T>(name: string, call: () => T): T | undefined => {
    try {
      return call();
    } catch (error) {
      failed.push(`${name} ${(error as { code: string }).code}`);
      return undefined;
    }
  };
  const file = run('open', () => vfs.open('a', { write: true, create: true }));
  if (file === undefined) return failed;
  run('pwrite', () => file.pwrite([some(3)], 0));
  run('pread', () => file.pread(some(3), 0));
  run('truncate', () => file.truncate(2));
  run('sync', () => file.sync('data'));
  run('stat', () => file.stat());
  run('lock', () => file.tryLock(0, 1, 'exclusive'));
  run('unlock', () => file.unlock(0, 1));
  run('close', () => file.close());
  run('stat by name', () => vfs.stat('a'));
  run('link', () => vfs.link('a', 'b'));
  run('rename', () => vfs.rename('a', 'c'));
  run('list', () => vfs.list('.'));
  run('realpath', () => vfs.realpath('c'));
  run('syncDir', () => vfs.syncDir('.'));
  run('unlink', () => vfs.unlink('c'));
  return failed;
}

describe('which calls fail', () => {
  test('none without faults; all are counted', () => {
    const vfs = faulty();
    expect(everything(vfs)).toEqual([]);
    expect(vfs.calls).toBe(16);
    expect(vfs.failed).toEqual([]);
  });

  test('a sweep reaches each of them, one at a time', () => {
    const reached: string[] = [];
    for (let nth = 1; nth <= 16; nth += 1) {
      const vfs = faulty({ op: 'any', nth, action: 'EIO' });
      const failed = everything(vfs);
      // A name that a failed rename did not make is missing for the two calls that need it.
      if (vfs.failed[0]!.op !== 'rename') expect(failed.length).toBe(1);
      expect(vfs.failed.length).toBe(1);
      reached.push(failed[0]!);
    }
    expect(reached).toEqual([
      'open SOMBRA_IO',
      'pwrite SOMBRA_IO',
      'pread SOMBRA_IO',
      'truncate SOMBRA_IO',
      'sync SOMBRA_SYNC',
      'stat SOMBRA_IO',
      'lock SOMBRA_IO',
      'unlock SOMBRA_IO',
      'close SOMBRA_IO',
      'stat by name SOMBRA_IO',
      'link SOMBRA_IO',
      'rename SOMBRA_IO',
      'list SOMBRA_IO',
      'realpath SOMBRA_IO',
      'syncDir SOMBRA_SYNC',
      'unlink SOMBRA_IO',
    ]);
  });

  test('by operation and file', () => {
    const vfs = faulty({ op: ['pwrite', 'truncate'], file: /-wal$/, action: 'ENOSPC' });
    const main = vfs.open('t.db', { write: true, create: true });
    const log = vfs.open('t.db-wal', { write: true, create: true });
    expect(main.pwrite([some(3)], 0)).toBe(3);
    expect(failureOf(() => log.pwrite([some(3)], 0))).toBe('SOMBRA_DISK_FULL ENOSPC');
    expect(failureOf(() => log.truncate(9))).toBe('SOMBRA_DISK_FULL ENOSPC');
    log.sync('data');
    expect(log.stat().size).toBe(0);
    expect(vfs.failed).toEqual([
      { op: 'pwrite', path: 't.db-wal' },
      { op: 'truncate', path: 't.db-wal' },
    ]);
  });

  test('the nth matching call only, or with `sticky` all from there on', () => {
    for (const sticky of [false, true]) {
      const vfs = faulty({ op: 'pwrite', nth: 3, action: 'EIO', sticky });
      const file = vfs.open('a', { write: true, create: true });
      const seen = [1, 2, 3, 4, 5].map(() => failureOf(() => file.pwrite([some(1)], 0)) === 'no error');
      expect(seen).toEqual([true, true, false, !sticky, !sticky]);
    }
  });

  test('by a rate, the same calls for the same seed', () => {
    const pattern = (seed: number): string => {
      const vfs = new FaultyVfs(new MemoryVfs(), [{ op: 'pread', rate: 0.3, action: 'EIO' }], new Random(seed));
      const file = vfs.open('a', { write: true, create: true });
      return Array.from({ length: 200 }, () =>
        failureOf(() => file.pread(some(1), 0)) === 'no error' ? '.' : 'x',
      ).join('');
    };
    expect(pattern(1)).toBe(pattern(1));
    expect(pattern(1)).not.toBe(pattern(2));
    const failures = pattern(1).split('x').length - 1;
    expect(failures).toBeGreaterThan(30);
    expect(failures).toBeLessThan(90);
  });

  test('faults can be added, and end', () => {
    const vfs = faulty();
    const file = vfs.open('a', { write: true, create: true });
    vfs.add({ op: 'sync', action: 'EIO' });
    expect(failureOf(() => file.sync('full'))).toBe('SOMBRA_SYNC EIO');
    vfs.heal();
    file.sync('full');
  });
});

describe('how they fail', () => {
  test('short reads and writes, also across buffers; other operations are not concerned', () => {
    const vfs = faulty({ op: 'any', action: { short: 4 } });
    const file = vfs.open('a', { write: true, create: true });
    expect(file.pwrite([some(3), some(3)], 0)).toBe(4);
    expect(file.stat().size).toBe(4);
    const into = new Uint8Array(9);
    pwriteFully(file, some(20), 0);
    expect(file.pread(into, 0)).toBe(4);
    expect([...into]).toEqual([7, 7, 7, 7, 0, 0, 0, 0, 0]);
    expect(file.stat().size).toBe(20);
  });

  test('a failed close closes nevertheless', () => {
    const vfs = faulty({ op: 'close', nth: 1, action: 'EIO' });
    const file = vfs.open('a', { write: true, create: true });
    file.tryLock(0, 1, 'exclusive');
    expect(failureOf(() => file.close())).toBe('SOMBRA_IO EIO');
    expect(failureOf(() => file.stat())).toBe('SOMBRA_IO EBADF');
    expect(vfs.open('a', { write: true }).tryLock(0, 1, 'exclusive')).toBe(true);
  });

  test('asynchronous syncs reject', async () => {
    const vfs = faulty({ op: 'sync', nth: 2, action: 'EIO' });
    const file = vfs.open('a', { write: true, create: true });
    await file.syncAsync('data');
    await expect(file.syncAsync('data')).rejects.toMatchObject({ code: 'SOMBRA_SYNC', details: { errno: 'EIO' } });
    await file.syncAsync('data');
  });

  test('wraps any file system, and passes on what it is', () => {
    const disk = new SimDisk();
    Object.defineProperty(disk, 'locksAvailable', { value: false });
    const vfs = new FaultyVfs(disk);
    expect([vfs.env, vfs.locksAvailable, vfs.isNetwork('.')]).toEqual([disk.env, false, false]);
  });
});
