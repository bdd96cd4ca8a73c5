/** Ids out of property indexes, batch by batch, so that no page is held while the caller works. */
import { compareKeys, type Cursor } from '@sombra/btree';
import type { View } from '@sombra/pager';
import { DataError } from '@sombra/vfs';
import type { IdSource } from '../ids/id-source.ts';
import { damagedIndex } from '../indexes/definition.ts';
import { HASH_SIZE, ID_SIZE, idOf, INDEX_KEY_MAX, IndexKeyWriter, isCut } from '../indexes/index-key.ts';
import type { PropertyIndex } from '../indexes/index-set.ts';

const BATCH = 128;
const BATCH_LEAST = 4;
/** Ids that are gathered to be put in order: 8 MB. */
export const GATHERED_MAX = 2 ** 20;
/** Room for any key that a damaged tree may hold. */
const KEY = new Uint8Array(8192);

/** Entries with low <= key < high. */
export interface KeyBounds {
  readonly low: Uint8Array;
  readonly high: Uint8Array;
}

/** Reads the key at the cursor into KEY. @returns its length @throws CorruptionError SOMBRA_PROPERTY_INDEX */
function readEntry(cursor: Cursor, index: PropertyIndex): number {
  const length = cursor.keyInto(KEY);
  if (length <= ID_SIZE || length > INDEX_KEY_MAX)
    throw damagedIndex(`tree '${index.tree.name}' holds a key of ${length} bytes`);
  return length;
}

function isBelow(length: number, high: Uint8Array): boolean {
  return compareKeys(KEY, length, high, high.length) < 0;
}

/** Ids of some ranges, in the order of the keys. */
export class IndexStream implements IdSource {
  readonly ids: Float64Array;
  private readonly index: PropertyIndex;
  private readonly ranges: readonly KeyBounds[];
  private range = 0;
  /** Key that ended a full batch, with one more byte so that it is skipped. */
  private place: Uint8Array | undefined = undefined;

  /** @param expected  entries that are expected: a batch need not be larger */
  constructor(index: PropertyIndex, ranges: readonly KeyBounds[], expected: number) {
    this.index = index;
    this.ranges = ranges;
    this.ids = new Float64Array(Math.min(BATCH, Math.max(BATCH_LEAST, expected)));
  }

  next(view: View): number {
    const { ids, ranges } = this;
    if (this.range === ranges.length) return 0;
    const cursor = this.index.tree.cursor(view);
    let count = 0;
    try {
      while (this.range < ranges.length) {
        count = this.read(cursor, ranges[this.range]!, count);
        if (count === ids.length) break;
        this.range += 1;
        this.place = undefined;
      }
    } finally {
      cursor.close();
    }
    return count;
  }

  /** Reads on in a range, from place `from` of the batch. @returns number of ids in the batch; when it is full, there may be more */
  private read(cursor: Cursor, { low, high }: KeyBounds, from: number): number {
    const { index, ids, place } = this;
    let count = from;
    let length = 0;
    let more = place === undefined ? cursor.seek(low, low.length) : cursor.seek(place, place.length);
    for (; more && count < ids.length; more = cursor.next()) {
      length = readEntry(cursor, index);
      if (!isBelow(length, high)) return count;
      ids[count] = idOf(KEY, length);
      count += 1;
    }
    if (count < ids.length) return count;
    const last = new Uint8Array(length + 1);
    last.set(KEY.subarray(0, length));
    // Continuing after the last key would never end.
    if (place !== undefined && compareKeys(last, last.length, place, place.length) <= 0)
      throw damagedIndex(`tree '${index.tree.name}' holds keys out of order`);
    this.place = last;
    return count;
  }
}

/** All ids of a source, ascending, each once; undefined when there are more than can be gathered. */
export function gather(source: IdSource, view: View, most = GATHERED_MAX): Float64Array | undefined {
  let all = new Float64Array(BATCH);
  let count = 0;
  for (let more = source.next(view); more > 0; more = source.next(view)) {
    if (count + more > most) return undefined;
    if (count + more > all.length) {
      const grown = new Float64Array(Math.max(count + more, all.length * 2));
      grown.set(all.subarray(0, count));
      all = grown;
    }
    all.set(source.ids.subarray(0, more), count);
    count += more;
  }
  return all.slice(0, count);
}

/** Puts ids in ascending order, each once. @returns how many are left at the beginning */
export function ascendingOnce(ids: Float64Array): number {
  ids.sort();
  let kept = 0;
  for (let i = 0; i < ids.length; i += 1) if (i === 0 || ids[i] !== ids[i - 1]) ids[kept++] = ids[i]!;
  return kept;
}

/** Puts ids whose values begin alike in the order of their whole values. */
export type OrderByValue = (view: View, ids: Float64Array) => Float64Array;

/** Ids of a range in the order of its keys, forward or backward; those with equal values ascend either way. */
export class OrderedWalk implements IdSource {
  readonly ids = new Float64Array(BATCH);
  private readonly index: PropertyIndex;
  private readonly bounds: KeyBounds;
  private readonly reverse: boolean;
  private readonly component: number;
  private readonly orderByValue: OrderByValue;
  /** Bytes that all entries of the group begin with which is being read. */
  private readonly group = new IndexKeyWriter();
  private groupIsCut = false;
  private inGroup = false;
  private lastId = 0;
  /** Where the next group is looked for: at or after, or before. */
  private readonly edge = new IndexKeyWriter();
  private done = false;
  /** Ids of a group that was put in order by value. */
  private pending: Float64Array = new Float64Array(0);
  private given = 0;

  /** @param component  offset of the component in the keys by which they are ordered; it is the last one */
  constructor(
    index: PropertyIndex,
    bounds: KeyBounds,
    reverse: boolean,
    component: number,
    orderByValue: OrderByValue,
  ) {
    this.index = index;
    this.bounds = bounds;
    this.reverse = reverse;
    this.component = component;
    this.orderByValue = orderByValue;
    copy(reverse ? bounds.high : bounds.low, this.edge);
  }

  next(view: View): number {
    const cursor = this.index.tree.cursor(view);
    let count = 0;
    try {
      while (count < BATCH) {
        if (this.given < this.pending.length) {
          this.ids[count] = this.pending[this.given]!;
          this.given += 1;
          count += 1;
        } else if (this.inGroup) count = this.readGroup(cursor, count);
        else if (!this.findGroup(cursor, view)) break;
      }
    } finally {
      cursor.close();
    }
    return count;
  }

  /** Goes to the next group. @returns false at the end */
  private findGroup(cursor: Cursor, view: View): boolean {
    const { edge, group, bounds, reverse } = this;
    if (this.done) return false;
    this.done = true;
    if (reverse ? !cursor.seekBefore(edge.bytes, edge.length) : !cursor.seek(edge.bytes, edge.length)) return false;
    const length = readEntry(cursor, this.index);
    if (compareKeys(KEY, length, bounds.low, bounds.low.length) < 0 || !isBelow(length, bounds.high)) return false;
    if (reverse === compareKeys(KEY, length, edge.bytes, edge.length) > 0)
      throw damagedIndex(`tree '${this.index.tree.name}' holds keys out of order`);
    const size = length - ID_SIZE;
    this.groupIsCut = isCut(KEY, this.component, size);
    copy(KEY.subarray(0, this.groupIsCut ? size - HASH_SIZE : size), group);
    copy(group.bytes.subarray(0, group.length), edge);
    if (!reverse) for (let i = 0; i <= HASH_SIZE + ID_SIZE; i += 1) edge.byte(0xff);
    this.done = false;
    if (this.groupIsCut) {
      this.pending = this.orderByValue(view, this.cutGroup(cursor));
      this.given = 0;
    } else {
      this.inGroup = true;
      this.lastId = 0;
    }
    return true;
  }

  /** Reads on in a group of equal keys. @returns number of ids in the batch */
  private readGroup(cursor: Cursor, from: number): number {
    const { group, ids } = this;
    let count = from;
    group.id(this.lastId + 1);
    let more = cursor.seek(group.bytes, group.length);
    group.length -= ID_SIZE;
    for (; more && count < BATCH; more = cursor.next()) {
      const length = readEntry(cursor, this.index);
      if (length !== group.length + ID_SIZE || !this.beginsWithGroup()) {
        this.inGroup = false;
        return count;
      }
      const id = idOf(KEY, length);
      if (id <= this.lastId) throw damagedIndex(`tree '${this.index.tree.name}' holds keys out of order`);
      ids[count] = id;
      this.lastId = id;
      count += 1;
    }
    if (!more) this.inGroup = false;
    return count;
  }

  private cutGroup(cursor: Cursor): Float64Array {
    const { group } = this;
    const found: number[] = [];
    for (let more = cursor.seek(group.bytes, group.length); more; more = cursor.next()) {
      const length = readEntry(cursor, this.index);
      if (!this.beginsWithGroup()) break;
      if (found.length === GATHERED_MAX)
        throw new DataError(
          'SOMBRA_SORT_MEMORY',
          `more than ${GATHERED_MAX} values begin with the same bytes, so that the index cannot order them: give a narrower where`,
        );
      found.push(idOf(KEY, length));
    }
    return Float64Array.from(found);
  }

  private beginsWithGroup(): boolean {
    const { bytes, length } = this.group;
    for (let i = 0; i < length; i += 1) if (KEY[i] !== bytes[i]) return false;
    return true;
  }
}

function copy(from: Uint8Array, to: IndexKeyWriter): void {
  to.bytes.set(from);
  to.length = from.length;
}
