/** Reading and writing one tree of a key-value store. */
import { DataError } from '@sombra/vfs';
import type { Cursor } from '../tree/cursor.ts';
import { checkEntry } from '../tree/entry-limits.ts';
import { bytesOf, checkText, kindOf, textOf, type KeyValueInput } from './key-value-bytes.ts';
import { TransactionContext, type KeyValueContext, type WritableContext } from './key-value-context.ts';
import { checkOptions, keyRange, RANGE_OPTIONS, type RangeOptions } from './key-value-range.ts';
import { keySizeMax } from '../page/layout.ts';
import { RangeIterator, RangeWalk } from './range-iterator.ts';
import { BTree } from '../tree/tree.ts';

/** Name of the tree that a store, a transaction and a snapshot themselves stand for. */
export const DEFAULT_TREE = 'default';

/** A tree of a store and the number of its entries. */
export interface TreeInfo {
  readonly name: string;
  readonly count: number;
}

/** An entry. Its bytes are copies and the caller's own. */
export class KeyValueEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;

  constructor(key: Uint8Array, value: Uint8Array) {
    this.key = key;
    this.value = value;
  }

  /** The key as text. @throws DataError SOMBRA_NOT_TEXT when it is not UTF-8 */
  get keyText(): string {
    return textOf(this.key, 'this key');
  }

  /** The value as text. @throws DataError SOMBRA_NOT_TEXT when it is not UTF-8 */
  get valueText(): string {
    return textOf(this.value, 'this value');
  }
}

function readEntry(cursor: Cursor): KeyValueEntry {
  return new KeyValueEntry(cursor.key(), cursor.value());
}

function readKey(cursor: Cursor): Uint8Array {
  return cursor.key();
}

/**
 * Reads one tree as of one commit, or as a transaction sees it. A tree that does not exist reads as an empty one.
 *
 * Every method throws StateError SOMBRA_CLOSED or SOMBRA_TX_DONE when the store, snapshot or transaction has ended,
 * DataError SOMBRA_VALUE_KIND or SOMBRA_TEXT_SURROGATE for keys that are neither bytes nor well-formed text, CorruptionError
 * and IoError when pages cannot be read.
 */
export class KeyValueReader {
  /** Name of the tree. */
  readonly name: string;
  /** @internal */
  protected readonly context: KeyValueContext;

  /** @internal */
  constructor(context: KeyValueContext, name: string) {
    this.context = context;
    this.name = name;
  }

  /** Copy of a value, undefined when the key is not there. */
  get(key: KeyValueInput): Uint8Array | undefined {
    const bytes = bytesOf(key, 'a key');
    const view = this.context.view();
    return this.context.handles.find(view, this.name)?.get(view, bytes);
  }

  /** A value as text, undefined when the key is not there. @throws DataError SOMBRA_NOT_TEXT when it is not UTF-8 */
  getText(key: KeyValueInput): string | undefined {
    const value = this.get(key);
    return value === undefined ? undefined : textOf(value, 'this value');
  }

  /** Is there an entry with this key? */
  has(key: KeyValueInput): boolean {
    const bytes = bytesOf(key, 'a key');
    const view = this.context.view();
    return this.context.handles.find(view, this.name)?.has(view, bytes) ?? false;
  }

  /**
   * Number of entries: of the whole tree at once, of a range by walking over it.
   * @throws DataError SOMBRA_OPTION
   */
  count(range?: RangeOptions): number {
    const bounds = keyRange(range);
    if (range === undefined) {
      const view = this.context.view();
      return this.context.handles.find(view, this.name)?.count(view) ?? 0;
    }
    const walk = new RangeWalk(this.context, this.name, bounds);
    let count = 0;
    while (walk.step() !== undefined) count += 1;
    return count;
  }

  /**
   * The entries of a range in key order, or against it.
   * The iterator reads the commit that was newest at its first step, whatever is written meanwhile; inside a transaction it
   * sees what is written, and goes on from its place. It releases the commit at its end, by `return` (which leaving a loop calls) or when
   * it is dropped.
   * @throws DataError SOMBRA_OPTION
   */
  entries(range?: RangeOptions): RangeIterator<KeyValueEntry> {
    return this.walk(range, readEntry);
  }

  /** As `entries`, without reading the values. */
  keys(range?: RangeOptions): RangeIterator<Uint8Array> {
    return this.walk(range, readKey);
  }

  /** The first entry of a range in its direction, undefined when the range is empty. @throws DataError SOMBRA_OPTION */
  first(range?: RangeOptions): KeyValueEntry | undefined {
    const entries = this.entries(range);
    try {
      return entries.next().value;
    } finally {
      entries.return();
    }
  }

  /** The last entry of a range in its direction, undefined when the range is empty. @throws DataError SOMBRA_OPTION */
  last(range?: RangeOptions): KeyValueEntry | undefined {
    checkOptions(range, RANGE_OPTIONS);
    if (range?.limit !== undefined) {
      throw new DataError('SOMBRA_OPTION', 'last takes no limit: ask for `first` with `reverse`, or count the entries');
    }
    return this.first({ ...range, reverse: range?.reverse !== true });
  }

  private walk<T>(range: RangeOptions | undefined, read: (cursor: Cursor) => T): RangeIterator<T> {
    const bounds = keyRange(range);
    this.context.view();
    return new RangeIterator(new RangeWalk(this.context, this.name, bounds), read);
  }
}

/**
 * Reads and writes one tree. On a store, each write is a transaction of its own and throws what a commit throws.
 *
 * A write that is refused with a DataError changes nothing. Every write throws StateError SOMBRA_READ_ONLY when the store was
 * opened so, and SOMBRA_TRANSACTION_ACTIVE on a store while a transaction runs.
 */
export class KeyValueTree extends KeyValueReader {
  /** @internal */
  protected override readonly context: WritableContext;

  /** @internal */
  constructor(context: WritableContext, name: string) {
    super(context, name);
    this.context = context;
  }

  /**
   * Sets the value of a key. The first put creates the tree.
   * @param key    at most an eighth of a page; may be empty
   * @param value  at most 64 MiB; may be empty
   * @throws DataError SOMBRA_KEY_TOO_LONG, SOMBRA_VALUE_TOO_LARGE, SOMBRA_VALUE_KIND, SOMBRA_TEXT_SURROGATE,
   *   SOMBRA_TREES_FULL, SOMBRA_DATABASE_FULL; TransactionError SOMBRA_TRANSACTION_PAGES, SOMBRA_TRANSACTION_TIMEOUT
   */
  put(key: KeyValueInput, value: KeyValueInput): void {
    const keyBytes = bytesOf(key, 'a key');
    const valueBytes = bytesOf(value, 'a value');
    const { handles, pager } = this.context;
    checkEntry(pager.pageSize, keyBytes, keyBytes.length, valueBytes, 0, valueBytes.length);
    this.context.write((tx) => {
      const tree = handles.find(tx.view, this.name) ?? BTree.create(tx, this.name);
      tree.put(tx, keyBytes, keyBytes.length, valueBytes, 0, valueBytes.length);
    });
  }

  /** Deletes an entry. @returns false when the key was not there */
  delete(key: KeyValueInput): boolean {
    const bytes = bytesOf(key, 'a key');
    const { handles } = this.context;
    return this.context.write((tx) => handles.find(tx.view, this.name)?.delete(tx, bytes, bytes.length) ?? false);
  }

  /**
   * Deletes the entries of a range, all of them or, when it throws, none.
   * @returns number of entries that there were
   * @throws DataError SOMBRA_OPTION; TransactionError SOMBRA_TRANSACTION_PAGES when more pages change than a transaction may
   *   change: delete a part at a time, with `limit`
   */
  deleteRange(range: RangeOptions): number {
    if (typeof (range as RangeOptions | undefined) !== 'object') {
      throw new DataError('SOMBRA_OPTION', `deleteRange takes a range, not ${kindOf(range)}: {} means all entries`);
    }
    const bounds = keyRange(range);
    const { handles, pager } = this.context;
    return this.context.write((tx) => {
      const tree = handles.find(tx.view, this.name);
      if (tree === undefined) return 0;
      const context = new TransactionContext(pager, handles, tx);
      const walk = new RangeWalk(context, this.name, bounds);
      const key = new Uint8Array(keySizeMax(pager.pageSize));
      let count = 0;
      try {
        for (let cursor = walk.step(); cursor !== undefined; cursor = walk.step()) {
          tree.delete(tx, key, cursor.keyInto(key));
          count += 1;
        }
      } finally {
        context.end();
      }
      return count;
    });
  }

  /**
   * Deletes all entries; the tree stays, empty.
   * @returns number of entries that there were
   */
  clear(): number {
    const { handles } = this.context;
    return this.context.write((tx) => {
      const tree = handles.find(tx.view, this.name);
      if (tree === undefined) return 0;
      const count = tree.count(tx.view);
      tree.clear(tx);
      return count;
    });
  }
}

/** Removes a tree with its entries. @returns false when there is none of this name */
export function dropTree(context: WritableContext, name: string): boolean {
  return context.write((tx) => {
    const tree = context.handles.find(tx.view, name);
    tree?.drop(tx);
    return tree !== undefined;
  });
}

/** Checks the name of a tree. @throws DataError SOMBRA_TREE_NAME, SOMBRA_TEXT_SURROGATE */
export function treeName(name: string, bytesMax: number): string {
  if (typeof name !== 'string')
    throw new DataError('SOMBRA_TREE_NAME', `the name of a tree is a string, not ${kindOf(name)}`);
  checkText(name, 'the name of a tree');
  const { length } = bytesOf(name, 'the name of a tree');
  if (length === 0 || length > bytesMax) {
    throw new DataError(
      'SOMBRA_TREE_NAME',
      `the name of a tree has 1 to ${bytesMax} bytes of UTF-8, this one has ${length}: choose another`,
    );
  }
  return name;
}
