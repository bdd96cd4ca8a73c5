/** What a repository holds, as its manifests say. */
import { DataError } from '@sombra/vfs';
import type { SombraError } from '@sombra/vfs';
import type { ObjectEntry, ObjectStore } from '../base/object-store.ts';
import { badManifest, brokenChain, noBackup } from './errors.ts';
import { decodeManifest, MANIFEST_MAX } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { idOfManifest, nameOfId } from './names.ts';

/** A manifest that cannot be read: damaged, or of a newer release. */
export interface Unreadable {
  readonly id: string;
  readonly key: string;
  readonly error: SombraError;
}

/** See the top of the file. */
export interface Catalogue {
  /** In the order in which they were made, those of one name behind each other. */
  readonly backups: readonly Manifest[];
  readonly unreadable: readonly Unreadable[];
  /** All objects beside each other, whatever they are. */
  readonly objects: readonly ObjectEntry[];
}

/** Reads every manifest. @throws as `ObjectStore.list` and `ObjectStore.get` */
export async function readCatalogue(store: ObjectStore, signal: AbortSignal | undefined): Promise<Catalogue> {
  const objects: ObjectEntry[] = [];
  for await (const entry of store.list('', { signal })) {
    if (!entry.key.includes('/')) objects.push(entry);
  }
  const backups: Manifest[] = [];
  const unreadable: Unreadable[] = [];
  for (const { key, size } of objects) {
    const id = idOfManifest(key);
    if (id === undefined) continue;
    try {
      const manifest = await readManifest(store, key, id, size, signal);
      if (manifest !== undefined) backups.push(manifest);
    } catch (error) {
      const { code } = error as SombraError;
      if (code !== 'SOMBRA_BACKUP_MANIFEST' && code !== 'SOMBRA_BACKUP_FORMAT') throw error;
      unreadable.push({ id, key, error: error as SombraError });
    }
  }
  return { backups: backups.sort(compareBackups), unreadable, objects };
}

/** @returns undefined when it is gone */
async function readManifest(
  store: ObjectStore,
  key: string,
  id: string,
  size: number,
  signal: AbortSignal | undefined,
): Promise<Manifest | undefined> {
  if (size > MANIFEST_MAX) throw badManifest(key, `it has ${size} bytes, and ${MANIFEST_MAX} are the most`);
  const bytes = await readObject(store, key, MANIFEST_MAX, signal);
  return bytes === undefined ? undefined : decodeManifest(bytes, key, id);
}

/**
 * All bytes of a small object.
 * @param max  bytes after which the rest is left out
 * @returns undefined when there is none
 */
export async function readObject(
  store: ObjectStore,
  key: string,
  max: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  try {
    const { body } = await store.get(key, { signal, range: { offset: 0, length: max } });
    const pieces: Uint8Array[] = [];
    for await (const piece of body) pieces.push(piece);
    return Buffer.concat(pieces);
  } catch (error) {
    if ((error as Partial<SombraError>).code === 'SOMBRA_OBJECT_MISSING') return undefined;
    throw error;
  }
}

/** Their number is their order: the time of day may go back, and a database that was restored begins with lower commits again. */
function compareBackups(a: Manifest, b: Manifest): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  // Two of one number: made at once, where the place enforces no conditions.
  return a.sequence - b.sequence || a.lsn - b.lsn || (a.id < b.id ? -1 : 1);
}

/** The backups of one name, the newest last. */
export function backupsOf({ backups }: Catalogue, name: string): Manifest[] {
  return backups.filter((backup) => backup.name === name);
}

/**
 * The backup that an id, or `latest`, means.
 * @param name  whose newest one; may be left out when the repository has backups of one name only
 * @throws DataError SOMBRA_BACKUP_NOT_FOUND, SOMBRA_OPTION when it has several; what reading the manifest threw
 */
export function findBackup(catalogue: Catalogue, location: string, id: string, name: string | undefined): Manifest {
  const { backups, unreadable } = catalogue;
  const names = [...new Set(backups.map((backup) => backup.name))];
  const ids = backups.map((backup) => backup.id);
  if (id !== 'latest') {
    const found = backups.find((backup) => backup.id === id);
    const broken = unreadable.find((one) => one.id === id);
    if (found === undefined && broken !== undefined) throw broken.error;
    if (found === undefined) throw noBackup(location, id, ids);
    return found;
  }
  if (name === undefined && names.length > 1)
    throw new DataError('SOMBRA_OPTION', `${location} has backups of ${names.join(', ')}: name one of them`, {
      details: { names },
    });
  const newest = backupsOf(catalogue, name ?? names[0] ?? '').at(-1);
  if (newest === undefined) throw noBackup(location, name === undefined ? 'at all' : `of ${name}`, ids);
  // One that cannot be read may be newer: it is never passed over in silence.
  const hidden = unreadable.find((one) => nameOfId(one.id) === newest.name);
  if (hidden !== undefined && hidden.id > newest.id) throw hidden.error;
  return newest;
}

/**
 * What a backup is restored from: a full one, and the incremental ones up to it.
 * @throws CorruptionError SOMBRA_BACKUP_CHAIN
 */
export function chainOf({ backups }: Catalogue, last: Manifest): Manifest[] {
  const byId = new Map(backups.map((backup) => [backup.id, backup]));
  const chain = [last];
  for (let at = last; at.base !== null; ) {
    const base = byId.get(at.base);
    if (base === undefined) throw brokenChain(at.id, at.base, 'is not there, or cannot be read');
    // Numbers descend, so that no chain is a circle.
    const isBefore = base.sequence < at.sequence && base.lsn <= at.lsn;
    const isSame = base.name === at.name && base.databaseId === at.databaseId && base.pageSize === at.pageSize;
    if (!isBefore || !isSame || base.sourceTimeline !== at.sourceTimeline)
      throw brokenChain(at.id, at.base, 'is not one that it could follow');
    chain.unshift(base);
    at = base;
  }
  return chain;
}
