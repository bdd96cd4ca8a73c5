import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { BIN, runProgram } from './cli.ts';
import type { Outcome, Program } from './cli.ts';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));

export const INSPECT = 'sombra-inspect';
export const REPAIR = 'sombra-repair';

type Tool = typeof INSPECT | typeof REPAIR;
const SCRIPTS: Record<Tool, string> = { [INSPECT]: join(DIST, 'inspect.js'), [REPAIR]: join(DIST, 'repair.js') };

/** Runs one of the built tools, without a terminal. */
export function tool(program: Program, ...args: string[]): Promise<Outcome> {
  return runProgram(program, args);
}

/** What a tool prints with `--json`. */
export async function toolJson<T = Record<string, unknown>>(
  program: Program,
  ...args: string[]
): Promise<{ code: number | null; data: T }> {
  const { code, stdout, stderr } = await tool(program, ...args, '--json');
  if (stdout === '') throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
  return { code, data: JSON.parse(stdout) as T };
}

/** A tool in a process of its own. */
export interface RunningTool {
  readonly process: ChildProcess;
  /** Waits until its stdout contains a text. */
  says(text: string): Promise<void>;
  readonly outcome: Promise<Outcome>;
}

/** Starts one of the built tools as its users do, without a terminal. */
export function startTool(program: Tool, ...args: string[]): RunningTool {
  const child = spawn(process.execPath, [SCRIPTS[program], ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  let wake = (): void => undefined;
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
      wake();
    });
  }
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject).on('close', (code) => resolve({ code, ...said }));
  });
  const says = async (text: string): Promise<void> => {
    while (!said.stdout.includes(text)) {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${said.stderr}`);
      await Promise.race([new Promise<void>((resolve) => (wake = resolve)), outcome]);
    }
  };
  return { process: child, says, outcome };
}

/** A folder with the commands under the names of a global installation, and this Node. @returns its path */
export function binFolder(parent: string): string {
  const folder = join(parent, 'bin');
  mkdirSync(folder, { recursive: true });
  symlinkSync(process.execPath, join(folder, 'node'));
  for (const [name, target] of Object.entries({ ...SCRIPTS, sombra: BIN })) {
    chmodSync(target, 0o755);
    symlinkSync(target, join(folder, name));
  }
  return folder;
}

/** Every file of a database, with its bytes. */
export function filesOf(path: string): Map<string, Buffer> {
  const prefix = path.slice(path.lastIndexOf('/') + 1);
  const folder = dirname(path);
  const names = readdirSync(folder).filter((name) => name.startsWith(prefix));
  return new Map(names.sort().map((name) => [name, readFileSync(join(folder, name))]));
}

/** Are the files of a database as they were? @returns the names that differ */
export function changes(before: Map<string, Buffer>, path: string): string[] {
  const after = filesOf(path);
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => {
    const [a, b] = [before.get(name), after.get(name)];
    return a === undefined || b === undefined || !a.equals(b);
  });
}

/** A process with the database open: says `ready`, and after that a line for each thing that it did. */
export interface Owner {
  readonly pid: number;
  /** Lines that it has said. */
  readonly lines: readonly string[];
  /** Waits until it has said so many lines. */
  until(lines: number): Promise<void>;
  /** Ends it, and waits until it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a script of this folder. It is killed when the tests of the file are over. */
export async function startOwner(script: string, ...args: string[]): Promise<Owner> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url)), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines: string[] = [];
  let rest = '';
  let wake = (): void => undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop()!;
    lines.push(...parts);
    wake();
  });
  const until = async (count: number): Promise<void> => {
    while (lines.length < count) {
      if (child.exitCode !== null) throw new Error(`${script} ended with ${child.exitCode}`);
      await Promise.race([new Promise<void>((resolve) => (wake = resolve)), gone]);
    }
  };
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    child.kill(signal);
    await gone;
  };
  afterAll(() => kill());
  await until(1);
  return { pid: child.pid!, lines, until, kill };
}

/** What writers left that were killed after so many commits: made once in each test file, and copied. */
const remains = new Map<number, { readonly files: Map<string, Buffer>; readonly node: number }>();

/**
 * Puts a database at `path` whose writer was killed.
 * @param commits  that were acknowledged at least
 * @returns the newest node that was acknowledged; nodes are numbered from 1 on
 */
export async function leftBehind(path: string, commits: number): Promise<number> {
  let left = remains.get(commits);
  if (left === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'sombra-cli-'));
    const writer = await startOwner('live-writer.mjs', join(folder, 'graph.db'));
    await writer.until(1 + commits);
    await writer.kill();
    left = { files: filesOf(join(folder, 'graph.db')), node: Number(writer.lines.at(-1)) };
    rmSync(folder, { recursive: true });
    remains.set(commits, left);
  }
  for (const [name, bytes] of left.files) writeFileSync(path + name.slice('graph.db'.length), bytes);
  return left.node;
}

/** Flips a bit in the middle of the live log, behind its first commits. @returns where, and the damaged bytes */
export function damageLog(path: string): { readonly at: number; readonly log: Buffer } {
  const log = readFileSync(`${path}-wal`);
  const at = Math.floor(log.findLastIndex((byte) => byte !== 0) * 0.7);
  log[at]! ^= 1;
  writeFileSync(`${path}-wal`, log);
  return { at, log };
}
