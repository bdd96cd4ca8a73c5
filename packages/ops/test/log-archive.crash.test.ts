// Goal (T13): whatever a power loss, a kill or an error leaves while the log is archived, the archive has no gap and everything that a pass has acknowledged, and
// nothing that the database does not have; the next archiver goes on. Method: every operation of a script is the last one, on a simulated
// disk that holds the database and the archive; every call of the archiver fails once.
import { seeds } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { archiveCrashSweep, archiveFaultSweep } from './support/archive-sweep.ts';
import { Tally } from './support/backup-sweep.ts';

const tally = new Tally();

test.each(seeds(2))('a crash at every operation, seed %i', async (seed) => {
  await archiveCrashSweep(seed, { fullyOneOf: 13, turns: 6 }, tally);
});

describe('an error at a call', () => {
  test.each(['EIO', 'ENOSPC', 'EMFILE', 'EACCES'])('%s', async (action) => {
    await archiveFaultSweep(7, action, 41, tally);
  });
});

test('canary: an archive of commits that are not durable in the database is found out', async () => {
  const broken = { fullyOneOf: 3, turns: 3, forgetsTheDatabase: true, syncMode: 'off' } as const;
  await expect(archiveCrashSweep(1001, broken, new Tally())).rejects.toThrow(/seed 1001, off, before operation/);
});

test('the floor is reached', () => {
  const { images, restored, wentOn, failures } = tally;
  console.log(`archives: ${images} crash images, ${restored} restores, ${wentOn} went on, ${failures} failing calls`);
  expect(images).toBeGreaterThan(300);
  expect(restored).toBeGreaterThan(20);
  expect(wentOn).toBeGreaterThan(20);
  expect(failures).toBeGreaterThan(10);
});
