// The damaged files of corruption.test.ts, many more.
import { expect, test } from 'vitest';
import { sweepDamage } from './support/damage-sweep.ts';
import { seeds } from './support/random.ts';

const CASES = 10_000;

test.each(seeds(10, 6000))('seed %i', async (seed) => {
  const { cases, verdicts } = await sweepDamage(seed, CASES);
  console.log(`damaged files: ${cases}: ${JSON.stringify(Object.fromEntries(verdicts))}`);
  expect(cases).toBe(CASES);
});
