// Goal: every figure of `stats()` that operators read is moved by the thing that it counts, and by nothing else.
// Method: small databases on a file system in memory, on a clock that moves when it is told to, or with every look.
import { MemoryVfs } from '@sombra/vfs';
import type { SombraError } from '@sombra/vfs';
import { SimEnv, slowVfs } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import type { Pager } from '../src/index.ts';
import { MortalVfs } from './support/mortal-vfs.ts';
import { codeOf, newPage, openPager, SMALL, valueOf, write } from './support/open.ts';

function counts(pager: Pager): number[] {
  const { begun, commits, rollbacks, timedOut, refused } = pager.stats();
  return [begun, commits, rollbacks, timedOut, refused];
}

describe('transactions', () => {
  test('begun, committed and rolled back', () => {
    const pager = openPager();
    expect(counts(pager)).toEqual([0, 0, 0, 0, 0]);
    write(pager, (tx) => newPage(tx, 1));
    pager.begin().rollback();
    expect(counts(pager)).toEqual([2, 1, 1, 0, 0]);
    pager.close();
  });

  test('one whose time is over counts as rolled back and as timed out', () => {
    const env = new SimEnv({ seed: 1 });
    const pager = openPager({ transactionTimeoutMs: 100 }, new MemoryVfs({ env }));
    const tx = pager.begin();
    env.advance(101);
    expect(codeOf(() => tx.commit())).toBe('SOMBRA_TRANSACTION_TIMEOUT');
    expect(counts(pager)).toEqual([1, 0, 1, 1, 0]);
    pager.close();
  });

  test('one that cannot begin counts as refused, and is told to the hook', () => {
    const refused: SombraError[] = [];
    const vfs = new MemoryVfs();
    const holder = openPager({}, new MortalVfs(vfs, 101));
    const pager = openPager({ hooks: { refused: (error) => refused.push(error) } }, new MortalVfs(vfs, 102));
    const tx = holder.begin();
    expect(codeOf(() => pager.begin())).toBe('SOMBRA_BUSY');
    expect(counts(pager)).toEqual([0, 0, 0, 0, 1]);
    tx.rollback();
    pager.begin().rollback();
    expect(counts(pager)).toEqual([1, 0, 1, 0, 1]);
    expect(refused.map(({ code }) => code)).toEqual(['SOMBRA_BUSY']);
    pager.close();
    holder.close();
  });
});

describe('the cache', () => {
  test('hits and misses: pages that were there, and pages that had to be read', () => {
    const vfs = new MemoryVfs();
    const first = openPager({}, vfs);
    const page = write(first, (tx) => newPage(tx, 7));
    first.close();
    const pager = openPager({}, vfs);
    const before = pager.stats();
    for (let i = 0; i < 5; i += 1) valueOf(pager.view, page);
    const { hits, misses } = pager.stats();
    expect([hits - before.hits, misses - before.misses]).toEqual([4, 1]);
    pager.close();
  });

  test('old versions are there while a snapshot may read them', () => {
    const pager = openPager();
    const page = write(pager, (tx) => newPage(tx, 1));
    expect(pager.stats().oldVersions).toBe(0);
    const snapshot = pager.snapshot();
    write(pager, (tx) => tx.setU32(tx.edit(page), 24, 2));
    expect(pager.stats().oldVersions).toBeGreaterThan(0);
    expect(valueOf(snapshot, page)).toBe(1);
    snapshot.release();
    write(pager, (tx) => tx.setU32(tx.edit(page), 24, 3));
    expect(pager.stats().oldVersions).toBe(0);
    pager.close();
  });
});

describe('readers', () => {
  test('the age of the oldest snapshot, and other connections that read', () => {
    const env = new SimEnv({ seed: 1 });
    const vfs = new MemoryVfs({ env });
    const pager = openPager({}, new MortalVfs(vfs, 101));
    const other = openPager({}, new MortalVfs(vfs, 102));
    expect([pager.stats().oldestSnapshotMs, pager.stats().readers]).toEqual([0, 0]);
    const snapshot = pager.snapshot();
    env.advance(250);
    const second = pager.snapshot();
    env.advance(50);
    expect(pager.stats().oldestSnapshotMs).toBe(300);
    expect(other.stats().readers).toBe(1);
    snapshot.release();
    expect(pager.stats().oldestSnapshotMs).toBe(50);
    second.release();
    expect(pager.stats().oldestSnapshotMs).toBe(0);
    other.close();
    pager.close();
  });
});

describe('durations', () => {
  test('of commits, syncs and checkpoints, on a clock that moves with every look', async () => {
    const pager = openPager({}, slowVfs());
    write(pager, (tx) => newPage(tx, 1));
    const { commit, sync } = pager.stats().latencies;
    expect([commit.count, sync.count]).toEqual([1, pager.stats().syncs]);
    expect(commit.sum).toBeGreaterThan(0.01);
    expect(sync.newest.every((seconds) => seconds >= 0.01)).toBe(true);
    const group = [1, 2, 3].map((value) => {
      const tx = pager.begin();
      newPage(tx, value);
      return tx.commitAsync();
    });
    await Promise.all(group);
    expect(pager.stats().latencies.commit.count).toBe(4);
    pager.checkpoint();
    expect(pager.stats().latencies.checkpoint).toMatchObject({ count: pager.stats().checkpoints });
    expect(pager.stats().latencies.checkpoint.sum).toBeCloseTo(pager.stats().checkpointMs / 1000, 9);
    pager.close();
  });

  test('for which commits wait for a checkpoint, whichever connection makes it', () => {
    const env = new SimEnv({ seed: 1 });
    const vfs = new MemoryVfs({ env });
    const pager = openPager({}, new MortalVfs(vfs, 101));
    const other = openPager({}, new MortalVfs(vfs, 102));
    env.advance(1000);
    expect(other.stats().checkpointAgeMs).toBe(0);
    write(other, (tx) => newPage(tx, 1));
    expect(other.stats().checkpointAgeMs).toBe(0);
    env.advance(500);
    write(other, (tx) => newPage(tx, 2));
    expect(other.stats().checkpointAgeMs).toBe(500);
    expect(valueOf(pager.view, 3)).toBe(1);
    expect(pager.stats().checkpointAgeMs).toBe(0); // this connection sees them only now
    env.advance(40);
    expect([pager.stats().checkpointAgeMs, other.stats().checkpointAgeMs]).toEqual([40, 540]);
    other.checkpoint();
    env.advance(40);
    expect(other.stats().checkpointAgeMs).toBe(0);
    other.close();
    pager.close();
  });
});

test('damage is counted each time that a read meets it, and told to the hook', () => {
  const vfs = new MemoryVfs();
  const first = openPager({}, vfs);
  const page = write(first, (tx) => newPage(tx, 7));
  first.close();
  const file = vfs.open('t.db', { write: true });
  file.pwrite([new Uint8Array(40).fill(9)], page * SMALL.pageSize + 100);
  file.close();
  const met: string[] = [];
  const pager = openPager({ hooks: { corruption: ({ code }) => met.push(code) } }, vfs);
  expect(pager.stats().corruptions).toBe(0);
  expect(codeOf(() => valueOf(pager.view, page))).toBe('SOMBRA_PAGE_CHECKSUM');
  expect(codeOf(() => valueOf(pager.view, page))).toBe('SOMBRA_PAGE_CHECKSUM');
  expect(codeOf(() => pager.view.page(10_000))).toBe('SOMBRA_PAGE_RANGE');
  expect(pager.stats().corruptions).toBe(3);
  expect(met).toEqual(['SOMBRA_PAGE_CHECKSUM', 'SOMBRA_PAGE_CHECKSUM', 'SOMBRA_PAGE_RANGE']);
  pager.close();
});

test('the limit of the log', () => {
  const pager = openPager({ maxWalSizeMb: 3 });
  expect(pager.stats().maxWalBytes).toBe(3 * 2 ** 20);
  pager.close();
});
