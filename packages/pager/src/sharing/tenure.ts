/**
 * Holding WRITE (rule L5). A lone commit takes and releases it. While commits follow each other within a millisecond, or
 * asynchronous work is under way, it is kept: then a transaction pays for no lock, no look at the shm header and no comparison
 * of files. A waiting connection holds WAIT and is given WRITE within a few milliseconds, at the next safe point.
 *
 * Invariants:
 * 1. It ends only when no transaction is open, no sync of this connection is in flight and no commit is unpublished.
 * 2. The held mark of shm is set after WRITE was granted and cleared before it is released, unless something was left that
 *    the next holder has to settle.
 */
import { assert, PoisonedError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import type { Health } from '../base/health.ts';
import type { ResolvedOptions } from '../base/options.ts';
import type { Header } from './header.ts';
import { LOCK_WAIT, LOCK_WRITE, refuseBusy } from './locks.ts';
import type { LockTable } from './locks.ts';
import type { Neighbour } from './registry.ts';
import type { Shm } from './shm.ts';
import { waitForWrite } from './write-lock.ts';

/** Commits that follow each other within this time keep WRITE. */
const KEEP_MS = 1;
/** When a kept WRITE is checked again. */
const TIMER_MS = 2;
/** Time between two checks whether a connection waits. */
const POLL_MS = 2;
/** Longest time that commits that follow each other keep another connection waiting. */
const SHARE_MS = 10;
/** How long a connection that gave way does not try again while another waits: longer than the longest pause between two tries. */
const SKIP_MS = 6;
const SKIP_STEP_MS = 0.5;

/** What a tenure asks of the connection that it belongs to. */
export interface TenureUser {
  /** Is there nothing open, in flight or unpublished? */
  isQuiet(): boolean;
  /** Brings asynchronous work to a safe point. @returns false when only the caller can end what is open */
  quiesce(): boolean;
  /** WRITE was granted: compares main with the header, and settles what the holder before left. @param died  without giving it back */
  onGranted(died: boolean): void;
  /** Everything is settled: follows the log to its end, and gets ready to write it. */
  onAcquired(): void;
  /** WRITE is about to go. @param turnGoesOn  the implicit view may be in use until the end of the turn of the event loop */
  onReleasing(turnGoesOn: boolean): void;
}

/** What a tenure is made of. */
export interface TenureParts {
  readonly vfs: Vfs;
  readonly options: ResolvedOptions;
  readonly health: Health;
  readonly locks: LockTable;
  /** null: no other connection can have the database open. */
  readonly shm: Shm | null;
  readonly header: Header;
  readonly neighbour: Neighbour;
  readonly user: TenureUser;
}

/** The tenure of one connection. */
export class Tenure {
  /** Does this connection hold WRITE? */
  held = false;

  private readonly parts: TenureParts;
  private since = 0;
  private lastCommit = 0;
  private lastPoll = 0;
  private gaveWay = -Infinity;
  private timer: unknown;
  /** Callers of this connection that wait without blocking; while there are any it holds WAIT. */
  private readonly waiters = new Set<object>();

  constructor(parts: TenureParts) {
    this.parts = parts;
  }

  /**
   * Takes WRITE, settles what a dead holder left, and brings the connection up to the newest commit.
   * @throws IoError SOMBRA_BUSY, naming the holder; PoisonedError; StateError SOMBRA_DATABASE_MOVED; CorruptionError; IoError
   */
  acquire(waitMs = this.parts.options.busyTimeoutMs): void {
    if (this.held) return;
    const { shm, locks, vfs, header, options, user } = this.parts;
    if (shm === null) {
      this.held = true;
      return;
    }
    this.lock(waitMs);
    let settled = false;
    try {
      header.readForWriting();
      if (shm.poisoned) {
        throw new PoisonedError(
          'SOMBRA_LOCK_POISONED',
          `a sync of ${options.path} failed: close all connections and open the database again`,
        );
      }
      const died = shm.held;
      if (!died) shm.setHeld(true);
      settled = !died;
      shm.writeHolder(vfs, LOCK_WRITE);
      user.onGranted(died);
      settled = true;
      user.onAcquired();
    } catch (error) {
      try {
        if (settled) shm.setHeld(false);
      } finally {
        locks.unlock(LOCK_WRITE);
      }
      throw error;
    }
    assert(shm.held && locks.holds(LOCK_WRITE), 'a tenure begins with WRITE locked and its held mark set');
    this.held = true;
    header.beginTenure();
    this.since = this.lastPoll = vfs.env.monotonicMs();
  }

  /** Says that `waiter`, of this connection, waits for WRITE although it does not block, or does not any more. */
  wait(waits: boolean, waiter: object): void {
    const { locks, shm } = this.parts;
    if (shm === null) return;
    if (waits) {
      this.waiters.add(waiter);
      locks.tryLock(LOCK_WAIT, 'shared');
    } else if (this.waiters.delete(waiter) && this.waiters.size === 0) locks.unlock(LOCK_WAIT);
  }

  private lock(waitMs: number): void {
    const { locks, vfs, options, neighbour } = this.parts;
    while (vfs.env.monotonicMs() - this.gaveWay < SKIP_MS && this.isAwaited()) {
      if (waitMs === 0) refuseBusy(vfs, options.path, LOCK_WRITE, null);
      vfs.env.sleep(SKIP_STEP_MS);
    }
    waitForWrite({ vfs, path: options.path, locks, neighbour }, waitMs);
  }

  /**
   * A transaction, checkpoint or group has ended: gives WRITE back, or keeps it for what follows.
   * @param committed  it was a commit
   */
  yield(committed: boolean): void {
    const { shm, options, vfs } = this.parts;
    if (!this.held || shm === null || options.locking === 'exclusive') return;
    const now = vfs.env.monotonicMs();
    const follows = committed && now - this.lastCommit <= KEEP_MS;
    if (committed) this.lastCommit = now;
    try {
      this.giveOrKeep(!committed, follows, now);
    } catch (error) {
      if (this.held) this.arm();
      throw error;
    }
  }

  private giveOrKeep(turnGoesOn: boolean, follows: boolean, now: number): void {
    if (this.mustShare(now) && this.giveWayNow(turnGoesOn, now)) return;
    if (!follows && this.parts.user.isQuiet()) this.release(turnGoesOn);
    else this.arm();
  }

  /**
   * Ends the tenure if another connection waits and this one had its time; asynchronous work is brought to a safe point.
   * @returns whether it did
   */
  giveWay(): boolean {
    const now = this.parts.vfs.env.monotonicMs();
    if (!this.held || this.parts.shm === null) return false;
    try {
      return this.mustShare(now) && this.giveWayNow(false, now);
    } catch (error) {
      if (this.held) this.arm();
      throw error;
    }
  }

  private giveWayNow(turnGoesOn: boolean, now: number): boolean {
    if (!this.parts.user.quiesce()) return false;
    this.gaveWay = now;
    return this.release(turnGoesOn, true);
  }

  /** Does another connection wait, and had this one its time? */
  private mustShare(now: number): boolean {
    if (now - this.lastPoll < POLL_MS || now - this.since < SHARE_MS) return false;
    this.lastPoll = now;
    return this.isAwaited();
  }

  /** Does another connection wait for WRITE? */
  isAwaited(): boolean {
    const { locks } = this.parts;
    if (locks.holds(LOCK_WAIT)) return false;
    if (!locks.tryLock(LOCK_WAIT, 'exclusive')) return true;
    locks.unlock(LOCK_WAIT);
    return false;
  }

  private arm(): void {
    if (this.timer !== undefined) return;
    const { health, user } = this.parts;
    const { env } = this.parts.vfs;
    this.timer = env.setTimer(() => {
      this.timer = undefined;
      if (!this.held || health.closed) return;
      if (!user.isQuiet() || env.monotonicMs() - this.lastCommit < KEEP_MS) return this.arm();
      health.runUpkeep(() => this.release(false));
    }, TIMER_MS);
  }

  /**
   * Gives WRITE back, if the connection is at a safe point.
   * @param turnGoesOn  the implicit view may be in use, and stays until the end of the turn of the event loop
   * @param quiesced    every file has been synced once more, so that syncs in flight do not matter
   * @returns whether it is free now
   */
  release(turnGoesOn: boolean, quiesced = false): boolean {
    const { shm, locks, health, header, user } = this.parts;
    if (!this.held) return true;
    if (!quiesced && !user.isQuiet()) return false;
    if (shm === null) {
      this.held = false;
      return true;
    }
    assert(locks.holds(LOCK_WRITE), 'a tenure ends with WRITE still locked');
    try {
      user.onReleasing(turnGoesOn);
    } finally {
      this.held = false;
      try {
        // A poison mark that could not be set must not let the next holder trust the page cache.
        if (!header.isUnsettled && !health.poisoned) shm.setHeld(false);
      } finally {
        locks.unlock(LOCK_WRITE);
      }
    }
    return true;
  }

  /** Do the lock table, the held mark and this agree? For tests, see `verifying` of vfs. */
  check(): void {
    const { shm, locks } = this.parts;
    if (shm === null) return;
    assert(this.held === locks.holds(LOCK_WRITE), 'WRITE is locked exactly during a tenure');
    assert(!this.held || shm.held, 'the held mark is set during a tenure');
  }

  /** Stops the timer. */
  stop(): void {
    if (this.timer !== undefined) this.parts.vfs.env.clearTimer(this.timer);
    this.timer = undefined;
  }
}
