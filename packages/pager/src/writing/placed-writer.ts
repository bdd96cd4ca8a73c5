/** Writes placed pages (format/placed-pages.ts) beside a bulk load, for the archive. */
import { directoryOf, pwriteFully, syncDirectory } from '@sombra/vfs';
import type { Vfs, VfsFile } from '@sombra/vfs';
import { runAll } from '../base/run-all.ts';
import { encodePlacedHeader, PLACED_HEADER_SIZE, placedPath } from '../format/placed-pages.ts';
import type { PlacedHeader } from '../format/placed-pages.ts';

/** See the top of the file. Ends with `finish`, or `abandon`. */
export class PlacedWriter {
  private readonly vfs: Vfs;
  private readonly path: string;
  private file: VfsFile | null;
  private size = PLACED_HEADER_SIZE;

  /** @param database  its path @throws IoError SOMBRA_IO, SOMBRA_PERMISSION, SOMBRA_DISK_FULL */
  constructor(vfs: Vfs, database: string, lsn: number) {
    this.vfs = vfs;
    this.path = placedPath(database, lsn);
    if (vfs.stat(this.path) !== null) vfs.unlink(this.path); // of a load that was cut short
    this.file = vfs.open(this.path, { write: true, create: true, exclusive: true, like: database });
  }

  /** Adds pages, sealed for main. Copied. @throws IoError SOMBRA_IO, SOMBRA_DISK_FULL */
  write(pages: Uint8Array): void {
    pwriteFully(this.file!, pages, this.size);
    this.size += pages.length;
  }

  /** Makes it whole and durable. @throws IoError SOMBRA_IO, SOMBRA_DISK_FULL, SOMBRA_SYNC */
  finish(header: Omit<PlacedHeader, 'pages'>): void {
    const { file, vfs, path, size } = this;
    const pages = (size - PLACED_HEADER_SIZE) / header.pageSize;
    pwriteFully(file!, encodePlacedHeader({ ...header, pages }), 0);
    file!.sync('full');
    this.file = null;
    file!.close();
    syncDirectory(vfs, directoryOf(path));
  }

  /** The load was given up: removes the file. Harmless after `finish`: a commit that fails may be there after all, and needs it then. */
  abandon(): void {
    const { file, vfs, path } = this;
    if (file === null) return;
    this.file = null;
    // The end of the archive removes it, too.
    runAll([() => file.close(), () => vfs.stat(path) !== null && vfs.unlink(path)]);
  }
}
