import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const BUILT = fileURLToPath(new URL('../../dist/index.js', import.meta.url));

/** A process that runs a script of test/children against the built package. */
export interface Child {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  /** What it has printed so far. */
  output(): string;
  /** Resolves when it has printed `text`. Rejects when it ends before. */
  printed(text: string): Promise<void>;
  /** Resolves when it has ended and all it printed was read. */
  ended: Promise<{ readonly code: number | null; readonly signal: string | null; readonly errors: string }>;
}

/** Starts a script of test/children. @throws Error when the package is not built */
export function startChild(script: string, ...args: string[]): Child {
  if (!existsSync(BUILT))
    throw new Error('processes run the built package, which is not there: run `pnpm build` first');
  const file = fileURLToPath(new URL(`../children/${script}`, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended: Child['ended'] = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, errors }));
  });
  const printed = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!output.includes(text)) return;
        child.stdout.off('data', look);
        resolve();
      };
      child.stdout.on('data', look);
      look();
      void ended.then(() => {
        if (!output.includes(text)) reject(new Error(`${script} ended before it printed '${text}': ${errors}`));
      });
    });
  return { process: child, output: () => output, printed, ended };
}
