// Goal: a writer may take the frame of a committed version over, and no reader ever sees a byte that it may not see: views
// of the commit before, snapshots, pins, savepoints, rollbacks, commits that wait for their sync.
// Method: single cases on a database in memory; misses of the cache tell whether a version was rebuilt.
import { describe, expect, test } from 'vitest';
import type { Pager } from '../src/index.ts';
import { newPage, openPager, valueOf, write } from './support/open.ts';

function start(): { pager: Pager; page: number; misses: () => number } {
  const pager = openPager({ cacheSize: 64 });
  const page = write(pager, (tx) => newPage(tx, 1));
  return { pager, page, misses: () => pager.stats().misses };
}

describe('a frame that was taken over', () => {
  test('commits without a copy, and is what readers see then', () => {
    const { pager, page, misses } = start();
    const frame = pager.view.page(page);
    const tx = pager.begin();
    expect(tx.edit(page)).toBe(frame);
    tx.setU32(frame, 24, 2);
    tx.commit();
    expect([pager.view.page(page), valueOf(pager.view, page), misses()]).toEqual([frame, 2, 0]);
    pager.close();
  });

  test('is rebuilt for the view of the commit before, and copied for a while then', () => {
    const { pager, page, misses } = start();
    const other = write(pager, (tx) => newPage(tx, 5));
    const tx = pager.begin();
    tx.setU32(tx.edit(page), 24, 2);
    expect([valueOf(pager.view, page), misses()]).toEqual([1, 1]);
    expect([valueOf(pager.view, page), misses()]).toEqual([1, 1]);
    expect(valueOf(tx.view, page)).toBe(2);
    const before = pager.view.page(other);
    expect(tx.edit(other)).not.toBe(before);
    tx.setU32(tx.edit(other), 24, 6);
    expect([valueOf(pager.view, other), misses()]).toEqual([5, 1]);
    tx.commit();
    expect([valueOf(pager.view, page), valueOf(pager.view, other)]).toEqual([2, 6]);
    pager.close();
  });

  test('is gone after a rollback, and the version before is rebuilt', () => {
    const { pager, page, misses } = start();
    const tx = pager.begin();
    tx.setU32(tx.edit(page), 24, 2);
    tx.rollback();
    expect([valueOf(pager.view, page), misses()]).toEqual([1, 1]);
    write(pager, (next) => next.setU32(next.edit(page), 28, 9));
    expect(valueOf(pager.view, page)).toBe(1);
    pager.close();
  });

  test('does not make later transactions copy when it was committed without a change', () => {
    const { pager, page } = start();
    const other = write(pager, (tx) => newPage(tx, 5));
    write(pager, (tx) => {
      tx.edit(page);
      tx.setU32(tx.edit(other), 24, 6);
    });
    const frame = pager.view.page(other);
    write(pager, (tx) => {
      expect(tx.edit(other)).toBe(frame);
      tx.setU32(tx.edit(other), 24, 7);
    });
    expect([valueOf(pager.view, page), valueOf(pager.view, other)]).toEqual([1, 7]);
    pager.close();
  });

  test('is given up by a savepoint that touched it first, and kept by one that did not', () => {
    const { pager, page } = start();
    const tx = pager.begin();
    const outer = tx.savepoint();
    tx.setU32(tx.edit(page), 24, 2);
    tx.rollbackTo(outer);
    expect(valueOf(tx.view, page)).toBe(1);
    tx.setU32(tx.edit(page), 24, 3);
    const inner = tx.savepoint();
    tx.setU32(tx.edit(page), 24, 4);
    tx.rollbackTo(inner);
    expect(valueOf(tx.view, page)).toBe(3);
    tx.commit();
    expect(valueOf(pager.view, page)).toBe(3);
    pager.close();
  });
});

describe('a copy', () => {
  test('is made while a snapshot may read the version, and not of what is newer', () => {
    const { pager, page, misses } = start();
    const snapshot = pager.snapshot();
    for (const value of [2, 3, 4]) {
      const frame = pager.view.page(page);
      write(pager, (tx) => {
        const base = tx.edit(page);
        expect(base === frame).toBe(value > 2);
        tx.setU32(base, 24, value);
      });
    }
    expect([valueOf(snapshot, page), valueOf(pager.view, page), misses()]).toEqual([1, 4, 0]);
    snapshot.release();
    pager.close();
  });

  test('is made of a page that is pinned', () => {
    const { pager, page } = start();
    const base = pager.view.page(page);
    pager.view.pin(base);
    write(pager, (tx) => tx.setU32(tx.edit(page), 24, 2));
    expect([pager.cache.words[(base + 24) >>> 2], valueOf(pager.view, page)]).toEqual([1, 2]);
    pager.view.unpin(base);
    pager.close();
  });

  test('is made of what is published while commits wait for their sync', async () => {
    const { pager, page } = start();
    const acknowledged = [2, 3].map((value) => {
      const tx = pager.begin();
      tx.setU32(tx.edit(page), 24, value);
      return tx.commitAsync();
    });
    expect(valueOf(pager.view, page)).toBe(1);
    await Promise.all(acknowledged);
    expect(valueOf(pager.view, page)).toBe(3);
    pager.close();
  });
});

test('a transaction of far more pages than the cache holds finds the pages that it comes back to in memory', () => {
  const pager = openPager({ cacheSize: 16, maxTransactionPages: 2000 });
  const pages = write(pager, (tx) => Array.from({ length: 600 }, (_, i) => newPage(tx, i)));
  const branches = pages.slice(0, 10);
  const tx = pager.begin();
  branches.forEach((page) => tx.view.page(page));
  const { misses } = pager.stats();
  for (const page of pages.slice(10)) {
    branches.forEach((branch) => tx.view.page(branch)); // on the way down
    tx.setU32(tx.edit(page), 24, 7);
    tx.allocate(17, 1);
  }
  // Each page once; the branches hardly ever again.
  expect(pager.stats().misses - misses).toBeLessThan(590 * 1.2);
  tx.commit();
  expect(valueOf(pager.view, pages[300]!)).toBe(7);
  expect(pager.check()).toEqual([]);
  pager.close();
});

test('the cache comes back to its size after a transaction of far more pages', () => {
  const pager = openPager({ cacheSize: 16, maxTransactionPages: 2000 });
  const pages = write(pager, (tx) => {
    const made = Array.from({ length: 600 }, (_, i) => newPage(tx, i));
    expect(pager.cache.used).toBeGreaterThanOrEqual(600);
    return made;
  });
  for (let i = 0; i < 600; i += 1) write(pager, (tx) => newPage(tx, i));
  expect(pager.cache.used).toBeLessThanOrEqual(20);
  expect(valueOf(pager.view, pages[599]!)).toBe(599);
  pager.close();
});

describe('a transaction that is taken back', () => {
  test('costs the next one nothing: what its copies were made from is kept once one was taken back', () => {
    const pager = openPager({ cacheSize: 64 });
    const pages = write(pager, (tx) => Array.from({ length: 8 }, (_, i) => newPage(tx, i)));
    const change = (value: number): void => pages.forEach((page) => tx.setU32(tx.edit(page), 24, value));
    let tx = pager.begin();
    change(99);
    tx.rollback();
    pages.forEach((page, i) => expect(valueOf(pager.view, page)).toBe(i)); // from the log
    const { misses } = pager.stats();
    for (let round = 0; round < 500; round += 1) {
      tx = pager.begin();
      change(round);
      tx.rollback();
    }
    pages.forEach((page, i) => expect(valueOf(pager.view, page)).toBe(i));
    expect(pager.stats().misses - misses).toBe(0);
    pager.close();
  });

  test('so does a savepoint', () => {
    const pager = openPager({ cacheSize: 64 });
    const pages = write(pager, (tx) => Array.from({ length: 8 }, (_, i) => newPage(tx, i)));
    const tx = pager.begin();
    let misses = 0;
    for (let round = 0; round < 500; round += 1) {
      const savepoint = tx.savepoint();
      pages.forEach((page) => tx.setU32(tx.edit(page), 24, 1000 + round));
      tx.rollbackTo(savepoint);
      tx.releaseSavepoint(savepoint);
      pages.forEach((page, i) => expect(valueOf(tx.view, page)).toBe(i));
      if (round === 0) misses = pager.stats().misses;
    }
    expect(pager.stats().misses - misses).toBe(0);
    tx.commit();
    pager.close();
  });
});

describe('memory of page operations', () => {
  test('is given back by savepoints that are rolled back', () => {
    const pager = openPager({ cacheSize: 64 });
    const pages = write(pager, (tx) => Array.from({ length: 8 }, (_, i) => newPage(tx, i)));
    const { log } = pager['database'].connection.writer.dirty;
    const tx = pager.begin();
    tx.setU32(tx.edit(pages[0]!), 28, 5);
    const { used } = log;
    for (let round = 0; round < 50; round += 1) {
      const outer = tx.savepoint();
      pages.forEach((page) => tx.setU32(tx.edit(page), 24, 1000 + round));
      const inner = tx.savepoint();
      pages.forEach((page) => tx.fill(tx.edit(page), 100 + round, 3, round));
      if (round % 2 === 0) tx.releaseSavepoint(inner);
      tx.rollbackTo(outer);
      expect(log.used).toBe(used);
      tx.releaseSavepoint(outer);
    }
    tx.commit();
    pages.forEach((page, i) => expect(valueOf(pager.view, page)).toBe(i));
    expect(pager.check()).toEqual([]);
    pager.close();
  });

  test('does not grow while one page is freed and allocated over and over', () => {
    const pager = openPager({ cacheSize: 64 });
    const page = write(pager, (tx) => newPage(tx, 1));
    const { log } = pager['database'].connection.writer.dirty;
    const tx = pager.begin();
    tx.free(page);
    const { used } = log;
    for (let round = 0; round < 100; round += 1) {
      expect(tx.allocate(17, 1)).toBe(page);
      tx.free(page);
    }
    expect(log.used - used).toBeLessThan(1000);
    tx.commit();
    expect(pager.check()).toEqual([]);
    pager.close();
  });
});
