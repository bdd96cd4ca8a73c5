import { assert, DataError, pwriteFully, readU32, StateError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { archivedThrough } from '@sombra/wal';
import { BulkScratch, bulkScratchPath } from './bulk-scratch.ts';
import type { Health } from '../base/health.ts';
import type { ResolvedOptions } from '../base/options.ts';
import type { Measures } from '../base/stats.ts';
import type { Syncs } from '../base/syncs.ts';
import type { MainFile } from '../files/main-file.ts';
import type { PageCache } from '../pages/page-cache.ts';
import type { PageIndex } from '../pages/page-index.ts';
import type { VersionReader } from '../pages/version-reader.ts';
import type { Commits } from '../reading/commits.ts';
import type { Header } from '../sharing/header.ts';
import { runAll } from '../base/run-all.ts';
import type { PlacedHeader } from '../format/placed-pages.ts';
import { FreePages } from './free-pages.ts';
import { PlacedWriter } from './placed-writer.ts';
import { PAGE_NUMBER_OFFSET, sealPage, stampHeader } from '../format/page-header.ts';
import { PageSet } from '../pages/page-set.ts';
import type { WriteTransaction } from './transaction.ts';

/** What a bulk load needs of its connection. */
export interface BulkHost {
  readonly vfs: Vfs;
  readonly options: ResolvedOptions;
  readonly health: Health;
  readonly header: Header;
  readonly main: MainFile;
  readonly syncs: Syncs;
  readonly cache: PageCache;
  readonly index: PageIndex;
  readonly reader: VersionReader;
  readonly commits: Commits;
  readonly stats: Measures;
  /** Brings everything to main that views allow. */
  checkpointNow(): unknown;
  /** May the file have this many pages? @throws DataError SOMBRA_DATABASE_FULL */
  checkSize(pageCount: number): void;
  /** Makes the log ready for the commit: the timeline is then the one that it will have (rule P6). */
  readyLog(): void;
  /** The pages of the load are in main: begins the transaction that publishes them, in the same tenure. */
  beginBulkCommit(): WriteTransaction;
  /** The load was given up. */
  bulkAborted(): void;
}

/** A checkpoint is worth its syncs when at least so many pages are free, and this part of the file. */
const FREE_PAGES_MIN = 8;
const FREE_PART_MIN = 1 / 32;
/** Bytes gathered before they are written to main. */
const BUFFER_BYTES = 1024 * 1024;

/**
 * Writes many new pages straight to main, past the log (rule K8). Steps, and what a crash after each leaves:
 * 0. A checkpoint, if there are enough free pages to be worth one.                      An ordinary checkpoint.
 * 1. Pages go to free places, and to places at or beyond the page count, with the lsn   Bytes of free pages, and beyond the page
 *    of the coming commit.                                                              count: ignored.
 * 2. Main is synced. While there is an archive, so is the file of placed pages.         The same; the archive ignores the file.
 * 3. One commit publishes roots, page count and freelist, and names the free places     All of it.
 *    that were written.
 *
 * Free places are used only if the checkpoint is the newest commit: then they are free in every commit that may still be read
 * (no mark is below the checkpoint), no entry of the log and no image of the double-write area is theirs, and nothing that recovery
 * finds needs what they hold. Otherwise, and when they run out, the file grows.
 *
 * Exempt from transaction pages and timeout, not from the database size. While it is open there is no other writer.
 */
export class BulkWriter {
  /** Pages allocated so far. */
  pages = 0;
  /** Of them, those that the file grows by. */
  private grown = 0;

  private readonly host: BulkHost;
  private readonly lsn: number;
  private readonly first: number;
  private readonly buffer: Uint8Array;
  private bufferFirst = 0;
  private buffered = 0;
  private open = true;
  private space: BulkScratch | undefined;
  /** null when free places must not be written to. */
  private readonly free: FreePages | null;
  private readonly written = new PageSet();
  /** The same pages for the archive; undefined when there was none as the load began. */
  private readonly placed: PlacedWriter | undefined;

  /** Called by the pager. @internal */
  constructor(host: BulkHost) {
    this.host = host;
    this.free = freePages(host);
    const { tail } = host.commits;
    this.lsn = tail.lsn + 1;
    this.first = tail.pageCount;
    this.buffer = new Uint8Array(Math.max(BUFFER_BYTES, host.cache.pageSize));
    const { vfs, options } = host;
    this.placed = isArchived(host) ? new PlacedWriter(vfs, options.path, this.lsn) : undefined;
  }

  /**
   * A page number: of a free page if there is one, else the next from the page count on.
   * @throws DataError SOMBRA_DATABASE_FULL; StateError SOMBRA_BULK_DONE; CorruptionError SOMBRA_FREELIST
   */
  allocate(): number {
    this.check();
    let pageNumber = this.free?.take() ?? 0;
    if (pageNumber === 0) {
      pageNumber = this.first + this.grown;
      this.host.checkSize(pageNumber + 1);
      this.grown += 1;
    }
    this.pages += 1;
    return pageNumber;
  }

  /**
   * Writes one page that `allocate` returned. Fastest in ascending order.
   * @param bytes  holds the page from `start` on, copied; number, lsn and checksum of its header are filled in here
   * @throws DataError SOMBRA_PAGE_RANGE; IoError SOMBRA_IO, SOMBRA_DISK_FULL (then call `abort`); StateError SOMBRA_BULK_DONE
   */
  write(pageNumber: number, bytes: Uint8Array, start: number): void {
    this.check();
    const { pageSize } = this.host.cache;
    if (pageNumber < this.first) {
      if (this.free?.taken.has(pageNumber) !== true)
        throw new DataError('SOMBRA_PAGE_RANGE', `page ${pageNumber} was not allocated by this bulk load`);
      this.written.add(pageNumber);
    } else if (!(pageNumber < this.first + this.grown)) {
      throw new DataError('SOMBRA_PAGE_RANGE', `page ${pageNumber} was not allocated by this bulk load`);
    }
    if (!(start >= 0 && start + pageSize <= bytes.length))
      throw new RangeError(`a page at ${start} of ${bytes.length} bytes`);
    if (
      this.buffered > 0 &&
      (pageNumber !== this.bufferFirst + this.buffered || (this.buffered + 1) * pageSize > this.buffer.length)
    )
      this.flush();
    if (this.buffered === 0) this.bufferFirst = pageNumber;
    const at = this.buffered * pageSize;
    if (bytes.length === pageSize) this.buffer.set(bytes, at);
    else this.buffer.set(bytes.subarray(start, start + pageSize), at);
    stampHeader(this.buffer, at, pageNumber, this.lsn);
    this.buffered += 1;
  }

  /** Space beside the database for what does not fit into memory, until the load ends. @throws IoError SOMBRA_IO; StateError SOMBRA_BULK_DONE */
  scratch(): BulkScratch {
    this.check();
    this.space ??= new BulkScratch(this.host.vfs, bulkScratchPath(this.host.options.path));
    return this.space;
  }

  /**
   * Syncs what has been written so far without blocking the thread, so that the sync of `finish` finds little left to do. This is not a
   * guarantee: `finish` syncs again.
   * @throws IoError SOMBRA_SYNC, after which nothing is written any more; as `write`
   */
  async syncAhead(): Promise<void> {
    this.check();
    this.flush();
    const { main, syncs } = this.host;
    await syncs.deliver(() => main.syncAsync());
  }

  /**
   * Syncs main and publishes everything in one commit.
   * @param apply  sets roots, counts and counters in the transaction of that commit
   * @returns lsn of the commit
   * @throws as `WriteTransaction.commit`; StateError SOMBRA_ARCHIVE_GAP when an archive began meanwhile; the bulk load is over either way
   */
  finish(apply: (tx: WriteTransaction) => void): number {
    this.check();
    const { host } = this;
    try {
      if (this.placed === undefined) refuseArchived(host);
      this.flush();
      this.removeScratch();
      if (this.placed !== undefined) {
        host.readyLog();
        this.placed.finish(this.placedHeader());
      }
      host.main.extend(this.first + this.grown); // pages allocated and never written
      host.syncs.sync(host.main.file);
    } catch (error) {
      this.abort();
      throw error;
    }
    this.open = false;
    const tx = host.beginBulkCommit();
    try {
      tx.catalogue.pageCount = this.first + this.grown;
      tx.placed = this.publishPlaced(tx);
      apply(tx);
      return tx.commit();
    } catch (error) {
      tx.rollback();
      // What was read of its pages has the number of a commit that comes yet.
      host.cache.dropVersionsOf(this.lsn);
      throw error;
    }
  }

  /** Takes the free pages that were used off the freelist. @returns those that were written */
  private publishPlaced(tx: WriteTransaction): number[] {
    const placed: number[] = [];
    if (this.free === null) return placed;
    const { taken } = this.free;
    for (let i = 0; i < taken.count; i += 1) {
      const page = taken.at(i);
      if (!this.written.has(page)) continue;
      placed.push(page);
      // What is cached of it from before it was free must not pass for what the load wrote.
      this.host.cache.supersede(page, this.lsn);
    }
    this.free.takeOff(tx, tx.catalogue);
    return placed;
  }

  /** Gives up: what was written lies in free pages and beyond the page count, and is ignored. Harmless when repeated. */
  abort(): void {
    if (!this.open) return;
    this.open = false;
    runAll([() => this.removeScratch(), () => this.placed?.abandon(), () => this.host.bulkAborted()]);
  }

  private placedHeader(): Omit<PlacedHeader, 'pages'> {
    const { pageSize, databaseId, timeline, salt } = this.host.main.superblock;
    const { lsn, first: firstPage } = this;
    return { pageSize, databaseId, timeline, salt, lsn, firstPage, pageCount: firstPage + this.grown };
  }

  private flush(): void {
    if (this.buffered === 0) return;
    const { host } = this;
    const { pageSize } = host.cache;
    for (let i = 0; i < this.buffered; i += 1) {
      const at = i * pageSize;
      sealPage(this.buffer, at, pageSize, readU32(this.buffer, at + PAGE_NUMBER_OFFSET), host.main.superblock.salt);
    }
    const pages = this.buffer.subarray(0, this.buffered * pageSize);
    pwriteFully(host.main.file, pages, this.bufferFirst * pageSize);
    this.placed?.write(pages);
    host.stats.pagesWritten += this.buffered;
    this.buffered = 0;
  }

  private removeScratch(): void {
    this.space?.remove();
    this.space = undefined;
  }

  private check(): void {
    this.host.health.checkOpen();
    if (!this.open) throw new StateError('SOMBRA_BULK_DONE', 'the bulk load has ended: begin a new one');
    this.host.health.checkWritable();
  }
}

/** The free pages that a load may write to, null for none. */
function freePages(host: BulkHost): FreePages | null {
  const { header, cache, index, reader } = host;
  const { tail } = host.commits;
  if (tail.freeCount === 0) return null;
  const worthIt = tail.freeCount >= FREE_PAGES_MIN && tail.freeCount >= tail.pageCount * FREE_PART_MIN;
  if (header.state.checkpointLsn !== tail.lsn && worthIt) host.checkpointNow();
  if (header.state.checkpointLsn !== tail.lsn) return null; // a reader may need what the free pages hold
  assert(index.count === 0, 'nothing stands in the log after the checkpoint of the newest commit');
  return new FreePages({ reader, pageSize: cache.pageSize, tail });
}

function isArchived({ vfs, options }: BulkHost): boolean {
  return archivedThrough(vfs, options.path) !== Infinity;
}

/** What a bulk load writes is in no segment. @throws StateError SOMBRA_ARCHIVE_GAP when an archive began while it was open */
function refuseArchived(host: BulkHost): void {
  if (!isArchived(host)) return;
  throw new StateError(
    'SOMBRA_ARCHIVE_GAP',
    `an archive of the log of ${host.options.path} began while a bulk load was open, and would lack its pages: load again`,
  );
}
