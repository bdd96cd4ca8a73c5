import { DataError } from '@sombra/vfs';
import type { EventLogger } from '../base/event-logger.ts';
import { checkOptions } from '../base/check-options.ts';
import { databaseName } from '../base/database-name.ts';
import type { MeasuredDatabase } from '../base/observed.ts';
import { every, isClosed } from './every.ts';
import type { PeriodicOptions } from './every.ts';
import { programLogger } from '../logging/init-logging.ts';

/** Options of `startMetricsReporter`. `intervalMs` is 60,000 by default. */
export interface ReporterOptions extends PeriodicOptions {
  /** Gets a line at info. Default: the logger of `initLogging`. */
  readonly logger?: Pick<EventLogger, 'info' | 'warn'> | undefined;
  /** Name of the database in the fields. Default: the name of the file, without its folder. */
  readonly database?: string | undefined;
}

const INTERVAL_MS = 60_000;

/**
 * Logs a line of figures every minute:
 * `Metrics: tx_commit=1024 tx_rollback=3 cache_hit_rate=99.12% wal_bytes=5242880`. It ends with the database.
 * @returns ends it
 * @throws RangeError the interval is no positive number of milliseconds; DataError SOMBRA_OPTION, also without a logger when `initLogging`
 *   has not been called
 */
export function startMetricsReporter(
  db: Pick<MeasuredDatabase, 'path' | 'metrics'>,
  options: ReporterOptions = {},
): () => void {
  checkOptions('startMetricsReporter', options, ['logger', 'intervalMs', 'database', 'env']);
  const { logger = programLogger(), intervalMs = INTERVAL_MS, database = databaseName(db.path), env } = options;
  if (logger === undefined)
    throw new DataError('SOMBRA_OPTION', 'startMetricsReporter has no logger: pass one, or call initLogging before');
  return every(
    `the reporter of ${database}`,
    intervalMs,
    () => {
      try {
        const metrics = db.metrics();
        const { transactionsCommitted, transactionsRolledBack, walBytesWritten } = metrics;
        const cacheHitRate = metrics.cacheHitRate();
        const line = [
          `tx_commit=${transactionsCommitted}`,
          `tx_rollback=${transactionsRolledBack}`,
          `cache_hit_rate=${(cacheHitRate * 100).toFixed(2)}%`,
          `wal_bytes=${walBytesWritten}`,
        ].join(' ');
        const own = { transactionsCommitted, transactionsRolledBack, cacheHitRate, walBytesWritten };
        const fields = { event: 'metrics.report', database, ...own };
        logger.info(fields, `Metrics: ${line}`);
        return true;
      } catch (error) {
        if (isClosed(error)) return false;
        throw error;
      }
    },
    { logger, env },
  );
}
