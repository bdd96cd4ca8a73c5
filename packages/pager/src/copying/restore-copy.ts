/**
 * A database file made from the bytes of a copy, as they come: every page is checked, and gets the salt of the new file, which has a
 * timeline of its own (rule P2). The file gets its name when it is whole and durable (rule O1).
 */
import { readU32 } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { sealPage } from '../format/page-header.ts';
import { encodeSuperblock, slotOffset, SUPERBLOCK_AREA_MIN } from '../format/superblock.ts';
import type { Superblock } from '../format/superblock.ts';
import { NewFile } from '../life/new-file.ts';
import { CopyReader } from './copy-reader.ts';
import { freshTimeline } from './timeline.ts';
import { checkRoom, fileExists } from './write-copy.ts';

/** What was restored. */
export interface RestoredCopy {
  /** Number of the commit. */
  readonly lsn: number;
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
  private readonly reader: CopyReader;
  private readonly file: NewFile;
  private readonly salt: number;
  private batch = new Uint8Array(0);
  private batched = 0;
  /** Where the batch belongs. */
  private at = 0;

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

  /** Takes the next bytes. @throws as `CopyReader.push`; IoError: then `abandon` it */
  push(bytes: Uint8Array): void {
    this.reader.push(bytes);
  }

  /**
   * All bytes have come: the file gets its name.
   * @throws as `CopyReader.end`; DataError SOMBRA_FILE_EXISTS; IoError: then nothing is there under the name
   */
  finish(): RestoredCopy {
    const { vfs, file, salt } = this;
    const copy = this.reader.end();
    this.writeBatch();
    const superblock: Superblock = { ...copy, salt, timeline: freshTimeline(vfs.env, copy.timeline), sequence: 0 };
    const area = new Uint8Array(SUPERBLOCK_AREA_MIN);
    area.set(encodeSuperblock(superblock), slotOffset(0));
    file.write(area, 0);
    file.sync();
    if (!file.publish()) throw fileExists(this.path);
    const { checkpointLsn: lsn, pageSize, pageCount, timeline } = superblock;
    return { lsn, pageSize, pageCount, timeline };
  }

  /** Removes what was written. Harmless when repeated, and after `finish`. */
  abandon(): void {
    this.file.abandon();
  }

  private takePage(pageNumber: number, bytes: Uint8Array, from: number): void {
    const { pageSize, pageCount } = this.reader.header!;
    if (this.batch.length === 0) {
      checkRoom(this.vfs, this.path, pageCount * pageSize);
      this.batch = new Uint8Array(Math.max(BATCH_BYTES, pageSize));
      this.at = pageNumber * pageSize;
    }
    this.batch.set(bytes.subarray(from, from + pageSize), this.batched);
    sealPage(this.batch, this.batched, pageSize, pageNumber, this.salt);
    this.batched += pageSize;
    if (this.batched === this.batch.length) this.writeBatch();
  }

  private writeBatch(): void {
    if (this.batched === 0) return;
    this.file.write(this.batch.subarray(0, this.batched), this.at);
    this.at += this.batched;
    this.batched = 0;
  }
}
