import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The built command. */
export const BIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** What a command did. `code` is null when a signal ended the process. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Variables that a command looks at. */
const VARIABLES = ['CI', 'NO_COLOR', 'FORCE_COLOR', 'TERM'];
let runner: ChildProcess | undefined;
let last: Promise<unknown> = Promise.resolve();

/** The commands of this package. */
export type Program = 'sombra' | 'sombra-inspect' | 'sombra-repair';

/** Runs the built `sombra`, as a person at a terminal would when `terminal` is true. */
export function sombra(args: readonly string[], terminal = false): Promise<Outcome> {
  return runProgram('sombra', args, terminal);
}

/** The process in which commands run. It ends with this one, whose channel it waits for. */
function startRunner(): ChildProcess {
  const started = fork(fileURLToPath(new URL('runner.mjs', import.meta.url)), { execArgv: [] });
  started.once('exit', () => (runner = undefined));
  started.unref();
  started.channel?.unref();
  return started;
}

/** Runs one of the built commands within a process that runs one after the other. */
export function runProgram(program: Program, args: readonly string[], terminal = false): Promise<Outcome> {
  const worker = (runner ??= startRunner());
  const env = Object.fromEntries(VARIABLES.map((name) => [name, process.env[name] ?? null]));
  const outcome = last.then(
    () =>
      new Promise<Outcome>((resolve, reject) => {
        const ended = (code: number | null): void =>
          reject(new Error(`the process of the commands ended with ${code}`));
        worker.once('exit', ended).once('message', (message) => {
          worker.off('exit', ended);
          resolve(message as Outcome);
        });
        worker.send({ program, args, terminal, env });
      }),
  );
  last = outcome.catch(() => undefined);
  return outcome;
}

/** The JSON document that a command prints. Throws when it fails, or says anything else. */
export async function json(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await sombra([...args, '--json']);
  if (code !== 0 || stderr !== '') throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as unknown;
}

/** The error that a command ends with, from its JSON. */
export async function failure(
  ...args: string[]
): Promise<{ code: number | null; error: { code: string; message: string; details: unknown } }> {
  const { code, stdout, stderr } = await sombra([...args, '--json']);
  if (stdout !== '') throw new Error(`${args.join(' ')} printed ${stdout}`);
  return { code, error: (JSON.parse(stderr) as { error: { code: string; message: string; details: unknown } }).error };
}

/** A command in a process of its own. */
export interface Running {
  readonly process: ChildProcess;
  readonly outcome: Promise<Outcome & { readonly signal: NodeJS.Signals | null }>;
}

/** Starts the built command as its users do. */
export function start(args: readonly string[], env: NodeJS.ProcessEnv = {}, node: readonly string[] = []): Running {
  const child = spawn(process.execPath, [...node, BIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const outcome = new Promise<Outcome & { signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.on('error', reject).on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { process: child, outcome };
}
