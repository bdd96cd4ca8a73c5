import { Registry } from 'prom-client';
import type { CollectedMetric } from './collector.ts';

/** Metrics that can be scraped. */
export interface Metrics {
  /** Registry of prom-client with what is collected: for merging with others, or with metrics of the program. */
  readonly registry: Registry;
  /** Type of `text` for the header of an HTTP answer. */
  readonly contentType: string;
  /** What Prometheus scrapes. */
  text(): Promise<string>;
  /** The same as plain data. */
  json(): Promise<MetricValues[]>;
}

/** A metric as plain data. */
export interface MetricValues {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly {
    readonly labels: Readonly<Record<string, string | number>>;
    readonly value: number;
    /** Part of a histogram: `…_bucket`, `…_sum`, `…_count`. */
    readonly metricName?: string;
  }[];
}

/** Metrics of one database, pager or log. */
export interface DatabaseMetrics extends Metrics {
  /** Value of the label `database`. */
  readonly database: string;
  /** Ends it: from now on there are no series, wherever the registry was merged into. Harmless when repeated. */
  unwatch(): void;
}

/** Metrics of a registry. */
export function metricsIn(registry: Registry): Metrics {
  return {
    registry,
    contentType: registry.contentType,
    text: () => registry.metrics(),
    json: async () => {
      const metrics = (await registry.getMetricsAsJSON()) as unknown as CollectedMetric[];
      return metrics.map(({ name, help, type, values }) => ({ name, help, type: String(type), values }));
    },
  };
}

export function newRegistry(): Registry {
  return new Registry();
}
