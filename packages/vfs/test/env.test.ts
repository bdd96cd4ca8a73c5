// Goal: timers of any length fire once, in time and not before; durations that are none are refused; a context is captured whole.
// Method: an environment whose single timers are short, so that a longer one is put together; a timer beyond what Node allows, which
// must not fire before a short one.
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { NodeEnv } from '../src/index.ts';

const after = (env: NodeEnv, ms: number): Promise<void> => new Promise((resolve) => env.setTimer(resolve, ms, true));

test('a timer of more than 2^31 - 1 ms does not fire at once, and can be cleared', async () => {
  const env = new NodeEnv();
  const overflows: Error[] = [];
  const note = (warning: Error): unknown => overflows.push(warning);
  process.on('warning', note);
  let fired = 0;
  const timers = [2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER].map((ms) => env.setTimer(() => (fired += 1), ms));
  await after(env, 20);
  process.off('warning', note);
  expect([fired, overflows]).toEqual([0, []]);
  for (const timer of timers) env.clearTimer(timer);
});

test('a long timer is put together from shorter ones, fires once, and is cleared in any of them', async () => {
  const env = new NodeEnv({ timerMaxMs: 4 });
  const order: string[] = [];
  env.setTimer(() => order.push('long'), 18, true);
  const cleared = env.setTimer(() => order.push('cleared'), 18);
  await after(env, 4);
  await after(env, 4);
  env.clearTimer(cleared);
  order.push('short');
  await after(env, 60);
  expect(order).toEqual(['short', 'long']);
});

test.each([NaN, Infinity, -Infinity])('a timer of %s ms is refused', (ms) => {
  expect(() => new NodeEnv().setTimer(() => undefined, ms)).toThrow(`${ms} ms`);
});

test('work runs in the asynchronous context that was captured, and leaves that of its caller alone', async () => {
  const [user, request] = [new AsyncLocalStorage<string>(), new AsyncLocalStorage<number>()];
  const here = (): unknown[] => [user.getStore(), request.getStore()];
  const run = user.run('ada', () => request.run(1, () => new NodeEnv().captureContext()));
  const seen = user.run('bob', () => [run(here), here()]);
  expect(seen).toEqual([
    ['ada', 1],
    ['bob', undefined],
  ]);
  const later = run(async () => {
    await Promise.resolve();
    return here();
  });
  expect(await later).toEqual(['ada', 1]);
});
