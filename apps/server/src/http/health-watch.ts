import type { GraphDB, HealthReport } from '@sombra/db';
import type { FastifyBaseLogger } from 'fastify';

const LEVELS = { healthy: 'info', degraded: 'warn', unhealthy: 'error' } as const;

/** The health of a database, and a line in the log for each change of it. */
export class HealthWatch {
  private readonly db: Pick<GraphDB, 'healthCheck'>;
  private readonly logger: Pick<FastifyBaseLogger, 'info' | 'warn' | 'error'>;
  private last: HealthReport['status'] = 'healthy';

  constructor(db: Pick<GraphDB, 'healthCheck'>, logger: Pick<FastifyBaseLogger, 'info' | 'warn' | 'error'>) {
    this.db = db;
    this.logger = logger;
  }

  /** @throws StateError SOMBRA_CLOSED */
  check(): HealthReport {
    const report = this.db.healthCheck();
    if (report.status !== this.last) this.log(report);
    this.last = report.status;
    return report;
  }

  private log({ status, checks }: HealthReport): void {
    const failed = checks.filter(({ healthy }) => !healthy);
    const reasons = failed.map((check) => check.description()).join(', ');
    const fields = { event: `health.${status}`, before: this.last, failed: failed.map(({ name }) => name) };
    this.logger[LEVELS[status]](fields, `the database is ${status}${reasons === '' ? ' again' : `: ${reasons}`}`);
  }
}
