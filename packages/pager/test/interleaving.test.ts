// Goal: no order in which two processes move makes a reader see anything but one commit, loses a commit, or calls anything damaged.
// Method: scripts of several processes on one simulated disk; between any two calls of one of them that others can notice, another
// one reads, writes, checkpoints, opens or closes; everything is compared with a model, also after a power loss.
import { afterAll, expect, test } from 'vitest';
import type { Move } from './support/interleave.ts';
import { interleave, MOVES } from './support/interleave.ts';
import { seeds } from './support/random.ts';
import { SUCCESSIONS } from './support/successions.ts';

const STRIDE = 61;
let places = 0;
const started = process.cpuUsage();

const cases = SUCCESSIONS.flatMap((succession) =>
  succession.interrupted.flatMap((interrupted) =>
    (Object.keys(MOVES) as Move[]).map((move) => [succession.name, interrupted, move, succession] as const),
  ),
);

test.each(cases)('%s: process %i is interrupted, another one %s', async (_name, interrupted, move, succession) => {
  const [seed] = seeds(1);
  const first = 1 + ((Object.keys(MOVES).indexOf(move) * 5 + interrupted) % STRIDE);
  const count = await interleave(succession, interrupted, move, { seed: seed!, first, stride: STRIDE });
  places += count.places;
  expect(count.places).toBeGreaterThan(0);
});

afterAll(() => {
  const { user, system } = process.cpuUsage(started);
  console.log(`several processes: ${places} interruptions, ${Math.round((user + system) / 1_000_000)} s of one core`);
});
