// Goal: metrics of several databases, of the process and of the program are one scrape that Prometheus accepts, and trouble with one of
// them does not take the others along. Method: real pagers beside objects whose figures fail; promtool reads what comes out.
import { Pager } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import { SimEnv } from '@sombra/vfs/testing';
import { Counter, Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import {
  logMetricsOf,
  mergedMetrics,
  metricsOf,
  processMetrics,
  startMetricsReporter,
  statsd,
  textFileCollector,
  toPrometheusFormat,
} from '../src/index.ts';
import type { ObservedPager } from '../src/index.ts';
import { codeOf } from './support/codes.ts';
import { familiesOf, samplesOf, scrape } from './support/metrics.ts';
import { has, run } from './support/tools.ts';

const open: Pager[] = [];

function openPager(path: string, vfs = new MemoryVfs()): Pager {
  const pager = Pager.open({ vfs, path, cacheSize: 64 });
  open.push(pager);
  return pager;
}

afterEach(() => {
  for (const pager of open.splice(0)) pager.close();
});

/** A pager whose figures cannot be read while there is an error. */
function failing(of: Pager): ObservedPager & { error: Error | undefined; reads: number } {
  return {
    path: of.path,
    closed: false,
    error: undefined,
    reads: 0,
    stats() {
      this.reads += 1;
      if (this.error !== undefined) throw this.error;
      return of.stats();
    },
  };
}

describe('a scrape', () => {
  it('reads the figures once, as text, as data and merged', async () => {
    const db = failing(openPager('a.db'));
    const metrics = metricsOf(db);
    await metrics.text();
    expect(db.reads).toBe(1);
    await metrics.json();
    expect(db.reads).toBe(2);
    await mergedMetrics([metrics, processMetrics()]).text();
    expect(db.reads).toBe(3);
  });

  it('tells as data what it tells as text', async () => {
    const env = new SimEnv({ seed: 1 }); // the same moment for both
    const metrics = metricsOf(openPager('a.db', new MemoryVfs({ env })));
    const flat = (await metrics.json()).flatMap(({ name, values }) =>
      values.map(({ metricName = name, labels, value }) => {
        const own = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
        return [`${metricName}{${own.join(',')}}`, value];
      }),
    );
    expect(Object.fromEntries(flat as [string, number][])).toEqual(Object.fromEntries(samplesOf(await metrics.text())));
    expect(metrics.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it('goes on without a database whose figures cannot be read, and says so once', async () => {
    const env = new SimEnv({ seed: 1 });
    const [a, b] = [failing(openPager('a.db')), openPager('b.db')];
    const merged = mergedMetrics([metricsOf(a, { env }), metricsOf(b)]);
    a.error = Object.assign(new Error('the disk of secret-value'), { code: 'EIO' });
    for (let i = 0; i < 3; i += 1) {
      const samples = samplesOf(await merged.text());
      expect([...samples.keys()].filter((name) => name.includes('"a.db"'))).toEqual(['sombra_up{database="a.db"}']);
      expect(samples.get('sombra_up{database="a.db"}')).toBe(0);
      expect(samples.get('sombra_up{database="b.db"}')).toBe(1);
      expect(samples.get('sombra_cache_size_pages{database="b.db"}')).toBe(64);
    }
    expect(env.warnings.map(({ code, message }) => [code, message])).toEqual([
      ['SOMBRA_METRICS_FAILED', 'the figures of a.db cannot be read (EIO), its metrics are missing'],
    ]);
    a.error = undefined;
    expect(samplesOf(await merged.text()).get('sombra_up{database="a.db"}')).toBe(1);
    a.error = Object.assign(new Error('again'), { code: 'EIO' });
    await merged.text();
    expect(env.warnings.length).toBe(2);
  });

  it('tells a logger instead, where there is one', async () => {
    const db = failing(openPager('a.db'));
    const lines: [object, string][] = [];
    const metrics = metricsOf(db, { logger: { warn: (fields, line) => lines.push([fields, line]) } });
    db.error = new TypeError('with secret-value');
    await metrics.text();
    expect(JSON.stringify(lines)).not.toContain('secret-value');
    expect(lines).toEqual([
      [
        { event: 'metrics.failed', code: 'SOMBRA_METRICS_FAILED', error: { name: 'TypeError' } },
        'the figures of a.db cannot be read (TypeError), its metrics are missing',
      ],
    ]);
  });

  it('has no series of a database that is no longer watched', async () => {
    const pager = openPager('a.db');
    const metrics = metricsOf(pager);
    const merged = mergedMetrics([metrics, metricsOf(openPager('b.db'))]);
    metrics.unwatch();
    metrics.unwatch();
    expect([...samplesOf(await metrics.text())]).toEqual([]);
    const samples = samplesOf(await merged.text());
    expect([...samples.keys()].filter((name) => !name.includes('"b.db"'))).toEqual([]);
    expect(samples.size).toBeGreaterThan(50);
    expect(pager.closed).toBe(false);
  });

  it('has no label from what users store: only the name of the file, escaped', async () => {
    const metrics = metricsOf(openPager('a "quoted"\\name\n.db'));
    expect(await metrics.text()).toContain('sombra_up{database="a \\"quoted\\"\\\\name\\n.db"} 1');
  });
});

describe('merged metrics', () => {
  it('have each name once, with the values of all databases', async () => {
    const [a, b] = [openPager('a.db'), openPager('b.db')];
    b.begin().rollback();
    const merged = mergedMetrics([metricsOf(a), metricsOf(b, { database: 'second' })]);
    const text = await merged.text();
    expect(text.match(/^# TYPE sombra_cache_hits_total /gm)).toHaveLength(1);
    expect((await scrape(merged, 'a.db'))('sombra_transactions_begun_total')).toBe(0);
    expect((await scrape(merged, 'second'))('sombra_transactions_begun_total')).toBe(1);
  });

  it('may have metrics of the program and of the process beside them', async () => {
    const registry = new Registry();
    const requests = new Counter({ name: 'app_requests_total', help: 'Requests.', registers: [registry] });
    requests.inc(3);
    const merged = mergedMetrics([metricsOf(openPager('a.db')), processMetrics(), registry]);
    const text = await merged.text();
    expect(text).toContain('app_requests_total 3');
    const names = [...familiesOf(text).keys()];
    expect(names).toEqual(
      expect.arrayContaining(['process_cpu_seconds_total', 'nodejs_eventloop_lag_p99_seconds', 'sombra_up']),
    );
    expect(new Set(names).size).toBe(names.length);
    expect(processMetrics()).toBe(processMetrics());
    // Merging once more adds nothing.
    expect([...familiesOf(await mergedMetrics([merged, merged]).text()).keys()]).toEqual(names);
  });

  it('refuse two databases with one name', () => {
    const parts = [metricsOf(openPager('x/graph.db')), metricsOf(openPager('y/graph.db'))];
    expect(() => mergedMetrics(parts)).toThrow('two databases have the label "graph.db"');
    expect(codeOf(() => mergedMetrics(parts))).toBe('SOMBRA_OPTION');
  });

  it.skipIf(!has('promtool'))('are what promtool accepts', async () => {
    const merged = mergedMetrics([metricsOf(openPager('a.db')), metricsOf(openPager('b.db'))]);
    expect(run('promtool', ['check', 'metrics'], await merged.text())).toBe('');
  });
});

it.each([
  ['metricsOf', () => metricsOf(openPager('a.db'), { name: 'a' } as object)],
  ['logMetricsOf', () => logMetricsOf({} as never, { database: 'a', name: 'a' } as never)],
  ['startMetricsReporter', () => startMetricsReporter({} as never, { interval: 1 } as never)],
  ['statsd', () => statsd({} as never, { hostname: 'a' } as object)],
  ['textFileCollector', () => textFileCollector({} as never, 'a.prom', { interval: 1 } as object)],
  ['toPrometheusFormat', () => toPrometheusFormat({} as never, { name: 'a' } as object)],
])('%s refuses an option that it has not', (name, call) => {
  expect(codeOf(call)).toBe('SOMBRA_OPTION');
  expect(call).toThrow(`${name} has no option`);
});
