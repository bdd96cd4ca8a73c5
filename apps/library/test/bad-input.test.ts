// Goal: an invalid statement gets a typed error with a stable code and a message that says what is wrong, and
// leaves the data as before. Method: a table of statements, each run in a transaction that has writes of its own, as a
// transaction by itself, and in a nested one; content is compared with what it was.
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, GraphDB } from '../src/index.ts';
import type { ErrorCode, PropertyInput, Transaction } from '../src/index.ts';
import { codeOf, thrownBy } from './support/codes.ts';
import { contentOf } from './support/content.ts';
import { withMemory } from './support/open.ts';
import { addSmallGraph } from './support/small-graph.ts';

/** The write methods that a database and a transaction have in common. */
type Writer = Pick<
  Transaction,
  | 'addNode'
  | 'addEdge'
  | 'setNodeProperty'
  | 'removeNodeProperty'
  | 'replaceNodeProperties'
  | 'updateNodeProperties'
  | 'setEdgeProperty'
  | 'removeEdgeProperty'
  | 'replaceEdgeProperties'
  | 'updateEdgeProperties'
  | 'addLabel'
  | 'removeLabel'
  | 'deleteNode'
  | 'deleteEdge'
>;

interface Ids {
  readonly ada: number;
  readonly alan: number;
  readonly knows: number;
}

type Statement = [name: string, code: ErrorCode, run: (write: Writer, ids: Ids) => unknown];

const MISSING = 123_456;
const NO_IDS: unknown[] = [0, -1, 1.5, NaN, Infinity, 2 ** 48, 2 ** 53, '1', 1n, null, undefined, {}, [1]];
const TOO_LONG = 'x'.repeat(256);
const MIB = 1024 * 1024;

function nested(depth: number): PropertyInput {
  let value: PropertyInput = { leaf: 1 };
  for (let i = 1; i < depth; i += 1) value = { inner: value as never };
  return { value: value as never };
}

function endless(): PropertyInput {
  const list: unknown[] = [];
  list.push(list);
  return { list: list as never };
}

/** Each value that cannot be stored, with its code. */
const VALUES: [name: string, code: ErrorCode, properties: () => PropertyInput][] = [
  ['a text over 16 MiB', 'SOMBRA_VALUE_TOO_LARGE', () => ({ text: 'x'.repeat(16 * MIB + 1) })],
  ['bytes over 16 MiB', 'SOMBRA_VALUE_TOO_LARGE', () => ({ bytes: new Uint8Array(16 * MIB + 1) })],
  ['a list over 16 MiB', 'SOMBRA_VALUE_TOO_LARGE', () => ({ list: Array.from({ length: 17 }, () => 'x'.repeat(MIB)) })],
  [
    'a record over 17 MiB',
    'SOMBRA_VALUE_TOO_LARGE',
    () => ({ a: new Uint8Array(9 * MIB), b: new Uint8Array(9 * MIB) }),
  ],
  ['maps 33 deep', 'SOMBRA_NESTING', () => nested(33)],
  ['maps 100,000 deep', 'SOMBRA_NESTING', () => nested(100_000)],
  ['a list that contains itself', 'SOMBRA_NESTING', endless],
  ['half a surrogate pair', 'SOMBRA_TEXT_SURROGATE', () => ({ text: 'a\ud800' })],
  ['the other half', 'SOMBRA_TEXT_SURROGATE', () => ({ text: '\udc00b' })],
  ['half a pair in a list', 'SOMBRA_TEXT_SURROGATE', () => ({ list: ['fine', '\ud83d'] })],
  ['half a pair in a key', 'SOMBRA_TEXT_SURROGATE', () => ({ 'key\ud800': 1 })],
  ['half a pair in a nested key', 'SOMBRA_TEXT_SURROGATE', () => ({ map: { 'key\ud800': 1 } })],
  ['a key that is too long', 'SOMBRA_NAME_TOO_LONG', () => ({ [TOO_LONG]: 1 })],
  ['a function', 'SOMBRA_VALUE_KIND', () => ({ call: (() => 1) as never })],
  ['a symbol', 'SOMBRA_VALUE_KIND', () => ({ symbol: Symbol('s') as never })],
  ['a Map', 'SOMBRA_VALUE_KIND', () => ({ map: new Map([[1, 2]]) as never })],
  ['an object of a class', 'SOMBRA_VALUE_KIND', () => ({ url: new URL('http://localhost/') as never })],
  ['an invalid date', 'SOMBRA_VALUE_KIND', () => ({ date: new Date(NaN) })],
  ['a bigint of 65 bits', 'SOMBRA_VALUE_KIND', () => ({ big: 2n ** 63n })],
  ['null in a list', 'SOMBRA_VALUE_KIND', () => ({ list: [1, null] as never })],
  ['a list instead of properties', 'SOMBRA_VALUE_KIND', () => [1] as never],
  ['a text instead of properties', 'SOMBRA_VALUE_KIND', () => 'name' as never],
];

/** What takes long to make is tried in one way only. */
const SMALL_VALUES = VALUES.filter(([name]) => !/MiB|100,000/.test(name));

const STATEMENTS: Statement[] = [
  ...VALUES.map(
    ([name, code, properties]): Statement => [
      `a node with ${name}`,
      code,
      (write) => write.addNode('New', { first: 1, ...wrapped(properties()) }),
    ],
  ),
  ...SMALL_VALUES.map(
    ([name, code, properties]): Statement => [
      `an edge with ${name}`,
      code,
      (write, { ada }) => write.addEdge(ada, ada, 'NEW', properties()),
    ],
  ),
  ...SMALL_VALUES.map(
    ([name, code, properties]): Statement => [
      `node properties with ${name}`,
      code,
      (write, { ada }) => write.updateNodeProperties(ada, properties()),
    ],
  ),
  ...SMALL_VALUES.map(
    ([name, code, properties]): Statement => [
      `edge properties with ${name}`,
      code,
      (write, { knows }) => write.replaceEdgeProperties(knows, properties()),
    ],
  ),
  ...NO_IDS.flatMap((bad): Statement[] => {
    const id = bad as number;
    const name = typeof bad === 'bigint' ? `${bad}n` : (JSON.stringify(bad) ?? 'undefined');
    return [
      [`an edge from ${name}`, 'SOMBRA_ID_RANGE', (write, { ada }) => write.addEdge(id, ada, 'X')],
      [`an edge to ${name}`, 'SOMBRA_ID_RANGE', (write, { ada }) => write.addEdge(ada, id, 'X')],
      [`deleting node ${name}`, 'SOMBRA_ID_RANGE', (write) => write.deleteNode(id)],
      [`deleting edge ${name}`, 'SOMBRA_ID_RANGE', (write) => write.deleteEdge(id)],
      [`a property of node ${name}`, 'SOMBRA_ID_RANGE', (write) => write.setNodeProperty(id, 'a', 1)],
      [`a property of edge ${name}`, 'SOMBRA_ID_RANGE', (write) => write.setEdgeProperty(id, 'a', 1)],
      [`a label of node ${name}`, 'SOMBRA_ID_RANGE', (write) => write.addLabel(id, 'X')],
    ];
  }),
  ['an edge from a missing node', 'SOMBRA_NODE_NOT_FOUND', (write, { ada }) => write.addEdge(MISSING, ada, 'X')],
  ['an edge to a missing node', 'SOMBRA_NODE_NOT_FOUND', (write, { ada }) => write.addEdge(ada, MISSING, 'X')],
  ['deleting a missing node', 'SOMBRA_NODE_NOT_FOUND', (write) => write.deleteNode(MISSING)],
  ['a property of a missing node', 'SOMBRA_NODE_NOT_FOUND', (write) => write.setNodeProperty(MISSING, 'new', 1)],
  ['no property of a missing node', 'SOMBRA_NODE_NOT_FOUND', (write) => write.removeNodeProperty(MISSING, 'name')],
  [
    'properties of a missing node',
    'SOMBRA_NODE_NOT_FOUND',
    (write) => write.replaceNodeProperties(MISSING, { new: 1 }),
  ],
  ['more of a missing node', 'SOMBRA_NODE_NOT_FOUND', (write) => write.updateNodeProperties(MISSING, { new: 1 })],
  ['a label of a missing node', 'SOMBRA_NODE_NOT_FOUND', (write) => write.addLabel(MISSING, 'New')],
  ['no label of a missing node', 'SOMBRA_NODE_NOT_FOUND', (write) => write.removeLabel(MISSING, 'Person')],
  ['deleting a missing edge', 'SOMBRA_EDGE_NOT_FOUND', (write) => write.deleteEdge(MISSING)],
  ['a property of a missing edge', 'SOMBRA_EDGE_NOT_FOUND', (write) => write.setEdgeProperty(MISSING, 'new', 1)],
  ['no property of a missing edge', 'SOMBRA_EDGE_NOT_FOUND', (write) => write.removeEdgeProperty(MISSING, 'since')],
  [
    'properties of a missing edge',
    'SOMBRA_EDGE_NOT_FOUND',
    (write) => write.replaceEdgeProperties(MISSING, { new: 1 }),
  ],
  ['more of a missing edge', 'SOMBRA_EDGE_NOT_FOUND', (write) => write.updateEdgeProperties(MISSING, { new: 1 })],
  ['deleting a node with edges', 'SOMBRA_NODE_HAS_EDGES', (write, { ada }) => write.deleteNode(ada)],
  ['an unknown option', 'SOMBRA_OPTION', (write, { ada }) => write.deleteNode(ada, { casade: true } as never)],
  [
    'an option of another kind',
    'SOMBRA_OPTION',
    (write, { ada }) => write.deleteNode(ada, { cascade: 'yes' as never }),
  ],
  ['an empty label', 'SOMBRA_LABEL_EMPTY', (write) => write.addNode('')],
  ['an empty label among others', 'SOMBRA_LABEL_EMPTY', (write) => write.addNode(['Fine', ''], { new: 1 })],
  ['adding an empty label', 'SOMBRA_LABEL_EMPTY', (write, { ada }) => write.addLabel(ada, '')],
  ['an empty edge type', 'SOMBRA_LABEL_EMPTY', (write, { ada }) => write.addEdge(ada, ada, '')],
  ['a label that is too long', 'SOMBRA_NAME_TOO_LONG', (write) => write.addNode(TOO_LONG)],
  ['a label that is too long in UTF-8', 'SOMBRA_NAME_TOO_LONG', (write) => write.addNode('ß'.repeat(128))],
  ['adding a label that is too long', 'SOMBRA_NAME_TOO_LONG', (write, { ada }) => write.addLabel(ada, TOO_LONG)],
  ['an edge type that is too long', 'SOMBRA_NAME_TOO_LONG', (write, { ada }) => write.addEdge(ada, ada, TOO_LONG)],
  ['a label with half a surrogate pair', 'SOMBRA_TEXT_SURROGATE', (write) => write.addNode('\ud800')],
  ['an edge type with half a pair', 'SOMBRA_TEXT_SURROGATE', (write, { ada }) => write.addEdge(ada, ada, 'A\udfff')],
  ['a number as label', 'SOMBRA_VALUE_KIND', (write) => write.addNode(5 as never)],
  ['no labels at all', 'SOMBRA_VALUE_KIND', (write) => write.addNode(undefined as never)],
  ['null among labels', 'SOMBRA_VALUE_KIND', (write) => write.addNode(['A', null as never])],
  ['a number as edge type', 'SOMBRA_VALUE_KIND', (write, { ada }) => write.addEdge(ada, ada, 5 as never)],
  ['a number as key', 'SOMBRA_VALUE_KIND', (write, { ada }) => write.setNodeProperty(ada, 5 as never, 1)],
  ['a symbol as key', 'SOMBRA_VALUE_KIND', (write, { ada }) => write.setNodeProperty(ada, Symbol('k') as never, 1)],
];

/** Properties for a spread; what is no plain object goes in as a value that is refused in the same way. */
function wrapped(properties: PropertyInput): PropertyInput {
  const plain = typeof properties === 'object' && !Array.isArray(properties);
  return plain ? properties : { wrong: Symbol('no properties') as never };
}

function expectRefusal(call: () => unknown, code: ErrorCode): void {
  const error = thrownBy(call);
  expect(error.code).toBe(code);
  expect(ERROR_CODES[code].kinds).toContain(error.name);
  expect(error.message.length).toBeGreaterThan(15);
  expect(error.message.length).toBeLessThan(500);
}

describe('an invalid statement', () => {
  it.each(STATEMENTS)('%s: %s', (_name, code, run) => {
    withMemory((db) => {
      const ids = addSmallGraph(db);
      const before = contentOf(db);
      expectRefusal(() => run(db, ids), code);
      expect([contentOf(db), db.inTransaction]).toEqual([before, false]);

      db.transaction((tx) => {
        tx.setNodeProperty(ids.ada, 'own', 1);
        const within = contentOf(tx);
        expectRefusal(() => run(tx, ids), code);
        expect(contentOf(tx)).toEqual(within);
        expectRefusal(
          () =>
            tx.transaction((inner) => {
              inner.addNode('Inner', { inner: 1 });
              run(inner, ids);
            }),
          code,
        );
        expect([contentOf(tx), tx.state]).toEqual([within, 'active']);
        tx.setNodeProperty(ids.ada, 'own', null);
        tx.addNode('After', { after: 1 });
      });
      expect([db.nodeCount(), db.nodeCount('After'), db.edgeCount()]).toEqual([4, 1, 1]);
      expect(db.labels()).toEqual(['Person', 'Mathematician', 'After']);
    });
  });
});

describe('limits are exact', () => {
  it('what is just within them is stored and read back', () => {
    withMemory((db) => {
      const { ada } = addSmallGraph(db);
      const label = 'ß'.repeat(127) + 'x';
      const text = 'x'.repeat(16 * MIB);
      const deep = nested(32);
      const id = db.addNode(label, { [label]: text, '': 'an empty key' });
      db.addEdge(ada, id, label, { ...deep, emoji: '\ud83d\ude00' });
      expect(db.getNodeProperty(id, label) === text).toBe(true);
      expect(db.getNodeProperty(id, '')).toBe('an empty key');
      expect(db.outgoing(ada, { type: label })[0]?.properties).toEqual({ ...deep, emoji: '\ud83d\ude00' });
      expect(
        db
          .findNodes({ label, where: {} })
          .all()
          .map((node) => node.id),
      ).toEqual([id]);
    });
  });

  it('every kind of value is read back as it was', () => {
    withMemory((db) => {
      const properties = {
        yes: true,
        no: false,
        zero: 0,
        minusZero: -0,
        integer: 2 ** 53 - 1,
        negative: -(2 ** 53 - 1),
        float: 0.1,
        huge: 1e300,
        tiny: 5e-324,
        nan: NaN,
        infinity: -Infinity,
        beyond: 2n ** 63n - 1n,
        below: -(2n ** 63n),
        empty: '',
        text: 'Grüße, 世界 \u0000 \ud83d\ude00',
        bytes: new Uint8Array([0, 255, 1]),
        date: new Date('2024-02-29T12:34:56.789Z'),
        before1970: new Date(-1),
        list: [1, 'two', [3n * 2n ** 60n, []], { four: 4 }],
        map: { a: { b: { c: null as never, d: undefined as never, e: 1 } } },
      };
      const { c, d, ...kept } = properties.map.a.b;
      const id = db.addNode([], { ...properties, map: { a: { b: kept } }, absent: null, missing: undefined });
      expect([c, d]).toEqual([null, undefined]);
      const read = db.getNode(id)!.properties;
      expect(Object.keys(read)).toEqual(Object.keys(properties));
      expect(read).toEqual({ ...properties, map: { a: { b: { e: 1 } } } });
      expect(Object.is(read['minusZero'], -0)).toBe(true);
      const small = db.addNode([], { small: 5n });
      expect(db.getNodeProperty(small, 'small')).toBe(5);
    });
  });
});

describe('reads', () => {
  it('of what does not exist are undefined, empty or 0; of what cannot exist are refused', () => {
    withMemory((db) => {
      const { ada } = addSmallGraph(db);
      const reads: ((id: number) => unknown)[] = [
        (id) => db.getNode(id),
        (id) => db.getEdge(id),
        (id) => db.hasNode(id),
        (id) => db.hasEdge(id),
        (id) => db.getNodeProperty(id, 'name'),
        (id) => db.getEdgeProperty(id, 'since'),
        (id) => db.degree(id),
        (id) => db.neighbors(id),
        (id) => db.edgesOf(id),
        (id) => db.edgeIdsOf(id),
        (id) => db.outgoing(id),
        (id) => db.incoming(id),
        (id) => db.kHop(id, 2),
        (id) => db.bfs(id),
        (id) => db.bfsLevels(id),
        (id) => db.shortestPath(id, ada),
        (id) => db.shortestPath(ada, id),
      ];
      const nothing = [undefined, undefined, false, false, undefined, undefined, 0];
      expect(reads.map((read) => read(MISSING))).toEqual([
        ...nothing,
        ...Array.from({ length: 8 }, () => []),
        undefined,
        undefined,
      ]);
      for (const bad of NO_IDS) {
        expect(reads.map((read) => codeOf(() => read(bad as number)))).toEqual(reads.map(() => 'SOMBRA_ID_RANGE'));
      }
      expect([db.nodeCount('Nobody'), db.edgeCount('NOTHING'), [...db.nodes({ label: 'Nobody' })]]).toEqual([0, 0, []]);
    });
  });

  it('refuse unknown options by name, with a suggestion', () => {
    withMemory((db) => {
      const { ada } = addSmallGraph(db);
      expect(codeOf(() => db.neighbors(ada, { directon: 'in' } as never))).toBe('SOMBRA_OPTION');
      expect(() => db.neighbors(ada, { directon: 'in' } as never)).toThrow("did you mean 'direction'?");
      expect(codeOf(() => db.bfs(ada, { maxDepth: -1 }))).toBe('SOMBRA_OPTION');
      expect(codeOf(() => db.shortestPath(ada, ada, { weight: 5 as never }))).toBe('SOMBRA_OPTION');
      expect(codeOf(() => db.findNodes({ label: 'Person', where: null as never }).all())).toBe('SOMBRA_OPTION');
    });
  });

  it('a predicate that throws is heard of, and nothing stays held', () => {
    withMemory((db) => {
      addSmallGraph(db);
      const failure = new Error('predicate');
      expect(
        thrownBy(() =>
          db
            .findNodes({
              label: 'Person',
              where: () => {
                throw failure;
              },
            })
            .all(),
        ),
      ).toBe(failure);
      expect(db.stats().pager.snapshots).toBe(0);
      expect(codeOf(() => db.addNode('After'))).toBe('no error');
    });
  });
});

describe('opening', () => {
  it.each([[''], [5], [null], [undefined], [new URL('file:///tmp/graph.db')]])('refuses the path %j', (path) => {
    const error = thrownBy(() => GraphDB.open(path as never));
    expect([error.code, error.details]).toEqual(['SOMBRA_CONFIG', { field: 'path' }]);
  });
});
