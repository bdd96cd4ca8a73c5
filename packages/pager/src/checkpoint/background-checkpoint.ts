/**
 * Checkpoints beside the work (rules K4, K5): steps of page writes that yield after 2 ms, syncs that do not block the thread.
 * In a tight synchronous loop, where the event loop does not turn, each commit runs steps in proportion to what it wrote, so
 * that the checkpoint is complete before the log reaches its limit; at the limit the rest is run at once.
 *
 * Invariants:
 * 1. While one is active WRITE is held. When the tenure has to end it is given up, and its successor starts over; but not twice in a row:
 *    the second time it is finished first, so that connections that keep taking WRITE from each other do not lose all progress.
 * 2. A step is never taken while an asynchronous sync that it waits for is in flight, except by the synchronous twin, which
 *    syncs itself over a descriptor of its own. The late result of the asynchronous one poisons if it is a failure.
 * 3. A request has no end exactly while it is in `requests`, and there are none while no checkpoint is active.
 */
import { Checkpoint, runCheckpoint } from './checkpoint.ts';
import type { CheckpointParts, CheckpointResult, Syncable } from './checkpoint.ts';
import { PendingRequest } from './checkpoint-request.ts';
import type { CheckpointEnd, CheckpointRequest } from './checkpoint-request.ts';
import { CHECKPOINT_ENTRIES } from '../base/options.ts';
import type { ResolvedOptions } from '../base/options.ts';
import { giveBack } from '../base/run-all.ts';
import type { Tenure } from '../sharing/tenure.ts';

/** A yield point: after this time, ms, other work of the event loop gets its turn. */
const YIELD_MS = 2;

/** What the checkpoints of a connection are made of. */
export interface BackgroundCheckpointParts {
  readonly checkpoint: CheckpointParts;
  readonly options: ResolvedOptions;
  readonly tenure: Tenure;
  /** Bytes of the log since the last checkpoint. */
  readonly logBytes: () => number;
}

/** The checkpoints that one connection starts on its own. */
export class BackgroundCheckpoint {
  private readonly parts: BackgroundCheckpointParts;
  private current: Checkpoint | null = null;
  /** What the next step waits for, while an asynchronous sync of it is in flight. */
  private awaited: Syncable | null = null;
  private scheduled = false;
  private started = 0;
  private bytesAtStart = 0;
  private commits = 0;
  /** Log bytes below which no checkpoint begins, as long as no connection completes one: the last one here was in vain. */
  private notBefore = 0;
  /** Commit of the last checkpoint when that was decided. */
  private notBeforeLsn = -1;
  /** The last checkpoint here was complete, and a reader kept it from shortening the log below its limit. */
  private isKeptBack = false;
  /** The one before was given up half done. */
  private lostProgress = false;
  /** Who waits for the active one, and those that follow it at once. */
  private requests: PendingRequest[] = [];
  /** The active one was begun because of them, and not because it was due. */
  private onlyRequested = false;

  constructor(parts: BackgroundCheckpointParts) {
    this.parts = parts;
  }

  /** Is one in progress? */
  get active(): boolean {
    return this.current !== null;
  }

  /** A commit was made: begins a checkpoint when it is time for one, and keeps the log within its limit. */
  consider(): void {
    const { options, tenure, logBytes } = this.parts;
    const { header, commits, pages, health } = this.parts.checkpoint;
    if (health.poisoned || health.closed) return;
    // The sync of a group may come in after WRITE was given back: what is due then is for whichever connection holds it.
    if (!tenure.held) return;
    this.commits += 1;
    const bytes = logBytes();
    if (this.current === null) {
      const due =
        bytes >= options.checkpointAfterBytes ||
        pages.index.count >= CHECKPOINT_ENTRIES ||
        this.commits >= options.checkpointAfterCommits;
      if (!due || header.state.checkpointLsn === commits.published.lsn || this.mustWait(bytes)) return;
      this.begin(bytes);
    }
    if (bytes < options.maxWalBytes) this.keepPace(bytes);
    else this.finishNow();
  }

  /**
   * Begins a checkpoint, unless one is active, for a caller that does not block. Call within a tenure.
   */
  request(): CheckpointRequest {
    if (this.current === null) {
      this.begin(this.parts.logBytes());
      this.onlyRequested = true;
    }
    const newest = this.parts.checkpoint.commits.tail.lsn;
    const request = new PendingRequest(newest, (abandoned) => this.abandon(abandoned));
    this.requests.push(request);
    return request;
  }

  private abandon(request: PendingRequest): void {
    this.requests.splice(this.requests.indexOf(request), 1);
    request.endWith({ how: 'givenUp' });
    if (this.requests.length > 0 || !this.onlyRequested) return;
    const { tenure } = this.parts;
    this.parts.checkpoint.health.runUpkeep(() => {
      this.drop();
      tenure.yield(false);
    });
  }

  /** Nothing is active any more: tells those that wait how it ended. */
  private endRequests(end: CheckpointEnd): void {
    const { requests } = this;
    this.onlyRequested = false;
    if (requests.length === 0) return;
    this.requests = [];
    for (const request of requests) request.endWith(end);
  }

  private begin(bytes: number): void {
    this.current = new Checkpoint(this.parts.checkpoint);
    this.started = this.parts.checkpoint.env.monotonicMs();
    this.bytesAtStart = bytes;
    this.commits = 0;
    this.schedule();
  }

  /** Was the last try in vain, and has neither the log grown much since nor any connection completed a checkpoint? */
  private mustWait(bytes: number): boolean {
    return bytes < this.notBefore && this.parts.checkpoint.header.state.checkpointLsn === this.notBeforeLsn;
  }

  /** The next try waits for more log. @param most  but not for more than this many bytes */
  private backOff(most = Infinity): void {
    const { options, logBytes, checkpoint } = this.parts;
    this.notBefore = Math.min(logBytes() + options.checkpointAfterBytes / 4, most);
    this.notBeforeLsn = checkpoint.header.state.checkpointLsn;
  }

  /** Does a reader keep the log over its limit, as far as the last checkpoint showed? */
  get keptBack(): boolean {
    return this.isKeptBack && this.parts.checkpoint.header.state.checkpointLsn === this.notBeforeLsn;
  }

  /** Synchronous steps, as far as the log has grown towards its limit and the event loop has not kept up. */
  private keepPace(bytes: number): void {
    const allowed = Math.max(1, (this.parts.options.maxWalBytes - this.bytesAtStart) / 2);
    const target = (bytes - this.bytesAtStart) / allowed;
    while (this.current !== null && this.current.progress < target) this.stepNow();
  }

  /** Runs the active checkpoint, and those that follow it at once, to the end, synchronously. */
  finishNow(): void {
    while (this.current !== null) this.stepNow();
  }

  private stepNow(): void {
    if (this.parts.checkpoint.health.poisoned) return this.giveUp(); // E1: nothing is written any more
    this.guard(() => {
      const wanted = this.awaited ?? this.current!.step();
      this.awaited = null;
      if (wanted !== undefined) this.parts.checkpoint.syncs.sync(wanted);
      this.endIfDone();
    });
  }

  private schedule(): void {
    for (const request of this.requests) request.tell();
    if (this.scheduled) return;
    this.scheduled = true;
    this.parts.checkpoint.health.defer(() => {
      this.scheduled = false;
      this.pump();
    });
  }

  private pump(): void {
    const { tenure } = this.parts;
    const { health, env } = this.parts.checkpoint;
    const { current } = this;
    if (current === null || this.awaited !== null || health.closed) return;
    if (health.poisoned) this.giveUp();
    this.guard(() => {
      if (this.current === null) return void tenure.yield(false);
      if (tenure.giveWay()) return;
      const until = env.monotonicMs() + YIELD_MS;
      do {
        const wanted = current.step();
        if (wanted !== undefined) {
          this.syncAsync(current, wanted).catch((error: unknown) => health.warnOfUpkeep(error));
          return;
        }
      } while (!current.done && env.monotonicMs() < until);
      this.endIfDone();
      if (this.current !== null) this.schedule();
      else tenure.yield(false);
    });
  }

  private async syncAsync(checkpoint: Checkpoint, wanted: Syncable): Promise<void> {
    const { tenure } = this.parts;
    const { health, syncs } = this.parts.checkpoint;
    this.awaited = wanted;
    try {
      await syncs.deliver(() => wanted.syncAsync());
    } catch (error) {
      if (this.current === checkpoint) this.fail(error);
    }
    if (this.current === checkpoint && this.awaited === wanted) this.awaited = null;
    // The synchronous twin may have gone on meanwhile, and stopped anywhere, or finished.
    if (this.current === null) {
      if (!health.closed) health.runUpkeep(() => tenure.yield(false));
    } else if (this.awaited === null) this.schedule();
  }

  private endIfDone(): void {
    const { current } = this;
    if (current === null || !current.done) return;
    const { health, stats, env } = this.parts.checkpoint;
    this.drop();
    this.lostProgress = false;
    const elapsed = env.monotonicMs() - this.started;
    stats.checkpointMs += elapsed;
    stats.latencies.checkpoint.record(elapsed);
    const { lsn, pages, newestLsn } = current.result;
    for (const request of this.requests) request.pages += pages;
    this.isKeptBack = current.keptBack;
    const bytes = this.parts.logBytes();
    if (!current.leavesMore && bytes >= this.parts.options.checkpointAfterBytes) this.backOff();
    health.callHook((hooks) => hooks.checkpoint?.(lsn, pages, elapsed));
    if (current.leavesMore) this.begin(bytes);
    else this.endRequests({ how: 'done', lsn, newestLsn, keptBack: current.keptBack });
  }

  /**
   * The tenure has to end, and so has the active checkpoint. It is given up; if that happened to the one before, too, it is finished:
   * that is some thousand pages at most, unless a single transaction changed more.
   */
  yield(): void {
    if (this.current === null) return;
    if (this.lostProgress) this.finishOne();
    else this.giveUp();
  }

  private finishOne(): void {
    const { current } = this;
    while (this.current !== null && this.current === current) this.stepNow();
    if (this.current === null) return;
    this.drop(); // the one that follows has done nothing yet
    this.endRequests({ how: 'givenUp' });
  }

  /**
   * Gives up the active checkpoint, if there is one. Restarting and abandoning it in every tenure would cost the writers more than they
   * write; so the next one waits, but never beyond the limit of the log, where it runs to its end at once.
   */
  giveUp(): void {
    if (this.current === null) return;
    this.drop();
    this.lostProgress = true;
    this.backOff(this.parts.options.maxWalBytes);
    this.endRequests({ how: 'givenUp' });
  }

  private drop(): void {
    const { current } = this;
    this.current = null;
    this.awaited = null;
    current?.close();
  }

  /** Runs steps; a failure affects no commit: it is reported to the hooks, and retried when the log has grown further. */
  private guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    const { health, stats } = this.parts.checkpoint;
    giveBack([() => this.drop()]);
    this.isKeptBack = false;
    this.backOff();
    stats.checkpointFailures += 1;
    health.warn({
      code: 'SOMBRA_CHECKPOINT_FAILED',
      message: health.poisoned
        ? 'a checkpoint failed, and nothing is written any more: close the database and open it again'
        : 'a checkpoint failed; published commits are safe in the log, which keeps growing: free disk space',
      cause: error,
    });
    this.endRequests({ how: 'failed', error });
  }

  /** Runs a requested checkpoint to its end; the active one is finished first. */
  runNow(): CheckpointResult {
    this.finishNow();
    return runCheckpoint(this.parts.checkpoint);
  }
}
