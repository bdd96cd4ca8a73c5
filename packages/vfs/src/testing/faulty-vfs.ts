/**
 * Failing calls on any file system. Fault model: a call fails with an errno and does nothing, or does less than it was
 * asked for. A failed `close` closes nevertheless, as the system does. What a failed sync loses is the business of `SimDisk`.
 */
import { systemError } from '../system-error.ts';
import type { Operation } from '../system-error.ts';
import type { FileId, LockMode, OpenMode, SyncKind, Vfs, VfsDirectory, VfsEnv, VfsFile } from '../vfs.ts';
import { Random } from './random.ts';

/** What fails, and when: `nth` and `rate` count or draw among the calls that match; without both, every one fails. */
export interface Fault {
  /** One operation, several, or `any`. `sync` is both kinds of file sync, `stat` both of names and descriptors. */
  readonly op: Operation | readonly Operation[] | 'any';
  /** Files whose path matches; default all. */
  readonly file?: RegExp;
  /** The nth matching call, from 1. */
  readonly nth?: number;
  /** Probability, 0 to 1. */
  readonly rate?: number;
  /** The name of a system error, or at most so many bytes of a read or write. */
  readonly action: string | { readonly short: number };
  /** Once it has failed, every later matching call fails too. */
  readonly sticky?: boolean;
}

/** A call as it was seen. */
export interface Call {
  readonly op: Operation;
  readonly path: string;
}

interface Armed {
  readonly fault: Fault;
  matches: number;
  stuck: boolean;
}

/** Wraps a file system. To fail each call in turn: run once, read `calls`, run again for each nth of `any`. */
export class FaultyVfs implements Vfs {
  readonly inner: Vfs;
  /** Number of calls so far, failed ones too. */
  calls = 0;
  /** Calls that failed or were cut short, in order. */
  readonly failed: Call[] = [];
  private readonly random: Random;
  private faults: Armed[] = [];

  /** @param random  draws for `rate`; default seed 1 */
  constructor(inner: Vfs, faults: readonly Fault[] = [], random: Random = new Random(1)) {
    this.inner = inner;
    this.random = random;
    for (const fault of faults) this.add(fault);
  }

  /** Adds a fault; its `nth` counts from now on. */
  add(fault: Fault): void {
    this.faults.push({ fault, matches: 0, stuck: false });
  }

  /** From now on nothing fails. */
  heal(): void {
    this.faults = [];
  }

  get env(): VfsEnv {
    return this.inner.env;
  }

  get locksAvailable(): boolean {
    return this.inner.locksAvailable;
  }

  open(path: string, mode: OpenMode): VfsFile {
    this.check('open', path);
    return new FaultyFile(this.inner.open(path, mode), this);
  }

  stat(path: string): FileId | null {
    this.check('stat', path);
    return this.inner.stat(path);
  }

  link(from: string, to: string): void {
    this.check('link', to);
    this.inner.link(from, to);
  }

  rename(from: string, to: string): void {
    this.check('rename', to);
    this.inner.rename(from, to);
  }

  unlink(path: string): void {
    this.check('unlink', path);
    this.inner.unlink(path);
  }

  mkdir(path: string): void {
    this.check('mkdir', path);
    this.inner.mkdir(path);
  }

  list(directory: string): string[] {
    this.check('list', directory);
    return this.inner.list(directory);
  }

  /** Opening a directory is an `open` of its path, and its sync a `syncDir`. */
  openDirectory(directory: string): VfsDirectory {
    this.check('open', directory);
    const opened = this.inner.openDirectory(directory);
    return { sync: () => this.syncDir(directory), close: () => opened.close() };
  }

  syncDir(directory: string): void {
    this.check('syncDir', directory);
    this.inner.syncDir(directory);
  }

  realpath(path: string): string {
    this.check('realpath', path);
    return this.inner.realpath(path);
  }

  isNetwork(path: string): boolean {
    return this.inner.isNetwork(path);
  }

  /**
   * Counts a call, and fails it if a fault says so. For the descriptors of this file system.
   * @returns bytes that the call may transfer, Infinity as a rule
   */
  check(op: Operation, path: string, at?: number): number {
    this.calls += 1;
    let limit = Infinity;
    let errno: string | undefined;
    for (const armed of this.faults) {
      if (!this.fires(armed, op, path)) continue;
      const { action } = armed.fault;
      if (typeof action === 'string') errno ??= action;
      else limit = Math.min(limit, action.short);
    }
    if (errno === undefined && limit === Infinity) return limit;
    this.failed.push({ op, path });
    if (errno !== undefined) throw systemError(errno, op, path, { at });
    return limit;
  }

  private fires(armed: Armed, op: Operation, path: string): boolean {
    const { fault } = armed;
    if (!concerns(fault, op, path)) return false;
    armed.matches += 1;
    if (armed.stuck) return true;
    const due = fault.nth === undefined || fault.nth === armed.matches;
    const drawn = fault.rate === undefined || this.random.chance(fault.rate);
    if (!due || !drawn) return false;
    armed.stuck = fault.sticky === true;
    return true;
  }
}

function concerns({ op, file, action }: Fault, called: Operation, path: string): boolean {
  const named = op === 'any' || (typeof op === 'string' ? op === called : op.includes(called));
  if (!named || (file !== undefined && path.search(file) < 0)) return false;
  return typeof action === 'string' || called === 'pread' || called === 'pwrite';
}

/** A descriptor. */
class FaultyFile implements VfsFile {
  readonly path: string;
  private readonly inner: VfsFile;
  private readonly vfs: FaultyVfs;

  constructor(inner: VfsFile, vfs: FaultyVfs) {
    this.path = inner.path;
    this.inner = inner;
    this.vfs = vfs;
  }

  pread(into: Uint8Array, at: number): number {
    const limit = this.vfs.check('pread', this.path, at);
    return this.inner.pread(limit < into.length ? into.subarray(0, limit) : into, at);
  }

  pwrite(buffers: readonly Uint8Array[], at: number): number {
    let left = this.vfs.check('pwrite', this.path, at);
    const cut: Uint8Array[] = [];
    for (const bytes of buffers) {
      if (left > 0) cut.push(left < bytes.length ? bytes.subarray(0, left) : bytes);
      left -= bytes.length;
    }
    return this.inner.pwrite(cut, at);
  }

  truncate(size: number): void {
    this.vfs.check('truncate', this.path, size);
    this.inner.truncate(size);
  }

  sync(kind: SyncKind): void {
    this.vfs.check('sync', this.path);
    this.inner.sync(kind);
  }

  syncAsync(kind: SyncKind): Promise<void> {
    return new Promise((resolve, reject) => {
      this.vfs.check('sync', this.path);
      this.inner.syncAsync(kind).then(resolve, reject);
    });
  }

  stat(): FileId {
    this.vfs.check('stat', this.path);
    return this.inner.stat();
  }

  tryLock(at: number, length: number, mode: LockMode): boolean {
    this.vfs.check('lock', this.path, at);
    return this.inner.tryLock(at, length, mode);
  }

  unlock(at: number, length: number): void {
    this.vfs.check('unlock', this.path, at);
    this.inner.unlock(at, length);
  }

  close(): void {
    try {
      this.vfs.check('close', this.path);
    } finally {
      this.inner.close();
    }
  }
}
