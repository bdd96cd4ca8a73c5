// Goal: with a schema nothing can be written that does not fit it, by whichever call, and what was refused changed nothing.
// Method: a small schema, every write method with what fits and with each way not to fit.
import { describe, expect, it } from 'vitest';
import { defineSchema, GraphDB } from '../src/index.ts';
import type { Config, SchemaDefinition, SombraError, Transaction } from '../src/index.ts';
import { thrownBy } from './support/codes.ts';
import { contentOf } from './support/content.ts';

const schema = defineSchema({
  nodes: {
    Person: {
      name: 'string',
      born: 'integer?',
      serial: 'bigint?',
      height: 'number?',
      tags: 'string[]?',
      photo: 'bytes?',
    },
    Author: { penName: 'string', since: 'date?' },
    City: { name: 'string', kind: ['village', 'town'], extra: 'any?', shape: 'map?', capital: 'boolean?' },
  },
  edges: {
    KNOWS: { from: 'Person', to: 'Person', properties: { since: 'integer', weight: 'number?' } },
    VISITED: { from: ['Person', 'Author'], to: 'City' },
  },
});

interface Fixture {
  readonly db: GraphDB;
  readonly ada: number;
  readonly bath: number;
  readonly knows: number;
}

function open(): Fixture {
  const db = GraphDB.open(':memory:', { schema } as Config);
  return db.transaction((tx) => {
    const ada = tx.addNode('Person', { name: 'Ada', born: 1815 });
    const alan = tx.addNode(['Person', 'Author'], { name: 'Alan', penName: 'A. M.', since: new Date(0) });
    const bath = tx.addNode('City', { name: 'Bath', kind: 'town', extra: [1, 'x'], shape: { x: 1 }, capital: false });
    tx.addEdge(alan, bath, 'VISITED');
    return { db, ada, bath, knows: tx.addEdge(ada, alan, 'KNOWS', { since: 1936 }) };
  });
}

/** A write that does not fit, and what the message has to name. */
type Refused = readonly [name: string, write: (tx: Transaction, at: Fixture) => unknown, says: string];

const REFUSED: readonly Refused[] = [
  ['an unknown label', (tx) => tx.addNode('Persn', { name: 'x' }), "did you mean 'Person'"],
  ['a missing property', (tx) => tx.addNode('Person', {}), "'name' is missing"],
  ['a missing property, no properties', (tx) => tx.addNode('Person'), "'name' is missing"],
  ['null for a property that is needed', (tx) => tx.addNode('Person', { name: null }), "'name' is missing"],
  ['a missing property of the second label', (tx) => tx.addNode(['Person', 'Author'], { name: 'x' }), "'penName'"],
  ['an unknown property', (tx) => tx.addNode('Person', { name: 'x', bron: 1 }), "did you mean 'born'"],
  ['an inherited name as property', (tx) => tx.addNode('Person', { name: 'x', constructor: 1 }), "'constructor'"],
  ['a property without a label', (tx) => tx.addNode([], { name: 'x' }), "'name'"],
  ['a text for an integer', (tx) => tx.addNode('Person', { name: 'x', born: '1815' }), 'wants integer'],
  ['a float for an integer', (tx) => tx.addNode('Person', { name: 'x', born: 1.5 }), 'wants integer'],
  ['a bigint for an integer', (tx) => tx.addNode('Person', { name: 'x', born: 2n ** 60n }), 'wants integer'],
  ['a float for a bigint', (tx) => tx.addNode('Person', { name: 'x', serial: 0.5 }), 'wants bigint'],
  ['a list for a string', (tx) => tx.addNode('Person', { name: ['x'] }), 'is a list'],
  ['a string for a list', (tx) => tx.addNode('Person', { name: 'x', tags: 'y' }), 'a list of string'],
  ['a list with another kind', (tx) => tx.addNode('Person', { name: 'x', tags: ['y', 1] }), 'a list of string'],
  ['a string for bytes', (tx) => tx.addNode('Person', { name: 'x', photo: 'y' }), 'wants bytes'],
  ['a number for a date', (tx) => tx.addNode('Author', { penName: 'x', since: 1 }), 'wants date'],
  ['a text that is not allowed', (tx) => tx.addNode('City', { name: 'x', kind: 'city' }), "'village', 'town'"],
  ['a list for a map', (tx) => tx.addNode('City', { name: 'x', kind: 'town', shape: [1] }), 'wants map'],
  ['an unknown type', (tx, { ada }) => tx.addEdge(ada, ada, 'KNWS', { since: 1 }), "did you mean 'KNOWS'"],
  ['a wrong source', (tx, { bath, ada }) => tx.addEdge(bath, ada, 'KNOWS', { since: 1 }), 'source'],
  ['a wrong target', (tx, { bath, ada }) => tx.addEdge(ada, bath, 'KNOWS', { since: 1 }), 'target'],
  ['a missing edge property', (tx, { ada }) => tx.addEdge(ada, ada, 'KNOWS'), "'since' is missing"],
  ['an unknown edge property', (tx, { ada, bath }) => tx.addEdge(ada, bath, 'VISITED', { on: 1 }), "'on'"],
  ['setting a wrong kind', (tx, { ada }) => tx.setNodeProperty(ada, 'born', 'x'), 'wants integer'],
  ['setting null where one is needed', (tx, { ada }) => tx.setNodeProperty(ada, 'name', null), "'name' is missing"],
  ['removing what is needed', (tx, { ada }) => tx.removeNodeProperty(ada, 'name'), "'name' is missing"],
  [
    'replacing without what is needed',
    (tx, { ada }) => tx.replaceNodeProperties(ada, { born: 1 }),
    "'name' is missing",
  ],
  ['updating with an unknown key', (tx, { ada }) => tx.updateNodeProperties(ada, { nam: 'x' }), "'name'"],
  ['adding a label that needs more', (tx, { ada }) => tx.addLabel(ada, 'Author'), "'penName' is missing"],
  ['removing a label that properties need', (tx, { ada }) => tx.removeLabel(ada, 'Person'), "'name'"],
  ['setting an edge property wrongly', (tx, { knows }) => tx.setEdgeProperty(knows, 'since', 'x'), 'wants integer'],
  ['removing a needed one of an edge', (tx, { knows }) => tx.removeEdgeProperty(knows, 'since'), "'since' is missing"],
  [
    'replacing those of an edge',
    (tx, { knows }) => tx.replaceEdgeProperties(knows, { weight: 1 }),
    "'since' is missing",
  ],
  ['updating those of an edge', (tx, { knows }) => tx.updateEdgeProperties(knows, { wieght: 1 }), "'weight'"],
];

describe('a schema', () => {
  it.each(REFUSED)('refuses %s', (_, write, says) => {
    const at = open();
    const { db } = at;
    const before = contentOf(db);
    const error = thrownBy(() => db.transaction((tx) => write(tx, at)));
    expect([error.name, error.code]).toEqual(['DataError', 'SOMBRA_SCHEMA']);
    expect(error.message).toContain(says);
    // In the same way as a transaction of one write, and without ending a transaction that goes on.
    db.transaction((tx) => {
      expect(thrownBy(() => write(tx, at)).code).toBe('SOMBRA_SCHEMA');
    });
    expect(contentOf(db)).toEqual(before);
    db.close();
  });

  it('takes what fits, by every call', () => {
    const { db, ada, bath, knows } = open();
    db.setNodeProperty(ada, 'serial', 2n ** 60n);
    db.setNodeProperty(ada, 'serial', 60);
    db.setNodeProperty(ada, 'born', 1816);
    db.setNodeProperty(ada, 'height', 1.5);
    db.removeNodeProperty(ada, 'born');
    db.replaceNodeProperties(ada, { name: 'Ada', penName: null, tags: ['a', 'b'], photo: new Uint8Array(2) });
    db.updateNodeProperties(ada, { tags: [], photo: null });
    expect(db.getNode(ada)?.properties).toEqual({ name: 'Ada', tags: [] });
    db.updateEdgeProperties(knows, { weight: 2 });
    db.setEdgeProperty(knows, 'since', 1940);
    db.replaceEdgeProperties(knows, { since: 1941 });
    expect(db.removeEdgeProperty(knows, 'weight')).toBe(false);
    expect(db.addEdge(ada, bath, 'VISITED')).toBeGreaterThan(0);
    expect(db.addNode([])).toBeGreaterThan(0);
    expect(db.addLabel(ada, 'Person')).toBe(false);
    db.close();
  });

  it('leaves what is not there to the write', () => {
    const { db, ada } = open();
    expect(thrownBy(() => db.setNodeProperty(99, 'name', 'x')).code).toBe('SOMBRA_NODE_NOT_FOUND');
    expect(thrownBy(() => db.addEdge(ada, 99, 'KNOWS', { since: 1 })).code).toBe('SOMBRA_NODE_NOT_FOUND');
    expect(thrownBy(() => db.setEdgeProperty(99, 'since', 1)).code).toBe('SOMBRA_EDGE_NOT_FOUND');
    db.close();
  });

  it('keeps the labels that edges need, as long as there are edges', () => {
    const both = defineSchema({
      nodes: { A: { name: 'string' }, B: { name: 'string' }, C: { name: 'string' } },
      edges: { R: { from: 'A', to: ['B', 'C'] } },
    });
    const db = GraphDB.open(':memory:', { schema: both } as Config);
    const source = db.addNode(['A', 'B'], { name: 'source' });
    const target = db.addNode(['A', 'B', 'C'], { name: 'target' });
    const edge = db.addEdge(source, target, 'R');
    expect(thrownBy(() => db.removeLabel(source, 'A')).code).toBe('SOMBRA_SCHEMA');
    expect(db.removeLabel(target, 'A')).toBe(true);
    expect(db.removeLabel(target, 'B')).toBe(true);
    db.addLabel(target, 'A');
    expect(thrownBy(() => db.removeLabel(target, 'C')).code).toBe('SOMBRA_SCHEMA');
    expect([db.getNode(source)?.labels, db.getNode(target)?.labels]).toEqual([
      ['A', 'B'],
      ['C', 'A'],
    ]);
    db.deleteEdge(edge);
    expect([db.removeLabel(source, 'A'), db.removeLabel(target, 'C'), db.removeLabel(target, 'C')]).toEqual([
      true,
      true,
      false,
    ]);
    db.close();
  });

  it('leaves labels and types that are no texts to the write, which refuses them as without a schema', () => {
    const { db, ada } = open();
    const plain = GraphDB.open(':memory:');
    const id = plain.addNode([]);
    for (const wrong of [undefined, null, 5, ['Person', 5], {}] as never[]) {
      for (const [graph, node] of [
        [db, ada],
        [plain, id],
      ] as const) {
        const codes = [
          () => graph.addNode(wrong, { name: 'x' }),
          () => graph.addLabel(node, wrong),
          () => graph.addEdge(node, node, wrong),
        ].map((write) => thrownBy(write).code);
        expect(codes).toEqual(['SOMBRA_VALUE_KIND', 'SOMBRA_VALUE_KIND', 'SOMBRA_VALUE_KIND']);
      }
    }
    plain.close();
    db.close();
  });

  it('is not looked at with validateSchema false, nor when it says nothing', () => {
    const db = GraphDB.open(':memory:', { schema, validateSchema: false } as Config);
    expect(db.addNode('Whatever', { x: 1 })).toBe(1);
    db.close();
    const none = GraphDB.open(':memory:', { schema: undefined });
    expect(none.addNode('Whatever', { x: 1 })).toBe(1);
    none.close();
  });

  it('holds a bulk load to it, ends included', () => {
    const load = (nodes: object[], edges: object[]): string => {
      const db = GraphDB.open(':memory:', { schema } as Config);
      try {
        db.bulkLoad({ nodes: nodes as never, edges: edges as never });
        return `${db.nodeCount()} nodes, ${db.edgeCount()} edges`;
      } catch (error) {
        expect([db.nodeCount(), db.edgeCount()]).toEqual([0, 0]);
        return (error as SombraError).code;
      } finally {
        db.close();
      }
    };
    const person = { labels: 'Person', properties: { name: 'x' } };
    const city = { labels: ['City'], properties: { name: 'x', kind: 'town' } };
    const edge = { source: 0, target: 1, type: 'VISITED' };
    expect(load([person, city], [edge])).toBe('2 nodes, 1 edges');
    expect(load([person, { labels: 'City' }], [])).toBe('SOMBRA_SCHEMA');
    expect(load([person, city], [{ ...edge, source: 1 }])).toBe('SOMBRA_SCHEMA');
    expect(load([person, city], [{ ...edge, properties: { x: 1 } }])).toBe('SOMBRA_SCHEMA');
    expect(load([person, city], [{ ...edge, target: 7 }])).toBe('SOMBRA_NODE_NOT_FOUND');
    expect(load(null as never, [])).toBe('SOMBRA_OPTION');
    expect(load([null as never], [])).toBe('SOMBRA_VALUE_KIND');
    expect(load([{}], [])).toBe('SOMBRA_VALUE_KIND');
    expect(load([person, city], [null as never])).toBe('SOMBRA_VALUE_KIND');
    expect(load([person, city], [{ source: 0, target: 1 }])).toBe('SOMBRA_VALUE_KIND');
  });
});

describe('an invalid definition', () => {
  it.each([
    [undefined, 'schema'],
    [{ nodes: {} }, 'schema'],
    [{ nodes: { A: 'string' }, edges: {} }, 'nodes.A'],
    [{ nodes: { A: { x: 'strin' } }, edges: {} }, 'nodes.A.x'],
    [{ nodes: { A: { x: 'string??' } }, edges: {} }, 'nodes.A.x'],
    [{ nodes: { A: { x: [] } }, edges: {} }, 'nodes.A.x'],
    [{ nodes: { A: { x: [1] } }, edges: {} }, 'nodes.A.x'],
    [{ nodes: { A: {} }, edges: { R: { from: 'A', to: 'B' } } }, 'edges.R.to'],
    [{ nodes: { A: {} }, edges: { R: { from: [], to: 'A' } } }, 'edges.R.from'],
    [{ nodes: { A: {} }, edges: { R: 'A' } }, 'edges.R'],
    [{ nodes: { A: {} }, edges: { R: { from: 'A', to: 'A', properties: { x: 'no' } } } }, 'edges.R.properties.x'],
  ])('%j is refused, naming %s', (definition, field) => {
    const error = thrownBy(() => defineSchema(definition as unknown as SchemaDefinition));
    expect([error.code, error.details?.['field']]).toEqual(['SOMBRA_CONFIG', field]);
  });

  it('in a configuration, too', () => {
    const plain = { nodes: {}, edges: {} };
    expect(thrownBy(() => GraphDB.open(':memory:', { schema: plain as never })).code).toBe('SOMBRA_CONFIG');
    expect(thrownBy(() => GraphDB.open(':memory:', { schema, validateSchema: 1 as never })).code).toBe('SOMBRA_CONFIG');
  });
});
