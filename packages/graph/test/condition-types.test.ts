// Goal: what `and`, `or` and `not` put together goes only to records that have these properties, of these kinds.
// Method: assignments that must and must not compile; each predicate answers on a graph as well.
import { expect, expectTypeOf, it } from 'vitest';
import { and, not, or } from '../src/index.ts';
import type { EdgeId, NodeId, NodeRecord, Predicate, Where } from '../src/index.ts';
import { OpenGraph } from './support/open.ts';

/** A record with properties of known kinds. */
interface Person {
  readonly id: number;
  readonly properties: { name: string; born?: number; rank: 'junior' | 'senior'; tags?: string[] };
}

/** A record of another kind. */
interface Sized {
  readonly id: number;
  readonly properties: { size: number };
}

it('takes conditions on properties that a record has', () => {
  const whole: readonly Where<Person>[] = [
    or({ born: { gte: 1800 }, rank: 'junior' }, not({ tags: ['x'] }), { tags: { contains: 'x' } }),
    and({ name: { startsWith: 'A', mode: 'insensitive' } }, { born: { exists: false } }, { rank: { startsWith: 'j' } }),
    not((person: Person) => person.properties.rank === 'junior'),
    and(),
    or(),
  ];
  const again: Where<Person> = and(...whole);
  const untyped: Where<NodeRecord> = and(
    { x: { gte: 3 } },
    or({ map: { eq: { deep: ['x'] } } }, (node) => node.id === 1),
  );
  expectTypeOf(untyped).toExtend<Where<NodeRecord>>();
  const db = new OpenGraph();
  db.write((tx) => tx.addNode('Person', { name: 'Ada', born: 1815, rank: 'senior', x: 3 }));
  const found = [...whole, again].map((where) => db.reader.countNodes({ where: where as never }));
  expect(found).toEqual([1, 0, 1, 1, 0, 0]);
  expect(db.reader.countNodes({ where: untyped })).toBe(1);
  db.close();
});

it('refuses what no such record can have', () => {
  const wrong = [
    // @ts-expect-error an unknown property
    or({ bron: 1 }) satisfies Where<Person>,
    // @ts-expect-error an unknown property beside a known one
    or({ name: 'x', bron: 1 }) satisfies Where<Person>,
    // @ts-expect-error a text that is not allowed, further in
    and(not(or({ rank: 'chief' }))) satisfies Where<Person>,
    // @ts-expect-error another kind
    or({ born: { gte: 'x' } }) satisfies Where<Person>,
    // @ts-expect-error a function of other records
    not((other: Sized) => other.id === 1) satisfies Where<Person>,
  ];
  // @ts-expect-error an unknown operator
  expect(() => or({ born: { gtee: 1 } })).toThrowError('gtee');
  expectTypeOf(wrong[0]!).toExtend<Predicate<unknown>>();
  expect(wrong).toHaveLength(5);
});

it('tells ids of nodes from ids of edges, and takes plain numbers for either', () => {
  const db = new OpenGraph();
  const [node, edge] = db.write((tx) => {
    const id = tx.addNode('N');
    return [id, tx.addEdge(id, id, 'R')] as const;
  });
  expectTypeOf(node).toEqualTypeOf<NodeId>();
  expectTypeOf(edge).toEqualTypeOf<EdgeId>();
  expectTypeOf(db.reader.neighbors(node)).toEqualTypeOf<NodeId[]>();
  expectTypeOf(db.reader.edgeIdsOf(node)).toEqualTypeOf<EdgeId[]>();
  expectTypeOf(node).toExtend<number>();
  expectTypeOf<number>().toExtend<NodeId & number>();
  // @ts-expect-error an edge's id where a node's is meant
  expect(db.reader.getNode(edge)?.id).toBe(1);
  // @ts-expect-error and the other way round
  expect(db.reader.getEdge(node)?.id).toBe(1);
  expect(db.reader.hasNode(1)).toBe(true);
  db.close();
});
