/** Where objects lie in a directory: the key is the path. Folders are looked at, one by one, so that no symbolic link is followed. */
import { DataError, directoryOf, IoError, syncDirectory } from '@sombra/vfs';
import type { FileId, Vfs } from '@sombra/vfs';
import { OWN_FOLDER } from '../base/keys.ts';

export class Places {
  private readonly vfs: Vfs;
  private root: string;
  /** The directory was missing when the store was opened, so that the first object makes it. One that vanished later is not made again. */
  private mayCreate: boolean;
  private isRootDurable = false;

  /** @param root  a path without `/` at its end */
  constructor(vfs: Vfs, root: string) {
    this.vfs = vfs;
    this.root = root;
    const id = vfs.stat(root);
    this.mayCreate = id === null;
    // Whoever names the store may lead to it through a link; within it none is followed.
    if (id?.kind === 'other') this.root = vfs.realpath(root);
  }

  get directory(): string {
    return this.root;
  }

  pathOf(key: string): string {
    return this.root === '/' ? `/${key}` : `${this.root}/${key}`;
  }

  /** Where drafts and the lock lie. */
  get ownFolder(): string {
    return this.pathOf(OWN_FOLDER);
  }

  /** @returns false: no object has made it yet @throws IoError SOMBRA_STORE_MISSING when it has vanished */
  hasRoot(): boolean {
    const id = this.vfs.stat(this.root);
    if (id?.kind === 'directory') return true;
    if (id === null && this.mayCreate) return false;
    const problem = id === null ? 'does not exist' : 'is no directory';
    throw missing(this.root, `${problem}: check the path, and whether its disk is mounted`);
  }

  /** The object of a key; null when there is none. Only regular files are objects. @throws IoError SOMBRA_STORE_MISSING */
  find(key: string): FileId | null {
    if (!this.hasRoot()) return null;
    for (const folder of this.foldersAbove(key)) {
      if (this.vfs.stat(folder)?.kind !== 'directory') return null;
    }
    const id = this.vfs.stat(this.pathOf(key));
    return id?.kind === 'file' ? id : null;
  }

  /**
   * Makes the folders that a new object needs, and makes their names durable: those of folders that are there as well, since another
   * process may have made them a moment ago.
   * @throws DataError SOMBRA_OBJECT_KEY when an object or a link lies in the way; IoError SOMBRA_STORE_MISSING
   */
  prepare(key: string): void {
    this.prepareRoot();
    this.makeFolder(this.ownFolder, key);
    for (const folder of this.foldersAbove(key)) {
      this.makeFolder(folder, key);
      syncDirectory(this.vfs, directoryOf(folder));
    }
  }

  /** May the file be put there? Looked at once more, at the last moment. @throws DataError SOMBRA_OBJECT_KEY */
  checkWay(key: string): void {
    for (const folder of this.foldersAbove(key)) this.checkFolder(folder, key);
    const kind = this.vfs.stat(this.pathOf(key))?.kind;
    if (kind === 'directory') throw inTheWay(key, this.pathOf(key), 'is a folder of other objects');
    if (kind === 'other') throw inTheWay(key, this.pathOf(key), 'is a link or a device');
  }

  private prepareRoot(): void {
    const isNew = !this.hasRoot();
    if (isNew) this.createRoot();
    else if (this.isRootDurable) return;
    try {
      syncDirectory(this.vfs, directoryOf(this.root));
    } catch (error) {
      // Who may not look into the directory above has not made this one.
      if (isNew || (error as Partial<IoError>).code !== 'SOMBRA_PERMISSION') throw error;
    }
    this.mayCreate = false;
    this.isRootDurable = true;
  }

  private createRoot(): void {
    try {
      this.make(this.root);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      throw missing(
        this.root,
        'cannot be made, because the directory above it does not exist: make that one, or check the path',
      );
    }
  }

  private makeFolder(folder: string, key: string): void {
    if (this.vfs.stat(folder) === null) this.make(folder);
    this.checkFolder(folder, key);
  }

  private make(folder: string): void {
    try {
      this.vfs.mkdir(folder);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error; // another process was faster
    }
  }

  private checkFolder(folder: string, key: string): void {
    const kind = this.vfs.stat(folder)?.kind;
    if (kind === 'directory') return;
    if (kind === undefined) throw missing(folder, 'has vanished: somebody else removes folders of the store');
    throw inTheWay(key, folder, 'is no folder');
  }

  private foldersAbove(key: string): string[] {
    const parts = key.split('/').slice(0, -1);
    return parts.map((_, index) => this.pathOf(parts.slice(0, index + 1).join('/')));
  }
}

/** Name of the system error below an error of a file system. */
export function errnoOf(error: unknown): unknown {
  return (error as { details?: { errno?: unknown } }).details?.errno;
}

function missing(path: string, problem: string): IoError {
  return new IoError('SOMBRA_STORE_MISSING', `${path} ${problem}`, { details: { path } });
}

function inTheWay(key: string, path: string, problem: string): DataError {
  return new DataError('SOMBRA_OBJECT_KEY', `${key} cannot be the key of an object here: ${path} ${problem}`, {
    details: { key, path },
  });
}
