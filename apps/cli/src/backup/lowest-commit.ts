import { DataError } from '@sombra/vfs';
import type { BackupList } from '@sombra/ops';

/**
 * The oldest commit among the backups of a timeline: what the archive has before it is needed by none of them.
 * @param which  name and timeline of the archive
 * @throws DataError SOMBRA_BACKUP_NOT_FOUND when there is no backup of it; the error of a manifest that cannot be read, and may be of one that
 *   needs more
 */
export function lowestCommit(
  { backups, unreadable }: BackupList,
  place: string,
  { name, timeline }: { readonly name: string; readonly timeline: number },
): number {
  for (const { error } of unreadable) throw error;
  const commits = backups.filter((each) => each.name === name && each.sourceTimeline === timeline);
  if (commits.length === 0)
    throw new DataError(
      'SOMBRA_BACKUP_NOT_FOUND',
      `${place} has no backup of ${name} in timeline ${timeline}: make one first, or say with --before what is needed`,
      { details: { name, timeline } },
    );
  return Math.min(...commits.map(({ lsn }) => lsn));
}
