import { callHook, DataError, defaultObservers, MemoryVfs, NodeVfs } from '@sombra/vfs';
import { Pager } from '@sombra/pager';
import { Graph } from '@sombra/graph';
import type { Warning } from './base/warning.ts';
import type { Config } from './config/config.ts';
import { resolveConfig } from './config/resolve-config.ts';
import type { ResolvedConfig } from './config/resolve-config.ts';
import { CheckpointTimer } from './connection/checkpoint-timer.ts';
import { Connection } from './connection/connection.ts';
import type { DatabaseHooks } from './observing/hooks.ts';
import { Observers } from './observing/observers.ts';
import { Reports } from './observing/reports.ts';
import { SnapshotKeeper } from './reading/snapshot-keeper.ts';
import type { Schema, SchemaDefinition } from './schema/schema.ts';
import type { GraphDBOf } from './typed/typed-graph.ts';
import { Transactions } from './writing/transactions.ts';

/** Path of a database that lives in memory and ends with its handle. */
const MEMORY = ':memory:';

/**
 * An open database. Reads on it see the newest commit of this connection; what other processes commit is seen from the next
 * turn of the event loop on.
 */
export class GraphDB extends Connection {
  /**
   * Opens a database, creating the file and recovering from a crash as needed.
   * @param path    path of the file, or `:memory:`
   * @param config  see `Config`; presets are `Config.production()` and its like
   * @throws DataError SOMBRA_CONFIG (nothing was touched), SOMBRA_NOT_FOUND, SOMBRA_NOT_A_DATABASE, SOMBRA_PAGE_SIZE,
   *   SOMBRA_FORMAT_VERSION; IoError SOMBRA_BUSY (details pid, host, since), SOMBRA_PERMISSION, SOMBRA_IO,
   *   SOMBRA_DISK_FULL; StateError SOMBRA_RECOVERY_REQUIRED, SOMBRA_LOCKS_UNAVAILABLE, SOMBRA_HARD_LINK; CorruptionError
   */
  static open<D extends SchemaDefinition>(path: string, config: Config & { readonly schema: Schema<D> }): GraphDBOf<D>;
  static open(path: string, config?: Config): GraphDB;
  static open(path: string, config?: Config): unknown {
    const resolved = resolveConfig(config);
    if (typeof path !== 'string' || path === '') {
      throw new DataError('SOMBRA_CONFIG', "the path of a database is a non-empty text, or ':memory:'", {
        details: { field: 'path' },
      });
    }
    const inMemory = path === MEMORY;
    if (inMemory && resolved.vfs === undefined) refuseEmptyMemory(resolved);
    const vfs = resolved.vfs ?? (inMemory ? new MemoryVfs() : new NodeVfs());
    const observers = new Observers(vfs.env, path, resolved.onWarning);
    observers.add(resolved.hooks);
    for (const make of defaultObservers())
      callHook(vfs.env, path, () => void observers.add(make(path) as DatabaseHooks));
    const { warn } = observers;
    const noteDamage = (error: unknown): void => pager.noteDamage(error);
    const reports = new Reports(observers, vfs.env, resolved.slowOperationMs, noteDamage);
    const pager: Pager = Pager.open({
      ...resolved.pager,
      vfs,
      path: inMemory ? 'memory.db' : path,
      hooks: observers.pagerHooks((lsn) => reports.published(lsn)),
    });
    try {
      const graph = Graph.open(pager);
      const db = new GraphDB(inMemory ? MEMORY : pager.path, pager, graph, {
        vfs,
        files: resolved.vfs ?? (inMemory ? new NodeVfs() : vfs),
        observers,
        reports,
        health: resolved.health,
        transactions: new Transactions(graph, vfs.env, resolved, observers, reports),
        snapshots: new SnapshotKeeper(graph, warn, noteDamage),
        checkpoints: new CheckpointTimer(pager, vfs.env, resolved.autoCheckpointIntervalMs, warn),
      });
      const { readOnly, lsn } = db;
      observers.tell((hooks) => hooks.opened?.({ path: db.path, lsn, readOnly }));
      return db;
    } catch (error) {
      closeBecauseOf(pager, warn);
      throw error;
    }
  }
}

/** A database in memory begins empty, so that there is nothing to read. */
function refuseEmptyMemory({ pager }: ResolvedConfig): void {
  const field = pager.readOnly === true ? 'readOnly' : pager.createIfMissing === false ? 'createIfMissing' : undefined;
  if (field === undefined) return;
  throw new DataError('SOMBRA_CONFIG', `a database in memory begins empty: leave ${field} out`, { details: { field } });
}

/** Closes after a failed open. What the open threw is what matters; what the close throws is told as a warning. */
function closeBecauseOf(pager: Pager, warn: (warning: Warning) => void): void {
  try {
    pager.close();
  } catch (cause) {
    const message = 'closing after a failed open failed too; commits are safe in the log: see the cause';
    warn({ code: 'SOMBRA_CHECKPOINT_FAILED', message, cause });
  }
}
