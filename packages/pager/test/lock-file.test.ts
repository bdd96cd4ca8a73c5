// Goal: in single-process mode one process at a time has the database, whatever others do between any two calls of the file system;
// what dead processes leave keeps no process out.
// Method: processes on one file system in memory without locks; before each call of one of them another one takes the lock, takes
// it and gives it back, or dies half-way, and before each call of that one a third does. At no time two living ones have it.
import { MemoryVfs } from '@sombra/vfs';
import type { Vfs, VfsEnv, VfsFile } from '@sombra/vfs';
import { expect, test } from 'vitest';
import { LockFile } from '../src/sharing/lock-file.ts';
import { codeOf, openPager } from './support/open.ts';

class Death extends Error {}

/** A machine whose processes see one file system without locks. */
class Machine {
  readonly disk = new MemoryVfs();
  readonly living = new Set<number>();
  /** Which process has the lock, as the processes believe. */
  readonly holders = new Set<number>();
  private pids = 100;

  process(): Process {
    this.pids += 1;
    this.living.add(this.pids);
    return new Process(this, this.pids);
  }
}

class Process {
  readonly vfs: Vfs;
  readonly pid: number;
  calls = 0;
  /** Called before each call of the file system, with its number. */
  onCall: ((call: number) => void) | undefined;
  private lock: LockFile | undefined;
  private readonly machine: Machine;

  constructor(machine: Machine, pid: number) {
    this.machine = machine;
    this.pid = pid;
    const env: VfsEnv = Object.create(machine.disk.env, {
      pid: { value: pid },
      identify: { value: (other: number) => (machine.living.has(other) ? `started ${other}` : null) },
    }) as VfsEnv;
    this.vfs = this.watch(machine.disk, { env, locksAvailable: false });
  }

  /** Calls `onCall` before each method of an object, and of the files that it opens. */
  private watch<T extends object>(target: T, instead: Record<string, unknown> = {}): T {
    return new Proxy(target, {
      get: (_, key) => {
        if (key in instead) return instead[key as string];
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (!this.machine.living.has(this.pid)) throw new Death();
          this.calls += 1;
          this.onCall?.(this.calls);
          const result: unknown = Reflect.apply(value as () => unknown, target, args);
          return key === 'open' ? this.watch(result as VfsFile) : result;
        };
      },
    });
  }

  die(): never {
    this.machine.living.delete(this.pid);
    this.machine.holders.delete(this.pid);
    throw new Death();
  }

  /** @returns whether it has the lock now; false also when it died over it */
  take(): boolean {
    try {
      this.lock = LockFile.take(this.vfs, 't.db');
    } catch (error) {
      if (!(error instanceof Death)) expect(error).toMatchObject({ code: 'SOMBRA_BUSY' });
      return false;
    }
    this.machine.holders.add(this.pid);
    if (this.machine.holders.size > 1)
      throw new Error(`processes ${[...this.machine.holders].join()} have the database`);
    return true;
  }

  release(): void {
    this.machine.holders.delete(this.pid);
    try {
      this.lock?.release();
    } catch (error) {
      if (!(error instanceof Death)) throw error;
    }
    this.lock = undefined;
  }
}

/** What dead processes left before the test begins. */
const LEFT: Readonly<Record<string, (machine: Machine) => void>> = {
  'no lock': () => undefined,
  'a stale lock': (machine) => {
    const dead = machine.process();
    dead.take();
    expect(() => dead.die()).toThrow(Death);
  },
  'a stale lock that was taken over by one that died, too': (machine) => {
    LEFT['a stale lock']!(machine);
    LEFT['a stale lock']!(machine);
  },
};

/** What another process does between two calls. */
const MOVES: Readonly<Record<string, (process: Process) => void>> = {
  takes: (process) => process.take(),
  'takes and gives back': (process) => {
    if (process.take()) process.release();
  },
};

const cases = ['no lock', 'a stale lock'].flatMap((left) => Object.keys(MOVES).map((move) => [left, move] as const));

/** Runs `script` with every number, until the process whose calls are interrupted makes fewer calls than that. */
function everyCall(script: (call: number) => Process): number {
  for (let call = 1; ; call += 1) if (script(call).calls < call) return call - 1;
}

/** Nothing is in the way of a new process, and it leaves nothing behind. */
function expectFree(machine: Machine): void {
  const last = machine.process();
  expect(last.take()).toBe(true);
  last.release();
}

test.each(cases)(
  '%s: between two calls of an opener another process %s, and between two of that one a third',
  (left, move) => {
    let orders = 0;
    for (const third of Object.keys(MOVES)) {
      everyCall((call) => {
        let first: Process;
        everyCall((inner) => {
          const machine = new Machine();
          LEFT[left]!(machine);
          first = machine.process();
          const [second, other] = [machine.process(), machine.process()];
          second.onCall = (n) => n === inner && MOVES[third]!(other);
          first.onCall = (n) => n === call && MOVES[move]!(second);
          const took = first.take();
          orders += 1;
          if (move === 'takes' || third === 'takes') expect(machine.holders.size).toBe(1);
          else expect(took).toBe(true);
          for (const process of [first, second, other]) process.release();
          expect(machine.disk.list('.')).toEqual([]);
          return second;
        });
        return first!;
      });
    }
    expect(orders).toBeGreaterThan(200);
  },
);

test.each(Object.keys(LEFT))(
  '%s: a process that dies anywhere while it takes or gives back the lock keeps no other out',
  (left) => {
    everyCall((call) => {
      let first: Process;
      everyCall((inner) => {
        const machine = new Machine();
        LEFT[left]!(machine);
        first = machine.process();
        const second = machine.process();
        second.onCall = (n) => n === inner && second.die();
        first.onCall = (n) => n === call && MOVES['takes and gives back']!(second);
        if (first.take()) first.release();
        expectFree(machine);
        return second;
      });
      return first!;
    });
  },
);

test.each(Object.keys(LEFT))('%s: while a process gives the lock back, others take it', (left) => {
  everyCall((call) => {
    let first: Process;
    everyCall((inner) => {
      const machine = new Machine();
      LEFT[left]!(machine);
      first = machine.process();
      expect(first.take()).toBe(true);
      const [second, third] = [machine.process(), machine.process()];
      const before = first.calls;
      second.onCall = (n) => n === inner && third.take();
      first.onCall = (n) => n === before + call && second.take();
      first.release();
      first.calls -= before;
      const expected = machine.holders.size;
      expect(machine.process().take()).toBe(expected === 0);
      return second;
    });
    return first!;
  });
});

test('two openers that find the same stale lock do not both get the database', () => {
  const opened = (process: Process): boolean =>
    codeOf(() => openPager({ locking: 'single-process' }, process.vfs)) === 'no error';
  everyCall((call) => {
    const machine = new Machine();
    openPager({ locking: 'single-process' }, machine.process().vfs).close();
    const dead = machine.process();
    expect(opened(dead)).toBe(true);
    machine.living.delete(dead.pid);
    const [first, second] = [machine.process(), machine.process()];
    let other = false;
    first.onCall = (n) => n === call && (other = opened(second));
    const own = opened(first);
    expect([own, other].filter(Boolean).length, `before call ${call}`).toBe(1);
    return first;
  });
});
