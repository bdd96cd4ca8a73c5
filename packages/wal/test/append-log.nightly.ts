// append-log.crash.test.ts with larger counts. SOMBRA_RUNS sets the number of scripts.
import { seeds } from '@sombra/vfs/testing';
import { afterAll, test } from 'vitest';
import { sweepAppendLog } from './support/append-sweep.ts';

let images = 0;

test.each(seeds(150))('seed %i', (seed) => {
  images += sweepAppendLog(seed, 6);
});

afterAll(() => console.log(`append log: ${images} crash images`));
