// Goal: files become exactly the graph that they describe, or nothing at all, with an error that names file and line.
// Method: the built command in this process; what is in the database is asked by the other commands.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { GraphDB } from '@sombra/db';
import { failure, json, sombra } from './support/cli.ts';
import { temporaryFolder, writeCsv } from './support/files.ts';
import { importSocial, socialFiles } from './support/social.ts';

const folder = temporaryFolder();
let number = 0;
let database: string;
const csv = (name: string, content: string | Uint8Array): string => writeCsv(folder, name, content);

beforeEach(() => {
  number += 1;
  database = join(folder, `db${number}.db`);
});

/** Files of the database that exist. */
function files(): string[] {
  return readdirSync(folder).filter((name) => name.startsWith(`db${number}.`));
}

describe('typed headers', () => {
  it('give labels, types, ids by group, and values of every kind', async () => {
    const { nodes, edges } = socialFiles(folder);
    const summary = await json('import', database, '--nodes', ...nodes, '--edges', ...edges);
    expect(summary).toEqual({
      path: database,
      nodes: 4,
      edges: 5,
      method: 'bulk',
      files: [
        { file: join(folder, 'persons.csv'), kind: 'nodes', rows: 3 },
        { file: join(folder, 'cities.csv.gz'), kind: 'nodes', rows: 1 },
        { file: join(folder, 'knows.csv'), kind: 'edges', rows: 3 },
        { file: join(folder, 'lives.csv'), kind: 'edges', rows: 2 },
      ],
      elapsedMs: expect.any(Number) as number,
    });
    expect(await json('find', database)).toEqual({
      nodes: [
        {
          id: 1,
          labels: ['Person', 'Author'],
          properties: {
            id: 'p1',
            name: 'Ada',
            born: '1815-12-10T00:00:00.000Z',
            height: 1.65,
            known: true,
            tags: ['math', 'poetry'],
          },
        },
        {
          id: 2,
          labels: ['Person'],
          properties: { id: 'p2', name: 'Charles', born: '1791-12-26T00:00:00.000Z', known: true },
        },
        {
          id: 3,
          labels: ['Person', 'Author', 'Translator'],
          properties: { id: 'p3', name: 'Mary "M." Somerville', tags: ['science'] },
        },
        {
          id: 4,
          labels: ['City'],
          properties: { name: 'London', people: '9007199254740993', since: '1800-01-01T12:00:00.000Z', stamp: 'AAEC' },
        },
      ],
      truncated: false,
    });
    const { neighbors } = (await json('neighbors', database, '1')) as { neighbors: { edge: unknown }[] };
    expect(neighbors.map(({ edge }) => edge)).toEqual([
      { id: 1, source: 1, target: 2, type: 'KNOWS', properties: { since: 1833 } },
      { id: 3, source: 1, target: 1, type: 'KNOWS', properties: {} },
      { id: 4, source: 1, target: 4, type: 'LIVES_IN', properties: { years: [1815, 1852] } },
    ]);
    expect(await json('verify', database)).toMatchObject({ clean: true, checkedNodes: 4, checkedEdges: 5 });
  });

  it('leave only the database file', async () => {
    await importSocial(folder, database);
    expect(files()).toEqual([`db${number}.db`]);
  });
});

describe('plain headers', () => {
  it('get parts and types from options', async () => {
    const nodes = csv('a.tsv', 'key\tkind\tn\tnote\n1\tA|B\t5\tx\n2\t\t\ty\n');
    const edges = csv('b.tsv', 'a\tb\trel\tw\n1\t2\tNEXT\t0.5\n');
    await json(
      ...[
        'import',
        database,
        '--nodes',
        nodes,
        '--edges',
        edges,
        '--delimiter',
        'tab',
        '--array-delimiter',
        '|',
        '--label',
        'Thing',
      ],
      ...[
        '--id-column',
        'key',
        '--label-column',
        'kind',
        '--from',
        'a',
        '--to',
        'b',
        '--type-column',
        'rel',
        '--columns',
        'key:ignore,n:int,note:ignore,w:float',
      ],
    );
    expect(await json('find', database)).toMatchObject({
      nodes: [
        { labels: ['Thing', 'A', 'B'], properties: { n: 5 } },
        { labels: ['Thing'], properties: {} },
      ],
    });
    expect(await json('path', database, '1', '2')).toMatchObject({
      length: 1,
      edges: [{ type: 'NEXT', properties: { w: 0.5 } }],
    });
  });

  it('come from what a spreadsheet writes: byte order mark, CRLF, quoted line ends', async () => {
    const nodes = csv('sheet.csv', '\ufeffid,text\r\n1,"two\r\nlines, ""quoted"""\r\n2,plain\r\n');
    await json('import', database, '--nodes', nodes);
    const { nodes: found } = (await json('find', database)) as { nodes: { properties: unknown }[] };
    expect(found.map(({ properties }) => properties)).toEqual([
      { id: '1', text: 'two\r\nlines, "quoted"' },
      { id: '2', text: 'plain' },
    ]);
  });

  it('with another delimiter in a name are taken when the delimiter is given', async () => {
    await json('import', database, '--nodes', csv('one.csv', 'a;b\nx\n'), '--delimiter', ',');
    expect(await json('find', database)).toMatchObject({ nodes: [{ properties: { 'a;b': 'x' } }] });
  });

  it('need neither ids nor edges', async () => {
    expect(await json('import', database, '--nodes', csv('noid.csv', 'name\nx\ny\n'))).toMatchObject({
      nodes: 2,
      edges: 0,
    });
  });

  it('keep keys that mean something to JavaScript', async () => {
    await json('import', database, '--nodes', csv('proto.csv', 'id,__proto__,constructor\n1,a,b\n'));
    const { stdout } = await sombra(['find', database, '--json']);
    expect(JSON.stringify((JSON.parse(stdout) as { nodes: { properties: unknown }[] }).nodes[0]!.properties)).toBe(
      '{"id":"1","__proto__":"a","constructor":"b"}',
    );
  });
});

describe('a database that is not empty', () => {
  it('gets one transaction, and new ids', async () => {
    await importSocial(folder, database);
    const again = await json(
      'import',
      database,
      '--nodes',
      `X=${csv('x.csv', 'id\n1\n2\n')}`,
      '--edges',
      `Y=${csv('y.csv', 'from,to\n1,2\n')}`,
    );
    expect(again).toMatchObject({ nodes: 2, edges: 1, method: 'transaction' });
    expect(await json('path', database, '5', '6')).toMatchObject({
      length: 1,
      nodes: [{ labels: ['X'] }, { labels: ['X'] }],
    });
    expect(await json('verify', database)).toMatchObject({ clean: true, checkedNodes: 6, checkedEdges: 6 });
  });

  it('refuses more than --max-transaction-pages, and stays as it was', async () => {
    await importSocial(folder, database);
    const rows = Array.from({ length: 2000 }, (_, i) => `${i},${'x'.repeat(200)}`).join('\n');
    const { code, error } = await failure(
      'import',
      database,
      '--max-transaction-pages',
      '20',
      '--nodes',
      csv('many.csv', `id,text\n${rows}\n`),
    );
    expect([code, error.code]).toEqual([1, 'SOMBRA_TRANSACTION_PAGES']);
    expect(error.message).toContain('split the files, or import into a new database');
    expect(await json('verify', database)).toMatchObject({ clean: true, checkedNodes: 4 });
  });
});

describe('a unique index', () => {
  const people = 'id,name\n1,Ada\n\n2,Mary\n3,Ada\n';
  const lines = [1, 2, 3].map(
    (id) => `{"node":${id},"labels":["P"],"properties":{"name":"${id === 2 ? 'Mary' : 'Ada'}"}}`,
  );

  /** A database with a unique index, without data or with some. */
  async function indexed(empty: boolean): Promise<void> {
    await json('import', database, '--nodes', `X=${csv('first.csv', 'id\n1\n')}`);
    if (empty) await removeAll();
    await json('index', 'create', database, 'P', 'name', '--unique');
  }

  /** Deletes every node: the ids go on from there. */
  async function removeAll(): Promise<void> {
    const db = GraphDB.open(database);
    db.transaction((tx) => {
      for (const id of [...tx.nodeIds()]) tx.deleteNode(id);
    });
    db.close();
    await Promise.resolve();
  }

  it.each([
    ['CSV in bulk', true, () => ['--nodes', `P=${csv('p.csv', people)}`], /p\.csv:5: .*name = "Ada"/, 5],
    ['CSV in a transaction', false, () => ['--nodes', `P=${csv('p.csv', people)}`], /p\.csv:5: .*name = "Ada"/, 5],
    [
      'JSON Lines in bulk',
      true,
      () => ['--jsonl', csv('p.jsonl', `\n${lines.join('\n\n')}`)],
      /p\.jsonl:6: .*name = "Ada"/,
      6,
    ],
    [
      'JSON Lines in a transaction',
      false,
      () => ['--jsonl', csv('p.jsonl', lines.join('\n'))],
      /p\.jsonl:3: .*name = "Ada"/,
      3,
    ],
  ] as const)('is kept: %s names file, line and value', async (_name, empty, args, message, line) => {
    await indexed(empty);
    const { error } = await failure('import', database, ...args());
    expect(error).toMatchObject({ code: 'SOMBRA_UNIQUE', details: { line, value: 'Ada' } });
    expect(error.message).toMatch(message);
  });
});

describe('bad input', () => {
  const good = 'id,n:int\n1,1\n2,2\n';
  const link = 'from,to\n1,2\n';
  const long = 'x'.repeat(256);
  const packed = gzipSync(good.repeat(50));
  const CASES: [
    name: string,
    nodes: string | Uint8Array,
    edges: string | undefined,
    code: string,
    place: RegExp,
    details: object,
  ][] = [
    [
      'a bad number',
      'id,n:int\n1,1\n2,two\n',
      link,
      'SOMBRA_CSV_CELL',
      /bad\.csv:3: column n: "two" is not an integer$/,
      { line: 3, column: 'n' },
    ],
    ['a missing cell', 'id,n:int\n1\n', link, 'SOMBRA_CSV_SYNTAX', /bad\.csv:2: 1 cells instead of 2/, { line: 2 }],
    [
      'an id that is used twice',
      'id\n1\n2\n1\n',
      link,
      'SOMBRA_IMPORT_DUPLICATE_ID',
      /bad\.csv:4: the id "1" was used before/,
      { line: 4 },
    ],
    [
      'a column of an unknown type',
      'id,n:number\n1,1\n',
      link,
      'SOMBRA_CSV_HEADER',
      /bad\.csv:1: the column "n:number"/,
      { line: 1 },
    ],
    ['a header after an empty line', '\nid,n:number\n1,1\n', link, 'SOMBRA_CSV_HEADER', /bad\.csv:2: /, { line: 2 }],
    [
      'a column name that is too long',
      `id,${long}\n1,1\n`,
      link,
      'SOMBRA_CSV_HEADER',
      /bad\.csv:1: .* has a name of 256 bytes/,
      { line: 1 },
    ],
    [
      'lines that end by a carriage return alone',
      'id,n\r1,1\r2,2\r',
      link,
      'SOMBRA_CSV_HEADER',
      /bad\.csv:1: lines end by a carriage return/,
      {},
    ],
    ['an open quote', 'id,n\n1,"x\n2,y\n', link, 'SOMBRA_CSV_SYNTAX', /bad\.csv:2: /, { line: 2 }],
    [
      'what is not UTF-8',
      Buffer.from('id,n\n1,\xe4\n', 'latin1'),
      link,
      'SOMBRA_IMPORT_FILE',
      /bad\.csv:2: this is not UTF-8/,
      { line: 2 },
    ],
    [
      'half a gzip file',
      packed.subarray(0, packed.length >> 1),
      link,
      'SOMBRA_IMPORT_FILE',
      /bad\.csv: it cannot be unpacked/,
      {},
    ],
    [
      'an edge to no node',
      good,
      'from,to\n1,2\n1,9\n',
      'SOMBRA_IMPORT_DANGLING_EDGE',
      /edges\.csv:3: the edge ends at "9"/,
      { line: 3 },
    ],
    [
      'edges without a column for their ends',
      good,
      'a,b\n1,2\n',
      'SOMBRA_CSV_HEADER',
      /edges\.csv:1: no column says where an edge begins/,
      { line: 1 },
    ],
    [
      'another delimiter',
      'id;n\n1;1\n',
      link,
      'SOMBRA_CSV_HEADER',
      /bad\.csv:1: the only column is "id;n": pass --delimiter ';'/,
      { line: 1 },
    ],
    [
      'tabs between cells',
      good,
      'from\tto\n1\t2\n',
      'SOMBRA_CSV_HEADER',
      /edges\.csv:1: the only column is "from\\tto": pass --delimiter tab/,
      { line: 1 },
    ],
    // What only the engine refuses: the row comes back to its line.
    [
      'a label that is too long',
      `id,:LABEL\n1,A\n2,${long}\n`,
      link,
      'SOMBRA_NAME_TOO_LONG',
      /bad\.csv:3: /,
      { line: 3 },
    ],
    [
      'a type that is too long',
      good,
      `from,to,:TYPE\n1,2,A\n"1","2","${long}"\n`,
      'SOMBRA_NAME_TOO_LONG',
      /edges\.csv:3: /,
      { line: 3 },
    ],
    [
      'a value that is too large',
      `id,t\n1,a\n\n2,${'v'.repeat(17 * 2 ** 20)}\n`,
      link,
      'SOMBRA_VALUE_TOO_LARGE',
      /bad\.csv:4: /,
      { line: 4 },
    ],
  ];

  it.each(CASES)('%s: nothing is created', async (_name, nodes, edges, code, place, details) => {
    const args = ['--nodes', csv('bad.csv', nodes), '--edges', `T=${csv('edges.csv', edges ?? link)}`];
    const { code: exit, error } = await failure('import', database, ...args);
    expect([exit, error.code]).toEqual([1, code]);
    expect(error.message).toMatch(place);
    expect(error.details).toMatchObject(details);
    expect(files()).toEqual([]);
  });

  it('leaves a database that is not empty as it was', async () => {
    await importSocial(folder, database);
    // One of each stage: cells, ends of edges, and what the engine refuses when much is written already.
    for (const [, nodes, edges, code] of CASES.filter(([, , , kind]) => /CELL|DANGLING|TOO_LONG/.test(kind))) {
      const args = ['--nodes', csv('bad.csv', nodes), '--edges', `T=${csv('edges.csv', edges ?? link)}`];
      expect((await failure('import', database, ...args)).error.code).toBe(code);
    }
    expect(await json('stats', database)).toMatchObject({
      nodes: 4,
      edges: 5,
      propertyKeys: expect.not.arrayContaining(['n']) as string[],
    });
    expect(await json('verify', database)).toMatchObject({ clean: true });
  });

  it('leaves a file that is no database as it was', async () => {
    writeFileSync(database, 'dear diary\n'.repeat(1000));
    const { code, error } = await failure('import', database, '--nodes', csv('ok.csv', good));
    expect([code, error.code]).toEqual([1, 'SOMBRA_NOT_A_DATABASE']);
    expect(readFileSync(database, 'utf8')).toBe('dear diary\n'.repeat(1000));
  });

  it('refuses a folder that does not exist, and a folder as the database', async () => {
    const nodes = csv('ok.csv', good);
    for (const path of [join(folder, 'none', 'x.db'), folder]) {
      const { code, error } = await failure('import', path, '--nodes', nodes);
      expect([code, error.code]).toEqual([
        1,
        expect.stringMatching(/^SOMBRA_(IO|NOT_FOUND|PERMISSION|NOT_A_DATABASE)$/),
      ]);
      expect(error.message).toContain(path === folder ? path : join(folder, 'none'));
    }
  });

  it.each<[string, string[], string]>([
    ['no file at all', [], 'nothing to import'],
    ['a database in memory', [':memory:'], 'a database in memory would end'],
    ['an empty label', ['--label', '', '--nodes', 'x.csv'], '--label names an empty label'],
    ['an empty type', ['--type', '', '--edges', 'x.csv'], '--type names an empty type'],
    ['a number that is none', ['--nodes', 'x.csv', '--max-transaction-pages', 'many'], 'It is a whole number'],
    ['an unknown option', ['--node', 'x.csv'], "unknown option '--node' (Did you mean --nodes?)"],
  ])('refuses %s', async (_name, args, message) => {
    const { code, error } = await failure(
      'import',
      ...(args[0] === ':memory:' ? [':memory:', '--nodes', 'x.csv'] : [database, ...args]),
    );
    expect([code, error.code]).toEqual([1, 'SOMBRA_USAGE']);
    expect(error.message).toContain(message);
    expect(existsSync(database)).toBe(false);
  });
});

describe('text', () => {
  it('says what was imported, on one line', async () => {
    const { nodes } = socialFiles(folder);
    const { code, stdout, stderr } = await sombra(['import', database, '--nodes', ...nodes]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^\S+\.db: 4 nodes and 0 edges imported in \d+\.\d s\n$/);
  });

  it('draws progress on stderr at a terminal only', async () => {
    const nodes = csv('progress.csv', `id\n${Array.from({ length: 20_000 }, (_, i) => i).join('\n')}\n`);
    const { stdout, stderr } = await sombra(['import', database, '--nodes', nodes], true);
    expect(stderr).toContain('%');
    expect(stdout).toMatch(/20,000 nodes/);
  });
});
