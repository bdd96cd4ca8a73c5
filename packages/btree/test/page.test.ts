// Goal: one slotted page gives back what was put into it: keys cut by any prefix, searches by head and tail, values at
// multiples of 4.
// Method: pages built in scratch memory from random key sets that share prefixes, contain zeros and begin each other; every
// search is compared with a linear one.
import { Random, seeds } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { writeU48 } from '../src/index.ts';
import { commonPrefix, compareKeys, prefixFor, separatorLength } from '../src/page/keys.ts';
import { entrySizeMax, inlineSizeMax, keySizeMax } from '../src/page/layout.ts';
import { entryBytes, PageBuilder, rangeBytes } from '../src/page/page-builder.ts';
import {
  childOf,
  headOf,
  readKey,
  searchPage,
  searchU48,
  slotsOf,
  usedBytesOf,
  valueOffsetOf,
} from '../src/page/page.ts';
import { bytes, text } from './support/entries.ts';

const PAGE = 4096;

/** A leaf of these keys, in order, with the given prefix length; value n has n % 7 bytes. */
function leafOf(keys: readonly Uint8Array[], prefixLength: number): PageBuilder {
  const page = new PageBuilder(PAGE);
  page.begin(true, keys[0] ?? new Uint8Array(0), prefixLength, 0);
  keys.forEach((key, i) =>
    page.addValue(key, key.length, i % 7, (i % 7) + ((4 - (i % 7)) & 3), new Uint8Array(7).fill(i), 0, i % 7),
  );
  page.finish();
  return page;
}

/** Keys of few different bytes, in order: they share prefixes, begin each other, end in zeros. */
function randomKeys(random: Random, prefix: string): Uint8Array[] {
  const keys = new Set<string>();
  const alphabet = random.pick(['\0a', '\0\x01\xff', 'abcdefgh']);
  for (let i = random.below(60); i >= 0; i -= 1) {
    let key = prefix;
    for (let length = random.below(9); length > 0; length -= 1) key += random.pick([...alphabet]);
    keys.add(key);
  }
  return [...keys].sort().map(bytes);
}

function linearSearch(keys: readonly Uint8Array[], key: Uint8Array): number {
  const at = keys.findIndex((other) => compareKeys(other, other.length, key, key.length) >= 0);
  if (at < 0) return ~keys.length;
  return compareKeys(keys[at]!, keys[at]!.length, key, key.length) === 0 ? at : ~at;
}

describe('keys', () => {
  test('order as memcmp does, the shorter one first', () => {
    const ascending = ['', '\0', '\0\0', '\0a', 'a', 'a\0', 'ab', 'b', '\x7f', '\x80', '\xff', '\xff\xff'].map(bytes);
    ascending.forEach((a, i) =>
      ascending.forEach((b, j) => expect(Math.sign(compareKeys(a, a.length, b, b.length))).toBe(Math.sign(i - j))),
    );
  });

  test('only the bytes that count are compared', () => {
    expect(compareKeys(bytes('abX'), 2, bytes('abY'), 2)).toBe(0);
    expect(commonPrefix(bytes('abcX'), 3, bytes('abcX'), 4)).toBe(3);
  });

  test.each([
    ['abc', 'abd', 'abd'],
    ['abc', 'b', 'b'],
    ['ab', 'abcdef', 'abc'],
    ['', 'a', 'a'],
    ['a', 'a\0', 'a\0'],
    ['azzz', 'bcdef', 'b'],
  ])('the separator of %j and %j is %j', (left, right, separator) => {
    const length = separatorLength(bytes(left), left.length, bytes(right), right.length);
    expect(right.slice(0, length)).toBe(separator);
    expect(left < separator && separator <= right).toBe(true);
  });

  test('a leaf leaves every key four bytes for the head, a branch none; a prefix is never given up', () => {
    expect(prefixFor(true, 10, 12, 0)).toBe(8);
    expect(prefixFor(true, 5, 12, 0)).toBe(5);
    expect(prefixFor(true, 3, 3, 0)).toBe(0);
    expect(prefixFor(true, 3, 3, 2)).toBe(2);
    expect(prefixFor(false, 10, 12, 0)).toBe(10);
    expect(prefixFor(false, 12, 12, 0)).toBe(12);
  });

  test.each([
    ['', 0],
    ['a', 0x61000000],
    ['ab', 0x61620000],
    ['abc', 0x61626300],
    ['abcd', 0x61626364],
    ['abcde', 0x61626364],
    ['\xff\xff\xff\xff', 0xffffffff],
  ])('the head of %j', (suffix, head) => {
    const key = bytes(`xy${suffix}`);
    expect(headOf(key, 2, key.length)).toBe(head);
  });
});

describe('pages', () => {
  test.each(seeds(300, 1))('seed %i: reads and searches agree with the keys', (seed) => {
    const random = new Random(seed);
    const prefix = 'p\0q\xffr'.slice(0, random.below(6));
    const keys = randomKeys(random, prefix);
    const shared = commonPrefix(keys[0]!, keys[0]!.length, keys.at(-1)!, keys.at(-1)!.length);
    const page = leafOf(keys, random.below(shared + 1));
    const slots = slotsOf(page, 0);
    const scratch = new Uint8Array(keySizeMax(PAGE));
    keys.forEach((key, i) => {
      expect(text(scratch.subarray(0, readKey(page, 0, i, scratch)))).toBe(text(key));
      const value = valueOffsetOf(page, 0, slots, i);
      expect(value % 4).toBe(0);
      expect([...page.bytes.subarray(value, value + (i % 7))]).toEqual(new Array(i % 7).fill(i));
    });
    const probes = [
      ...keys,
      ...randomKeys(random, prefix),
      ...randomKeys(random, ''),
      bytes(prefix),
      bytes(`${prefix}\xff\xff`),
      bytes(''),
    ];
    for (const probe of probes) expect(searchPage(page, 0, probe, probe.length)).toBe(linearSearch(keys, probe));
  });

  test.each(seeds(300, 1))('seed %i: a search for an id is a search for its six bytes', (seed) => {
    const random = new Random(seed);
    const high = random.pick([0, 1, 0x1234, 0xffff]);
    const start = high * 2 ** 32 + random.pick([0, 1, 255, 65_530, 2 ** 32 - 40]);
    const ids = new Set<number>();
    for (let i = random.below(80); i >= 0; i -= 1)
      ids.add(start + (random.chance(0.5) ? i : random.below(random.pick([300, 70_000, 2 ** 33]))));
    const keys = [...ids]
      .filter((id) => id < 2 ** 48)
      .map((id) => {
        const key = new Uint8Array(random.chance(0.1) ? 8 : 6);
        writeU48(key, 0, id);
        return key;
      });
    keys.sort((a, b) => compareKeys(a, a.length, b, b.length));
    if (random.chance(0.2)) keys.unshift(keys[0]!.slice(0, 5));
    const shared = commonPrefix(keys[0]!, keys[0]!.length, keys.at(-1)!, keys.at(-1)!.length);
    const page = leafOf(keys, random.below(Math.min(shared, 5) + 1));
    const probe = new Uint8Array(6);
    for (const id of [...ids, 0, start + 7, start + 2 ** 32, 2 ** 48 - 1].filter((one) => one < 2 ** 48)) {
      writeU48(probe, 0, id);
      expect(searchU48(page, 0, (id / 2 ** 32) | 0, id >>> 0)).toBe(linearSearch(keys, probe));
    }
  });

  test.each(seeds(100, 1))('seed %i: entries copied under another prefix are the same', (seed) => {
    const random = new Random(seed);
    const keys = randomKeys(random, 'common-prefix');
    const page = leafOf(keys, random.below(14));
    const shared = commonPrefix(keys[0]!, keys[0]!.length, keys.at(-1)!, keys.at(-1)!.length);
    const prefixLength = random.below(shared + 1);
    const copy = new PageBuilder(PAGE);
    const from = random.below(keys.length);
    const to = from + random.below(keys.length - from + 1);
    copy.begin(true, keys[0]!, prefixLength, 0);
    copy.copyEntries(page, 0, from, to);
    copy.finish();
    const padded = (prefixLength + 3) & ~3;
    expect(usedBytesOf(copy, 0)).toBe(padded + rangeBytes(page, 0, from, to, true, prefixLength));
    const scratch = new Uint8Array(keySizeMax(PAGE));
    for (let i = from; i < to; i += 1) {
      expect(text(scratch.subarray(0, readKey(copy, 0, i - from, scratch)))).toBe(text(keys[i]!));
      const value = valueOffsetOf(copy, 0, slotsOf(copy, 0), i - from);
      expect([...copy.bytes.subarray(value, value + (i % 7))]).toEqual(new Array(i % 7).fill(i));
    }
  });

  test('a branch gives its children; the first one has no separator', () => {
    const page = new PageBuilder(PAGE);
    page.begin(false, bytes('sep'), 3, 70);
    ['sep', 'sepa', 'sepabcdef'].forEach((key, i) => page.addChild(bytes(key), key.length, 71 + i));
    page.finish();
    const slots = slotsOf(page, 0);
    expect([-1, 0, 1, 2].map((i) => childOf(page, 0, slots, i))).toEqual([70, 71, 72, 73]);
    expect(['a', 'sep', 'sepA', 'sepab', 'zz'].map((key) => searchPage(page, 0, bytes(key), key.length))).toEqual([
      ~0,
      0,
      ~1,
      ~2,
      ~3,
    ]);
  });

  test('the last entry can be taken out again', () => {
    const page = leafOf(['key-1', 'key-2', 'key-3 and a tail'].map(bytes), 4);
    const expected = leafOf(['key-1', 'key-2'].map(bytes), 4);
    page.removeLast();
    expect(page.count).toBe(2);
    expect(page.gap).toBe(expected.gap);
    expect(page.bytes).toEqual(expected.bytes);
  });

  test.each([4096, 8192, 16384, 32768, 65536])(
    'at least four of the largest entries fit into a page of %i bytes',
    (pageSize) => {
      for (const length of [0, 1, 4, 5, 100, keySizeMax(pageSize)]) {
        const entry = entryBytes(length, inlineSizeMax(pageSize, length));
        expect(entry).toBe(entrySizeMax(pageSize));
        expect(entry * 4).toBeLessThanOrEqual(pageSize - 32);
      }
    },
  );
});
