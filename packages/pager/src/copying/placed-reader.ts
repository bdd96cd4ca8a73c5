/** Reads placed pages (format/placed-pages.ts) as they come, in pieces of any size, and checks every one. */
import { CorruptionError, readU32 } from '@sombra/vfs';
import { isPageSize } from '../base/options.ts';
import { PAGE_NUMBER_OFFSET, verifyPage } from '../format/page-header.ts';
import { decodePlacedHeader, PLACED_HEADER_SIZE } from '../format/placed-pages.ts';
import type { PlacedHeader } from '../format/placed-pages.ts';
import { rootsPage } from '../format/roots-page.ts';

/** See the top of the file. */
export class PlacedReader {
  private readonly name: string;
  private readonly visit: (pageNumber: number, bytes: Uint8Array, at: number) => void;
  private found: PlacedHeader | undefined;
  private part = new Uint8Array(PLACED_HEADER_SIZE);
  private filled = 0;
  private pages = 0;

  /** @param name  for messages @param visit  called for each page, when `header` is there */
  constructor(name: string, visit: (pageNumber: number, bytes: Uint8Array, at: number) => void) {
    this.name = name;
    this.visit = visit;
  }

  /** undefined before the first 512 bytes were read. */
  get header(): PlacedHeader | undefined {
    return this.found;
  }

  /** Takes the next bytes. @throws CorruptionError SOMBRA_ARCHIVE_DAMAGED, SOMBRA_PAGE_CHECKSUM, SOMBRA_PAGE_MISDIRECTED, SOMBRA_PAGE_LSN */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const count = Math.min(this.part.length - this.filled, bytes.length - at);
      this.part.set(bytes.subarray(at, at + count), this.filled);
      this.filled += count;
      at += count;
      if (this.filled < this.part.length) return;
      this.filled = 0;
      if (this.found === undefined) this.begin();
      else this.takePage(this.found);
    }
  }

  /** Nothing more comes. @throws CorruptionError SOMBRA_ARCHIVE_DAMAGED when something is missing */
  end(): PlacedHeader {
    const { found } = this;
    if (found === undefined || this.filled > 0 || this.pages < found.pages)
      throw this.damaged(`ends early, with ${this.pages} pages of ${found?.pages ?? 'an unknown number'}`);
    return found;
  }

  private begin(): void {
    const header = decodePlacedHeader(this.part);
    if (header === undefined || !isPageSize(header.pageSize)) throw this.damaged('is no file of placed pages');
    this.found = header;
    this.part = new Uint8Array(header.pageSize);
  }

  private takePage({ pageSize, pageCount, salt, lsn, pages }: PlacedHeader): void {
    if (this.pages === pages) throw this.damaged(`has more than its ${pages} pages`);
    const pageNumber = readU32(this.part, PAGE_NUMBER_OFFSET);
    if (pageNumber <= rootsPage(pageSize) || pageNumber >= pageCount)
      throw this.damaged(`holds page ${pageNumber} of ${pageCount}`);
    const found = verifyPage(this.part, 0, pageSize, pageNumber, salt, lsn);
    if (found !== lsn) throw this.damaged(`holds page ${pageNumber} of commit ${found} instead of ${lsn}`);
    this.pages += 1;
    this.visit(pageNumber, this.part, 0);
  }

  private damaged(what: string): CorruptionError {
    return new CorruptionError(
      'SOMBRA_ARCHIVE_DAMAGED',
      `${this.name} ${what}: restore to a commit before it, or from a later backup`,
      { details: { name: this.name } },
    );
  }
}
