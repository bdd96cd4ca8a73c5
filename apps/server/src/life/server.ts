/**
 * The life of a server: opens the database, listens, and ends both in an order in which no request is cut off without need.
 *
 *   ready ── stop() ──► draining ──► stopped
 *
 * Stopping: readiness ends, so that load balancers look elsewhere; after `drainDelayMs` no new connection is taken; requests get
 * `shutdownTimeoutMs` to end; then the database is checkpointed and closed.
 */
import { GraphDB } from '@sombra/db';
import { IoError } from '@sombra/vfs';
import { logEvents, mergedMetrics, metricsOf, processMetrics } from '@sombra/observability';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { Registry } from 'prom-client';
import type { ServerConfig } from '../config/server-config.ts';
import { buildApp } from '../http/app.ts';
import { HealthWatch } from '../http/health-watch.ts';
import { requestCounter } from '../http/request-counter.ts';

/** Time between two looks at the health of the database when nobody asks for it, ms. */
const HEALTH_INTERVAL_MS = 10_000;

export type ServerState = 'ready' | 'draining' | 'stopped';

/** How a server is stopped. */
export interface StopOptions {
  /** When it is aborted, connections are cut at once. */
  readonly force?: AbortSignal | undefined;
}

/** A running server. */
export class Server {
  private readonly db: GraphDB;
  private readonly app: FastifyInstance;
  private readonly config: ServerConfig;
  private readonly logger: Logger;
  private url = '';
  private current: ServerState = 'ready';
  private stopping: Promise<void> | undefined;
  private readonly health: HealthWatch;
  private looking: NodeJS.Timeout | undefined;

  private constructor(db: GraphDB, config: ServerConfig, logger: Logger) {
    this.db = db;
    this.config = config;
    this.logger = logger;
    const registry = new Registry();
    const requests = requestCounter(registry);
    const health = new HealthWatch(db, logger);
    this.health = health;
    this.app = buildApp({
      db,
      health,
      requests,
      logger,
      metrics: mergedMetrics([metricsOf(db, { logger }), processMetrics(), registry]),
      requestTimeoutMs: config.requestTimeoutMs,
      isReady: () => this.current === 'ready',
    });
  }

  /**
   * Opens a database and serves it.
   * @param destination  takes the lines of the log. Default: stdout
   * @throws as `GraphDB.open`; IoError SOMBRA_LISTEN: the database is closed again
   */
  static async start(path: string, config: ServerConfig, destination?: DestinationStream): Promise<Server> {
    const logger = pino({ level: config.logLevel }, ...(destination === undefined ? [] : [destination]));
    const db = GraphDB.open(path, { ...config.database, hooks: logEvents(logger) });
    try {
      const server = new Server(db, config, logger);
      await server.listen();
      return server;
    } catch (error) {
      db.close();
      throw error;
    }
  }

  private async listen(): Promise<void> {
    const { host, port } = this.config;
    try {
      this.url = await this.app.listen({ host, port });
    } catch (cause) {
      const { code = String(cause) } = cause as { code?: string };
      const advice =
        code === 'EADDRINUSE' ? 'another program listens there: stop it, or take another port' : 'check host and port';
      const details = { host, port, errno: code };
      throw new IoError('SOMBRA_LISTEN', `cannot listen on ${host}, port ${port} (${code}): ${advice}`, {
        cause,
        details,
      });
    }
    this.looking = setInterval(() => this.health.check(), HEALTH_INTERVAL_MS).unref();
  }

  get state(): ServerState {
    return this.current;
  }

  /** Where it listens, such as `http://127.0.0.1:7654`. */
  get address(): string {
    return this.url;
  }

  /** Stops serving, and closes the database. The second call waits for the first one. @throws what closing the database throws */
  stop({ force }: StopOptions = {}): Promise<void> {
    force?.addEventListener('abort', () => this.cut(), { once: true });
    return (this.stopping ??= this.end(force));
  }

  private async end(force: AbortSignal | undefined): Promise<void> {
    this.current = 'draining';
    this.logger.info({ event: 'server.draining' }, 'no new work is taken');
    const { drainDelayMs, shutdownTimeoutMs } = this.config;
    if (drainDelayMs > 0) await delay(drainDelayMs, force);
    const deadline = setTimeout(() => {
      this.logger.warn({ event: 'server.cut', shutdownTimeoutMs }, 'requests did not end in time: connections are cut');
      this.cut();
    }, shutdownTimeoutMs);
    if (force?.aborted === true) this.cut();
    try {
      await this.app.close();
    } finally {
      clearTimeout(deadline);
      clearInterval(this.looking);
      this.db.close();
      this.current = 'stopped';
    }
    this.logger.info({ event: 'server.stopped' }, 'the database is closed');
  }

  private cut(): void {
    this.app.server.closeAllConnections();
  }
}

/** Resolves after a time, or as soon as `early` is aborted. */
function delay(ms: number, early: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (early?.aborted === true) return resolve();
    const timer = setTimeout(resolve, ms);
    early?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
