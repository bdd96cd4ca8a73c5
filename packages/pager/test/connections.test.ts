// Goal: several connections share a database: each sees every published commit, snapshots stay, nothing is lost, waits end.
// Method: connections of one thread on a file system in memory; seeded runs of writes, reads, snapshots, checkpoints, opens and
// closes over a handful of connections against a plain model.
import { MemoryVfs } from '@sombra/vfs';
import type { VfsFile } from '@sombra/vfs';
import { describe, expect, test } from 'vitest';

import type { Pager, View } from '../src/index.ts';
import { LOCK_BASE, LOCK_READ, LOCK_READ_SLOTS, LOCK_SNAPSHOT_SLOTS } from '../src/sharing/locks.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';
import { Random, seeds } from './support/random.ts';

/** Ends the turn of the event loop, and with it implicit views. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('two connections', () => {
  test('each sees what the other committed, at once or in the next turn', async () => {
    const vfs = new MemoryVfs();
    const a = openPager({}, vfs);
    const b = openPager({}, vfs);
    const page = write(a, (tx) => newPage(tx, 1));
    expect(valueOf(b.view, page)).toBe(1);
    write(a, (tx) => tx.setU32(tx.edit(page), 24, 2));
    expect(valueOf(b.view, page)).toBe(1); // one turn, one view
    await turn();
    expect(valueOf(b.view, page)).toBe(2);
    write(b, (tx) => tx.setU32(tx.edit(page), 24, 3));
    expect(valueOf(b.view, page)).toBe(3);
    await turn();
    expect(valueOf(a.view, page)).toBe(3);
    a.close();
    expect(vfs.list('.')).toContain('t.db-wal');
    expect(valueOf(b.view, page)).toBe(3);
    b.close();
    expect(vfs.list('.')).toEqual(['t.db']);
    const again = openPager({}, vfs);
    expect(valueOf(again.view, page)).toBe(3);
    expect(again.check()).toEqual([]);
    again.close();
  });

  test('a writer waits for no connection of its own thread: an idle tenure is handed over, a busy one refused at once', () => {
    const vfs = new MemoryVfs();
    const a = openPager({}, vfs);
    const b = openPager({ busyTimeoutMs: 10_000 }, vfs);
    const page = write(a, (tx) => newPage(tx, 1));
    write(a, (tx) => tx.setU32(tx.edit(page), 24, 2)); // the second commit in a row keeps WRITE
    write(b, (tx) => tx.setU32(tx.edit(page), 24, 3));
    const open = a.begin();
    const began = Date.now();
    expect(codeOf(() => b.begin())).toBe('SOMBRA_BUSY');
    expect(Date.now() - began).toBeLessThan(5000);
    open.rollback();
    write(b, (tx) => tx.setU32(tx.edit(page), 24, 4));
    a.close();
    b.close();
  });

  test('a snapshot of one holds back the checkpoint of the other', () => {
    const vfs = new MemoryVfs();
    const a = openPager({}, vfs);
    const b = openPager({}, vfs);
    const page = write(a, (tx) => newPage(tx, 1));
    const old = b.snapshot();
    write(a, (tx) => tx.setU32(tx.edit(page), 24, 2));
    expect(a.checkpoint()).toMatchObject({ lsn: 1, newestLsn: 2 });
    write(a, (tx) => tx.setU32(tx.edit(page), 24, 3));
    expect(valueOf(old, page)).toBe(1);
    old.release();
    expect(a.checkpoint()).toMatchObject({ lsn: 3, newestLsn: 3 });
    a.close();
    b.close();
  });
});

interface Held {
  readonly view: View;
  readonly values: Map<number, number>;
}

test.each(seeds(60))('seed %i: connections come and go, each reads commits whole', async (seed) => {
  const random = new Random(seed);
  const vfs = new MemoryVfs();
  const options = {
    maxWalSizeMb: random.pick([0.05, 0.2, 1]),
    checkpointAfterBytes: random.pick([5_000, 20_000, 1_000_000]),
  };
  const state = new Map<number, number>();
  const open: { pager: Pager; held: Held[] }[] = [];
  const examine = (view: View, values: ReadonlyMap<number, number>): void => {
    for (const [page, value] of values) expect(valueOf(view, page)).toBe(value);
  };
  for (let step = 0; step < 200; step += 1) {
    if (open.length === 0 || (open.length < 4 && random.chance(0.05))) {
      open.push({ pager: openPager(options, vfs), held: [] });
      continue;
    }
    const connection = random.pick(open);
    const { pager, held } = connection;
    switch (random.below(10)) {
      case 0:
      case 1:
      case 2:
      case 3: {
        const tx = pager.begin();
        const draft = new Map(state);
        for (let change = random.below(6); change >= 0; change -= 1) {
          const value = random.next();
          if (draft.size < 40 && random.chance(0.3)) draft.set(newPage(tx, value), value);
          else if (draft.size > 0) {
            const page = random.pick([...draft.keys()]);
            tx.setU32(tx.edit(page), 24, value);
            draft.set(page, value);
          }
        }
        if (random.chance(0.2)) tx.rollback();
        else {
          tx.commit();
          state.clear();
          for (const [page, value] of draft) state.set(page, value);
        }
        break;
      }
      case 4:
      case 5:
        await turn();
        examine(pager.view, state);
        break;
      case 6:
        if (held.length < 3) held.push({ view: pager.snapshot(), values: new Map(state) });
        break;
      case 7:
        for (const { view, values } of held) examine(view, values);
        if (held.length > 0) held.splice(random.below(held.length), 1)[0]!.view.release();
        break;
      case 8:
        pager.checkpoint();
        break;
      default:
        if (!random.chance(0.3)) break;
        open.splice(open.indexOf(connection), 1);
        pager.close();
    }
  }
  await turn();
  for (const { pager, held } of open) {
    for (const { view, values } of held) examine(view, values);
    examine(pager.view, state);
    expect(pager.check()).toEqual([]);
  }
  for (const { pager } of open) pager.close();
  if (state.size > 0) expect(vfs.list('.')).toEqual(['t.db']);
  const again = openPager({}, vfs);
  examine(again.view, state);
  expect(again.check()).toEqual([]);
  again.close();
});

describe('many readers', () => {
  /** Takes READ slots as other processes would. */
  function occupy(vfs: MemoryVfs, from: number, to: number): VfsFile {
    const file = vfs.open('t.db', { write: true });
    for (let slot = from; slot < to; slot += 1) file.tryLock(LOCK_BASE + LOCK_READ + slot, 1, 'exclusive');
    return file;
  }

  test('a hundred connections keep a snapshot each, others open, read and write, and a checkpoint passes none of them', async () => {
    const vfs = new MemoryVfs();
    const writer = openPager({}, vfs);
    const page = write(writer, (tx) => newPage(tx, 0));
    const kept = Array.from({ length: 100 }, (_, at) => {
      const pager = openPager({}, vfs);
      const view = pager.snapshot();
      write(writer, (tx) => tx.setU32(tx.edit(page), 24, at + 1));
      return { pager, view };
    });
    await turn();
    expect(writer.readers().length).toBe(100);
    expect(writer.checkpoint().lsn).toBe(1);
    kept.forEach(({ view }, at) => expect(valueOf(view, page)).toBe(at));
    for (const { view } of kept.slice(0, 50)) view.release();
    expect(writer.checkpoint().lsn).toBe(51);
    kept.slice(50).forEach(({ view }, at) => expect(valueOf(view, page)).toBe(at + 50));
    for (const { pager } of kept) pager.close();
    writer.close();
    expect(vfs.list('.')).toEqual(['t.db']);
  });

  test('when all slots for snapshots are taken, connections can still be opened, write and read; without any slot SOMBRA_BUSY says so', async () => {
    const vfs = new MemoryVfs();
    const first = openPager({}, vfs);
    const page = write(first, (tx) => newPage(tx, 1));
    await turn();
    const snapshots = occupy(vfs, 0, LOCK_SNAPSHOT_SLOTS);
    const second = openPager({}, vfs);
    expect(valueOf(second.view, page)).toBe(1); // its slot is none for a snapshot
    expect(() => second.snapshot()).toThrow(/all 960 slots for snapshots/);
    expect(valueOf(second.view, page)).toBe(1);
    await turn();
    write(second, (tx) => tx.setU32(tx.edit(page), 24, 2));
    await turn();
    const rest = occupy(vfs, LOCK_SNAPSHOT_SLOTS, LOCK_READ_SLOTS);
    expect(() => first.view.lsn).toThrow(/all 1024 slots for readers/);
    expect(codeOf(() => openPager({}, vfs))).toBe('SOMBRA_BUSY');
    write(first, (tx) => tx.setU32(tx.edit(page), 24, 3)); // a writer needs none
    rest.close();
    snapshots.close();
    await turn();
    const view = second.snapshot();
    expect(valueOf(view, page)).toBe(3);
    view.release();
    first.close();
    second.close();
  });
});
