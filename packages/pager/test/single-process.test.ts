// Goal: single-process mode keeps others out by a file, which is stale only when it proves so itself.
// Method: a file system in memory without locks; lock files of living, dead and unknown owners.
import { MemoryVfs } from '@sombra/vfs';
import { removeLockFile } from '../src/index.ts';
import { expect, test } from 'vitest';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';

/** A file system whose locks cannot be used. */
function lockless(): MemoryVfs {
  const vfs = new MemoryVfs();
  Object.defineProperty(vfs, 'locksAvailable', { value: false });
  return vfs;
}

function plant(vfs: MemoryVfs, text: string): void {
  const file = vfs.open('t.db-lock', { write: true, create: true });
  file.pwrite([new TextEncoder().encode(text)], 0);
  file.close();
}

test('a second opener of any mode is refused while the first has it, and gets in afterwards', () => {
  const vfs = lockless();
  const first = openPager({ locking: 'single-process' }, vfs);
  const page = write(first, (tx) => newPage(tx, 5));
  expect(vfs.list('.')).toContain('t.db-lock');
  let error: { code?: string; details?: Record<string, unknown> } = {};
  try {
    openPager({ locking: 'single-process' }, vfs);
  } catch (caught) {
    error = caught as typeof error;
  }
  expect([error.code, error.details?.['pid']]).toEqual(['SOMBRA_BUSY', process.pid]);
  Object.defineProperty(vfs, 'locksAvailable', { value: true });
  expect(codeOf(() => openPager({}, vfs))).toBe('SOMBRA_BUSY');
  first.close();
  expect(vfs.list('.')).toEqual(['t.db']);
  const second = openPager({}, vfs);
  expect(valueOf(second.view, page)).toBe(5);
  // and the other way round
  expect(codeOf(() => openPager({ locking: 'single-process' }, vfs))).toBe('SOMBRA_BUSY');
  second.close();
});

test('a lock file of a process that is gone, or was another one, is replaced', () => {
  const { env } = lockless();
  const owners = [
    { pid: 2 ** 22 + 1, host: env.host, identity: 'x/1', since: 1, token: '0'.repeat(32) },
    { pid: process.pid, host: env.host, identity: 'another boot/1', since: 1, token: '0'.repeat(32) },
  ];
  for (const owner of owners) {
    const vfs = lockless();
    openPager({ locking: 'single-process' }, vfs).close();
    plant(vfs, JSON.stringify(owner));
    openPager({ locking: 'single-process' }, vfs).close();
    expect(vfs.list('.')).toEqual(['t.db']);
  }
});

test('nothing proves that the process of another machine is gone; what cannot be read is not guessed at', () => {
  const vfs = lockless();
  openPager({ locking: 'single-process' }, vfs).close();
  plant(vfs, JSON.stringify({ pid: 1, host: 'elsewhere', identity: 'x/1', since: 1, token: '0'.repeat(32) }));
  expect(codeOf(() => openPager({ locking: 'single-process' }, vfs))).toBe('SOMBRA_BUSY');
  vfs.unlink('t.db-lock');
  for (const text of ['', '{', '[]', '{"pid":1}', 'null']) {
    plant(vfs, text);
    expect(codeOf(() => openPager({ locking: 'single-process' }, vfs))).toBe('SOMBRA_LOCK_FILE');
    vfs.unlink('t.db-lock');
  }
  openPager({ locking: 'single-process' }, vfs).close();
});

test('a network file system is refused unless single-process mode is asked for', () => {
  const vfs = new MemoryVfs();
  vfs.isNetwork = () => true;
  expect(codeOf(() => openPager({}, vfs))).toBe('SOMBRA_NETWORK_FILE_SYSTEM');
  openPager({ locking: 'single-process' }, vfs).close();
});

test('a look at a file in single-process mode keeps writers out, and is kept out by them', () => {
  const vfs = lockless();
  const writer = openPager({ locking: 'single-process' }, vfs);
  const page = write(writer, (tx) => newPage(tx, 5));
  expect(codeOf(() => openPager({ locking: 'single-process', inspect: true }, vfs))).toBe('SOMBRA_BUSY');
  writer.close();
  const look = openPager({ locking: 'single-process', inspect: true }, vfs);
  expect(valueOf(look.view, page)).toBe(5);
  expect(codeOf(() => openPager({ locking: 'single-process' }, vfs))).toBe('SOMBRA_BUSY');
  look.close();
  expect(vfs.list('.')).toEqual(['t.db']);
  openPager({ locking: 'single-process' }, vfs).close();
});

test('the lock of a machine that is gone: the message says how to get out, and only that lock is removed', () => {
  const vfs = lockless();
  openPager({ locking: 'single-process' }, vfs).close();
  expect(removeLockFile(vfs, 't.db', 'elsewhere')).toBe(null);
  plant(vfs, JSON.stringify({ pid: 7, host: 'elsewhere', identity: 'x/1', since: 1, token: '0'.repeat(32) }));
  expect(() => openPager({ locking: 'single-process' }, vfs)).toThrow('sombra-repair unlock t.db --host elsewhere');
  expect(codeOf(() => removeLockFile(vfs, 't.db', 'another'))).toBe('SOMBRA_BUSY');
  expect(removeLockFile(vfs, 't.db', 'elsewhere')).toMatchObject({ pid: 7, host: 'elsewhere' });
  const living = openPager({ locking: 'single-process' }, vfs);
  expect(codeOf(() => removeLockFile(vfs, 't.db', vfs.env.host))).toBe('SOMBRA_BUSY');
  expect(codeOf(() => removeLockFile(vfs, 't.db', 'elsewhere'))).toBe('SOMBRA_BUSY');
  living.close();
  expect(vfs.list('.')).toEqual(['t.db']);
});
