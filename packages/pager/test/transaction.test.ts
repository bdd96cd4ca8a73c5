// Goal: a write transaction is all or nothing, its savepoints too, its limits hold, and misuse gets an error with a code.
// Method: small cases on a database in memory with a cache of 8 pages; SOMBRA_VERIFY compares every delta with its page.
import { MemoryVfs } from '@sombra/vfs';
import { describe, expect, test } from 'vitest';
import type { View } from '../src/index.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';

/** The commit from which on a tree's pages were written. */
function sinceOf(view: View, slot: number): number {
  view.treeRoot(slot); // the implicit view takes up the newest commit
  return view.catalogue.since[slot]!;
}

describe('commit and rollback', () => {
  test('a commit is seen by the view, a rollback is not', () => {
    const pager = openPager();
    const page = write(pager, (tx) => newPage(tx, 1));
    expect(valueOf(pager.view, page)).toBe(1);
    const tx = pager.begin();
    tx.setU32(tx.edit(page), 24, 2);
    expect(valueOf(tx.view, page)).toBe(2);
    expect(valueOf(pager.view, page)).toBe(1);
    tx.rollback();
    expect(valueOf(pager.view, page)).toBe(1);
    expect(tx.state).toBe('rolled-back');
    tx.rollback();
    expect(pager.view.lsn).toBe(1);
    pager.close();
  });

  test('a transaction without changes makes no commit', () => {
    const pager = openPager();
    const page = write(pager, (tx) => newPage(tx, 1));
    const { lsn } = pager.view;
    const bytes = pager.stats().logBytes;
    const tx = pager.begin();
    tx.edit(page); // made writable, never written
    expect(tx.commit()).toBe(lsn);
    expect(tx.state).toBe('committed');
    expect(pager.stats().logBytes).toBe(bytes);
    expect(valueOf(pager.view, page)).toBe(1);
    expect(write(pager, (next) => next.lsn)).toBe(lsn + 1);
    pager.close();
  });

  test('counters, trees and the freelist commit with the pages', () => {
    const vfs = new MemoryVfs();
    const pager = openPager({}, vfs);
    write(pager, (tx) => {
      const slot = tx.createTree('first');
      tx.setTreeRoot(slot, newPage(tx, 5));
      tx.addTreeCount(slot, 7);
      tx.setCounter(3, 2 ** 53 - 1);
    });
    const tx = pager.begin();
    tx.setCounter(3, 1);
    tx.dropTree(0);
    expect(tx.view.counter(3)).toBe(1);
    expect(tx.view.findTree('first')).toBe(-1);
    expect(pager.view.counter(3)).toBe(2 ** 53 - 1);
    tx.rollback();
    pager.close();
    const again = openPager({}, vfs);
    expect(again.view.trees()).toEqual([{ slot: 0, name: 'first', root: 3, count: 7 }]);
    expect(again.view.counter(3)).toBe(2 ** 53 - 1);
    expect(again.view.treeRoot(0)).toBe(3);
    expect(again.view.treeCount(0)).toBe(7);
    again.close();
  });

  test('one small change logs some bytes, not a page', () => {
    const pager = openPager();
    const page = write(pager, (tx) => newPage(tx, 1));
    const before = pager.stats().logBytes;
    write(pager, (tx) => tx.setU32(tx.edit(page), 24, 2));
    expect(pager.stats().logBytes - before).toBeLessThan(200);
    pager.close();
  });

  test('a page whose changes add up is logged as an image, so that rebuilding it stays cheap', () => {
    const pager = openPager();
    const page = write(pager, (tx) => newPage(tx, 1));
    for (let i = 0; i < 300; i += 1) write(pager, (tx) => tx.setU32(tx.edit(page), 24 + (i % 50) * 40, i));
    const others = write(pager, (tx) => Array.from({ length: 12 }, () => newPage(tx, 0)));
    for (const other of others) pager.view.page(other); // out of the cache
    const before = pager.stats().logReads;
    pager.view.page(page);
    expect(pager.stats().logReads - before).toBeLessThanOrEqual(4096 / 32 + 1);
    pager.close();
  });
});

describe('pages', () => {
  test('a freed page is reused, with nothing of what it held', () => {
    const pager = openPager();
    const pages = write(pager, (tx) => [newPage(tx, 1), newPage(tx, 2), newPage(tx, 3)]);
    const { pageCount } = pager.view;
    write(pager, (tx) => tx.free(pages[1]!));
    write(pager, (tx) => tx.free(pages[0]!));
    expect(pager.stats().freePages).toBe(2);
    const again = write(pager, (tx) => [tx.allocate(20, 9), tx.allocate(21, 10)]);
    expect([...again].sort()).toEqual([pages[0], pages[1]].sort());
    expect(pager.view.pageCount).toBe(pageCount);
    for (const page of again) {
      const base = pager.view.page(page);
      expect(pager.cache.bytes.subarray(base + 24, base + 4096).every((byte) => byte === 0)).toBe(true);
    }
    expect(pager.check()).toEqual([]);
    pager.close();
  });

  test('a freed page that is still remembered is kind 0', () => {
    const pager = openPager();
    const pages = write(pager, (tx) => [newPage(tx, 1), newPage(tx, 2), newPage(tx, 3)]);
    write(pager, (tx) => pages.forEach((page) => tx.free(page)));
    const kinds = pages.map((page) => pager.cache.bytes[pager.view.page(page) + 16]);
    expect(kinds.sort()).toEqual([0, 0, 2]); // one became the trunk
    write(pager, (tx) => tx.free(newPage(tx, 9))); // allocated and freed in one transaction
    expect(pages.map((page) => pager.cache.bytes[pager.view.page(page) + 16]).sort()).toEqual([0, 0, 2]);
    const before = pager.view.pageCount;
    write(pager, (tx) => {
      const made = Array.from({ length: 8 }, () => newPage(tx, 9));
      made.forEach((page) => tx.free(page));
    });
    for (let page = before; page < pager.view.pageCount; page += 1)
      expect(pager.cache.bytes[pager.view.page(page) + 16]).toBeLessThan(16);
    expect(pager.check({ reachable: () => undefined })).toEqual([]);
    pager.close();
  });

  test('far more pages than a transaction may change are freed untouched: only the freelist is logged', () => {
    const pager = openPager({ maxTransactionPages: 50, maxWalSizeMb: 100 });
    const pages: number[] = [];
    for (let i = 0; i < 60; i += 1) {
      write(pager, (tx) => {
        for (let n = 0; n < 40; n += 1) pages.push(newPage(tx, n));
      });
    }
    const before = pager.snapshot();
    const { logBytes } = pager.stats();
    write(pager, (tx) => pages.forEach((page) => expect(tx.freeUntouched(page)).toBe(true)));
    expect(pager.stats().logBytes - logBytes).toBeLessThan(5 * 4096);
    expect(pager.stats().freePages).toBe(2400);
    expect(valueOf(before, pages[39]!)).toBe(39);
    before.release();
    expect(pager.check({ reachable: () => undefined })).toEqual([]);
    const { pageCount } = pager.view;
    for (let i = 0; i < 48; i += 1) write(pager, (tx) => Array.from({ length: 40 }, (_, n) => newPage(tx, n)));
    expect(pager.view.pageCount).toBe(pageCount);
    pager.close();
  });

  test('a page that was freed untouched is free once, until it is allocated again; a savepoint takes it back', () => {
    const pager = openPager();
    const [a, b] = write(pager, (tx) => [newPage(tx, 1), newPage(tx, 2)]) as [number, number];
    let tx = pager.begin();
    expect([tx.freeUntouched(a), tx.freeUntouched(a)]).toEqual([true, false]);
    expect(codeOf(() => tx.free(a))).toBe('SOMBRA_PAGE_FREE');
    tx = pager.begin();
    const made = newPage(tx, 3);
    expect([tx.freeUntouched(made), tx.freeUntouched(made)]).toEqual([true, false]);
    const savepoint = tx.savepoint();
    expect(tx.freeUntouched(a)).toBe(true);
    const [again] = [newPage(tx, 4), newPage(tx, 5)];
    expect(tx.freeUntouched(again)).toBe(true);
    tx.rollbackTo(savepoint);
    expect(valueOf(tx.view, a)).toBe(1);
    expect(tx.freeUntouched(a)).toBe(true);
    tx.setU32(tx.edit(b), 24, 7);
    expect(tx.freeUntouched(b)).toBe(true);
    tx.commit();
    expect(pager.stats().freePages).toBe(3);
    for (const wrong of [0, 2, -1, 1.5, 999]) {
      const next = pager.begin();
      expect(codeOf(() => next.freeUntouched(wrong))).toBe('SOMBRA_PAGE_RANGE');
      next.rollback();
    }
    pager.begin().rollback();
    pager.close();
  });

  test('a restarted tree knows from which commit on its pages are; so does the file', () => {
    const vfs = new MemoryVfs();
    let pager = openPager({}, vfs);
    const slot = write(pager, (tx) => tx.createTree('a'));
    expect(sinceOf(pager.view, slot)).toBe(1);
    write(pager, (tx) => tx.setTreeRoot(slot, newPage(tx, 1)));
    const tx = pager.begin();
    tx.addTreeCount(slot, 5);
    const savepoint = tx.savepoint();
    tx.restartTree(slot);
    expect(sinceOf(tx.view, slot)).toBe(3);
    tx.rollbackTo(savepoint);
    expect([sinceOf(tx.view, slot), tx.view.treeCount(slot)]).toEqual([1, 5]);
    tx.restartTree(slot);
    expect([tx.view.treeRoot(slot), tx.view.treeCount(slot)]).toEqual([0, 0]);
    tx.commit();
    pager.close();
    pager = openPager({}, vfs);
    expect(sinceOf(pager.view, slot)).toBe(3);
    expect(pager.check()).toEqual([]);
    pager.close();
  });

  test('the freelist grows over several trunk pages and shrinks to nothing', () => {
    const pager = openPager({ maxTransactionPages: 5000 });
    const pages = write(pager, (tx) => Array.from({ length: 2500 }, (_, i) => newPage(tx, i)));
    write(pager, (tx) => pages.forEach((page) => tx.free(page)));
    expect(pager.stats().freePages).toBe(2500);
    expect(pager.check({ reachable: () => undefined })).toEqual([]);
    const { pageCount } = pager.view;
    const again = write(pager, (tx) => pages.map((_, i) => newPage(tx, i)));
    expect(new Set(again).size).toBe(2500);
    expect(pager.view.pageCount).toBe(pageCount);
    expect(pager.stats().freePages).toBe(0);
    pager.close();
  });

  test('misuse of page numbers and bases is refused', () => {
    const pager = openPager();
    const page = write(pager, (tx) => newPage(tx, 1));
    const tx = pager.begin();
    for (const wrong of [0, 1, 2, -1, 1.5, NaN, 999]) expect(codeOf(() => tx.free(wrong))).toBe('SOMBRA_PAGE_RANGE');
    expect(() => tx.allocate(3, 0)).toThrow(RangeError);
    const base = tx.edit(page);
    for (const [offset, length] of [
      [15, 1],
      [4095, 2],
      [-1, 1],
      [4096, 1],
    ] as const) {
      expect(() => tx.setBytes(base, offset, new Uint8Array(8), 0, length)).toThrow(RangeError);
    }
    expect(() => tx.move(base, 4000, 24, 97)).toThrow(RangeError);
    expect(() => tx.setU48(base, 24, 2 ** 48)).toThrow(RangeError);
    expect(() => tx.setU64(base, 24, -1)).toThrow(RangeError);
    expect(() => tx.setBytes(base, 24, new Uint8Array(4), 2, 5)).toThrow(RangeError);
    const clean = pager.view.page(2);
    expect(codeOf(() => tx.setU8(clean, 24, 1))).toBe('SOMBRA_PAGE_NOT_EDITABLE');
    expect(tx.state).toBe('active');
    tx.free(page);
    expect(codeOf(() => tx.free(page))).toBe('SOMBRA_PAGE_FREE');
    expect(tx.state).toBe('rolled-back');
    expect(codeOf(() => tx.setU8(base, 24, 1))).toBe('SOMBRA_TX_DONE');
    for (const call of [
      () => tx.edit(page),
      () => tx.commit(),
      () => tx.allocate(17, 0),
      () => tx.savepoint(),
      () => tx.createTree('x'),
    ]) {
      expect(codeOf(call)).toBe('SOMBRA_TX_DONE');
    }
    expect(codeOf(() => tx.view.page(page))).toBe('SOMBRA_CLOSED');
    for (const wrong of [0, 1, 999, 2 ** 33, NaN, 2.5, -4])
      expect(codeOf(() => pager.view.page(wrong))).toBe('SOMBRA_PAGE_RANGE');
    expect(valueOf(pager.view, page)).toBe(1);
    pager.close();
  });
});

describe('savepoints', () => {
  test('rolling back to one restores pages, new and freed ones, trees and counters; it stays open', () => {
    const pager = openPager();
    const [a, b] = write(pager, (tx) => [newPage(tx, 1), newPage(tx, 2)]) as [number, number];
    const tx = pager.begin();
    tx.setU32(tx.edit(a), 24, 10);
    tx.setCounter(0, 1);
    const outer = tx.savepoint();
    for (let round = 0; round < 3; round += 1) {
      const base = tx.edit(a);
      tx.setU32(base, 24, 11);
      tx.setU32(base, 26, 0x01020304); // overlaps what was written before
      tx.free(b);
      const c = newPage(tx, 3);
      tx.setCounter(0, 2);
      tx.createTree('inner');
      const inner = tx.savepoint();
      tx.setU32(tx.edit(a), 24, 12);
      tx.setU32(tx.edit(c), 24, 13);
      if (round === 1) tx.releaseSavepoint(inner);
      tx.rollbackTo(outer);
      expect(codeOf(() => tx.rollbackTo(inner))).toBe('SOMBRA_SAVEPOINT');
      expect([valueOf(tx.view, a), valueOf(tx.view, b), tx.view.counter(0), tx.view.trees()]).toEqual([10, 2, 1, []]);
    }
    tx.commit();
    expect([valueOf(pager.view, a), valueOf(pager.view, b), pager.view.pageCount]).toEqual([10, 2, 5]);
    expect(pager.check()).toEqual([]);
    pager.close();
  });

  test('a released savepoint belongs to what is around it', () => {
    const pager = openPager();
    const a = write(pager, (tx) => newPage(tx, 1));
    const tx = pager.begin();
    const outer = tx.savepoint();
    const inner = tx.savepoint();
    tx.setU32(tx.edit(a), 24, 2);
    tx.releaseSavepoint(inner);
    tx.setU32(tx.edit(a), 28, 3);
    tx.rollbackTo(outer);
    expect(valueOf(tx.view, a)).toBe(1);
    tx.setU32(tx.edit(a), 24, 4);
    tx.releaseSavepoint(outer);
    tx.commit();
    expect(valueOf(pager.view, a)).toBe(4);
    pager.close();
  });

  test('a base from before a savepoint may be written after it without edit, and is still restored', () => {
    const pager = openPager();
    const a = write(pager, (tx) => newPage(tx, 1));
    const tx = pager.begin();
    const base = tx.edit(a);
    tx.setU32(base, 24, 2);
    const savepoint = tx.savepoint();
    tx.setU32(base, 24, 3);
    tx.rollbackTo(savepoint);
    expect(valueOf(tx.view, a)).toBe(2);
    tx.commit();
    expect(valueOf(pager.view, a)).toBe(2);
    pager.close();
  });

  test('a hundred nested savepoints', () => {
    const pager = openPager();
    const a = write(pager, (tx) => newPage(tx, 0));
    const tx = pager.begin();
    const ids = Array.from({ length: 100 }, (_, depth) => {
      tx.setU32(tx.edit(a), 24, depth);
      return tx.savepoint();
    });
    for (let depth = 99; depth >= 50; depth -= 1) {
      tx.setU32(tx.edit(a), 24, 1000);
      tx.rollbackTo(ids[depth]!);
      expect(valueOf(tx.view, a)).toBe(depth);
    }
    tx.releaseSavepoint(ids[10]!);
    tx.rollbackTo(ids[5]!);
    expect(valueOf(tx.view, a)).toBe(5);
    tx.rollback();
    expect(valueOf(pager.view, a)).toBe(0);
    pager.close();
  });
});

describe('limits', () => {
  test('maxTransactionPages ends the transaction, not the database', () => {
    const pager = openPager({ maxTransactionPages: 20 });
    const tx = pager.begin();
    expect(
      codeOf(() => {
        for (let i = 0; i < 30; i += 1) newPage(tx, i);
      }),
    ).toBe('SOMBRA_TRANSACTION_PAGES');
    expect(tx.state).toBe('rolled-back');
    expect(pager.view.pageCount).toBe(3);
    write(pager, (next) => Array.from({ length: 15 }, (_, i) => newPage(next, i)));
    expect(pager.check()).toEqual([]);
    pager.close();
  });

  test('copies for savepoints count as pages', () => {
    const pager = openPager({ maxTransactionPages: 20 });
    const pages = write(pager, (tx) => Array.from({ length: 12 }, (_, i) => newPage(tx, i)));
    const tx = pager.begin();
    const bases = pages.map((page) => tx.edit(page));
    tx.savepoint();
    expect(codeOf(() => bases.forEach((base) => tx.setU32(base, 24, 1)))).toBe('SOMBRA_TRANSACTION_PAGES');
    expect(tx.state).toBe('rolled-back');
    pager.close();
  });

  test('maxDatabaseSizeMb: allocation fails, freed pages may be used again', () => {
    const pager = openPager({ maxDatabaseSizeMb: 0.0625 }); // 16 pages
    const pages = write(pager, (tx) => Array.from({ length: 13 }, (_, i) => newPage(tx, i)));
    const tx = pager.begin();
    expect(codeOf(() => newPage(tx, 1))).toBe('SOMBRA_DATABASE_FULL');
    expect(tx.state).toBe('rolled-back');
    write(pager, (next) => next.free(pages[0]!));
    expect(write(pager, (next) => newPage(next, 1))).toBe(pages[0]);
    expect(codeOf(() => pager.bulk().allocate())).toBe('SOMBRA_DATABASE_FULL');
    pager.close();
  });

  test('the catalogue: names, duplicates, number of trees, slots, counters', () => {
    const pager = openPager();
    const tx = pager.begin();
    expect(codeOf(() => tx.createTree(''))).toBe('SOMBRA_TREE_NAME');
    expect(codeOf(() => tx.createTree('ä'.repeat(24)))).toBe('SOMBRA_TREE_NAME');
    expect(tx.createTree('ä'.repeat(23))).toBe(0);
    expect(codeOf(() => tx.createTree('ä'.repeat(23)))).toBe('SOMBRA_TREE_EXISTS');
    for (let i = 1; i < 61; i += 1) expect(tx.createTree(`t${i}`)).toBe(i);
    expect(codeOf(() => tx.createTree('one more'))).toBe('SOMBRA_TREES_FULL');
    tx.dropTree(7);
    expect(codeOf(() => tx.setTreeRoot(7, 1))).toBe('SOMBRA_TREE');
    expect(codeOf(() => tx.addTreeCount(99, 1))).toBe('SOMBRA_TREE');
    expect(tx.createTree('one more')).toBe(7);
    for (const wrong of [1, 2, 3, 99, -1, 2.5, NaN])
      expect(codeOf(() => tx.setTreeRoot(7, wrong))).toBe('SOMBRA_PAGE_RANGE');
    tx.setTreeRoot(7, 0);
    expect(codeOf(() => tx.setCounter(16, 1))).toBe('SOMBRA_COUNTER');
    expect(codeOf(() => tx.setCounter(0, 0.5))).toBe('SOMBRA_COUNTER');
    expect(codeOf(() => tx.view.counter(-1))).toBe('SOMBRA_COUNTER');
    tx.commit();
    expect(pager.view.trees().length).toBe(61);
    expect(pager.view.findTree('ä'.repeat(23))).toBe(0);
    pager.close();
  });

  test('one transaction at a time, and none beside a bulk load', () => {
    const pager = openPager();
    const tx = pager.begin();
    expect(pager.inTransaction).toBe(true);
    expect(codeOf(() => pager.begin())).toBe('SOMBRA_TRANSACTION_ACTIVE');
    expect(codeOf(() => pager.bulk())).toBe('SOMBRA_TRANSACTION_ACTIVE');
    tx.rollback();
    const bulk = pager.bulk();
    expect(codeOf(() => pager.begin())).toBe('SOMBRA_TRANSACTION_ACTIVE');
    bulk.abort();
    pager.begin().commit();
    expect(pager.inTransaction).toBe(false);
    pager.close();
  });
});
