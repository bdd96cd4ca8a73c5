/**
 * What brings a copy of an earlier commit to a later one: the pages that were written in between. Each page that is in use is read through its
 * checksum all the same, so that damage is found before it is too late, and the lsn that decides is one that can be trusted. Free pages are
 * left out: what they held stays in the restored file, and means nothing.
 */
import { DataError } from '@sombra/vfs';
import { encodeChangesHeader } from '../format/changes.ts';
import { sealPage } from '../format/page-header.ts';
import { rootsPage } from '../format/roots-page.ts';

/** The copy, as its changes see it. */
export interface CopiedPages {
  readonly lsn: number;
  readonly pageSize: number;
  readonly pageCount: number;
  readonly salt: number;
  readonly databaseId: Uint8Array;
  superblock(): Uint8Array;
  isFree(pageNumber: number): boolean;
  readUsed(pageNumber: number, into: Uint8Array, at: number): number;
  checkOpen(): void;
}

/** See the top of the file. It ends with its copy. */
export class CopyChanges {
  private readonly copy: CopiedPages;
  private readonly since: number;
  private next: number;
  private given = 0;

  /** Changes come from `DatabaseCopy.changes`. @internal */
  constructor(copy: CopiedPages, since: number) {
    if (!Number.isSafeInteger(since) || since < 0 || since > copy.lsn)
      throw new DataError('SOMBRA_OPTION', `changes since commit ${since}: the copy is of commit ${copy.lsn}`);
    this.copy = copy;
    this.since = since;
    this.next = rootsPage(copy.pageSize);
  }

  /** The first bytes. */
  header(): Uint8Array {
    const { pageSize, databaseId } = this.copy;
    return encodeChangesHeader(this.copy.superblock(), this.since, pageSize, databaseId);
  }

  /** Have all pages been looked at? */
  get ended(): boolean {
    return this.next >= this.copy.pageCount;
  }

  /** Pages that were given so far. */
  get pages(): number {
    return this.given;
  }

  /** Bytes of the database that have been looked at, of `size` of the copy. */
  get done(): number {
    return this.next * this.copy.pageSize;
  }

  /**
   * Reads on. Blocks for as many pages as fit, whether they have changed or not.
   * @param into  a page at least
   * @returns number of bytes, whole pages; 0 is no end: see `ended`
   * @throws as `DatabaseCopy.read`
   */
  read(into: Uint8Array): number {
    const { copy, since } = this;
    const { pageSize, pageCount, salt } = copy;
    if (into.length < pageSize)
      throw new DataError('SOMBRA_OPTION', `changes are read by pages of ${pageSize} bytes, into ${into.length} bytes`);
    copy.checkOpen();
    let at = 0;
    for (let left = Math.floor(into.length / pageSize); left > 0 && this.next < pageCount; left -= 1, this.next += 1) {
      if (copy.isFree(this.next) || copy.readUsed(this.next, into, at) <= since) continue;
      sealPage(into, at, pageSize, this.next, salt);
      at += pageSize;
      this.given += 1;
    }
    return at;
  }
}
