import { DataError } from '@sombra/vfs';
import type { Registry } from 'prom-client';
import { register } from './collector.ts';
import type { CollectedMetric, RegistryMetric } from './collector.ts';
import { metricsIn, newRegistry } from './metrics.ts';
import type { DatabaseMetrics, Metrics } from './metrics.ts';

/** Several metrics of one name as one: what Prometheus reads has each name once, with the values of all databases below it. */
class JoinedMetric implements RegistryMetric {
  readonly name: string;
  private readonly parts: readonly RegistryMetric[];

  constructor(name: string, parts: readonly RegistryMetric[]) {
    this.name = name;
    this.parts = parts;
  }

  async get(): Promise<CollectedMetric> {
    const all = await Promise.all(this.parts.map((part) => part.get()));
    return { ...all[0]!, values: all.flatMap(({ values }) => values) };
  }

  reset(): void {
    for (const part of this.parts) part.reset();
  }
}

/**
 * Metrics of several databases, of the process and of the program in one scrape.
 * @param parts  metrics, or registries of prom-client as they are now
 * @throws DataError SOMBRA_OPTION  two databases have the same label
 */
export function mergedMetrics(parts: readonly (Metrics | Registry)[]): Metrics {
  const names = new Set<string>();
  for (const part of parts) {
    const { database } = part as Partial<DatabaseMetrics>;
    if (database === undefined) continue;
    if (names.has(database)) {
      throw new DataError(
        'SOMBRA_OPTION',
        `two databases have the label "${database}": give one another name, metricsOf(db, { database: '…' })`,
        { details: { database } },
      );
    }
    names.add(database);
  }
  const byName = new Map<string, RegistryMetric[]>();
  for (const part of parts) {
    const registry = 'registry' in part ? part.registry : part;
    for (const metric of registry.getMetricsAsArray() as unknown as RegistryMetric[]) {
      const found = byName.get(metric.name);
      if (found === undefined) byName.set(metric.name, [metric]);
      else if (!found.includes(metric)) found.push(metric);
    }
  }
  const registry = newRegistry();
  for (const [name, metrics] of byName)
    register(registry, metrics.length === 1 ? metrics[0]! : new JoinedMetric(name, metrics));
  return metricsIn(registry);
}
