// Goal: a power loss at any moment of creating an index, of writes that keep it, or of dropping it leaves the index whole or
// not there, in agreement with the records; what was acknowledged is there, and the file goes on working.
// Method: a few steps run once to count their writes, syncs and name changes; then the disk stops at each of them, under
// policies for what an unsynced cache may lose, and the file is opened, verified, compared with what the steps before or after left,
// and written again. SOMBRA_SEED replays a run, SOMBRA_RUNS=n takes n images of each moment.
import { Pager } from '@sombra/pager';
import { CRASH_POLICIES, type CrashPolicy, Random as DiskRandom, SimCrash, SimDisk } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import { Graph, type GraphReader, type GraphTransaction } from '../src/index.ts';
import { createIndex } from './support/small-runs.ts';
import { dropIndex } from '../src/bulk/drop-index.ts';
import { SMALL } from './support/open.ts';
import { suiteRuns, suiteSeed } from './support/random.ts';
import { StoreGraph } from './support/store.ts';

const OPTIONS = { ...SMALL, maxTransactionPages: 100 };
/** Crash images of each moment. */
const IMAGES = suiteRuns(1);

function change(tx: GraphTransaction, turn: number): void {
  for (let id = 1; id <= 60; id += 7) tx.setNodeProperty(id, 'x', turn * 1000 + id);
  tx.deleteNode(turn * 2);
  tx.addNode(['A'], { x: `new ${turn}`, y: turn });
}

/** What is done, one acknowledgement each. */
const STEPS: ((graph: StoreGraph) => void)[] = [
  ({ store }) => createIndex(store, 'node', 'A', 'x', undefined, 200),
  (graph) => graph.write((tx) => change(tx, 1)),
  ({ store }) => createIndex(store, 'node', 'A', ['y', 'x'], { unique: true }, 200),
  (graph) => graph.write((tx) => change(tx, 2)),
  ({ store }) => dropIndex(store, 'node', 'A', 'x'),
  (graph) => graph.write((tx) => change(tx, 3)),
];

function state(reader: GraphReader): string {
  return JSON.stringify([reader.propertyIndexes(), [...reader.nodes()]]);
}

/** Takes the steps. @returns how many were acknowledged, and the state after each */
function run(vfs: SimDisk): { done: number; states: string[] } {
  const states: string[] = [];
  try {
    const pager = Pager.open({ vfs, ...OPTIONS });
    const graph = new StoreGraph(pager);
    states.push(state(graph.reader));
    for (const step of STEPS) {
      step(graph);
      states.push(state(graph.reader));
    }
    pager.close();
  } catch (error) {
    if (!isCrash(error)) throw error;
  }
  return { done: Math.max(0, states.length - 1), states };
}

function isCrash(error: unknown): boolean {
  return error instanceof SimCrash || (error instanceof Error && error.cause !== undefined && isCrash(error.cause));
}

/** Opens what is left, which must be sound and go on working. @returns its state */
function check(vfs: SimDisk): string {
  const pager = Pager.open({ vfs, ...OPTIONS });
  const graph = Graph.open(pager);
  const found = state(graph.reader);
  expect(graph.verifyIntegrity().errors).toEqual([]);
  const tx = graph.begin();
  tx.addNode('A', { x: 'after', y: 'the crash' });
  tx.commit();
  expect(graph.reader.countNodes({ label: 'A', where: { x: 'after' } })).toBe(1);
  graph.createPropertyIndex('A', 'z');
  expect(graph.reader.propertyIndexes().length).toBeLessThan(4);
  const indexes = graph.reader.propertyIndexes().length;
  // What was left of a dropped index is gone now.
  expect(pager.view.trees()).toHaveLength(8 + indexes);
  expect(graph.verifyIntegrity().errors).toEqual([]);
  pager.close();
  expect(vfs.list('.')).toEqual([SMALL.path]);
  return found;
}

test('a crash at any point leaves an index whole or not there', () => {
  const seed = suiteSeed(53);
  const created = new SimDisk({ seed });
  const pager = Pager.open({ vfs: created, ...OPTIONS });
  const graph = Graph.open(pager);
  const tx = graph.begin();
  for (let i = 0; i < 60; i += 1)
    tx.addNode(i % 6 === 5 ? 'B' : 'A', { x: i, y: `y${i % 4}`, long: 'l'.repeat(i * 5) });
  tx.commit();
  pager.close();
  const start = (): SimDisk => created.crash('all', new DiskRandom(seed));
  const whole = start();
  const { done, states } = run(whole);
  expect(done).toBe(STEPS.length);
  const seen = new Map<number, number>();
  for (let at = 0; at <= whole.ops; at += 1) {
    const disk = start();
    disk.crashAt = at;
    const acknowledged = run(disk).done;
    for (let image = 0; image < IMAGES; image += 1) {
      const random = new DiskRandom(seed * 1_000_003 + at * IMAGES + image);
      const policy: CrashPolicy = CRASH_POLICIES[(at * IMAGES + image * 7) % CRASH_POLICIES.length]!;
      const reached = states.indexOf(check(disk.crash(policy, random)));
      expect([at, policy, reached]).toEqual([at, policy, reached < acknowledged ? acknowledged : reached]);
      expect(reached).toBeLessThanOrEqual(acknowledged + 1);
      seen.set(reached, (seen.get(reached) ?? 0) + 1);
    }
  }
  expect([...seen.keys()].toSorted((a, b) => a - b)).toEqual(states.map((_, i) => i));
}, 120_000);
