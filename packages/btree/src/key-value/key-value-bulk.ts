/** Filling a tree of a key-value store from sorted entries. */
import type { Pager, WriteTransaction } from '@sombra/pager';
import { assert, DataError, StateError } from '@sombra/vfs';
import { BulkBuilder, type BulkTree } from '../tree/bulk.ts';
import { dropPages } from '../tree/drop.ts';
import { bytesOf, kindOf, type KeyValueInput } from './key-value-bytes.ts';
import type { TreeHandles } from './tree-handles.ts';
import { invalidateCursors } from '../tree/tree-state.ts';

/** An entry to load. */
export type KeyValuePair = readonly [key: KeyValueInput, value: KeyValueInput];

/**
 * Builds a tree past the log and publishes it in one commit. Steps, and what an error after each leaves:
 * 1. The catalogue slot is chosen.          Nothing.
 * 2. Pages are built and written.           Free pages and pages beyond the page count, which are ignored.
 * 3. One commit frees the old, empty tree and names the new root.  The whole tree.
 * @throws as KeyValueStore.bulkLoad
 */
export function bulkLoad(
  pager: Pager,
  handles: TreeHandles,
  name: string,
  entries: Iterable<KeyValuePair>,
  fill: number,
): BulkTree {
  const writer = pager.bulk();
  try {
    const slot = slotFor(pager, handles, name);
    const builder = new BulkBuilder(writer, slot + 1, pager.pageSize, fill);
    for (const entry of entries) {
      if (!Array.isArray(entry) || entry.length !== 2)
        throw new DataError('SOMBRA_VALUE_KIND', `an entry to load is [key, value], not ${kindOf(entry)}`);
      const [keyInput, valueInput] = entry as unknown as KeyValuePair;
      const key = bytesOf(keyInput, 'a key');
      const value = bytesOf(valueInput, 'a value');
      builder.add(key, key.length, value, 0, value.length);
    }
    const built = builder.finish();
    writer.finish((tx) => publish(tx, handles, name, slot, built));
    return built;
  } catch (error) {
    writer.abort();
    throw error;
  }
}

/**
 * The catalogue slot that the tree has or will have. Nothing else is written before the load ends.
 * @throws StateError SOMBRA_BULK_NOT_EMPTY; DataError SOMBRA_TREES_FULL
 */
function slotFor(pager: Pager, handles: TreeHandles, name: string): number {
  const view = pager.snapshot();
  try {
    const tree = handles.find(view, name);
    const count = tree?.count(view) ?? 0;
    if (count > 0)
      throw new StateError(
        'SOMBRA_BULK_NOT_EMPTY',
        `tree '${name}' has ${count} entries: load into a new tree, clear this one first, or put them in transactions`,
      );
    const { names } = view.catalogue;
    const slot = tree?.slot ?? names.indexOf('');
    if (slot < 0)
      throw new DataError(
        'SOMBRA_TREES_FULL',
        `the catalogue holds ${names.length} trees: drop one, or use larger pages`,
      );
    return slot;
  } finally {
    view.release();
  }
}

function publish(tx: WriteTransaction, handles: TreeHandles, name: string, slot: number, built: BulkTree): void {
  const old = handles.find(tx.view, name);
  if (old === undefined) assert(tx.createTree(name) === slot, 'a bulk load gets the slot that its pages name');
  else {
    dropPages(tx, old.treeId, old.rootOf(tx.view));
    tx.restartTree(slot);
  }
  tx.setTreeRoot(slot, built.root);
  tx.addTreeCount(slot, built.count);
  invalidateCursors(tx.view.cache);
}
