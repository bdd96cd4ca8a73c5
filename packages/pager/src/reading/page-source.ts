/**
 * Bringing pages into the cache, for every view of a connection. A view that finds its page in the cache does not come here.
 */
import { CorruptionError } from '@sombra/vfs';
import type { Health } from '../base/health.ts';
import type { Measures } from '../base/stats.ts';
import { rootsPage } from '../format/roots-page.ts';
import { NO_FRAME } from '../pages/page-cache.ts';
import type { PageCache } from '../pages/page-cache.ts';
import type { VersionReader } from '../pages/version-reader.ts';
import type { View } from './view.ts';

/** Log entries that a page version may take to rebuild before its next change is logged as an image. */
const HEAVY_DEPTH = 32;

/** See the top of the file. */
export class PageSource {
  private readonly cache: PageCache;
  private readonly reader: VersionReader;
  private readonly stats: Measures;
  private readonly health: Health;
  private readonly firstPage: number;

  constructor(health: Health, cache: PageCache, reader: VersionReader, stats: Measures) {
    this.health = health;
    this.cache = cache;
    this.reader = reader;
    this.stats = stats;
    this.firstPage = rootsPage(cache.pageSize);
  }

  /**
   * Brings the version of a page that `view` sees into the cache.
   * @returns its base
   * @throws as `View.page`
   */
  fault(view: View, pageNumber: number): number {
    const { cache } = this;
    if (!(pageNumber >= this.firstPage && pageNumber < view.catalogue.pageCount && Number.isInteger(pageNumber)))
      this.refuseRange(pageNumber, view.catalogue.pageCount);
    let frame = cache.find(pageNumber, view.limit);
    if (frame === NO_FRAME) frame = this.load(pageNumber, view.limit);
    else this.stats.oldVersionHits += 1;
    cache.referenced[frame] = 1;
    return frame << cache.shift;
  }

  private load(pageNumber: number, limit: number): number {
    const { cache, reader } = this;
    this.stats.misses += 1;
    cache.noteOldRead(pageNumber);
    const frame = cache.allocate();
    try {
      const lsn = reader.read(pageNumber, limit, cache.bytes, frame << cache.shift);
      if (reader.depth >= HEAVY_DEPTH) cache.frameHeavy[frame] = 1;
      cache.insert(frame, pageNumber, lsn, reader.until);
    } catch (error) {
      cache.release(frame);
      this.health.noteDamage(error);
      throw error;
    }
    return frame;
  }

  private refuseRange(pageNumber: number, pageCount: number): never {
    const error = new CorruptionError(
      'SOMBRA_PAGE_RANGE',
      `page ${pageNumber} does not exist; the file has pages ${this.firstPage} to ${pageCount - 1}: run verify`,
      { details: { pageNumber } },
    );
    this.health.noteDamage(error);
    throw error;
  }
}
