/** Errors about archives, each made in one place. */
import { CorruptionError, DataError, StateError } from '@sombra/vfs';

/** What is stored of a piece is not what was written. */
export function damagedPiece(key: string, problem: string, cause?: unknown): CorruptionError {
  return new CorruptionError(
    'SOMBRA_ARCHIVE_DAMAGED',
    `${key} is damaged: ${problem}; restore to a commit before it, or from a later backup`,
    { details: { key, problem }, ...(cause === undefined ? {} : { cause }) },
  );
}

export function newerPiece(key: string, format: number, known: number): DataError {
  return new DataError(
    'SOMBRA_BACKUP_FORMAT',
    `${key} has format ${format}, this release reads up to ${known}: use a newer release of @sombra/ops`,
    { details: { key, format, known } },
  );
}

/** Something is not there. @param what  a whole sentence without its end */
export function gap(what: string, details: Readonly<Record<string, unknown>>): StateError {
  return new StateError('SOMBRA_ARCHIVE_GAP', `${what}: restore to a commit before the gap, or from a later backup`, {
    details,
  });
}

/** The log that is to be archived does not go on from what the archive has. */
export function notContinued(location: string, what: string, details: Readonly<Record<string, unknown>>): StateError {
  return new StateError(
    'SOMBRA_ARCHIVE_GAP',
    `the log does not go on from what ${location} has of it: ${what}; take a new backup, and begin again behind it with afterGap: 'begin' (--after-gap)`,
    { details },
  );
}

export function noTarget(what: string, details: Readonly<Record<string, unknown>>): DataError {
  return new DataError('SOMBRA_RESTORE_TARGET', what, { details });
}
