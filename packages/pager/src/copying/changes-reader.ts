/** Reads the bytes of changes as they come, in pieces of any size, and checks them: the counterpart of `CopyReader`. */
import { CorruptionError, readU32 } from '@sombra/vfs';
import { CHANGES_HEADER_SIZE, decodeChangesHeader } from '../format/changes.ts';
import type { ChangesHeader } from '../format/changes.ts';
import { PAGE_NUMBER_OFFSET, verifyPage } from '../format/page-header.ts';
import { rootsPage } from '../format/roots-page.ts';
import { Blocks } from './blocks.ts';
import type { PageVisitor } from './copy-reader.ts';

/** See the top of the file. */
export class ChangesReader {
  private readonly name: string;
  private readonly expected: number;
  private readonly visit: PageVisitor | undefined;
  private readonly blocks: Blocks;
  private found: ChangesHeader | undefined;
  private pages = 0;
  private last = 0;

  /**
   * @param name   of what is read, for messages
   * @param pages  how many there must be
   * @param visit  called for each page, in ascending order; `header` is there then
   */
  constructor(name: string, pages: number, visit?: PageVisitor) {
    this.name = name;
    this.expected = pages;
    this.visit = visit;
    this.blocks = new Blocks(CHANGES_HEADER_SIZE, (bytes, at) => this.take(bytes, at));
  }

  /** What they begin with; undefined before that was read. */
  get header(): ChangesHeader | undefined {
    return this.found;
  }

  /**
   * Takes the next bytes.
   * @throws DataError SOMBRA_FORMAT_VERSION; CorruptionError SOMBRA_COPY_INCOMPLETE, SOMBRA_PAGE_CHECKSUM, SOMBRA_PAGE_MISDIRECTED,
   *   SOMBRA_PAGE_LSN
   */
  push(bytes: Uint8Array): void {
    this.blocks.push(bytes);
  }

  /** Nothing more comes. @throws CorruptionError SOMBRA_COPY_INCOMPLETE */
  end(): ChangesHeader {
    const { found } = this;
    if (found === undefined) throw this.incomplete(`ends within its first ${CHANGES_HEADER_SIZE} bytes`);
    if (this.pages !== this.expected || this.blocks.rest.length > 0)
      throw this.incomplete(`has ${this.pages} pages of ${this.expected}`);
    return found;
  }

  private take(bytes: Uint8Array, at: number): number {
    if (this.found === undefined) {
      this.found = decodeChangesHeader(bytes, at, this.name);
      const { pageSize } = this.found.superblock;
      this.last = rootsPage(pageSize) - 1;
      return pageSize;
    }
    const { since, superblock } = this.found;
    const { pageSize, pageCount, salt, checkpointLsn } = superblock;
    if (this.pages >= this.expected) throw this.incomplete(`has more than its ${this.expected} pages`);
    const pageNumber = readU32(bytes, at + PAGE_NUMBER_OFFSET);
    if (pageNumber <= this.last || pageNumber >= pageCount)
      throw this.incomplete(`has page ${pageNumber} behind page ${this.last}, of ${pageCount}`);
    const lsn = verifyPage(bytes, at, pageSize, pageNumber, salt, checkpointLsn);
    if (lsn <= since) throw this.incomplete(`has page ${pageNumber} of commit ${lsn}, and follows commit ${since}`);
    this.last = pageNumber;
    this.pages += 1;
    this.visit?.(pageNumber, bytes, at, lsn);
    return pageSize;
  }

  private incomplete(what: string): CorruptionError {
    return new CorruptionError('SOMBRA_COPY_INCOMPLETE', `${this.name} ${what}: use another backup`);
  }
}
