/**
 * The order in which the virtual processes of one machine move, from a seed.
 *
 * Everything that a process does later is a step: a task that a test gave it, a deferred call, a timer that is due, the end of an
 * asynchronous sync. The seed picks the next one among all that could run. Kept is only what a platform promises:
 * - the tasks and the deferred calls of one process run in the order in which they were given;
 * - the timers of one process fire in the order of their time, never before it, and equal ones in the order in which they were set;
 * - a process does one thing at a time, and the promises that a step fulfils are followed before its next step.
 * Syncs end in any order. Time is one for all processes: a step takes a moment, and when nothing can run, the next timer is due.
 *
 * A process that blocks its thread (`sleep`) or is interrupted between two calls stays on the stack while steps of others run on top
 * of it; those that are blocked below run on only when the ones above are done, as if the system had not given them the processor.
 * Promises are followed when the stack is empty: therefore a process whose sync ended on top of a blocked one waits until then.
 */
import type { EnvWarning, RunInContext, VfsEnv } from '../vfs.ts';
import { Random } from './random.ts';
import { FIRST_TIME } from './sim-env.ts';
import type { SimulatedEnv } from './sim-env.ts';

/** What a process can do next. */
export type StepKind = 'task' | 'deferred' | 'timer' | 'sync';

/** How a schedule is drawn. */
export interface ScheduleOptions {
  readonly seed: number;
  /** Steps after which a run counts as one that never ends. Default 20,000. */
  readonly stepsMax?: number;
  /** Time of day at the start, ms since 1970. */
  readonly wallTimeMs?: number;
}

interface Step {
  readonly kind: StepKind;
  readonly run: () => void;
  /** What becomes of it when its process dies before it runs. */
  readonly orphaned?: () => void;
}

interface Timer extends Step {
  readonly due: number;
  readonly order: number;
}

interface Choice {
  readonly env: ScheduledEnv;
  readonly step: Step;
}

/** A run does not end, or a step failed; `trace` has the last steps. */
export class ScheduleError extends Error {
  static {
    this.prototype.name = 'ScheduleError';
  }
}

const STEPS_MAX = 20_000;
/** Steps that `trace` remembers. */
const TRACED = 60;
/** How long a step takes, ms: most of them nothing to speak of. */
const PACES = [0, 0, 0.01, 0.05, 0.3, 1.2] as const;
/** How often a process is picked, beside others; drawn anew every so many steps, so that each is left behind at times. */
const WEIGHTS = [1, 1, 4, 16] as const;
const WEIGHTS_FOR = 40;
/** Time is counted in such parts of a millisecond, so that differences are exact, whatever clock they are taken from. */
const TICKS = 1024;
/** Timers further away than this are no work that is left, ms. */
const IDLE_MS = 500;
const KINDS: readonly StepKind[] = ['task', 'deferred', 'timer', 'sync'];

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** See the top of the file. */
export class SimSchedule {
  /** Steps so far. */
  steps = 0;

  private readonly options: ScheduleOptions;
  private readonly random: Random;
  private readonly processes: ScheduledEnv[] = [];
  /** Those that are in the middle of a step, the running one last. */
  private stack: ScheduledEnv[] = [];
  private readonly unfollowed = new Set<ScheduledEnv>();
  /** ms since the machine was started. */
  private time = 0;
  private wall: number;
  private hash = 0;
  private readonly last: string[] = [];
  private failure: { readonly cause: unknown; readonly where: string } | undefined;

  constructor(options: ScheduleOptions) {
    this.options = options;
    this.random = new Random(options.seed).fork('schedule');
    this.wall = options.wallTimeMs ?? FIRST_TIME;
  }

  /** A new process. */
  process(pid: number): ScheduledEnv {
    const env = new ScheduledEnv(this, pid, new Random(this.options.seed).fork(`process ${pid}`));
    this.processes.push(env);
    return env;
  }

  /** Of all decisions so far, 32 bits: equal for equal runs. */
  get traceHash(): number {
    return this.hash;
  }

  /** The last steps, for people. */
  get trace(): readonly string[] {
    return this.last;
  }

  /** ms since the machine was started. */
  get now(): number {
    return this.time;
  }

  /** Time of day, ms since 1970. */
  get wallTimeMs(): number {
    return this.wall + this.time;
  }

  /** Somebody sets the clock of the machine. @param ms  forward; negative: back */
  jumpWall(ms: number): void {
    this.wall += ms;
  }

  /** Is there such a process? */
  lives(pid: number): boolean {
    return this.processes.some((env) => env.pid === pid);
  }

  /** Is a step of this process under way, perhaps below others? */
  isRunning(env: ScheduledEnv): boolean {
    return this.stack.includes(env);
  }

  /**
   * Runs steps until nothing is left to do, timers of a far future aside.
   * @throws ScheduleError when a step throws, or it does not end
   */
  async run(): Promise<void> {
    for (;;) {
      const choice = this.choose();
      if (choice !== undefined) this.perform(choice);
      else if (!this.waitForTimer(this.time + IDLE_MS)) return;
      if (choice !== undefined) {
        await turn();
        this.unfollowed.clear();
      }
      this.checkFailure();
    }
  }

  private checkFailure(): void {
    if (this.failure === undefined) return;
    const { cause, where } = this.failure;
    throw new ScheduleError(`${where}: ${String(cause)}\n${this.last.join(' | ')}`, { cause });
  }

  /** A process blocks. @param ms  at least so long; others move meanwhile */
  sleep(env: ScheduledEnv, ms: number): void {
    const until = this.time + ms;
    this.on(env, () => {
      while (this.time < until) {
        const choice = this.random.chance(0.7) ? this.choose() : undefined;
        if (choice !== undefined) this.perform(choice);
        else if (this.random.chance(0.5) || !this.waitForTimer(until)) this.pass(until);
      }
    });
    if (this.failure !== undefined && this.stack.length === 0) this.checkFailure();
  }

  /** The system takes the processor away from a process between two of its calls. @param count  so many steps of others run */
  interrupt(env: ScheduledEnv, count: number): void {
    this.on(env, () => {
      for (let i = 0; i < count; i += 1) {
        const choice = this.choose();
        if (choice === undefined) return;
        this.perform(choice);
      }
    });
  }

  /** Runs something of a process, beside which only others move. */
  private on(env: ScheduledEnv, run: () => void): void {
    const before = this.stack;
    this.stack = before.includes(env) ? before : [...before, env];
    try {
      run();
    } finally {
      this.stack = before;
    }
  }

  /** A step of any process that can run now, by weight. */
  private choose(): Choice | undefined {
    if (this.steps % WEIGHTS_FOR === 0) for (const env of this.processes) env.weight = this.random.pick(WEIGHTS);
    const choices: Choice[] = [];
    let sum = 0;
    for (const env of this.processes) {
      if (this.stack.includes(env) || this.unfollowed.has(env)) continue;
      for (const step of env.runnable(this.time)) {
        choices.push({ env, step });
        sum += env.weight;
      }
    }
    if (choices.length === 0) return undefined;
    let left = this.random.below(sum);
    return choices.find(({ env }) => (left -= env.weight) < 0);
  }

  /** Lets time pass until a timer is due that could run. @returns whether there is one, not later than `until` */
  private waitForTimer(until: number): boolean {
    let due = Infinity;
    for (const env of this.processes) {
      if (!this.stack.includes(env) && !this.unfollowed.has(env)) due = Math.min(due, env.nextDue);
    }
    if (due > until) return false;
    this.pass(due);
    return true;
  }

  private pass(to: number): void {
    this.time = Math.max(this.time, Math.ceil(to * TICKS) / TICKS);
  }

  private perform({ env, step }: Choice): void {
    this.steps += 1;
    this.note(env, step.kind);
    if (this.steps > (this.options.stepsMax ?? STEPS_MAX)) {
      const cause = new ScheduleError(`it does not end: ${this.steps} steps`);
      this.failure ??= { cause, where: `process ${env.pid}` };
      if (this.stack.length > 0) throw cause; // whatever is blocked below has to end
      return;
    }
    this.pass(this.time + this.random.pick(PACES));
    env.take(step);
    if (step.kind === 'sync' && this.stack.length > 0) this.unfollowed.add(env);
    try {
      this.on(env, step.run);
    } catch (error) {
      // Whoever is blocked below has nothing to do with it.
      this.failure ??= { cause: error, where: `process ${env.pid}, ${step.kind}, step ${this.steps}` };
    }
  }

  private note({ pid }: ScheduledEnv, kind: StepKind): void {
    this.hash = Math.imul(this.hash ^ (pid * 8 + KINDS.indexOf(kind) + 1), 0x9e3779b1);
    this.hash = (this.hash ^ (this.hash >>> 15)) >>> 0;
    this.last.push(`${'·'.repeat(this.stack.length)}${pid} ${kind} ${this.time.toFixed(2)}`);
    if (this.last.length > TRACED) this.last.shift();
  }

  /** A process died: it has no next step; each of its syncs that are under way happens, or does not. */
  end(env: ScheduledEnv): void {
    const at = this.processes.indexOf(env);
    if (at < 0) return;
    this.processes.splice(at, 1);
    for (const { orphaned } of env.abandon()) if (this.random.chance(0.5)) orphaned?.();
  }
}

/** Clocks, randomness and steps of one process. Its monotonic clock starts anywhere: two processes never agree on one. */
export class ScheduledEnv implements VfsEnv, SimulatedEnv {
  readonly pid: number;
  readonly host = 'simulated';
  /** How often it is picked, beside others. */
  weight = 1;
  /** What the program was told, in order. */
  readonly warnings: EnvWarning[] = [];

  private readonly schedule: SimSchedule;
  private readonly numbers: Random;
  private readonly start: number;
  private tasks: Step[] = [];
  private deferred: Step[] = [];
  private timers: Timer[] = [];
  private syncs: Step[] = [];
  private order = 0;
  private ended = false;

  /** Processes come from a schedule. */
  constructor(schedule: SimSchedule, pid: number, numbers: Random) {
    this.schedule = schedule;
    this.pid = pid;
    this.numbers = numbers;
    this.start = numbers.fork('start').below(1_000_000);
  }

  identify(pid: number): string | null {
    return this.schedule.lives(pid) ? 'simulated' : null;
  }

  wallTimeMs(): number {
    return Math.floor(this.schedule.wallTimeMs);
  }

  monotonicMs(): number {
    return this.start + this.schedule.now;
  }

  random(count: number): Uint8Array {
    return this.numbers.bytes(count);
  }

  sleep(ms: number): void {
    this.schedule.sleep(this, ms);
  }

  setTimer(run: () => void, ms: number): unknown {
    return this.later('timer', run, Math.max(ms, 1));
  }

  private later(kind: StepKind, run: () => void, ms: number): Timer {
    this.order += 1;
    const timer: Timer = { kind, run, due: this.schedule.now + ms, order: this.order };
    if (!this.ended) this.timers.push(timer);
    return timer;
  }

  clearTimer(timer: unknown): void {
    this.timers = this.timers.filter((one) => one !== timer);
  }

  defer(run: () => void): void {
    if (!this.ended) this.deferred.push({ kind: 'deferred', run });
  }

  captureContext(): RunInContext {
    return (work) => work();
  }

  warn(warning: EnvWarning): void {
    this.warnings.push(warning);
  }

  /** Something that the program of this process does by itself. @param ms  not before so much time has passed */
  task(run: () => void, ms = 0): void {
    if (ms > 0) this.later('task', run, ms);
    else if (!this.ended) this.tasks.push({ kind: 'task', run });
  }

  complete(work: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const run = (): void => {
        try {
          work();
          resolve();
        } catch (error) {
          reject(error as Error);
        }
      };
      const orphaned = (): void => {
        try {
          work();
        } catch {
          // nobody is left to hear of it
        }
      };
      if (!this.ended) this.syncs.push({ kind: 'sync', run, orphaned });
    });
  }

  /** What it could do at `now`: the first of each kind, of syncs each. For the schedule. */
  runnable(now: number): Step[] {
    const steps = [...this.syncs];
    const [task] = this.tasks;
    const [deferred] = this.deferred;
    const timer = this.first();
    if (task !== undefined) steps.push(task);
    if (deferred !== undefined) steps.push(deferred);
    if (timer !== undefined && timer.due <= now) steps.push(timer);
    return steps;
  }

  /** When its next timer is due, on the clock of the schedule. */
  get nextDue(): number {
    return this.first()?.due ?? Infinity;
  }

  private first(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.timers) {
      if (first === undefined || timer.due < first.due || (timer.due === first.due && timer.order < first.order))
        first = timer;
    }
    return first;
  }

  /** The step is about to run. For the schedule. */
  take(step: Step): void {
    this.tasks = this.tasks.filter((one) => one !== step);
    this.deferred = this.deferred.filter((one) => one !== step);
    this.timers = this.timers.filter((one) => one !== step);
    this.syncs = this.syncs.filter((one) => one !== step);
  }

  /** Forgets every step. @returns those that the machine may still do by itself. For the schedule. */
  abandon(): Step[] {
    const left = this.syncs;
    this.ended = true;
    this.tasks = [];
    this.deferred = [];
    this.timers = [];
    this.syncs = [];
    return left;
  }

  /** The process died. */
  stop(): void {
    this.schedule.end(this);
  }
}
