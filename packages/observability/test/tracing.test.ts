// Goal: subscribers see what happens to a database, and OpenTelemetry gets spans with the right times, parents and results. Method: real
// databases; the channels of Node; the SDK of OpenTelemetry with its exporter in memory.
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import type { HrTime } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { GraphDB } from '@sombra/db';
import { addDefaultObserver } from '@sombra/vfs';
import { SimDisk, slowVfs } from '@sombra/vfs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bridgeToOpenTelemetry, traceEvents, withRequestId } from '../src/index.ts';
import { codeOf } from './support/codes.ts';
import { eventfulRun } from './support/eventful-run.ts';
import { folder } from './support/folder.ts';

const NAMES = ['transaction', 'checkpoint', 'slow', 'warning', 'failure', 'connection'].map((name) => `sombra:${name}`);
const SECRET = 'canary-1138';

interface Published {
  readonly channel: string;
  readonly event: Readonly<Record<string, unknown>>;
}

/** Everything that is published until the test ends. */
function listen(names: readonly string[] = NAMES): Published[] {
  const published: Published[] = [];
  for (const name of names) {
    const keep = (event: unknown): void => void published.push({ channel: name, event: event as Published['event'] });
    subscribe(name, keep);
    onTestFinished(() => void unsubscribe(name, keep));
  }
  return published;
}

describe('the channels', () => {
  it('have what happens, in order, with numbers, times and durations', () => {
    const published = listen();
    const db = GraphDB.open(':memory:', { hooks: traceEvents() });
    db.addNode('A');
    withRequestId('r1', () => db.transaction((tx) => tx.nodeCount()));
    expect(() =>
      db.transaction(() => {
        throw new TypeError(SECRET);
      }),
    ).toThrow();
    db.checkpoint();
    db.close();
    const about = published.map(({ channel: name, event }) => {
      const { connection, time, ms, database, lsn, pages, ...rest } = event;
      expect([typeof connection, typeof time, database]).toEqual(['number', 'number', ':memory:']);
      expect(['undefined', 'number']).toContain(typeof ms);
      expect(JSON.parse(JSON.stringify({ lsn: lsn ?? 0, pages: pages ?? 0 }))).toEqual({
        lsn: expect.any(Number) as number,
        pages: expect.any(Number) as number,
      });
      return [name.replace('sombra:', ''), JSON.parse(JSON.stringify(rest))] as const;
    });
    expect(about).toEqual([
      ['connection', { phase: 'open' }],
      ['transaction', { transaction: 1, phase: 'begin' }],
      ['transaction', { transaction: 1, phase: 'commit' }],
      ['transaction', { transaction: 2, phase: 'begin', requestId: 'r1' }],
      ['transaction', { transaction: 2, phase: 'commit', requestId: 'r1' }],
      ['transaction', { transaction: 3, phase: 'begin' }],
      ['transaction', { transaction: 3, phase: 'rollback', reason: 'error', error: { name: 'TypeError' } }],
      ['checkpoint', {}],
      ['checkpoint', {}],
      ['connection', { phase: 'close' }],
    ]);
    const lsns = published.filter(({ event }) => event['phase'] === 'commit').map(({ event }) => event['lsn']);
    expect(lsns).toEqual([expect.any(Number), null]);
  });

  it('tell connections of one database apart', () => {
    const published = listen(['sombra:transaction']);
    for (let i = 0; i < 2; i += 1) {
      const db = GraphDB.open(':memory:', { hooks: traceEvents({ database: `copy ${i}` }) });
      db.addNode('A');
      db.close();
    }
    const [first, , second] = published.map(({ event }) => event);
    expect([first!['database'], second!['database']]).toEqual(['copy 0', 'copy 1']);
    expect(second!['connection']).not.toBe(first!['connection']);
  });

  it('get nothing without subscribers', () => {
    expect(NAMES.filter((name) => channel(name).hasSubscribers)).toEqual([]);
    const published = listen(['sombra:checkpoint']);
    const db = GraphDB.open(':memory:', { hooks: traceEvents() });
    db.addNode('A');
    db.close();
    expect(new Set(published.map(({ channel: name }) => name))).toEqual(new Set(['sombra:checkpoint']));
  });

  it('have every kind of event of a run in which everything happens, and no value of a property', async () => {
    const published = listen();
    onTestFinished(addDefaultObserver((path) => traceEvents({ database: path })));
    await eventfulRun(folder(), SECRET);
    const codes = published.map(
      ({ channel: name, event }) => `${name} ${String(event['code'] ?? event['reason'] ?? '')}`,
    );
    expect([...new Set(codes)].sort()).toEqual([
      'sombra:checkpoint ',
      'sombra:connection ',
      'sombra:failure SOMBRA_LOCK_POISONED',
      'sombra:failure SOMBRA_PAGE_CHECKSUM',
      'sombra:slow ',
      'sombra:transaction ',
      'sombra:transaction error',
      'sombra:transaction rollback',
      'sombra:transaction timeout',
      'sombra:transaction unknown',
      'sombra:warning SOMBRA_BUSY',
      'sombra:warning SOMBRA_LOCK_POISONED',
      'sombra:warning SOMBRA_TRANSACTION_TIMEOUT',
    ]);
    expect(JSON.stringify(published)).not.toContain(SECRET);
  });
});

describe('the bridge to OpenTelemetry', () => {
  interface Bridged {
    readonly provider: BasicTracerProvider;
    spans(): ReadableSpan[];
    end(): void;
  }

  function bridge(): Bridged {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    const end = bridgeToOpenTelemetry(provider.getTracer('sombra'));
    onTestFinished(end);
    return { provider, spans: () => exporter.getFinishedSpans(), end };
  }

  const ms = ([seconds, nanoseconds]: HrTime): number => seconds * 1000 + nanoseconds / 1e6;

  it('makes a span of each transaction and checkpoint', () => {
    const { spans } = bridge();
    const before = Date.now();
    const db = GraphDB.open(':memory:', { hooks: traceEvents() });
    withRequestId('r1', () => db.addNode('A'));
    db.checkpoint();
    db.close();
    const [transaction, checkpoint] = spans();
    expect(transaction!.name).toBe('sombra.transaction');
    expect(transaction!.attributes).toEqual({
      'db.system.name': 'sombra',
      'db.namespace': ':memory:',
      'db.operation.name': 'transaction',
      'sombra.transaction': 1,
      'sombra.request_id': 'r1',
      'sombra.lsn': expect.any(Number) as number,
    });
    expect(transaction!.status.code).toBe(SpanStatusCode.UNSET);
    expect(checkpoint!.name).toBe('sombra.checkpoint');
    expect(checkpoint!.attributes).toMatchObject({ 'sombra.pages': expect.any(Number) as number });
    for (const span of spans()) {
      expect(ms(span.startTime)).toBeGreaterThan(before - 1000);
      expect(ms(span.endTime)).toBeLessThan(Date.now() + 1000);
      expect(ms(span.endTime)).toBeGreaterThanOrEqual(ms(span.startTime));
    }
  });

  it('takes durations from the database', () => {
    const { spans } = bridge();
    const vfs = new SimDisk();
    const db = GraphDB.open('a.db', { vfs, hooks: traceEvents(), slowOperationMs: 100 });
    db.transaction((tx) => {
      tx.addNode('A');
      vfs.env.advance(250);
    });
    db.close();
    const [slow] = spans();
    expect(ms(slow!.endTime) - ms(slow!.startTime)).toBeCloseTo(250, 3);
    expect(spans().filter(({ name }) => name === 'sombra.transaction').length).toBe(1);
  });

  it('makes a span of other slow operations', () => {
    const { spans } = bridge();
    const db = GraphDB.open(':memory:', { vfs: slowVfs(), hooks: traceEvents(), slowOperationMs: 1 });
    const id = db.addNode('A');
    db.bfs(id);
    db.verifyIntegrity();
    db.checkpoint();
    db.close();
    expect(spans().map(({ name }) => name)).toEqual(
      expect.arrayContaining(['sombra.transaction', 'sombra.bfs', 'sombra.verifyIntegrity', 'sombra.checkpoint']),
    );
    expect(spans().filter(({ name }) => name === 'sombra.transaction').length).toBe(1);
    expect(spans().filter(({ name }) => name.startsWith('sombra.checkpoint')).length).toBe(2);
  });

  it('says how a transaction was rolled back', () => {
    const { spans } = bridge();
    const db = GraphDB.open(':memory:', { hooks: traceEvents() });
    expect(codeOf(() => db.addEdge(1, 2, 'T'))).toBe('SOMBRA_NODE_NOT_FOUND');
    expect(() =>
      db.transaction(() => {
        throw new Error(SECRET);
      }),
    ).toThrow();
    db.beginTransaction().rollback();
    db.close();
    const shown = spans()
      .filter(({ name }) => name === 'sombra.transaction')
      .map(({ attributes, status }) => [attributes['sombra.rollback.reason'], attributes['error.type'], status.code]);
    expect(shown).toEqual([
      ['error', 'SOMBRA_NODE_NOT_FOUND', SpanStatusCode.ERROR],
      ['error', 'Error', SpanStatusCode.ERROR],
      ['rollback', undefined, SpanStatusCode.UNSET],
    ]);
    expect(JSON.stringify(spans().map(({ attributes, status }) => [attributes, status]))).not.toContain(SECRET);
  });

  it('makes a transaction a child of the span that is active', () => {
    const manager = new AsyncLocalStorageContextManager();
    context.setGlobalContextManager(manager.enable());
    onTestFinished(() => context.disable());
    const { spans, provider } = bridge();
    const db = GraphDB.open(':memory:', { hooks: traceEvents() });
    const parent = provider.getTracer('program').startSpan('request');
    context.with(trace.setSpan(context.active(), parent), () => db.addNode('A'));
    db.addNode('B');
    parent.end();
    db.close();
    const [child, orphan] = spans();
    expect(child!.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
    expect(child!.spanContext().traceId).toBe(parent.spanContext().traceId);
    expect(orphan!.parentSpanContext).toBeUndefined();
  });

  it('ends what is open when a database is closed, and itself when it is told to', () => {
    const { spans, end } = bridge();
    const db = GraphDB.open(':memory:', { hooks: traceEvents() });
    db.beginTransaction().addNode('A');
    db.close();
    const count = spans().length;
    expect(spans().map(({ attributes }) => attributes['sombra.rollback.reason'])).toContain('closed');
    end();
    GraphDB.open(':memory:', { hooks: traceEvents() }).close();
    expect(spans().length).toBe(count);
    expect(NAMES.filter((name) => channel(name).hasSubscribers)).toEqual([]);
  });

  it('leaves out transactions that began before it', () => {
    const db = GraphDB.open(':memory:', { hooks: traceEvents() });
    const tx = db.beginTransaction();
    const { spans } = bridge();
    tx.rollback();
    expect(spans()).toEqual([]);
    db.close();
  });
});
