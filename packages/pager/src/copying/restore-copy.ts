/**
 * A database file made from the bytes of a copy, and of changes that follow it, as they come: every page is checked with the salt of what it
 * came with, and gets that of the new file, which has a timeline of its own (rule P2). The superblock is written last, and the file gets its
 * name when it is whole and durable (rule O1).
 */
import { CorruptionError, readU32, sameBytes } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import type { ChangesHeader } from '../format/changes.ts';
import { sealPage, stampHeader, verifyPage } from '../format/page-header.ts';
import { encodeSuperblock, slotOffset, SUPERBLOCK_AREA_MIN } from '../format/superblock.ts';
import type { Superblock } from '../format/superblock.ts';
import { NewFile } from '../life/new-file.ts';
import { ChangesReader } from './changes-reader.ts';
import { CopyReader } from './copy-reader.ts';
import { LogReplay } from './log-replay.ts';
import type { PageStore } from './replay-pages.ts';
import { freshTimeline } from '../format/timeline.ts';
import { checkRoom, fileExists } from './write-copy.ts';

/** What was restored. */
export interface RestoredCopy {
  /** Number of the commit, and when it was made, ms since 1970. */
  readonly lsn: number;
  readonly time: number;
  readonly pageSize: number;
  readonly pageCount: number;
  /** Of the new file. */
  readonly timeline: number;
}

/** Pages that are written by one call. */
const BATCH_BYTES = 256 * 1024;

/** See the top of the file. Ends with `finish` or `abandon`. */
export class CopyRestore {
  private readonly vfs: Vfs;
  private readonly path: string;
  private readonly file: NewFile;
  private readonly salt: number;
  private reader: CopyReader | ChangesReader;
  private replay: LogReplay | undefined;
  /** Of the copy that was read last to its end. */
  private newest: Superblock | undefined;
  private batch = new Uint8Array(0);
  private batched = 0;
  /** Page that the batch begins with. */
  private first = 0;
  /** Pages that have been written, or are in the batch: all before this one. */
  private known = 0;

  /**
   * @param name  of the copy, for messages
   * @throws DataError SOMBRA_FILE_EXISTS; IoError SOMBRA_IO, SOMBRA_PERMISSION, SOMBRA_DISK_FULL
   */
  constructor(vfs: Vfs, path: string, name: string) {
    if (vfs.stat(path) !== null) throw fileExists(path);
    this.vfs = vfs;
    this.path = path;
    this.salt = readU32(vfs.env.random(4), 0);
    this.reader = new CopyReader(name, (pageNumber, bytes, at) => this.takePage(pageNumber, bytes, at));
    this.file = new NewFile(vfs, path);
  }

  /** Takes the next bytes. @throws as `CopyReader.push` and `ChangesReader.push`; IoError: then `abandon` it */
  push(bytes: Uint8Array): void {
    this.reader.push(bytes);
  }

  /**
   * All bytes have come, and those of changes that follow this copy come next.
   * @param name   of the changes, for messages
   * @param pages  how many there are
   * @throws as `finish`
   */
  beginChanges(name: string, pages: number): void {
    this.endPart();
    this.reader = new ChangesReader(name, pages, (pageNumber, bytes, at) => this.takePage(pageNumber, bytes, at));
  }

  /**
   * All bytes have come, and commits of the log that follow this copy, or these changes, come next. Whoever applies them calls `finish` of the
   * replay, then that of the restore.
   * @throws as `finish`
   */
  beginLog(): LogReplay {
    const { checkpointLsn: lsn, time, pageCount, pageSize } = this.endPart();
    const store: PageStore = {
      pageSize,
      read: (pageNumber, into, at) => this.readPage(pageNumber, into.subarray(at, at + pageSize)),
      write: (pageNumber, bytes, at) => {
        sealPage(bytes, at, pageSize, pageNumber, this.salt);
        this.file.write(bytes.subarray(at, at + pageSize), pageNumber * pageSize);
      },
    };
    return (this.replay = new LogReplay(store, { lsn, time, pageCount }));
  }

  /**
   * All bytes have come: the file gets its name. Blocks for a sync.
   * @throws as `CopyReader.end` and `ChangesReader.end`; CorruptionError SOMBRA_COPY_INCOMPLETE when changes do not follow; DataError
   *   SOMBRA_FILE_EXISTS; IoError: then nothing is there under the name
   */
  finish(): RestoredCopy {
    const superblock = this.complete();
    this.file.sync();
    return this.publish(superblock);
  }

  /** As `finish`, without blocking for the sync. */
  async finishAsync(): Promise<RestoredCopy> {
    const superblock = this.complete();
    await this.file.syncAsync();
    return this.publish(superblock);
  }

  /** Removes what was written. Harmless when repeated, and after `finish`. */
  abandon(): void {
    this.file.abandon();
  }

  private complete(): Superblock {
    const { vfs, file, salt } = this;
    const copy = this.replay === undefined ? this.endPart() : this.replayed(this.replay);
    const superblock: Superblock = { ...copy, salt, timeline: freshTimeline(vfs.env, copy.timeline), sequence: 0 };
    const area = new Uint8Array(SUPERBLOCK_AREA_MIN);
    area.set(encodeSuperblock(superblock), slotOffset(0));
    file.write(area, 0);
    file.truncate(superblock.pageCount * superblock.pageSize);
    return superblock;
  }

  private replayed(replay: LogReplay): Superblock {
    const { lsn, time, pageCount } = replay.newest;
    return { ...this.newest!, checkpointLsn: lsn, time, pageCount };
  }

  private readPage(pageNumber: number, into: Uint8Array): number {
    const pageSize = into.length;
    if (this.file.read(into, pageNumber * pageSize) < pageSize) {
      throw new CorruptionError(
        'SOMBRA_FILE_TRUNCATED',
        `${this.path} ends within page ${pageNumber}, which was written: another program has cut it; restore again`,
        { details: { pageNumber } },
      );
    }
    return verifyPage(into, 0, pageSize, pageNumber, this.salt, Infinity);
  }

  private publish({ checkpointLsn: lsn, time, pageSize, pageCount, timeline }: Superblock): RestoredCopy {
    if (!this.file.publish()) throw fileExists(this.path);
    return { lsn, time, pageSize, pageCount, timeline };
  }

  private endPart(): Superblock {
    const { reader } = this;
    let superblock: Superblock;
    if (reader instanceof CopyReader) superblock = reader.end();
    else {
      const header = reader.end();
      this.checkFollows(header); // of changes without a page, too
      ({ superblock } = header);
    }
    this.fillUpTo(superblock.pageCount, superblock.pageSize);
    this.writeBatch(superblock.pageSize);
    // Of pages behind the end, when the database has shrunk, nothing is left to be taken for what was not written since.
    this.known = Math.min(this.known, superblock.pageCount);
    this.newest = superblock;
    return superblock;
  }

  private checkFollows({ since, superblock }: ChangesHeader): void {
    const { checkpointLsn, pageSize, databaseId } = this.newest!;
    if (
      since === checkpointLsn &&
      pageSize === superblock.pageSize &&
      sameBytes(databaseId, 0, superblock.databaseId, 0, 16)
    )
      return;
    throw new CorruptionError(
      'SOMBRA_COPY_INCOMPLETE',
      `changes since commit ${since} do not follow a copy of commit ${checkpointLsn}, or are of another database: use another backup`,
    );
  }

  private takePage(pageNumber: number, bytes: Uint8Array, from: number): void {
    const { reader } = this;
    let superblock: Superblock;
    if (reader instanceof CopyReader) superblock = reader.header!;
    else {
      const header = reader.header!;
      this.checkFollows(header);
      ({ superblock } = header);
    }
    const { pageSize, pageCount } = superblock;
    if (this.batch.length === 0) {
      checkRoom(this.vfs, this.path, pageCount * pageSize);
      this.batch = new Uint8Array(Math.max(BATCH_BYTES, pageSize));
      this.known = pageNumber;
    }
    if (pageNumber > this.known) this.fillUpTo(pageNumber, pageSize);
    const at = this.place(pageNumber, pageSize);
    this.batch.set(bytes.subarray(from, from + pageSize), at);
    sealPage(this.batch, at, pageSize, pageNumber, this.salt);
  }

  /** Pages by which the database grew and that are free: changes leave them out. */
  private fillUpTo(pageNumber: number, pageSize: number): void {
    while (this.known < pageNumber) {
      const empty = this.known;
      const at = this.place(empty, pageSize);
      this.batch.fill(0, at, at + pageSize);
      stampHeader(this.batch, at, empty, 0);
      sealPage(this.batch, at, pageSize, empty, this.salt);
    }
  }

  /** @returns where in the batch a page belongs */
  private place(pageNumber: number, pageSize: number): number {
    if (this.batched === this.batch.length || pageNumber !== this.first + this.batched / pageSize) {
      this.writeBatch(pageSize);
      this.first = pageNumber;
    }
    const at = this.batched;
    this.batched += pageSize;
    if (pageNumber >= this.known) this.known = pageNumber + 1;
    return at;
  }

  private writeBatch(pageSize: number): void {
    if (this.batched === 0) return;
    this.file.write(this.batch.subarray(0, this.batched), this.first * pageSize);
    this.batched = 0;
  }
}
