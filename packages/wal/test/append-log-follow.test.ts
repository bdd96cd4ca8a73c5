// Goal: asynchronous appends are acknowledged in order, when durable, with shared syncs; a follower gets every record once and ends
// when it should; hooks say what happened and cannot disturb. Method: small logs in memory, and on a disk whose syncs fail.
import { MemoryVfs } from '@sombra/vfs';
import { FaultyVfs } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { AppendLog } from '../src/index.ts';
import type { AppendLogHooks, AppendLogOptions } from '../src/index.ts';
import { codeOf } from './support/files.ts';

function openLog(more: Partial<AppendLogOptions> = {}): AppendLog {
  return AppendLog.open({ vfs: new MemoryVfs(), path: 'events', segmentSize: 4096, ...more });
}

const record = (i: number): Uint8Array => new TextEncoder().encode(`${i}`.padEnd(300, '.'));

async function codeOfPromise(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error);
  }
  return 'no error';
}

describe('appendAsync', () => {
  test.each(['full', 'normal'] as const)(
    'mode %s: in order, durable when acknowledged, syncs are shared',
    async (syncMode) => {
      const log = openLog({ syncMode });
      const order: number[] = [];
      await Promise.all(
        Array.from({ length: 64 }, async (_, i) => {
          const position = await log.appendAsync(record(i));
          expect(log.stats().durable).toBeGreaterThanOrEqual(position);
          order.push(position);
        }),
      );
      expect(order).toEqual(Array.from({ length: 64 }, (_, i) => i + 1));
      expect(log.stats()).toMatchObject({ last: 64, durable: 64 });
      expect(log.stats().segments).toBeGreaterThan(3);
      expect(log.stats().syncs).toBeLessThan(10);
      expect([...log.read()].map(({ position }) => position)).toEqual(order);
      log.close();
    },
  );

  test('a synchronous append behind one covers it', async () => {
    const log = openLog();
    const waiting = log.appendAsync(record(1));
    expect(log.stats()).toMatchObject({ last: 1, durable: 0 });
    log.append(record(2));
    expect(log.stats()).toMatchObject({ last: 2, durable: 2 });
    expect(await waiting).toBe(1);
    log.close();
  });

  test('a failed sync rejects, calls the hook once, and ends the writing', async () => {
    const vfs = new FaultyVfs(new MemoryVfs());
    const poisoned: unknown[] = [];
    const log = openLog({ vfs, hooks: { poisoned: (cause) => void poisoned.push(cause) } });
    vfs.add({ op: 'sync', nth: 1, action: 'EIO' });
    const codes = await Promise.all([1, 2].map((i) => codeOfPromise(log.appendAsync(record(i)))));
    // This disk fails at once: the second append already finds the log poisoned.
    expect(codes).toEqual(['SOMBRA_SYNC', 'SOMBRA_LOCK_POISONED']);
    expect(await codeOfPromise(log.appendAsync(record(3)))).toBe('SOMBRA_LOCK_POISONED');
    expect(poisoned).toHaveLength(1);
    log.close();
  });

  test('misuse and closing are rejections', async () => {
    const log = openLog();
    expect(await codeOfPromise(log.appendAsync('text' as unknown as Uint8Array))).toContain('TypeError');
    log.close();
    expect(await codeOfPromise(log.appendAsync(record(1)))).toBe('SOMBRA_CLOSED');
  });
});

describe('follow', () => {
  test('gives what is there and what comes, over files, once each and in order', async () => {
    const log = openLog({ syncMode: 'normal' });
    for (let i = 1; i <= 20; i += 1) log.append(record(i));
    const found: number[] = [];
    const follower = (async () => {
      for await (const { position } of log.follow(5)) {
        found.push(position);
        if (position === 60) break;
      }
    })();
    for (let i = 21; i <= 60; i += 1) {
      log.append(record(i));
      if (i % 7 === 0) await Promise.resolve();
    }
    await follower;
    expect(found).toEqual(Array.from({ length: 56 }, (_, i) => i + 5));
    log.close();
  });

  test('a position that is still to come waits for that record', async () => {
    const log = openLog();
    const next = log.follow(3).next();
    for (let i = 1; i <= 3; i += 1) log.append(record(i));
    expect((await next).value).toMatchObject({ position: 3 });
    log.close();
  });

  test.each(['close', 'abort'])('ends by %s', async (how) => {
    const log = openLog();
    const controller = new AbortController();
    log.append(record(1));
    const walk = log.follow(1, { signal: controller.signal });
    expect((await walk.next()).value).toMatchObject({ position: 1 });
    const next = walk.next();
    if (how === 'close') log.close();
    else controller.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    log.close();
  });

  test('a reader that falls behind gets an error; misuse throws at once', async () => {
    const log = openLog();
    const walk = log.follow(1);
    for (let i = 1; i <= 60; i += 1) log.append(record(i));
    const first = log.truncateBefore(50);
    expect(first).toBeGreaterThan(1);
    expect(await codeOfPromise(walk.next())).toBe('SOMBRA_TRUNCATED');
    expect(codeOf(() => log.follow(1))).toBe('SOMBRA_TRUNCATED');
    expect(() => log.follow(0)).toThrow(RangeError);
    log.close();
    expect(codeOf(() => log.follow(first))).toBe('SOMBRA_CLOSED');
  });
});

describe('hooks', () => {
  test('say what happened', () => {
    const calls: unknown[][] = [];
    const note =
      (name: string) =>
      (...args: unknown[]): void =>
        void calls.push([name, ...args]);
    const hooks: AppendLogHooks = {
      appended: note('appended'),
      synced: note('synced'),
      rotated: note('rotated'),
      truncated: note('truncated'),
    };
    const log = openLog({ syncMode: 'normal', hooks });
    while (log.stats().segments < 2) log.append(record(0));
    const { last } = log.stats();
    log.sync();
    const first = log.truncateBefore(last);
    const appended = Array.from({ length: last }, (_, i) => ['appended', i + 1, 300]);
    expect(calls).toEqual([
      ...appended.slice(0, -1),
      ['rotated', 2, last],
      ['synced', last - 1],
      appended.at(-1),
      ['synced', last],
      ['truncated', first],
    ]);
    log.close();
  });

  test('one that throws disturbs nothing', () => {
    const warned: [code: string, cause: unknown][] = [];
    const vfs = new MemoryVfs();
    vfs.env.warn = ({ code, cause }) => void warned.push([code, (cause as Error).message]);
    const log = openLog({
      vfs,
      hooks: {
        appended: () => {
          throw new Error('mine');
        },
      },
    });
    expect([log.append(record(1)), log.append(record(2))]).toEqual([1, 2]);
    expect(warned).toEqual([
      ['SOMBRA_HOOK_FAILED', 'mine'],
      ['SOMBRA_HOOK_FAILED', 'mine'],
    ]);
    log.close();
  });

  test.each([{ hooks: 7 }, { hooks: { append: () => undefined } }, { hooks: { synced: 1 } }])(
    '%o is refused',
    (more) => {
      expect(codeOf(() => openLog(more as unknown as Partial<AppendLogOptions>))).toBe('SOMBRA_CONFIG');
    },
  );
});
