// Goal: an export reads back as the same graph, shows one commit, and leaves whole files or none. Method: random graphs with
// every kind of value there and back through both formats, and small examples by the built command.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { GraphDB } from '@sombra/db';
import { anyGraph, contentOf, randomRuns, writeGraph } from './support/arbitrary.ts';
import { BIN, failure, json, sombra, start } from './support/cli.ts';
import { temporaryFolder } from './support/files.ts';
import { importSocial } from './support/social.ts';

const folder = temporaryFolder();
const social = join(folder, 'social.db');
beforeAll(() => importSocial(folder, social));

let number = 0;
/** A place that nothing is at. */
function fresh(ending = ''): string {
  number += 1;
  return join(folder, `place${number}${ending}`);
}

function withDatabase<T>(path: string, work: (db: GraphDB) => T): T {
  const db = GraphDB.open(path);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

/** The files of a CSV export as arguments of an import. */
function csvArguments(exported: string): string[] {
  const names = readdirSync(exported).map((name) => join(exported, name));
  const of = (kind: string): string[] => names.filter((name) => name.includes(`/${kind}`));
  return [
    ...(of('nodes').length === 0 ? [] : ['--nodes', ...of('nodes')]),
    ...(of('edges').length === 0 ? [] : ['--edges', ...of('edges')]),
  ];
}

/** Do shells take this name for one that a pattern means? */
function isMeant(name: string, pattern: string): boolean {
  return new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(name);
}

it('the patterns of the example in the help name every file that an export may write', async () => {
  const { stdout } = await sombra(['export', '--help']);
  const [, nodePattern, edgePattern] = /--nodes air-csv\/(\S+) --edges air-csv\/(\S+)/.exec(stdout)!;
  const original = fresh('.db');
  withDatabase(original, (db) => {
    const [plain, both] = [db.addNode([]), db.addNode(['A', 'B'])];
    db.addNode('A');
    db.addEdge(plain, both, 'T');
    db.addEdge(both, plain, 'U');
  });
  const files = fresh();
  await json('export', original, '--to', files, '--format', 'csv');
  const names = readdirSync(files);
  expect(names).toContain('nodes.csv');
  const meant = (pattern: string): string[] =>
    names.filter((name) => isMeant(name, pattern)).map((name) => join(files, name));
  expect([...meant(nodePattern!), ...meant(edgePattern!)].length).toBe(names.length);
  const copy = fresh('.db');
  await json('import', copy, '--nodes', ...meant(nodePattern!), '--edges', ...meant(edgePattern!));
  withDatabase(copy, (db) => {
    expect([db.nodeCount(), db.edgeCount(), db.countNodes({ label: 'A' }), db.countNodes({ label: 'B' })]).toEqual([
      3, 2, 2, 1,
    ]);
    expect([db.edgeCount('T'), db.edgeCount('U')]).toEqual([1, 1]);
  });
});

describe('export and import', () => {
  it('are the identity up to ids, for graphs of every kind', async () => {
    await fc.assert(
      fc.asyncProperty(anyGraph, fc.boolean(), async (graph, gzip) => {
        const original = fresh('.db');
        const content = withDatabase(original, (db) => {
          writeGraph(db, graph);
          return contentOf(db);
        });
        const lines = fresh(gzip ? '.jsonl.gz' : '.jsonl');
        await json('export', original, '--to', lines);
        const fromLines = fresh('.db');
        await json('import', fromLines, '--jsonl', lines);
        expect(isDeepStrictEqual(withDatabase(fromLines, contentOf), content)).toBe(true);
        if (graph.nodes.length === 0) return;
        const tables = fresh();
        await json('export', original, '--to', tables, ...(gzip ? ['--gzip'] : []));
        const fromTables = fresh('.db');
        await json('import', fromTables, ...csvArguments(tables));
        expect(isDeepStrictEqual(withDatabase(fromTables, contentOf), content)).toBe(true);
        for (const path of [original, lines, fromLines, tables, fromTables]) rmSync(path, { recursive: true });
      }),
      { ...randomRuns(7, 8), endOnFailure: true },
    );
  });

  it('keep ids as a property', async () => {
    const lines = fresh('.jsonl');
    writeFileSync(lines, '{"node":70,"labels":["A"]}\n{"node":"x","properties":{"a":1}}\n');
    const database = fresh('.db');
    await json('import', database, '--jsonl', lines, '--id-property', 'old');
    expect(withDatabase(database, (db) => [...db.nodes()])).toEqual([
      { id: 1, labels: ['A'], properties: { old: 70 } },
      { id: 2, labels: [], properties: { old: 'x', a: 1 } },
    ]);
    const tables = fresh();
    await json('export', social, '--to', tables);
    const copy = fresh('.db');
    await json('import', copy, ...csvArguments(tables), '--id-property', 'old:int');
    expect(withDatabase(copy, (db) => db.findNodes({ label: 'City', where: {} }).all())).toMatchObject([
      { properties: { old: 4, name: 'London' } },
    ]);
  });
});

describe('csv', () => {
  it('has a file for each set of labels and each type, and headers with types', async () => {
    const to = fresh();
    expect(await json('export', social, '--to', to)).toEqual({
      path: social,
      to,
      format: 'csv',
      nodes: 4,
      edges: 5,
      files: [
        { file: join(to, 'nodes-Person+Author.csv'), kind: 'nodes', rows: 1 },
        { file: join(to, 'nodes-Person.csv'), kind: 'nodes', rows: 1 },
        { file: join(to, 'nodes-Person+Author+Translator.csv'), kind: 'nodes', rows: 1 },
        { file: join(to, 'nodes-City.csv'), kind: 'nodes', rows: 1 },
        { file: join(to, 'edges-KNOWS.csv'), kind: 'edges', rows: 2 },
        { file: join(to, 'edges-TAUGHT.csv'), kind: 'edges', rows: 1 },
        { file: join(to, 'edges-LIVES_IN.csv'), kind: 'edges', rows: 2 },
      ],
      elapsedMs: expect.any(Number) as number,
    });
    expect(readFileSync(join(to, 'nodes-Person+Author.csv'), 'utf8')).toBe(
      ':ID(Node),:LABEL,id:string,name:string,born:datetime,height:float,known:boolean,tags:string[]\n' +
        '1,Person;Author,p1,Ada,1815-12-10T00:00:00.000Z,1.65,true,math;poetry\n',
    );
    expect(readFileSync(join(to, 'edges-KNOWS.csv'), 'utf8')).toBe(
      ':START_ID(Node),:END_ID(Node),:TYPE,since:int\n1,2,KNOWS,1833\n1,1,KNOWS,\n',
    );
    expect(readdirSync(to)).toHaveLength(7);
  });

  it('gives labels that look alike files of their own', async () => {
    const database = fresh('.db');
    withDatabase(database, (db) =>
      db.transaction((tx) => ['a/b', 'a_b', 'A_B', '../x'].map((label) => tx.addNode(label))),
    );
    const to = fresh();
    await json('export', database, '--to', to);
    expect(readdirSync(to).sort()).toEqual(['nodes-A_B-3.csv', 'nodes-___x.csv', 'nodes-a_b-2.csv', 'nodes-a_b.csv']);
  });
});

describe('jsonl', () => {
  it('goes to stdout, and from there into an import', async () => {
    const { code, stdout, stderr } = await sombra([
      'export',
      social,
      '--to',
      '-',
      '--label',
      'City',
      '--properties',
      'people',
    ]);
    expect([code, stderr, stdout]).toEqual([
      0,
      '',
      '{"node":4,"labels":["City"],"properties":{"people":{"$integer":"9007199254740993"}}}\n',
    ]);
    const copy = fresh('.db');
    const command = `"${process.execPath}" "${BIN}"`;
    const piped = spawnSync('sh', [
      '-c',
      `${command} export "${social}" --to - | gzip | ${command} import "${copy}" --jsonl - --json`,
    ]);
    expect(piped.stderr.toString()).toBe('');
    expect(JSON.parse(piped.stdout.toString())).toMatchObject({
      nodes: 4,
      edges: 5,
      files: [
        { file: 'stdin', kind: 'nodes', rows: 4 },
        { file: 'stdin', kind: 'edges', rows: 5 },
      ],
    });
  });

  it('is packed when the name says so', async () => {
    const to = fresh('.jsonl.gz');
    await json('export', social, '--to', to, '--type', 'TAUGHT');
    const lines = gunzipSync(readFileSync(to)).toString().trimEnd().split('\n');
    expect(lines.at(-1)).toBe('{"edge":2,"type":"TAUGHT","source":3,"target":1,"properties":{"since":1834}}');
    expect(lines).toHaveLength(5);
  });

  it('has edges between nodes that are exported only', async () => {
    const { stdout } = await sombra([
      'export',
      social,
      '--to',
      '-',
      '--label',
      'Author',
      '--label',
      'City',
      '--properties',
      'x',
    ]);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => Object.values(JSON.parse(line) as object)[0]),
    ).toEqual([1, 3, 4, 2, 3, 4]);
  });
});

describe('what is there already', () => {
  it('is not replaced, and nothing is left behind', async () => {
    const to = fresh();
    mkdirSync(to);
    writeFileSync(join(to, 'edges-KNOWS.csv'), 'mine');
    const { code, error } = await failure('export', social, '--to', to);
    expect([code, error.code]).toEqual([1, 'SOMBRA_EXPORT_EXISTS']);
    expect(readdirSync(to)).toEqual(['edges-KNOWS.csv']);
    expect(readFileSync(join(to, 'edges-KNOWS.csv'), 'utf8')).toBe('mine');
    await json('export', social, '--to', to, '--force');
    expect(readFileSync(join(to, 'edges-KNOWS.csv'), 'utf8')).toMatch(/^:START_ID/);
  });

  it('is told apart from what cannot be written', async () => {
    const file = fresh();
    writeFileSync(file, '');
    const { code, error } = await failure('export', social, '--to', join(file, 'below', 'graph.jsonl'));
    expect([code, error.code]).toEqual([1, 'SOMBRA_EXPORT_FILE']);
  });

  it.each<[string, string[]]>([
    ['csv to stdout', ['--to', '-', '--format', 'csv']],
    ['two documents on stdout', ['--to', '-']],
    ['a format that is none', ['--to', 'x', '--format', 'xml']],
    ['no place', []],
  ])('is a usage error: %s', async (_name, args) => {
    expect((await failure('export', social, ...args)).error.code).toBe('SOMBRA_USAGE');
  });
});

describe('beside a writer', () => {
  it('shows one commit', async () => {
    const database = fresh('.db');
    const db = GraphDB.open(database);
    try {
      db.transaction((tx) => {
        for (let i = 0; i < 20_000; i += 1) tx.addNode('N', { i, commit: 0 });
      });
      const to = fresh('.jsonl');
      const running = start(['export', database, '--to', to, '--json'], { SOMBRA_VERIFY: '0' });
      // One commit changes all nodes: an export of two commits would show both values.
      for (let commit = 1; running.process.exitCode === null; commit += 1) {
        db.transaction((tx) => {
          for (let id = 1; id <= 20_000; id += 500) tx.setNodeProperty(id, 'commit', commit);
        });
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      expect((await running.outcome).code).toBe(0);
      const lines = readFileSync(to, 'utf8').trimEnd().split('\n');
      expect(lines).toHaveLength(20_000);
      const seen = new Set(
        lines
          .map((line) => JSON.parse(line) as { node: number; properties: { commit: number } })
          .filter(({ node }) => node % 500 === 1)
          .map(({ properties }) => properties.commit),
      );
      expect(seen.size).toBe(1);
    } finally {
      db.close();
    }
  });
});

describe('an interrupt', () => {
  it('130: leaves no file', async () => {
    const database = fresh('.db');
    withDatabase(database, (db) =>
      db.bulkLoad({
        nodes: Array.from({ length: 200_000 }, (_, i) => ({ labels: 'N', properties: { i } })),
        edges: [],
      }),
    );
    const to = fresh();
    const running = start(['export', database, '--to', to]);
    while (running.process.exitCode === null && (!existsSync(to) || readdirSync(to).length === 0))
      await new Promise((resolve) => setTimeout(resolve, 5));
    running.process.kill('SIGINT');
    const { code, stdout, stderr } = await running.outcome;
    expect([code, stdout, stderr]).toEqual([130, '', 'interrupted: no file was written\n']);
    expect(existsSync(to)).toBe(false);
    expect(await json('verify', database)).toMatchObject({ clean: true, checkedNodes: 200_000 });
  });
});
