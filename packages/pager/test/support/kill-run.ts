// Kills of a process that writes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Random } from '@sombra/vfs/testing';
import { openAndExamine } from './kill-model.ts';

const writer = fileURLToPath(new URL('writer-process.mjs', import.meta.url));

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

/** What came of it. */
export interface KillCount {
  readonly kills: number;
  readonly commits: number;
  /** Commits that were found, and had not been acknowledged yet. */
  readonly more: number;
}

/** Kills a writer again and again over the same file, and examines the file each time at once. Rejects when something is wrong. */
export async function killRepeatedly(kills: number, seed: number): Promise<KillCount> {
  const directory = mkdtempSync(join(tmpdir(), 'sombra-kill-'));
  try {
    const random = new Random(seed);
    let commits = 0;
    let more = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      const acknowledged = await writeAndKill(join(directory, 'killed.db'), 1 + random.below(120));
      if (!(acknowledged > commits))
        throw new Error(`commit ${acknowledged} was acknowledged after ${commits} had been found`);
      commits = openAndExamine(join(directory, 'killed.db'), acknowledged);
      more += commits - acknowledged;
      const names = readdirSync(directory).join();
      if (names !== 'killed.db') throw new Error(`left over: ${names}`);
    }
    return { kills, commits, more };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
