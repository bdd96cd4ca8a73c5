// Goal: the line of the production guide, every minute. Method: a real database, a clock that moves when it is told to.
import { Writable } from 'node:stream';
import { SimEnv } from '@sombra/vfs/testing';
import { describe, expect, it } from 'vitest';
import { endLogging, initLogging, startMetricsReporter } from '../src/index.ts';
import { openDatabase } from './support/database.ts';

function listen(): { lines: [object, string][]; info(fields: object, line: string): void; warn(): void } {
  const lines: [object, string][] = [];
  return { lines, info: (fields, line) => lines.push([fields, line]), warn: () => expect.unreachable() };
}

describe('startMetricsReporter', () => {
  it('logs to the logger of initLogging when it is given none, and says so when there is none', async () => {
    const env = new SimEnv({ seed: 1 });
    const db = openDatabase();
    expect(() => startMetricsReporter(db)).toThrow(expect.objectContaining({ code: 'SOMBRA_OPTION' }));
    const written: string[] = [];
    const stream = new Writable({ write: (line, _encoding, done) => (written.push(String(line)), done()) });
    initLogging({ stream, pretty: false });
    try {
      const stop = startMetricsReporter(db, { env });
      env.advance(60_000);
      await new Promise(setImmediate);
      stop();
      expect(written.map((line) => JSON.parse(line) as object)).toMatchObject([
        { level: 'info', event: 'metrics.report', database: 'graph.db' },
      ]);
    } finally {
      endLogging();
    }
    db.close();
  });

  it('logs a line a minute', async () => {
    const env = new SimEnv({ seed: 1 });
    const db = openDatabase();
    const logger = listen();
    const stop = startMetricsReporter(db, { logger, env });
    db.addNode('Person', { name: 'Ada' });
    expect(() =>
      db.transaction(() => {
        throw new Error('no');
      }),
    ).toThrow('no');
    env.advance(59_999);
    expect(logger.lines).toEqual([]);
    env.advance(1);
    await new Promise(setImmediate);
    const { pager } = db.stats();
    const hits = pager.hits + pager.oldVersionHits;
    const rate = (hits / (hits + pager.misses)) * 100;
    expect(rate).toBeGreaterThan(50);
    const [[fields, line]] = logger.lines as [[object, string]];
    expect(line).toBe(
      `Metrics: tx_commit=1 tx_rollback=1 cache_hit_rate=${rate.toFixed(2)}% wal_bytes=${pager.logBytes}`,
    );
    expect(line).toMatch(/^Metrics: tx_commit=\d+ tx_rollback=\d+ cache_hit_rate=\d+\.\d\d% wal_bytes=\d+$/);
    expect(fields).toMatchObject({
      event: 'metrics.report',
      database: 'graph.db',
      transactionsCommitted: 1,
      transactionsRolledBack: 1,
    });
    env.advance(60_000);
    await new Promise(setImmediate);
    expect(logger.lines.length).toBe(2);
    stop();
    env.advance(600_000);
    expect(logger.lines.length).toBe(2);
    db.close();
  });

  it('ends with the database', async () => {
    const env = new SimEnv({ seed: 1 });
    const db = openDatabase();
    const logger = listen();
    startMetricsReporter(db, { logger, env, intervalMs: 1000 });
    env.advance(1000);
    await new Promise(setImmediate);
    expect(logger.lines[0]?.[1]).toMatch(/^Metrics: tx_commit=0 tx_rollback=0 cache_hit_rate=/);
    db.close();
    for (let i = 0; i < 3; i += 1) {
      env.advance(1000);
      await new Promise(setImmediate);
    }
    expect(logger.lines.length).toBe(1);
    expect(env.warnings).toEqual([]);
  });

  it('goes on when the logger fails, and warns', async () => {
    const env = new SimEnv({ seed: 1 });
    const db = openDatabase();
    const warnings: string[] = [];
    let calls = 0;
    const logger = {
      info: () => {
        calls += 1;
        throw new Error('the disk of the log is full');
      },
      warn: (_: object, line: string) => warnings.push(line),
    };
    const stop = startMetricsReporter(db, { logger, env, intervalMs: 1000 });
    for (let i = 0; i < 3; i += 1) {
      env.advance(1000);
      await new Promise(setImmediate);
    }
    expect(calls).toBe(3);
    expect(warnings).toEqual(['the reporter of graph.db failed (Error), it is tried again']);
    stop();
    db.close();
  });
});
