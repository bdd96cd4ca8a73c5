// Goal: a writer may take the frame of a committed version over, and nobody ever sees a byte of it that is not his to see: views
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
