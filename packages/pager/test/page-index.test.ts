// Goal: the index gives the entries of each page from the newest to the oldest, the pages of a checkpoint and the ends of commits,
// over chunk borders, after checkpoints, and when entries are renumbered.
// Method: random commits and checkpoints against plain lists; more entries than several chunks hold.
import { ENTRY_DELTA, ENTRY_IMAGE } from '@sombra/wal';
import { describe, expect, test } from 'vitest';
import { NO_ENTRY, PageIndex } from '../src/pages/page-index.ts';
import { Random, seeds } from './support/random.ts';

interface Entry {
  readonly page: number;
  readonly lsn: number;
  readonly offset: number;
  readonly length: number;
  readonly kind: number;
}

const PAGES = 1000;

/** Adds a commit of 1 to 40 pages to both. */
function commit(index: PageIndex, model: Entry[], lsn: number, random: Random): void {
  const pages = new Set<number>();
  for (let i = 1 + random.below(40); i > 0; i -= 1) pages.add(random.below(PAGES));
  for (const page of pages) {
    const kind = random.below(10) === 0 ? ENTRY_IMAGE : ENTRY_DELTA;
    const entry = { page, lsn, offset: model.length * 8, length: 8 + random.below(100), kind };
    index.add(page, lsn, 1, entry.offset, entry.length, kind, page ^ lsn);
    model.push(entry);
  }
  index.addCommit(lsn, 1, lsn * 100, lsn ^ 5, lsn + 7);
}

function compare(index: PageIndex, model: readonly Entry[], base: number, newest: number): void {
  expect(index.count).toBe(model.length);
  expect([index.baseLsn, index.commits]).toEqual([base, newest - base]);
  const lists = Array.from({ length: PAGES }, (): Entry[] => []);
  for (const entry of model) lists[entry.page]!.unshift(entry);
  let sound = true;
  const found: Entry[][] = [];
  for (let page = 0; page < PAGES; page += 1) {
    const list: Entry[] = [];
    for (let entry = index.head(page); entry !== NO_ENTRY; entry = index.previousOf(entry)) {
      sound &&= index.seqOf(entry) === 1 && index.checksumOf(entry) === (page ^ index.lsnOf(entry)) >>> 0;
      list.push({
        page: index.pageOf(entry),
        lsn: index.lsnOf(entry),
        offset: index.offsetOf(entry),
        length: index.lengthOf(entry),
        kind: index.kindOf(entry),
      });
    }
    found.push(list);
  }
  expect(sound).toBe(true);
  expect(found).toEqual(lists);
  for (const lsn of [base, Math.floor((base + newest) / 2), newest]) {
    const pages = [...new Set(model.filter((entry) => entry.lsn <= lsn).map((entry) => entry.page))];
    expect([...index.pagesUpTo(lsn)]).toEqual(pages.sort((a, b) => a - b));
    if (lsn === base) continue;
    expect(index.commitEnd(lsn)).toEqual({ seq: 1, offset: lsn * 100, chain: lsn ^ 5 });
    expect(index.commitPages(lsn)).toBe(lsn + 7);
  }
}

describe('random commits and checkpoints', () => {
  test.each([
    ['from the start', 0],
    ['when entries are renumbered', 2 ** 30 - 5000],
  ])('%s', (_, number) => {
    for (const seed of seeds(2)) {
      const random = new Random(seed);
      const index = new PageIndex();
      index.reset(10);
      const start = Math.floor(number / 512) * 512;
      Object.assign(index, { first: start, next: start, firstChunk: start / 512 });
      let model: Entry[] = [];
      let [base, newest] = [10, 10];
      for (let round = 0; round < 5; round += 1) {
        for (let i = 0; i < 300; i += 1) commit(index, model, (newest += 1), random);
        compare(index, model, base, newest);
        base += 1 + random.below(newest - base);
        index.dropUpTo(base);
        model = model.filter((entry) => entry.lsn > base);
        compare(index, model, base, newest);
      }
      index.dropUpTo(newest);
      compare(index, [], newest, newest);
      commit(index, (model = []), newest + 1, random);
      compare(index, model, newest, newest + 1);
    }
  });
});

test('the cost of rebuilding a page starts at zero with each image', () => {
  const index = new PageIndex();
  index.add(7, 1, 1, 0, 100, ENTRY_DELTA, 0);
  index.add(7, 2, 1, 100, 50, ENTRY_DELTA, 0);
  expect(index.bytesOf(index.head(7))).toBe(150);
  index.add(7, 3, 1, 150, 8200, ENTRY_IMAGE, 0);
  expect(index.bytesOf(index.head(7))).toBe(0);
  index.add(7, 4, 1, 8350, 30, ENTRY_DELTA, 0);
  expect(index.bytesOf(index.head(7))).toBe(30);
});

test('more commits than a chunk holds, dropped in parts', () => {
  const index = new PageIndex();
  for (let lsn = 1; lsn <= 20_000; lsn += 1) index.addCommit(lsn, 1, lsn * 2, lsn, 9);
  for (const lsn of [5000, 8191, 8192, 16_384, 19_999]) {
    index.dropUpTo(lsn);
    expect([index.baseLsn, index.commits]).toEqual([lsn, 20_000 - lsn]);
    expect(index.commitEnd(lsn + 1)).toEqual({ seq: 1, offset: (lsn + 1) * 2, chain: lsn + 1 });
  }
  index.dropUpTo(20_000);
  index.addCommit(20_001, 2, 5, 6, 9);
  expect([index.commits, index.commitEnd(20_001)]).toEqual([1, { seq: 2, offset: 5, chain: 6 }]);
});

test('pages that are not in the log take no memory, and after a checkpoint of everything none does', () => {
  const index = new PageIndex();
  index.reset(0);
  const LAST = 2 ** 32 - 2; // of 32 TiB of 8 KiB pages
  index.add(3, 1, 1, 64, 100, ENTRY_IMAGE, 7);
  index.add(2 ** 27, 1, 1, 164, 100, ENTRY_IMAGE, 8);
  expect(index.tableBytes).toBeLessThan(2 ** 21);
  expect([index.head(3), index.head(4), index.head(2 ** 27), index.head(LAST)]).toEqual([0, NO_ENTRY, 1, NO_ENTRY]);
  index.addCommit(1, 1, 264, 1, 2 ** 27 + 1);
  index.check();
  index.dropUpTo(1);
  expect([index.tableBytes, index.head(3), index.head(2 ** 27)]).toEqual([0, NO_ENTRY, NO_ENTRY]);
  index.add(3, 2, 1, 264, 100, ENTRY_IMAGE, 7);
  index.addCommit(2, 1, 364, 1, 2 ** 27 + 1);
  expect(index.head(3)).toBe(2);
  index.check();
});
