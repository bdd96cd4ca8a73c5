import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { DataError, NodeVfs, StateError } from '@sombra/vfs';
import type { SombraError, Vfs } from '@sombra/vfs';
import { throwIfAborted } from './base/abort.ts';
import { checkCount, checkOptions } from './base/check-options.ts';
import type { CallOptions, ObjectStore } from './base/object-store.ts';
import { chainOf, findBackup, readCatalogue } from './backup/catalogue.ts';
import type { Unreadable } from './backup/catalogue.ts';
import type { Manifest } from './backup/manifest.ts';
import { checkName } from './backup/names.ts';
import { pruneBackups } from './backup/prune.ts';
import type { PruneOptions, PruneResult } from './backup/prune.ts';
import { runBackup } from './backup/run.ts';
import type { RunBackupOptions, RunBackupResult } from './backup/run.ts';
import type { BackupSource } from './backup/source.ts';
import { verifyStored } from './backup/stored.ts';
import { checkTarget, planRestore } from './restore/choose.ts';
import { restorePlan } from './restore/restore.ts';
import type { RestoreOptions, RestoreProgress, RestoreResult } from './restore/restore.ts';
import { testRestore } from './restore/test-restore.ts';
import type { TestResult } from './restore/test-restore.ts';
import { openObjectStore } from './store/open-object-store.ts';
import type { ObjectStoreOptions } from './store/open-object-store.ts';

/** What a repository holds. */
export interface BackupList {
  /** In the order in which they were made, those of one name behind each other. */
  readonly backups: readonly Manifest[];
  /** Manifests that are damaged, or of a newer release. */
  readonly unreadable: readonly Unreadable[];
}

export interface VerifyBackupsOptions extends CallOptions {
  /** Only these. Default all names. */
  readonly name?: string | undefined;
  /** @param done  bytes before compression of this backup */
  readonly onProgress?: ((id: string, done: number) => void) | undefined;
}

/** What was found of one backup. */
export interface VerifiedBackup {
  readonly id: string;
  /** What is wrong with it, or with one that it follows; undefined: nothing. */
  readonly error: SombraError | undefined;
}

export interface TestBackupOptions extends CallOptions {
  /** Where the file is made for the time of the test. Default that of the system for temporary files. */
  readonly folder?: string | undefined;
  /** Whose newest backup `latest` means. */
  readonly name?: string | undefined;
  readonly onProgress?: ((progress: RestoreProgress) => void) | undefined;
}

const RUN_OPTIONS = [
  'name',
  'incremental',
  'maxChain',
  'compression',
  'bytesPerSecond',
  'verifyAfter',
  'allowSameFolder',
  'busyTimeoutMs',
  'dryRun',
  'onProgress',
  'signal',
];
/** Codes that say that a backup is not what it was, and not that it could not be looked at. */
const DAMAGE: ReadonlySet<string> = new Set([
  'SOMBRA_BACKUP_DAMAGED',
  'SOMBRA_BACKUP_CHAIN',
  'SOMBRA_BACKUP_MANIFEST',
  'SOMBRA_BACKUP_FORMAT',
]);

/** Backups in one place. `openBackups` opens it. */
export class Backups {
  private readonly store: ObjectStore;
  private readonly vfs: Vfs;
  private readonly ownsStore: boolean;
  /** Ids that this object has verified, which nobody has changed since as far as it knows. */
  private readonly verified = new Set<string>();
  private isClosed = false;

  /** @internal */
  constructor(store: ObjectStore, vfs: Vfs, ownsStore: boolean) {
    this.store = store;
    this.vfs = vfs;
    this.ownsStore = ownsStore;
  }

  /** Where it is, for messages. */
  get location(): string {
    return this.store.location;
  }

  /**
   * Backs up the newest commit while everything else goes on. It is there when this is fulfilled, durable and read back; whatever fails before leaves what
   * was there.
   * @throws StateError SOMBRA_BACKUP_RUNNING (another one changes the repository: details host, pid, started), SOMBRA_BACKUP_OTHER_DATABASE,
   *   SOMBRA_BACKUP_SAME_FOLDER, SOMBRA_CONDITION_UNENFORCED, SOMBRA_READ_ONLY (the commit is not durable, and this connection may not make
   *   it so), SOMBRA_ABORTED, SOMBRA_CLOSED; DataError SOMBRA_OPTION, SOMBRA_COMPRESSION; IoError SOMBRA_BUSY, SOMBRA_DISK_FULL, and as `ObjectStore.put`;
   *   CorruptionError: a page of the database is damaged, or SOMBRA_BACKUP_DAMAGED: what was written is not what is read
   */
  async run(source: BackupSource, options: RunBackupOptions = {}): Promise<RunBackupResult> {
    this.checkOpen();
    checkOptions('run', options, RUN_OPTIONS);
    checkRun(options);
    const result = await runBackup({ store: this.store, vfs: this.vfs, version: version() }, source, options);
    if (result.verified) this.verified.add(result.id);
    return result;
  }

  /** What there is. @throws as `ObjectStore.get` */
  async list(options: CallOptions = {}): Promise<BackupList> {
    this.checkOpen();
    checkOptions('list', options, ['signal']);
    const { backups, unreadable } = await readCatalogue(this.store, options.signal);
    return { backups, unreadable };
  }

  /**
   * Reads backups to their end, with those that they follow: SHA-256 of what is stored and of what it unpacks to, and every page by its own checksum.
   * Nothing is written.
   * @param id  of one, or `latest`. Default all
   * @returns one entry for each; `error` says what is wrong with it
   * @throws DataError SOMBRA_BACKUP_NOT_FOUND, SOMBRA_OPTION; StateError SOMBRA_ABORTED; IoError as `ObjectStore.get`: it could not be looked at
   */
  async verify(id?: string, options: VerifyBackupsOptions = {}): Promise<VerifiedBackup[]> {
    this.checkOpen();
    checkOptions('verify', options, ['name', 'onProgress', 'signal']);
    const { name, onProgress, signal } = options;
    const catalogue = await readCatalogue(this.store, signal);
    const chosen =
      id === undefined
        ? catalogue.backups.filter((backup) => name === undefined || backup.name === name)
        : chainOrItself(catalogue, findBackup(catalogue, this.location, id, name));
    const found = new Map<string, SombraError | undefined>();
    for (const backup of chosen) {
      found.set(
        backup.id,
        await damageOf(async () => {
          chainOf(catalogue, backup);
          await verifyStored(this.store, backup, signal, (done) => onProgress?.(backup.id, done));
          const base = backup.base === null ? undefined : found.get(backup.base);
          if (base !== undefined) throw base;
        }),
      );
      if (found.get(backup.id) === undefined) this.verified.add(backup.id);
      else this.verified.delete(backup.id);
    }
    const hidden = id === undefined ? catalogue.unreadable : [];
    return [
      ...[...found].map(([each, error]) => ({ id: each, error })),
      ...hidden.map((one) => ({ id: one.id, error: one.error })),
    ];
  }

  /**
   * Restores a backup into a file that is thrown away, and checks every page, record, edge and index of it. The database is a graph.
   * @param id  Default `latest`
   * @throws as `restore`
   */
  async test(id = 'latest', options: TestBackupOptions = {}): Promise<TestResult> {
    this.checkOpen();
    checkOptions('test', options, ['folder', 'name', 'onProgress', 'signal']);
    const { folder = tmpdir(), name, ...rest } = options;
    const catalogue = await readCatalogue(this.store, rest.signal);
    const chain = chainOf(catalogue, findBackup(catalogue, this.location, id, name));
    return await testRestore(this.store, this.vfs, { chain, log: undefined }, folder, rest);
  }

  /**
   * Removes backups that are older than `retentionDays`, and data that runs left which died, after the newest backup of each name and all that it needs
   * have been verified. Never the newest, nor what one that stays needs.
   * @throws StateError SOMBRA_BACKUP_RUNNING, SOMBRA_BACKUP_UNREADABLE (a manifest cannot be read, and may need any of the others), SOMBRA_ABORTED;
   *   CorruptionError SOMBRA_BACKUP_DAMAGED, SOMBRA_BACKUP_CHAIN: the newest is damaged, and nothing was removed; DataError SOMBRA_OPTION; IoError as
   *   `ObjectStore.delete`
   */
  async prune(options: PruneOptions): Promise<PruneResult> {
    this.checkOpen();
    checkOptions('prune', options, ['retentionDays', 'name', 'dryRun', 'signal']);
    const { retentionDays, name } = options;
    if (!(typeof retentionDays === 'number' && retentionDays >= 0 && retentionDays < 1e6))
      throw new DataError(
        'SOMBRA_OPTION',
        `retentionDays is a number of days from 0, not ${JSON.stringify(retentionDays)}`,
      );
    if (name !== undefined) checkName(name);
    return await pruneBackups({ store: this.store, vfs: this.vfs, version: version() }, options, (id) =>
      this.verified.has(id),
    );
  }

  /**
   * Makes a database file of a backup and, with `at`, of what is archived of the log behind it. It gets its name when it is whole and durable, is exactly
   * one commit, and has a timeline of its own.
   * @param id    of a backup, or `latest`; with `at` the newest that does not lie behind it
   * @param path  there must be no such file
   * @throws DataError SOMBRA_BACKUP_NOT_FOUND, SOMBRA_BACKUP_FORMAT, SOMBRA_FILE_EXISTS, SOMBRA_RESTORE_TARGET, SOMBRA_OPTION; CorruptionError SOMBRA_BACKUP_DAMAGED,
   *   SOMBRA_BACKUP_CHAIN, SOMBRA_BACKUP_MANIFEST, SOMBRA_ARCHIVE_DAMAGED; StateError SOMBRA_ARCHIVE_GAP, SOMBRA_ABORTED; IoError SOMBRA_DISK_FULL, SOMBRA_PERMISSION, SOMBRA_SYNC, and as `ObjectStore.get`. Nothing
   *   is under the name then
   */
  async restore(id: string, path: string, options: RestoreOptions = {}): Promise<RestoreResult> {
    this.checkOpen();
    checkOptions('restore', options, ['name', 'at', 'dryRun', 'onProgress', 'signal']);
    const { name, at, signal } = options;
    checkTarget(at);
    throwIfAborted(signal);
    const plan = await planRestore(this.store, await readCatalogue(this.store, signal), id, name, at, signal);
    return await restorePlan(this.store, this.vfs, plan, path, options);
  }

  /** Gives connections back. Harmless when repeated. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.ownsStore) this.store.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private checkOpen(): void {
    if (this.isClosed) throw new StateError('SOMBRA_CLOSED', 'these backups were closed: open them again');
  }
}

/**
 * Opens a place for backups.
 * @param place  path or `file:` URL of a directory, `s3://bucket/prefix`, or a store, which stays open when the backups are closed
 * @throws as `openObjectStore`
 */
export async function openBackups(place: string | ObjectStore, options: ObjectStoreOptions = {}): Promise<Backups> {
  const vfs = options.vfs ?? new NodeVfs();
  if (typeof place !== 'string') {
    checkOptions('openBackups', options, ['vfs']);
    return new Backups(place, vfs, false);
  }
  return new Backups(await openObjectStore(place, { ...options, vfs }), vfs, true);
}

function checkRun({ name, maxChain, bytesPerSecond, busyTimeoutMs }: RunBackupOptions): void {
  if (name !== undefined) checkName(name);
  checkCount('maxChain', maxChain, 0);
  checkCount('busyTimeoutMs', busyTimeoutMs, 0);
  if (bytesPerSecond !== undefined && !(bytesPerSecond > 0))
    throw new DataError('SOMBRA_OPTION', `bytesPerSecond is a number above 0, not ${String(bytesPerSecond)}`);
}

/** A broken chain is found when its parts are looked at. */
function chainOrItself(catalogue: Parameters<typeof chainOf>[0], backup: Manifest): readonly Manifest[] {
  try {
    return chainOf(catalogue, backup);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'SOMBRA_BACKUP_CHAIN') return [backup];
    throw error;
  }
}

async function damageOf(look: () => Promise<void>): Promise<SombraError | undefined> {
  try {
    await look();
    return undefined;
  } catch (error) {
    if (DAMAGE.has(String((error as Partial<SombraError>).code))) return error as SombraError;
    throw error;
  }
}

function version(): string {
  return (createRequire(import.meta.url)('@sombra/ops/package.json') as { version: string }).version;
}
