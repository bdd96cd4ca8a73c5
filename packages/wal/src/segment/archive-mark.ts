/**
 * The mark of an archive: a small file beside the database that says which sealed segments have been copied away. While it is there,
 * no segment that is not archived is recycled or removed, by whichever process and not even by the last close, so the archive has
 * the whole chain (rule P5).
 *
 * It holds a number in decimal: the highest segment that is archived, and with it all before. Anything else counts as 0: nothing is
 * archived.
 */
import { DataError, directoryOf, preadFully, pwriteFully, withDirectory } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';

const DIGITS_MAX = 16;

/** Path of the mark. @param path  of the database */
export function archiveMarkPath(path: string): string {
  return `${path}-archive`;
}

/** The highest archived segment; Infinity when there is no archive, so that nothing has to wait for it. */
export function archivedThrough(vfs: Vfs, path: string): number {
  const mark = archiveMarkPath(path);
  if (vfs.stat(mark) === null) return Infinity;
  const bytes = new Uint8Array(DIGITS_MAX + 1);
  const file = vfs.open(mark, { write: false });
  let length: number;
  try {
    length = preadFully(file, bytes, 0);
  } finally {
    file.close();
  }
  const text = String.fromCharCode(...bytes.subarray(0, length)).trim();
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

/**
 * Makes the mark say that segments up to `seq` are archived; durable when it returns. Begins an archive when there was none.
 * @throws DataError SOMBRA_OPTION; IoError
 */
export function markArchived(vfs: Vfs, path: string, seq: number): void {
  if (!Number.isSafeInteger(seq) || seq < 0 || seq >= 1e15)
    throw new DataError('SOMBRA_OPTION', `a segment has a number of 0 to 10^15, not ${String(seq)}`);
  const mark = archiveMarkPath(path);
  const temporary = temporaryPath(path);
  removeTemporary(vfs, path);
  try {
    writeMark(vfs, path, temporary, seq);
    withDirectory(vfs, directoryOf(mark), (directory) => {
      vfs.rename(temporary, mark);
      directory.sync();
    });
  } catch (error) {
    try {
      removeTemporary(vfs, path);
    } catch {
      // the error that is thrown came first; the next mark, or the end of the archive, removes it
    }
    throw error;
  }
}

function writeMark(vfs: Vfs, path: string, temporary: string, seq: number): void {
  const file = vfs.open(temporary, { write: true, create: true, exclusive: true, like: path });
  try {
    pwriteFully(
      file,
      Uint8Array.from(`${seq}\n`, (digit) => digit.charCodeAt(0)),
      0,
    );
    file.sync('full');
  } finally {
    file.close();
  }
}

/** A mark that is being written. */
function temporaryPath(path: string): string {
  return `${archiveMarkPath(path)}.tmp`;
}

function removeTemporary(vfs: Vfs, path: string): void {
  if (vfs.stat(temporaryPath(path)) !== null) vfs.unlink(temporaryPath(path));
}

/** Ends the archive: segments are recycled and removed again without being archived. Idempotent. */
export function endArchive(vfs: Vfs, path: string): void {
  removeTemporary(vfs, path);
  const mark = archiveMarkPath(path);
  if (vfs.stat(mark) === null) return;
  withDirectory(vfs, directoryOf(mark), (directory) => {
    vfs.unlink(mark);
    directory.sync();
  });
}
