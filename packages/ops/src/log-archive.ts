import { DataError, NodeVfs, StateError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { LogArchiver } from './archive/archiver.ts';
import type { ArchivePass } from './archive/archiver.ts';
import { readLogIndex } from './archive/index-of-log.ts';
import type { TimelineIndex } from './archive/index-of-log.ts';
import { archiveLock, archivesIn } from './archive/names.ts';
import { pruneLog } from './archive/prune-log.ts';
import type { PrunedLog } from './archive/prune-log.ts';
import { RunningArchiver } from './archive/running-archiver.ts';
import type { ArchiveEvent } from './archive/running-archiver.ts';
import type { ArchiveSource } from './archive/source.ts';
import { verifyTimeline } from './archive/verify-log.ts';
import type { VerifiedRange } from './archive/verify-log.ts';
import { whenFree } from './archive/when-free.ts';
import { RepositoryLock } from './backup/lock.ts';
import { checkName, nameOf } from './backup/names.ts';
import type { Compression } from './backup/names.ts';
import { checkCompression } from './backup/packing.ts';
import { checkCount, checkOptions } from './base/check-options.ts';
import type { CallOptions, ObjectStore } from './base/object-store.ts';
import { openObjectStore } from './store/open-object-store.ts';
import type { ObjectStoreOptions } from './store/open-object-store.ts';

/** What is archived, and how. */
export interface ArchiveOptions extends CallOptions {
  /** Of the archive. Default the database's file name without its ending, as for backups. */
  readonly name?: string | undefined;
  /** Default `gzip`. */
  readonly compression?: Compression | undefined;
  /**
   * What to do when the log does not go on from what the archive has, because the mark of the archive was removed, or the archive was: `refuse`,
   * or `begin` again, which leaves a gap. A backup has to be taken behind it. Default `refuse`.
   */
  readonly afterGap?: 'refuse' | 'begin' | undefined;
}

export interface StartArchiveOptions extends Omit<ArchiveOptions, 'signal'> {
  /** Time between two passes, ms: what a lost machine may cost. Default 10,000. */
  readonly archiveIntervalMs?: number | undefined;
  /** Bytes of the log, and time, after which `behind` is told. Default Infinity. */
  readonly maxLagBytes?: number | undefined;
  readonly maxLagMs?: number | undefined;
  /** Called with what happens. What it throws becomes the warning SOMBRA_HOOK_FAILED. */
  readonly onEvent?: ((event: ArchiveEvent) => void) | undefined;
}

/** What an archive has of one timeline, as the names of its objects say. */
export interface ArchivedTimeline {
  readonly name: string;
  readonly timeline: number;
  /** The commit before the first one, and the last one. */
  readonly before: number;
  readonly last: number;
  readonly segments: number;
  readonly tails: number;
  /** Bulk loads whose pages are there. */
  readonly loads: number;
  /** Bytes as stored. */
  readonly storedBytes: number;
  /** When its newest object was written, ms since 1970. */
  readonly modifiedMs: number;
}

export interface VerifyArchiveOptions extends CallOptions {
  readonly name?: string | undefined;
  /** @param bytes  of the log, before compression, that have been read */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

export interface PruneArchiveOptions extends CallOptions {
  readonly name?: string | undefined;
  /** The oldest commit that a backup which is kept has: what lies before it is not needed any more. */
  readonly before: number;
  /** Of which timeline. Default the one that was written last. */
  readonly timeline?: number | undefined;
  readonly dryRun?: boolean | undefined;
}

/** The archived log of databases, in one place. `openLogArchive` opens it. */
export class LogArchive {
  private readonly store: ObjectStore;
  private readonly vfs: Vfs;
  private readonly ownsStore: boolean;
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
   * Archives what is committed now, and begins an archive when the database has none: from then on no segment of its log is removed before it is
   * archived. A backup that is made afterwards can be brought to any later commit.
   * @throws StateError SOMBRA_ARCHIVE_RUNNING (another archiver is at work: details host, pid, started), SOMBRA_ARCHIVE_GAP, SOMBRA_ARCHIVE_NO_LOG,
   *   SOMBRA_CONDITION_UNENFORCED, SOMBRA_ABORTED; DataError SOMBRA_OPTION, SOMBRA_COMPRESSION; CorruptionError SOMBRA_ARCHIVE_DAMAGED; IoError
   *   SOMBRA_BUSY, and as `ObjectStore.put`
   */
  async run(source: ArchiveSource, options: ArchiveOptions = {}): Promise<ArchivePass> {
    checkOptions('run', options, ['name', 'compression', 'afterGap', 'signal']);
    const { archiver, lock } = await this.begin(source, options, options.signal);
    try {
      return await whenFree(this.vfs.env, options.signal, () => archiver.pass(options.signal));
    } finally {
      await lock.release();
    }
  }

  /** As `run`, again and again until it is stopped. @throws as `run`, before the first pass */
  async start(source: ArchiveSource, options: StartArchiveOptions = {}): Promise<RunningArchiver> {
    checkOptions('start', options, [
      'name',
      'compression',
      'afterGap',
      'archiveIntervalMs',
      'maxLagBytes',
      'maxLagMs',
      'onEvent',
    ]);
    const { archiveIntervalMs = 10_000, maxLagBytes = Infinity, maxLagMs = Infinity, onEvent } = options;
    checkCount('archiveIntervalMs', archiveIntervalMs, 1);
    for (const [name, value] of [
      ['maxLagBytes', maxLagBytes],
      ['maxLagMs', maxLagMs],
    ] as const) {
      if (!(value > 0)) throw new DataError('SOMBRA_OPTION', `${name} is a number above 0, not ${String(value)}`);
    }
    const { archiver, lock } = await this.begin(source, options, undefined);
    const running = { archiveIntervalMs, maxLagBytes, maxLagMs, onEvent };
    return new RunningArchiver(this.vfs.env, archiver, source, lock, running);
  }

  /** What there is, without reading any of it. @throws DataError SOMBRA_OPTION; as `ObjectStore.list` */
  async list(options: CallOptions & { readonly name?: string | undefined } = {}): Promise<ArchivedTimeline[]> {
    checkOptions('list', options, ['name', 'signal']);
    const { name, signal } = options;
    this.checkOpen();
    const names = name === undefined ? await archivesIn(this.store, signal) : [name];
    const found: ArchivedTimeline[] = [];
    for (const each of names) {
      for (const index of await readLogIndex(this.store, each, signal)) found.push(summary(each, index));
    }
    return found;
  }

  /**
   * Reads an archive to its end: SHA-256 of every piece, every record of the log, the pages of every bulk load, and that each goes on where
   * the one before ends.
   * @returns for each timeline the ranges of commits that can be restored: one, when there is no gap
   * @throws DataError SOMBRA_OPTION; StateError SOMBRA_ABORTED; as `ObjectStore.get`: it could not be looked at
   */
  async verify(options: VerifyArchiveOptions = {}): Promise<VerifiedRange[]> {
    checkOptions('verify', options, ['name', 'onProgress', 'signal']);
    const { onProgress, signal } = options;
    let done = 0;
    const onRead = (bytes: number): void => {
      done += bytes;
      onProgress?.(done);
    };
    const { store } = this;
    const name = await this.nameOf(options.name, signal);
    const ranges: VerifiedRange[] = [];
    for (const index of await readLogIndex(store, name, signal))
      ranges.push(...(await verifyTimeline({ store, env: this.vfs.env, signal, onRead }, index)));
    return ranges;
  }

  /**
   * Removes what no backup of commit `before`, or of a later one, needs.
   * @throws DataError SOMBRA_OPTION; StateError SOMBRA_ABORTED; as `ObjectStore.delete`
   */
  async prune(options: PruneArchiveOptions): Promise<PrunedLog> {
    checkOptions('prune', options, ['name', 'before', 'timeline', 'dryRun', 'signal']);
    const { before, timeline, dryRun = false, signal } = options;
    checkCount('before', before, 0);
    const name = await this.nameOf(options.name, signal);
    const indexes = await readLogIndex(this.store, name, signal);
    const index = timeline === undefined ? indexes.at(-1) : indexes.find((one) => one.timeline === timeline);
    return await pruneLog(this.store, index, before, dryRun, signal);
  }

  /** Gives connections back. Archivers that run go on with them no more: stop them before. Harmless when repeated. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.ownsStore) this.store.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private async begin(
    source: ArchiveSource,
    { name = nameOf(source.path), compression = 'gzip', afterGap = 'refuse' }: ArchiveOptions,
    signal: AbortSignal | undefined,
  ): Promise<{ archiver: LogArchiver; lock: RepositoryLock }> {
    this.checkOpen();
    checkName(name);
    checkCompression(compression);
    if (afterGap !== 'refuse' && afterGap !== 'begin')
      throw new DataError('SOMBRA_OPTION', `afterGap is refuse or begin, not ${JSON.stringify(afterGap)}`);
    const { store, vfs } = this;
    const lock = await RepositoryLock.take(store, vfs.env, 'archive', signal, archiveLock(name));
    const confirm = (): Promise<void> => lock.confirm();
    return { lock, archiver: new LogArchiver({ store, vfs, source, name, compression, afterGap, confirm }) };
  }

  /** @throws DataError SOMBRA_OPTION when it was not given and there are several */
  private async nameOf(given: string | undefined, signal: AbortSignal | undefined): Promise<string> {
    this.checkOpen();
    if (given !== undefined) {
      checkName(given);
      return given;
    }
    const names = await archivesIn(this.store, signal);
    if (names.length === 1) return names[0]!;
    const { location } = this.store;
    const what = names.length === 0 ? 'no archive of a log' : `archives of the logs of ${names.join(', ')}`;
    throw new DataError('SOMBRA_OPTION', `${location} has ${what}: name one of them`, { details: { names } });
  }

  private checkOpen(): void {
    if (this.isClosed) throw new StateError('SOMBRA_CLOSED', 'this archive was closed: open it again');
  }
}

/**
 * Opens a place for the log of databases; the same as for their backups, best of all.
 * @param place  path or `file:` URL of a directory, `s3://bucket/prefix`, or a store, which stays open when the archive is closed
 * @throws as `openObjectStore`
 */
export async function openLogArchive(
  place: string | ObjectStore,
  options: ObjectStoreOptions = {},
): Promise<LogArchive> {
  const vfs = options.vfs ?? new NodeVfs();
  if (typeof place !== 'string') {
    checkOptions('openLogArchive', options, ['vfs']);
    return new LogArchive(place, vfs, false);
  }
  return new LogArchive(await openObjectStore(place, { ...options, vfs }), vfs, true);
}

function summary(name: string, { timeline, pieces, pages, modifiedMs }: TimelineIndex): ArchivedTimeline {
  const segments = pieces.filter(({ kind }) => kind === 'segment').length;
  return {
    name,
    timeline,
    before: pieces[0]?.before ?? 0,
    last: pieces.at(-1)?.last ?? 0,
    segments,
    tails: pieces.length - segments,
    loads: pages.size,
    storedBytes: [...pieces, ...pages.values()].reduce((sum, { size }) => sum + size, 0),
    modifiedMs,
  };
}
