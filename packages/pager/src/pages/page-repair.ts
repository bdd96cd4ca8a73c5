/**
 * A page of main that cannot be read for a view (rule R2). Without anybody else it is damaged, or torn by a checkpoint that did
 * not finish, whose double-write area holds its image. With others, a checkpoint may be writing it at this moment: so it is read
 * again, and only a look while holding WRITE may call it damaged.
 */
import { CorruptionError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { doubleWritePath, readDoubleWrite, readDoubleWriteImage } from '../format/double-write.ts';
import type { DoubleWriteIdentity } from '../format/double-write.ts';
import type { LockTable } from '../sharing/locks.ts';
import { LOCK_WRITE, refuseBusy } from '../sharing/locks.ts';
import { verifyPage } from '../format/page-header.ts';
import type { Shm } from '../sharing/shm.ts';
import type { PageRepair } from './version-reader.ts';

/** Looks without WRITE before one with it, and after that while others hold it. */
const LOOKS = 5;
const PAUSE_MS = 1;
/** Longest time that others may hold WRITE before the reader gives up, ms. */
const PATIENCE_MS = 10_000;

/** Where to look. */
export interface RepairPlaces {
  readonly vfs: Vfs;
  readonly path: string;
  readonly identity: DoubleWriteIdentity;
  /** null: no other connection can have the database open. */
  readonly shm: Shm | null;
  readonly locks: LockTable;
  /** Sequence of the newest superblock slot now; what the connection has followed stays as it is. */
  readonly sequence: () => number;
}

/** The repair for the pages of one connection. */
export function pageRepair(places: RepairPlaces): PageRepair {
  const { vfs, shm, locks, identity } = places;

  const fromArea = (pageNumber: number, limit: number, into: Uint8Array, at: number): number => {
    const path = doubleWritePath(places.path);
    if (vfs.stat(path) === null) return -1;
    const area = vfs.open(path, { write: false });
    try {
      const batch = readDoubleWrite(area, identity, places.sequence());
      if (batch === undefined) return -1;
      if (!readDoubleWriteImage(area, batch, pageNumber, identity.pageSize, into, at)) return -1;
      return verifyPage(into, at, identity.pageSize, pageNumber, identity.salt, limit);
    } catch (error) {
      if (error instanceof CorruptionError) return -1; // too new for this view, or torn since
      throw error;
    } finally {
      area.close();
    }
  };

  return (pageNumber, limit, into, at, again, cause) => {
    if (!(cause instanceof CorruptionError)) throw cause;
    if (shm === null || locks.holds(LOCK_WRITE)) {
      const lsn = fromArea(pageNumber, limit, into, at);
      if (lsn < 0) throw cause;
      return lsn;
    }
    const until = vfs.env.monotonicMs() + PATIENCE_MS;
    for (let look = 1; ; look += 1) {
      const lsn = attempt(again) ?? fromArea(pageNumber, limit, into, at);
      if (lsn >= 0) return lsn;
      if (look >= LOOKS && locks.tryLock(LOCK_WRITE, 'exclusive')) {
        try {
          const last = fromArea(pageNumber, limit, into, at);
          return last >= 0 ? last : again();
        } finally {
          locks.unlock(LOCK_WRITE);
        }
      }
      if (vfs.env.monotonicMs() >= until) refuseBusy(vfs, places.path, LOCK_WRITE);
      vfs.env.sleep(PAUSE_MS);
    }
  };
}

function attempt(again: () => number): number | undefined {
  try {
    return again();
  } catch (error) {
    if (error instanceof CorruptionError) return undefined;
    throw error;
  }
}
