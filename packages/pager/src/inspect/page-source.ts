/** Pages by their numbers, for reading what is left of a damaged file: as of a commit, or as main has them. */
import { CorruptionError, preadFully, readU32 } from '@sombra/vfs';
import type { Vfs, VfsFile } from '@sombra/vfs';
import { isCorruption } from '../base/failure.ts';
import { KIND_OFFSET, PAGE_KIND_FREELIST, verifyPage } from '../format/page-header.ts';
import { rootsPage } from '../format/roots-page.ts';
import type { Superblock } from '../format/superblock.ts';
import type { View } from '../reading/view.ts';
import { FREELIST_NEXT, FREELIST_PAGES, trunkCount } from '../writing/freelist.ts';

/** The pages of a commit. Ends with its view. */
export class CommitPages {
  readonly pageSize: number;
  readonly pageCount: number;
  private readonly view: View;

  constructor(view: View) {
    this.view = view;
    this.pageSize = view.cache.pageSize;
    this.pageCount = view.pageCount;
  }

  /** Reads a page. @param into  one page @throws as `View.page` */
  read(pageNumber: number, into: Uint8Array): void {
    const base = this.view.page(pageNumber);
    into.set(this.view.cache.bytes.subarray(base, base + this.pageSize));
  }
}

/** What the pages of a file that name free pages say. */
export interface FreePageFindings {
  readonly free: ReadonlySet<number>;
  /** Is every free page among them? Not when a page that may name others cannot be read. */
  readonly complete: boolean;
  /** Pages that cannot be read, the roots page and free ones left out. */
  readonly unreadable: readonly number[];
}

/** The pages of main as of its last checkpoint, without log and catalogue. It takes no lock. Close it. */
export class FilePages {
  readonly pageSize: number;
  readonly pageCount: number;
  private readonly file: VfsFile;
  private readonly superblock: Superblock;

  /** @param path  without symbolic links @throws IoError SOMBRA_IO, SOMBRA_PERMISSION */
  constructor(vfs: Vfs, path: string, superblock: Superblock) {
    this.file = vfs.open(path, { write: false });
    this.superblock = superblock;
    this.pageSize = superblock.pageSize;
    this.pageCount = superblock.pageCount;
  }

  /**
   * Reads a page.
   * @param into  one page
   * @throws CorruptionError SOMBRA_PAGE_CHECKSUM, SOMBRA_PAGE_MISDIRECTED, SOMBRA_FILE_TRUNCATED, SOMBRA_PAGE_LSN when a later checkpoint,
   *   which did not finish, wrote it; IoError SOMBRA_IO
   */
  read(pageNumber: number, into: Uint8Array): void {
    const { file, pageSize, superblock } = this;
    if (preadFully(file, into, pageNumber * pageSize) < pageSize) {
      throw new CorruptionError('SOMBRA_FILE_TRUNCATED', `${file.path} ends within page ${pageNumber}`, {
        details: { pageNumber },
      });
    }
    verifyPage(into, 0, pageSize, pageNumber, superblock.salt, superblock.checkpointLsn);
  }

  /** Reads every page, and gathers what those say that name free pages. @throws IoError SOMBRA_IO */
  freePages(): FreePageFindings {
    const { pageSize, pageCount } = this;
    const page = new Uint8Array(pageSize);
    const free = new Set<number>();
    const next: number[] = [];
    const trunks = new Set<number>();
    const unreadable: number[] = [];
    for (let number = rootsPage(pageSize) + 1; number < pageCount; number += 1) {
      try {
        this.read(number, page);
        if (page[KIND_OFFSET] !== PAGE_KIND_FREELIST) continue;
        const count = trunkCount(page, 0, number, pageSize);
        for (let i = 0; i < count; i += 1) free.add(readU32(page, FREELIST_PAGES + i * 4));
        trunks.add(number);
        next.push(readU32(page, FREELIST_NEXT));
      } catch (error) {
        if (!isCorruption(error)) throw error;
        unreadable.push(number);
      }
    }
    for (const trunk of trunks) free.add(trunk);
    const used = unreadable.filter((number) => !free.has(number));
    const complete = used.length === 0 && next.every((number) => number === 0 || trunks.has(number));
    return { free, complete, unreadable: used };
  }

  close(): void {
    this.file.close();
  }
}
