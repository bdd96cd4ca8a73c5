// The faults of faults.test.ts: every call, in every mode, with several seeds.
import { expect, test } from 'vitest';
import { FaultCount, MODES, sweepCalls, sweepSyncs } from './support/fault-sweep.ts';
import { seeds } from './support/random.ts';

const PER_SEED = 5000;
const count = new FaultCount();
const rounds = seeds(6, 9000);

for (const seed of rounds) {
  test.each(MODES)(`seed ${seed}, %s`, (_mode, options) => {
    for (const action of ['EIO', 'ENOSPC', 'EDQUOT', 'EMFILE', 'EACCES']) {
      for (const sticky of [false, true]) sweepCalls({ op: 'any', action, sticky }, options, 1, seed, count);
    }
    expect([...sweepCalls({ op: ['pwrite', 'pread'], action: { short: 7 } }, options, 1, seed, count)]).toEqual([]);
    for (const reached of ['nothing', 'some'] as const) sweepSyncs(reached, options, seed, count);
  });
}

test('the floor is reached', () => {
  console.log(`fault runs: ${count.runs}, ${count.poisoned} of them poisoned, ${count.images} power losses after that`);
  expect(count.runs).toBeGreaterThanOrEqual(PER_SEED * rounds.length);
});
