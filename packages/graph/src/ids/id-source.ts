/** Ids of nodes or edges in their order, read batch by batch, so that no page is held while the caller works. */
import type { BTree } from '@sombra/btree';
import type { View } from '@sombra/pager';
import { CorruptionError, DataError } from '@sombra/vfs';
import { readU48 } from '../values/u48.ts';
import type { IdIndex } from './id-index.ts';
import { ID_MAX } from '../model/limits.ts';
import { checkOptions, countOption, describe, flagOption } from '../model/options.ts';

/** Which ids to go through. */
export interface IdRange {
  /** First id. Default 1. */
  readonly from?: number | undefined;
  /** Last id, included. Default: the largest that there can be. */
  readonly to?: number | undefined;
  /** From the last to the first. Default false. */
  readonly reverse?: boolean | undefined;
  /** At most so many. */
  readonly limit?: number | undefined;
}

/** A checked range. */
export interface Range {
  readonly from: number;
  readonly to: number;
  readonly reverse: boolean;
  readonly limit: number;
}

/** All ids, ascending. */
export const EVERY_ID: Range = { from: 1, to: ID_MAX, reverse: false, limit: Infinity };

/** Ids that come batch by batch. */
export interface IdSource {
  /** The batch: ids[0, n) with n as `next` returned it. */
  readonly ids: Float64Array;
  /** Reads the next batch. @returns how many ids it has; 0 at the end */
  next(view: View): number;
}

/** Ids that a scan of records reads at once. */
const SCAN_BATCH = 128;
const KEY = new Uint8Array(8192);

/**
 * Reads a range as callers give it.
 * @param own    names of further options of the call
 * @param where  name of the call, for messages
 * @throws DataError SOMBRA_OPTION, SOMBRA_ID_RANGE
 */
export function idRange(options: IdRange | undefined, own: readonly string[], where: string): Range {
  if (options === undefined) return EVERY_ID;
  options = checkOptions(options, [...own, 'from', 'to', 'reverse', 'limit'], where);
  return {
    from: idOption(options?.from, 1, 'from'),
    to: idOption(options?.to, ID_MAX, 'to'),
    reverse: flagOption(options?.reverse, false, 'reverse'),
    limit: countOption(options?.limit, Infinity, 'limit'),
  };
}

function idOption(value: number | undefined, fallback: number, name: string): number {
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new DataError('SOMBRA_ID_RANGE', `${name} is an id, a whole number from 0 on, not ${describe(value)}`);
}

/** Nothing at all. */
export class NoIds implements IdSource {
  readonly ids = new Float64Array(0);

  next(): number {
    return 0;
  }
}

/** Ids that are known already. */
export class ListedIds implements IdSource {
  readonly ids: Float64Array;
  private readonly count: number;
  private given = false;

  constructor(ids: Float64Array, count: number) {
    this.ids = ids;
    this.count = count;
  }

  next(): number {
    if (this.given) return 0;
    this.given = true;
    return this.count;
  }
}

/** Keys of a tree of records. */
export class RecordScan implements IdSource {
  readonly ids = new Float64Array(SCAN_BATCH);
  private readonly tree: BTree;
  private readonly range: Range;
  /** Where to go on. */
  private place: number;

  constructor(tree: BTree, range: Range) {
    this.tree = tree;
    this.range = range;
    this.place = range.reverse ? Math.min(range.to, ID_MAX) : Math.max(range.from, 1);
  }

  next(view: View): number {
    const { range, place, ids } = this;
    if (place < Math.max(range.from, 1) || place > Math.min(range.to, ID_MAX)) return 0;
    return range.reverse ? this.backward(view, ids) : this.forward(view, ids);
  }

  private forward(view: View, ids: Float64Array): number {
    const { tree, range } = this;
    const cursor = tree.cursor(view);
    let count = 0;
    try {
      let last = this.place - 1;
      for (let more = cursor.seekU48(this.place); more && count < ids.length; more = cursor.next()) {
        const id = readId(tree, cursor.keyInto(KEY));
        // Otherwise a scan that continues after the last id would never end.
        if (id <= last) throw wrongOrder(tree, id, last);
        last = id;
        if (id > range.to) break;
        ids[count] = id;
        count += 1;
      }
    } finally {
      cursor.close();
    }
    this.place = count > 0 ? ids[count - 1]! + 1 : ID_MAX + 1;
    return count;
  }

  private backward(view: View, ids: Float64Array): number {
    const { tree, range } = this;
    const cursor = tree.cursor(view);
    let count = 0;
    try {
      let last = this.place + 1;
      let more = this.place === ID_MAX ? cursor.last() : cursor.seekU48(this.place + 1);
      if (this.place < ID_MAX) more = more ? cursor.previous() : cursor.last();
      for (; more && count < ids.length; more = cursor.previous()) {
        const id = readId(tree, cursor.keyInto(KEY));
        if (id >= last) throw wrongOrder(tree, id, last);
        last = id;
        if (id < range.from) break;
        ids[count] = id;
        count += 1;
      }
    } finally {
      cursor.close();
    }
    this.place = count > 0 ? ids[count - 1]! - 1 : 0;
    return count;
  }
}

/** Ids of a label or type. */
export class NameScan implements IdSource {
  readonly ids: Float64Array;
  private readonly index: IdIndex;
  private readonly name: number;
  private readonly range: Range;
  /** Id that came last. */
  private last: number;

  constructor(index: IdIndex, name: number, range: Range) {
    this.index = index;
    this.name = name;
    this.range = range;
    this.ids = new Float64Array(index.batchSize);
    this.last = range.reverse ? Math.min(range.to, ID_MAX) + 1 : Math.max(range.from, 1) - 1;
  }

  next(view: View): number {
    const { range, ids, index, name } = this;
    let count = range.reverse ? index.readBack(view, name, this.last, ids) : index.read(view, name, this.last, ids);
    if (count > 0) this.last = ids[count - 1]!;
    if (range.reverse) while (count > 0 && ids[count - 1]! < range.from) count -= 1;
    else while (count > 0 && ids[count - 1]! > range.to) count -= 1;
    return count;
  }
}

function readId(tree: BTree, keyLength: number): number {
  if (keyLength !== 6)
    throw new CorruptionError('SOMBRA_GRAPH_FORMAT', `tree '${tree.name}' holds a key that is no id; run verify`);
  return readU48(KEY, 0);
}

function wrongOrder(tree: BTree, id: number, last: number): CorruptionError {
  return new CorruptionError('SOMBRA_GRAPH_FORMAT', `tree '${tree.name}' holds id ${id} beside id ${last}; run verify`);
}
