import fc from 'fast-check';
import type { GraphDB, NodeRecord, PropertyValue } from '@sombra/db';

/** Parameters of a random test: SOMBRA_SEED and SOMBRA_RUNS, else the given ones, so that a push always runs the same. */
export function randomRuns(seed: number, runs: number): { seed: number; numRuns: number } {
  const number = (name: string, fallback: number): number => {
    const text = process.env[name] ?? '';
    return text === '' ? fallback : Number(text);
  };
  return { seed: number('SOMBRA_SEED', seed), numRuns: number('SOMBRA_RUNS', runs) };
}

/** Text of all kinds, with what CSV, JSON and headers take for signs among it. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.string({ unit: fc.constantFrom(...'":;,\\\'{}[]$#:()=|\n\r\t \u00a0\ufeff\u0000a1é😀'), maxLength: 8 }),
  fc.constantFrom('', 'true', '1', '01', 'NaN', '2024-01-01', '__proto__', 'toString', '$date', '$map', ':ID', 'null'),
);

/** Values that are neither lists nor maps. */
const scalar: fc.Arbitrary<PropertyValue> = fc.oneof(
  fc.boolean(),
  anyText,
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(-0, NaN, Infinity, -Infinity, 2 ** 53, 2 ** 60, 1e21, 5e-324),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(2n ** 53n, -(2n ** 63n), 2n ** 63n - 1n),
  fc.uint8Array({ maxLength: 6 }),
  fc.date({ noInvalidDate: true }),
  fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') }),
);

function mapOf(entries: readonly (readonly [string, PropertyValue])[]): { [key: string]: PropertyValue } {
  const map = Object.create(null) as { [key: string]: PropertyValue };
  for (const [key, value] of entries) map[key] = value;
  return map;
}

/** Values of every kind, lists and maps in each other. */
export const anyValue: fc.Arbitrary<PropertyValue> = fc.letrec<{ value: PropertyValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(scalar, { maxLength: 3 }),
    fc.array(anyText, { maxLength: 3 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(anyText, tie('value')), { maxLength: 3 }).map(mapOf),
    fc.tuple(fc.constantFrom('$date', '$integer', '$map', '$bytes', '$'), tie('value')).map((entry) => mapOf([entry])),
  ),
})).value;

const name = anyText.filter((text) => text !== '');
/** A few keys, so that columns meet values of several kinds, and any others. */
const key = fc.oneof(fc.constantFrom('a', 'b', 'c', ' d', 'e:int', ''), anyText).filter((text) => text !== 'nr');
const properties = fc.array(fc.tuple(key, anyValue), { maxLength: 4 }).map(mapOf);
const label = fc.oneof(fc.constantFrom('A', 'B', 'B;C', '["A"]'), name);

/** A graph. Every node and edge has a number of its own as property `nr`. */
export const anyGraph = fc
  .record({
    nodes: fc.array(fc.record({ labels: fc.array(label, { maxLength: 3 }), properties }), { maxLength: 30 }),
    edges: fc.array(
      fc.record({ source: fc.nat(), target: fc.nat(), type: fc.oneof(fc.constantFrom('E', 'F'), name), properties }),
      {
        maxLength: 30,
      },
    ),
  })
  .map(({ nodes, edges }) => ({ nodes, edges: nodes.length === 0 ? [] : edges }));
export type AnyGraph = typeof anyGraph extends fc.Arbitrary<infer G> ? G : never;

/** Writes a graph into a database; some nodes are deleted in between, so that ids have gaps. */
export function writeGraph(db: GraphDB, { nodes, edges }: AnyGraph): void {
  db.transaction((tx) => {
    const ids = nodes.map((node, nr) => {
      if (nr % 5 === 3) tx.deleteNode(tx.addNode('Gone'));
      return tx.addNode(node.labels, { ...node.properties, nr });
    });
    for (const [nr, { source, target, type, properties: own }] of edges.entries())
      tx.addEdge(ids[source % ids.length]!, ids[target % ids.length]!, type, { ...own, nr });
  });
}

/** What a graph holds whatever its ids are: nodes and edges by `nr`. */
export function contentOf(db: GraphDB): { nodes: Map<number, unknown>; edges: Map<number, unknown> } {
  const number = (node: NodeRecord): number => node.properties['nr'] as number;
  const nodes = new Map<number, unknown>();
  const edges = new Map<number, unknown>();
  for (const node of db.nodes())
    nodes.set(number(node), { labels: [...node.labels].sort(), properties: node.properties });
  for (const { source, target, type, properties: own } of db.edges())
    edges.set(own['nr'] as number, {
      source: number(db.getNode(source)!),
      target: number(db.getNode(target)!),
      type,
      properties: own,
    });
  return { nodes, edges };
}
