// Goal: bulkLoadAsync and createPropertyIndexAsync do what the synchronous forms do, hold WRITE while others have their turn, and leave
// nothing behind when they are given up at any step, by an error, or by a close. Method: a clock on which every step is too long;
// signals that abort at their nth look; a second connection of the same file.
import { Pager } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import { slowVfs } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import { type BulkSource, Graph } from '../src/index.ts';
import { codeOf } from './support/errors.ts';
import { CountingSignal, turnsDuring } from './support/pauses.ts';

const ROWS = 3000;
/** Another connection is waited for. */
const WAITS = { busyTimeoutMs: 60_000 };

function open(vfs = slowVfs(), options = {}): { pager: Pager; graph: Graph; vfs: MemoryVfs } {
  const pager = Pager.open({ vfs, path: 'g.db', pageSize: 4096, cacheSize: 64, maxTransactionPages: 1000, ...options });
  return { pager, graph: Graph.open(pager), vfs };
}

function source(): BulkSource {
  return {
    nodes: Array.from({ length: ROWS }, (_, i) => ({
      labels: i % 3 === 0 ? ['A', 'B'] : 'A',
      properties: { i, t: `t${i % 50}` },
    })),
    edges: Array.from({ length: ROWS * 2 }, (_, i) => ({
      source: i % ROWS,
      target: (i * 7) % ROWS,
      type: i % 2 === 0 ? 'X' : 'Y',
      properties: { w: i },
    })),
  };
}

/** Bytes of the file once it is closed. */
function image({ pager, vfs }: { pager: Pager; vfs: MemoryVfs }): Uint8Array {
  pager.close();
  const file = vfs.open('g.db', { write: false });
  const bytes = new Uint8Array(file.stat().size);
  file.pread(bytes, 0);
  file.close();
  return bytes;
}

function everything({ reader }: Graph): unknown {
  return [
    [...reader.nodes()],
    [...reader.edges()],
    reader.propertyIndexes(),
    reader.labelCounts(),
    reader.typeCounts(),
  ];
}

test('the same graph, the same result, the same progress', async () => {
  const [a, b] = [open(), open()];
  for (const { graph } of [a, b]) graph.createPropertyIndex('A', 'i', { unique: true });
  const told: [unknown[], unknown[]] = [[], []];
  const expected = a.graph.bulkLoad(source(), { progressEvery: 700, onProgress: (at) => void told[0].push(at) });
  const running = b.graph.bulkLoadAsync(source(), { progressEvery: 700, onProgress: (at) => void told[1].push(at) });
  const { result, turns } = await turnsDuring(running);
  expect(result).toEqual(expected);
  expect(told[1]).toEqual(told[0]);
  expect(turns).toBeGreaterThan((ROWS * 5) / 512);
  for (const keys of ['t', ['t', 'i']]) {
    expect(a.graph.createPropertyIndex('A', keys)).toBe(true);
    expect(await b.graph.createPropertyIndexAsync('A', keys)).toBe(true);
    expect(await b.graph.createPropertyIndexAsync('A', keys)).toBe(false);
  }
  expect(a.graph.createEdgePropertyIndex('X', 'w', { unique: true })).toBe(true);
  expect((await turnsDuring(b.graph.createEdgePropertyIndexAsync('X', 'w', { unique: true }))).turns).toBeGreaterThan(
    8,
  );
  expect(everything(b.graph)).toEqual(everything(a.graph));
  expect(b.graph.verifyIntegrity().errors).toEqual([]);
  expect(image(b).length).toBe(image(a).length);
});

test.each(['bulkLoadAsync', 'createPropertyIndexAsync'] as const)(
  '%s can be given up at every step: nothing is changed, and the next one works',
  async (name) => {
    const { pager, graph } = open();
    if (name === 'createPropertyIndexAsync') graph.bulkLoad(source());
    const before = JSON.stringify(everything(graph));
    const { lsn } = pager.view;
    let at = 1;
    for (; ; at += 1) {
      const signal = new CountingSignal(at);
      const call =
        name === 'bulkLoadAsync'
          ? graph.bulkLoadAsync(source(), { signal })
          : graph.createPropertyIndexAsync('A', 't', { signal });
      const outcome = await call.then(
        () => 'done',
        (error: { code: string; cause: unknown }) => (error.cause === signal.reason ? error.code : error),
      );
      if (outcome === 'done') break;
      expect(outcome).toBe('SOMBRA_ABORTED');
      expect(pager.inTransaction).toBe(false);
      expect([pager.view.lsn, JSON.stringify(everything(graph))]).toEqual([lsn, before]);
      expect(graph.stats()).toMatchObject({ labels: name === 'bulkLoadAsync' ? 0 : 2 });
    }
    expect(at).toBeGreaterThan(8);
    expect(pager.view.lsn).toBe(lsn + 1);
    expect(graph.verifyIntegrity()).toMatchObject({ isClean: true, checkedNodes: ROWS });
    pager.close();
  },
  120_000,
);

test('an error of the source, of onProgress and of the data ends it, and nothing is left', async () => {
  const { pager, graph } = open();
  const own = new Error('no');
  function* failing(): Generator<{ labels: string }> {
    for (let i = 0; i < 1500; i += 1) yield { labels: 'New' };
    throw own;
  }
  await expect(graph.bulkLoadAsync({ nodes: failing(), edges: [] })).rejects.toBe(own);
  for (const last of ['nodes', 'edges', 'adjacency', 'indexes', 'publish']) {
    const onProgress = ({ phase }: { phase: string }): void => {
      if (phase === last) throw own;
    };
    await expect(graph.bulkLoadAsync(source(), { onProgress })).rejects.toBe(own);
  }
  await expect(graph.bulkLoadAsync({ nodes: [], edges: [{ source: 0, target: 0, type: 'T' }] })).rejects.toMatchObject({
    code: 'SOMBRA_NODE_NOT_FOUND',
  });
  expect([graph.reader.labels(), graph.reader.nodeCount(), pager.inTransaction]).toEqual([[], 0, false]);
  await graph.bulkLoadAsync(source());
  await expect(graph.bulkLoadAsync(source())).rejects.toMatchObject({ code: 'SOMBRA_BULK_NOT_EMPTY' });
  await expect(graph.createPropertyIndexAsync('A', 't', { unique: true })).rejects.toMatchObject({
    code: 'SOMBRA_UNIQUE',
  });
  await expect(graph.createPropertyIndexAsync('A', 't', { unique: 1 } as never)).rejects.toMatchObject({
    code: 'SOMBRA_OPTION',
  });
  await expect(graph.bulkLoadAsync(source(), { every: 1 } as never)).rejects.toMatchObject({ code: 'SOMBRA_OPTION' });
  expect(graph.reader.propertyIndexes()).toEqual([]);
  expect(graph.verifyIntegrity().isClean).toBe(true);
  pager.close();
});

test('between its steps reads go on and see nothing of it; another write of the connection is refused', async () => {
  const { pager, graph } = open();
  const { turns } = await turnsDuring(graph.bulkLoadAsync(source()), () => {
    if (!pager.inTransaction) return; // it has just ended
    expect(codeOf(() => graph.begin())).toBe('SOMBRA_BUSY');
    expect(codeOf(() => graph.createPropertyIndex('A', 'i'))).toBe('SOMBRA_BUSY');
    expect(codeOf(() => graph.dropPropertyIndex('A', 'i'))).toBe('SOMBRA_BUSY');
    expect(codeOf(() => pager.checkpoint())).toBe('SOMBRA_TRANSACTION_ACTIVE');
    expect([graph.reader.nodeCount(), graph.reader.labels(), [...graph.reader.nodes()]]).toEqual([0, [], []]);
  });
  expect(turns).toBeGreaterThan(20);
  let refused = 0;
  const running = graph.createPropertyIndexAsync('A', 'i');
  await turnsDuring(running, () => {
    if (!pager.inTransaction) return;
    expect(codeOf(() => graph.begin())).toBe('SOMBRA_BUSY');
    expect(graph.reader.findNode({ label: 'A', where: { i: 77 } })?.id).toBe(78);
    expect(graph.reader.propertyIndexes()).toEqual([]);
    refused += 1;
  });
  expect(refused).toBeGreaterThan(5);
  expect(graph.reader.propertyIndexes()).toHaveLength(1);
  pager.close();
});

test('another connection that writes meanwhile gets SOMBRA_BUSY at once, or waits; and is itself waited for without blocking', async () => {
  const vfs = new MemoryVfs();
  const [one, two] = [open(vfs, WAITS), open(vfs, WAITS)];
  const running = one.graph.bulkLoadAsync(source());
  expect(codeOf(() => two.graph.begin(0))).toBe('SOMBRA_BUSY');
  const waiting = two.graph.createPropertyIndexAsync('A', 'i', { unique: true });
  expect((await running).nodes).toBe(ROWS);
  expect(await waiting).toBe(true);
  await new Promise((resolve) => void setImmediate(resolve));
  const tx = one.graph.begin();
  tx.addNode('A', { i: -1 });
  const behind = turnsDuring(two.graph.createPropertyIndexAsync('A', 't'), (turn) => {
    if (turn === 20) tx.commit();
  });
  expect((await behind).turns).toBeGreaterThanOrEqual(20);
  await new Promise((resolve) => void setImmediate(resolve));
  expect(one.graph.reader.findNode({ label: 'A', where: { i: -1 } })).toBeDefined();
  for (const { graph } of [one, two]) expect(graph.verifyIntegrity().errors).toEqual([]);
  for (const { pager } of [one, two]) pager.close();
});

test('SOMBRA_BUSY when another connection writes for longer than busyTimeoutMs', async () => {
  const vfs = new MemoryVfs();
  const [one, two] = [open(vfs), open(vfs, { busyTimeoutMs: 5 })];
  const tx = one.graph.begin();
  await expect(two.graph.bulkLoadAsync(source())).rejects.toMatchObject({ code: 'SOMBRA_BUSY' });
  await expect(two.graph.createPropertyIndexAsync('A', 'i')).rejects.toMatchObject({ code: 'SOMBRA_BUSY' });
  tx.rollback();
  for (const { pager } of [one, two]) pager.close();
});

test('a close, and giving up, end it at once: WRITE is free and the graph as it was', async () => {
  const first = open();
  const closing = first.graph.bulkLoadAsync(source());
  setImmediate(() => first.pager.close());
  await expect(closing).rejects.toMatchObject({ code: 'SOMBRA_CLOSED' });
  const again = open(first.vfs as ReturnType<typeof slowVfs>);
  expect(again.graph.reader.nodeCount()).toBe(0);
  const own = new Error('given up');
  const given = again.graph.bulkLoadAsync(source());
  expect(again.pager.inTransaction).toBe(true);
  again.graph.giveUpWriting(own);
  expect(again.pager.inTransaction).toBe(false);
  const tx = again.graph.begin();
  expect(tx.addNode('N')).toBe(1);
  tx.commit();
  await expect(given).rejects.toBe(own);
  // Called by the source itself, in the middle of a step.
  tx.rollback();
  const other = open();
  function* meddling(): Generator<{ labels: string }> {
    for (let i = 0; i < 2000; i += 1) {
      if (i === 900) other.pager.close();
      yield { labels: 'N' };
    }
  }
  await expect(other.graph.bulkLoadAsync({ nodes: meddling(), edges: [] })).rejects.toMatchObject({
    code: 'SOMBRA_CLOSED',
  });
  expect(again.graph.verifyIntegrity().errors).toEqual([]);
  again.pager.close();
});
