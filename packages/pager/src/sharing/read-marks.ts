/**
 * Keeps what this connection's views may read (rule L6): a READ slot is locked while it has a view outside a tenure, and says
 * from which commit on pages of main, and from which segment on the log, must stay.
 *
 * Invariants:
 * 1. The least mark of the slots held is at most the limit of each view.
 * 2. A mark counts from when the header, read again after it was written, names no bound above it.
 */
import { IoError } from '@sombra/vfs';
import type { Engine } from '../connection/engine.ts';
import { followLog } from '../files/follow-log.ts';
import { LOCK_READ, LOCK_READ_SLOTS, LOCK_SNAPSHOT_SLOTS } from './locks.ts';
import type { ReaderMark } from './shm.ts';
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

/** The READ slots of one connection. */
export class ReadMarks {
  private readonly engine: Engine;
  private held: HeldSlot[] = [];

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Least segment that the slots of this connection keep; Infinity without any. */
  get floor(): number {
    return this.held.reduce((least, { floor }) => Math.min(least, floor), Infinity);
  }

  /**
   * Makes sure that everything from the newest published commit on is kept, and brings the connection up to it.
   * @param forSnapshot  it may be kept for long, so the slots that are for short reads are not used
   * @throws IoError SOMBRA_BUSY when all slots are in use
   */
  begin(forSnapshot = false): void {
    const { engine } = this;
    const enough = forSnapshot ? this.held.some(({ slot }) => slot < LOCK_SNAPSHOT_SLOTS) : this.held.length > 0;
    if (enough) {
      engine.refresh(); // the mark that is there is lower
      return;
    }
    this.start(this.take(true, forSnapshot));
  }

  private start(slot: number): void {
    const held = { slot, since: this.engine.vfs.env.wallTimeMs(), mark: 0, floor: 0 };
    this.held.push(held);
    try {
      this.settle(held);
      followLog(this.engine);
    } catch (error) {
      this.held.pop();
      this.engine.locks.unlock(LOCK_READ + slot);
      throw error;
    }
  }

  /** `begin` without waiting. @returns false when all slots are in use */
  tryBegin(): boolean {
    if (this.held.length === 0) {
      const slot = this.take(false);
      if (slot < 0) return false;
      this.start(slot);
    } else this.engine.refresh();
    return true;
  }

  /** Writes the mark of a slot until no checkpoint may have passed it. */
  private settle(held: HeldSlot): void {
    const { shared } = this.engine;
    for (;;) {
      this.engine.readShared();
      held.mark = shared.publishedLsn;
      held.floor = shared.replaySeq;
      this.write(held);
      this.engine.readShared();
      if (Math.max(shared.bound, shared.intendedBound) <= held.mark) return;
    }
  }

  /**
   * Views ended.
   * @param oldest  least limit of those that go on; Infinity without any
   */
  shrink(oldest: number): void {
    if (this.held.length === 0) return;
    if (oldest === Infinity) {
      this.end();
      return;
    }
    const { engine } = this;
    if (this.held.length === 1 && this.held[0]!.mark >= oldest) return;
    if (!this.held.some(({ mark }) => mark === oldest)) {
      // A second slot for the next oldest.
      const slot = this.take(false, true);
      if (slot < 0) return;
      const next: HeldSlot = { slot, since: this.held[0]!.since, mark: oldest, floor: engine.indexFloor };
      try {
        this.write(next);
      } catch (error) {
        engine.locks.unlock(LOCK_READ + slot); // a slot without its mark keeps nothing
        throw error;
      }
      this.held.push(next);
    }
    // The first goes only if no checkpoint passes the new mark: one may be probing the slots now, and have seen only the first.
    const now = engine.peekShared();
    if (Math.max(now.bound, now.intendedBound) <= oldest) this.keepOnly(oldest);
  }

  private write({ slot, since, mark, floor }: HeldSlot): void {
    this.engine.shm!.writeMark(slot, { lsn: mark, floor, since, pid: this.engine.vfs.env.pid });
  }

  private keepOnly(mark: number): void {
    const [kept] = this.held.filter((held) => held.mark === mark).sort((a, b) => a.slot - b.slot) as [HeldSlot];
    for (const held of this.held) if (held !== kept) this.engine.locks.unlock(LOCK_READ + held.slot);
    this.held = [kept];
  }

  /** Gives all slots back. */
  end(): void {
    for (const { slot } of this.held) this.engine.locks.unlock(LOCK_READ + slot);
    this.held = [];
  }

  /** Locks a free slot; -1 when there is none and `wait` is false. */
  private take(wait: boolean, forSnapshot = false): number {
    const { engine } = this;
    const slots = forSnapshot ? LOCK_SNAPSHOT_SLOTS : LOCK_READ_SLOTS;
    const first = engine.vfs.env.pid % FIRST_SLOTS;
    const tryAll = (): number => {
      for (let i = 0; i < slots; i += 1) {
        const slot = (first + i) % slots;
        if (!engine.locks.holds(LOCK_READ + slot) && engine.locks.tryLock(LOCK_READ + slot, 'exclusive')) return slot;
      }
      return -1;
    };
    if (!wait) return tryAll();
    let slot = -1;
    if (retryUntil(engine.vfs, engine.options.busyTimeoutMs, () => (slot = tryAll()) >= 0)) return slot;
    const { pid, since } = this.oldest();
    const who = since === undefined ? '' : `, the oldest by process ${pid} since ${new Date(since).toISOString()}`;
    throw new IoError(
      'SOMBRA_BUSY',
      `${engine.options.path}: all ${slots} slots for ${forSnapshot ? 'snapshots' : 'readers'} are in use${who}: release snapshots or close connections, or wait with busyTimeoutMs`,
      {
        details: { lock: 'READ', pid, host: engine.vfs.env.host, since },
      },
    );
  }

  /** The marks of the slots that other connections hold now, as far as they can be read. */
  others(): ReaderMark[] {
    const { shm, locks } = this.engine;
    const found: ReaderMark[] = [];
    if (shm === null) return found;
    for (const byte of locks.heldElsewhere(LOCK_READ, LOCK_READ_SLOTS)) {
      const mark = shm.readMark(byte - LOCK_READ);
      if (mark !== undefined) found.push(mark);
    }
    return found;
  }

  /** Who has read for the longest time, as far as the marks tell. */
  private oldest(): { readonly pid?: number; readonly since?: number } {
    let oldest: { readonly pid?: number; readonly since?: number } = {};
    for (const mark of this.others()) if (mark.since < (oldest.since ?? Infinity)) oldest = mark;
    return oldest;
  }
}
