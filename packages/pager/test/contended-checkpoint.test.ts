// Goal: checkpoints get done whatever other connections do: progress is not thrown away again and again, and what one leaves behind
// that came to nothing hinders no reader (rules K1, K4, K5).
// Method: two processes that take WRITE from each other after every commit; a mark that reads as stale; a file that was removed.
import { MemoryVfs } from '@sombra/vfs';
import { expect, test } from 'vitest';
import { newSharedState } from '../src/format/shared-state.ts';
import { Shm } from '../src/sharing/shm.ts';
import { MortalVfs } from './support/mortal-vfs.ts';
import { newPage, openPager, valueOf, write } from './support/open.ts';
import { WrappedVfs } from './support/wrapped-vfs.ts';

test('two busy writers of one thread do not discard checkpoints for ever', () => {
  const vfs = new MemoryVfs();
  const options = { checkpointAfterBytes: 64 * 1024, maxWalSizeMb: 1024, maxTransactionPages: 100 };
  const pagers = [openPager(options, vfs), openPager(options, vfs)];
  const pages = write(pagers[0]!, (tx) => Array.from({ length: 64 }, (_, i) => newPage(tx, i)));
  // No turn of the event loop: each begin asks the other connection to let go, whatever it has half done.
  for (let round = 1; round <= 200; round += 1) {
    write(pagers[round % 2]!, (tx) => {
      for (const page of pages.slice(0, 8)) {
        tx.fill(tx.edit(page), 100, 2000, round);
        tx.setU32(tx.edit(page), 24, round);
      }
    });
  }
  const done = pagers.reduce((sum, pager) => sum + pager.stats().checkpoints, 0);
  expect(done).toBeGreaterThan(1);
  expect(Math.max(...pagers.map((pager) => pager.stats().logBytesSinceCheckpoint))).toBeLessThan(1024 * 1024);
  expect(valueOf(pagers[0]!.view, pages[0]!)).toBe(200);
  for (const pager of pagers) pager.close();
});

test('a checkpoint of many pages is done in parts, each complete', () => {
  const vfs = new MemoryVfs();
  const seen: [number, number][] = [];
  const hooks = { checkpoint: (lsn: number, pages: number): void => void seen.push([lsn, pages]) };
  const pager = openPager({ hooks, maxTransactionPages: 2000, maxWalSizeMb: 1024, checkpointAfterBytes: 2 ** 40 }, vfs);
  for (let commit = 0; commit < 10; commit += 1)
    write(pager, (tx) => {
      for (let i = 0; i < 1000; i += 1) newPage(tx, commit * 1000 + i);
    });
  const { pages, lsn } = pager.checkpoint();
  expect([lsn, pager.stats().checkpointLsn]).toEqual([10, 10]);
  expect(pages).toBeGreaterThanOrEqual(10_000);
  expect(pager.stats().checkpoints).toBeGreaterThan(1);
  expect(seen).toEqual([[10, pages]]);
  pager.close();
  const again = openPager({}, vfs);
  expect(again.check()).toEqual([]);
  again.close();
});

test('a checkpoint that does nothing leaves no bound that it only intended', () => {
  const vfs = new MemoryVfs();
  const a = openPager({}, new MortalVfs(vfs, 100));
  const b = openPager({}, new MortalVfs(vfs, 101));
  const page = write(a, (tx) => newPage(tx, 1));
  a.checkpoint();
  write(a, (tx) => tx.setU32(tx.edit(page), 24, 2));
  a.checkpoint();
  const kept = b.snapshot();
  write(a, (tx) => tx.setU32(tx.edit(page), 24, 3));
  // What a reader leaves for a moment that chose its commit before the last checkpoint.
  const shm = Shm.join(vfs, 't.db')!;
  const slot = 101 % 64;
  shm.writeMark(slot, { lsn: 1, floor: 0, since: 0, pid: 101 });
  a.checkpoint();
  const header = newSharedState();
  shm.read(header);
  expect([header.checkpointLsn, header.bound, header.intendedBound]).toEqual([2, 2, 2]);
  shm.writeMark(slot, { lsn: 2, floor: 0, since: 0, pid: 101 });
  shm.close();
  expect(valueOf(kept, page)).toBe(2);
  kept.release();
  a.checkpoint();
  expect(a.stats().checkpointLsn).toBe(3);
  a.close();
  b.close();
});

test('a double-write file that is made again gets a durable name again', () => {
  const vfs = new WrappedVfs(new MemoryVfs());
  const pager = openPager({}, vfs);
  const page = write(pager, (tx) => newPage(tx, 1));
  const syncsOfCheckpoint = (value: number): number => {
    write(pager, (tx) => tx.setU32(tx.edit(page), 24, value));
    const before = vfs.syncs;
    pager.checkpoint();
    return vfs.syncs - before;
  };
  const first = syncsOfCheckpoint(2);
  expect(syncsOfCheckpoint(3)).toBe(first - 1); // the name is durable
  vfs.unlink('t.db-dw');
  expect(syncsOfCheckpoint(4)).toBe(first);
  pager.close();
});

test('a main file that was replaced is reported as poison, once, to its own connection only', async () => {
  const vfs = new MemoryVfs();
  const told: unknown[] = [];
  const a = openPager({ hooks: { poisoned: (cause) => told.push((cause as { code?: unknown }).code) } }, vfs);
  const page = write(a, (tx) => newPage(tx, 1));
  await new Promise((resolve) => setTimeout(resolve, 20));
  vfs.rename('t.db', 'old.db');
  expect(() => a.begin()).toThrow(/was replaced, moved or written/);
  expect(a.poisoned).toBe(true);
  expect(told).toEqual(['SOMBRA_DATABASE_MOVED']);
  expect(valueOf(a.view, page)).toBe(1);
  vfs.rename('old.db', 't.db');
  const shm = Shm.join(vfs, 't.db')!;
  expect(shm.readPoisoned()).toBe(false);
  shm.close();
  a.close();
});
