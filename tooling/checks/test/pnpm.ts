import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './repository.ts';

/** Runs the pnpm that the repository pins: the one that runs the scripts, or by npx when this is run alone. */
export function pnpm(...args: string[]): string {
  const run = (command: string, given: string[]): string =>
    execFileSync(command, given, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    return run('pnpm', args);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
  }
  const { packageManager } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { packageManager: string };
  return run('npx', ['-y', packageManager, ...args]);
}
