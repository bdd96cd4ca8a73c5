/** An empty database that will hold what another one holds: of the same id, with a timeline and a salt of its own (rule P2). */
import { CorruptionError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { writeNewDatabase } from '../life/create.ts';
import { readFileHeader } from '../inspect/file-header.ts';
import { freshTimeline } from '../format/timeline.ts';
import type { ReplacedCommit } from './replace.ts';

/**
 * Creates the file.
 * @param source  path of the other one, whose superblock is valid, without symbolic links; the new file gets its page size, owner, group and mode
 * @returns what the other one is
 * @throws IoError SOMBRA_IO, SOMBRA_PERMISSION, SOMBRA_DISK_FULL
 */
export function createEmptyCopy(vfs: Vfs, path: string, source: string): Omit<ReplacedCommit, 'lsn'> {
  const { newest } = readFileHeader(vfs, source);
  if (newest === null) throw unreadable(source);
  const { databaseId, timeline, pageSize } = newest;
  const identity = { databaseId, timeline: freshTimeline(vfs.env, timeline) };
  writeNewDatabase(vfs, path, pageSize, identity, source);
  return { databaseId, timeline };
}

function unreadable(path: string): CorruptionError {
  return new CorruptionError('SOMBRA_SUPERBLOCK', `both superblock slots of ${path} are damaged: restore a backup`, {
    details: { path },
  });
}
