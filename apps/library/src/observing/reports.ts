/** What happens to the transactions and the long operations of one database, and the damage they meet: counted, and told to its observers. */
import type { RunInContext, VfsEnv } from '@sombra/vfs';
import type { Mutation, RollbackReason } from './hooks.ts';
import { MutationRecorder } from './mutation-recorder.ts';
import type { Observers } from './observers.ts';

/** A transaction as far as it is reported. */
export interface ReportedTransaction {
  /** 1 for the first one of the database, one more for each later one. */
  readonly id: number;
  /** Number of the commit that it would be. */
  readonly lsn: number;
  /** Of the monotonic clock, ms. */
  readonly begun: number;
  /** There while an observer wants to know what is written. */
  readonly recorder: MutationRecorder | undefined;
  /** Where observers hear that it was published, when that happens on behalf of others too; undefined: where that happens. */
  readonly inContext: RunInContext | undefined;
}

/** See the top of the file. */
export class Reports {
  begun = 0;
  /** Those that changed nothing too. */
  committed = 0;
  rolledBack = 0;
  /** Of those rolled back: because their time was over. */
  timedOut = 0;
  /** Operations that took as long as `slowOperationMs`. */
  slowOperations = 0;

  /** Those that are about to be committed, by the number of the commit. */
  private readonly expected = new Map<number, ReportedTransaction>();
  private readonly observers: Observers;
  private readonly env: VfsEnv;
  private readonly slowMs: number;
  private readonly noteDamage: (error: unknown) => void;

  /**
   * @param slowMs      Infinity for never
   * @param noteDamage  gets what reads and transactions threw, damage or not
   */
  constructor(observers: Observers, env: VfsEnv, slowMs: number, noteDamage: (error: unknown) => void) {
    this.noteDamage = noteDamage;
    this.observers = observers;
    this.env = env;
    this.slowMs = slowMs;
  }

  /** A transaction has begun. @param lsn  number of the commit that it would be */
  begin(lsn: number, inContext?: RunInContext): ReportedTransaction {
    this.begun += 1;
    const id = this.begun;
    this.observers.tell((hooks) => hooks.begun?.({ transaction: id }));
    const recorder = this.observers.recording ? new MutationRecorder() : undefined;
    return { id, lsn, begun: this.env.monotonicMs(), recorder, inContext };
  }

  /** It is about to be committed. */
  expect(transaction: ReportedTransaction): void {
    this.expected.set(transaction.lsn, transaction);
  }

  /** A commit was published: the hook of the pager, which is called in the order of commits. */
  published(lsn: number): void {
    const transaction = this.expected.get(lsn);
    if (transaction === undefined) return; // a bulk load, an index: no transaction
    this.expected.delete(lsn);
    const { inContext } = transaction;
    if (inContext === undefined) this.commit(transaction, lsn);
    else inContext(() => this.commit(transaction, lsn));
  }

  /** It was committed: when nothing was changed, nothing was published. */
  ended(transaction: ReportedTransaction): void {
    if (this.forget(transaction)) this.commit(transaction, null);
  }

  private forget(transaction: ReportedTransaction): boolean {
    const { lsn } = transaction;
    return this.expected.get(lsn) === transaction && this.expected.delete(lsn);
  }

  private commit({ id, begun, recorder }: ReportedTransaction, lsn: number | null): void {
    const { observers, env } = this;
    this.committed += 1;
    const ms = env.monotonicMs() - begun;
    observers.tell((hooks) => hooks.committed?.({ transaction: id, lsn, ms }));
    if (lsn !== null && recorder !== undefined) {
      const event = { transaction: id, lsn, time: env.wallTimeMs(), mutations: recorder.mutations };
      observers.tell((hooks) => hooks.mutated?.(event));
    }
    this.took('transaction', ms, id);
  }

  /** It left nothing. @param error  what ended it, if anything was thrown */
  rollBack(transaction: ReportedTransaction, reason: RollbackReason, error?: unknown): void {
    const { id, begun } = transaction;
    this.forget(transaction);
    this.noteDamage(error);
    this.rolledBack += 1;
    if (reason === 'timeout') this.timedOut += 1;
    const ms = this.env.monotonicMs() - begun;
    this.observers.tell((hooks) => hooks.rolledBack?.({ transaction: id, reason, ms, error }));
    this.took('transaction', ms, id);
  }

  /** What commits past the transactions has committed. */
  mutate(lsn: number, mutation: Mutation): void {
    const event = { transaction: null, lsn, time: this.env.wallTimeMs(), mutations: [mutation] };
    this.observers.tell((hooks) => hooks.mutated?.(event));
  }

  /** A read threw this: damage counts, also where it was found above the pages. @throws it */
  met(error: unknown): never {
    this.noteDamage(error);
    throw error;
  }

  /** Runs an operation, and tells when it was slow. */
  timed<T>(operation: string, run: () => T): T {
    const begun = this.env.monotonicMs();
    try {
      return run();
    } catch (error) {
      this.met(error);
    } finally {
      this.took(operation, this.env.monotonicMs() - begun, null);
    }
  }

  /** As `timed`, for what lets the event loop turn. */
  async timedAsync<T>(operation: string, run: () => Promise<T>): Promise<T> {
    const begun = this.env.monotonicMs();
    try {
      return await run();
    } catch (error) {
      this.met(error);
    } finally {
      this.took(operation, this.env.monotonicMs() - begun, null);
    }
  }

  private took(operation: string, ms: number, transaction: number | null): void {
    if (ms < this.slowMs) return;
    this.slowOperations += 1;
    this.observers.tell((hooks) => hooks.slow?.({ operation, ms, transaction }));
  }
}
