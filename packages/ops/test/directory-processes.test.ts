// Goal: between processes exactly one put with ifAbsent wins, and a writer that is killed leaves the old object or the new one. Method: real processes on the
// built package; those of a race start together, a lone writer is killed with SIGKILL again and again at a moment drawn from a seed.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Random, seeds } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import { openObjectStore } from '../src/index.ts';
import { folder } from './support/folder.ts';
import { contentOf, keysOf, textOf } from './support/objects.ts';

const ROUNDS = 60;
const KILLS = 8;

function start(name: string, ...args: string[]): ChildProcess {
  expect(existsSync(fileURLToPath(new URL('../dist/index.js', import.meta.url))), 'run `pnpm build` first').toBe(true);
  return fork(fileURLToPath(new URL(`children/${name}`, import.meta.url)), args, { execArgv: [] });
}

test('of two processes that put with ifAbsent exactly one wins', async () => {
  const location = join(folder(), 'store');
  const racers = ['one', 'two'].map((name) => ({ name, child: start('race.js', location, String(ROUNDS), name) }));
  await Promise.all(racers.map(({ child }) => once(child, 'message')));
  const told = racers.map(({ child }) => once(child, 'message') as Promise<[{ won: number[] }]>);
  for (const { child } of racers) child.send('go');
  const results = (await Promise.all(told)).map(([{ won }]) => won);
  expect(results.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: ROUNDS }, (_, round) => round));
  const store = await openObjectStore(location);
  for (const [index, won] of results.entries()) {
    for (const round of won) expect(textOf(await contentOf(store, `race/${round}`))).toBe(racers[index]!.name);
  }
  expect((await keysOf(store)).length).toBe(ROUNDS);
  expect(readdirSync(join(location, '.sombra')).filter((name) => name !== 'lock')).toEqual([]);
});

test.each(seeds(1))('seed %i: a writer is killed again and again', async (seed) => {
  const dice = new Random(seed);
  const location = join(folder(), 'store');
  const store = await openObjectStore(location);
  await store.put('a', new Uint8Array(2_500_000).fill(97));
  const found = new Set<string>();
  for (let kill = 0; kill < KILLS; kill += 1) {
    const child = start('put-again.js', location, String(kill));
    await once(child, 'message');
    // Between the first put and some later one; the time need not be exact.
    await new Promise((resolve) => setTimeout(resolve, dice.below(40)));
    child.kill('SIGKILL');
    await once(child, 'close');
    const content = await contentOf(store, 'a');
    expect(content.length, `kill ${kill}`).toBe(2_500_000);
    expect(
      content.every((byte) => byte === content[0]),
      `kill ${kill}`,
    ).toBe(true);
    found.add(String.fromCharCode(content[0]!));
    expect(await keysOf(store)).toEqual(['a']);
    expect(await store.sweep()).toBeLessThanOrEqual(1);
    expect(readdirSync(join(location, '.sombra')).filter((name) => name !== 'lock')).toEqual([]);
  }
  expect([...found].sort().join('')).toMatch(/^a?b?$/);
});
