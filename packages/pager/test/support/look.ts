// Looking at files with `inspect`, and proving that the look left them alone.
import type { FileId, OpenMode, Vfs, VfsDirectory, VfsEnv, VfsFile } from '@sombra/vfs';
import { IoError, SombraError } from '@sombra/vfs';
import { Pager } from '../../src/index.ts';
import type { PagerOptions } from '../../src/index.ts';
import { WrappedVfs } from './wrapped-vfs.ts';
import type { Files } from './damage.ts';

/** Every file of a directory with its bytes. */
export function imageOf(vfs: Vfs, directory = '.'): Files {
  return new Map(
    vfs.list(directory).map((name) => {
      const file = vfs.open(name, { write: false });
      const bytes = new Uint8Array(file.stat().size);
      file.pread(bytes, 0);
      file.close();
      return [name, bytes];
    }),
  );
}

/** What differs between two images; empty when nothing does. */
export function differences(a: Files, b: Files): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter((name) => {
    const [left, right] = [a.get(name), b.get(name)];
    return left === undefined || right === undefined || Buffer.compare(left, right) !== 0;
  });
}

/** What a look ended with. */
export interface Sight<T> {
  /** undefined when the file could not be opened */
  readonly seen: T | undefined;
  readonly error: SombraError | undefined;
}

/**
 * Opens with `inspect`, hands the pager over, closes it.
 * @throws Error when a file was changed, a descriptor was left open, or anything but a SombraError was thrown
 */
export function look<T>(vfs: Vfs, see: (pager: Pager) => T, options: Partial<PagerOptions> = {}): Sight<T> {
  const before = imageOf(vfs);
  const watched = new WrappedVfs(vfs);
  let sight: Sight<T>;
  try {
    const pager = Pager.open({ vfs: watched, path: 't.db', cacheSize: 8, inspect: true, ...options });
    try {
      sight = { seen: see(pager), error: undefined };
    } finally {
      pager.close();
    }
  } catch (error) {
    if (!(error instanceof SombraError) || error.code === 'SOMBRA_INVARIANT') throw error;
    sight = { seen: undefined, error };
  }
  const changed = differences(before, imageOf(vfs));
  if (changed.length > 0) throw new Error(`the look changed ${changed.join(', ')}`);
  if (watched.openFiles.size > 0)
    throw new Error(`left open: ${[...watched.openFiles].map(({ path }) => path).join(', ')}`);
  return sight;
}

/** A file system that may only be read. */
export class ReadOnlyVfs implements Vfs {
  private readonly inner: Vfs;

  constructor(inner: Vfs) {
    this.inner = inner;
  }

  get env(): VfsEnv {
    return this.inner.env;
  }

  get locksAvailable(): boolean {
    return this.inner.locksAvailable;
  }

  open(path: string, mode: OpenMode): VfsFile {
    if (mode.write || mode.create === true) refuse(path);
    return this.inner.open(path, mode);
  }

  stat(path: string): FileId | null {
    return this.inner.stat(path);
  }

  link(_from: string, to: string): void {
    refuse(to);
  }

  rename(_from: string, to: string): void {
    refuse(to);
  }

  unlink(path: string): void {
    refuse(path);
  }

  mkdir(path: string): void {
    refuse(path);
  }

  list(directory: string): string[] {
    return this.inner.list(directory);
  }

  openDirectory(directory: string): VfsDirectory {
    const opened = this.inner.openDirectory(directory);
    return { sync: () => this.syncDir(directory), close: () => opened.close() };
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

function refuse(path: string): never {
  throw new IoError('SOMBRA_PERMISSION', `${path} may only be read`, { details: { errno: 'EROFS', path } });
}
