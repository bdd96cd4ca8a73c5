// Goal and method as in connection-faults.test.ts, for what lasts until the end of the step, and for what the system refuses: a device
// that has gone, full disks, no descriptors, no permission, reads and writes that are short.
import { expect, test } from 'vitest';
import { KINDS, sweep } from './support/shared-sweep.ts';

const FLOOR = 2600;
const seed = Number(process.env['SOMBRA_SEED'] ?? 5);
let runs = 0;

test.each(KINDS)('$name', async ({ kind, oneOf, expected, poisonedBy }) => {
  const result = await sweep(kind, oneOf, seed);
  runs += result.runs;
  expect(result.wrong).toEqual([]);
  expect([...result.codes]).toEqual(expected.length === 0 ? [] : expect.arrayContaining([...expected]));
  if (poisonedBy === undefined) return;
  // What was refused did not happen: no commit is in doubt, and nothing is poisoned.
  expect([...result.poisonedBy].filter((call) => !poisonedBy.test(call))).toEqual([]);
});

test('the floor is reached', () => {
  console.log(`refusals beside other connections: ${runs} runs`);
  expect(runs).toBeGreaterThanOrEqual(FLOOR);
});
