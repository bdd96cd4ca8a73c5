// Goal: checkpointAsync does what checkpoint does, beside readers and writers of this and of other connections, and loses nothing when it
// is ended at any step, fails, or is met by a close. Method: files in memory; signals that abort at their nth look; writes between turns.
import { Pager } from '@sombra/pager';
import { IoError, MemoryVfs, type Vfs } from '@sombra/vfs';
import { FaultyVfs, slowVfs } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import { Graph } from '../src/index.ts';
import { codeOf } from './support/errors.ts';
import { CountingSignal, turnsDuring } from './support/pauses.ts';

const NODES = 400;

interface Open {
  readonly pager: Pager;
  readonly graph: Graph;
}

function open(vfs: Vfs, options = {}): Open {
  const pager = Pager.open({ vfs, path: 'g.db', pageSize: 4096, cacheSize: 64, maxTransactionPages: 6000, ...options });
  return { pager, graph: Graph.open(pager) };
}

function fill({ graph }: Open, commits = 3, nodes = NODES): void {
  for (let commit = 0; commit < commits; commit += 1) {
    const tx = graph.begin();
    for (let i = 0; i < nodes; i += 1) tx.addNode('N', { commit, i, text: 'x'.repeat(200) });
    tx.commit();
  }
}

/** The file is whole, and has so many nodes, before and after it was opened again. */
function expectWhole(vfs: Vfs, { pager, graph }: Open, nodes: number): void {
  expect([graph.verifyIntegrity().errors, graph.reader.nodeCount()]).toEqual([[], nodes]);
  pager.close();
  const again = open(vfs);
  expect([again.graph.verifyIntegrity().errors, again.graph.reader.nodeCount()]).toEqual([[], nodes]);
  again.pager.close();
}

test.each([{}, { locking: 'exclusive' }, { enableWal: false }])(
  'the same result as checkpoint: %o',
  async (options) => {
    const [one, two] = [open(new MemoryVfs(), options), open(new MemoryVfs(), options)];
    for (const each of [one, two]) fill(each);
    const told: number[] = [];
    const expected = one.pager.checkpoint();
    const result = await two.graph.checkpointAsync({ onProgress: ({ pages }) => void told.push(pages) });
    expect(result).toEqual(expected);
    expect(result.lsn).toBe(result.newestLsn);
    expect(two.pager.stats().checkpointLsn).toBe(result.lsn);
    expect(told.at(-1)).toBe(result.pages);
    // There is nothing left to do.
    expect(await two.graph.checkpointAsync()).toEqual(one.pager.checkpoint());
    for (const { pager } of [one, two]) pager.close();
  },
);

test('many pages: in parts, with turns in between, each told', async () => {
  const vfs = slowVfs();
  const one = open(vfs, { maxWalSizeMb: 1024, checkpointAfterBytes: 2 ** 40, cacheSize: 8192 });
  fill(one, 12, 8000);
  const told: number[] = [];
  const running = one.graph.checkpointAsync({ onProgress: ({ pages }) => void told.push(pages) });
  const { turns, result } = await turnsDuring(running, () => {
    expect(one.graph.reader.nodeCount()).toBe(96_000);
  });
  expect(result.pages).toBeGreaterThan(4096);
  expect(turns).toBeGreaterThan(20);
  expect(told.length).toBeGreaterThan(1);
  expect(told).toEqual(told.toSorted((a, b) => a - b));
  expect(one.pager.stats().checkpointLsn).toBe(one.pager.view.lsn);
  one.pager.close();
});

test('this connection writes meanwhile: what was newest at the call is in the file', async () => {
  const vfs = slowVfs();
  const one = open(vfs);
  fill(one);
  const { lsn } = one.pager.view;
  let added = 0;
  const { result } = await turnsDuring(one.graph.checkpointAsync(), () => {
    const tx = one.graph.begin();
    tx.addNode('Later');
    tx.commit();
    added += 1;
  });
  expect(added).toBeGreaterThan(2);
  expect(result.lsn).toBeGreaterThanOrEqual(lsn);
  expectWhole(vfs, one, 3 * NODES + added);
});

test('commits that wait for their sync are in it', async () => {
  const vfs = new MemoryVfs();
  const one = open(vfs);
  const tx = one.graph.begin();
  tx.addNode('N');
  const durable = tx.commitAsync();
  const result = await one.graph.checkpointAsync();
  expect(result.lsn).toBe(await durable);
  expectWhole(vfs, one, 1);
});

test('another connection writes meanwhile, and is waited for; both make progress', async () => {
  const vfs = new MemoryVfs();
  const [one, two] = [open(vfs, { busyTimeoutMs: 60_000 }), open(vfs, { busyTimeoutMs: 60_000 })];
  fill(one);
  const { lsn } = one.pager.view;
  await new Promise((resolve) => void setTimeout(resolve, 5));
  const held = two.graph.begin();
  held.addNode('Later');
  const first = await turnsDuring(one.graph.checkpointAsync(), (turn) => {
    if (turn === 20) held.commit();
  });
  expect(first.turns).toBeGreaterThanOrEqual(20);
  // Everything that was committed when its turn came, not only what it knew of.
  expect(first.result.lsn).toBeGreaterThan(lsn);
  fill(one);
  let added = 0;
  const second = await turnsDuring(one.graph.checkpointAsync(), () => {
    const tx = two.graph.begin();
    tx.addNode('Later');
    tx.commit();
    added += 1;
  });
  expect(added).toBeGreaterThan(0);
  expect(second.result.lsn).toBeGreaterThan(first.result.lsn);
  const third = two.graph.begin();
  await expect(open(vfs, { busyTimeoutMs: 5 }).graph.checkpointAsync()).rejects.toMatchObject({ code: 'SOMBRA_BUSY' });
  third.rollback();
  one.pager.close();
  expectWhole(vfs, two, 6 * NODES + added + 1);
});

test('a snapshot keeps it back: it ends, and says so', async () => {
  const vfs = new MemoryVfs();
  const [one, two] = [open(vfs), open(vfs)];
  fill(one, 1);
  const { lsn } = one.pager.view;
  await new Promise((resolve) => void setTimeout(resolve, 5));
  const snapshot = two.graph.snapshot();
  fill(one, 1);
  const result = await one.graph.checkpointAsync();
  expect([result.lsn, result.newestLsn]).toEqual([lsn, one.pager.view.lsn]);
  expect(result.newestLsn).toBeGreaterThan(lsn);
  snapshot.release();
  two.pager.close();
  expect((await one.graph.checkpointAsync()).lsn).toBe(result.newestLsn);
  expectWhole(vfs, one, 2 * NODES);
});

test('it can be given up at every step: nothing is lost, and the next write and the next checkpoint come at once', async () => {
  let steps = 0;
  for (let looks = 1; ; looks += 1) {
    const vfs = slowVfs();
    const one = open(vfs);
    fill(one, 1, 200);
    const signal = new CountingSignal(looks);
    const error: unknown = await one.graph.checkpointAsync({ signal }).catch((caught: unknown) => caught);
    if (!(error instanceof Error)) break;
    expect(error).toMatchObject({ code: 'SOMBRA_ABORTED', cause: signal.reason });
    steps += 1;
    const tx = one.graph.begin();
    tx.addNode('Later');
    tx.commit();
    if (looks % 2 === 0) expect((await one.graph.checkpointAsync()).lsn).toBe(one.pager.view.lsn);
    else expect(one.pager.checkpoint().lsn).toBe(one.pager.view.lsn);
    expectWhole(vfs, one, 201);
  }
  expect(steps).toBeGreaterThan(5);
});

test('given up, it lets another connection write', async () => {
  const vfs = slowVfs();
  const [one, two] = [open(vfs), open(vfs)];
  fill(one);
  await expect(one.graph.checkpointAsync({ signal: new CountingSignal(3) })).rejects.toMatchObject({
    code: 'SOMBRA_ABORTED',
  });
  await new Promise((resolve) => void setTimeout(resolve, 20));
  const tx = two.graph.begin(0);
  tx.addNode('Later');
  tx.commit();
  one.pager.close();
  expectWhole(vfs, two, 3 * NODES + 1);
});

test('two that wait for the same one: the end of the first leaves it to the second', async () => {
  const vfs = slowVfs();
  const one = open(vfs);
  fill(one);
  const first = one.graph.checkpointAsync({ signal: new CountingSignal(4) });
  const second = one.graph.checkpointAsync();
  await expect(first).rejects.toMatchObject({ code: 'SOMBRA_ABORTED' });
  expect((await second).lsn).toBe(one.pager.view.lsn);
  expectWhole(vfs, one, 3 * NODES);
});

test('a write that fails rejects it, and costs nothing else', async () => {
  const vfs = new FaultyVfs(new MemoryVfs());
  const one = open(vfs);
  fill(one);
  vfs.add({ op: 'pwrite', file: /g\.db$/, action: 'EIO', nth: 1 });
  const error: unknown = await one.graph.checkpointAsync().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(IoError);
  expect(error).toMatchObject({ code: 'SOMBRA_IO' });
  expect(one.pager.poisoned).toBe(false);
  expect((await one.graph.checkpointAsync()).lsn).toBe(one.pager.view.lsn);
  expectWhole(vfs, one, 3 * NODES);
});

test('a sync that fails rejects it, and poisons', async () => {
  const vfs = new FaultyVfs(new MemoryVfs());
  const one = open(vfs);
  fill(one);
  vfs.add({ op: 'sync', file: /g\.db$/, action: 'EIO', nth: 1 });
  const error: unknown = await one.graph.checkpointAsync().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(Error);
  expect(one.pager.poisoned).toBe(true);
  await expect(one.graph.checkpointAsync()).rejects.toMatchObject({ code: 'SOMBRA_LOCK_POISONED' });
  one.pager.close();
});

test('a close meanwhile, and calls that are refused', async () => {
  for (let turns = 0; turns < 4; turns += 1) {
    const vfs = slowVfs();
    const one = open(vfs);
    fill(one, 2);
    const running = one.graph.checkpointAsync();
    running.catch(() => undefined);
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
    one.pager.close();
    await expect(running).rejects.toMatchObject({ code: 'SOMBRA_CLOSED' });
    expectWhole(vfs, open(vfs), 2 * NODES);
  }
  const one = open(new MemoryVfs());
  const load = one.pager.bulk();
  await expect(one.graph.checkpointAsync()).rejects.toMatchObject({ code: 'SOMBRA_TRANSACTION_ACTIVE' });
  load.abort();
  await expect(one.graph.checkpointAsync({ timeoutMs: -1 })).rejects.toMatchObject({ code: 'SOMBRA_OPTION' });
  await expect(one.graph.checkpointAsync({ now: true } as object)).rejects.toMatchObject({ code: 'SOMBRA_OPTION' });
  const own = new Error('own');
  fill(one);
  const told = one.graph.checkpointAsync({
    onProgress: () => {
      throw own;
    },
  });
  await expect(told).rejects.toBe(own);
  one.pager.close();
  await expect(one.graph.checkpointAsync()).rejects.toMatchObject({ code: 'SOMBRA_CLOSED' });
  expect(codeOf(() => one.pager.requestCheckpoint())).toBe('SOMBRA_CLOSED');
});
