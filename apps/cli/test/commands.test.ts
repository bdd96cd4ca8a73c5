// Goal: every command that reads prints what the database holds, as text for people and as JSON of a stable shape, and leaves
// the file as it is. Method: the built command in this process over one small imported graph; outputs by value.
import { readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Pager } from '@sombra/pager';
import { NodeVfs } from '@sombra/vfs';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { failure, json, sombra } from './support/cli.ts';
import { temporaryFolder, writeCsv } from './support/files.ts';
import { importSocial } from './support/social.ts';

const folder = temporaryFolder();
const database = join(folder, 'social.db');
let bytes: Buffer;

const ADA = {
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
};
const CHARLES = {
  id: 2,
  labels: ['Person'],
  properties: { id: 'p2', name: 'Charles', born: '1791-12-26T00:00:00.000Z', known: true },
};
const MARY = {
  id: 3,
  labels: ['Person', 'Author', 'Translator'],
  properties: { id: 'p3', name: 'Mary "M." Somerville', tags: ['science'] },
};
const LONDON = {
  id: 4,
  labels: ['City'],
  properties: { name: 'London', people: '9007199254740993', since: '1800-01-01T12:00:00.000Z', stamp: 'AAEC' },
};
const KNOWS = { id: 1, source: 1, target: 2, type: 'KNOWS', properties: { since: 1833 } };
const TAUGHT = { id: 2, source: 3, target: 1, type: 'TAUGHT', properties: { since: 1834 } };
const SELF = { id: 3, source: 1, target: 1, type: 'KNOWS', properties: {} };
const LIVES = { id: 4, source: 1, target: 4, type: 'LIVES_IN', properties: { years: [1815, 1852] } };

beforeAll(async () => {
  await importSocial(folder, database);
  bytes = readFileSync(database);
});

afterEach(() => {
  vi.unstubAllEnvs();
  expect(readFileSync(database).equals(bytes)).toBe(true);
  expect(readdirSync(folder).filter((name) => name.startsWith('social.db'))).toEqual(['social.db']);
});

/** Text that a command prints. */
async function text(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await sombra(args);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

describe('stats', () => {
  it('as JSON', async () => {
    expect(await json('stats', database)).toEqual({
      path: database,
      nodes: 4,
      edges: 5,
      labels: [
        { label: 'Person', nodes: 3 },
        { label: 'Author', nodes: 2 },
        { label: 'Translator', nodes: 1 },
        { label: 'City', nodes: 1 },
      ],
      edgeTypes: [
        { type: 'KNOWS', edges: 2 },
        { type: 'TAUGHT', edges: 1 },
        { type: 'LIVES_IN', edges: 2 },
      ],
      propertyKeys: ['id', 'name', 'born', 'height', 'known', 'tags', 'people', 'since', 'stamp', 'years'],
      pageSize: 8192,
      pages: bytes.length / 8192,
      freePages: expect.any(Number) as number,
      bytes: bytes.length,
      lsn: expect.any(Number) as number,
    });
  });

  it('as text', async () => {
    const lines = (await text('stats', database)).split('\n');
    expect(lines[0]).toBe(`${database}: 4 nodes, 5 edges`);
    expect(lines[1]).toMatch(/^\d+\.\d KiB: \d+ pages of 8,192 bytes, \d+ of them free; commit \d+$/);
    expect(lines.slice(2)).toEqual([
      '',
      'label       nodes',
      'Person          3',
      'Author          2',
      'Translator      1',
      'City            1',
      '',
      'edge type  edges',
      'KNOWS          2',
      'TAUGHT         1',
      'LIVES_IN       2',
      '',
      'property keys: id, name, born, height, known, tags, people, since, stamp, years',
      '',
    ]);
  });
});

describe('find', () => {
  it.each<[string, string[], unknown[]]>([
    ['everything', [], [ADA, CHARLES, MARY, LONDON]],
    ['a label', ['--label', 'Author'], [ADA, MARY]],
    ['a label that is none', ['--label', 'Nobody'], []],
    ['a property', ['--where', 'name=Charles'], [CHARLES]],
    ['two properties', ['--where', 'known=true', '--where', 'height=1.65'], [ADA]],
    ['a date', ['--where', 'born=1791-12-26'], [CHARLES]],
    ['an integer beyond 2^53', ['--where', 'people=9007199254740993'], [LONDON]],
    ['a list', ['--where', 'tags=["math","poetry"]'], [ADA]],
    ['a value with = in it', ['--where', 'name=a=b'], []],
  ])('%s', async (_name, args, nodes) => {
    expect(await json('find', database, ...args)).toEqual({ nodes, truncated: false });
  });

  it('stops at the limit, and says so on stderr', async () => {
    const { code, stdout, stderr } = await sombra(['find', database, '--limit', '2', '--json']);
    expect(JSON.parse(stdout)).toEqual({ nodes: [ADA, CHARLES], truncated: true });
    expect([code, stderr]).toEqual([0, 'only the first 2 nodes; --limit 0 shows all\n']);
    expect(await json('find', database, '--limit', '0')).toMatchObject({ truncated: false });
  });

  it('shows several nodes as a table, one as a card', async () => {
    expect(await text('find', database, '--label', 'Person', '--show', 'name,height,tags')).toBe(
      [
        'id  labels                    name                  height  tags',
        '1   Person:Author             Ada                   1.65    ["math","poetry"]',
        '2   Person                    Charles',
        '3   Person:Author:Translator  Mary "M." Somerville          ["science"]',
        '',
      ].join('\n'),
    );
    expect(await text('find', database, '--where', 'name=London')).toBe(
      [
        'node 4 City',
        '  name    London',
        '  people  9007199254740993',
        '  since   1800-01-01T12:00:00.000Z',
        '  stamp   AAEC',
        '',
      ].join('\n'),
    );
    expect(await text('find', database, '--label', 'Nobody')).toBe('no node found\n');
  });

  it('refuses a condition that cannot be read', async () => {
    expect(await failure('find', database, '--where', 'name')).toMatchObject({
      code: 1,
      error: { code: 'SOMBRA_USAGE' },
    });
  });
});

describe('neighbors', () => {
  it.each<[string, string[], unknown[]]>([
    [
      'out',
      ['1'],
      [
        { node: CHARLES, edge: KNOWS },
        { node: ADA, edge: SELF },
        { node: LONDON, edge: LIVES },
      ],
    ],
    ['in', ['1', '--direction', 'in', '--type', 'TAUGHT'], [{ node: MARY, edge: TAUGHT }]],
    ['of some types', ['1', '--type', 'LIVES_IN', '--type', 'TAUGHT'], [{ node: LONDON, edge: LIVES }]],
    ['of a type that is none', ['1', '--type', 'HATES'], []],
    [
      'distinct, both ways',
      ['name=Ada', '--distinct', '--direction', 'both', '--type', 'KNOWS'],
      [{ node: ADA }, { node: CHARLES }],
    ],
  ])('%s', async (_name, args, neighbors) => {
    const found = (await json('neighbors', database, ...args)) as {
      node: unknown;
      neighbors: { node: { id: number } }[];
      truncated: boolean;
    };
    expect([found.node, found.truncated]).toEqual([ADA, false]);
    const byId = (a: { node: { id: number } }, b: { node: { id: number } }): number => a.node.id - b.node.id;
    expect([...found.neighbors].sort(byId)).toEqual([...(neighbors as { node: { id: number } }[])].sort(byId));
  });

  it('as a table', async () => {
    expect(await text('neighbors', database, 'name:Ada', '--show', 'name')).toBe(
      [
        'id  labels         edge                           name',
        '2   Person         → KNOWS  since=1833            Charles',
        '1   Person:Author  → KNOWS                        Ada',
        '4   City           → LIVES_IN  years=[1815,1852]  London',
        '',
      ].join('\n'),
    );
    expect(await text('neighbors', database, '4')).toBe('no neighbour\n');
  });

  it('stops at the limit', async () => {
    const { stdout, stderr } = await sombra(['neighbors', database, '1', '--limit', '1', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ neighbors: [{ edge: KNOWS }], truncated: true });
    expect(stderr).toBe('only the first 1 neighbour; --limit 0 shows all\n');
  });
});

describe('bfs', () => {
  it('as JSON', async () => {
    expect(await json('bfs', database, '3')).toEqual({ start: MARY, reached: 4, levels: [1, 1, 2] });
    expect(await json('bfs', database, '3', '--max-depth', '1', '--nodes')).toEqual({
      start: MARY,
      reached: 2,
      levels: [1, 1],
      nodes: [
        { id: 3, depth: 0 },
        { id: 1, depth: 1 },
      ],
    });
    expect(await json('bfs', database, '4', '--direction', 'in')).toMatchObject({ levels: [1, 2, 1] });
  });

  it('as text', async () => {
    expect(await text('bfs', database, '3', '--nodes', '--max-depth', '1')).toBe(
      [
        '2 nodes reached from node 3, itself included',
        '',
        'hops  nodes  so far',
        '   0      1       1',
        '   1      1       2',
        '',
        'hops  node',
        '   0  3',
        '   1  1',
        '',
      ].join('\n'),
    );
  });
});

describe('path', () => {
  it('with the fewest edges', async () => {
    expect(await json('path', database, '3', '4')).toEqual({
      found: true,
      length: 2,
      nodes: [MARY, ADA, LONDON],
      edges: [TAUGHT, LIVES],
    });
  });

  it('with the least sum of a property', async () => {
    expect(
      await json('path', database, 'id=p3', 'id=p1', '--type', 'TAUGHT', '--weight', 'since', '--label', 'Person'),
    ).toEqual({
      found: true,
      length: 1,
      weight: 1834,
      nodes: [MARY, ADA],
      edges: [TAUGHT],
    });
    expect(await failure('path', database, '3', '2', '--weight', 'since')).toMatchObject({
      code: 1,
      error: { code: 'SOMBRA_WEIGHT', details: { edge: 3 } },
    });
  });

  it('as text', async () => {
    expect(await text('path', database, '3', '2', '--type', 'TAUGHT', '--type', 'KNOWS', '--show', 'name')).toBe(
      [
        '2 edges',
        '',
        'id  labels                    by      name',
        '3   Person:Author:Translator          Mary "M." Somerville',
        '1   Person:Author             TAUGHT  Ada',
        '2   Person                    KNOWS   Charles',
        '',
      ].join('\n'),
    );
    expect(await text('path', database, '2', '3')).toBe('no path\n');
  });

  it('says when there is none, or none that is short enough', async () => {
    expect(await json('path', database, '2', '3')).toEqual({ found: false });
    expect(await json('path', database, '3', '4', '--max-depth', '1')).toEqual({ found: false });
  });
});

describe('degrees', () => {
  it('as JSON', async () => {
    expect(await json('degrees', database, '--direction', 'both', '--limit', '2')).toEqual({
      nodes: [
        { ...ADA, degree: 5 },
        { ...CHARLES, degree: 2 },
      ],
    });
  });

  it('as text', async () => {
    expect(await text('degrees', database, '--label', 'Person', '--type', 'KNOWS', '--show', 'name')).toBe(
      [
        'id  labels                    edges  name',
        '1   Person:Author                 2  Ada',
        '2   Person                        0  Charles',
        '3   Person:Author:Translator      0  Mary "M." Somerville',
        '',
      ].join('\n'),
    );
  });

  it('ranks more nodes than it holds at once', async () => {
    const many = join(folder, 'many.db');
    const size = 9000;
    const ids = Array.from({ length: size }, (_, i) => i);
    const nodes = writeCsv(folder, 'many.csv', `id\n${ids.join('\n')}\n`);
    const edges = writeCsv(
      folder,
      'many-edges.csv',
      `from,to\n${ids.map((id) => `${id % 2 === 0 ? size - 1 - (id % 7) : id},0`).join('\n')}\n`,
    );
    await json('import', many, '--nodes', `N=${nodes}`, '--edges', `E=${edges}`);
    const all = (await json('degrees', many, '--limit', '0')) as { nodes: unknown[] };
    expect(all.nodes).toHaveLength(size);
    expect((await json('degrees', many, '--limit', '9')) as { nodes: unknown[] }).toEqual({
      nodes: all.nodes.slice(0, 9),
    });
  });
});

describe('verify', () => {
  it('says that a sound database is clean', async () => {
    expect(await json('verify', database)).toEqual({
      path: database,
      clean: true,
      isClean: true,
      depth: 'full',
      complete: true,
      commit: expect.any(Number) as number,
      checkedPages: expect.any(Number) as number,
      checkedNodes: 4,
      checkedEdges: 5,
      headerErrors: 0,
      logErrors: 0,
      checksumFailures: 0,
      structureErrors: 0,
      recordErrors: 0,
      adjacencyErrors: 0,
      indexErrors: 0,
      findingCount: 0,
      findings: [],
      errors: [],
      warnings: [],
      walMissing: false,
      fuzzyCopy: false,
    });
    expect(await text('verify', database)).toMatch(/ is clean: \d+ pages, 4 nodes, 5 edges checked, commit \d+\n$/);
    expect(await json('verify', database, '--checksum-only')).toMatchObject({ clean: true, checkedNodes: 0 });
    expect(await json('verify', database, '--fast')).toMatchObject({ clean: true, depth: 'fast', checkedNodes: 0 });
    expect(await failure('verify', database, '--fast', '--full')).toMatchObject({ error: { code: 'SOMBRA_USAGE' } });
  });

  it('finds a flipped byte in any page that is used, with exit code 2', async () => {
    const damaged = join(folder, 'damaged.db');
    let found = 0;
    for (let page = 2; page < bytes.length / 8192; page += 1) {
      const copy = Buffer.from(bytes);
      copy[page * 8192 + 40]! ^= 0x10;
      writeFileSync(damaged, copy);
      const { code, stdout, stderr } = await sombra(['verify', damaged, '--json']);
      if (code === 0) continue; // a free page
      expect(code).toBe(2);
      if (stdout === '') expect(stderr).toContain('SOMBRA_');
      else expect(JSON.parse(stdout)).toMatchObject({ path: damaged, clean: false });
      found += 1;
    }
    expect(found).toBeGreaterThan(5);
  });

  it('tells people what is wrong and what to do', async () => {
    const damaged = join(folder, 'damaged.db');
    const copy = Buffer.from(bytes);
    copy[lastUsedPage() * 8192 + 40]! ^= 0x10;
    writeFileSync(damaged, copy);
    const { code, stdout, stderr } = await sombra(['verify', damaged]);
    expect([code, stderr]).toEqual([2, '']);
    expect(stdout).toMatch(
      / is damaged: .*\nchecksum failures 1\n\n(damage SOMBRA_.*\n)+\nrestore a backup; without one: sombra repair salvage .*\n$/,
    );
  });
});

/** The last page whose bytes a file like this one needs. */
function lastUsedPage(): number {
  for (let page = bytes.length / 8192 - 1; page > 1; page -= 1) {
    if (bytes.subarray(page * 8192, (page + 1) * 8192).includes('London')) return page;
  }
  throw new Error('no page holds the node');
}

describe('what cannot be opened', () => {
  const broken = join(folder, 'broken.db');

  it('is an error of the path, with exit code 1', async () => {
    expect(await failure('stats', join(folder, 'none.db'))).toMatchObject({
      code: 1,
      error: { code: 'SOMBRA_NOT_FOUND' },
    });
    writeFileSync(broken, 'no database at all, but a text '.repeat(1000));
    expect(await failure('stats', broken)).toMatchObject({ code: 1, error: { code: 'SOMBRA_NOT_A_DATABASE' } });
    writeFileSync(broken, '');
    expect(await failure('stats', broken)).toMatchObject({ code: 1, error: { code: 'SOMBRA_NOT_A_DATABASE' } });
  });

  it('is finished first, when it was left between the creation of the file and of its graph', async () => {
    rmSync(broken, { force: true });
    Pager.open({ vfs: new NodeVfs(), path: broken }).close();
    const { code, stdout } = await sombra(['verify', broken]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('SOMBRA_RECOVERY_REQUIRED')]);
    const stats = await sombra(['stats', broken]);
    expect([stats.code, stats.stderr]).toEqual([0, `${broken} was not closed properly: recovering it\n`]);
    expect(await json('stats', broken)).toMatchObject({ nodes: 0, edges: 0, propertyKeys: [] });
    expect(await text('stats', broken)).toContain('property keys: none');
  });

  it('is damage, with exit code 2, where the file says that it is ours', async () => {
    writeFileSync(broken, bytes);
    truncateSync(broken, 3 * 8192);
    const { code, error } = await failure('stats', broken);
    expect([code, error.code]).toEqual([2, 'SOMBRA_FILE_TRUNCATED']);
  });
});

describe('nodes on the command line', () => {
  it.each<[string, string[], string, string]>([
    ['an id that is none', ['bfs', '99'], 'SOMBRA_NODE_NOT_FOUND', 'there is no node 99'],
    ['node 0', ['bfs', '0'], 'SOMBRA_NODE_NOT_FOUND', 'there is no node 0'],
    ['a property that no node has', ['bfs', 'name=Bob'], 'SOMBRA_NODE_NOT_FOUND', 'there is no node with name=Bob'],
    [
      'a property that two nodes have',
      ['bfs', 'known=true'],
      'SOMBRA_NODE_AMBIGUOUS',
      'more than one node with known=true: 1 (Person:Author), 2 (Person)',
    ],
    [
      'one with another label',
      ['bfs', 'name=Ada', '--label', 'City'],
      'SOMBRA_NODE_NOT_FOUND',
      'no node with label City with name=Ada',
    ],
    ['neither id nor property', ['bfs', 'Ada'], 'SOMBRA_USAGE', '"Ada" names no node'],
    ['none', ['bfs'], 'SOMBRA_USAGE', 'this needs a node'],
    ['one of two', ['path', '1'], 'SOMBRA_USAGE', 'this needs 2 nodes'],
    ['both ways', ['path', '1', '2', '--key', 'name=Ada'], 'SOMBRA_USAGE', 'name each node once'],
    ['a direction that is none', ['bfs', '1', '--direction', 'up'], 'SOMBRA_USAGE', 'It is out, in or both'],
    ['too many', ['bfs', '1', '2'], 'SOMBRA_USAGE', 'too many arguments'],
  ])('%s', async (_name, [command, ...args], code, message) => {
    const { code: exit, error } = await failure(command!, database, ...args);
    expect([exit, error.code]).toEqual([1, code]);
    expect(error.message).toContain(message);
  });

  it('may be named by --key', async () => {
    expect(await json('path', database, '--key', 'name=Ada', '--key', 'name=London')).toMatchObject({ length: 1 });
  });
});

describe('the command itself', () => {
  it('prints help on request, and without a command on stderr', async () => {
    const help = await sombra(['--help']);
    expect([help.code, help.stderr]).toEqual([0, '']);
    for (const name of ['import', 'stats', 'find', 'neighbors', 'bfs', 'path', 'degrees', 'verify']) {
      expect(help.stdout).toContain(`\n  ${name} `);
      expect((await sombra([name, '--help'])).stdout).toContain('--json');
    }
    expect(help.stdout).toContain('Exit codes: 0 done, 1 error, 2 the database is damaged, 130 interrupted.');
    expect(help.stdout).toContain('143 after SIGTERM, 129 after SIGHUP, 141 when the reader of stdout has gone');
    expect(await sombra([])).toEqual({ code: 1, stdout: '', stderr: help.stdout });
  });

  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(await sombra(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('prints an error as text, or as JSON', async () => {
    expect(await sombra(['stat', database])).toEqual({
      code: 1,
      stdout: '',
      stderr:
        "error SOMBRA_USAGE: unknown command 'stat' (Did you mean stats?); sombra --help lists commands and options\n",
    });
    expect(await failure('bfs', database, '99')).toEqual({
      code: 1,
      error: { code: 'SOMBRA_NODE_NOT_FOUND', message: 'there is no node 99: sombra find lists nodes', details: {} },
    });
  });
});

describe('the terminal', () => {
  const ESCAPE = '\u001b[';

  it('gets colours, a file does not', async () => {
    expect((await sombra(['stats', database], true)).stdout).toContain(ESCAPE);
    expect((await sombra(['stats', database])).stdout).not.toContain(ESCAPE);
    expect((await sombra(['stats', database, '--json'], true)).stdout).not.toContain(ESCAPE);
  });

  it('follows NO_COLOR, FORCE_COLOR and TERM, and nothing else', async () => {
    vi.stubEnv('CI', 'true');
    expect((await sombra(['stats', database])).stdout).not.toContain(ESCAPE);
    vi.stubEnv('FORCE_COLOR', '1');
    expect((await sombra(['stats', database])).stdout).toContain(ESCAPE);
    vi.stubEnv('NO_COLOR', '1');
    expect((await sombra(['stats', database], true)).stdout).not.toContain(ESCAPE);
    vi.stubEnv('NO_COLOR', '');
    vi.stubEnv('FORCE_COLOR', '0');
    expect((await sombra(['stats', database], true)).stdout).not.toContain(ESCAPE);
    vi.unstubAllEnvs();
    vi.stubEnv('TERM', 'dumb');
    expect((await sombra(['stats', database], true)).stdout).not.toContain(ESCAPE);
  });

  it('is not steered by what the database holds', async () => {
    const evil = join(folder, 'evil.db');
    const nodes = writeCsv(
      folder,
      'evil.csv',
      'id,k\u001b[2J,:LABEL\n1,"v\u001b]0;x\u0007\r\nw\u009b",L\u001b[31m\n2,"v\u001b]0;x\u0007\r\nw\u009b",L\u001b[31m\n',
    );
    await json('import', evil, '--nodes', nodes);
    const outputs = [
      await sombra(['find', evil]),
      await sombra(['find', evil, '--where', 'id=1']),
      await sombra(['stats', evil]),
      await sombra(['bfs', evil, 'k\u001b[2J=v\u001b]0;x\u0007\r\nw\u009b']),
    ];
    for (const { stdout, stderr } of outputs)
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(outputs.map(({ code }) => code)).toEqual([0, 0, 0, 1]);
  });

  it('cuts properties to its width, a file gets them whole', async () => {
    const wide = join(folder, 'wide.db');
    await json(
      'import',
      wide,
      '--nodes',
      writeCsv(folder, 'wide.csv', `text\n${'a'.repeat(300)}\n${'b'.repeat(300)}\n`),
    );
    expect((await sombra(['find', wide])).stdout).toContain('b'.repeat(300));
    expect((await sombra(['find', wide], true)).stdout).toContain(`${'b'.repeat(54)}…`);
  });
});
