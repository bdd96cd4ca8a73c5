// Goal: kill -9 loses no acknowledged commit, breaks nothing, and leaves no lock behind.
// Method: a process writes to a file on the real file system and names each commit on a pipe after it was acknowledged. It is
// killed at a random moment, twenty times over the same file, each time examined at once and in full (support/kill-model.ts).
import { expect, test } from 'vitest';
import { requireBuild } from './support/build.ts';
import { killRepeatedly } from './support/kill-run.ts';

const KILLS = 20;
const seed = Number(process.env['SOMBRA_SEED'] ?? 1);

test(`${KILLS} kills`, async () => {
  requireBuild();
  const { kills, commits, more } = await killRepeatedly(KILLS, seed);
  console.log(
    `kills: ${kills}; ${commits} commits, every acknowledged one found, and ${more} that were not acknowledged yet`,
  );
  expect(commits).toBeGreaterThanOrEqual(KILLS);
}, 180_000);
