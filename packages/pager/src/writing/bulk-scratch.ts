import { IoError, preadFully, pwriteFully } from '@sombra/vfs';
import type { Vfs, VfsFile } from '@sombra/vfs';
import { giveBack } from '../base/run-all.ts';

/** Name of the scratch file of a bulk load. What a load that died left there is written over, or removed by the last close. */
export function bulkScratchPath(path: string): string {
  return `${path}-bulk`;
}

/** Space for what a bulk load cannot keep in memory: a file that is removed with the load. Never synced, never read by others. */
export class BulkScratch {
  /** Bytes appended so far. */
  size = 0;
  private readonly vfs: Vfs;
  private readonly path: string;
  private readonly file: VfsFile;

  /** Opened by BulkWriter.scratch. @throws IoError SOMBRA_IO, SOMBRA_DISK_FULL */
  constructor(vfs: Vfs, path: string) {
    this.vfs = vfs;
    this.path = path;
    this.file = vfs.open(path, { write: true, create: true, perm: 0o600 });
    try {
      this.file.truncate(0);
    } catch (error) {
      giveBack([() => this.file.close()]);
      throw error;
    }
  }

  /** Appends all of `bytes`, which are copied. @throws IoError SOMBRA_IO, SOMBRA_DISK_FULL */
  append(bytes: Uint8Array): void {
    pwriteFully(this.file, bytes, this.size);
    this.size += bytes.length;
  }

  /** Fills `into` with bytes that were appended. @throws IoError SOMBRA_IO */
  read(offset: number, into: Uint8Array): void {
    if (preadFully(this.file, into, offset) === into.length) return;
    throw new IoError('SOMBRA_IO', `${this.path} was truncated by another program during the bulk load: load again`, {
      details: { op: 'pread', path: this.path, at: offset },
    });
  }

  /** Closes and removes the file. */
  remove(): void {
    try {
      this.file.close();
    } finally {
      if (this.vfs.stat(this.path) !== null) this.vfs.unlink(this.path);
    }
  }
}
