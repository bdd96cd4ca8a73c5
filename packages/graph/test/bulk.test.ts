// Goal: a bulk load gives the same graph as transactions do, is all or nothing, and leaves a file that goes on like any other.
// Method: the same random rows by both ways, compared with the model; sources that break at every point.
import { describe, expect, test } from 'vitest';
import type { BulkEdge, BulkNode, BulkProgress, PropertyInput } from '../src/index.ts';
import { COUNTER } from '../src/model/counters.ts';
import { compare } from './support/compare.ts';
import { codeOf } from './support/errors.ts';
import { ModelGraph } from './support/model.ts';
import { OpenGraph } from './support/open.ts';
import { plant } from './support/plant.ts';
import { Random, suiteSeed } from './support/random.ts';
import { randomProperties } from './support/values.ts';

interface Rows {
  readonly nodes: BulkNode[];
  readonly edges: BulkEdge[];
}

interface Shape {
  readonly name: string;
  readonly pageSize: number;
  readonly nodes: number;
  readonly edges: number;
  readonly types: number;
  readonly hubs: number;
}

const SHAPES: Shape[] = [
  { name: 'nothing', pageSize: 4096, nodes: 0, edges: 0, types: 1, hubs: 0 },
  { name: 'one node', pageSize: 8192, nodes: 1, edges: 0, types: 1, hubs: 0 },
  { name: 'self loops', pageSize: 4096, nodes: 1, edges: 300, types: 2, hubs: 0 },
  { name: 'many nodes without edges', pageSize: 8192, nodes: 3000, edges: 0, types: 1, hubs: 0 },
  { name: 'sparse', pageSize: 8192, nodes: 800, edges: 1500, types: 3, hubs: 0 },
  { name: 'hubs', pageSize: 4096, nodes: 500, edges: 4000, types: 2, hubs: 0.5 },
  { name: 'many types', pageSize: 4096, nodes: 3, edges: 1200, types: 400, hubs: 0 },
];

function rowsOf(shape: Shape, random: Random): Rows {
  const nodes = Array.from({ length: shape.nodes }, (): BulkNode => {
    const labels = ['A', 'B', 'C'].filter(() => random.chance(0.4));
    return random.chance(0.1) ? { labels: 'Single' } : { labels, properties: randomProperties(random) };
  });
  const end = (): number => (random.chance(shape.hubs) ? random.below(2) : random.below(shape.nodes));
  const edges = Array.from({ length: shape.edges }, (): BulkEdge => {
    const row = { source: end(), target: end(), type: `T${random.below(shape.types)}` };
    return random.chance(0.5)
      ? row
      : { ...row, properties: random.chance(0.01) ? { large: new Uint8Array(5000) } : randomProperties(random) };
  });
  return { nodes, edges };
}

function labelsOf({ labels }: BulkNode): readonly string[] {
  return typeof labels === 'string' ? [labels] : labels;
}

/** The model of rows: node n has id n + 1. Names come in the order of the rows. */
function modelOf({ nodes, edges }: Rows): ModelGraph {
  const model = new ModelGraph();
  for (const node of nodes) model.addNode(labelsOf(node), node.properties);
  for (const { source, target, type, properties } of edges) model.addEdge(source + 1, target + 1, type, properties);
  return model;
}

/** As a stream: each row is given once. */
function* stream<T>(rows: readonly T[]): Generator<T> {
  yield* rows;
}

describe.each(SHAPES)('$name', (shape) => {
  const { pageSize } = shape;

  test('a bulk load gives what transactions give', () => {
    const rows = rowsOf(shape, new Random(suiteSeed(21)));
    const model = modelOf(rows);
    const bulk = new OpenGraph({ pageSize, cacheSize: 64 });
    const result = bulk.graph.bulkLoad({ nodes: stream(rows.nodes), edges: stream(rows.edges) });
    expect(result).toMatchObject({ nodes: rows.nodes.length, edges: rows.edges.length });
    expect(compare(bulk.reader, model)).toEqual([]);
    expect(bulk.problems()).toEqual([]);

    const slow = new OpenGraph({ pageSize, cacheSize: 64 });
    slow.write((tx) => {
      for (const { labels, properties } of rows.nodes) tx.addNode(labels, properties);
      for (const { source, target, type, properties } of rows.edges)
        tx.addEdge(source + 1, target + 1, type, properties);
    });
    expect(compare(slow.reader, model)).toEqual([]);
    for (const start of [1, 2, rows.nodes.length].filter((id) => id >= 1 && id <= rows.nodes.length)) {
      for (const direction of ['out', 'in', 'both'] as const) {
        expect(bulk.reader.edgesOf(start, { direction })).toEqual(slow.reader.edgesOf(start, { direction }));
        expect(bulk.reader.bfs(start, { direction })).toEqual(slow.reader.bfs(start, { direction }));
      }
    }
    slow.close();

    bulk.reopen();
    expect(compare(bulk.reader, model)).toEqual([]);
    bulk.write((tx) => {
      tx.addNode(['After'], { after: 1 });
      const id = model.addNode(['After'], { after: 1 });
      for (let i = 1; i <= Math.min(id, 40); i += 1) {
        tx.addEdge(i, id, 'T0');
        model.addEdge(i, id, 'T0');
        tx.setNodeProperty(i, 'touched', true);
        model.replaceNodeProperties(i, { ...model.nodes.get(i)!.properties, touched: true });
      }
      for (const edge of [...model.edges.keys()].slice(0, 60)) {
        tx.deleteEdge(edge);
        model.edges.delete(edge);
      }
    });
    expect(compare(bulk.reader, model)).toEqual([]);
    bulk.close();
  });
});

describe('all or nothing', () => {
  const nodes: BulkNode[] = Array.from({ length: 600 }, (_, i) => ({ labels: 'N', properties: { i } }));
  const edges: BulkEdge[] = Array.from({ length: 2000 }, (_, i) => ({
    source: i % 600,
    target: (i * 7) % 600,
    type: 'T',
  }));

  /** Loads rows of which one is bad; the graph must be empty and usable afterwards. */
  function refused(badNode: unknown, badEdge: unknown, at: number): string {
    const db = new OpenGraph({ cacheSize: 64 });
    const { lsn } = db.pager.view;
    const someNodes = badNode === undefined ? nodes : [...nodes.slice(0, at), badNode as BulkNode, ...nodes.slice(at)];
    const someEdges = badEdge === undefined ? edges : [...edges.slice(0, at), badEdge as BulkEdge, ...edges.slice(at)];
    const code = codeOf(() => db.graph.bulkLoad({ nodes: stream(someNodes), edges: stream(someEdges) }));
    expect([db.pager.view.lsn, db.pager.inTransaction]).toEqual([lsn, false]);
    expect(compare(db.reader, new ModelGraph())).toEqual([]);
    expect(db.write((tx) => [tx.addNode('Other', { x: 1 }), tx.addEdge(1, 1, 'OTHER')])).toEqual([1, 1]);
    expect([db.reader.labels(), db.reader.edgeTypes(), db.reader.propertyKeys()]).toEqual([
      ['Other'],
      ['OTHER'],
      ['x'],
    ]);
    db.close();
    return code;
  }

  const bad: PropertyInput = { value: '\ud800' };
  test.each([
    ['an empty label', { labels: '' }, undefined, 'SOMBRA_LABEL_EMPTY'],
    ['labels that are none', { labels: 5 }, undefined, 'SOMBRA_VALUE_KIND'],
    ['a value that cannot be stored', { labels: [], properties: bad }, undefined, 'SOMBRA_TEXT_SURROGATE'],
    [
      'an edge from a row that does not exist',
      undefined,
      { source: 600, target: 0, type: 'T' },
      'SOMBRA_NODE_NOT_FOUND',
    ],
    ['an edge to a row that does not exist', undefined, { source: 0, target: 600, type: 'T' }, 'SOMBRA_NODE_NOT_FOUND'],
    ['an empty type', undefined, { source: 0, target: 0, type: '' }, 'SOMBRA_LABEL_EMPTY'],
    [
      'a value of an edge that cannot be stored',
      undefined,
      { source: 0, target: 0, type: 'T', properties: bad },
      'SOMBRA_TEXT_SURROGATE',
    ],
  ])('%s', (_name, badNode, badEdge, code) => {
    for (const at of [0, 300]) expect(refused(badNode, badEdge, at)).toBe(code);
  });

  test.each([-1, 0.5, NaN, 2 ** 48, '0', undefined])('an end that is no row number: %s', (source) => {
    expect(refused(undefined, { source, target: 0, type: 'T' }, 7)).toMatch(/^SOMBRA_(ID_RANGE|NODE_NOT_FOUND)$/);
  });

  test('a source that throws, in nodes or edges, passes its error on and is told to stop', () => {
    for (const part of ['nodes', 'edges'] as const) {
      const db = new OpenGraph({ cacheSize: 64 });
      let closed = 0;
      function* broken<T>(rows: readonly T[], breaks: boolean): Generator<T> {
        try {
          for (const [i, row] of rows.entries()) {
            if (breaks && i === 450) throw new RangeError('the source broke');
            yield row;
          }
        } finally {
          closed += 1;
        }
      }
      expect(
        codeOf(() =>
          db.graph.bulkLoad({ nodes: broken(nodes, part === 'nodes'), edges: broken(edges, part === 'edges') }),
        ),
      ).toBe('RangeError: the source broke');
      expect(closed).toBe(part === 'nodes' ? 1 : 2);
      expect(compare(db.reader, new ModelGraph())).toEqual([]);
      db.close();
    }
  });

  test('an error of the progress callback stops the load', () => {
    const db = new OpenGraph({ cacheSize: 64 });
    const stop = (): void => {
      throw new RangeError('stop');
    };
    expect(codeOf(() => db.graph.bulkLoad({ nodes, edges }, { onProgress: stop, progressEvery: 100 }))).toBe(
      'RangeError: stop',
    );
    expect(compare(db.reader, new ModelGraph())).toEqual([]);
    db.close();
  });

  test('a full database is a typed error, and nothing is left of the load', () => {
    const db = new OpenGraph({ maxDatabaseSizeMb: 0.5, cacheSize: 64 });
    const large = Array.from(
      { length: 400 },
      (): BulkNode => ({ labels: 'N', properties: { data: new Uint8Array(3000) } }),
    );
    expect(codeOf(() => db.graph.bulkLoad({ nodes: large, edges: [] }))).toBe('SOMBRA_DATABASE_FULL');
    expect(compare(db.reader, new ModelGraph())).toEqual([]);
    expect(db.write((tx) => tx.addNode('N'))).toBe(1);
    db.close();
  });
});

describe('at the wrong time', () => {
  test('a graph that is not empty, an open transaction, a database that is closed', () => {
    const db = new OpenGraph();
    const rows = { nodes: [{ labels: 'N' }], edges: [] };
    const tx = db.graph.begin();
    expect(codeOf(() => db.graph.bulkLoad(rows))).toBe('SOMBRA_TRANSACTION_ACTIVE');
    tx.addNode('A');
    tx.commit();
    expect(codeOf(() => db.graph.bulkLoad(rows))).toBe('SOMBRA_BULK_NOT_EMPTY');
    expect(codeOf(() => db.graph.bulkLoad(rows, { onprogress: () => undefined } as never))).toBe('SOMBRA_OPTION');
    db.close();
    expect(codeOf(() => db.graph.bulkLoad(rows))).toBe('SOMBRA_CLOSED');
  });

  test('other writers are refused while it runs; readers see the graph before', () => {
    const db = new OpenGraph({ cacheSize: 64 });
    const seen: unknown[] = [];
    function* meddling(): Generator<BulkNode> {
      yield { labels: 'N' };
      seen.push(
        codeOf(() => db.graph.begin()),
        codeOf(() => db.graph.bulkLoad({ nodes: [], edges: [] })),
        db.reader.nodeCount(),
        db.reader.labels(),
      );
      yield { labels: 'N' };
    }
    db.graph.bulkLoad({ nodes: meddling(), edges: [] });
    expect(seen.slice(0, 2).every((code) => code === 'SOMBRA_TRANSACTION_ACTIVE')).toBe(true);
    expect(seen.slice(2)).toEqual([0, []]);
    expect([db.reader.nodeCount(), db.reader.labels()]).toEqual([2, ['N']]);
    db.close();
  });

  test('a snapshot taken before sees nothing of it', () => {
    const db = new OpenGraph({ cacheSize: 64 });
    const snapshot = db.graph.snapshot();
    db.graph.bulkLoad({ nodes: [{ labels: 'N' }, { labels: 'N' }], edges: [{ source: 0, target: 1, type: 'T' }] });
    expect([snapshot.nodeCount(), snapshot.getNode(1), [...snapshot.nodeIds('N')], snapshot.neighbors(1)]).toEqual([
      0,
      undefined,
      [],
      [],
    ]);
    expect(db.reader.neighbors(1)).toEqual([2]);
    snapshot.release();
    db.close();
  });
});

test.each([3, 2 ** 32 - 20])('a graph that was emptied can be filled; ids from %i on, and names, go on', (next) => {
  const db = new OpenGraph({ cacheSize: 64 });
  const model = new ModelGraph();
  db.write((tx) => {
    tx.deleteNode(tx.addNode(['Old', 'B'], { old: 1 }));
    const node = tx.addNode([]);
    tx.deleteEdge(tx.addEdge(node, node, 'OLD'));
    tx.deleteNode(node);
  });
  plant(db, ({ tx }) => {
    tx.setCounter(COUNTER.nextNodeId, next);
    tx.setCounter(COUNTER.nextEdgeId, next);
  });
  model.labels.push('Old', 'B');
  model.types.push('OLD');
  model.keys.push('old');
  model.nextNode = model.nextEdge = next;
  const rows = rowsOf(
    { name: '', pageSize: 4096, nodes: 60, edges: 900, types: 2, hubs: 0.5 },
    new Random(suiteSeed(22)),
  );
  for (const node of rows.nodes) model.addNode(labelsOf(node), node.properties);
  for (const { source, target, type, properties } of rows.edges)
    model.addEdge(next + source, next + target, type, properties);
  db.reopen();
  expect(db.graph.bulkLoad(rows)).toMatchObject({ firstNode: next, firstEdge: next });
  expect(compare(db.reader, model)).toEqual([]);
  db.write((tx) => {
    expect([tx.addNode([]), tx.addEdge(next, next + 1, 'T0')]).toEqual([
      model.addNode([]),
      model.addEdge(next, next + 1, 'T0'),
    ]);
    tx.deleteNode(next + 5, { cascade: true });
    model.deleteNode(next + 5);
  });
  db.close(() => expect(compare(db.reader, model)).toEqual([]));
});

test('progress is told by phase, with rows that grow', () => {
  const db = new OpenGraph({ cacheSize: 64 });
  const told: BulkProgress[] = [];
  const nodes = Array.from({ length: 1000 }, (): BulkNode => ({ labels: 'N' }));
  const edges = Array.from({ length: 3000 }, (_, i): BulkEdge => ({ source: i % 1000, target: 0, type: 'T' }));
  const result = db.graph.bulkLoad(
    { nodes, edges },
    { onProgress: (progress) => told.push({ ...progress }), progressEvery: 250 },
  );
  expect(told.length).toBeGreaterThan(8);
  const phases = [...new Set(told.map(({ phase }) => phase))];
  for (const phase of phases) {
    const rows = told.filter((progress) => progress.phase === phase).map((progress) => progress.rows);
    expect(rows).toEqual([...rows].sort((a, b) => a - b));
  }
  expect(phases.length).toBeGreaterThan(1);
  expect(result).toMatchObject({ nodes: 1000, edges: 3000 });
  db.close();
});
