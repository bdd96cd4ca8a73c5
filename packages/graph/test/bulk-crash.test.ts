// Goal: a power loss at any moment of a bulk load leaves the graph empty or whole, and a file that goes on working; an
// acknowledged load is there.
// Method: the load runs once to count its writes, syncs and name changes; then the disk stops at each of them, under policies for
// what an unsynced cache may lose, and the file is opened, verified, compared and written again. SOMBRA_SEED replays a run,
// SOMBRA_RUNS=n takes n images of each moment.
import { Pager } from '@sombra/pager';
import { CRASH_POLICIES, type CrashPolicy, Random as DiskRandom, SimCrash, SimDisk } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import { bulkLoad } from './support/small-runs.ts';
import { Graph } from '../src/index.ts';
import { SMALL } from './support/open.ts';
import { suiteRuns, suiteSeed } from './support/random.ts';
import { StoreGraph } from './support/store.ts';

const NODES = 40;
const EDGES = 100;
/** Crash images of each moment. */
const IMAGES = suiteRuns(2);

const OPTIONS = { ...SMALL, maxTransactionPages: 100 };

const nodes = Array.from({ length: NODES }, (_, i) => ({
  labels: i % 3 === 0 ? ['A', 'B'] : 'A',
  properties: { i, text: 'x'.repeat(i * 20) },
}));
const edges = Array.from({ length: EDGES }, (_, i) => ({
  source: i % 7,
  target: (i * 11) % NODES,
  type: `T${i % 2}`,
  properties: { i },
}));

/** Loads; true: it was acknowledged. The scratch space is used, too. */
function load(vfs: SimDisk): boolean {
  let done = false;
  try {
    const pager = Pager.open({ vfs, ...OPTIONS });
    bulkLoad(new StoreGraph(pager).store, { nodes, edges }, undefined, 32);
    done = true;
    pager.close();
  } catch (error) {
    if (!isCrash(error)) throw error;
  }
  return done;
}

function isCrash(error: unknown): boolean {
  return error instanceof SimCrash || (error instanceof Error && error.cause !== undefined && isCrash(error.cause));
}

/** Opens what is left: must be empty or whole, sound, and take another load or transaction. @returns number of edges */
function check(vfs: SimDisk): number {
  const pager = Pager.open({ vfs, ...OPTIONS });
  const graph = Graph.open(pager);
  expect(graph.verifyIntegrity().errors).toEqual([]);
  const { reader } = graph;
  const found = reader.edgeCount();
  if (found === 0) {
    expect([reader.nodeCount(), reader.labels(), [...reader.nodeIds()]]).toEqual([0, [], []]);
    graph.bulkLoad({ nodes, edges });
  } else expect([reader.nodeCount(), found]).toEqual([NODES, EDGES]);
  expect([...reader.nodes()].map(({ properties }) => properties['i'])).toEqual(nodes.map((_, i) => i));
  edges.forEach(({ source, target, type, properties }, i) => {
    expect(reader.getEdge(i + 1)).toEqual({ id: i + 1, source: source + 1, target: target + 1, type, properties });
  });
  const tx = graph.begin();
  tx.addEdge(1, 2, 'T0');
  tx.commit();
  pager.close();
  expect(vfs.list('.')).toEqual([SMALL.path]);
  return found;
}

test('a crash at any point of a bulk load leaves nothing or everything', () => {
  const seed = suiteSeed(51);
  const created = new SimDisk({ seed });
  const pager = Pager.open({ vfs: created, ...OPTIONS });
  Graph.open(pager);
  pager.close();
  const start = (): SimDisk => created.crash('all', new DiskRandom(seed));
  const whole = start();
  expect(load(whole)).toBe(true);
  const seen = { images: 0, empty: 0, whole: 0 };
  for (let at = 0; at <= whole.ops; at += 1) {
    const disk = start();
    disk.crashAt = at;
    const acknowledged = load(disk);
    for (let image = 0; image < IMAGES; image += 1) {
      const random = new DiskRandom(seed * 1_000_003 + at * IMAGES + image);
      const policy: CrashPolicy = CRASH_POLICIES[(at * IMAGES + image * 7) % CRASH_POLICIES.length]!;
      const found = check(disk.crash(policy, random));
      seen.images += 1;
      seen[found === 0 ? 'empty' : 'whole'] += 1;
      if (acknowledged) expect([at, policy, found]).toEqual([at, policy, EDGES]);
    }
  }
  expect(seen.images).toBeGreaterThan(40);
  expect(seen.empty).toBeGreaterThan(10);
  expect(seen.whole).toBeGreaterThan(10);
});
