/** Where a configuration comes from: a file, then variables of the environment, then flags; each counts for more than the one before. */
import { readFileSync } from 'node:fs';
import { Config } from '@sombra/db';
import type { Config as DatabaseConfig } from '@sombra/db';
import { DataError } from '@sombra/vfs';
import { parse } from 'smol-toml';
import { checkServerConfig, databaseConfig, SERVER_FIELDS } from './server-config.ts';
import type { ServerConfig, ServerFields } from './server-config.ts';

/** See the top of the file. */
export interface ConfigSources {
  /** Path of a TOML file: fields of the server, and a table `database`. Default: what SOMBRA_CONFIG names, or none. */
  readonly file?: string | undefined;
  /** For example `process.env`. Default: nothing. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Fields of the server by flags. */
  readonly flags?: ServerFields | undefined;
  /** Fields of the database by flags. */
  readonly database?: DatabaseConfig | undefined;
}

/**
 * Reads a configuration from all of its sources.
 * @throws DataError SOMBRA_CONFIG, details.field names the field or the variable
 */
export function readServerConfig({ file, env = {}, flags, database }: ConfigSources = {}): ServerConfig {
  const path = file ?? env['SOMBRA_CONFIG'];
  const { database: inFile, ...fields } = path === undefined || path === '' ? {} : readToml(path);
  if (inFile !== undefined && (typeof inFile !== 'object' || inFile === null || Array.isArray(inFile)))
    throw new DataError('SOMBRA_CONFIG', `${path}: database is a table, as in [database]`, {
      details: { field: 'database' },
    });
  const given = { ...fields, ...serverFieldsOf(env), ...defined(flags) };
  const layers = [inFile as DatabaseConfig, Config.fieldsFromEnv(env), defined(database)];
  return checkServerConfig(given, databaseConfig(env, ...layers));
}

function readToml(path: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const message = `the configuration ${path} cannot be read (${(cause as NodeJS.ErrnoException).code}): check the path`;
    throw new DataError('SOMBRA_CONFIG', message, { cause, details: { field: 'config' } });
  }
  try {
    return parse(text);
  } catch (cause) {
    const [line = ''] = (cause as Error).message.split('\n');
    throw new DataError('SOMBRA_CONFIG', `${path} is not TOML: ${line}`, { cause, details: { field: 'config' } });
  }
}

/** `SOMBRA_PORT` is `port`, `SOMBRA_LOG_LEVEL` is `logLevel`. An empty one counts as not set. */
function serverFieldsOf(env: Readonly<Record<string, string | undefined>>): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const field of SERVER_FIELDS) {
    const value = env[`SOMBRA_${field.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`];
    if (value === undefined || value === '') continue;
    const isText = field === 'host' || field === 'logLevel';
    found[field] = isText || !/^\d+$/.test(value) ? value : Number(value);
  }
  return found;
}

function defined<T extends object>(fields: T | undefined): T {
  return Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value !== undefined)) as T;
}
