// Several processes on one simulated disk, beside a model of the database that knows what each of them, and what a crash, may find.
import type { Vfs } from '@sombra/vfs';
import type { SimDisk } from '@sombra/vfs/testing';
import type { CrashPolicy, Random } from '@sombra/vfs/testing';
import { Pager } from '../../src/index.ts';
import { LOCK_BASE, LOCK_WRITE } from '../../src/sharing/locks.ts';
import type { CheckpointResult, PagerOptions, View, WriteTransaction } from '../../src/index.ts';
import type { ModelState } from './model.ts';
import { compare, EMPTY, examine, randomChanges } from './model.ts';
import { Death, MortalVfs } from './mortal-vfs.ts';

export const PATH = 't.db';

/** Small pages, the smallest cache, segments of 16 KiB; checkpoints by themselves only where a script asks for them. */
export const SMALL_WORLD = {
  pageSize: 4096,
  cacheSize: 8,
  maxTransactionPages: 16,
  maxWalSizeMb: 0.0625,
  checkpointAfterBytes: 2 ** 40,
  busyTimeoutMs: 50,
} as const;

export type WorldOptions = Omit<Partial<PagerOptions>, 'vfs' | 'path'>;

/** A connection found what must not be. */
export class BrokenPromise extends Error {
  static {
    this.prototype.name = 'BrokenPromise';
  }
}

/** A process, with at most one connection. */
export interface Process {
  readonly vfs: MortalVfs;
  pager: Pager | null;
  /** Commits that wait to be acknowledged; what refused one. */
  waiting: number;
  failure: unknown;
  readonly snapshots: { readonly view: View; readonly state: ModelState }[];
}

/** Commits that were tried on top of commit `base`, and of which it is unknown whether they are there. */
interface Attempt {
  readonly by: Process;
  readonly base: number;
  readonly states: ModelState[];
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class World {
  readonly disk: SimDisk;
  readonly processes: Process[] = [];
  readonly random: Random;
  /** Content as of each commit that was acknowledged or seen. */
  states: ModelState[] = [EMPTY];
  /** Oldest commit that a power loss may leave as the newest. */
  durable = 0;
  /** Codes of errors that refuse an action and are no failure of the test; how often that happened. */
  tolerated: ReadonlySet<string> = new Set();
  refusals = 0;
  /** A commit that shared its sync was acknowledged: the moment from which a power loss must not take it. */
  onAcknowledged: (() => void) | undefined;
  private broken: unknown;
  private readonly options: WorldOptions;
  private readonly seen: (disk: Vfs) => Vfs;
  private attempts: Attempt[] = [];
  private created = false;
  private syncing = -1;

  /** @param seen  the disk as each process sees it; for faults that have to be noticed */
  constructor(disk: SimDisk, random: Random, options: WorldOptions = {}, seen: (disk: Vfs) => Vfs = (whole) => whole) {
    this.disk = disk;
    this.seen = seen;
    this.random = random;
    this.options = options;
    disk.onOperation = (_count, operation, path) => {
      // In mode normal, a log that was synced makes its commits durable.
      if (this.syncing >= 0) this.durable = Math.max(this.durable, this.syncing);
      this.syncing = operation === 'sync' && path.endsWith('-wal') ? this.newest : -1;
    };
  }

  /** Newest commit that was acknowledged or seen. */
  get newest(): number {
    return this.states.length - 1;
  }

  get state(): ModelState {
    return this.states[this.newest]!;
  }

  private get full(): boolean {
    return (this.options.syncMode ?? 'full') === 'full';
  }

  process(number: number): Process {
    while (this.processes.length <= number) {
      this.processes.push({
        vfs: new MortalVfs(this.seen(this.disk), 100 + this.processes.length),
        pager: null,
        waiting: 0,
        failure: undefined,
        snapshots: [],
      });
    }
    return this.processes[number]!;
  }

  /** The sync that is being made fails. */
  syncFails(): void {
    this.syncing = -1;
  }

  /** Turns of the event loop, and time for timers: implicit views end, kept tenures too, work in the background goes on. */
  async pause(turns = 1): Promise<void> {
    for (let i = 0; i < turns; i += 1) {
      await turn();
      this.disk.env.advance(3);
      await turn();
      if (this.broken !== undefined) throw this.broken;
    }
  }

  /** Waits until no connection keeps WRITE, whatever it does in the background. */
  async untilFree(): Promise<void> {
    if (this.disk.stat(PATH) === null) return;
    const file = this.disk.open(PATH, { write: true });
    try {
      for (let tries = 0; !file.tryLock(LOCK_BASE + LOCK_WRITE, 1, 'exclusive'); tries += 1) {
        if (tries === 200) throw new BrokenPromise('WRITE is never released');
        await this.pause();
      }
    } finally {
      file.close();
    }
  }

  /** The lives that have the database open. */
  get open(): Process[] {
    return this.processes.filter(({ vfs, pager }) => !vfs.dead && pager !== null);
  }

  /**
   * Lets a process do something; what a dead one would do does not happen.
   * @returns undefined when it is dead, or dies, or is refused with one of the `tolerated` codes
   */
  act<T>(process: Process, action: () => T): T | undefined {
    if (process.vfs.dead) return undefined;
    try {
      return action();
    } catch (error) {
      if (error instanceof Death || process.vfs.dead) this.bury(process);
      else if (this.tolerated.has(String((error as { code?: unknown }).code))) this.refusals += 1;
      else throw error;
      return undefined;
    }
  }

  /** A dead process forgets its connection, so that the memory of the test does not fill with them. */
  private bury(process: Process): void {
    const { pager } = process;
    process.pager = null;
    process.snapshots.length = 0;
    try {
      pager?.close();
    } catch (error) {
      if (!(error instanceof Death)) throw error;
    }
  }

  openBy(process: Process, options: WorldOptions = {}): void {
    const least = this.newest;
    this.act(process, () => {
      process.pager = Pager.open({
        vfs: process.vfs,
        path: PATH,
        ...SMALL_WORLD,
        createIfMissing: !this.created,
        ...this.options,
        ...options,
      });
      this.created = true;
      this.see(process.pager.view.lsn, least);
    });
    if (this.disk.stat(PATH) !== null) this.created = true;
  }

  close(process: Process): void {
    this.act(process, () => {
      process.snapshots.length = 0;
      const { pager } = process;
      process.pager = null;
      try {
        pager?.close();
      } finally {
        if (process.vfs.dead) this.bury(process);
      }
    });
  }

  /** A transaction that commits. */
  commit(process: Process, change: (tx: WriteTransaction, before: ModelState) => ModelState = this.changes(4)): void {
    this.act(process, () => {
      const { pager } = process;
      if (pager === null) return;
      const tx = pager.begin();
      const { attempt, before } = this.attempt(process, tx.lsn);
      attempt.states.push(change(tx, before));
      this.accept(tx.commit());
    });
  }

  /** What a transaction builds on: what is published, and what its own connection has tried. */
  private attempt(by: Process, lsn: number): { attempt: Attempt; before: ModelState } {
    const last = this.attempts[this.attempts.length - 1];
    if (last?.by === by && last.base + last.states.length === lsn - 1)
      return { attempt: last, before: last.states[last.states.length - 1]! };
    this.see(lsn - 1);
    const attempt: Attempt = { by, base: this.newest, states: [] };
    this.attempts.push(attempt);
    return { attempt, before: this.state };
  }

  /** Transactions that share syncs; each is acknowledged some turns later. */
  commitTogether(process: Process, count: number): void {
    this.act(process, () => {
      const { pager } = process;
      if (pager === null) return;
      for (let i = 0; i < count; i += 1) {
        const tx = pager.begin();
        const { attempt, before } = this.attempt(process, tx.lsn);
        attempt.states.push(this.changes(2)(tx, before));
        const promise = tx.commitAsync();
        process.waiting += 1;
        promise.then(
          (lsn) => {
            process.waiting -= 1;
            this.accept(lsn);
            this.tellAcknowledged();
          },
          (error: unknown) => {
            process.waiting -= 1;
            if (!process.vfs.dead && !this.tolerated.has(String((error as { code?: unknown }).code)))
              process.failure = error;
          },
        );
      }
    });
  }

  /** What is found there is thrown at the next pause: the promise has no caller to report to. */
  private tellAcknowledged(): void {
    try {
      this.onAcknowledged?.();
    } catch (error) {
      this.broken ??= error;
    }
  }

  /** Random changes, few or many. */
  changes(steps: number): (tx: WriteTransaction, before: ModelState) => ModelState {
    return (tx, before) => {
      const next = randomChanges(tx, before, steps, this.random);
      const counters = [...next.counters];
      counters[0] = tx.lsn; // no commit is empty
      tx.setCounter(0, tx.lsn);
      return { ...next, counters };
    };
  }

  /** A commit that adds pages full of random bytes: most of a segment. */
  fill(process: Process, pages = 3): void {
    this.commit(process, (tx, before) => {
      const added = new Map(before.pages);
      for (let i = 0; i < pages; i += 1) {
        const page = tx.allocate(17, 1);
        const base = tx.edit(page);
        const { bytes, pageSize } = tx.view.cache;
        const body = this.random.bytes(pageSize - 24);
        tx.setBytes(base, 24, body, 0, body.length);
        added.set(page, bytes.slice(base + 16, base + pageSize));
      }
      return { ...before, pages: added };
    });
  }

  /** Reads everything through the implicit view. Call after a turn. */
  read(process: Process): void {
    this.act(process, () => {
      const { pager } = process;
      if (pager === null) return;
      const least = this.newest;
      const { lsn } = pager.view;
      this.see(lsn, least);
      this.expectNone(`process ${process.vfs.env.pid} reads`, compare(pager.view, this.states[lsn]!));
      this.readSnapshots(process);
    });
  }

  snapshot(process: Process): void {
    this.act(process, () => {
      const least = this.newest;
      const view = process.pager?.snapshot();
      if (view === undefined) return;
      this.see(view.lsn, least);
      process.snapshots.push({ view, state: this.states[view.lsn]! });
    });
  }

  readSnapshots(process: Process): void {
    this.act(process, () => {
      for (const { view, state } of process.snapshots) {
        this.expectNone(`a snapshot of process ${process.vfs.env.pid}`, compare(view, state));
      }
    });
  }

  /** Ends the oldest snapshot. */
  release(process: Process): void {
    this.act(process, () => process.snapshots.shift()?.view.release());
  }

  checkpoint(process: Process): CheckpointResult | undefined {
    return this.act(process, () => {
      const least = this.newest;
      const result = process.pager?.checkpoint();
      if (result !== undefined) {
        this.see(result.newestLsn, least);
        this.durable = Math.max(this.durable, result.lsn);
      }
      return result;
    });
  }

  /**
   * A connection finds this commit to be the newest published one.
   * @param least  what was acknowledged or seen when it began to look
   */
  see(lsn: number, least = this.newest): void {
    const attempt = this.attempts[this.attempts.length - 1];
    const possible = attempt === undefined ? 0 : attempt.base + attempt.states.length;
    if (lsn < least || (lsn > this.newest && lsn > possible)) {
      throw new BrokenPromise(
        `commit ${lsn} is published; ${least} was acknowledged or seen before, and ${Math.max(possible, this.newest)} tried`,
      );
    }
    this.accept(lsn);
  }

  private accept(lsn: number): void {
    const attempt = this.attempts[this.attempts.length - 1];
    while (this.newest < lsn) this.states.push(attempt!.states[this.states.length - 1 - attempt!.base]!);
    if (!this.full) return;
    this.durable = this.newest;
    // What is published is durable, so what was tried in its place cannot come back.
    this.attempts = this.attempts.filter(
      (one) => one === attempt && (one.states.length === 0 || one.base + one.states.length > this.newest),
    );
  }

  /** What the newest commit may hold after a crash. @param lost  a power loss; otherwise all processes died */
  private possible(lsn: number, lost: boolean): ModelState[] {
    const least = lost ? this.durable : this.newest;
    const found: ModelState[] = [];
    const seen = this.states[lsn];
    if (lsn >= least && seen !== undefined) found.push(seen);
    for (const { base, states } of this.attempts) {
      const state = states[lsn - base - 1];
      const joins = base >= least || states[least - base - 1] === this.states[least];
      if (lsn > base && joins && state !== undefined) found.push(state);
    }
    return found;
  }

  /** Recovers what a crash here would leave, compares it with what was promised, and lives on it. @param policy  undefined: all die */
  tryCrash(where: string, policy: CrashPolicy | undefined, random: Random): void {
    const image = policy === undefined ? this.disk.kill() : this.disk.crash(policy, random);
    const text = `${where}, crash ${policy === undefined ? 'of all processes' : JSON.stringify(policy)}`;
    if (!this.created && image.stat(PATH) === null) return;
    try {
      this.judge(image, policy !== undefined);
    } catch (error) {
      throw error instanceof BrokenPromise
        ? new BrokenPromise(`${text}: ${error.message}`)
        : new BrokenPromise(`${text}: ${String(error)}`, { cause: error });
    }
  }

  private judge(image: SimDisk, lost: boolean): void {
    const vfs = new MortalVfs(image, 99);
    const pager = Pager.open({ vfs, path: PATH, ...SMALL_WORLD, ...this.options, createIfMissing: !this.created });
    const { lsn } = pager.view;
    const candidates = this.possible(lsn, lost);
    if (candidates.length === 0)
      throw new BrokenPromise(
        `commit ${lsn} is found; ${lost ? this.durable : this.newest} to ${this.newest} were promised`,
      );
    const differences = candidates.map((state) => {
      try {
        return examine(pager, state);
      } catch (error) {
        return [String(error)]; // it has fewer pages
      }
    });
    const at = differences.findIndex((wrong) => wrong.length === 0);
    if (at < 0) this.expectNone(`commit ${lsn} as recovered`, differences[0]!);
    const alarms = pager.warnings.filter(({ code }) => code !== 'SOMBRA_SUPERBLOCK_SLOT');
    this.expectNone(
      'false alarms',
      alarms.map(({ code, message }) => `${code} ${message}`),
    );
    const tx = pager.begin();
    const next = this.changes(3)(tx, candidates[at]!);
    tx.commit();
    pager.close();
    if (vfs.openFiles > 0) throw new BrokenPromise(`${vfs.openFiles} descriptors stay open`);
    this.expectNone(
      'names after close',
      image.list('.').filter((name) => name !== PATH),
    );
    const again = Pager.open({ vfs, path: PATH, ...SMALL_WORLD, ...this.options });
    this.expectNone('opened again', examine(again, next));
    again.close();
  }

  /**
   * The others go on after whatever happened: each reads what was acknowledged, writes, brings it to main, and closes; then
   * only main is left.
   */
  async finish(): Promise<void> {
    await this.pause();
    await this.untilFree();
    const late = this.process(this.processes.length);
    this.openBy(late);
    for (const process of this.open) {
      if (process.failure !== undefined) throw process.failure;
      if (process.waiting > 0)
        throw new BrokenPromise(`${process.waiting} commits of process ${process.vfs.env.pid} are never acknowledged`);
      this.readSnapshots(process);
      await this.pause();
      this.read(process);
      this.commit(process);
      await this.pause();
      await this.untilFree();
      for (const other of this.open) this.read(other);
    }
    for (const process of this.open) while (process.snapshots.length > 0) this.release(process);
    await this.pause();
    await this.untilFree();
    const result = this.checkpoint(late);
    if (result?.lsn !== this.newest)
      throw new BrokenPromise(`a checkpoint ends at commit ${result?.lsn}, with nobody in the way of ${this.newest}`);
    for (const process of this.open) this.expectNone('check', examine(process.pager!, this.state));
  }

  /** Gives up what is not looked at any more: connections are remembered until they are closed. */
  discard(): void {
    for (const process of this.open) this.close(process);
  }

  /** All close. */
  closeAll(): void {
    for (const process of this.open) {
      this.close(process);
      if (process.vfs.openFiles > 0)
        throw new BrokenPromise(`process ${process.vfs.env.pid} leaves ${process.vfs.openFiles} descriptors open`);
    }
    this.expectNone(
      'names after the last close',
      this.disk.list('.').filter((name) => name !== PATH),
    );
    const again = Pager.open({ vfs: this.disk, path: PATH, ...SMALL_WORLD, ...this.options });
    this.expectNone('after the last close', [...examine(again, this.state), ...again.warnings.map(({ code }) => code)]);
    again.close();
  }

  expectNone(what: string, wrong: readonly string[]): void {
    if (wrong.length > 0) throw new BrokenPromise(`${what}: ${wrong.slice(0, 4).join('; ')}`);
  }
}
