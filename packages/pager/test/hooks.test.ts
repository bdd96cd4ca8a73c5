// Goal: hooks tell what happens, and one that throws disturbs nothing.
// Method: a file system whose deferred calls are collected instead of run: what a hook throws has to turn up there.
import { MemoryVfs, NodeEnv } from '@sombra/vfs';
import { expect, test } from 'vitest';
import type { PagerHooks } from '../src/index.ts';
import { newPage, openPager, valueOf, write } from './support/open.ts';

/** Collects what is deferred. */
class Deferring extends NodeEnv {
  readonly deferred: (() => void)[] = [];
  override defer(fn: () => void): void {
    this.deferred.push(fn);
  }
}

test('commit, rotation, checkpoint and recovery are told, with figures', () => {
  const told: [string, ...unknown[]][] = [];
  const hooks: PagerHooks = {
    commit: (lsn, pages, logBytes) => told.push(['commit', lsn, pages, logBytes > 0]),
    rotated: (seq) => told.push(['rotated', seq]),
    checkpoint: (lsn, pages, ms) => told.push(['checkpoint', lsn, pages, ms >= 0]),
    recovered: (lsn, commits) => told.push(['recovered', lsn, commits]),
  };
  const pager = openPager({ hooks, maxWalSizeMb: 0.05, checkpointAfterBytes: 1e9, locking: 'exclusive' });
  write(pager, (tx) => [newPage(tx, 1), newPage(tx, 2), newPage(tx, 3)]);
  write(pager, (tx) => [newPage(tx, 4), newPage(tx, 5)]);
  pager.checkpoint();
  pager.close();
  expect(told).toEqual([
    ['recovered', 0, 0],
    ['commit', 1, 3, true],
    ['rotated', 2],
    ['commit', 2, 2, true],
    ['checkpoint', 2, 5, true],
    ['checkpoint', 2, 0, true], // the last one, at close
  ]);
});

test.each(['shared', 'exclusive'] as const)(
  '%s: hooks that throw change nothing, and their errors are not lost',
  (locking) => {
    const env = new Deferring();
    const vfs = new MemoryVfs({ env });
    const thrown: string[] = [];
    const fail = (name: string) => (): never => {
      thrown.push(name);
      throw new Error(name);
    };
    const hooks: PagerHooks = {
      commit: fail('commit'),
      rotated: fail('rotated'),
      checkpoint: fail('checkpoint'),
      recovered: fail('recovered'),
      warning: fail('warning'),
    };
    const options = { hooks, locking, maxWalSizeMb: 0.05, checkpointAfterBytes: 1e9 } as const;
    let pager = openPager(options, vfs);
    for (let i = 1; i <= 9; i += 1) {
      const page = write(pager, (tx) => newPage(tx, i));
      expect([valueOf(pager.view, page), pager.view.lsn]).toEqual([i, i]);
    }
    pager.checkpoint();
    pager.close();
    pager = openPager(options, vfs);
    expect(pager.check()).toEqual([]);
    expect(pager.view.lsn).toBe(9);
    pager.close();
    expect(new Set(thrown)).toEqual(new Set(['recovered', 'commit', 'rotated', 'checkpoint']));
    const surfaced: string[] = [];
    for (const fn of env.deferred) {
      try {
        fn();
      } catch (error) {
        surfaced.push((error as Error).message);
      }
    }
    expect(surfaced).toEqual(thrown);
  },
);
