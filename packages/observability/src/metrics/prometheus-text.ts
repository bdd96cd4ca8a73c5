import { checkOptions } from '../base/check-options.ts';
import type { ObservedMetrics } from '../base/observed.ts';
import { DATABASE_SERIES } from './database-series.ts';

/** Type of what `toPrometheusFormat` returns, for the header of an HTTP answer. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Options of `toPrometheusFormat`. */
export interface PrometheusFormatOptions {
  /** Value of the label `database`. Default: no label. */
  readonly database?: string | undefined;
}

/** Name of the series of each figure. Latencies are not among them: of a percentile no other can be made; `metricsOf` has histograms. */
const NAMES: Readonly<Record<keyof Omit<ObservedMetrics, 'cacheHitRate'>, string>> = {
  transactionsBegun: 'sombra_transactions_begun_total',
  transactionsCommitted: 'sombra_transactions_committed_total',
  transactionsRolledBack: 'sombra_transactions_rolled_back_total',
  transactionTimeouts: 'sombra_transaction_timeouts_total',
  transactionsRefused: 'sombra_transactions_refused_total',
  slowOperations: 'sombra_slow_operations_total',
  walBytesWritten: 'sombra_wal_bytes_written_total',
  syncs: 'sombra_wal_syncs_total',
  checkpoints: 'sombra_checkpoints_total',
  cacheSize: 'sombra_cache_size_pages',
  pageSize: 'sombra_page_size_bytes',
  cacheHits: 'sombra_cache_hits_total',
  cacheMisses: 'sombra_cache_misses_total',
  pageEvictions: 'sombra_page_evictions_total',
  corruptionErrors: 'sombra_corruption_errors_total',
};
const series = new Map(DATABASE_SERIES.map((each) => [each.name, each]));

/**
 * What `db.metrics()` returned as Prometheus reads it, at once: for a program that wants the counters and nothing else. `metricsOf` has
 * all figures, and the label.
 */
export function toPrometheusFormat(metrics: ObservedMetrics, options: PrometheusFormatOptions = {}): string {
  checkOptions('toPrometheusFormat', options, ['database']);
  const { database } = options;
  const label = database === undefined ? '' : `{database="${escaped(database)}"}`;
  return Object.entries(NAMES)
    .map(([field, name]) => {
      const { help, type } = series.get(name)!;
      const value = metrics[field as keyof typeof NAMES];
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name}${label} ${value}\n`;
    })
    .join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
