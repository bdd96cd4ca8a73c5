// Goal: several connections to one file agree: each sees what the others committed, with the names and counts that came with
// it, and none trusts what it remembers of an older commit.
// Within one turn of the event loop the reads of a connection see one commit; so the tests let a turn pass.
// Method: two graphs on one file system in memory write by turns; after each commit both are compared with the model.
import { Pager } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import { expect, test } from 'vitest';
import { Graph, type Properties } from '../src/index.ts';
import { compare } from './support/compare.ts';
import { codeOf } from './support/errors.ts';
import { ModelGraph } from './support/model.ts';
import { SMALL } from './support/open.ts';
import { Random, suiteSeed } from './support/random.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function connect(vfs: MemoryVfs): Graph {
  return Graph.open(Pager.open({ vfs, ...SMALL, cacheSize: 32 }));
}

test('two connections that write by turns see each other, names and indexes included', async () => {
  const vfs = new MemoryVfs();
  const graphs = [connect(vfs), connect(vfs)] as const;
  const model = new ModelGraph();
  const random = new Random(suiteSeed(51));
  for (let round = 0; round < 40; round += 1) {
    await nextTurn();
    const writer = graphs[round % 2]!;
    const before = graphs[1 - (round % 2)]!.snapshot();
    const then = model.copy();
    const tx = writer.begin();
    const draft = model.copy();
    for (let i = 0; i < 8; i += 1) {
      const id = draft.addNode([`L${round % 7}`], { [`k${round % 9}`]: i });
      expect(tx.addNode([`L${round % 7}`], { [`k${round % 9}`]: i })).toBe(id);
      for (let j = 0; j < 4; j += 1) {
        const target = [...draft.nodes.keys()][random.below(draft.nodes.size)]!;
        tx.addEdge(id, target, `T${round % 5}`);
        draft.addEdge(id, target, `T${round % 5}`);
      }
    }
    const victim = [...draft.nodes.keys()][random.below(draft.nodes.size)]!;
    tx.deleteNode(victim, { cascade: true });
    draft.deleteNode(victim);
    if (round % 4 === 3) tx.rollback();
    else {
      tx.commit();
      Object.assign(model, draft);
    }
    await nextTurn();
    for (const { reader } of graphs) expect(compare(reader, model)).toEqual([]);
    expect(compare(before, then)).toEqual([]);
    before.release();
    if (round % 10 === 9) writer.pager.checkpoint();
  }
  for (const graph of graphs) expect(graph.verifyIntegrity().errors).toEqual([]);
  for (const { pager } of graphs) pager.close();
  const last = connect(vfs);
  expect(compare(last.reader, model)).toEqual([]);
  last.pager.close();
});

test('a connection is busy while another writes, and takes up where that one ended', async () => {
  const vfs = new MemoryVfs();
  const [one, two] = [connect(vfs), connect(vfs)];
  const tx = one.begin();
  tx.addNode('First', { name: 'one' });
  expect(codeOf(() => two.begin())).toBe('SOMBRA_BUSY');
  expect(two.reader.nodeCount()).toBe(0);
  tx.commit();
  const next = two.begin();
  expect([next.addNode(['Second', 'First'], { name: 'two' }), next.nodeCount('First'), next.labels()]).toEqual([
    2,
    2,
    ['First', 'Second'],
  ]);
  next.commit();
  await nextTurn();
  expect(one.reader.getNode(2)).toEqual({ id: 2, labels: ['Second', 'First'], properties: { name: 'two' } });
  one.pager.close();
  two.pager.close();
});

/** Two connections to one graph. The first has read in this turn, so that its view is older than what the second commits in it. */
async function lagging(seed: (graph: Graph) => void, behind: (graph: Graph) => void): Promise<[Graph, Graph]> {
  const vfs = new MemoryVfs();
  const [one, two] = [connect(vfs), connect(vfs)];
  seed(one);
  await nextTurn();
  one.reader.nodeCount();
  behind(two);
  return [one, two];
}

function add(graph: Graph, label: string, properties: Properties): void {
  const tx = graph.begin();
  tx.addNode(label, properties);
  tx.commit();
}

test('an index holds what another connection has committed since this one read', async () => {
  const [one, two] = await lagging(
    (graph) => add(graph, 'P', { a: 1 }),
    (graph) => add(graph, 'P', { a: 2 }),
  );
  expect(one.createPropertyIndex('P', 'a')).toBe(true);
  for (const graph of [one, two]) {
    expect([...graph.reader.findNodes({ label: 'P', where: { a: { gte: 0 } } })].map(({ id }) => id)).toEqual([1, 2]);
    expect(graph.verifyIntegrity().errors).toEqual([]);
  }
  one.pager.close();
  two.pager.close();
});

test('an index that another connection has dropped since this one read is created again', async () => {
  const [one, two] = await lagging(
    (graph) => {
      add(graph, 'P', { a: 1 });
      graph.createPropertyIndex('P', 'a');
    },
    (graph) => graph.dropPropertyIndex('P', 'a'),
  );
  expect(one.createPropertyIndex('P', 'a')).toBe(true);
  await nextTurn();
  expect(two.reader.propertyIndexes()).toHaveLength(1);
  one.pager.close();
  two.pager.close();
});

test('a bulk load is refused when another connection has filled the graph since this one read, and loses nothing', async () => {
  const [one, two] = await lagging(
    () => undefined,
    (graph) => add(graph, 'Q', { b: 2 }),
  );
  expect(codeOf(() => one.bulkLoad({ nodes: [{ labels: 'X' }], edges: [] }))).toBe('SOMBRA_BULK_NOT_EMPTY');
  add(one, 'R', { c: 3 });
  await nextTurn();
  for (const graph of [one, two]) {
    expect([...graph.reader.nodes()].map(({ labels, properties }) => [labels, properties])).toEqual([
      [['Q'], { b: 2 }],
      [['R'], { c: 3 }],
    ]);
    expect(graph.verifyIntegrity().errors).toEqual([]);
  }
  one.pager.close();
  two.pager.close();
});

test('a bulk load that fails takes back no names of other connections', async () => {
  const vfs = new MemoryVfs();
  const [one, two] = [connect(vfs), connect(vfs)];
  await nextTurn();
  add(two, 'Q', { b: 2 });
  expect(codeOf(() => one.bulkLoad({ nodes: [{ labels: 'X' }], edges: [] }))).toBe('SOMBRA_BULK_NOT_EMPTY');
  add(one, 'R', { c: 3 });
  await nextTurn();
  for (const { reader } of [one, two]) {
    expect(reader.labels()).toEqual(['Q', 'R']);
    expect(reader.getNode(1)).toEqual({ id: 1, labels: ['Q'], properties: { b: 2 } });
  }
  one.pager.close();
  two.pager.close();
});
