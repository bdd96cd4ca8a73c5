// Goal: a user who may not write a database reads it when no connection has it open, whatever dead processes left beside it; is told of
// living ones, and of what needs recovery; and never makes anybody trust what the dead left.
// Method: processes on one file system in memory, of which one may open nothing for writing; others are killed.
import { IoError, MemoryVfs } from '@sombra/vfs';
import type { OpenMode, VfsFile } from '@sombra/vfs';
import { expect, test } from 'vitest';
import { MortalVfs } from './support/mortal-vfs.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';

/** A process that may write nothing. */
class ReaderVfs extends MortalVfs {
  override open(path: string, mode: OpenMode): VfsFile {
    if (mode.write)
      throw new IoError('SOMBRA_PERMISSION', `open of ${path} failed with EACCES`, { details: { errno: 'EACCES' } });
    return super.open(path, mode);
  }
}

function closedDatabase(): { vfs: MemoryVfs; page: number } {
  const vfs = new MemoryVfs();
  const pager = openPager({}, new MortalVfs(vfs, 100));
  const page = write(pager, (tx) => newPage(tx, 7));
  pager.close();
  return { vfs, page };
}

test('a killed reader leaves a shm file, and all read on, with and without permission to write', () => {
  const { vfs, page } = closedDatabase();
  const dead = new MortalVfs(vfs, 101);
  expect(valueOf(openPager({ readOnly: true }, dead).view, page)).toBe(7);
  dead.die('here');
  expect(vfs.list('.')).toEqual(['t.db', 't.db-shm']);
  const readers = [102, 103].map((pid) => openPager({ readOnly: true }, new ReaderVfs(vfs, pid)));
  for (const reader of readers) expect(valueOf(reader.view, page)).toBe(7);
  // No connection may open the database by the shm file of the dead meanwhile.
  expect(codeOf(() => openPager({}, new MortalVfs(vfs, 104)))).toBe('SOMBRA_BUSY');
  for (const reader of readers) reader.close();
  expect(vfs.list('.')).toEqual(['t.db', 't.db-shm']);
  const writer = openPager({}, new MortalVfs(vfs, 105));
  write(writer, (tx) => tx.setU32(tx.edit(page), 24, 8));
  writer.close();
  expect(vfs.list('.')).toEqual(['t.db']);
});

test('after a killed writer recovery is required', () => {
  const { vfs, page } = closedDatabase();
  const dead = new MortalVfs(vfs, 101);
  write(openPager({}, dead), (tx) => tx.setU32(tx.edit(page), 24, 8));
  dead.die('here');
  expect(codeOf(() => openPager({ readOnly: true }, new ReaderVfs(vfs, 102)))).toBe('SOMBRA_RECOVERY_REQUIRED');
  openPager({}, new MortalVfs(vfs, 103)).close();
  const reader = openPager({ readOnly: true }, new ReaderVfs(vfs, 104));
  expect(valueOf(reader.view, page)).toBe(8);
  reader.close();
});

test.each([
  ['shared', {}],
  ['read-only', { readOnly: true }],
  ['exclusive', { locking: 'exclusive' }],
] as const)(
  'beside a living connection (%s) that does nothing it is refused, and the error names the process',
  (_, options) => {
    const { vfs, page } = closedDatabase();
    const living = openPager(options, new MortalVfs(vfs, 101));
    let error: { code?: string; details?: { pid?: number } } = {};
    try {
      openPager({ readOnly: true }, new ReaderVfs(vfs, 102));
    } catch (caught) {
      error = caught as typeof error;
    }
    expect([error.code, error.details?.pid]).toEqual(['SOMBRA_BUSY', 101]);
    expect(valueOf(living.view, page)).toBe(7);
    living.close();
    openPager({ readOnly: true }, new ReaderVfs(vfs, 102)).close();
  },
);
