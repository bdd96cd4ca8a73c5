/**
 * Applies the commits of a log to the pages of a copy, one after the other: what recovery to a point in time does. Each delta has to meet the
 * version that it names, and each page by which the database grew has to come from somewhere: anything else means that something is missing, and is refused.
 */
import { CorruptionError, readSafe64, readU32, StateError } from '@sombra/vfs';
import { applyOps, DELTA_BASE_LSN, DELTA_HEADER_SIZE, ENTRY_DELTA, ENTRY_HEADER_SIZE, ENTRY_IMAGE } from '@sombra/wal';
import type { RecordView } from '@sombra/wal';
import { LSN_OFFSET, PAGE_NUMBER_OFFSET, stampHeader, stampLsn } from '../format/page-header.ts';
import type { PlacedHeader } from '../format/placed-pages.ts';
import { rootsPage } from '../format/roots-page.ts';
import { PageSet } from '../pages/page-set.ts';
import { ReplayPages } from './replay-pages.ts';
import type { PageStore } from './replay-pages.ts';

/** The commit that pages are of. */
export interface ReplayedCommit {
  readonly lsn: number;
  /** Of the commit, ms since 1970. */
  readonly time: number;
  /** Pages of the database. */
  readonly pageCount: number;
}

/** See the top of the file. Calls for each commit: `begin`; `place` for placed pages, if the archive has such; `apply`. At the end: `finish`. */
export class LogReplay {
  private readonly pages: ReplayPages;
  readonly pageSize: number;
  private commit: ReplayedCommit;
  /** Pages that the commit in work names as written by a bulk load. */
  private named = new PageSet();
  private namedCount = 0;
  /** Pages by which it grows that have come. */
  private grown = new PageSet();
  private grownCount = 0;

  /** @param from  what the store holds @param cacheBytes  memory for pages that are worked on */
  constructor(store: PageStore, from: ReplayedCommit, cacheBytes = 32 * 1024 * 1024) {
    this.pages = new ReplayPages(store, cacheBytes);
    this.pageSize = store.pageSize;
    this.commit = from;
  }

  /** The newest commit that was applied. */
  get newest(): ReplayedCommit {
    return this.commit;
  }

  /**
   * Looks at the commit that comes next, and changes nothing.
   * @returns whether it is one of a bulk load, whose pages `place` has to bring
   * @throws CorruptionError SOMBRA_WAL_RECORD
   */
  begin(record: RecordView): boolean {
    const { pageCount } = this.commit;
    const first = rootsPage(this.pageSize);
    this.named = new PageSet();
    this.grown = new PageSet();
    this.namedCount = this.grownCount = 0;
    record.forEachEntry((pageNumber, kind, _offset, _length, bytes, at) => {
      if (pageNumber < first || pageNumber >= record.pageCount) {
        throw new CorruptionError(
          'SOMBRA_WAL_RECORD',
          `commit ${record.lsn} in the log changes page ${pageNumber} of ${record.pageCount}; restore to a commit before it`,
          { details: { lsn: record.lsn, pageNumber } },
        );
      }
      if (isPlaced(record, kind, bytes, at)) {
        if (this.named.add(pageNumber)) this.namedCount += 1;
      } else if (pageNumber >= pageCount && this.grown.add(pageNumber)) this.grownCount += 1;
    });
    return this.namedCount > 0 || this.grownCount < record.pageCount - pageCount;
  }

  /**
   * A page that the bulk load of the commit in work wrote past the log. Ignored unless the commit needs it.
   * @param bytes  holds it from `at` on; copied
   */
  place(record: RecordView, pageNumber: number, bytes: Uint8Array, at: number): void {
    const { pageCount } = this.commit;
    const isNew = pageNumber >= pageCount && pageNumber < record.pageCount;
    if (isNew && this.grown.add(pageNumber)) this.grownCount += 1;
    else if (!isNew && !this.named.has(pageNumber)) return;
    this.pages.replace(pageNumber, record.lsn, bytes, at);
  }

  /**
   * Applies the commit that `begin` has looked at.
   * @param placed  header of the placed pages, when there were such
   * @throws StateError SOMBRA_ARCHIVE_GAP: pages of a bulk load are missing; CorruptionError SOMBRA_DELTA_BASE, SOMBRA_WAL_OPS, SOMBRA_WAL_ENTRY:
   *   the commit does not fit; as the store: then nothing of it is of use
   */
  apply(record: RecordView, placed?: PlacedHeader): void {
    const { lsn, pageCount } = record;
    const before = this.commit.pageCount;
    if (this.grownCount < pageCount - before) {
      const covers = placed?.lsn === lsn && placed.firstPage === before && placed.pageCount === pageCount;
      if (!covers) throw missing(lsn, `${pageCount - before - this.grownCount} pages by which it grows`);
      this.fill(before, pageCount);
    }
    record.forEachEntry((pageNumber, kind, _offset, length, bytes, at) => {
      if (kind === ENTRY_IMAGE) this.applyImage(lsn, pageNumber, bytes, at + ENTRY_HEADER_SIZE);
      else if (kind !== ENTRY_DELTA) throw unfit(lsn, pageNumber, 'is of a kind that no database has');
      else if (isPlaced(record, kind, bytes, at)) this.checkPlaced(lsn, pageNumber);
      else this.applyDelta(lsn, pageNumber, bytes, at, length);
    });
    this.commit = { lsn, time: record.time, pageCount };
  }

  /** Writes what is in memory. @returns the newest commit @throws as the store */
  finish(): ReplayedCommit {
    this.pages.flush();
    return this.commit;
  }

  private applyImage(lsn: number, pageNumber: number, bytes: Uint8Array, at: number): void {
    if (readU32(bytes, at + PAGE_NUMBER_OFFSET) !== pageNumber || readSafe64(bytes, at + LSN_OFFSET) !== lsn)
      throw unfit(lsn, pageNumber, 'holds an image of another page or version');
    this.pages.replace(pageNumber, lsn, bytes, at);
  }

  private applyDelta(lsn: number, pageNumber: number, bytes: Uint8Array, at: number, entryLength: number): void {
    const { pages, pageSize } = this;
    const base = readSafe64(bytes, at + DELTA_BASE_LSN);
    const frame = pages.edit(pageNumber);
    const found = pages.lsnOf(frame);
    if (base !== found) {
      throw new CorruptionError(
        'SOMBRA_DELTA_BASE',
        `page ${pageNumber}: the change of commit ${lsn} applies to version ${base}, and the version found is ${found}; restore to a commit before it`,
        { details: { pageNumber, lsn, expected: base, found } },
      );
    }
    const length = readU32(bytes, at + 16);
    if (DELTA_HEADER_SIZE + length > entryLength) throw unfit(lsn, pageNumber, 'is longer than its place');
    applyOps(pages.bytes, frame * pageSize, pageSize, bytes, at + DELTA_HEADER_SIZE, at + DELTA_HEADER_SIZE + length);
    stampLsn(pages.bytes, frame * pageSize, lsn);
    pages.setLsn(frame, lsn);
  }

  private checkPlaced(lsn: number, pageNumber: number): void {
    if (this.pages.lsnOf(this.pages.edit(pageNumber)) !== lsn) throw missing(lsn, `page ${pageNumber}`);
  }

  /** Pages that a bulk load allocated and did not write: empty. */
  private fill(from: number, to: number): void {
    const empty = new Uint8Array(this.pageSize);
    for (let pageNumber = from; pageNumber < to; pageNumber += 1) {
      if (!this.grown.add(pageNumber)) continue;
      stampHeader(empty, 0, pageNumber, 0);
      this.pages.replace(pageNumber, 0, empty, 0);
    }
  }
}

/**
 * Is a commit one of a bulk load, which wrote pages past the log?
 * @param pageCount  pages of the database before it
 * @throws CorruptionError SOMBRA_WAL_RECORD
 */
export function needsPlacedPages(record: RecordView, pageCount: number): boolean {
  let isNamed = false;
  let grown = 0;
  record.forEachEntry((pageNumber, kind, _offset, _length, bytes, at) => {
    if (isPlaced(record, kind, bytes, at)) isNamed = true;
    else if (pageNumber >= pageCount) grown += 1;
  });
  return isNamed || grown < record.pageCount - pageCount;
}

/** Does the entry say that a bulk load wrote the page past the log? */
function isPlaced(record: RecordView, kind: number, bytes: Uint8Array, at: number): boolean {
  return kind === ENTRY_DELTA && readSafe64(bytes, at + DELTA_BASE_LSN) === record.lsn;
}

function missing(lsn: number, what: string): StateError {
  return new StateError(
    'SOMBRA_ARCHIVE_GAP',
    `commit ${lsn} is one of a bulk load, and ${what} are missing in the archive: restore to commit ${lsn - 1}, or from a later backup`,
    { details: { lsn } },
  );
}

function unfit(lsn: number, pageNumber: number, what: string): CorruptionError {
  return new CorruptionError(
    'SOMBRA_WAL_ENTRY',
    `the log entry of page ${pageNumber} in commit ${lsn} ${what}; restore to a commit before it`,
    { details: { pageNumber, lsn } },
  );
}
