// Goal: puts and deletes keep a sound tree of well-filled pages, whatever the order; what is refused changes nothing.
// Method: orders of inserts and deletes with known outcomes; how full the pages are is measured on the pages themselves.
import { rootsPage } from '@sombra/pager';
import { describe, expect, test } from 'vitest';
import { Random } from '@sombra/vfs/testing';
import { BTree, inlineSizeMax, keySizeMax, VALUE_SIZE_MAX } from '../src/index.ts';
import { bytes, digits, entriesOf, put, remove, sorted, valueOf } from './support/entries.ts';
import { codeOf } from './support/errors.ts';
import { OpenTree, SMALL, withTree } from './support/open.ts';
import { leafFill, leavesOf, shapeOf } from './support/shape.ts';

/** Puts keys in this order, 500 per transaction, and compares the tree with them. */
function fill(db: OpenTree, keys: readonly string[], value = 'some value'): void {
  for (let from = 0; from < keys.length; from += 500) {
    db.write((tx) => {
      for (const key of keys.slice(from, from + 500)) put(tx, db.tree, key, value);
    });
  }
  expect(db.tree.count(db.view)).toBe(keys.length);
  expect(entriesOf(db.tree, db.view).map(([key]) => key)).toEqual([...keys].sort());
}

function numbered(count: number, prefix = 'key-'): string[] {
  return Array.from({ length: count }, (_, i) => prefix + digits(i, 6));
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i -= 1) {
    const j = random.below(i + 1);
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}

/** Pages of the file that are not free, superblock area and roots page included. */
function pagesInUse(db: OpenTree): number {
  const { pageCount, freePages } = db.pager.stats();
  return pageCount - freePages;
}

/** Different keys with long common prefixes and long separators. */
function longKeys(random: Random, count: number): string[] {
  const keys = new Set<string>();
  while (keys.size < count)
    keys.add('x'.repeat(random.below(400)) + digits(random.below(100_000), 1 + random.below(100)));
  return [...keys];
}

describe('inserts', () => {
  test('ascending keys fill the pages', () => {
    withTree((db) => {
      fill(db, numbered(5000));
      expect(leafFill(db.tree, db.view)).toBeGreaterThan(0.98);
      expect(shapeOf(db.tree, db.view).filter(({ level }) => level === 1)).toHaveLength(1);
    });
  });

  test('ascending ids fill the pages, and leaves share the two high bytes', () => {
    withTree((db) => {
      db.write((tx) => {
        for (let id = 1; id <= 3000; id += 1) db.tree.putU48(tx, id, bytes('12345678'), 0, 8);
      });
      expect(leafFill(db.tree, db.view)).toBeGreaterThan(0.98);
      for (const { prefixLength } of leavesOf(db.tree, db.view)) expect(prefixLength).toBe(2);
      for (let id = 1; id <= 3000; id += 1) expect(db.tree.findU48(db.view, id)).toBeGreaterThan(0);
      expect([0, 3001, 2 ** 47].map((id) => db.tree.findU48(db.view, id))).toEqual([-1, -1, -1]);
    });
  });

  test('several ascending runs side by side nearly fill the pages', () => {
    withTree((db) => {
      // Each run goes on where it was, in bursts shorter than a page: what an index of many names sees.
      const runs = ['a', 'm', 'z'];
      for (let round = 0; round < 15; round += 1) {
        db.write((tx) => {
          for (const run of runs)
            for (let i = 0; i < 100; i += 1) put(tx, db.tree, `${run}${digits(round * 100 + i, 6)}`, 'some value');
        });
      }
      expect(leafFill(db.tree, db.view)).toBeGreaterThan(0.8);
    });
  });

  test('a long ascending run between other keys fills its pages, and leaves those behind it together', () => {
    withTree((db) => {
      const behind = numbered(150, 'z');
      fill(db, behind);
      const keys = numbered(2000);
      db.write((tx) => {
        for (const key of keys) put(tx, db.tree, key, 'some value');
      });
      expect(entriesOf(db.tree, db.view).map(([key]) => key)).toEqual([...keys, ...behind]);
      expect(leafFill(db.tree, db.view)).toBeGreaterThan(0.95);
    });
  });

  test.each([
    ['descending', (keys: string[]) => [...keys].reverse(), 0.45],
    ['random', (keys: string[]) => shuffled(keys, new Random(7)), 0.6],
  ] as const)('%s keys leave pages at least half full on average', (_, order, least) => {
    withTree((db) => {
      fill(db, order(numbered(4000)));
      expect(leafFill(db.tree, db.view)).toBeGreaterThan(least);
    });
  });

  test('keys of every length split over three levels and are found again', () => {
    withTree((db) => {
      const keys = longKeys(new Random(3), 900);
      fill(db, keys, 'v'.repeat(60));
      expect(shapeOf(db.tree, db.view)[0]!.level).toBeGreaterThanOrEqual(2);
      for (const key of keys) expect(valueOf(db.tree, db.view, key)).toBe('v'.repeat(60));
      expect(valueOf(db.tree, db.view, 'x'.repeat(401))).toBeUndefined();
    });
  });

  test('the empty key and keys that begin each other are entries like others', () => {
    withTree((db) => {
      fill(
        db,
        shuffled(
          ['', '\0', '\0\0', 'a', 'a\0', 'a\0\0\0\0\0', 'ab', 'abc', 'abcd', 'abcde', '\xff', '\xff\xff\xff\xff\xff'],
          new Random(1),
        ),
      );
    });
  });

  test('a key outside the prefix of a page shortens the prefix', () => {
    withTree((db) => {
      fill(db, ['prefix-aaaa', 'prefix-bbbb', 'prefix-cccc']);
      expect(leavesOf(db.tree, db.view)[0]!.prefixLength).toBe(7);
      fill(db, ['prefix-aaaa', 'prefix-bbbb', 'prefix-cccc', 'pre']);
      expect(leavesOf(db.tree, db.view)[0]!.prefixLength).toBe(0);
    });
  });

  test('a page without a byte to spare is divided also where padding makes the longer prefix cost more', () => {
    withTree((db) => {
      // Keys of twelve bytes share five; the page keeps a prefix of four from a key that is gone. With five the prefix is
      // padded to eight, and no tail gets shorter.
      const keys = Array.from({ length: 203 }, (_, i) => `aaaac${digits(i * 43_210, 7)}`);
      db.write((tx) => {
        put(tx, db.tree, keys[0]!, 'four');
        put(tx, db.tree, 'aaaad0000000', 'four');
        remove(tx, db.tree, 'aaaad0000000');
        for (const key of keys) put(tx, db.tree, key, 'four');
      });
      expect(leavesOf(db.tree, db.view)).toEqual([
        expect.objectContaining({ slots: 203, prefixLength: 4, fill: 4064 / 4096 }),
      ]);
      db.write((tx) => put(tx, db.tree, 'AAAA', 'four'));
      expect(entriesOf(db.tree, db.view).map(([key]) => key)).toEqual(['AAAA', ...keys]);
    });
  });

  test('insert leaves an entry that is there as it is, put replaces it', () => {
    withTree((db) => {
      db.write((tx) => {
        expect(db.tree.insert(tx, bytes('k'), 1, bytes('one'), 0, 3)).toBe(true);
        expect(db.tree.insert(tx, bytes('k'), 1, bytes('two'), 0, 3)).toBe(false);
        expect(valueOf(db.tree, tx.view, 'k')).toBe('one');
        put(tx, db.tree, 'k', 'three');
        expect(valueOf(db.tree, tx.view, 'k')).toBe('three');
        expect(db.tree.count(tx.view)).toBe(1);
      });
    });
  });

  test('only the given part of key and value is stored', () => {
    withTree((db) => {
      db.write((tx) => db.tree.put(tx, bytes('key+rest'), 3, bytes('--value--'), 2, 7));
      expect(entriesOf(db.tree, db.view)).toEqual([['key', 'value']]);
    });
  });
});

describe('deletes', () => {
  test.each([
    ['ascending', (keys: string[]) => keys],
    ['descending', (keys: string[]) => [...keys].reverse()],
    ['random', (keys: string[]) => shuffled(keys, new Random(11))],
    [
      'every other one, then the rest',
      (keys: string[]) => [...keys.filter((_, i) => i % 2 === 1), ...keys.filter((_, i) => i % 2 === 0)],
    ],
  ] as const)('in %s order free every page but one', (_, order) => {
    withTree((db) => {
      const keys = numbered(3000);
      fill(db, keys);
      const deleted = order(keys);
      const left = new Set(keys);
      for (let from = 0; from < deleted.length; from += 500) {
        db.write((tx) => {
          for (const key of deleted.slice(from, from + 500)) {
            expect(remove(tx, db.tree, key)).toBe(true);
            left.delete(key);
          }
        });
        expect(entriesOf(db.tree, db.view).map(([key]) => key)).toEqual([...left].sort());
        expect(db.problems()).toEqual([]);
      }
      expect(shapeOf(db.tree, db.view)).toEqual([expect.objectContaining({ level: 0, slots: 0 })]);
      expect(pagesInUse(db)).toBe(rootsPage(SMALL.pageSize) + 2);
      expect(db.tree.count(db.view)).toBe(0);
    });
  });

  test('thin pages are joined with their neighbours', () => {
    withTree((db) => {
      fill(db, numbered(4000));
      const before = leavesOf(db.tree, db.view).length;
      db.write((tx) => {
        for (let i = 0; i < 4000; i += 1) if (i % 8 !== 0) remove(tx, db.tree, `key-${digits(i, 6)}`);
      });
      const leaves = leavesOf(db.tree, db.view);
      expect(leaves.length).toBeLessThan(before / 3);
      for (const { fill: part } of leaves) expect(part).toBeGreaterThan(0.25);
      expect(db.pager.stats().freePages).toBeGreaterThan(before / 2);
    });
  });

  test('branches are joined too, and the root gives way to its only child', () => {
    withTree((db) => {
      const random = new Random(5);
      const keys = longKeys(random, 900);
      fill(db, keys, 'v');
      const levels = shapeOf(db.tree, db.view)[0]!.level;
      expect(levels).toBeGreaterThanOrEqual(2);
      const left = new Map(keys.map((key) => [key, 'v']));
      for (const key of shuffled(keys, random).slice(10)) {
        db.write((tx) => remove(tx, db.tree, key));
        left.delete(key);
      }
      expect(entriesOf(db.tree, db.view)).toEqual(sorted(left));
      expect(shapeOf(db.tree, db.view)[0]!.level).toBeLessThan(levels);
    });
  });

  test('a key that is not there changes nothing', () => {
    withTree((db) => {
      fill(db, ['b']);
      const { lsn } = db.view;
      db.write((tx) =>
        expect(['a', 'b\0', 'c', '', 'x'.repeat(600)].map((key) => remove(tx, db.tree, key))).toEqual(
          new Array(5).fill(false),
        ),
      );
      expect(db.view.lsn).toBe(lsn);
    });
  });

  test('freed pages are used again', () => {
    withTree((db) => {
      const keys = numbered(2000);
      fill(db, keys);
      const { pageCount } = db.pager.stats();
      for (let round = 0; round < 3; round += 1) {
        db.write((tx) => {
          for (const key of keys) remove(tx, db.tree, key);
        });
        fill(db, keys);
      }
      expect(db.pager.stats().pageCount).toBeLessThanOrEqual(pageCount + 3);
    });
  });
});

describe('trees', () => {
  test('dropping one frees all of its pages and leaves the others alone', () => {
    withTree((db) => {
      const other = db.write((tx) => {
        const tree = BTree.create(tx, 'other');
        for (let i = 0; i < 500; i += 1) put(tx, tree, digits(i, 5), 'v'.repeat(i % 40 === 0 ? 9000 : 30));
        return tree;
      });
      fill(db, numbered(300));
      const before = pagesInUse(db);
      const pages = new Set<number>();
      expect(other.check(db.view, (page) => pages.add(page))).toEqual([]);
      expect(pages.size).toBeGreaterThan(13 * 3);
      db.write((tx) => other.drop(tx));
      expect(BTree.open(db.view, 'other')).toBeUndefined();
      expect(entriesOf(db.tree, db.view)).toHaveLength(300);
      expect(pagesInUse(db)).toBe(before - pages.size);
    });
  });

  test('a handle of a dropped tree never reads the tree that got its place', () => {
    withTree((db) => {
      const old = db.write((tx) => BTree.create(tx, 'old'));
      db.write((tx) => put(tx, old, 'k', 'of the old one'));
      const snapshot = db.pager.snapshot();
      db.write((tx) => {
        old.drop(tx);
        put(tx, BTree.create(tx, 'new'), 'k', 'of the new one');
      });
      const next = BTree.open(db.view, 'new')!;
      expect(next.slot).toBe(old.slot);
      expect(codeOf(() => old.get(db.view, bytes('k')))).toBe('SOMBRA_TREE_DROPPED');
      expect(codeOf(() => old.count(db.view))).toBe('SOMBRA_TREE_DROPPED');
      expect(codeOf(() => old.cursor(db.view))).toBe('SOMBRA_TREE_DROPPED');
      expect(codeOf(() => old.check(db.view))).toBe('SOMBRA_TREE_DROPPED');
      expect(codeOf(() => next.get(snapshot, bytes('k')))).toBe('SOMBRA_TREE_DROPPED');
      db.write((tx) => {
        expect(codeOf(() => put(tx, old, 'k', 'v'))).toBe('SOMBRA_TREE_DROPPED');
        expect(codeOf(() => remove(tx, old, 'k'))).toBe('SOMBRA_TREE_DROPPED');
        expect(codeOf(() => old.drop(tx))).toBe('SOMBRA_TREE_DROPPED');
        expect(tx.state).toBe('active');
      });
      expect(valueOf(old, snapshot, 'k')).toBe('of the old one');
      expect(valueOf(next, db.view, 'k')).toBe('of the new one');
      snapshot.release();
    });
  });

  test('a handle does not read another database', () => {
    withTree((db) => {
      const other = new OpenTree();
      expect(codeOf(() => db.tree.get(other.view, bytes('k')))).toBe('SOMBRA_OTHER_DATABASE');
      other.close();
    });
  });

  test('a view sees the trees of its commit', () => {
    withTree((db) => {
      db.write((tx) => put(tx, db.tree, 'k', 'before'));
      const snapshot = db.pager.snapshot();
      db.write((tx) => {
        put(tx, db.tree, 'k', 'after');
        expect(valueOf(db.tree, tx.view, 'k')).toBe('after');
        expect(valueOf(db.tree, db.view, 'k')).toBe('before');
      });
      expect(valueOf(db.tree, db.view, 'k')).toBe('after');
      expect(valueOf(db.tree, snapshot, 'k')).toBe('before');
      snapshot.release();
    });
  });
});

describe('limits', () => {
  test.each([4096, 8192, 65536])('the longest key and the largest value in a page of %i bytes', (pageSize) => {
    withTree(
      (db) => {
        const key = 'k'.repeat(keySizeMax(pageSize));
        const inline = inlineSizeMax(pageSize, key.length);
        const values = [inline - 1, inline, inline + 1].map((length) => 'v'.repeat(length));
        values.forEach((value, i) => {
          db.write((tx) => put(tx, db.tree, key.slice(0, -1) + i, value));
          expect(db.tree.get(db.view, bytes(key.slice(0, -1) + i))).toHaveLength(value.length);
          expect(db.tree.foundOverflow === 0).toBe(value.length <= inline);
        });
        db.write((tx) => expect(codeOf(() => put(tx, db.tree, `${key}k`, 'v'))).toBe('SOMBRA_KEY_TOO_LONG'));
      },
      { pageSize, maxTransactionPages: 100 },
    );
  });

  test('a value of more than 64 MiB is refused, and the transaction goes on', () => {
    withTree((db) => {
      db.write((tx) => {
        put(tx, db.tree, 'a', 'value');
        const large = new Uint8Array(VALUE_SIZE_MAX + 1);
        expect(codeOf(() => put(tx, db.tree, 'b', large))).toBe('SOMBRA_VALUE_TOO_LARGE');
        expect(tx.state).toBe('active');
      });
      expect(entriesOf(db.tree, db.view)).toEqual([['a', 'value']]);
    });
  });

  test('parts that key or value do not have are refused, and the transaction goes on', () => {
    withTree((db) => {
      const [key, value] = [bytes('key'), bytes('value')];
      db.write((tx) => {
        for (const [length, from, to] of [
          [4, 0, 5],
          [-1, 0, 5],
          [NaN, 0, 5],
          [3, 0, 6],
          [3, -1, 5],
          [3, 3, 2],
          [3, NaN, 5],
          [3, 0, NaN],
        ] as const) {
          expect(() => db.tree.put(tx, key, length, value, from, to)).toThrow(RangeError);
          expect(() => db.tree.insert(tx, key, length, value, from, to)).toThrow(RangeError);
        }
        expect(tx.state).toBe('active');
      });
      expect(db.tree.count(db.view)).toBe(0);
    });
  });

  test('an error in the middle of a put rolls the transaction back', () => {
    withTree(
      (db) => {
        fill(db, numbered(100));
        const tx = db.pager.begin();
        put(tx, db.tree, 'small', 'v');
        expect(codeOf(() => put(tx, db.tree, 'large', 'v'.repeat(400_000)))).toBe('SOMBRA_TRANSACTION_PAGES');
        expect(tx.state).toBe('rolled-back');
        expect(codeOf(() => put(tx, db.tree, 'next', 'v'))).toMatch(/SOMBRA_(TX_DONE|CLOSED)/);
        expect(entriesOf(db.tree, db.view).map(([key]) => key)).toEqual(numbered(100));
      },
      { maxTransactionPages: 40 },
    );
  });

  test('names of trees', () => {
    withTree((db) => {
      db.write((tx) => {
        expect(codeOf(() => BTree.create(tx, ''))).toBe('SOMBRA_TREE_NAME');
        expect(codeOf(() => BTree.create(tx, 'n'.repeat(48)))).toBe('SOMBRA_TREE_NAME');
        expect(codeOf(() => BTree.create(tx, 'data'))).toBe('SOMBRA_TREE_EXISTS');
        for (let i = 0; i < 60; i += 1) BTree.create(tx, `tree ${i}`);
        expect(codeOf(() => BTree.create(tx, 'one more'))).toBe('SOMBRA_TREES_FULL');
      });
      expect(BTree.open(db.view, 'tree 59')!.count(db.view)).toBe(0);
    });
  });
});

test('a tree reads the same after the file was opened again', () => {
  const db = new OpenTree({ ...SMALL, cacheSize: 32 });
  const model = new Map<string, string>();
  const random = new Random(9);
  for (let i = 0; i < 700; i += 1)
    model.set(`k${random.below(5000)}`, 'v'.repeat(random.below(random.chance(0.05) ? 9000 : 60)));
  db.write((tx) => {
    for (const [key, value] of model) put(tx, db.tree, key, value);
  });
  db.reopen();
  expect(entriesOf(db.tree, db.view)).toEqual(sorted(model));
  expect(entriesOf(db.tree, db.view, false)).toEqual(sorted(model).reverse());
  db.close();
});
