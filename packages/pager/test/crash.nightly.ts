// The crash enumeration of crash.test.ts with many seeds, more images at each operation, every combination where few parts may
// be lost, and more recoveries that are crashed again.
import { expect, test } from 'vitest';
import { sweep, SweepCount } from './support/crash-sweep.ts';
import { seeds } from './support/random.ts';
import { BATCHES, SCRIPTS } from './support/scripts.ts';

const FLOOR = 100_000;
const total = new SweepCount();
const started = performance.now();
const rounds = seeds(8, 50_000);

for (const seed of rounds) {
  test.each([...SCRIPTS])(`seed ${seed}: $name`, async (script) => {
    total.add(await sweep(script, { seed, randomImages: 6, nestedOneOf: 40, exhaustiveParts: 4 }));
  });
  test(`seed ${seed}: ${BATCHES.name}`, async () => {
    total.add(await sweep(BATCHES, { seed, randomImages: 2, nestedOneOf: 0, pointsOneOf: 3 }));
  });
}

test('the floor is reached', () => {
  const perRound = FLOOR / 8;
  console.log(
    `crash images: ${total.images} at ${total.points} operations, ${total.nested} of them in recovery, ${Math.round(performance.now() - started)} ms`,
  );
  expect(total.images).toBeGreaterThanOrEqual(perRound * rounds.length);
});
