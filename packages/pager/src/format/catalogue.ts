/**
 * What a commit knows besides its pages: trees, counters, freelist, page count. Held in memory by every view; a write
 * transaction changes a copy, and its commit writes the difference to the roots page.
 */

/** Number of counters that layers above may use. */
export const COUNTERS = 16;

/** The part of a tree's `since` that the roots page holds. */
export function sinceWord(since: number): number {
  return since >>> 0; // 0 for an empty slot
}

/** State of one commit. Owned by the pager; views read it, only a write transaction's own copy changes. */
export class Catalogue {
  lsn = 0;
  pageCount = 0;
  freelistHead = 0;
  freeCount = 0;
  /** Slots beyond this one are empty. */
  slotsUsed = 0;
  readonly counters = new Float64Array(COUNTERS);
  readonly roots: Uint32Array;
  readonly counts: Float64Array;
  /** Commit from which on the pages of a tree are written: an older page that carries its id was freed with all of it. Infinity in an empty slot. */
  readonly since: Float64Array;
  /** Name per slot; '' marks an empty slot. */
  readonly names: string[];

  /** @param slots  trees that fit into the roots page */
  constructor(slots: number) {
    this.roots = new Uint32Array(slots);
    this.counts = new Float64Array(slots);
    this.since = new Float64Array(slots).fill(Infinity);
    this.names = new Array<string>(slots).fill('');
  }

  /** Makes this the same as `other`, which has as many slots. */
  copyFrom(other: Catalogue): void {
    this.lsn = other.lsn;
    this.pageCount = other.pageCount;
    this.freelistHead = other.freelistHead;
    this.freeCount = other.freeCount;
    for (let index = 0; index < COUNTERS; index += 1) this.counters[index] = other.counters[index]!;
    const used = Math.max(this.slotsUsed, other.slotsUsed);
    for (let slot = 0; slot < used; slot += 1) {
      this.roots[slot] = other.roots[slot]!;
      this.counts[slot] = other.counts[slot]!;
      this.since[slot] = other.since[slot]!;
      this.names[slot] = other.names[slot]!;
    }
    this.slotsUsed = other.slotsUsed;
  }

  /** Do roots, counters, names or the freelist differ, so that the roots page has to be written? */
  differsFrom(other: Catalogue): boolean {
    if (this.freelistHead !== other.freelistHead || this.freeCount !== other.freeCount) return true;
    if (this.slotsUsed !== other.slotsUsed) return true;
    for (let index = 0; index < COUNTERS; index += 1) if (this.counters[index] !== other.counters[index]) return true;
    for (let slot = 0; slot < this.slotsUsed; slot += 1) {
      if (this.roots[slot] !== other.roots[slot] || this.counts[slot] !== other.counts[slot]) return true;
      if (this.names[slot] !== other.names[slot] || sinceWord(this.since[slot]!) !== sinceWord(other.since[slot]!))
        return true;
    }
    return false;
  }

  /** Slot of the tree with this name, -1 if there is none. */
  findTree(name: string): number {
    return name === '' ? -1 : this.names.indexOf(name);
  }
}
