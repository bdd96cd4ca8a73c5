import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { LogLine } from './lines.ts';

/** Runs a program as a process of its own, on the built packages. @returns names of the events on its standard output */
export function eventsOfScript(script: string, end: string | number, env: Record<string, string> = {}): string[] {
  const { signal, status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  expect(signal ?? status, stderr).toBe(end);
  const lines = stdout.split('\n').slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as LogLine).event);
}
