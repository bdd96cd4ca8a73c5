// Goal: a server answers health, metrics and figures over real sockets, hides what is not for clients, and stops without cutting requests
// off.
// Method: servers on free ports of the loopback interface over databases in temporary folders; fetch, and sockets where it matters.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphDB } from '@sombra/db';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readServerConfig, Server } from '../src/index.ts';
import type { ServerConfig } from '../src/index.ts';

let folder: string;
let path: string;
let lines: Record<string, unknown>[];
const servers: Server[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sombra-secret-place-'));
  path = join(folder, 'g.db');
  lines = [];
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  rmSync(folder, { recursive: true });
});

async function start(fields: Partial<ServerConfig> = {}): Promise<Server> {
  const config = { ...readServerConfig({ flags: { port: 0 } }), ...fields };
  const log = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const server = await Server.start(path, config, log);
  servers.push(server);
  return server;
}

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
  readonly id: string | null;
}

async function get(server: Server, route: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${server.address}${route}`, init);
  const { status, headers } = response;
  return { status, type: headers.get('content-type'), text: await response.text(), id: headers.get('x-request-id') };
}

const json = ({ text }: Answer): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

describe('answers', () => {
  test('every address of health, with its aliases', async () => {
    const server = await start();
    for (const route of ['/livez', '/health/live']) {
      const answer = await get(server, route);
      expect([answer.status, json(answer)]).toEqual([200, { status: 'ok' }]);
    }
    for (const route of ['/readyz', '/health/ready', '/ready']) {
      const answer = await get(server, route);
      expect([answer.status, json(answer)]).toEqual([200, { status: 'ready' }]);
    }
    for (const route of ['/healthz', '/health']) {
      const answer = await get(server, route);
      const { status, checks } = json(answer) as { status: string; checks: { name: string; description: string }[] };
      expect([answer.status, status]).toEqual([200, 'healthy']);
      expect(checks.map(({ name }) => name)).toContain('corruption');
      for (const { description } of checks) expect(description).not.toBe('');
    }
  });

  test('metrics of the database, of the process, and of requests by outcome', async () => {
    const server = await start();
    await get(server, '/livez');
    await get(server, '/nothing');
    const { status, type, text } = await get(server, '/metrics');
    expect([status, type]).toEqual([200, expect.stringContaining('text/plain; version=0.0.4')]);
    expect(text).toMatch(/^sombra_transactions_committed_total\{database="g\.db"\} \d+$/m);
    expect(text).toMatch(/^process_cpu_user_seconds_total /m);
    expect(text).toMatch(/^sombra_requests_total\{outcome="ok"\} 1$/m);
    expect(text).toMatch(/^sombra_requests_total\{outcome="refused"\} 1$/m);
    expect(text).toMatch(/^sombra_requests_total\{outcome="error"\} 0$/m);
  });

  test('figures, without the path of the database', async () => {
    const server = await start();
    const answer = await get(server, '/v1/stats');
    const stats = json(answer) as { nodes: number; latencies: { commit: object }; transactions: object };
    expect([answer.status, stats.nodes]).toEqual([200, 0]);
    expect(Object.keys(stats.latencies.commit)).toEqual(['count', 'sum', 'p50', 'p95', 'p99']);
    expect(answer.text).not.toContain('secret-place');
  });

  test('an address that does not exist, as a problem with the id of the request', async () => {
    const server = await start();
    const answer = await get(server, '/v1/none', { headers: { 'x-request-id': 'mine-1' } });
    expect([answer.status, answer.type, answer.id]).toEqual([
      404,
      expect.stringContaining('application/problem+json'),
      'mine-1',
    ]);
    expect(json(answer)).toMatchObject({ status: 404, title: 'Not Found', requestId: 'mine-1' });
  });

  test('an id that could forge lines of the log is replaced', async () => {
    const server = await start();
    const { id } = await get(server, '/livez', { headers: { 'x-request-id': 'a b' } });
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect((await get(server, '/livez')).id).not.toBe(id);
  });

  test('a body that is too large is refused', async () => {
    const server = await start();
    const { status, text } = await get(server, '/livez', { method: 'POST', body: 'x'.repeat(5000) });
    expect([404, 413, 415]).toContain(status);
    expect(text).not.toContain('node_modules');
  });

  test('an unhealthy database is not ready, and says so in health', async () => {
    const first = GraphDB.open(path);
    first.close();
    const server = await start();
    const { db } = server as unknown as { db: GraphDB };
    const real = db.healthCheck();
    const checks = [{ name: 'poisoned', healthy: false, description: () => 'a sync failed' }];
    Object.assign(db, { healthCheck: () => ({ status: 'unhealthy', checks }) });
    expect((await get(server, '/healthz')).status).toBe(503);
    const ready = await get(server, '/readyz');
    expect([ready.status, json(ready)['state']]).toEqual([503, 'unhealthy']);
    expect((await get(server, '/livez')).status).toBe(200);
    expect(real.status).toBe('healthy');
  });

  test('a change of health is logged, once', async () => {
    const server = await start();
    const { db } = server as unknown as { db: GraphDB };
    const well = db.healthCheck();
    let report: ReturnType<GraphDB['healthCheck']> = well;
    Object.assign(db, { healthCheck: () => report });
    const bad = (status: 'degraded' | 'unhealthy', name: 'wal' | 'poisoned'): typeof report => ({
      status,
      checks: [{ name, healthy: false, description: () => `${name} is bad` }],
    });
    const states = [well, bad('degraded', 'wal'), bad('unhealthy', 'poisoned'), bad('degraded', 'wal'), well];
    for (report of states) for (const route of ['/healthz', '/readyz', '/healthz']) await get(server, route);
    const told = lines.filter(({ event }) => String(event).startsWith('health.'));
    expect(told.map(({ level, event, before, failed, msg }) => [level, event, before, failed, msg])).toEqual([
      [40, 'health.degraded', 'healthy', ['wal'], 'the database is degraded: wal is bad'],
      [50, 'health.unhealthy', 'degraded', ['poisoned'], 'the database is unhealthy: poisoned is bad'],
      [40, 'health.degraded', 'unhealthy', ['wal'], 'the database is degraded: wal is bad'],
      [30, 'health.healthy', 'degraded', [], 'the database is healthy again'],
    ]);
  });

  test('health is looked at when nobody asks', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const server = await start();
      const { db } = server as unknown as { db: GraphDB };
      const checks = [{ name: 'wal' as const, healthy: false, description: () => 'wal is bad' }];
      Object.assign(db, { healthCheck: () => ({ status: 'degraded', checks }) });
      vi.advanceTimersByTime(30_000);
      await server.stop();
      vi.advanceTimersByTime(30_000);
      expect(lines.filter(({ event }) => event === 'health.degraded')).toHaveLength(1);
    } finally {
      vi.useRealTimers();
    }
  });

  test('health is answered while a traversal and a checkpoint run in the same process', async () => {
    const nodes = Array.from({ length: 20_000 }, (_, id) => ({ id, labels: ['A'] }));
    const edges = nodes.flatMap(({ id }) =>
      [1, 611].map((step) => ({ source: id, target: (id + step) % nodes.length, type: 'T' })),
    );
    const server = await start();
    const { db } = server as unknown as { db: GraphDB };
    db.bulkLoad({ nodes, edges });
    const [first] = [...db.nodeIds()];
    let answers = 0;
    let traversing = false;
    const traverse = async (): Promise<void> => {
      while (answers < 10) {
        traversing = true;
        expect(await db.bfsAsync(first!)).toHaveLength(nodes.length);
        db.addNode('B', { text: 'x'.repeat(1000) });
        await db.checkpointAsync();
        traversing = false;
      }
    };
    const ask = async (): Promise<void> => {
      while (answers < 10) {
        for (const route of ['/healthz', '/readyz']) expect((await get(server, route)).status).toBe(200);
        if (traversing) answers += 1;
      }
    };
    await Promise.all([traverse(), ask()]);
    expect(answers).toBe(10);
  });

  const isThere = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
  if (!isThere) console.warn('left out: the server on IPv6, as this machine has no address ::1');
  test.skipIf(!isThere)('it listens on IPv6', async () => {
    const server = await start({ host: '::1' });
    expect(server.address).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await get(server, '/livez')).status).toBe(200);
  });

  test('it listens on the loopback interface unless told otherwise', async () => {
    const server = await start();
    expect(new URL(server.address).hostname).toBe('127.0.0.1');
  });
});

describe('the start', () => {
  test('a port that is taken is said, and the database is closed again', async () => {
    const server = await start();
    const port = Number(new URL(server.address).port);
    const other = join(folder, 'other.db');
    const config = { ...readServerConfig({ flags: { port } }) };
    await expect(Server.start(other, config, { write: () => undefined })).rejects.toMatchObject({
      code: 'SOMBRA_LISTEN',
      details: { port, errno: 'EADDRINUSE' },
    });
    expect(existsSync(`${other}-wal`)).toBe(false);
    GraphDB.open(other, { locking: 'exclusive' }).close();
  });

  test('its log has lines with events, and no path of a client', async () => {
    const server = await start({ logLevel: 'info' });
    await get(server, '/livez', { headers: { 'x-request-id': 'seen-in-log' } });
    await server.stop();
    const events = lines.map(({ event }) => event).filter((event) => event !== undefined);
    expect(events).toContain('server.draining');
    expect(events).toContain('server.stopped');
    expect(lines.some((line) => JSON.stringify(line).includes('seen-in-log'))).toBe(true);
  });
});

/** Sends the beginning of a request and keeps the connection. */
async function half(server: Server): Promise<Socket> {
  const { port, hostname } = new URL(server.address);
  const socket = connect(Number(port), hostname);
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve);
  });
  socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n');
  await new Promise((resolve) => {
    setTimeout(resolve, 50);
  });
  return socket;
}

const ended = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });

describe('the stop', () => {
  test('readiness ends first; requests under way are answered; the database is closed and whole', async () => {
    const server = await start({ drainDelayMs: 300 });
    const socket = await half(server);
    const all = ended(socket);
    const stopped = server.stop();
    const ready = await get(server, '/readyz');
    expect([ready.status, json(ready)['state'], server.state]).toEqual([503, 'draining', 'draining']);
    socket.write('\r\n');
    await stopped;
    expect(await all).toContain('200 OK');
    expect([server.state, readdirSync(folder)]).toEqual(['stopped', ['g.db']]);
    await server.stop();
  });

  test('a request that does not end is cut when its time is over', async () => {
    const server = await start({ shutdownTimeoutMs: 100 });
    const all = ended(await half(server));
    await server.stop();
    expect(await all).toBe('');
    expect(lines.map(({ event }) => event)).toContain('server.cut');
    expect(readdirSync(folder)).toEqual(['g.db']);
  });

  test('force cuts at once', async () => {
    const server = await start({ drainDelayMs: 600_000, shutdownTimeoutMs: 600_000 });
    const all = ended(await half(server));
    const force = new AbortController();
    const stopped = server.stop({ force: force.signal });
    force.abort();
    await stopped;
    expect(await all).toBe('');
    expect([server.state, readdirSync(folder)]).toEqual(['stopped', ['g.db']]);
  });
});
