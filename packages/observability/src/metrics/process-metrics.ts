import { collectDefaultMetrics } from 'prom-client';
import { metricsIn, newRegistry } from './metrics.ts';
import type { Metrics } from './metrics.ts';

let metrics: Metrics | undefined;

/**
 * Metrics of the process: CPU, memory, delay of the event loop, garbage collection, open files, under the names that prom-client gives
 * them. They are of the process, so that every call gives the same object, and measuring begins with the first one.
 */
export function processMetrics(): Metrics {
  if (metrics === undefined) {
    const registry = newRegistry();
    collectDefaultMetrics({ register: registry });
    metrics = metricsIn(registry);
  }
  return metrics;
}
