/**
 * Single-process mode (rule L8), for file systems whose locks cannot be relied on: a file `graph.db-lock`, created exclusively,
 * says who has the database open. It is stale only if it proves so itself: its process, on this machine, is not there any more,
 * or was started at another time. Every opener, in whatever mode, refuses while a live one exists.
 */
import { decodeText, encodeText, IoError, preadFully, pwriteFully, StateError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';

/** What the lock file says, as JSON. */
interface Owner {
  readonly pid: number;
  readonly host: string;
  /** `VfsEnv.identify` of the process. */
  readonly identity: string;
  /** ms */
  readonly since: number;
}

const SIZE_MAX = 4096;

/** Name of the lock file. */
export function lockFilePath(path: string): string {
  return `${path}-lock`;
}

/**
 * Refuses when a process holds the lock file.
 * @throws IoError SOMBRA_BUSY (details pid, host, since); StateError SOMBRA_LOCK_FILE when it cannot be read
 */
export function checkLockFile(vfs: Vfs, path: string): void {
  const owner = readOwner(vfs, path);
  if (owner !== null && isAlive(vfs, owner)) refuse(path, owner);
}

/**
 * Takes the lock file, in place of a stale one.
 * @throws IoError SOMBRA_BUSY; StateError SOMBRA_LOCK_FILE
 */
export function takeLockFile(vfs: Vfs, path: string): void {
  const { env } = vfs;
  const owner = readOwner(vfs, path);
  if (owner !== null) {
    if (isAlive(vfs, owner)) refuse(path, owner);
    vfs.unlink(lockFilePath(path));
  }
  const own: Owner = { pid: env.pid, host: env.host, identity: env.identify(env.pid) ?? '', since: env.now() };
  const file = vfs.open(lockFilePath(path), { write: true, create: true, exclusive: true, perm: 0o600 });
  try {
    pwriteFully(file, encodeText(JSON.stringify(own)), 0);
  } finally {
    file.close();
  }
}

/** Gives the lock file back. */
export function releaseLockFile(vfs: Vfs, path: string): void {
  if (vfs.stat(lockFilePath(path)) !== null) vfs.unlink(lockFilePath(path));
}

function isAlive(vfs: Vfs, owner: Owner): boolean {
  if (owner.host !== vfs.env.host) return true; // another machine: nothing here proves that it is gone
  return vfs.env.identify(owner.pid) === owner.identity;
}

function refuse(path: string, owner: Owner): never {
  throw new IoError(
    'SOMBRA_BUSY',
    `${path} is in use by process ${owner.pid} on ${owner.host} since ${new Date(owner.since).toISOString()}, in single-process mode: close it there`,
    {
      details: { lock: 'file', pid: owner.pid, host: owner.host, since: owner.since },
    },
  );
}

function readOwner(vfs: Vfs, path: string): Owner | null {
  const name = lockFilePath(path);
  if (vfs.stat(name) === null) return null;
  const file = vfs.open(name, { write: false });
  try {
    const bytes = new Uint8Array(Math.min(file.stat().size, SIZE_MAX));
    const owner = JSON.parse(decodeText(bytes, 0, preadFully(file, bytes, 0))) as Partial<Owner> | null;
    const { pid, host, identity, since } = owner ?? {};
    if (
      Number.isSafeInteger(pid) &&
      typeof host === 'string' &&
      typeof identity === 'string' &&
      Number.isSafeInteger(since)
    )
      return owner as Owner;
    throw new SyntaxError('a field is missing');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new StateError(
      'SOMBRA_LOCK_FILE',
      `${name} cannot be read, so nobody can tell who has the database open: make sure that nobody has, and remove the file`,
      { cause: error },
    );
  } finally {
    file.close();
  }
}
