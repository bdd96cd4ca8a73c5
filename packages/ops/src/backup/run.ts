/**
 * One backup. Steps, and what a crash after each leaves:
 *
 *  1. the lock of the repository is taken                     a lock that the next run takes over
 *  2. a copy of the newest commit is opened, and that commit made durable in the database    -
 *  3. its bytes are read, packed and put under the key of the data, if that is free          data without a manifest, which `prune` removes
 *  4. they are read back, hashed, unpacked and checked page by page                          the same
 *  5. the lock is confirmed, and the manifest put, if its key is free                        the backup
 *  6. the lock is given back                                                                 the backup, and a lock as after 1
 *
 * Whatever fails before 5 removes what 3 has put, as far as that is possible.
 */
import { IoError, StateError, toHex } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import type { CommitPosition, CopyChanges, DatabaseCopy } from '@sombra/pager';
import type { ObjectStore } from '../base/object-store.ts';
import { backupsOf, chainOf, readCatalogue } from './catalogue.ts';
import type { Catalogue } from './catalogue.ts';
import { otherDatabase, sameFolder } from './errors.ts';
import { RepositoryLock } from './lock.ts';
import { encodeManifest } from './manifest.ts';
import type { BackupPosition, Manifest } from './manifest.ts';
import { Measured } from './measured.ts';
import { checkName, dataKey, idOf, manifestKey, nameOf } from './names.ts';
import type { Compression } from './names.ts';
import { checkCompression, pack } from './packing.ts';
import { bytesOfChanges, bytesOfCopy, makeDurable } from './source.ts';
import type { BackupSource, ReadOptions } from './source.ts';
import { checkSizes, verifyStored } from './stored.ts';
import { Throttle } from './throttle.ts';

/** How far a backup is: bytes of the database in `copy`, bytes before compression in `verify`. */
export interface BackupProgress {
  readonly phase: 'copy' | 'verify';
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** Options of a backup. What `onProgress` throws ends it. */
export interface RunBackupOptions {
  /** Of the backups. Default the file name of the database without its ending. Each name belongs to one database. */
  readonly name?: string | undefined;
  /** Only what has changed since the newest backup of the name; a full one where that cannot be, and `fullBecause` says why. Default false. */
  readonly incremental?: boolean | undefined;
  /** Incremental ones in a row after which a full one is made. Default 30. */
  readonly maxChain?: number | undefined;
  /** Default `gzip`. `zstd` needs Node 22.15. */
  readonly compression?: Compression | undefined;
  /** Bytes of the database that are read in a second, at most. Default no limit. */
  readonly bytesPerSecond?: number | undefined;
  /** Read everything back, and check it, before the backup counts. Default true. */
  readonly verifyAfter?: boolean | undefined;
  /** Allow a place within the folder of the database. Default false. */
  readonly allowSameFolder?: boolean | undefined;
  /** How long to wait while others write, when the commit is not durable yet, ms. Default 60,000. */
  readonly busyTimeoutMs?: number | undefined;
  /** Only say what would be made. Default false. */
  readonly dryRun?: boolean | undefined;
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Why a full backup was made although an incremental one was asked for. */
export type FullBecause =
  | 'first'
  | 'other-timeline'
  | 'history-lost'
  | 'older-than-base'
  | 'base-unreadable'
  | 'chain-length';

/** What was made, or with `dryRun` would be: then there is no `manifest`. */
export interface RunBackupResult {
  readonly id: string;
  readonly kind: Manifest['kind'];
  readonly base: string | null;
  readonly lsn: number;
  /** undefined: as was asked for. */
  readonly fullBecause: FullBecause | undefined;
  readonly verified: boolean;
  readonly manifest: Manifest | undefined;
}

/** Where backups go. */
export interface Repository {
  readonly store: ObjectStore;
  /** File system of directories, and clock. */
  readonly vfs: Vfs;
  /** Version of this package. */
  readonly version: string;
}

const BUSY_TIMEOUT_MS = 60_000;
const CHAIN_MAX = 30;

/** Makes one. @throws as `Backups.run` */
export async function runBackup(
  repository: Repository,
  source: BackupSource,
  options: RunBackupOptions,
): Promise<RunBackupResult> {
  const { store, vfs } = repository;
  const { name = nameOf(source.path), compression = 'gzip', signal, dryRun = false } = options;
  checkName(name);
  checkCompression(compression);
  // Before there is anything in a place where nothing should be.
  refuseFolder(repository, source, options);
  const lock = dryRun ? undefined : await RepositoryLock.take(store, vfs.env, 'run', signal);
  let copy: DatabaseCopy | undefined;
  try {
    const catalogue = await readCatalogue(store, signal);
    copy = source.copy();
    const plan = planOf(catalogue, store.location, name, copy, options);
    const id = freeId(catalogue, name, vfs.env.wallTimeMs());
    if (lock === undefined) return { ...plan.told, id, lsn: copy.lsn, verified: false, manifest: undefined };
    if (plan.base === null && compression === 'none') refuseFull(vfs, store.location, copy.size);
    await makeDurable(copy, vfs.env, options.busyTimeoutMs ?? BUSY_TIMEOUT_MS, signal);
    const run = new Run(repository, lock, copy, { ...options, name, compression });
    const manifest = await run.store(id, plan, catalogue);
    const { verifyAfter = true } = options;
    return { ...plan.told, id, lsn: copy.lsn, verified: verifyAfter, manifest };
  } finally {
    copy?.release();
    await lock?.release();
  }
}

/** What is to be made. */
interface Plan {
  readonly sequence: number;
  readonly base: Manifest | null;
  readonly told: Pick<RunBackupResult, 'kind' | 'base' | 'fullBecause'>;
}

/** @throws StateError SOMBRA_BACKUP_OTHER_DATABASE */
function planOf(
  catalogue: Catalogue,
  location: string,
  name: string,
  copy: DatabaseCopy,
  { incremental = false, maxChain = CHAIN_MAX }: RunBackupOptions,
): Plan {
  const before = backupsOf(catalogue, name);
  const databaseId = toHex(copy.databaseId);
  const other = before.find((backup) => backup.databaseId !== databaseId);
  if (other !== undefined) throw otherDatabase(location, name, other.databaseId, databaseId);
  const newest = before.at(-1);
  const sequence = (newest?.sequence ?? 0) + 1;
  const fullBecause = incremental ? whyFull(catalogue, newest, copy, maxChain) : undefined;
  if (!incremental || fullBecause !== undefined || newest === undefined)
    return { sequence, base: null, told: { kind: 'full', base: null, fullBecause } };
  return { sequence, base: newest, told: { kind: 'incremental', base: newest.id, fullBecause: undefined } };
}

function whyFull(
  catalogue: Catalogue,
  newest: Manifest | undefined,
  copy: DatabaseCopy,
  maxChain: number,
): FullBecause | undefined {
  if (newest === undefined) return 'first';
  if (newest.sourceTimeline !== copy.sourceTimeline) return 'other-timeline';
  if (newest.lsn > copy.lsn) return 'older-than-base';
  // The clock of commits never goes back in one history.
  if (Date.parse(newest.time) > copy.time && newest.lsn < copy.lsn) return 'history-lost';
  const { position } = newest;
  if (position !== null && !copy.mayFollow(positionOf(position))) return 'history-lost';
  let chain: Manifest[];
  try {
    chain = chainOf(catalogue, newest);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'SOMBRA_BACKUP_CHAIN') return 'base-unreadable';
    throw error;
  }
  const keys = new Set(catalogue.objects.map(({ key, size }) => `${key} ${size}`));
  if (chain.some(({ parts }) => parts.some(({ key, size }) => !keys.has(`${key} ${size}`)))) return 'base-unreadable';
  return chain.length > maxChain ? 'chain-length' : undefined;
}

function positionOf({ salt, ...rest }: BackupPosition): CommitPosition {
  return { ...rest, salt: Buffer.from(salt, 'hex') };
}

/** An id that no object of the repository has: the time of day may stand still, or go back. */
function freeId({ objects }: Catalogue, name: string, timeMs: number): string {
  for (let again = 0; ; again += 1) {
    const id = idOf(name, timeMs, again);
    if (!objects.some(({ key }) => key.startsWith(`${id}.`))) return id;
  }
}

/** @throws StateError SOMBRA_BACKUP_SAME_FOLDER */
function refuseFolder({ store, vfs }: Repository, source: BackupSource, options: RunBackupOptions): void {
  if (options.allowSameFolder === true || source.path === ':memory:' || isUrl(store.location)) return;
  const copy = source.copy();
  try {
    if (copy.isBesideDatabase(vfs, store.location)) throw sameFolder(source.path, store.location);
  } finally {
    copy.release();
  }
}

/** Without compression the size is known. @throws IoError SOMBRA_DISK_FULL */
function refuseFull(vfs: Vfs, location: string, bytes: number): void {
  if (isUrl(location) || vfs.stat(location) === null) return;
  const space = vfs.diskSpace?.(location) ?? null;
  if (space === null || space.free >= bytes) return;
  throw new IoError(
    'SOMBRA_DISK_FULL',
    `the backup takes ${bytes} bytes, and the disk of ${location} has ${space.free} left: free space, or choose another place`,
    { details: { path: location, needed: bytes, free: space.free } },
  );
}

/** Is it no directory? */
export function isUrl(location: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(location);
}

/** Steps 3 to 5. */
class Run {
  private readonly repository: Repository;
  private readonly lock: RepositoryLock;
  private readonly copy: DatabaseCopy;
  private readonly options: RunBackupOptions & { readonly name: string; readonly compression: Compression };

  constructor(repository: Repository, lock: RepositoryLock, copy: DatabaseCopy, options: Run['options']) {
    this.repository = repository;
    this.lock = lock;
    this.copy = copy;
    this.options = options;
  }

  async store(id: string, plan: Plan, catalogue: Catalogue): Promise<Manifest> {
    const { store } = this.repository;
    const key = dataKey(id, plan.told.kind, this.options.compression);
    let isPublishing = false;
    try {
      const manifest = await this.putData(id, key, plan);
      await this.verify(manifest, plan, catalogue);
      const { signal } = this.options;
      await this.lock.confirm(signal);
      isPublishing = true;
      await store.put(manifestKey(id), encodeManifest(manifest), { ifAbsent: true, signal });
      return manifest;
    } catch (error) {
      // A manifest whose writing failed may be there all the same: then its data has to be.
      if (!isPublishing) await this.discard(key, error);
      throw error;
    }
  }

  private async putData(id: string, key: string, plan: Plan): Promise<Manifest> {
    const { copy, options, repository } = this;
    const { store, vfs, version } = repository;
    const { name, compression, signal } = options;
    const created = new Date(vfs.env.wallTimeMs()).toISOString();
    const [raw, stored] = [new Measured(), new Measured()];
    const changes = plan.base === null ? undefined : copy.changes(plan.base.lsn);
    const bytes = stored.through(pack(raw.through(this.bytes(changes)), compression));
    const { size } = await store.put(key, bytes, { ifAbsent: true, signal });
    if (size !== stored.size)
      throw new StateError(
        'SOMBRA_OBJECT_CHANGED',
        `${key} has ${size} bytes of ${stored.size}: another program writes to ${store.location}`,
      );
    const { position } = copy;
    return {
      id,
      name,
      sequence: plan.sequence,
      kind: plan.told.kind,
      base: plan.told.base,
      created,
      sombra: version,
      databaseId: toHex(copy.databaseId),
      sourceTimeline: copy.sourceTimeline,
      timeline: copy.timeline,
      salt: copy.salt,
      lsn: copy.lsn,
      time: new Date(copy.time).toISOString(),
      position:
        position === undefined
          ? null
          : { seq: position.seq, offset: position.offset, chain: position.chain, salt: toHex(position.salt) },
      pageSize: copy.pageSize,
      pageCount: copy.pageCount,
      pages: changes === undefined ? copy.pageCount : changes.pages,
      parts: [
        {
          key,
          size,
          sha256: stored.sha256(),
          rawSize: raw.size,
          rawSha256: raw.sha256(),
          compression,
        },
      ],
    };
  }

  private bytes(changes: CopyChanges | undefined): AsyncIterable<Uint8Array> {
    const { copy, options, repository } = this;
    const { env } = repository.vfs;
    const { signal, onProgress, bytesPerSecond = Infinity } = options;
    const reading: ReadOptions = {
      env,
      throttle: new Throttle(env, bytesPerSecond, signal),
      signal,
      onRead: (doneBytes) => onProgress?.({ phase: 'copy', doneBytes, totalBytes: copy.size }),
    };
    return changes === undefined ? bytesOfCopy(copy, reading) : bytesOfChanges(changes, copy.pageSize, reading);
  }

  private async verify(manifest: Manifest, plan: Plan, catalogue: Catalogue): Promise<void> {
    const { store } = this.repository;
    const { signal, verifyAfter = true, onProgress } = this.options;
    if (plan.base !== null) chainOf({ ...catalogue, backups: [...catalogue.backups, manifest] }, manifest);
    await checkSizes(store, manifest, signal);
    if (!verifyAfter) return;
    const totalBytes = manifest.parts.reduce((sum, { rawSize }) => sum + rawSize, 0);
    await verifyStored(store, manifest, signal, (doneBytes) =>
      onProgress?.({ phase: 'verify', doneBytes, totalBytes }),
    );
  }

  private async discard(key: string, error: unknown): Promise<void> {
    // Somebody else's data has this key: it stays.
    if ((error as { code?: unknown }).code === 'SOMBRA_OBJECT_EXISTS') return;
    try {
      await this.repository.store.delete(key);
    } catch (failure) {
      // What ended the backup is what counts. What cannot be removed now, `prune` removes.
      if (!(failure instanceof IoError)) throw failure;
    }
  }
}
