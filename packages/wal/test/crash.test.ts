// Goal: whatever a power loss or a kill leaves of a log, recovery finds every record that was promised, no record that was not
// written there, and a log that goes on; again when it is interrupted itself. Method: scripts on SimDisk, a crash before every
// operation under several policies (support/log-sweep.ts), the history of attempts as oracle (support/log-life.ts). Canaries at
// the end: a disk that lies about one kind of sync must be caught.
import { seeds } from '@sombra/vfs/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { codeOf } from './support/files.ts';
import { randomScript, SCRIPTS } from './support/log-scripts.ts';
import { sweep } from './support/log-sweep.ts';
import type { Script } from './support/log-sweep.ts';

let images = 0;

function run(script: Script, seed: number, nested: number): void {
  const count = sweep(script, { seed, more: 1, nested });
  expect(count.images).toBeGreaterThan(count.points);
  images += count.images;
}

describe('a crash before every operation', () => {
  test.each(SCRIPTS.map((script) => [script.name, script] as const))('%s', (_name, script) => run(script, 1, 0.01));
  test.each(seeds(4).map((seed) => [randomScript(seed).name, seed] as const))('%s', (_name, seed) =>
    run(randomScript(seed), seed, 0.01),
  );

  afterAll(() => {
    console.log(`wal: ${images} crash images`);
    if (process.env['SOMBRA_SEED'] === undefined && process.env['SOMBRA_RUNS'] === undefined)
      expect(images).toBeGreaterThan(2000);
  });
});

describe('canaries: a disk that skips a sync is caught', () => {
  test.each(['sync', 'syncDir'] as const)('%s', (lie) => {
    const outcomes = SCRIPTS.map((script) => codeOf(() => sweep(script, { seed: 1, more: 0, nested: 0, lie })));
    expect(outcomes.filter((outcome) => outcome !== 'no error')).not.toEqual([]);
  });
});
