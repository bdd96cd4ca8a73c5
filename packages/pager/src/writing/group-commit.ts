/**
 * Group commit (rules C2, C3, E1): transactions that were appended and share a sync. They are published in order after the sync
 * that covers them, and then acknowledged. In modes without a sync at commit there is nothing to wait for, and no group.
 *
 * Invariants:
 * 1. `waiting` is in ascending order of lsn; each was appended and none is published.
 * 2. At most one asynchronous sync of the log is in flight. What is appended meanwhile waits for the next one.
 * 3. What waits is bounded: a transaction that would join a full group is committed with a sync of its own, which covers the group. So
 *    transactions that come faster than the disk syncs are slowed to its pace, and memory and the time of a sync stay bounded.
 */
import { assert, TransactionError } from '@sombra/vfs';
import type { VfsEnv } from '@sombra/vfs';
import type { LogTail } from '@sombra/wal';
import type { Health } from '../base/health.ts';
import type { Measures } from '../base/stats.ts';
import type { Syncs } from '../base/syncs.ts';
import type { Catalogue } from '../format/catalogue.ts';
import type { LogWriter } from '../files/log-writer.ts';
import type { Commits } from '../reading/commits.ts';
import type { Views } from '../reading/views.ts';
import type { Publisher } from './publish.ts';

/** Commits that may wait for one sync. */
export const GROUP_COMMITS_MAX = 1024;
/** Bytes of log records after which no further commit waits with them. */
export const GROUP_BYTES_MAX = 64 * 2 ** 20;

/** A transaction that was appended. */
export interface AppendedCommit {
  readonly catalogue: Catalogue;
  /** Pages in its record, and its bytes. */
  readonly pages: number;
  readonly bytes: number;
  /** Behind its record. */
  readonly end: LogTail;
  /** When its commit was called, of the monotonic clock, ms. */
  readonly begun: number;
}

interface Waiting extends AppendedCommit {
  readonly resolve: (lsn: number) => void;
  readonly reject: (error: unknown) => void;
}

/** What a group is made of. */
export interface GroupCommitParts {
  readonly env: VfsEnv;
  readonly health: Health;
  readonly syncs: Syncs;
  readonly logWriter: LogWriter;
  readonly commits: Commits;
  readonly views: Views;
  readonly publisher: Publisher;
  readonly stats: Measures;
  /** Everything that waited has been published in a later turn. Does not throw. */
  readonly onPublished: () => void;
}

/** The transactions of one connection that wait for their sync. */
export class GroupCommit {
  private readonly parts: GroupCommitParts;
  private waiting: Waiting[] = [];
  /** Bytes of their records. */
  private bytes = 0;
  private inFlight = false;
  private scheduled = false;

  constructor(parts: GroupCommitParts) {
    this.parts = parts;
    parts.health.onPoison((cause) => this.fail(cause));
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  /** Is the group full? */
  get isFull(): boolean {
    return this.waiting.length >= GROUP_COMMITS_MAX || this.bytes >= GROUP_BYTES_MAX;
  }

  /**
   * Adds a transaction that was appended as the newest one, to a group that is not full. Its promise is fulfilled when it is durable
   * and published.
   */
  add({ catalogue, pages, bytes, end, begun }: AppendedCommit): Promise<number> {
    assert(!this.isFull, 'a commit that joins a group finds room in it');
    const promise = new Promise<number>((resolve, reject) =>
      this.waiting.push({ catalogue, pages, bytes, end, begun, resolve, reject }),
    );
    this.bytes += bytes;
    if (this.waiting.length === 1) this.parts.views.updateLimits();
    this.schedule();
    return promise;
  }

  /** Makes everything that waits durable and published, now. A failed sync poisons, and rejects it all. */
  flushNow(): void {
    if (this.waiting.length === 0) return;
    const { syncs, logWriter } = this.parts;
    try {
      syncs.sync(logWriter.current()!);
    } catch (error) {
      this.fail(error);
      throw error;
    }
    this.publish(this.waiting.length);
  }

  private schedule(): void {
    if (this.scheduled || this.inFlight) return;
    this.scheduled = true;
    const { health } = this.parts;
    health.defer(() => {
      this.scheduled = false;
      this.flush().catch((error: unknown) => health.warnOfUpkeep(error));
    });
  }

  private async flush(): Promise<void> {
    if (this.inFlight || this.waiting.length === 0) return;
    const { health, syncs, logWriter, onPublished } = this.parts;
    const wal = logWriter.current()!;
    const covers = this.waiting[this.waiting.length - 1]!.catalogue.lsn;
    this.inFlight = true;
    try {
      await syncs.deliver(() => wal.syncAsync());
      // A synchronous commit may have published some, or all, meanwhile.
      const count = this.waiting.findLastIndex(({ catalogue }) => catalogue.lsn <= covers) + 1;
      if (count > 0) this.publish(count);
    } catch (error) {
      health.poison(error);
      this.fail(error);
    } finally {
      this.inFlight = false;
    }
    if (this.waiting.length > 0) this.schedule();
    else if (!health.closed) onPublished();
  }

  /** Publishes the first `count`, and acknowledges them. */
  private publish(count: number): void {
    const { publisher, views, commits } = this.parts;
    const done = this.take(count);
    const last = done[count - 1]!;
    try {
      publisher.publish(last.catalogue, last.end);
    } catch (error) {
      for (const { reject } of done) reject(error);
      this.fail(error);
      throw error;
    }
    views.updateLimits();
    this.measure(done);
    for (const { resolve, catalogue, pages, bytes } of done) {
      resolve(catalogue.lsn);
      publisher.report(catalogue.lsn, pages, bytes);
      if (catalogue !== last.catalogue) commits.give(catalogue); // no view ever saw it published
    }
  }

  /** The first `count` do not wait any more. */
  private take(count: number): Waiting[] {
    const taken = this.waiting.slice(0, count);
    this.waiting = this.waiting.slice(count);
    for (const { bytes } of taken) this.bytes -= bytes;
    return taken;
  }

  /** A synchronous commit that covers them was published: everything that waits is acknowledged. */
  acknowledge(): void {
    const done = this.take(this.waiting.length);
    if (done.length === 0) return;
    const { publisher, views, commits } = this.parts;
    views.updateLimits();
    this.measure(done);
    for (const { resolve, catalogue, pages, bytes } of done) {
      resolve(catalogue.lsn);
      publisher.report(catalogue.lsn, pages, bytes);
      commits.give(catalogue);
    }
  }

  /** They are durable and published. */
  private measure(done: readonly Waiting[]): void {
    const { env, stats } = this.parts;
    const now = env.monotonicMs();
    for (const { begun } of done) stats.latencies.commit.record(now - begun);
  }

  /** Fulfilled with `lsn` when everything that waits now is published; for a transaction that changed nothing. */
  last(lsn: number): Promise<number> {
    const newest = this.waiting[this.waiting.length - 1];
    if (newest === undefined) return Promise.resolve(lsn);
    return new Promise((resolve, reject) => {
      this.waiting[this.waiting.length - 1] = {
        ...newest,
        resolve: (value) => {
          newest.resolve(value);
          resolve(lsn);
        },
        reject: (error) => {
          newest.reject(error);
          reject(error);
        },
      };
    });
  }

  /** The sync failed: only the next open shows whether any of these commits is there. */
  fail(cause: unknown): void {
    const failed = this.take(this.waiting.length);
    for (const { reject, catalogue } of failed) {
      reject(
        new TransactionError(
          'SOMBRA_COMMIT_UNKNOWN',
          `commit ${catalogue.lsn} was written, and the sync of the log failed: open the database again to see whether the commit is there`,
          { cause, details: { lsn: catalogue.lsn } },
        ),
      );
    }
  }
}
