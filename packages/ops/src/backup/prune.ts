/**
 * Removes backups that are older than they have to be kept. What always stays: the newest backup of each name and all that it needs, which is
 * verified first; every backup that one within the time needs; whatever belongs to a manifest that cannot be read. Manifests go before
 * their data, and incremental backups before those that they follow: a crash at any point leaves whole backups, and data without a manifest.
 */
import { IoError, StateError } from '@sombra/vfs';
import type { SombraError } from '@sombra/vfs';
import type { ObjectStore } from '../base/object-store.ts';
import { backupsOf, chainOf, readCatalogue } from './catalogue.ts';
import type { Catalogue } from './catalogue.ts';
import { RepositoryLock } from './lock.ts';
import type { Manifest } from './manifest.ts';
import { idOfData, manifestKey } from './names.ts';
import type { Repository } from './run.ts';
import { verifyStored } from './stored.ts';

export interface PruneOptions {
  /** Days that backups are kept. */
  readonly retentionDays: number;
  /** Only these. Default all names. */
  readonly name?: string | undefined;
  /** Only say what would go. Default false. */
  readonly dryRun?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PruneResult {
  /** Ids of the backups that went, or with `dryRun` would, the newest first. */
  readonly removed: readonly string[];
  /** Ids of those that stay, the oldest first. */
  readonly kept: readonly string[];
  /** Keys of data without a manifest that went, or would. */
  readonly swept: readonly string[];
  /** Why what interrupted writers have left could not be removed: the place does not list it, or does not let this user. undefined: it was. */
  readonly sweepFailed: SombraError | undefined;
}

const DAY_MS = 86_400_000;

/**
 * @param isVerified  was this backup verified a moment ago?
 * @throws as `Backups.prune`
 */
export async function pruneBackups(
  repository: Repository,
  { retentionDays, name, dryRun = false, signal }: PruneOptions,
  isVerified: (id: string) => boolean,
): Promise<PruneResult> {
  const { store, vfs } = repository;
  const lock = dryRun ? undefined : await RepositoryLock.take(store, vfs.env, 'prune', signal);
  try {
    const catalogue = await readCatalogue(store, signal);
    refuseUnreadable(catalogue, store.location);
    const now = vfs.env.wallTimeMs();
    const names = [...new Set(catalogue.backups.map((backup) => backup.name))];
    const removed: Manifest[] = [];
    for (const one of names.filter((each) => name === undefined || each === name)) {
      const old = removable(catalogue, one, now - retentionDays * DAY_MS);
      if (old.length === 0) continue;
      // Whatever else is there could not take the place of what goes.
      const last = backupsOf(catalogue, one).at(-1)!;
      for (const backup of dryRun ? [] : chainOf(catalogue, last)) {
        if (!isVerified(backup.id)) await verifyStored(store, backup, signal, () => undefined);
      }
      removed.push(...old);
    }
    const orphans = orphansOf(catalogue, now - DAY_MS);
    let sweepFailed: SombraError | undefined;
    if (lock !== undefined) {
      for (const backup of removed) {
        await lock.confirm(signal);
        await store.delete(manifestKey(backup.id), { signal });
        for (const { key } of backup.parts) await store.delete(key, { signal });
      }
      if (orphans.length > 0) await lock.confirm(signal);
      for (const key of orphans) await store.delete(key, { signal });
      sweepFailed = await sweep(store, signal);
    }
    const gone = new Set(removed.map(({ id }) => id));
    return {
      removed: [...gone],
      kept: catalogue.backups.map(({ id }) => id).filter((id) => !gone.has(id)),
      swept: orphans,
      sweepFailed,
    };
  } finally {
    await lock?.release();
  }
}

/** Not every server lists unfinished uploads, and not every policy allows it; what was to be removed is removed all the same. */
async function sweep(store: ObjectStore, signal: AbortSignal | undefined): Promise<SombraError | undefined> {
  try {
    await store.sweep({ signal });
    return undefined;
  } catch (error) {
    if (error instanceof IoError) return error;
    throw error;
  }
}

/** What may go of one name, the newest first, so that nothing goes before what needs it. */
function removable(catalogue: Catalogue, name: string, before: number): Manifest[] {
  const backups = backupsOf(catalogue, name);
  const needed = new Set<string>();
  for (const backup of backups) {
    if (backup !== backups.at(-1) && Date.parse(backup.created) < before) continue;
    for (const { id } of safeChain(catalogue, backup, backup === backups.at(-1))) needed.add(id);
  }
  return backups.filter(({ id }) => !needed.has(id)).reverse();
}

/** A broken chain needs what is left of it; that of the newest is an error. */
function safeChain(catalogue: Catalogue, backup: Manifest, isNewest: boolean): readonly Manifest[] {
  try {
    return chainOf(catalogue, backup);
  } catch (error) {
    if (isNewest || (error as { code?: unknown }).code !== 'SOMBRA_BACKUP_CHAIN') throw error;
    const { backups } = catalogue;
    const left = [backup];
    for (let at: Manifest | undefined = backup; at !== undefined; ) {
      const { base, sequence }: Manifest = at;
      at = backups.find(({ id, sequence: before }) => id === base && before < sequence);
      if (at !== undefined) left.push(at);
    }
    return left;
  }
}

/** Data that no manifest names, and that nobody has written for a day: of runs that died. */
function orphansOf({ backups, unreadable, objects }: Catalogue, before: number): string[] {
  const named = new Set(backups.flatMap(({ parts }) => parts.map(({ key }) => key)));
  const hidden = new Set(unreadable.map(({ id }) => id));
  return objects
    .filter(({ key, modifiedMs }) => {
      const id = idOfData(key);
      return id !== undefined && !named.has(key) && !hidden.has(id) && modifiedMs < before;
    })
    .map(({ key }) => key);
}

/** It may need any of the others. @throws StateError SOMBRA_BACKUP_UNREADABLE */
function refuseUnreadable({ unreadable }: Catalogue, location: string): void {
  const [first] = unreadable;
  if (first === undefined) return;
  throw new StateError('SOMBRA_BACKUP_UNREADABLE', `nothing is removed from ${location}: ${first.error.message}`, {
    details: { location, keys: unreadable.map(({ key }) => key) },
    cause: first.error,
  });
}
