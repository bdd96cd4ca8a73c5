/** From the number of a system error to a typed error that says what to do next. Shared by real and simulated file systems. */
import { IoError } from './errors.ts';

/** What was tried, by the names of the seam. */
export type Operation =
  | 'open'
  | 'stat'
  | 'link'
  | 'rename'
  | 'unlink'
  | 'mkdir'
  | 'list'
  | 'realpath'
  | 'syncDir'
  | 'pread'
  | 'pwrite'
  | 'truncate'
  | 'sync'
  | 'lock'
  | 'unlock'
  | 'close';

const DISK_FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const NOT_ALLOWED = new Set(['EACCES', 'EPERM', 'EROFS']);
const NAMES_AND_OPENING = new Set<Operation>(['open', 'link', 'rename', 'unlink', 'mkdir', 'list', 'stat', 'realpath']);

/** Next steps by errno, for errors that a user can do something about. */
const ADVICE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory: check the path',
  EEXIST: 'the name is taken: choose another one, or remove the file if it is not needed',
  ENOTDIR: 'a part of the path is no directory: check the path',
  EISDIR: 'this is a directory: name a file in it',
  ELOOP: 'this is a symbolic link: give the path that it leads to',
  EINVAL: 'the file system refuses this kind of file or operation: use a regular file on a local disk',
  EMFILE: 'this process has too many open files: close some, or raise the limit (ulimit -n)',
  ENFILE: 'the system has too many open files: close some',
  ENOMEM: 'the system has no memory left for this: close programs, then try again',
  ENAMETOOLONG: 'the name is too long: choose a shorter one',
  EXDEV: 'both names must lie on one file system',
  EBADF: 'the file is closed, or not open for this: open it again for reading and writing',
  EIO: 'the device failed: check it and the system log, and restore a backup if reading goes on failing',
  ESTALE: 'the network file system lost the file: use a local disk',
};

/** More about a failed operation. */
export interface FailureOptions {
  /** byte offset */
  readonly at?: number | undefined;
  readonly cause?: unknown;
}

/**
 * The error of a failed operation.
 * @param errno  name of the system error, for example ENOSPC
 * @returns IoError SOMBRA_SYNC for any failed sync; SOMBRA_DISK_FULL for ENOSPC, EDQUOT, EFBIG; SOMBRA_PERMISSION for
 *   EACCES, EPERM, EROFS of names and of opening; else SOMBRA_IO; with details errno, op, path, at
 */
export function systemError(errno: string, op: Operation, path: string, options: FailureOptions = {}): IoError {
  const { at, cause } = options;
  const what = `${op} of ${path}${at === undefined ? '' : ` at byte ${at}`} failed with ${errno}`;
  const { code, advice } = classify(errno, op);
  return new IoError(code, `${what}: ${advice}`, { cause, details: { errno, op, path, at } });
}

function classify(errno: string, op: Operation): { code: string; advice: string } {
  if (op === 'sync' || op === 'syncDir') {
    return {
      code: 'SOMBRA_SYNC',
      advice: 'what was written since the last sync may be lost; check the device, then open the database again',
    };
  }
  if (DISK_FULL.has(errno)) {
    const advice =
      errno === 'EFBIG'
        ? 'the file may not grow further: raise the limit (ulimit -f), or use another file system'
        : errno === 'EDQUOT'
          ? 'the quota is used up: free space or raise it, then try again'
          : 'the disk is full: free space, then try again';
    return { code: 'SOMBRA_DISK_FULL', advice };
  }
  if (NOT_ALLOWED.has(errno) && NAMES_AND_OPENING.has(op)) {
    const advice =
      errno === 'EROFS'
        ? 'the file system is read-only: mount it for writing, or open read-only'
        : 'this user may not do that: change owner or mode of the file and its directory (chown, chmod), or run as their owner';
    return { code: 'SOMBRA_PERMISSION', advice };
  }
  return {
    code: 'SOMBRA_IO',
    advice: ADVICE[errno] ?? 'look the error up in the manual of the system, and check the device',
  };
}
