/** Freeing all pages of a tree. */
import type { WriteTransaction } from '@sombra/pager';
import { wrongPage } from '../page/fault.ts';
import { REFERENCE_LENGTH_OFFSET } from '../page/layout.ts';
import { freeChain } from '../page/overflow.ts';
import {
  childOf,
  overflowOf,
  pageIdentity,
  pageIdentityAt,
  slotCountOf,
  slotsOf,
  treeLevel,
  valueOffsetOf,
} from '../page/page.ts';

/**
 * Frees the pages of a tree from the leaves up, without touching them: each is read once, and none is changed. Dropping or restarting the
 * tree, in the same transaction, makes sure that they are no longer taken for pages of the tree.
 * @throws CorruptionError SOMBRA_TREE_PAGE, SOMBRA_OVERFLOW_CHAIN, also when a damaged tree leads to a page twice
 */
export function dropPages(tx: WriteTransaction, treeId: number, root: number): void {
  const base = tx.view.page(root);
  const level = treeLevel(tx.view.cache, base, treeId, root);
  dropPage(tx, treeId, root, level);
}

function dropPage(tx: WriteTransaction, treeId: number, page: number, level: number): void {
  const { view } = tx;
  const memory = view.cache;
  const base = view.page(page);
  if (pageIdentity(memory, base) !== pageIdentityAt(level, treeId))
    throw wrongPage(page, `is not the page of tree ${treeId} that its parent points to`);
  memory.pin(base);
  try {
    const slots = slotsOf(memory, base);
    const count = slotCountOf(memory, base);
    if (level > 0) for (let i = -1; i < count; i++) dropPage(tx, treeId, childOf(memory, base, slots, i), level - 1);
    else {
      for (let i = 0; i < count; i++) {
        const value = base + valueOffsetOf(memory, base, slots, i);
        const first = overflowOf(memory, base, slots, i, value);
        if (first !== 0) freeChain(tx, treeId, first, memory.words[(value + REFERENCE_LENGTH_OFFSET) >> 2]!);
      }
    }
  } finally {
    memory.unpin(base);
  }
  if (!tx.freeUntouched(page)) throw wrongPage(page, 'has two parents');
}
