// Goal: pages of a bulk load, which go to main with the number of a commit that is still to come, are read as that commit leaves them.
// Method: the commit changes and frees some of them; a load fails after it was read from, and another one takes its places.
import { MemoryVfs } from '@sombra/vfs';
import { expect, test } from 'vitest';
import { KIND_OFFSET } from '../src/index.ts';
import type { BulkWriter } from '../src/index.ts';
import { newPage, openPager, valueOf, write } from './support/open.ts';

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
