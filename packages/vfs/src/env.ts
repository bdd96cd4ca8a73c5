import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { VfsEnv } from './vfs.ts';

const sleepCell = new Int32Array(new SharedArrayBuffer(4));

/** Clock, randomness, timers of Node. */
export class NodeEnv implements VfsEnv {
  readonly pid: number = process.pid;
  readonly host: string = hostname();

  now(): number {
    return Date.now();
  }

  random(count: number): Uint8Array {
    return new Uint8Array(randomBytes(count));
  }

  sleep(ms: number): void {
    Atomics.wait(sleepCell, 0, 0, ms);
  }

  setTimer(fn: () => void, ms: number): unknown {
    return setTimeout(fn, ms).unref();
  }

  clearTimer(timer: unknown): void {
    clearTimeout(timer as NodeJS.Timeout);
  }

  defer(fn: () => void): void {
    setImmediate(fn);
  }
}
