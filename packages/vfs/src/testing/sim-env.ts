import type { EnvWarning, RunInContext, VfsEnv } from '../vfs.ts';
import { Random } from './random.ts';
import { SimCrash } from './sim-crash.ts';

/** 2024-01-01T00:00:00Z, ms. */
export const FIRST_TIME = 1_704_067_200_000;
const FIRST_PID = 1001;

/** An environment whose machine syncs files beside the process. */
export interface SimulatedEnv extends VfsEnv {
  /** The machine does `work` by itself, some time later. @returns tells the process */
  complete(work: () => void): Promise<void>;
}

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly fn: () => void;
}

/** How a `SimEnv` starts. */
export interface SimEnvOptions {
  readonly seed: number;
  /** Time of day at the start, ms since 1970. */
  readonly wallTimeMs?: number;
  readonly pid?: number;
}

/**
 * Clocks and randomness of one virtual process, from a seed. Time passes in `sleep` and `advance` only, on both clocks alike;
 * `jumpWall` moves the time of day alone. Timers fire in `advance`, by the monotonic clock. When the process dies, neither timers nor deferred calls run any more.
 */
export class SimEnv implements SimulatedEnv {
  readonly pid: number;
  readonly host = 'simulated';
  /** What the program was told, in order. */
  readonly warnings: EnvWarning[] = [];
  private readonly numbers: Random;
  /** Of the monotonic clock. Its start says nothing: two processes never agree on one. */
  private time: number;
  /** Time of day at time 0. */
  private wall: number;
  private timers: Timer[] = [];
  /** Held here and not by the event loop, which would keep what died until its next turn: a crash sweep is one turn. */
  private deferred: (() => void)[] = [];
  private order = 0;
  private dead = false;

  constructor(options: SimEnvOptions) {
    this.numbers = new Random(options.seed);
    this.time = this.numbers.fork('start').below(1_000_000);
    this.wall = (options.wallTimeMs ?? FIRST_TIME) - this.time;
    this.pid = options.pid ?? FIRST_PID;
  }

  identify(pid: number): string | null {
    return pid === this.pid && !this.dead ? 'simulated' : null;
  }

  wallTimeMs(): number {
    return this.wall + this.time;
  }

  monotonicMs(): number {
    return this.time;
  }

  /** Somebody sets the clock. @param ms  forward; negative: back */
  jumpWall(ms: number): void {
    this.wall += ms;
  }

  random(count: number): Uint8Array {
    return this.numbers.bytes(count);
  }

  sleep(ms: number): void {
    this.time += ms;
  }

  setTimer(fn: () => void, ms: number): unknown {
    this.order += 1;
    const timer: Timer = { due: this.time + ms, order: this.order, fn };
    this.timers.push(timer);
    return timer;
  }

  clearTimer(timer: unknown): void {
    this.timers = this.timers.filter((one) => one !== timer);
  }

  defer(fn: () => void): void {
    this.deferred.push(fn);
    setImmediate(() => this.runDeferred());
  }

  captureContext(): RunInContext {
    return (work) => work();
  }

  warn(warning: EnvWarning): void {
    this.warnings.push(warning);
  }

  complete(work: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        try {
          work();
          resolve();
        } catch (error) {
          reject(error as Error);
        }
      });
    });
  }

  /** Lets time pass; timers that are due fire in the order of their time. */
  advance(ms: number): void {
    const until = this.time + ms;
    for (;;) {
      const due = this.timers.filter((timer) => timer.due <= until).sort((a, b) => a.due - b.due || a.order - b.order);
      const [next] = due;
      if (next === undefined) break;
      this.clearTimer(next);
      this.time = Math.max(this.time, next.due);
      this.run(next.fn);
    }
    this.time = Math.max(this.time, until);
  }

  /** The process died. */
  stop(): void {
    this.dead = true;
    this.timers = [];
    this.deferred = [];
  }

  private runDeferred(): void {
    const fn = this.deferred.shift();
    if (fn !== undefined) this.run(fn);
  }

  /** What dies in a timer or a deferred call ends there: nobody is left to hear of it. */
  private run(fn: () => void): void {
    if (this.dead) return;
    try {
      fn();
    } catch (error) {
      if (!(error instanceof SimCrash)) throw error;
    }
  }
}
