// Goal: opening and closing: creation, options, what is no database, read-only, a second opener, files that do not belong.
// Method: cases on a file system in memory; each error by its code, and that nothing was changed or left locked.
import { MemoryVfs } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { Random, SimDisk } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import type { PagerOptions, PagerWarning } from '../src/index.ts';
import { Pager } from '../src/index.ts';
import { collectGarbage } from './support/garbage.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';

/** All of a file. */
function readFile(vfs: MemoryVfs, path: string): Uint8Array {
  const file = vfs.open(path, { write: false });
  const bytes = new Uint8Array(file.stat().size);
  file.pread(bytes, 0);
  file.close();
  return bytes;
}

/** Replaces a file's bytes. */
function writeFile(vfs: Vfs, path: string, bytes: Uint8Array): void {
  const file = vfs.open(path, { write: true, create: true, perm: 0o600 });
  file.truncate(0);
  if (bytes.length > 0) file.pwrite([bytes], 0);
  file.close();
}

describe('creation', () => {
  test.each([4096, 8192, 16384, 32768, 65536])('pages of %i bytes', (pageSize) => {
    const vfs = new MemoryVfs();
    const pager = openPager({ pageSize }, vfs);
    expect(pager.pageSize).toBe(pageSize);
    const page = write(pager, (tx) => newPage(tx, 7));
    expect(page).toBe(pageSize === 4096 ? 3 : 2);
    pager.close();
    expect(vfs.list('.')).toEqual(['t.db']);
    const again = Pager.open({ vfs, path: 't.db', cacheSize: 8 });
    expect([again.pageSize, valueOf(again.view, page), again.path]).toEqual([pageSize, 7, 't.db']);
    expect(again.check()).toEqual([]);
    again.close();
  });

  test('a database whose creator died before its name was durable has a durable name once it is open', () => {
    const creation = new SimDisk({ seed: 1 });
    let left: SimDisk | undefined;
    creation.onOperation = (_number, operation) => {
      if (operation === 'syncDir') left ??= creation.kill();
    };
    openPager({}, creation).close();
    const again = openPager({ createIfMissing: false }, left!);
    const lost = left!.crash({ keep: 'none', lost: 'old', names: 'lost' }, new Random(1));
    again.close();
    const found = openPager({ createIfMissing: false }, lost);
    expect(found.view.lsn).toBe(0);
    found.close();
  });

  test('opening without writing changes nothing, twice', () => {
    const vfs = new MemoryVfs();
    const pager = openPager({}, vfs);
    write(pager, (tx) => newPage(tx, 7));
    pager.close();
    const before = readFile(vfs, 't.db');
    for (let i = 0; i < 2; i += 1) {
      const again = openPager({}, vfs);
      expect(valueOf(again.view, 3)).toBe(7);
      again.close();
    }
    expect(Buffer.compare(readFile(vfs, 't.db'), before)).toBe(0);
    expect(vfs.list('.')).toEqual(['t.db']);
  });

  test('a missing file is not created when that is not wanted', () => {
    const vfs = new MemoryVfs();
    expect(codeOf(() => openPager({ createIfMissing: false }, vfs))).toBe('SOMBRA_NOT_FOUND');
    expect(codeOf(() => openPager({ readOnly: true }, vfs))).toBe('SOMBRA_NOT_FOUND');
    expect(vfs.list('.')).toEqual([]);
  });
});

describe('options', () => {
  const cases: [string, Partial<Record<keyof PagerOptions | 'cachesize', unknown>>][] = [
    ['pageSize', { pageSize: 1000 }],
    ['pageSize', { pageSize: 2048 }],
    ['pageSize', { pageSize: 131072 }],
    ['pageSize', { pageSize: '8192' }],
    ['cacheSize', { cacheSize: 7 }],
    ['cacheSize', { cacheSize: 10.5 }],
    ['cacheSize', { cacheSize: NaN }],
    ['maxTransactionPages', { maxTransactionPages: 0 }],
    ['maxTransactionPages', { maxTransactionPages: Infinity }],
    ['maxDatabaseSizeMb', { maxDatabaseSizeMb: -1 }],
    ['maxWalSizeMb', { maxWalSizeMb: 0 }],
    ['maxWalSizeMb', { maxWalSizeMb: null }],
    ['transactionTimeoutMs', { transactionTimeoutMs: 0 }],
    ['syncMode', { syncMode: 'FULL' }],
    ['enableWal', { enableWal: 1 }],
    ['readOnly', { readOnly: 'no' }],
    ['busyTimeoutMs', { busyTimeoutMs: -5 }],
    ['path', { path: '' }],
    ['cachesize', { cachesize: 100 }],
    ['cacheSize', { cacheSize: 200_000, pageSize: 65536 }],
  ];
  test.each(cases)('%s is checked: %o', (field, options) => {
    const vfs = new MemoryVfs();
    let error: { code?: string; message?: string } = {};
    try {
      openPager(options as Partial<PagerOptions>, vfs);
    } catch (caught) {
      error = caught as typeof error;
    }
    expect(error.code).toBe('SOMBRA_CONFIG');
    expect(error.message).toContain(field);
    expect(vfs.list('.').filter((name) => name !== 't.db')).toEqual([]);
  });
});

describe('files that cannot be opened', () => {
  test('no database, wrong page size, truncated', () => {
    const vfs = new MemoryVfs();
    const pager = openPager({}, vfs);
    write(pager, (tx) => newPage(tx, 7));
    pager.close();
    const good = readFile(vfs, 't.db');
    expect(codeOf(() => openPager({ pageSize: 8192 }, vfs))).toBe('SOMBRA_PAGE_SIZE');
    const cases: [Uint8Array, string][] = [
      [new Uint8Array(0), 'SOMBRA_NOT_A_DATABASE'],
      [new TextEncoder().encode('hello, world\n'), 'SOMBRA_NOT_A_DATABASE'],
      [good.slice(0, good.length - 1), 'SOMBRA_FILE_TRUNCATED'],
      [good.slice(0, 8192), 'SOMBRA_FILE_TRUNCATED'],
      [good.slice(0, 300), 'SOMBRA_NOT_A_DATABASE'],
    ];
    for (const [bytes, code] of cases) {
      writeFile(vfs, 't.db', bytes);
      for (const readOnly of [false, true])
        expect(codeOf(() => openPager({ readOnly, pageSize: undefined }, vfs))).toBe(code);
      expect(Buffer.compare(readFile(vfs, 't.db'), bytes)).toBe(0);
      expect(vfs.list('.')).toEqual(['t.db']);
    }
    writeFile(vfs, 't.db', good);
    const again = openPager({}, vfs); // nothing stayed locked
    expect(valueOf(again.view, 3)).toBe(7);
    again.close();
  });

  test('beside an exclusive connection a second opener is refused, with the name of the first, and gets in when the first closes', () => {
    const vfs = new MemoryVfs();
    const first = openPager({ locking: 'exclusive' }, vfs);
    let error: { code?: string; message?: string; details?: Record<string, unknown> } = {};
    try {
      openPager({ busyTimeoutMs: 20 }, vfs);
    } catch (caught) {
      error = caught as typeof error;
    }
    expect(error.code).toBe('SOMBRA_BUSY');
    expect(typeof error.details?.['pid']).toBe('number');
    expect(typeof error.details?.['since']).toBe('number');
    expect(codeOf(() => openPager({ readOnly: true }, vfs))).toBe('SOMBRA_BUSY');
    write(first, (tx) => newPage(tx, 1));
    first.close();
    const second = openPager({}, vfs);
    expect(valueOf(second.view, 3)).toBe(1);
    second.close();
  });

  test('without locks of the file system the error says what to do', () => {
    const vfs = new MemoryVfs();
    Object.defineProperty(vfs, 'locksAvailable', { value: false });
    expect(codeOf(() => openPager({}, vfs))).toBe('SOMBRA_LOCKS_UNAVAILABLE');
  });

  test('a hard link is refused; a temporary name left by a crash in creation goes', () => {
    const vfs = new MemoryVfs();
    openPager({}, vfs).close();
    vfs.link('t.db', `t.db.tmp-${'0123456789abcdef'.repeat(2)}`);
    writeFile(vfs, `t.db.tmp-${'fedcba9876543210'.repeat(2)}`, new Uint8Array(100)); // one that was never linked
    writeFile(vfs, 't.db.tmp-mine', new Uint8Array(1));
    openPager({}, vfs).close();
    expect(vfs.list('.')).toEqual(['t.db', 't.db.tmp-mine']);
    vfs.unlink('t.db.tmp-mine');
    vfs.link('t.db', 'other.db');
    expect(codeOf(() => openPager({}, vfs))).toBe('SOMBRA_HARD_LINK');
    vfs.unlink('other.db');
    openPager({}, vfs).close();
  });
});

test('a temporary name that comes back in a crash goes, also behind the first checkpoint', () => {
  const temporary = `t.db.tmp-${'fedcba9876543210'.repeat(2)}`;
  const disk = new SimDisk({ seed: 1 });
  const pager = openPager({}, disk);
  write(pager, (tx) => newPage(tx, 7));
  pager.checkpoint();
  writeFile(disk, temporary, new Uint8Array(100)); // of another creation, which gave way
  const crashed = disk.kill();
  pager.close();
  expect(crashed.list('.')).toContain(temporary);
  openPager({}, crashed).close();
  expect(crashed.list('.')).toEqual(['t.db']);
});

describe('read-only', () => {
  test('a closed file is read, by several, and nothing changes', () => {
    const vfs = new MemoryVfs();
    const pager = openPager({}, vfs);
    write(pager, (tx) => newPage(tx, 7));
    pager.close();
    const before = readFile(vfs, 't.db');
    const readers = [openPager({ readOnly: true }, vfs), openPager({ readOnly: true }, vfs)];
    for (const reader of readers) {
      expect(valueOf(reader.view, 3)).toBe(7);
      expect(reader.check()).toEqual([]);
      for (const call of [() => reader.begin(), () => reader.checkpoint(), () => reader.bulk()])
        expect(codeOf(call)).toBe('SOMBRA_READ_ONLY');
    }
    expect(codeOf(() => openPager({ locking: 'exclusive' }, vfs))).toBe('SOMBRA_BUSY');
    for (const reader of readers) reader.close();
    expect(Buffer.compare(readFile(vfs, 't.db'), before)).toBe(0);
    expect(vfs.list('.')).toEqual(['t.db']);
    openPager({}, vfs).close();
  });
});

describe('main and log that do not belong together', () => {
  /** A database that was not closed: main as of a checkpoint with one page, a log with more. The file system is copied. */
  function unclosed(): MemoryVfs {
    const vfs = new MemoryVfs();
    const pager = openPager({}, vfs);
    write(pager, (tx) => newPage(tx, 1));
    pager.checkpoint();
    write(pager, (tx) => tx.setU32(tx.edit(3), 24, 2));
    const copy = new MemoryVfs();
    for (const name of vfs.list('.')) if (!name.endsWith('-shm')) writeFile(copy, name, readFile(vfs, name));
    pager.close();
    return copy;
  }

  test('with its log everything is there', () => {
    const vfs = unclosed();
    expect(codeOf(() => openPager({ readOnly: true }, vfs))).toBe('SOMBRA_RECOVERY_REQUIRED');
    const pager = openPager({}, vfs);
    expect([valueOf(pager.view, 3), pager.warnings]).toEqual([2, []]);
    write(pager, (tx) => tx.setU32(tx.edit(3), 24, 3));
    pager.close();
    expect(vfs.list('.')).toEqual(['t.db']);
    const again = openPager({}, vfs);
    expect(valueOf(again.view, 3)).toBe(3);
    again.close();
  });

  test('without its log: as of the checkpoint, with a warning', () => {
    const vfs = unclosed();
    vfs.unlink('t.db-wal');
    const told: PagerWarning[] = [];
    const pager = openPager({ hooks: { warning: (warning) => told.push(warning) } }, vfs);
    expect(pager.warnings.map(({ code }) => code)).toEqual(['SOMBRA_WAL_MISSING']);
    expect(told).toEqual(pager.warnings);
    expect(valueOf(pager.view, 3)).toBe(1);
    write(pager, (tx) => tx.setU32(tx.edit(3), 24, 4));
    pager.close();
    const again = openPager({}, vfs);
    expect([valueOf(again.view, 3), again.warnings]).toEqual([4, []]);
    again.close();
  });

  test('the log of another database is set aside, not replayed and not deleted', () => {
    const vfs = unclosed();
    const other = unclosed();
    writeFile(vfs, 't.db-wal', readFile(other, 't.db-wal'));
    const pager = openPager({}, vfs);
    expect(pager.warnings.map(({ code }) => code)).toContain('SOMBRA_WAL_SET_ASIDE');
    expect(valueOf(pager.view, 3)).toBe(1);
    write(pager, (tx) => tx.setU32(tx.edit(3), 24, 5));
    pager.close();
    const names = vfs.list('.');
    expect(names.length).toBe(2);
    expect(names.filter((name) => name.includes('set-aside')).length).toBe(1);
    const again = openPager({}, vfs);
    expect([valueOf(again.view, 3), again.warnings]).toEqual([5, []]);
    again.close();
  });

  test('without a log file in use: an unclosed file from log mode is recovered first, and no log is left', () => {
    const vfs = unclosed();
    const pager = openPager({ enableWal: false }, vfs);
    expect(valueOf(pager.view, 3)).toBe(2);
    write(pager, (tx) => tx.setU32(tx.edit(3), 24, 6));
    expect(vfs.list('.').filter((name) => name.endsWith('-wal'))).toEqual([]);
    const crashed = new MemoryVfs();
    for (const name of vfs.list('.')) if (!name.endsWith('-shm')) writeFile(crashed, name, readFile(vfs, name));
    pager.close();
    const closed = openPager({}, vfs);
    expect(valueOf(closed.view, 3)).toBe(6);
    closed.close();
    const lost = openPager({}, crashed);
    expect([valueOf(lost.view, 3), lost.warnings]).toEqual([2, []]);
    lost.close();
  });
});

describe('the folder of a database', () => {
  /** Counts how often a folder is listed. */
  class CountingVfs extends MemoryVfs {
    lists = 0;

    override list(directory: string): string[] {
      this.lists += 1;
      return super.list(directory);
    }
  }

  test('is not listed when a file that was closed is opened, used, and closed', () => {
    const vfs = new CountingVfs();
    const first = openPager({}, vfs);
    write(first, (tx) => newPage(tx, 1));
    first.close();
    vfs.lists = 0;
    for (let round = 0; round < 3; round += 1) {
      const pager = openPager({ maxWalSizeMb: 0.25 }, vfs);
      const other = openPager({}, vfs);
      for (let i = 0; i < 30; i += 1) write(pager, (tx) => newPage(tx, i));
      pager.checkpoint();
      pager.close();
      other.close();
      openPager({ readOnly: true }, vfs).close();
    }
    expect(vfs.lists).toBe(0);
    expect(vfs.list('.')).toEqual(['t.db']);
  });

  test('is listed when a crash, an archive or a creation may have left something', () => {
    const vfs = new CountingVfs();
    openPager({}, vfs).close();
    const left = ['t.db-wal', 't.db-wal.spare', 't.db-dw', 't.db-archive'];
    for (const name of left) {
      const copy = new CountingVfs();
      for (const [path, bytes] of [
        ['t.db', readFile(vfs, 't.db')],
        [name, new Uint8Array(0)],
      ] as const)
        writeFile(copy, path, bytes);
      try {
        openPager({}, copy).close();
      } catch (error) {
        expect((error as { code?: string }).code).toMatch(/^SOMBRA_/);
      }
      expect([name, copy.lists > 0]).toEqual([name, true]);
    }
  });
});

test('a log that is brought to main before one in memory takes no second cache', () => {
  const vfs = new MemoryVfs();
  const options = { cacheSize: 16_384, pageSize: 4096 };
  const slab = (16_384 + 1000) * 4096;
  const first = openPager(options, vfs);
  const page = write(first, (tx) => newPage(tx, 5));
  const crashed = new MemoryVfs();
  for (const name of vfs.list('.')) writeFile(crashed, name, readFile(vfs, name));
  first.close();
  openPager({ cacheSize: 8 }, new MemoryVfs()).close(); // so that no memory of the first is kept
  collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  const pager = openPager({ ...options, enableWal: false }, crashed);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1.5 * slab);
  expect(valueOf(pager.view, page)).toBe(5);
  pager.close();
});
