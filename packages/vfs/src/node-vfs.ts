import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  statfsSync,
  unlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { NodeEnv } from './env.ts';
import { IoError } from './errors.ts';
import { errnoOf, retrying, withErrno } from './node-errno.ts';
import { fileId, NodeFile } from './node-file.ts';
import { nativeLocks } from './node-locks.ts';
import type { NativeLocks } from './node-locks.ts';
import { systemError } from './system-error.ts';
import type { FileId, OpenMode, Vfs, VfsEnv, VfsFile } from './vfs.ts';

const PERM_DEFAULT = 0o600;
/** Descriptors that the rest of the process takes for standard input, output and error (rule E4). */
const STANDARD_MAX = 2;

/** Where a directory cannot be synced: its names are as durable as the system makes them (rule O6). EIO is never among them. */
const DIRECTORY_SYNC_SKIPPED = new Set(['EPERM', 'EISDIR', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP']);

/** Types that `statfs` tells of file systems behind a network, or behind a process that may be (linux/magic.h). */
const NETWORK_TYPES: ReadonlySet<number> = new Set([
  0x6969, // nfs
  0x517b, // smb
  0xff534d42, // cifs
  0xfe534d42, // smb2
  0x564c, // ncp
  0x73757245, // coda
  0x5346414f, // afs
  0x6b414653, // kafs
  0x01021997, // 9p
  0x00c36400, // ceph
  0x65735546, // fuse: sshfs, s3fs, gluster
  0x0bd00bd0, // lustre
  0x47504653, // gpfs
]);

/** The file system of the machine, through Node. Symbolic links are not followed: resolve a path with `realpath` first. */
export class NodeVfs implements Vfs {
  readonly env: VfsEnv;
  private locks: NativeLocks | null | undefined;

  /** @param options.env  clock, randomness and timers; default those of Node */
  constructor(options: { env?: VfsEnv } = {}) {
    this.env = options.env ?? new NodeEnv();
  }

  get locksAvailable(): boolean {
    return this.nativeLocks() !== null;
  }

  open(path: string, mode: OpenMode): VfsFile {
    const access = mode.write ? constants.O_RDWR : constants.O_RDONLY;
    // Without O_NONBLOCK, opening a named pipe would wait for its other end. Regular files ignore it.
    const flags = access | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
    const { fd, created } =
      mode.create === true ? createOrOpen(path, flags, mode) : { fd: openRetrying(path, flags), created: false };
    try {
      withErrno('open', path, undefined, () => {
        if (!fstatSync(fd).isFile()) throw systemError('EINVAL', 'open', path);
        if (created) fchmodSync(fd, mode.perm ?? PERM_DEFAULT);
      });
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return new NodeFile(path, fd, mode.write, () => this.nativeLocks());
  }

  stat(path: string): FileId | null {
    const stats = withErrno('stat', path, undefined, () => lstatSync(path, { bigint: true, throwIfNoEntry: false }));
    return stats === undefined ? null : fileId(stats);
  }

  link(from: string, to: string): void {
    withErrno('link', to, undefined, () => linkSync(from, to));
  }

  rename(from: string, to: string): void {
    withErrno('rename', to, undefined, () => renameSync(from, to));
  }

  unlink(path: string): void {
    withErrno('unlink', path, undefined, () => unlinkSync(path));
  }

  list(directory: string): string[] {
    return withErrno('list', directory, undefined, () => readdirSync(directory)).sort();
  }

  syncDir(directory: string): void {
    let fd: number | undefined;
    try {
      fd = retrying(() => openSync(directory, constants.O_RDONLY | (constants.O_DIRECTORY ?? 0)));
      const opened = fd;
      retrying(() => fsyncSync(opened));
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined) throw error;
      if (!DIRECTORY_SYNC_SKIPPED.has(errno)) throw systemError(errno, 'syncDir', directory, { cause: error });
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  realpath(path: string): string {
    return withErrno('realpath', path, undefined, () => realpathSync.native(path));
  }

  /** On Linux only, elsewhere false. The file need not exist, its directory must. */
  isNetwork(path: string): boolean {
    if (process.platform !== 'linux') return false;
    const existing = this.stat(path) === null ? dirname(path) : path;
    return NETWORK_TYPES.has(withErrno('stat', existing, undefined, () => statfsSync(existing)).type >>> 0);
  }

  private nativeLocks(): NativeLocks | null {
    if (this.locks === undefined) this.locks = nativeLocks();
    return this.locks;
  }
}

/** Opens a descriptor above standard input, output and error. */
function openRetrying(path: string, flags: number, perm?: number): number {
  const fd = withErrno('open', path, undefined, () => openSync(path, flags, perm));
  return fd > STANDARD_MAX ? fd : beyondStandard(fd, path, flags & ~(constants.O_CREAT | constants.O_EXCL));
}

/** Opens the file again while the low descriptors are taken, then gives those back. */
function beyondStandard(first: number, path: string, flags: number): number {
  const low = [first];
  try {
    for (;;) {
      const fd = withErrno('open', path, undefined, () => openSync(path, flags));
      if (fd <= STANDARD_MAX) {
        low.push(fd);
        continue;
      }
      if (fstatSync(fd, { bigint: true }).ino === fstatSync(first, { bigint: true }).ino) return fd;
      closeSync(fd);
      throw systemError('ENOENT', 'open', path);
    }
  } finally {
    low.forEach((fd) => closeSync(fd));
  }
}

/** Creates the file, or opens the one that exists; in turns, since it may come and go in between. */
function createOrOpen(path: string, flags: number, { exclusive, perm }: OpenMode): { fd: number; created: boolean } {
  for (;;) {
    try {
      return {
        fd: openRetrying(path, flags | constants.O_CREAT | constants.O_EXCL, perm ?? PERM_DEFAULT),
        created: true,
      };
    } catch (error) {
      if (exclusive === true || !isErrno(error, 'EEXIST')) throw error;
    }
    try {
      return { fd: openRetrying(path, flags), created: false };
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }
}

function isErrno(error: unknown, errno: string): boolean {
  return error instanceof IoError && error.details['errno'] === errno;
}
