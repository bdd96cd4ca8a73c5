/** Walking over the entries of a range. */
import type { View } from '@sombra/pager';
import type { Cursor } from '../tree/cursor.ts';
import type { KeyValueContext, Walk } from './key-value-context.ts';
import type { KeyRange } from './key-value-range.ts';
import { keySizeMax } from '../page/layout.ts';
import { compareKeys } from '../page/keys.ts';

/** A walk through a range of a tree. It takes its view at the first step, and holds it until it ends or is closed. */
export class RangeWalk implements Walk {
  private readonly context: KeyValueContext;
  private readonly name: string;
  private readonly range: KeyRange;
  private view: View | undefined;
  private current: Cursor | undefined;
  private left: number;
  private key: Uint8Array | undefined;
  /** Has it come to its end, so that further steps find nothing? */
  private finished = false;

  constructor(context: KeyValueContext, name: string, range: KeyRange) {
    this.context = context;
    this.name = name;
    this.range = range;
    this.left = range.limit;
  }

  /**
   * Takes a step.
   * @returns the cursor on the next entry; undefined at the end, where the walk releases everything
   * @throws StateError SOMBRA_CLOSED, SOMBRA_TX_DONE, TransactionError SOMBRA_SNAPSHOT_TOO_OLD when what it reads has ended;
   *   CorruptionError; IoError
   */
  step(): Cursor | undefined {
    if (this.finished) return undefined;
    try {
      const cursor = this.advance();
      if (cursor === undefined) this.finish();
      else this.left -= 1;
      return cursor;
    } catch (error) {
      this.finish();
      throw error;
    }
  }

  /** Ends the walk. */
  finish(): void {
    this.finished = true;
    this.close();
  }

  close(): void {
    this.current?.close();
    this.current = undefined;
    const { view } = this;
    this.view = undefined;
    if (view !== undefined) this.context.endWalk(this, view);
  }

  private advance(): Cursor | undefined {
    const { range } = this;
    if (this.left <= 0) return undefined;
    let cursor = this.current;
    if (cursor === undefined) {
      // Also where the walk was cut short because its view ended: the context then says why.
      const view = (this.view = this.context.beginWalk(this));
      const tree = this.context.handles.find(view, this.name);
      if (tree === undefined) return undefined;
      cursor = this.current = tree.cursor(view);
      this.key = new Uint8Array(keySizeMax(view.cache.pageSize));
      if (!place(cursor, range, this.key)) return undefined;
    } else if (!(range.reverse ? cursor.previous() : cursor.next())) return undefined;
    return isBeyond(cursor, range, this.key!) ? undefined : cursor;
  }
}

/** Puts a cursor on the first entry of a range in its direction. @returns false when there is none on this side of the end */
function place(cursor: Cursor, range: KeyRange, scratch: Uint8Array): boolean {
  const { reverse } = range;
  const bound = reverse ? range.high : range.low;
  if (bound === undefined) return reverse ? cursor.last() : cursor.first();
  if (!(reverse ? cursor.seekBefore(bound, bound.length) : cursor.seek(bound, bound.length))) return false;
  if (reverse ? range.highInclusive : range.lowInclusive) return true;
  const length = cursor.keyInto(scratch);
  if (compareKeys(scratch, length, bound, bound.length) !== 0) return true;
  return reverse ? cursor.previous() : cursor.next();
}

/** Has the cursor passed the far end of the range? */
function isBeyond(
  cursor: Cursor,
  { reverse, low, lowInclusive, high, highInclusive }: KeyRange,
  scratch: Uint8Array,
): boolean {
  const bound = reverse ? low : high;
  if (bound === undefined) return false;
  const length = cursor.keyInto(scratch);
  const order = compareKeys(scratch, length, bound, bound.length);
  if (order === 0) return !(reverse ? lowInclusive : highInclusive);
  return reverse ? order < 0 : order > 0;
}

/** Closes the walks of iterators that were dropped half way, so that their view does not keep the log from shrinking. */
const dropped = new FinalizationRegistry<RangeWalk>((walk) => walk.finish());

const ITERATOR_PROTOTYPE = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;

/** An iterator over a walk. An object apart from it, so that one that is dropped half way can be noticed. */
export class RangeIterator<T> implements IterableIterator<T, undefined> {
  private readonly walk: RangeWalk;
  private readonly read: (cursor: Cursor) => T;

  /** @param read  makes what the iterator gives of the entry that the cursor stands on */
  constructor(walk: RangeWalk, read: (cursor: Cursor) => T) {
    this.walk = walk;
    this.read = read;
    dropped.register(this, walk, this);
  }

  next(): IteratorResult<T, undefined> {
    const cursor = this.walk.step();
    if (cursor === undefined) return this.return();
    try {
      return { done: false, value: this.read(cursor) };
    } catch (error) {
      this.return();
      throw error;
    }
  }

  return(): IteratorResult<T, undefined> {
    dropped.unregister(this);
    this.walk.finish();
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }

  [Symbol.dispose](): void {
    this.return();
  }

  static {
    // As generators: with `map`, `take` and so on where the platform has them.
    Object.setPrototypeOf(this.prototype, ITERATOR_PROTOTYPE);
  }
}
