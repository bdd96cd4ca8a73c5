// Goal: several connections on one file: each sees what the others commit, keeps what it holds, and waits for its turn to write.
// Method: stores and cursors of one thread on a file system in memory. How connections share a file is the pager's business and
// tested there; here it is trees that come, go and change under handles and cursors.
import { MemoryVfs } from '@sombra/vfs';
import { Random, seeds } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import { BTree, type KeyValueStore } from '../src/index.ts';
import { bytes, digits, entriesOf, put, sorted, text } from './support/entries.ts';
import { codeOf } from './support/errors.ts';
import { OpenTree, SMALL } from './support/open.ts';
import { entriesIn, keysIn, openStore } from './support/store.ts';

/** Ends the turn of the event loop, and with it the views that reads share. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('each sees what the other commits, at the latest in the next turn', async () => {
  const vfs = new MemoryVfs();
  const [a, b] = [openStore(vfs), openStore(vfs)];
  a.put('k', '1');
  expect(b.getText('k')).toBe('1');
  b.put('k', '2');
  await turn();
  expect([a.getText('k'), a.count()]).toEqual(['2', 1]);
  a.transaction((tx) => {
    expect(tx.getText('k')).toBe('2');
    expect(codeOf(() => b.put('k', 'too early'))).toBe('SOMBRA_BUSY');
    tx.put('k', '3');
  });
  await turn();
  expect(b.getText('k')).toBe('3');
  a.close();
  b.put('k', '4');
  expect(b.check()).toEqual([]);
  b.close();
  expect(vfs.list('.')).toEqual([SMALL.path]);
});

test('a tree that another connection made, dropped or replaced is found as it is now', async () => {
  const vfs = new MemoryVfs();
  const [a, b] = [openStore(vfs), openStore(vfs)];
  a.tree('x').put('k', 'of x');
  expect(b.tree('x').getText('k')).toBe('of x');
  const snapshot = b.snapshot();
  const walk = b.tree('x').keys();
  expect(text(walk.next().value!)).toBe('k');
  a.transaction((tx) => {
    tx.dropTree('x');
    tx.tree('y').put('k', 'of y'); // in the place of x
    tx.tree('x').put('k', 'of the new x');
  });
  await turn();
  expect(['x', 'y'].map((name) => b.tree(name).getText('k'))).toEqual(['of the new x', 'of y']);
  expect(['x', 'y'].map((name) => snapshot.tree(name).getText('k'))).toEqual(['of x', undefined]);
  expect(walk.next().done).toBe(true);
  snapshot.release();
  b.dropTree('y');
  await turn();
  expect(a.trees()).toEqual([{ name: 'x', count: 1 }]);
  a.close();
  b.close();
});

test('a bulk load of one, then puts of the other', async () => {
  const vfs = new MemoryVfs();
  const [a, b] = [openStore(vfs), openStore(vfs)];
  a.put('k', 'v');
  b.bulkLoad(
    (function* () {
      for (let i = 0; i < 1000; i += 1) {
        if (i === 500) expect(codeOf(() => a.put('during', 'v'))).toBe('SOMBRA_BUSY');
        yield [digits(i, 4), 'v'] as const;
      }
    })(),
    { tree: 'bulk' },
  );
  await turn();
  expect(a.tree('bulk').count()).toBe(1000);
  a.tree('bulk').put('0500', 'changed');
  await turn();
  expect(b.tree('bulk').getText('0500')).toBe('changed');
  expect(b.check()).toEqual([]);
  a.close();
  b.close();
});

test("a cursor on the newest commit goes on from its place when another connection's commits come in", async () => {
  const db = new OpenTree();
  const other = openStore(db.vfs);
  db.write((tx) => {
    for (let i = 0; i < 600; i += 2) put(tx, db.tree, digits(i, 3), 'v');
  });
  const cursor = db.tree.cursor(db.view);
  cursor.seek(bytes('100'), 3);
  await turn();
  other.tree('data').delete('100');
  other.tree('data').put('101', 'new');
  await turn();
  expect(cursor.next() && text(cursor.key())).toBe('101');
  other.transaction((tx) => {
    for (let i = 102; i < 500; i += 2) tx.tree('data').delete(digits(i, 3));
  });
  expect(cursor.next() && text(cursor.key())).toBe('102'); // one turn, one view
  await turn();
  expect(cursor.next() && text(cursor.key())).toBe('500');
  expect(cursor.previous() && text(cursor.key())).toBe('101');
  cursor.close();
  other.close();
  db.close();
});

test.each(seeds(12, 1))('seed %i: three connections write in turn, each reads commits whole', async (seed) => {
  const random = new Random(seed);
  const vfs = new MemoryVfs();
  let stores: KeyValueStore[] = [0, 1, 2].map(() => openStore(vfs));
  const model = new Map<string, string>();
  for (let round = 0; round < 60; round += 1) {
    const at = random.below(stores.length);
    const store = stores[at]!;
    const kind = random.below(20);
    if (kind === 0) {
      store.close();
      stores[at] = openStore(vfs);
    } else if (kind < 3) store.checkpoint();
    else if (kind < 12) {
      const keep = random.chance(0.8);
      const draft = new Map(model);
      const code = codeOf(() =>
        store.transaction((tx) => {
          for (let i = random.below(60); i >= 0; i -= 1) {
            const key = digits(random.below(400), 4);
            if (random.chance(0.3)) expect(tx.delete(key)).toBe(draft.delete(key));
            else {
              const value = 'v'.repeat(random.below(random.chance(0.02) ? 9000 : 60));
              tx.put(key, value);
              draft.set(key, value);
            }
          }
          if (!keep) throw Object.assign(new Error(), { code: 'mine' });
        }),
      );
      expect(code).toBe(keep ? 'no error' : 'mine');
      if (keep) {
        model.clear();
        for (const [key, value] of draft) model.set(key, value);
      }
    } else {
      await turn();
      expect(entriesIn(store)).toEqual(sorted(model));
      expect(keysIn(store, { reverse: true, limit: 5 })).toEqual([...model.keys()].sort().reverse().slice(0, 5));
    }
  }
  await turn();
  for (const store of stores) expect(entriesIn(store)).toEqual(sorted(model));
  expect(stores[0]!.check()).toEqual([]);
  for (const store of stores) store.close();
  stores = [openStore(vfs)];
  expect(entriesIn(stores[0]!)).toEqual(sorted(model));
  expect(stores[0]!.check()).toEqual([]);
  stores[0]!.close();
  expect(vfs.list('.')).toEqual([SMALL.path]);
});

test('a handle of a tree belongs to its connection', () => {
  const db = new OpenTree();
  const other = new OpenTree();
  expect(codeOf(() => db.tree.get(other.view, bytes('k')))).toBe('SOMBRA_OTHER_DATABASE');
  expect(entriesOf(BTree.open(other.view, 'data')!, other.view)).toEqual([]);
  other.close();
  db.close();
});
