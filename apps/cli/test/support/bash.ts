import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { onTestFinished } from 'vitest';

/** A script that runs, in a process group of its own. */
export interface RunningScript {
  /** What it has printed so far, both streams. */
  output(): string;
  /** Waits until it has printed so much. @throws Error when it ends before that */
  says(text: string | RegExp): Promise<void>;
  /** Sends a signal to the script and all that it started. */
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<{ readonly status: number | null; readonly output: string }>;
}

/**
 * Starts bash, without blocking this process, in which servers may run. Called while a test runs; what it leaves is killed after it.
 * @param args   of bash: a file and its arguments, or `-c` and a script
 * @param path   folders of PATH before the usual ones
 * @param alone  no others
 */
export function startBash(
  args: readonly string[],
  {
    cwd,
    path,
    alone = false,
    env = {},
  }: {
    readonly cwd: string;
    readonly path: readonly string[];
    readonly alone?: boolean;
    readonly env?: Record<string, string>;
  },
): RunningScript {
  // Debian's programs before those that somebody put in front of them.
  const folders = alone ? path : [...path, '/usr/bin', process.env['PATH'] ?? ''];
  const child = spawn('/bin/bash', args, {
    cwd,
    env: { ...process.env, PATH: folders.join(delimiter), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let text = '';
  let wake = (): void => undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      wake();
    });
  }
  const ended = new Promise<{ status: number | null; output: string }>((resolve, reject) => {
    child.on('error', reject).on('close', (status) => resolve({ status, output: text }));
  });
  const kill = (signal: NodeJS.Signals): void => void process.kill(-child.pid!, signal);
  let closed = false;
  child.once('close', () => (closed = true));
  // What a failed test has left.
  onTestFinished(() => {
    if (!closed) kill('SIGKILL');
  });
  const has = (what: string | RegExp): boolean => (typeof what === 'string' ? text.includes(what) : what.test(text));
  return {
    output: () => text,
    says: async (what) => {
      while (!has(what)) {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${text}`);
        await Promise.race([new Promise<void>((resolve) => (wake = resolve)), ended]);
      }
    },
    kill,
    ended,
  };
}
