// Goal: a listener that fails while it is called for the commits of others leaves nothing half done: no view, no lock, no slot, and it is
// called again (rules L5, L6). Method: a listener that throws the first time, at each of the places where it is called.
import { MemoryVfs } from '@sombra/vfs';
import { expect, test } from 'vitest';
import type { Pager } from '../src/index.ts';
import { MortalVfs } from './support/mortal-vfs.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Pair {
  readonly a: Pager;
  readonly b: Pager;
  readonly page: number;
  /** Commits that the listener of `a` was called for successfully. */
  readonly told: number[];
  failures: number;
  change(value: number): void;
}

/** Waits for the end of a tenure: one goes on when a commit follows another within a millisecond. */
async function writeIsFree(vfs: MemoryVfs): Promise<void> {
  const third = openPager({}, new MortalVfs(vfs, 102));
  while (codeOf(() => third.begin(0).rollback()) === 'SOMBRA_BUSY') await turn();
  third.close();
}

/** Two processes; the listener of the first fails so many times. */
async function pair(failures: number): Promise<Pair> {
  const vfs = new MemoryVfs();
  const a = openPager({}, new MortalVfs(vfs, 100));
  const b = openPager({}, new MortalVfs(vfs, 101));
  const page = write(b, (tx) => newPage(tx, 1));
  const told: number[] = [];
  const state = {
    a,
    b,
    page,
    told,
    failures: 0,
    change: (value: number): void => write(b, (tx) => tx.setU32(tx.edit(page), 24, value)),
  };
  expect(valueOf(a.view, page)).toBe(1);
  a.onAdvanced((newest) => {
    if (state.failures > 0) {
      state.failures -= 1;
      throw new Error('not now');
    }
    told.push(valueOf(newest, page));
  });
  await turn();
  state.change(2);
  await writeIsFree(vfs);
  state.failures = failures;
  return state;
}

test('a read: it fails, and the next one calls the listener before it reads', async () => {
  const { a, b, page, told } = await pair(2);
  expect(() => a.view.page(page)).toThrow('not now');
  expect(() => a.view.treeRoot(0)).toThrow('not now');
  expect(b.readers()).toEqual([]); // no slot is kept
  expect(valueOf(a.view, page)).toBe(2);
  expect(told).toEqual([2]);
  a.close();
  b.close();
});

test('a snapshot: it is not begun, and nothing is kept', async () => {
  const { a, b, page, told, change } = await pair(1);
  expect(() => a.snapshot()).toThrow('not now');
  expect([a.stats().snapshots, b.readers().length]).toEqual([0, 0]);
  change(3);
  b.checkpoint();
  expect(b.stats().checkpointLsn).toBe(3);
  const view = a.snapshot();
  expect(valueOf(view, page)).toBe(3);
  expect(told).toEqual([3]);
  a.close();
  b.close();
});

test('a snapshot beside another: only the slot of the other is kept', async () => {
  const { a, b, page, change, told } = await pair(0);
  const first = a.snapshot();
  expect(told).toEqual([2]);
  change(3);
  let fails = true;
  a.onAdvanced(() => {
    if (fails) throw new Error('not now');
  });
  expect(() => a.snapshot()).toThrow('not now');
  expect(a.stats().snapshots).toBe(1);
  expect(b.readers().map(({ lsn }) => lsn)).toEqual([2]);
  expect(valueOf(first, page)).toBe(2);
  fails = false;
  first.release();
  expect(valueOf(a.view, page)).toBe(3);
  a.close();
  b.close();
});

test('a transaction: it is not begun, and WRITE is given back', async () => {
  const { a, b, page, told } = await pair(1);
  expect(() => a.begin()).toThrow('not now');
  expect(a.inTransaction).toBe(false);
  expect(codeOf(() => b.begin(0).rollback())).toBe('no error');
  await turn();
  const tx = a.begin();
  expect(valueOf(tx.view, page)).toBe(2);
  tx.rollback();
  expect(told).toEqual([2]);
  a.close();
  b.close();
});

test('a listener that reads through the implicit view before it fails does not move it', async () => {
  const { a, b, page } = await pair(0);
  let fails = true;
  const seen: number[] = [];
  a.onAdvanced(() => {
    seen.push(valueOf(a.view, page));
    if (fails) throw new Error('not now');
  });
  expect(() => a.view.page(page)).toThrow('not now');
  fails = false;
  expect(valueOf(a.view, page)).toBe(2);
  expect(seen).toEqual([2, 2]);
  a.close();
  b.close();
});
