// Goal: a copy and the log behind it give every commit that followed, exactly as it was, bulk loads included; what lacks something gives an error
// and no file. Method: random lives with an archive, beside their model; copies at some of their commits, replayed to every later one and
// opened; logs without a segment, without placed pages, or with pages that are changed.
import { MemoryVfs } from '@sombra/vfs';
import { describe, expect, test } from 'vitest';
import { PlacedReader, placedCommits } from '../src/index.ts';
import { archiveOf, replayed } from './support/archived-log.ts';
import type { ArchivedLog, BaseCopy } from './support/archived-log.ts';
import { bytesOfCopy, examineFile } from './support/copies.ts';
import { Life, PATH } from './support/life.ts';
import type { ModelState } from './support/model.ts';
import { codeOf } from './support/open.ts';
import { Random, seeds } from './support/random.ts';

interface Archived {
  readonly bases: BaseCopy[];
  readonly states: ReadonlyMap<number, ModelState>;
  readonly log: ArchivedLog;
  readonly newest: number;
}

function copied(life: Life): BaseCopy {
  const copy = life.pager.copy();
  const { lsn, position, pageSize, databaseId, sourceTimeline } = copy;
  const base = { lsn, position, pageSize, databaseId, sourceTimeline, bytes: bytesOfCopy(copy, 1 << 20) };
  copy.release();
  return base;
}

/** A life that is archived from its beginning, with some copies. */
function live(seed: number, turns: number): Archived {
  const vfs = new MemoryVfs();
  const life = new Life(vfs, {}, seed);
  const { random } = life;
  life.open();
  life.fill(3);
  life.pager.markArchived(0);
  const bases: BaseCopy[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    if (turn % 6 === 1) bases.push(copied(life));
    const action = random.below(12);
    if (action < 6) life.commit(1 + random.below(8));
    else if (action === 6) life.fill(1 + random.below(6));
    else if (action === 7) life.waste(4);
    else if (action === 8) life.free(Math.min(3, life.state.pages.size));
    else if (action === 9) life.checkpoint();
    else if (action === 10) life.bulk(1 + random.below(6), random.chance(0.8));
    else {
      life.close();
      life.open();
    }
  }
  life.commit(3);
  const end = copied(life);
  const { pageSize, databaseId, sourceTimeline: timeline } = end;
  const log = archiveOf(vfs, { pageSize, databaseId, timeline }, end.position!);
  const { states } = life.promised;
  life.close();
  return { bases, states, log, newest: end.lsn };
}

describe('every commit', () => {
  test.each(seeds(6))('behind every copy, seed %i', (seed) => {
    const { bases, states, log, newest } = live(seed, 30);
    const random = new Random(seed);
    let restored = 0;
    for (const base of bases) {
      for (let target = base.lsn; target <= newest; target += 1) {
        const { vfs, lsn } = replayed(base, log, target, random);
        expect(lsn).toBe(target);
        expect(examineFile(vfs, target, states.get(target)!)).toEqual([]);
        restored += 1;
      }
    }
    expect(restored).toBeGreaterThan(40);
  });
});

/** A life of which the last commit but one is a bulk load into free places and new ones. */
function withBulkLoad(): Archived & { readonly lsn: number } {
  const vfs = new MemoryVfs();
  const life = new Life(vfs, {}, 5);
  life.open();
  life.fill(20);
  life.pager.markArchived(0);
  const bases = [copied(life)];
  life.free(10);
  life.checkpoint();
  life.bulk(16);
  const { lsn } = life.pager.view;
  life.commit(3);
  const end = copied(life);
  const { pageSize, databaseId, sourceTimeline: timeline } = end;
  const log = archiveOf(vfs, { pageSize, databaseId, timeline }, end.position!);
  const { states } = life.promised;
  expect(placedCommits(vfs, PATH)).toEqual([lsn]);
  life.pager.endArchive();
  expect(placedCommits(vfs, PATH)).toEqual([]);
  life.close();
  return { bases, states, log, newest: end.lsn, lsn };
}

describe('what is missing', () => {
  test('pages of a bulk load: commits before it can be had, that one and later ones cannot', () => {
    const { bases, states, log, lsn, newest } = withBulkLoad();
    const [base] = bases as [BaseCopy];
    const without: ArchivedLog = { ...log, placed: new Map() };
    const before = replayed(base, without, lsn - 1, new Random(1));
    expect(examineFile(before.vfs, lsn - 1, states.get(lsn - 1)!)).toEqual([]);
    for (const target of [lsn, newest])
      expect(codeOf(() => replayed(base, without, target, new Random(1)))).toBe('SOMBRA_ARCHIVE_GAP');
    const after = replayed(base, log, newest, new Random(1));
    expect(examineFile(after.vfs, newest, states.get(newest)!)).toEqual([]);
  });

  test('pages of a load that was cut short, under the number of a commit that was none', () => {
    const { bases, states, log, lsn, newest } = withBulkLoad();
    const [base] = bases as [BaseCopy];
    const stale: ArchivedLog = { ...log, placed: new Map([...log.placed, [lsn - 1, log.placed.get(lsn)!]]) };
    const { vfs } = replayed(base, stale, newest, new Random(1));
    expect(examineFile(vfs, newest, states.get(newest)!)).toEqual([]);
  });

  test('a byte of placed pages that is changed, and pages that end early', () => {
    const { log, lsn } = withBulkLoad();
    const bytes = log.placed.get(lsn)!;
    const read = (changed: Uint8Array): string =>
      codeOf(() => {
        const reader = new PlacedReader('pages', () => undefined);
        reader.push(changed);
        reader.end();
      });
    expect(read(bytes)).toBe('no error');
    const random = new Random(2);
    for (let i = 0; i < 100; i += 1) {
      const changed = bytes.slice();
      changed[random.below(bytes.length)]! ^= 1 << random.below(8);
      expect(read(changed)).toMatch(/^SOMBRA_(?:ARCHIVE_DAMAGED|PAGE_CHECKSUM|PAGE_MISDIRECTED|PAGE_LSN)$/);
    }
    for (const length of [0, 100, 512, bytes.length - 1, bytes.length - 4096])
      expect(read(bytes.subarray(0, length))).toBe('SOMBRA_ARCHIVE_DAMAGED');
    expect(read(Uint8Array.of(...bytes, ...new Uint8Array(4096)))).toBe('SOMBRA_ARCHIVE_DAMAGED');
  });

  test('a segment: the commits before it can be had, and nothing else', () => {
    const { bases, states, log, newest } = live(77, 60);
    const base = bases[0]!;
    const lost = base.position!.seq + 1;
    expect(log.segments.has(lost + 1)).toBe(true);
    const segments = new Map(log.segments);
    segments.delete(lost);
    const { lsn, vfs } = replayed(base, { ...log, segments }, newest, new Random(3));
    expect(lsn).toBeLessThan(newest);
    expect(examineFile(vfs, lsn, states.get(lsn)!)).toEqual([]);
    segments.set(lost, log.segments.get(lost + 1)!);
    expect(codeOf(() => replayed(base, { ...log, segments }, newest, new Random(3)))).toBe('SOMBRA_ARCHIVE_GAP');
  });
});
