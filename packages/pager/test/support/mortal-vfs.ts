// A file system as one process sees it, which may die before any call that others could notice: then all its descriptors are
// closed, and with them its locks fall, and nothing of it runs any more.
import type { FileId, LockMode, OpenMode, SyncKind, Vfs, VfsDirectory, VfsEnv, VfsFile } from '@sombra/vfs';
import { SECTOR } from '@sombra/vfs/testing';
import { LOCK_BASE, LOCK_READ } from '../../src/sharing/locks.ts';

/** Thrown by every call of a process that is dead. Not a SombraError: no code may take it for an error to be handled. */
export class Death extends Error {
  static {
    this.prototype.name = 'Death';
  }
}

/** Calls that others can notice: reads are not among them, dying before one is dying before the next of these. */
export type VisibleCall =
  | 'create'
  | 'link'
  | 'rename'
  | 'unlink'
  | 'mkdir'
  | 'syncDir'
  | 'pwrite'
  | 'truncate'
  | 'sync'
  | 'lock'
  | 'unlock'
  | 'close';

/** One process. */
export class MortalVfs implements Vfs {
  readonly env: VfsEnv;
  /** Visible calls so far. */
  calls = 0;
  /** It dies before its visible call with this number. */
  dieBefore = Infinity;
  /** Dying before a write, it has written this much of it, in sectors. */
  tornSectors = 0;
  dead = false;
  /** Where it died. */
  deathbed = '';
  /** Lets others move before a visible call. */
  onCall: ((call: VisibleCall, path: string) => void) | undefined;
  /** The same before each try to get a lock byte. */
  onLock: ((byte: number) => void) | undefined;
  /** It has just died. */
  onDeath: (() => void) | undefined;
  private readonly inner: Vfs;
  private readonly open_ = new Set<VfsFile>();
  /** A sync of this process is being issued. */
  syncing = false;
  private probing = false;

  constructor(inner: Vfs, pid: number) {
    this.inner = inner;
    this.env = mortalEnv(inner.env, pid, () => this.dead);
  }

  get locksAvailable(): boolean {
    return this.inner.locksAvailable;
  }

  /** Descriptors that are open. */
  get openFiles(): number {
    return this.open_.size;
  }

  /** Ends the process now. */
  die(where: string): void {
    if (this.dead) return;
    this.dead = true;
    this.deathbed = where;
    for (const file of this.open_) file.close();
    this.open_.clear();
    this.onDeath?.();
  }

  /** @throws Death */
  check(): void {
    if (this.dead) throw new Death(`process ${this.env.pid} died before ${this.deathbed}`);
  }

  /** A lock is about to be taken or given back. Looks at the READ slots, one after the other, are one call. */
  beforeLock(call: 'lock' | 'unlock', path: string, at: number): void {
    if (call === 'lock') this.onLock?.(at - LOCK_BASE);
    const ofReader = at >= LOCK_BASE + LOCK_READ;
    if (!ofReader || !this.probing) this.before(call, path);
    else this.check();
    this.probing = ofReader;
  }

  /** A visible call is about to happen. @param last  what it still does of it when it dies */
  before(call: VisibleCall, path: string, last?: () => void): void {
    this.check();
    this.probing = false;
    this.calls += 1;
    this.onCall?.(call, path);
    if (this.calls < this.dieBefore) return;
    last?.();
    this.die(`call ${this.calls} (${call} ${path})`);
    this.check();
  }

  open(path: string, mode: OpenMode): VfsFile {
    this.check();
    if (mode.create === true && this.inner.stat(path) === null) this.before('create', path);
    const file = this.inner.open(path, mode);
    this.open_.add(file);
    return new MortalFile(file, this, () => this.open_.delete(file));
  }

  stat(path: string): FileId | null {
    this.check();
    return this.inner.stat(path);
  }

  link(from: string, to: string): void {
    this.before('link', to);
    this.inner.link(from, to);
  }

  rename(from: string, to: string): void {
    this.before('rename', to);
    this.inner.rename(from, to);
  }

  unlink(path: string): void {
    this.before('unlink', path);
    this.inner.unlink(path);
  }

  mkdir(path: string): void {
    this.before('mkdir', path);
    this.inner.mkdir(path);
  }

  list(directory: string): string[] {
    this.check();
    return this.inner.list(directory);
  }

  openDirectory(directory: string): VfsDirectory {
    this.check();
    const opened = this.inner.openDirectory(directory);
    return { sync: () => this.syncDir(directory), close: () => opened.close() };
  }

  syncDir(directory: string): void {
    this.before('syncDir', directory);
    this.during(() => this.inner.syncDir(directory));
  }

  /** Runs a sync of this process. */
  during<T>(sync: () => T): T {
    this.syncing = true;
    try {
      return sync();
    } finally {
      this.syncing = false;
    }
  }

  realpath(path: string): string {
    this.check();
    return this.inner.realpath(path);
  }

  isNetwork(path: string): boolean {
    return this.inner.isNetwork(path);
  }
}

class MortalFile implements VfsFile {
  readonly path: string;
  private readonly inner: VfsFile;
  private readonly vfs: MortalVfs;
  private readonly closed: () => void;

  constructor(inner: VfsFile, vfs: MortalVfs, closed: () => void) {
    this.path = inner.path;
    this.inner = inner;
    this.vfs = vfs;
    this.closed = closed;
  }

  pread(into: Uint8Array, at: number): number {
    this.vfs.check();
    return this.inner.pread(into, at);
  }

  pwrite(buffers: readonly Uint8Array[], at: number): number {
    this.vfs.before('pwrite', this.path, () => {
      const whole = Buffer.concat(buffers);
      const part = Math.min(this.vfs.tornSectors * SECTOR, whole.length - 1);
      if (part > 0) this.inner.pwrite([whole.subarray(0, part)], at);
    });
    return this.inner.pwrite(buffers, at);
  }

  truncate(size: number): void {
    this.vfs.before('truncate', this.path);
    this.inner.truncate(size);
  }

  sync(kind: SyncKind): void {
    this.vfs.before('sync', this.path);
    this.vfs.during(() => this.inner.sync(kind));
  }

  async syncAsync(kind: SyncKind): Promise<void> {
    this.vfs.before('sync', this.path);
    await this.vfs.during(() => this.inner.syncAsync(kind));
    this.vfs.check();
  }

  stat(): FileId {
    this.vfs.check();
    return this.inner.stat();
  }

  tryLock(at: number, length: number, mode: LockMode): boolean {
    this.vfs.beforeLock('lock', this.path, at);
    return this.inner.tryLock(at, length, mode);
  }

  unlock(at: number, length: number): void {
    this.vfs.beforeLock('unlock', this.path, at);
    this.inner.unlock(at, length);
  }

  close(): void {
    this.vfs.before('close', this.path);
    this.closed();
    this.inner.close();
  }
}

/** The environment of the machine, with a process id of its own; what is left to do of a dead process is not done. */
function mortalEnv(inner: VfsEnv, pid: number, isDead: () => boolean): VfsEnv {
  const living = (fn: () => void) => (): void => {
    if (isDead()) return;
    try {
      fn();
    } catch (error) {
      if (!(error instanceof Death)) throw error;
    }
  };
  return {
    pid,
    host: inner.host,
    identify: (other) => inner.identify(other),
    wallTimeMs: () => inner.wallTimeMs(),
    monotonicMs: () => inner.monotonicMs(),
    random: (count) => inner.random(count),
    sleep: (ms) => inner.sleep(ms),
    setTimer: (fn, ms) => inner.setTimer(living(fn), ms),
    clearTimer: (timer) => inner.clearTimer(timer),
    defer: (fn) => inner.defer(living(fn)),
    captureContext: () => inner.captureContext(),
    warn: (warning) => inner.warn(warning),
  };
}
