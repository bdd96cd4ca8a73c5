/** Handles of trees by name, for code that reads the same trees in several views. */
import type { View } from '@sombra/pager';
import { BTree } from '../tree/tree.ts';

export class TreeHandles {
  private readonly known = new Map<string, BTree>();

  /** The tree of this name that a view has, undefined if it has none. The handle is shared: use it until the next call. */
  find(view: View, name: string): BTree | undefined {
    const known = this.known.get(name);
    if (known?.existsIn(view) === true) return known;
    const tree = BTree.open(view, name);
    if (tree !== undefined) this.known.set(name, tree);
    return tree;
  }
}
