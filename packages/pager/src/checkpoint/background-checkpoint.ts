/**
 * Checkpoints beside the work (rules K4, K5): steps of page writes that yield after 2 ms, syncs that do not block the thread.
 * In a tight synchronous loop, where the event loop does not turn, each commit runs steps in proportion to what it wrote, so
 * that the checkpoint is complete before the log reaches its limit; at the limit the rest is run at once.
 *
 * Invariants:
 * 1. While one is active WRITE is held. When the tenure has to end it is given up: its successor begins anew.
 * 2. A step is never taken while an asynchronous sync that it waits for is in flight, except by the synchronous twin, which
 *    syncs itself over a descriptor of its own. The late result of the asynchronous one poisons if it is a failure.
 */
import { Checkpoint, runCheckpoint } from './checkpoint.ts';
import type { Syncable } from './checkpoint.ts';
import type { Engine } from '../connection/engine.ts';
import { isSyncFailure } from '../base/failure.ts';
import { CHECKPOINT_ENTRIES } from '../base/options.ts';

/** A yield point: after so long, other work of the event loop gets its turn. */
const YIELD_MS = 2;

/** The checkpoints that one connection runs by itself. */
export class BackgroundCheckpoint {
  private readonly engine: Engine;
  private active: Checkpoint | null = null;
  /** What the next step waits for, while an asynchronous sync of it is in flight. */
  private awaited: Syncable | null = null;
  private scheduled = false;
  private started = 0;
  private bytesAtStart = 0;
  private commits = 0;
  /** Log bytes below which no checkpoint begins, as long as nobody completes one: the last one here was in vain. */
  private notBefore = 0;
  /** Commit of the last checkpoint when that was decided. */
  private notBeforeLsn = -1;
  /** The last checkpoint here was complete, and a reader kept it from shortening the log below its limit. */
  private isKeptBack = false;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** A commit was made: begins a checkpoint when it is time for one, and keeps the log within its limit. */
  consider(): void {
    const { engine } = this;
    const { options } = engine;
    if (engine.health.poisoned || engine.bulk !== null || engine.health.closed) return;
    // The sync of a group may come in after WRITE was given back: what is due then is for whoever holds it.
    if (!engine.tenure.held) return;
    this.commits += 1;
    const bytes = engine.logBytes();
    if (this.active === null) {
      const due =
        bytes >= options.checkpointAfterBytes ||
        engine.index.count >= CHECKPOINT_ENTRIES ||
        this.commits >= options.checkpointAfterCommits;
      if (!due || engine.shared.checkpointLsn === engine.published.lsn || this.mustWait(bytes)) return;
      this.begin(bytes);
    }
    if (bytes < options.maxWalBytes) this.keepPace(bytes);
    else this.finishNow();
  }

  private begin(bytes: number): void {
    const { engine } = this;
    this.active = new Checkpoint(engine);
    this.started = engine.now();
    this.bytesAtStart = bytes;
    this.commits = 0;
    engine.checkpointing = true;
    this.schedule();
  }

  /** Was the last try in vain, and has neither the log grown much since nor anybody completed a checkpoint? */
  private mustWait(bytes: number): boolean {
    return bytes < this.notBefore && this.engine.shared.checkpointLsn === this.notBeforeLsn;
  }

  /** The next try waits for more log. @param most  but not for more than this many bytes */
  private backOff(most = Infinity): void {
    const { options, shared } = this.engine;
    this.notBefore = Math.min(this.engine.logBytes() + options.checkpointAfterBytes / 4, most);
    this.notBeforeLsn = shared.checkpointLsn;
  }

  /** Does a reader keep the log over its limit, as far as the last checkpoint showed? */
  get keptBack(): boolean {
    return this.isKeptBack && this.engine.shared.checkpointLsn === this.notBeforeLsn;
  }

  /** Synchronous steps, as far as the log has grown towards its limit and the event loop has not kept up. */
  private keepPace(bytes: number): void {
    const allowed = Math.max(1, (this.engine.options.maxWalBytes - this.bytesAtStart) / 2);
    const target = (bytes - this.bytesAtStart) / allowed;
    while (this.active !== null && this.active.progress < target) this.stepNow();
  }

  /** Runs the active checkpoint to its end, synchronously. */
  finishNow(): void {
    while (this.active !== null) this.stepNow();
  }

  private stepNow(): void {
    this.guard(() => {
      const wanted = this.awaited ?? this.active!.step();
      this.awaited = null;
      if (wanted !== undefined) this.engine.sync(wanted);
      this.endIfDone();
    });
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.engine.vfs.env.defer(() => {
      this.scheduled = false;
      this.pump();
    });
  }

  private pump(): void {
    const { engine } = this;
    const { active } = this;
    if (active === null || this.awaited !== null || engine.health.closed) return;
    this.guard(() => {
      if (engine.tenure.giveWay()) return;
      const until = engine.now() + YIELD_MS;
      do {
        const wanted = active.step();
        if (wanted !== undefined) {
          this.syncAsync(active, wanted).catch((error: unknown) => engine.health.warnOfUpkeep(error));
          return;
        }
      } while (!active.done && engine.now() < until);
      this.endIfDone();
      if (this.active !== null) this.schedule();
      else engine.tenure.settle(false);
    });
  }

  private async syncAsync(active: Checkpoint, wanted: Syncable): Promise<void> {
    const { engine } = this;
    this.awaited = wanted;
    engine.syncsInFlight += 1;
    let failure: unknown;
    try {
      await wanted.syncAsync();
      engine.stats.syncs += 1;
    } catch (error) {
      failure = error;
    }
    engine.syncsInFlight -= 1;
    if (failure !== undefined) {
      if (isSyncFailure(failure)) engine.health.poison(failure);
      if (this.active === active) this.fail(failure);
    }
    if (this.active === active && this.awaited === wanted) this.awaited = null;
    // The synchronous twin may have gone on meanwhile, and stopped anywhere, or finished.
    if (this.active === null) {
      if (!engine.health.closed) this.guard(() => engine.tenure.settle(false));
    } else if (this.awaited === null) this.schedule();
  }

  private endIfDone(): void {
    const { active, engine } = this;
    if (active === null || !active.done) return;
    this.drop();
    const elapsed = engine.now() - this.started;
    engine.stats.checkpointMs += elapsed;
    const { lsn, pages } = active.result;
    this.isKeptBack = active.keptBack;
    if (engine.logBytes() >= engine.options.checkpointAfterBytes) this.backOff();
    engine.health.callHook((hooks) => hooks.checkpoint?.(lsn, pages, elapsed));
  }

  /**
   * Gives the active checkpoint up, if there is one: another connection wants to write. Begun anew in each tenure, and given up in
   * each, it would cost the writers more than they write; so the next one waits, but never beyond the limit of the log, where it
   * runs to its end at once.
   */
  giveUp(): void {
    if (this.active === null) return;
    this.drop();
    this.backOff(this.engine.options.maxWalBytes);
  }

  private drop(): void {
    this.active?.close();
    this.active = null;
    this.awaited = null;
    this.engine.checkpointing = false;
  }

  /** Runs steps; a failure costs no commit anything: it is told to the hooks, and tried again when the log has grown on. */
  private guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    const { engine } = this;
    this.drop();
    this.isKeptBack = false;
    this.backOff();
    engine.stats.checkpointFailures += 1;
    engine.health.warn({
      code: 'SOMBRA_CHECKPOINT_FAILED',
      message: engine.health.poisoned
        ? 'a checkpoint failed, and nothing is written any more: close the database and open it again'
        : 'a checkpoint failed; published commits are safe in the log, which keeps growing: free disk space',
      cause: error,
    });
  }
}

/** A checkpoint on request, to its end: what is active is finished first. */
export function checkpointNow(engine: Engine): ReturnType<typeof runCheckpoint> {
  engine.group.settleNow();
  engine.checkpoints.finishNow();
  return runCheckpoint(engine);
}
