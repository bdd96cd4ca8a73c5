import { NodeEnv } from '@sombra/vfs';
import type { VfsEnv } from '@sombra/vfs';
import { checkOptions } from '../base/check-options.ts';
import { databaseName } from '../base/database-name.ts';
import type { EventLogger } from '../base/event-logger.ts';
import type { MeasuredDatabase, ObservedLog, ObservedLogStats, ObservedPager } from '../base/observed.ts';
import { BUILD_INFO } from './build-info.ts';
import { Collector, register, UpCollector } from './collector.ts';
import { BACKUP_SERIES, DATABASE_SERIES, PAGER_SERIES } from './database-series.ts';
import { LOG_SERIES } from './log-series.ts';
import { metricsIn, newRegistry } from './metrics.ts';
import type { DatabaseMetrics } from './metrics.ts';
import type { BackupFigures, DatabaseFigures, PagerFigures, Series } from './series.ts';
import { Source } from './source.ts';

/** Options of `metricsOf`. */
export interface MetricsOptions {
  /** Value of the label `database`. Default: the name of the file, without its folder. */
  readonly database?: string | undefined;
  /** State of backups. With it there are `sombra_backup_age_seconds` and `sombra_archive_lag_bytes`. Called in each scrape. */
  readonly backup?: (() => BackupFigures) | undefined;
  /** Gets a warning when figures cannot be read. Default: the process does. */
  readonly logger?: Pick<EventLogger, 'warn'> | undefined;
  readonly env?: VfsEnv | undefined;
}

/** Options of `logMetricsOf`. */
export interface LogMetricsOptions {
  /** Value of the label `database`. */
  readonly database: string;
  /** Gets a warning when figures cannot be read. Default: the process does. */
  readonly logger?: Pick<EventLogger, 'warn'> | undefined;
  readonly env?: VfsEnv | undefined;
}

const nodeEnv = new NodeEnv();

/**
 * The metrics of a database, or of a plain pager as far as it knows them, in a registry of their own.
 *
 * Nothing is pushed: a scrape reads `stats()` once, and `healthCheck()` where there is one. When the database is closed, or they throw,
 * only `sombra_up` is there, as 0; a scrape itself never fails because of it.
 * @throws DataError SOMBRA_OPTION
 */
export function metricsOf(of: MeasuredDatabase | ObservedPager, options: MetricsOptions = {}): DatabaseMetrics {
  checkOptions('metricsOf', options, ['database', 'backup', 'logger', 'env']);
  const { database = databaseName(of.path), backup, logger, env = nodeEnv } = options;
  const listener = { logger, env };
  if (!isDatabase(of)) {
    const read = (): PagerFigures | undefined => (of.closed ? undefined : { stats: of.stats() });
    return metricsFrom(new Source(database, PAGER_SERIES, read, listener));
  }
  const read = (): DatabaseFigures => ({
    stats: of.stats(),
    health: of.healthCheck(),
    backup: backup?.(),
  });
  const series = backup === undefined ? DATABASE_SERIES : [...DATABASE_SERIES, ...BACKUP_SERIES];
  return metricsFrom(new Source(database, series, read, listener));
}

/** The metrics of a plain append log. @throws DataError SOMBRA_OPTION */
export function logMetricsOf(log: ObservedLog, options: LogMetricsOptions): DatabaseMetrics {
  checkOptions('logMetricsOf', options, ['database', 'logger', 'env']);
  const { database, logger, env = nodeEnv } = options;
  const read = (): ObservedLogStats | undefined => (log.closed ? undefined : log.stats());
  return metricsFrom(new Source(database, LOG_SERIES, read, { logger, env }));
}

function isDatabase(of: MeasuredDatabase | ObservedPager): of is MeasuredDatabase {
  return 'healthCheck' in of;
}

function metricsFrom<F>(source: Source<F>): DatabaseMetrics {
  const registry = newRegistry();
  register(registry, new UpCollector(source));
  register(registry, new Collector(BUILD_INFO as Series<F>, source));
  for (const series of source.series) register(registry, new Collector(series, source));
  return { ...metricsIn(registry), database: source.name, unwatch: () => source.unwatch() };
}
