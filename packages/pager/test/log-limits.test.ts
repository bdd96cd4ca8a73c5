// Goal: a reader that keeps the log from shrinking raises an alert, ends when it is too old, and stops writers only at a hard limit.
// Method: two connections on a file system in memory whose clock and timers the test moves.
import { MemoryVfs, NodeEnv } from '@sombra/vfs';
import { SimEnv } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import type { PagerWarning } from '../src/index.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';

test('an old snapshot ends only while the log is over its limit, unless it is exempt', () => {
  const env = new SimEnv({ seed: 1 });
  const vfs = new MemoryVfs({ env });
  const told: PagerWarning[] = [];
  const options = { maxWalSizeMb: 0.1, readTimeoutMs: 1000 };
  const writer = openPager({ ...options, hooks: { warning: (warning) => told.push(warning) } }, vfs);
  const reader = openPager(options, vfs);
  const page = write(writer, (tx) => newPage(tx, 0));
  const old = reader.snapshot();
  env.advance(5000);
  expect(valueOf(old, page)).toBe(0); // the log is small: no reader is in the way
  const exempt = reader.snapshot({ exempt: true });
  const fill = (): void => {
    for (let i = 1; i <= 60; i += 1)
      write(writer, (tx) => tx.setBytes(tx.edit(page), 100, new Uint8Array(3000).fill(i), 0, 3000));
  };
  fill();
  expect(told.map(({ code }) => code)).toEqual(['SOMBRA_LOG_OVER_LIMIT']);
  env.advance(2000);
  expect(codeOf(() => old.page(page))).toBe('SOMBRA_SNAPSHOT_TOO_OLD');
  expect(old.closed).toBe(true);
  expect(valueOf(exempt, page)).toBe(0);
  exempt.release();
  writer.checkpoint();
  expect(writer.stats().logBytesSinceCheckpoint).toBe(0);
  const young = reader.snapshot();
  fill();
  env.advance(300);
  expect(young.closed).toBe(false);
  writer.close();
  reader.close();
});

test('at the hard limit writers are refused until the log can shrink', () => {
  const vfs = new MemoryVfs();
  const writer = openPager({ maxWalSizeMb: 0.1, walHardLimitMb: 0.3 }, vfs);
  const page = write(writer, (tx) => newPage(tx, 0));
  const snapshot = writer.snapshot();
  const code = codeOf(() => {
    for (let i = 1; i <= 1000; i += 1)
      write(writer, (tx) => tx.setBytes(tx.edit(page), 100, new Uint8Array(3000).fill(i), 0, 3000));
  });
  expect(code).toBe('SOMBRA_LOG_FULL');
  expect(valueOf(snapshot, page)).toBe(0);
  snapshot.release();
  write(writer, (tx) => tx.setU32(tx.edit(page), 24, 7));
  expect(valueOf(writer.view, page)).toBe(7);
  writer.close();
});

test.each([
  ['exclusive', { locking: 'exclusive' }],
  ['single-process', { locking: 'single-process' }],
  ['with the log in memory', { enableWal: false }],
] as const)('%s: a forgotten snapshot ends, too, when it is old and the log over its limit', (_, more) => {
  const env = new SimEnv({ seed: 1 });
  const pager = openPager({ maxWalSizeMb: 0.1, readTimeoutMs: 1000, ...more }, new MemoryVfs({ env }));
  const page = write(pager, (tx) => newPage(tx, 0));
  const forgotten = pager.snapshot();
  const fill = (): void => {
    for (let i = 1; i <= 60; i += 1)
      write(pager, (tx) => tx.setBytes(tx.edit(page), 100, new Uint8Array(3000).fill(i), 0, 3000));
  };
  fill();
  expect(pager.stats().logBytesSinceCheckpoint).toBeGreaterThan(0.1 * 2 ** 20);
  env.advance(2000);
  expect(codeOf(() => forgotten.page(page))).toBe('SOMBRA_SNAPSHOT_TOO_OLD');
  fill();
  expect(pager.stats().logBytesSinceCheckpoint).toBeLessThan(0.11 * 2 ** 20);
  pager.close();
});

test('closing leaves no timer behind, with a snapshot open and a transaction that was', () => {
  const timers = new Set<unknown>();
  const env = new NodeEnv();
  const inner = { set: env.setTimer.bind(env), clear: env.clearTimer.bind(env) };
  env.setTimer = (fn, ms, keepsAlive) => {
    const timer = inner.set(() => (timers.delete(timer), fn()), ms, keepsAlive);
    timers.add(timer);
    return timer;
  };
  env.clearTimer = (timer) => (timers.delete(timer), inner.clear(timer));
  const vfs = new MemoryVfs({ env });
  openPager({}, vfs).close();
  const known = new Set(timers); // memory that is kept for the next connection
  const pager = openPager({ transactionTimeoutMs: 2 ** 40, readTimeoutMs: 2 ** 40 }, vfs);
  pager.snapshot();
  write(pager, (tx) => newPage(tx, 1));
  pager.begin();
  expect(timers.size).toBeGreaterThan(known.size);
  pager.close();
  expect([...timers].filter((timer) => !known.has(timer)).length).toBeLessThanOrEqual(1);
});
