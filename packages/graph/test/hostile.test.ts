// Goal: a damaged file gives the right answer or a CorruptionError, never another exception, a hang or a memory explosion.
// Method: (1) bytes of the closed file are flipped: pages carry checksums, so every answer must be right or refused. (2) bytes
// of tree pages are changed through the pager, so that checksums are right and every decoder is reached: answers may then be
// wrong, but nothing else may be thrown. SOMBRA_RUNS=n makes n files of each kind.
import { Pager } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import { expect, test } from 'vitest';
import { Graph, type GraphReader } from '../src/index.ts';
import { compare } from './support/compare.ts';
import { ModelGraph } from './support/model.ts';
import { OpenGraph, SMALL } from './support/open.ts';
import { Random, suiteRuns, suiteSeed } from './support/random.ts';
import { randomProperties } from './support/values.ts';

const MEMORY_MAX = 256 * 1024 * 1024;

/** Bytes of a closed file with every structure in it, and its model. */
function specimen(random: Random): { image: Uint8Array; model: ModelGraph } {
  const db = new OpenGraph({ cacheSize: 64 });
  const model = new ModelGraph();
  db.write((tx) => {
    for (let i = 0; i < 60; i += 1) {
      const labels = ['A', 'B'].filter(() => random.chance(0.6));
      const properties = i === 7 ? { large: 'é'.repeat(6000) } : randomProperties(random);
      tx.addNode(labels, properties);
      model.addNode(labels, properties);
    }
    for (let i = 0; i < 350; i += 1) {
      const source = random.chance(0.5) ? 1 : 1 + random.below(60);
      const target = 1 + random.below(60);
      const type = random.pick(['S', 'T']);
      tx.addEdge(source, target, type, { w: i });
      model.addEdge(source, target, type, { w: i });
    }
  });
  db.pager.close();
  return { image: db.image(), model };
}

/** Opened without sharing: no other connection can be writing the unreadable page, so nothing waits for it to become readable. */
function open(image: Uint8Array): Pager {
  const vfs = new MemoryVfs();
  vfs.open(SMALL.path, { write: true, create: true }).pwrite([image], 0);
  return Pager.open({ vfs, path: SMALL.path, cacheSize: 64, maxTransactionPages: 64, locking: 'single-process' });
}

/** Asks everything. */
function queryAll(reader: GraphReader, attempt: (query: () => unknown) => void): void {
  for (const id of [1, 2, 8, 33, 60, 1000]) {
    attempt(() => reader.getNode(id));
    attempt(() => reader.getEdge(id));
    attempt(() => reader.getNodeProperty(id, 'name'));
    attempt(() => reader.getEdgeProperty(id, 'w'));
    attempt(() => reader.degree(id, { direction: 'both' }));
    attempt(() => reader.degree(id, { type: ['S', 'T'] }));
    attempt(() => reader.neighbors(id));
    attempt(() => reader.neighbors(id, { direction: 'both', distinct: true }));
    attempt(() => reader.edgesOf(id, { direction: 'both', type: 'S' }));
    attempt(() => reader.bfs(id, { direction: 'both' }));
    attempt(() => reader.kHop(id, 3, { mode: 'walk' }));
    attempt(() => reader.shortestPath(id, 60, { direction: 'both' }));
    attempt(() => reader.shortestPath(id, 60, { weight: 'w' }));
  }
  for (const id of [1, 33]) {
    attempt(() => reader.expand(id, { direction: 'both', distinct: true }));
    attempt(() => reader.dfs(id, { direction: 'both', nodeFilter: () => true }));
    attempt(() => [...reader.paths(id, 60, { maxLength: 4, limit: 50 })]);
    attempt(() => [...reader.allShortestPaths(id, 60, { direction: 'in', limit: 50 })]);
    attempt(() => reader.kShortestPaths(id, 60, 3, { weight: 'w' }));
    attempt(() => reader.distances(id, { weight: 'w' }));
  }
  for (const options of [{}, { label: 'A', type: 'S' }]) {
    attempt(() => reader.components(options));
    attempt(() => reader.components({ ...options, kind: 'strong' }));
    attempt(() => reader.triangles(options));
    attempt(() => reader.pageRank({ ...options, direction: 'both' }));
    attempt(() => reader.topologicalOrder({ ...options, direction: 'in' }));
    attempt(() => reader.findCycle(options));
    attempt(() => reader.degreeDistribution({ ...options, direction: 'both' }));
  }
  for (const label of [undefined, 'A', 'B']) {
    attempt(() => [...(label === undefined ? reader.nodes() : reader.nodes({ label }))]);
    attempt(() => [...reader.nodeIds(label)]);
    attempt(() => reader.nodeCount(label));
    attempt(() => reader.findNodes({ label, where: { age: 1 } }).all());
  }
  for (const type of [undefined, 'S', 'T']) {
    attempt(() => [...(type === undefined ? reader.edges() : reader.edges({ type }))]);
    attempt(() => [...reader.edgeIds(type)]);
    attempt(() => reader.edgeCount(type));
  }
}

const isDamage = (error: unknown): boolean => (error as Error).name === 'CorruptionError';

test('flipped bytes of a file: every answer is right or refused', () => {
  const random = new Random(suiteSeed(31));
  const { image, model } = specimen(random);
  let refused = 0;
  let found = 0;
  for (let run = suiteRuns(300); run > 0; run -= 1) {
    const damaged = image.slice();
    for (let i = random.below(3); i >= 0; i -= 1) {
      const at = SMALL.pageSize * 2 + random.below(image.length - SMALL.pageSize * 2);
      damaged[at] = damaged[at]! ^ (1 << random.below(8));
    }
    let pager: Pager | undefined;
    try {
      pager = open(damaged);
      const graph = Graph.open(pager);
      const { isClean } = graph.verifyIntegrity();
      if (!isClean) found += 1;
      expect(compare(graph.reader, model)).toEqual([]);
    } catch (error) {
      expect(isDamage(error) ? 'damage' : error).toBe('damage');
      refused += 1;
    }
    pager?.close();
  }
  expect(refused).toBeGreaterThan(0);
  expect(found).toBeGreaterThan(0);
});

test('changed tree pages with right checksums: nothing but CorruptionError is ever thrown', () => {
  const random = new Random(suiteSeed(32));
  const { image } = specimen(random);
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  const seen = { answers: 0, refused: 0, unopened: 0, clean: 0 };
  const attempt = (query: () => unknown): void => {
    try {
      query();
      seen.answers += 1;
    } catch (error) {
      // A forged weight is the caller's data as far as the search can tell; a cycle is an answer.
      if (!isDamage(error) && !['SOMBRA_WEIGHT', 'SOMBRA_CYCLE'].includes((error as { code: string }).code))
        throw error;
      seen.refused += 1;
    }
  };
  for (let run = suiteRuns(400); run > 0; run -= 1) {
    const pager = open(image);
    const tx = pager.begin();
    for (let i = random.below(4); i >= 0; i -= 1) {
      const base = tx.edit(3 + random.below(pager.view.pageCount - 3));
      const offset = random.chance(0.4) ? 16 + random.below(80) : 16 + random.below(SMALL.pageSize - 18);
      if (random.chance(0.7)) tx.setU8(base, offset, random.below(256));
      else tx.setU16(base, offset, random.pick([0, 1, 0xffff, 0x8000, random.below(65_536)]));
    }
    tx.commit();
    let graph: Graph | undefined;
    try {
      graph = Graph.open(pager);
    } catch (error) {
      expect(isDamage(error) ? 'damage' : error).toBe('damage');
      seen.unopened += 1;
    }
    if (graph !== undefined) {
      queryAll(graph.reader, attempt);
      if (graph.verifyIntegrity().isClean) seen.clean += 1;
    }
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    pager.close();
  }
  expect(most).toBeLessThan(MEMORY_MAX);
  expect(seen.refused).toBeGreaterThan(100);
  expect(seen.answers).toBeGreaterThan(1000);
});
