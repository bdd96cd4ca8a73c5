import { DataError } from '@sombra/vfs';
import type { Catalogue } from '../format/catalogue.ts';
import { COUNTERS } from '../format/catalogue.ts';
import type { PageCache } from '../pages/page-cache.ts';

/** A tree in the catalogue. */
export interface TreeEntry {
  readonly slot: number;
  readonly name: string;
  /** Page number of the root; 0 while the tree has none. */
  readonly root: number;
  /** Entries, as its owner counts them. */
  readonly count: number;
}

/** Limit of a view that has ended. */
export const ENDED = -1;
/** Limit of the implicit view while it sees no commit: the next read gives it the newest one. */
export const IDLE = -2;

/** Limit of a snapshot that was ended because it kept the log from shrinking. */
export const TOO_OLD = -3;

/** What a view belongs to: it brings pages into the cache, and is notified when the view ends. */
export interface ViewOwner {
  /** Brings the version of a page that `view` sees into the cache and returns its base. */
  fault(view: View, pageNumber: number): number;
  /** Gives the implicit view the newest commit. @throws StateError SOMBRA_CLOSED for a view that has ended */
  renew(view: View): void;
  /** A view ends. */
  release(view: View): void;
}

/**
 * What a reader sees: the database as of commit `limit`. One class for the newest commit, for snapshots and for a write
 * transaction's own view, so that `page` stays monomorphic and is inlined.
 *
 * `limit` and `catalogue` belong to the pager: it moves them forward in its own implicit view when a commit is published.
 */
export class View {
  readonly cache: PageCache;
  /** Newest lsn that this view may see; ENDED or IDLE otherwise, so that every read takes the slow path. */
  limit: number;
  /** State of the commit that this view sees. Read only. @internal */
  catalogue: Catalogue;
  private readonly owner: ViewOwner;
  private readonly shift: number;

  /** Views come from a pager. @internal */
  constructor(cache: PageCache, owner: ViewOwner, limit: number, catalogue: Catalogue) {
    this.cache = cache;
    this.owner = owner;
    this.shift = cache.shift;
    this.limit = limit;
    this.catalogue = catalogue;
  }

  /**
   * Finds a page.
   * @returns its base: the byte offset in `cache.bytes` where it begins, a multiple of the page size. Valid until the next
   *   call that misses the cache (`page`, `edit`, `allocate`), unless the page is pinned or dirty.
   * @throws CorruptionError SOMBRA_PAGE_CHECKSUM, SOMBRA_PAGE_MISDIRECTED, SOMBRA_PAGE_RANGE, SOMBRA_PAGE_LSN;
   *   IoError SOMBRA_IO; StateError SOMBRA_CLOSED, SOMBRA_CACHE_FULL
   */
  page(pageNumber: number): number {
    const cache = this.cache;
    const frame = cache.table[pageNumber]!;
    if (frame >= 0 && cache.frameLsn[frame]! <= this.limit) {
      cache.referenced[frame] = 1;
      cache.hits[0]! += 1;
      return frame << this.shift;
    }
    return this.owner.fault(this, pageNumber);
  }

  /** Keeps the page at `base` where it is until `unpin` has been called as often. */
  pin(base: number): void {
    this.cache.pin(base);
  }

  /** Undoes one `pin`. */
  unpin(base: number): void {
    this.cache.unpin(base);
  }

  /**
   * Root page of the tree in a catalogue slot, 0 while it has none (and for an empty slot).
   * @throws StateError SOMBRA_CLOSED
   */
  treeRoot(slot: number): number {
    if (this.limit < 0) this.owner.renew(this);
    return this.catalogue.roots[slot] ?? 0;
  }

  /** Number of entries of the tree in a catalogue slot, 0 for an empty one. @throws StateError SOMBRA_CLOSED */
  treeCount(slot: number): number {
    if (this.limit < 0) this.owner.renew(this);
    return this.catalogue.counts[slot] ?? 0;
  }

  /**
   * Looks at a page under a number that is only a guess, as far as memory holds the version that this view sees: a free page is
   * not read from the file, where a bulk load may be writing it.
   * @returns its base, as `page`; -1 when it is not cached or does not exist
   */
  cachedPage(pageNumber: number): number {
    const cache = this.cache;
    let frame = cache.table[pageNumber]!;
    if (!(frame >= 0 && cache.frameLsn[frame]! <= this.limit)) {
      if (this.limit < 0) this.owner.renew(this);
      frame = cache.find(pageNumber, this.limit);
      if (frame < 0) return -1;
    }
    cache.referenced[frame] = 1;
    return frame << this.shift;
  }

  /** Catalogue slot of the tree with this name, -1 if there is none. */
  findTree(name: string): number {
    if (this.limit < 0) this.owner.renew(this);
    return this.catalogue.findTree(name);
  }

  /** All trees, by slot. */
  trees(): TreeEntry[] {
    if (this.limit < 0) this.owner.renew(this);
    const found: TreeEntry[] = [];
    const { names, roots, counts } = this.catalogue;
    names.forEach((name, slot) => {
      if (name !== '') found.push({ slot, name, root: roots[slot]!, count: counts[slot]! });
    });
    return found;
  }

  /** Value of one of the 16 counters, a safe integer. @throws DataError SOMBRA_COUNTER */
  counter(index: number): number {
    if (this.limit < 0) this.owner.renew(this);
    const value = this.catalogue.counters[index];
    if (value === undefined)
      throw new DataError('SOMBRA_COUNTER', `counter ${index} does not exist; there are ${COUNTERS}`);
    return value;
  }

  /** Pages of the file as of this view: valid page numbers are below. */
  get pageCount(): number {
    if (this.limit === IDLE) this.owner.renew(this);
    return this.catalogue.pageCount;
  }

  /** Number of the commit that this view sees; in a write transaction the commit to come. */
  get lsn(): number {
    if (this.limit === IDLE) this.owner.renew(this);
    return this.catalogue.lsn;
  }

  /** Has it been released, or was the database closed? */
  get closed(): boolean {
    return this.limit === ENDED || this.limit === TOO_OLD;
  }

  /** Ends a snapshot; its old page versions may go. Harmless when repeated, and on the pager's own view. */
  release(): void {
    if (this.limit >= 0) this.owner.release(this);
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
