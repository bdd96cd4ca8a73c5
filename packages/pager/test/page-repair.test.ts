// Goal: a page of main that cannot be read is looked at with WRITE before it is called damaged, and getting WRITE takes no longer than
// busyTimeoutMs, is announced to the holder, and asks other connections of the thread first.
// Method: connections on a file system in memory with a simulated clock; one page of main is damaged after a checkpoint.
import { MemoryVfs } from '@sombra/vfs';
import { SimEnv } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import type { Pager, PagerOptions } from '../src/index.ts';
import { LOCK_BASE, LOCK_WAIT } from '../src/sharing/locks.ts';
import { MortalVfs } from './support/mortal-vfs.ts';
import { codeOf, newPage, openPager, SMALL, valueOf, write } from './support/open.ts';

/** Looks at the locks whenever time passes. */
class WatchingEnv extends SimEnv {
  onSleep: (() => void) | undefined;

  override sleep(ms: number): void {
    super.sleep(ms);
    this.onSleep?.();
  }
}

interface Scene {
  env: WatchingEnv;
  writer: Pager;
  reader: Pager;
  damaged: number;
  isAwaited: () => boolean;
  mend: () => void;
}

function scene(pids: [number, number], options: Partial<PagerOptions>): Scene {
  const env = new WatchingEnv({ seed: 1 });
  const vfs = new MemoryVfs({ env });
  const writer = openPager({}, new MortalVfs(vfs, pids[0]));
  const damaged = write(writer, (tx) => newPage(tx, 7));
  writer.checkpoint();
  const reader = openPager(options, new MortalVfs(vfs, pids[1]));
  const file = vfs.open('t.db', { write: true });
  const whole = new Uint8Array(SMALL.pageSize);
  file.pread(whole, damaged * SMALL.pageSize);
  file.pwrite([new Uint8Array(40).fill(9)], damaged * SMALL.pageSize + 100);
  const isAwaited = (): boolean => {
    if (!file.tryLock(LOCK_BASE + LOCK_WAIT, 1, 'exclusive')) return true;
    file.unlock(LOCK_BASE + LOCK_WAIT, 1);
    return false;
  };
  const mend = (): void => void file.pwrite([whole], damaged * SMALL.pageSize);
  return { env, writer, reader, damaged, isAwaited, mend };
}

function end({ writer, reader }: Scene): void {
  writer.close();
  reader.close();
}

test.each([0, 100, 300])('while another process writes, it gives up after busyTimeoutMs %i and holds WAIT', (ms) => {
  const it = scene([101, 102], { busyTimeoutMs: ms });
  const { env, writer, reader, damaged, isAwaited } = it;
  const tx = writer.begin();
  let awaited = 0;
  env.onSleep = () => (awaited += isAwaited() ? 1 : 0);
  const began = env.monotonicMs();
  expect(codeOf(() => valueOf(reader.view, damaged))).toBe('SOMBRA_BUSY');
  expect(env.monotonicMs() - began).toBeGreaterThanOrEqual(ms);
  expect(env.monotonicMs() - began).toBeLessThan(ms + 20);
  expect(awaited > 0).toBe(ms > 0);
  expect(isAwaited()).toBe(false);
  tx.rollback();
  expect(codeOf(() => valueOf(reader.view, damaged))).toBe('SOMBRA_PAGE_CHECKSUM');
  end(it);
});

test('while nobody writes, a damaged page is called damaged at once', () => {
  const it = scene([101, 102], { busyTimeoutMs: 60_000 });
  const { env, reader, damaged } = it;
  let slept = 0;
  env.onSleep = () => (slept += 1);
  for (let i = 0; i < 100; i += 1) expect(codeOf(() => valueOf(reader.view, damaged))).toBe('SOMBRA_PAGE_CHECKSUM');
  expect(slept).toBe(0);
  end(it);
});

test('a holder that gives WRITE back is not waited for any longer', () => {
  const it = scene([101, 102], { busyTimeoutMs: 60_000 });
  const { env, writer, reader, damaged } = it;
  const tx = writer.begin();
  const began = env.monotonicMs();
  env.onSleep = () => {
    if (env.monotonicMs() - began > 50) tx.rollback();
  };
  expect(codeOf(() => valueOf(reader.view, damaged))).toBe('SOMBRA_PAGE_CHECKSUM');
  expect(env.monotonicMs() - began).toBeLessThan(100);
  end(it);
});

test('a page that is mended meanwhile is read', () => {
  const it = scene([101, 102], { busyTimeoutMs: 60_000 });
  const { env, writer, reader, damaged, mend } = it;
  const tx = writer.begin();
  const began = env.monotonicMs();
  env.onSleep = () => {
    if (env.monotonicMs() - began > 50) mend();
  };
  expect(valueOf(reader.view, damaged)).toBe(7);
  expect(env.monotonicMs() - began).toBeLessThan(100);
  tx.rollback();
  end(it);
});

test('another connection of the same thread lets go when it is idle, and is named at once when it is not', () => {
  const it = scene([101, 101], { busyTimeoutMs: 60_000 });
  const { env, writer, reader, damaged } = it;
  for (let i = 0; i < 3; i += 1) write(writer, (tx) => newPage(tx, i)); // keeps WRITE
  const began = env.monotonicMs();
  expect(codeOf(() => valueOf(reader.view, damaged))).toBe('SOMBRA_PAGE_CHECKSUM');
  const tx = writer.begin();
  expect(codeOf(() => valueOf(reader.view, damaged))).toBe('SOMBRA_BUSY');
  expect(env.monotonicMs() - began).toBeLessThan(100);
  tx.rollback();
  end(it);
});
