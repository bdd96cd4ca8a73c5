// Goal: `sombra serve` answers over HTTP, ends with 0 after SIGTERM with the database closed, and lets a second signal force the end.
// Method: the built command as a process of its own, asked over real sockets and ended by real signals.
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { failure, start } from './support/cli.ts';
import type { Running } from './support/cli.ts';
import { temporaryFolder } from './support/files.ts';

const folder = temporaryFolder();
let number = 0;

vi.setConfig({ testTimeout: 120_000 });

interface Serving extends Running {
  readonly address: string;
  readonly name: string;
}

/** Starts a server on a free port, and waits for its address. */
async function serve(...args: string[]): Promise<Serving> {
  number += 1;
  const name = `served${number}.db`;
  const running = start(['serve', join(folder, name), '--port', '0', '--json', ...args]);
  let stdout = '';
  running.process.stdout!.on('data', (text: string) => (stdout += text));
  while (!stdout.includes('}') && running.process.exitCode === null) await delay(10);
  return { ...running, name, address: (JSON.parse(stdout) as { address: string }).address };
}

const left = (name: string): string[] => readdirSync(folder).filter((file) => file.startsWith(name));

it('answers until SIGTERM, which closes the database and ends the process with 0', async () => {
  const { process: child, outcome, address, name } = await serve();
  const health = await fetch(`${address}/healthz`);
  expect([health.status, ((await health.json()) as { status: string }).status]).toEqual([200, 'healthy']);
  const metrics = await (await fetch(`${address}/metrics`)).text();
  expect(metrics).toContain(`sombra_transactions_begun_total{database="${name}"}`);
  child.kill('SIGTERM');
  const { code, stderr } = await outcome;
  expect(code).toBe(0);
  expect(left(name)).toEqual([name]);
  const events = stderr
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { event?: string }).event);
  expect(events).toContain('server.stopped');
});

it('a second signal cuts requests off, and still closes the database', async () => {
  const { process: child, outcome, address, name } = await serve('--shutdown-timeout', '100000');
  const { port, hostname } = new URL(address);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n'); // and no end
  await delay(200);
  child.kill('SIGTERM');
  await delay(300);
  expect(child.exitCode).toBe(null);
  child.kill('SIGTERM');
  const { code } = await outcome;
  expect(code).toBe(143);
  expect(left(name)).toEqual([name]);
});

it('refuses what is wrong by its name', async () => {
  const path = join(folder, 'none.db');
  expect(await failure('serve', path, '--port', 'many')).toMatchObject({ error: { code: 'SOMBRA_USAGE' } });
  expect(await failure('serve', path, '--port', '70000')).toMatchObject({ error: { code: 'SOMBRA_CONFIG' } });
  expect(await failure('serve', path, '--config', join(folder, 'none.toml'))).toMatchObject({
    error: { code: 'SOMBRA_CONFIG' },
  });
  expect(left('none.db')).toEqual([]);
});
