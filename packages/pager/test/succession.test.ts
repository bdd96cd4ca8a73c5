// Goal: whoever dies, and wherever, the others go on: every acknowledged commit is there for everybody, snapshots stay as they are,
// nobody waits for the dead, nothing is called damaged; and a power loss afterwards takes nothing that was promised.
// Method: scripts of several processes on one simulated disk; one of them is killed before each call that others can notice; the
// others read, write, checkpoint and close; crash images are recovered and compared with a model.
import { afterAll, expect, test } from 'vitest';
import { killSweep } from './support/kill-sweep.ts';
import { SUCCESSIONS } from './support/successions.ts';
import { seeds } from './support/random.ts';

let kills = 0;
let images = 0;
const started = Date.now();

const cases = SUCCESSIONS.flatMap((succession) =>
  succession.victims.map((victim) => [succession.name, victim, succession] as const),
);

test.each(cases)('%s: process %i', async (_name, victim, succession) => {
  const [seed] = seeds(1);
  const t0 = Date.now();
  const count = await killSweep(succession, victim, { seed: seed!, first: 1, stride: 1, images: 1 });
  console.log(_name, victim, count, Date.now() - t0);
  kills += count.kills;
  images += count.images;
  expect(count.kills).toBeGreaterThan(50);
});

afterAll(() => {
  console.log(`killed ${kills} times, ${images} crash images, ${Date.now() - started} ms`);
});
