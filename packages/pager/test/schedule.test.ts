// Goal: in whatever order syncs, deferred calls and timers of several processes come, acknowledged commits stay, every read sees one
// commit and never an older one than before, nobody who does nothing keeps anything, and everything comes to an end.
// Method: two to four processes on one simulated disk; a seed picks every step (SimSchedule of vfs), interrupts and kills processes, sets
// the clock both ways, and lets the power fail; a ledger knows what was promised. Faults of the platform show that it would be noticed.
import { describe, expect, test } from 'vitest';
import { CANARIES } from './support/breakages.ts';
import { seeds } from './support/random.ts';
import { runSchedule } from './support/schedule-run.ts';
import { groupsOf, Schedules } from './support/schedules.ts';

const SEEDS = seeds(500);
const schedules = new Schedules();

describe('schedules', () => {
  test.each(groupsOf(SEEDS, 50))('seeds %i to %i', async (_first, _last, group) => {
    for (const seed of group) await schedules.run(seed);
  });

  test('the floor is reached', () => {
    console.log(schedules.summary());
    schedules.expectFloor(expect, SEEDS.length);
  });
});

test('one seed is one schedule, down to the bytes on the disk; another seed is another', async () => {
  const [first, again, other] = [await runSchedule(7), await runSchedule(7), await runSchedule(8)];
  expect(again).toEqual(first);
  expect(other.trace).not.toBe(first.trace);
  expect(other.disk).not.toBe(first.disk);
});

/** Seeds whose runs failed once, here or in the engine. */
test.each([
  [1004, 'a process blocks for WRITE, which another one keeps until a promise is followed'],
  [1012, 'the implicit view of a turn is older than a snapshot that is taken in it'],
  [1257, 'a process dies in the last step of its script'],
])('seed %i: %s', async (seed) => {
  await expect(runSchedule(seed)).resolves.toMatchObject({ steps: expect.any(Number) as number });
});

/** Seeds among which each fault is noticed. */
const TRIES = 40;

describe('noticed', () => {
  test.each(CANARIES)('$name', async ({ breakage, noticed }) => {
    let found: unknown;
    for (let seed = 1; seed <= TRIES && found === undefined; seed += 1) {
      await runSchedule(seed, breakage()).catch((error: unknown) => (found = error));
    }
    expect(String(found)).toMatch(noticed);
    expect(found).not.toBeInstanceOf(TypeError);
    expect((found as Error).cause).not.toBeInstanceOf(TypeError);
  });
});
