/** Opening a database for a command. */
import { GraphDB } from '@sombra/db';
import type { Config } from '@sombra/db';
import { refuseOwnStreams } from '../files/refuse-streams.ts';
import type { Shell } from '../shell/shell.ts';

/** Milliseconds that a command waits for another process to close the database. */
export const BUSY_TIMEOUT_MS = 1000;

/**
 * Opens an existing database, hands it to `read`, closes it. It is opened read-only, unless a crash has left something to
 * recover first.
 * @throws Interrupted when a signal came meanwhile; then there is no result
 */
export async function readDatabase<T>(path: string, shell: Shell, read: (db: GraphDB) => T | Promise<T>): Promise<T> {
  const db = openForReading(path, shell);
  let result: T;
  try {
    result = await read(db);
  } finally {
    db.close();
  }
  // The engine is synchronous: a signal that came while it was busy is heard now.
  await shell.signals.turn();
  return result;
}

function openForReading(path: string, shell: Shell): GraphDB {
  refuseOwnStreams(path);
  const config: Config = {
    createIfMissing: false,
    busyTimeoutMs: BUSY_TIMEOUT_MS,
    onWarning: ({ code, message }) => shell.note(`warning ${code}: ${message}`),
  };
  try {
    return GraphDB.open(path, { ...config, readOnly: true });
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'SOMBRA_RECOVERY_REQUIRED') throw error;
    shell.note(`${path} was not closed properly: recovering it`);
    return GraphDB.open(path, config);
  }
}
