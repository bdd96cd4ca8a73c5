// Goal: what comes in late, after its connection gave WRITE back, changes nothing that only the holder of WRITE may change (rules C2, L5).
// Method: the sync of a group is held back until its connection has given way and another process has written on.
import { IoError, MemoryVfs } from '@sombra/vfs';
import type { OpenMode, VfsFile } from '@sombra/vfs';
import { FaultyVfs } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import type { WriteTransaction } from '../src/index.ts';
import { MortalVfs } from './support/mortal-vfs.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';
import { SlowSyncs } from './support/slow-syncs.ts';
import { WrappedVfs } from './support/wrapped-vfs.ts';
import { SHM_LATE } from '../src/sharing/shm.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a checkpoint that is due when a late sync comes in is not begun without WRITE', async () => {
  const vfs = new MemoryVfs();
  const slow = new SlowSyncs(new MortalVfs(vfs, 100));
  const a = openPager({ checkpointAfterBytes: 20_000 }, slow);
  const b = openPager({ checkpointAfterBytes: 2 ** 40 }, new MortalVfs(vfs, 101));
  const page = write(a, (tx) => newPage(tx, 1));
  const waiting = a.begin();
  waiting.setU32(waiting.edit(page), 24, 2);
  const durable = waiting.commitAsync();
  while (slow.waiting.length === 0) await turn();
  // Each commit lets the connection check whether another waits; it gives way after some milliseconds.
  b.waiting(true);
  while (!lateMark(vfs)) write(a, (tx) => tx.setU32(tx.edit(page), 24, 3));
  b.waiting(false);
  expect(await durable).toBe(2); // another sync covered it
  const fill = (value: number): void =>
    write(b, (tx) => {
      tx.setBytes(tx.edit(page), 100, new Uint8Array(3000).fill(value), 0, 3000);
      tx.setU32(tx.edit(page), 24, value);
    });
  for (let i = 10; i < 30; i += 1) fill(i);
  await turn();
  expect(valueOf(a.view, page)).toBe(29); // a has followed the log, which is long enough for a checkpoint of a now
  for (let i = 30; i < 40; i += 1) fill(i);
  const tx = b.begin(); // b holds WRITE
  const { checkpoints } = a.stats();
  await slow.deliver();
  for (let i = 0; i < 20; i += 1) await turn();
  expect(a.stats().checkpoints).toBe(checkpoints);
  tx.rollback();
  const c = openPager({}, new MortalVfs(vfs, 102));
  expect(valueOf(c.view, page)).toBe(39);
  for (const pager of [c, b, a]) pager.close();
});

test('a late mark that could not be set is set before WRITE is given back', async () => {
  const vfs = new MemoryVfs();
  const faults = new FaultyVfs(new LateMarkFails(new MortalVfs(vfs, 100)));
  const slow = new SlowSyncs(faults);
  const failed: unknown[] = [];
  const a = openPager({ hooks: { warning: ({ cause }) => failed.push(cause) } }, slow);
  const b = openPager({}, new MortalVfs(vfs, 101));
  const page = write(a, (tx) => newPage(tx, 1));
  const waiting = a.begin();
  waiting.setU32(waiting.edit(page), 24, 2);
  const durable = waiting.commitAsync();
  while (slow.waiting.length === 0) await turn();
  b.waiting(true);
  let tx: WriteTransaction | undefined;
  while (tx === undefined) {
    write(a, (next) => next.setU32(next.edit(page), 24, 3));
    const code = codeOf(() => (tx = b.begin(0)));
    expect(['no error', 'SOMBRA_BUSY']).toContain(code);
  }
  b.waiting(false);
  expect([failed.length, await durable]).toEqual([1, 2]);
  tx.setU32(tx.edit(page), 24, 4);
  faults.add({ op: 'sync', file: /wal/, nth: 1, action: 'EIO' });
  await slow.deliver();
  expect(a.poisoned).toBe(true);
  expect(codeOf(() => tx!.commit())).toBe('SOMBRA_COMMIT_UNKNOWN');
  expect(valueOf(b.view, page)).toBe(3);
  a.close();
  b.close();
});

/** The first write of the late mark fails. */
class LateMarkFails extends WrappedVfs {
  private left = 1;

  override open(path: string, mode: OpenMode): VfsFile {
    const file = super.open(path, mode);
    if (!path.endsWith('-shm')) return file;
    const pwrite = file.pwrite.bind(file);
    file.pwrite = (bytes, at) => {
      if (at !== SHM_LATE || this.left === 0) return pwrite(bytes, at);
      this.left -= 1;
      throw new IoError('SOMBRA_IO', 'no', { details: { errno: 'EIO', op: 'pwrite', path } });
    };
    return file;
  }
}

/** Does shm say that a sync may fail although its connection does not hold WRITE? */
function lateMark(vfs: MemoryVfs): boolean {
  const word = new Uint8Array(4);
  vfs.open('t.db-shm', { write: false }).pread(word, SHM_LATE);
  return word.some((byte) => byte !== 0);
}
