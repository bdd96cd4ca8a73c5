// Goal: what goes wrong between two calls (hooks, timers, later turns of the event loop) skips no release and never ends the program.
// Method: hooks that throw, a file system that fails at that moment, an environment whose deferred work the test runs itself.
import { MemoryVfs, NodeEnv } from '@sombra/vfs';
import type { EnvWarning } from '@sombra/vfs';
import { FaultyVfs } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import type { PagerWarning } from '../src/index.ts';
import { MortalVfs } from './support/mortal-vfs.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';

/** Collects what is deferred and what timers would run. */
class Idle extends NodeEnv {
  readonly deferred: (() => void)[] = [];
  readonly warned: string[] = [];
  override warn({ code, cause }: EnvWarning): void {
    this.warned.push(`${code}: ${(cause as Error).message}`);
  }

  override defer(fn: () => void): void {
    this.deferred.push(fn);
  }

  runDeferred(): void {
    for (const run of this.deferred.splice(0)) run();
  }
}

test('a hook that throws does not keep WRITE from being given back', async () => {
  const env = new Idle();
  const vfs = new MemoryVfs({ env });
  const hooks = {
    warning: (): never => {
      throw new Error('a hook of the application');
    },
  };
  const a = openPager({ hooks, maxWalSizeMb: 0.05 }, new MortalVfs(vfs, 100));
  const b = openPager({}, new MortalVfs(vfs, 101));
  const first = write(a, (tx) => newPage(tx, 1));
  const kept = b.snapshot(); // no checkpoint can shorten the log below its limit
  await new Promise((resolve) => setTimeout(resolve, 20)); // the first commit's WRITE has been given back
  write(a, (tx) => {
    for (let i = 0; i < 30; i += 1) {
      const page = newPage(tx, i);
      tx.setBytes(tx.edit(page), 100, new Uint8Array(3000).fill(i), 0, 3000);
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(codeOf(() => b.begin(0).rollback())).toBe('no error');
  expect(valueOf(kept, first)).toBe(1);
  expect(() => env.runDeferred()).not.toThrow();
  expect(env.warned).toEqual(['SOMBRA_HOOK_FAILED: a hook of the application']); // not lost either
  kept.release();
  for (const pager of [a, b]) pager.close();
});

test('a view whose end fails in a later turn ends no program, and the log is kept until the end succeeds', () => {
  const env = new Idle();
  const vfs = new MemoryVfs({ env });
  const faults = new FaultyVfs(new MortalVfs(vfs, 100));
  const warnings: PagerWarning[] = [];
  const a = openPager({ hooks: { warning: (warning) => warnings.push(warning) } }, faults);
  const b = openPager({}, new MortalVfs(vfs, 101));
  const page = write(b, (tx) => newPage(tx, 1));
  const change = (value: number): void => write(b, (tx) => tx.setU32(tx.edit(page), 24, value));
  expect(valueOf(a.view, page)).toBe(1); // marked until the end of the turn
  change(2);
  const second = a.snapshot();
  faults.add({ op: 'pwrite', file: /shm/, nth: 1, action: 'EIO' });
  expect(() => env.runDeferred()).not.toThrow();
  expect(warnings.map(({ code }) => code)).toEqual(['SOMBRA_UPKEEP_FAILED']);
  change(3);
  const third = a.snapshot();
  second.release();
  change(4);
  b.checkpoint();
  expect(valueOf(third, page)).toBe(3);
  expect(b.stats().checkpointLsn).toBe(3);
  third.release();
  for (const pager of [a, b]) pager.close();
});
