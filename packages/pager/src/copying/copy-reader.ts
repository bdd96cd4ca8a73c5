/**
 * Reads the bytes of a copy as they come, in pieces of any size: checks that they are a database file that was closed cleanly, whole, with
 * every page valid and in its place. What a backup is verified with, and what a restore reads.
 */
import { CorruptionError } from '@sombra/vfs';
import { verifyPage } from '../format/page-header.ts';
import { rootsPage } from '../format/roots-page.ts';
import { readSuperblocks, SUPERBLOCK_AREA_MIN } from '../format/superblock.ts';
import type { Superblock } from '../format/superblock.ts';
import { Blocks } from './blocks.ts';

/** What is done with a page that was found valid. @param lsn  of the commit that wrote it */
export type PageVisitor = (pageNumber: number, bytes: Uint8Array, at: number, lsn: number) => void;

/** See the top of the file. */
export class CopyReader {
  private readonly name: string;
  private readonly visit: PageVisitor | undefined;
  private found: Superblock | undefined;
  private readonly blocks: Blocks;
  /** Are the next bytes those between the superblock slots and the first page, which mean nothing? */
  private isGap = false;
  private pages = 0;

  /**
   * @param name   of what is read, for messages
   * @param visit  called for each page behind the superblock area, in order; `header` is there then
   */
  constructor(name: string, visit?: PageVisitor) {
    this.name = name;
    this.visit = visit;
    this.blocks = new Blocks(SUPERBLOCK_AREA_MIN, (bytes, at) => this.take(bytes, at));
  }

  /** What its superblock says; undefined before the first 8192 bytes were read. */
  get header(): Superblock | undefined {
    return this.found;
  }

  /** Pages that have been read, the superblock area included. */
  get pageCount(): number {
    return this.pages;
  }

  /**
   * Takes the next bytes.
   * @throws DataError SOMBRA_NOT_A_DATABASE, SOMBRA_FORMAT_VERSION; CorruptionError SOMBRA_SUPERBLOCK, SOMBRA_COPY_INCOMPLETE (more than
   *   the superblock says, or not closed), SOMBRA_PAGE_CHECKSUM, SOMBRA_PAGE_MISDIRECTED, SOMBRA_PAGE_LSN
   */
  push(bytes: Uint8Array): void {
    this.blocks.push(bytes);
  }

  /** Nothing more comes. @returns what its superblock says @throws CorruptionError SOMBRA_COPY_INCOMPLETE; as `push` */
  end(): Superblock {
    const { found } = this;
    if (found === undefined) {
      readSuperblocks(this.blocks.rest, this.name); // says what it is instead
      throw this.incomplete(`ends within its first ${SUPERBLOCK_AREA_MIN} bytes`);
    }
    if (this.pages < found.pageCount || this.blocks.rest.length > 0 || this.isGap)
      throw this.incomplete(`has ${this.pages} pages of ${found.pageCount}`);
    return found;
  }

  private take(bytes: Uint8Array, at: number): number {
    const { found } = this;
    if (found === undefined) return this.begin(bytes.subarray(at, at + SUPERBLOCK_AREA_MIN));
    const { pageSize, pageCount, salt, checkpointLsn } = found;
    if (this.isGap) {
      this.isGap = false;
      return pageSize;
    }
    if (this.pages >= pageCount) throw this.incomplete(`has more than its ${pageCount} pages`);
    const lsn = verifyPage(bytes, at, pageSize, this.pages, salt, checkpointLsn);
    this.visit?.(this.pages, bytes, at, lsn);
    this.pages += 1;
    return pageSize;
  }

  private begin(area: Uint8Array): number {
    const { newest } = readSuperblocks(area, this.name);
    if (!newest.clean) throw this.incomplete('is of a database that was not closed, and needs its log');
    this.found = newest;
    const { pageSize } = newest;
    this.pages = rootsPage(pageSize);
    this.isGap = pageSize > SUPERBLOCK_AREA_MIN;
    return this.isGap ? pageSize - SUPERBLOCK_AREA_MIN : pageSize;
  }

  private incomplete(what: string): CorruptionError {
    return new CorruptionError('SOMBRA_COPY_INCOMPLETE', `${this.name} ${what}: use another backup`);
  }
}
