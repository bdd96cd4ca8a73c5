// Goal: as salvage.test.ts, with many more graphs.
import { test } from 'vitest';
import { checkSalvage } from './support/salvage-check.ts';

const RUNS = Number(process.env['SOMBRA_RUNS'] ?? 3000);
const SEED = Number(process.env['SOMBRA_SEED'] ?? 10_000);

test('random pages of random graphs are damaged', async () => {
  for (let seed = SEED; seed < SEED + RUNS; seed += 1) {
    try {
      await checkSalvage(seed, 20 + (seed % 200));
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});
