import type { VfsEnv } from '@sombra/vfs';
import { throwIfAborted } from './abort.ts';

/** Lets the event loop turn. */
export function nextTurn(env: VfsEnv): Promise<void> {
  return new Promise((resolve) => env.defer(resolve));
}

/** Waits. @throws StateError SOMBRA_ABORTED at once when the signal says so */
export async function pause(env: VfsEnv, ms: number, signal: AbortSignal | undefined): Promise<void> {
  throwIfAborted(signal);
  await new Promise<void>((resolve) => {
    const end = (): void => {
      env.clearTimer(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = env.setTimer(end, ms, true);
    signal?.addEventListener('abort', end);
  });
  throwIfAborted(signal);
}

/** A random time of at most `baseMs` doubled with each failure, and never more than `maxMs`, so that many who failed do not return together. */
export function backOffMs(env: VfsEnv, failures: number, baseMs: number, maxMs: number): number {
  const [a, b] = env.random(2) as unknown as [number, number];
  return (Math.min(maxMs, baseMs * 2 ** (failures - 1)) * (1 + a * 256 + b)) / 65_536;
}
