import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** A series of an answer: its labels and its value now. */
export interface Answer {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A port of this machine that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts a program, waits until it answers under an address, and kills it at the end. */
export class Service {
  private readonly child: ChildProcess;
  private output = '';

  constructor(command: string, args: readonly string[]) {
    this.child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.child.stderr!.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  async ready(url: string): Promise<void> {
    while (this.child.exitCode === null) {
      const answer = await fetch(url).catch(() => undefined);
      await answer?.text();
      if (answer?.ok === true) return;
      await pause(50);
    }
    throw new Error(`ended with ${this.child.exitCode}:\n${this.output}`);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}

/** A Prometheus of its own: its files in a temporary folder, on loopback, scraping every second. */
export class Prometheus {
  private readonly folder = mkdtempSync(join(tmpdir(), 'sombra-prometheus-'));
  private service: Service | undefined;
  private url = '';

  /** @param target  host and port that answer under /metrics @param rules  files */
  async start(target: string, rules: readonly string[]): Promise<void> {
    const port = await freePort();
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: rules,
      scrape_configs: [{ job_name: 'sombra', static_configs: [{ targets: [target] }] }],
    };
    const file = join(this.folder, 'prometheus.yml');
    writeFileSync(file, JSON.stringify(config)); // JSON is YAML
    mkdirSync(join(this.folder, 'data'));
    this.url = `http://127.0.0.1:${port}`;
    this.service = new Service('prometheus', [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(this.folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ]);
    await this.service.ready(`${this.url}/-/ready`);
  }

  /** Evaluates an expression now. @throws Error what Prometheus says is wrong with it */
  async query(expression: string): Promise<Answer[]> {
    const response = await fetch(`${this.url}/api/v1/query?${new URLSearchParams({ query: expression }).toString()}`);
    const { status, data, error } = (await response.json()) as {
      status: string;
      error?: string;
      data?: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    if (status !== 'success') throw new Error(`${expression}: ${error}`);
    return data!.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }

  /** Waits until an expression has an answer. */
  async until(expression: string): Promise<void> {
    while ((await this.query(expression)).length === 0) await pause(200);
  }

  async stop(): Promise<void> {
    await this.service?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
