// Goal: rows that do not fit into the memory of a bulk load go through scratch space, with the same graph as the result, and
// nothing is left of it afterwards. The sort itself is stable and complete.
// Method: runs of a few rows, so that everything is written out and merged; compared with a load that keeps all in memory.
import { Pager } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import { expect, test } from 'vitest';
import type { BulkSource } from '../src/bulk/bulk-load.ts';
import { bulkLoad } from './support/small-runs.ts';
import { RadixSorter } from '../src/sorting/radix-sort.ts';
import { codeOf } from './support/errors.ts';
import { SMALL } from './support/open.ts';
import { Random, suiteSeed } from './support/random.ts';
import { StoreGraph } from './support/store.ts';

const NODES = 120;
const EDGES = 1500;

function rows(random: Random): BulkSource {
  const nodes = Array.from({ length: NODES }, (_, i) => ({
    labels: ['A', 'B', 'C'].filter(() => random.chance(0.5)),
    properties: { i },
  }));
  const edges = Array.from({ length: EDGES }, (_, i) => ({
    source: random.chance(0.4) ? 7 : random.below(NODES),
    target: random.below(NODES),
    type: `T${random.below(3)}`,
    properties: { i },
  }));
  return { nodes, edges };
}

function open(): { vfs: MemoryVfs; graph: StoreGraph } {
  const vfs = new MemoryVfs();
  return { vfs, graph: new StoreGraph(Pager.open({ vfs, ...SMALL, cacheSize: 200 })) };
}

function everything({ reader }: StoreGraph): unknown {
  const adjacency = Array.from({ length: NODES }, (_, i) => [
    reader.edgeIdsOf(i + 1),
    reader.edgeIdsOf(i + 1, { direction: 'in' }),
  ]);
  const labels = reader.labels().map((label) => [label, ...reader.nodeIds(label)]);
  const types = reader.edgeTypes().map((type) => [type, ...reader.edgeIds(type)]);
  return { nodes: [...reader.nodes()], edges: [...reader.edges()], adjacency, labels, types };
}

test.each([5, 64, EDGES - 1, EDGES, EDGES + 1])(
  'a load in runs of %i rows gives what one in memory gives',
  (runRows) => {
    const source = rows(new Random(suiteSeed(41)));
    const plain = open();
    bulkLoad(plain.graph.store, source, undefined);
    const { vfs, graph } = open();
    let scratch = 0;
    const look = (): void => {
      scratch = Math.max(scratch, vfs.stat(`${SMALL.path}-bulk`)?.size ?? 0);
    };
    bulkLoad(graph.store, source, { onProgress: look, progressEvery: 100 }, runRows);
    // Three orders of 16 bytes a row, for all full runs but the one that stays in memory.
    expect(scratch).toBeGreaterThanOrEqual(Math.floor((EDGES - 1) / runRows) * runRows * 48);
    expect(everything(graph)).toEqual(everything(plain.graph));
    expect(vfs.stat(`${SMALL.path}-bulk`)).toBeNull();
    graph.pager.close();
    expect(vfs.list('.')).toEqual([SMALL.path]);
  },
);

test('a load that fails leaves no scratch space', () => {
  const { vfs, graph } = open();
  const { nodes, edges } = rows(new Random(suiteSeed(42)));
  const bad = { nodes, edges: [...edges, { source: NODES, target: 0, type: 'T0' }] };
  let seen = false;
  const look = (): void => {
    seen ||= vfs.stat(`${SMALL.path}-bulk`) !== null;
  };
  expect(codeOf(() => bulkLoad(graph.store, bad, { onProgress: look, progressEvery: 100 }, 64))).toBe(
    'SOMBRA_NODE_NOT_FOUND',
  );
  expect([seen, vfs.stat(`${SMALL.path}-bulk`)]).toEqual([true, null]);
  graph.pager.close();
  expect(vfs.list('.')).toEqual([SMALL.path]);
});

test('what a load that died left behind is written over, and removed when the database is closed', () => {
  const { vfs, graph } = open();
  vfs.open(`${SMALL.path}-bulk`, { write: true, create: true }).pwrite([new Uint8Array(100_000).fill(7)], 0);
  const source = rows(new Random(suiteSeed(43)));
  bulkLoad(graph.store, source, undefined, 64);
  expect(graph.reader.edgeCount()).toBe(EDGES);
  vfs.open(`${SMALL.path}-bulk`, { write: true, create: true }).pwrite([new Uint8Array(10)], 0);
  graph.pager.close();
  expect(vfs.list('.')).toEqual([SMALL.path]);
});

test('rows are ordered by key, and equal keys keep their order', () => {
  const random = new Random(suiteSeed(44));
  const sorter = new RadixSorter();
  for (const most of [1, 2, 255, 256, 2048, 100_000, 2 ** 32 - 1]) {
    for (const length of [0, 1, 2, 500]) {
      const keys = Uint32Array.from({ length }, () => Math.floor((random.next() / 2 ** 32) * most));
      const expected = Array.from({ length }, (_, i) => i).sort((a, b) => keys[a]! - keys[b]! || a - b);
      expect([...sorter.sort(keys, length).subarray(0, length)]).toEqual(expected);
    }
  }
});
