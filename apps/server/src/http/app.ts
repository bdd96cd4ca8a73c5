/** What the server answers. */
import fastify from 'fastify';
import type { FastifyBaseLogger, FastifyError, FastifyInstance } from 'fastify';
import { withRequestId } from '@sombra/observability';
import type { Metrics } from '@sombra/observability';
import type { GraphDB, HealthReport } from '@sombra/db';
import type { Counter } from 'prom-client';
import type { HealthWatch } from './health-watch.ts';
import { sendProblem } from './problem.ts';
import { outcomeOf } from './request-counter.ts';
import { REQUEST_ID, requestIdOf } from './request-ids.ts';
import { statsView } from './stats-view.ts';

/** Bytes of a request that are read: no route takes a body yet. */
const BODY_MAX = 1024;

/** What answers are made of. */
export interface AppParts {
  readonly db: GraphDB;
  readonly health: HealthWatch;
  readonly metrics: Metrics;
  readonly requests: Counter<'outcome'>;
  readonly logger: FastifyBaseLogger;
  readonly requestTimeoutMs: number;
  /** Does the server still take work? */
  readonly isReady: () => boolean;
}

/** Builds the application; it listens to nothing yet. */
export function buildApp(parts: AppParts): FastifyInstance {
  const { logger, requestTimeoutMs } = parts;
  const app = fastify({
    loggerInstance: logger,
    bodyLimit: BODY_MAX,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: 'idle',
    genReqId: requestIdOf,
  });
  addErrors(app);
  app.addHook('onRequest', (request, reply, done) => {
    reply.header(REQUEST_ID, request.id).header('cache-control', 'no-store');
    withRequestId(request.id, done);
  });
  app.addHook('onResponse', (_request, { statusCode }, done) => {
    parts.requests.inc({ outcome: outcomeOf(statusCode) });
    done();
  });
  addHealth(app, parts);
  app.get('/metrics', async (_request, reply) =>
    reply.type(parts.metrics.contentType).send(await parts.metrics.text()),
  );
  app.get('/v1/stats', () => statsView(parts.db.stats()));
  return app;
}

function addHealth(app: FastifyInstance, { health, isReady }: AppParts): void {
  for (const path of ['/livez', '/health/live']) app.get(path, () => ({ status: 'ok' }));
  for (const path of ['/readyz', '/health/ready', '/ready']) {
    app.get(path, (_request, reply) => {
      if (!isReady()) return sendProblem(reply, 503, 'the server is stopping', { state: 'draining' });
      if (health.check().status === 'unhealthy')
        return sendProblem(reply, 503, 'the database is unhealthy: see /healthz', { state: 'unhealthy' });
      return { status: 'ready' };
    });
  }
  for (const path of ['/healthz', '/health']) {
    app.get(path, (_request, reply) => {
      const report = health.check();
      reply.code(report.status === 'unhealthy' ? 503 : 200);
      return healthView(report);
    });
  }
}

function healthView({ status, checks }: HealthReport): Record<string, unknown> {
  return {
    status,
    checks: checks.map(({ name, healthy, ...check }) => ({ name, healthy, description: check.description() })),
  };
}

function addErrors(app: FastifyInstance): void {
  app.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, 404, 'there is nothing at this address: see /healthz'),
  );
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode !== undefined && error.statusCode >= 400 ? error.statusCode : 500;
    if (status < 500) return sendProblem(reply, status, error.message);
    request.log.error({ event: 'request.failed', code: error.code, err: error }, 'a request failed');
    return sendProblem(reply, status, 'the request failed: the log of the server says why, by this request id');
  });
}
