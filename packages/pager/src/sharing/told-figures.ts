/**
 * The figures that connections tell each other (figures.ts). A connection locks a FIGURES slot when it has something to tell for the
 * first time, and keeps it until it is closed; with all slots in use it tells nothing.
 */
import type { Vfs } from '@sombra/vfs';
import type { ConnectionFigures } from './figures.ts';
import { LOCK_FIGURES, LOCK_FIGURES_SLOTS, LOCK_SEAT_COUNT, LOCK_SEATS } from './locks.ts';
import type { LockTable } from './locks.ts';
import type { Shm } from './shm.ts';

/** What the other connections are, as far as they tell. */
export interface OtherConnections {
  /** How many there are. */
  readonly count: number;
  /** Of those that tell them. */
  readonly figures: readonly ConnectionFigures[];
}

/** What changes of the figures of a connection; quantiles are worked out when they are written. */
export type FiguresNow = Pick<ConnectionFigures, 'hits' | 'misses' | 'commits' | 'reads'>;

/** See the top of the file. */
export class ToldFigures {
  private readonly vfs: Vfs;
  private readonly locks: LockTable;
  private readonly shm: Shm | null;
  private readonly opened: number;
  private slot = -1;
  private told: FiguresNow = { hits: 0, misses: 0, commits: 0, reads: 0 };

  /** @param shm  null: no other connection can have the database open */
  constructor(vfs: Vfs, locks: LockTable, shm: Shm | null) {
    this.vfs = vfs;
    this.locks = locks;
    this.shm = shm;
    this.opened = vfs.env.wallTimeMs();
  }

  /**
   * Writes the figures of this connection, if they differ from those that it wrote last.
   * @param p95  the quantiles, seconds
   * @throws IoError
   */
  tell(now: FiguresNow, p95: () => Pick<ConnectionFigures, 'commitP95' | 'readP95'>): void {
    const { shm, vfs, told } = this;
    const { hits, misses, commits, reads } = now;
    if (shm === null) return;
    if (hits === told.hits && misses === told.misses && commits === told.commits && reads === told.reads) return;
    if (this.slot < 0) this.slot = this.takeSlot();
    if (this.slot < 0) return;
    const { pid } = vfs.env;
    shm.writeFigures(this.slot, { ...now, ...p95(), pid, opened: this.opened, written: vfs.env.wallTimeMs() });
    this.told = now;
  }

  private takeSlot(): number {
    const first = this.vfs.env.pid % LOCK_FIGURES_SLOTS;
    for (let i = 0; i < LOCK_FIGURES_SLOTS; i += 1) {
      const slot = (first + i) % LOCK_FIGURES_SLOTS;
      if (this.locks.tryLock(LOCK_FIGURES + slot, 'exclusive')) return slot;
    }
    return -1;
  }

  /** The other connections now. @throws IoError */
  others(): OtherConnections {
    const { shm, locks } = this;
    if (shm === null) return { count: 0, figures: [] };
    const figures = locks
      .heldElsewhere(LOCK_FIGURES, LOCK_FIGURES_SLOTS)
      .map((byte) => shm.readFigures(byte - LOCK_FIGURES))
      .filter((one) => one !== undefined);
    const count = locks.countElsewhere(LOCK_SEATS, LOCK_SEAT_COUNT);
    return { count: Math.max(count, figures.length), figures };
  }
}
