// Goal: verifyIntegrityAsync reports what verifyIntegrity reports, lets others read and write meanwhile, and can be given up at every
// step. Method: a graph with records, chains, indexes and overflow, sound and damaged; a clock on which every step is too long.
import { Pager } from '@sombra/pager';
import { slowVfs } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import { Graph, type VerifyPhase } from '../src/index.ts';
import { CountingSignal, turnsDuring } from './support/pauses.ts';
import type { OpenGraph } from './support/open.ts';
import { plant, recordKey } from './support/plant.ts';

function filled(): { pager: Pager; graph: Graph } {
  const pager = Pager.open({ vfs: slowVfs(), path: 'g.db', pageSize: 4096, cacheSize: 64, maxTransactionPages: 1000 });
  const graph = Graph.open(pager);
  graph.bulkLoad({
    nodes: Array.from({ length: 1500 }, (_, i) => ({
      labels: 'N',
      properties: { i, text: i === 7 ? 'x'.repeat(20_000) : 'y' },
    })),
    edges: Array.from({ length: 4000 }, (_, i) => ({
      source: i % 3 === 0 ? 0 : i % 1500,
      target: (i * 7) % 1500,
      type: 'T',
    })),
  });
  graph.createPropertyIndex('N', 'i', { unique: true });
  return { pager, graph };
}

test('a sound graph: the same report, and a turn for others all along', async () => {
  const { pager, graph } = filled();
  const phases: VerifyPhase[] = [];
  const running = graph.verifyIntegrityAsync({ onProgress: ({ phase }) => void phases.push(phase) });
  const { result, turns } = await turnsDuring(running);
  expect(result).toEqual(graph.verifyIntegrity());
  expect(result).toMatchObject({ isClean: true, checkedNodes: 1500, checkedEdges: 4000 });
  expect(phases).toEqual(['pages', 'records', 'adjacency', 'indexes']);
  // Records and their blocks alone are some forty steps.
  expect(turns).toBeGreaterThan(40);
  expect(await graph.verifyIntegrityAsync({ checksumOnly: true })).toEqual(
    graph.verifyIntegrity({ checksumOnly: true }),
  );
  pager.close();
});

test('a damaged graph: the same findings', async () => {
  const { pager, graph } = filled();
  plant({ pager } as OpenGraph, (planter) => {
    planter.put('nodes', recordKey(5), planter.get('nodes', recordKey(5)).slice(0, -1));
    planter.change('edges', recordKey(9), (bytes) => void (bytes[4]! ^= 1));
  });
  const report = graph.verifyIntegrity();
  expect(report.recordErrors).toBeGreaterThan(0);
  expect(report.adjacencyErrors).toBeGreaterThan(0);
  expect(await graph.verifyIntegrityAsync()).toEqual(report);
  expect(await graph.verifyIntegrityAsync({ maxErrors: 1 })).toEqual(graph.verifyIntegrity({ maxErrors: 1 }));
  pager.close();
});

test('writes, checkpoints and other checks in between do not disturb it', async () => {
  const { pager, graph } = filled();
  const before = graph.verifyIntegrity();
  const running = Promise.all([graph.verifyIntegrityAsync(), graph.verifyIntegrityAsync()]);
  const { result } = await turnsDuring(running, (turn) => {
    const tx = graph.begin();
    tx.deleteNode(1400 - turn, { cascade: true });
    tx.addEdge(1, tx.addNode('M', { i: turn }), 'U');
    if (turn % 5 === 0) tx.rollback();
    else tx.commit();
    if (turn % 7 === 0) pager.checkpoint();
    if (turn % 20 === 0) expect(graph.verifyIntegrity({ checksumOnly: true }).isClean).toBe(true);
  });
  expect(result).toEqual([before, before]);
  expect(pager.stats().snapshots).toBe(0);
  expect(graph.verifyIntegrity().errors).toEqual([]);
  pager.close();
});

test('it can be given up at every look; nothing is held then', async () => {
  const { pager, graph } = filled();
  let at = 1;
  for (; ; at += at < 20 ? 1 : 7) {
    const signal = new CountingSignal(at);
    const code = await graph.verifyIntegrityAsync({ signal }).then(
      () => 'done',
      (error: { code?: string; cause?: unknown }) => (error.cause === signal.reason ? error.code : error),
    );
    expect(pager.stats().snapshots).toBe(0);
    if (code === 'done') break;
    expect(code).toBe('SOMBRA_ABORTED');
  }
  expect(at).toBeGreaterThan(40);
  expect(() => graph.verifyIntegrity({ signal: new CountingSignal(3) })).toThrow(
    expect.objectContaining({ code: 'SOMBRA_ABORTED' }),
  );
  // Every pin was given back: a cache of the least size serves.
  pager.setCacheSize(8);
  await new Promise((resolve) => void setImmediate(resolve));
  expect(graph.verifyIntegrity().isClean).toBe(true);
  pager.close();
});

test('what onProgress throws, wrong options and a close end it', async () => {
  const { pager, graph } = filled();
  const own = new Error('no');
  for (const last of ['pages', 'records', 'adjacency', 'indexes']) {
    const onProgress = ({ phase }: { phase: VerifyPhase }): void => {
      if (phase === last) throw own;
    };
    await expect(graph.verifyIntegrityAsync({ onProgress })).rejects.toBe(own);
    expect(() => graph.verifyIntegrity({ onProgress })).toThrow(own);
    expect(pager.stats().snapshots).toBe(0);
  }
  await expect(graph.verifyIntegrityAsync({ onProgress: 1 } as never)).rejects.toMatchObject({ code: 'SOMBRA_OPTION' });
  const closing = graph.verifyIntegrityAsync({
    onProgress: ({ phase }) => {
      if (phase === 'records') setImmediate(() => pager.close());
    },
  });
  await expect(closing).rejects.toMatchObject({ code: 'SOMBRA_CLOSED' });
  await expect(graph.verifyIntegrityAsync()).rejects.toMatchObject({ code: 'SOMBRA_CLOSED' });
});
