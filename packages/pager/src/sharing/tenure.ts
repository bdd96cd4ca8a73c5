/**
 * Holding WRITE (rule L5). A lone commit takes and releases it. While commits follow each other within a millisecond, or
 * asynchronous work is under way, it is kept: then a transaction pays for no lock, no look at the shm header and no comparison
 * of files. Who waits for it holds WAIT; it gets WRITE within some milliseconds, at the next safe point.
 *
 * Invariants:
 * 1. It ends only when no transaction is open, no sync of this connection is in flight and no commit is unpublished.
 * 2. The held mark of shm is set after WRITE was granted and cleared before it is released, unless something was left that
 *    the next holder has to settle.
 */
import { PoisonedError } from '@sombra/vfs';
import type { Engine } from '../connection/engine.ts';
import { followLog } from '../files/follow-log.ts';
import { LOCK_WAIT, LOCK_WRITE, refuseBusy } from './locks.ts';
import { releaseIdle } from '../life/registry.ts';
import { checkSameFile } from '../files/same-file.ts';
import { settleDeadHolder } from '../writing/succession.ts';
import { retryUntil } from './waiting.ts';

/** Commits that follow each other within this time keep WRITE. */
const KEEP_MS = 1;
/** When a kept WRITE is looked at again. */
const TIMER_MS = 2;
/** Time between two looks whether somebody waits. */
const POLL_MS = 2;
/** Longest time that somebody who waits is kept waiting by commits that follow each other. */
const SHARE_MS = 10;
/** Who gave way does not try again for so long while somebody waits: longer than the longest pause between two tries. */
const SKIP_MS = 6;
const SKIP_STEP_MS = 0.5;

/** The tenure of one connection. */
export class Tenure {
  held = false;
  /** Something that the next holder of WRITE has to settle as if this one had died. */
  unsettled = false;
  /** Somebody else may poison during this tenure: a sync that he did not wait for may fail (rule E1). */
  poisonable = false;

  private readonly engine: Engine;
  private since = 0;
  private lastCommit = 0;
  private lastPoll = 0;
  private gaveWay = -Infinity;
  private timer: unknown;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /**
   * Takes WRITE, settles what a dead holder left, and brings the connection up to the newest commit.
   * @throws IoError SOMBRA_BUSY, naming the holder; PoisonedError; StateError SOMBRA_DATABASE_MOVED; CorruptionError; IoError
   */
  acquire(waitMs = this.engine.options.busyTimeoutMs): void {
    if (this.held) return;
    const { engine } = this;
    const { shm, locks, vfs } = engine;
    if (shm === null) {
      this.held = true;
      return;
    }
    this.lock(waitMs);
    let settled = false;
    try {
      if (this.unsettled) shm.forget(); // what this connection believed to have published may not be there
      engine.readShared();
      if (shm.poisoned) {
        throw new PoisonedError(
          'SOMBRA_LOCK_POISONED',
          `a sync of ${engine.options.path} failed: close all connections and open the database again`,
        );
      }
      const died = shm.held;
      if (!died) shm.setHeld(true);
      settled = !died;
      shm.writeHolder(vfs, LOCK_WRITE);
      checkSameFile(engine, died);
      if (died) settleDeadHolder(engine);
      settled = true;
      followLog(engine);
      engine.logs.attach(engine);
    } catch (error) {
      try {
        if (settled) shm.setHeld(false);
      } finally {
        locks.unlock(LOCK_WRITE);
      }
      throw error;
    }
    this.held = true;
    this.unsettled = false;
    this.poisonable = shm.late;
    this.since = this.lastPoll = vfs.env.monotonicMs();
  }

  /** Says that this connection waits for WRITE although it does not block, or does not any more. */
  wait(waits: boolean): void {
    const { locks, shm } = this.engine;
    if (shm === null) return;
    if (waits) locks.tryLock(LOCK_WAIT, 'shared');
    else locks.unlock(LOCK_WAIT);
  }

  private lock(waitMs: number): void {
    const { locks, vfs, options } = this.engine;
    const attempt = (): boolean => locks.tryLock(LOCK_WRITE, 'exclusive');
    while (vfs.env.monotonicMs() - this.gaveWay < SKIP_MS && this.isAwaited()) {
      if (waitMs === 0) refuseBusy(vfs, options.path, LOCK_WRITE, null);
      vfs.env.sleep(SKIP_STEP_MS);
    }
    if (attempt() || (releaseIdle(this.engine) && attempt())) return;
    if (waitMs === 0) refuseBusy(vfs, options.path, LOCK_WRITE);
    try {
      const waitAndTry = (): boolean => (locks.holds(LOCK_WAIT) || locks.tryLock(LOCK_WAIT, 'shared')) && attempt();
      if (!retryUntil(vfs, waitMs, waitAndTry)) refuseBusy(vfs, options.path, LOCK_WRITE);
    } finally {
      locks.unlock(LOCK_WAIT);
    }
  }

  /** A transaction, checkpoint or group has ended. @param committed  it was a commit */
  settle(committed: boolean): void {
    const { engine } = this;
    if (!this.held || engine.shm === null || engine.options.locking === 'exclusive') return;
    const now = engine.vfs.env.monotonicMs();
    const follows = committed && now - this.lastCommit <= KEEP_MS;
    if (committed) this.lastCommit = now;
    if (this.mustShare(now) && this.giveWayNow(!committed, now)) return;
    if (!follows && engine.isQuiet()) this.release(!committed);
    else this.arm();
  }

  /**
   * Ends the tenure if somebody waits and this connection had its time; asynchronous work is brought to a safe point.
   * @returns whether it did
   */
  giveWay(): boolean {
    const now = this.engine.vfs.env.monotonicMs();
    return this.held && this.engine.shm !== null && this.mustShare(now) && this.giveWayNow(false, now);
  }

  private giveWayNow(turnGoesOn: boolean, now: number): boolean {
    if (!this.engine.quiesce()) return false;
    this.gaveWay = now;
    return this.release(turnGoesOn, true);
  }

  /** Has somebody waited, and had this connection its time? */
  private mustShare(now: number): boolean {
    if (now - this.lastPoll < POLL_MS || now - this.since < SHARE_MS) return false;
    this.lastPoll = now;
    return this.isAwaited();
  }

  /** Does somebody wait for WRITE? */
  isAwaited(): boolean {
    const { locks } = this.engine;
    if (locks.holds(LOCK_WAIT)) return false;
    if (!locks.tryLock(LOCK_WAIT, 'exclusive')) return true;
    locks.unlock(LOCK_WAIT);
    return false;
  }

  private arm(): void {
    if (this.timer !== undefined) return;
    const { env } = this.engine.vfs;
    this.timer = env.setTimer(() => {
      this.timer = undefined;
      if (!this.held || this.engine.health.closed) return;
      if (!this.engine.isQuiet() || env.monotonicMs() - this.lastCommit < KEEP_MS) return this.arm();
      this.engine.health.runUpkeep(() => this.release(false));
    }, TIMER_MS);
  }

  /**
   * Gives WRITE back, if the connection is at a safe point.
   * @param turnGoesOn  the implicit view may be in use, and stays until the end of the turn of the event loop
   * @param quiesced    every file has been synced once more, so that syncs in flight do not matter
   * @returns whether it is free now
   */
  release(turnGoesOn: boolean, quiesced = false): boolean {
    const { engine } = this;
    const { shm, locks } = engine;
    if (!this.held) return true;
    if (!quiesced && !engine.isQuiet()) return false;
    if (shm === null) {
      this.held = false;
      return true;
    }
    try {
      engine.views.endUnprotected(turnGoesOn);
    } finally {
      this.held = false;
      try {
        // A poison mark that could not be set must not let anybody believe the page cache.
        if (!this.unsettled && !engine.health.poisoned) shm.setHeld(false);
      } finally {
        locks.unlock(LOCK_WRITE);
      }
    }
    return true;
  }

  /** Stops the timer. */
  stop(): void {
    if (this.timer !== undefined) this.engine.vfs.env.clearTimer(this.timer);
    this.timer = undefined;
  }
}
