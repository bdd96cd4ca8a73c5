// Goal: whatever call of the file system fails in one of several connections, the caller gets a typed error, no name and no commit
// is lost or doubled, no idle connection holds a lock or keeps a view, and the others go on (rules E1 to E4).
// Method: two or three connections, of one process and of several, live through scripts that touch everything
// (support/shared-steps.ts), once for each call of each that may fail, while the time of day jumps. SOMBRA_SEED shifts which calls
// fail. With connection-limits.test.ts and faults.test.ts of the pager there are 7,000 runs at least.
import { expect, test } from 'vitest';
import { SCRIPTS } from './support/shared-steps.ts';
import { sweep, undisturbed } from './support/shared-sweep.ts';

const FLOOR = 3300;
const seed = Number(process.env['SOMBRA_SEED'] ?? 5);
let runs = 0;
let poisoned = 0;

test.each(SCRIPTS)('$name: without a fault nothing fails', async (script) => {
  for (const sameProcess of [false, true]) expect(await undisturbed(script, seed, sameProcess)).toEqual([]);
});

test.each(SCRIPTS)('$name: any call fails once', async (script) => {
  const result = await sweep({ op: 'any', action: 'EIO' }, 1, seed, [script]);
  runs += result.runs;
  poisoned += result.poisoned;
  expect(result.wrong).toEqual([]);
  expect([...result.codes]).toEqual(expect.arrayContaining(['SOMBRA_IO', 'SOMBRA_SYNC']));
});

test('the floor is reached', () => {
  console.log(`faults beside other connections: ${runs} runs, ${poisoned} of them poisoned`);
  expect(runs).toBeGreaterThanOrEqual(FLOOR);
  expect(poisoned).toBeGreaterThan(50);
});
