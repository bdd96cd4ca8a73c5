// Goal: a store that is filled and emptied again and again keeps its size, whichever way it is filled and emptied.
// Method: rounds of one kind of work each; the largest file is compared with the first.
import { MemoryVfs } from '@sombra/vfs';
import { expect, test } from 'vitest';
import { KeyValueStore, type KeyValueTransaction } from '../src/index.ts';
import { digits } from './support/entries.ts';

const COUNT = 4000;
const entries = Array.from({ length: COUNT }, (_, i): [string, string] => [
  digits(i, 6),
  'v'.repeat(i % 100 === 0 ? 6000 : i % 90),
]);

type Work = readonly [name: string, fill: (store: KeyValueStore) => unknown, empty: (store: KeyValueStore) => unknown];

function inParts(store: KeyValueStore, work: (tx: KeyValueTransaction, i: number) => unknown): void {
  for (let from = 0; from < COUNT; from += 500)
    store.transaction((tx) => {
      for (let i = from; i < from + 500; i += 1) work(tx, i);
    });
}

const bulk = (store: KeyValueStore): unknown => store.bulkLoad(entries);
const puts = (store: KeyValueStore): void => inParts(store, (tx, i) => tx.put(...entries[(i * 37) % COUNT]!));
const deletes = (store: KeyValueStore): void => inParts(store, (tx, i) => tx.delete(digits((i * 61) % COUNT, 6)));

const WORK: Work[] = [
  ['bulk load and clear', bulk, (store) => store.clear()],
  ['bulk load and drop', bulk, (store) => store.dropTree('default')],
  ['bulk load and delete', bulk, deletes],
  ['puts and deletes', puts, deletes],
  ['puts and clear', puts, (store) => store.clear()],
];

test.each(WORK)('%s', (_name, fill, empty) => {
  const store = KeyValueStore.open({ vfs: new MemoryVfs(), path: 't.db', pageSize: 4096, maxTransactionPages: 1000 });
  let [first, largest] = [0, 0];
  for (let round = 0; round < 8; round += 1) {
    fill(store);
    expect(store.count()).toBe(COUNT);
    empty(store);
    expect(store.count()).toBe(0);
    const { pageCount } = store.stats().pager;
    if (round === 0) first = pageCount;
    largest = Math.max(largest, pageCount);
  }
  expect(largest / first).toBeLessThan(1.2);
  expect(store.check()).toEqual([]);
  store.close();
});
