// Goal: kill -9 loses no acknowledged commit, breaks nothing, and leaves no lock behind.
// Method: a process writes to a file on the real file system and names each commit on a pipe after it was acknowledged. It is
// killed at a random moment, twenty times over the same file, each time examined at once and in full.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Random } from '@sombra/vfs/testing';
import { afterAll, expect, test } from 'vitest';
import { requireBuild } from './support/build.ts';
import { openAndExamine } from './support/kill-model.ts';

const KILLS = Number(process.env['SOMBRA_RUNS'] ?? 20);
const seed = Number(process.env['SOMBRA_SEED'] ?? 1);
const writer = fileURLToPath(new URL('support/writer-process.mjs', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'sombra-kill-'));

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Lets a process write until it has acknowledged `commits` more, and some microseconds longer. @returns the last one it named */
async function writeAndKill(path: string, commits: number): Promise<number> {
  const child = spawn(process.execPath, [writer, path], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (complaints += part));
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    if (text.split('\n').length > commits) child.kill('SIGKILL');
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(`the writer ended by itself (${code ?? signal}): ${complaints}`);
  const lines = text.split('\n');
  lines.pop(); // not ended by a line feed: cut short
  return Number(lines.at(-1));
}

test(`${KILLS} kills`, async () => {
  requireBuild();
  const random = new Random(seed);
  const path = join(directory, 'killed.db');
  let newest = 0;
  let lost = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const acknowledged = await writeAndKill(path, 1 + random.below(120));
    expect(acknowledged).toBeGreaterThan(newest);
    newest = openAndExamine(path, acknowledged);
    lost += newest - acknowledged;
    expect(readdirSync(directory)).toEqual(['killed.db']);
  }
  console.log(
    `kills: ${KILLS}, ${newest} commits, all acknowledged ones found, and ${lost} more that were not acknowledged yet`,
  );
}, 120_000);
