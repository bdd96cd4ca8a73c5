// A file system as one process sees it: a process id of its own, and a count of the descriptors that it has open.
import type { FileId, OpenMode, Vfs, VfsDirectory, VfsEnv, VfsFile } from '@sombra/vfs';

/** Passes every call on. */
export class ProcessVfs implements Vfs {
  readonly env: VfsEnv;
  readonly locksAvailable: boolean;
  /** Descriptors that were opened and not closed yet. */
  readonly openFiles = new Set<VfsFile>();
  private readonly inner: Vfs;

  constructor(inner: Vfs, pid: number) {
    this.inner = inner;
    this.locksAvailable = inner.locksAvailable;
    const { env } = inner;
    this.env = {
      pid,
      host: env.host,
      identify: (other) => env.identify(other),
      wallTimeMs: () => env.wallTimeMs(),
      monotonicMs: () => env.monotonicMs(),
      random: (count) => env.random(count),
      sleep: (ms) => env.sleep(ms),
      setTimer: (fn, ms, keepsAlive) => env.setTimer(fn, ms, keepsAlive),
      clearTimer: (timer) => env.clearTimer(timer),
      defer: (fn) => env.defer(fn),
      captureContext: () => env.captureContext(),
      warn: (warning) => env.warn(warning),
    };
  }

  open(path: string, mode: OpenMode): VfsFile {
    const file = this.inner.open(path, mode);
    const close = file.close.bind(file);
    file.close = () => {
      this.openFiles.delete(file);
      close();
    };
    const { syncAsync } = file;
    file.syncAsync = async (kind) => {
      await new Promise<void>((resolve) => this.env.defer(resolve));
      return syncAsync.call(file, kind);
    };
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
    return this.inner.openDirectory(directory);
  }

  syncDir(directory: string): void {
    this.inner.syncDir(directory);
  }

  realpath(path: string): string {
    return this.inner.realpath(path);
  }

  isNetwork(path: string): boolean {
    return this.inner.isNetwork(path);
  }
}
