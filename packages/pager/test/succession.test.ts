// Goal: whichever process dies, and wherever, the others go on: every acknowledged commit is there for all, snapshots stay as they are,
// none waits for the dead, nothing is called damaged; and a crash of all, or a power loss, takes nothing that was promised.
// Method: scripts of several processes on one simulated disk; one of them is killed before each call that others can notice (also
// in the middle of a write); the others read, write, checkpoint and close; crash images are recovered and compared with a model.
import { afterAll, expect, test } from 'vitest';
import { killSweep } from './support/kill-sweep.ts';
import { seeds } from './support/random.ts';
import { randomSuccession, SUCCESSIONS } from './support/successions.ts';

let kills = 0;
let images = 0;
const started = process.cpuUsage();

const cases = SUCCESSIONS.flatMap((succession) =>
  succession.victims.map((victim) => [succession.name, victim, succession] as const),
);

test.each(cases)('%s: process %i dies', async (_name, victim, succession) => {
  const [seed] = seeds(1);
  const count = await killSweep(succession, victim, { seed: seed!, first: 1, stride: 1, images: 1 });
  kills += count.kills;
  images += count.images;
  expect(count.kills).toBeGreaterThan(20);
});

test.each(seeds(2))('random steps of three processes, seed %i', async (seed) => {
  const succession = randomSuccession(seed);
  for (const victim of succession.victims) {
    const count = await killSweep(succession, victim, { seed, first: 1 + (seed % 61), stride: 61, images: 1 });
    kills += count.kills;
    images += count.images;
    expect(count.kills).toBeGreaterThan(0);
  }
});

afterAll(() => {
  const { user, system } = process.cpuUsage(started);
  console.log(
    `several processes: ${kills} kills, ${images} crash images, ${Math.round((user + system) / 1_000_000)} s of one core`,
  );
  if (process.env['SOMBRA_SEED'] === undefined && process.env['SOMBRA_RUNS'] === undefined)
    expect(images).toBeGreaterThan(2000);
});
