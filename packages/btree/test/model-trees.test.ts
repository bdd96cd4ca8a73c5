// Goal: whatever is done to trees, in whatever order, they read like sorted maps, on the newest commit, in snapshots and
// inside transactions, and cursors keep their place; the file stays sound and loses no page.
// Method: fast-check runs of 60 operations on a pager (support/tree-runs.ts): puts, deletes, changes in place, bulk builds, drops,
// cursors, savepoints, rollbacks, snapshots, checkpoints, reopening, on MemoryVfs in caches of 8 to 32 pages of 4 KiB. A failing
// run prints its seed; SOMBRA_SEED=n replays it, SOMBRA_RUNS=n makes n runs.
import fc from 'fast-check';
import { test } from 'vitest';
import { cacheSizes, runsOf } from './support/operations.ts';
import { suiteRuns, suiteSeed } from './support/suite.ts';
import { runTrees, TREE_WEIGHTS } from './support/tree-runs.ts';

test('trees and cursors are their model, after 60 operations of every kind', () => {
  fc.assert(fc.property(cacheSizes, runsOf(TREE_WEIGHTS, 60), runTrees), {
    seed: suiteSeed(20_260_102),
    numRuns: suiteRuns(500),
  });
}, 300_000);

test('a cursor is placed at the newest commit, in a tree that the open transaction has dropped', () => {
  runTrees(8, [
    ['put', 111017, 0, 0],
    ['snapshot', 0, 0, 0],
    ['begin', 0, 0, 0],
    ['dropTree', 8, 0, 0],
    ['placeCursor', 837077, 0, 0],
    ['commit', 0, 0, 0],
    ['placeCursor', 551666, 0, 0],
  ]);
});
