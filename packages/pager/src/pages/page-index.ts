/**
 * Where in the log each page changed since the last checkpoint, and where each commit ends.
 *
 * Invariants:
 * 1. Entries lie in ascending lsn order; those of one page are linked from the newest to the older (rule R1: order is by
 *    lsn, never by position).
 * 2. Nothing at or below the checkpoint lsn is kept: main has it.
 * 3. `bytesOf` an entry says what it costs to rebuild the page up to it from its last image or from main, so that the
 *    writer can bound that cost.
 * 4. An entry keeps its number; those below `first` are gone. They lie in chunks, so that neither a longer log nor a
 *    checkpoint ever moves all of them: a commit would stand still for that.
 */
import { assert } from '@sombra/vfs';
import type { LogTail } from '@sombra/wal';
import { ENTRY_DELTA } from '@sombra/wal';
import { SparseTable } from './sparse-table.ts';

/** End of a page's list of entries. */
export const NO_ENTRY = -1;

/**
 * Kind of an entry whose version stands in main, where a bulk load wrote and synced it before its commit (rule K8). In the log it is
 * a delta without operations on the version that the commit itself makes.
 */
export const ENTRY_IN_MAIN = 0;

const SHIFT = 9;
/** Entries, or commits, of one chunk. */
const CHUNK = 1 << SHIFT;
const MASK = CHUNK - 1;
/** Entries are renumbered before their numbers exceed 31 bits. */
const RENUMBER_AT = 2 ** 30;
/** Chunks that are kept for later. */
const SPARE_MAX = 64;

class EntryChunk {
  readonly page = new Uint32Array(CHUNK);
  readonly lsn = new Float64Array(CHUNK);
  readonly seq = new Float64Array(CHUNK);
  readonly offset = new Float64Array(CHUNK);
  readonly length = new Uint32Array(CHUNK);
  readonly kind = new Uint8Array(CHUNK);
  /** xxh32 of the entry's bytes, seeded with the page number: rot in the log is found when the entry is read again. */
  readonly checksum = new Uint32Array(CHUNK);
  readonly previous = new Int32Array(CHUNK);
  /** Log bytes of this entry and those before it down to the last image or the checkpoint. */
  readonly bytes = new Float64Array(CHUNK);
}

class CommitChunk {
  readonly seq = new Float64Array(CHUNK);
  readonly end = new Float64Array(CHUNK);
  readonly chain = new Uint32Array(CHUNK);
  readonly pages = new Float64Array(CHUNK);
}

/** Index over the log after the checkpoint. */
export class PageIndex {
  /** Lsn of the commit before the first one that is indexed: the checkpoint's. */
  baseLsn = 0;
  /** Commits held. */
  commits = 0;

  private chunks: EntryChunk[] = [];
  /** Number of `chunks[0]`: the entries in it begin at number firstChunk * CHUNK. */
  private firstChunk = 0;
  private first = 0;
  private next = 0;
  private readonly spare: EntryChunk[] = [];

  private commitChunks: CommitChunk[] = [];
  /** Lsn of the first place in `commitChunks[0]`. */
  private commitStart = 1;

  /** Newest entry of each page; numbers below `first` mean none. */
  private readonly heads = new SparseTable(NO_ENTRY);
  /** The pages that have entries, with the lsn of the oldest; ascending by lsn. */
  private touchedPages = new Uint32Array(256);
  private touchedLsns = new Float64Array(256);
  private touched = 0;
  /** Entries of kind ENTRY_IN_MAIN, at least. */
  private inMain = 0;

  /** Entries held. */
  get count(): number {
    return this.next - this.first;
  }

  /** Newest entry of a page, or NO_ENTRY. */
  head(pageNumber: number): number {
    const entry = this.heads.get(pageNumber);
    return entry >= this.first ? entry : NO_ENTRY;
  }

  /** The entry of the same page before this one, or NO_ENTRY. */
  previousOf(entry: number): number {
    const previous = this.chunkOf(entry).previous[entry & MASK]!;
    return previous >= this.first ? previous : NO_ENTRY;
  }

  pageOf(entry: number): number {
    return this.chunkOf(entry).page[entry & MASK]!;
  }

  lsnOf(entry: number): number {
    return this.chunkOf(entry).lsn[entry & MASK]!;
  }

  /** Segment of an entry. */
  seqOf(entry: number): number {
    return this.chunkOf(entry).seq[entry & MASK]!;
  }

  /** Where an entry begins in its segment. */
  offsetOf(entry: number): number {
    return this.chunkOf(entry).offset[entry & MASK]!;
  }

  /** Bytes of an entry, padding included. */
  lengthOf(entry: number): number {
    return this.chunkOf(entry).length[entry & MASK]!;
  }

  kindOf(entry: number): number {
    return this.chunkOf(entry).kind[entry & MASK]!;
  }

  checksumOf(entry: number): number {
    return this.chunkOf(entry).checksum[entry & MASK]!;
  }

  /** Log bytes of an entry and those before it, invariant 3. */
  bytesOf(entry: number): number {
    return this.chunkOf(entry).bytes[entry & MASK]!;
  }

  private chunkOf(entry: number): EntryChunk {
    return this.chunks[(entry >> SHIFT) - this.firstChunk]!;
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
    const entry = this.next++;
    if ((entry >> SHIFT) - this.firstChunk === this.chunks.length)
      this.chunks.push(this.spare.pop() ?? new EntryChunk());
    const previous = this.head(pageNumber);
    if (previous === NO_ENTRY) this.touch(pageNumber, lsn);
    const chunk = this.chunkOf(entry);
    const at = entry & MASK;
    chunk.page[at] = pageNumber;
    chunk.lsn[at] = lsn;
    chunk.seq[at] = seq;
    chunk.offset[at] = offset;
    chunk.length[at] = length;
    chunk.kind[at] = kind;
    chunk.checksum[at] = checksum;
    chunk.previous[at] = previous;
    if (kind === ENTRY_IN_MAIN) this.inMain += 1;
    if (kind !== ENTRY_DELTA) chunk.bytes[at] = 0;
    else chunk.bytes[at] = length + (previous === NO_ENTRY ? 0 : this.bytesOf(previous));
    this.heads.set(pageNumber, entry);
  }

  private touch(pageNumber: number, lsn: number): void {
    if (this.touched === this.touchedPages.length) {
      const pages = new Uint32Array(this.touched * 2);
      pages.set(this.touchedPages);
      this.touchedPages = pages;
      const lsns = new Float64Array(this.touched * 2);
      lsns.set(this.touchedLsns);
      this.touchedLsns = lsns;
    }
    this.touchedPages[this.touched] = pageNumber;
    this.touchedLsns[this.touched++] = lsn;
  }

  /** Notes where the record of commit `lsn` ends. Commits come one by one, in order. */
  addCommit(lsn: number, seq: number, end: number, chain: number, pageCount: number): void {
    const at = lsn - this.commitStart;
    if (at >> SHIFT === this.commitChunks.length) this.commitChunks.push(new CommitChunk());
    const chunk = this.commitChunks[at >> SHIFT]!;
    chunk.seq[at & MASK] = seq;
    chunk.end[at & MASK] = end;
    chunk.chain[at & MASK] = chain;
    chunk.pages[at & MASK] = pageCount;
    this.commits = lsn - this.baseLsn;
  }

  /** Where the record of commit `lsn` ends; it is held. */
  commitEnd(lsn: number): LogTail {
    const at = lsn - this.commitStart;
    const { seq, end, chain } = this.commitChunks[at >> SHIFT]!;
    return { seq: seq[at & MASK]!, offset: end[at & MASK]!, chain: chain[at & MASK]! };
  }

  /** Pages of the database as of commit `lsn`, which is held. */
  commitPages(lsn: number): number {
    const at = lsn - this.commitStart;
    return this.commitChunks[at >> SHIFT]!.pages[at & MASK]!;
  }

  /**
   * The pages that changed in commits up to `lsn`, ascending, each once; without those whose version at `lsn` stands in main.
   * @returns a new array
   */
  pagesUpTo(lsn: number): Uint32Array {
    const pages = this.touchedPages.slice(0, this.touchedUpTo(lsn));
    return (this.inMain === 0 ? pages : pages.filter((page) => !this.isInMain(page, lsn))).sort();
  }

  /** The greatest lsn, at most `lsn`, up to which no more than `pages` pages have changed; at least the first commit's. */
  lsnOfPages(pages: number, lsn: number): number {
    if (this.touchedUpTo(lsn) <= pages) return lsn;
    return Math.max(this.touchedLsns[0]!, this.touchedLsns[pages]! - 1);
  }

  /** How many pages changed in commits up to `lsn`: the first ones of the list. */
  private touchedUpTo(lsn: number): number {
    let low = 0;
    let high = this.touched;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.touchedLsns[middle]! <= lsn) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private isInMain(pageNumber: number, lsn: number): boolean {
    let entry = this.head(pageNumber);
    while (entry !== NO_ENTRY && this.lsnOf(entry) > lsn) entry = this.previousOf(entry);
    return entry !== NO_ENTRY && this.kindOf(entry) === ENTRY_IN_MAIN;
  }

  /** Forgets all commits up to `lsn`: a checkpoint brought them to main. */
  dropUpTo(lsn: number): void {
    this.first = this.firstAfter(lsn);
    const chunks = (this.first >> SHIFT) - this.firstChunk;
    if (chunks > 0) {
      for (const chunk of this.chunks.splice(0, chunks)) if (this.spare.length < SPARE_MAX) this.spare.push(chunk);
      this.firstChunk += chunks;
    }
    this.touched = this.inMain = 0;
    for (let entry = this.first; entry < this.next; entry += 1) {
      if (this.previousOf(entry) === NO_ENTRY) this.touch(this.pageOf(entry), this.lsnOf(entry));
      if (this.kindOf(entry) === ENTRY_IN_MAIN) this.inMain += 1;
    }
    if (this.first === this.next) this.heads.clear(); // after most checkpoints
    if (this.first >= RENUMBER_AT) this.renumber();

    this.commits -= lsn - this.baseLsn;
    this.baseLsn = lsn;
    const passed = (lsn + 1 - this.commitStart) >> SHIFT;
    if (passed > 0) {
      this.commitChunks.splice(0, passed);
      this.commitStart += passed * CHUNK;
    }
  }

  /** Renumbers the entries from the bottom. */
  private renumber(): void {
    const less = this.firstChunk * CHUNK;
    this.firstChunk = 0;
    this.first -= less;
    this.next -= less;
    this.heads.clear();
    for (let entry = this.first; entry < this.next; entry += 1) {
      const chunk = this.chunkOf(entry);
      chunk.previous[entry & MASK]! -= less;
      this.heads.set(chunk.page[entry & MASK]!, entry); // ascending: the last one stays
    }
  }

  /** Forgets everything and begins after `lsn`. */
  reset(lsn: number): void {
    this.heads.clear();
    this.chunks = [];
    this.firstChunk = this.first = this.next = this.touched = this.inMain = 0;
    this.commitChunks = [];
    this.commits = 0;
    this.baseLsn = lsn;
    this.commitStart = lsn + 1;
  }

  /** The first entry of a commit above `lsn` (binary search: they are in ascending order). */
  private firstAfter(lsn: number): number {
    let low = this.first;
    let high = this.next;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.lsnOf(middle) <= lsn) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Bytes of the table that leads from a page to its newest entry. */
  get tableBytes(): number {
    return this.heads.byteLength;
  }

  /** Walks all entries and commits, between two calls: the invariants above, and the counts. For tests, see `verifying` of vfs. */
  check(): void {
    let pages = 0;
    for (let entry = this.first; entry < this.next; entry += 1) {
      const pageNumber = this.pageOf(entry);
      const previous = this.previousOf(entry);
      const lsn = this.lsnOf(entry);
      assert(lsn > this.baseLsn && lsn <= this.baseLsn + this.commits, 'an entry is of a commit that is held');
      assert(entry === this.first || lsn >= this.lsnOf(entry - 1), 'entries are in the order of commits');
      assert(
        previous < entry && this.head(pageNumber) >= entry,
        'the list of a page leads from the newest entry to the oldest',
      );
      if (previous === NO_ENTRY) pages += 1;
      else
        assert(
          this.pageOf(previous) === pageNumber && this.lsnOf(previous) < lsn,
          'a list is of one page, newest first',
        );
    }
    assert(pages === this.touched, 'pages that have entries are counted');
    for (let at = 1; at < this.touched; at += 1)
      assert(this.touchedLsns[at]! >= this.touchedLsns[at - 1]!, 'pages are in the order of their first change');
  }
}
