// Goal: the guess of how many entries lie between two keys is exact within a leaf and within a factor of two over many.
// Method: trees of ascending and of random keys, ranges of every size.
import { Pager } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import { expect, test } from 'vitest';
import { BTree } from '../src/index.ts';

const ENTRIES = 5000;

function key(n: number): Uint8Array {
  return Uint8Array.of(n >>> 8, n);
}

function tree(order: (i: number) => number): { pager: Pager; estimate: (from: number, to: number) => number } {
  const pager = Pager.open({ vfs: new MemoryVfs(), path: 'e.db', pageSize: 4096, cacheSize: 64 });
  const tx = pager.begin();
  const numbers = BTree.create(tx, 'numbers');
  for (let i = 0; i < ENTRIES; i += 1) numbers.put(tx, key(order(i)), 2, new Uint8Array(20), 0, 20);
  tx.commit();
  return { pager, estimate: (from, to) => numbers.estimate(pager.view, key(from), 2, key(to), 2) };
}

test.each<[string, (i: number) => number]>([
  ['ascending', (i) => i],
  ['mixed', (i) => (i * 1987) % ENTRIES],
])('%s keys', (_name, order) => {
  const { pager, estimate } = tree(order);
  for (const from of [0, 1, 777, 2500, 4999]) expect([from, estimate(from, from + 1)]).toEqual([from, 1]);
  expect(estimate(100, 100)).toBe(0);
  expect(estimate(200, 100)).toBe(0);
  for (let from = 0; from < ENTRIES; from += 500) {
    for (let to = from + 500; to <= ENTRIES; to += 500) {
      expect(estimate(from, to)).toBeGreaterThan((to - from) / 2);
      expect(estimate(from, to)).toBeLessThan((to - from) * 2);
    }
  }
  pager.close();
});

test('an empty tree has nothing in any range', () => {
  const pager = Pager.open({ vfs: new MemoryVfs(), path: 'e.db', pageSize: 4096, cacheSize: 64 });
  const tx = pager.begin();
  const none = BTree.create(tx, 'none');
  tx.commit();
  expect(none.estimate(pager.view, key(0), 2, key(60_000), 2)).toBe(0);
  pager.close();
});
