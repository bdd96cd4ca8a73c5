/**
 * Opening a database: locks (rules L2 to L4); what is done with the files stands in recovery.ts.
 *
 * RECOVER is held from before the first try at PRESENCE until PRESENCE is held shared. A connection that gets PRESENCE exclusively is
 * alone: it recovers, and builds the shm file. Any other joins the existing ones, and trusts what they built. An exclusive connection
 * keeps PRESENCE exclusively, and needs no shm file.
 */
import { giveBack } from '../base/run-all.ts';
import { DataError, InvariantError, IoError, PoisonedError, StateError } from '@sombra/vfs';
import type { Vfs, VfsFile } from '@sombra/vfs';
import { livePath } from '@sombra/wal';
import { Catalogue } from '../format/catalogue.ts';
import { createDatabase } from './create.ts';
import { Connection } from '../connection/connection.ts';
import { cure } from './cure.ts';
import { isForbidden, isIoError } from '../base/failure.ts';
import { clearHolders, noteHolder, shmPath, writeHolder } from '../sharing/holders.ts';
import { openInMemory } from './inspection.ts';
import type { OpenDatabase } from './inspection.ts';
import { removeTemporaryNames } from './new-file.ts';
import { checkLockFile, LockFile } from '../sharing/lock-file.ts';
import {
  LOCK_INSPECT,
  LOCK_PRESENCE,
  LOCK_RECOVER,
  LOCK_WRITE,
  LockTable,
  refuseBusy,
  refuseHeld,
} from '../sharing/locks.ts';
import type { PagerWarning, ResolvedOptions } from '../base/options.ts';
import { readSteadily } from '../base/steady.ts';
import { closeLog, hasUnfinishedBatch, prepare, readArea, recover } from './recovery.ts';
import type { Recovered } from './recovery.ts';
import { register } from '../sharing/registry.ts';
import { treeSlots } from '../format/roots-page.ts';
import { newSharedState } from '../format/shared-state.ts';
import { Shm } from '../sharing/shm.ts';
import { leaveLog } from './timeline.ts';
import type { Superblock } from '../format/superblock.ts';
import { retryUntil } from '../sharing/waiting.ts';

/** Pause between two tries to get the locks, ms. */
const RETRY_MS = 5;

/** Why a connection cannot be opened now. */
class Obstacle {
  private readonly what: number | 'shm' | 'poison';

  /** @param what  a lock byte that another connection holds, or what is wrong with what the others built */
  constructor(what: number | 'shm' | 'poison') {
    this.what = what;
  }

  /** @throws IoError SOMBRA_BUSY, PoisonedError SOMBRA_LOCK_POISONED */
  refuse({ vfs, path }: ResolvedOptions, locks: LockTable): never {
    const { what } = this;
    if (what === 'poison') {
      throw new PoisonedError(
        'SOMBRA_LOCK_POISONED',
        `a sync of ${path} failed while others have it open, and they read or write it now: release their snapshots and views, or close them, and open it again`,
      );
    }
    if (what === 'shm') {
      throw new IoError(
        'SOMBRA_BUSY',
        `${shmPath(path)} was removed while others have ${path} open: close them all, and open it again`,
        {
          details: { lock: 'PRESENCE' },
        },
      );
    }
    return refuseHeld(vfs, path, what, locks);
  }
}

/** Opens, creating and recovering as needed. @throws see `Pager.open` */
export function openDatabase(given: ResolvedOptions): OpenDatabase {
  const { vfs } = given;
  const single = given.locking === 'single-process';
  if (!single && !vfs.locksAvailable) {
    throw new StateError(
      'SOMBRA_LOCKS_UNAVAILABLE',
      "file locks are not available here, and without them two processes could destroy the database: install the optional package fs-native-extensions, or open with locking: 'single-process'",
    );
  }
  if (!single && vfs.isNetwork(given.path)) {
    throw new StateError(
      'SOMBRA_NETWORK_FILE_SYSTEM',
      `${given.path} lies on a network file system, whose locks cannot be relied on: use a local disk, or open with locking: 'single-process'`,
    );
  }
  if (vfs.stat(given.path) === null) {
    if (given.readOnly || !given.createIfMissing) {
      throw new DataError(
        'SOMBRA_NOT_FOUND',
        `${given.path} does not exist: check the path${given.readOnly ? '' : ', or open with createIfMissing'}`,
      );
    }
    createDatabase(given);
  }
  const path = vfs.realpath(given.path);
  // No other connection can follow a log in memory.
  const options: ResolvedOptions = { ...given, path, locking: given.enableWal || single ? given.locking : 'exclusive' };
  checkLockFile(vfs, path);
  if (single) return openSingle(options);
  const until = vfs.env.monotonicMs() + options.busyTimeoutMs;
  for (;;) {
    const locks = openLocks(options);
    if (locks === null) return openUnwritable(options);
    try {
      const database = openLocked(options, locks);
      if (!(database instanceof Obstacle)) {
        register(database.connection.neighbour);
        return database;
      }
      if (vfs.env.monotonicMs() >= until) database.refuse(options, locks);
    } catch (error) {
      giveBack([() => locks.close()]);
      // A directory that may not be written has no place for the shm file.
      if (options.readOnly && isForbidden(error)) return openUnwritable(options);
      throw error;
    }
    locks.close();
    vfs.env.sleep(RETRY_MS);
  }
}

/** L8: a lock file instead of locks. Where locks work they are taken, too, so that connections of other modes see them. */
function openSingle(options: ResolvedOptions): OpenDatabase {
  const { vfs, path } = options;
  let lockFile: LockFile;
  try {
    lockFile = LockFile.take(vfs, path);
  } catch (error) {
    if (options.readOnly && isForbidden(error)) return openUnwritable(options);
    throw error;
  }
  try {
    removeTemporaryNames(vfs, path); // lock files that never got their name
    const locks = openLocks(options);
    const database = locks === null ? openUnwritable(options) : openSingleLocked(options, locks);
    database.connection.locks.closeWith(() => lockFile.release());
    return database;
  } catch (error) {
    giveBack([() => lockFile.release()]);
    throw error;
  }
}

function openSingleLocked(options: ResolvedOptions, locks: LockTable): OpenDatabase {
  try {
    const database = openLocked({ ...options, locking: 'exclusive' }, locks);
    if (database instanceof Obstacle) return database.refuse(options, locks);
    register(database.connection.neighbour);
    return database;
  } catch (error) {
    giveBack([() => locks.close()]);
    throw error;
  }
}

/** The lock descriptor, open for writing: exclusive locks need that, also for readers. null when the file may not be written. */
function openLocks({ vfs, path, readOnly, locking }: ResolvedOptions): LockTable | null {
  if (locking === 'single-process' && !canLock(vfs, path)) return new LockTable(vfs.env, null);
  try {
    return new LockTable(vfs.env, vfs.open(path, { write: true }));
  } catch (error) {
    if (readOnly && isForbidden(error)) return null;
    throw error;
  }
}

function canLock(vfs: Vfs, path: string): boolean {
  return vfs.locksAvailable && !vfs.isNetwork(path);
}

/** One try: another connection may be opening or closing, have it exclusively, or have left nothing to join. */
function openLocked(options: ResolvedOptions, locks: LockTable): OpenDatabase | Obstacle {
  const { vfs, path } = options;
  if (!locks.tryLock(LOCK_RECOVER, 'exclusive')) return new Obstacle(LOCK_RECOVER);
  if (!options.inspect) noteHolder(vfs, path, LOCK_RECOVER);
  const alone = locks.tryLock(LOCK_PRESENCE, 'exclusive');
  if (!alone && (options.locking === 'exclusive' || !locks.tryLock(LOCK_PRESENCE, 'shared')))
    return new Obstacle(LOCK_PRESENCE);
  if (alone && options.inspect) {
    if (!locks.isNamed(vfs, path)) return new Obstacle(LOCK_RECOVER);
    locks.tryLock(LOCK_INSPECT, 'shared');
    return openInMemory(options, locks);
  }
  const main = vfs.open(path, { write: !options.readOnly });
  const warnings: PagerWarning[] = [];
  let connection: Connection | undefined;
  try {
    // The file may have been replaced while we waited.
    if (!locks.isNamed(vfs, path) || !locks.isSame(main)) {
      main.close();
      return new Obstacle(LOCK_RECOVER);
    }
    const found = alone ? openAlone(options, main, locks, warnings) : joinOthers(options, main, locks, warnings);
    if (found instanceof Obstacle) {
      main.close();
      return found;
    }
    connection = found;
    connection.shm?.writeHolder(vfs, LOCK_PRESENCE);
    if (options.locking === 'shared') {
      if (!locks.tryLock(LOCK_PRESENCE, 'shared'))
        throw new InvariantError('a lock that is held exclusively becomes a shared one');
      locks.takeSeat(vfs);
      locks.unlock(LOCK_RECOVER);
    }
    return { connection, warnings, damage: [] };
  } catch (error) {
    giveBack([() => connection?.closeFiles(), () => main.close()]);
    throw error;
  }
}

/** No other connection has it open: recovery, and a new shm file. */
function openAlone(options: ResolvedOptions, main: VfsFile, locks: LockTable, warnings: PagerWarning[]): Connection {
  const { vfs } = options;
  if (options.readOnly) checkSettled(options, main, warnings);
  tidyNames(options, main, ({ sequence, clean }) => sequence === 0 || !clean);
  const { parts, replayed } = recoverAlone(options, main, locks, warnings);
  let connection: Connection;
  try {
    connection = options.locking === 'exclusive' ? openExclusive(options, parts) : openFirst(options, parts);
  } catch (error) {
    giveBack([() => closeLog(parts.wal), () => parts.cache.dispose(vfs.env)]);
    throw error;
  }
  const { lsn } = parts.published;
  connection.health.callHook((hooks) => hooks.recovered?.(lsn, replayed));
  return connection;
}

function openExclusive(options: ResolvedOptions, parts: Recovered): Connection {
  clearHolders(options.vfs, options.path);
  for (const lock of [LOCK_RECOVER, LOCK_PRESENCE, LOCK_WRITE]) writeHolder(options.vfs, options.path, lock);
  return new Connection({ ...parts, options, shm: null });
}

function openFirst(options: ResolvedOptions, parts: Recovered): Connection {
  const shm = Shm.create(options.vfs, options.path, parts.shared);
  try {
    return new Connection({ ...parts, options, shm });
  } catch (error) {
    giveBack([() => shm.close()]);
    throw error;
  }
}

/** Recovery, and what has to follow before anybody uses the log. @returns with the number of commits that the log had */
function recoverAlone(
  options: ResolvedOptions,
  main: VfsFile,
  locks: LockTable,
  warnings: PagerWarning[],
): { parts: Recovered; replayed: number } {
  const parts = recover({ ...options, enableWal: true }, main, locks, warnings);
  const { superblock, published } = parts;
  const replayed = published.lsn - superblock.checkpointLsn;
  const forked = superblock.forked && !options.readOnly;
  if (options.enableWal && !forked) return { parts, replayed };
  leaveLog(options, parts, warnings);
  return { parts: recover(options, main, locks, []), replayed };
}

/** O7: a read-only connection changes nothing in main or log, so a database that needs recovery is refused. */
function checkSettled(options: ResolvedOptions, main: VfsFile, warnings: PagerWarning[]): void {
  const superblock = readArea(main, options, warnings).newest;
  const log = options.vfs.stat(livePath(options.path));
  if (!superblock.clean || log !== null || hasUnfinishedBatch(options.vfs, options.path, superblock)) {
    throw new StateError(
      'SOMBRA_RECOVERY_REQUIRED',
      `${options.path} was not closed properly and needs recovery: open it for writing once`,
    );
  }
  warnings.length = 0;
}

/** Others have it open: what they built is followed. */
function joinOthers(
  options: ResolvedOptions,
  main: VfsFile,
  locks: LockTable,
  warnings: PagerWarning[],
): Connection | Obstacle {
  const { vfs, path } = options;
  if (!options.inspect) tidyNames(options, main, ({ sequence }) => sequence === 0);
  const shm = Shm.join(vfs, path);
  if (shm === undefined) return new Obstacle('shm');
  let connection: Connection | undefined;
  try {
    if (!shm.isNamed(vfs)) {
      shm.close();
      return new Obstacle('shm');
    }
    shm.writeHolder(vfs, LOCK_RECOVER);
    shm.read(newSharedState());
    if (shm.poisoned && options.inspect) {
      // What was published can be read: nothing of it changes any more.
      warnings.push({
        code: 'SOMBRA_LOCK_POISONED',
        message: `a sync of ${path} failed while others have it open, and nothing is written any more: close all connections and open the database again`,
      });
    } else if (shm.poisoned) {
      const cured = options.readOnly ? null : cure(options, main, locks, shm, warnings);
      if (cured === null) shm.close();
      return cured ?? new Obstacle('poison');
    }
    const superblock = readSteadily(vfs.env, () => readArea(main, options, []).newest);
    const parts = prepare(options, superblock);
    shm.forget();
    shm.read(parts.shared);
    parts.index.reset(parts.shared.checkpointLsn);
    const published = new Catalogue(treeSlots(superblock.pageSize));
    published.lsn = -1; // nothing has been followed yet
    connection = new Connection({ ...parts, vfs, options, main, locks, published, superblock, wal: null, shm });
    connection.join();
    return connection;
  } catch (error) {
    giveBack([() => (connection === undefined ? shm.close() : connection.closeFiles())]);
    throw error;
  }
}

/**
 * Removes what creations that were cut short left, and refuses a file of several names. The folder, which may hold very many other
 * files, is listed only where there may be something: while the file has a second name, until its first checkpoint, as another creation
 * may have died before it gave its file the name, and after a crash, in which a name that was removed may have come back.
 */
function tidyNames(options: ResolvedOptions, main: VfsFile, isSuspect: (newest: Superblock) => boolean): void {
  if (main.stat().nlink > 1 || isSuspectFile(options, main, isSuspect)) removeTemporaryNames(options.vfs, options.path);
  checkLinks(main);
}

function isSuspectFile(options: ResolvedOptions, main: VfsFile, isSuspect: (newest: Superblock) => boolean): boolean {
  try {
    return isSuspect(readArea(main, options, []).newest);
  } catch (error) {
    if (isIoError(error)) throw error;
    return true; // the next step that reads it reports what is wrong
  }
}

/** P4: one file, one name. */
function checkLinks(file: VfsFile): void {
  const { nlink } = file.stat();
  if (nlink > 1)
    throw new StateError(
      'SOMBRA_HARD_LINK',
      `${file.path} has ${nlink} names (hard links): its log belongs to one name; remove the others`,
    );
}

/** O7: a file that may not be written, or lies on read-only media: it must have been closed properly, and nothing is changed. */
function openUnwritable(options: ResolvedOptions): OpenDatabase {
  const { vfs, path } = options;
  const locks = new LockTable(vfs.env, canLock(vfs, path) ? vfs.open(path, { write: false }) : null);
  let main: VfsFile | undefined;
  try {
    if (options.inspect) {
      keepOthersFromWriting(options, locks);
      return openInMemory(options, locks);
    }
    // A shm file says nothing: dead connections leave it behind. RECOVER is kept, so that no connection joins on the strength of it.
    lockShared(options, locks, LOCK_RECOVER);
    lockShared(options, locks, LOCK_PRESENCE);
    if (locks.isAnySeatTaken()) refuseBusy(vfs, path, LOCK_PRESENCE);
    main = vfs.open(path, { write: false });
    const warnings: PagerWarning[] = [];
    checkSettled(options, main, warnings);
    const parts = recover({ ...options, locking: 'exclusive' }, main, locks, warnings);
    const connection = new Connection({ ...parts, options: { ...options, locking: 'exclusive' }, shm: null });
    register(connection.neighbour);
    return { connection, warnings, damage: [] };
  } catch (error) {
    giveBack([() => main?.close(), () => locks.close()]);
    throw error;
  }
}

/** A connection whose locks can only be shared cannot join others: it keeps them from opening, and from writing, while it reads. */
function keepOthersFromWriting(options: ResolvedOptions, locks: LockTable): void {
  for (const byte of [LOCK_RECOVER, LOCK_PRESENCE, LOCK_WRITE]) lockShared(options, locks, byte);
  locks.tryLock(LOCK_INSPECT, 'shared');
}

/** @throws IoError SOMBRA_BUSY when another connection has it exclusively for longer than busyTimeoutMs */
function lockShared({ vfs, path, busyTimeoutMs }: ResolvedOptions, locks: LockTable, byte: number): void {
  if (!retryUntil(vfs, busyTimeoutMs, () => locks.tryLock(byte, 'shared'))) refuseBusy(vfs, path, byte);
}
