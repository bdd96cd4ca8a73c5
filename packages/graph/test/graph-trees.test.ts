// Goal: docs/format/graph-trees.md agrees with the code and with what lies in a file; a file that is no whole graph is refused.
// Method: hold the tables against the constants; write a small graph and read every key and value of its trees as bytes.
import { BTree } from '@sombra/btree';
import { Pager } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import { expect, test } from 'vitest';
import { readFormatTable } from '../../../tooling/vitest/format-table.ts';
import { CHAIN_KEY_SIZE, NODE_KEY_SIZE, TYPE_KEY_SIZE } from '../src/adjacency/adjacency.ts';
import { INDEX_KEY_ID_OFFSET, INDEX_KEY_NAME_OFFSET, INDEX_KEY_SIZE } from '../src/ids/id-index.ts';
import { Graph } from '../src/index.ts';
import { STATISTIC_SIZE } from '../src/names/statistics.ts';
import { TREES } from '../src/store/store.ts';
import { COUNTER } from '../src/model/counters.ts';
import { codeOf } from './support/errors.ts';
import { OpenGraph, SMALL, withGraph } from './support/open.ts';

const COUNTER_SIZE = 8;

/** Keys and values of a tree, in hexadecimal. */
function entries(db: OpenGraph, name: string): [key: string, value: string][] {
  const tree = BTree.open(db.pager.view, name)!;
  const cursor = tree.cursor(db.pager.view);
  const found: [string, string][] = [];
  for (let more = cursor.first(); more; more = cursor.next()) {
    found.push([Buffer.from(cursor.key()).toString('hex'), Buffer.from(cursor.value()).toString('hex')]);
  }
  cursor.close();
  return found;
}

test('the tables of docs/format/graph-trees.md agree with the constants', () => {
  const rows = (heading: string): unknown[] =>
    readFormatTable('graph-trees.md', heading).map(({ field, offset, size }) => [field, offset, size]);
  expect(rows('Counters')).toEqual(
    Object.entries(COUNTER).map(([field, index]) => [field, index * COUNTER_SIZE, COUNTER_SIZE]),
  );
  expect(rows('Node key')).toEqual([['node', 0, NODE_KEY_SIZE]]);
  expect(rows('Edge key')).toEqual([['edge', 0, 6]]);
  expect(rows('Adjacency key')).toEqual([
    ['node', 0, NODE_KEY_SIZE],
    ['type', NODE_KEY_SIZE, TYPE_KEY_SIZE - NODE_KEY_SIZE],
    ['edge', TYPE_KEY_SIZE, CHAIN_KEY_SIZE - TYPE_KEY_SIZE],
  ]);
  expect(rows('Index key')).toEqual([
    ['name', INDEX_KEY_NAME_OFFSET, INDEX_KEY_ID_OFFSET - INDEX_KEY_NAME_OFFSET],
    ['id', INDEX_KEY_ID_OFFSET, INDEX_KEY_SIZE - INDEX_KEY_ID_OFFSET],
  ]);
  expect(rows('Statistic')).toEqual([['count', 0, STATISTIC_SIZE]]);
});

test('the table of trees names them in the order in which they are created', async () => {
  const { readFileSync } = await import('node:fs');
  const text = readFileSync(new URL('../../../docs/format/graph-trees.md', import.meta.url), 'utf8');
  expect([...text.matchAll(/^\| `([\w-]+)` +\| \[/gm)].map(([, name]) => name)).toEqual([...TREES]);
  withGraph({}, (db) => {
    expect(db.pager.view.trees().map(({ name }) => name)).toEqual([...TREES]);
    expect(db.pager.view.lsn).toBe(1);
    expect(Array.from({ length: 16 }, (_, i) => db.pager.view.counter(i))).toEqual([
      1,
      1,
      ...new Array<number>(14).fill(0),
    ]);
  });
});

test('keys and values of a small graph are as described', () => {
  withGraph({}, (db) => {
    db.write((tx) => {
      const ada = tx.addNode(['Person', 'Poet'], { a: 1 });
      const alan = tx.addNode('Person');
      tx.addEdge(ada, alan, 'KNOWS', { since: true });
      tx.addEdge(alan, alan, 'LIKES');
    });
    expect(entries(db, 'nodes')).toEqual([
      ['000000000001', '1006' + '02' + '00' + '01' + '01' + '00' + '03' + '02'],
      ['000000000002', '1003' + '01' + '00' + '00'],
    ]);
    expect(entries(db, 'edges')).toEqual([
      ['000000000001', '01000000' + '02000000' + '0000' + '0000' + '0000' + '1004' + '00' + '01' + '01' + '02'],
      ['000000000002', '02000000' + '02000000' + '0100' + '0000' + '0000' + '1002' + '00' + '00'],
    ]);
    expect(entries(db, 'out')).toEqual([
      ['000000000001', '1001010002000000' + '0200000000000000' + '0100000000000000'],
      ['000000000002', '1001010002000100' + '0200000000000000' + '0200000000000000'],
    ]);
    expect(entries(db, 'in')).toEqual([
      ['000000000002', '1002020002000000' + '0100000002000000' + '0100000002000000' + '00010000' + '00000100'],
    ]);
    expect(entries(db, 'labels')).toEqual([
      ['00000000' + '000000000001', '10000000' + '01000000' + '02000000'],
      ['00000001' + '000000000001', '10000000' + '01000000'],
    ]);
    expect(entries(db, 'edge-types')).toEqual([
      ['00000000' + '000000000001', '10000000' + '01000000'],
      ['00000001' + '000000000002', '10000000' + '02000000'],
    ]);
    const hex = (text: string): string => Buffer.from(text).toString('hex');
    expect(entries(db, 'dictionary')).toEqual([
      ['0100000000', hex('Person')],
      ['0100000001', hex('Poet')],
      ['0200000000', hex('KNOWS')],
      ['0200000001', hex('LIKES')],
      ['0300000000', hex('a')],
      ['0300000001', hex('since')],
    ]);
    expect(entries(db, 'statistics')).toEqual([
      ['0100000000', '0200000000000000'],
      ['0100000001', '0100000000000000'],
      ['0200000000', '0100000000000000'],
      ['0200000001', '0100000000000000'],
    ]);
    expect(Object.values(COUNTER).map((index) => db.pager.view.counter(index))).toEqual([
      3,
      3,
      db.pager.view.counter(2),
      2,
      2,
      2,
      2,
      2,
      0,
    ]);
  });
});

test('a node or a label without members leaves no entry', () => {
  withGraph({}, (db) => {
    db.write((tx) => {
      const a = tx.addNode('Only');
      tx.deleteEdge(tx.addEdge(a, a, 'LOOP'));
      tx.removeLabel(a, 'Only');
    });
    for (const name of ['out', 'in', 'labels', 'edge-types', 'edges']) expect(entries(db, name)).toEqual([]);
    expect(db.reader.nodeCount('Only')).toBe(0);
  });
});

test('a file with other trees, or with some of the graph only, is refused and left as it is', () => {
  const vfs = new MemoryVfs();
  const pager = Pager.open({ vfs, ...SMALL });
  const other = pager.begin();
  BTree.create(other, 'orders');
  other.commit();
  expect(codeOf(() => Graph.open(pager))).toBe('SOMBRA_GRAPH_FORMAT');
  expect([pager.view.lsn, pager.inTransaction]).toEqual([1, false]);
  const partial = pager.begin();
  BTree.create(partial, 'nodes');
  partial.commit();
  expect(codeOf(() => Graph.open(pager))).toBe('SOMBRA_GRAPH_FORMAT');
  expect(pager.view.lsn).toBe(2);
  pager.close();
});

test('opening a graph again changes nothing', () => {
  const db = new OpenGraph();
  const { lsn } = db.pager.view;
  db.reopen();
  expect(db.pager.view.lsn).toBe(lsn);
  db.close();
});
