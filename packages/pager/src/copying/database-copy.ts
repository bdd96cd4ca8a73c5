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
import { assert, CorruptionError, DataError, directoryOf, IoError, readU32, writeU64 } from '@sombra/vfs';
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
import { freshTimeline } from './timeline.ts';

/** What follows the name of the database in the names of its files. */
const OWN_ENDING = /^(?:|-(?:wal|wal\..+|\d+-wal|shm|dw|lock|archive)|\.tmp-.*)$/;

/** Where the log goes on behind a commit. */
export interface CommitPosition extends LogTail {
  /** 8 bytes: salt of the segment. */
  readonly salt: Uint8Array;
}

/** See the top of the file. */
export class DatabaseCopy {
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
  /** Where the log of the database goes on behind the commit; undefined when it has no log. */
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
    const { superblock } = main;
    this.lsn = this.view.lsn;
    this.pageSize = cache.pageSize;
    this.pageCount = this.view.pageCount;
    this.databaseId = superblock.databaseId;
    this.sourceTimeline = superblock.timeline;
    this.timeline = freshTimeline(vfs.env, superblock.timeline);
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
    this.view.counter(0); // ended meanwhile?
    let at = 0;
    for (; this.next < pageCount && at + pageSize <= into.length; at += pageSize) {
      this.readPage(this.next, into, at);
      this.next += 1;
    }
    return at;
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
    if (this.free.has(pageNumber)) {
      into.fill(0, at, at + pageSize);
      stampHeader(into, at, pageNumber, 0);
    } else {
      const { reader, health } = this.connection;
      try {
        writeU64(into, at + LSN_OFFSET, reader.read(pageNumber, this.lsn, into, at));
      } catch (error) {
        health.noteDamage(error);
        throw error;
      }
    }
    sealPage(into, at, pageSize, pageNumber, salt);
  }

  private superblock(): Uint8Array {
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
  try {
    return vfs.realpath(folder);
  } catch (error) {
    if (error instanceof IoError && error.details['errno'] === 'ENOENT') return folder;
    throw error;
  }
}
