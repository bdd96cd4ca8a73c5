/** What kind of failure an error reports. By code and name: the file system may come from another copy of @sombra/vfs. */
import { TransactionError } from '@sombra/vfs';

/** Did a sync fail, so that nothing written before it may be believed? */
export function isSyncFailure(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'SOMBRA_SYNC';
}

/** Did the system refuse something? */
export function isIoError(error: unknown): boolean {
  return (error as { name?: unknown } | null)?.name === 'IoError';
}

/** Are bytes not what was written? */
export function isCorruption(error: unknown): boolean {
  return (error as { name?: unknown } | null)?.name === 'CorruptionError';
}

/** Does the system not let this user do it? */
export function isForbidden(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'SOMBRA_PERMISSION';
}

/** The record of a commit may stand in the log: only the next open shows whether the commit is there (rule E1). */
export function commitInDoubt(lsn: number, cause: unknown): TransactionError {
  if (cause instanceof TransactionError && cause.code === 'SOMBRA_COMMIT_UNKNOWN') return cause;
  return new TransactionError(
    'SOMBRA_COMMIT_UNKNOWN',
    `commit ${lsn} was written, and then a sync or publishing it failed: open the database again to see whether the commit is there`,
    { cause, details: { lsn } },
  );
}
