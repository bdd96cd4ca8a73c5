// Two to four processes on one simulated disk. A seeded schedule picks every step: ends of syncs, deferred calls, timers, and what each
// process does by itself. Processes are interrupted, killed and followed by others, the clock is set, the power fails; beside it all a
// ledger knows what was promised.
import type { Vfs } from '@sombra/vfs';
import { CRASH_POLICIES, Random, SimDisk, SimProcess, SimSchedule } from '@sombra/vfs/testing';
import type { CrashPolicy, ScheduledEnv } from '@sombra/vfs/testing';
import { Pager } from '../../src/index.ts';
import type { PagerOptions } from '../../src/index.ts';
import { LOCK_BASE, LOCK_READ, LOCK_READ_SLOTS, LOCK_RECOVER, LOCK_WAIT, LOCK_WRITE } from '../../src/sharing/locks.ts';
import { Broken, expectNone, Ledger, NUMBER } from './ledger.ts';
import type { Entry } from './ledger.ts';
import type { ModelState } from './model.ts';
import { examine, randomChanges } from './model.ts';
import { MortalVfs } from './mortal-vfs.ts';
import { Actor, PATH, randomActions } from './schedule-actor.ts';
import type { Surroundings } from './schedule-actor.ts';

/** What a run has shown. */
export interface ScheduleResult {
  readonly steps: number;
  readonly commits: number;
  readonly kills: number;
  readonly images: number;
  readonly refusals: number;
  /** Checkpoints that were asked for and came to their end. */
  readonly requested: number;
  /** Syncs that failed. */
  readonly failures: number;
  readonly late: number;
  readonly interruptions: number;
  /** Hash of every decision of the schedule. */
  readonly trace: number;
  /** Hash of what lies on the disk in the end, and of everything that was written on the way. */
  readonly disk: number;
}

const MACHINE_PID = 1;
const FIRST_PID = 100;
/** Time within which the machine does what it does, ms. */
const SPAN_MS = 80;
/** What a loss of power leaves; with everything kept it would be the death of all processes. */
const LOSSES = CRASH_POLICIES.filter(({ keep }) => keep !== 'all');
const HOUR_MS = 3_600_000;
/** A run has a hundred steps, seldom more than a thousand. */
const STEPS_MAX = 5000;
/** Most interruptions of a run. */
const INTERRUPTIONS = 12;

/**
 * Runs one schedule.
 * @param seen  the disk as each process sees it; for faults that have to be noticed
 * @throws Broken, ScheduleError for the first thing that is not as it was promised
 */
export async function runSchedule(seed: number, seen: (disk: Vfs) => Vfs = (whole) => whole): Promise<ScheduleResult> {
  return new Machine(seed, seen).run();
}

class Machine implements Surroundings {
  readonly schedule: SimSchedule;
  readonly ledger: Ledger;
  readonly options: Omit<PagerOptions, 'vfs' | 'path'>;

  private readonly seen: (disk: Vfs) => Vfs;
  private readonly random: Random;
  private readonly disk: SimDisk;
  /** Of what is no work of any process. */
  private readonly env: ScheduledEnv;
  private readonly actors: Actor[];
  private readonly interrupts: { readonly random: Random; readonly chance: number };
  private readonly lateImages: Random;
  private readonly fails: Random;
  /** Power losses right after commits that are left to be looked at. */
  private afterCommits = 1;
  private interruptions = 0;
  private processes = 0;
  private kills = 0;
  /** Temporary files of processes that died. */
  private readonly leftovers = new Set<string>();
  private images = 0;
  private refusals = 0;
  private requests = 0;
  private failures = 0;
  private lateTransactions = 0;

  constructor(seed: number, seen: (disk: Vfs) => Vfs) {
    this.seen = seen;
    const random = (this.random = new Random(seed).fork('machine'));
    const full = random.chance(0.7);
    this.options = {
      pageSize: 4096,
      cacheSize: random.pick([8, 20]),
      maxTransactionPages: 16,
      maxWalSizeMb: 0.0625,
      checkpointAfterBytes: random.chance(0.6) ? 20_000 : 2 ** 40,
      busyTimeoutMs: random.pick([0, 5, 30]),
      syncMode: full ? 'full' : 'normal',
      transactionTimeoutMs: random.pick([null, null, 2]),
    };
    this.disk = new SimDisk({ seed });
    this.schedule = new SimSchedule({ seed, stepsMax: STEPS_MAX });
    this.ledger = new Ledger(full);
    this.env = this.schedule.process(MACHINE_PID);
    this.interrupts = { random: random.fork('interrupts'), chance: random.pick([0, 0, 0.01, 0.04]) };
    this.lateImages = random.fork('after commits');
    this.fails = random.fork('failures');
    this.actors = Array.from({ length: 2 + random.below(3) }, (_, number) => {
      const own = random.fork(`actor ${number}`);
      return new Actor(this, `process ${String.fromCharCode(65 + number)}`, own, randomActions(4 + own.below(9), own));
    });
    this.plan();
  }

  newProcess(): { env: ScheduledEnv; vfs: MortalVfs } {
    const env = this.schedule.process(FIRST_PID + this.processes);
    this.processes += 1;
    const vfs = new MortalVfs(this.seen(new SimProcess(this.disk, env)), env.pid);
    vfs.onCall = () => this.interrupt(env);
    return { env, vfs };
  }

  later(run: () => void): void {
    this.env.task(run);
  }

  refused(): void {
    this.refusals += 1;
  }

  died(): void {
    this.kills += 1;
    // What a creation leaves that gave way to another one and was killed goes with the next recovery.
    for (const name of this.disk.list('.')) if (name.startsWith(`${PATH}.tmp-`)) this.leftovers.add(name);
  }

  get syncFailed(): boolean {
    return this.failures > 0;
  }

  /** One sync fails: what it should have made durable never reaches the disk, or only a part of it. */
  private failOneSync(random: Random): void {
    let left = 3 + random.below(60);
    this.disk.syncFault = (path) => {
      // Not the database itself as it is created; and what a failed sync of a directory leaves is not modelled.
      if (path === '.' || path.includes('.tmp-')) return undefined;
      left -= 1;
      if (left !== 0) return undefined;
      this.failures += 1;
      return { errno: 'EIO', reached: random.pick(['nothing', 'some'] as const) };
    };
  }

  late(): void {
    this.lateTransactions += 1;
  }

  private interrupt(env: ScheduledEnv): void {
    const { random, chance } = this.interrupts;
    if (this.interruptions >= INTERRUPTIONS || !random.chance(chance)) return;
    this.interruptions += 1;
    this.schedule.interrupt(env, 1 + random.below(6));
  }

  /** What befalls the machine, and when. */
  private plan(): void {
    const { random } = this;
    const at = (run: () => void): void => this.env.task(run, 1 + random.below(SPAN_MS));
    for (let i = random.below(3); i > 0; i -= 1) {
      const actor = random.pick(this.actors);
      const [calls, torn] = [random.below(60), random.below(12)];
      at(random.chance(0.5) ? () => actor.kill() : () => actor.killWithin(calls, torn));
    }
    for (let i = random.below(4); i > 0; i -= 1) {
      const ms = (random.chance(0.5) ? 1 : -1) * random.below(random.pick([5, 2000, 30 * HOUR_MS]));
      at(() => this.schedule.jumpWall(ms));
    }
    const policy = this.policy();
    at(() => this.lose(policy));
  }

  /** A power loss, or now and then the death of all processes. */
  private policy(): CrashPolicy | undefined {
    return this.random.chance(0.2) ? undefined : this.random.pick(LOSSES);
  }

  requested(): void {
    this.requests += 1;
  }

  /** The moment that matters most: a power loss right after a commit was acknowledged. */
  acknowledged(): void {
    if (this.afterCommits === 0 || !this.lateImages.chance(0.08)) return;
    this.afterCommits -= 1;
    this.lose(this.lateImages.pick(LOSSES));
  }

  /** Recovers what is left when the power fails now, or when all processes die. */
  private lose(policy: CrashPolicy | undefined): void {
    this.images += 1;
    const random = this.random.fork(`image ${this.images}`);
    const image = policy === undefined ? this.disk.kill() : this.disk.crash(policy, random);
    const who = policy === undefined ? 'after the death of all' : `after a power loss (${JSON.stringify(policy)})`;
    if (image.stat(PATH) === null && this.ledger.newest.lsn === 0) return;
    const vfs = new MortalVfs(image, 99);
    const pager = Pager.open({ vfs, path: PATH, ...this.options, createIfMissing: this.ledger.newest.lsn === 0 });
    const entry = this.ledger.recovered(pager, policy !== undefined, who);
    const alarms = pager.warnings.filter(({ code }) => code !== 'SOMBRA_SUPERBLOCK_SLOT');
    expectNone(
      `${who}, false alarms`,
      alarms.map(({ code, message }) => `${code} ${message}`),
    );
    const goesOn = this.images % 3 === 0;
    const state = goesOn ? this.goOn(pager, entry, random) : entry.state;
    pager.close();
    if (vfs.openFiles > 0) throw new Broken(`${who}: ${vfs.openFiles} descriptors stay open`);
    this.expectOnlyMain(image, who);
    if (!goesOn) return;
    const again = Pager.open({ vfs, path: PATH, ...this.options });
    expectNone(`${who}, opened again`, examine(again, state));
    again.close();
  }

  /** What was recovered can be written. @returns what it holds then */
  private goOn(pager: Pager, { number, state }: Entry, random: Random): ModelState {
    const tx = pager.begin();
    const next = randomChanges(tx, state, 3, random);
    tx.setCounter(NUMBER, number);
    tx.commit();
    return { ...next, counters: next.counters.map((value, index) => (index === NUMBER ? number : value)) };
  }

  private expectOnlyMain(disk: SimDisk, who: string, but: ReadonlySet<string> = new Set()): void {
    expectNone(
      `${who}, files that stay`,
      disk.list('.').filter((name) => name !== PATH && !but.has(name)),
    );
  }

  async run(): Promise<ScheduleResult> {
    const { schedule, ledger, disk } = this;
    if (this.fails.chance(0.3)) this.failOneSync(this.fails);
    await this.settle();
    disk.syncFault = undefined;
    if (this.syncFailed) {
      for (const actor of this.actors) actor.goOn(['close', 'end']);
      await this.settle();
    }
    this.lose(this.policy());
    for (const actor of this.actors) actor.goOn(['read', 'end']);
    await this.settle();
    // With nobody in the way a checkpoint reaches the newest commit, and the last close leaves only the main file.
    const late = new Actor(this, 'the last process', this.random.fork('late'), ['read', 'commit', 'end']);
    this.actors.push(late);
    await this.settle();
    for (const actor of this.actors) if (actor !== late) actor.goOn(['close', 'end']);
    await this.settle();
    const result = late.pager!.checkpoint();
    if (result.lsn !== ledger.newest.lsn)
      throw new Broken(`a checkpoint ends at commit ${result.lsn}, with nobody in the way of ${ledger.newest.lsn}`);
    late.goOn(['close', 'end']);
    await this.settle();
    this.expectOnlyMain(disk, 'after the last close', this.leftovers);
    const again = Pager.open({ vfs: disk, path: PATH, ...this.options });
    expectNone('after the last close', examine(again, ledger.newest.state));
    again.close();
    return {
      steps: schedule.steps,
      commits: ledger.count,
      kills: this.kills,
      images: this.images,
      refusals: this.refusals,
      requested: this.requests,
      failures: this.failures,
      late: this.lateTransactions,
      interruptions: this.interruptions,
      trace: schedule.traceHash,
      disk: disk.traceHash,
    };
  }

  /** Lets everybody do what there is to do; then nobody owes or keeps anything. */
  private async settle(): Promise<void> {
    await this.schedule.run();
    for (const actor of this.actors) {
      if (actor.owed > 0) throw new Broken(`${actor.owed} commits of ${actor.name} are never acknowledged`);
      if (!actor.done) throw new Broken(`${actor.name} does not come to its end`);
    }
    if (this.disk.stat(PATH) === null) return;
    const file = this.disk.open(PATH, { write: true });
    const locked = (byte: number, count = 1): boolean => !file.tryLock(LOCK_BASE + byte, count, 'exclusive');
    const kept = Object.entries({ RECOVER: LOCK_RECOVER, WRITE: LOCK_WRITE, WAIT: LOCK_WAIT })
      .filter(([, byte]) => locked(byte))
      .map(([name]) => name);
    if (locked(LOCK_READ, LOCK_READ_SLOTS)) kept.push('READ');
    file.close();
    expectNone('locks that idle processes hold', kept);
  }
}
