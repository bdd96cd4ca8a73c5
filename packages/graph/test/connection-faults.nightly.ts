// Goal: whatever call of the file system fails in one of two connections, the caller gets a typed error, no name and no commit
// is lost or doubled, no idle connection holds a lock or keeps a view, and the other one goes on (rules E1 to E4).
// Method: two connections, of one process and of two, live through scripts that touch everything (support/shared-steps.ts), once
// for each call of each that may fail. SOMBRA_SEED shifts which calls fail.
import { expect, test } from 'vitest';
import { SCRIPTS } from './support/shared-steps.ts';
import { sweep, undisturbed, type Kind } from './support/shared-sweep.ts';

const FLOOR = 3000;
const seed = Number(process.env['SOMBRA_SEED'] ?? 5);
let runs = 0;
let poisoned = 0;

test.each(SCRIPTS)('$name: without a fault nothing fails', async (script) => {
  for (const sameProcess of [false, true]) expect(await undisturbed(script, seed, sameProcess)).toEqual([]);
});

const KINDS: [name: string, kind: Kind, oneOf: number, codes: readonly string[]][] = [
  ['any call fails once', { op: 'any', action: 'EIO' }, 1, ['SOMBRA_IO', 'SOMBRA_SYNC', 'SOMBRA_COMMIT_UNKNOWN']],
  ['reads and writes are short', { op: ['pread', 'pwrite'], action: { short: 7 }, sticky: true }, 9, []],
];

test.each(KINDS)('%s', async (_name, kind, oneOf, codes) => {
  const result = await sweep(kind, oneOf, seed);
  runs += result.runs;
  poisoned += result.poisoned;
  expect(result.wrong).toEqual([]);
  expect([...result.codes]).toEqual(codes.length === 0 ? [] : expect.arrayContaining([...codes]));
});

test('the floor is reached', () => {
  console.log(`faults beside another connection: ${runs} runs, ${poisoned} of them poisoned`);
  expect(runs).toBeGreaterThanOrEqual(FLOOR);
  expect(poisoned).toBeGreaterThan(50);
});
