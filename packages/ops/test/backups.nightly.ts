// The sweep of backups.crash.test.ts with many seeds, more power losses at each operation, and every call failing.
import { expect, test } from 'vitest';
import { seeds } from '@sombra/vfs/testing';
import { crashSweep, faultSweep, Tally } from './support/backup-sweep.ts';

const FLOOR = 100_000;
const ROUNDS = 40;
const tally = new Tally();
const rounds = seeds(ROUNDS, 60_000);

test.each(rounds)('a crash at every operation, seed %i', async (seed) => {
  await crashSweep(seed, { perOperation: 8, fullyOneOf: 29 }, tally);
});

test.each(['EIO', 'ENOSPC', 'EMFILE', 'EACCES'])('%s at every call', async (action) => {
  await faultSweep(11, action, 1, tally);
});

test('the floor is reached', () => {
  console.log(tally);
  expect(tally.images).toBeGreaterThanOrEqual((FLOOR / ROUNDS) * rounds.length);
});
