import type { Metric, Registry } from 'prom-client';
import type { ObservedLatency } from '../base/observed.ts';
import { isLatency } from './series.ts';
import type { Reading, Series, SeriesType } from './series.ts';
import type { Source } from './source.ts';

/** A value as a registry of prom-client takes it. */
export interface CollectedValue {
  readonly labels: Record<string, string | number>;
  readonly value: number;
  /** Where it differs from the name of the metric: parts of a histogram. */
  readonly metricName?: string;
}

/** A metric as a registry of prom-client takes it. */
export interface CollectedMetric {
  readonly name: string;
  readonly help: string;
  readonly type: SeriesType;
  readonly aggregator: string;
  readonly values: CollectedValue[];
}

/**
 * A metric of prom-client whose values are read when it is scraped. prom-client's own classes hold values that a program pushes; here
 * nothing is pushed, and a histogram comes from the counts that the database keeps.
 */
export class Collector<F> {
  readonly name: string;
  readonly help: string;
  readonly type: SeriesType;
  readonly aggregator = 'sum';
  private readonly series: Series<F>;
  private readonly source: Source<F>;

  constructor(series: Series<F>, source: Source<F>) {
    this.name = series.name;
    this.help = series.help;
    this.type = series.type;
    this.series = series;
    this.source = source;
  }

  // Not an async method: the figures have to be read in the turn in which the registry asks.
  get(): Promise<CollectedMetric> {
    const { name, help, type, aggregator, source } = this;
    const figures = source.watched ? source.read() : undefined;
    const values = figures === undefined ? [] : valuesOf(name, this.series.read(figures), { database: source.name });
    return Promise.resolve({ name, help, type, aggregator, values });
  }

  /** What the database counts, only the database sets back: by being opened again. */
  reset(): void {}
}

/** `sombra_up`: can the figures be read? */
export class UpCollector<F> {
  readonly name = 'sombra_up';
  readonly help = '1 while the figures of the database can be read, 0 when it is closed or reading them fails.';
  readonly type = 'gauge';
  readonly aggregator = 'sum';
  private readonly source: Source<F>;

  constructor(source: Source<F>) {
    this.source = source;
  }

  get(): Promise<CollectedMetric> {
    const { name, help, type, aggregator, source } = this;
    const value = source.read() === undefined ? 0 : 1;
    const values = source.watched ? [{ labels: { database: source.name }, value }] : [];
    return Promise.resolve({ name, help, type, aggregator, values });
  }

  reset(): void {}
}

/** What a registry collects from. */
export interface RegistryMetric {
  readonly name: string;
  get(): Promise<CollectedMetric>;
  reset(): void;
}

/** Adds a collector to a registry, whose type knows only the classes of prom-client. */
export function register(registry: Registry, metric: RegistryMetric): void {
  registry.registerMetric(metric as unknown as Metric<string>);
}

function valuesOf(name: string, reading: Reading, labels: Record<string, string>): CollectedValue[] {
  if (reading === null || reading === undefined) return [];
  if (typeof reading === 'number') return [{ labels, value: reading }];
  if (isLatency(reading)) return histogramValues(name, reading, labels);
  return reading.map(({ labels: own, value }) => ({ labels: { ...labels, ...own }, value }));
}

/** Buckets of a histogram add up: each holds what lies below its bound. */
export function histogramValues(
  name: string,
  { bounds, counts, count, sum }: ObservedLatency,
  labels: Record<string, string>,
): CollectedValue[] {
  let below = 0;
  const buckets = bounds.map((bound, index) => {
    below += counts[index]!;
    return { metricName: `${name}_bucket`, labels: { ...labels, le: bound }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
