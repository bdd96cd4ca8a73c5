/**
 * Creation of a database (rule O1). Steps, and what a crash after each leaves:
 * 1. A file under a temporary name in the same directory, exclusive, mode 0600: superblock, roots page; synced.
 *                                                 A temporary file, which the next open removes.
 * 2. It is linked to its name; that fails if another creator was faster.    The database under both names.
 * 3. The temporary name goes, the directory is synced.                    The database.
 */
import { giveBack } from '../base/run-all.ts';
import { directoryOf, pwriteFully, readU32, syncDirectory, toHex } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { KIND_OFFSET, PAGE_KIND_ROOTS, sealPage, stampHeader } from '../format/page-header.ts';
import { fileNameOf } from '../base/paths.ts';
import { DEFAULT_PAGE_SIZE } from '../base/options.ts';
import type { ResolvedOptions } from '../base/options.ts';
import { rootsPage } from '../format/roots-page.ts';
import { encodeSuperblock, slotOffset } from '../format/superblock.ts';
import type { Superblock } from '../format/superblock.ts';

const TEMPORARY = /^\.tmp-[0-9a-f]{32}$/;

/**
 * Creates a database of no pages but its roots page. Nothing happens when another process creates it meanwhile.
 * @throws IoError SOMBRA_IO, SOMBRA_DISK_FULL
 */
export function createDatabase(options: ResolvedOptions): void {
  const { vfs, path } = options;
  const pageSize = options.pageSize ?? DEFAULT_PAGE_SIZE;
  const roots = rootsPage(pageSize);
  const superblock: Superblock = {
    pageSize,
    databaseId: vfs.env.random(16),
    timeline: 1,
    salt: readU32(vfs.env.random(4), 0),
    sequence: 0,
    checkpointLsn: 0,
    pageCount: roots + 1,
    replaySeq: 0,
    replayOffset: 0,
    logSalt: new Uint8Array(8),
    chain: 0,
    clean: true,
    time: vfs.env.wallTimeMs(),
  };
  const bytes = new Uint8Array((roots + 1) * pageSize);
  bytes.set(encodeSuperblock(superblock), slotOffset(0));
  const base = roots * pageSize;
  stampHeader(bytes, base, roots, 0);
  bytes[base + KIND_OFFSET] = PAGE_KIND_ROOTS;
  sealPage(bytes, base, pageSize, roots, superblock.salt);

  const temporary = `${path}.tmp-${toHex(vfs.env.random(16))}`;
  const file = vfs.open(temporary, { write: true, create: true, exclusive: true, perm: 0o600 });
  try {
    pwriteFully(file, bytes, 0);
    file.sync('full');
  } catch (error) {
    giveBack([() => file.close(), () => vfs.unlink(temporary)]);
    throw error;
  }
  file.close();
  try {
    vfs.link(temporary, path);
  } catch (error) {
    // Another process was faster, and may have removed the temporary name, too.
    if (vfs.stat(path) === null) throw error;
  } finally {
    removeName(vfs, temporary);
  }
  syncDirectory(vfs, directoryOf(path));
}

/**
 * Removes the temporary names that creations left when they were cut short. Call under RECOVER, when the database exists: a
 * creation that is still running then loses its temporary name, and gives way to the file that is there.
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
