/** A checkpoint in steps, between which the event loop turns and others read and write. */
import type { CheckpointEnd, CheckpointResult, Pager } from '@sombra/pager';
import { callbackOption, checkOptions } from '../model/options.ts';
import { RUN_OPTIONS, type RunOptions } from '../model/run-options.ts';
import type { Steps } from '../model/steps.ts';
import { beginPausing } from './begin-pausing.ts';

/** How far `checkpointAsync` is. */
export interface CheckpointProgress {
  /** Pages written to the database file. */
  readonly pages: number;
}

/** Options of `checkpointAsync`. What `onProgress` throws ends it. */
export interface CheckpointOptions extends RunOptions {
  /** Called when pages have been written. */
  readonly onProgress?: ((progress: CheckpointProgress) => void) | undefined;
}

/** @throws DataError SOMBRA_OPTION */
export function parseCheckpoint(given: CheckpointOptions | undefined): CheckpointOptions['onProgress'] {
  const options = checkOptions(given, ['onProgress', ...RUN_OPTIONS], 'checkpointAsync');
  return callbackOption(options?.onProgress, 'onProgress');
}

/**
 * Brings what is committed when its turn has come to the database file, as far as readers allow.
 * @throws as Pager.checkpoint; what `onProgress` throws
 */
export function* checkpointSteps(pager: Pager, onProgress: CheckpointOptions['onProgress']): Steps<CheckpointResult> {
  let pages = 0;
  let goal = Infinity;
  for (;;) {
    const request = yield* beginPausing(pager, (waitMs) => pager.requestCheckpoint(waitMs));
    // The least: a commit that was about to be published may have come to nothing.
    goal = Math.min(goal, request.newestLsn);
    let end: CheckpointEnd | undefined;
    const before = pages;
    try {
      do {
        yield request.turned();
        ({ end } = request);
        if (before + request.pages > pages) {
          pages = before + request.pages;
          onProgress?.({ pages });
        }
      } while (end === undefined);
    } finally {
      request.abandon();
    }
    if (end.how === 'failed') throw end.error;
    if (end.how === 'done' && (end.keptBack || end.lsn >= goal))
      return { lsn: end.lsn, pages, newestLsn: end.newestLsn };
  }
}
