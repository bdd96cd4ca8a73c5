import { quantileOf } from '@sombra/vfs';
import type { DatabaseStats, LatencySnapshot } from '@sombra/db';

const QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;

/** The figures of a database for a client: without its path, and with quantiles in place of single durations. */
export function statsView(stats: DatabaseStats): Record<string, unknown> {
  return {
    ...without(stats, 'path'),
    pager: without(stats.pager, 'latencies'),
    latencies: mapValues(stats.latencies, latencyView),
  };
}

function without<T extends object>(of: T, field: keyof T): Record<string, unknown> {
  return Object.fromEntries(Object.entries(of).filter(([name]) => name !== field));
}

/** Seconds. */
function latencyView(latency: LatencySnapshot): Record<string, number | null> {
  const quantiles = mapValues(QUANTILES, (q) => quantileOf(latency, q) ?? null);
  return { count: latency.count, sum: latency.sum, ...quantiles };
}

function mapValues<T, U>(of: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, change(value)]));
}
