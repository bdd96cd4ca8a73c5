// Goal: checkHealth says, logs and throws what the state of a database asks for. Method: databases that report each state, and a logger
// that keeps what it is told.
import { describe, expect, it } from 'vitest';
import { checkHealth, withRequestId } from '../src/index.ts';
import type { CheckedDatabase, EventLogger, HealthStatus } from '../src/index.ts';

function database(status: HealthStatus, failed: readonly string[]): CheckedDatabase {
  const names = ['corruption', 'log', 'cache'];
  const checks = names.map((name) => ({
    name,
    healthy: !failed.includes(name),
    description: () => `${name} is ${failed.includes(name) ? 'bad' : 'well'}`,
  }));
  return { path: 'some/folder/graph.db', healthCheck: () => ({ status, checks }) };
}

function recorder(): EventLogger & { readonly lines: { level: string; fields: object; message: string }[] } {
  const lines: { level: string; fields: object; message: string }[] = [];
  const at =
    (level: string) =>
    (fields: object, message: string): void =>
      void lines.push({ level, fields, message });
  return { lines, error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug'), trace: at('trace') };
}

describe('checkHealth', () => {
  it('says that all is well', () => {
    const logger = recorder();
    expect(checkHealth(database('healthy', []), { logger }).status).toBe('healthy');
    const fields = { event: 'health.healthy', database: 'graph.db', failed: [], requestId: undefined };
    expect(logger.lines).toEqual([{ level: 'info', fields, message: 'Health check: HEALTHY' }]);
  });

  it('warns of a degraded database, and goes on', () => {
    const logger = recorder();
    const report = withRequestId('r1', () => checkHealth(database('degraded', ['log', 'cache']), { logger }));
    expect(report.status).toBe('degraded');
    const message = 'Health check: DEGRADED - log is bad, cache is bad';
    const fields = { event: 'health.degraded', database: 'graph.db', failed: ['log', 'cache'], requestId: 'r1' };
    expect(logger.lines).toEqual([{ level: 'warn', fields, message }]);
  });

  it('throws for an unhealthy one, with what is wrong', () => {
    const logger = recorder();
    expect(() => checkHealth(database('unhealthy', ['corruption']), { logger })).toThrow(
      expect.objectContaining({
        code: 'SOMBRA_DATABASE_UNHEALTHY',
        message: 'some/folder/graph.db is unhealthy: corruption is bad',
        details: { path: 'some/folder/graph.db', failed: ['corruption'] },
      }),
    );
    expect(logger.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'error Health check: UNHEALTHY - corruption is bad',
    ]);
  });

  it('gives the same answer without a logger, and with one that throws', async () => {
    expect(checkHealth(database('degraded', ['log'])).status).toBe('degraded');
    const fail = (): never => {
      throw new Error('no space left');
    };
    const logger = { error: fail, warn: fail, info: fail, debug: fail, trace: fail };
    const warned = new Promise<{ code?: string }>((resolve) => process.once('warning', resolve));
    expect(checkHealth(database('degraded', ['log']), { logger }).status).toBe('degraded');
    expect((await warned).code).toBe('SOMBRA_HOOK_FAILED');
  });
});
