/**
 * A page of main that cannot be read for a view (rule R2). Without other connections it is damaged, or torn by a checkpoint that did
 * not finish, whose double-write area holds its image. With others, a checkpoint may be writing it at this moment: so only a read while
 * holding WRITE may call it damaged, and while another connection has WRITE the page is read again.
 */
import { CorruptionError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { doubleWritePath, readDoubleWrite, readDoubleWriteImage } from '../format/double-write.ts';
import type { DoubleWriteIdentity } from '../format/double-write.ts';
import { verifyPage } from '../format/page-header.ts';
import { LOCK_WRITE } from '../sharing/locks.ts';
import { retryUntil } from '../sharing/waiting.ts';
import { waitForWrite } from '../sharing/write-lock.ts';
import type { WriteLockParts } from '../sharing/write-lock.ts';
import type { PageRepair } from './version-reader.ts';

/** How long the page is read again before WRITE is waited for, ms: a checkpoint that is writing it is done by then. */
const LOOKING_MS = 5;

/** Where to read. */
export interface RepairPlaces {
  readonly vfs: Vfs;
  readonly path: string;
  readonly identity: DoubleWriteIdentity;
  /** Where to ask for WRITE, and how long to wait for it; null: no other connection can have the database open. */
  readonly write: (WriteLockParts & { readonly waitMs: number }) | null;
  /** Sequence of the newest superblock slot now; what the connection has followed stays as it is. */
  readonly sequence: () => number;
}

/** The repair for the pages of one connection. */
export function pageRepair(places: RepairPlaces): PageRepair {
  const { vfs, write, identity } = places;

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
    if (write === null || write.locks.holds(LOCK_WRITE)) {
      const lsn = fromArea(pageNumber, limit, into, at);
      if (lsn < 0) throw cause;
      return lsn;
    }
    const { locks, waitMs } = write;
    let lsn = -1;
    const look = (): boolean => (lsn = attempt(again) ?? fromArea(pageNumber, limit, into, at)) >= 0;
    // While nobody writes there is nothing to wait for: a file with thousands of damaged pages would take minutes.
    if (!locks.tryLock(LOCK_WRITE, 'exclusive')) {
      if (retryUntil(vfs, LOOKING_MS, look)) return lsn;
      waitForWrite(write, waitMs, () => locks.tryLock(LOCK_WRITE, 'exclusive') || look());
      if (!locks.holds(LOCK_WRITE)) return lsn;
    }
    try {
      const last = fromArea(pageNumber, limit, into, at);
      return last >= 0 ? last : again();
    } finally {
      locks.unlock(LOCK_WRITE);
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
