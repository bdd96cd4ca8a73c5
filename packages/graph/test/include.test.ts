// Goal: `include` brings the nodes and edges around a node along, over several hops, exactly those that single steps would give. Method:
// random hops on random multigraphs beside an evaluator that walks over a list of all edges; writes of others and of the own transaction in
// between; wrong options.
import { describe, expect, expectTypeOf, test } from 'vitest';
import type { Direction, EdgeRecord, GraphReader, GraphTransaction, Hop, Include, NodeRecord } from '../src/index.ts';
import { INCLUDE_HOPS_MAX, param } from '../src/index.ts';
import { codeOf } from './support/errors.ts';
import { SMALL, withGraph } from './support/open.ts';
import { Random, suiteSeed } from './support/random.ts';
import { randomGraph, type Shape } from './support/random-graph.ts';

const SHAPES: Shape[] = [
  { name: 'sparse', nodes: 40, edges: 70 },
  { name: 'parallel', nodes: 6, edges: 18 },
  { name: 'hubs, with gaps', nodes: 90, edges: 200, hubs: 0.6, deleted: 0.1 },
];

/** Random hops, at most `depth` in each other. */
function randomInclude(random: Random, depth: number): Include {
  const hops: Record<string, Hop> = {};
  for (const name of ['first', '__proto__'].slice(0, 1 + random.below(2))) {
    const type = random.pick([undefined, 'A', ['B', 'C'], ['A', 'nowhere'], 'nowhere']);
    const direction = random.pick<Direction | undefined>([undefined, 'in', 'out', 'both']);
    const hop = {
      ...(type === undefined ? {} : { type }),
      ...(direction === undefined ? {} : { direction }),
      ...(random.chance(0.3) ? { distinct: true } : {}),
      ...(depth > 1 || random.chance(0.3) ? { limit: random.below(5) } : {}),
      ...(depth > 1 && random.chance(0.7) ? { include: randomInclude(random, depth - 1) } : {}),
    };
    Object.defineProperty(hops, name, { value: hop, enumerable: true });
  }
  return hops;
}

/** What comes along with a node, over a list of all edges. */
function bruteForce(
  edges: readonly EdgeRecord[],
  nodes: ReadonlyMap<number, NodeRecord>,
  id: number,
  include: Include,
): unknown {
  const entries = Object.entries(include).map(
    ([name, { direction = 'out', type, distinct, limit, include: inner }]) => {
      const types = typeof type === 'string' ? [type] : type;
      const followed = edges.filter((edge) => types === undefined || types.includes(edge.type));
      const away = direction === 'in' ? [] : followed.filter(({ source }) => source === id);
      const back = direction === 'out' ? [] : followed.filter(({ target }) => target === id);
      const steps = [
        ...away.map((edge) => ({ edge, to: edge.target })),
        ...back.filter(({ source }) => direction === 'in' || source !== id).map((edge) => ({ edge, to: edge.source })),
      ];
      const seen = new Set<number>();
      const rows = steps
        .filter(({ to }) => distinct !== true || (!seen.has(to) && seen.add(to)))
        .slice(0, limit)
        .map(({ edge, to }) => ({
          edge,
          node:
            inner === undefined ? nodes.get(to)! : { ...nodes.get(to)!, included: bruteForce(edges, nodes, to, inner) },
        }));
      return [name, rows] as const;
    },
  );
  return Object.fromEntries(entries);
}

/** As JSON has it: objects of either prototype alike, with keys like `__proto__`. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

describe.each(SHAPES)('on a random graph, $name', (shape) => {
  test('rows of finds and of expand carry what single steps give', () => {
    const random = new Random(suiteSeed(113));
    const { db, ids } = randomGraph(shape, random);
    const tx = db.graph.begin();
    tx.addEdge(ids[0]!, ids[1]!, 'A', { new: true });
    tx.setNodeProperty(ids[1]!, 'new', true);
    const snapshot = db.graph.snapshot();
    let rows = 0;
    for (const reader of [db.reader, snapshot, tx] as GraphReader[]) {
      const nodes = new Map(
        reader
          .nodes()
          .all()
          .map((node) => [node.id, node]),
      );
      // By id, as the engine gives them while no node has very many.
      const all = reader.edges().all();
      for (let i = 0; i < 12; i += 1) {
        const include = randomInclude(random, 1 + random.below(3));
        const found = reader.findNodes({ label: 'X', include }).all();
        expect(found.length).toBeGreaterThan(0);
        for (const row of found) {
          const wanted = { ...nodes.get(row.id)!, included: bruteForce(all, nodes, row.id, include) };
          expect(plain(row)).toEqual(plain(wanted));
          rows += JSON.stringify(row.included).length > 20 ? 1 : 0;
        }
        expect(plain(reader.findNode({ label: 'X', include }))).toEqual(plain(found[0]));
        expect(plain(reader.prepareNodes({ label: 'X', include, limit: param('n') }).all({ n: 2 }))).toEqual(
          plain(found.slice(0, 2)),
        );
        const start = random.pick([...nodes.keys()]);
        const hop: Hop = { direction: 'both', include };
        const { first } = bruteForce(all, nodes, start, { first: hop }) as { first: unknown };
        expect(plain(reader.expand(start, { direction: 'both', include }))).toEqual(plain(first));
      }
    }
    expect(rows).toBeGreaterThan(20);
    snapshot.release();
    tx.rollback();
  });
});

describe('include', () => {
  /** Three people who know each other in a ring; Ada lives in Bath, which is in England. */
  const ring = (work: (reader: GraphReader, ids: Record<'ada' | 'bath', number>, write: Write) => void): void =>
    withGraph(SMALL, (db) => {
      const ids = db.write((tx) => {
        const [ada, alan, mary] = ['Ada', 'Alan', 'Mary'].map((name) => tx.addNode('Person', { name }));
        const [bath, england] = [tx.addNode('City', { name: 'Bath' }), tx.addNode('Country', { name: 'England' })];
        tx.addEdge(ada!, alan!, 'KNOWS');
        tx.addEdge(alan!, mary!, 'KNOWS');
        tx.addEdge(mary!, ada!, 'KNOWS');
        tx.addEdge(ada!, bath, 'LIVES_IN');
        tx.addEdge(bath, england, 'IN');
        return { ada: ada!, bath };
      });
      work(db.reader, ids, (change) => db.write(change));
    });
  type Write = (change: (tx: GraphTransaction) => void) => void;

  test('gives each hop under its name, and types it', () => {
    ring((reader) => {
      const row = reader.findNode({
        label: 'Person',
        where: { name: 'Ada' },
        include: {
          home: { type: 'LIVES_IN', include: { country: { type: 'IN' } } },
          friends: { type: 'KNOWS', direction: 'both' },
        },
      })!;
      expectTypeOf(row.included.home[0]!.node.included.country[0]!.node).toEqualTypeOf<NodeRecord>();
      const [home] = row.included.home;
      expect(home!.node.properties).toEqual({ name: 'Bath' });
      expect(home!.node.included.country.map(({ node }) => node.properties['name'])).toEqual(['England']);
      expect(row.included.friends.map(({ node }) => node.properties['name'])).toEqual(['Alan', 'Mary']);
      expect(Object.keys(row.included)).toEqual(['home', 'friends']);
      // @ts-expect-error it was not asked for
      expect(row.included.friends[0]!.node.included).toBeUndefined();
    });
  });

  test('follows a ring as far as it is asked to, and no further', () => {
    ring((reader, { ada }) => {
      let hop: Hop = { type: 'KNOWS' };
      for (let i = 1; i < INCLUDE_HOPS_MAX; i += 1) hop = { type: 'KNOWS', include: { next: hop } };
      let found: { node: NodeRecord & { included?: { next: typeof found } } }[] = reader.findNode({
        where: { name: 'Ada' },
        include: { next: hop },
      })!.included.next;
      const names: unknown[] = [];
      for (; found !== undefined; found = found[0]!.node.included?.next ?? (undefined as never))
        names.push(found[0]!.node.properties['name']);
      expect(names).toHaveLength(INCLUDE_HOPS_MAX);
      expect(names.slice(0, 4)).toEqual(['Alan', 'Mary', 'Ada', 'Alan']);
      const code = codeOf(() => reader.findNodes({ include: { one: { include: { next: hop } } } }));
      expect(code).toBe('SOMBRA_OPTION');
      const circle: Record<string, Hop> = {};
      circle['again'] = { include: circle };
      expect(codeOf(() => reader.expand(ada, { include: circle }))).toBe('SOMBRA_OPTION');
    });
  });

  test('stays at the commit that the rows began with', () => {
    ring((reader, { bath }, write) => {
      const rows = reader.findNodes({
        label: 'Person',
        include: { homes: { type: 'LIVES_IN' } },
        orderBy: { id: true, descending: true },
      });
      expect(rows.next().value?.included.homes).toEqual([]);
      write((tx) => tx.deleteNode(bath, { cascade: true }));
      expect(rows.all().map(({ included }) => included.homes.map(({ node }) => node.properties['name']))).toEqual([
        [],
        ['Bath'],
      ]);
      expect(
        reader.findNode({ where: { name: 'Ada' }, include: { homes: { type: 'LIVES_IN' } } })?.included.homes,
      ).toEqual([]);
    });
  });

  test.each([
    5,
    null,
    'KNOWS',
    [],
    { friends: 5 },
    { friends: null },
    { friends: { nonsense: 1 } },
    { friends: { limit: -1 } },
    { friends: { limit: param('n') } },
    { friends: { type: 5 } },
    { friends: { direction: 'up' } },
    { friends: { distinct: 1 } },
    { friends: { include: 5 } },
    { friends: { include: { more: { limit: -1 } } } },
  ])('refuses %j at the call', (include) => {
    ring((reader, { ada }) => {
      const bad = { include } as never;
      for (const call of [
        () => reader.findNodes(bad),
        () => reader.findNode(bad),
        () => reader.prepareNodes(bad),
        () => reader.explainNodes(bad),
        () => reader.expand(ada, bad),
      ])
        expect(codeOf(call)).toBe('SOMBRA_OPTION');
    });
  });

  test('is refused where it has no meaning', () => {
    ring((reader, { ada }) => {
      const include = { friends: {} };
      for (const call of [
        () => reader.findNodes({ include, select: ['name'] } as never),
        () => reader.findEdges({ include } as never),
        () => reader.countNodes({ include } as never),
        () => reader.neighbors(ada, { include } as never),
      ])
        expect(codeOf(call)).toBe('SOMBRA_OPTION');
    });
  });
});
