/**
 * Transactions that were asked for by `transactionAsync`, first in, first out. They run in a turn of the event loop of their
 * own, many in a row, and share a sync.
 *
 * Invariants:
 * - A callback, and what hooks hear of its transaction, runs in the asynchronous context of the call that asked for it.
 * - No callback runs before the promise of its transaction was returned, none while another transaction is open.
 * - What is queued is bounded, and none of it runs while as many commits wait for their sync as may.
 * - What is queued is run by exactly one of: the next turn, the synchronous transaction that comes first, `close`.
 */
import { StateError, TransactionError } from '@sombra/vfs';
import type { RunInContext, VfsEnv } from '@sombra/vfs';
import type { OpenTransaction, Transaction } from './transaction.ts';

/** Longest time that queued transactions run in one turn of the event loop. */
const SLICE_MS = 5;

/** Transactions that may be queued, or wait for their sync: a program that asks for more does not wait for any. */
const PENDING_MAX = 2 ** 18;

/** Transactions that have run are let go when there are so many, and half of the list. */
const RUN_MIN = 1024;

/** What runs the queued transactions. */
export interface QueueRunner {
  /** Is a transaction open? */
  isBusy(): boolean;
  /** Do so many commits wait for their sync that another one would block? */
  isGroupFull(): boolean;
  /** @throws IoError SOMBRA_BUSY when another connection writes for longer than `waitMs` (undefined: as configured) */
  openQueued(waitMs: number | undefined, inContext: RunInContext): OpenTransaction;
  /** Runs the callback, and commits together with others; rolls back when it throws. */
  runQueued<T>(open: OpenTransaction, fn: (tx: Transaction) => T): Promise<T>;
  /** A transaction that was queued gives up. */
  refused(error: unknown): void;
  /** Tells other connections that the queue waits for its turn, or does not. */
  waiting(waits: boolean): void;
  /** How long to pause before the next try while another connection writes. */
  pauseMs(): number;
  /** Runs work of a later turn, which has no caller. Does not throw. */
  runUpkeep(work: () => void): void;
}

interface Queued {
  readonly fn: (tx: Transaction) => unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly inContext: RunInContext;
  /** When it was first kept waiting by another connection, ms; -1: not yet. */
  keptSince: number;
}

export class TransactionQueue {
  /** Transactions that are queued, or that wait for their sync. */
  pending = 0;

  private readonly runner: QueueRunner;
  private readonly env: VfsEnv;
  private readonly busyTimeoutMs: number;
  private queue: Queued[] = [];
  private head = 0;
  private scheduled = false;
  private running = false;
  private closed = false;
  private pollTimer: unknown;

  constructor(runner: QueueRunner, env: VfsEnv, busyTimeoutMs: number) {
    this.runner = runner;
    this.env = env;
    this.busyTimeoutMs = busyTimeoutMs;
  }

  /** @throws nothing: the promise of a transaction that finds the queue full is rejected with SOMBRA_QUEUE_FULL */
  add<T>(fn: (tx: Transaction) => T): Promise<T> {
    if (this.pending >= PENDING_MAX) {
      const error = queueFull(this.pending);
      this.runner.refused(error);
      return Promise.reject(error);
    }
    const promise = new Promise<T>((resolve, reject) => {
      const inContext = this.env.captureContext();
      this.queue.push({ fn, resolve: resolve as (result: unknown) => void, reject, inContext, keptSince: -1 });
    });
    this.pending += 1;
    this.wake();
    return promise;
  }

  /** Something may be run now, or soon. */
  wake(): void {
    if (this.scheduled || this.isEmpty || this.pollTimer !== undefined) return;
    this.scheduled = true;
    this.env.defer(() => {
      this.scheduled = false;
      this.runner.runUpkeep(() => this.runSlice());
    });
  }

  /**
   * Runs everything that is queued, blocking while another connection writes. What a callback asks for meanwhile comes later:
   * callbacks that ask for the next one would never let this return.
   * @throws IoError SOMBRA_BUSY; what was not run stays queued
   */
  drain(): void {
    if (this.running || this.isEmpty) return; // every synchronous transaction comes by here
    for (let left = this.queue.length - this.head; left > 0 && !this.isEmpty; left -= 1) this.runHead(undefined);
    this.endWait();
    this.wake();
  }

  /** Runs what is queued; what cannot be run is rejected. Nothing is taken any more. */
  close(): void {
    this.closed = true;
    try {
      if (!this.running) this.drain();
    } catch (error) {
      this.rejectAll(error);
    }
    this.rejectAll(new StateError('SOMBRA_CLOSED', 'the database was closed before this transaction began'));
    this.endWait();
  }

  private get isEmpty(): boolean {
    return this.head === this.queue.length;
  }

  private runSlice(): void {
    if (this.closed || this.runner.isBusy()) return; // the end of the open transaction wakes the queue
    const until = this.env.monotonicMs() + SLICE_MS;
    while (!this.isEmpty && !this.closed) {
      if (this.runner.isGroupFull()) break;
      try {
        this.runHead(0);
      } catch (error) {
        this.keepWaiting(error);
        return;
      }
      if (this.env.monotonicMs() >= until) break;
    }
    this.endWait();
    if (!this.runner.isGroupFull()) this.wake(); // otherwise the first acknowledged commit does
  }

  /** @throws IoError SOMBRA_BUSY when another connection writes, and nothing was run */
  private runHead(waitMs: number | undefined): void {
    const { inContext } = this.queue[this.head]!;
    inContext(() => this.runInContext(waitMs, inContext));
  }

  private runInContext(waitMs: number | undefined, inContext: RunInContext): void {
    let open: OpenTransaction;
    try {
      open = this.runner.openQueued(waitMs, inContext);
    } catch (error) {
      if ((error as { code?: unknown }).code === 'SOMBRA_BUSY') throw error;
      this.settle(this.shift().reject, error);
      return;
    }
    const { fn, resolve, reject } = this.shift();
    this.running = true;
    try {
      this.runner.runQueued(open, fn).then(
        (result) => this.settle(resolve, result),
        (error: unknown) => this.settle(reject, error),
      );
    } finally {
      this.running = false;
    }
  }

  private settle(how: (value: unknown) => void, value: unknown): void {
    this.pending -= 1;
    how(value);
    this.wake();
  }

  private shift(): Queued {
    const first = this.queue[this.head]!;
    this.head += 1;
    // Under a steady load it may never be empty, and what has run must not be kept.
    if (this.isEmpty || (this.head >= RUN_MIN && this.head * 2 >= this.queue.length)) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
    return first;
  }

  /** Another connection writes: tells it, gives up what has waited long enough, and comes back. */
  private keepWaiting(busy: unknown): void {
    const now = this.env.monotonicMs();
    this.runner.waiting(true);
    for (let i = this.head; i < this.queue.length; i += 1) {
      if (this.queue[i]!.keptSince < 0) this.queue[i]!.keptSince = now;
    }
    while (!this.isEmpty && now - this.queue[this.head]!.keptSince >= this.busyTimeoutMs) {
      const { inContext, reject } = this.shift();
      inContext(() => this.runner.refused(busy));
      this.settle(reject, busy);
    }
    if (this.isEmpty) {
      this.endWait();
      return;
    }
    this.pollTimer = this.env.setTimer(
      () => {
        this.pollTimer = undefined;
        this.runner.runUpkeep(() => this.runSlice());
      },
      this.runner.pauseMs(),
      true,
    );
  }

  private endWait(): void {
    if (this.pollTimer !== undefined) this.env.clearTimer(this.pollTimer);
    this.pollTimer = undefined;
    if (!this.closed) this.runner.waiting(false);
  }

  private rejectAll(error: unknown): void {
    while (!this.isEmpty) this.settle(this.shift().reject, error);
  }
}

function queueFull(pending: number): TransactionError {
  return new TransactionError(
    'SOMBRA_QUEUE_FULL',
    `${pending} asynchronous transactions wait already: await some of their promises before you ask for more, or put more writes into one transaction`,
    { details: { pending } },
  );
}
