// Goal: check() finds damage of every kind, names the page, and goes on with the rest of the tree.
// Method: one tree of two levels with overflow values; each case changes a few bytes through the pager, so that every page
// checksum is right, and only the tree's own rules are broken.
import type { WriteTransaction } from '@sombra/pager';
import { describe, expect, test } from 'vitest';
import { BTree } from '../src/index.ts';
import * as layout from '../src/page/layout.ts';
import { slotsOf } from '../src/page/page.ts';
import { bytes, digits, put, remove } from './support/entries.ts';
import { OpenTree, problemsOf } from './support/open.ts';
import { shapeOf } from './support/shape.ts';

/** A tree to damage, with the numbers of its pages. */
class Specimen {
  readonly db = new OpenTree({ cacheSize: 64 });
  readonly root: number;
  readonly leaves: number[];
  /** First overflow pages of the values '0050' (three pages) and '0150' (one page). */
  readonly chains: readonly [number, number];

  constructor() {
    const { db } = this;
    db.write((tx) => {
      for (let i = 0; i < 400; i += 1) put(tx, db.tree, `key-${digits(i, 4)}-tail`, 'value');
      put(tx, db.tree, 'key-0050-tail', 'v'.repeat(9000));
      put(tx, db.tree, 'key-0150-tail', 'v'.repeat(3000));
      put(tx, BTree.create(tx, 'other'), 'k', 'v');
    });
    const [root, ...leaves] = shapeOf(db.tree, db.view).map(({ page }) => page);
    this.root = root!;
    this.leaves = leaves;
    this.chains = [this.chainOf('key-0050-tail'), this.chainOf('key-0150-tail')];
  }

  /** Changes pages in one commit. */
  plant(change: (planter: Planter) => void): void {
    this.db.write((tx) => change(new Planter(tx, this)));
  }

  chainOf(key: string): number {
    this.db.tree.find(this.db.view, bytes(key), key.length);
    return this.db.tree.foundOverflow;
  }
}

class Planter {
  readonly tx: WriteTransaction;
  readonly at: Specimen;

  constructor(tx: WriteTransaction, at: Specimen) {
    this.tx = tx;
    this.at = at;
  }

  u8(page: number, offset: number, value: number): void {
    this.tx.setU8(this.tx.edit(page), offset, value);
  }

  u16(page: number, offset: number, value: number | ((old: number) => number)): void {
    const base = this.tx.edit(page);
    const old = this.tx.view.cache.halves[(base + offset) >> 1]!;
    this.tx.setU16(base, offset, typeof value === 'number' ? value : value(old));
  }

  u32(page: number, offset: number, value: number): void {
    this.tx.setU32(this.tx.edit(page), offset, value);
  }

  /** Offset of a slot in its page. */
  slot(page: number, index: number): number {
    const base = this.tx.edit(page);
    return slotsOf(this.tx.view.cache, base) - base + index * layout.SLOT_SIZE;
  }

  /** Offset of a slot's cell in its page. */
  cell(page: number, index: number): number {
    const base = this.tx.edit(page);
    return this.tx.view.cache.halves[(base + this.slot(page, index)) >> 1]!;
  }

  swapSlots(page: number, a: number, b: number): void {
    const base = this.tx.edit(page);
    const { bytes: all } = this.tx.view.cache;
    const [one, two] = [this.slot(page, a), this.slot(page, b)];
    const [first, second] = [all.slice(base + one, base + one + 8), all.slice(base + two, base + two + 8)];
    this.tx.setBytes(base, one, second, 0, 8);
    this.tx.setBytes(base, two, first, 0, 8);
  }
}

/** Slot of '0050' in the first leaf, whose value lies in overflow pages. */
const LARGE = 50;
const FIRST_LEAF = 0;

type Plant = (p: Planter, leaf: number) => void;

const DAMAGE: [what: string, code: string, plant: Plant][] = [
  ['the kind of the root', 'SOMBRA_TREE_PAGE', (p) => p.u8(p.at.root, layout.KIND_OFFSET, 99)],
  ['the level of the root', 'SOMBRA_TREE_PAGE', (p) => p.u8(p.at.root, layout.LEVEL_OFFSET, 2)],
  ['a level beyond all trees', 'SOMBRA_TREE_PAGE', (p) => p.u8(p.at.root, layout.LEVEL_OFFSET, 40)],
  ['a root that is a leaf', 'SOMBRA_TREE_COUNT', (p, leaf) => p.tx.setTreeRoot(p.at.db.tree.slot, leaf)],
  ['a root of another tree', 'SOMBRA_TREE_PAGE', (p) => p.tx.setTreeRoot(p.at.db.tree.slot, p.tx.view.treeRoot(1))],
  ['the kind of a leaf', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u8(leaf, layout.KIND_OFFSET, layout.KIND_OVERFLOW)],
  ['the level of a leaf', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u8(leaf, layout.LEVEL_OFFSET, 1)],
  ['the tree id of a leaf', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u16(leaf, layout.TREE_ID_OFFSET, 9)],
  ['a first child in a leaf', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u32(leaf, layout.FIRST_CHILD_OFFSET, 5)],
  ['more slots than fit', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u16(leaf, layout.SLOT_COUNT_OFFSET, 1000)],
  ['a slot less', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u16(leaf, layout.SLOT_COUNT_OFFSET, (old) => old - 1)],
  ['no slots', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u16(leaf, layout.SLOT_COUNT_OFFSET, 0)],
  [
    'more content than there is',
    'SOMBRA_TREE_PAGE',
    (p, leaf) => p.u16(leaf, layout.CONTENT_SIZE_OFFSET, (old) => old + 4),
  ],
  [
    'less content than there is',
    'SOMBRA_TREE_PAGE',
    (p, leaf) => p.u16(leaf, layout.CONTENT_SIZE_OFFSET, (old) => old - 4),
  ],
  ['free bytes that are used', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u16(leaf, layout.FREE_BYTES_OFFSET, 8)],
  ['a prefix beyond the page', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u16(leaf, layout.PREFIX_LENGTH_OFFSET, 60_000)],
  ['a prefix that makes keys too long', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u16(leaf, layout.PREFIX_LENGTH_OFFSET, 600)],
  ['another prefix', 'SOMBRA_TREE_ORDER', (p, leaf) => p.u8(leaf, layout.PREFIX_OFFSET, 0x7a)],
  [
    'padding of the prefix',
    'SOMBRA_TREE_PAGE',
    (p, leaf) => p.u16(leaf, layout.PREFIX_LENGTH_OFFSET, (old) => old - 1),
  ],
  ['a cell that is not aligned', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u16(leaf, p.slot(leaf, 3), (old) => old + 2)],
  ['a cell in the gap', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u16(leaf, p.slot(leaf, 3), 40)],
  ['a cell beyond the page', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u16(leaf, p.slot(leaf, 3), 60_000)],
  ['a cell at the very end', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u16(leaf, p.slot(leaf, 3), 4092)],
  ['a cell of two slots', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u16(leaf, p.slot(leaf, 3), p.cell(leaf, 4))],
  ['a suffix beyond the page', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u16(leaf, p.slot(leaf, 3) + 2, 5000)],
  ['a suffix a byte shorter', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u16(leaf, p.slot(leaf, 3) + 2, (old) => old - 5)],
  ['a head beyond the key', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u16(leaf, p.slot(leaf, 3) + 2, 2)],
  ['two slots in the wrong order', 'SOMBRA_TREE_ORDER', (p, leaf) => p.swapSlots(leaf, 3, 4)],
  ['the same key twice', 'SOMBRA_TREE_ORDER', (p, leaf) => p.u32(leaf, p.slot(leaf, 4) + 4, 0x30303033)],
  [
    'a key below the separator',
    'SOMBRA_TREE_ORDER',
    (p) => p.u32(p.at.leaves[1]!, p.slot(p.at.leaves[1]!, 0) + 4, 0x20202020),
  ],
  ['a key above the separator', 'SOMBRA_TREE_ORDER', (p, leaf) => p.u32(leaf, lastSlot(p, leaf) + 4, 0x7a7a7a7a)],
  [
    'a capacity that is no multiple of 4',
    'SOMBRA_TREE_PAGE',
    (p, leaf) => p.u16(leaf, p.cell(leaf, 3) + layout.CELL_CAPACITY_OFFSET, 7),
  ],
  [
    'a capacity beyond the page',
    'SOMBRA_TREE_PAGE',
    (p, leaf) => p.u16(leaf, p.cell(leaf, 3) + layout.CELL_CAPACITY_OFFSET, 60_000),
  ],
  [
    'a capacity that covers other cells',
    'SOMBRA_TREE_PAGE',
    (p, leaf) => p.u16(leaf, p.cell(leaf, 9) + layout.CELL_CAPACITY_OFFSET, 80),
  ],
  [
    'an entry larger than entries may be',
    'SOMBRA_TREE_PAGE',
    (p, leaf) => p.u16(leaf, p.cell(leaf, 90) + layout.CELL_CAPACITY_OFFSET, 1200),
  ],
  ['a value longer than its capacity', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u16(leaf, p.cell(leaf, 3), 9)],
  ['an overflow flag without a reference', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u16(leaf, p.cell(leaf, 3), 0x8005)],
  [
    'a reference to no page',
    'SOMBRA_PAGE_RANGE',
    (p, leaf) => p.u32(leaf, reference(p, leaf) + layout.REFERENCE_PAGE_OFFSET, 0),
  ],
  [
    'a reference beyond the file',
    'SOMBRA_PAGE_RANGE',
    (p, leaf) => p.u32(leaf, reference(p, leaf) + layout.REFERENCE_PAGE_OFFSET, 100_000),
  ],
  [
    'a reference to a leaf',
    'SOMBRA_OVERFLOW_CHAIN',
    (p, leaf) => p.u32(leaf, reference(p, leaf) + layout.REFERENCE_PAGE_OFFSET, leaf),
  ],
  [
    'a reference of another length',
    'SOMBRA_OVERFLOW_CHAIN',
    (p, leaf) => p.u32(leaf, reference(p, leaf) + layout.REFERENCE_LENGTH_OFFSET, 8999),
  ],
  [
    'a value of no bytes in a chain',
    'SOMBRA_OVERFLOW_CHAIN',
    (p, leaf) => p.u32(leaf, reference(p, leaf) + layout.REFERENCE_LENGTH_OFFSET, 0),
  ],
  [
    'a value larger than the file',
    'SOMBRA_OVERFLOW_CHAIN',
    (p, leaf) => p.u32(leaf, reference(p, leaf) + layout.REFERENCE_LENGTH_OFFSET, 2 ** 31),
  ],
  [
    'the kind of an overflow page',
    'SOMBRA_OVERFLOW_CHAIN',
    (p) => p.u8(p.at.chains[0], layout.KIND_OFFSET, layout.KIND_LEAF),
  ],
  ['the tree id of an overflow page', 'SOMBRA_OVERFLOW_CHAIN', (p) => p.u16(p.at.chains[0], layout.TREE_ID_OFFSET, 2)],
  [
    'the rest of a chain',
    'SOMBRA_OVERFLOW_CHAIN',
    (p) => p.u32(p.at.chains[0], layout.OVERFLOW_REMAINING_OFFSET, 8000),
  ],
  ['a chain that breaks off', 'SOMBRA_OVERFLOW_CHAIN', (p) => p.u32(p.at.chains[0], layout.OVERFLOW_NEXT_OFFSET, 0)],
  [
    'a chain that leads back',
    'SOMBRA_OVERFLOW_CHAIN',
    (p) => p.u32(p.at.chains[0], layout.OVERFLOW_NEXT_OFFSET, p.at.chains[0]),
  ],
  [
    'a chain that goes on',
    'SOMBRA_OVERFLOW_CHAIN',
    (p) => p.u32(p.at.chains[1], layout.OVERFLOW_NEXT_OFFSET, p.at.chains[0]),
  ],
  [
    'a chain of two values',
    'SOMBRA_TREE_PAGE',
    (p, leaf) => {
      p.u32(leaf, reference(p, leaf) + layout.REFERENCE_LENGTH_OFFSET, 3000);
      p.u32(leaf, reference(p, leaf) + layout.REFERENCE_PAGE_OFFSET, p.at.chains[1]);
    },
  ],
  ['a child beyond the file', 'SOMBRA_PAGE_RANGE', (p) => p.u32(p.at.root, p.cell(p.at.root, 0), 1_000_000)],
  ['a child that is the roots page', 'SOMBRA_TREE_PAGE', (p) => p.u32(p.at.root, p.cell(p.at.root, 0), 2)],
  [
    'a branch that leads back to itself',
    'SOMBRA_TREE_PAGE',
    (p) => p.u32(p.at.root, layout.FIRST_CHILD_OFFSET, p.at.root),
  ],
  ['two ways to one leaf', 'SOMBRA_TREE_PAGE', (p, leaf) => p.u32(p.at.root, p.cell(p.at.root, 0), leaf)],
  ['a child of another tree', 'SOMBRA_TREE_PAGE', (p) => p.u32(p.at.root, p.cell(p.at.root, 0), p.tx.view.treeRoot(1))],
  [
    'a root branch without separators',
    'SOMBRA_TREE_PAGE',
    (p) => p.tx.setU48(p.tx.edit(p.at.root), layout.SLOT_COUNT_OFFSET, 0),
  ],
  [
    'a leaf without entries',
    'SOMBRA_TREE_PAGE',
    (p, leaf) => p.tx.setU48(p.tx.edit(leaf), layout.SLOT_COUNT_OFFSET, 0),
  ],
  ['an entry that the catalogue does not count', 'SOMBRA_TREE_COUNT', (p) => p.tx.addTreeCount(p.at.db.tree.slot, -1)],
  ['an entry that only the catalogue counts', 'SOMBRA_TREE_COUNT', (p) => p.tx.addTreeCount(p.at.db.tree.slot, 1)],
];

function lastSlot(p: Planter, page: number): number {
  const count = p.tx.view.cache.halves[(p.tx.edit(page) + layout.SLOT_COUNT_OFFSET) >> 1]!;
  return p.slot(page, count - 1);
}

/** Bytes of a slot's key tail in its cell. */
function tailSize(p: Planter, page: number, index: number): number {
  const suffix = p.tx.view.cache.halves[(p.tx.edit(page) + p.slot(page, index) + layout.SLOT_SUFFIX_OFFSET) >> 1]!;
  return layout.align4(Math.max(0, suffix - layout.HEAD_SIZE));
}

/** Offset of the reference to the three overflow pages in the first leaf. */
function reference(p: Planter, leaf: number): number {
  return p.cell(leaf, LARGE) + layout.CELL_TAIL_OFFSET + tailSize(p, leaf, LARGE);
}

describe('damage', () => {
  test('the specimen is sound, and has what the cases need', () => {
    const at = new Specimen();
    expect(at.leaves.length).toBeGreaterThan(2);
    expect(new Set([...at.leaves, ...at.chains, at.root, 0]).size).toBe(at.leaves.length + 4);
    at.plant((p) => {
      expect(p.at.db.tree.find(p.tx.view, bytes('key-0050-tail'), 13)).toBeGreaterThan(0);
      expect([p.at.db.tree.foundPage, p.at.db.tree.foundSlot]).toEqual([at.leaves[FIRST_LEAF], LARGE]);
      expect(reference(p, at.leaves[FIRST_LEAF]!)).toBe(
        p.at.db.tree.find(p.tx.view, bytes('key-0050-tail'), 13) - p.at.db.tree.foundBase,
      );
    });
    at.db.close();
  });

  test.each(DAMAGE)('%s', (_what, code, plant) => {
    const at = new Specimen();
    at.plant((p) => plant(p, at.leaves[FIRST_LEAF]!));
    const found = at.db.tree.check(at.db.view);
    expect(found.map((problem) => problem.code)).toContain(code);
    for (const { message, page } of found) {
      expect(message).toContain("tree 'data'");
      expect(page).toBeGreaterThan(0);
    }
    expect(problemsOf(at.db.pager).length).toBeGreaterThan(0);
    at.db.pager.close();
  });

  test('one damaged leaf does not hide another', () => {
    const at = new Specimen();
    const [first, , third] = at.leaves;
    at.plant((p) => {
      p.u8(first!, layout.KIND_OFFSET, 77);
      p.swapSlots(third!, 1, 2);
    });
    const pages = at.db.tree.check(at.db.view).map(({ page }) => page);
    expect(pages).toContain(first);
    expect(pages).toContain(third);
    at.db.pager.close();
  });

  test('a page without an owner is lost', () => {
    const at = new Specimen();
    let lost = 0;
    at.plant((p) => (lost = p.tx.allocate(layout.KIND_LEAF, 1)));
    expect(at.db.tree.check(at.db.view)).toEqual([]);
    expect(problemsOf(at.db.pager)).toEqual([expect.stringContaining(`SOMBRA_PAGE_LOST: page ${lost}`)]);
    at.db.pager.close();
  });

  test('a tree that leads to a free page', () => {
    const at = new Specimen();
    at.plant((p) => p.tx.free(at.leaves[1]!));
    expect(at.db.tree.check(at.db.view).map(({ code }) => code)).toContain('SOMBRA_TREE_PAGE');
    at.db.pager.close();
  });
});

test('every page is marked once, overflow pages included', () => {
  const at = new Specimen();
  const marks: number[] = [];
  expect(at.db.tree.check(at.db.view, (page) => marks.push(page))).toEqual([]);
  expect(new Set(marks).size).toBe(marks.length);
  expect(marks.length).toBe(1 + at.leaves.length + 3 + 1);
  at.db.write((tx) => remove(tx, at.db.tree, 'key-0050-tail'));
  marks.length = 0;
  at.db.tree.check(at.db.view, (page) => marks.push(page));
  expect(marks.length).toBe(1 + at.leaves.length + 1);
  at.db.close();
});
