// Goal: asynchronous transactions of a store are whole, in order, durable when acknowledged, and share syncs; those that throw
// leave nothing. Method: many at once in memory, with figures of the pager, misuse, and a sync that fails. Crashes in the middle of a
// group are enumerated by the pager's tests.
import { MemoryVfs } from '@sombra/vfs';
import { FaultyVfs } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { KeyValueStore, type KeyValueTransaction } from '../src/index.ts';
import { digits } from './support/entries.ts';
import { SMALL } from './support/open.ts';
import { keysIn, openStore } from './support/store.ts';

async function codeOfPromise(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error);
  }
  return 'no error';
}

describe('transactionAsync', () => {
  test('gives what the callback returns; 64 at once share syncs, and are acknowledged in order', async () => {
    const vfs = new MemoryVfs();
    const store = openStore(vfs);
    store.put('first', '');
    const { syncs } = store.stats().pager;
    const order: number[] = [];
    const all = Array.from({ length: 64 }, async (_, i) => {
      const result = await store.transactionAsync((tx) => {
        tx.put(digits(i, 2), 'v');
        return tx.count();
      });
      order.push(i);
      return result;
    });
    expect(await Promise.all(all)).toEqual(Array.from({ length: 64 }, (_, i) => i + 2));
    expect(order).toEqual(Array.from({ length: 64 }, (_, i) => i));
    expect(store.stats().pager.syncs - syncs).toBeLessThan(10);
    expect(store.count()).toBe(65);
    store.close();
  });

  test('later transactions see what is not yet durable, other readers do not; a synchronous write makes it durable', async () => {
    const store = openStore();
    const waiting = store.transactionAsync((tx) => tx.put('a', '1'));
    expect(store.has('a')).toBe(false);
    expect(store.transaction((tx) => tx.getText('a'))).toBe('1');
    store.put('b', '2');
    expect(keysIn(store)).toEqual(['a', 'b']);
    await waiting;
    store.close();
  });

  test('a range is deleted with what is not yet durable in it', async () => {
    const store = openStore();
    const waiting = store.transactionAsync((tx) => tx.put('a', '1'));
    expect(store.deleteRange({})).toBe(1);
    await waiting;
    expect(store.count()).toBe(0);
    store.close();
  });

  test('a bulk load behind one finds the tree as that left it', async () => {
    const store = openStore();
    const waiting = store.transactionAsync((tx) => tx.put('a', '1'));
    expect(() => store.bulkLoad([['b', '2']])).toThrow(expect.objectContaining({ code: 'SOMBRA_BULK_NOT_EMPTY' }));
    await waiting;
    store.close();
  });

  test('one that throws is rejected and leaves nothing; the others go on', async () => {
    const store = openStore();
    const wrong = new Error('mine');
    const [, failed] = await Promise.allSettled([
      store.transactionAsync((tx) => tx.put('a', '1')),
      store.transactionAsync((tx) => {
        tx.put('b', '2');
        throw wrong;
      }),
      store.transactionAsync((tx) => tx.put('c', '3')),
    ]);
    expect(failed).toEqual({ status: 'rejected', reason: wrong });
    expect(keysIn(store)).toEqual(['a', 'c']);
    store.close();
  });

  test('misuse is a rejection with a code', async () => {
    const store = openStore();
    const other = (() => undefined) as (tx: KeyValueTransaction) => void;
    expect(await codeOfPromise(store.transactionAsync(7 as unknown as typeof other))).toBe('SOMBRA_OPTION');
    expect(await codeOfPromise(store.transactionAsync(async () => Promise.resolve()))).toBe(
      'SOMBRA_PROMISE_IN_TRANSACTION',
    );
    let inner: Promise<unknown> | undefined;
    store.transaction(() => {
      inner = codeOfPromise(store.transactionAsync(other));
    });
    expect(await inner).toBe('SOMBRA_TRANSACTION_ACTIVE');
    store.close();
    expect(await codeOfPromise(store.transactionAsync(other))).toBe('SOMBRA_CLOSED');
  });

  test('closing makes durable what waits', async () => {
    const vfs = new MemoryVfs();
    const store = openStore(vfs);
    const waiting = store.transactionAsync((tx) => tx.put('a', '1'));
    store.close();
    await waiting;
    const again = openStore(vfs);
    expect(keysIn(again)).toEqual(['a']);
    again.close();
  });

  test('a failed sync rejects all that wait for it, and ends the writing', async () => {
    const inner = new MemoryVfs();
    const vfs = new FaultyVfs(inner);
    const store = KeyValueStore.open({ vfs, ...SMALL });
    store.put('a', '1');
    vfs.add({ op: 'sync', nth: 1, action: 'EIO' });
    const codes = await Promise.all(
      ['b', 'c'].map((key) => codeOfPromise(store.transactionAsync((tx) => tx.put(key, 'v')))),
    );
    expect(codes).toEqual(['SOMBRA_COMMIT_UNKNOWN', 'SOMBRA_COMMIT_UNKNOWN']);
    expect(await codeOfPromise(store.transactionAsync((tx) => tx.put('d', 'v')))).toBe('SOMBRA_LOCK_POISONED');
    expect(keysIn(store)).toEqual(['a']);
    store.close();
    const again = openStore(inner);
    expect(keysIn(again).filter((key) => key !== 'b' && key !== 'c')).toEqual(['a']);
    expect(again.check()).toEqual([]);
    again.close();
  });
});
