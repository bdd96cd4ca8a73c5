/**
 * Reads a whole tree and tests what must hold of it: identity and level of every page, layout and accounting of its
 * cells, prefix, key order within and between pages, separators, overflow chains, the number of entries. Damage is
 * reported, not thrown, and a damaged part does not hide the rest.
 *
 * Source: docs/format/btree.md, docs/format/overflow.md.
 */
import type { PageCache, Problem, View } from '@sombra/pager';
import { CorruptionError } from '@sombra/vfs';
import { compareKeys } from '../page/keys.ts';
import {
  align4,
  CELL_CAPACITY_OFFSET,
  CELL_TAIL_OFFSET,
  entrySizeMax,
  FIRST_CHILD_OFFSET,
  HEAD_SIZE,
  keySizeMax,
  OVERFLOW_FLAG,
  OVERFLOW_NEXT_OFFSET,
  overflowPayload,
  PREFIX_OFFSET,
  REFERENCE_LENGTH_OFFSET,
  REFERENCE_PAGE_OFFSET,
  REFERENCE_SIZE,
  SLOT_SIZE,
} from '../page/layout.ts';
import { chainPage, checkChainLength } from '../page/overflow.ts';
import {
  childOf,
  contentSizeOf,
  freeBytesOf,
  pageIdentity,
  pageIdentityAt,
  prefixLengthOf,
  readKey,
  slotCountOf,
  slotsOf,
  treeLevel,
} from '../page/page.ts';

/** The tree to check. */
export interface CheckedTree {
  readonly name: string;
  readonly slot: number;
  readonly treeId: number;
}

/** Pages that are checked from one step to the next. */
const STEP_PAGES = 32;

/** Checks a tree, in steps; see BTree.checkSteps. */
export function checkTree(
  view: View,
  tree: CheckedTree,
  root: number,
  mark: ((pageNumber: number) => void) | undefined,
): Generator<undefined, Problem[], undefined> {
  return new TreeCheck(view, tree, mark).run(root);
}

/** Does a cell that begins at this offset begin in the page's content? */
function isCellPlace(memory: PageCache, base: number, cell: number): boolean {
  return (cell & 3) === 0 && cell >= memory.pageSize - contentSizeOf(memory, base) && cell < memory.pageSize;
}

class TreeCheck {
  private readonly problems: Problem[] = [];
  private readonly seen = new Set<number>();
  private entries = 0;
  private pages = 0;
  /** Pages below the branch that was checked last. */
  private children: number[] = [];
  private readonly view: View;
  private readonly memory: PageCache;
  private readonly tree: CheckedTree;
  private readonly mark: ((pageNumber: number) => void) | undefined;
  /** Four-byte units of the page under test that a cell covers. */
  private readonly covered: Uint8Array;

  constructor(view: View, tree: CheckedTree, mark: ((pageNumber: number) => void) | undefined) {
    this.view = view;
    this.memory = view.cache;
    this.tree = tree;
    this.mark = mark;
    this.covered = new Uint8Array(view.cache.pageSize >> 2);
  }

  *run(root: number): Generator<undefined, Problem[], undefined> {
    let level = -1;
    this.attempt(root, () => {
      level = treeLevel(this.memory, this.view.page(root), this.tree.treeId, root);
    });
    if (level >= 0) yield* this.subtree(root, level, true, undefined, undefined);
    const count = this.view.treeCount(this.tree.slot);
    if (this.problems.length === 0 && count !== this.entries) {
      this.report('SOMBRA_TREE_COUNT', `the catalogue counts ${count} entries, there are ${this.entries}`, root);
    }
    return this.problems;
  }

  private report(code: string, what: string, page: number): void {
    this.problems.push({ code, message: `tree '${this.tree.name}', page ${page}: ${what}`, page });
  }

  /** Runs a part of the check; damage that it stumbles over becomes a problem of this page. */
  private attempt(page: number, part: () => void): void {
    try {
      part();
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      this.report(error.code, error.message, page);
    }
  }

  private enter(page: number): boolean {
    if (this.seen.has(page)) {
      this.report('SOMBRA_TREE_PAGE', 'is used twice', page);
      return false;
    }
    this.seen.add(page);
    this.mark?.(page);
    return true;
  }

  /** Checks a page and what lies below it; damage becomes a problem of this page, unless a page below has it. */
  private *subtree(
    page: number,
    level: number,
    isRoot: boolean,
    low: Uint8Array | undefined,
    high: Uint8Array | undefined,
  ): Generator<undefined, void, undefined> {
    let keys: Uint8Array[] = [];
    let children: number[] = [];
    this.attempt(page, () => {
      keys = this.page(page, level, isRoot, low, high);
      children = this.children;
    });
    this.pages += 1;
    if (this.pages % STEP_PAGES === 0) yield;
    for (let i = 0; i < children.length; i += 1)
      yield* this.subtree(
        children[i]!,
        level - 1,
        false,
        i === 0 ? low : keys[i - 1],
        i === keys.length ? high : keys[i],
      );
  }

  /** Checks a page by itself: keys must be >= low and < high. Leaves what lies below it in `children`. @returns its keys */
  private page(
    page: number,
    level: number,
    isRoot: boolean,
    low: Uint8Array | undefined,
    high: Uint8Array | undefined,
  ): Uint8Array[] {
    const { memory, view } = this;
    this.children = [];
    const base = view.page(page);
    if (pageIdentity(memory, base) !== pageIdentityAt(level, this.tree.treeId)) {
      this.report('SOMBRA_TREE_PAGE', `is not a page of level ${level} of this tree`, page);
      return [];
    }
    if (!this.enter(page)) return [];
    const count = slotCountOf(memory, base);
    if (count === 0 && (level === 0) !== isRoot) this.report('SOMBRA_TREE_PAGE', 'is empty', page);
    const keys = this.keys(page, base, level === 0, low, high);
    if (level === 0) {
      if (memory.words[(base + FIRST_CHILD_OFFSET) >> 2] !== 0)
        this.report('SOMBRA_TREE_PAGE', 'is a leaf and names a first child', page);
      this.entries += count;
      this.values(page, base);
      return keys;
    }
    const slots = slotsOf(memory, base);
    for (let i = -1; i < count; i++) this.children.push(childOf(memory, base, slots, i));
    return keys;
  }

  /** Checks layout, prefix and key order of one page. @returns its keys */
  private keys(
    page: number,
    base: number,
    leaf: boolean,
    low: Uint8Array | undefined,
    high: Uint8Array | undefined,
  ): Uint8Array[] {
    const { memory } = this;
    const slots = slotsOf(memory, base);
    const count = slotCountOf(memory, base);
    const prefixLength = prefixLengthOf(memory, base);
    const content = contentSizeOf(memory, base);
    for (let i = prefixLength; i < align4(prefixLength); i++) {
      if (memory.bytes[base + PREFIX_OFFSET + i] !== 0)
        this.report('SOMBRA_TREE_PAGE', 'the padding of the prefix is not zero', page);
    }
    this.covered.fill(0);
    const scratch = new Uint8Array(keySizeMax(memory.pageSize));
    const keys: Uint8Array[] = [];
    let used = 0;
    for (let i = 0; i < count; i++) {
      used += this.cell(page, base, slots, i, leaf);
      const key = scratch.slice(0, readKey(memory, base, i, scratch));
      const before = keys[i - 1];
      if (before !== undefined && compareKeys(before, before.length, key, key.length) >= 0) {
        this.report('SOMBRA_TREE_ORDER', `the key of slot ${i} is not greater than the one before`, page);
      }
      if (low !== undefined && compareKeys(key, key.length, low, low.length) < 0) {
        this.report('SOMBRA_TREE_ORDER', `the key of slot ${i} is less than the separator to its left`, page);
      }
      if (high !== undefined && compareKeys(key, key.length, high, high.length) >= 0) {
        this.report('SOMBRA_TREE_ORDER', `the key of slot ${i} is not less than the separator to its right`, page);
      }
      keys.push(key);
    }
    if (used + freeBytesOf(memory, base) !== content) {
      this.report(
        'SOMBRA_TREE_PAGE',
        `cells take ${used} of ${content} bytes of content, ${freeBytesOf(memory, base)} are counted as free`,
        page,
      );
    }
    return keys;
  }

  /** Checks the place of one cell. @returns its size */
  private cell(page: number, base: number, slots: number, index: number, leaf: boolean): number {
    const { memory } = this;
    const slot = slots + index * SLOT_SIZE;
    const cell = memory.halves[slot >> 1]!;
    const suffix = memory.halves[(slot + 2) >> 1]!;
    const head = memory.words[(slot + 4) >> 2]!;
    if (suffix < HEAD_SIZE && (suffix === 0 ? head : head << (8 * suffix)) !== 0) {
      this.report('SOMBRA_TREE_PAGE', `the head of slot ${index} is not zero beyond the key`, page);
    }
    let size = CELL_TAIL_OFFSET + (suffix > HEAD_SIZE ? align4(suffix - HEAD_SIZE) : 0);
    if (isCellPlace(memory, base, cell) && leaf) {
      const capacity = memory.halves[(base + cell + CELL_CAPACITY_OFFSET) >> 1]!;
      if ((capacity & 3) !== 0)
        this.report('SOMBRA_TREE_PAGE', `the capacity of slot ${index} is ${capacity}, no multiple of 4`, page);
      size += align4(capacity);
    }
    if (!isCellPlace(memory, base, cell) || cell + size > memory.pageSize) {
      this.report('SOMBRA_TREE_PAGE', `the cell of slot ${index} leaves the content`, page);
      return size;
    }
    if (SLOT_SIZE + size > entrySizeMax(memory.pageSize)) {
      this.report(
        'SOMBRA_TREE_PAGE',
        `the entry of slot ${index} takes ${SLOT_SIZE + size} bytes, more than an entry may`,
        page,
      );
    }
    for (let unit = cell >> 2; unit < (cell + size) >> 2; unit++) {
      if (this.covered[unit] !== 0) {
        this.report('SOMBRA_TREE_PAGE', `the cell of slot ${index} overlaps another`, page);
        break;
      }
      this.covered[unit] = 1;
    }
    return size;
  }

  /** Checks value lengths and overflow chains of a leaf. */
  private values(page: number, base: number): void {
    const { memory } = this;
    const slots = slotsOf(memory, base);
    const chains: { first: number; length: number }[] = [];
    for (let i = 0; i < slotCountOf(memory, base); i++) {
      const slot = slots + i * SLOT_SIZE;
      const offset = memory.halves[slot >> 1]!;
      const suffix = memory.halves[(slot + 2) >> 1]!;
      const value = offset + CELL_TAIL_OFFSET + (suffix > HEAD_SIZE ? align4(suffix - HEAD_SIZE) : 0);
      if (!isCellPlace(memory, base, offset) || value > memory.pageSize) continue; // reported
      const length = memory.halves[(base + offset) >> 1]!;
      const capacity = memory.halves[(base + offset + CELL_CAPACITY_OFFSET) >> 1]!;
      if (length <= capacity) continue;
      if (
        length !== (OVERFLOW_FLAG | REFERENCE_SIZE) ||
        capacity < REFERENCE_SIZE ||
        value + REFERENCE_SIZE > memory.pageSize
      ) {
        this.report('SOMBRA_TREE_PAGE', `the value of slot ${i} exceeds its cell`, page);
        continue;
      }
      chains.push({
        first: memory.words[(base + value + REFERENCE_PAGE_OFFSET) >> 2]!,
        length: memory.words[(base + value + REFERENCE_LENGTH_OFFSET) >> 2]!,
      });
    }
    for (const { first, length } of chains) {
      this.attempt(page, () => {
        this.chain(first, length);
      });
    }
  }

  private chain(first: number, length: number): void {
    checkChainLength(this.view, first, length);
    const payload = overflowPayload(this.memory.pageSize);
    for (let page = first, remaining = length; remaining > 0; remaining -= payload) {
      const base = chainPage(this.view, this.tree.treeId, page, remaining);
      if (!this.enter(page)) return;
      page = this.memory.words[(base + OVERFLOW_NEXT_OFFSET) >> 2]!;
    }
  }
}
