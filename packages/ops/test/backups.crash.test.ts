// Goal (T13): whatever a power loss, a kill or an error leaves while backups are made and removed, the repository lists only whole backups, those that were
// acknowledged among them; each restores to exactly one committed state; the database still holds that commit, so that the next incremental backup is of the
// same history. Method: every operation of a script is the last one, on a simulated disk; every call fails once.
import { describe, expect, test } from 'vitest';
import { seeds } from '@sombra/vfs/testing';
import { crashSweep, faultSweep, Tally } from './support/backup-sweep.ts';

const tally = new Tally();

test.each(seeds(2))('a crash at every operation, seed %i', async (seed) => {
  await crashSweep(seed, { perOperation: 1, fullyOneOf: 23 }, tally);
});

describe('an error at a call', () => {
  test.each(['EIO', 'ENOSPC', 'EMFILE', 'EACCES'])('%s', async (action) => {
    await faultSweep(7, action, 17, tally);
  });
});

test('canary: backups of commits that are not durable in the database are found out', async () => {
  const broken = { perOperation: 1, fullyOneOf: 1, forgetsTheDatabase: true, syncMode: 'off' } as const;
  await expect(crashSweep(1001, broken, new Tally())).rejects.toThrow(/seed 1001, off, before operation/);
});

test('the floor is reached', () => {
  const { images, restored, wentOn, failures } = tally;
  console.log(`backups: ${images} crash images, ${restored} restores, ${wentOn} went on, ${failures} failing calls`);
  expect(images).toBeGreaterThan(500);
  expect(restored).toBeGreaterThan(50);
  expect(wentOn).toBeGreaterThan(20);
  expect(failures).toBeGreaterThan(20);
});
