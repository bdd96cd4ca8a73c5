import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
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
import { likePerm } from './permissions.ts';
import { systemError } from './system-error.ts';
import type { DiskSpace, FileId, OpenMode, Vfs, VfsDirectory, VfsEnv, VfsFile } from './vfs.ts';

const PERM_DEFAULT = 0o600;
const PERM_DIRECTORY = 0o700;
/** Descriptors that the rest of the process takes for standard input, output and error (rule E4). */
const STANDARD_MAX = 2;

/** Where a directory cannot be synced: its names are as durable as the system makes them (rule O6). EIO is never among them. */
const DIRECTORY_SYNC_SKIPPED = new Set(['EPERM', 'EISDIR', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP']);

/** Types that `statfs` reports for file systems behind a network, or behind a process that may be (linux/magic.h). */
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
        if (created) setAccess(fd, mode);
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

  mkdir(path: string): void {
    withErrno('mkdir', path, undefined, () => mkdirSync(path, PERM_DIRECTORY));
    // A umask may have taken bits away from the owner, and it can only take.
    withErrno('mkdir', path, undefined, () => chmodSync(path, PERM_DIRECTORY));
  }

  list(directory: string): string[] {
    return withErrno('list', directory, undefined, () => readdirSync(directory)).sort();
  }

  openDirectory(directory: string): VfsDirectory {
    try {
      return new NodeDirectory(directory, openDirectory(directory));
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined) throw error;
      // Where directories cannot be opened their names are as durable as the system makes them.
      if (DIRECTORY_SYNC_SKIPPED.has(errno)) return new NodeDirectory(directory, undefined);
      throw systemError(errno, 'open', directory, { cause: error });
    }
  }

  syncDir(directory: string): void {
    let opened: NodeDirectory;
    try {
      opened = new NodeDirectory(directory, openDirectory(directory));
    } catch (error) {
      refuseSync(error, directory);
      return;
    }
    try {
      opened.sync();
    } finally {
      opened.close();
    }
  }

  realpath(path: string): string {
    return following('realpath', path, () => realpathSync.native(path));
  }

  /** On Linux only, elsewhere false. The file need not exist, its directory must. */
  isNetwork(path: string): boolean {
    if (process.platform !== 'linux') return false;
    const existing = this.stat(path) === null ? dirname(path) : path;
    return NETWORK_TYPES.has(following('stat', existing, () => statfsSync(existing)).type >>> 0);
  }

  diskSpace(path: string): DiskSpace | null {
    try {
      const existing = this.stat(path) === null ? dirname(path) : path;
      const { bsize, blocks, bavail } = following('stat', existing, () => statfsSync(existing));
      return { free: bavail * bsize, size: blocks * bsize };
    } catch (error) {
      if (errnoOf(error) === 'ENOSYS') return null;
      throw error;
    }
  }

  private nativeLocks(): NativeLocks | null {
    if (this.locks === undefined) this.locks = nativeLocks();
    return this.locks;
  }
}

/** Runs a call that follows symbolic links; when one leads nowhere, the error says where it leads. */
function following<T>(op: 'realpath' | 'stat', path: string, call: () => T): T {
  try {
    return withErrno(op, path, undefined, call);
  } catch (error) {
    const target = isErrno(error, 'ENOENT') ? linkTarget(path) : undefined;
    if (target === undefined) throw error;
    throw new IoError(
      'SOMBRA_IO',
      `${path} is a symbolic link to ${target}, and there is no such file: create that file, or let the link lead to the database`,
      { cause: error, details: { errno: 'ENOENT', op, path, target } },
    );
  }
}

/** What a symbolic link says; undefined when the path is none. */
function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function openDirectory(directory: string): number {
  return retrying(() => openSync(directory, constants.O_RDONLY | (constants.O_DIRECTORY ?? 0)));
}

/** @throws IoError SOMBRA_SYNC, unless directories cannot be synced here (rule O6) */
function refuseSync(error: unknown, directory: string): void {
  const errno = errnoOf(error);
  if (errno === undefined) throw error;
  if (!DIRECTORY_SYNC_SKIPPED.has(errno)) throw systemError(errno, 'syncDir', directory, { cause: error });
}

class NodeDirectory implements VfsDirectory {
  private readonly path: string;
  private fd: number | undefined;

  /** @param fd  owned from now on; undefined where directories cannot be opened */
  constructor(path: string, fd: number | undefined) {
    this.path = path;
    this.fd = fd;
  }

  sync(): void {
    const { fd } = this;
    if (fd === undefined) return;
    try {
      retrying(() => fsyncSync(fd));
    } catch (error) {
      refuseSync(error, this.path);
    }
  }

  close(): void {
    const { fd } = this;
    this.fd = undefined;
    if (fd !== undefined) closeSync(fd);
  }
}

/** Gives a new file its mode, and the owner and group of another file if it is to be like that one. */
function setAccess(fd: number, { like, perm = PERM_DEFAULT }: OpenMode): void {
  const model = like === undefined ? undefined : lstatSync(like, { throwIfNoEntry: false });
  if (model === undefined) return fchmodSync(fd, perm);
  const own = fstatSync(fd);
  const grouped = own.gid === model.gid || isGiven(() => fchownSync(fd, own.uid, model.gid));
  fchmodSync(fd, likePerm(model.mode, grouped));
  if (own.uid !== model.uid) isGiven(() => fchownSync(fd, model.uid, grouped ? model.gid : own.gid));
}

/** Runs a change of owner. @returns false when this process may not, or its user namespace has no such user or group */
function isGiven(change: () => void): boolean {
  try {
    change();
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EPERM' || errno === 'EINVAL') return false;
    throw error;
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
