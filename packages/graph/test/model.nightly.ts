// Goal and method as in model.test.ts, with 20,000 runs of a new seed, which is printed.
import fc from 'fast-check';
import { test } from 'vitest';
import { runAll, runs } from './support/graph-runs.ts';
import { suiteRuns, suiteSeed } from './support/random.ts';

test('a graph is its model, in many runs', () => {
  const seed = suiteSeed(Date.now() % 2 ** 31);
  console.log(`SOMBRA_SEED=${seed}`);
  fc.assert(fc.property(fc.integer({ min: 8, max: 32 }), runs(60), runAll), { seed, numRuns: suiteRuns(20_000) });
});
