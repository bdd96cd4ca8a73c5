// How the pages of a tree look, found by walking down from the root.
import type { View } from '@sombra/pager';
import type { BTree } from '../../src/index.ts';
import { LEVEL_OFFSET } from '../../src/page/layout.ts';
import { childOf, prefixLengthOf, slotCountOf, slotsOf, usedBytesOf } from '../../src/page/page.ts';

export interface PageShape {
  readonly page: number;
  readonly level: number;
  readonly slots: number;
  readonly prefixLength: number;
  /** Part of the page that prefix, slots and cells take. */
  readonly fill: number;
}

/** Every branch and leaf of a tree, each before its children, from left to right. */
export function shapeOf(tree: BTree, view: View): PageShape[] {
  const shapes: PageShape[] = [];
  const visit = (page: number): void => {
    const memory = view.cache;
    const base = view.page(page);
    const level = memory.bytes[base + LEVEL_OFFSET]!;
    const slots = slotCountOf(memory, base);
    shapes.push({
      page,
      level,
      slots,
      prefixLength: prefixLengthOf(memory, base),
      fill: usedBytesOf(memory, base) / memory.pageSize,
    });
    if (level === 0) return;
    const at = slotsOf(memory, base);
    const children = Array.from({ length: slots + 1 }, (_, i) => childOf(memory, base, at, i - 1));
    children.forEach(visit);
  };
  visit(tree.rootOf(view));
  return shapes;
}

export function leavesOf(tree: BTree, view: View): PageShape[] {
  return shapeOf(tree, view).filter(({ level }) => level === 0);
}

/** Mean fill of the leaves but the last one, which is filled next. */
export function leafFill(tree: BTree, view: View): number {
  const leaves = leavesOf(tree, view).slice(0, -1);
  return leaves.reduce((sum, { fill }) => sum + fill, 0) / leaves.length;
}
