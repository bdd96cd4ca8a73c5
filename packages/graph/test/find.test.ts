// Goal: a find gives what a scan over all records gives, in the same order, whatever indexes there are and however it is asked.
// Method: random graphs and random questions (fast-check), with no index, some, and many, on the newest commit and inside of
// a transaction, against a naive scan in plain JavaScript. SOMBRA_SEED replays a run, SOMBRA_RUNS=n makes n graphs.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  and,
  type EdgeQuery,
  type GraphReader,
  type NodeQuery,
  not,
  or,
  param,
  type PropertyValue,
} from '../src/index.ts';
import { ascendingOnce, gather } from '../src/find/index-scan.ts';
import { RowSorter } from '../src/find/sort-rows.ts';
import { ListedIds } from '../src/ids/id-source.ts';
import { codeOf } from './support/errors.ts';
import { order, properties, question, where } from './support/find-arbitraries.ts';
import { fulfils, inOrder, type Question, type Row } from './support/naive-find.ts';
import { OpenGraph, withGraph } from './support/open.ts';
import { suiteRuns, suiteSeed } from './support/random.ts';

interface Case {
  readonly asked: Question;
  readonly orderBy: readonly { key: string; descending: boolean }[];
  readonly skip: number;
  readonly limit: number | null;
}

const asks: fc.Arbitrary<Case> = fc.record({
  asked: question,
  orderBy: order,
  skip: fc.oneof(fc.constant(0), fc.nat(5)),
  limit: fc.option(fc.nat(6)),
});

const INDEXES: readonly (readonly string[])[] = [['a'], ['b'], ['a', 'b'], ['c', 'a'], ['b', 'c', 'a']];

function ids(rows: Iterable<{ id: number }>): number[] {
  return [...rows].map(({ id }) => id);
}

/** All questions, to nodes and edges, against the naive scan over what the reader itself gives. */
function askAll(reader: GraphReader, cases: readonly Case[], seen: Map<string, number>): void {
  const nodes: (Row & { labels: string[] })[] = [...reader.nodes()];
  const edges = [...reader.edges()];
  for (const { asked, orderBy, skip, limit } of cases) {
    const rest = { orderBy, skip, ...(limit === null ? {} : { limit }) };
    const expected = (rows: readonly Row[]): number[] =>
      inOrder(
        rows.filter((row) => fulfils(row, asked)),
        orderBy,
      )
        .slice(skip, limit === null ? undefined : skip + limit)
        .map(({ id }) => id);
    for (const label of ['L', 'M', undefined]) {
      const query: NodeQuery = { label, where: where(asked), ...rest };
      const rows = nodes.filter(({ labels }) => label === undefined || labels.includes(label));
      expect(ids(reader.findNodes(query))).toEqual(expected(rows));
      expect(reader.countNodes({ label, where: where(asked) })).toBe(rows.filter((row) => fulfils(row, asked)).length);
      expect(ids(reader.prepareNodes(query).all())).toEqual(expected(rows));
      const first = expected(rows)[0];
      expect(reader.findNode(query)?.id).toBe(first);
      const plan = reader.explainNodes(query);
      seen.set(plan.access, (seen.get(plan.access) ?? 0) + 1);
    }
    const query: EdgeQuery = { type: 'T', where: where(asked), ...rest };
    expect(ids(reader.findEdges(query))).toEqual(expected(edges.filter(({ type }) => type === 'T')));
    expect(reader.countEdges({ type: 'T', where: where(asked) })).toBe(
      edges.filter((row) => row.type === 'T' && fulfils(row, asked)).length,
    );
  }
}

test('a find gives what a scan gives, with and without indexes', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(
      fc.array(properties, { minLength: 1, maxLength: 40 }),
      fc.array(asks, { minLength: 4, maxLength: 10 }),
      fc.subarray([...INDEXES]),
      fc.array(properties, { maxLength: 6 }),
      (rows, cases, indexes, later) => {
        const db = new OpenGraph({ cacheSize: 16 });
        db.write((tx) => {
          rows.forEach((row, i) => {
            tx.addNode(i % 5 === 4 ? ['M'] : i % 5 === 3 ? ['L', 'M'] : ['L'], row);
            tx.addEdge(1, 1 + (i % 2) * i, i % 4 === 3 ? 'U' : 'T', row);
          });
        });
        askAll(db.reader, cases, seen);
        for (const keys of indexes) {
          db.graph.createPropertyIndex('L', keys);
          db.graph.createEdgePropertyIndex('T', keys);
        }
        askAll(db.reader, cases, seen);
        const tx = db.graph.begin();
        later.forEach((row, i) => {
          tx.addNode(['L'], row);
          tx.replaceNodeProperties(1 + (i % rows.length), row);
          tx.replaceEdgeProperties(1 + ((i * 3) % rows.length), row);
        });
        askAll(tx, cases, seen);
        tx.commit();
        expect(db.problems()).toEqual([]);
        db.pager.close();
      },
    ),
    { seed: suiteSeed(61), numRuns: suiteRuns(60) },
  );
  const kinds = [
    'all-scan',
    'label-scan',
    'index-equality',
    'index-range',
    'index-prefix',
    'index-in',
    'index-exists',
    'index-order',
  ];
  for (const kind of kinds) expect([kind, (seen.get(kind) ?? 0) > 0]).toEqual([kind, true]);
}, 120_000);

/** 1,000 people: `n` ascends, `city` has ten values, `born` is there for nine of ten. */
function people(indexes: readonly (readonly string[])[] = []): OpenGraph {
  const db = new OpenGraph({ cacheSize: 64 });
  db.write((tx) => {
    for (let n = 0; n < 1000; n += 1) {
      const born = n % 10 === 9 ? {} : { born: 1900 + ((n * 7) % 100) };
      tx.addNode(n % 2 === 0 ? ['Person', 'Even'] : 'Person', { n, name: `name ${n}`, city: `c${n % 10}`, ...born });
    }
  });
  for (const keys of indexes) db.graph.createPropertyIndex('Person', keys);
  return db;
}

test('explain tells which index is read, and analyze how much', () => {
  const db = people([['n'], ['city', 'born'], ['name']]);
  const { reader } = db;
  const on = { on: 'node', name: 'Person', unique: false };
  expect(reader.explainNodes({ label: 'Person', where: { n: 7 } }, { analyze: true })).toEqual({
    access: 'index-equality',
    index: { ...on, keys: ['n'] },
    estimatedRows: 1,
    filters: [],
    sorted: false,
    rowsRead: 1,
    rowsMatched: 1,
  });
  const composite = reader.explainNodes(
    { label: 'Person', where: { city: 'c1', born: { gt: 1950 }, name: { contains: '1' } } },
    { analyze: true },
  );
  expect(composite).toMatchObject({
    access: 'index-range',
    index: { keys: ['city', 'born'] },
    filters: ['name contains'],
  });
  expect(composite.rowsRead).toBeLessThan(100);
  expect(reader.explainNodes({ label: 'Person', where: { name: { startsWith: 'name 99' } } })).toMatchObject({
    access: 'index-prefix',
    estimatedRows: 11,
  });
  expect(reader.explainNodes({ label: 'Person', where: { n: { in: [1, 2, 3] } } })).toMatchObject({
    access: 'index-in',
    estimatedRows: 3,
  });
  expect(reader.explainNodes({ label: 'Person', where: { n: { gte: 0 } } })).toMatchObject({
    access: 'label-scan',
    estimatedRows: 1000,
    filters: ['n gte'],
  });
  expect(reader.explainNodes({ label: 'Even', where: { n: 7 } })).toMatchObject({
    access: 'label-scan',
    estimatedRows: 500,
  });
  expect(reader.explainNodes({ where: { n: 7 } })).toMatchObject({ access: 'all-scan', estimatedRows: 1000 });
  const newest = reader.explainNodes(
    { label: 'Person', orderBy: { key: 'n', descending: true }, limit: 5 },
    { analyze: true },
  );
  expect(newest).toMatchObject({ access: 'index-order', sorted: false, rowsMatched: 5 });
  expect(newest.rowsRead).toBeLessThan(10);
  expect(reader.explainNodes({ label: 'Person', orderBy: 'born' })).toMatchObject({
    access: 'label-scan',
    sorted: true,
  });
  expect(reader.explainNodes({ label: 'Person', where: { city: 'c1' }, orderBy: 'born', limit: 3 })).toMatchObject({
    access: 'index-order',
    index: { keys: ['city', 'born'] },
  });
  expect(reader.explainNodes({ label: 'Nobody' }, { analyze: true })).toMatchObject({
    estimatedRows: 0,
    rowsRead: 0,
    rowsMatched: 0,
  });
  db.close();
});

test('a range of a large index is estimated within a factor of two', () => {
  const db = people([['n']]);
  for (const [from, to] of [
    [0, 1000],
    [100, 700],
    [0, 300],
    [650, 1000],
  ] as const) {
    const { estimatedRows } = db.reader.explainNodes({
      label: 'Person',
      where: { n: { gte: from, lt: to } },
      orderBy: 'n',
      limit: 1,
    });
    expect(estimatedRows).toBeGreaterThan((to - from) / 2);
    expect(estimatedRows).toBeLessThan((to - from) * 2);
  }
  db.close();
});

test('select gives only what is asked for, and count reads no record where an index answers', () => {
  const db = people([['city']]);
  expect([
    ...db.reader.findNodes({ label: 'Person', where: { n: { in: [8, 9] } }, select: ['born', 'n', 'never'] }),
  ]).toEqual([
    { id: 9, properties: { born: 1956, n: 8 } },
    { id: 10, properties: { n: 9 } },
  ]);
  expect([...db.reader.findNodes({ where: { n: 3 }, select: [] })]).toEqual([{ id: 4, properties: {} }]);
  expect(db.reader.countNodes({ label: 'Person', where: { city: 'c3' } })).toBe(100);
  expect(db.reader.countNodes()).toBe(1000);
  expect(db.reader.countNodes({ label: 'Even' })).toBe(500);
  expect(db.reader.countEdges({ type: 'T' })).toBe(0);
  db.close();
});

test('and, or, not and functions nest anywhere', () => {
  const db = people([['n']]);
  const found = ids(
    db.reader.findNodes({
      label: 'Person',
      where: and(
        { n: { lt: 20 } },
        or({ city: 'c1' }, not({ born: { exists: true } }), (node) => node.id === 4),
      ),
    }),
  );
  expect(found).toEqual([2, 4, 10, 12, 20]);
  expect(ids(db.reader.findNodes({ where: or() }))).toEqual([]);
  expect(db.reader.countNodes({ where: and() })).toBe(1000);
  db.close();
});

test('a function may ask other things of the same reader, though pages move', () => {
  const db = people([['n']]);
  const found = ids(
    db.reader.findNodes({
      label: 'Person',
      where: and(
        (node) => db.reader.countNodes({ label: 'Person', where: { city: node.properties['city'] as string } }) === 100,
        { n: { lt: 5 } },
      ),
    }),
  );
  expect(found).toEqual([1, 2, 3, 4, 5]);
  db.close();
});

test('an iterator holds the commit that it began with and lets go of it when it ends early', () => {
  const db = people([['n']]);
  const rows = db.reader.findNodes({ label: 'Person', where: { n: { lt: 100 } } });
  expect(db.pager.stats().snapshots).toBe(0);
  expect(rows.next().value).toMatchObject({ id: 1 });
  expect(db.pager.stats().snapshots).toBe(1);
  db.write((tx) => tx.deleteNode(2));
  expect(rows.next().value).toMatchObject({ id: 2 });
  rows.return!();
  expect(db.pager.stats().snapshots).toBe(0);
  for (const node of db.reader.findNodes({ label: 'Person', orderBy: 'n' })) if (node.id > 5) break;
  expect(db.pager.stats().snapshots).toBe(0);
  db.close();
});

test('in a transaction a find sees its own writes, and what the caller does to its rows does not bring them back', () => {
  const db = people([['n']]);
  db.write((tx) => {
    tx.addNode('Person', { n: 5000 });
    expect(ids(tx.findNodes({ label: 'Person', where: { n: 5000 } }))).toEqual([1001]);
    let turns = 0;
    for (const query of [{ where: { n: { gte: 990 } } }, { where: { n: { gte: 990 } }, orderBy: 'n' }] as const) {
      for (const {
        id,
        properties: { n },
      } of tx.findNodes({ label: 'Person', ...query })) {
        tx.setNodeProperty(id, 'n', (n as number) + 10_000);
        turns += 1;
      }
    }
    expect(turns).toBe(22);
    for (const { id } of tx.findNodes({ label: 'Person', where: { neverBefore: { exists: false } }, limit: 3 }))
      tx.setNodeProperty(id, 'neverBefore', id);
    expect(ids(tx.findNodes({ where: { neverBefore: { gte: 2 } } }))).toEqual([2, 3]);
  });
  db.close();
});

test('ordering more than fits into memory is refused with what to do; a limit or an index makes it possible', () => {
  const db = new OpenGraph({ cacheSize: 64 });
  const large = 'y'.repeat(15_000_000);
  db.graph.bulkLoad({
    nodes: [4, 2, 5, 1, 3].map((n) => ({ labels: 'Big', properties: { text: `${large}${n}` } })),
    edges: [],
  });
  const { reader } = db;
  expect(codeOf(() => [...reader.findNodes({ label: 'Big', orderBy: 'text', select: [] })])).toBe('SOMBRA_SORT_MEMORY');
  expect(ids(reader.findNodes({ label: 'Big', orderBy: 'text', limit: 2, select: [] }))).toEqual([4, 2]);
  db.pager.close();
}, 60_000);

test('an index orders texts that begin alike by what follows, in both directions', () => {
  const db = new OpenGraph({ cacheSize: 64 });
  const long = 'y'.repeat(200);
  db.write((tx) => {
    for (let n = 0; n < 80; n += 1) tx.addNode('Long', { text: `${n % 4}${long}${n % 20}` });
  });
  const ask = (descending: boolean): number[] =>
    ids(db.reader.findNodes({ label: 'Long', orderBy: { key: 'text', descending }, select: [] }));
  const scanned = [ask(false), ask(true)];
  db.graph.createPropertyIndex('Long', 'text');
  expect(db.reader.explainNodes({ label: 'Long', orderBy: 'text' })).toMatchObject({
    access: 'index-order',
    sorted: false,
  });
  expect([ask(false), ask(true)]).toEqual(scanned);
  expect(scanned[0]!.slice(0, 4)).toEqual([1, 21, 41, 61]);
  db.close();
});

test('ids are gathered up to a limit, and each once', () => {
  withGraph({}, (db) => {
    const ids = (): ListedIds => new ListedIds(Float64Array.of(3, 1, 2, 3, 1), 5);
    const { view } = db.pager;
    expect(gather(ids(), view, 4)).toBeUndefined();
    const found = gather(ids(), view, 5)!;
    expect(ascendingOnce(found)).toBe(3);
    expect([...found.subarray(0, 3)]).toEqual([1, 2, 3]);
  });
});

test('a sort keeps no more than it is asked for', () => {
  const sorter = new RowSorter(3, 1000);
  for (let i = 0; i < 1000; i += 1) sorter.add(Uint8Array.of((i * 37) % 251, 0, 0, 0, 0, 0, i >> 8, i));
  expect(sorter.ids()).toHaveLength(3);
  const all = new RowSorter(Infinity, 1000);
  expect(
    codeOf(() => {
      for (let i = 0; i < 100; i += 1) all.add(new Uint8Array(8));
    }),
  ).toBe('SOMBRA_SORT_MEMORY');
});

const BAD: [string, NodeQuery, string][] = [
  ['an unknown option', { lable: 'P' } as never, 'SOMBRA_OPTION'],
  ['an unknown operator', { where: { a: { equals: 1 } as never } }, 'SOMBRA_OPTION'],
  ['null', { where: { a: null as never } }, 'SOMBRA_OPTION'],
  ['undefined', { where: { a: undefined as never } }, 'SOMBRA_OPTION'],
  ['no conditions', { where: { a: {} } }, 'SOMBRA_OPTION'],
  ['where as a list', { where: [1] as never }, 'SOMBRA_OPTION'],
  ['a Map', { where: { a: new Map() as never } }, 'SOMBRA_OPTION'],
  ['between with one value', { where: { a: { between: [1] as never } } }, 'SOMBRA_OPTION'],
  ['in without a list', { where: { a: { in: 1 as never } } }, 'SOMBRA_OPTION'],
  ['prefix of a number', { where: { a: { startsWith: 1 as never } } }, 'SOMBRA_OPTION'],
  ['exists without a flag', { where: { a: { exists: 1 as never } } }, 'SOMBRA_OPTION'],
  ['lt of a list', { where: { a: { lt: [1] } } }, 'SOMBRA_OPTION'],
  ['half a surrogate pair', { where: { a: '\ud83d' } }, 'SOMBRA_TEXT_SURROGATE'],
  ['a limit below 0', { limit: -1 }, 'SOMBRA_OPTION'],
  ['orderBy a number', { orderBy: 1 as never }, 'SOMBRA_OPTION'],
  ['orderBy with an unknown option', { orderBy: { key: 'a', desc: true } as never }, 'SOMBRA_OPTION'],
  ['select of a name', { select: 'a' } as never, 'SOMBRA_OPTION'],
  ['label as a list', { label: ['P'] as never }, 'SOMBRA_OPTION'],
];

test.each(BAD)('refused when it is asked for, before the first row: %s', (_name, query, code) => {
  withGraph({}, (db) => {
    expect(codeOf(() => db.reader.findNodes(query))).toBe(code);
    expect(codeOf(() => db.reader.explainNodes(query))).toBe(code);
  });
});

test('the message of an unknown operator names the nearest one', () => {
  withGraph({}, (db) => {
    expect(() => db.reader.findNodes({ where: { a: { startWith: 'x' } as never } })).toThrow(
      /did you mean 'startsWith'/,
    );
  });
});

test('ids come in ranges, from either end', () => {
  const db = people();
  const { reader } = db;
  const all = Array.from({ length: 1000 }, (_, i) => i + 1);
  const even = all.filter((id) => id % 2 === 1);
  expect([...reader.nodeIds({ reverse: true })]).toEqual(all.toReversed());
  expect([...reader.nodeIds({ label: 'Even', reverse: true })]).toEqual(even.toReversed());
  expect([...reader.nodeIds({ from: 300, to: 305 })]).toEqual([300, 301, 302, 303, 304, 305]);
  expect([...reader.nodeIds({ label: 'Even', from: 300, to: 305, reverse: true })]).toEqual([305, 303, 301]);
  expect([...reader.nodeIds({ label: 'Even', limit: 3 })]).toEqual([1, 3, 5]);
  expect([...reader.nodeIds({ reverse: true, limit: 2, to: 2 ** 48 })]).toEqual([1000, 999]);
  expect([...reader.nodeIds({ from: 7, to: 6 })]).toEqual([]);
  expect(ids(reader.nodes({ from: 998 }))).toEqual([998, 999, 1000]);
  expect([...reader.edgeIds({ type: 'T', reverse: true })]).toEqual([]);
  expect(codeOf(() => reader.nodeIds({ from: -1 }))).toBe('SOMBRA_ID_RANGE');
  expect(codeOf(() => reader.nodeIds({ reverse: 1 } as never))).toBe('SOMBRA_OPTION');
  expect(reader.labelCounts()).toEqual([
    { label: 'Person', count: 1000 },
    { label: 'Even', count: 500 },
  ]);
  expect(reader.typeCounts()).toEqual([]);
  db.close();
});

test('findNodes is find as a list', () => {
  const db = people([['n']]);
  expect(
    db.reader
      .findNodes({ label: 'Person', where: { n: { between: [3, 9] } }, limit: 2 })
      .all()
      .map(({ id }) => id),
  ).toEqual([4, 5]);
  expect(db.reader.findNodes({ where: { city: 'c0' as PropertyValue as string } }).all()).toHaveLength(100);
  db.close();
});

/** What a find with labels, an order of ids, and pages gives, against the naive way. */
function askLabels(reader: GraphReader, cases: readonly Case[], descendingIds: boolean): void {
  const nodes: (Row & { labels: string[] })[] = [...reader.nodes()];
  const edges: (Row & { type: string })[] = [...reader.edges()];
  const both = (has: (row: { labels: string[] }) => boolean): Row[] => nodes.filter(has);
  for (const { asked, orderBy, limit } of cases) {
    const order = [...orderBy, ...(descendingIds ? [{ id: true as const, descending: true }] : [])];
    const expected = (rows: readonly Row[]): number[] =>
      inOrder(
        rows.filter((row) => fulfils(row, asked)),
        orderBy,
        descendingIds,
      ).map(({ id }) => id);
    const choices: [NodeQuery['label'], Row[]][] = [
      [{ any: ['L', 'M', 'Never'] }, both(({ labels }) => labels.includes('L') || labels.includes('M'))],
      [{ all: ['L', 'M'] }, both(({ labels }) => labels.includes('L') && labels.includes('M'))],
      [{ all: ['L', 'Never'] }, []],
      ['L', both(({ labels }) => labels.includes('L'))],
      [undefined, nodes],
    ];
    for (const [label, rows] of choices) {
      const query: NodeQuery = { label, where: where(asked), orderBy: order };
      const wanted = expected(rows);
      expect(ids(reader.findNodes(query))).toEqual(wanted);
      expect(reader.countNodes({ label, where: where(asked) })).toBe(wanted.length);
      expect(reader.aggregateNodes({ label, where: where(asked), count: true })).toEqual([
        { group: {}, count: wanted.length },
      ]);
      expect(reader.prepareNodes(query).count()).toBe(wanted.length);
      const size = Math.max(1, limit ?? 3);
      const page = reader.prepareNodes({ ...query, after: param('after'), limit: size });
      const found: number[] = [];
      for (let rowsOfPage = reader.findNodes({ ...query, limit: size }).all(); rowsOfPage.length > 0; ) {
        found.push(...ids(rowsOfPage));
        rowsOfPage = page.all({ after: rowsOfPage.at(-1)! });
      }
      expect(found).toEqual(wanted);
    }
    for (const type of [['T', 'U'], undefined, ['U']]) {
      const query: EdgeQuery = { type, where: where(asked), orderBy: order };
      const rows = edges.filter((row) => type === undefined || type.includes(row.type));
      expect(ids(reader.findEdges(query))).toEqual(expected(rows));
      expect(reader.countEdges({ type, where: where(asked) })).toBe(expected(rows).length);
    }
  }
}

test('several labels and types, ids that descend, and pages give what a naive scan gives', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.subarray(['L', 'M']), properties), { maxLength: 30 }),
      fc.array(fc.tuple(fc.constantFrom('T', 'U'), properties), { maxLength: 15 }),
      fc.array(asks, { minLength: 1, maxLength: 3 }),
      fc.subarray([...INDEXES]),
      fc.boolean(),
      (nodes, edges, cases, indexes, descendingIds) => {
        withGraph({}, (db) => {
          db.write((tx) => {
            for (const [labels, row] of nodes) tx.addNode(labels, row);
            if (nodes.length > 0) for (const [type, row] of edges) tx.addEdge(1, nodes.length, type, row);
          });
          for (const keys of indexes) {
            for (const label of ['L', 'M']) db.graph.createPropertyIndex(label, keys);
            for (const type of ['T', 'U']) db.graph.createEdgePropertyIndex(type, keys);
          }
          askLabels(db.reader, cases, descendingIds);
          const tx = db.graph.begin();
          askLabels(tx, cases, descendingIds);
          tx.rollback();
        });
      },
    ),
    { seed: suiteSeed(62), numRuns: suiteRuns(15) },
  );
});
