import { quantileOf } from '@sombra/vfs';
import type { DatabaseStats, LatencySnapshot } from '@sombra/db';

const QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;

/** The figures of a database for a client: without its path, and with quantiles in place of single durations. */
export function statsView({ path: _path, pager, latencies, ...stats }: DatabaseStats): Record<string, unknown> {
  const { latencies: _latencies, ...pages } = pager;
  return { ...stats, pager: pages, latencies: mapValues(latencies, latencyView) };
}

/** Seconds. */
function latencyView(latency: LatencySnapshot): Record<string, number | null> {
  const quantiles = mapValues(QUANTILES, (q) => quantileOf(latency, q) ?? null);
  return { count: latency.count, sum: latency.sum, ...quantiles };
}

function mapValues<T, U>(of: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, change(value)]));
}
