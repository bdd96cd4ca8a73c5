// The kills of kill.test.ts, many more.
import { expect, test } from 'vitest';
import { requireBuild } from './support/build.ts';
import { killRepeatedly } from './support/kill-run.ts';
import { seeds } from './support/random.ts';

test.each(seeds(15, 700))('seed %i: 20 kills', async (seed) => {
  requireBuild();
  const { commits } = await killRepeatedly(20, seed);
  expect(commits).toBeGreaterThanOrEqual(20);
});
