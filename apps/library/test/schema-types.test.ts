// Goal: the types of a schema reach labels, edge types, properties and ids everywhere, and what does not fit does not compile.
// Method: expressions whose types are stated, lines that must not compile, run on a database as well.
import { describe, expect, expectTypeOf, it } from 'vitest';
import { defineSchema, GraphDB, not, or, param } from '../src/index.ts';
import type {
  AnyEdgeOf,
  AnyNodeOf,
  GraphDBOf,
  GraphReads,
  LabelOf,
  NodeId,
  NodeIdOf,
  PropertyValue,
  ReadsOf,
  SchemaDefinition,
  SnapshotOf,
  Transaction,
  TransactionOf,
  TypeOf,
  WritesOf,
} from '../src/index.ts';

const schema = defineSchema({
  nodes: {
    Person: { name: 'string', born: 'integer?', tags: 'string[]?' },
    Author: { penName: 'string', rank: ['junior', 'senior'] },
    City: { name: 'string', area: 'number', founded: 'date?', extra: 'any?', serial: 'bigint?' },
  },
  edges: {
    KNOWS: { from: 'Person', to: 'Person', properties: { since: 'integer', weight: 'number?' } },
    VISITED: { from: ['Person', 'Author'], to: 'City' },
  },
});
type Definition = (typeof schema)['definition'];

/** What a line that must not compile does when it runs nevertheless. */
const refused = (call: () => unknown): void => expect(call).toThrowError();

describe('types of a schema', () => {
  it('know its names', () => {
    expectTypeOf<LabelOf<Definition>>().toEqualTypeOf<'Person' | 'Author' | 'City'>();
    expectTypeOf<TypeOf<Definition>>().toEqualTypeOf<'KNOWS' | 'VISITED'>();
  });

  it('are those of methods that exist', () => {
    expectTypeOf<keyof ReadsOf<SchemaDefinition>>().toExtend<keyof GraphReads>();
    expectTypeOf<keyof WritesOf<SchemaDefinition>>().toExtend<keyof Transaction & keyof GraphDB>();
    expectTypeOf(GraphDB.open(':memory:')).toEqualTypeOf<GraphDB>();
  });

  it('reach ids, records and properties', () => {
    const db = GraphDB.open(':memory:', { schema });
    expectTypeOf(db).toEqualTypeOf<GraphDBOf<Definition>>();
    const ada = db.addNode('Person', { name: 'Ada', born: 1815 });
    const both = db.addNode(['Person', 'Author'], { name: 'Alan', penName: 'A', rank: 'senior', born: null });
    const bath = db.addNode('City', { name: 'Bath', area: 29 });
    expectTypeOf(ada).toEqualTypeOf<NodeIdOf<'Person'>>();
    expectTypeOf(both).toExtend<NodeIdOf<'Person'>>();
    expectTypeOf(both).toExtend<NodeIdOf<'Author'>>();
    expectTypeOf(ada).toExtend<number>();
    expectTypeOf(bath).not.toExtend<NodeIdOf<'Person'>>();

    const node = db.getNode(ada)!;
    expectTypeOf(node.properties).toEqualTypeOf<{ name: string; born?: number; tags?: string[] }>();
    expectTypeOf(db.getNode(both)!.properties.rank).toEqualTypeOf<'junior' | 'senior'>();
    expectTypeOf(db.getNode(both)!.properties.name).toEqualTypeOf<string>();
    expectTypeOf(db.getNode(bath)!.properties.founded).toEqualTypeOf<Date | undefined>();
    expectTypeOf(db.getNode(bath)!.properties.serial).toEqualTypeOf<number | bigint | undefined>();
    expectTypeOf(db.getNode(bath)!.properties.extra).toEqualTypeOf<PropertyValue | undefined>();
    expectTypeOf(db.getNodeProperty(ada, 'name')).toEqualTypeOf<string | undefined>();
    expectTypeOf(db.getNode(17)).toEqualTypeOf<AnyNodeOf<Definition> | undefined>();

    const knows = db.addEdge(ada, both, 'KNOWS', { since: 1936 });
    const visited = db.addEdge(both, bath, 'VISITED');
    expectTypeOf(db.getEdge(knows)!.properties).toEqualTypeOf<{ since: number; weight?: number }>();
    expectTypeOf(db.getEdge(knows)!.source).toEqualTypeOf<NodeIdOf<'Person'>>();
    expectTypeOf(db.getEdge(visited)!.source).toEqualTypeOf<NodeIdOf<'Person'> | NodeIdOf<'Author'>>();
    expectTypeOf(db.neighbors(ada, { type: 'VISITED' })).toEqualTypeOf<NodeIdOf<'City'>[]>();
    expectTypeOf(db.neighbors(bath, { type: 'VISITED', direction: 'in' })).toEqualTypeOf<
      (NodeIdOf<'Person'> | NodeIdOf<'Author'>)[]
    >();
    expectTypeOf(db.neighbors(ada)).toEqualTypeOf<NodeId[]>();
    expectTypeOf(db.outgoing(ada, { type: 'KNOWS' })[0]!.properties.since).toEqualTypeOf<number>();
    expectTypeOf(db.edgesOf(ada)).toEqualTypeOf<AnyEdgeOf<Definition>[]>();
    for (const city of db.nodes({ label: 'City' })) expectTypeOf(city.properties.area).toEqualTypeOf<number>();
    for (const edge of db.edges({ type: 'KNOWS' })) expectTypeOf(edge.properties.since).toEqualTypeOf<number>();
    expectTypeOf(db.findNodes({ label: 'Person', where: { name: 'Ada' } }).all()[0]!.id).toEqualTypeOf<
      NodeIdOf<'Person'>
    >();

    const found = [
      ...db.findNodes({
        label: 'Person',
        where: { born: { gte: 1800 }, name: { startsWith: 'A' } },
        orderBy: 'born',
        limit: 3,
      }),
    ];
    expectTypeOf(found[0]!.properties.born).toEqualTypeOf<number | undefined>();
    expect(found.map(({ id }) => id)).toEqual([ada]);
    const selected = [...db.findNodes({ label: 'City', select: ['area'] })];
    expectTypeOf(selected[0]!.properties).toEqualTypeOf<{ area?: number }>();
    expect(selected).toEqual([{ id: bath, properties: { area: 29 } }]);
    const recent = [...db.findEdges({ type: 'KNOWS', where: or({ since: 1936 }, not({ weight: { exists: true } })) })];
    expectTypeOf(recent[0]!.target).toEqualTypeOf<NodeIdOf<'Person'>>();
    expect([recent.length, db.countNodes({ label: 'Person' }), db.countEdges({ type: 'VISITED' })]).toEqual([1, 2, 1]);
    expectTypeOf(db.findNode({ label: 'Person', where: { name: 'Ada' } })!.properties.name).toEqualTypeOf<string>();
    expectTypeOf(db.edgesBetween(ada, both, { type: 'KNOWS' })[0]!.source).toEqualTypeOf<NodeIdOf<'Person'>>();
    expect([db.findNode({ label: 'City', where: { name: 'York' } }), db.edgesBetween(both, ada).length]).toEqual([
      undefined,
      0,
    ]);
    const [group] = db.aggregateNodes({ label: 'City', groupBy: 'name', count: true, sum: ['area'], min: ['founded'] });
    expectTypeOf(group!.group.name).toEqualTypeOf<string | undefined>();
    expectTypeOf(group!.sum.area).toEqualTypeOf<number | bigint | undefined>();
    expectTypeOf(group!.min.founded).toEqualTypeOf<Date | undefined>();
    expect(group).toEqual({ group: { name: 'Bath' }, count: 1, sum: { area: 29 }, min: {} });
    const everyone = db
      .findNodes({ label: { all: ['Person', 'Author'] }, where: { penName: 'A', name: 'Alan' } })
      .all();
    expectTypeOf(everyone[0]!.id).toEqualTypeOf<NodeIdOf<'Person' | 'Author'>>();
    expect(everyone.map(({ id }) => id)).toEqual([both]);
    const prepared = db.prepareNodes({ label: 'Person', where: { name: param('name') } });
    expectTypeOf(prepared.first({ name: 'Ada' })!.properties.name).toEqualTypeOf<string>();
    const upserted = db.upsertEdge(ada, both, 'KNOWS', { since: 1936, weight: 2 });
    expect([upserted.id === knows, upserted.created]).toEqual([true, false]);

    const [row] = db
      .findNodes({
        label: 'Person',
        where: { name: 'Ada' },
        include: { friends: { type: 'KNOWS', include: { places: { type: 'VISITED' } } }, any: { direction: 'both' } },
      })
      .all();
    expectTypeOf(row!.id).toEqualTypeOf<NodeIdOf<'Person'>>();
    expectTypeOf(row!.included.any[0]!.edge).toEqualTypeOf<AnyEdgeOf<Definition>>();
    const friend = row!.included.friends[0]!;
    expectTypeOf(friend.edge.properties.since).toEqualTypeOf<number>();
    expectTypeOf(friend.node.properties.name).toEqualTypeOf<string>();
    expectTypeOf(friend.node.included.places[0]!.node.id).toEqualTypeOf<NodeIdOf<'City'>>();
    expect([friend.node.id, friend.node.included.places[0]!.node.id, row!.included.any.length]).toEqual([
      both,
      bath,
      1,
    ]);
    const visitors = db.expand(bath, {
      type: 'VISITED',
      direction: 'in',
      include: { known: { type: ['KNOWS', 'VISITED'], direction: 'in' } },
    });
    const known0 = visitors[0]!.node.included.known[0]!;
    if (known0.edge.type === 'KNOWS') expectTypeOf(known0.edge.properties.since).toEqualTypeOf<number>();
    expectTypeOf(known0.node.id).toEqualTypeOf<NodeIdOf<'Person'> | NodeIdOf<'Author'>>();
    expect([visitors[0]!.node.id, known0.node.id]).toEqual([both, ada]);
    expectTypeOf(
      db.prepareNodes({ label: 'City', include: { of: { type: 'VISITED', direction: 'in' } } }).first()!.included.of,
    ).items.toHaveProperty('edge');
    refused(() => {
      // @ts-expect-error no such type
      db.findNodes({ label: 'Person', include: { friends: { type: 'KNEW' } } }).all();
      // @ts-expect-error no such option
      db.findNodes({ label: 'Person', include: { friends: { type: 'KNOWS', limt: 3 } } });
    });
    refused(() => {
      // @ts-expect-error nor further inside
      db.expand(ada, { type: 'KNOWS', include: { friends: { include: { more: { limt: 3 } } } } });
    });

    const way = db.shortestPath(ada, bath, { records: true })!;
    expectTypeOf(way.nodes).toEqualTypeOf<AnyNodeOf<Definition>[]>();
    expectTypeOf(way.edges).toEqualTypeOf<AnyEdgeOf<Definition>[]>();
    expect(way.nodes.map((step) => step.properties.name)).toEqual(['Ada', 'Alan', 'Bath']);
    const known = db.paths(ada, undefined, { type: 'KNOWS', records: true }).all();
    expectTypeOf(known[0]!.edges[0]!.properties.since).toEqualTypeOf<number>();
    expectTypeOf(db.shortestPath(ada, bath)!.nodes).toEqualTypeOf<NodeId[]>();
    const either = db.kShortestPaths(ada, bath, 1, { type: ['KNOWS', 'VISITED'], records: true })[0]!.edges[1]!;
    if (either.type === 'VISITED') expectTypeOf(either.target).toEqualTypeOf<NodeIdOf<'City'>>();
    expect([known.length, either.target]).toEqual([1, bath]);
    // @ts-expect-error no such type
    db.shortestPath(ada, bath, { type: 'KNEW', records: true });

    const [somewhere] = db.kHop(ada, 1);
    expect(db.hasLabel(somewhere!, 'Author')).toBe(true);
    if (db.hasLabel(somewhere!, 'Author')) expectTypeOf(somewhere).toExtend<NodeIdOf<'Author'>>();
    expect(db.hasLabel(99, 'City')).toBe(false);

    db.setNodeProperty(ada, 'born', null);
    db.updateNodeProperties(both, { rank: 'junior' });
    expect(db.removeNodeProperty(ada, 'tags')).toBe(false);
    db.replaceEdgeProperties(knows, { since: 1937 });
    const snapshot = db.snapshot();
    expectTypeOf(snapshot).toEqualTypeOf<SnapshotOf<Definition>>();
    expect(snapshot.getNode(both)?.properties.rank).toBe('junior');
    snapshot.release();
    const length = db.transaction((tx) => {
      expectTypeOf(tx).toEqualTypeOf<TransactionOf<Definition>>();
      tx.transaction((nested) => nested.addNode('Person', { name: 'Nested' }));
      return tx.nodeCount('Person');
    });
    expect(length).toBe(3);
    db.close();
  });

  it('do not let pass what does not fit', () => {
    const db = GraphDB.open(':memory:', { schema });
    const ada = db.addNode('Person', { name: 'Ada' });
    const bath = db.addNode('City', { name: 'Bath', area: 29 });
    // @ts-expect-error an unknown label
    refused(() => db.addNode('Persn', { name: 'x' }));
    // @ts-expect-error a missing property
    refused(() => db.addNode('Person', {}));
    // @ts-expect-error no properties where one is needed
    refused(() => db.addNode('Person'));
    // @ts-expect-error an unknown property
    refused(() => db.addNode('Person', { name: 'x', bron: 1 }));
    // @ts-expect-error a wrong kind
    refused(() => db.addNode('Person', { name: 1 }));
    // @ts-expect-error a text that is not allowed
    refused(() => db.addNode('Author', { penName: 'x', rank: 'chief' }));
    // @ts-expect-error null for what is needed
    refused(() => db.setNodeProperty(ada, 'name', null));
    // @ts-expect-error removing what is needed
    refused(() => db.removeNodeProperty(ada, 'name'));
    // @ts-expect-error an end with another label
    refused(() => db.addEdge(bath, ada, 'KNOWS', { since: 1 }));
    // @ts-expect-error an edge without what is needed
    refused(() => db.addEdge(ada, ada, 'KNOWS'));
    // @ts-expect-error an unknown type
    expect(db.edgeCount('KNOW')).toBe(0);
    // @ts-expect-error an unknown label
    expect(db.nodeCount('Town')).toBe(0);
    // @ts-expect-error an unknown property
    expect(db.getNodeProperty(ada, 'bron')).toBeUndefined();
    // @ts-expect-error an unknown property in a search
    expect(db.findNodes({ label: 'Person', where: { bron: 1 } }).all()).toEqual([]);
    // @ts-expect-error an unknown property in a condition
    expect([...db.findNodes({ label: 'Person', where: { bron: { gte: 1 } } })]).toEqual([]);
    // @ts-expect-error adding up what is no number
    refused(() => db.aggregateNodes({ label: 'Person', sum: ['name'] }));
    // @ts-expect-error another kind in a condition
    expect([...db.findNodes({ label: 'Person', where: { name: { gte: 1 } } })]).toEqual([]);
    // @ts-expect-error an unknown property to order by
    expect([...db.findNodes({ label: 'Person', orderBy: 'bron' })].length).toBe(1);
    db.transaction((tx) => {
      // @ts-expect-error in a transaction as well
      refused(() => tx.addNode('Person', {}));
    });
    // @ts-expect-error a kind that does not exist
    refused(() => defineSchema({ nodes: { A: { x: 'strin' } }, edges: {} }));
    db.close();
  });
});
