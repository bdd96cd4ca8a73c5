import { callHook, NodeEnv, StateError } from '@sombra/vfs';
import { databaseName } from '../base/database-name.ts';
import type { EventLogger } from '../base/event-logger.ts';
import type { CheckedDatabase, ObservedHealth } from '../base/observed.ts';
import { programLogger } from '../logging/init-logging.ts';
import { requestId } from '../base/request.ts';

/** Options of `checkHealth`. */
export interface CheckHealthOptions {
  /** Told the result: info, warn or error. Default: the logger of `initLogging`, if it was called. */
  readonly logger?: EventLogger | undefined;
}

const LEVELS = Object.freeze({ healthy: 'info', degraded: 'warn', unhealthy: 'error' } as const);
const env = new NodeEnv();

/**
 * Checks the health of a database and logs the result. A degraded database works, but somebody should look at it.
 * @returns the report
 * @throws StateError SOMBRA_DATABASE_UNHEALTHY, with the names of the failed checks in `details.failed`; what `healthCheck` throws
 */
export function checkHealth(
  db: CheckedDatabase,
  { logger = programLogger() }: CheckHealthOptions = {},
): ObservedHealth {
  const health = db.healthCheck();
  const { status } = health;
  const failed = health.checks.filter(({ healthy }) => !healthy);
  const reasons = failed.map((check) => check.description()).join(', ');
  const message = `Health check: ${status.toUpperCase()}${failed.length === 0 ? '' : ` - ${reasons}`}`;
  if (logger !== undefined) {
    const names = failed.map(({ name }) => name);
    const fields = {
      event: `health.${status}`,
      database: databaseName(db.path),
      failed: names,
      requestId: requestId(),
    };
    // The health of a database does not depend on whether it can be logged.
    callHook(env, 'the logger of checkHealth', () => logger[LEVELS[status]](fields, message));
  }
  if (status === 'unhealthy') {
    throw new StateError('SOMBRA_DATABASE_UNHEALTHY', `${db.path} is unhealthy: ${reasons}`, {
      details: { path: db.path, failed: failed.map(({ name }) => name) },
    });
  }
  return health;
}
