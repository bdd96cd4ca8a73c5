/**
 * The free pages that a bulk load fills in place. It takes them trunk by trunk, each trunk's in ascending order, and never a trunk
 * page itself: a crash before the commit must find the freelist as it was.
 */
import { readU32 } from '@sombra/vfs';
import type { VersionReader } from '../pages/version-reader.ts';
import type { Catalogue } from '../format/catalogue.ts';
import { rootsPage } from '../format/roots-page.ts';
import { PageList } from '../pages/page-list.ts';
import { FREELIST_COUNT, FREELIST_NEXT, FREELIST_PAGES, putFree, trunkCount, wrongTrunk } from './freelist.ts';
import type { FreelistWriter } from './freelist.ts';

/** Pages that one load takes at most: each has an entry in the record of its commit. */
const PAGES_MAX = 2 ** 20;

/** What taking free pages needs of a connection. */
export interface FreePagesSource {
  readonly reader: VersionReader;
  readonly pageSize: number;
  /** The newest commit, which the load builds on. */
  readonly tail: Catalogue;
}

/** Hands out the free pages of the newest commit. */
export class FreePages {
  /** Those handed out. */
  readonly taken = new PageList();

  private readonly source: FreePagesSource;
  private readonly trunk: Uint8Array;
  /** Trunk whose pages are handed out now, 0 before the first. */
  private current = 0;
  private next: number;
  private names = new Uint32Array(0);
  private given = 0;
  private readonly emptied: number[] = [];

  constructor(source: FreePagesSource) {
    this.source = source;
    this.trunk = new Uint8Array(source.pageSize);
    this.next = source.tail.freelistHead;
  }

  /** The next free page, 0 when there is none. @throws CorruptionError SOMBRA_FREELIST, …; IoError */
  take(): number {
    while (this.given === this.names.length) if (!this.readTrunk()) return 0;
    const page = this.names[this.given++]!;
    if (!this.taken.add(page)) throw wrongTrunk(this.current, `names page ${page}, which is free twice`);
    return page;
  }

  private readTrunk(): boolean {
    const { reader, pageSize, tail } = this.source;
    if (this.next === 0 || this.taken.count >= PAGES_MAX) return false;
    if (this.current !== 0) this.emptied.push(this.current);
    const trunk = (this.current = this.next);
    const bytes = this.trunk;
    reader.read(trunk, tail.lsn, bytes, 0);
    const count = trunkCount(bytes, 0, trunk, pageSize);
    const next = readU32(bytes, FREELIST_NEXT);
    this.next = next;
    this.names = new Uint32Array(count);
    this.given = 0;
    for (let i = 0; i < count; i += 1) this.names[i] = this.checked(readU32(bytes, FREELIST_PAGES + i * 4));
    if (next !== 0) this.checked(next);
    if (this.emptied.length + this.taken.count + count >= tail.freeCount)
      throw wrongTrunk(trunk, `names page after page, and ${tail.freeCount} are counted as free`);
    this.names.sort();
    return true;
  }

  private checked(page: number): number {
    const { pageSize, tail } = this.source;
    if (page <= rootsPage(pageSize) || page >= tail.pageCount || page === this.current)
      throw wrongTrunk(this.current, `names page ${page}`);
    return page;
  }

  /** Takes what was handed out off the freelist, in the transaction that publishes the load, before it changes anything else. */
  takeOff(tx: FreelistWriter, catalogue: Catalogue): void {
    if (this.taken.count === 0) return;
    catalogue.freelistHead = this.current;
    catalogue.freeCount -= this.taken.count + this.emptied.length;
    const left = this.names.subarray(this.given);
    const base = tx.edit(this.current);
    tx.setU32(base, FREELIST_COUNT, left.length);
    const bytes = new Uint8Array(left.buffer, left.byteOffset, left.byteLength); // little-endian, as every number here
    tx.setBytes(base, FREELIST_PAGES, bytes, 0, bytes.length);
    for (const trunk of this.emptied) putFree(tx, catalogue, trunk);
  }
}
