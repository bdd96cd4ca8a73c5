// Goal: find, index, components, pagerank, triangles and schema print what they say, in text and in JSON. Method: a small graph
// with known answers, by the built commands.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { defineSchema, GraphDB } from '@sombra/db';
import type { Config } from '@sombra/db';
import { failure, json, sombra, start } from './support/cli.ts';
import { temporaryFolder } from './support/files.ts';

const folder = temporaryFolder();
const database = join(folder, 'graph.db');

/** Ada, Bob, Cyd know each other in a ring; Dan knows Ada; Eve stands alone. */
beforeAll(() => {
  const db = GraphDB.open(database);
  db.transaction((tx) => {
    const ada = tx.addNode(['Person', 'Author'], {
      name: 'Ada',
      age: 36,
      born: new Date('1815-12-10'),
      tags: ['x', '30'],
    });
    const bob = tx.addNode('Person', { name: 'Bob', age: 30 });
    const cyd = tx.addNode('Person', { name: 'Cyd', age: 30.5 });
    const dan = tx.addNode('Person', { name: 'Dan', age: '30' });
    tx.addNode('Person', { name: 'Eve', big: 2n ** 60n });
    tx.addEdge(ada, bob, 'KNOWS', { since: 2001 });
    tx.addEdge(bob, cyd, 'KNOWS', { since: 2002 });
    tx.addEdge(cyd, ada, 'KNOWS', { since: 2003 });
    tx.addEdge(dan, ada, 'LIKES');
  });
  db.close();
});

async function text(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await sombra(args);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

describe('find', () => {
  it.each<[string[], string]>([
    [['age=30'], 'Bob Dan'],
    [['age="30"'], 'Dan'],
    [['age!=30'], 'Ada Cyd'],
    [['age>30'], 'Ada Cyd'],
    [['age >= 30'], 'Ada Bob Cyd'],
    [['age<30.5'], 'Bob'],
    [['age<=30.5', 'name!=Bob'], 'Cyd'],
    [['name^=A'], 'Ada'],
    [['name*=d'], 'Ada Cyd'],
    [['tags*=30'], 'Ada'],
    [['tags=["x","30"]'], 'Ada'],
    [['name in:["Bob","Eve",7]'], 'Bob Eve'],
    [['age exists'], 'Ada Bob Cyd Dan'],
    [['age not exists'], 'Eve'],
    [['born>1815-01-01'], 'Ada'],
    [['born<1815-12-10T00:00:00Z'], ''],
    [['big=1152921504606846976'], 'Eve'],
    [['big>{"$integer":"1152921504606846975"}'], 'Eve'],
  ])('%j', async (where, names) => {
    const args = where.flatMap((condition) => ['--where', condition]);
    const { nodes } = (await json('find', database, ...args)) as { nodes: { properties: { name: string } }[] };
    expect(nodes.map(({ properties }) => properties.name).join(' ')).toBe(names);
  });

  it('has groups, order, skip and selected properties', async () => {
    const args = ['--where', 'name=Ada', '--or', '--where', 'age=30', '--where', 'name^=B', '--order-by', 'name:desc'];
    expect(await json('find', database, ...args, '--select', 'age,nothing')).toEqual({
      nodes: [
        { id: 2, properties: { age: 30 } },
        { id: 1, properties: { age: 36 } },
      ],
      truncated: false,
    });
    const page = [
      '--label',
      'Person',
      '--order-by',
      'name:desc',
      '--skip',
      '1',
      '--limit',
      '1',
      '--select',
      'name',
      '--json',
    ];
    const { stdout, stderr } = await sombra(['find', database, ...page]);
    expect(JSON.parse(stdout)).toEqual({ nodes: [{ id: 4, properties: { name: 'Dan' } }], truncated: true });
    expect(stderr).toBe('only the first 1 node; --limit 0 shows all\n');
    expect(await text('find', database, ...args, '--select', 'name,age')).toBe(
      'id  name  age\n2   Bob   30\n1   Ada   36\n',
    );
  });

  it('finds edges', async () => {
    expect(await json('find', database, '--edges', '--type', 'KNOWS', '--where', 'since>=2003')).toEqual({
      edges: [{ id: 3, source: 3, target: 1, type: 'KNOWS', properties: { since: 2003 } }],
      truncated: false,
    });
    expect(await text('find', database, '--edges', '--type', 'LIKES')).toBe(
      'id  source  type   target  properties\n4   4       LIKES  1\n',
    );
  });

  it.each<string[][]>([
    [['--where', 'name']],
    [['--where', 'name in:Bob']],
    [['--where', '=x']],
    [['--type', 'KNOWS']],
    [['--edges', '--label', 'Person']],
    [['--or', '--where', 'a=1']],
  ])('refuses %j', async (args) => {
    expect((await failure('find', database, ...args)).error.code).toBe('SOMBRA_USAGE');
  });
});

describe('index', () => {
  it('is created, listed, used and dropped', async () => {
    expect(await json('index', 'list', database)).toEqual({ path: database, indexes: [] });
    expect(await text('index', 'list', database)).toBe('no index\n');
    const created = { path: database, on: 'node', name: 'Person', keys: ['age', 'name'], unique: true, entries: 4 };
    const args = ['index', 'create', database, 'Person', 'age,name', '--unique'];
    expect(await json(...args)).toMatchObject({ ...created, created: true });
    expect(await json(...args)).toMatchObject({ ...created, created: false });
    expect(await json('index', 'create', database, 'KNOWS', 'since', '--edges')).toMatchObject({
      on: 'edge',
      entries: 3,
    });
    expect(await text('index', 'list', database)).toBe(
      'on     name    keys       unique  entries\n' +
        'nodes  Person  age, name  yes           4\n' +
        'edges  KNOWS   since      no            3\n',
    );
    expect(await json('find', database, '--edges', '--type', 'KNOWS', '--where', 'since>=2003', '--explain')).toEqual({
      plan: {
        access: 'index-range',
        index: { on: 'edge', name: 'KNOWS', keys: ['since'], unique: false },
        estimatedRows: expect.any(Number) as number,
        filters: [],
        sorted: false,
        rowsRead: 1,
        rowsMatched: 1,
      },
    });
    expect(await text('find', database, '--edges', '--type', 'KNOWS', '--where', 'since<2002', '--explain')).toMatch(
      /^access {3}index-range\nindex {4}KNOWS \(since\)\nfilters {2}none\nsorted {3}no\nrows {5}1 estimated, 1 read, 1 found\n$/,
    );
    expect(await json('index', 'drop', database, 'Person', 'age,name')).toEqual({
      path: database,
      on: 'node',
      name: 'Person',
      keys: ['age', 'name'],
      dropped: true,
    });
    expect(await json('index', 'drop', database, 'KNOWS', 'since', '--edges')).toMatchObject({ dropped: true });
    expect((await failure('index', 'drop', database, 'KNOWS', 'since', '--edges')).error.code).toBe(
      'SOMBRA_INDEX_NOT_FOUND',
    );
    expect(await json('verify', database)).toMatchObject({ clean: true });
  });

  it('that cannot be unique is refused', async () => {
    const twice = join(folder, 'twice.db');
    const db = GraphDB.open(twice);
    db.transaction((tx) => [tx.addNode('P', { k: 1 }), tx.addNode('P', { k: 1 })]);
    db.close();
    expect((await failure('index', 'create', twice, 'P', 'k', '--unique')).error.code).toBe('SOMBRA_UNIQUE');
    expect(await json('index', 'list', twice)).toMatchObject({ indexes: [] });
    expect((await failure('index', 'create', join(folder, 'none.db'), 'P', 'k')).error.code).toBe('SOMBRA_NOT_FOUND');
  });
});

describe('an interrupt', () => {
  it.each([
    ['index', 'create'],
    ['pagerank', ''],
  ])('130: %s %s leaves the database as it was', async (command, verb) => {
    const large = join(folder, `${command}.db`);
    const count = 150_000;
    const db = GraphDB.open(large);
    db.bulkLoad({
      nodes: Array.from({ length: count }, (_, i) => ({
        labels: 'N',
        properties: { text: `text ${(i * 7919) % count}` },
      })),
      edges: Array.from({ length: count }, (_, i) => ({ source: i, target: (i * 7919) % count, type: 'E' })),
    });
    db.close();
    // Without a tolerance an iteration follows the other, so that the signal finds it at work.
    const args =
      verb === 'create'
        ? ['index', 'create', large, 'N', 'text']
        : ['pagerank', large, '--tolerance', '0', '--iterations', '999999999'];
    const running = start(args, { SOMBRA_VERIFY: '0' });
    while (!existsSync(`${large}-shm`) && running.process.exitCode === null) await delay(5);
    await delay(verb === 'create' ? 0 : 300);
    running.process.kill('SIGINT');
    const { code, stdout, stderr } = await running.outcome;
    expect([code, stdout]).toEqual([130, '']);
    expect(stderr).toMatch(/^interrupted/);
    expect(readdirSync(folder).filter((name) => name.startsWith(`${command}.db`))).toEqual([`${command}.db`]);
    expect(await json('verify', large)).toMatchObject({ clean: true, checkedNodes: count });
    expect(await json('index', 'list', large)).toMatchObject({ indexes: [] });
  });
});

describe('algorithms', () => {
  it('components', async () => {
    expect(await json('components', database)).toEqual({
      path: database,
      kind: 'weak',
      count: 2,
      nodes: 5,
      components: [{ nodes: 4 }, { nodes: 1 }],
      truncated: false,
    });
    expect(await json('components', database, '--strong', '--nodes', '--top', '1')).toMatchObject({
      count: 3,
      components: [{ nodes: 3, ids: [1, 2, 3] }],
      truncated: true,
    });
    expect(await text('components', database)).toBe(
      '2 weakly connected components of 5 nodes\n\ncomponent  nodes\n        1      4\n        2      1\n',
    );
  });

  it('pagerank', async () => {
    const ranks = (await json('pagerank', database, '--top', '0')) as {
      nodes: { id: number; rank: number }[];
      converged: boolean;
    };
    expect(ranks).toMatchObject({ path: database, count: 5, converged: true });
    expect(ranks.nodes.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
    expect(ranks.nodes.reduce((sum, { rank }) => sum + rank, 0)).toBeCloseTo(1, 9);
    const { code, stdout, stderr } = await sombra([
      'pagerank',
      database,
      '--iterations',
      '1',
      '--top',
      '1',
      '--show',
      'name',
    ]);
    expect([code, stderr]).toEqual([0, 'not converged after 1 iteration: raise --iterations\n']);
    expect(stdout).toMatch(/^id {2}labels {9}rank {6}name\n1 {3}Person:Author {2}0\.\d+ {2}Ada\n$/);
    expect((await failure('pagerank', database, '--damping', '2')).error.code).toBe('SOMBRA_USAGE');
  });

  it('triangles', async () => {
    expect(await json('triangles', database, '--top', '2')).toMatchObject({
      path: database,
      total: 1,
      nodes: [
        { id: 1, triangles: 1 },
        { id: 2, triangles: 1 },
      ],
    });
    expect(await text('triangles', database, '--type', 'LIKES')).toBe('0 triangles\n');
  });
});

describe('schema', () => {
  it('as JSON', async () => {
    expect(await json('schema', database)).toMatchObject({
      path: database,
      nodes: 5,
      edges: 4,
      sample: null,
      labels: [
        {
          label: 'Person',
          nodes: 5,
          scanned: 5,
          properties: [
            { key: 'name', present: 5, kinds: [{ kind: 'string', count: 5 }] },
            {
              key: 'age',
              present: 4,
              kinds: [
                { kind: 'integer', count: 2 },
                { kind: 'float', count: 1 },
                { kind: 'string', count: 1 },
              ],
            },
            { key: 'born', present: 1, kinds: [{ kind: 'date', count: 1 }] },
            { key: 'tags', present: 1, kinds: [{ kind: 'list<string>', count: 1 }] },
            { key: 'big', present: 1, kinds: [{ kind: 'bigint', count: 1 }] },
          ],
        },
        { label: 'Author', nodes: 1 },
      ],
      edgeTypes: [
        {
          type: 'KNOWS',
          edges: 3,
          scanned: 3,
          properties: [{ key: 'since', present: 3, kinds: [{ kind: 'integer', count: 3 }] }],
        },
        { type: 'LIKES', edges: 1, ends: [{ from: ['Person'], to: ['Person', 'Author'], edges: 1 }], properties: [] },
      ],
      indexes: [],
    });
    expect(await json('schema', database, '--sample', '1')).toMatchObject({
      sample: 1,
      labels: [{ nodes: 5, scanned: 1 }, {}],
    });
  });

  it('as the source of a schema that the data fits', async () => {
    const source = await text('schema', database, '--typescript');
    expect(source).toContain(
      "    KNOWS: {\n      from: 'Person',\n      to: 'Person',\n      properties: {\n        since: 'integer',\n",
    );
    const file = join(folder, 'schema.mjs');
    writeFileSync(file, source.replace(/^import .*$/m, 'const defineSchema = (definition) => definition;'));
    const { schema } = (await import(file)) as { schema: Parameters<typeof defineSchema>[0] };
    const typed = defineSchema(schema);
    const db = GraphDB.open(join(folder, 'typed.db'), { schema: typed } as Config);
    try {
      const old = GraphDB.open(database, { readOnly: true });
      for (const { labels, properties } of old.nodes()) db.addNode(labels, properties);
      for (const { source: from, target, type, properties } of old.edges()) db.addEdge(from, target, type, properties);
      old.close();
      expect([db.nodeCount(), db.edgeCount()]).toEqual([5, 4]);
    } finally {
      db.close();
    }
  });

  it('as text', async () => {
    expect(await text('schema', database)).toContain(
      'KNOWS, 3 edges\n' +
        '  (Person:Author) → (Person)  1 edge\n' +
        '  (Person) → (Person)  1 edge\n' +
        '  (Person) → (Person:Author)  1 edge\n' +
        'property  present  kind\nsince     always   integer\n',
    );
  });
});
