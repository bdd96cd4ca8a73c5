// Goal: what lets the event loop turn holds the right to write as its documentation says: transactionAsync waits, other writes are
// refused, reads go on, a schema is kept, close ends it and runs what waits; a checkpoint holds nobody up. Method: databases in memory,
// on a clock that ends every slice; turns of setImmediate.
import { slowVfs } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import { GraphDB, defineSchema } from '../src/index.ts';
import type { BulkSource } from '../src/index.ts';

const ROWS = 12_000;

function source(): BulkSource {
  return {
    nodes: Array.from({ length: ROWS }, (_, i) => ({ labels: 'N', properties: { i } })),
    edges: Array.from({ length: ROWS }, (_, i) => ({ source: i, target: (i * 7) % ROWS, type: 'T' })),
  };
}

function openSlow(): GraphDB {
  return GraphDB.open(':memory:', { vfs: slowVfs() });
}

function codeOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return undefined;
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test('while a bulk load is under way: reads, what waits, what is refused', async () => {
  const db = openSlow();
  const order: string[] = [];
  const loading = db.bulkLoadAsync(source()).then((result) => {
    order.push('loaded');
    return result;
  });
  const added = db.transactionAsync((tx) => {
    order.push('transaction');
    return tx.addNode('After', { nodes: tx.nodeCount() });
  });
  await turn();
  expect(order).toEqual([]);
  for (const write of [
    () => db.addNode('N'),
    () => db.transaction(() => 0),
    () => db.beginTransaction(),
    () => db.bulkLoad(source()),
    () => db.createPropertyIndex('N', 'i'),
    () => db.dropPropertyIndex('N', 'i'),
    () => db.checkpoint(),
  ])
    expect(codeOf(write)).toBe('SOMBRA_BUSY');
  await expect(db.createPropertyIndexAsync('N', 'i')).rejects.toMatchObject({ code: 'SOMBRA_BUSY' });
  expect([db.nodeCount(), db.labels(), db.read((view) => view.nodeCount())]).toEqual([0, [], 0]);
  expect((await loading).nodes).toBe(ROWS);
  expect(db.getNodeProperty(await added, 'nodes')).toBe(ROWS);
  expect(order).toEqual(['loaded', 'transaction']);
  const indexing = db.createPropertyIndexAsync('N', 'i', { unique: true });
  await turn();
  expect(db.findNode({ label: 'N', where: { i: 9 } })?.id).toBe(10);
  expect(codeOf(() => db.addNode('N'))).toBe('SOMBRA_BUSY');
  expect(await indexing).toBe(true);
  expect(await db.createEdgePropertyIndexAsync('T', 'w')).toBe(true);
  expect(db.addNode('N')).toBe(ROWS + 2);
  expect((await db.verifyIntegrityAsync()).errors).toEqual([]);
  db.close();
});

test('inside of a transaction they are refused', async () => {
  const db = openSlow();
  const tx = db.beginTransaction();
  await expect(db.bulkLoadAsync(source())).rejects.toMatchObject({ code: 'SOMBRA_BUSY' });
  tx.rollback();
  let inner: Promise<unknown> | undefined;
  db.transaction(() => {
    inner = db.createPropertyIndexAsync('N', 'i');
    inner.catch(() => undefined);
  });
  await expect(inner).rejects.toMatchObject({ code: 'SOMBRA_TRANSACTION_ACTIVE' });
  db.close();
  await expect(db.bulkLoadAsync(source())).rejects.toMatchObject({ code: 'SOMBRA_CLOSED' });
});

test('a signal ends them, and the next write comes at once', async () => {
  const db = openSlow();
  const controller = new AbortController();
  const loading = db.bulkLoadAsync(source(), { signal: controller.signal });
  await turn();
  controller.abort(new Error('enough'));
  await expect(loading).rejects.toMatchObject({ code: 'SOMBRA_ABORTED', cause: { message: 'enough' } });
  expect(db.addNode('N')).toBe(1);
  expect(db.labels()).toEqual(['N']);
  db.close();
});

test('a checkpoint lets others write, and ends with the database', async () => {
  const db = openSlow();
  for (let i = 0; i < 50; i += 1) db.addNode('N', { i });
  const { lsn } = db;
  const running = db.checkpointAsync({ onProgress: ({ pages }) => expect(pages).toBeGreaterThan(0) });
  db.addNode('N');
  const added = db.transactionAsync((tx) => tx.addNode('N'));
  const result = await running;
  expect([result.lsn >= lsn, result.newestLsn >= result.lsn]).toEqual([true, true]);
  expect(await added).toBe(52);
  await expect(db.checkpointAsync({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'SOMBRA_ABORTED' });
  const loading = db.createPropertyIndexAsync('N', 'i');
  await expect(db.checkpointAsync()).rejects.toMatchObject({ code: 'SOMBRA_BUSY' });
  await loading;
  const last = db.checkpointAsync();
  db.close();
  await expect(last).rejects.toMatchObject({ code: 'SOMBRA_CLOSED' });
  await expect(db.checkpointAsync()).rejects.toMatchObject({ code: 'SOMBRA_CLOSED' });
});

test('a checkpoint of a typed database', async () => {
  const db = GraphDB.open(':memory:', {
    vfs: slowVfs(),
    schema: defineSchema({ nodes: { N: { i: 'integer' } }, edges: {} }),
  });
  db.addNode('N', { i: 1 });
  expect(await db.checkpointAsync({ timeoutMs: 60_000 })).toMatchObject({ newestLsn: db.lsn });
  db.close();
});

test('close ends them, and runs what waited', async () => {
  const db = openSlow();
  const loading = db.bulkLoadAsync(source());
  const waiting = db.transactionAsync((tx) => tx.addNode('After'));
  await turn();
  db.close();
  await expect(loading).rejects.toMatchObject({ code: 'SOMBRA_CLOSED' });
  expect(await waiting).toBe(1);
});

test('rows are checked against a schema', async () => {
  const schema = defineSchema({ nodes: { N: { i: 'integer' } }, edges: {} });
  const db = GraphDB.open(':memory:', { vfs: slowVfs(), schema });
  const nodes = Array.from({ length: 2000 }, (_, i) => ({ labels: 'N', properties: { i: i === 1900 ? 'x' : i } }));
  await expect((db as unknown as GraphDB).bulkLoadAsync({ nodes, edges: [] } as BulkSource)).rejects.toMatchObject({
    code: 'SOMBRA_SCHEMA',
  });
  expect(db.nodeCount()).toBe(0);
  db.close();
});

function* endingWith(end: () => void): Generator<{ labels: string }> {
  try {
    for (let i = 0; i < ROWS; i += 1) yield { labels: 'N' };
  } finally {
    end();
  }
}

test('close ends them whatever the end of a source throws, which their promise is rejected with', async () => {
  const db = openSlow();
  const nodes = endingWith(() => {
    throw new Error('from the source');
  });
  const loading = db.bulkLoadAsync({ nodes, edges: [] });
  const waiting = db.transactionAsync((tx) => tx.addNode('After'));
  await turn();
  db.close();
  expect(db.closed).toBe(true);
  await expect(loading).rejects.toThrow('from the source');
  expect(await waiting).toBe(1);
});

test('the end of a source may close the database', async () => {
  for (const closing of [false, true]) {
    const db = openSlow();
    const controller = new AbortController();
    const loading = db.bulkLoadAsync({ nodes: endingWith(() => db.close()), edges: [] }, { signal: controller.signal });
    await turn();
    if (closing) db.close();
    else controller.abort();
    await expect(loading).rejects.toMatchObject({ code: closing ? 'SOMBRA_CLOSED' : 'SOMBRA_ABORTED' });
    expect(db.closed).toBe(true);
  }
});
