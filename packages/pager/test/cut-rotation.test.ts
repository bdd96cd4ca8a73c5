// Goal: a rotation whose renames fail costs one transaction (rules K6, E2): nothing is poisoned, WRITE is given back with the names
// unsettled, and the next holder, this connection or another, goes on from where the rotation stood. Nothing acknowledged is lost.
// Method: a file system whose renames fail, before or after they were done; connections that pass for processes; crash images.
import { IoError, MemoryVfs } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { Random, SimDisk, SimEnv } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import type { Locking, Pager } from '../src/index.ts';
import { MortalVfs } from './support/mortal-vfs.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';
import { WrappedVfs } from './support/wrapped-vfs.ts';

/** Segments of 16 KiB. */
const OPTIONS = { maxWalSizeMb: 0.0625 } as const;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Renames to the live name fail while `bad`, before they are done or after. */
class BadRenames extends WrappedVfs {
  bad = false;
  done = false;
  failures = 0;

  override rename(from: string, to: string): void {
    const fails = this.bad && to.endsWith('-wal') && !/\d-wal$/.test(to);
    if (!fails || this.done) super.rename(from, to);
    if (!fails) return;
    this.failures += 1;
    throw new IoError('SOMBRA_IO', `rename ${from} to ${to}: EIO`, { details: { errno: 'EIO' } });
  }
}

interface Cut {
  readonly vfs: BadRenames;
  readonly pager: Pager;
  readonly page: number;
  /** The newest commit, which is also the number in the page. */
  readonly last: number;
}

function put(pager: Pager, page: number, value: number): void {
  write(pager, (tx) => {
    tx.setBytes(tx.edit(page), 100, new Uint8Array(3900).fill(value), 0, 3900);
    tx.setU32(tx.edit(page), 24, value);
  });
}

/** A connection whose last transaction was refused by a rotation that ended between its two renames. */
function cut(inner: Vfs, { locking = 'shared', done = false }: { locking?: Locking; done?: boolean } = {}): Cut {
  const vfs = new BadRenames(inner);
  const pager = openPager({ ...OPTIONS, locking }, vfs);
  const page = write(pager, (tx) => newPage(tx, 1));
  Object.assign(vfs, { bad: true, done });
  let last = 1;
  while (vfs.failures === 0) {
    const value = last + 1;
    const code = codeOf(() => put(pager, page, value));
    if (vfs.failures === 0) last = value;
    else expect(code).toBe('SOMBRA_IO');
  }
  expect(pager.poisoned).toBe(false);
  return { vfs, pager, page, last };
}

const each = (['shared', 'exclusive', 'single-process'] as const).flatMap((locking) =>
  [false, true].map((done) => [locking, done] as const),
);

describe.each(each)('%s, the failed rename was done: %s', (locking, done) => {
  test('the same connection goes on when renames succeed again, and leaves only main', () => {
    const memory = new MemoryVfs();
    const { vfs, pager, page, last } = cut(memory, { locking, done });
    expect(valueOf(pager.view, page)).toBe(last);
    if (!done) for (let i = 0; i < 3; i += 1) expect(codeOf(() => put(pager, page, 99))).toBe('SOMBRA_IO');
    vfs.bad = false;
    for (let i = 1; i <= 12; i += 1) put(pager, page, last + i);
    expect(pager.view.lsn).toBe(last + 12);
    pager.checkpoint();
    expect(pager.check()).toEqual([]);
    pager.close();
    expect(memory.list('.')).toEqual(['t.db']);
    const again = openPager(OPTIONS, memory);
    expect(valueOf(again.view, page)).toBe(last + 12);
    again.close();
  });

  test('a checkpoint and a close work although renames still fail', () => {
    const memory = new MemoryVfs();
    const { pager, page, last } = cut(memory, { locking, done });
    // Where WRITE is given back, its next holder settles the names first, and that fails.
    const settles = locking === 'shared' && !done;
    expect(codeOf(() => pager.checkpoint())).toBe(settles ? 'SOMBRA_IO' : 'no error');
    expect(codeOf(() => pager.close())).toBe(settles ? 'SOMBRA_IO' : 'no error');
    const again = openPager(OPTIONS, memory);
    expect(valueOf(again.view, page)).toBe(last);
    expect(again.view.lsn).toBe(last);
    again.close();
    expect(memory.list('.')).toEqual(['t.db']);
  });
});

describe.each([false, true])('beside others, the failed rename was done: %s', (done) => {
  test('another process goes on at once, and then the first one again', async () => {
    const env = new SimEnv({ seed: 1 });
    const memory = new MemoryVfs({ env });
    const { vfs, pager, page, last } = cut(new MortalVfs(memory, 100), { done });
    const other = openPager(OPTIONS, new MortalVfs(memory, 101));
    expect(valueOf(other.view, page)).toBe(last);
    for (let i = 1; i <= 6; i += 1) put(other, page, last + i);
    // The other one ends its checkpoint, and gives WRITE back.
    for (let turns = 0; turns < 50; turns += 1) {
      env.advance(5);
      await turn();
    }
    expect(valueOf(pager.view, page)).toBe(last + 6);
    vfs.bad = false;
    for (let i = 7; i <= 12; i += 1) put(pager, page, last + i);
    expect(valueOf(other.view, page)).toBe(last + 12);
    expect(other.check()).toEqual([]);
    pager.close();
    other.close();
    expect(memory.list('.')).toEqual(['t.db']);
  });

  test('the tenure has ended although a checkpoint is under way', async () => {
    const memory = new MemoryVfs();
    const { vfs, pager, page, last } = cut(new MortalVfs(memory, 100), { done });
    vfs.bad = false;
    for (let i = 1; i <= 3; i += 1) put(pager, page, last + i);
    const request = pager.requestCheckpoint();
    vfs.bad = true;
    let value = last + 3;
    while (codeOf(() => put(pager, page, value + 1)) === 'no error') value += 1;
    for (let turns = 0; request.end === undefined && turns < 100; turns += 1) await turn();
    const other = openPager(OPTIONS, new MortalVfs(memory, 101));
    for (let i = 1; i <= 12; i += 1) put(other, page, value + i);
    expect(valueOf(pager.view, page)).toBe(value + 12);
    vfs.bad = false;
    pager.close();
    expect(other.check()).toEqual([]);
    other.close();
    expect(memory.list('.')).toEqual(['t.db']);
  });

  test('commits of a group that shared the segment are acknowledged, and the one that needs the next is refused', async () => {
    const { vfs, pager, page, last } = cut(new MortalVfs(new MemoryVfs(), 100), { done });
    vfs.bad = false;
    put(pager, page, last + 1);
    vfs.bad = true;
    const acknowledged: Promise<number>[] = [];
    const code = codeOf(() => {
      for (;;) {
        const tx = pager.begin();
        tx.setBytes(tx.edit(page), 100, new Uint8Array(3900).fill(acknowledged.length), 0, 3900);
        acknowledged.push(tx.commitAsync());
      }
    });
    expect(code).toBe('SOMBRA_IO');
    const lsns = await Promise.all(acknowledged);
    expect(lsns.length).toBeGreaterThan(0);
    expect(pager.view.lsn).toBe(lsns.at(-1));
    vfs.bad = false;
    put(pager, page, 77);
    expect(valueOf(pager.view, page)).toBe(77);
    pager.close();
  });

  test('a power loss before any operation of whoever goes on takes nothing that was acknowledged', () => {
    for (const same of [true, false]) {
      const disk = new SimDisk({ seed: 3 });
      const { vfs, pager, page, last } = cut(new MortalVfs(disk, 100), { done });
      vfs.bad = false;
      const successor = same ? pager : openPager(OPTIONS, new MortalVfs(disk, 101));
      let acknowledged = last;
      let images = 0;
      disk.onOperation = (number) => {
        for (const image of [
          disk.kill(),
          ...(['none', 'random', 'all'] as const).map((keep) =>
            disk.crash({ keep, names: 'random' }, new Random(number)),
          ),
        ]) {
          images += 1;
          const found = openPager(OPTIONS, image);
          const value = valueOf(found.view, page);
          expect([number, value >= acknowledged, found.view.lsn, found.check()]).toEqual([number, true, value, []]);
          found.close();
        }
      };
      for (let i = 1; i <= 3; i += 1) {
        put(successor, page, last + i);
        acknowledged = last + i;
      }
      disk.onOperation = undefined;
      expect(images).toBeGreaterThan(40);
      if (!same) successor.close();
      pager.close();
    }
  });
});
