// Goal: whatever is done to a key-value store, in whatever order, it reads like sorted maps, on the newest commit, in snapshots
// and inside nested transactions, and iterators keep their place; the file stays sound and loses no page.
// Method: fast-check runs of 60 operations over the whole API (support/store-runs.ts), with callbacks that return, throw or give
// promises, on MemoryVfs in caches of 8 to 32 pages of 4 KiB. A failing run prints its seed; SOMBRA_SEED=n replays it,
// SOMBRA_RUNS=n makes n runs.
import fc from 'fast-check';
import { test } from 'vitest';
import { cacheSizes, runsOf } from './support/operations.ts';
import { runStore, STORE_WEIGHTS } from './support/store-runs.ts';
import { suiteRuns, suiteSeed } from './support/suite.ts';

test('a key-value store is its model, after 60 operations of every kind', () => {
  fc.assert(fc.property(cacheSizes, runsOf(STORE_WEIGHTS, 60), runStore), {
    seed: suiteSeed(20_260_103),
    numRuns: suiteRuns(500),
  });
}, 300_000);
