// Goal and method: as log-archive.crash.test.ts, with many more seeds, longer scripts, and every call failing.
import { seeds } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { archiveCrashSweep, archiveFaultSweep } from './support/archive-sweep.ts';
import { Tally } from './support/backup-sweep.ts';

const tally = new Tally();
const SEEDS = seeds(40, 7000);

test.each(SEEDS)('a crash at every operation, seed %i', async (seed) => {
  await archiveCrashSweep(seed, { fullyOneOf: 7, turns: 12 }, tally);
});

describe('an error at every call', () => {
  test.each(['EIO', 'ENOSPC', 'EMFILE', 'EACCES'])('%s', async (action) => {
    await archiveFaultSweep(SEEDS[0]!, action, 1, tally);
  });
});

test('the floor is reached', () => {
  const { images, restored, wentOn, failures } = tally;
  console.log(`archives: ${images} crash images, ${restored} restores, ${wentOn} went on, ${failures} failing calls`);
  expect(images).toBeGreaterThan(SEEDS.length * 500);
});
