/** A copy of the database in a file of its own, in steps, between which the event loop turns and others read and write. */
import { writeCopy } from '@sombra/pager';
import type { CopyProgress, Pager } from '@sombra/pager';
import type { Vfs } from '@sombra/vfs';
import { callbackOption, checkOptions } from '../model/options.ts';
import { RUN_OPTIONS, type RunOptions } from '../model/run-options.ts';
import type { Steps } from '../model/steps.ts';

/** Options of `backup`. What `onProgress` throws ends it. */
export interface BackupOptions extends RunOptions {
  /** Called every 256 KiB. */
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
}

/** What was copied. */
export interface BackupResult {
  /** Number of the newest commit in the copy. */
  readonly lsn: number;
  readonly bytes: number;
  /** Tells the copy from every other history of the database. */
  readonly timeline: number;
}

/** @throws DataError SOMBRA_OPTION */
export function parseBackup(given: BackupOptions | undefined): BackupOptions['onProgress'] {
  const options = checkOptions(given, ['onProgress', ...RUN_OPTIONS], 'backup');
  return callbackOption(options?.onProgress, 'onProgress');
}

/** @throws as `Pager.copy` and `writeCopy`; what `onProgress` throws */
export function* backupSteps(
  pager: Pager,
  vfs: Vfs,
  path: string,
  onProgress: BackupOptions['onProgress'],
): Steps<BackupResult> {
  const copy = pager.copy();
  try {
    yield* writeCopy(copy, vfs, path, onProgress);
    return { lsn: copy.lsn, bytes: copy.size, timeline: copy.timeline };
  } finally {
    copy.release();
  }
}
