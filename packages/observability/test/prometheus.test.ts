// Goal: what operators are given works on what a database gives: the production guide's queries, every panel of the dashboard, every
// alert. Method: a real Prometheus with the shipped rules scrapes the metrics of a database at work; then the work ends, and what
// Prometheus knows is compared with what the database says of itself.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GraphDB } from '@sombra/db';
import { Counter, Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mergedMetrics, metricsOf, processMetrics } from '../src/index.ts';
import type { DatabaseMetrics } from '../src/index.ts';
import { serve } from './support/endpoint.ts';
import { Prometheus } from './support/prometheus.ts';
import { has } from './support/tools.ts';
import { Workload } from './support/workload.ts';

const OPERATORS = fileURLToPath(new URL('../operators', import.meta.url));
const rules = ['recording.yml', 'alerts.yml'].map((name) => join(OPERATORS, 'rules', name));

interface Target {
  readonly expr: string;
}
const dashboard = JSON.parse(readFileSync(join(OPERATORS, 'grafana', 'sombra.json'), 'utf8')) as {
  panels: {
    type: string;
    title: string;
    targets?: Target[];
    gridPos: { x: number; y: number; w: number; h: number };
  }[];
  annotations: { list: { name: string; expr: string }[] };
  templating: { list: { name: string; definition?: string }[] };
};
const panels = dashboard.panels.filter(({ type }) => type !== 'row');

/** What Grafana puts in the place of its variables. */
function filled(expression: string): string {
  const text = expression.replaceAll('$__rate_interval', '1m').replaceAll(/\$(job|instance|database)\b/g, '.*');
  expect(text).not.toContain('$');
  return text;
}

describe('the dashboard', () => {
  it('has the rows that it promises', () => {
    const rows = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
    expect(rows).toEqual(['Status', 'Traffic', 'Latency', 'Cache', 'Log and checkpoint', 'Backup and disk', 'Process']);
    expect(panels.length).toBeGreaterThan(30);
  });

  it('has panels that do not overlap', () => {
    for (const [index, { gridPos: a, title }] of dashboard.panels.entries()) {
      expect(a.x + a.w, title).toBeLessThanOrEqual(24);
      for (const { gridPos: b, title: other } of dashboard.panels.slice(index + 1)) {
        const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        expect(apart, `${title} and ${other}`).toBe(true);
      }
    }
  });
});

describe.skipIf(!has('prometheus'))('a real Prometheus', () => {
  const prometheus = new Prometheus();
  const folder = mkdtempSync(join(tmpdir(), 'sombra-scraped-'));
  let db: GraphDB;
  let metrics: DatabaseMetrics;
  let endpoint: Awaited<ReturnType<typeof serve>>;

  beforeAll(async () => {
    db = GraphDB.open(join(folder, 'graph.db'), { cacheSize: 64, maxWalSizeMb: 1, fsyncEnabled: false });
    metrics = metricsOf(db, { backup: () => ({ ageSeconds: 3600, archiveLagBytes: 4096 }) });
    const registry = new Registry();
    const requests = new Counter({
      name: 'sombra_requests_total',
      help: 'Requests.',
      labelNames: ['outcome'],
      registers: [registry],
    });
    requests.inc({ outcome: 'ok' }, 0);
    requests.inc({ outcome: 'error' }, 0);
    endpoint = await serve(mergedMetrics([metrics, processMetrics(), registry]));
    const workload = new Workload(db);
    workload.start();
    await prometheus.start(endpoint.target, rules);
    // The rules about events need a change between two scrapes, the recording rules a rate.
    for (const alert of ['SombraCheckpointCompleted', 'SombraWalRotated', 'SombraCacheSizeChanged']) {
      requests.inc({ outcome: 'ok' }, 99);
      requests.inc({ outcome: 'error' });
      await prometheus.until(`ALERTS{alertname="${alert}", alertstate="firing"}`);
    }
    await prometheus.until('histogram_quantile(0.95, sombra_commit_latency_seconds) > 0');
    await workload.stop();
    const { committed } = db.stats().transactions;
    await prometheus.until(`sombra_transactions_committed_total == ${committed}`);
    await prometheus.until('sombra_cache_hits == on (instance, database) sombra_cache_hits_total');
  });

  afterAll(async () => {
    await prometheus.stop();
    await endpoint.stop();
    db.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const one = async (expression: string): Promise<number> => {
    const answers = await prometheus.query(expression);
    expect(answers.length, expression).toBe(1);
    return answers[0]!.value;
  };

  describe('answers the queries of the production guide as they stand', () => {
    it('rate(sombra_transactions_committed_total[5m])', async () => {
      expect(await one('rate(sombra_transactions_committed_total[5m])')).toBeGreaterThan(0);
    });

    it('rate(sombra_corruption_errors_total[5m])', async () => {
      expect(await one('rate(sombra_corruption_errors_total[5m])')).toBe(0);
    });

    it('sombra_cache_hits / (sombra_cache_hits + sombra_cache_misses) * 100', async () => {
      const { cacheHits: hits, cacheMisses: misses } = db.metrics();
      const percent = await one('sombra_cache_hits / (sombra_cache_hits + sombra_cache_misses) * 100');
      expect(percent).toBeGreaterThan(0);
      expect(percent).toBeCloseTo((hits / (hits + misses)) * 100, 1);
    });

    it('histogram_quantile(0.95, sombra_commit_latency_seconds)', async () => {
      const p95 = await one('histogram_quantile(0.95, sombra_commit_latency_seconds)');
      const { newest, bounds } = db.stats().latencies.commit;
      expect(p95).toBeGreaterThan(0);
      // At most the bound of the bucket that holds the slowest commit.
      expect(p95).toBeLessThanOrEqual(bounds.find((bound) => bound >= newest.at(-1)!)!);
    });
  });

  it('knows the figures that the database has', async () => {
    const { nodes, edges, transactions, pager } = db.stats();
    expect(await one('sombra_nodes')).toBe(nodes);
    expect(await one('sombra_edges')).toBe(edges);
    expect(await one('sombra_transactions_rolled_back_total')).toBe(transactions.rolledBack);
    expect(await one('sombra_commit_latency_seconds_count')).toBe(db.stats().latencies.commit.count);
    expect(await one('sombra_wal_rotations_total')).toBe(pager.rotations);
    expect(await one('sombra_up')).toBe(1);
  });

  it.each(panels.map(({ title, targets }) => [title, targets!] as const))(
    'has an answer for the panel "%s"',
    async (_, targets) => {
      expect(targets.length).toBeGreaterThan(0);
      for (const { expr } of targets) {
        const answers = await prometheus.query(filled(expr));
        expect(answers, expr).not.toEqual([]);
        for (const { value } of answers) {
          expect(Number.isFinite(value), `${expr}: ${value}`).toBe(true);
          expect(value, expr).toBeGreaterThanOrEqual(0);
        }
      }
    },
  );

  it('has an answer for each annotation and each variable of the dashboard', async () => {
    expect(dashboard.annotations.list.length).toBe(3);
    for (const { expr } of dashboard.annotations.list) {
      const events = filled(expr).replace(/^(ALERTS\{.*\})$/, 'count_over_time($1[5m])');
      expect(await prometheus.query(events), expr).not.toEqual([]);
    }
    const variables = dashboard.templating.list.filter(({ definition }) => definition !== undefined);
    expect(variables.map(({ name }) => name)).toEqual(['job', 'instance', 'database']);
    for (const { name, definition } of variables) {
      const [, series, label] = /^label_values\((.*), (\w+)\)$/.exec(definition!) ?? [];
      const answers = await prometheus.query(filled(series!));
      expect(answers[0]?.labels[label!], name).toMatch(/^(sombra|127\.0\.0\.1:\d+|graph\.db)$/);
    }
  });

  it('fires no alert that somebody would be called for', async () => {
    const firing = await prometheus.query('ALERTS{alertstate="firing", severity="critical"}');
    expect(firing.map(({ labels }) => labels['alertname'])).toEqual([]);
  });

  it('knows when the database is closed', async () => {
    db.close();
    await prometheus.until('sombra_up == 0');
    await prometheus.until('ALERTS{alertname="SombraDown", alertstate="pending"}');
    expect(await prometheus.query('sombra_nodes')).toEqual([]);
    metrics.unwatch();
  });
});
