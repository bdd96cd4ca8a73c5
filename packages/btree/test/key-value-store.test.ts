// Goal: the key-value store does what its reference says: trees by name, transactions with savepoints, snapshots, bulk loads,
// and lets go of everything it holds.
// Method: small stores in memory and, once, on disk; what is held is counted by the pager's own figures.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryVfs, NodeVfs } from '@sombra/vfs';
import { FaultyVfs } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { KeyValueStore, type KeyValueTransaction } from '../src/index.ts';
import { bytes, digits, text } from './support/entries.ts';
import { codeOf } from './support/errors.ts';
import { SMALL } from './support/open.ts';
import { entriesIn, keysIn, openStore, withStore } from './support/store.ts';

describe('entries', () => {
  test('bytes and text are put, read, counted and deleted', () => {
    withStore((store) => {
      store.put('Käse', 'Brot 🧀');
      store.put(Uint8Array.of(0, 255), Uint8Array.of(1, 2, 3));
      expect(store.getText('Käse')).toBe('Brot 🧀');
      expect(store.get('Käse')).toEqual(new TextEncoder().encode('Brot 🧀'));
      expect(store.get(new TextEncoder().encode('Käse'))).toEqual(store.get('Käse'));
      expect(store.get(Uint8Array.of(0, 255))).toEqual(Uint8Array.of(1, 2, 3));
      expect([store.has('Käse'), store.has('käse'), store.count()]).toEqual([true, false, 2]);
      expect([store.get('nothing'), store.getText('nothing')]).toEqual([undefined, undefined]);
      store.put('Käse', '');
      expect(store.get('Käse')).toEqual(new Uint8Array(0));
      expect([store.delete('Käse'), store.delete('Käse'), store.count()]).toEqual([true, false, 1]);
    });
  });

  test('keys that name properties of objects are keys like others', () => {
    withStore((store) => {
      for (const key of ['__proto__', 'constructor', 'toString']) {
        expect(store.has(key)).toBe(false);
        store.tree(key).put(key, key);
        store.put(key, key);
      }
      expect(keysIn(store)).toEqual(['__proto__', 'constructor', 'toString']);
      expect(
        store
          .trees()
          .map(({ name }) => name)
          .sort(),
      ).toEqual(['__proto__', 'constructor', 'default', 'toString']);
    });
  });

  test('what is given and what is read are copies', () => {
    withStore((store) => {
      const [key, value] = [bytes('key'), bytes('value')];
      store.put(key, value);
      key.fill(0);
      value.fill(0);
      store.get('key')!.fill(0);
      for (const entry of store.entries()) {
        entry.key.fill(0);
        entry.value.fill(0);
      }
      expect(entriesIn(store)).toEqual([['key', 'value']]);
    });
  });

  test('the empty key is the first one; a Buffer is bytes', () => {
    withStore((store) => {
      store.put('', 'first');
      store.put(Buffer.from('b'), Buffer.from('second'));
      expect(entriesIn(store)).toEqual([
        ['', 'first'],
        ['b', 'second'],
      ]);
      expect(Object.getPrototypeOf(store.get('b'))).toBe(Uint8Array.prototype);
    });
  });

  test('an entry knows its key and value as text', () => {
    withStore((store) => {
      store.put('ä', 'ö');
      store.put(Uint8Array.of(0xff), Uint8Array.of(0xc3));
      const [first, second] = [...store.entries()];
      expect([first!.keyText, first!.valueText]).toEqual(['ä', 'ö']);
      expect(codeOf(() => second!.keyText)).toBe('SOMBRA_NOT_TEXT');
      expect(codeOf(() => second!.valueText)).toBe('SOMBRA_NOT_TEXT');
      expect(codeOf(() => store.getText(Uint8Array.of(0xff)))).toBe('SOMBRA_NOT_TEXT');
      expect(codeOf(() => store.getText('ä'))).toBe('no error');
    });
  });
});

describe('trees', () => {
  test('each has its own entries; the store itself is the tree default', () => {
    withStore((store) => {
      store.put('k', 'of the default tree');
      store.tree('a').put('k', 'of a');
      store.tree('b').put('k', 'of b');
      expect([store, store.tree('default'), store.tree('a'), store.tree('b')].map((tree) => tree.getText('k'))).toEqual(
        ['of the default tree', 'of the default tree', 'of a', 'of b'],
      );
      expect(store.tree('a').name).toBe('a');
      expect(store.name).toBe('default');
    });
  });

  test('one that was never written reads as empty and is not made by reading', () => {
    withStore((store) => {
      const tree = store.tree('new');
      expect([
        tree.get('k'),
        tree.has('k'),
        tree.count(),
        tree.count({}),
        keysIn(tree),
        tree.delete('k'),
        tree.clear(),
      ]).toEqual([undefined, false, 0, 0, [], false, 0]);
      expect(store.trees()).toEqual([]);
      tree.put('k', 'v');
      expect(store.trees()).toEqual([{ name: 'new', count: 1 }]);
    });
  });

  test('clear frees the pages; the tree stays', () => {
    withStore((store) => {
      const tree = store.tree('t');
      store.transaction((tx) => {
        for (let i = 0; i < 2000; i += 1) tx.tree('t').put(digits(i, 5), i % 100 === 0 ? 'v'.repeat(9000) : 'v');
      });
      const snapshot = store.snapshot();
      expect(tree.clear()).toBe(2000);
      expect([tree.count(), keysIn(tree), store.trees()]).toEqual([0, [], [{ name: 't', count: 0 }]]);
      expect(snapshot.tree('t').count()).toBe(2000);
      const { pageCount, freePages } = store.stats().pager;
      expect(pageCount - freePages).toBe(4); // superblock area, roots page, an empty leaf
      tree.put('k', 'v');
      expect(entriesIn(tree)).toEqual([['k', 'v']]);
      expect(keysIn(snapshot.tree('t'))).toHaveLength(2000);
      snapshot.release();
    });
  });

  test('dropTree frees everything and the name; the tree can be written again', () => {
    withStore((store) => {
      store.transaction((tx) => {
        for (let i = 0; i < 2000; i += 1) tx.tree('t').put(digits(i, 5), i % 100 === 0 ? 'v'.repeat(9000) : 'v');
      });
      const snapshot = store.snapshot();
      expect([store.dropTree('t'), store.dropTree('t'), store.dropTree('other')]).toEqual([true, false, false]);
      expect([store.tree('t').count(), store.trees()]).toEqual([0, []]);
      const { pageCount, freePages } = store.stats().pager;
      expect(pageCount - freePages).toBe(3);
      store.tree('t').put('k', 'v');
      expect(entriesIn(store.tree('t'))).toEqual([['k', 'v']]);
      expect(keysIn(snapshot.tree('t'))).toHaveLength(2000);
      snapshot.release();
    });
  });

  test('a tree of far more pages than a transaction may change is cleared, dropped and taken back', () => {
    const vfs = new MemoryVfs();
    const store = KeyValueStore.open({ vfs, path: 't.db', pageSize: 4096, maxTransactionPages: 60, cacheSize: 64 });
    const entries = (count: number): [string, string][] =>
      Array.from({ length: count }, (_, i) => [String(i).padStart(6, '0'), 'v'.repeat(i % 50 === 0 ? 9000 : 100)]);
    store.bulkLoad(entries(5000), { tree: 'a' });
    store.bulkLoad(entries(5000), { tree: 'b' });
    expect(store.stats().pager.pageCount).toBeGreaterThan(700);
    const [before, a, b] = [store.snapshot(), store.tree('a'), store.tree('b')];
    expect(() =>
      store.transaction((tx) => {
        tx.tree('a').clear();
        tx.dropTree('b');
        throw new RangeError('no');
      }),
    ).toThrow(RangeError);
    expect([a.count(), b.count()]).toEqual([5000, 5000]);
    expect(a.clear()).toBe(5000);
    expect(store.dropTree('b')).toBe(true);
    expect([a.count(), b.count(), before.tree('a').count(), before.tree('b').count({})]).toEqual([0, 0, 5000, 5000]);
    expect(store.check()).toEqual([]);
    before.release();
    const { pageCount, freePages } = store.stats().pager;
    expect(pageCount - freePages).toBeLessThan(8);
    store.close();
  });

  test('under an iterator of the transaction, clear ends the walk and a drop is an error', () => {
    withStore((store) => {
      store.transaction((tx) => {
        for (let i = 0; i < 300; i += 1) tx.put(digits(i, 3), 'v');
        const [first, second] = [tx.keys(), tx.keys({ reverse: true })];
        for (const walk of [first, second]) for (let i = 0; i < 100; i += 1) walk.next();
        tx.clear();
        expect(first.next().done).toBe(true);
        tx.put('150', 'new');
        expect(text(second.next().value!)).toBe('150');
        tx.dropTree('default');
        expect(codeOf(() => second.next())).toBe('SOMBRA_TREE_DROPPED');
        expect(tx.count()).toBe(0);
      });
    });
  });

  test('a tree whose place in the catalogue changed is found again', () => {
    withStore((store) => {
      for (const name of ['a', 'b']) store.tree(name).put('k', name);
      const snapshot = store.snapshot();
      store.transaction((tx) => {
        tx.dropTree('a');
        tx.dropTree('b');
        tx.tree('b').put('k', 'new b');
        tx.tree('a').put('k', 'new a');
        expect(['a', 'b'].map((name) => tx.tree(name).getText('k'))).toEqual(['new a', 'new b']);
        expect(['a', 'b'].map((name) => store.tree(name).getText('k'))).toEqual(['a', 'b']);
      });
      expect(['a', 'b'].map((name) => store.tree(name).getText('k'))).toEqual(['new a', 'new b']);
      expect(['a', 'b'].map((name) => snapshot.tree(name).getText('k'))).toEqual(['a', 'b']);
      snapshot.release();
    });
  });
});

describe('transactions', () => {
  test('one is a batch: a single commit, seen by others when it has returned', () => {
    withStore((store) => {
      const before = store.stats().pager.commits;
      const result = store.transaction((tx) => {
        for (let i = 0; i < 100; i += 1) tx.put(digits(i, 3), 'v');
        expect([tx.count(), store.count(), tx.has('050'), store.has('050')]).toEqual([100, 0, true, false]);
        return tx.count();
      });
      expect(result).toBe(100);
      expect(store.count()).toBe(100);
      expect(store.stats().pager.commits - before).toBe(1);
    });
  });

  test('what throws is taken back as a whole', () => {
    withStore((store) => {
      store.put('k', 'before');
      const wrong = new Error('mine');
      expect(() =>
        store.transaction((tx) => {
          tx.put('k', 'after');
          tx.tree('other').put('k', 'v');
          tx.delete('k');
          throw wrong;
        }),
      ).toThrow(wrong);
      expect(entriesIn(store)).toEqual([['k', 'before']]);
      expect(store.trees()).toEqual([{ name: 'default', count: 1 }]);
      store.put('k', 'later');
      expect(store.getText('k')).toBe('later');
    });
  });

  test('a nested one is a savepoint', () => {
    withStore((store) => {
      store.transaction((tx) => {
        tx.put('a', '1');
        expect(() =>
          tx.transaction((inner) => {
            inner.put('a', '2');
            inner.tree('t').put('x', 'y');
            inner.transaction((third) => third.put('b', '3'));
            expect([tx.getText('a'), tx.getText('b')]).toEqual(['2', '3']);
            throw new Error('inner');
          }),
        ).toThrow('inner');
        expect([tx.getText('a'), tx.has('b'), tx.tree('t').count(), tx.trees().length]).toEqual(['1', false, 0, 1]);
        // By way of the store it is the same.
        expect(store.transaction((inner) => (inner.put('c', '4'), inner === tx))).toBe(true);
      });
      expect(entriesIn(store)).toEqual([
        ['a', '1'],
        ['c', '4'],
      ]);
    });
  });

  test('a promise is refused, also a rejected one, and everything is taken back', async () => {
    const unhandled: unknown[] = [];
    const listener = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', listener);
    const late: string[] = [];
    withStore((store) => {
      const write = async (tx: KeyValueTransaction): Promise<void> => {
        tx.put('k', 'v');
        await Promise.resolve();
        late.push(codeOf(() => tx.put('k', 'late')));
        throw new Error('late');
      };
      expect(codeOf(() => store.transaction(write))).toBe('SOMBRA_PROMISE_IN_TRANSACTION');
      expect(store.count()).toBe(0);
      store.transaction((tx) => {
        tx.put('a', '1');
        expect(codeOf(() => tx.transaction(write))).toBe('SOMBRA_PROMISE_IN_TRANSACTION');
        expect(codeOf(() => tx.transaction(() => ({ then: () => undefined })))).toBe('SOMBRA_PROMISE_IN_TRANSACTION');
      });
      expect(entriesIn(store)).toEqual([['a', '1']]);
    });
    await new Promise((resolve) => setTimeout(resolve, 5));
    process.off('unhandledRejection', listener);
    expect(unhandled).toEqual([]);
    expect(late).toEqual(['SOMBRA_CLOSED', 'SOMBRA_CLOSED']);
  });

  test('a refused write changes nothing and the transaction goes on', () => {
    withStore((store) => {
      store.transaction((tx) => {
        tx.put('a', '1');
        expect(codeOf(() => tx.tree('new').put('k'.repeat(600), 'v'))).toBe('SOMBRA_KEY_TOO_LONG');
        expect(codeOf(() => tx.put('a', '\ud800'))).toBe('SOMBRA_TEXT_SURROGATE');
        expect(tx.trees()).toEqual([{ name: 'default', count: 1 }]);
        tx.put('b', '2');
      });
      expect(entriesIn(store)).toEqual([
        ['a', '1'],
        ['b', '2'],
      ]);
    });
  });

  test('an error of a limit ends the transaction, also when the callback catches it', () => {
    withStore(
      (store) => {
        store.put('k', 'before');
        const code = codeOf(() =>
          store.transaction((tx) => {
            tx.put('k', 'after');
            expect(codeOf(() => tx.put('large', 'v'.repeat(1_000_000)))).toBe('SOMBRA_TRANSACTION_PAGES');
            expect(codeOf(() => tx.put('k', 'again'))).toBe('SOMBRA_TX_DONE');
            expect(codeOf(() => tx.get('k'))).toBe('SOMBRA_TX_DONE');
            expect(codeOf(() => tx.transaction(() => 1))).toBe('SOMBRA_TX_DONE');
          }),
        );
        expect(code).toBe('SOMBRA_TX_DONE');
        expect(entriesIn(store)).toEqual([['k', 'before']]);
      },
      { maxTransactionPages: 50 },
    );
  });

  test('an error of a limit in a nested one ends the whole', () => {
    withStore(
      (store) => {
        expect(
          codeOf(() => store.transaction((tx) => tx.transaction((inner) => inner.put('large', 'v'.repeat(1_000_000))))),
        ).toBe('SOMBRA_TRANSACTION_PAGES');
        expect(store.count()).toBe(0);
        store.put('k', 'v');
      },
      { maxTransactionPages: 50 },
    );
  });

  test('one whose time runs out ends, the nested part with it', () => {
    let now = 1_000_000;
    const vfs = new MemoryVfs();
    const env = Object.assign(Object.create(vfs.env) as typeof vfs.env, { monotonicMs: () => now });
    const store = KeyValueStore.open({
      vfs: new Proxy(vfs, {
        get: (target, name) => (name === 'env' ? env : Reflect.get(target, name, target)) as unknown,
      }),
      ...SMALL,
      transactionTimeoutMs: 100,
    });
    const code = codeOf(() =>
      store.transaction((tx) => {
        tx.put('a', '1');
        codeOf(() =>
          tx.transaction((inner) => {
            inner.put('b', '2');
            now += 200;
            throw new Error('inner');
          }),
        );
        tx.put('c', '3');
      }),
    );
    expect(code).toBe('SOMBRA_TX_DONE');
    expect(store.count()).toBe(0);
    store.put('k', 'v');
    expect(store.check()).toEqual([]);
    store.close();
  });

  test('while one runs, the store itself is not written', () => {
    withStore((store) => {
      store.transaction((tx) => {
        tx.put('a', '1');
        for (const write of [
          () => store.put('b', '2'),
          () => store.delete('a'),
          () => store.clear(),
          () => store.dropTree('default'),
          () => store.tree('t').put('a', '1'),
          () => store.bulkLoad([]),
        ]) {
          expect(codeOf(write)).toBe('SOMBRA_TRANSACTION_ACTIVE');
        }
        expect(store.check()).toEqual([]);
      });
      expect(entriesIn(store)).toEqual([['a', '1']]);
    });
  });

  test('what was handed out ends with it', () => {
    withStore((store) => {
      let leaked: KeyValueTransaction | undefined;
      const [tree, walk] = store.transaction((tx) => {
        leaked = tx;
        for (let i = 0; i < 100; i += 1) tx.put(digits(i, 3), 'v');
        const iterator = tx.keys();
        iterator.next();
        return [tx.tree('default'), iterator] as const;
      });
      for (const use of [
        () => leaked!.put('a', '1'),
        () => leaked!.get('a'),
        () => leaked!.count(),
        () => leaked!.entries(),
        () => leaked!.trees(),
        () => leaked!.transaction(() => 1),
        () => tree.delete('000'),
        () => walk.next(),
      ]) {
        expect(codeOf(use)).toBe('SOMBRA_TX_DONE');
      }
      expect(walk.next()).toEqual({ done: true, value: undefined });
    });
  });

  test('closing the store inside takes everything back', () => {
    const vfs = new MemoryVfs();
    const store = openStore(vfs);
    store.put('k', 'before');
    const code = codeOf(() =>
      store.transaction((tx) => {
        tx.put('k', 'after');
        store.close();
      }),
    );
    expect(code).toBe('SOMBRA_CLOSED');
    const again = openStore(vfs);
    expect(entriesIn(again)).toEqual([['k', 'before']]);
    again.close();
  });
});

describe('snapshots and iterators', () => {
  test('a snapshot shows its commit, whatever comes later', () => {
    withStore((store) => {
      store.put('k', 'old');
      const snapshot = store.snapshot();
      const { lsn } = snapshot;
      store.put('k', 'new');
      store.tree('t').put('k', 'v');
      store.checkpoint();
      expect([snapshot.getText('k'), snapshot.count(), snapshot.tree('t').count(), snapshot.trees()]).toEqual([
        'old',
        1,
        0,
        [{ name: 'default', count: 1 }],
      ]);
      expect(snapshot.lsn).toBe(lsn);
      const later = store.snapshot();
      expect(later.lsn).toBe(lsn + 2);
      snapshot.release();
      snapshot.release();
      later[Symbol.dispose]();
      for (const use of [
        () => snapshot.get('k'),
        () => snapshot.entries(),
        () => snapshot.tree('t').count(),
        () => snapshot.trees(),
      ]) {
        expect(codeOf(use)).toBe('SOMBRA_CLOSED');
      }
    });
  });

  test('an iterator reads the commit of its first step', () => {
    withStore((store) => {
      for (let i = 0; i < 300; i += 1) store.put(digits(i, 3), 'old');
      const walk = store.entries();
      store.put('000', 'newer');
      const seen: string[] = [];
      for (const { keyText, valueText } of walk) {
        seen.push(valueText);
        store.put(keyText, 'new');
        store.delete(digits(Number(keyText) - 1, 3));
      }
      expect(seen).toEqual(['newer', ...new Array<string>(299).fill('old')]);
      expect(store.count()).toBe(1);
    });
  });

  test('inside a transaction it sees what is written, and deleting what it visits is fine', () => {
    withStore((store) => {
      store.transaction((tx) => {
        for (let i = 0; i < 300; i += 1) tx.put(digits(i, 3), 'v');
        let seen = 0;
        for (const key of tx.keys()) {
          seen += 1;
          tx.delete(key);
          if (seen === 1) tx.put('0005', 'between');
        }
        expect(seen).toBe(301);
        expect(tx.count()).toBe(0);
      });
    });
  });

  test('a savepoint is taken back under an iterator', () => {
    withStore((store) => {
      store.transaction((tx) => {
        for (let i = 0; i < 300; i += 1) tx.put(digits(i, 3), 'v');
        const walk = tx.keys({ from: '100' });
        expect(text(walk.next().value!)).toBe('100');
        codeOf(() =>
          tx.transaction((inner) => {
            for (const key of inner.keys()) inner.delete(key);
            throw new Error('back');
          }),
        );
        expect(text(walk.next().value!)).toBe('101');
        expect([...walk]).toHaveLength(198);
      });
    });
  });

  test('an iterator holds a snapshot from its first step to its end, return or error', () => {
    withStore((store) => {
      for (let i = 0; i < 50; i += 1) store.put(digits(i, 3), 'v');
      const held = (): number => store.stats().pager.snapshots;
      const walk = store.entries();
      expect(held()).toBe(0);
      walk.next();
      expect(held()).toBe(1);
      for (const { keyText } of walk) if (keyText === '003') break;
      expect(held()).toBe(0);
      expect(walk.next()).toEqual({ done: true, value: undefined });
      expect([...store.keys()]).toHaveLength(50);
      expect(held()).toBe(0);
      expect(() => {
        for (const { keyText } of store.entries()) throw new Error(`mine at ${keyText}`);
      }).toThrow('mine at 000');
      expect(held()).toBe(0);
      const disposed = store.keys();
      disposed.next();
      disposed[Symbol.dispose]();
      expect(held()).toBe(0);
      expect(store.count({ limit: 7 })).toBe(7);
      expect(held()).toBe(0);
    });
  });

  test('iterators that are dropped half way do not hold their snapshot for ever', async () => {
    const { setFlagsFromString } = await import('node:v8');
    const { runInNewContext } = await import('node:vm');
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const store = openStore();
    for (let i = 0; i < 50; i += 1) store.put(digits(i, 3), 'v');
    const drop = (): void => {
      store.keys().next();
      store.snapshot().tree('default').keys().next();
    };
    drop();
    expect(store.stats().pager.snapshots).toBe(2);
    for (let i = 0; i < 50 && store.stats().pager.snapshots > 0; i += 1) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(store.stats().pager.snapshots).toBe(0);
    store.close();
  });

  test('releasing a snapshot ends its iterators and gives their pages back', () => {
    withStore((store) => {
      for (let i = 0; i < 50; i += 1) store.put(digits(i, 3), 'v');
      for (let round = 0; round < 300; round += 1) {
        const snapshot = store.snapshot();
        const walk = snapshot.keys();
        walk.next();
        snapshot.release();
        expect(codeOf(() => walk.next())).toBe('SOMBRA_CLOSED');
      }
    });
  });
});

describe('ranges', () => {
  const KEYS = ['', 'a', 'a\0', 'ab', 'abc', 'b', 'ba', '\xfe', '\xff', '\xff\xff'];

  test.each([
    [{}, KEYS],
    [{ from: bytes('ab') }, ['ab', 'abc', 'b', 'ba', '\xfe', '\xff', '\xff\xff']],
    [{ from: bytes('ab'), fromInclusive: false }, ['abc', 'b', 'ba', '\xfe', '\xff', '\xff\xff']],
    [{ from: bytes('aa') }, ['ab', 'abc', 'b', 'ba', '\xfe', '\xff', '\xff\xff']],
    [{ from: bytes('aa'), fromInclusive: false }, ['ab', 'abc', 'b', 'ba', '\xfe', '\xff', '\xff\xff']],
    [{ to: bytes('ab') }, ['', 'a', 'a\0']],
    [{ to: bytes('ab'), toInclusive: true }, ['', 'a', 'a\0', 'ab']],
    [{ to: bytes('aa'), toInclusive: true }, ['', 'a', 'a\0']],
    [{ from: bytes('a'), to: bytes('b') }, ['a', 'a\0', 'ab', 'abc']],
    [{ from: bytes('a'), fromInclusive: false, to: bytes('b'), toInclusive: true }, ['a\0', 'ab', 'abc', 'b']],
    [{ from: bytes('a'), to: bytes('a') }, []],
    [{ from: bytes('a'), to: bytes('a'), toInclusive: true }, ['a']],
    [{ from: bytes('a'), fromInclusive: false, to: bytes('a'), toInclusive: true }, []],
    [{ from: bytes('b'), to: bytes('a') }, []],
    [{ from: bytes(''), to: bytes(''), toInclusive: true }, ['']],
    [{ to: bytes('') }, []],
    [{ from: bytes('\xff\xff\xff') }, []],
    [{ prefix: bytes('a') }, ['a', 'a\0', 'ab', 'abc']],
    [{ prefix: bytes('') }, KEYS],
    [{ prefix: bytes('ab') }, ['ab', 'abc']],
    [{ prefix: bytes('\xff') }, ['\xff', '\xff\xff']],
    [{ prefix: bytes('\xfe') }, ['\xfe']],
    [{ prefix: bytes('c') }, []],
    [{ prefix: bytes('a'), from: bytes('ab') }, ['ab', 'abc']],
    [{ prefix: bytes('a'), from: bytes('a'), fromInclusive: false }, ['a\0', 'ab', 'abc']],
    [{ prefix: bytes('a'), to: bytes('ab'), toInclusive: true }, ['a', 'a\0', 'ab']],
    [{ prefix: bytes('a'), to: bytes('b'), toInclusive: true }, ['a', 'a\0', 'ab', 'abc']],
    [{ prefix: bytes('a'), from: bytes('b') }, []],
    [{ prefix: bytes('b'), from: bytes('a'), fromInclusive: false }, ['b', 'ba']],
    [{ from: bytes('x'.repeat(5000)) }, ['\xfe', '\xff', '\xff\xff']],
    [{ limit: Infinity, to: bytes('a\0') }, ['', 'a']],
  ])('%o', (range, expected) => {
    withStore((store) => {
      for (const key of KEYS) store.put(bytes(key), 'v');
      expect(keysIn(store, range)).toEqual(expected);
      expect(keysIn(store, { ...range, reverse: true })).toEqual([...expected].reverse());
      expect(store.count(range)).toBe(expected.length);
      for (const limit of [0, 1, 3, 100]) {
        expect(keysIn(store, { ...range, limit })).toEqual(expected.slice(0, limit));
        expect(keysIn(store, { ...range, limit, reverse: true })).toEqual([...expected].reverse().slice(0, limit));
      }
    });
  });

  test('text bounds are UTF-8', () => {
    withStore((store) => {
      for (const key of ['z', 'ä', 'äa', 'ö', '🧀']) store.put(key, 'v');
      expect(Array.from(store.entries({ prefix: 'ä' }), ({ keyText }) => keyText)).toEqual(['ä', 'äa']);
      expect(Array.from(store.entries({ from: 'ö' }), ({ keyText }) => keyText)).toEqual(['ö', '🧀']);
    });
  });
});

describe('bulk loads', () => {
  const pairs = (count: number): [string, string][] =>
    Array.from({ length: count }, (_, i) => [digits(i, 6), `value ${i}`]);

  test('fill a tree in one commit, and it goes on like any other', () => {
    withStore((store) => {
      const commits = store.stats().pager.commits;
      const result = store.bulkLoad(pairs(5000));
      expect(result.count).toBe(5000);
      expect(store.stats().pager.commits - commits).toBe(1);
      expect(store.stats().pager.pageCount - 3).toBe(result.pages);
      expect(entriesIn(store)).toEqual(pairs(5000));
      store.put('000000', 'changed');
      store.delete('000001');
      expect(store.count()).toBe(4999);
    });
  });

  test('a named tree, bytes, a generator, loose leaves', () => {
    withStore((store) => {
      function* generate(): Generator<[Uint8Array, Uint8Array]> {
        for (let i = 0; i < 2000; i += 1) yield [bytes(digits(i, 5)), bytes('value')];
      }
      const tight = store.bulkLoad(generate(), { tree: 'tight' });
      const loose = store.bulkLoad(generate(), { tree: 'loose', fill: 0.5 });
      expect(loose.pages).toBeGreaterThan(tight.pages * 1.8);
      expect(store.trees().map(({ count }) => count)).toEqual([2000, 2000]);
      expect(entriesIn(store.tree('loose'))).toEqual(entriesIn(store.tree('tight')));
    });
  });

  test('an empty source gives an empty tree; one that was emptied can be loaded', () => {
    withStore((store) => {
      expect(store.bulkLoad([])).toEqual({ count: 0, pages: 1 });
      expect(store.trees()).toEqual([{ name: 'default', count: 0 }]);
      store.put('k', 'v');
      store.delete('k');
      const walk = store.snapshot();
      expect(store.bulkLoad(pairs(100)).count).toBe(100);
      expect([store.count(), walk.count()]).toEqual([100, 0]);
      walk.release();
    });
  });

  test('all or nothing', () => {
    withStore((store) => {
      store.put('k', 'v');
      expect(codeOf(() => store.bulkLoad(pairs(1)))).toBe('SOMBRA_BULK_NOT_EMPTY');
      const { pageCount } = store.stats().pager;
      const wrong = new Error('mine');
      const sources: [Iterable<readonly [string, string]>, string][] = [
        [
          [
            ['b', '1'],
            ['a', '2'],
          ],
          'SOMBRA_KEY_ORDER',
        ],
        [
          [
            ['a', '1'],
            ['a', '2'],
          ],
          'SOMBRA_KEY_ORDER',
        ],
        [
          [
            ['a', '1'],
            ['b', '\udc00'],
          ],
          'SOMBRA_TEXT_SURROGATE',
        ],
        [
          [
            ['a', '1'],
            ['k'.repeat(600), '2'],
          ],
          'SOMBRA_KEY_TOO_LONG',
        ],
        [[['a', '1'], 'no pair' as unknown as [string, string]], 'SOMBRA_VALUE_KIND'],
        [[['a', '1'], ['b'] as unknown as [string, string]], 'SOMBRA_VALUE_KIND'],
        [[['a', '1'], ['b', 2] as unknown as [string, string]], 'SOMBRA_VALUE_KIND'],
      ];
      for (const [source, code] of sources) expect(codeOf(() => store.bulkLoad(source, { tree: 't' }))).toBe(code);
      expect(() =>
        store.bulkLoad(
          (function* () {
            yield* pairs(3000);
            throw wrong;
          })(),
          { tree: 't' },
        ),
      ).toThrow(wrong);
      let inside = '';
      store.bulkLoad(
        (function* () {
          inside = codeOf(() => store.put('k', 'during'));
          yield* pairs(10);
        })(),
        { tree: 'u' },
      );
      expect(inside).toBe('SOMBRA_TRANSACTION_ACTIVE');
      expect(store.trees()).toEqual([
        { name: 'default', count: 1 },
        { name: 'u', count: 10 },
      ]);
      expect(store.stats().pager.pageCount).toBe(pageCount + 1);
    });
  });
});

describe('the file', () => {
  test('check finds damage and names the tree', () => {
    const vfs = new MemoryVfs();
    let store = openStore(vfs);
    store.tree('t').put('k', 'v');
    store.close();
    const file = vfs.open(SMALL.path, { write: true });
    file.pwrite([Uint8Array.of(1)], 4096 * 3 + 2000);
    store = openStore(vfs);
    const problems = store.check();
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.map(({ code }) => code)).toContain('SOMBRA_PAGE_CHECKSUM');
    expect(codeOf(() => store.tree('t').get('k'))).toBe('SOMBRA_PAGE_CHECKSUM');
    store.close();
  });

  test('figures', () => {
    withStore((store) => {
      store.put('a', '1');
      store.tree('t').put('a', '1');
      const stats = store.stats();
      expect(stats.path).toBe(SMALL.path);
      expect(stats.trees).toEqual([
        { name: 'default', count: 1 },
        { name: 't', count: 1 },
      ]);
      expect(stats.pager.commits).toBe(2);
      expect([store.path, store.readOnly, store.closed, store.warnings]).toEqual([SMALL.path, false, false, []]);
      expect(store.checkpoint().pages).toBeGreaterThan(0);
      expect(store.stats().pager.logBytesSinceCheckpoint).toBe(0);
    });
  });

  test('a store that is closed answers nothing; closing again is harmless', () => {
    const store = openStore();
    store.put('k', 'v');
    const [tree, snapshot, walk] = [store.tree('t'), store.snapshot(), store.keys()];
    walk.next();
    const inSnapshot = snapshot.keys();
    inSnapshot.next();
    store.close();
    store[Symbol.dispose]();
    store.close();
    for (const use of [
      () => store.get('k'),
      () => store.has('k'),
      () => store.count(),
      () => store.count({ limit: 1 }),
      () => store.entries(),
      () => store.keys(),
      () => store.put('k', 'v'),
      () => store.delete('k'),
      () => store.clear(),
      () => store.dropTree('default'),
      () => store.trees(),
      () => store.transaction(() => 1),
      () => store.snapshot(),
      () => store.bulkLoad([]),
      () => store.check(),
      () => store.stats(),
      () => store.checkpoint(),
      () => tree.get('k'),
      () => tree.put('k', 'v'),
      () => snapshot.get('k'),
      () => walk.next(),
      () => inSnapshot.next(),
    ]) {
      expect(codeOf(use)).toBe('SOMBRA_CLOSED');
    }
    snapshot.release();
    expect(store.closed).toBe(true);
  });

  test('a read-only store reads and refuses to write', () => {
    const vfs = new MemoryVfs();
    let store = openStore(vfs);
    store.put('k', 'v');
    store.close();
    store = openStore(vfs, { readOnly: true });
    expect([store.getText('k'), store.readOnly, store.check().length, keysIn(store)]).toEqual(['v', true, 0, ['k']]);
    for (const write of [
      () => store.put('k', 'w'),
      () => store.delete('k'),
      () => store.clear(),
      () => store.dropTree('default'),
      () => store.transaction(() => 1),
      () => store.bulkLoad([]),
      () => store.checkpoint(),
    ]) {
      expect(codeOf(write)).toBe('SOMBRA_READ_ONLY');
    }
    store.close();
  });

  test('a disk that is full refuses the write; the store goes on when there is room again', () => {
    const vfs = new FaultyVfs(new MemoryVfs());
    const store = KeyValueStore.open({ vfs, ...SMALL });
    store.put('k', 'before');
    vfs.add({ op: 'pwrite', file: /-wal/, action: 'ENOSPC' });
    expect(codeOf(() => store.put('k', 'after'))).toBe('SOMBRA_DISK_FULL');
    expect(codeOf(() => store.transaction((tx) => tx.put('k', 'after')))).toBe('SOMBRA_DISK_FULL');
    expect(store.getText('k')).toBe('before');
    vfs.heal();
    store.put('k', 'after');
    expect(store.getText('k')).toBe('after');
    expect(store.check()).toEqual([]);
    store.close();
  });

  test('on disk, and opened again', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sombra-kv-'));
    try {
      const path = join(folder, 'store.db');
      const store = KeyValueStore.open({ vfs: new NodeVfs(), path });
      store.transaction((tx) => {
        for (let i = 0; i < 1000; i += 1) tx.put(`key ${digits(i, 4)}`, `value ${i}`);
      });
      store.tree('large').put('blob', new Uint8Array(1_000_000).fill(7));
      store.close();
      expect(readdirSync(folder)).toEqual(['store.db']);
      const again = KeyValueStore.open({ vfs: new NodeVfs(), path });
      expect(again.getText('key 0500')).toBe('value 500');
      expect(
        again
          .tree('large')
          .get('blob')!
          .every((byte) => byte === 7),
      ).toBe(true);
      expect(again.check()).toEqual([]);
      again.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test('misuse gives a typed error with a code and a message that says what to do', () => {
  withStore((store) => {
    const none = undefined as never;
    const cases: [() => unknown, string][] = [
      [() => KeyValueStore.open(none), 'SOMBRA_CONFIG'],
      [() => KeyValueStore.open(null as never), 'SOMBRA_CONFIG'],
      [() => KeyValueStore.open('file.db' as never), 'SOMBRA_CONFIG'],
      [() => KeyValueStore.open({ path: 'x.db' } as never), 'SOMBRA_CONFIG'],
      [() => KeyValueStore.open({ vfs: new MemoryVfs() } as never), 'SOMBRA_CONFIG'],
      [() => KeyValueStore.open({ vfs: new MemoryVfs(), path: '' }), 'SOMBRA_CONFIG'],
      [() => KeyValueStore.open({ vfs: new MemoryVfs(), path: 'x.db', cachSize: 9 } as never), 'SOMBRA_CONFIG'],
      [() => KeyValueStore.open({ vfs: new MemoryVfs(), path: 'x.db', pageSize: 5000 }), 'SOMBRA_CONFIG'],
      [() => KeyValueStore.open({ vfs: new MemoryVfs(), path: 'x.db', createIfMissing: false }), 'SOMBRA_NOT_FOUND'],
      [() => store.get(none), 'SOMBRA_VALUE_KIND'],
      [() => store.get(7 as never), 'SOMBRA_VALUE_KIND'],
      [() => store.get(null as never), 'SOMBRA_VALUE_KIND'],
      [() => store.get({} as never), 'SOMBRA_VALUE_KIND'],
      [() => store.has([1] as never), 'SOMBRA_VALUE_KIND'],
      [() => store.delete(new ArrayBuffer(3) as never), 'SOMBRA_VALUE_KIND'],
      [() => store.put('k', none), 'SOMBRA_VALUE_KIND'],
      [() => store.put('k', new Uint16Array(3) as never), 'SOMBRA_VALUE_KIND'],
      [() => store.put(Symbol('k') as never, 'v'), 'SOMBRA_VALUE_KIND'],
      [() => store.get('\ud800'), 'SOMBRA_TEXT_SURROGATE'],
      [() => store.put('\udc00', 'v'), 'SOMBRA_TEXT_SURROGATE'],
      [() => store.put('k', 'a\ud83d'), 'SOMBRA_TEXT_SURROGATE'],
      [() => store.entries({ from: '\ud800' }), 'SOMBRA_TEXT_SURROGATE'],
      [() => store.keys({ prefix: '\ud800' }), 'SOMBRA_TEXT_SURROGATE'],
      [() => store.put('k'.repeat(513), 'v'), 'SOMBRA_KEY_TOO_LONG'],
      [() => store.put('k', new Uint8Array(64 * 2 ** 20 + 1)), 'SOMBRA_VALUE_TOO_LARGE'],
      [() => store.tree(''), 'SOMBRA_TREE_NAME'],
      [() => store.dropTree(''), 'SOMBRA_TREE_NAME'],
      [() => store.tree('ä'.repeat(24)), 'SOMBRA_TREE_NAME'],
      [() => store.tree(none), 'SOMBRA_TREE_NAME'],
      [() => store.tree(3 as never), 'SOMBRA_TREE_NAME'],
      [() => store.tree('\ud800'), 'SOMBRA_TEXT_SURROGATE'],
      [() => store.entries({ form: 'a' } as never), 'SOMBRA_OPTION'],
      [() => store.entries('a' as never), 'SOMBRA_OPTION'],
      [() => store.entries(null as never), 'SOMBRA_OPTION'],
      [() => store.keys({ limit: -1 }), 'SOMBRA_OPTION'],
      [() => store.keys({ limit: 1.5 }), 'SOMBRA_OPTION'],
      [() => store.keys({ limit: NaN }), 'SOMBRA_OPTION'],
      [() => store.keys({ limit: '3' as never }), 'SOMBRA_OPTION'],
      [() => store.count({ reverse: 1 as never }), 'SOMBRA_OPTION'],
      [() => store.count({ fromInclusive: 'yes' as never }), 'SOMBRA_OPTION'],
      [() => store.count({ toInclusive: null as never }), 'SOMBRA_OPTION'],
      [() => store.count({ from: 3 as never }), 'SOMBRA_VALUE_KIND'],
      [() => store.transaction(none), 'SOMBRA_OPTION'],
      [() => store.transaction((tx) => tx.transaction(7 as never)), 'SOMBRA_OPTION'],
      [() => store.bulkLoad(none), 'SOMBRA_OPTION'],
      [() => store.bulkLoad({} as never), 'SOMBRA_OPTION'],
      [() => store.bulkLoad([], { fill: 0.3 }), 'SOMBRA_OPTION'],
      [() => store.bulkLoad([], { into: 't' } as never), 'SOMBRA_OPTION'],
      [() => store.bulkLoad([], { tree: '' }), 'SOMBRA_TREE_NAME'],
    ];
    for (const [index, [run, code]] of cases.entries()) expect([index, codeOf(run)]).toEqual([index, code]);
    expect([store.count(), store.trees()]).toEqual([0, []]);
  });
});

test('more trees than the catalogue holds', () => {
  withStore((store) => {
    store.transaction((tx) => {
      for (let i = 0; i < 61; i += 1) tx.tree(`tree ${i}`).put('k', 'v');
      expect(codeOf(() => tx.tree('one more').put('k', 'v'))).toBe('SOMBRA_TREES_FULL');
    });
    expect(codeOf(() => store.bulkLoad([], { tree: 'one more' }))).toBe('SOMBRA_TREES_FULL');
    expect(codeOf(() => store.put('k', 'v'))).toBe('SOMBRA_TREES_FULL');
    store.dropTree('tree 7');
    store.put('k', 'v');
    expect(store.trees()).toHaveLength(61);
  });
});
