// Goal: one function takes databases, transactions and snapshots with a schema and without one; what a schema adds is not given away.
// Method: functions of the shared types, called with both; assignments that must not compile.
import { describe, expect, expectTypeOf, it } from 'vitest';
import { defineSchema, GraphDB } from '../src/index.ts';
import type {
  AnyGraphDB,
  AnySnapshot,
  AnyTransaction,
  GraphDBOf,
  GraphReads,
  GraphWrites,
  NodeId,
  SchemaDefinition,
  Snapshot,
  SnapshotOf,
  Transaction,
  TransactionOf,
} from '../src/index.ts';
import { thrownBy } from './support/codes.ts';

const schema = defineSchema({
  nodes: {
    Person: { name: 'string', born: 'integer?', tags: 'string[]?' },
    City: { name: 'string', kind: ['village', 'town'] },
  },
  edges: {
    KNOWS: { from: 'Person', to: 'Person', properties: { since: 'integer', weight: 'number?' } },
    LIVES_IN: { from: 'Person', to: 'City' },
  },
});
type Definition = (typeof schema)['definition'];

/** Reads whatever it is given. */
function describeGraph(graph: GraphReads): unknown {
  const [first] = graph.nodes({ label: 'Person' });
  if (first === undefined) return 'nobody';
  const around = graph.neighbors(first.id, { direction: 'both' }).map((id) => graph.getNode(id)?.properties['name']);
  const young = graph.countNodes({ label: 'Person', where: { born: { gte: 1800 } } });
  const prepared = graph.prepareNodes({ label: 'City' }).on(graph).count();
  return [graph.getNodeProperty(first.id, 'name'), around, young, prepared, graph.hasLabel(first.id, 'Person')];
}

/** Writes to whatever it is given. */
function addPerson(graph: GraphWrites, name: string): NodeId {
  const id = graph.addNode('Person', { name });
  graph.setNodeProperty(id, 'born', 1815);
  graph.updateNodeProperties(id, { tags: ['new'] });
  return id;
}

/** Does everything with whatever database it is given. */
async function useAll(db: AnyGraphDB): Promise<unknown> {
  const ada = addPerson(db, 'Ada');
  const town = db.transaction((tx) => {
    const inner = tx.transaction((nested) => nested.addNode('City', { name: 'Bath', kind: 'town' }));
    tx.addEdge(ada, inner, 'LIVES_IN');
    return inner;
  });
  const begun = db.beginTransaction();
  addPerson(begun, 'Alan');
  begun.commit();
  await db.transactionAsync((tx) => tx.addEdge(ada, addPerson(tx, 'Mary'), 'KNOWS', { since: 1830 }));
  const snapshot = db.snapshot();
  const seen = describeGraph(snapshot);
  snapshot.release();
  return [seen, describeGraph(db), db.read(describeGraph), db.transaction(describeGraph), db.getNode(town)];
}

describe('what databases with and without a schema have in common', () => {
  it('is taken by one function', async () => {
    const plain = GraphDB.open(':memory:');
    const typed = GraphDB.open(':memory:', { schema });
    const found = await useAll(plain);
    expect(await useAll(typed)).toEqual(found);
    expect((found as unknown[])[0]).toEqual(['Ada', ['Bath', 'Mary'], 3, 1, true]);
    // The schema holds writes of such a function as well.
    expect(thrownBy(() => (typed as AnyGraphDB).addNode('Persn', {})).code).toBe('SOMBRA_SCHEMA');
    plain.close();
    typed.close();
  });

  it('takes both as types, whatever the schema', () => {
    expectTypeOf<GraphDB>().toExtend<AnyGraphDB>();
    expectTypeOf<Transaction>().toExtend<AnyTransaction>();
    expectTypeOf<Snapshot>().toExtend<AnySnapshot>();
    expectTypeOf<GraphDBOf<Definition>>().toExtend<AnyGraphDB>();
    expectTypeOf<TransactionOf<Definition>>().toExtend<AnyTransaction>();
    expectTypeOf<SnapshotOf<Definition>>().toExtend<AnySnapshot>();
    expectTypeOf<GraphDBOf<SchemaDefinition>>().toExtend<AnyGraphDB>();
    expectTypeOf<AnyGraphDB>().toExtend<GraphReads & GraphWrites>();
    expectTypeOf<AnyTransaction>().toExtend<GraphReads & GraphWrites>();
    expectTypeOf<AnySnapshot>().toExtend<GraphReads>();
    expectTypeOf<AnySnapshot>().not.toExtend<GraphWrites>();
  });

  it('does not take the place of a database with a schema', () => {
    const wantsTyped = (db: GraphDBOf<Definition>): boolean => db.closed;
    const use = (any: AnyGraphDB, plain: GraphDB, typed: GraphDBOf<Definition>): boolean[] => [
      // @ts-expect-error it may have another schema, or none
      wantsTyped(any),
      // @ts-expect-error it has none
      wantsTyped(plain),
      wantsTyped(typed),
    ];
    const db = GraphDB.open(':memory:', { schema });
    expect(use(db, db as unknown as GraphDB, db)).toEqual([false, false, false]);
    db.close();
  });
});
