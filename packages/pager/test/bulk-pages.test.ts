// Goal: pages of a bulk load, which go to main with the number of a commit that is still to come, are read as that commit leaves them.
// Method: the commit changes and frees some of them; a load fails after it was read from, and another one takes its places.
import { MemoryVfs } from '@sombra/vfs';
import type { OpenMode, VfsFile } from '@sombra/vfs';
import { describe, expect, test } from 'vitest';
import { KIND_OFFSET } from '../src/index.ts';
import type { BulkWriter, Pager } from '../src/index.ts';
import { WrappedVfs } from './support/wrapped-vfs.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';

/** A page of the load with a number at offset 24. */
function load(bulk: BulkWriter, value: number): number {
  const page = bulk.allocate();
  const bytes = new Uint8Array(4096);
  bytes[KIND_OFFSET] = 17;
  bytes[24] = value;
  bulk.write(page, bytes, 0);
  return page;
}

test('a page of a bulk load that its own commit changes or frees is logged whole: no delta can follow a version of the same commit', () => {
  const vfs = new MemoryVfs();
  const pager = openPager({}, vfs);
  write(pager, (tx) => newPage(tx, 1));
  const bulk = pager.bulk();
  const [kept, changed, freed] = [load(bulk, 1), load(bulk, 2), load(bulk, 3)];
  bulk.finish((tx) => {
    tx.setU32(tx.edit(changed), 24, 7);
    tx.free(freed);
  });
  for (let i = 0; i < 20; i += 1) write(pager, (tx) => newPage(tx, i)); // the cache holds eight pages
  expect([kept, changed].map((page) => valueOf(pager.view, page))).toEqual([1, 7]);
  expect(pager.check()).toEqual([]);
  pager.close();
  const again = openPager({}, vfs);
  expect([kept, changed].map((page) => valueOf(again.view, page))).toEqual([1, 7]);
  expect(again.check()).toEqual([]);
  again.close();
});

/** As many pages as the file can take without growing, and the numbers that they hold. */
function fillFree(pager: Pager, values: readonly number[]): number[] {
  const bulk = pager.bulk();
  const pages = values.map((value) => load(bulk, value));
  bulk.finish((tx) => tx.setCounter(0, values.length));
  return pages;
}

test('closing with a load open gives its scratch file back', () => {
  const inner = new MemoryVfs();
  const vfs = new WrappedVfs(inner);
  const pager = openPager({}, vfs);
  write(pager, (tx) => newPage(tx, 1));
  const bulk = pager.bulk();
  bulk.scratch().append(new Uint8Array(10));
  load(bulk, 1);
  pager.close();
  expect([vfs.openFiles.size, inner.list('.')]).toEqual([0, ['t.db']]);
  expect(codeOf(() => bulk.allocate())).toBe('SOMBRA_CLOSED');
  bulk.abort();
});

describe('free pages', () => {
  const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + (i % 200));

  test('a load fills them before the file grows; every connection reads what it wrote', async () => {
    const vfs = new MemoryVfs();
    const pager = openPager({ cacheSize: 3000, maxTransactionPages: 3000 }, vfs);
    const other = openPager({ cacheSize: 3000 }, vfs);
    const first = fillFree(pager, numbers(2500));
    for (const page of first) expect(valueOf(other.view, page)).toBe(valueOf(pager.view, page)); // both caches know them
    write(pager, (tx) => first.forEach((page) => tx.freeUntouched(page)));
    const { pageCount } = pager.view;
    await new Promise((resolve) => setImmediate(resolve)); // the view of the other connection ends with the turn
    const second = fillFree(pager, numbers(2200, 5));
    expect(new Set(second).size).toBe(2200);
    expect(pager.view.pageCount).toBe(pageCount);
    expect(pager.stats().freePages).toBe(300);
    expect(second.map((page) => valueOf(pager.view, page))).toEqual(numbers(2200, 5));
    expect(second.map((page) => valueOf(other.view, page))).toEqual(numbers(2200, 5));
    expect(pager.check()).toEqual([]);
    // The checkpoint need not write them again.
    const before = pager.stats().pagesWritten;
    pager.checkpoint();
    expect(pager.stats().pagesWritten - before).toBeLessThan(20);
    write(pager, (tx) => tx.setU32(tx.edit(second[7]!), 24, 1000));
    expect(valueOf(other.view, second[7]!)).toBeGreaterThan(0);
    const again = openPager({}, vfs);
    expect(valueOf(again.view, second[7]!)).toBe(1000);
    expect(valueOf(again.view, second[8]!)).toBe(13);
    for (const one of [other, again, pager]) one.close();
    const last = openPager({}, vfs);
    expect(valueOf(last.view, second[2199]!)).toBe(numbers(2200, 5)[2199]);
    expect(last.check()).toEqual([]);
    last.close();
  });

  test('not while a snapshot may need what they hold', () => {
    const pager = openPager();
    const pages = fillFree(pager, numbers(40, 1));
    const snapshot = pager.snapshot();
    write(pager, (tx) => pages.forEach((page) => tx.freeUntouched(page)));
    const { pageCount } = pager.view;
    fillFree(pager, numbers(30));
    expect(pager.view.pageCount).toBe(pageCount + 30);
    expect(pages.map((page) => valueOf(snapshot, page))).toEqual(numbers(40, 1));
    snapshot.release();
    fillFree(pager, numbers(30));
    expect(pager.view.pageCount).toBe(pageCount + 30);
    pager.close();
  });

  test('a load that is given up, or fails at its end, leaves them free; the next one uses them', () => {
    const vfs = new MemoryVfs();
    const pager = openPager({}, vfs);
    const pages = fillFree(pager, numbers(40));
    write(pager, (tx) => pages.forEach((page) => tx.freeUntouched(page)));
    const { pageCount } = pager.view;
    const given = pager.bulk();
    load(given, 1);
    given.abort();
    const failing = pager.bulk();
    const page = load(failing, 1);
    const fail = (): number =>
      failing.finish((tx) => {
        expect(valueOf(tx.view, page)).toBe(1);
        throw new RangeError('no');
      });
    expect(fail).toThrow(RangeError);
    expect(pager.stats().freePages).toBe(40);
    const next = fillFree(pager, numbers(39, 2));
    expect(next).toContain(page);
    expect(next.map((one) => valueOf(pager.view, one))).toEqual(numbers(39, 2));
    expect([pager.view.pageCount, pager.stats().freePages]).toEqual([pageCount, 1]);
    pager.close();
  });

  test('a page of the load that its commit changes or frees', () => {
    const pager = openPager();
    const pages = fillFree(pager, numbers(20));
    write(pager, (tx) => pages.forEach((page) => tx.freeUntouched(page)));
    const bulk = pager.bulk();
    const [kept, changed, freed, unused] = [load(bulk, 1), load(bulk, 2), load(bulk, 3), load(bulk, 4)];
    bulk.finish((tx) => {
      tx.setU32(tx.edit(changed), 24, 7);
      tx.free(freed);
      expect(tx.freeUntouched(unused)).toBe(true);
    });
    expect([kept, changed].map((page) => valueOf(pager.view, page))).toEqual([1, 7]);
    expect(pager.stats().freePages).toBe(18);
    for (let i = 0; i < 20; i += 1) write(pager, (tx) => newPage(tx, i));
    expect([kept, changed].map((page) => valueOf(pager.view, page))).toEqual([1, 7]);
    expect(pager.check()).toEqual([]);
    pager.close();
  });

  test('the size levels off', () => {
    const pager = openPager({ maxTransactionPages: 100 });
    const sizes: number[] = [];
    for (let i = 0; i < 12; i += 1) {
      const pages = fillFree(pager, numbers(300 + (i % 3) * 20));
      sizes.push(pager.view.pageCount);
      write(pager, (tx) => pages.forEach((page) => tx.freeUntouched(page)));
    }
    expect(Math.max(...sizes)).toBeLessThan(sizes[0]! * 1.25);
    expect(pager.check({ reachable: () => undefined })).toEqual([]);
    pager.close();
  });

  test('a write of the load that the disk lost is found out', () => {
    const vfs = new MemoryVfs();
    const pager = openPager({}, vfs);
    const pages = fillFree(pager, numbers(20));
    write(pager, (tx) => pages.forEach((page) => tx.freeUntouched(page)));
    const file = vfs.open('t.db', { write: true });
    const old = new Uint8Array(4096);
    file.pread(old, pages[1]! * 4096);
    expect(fillFree(pager, numbers(19, 1))).toContain(pages[1]);
    file.pwrite([old], pages[1]! * 4096);
    file.close();
    const other = openPager({}, vfs);
    expect(codeOf(() => valueOf(other.view, pages[1]!))).toBe('SOMBRA_PAGE_LSN');
    other.close();
    pager.close();
  });
});

test('what a bulk load that failed had read of its pages is not what the next one wrote there', () => {
  const pager = openPager();
  write(pager, (tx) => newPage(tx, 1));
  const failing = pager.bulk();
  const page = load(failing, 1);
  expect(() =>
    failing.finish((tx) => {
      expect(valueOf(tx.view, page)).toBe(1);
      throw new RangeError('no');
    }),
  ).toThrow(RangeError);
  const next = pager.bulk();
  expect(load(next, 2)).toBe(page);
  next.finish((tx) => tx.setCounter(0, 1));
  expect(valueOf(pager.view, page)).toBe(2);
  pager.close();
});

test('a checkpoint syncs the file behind the sync of a load that was given up, never beside it', async () => {
  let [running, most, asked] = [0, 0, 0];
  const held: (() => void)[] = [];
  const vfs = new (class extends WrappedVfs {
    override open(path: string, mode: OpenMode): VfsFile {
      const file = super.open(path, mode);
      if (path !== 't.db') return file;
      const syncAsync = file.syncAsync.bind(file);
      file.syncAsync = async (kind) => {
        asked += 1;
        running += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => held.push(resolve));
        await syncAsync(kind);
        running -= 1;
      };
      return file;
    }
  })(new MemoryVfs());
  const turns = async (): Promise<void> => {
    for (let i = 0; i < 30; i += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const pager = openPager({ checkpointAfterBytes: 1 }, vfs);
  const bulk = pager.bulk();
  load(bulk, 1);
  const ahead = bulk.syncAhead();
  bulk.abort();
  void write(pager, (tx) => newPage(tx, 1));
  await turns();
  expect([asked, most]).toEqual([1, 1]);
  for (let i = 0; i < 9; i += 1) {
    held.shift()?.();
    await turns();
  }
  await ahead;
  expect([asked > 1, most, running]).toEqual([true, 1, 0]);
  expect(pager.stats().checkpoints).toBeGreaterThan(0);
  pager.close();
});
