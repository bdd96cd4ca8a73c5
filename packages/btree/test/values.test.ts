// Goal: values of any size are stored, replaced and changed in place; hints find entries without a descent and never lie.
// Method: sizes around every boundary, replaced by each other in all pairs; pages counted before and after.
import { Random } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import type { View } from '@sombra/pager';
import { BTree, inlineSizeMax } from '../src/index.ts';
import { overflowPayload } from '../src/page/layout.ts';
import { bytes, digits, entriesOf, put, remove, text, valueOf } from './support/entries.ts';
import { codeOf } from './support/errors.ts';
import type { OpenTree } from './support/open.ts';
import { SMALL, withTree } from './support/open.ts';

const INLINE = inlineSizeMax(SMALL.pageSize, 3);
const PAYLOAD = overflowPayload(SMALL.pageSize);
const SIZES = [
  0,
  1,
  3,
  4,
  63,
  64,
  65,
  200,
  INLINE - 1,
  INLINE,
  INLINE + 1,
  PAYLOAD - 1,
  PAYLOAD,
  PAYLOAD + 1,
  3 * PAYLOAD,
  3 * PAYLOAD + 5,
];

function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff);
}

function pagesInUse({ pager }: OpenTree): number {
  const { pageCount, freePages } = pager.stats();
  return pageCount - freePages;
}

/** Pages that a value of this size takes beside its leaf. */
function chainPages(size: number): number {
  return size <= INLINE ? 0 : Math.ceil(size / PAYLOAD);
}

describe('sizes', () => {
  test.each(SIZES)('a value of %i bytes comes back, also through a cursor and after a reopen', (size) => {
    withTree((db) => {
      const before = pagesInUse(db);
      db.write((tx) => put(tx, db.tree, 'key', pattern(size, 1)));
      expect(pagesInUse(db) - before).toBe(chainPages(size));
      const read = (): void => {
        const at = db.tree.find(db.view, bytes('key'), 3);
        expect(at % 4).toBe(0);
        expect(db.tree.foundLength).toBe(size);
        expect(db.tree.foundOverflow !== 0).toBe(size > INLINE);
        expect(db.tree.readValue(db.view)).toEqual(pattern(size, 1));
        const cursor = db.tree.cursor(db.view);
        expect(cursor.first()).toBe(true);
        expect([cursor.valueLength, cursor.overflow]).toEqual([size, db.tree.foundOverflow]);
        expect(cursor.value()).toEqual(pattern(size, 1));
        cursor.close();
      };
      read();
      db.reopen();
      read();
      db.write((tx) => remove(tx, db.tree, 'key'));
      expect(pagesInUse(db)).toBe(before);
    });
  });

  test('each size replaces each other size, and the pages of the old value are freed', () => {
    withTree((db) => {
      const before = pagesInUse(db);
      for (const from of SIZES) {
        for (const to of SIZES) {
          db.write((tx) => {
            put(tx, db.tree, 'key', pattern(from, 2));
            put(tx, db.tree, 'other', 'v');
            put(tx, db.tree, 'key', pattern(to, 3));
          });
          expect(db.tree.get(db.view, bytes('key'))).toEqual(pattern(to, 3));
          expect(pagesInUse(db) - before).toBe(chainPages(to));
        }
      }
      expect(db.tree.count(db.view)).toBe(2);
    });
  });

  test('a rollback brings the old value back, in overflow pages too', () => {
    withTree((db) => {
      db.write((tx) => put(tx, db.tree, 'key', pattern(9000, 1)));
      const tx = db.pager.begin();
      put(tx, db.tree, 'key', 'short');
      const savepoint = tx.savepoint();
      put(tx, db.tree, 'key', pattern(20_000, 5));
      tx.rollbackTo(savepoint);
      BTree.rolledBack(tx.view);
      expect(valueOf(db.tree, tx.view, 'key')).toBe('short');
      tx.rollback();
      expect(db.tree.get(db.view, bytes('key'))).toEqual(pattern(9000, 1));
    });
  });

  test('a snapshot reads a value whose pages are used for something else by now', () => {
    withTree((db) => {
      db.write((tx) => put(tx, db.tree, 'key', pattern(30_000, 1)));
      const snapshot = db.pager.snapshot();
      db.write((tx) => remove(tx, db.tree, 'key'));
      db.write((tx) => put(tx, db.tree, 'next', pattern(30_000, 9)));
      expect(db.tree.get(snapshot, bytes('key'))).toEqual(pattern(30_000, 1));
      snapshot.release();
      expect(db.tree.get(db.view, bytes('key'))).toBeUndefined();
    });
  });

  test('one value of a megabyte', () => {
    withTree((db) => {
      const value = new Random(1).bytes(2 ** 20);
      db.write((tx) => put(tx, db.tree, 'key', value));
      expect(text(db.tree.get(db.view, bytes('key'))!) === text(value)).toBe(true);
    });
  });
});

describe('slack', () => {
  /** Log bytes of a commit that makes a change. */
  function logged(db: OpenTree, change: () => void): number {
    const before = db.pager.stats().logBytes;
    change();
    return db.pager.stats().logBytes - before;
  }

  function crowded(run: (db: OpenTree) => void): void {
    withTree((db) => {
      db.write((tx) => {
        for (let i = 0; i < 40; i += 1) put(tx, db.tree, digits(i, 3), 'v'.repeat(60));
        put(tx, db.tree, '020', 'v'.repeat(40), 80);
      });
      run(db);
    });
  }

  test('a value grows into the room that was reserved for it, at its place', () => {
    crowded((db) => {
      const at = db.tree.find(db.view, bytes('020'), 3) - db.tree.foundBase;
      expect(db.tree.foundCapacity).toBe(80);
      const cost = logged(db, () => db.write((tx) => put(tx, db.tree, '020', 'w'.repeat(80), 80)));
      expect(cost).toBeLessThan(250);
      expect(db.tree.find(db.view, bytes('020'), 3) - db.tree.foundBase).toBe(at);
      expect(valueOf(db.tree, db.view, '020')).toBe('w'.repeat(80));
      db.write((tx) => put(tx, db.tree, '020', 'x'.repeat(81)));
      expect(db.tree.find(db.view, bytes('020'), 3) - db.tree.foundBase).not.toBe(at);
      expect(valueOf(db.tree, db.view, '020')).toBe('x'.repeat(81));
    });
  });

  test('a found value is changed and its length set in place', () => {
    crowded((db) => {
      const snapshot = db.pager.snapshot();
      db.write((tx) => {
        db.tree.find(tx.view, bytes('020'), 3);
        const offset = db.tree.editFound(tx) - db.tree.foundBase;
        db.tree.setFoundLength(tx, 43);
        tx.setBytes(db.tree.foundBase, offset + 40, bytes('abc'), 0, 3);
        expect(db.tree.foundLength).toBe(43);
        expect(text(db.tree.readValue(tx.view))).toBe(`${'v'.repeat(40)}abc`);
        expect(codeOf(() => db.tree.setFoundLength(tx, 81))).toBe('SOMBRA_VALUE_TOO_LARGE');
        expect(codeOf(() => db.tree.setFoundLength(tx, -1))).toBe('SOMBRA_VALUE_TOO_LARGE');
        db.tree.setFoundLength(tx, 43);
      });
      expect(valueOf(db.tree, db.view, '020')).toBe(`${'v'.repeat(40)}abc`);
      expect(valueOf(db.tree, snapshot, '020')).toBe('v'.repeat(40));
      snapshot.release();
    });
  });

  test('capacity is cut to what a leaf takes', () => {
    withTree((db) => {
      db.write((tx) => put(tx, db.tree, 'key', 'v', 1_000_000));
      db.tree.find(db.view, bytes('key'), 3);
      expect(db.tree.foundCapacity).toBe(INLINE);
    });
  });

  test('a cursor sees a value whose length was set meanwhile', () => {
    crowded((db) => {
      db.write((tx) => {
        put(tx, db.tree, '020', 'abc', 80);
        const cursor = db.tree.cursor(tx.view);
        cursor.seek(bytes('020'), 3);
        db.tree.find(tx.view, bytes('020'), 3);
        db.tree.editFound(tx);
        db.tree.setFoundLength(tx, 2);
        expect(text(cursor.value())).toBe('ab');
        expect(cursor.next()).toBe(true);
        expect(text(cursor.key())).toBe('021');
        cursor.close();
      });
    });
  });

  test('nothing found, nothing to read or change', () => {
    withTree((db) => {
      expect(codeOf(() => db.tree.readValue(db.view))).toBe('SOMBRA_NOTHING_FOUND');
      db.write((tx) => {
        put(tx, db.tree, 'key', 'v');
        expect(db.tree.find(tx.view, bytes('nokey'), 5)).toBe(-1);
        expect(codeOf(() => db.tree.editFound(tx))).toBe('SOMBRA_NOTHING_FOUND');
        expect(codeOf(() => db.tree.setFoundLength(tx, 0))).toBe('SOMBRA_NOTHING_FOUND');
        db.tree.find(tx.view, bytes('key'), 3);
        put(tx, db.tree, 'key', 'a longer one');
        // The entry may lie elsewhere now.
        expect(codeOf(() => db.tree.editFound(tx))).toBe('SOMBRA_NOTHING_FOUND');
        db.tree.find(tx.view, bytes('key'), 3);
        remove(tx, db.tree, 'other');
        expect(codeOf(() => db.tree.editFound(tx))).toBe('SOMBRA_NOTHING_FOUND');
        expect(tx.state).toBe('active');
      });
    });
  });

  test('a value in overflow pages is not changed in place', () => {
    withTree((db) => {
      db.write((tx) => {
        put(tx, db.tree, 'key', pattern(5000, 1));
        db.tree.find(tx.view, bytes('key'), 3);
        expect(codeOf(() => db.tree.editFound(tx))).toBe('SOMBRA_VALUE_IN_OVERFLOW');
        expect(tx.state).toBe('active');
      });
    });
  });
});

describe('hints', () => {
  test('a right guess finds what a descent finds, any other finds nothing', () => {
    withTree((db) => {
      db.write((tx) => {
        for (let i = 0; i < 600; i += 1) put(tx, db.tree, digits(i, 4), `v${i}`);
      });
      for (let i = 0; i < 600; i += 37) {
        const key = bytes(digits(i, 4));
        const at = db.tree.find(db.view, key, 4);
        const { foundPage, foundSlot } = db.tree;
        expect(db.tree.findAt(db.view, foundPage, foundSlot, key, 4)).toBe(db.tree.find(db.view, key, 4));
        expect(at).toBeGreaterThan(0);
        for (const [page, slot] of [
          [foundPage, foundSlot + 1],
          [foundPage, -1],
          [foundPage, 0.5],
          [foundPage, NaN],
          [foundPage + 1, foundSlot],
          [foundPage, 60_000],
        ] as const) {
          expect(db.tree.findAt(db.view, page, slot, key, 4)).toBe(-1);
          expect(db.tree.foundSlot).toBe(-1);
        }
      }
    });
  });

  test('guesses for ids', () => {
    withTree((db) => {
      const ids = [1, 2, 3, 5, 700, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 48 - 1];
      db.write((tx) => {
        for (const id of ids) db.tree.putU48(tx, id, bytes(String(id)), 0, String(id).length);
      });
      for (const id of ids) {
        db.tree.findU48(db.view, id);
        expect(text(db.tree.readValue(db.view))).toBe(String(id));
        const { foundPage, foundSlot } = db.tree;
        expect(db.tree.findInLeafU48(db.view, foundPage, id)).toBeGreaterThan(0);
        expect(db.tree.foundSlot).toBe(foundSlot);
        expect(db.tree.findAtU48(db.view, foundPage, foundSlot, id)).toBeGreaterThan(0);
        expect(db.tree.findAtU48(db.view, foundPage, foundSlot + 1, id)).toBe(-1);
        expect(db.tree.findAtU48(db.view, foundPage, foundSlot, id - 1)).toBe(-1);
        expect(db.tree.findInLeafU48(db.view, foundPage, 4)).toBe(-1);
        expect(db.tree.findU48(db.view, 4)).toBe(-1);
      }
      db.write((tx) =>
        expect([...ids, 4].map((id) => db.tree.deleteU48(tx, id))).toEqual([...ids.map(() => true), false]),
      );
    });
  });

  test('pages of every other kind, freed ones and numbers beyond the file are no leaves', () => {
    withTree((db) => {
      db.write((tx) => {
        const other = BTree.create(tx, 'other');
        put(tx, other, 'k', 'v');
        for (let i = 0; i < 300; i += 1) put(tx, db.tree, digits(i, 4), 'v'.repeat(i === 7 ? 9000 : 20));
      });
      db.write((tx) => {
        for (let i = 0; i < 200; i += 1) remove(tx, db.tree, digits(i, 4));
      });
      const key = bytes('0250');
      db.tree.find(db.view, key, 4);
      const { foundPage, foundSlot } = db.tree;
      const tx = db.pager.begin();
      for (const view of [db.view, tx.view]) {
        for (const page of [
          -1,
          0,
          1,
          2,
          2.5,
          NaN,
          Infinity,
          2 ** 31,
          2 ** 32 + foundPage,
          foundPage + 0.5,
          view.pageCount,
        ]) {
          expect(db.tree.findAt(view, page, foundSlot, key, 4)).toBe(-1);
          expect(db.tree.findInLeafU48(view, page, 1)).toBe(-1);
        }
        for (let page = 0; page < view.pageCount; page += 1) {
          if (page !== foundPage) expect(db.tree.findAt(view, page, foundSlot, key, 4)).toBe(-1);
        }
        expect(db.tree.findAt(view, foundPage, foundSlot, key, 4)).toBeGreaterThan(0);
      }
      expect(tx.state).toBe('active');
      tx.rollback();
      expect(codeOf(() => db.tree.findAt(tx.view, foundPage, foundSlot, key, 4))).toBe('SOMBRA_CLOSED');
    });
  });
});

test('a page that was freed with its whole tree is no leaf of it, though it keeps what it held', () => {
  const guesses = (db: OpenTree, view: View): number[] => {
    const found: number[] = [];
    for (let page = 3; page < view.pageCount; page += 1) {
      view.page(page); // it is cached
      for (let id = 0; id < 300; id += 50) if (db.tree.findInLeafU48(view, page, id) >= 0) found.push(id);
    }
    return found;
  };
  const fillIds = (db: OpenTree): void =>
    db.write((tx) => {
      for (let id = 0; id < 300; id += 1) db.tree.putU48(tx, id, bytes('v'.repeat(200)), 0, 200);
    });
  const all = [0, 50, 100, 150, 200, 250];
  withTree((db) => {
    fillIds(db);
    expect(guesses(db, db.view)).toEqual(all);
    const before = db.pager.snapshot();
    db.write((tx) => {
      db.tree.clear(tx);
      expect(guesses(db, tx.view)).toEqual([]);
    });
    expect(guesses(db, db.view)).toEqual([]);
    expect(guesses(db, before)).toEqual(all);
    before.release();
    db.reopen();
    expect(guesses(db, db.view)).toEqual([]);
    fillIds(db);
    expect(new Set(guesses(db, db.view))).toEqual(new Set(all));
    db.write((tx) => {
      db.tree.drop(tx);
      expect(guesses(db, tx.view)).toEqual([]);
      db.tree = BTree.create(tx, 'data');
      db.tree.putU48(tx, 100, bytes('x'), 0, 1);
      expect(guesses(db, tx.view)).toEqual([100]);
    });
    expect(guesses(db, db.view)).toEqual([100]);
  });
});

test('a guess reads nothing: what is not cached is left to the descent', () => {
  withTree((db) => {
    db.write((tx) => {
      for (let id = 0; id < 2000; id += 1) db.tree.putU48(tx, id, bytes('v'.repeat(100)), 0, 100);
    });
    db.reopen();
    const { mainReads } = db.pager.stats();
    for (let page = 3; page < db.view.pageCount; page += 1) db.tree.findInLeafU48(db.view, page, 7);
    expect(db.pager.stats().mainReads).toBe(mainReads);
  });
});

test('values are copies', () => {
  withTree((db) => {
    const value = bytes('value');
    db.write((tx) => put(tx, db.tree, 'key', value));
    value.fill(0);
    const read = db.tree.get(db.view, bytes('key'))!;
    read.fill(0);
    expect(entriesOf(db.tree, db.view)).toEqual([['key', 'value']]);
  });
});
