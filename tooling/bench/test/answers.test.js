// Goal: the benchmark does not rot, and what it measures is the right answer. Method: every workload at a small size and with
// next to no time, by Sombra and by plain arrays; their digests are compared. The peers are not needed.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import * as sombra from '../src/engine-sombra.js';
import { edgesWithinReach, hubId, makeGraph } from '../src/graph-data.js';
import { WORKLOADS } from '../src/workloads.js';
import * as plain from './engine-plain.js';

const folder = mkdtempSync(join(tmpdir(), 'sombra-bench-test-'));
const graph = makeGraph({ nodes: 300, edges: 4000 });
const contexts = Object.entries({ sombra, plain }).map(([name, { open }]) => {
  const path = join(folder, `${name}.db`);
  return { open, path, graph, budgetMs: 1, engine: open(path) };
});
afterAll(() => {
  for (const { engine } of contexts) engine.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('workloads', () => {
  it.each(Object.entries(WORKLOADS))('%s', async (_name, { run, hidden }) => {
    const [found, expected] = [await run(contexts[0]), await run(contexts[1])];
    expect(found.answer).toEqual(expected.answer);
    if (!hidden) expect(found.value).toBeGreaterThan(0);
  });
});

describe('the graph', () => {
  it('is the same everywhere', () => {
    const hash = createHash('sha256');
    for (const column of [graph.source, graph.target, graph.weight, graph.age, graph.score]) hash.update(column);
    expect(hash.update(graph.names.join('\n')).digest('hex')).toBe(
      'c7e958c0bb4571bb26262abc41651963401d12425939fc4b19b313c5cac33318',
    );
  });

  it('has a hub from which most edges can be reached', () => {
    expect(edgesWithinReach(graph, hubId(graph))).toBeGreaterThan(2000);
    expect(
      edgesWithinReach({ nodes: 3, edges: 2, source: Uint32Array.of(0, 2), target: Uint32Array.of(1, 1) }, 1),
    ).toBe(1);
  });
});
