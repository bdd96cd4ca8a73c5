/**
 * Where in the log each page changed since the last checkpoint, and where each commit ends.
 *
 * Invariants:
 * 1. Entries lie in ascending lsn order; those of one page are linked from the newest to the older (rule R1: order is by
 *    lsn, never by position).
 * 2. Nothing at or below the checkpoint lsn is kept: main has it.
 * 3. `bytes` of an entry says what it costs to rebuild the page up to it from its last image or from main, so that the
 *    writer can bound that cost.
 */

import { ENTRY_IMAGE } from '@sombra/wal';

/** End of a page's list of entries. */
export const NO_ENTRY = -1;

function grown<T extends Int32Array | Uint32Array | Float64Array | Uint8Array | Uint16Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Index over the log after the checkpoint. */
export class PageIndex {
  /** Entries held. */
  count = 0;
  page = new Uint32Array(256);
  lsn = new Float64Array(256);
  seq = new Float64Array(256);
  offset = new Float64Array(256);
  length = new Uint32Array(256);
  kind = new Uint8Array(256);
  /** xxh32 of the entry's bytes, seeded with the page number: rot in the log is found when the entry is read again. */
  checksum = new Uint32Array(256);
  previous = new Int32Array(256);
  /** Log bytes of this entry and those before it down to the last image or the checkpoint. */
  bytes = new Float64Array(256);

  /** Lsn of the commit before the first of the arrays below: the checkpoint's. */
  baseLsn = 0;
  commits = 0;
  commitSeq = new Float64Array(64);
  commitEnd = new Float64Array(64);
  commitChain = new Uint32Array(64);
  commitPages = new Float64Array(64);

  private heads = new Int32Array(1024).fill(NO_ENTRY);

  /** Newest entry of a page, or NO_ENTRY. */
  head(pageNumber: number): number {
    return pageNumber < this.heads.length ? this.heads[pageNumber]! : NO_ENTRY;
  }

  /** Adds the entry of a page in commit `lsn`, which is not lower than any before. */
  add(
    pageNumber: number,
    lsn: number,
    seq: number,
    offset: number,
    length: number,
    kind: number,
    checksum: number,
  ): void {
    if (this.count === this.page.length) this.grow();
    if (pageNumber >= this.heads.length) this.growHeads(pageNumber);
    const entry = this.count++;
    const previous = this.heads[pageNumber]!;
    this.page[entry] = pageNumber;
    this.lsn[entry] = lsn;
    this.seq[entry] = seq;
    this.offset[entry] = offset;
    this.length[entry] = length;
    this.kind[entry] = kind;
    this.checksum[entry] = checksum;
    this.previous[entry] = previous;
    if (kind === ENTRY_IMAGE) {
      this.bytes[entry] = 0;
    } else {
      this.bytes[entry] = length + (previous === NO_ENTRY ? 0 : this.bytes[previous]!);
    }
    this.heads[pageNumber] = entry;
  }

  /** Notes where the record of commit `lsn` ends. Commits come one by one, in order. */
  addCommit(lsn: number, seq: number, end: number, chain: number, pageCount: number): void {
    const at = lsn - this.baseLsn - 1;
    if (at === this.commitSeq.length) {
      this.commitSeq = grown(this.commitSeq, new Float64Array(at * 2));
      this.commitEnd = grown(this.commitEnd, new Float64Array(at * 2));
      this.commitChain = grown(this.commitChain, new Uint32Array(at * 2));
      this.commitPages = grown(this.commitPages, new Float64Array(at * 2));
    }
    this.commitSeq[at] = seq;
    this.commitEnd[at] = end;
    this.commitChain[at] = chain;
    this.commitPages[at] = pageCount;
    this.commits = at + 1;
  }

  /** Index of commit `lsn` in the commit arrays; -1 at the checkpoint itself. */
  commitAt(lsn: number): number {
    return lsn - this.baseLsn - 1;
  }

  /**
   * The pages that changed in commits up to `lsn`, ascending, each once.
   * @returns a new array
   */
  pagesUpTo(lsn: number): Uint32Array {
    const pages = new Uint32Array(this.entriesUpTo(lsn));
    let found = 0;
    for (let entry = 0; entry < pages.length; entry += 1) {
      // The first entry of a page is the one whose predecessor is gone.
      if (this.previous[entry] === NO_ENTRY) pages[found++] = this.page[entry]!;
    }
    return pages.slice(0, found).sort();
  }

  /** Forgets all commits up to `lsn`: a checkpoint brought them to main. */
  dropUpTo(lsn: number): void {
    const dropped = this.entriesUpTo(lsn);
    for (let entry = 0; entry < dropped; entry += 1) {
      const pageNumber = this.page[entry]!;
      if (this.heads[pageNumber]! < dropped) this.heads[pageNumber] = NO_ENTRY;
    }
    const kept = this.count - dropped;
    for (const column of [
      this.page,
      this.lsn,
      this.seq,
      this.offset,
      this.length,
      this.kind,
      this.checksum,
      this.bytes,
    ]) {
      column.copyWithin(0, dropped, this.count);
    }
    for (let entry = 0; entry < kept; entry += 1) {
      this.previous[entry] = Math.max(this.previous[entry + dropped]! - dropped, NO_ENTRY);
      this.heads[this.page[entry]!] = entry; // ascending: the last one stays
    }
    this.count = kept;

    const commits = lsn - this.baseLsn;
    for (const column of [this.commitSeq, this.commitEnd, this.commitChain, this.commitPages]) {
      column.copyWithin(0, commits, this.commits);
    }
    this.commits -= commits;
    this.baseLsn = lsn;
  }

  /** Forgets everything and begins after `lsn`. */
  reset(lsn: number): void {
    this.heads.fill(NO_ENTRY);
    this.count = 0;
    this.commits = 0;
    this.baseLsn = lsn;
  }

  /** How many entries belong to commits up to `lsn` (binary search: they are in ascending order). */
  private entriesUpTo(lsn: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.lsn[middle]! <= lsn) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private grow(): void {
    const length = this.count * 2;
    this.page = grown(this.page, new Uint32Array(length));
    this.lsn = grown(this.lsn, new Float64Array(length));
    this.seq = grown(this.seq, new Float64Array(length));
    this.offset = grown(this.offset, new Float64Array(length));
    this.length = grown(this.length, new Uint32Array(length));
    this.kind = grown(this.kind, new Uint8Array(length));
    this.checksum = grown(this.checksum, new Uint32Array(length));
    this.previous = grown(this.previous, new Int32Array(length));
    this.bytes = grown(this.bytes, new Float64Array(length));
  }

  private growHeads(pageNumber: number): void {
    let length = this.heads.length;
    while (length <= pageNumber) length *= 2;
    this.heads = grown(this.heads, new Int32Array(length).fill(NO_ENTRY));
  }
}
