import { GraphDB } from '@sombra/db';
import type { Config } from '@sombra/db';
import { BUSY_TIMEOUT_MS } from '../database/open-database.ts';
import type { Shell } from '../shell/shell.ts';

/**
 * Opens a database that is to be backed up, beside other processes. With the right to write, which it takes to make the newest commit
 * durable where they do not sync each one; without it where the file may not be written.
 */
export async function withSource<T>(path: string, shell: Shell, work: (db: GraphDB) => Promise<T>): Promise<T> {
  const config: Config = {
    createIfMissing: false,
    busyTimeoutMs: BUSY_TIMEOUT_MS,
    onWarning: ({ code, message }) => shell.note(`warning ${code}: ${message}`),
  };
  const db = open(path, config);
  try {
    return await work(db);
  } finally {
    db.close();
  }
}

function open(path: string, config: Config): GraphDB {
  try {
    return GraphDB.open(path, config);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'SOMBRA_PERMISSION') throw error;
    return GraphDB.open(path, { ...config, readOnly: true });
  }
}
