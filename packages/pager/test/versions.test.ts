// Goal: every view reads exactly its commit, whatever is evicted, pinned, checkpointed or rolled back meanwhile.
// Method: caches of 8 pages, snapshots of many ages over the same pages, all values compared; pins counted.
import { MemoryVfs } from '@sombra/vfs';
import { describe, expect, test } from 'vitest';
import { PageCache } from '../src/pages/page-cache.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';

describe('snapshots', () => {
  test('each reads its own commit, in any order, with checkpoints in between', () => {
    const pager = openPager();
    const pages = write(pager, (tx) => Array.from({ length: 30 }, () => newPage(tx, 0)));
    const snapshots = [];
    for (let round = 1; round <= 20; round += 1) {
      snapshots.push({ view: pager.snapshot(), value: round - 1 });
      write(pager, (tx) => pages.forEach((page) => tx.setU32(tx.edit(page), 24, round)));
      if (round % 6 === 0) pager.checkpoint();
    }
    for (const { view, value } of [...snapshots].reverse())
      for (const page of pages) expect(valueOf(view, page)).toBe(value);
    for (const page of pages) for (const { view, value } of snapshots) expect(valueOf(view, page)).toBe(value);
    for (const { view } of snapshots.splice(0, 10)) view.release();
    pager.checkpoint();
    expect(pager.stats().checkpointLsn).toBe(11);
    for (const { view, value } of snapshots) for (const page of pages) expect(valueOf(view, page)).toBe(value);
    for (const { view } of snapshots) view.release();
    pager.checkpoint();
    expect(pager.stats().logEntries).toBe(0);
    for (const page of pages) expect(valueOf(pager.view, page)).toBe(20);
    pager.close();
  });

  test('a snapshot keeps trees, counters and page count', () => {
    const pager = openPager();
    write(pager, (tx) => {
      tx.createTree('a');
      tx.setCounter(0, 1);
    });
    const snapshot = pager.snapshot();
    write(pager, (tx) => {
      tx.dropTree(0);
      tx.createTree('b');
      tx.setCounter(0, 2);
      newPage(tx, 1);
    });
    write(pager, (tx) => tx.setCounter(0, 3));
    expect(snapshot.trees().map(({ name }) => name)).toEqual(['a']);
    expect([snapshot.counter(0), snapshot.pageCount, snapshot.lsn]).toEqual([1, 3, 1]);
    expect([pager.view.counter(0), pager.view.pageCount, pager.view.lsn]).toEqual([3, 4, 3]);
    expect(codeOf(() => snapshot.page(3))).toBe('SOMBRA_PAGE_RANGE');
    pager.close();
  });

  test('released views, and all views after close, refuse', () => {
    const pager = openPager();
    const page = write(pager, (tx) => newPage(tx, 1));
    const snapshot = pager.snapshot();
    const other = pager.snapshot();
    snapshot.release();
    snapshot.release();
    expect([snapshot.closed, other.closed, pager.view.closed]).toEqual([true, false, false]);
    for (const call of [
      () => snapshot.page(page),
      () => snapshot.counter(0),
      () => snapshot.findTree('x'),
      () => snapshot.trees(),
      () => snapshot.treeRoot(0),
    ]) {
      expect(codeOf(call)).toBe('SOMBRA_CLOSED');
    }
    pager.view.release(); // the implicit view stays
    expect(valueOf(pager.view, page)).toBe(1);
    pager.close();
    pager.close();
    for (const call of [
      () => other.page(page),
      () => pager.view.page(page),
      () => pager.snapshot(),
      () => pager.begin(),
      () => pager.checkpoint(),
      () => pager.check(),
      () => pager.bulk(),
    ]) {
      expect(codeOf(call)).toBe('SOMBRA_CLOSED');
    }
  });

  test('a page freed and reused is still what it was in an older snapshot', () => {
    const pager = openPager();
    const pages = write(pager, (tx) => [newPage(tx, 1), newPage(tx, 2)]) as [number, number];
    const old = pager.snapshot();
    write(pager, (tx) => pages.forEach((page) => tx.free(page)));
    const between = pager.snapshot();
    const again = write(pager, (tx) => [newPage(tx, 11), newPage(tx, 12)]);
    expect([...again].sort()).toEqual([...pages].sort());
    for (const page of write(pager, (tx) => Array.from({ length: 20 }, () => newPage(tx, 0)))) pager.view.page(page);
    expect([valueOf(old, pages[0]), valueOf(old, pages[1])]).toEqual([1, 2]);
    expect(between.pageCount).toBe(5);
    pager.checkpoint();
    expect([valueOf(old, pages[0]), valueOf(old, pages[1])]).toEqual([1, 2]);
    expect(pager.check()).toEqual([]);
    pager.close();
  });
});

describe('cache', () => {
  test('a pinned page stays where it is, whatever is read; unpinned ones come and go', () => {
    const pager = openPager();
    const pages = write(pager, (tx) => Array.from({ length: 60 }, (_, i) => newPage(tx, i)));
    const base = pager.view.page(pages[0]!);
    pager.view.pin(base);
    pager.view.pin(base);
    for (const page of pages) pager.view.page(page);
    write(pager, (tx) => tx.setU32(tx.edit(pages[0]!), 24, 77));
    pager.view.unpin(base);
    for (const page of pages) pager.view.page(page);
    expect(pager.cache.words[(base + 24) >>> 2]).toBe(0); // the old version, as it was pinned
    expect(valueOf(pager.view, pages[0]!)).toBe(77);
    pager.view.unpin(base);
    expect(pager.stats().evictions).toBeGreaterThan(50);
    expect(pager.stats().cachePages).toBeLessThanOrEqual(8 + 1);
    pager.close();
  });

  test('when everything is pinned the error says so, and unpinning helps', () => {
    const pager = openPager({ maxTransactionPages: 8 });
    const pages: number[] = [];
    for (let i = 0; i < 100; i += 1) pages.push(write(pager, (tx) => newPage(tx, i)));
    const bases: number[] = [];
    const code = codeOf(() => {
      for (const page of pages) {
        const base = pager.view.page(page);
        pager.view.pin(base);
        bases.push(base);
      }
    });
    expect(code).toBe('SOMBRA_CACHE_FULL');
    expect(bases.length).toBe(8 + 8 + 64);
    for (const base of bases) pager.view.unpin(base);
    for (const [i, page] of pages.entries()) expect(valueOf(pager.view, page)).toBe(i);
    pager.close();
  });

  test('a page pinned in a transaction that is rolled back keeps its bytes until it is unpinned', () => {
    const pager = openPager();
    const page = write(pager, (tx) => newPage(tx, 1));
    const tx = pager.begin();
    const base = tx.edit(page);
    tx.setU32(base, 24, 5);
    tx.view.pin(base);
    tx.rollback();
    for (const other of write(pager, (next) => Array.from({ length: 40 }, () => newPage(next, 0))))
      pager.view.page(other);
    expect(pager.cache.words[(base + 24) >>> 2]).toBe(5);
    pager.view.unpin(base);
    expect(valueOf(pager.view, page)).toBe(1);
    pager.close();
  });

  test('a large transaction outgrows the cache size, and the cache shrinks again', () => {
    const pager = openPager();
    const pages = write(pager, (tx) => {
      const made = Array.from({ length: 500 }, (_, i) => newPage(tx, i));
      expect(pager.stats().cachePages).toBeGreaterThanOrEqual(500);
      return made;
    });
    const bulk = pager.bulk();
    const others = Array.from({ length: 500 }, () => bulk.allocate());
    for (const page of others) bulk.write(page, new Uint8Array(4096), 0);
    bulk.finish((tx) => tx.setCounter(0, 1));
    for (const page of others) expect(valueOf(pager.view, page)).toBe(0); // each misses, and takes two with it
    expect(pager.stats().cachePages).toBeLessThanOrEqual(9);
    for (const [i, page] of pages.entries()) expect(valueOf(pager.view, page)).toBe(i);
    expect(pager.stats().cachePages).toBeLessThanOrEqual(9);
    pager.close();
  });

  test('a slab beyond 2 GiB is refused', () => {
    expect(codeOf(() => new PageCache(65536, 2 ** 15, 10_000))).toBe('SOMBRA_CONFIG');
  });
});

describe('bulk load', () => {
  test('pages go past the log, one commit publishes them, and they change like any other page', () => {
    const vfs = new MemoryVfs();
    const pager = openPager({}, vfs);
    write(pager, (tx) => newPage(tx, 1));
    const old = pager.snapshot();
    const logBytes = pager.stats().logBytes;
    const bulk = pager.bulk();
    const page = new Uint8Array(4096 * 2);
    const numbers = Array.from({ length: 700 }, () => bulk.allocate());
    for (const [i, number] of numbers.entries()) {
      page.fill(0);
      new DataView(page.buffer).setUint32(4096 + 24, i, true);
      page[4096 + 16] = 17;
      if (i % 100 === 50) continue; // out of order, below
      bulk.write(number, page, 4096);
    }
    for (let i = 50; i < 700; i += 100) {
      new DataView(page.buffer).setUint32(4096 + 24, i, true);
      bulk.write(numbers[i]!, page, 4096);
    }
    expect(pager.view.pageCount).toBe(4);
    const lsn = bulk.finish((tx) => {
      tx.setTreeRoot(tx.createTree('bulk'), numbers[0]!);
      expect(valueOf(tx.view, numbers[3]!)).toBe(3);
    });
    expect([lsn, pager.view.lsn, pager.view.pageCount, old.pageCount]).toEqual([2, 2, 704, 4]);
    expect(pager.stats().logBytes - logBytes).toBeLessThan(1000);
    for (const [i, number] of numbers.entries()) expect(valueOf(pager.view, number)).toBe(i);
    write(pager, (tx) => tx.setU32(tx.edit(numbers[5]!), 24, 555));
    expect(pager.check()).toEqual([]);
    old.release();
    pager.close();
    const again = openPager({}, vfs);
    expect([valueOf(again.view, numbers[4]!), valueOf(again.view, numbers[5]!)]).toEqual([4, 555]);
    expect(again.check()).toEqual([]);
    again.close();
  });

  test('one that is given up leaves nothing; its place is used again', () => {
    const vfs = new MemoryVfs();
    const pager = openPager({}, vfs);
    const bulk = pager.bulk();
    const page = new Uint8Array(4096).fill(0x77);
    for (let i = 0; i < 300; i += 1) bulk.write(bulk.allocate(), page, 0);
    bulk.abort();
    bulk.abort();
    expect(codeOf(() => bulk.allocate())).toBe('SOMBRA_BULK_DONE');
    expect(codeOf(() => bulk.finish(() => undefined))).toBe('SOMBRA_BULK_DONE');
    const first = write(pager, (tx) => newPage(tx, 9));
    expect(first).toBe(3);
    pager.close();
    const again = openPager({}, vfs);
    expect(valueOf(again.view, first)).toBe(9);
    expect(again.check()).toEqual([]);
    again.close();
  });

  test('when publishing throws, nothing is published', () => {
    const pager = openPager();
    const bulk = pager.bulk();
    expect(codeOf(() => bulk.write(3, new Uint8Array(4096), 0))).toBe('SOMBRA_PAGE_RANGE');
    bulk.write(bulk.allocate(), new Uint8Array(4096), 0);
    expect(() => bulk.write(3, new Uint8Array(4096), 1)).toThrow(RangeError);
    expect(() =>
      bulk.finish(() => {
        throw new Error('mine');
      }),
    ).toThrow('mine');
    expect([pager.view.lsn, pager.view.pageCount, pager.inTransaction]).toEqual([0, 3, false]);
    pager.close();
  });
});

describe('check', () => {
  test('lost pages, pages used twice, pages that are used and free', () => {
    const pager = openPager();
    const pages = write(pager, (tx) => Array.from({ length: 6 }, (_, i) => newPage(tx, i)));
    write(pager, (tx) => {
      tx.free(pages[0]!);
      tx.free(pages[1]!);
    });
    const codes = (used: number[]): string[] =>
      pager
        .check({ reachable: (mark) => used.forEach((page) => mark(page)) })
        .map(({ code, page }) => `${code} ${page}`);
    expect(codes(pages.slice(2))).toEqual([]);
    expect(codes(pages.slice(3))).toEqual([`SOMBRA_PAGE_LOST ${pages[2]}`]);
    expect(codes([...pages.slice(2), pages[3]!])).toEqual([`SOMBRA_PAGE_TWICE ${pages[3]}`]);
    expect(codes(pages.slice(1))).toEqual([`SOMBRA_PAGE_TWICE ${pages[1]}`]);
    expect(codes([...pages.slice(2), 2, 99])).toEqual(['SOMBRA_PAGE_RANGE 2', 'SOMBRA_PAGE_RANGE 99']);
    expect(
      pager
        .check({
          reachable: () => {
            throw new Error('mine');
          },
        })
        .map(({ message }) => message),
    ).toEqual(['mine']);
    pager.close();
  });
});
