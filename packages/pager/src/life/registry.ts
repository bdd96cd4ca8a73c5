/**
 * The connections of this thread, by file (rule L7): a synchronous wait for a lock that another connection of the same thread
 * holds would never end, so it is asked to let go, or the wait is refused at once.
 */
import { IoError } from '@sombra/vfs';
import type { Engine } from '../connection/engine.ts';

const connections = new Map<string, Set<Engine>>();

function keyOf(engine: Engine): string {
  const { dev, ino } = engine.fileId;
  return `${dev}:${ino}`;
}

/** Notes a connection. */
export function register(engine: Engine): void {
  const key = keyOf(engine);
  const known = connections.get(key);
  if (known === undefined) connections.set(key, new Set([engine]));
  else known.add(engine);
}

/** Forgets a connection. */
export function unregister(engine: Engine): void {
  const key = keyOf(engine);
  const known = connections.get(key);
  known?.delete(engine);
  if (known?.size === 0) connections.delete(key);
}

/** Two file systems may be two objects in one thread; simulated ones may stand for two processes. */
function sameProcess(a: Engine, b: Engine): boolean {
  return a.vfs === b.vfs || (a.vfs.env.pid === b.vfs.env.pid && a.vfs.env.host === b.vfs.env.host);
}

/**
 * Another connection of this thread may keep WRITE although it does nothing: it lets go.
 * @returns whether one did
 * @throws IoError SOMBRA_BUSY when one is in the middle of something, which only this thread could end
 */
export function releaseIdle(engine: Engine): boolean {
  for (const other of connections.get(keyOf(engine)) ?? []) {
    if (other === engine || !sameProcess(other, engine) || !other.tenure.held || other.shm === null) continue;
    if (other.quiesce() && other.tenure.release(true, true)) return true;
    throw new IoError(
      'SOMBRA_BUSY',
      `${engine.options.path}: another connection of this thread is writing: end its transaction, or use one connection`,
      {
        details: { lock: 'WRITE', pid: engine.vfs.env.pid, host: engine.vfs.env.host },
      },
    );
  }
  return false;
}
