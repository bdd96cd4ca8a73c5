/** The bytes of a backup as they are stored: read, unpacked, and compared with what the manifest says. */
import { CorruptionError, DataError, toHex } from '@sombra/vfs';
import { ChangesReader, CopyReader } from '@sombra/pager';
import type { Superblock } from '@sombra/pager';
import type { ObjectStore, StoredObject } from '../base/object-store.ts';
import { damaged } from './errors.ts';
import type { BackupPart, Manifest } from './manifest.ts';
import { Measured } from './measured.ts';
import { PackingError, unpack } from './packing.ts';

/**
 * The bytes before compression. Those that were given have not been compared before the end is reached.
 * @throws CorruptionError SOMBRA_BACKUP_DAMAGED; as `ObjectStore.get`
 */
export async function* rawBytes(
  store: ObjectStore,
  { id, parts }: Manifest,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const part of parts) yield* rawPart(store, id, part, signal);
}

async function* rawPart(
  store: ObjectStore,
  id: string,
  part: BackupPart,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const object = await openPart(store, id, part, signal);
  const [stored, raw] = [new Measured(), new Measured()];
  try {
    const bytes = unpack(stored.through(object.body), part.compression);
    for await (const piece of raw.through(bytes)) {
      // Before anything is done with them: a few bytes may unpack to very many.
      if (raw.size > part.rawSize) throw damaged(id, `${part.key} holds more than ${part.rawSize} bytes`);
      yield piece;
    }
  } catch (error) {
    if (error instanceof PackingError) throw damaged(id, `${part.key} cannot be unpacked (${error.message})`, error);
    throw error;
  } finally {
    object.close();
  }
  if (stored.size !== part.size || stored.sha256() !== part.sha256)
    throw damaged(id, `${part.key} is not what was written: its SHA-256 differs`);
  if (raw.size !== part.rawSize || raw.sha256() !== part.rawSha256)
    throw damaged(id, `what ${part.key} holds is not what was written: its SHA-256 differs`);
}

async function openPart(
  store: ObjectStore,
  id: string,
  { key, size }: BackupPart,
  signal: AbortSignal | undefined,
): Promise<StoredObject> {
  let object: StoredObject;
  try {
    object = await store.get(key, { signal });
  } catch (error) {
    if ((error as { code?: unknown }).code === 'SOMBRA_OBJECT_MISSING') throw damaged(id, `${key} is missing`, error);
    throw error;
  }
  if (object.size === size) return object;
  object.close();
  throw damaged(id, `${key} has ${object.size} bytes of ${size}`);
}

/** Are the objects there, with their sizes? @throws CorruptionError SOMBRA_BACKUP_DAMAGED; as `ObjectStore.head` */
export async function checkSizes(
  store: ObjectStore,
  { id, parts }: Manifest,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { key, size } of parts) {
    const info = await store.head(key, { signal });
    if (info === undefined) throw damaged(id, `${key} is missing`);
    if (info.size !== size) throw damaged(id, `${key} has ${info.size} bytes of ${size}`);
  }
}

/**
 * Reads a backup to its end: SHA-256 of what is stored and of what that unpacks to, every page by its own checksum, and whether all of
 * that is what the manifest says.
 * @param onRead  gets the bytes that have been read, before compression
 * @throws CorruptionError SOMBRA_BACKUP_DAMAGED; as `ObjectStore.get`
 */
export async function verifyStored(
  store: ObjectStore,
  manifest: Manifest,
  signal: AbortSignal | undefined,
  onRead: (done: number) => void,
): Promise<void> {
  const { id, kind, pages } = manifest;
  const reader = kind === 'full' ? new CopyReader(id) : new ChangesReader(id, pages);
  let done = 0;
  try {
    for await (const piece of rawBytes(store, manifest, signal)) {
      reader.push(piece);
      done += piece.length;
      onRead(done);
    }
    const header = reader.end();
    checkHeader(manifest, 'superblock' in header ? header.superblock : header);
    if ('since' in header && header.since === manifest.lsn && pages > 0)
      throw damaged(id, 'its pages follow themselves');
  } catch (error) {
    throw asDamage(id, error);
  }
}

/** Damage of a copy, told as damage of the backup that it came from. */
export function asDamage(id: string, error: unknown): unknown {
  const isOfCopy = error instanceof CorruptionError || error instanceof DataError;
  if (!isOfCopy || error.code === 'SOMBRA_BACKUP_DAMAGED' || !OF_COPY.has(error.code)) return error;
  return damaged(id, `it unpacks to what is no whole copy of a database (${error.message})`, error);
}

const OF_COPY: ReadonlySet<string> = new Set([
  'SOMBRA_COPY_INCOMPLETE',
  'SOMBRA_NOT_A_DATABASE',
  'SOMBRA_SUPERBLOCK',
  'SOMBRA_PAGE_CHECKSUM',
  'SOMBRA_PAGE_MISDIRECTED',
  'SOMBRA_PAGE_LSN',
]);

/** @throws CorruptionError SOMBRA_BACKUP_DAMAGED when the bytes are a copy, and another one */
export function checkHeader(manifest: Manifest, found: Superblock): void {
  const { id, lsn, pageSize, pageCount, timeline, salt, databaseId } = manifest;
  const isSame =
    found.checkpointLsn === lsn &&
    found.pageSize === pageSize &&
    found.pageCount === pageCount &&
    found.timeline === timeline &&
    found.salt === salt &&
    toHex(found.databaseId) === databaseId;
  if (!isSame) throw damaged(id, 'its bytes are a copy, and another one than its manifest says');
}
