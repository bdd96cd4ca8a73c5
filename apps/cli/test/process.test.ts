// Goal: what scripts rely on: exit codes, what is on which stream, and a database that an interrupted or killed import leaves
// clean or does not leave at all. Method: the built command as a process of its own.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { BIN, json, start } from './support/cli.ts';
import type { Running } from './support/cli.ts';
import { temporaryFolder, writeCsv } from './support/files.ts';
import { importSocial } from './support/social.ts';

const folder = temporaryFolder();
const social = join(folder, 'social.db');
/** Rows of the large files, enough that an import takes seconds. */
const ROWS = 200_000;
let nodes: string;
let edges: string;
let database: string;
let number = 0;

beforeAll(async () => {
  await importSocial(folder, social);
  const ids = Array.from({ length: ROWS }, (_, i) => i);
  nodes = `N=${writeCsv(folder, 'nodes.csv', `id,name,n:int\n${ids.map((i) => `id-${i},name of ${i},${i}`).join('\n')}\n`)}`;
  edges = `E=${writeCsv(folder, 'edges.csv.gz', `from,to,w:float\n${ids.map((i) => `id-${i},id-${(i * 7919) % ROWS},0.5`).join('\n')}\n`)}`;
});

beforeEach(() => {
  number += 1;
  database = join(folder, `large${number}.db`);
});

/** Files of the database that exist. */
function files(): string[] {
  return readdirSync(folder).filter((name) => name.startsWith(`large${number}.`));
}

/** Starts an import of the large files without the checks that tests switch on. */
function startLarge(node: readonly string[] = []): Running {
  return start(['import', database, '--nodes', nodes, '--edges', edges, '--json'], { SOMBRA_VERIFY: '0' }, node);
}

/** Waits until the import has opened the database, which `sign` shows, and some time more. */
async function untilUnderWay(running: Running, more: number, sign = database): Promise<void> {
  for (let i = 0; !existsSync(sign) && running.process.exitCode === null && i < 6000; i += 1) await delay(10);
  await delay(more);
}

// Whole processes and large files: what takes a second here may take a minute on a busy machine.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

describe('exit codes and streams', () => {
  it('0: data on stdout, nothing on stderr', async () => {
    const { code, stdout, stderr } = await start(['neighbors', social, 'name=Ada', '--json']).outcome;
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({
      node: { id: 1 },
      neighbors: [{ node: { id: 2 } }, { node: { id: 1 } }, { node: { id: 4 } }],
    });
  });

  it('0: no escape sequence where there is no terminal, not even with CI set', async () => {
    const { code, stdout } = await start(['stats', social], { CI: 'true' }).outcome;
    expect(code).toBe(0);
    expect(stdout).not.toContain('\u001b');
  });

  it('1: an error, as JSON on stderr when asked for', async () => {
    const { code, stdout, stderr } = await start(['stats', join(folder, 'none.db'), '--json']).outcome;
    expect([code, stdout]).toEqual([1, '']);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'SOMBRA_NOT_FOUND' } });
  });

  it('1: another process writes; the message names it', async () => {
    const held = join(folder, 'held.db');
    await importSocial(folder, held);
    const holder = spawn(process.execPath, [fileURLToPath(new URL('support/holder.mjs', import.meta.url)), held], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await new Promise((resolve, reject) => {
        holder.stdout.once('data', resolve);
        holder.once('exit', reject);
      });
      const beside = await start(['stats', held, '--json']).outcome;
      expect([beside.code, beside.stderr, JSON.parse(beside.stdout)]).toMatchObject([0, '', { nodes: 5 }]);
      const { code, stderr } = await start(['import', held, '--nodes', nodes, '--json']).outcome;
      expect(code).toBe(1);
      expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'SOMBRA_BUSY', details: { pid: holder.pid } } });
    } finally {
      holder.kill('SIGKILL');
    }
    // The holder was killed: its commit, and not its open transaction, is there for the next opener.
    const { code, stdout, stderr } = await start(['stats', held, '--json']).outcome;
    expect([code, stderr]).toEqual([0, `${held} was not closed properly: recovering it\n`]);
    expect(JSON.parse(stdout)).toMatchObject({ nodes: 5 });
  });

  it('2: a damaged database', async () => {
    const damaged = join(folder, 'damaged.db');
    writeFileSync(damaged, Buffer.alloc(100_000, 'SOMBRA'));
    const foreign = await start(['verify', damaged]).outcome;
    expect(foreign.code).toBe(1);
    await importSocial(folder, join(folder, 'whole.db'));
    const bytes = readFileSync(join(folder, 'whole.db'));
    const at = bytes.indexOf('London');
    bytes[at]! ^= 1;
    writeFileSync(damaged, bytes);
    const verified = await start(['verify', damaged]).outcome;
    expect([verified.code, verified.stderr]).toEqual([2, '']);
    expect(verified.stdout).toContain('SOMBRA_PAGE_CHECKSUM');
    const asked = await start(['find', damaged]).outcome;
    expect([asked.code, asked.stdout]).toEqual([2, '']);
    expect(asked.stderr).toMatch(/^error SOMBRA_PAGE_CHECKSUM: /);
  });

  it('0: the reader of stdout may stop when it has read enough', async () => {
    const piped = spawn('sh', ['-c', `"${process.execPath}" "${BIN}" find "${social}" --json --limit 0 | head -1`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    piped.stderr.on('data', (text: Buffer) => (errors += text.toString()));
    const code = await new Promise((resolve) => piped.on('close', resolve));
    expect([code, errors]).toEqual([0, '']);
  });
});

describe('a large import', () => {
  it('needs bounded memory', async () => {
    // The table of ids and the page cache are what may grow; rows may not pile up.
    const tell =
      "data:text/javascript,import { isMainThread } from 'node:worker_threads';" +
      "if (isMainThread) process.on('exit', () => process.stderr.write(String(process.resourceUsage().maxRSS)));";
    const { code, stdout, stderr } = await startLarge(['--max-old-space-size=64', `--import=${tell}`]).outcome;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ nodes: ROWS, edges: ROWS, method: 'bulk' });
    expect(Number(stderr) / 1024).toBeLessThan(400);
    expect(files()).toEqual([`large${number}.db`]);
    expect(await json('verify', database)).toMatchObject({ clean: true, checkedNodes: ROWS, checkedEdges: ROWS });
  });

  it.each([
    [130, 'SIGINT', 0],
    [143, 'SIGTERM', 150],
    [130, 'SIGINT', 600],
  ] as const)('%i: %s %i ms after its beginning leaves nothing of a new database', async (exit, signal, more) => {
    const running = startLarge();
    await untilUnderWay(running, more);
    running.process.kill(signal);
    const { code, stdout, stderr } = await running.outcome;
    expect([code, stdout, stderr]).toEqual([exit, '', 'interrupted: nothing was imported\n']);
    expect(files()).toEqual([]);
  });

  it('130: SIGINT leaves a database that was there as it was, and clean', async () => {
    await importSocial(folder, database);
    const running = startLarge();
    await untilUnderWay(running, 500, `${database}-shm`);
    running.process.kill('SIGINT');
    const { code, stderr } = await running.outcome;
    expect([code, stderr]).toEqual([130, 'interrupted: nothing was imported\n']);
    expect(files()).toEqual([`large${number}.db`]);
    expect(await json('verify', database)).toMatchObject({ clean: true, checkedNodes: 4, checkedEdges: 5 });
  });

  it('130: a second SIGINT does not wait', async () => {
    const running = startLarge();
    await untilUnderWay(running, 100);
    running.process.kill('SIGINT');
    running.process.kill('SIGINT');
    expect((await running.outcome).code).toBe(130);
    expect(files()).toEqual([]);
  });

  it.each([0, 200, 700])('a kill %i ms after its beginning leaves nothing half imported', async (more) => {
    const running = startLarge();
    await untilUnderWay(running, more);
    running.process.kill('SIGKILL');
    expect((await running.outcome).signal).toBe('SIGKILL');
    if (!existsSync(database)) return;
    const found = await start(['verify', database, '--json']).outcome;
    expect([found.code, JSON.parse(found.stdout)]).toMatchObject([
      0,
      { clean: true, checkedNodes: 0, checkedEdges: 0 },
    ]);
    // The same command again is as good as new.
    if (more === 200) expect((await startLarge().outcome).code).toBe(0);
    for (const name of files()) rmSync(join(folder, name));
  });
});
