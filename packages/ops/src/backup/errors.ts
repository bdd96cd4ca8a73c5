/** Errors about backups, each made in one place. */
import { CorruptionError, DataError, StateError } from '@sombra/vfs';

/** What is stored of a backup is not what was written. */
export function damaged(id: string, problem: string, cause?: unknown): CorruptionError {
  return new CorruptionError(
    'SOMBRA_BACKUP_DAMAGED',
    `backup ${id} is damaged: ${problem}; use another one, and check the place where it is kept`,
    { details: { id, problem }, ...(cause === undefined ? {} : { cause }) },
  );
}

/** A manifest that cannot be read. */
export function badManifest(key: string, problem: string): CorruptionError {
  return new CorruptionError(
    'SOMBRA_BACKUP_MANIFEST',
    `${key} is no valid manifest of a backup: ${problem}; use another backup, or remove the object if it is none`,
    { details: { key, problem } },
  );
}

export function newerManifest(key: string, format: number, known: number): DataError {
  return new DataError(
    'SOMBRA_BACKUP_FORMAT',
    `${key} has format ${format}, this release reads up to ${known}: use a newer release of @sombra/ops`,
    { details: { key, format, known } },
  );
}

/** @param known  ids that there are, the newest last */
export function noBackup(location: string, what: string, known: readonly string[]): DataError {
  const shown = known.length === 0 ? 'it has none' : `the newest are ${known.slice(-3).join(', ')}`;
  return new DataError('SOMBRA_BACKUP_NOT_FOUND', `there is no backup ${what} in ${location}: ${shown}`, {
    details: { location, backup: what },
  });
}

/** A backup that an incremental one needs is missing, or is another one. */
export function brokenChain(id: string, base: string, problem: string): CorruptionError {
  return new CorruptionError(
    'SOMBRA_BACKUP_CHAIN',
    `backup ${id} needs backup ${base}, which ${problem}: use another backup`,
    { details: { id, base } },
  );
}

export function otherDatabase(location: string, name: string, found: string, own: string): StateError {
  return new StateError(
    'SOMBRA_BACKUP_OTHER_DATABASE',
    `the backups of ${name} in ${location} are of the database with id ${found}, and this one has id ${own}: give another name, or another place`,
    { details: { location, name, found, databaseId: own } },
  );
}

export function sameFolder(path: string, folder: string): StateError {
  return new StateError(
    'SOMBRA_BACKUP_SAME_FOLDER',
    `${folder} lies in the folder of ${path}, so that what destroys the one destroys the other: name a folder elsewhere, best on another disk, or allow it with allowSameFolder (--allow-same-folder)`,
    { details: { path, folder } },
  );
}
