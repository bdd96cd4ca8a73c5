/**
 * A file that gets its name when it is whole and durable (rule O1). Steps, and what a crash after each leaves:
 * 1. A file under a temporary name in the same directory, exclusive, mode 0600, written and synced.
 *                                                 A temporary file, which the next open of a database with the name removes.
 * 2. It is linked to its name, unless there is such a file.               The file under both names.
 * 3. The temporary name goes, the directory is synced.                    The file.
 */
import { directoryOf, preadFully, pwriteFully, syncDirectory, toHex } from '@sombra/vfs';
import type { Vfs, VfsFile } from '@sombra/vfs';
import { fileNameOf } from '../base/paths.ts';
import { giveBack } from '../base/run-all.ts';

const TEMPORARY = /^\.tmp-[0-9a-f]{32}$/;

/** See the top of the file. Ends with `publish` or `abandon`. */
export class NewFile {
  private readonly vfs: Vfs;
  private readonly path: string;
  private readonly temporary: string;
  private readonly file: VfsFile;
  private closed = false;
  /** Has the temporary name been given up? */
  private ended = false;

  /**
   * @param like  a file whose owner, group and mode it gets as far as that is possible
   * @throws IoError SOMBRA_IO, SOMBRA_PERMISSION, SOMBRA_DISK_FULL
   */
  constructor(vfs: Vfs, path: string, like?: string) {
    this.vfs = vfs;
    this.path = path;
    this.temporary = `${path}.tmp-${toHex(vfs.env.random(16))}`;
    this.file = vfs.open(this.temporary, {
      write: true,
      create: true,
      exclusive: true,
      perm: 0o600,
      ...(like === undefined ? {} : { like }),
    });
  }

  /** @throws IoError SOMBRA_IO, SOMBRA_DISK_FULL */
  write(bytes: Uint8Array, at: number): void {
    pwriteFully(this.file, bytes, at);
  }

  /** Reads bytes that were written. @returns how many there are @throws IoError SOMBRA_IO */
  read(into: Uint8Array, at: number): number {
    return preadFully(this.file, into, at);
  }

  /** Cuts it, or extends it with zeros. @throws IoError SOMBRA_IO, SOMBRA_DISK_FULL */
  truncate(size: number): void {
    this.file.truncate(size);
  }

  /** @throws IoError SOMBRA_SYNC */
  sync(): void {
    this.file.sync('full');
  }

  /** As `sync`, without blocking. */
  syncAsync(): Promise<void> {
    return this.file.syncAsync('full');
  }

  /**
   * Gives the file its name, durably. It has been synced.
   * @returns false when there is a file with that name, which stays; this one is gone then
   */
  publish(): boolean {
    const { vfs, path, temporary } = this;
    this.close();
    let isOurs = false;
    try {
      vfs.link(temporary, path);
      isOurs = true;
    } catch (error) {
      // Another process was faster, and may have removed the temporary name, too.
      if (vfs.stat(path) === null) throw error;
    } finally {
      this.ended = true;
      removeName(vfs, temporary);
    }
    syncDirectory(vfs, directoryOf(path));
    return isOurs;
  }

  /** Removes it, as far as that is possible. Harmless when repeated. */
  abandon(): void {
    if (this.ended) return;
    this.ended = true;
    giveBack([() => this.close(), () => this.vfs.unlink(this.temporary)]);
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    this.file.close();
  }
}

/**
 * Removes the temporary names that were left when a new file was cut short. Call under RECOVER, when the database exists: a creation that
 * is still running then loses its temporary name, and gives way to the file that is there.
 */
export function removeTemporaryNames(vfs: Vfs, path: string): void {
  const directory = directoryOf(path);
  const prefix = fileNameOf(path);
  for (const name of vfs.list(directory)) {
    if (name.startsWith(prefix) && TEMPORARY.test(name.slice(prefix.length))) removeName(vfs, `${directory}/${name}`);
  }
}

/** Removes a name, unless another process was faster. */
function removeName(vfs: Vfs, path: string): void {
  try {
    vfs.unlink(path);
  } catch (error) {
    if (vfs.stat(path) !== null) throw error;
  }
}
