/**
 * What all handles of one tree on one page cache share. Cursors compare the two counters to learn that the tree changed
 * under them; the insert position distinguishes an ascending run of inserts from random ones.
 */
import type { PageCache } from '@sombra/pager';

export interface TreeState {
  /** Raised when entries may have moved: insert, delete, split, rollback to a savepoint. */
  moves: number;
  /** Raised when a page may have been copied while every entry kept its slot. */
  touches: number;
  /** Where the last entry was inserted. */
  lastPage: number;
  lastPosition: number;
}

const statesOf = new WeakMap<PageCache, TreeState[]>();

/** The shared state of the tree in a catalogue slot. */
export function treeState(cache: PageCache, slot: number): TreeState {
  let states = statesOf.get(cache);
  if (states === undefined) statesOf.set(cache, (states = []));
  let state = states[slot];
  if (state === undefined) states[slot] = state = { moves: 0, touches: 0, lastPage: 0, lastPosition: -1 };
  return state;
}

/** Makes every cursor of a cache look its place up again. */
export function invalidateCursors(cache: PageCache): void {
  for (const state of statesOf.get(cache) ?? []) if (state !== undefined) state.moves += 1;
}
