// Goal and method: as succession.test.ts, interleaving.test.ts and poison.test.ts, at every place, with random steps, and more images.
import { afterAll, expect, test } from 'vitest';
import type { Move } from './support/interleave.ts';
import { interleave, MOVES } from './support/interleave.ts';
import { killSweep } from './support/kill-sweep.ts';
import { seeds } from './support/random.ts';
import { randomSuccession, SUCCESSIONS } from './support/successions.ts';
import type { Aftermath } from './support/sync-failures.ts';
import { syncFailures } from './support/sync-failures.ts';

const AFTERMATHS: readonly Aftermath[] = ['close', 'cure', 'die'];
const moves = Object.keys(MOVES) as Move[];
let images = 0;

test.each(SUCCESSIONS)('$name, at every place', async (succession) => {
  const [seed] = seeds(1);
  const everywhere = { seed: seed!, first: 1, stride: 1 };
  for (const victim of succession.victims)
    images += (await killSweep(succession, victim, { ...everywhere, images: 6 })).images;
  for (const interrupted of succession.interrupted) {
    for (const move of moves) images += (await interleave(succession, interrupted, move, everywhere)).images;
  }
  for (const aftermath of AFTERMATHS) images += (await syncFailures(succession, aftermath, everywhere)).images;
});

test.each(seeds(200))('random steps, seed %i', async (seed) => {
  const succession = randomSuccession(seed);
  for (const victim of succession.victims)
    images += (await killSweep(succession, victim, { seed, first: 1 + (seed % 5), stride: 5, images: 3 })).images;
  for (const interrupted of succession.interrupted) {
    images += (
      await interleave(succession, interrupted, moves[(seed + interrupted) % moves.length]!, {
        seed,
        first: 1 + (seed % 7),
        stride: 7,
      })
    ).images;
  }
  images += (await syncFailures(succession, AFTERMATHS[seed % 3]!, { seed, first: 1 + (seed % 3), stride: 3 })).images;
});

afterAll(() => {
  console.log(`several processes: ${images} crash images`);
  if (process.env['SOMBRA_SEED'] === undefined && process.env['SOMBRA_RUNS'] === undefined)
    expect(images).toBeGreaterThan(100_000);
});
