/** Removes pieces of an archive that no backup needs any more. */
import type { ObjectStore } from '../base/object-store.ts';
import { throwIfAborted } from '../base/abort.ts';
import type { TimelineIndex } from './index-of-log.ts';

/** What was removed, or with `dryRun` would be. */
export interface PrunedLog {
  readonly removed: readonly string[];
  /** Bytes as stored. */
  readonly storedBytes: number;
}

/** @param before  the oldest commit that is needed: what brings a copy of an earlier one to it goes */
export async function pruneLog(
  store: ObjectStore,
  index: TimelineIndex | undefined,
  before: number,
  dryRun: boolean,
  signal: AbortSignal | undefined,
): Promise<PrunedLog> {
  if (index === undefined) return { removed: [], storedBytes: 0 };
  // A piece that ends with that commit is kept: a backup names the place behind it, which may lie in this piece. So is the last one.
  const kept = index.pieces.findIndex(({ kind, last }) => kind === 'tail' || last >= before);
  const pieces = index.pieces.slice(0, kept === -1 ? Math.max(0, index.pieces.length - 1) : kept);
  const pages = [...index.pages.values()].filter(({ lsn }) => lsn < before);
  const going = [...pieces, ...pages];
  if (!dryRun) {
    // The oldest first: what is left has no gap.
    for (const { key } of going) {
      throwIfAborted(signal);
      await store.delete(key, { signal });
    }
  }
  return { removed: going.map(({ key }) => key), storedBytes: going.reduce((sum, { size }) => sum + size, 0) };
}
