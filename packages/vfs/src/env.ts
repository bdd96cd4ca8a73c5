import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { VfsEnv } from './vfs.ts';

const sleepCell = new Int32Array(new SharedArrayBuffer(4));

/** Clock, randomness, timers of Node. */
export class NodeEnv implements VfsEnv {
  readonly pid: number = process.pid;
  readonly host: string = hostname();

  identify(pid: number): string | null {
    try {
      process.kill(pid, 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return null;
    }
    try {
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
      // The command, in parentheses, may hold anything; the 20th field behind it is the start in clock ticks since boot.
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return `${boot}/${fields[19] ?? ''}`;
    } catch {
      return ''; // no /proc on this platform: the number is all there is
    }
  }

  now(): number {
    return Date.now();
  }

  random(count: number): Uint8Array {
    return new Uint8Array(randomBytes(count));
  }

  sleep(ms: number): void {
    Atomics.wait(sleepCell, 0, 0, ms);
  }

  setTimer(fn: () => void, ms: number, keepsAlive = false): unknown {
    const timer = setTimeout(fn, ms);
    return keepsAlive ? timer : timer.unref();
  }

  clearTimer(timer: unknown): void {
    clearTimeout(timer as NodeJS.Timeout);
  }

  defer(fn: () => void): void {
    setImmediate(fn);
  }
}
