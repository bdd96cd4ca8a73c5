// The faults of connection-faults.test.ts and connection-limits.test.ts: every call, every kind, with several seeds.
import { expect, test } from 'vitest';
import { KINDS, sweep } from './support/shared-sweep.ts';

const PER_SEED = 10_000;
const first = Number(process.env['SOMBRA_SEED'] ?? 5);
const rounds = [first, first + 1, first + 2];
let runs = 0;

for (const seed of rounds) {
  test.each([
    ...KINDS.map(({ name, kind }) => ({ name, kind })),
    { name: 'any call fails once', kind: { op: 'any', action: 'EIO' } as const },
  ])(`seed ${seed}, $name`, async ({ kind }) => {
    const result = await sweep(kind, 1, seed);
    runs += result.runs;
    expect(result.wrong).toEqual([]);
  });
}

test('the floor is reached', () => {
  console.log(`faults beside other connections: ${runs} runs`);
  expect(runs).toBeGreaterThanOrEqual(PER_SEED * rounds.length);
});
