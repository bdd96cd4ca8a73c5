// Goal: `sombra-repair checkpoint` leaves a file that holds every acknowledged commit by itself, while other processes have it open, or it
// fails; with `--hold` what is copied meanwhile is whole; nothing is asked without a terminal, and nothing is lost silently.
// Method: the built command beside processes that write, read or are poisoned, after kill -9, on a damaged log; questions over
// streams that pretend to be a terminal.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { runRepair } from '../src/repair/run-repair.ts';
import { temporaryFolder } from './support/files.ts';
import {
  changes,
  damageLog,
  filesOf,
  INSPECT,
  leftBehind,
  REPAIR,
  startOwner,
  startTool,
  tool,
  toolJson,
} from './support/tools.ts';

const folder = temporaryFolder();
let number = 0;
let path: string;

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

beforeEach(() => {
  number += 1;
  path = join(folder, `${number}`, 'graph.db');
  mkdirSync(join(folder, `${number}`));
});

/** Names of the files beside the database. */
function names(): string[] {
  return readdirSync(join(folder, `${number}`)).sort();
}

/** Leaves a database that was killed after some commits. @returns the newest node that was acknowledged */
function killed(commits = 20): Promise<number> {
  return leftBehind(path, commits);
}

/** Nodes of a file that is copied away from everything beside it. */
async function nodesAlone(of: string): Promise<number> {
  const alone = `${of}.alone`;
  copyFileSync(of, alone);
  const { code, data } = await toolJson<{ checkedNodes: number }>(INSPECT, 'verify', alone);
  expect(code).toBe(0);
  return data.checkedNodes;
}

describe('checkpoint', () => {
  it('recovers what kill -9 left, and leaves one clean file', async () => {
    const nodes = await killed();
    const { code, data } = await toolJson(REPAIR, 'checkpoint', path);
    expect([code, data['path'], data['warnings']]).toEqual([0, path, []]);
    expect(names()).toEqual(['graph.db']);
    expect(await toolJson(INSPECT, 'info', path)).toMatchObject({ data: { clean: true } });
    expect(await nodesAlone(path)).toBeGreaterThanOrEqual(nodes);
    const before = filesOf(path);
    expect((await tool(REPAIR, path, 'checkpoint')).code).toBe(0);
    expect(changes(before, path)).toEqual([]);
  });

  it('beside a writer: everything committed before is in the file, and the writer goes on', async () => {
    const writer = await startOwner('live-writer.mjs', path);
    await writer.until(30);
    const nodes = Number(writer.lines.at(-1));
    const { code, stdout } = await tool(REPAIR, 'checkpoint', path);
    expect(code).toBe(0);
    expect(stdout).toContain('holds every commit up to');
    const { data } = await toolJson<{ slots: { current: boolean; fields: { checkpointLsn: number } }[] }>(
      INSPECT,
      'header',
      path,
    );
    // One commit for the trees of the graph, and one for each node.
    expect(data.slots.find(({ current }) => current)!.fields.checkpointLsn).toBeGreaterThanOrEqual(nodes);
    await writer.until(writer.lines.length + 5);
    await writer.kill();
    expect((await tool(INSPECT, 'verify', path)).code).toBe(0);
  });

  it('waits for a reader of an older commit, then names it', async () => {
    const writer = await startOwner('live-writer.mjs', path, '20');
    await writer.until(5);
    const patient = await startOwner('old-reader.mjs', path, '400');
    await writer.until(writer.lines.length + 3);
    expect((await tool(REPAIR, 'checkpoint', path, '--busy-timeout', '20000')).code).toBe(0);
    await patient.kill();
    const reader = await startOwner('old-reader.mjs', path);
    await writer.until(writer.lines.length + 3);
    const { code, stdout, stderr } = await tool(REPAIR, 'checkpoint', path, '--busy-timeout', '100', '--json');
    expect([code, stdout]).toEqual([1, '']);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'SOMBRA_BUSY', details: { lock: 'READ', pid: reader.pid } },
    });
    await reader.kill();
    expect((await tool(REPAIR, 'checkpoint', path)).code).toBe(0);
    await writer.kill();
  });

  it('fails with the name of the holder when another process holds the write lock', async () => {
    const writer = await startOwner('holder.mjs', path);
    const before = filesOf(path);
    const { code, stderr } = await tool(REPAIR, 'checkpoint', path, '--busy-timeout', '100', '--json');
    expect(code).toBe(1);
    const { error } = JSON.parse(stderr) as { error: { code: string; details: Record<string, unknown> } };
    expect(error).toMatchObject({ code: 'SOMBRA_BUSY', details: { lock: 'WRITE', pid: writer.pid } });
    expect([typeof error.details['host'], typeof error.details['since']]).toEqual(['string', 'number']);
    expect(changes(before, path).filter((name) => !name.endsWith('-shm'))).toEqual([]);
    await writer.kill();
  });

  it('cures a poisoned database beside the process that has it open, which goes on reading', async () => {
    const owner = await startOwner('poisoned-owner.mjs', path);
    expect((await tool(REPAIR, 'checkpoint', path)).code).toBe(0);
    expect(await toolJson(INSPECT, 'verify', path)).toMatchObject({ code: 0, data: { clean: true, warnings: [] } });
    await owner.kill();
    expect((await tool(REPAIR, 'checkpoint', path)).code).toBe(0);
    expect(names()).toEqual(['graph.db']);
  });

  it('a missing file, and a damaged one', async () => {
    expect((await tool(REPAIR, 'checkpoint', path)).code).toBe(1);
    expect(names()).toEqual([]);
    await killed();
    await tool(REPAIR, 'checkpoint', path);
    const bytes = readFileSync(path);
    bytes.fill(7, 40, 60);
    bytes.fill(7, 4136, 4156);
    writeFileSync(path, bytes);
    expect((await tool(REPAIR, 'checkpoint', path)).code).toBe(2);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });
});

describe('--hold', () => {
  it('a copy that is made meanwhile is whole, while a writer presses', async () => {
    const writer = await startOwner('live-writer.mjs', path);
    await writer.until(30);
    const copy = `${path}.copy`;
    for (let i = 0; i < 3; i += 1) {
      const nodes = Number(writer.lines.at(-1));
      const { code, stdout, stderr } = await tool(REPAIR, 'checkpoint', path, '--hold', '--', 'cp', path, copy);
      expect([code, stdout]).toEqual([0, '']);
      expect(stderr).toContain('no other process can write until cp ends');
      const { data } = await toolJson<{ clean: boolean; walMissing: boolean; checkedNodes: number }>(
        INSPECT,
        'verify',
        copy,
      );
      expect([data.clean, data.walMissing]).toEqual([true, true]);
      expect(data.checkedNodes).toBeGreaterThanOrEqual(nodes);
      await writer.until(writer.lines.length + 3);
    }
    await writer.kill();
    // Opened for writing, the copy is a database like any other.
    expect((await tool(REPAIR, 'checkpoint', copy)).code).toBe(0);
    expect((await toolJson<{ walMissing: boolean }>(INSPECT, 'verify', copy)).data.walMissing).toBe(false);
  });

  it('no other process writes while the command runs', async () => {
    const writer = await startOwner('live-writer.mjs', path);
    await writer.until(10);
    const [before, after] = [`${path}.before`, `${path}.after`];
    const script = 'cp "$0" "$1"; cat "$0"-wal > "$1"-wal; sleep 0.5; cp "$0" "$2"; cat "$0"-wal > "$2"-wal';
    const { code } = await tool(REPAIR, 'checkpoint', path, '--hold', '--', 'sh', '-c', script, path, before, after);
    expect(code).toBe(0);
    for (const suffix of ['', '-wal'])
      expect(readFileSync(before + suffix).equals(readFileSync(after + suffix))).toBe(true);
    await writer.until(writer.lines.length + 1);
    await writer.kill();
  });

  it.each([
    [0, 'true'],
    [1, 'exit 1'],
    [7, 'exit 7'],
    [143, 'kill -TERM $$'],
  ])('passes on exit code %i', async (expected, script) => {
    await killed(2);
    expect((await tool(REPAIR, 'checkpoint', path, '--hold', '--', 'sh', '-c', script)).code).toBe(expected);
    expect(names()).toEqual(['graph.db']);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('passes %s on, and gives the lock back', async (signal) => {
    await killed(2);
    const trap = 'trap "echo caught; exit 9" INT TERM; echo ready; while :; do sleep 0.05; done';
    const held = startTool(REPAIR, 'checkpoint', path, '--hold', '--', 'sh', '-c', trap);
    await held.says('ready');
    held.process.kill(signal);
    expect(await held.outcome).toMatchObject({ code: 9, stdout: 'ready\ncaught\n' });
    expect((await tool(REPAIR, 'checkpoint', path)).code).toBe(0);
  });

  it('needs a command, and a command needs it', async () => {
    await killed(2);
    for (const args of [
      ['--hold'],
      ['--', 'true'],
      ['--hold', '--json', '--', 'true'],
      ['--hold', '--', '/no/such/program'],
    ])
      expect(await tool(REPAIR, 'checkpoint', path, ...args)).toMatchObject({ code: 1, stdout: '' });
  });
});

describe('questions', () => {
  /** Runs the command at a terminal where a person answers. */
  async function answering(answer: string | null, ...args: string[]): Promise<{ code: number; said: string }> {
    const terminal = { input: Object.assign(new PassThrough(), { isTTY: true }), output: tty() };
    const [stdout, stderr] = [tty(), tty()];
    if (answer === null) terminal.input.end();
    else terminal.input.write(`${answer}\n`);
    const streams = {
      stdout: stdout as unknown as NodeJS.WriteStream,
      stderr: stderr as unknown as NodeJS.WriteStream,
    };
    const code = await runRepair(args, streams, terminal);
    return { code, said: String(terminal.output.read() ?? '') + String(stderr.read() ?? '') };
  }

  function tty(): PassThrough & { isTTY: boolean } {
    return Object.assign(new PassThrough(), { isTTY: true });
  }

  it.each([
    ['n', 1],
    ['', 1],
    [null, 1],
    ['y', 0],
    ['Yes', 0],
  ] as const)('the answer %j ends with %i', async (answer, expected) => {
    await killed(2);
    const before = filesOf(path);
    const { code, said } = await answering(answer, 'checkpoint', path);
    expect(said).toContain('Continue? [y/N]');
    expect([code, changes(before, path).length > 0]).toEqual([expected, expected === 0]);
    if (expected === 1) expect(said).toContain('SOMBRA_NOT_CONFIRMED');
  });

  it('--yes asks nothing', async () => {
    await killed(2);
    expect(await answering('n', 'checkpoint', path, '--yes')).toEqual({ code: 0, said: '' });
  });

  it('looking asks nothing', async () => {
    await killed(2);
    const { code, said } = await answering('n', 'verify', path);
    expect([code, said.includes('[y/N]')]).toEqual([0, false]); // what it is doing is shown, and cleared
  });
});

describe('--to-last-good', () => {
  /** Damages the log in the middle. @returns the commits before the damage, and the bytes of the log */
  async function damaged(): Promise<{ good: number; at: number; log: Buffer }> {
    await killed(20);
    const { at, log } = damageLog(path);
    const { data } = await toolJson<{ commit: number }>(INSPECT, 'info', path);
    return { good: data.commit, at, log };
  }

  it('without it a damaged log is refused, with a hint, and nothing changes', async () => {
    await damaged();
    const before = filesOf(path);
    const { code, stderr } = await tool(REPAIR, 'checkpoint', path);
    expect(code).toBe(2);
    expect(stderr).toContain('--to-last-good');
    expect(changes(before, path).filter((name) => !name.endsWith('-shm'))).toEqual([]);
  });

  it('is not done silently', async () => {
    await damaged();
    const before = filesOf(path);
    const { code, stderr } = await tool(REPAIR, 'checkpoint', path, '--to-last-good');
    expect(code).toBe(1);
    expect(stderr).toContain('SOMBRA_NOT_CONFIRMED');
    expect(changes(before, path).filter((name) => !name.endsWith('-shm'))).toEqual([]);
  });

  it('keeps the commits before the damage, and sets the rest aside', async () => {
    const { good, at, log } = await damaged();
    const { code, data } = await toolJson<{ commit: number; warnings: { code: string }[] }>(
      REPAIR,
      'checkpoint',
      path,
      '--to-last-good',
      '--yes',
    );
    expect([code, data.commit, data.warnings.map((warning) => warning.code)]).toEqual([
      0,
      good,
      ['SOMBRA_LOG_GIVEN_UP'],
    ]);
    const [main, aside, ...more] = names();
    expect([main, more]).toEqual(['graph.db', []]);
    expect(aside).toMatch(/^graph\.db-wal\.set-aside-[0-9a-f]{16}-from-\d+$/);
    const from = Number(aside!.slice(aside!.lastIndexOf('-') + 1));
    const kept = readFileSync(join(folder, `${number}`, aside!));
    expect(from).toBeLessThanOrEqual(at);
    expect(kept.equals(log.subarray(from, from + kept.length))).toBe(true);
    expect(log.subarray(from + kept.length).every((byte) => byte === 0)).toBe(true);
    expect(await toolJson(INSPECT, 'verify', path)).toMatchObject({ code: 0, data: { clean: true, commit: good } });
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  it('without damage it is a checkpoint like any other', async () => {
    await killed(3);
    expect((await tool(REPAIR, 'checkpoint', path, '--to-last-good')).code).toBe(0);
    expect(names()).toEqual(['graph.db']);
  });
});

describe('unlock', () => {
  it('removes the lock of a machine that is gone, and no other one', async () => {
    await killed(3);
    await tool(REPAIR, 'checkpoint', path);
    const lock = { pid: 7, host: 'old-container', identity: 'x/1', since: 1, token: '0'.repeat(32) };
    writeFileSync(`${path}-lock`, JSON.stringify(lock));
    const refused = await tool(REPAIR, 'checkpoint', path);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('--host old-container')]);
    expect((await tool(REPAIR, 'unlock', path, '--host', 'another')).code).toBe(1);
    expect(names()).toEqual(['graph.db', 'graph.db-lock']);
    const { code, data } = await toolJson(REPAIR, 'unlock', path, '--host', 'old-container');
    expect([code, data['removed']]).toMatchObject([0, { pid: 7, host: 'old-container' }]);
    expect(names()).toEqual(['graph.db']);
    expect((await toolJson(REPAIR, 'unlock', path, '--host', 'old-container')).data['removed']).toBe(null);
  });
});
