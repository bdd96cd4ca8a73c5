// Goal: bad input gets a typed error with a stable code and a message that says what to do, and leaves the data as before.
// Method: every statement of support/bad-statements.ts in a transaction with changes of its own; then everything is compared
// with the model, before and after the commit. Reads, ends of transactions and closed handles likewise.
import { describe, expect, test } from 'vitest';
import type { GraphReader } from '../src/index.ts';
import { BAD_STATEMENTS, NO_IDS } from './support/bad-statements.ts';
import { compare } from './support/compare.ts';
import { codeOf } from './support/errors.ts';
import { ModelGraph } from './support/model.ts';
import { OpenGraph, withGraph } from './support/open.ts';

/** A graph with a node that has an edge, and its model. */
function small(db: OpenGraph): { model: ModelGraph; node: number; edge: number } {
  const model = new ModelGraph();
  const node = db.write((tx) => tx.addNode('Person', { name: 'Ada', a: 1 }));
  const other = db.write((tx) => tx.addNode(['Person', 'Poet'], {}));
  const edge = db.write((tx) => tx.addEdge(node, other, 'KNOWS', { since: 1833 }));
  model.addNode(['Person'], { name: 'Ada', a: 1 });
  model.addNode(['Person', 'Poet']);
  model.addEdge(node, other, 'KNOWS', { since: 1833 });
  return { model, node, edge };
}

test.each(BAD_STATEMENTS)('$name: $code', ({ code, run }) => {
  withGraph({}, (db) => {
    const { model, node, edge } = small(db);
    const tx = db.graph.begin();
    tx.addNode('Before', { before: 1 });
    model.addNode(['Before'], { before: 1 });
    let error: unknown;
    try {
      run(tx, { node, edge, missing: 999 });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code });
    expect((error as Error).message.length).toBeGreaterThan(15);
    expect((error as Error).message.length).toBeLessThan(500);
    expect(tx.state).toBe('active');
    expect(compare(tx, model)).toEqual([]);
    tx.addNode('After', { after: 1 });
    model.addNode(['After'], { after: 1 });
    tx.commit();
    expect(compare(db.reader, model)).toEqual([]);
  });
});

describe('reads', () => {
  const id = (value: unknown): number => value as number;
  const reads: [string, (reader: GraphReader, bad: unknown) => unknown][] = [
    ['getNode', (reader, bad) => reader.getNode(id(bad))],
    ['getEdge', (reader, bad) => reader.getEdge(id(bad))],
    ['hasNode', (reader, bad) => reader.hasNode(id(bad))],
    ['hasEdge', (reader, bad) => reader.hasEdge(id(bad))],
    ['getNodeProperty', (reader, bad) => reader.getNodeProperty(id(bad), 'a')],
    ['getEdgeProperty', (reader, bad) => reader.getEdgeProperty(id(bad), 'a')],
    ['degree', (reader, bad) => reader.degree(id(bad))],
    ['neighbors', (reader, bad) => reader.neighbors(id(bad))],
    ['edgesOf', (reader, bad) => reader.edgesOf(id(bad))],
    ['edgeIdsOf', (reader, bad) => reader.edgeIdsOf(id(bad))],
    ['outgoing', (reader, bad) => reader.outgoing(id(bad))],
    ['incoming', (reader, bad) => reader.incoming(id(bad))],
    ['kHop', (reader, bad) => reader.kHop(id(bad), 1)],
    ['bfs', (reader, bad) => reader.bfs(id(bad))],
    ['bfsLevels', (reader, bad) => reader.bfsLevels(id(bad))],
    ['shortestPath from', (reader, bad) => reader.shortestPath(id(bad), 1)],
    ['shortestPath to', (reader, bad) => reader.shortestPath(1, id(bad))],
  ];

  test.each(reads)('%s refuses what cannot be an id', (_name, read) => {
    withGraph({}, (db) => {
      small(db);
      for (const bad of NO_IDS) expect([bad, codeOf(() => read(db.reader, bad))]).toEqual([bad, 'SOMBRA_ID_RANGE']);
    });
  });

  test('what does not exist is undefined, empty or 0', () => {
    withGraph({}, (db) => {
      const { node } = small(db);
      for (const missing of [3, 2 ** 32, 2 ** 48 - 1]) {
        expect(reads.slice(0, -2).map(([, read]) => read(db.reader, missing))).toEqual([
          undefined, undefined, false, false, undefined, undefined, 0, [], [], [], [], [], [], [], [],
        ]); // prettier-ignore
        expect([db.reader.shortestPath(node, missing), db.reader.shortestPath(missing, node)]).toEqual([
          undefined,
          undefined,
        ]);
        expect([
          db.reader.shortestPath(missing, missing),
          db.reader.shortestPath(node, missing, { weight: 'a' }),
        ]).toEqual([undefined, undefined]);
      }
      expect([db.reader.getNodeProperty(node, 'none'), db.reader.getNodeProperty(node, 'toString')]).toEqual([
        undefined,
        undefined,
      ]);
      expect(db.reader.neighbors(node, { type: 'NONE' })).toEqual([]);
      expect([...db.reader.nodes({ label: 'None' }), ...db.reader.edges({ type: 'NONE' })]).toEqual([]);
      expect(db.reader.findNodes({ label: 'None', where: {} }).all()).toEqual([]);
      expect(db.reader.findNodes({ label: 'Person', where: { none: 1 } }).all()).toEqual([]);
    });
  });

  test('unknown and senseless options are refused by name', () => {
    withGraph({}, (db) => {
      const { node } = small(db);
      const { reader } = db;
      const cases: [string, () => unknown][] = [
        ['neighbors', () => reader.neighbors(node, { directon: 'out' } as never)],
        ['null', () => reader.neighbors(node, null as never)],
        ['a text', () => reader.neighbors(node, 'out' as never)],
        ['direction', () => reader.neighbors(node, { direction: 'OUT' as never })],
        ['limit', () => reader.neighbors(node, { limit: -1 })],
        ['fractional limit', () => reader.edgesOf(node, { limit: 1.5 })],
        ['distinct', () => reader.neighbors(node, { distinct: 1 as never })],
        ['type', () => reader.neighbors(node, { type: 5 as never })],
        ['types', () => reader.neighbors(node, { type: ['KNOWS', 5 as never] })],
        ['degree', () => reader.degree(node, { limit: 1 } as never)],
        ['outgoing with a direction', () => reader.outgoing(node, { direction: 'in' } as never)],
        ['incoming with a direction', () => reader.incoming(node, { direction: 'in' } as never)],
        ['hops', () => reader.kHop(node, -1)],
        ['fractional hops', () => reader.kHop(node, 0.5)],
        ['endless walks', () => reader.kHop(node, Infinity, { mode: 'walk' })],
        ['mode', () => reader.kHop(node, 1, { mode: 'exactly' as never })],
        ['maxDepth', () => reader.bfs(node, { maxDepth: NaN })],
        ['bfsLevels', () => reader.bfsLevels(node, { depth: 1 } as never)],
        ['weight', () => reader.shortestPath(node, node, { weight: 5 as never })],
        ['weight with maxDepth', () => reader.shortestPath(node, node, { weight: 'w', maxDepth: 3 })],
        ['nodes', () => reader.nodes({ lable: 'Person' } as never)],
        ['edges', () => reader.edges({ label: 'Person' } as never)],
        ['where', () => reader.findNodes({ label: 'Person', where: null as never })],
        ['findNodes', () => reader.findNodes({ label: 'Person', max: 1 } as never)],
        ['findNode', () => reader.findNode({ limit: 0.5 })],
        ['findEdges', () => reader.findEdges('T' as never)],
        ['paths', () => reader.paths(node, node, { maxLength: -1 })],
        ['paths by type', () => reader.paths(node, node, { type: 5 as never })],
        ['paths with a filter', () => reader.paths(node, node, { nodeFilter: true as never })],
        ['paths with a time limit', () => reader.paths(node, node, { timeoutMs: NaN })],
        ['allShortestPaths', () => reader.allShortestPaths(node, node, { minDepth: 1 } as never)],
        ['nodeIds', () => reader.nodeIds({ limit: -1 })],
      ];
      for (const [name, run] of cases) expect([name, codeOf(run)]).toEqual([name, 'SOMBRA_OPTION']);
      expect(() => reader.neighbors(node, { directon: 'in' } as never)).toThrow("did you mean 'direction'?");
      expect(() => reader.bfs(node, { label: 1 } as never)).toThrow(/known: |did you mean/);
      const inherited = Object.create({ direction: 'sideways', nonsense: 1 }) as object;
      expect(codeOf(() => reader.neighbors(node, { ...inherited }))).toBe('no error');
    });
  });
});

test.each<[string, (reader: GraphReader) => unknown, string]>([
  [
    'a direction',
    (r) => r.neighbors(1, { direction: 'sideways' as never }),
    "direction is 'out', 'in' or 'both', not 'sideways'",
  ],
  ['a limit', (r) => r.edgesOf(1, { limit: 'many' as never }), "limit is a whole number of at least 0, not 'many'"],
  ['a flag', (r) => r.neighbors(1, { distinct: 'yes' as never }), "distinct is true or false, not 'yes'"],
  ['an id', (r) => r.getNode('seven' as never), "not 'seven'"],
  ['on one line', (r) => r.getNode('a\nb' as never), "not 'a\\nb'"],
  ['only its beginning', (r) => r.getNode('x'.repeat(500) as never), `not '${'x'.repeat(60)}…'`],
])('the message about %s shows the text that was given', (_what, call, shown) => {
  withGraph({}, (db) => {
    expect(() => call(db.reader)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(shown) as string }),
    );
  });
});

describe('at the wrong time', () => {
  test('a second transaction, and calls after the end of one', () => {
    withGraph({}, (db) => {
      const { model, node, edge } = small(db);
      const tx = db.graph.begin();
      expect(codeOf(() => db.graph.begin())).toBe('SOMBRA_TRANSACTION_ACTIVE');
      tx.setNodeProperty(node, 'a', 2);
      tx.commit();
      model.replaceNodeProperties(node, { name: 'Ada', a: 2 });
      const calls: [string, () => unknown][] = [
        ['addNode', () => tx.addNode('X')],
        ['addEdge', () => tx.addEdge(node, node, 'X')],
        ['setNodeProperty', () => tx.setNodeProperty(node, 'a', 3)],
        ['removeNodeProperty', () => tx.removeNodeProperty(node, 'a')],
        ['replaceEdgeProperties', () => tx.replaceEdgeProperties(edge, {})],
        ['addLabel', () => tx.addLabel(node, 'X')],
        ['removeLabel', () => tx.removeLabel(node, 'Person')],
        ['deleteNode', () => tx.deleteNode(node, { cascade: true })],
        ['deleteEdge', () => tx.deleteEdge(edge)],
        ['savepoint', () => tx.savepoint()],
        ['rollbackTo', () => tx.rollbackTo(1)],
        ['releaseSavepoint', () => tx.releaseSavepoint(1)],
        ['commit', () => tx.commit()],
        ['getNode', () => tx.getNode(node)],
        ['neighbors', () => tx.neighbors(node)],
        ['nodeCount', () => tx.nodeCount()],
        ['labels', () => tx.labels()],
        ['bfs', () => tx.bfs(node)],
        ['nodes', () => [...tx.nodes()]],
      ];
      for (const [name, call] of calls) expect([name, codeOf(call)]).toEqual([name, 'SOMBRA_TX_DONE']);
      tx.rollback();
      tx[Symbol.dispose]();
      expect(tx.state).toBe('committed');
      expect(compare(db.reader, model)).toEqual([]);
    });
  });

  test('an iterator of a transaction that has ended says so', () => {
    withGraph({}, (db) => {
      small(db);
      const tx = db.graph.begin();
      const iterator = tx.nodes();
      iterator.next();
      tx.rollback();
      expect(codeOf(() => [...iterator])).toBe('SOMBRA_TX_DONE');
    });
  });

  test('a released snapshot, and everything after the database is closed', () => {
    const db = new OpenGraph();
    const { node } = small(db);
    const released = db.graph.snapshot();
    released.release();
    released.release();
    const open = db.graph.snapshot();
    const iterator = db.reader.nodes();
    iterator.next();
    const tx = db.graph.begin();
    expect([released.closed, open.closed]).toEqual([true, false]);
    expect(codeOf(() => released.getNode(node))).toBe('SOMBRA_CLOSED');
    expect(codeOf(() => released.nodeCount('Person'))).toBe('SOMBRA_CLOSED');
    db.pager.close();
    expect([open.closed, tx.state]).toEqual([true, 'rolled-back']);
    const { reader, graph } = db;
    const calls = [
      () => open.getNode(node),
      () => reader.getNode(node),
      () => reader.neighbors(node),
      () => reader.nodeCount(),
      () => reader.labels(),
      () => reader.bfsLevels(node),
      () => [...reader.nodes()],
      () => [...iterator],
      () => graph.snapshot(),
      () => graph.begin(),
      () => graph.verifyIntegrity(),
    ];
    for (const call of calls) expect([String(call), codeOf(call)]).toEqual([String(call), 'SOMBRA_CLOSED']);
    expect(codeOf(() => tx.addNode('X'))).toBe('SOMBRA_TX_DONE');
  });

  test('a limit reached in the middle of a statement rolls the whole transaction back, and the next one works', () => {
    const db = new OpenGraph({ maxTransactionPages: 40, cacheSize: 64 });
    const { model, node } = small(db);
    const tx = db.graph.begin();
    const code = codeOf(() => {
      for (let i = 0; i < 10_000; i += 1)
        tx.addEdge(node, tx.addNode(`L${i}`, { [`k${i}`]: 'x'.repeat(500) }), `T${i}`);
    });
    expect([code, tx.state]).toEqual(['SOMBRA_TRANSACTION_PAGES', 'rolled-back']);
    expect(codeOf(() => tx.addNode('X'))).toBe('SOMBRA_TX_DONE');
    expect(compare(db.reader, model)).toEqual([]);
    expect(db.write((again) => again.addNode('X', { x: 1 }))).toBe(model.addNode(['X'], { x: 1 }));
    expect(compare(db.reader, model)).toEqual([]);
    db.close();
  });

  test('a full database is a typed error, and what was there stays', () => {
    const db = new OpenGraph({ maxDatabaseSizeMb: 0.25, cacheSize: 64 });
    const { model } = small(db);
    const tx = db.graph.begin();
    const code = codeOf(() => {
      for (;;) tx.addNode('Big', { data: new Uint8Array(3000) });
    });
    expect([code, tx.state]).toEqual(['SOMBRA_DATABASE_FULL', 'rolled-back']);
    expect(compare(db.reader, model)).toEqual([]);
    db.close();
  });

  test('a value that writes to the graph while it is read cannot make a half record', () => {
    withGraph({}, (db) => {
      const { model, node } = small(db);
      const tx = db.graph.begin();
      const meddling = {
        one: 1,
        get two() {
          tx.addNode('Meddling', { three: 'x'.repeat(100) });
          return 2;
        },
      };
      expect(codeOf(() => tx.addNode('Outer', meddling))).toBe('SOMBRA_TRANSACTION_ACTIVE');
      expect(codeOf(() => tx.setNodeProperty(node, 'm', { get a() { return tx.addEdge(node, node, 'M'); } }))).toBe('SOMBRA_TRANSACTION_ACTIVE'); // prettier-ignore
      expect(compare(tx, model)).toEqual([]);
      tx.commit();
      expect(compare(db.reader, model)).toEqual([]);
    });
  });
});

test('a read-only file is read and not written', () => {
  const db = new OpenGraph();
  const { model } = small(db);
  db.pager.close();
  const readOnly = db.openReadOnly();
  expect(compare(readOnly.graph.reader, model)).toEqual([]);
  expect(codeOf(() => readOnly.graph.begin())).toBe('SOMBRA_READ_ONLY');
  expect(readOnly.graph.verifyIntegrity().errors).toEqual([]);
  readOnly.pager.close();
});
