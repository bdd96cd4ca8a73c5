/**
 * Where the bytes of a record are: in its page, or, when it is too large for that, in a copy of its overflow pages. The only place
 * that knows. Bytes of a page are borrowed, until the next call that reads pages.
 */
import type { BTree, Cursor } from '@sombra/btree';
import type { View } from '@sombra/pager';

/** Bytes that hold the value which `tree` found last, `tree.foundLength` of them from `valueStart` on. */
export function valueBytes(view: View, tree: BTree): Uint8Array {
  return tree.foundOverflow === 0 ? view.cache.bytes : tree.readValue(view);
}

/** Where the value begins in them. @param at  what the tree's find gave */
export function valueStart(tree: BTree, at: number): number {
  return tree.foundOverflow === 0 ? at : 0;
}

/** As `valueBytes`, of the entry that a cursor is at. */
export function entryBytes(view: View, cursor: Cursor): Uint8Array {
  return cursor.overflow === 0 ? view.cache.bytes : cursor.value();
}

/** As `valueStart`, of the entry that a cursor is at. */
export function entryStart(cursor: Cursor): number {
  return cursor.overflow === 0 ? cursor.valueOffset : 0;
}
