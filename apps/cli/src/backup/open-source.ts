import { GraphDB } from '@sombra/db';
import type { Config } from '@sombra/db';
import { BUSY_TIMEOUT_MS } from '../database/open-database.ts';
import type { Shell } from '../shell/shell.ts';

/**
 * Opens a database that is to be backed up, beside other processes. With the right to write, which it takes to make the newest commit
 * durable where they do not sync each one; without it where the file may not be written.
 */
export async function withSource<T>(path: string, shell: Shell, work: (db: GraphDB) => Promise<T>): Promise<T> {
  return await closing(openSource(path, configOf(shell)), work);
}

/** Opens a database whose archive is changed, beside other processes. @throws as `GraphDB.open`, also SOMBRA_PERMISSION */
export async function withArchived<T>(path: string, shell: Shell, work: (db: GraphDB) => Promise<T>): Promise<T> {
  return await closing(GraphDB.open(path, configOf(shell)), work);
}

async function closing<T>(db: GraphDB, work: (db: GraphDB) => Promise<T>): Promise<T> {
  try {
    return await work(db);
  } finally {
    db.close();
  }
}

function configOf(shell: Shell): Config {
  return {
    createIfMissing: false,
    busyTimeoutMs: BUSY_TIMEOUT_MS,
    onWarning: ({ code, message }) => shell.note(`warning ${code}: ${message}`),
  };
}

function openSource(path: string, config: Config): GraphDB {
  try {
    return GraphDB.open(path, config);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'SOMBRA_PERMISSION') throw error;
    return GraphDB.open(path, { ...config, readOnly: true });
  }
}
