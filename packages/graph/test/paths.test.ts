// Goal: streams of paths, shortest ones and cheapest ones are complete, in order, and without doubles. Method: random
// multigraphs beside an enumeration of all walks, and beside graphology (lengths, numbers of shortest paths, costs); small
// graphs with answers worked out by hand. SOMBRA_SEED=n makes other graphs.
import { describe, expect, test } from 'vitest';
import type { Direction, Path, PathsOptions } from '../src/index.ts';
import { codeOf } from './support/errors.ts';
import { buildGraphology, dijkstra, idOf, keyOf, unweighted } from './support/graphology.ts';
import { withGraph } from './support/open.ts';
import { Random, suiteSeed } from './support/random.ts';
import { randomGraph, type RandomGraph, type Shape } from './support/random-graph.ts';

const SMALL: Shape[] = [
  { name: 'sparse', nodes: 14, edges: 22 },
  { name: 'parallel', nodes: 5, edges: 14 },
  { name: 'without cycles', nodes: 12, edges: 30, acyclic: true },
];
const LARGE: Shape[] = [
  { name: 'sparse', nodes: 200, edges: 420 },
  { name: 'dense', nodes: 50, edges: 700 },
  { name: 'hubs', nodes: 300, edges: 1200, hubs: 0.5 },
];
const DIRECTIONS: Direction[] = ['out', 'in', 'both'];

/** All paths from a node by recursion: each before its extensions. */
function enumerate({ db }: RandomGraph, from: number, to: number | undefined, options: PathsOptions): Path[] {
  const { direction = 'out', type, minLength = 1, maxLength = Infinity, unique = 'edges', distinct } = options;
  const found: Path[] = [];
  const nodes = [from];
  const edges: number[] = [];
  const follow = (): void => {
    if (edges.length >= minLength && (to === undefined || nodes.at(-1) === to))
      found.push({ nodes: [...nodes], edges: [...edges], length: edges.length });
    if (edges.length >= maxLength) return;
    const last = nodes.at(-1)!;
    const taken = new Set<number>();
    for (const edge of db.reader.edgesOf(last, type === undefined ? { direction } : { direction, type })) {
      const other = direction === 'in' ? edge.source : edge.source === last ? edge.target : edge.source;
      if (unique === 'nodes' ? nodes.includes(other) : edges.includes(edge.id)) continue;
      if (options.edgeFilter?.(edge, edges.length + 1) === false) continue;
      if (options.nodeFilter?.(db.reader.getNode(other)!, edges.length + 1) === false) continue;
      if (distinct === true && taken.has(other)) continue;
      taken.add(other);
      nodes.push(other);
      edges.push(edge.id);
      follow();
      nodes.pop();
      edges.pop();
    }
  };
  follow();
  return found;
}

function weightOf({ edges }: RandomGraph, path: Path): number {
  return path.edges.reduce((sum, edge) => sum + edges.get(edge)!.weight!, 0);
}

const QUERIES: PathsOptions[] = DIRECTIONS.flatMap((direction) => [
  { direction, maxLength: 3 },
  { direction, minLength: 0, maxLength: 2 },
  { direction, minLength: 3, maxLength: 4, type: ['A', 'B'] },
  { direction, maxLength: 4, unique: 'nodes' as const },
  { direction, maxLength: 3, distinct: true },
  { direction, maxLength: 4, unique: 'nodes' as const, distinct: true, minLength: 0 },
  { direction, minLength: 2, maxLength: 1 },
  {
    direction,
    maxLength: 3,
    edgeFilter: ({ id }) => id % 3 !== 0,
    nodeFilter: ({ id }, depth) => id !== 2 || depth === 1,
  },
  { direction, maxLength: 3, edgeFilter: ({ id }) => id % 2 === 0, distinct: true },
]);

describe.each(SMALL)('all paths of a random graph, $name', (shape) => {
  const random = new Random(suiteSeed(41));
  const graph = randomGraph(shape, random);
  const { reader } = graph.db;

  test('of any length', () => {
    let seen = 0;
    for (const options of QUERIES) {
      for (let i = 0; i < 4; i += 1) {
        const from = 1 + random.below(shape.nodes);
        const to = 1 + random.below(shape.nodes);
        for (const end of [undefined, to, from]) {
          const wanted = enumerate(graph, from, end, options);
          seen += wanted.length;
          expect([...reader.paths(from, end, options)]).toEqual(wanted);
          expect([...reader.paths(from, end, { ...options, limit: 2 })]).toEqual(wanted.slice(0, 2));
        }
      }
    }
    expect(seen).toBeGreaterThan(500);
  });

  test('without a greatest length', () => {
    for (const unique of ['nodes', 'edges'] as const) {
      const options: PathsOptions = { unique, type: 'A' };
      expect([...reader.paths(1, undefined, options)]).toEqual(enumerate(graph, 1, undefined, options));
      expect([...reader.paths(1, 5, options)]).toEqual(enumerate(graph, 1, 5, options));
    }
  });

  test('the k shortest simple ones, by edges and by weight', () => {
    for (const direction of DIRECTIONS) {
      for (let i = 0; i < 8; i += 1) {
        const from = 1 + random.below(shape.nodes);
        const to = 1 + random.below(shape.nodes);
        const type = i % 2 === 0 ? {} : { type: ['A', 'B'] };
        const all = enumerate(graph, from, to, { direction, ...type, unique: 'nodes', minLength: 0 });
        const lengths = all.map(({ length }) => length).sort((a, b) => a - b);
        const costs = all.map((path) => weightOf(graph, path)).sort((a, b) => a - b);
        // Of equal ones the same come first, however many are wanted.
        const most = reader.kShortestPaths(from, to, 40, { direction, ...type });
        for (const k of [0, 1, 2, 5, 40]) {
          const byEdges = reader.kShortestPaths(from, to, k, { direction, ...type });
          expect(byEdges.map(({ length }) => length)).toEqual(lengths.slice(0, k));
          const byWeight = reader.kShortestPaths(from, to, k, { direction, ...type, weight: 'weight' });
          expect(byWeight.map(({ weight }) => weight)).toEqual(costs.slice(0, k));
          expect(byWeight.map((path) => weightOf(graph, path))).toEqual(costs.slice(0, k));
          expect(byEdges).toEqual(most.slice(0, k));
          for (const found of [byEdges, byWeight]) {
            const known = new Set(all.map(({ nodes, edges }) => JSON.stringify([nodes, edges])));
            const keys = found.map(({ nodes, edges }) => JSON.stringify([nodes, edges]));
            expect(keys.filter((key) => !known.has(key))).toEqual([]);
            expect(new Set(keys).size).toBe(keys.length);
          }
        }
        const near = lengths.filter((length) => length <= 2);
        expect(reader.kShortestPaths(from, to, 99, { direction, ...type, maxDepth: 2 }).length).toBe(
          Math.min(99, near.length),
        );
        const cheap = costs.filter((cost) => cost <= 7);
        expect(reader.kShortestPaths(from, to, 99, { direction, ...type, weight: 'weight', maxCost: 7 }).length).toBe(
          Math.min(99, cheap.length),
        );
      }
    }
  });

  test('leaves a sound graph', () => {
    graph.db.close();
  });
});

describe.each(LARGE)('shortest paths of a random graph, $name', (shape) => {
  const random = new Random(suiteSeed(42));
  const graph = randomGraph(shape, random);
  const { reader } = graph.db;
  const other = buildGraphology(shape.nodes, graph.edges);

  test('lengths and numbers are those of graphology', () => {
    for (let i = 0; i < 6; i += 1) {
      const from = 1 + random.below(shape.nodes);
      const lengths = unweighted.singleSourceLength(other, keyOf(from));
      const wanted = new Map(Object.entries(lengths).map(([key, length]) => [idOf(key), length]));
      const found = reader.distances(from);
      expect(new Map(found.map(({ id, distance }) => [id, distance]))).toEqual(wanted);
      expect(found.every(({ distance }, at) => at === 0 || distance >= found[at - 1]!.distance)).toBe(true);
      const [, , counts] = unweighted.brandes(other, keyOf(from));
      for (let j = 0; j < 25; j += 1) {
        const to = 1 + random.below(shape.nodes);
        expect(reader.shortestPath(from, to)?.length).toBe(wanted.get(to));
        const all = [...reader.allShortestPaths(from, to, { distinct: true })];
        expect(all.length).toBe(wanted.has(to) ? counts[keyOf(to)] : 0);
        expect(new Set(all.map(({ nodes }) => nodes.join())).size).toBe(all.length);
        if (!wanted.has(to)) continue;
        for (const path of all) {
          expect(path.length).toBe(wanted.get(to));
          expect([path.nodes[0], path.nodes.at(-1)]).toEqual([from, to]);
          path.edges.forEach((edge, at) => {
            const { source, target } = graph.edges.get(edge)!;
            expect([source, target]).toEqual([path.nodes[at], path.nodes[at + 1]]);
          });
        }
        const least = wanted.get(to)!;
        expect([...reader.allShortestPaths(from, to, { distinct: true, limit: 2 })]).toEqual(all.slice(0, 2));
        if (least > 0) expect([...reader.allShortestPaths(from, to, { maxDepth: least - 1 })]).toEqual([]);
        expect([...reader.allShortestPaths(from, to, { maxDepth: least, distinct: true })]).toEqual(all);
      }
    }
  });

  test('all of them, parallel edges too, are the walks of that length', () => {
    for (const direction of DIRECTIONS) {
      for (let i = 0; i < 6; i += 1) {
        const from = 1 + random.below(shape.nodes);
        const to = 1 + random.below(shape.nodes);
        const length = reader.shortestPath(from, to, { direction })?.length;
        if (length === undefined || length > 3) continue;
        const wanted = [
          ...reader.paths(from, to, { direction, minLength: length, maxLength: length, unique: 'nodes' }),
        ];
        expect([...reader.allShortestPaths(from, to, { direction })]).toEqual(wanted);
      }
    }
  });

  test('costs are those of graphology', () => {
    for (let i = 0; i < 6; i += 1) {
      const from = 1 + random.below(shape.nodes);
      // graphology follows one of several parallel edges: the cheapest must be left alone.
      const cheapest = new Map<string, { source: number; target: number; weight: number }>();
      for (const { source, target, weight } of graph.edges.values()) {
        const key = `${source} ${target}`;
        if (weight! < (cheapest.get(key)?.weight ?? Infinity)) cheapest.set(key, { source, target, weight: weight! });
      }
      const simple = buildGraphology(shape.nodes, new Map([...cheapest.values()].map((edge, at) => [at, edge])));
      const ways = dijkstra.singleSource(simple, keyOf(from), 'weight');
      const wanted = new Map(
        Object.entries(ways).map(([key, way]) => {
          const steps = way.map(idOf);
          const costs = steps.slice(1).map((to, at) => cheapest.get(`${steps[at]} ${to}`)!.weight);
          return [idOf(key), costs.reduce((sum, cost) => sum + cost, 0)];
        }),
      );
      const found = reader.distances(from, { weight: 'weight' });
      expect(new Map(found.map(({ id, distance }) => [id, distance]))).toEqual(wanted);
      expect(found.every(({ distance }, at) => at === 0 || distance >= found[at - 1]!.distance)).toBe(true);
      expect(found[0]).toEqual({ id: from, distance: 0 });
      const near = reader.distances(from, { weight: 'weight', maxCost: 6 });
      expect(new Map(near.map(({ id, distance }) => [id, distance]))).toEqual(
        new Map([...wanted].filter(([, distance]) => distance <= 6)),
      );
      expect(reader.distances(from, { weight: 'weight', limit: 5 })).toEqual(found.slice(0, 5));
      for (let j = 0; j < 10; j += 1) {
        const to = 1 + random.below(shape.nodes);
        const cost = wanted.get(to);
        expect(reader.shortestPath(from, to, { weight: 'weight' })?.weight).toBe(cost);
        if (cost === undefined || cost === 0) continue;
        expect(reader.shortestPath(from, to, { weight: 'weight', maxCost: cost })?.weight).toBe(cost);
        expect(reader.shortestPath(from, to, { weight: 'weight', maxCost: cost - 0.5 })).toBeUndefined();
      }
    }
  });

  test('the k cheapest begin with the cheapest, and never get cheaper', () => {
    for (let i = 0; i < 4; i += 1) {
      const from = 1 + random.below(shape.nodes);
      const to = 1 + random.below(shape.nodes);
      const found = reader.kShortestPaths(from, to, 6, { weight: 'weight' });
      expect(found[0]?.weight).toBe(reader.shortestPath(from, to, { weight: 'weight' })?.weight);
      found.forEach((path, at) => {
        expect(weightOf(graph, path)).toBe(path.weight);
        expect(new Set(path.nodes).size).toBe(path.nodes.length);
        if (at > 0) expect(path.weight!).toBeGreaterThanOrEqual(found[at - 1]!.weight!);
      });
      expect(reader.kShortestPaths(from, to, 3, { weight: 'weight' })).toEqual(found.slice(0, 3));
    }
  });

  test('leaves a sound graph', () => {
    graph.db.close();
  });
});

describe('known graphs', () => {
  test('the k shortest paths of the textbook example', () => {
    // https://en.wikipedia.org/wiki/Yen%27s_algorithm#Example: C to H
    withGraph({}, (db) => {
      const id: Record<string, number> = {};
      db.write((tx) => {
        for (const name of ['C', 'D', 'E', 'F', 'G', 'H']) id[name] = tx.addNode([], { name });
        for (const [a, b, w] of [
          ['C', 'D', 3],
          ['C', 'E', 2],
          ['D', 'F', 4],
          ['E', 'D', 1],
          ['E', 'F', 2],
          ['E', 'G', 3],
          ['F', 'G', 2],
          ['F', 'H', 1],
          ['G', 'H', 2],
        ] as const)
          tx.addEdge(id[a]!, id[b]!, 'T', { w });
      });
      const found = db.reader.kShortestPaths(id['C']!, id['H']!, 3, { weight: 'w' });
      const names = found.map(({ nodes }) => nodes.map((one) => db.reader.getNodeProperty(one, 'name')).join(''));
      expect(found.map(({ weight }) => weight)).toEqual([5, 7, 8]);
      expect(names.slice(0, 2)).toEqual(['CEFH', 'CEGH']);
      expect(['CDFH', 'CEDFH', 'CEFGH']).toContain(names[2]);
    });
  });

  test('a path whose cost is just maxCost is found, whatever rounding does to sums in another order', () => {
    withGraph({}, ({ graph }) => {
      const tx = graph.begin();
      for (let i = 0; i < 4; i += 1) tx.addNode([]);
      const sums = [[0.3, 0.2, 0.1] as const, [0.1, 0.2, 0.3] as const].map((weights) => {
        weights.forEach((w, i) => tx.addEdge(i + 1, i + 2, 'T', { w }));
        return weights[0] + weights[1] + weights[2];
      });
      tx.commit();
      const { reader } = graph;
      const all = [...reader.paths(1, 4, { unique: 'nodes' })].map(({ edges }) =>
        edges.reduce((sum, edge) => sum + Number(reader.getEdgeProperty(edge, 'w')), 0),
      );
      expect(new Set(sums).size).toBe(2);
      for (const maxCost of new Set(all)) {
        const found = reader.kShortestPaths(1, 4, 99, { weight: 'w', maxCost }).map((path) => path.weight);
        expect(found.toSorted()).toEqual(all.filter((cost) => cost <= maxCost).toSorted());
      }
    });
  });

  test('a walk may pass its end and come back, unless nodes are unique', () => {
    withGraph({}, (db) => {
      db.write((tx) => {
        for (let i = 0; i < 3; i += 1) tx.addNode([]);
        tx.addEdge(1, 2, 'T');
        tx.addEdge(2, 3, 'T');
        tx.addEdge(3, 2, 'T');
      });
      const nodes = (options?: PathsOptions): number[][] =>
        [...db.reader.paths(1, 2, options)].map((path) => path.nodes);
      expect(nodes()).toEqual([
        [1, 2],
        [1, 2, 3, 2],
      ]);
      expect(nodes({ unique: 'nodes' })).toEqual([[1, 2]]);
      expect([...db.reader.paths(2, 2)].map((path) => path.nodes)).toEqual([[2, 3, 2]]);
    });
  });

  test('a stream can be left at any time, and lets its snapshot go', () => {
    withGraph({}, (db) => {
      db.write((tx) => {
        for (let i = 0; i < 30; i += 1) tx.addNode([]);
        for (let a = 1; a < 30; a += 1) for (let b = a + 1; b <= 30; b += 1) tx.addEdge(a, b, 'T');
      });
      let count = 0;
      for (const path of db.reader.paths(1, 30)) {
        expect(path.nodes.at(-1)).toBe(30);
        if (++count === 1000) break;
      }
      expect(db.pager.stats().snapshots).toBe(0);
      const stream = db.reader.allShortestPaths(1, 30);
      db.write((tx) => tx.deleteNode(30, { cascade: true }));
      expect([...stream]).toEqual([]); // it begins at the first step
      const begun = db.reader.paths(1, 29);
      begun.next();
      db.write((tx) => tx.deleteNode(29, { cascade: true }));
      expect(begun.next().done).toBe(false);
      begun.return?.();
      expect(db.pager.stats().snapshots).toBe(0);
    });
  });

  test('bad weights are refused by every search by weight', () => {
    withGraph({}, (db) => {
      db.write((tx) => {
        for (let i = 0; i < 3; i += 1) tx.addNode([]);
        tx.addEdge(1, 2, 'T', { w: 1, nan: NaN, minus: -1 });
        tx.addEdge(2, 3, 'T', { nan: 1, minus: 1 });
      });
      for (const weight of ['w', 'nan', 'minus', 'none']) {
        expect(codeOf(() => db.reader.shortestPath(1, 3, { weight }))).toBe('SOMBRA_WEIGHT');
        expect(codeOf(() => db.reader.distances(1, { weight }))).toBe('SOMBRA_WEIGHT');
        expect(codeOf(() => db.reader.kShortestPaths(1, 3, 2, { weight }))).toBe('SOMBRA_WEIGHT');
      }
    });
  });
});

test('the one best path is searched within its own cost, and no further', () => {
  withGraph({}, (db) => {
    const [far, a, b] = db.write((tx) => {
      const [far, a, b] = [tx.addNode([]), tx.addNode([]), tx.addNode([])];
      tx.addEdge(far, a, 'T', { km: 9 });
      tx.addEdge(a, b, 'T', { km: 1 });
      tx.addEdge(tx.addNode([]), far, 'T');
      return [far, a, b];
    });
    const weight = 'km';
    expect(db.reader.kShortestPaths(a!, b!, 1, { weight }).map(({ nodes }) => nodes)).toEqual([[a, b]]);
    expect(db.reader.kShortestPaths(b!, far!, 1, { weight })).toEqual([]);
    expect(codeOf(() => db.reader.kShortestPaths(a!, b!, 2, { weight }))).toBe('SOMBRA_WEIGHT');
  });
});
