// Goal: the size of the cache can be changed while the database is open, and no page, old version or pinned page is lost by it; a
// smaller cache gives memory back when it can. Method: resizes between random writes, snapshots, pins and open transactions, each in a
// turn of its own; every value is compared with a plain model.
import { describe, expect, test } from 'vitest';
import type { View } from '../src/index.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';
import { Random, seeds } from './support/random.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const OPTIONS = { maxTransactionPages: 64 };

test('a large commit leaves no more pages than the cache size, whoever reads meanwhile', () => {
  const pager = openPager({ maxTransactionPages: 500 });
  const pages = write(pager, (tx) => Array.from({ length: 300 }, (_, i) => newPage(tx, i)));
  expect(pager.stats().cachePages).toBeLessThanOrEqual(8);
  const snapshot = pager.snapshot();
  write(pager, (tx) => {
    for (const [i, page] of pages.entries()) tx.setU32(tx.edit(page), 24, i + 1000);
  });
  expect(pager.stats().cachePages).toBeLessThanOrEqual(8);
  for (const [i, page] of pages.entries())
    expect([valueOf(snapshot, page), valueOf(pager.view, page)]).toEqual([i, i + 1000]);
  expect(pager.stats().cachePages).toBeLessThanOrEqual(8);
  expect(pager.check()).toEqual([]);
  pager.close();
});

describe('setCacheSize', () => {
  test('takes effect in the next turn; memory grows and shrinks', async () => {
    const pager = openPager(OPTIONS);
    const pages = write(pager, (tx) => Array.from({ length: 60 }, (_, i) => newPage(tx, i)));
    const small = pager.cache.bytes.length;
    pager.setCacheSize(1000);
    expect([pager.stats().cacheSize, pager.cache.bytes.length]).toEqual([8, small]);
    await turn();
    expect([pager.stats().cacheSize, pager.cache.bytes.length - small]).toEqual([1000, 992 * 4096]);
    for (const [i, page] of pages.entries()) expect(valueOf(pager.view, page)).toBe(i);
    expect(pager.stats().cachePages).toBeGreaterThanOrEqual(60);
    pager.setCacheSize(8);
    await turn();
    expect(pager.cache.bytes.length).toBe(small);
    for (const [i, page] of pages.entries()) expect(valueOf(pager.view, page)).toBe(i);
    expect(pager.stats().cachePages).toBeLessThanOrEqual(9);
    expect(pager.check()).toEqual([]);
    pager.close();
  });

  test('keeps dirty pages and pinned ones where they are', async () => {
    const pager = openPager(OPTIONS);
    const [a, b] = write(pager, (tx) => [newPage(tx, 1), newPage(tx, 2)]);
    pager.setCacheSize(100);
    await turn();
    const snapshot = pager.snapshot();
    const base = snapshot.page(a!);
    snapshot.pin(base);
    const tx = pager.begin();
    tx.setU32(tx.edit(b!), 24, 20);
    for (const size of [8, 300, 8]) {
      pager.setCacheSize(size);
      await turn();
      expect(pager.cache.words[(base + 24) >>> 2]).toBe(1);
      expect([valueOf(tx.view, b!), valueOf(snapshot, b!)]).toEqual([20, 2]);
    }
    tx.commit();
    snapshot.unpin(base);
    snapshot.release();
    expect(valueOf(pager.view, b!)).toBe(20);
    pager.close();
  });

  test.each([0, 7, 1.5, NaN, Infinity, '100', null, undefined, 2 ** 24 + 1, 2 ** 24])('refuses %s', (pages) => {
    const pager = openPager(OPTIONS);
    expect(codeOf(() => pager.setCacheSize(pages as number))).toBe('SOMBRA_CONFIG');
    pager.close();
    expect(codeOf(() => pager.setCacheSize(100))).toBe('SOMBRA_CLOSED');
  });

  test.each(seeds(20))('among random writes, snapshots and pins, seed %i', async (seed) => {
    const random = new Random(seed);
    const pager = openPager(OPTIONS);
    const model = new Map<number, number>();
    const kept: { view: View; model: Map<number, number>; pinned: { page: number; base: number } }[] = [];
    write(pager, (tx) => {
      for (let i = 0; i < 40; i += 1) model.set(newPage(tx, i), i);
    });
    const pages = [...model.keys()];
    for (let step = 0; step < 60; step += 1) {
      if (random.chance(0.4)) pager.setCacheSize(8 + random.below(80));
      if (random.chance(0.2)) {
        const view = pager.snapshot();
        const page = random.pick(pages);
        const base = view.page(page);
        view.pin(base);
        kept.push({ view, model: new Map(model), pinned: { page, base } });
      }
      if (random.chance(0.2)) {
        const one = kept.shift();
        if (one !== undefined) {
          one.view.unpin(one.pinned.base);
          one.view.release();
        }
      }
      const tx = pager.begin();
      const next = new Map(model);
      for (let i = random.below(20); i > 0; i -= 1) {
        const page = random.pick(pages);
        const value = random.below(1_000_000);
        tx.setU32(tx.edit(page), 24, value);
        next.set(page, value);
        if (random.chance(0.1)) await turn(); // in the middle of a transaction, too
      }
      if (random.chance(0.8)) {
        tx.commit();
        for (const [page, value] of next) model.set(page, value);
      } else tx.rollback();
      await turn();
      for (const page of pages) expect(valueOf(pager.view, page)).toBe(model.get(page));
      for (const { view, model: then, pinned } of kept) {
        expect(pager.cache.words[(pinned.base + 24) >>> 2]).toBe(then.get(pinned.page));
        for (let i = 0; i < 5; i += 1) {
          const page = random.pick(pages);
          expect(valueOf(view, page)).toBe(then.get(page));
        }
      }
    }
    expect(pager.check()).toEqual([]);
    pager.close();
  });
});
