// Goal: a cursor visits the entries of its view in order, both ways, and keeps its place while the tree changes under it.
// Method: known trees walked and sought in every way; random walks beside random writes, compared with a sorted list.
import type { View, WriteTransaction } from '@sombra/pager';
import { Random, seeds } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { BTree, type Cursor } from '../src/index.ts';
import { bytes, digits, entriesOf, put, remove, text } from './support/entries.ts';
import { codeOf } from './support/errors.ts';
import { OpenTree, withTree } from './support/open.ts';

/** Fills a tree with the even numbers below `end`, four digits each, over several leaves. */
function evens(db: OpenTree, end = 1200): void {
  db.write((tx) => {
    for (let i = 0; i < end; i += 2) put(tx, db.tree, digits(i, 4), `value ${i}`);
  });
}

function keyOf(cursor: Cursor): string {
  return text(cursor.key());
}

/** Keys from where a cursor stands. */
function rest(cursor: Cursor, forward: boolean): string[] {
  const keys: string[] = [];
  while (cursor.valid) {
    keys.push(keyOf(cursor));
    if (forward) cursor.next();
    else cursor.previous();
  }
  return keys;
}

function withCursor(tree: BTree, view: View, run: (cursor: Cursor) => void): void {
  const cursor = tree.cursor(view);
  try {
    run(cursor);
  } finally {
    cursor.close();
  }
}

describe('walking', () => {
  test('forwards and backwards over all leaves', () => {
    withTree((db) => {
      evens(db);
      const expected = Array.from({ length: 600 }, (_, i) => [digits(i * 2, 4), `value ${i * 2}`]);
      expect(entriesOf(db.tree, db.view)).toEqual(expected);
      expect(entriesOf(db.tree, db.view, false)).toEqual([...expected].reverse());
    });
  });

  test('an empty tree has no entry', () => {
    withTree((db) => {
      withCursor(db.tree, db.view, (cursor) => {
        expect([cursor.first(), cursor.last(), cursor.seek(bytes('a'), 1), cursor.seekBefore(bytes('a'), 1)]).toEqual([
          false,
          false,
          false,
          false,
        ]);
        expect([cursor.valid, cursor.next(), cursor.previous()]).toEqual([false, false, false]);
      });
    });
  });

  test('turning round at any entry, at the edges of leaves too', () => {
    withTree((db) => {
      evens(db);
      withCursor(db.tree, db.view, (cursor) => {
        cursor.first();
        for (let i = 0; i < 598; i += 1) {
          cursor.next();
          cursor.next();
          cursor.previous();
          expect(keyOf(cursor)).toBe(digits((i + 1) * 2, 4));
        }
        cursor.last();
        expect(cursor.next()).toBe(false);
        cursor.first();
        expect(cursor.previous()).toBe(false);
        expect(codeOf(() => cursor.key())).toBe('SOMBRA_CURSOR_NOWHERE');
        expect(codeOf(() => cursor.value())).toBe('SOMBRA_CURSOR_NOWHERE');
      });
    });
  });

  test('seeking every key and every gap', () => {
    withTree((db) => {
      evens(db);
      withCursor(db.tree, db.view, (cursor) => {
        for (let i = 0; i < 1200; i += 1) {
          const key = bytes(digits(i, 4));
          const at = (found: boolean): string | undefined => (found ? keyOf(cursor) : undefined);
          expect(at(cursor.seek(key, 4))).toBe(i === 1199 ? undefined : digits(i + (i % 2), 4));
          expect(at(cursor.seekBefore(key, 4))).toBe(digits(i - (i % 2), 4));
        }
        expect(cursor.seek(bytes(''), 0) && keyOf(cursor)).toBe('0000');
        expect(cursor.seekBefore(bytes(''), 0)).toBe(false);
        expect(cursor.seek(bytes('9'), 1)).toBe(false);
        expect(cursor.seekBefore(bytes('9'.repeat(3000)), 3000) && keyOf(cursor)).toBe('1198');
      });
    });
  });

  test('seeking ids', () => {
    withTree((db) => {
      db.write((tx) => {
        for (let id = 10; id < 20_000; id += 10) db.tree.putU48(tx, id, bytes('v'), 0, 1);
      });
      withCursor(db.tree, db.view, (cursor) => {
        for (const [id, found] of [
          [0, 10],
          [10, 10],
          [11, 20],
          [19_990, 19_990],
        ] as const) {
          expect(cursor.seekU48(id)).toBe(true);
          expect(new DataView(cursor.key().buffer).getUint32(2)).toBe(found);
        }
        expect(cursor.seekU48(19_991)).toBe(false);
        expect(cursor.seekU48(2 ** 48 - 1)).toBe(false);
      });
    });
  });
});

describe('while the tree changes', () => {
  /** Starts with the even numbers in a transaction of its own, which is rolled back at the end. */
  function changing(run: (tx: WriteTransaction, cursor: Cursor, tree: BTree) => void): void {
    withTree((db) => {
      evens(db);
      const tx = db.pager.begin();
      withCursor(db.tree, tx.view, (cursor) => run(tx, cursor, db.tree));
      tx.rollback();
    });
  }

  test('the entry it stands on is deleted: steps go to its neighbours', () => {
    changing((tx, cursor, tree) => {
      for (const at of ['0000', '0500', '1198']) {
        cursor.seek(bytes(at), 4);
        remove(tx, tree, at);
        expect(cursor.refresh()).toBe(false);
        expect(codeOf(() => cursor.value())).toBe('SOMBRA_CURSOR_NOWHERE');
        expect(keyOf(cursor)).toBe(at);
        expect(cursor.next() ? keyOf(cursor) : undefined).toBe(at === '1198' ? undefined : digits(Number(at) + 2, 4));
      }
      cursor.seek(bytes('0600'), 4);
      remove(tx, tree, '0600');
      expect(cursor.previous() && keyOf(cursor)).toBe('0598');
    });
  });

  test('deleting all that it visits, forwards and backwards', () => {
    for (const forward of [true, false]) {
      changing((tx, cursor, tree) => {
        const seen: string[] = [];
        for (let on = forward ? cursor.first() : cursor.last(); on; on = forward ? cursor.next() : cursor.previous()) {
          seen.push(keyOf(cursor));
          remove(tx, tree, keyOf(cursor));
        }
        expect(seen).toHaveLength(600);
        expect(tree.count(tx.view)).toBe(0);
        expect(tree.check(tx.view)).toEqual([]);
      });
    }
  });

  test('entries put before it are passed over, those put behind it are met', () => {
    changing((tx, cursor, tree) => {
      const seen: number[] = [];
      for (let on = cursor.first(); on; on = cursor.next()) {
        const key = Number(keyOf(cursor));
        seen.push(key);
        if (key % 2 === 0) {
          put(tx, tree, digits(key + 1, 4), 'v'.repeat(40));
          if (key > 0) put(tx, tree, digits(key - 1, 4), 'replaced');
        }
      }
      expect(seen).toEqual(Array.from({ length: 1200 }, (_, i) => i));
    });
  });

  test('its value is replaced, in its place or elsewhere', () => {
    changing((tx, cursor, tree) => {
      cursor.seek(bytes('0500'), 4);
      for (const value of ['v', 'value 999', 'v'.repeat(700), 'v'.repeat(9000), '']) {
        put(tx, tree, '0500', value);
        expect(text(cursor.value())).toBe(value);
        expect(cursor.refresh()).toBe(true);
        expect(cursor.valueLength).toBe(value.length);
        expect(keyOf(cursor)).toBe('0500');
      }
      expect(cursor.next() && keyOf(cursor)).toBe('0502');
    });
  });

  test('a savepoint is rolled back under it', () => {
    changing((tx, cursor, tree) => {
      put(tx, tree, '0000', 'touched');
      const savepoint = tx.savepoint();
      for (let i = 1; i < 1200; i += 2) put(tx, tree, digits(i, 4), 'v'.repeat(50));
      cursor.seek(bytes('0601'), 4);
      tx.rollbackTo(savepoint);
      BTree.rolledBack(tx.view);
      expect(cursor.next() && keyOf(cursor)).toBe('0602');
      expect(rest(cursor, true)).toHaveLength(299);
    });
  });

  test('its tree is dropped, or its view ends', () => {
    withTree((db) => {
      evens(db);
      const tx = db.pager.begin();
      const [first, second] = [db.tree.cursor(tx.view), db.tree.cursor(tx.view)];
      first.first();
      second.first();
      const savepoint = tx.savepoint();
      db.tree.drop(tx);
      expect(codeOf(() => first.next())).toBe('SOMBRA_TREE_DROPPED');
      tx.rollbackTo(savepoint);
      BTree.rolledBack(tx.view);
      expect(second.next() && keyOf(second)).toBe('0002');
      tx.rollback();
      expect(codeOf(() => second.next())).toBe('SOMBRA_CLOSED');
      first.close();
      second.close();
      expect(codeOf(() => second.first())).toBe('SOMBRA_CLOSED');
    });
  });

  test('a snapshot stays as it is; the newest view moves on under its cursor', () => {
    withTree((db) => {
      evens(db);
      const snapshot = db.pager.snapshot();
      const [old, live] = [db.tree.cursor(snapshot), db.tree.cursor(db.view)];
      old.seek(bytes('0600'), 4);
      live.seek(bytes('0600'), 4);
      db.write((tx) => {
        for (let i = 0; i < 1200; i += 2) if (i % 10 !== 0) remove(tx, db.tree, digits(i, 4));
        put(tx, db.tree, '0601', 'new');
      });
      expect(rest(live, true)).toEqual([
        '0600',
        '0601',
        ...Array.from({ length: 59 }, (_, i) => digits(610 + i * 10, 4)),
      ]);
      expect(rest(old, true)).toEqual(Array.from({ length: 300 }, (_, i) => digits(600 + i * 2, 4)));
      old.close();
      live.close();
      snapshot.release();
    });
  });

  test.each(seeds(60, 1))('seed %i: random steps beside random writes', (seed) => {
    const random = new Random(seed);
    withTree((db) => {
      const model = new Map<string, string>();
      const tx = db.pager.begin();
      const cursors = [db.tree.cursor(tx.view), db.tree.cursor(tx.view)];
      /** Where each cursor stands: its key, also when that was deleted meanwhile. */
      const places: (string | undefined)[] = [undefined, undefined];
      const marks: { id: number; model: Map<string, string> }[] = [];
      for (let step = 0; step < 400; step += 1) {
        const key = digits(random.below(500), 4);
        const kind = random.below(20);
        if (kind < 7) {
          const value = 'v'.repeat(random.below(random.chance(0.05) ? 6000 : 90));
          put(tx, db.tree, key, value);
          model.set(key, value);
        } else if (kind < 10) expect(remove(tx, db.tree, key)).toBe(model.delete(key));
        else if (kind === 10) marks.push({ id: tx.savepoint(), model: new Map(model) });
        else if (kind === 11 && marks.length > 0) {
          const mark = marks.at(-1)!;
          tx.rollbackTo(mark.id);
          BTree.rolledBack(tx.view);
          model.clear();
          for (const [at, value] of mark.model) model.set(at, value);
        } else {
          const which = random.below(2);
          const cursor = cursors[which]!;
          const keys = [...model.keys()].sort();
          const place = places[which];
          let expected: string | undefined;
          let found: boolean;
          const move = random.below(6);
          if (move === 0) [expected, found] = [keys.find((one) => one >= key), cursor.seek(bytes(key), 4)];
          else if (move === 1)
            [expected, found] = [keys.findLast((one) => one <= key), cursor.seekBefore(bytes(key), 4)];
          else if (move === 2)
            [expected, found] = random.chance(0.5) ? [keys[0], cursor.first()] : [keys.at(-1), cursor.last()];
          else if (place === undefined)
            [expected, found] = [undefined, random.chance(0.5) ? cursor.next() : cursor.previous()];
          else if (move < 5) [expected, found] = [keys.find((one) => one > place), cursor.next()];
          else [expected, found] = [keys.findLast((one) => one < place), cursor.previous()];
          expect(found ? keyOf(cursor) : undefined).toBe(expected);
          if (found) expect(text(cursor.value())).toBe(model.get(expected!));
          places[which] = expected;
        }
      }
      for (const cursor of cursors) cursor.close();
      expect(db.tree.check(tx.view)).toEqual([]);
      tx.commit();
      expect(entriesOf(db.tree, db.view).map(([key]) => key)).toEqual([...model.keys()].sort());
    });
  });
});

describe('pages', () => {
  test('an open cursor holds one page, a closed one none', () => {
    withTree(
      (db) => {
        for (let i = 0; i < 800; i += 80) {
          db.write((tx) => {
            for (let j = i; j < i + 80; j += 1) put(tx, db.tree, digits(j, 4), 'v'.repeat(900));
          });
        }
        // Four entries fill a leaf: each cursor pins one of its own, until every frame is pinned.
        const cursors = Array.from({ length: 200 }, () => db.tree.cursor(db.view));
        const codes = cursors.map((cursor, i) => codeOf(() => cursor.seek(bytes(digits(i * 4, 4)), 4)));
        const placed = codes.filter((code) => code === 'no error').length;
        expect(placed).toBeGreaterThan(100);
        expect(codes.slice(0, placed)).toEqual(new Array(placed).fill('no error'));
        expect(codes.slice(placed)).toEqual(new Array(200 - placed).fill('SOMBRA_CACHE_FULL'));
        cursors.slice(0, placed).forEach((cursor, i) => expect(keyOf(cursor)).toBe(digits(i * 4, 4)));
        for (const cursor of cursors) cursor.close();
        for (const cursor of cursors) cursor.close();
        for (let i = 0; i < 800; i += 1)
          withCursor(db.tree, db.view, (cursor) => expect(cursor.seek(bytes(digits(i, 4)), 4)).toBe(true));
      },
      { maxTransactionPages: 60 },
    );
  });

  test('a cursor that is left open when its database is closed says so', () => {
    const db = new OpenTree();
    evens(db);
    const cursor = db.tree.cursor(db.view);
    cursor.first();
    expect(keyOf(cursor)).toBe('0000');
    db.pager.close();
    for (const read of [() => cursor.key(), () => cursor.keyInto(new Uint8Array(100)), () => cursor.value()])
      expect(codeOf(read)).toBe('SOMBRA_CLOSED');
    expect(codeOf(() => cursor.next())).toBe('SOMBRA_CLOSED');
    cursor.close();
  });

  test('a closed cursor can be closed again, and disposed of', () => {
    withTree((db) => {
      const cursor = db.tree.cursor(db.view);
      cursor.first();
      cursor[Symbol.dispose]();
      cursor.close();
      expect(codeOf(() => cursor.seek(bytes('a'), 1))).toBe('SOMBRA_CLOSED');
    });
  });
});
