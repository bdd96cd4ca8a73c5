// Goal: whatever is done to a graph, in whatever order, it reads like plain Maps, on the newest commit, in snapshots and
// inside transactions; the file stays sound and loses no page.
// Method: fast-check runs of 60 operations over the whole API (support/graph-runs.ts): statements, refused statements,
// transactions, savepoints, snapshots, checkpoints, reopening, in caches of 8 to 32 pages of 4 KiB. The seed is printed when
// a run fails; SOMBRA_SEED=n replays it, SOMBRA_RUNS=n makes n runs.
import fc from 'fast-check';
import { test } from 'vitest';
import { runAll, runs } from './support/graph-runs.ts';
import { suiteRuns, suiteSeed } from './support/random.ts';

test('a graph is its model, after 60 operations of every kind', () => {
  fc.assert(fc.property(fc.integer({ min: 8, max: 32 }), runs(60), runAll), {
    seed: suiteSeed(20_260_101),
    numRuns: suiteRuns(600),
  });
}, 600_000);
