// The crash enumeration of crash.test.ts with larger counts: more policies at each point, more crashes within recovery, more
// random scripts. SOMBRA_RUNS sets the number of random scripts.
import { seeds } from '@sombra/vfs/testing';
import { afterAll, expect, test } from 'vitest';
import { randomScript, SCRIPTS } from './support/log-scripts.ts';
import { sweep } from './support/log-sweep.ts';

let images = 0;

test.each(SCRIPTS.map((script) => [script.name, script] as const))('%s', (_name, script) => {
  for (const seed of [1, 2, 3, 4, 5]) images += sweep(script, { seed, more: 10, nested: 0.05 }).images;
});

test.each(seeds(200))('random steps %i', (seed) => {
  images += sweep(randomScript(seed), { seed, more: 4, nested: 0.05 }).images;
});

afterAll(() => {
  console.log(`wal: ${images} crash images`);
  if (process.env['SOMBRA_SEED'] === undefined && process.env['SOMBRA_RUNS'] === undefined)
    expect(images).toBeGreaterThan(100_000);
});
