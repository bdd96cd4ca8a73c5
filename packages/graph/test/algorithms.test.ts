// Goal: algorithms over the whole graph give what others give. Method: random directed multigraphs with self loops, parallel
// edges, hubs with chains and deleted nodes, beside graphology and beside brute force; small graphs with answers worked out by
// hand. SOMBRA_SEED=n makes other graphs.
import { describe, expect, test } from 'vitest';
import type { Direction } from '../src/index.ts';
import { buildGraphology, components, dag, idOf, keyOf, pagerank } from './support/graphology.ts';
import { OpenGraph, withGraph } from './support/open.ts';
import { Random, suiteSeed } from './support/random.ts';
import { labelsOf, randomGraph, type RandomGraph, type Shape } from './support/random-graph.ts';
import type { ReferenceEdge } from './support/reference.ts';

const SHAPES: Shape[] = [
  { name: 'sparse', nodes: 300, edges: 260 },
  { name: 'near the threshold', nodes: 200, edges: 330 },
  { name: 'dense', nodes: 40, edges: 700 },
  { name: 'hubs', nodes: 400, edges: 1500, hubs: 0.5 },
  { name: 'with gaps', nodes: 300, edges: 900, deleted: 0.3 },
  { name: 'without cycles', nodes: 200, edges: 500, acyclic: true },
  { name: 'two nodes', nodes: 2, edges: 3 },
  { name: 'no edges', nodes: 5, edges: 0 },
];

interface Part {
  readonly options: { label?: string; type?: string | string[] };
  readonly node: (id: number) => boolean;
  readonly edge: (edge: ReferenceEdge) => boolean;
}

const PARTS: Part[] = [
  { options: {}, node: () => true, edge: () => true },
  { options: { type: 'A' }, node: () => true, edge: ({ type }) => type === 'A' },
  { options: { label: 'X' }, node: (id) => labelsOf(id).includes('X'), edge: () => true },
  {
    options: { label: 'Y', type: ['A', 'C'] },
    node: (id) => labelsOf(id).includes('Y'),
    edge: ({ type }) => type !== 'B',
  },
  { options: { label: 'missing' }, node: () => false, edge: () => true },
  { options: { type: 'missing' }, node: () => true, edge: () => false },
];

/** The part of a graph that options ask for: ids, and edges among them. */
function partOf({ ids, edges }: RandomGraph, { node, edge }: Part): { ids: number[]; edges: ReferenceEdge[] } {
  const kept = [...edges.values()].filter((one) => node(one.source) && node(one.target) && edge(one));
  return { ids: ids.filter(node), edges: kept };
}

/** The part in graphology, nodes numbered from 1 in the order of `ids`. */
function opinion({ ids, edges }: { ids: number[]; edges: ReferenceEdge[] }): ReturnType<typeof buildGraphology> {
  const place = new Map(ids.map((id, i) => [id, i + 1]));
  return buildGraphology(
    ids.length,
    new Map(
      edges.map(({ source, target }, i) => [i, { source: place.get(source)!, target: place.get(target)! }] as const),
    ),
  );
}

/** Groups in the order of Components: by size, then by least id; ids ascending. */
function ordered(groups: readonly number[][]): number[][] {
  return groups.map((group) => [...group].sort((a, b) => a - b)).sort((a, b) => b.length - a.length || a[0]! - b[0]!);
}

/** Neighbours of each node in the undirected simple graph. */
function simpleNeighbours(ids: readonly number[], edges: readonly ReferenceEdge[]): Map<number, Set<number>> {
  const near = new Map(ids.map((id) => [id, new Set<number>()]));
  for (const { source, target } of edges) {
    if (source === target) continue;
    near.get(source)!.add(target);
    near.get(target)!.add(source);
  }
  return near;
}

describe.each(SHAPES)('a random graph, $name', (shape) => {
  const graph = randomGraph(shape, new Random(suiteSeed(21)));
  const { db } = graph;
  const { reader } = db;
  const parts = PARTS.map((part) => ({
    ...part,
    name: JSON.stringify(part.options),
    ...{ expected: partOf(graph, part) },
  }));

  test.each(parts)('components of $name', ({ options, expected }) => {
    const other = opinion(expected);
    const real = (groups: string[][]): number[][] =>
      groups.map((group) => group.map((key) => expected.ids[idOf(key) - 1]!));
    for (const [kind, groups] of [
      ['weak', components.connectedComponents(other)],
      ['strong', components.stronglyConnectedComponents(other)],
    ] as const) {
      const found = reader.components({ ...options, kind });
      const wanted = ordered(real(groups));
      expect(found.count).toBe(wanted.length);
      expect([...found.sizes]).toEqual(wanted.map((group) => group.length));
      expect(wanted.map((_, i) => found.members(i))).toEqual(wanted);
      expect([...found.of.nodes]).toEqual(expected.ids);
      wanted.forEach((group, i) => group.forEach((id) => expect(found.of.get(id)).toBe(i)));
    }
  });

  test.each(parts)('ranks of $name', ({ options, expected }) => {
    if (expected.ids.length === 0) {
      expect(reader.pageRank(options)).toMatchObject({ iterations: 0, converged: true });
      return;
    }
    const turned = {
      ids: expected.ids,
      edges: expected.edges.map((e) => ({ ...e, source: e.target, target: e.source })),
    };
    const both = {
      ids: expected.ids,
      edges: [...expected.edges, ...turned.edges.filter((e) => e.source !== e.target)],
    };
    for (const [direction, part] of [
      ['out', expected],
      ['in', turned],
      ['both', both],
    ] as const) {
      const settings = { alpha: 0.85, tolerance: 1e-13, maxIterations: 1000, getEdgeWeight: null };
      const wanted = pagerank(opinion(part), settings);
      const found = reader.pageRank({ ...options, direction, tolerance: 1e-11, maxIterations: 1000 });
      expect(found.converged).toBe(true);
      expected.ids.forEach((id, i) => expect(found.perNode.get(id)).toBeCloseTo(wanted[keyOf(i + 1)]!, 9));
      expect([...found.perNode.values].reduce((sum, rank) => sum + rank, 0)).toBeCloseTo(1, 9);
    }
  });

  test.each(parts)('triangles and clustering of $name', ({ options, expected }) => {
    const near = simpleNeighbours(expected.ids, expected.edges);
    const counts = new Map(expected.ids.map((id) => [id, 0]));
    let total = 0;
    let pairs = 0;
    let sum = 0;
    for (const id of expected.ids) {
      const others = [...near.get(id)!];
      for (const [i, a] of others.entries())
        for (const b of others.slice(i + 1)) if (near.get(a)!.has(b)) counts.set(id, counts.get(id)! + 1);
      total += counts.get(id)!;
      const possible = (others.length * (others.length - 1)) / 2;
      pairs += possible;
      sum += possible === 0 ? 0 : counts.get(id)! / possible;
    }
    const found = reader.triangles(options);
    expect(found.total).toBe(total / 3);
    expect([...found.perNode].map(({ id, value }) => [id, value])).toEqual([...counts]);
    const clustering = reader.clustering(options);
    expect(clustering.average).toBeCloseTo(expected.ids.length === 0 ? 0 : sum / expected.ids.length, 12);
    expect(clustering.global).toBeCloseTo(pairs === 0 ? 0 : total / pairs, 12);
    for (const id of expected.ids) {
      const possible = (near.get(id)!.size * (near.get(id)!.size - 1)) / 2;
      expect(clustering.perNode.get(id)).toBeCloseTo(possible === 0 ? 0 : counts.get(id)! / possible, 12);
    }
  });

  test.each(parts)('order and cycles of $name', ({ options, expected }) => {
    const other = opinion(expected);
    if (dag.hasCycle(other)) {
      const cycle = reader.findCycle(options)!;
      expect(cycle.nodes[0]).toBe(cycle.nodes.at(-1));
      expect(cycle.nodes[0]).toBe(Math.min(...cycle.nodes));
      expect(new Set(cycle.nodes).size).toBe(cycle.length);
      expect(cycle.edges.length).toBe(cycle.length);
      cycle.edges.forEach((edge, i) => {
        const { source, target } = graph.edges.get(edge)!;
        expect([source, target]).toEqual([cycle.nodes[i], cycle.nodes[i + 1]]);
        expect(expected.edges).toContain(graph.edges.get(edge));
      });
      for (const direction of ['out', 'in'] as const)
        expect(() => reader.topologicalOrder({ ...options, direction })).toThrow(
          expect.objectContaining({ code: 'SOMBRA_CYCLE' }),
        );
      return;
    }
    expect(reader.findCycle(options)).toBeUndefined();
    for (const direction of ['out', 'in'] as const)
      expect(reader.topologicalOrder({ ...options, direction })).toEqual(smallestOrder(expected, direction));
  });

  test.each(parts)('degrees of $name', ({ options, node }) => {
    for (const direction of ['out', 'in', 'both'] as Direction[]) {
      const wanted = new Map<number, number>();
      const { type } = options;
      for (const id of graph.ids.filter(node)) {
        const degree = reader.degree(id, type === undefined ? { direction } : { direction, type });
        wanted.set(degree, (wanted.get(degree) ?? 0) + 1);
      }
      expect(reader.degreeDistribution({ ...options, direction })).toEqual(
        [...wanted].sort((a, b) => a[0] - b[0]).map(([degree, nodes]) => ({ degree, nodes })),
      );
    }
  });

  test('asynchronous twins give the same', async () => {
    const options = { type: ['A', 'B'] };
    expect(await reader.componentsAsync({ ...options, kind: 'strong' })).toEqual(
      reader.components({ ...options, kind: 'strong' }),
    );
    expect(await reader.trianglesAsync(options)).toEqual(reader.triangles(options));
    expect(await reader.clusteringAsync(options)).toEqual(reader.clustering(options));
    expect(await reader.pageRankAsync(options)).toEqual(reader.pageRank(options));
    expect(await reader.degreeDistributionAsync(options)).toEqual(reader.degreeDistribution(options));
    expect(await reader.findCycleAsync(options)).toEqual(reader.findCycle(options));
    if (reader.findCycle(options) === undefined)
      expect(await reader.topologicalOrderAsync(options)).toEqual(reader.topologicalOrder(options));
    else await expect(reader.topologicalOrderAsync(options)).rejects.toMatchObject({ code: 'SOMBRA_CYCLE' });
  });

  test('leaves a sound graph', () => {
    db.close();
  });
});

/** Always the least of the nodes that nothing is waited for. Slow and plain. */
function smallestOrder(part: { ids: number[]; edges: ReferenceEdge[] }, direction: 'out' | 'in'): number[] {
  let edges = part.edges.map((e) => (direction === 'out' ? [e.source, e.target] : [e.target, e.source]));
  let left = [...part.ids];
  const order: number[] = [];
  while (left.length > 0) {
    const blocked = new Set(edges.map(([, target]) => target));
    const next = left.find((id) => !blocked.has(id))!;
    order.push(next);
    left = left.filter((id) => id !== next);
    edges = edges.filter(([source]) => source !== next);
  }
  return order;
}

describe('graphs with known answers', () => {
  /** Nodes 1 to `nodes`, edges of type T. */
  function known(nodes: number, edges: readonly [number, number][]): OpenGraph {
    const db = new OpenGraph();
    db.write((tx) => {
      for (let i = 0; i < nodes; i += 1) tx.addNode('N');
      for (const [source, target] of edges) tx.addEdge(source, target, 'T');
    });
    return db;
  }

  test('an empty graph', () => {
    withGraph({}, ({ reader }) => {
      expect(reader.components().count).toBe(0);
      expect(reader.components({ kind: 'strong' }).count).toBe(0);
      expect(reader.triangles().total).toBe(0);
      expect(reader.clustering()).toMatchObject({ average: 0, global: 0 });
      expect(reader.pageRank().perNode.size).toBe(0);
      expect(reader.topologicalOrder()).toEqual([]);
      expect(reader.findCycle()).toBeUndefined();
      expect(reader.degreeDistribution()).toEqual([]);
    });
  });

  test('a complete graph of five has ten triangles, six at each node, and is wholly clustered', () => {
    const edges: [number, number][] = [];
    for (let a = 1; a <= 5; a += 1) for (let b = a + 1; b <= 5; b += 1) edges.push([a, b]);
    const db = known(5, edges);
    expect(db.reader.triangles().total).toBe(10);
    expect([...db.reader.triangles().perNode.values]).toEqual([6, 6, 6, 6, 6]);
    expect(db.reader.clustering()).toMatchObject({ average: 1, global: 1 });
    db.close();
  });

  test('edges both ways, parallel edges and self loops make no triangle more', () => {
    const db = known(3, [
      [1, 2],
      [2, 1],
      [1, 2],
      [2, 3],
      [3, 1],
      [1, 1],
    ]);
    expect(db.reader.triangles().total).toBe(1);
    db.close();
  });

  test('ranks of two nodes of which one has no edge onward', () => {
    // With damping d and ranks a, b: a = (1-d)/2 + d*b/2, b = a + d*a; so b = (1+d)/(2+d), which is 1.85/2.85.
    const db = known(2, [[1, 2]]);
    const { perNode } = db.reader.pageRank({ tolerance: 1e-14, maxIterations: 1000 });
    expect(perNode.get(2)).toBeCloseTo(1.85 / 2.85, 12);
    expect(perNode.get(1)).toBeCloseTo(1 / 2.85, 12);
    expect(perNode.top(1)).toEqual([{ id: 2, value: perNode.get(2) }]);
    expect(perNode.get(3)).toBeUndefined();
    db.close();
  });

  test('parallel edges count in ranks', () => {
    // Node 1 leads twice to 2 and once to 3; both lead back. With d = 1, rank 2 : rank 3 = 2 : 1 and rank 1 is a half.
    const db = known(3, [
      [1, 2],
      [1, 2],
      [1, 3],
      [2, 1],
      [3, 1],
    ]);
    const { perNode } = db.reader.pageRank({ damping: 0.9999, tolerance: 1e-14, maxIterations: 100_000 });
    expect(perNode.get(2)! / perNode.get(3)!).toBeCloseTo(2, 2);
    expect(perNode.get(1)).toBeCloseTo(0.5, 3);
    db.close();
  });

  test('iterations end at their limit, and say so', () => {
    const db = known(2, [[1, 2]]);
    expect(db.reader.pageRank({ maxIterations: 2, tolerance: 0 })).toMatchObject({ iterations: 2, converged: false });
    expect([...db.reader.pageRank({ maxIterations: 0 }).perNode.values]).toEqual([0.5, 0.5]);
    expect([...db.reader.pageRank({ damping: 0 }).perNode.values]).toEqual([0.5, 0.5]);
    db.close();
  });

  test('strong components of two rings with a bridge', () => {
    const db = known(6, [
      [1, 2],
      [2, 1],
      [2, 3],
      [3, 4],
      [4, 5],
      [5, 3],
    ]);
    const strong = db.reader.components({ kind: 'strong' });
    expect([0, 1, 2].map((i) => strong.members(i))).toEqual([[3, 4, 5], [1, 2], [6]]);
    const weak = db.reader.components();
    expect([...weak.sizes]).toEqual([5, 1]);
    db.close();
  });

  test('a cycle is named by the error, and a self loop is one', () => {
    const db = known(5, [
      [1, 4],
      [4, 5],
      [5, 2],
      [2, 4],
      [3, 3],
    ]);
    const cycle = { nodes: [2, 4, 5, 2], edges: [4, 2, 3], length: 3 };
    expect(db.reader.findCycle()).toEqual(cycle);
    expect(() => db.reader.topologicalOrder()).toThrow(
      expect.objectContaining({ code: 'SOMBRA_CYCLE', details: { nodes: cycle.nodes, edges: cycle.edges } }),
    );
    db.write((tx) => tx.deleteEdge(4));
    expect(db.reader.findCycle()).toEqual({ nodes: [3, 3], edges: [5], length: 1 });
    db.write((tx) => tx.deleteEdge(5));
    expect(db.reader.findCycle()).toBeUndefined();
    expect(db.reader.topologicalOrder()).toEqual([1, 3, 4, 5, 2]);
    expect(db.reader.topologicalOrder({ direction: 'in' })).toEqual([2, 3, 5, 4, 1]);
    db.close();
  });

  test('a path of many nodes needs no recursion', () => {
    const length = 20_000;
    const db = new OpenGraph({ cacheSize: 256, maxTransactionPages: 2000 });
    db.graph.bulkLoad({
      nodes: Array.from({ length }, () => ({ labels: 'N' })),
      edges: Array.from({ length: length - 1 }, (_, i) => ({ source: i, target: i + 1, type: 'T' })),
    });
    expect(db.reader.components({ kind: 'strong' }).count).toBe(length);
    expect(db.reader.findCycle()).toBeUndefined();
    expect(db.reader.topologicalOrder().at(-1)).toBe(length);
    expect(db.reader.dfs(1, { order: 'post' })[0]).toEqual({ id: length, depth: length - 1 });
    db.write((tx) => tx.addEdge(length, 1, 'T'));
    expect(db.reader.components({ kind: 'strong' }).count).toBe(1);
    expect(db.reader.findCycle()!.length).toBe(length);
    db.pager.close();
  });

  test('ids far apart are found by search', () => {
    const db = known(2000, [[1, 2000]]);
    db.write((tx) => {
      for (let i = 0; i < 80_000; i += 1) {
        const id = tx.addNode([]);
        if (i < 79_999) tx.deleteNode(id);
        else tx.addEdge(2000, id, 'T');
      }
      for (let id = 2; id < 2000; id += 1) tx.deleteNode(id);
    });
    const last = 82_000;
    expect([...db.reader.components().of.nodes]).toEqual([1, 2000, last]);
    expect(db.reader.components().count).toBe(1);
    expect(db.reader.topologicalOrder()).toEqual([1, 2000, last]);
    db.pager.close();
  });
});
