/** How many entries lie between two keys, guessed from the pages on the way down to both: two descents, no scan. */
import type { View } from '@sombra/pager';
import { wrongPage } from '../page/fault.ts';
import { childOf, pageIdentity, pageIdentityAt, searchPage, slotCountOf, slotsOf, treeLevel } from '../page/page.ts';

/** What the guess needs to know of its tree. */
export interface EstimatedTree {
  readonly name: string;
  readonly treeId: number;
  count(view: View): number;
  rootOf(view: View): number;
}

/** Where a key would stand. */
class Place {
  leaf = 0;
  slot = 0;
  /** Part of the tree before it, 0 to 1, as if all pages of a level held as much. */
  part = 0;
}

/** Entries with low <= key < high. Exact when both lie in one leaf; see BTree.estimate. */
export function estimateRange(
  view: View,
  tree: EstimatedTree,
  low: Uint8Array,
  lowLength: number,
  high: Uint8Array,
  highLength: number,
): number {
  const from = placeOf(view, tree, low, lowLength);
  const to = placeOf(view, tree, high, highLength);
  if (from.leaf === to.leaf) return Math.max(0, to.slot - from.slot);
  return Math.max(0, Math.round((to.part - from.part) * tree.count(view)));
}

function placeOf(view: View, tree: EstimatedTree, key: Uint8Array, keyLength: number): Place {
  const memory = view.cache;
  const place = new Place();
  let page = tree.rootOf(view);
  let base = view.page(page);
  let level = treeLevel(memory, base, tree.treeId, page);
  let width = 1;
  for (; level > 0; level -= 1) {
    const found = searchPage(memory, base, key, keyLength);
    const taken = found >= 0 ? found : ~found - 1;
    width /= slotCountOf(memory, base) + 1;
    place.part += width * (taken + 1);
    page = childOf(memory, base, slotsOf(memory, base), taken);
    base = view.page(page);
    if (pageIdentity(memory, base) !== pageIdentityAt(level - 1, tree.treeId))
      throw wrongPage(page, `is not the page of tree '${tree.name}' that its parent points to`);
  }
  const found = searchPage(memory, base, key, keyLength);
  place.leaf = page;
  place.slot = found >= 0 ? found : ~found;
  place.part += (width * place.slot) / Math.max(1, slotCountOf(memory, base));
  return place;
}
