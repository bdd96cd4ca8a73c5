// Keys and values of tests, and what a tree holds of them.
import type { View, WriteTransaction } from '@sombra/pager';
import type { BTree } from '../../src/index.ts';

/** Bytes of a text of characters below 256. */
export function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** The text of bytes, one character for each: compares as they do. */
export function text(from: Uint8Array): string {
  return Buffer.from(from.buffer, from.byteOffset, from.length).toString('latin1');
}

/** A number as text of so many digits: sorts as the numbers do. */
export function digits(value: number, count: number): string {
  return String(value).padStart(count, '0');
}

export function put(tx: WriteTransaction, tree: BTree, key: string, value: string | Uint8Array, capacity = 0): void {
  const at = bytes(key);
  const from = typeof value === 'string' ? bytes(value) : value;
  tree.put(tx, at, at.length, from, 0, from.length, capacity);
}

export function remove(tx: WriteTransaction, tree: BTree, key: string): boolean {
  const at = bytes(key);
  return tree.delete(tx, at, at.length);
}

/** Value of a key as text, undefined if it is not there. */
export function valueOf(tree: BTree, view: View, key: string): string | undefined {
  const value = tree.get(view, bytes(key));
  return value === undefined ? undefined : text(value);
}

/** All entries in the order in which a cursor visits them, forwards or backwards. */
export function entriesOf(tree: BTree, view: View, forward = true): [key: string, value: string][] {
  const cursor = tree.cursor(view);
  const entries: [string, string][] = [];
  try {
    for (let on = forward ? cursor.first() : cursor.last(); on; on = forward ? cursor.next() : cursor.previous()) {
      entries.push([text(cursor.key()), text(cursor.value())]);
    }
  } finally {
    cursor.close();
  }
  return entries;
}

/** Entries of a map in key order, as `entriesOf` gives them. */
export function sorted(model: ReadonlyMap<string, string>): [key: string, value: string][] {
  return [...model].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
