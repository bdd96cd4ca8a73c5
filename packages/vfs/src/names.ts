/** Names, directories, and which file a name means. */
import type { FileId, Vfs, VfsDirectory } from './vfs.ts';

/** Directory of a path. */
export function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/');
  if (slash < 0) return '.';
  return slash === 0 ? '/' : path.slice(0, slash);
}

/** Do two names or descriptors mean the same file? null: a name that means none. */
export function sameFile(a: FileId | null, b: FileId | null): boolean {
  return a !== null && b !== null && a.dev === b.dev && a.ino === b.ino;
}

/**
 * Changes names of a directory. It is opened before, so that a process with too many open files is refused while everything is as
 * it was, and not when a name has changed and its durability is in doubt.
 * @throws IoError of opening it: nothing happened; what `change` throws
 */
export function withDirectory<T>(
  vfs: Pick<Vfs, 'openDirectory'>,
  directory: string,
  change: (directory: VfsDirectory) => T,
): T {
  const opened = vfs.openDirectory(directory);
  try {
    return change(opened);
  } finally {
    opened.close();
  }
}

/** As `Vfs.syncDir`, but that the directory cannot be opened is no failed sync: for names that nothing depends on yet. */
export function syncDirectory(vfs: Pick<Vfs, 'openDirectory'>, directory: string): void {
  withDirectory(vfs, directory, (opened) => opened.sync());
}
