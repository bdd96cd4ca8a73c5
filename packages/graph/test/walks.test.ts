// Goal: walks in breadth and in depth visit the right nodes, in the documented order, whatever depths, predicates and limits
// are asked for. Method: random multigraphs beside graphology (order of bfs, nodes of both), beside a recursive search in depth,
// and small graphs with answers worked out by hand. SOMBRA_SEED=n makes other graphs.
import { describe, expect, test } from 'vitest';
import type { BfsOptions, DfsOptions, Direction, EdgeRecord, NodeRecord } from '../src/index.ts';
import { codeOf } from './support/errors.ts';
import { buildGraphology, idOf, keyOf, traversal } from './support/graphology.ts';
import { withGraph } from './support/open.ts';
import { Random, suiteSeed } from './support/random.ts';
import { randomGraph, type RandomGraph, type Shape } from './support/random-graph.ts';

const SHAPES: Shape[] = [
  { name: 'sparse', nodes: 200, edges: 320 },
  { name: 'dense', nodes: 40, edges: 600 },
  { name: 'hubs', nodes: 300, edges: 900, hubs: 0.5 },
];
const DIRECTIONS: Direction[] = ['out', 'in', 'both'];

type Row = { id: number; depth: number };

/** Search in depth by recursion, on the edges as `edgesOf` gives them. */
function recursive({ db }: RandomGraph, start: number, options: DfsOptions): Row[] {
  const { direction = 'out', type, maxDepth = Infinity, minDepth = 0, order, nodeFilter, edgeFilter } = options;
  const found: Row[] = [];
  const seen = new Set<number>();
  const refused = new Set<number>();
  const visit = (id: number, depth: number): void => {
    seen.add(id);
    if (order !== 'post' && depth >= minDepth) found.push({ id, depth });
    const edges =
      depth < maxDepth ? db.reader.edgesOf(id, type === undefined ? { direction } : { direction, type }) : [];
    for (const edge of edges) {
      const other = edge.source === id ? edge.target : edge.source;
      if (seen.has(other) || refused.has(other)) continue;
      if (edgeFilter?.(edge, depth + 1) === false) continue;
      if (nodeFilter?.(db.reader.getNode(other)!, depth + 1) === false) refused.add(other);
      else visit(other, depth + 1);
    }
    if (order === 'post' && depth >= minDepth) found.push({ id, depth });
  };
  visit(start, 0);
  return found;
}

/** Search in breadth, as plainly. */
function plain({ db }: RandomGraph, start: number, options: BfsOptions): Row[] {
  const { direction = 'out', type, maxDepth = Infinity, minDepth = 0, nodeFilter, edgeFilter } = options;
  const queue: Row[] = [{ id: start, depth: 0 }];
  const seen = new Set([start]);
  for (const { id, depth } of queue) {
    if (depth >= maxDepth) continue;
    for (const edge of db.reader.edgesOf(id, type === undefined ? { direction } : { direction, type })) {
      const other = edge.source === id ? edge.target : edge.source;
      if (seen.has(other) || edgeFilter?.(edge, depth + 1) === false) continue;
      seen.add(other);
      if (nodeFilter?.(db.reader.getNode(other)!, depth + 1) !== false) queue.push({ id: other, depth: depth + 1 });
    }
  }
  return queue.filter(({ depth }) => depth >= minDepth);
}

const light = (edge: EdgeRecord): boolean => (edge.properties['weight'] as number) < 6;
const notFifth = (node: NodeRecord, depth: number): boolean => node.id % 5 !== 0 || depth > 2;

const OPTIONS: BfsOptions[] = DIRECTIONS.flatMap((direction) => [
  { direction },
  { direction, type: ['A', 'C'] },
  { direction, minDepth: 2 },
  { direction, minDepth: 1, maxDepth: 3 },
  { direction, maxDepth: 0 },
  { direction, minDepth: 3, maxDepth: 2 },
  { direction, minDepth: 50 },
  { direction, edgeFilter: light },
  { direction, nodeFilter: notFifth, minDepth: 1 },
  { direction, nodeFilter: notFifth, edgeFilter: light, maxDepth: 4, type: 'A' },
]);

describe.each(SHAPES)('a random graph, $name', (shape) => {
  const random = new Random(suiteSeed(31));
  const graph = randomGraph(shape, random);
  const { reader } = graph.db;
  const starts = [1, 2 + random.below(shape.nodes - 1)];

  test('breadth and depth visit what graphology visits', () => {
    const other = buildGraphology(shape.nodes, graph.edges);
    for (const [direction, mode] of [
      ['out', 'outbound'],
      ['in', 'inbound'],
    ] as const) {
      for (const start of starts) {
        const rows: Row[] = [];
        traversal.bfsFromNode(other, keyOf(start), (key, _, depth) => void rows.push({ id: idOf(key), depth }), {
          mode,
        });
        const found = reader.bfs(start, { direction });
        expect(new Map(found.map(({ id, depth }) => [id, depth]))).toEqual(
          new Map(rows.map(({ id, depth }) => [id, depth])),
        );
        // Blocks of many edges are grouped by type; graphology knows no types, so orders can only agree without them.
        if (shape.hubs === undefined) expect(found).toEqual(rows);
        const deep = new Set<number>();
        traversal.dfsFromNode(other, keyOf(start), (key) => void deep.add(idOf(key)), { mode });
        expect(new Set(reader.dfs(start, { direction }).map(({ id }) => id))).toEqual(deep);
      }
    }
  });

  test('breadth: order, depths, predicates, limits, levels', () => {
    for (const options of OPTIONS) {
      for (const start of starts) {
        const wanted = plain(graph, start, options);
        expect(reader.bfs(start, options)).toEqual(wanted);
        for (const limit of [0, 1, 3, wanted.length, wanted.length + 1])
          expect(reader.bfs(start, { ...options, limit })).toEqual(wanted.slice(0, limit));
        const levels = reader.levels(start, options);
        expect(levels.flatMap((ids, depth) => ids.map((id) => ({ id, depth })))).toEqual(wanted);
        expect(reader.bfsLevels(start, options)).toEqual(levels.map((ids) => ids.length));
        expect(reader.levels(start, { ...options, limit: 3 }).flat()).toEqual(wanted.slice(0, 3).map(({ id }) => id));
      }
    }
  });

  test('a predicate that accepts all changes nothing', () => {
    for (const direction of DIRECTIONS)
      for (const start of starts) {
        expect(reader.bfs(start, { direction, nodeFilter: () => true })).toEqual(reader.bfs(start, { direction }));
        expect(reader.dfs(start, { direction, edgeFilter: () => true })).toEqual(reader.dfs(start, { direction }));
      }
  });

  test('depth: both orders, depths, predicates, limits', () => {
    for (const options of OPTIONS) {
      for (const order of ['pre', 'post'] as const) {
        for (const start of starts) {
          const wanted = recursive(graph, start, { ...options, order });
          expect(reader.dfs(start, { ...options, order })).toEqual(wanted);
          for (const limit of [0, 1, 4, wanted.length])
            expect(reader.dfs(start, { ...options, order, limit })).toEqual(wanted.slice(0, limit));
        }
      }
    }
  });

  test('neighbours with their edges', () => {
    for (const direction of DIRECTIONS) {
      for (const start of starts) {
        const rows = reader.expand(start, { direction });
        expect(rows.map(({ edge }) => edge)).toEqual(reader.edgesOf(start, { direction }));
        expect(rows.map(({ node }) => node.id)).toEqual(reader.neighbors(start, { direction }));
        expect(rows.every(({ node }) => JSON.stringify(node) === JSON.stringify(reader.getNode(node.id)))).toBe(true);
        const each = reader.expand(start, { direction, type: 'A', distinct: true });
        expect(each.map(({ node }) => node.id)).toEqual(
          reader.neighbors(start, { direction, type: 'A', distinct: true }),
        );
        expect(reader.expand(start, { direction, limit: 2 })).toEqual(rows.slice(0, 2));
      }
    }
  });

  test('leaves a sound graph', () => {
    graph.db.close();
  });
});

describe('predicates', () => {
  test('may use the graph, walk it, and write to it', () => {
    withGraph({}, (db) => {
      db.write((tx) => {
        for (let i = 0; i < 4; i += 1) tx.addNode('N');
        for (const [a, b] of [
          [1, 2],
          [2, 3],
          [3, 4],
        ])
          tx.addEdge(a!, b!, 'T');
      });
      const inner: number[][] = [];
      const rows = db.reader.bfs(1, {
        nodeFilter: ({ id }) => {
          inner.push(db.reader.dfs(id, { nodeFilter: () => true }).map((row) => row.id));
          db.reader.bfs(4, { direction: 'in' });
          db.reader.neighbors(1, { direction: 'both', type: ['T'] });
          db.write((tx) => tx.addEdge(id, tx.addNode('M'), 'T'));
          return true;
        },
      });
      expect(rows.map(({ id }) => id)).toEqual([1, 2, 3, 4]); // the commit that it began with
      expect(inner).toEqual([[2, 3, 4], [3, 4], [4]]);
      const tx = db.graph.begin();
      const seen: number[] = [];
      const grown = tx.dfs(1, {
        nodeFilter: ({ id, labels }) => {
          seen.push(id);
          if (labels[0] === 'N') tx.addEdge(id, tx.addNode('L'), 'T');
          return true;
        },
      });
      expect(grown.map(({ id }) => id).sort()).toEqual([1, 2, 3, 4, 5, 6, 7]); // without the nodes that were added meanwhile
      expect(new Set(seen).size).toBe(seen.length);
      tx.rollback();
    });
  });

  test('that throw end the call, and the next call works', () => {
    withGraph({}, (db) => {
      db.write((tx) => tx.addEdge(tx.addNode([]), tx.addNode([]), 'T'));
      const boom = (): boolean => {
        throw new Error('boom');
      };
      expect(() => db.reader.bfs(1, { edgeFilter: boom })).toThrow('boom');
      expect(() => db.reader.dfs(1, { nodeFilter: boom })).toThrow('boom');
      expect(() => [...db.reader.paths(1, 2, { nodeFilter: boom })]).toThrow('boom');
      expect(db.reader.bfs(1, { edgeFilter: () => true }).length).toBe(2);
      expect(db.pager.stats().snapshots).toBe(0);
    });
  });

  test('that return no boolean are refused', () => {
    withGraph({}, (db) => {
      db.write((tx) => tx.addEdge(tx.addNode([]), tx.addNode([]), 'T'));
      const promising = (async () => true) as unknown as () => boolean;
      expect(codeOf(() => db.reader.bfs(1, { nodeFilter: promising }))).toBe('SOMBRA_OPTION');
      expect(codeOf(() => db.reader.dfs(1, { edgeFilter: promising }))).toBe('SOMBRA_OPTION');
    });
  });
});

test('missing nodes have no walks', () => {
  withGraph({}, ({ reader }) => {
    expect(reader.bfs(9)).toEqual([]);
    expect(reader.levels(9)).toEqual([]);
    expect(reader.bfsLevels(9, { nodeFilter: () => true })).toEqual([]);
    expect(reader.dfs(9)).toEqual([]);
    expect(reader.expand(9)).toEqual([]);
    expect([...reader.paths(9)]).toEqual([]);
    expect([...reader.allShortestPaths(9, 10)]).toEqual([]);
    expect(reader.kShortestPaths(9, 10, 3)).toEqual([]);
    expect(reader.distances(9)).toEqual([]);
  });
});
