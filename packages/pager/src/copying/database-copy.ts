/**
 * A copy of one commit, as the bytes of a database file: what a backup stores, and what can be opened as it is. Made from a snapshot of
 * any age, while everything else goes on.
 *
 * The copy has the id of its database and a timeline and a salt of its own: a log that was left beside the place where it is restored
 * does not join it (rule P2), and no page of another copy passes for one of its own. It is closed cleanly, and has no log.
 *
 * Free pages are empty in it. Every other page was read by its checksum, from main or from the log, and a page that is damaged ends the
 * copy with an error: a copy never holds damage that was there to be seen.
 */
import { assert, CorruptionError, DataError, directoryOf, IoError, readU32, sameBytes, writeU64 } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import type { LogTail } from '@sombra/wal';
import { fileNameOf } from '../base/paths.ts';
import type { Connection } from '../connection/connection.ts';
import { saltBytes } from '../format/salt.ts';
import { LSN_OFFSET, sealPage, stampHeader } from '../format/page-header.ts';
import { rootsPage } from '../format/roots-page.ts';
import { encodeSuperblock, slotOffset } from '../format/superblock.ts';
import { walkFreelist } from '../inspect/freelist-walk.ts';
import { PageSet } from '../pages/page-set.ts';
import type { View } from '../reading/view.ts';
import { CopyChanges } from './copy-changes.ts';
import type { CopiedPages } from './copy-changes.ts';
import { freshTimeline } from '../format/timeline.ts';

/** What follows the name of the database in the names of its files. */
const OWN_ENDING = /^(?:|-(?:wal|wal\..+|\d+-wal|shm|dw|lock|archive|bulk|\d+-pages)|\.tmp-.*)$/;

/** Where the log goes on behind a commit. */
export interface CommitPosition extends LogTail {
  /** 8 bytes: salt of the segment. */
  readonly salt: Uint8Array;
}

/** See the top of the file. */
export class DatabaseCopy implements CopiedPages {
  /** Number of the commit. */
  readonly lsn: number;
  /** When that commit was published, ms since 1970; when the copy began, if nothing was committed since the database was opened. */
  readonly time: number;
  readonly pageSize: number;
  /** Pages of the file, the superblock area included. */
  readonly pageCount: number;
  /** Of the database, 16 bytes. */
  readonly databaseId: Uint8Array;
  /** Of the database that is copied. */
  readonly sourceTimeline: number;
  /** Of the copy. */
  readonly timeline: number;
  /** Seeds the checksums of the copy's pages. */
  readonly salt: number;
  /** Where the log of the database goes on behind the commit; undefined when it never had one. */
  readonly position: CommitPosition | undefined;

  private readonly connection: Connection;
  private readonly view: View;
  private readonly free: PageSet;
  private next = 0;

  /** Copies come from `Pager.copy`. @internal */
  constructor(connection: Connection) {
    const { header, main, views, vfs, cache } = connection;
    this.connection = connection;
    this.view = views.snapshot(true);
    const { state } = header;
    assert(state.publishedLsn === this.view.lsn, 'the header is that of the commit which is copied');
    this.lsn = this.view.lsn;
    this.pageSize = cache.pageSize;
    this.pageCount = this.view.pageCount;
    this.databaseId = main.superblock.databaseId;
    this.salt = readU32(vfs.env.random(4), 0);
    this.time = state.publishedTime > 0 ? state.publishedTime : vfs.env.wallTimeMs();
    this.position =
      state.logSeq === 0
        ? undefined
        : {
            seq: state.logSeq,
            offset: state.logOffset,
            chain: state.logChain,
            salt: saltBytes(state.logSaltLow, state.logSaltHigh),
          };
    try {
      this.sourceTimeline = main.readTimeline();
      this.timeline = freshTimeline(vfs.env, this.sourceTimeline);
      this.free = this.freePages();
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** Bytes of the copy. */
  get size(): number {
    return this.pageCount * this.pageSize;
  }

  /** Bytes that have been read. */
  get done(): number {
    return this.next * this.pageSize;
  }

  /**
   * Reads the next bytes, whole pages. Blocks for as many as fit: give it as much as may be read between two turns of others.
   * @param into  a page at least
   * @returns number of bytes; 0 at the end
   * @throws CorruptionError, IoError SOMBRA_IO: the copy is of no use; StateError SOMBRA_CLOSED when it was released or the database closed
   */
  read(into: Uint8Array): number {
    const { pageSize, pageCount } = this;
    if (into.length < pageSize)
      throw new DataError('SOMBRA_OPTION', `a copy is read by pages of ${pageSize} bytes, into ${into.length} bytes`);
    this.checkOpen();
    let at = 0;
    for (; this.next < pageCount && at + pageSize <= into.length; at += pageSize) {
      this.readPage(this.next, into, at);
      this.next += 1;
    }
    return at;
  }

  /**
   * The pages that were written after a commit, and what else is needed to bring a copy of that commit to this one. Read it, or `read`, not
   * both at once.
   * @param since  an older commit of the same timeline
   * @throws DataError SOMBRA_OPTION when it is newer than the copy
   */
  changes(since: number): CopyChanges {
    return new CopyChanges(this, since);
  }

  /**
   * May `base`, where the log went on behind a commit of the same database and timeline, lie in the past of this copy? False is certain: a
   * part of that past was lost, for example with the log, and written anew. True is what could be seen: a segment that is gone cannot be
   * asked.
   */
  mayFollow(base: CommitPosition): boolean {
    const { position: here } = this;
    if (here === undefined) return false;
    if (here.seq !== base.seq) return here.seq > base.seq;
    if (here.offset < base.offset || !sameBytes(here.salt, 0, base.salt, 0, here.salt.length)) return false;
    return here.offset > base.offset || here.chain === base.chain;
  }

  /**
   * Makes the commit durable in the database, as it is in what is made of the copy: with `syncMode` other than `full` a power loss could
   * take it back otherwise, and another commit would get its number. Nothing is to do when that is so already. Blocks for a sync.
   * @param waitMs  how long it may block while another connection writes. Default `busyTimeoutMs`
   * @throws IoError SOMBRA_BUSY, SOMBRA_SYNC, SOMBRA_IO; StateError SOMBRA_READ_ONLY, SOMBRA_CLOSED, SOMBRA_TRANSACTION_ACTIVE; PoisonedError
   *   SOMBRA_LOCK_POISONED
   */
  makeDurable(waitMs?: number): void {
    const { connection, lsn, position } = this;
    connection.health.checkOpen();
    connection.writer.makeDurable(lsn, position, waitMs);
  }

  /**
   * Does a folder lie within that of the database, or is it the same? What happens to the one then happens to both.
   * @param vfs     of the folder, which need not exist
   * @param folder  with symbolic links resolved as far as it exists
   */
  isBesideDatabase(vfs: Vfs, folder: string): boolean {
    const { vfs: source, options } = this.connection;
    const own = folderOf(source, options.path);
    const there = resolved(vfs, folder);
    return there === own || own === '/' || there.startsWith(`${own}/`);
  }

  /** Is `path` the database, or a name that its own files have, or get? @param vfs  of the path */
  isOwnName(vfs: Vfs, path: string): boolean {
    const { vfs: source, options } = this.connection;
    const [name, own] = [fileNameOf(path), fileNameOf(options.path)];
    if (!name.startsWith(own) || !OWN_ENDING.test(name.slice(own.length))) return false;
    return folderOf(vfs, path) === folderOf(source, options.path);
  }

  /** Lets the snapshot go. Harmless when repeated. */
  release(): void {
    this.view.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }

  private readPage(pageNumber: number, into: Uint8Array, at: number): void {
    const { pageSize, salt } = this;
    if (pageNumber < rootsPage(pageSize)) {
      into.fill(0, at, at + pageSize);
      if (pageNumber === 0) into.set(this.superblock(), at + slotOffset(0));
      return;
    }
    if (this.isFree(pageNumber)) {
      into.fill(0, at, at + pageSize);
      stampHeader(into, at, pageNumber, 0);
    } else {
      this.readUsed(pageNumber, into, at);
    }
    sealPage(into, at, pageSize, pageNumber, salt);
  }

  /** Has the page no content? @internal */
  isFree(pageNumber: number): boolean {
    return this.free.has(pageNumber);
  }

  /** Reads a page that is in use, unsealed. @returns its lsn @throws as `read` @internal */
  readUsed(pageNumber: number, into: Uint8Array, at: number): number {
    const { reader, health } = this.connection;
    try {
      const lsn = reader.read(pageNumber, this.lsn, into, at);
      writeU64(into, at + LSN_OFFSET, lsn);
      return lsn;
    } catch (error) {
      health.noteDamage(error);
      throw error;
    }
  }

  /** @throws StateError SOMBRA_CLOSED when it was released or the database closed @internal */
  checkOpen(): void {
    this.view.counter(0);
  }

  /** The slot that the copy begins with. @internal */
  superblock(): Uint8Array {
    const { pageSize, databaseId, timeline, salt, lsn, pageCount, time } = this;
    const noLog = { replaySeq: 0, replayOffset: 0, logSalt: new Uint8Array(8), chain: 0 };
    return encodeSuperblock({
      ...noLog,
      pageSize,
      databaseId,
      timeline,
      salt,
      sequence: 0,
      checkpointLsn: lsn,
      pageCount,
      clean: true,
      forked: false,
      time,
    });
  }

  /** Free pages whose content means nothing: those that the freelist itself is made of are copied. */
  private freePages(): PageSet {
    const { view, pageSize, pageCount, connection } = this;
    const [free, seen] = [new PageSet(), new PageSet()];
    const roots = rootsPage(pageSize);
    const steps = walkFreelist(connection.reader, view.catalogue, pageSize, (pageNumber, namedBy, isTrunk) => {
      if (pageNumber <= roots || pageNumber >= pageCount || !seen.add(pageNumber)) {
        throw new CorruptionError(
          'SOMBRA_FREELIST',
          `freelist page ${namedBy} names page ${pageNumber}, which does not exist or is named twice; restore a backup, or export and import`,
          { details: { pageNumber: namedBy } },
        );
      }
      if (!isTrunk) free.add(pageNumber);
      return true;
    });
    while (steps.next().done !== true);
    return free;
  }
}

/** The folder of a file, with links resolved; as it is written when there is none, as in memory. */
function folderOf(vfs: Vfs, path: string): string {
  const folder = directoryOf(path);
  return realpathOf(vfs, folder) ?? folder;
}

/** A folder with links resolved, as far as it exists. */
function resolved(vfs: Vfs, folder: string): string {
  const real = realpathOf(vfs, folder);
  const above = directoryOf(folder);
  if (real !== undefined || above === folder) return real ?? folder;
  const name = fileNameOf(folder);
  const parent = resolved(vfs, above);
  return parent === '/' ? `/${name}` : `${parent}/${name}`;
}

function realpathOf(vfs: Vfs, path: string): string | undefined {
  try {
    return vfs.realpath(path);
  } catch (error) {
    if (error instanceof IoError && error.details['errno'] === 'ENOENT') return undefined;
    throw error;
  }
}
