// Goal and method as in model-trees.test.ts and model-store.test.ts, with 20,000 runs of a new seed, which is printed. Each run has a turn
// of the event loop of its own, so that what it left is freed.
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { test } from 'vitest';
import { cacheSizes, runsOf } from './support/operations.ts';
import { runStore, STORE_WEIGHTS } from './support/store-runs.ts';
import { suiteRuns, suiteSeed } from './support/suite.ts';
import { runTrees, TREE_WEIGHTS } from './support/tree-runs.ts';

const parameters = { seed: suiteSeed(Date.now() % 2 ** 31), numRuns: suiteRuns(20_000) };
console.log(`SOMBRA_SEED=${parameters.seed}`);

test('trees and cursors are their model, in many runs', async () => {
  const run = async (cacheSize: number, steps: Parameters<typeof runTrees>[1]): Promise<void> => {
    runTrees(cacheSize, steps);
    await nextTurn();
  };
  await fc.assert(fc.asyncProperty(cacheSizes, runsOf(TREE_WEIGHTS, 60), run), parameters);
});

test('a key-value store is its model, in many runs', async () => {
  const run = async (cacheSize: number, steps: Parameters<typeof runStore>[1]): Promise<void> => {
    runStore(cacheSize, steps);
    await nextTurn();
  };
  await fc.assert(fc.asyncProperty(cacheSizes, runsOf(STORE_WEIGHTS, 60), run), parameters);
});
