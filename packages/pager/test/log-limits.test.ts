// Goal: a reader that keeps the log from shrinking raises an alert, ends when it is too old, and stops writers only at a hard limit.
// Method: two connections on a file system in memory whose clock and timers the test moves.
import { MemoryVfs } from '@sombra/vfs';
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
  expect(valueOf(old, page)).toBe(0); // the log is small: nobody is in the way
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
