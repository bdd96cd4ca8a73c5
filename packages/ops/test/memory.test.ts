// Goal: memory does not grow with the size of an object, nor of a database that is backed up and restored. Method: a process of its own writes and reads 12 MiB, then 192 MiB, in a directory and through HTTP, and
// tells the peaks of its memory. Runs the built package.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { folder } from './support/folder.ts';
import { BUCKET, CREDENTIALS, startS3rver } from './support/s3rver.ts';

const MIB = 1 << 20;
const LARGE = 192;
/** Garbage that V8 leaves lying about for a while; far below the size of the object. */
const GROWTH_MAX = 96 * MIB;

function growth(location: string, endpoint: string): Promise<number> {
  return growthOf('large.js', location, endpoint, String(LARGE));
}

async function growthOf(program: string, location: string, ...args: string[]): Promise<number> {
  expect(existsSync(fileURLToPath(new URL('../dist/index.js', import.meta.url))), 'run `pnpm build` first').toBe(true);
  const child = fork(fileURLToPath(new URL(`children/${program}`, import.meta.url)), [location, ...args], {
    execArgv: [],
    env: { ...process.env, ...CREDENTIALS, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  });
  const ended = once(child, 'exit');
  const died = ended.then(([code]: unknown[]): never => {
    throw new Error(`${program} ended with ${String(code)} and told nothing`);
  });
  died.catch(() => undefined); // it ends after it has told, too
  const [{ small, large }] = (await Promise.race([once(child, 'message'), died])) as [{ small: number; large: number }];
  await ended;
  process.stderr.write(`${location}: ${Math.round(small / MIB)} MiB, then ${Math.round(large / MIB)} MiB\n`);
  return large - small;
}

test('in a directory', async () => {
  expect(await growth(join(folder(), 'store'), '')).toBeLessThan(GROWTH_MAX);
});

test('in S3', async () => {
  const server = await startS3rver();
  try {
    expect(await growth(`s3://${BUCKET}/memory`, server.endpoint)).toBeLessThan(GROWTH_MAX);
  } finally {
    await server.close();
  }
});

test('a database that is backed up, verified and restored, full and incremental', async () => {
  expect(await growthOf('backup-memory.js', folder(), String(LARGE))).toBeLessThan(GROWTH_MAX);
});
