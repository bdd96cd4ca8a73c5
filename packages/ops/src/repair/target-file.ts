/**
 * A database that gets its name when it is whole (rule O1): it is made under a temporary name, which the next open of a database with
 * that name removes if this process dies, and linked to its name in the end. Nothing is ever written over.
 */
import { DataError, directoryOf, syncDirectory, toHex } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';

/** See the top of the file. Ends with `publish` or `abandon`. */
export class TargetFile {
  /** Where the database is made. */
  readonly temporary: string;
  private readonly vfs: Vfs;
  private readonly path: string;

  /** A file that will be renamed over the database at `path`, by `replaceDatabase` instead of `publish`. */
  static replacing(vfs: Vfs, path: string): TargetFile {
    return new TargetFile(vfs, path, true);
  }

  /** Removes what died before it was renamed. Call while no other connection has the database. @throws IoError */
  static removeLeftovers(vfs: Vfs, path: string): void {
    const name = path.slice(path.lastIndexOf('/') + 1);
    removeNames(vfs, directoryOf(path), (one) => one.startsWith(name) && LEFTOVER.test(one.slice(name.length)));
  }

  /** @throws DataError SOMBRA_FILE_EXISTS */
  constructor(vfs: Vfs, path: string, replaces = false) {
    if (!replaces && vfs.stat(path) !== null) throw exists(path);
    this.vfs = vfs;
    this.path = path;
    this.temporary = `${path}.tmp-${toHex(vfs.env.random(16))}`;
  }

  /** Gives the closed database its name, durably. @throws DataError SOMBRA_FILE_EXISTS: another process was faster; IoError */
  publish(): void {
    const { vfs, path, temporary } = this;
    try {
      vfs.link(temporary, path);
    } catch (error) {
      if (vfs.stat(path) === null) throw error;
      throw exists(path);
    }
    vfs.unlink(temporary);
    syncDirectory(vfs, directoryOf(path));
  }

  /** Removes what there is of it. The database is closed. Harmless after `publish`. @throws IoError */
  abandon(): void {
    const { vfs, temporary } = this;
    const own = temporary.slice(temporary.lastIndexOf('/') + 1);
    removeNames(vfs, directoryOf(temporary), (one) => one.startsWith(own));
  }
}

/** What follows the name of a database in the names of its own files, with what `docs/ARCHITECTURE.md` lists. */
const OWN_ENDING = /^(?:-(?:wal|wal\..+|\d+-wal|shm|dw|lock|archive|bulk)|\.tmp-.*)$/;

/**
 * Refuses a target whose name the database itself may give to one of its files: it would be taken for a log.
 * @param database  without symbolic links
 * @throws DataError SOMBRA_BACKUP_TARGET
 */
export function refuseOwnName(vfs: Vfs, database: string, target: string): void {
  const [own, name] = [database, target].map((path) => path.slice(path.lastIndexOf('/') + 1)) as [string, string];
  if (!name.startsWith(own) || !OWN_ENDING.test(name.slice(own.length))) return;
  if (folderOf(vfs, target) !== folderOf(vfs, database)) return;
  throw new DataError(
    'SOMBRA_BACKUP_TARGET',
    `${target} is a name that the files of the database itself may get: choose another one`,
    { details: { path: target } },
  );
}

/** With links resolved; as it is written where there is none, as in memory. */
function folderOf(vfs: Vfs, path: string): string {
  const folder = directoryOf(path);
  return vfs.stat(folder) === null ? folder : vfs.realpath(folder);
}

const LEFTOVER = /^\.tmp-[0-9a-f]{32}(?:-.*)?$/;

function removeNames(vfs: Vfs, directory: string, isOne: (name: string) => boolean): void {
  for (const name of vfs.list(directory)) if (isOne(name)) vfs.unlink(`${directory}/${name}`);
}

function exists(path: string): DataError {
  return new DataError(
    'SOMBRA_FILE_EXISTS',
    `${path} is there already, and nothing is written over it: remove it, or choose another name`,
    { details: { path } },
  );
}
