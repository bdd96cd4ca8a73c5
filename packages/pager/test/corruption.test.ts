// Goal: a damaged file gives the right answer or an error that says so, never a wrong value, another kind of error, or a hang.
// Method: files of six databases (closed, with logs, in the middle of a checkpoint) are damaged at random: bits, sectors, swapped
// pages, cut and extended files. Each is opened and read whole, written, closed, opened and read again, all compared with the
// model. What nothing can reveal is allowed and counted: a log that lost its end.
import { expect, test } from 'vitest';
import { sweepDamage } from './support/damage-sweep.ts';

const CASES = 1000;
const seed = Number(process.env['SOMBRA_SEED'] ?? 4242);

test('damaged files', async () => {
  const { cases, verdicts } = await sweepDamage(seed, CASES);
  console.log(`damaged files: ${cases}: ${JSON.stringify(Object.fromEntries(verdicts))}`);
  expect(cases).toBe(CASES);
  // Otherwise the damage missed everything.
  expect(verdicts.get('refused')).toBeGreaterThan(CASES / 10);
  expect(verdicts.get('some pages refused')).toBeGreaterThan(CASES / 20);
  expect(verdicts.get('unharmed')).toBeGreaterThan(CASES / 20);
});
