// Goal: traversals give what a textbook's give, on random graphs, in every direction, with and without types.
// Method: graphs of several shapes (sparse, dense, hubs with chains, several components, parallel edges, self loops) beside
// the reference in support/reference.ts. SOMBRA_SEED=n makes other graphs.
import { describe, expect, test } from 'vitest';
import type { Direction, GraphReader } from '../src/index.ts';
import { ascending } from './support/compare.ts';
import { codeOf } from './support/errors.ts';
import { OpenGraph, withGraph } from './support/open.ts';
import { Random, suiteSeed } from './support/random.ts';
import { Reference, type Options, type ReferenceEdge } from './support/reference.ts';

const OPTIONS: Options[] = (['out', 'in', 'both'] as Direction[]).flatMap((direction) => [
  { direction },
  { direction, type: 'A' },
  { direction, type: ['A', 'C'] },
  { direction, type: ['B', 'missing'] },
]);

interface Shape {
  readonly name: string;
  readonly nodes: number;
  readonly edges: number;
  /** Part of the edges that begin or end at one of the first three nodes. */
  readonly hubs: number;
  /** Part of the nodes in a component of their own. */
  readonly apart: number;
}

const SHAPES: Shape[] = [
  { name: 'sparse', nodes: 400, edges: 500, hubs: 0, apart: 0.2 },
  { name: 'dense', nodes: 60, edges: 1500, hubs: 0, apart: 0 },
  { name: 'hubs', nodes: 1500, edges: 4000, hubs: 0.6, apart: 0.1 },
];

/** A graph of a shape in an open database, with its reference. Weights are small integers, so that sums are exact. */
function build(shape: Shape, random: Random): { db: OpenGraph; reference: Reference; nodes: number } {
  const db = new OpenGraph({ cacheSize: 64 });
  const edges = new Map<number, ReferenceEdge>();
  const border = Math.floor(shape.nodes * (1 - shape.apart));
  const end = (inside: boolean): number => {
    if (inside && random.chance(shape.hubs)) return 1 + random.below(3);
    return inside ? 1 + random.below(border) : border + 1 + random.below(shape.nodes - border);
  };
  db.write((tx) => {
    for (let i = 0; i < shape.nodes; i += 1) tx.addNode([]);
    for (let i = 0; i < shape.edges; i += 1) {
      const inside = !random.chance(shape.apart);
      const edge = {
        source: end(inside),
        target: random.chance(0.03) ? 0 : end(inside),
        type: random.pick(['A', 'A', 'B', 'C']),
        weight: random.below(9),
      };
      if (edge.target === 0) edge.target = edge.source;
      edges.set(tx.addEdge(edge.source, edge.target, edge.type, { weight: edge.weight }), edge);
    }
  });
  return { db, reference: new Reference(edges), nodes: shape.nodes };
}

/** Counts of nodes per distance. */
function levelsOf(distances: ReadonlyMap<number, number>): number[] {
  const levels: number[] = [];
  for (const depth of distances.values()) levels[depth] = (levels[depth] ?? 0) + 1;
  return levels;
}

function checkBreadthFirst(reader: GraphReader, reference: Reference, start: number, options: Options): void {
  for (const maxDepth of [undefined, 0, 1, 3]) {
    const expected = reference.distances(start, options, maxDepth);
    const given = maxDepth === undefined ? options : { ...options, maxDepth };
    const found = reader.bfs(start, given);
    expect(new Map(found.map(({ id, depth }) => [id, depth]))).toEqual(expected);
    expect(found.length).toBe(expected.size);
    expect(found[0]).toEqual({ id: start, depth: 0 });
    expect(found.every(({ depth }, i) => i === 0 || depth >= found[i - 1]!.depth)).toBe(true);
    expect(reader.bfsLevels(start, given)).toEqual(levelsOf(expected));
    for (const limit of [1, 2, 7, found.length, found.length + 5]) {
      expect(reader.bfs(start, { ...given, limit })).toEqual(found.slice(0, limit));
      expect(reader.bfsLevels(start, { ...given, limit }).reduce((sum, count) => sum + count, 0)).toBe(
        Math.min(limit, found.length),
      );
    }
  }
}

function checkHops(reader: GraphReader, reference: Reference, start: number, options: Options): void {
  const distances = reference.distances(start, options);
  for (const hops of [0, 1, 2, 3, 9]) {
    const within = ascending([...distances].filter(([, depth]) => depth > 0 && depth <= hops).map(([id]) => id));
    const exact = ascending([...distances].filter(([, depth]) => depth === hops).map(([id]) => id));
    expect(ascending(reader.kHop(start, hops, options))).toEqual(within);
    expect(ascending(reader.kHop(start, hops, { ...options, mode: 'within' }))).toEqual(within);
    expect(ascending(reader.kHop(start, hops, { ...options, mode: 'exact' }))).toEqual(exact);
    expect(ascending(reader.kHop(start, hops, { ...options, mode: 'walk' }))).toEqual(
      ascending(reference.walkEnds(start, hops, options)),
    );
    expect(reader.kHop(start, hops, { ...options, limit: 3 })).toEqual(reader.kHop(start, hops, options).slice(0, 3));
  }
  expect(ascending(reader.kHop(start, Infinity, options))).toEqual(
    ascending([...distances.keys()].filter((id) => id !== start)),
  );
}

function checkPaths(reader: GraphReader, reference: Reference, from: number, to: number, options: Options): void {
  const distance = reference.distances(from, options).get(to);
  const path = reader.shortestPath(from, to, options);
  expect(path?.length).toBe(distance);
  expect(reader.shortestPath(from, to, options)).toEqual(path);
  const cost = reference.costs(from, options).get(to);
  const cheapest = reader.shortestPath(from, to, { ...options, weight: 'weight' });
  expect(cheapest?.weight).toBe(cost);
  if (path === undefined || cheapest === undefined) return;
  expect(path.weight).toBeUndefined();
  expect([...reference.faults(path, from, to, options), ...reference.faults(cheapest, from, to, options)]).toEqual([]);
  expect(cheapest.edges.reduce((sum, edge) => sum + reference.edges.get(edge)!.weight!, 0)).toBe(cost);
  expect(reader.shortestPath(from, to, { ...options, maxDepth: distance! })).toEqual(path);
  if (distance! > 0) expect(reader.shortestPath(from, to, { ...options, maxDepth: distance! - 1 })).toBeUndefined();
}

describe.each(SHAPES)('a random graph, $name', (shape) => {
  const seed = suiteSeed(11);

  test('breadth first, levels and limits', () => {
    const random = new Random(seed);
    const { db, reference, nodes } = build(shape, random);
    for (const options of OPTIONS)
      for (const start of [1, 1 + random.below(nodes), nodes]) checkBreadthFirst(db.reader, reference, start, options);
    db.close();
  });

  test('hops: within, exactly, and by walks', () => {
    const random = new Random(seed + 1);
    const { db, reference, nodes } = build(shape, random);
    for (const options of OPTIONS)
      for (const start of [2, 1 + random.below(nodes)]) checkHops(db.reader, reference, start, options);
    db.close();
  });

  test('shortest paths by edges and by weight', () => {
    const random = new Random(seed + 2);
    const { db, reference, nodes } = build(shape, random);
    for (const options of OPTIONS)
      for (let i = 0; i < 12; i += 1)
        checkPaths(db.reader, reference, 1 + random.below(nodes), 1 + random.below(nodes), options);
    const tx = db.graph.begin();
    const snapshot = db.graph.snapshot();
    checkPaths(tx, reference, 1, nodes, { direction: 'both' });
    checkPaths(snapshot, reference, 1, 4, { direction: 'both' });
    tx.rollback();
    snapshot.release();
    db.close();
  });
});

describe('paths', () => {
  test('from a node to itself', () => {
    withGraph({}, (db) => {
      db.write((tx) => tx.addEdge(tx.addNode([]), 1, 'T', { w: 5 }));
      expect(db.reader.shortestPath(1, 1)).toEqual({ nodes: [1], edges: [], length: 0 });
      expect(db.reader.shortestPath(1, 1, { weight: 'w' })).toEqual({ nodes: [1], edges: [], length: 0, weight: 0 });
      expect(db.reader.shortestPath(1, 1, { maxDepth: 0 })).toEqual({ nodes: [1], edges: [], length: 0 });
    });
  });

  test('weights may be integers, floats, 64-bit integers, zero and infinite', () => {
    withGraph({}, (db) => {
      db.write((tx) => {
        for (let i = 0; i < 5; i += 1) tx.addNode([]);
        tx.addEdge(1, 2, 'T', { w: 0.5 });
        tx.addEdge(2, 3, 'T', { w: 0 });
        tx.addEdge(3, 4, 'T', { w: 2n ** 60n });
        tx.addEdge(1, 4, 'T', { w: Infinity });
        tx.addEdge(4, 5, 'T', { w: -0 });
      });
      expect(db.reader.shortestPath(1, 5, { weight: 'w' })).toEqual({
        nodes: [1, 2, 3, 4, 5],
        edges: [1, 2, 3, 5],
        length: 4,
        weight: 2 ** 60,
      });
      expect(db.reader.shortestPath(1, 5)!.edges).toEqual([4, 5]);
    });
  });

  test.each([
    ['missing', {}],
    ['NaN', { w: NaN }],
    ['negative', { w: -1 }],
    ['negative and 64-bit', { w: -(2n ** 60n) }],
    ['a text', { w: '1' }],
    ['a boolean', { w: true }],
    ['a date', { w: new Date(5) }],
  ])('a weight that is %s is refused where the search meets it, and named', (_name, properties) => {
    withGraph({}, (db) => {
      db.write((tx) => {
        for (let i = 0; i < 4; i += 1) tx.addNode([]);
        tx.addEdge(1, 2, 'GOOD', { w: 1 });
        tx.addEdge(2, 3, 'BAD', properties);
        tx.addEdge(3, 4, 'BAD', properties);
      });
      expect(() => db.reader.shortestPath(1, 3, { weight: 'w' })).toThrow(
        expect.objectContaining({ code: 'SOMBRA_WEIGHT', details: { edge: 2 } }),
      );
      expect(codeOf(() => db.reader.shortestPath(1, 2, { weight: 'none' }))).toBe('SOMBRA_WEIGHT');
      expect(db.reader.shortestPath(1, 2, { weight: 'w' })!.weight).toBe(1);
      expect(db.reader.shortestPath(1, 4, { weight: 'w', type: 'GOOD' })).toBeUndefined();
    });
  });

  test('a long path, found from both ends', () => {
    withGraph({ cacheSize: 32 }, (db) => {
      const length = 3000;
      db.write((tx) => {
        for (let i = 0; i <= length; i += 1) tx.addNode([]);
        for (let i = 1; i <= length; i += 1) tx.addEdge(i, i + 1, 'NEXT', { w: 1 });
      });
      const path = db.reader.shortestPath(1, length + 1)!;
      expect([path.length, path.nodes[1500], path.edges.at(-1)]).toEqual([length, 1501, length]);
      expect(db.reader.shortestPath(length + 1, 1)).toBeUndefined();
      expect(db.reader.shortestPath(1, length + 1, { weight: 'w' })!.weight).toBe(length);
      expect(db.reader.bfsLevels(1).length).toBe(length + 1);
    });
  });
});
