/**
 * Lock bytes on main (rules L1 to L4), far beyond its end and never read or written, and the records in the shm file that
 * name their holders. Kernel locks only: they end with their holder, and are never broken.
 * Source: docs/format/locks.md; locks.test.ts compares the tables.
 */
import { IoError, readU32, sameFile } from '@sombra/vfs';
import type { LockMode, Vfs, VfsEnv, VfsFile } from '@sombra/vfs';
import { Retry } from '../base/retry.ts';
import { runAll } from '../base/run-all.ts';
import { readHolder } from './holders.ts';
import type { Holder } from './holders.ts';

/** First lock byte: 2^52, which no file reaches. */
export const LOCK_BASE = 2 ** 52;
/** Held while a database is opened or closed. */
export const LOCK_RECOVER = 0;
/** Held shared by every connection. */
export const LOCK_PRESENCE = 1;
/** Held by the writing connection, for a tenure. */
export const LOCK_WRITE = 2;
/** Held shared by each connection that waits for WRITE. */
export const LOCK_WAIT = 3;
/** Held shared by a connection that inspects a database and keeps the others out meanwhile; it only says why. */
export const LOCK_INSPECT = 4;
/** First of the bytes of connections that read. */
export const LOCK_READ = 16;
export const LOCK_READ_SLOTS = 1024;
/** Slots that snapshots may keep. The others are for reads that end soon, so that whatever snapshots there are, a connection can be
 *  opened, write, and look at the newest commit. */
export const LOCK_SNAPSHOT_SLOTS = 960;
/** First of the bytes of connections that tell figures (told-figures.ts). */
export const LOCK_FIGURES = 2048;
/** As many as the shm file has room for. */
export const LOCK_FIGURES_SLOTS = 80;

/**
 * Bytes of which each connection that shares the database holds one, at random. A descriptor that is only open for reading cannot ask
 * for an exclusive lock; but a shared one over all seats shows whether any other connection is there.
 */
export const LOCK_SEATS = 2 ** 20;
export const LOCK_SEAT_COUNT = 2 ** 30;

/** Bytes that are probed together: in most ranges none is held. */
const PROBE_BYTES = 64;

const NAMES: Record<number, string> = {
  [LOCK_RECOVER]: 'RECOVER',
  [LOCK_PRESENCE]: 'PRESENCE',
  [LOCK_WRITE]: 'WRITE',
  [LOCK_WAIT]: 'WAIT',
  [LOCK_INSPECT]: 'INSPECT',
};

/**
 * The lock bytes that this connection holds. The table is asked before any system call: on one descriptor a lock over
 * one's own would be granted, and one unlock would drop them all.
 */
export class LockTable {
  private readonly file: VfsFile | null;
  private readonly held = new Map<number, LockMode>();
  /** Ranges that could not be unlocked, [first, count]: this connection no longer uses them, but others find them locked. */
  private lingering: [first: number, count: number][] = [];
  private readonly retry: Retry;
  private released: (() => void) | undefined;

  /**
   * @param file  descriptor of main that is used for locks only; null in single-process mode, where a lock file keeps others out
   *   and every lock is granted
   */
  constructor(env: VfsEnv, file: VfsFile | null) {
    this.file = file;
    this.retry = new Retry(env, () => this.unlockLingering());
  }

  /** Is the file that is locked still the one under this name? */
  isNamed(vfs: Vfs, path: string): boolean {
    if (this.file === null) return true;
    return sameFile(vfs.stat(path), this.file.stat());
  }

  /** Is this the file that is locked? */
  isSame(file: VfsFile): boolean {
    if (this.file === null) return true;
    return sameFile(this.file.stat(), file.stat());
  }

  /** Does this connection hold the byte? */
  holds(byte: number): boolean {
    return this.held.has(byte);
  }

  /** Tries to lock a byte; true also when this connection has it in this mode. Changes the mode of a byte it has. */
  tryLock(byte: number, mode: LockMode): boolean {
    if (this.held.get(byte) === mode) return true;
    this.unlockLingering();
    if (this.file !== null && !this.file.tryLock(LOCK_BASE + byte, 1, mode)) return false;
    this.held.set(byte, mode);
    return true;
  }

  /** The bytes of [first, first + count) that others hold now, ascending. Those of this connection are left alone. */
  heldElsewhere(first: number, count: number): number[] {
    this.unlockLingering();
    const found: number[] = [];
    for (let from = first; from < first + count; from += PROBE_BYTES) {
      const to = Math.min(from + PROBE_BYTES, first + count);
      if (!this.holdsAny(from, to) && this.probe(from, to - from)) continue;
      for (let byte = from; byte < to; byte += 1) if (!this.held.has(byte) && !this.probe(byte, 1)) found.push(byte);
    }
    return found;
  }

  private holdsAny(from: number, to: number): boolean {
    return this.firstHeld(from, to) !== undefined;
  }

  private firstHeld(from: number, to: number): number | undefined {
    for (const byte of this.held.keys()) if (byte >= from && byte < to) return byte;
    return undefined;
  }

  /** How many bytes of [first, first + count) others hold now. By halves: the range may be very long. */
  countElsewhere(first: number, count: number): number {
    if (count === 0) return 0;
    const own = this.firstHeld(first, first + count);
    if (own === undefined && this.probe(first, count)) return 0;
    if (count === 1) return own === undefined ? 1 : 0;
    const half = own === undefined ? Math.floor(count / 2) : Math.max(1, own - first);
    return this.countElsewhere(first, half) + this.countElsewhere(first + half, count - half);
  }

  /** Could this connection have these bytes? */
  private probe(byte: number, count: number): boolean {
    if (this.file === null) return true;
    if (!this.file.tryLock(LOCK_BASE + byte, count, 'exclusive')) return false;
    this.unlockRange(byte, count);
    return true;
  }

  /** Takes a seat: from now on `isAnySeatTaken` is true for others. Call under RECOVER. */
  takeSeat(vfs: Vfs): void {
    while (!this.tryLock(LOCK_SEATS + (readU32(vfs.env.random(4), 0) % LOCK_SEAT_COUNT), 'exclusive'));
  }

  /** Does any other connection share the database? Call under RECOVER, with a descriptor for reading or writing. */
  isAnySeatTaken(): boolean {
    if (this.file === null) return false;
    if (!this.file.tryLock(LOCK_BASE + LOCK_SEATS, LOCK_SEAT_COUNT, 'shared')) return true;
    this.unlockRange(LOCK_SEATS, LOCK_SEAT_COUNT);
    return false;
  }

  /** Gives a byte back. Idempotent. When the system refuses, it is tried again before the next lock, and by a timer. */
  unlock(byte: number): void {
    if (this.held.delete(byte)) this.unlockRange(byte, 1);
  }

  private unlockRange(first: number, count: number): void {
    try {
      this.file?.unlock(LOCK_BASE + first, count);
    } catch (error) {
      this.lingering.push([first, count]);
      this.retry.later();
      throw error;
    }
  }

  private unlockLingering(): void {
    if (this.lingering.length === 0) return;
    const ranges = this.lingering;
    this.lingering = [];
    runAll(
      ranges.map(
        ([first, count]) =>
          () =>
            this.unlockRange(first, count),
      ),
    );
  }

  /** Names what has to be given back with the locks: a lock file that stands for them. */
  closeWith(release: () => void): void {
    this.released = release;
  }

  /** Closes the descriptor, with which all of its locks end. */
  close(): void {
    this.held.clear();
    this.retry.stop();
    try {
      this.released?.();
    } finally {
      this.file?.close();
    }
  }
}

/**
 * Refuses, naming the holder of a lock.
 * @param holder  null for unknown; default: according to the shm file
 * @throws IoError SOMBRA_BUSY, always, naming the holder as far as it is known
 */
export function refuseBusy(
  vfs: Vfs,
  path: string,
  byte: number,
  holder: Holder | null = readHolder(vfs, path, byte) ?? null,
): never {
  const who =
    holder === null
      ? 'another connection'
      : `process ${holder.pid} on ${holder.host} since ${new Date(holder.since).toISOString()}`;
  throw new IoError('SOMBRA_BUSY', `${path} is in use by ${who}: close it there, or open with busyTimeoutMs to wait`, {
    details: { lock: NAMES[byte], pid: holder?.pid, host: holder?.host, since: holder?.since },
  });
}

/**
 * As `refuseBusy`, for a connection that can lock: a look at the database, which leaves no record of its holder, is named as what it is.
 * @throws IoError SOMBRA_BUSY, always
 */
export function refuseHeld(vfs: Vfs, path: string, byte: number, locks: LockTable): never {
  if (locks.heldElsewhere(LOCK_INSPECT, 1).length === 0) refuseBusy(vfs, path, byte);
  throw new IoError(
    'SOMBRA_BUSY',
    `${path} is being inspected, by sombra-inspect or a connection opened with inspect, which keeps others out: try again when that has ended`,
    { details: { lock: NAMES[LOCK_INSPECT] } },
  );
}
