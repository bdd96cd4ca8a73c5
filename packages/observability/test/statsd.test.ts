// Goal: a StatsD server gets what happened since the last time, in packets that fit. Method: a real database, a socket that stands for
// the server, a clock that moves when it is told to.
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { GraphDB } from '@sombra/db';
import { SimEnv } from '@sombra/vfs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { statsd } from '../src/index.ts';
import type { StatsdOptions } from '../src/index.ts';
import { openDatabase } from './support/database.ts';

let server: Socket;
let packets: string[] = [];
let db: GraphDB;
let env: SimEnv;

beforeEach(async () => {
  packets = [];
  server = createSocket('udp4').on('message', (message) => packets.push(message.toString()));
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
  db = openDatabase();
  env = new SimEnv({ seed: 1 });
});

afterEach(async () => {
  db.close();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

const start = (options: StatsdOptions = {}): (() => Promise<void>) =>
  statsd(db, { port: (server.address() as AddressInfo).port, env, ...options });

/** Waits for a packet that holds a text; all lines since the last call, by name. */
async function linesWith(text: string): Promise<Map<string, string>> {
  while (!packets.some((packet) => packet.includes(text))) await new Promise(setImmediate);
  const lines = packets.splice(0).flatMap((packet) => packet.split('\n'));
  return new Map(lines.map((line) => line.split(':') as [string, string]));
}

/** Sockets of this process, where the system tells; else 0. */
function sockets(): number {
  if (!existsSync('/proc/self/fd')) return 0;
  const isSocket = (fd: string): boolean => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false; // the descriptor of the list itself
    }
  };
  return readdirSync('/proc/self/fd').filter(isSocket).length;
}

/** The last line of a report: when it is there, all of it is. */
const LAST = 'health_status';

describe('statsd', () => {
  it('sends counters as what came since it began, and the rest as gauges', async () => {
    db.addNode('Person', {});
    const stop = start({ prefix: 'app.graph.' });
    db.addNode('Person', {});
    db.addNode('Person', {});
    env.advance(10_000);
    const first = await linesWith(LAST);
    expect(first.get('app.graph.transactions_committed')).toBe('2|c');
    expect(first.get('app.graph.nodes')).toBe('3|g');
    expect(first.get('app.graph.commit_latency.count')).toBe('2|c');
    expect(first.get('app.graph.commit_latency.p95_ms')).toMatch(/^\d+(\.\d+)?\|g$/);
    expect(first.has('app.graph.transactions_rolled_back')).toBe(false);
    expect(first.get('app.graph.poisoned')).toBe('0|g');
    await new Promise(setImmediate);
    db.addNode('Person', {});
    env.advance(10_000);
    const second = await linesWith(LAST);
    expect(second.get('app.graph.transactions_committed')).toBe('1|c');
    await stop();
  });

  it('sends what came since the last time when it is ended, and nothing after that', async () => {
    const stop = start();
    db.addNode('Person', {});
    await stop();
    const lines = await linesWith(LAST);
    expect(lines.get('sombra.graph_db.transactions_committed')).toBe('1|c');
    env.advance(100_000);
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(packets).toEqual([]);
  });

  it('puts lines together in packets that fit, and splits no line', async () => {
    const stop = start({ prefix: 'long-prefix.'.repeat(10) });
    db.addNode('Person', {});
    await stop();
    while (!packets.some((packet) => packet.includes(LAST))) await new Promise(setImmediate);
    expect(packets.length).toBeGreaterThan(1);
    for (const packet of packets) {
      expect(packet.length).toBeLessThanOrEqual(1432);
      for (const line of packet.split('\n')) expect(line).toMatch(/^(long-prefix\.){10}[\w.]+:\d+(\.\d+)?\|[cg]$/);
    }
  });

  it('ends with the database', async () => {
    const stop = start();
    db.close();
    env.advance(10_000);
    await new Promise(setImmediate);
    env.advance(100_000);
    await stop();
    expect(env.warnings).toEqual([]);
    expect(packets).toEqual([]);
  });

  it('ends beside a send that is under way: nothing is lost or told twice, and no socket is left', async () => {
    const before = sockets();
    for (let round = 1; round <= 20; round += 1) {
      const stop = start();
      db.addNode('Person', {});
      env.advance(10_000); // sends, and has not ended
      db.addNode('Person', {});
      await Promise.all([stop(), stop()]);
      const committed = (): number[] =>
        packets.flatMap((packet) =>
          [...packet.matchAll(/transactions_committed:(\d+)\|c/g)].map(([, count]) => Number(count)),
        );
      const sum = (): number => committed().reduce((all, one) => all + one, 0);
      while (sum() < 2) await new Promise(setImmediate);
      await new Promise((resolve) => setTimeout(resolve, 0));
      expect(sum()).toBe(2);
      packets.splice(0);
    }
    expect(env.warnings).toEqual([]);
    expect(sockets()).toBeLessThanOrEqual(before); // those of earlier tests may have been closed meanwhile
  });

  it('goes on when nothing can be sent, and tells of it once', async () => {
    const stop = start({ host: '255.255.255.255' }); // to everybody: the system refuses it
    for (let run = 0; run < 2; run += 1) {
      env.advance(10_000);
      while (env.warnings.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      await new Promise(setImmediate);
    }
    expect(env.warnings.map(({ code }) => code)).toEqual(['SOMBRA_METRICS_FAILED']);
    await stop();
    expect(env.warnings.at(-1)!.code).toBe('SOMBRA_METRICS_FAILED');
  });

  it.each([
    [{ port: 0 }, 'port of statsd'],
    [{ port: 65_536 }, 'port of statsd'],
    [{ prefix: 'a:b' }, 'prefix of statsd'],
    [{ intervalMs: 0 }, 'intervalMs'],
  ] as [StatsdOptions, string][])('refuses %o', (options, text) => {
    expect(() => start(options)).toThrow(text);
  });
});
