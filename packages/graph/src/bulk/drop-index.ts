/**
 * Dropping a property index: one commit takes the definition away, and the tree with it. Its pages are read and freed, and not
 * touched, so that it changes few pages however large the tree is. Versions before this one deleted large trees bit by bit; what
 * they left, when they died meanwhile, is dropped before the next index is created or dropped.
 */
import { BTree } from '@sombra/btree';
import type { View, WriteTransaction } from '@sombra/pager';
import { DICTIONARY_KEY_SIZE, INDEX_KIND, NAME_KIND, writeDictionaryKey } from '../names/dictionary.ts';
import type { GraphStore } from '../store/store.ts';
import { COUNTER } from '../model/counters.ts';
import { RECORD_KINDS } from '../names/record-kind.ts';
import { indexKeys, indexNumberOf } from '../indexes/definition.ts';

/**
 * Drops an index.
 * @param abandon  leaves its pages where they are, used by nothing: for a tree that is damaged
 * @returns false when there is no such index
 * @throws DataError SOMBRA_OPTION; as Graph.begin and GraphTransaction.commit
 */
export function dropIndex(
  store: GraphStore,
  on: 'node' | 'edge',
  name: string,
  keys: string | readonly string[],
  abandon = false,
): boolean {
  const keyNames = indexKeys(keys);
  return committed(store.begin(), (tx) => {
    const { dictionary } = store;
    const { view } = tx;
    dropOrphanTrees(store, tx);
    const nameId = dictionary.find(RECORD_KINDS[on].names, name);
    const keyIds = keyNames.map((key) => dictionary.find(NAME_KIND.propertyKey, key));
    const index = store.indexes.of(view).find(on, nameId, keyIds);
    if (index === undefined) return false;
    const key = new Uint8Array(DICTIONARY_KEY_SIZE);
    writeDictionaryKey(key, INDEX_KIND, index.number);
    store.dictionaryTree.delete(tx, key, key.length);
    tx.setCounter(COUNTER.indexVersion, view.counter(COUNTER.indexVersion) + 1);
    if (abandon) index.tree.abandon(tx);
    else index.tree.drop(tx);
    return true;
  });
}

/** The transaction for `dropOrphans`; undefined when there are none. @throws as GraphStore.begin */
export function orphanDrop(store: GraphStore, waitMs?: number): WriteTransaction | undefined {
  return orphans(store, store.pager.view).length === 0 ? undefined : store.begin(waitMs);
}

/** Drops trees of indexes that have no definition any more. @param tx  of `orphanDrop` */
export function dropOrphans(store: GraphStore, tx: WriteTransaction | undefined): void {
  if (tx !== undefined) committed(tx, () => dropOrphanTrees(store, tx));
}

function dropOrphanTrees(store: GraphStore, tx: WriteTransaction): void {
  for (const name of orphans(store, tx.view)) BTree.open(tx.view, name)!.drop(tx);
}

/** Names of trees of indexes without a definition. */
function orphans(store: GraphStore, view: View): string[] {
  const names = view.trees().map(({ name }) => name);
  if (!names.some((name) => indexNumberOf(name) > 0)) return [];
  const used = new Set(store.indexes.of(view).all.map(({ number }) => number));
  return names.filter((name) => indexNumberOf(name) > 0 && !used.has(indexNumberOf(name)));
}

function committed<T>(tx: WriteTransaction, change: (tx: WriteTransaction) => T): T {
  try {
    const result = change(tx);
    tx.commit();
    return result;
  } catch (error) {
    tx.rollback();
    throw error;
  }
}
