/** What a server is started with. */
import { Config } from '@sombra/db';
import type { Config as DatabaseConfig } from '@sombra/db';
import { DataError } from '@sombra/vfs';
import { z } from 'zod';

/** Longest time that timers take. */
const TIMER_MAX_MS = 2 ** 31 - 1;
const milliseconds = z.int().min(0).max(TIMER_MAX_MS);

const SERVER = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(7654),
  logLevel: z.enum(['silent', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
  drainDelayMs: milliseconds.default(0),
  shutdownTimeoutMs: milliseconds.default(10_000),
  requestTimeoutMs: milliseconds.default(30_000),
});

/** Fields of the server itself. */
export type ServerFields = z.input<typeof SERVER>;

/** A checked configuration. */
export interface ServerConfig {
  /** Address to listen on. Default 127.0.0.1: only programs of this machine reach it. */
  readonly host: string;
  /** 0 takes a free one. Default 7654. */
  readonly port: number;
  /** Least severe lines that are logged. Default info. */
  readonly logLevel: 'silent' | 'error' | 'warn' | 'info' | 'debug' | 'trace';
  /** Milliseconds between readiness ending and connections being closed, for load balancers to notice. Default 0. */
  readonly drainDelayMs: number;
  /** Milliseconds that requests get to end at a stop, before their connections are cut. Default 10,000. */
  readonly shutdownTimeoutMs: number;
  /** Milliseconds in which a request must have arrived whole; 0 for no limit. Default 30,000. */
  readonly requestTimeoutMs: number;
  /** How the database is opened. */
  readonly database: DatabaseConfig;
}

/** Names of the fields of the server itself. */
export const SERVER_FIELDS = Object.keys(SERVER.shape) as (keyof ServerFields)[];

/**
 * Checks fields and fills in defaults. The fields of the database are checked when it is opened.
 * @throws DataError SOMBRA_CONFIG, details.field names the field
 */
export function checkServerConfig(fields: Readonly<Record<string, unknown>>, database: DatabaseConfig): ServerConfig {
  const result = SERVER.safeParse(fields);
  if (result.success) return { ...result.data, database };
  const [issue] = result.error.issues;
  const field = issue?.code === 'unrecognized_keys' ? String(issue.keys[0]) : String(issue?.path[0]);
  const value = Object.hasOwn(fields, field) ? ` is ${JSON.stringify(fields[field])}` : '';
  const why =
    issue?.code === 'unrecognized_keys'
      ? `there is no field '${field}' of the server; there are ${SERVER_FIELDS.join(', ')}, and the table database`
      : `${field}${value}: ${issue?.message ?? 'invalid'}`;
  throw new DataError('SOMBRA_CONFIG', why, { details: { field } });
}

/** The preset that an environment asks for, with fields of more weight on top. */
export function databaseConfig(
  env: Readonly<Record<string, string | undefined>>,
  ...layers: readonly DatabaseConfig[]
): DatabaseConfig {
  const stage = { ENV: env['ENV'], NODE_ENV: env['NODE_ENV'] };
  return Config.fromEnv(stage, Object.assign({}, ...layers) as DatabaseConfig);
}
