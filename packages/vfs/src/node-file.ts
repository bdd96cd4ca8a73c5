import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  readSync,
  writeSync,
  writevSync,
} from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { errnoOf, throwUnlessInterrupted, withErrno } from './node-errno.ts';
import type { NativeLocks } from './node-locks.ts';
import { systemError } from './system-error.ts';
import type { Operation } from './system-error.ts';
import type { FileId, LockMode, SyncKind, VfsFile } from './vfs.ts';

const PERM_BITS = 0o7777;
const NS_PER_MS = 1e6;

/** What the system reports about a file. */
export function fileId(stats: BigIntStats): FileId {
  const { dev, ino, nlink, size, mode, mtimeNs } = stats;
  return {
    dev,
    ino,
    nlink: Number(nlink),
    size: Number(size),
    mode: Number(mode) & PERM_BITS,
    kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other',
    modifiedMs: Number(mtimeNs) / NS_PER_MS,
  };
}

/**
 * A descriptor of the system.
 *
 * Invariant: the descriptor is closed only when no asynchronous sync is in flight on it. Its number may mean another file
 * a moment later, and the sync would then hit that one.
 */
export class NodeFile implements VfsFile {
  readonly path: string;
  private readonly fd: number;
  private readonly writable: boolean;
  private readonly locks: () => NativeLocks | null;
  private closed = false;
  private hasLocked = false;
  private syncsInFlight = 0;

  /**
   * @param fd     owned from now on
   * @param locks  called at the first lock
   */
  constructor(path: string, fd: number, writable: boolean, locks: () => NativeLocks | null) {
    this.path = path;
    this.fd = fd;
    this.writable = writable;
    this.locks = locks;
  }

  pread(into: Uint8Array, at: number): number {
    this.checkOpen('pread', at);
    for (;;) {
      try {
        return readSync(this.fd, into, 0, into.length, at);
      } catch (error) {
        throwUnlessInterrupted(error, 'pread', this.path, at);
      }
    }
  }

  pwrite(buffers: readonly Uint8Array[], at: number): number {
    this.checkWritable('pwrite', at);
    const only = buffers.length === 1 ? buffers[0] : undefined;
    for (;;) {
      try {
        return only === undefined ? writevSync(this.fd, buffers, at) : writeSync(this.fd, only, 0, only.length, at);
      } catch (error) {
        throwUnlessInterrupted(error, 'pwrite', this.path, at);
      }
    }
  }

  truncate(size: number): void {
    this.checkWritable('truncate', size);
    withErrno('truncate', this.path, size, () => ftruncateSync(this.fd, size));
  }

  sync(kind: SyncKind): void {
    this.checkOpen('sync');
    withErrno('sync', this.path, undefined, () => (kind === 'data' ? fdatasyncSync(this.fd) : fsyncSync(this.fd)));
  }

  syncAsync(kind: SyncKind): Promise<void> {
    return new Promise((resolve, reject) => {
      this.checkOpen('sync');
      const run = kind === 'data' ? fdatasync : fsync;
      const finished = (error: NodeJS.ErrnoException | null): void => {
        if (error !== null && errnoOf(error) === 'EINTR') return run(this.fd, finished);
        this.syncsInFlight -= 1;
        try {
          if (this.closed && this.syncsInFlight === 0) this.closeDescriptor();
        } catch (failure) {
          if (error === null) return reject(failure as Error);
        }
        if (error === null) resolve();
        else reject(systemError(errnoOf(error) ?? 'EIO', 'sync', this.path, { cause: error }));
      };
      this.syncsInFlight += 1;
      run(this.fd, finished);
    });
  }

  stat(): FileId {
    this.checkOpen('stat');
    return withErrno('stat', this.path, undefined, () => fileId(fstatSync(this.fd, { bigint: true })));
  }

  tryLock(at: number, length: number, mode: LockMode): boolean {
    this.checkOpen('lock', at);
    const locks = this.locks();
    if (locks === null) throw systemError('ENOLCK', 'lock', this.path, { at });
    return withErrno('lock', this.path, at, () => {
      const granted = locks.tryLock(this.fd, at, length, { shared: mode === 'shared' });
      if (granted) this.hasLocked = true;
      return granted;
    });
  }

  unlock(at: number, length: number): void {
    this.checkOpen('unlock', at);
    if (!this.hasLocked) return;
    withErrno('unlock', this.path, at, () => this.locks()?.unlock(this.fd, at, length));
  }

  close(): void {
    if (this.closed) return;
    if (this.syncsInFlight === 0) {
      this.closed = true;
      this.closeDescriptor();
      return;
    }
    // Locks end now, the descriptor when the last sync has come back.
    try {
      if (this.hasLocked) this.unlock(0, 0);
    } finally {
      this.closed = true;
    }
  }

  private closeDescriptor(): void {
    try {
      closeSync(this.fd);
    } catch (error) {
      throw systemError(errnoOf(error) ?? 'EIO', 'close', this.path, { cause: error });
    }
  }

  private checkOpen(op: Operation, at?: number): void {
    if (this.closed) throw systemError('EBADF', op, this.path, { at });
  }

  private checkWritable(op: Operation, at: number): void {
    this.checkOpen(op, at);
    if (!this.writable) throw systemError('EBADF', op, this.path, { at });
  }
}
