// Goal: a job that was accepted is done, in order, whatever fails or dies meanwhile, and never forgotten. Method: queues in memory, on a disk
// that loses its power before each operation, on real files with a process that is killed; handlers that fail as often as the test says.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { MemoryVfs } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { FaultyVfs, Random, SimDisk } from '@sombra/vfs/testing';
import { AppendLog } from '@sombra/wal';
import { describe, expect, test, vi } from 'vitest';
import { openJobQueue } from '../src/index.ts';
import type { JobEvent, JobHandler, JobQueue, JobQueueOptions } from '../src/index.ts';
import { folder } from './support/folder.ts';
import { codeOf } from './support/objects.ts';

const FAST = { retryMs: 1, retryMaxMs: 2 };

async function open(
  vfs: Vfs,
  handlers: Record<string, JobHandler>,
  more: Partial<JobQueueOptions> = {},
): Promise<JobQueue> {
  return await openJobQueue('jobs', { vfs, handlers, ...FAST, ...more });
}

/** A handler that never ends by itself. */
const stuck: JobHandler = (_payload, { signal }) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

describe('jobs', () => {
  test('are done in the order in which they were asked for, each once', async () => {
    const seen: unknown[] = [];
    const queue = await open(new MemoryVfs(), { note: (payload) => Promise.resolve(void seen.push(payload)) });
    for (let i = 0; i < 50; i += 1) expect(await queue.add('note', { i })).toBe(i + 1);
    await queue.idle();
    expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => ({ i })));
    expect(queue.stats()).toEqual({ waiting: 0, running: 0, givenUp: 0, done: 50, failures: 0 });
    await queue.close();
  });

  test('run at once as far as is allowed', async () => {
    let [running, most] = [0, 0];
    const handler: JobHandler = async () => {
      most = Math.max(most, (running += 1));
      await new Promise((resolve) => setTimeout(resolve, 2));
      running -= 1;
    };
    const queue = await open(new MemoryVfs(), { wait: handler }, { concurrency: 4 });
    await Promise.all(Array.from({ length: 20 }, () => queue.add('wait', null)));
    await queue.idle();
    expect([most, queue.stats().done]).toEqual([4, 20]);
    await queue.close();
  });

  test('are tried again until they succeed, and those behind them wait', async () => {
    const [tries, events]: [number[], JobEvent[]] = [[], []];
    const handler: JobHandler = (payload, { attempt }) => {
      tries.push(payload as number);
      return attempt < 3 ? Promise.reject(new Error(`no ${attempt}`)) : Promise.resolve();
    };
    const queue = await open(new MemoryVfs(), { hard: handler }, { onEvent: (event) => events.push(event) });
    await queue.add('hard', 1);
    await queue.add('hard', 2);
    await queue.idle();
    expect(tries).toEqual([1, 1, 1, 2, 2, 2]);
    expect(events.map(({ event }) => event)).toEqual(['failed', 'failed', 'done', 'failed', 'failed', 'done']);
    expect(events[1]).toMatchObject({ job: { failures: 2, lastError: 'no 2' } });
    await queue.close();
  });

  test('that are given up are kept, can be tried again, and forgotten', async () => {
    const vfs = new MemoryVfs();
    let works = false;
    const handlers: Record<string, JobHandler> = {
      odd: () => (works ? Promise.resolve() : Promise.reject(new Error('not today'))),
    };
    let queue = await open(vfs, handlers, { maxAttempts: 2 });
    await queue.add('odd', 'a');
    await queue.add('odd', 'b');
    await queue.idle();
    await queue.close();
    queue = await open(vfs, handlers, { maxAttempts: 2 });
    expect(queue.givenUp().map(({ payload, failures, lastError }) => [payload, failures, lastError])).toEqual([
      ['a', 2, 'not today'],
      ['b', 2, 'not today'],
    ]);
    works = true;
    expect(await queue.retry(1)).toBe(3);
    await queue.idle();
    await queue.forget(2);
    expect([queue.givenUp(), queue.stats().done]).toEqual([[], 1]);
    expect(await codeOf(queue.retry(1))).toBe('SOMBRA_OPTION');
    await queue.close();
  });

  test('keep what was asked for, whatever the caller does with it', async () => {
    const seen: unknown[] = [];
    const queue = await open(new MemoryVfs(), { note: (payload) => Promise.resolve(void seen.push(payload)) });
    const payload = { names: ['ada'] };
    const added = queue.add('note', payload);
    payload.names.push('eve');
    await added;
    await queue.idle();
    expect(seen).toEqual([{ names: ['ada'] }]);
    await queue.close();
  });

  test('of a long backlog keep their order over a close, and run as many at once as those that are new', async () => {
    const vfs = new MemoryVfs();
    const first = await open(vfs, { work: stuck });
    await Promise.all(Array.from({ length: 9000 }, (_, i) => first.add('work', i)));
    await first.close();
    const seen: number[] = [];
    const second = await open(vfs, { work: (payload) => Promise.resolve(void seen.push(payload as number)) });
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(300), { timeout: 20_000 });
    await second.close();
    const log = AppendLog.open({ vfs, path: 'jobs' });
    const appended = log.stats().last;
    log.close();
    expect(appended - 9000).toBeLessThan(2 * seen.length + 10); // one record for each that is done, and at most one that is written again
    const third = await open(vfs, { work: stuck }, { concurrency: 3 });
    expect(third.jobs().map(({ payload }) => payload)).toEqual(
      Array.from({ length: 9000 }, (_, i) => i).slice(seen.length),
    );
    await vi.waitFor(() => expect(third.stats().running).toBe(3));
    await third.close();
  });

  test('that end while others are given up and written again never come back', async () => {
    const vfs = new MemoryVfs();
    const done = new Map<unknown, number>();
    const handlers: Record<string, JobHandler> = {
      odd: () => Promise.reject(new Error('no')),
      work: (payload) => Promise.resolve(void done.set(payload, (done.get(payload) ?? 0) + 1)),
    };
    const queue = await open(vfs, handlers, { concurrency: 4, maxAttempts: 1 });
    await queue.add('odd', 'x');
    for (let round = 0; round < 60; round += 1)
      await Promise.all(Array.from({ length: 50 }, (_, i) => queue.add('work', round * 50 + i)));
    await queue.idle();
    await queue.close();
    const again = await open(vfs, handlers, { maxAttempts: 1 });
    expect([again.jobs(), again.givenUp().map(({ payload }) => payload)]).toEqual([[], ['x']]);
    await again.close();
    expect([done.size, Math.max(...done.values())]).toEqual([3000, 1]);
  });

  test('that are not done when the queue is closed are done by the next one, also those that ran', async () => {
    const vfs = new MemoryVfs();
    const first = await open(vfs, { work: stuck });
    for (const payload of [1, 2, 3]) await first.add('work', payload);
    await vi.waitFor(() => expect(first.stats()).toMatchObject({ waiting: 2, running: 1 }));
    const idle = codeOf(first.idle());
    await first.close();
    await first.close();
    expect(await idle).toBe('SOMBRA_CLOSED');
    expect(await codeOf(first.add('work', 4))).toBe('SOMBRA_CLOSED');
    const seen: unknown[] = [];
    const second = await open(vfs, { work: (payload) => Promise.resolve(void seen.push(payload)) });
    await second.idle();
    expect(seen).toEqual([1, 2, 3]);
    await second.close();
  });

  test('without a handler wait for one', async () => {
    const vfs = new MemoryVfs();
    const first = await open(vfs, { work: stuck });
    await first.add('work', 1);
    await first.close();
    const events: JobEvent[] = [];
    const second = await open(vfs, { other: stuck }, { onEvent: (event) => events.push(event) });
    await vi.waitFor(() => expect(events).not.toEqual([]));
    expect(events[0]).toMatchObject({ event: 'failed', error: { code: 'SOMBRA_JOB_HANDLER' } });
    await second.close();
    const third = await open(vfs, { work: () => Promise.resolve() });
    await third.idle();
    expect(third.stats().done).toBe(1);
    await third.close();
  });
});

describe('the file', () => {
  test('stays small, however many jobs have passed and however long one stays', async () => {
    const vfs = new MemoryVfs();
    const queue = await open(
      vfs,
      { work: () => Promise.resolve(), stay: () => Promise.reject(new Error('no')) },
      { maxAttempts: 1 },
    );
    const stays = await queue.add('stay', 'x');
    for (let i = 0; i < 80; i += 1)
      await Promise.all(Array.from({ length: 40 }, () => queue.add('work', 'y'.repeat(500))));
    await queue.idle();
    const bytes = vfs.list('.').reduce((sum, name) => sum + vfs.stat(name)!.size, 0);
    expect(bytes).toBeLessThan(8 * 1024 * 1024);
    expect(queue.givenUp().map(({ id }) => id)).toEqual([stays]);
    await queue.close();
    const again = await open(vfs, { work: stuck });
    expect([again.jobs(), again.givenUp().map(({ payload }) => payload)]).toEqual([[], ['x']]);
    await again.close();
  });

  test('of another queue that is open, and one with records that are none, are refused', async () => {
    const vfs = new MemoryVfs();
    const queue = await open(vfs, { work: stuck });
    expect(await codeOf(open(vfs, { work: stuck }))).toBe('SOMBRA_BUSY');
    await queue.close();
    const hostile = [
      '',
      'null',
      '[]',
      '{}',
      '{"add":{}}',
      '{"add":{"id":-1,"kind":"a","payload":1,"addedMs":1,"failures":0}}',
      '{"done":"1"}',
      '{"failed":1}',
      '\ud800',
      '{"gaveUp":1.5}',
    ];
    for (const text of hostile) {
      const disk = new MemoryVfs();
      const log = AppendLog.open({ vfs: disk, path: 'jobs' });
      log.append(new TextEncoder().encode(text));
      log.close();
      expect([text, await codeOf(open(disk, { work: stuck }))]).toEqual([text, 'SOMBRA_JOBS']);
    }
  });

  test('on a full disk: nothing is accepted that is not there, and what is done is noted when there is room', async () => {
    const vfs = new FaultyVfs(new MemoryVfs());
    let calls = 0;
    const queue = await open(vfs, {
      work: () => {
        calls += 1;
        for (let nth = 1; nth <= 3; nth += 1) vfs.add({ op: 'pwrite', nth, action: 'ENOSPC' });
        return Promise.resolve();
      },
    });
    await queue.add('work', 1);
    await queue.idle();
    expect([calls, queue.stats().done]).toEqual([1, 1]);
    vfs.add({ op: 'pwrite', action: 'ENOSPC' });
    const refused = codeOf(queue.add('work', 2));
    const idle = queue.idle(); // asked for while that is under way
    expect(await refused).toBe('SOMBRA_DISK_FULL');
    await idle;
    expect(queue.jobs()).toEqual([]);
    await queue.close();
  });

  test('whose sync fails ends the queue, with its cause, and the next one has the jobs', async () => {
    const memory = new MemoryVfs();
    const vfs = new FaultyVfs(memory);
    const events: JobEvent[] = [];
    let queue = await open(
      vfs,
      { work: () => new Promise((resolve) => setTimeout(resolve, 5)) },
      { onEvent: (event) => events.push(event) },
    );
    await queue.add('work', 1);
    const idle = codeOf(queue.idle());
    vfs.add({ op: 'sync', action: 'EIO' });
    expect(await idle).toBe('SOMBRA_SYNC');
    expect(events.map(({ event }) => event)).toEqual(['ended']);
    expect(await codeOf(queue.add('work', 2))).toBe('SOMBRA_LOCK_POISONED');
    await queue.close().catch(() => undefined);
    queue = await open(memory, { work: () => Promise.resolve() });
    await queue.idle();
    expect([queue.jobs(), queue.givenUp()]).toEqual([[], []]);
    await queue.close();
  });

  test.each([
    ['add', (queue: JobQueue) => queue.add('none', 1)],
    ['add', (queue: JobQueue) => queue.add('work', undefined as never)],
    ['add', (queue: JobQueue) => queue.add('work', 1n as never)],
    ['add', (queue: JobQueue) => queue.add('work', 'x'.repeat(2 ** 20))],
    ['forget', (queue: JobQueue) => queue.forget(1)],
  ])('%s refuses what is wrong', async (_name, call) => {
    const queue = await open(new MemoryVfs(), { work: stuck });
    expect(await codeOf(call(queue))).toBe('SOMBRA_OPTION');
    await queue.close();
  });

  test.each([
    { concurrency: 0 },
    { maxAttempts: 0 },
    { retryMs: 0.5 },
    { retryMaxMs: -1 },
    { handlers: { a: 1 } },
    { other: 1 },
  ])('options %j are refused', async (options) => {
    expect(await codeOf(open(new MemoryVfs(), { work: stuck }, options as never))).toBe('SOMBRA_OPTION');
  });
});

describe('a crash', () => {
  test('before every operation: what was accepted is done by the next queue, and nothing else', async () => {
    let crashes = 0;
    for (let step = 1; ; step += 1) {
      const disk = new SimDisk({ seed: step });
      const accepted: number[] = [];
      const attempted: number[] = [];
      const done = new Set<unknown>();
      const work: JobHandler = (payload) => Promise.resolve(void done.add(payload));
      disk.crashAt = step;
      let died = false;
      try {
        const queue = await open(disk, { work });
        for (let i = 0; i < 4; i += 1) {
          attempted.push(i);
          await queue.add('work', i);
          accepted.push(i);
        }
        await Promise.race([queue.idle(), new Promise((resolve) => setTimeout(resolve, 200))]);
        await queue.close();
      } catch {
        died = true;
      }
      died ||= disk.ops >= step;
      if (!died) break;
      crashes += 1;
      for (const image of [disk.kill(), disk.crash({ keep: 'random', names: 'random' }, new Random(step))]) {
        const later = new Set(done);
        const queue = await open(image, { work: (payload) => Promise.resolve(void later.add(payload)) });
        await queue.idle();
        await queue.close();
        for (const payload of accepted) expect([step, later.has(payload)]).toEqual([step, true]);
        for (const payload of later) expect([step, attempted.includes(payload as number)]).toEqual([step, true]);
      }
    }
    expect(crashes).toBeGreaterThan(10);
  });

  test('of the process, by kill -9, again and again', { timeout: 120_000 }, async () => {
    const place = folder();
    const [accepted, done] = [join(place, 'accepted'), join(place, 'done')];
    const random = new Random(9);
    for (let round = 0; round < 12; round += 1) {
      const child: ChildProcess = fork(new URL('./children/jobs.js', import.meta.url), [place], { execArgv: [] });
      await once(child, 'message');
      await new Promise((resolve) => setTimeout(resolve, 20 + random.below(120)));
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    const lines = (path: string): string[] =>
      existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
    const queue = await openJobQueue(join(place, 'jobs'), {
      handlers: { work: (payload) => Promise.resolve(appendFileSync(done, `${String(payload)}\n`)) },
    });
    await queue.idle();
    await queue.close();
    const finished = new Set(lines(done));
    expect(lines(accepted).length).toBeGreaterThan(20);
    expect(lines(accepted).filter((line) => !finished.has(line))).toEqual([]);
  });
});
