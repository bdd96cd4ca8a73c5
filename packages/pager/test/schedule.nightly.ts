// Goal and method: as schedule.test.ts, many more.
import { expect, test } from 'vitest';
import { seeds } from './support/random.ts';
import { groupsOf, Schedules } from './support/schedules.ts';

const SEEDS = seeds(20_000, 100_000);
const schedules = new Schedules();

test.each(groupsOf(SEEDS, 500))('seeds %i to %i', async (_first, _last, group) => {
  for (const seed of group) await schedules.run(seed);
});

test('the floor is reached', () => {
  console.log(schedules.summary());
  schedules.expectFloor(expect, SEEDS.length);
});
