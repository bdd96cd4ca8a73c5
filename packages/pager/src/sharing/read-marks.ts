/**
 * Keeps what this connection's views may read (rule L6): a READ slot is locked while it has a view outside a tenure, and says
 * from which commit on pages of main, and from which segment on the log, must stay. Also probes the slots of the others.
 *
 * Invariants:
 * 1. The least mark of the slots held is at most the limit of each view.
 * 2. A mark counts from when the header, read again after it was written, names no bound above it. A slot whose mark could not be
 *    written is given back.
 */
import { IoError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import type { ResolvedOptions } from '../base/options.ts';
import { giveBack, runAll } from '../base/run-all.ts';
import type { Header } from './header.ts';
import { LOCK_READ, LOCK_READ_SLOTS, LOCK_SNAPSHOT_SLOTS } from './locks.ts';
import type { LockTable } from './locks.ts';
import type { ReaderMark, Shm } from './shm.ts';
import { retryUntil } from './waiting.ts';

/** Where processes begin to look for a free slot: close together, so that a checkpoint need not probe each slot. */
const FIRST_SLOTS = 64;

interface HeldSlot {
  readonly slot: number;
  /** ms */
  readonly since: number;
  mark: number;
  floor: number;
}

/** What a slot is taken for: reads that end with the turn of the event loop, or a snapshot. */
export type Reads = 'turn' | 'snapshot';

/** What marks are made of. */
export interface ReadMarksParts {
  readonly vfs: Vfs;
  readonly options: ResolvedOptions;
  readonly locks: LockTable;
  /** null: no other connection can have the database open, and nothing has to be kept from it. */
  readonly shm: Shm | null;
  readonly header: Header;
}

/** The READ slots of one connection. */
export class ReadMarks {
  private readonly parts: ReadMarksParts;
  private held: HeldSlot[] = [];

  constructor(parts: ReadMarksParts) {
    this.parts = parts;
  }

  /** Does this connection hold a slot? */
  get active(): boolean {
    return this.held.length > 0;
  }

  /** Least segment that the slots of this connection keep; Infinity without any. */
  get floor(): number {
    return this.held.reduce((least, { floor }) => Math.min(least, floor), Infinity);
  }

  /**
   * Reads the header, and makes sure that everything from its newest commit on is kept.
   * @param reads  'snapshot': it may be kept for long, so the slots that are for short reads are not used
   * @param wait   false: do without when all slots are in use
   * @returns whether it is kept
   * @throws IoError SOMBRA_BUSY when all slots are in use and `wait` is set
   */
  begin(reads: Reads, wait = true): boolean {
    const { header, vfs, locks } = this.parts;
    if (this.isEnough(reads)) {
      header.read(); // the mark that is there is lower
      return true;
    }
    const slot = this.take(wait, reads);
    if (slot < 0) return false;
    const held = { slot, since: vfs.env.wallTimeMs(), mark: 0, floor: 0 };
    this.held.push(held);
    try {
      this.mark(held);
    } catch (error) {
      this.held.pop();
      giveBack([() => locks.unlock(LOCK_READ + slot)]);
      throw error;
    }
    return true;
  }

  private isEnough(reads: Reads): boolean {
    return reads === 'snapshot' ? this.held.some(({ slot }) => slot < LOCK_SNAPSHOT_SLOTS) : this.held.length > 0;
  }

  /** Writes the mark of a slot until no checkpoint may have passed it. */
  private mark(held: HeldSlot): void {
    const { header } = this.parts;
    const { state } = header;
    for (;;) {
      header.read();
      held.mark = state.publishedLsn;
      held.floor = state.replaySeq;
      this.write(held);
      header.read();
      if (Math.max(state.bound, state.intendedBound) <= held.mark) return;
    }
  }

  /**
   * Views ended.
   * @param oldest  least limit of those that go on; Infinity without any
   * @param floor   least segment that they may read
   */
  shrink(oldest: number, floor: number): void {
    if (this.held.length === 0) return;
    if (oldest === Infinity) {
      this.end();
      return;
    }
    if (this.held.length === 1 && this.held[0]!.mark >= oldest) return;
    if (!this.held.some(({ mark }) => mark === oldest)) {
      // A second slot for the next oldest.
      const slot = this.take(false, 'snapshot');
      if (slot < 0) return;
      const next: HeldSlot = { slot, since: this.held[0]!.since, mark: oldest, floor };
      try {
        this.write(next);
      } catch (error) {
        giveBack([() => this.parts.locks.unlock(LOCK_READ + slot)]); // a slot without its mark keeps nothing
        throw error;
      }
      this.held.push(next);
    }
    // The first goes only if no checkpoint passes the new mark: one may be probing the slots now, and have seen only the first.
    const now = this.parts.header.peek();
    if (Math.max(now.bound, now.intendedBound) <= oldest) this.keepOnly(oldest);
  }

  private write({ slot, since, mark, floor }: HeldSlot): void {
    const { shm, vfs } = this.parts;
    shm!.writeMark(slot, { lsn: mark, floor, since, pid: vfs.env.pid });
  }

  private keepOnly(mark: number): void {
    const [kept] = this.held.filter((held) => held.mark === mark).sort((a, b) => a.slot - b.slot) as [HeldSlot];
    const ended = this.held.filter((held) => held !== kept);
    this.held = [kept];
    this.unlock(ended);
  }

  /** Gives all slots back. */
  end(): void {
    const ended = this.held;
    this.held = [];
    this.unlock(ended);
  }

  private unlock(slots: readonly HeldSlot[]): void {
    const { locks } = this.parts;
    runAll(
      slots.map(
        ({ slot }) =>
          () =>
            locks.unlock(LOCK_READ + slot),
      ),
    );
  }

  /** Locks a free slot; -1 when there is none and `wait` is false. */
  private take(wait: boolean, reads: Reads): number {
    const { vfs, locks, options } = this.parts;
    const slots = reads === 'snapshot' ? LOCK_SNAPSHOT_SLOTS : LOCK_READ_SLOTS;
    const first = vfs.env.pid % FIRST_SLOTS;
    const tryAll = (): number => {
      for (let i = 0; i < slots; i += 1) {
        const slot = (first + i) % slots;
        if (!locks.holds(LOCK_READ + slot) && locks.tryLock(LOCK_READ + slot, 'exclusive')) return slot;
      }
      return -1;
    };
    if (!wait) return tryAll();
    let slot = -1;
    if (retryUntil(vfs, options.busyTimeoutMs, () => (slot = tryAll()) >= 0)) return slot;
    const { pid, since } = this.oldest();
    const reader = since === undefined ? '' : `, the oldest by process ${pid} since ${new Date(since).toISOString()}`;
    throw new IoError(
      'SOMBRA_BUSY',
      `${options.path}: all ${slots} slots for ${reads === 'snapshot' ? 'snapshots' : 'readers'} are in use${reader}: release snapshots or close connections, or wait with busyTimeoutMs`,
      { details: { lock: 'READ', pid, host: vfs.env.host, since } },
    );
  }

  // ---- the slots of others

  /** K1: the least commit that a view of another connection may read, at most `bound`; -1 while a mark is being written. */
  horizon(bound: number): number {
    let lowest = bound;
    this.visitOthers((mark) => (lowest = mark === undefined ? -1 : Math.min(lowest, mark.lsn)));
    return lowest;
  }

  /** K3: the least segment that replay, which begins in segment `seq`, or any reader needs. */
  lowestFloor(seq: number): number {
    let lowest = Math.min(seq, this.floor);
    this.visitOthers((mark) => (lowest = mark === undefined ? 0 : Math.min(lowest, mark.floor)));
    return lowest;
  }

  /** The marks of the slots that other connections hold now, as far as they can be read. */
  others(): ReaderMark[] {
    const found: ReaderMark[] = [];
    this.visitOthers((mark) => {
      if (mark !== undefined) found.push(mark);
    });
    return found;
  }

  /** Visits the marks of the slots that other connections hold; undefined for one that is being written. */
  private visitOthers(visit: (mark: ReaderMark | undefined) => void): void {
    const { shm, locks } = this.parts;
    if (shm === null) return;
    for (const byte of locks.heldElsewhere(LOCK_READ, LOCK_READ_SLOTS)) visit(shm.readMark(byte - LOCK_READ));
  }

  /** The reader that has read for the longest time, as far as the marks show. */
  private oldest(): { readonly pid?: number; readonly since?: number } {
    let oldest: { readonly pid?: number; readonly since?: number } = {};
    for (const mark of this.others()) if (mark.since < (oldest.since ?? Infinity)) oldest = mark;
    return oldest;
  }
}
