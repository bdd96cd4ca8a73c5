// Goal: docs/format/btree.md and docs/format/overflow.md say what the code does.
// Method: read each table and compare name, offset and size with the constants; then write small trees and compare their
// pages with bytes put together by hand from the documents.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readFormatTable } from '../../../tooling/vitest/format-table.ts';
import { PAGE_HEADER_SIZE } from '@sombra/pager';
import * as layout from '../src/page/layout.ts';
import { bytes, put } from './support/entries.ts';
import type { OpenTree } from './support/open.ts';
import { withTree } from './support/open.ts';

type Layout = [field: string, offset: number, size: number][];

/** Offsets in order; each field ends where the next begins, the last one at `end`. NaN: its size is not fixed. */
function fields(end: number, list: [string, number][]): Layout {
  return list.map(([field, offset], at) => [field, offset, (list[at + 1]?.[1] ?? end) - offset]);
}

const TABLES: [page: string, heading: string, expected: Layout][] = [
  [
    'btree.md',
    'Page',
    fields(NaN, [
      ['header', 0],
      ['level', layout.LEVEL_OFFSET],
      ['treeId', layout.TREE_ID_OFFSET],
      ['firstChild', layout.FIRST_CHILD_OFFSET],
      ['slotCount', layout.SLOT_COUNT_OFFSET],
      ['contentSize', layout.CONTENT_SIZE_OFFSET],
      ['freeBytes', layout.FREE_BYTES_OFFSET],
      ['prefixLength', layout.PREFIX_LENGTH_OFFSET],
      ['prefix', layout.PREFIX_OFFSET],
    ]),
  ],
  [
    'btree.md',
    'Slot',
    fields(layout.SLOT_SIZE, [
      ['cell', layout.SLOT_CELL_OFFSET],
      ['suffixLength', layout.SLOT_SUFFIX_OFFSET],
      ['head', layout.SLOT_HEAD_OFFSET],
    ]),
  ],
  [
    'btree.md',
    'Leaf cell',
    fields(NaN, [
      ['valueLength', layout.CELL_LENGTH_OFFSET],
      ['capacity', layout.CELL_CAPACITY_OFFSET],
      ['tail', layout.CELL_TAIL_OFFSET],
    ]),
  ],
  [
    'btree.md',
    'Branch cell',
    fields(NaN, [
      ['child', layout.CELL_CHILD_OFFSET],
      ['tail', layout.CELL_TAIL_OFFSET],
    ]),
  ],
  [
    'overflow.md',
    'Reference',
    fields(layout.REFERENCE_SIZE, [
      ['length', layout.REFERENCE_LENGTH_OFFSET],
      ['firstPage', layout.REFERENCE_PAGE_OFFSET],
    ]),
  ],
  [
    'overflow.md',
    'Page',
    fields(NaN, [
      ['header', 0],
      ['next', layout.OVERFLOW_NEXT_OFFSET],
      ['remaining', layout.OVERFLOW_REMAINING_OFFSET],
      ['data', layout.OVERFLOW_DATA_OFFSET],
    ]),
  ],
];

test.each(TABLES)('%s, %s: the table agrees with the constants', (page, heading, expected) => {
  expect(readFormatTable(page, heading).map(({ field, offset, size }) => [field, offset, size])).toEqual(expected);
});

function read(page: string): string {
  return readFileSync(new URL(`../../../docs/format/${page}`, import.meta.url), 'utf8');
}

test('the limits agree with the functions that compute them', () => {
  const rows = [...read('btree.md').matchAll(/^\| *(\d+) *\| *(\d+) *\| *(\d+) *\| *(\d+) *\|$/gm)].map((row) =>
    row.slice(1).map(Number),
  );
  expect(rows).toEqual(
    [4096, 8192, 16384, 32768, 65536].map((size) => [
      size,
      layout.keySizeMax(size),
      layout.entrySizeMax(size),
      layout.inlineSizeMax(size, 4),
    ]),
  );
});

test('kinds, flag and payload sizes stand in the text', () => {
  const tree = read('btree.md');
  const overflow = read('overflow.md');
  expect(tree).toContain(`kind ${layout.KIND_BRANCH} branch, ${layout.KIND_LEAF} leaf`);
  expect(tree).toContain(`${layout.OVERFLOW_FLAG | layout.REFERENCE_SIZE} (bit 15 and ${layout.REFERENCE_SIZE})`);
  expect(tree).toContain(`below ${layout.LEVELS_MAX}`);
  expect(overflow).toContain(`valueLength is ${layout.OVERFLOW_FLAG | layout.REFERENCE_SIZE}`);
  expect(overflow).toContain(`kind ${layout.KIND_OVERFLOW}`);
  expect(overflow).toContain(`up to ${layout.VALUE_SIZE_MAX / 2 ** 20} MiB`);
  for (const size of [4096, 8192]) expect(overflow).toContain(layout.overflowPayload(size).toLocaleString('en'));
  expect(layout.PREFIX_OFFSET).toBeGreaterThan(PAGE_HEADER_SIZE);
});

/** A page as the file has it, from the kind byte on. */
function pageOf(db: OpenTree, page: number): Uint8Array {
  const base = db.view.page(page);
  return db.pager.cache.bytes.slice(base + layout.KIND_OFFSET, base + 4096);
}

/** A page of zeros with fields at these offsets: numbers are little-endian and as long as said. */
function compose(parts: [offset: number, size: number, value: number | string][]): Uint8Array {
  const page = new Uint8Array(4096);
  for (const [offset, size, value] of parts) {
    if (typeof value === 'string') page.set(bytes(value), offset);
    else for (let i = 0; i < size; i += 1) page[offset + i] = Math.floor(value / 2 ** (8 * i));
  }
  return page.subarray(layout.KIND_OFFSET);
}

test('a leaf is written as documented', () => {
  withTree((db) => {
    db.write((tx) => {
      put(tx, db.tree, 'apple-tree', 'AB', 6);
      put(tx, db.tree, 'apple-pies!', 'wxyz');
    });
    const page = db.view.treeRoot(db.tree.slot);
    // The first key gave the page the prefix 'apple-', its length less four. The second key shares it.
    expect(pageOf(db, page)).toEqual(
      compose([
        [16, 1, 17],
        [17, 1, 0],
        [18, 2, db.tree.treeId],
        [24, 2, 2],
        [26, 2, 12 + 12],
        [28, 2, 0],
        [30, 2, 6],
        [32, 6, 'apple-'],
        [40, 2, 4096 - 24], // slot 0: 'pies!' in the cell written last
        [42, 2, 5],
        [44, 4, 0x70696573],
        [48, 2, 4096 - 12], // slot 1: 'tree'
        [50, 2, 4],
        [52, 4, 0x74726565],
        [4096 - 24, 2, 4],
        [4096 - 22, 2, 4],
        [4096 - 20, 1, '!'],
        [4096 - 16, 4, 'wxyz'],
        [4096 - 12, 2, 2],
        [4096 - 10, 2, 8],
        [4096 - 8, 2, 'AB'],
      ]),
    );
  });
});

test('a branch is written as documented', () => {
  withTree((db) => {
    db.write((tx) => {
      for (let i = 0; i < 5; i += 1) put(tx, db.tree, `key-${i}`, 'v'.repeat(900));
    });
    const root = db.view.treeRoot(db.tree.slot);
    const page = pageOf(db, root);
    const at = (offset: number): number =>
      page[offset - layout.KIND_OFFSET]! | (page[offset + 1 - layout.KIND_OFFSET]! << 8);
    const [first, second] = [at(20), at(4096 - 8)];
    // Four entries fill the first leaf; the separator of 'key-3' and 'key-4' is the second one as a whole.
    expect(page).toEqual(
      compose([
        [16, 1, 16],
        [17, 1, 1],
        [18, 2, db.tree.treeId],
        [20, 4, first],
        [24, 2, 1],
        [26, 2, 8],
        [32, 0, 0],
        [32, 2, 4096 - 8],
        [34, 2, 5],
        [36, 4, 0x6b65792d],
        [4096 - 8, 4, second],
        [4096 - 4, 1, '4'],
      ]),
    );
    expect(new Set([root, first, second]).size).toBe(3);
    for (const leaf of [first, second]) expect(pageOf(db, leaf)[0]).toBe(layout.KIND_LEAF);
  });
});

test('a chain of overflow pages is written as documented', () => {
  withTree((db) => {
    const value = Uint8Array.from({ length: 4068 + 10 }, (_, i) => i % 251);
    db.write((tx) => put(tx, db.tree, 'k', value));
    const leaf = pageOf(db, db.view.treeRoot(db.tree.slot));
    const number = (offset: number): number => new DataView(leaf.buffer).getUint32(offset - layout.KIND_OFFSET, true);
    expect(number(4096 - 12)).toBe(32776 | (8 << 16));
    expect(number(4096 - 8)).toBe(4078);
    const first = number(4096 - 4);
    const page = pageOf(db, first);
    const next = new DataView(page.buffer).getUint32(4, true);
    const header = (following: number, remaining: number): Uint8Array =>
      compose([
        [16, 1, 18],
        [18, 2, db.tree.treeId],
        [20, 4, following],
        [24, 4, remaining],
      ]);
    const expected = [header(next, 4078), header(0, 10)];
    expected[0]!.set(value.subarray(0, 4068), 28 - layout.KIND_OFFSET);
    expected[1]!.set(value.subarray(4068), 28 - layout.KIND_OFFSET);
    expect(next).not.toBe(0);
    expect([page, pageOf(db, next)]).toEqual(expected);
  });
});
