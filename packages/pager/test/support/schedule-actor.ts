// One process of a scheduled run and its script; when it dies, another process takes its place and goes on with the script.
import type { Random, ScheduledEnv, SimSchedule } from '@sombra/vfs/testing';
import { KIND_OFFSET, Pager, PAGE_HEADER_SIZE } from '../../src/index.ts';
import type { CheckpointRequest, PagerOptions, View, WriteTransaction } from '../../src/index.ts';
import { Broken, NUMBER } from './ledger.ts';
import type { Entry, Ledger } from './ledger.ts';
import { randomChanges } from './model.ts';
import type { MortalVfs } from './mortal-vfs.ts';
import { Death } from './mortal-vfs.ts';

export const PATH = 't.db';

/** What an actor lives in. */
export interface Surroundings {
  readonly schedule: SimSchedule;
  readonly ledger: Ledger;
  readonly options: Omit<PagerOptions, 'vfs' | 'path'>;
  /** A new process: its environment, and the disk as it sees it. */
  newProcess(): { readonly env: ScheduledEnv; readonly vfs: MortalVfs };
  /** Runs something later that is no work of any process. */
  later(run: () => void): void;
  /** Somebody was refused, and tries again. */
  refused(): void;
  died(): void;
  /** May an error tell of a failed sync? */
  readonly syncFailed: boolean;
  /** A transaction took too long. */
  late(): void;
  /** A commit was acknowledged. */
  acknowledged(): void;
  /** A checkpoint that was asked for came to its end. */
  requested(): void;
}

const ACTIONS = [
  'commit',
  'commit',
  'commit polling',
  'commit together',
  'commit together',
  'commit together',
  'fill',
  'fill',
  'bulk load',
  'begin',
  'read',
  'read now',
  'snapshot',
  'snapshot',
  'release',
  'checkpoint',
  'checkpoint in turns',
  'close',
  'settle',
] as const;
export type Action = (typeof ACTIONS)[number] | 'open' | 'commit what is open' | 'roll back' | 'end';

/** Random actions of a script, and its end. */
export function randomActions(count: number, random: Random): Action[] {
  return [...Array.from({ length: count }, () => random.pick(ACTIONS)), 'end'];
}

/** What is open took too long: nothing of it was committed. */
const LIMIT = 'SOMBRA_TRANSACTION_TIMEOUT';
/** Tries after which an action counts as one that never gets its turn. */
const TRIES_MAX = 300;
/** Snapshots that it keeps. */
const SNAPSHOTS = 2;

/** What a script does after an action: the next one, or the next one when everything has been acknowledged. */
type Next = 'go' | 'wait';

/** After a failed sync nothing is written until the database has been opened again. */
const POISON = new Set(['SOMBRA_SYNC', 'SOMBRA_COMMIT_UNKNOWN', 'SOMBRA_LOCK_POISONED']);

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code);

export class Actor {
  vfs!: MortalVfs;
  pager: Pager | null = null;
  /** Its script has ended. */
  done = false;

  private readonly around: Surroundings;
  readonly name: string;
  private readonly random: Random;
  private readonly actions: Action[];
  private env!: ScheduledEnv;
  private snapshots: { readonly view: View; readonly entry: Entry }[] = [];
  private open: { readonly tx: WriteTransaction; readonly entry: Entry } | null = null;
  /** The newest commit that it made, or saw through its implicit view: that one may be older than a snapshot, within a turn. */
  private seen: Entry;
  private unacknowledged = 0;
  private isWaiting = false;
  private tries = 0;

  constructor(around: Surroundings, name: string, random: Random, actions: Action[]) {
    this.around = around;
    this.name = name;
    this.random = random;
    this.actions = actions;
    this.seen = around.ledger.newest;
    this.begin();
  }

  /** A process begins. */
  private begin(): void {
    const { env, vfs } = this.around.newProcess();
    this.env = env;
    this.vfs = vfs;
    vfs.onDeath = () => {
      env.stop();
      this.around.died();
      this.around.later(() => this.bury());
    };
    env.task(() => this.step());
  }

  /** Gives the actor something to do after its script. Call when nothing is left to do. */
  goOn(actions: Action[]): void {
    this.actions.push(...actions);
    this.done = false;
    if (this.vfs.dead) this.begin();
    else this.env.task(() => this.step());
  }

  /** Commits of which it has heard nothing yet. */
  get owed(): number {
    return this.unacknowledged;
  }

  /** Does the next thing of the script, and sees to the one after. */
  private step(): void {
    const { vfs } = this;
    const [first] = this.actions as [Action];
    const action = this.pager === null && first !== 'end' && first !== 'close' ? 'open' : first;
    const next = this.attempt(action);
    if (vfs.dead) return;
    if (next === undefined) {
      this.around.refused();
      this.tries += 1;
      if (this.tries > TRIES_MAX) throw new Broken(`${this.name}: ${action} never gets its turn`);
      this.env.task(() => this.step(), 1 + this.random.below(4));
      return;
    }
    this.tries = 0;
    if (action === first) this.actions.shift();
    this.done = this.actions.length === 0;
    if (next === 'wait' && this.unacknowledged > 0) this.isWaiting = true;
    else if (!this.done) this.env.task(() => this.step(), this.open === null ? 0 : this.random.below(6));
  }

  /** @returns undefined when somebody else is in the way, or the process died */
  private attempt(action: Action): Next | undefined {
    const { vfs } = this;
    try {
      return this.act(action);
    } catch (error) {
      const code = codeOf(error);
      if (vfs.dead || code === 'SOMBRA_BUSY') return undefined;
      if (this.isPoison(error)) return this.startOver();
      if (code !== LIMIT) throw error;
      this.around.late();
      return 'go';
    }
  }

  private isPoison(error: unknown): boolean {
    return this.around.syncFailed && POISON.has(codeOf(error));
  }

  /** A sync has failed, here or in another process: closes, so that the database is opened again. */
  private startOver(): Next | undefined {
    const { pager, vfs } = this;
    this.forget();
    try {
      pager?.close();
    } catch (error) {
      if (!vfs.dead && !this.isPoison(error)) throw error;
    }
    return pager === null || vfs.dead ? undefined : 'go';
  }

  private act(action: Action): Next {
    if (action === 'open') this.start();
    const { pager, random } = this;
    if (pager === null) return 'go';
    switch (action) {
      case 'commit':
        return this.commit(pager);
      case 'commit polling':
        return this.commitPolling(pager);
      case 'commit together':
        return this.commitTogether(pager, 1 + random.below(5));
      case 'fill':
        return this.fill(pager);
      case 'bulk load':
        return this.bulkLoad(pager);
      case 'begin':
        return this.beginOpen(pager);
      case 'commit what is open':
        return this.commitOpen();
      case 'roll back':
        this.open?.tx.rollback();
        this.open = null;
        return 'go';
      case 'read':
        return this.read(pager);
      case 'read now':
        return this.readNow(pager, this.seen);
      case 'snapshot':
        return this.takeSnapshot(pager);
      case 'release':
        this.snapshots.shift()?.view.release();
        return 'go';
      case 'checkpoint':
        return this.checkpoint(pager);
      case 'checkpoint in turns':
        return this.checkpointInTurns(pager);
      case 'settle':
        pager.flush();
        return 'wait';
      case 'close':
        return this.close(pager);
      case 'end':
        this.commitOpen();
        for (const { view } of this.snapshots.splice(0)) view.release();
        return 'wait';
      case 'open':
        return 'go';
    }
  }

  private start(): void {
    const { ledger, options } = this.around;
    const least = ledger.newest;
    this.pager = Pager.open({ vfs: this.vfs, path: PATH, ...options });
    this.see(ledger.read(this.pager.view, least, `${this.name} opens`));
  }

  private see(entry: Entry): void {
    if (entry.lsn > this.seen.lsn) this.seen = entry;
  }

  /** In a turn of its own: an implicit view that is older ends before. */
  private read(pager: Pager): Next {
    const least = this.around.ledger.newest;
    this.vfs.env.defer(() => {
      if (this.pager !== pager) return;
      try {
        this.readNow(pager, least);
      } catch (error) {
        // A process that is interrupted while it looks for readers has all their slots locked for that moment.
        if (codeOf(error) !== 'SOMBRA_BUSY') throw error;
        this.around.refused();
      }
    });
    return 'go';
  }

  private readNow(pager: Pager, least: Entry): Next {
    const { ledger } = this.around;
    this.see(ledger.read(pager.view, least, `${this.name} reads`));
    for (const { view, entry } of this.snapshots) ledger.check(view, entry, `a snapshot of ${this.name}`);
    return 'go';
  }

  private takeSnapshot(pager: Pager): Next {
    const { ledger } = this.around;
    const least = ledger.newest;
    if (this.snapshots.length === SNAPSHOTS) this.snapshots.shift()!.view.release();
    const view = pager.snapshot();
    const entry = ledger.read(view, least, `${this.name} takes a snapshot`);
    this.snapshots.push({ view, entry });
    return 'go';
  }

  private checkpoint(pager: Pager): Next {
    this.commitOpen();
    this.around.ledger.checkpointed(pager.checkpoint().lsn);
    return 'go';
  }

  /** Asks for one beside its other work, and waits for its end or, now and then, only for some of its turns. */
  private checkpointInTurns(pager: Pager): Next {
    this.commitOpen();
    const request = pager.requestCheckpoint(0);
    this.unacknowledged += 1;
    this.follow(request, this.random.chance(0.2) ? this.random.below(3) : Infinity);
    return this.random.chance(0.5) ? 'wait' : 'go';
  }

  private follow(request: CheckpointRequest, turns: number): void {
    const { vfs, around } = this;
    const { end } = request;
    if (end === undefined && turns > 0) {
      request.turned().then(
        () => !vfs.dead && this.follow(request, turns - 1),
        (error: unknown) => this.fail(error),
      );
      return;
    }
    if (end === undefined) request.abandon();
    this.settled();
    if (end?.how === 'done') {
      around.ledger.checkpointed(end.lsn);
      around.requested();
      if (end.lsn > end.newestLsn)
        this.fail(new Broken(`${this.name}: a checkpoint of commit ${end.lsn}, and the newest is ${end.newestLsn}`));
    } else if (end?.how === 'failed' && !this.isPoison(end.error)) this.fail(end.error);
  }

  private close(pager: Pager): Next {
    const { vfs } = this;
    this.forget();
    try {
      pager.close();
    } catch (error) {
      if (this.isPoison(error)) return 'go';
      throw vfs.dead ? error : new Broken(`${this.name} cannot close: ${String(error)}`, { cause: error });
    }
    if (vfs.openFiles > 0) throw new Broken(`${this.name} leaves ${vfs.openFiles} descriptors open`);
    return 'go';
  }

  private forget(): void {
    this.pager = this.open = null;
    this.snapshots = [];
  }

  // ---- writing

  private begun(pager: Pager, waitMs?: number): WriteTransaction {
    this.commitOpen();
    return pager.begin(waitMs);
  }

  /** Changes something in a transaction. */
  private change(tx: WriteTransaction, steps: number): Entry {
    const entry = this.around.ledger.begin(tx.view, tx.lsn, this.name);
    const state = randomChanges(tx, entry.state, steps, this.random);
    const counters = [...state.counters];
    counters[NUMBER] = entry.number;
    tx.setCounter(NUMBER, entry.number);
    entry.state = { ...state, counters };
    return entry;
  }

  private finish(tx: WriteTransaction, entry: Entry): Next {
    tx.commit();
    return this.published(entry);
  }

  private published(entry: Entry): Next {
    this.around.ledger.publish(entry, `${this.name} commits`);
    this.around.acknowledged();
    this.see(entry);
    return 'go';
  }

  private commit(pager: Pager): Next {
    const tx = this.begun(pager);
    return this.finish(tx, this.change(tx, 3));
  }

  /** As asynchronous callers do: they never block, and say that they wait. */
  private commitPolling(pager: Pager): Next {
    let tx: WriteTransaction;
    try {
      tx = this.begun(pager, 0);
    } catch (error) {
      pager.waiting(true);
      throw error;
    }
    pager.waiting(false);
    return this.finish(tx, this.change(tx, 3));
  }

  /** Adds pages full of random bytes: most of a segment. */
  private fill(pager: Pager): Next {
    const tx = this.begun(pager);
    const entry = this.change(tx, 1);
    const pages = new Map(entry.state.pages);
    const { bytes, pageSize } = tx.view.cache;
    for (let i = 0; i < 3; i += 1) {
      const page = tx.allocate(17, 1);
      const base = tx.edit(page);
      const body = this.random.bytes(pageSize - 24);
      tx.setBytes(base, 24, body, 0, body.length);
      pages.set(page, bytes.slice(base + 16, base + pageSize));
    }
    entry.state = { ...entry.state, pages };
    return this.finish(tx, entry);
  }

  /** Pages past the log, and one commit for all of them; now and then it is given up. */
  private bulkLoad(pager: Pager): Next {
    const { ledger } = this.around;
    this.commitOpen();
    const load = pager.bulk();
    const added = new Map<number, Uint8Array>();
    for (let i = 1 + this.random.below(4); i > 0; i -= 1) {
      const page = load.allocate();
      const bytes = new Uint8Array(pager.pageSize);
      bytes.set(this.random.bytes(bytes.length - PAGE_HEADER_SIZE), PAGE_HEADER_SIZE);
      bytes[KIND_OFFSET] = 17;
      load.write(page, bytes, 0);
      added.set(page, bytes.subarray(KIND_OFFSET));
    }
    if (this.random.chance(0.2)) {
      load.abort();
      return 'go';
    }
    let entry: Entry | undefined;
    load.finish((tx) => {
      entry = ledger.begin(tx.view, tx.lsn, this.name);
      const counters = entry.state.counters.with(NUMBER, entry.number);
      tx.setCounter(NUMBER, entry.number);
      entry.state = { ...entry.state, counters, pages: new Map([...entry.state.pages, ...added]) };
    });
    return this.published(entry!);
  }

  private commitTogether(pager: Pager, count: number): Next {
    for (let i = 0; i < count; i += 1) {
      const tx = this.begun(pager);
      const entry = this.change(tx, 2);
      this.await(tx.commitAsync(), entry);
    }
    return this.random.chance(0.5) ? 'wait' : 'go';
  }

  private await(commit: Promise<number>, entry: Entry): void {
    const { vfs, around } = this;
    this.unacknowledged += 1;
    commit.then(
      (lsn) => {
        if (vfs.dead) return;
        this.settled();
        if (lsn !== entry.lsn) this.fail(new Broken(`${this.name}: commit ${entry.lsn} is acknowledged as ${lsn}`));
        try {
          around.ledger.publish(entry, `${this.name} hears of its commit`);
          around.acknowledged();
          this.see(entry);
        } catch (error) {
          this.fail(error);
        }
      },
      (error: unknown) => {
        if (vfs.dead) return;
        this.settled();
        if (!this.isPoison(error)) this.fail(error);
      },
    );
  }

  private fail(error: unknown): void {
    this.around.later(() => {
      throw error;
    });
  }

  private settled(): void {
    this.unacknowledged -= 1;
    if (this.unacknowledged > 0 || !this.isWaiting) return;
    this.isWaiting = false;
    if (!this.done) this.env.task(() => this.step());
  }

  /** A transaction that stays open while other things happen. */
  private beginOpen(pager: Pager): Next {
    const tx = this.begun(pager);
    this.open = { tx, entry: this.change(tx, 2) };
    this.actions.splice(1, 0, this.random.chance(0.7) ? 'commit what is open' : 'roll back');
    return 'go';
  }

  private commitOpen(): Next {
    const { open } = this;
    this.open = null;
    return open === null ? 'go' : this.finish(open.tx, open.entry);
  }

  // ---- dying

  /** Is killed: at once, or in the middle of what it does, before its next call that others could notice. */
  kill(): void {
    if (this.vfs.dead || this.done) return;
    if (this.around.schedule.isRunning(this.env)) this.vfs.dieBefore = this.vfs.calls + 1;
    else this.vfs.die('what another process does');
  }

  /** Is killed before one of its calls that others can notice, perhaps in the middle of a write. */
  killWithin(calls: number, tornSectors: number): void {
    if (this.vfs.dead || this.done) return;
    this.vfs.tornSectors = tornSectors;
    this.vfs.dieBefore = this.vfs.calls + 1 + calls;
  }

  /** The process has died: what it had in memory is gone, and another one takes its place. */
  private bury(): void {
    if (this.around.schedule.isRunning(this.env)) return this.around.later(() => this.bury());
    const { pager } = this;
    this.forget();
    this.unacknowledged = 0;
    this.isWaiting = false;
    try {
      pager?.close(); // gives memory back; every other call of a dead process throws
    } catch (error) {
      if (!(error instanceof Death)) throw error;
    }
    if (!this.done) this.begin();
  }
}
