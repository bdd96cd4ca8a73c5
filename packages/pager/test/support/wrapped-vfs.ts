// A file system around another one: counts descriptors that are open, and may lie about syncs (for canaries).
import type { FileId, LockMode, OpenMode, SyncKind, Vfs, VfsDirectory, VfsEnv, VfsFile } from '@sombra/vfs';

/** What the wrapper only pretends to do. */
export interface Lies {
  /** Files, by path, whose syncs do nothing. */
  readonly sync?: RegExp;
  /** Only syncs of this kind. */
  readonly kind?: SyncKind;
  /** Syncs of a directory do nothing while it has such a name. */
  readonly syncDir?: RegExp;
}

/** Passes everything on. */
export class WrappedVfs implements Vfs {
  readonly inner: Vfs;
  readonly lies: Lies;
  /** Syncs of files and directories that were asked for. */
  syncs = 0;
  /** Descriptors that were opened and not closed yet. */
  readonly openFiles = new Set<VfsFile>();

  constructor(inner: Vfs, lies: Lies = {}) {
    this.inner = inner;
    this.lies = lies;
  }

  /** For the descriptors of this file system. */
  liesAbout(path: string, kind: SyncKind): boolean {
    const { lies } = this;
    return lies.sync?.test(path) === true && (lies.kind === undefined || lies.kind === kind);
  }

  get env(): VfsEnv {
    return this.inner.env;
  }

  get locksAvailable(): boolean {
    return this.inner.locksAvailable;
  }

  open(path: string, mode: OpenMode): VfsFile {
    const file = new WrappedFile(this.inner.open(path, mode), this);
    this.openFiles.add(file);
    return file;
  }

  stat(path: string): FileId | null {
    return this.inner.stat(path);
  }

  link(from: string, to: string): void {
    this.inner.link(from, to);
  }

  rename(from: string, to: string): void {
    this.inner.rename(from, to);
  }

  unlink(path: string): void {
    this.inner.unlink(path);
  }

  mkdir(path: string): void {
    this.inner.mkdir(path);
  }

  list(directory: string): string[] {
    return this.inner.list(directory);
  }

  openDirectory(directory: string): VfsDirectory {
    const opened = this.inner.openDirectory(directory);
    return { sync: () => this.syncDir(directory), close: () => opened.close() };
  }

  syncDir(directory: string): void {
    this.syncs += 1;
    const { syncDir } = this.lies;
    if (syncDir === undefined || !this.inner.list(directory).some((name) => syncDir.test(name)))
      this.inner.syncDir(directory);
  }

  realpath(path: string): string {
    return this.inner.realpath(path);
  }

  isNetwork(path: string): boolean {
    return this.inner.isNetwork(path);
  }
}

class WrappedFile implements VfsFile {
  readonly path: string;
  private readonly inner: VfsFile;
  private readonly vfs: WrappedVfs;

  constructor(inner: VfsFile, vfs: WrappedVfs) {
    this.path = inner.path;
    this.inner = inner;
    this.vfs = vfs;
  }

  pread(into: Uint8Array, at: number): number {
    return this.inner.pread(into, at);
  }

  pwrite(buffers: readonly Uint8Array[], at: number): number {
    return this.inner.pwrite(buffers, at);
  }

  truncate(size: number): void {
    this.inner.truncate(size);
  }

  sync(kind: SyncKind): void {
    this.vfs.syncs += 1;
    if (!this.vfs.liesAbout(this.path, kind)) this.inner.sync(kind);
  }

  async syncAsync(kind: SyncKind): Promise<void> {
    this.vfs.syncs += 1;
    if (!this.vfs.liesAbout(this.path, kind)) await this.inner.syncAsync(kind);
  }

  stat(): FileId {
    return this.inner.stat();
  }

  tryLock(at: number, length: number, mode: LockMode): boolean {
    return this.inner.tryLock(at, length, mode);
  }

  unlock(at: number, length: number): void {
    this.inner.unlock(at, length);
  }

  close(): void {
    this.vfs.openFiles.delete(this);
    this.inner.close();
  }
}
