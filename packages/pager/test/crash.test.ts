// Goal: no crash loses an acknowledged commit, shows a part of one, or leaves a file that cannot be opened and written.
// Method: crash enumeration (support/crash-sweep.ts) over every operation of every script, on a simulated disk that keeps, loses,
// tears and reorders whatever no sync covers. Each image is recovered; what is found must be one commit of the model, not older
// than the newest acknowledged one (in mode full; in mode normal than the newest synced one, with the log in memory than the
// last checkpoint) and not newer than the newest attempted one. Then check() finds nothing, no page is lost, a second recovery
// changes nothing, a new commit works, no file and no descriptor is left over. Some recoveries are crashed again.
// The canaries skip a sync each, and must be caught: proof that the enumeration can see.
// SOMBRA_SEED replays; a failing image names script, seed, operation and what was lost.
import { expect, test } from 'vitest';
import { BrokenPromise, sweep, SweepCount } from './support/crash-sweep.ts';
import { BATCHES, SCRIPTS } from './support/scripts.ts';
import type { Lies } from './support/wrapped-vfs.ts';

const FLOOR = 3000;
const seed = Number(process.env['SOMBRA_SEED'] ?? 1000);
const total = new SweepCount();
let milliseconds = 0;

test.each(SCRIPTS)('$name', async (script) => {
  const started = performance.now();
  const count = await sweep(script, { seed, randomImages: 1, nestedOneOf: 150 });
  milliseconds += performance.now() - started;
  total.add(count);
  expect(count.images).toBeGreaterThan(count.points);
});

test(BATCHES.name, async () => {
  total.add(await sweep(BATCHES, { seed, randomImages: 1, nestedOneOf: 0, killRate: 0, pointsOneOf: 10 }));
});

test('the floor is reached', () => {
  console.log(
    `crash images: ${total.images} at ${total.points} operations of ${SCRIPTS.length + 1} scripts, ${total.nested} of them in recovery, ${Math.round(milliseconds)} ms`,
  );
  expect(total.images).toBeGreaterThanOrEqual(FLOOR);
});

const CANARIES: [what: string, lies: Lies, script: string][] = [
  ['the log', { sync: /\.spare$/, kind: 'data' }, 'rollbacks and savepoints'],
  ['the header of a new segment', { sync: /\.spare$/, kind: 'full' }, 'rotation and recycled segments'],
  ['the double-write area', { sync: /-dw$/ }, 'checkpoints'],
  ['the main file', { sync: /t\.db$/ }, 'rotation and recycled segments'],
  ['the main file before the commit of a bulk load', { sync: /t\.db$/ }, 'bulk loads into free pages'],
  ['the main file, with the log in memory', { sync: /t\.db$/ }, 'log in memory'],
  ['the directory', { syncDir: /t\.db/ }, 'checkpoints'],
  ['the directory while a segment is sealed', { syncDir: /-\d+-wal$/ }, 'rotation and recycled segments'],
  ['the directory once there is a double-write area', { syncDir: /-dw$/ }, 'checkpoints'],
];

test.each(CANARIES)('canary: without syncs of %s a promise is broken', async (_what, lies, script) => {
  const { name, ...rest } = SCRIPTS.find((one) => one.name === script)!;
  const careless = sweep({ name, ...rest }, { seed, randomImages: 3, nestedOneOf: 0, killRate: 0, lies });
  await expect(careless).rejects.toThrow(BrokenPromise);
});
