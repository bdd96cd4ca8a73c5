// Goal: whatever a power loss or a kill leaves of an append log, it opens without help and holds every record that was promised.
// Method: random scripts of appends, syncs, truncations, reopenings and full disks; a crash before every operation
// (support/append-sweep.ts).
import { seeds } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import { sweepAppendLog } from './support/append-sweep.ts';

test.each(seeds(5))('seed %i: a crash before every operation', (seed) => {
  expect(sweepAppendLog(seed, 1)).toBeGreaterThan(200);
});
