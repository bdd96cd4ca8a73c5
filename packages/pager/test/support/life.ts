// A database on a simulated disk, beside a model of it that knows what a crash may leave.
import type { Vfs } from '@sombra/vfs';
import { Random, SimCrash } from '@sombra/vfs/testing';
import { Pager } from '../../src/index.ts';
import type { PagerOptions, View, WriteTransaction } from '../../src/index.ts';
import type { ModelState } from './model.ts';
import { EMPTY, randomChanges } from './model.ts';

export const PATH = 't.db';

/** Small pages, the smallest cache, segments of 16 KiB; checkpoints by themselves only where a script asks for them. */
export const TINY = {
  pageSize: 4096,
  cacheSize: 8,
  maxTransactionPages: 64,
  maxWalSizeMb: 0.0625,
  checkpointAfterBytes: 2 ** 40,
} as const;

export type LifeOptions = Omit<Partial<PagerOptions>, 'vfs' | 'path'>;

/** What must be found after a crash. Numbers are commits. */
export interface Promised {
  /** The file exists. */
  readonly created: boolean;
  /** Oldest commit that may be the newest one found after a power loss, and after the death of the process. */
  readonly afterPowerLoss: number;
  readonly afterKill: number;
  /** Newest commit that may be found. */
  readonly newest: number;
  /** Content as of each commit. */
  readonly states: ReadonlyMap<number, ModelState>;
}

/** The log. A segment keeps the path under which it was made, until it is opened again. */
const LOG = /-wal(\.spare)?$/;

const NOTHING: Promised = { created: false, afterPowerLoss: 0, afterKill: 0, newest: 0, states: new Map([[0, EMPTY]]) };

/** Runs a database, one action after the other. */
export class Life {
  readonly random: Random;
  private current: Pager | undefined;
  private readonly vfs: Vfs;
  private readonly defaults: LifeOptions;
  private readonly states: Map<number, ModelState>;
  private options: LifeOptions = {};
  private created: boolean;
  private acknowledged: number;
  private attempted: number;
  /** Newest commit that a sync of the log or a checkpoint covered. */
  private synced: number;
  private syncing = -1;
  private snapshots: View[] = [];

  /** @param before  what the lives before this one on the same disk promised */
  constructor(vfs: Vfs, defaults: LifeOptions, seed: number, before: Promised = NOTHING) {
    this.vfs = vfs;
    this.defaults = defaults;
    this.random = new Random(seed);
    this.states = new Map(before.states);
    this.created = before.created;
    this.acknowledged = before.afterKill;
    this.synced = before.afterPowerLoss;
    this.attempted = before.newest;
  }

  /** Called before an operation happens on the disk: a log that was synced makes its commits durable. */
  before(operation: string, path: string): void {
    this.synced = Math.max(this.synced, this.syncing);
    this.syncing = operation === 'sync' && LOG.test(path) ? this.acknowledged : -1;
  }

  get promised(): Promised {
    const { syncMode = 'full', enableWal = true } = { ...this.defaults, ...this.options };
    return {
      created: this.created,
      afterPowerLoss: enableWal && syncMode === 'full' ? this.acknowledged : this.synced,
      afterKill: enableWal ? this.acknowledged : this.synced,
      newest: this.attempted,
      states: this.states,
    };
  }

  get pager(): Pager {
    if (this.current === undefined) throw new Error('the script opens the database first');
    return this.current;
  }

  /** Does the death of the process lose no commit? */
  get keepsLog(): boolean {
    return { enableWal: true, ...this.defaults, ...this.options }.enableWal !== false;
  }

  /** Is there a pager that is not closed? */
  get isOpen(): boolean {
    return this.current !== undefined && !this.current.closed;
  }

  /**
   * Gives up a pager whose machine has stopped, or that is no longer needed: the connections of a process are remembered until they close.
   */
  discard(): void {
    try {
      this.current?.close();
    } catch (error) {
      if (!(error instanceof SimCrash)) throw error;
    }
  }

  /** Closes a database that is poisoned: what is in doubt stays so. */
  abandon(): void {
    this.snapshots = [];
    this.pager.close();
  }

  /** The content of the newest commit. */
  get state(): ModelState {
    return this.states.get(this.acknowledged)!;
  }

  /** Opens, or recovers: then what is found is what stays. */
  open(options: LifeOptions = {}): void {
    const before = this.promised;
    this.options = options;
    const createIfMissing = !this.created;
    this.current = Pager.open({ vfs: this.vfs, path: PATH, ...TINY, createIfMissing, ...this.defaults, ...options });
    this.created = true;
    const { lsn } = this.pager.view;
    const { afterKill, newest } = before;
    if (lsn < afterKill || lsn > newest || !this.states.has(lsn))
      throw new Error(`found commit ${lsn}, expected ${afterKill} to ${newest}`);
    this.acknowledged = this.attempted = this.synced = lsn;
  }

  /** A transaction of random changes that commits. */
  commit(steps = 4): void {
    const before = this.state;
    this.commitWith((tx) => randomChanges(tx, before, steps, this.random));
  }

  /** A transaction that adds pages full of random bytes. */
  fill(pages: number): void {
    const before = this.state;
    this.commitWith((tx) => this.addPages(tx, before, pages));
  }

  /** A transaction that adds pages, and frees all but the first of them again, untouched. */
  waste(pages: number): void {
    const before = this.state;
    this.commitWith((tx) => {
      const added = this.addPages(tx, before, pages);
      for (const page of [...added.pages.keys()].slice(before.pages.size + 1)) {
        tx.freeUntouched(page);
        (added.pages as Map<number, Uint8Array>).delete(page);
      }
      return added;
    });
  }

  /** A transaction that frees the newest pages, untouched. */
  free(pages: number): void {
    const before = this.state;
    this.commitWith((tx) => {
      const left = new Map(before.pages);
      for (const page of [...left.keys()].slice(-pages)) {
        tx.freeUntouched(page);
        left.delete(page);
      }
      return { ...before, pages: left };
    });
  }

  private addPages(tx: WriteTransaction, before: ModelState, pages: number): ModelState {
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
  }

  private commitWith(change: (tx: WriteTransaction) => ModelState): void {
    const tx = this.pager.begin();
    const next = change(tx);
    this.attempted = tx.lsn;
    this.states.set(tx.lsn, next);
    // A transaction that came to nothing is no commit.
    this.acknowledged = this.attempted = tx.commit();
  }

  /**
   * Transactions that share a sync: they are acknowledged in order, some turns later.
   * @param fills  pages that each fills, 0 for small random changes
   */
  async commitTogether(count: number, fills = 0): Promise<void> {
    let state = this.state;
    const acknowledged: Promise<void>[] = [];
    for (let i = 0; i < count; i += 1) {
      const tx = this.pager.begin();
      state = fills > 0 ? this.addPages(tx, state, fills) : randomChanges(tx, state, 4, this.random);
      tx.setCounter(1, tx.lsn);
      state = { ...state, counters: state.counters.map((value, at) => (at === 1 ? tx.lsn : value)) };
      this.attempted = tx.lsn;
      this.states.set(tx.lsn, state);
      acknowledged.push(tx.commitAsync().then((lsn) => void (this.acknowledged = Math.max(this.acknowledged, lsn))));
    }
    await Promise.all(acknowledged);
  }

  /** Another connection to the same database, which only reads. */
  another(): Pager {
    const pager = Pager.open({ vfs: this.vfs, path: PATH, ...TINY, ...this.defaults, ...this.options });
    pager.view.page(pager.view.pageCount - 1);
    return pager;
  }

  /** Ends the turn of the event loop a few times: asynchronous work goes on. */
  async turns(count = 3): Promise<void> {
    for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  rollback(steps = 4): void {
    const tx = this.pager.begin();
    randomChanges(tx, this.state, steps, this.random);
    tx.rollback();
  }

  /** The commit that was attempted last was refused: it must not be there. */
  refused(): void {
    this.attempted = this.acknowledged;
  }

  checkpoint(): void {
    const { lsn } = this.pager.checkpoint();
    this.synced = Math.max(this.synced, lsn);
  }

  snapshot(): void {
    this.snapshots.push(this.pager.snapshot());
  }

  releaseSnapshots(): void {
    for (const snapshot of this.snapshots.splice(0)) snapshot.release();
  }

  /** A bulk load that is published, or given up. */
  bulk(pages: number, publish = true): void {
    const before = this.state;
    const bulk = this.pager.bulk();
    const added = new Map(before.pages);
    for (let i = 0; i < pages; i += 1) {
      const bytes = this.random.bytes(this.pager.pageSize);
      bytes[16] = 20;
      const page = bulk.allocate();
      bulk.write(page, bytes, 0);
      added.set(page, bytes.slice(16));
    }
    if (!publish) return bulk.abort();
    const counters = [...before.counters];
    counters[5] = pages;
    this.attempted = this.acknowledged + 1;
    this.states.set(this.attempted, { ...before, pages: added, counters });
    this.acknowledged = bulk.finish((tx) => tx.setCounter(5, pages));
  }

  close(): void {
    this.snapshots = [];
    this.pager.close();
    this.synced = this.acknowledged;
  }
}

/** A way to spend a life. */
export interface Script {
  readonly name: string;
  readonly options?: LifeOptions;
  /** @param restart  kills the process, and gives a life on the disk as it stands */
  run(life: Life, restart: () => Life): void | Promise<void>;
}
