/**
 * Dropping a property index. One commit takes the definition away; from then on nobody uses the tree. A small tree goes with the
 * same commit; the entries of a large one are deleted in further commits, so that none touches more pages than a transaction
 * may. What a crash leaves of such a tree is deleted before the next index is created or dropped.
 */
import { BTree } from '@sombra/btree';
import type { WriteTransaction } from '@sombra/pager';
import { DICTIONARY_KEY_SIZE, INDEX_KIND, NAME_KIND, writeDictionaryKey } from '../names/dictionary.ts';
import type { GraphStore } from '../store/store.ts';
import { COUNTER } from '../model/counters.ts';
import { indexKeys, indexNumberOf } from '../indexes/definition.ts';

/** Entries of a tree that is dropped as a whole, and entries that one commit deletes of a larger one. */
export const DROP_ENTRIES = 20_000;
const KEY = new Uint8Array(8192);

/**
 * Drops an index.
 * @param entries  most entries to delete in one commit; for tests
 * @returns false when there is no such index
 * @throws DataError SOMBRA_OPTION; as Graph.begin and GraphTransaction.commit
 */
export function dropIndex(
  store: GraphStore,
  on: 'node' | 'edge',
  name: string,
  keys: string | readonly string[],
  entries = DROP_ENTRIES,
): boolean {
  const keyNames = indexKeys(keys);
  const dropped = inTransaction(store, (tx) => {
    const { dictionary } = store;
    const { view } = tx;
    const nameId = dictionary.find(on === 'node' ? NAME_KIND.label : NAME_KIND.edgeType, name);
    const keyIds = keyNames.map((key) => dictionary.find(NAME_KIND.propertyKey, key));
    const index = store.indexes.of(view).find(on, nameId, keyIds);
    if (index === undefined) return false;
    const key = new Uint8Array(DICTIONARY_KEY_SIZE);
    writeDictionaryKey(key, INDEX_KIND, index.number);
    store.dictionaryTree.delete(tx, key, key.length);
    tx.setCounter(COUNTER.indexVersion, view.counter(COUNTER.indexVersion) + 1);
    if (index.tree.count(view) <= entries) index.tree.drop(tx);
    return true;
  });
  dropOrphans(store, entries);
  return dropped;
}

/** Deletes trees of indexes that have no definition any more. @param entries  most to delete in one commit */
export function dropOrphans(store: GraphStore, entries = DROP_ENTRIES): void {
  // A look outside of a transaction may see an older commit: only a transaction knows that there is none left.
  while (hasOrphan(store) && dropPart(store, entries));
}

/** Deletes a part of one such tree. @returns false when there is none */
function dropPart(store: GraphStore, entries: number): boolean {
  return inTransaction(store, (tx) => {
    const tree = orphan(store, tx);
    if (tree === undefined) return false;
    if (tree.count(tx.view) <= entries) tree.drop(tx);
    else deleteLast(tx, tree, entries);
    return true;
  });
}

function hasOrphan(store: GraphStore): boolean {
  const { view } = store.pager;
  const used = new Set(store.indexes.of(view).all.map(({ number }) => number));
  return view.trees().some(({ name }) => indexNumberOf(name) > 0 && !used.has(indexNumberOf(name)));
}

function orphan(store: GraphStore, { view }: WriteTransaction): BTree | undefined {
  const used = new Set(store.indexes.of(view).all.map(({ number }) => number));
  const found = view.trees().find(({ name }) => indexNumberOf(name) > 0 && !used.has(indexNumberOf(name)));
  return found === undefined ? undefined : BTree.open(view, found.name);
}

/** Deletes from the end, so that pages become empty one after the other. */
function deleteLast(tx: WriteTransaction, tree: BTree, count: number): void {
  const cursor = tree.cursor(tx.view);
  try {
    for (let left = count; left > 0 && cursor.last(); left -= 1) {
      const length = cursor.keyInto(KEY);
      tree.delete(tx, KEY, length);
    }
  } finally {
    cursor.close();
  }
}

function inTransaction<T>(store: GraphStore, change: (tx: WriteTransaction) => T): T {
  const tx = store.begin();
  try {
    const result = change(tx);
    tx.commit();
    return result;
  } catch (error) {
    tx.rollback();
    throw error;
  }
}
