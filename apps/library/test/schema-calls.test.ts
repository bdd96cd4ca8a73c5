// Goal: conditions, walks, writes of many things, loads and enumerations hold to the schema, in types and at run time.
// Method: for each call a line whose type is stated, and lines that must not compile; all of them run, and most are refused then, too.
import { describe, expect, expectTypeOf, it } from 'vitest';
import { and, defineSchema, edgeId, GraphDB, nodeId, not, or, param } from '../src/index.ts';
import type {
  AnyEdgeOf,
  AnyNodeOf,
  EdgeId,
  EdgeIdOf,
  EdgeOf,
  GraphDBOf,
  NodeId,
  NodeIdOf,
  NodeOf,
  SchemaDefinition,
} from '../src/index.ts';
import { thrownBy } from './support/codes.ts';

const schema = defineSchema({
  nodes: {
    Person: {
      name: 'string',
      born: 'integer?',
      tags: 'string[]?',
      rank: { oneOf: ['junior', 'senior'], optional: true },
      roles: { oneOf: ['author', 'reader'], list: true, optional: true },
    },
    Author: { penName: 'string' },
    City: { name: 'string', kind: ['village', 'town'], area: 'number?', grades: { oneOf: ['a', 'b'], list: true } },
  },
  edges: {
    KNOWS: { from: 'Person', to: 'Person', properties: { since: 'integer', weight: 'number?' } },
    LIVES_IN: { from: ['Person', 'Author'], to: 'City' },
  },
});
type D = (typeof schema)['definition'];

function open(): { db: GraphDBOf<D>; ada: NodeIdOf<'Person'>; bath: NodeIdOf<'City'>; knows: EdgeIdOf<'KNOWS'> } {
  const db = GraphDB.open(':memory:', { schema });
  const ada = db.addNode('Person', { name: 'Ada', born: 1815, rank: 'senior', roles: ['author'] });
  const bath = db.addNode('City', { name: 'Bath', kind: 'town', grades: ['a'] });
  db.addEdge(ada, bath, 'LIVES_IN');
  return { db, ada, bath, knows: db.addEdge(ada, ada, 'KNOWS', { since: 1830 }) };
}

const codeOf = (call: () => unknown): string | undefined => thrownBy(call).code;

/** It does not compile; that it is refused when it runs nevertheless. */
const refused = (call: () => unknown): void => expect(codeOf(call)).toBe('SOMBRA_SCHEMA');

describe('conditions put together', () => {
  it('are those of properties that the label has', () => {
    const { db } = open();
    const found = db.findNodes({
      label: 'Person',
      where: and(
        or({ born: { gte: 1800 }, rank: 'senior' }, not({ roles: { contains: 'reader' } })),
        (person) => person.id > 0,
      ),
    });
    expectTypeOf(found.first()!.properties.rank).toEqualTypeOf<'junior' | 'senior' | undefined>();
    // @ts-expect-error an unknown property
    expect(db.findNodes({ label: 'Person', where: or({ bron: 1 }) }).all()).toEqual([]);
    // @ts-expect-error of another label
    expect(db.findNode({ label: 'Person', where: and({ name: 'Ada' }, { area: 1 }) })).toBeUndefined();
    // @ts-expect-error a text that is not allowed
    expect(db.countNodes({ label: 'Person', where: not({ rank: 'chief' }) })).toBe(1);
    // @ts-expect-error another kind
    expect(db.prepareNodes({ label: 'Person', where: or({ born: 'x' }, { born: param('b') }) }).parameters).toEqual([
      'b',
    ]);
    // @ts-expect-error an unknown property in figures
    expect(db.aggregateNodes({ label: 'Person', count: true, where: or({ bron: 1 }) })).toEqual([
      { group: {}, count: 0 },
    ]);
    // @ts-expect-error an unknown property in plans
    expect(db.explainNodes({ label: 'Person', where: or({ bron: 1 }) }).access).toBe('label-scan');
    // @ts-expect-error an unknown property of edges
    expect(db.countEdges({ type: 'KNOWS', where: or({ sicne: 1 }) })).toBe(0);
    // @ts-expect-error without a label, what no label has
    expect(db.countNodes({ where: or({ bron: 1 }) })).toBe(0);
    db.close();
  });

  it('without a label are those of any', () => {
    const { db, ada } = open();
    const rows = db.findNodes({ where: or({ area: 1 }, { born: 1815 }), orderBy: 'name' }).all();
    expectTypeOf(rows).toEqualTypeOf<AnyNodeOf<D>[]>();
    expectTypeOf(rows[0]!.properties.kind).toEqualTypeOf<'village' | 'town' | undefined>();
    expect(rows.map(({ id }) => id)).toEqual([ada]);
    const selected = db.findNodes({ label: { any: ['Person', 'City'] }, select: ['name'] }).all();
    expectTypeOf(selected[0]!.properties.name).toEqualTypeOf<string | undefined>();
    expect(selected.map(({ properties }) => properties.name)).toEqual(['Ada', 'Bath']);
    expect(db.aggregateNodes({ groupBy: 'name', count: true }).map(({ count }) => count)).toEqual([1, 1]);
    expectTypeOf(db.findEdge()).toEqualTypeOf<AnyEdgeOf<D> | undefined>();
    // @ts-expect-error an unknown property to select
    expect(db.findNodes({ select: ['bron'] }).first()!.properties).toEqual({});
    db.close();
  });
});

describe('walks', () => {
  it('give nodes and edges of the types that they follow', () => {
    const { db, ada, bath } = open();
    const [to] = db.expand(ada, { type: 'LIVES_IN' });
    expectTypeOf(to!.node).toEqualTypeOf<NodeOf<D, 'City'>>();
    expectTypeOf(to!.edge).toEqualTypeOf<EdgeOf<D, 'LIVES_IN'>>();
    const [from] = db.expand(bath, { type: 'LIVES_IN', direction: 'in' });
    expectTypeOf(from!.node).toEqualTypeOf<NodeOf<D, 'Person'> | NodeOf<D, 'Author'>>();
    expectTypeOf(db.expand(ada)[0]!.node).toEqualTypeOf<AnyNodeOf<D>>();
    expect([to!.node.id, from!.node.id]).toEqual([bath, ada]);
    expectTypeOf(db.kHop(ada, 2, { type: ['KNOWS', 'LIVES_IN'] })).toEqualTypeOf<NodeId[]>();
    expectTypeOf(db.nodeIds('Person').all()).toEqualTypeOf<NodeIdOf<'Person'>[]>();
    expectTypeOf(db.nodeIds({ label: 'City', limit: 1 }).all()).toEqualTypeOf<NodeIdOf<'City'>[]>();
    expectTypeOf(db.nodeIds().all()).toEqualTypeOf<NodeId[]>();
    expectTypeOf(db.edgeIds('KNOWS').all()).toEqualTypeOf<EdgeIdOf<'KNOWS'>[]>();
    expectTypeOf(db.edgeIds().all()).toEqualTypeOf<EdgeId[]>();
    expect(db.bfs(ada, { nodeFilter: ({ properties }) => properties.area === undefined }).length).toBe(2);
    expect(db.shortestPath(ada, bath, { type: 'LIVES_IN' })?.nodes).toEqual([ada, bath]);
    // @ts-expect-error an unknown type
    expect(db.expand(ada, { type: 'LIVES' })).toEqual([]);
    // @ts-expect-error an unknown type
    expect(db.kHop(ada, 1, { type: 'LIVES' })).toEqual([]);
    // @ts-expect-error an unknown label
    expect(db.nodeIds('Town').all()).toEqual([]);
    // @ts-expect-error an unknown label
    expect(db.components({ label: 'Town' }).count).toBe(0);
    // @ts-expect-error not a number on any edge
    expect(codeOf(() => db.shortestPath(ada, bath, { weight: 'name' }))).toBe('SOMBRA_WEIGHT');
    // @ts-expect-error an edge's id where a node's is meant
    expect(db.neighbors(edgeId(7))).toEqual([]);
    db.close();
  });

  it('give ids of which more is known after a look', () => {
    const { db, ada } = open();
    const somewhere = db.kHop(ada, 1)[0]!;
    expectTypeOf(db.getNodeProperty(somewhere, 'kind')).toEqualTypeOf<'village' | 'town' | undefined>();
    expectTypeOf(db.getNodeProperty(ada, 'born')).toEqualTypeOf<number | undefined>();
    // @ts-expect-error a property that this label does not have
    expect(db.getNodeProperty(ada, 'area')).toBeUndefined();
    // @ts-expect-error the id is not known to be that of a person
    refused(() => db.setNodeProperty(somewhere, 'born', 1));
    const given = nodeId(JSON.parse('1'));
    if (db.hasLabel(given, 'Person')) db.setNodeProperty(given, 'born', 1816);
    expect(db.getNodeProperty(ada, 'born')).toBe(1816);
    for (const wrong of ['1', 0, 1.5, null, 2 ** 53]) expect(codeOf(() => nodeId(wrong))).toBe('SOMBRA_ID_RANGE');
    expect(thrownBy(() => edgeId('7')).message).toContain("'7'");
    db.close();
  });
});

describe('writes of many things', () => {
  it('addMany: each row has the properties of its labels, and gives ids of them', () => {
    const { db, ada } = open();
    const added = db.addMany({
      nodes: [
        { ref: 'alan', labels: ['Person', 'Author'], properties: { name: 'Alan', penName: 'A', tags: ['x'] } },
        { ref: 'york', labels: 'City', properties: { name: 'York', kind: 'town', grades: [] } },
      ],
      edges: [{ source: 'alan', target: ada, type: 'KNOWS', properties: { since: 1936 } }],
    });
    expectTypeOf(added.nodes[1]).toExtend<NodeIdOf<'City'>>();
    db.addEdge(added.refs.get('alan'), added.refs.get('york'), 'LIVES_IN');
    db.setNodeProperty(added.nodes[0], 'penName', 'B');
    // @ts-expect-error a missing property
    refused(() => db.addMany({ nodes: [{ labels: 'Person', properties: {} }] }));
    // @ts-expect-error a missing property of the second label
    refused(() => db.addMany({ nodes: [{ labels: ['Person', 'Author'], properties: { name: 'x' } }] }));
    // @ts-expect-error an unknown property
    refused(() => db.addMany({ nodes: [{ labels: 'Person', properties: { name: 'x', bron: 1 } }] }));
    // @ts-expect-error an unknown label
    refused(() => db.addMany({ nodes: [{ labels: 'Town', properties: { name: 'x' } }] }));
    // @ts-expect-error an edge without what is needed
    refused(() => db.addMany({ edges: [{ source: ada, target: ada, type: 'KNOWS' }] }));
    // @ts-expect-error an end with another label
    refused(() => db.addMany({ edges: [{ source: ada, target: ada, type: 'LIVES_IN' }] }));
    expect([db.nodeCount(), db.edgeCount()]).toEqual([4, 4]);
    db.close();
  });

  it('bulkLoad and createPropertyIndex', () => {
    const db = GraphDB.open(':memory:', { schema });
    // @ts-expect-error an unknown property
    refused(() => db.bulkLoad({ nodes: [{ labels: 'Author', properties: { penName: 'x', name: 'y' } }], edges: [] }));
    // @ts-expect-error a missing property
    refused(() => db.bulkLoad({ nodes: [{ labels: 'Author' }], edges: [] }));
    // @ts-expect-error an unknown type
    refused(() => db.bulkLoad({ nodes: [], edges: [{ source: 0, target: 0, type: 'KNWS' }] }));
    const loaded = db.bulkLoad({
      nodes: [
        { labels: 'Author', properties: { penName: 'x' } },
        { labels: ['City'], properties: { name: 'y', kind: 'town', grades: ['b'] } },
      ],
      edges: [{ source: 0, target: 1, type: 'LIVES_IN' }],
    });
    expect([loaded.nodes, loaded.edges]).toEqual([2, 1]);
    // @ts-expect-error an unknown property
    expect(db.createPropertyIndex('Author', 'born')).toBe(true);
    expect(db.createPropertyIndex('City', ['kind', 'name'])).toBe(true);
    db.close();
  });

  it('upserts give all that is needed, whether what they look for is there or not', () => {
    const { db, ada } = open();
    db.createPropertyIndex('Person', 'name', { unique: true });
    db.createPropertyIndex('Person', 'born', { unique: true });
    const upserted = db.upsertNode('Person', { name: 'Ada' });
    expectTypeOf(upserted.id).toEqualTypeOf<NodeIdOf<'Person'>>();
    expect(upserted).toEqual({ id: ada, created: false });
    expect(db.upsertNode('Person', { born: 1815 }, { name: 'Ada', tags: ['x'] }).created).toBe(false);
    expect(db.upsertNode('Person', { born: 1900 }, { name: 'New' }).created).toBe(true);
    for (const born of [1815, 1950]) {
      // @ts-expect-error the name is needed, should it not be there
      refused(() => db.upsertNode('Person', { born }));
      // @ts-expect-error and other properties do not give it
      refused(() => db.upsertNode('Person', { born }, { tags: [] }));
    }
    // @ts-expect-error an unknown property
    expect(codeOf(() => db.upsertNode('Person', { name: 'Ada', bron: 1 }))).toBe('SOMBRA_NO_UNIQUE_INDEX');
    // @ts-expect-error what the edge needs
    refused(() => db.upsertEdge(ada, ada, 'KNOWS', { weight: 1 }));
    expect(db.upsertEdge(ada, ada, 'KNOWS', { since: 1831 }).created).toBe(false);
    expect(db.nodeCount('Person')).toBe(2);
    db.close();
  });
});

describe('enumerations', () => {
  it('may be absent, and be lists', () => {
    const { db, ada, bath } = open();
    expectTypeOf(db.getNode(ada)!.properties.roles).toEqualTypeOf<('author' | 'reader')[] | undefined>();
    expectTypeOf(db.getNode(bath)!.properties.grades).toEqualTypeOf<('a' | 'b')[]>();
    db.updateNodeProperties(ada, { rank: null, roles: ['reader', 'author'] });
    db.removeNodeProperty(ada, 'roles');
    // @ts-expect-error a text that is not allowed
    refused(() => db.setNodeProperty(ada, 'rank', 'chief'));
    // @ts-expect-error one that is not allowed among others
    expect(thrownBy(() => db.setNodeProperty(ada, 'roles', ['author', 'chief'])).message).toContain("has 'chief'");
    // @ts-expect-error a text where a list is wanted
    refused(() => db.setNodeProperty(ada, 'roles', 'author'));
    // @ts-expect-error a list where a text is wanted
    refused(() => db.setNodeProperty(ada, 'rank', ['senior']));
    // @ts-expect-error one that is needed
    refused(() => db.removeNodeProperty(bath, 'grades'));
    expect(db.getNode(ada)!.properties).toEqual({ name: 'Ada', born: 1815 });
    db.close();
  });

  it.each([
    [{ oneOf: [] }, 'one text or more'],
    [{ oneOf: 'a' }, 'one text or more'],
    [{ oneOf: [1] }, 'one text or more'],
    [{ oneOf: ['a'], optional: 1 }, 'true or false'],
    [{ oneOf: ['a'], lists: true }, "'lists'"],
  ])('%j is refused', (type, says) => {
    const definition = { nodes: { A: { x: type } }, edges: {} } as unknown as SchemaDefinition;
    const error = thrownBy(() => defineSchema(definition));
    expect([error.code, error.details?.['field']]).toEqual(['SOMBRA_CONFIG', 'nodes.A.x']);
    expect(error.message).toContain(says);
  });
});
