// Goal: however a command ends, its database is closed and its exit code says how it ended. Method: every command as a process of
// its own whose stdout is closed, full, or the database; which is sent a signal; which meets a damaged database. Afterwards the
// folder holds the database and nothing beside it.
import { spawn } from 'node:child_process';
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { BIN, failure, sombra, start } from './support/cli.ts';
import { temporaryFolder } from './support/files.ts';
import { startTool } from './support/tools.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const folder = temporaryFolder();
const home = join(folder, 'home');
const database = join(home, 'graph.db');
/** Rows enough that no pipe takes them all. */
const ROWS = 6000;

beforeAll(async () => {
  mkdirSync(home);
  const lines = join(folder, 'graph.jsonl');
  const nodes = Array.from({ length: ROWS }, (_, i) => `{"node":${i},"labels":["N"],"properties":{"n":${i}}}`);
  const edges = Array.from({ length: 100 }, (_, i) => `{"edge":${i},"type":"E","source":0,"target":${i + 1}}`);
  writeFileSync(lines, [...nodes, ...edges].join('\n'));
  expect((await sombra(['import', database, '--jsonl', lines])).code).toBe(0);
});

/** Commands that read, with what they need. */
const READING: readonly (readonly string[])[] = [
  ['stats'],
  ['schema'],
  ['find', '--limit', '0'],
  ['find', '--limit', '0', '--json'],
  ['find', '--explain'],
  ['neighbors', 'n=0'],
  ['bfs', 'n=0'],
  ['path', 'n=0', 'n=5'],
  ['degrees', '--limit', '0'],
  ['components'],
  ['pagerank'],
  ['triangles'],
  ['index', 'list'],
  ['verify'],
  ['export', '--to', '-'],
];
const onDatabase = (args: readonly string[]): string[] =>
  args[0] === 'index' ? [...args, database] : [args[0]!, database, ...args.slice(1)];

/** Runs a line of a shell in which `$S` is the command. @returns exit code and stderr */
function shell(line: string): Promise<{ code: number | null; stderr: string }> {
  const child = spawn('bash', ['-c', line], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Packages are found as users find them, not by the path that the test runner was started with.
    env: { ...process.env, NODE_PATH: '', S: `${process.execPath} ${BIN}`, DB: database },
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr })));
}

const quoted = (args: readonly string[]): string => args.map((arg) => `'${arg}'`).join(' ');
const alone = (): void => expect(readdirSync(home)).toEqual(['graph.db']);

describe('stdout and stderr that are one pipe', () => {
  it.each(
    [['stats'], ['find', '--limit', '1'], ['verify'], ['export', '--to', '-']].map(
      (args) => [args[0]!, onDatabase(args)] as const,
    ),
  )('%s', async (_name, args) => {
    expect((await shell(`$S ${quoted(args)} 2>&1 | cat; exit \${PIPESTATUS[0]}`)).code).toBe(0);
    alone();
  });
});

describe('a reader that has seen enough', () => {
  it.each([
    ['export', '$S export "$DB" --to - | head -1'],
    ['find', '$S find "$DB" --limit 0 --json | head -1'],
    ['find as text', '$S find "$DB" --limit 0 | head -1'],
    ['degrees', '$S degrees "$DB" --limit 0 | head -1'],
  ])('%s: exit code 141, nothing said, the database closed', async (_name, line) => {
    const { code, stderr } = await shell(`${line}; exit \${PIPESTATUS[0]}`);
    expect([code, stderr]).toEqual([141, '']);
    alone();
  });

  it('stderr too: the exit code is all that is left', async () => {
    const { code } = await shell(`$S find "$DB" n=1 --nothing 2>&1 >/dev/null | true; exit \${PIPESTATUS[0]}`);
    expect(code).toBe(1);
    alone();
  });
});

describe('a full device', () => {
  it.each(
    READING.filter((args) => !args.includes('--json')).map((args) => [args.join(' '), onDatabase(args)] as const),
  )('%s', async (_name, args) => {
    const { code, stderr } = await shell(`$S ${quoted(args)} > /dev/full`);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^error SOMBRA_OUTPUT: stdout cannot be written [^\n]*ENOSPC[^\n]*\n$/),
    ]);
    alone();
  });

  it.each(['--help', '--version', 'find --help'])('%s', async (args) => {
    const { code, stderr } = await shell(`$S ${args} > /dev/full`);
    expect([code, stderr]).toEqual([1, expect.stringContaining('SOMBRA_OUTPUT')]);
  });

  it('is an error in JSON with --json', async () => {
    const { code, stderr } = await shell('$S stats "$DB" --json > /dev/full');
    expect(code).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'SOMBRA_OUTPUT', details: { stream: 'stdout', errno: 'ENOSPC' } },
    });
  });

  it('that takes a part of a write is no success', async () => {
    const { code, stderr } = await shell(
      `trap '' XFSZ; ulimit -f 256; $S export "$DB" --to - > '${join(folder, 'part.jsonl')}'`,
    );
    expect([code, stderr]).toEqual([1, expect.stringContaining('SOMBRA_OUTPUT')]);
    alone();
  });

  it('for stderr changes nothing of the result', async () => {
    expect((await shell('$S stats "$DB" 2> /dev/full')).code).toBe(0);
    expect((await shell('$S stats "$DB".none 2> /dev/full')).code).toBe(1);
  });
});

describe('a signal', () => {
  it.each(
    (['SIGTERM', 'SIGINT', 'SIGHUP'] as const).flatMap((signal) =>
      READING.map((args) => [signal, args.join(' '), onDatabase(args)] as const),
    ),
  )('%s during %s leaves the database closed', async (signal, _name, args) => {
    const running = start(args);
    await new Promise((resolve) => {
      const timer = setInterval(() => {
        if (running.process.exitCode === null && readdirSync(home).length === 1) return;
        clearInterval(timer);
        resolve(undefined);
      }, 1);
    });
    running.process.kill(signal);
    const { code } = await running.outcome;
    // It may have been done before it heard the signal.
    expect([0, { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 }[signal]]).toContain(code);
    alone();
  });

  it.each(['info', 'stats', 'verify', 'header', 'wal-info'])('during sombra-inspect %s', async (verb) => {
    const running = startTool('sombra-inspect', verb, database);
    setTimeout(() => running.process.kill('SIGTERM'), 300);
    const { code } = await running.outcome;
    expect([0, 143, null]).toContain(code);
    alone();
  });
});

describe('exit codes of every command', () => {
  const damaged = join(folder, 'damaged.db');
  beforeAll(() => {
    const bytes = readFileSync(database);
    for (let at = 8192; at < bytes.length; at += 4096) bytes[at + 100]! ^= 1;
    writeFileSync(damaged, bytes);
  });

  it.each(READING.map((args) => [args.join(' '), args] as const))(
    '%s: 0, 1 without a database, 2 for damage',
    async (_name, args) => {
      const on = (path: string): string[] => onDatabase(args).map((arg) => (arg === database ? path : arg));
      expect((await sombra(on(database))).code).toBe(0);
      expect((await sombra(on(join(folder, 'none.db')))).code).toBe(1);
      expect((await sombra([...on(database), '--no-such-option'])).code).toBe(1);
      expect((await sombra(on(damaged))).code).toBe(2);
    },
  );

  it.each([
    ['import', ['import', damaged, '--nodes', join(folder, 'rows.csv')]],
    ['index create', ['index', 'create', damaged, 'N', 'n']],
    ['index drop', ['index', 'drop', damaged, 'N', 'n']],
  ])('%s: 2 for damage', async (_name, args) => {
    writeFileSync(join(folder, 'rows.csv'), 'id\n1\n');
    expect((await sombra(args)).code).toBe(2);
  });
});

describe('the database is no place for an export', () => {
  const own = join(home, 'graph.db');
  const REFUSED: [string, () => string[]][] = [
    ['itself', () => [own, '--format', 'jsonl']],
    ['another path', () => [join(home, '..', 'home', '.', 'graph.db'), '--format', 'jsonl']],
    ['its log', () => [`${own}-wal`, '--format', 'jsonl']],
    ['its lock area', () => [`${own}-shm`, '--format', 'jsonl']],
    ['a sealed segment', () => [`${own}-0000000001-wal`, '--format', 'jsonl']],
    [
      'a symbolic link',
      () => {
        symlinkSync(own, join(folder, 'link.jsonl'));
        return [join(folder, 'link.jsonl')];
      },
    ],
    [
      'a hard link',
      () => {
        linkSync(own, join(folder, 'hard.jsonl'));
        return [join(folder, 'hard.jsonl')];
      },
    ],
    [
      'a linked folder',
      () => {
        symlinkSync(home, join(folder, 'away'));
        return [join(folder, 'away', 'graph.db'), '--format', 'jsonl'];
      },
    ],
  ];
  it.each(REFUSED)('%s', async (_name, to) => {
    const before = readFileSync(own);
    const { code, error } = await failure('export', own, '--force', '--to', ...to());
    expect([code, error.code]).toEqual([1, 'SOMBRA_SAME_FILE']);
    expect(readFileSync(own).equals(before)).toBe(true);
    rmSync(join(folder, 'hard.jsonl'), { force: true });
    alone();
  });

  it('a CSV file that the database is called like', async () => {
    const named = join(folder, 'csv', 'nodes-N.csv');
    mkdirSync(dirname(named));
    writeFileSync(named, readFileSync(own));
    const { error } = await failure('export', named, '--to', dirname(named), '--force');
    expect(error.code).toBe('SOMBRA_SAME_FILE');
    expect(readFileSync(named).equals(readFileSync(own))).toBe(true);
    expect(readdirSync(dirname(named))).toEqual(['nodes-N.csv']);
  });

  it.each(READING.map((args) => [args.join(' '), onDatabase(args)] as const))('stdout of %s', async (_name, args) => {
    const before = readFileSync(own);
    const file = openSync(own, 'a');
    const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', file, 'pipe'] });
    closeSync(file);
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([code, stderr]).toEqual([1, expect.stringMatching(/SOMBRA_SAME_FILE.*stdout is a file of the database/)]);
    expect(readFileSync(own).equals(before)).toBe(true);
    alone();
  });

  it.each(['--nodes', '--edges', '--jsonl'])('nor a file to import by %s', async (option) => {
    for (const path of [own, `${own}-wal`, join(folder, 'link.jsonl')]) {
      const { code, error } = await failure('import', own, option, path);
      expect([code, error.code]).toEqual([1, 'SOMBRA_SAME_FILE']);
    }
    alone();
  });
});
