import { AsyncResource } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { EnvWarning, RunInContext, VfsEnv } from './vfs.ts';

const sleepCell = new Int32Array(new SharedArrayBuffer(4));

/** Longest time of one timer of Node, ms; with more it would fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** A timer that may take longer than one of Node's: several in sequence. */
class ChainedTimer {
  private current: NodeJS.Timeout;

  constructor(fn: () => void, ms: number, keepsAlive: boolean, maxMs: number) {
    const start = (left: number): NodeJS.Timeout => {
      const part = Math.min(left, maxMs);
      const timer = setTimeout(() => (left > part ? (this.current = start(left - part)) : fn()), part);
      return keepsAlive ? timer : timer.unref();
    };
    this.current = start(ms);
  }

  clear(): void {
    clearTimeout(this.current);
  }
}

/** Clock, randomness, timers of Node. */
export class NodeEnv implements VfsEnv {
  readonly pid: number = process.pid;
  readonly host: string = hostname();
  private readonly timerMaxMs: number;

  /** @param options.timerMaxMs  longest time of one timer of Node; longer ones are put together. Default what Node allows */
  constructor(options: { timerMaxMs?: number } = {}) {
    this.timerMaxMs = options.timerMaxMs ?? TIMER_MAX_MS;
  }

  identify(pid: number): string | null {
    try {
      process.kill(pid, 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return null;
    }
    try {
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
      // The command, in parentheses, may contain any characters; the 20th field behind it is the start in clock ticks since boot.
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return `${boot}/${fields[19] ?? ''}`;
    } catch {
      return ''; // no /proc on this platform: the number is all there is
    }
  }

  wallTimeMs(): number {
    // The one place: everything else asks the environment.
    // eslint-disable-next-line no-restricted-properties
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  random(count: number): Uint8Array {
    return new Uint8Array(randomBytes(count));
  }

  sleep(ms: number): void {
    Atomics.wait(sleepCell, 0, 0, ms);
  }

  setTimer(fn: () => void, ms: number, keepsAlive = false): unknown {
    if (!Number.isFinite(ms)) throw new RangeError(`a timer of ${ms} ms: leave it out if it is never to fire`);
    return new ChainedTimer(fn, ms, keepsAlive, this.timerMaxMs);
  }

  clearTimer(timer: unknown): void {
    (timer as ChainedTimer | undefined)?.clear();
  }

  defer(fn: () => void): void {
    setImmediate(fn);
  }

  captureContext(): RunInContext {
    const context = new AsyncResource('SombraContext');
    return (work) => context.runInAsyncScope(work);
  }

  warn({ code, message, cause }: EnvWarning): void {
    const stack: unknown = cause instanceof Error ? cause.stack : undefined;
    process.emitWarning(message, { type: 'SombraWarning', code, detail: typeof stack === 'string' ? stack : '' });
  }
}
