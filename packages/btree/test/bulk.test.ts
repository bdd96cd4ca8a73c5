// Goal: a bulk build gives the tree that puts give, in full pages, and refuses what is out of order.
// Method: the same random entries by both ways; page shapes; every refusal.
import { Random, seeds } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { BTree, BulkBuilder, keySizeMax, VALUE_SIZE_MAX, type BulkTree } from '../src/index.ts';
import { bytes, digits, entriesOf, put, remove, sorted, valueOf } from './support/entries.ts';
import { codeOf } from './support/errors.ts';
import type { OpenTree } from './support/open.ts';
import { SMALL, withTree } from './support/open.ts';
import { leafFill, leavesOf, shapeOf } from './support/shape.ts';

/** Builds the entries into a new tree 'bulk'. */
function build(
  db: OpenTree,
  entries: Iterable<readonly [string, string | Uint8Array]>,
  fill?: number,
): { tree: BTree; built: BulkTree } {
  const slot = db.view.trees().length;
  const writer = db.pager.bulk();
  try {
    const builder = new BulkBuilder(writer, slot + 1, db.pager.pageSize, fill);
    for (const [key, value] of entries) {
      const from = typeof value === 'string' ? bytes(value) : value;
      builder.add(bytes(key), key.length, from, 0, from.length);
    }
    const built = builder.finish();
    writer.finish((tx) => {
      expect(tx.createTree('bulk')).toBe(slot);
      tx.setTreeRoot(slot, built.root);
      tx.addTreeCount(slot, built.count);
    });
    return { tree: BTree.open(db.view, 'bulk')!, built };
  } finally {
    writer.abort();
  }
}

function randomEntries(random: Random): Map<string, string> {
  const entries = new Map<string, string>();
  const style = random.below(4);
  for (let i = random.below(2500); i > 0; i -= 1) {
    const number = digits(random.below(1_000_000), 6);
    const key =
      style === 0
        ? number
        : style === 1
          ? `common-prefix-${number}`
          : style === 2
            ? number.slice(0, 1 + random.below(6))
            : number + 'x'.repeat(random.below(400));
    entries.set(key, 'v'.repeat(random.chance(0.01) ? random.below(20_000) : random.below(random.pick([4, 60, 900]))));
  }
  return entries;
}

describe('building', () => {
  test.each(seeds(40, 1))('seed %i: reads as what was built, and goes on like any other tree', (seed) => {
    const random = new Random(seed);
    withTree(
      (db) => {
        const model = randomEntries(random);
        const { tree, built } = build(db, sorted(model), random.chance(0.5) ? 1 : 0.5 + random.below(50) / 100);
        expect(built.count).toBe(model.size);
        expect(entriesOf(tree, db.view)).toEqual(sorted(model));
        expect(entriesOf(tree, db.view, false)).toEqual(sorted(model).reverse());
        expect(db.problems()).toEqual([]);
        const pages = new Set<number>();
        tree.check(db.view, (page) => pages.add(page));
        expect(pages.size).toBe(built.pages);
        db.write((tx) => {
          for (const [key] of sorted(model)) {
            if (!random.chance(0.3)) continue;
            remove(tx, tree, key);
            model.delete(key);
          }
          for (let i = 0; i < 200; i += 1) {
            const key = digits(random.below(1_000_000), 6);
            put(tx, tree, key, 'put');
            model.set(key, 'put');
          }
        });
        expect(entriesOf(tree, db.view)).toEqual(sorted(model));
      },
      { cacheSize: 24 },
    );
  });

  test.each([0, 1, 2])('%i entries', (count) => {
    withTree((db) => {
      const entries = Array.from({ length: count }, (_, i) => [`k${i}`, 'v'] as [string, string]);
      const { tree, built } = build(db, entries);
      expect(built).toEqual({ root: built.root, count, pages: 1 });
      expect(entriesOf(tree, db.view)).toEqual(entries);
    });
  });

  test('pages are full, or as full as asked for', () => {
    for (const [fill, least, most] of [
      [1, 0.98, 1],
      [0.75, 0.7, 0.78],
      [0.5, 0.45, 0.53],
    ] as const) {
      withTree((db) => {
        const { tree } = build(
          db,
          Array.from({ length: 5000 }, (_, i) => [digits(i, 6), 'some value']),
          fill,
        );
        expect(leafFill(tree, db.view)).toBeGreaterThan(least);
        expect(leafFill(tree, db.view)).toBeLessThanOrEqual(most);
      });
    }
  });

  test('no branch has a single child, and all leaves have the same distance from the root', () => {
    withTree((db) => {
      // One leaf per entry; separators as long as can be, so that branches are many.
      for (const count of [1, 7, 8, 9, 50, 64, 65, 400]) {
        const entries = Array.from(
          { length: count },
          (_, i) => [`${digits(i >> 1, 4)}${'x'.repeat(480)}${i % 2}`, 'v'.repeat(500)] as [string, string],
        );
        const { tree } = build(db, entries);
        const shapes = shapeOf(tree, db.view);
        for (const { level, slots } of shapes) if (level > 0) expect(slots).toBeGreaterThan(0);
        expect(shapes.filter(({ level }) => level === 1).length > 0).toBe(shapes.length > 1);
        expect(db.problems()).toEqual([]);
        db.write((tx) => tree.drop(tx));
      }
    });
  });

  test('the place of the entry added last is known', () => {
    withTree((db) => {
      const writer = db.pager.bulk();
      const builder = new BulkBuilder(writer, 2, db.pager.pageSize);
      const places = new Map<string, readonly [number, number]>();
      for (let i = 0; i < 1000; i += 1) {
        const key = digits(i, 5);
        builder.add(bytes(key), 5, bytes('value'), 0, i % 100 === 0 ? 5 : 2);
        places.set(key, [builder.lastPage, builder.lastSlot]);
      }
      const { root, count } = builder.finish();
      writer.finish((tx) => {
        const slot = tx.createTree('bulk');
        tx.setTreeRoot(slot, root);
        tx.addTreeCount(slot, count);
      });
      const tree = BTree.open(db.view, 'bulk')!;
      for (const [key, [page, slot]] of places) {
        db.view.page(page); // a guess looks in the cache only
        expect(tree.findAt(db.view, page, slot, bytes(key), 5)).toBeGreaterThan(0);
      }
    });
  });

  test('values get the room that is asked for', () => {
    withTree((db) => {
      const writer = db.pager.bulk();
      const builder = new BulkBuilder(writer, 2, db.pager.pageSize);
      builder.add(bytes('k'), 1, bytes('value'), 0, 5, 50);
      const { root, count } = builder.finish();
      writer.finish((tx) => {
        tx.setTreeRoot(tx.createTree('bulk'), root);
        tx.addTreeCount(1, count);
      });
      const tree = BTree.open(db.view, 'bulk')!;
      expect(valueOf(tree, db.view, 'k')).toBe('value');
      expect(tree.foundCapacity).toBe(52);
      expect(leavesOf(tree, db.view)).toHaveLength(1);
    });
  });
});

describe('refusals', () => {
  test.each([
    ['the same key twice', (add: (key: string) => void) => add('b'), 'SOMBRA_KEY_ORDER'],
    ['a smaller key', (add: (key: string) => void) => add('a'), 'SOMBRA_KEY_ORDER'],
    ['a prefix of the key before', (add: (key: string) => void) => add(''), 'SOMBRA_KEY_ORDER'],
    [
      'a key that is too long',
      (add: (key: string) => void) => add('c'.repeat(keySizeMax(SMALL.pageSize) + 1)),
      'SOMBRA_KEY_TOO_LONG',
    ],
  ])('%s', (_, run, code) => {
    withTree((db) => {
      const writer = db.pager.bulk();
      const builder = new BulkBuilder(writer, 2, SMALL.pageSize);
      const add = (key: string): void => builder.add(bytes(key), key.length, bytes('v'), 0, 1);
      add('b');
      expect(codeOf(() => run(add))).toBe(code);
      add('d'); // the build goes on
      expect(builder.finish().count).toBe(2);
      expect(codeOf(() => add('e'))).toBe('SOMBRA_BULK_DONE');
      expect(codeOf(() => builder.finish())).toBe('SOMBRA_BULK_DONE');
      writer.abort();
    });
  });

  test('values that are too large, parts that do not exist, other fills', () => {
    withTree((db) => {
      const writer = db.pager.bulk();
      const builder = new BulkBuilder(writer, 2, SMALL.pageSize);
      expect(codeOf(() => builder.add(bytes('k'), 1, new Uint8Array(VALUE_SIZE_MAX + 1), 0, VALUE_SIZE_MAX + 1))).toBe(
        'SOMBRA_VALUE_TOO_LARGE',
      );
      expect(() => builder.add(bytes('k'), 2, bytes('v'), 0, 1)).toThrow(RangeError);
      expect(() => builder.add(bytes('k'), 1, bytes('v'), 0, 2)).toThrow(RangeError);
      for (const fill of [0, 0.49, 1.01, NaN, -1])
        expect(codeOf(() => new BulkBuilder(writer, 2, SMALL.pageSize, fill))).toBe('SOMBRA_OPTION');
      writer.abort();
    });
  });

  test('a build that is given up leaves nothing behind', () => {
    withTree((db) => {
      db.write((tx) => put(tx, db.tree, 'k', 'v'));
      const { pageCount } = db.pager.stats();
      const writer = db.pager.bulk();
      const builder = new BulkBuilder(writer, 2, SMALL.pageSize);
      for (let i = 0; i < 3000; i += 1) builder.add(bytes(digits(i, 5)), 5, bytes('value'), 0, 5);
      writer.abort();
      expect(db.pager.stats().pageCount).toBe(pageCount);
      expect(entriesOf(db.tree, db.view)).toEqual([['k', 'v']]);
    });
  });
});
