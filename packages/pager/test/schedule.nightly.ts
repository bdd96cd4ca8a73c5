// Goal and method: as schedule.test.ts, many more.
import { afterAll, expect, test } from 'vitest';
import { seeds } from './support/random.ts';
import { groupsOf, Schedules } from './support/schedules.ts';

const schedules = new Schedules();

test.each(groupsOf(seeds(20_000, 100_000), 500))('seeds %i to %i', async (_first, _last, group) => {
  for (const seed of group) await schedules.run(seed);
});

afterAll(() => {
  console.log(schedules.summary());
  if (process.env['SOMBRA_SEED'] === undefined && process.env['SOMBRA_RUNS'] === undefined)
    schedules.expectFloor(expect, 20_000);
});
