/** The double-write file of one connection (rule K2), and whether its name is durable. */
import { directoryOf, sameFile, syncDirectory } from '@sombra/vfs';
import type { FileId, Vfs, VfsFile } from '@sombra/vfs';
import { doubleWritePath } from '../format/double-write.ts';

/** See the top of the file. */
export class DoubleWriteArea {
  private readonly vfs: Vfs;
  private readonly main: string;
  private readonly path: string;
  private readonly directory: string;
  /** The file whose name was made durable last. */
  private named: FileId | null = null;

  /** @param path  of main */
  constructor(vfs: Vfs, path: string) {
    this.vfs = vfs;
    this.main = path;
    this.path = doubleWritePath(path);
    this.directory = directoryOf(path);
  }

  /** Is there a file? */
  exists(): boolean {
    return this.vfs.stat(this.path) !== null;
  }

  /** Opens the file, creating it if need be. */
  open(): VfsFile {
    return this.vfs.open(this.path, { write: true, create: true, like: this.main });
  }

  /**
   * Pages of main depend on this file from now on, so its name has to be durable, too. Recovery and the last close remove the file,
   * and the next one under the name is another.
   */
  makeNameDurable(file: VfsFile): void {
    const id = file.stat();
    if (this.named !== null && sameFile(this.named, id)) return;
    syncDirectory(this.vfs, this.directory);
    this.named = id;
  }

  /** The database was cured: the file may have been removed, and a new one may have the old one's number. */
  forgetName(): void {
    this.named = null;
  }
}
