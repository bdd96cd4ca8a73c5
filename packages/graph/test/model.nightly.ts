// Goal and method as in model.test.ts, with 20,000 runs of a new seed, which is printed. Each run has a turn of the event loop of its own,
// so that what it left is freed.
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { test } from 'vitest';
import { runAll, runs } from './support/graph-runs.ts';
import { suiteRuns, suiteSeed } from './support/random.ts';

test('a graph is its model, in many runs', async () => {
  const seed = suiteSeed(Date.now() % 2 ** 31);
  console.log(`SOMBRA_SEED=${seed}`);
  const run = async (...[cacheSize, steps]: Parameters<typeof runAll>): Promise<void> => {
    runAll(cacheSize, steps);
    await nextTurn();
  };
  const property = fc.asyncProperty(fc.integer({ min: 8, max: 32 }), runs(60), run);
  await fc.assert(property, { seed, numRuns: suiteRuns(20_000) });
});
