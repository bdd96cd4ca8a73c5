// Goal: `first`, `last` and `deleteRange` do to a range what walking over it says. Method: random ranges over random stores,
// compared with the entries of the iterator, which has a reference of its own; the smallest cache, so that leaves come and go.
import { Random, seeds } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import type { KeyValueTree, RangeOptions } from '../src/index.ts';
import { bytes, digits, text } from './support/entries.ts';
import { codeOf } from './support/errors.ts';
import { entriesIn, keysIn, openStore, withStore } from './support/store.ts';

function randomRange(random: Random, count: number): RangeOptions {
  const bound = (): Uint8Array | undefined =>
    random.below(4) === 0 ? undefined : bytes(digits(random.below(count + 2), 4).slice(0, 1 + random.below(4)));
  return {
    from: bound(),
    fromInclusive: random.below(2) === 0,
    to: bound(),
    toInclusive: random.below(2) === 0,
    prefix: random.below(3) === 0 ? bytes(digits(random.below(count), 4).slice(0, 2)) : undefined,
    reverse: random.below(2) === 0,
    limit: random.below(3) === 0 ? random.below(count) : undefined,
  };
}

function fill(tree: KeyValueTree, count: number): void {
  for (let i = 0; i < count; i += 1) tree.put(digits(i, 4), 'v'.repeat(20 + ((i * 37) % 300)));
}

describe('first and last', () => {
  test.each(seeds(20))('are the ends of what the iterator gives: seed %i', (seed) => {
    const random = new Random(seed);
    withStore((store) => {
      store.transaction((tx) => fill(tx, 120));
      for (let i = 0; i < 30; i += 1) {
        const range = { ...randomRange(random, 120), limit: undefined };
        const keys = keysIn(store, range);
        const key = (entry: { key: Uint8Array } | undefined): string | undefined => entry && text(entry.key);
        expect(key(store.first(range))).toBe(keys[0]);
        expect(key(store.last(range))).toBe(keys.at(-1));
      }
      expect(text(store.last()!.key)).toBe('0119');
      expect(store.tree('none').first()).toBeUndefined();
    });
  });

  test('last refuses a limit, and options that do not exist', () => {
    withStore((store) => {
      expect(codeOf(() => store.last({ limit: 3 }))).toBe('SOMBRA_OPTION');
      expect(codeOf(() => store.last({ form: 'a' } as RangeOptions))).toBe('SOMBRA_OPTION');
      expect(codeOf(() => store.first(7 as unknown as RangeOptions))).toBe('SOMBRA_OPTION');
    });
  });
});

describe('deleteRange', () => {
  test.each(seeds(20))('deletes what the iterator gives, and nothing else: seed %i', (seed) => {
    const random = new Random(seed);
    withStore((store) => {
      for (let i = 0; i < 6; i += 1) {
        store.transaction((tx) => fill(tx, 400));
        const range = randomRange(random, 400);
        const gone = new Set(keysIn(store, range));
        const expected = entriesIn(store).filter(([key]) => !gone.has(key));
        const inside = random.below(2) === 0;
        const count = inside ? store.transaction((tx) => tx.deleteRange(range)) : store.deleteRange(range);
        expect(count).toBe(gone.size);
        expect(entriesIn(store)).toEqual(expected);
        expect(store.count()).toBe(expected.length);
      }
    });
  });

  test('inside a transaction it sees what was written there; a rollback brings everything back', () => {
    withStore((store) => {
      fill(store, 50);
      const before = entriesIn(store);
      expect(() =>
        store.transaction((tx) => {
          tx.put('0010x', 'new');
          expect(tx.deleteRange({ prefix: '001' })).toBe(11);
          expect(tx.count()).toBe(40);
          throw new Error('taken back');
        }),
      ).toThrow('taken back');
      expect(entriesIn(store)).toEqual(before);
      expect(store.tree('none').deleteRange({})).toBe(0);
    });
  });

  test('a range of more pages than a transaction may change is refused as a whole, and goes in parts', () => {
    const store = openStore(undefined, { maxTransactionPages: 16 });
    for (let i = 0; i < 300; i += 1) store.put(digits(i, 4), 'v'.repeat(1000));
    expect(codeOf(() => store.deleteRange({}))).toBe('SOMBRA_TRANSACTION_PAGES');
    expect(store.count()).toBe(300);
    let deleted = 0;
    for (let part = -1; part !== 0; deleted += part) part = store.deleteRange({ limit: 20 });
    expect([deleted, store.count()]).toEqual([300, 0]);
    expect(store.check()).toEqual([]);
    store.close();
  });

  test('misuse changes nothing', () => {
    withStore((store) => {
      store.put('a', '1');
      for (const range of [undefined, { form: 'a' }, { limit: -1 }, 'a']) {
        const code = codeOf(() => store.deleteRange(range as unknown as RangeOptions));
        expect(code, JSON.stringify(range)).toBe('SOMBRA_OPTION');
      }
      expect(store.count()).toBe(1);
    });
  });
});
