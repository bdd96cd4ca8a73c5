/**
 * The connections of this thread, by file (rule L7): a synchronous wait for a lock that another connection of the same thread
 * holds would never end, so that connection is asked to let go, or the wait is refused at once.
 */
import { IoError } from '@sombra/vfs';
import type { FileId } from '@sombra/vfs';

/** What a connection did when it was asked to give WRITE back. */
export type Reply =
  /** It did not hold it. */
  | 'free'
  | 'released'
  /** It is in the middle of something that only this thread could end. */
  | 'busy';

/** A connection as the others of its thread know it. */
export interface Neighbour {
  /** The file. */
  readonly key: string;
  /** The process: simulated file systems may stand for several of them in one thread. */
  readonly pid: number;
  readonly host: string;
  readonly path: string;
  tryRelease(): Reply;
}

/** Key of a file. */
export function fileKey({ dev, ino }: FileId): string {
  return `${dev}:${ino}`;
}

const connections = new Map<string, Set<Neighbour>>();

/** Notes a connection. */
export function register(connection: Neighbour): void {
  const known = connections.get(connection.key);
  if (known === undefined) connections.set(connection.key, new Set([connection]));
  else known.add(connection);
}

/** Forgets a connection. */
export function unregister(connection: Neighbour): void {
  const known = connections.get(connection.key);
  known?.delete(connection);
  if (known?.size === 0) connections.delete(connection.key);
}

/**
 * Another connection of this thread may keep WRITE although it does nothing: it lets go.
 * @returns whether one did
 * @throws IoError SOMBRA_BUSY when one is in the middle of something, which only this thread could end
 */
export function releaseIdle(connection: Neighbour): boolean {
  for (const other of connections.get(connection.key) ?? []) {
    if (other === connection || other.pid !== connection.pid || other.host !== connection.host) continue;
    const reply = other.tryRelease();
    if (reply === 'free') continue;
    if (reply === 'released') return true;
    throw new IoError(
      'SOMBRA_BUSY',
      `${connection.path}: another connection of this thread is writing: end its transaction, or use one connection`,
      { details: { lock: 'WRITE', pid: connection.pid, host: connection.host } },
    );
  }
  return false;
}
