/**
 * The write transactions of one database: which one is open, what ends it, what happens to a forgotten one.
 *
 * Invariants:
 * - At most one is open; `current` is it. It is cleared before anything else can begin.
 * - Nothing here refers to the `Transaction` that a caller holds, so that a dropped one is noticed.
 */
import { DataError, IoError, StateError } from '@sombra/vfs';
import type { RunInContext, VfsEnv } from '@sombra/vfs';
import type { Graph, GraphTransaction } from '@sombra/graph';
import { runUpkeep } from '../base/warning.ts';
import type { RollbackReason } from '../observing/hooks.ts';
import type { Observers } from '../observing/observers.ts';
import type { Reports } from '../observing/reports.ts';
import type { SchemaRules } from '../schema/schema-rules.ts';
import { checkNotEnded, Transaction } from './transaction.ts';
import type { OpenTransaction, TransactionEnd, TransactionOwner } from './transaction.ts';
import { TransactionQueue } from './transaction-queue.ts';
import type { QueueRunner } from './transaction-queue.ts';

/** Limits of the transactions of one database. */
export interface TransactionLimits {
  /** Longest time that an explicit transaction may be open; Infinity for no limit. */
  readonly transactionTimeoutMs: number;
  /** What writes are checked against. */
  readonly rules: SchemaRules | undefined;
  /** Longest time that an asynchronous transaction waits while another connection writes. */
  readonly busyTimeoutMs: number;
}

export class Transactions implements TransactionOwner, QueueRunner {
  readonly rules: SchemaRules | undefined;
  private readonly graph: Graph;
  private readonly env: VfsEnv;
  private readonly timeoutMs: number;
  private readonly observers: Observers;
  private readonly reports: Reports;
  private readonly dropped: FinalizationRegistry<OpenTransaction>;
  private readonly queue: TransactionQueue;
  private current: OpenTransaction | undefined;
  /** Is something under way that holds the right to write between turns of the event loop? */
  private pausing = false;

  constructor(graph: Graph, env: VfsEnv, limits: TransactionLimits, observers: Observers, reports: Reports) {
    this.graph = graph;
    this.env = env;
    this.rules = limits.rules;
    this.timeoutMs = limits.transactionTimeoutMs;
    this.reports = reports;
    this.observers = observers;
    this.queue = new TransactionQueue(this, env, limits.busyTimeoutMs);
    this.dropped = new FinalizationRegistry((open) => this.abandonDropped(open));
  }

  /** The open transaction. An explicit one that an error has rolled back is over; a callback still runs to its end. */
  get active(): OpenTransaction | undefined {
    const { current } = this;
    if (current !== undefined && !current.managed && current.inner.state !== 'active')
      this.abandon(current, 'done', 'error');
    return this.current;
  }

  /** `GraphDB.transaction`. */
  run<T>(fn: (tx: Transaction) => T): T {
    checkCallback(fn);
    this.refusePausing();
    const outer = this.active;
    if (outer?.managed === true) return this.runNested(outer, new Transaction(outer, this), fn);
    if (outer !== undefined) refuseBusy();
    return this.runManaged(fn);
  }

  /** `GraphDB.transactionAsync`. */
  async runAsync<T>(fn: (tx: Transaction) => T): Promise<T> {
    checkCallback(fn);
    return await this.queue.add(fn);
  }

  isBusy(): boolean {
    return this.pausing || this.active !== undefined;
  }

  isGroupFull(): boolean {
    return this.graph.pager.isGroupFull;
  }

  openQueued(waitMs: number | undefined, inContext: RunInContext): OpenTransaction {
    return this.open(true, waitMs, inContext);
  }

  async runQueued<T>(open: OpenTransaction, fn: (tx: Transaction) => T): Promise<T> {
    const { result, durable } = this.toItsEnd(open, () => {
      const value = this.runCallback(open, fn);
      this.reports.expect(open);
      return { result: value, durable: open.inner.commitAsync() };
    });
    try {
      await durable;
    } catch (error) {
      this.reports.rollBack(open, reasonOf(error), error);
      throw error;
    }
    this.reports.ended(open);
    return result;
  }

  refused(error: unknown): void {
    this.graph.pager.noteRefusal(error);
  }

  waiting(waits: boolean): void {
    this.runUpkeep(() => this.graph.pager.waiting(waits));
  }

  pauseMs(): number {
    return this.graph.pager.pauseMs();
  }

  runUpkeep(work: () => void): void {
    runUpkeep(this.observers.warn, work);
  }

  /** A transaction of one write. @throws StateError SOMBRA_TRANSACTION_ACTIVE, IoError SOMBRA_BUSY when one is open */
  single<T>(write: (tx: Transaction) => T): T {
    this.refuseOutside();
    return this.runManaged(write);
  }

  /** `GraphDB.beginTransaction`. */
  begin(): Transaction {
    this.refusePausing();
    if (this.active !== undefined) {
      throw new StateError(
        'SOMBRA_TRANSACTION_ACTIVE',
        'a transaction is open already: use its methods, end it first, or nest with tx.transaction(fn)',
      );
    }
    this.queue.drain();
    let open: OpenTransaction | undefined;
    const timer =
      this.timeoutMs === Infinity ? undefined : this.env.setTimer(() => this.timedOut(open), this.timeoutMs);
    try {
      open = this.open(false);
    } catch (error) {
      if (timer !== undefined) this.env.clearTimer(timer);
      throw error;
    }
    open.timer = timer;
    const handle = new Transaction(open, this);
    this.dropped.register(handle, open, handle);
    return handle;
  }

  /** Asynchronous transactions that are queued, or wait for their sync. */
  get pending(): number {
    return this.queue.pending;
  }

  /** Runs asynchronous transactions that wait, before something that belongs behind them. */
  drain(): void {
    this.queue.drain();
  }

  /** Refuses a write while a bulk load or the creation of an index is between two of its steps. @throws IoError SOMBRA_BUSY */
  refusePausing(): void {
    if (!this.pausing) return;
    throw new IoError(
      'SOMBRA_BUSY',
      'a bulk load or the creation of an index is under way on this connection: await it, or use transactionAsync, which waits for it',
      { details: { lock: 'TRANSACTION' } },
    );
  }

  /** Refuses a write that does not belong to the open transaction. */
  refuseOutside(): void {
    this.refusePausing();
    const { active } = this;
    if (active === undefined) return;
    if (!active.managed) refuseBusy();
    throw new StateError(
      'SOMBRA_TRANSACTION_ACTIVE',
      'a transaction is running: write with its methods (tx.addNode and so on), or wait until it has returned',
    );
  }

  /**
   * Runs what holds the right to write from one turn of the event loop to the next. Transactions that are asked for meanwhile by
   * `transactionAsync` wait for its end; other writes are refused.
   * @throws as `single`
   */
  async runPausing<T>(work: () => Promise<T>): Promise<T> {
    this.refuseOutside();
    this.queue.drain();
    this.pausing = true;
    try {
      return await work();
    } finally {
      this.pausing = false;
      this.queue.wake();
    }
  }

  /** Runs what lets others write between its steps. @throws as `refusePausing` */
  async runBeside<T>(work: () => Promise<T>): Promise<T> {
    this.refusePausing();
    return await work();
  }

  /** The database is being closed: rolls back what is open, runs what is queued. */
  close(): void {
    this.graph.giveUpWriting(new StateError('SOMBRA_CLOSED', 'the database was closed meanwhile: nothing was changed'));
    this.pausing = false;
    try {
      if (this.current !== undefined) this.abandon(this.current, 'closed', 'closed');
    } finally {
      this.queue.close();
    }
  }

  commitExplicit(open: OpenTransaction, handle: Transaction): number {
    this.dropped.unregister(handle);
    const lsn = this.toItsEnd(open, () => this.commit(open));
    this.reports.ended(open);
    return lsn;
  }

  rollbackExplicit(open: OpenTransaction, handle: Transaction): void {
    this.dropped.unregister(handle);
    if (open.ended === undefined) this.abandon(open, 'done', 'rollback');
  }

  runNested<T>(open: OpenTransaction, handle: Transaction, fn: (tx: Transaction) => T): T {
    checkCallback(fn);
    const { inner, recorder } = open;
    const savepoint = inner.savepoint();
    recorder?.mark(savepoint);
    try {
      const result = fn(handle);
      refusePromise(result);
      checkNotEnded(open);
      inner.releaseSavepoint(savepoint);
      recorder?.release(savepoint);
      return result;
    } catch (error) {
      if (inner.state === 'active') takeBack(inner, savepoint);
      recorder?.rewind(savepoint);
      recorder?.release(savepoint);
      throw error;
    }
  }

  private open(managed: boolean, waitMs?: number, inContext?: RunInContext): OpenTransaction {
    const inner = this.graph.begin(waitMs);
    const reported = this.reports.begin(inner.lsn, inContext);
    const open: OpenTransaction = { ...reported, inner, managed, timer: undefined, ended: undefined };
    this.current = open;
    return open;
  }

  /** Begins, runs and commits, behind the asynchronous transactions that wait. */
  private runManaged<T>(fn: (tx: Transaction) => T): T {
    this.queue.drain();
    const open = this.open(true);
    const result = this.toItsEnd(open, () => {
      const value = this.runCallback(open, fn);
      this.commit(open);
      return value;
    });
    this.reports.ended(open);
    // One that changed nothing made no commit, which would have covered those before it.
    if (this.queue.pending > 0) this.graph.pager.flush();
    return result;
  }

  private runCallback<T>(open: OpenTransaction, fn: (tx: Transaction) => T): T {
    const result = fn(new Transaction(open, this));
    refusePromise(result);
    checkNotEnded(open); // `fn` may have closed the database
    return result;
  }

  /** Runs what commits a transaction; rolls it back when that throws. */
  private toItsEnd<T>(open: OpenTransaction, commit: () => T): T {
    try {
      const result = commit();
      this.end(open, 'done');
      return result;
    } catch (error) {
      this.abandon(open, 'done', reasonOf(error), error);
      throw error;
    }
  }

  private commit(open: OpenTransaction): number {
    this.reports.expect(open);
    return open.inner.commit();
  }

  /** Notes that a transaction is over. */
  private end(open: OpenTransaction, how: TransactionEnd): void {
    open.ended = how;
    if (open.timer !== undefined) this.env.clearTimer(open.timer);
    open.timer = undefined;
    if (this.current === open) this.current = undefined;
    this.queue.wake();
  }

  /** Rolls back what is not committed; an error below may have done so already, but not told the graph. */
  private abandon(open: OpenTransaction, how: TransactionEnd, reason: RollbackReason, error?: unknown): void {
    try {
      if (reason === 'timeout') open.inner.expire();
      else if (open.inner.state !== 'committed') open.inner.rollback();
    } finally {
      if (open.ended === undefined) {
        // A deadline that a call met below, and whose error the caller has caught, is what ended it.
        const late = open.inner.isLate;
        this.end(open, late ? 'timeout' : how);
        this.reports.rollBack(open, late ? 'timeout' : reason, error);
      }
    }
  }

  private timedOut(open: OpenTransaction | undefined): void {
    // The pager's own deadline may have rolled it back already; then this still has to be told.
    if (open === undefined || open !== this.current) return;
    open.timer = undefined;
    this.runUpkeep(() => this.abandon(open, 'timeout', 'timeout'));
    this.observers.warn({
      code: 'SOMBRA_TRANSACTION_TIMEOUT',
      message: `a transaction was open for ${this.timeoutMs} ms and was rolled back: end every beginTransaction by commit or rollback`,
    });
  }

  private abandonDropped(open: OpenTransaction): void {
    if (open.ended !== undefined) return;
    this.runUpkeep(() => this.abandon(open, 'done', 'leaked'));
    this.observers.warn({
      code: 'SOMBRA_TRANSACTION_LEAKED',
      message: 'a transaction was dropped without commit or rollback, and was rolled back: use transaction(fn)',
    });
  }
}

/** Why what was thrown ended a transaction. */
function reasonOf(error: unknown): RollbackReason {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  if (code === 'SOMBRA_COMMIT_UNKNOWN') return 'unknown';
  return code === 'SOMBRA_TRANSACTION_TIMEOUT' ? 'timeout' : 'error';
}

function checkCallback(fn: unknown): void {
  if (typeof fn === 'function') return;
  throw new DataError(
    'SOMBRA_OPTION',
    `a transaction takes a function of what it writes with, not ${fn === null ? 'null' : typeof fn}`,
  );
}

function refuseBusy(): never {
  throw new IoError(
    'SOMBRA_BUSY',
    'a transaction begun by beginTransaction is open on this connection: write with its methods, or try again when it has ended',
    { details: { lock: 'TRANSACTION' } },
  );
}

/** Takes back what came after a savepoint; if the callback has ended the savepoint itself, everything. */
function takeBack(tx: GraphTransaction, savepoint: number): void {
  try {
    tx.rollbackTo(savepoint);
    tx.releaseSavepoint(savepoint);
  } catch {
    tx.rollback();
  }
}

/** A promise would do its work after the commit. */
function refusePromise(result: unknown): void {
  if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== 'function') return;
  // What it still does fails with SOMBRA_TX_DONE; the error below says why.
  (result as PromiseLike<unknown>).then(undefined, () => undefined);
  throw new StateError(
    'SOMBRA_PROMISE_IN_TRANSACTION',
    'the callback of a transaction returned a promise; it was rolled back: await before, or use beginTransaction',
  );
}
