// Goal: a connection reads how the other ones perform, whatever lies in the shm file, and how many there are that say nothing.
// Method: connections of several processes on one file system in memory; records that are torn, random, or of the dead.
import { Latency, MemoryVfs, pwriteFully } from '@sombra/vfs';
import { SimEnv } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import { decodeFigures, encodeFigures, FIGURES_OFFSET, FIGURES_SIZE } from '../src/sharing/figures.ts';
import type { ConnectionFigures } from '../src/index.ts';
import { LOCK_FIGURES_SLOTS } from '../src/sharing/locks.ts';
import { MortalVfs } from './support/mortal-vfs.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';
import { Random } from './support/random.ts';

const FIGURES: ConnectionFigures = {
  pid: 4_000_000_000,
  opened: 1_700_000_000_000,
  written: 1_700_000_000_999,
  hits: 2 ** 52,
  misses: 3,
  commits: 4,
  commitP95: 0.0015,
  reads: 5,
  readP95: 0.000002,
};

/** Durations of reads, ms. */
function durations(...ms: number[]): Latency {
  const latency = new Latency(1000);
  for (const each of ms) latency.record(each);
  return latency;
}

test('a record reads back as it was written, and quantiles of nothing are none', () => {
  expect(decodeFigures(encodeFigures(FIGURES))).toEqual(FIGURES);
  const idle = { ...FIGURES, commits: 0, commitP95: undefined, reads: 0, readP95: undefined };
  expect(decodeFigures(encodeFigures(idle))).toEqual(idle);
});

test('every single flipped bit voids a record, and so does every cut', () => {
  const good = encodeFigures(FIGURES);
  for (let bit = 0; bit < good.length * 8; bit += 1) {
    const bytes = good.slice();
    bytes[bit >>> 3]! ^= 1 << (bit & 7);
    expect(decodeFigures(bytes)).toBeUndefined();
  }
  for (let length = 0; length < good.length; length += 1)
    expect(decodeFigures(good.subarray(0, length))).toBeUndefined();
});

test('another connection is told about by its own figures', () => {
  const env = new SimEnv({ seed: 1 });
  const vfs = new MemoryVfs({ env });
  const owner = openPager({}, new MortalVfs(vfs, 101));
  const page = write(owner, (tx) => newPage(tx, 7));
  for (let i = 0; i < 5; i += 1) valueOf(owner.view, page);
  owner.tellFigures(durations(1, 2, 3));
  const other = openPager({ inspect: true }, new MortalVfs(vfs, 102));
  const { hits, oldVersionHits, misses } = owner.stats();
  expect(hits).toBeGreaterThan(0);
  const { count, figures } = other.others();
  expect([count, figures]).toEqual([
    1,
    [
      {
        pid: 101,
        opened: expect.any(Number),
        written: env.wallTimeMs(),
        hits: hits + oldVersionHits,
        misses,
        commits: 1,
        commitP95: 0,
        reads: 3,
        readP95: 0.003,
      },
    ],
  ]);
  other.close();
  owner.close();
});

test('those that tell nothing are counted; one does not count itself; the dead are gone with their locks', () => {
  const vfs = new MemoryVfs();
  const dying = new MortalVfs(vfs, 101);
  const dead = openPager({}, dying);
  write(dead, (tx) => newPage(tx, 7));
  dead.tellFigures(durations());
  const silent = openPager({}, new MortalVfs(vfs, 102));
  const asking = openPager({ readOnly: true }, new MortalVfs(vfs, 103));
  write(silent, (tx) => newPage(tx, 8));
  asking.tellFigures(durations(1));
  const seen = asking.others();
  expect([seen.count, seen.figures.map(({ pid }) => pid)]).toEqual([2, [101]]);
  expect(silent.others()).toMatchObject({ count: 2, figures: [{ pid: 101 }, { pid: 103, readP95: 0.001 }] });
  dying.die('here');
  expect(asking.others()).toEqual({ count: 1, figures: [] });
  silent.close();
  expect(asking.others()).toEqual({ count: 0, figures: [] });
  asking.close();
  expect(codeOf(() => asking.others())).toBe('SOMBRA_CLOSED');
  expect(codeOf(() => asking.tellFigures(durations()))).toBe('SOMBRA_CLOSED');
});

test('with nothing new, nothing is written; with nothing at all, no slot is taken', () => {
  const env = new SimEnv({ seed: 1 });
  const vfs = new MemoryVfs({ env });
  const owner = openPager({}, new MortalVfs(vfs, 101));
  const other = openPager({}, new MortalVfs(vfs, 102));
  const idle = openPager({}, new MortalVfs(vfs, 103));
  write(owner, (tx) => newPage(tx, 7));
  const reads = durations(1);
  owner.tellFigures(reads);
  const told = other.others();
  expect(told.figures).toHaveLength(1);
  idle.tellFigures(durations());
  expect(other.others()).toEqual(told);
  env.advance(5000);
  owner.tellFigures(reads);
  expect(other.others()).toEqual(told);
  reads.record(2);
  owner.tellFigures(reads);
  expect(other.others().figures).toMatchObject([{ written: env.wallTimeMs(), reads: 2 }]);
  idle.close();
  for (const each of [owner, other]) each.close();
});

test('garbage in the region is no figures, whatever it is, and disturbs nothing', () => {
  const vfs = new MemoryVfs();
  const owner = openPager({}, new MortalVfs(vfs, 101));
  const page = write(owner, (tx) => newPage(tx, 7));
  owner.tellFigures(durations());
  const other = openPager({}, new MortalVfs(vfs, 102));
  const file = vfs.open('t.db-shm', { write: true });
  const random = new Random(7);
  for (let round = 0; round < 50; round += 1) {
    pwriteFully(file, random.bytes(LOCK_FIGURES_SLOTS * FIGURES_SIZE), FIGURES_OFFSET);
    expect(other.others()).toEqual({ count: 1, figures: [] });
  }
  expect(valueOf(other.view, page)).toBe(7);
  file.close();
  for (const each of [other, owner]) each.close();
});

test('one more connection than there are slots tells nothing, until one is free', () => {
  const vfs = new MemoryVfs();
  const first = openPager({}, new MortalVfs(vfs, 1));
  write(first, (tx) => newPage(tx, 7));
  const many = Array.from({ length: LOCK_FIGURES_SLOTS }, (_, at) => openPager({}, new MortalVfs(vfs, 2 + at)));
  for (const each of many) each.tellFigures(durations(1));
  first.tellFigures(durations(1));
  const pids = (): number[] => many[1]!.others().figures.map(({ pid }) => pid);
  expect(pids()).toHaveLength(LOCK_FIGURES_SLOTS - 1);
  expect(pids()).not.toContain(1);
  many[0]!.close();
  first.tellFigures(durations(1));
  expect(pids()).toContain(1);
  for (const each of [...many, first]) each.close();
});

test('an exclusive connection has no others', () => {
  const pager = openPager({ locking: 'exclusive' });
  write(pager, (tx) => newPage(tx, 7));
  pager.tellFigures(durations());
  expect(pager.others()).toEqual({ count: 0, figures: [] });
  pager.close();
});
