// Goal: the model of the kill, interleaving and sync sweeps (World) notices what it is there to notice.
// Method: faults of the platform that no engine could survive, in the same sweeps; each has to be reported as a broken promise.
import type { Vfs } from '@sombra/vfs';
import { expect, test } from 'vitest';
import { CANARIES } from './support/breakages.ts';
import { interleave } from './support/interleave.ts';
import { killSweep } from './support/kill-sweep.ts';
import { SUCCESSIONS } from './support/successions.ts';
import { BrokenPromise } from './support/world.ts';

type Sweep = (seen: (disk: Vfs) => Vfs) => Promise<unknown>;

/** Kills where commits wait for asynchronous syncs, kills at some places of every script, another process that commits at some places. */
const sweeps: readonly Sweep[] = [
  ...SUCCESSIONS.filter(({ name }) => name.startsWith('commits in groups')).map(
    (succession): Sweep =>
      (seen) =>
        killSweep(succession, 0, { seed: 1, first: 4, stride: 8, images: 1, seen }),
  ),
  ...SUCCESSIONS.flatMap((succession) =>
    succession.victims.map(
      (victim): Sweep =>
        (seen) =>
          killSweep(succession, victim, { seed: 1, first: 9, stride: 41, images: 2, seen }),
    ),
  ),
  ...SUCCESSIONS.map(
    (succession): Sweep =>
      (seen) =>
        interleave(succession, succession.interrupted[0]!, 'commits', { seed: 1, first: 9, stride: 41, seen }),
  ),
];

test.each(CANARIES)('$name', async ({ breakage }) => {
  let found: unknown;
  for (const sweep of sweeps) {
    await sweep(breakage()).catch((error: unknown) => (found = error));
    if (found !== undefined) break;
  }
  expect(found).toBeInstanceOf(BrokenPromise);
  expect((found as Error).cause).not.toBeInstanceOf(TypeError);
});
