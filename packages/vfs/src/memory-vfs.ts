import { ByteBuffer } from './byte-buffer.ts';
import { NodeEnv } from './env.ts';
import { LockRanges } from './lock-ranges.ts';
import { normalPath, pathIn } from './memory-path.ts';
import { directoryOf } from './names.ts';
import { likePerm } from './permissions.ts';
import { systemError } from './system-error.ts';
import type { Operation } from './system-error.ts';
import type { FileId, FileKind, LockMode, OpenMode, SyncKind, Vfs, VfsDirectory, VfsEnv, VfsFile } from './vfs.ts';

/** Larger files are refused with EFBIG, bytes. */
const SIZE_MAX = 2 ** 32 - 1;
const PERM_DEFAULT = 0o600;
const PERM_DIRECTORY = 0o700;

let disks = 0n;

/** A file apart from its names. It lives as long as a name or a descriptor refers to it. */
interface Inode {
  readonly ino: bigint;
  readonly mode: number;
  readonly content: ByteBuffer;
  readonly locks: LockRanges;
  readonly kind: FileKind;
  nlink: number;
  modifiedMs: number;
}

/**
 * A file system in memory, gone with its object. Directories need not be made: a name may contain `/`. Syncs do
 * nothing. Locks work between the descriptors of one `MemoryVfs`.
 */
export class MemoryVfs implements Vfs {
  readonly env: VfsEnv;
  readonly locksAvailable: boolean = true;
  /** Distinguishes two file systems in one process. */
  private readonly dev: bigint;
  private readonly names = new Map<string, Inode>();
  private inodes = 0n;

  /** @param options.env  clock, randomness and timers; default those of Node */
  constructor(options: { env?: VfsEnv } = {}) {
    this.env = options.env ?? new NodeEnv();
    disks += 1n;
    this.dev = disks;
  }

  open(path: string, mode: OpenMode): VfsFile {
    const name = normalPath(path);
    let inode = this.names.get(name);
    if (inode === undefined) {
      if (mode.create !== true) throw systemError('ENOENT', 'open', path);
      inode = this.create(name, 'file', this.permOf(mode));
    } else if (inode.kind === 'directory') {
      throw systemError(mode.write ? 'EISDIR' : 'EINVAL', 'open', path);
    } else if (mode.create === true && mode.exclusive === true) {
      throw systemError('EEXIST', 'open', path);
    }
    return new MemoryFile(path, inode, this.dev, mode.write, this.env);
  }

  private create(name: string, kind: FileKind, mode: number): Inode {
    this.inodes += 1n;
    const content = new ByteBuffer();
    const modifiedMs = this.env.wallTimeMs();
    const inode = { ino: this.inodes, mode, content, locks: new LockRanges(), kind, nlink: 1, modifiedMs };
    this.names.set(name, inode);
    return inode;
  }

  /** There is one owner and one group. */
  private permOf({ like, perm = PERM_DEFAULT }: OpenMode): number {
    const model = like === undefined ? undefined : this.names.get(normalPath(like));
    return model === undefined ? perm : likePerm(model.mode, true);
  }

  stat(path: string): FileId | null {
    const inode = this.names.get(normalPath(path));
    return inode === undefined ? null : idOf(inode, this.dev);
  }

  link(from: string, to: string): void {
    const inode = this.named(from, 'link');
    const name = normalPath(to);
    if (this.names.has(name)) throw systemError('EEXIST', 'link', to);
    this.names.set(name, inode);
    inode.nlink += 1;
  }

  rename(from: string, to: string): void {
    const inode = this.named(from, 'rename');
    const name = normalPath(to);
    const replaced = this.names.get(name);
    if (inode.kind === 'directory') throw systemError('EINVAL', 'rename', to);
    if (replaced?.kind === 'directory') throw systemError('EISDIR', 'rename', to);
    if (replaced === inode) return;
    if (replaced !== undefined) replaced.nlink -= 1;
    this.names.set(name, inode);
    this.names.delete(normalPath(from));
  }

  unlink(path: string): void {
    const inode = this.named(path, 'unlink');
    if (inode.kind === 'directory') throw systemError('EISDIR', 'unlink', path);
    this.names.delete(normalPath(path));
    inode.nlink -= 1;
  }

  mkdir(path: string): void {
    const name = normalPath(path);
    const isTaken = [...this.names.keys()].some((each) => each === name || each.startsWith(`${name}/`));
    if (isTaken) throw systemError('EEXIST', 'mkdir', path);
    this.create(name, 'directory', PERM_DIRECTORY);
  }

  list(directory: string): string[] {
    const where = normalPath(directory);
    return [...this.names.keys()]
      .filter((name) => directoryOf(name) === where)
      .map((name) => pathIn(name, where))
      .sort();
  }

  openDirectory(_directory: string): VfsDirectory {
    return { sync: () => undefined, close: () => undefined };
  }

  syncDir(_directory: string): void {
    // Memory has nothing that is more durable.
  }

  realpath(path: string): string {
    this.named(path, 'realpath');
    return normalPath(path);
  }

  isNetwork(_path: string): boolean {
    return false;
  }

  private named(path: string, op: Operation): Inode {
    const inode = this.names.get(normalPath(path));
    if (inode === undefined) throw systemError('ENOENT', op, path);
    return inode;
  }
}

function idOf({ ino, nlink, content, mode, kind, modifiedMs }: Inode, dev: bigint): FileId {
  return { dev, ino, nlink, size: content.size, mode, kind, modifiedMs };
}

/** A descriptor. */
class MemoryFile implements VfsFile {
  readonly path: string;
  private readonly inode: Inode;
  private readonly dev: bigint;
  private readonly writable: boolean;
  private readonly env: VfsEnv;
  private closed = false;

  constructor(path: string, inode: Inode, dev: bigint, writable: boolean, env: VfsEnv) {
    this.path = path;
    this.inode = inode;
    this.dev = dev;
    this.writable = writable;
    this.env = env;
  }

  pread(into: Uint8Array, at: number): number {
    this.checkOpen('pread', at);
    return this.inode.content.read(into, at);
  }

  pwrite(buffers: readonly Uint8Array[], at: number): number {
    this.checkWritable('pwrite', at);
    let end = at;
    for (const bytes of buffers) end += bytes.length;
    this.grow('pwrite', end, () => {
      let to = at;
      for (const bytes of buffers) {
        this.inode.content.write(bytes, to);
        to += bytes.length;
      }
    });
    return end - at;
  }

  truncate(size: number): void {
    this.checkWritable('truncate', size);
    this.grow('truncate', size, () => this.inode.content.truncate(size));
  }

  sync(_kind: SyncKind): void {
    this.checkOpen('sync');
  }

  syncAsync(kind: SyncKind): Promise<void> {
    return new Promise((resolve) => {
      this.sync(kind);
      resolve();
    });
  }

  stat(): FileId {
    this.checkOpen('stat');
    return idOf(this.inode, this.dev);
  }

  tryLock(at: number, length: number, mode: LockMode): boolean {
    this.checkOpen('lock', at);
    if (mode === 'exclusive') this.checkWritable('lock', at);
    return this.inode.locks.tryLock(this, at, length, mode);
  }

  unlock(at: number, length: number): void {
    this.checkOpen('unlock', at);
    this.inode.locks.unlock(this, at, length);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.inode.locks.release(this);
  }

  private checkOpen(op: Operation, at?: number): void {
    if (this.closed) throw systemError('EBADF', op, this.path, { at });
  }

  private checkWritable(op: Operation, at: number): void {
    this.checkOpen(op, at);
    if (!this.writable) throw systemError('EBADF', op, this.path, { at });
  }

  private grow(op: Operation, size: number, change: () => void): void {
    if (size > SIZE_MAX) throw systemError('EFBIG', op, this.path, { at: size });
    try {
      change();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw systemError('ENOSPC', op, this.path, { at: size, cause: error });
    }
    this.inode.modifiedMs = this.env.wallTimeMs();
  }
}
