/**
 * Single-process mode (rule L8), for file systems whose locks cannot be relied on: a file says which process has the database open.
 * It is stale only if it proves so itself: its process, on this machine, is gone, or was started at another time. Every opener, in
 * whatever mode, refuses while a live one exists.
 *
 * Two openers may find the same stale file, so neither removes it or writes in its place. The lock is a chain of files instead:
 * `graph.db-lock` is the first, and the successor of a lock with token T is `graph.db-lock-after-T`. The last one counts.
 *
 * Invariants:
 * 1. A file of the chain is complete when it gets its name, and never changes: it is written under a temporary name, and `link`
 *    fails when its name in the chain is taken. So a lock has one successor.
 * 2. Only a stale lock gets a successor, and only the process of the last lock removes names of the chain, `graph.db-lock` first:
 *    without it there is no chain, whatever else is left.
 * 3. A process has the lock once it found its own file at the end of the chain after linking it: the chain that it read before may
 *    have been given up meanwhile.
 *
 * A process that dies while it takes or gives back the lock leaves a stale lock, or files that belong to no chain and mean nothing.
 */
import { decodeText, encodeText, IoError, preadFully, pwriteFully, StateError, toHex } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';

/** Which process has the database open in single-process mode. */
export interface LockFileOwner {
  readonly pid: number;
  readonly host: string;
  /** ms */
  readonly since: number;
}

/** What a lock file says, as JSON. */
interface Lock extends LockFileOwner {
  /** `VfsEnv.identify` of the process. */
  readonly identity: string;
  /** Random, in hexadecimal digits: distinguishes this lock from every other one. */
  readonly token: string;
}

const SIZE_MAX = 4096;
const TOKEN = /^[0-9a-f]{32}$/;

/** Name of the lock file. */
export function lockFilePath(path: string): string {
  return `${path}-lock`;
}

/** Name of the file by which a lock is taken over. */
function successorPath(path: string, { token }: Lock): string {
  return `${lockFilePath(path)}-after-${token}`;
}

/**
 * Refuses when a process holds the lock file.
 * @throws IoError SOMBRA_BUSY (details pid, host, since); StateError SOMBRA_LOCK_FILE when it cannot be read
 */
export function checkLockFile(vfs: Vfs, path: string): void {
  const last = readChain(vfs, path).at(-1);
  if (last !== undefined && isAlive(vfs, last)) refuse(vfs, path, last);
}

/**
 * Removes the lock of a process on another machine that is gone for good: nothing here can prove that, so the caller answers for it.
 * @returns the process whose lock was removed; null when there is no lock
 * @throws IoError SOMBRA_BUSY when the lock is of a living process of this machine, or of another host than `host`
 */
export function removeLockFile(vfs: Vfs, path: string, host: string): LockFileOwner | null {
  const last = readChain(vfs, path).at(-1);
  if (last === undefined) return null;
  LockFile.take(vfs, path, (owner) => owner.host === host && host !== vfs.env.host).release();
  return last;
}

/** A lock file of this process. */
export class LockFile {
  private readonly vfs: Vfs;
  private readonly path: string;
  private readonly token: string;
  private readonly name: string;

  private constructor(vfs: Vfs, path: string, token: string, name: string) {
    this.vfs = vfs;
    this.path = path;
    this.token = token;
    this.name = name;
  }

  /**
   * Takes the lock file, also after a stale one.
   * @param isGone  is the process of this lock gone although nothing here proves it?
   * @throws IoError SOMBRA_BUSY (details pid, host, since), SOMBRA_PERMISSION, …; StateError SOMBRA_LOCK_FILE
   */
  static take(vfs: Vfs, path: string, isGone: (owner: LockFileOwner) => boolean = () => false): LockFile {
    for (;;) {
      const last = readChain(vfs, path).at(-1);
      if (last !== undefined && isAlive(vfs, last) && !isGone(last)) refuse(vfs, path, last);
      const { env } = vfs;
      const token = toHex(env.random(16));
      const own: Lock = {
        pid: env.pid,
        host: env.host,
        identity: env.identify(env.pid) ?? '',
        since: env.wallTimeMs(),
        token,
      };
      const name = last === undefined ? lockFilePath(path) : successorPath(path, last);
      place(vfs, path, own, name);
      const taken = new LockFile(vfs, path, token, name);
      if (readChain(vfs, path).at(-1)?.token === token) return taken;
      taken.release();
    }
  }

  /** Gives the lock back. */
  release(): void {
    const { vfs, path } = this;
    const chain = readChain(vfs, path);
    if (chain.at(-1)?.token === this.token) {
      unlinkIfThere(vfs, lockFilePath(path));
      for (const lock of chain.slice(0, -1)) unlinkIfThere(vfs, successorPath(path, lock));
    } else if (readLock(vfs, this.name)?.token === this.token) unlinkIfThere(vfs, this.name); // not part of the chain
  }
}

/** The locks from the first to the last one; empty when there is none. It was so at a moment during the call. */
function readChain(vfs: Vfs, path: string): Lock[] {
  const chain: Lock[] = [];
  for (let name = lockFilePath(path); ; name = successorPath(path, chain.at(-1)!)) {
    const lock = readLock(vfs, name);
    if (lock === null) return chain;
    chain.push(lock);
  }
}

/** Gives a complete lock its name in the chain, unless the name is taken. Over a network `link` may work and report the contrary. */
function place(vfs: Vfs, path: string, lock: Lock, name: string): void {
  const temporary = `${path}.tmp-${toHex(vfs.env.random(16))}`; // what a crash leaves goes with other temporary names
  try {
    const file = vfs.open(temporary, { write: true, create: true, exclusive: true, like: path });
    try {
      pwriteFully(file, encodeText(JSON.stringify(lock)), 0);
      file.sync('full'); // a power loss must not leave the name without the content
    } finally {
      file.close();
    }
    try {
      vfs.link(temporary, name);
    } catch (error) {
      // Another process was faster, or took the temporary name for one that was left over.
      if (!isErrno(error, 'EEXIST') && !isErrno(error, 'ENOENT')) throw error;
    }
  } finally {
    unlinkIfThere(vfs, temporary);
  }
}

function isAlive(vfs: Vfs, lock: Lock): boolean {
  if (lock.host !== vfs.env.host) return true; // another machine: nothing here proves that it is gone
  return vfs.env.identify(lock.pid) === lock.identity;
}

function refuse(vfs: Vfs, path: string, { pid, host, since }: Lock): never {
  const when = new Date(since).toISOString();
  const out =
    host === vfs.env.host
      ? 'close it there'
      : `close it there, or, if that process is gone for good, run: sombra-repair unlock ${path} --host ${host}`;
  throw new IoError(
    'SOMBRA_BUSY',
    `${path} is in use by process ${pid} on ${host} since ${when}, in single-process mode: ${out}`,
    { details: { lock: 'file', pid, host, since } },
  );
}

function readLock(vfs: Vfs, name: string): Lock | null {
  const text = readText(vfs, name);
  if (text === null) return null;
  try {
    const { pid, host, identity, since, token } = (JSON.parse(text) ?? {}) as Partial<Lock>;
    if (
      Number.isSafeInteger(pid) &&
      typeof host === 'string' &&
      typeof identity === 'string' &&
      Number.isSafeInteger(since) &&
      typeof token === 'string' &&
      TOKEN.test(token)
    )
      return { pid: pid!, host, identity, since: since!, token };
    throw new SyntaxError('a field is missing');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new StateError(
      'SOMBRA_LOCK_FILE',
      `${name} cannot be read, so it is unknown which process has the database open: make sure that none has, and remove the file`,
      { cause: error },
    );
  }
}

function readText(vfs: Vfs, name: string): string | null {
  if (vfs.stat(name) === null) return null;
  try {
    const file = vfs.open(name, { write: false });
    try {
      const bytes = new Uint8Array(Math.min(file.stat().size, SIZE_MAX));
      return decodeText(bytes, 0, preadFully(file, bytes, 0));
    } finally {
      file.close();
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null; // given back since
    throw error;
  }
}

function unlinkIfThere(vfs: Vfs, name: string): void {
  try {
    if (vfs.stat(name) !== null) vfs.unlink(name);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

function isErrno(error: unknown, errno: string): boolean {
  return (error as { details?: { errno?: unknown } } | null)?.details?.errno === errno;
}
