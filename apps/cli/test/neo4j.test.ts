// Goal: files of neo4j-admin are read as they are meant, and an export in that format reads back as the same graph or is refused. Method:
// random graphs of what the format holds there and back, headers as Neo4j's manual has them, and one graph for each thing it cannot hold.
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphDB } from '@sombra/db';
import type { PropertyValue } from '@sombra/db';
import { contentOf, randomRuns, writeGraph } from './support/arbitrary.ts';
import { failure, json } from './support/cli.ts';
import { temporaryFolder, writeCsv } from './support/files.ts';

const folder = temporaryFolder();
let number = 0;
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

function filesOf(exported: string): string[] {
  const names = readdirSync(exported).map((name) => join(exported, name));
  const [nodes, edges] = ['nodes', 'edges'].map((kind) => names.filter((name) => name.includes(`/${kind}`)));
  return [
    ...(nodes!.length === 0 ? [] : ['--nodes', ...nodes!]),
    ...(edges!.length === 0 ? [] : ['--edges', ...edges!]),
  ];
}

const text = fc.string({ unit: fc.constantFrom(...'":,\\\'{}[]$#()=|\n\r\t \u00a0\ufeff\u0000a1é😀'), maxLength: 6 });
const listable = text.filter((one) => one !== '');
const day = fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-30') });
const float = fc.oneof(fc.double(), fc.constantFrom(-0, NaN, Infinity, -Infinity, 2 ** 60, 5e-324));
const value: fc.Arbitrary<PropertyValue> = fc.oneof(
  text,
  fc.boolean(),
  fc.integer(),
  float,
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  day,
  fc.array(listable, { maxLength: 3 }),
  fc.constant<PropertyValue>(['', 'a']),
  fc.constant<PropertyValue>([]),
  fc.array(fc.boolean(), { maxLength: 3 }),
  fc.array(fc.maxSafeInteger(), { maxLength: 3 }),
  fc.array(fc.double(), { maxLength: 3 }),
  fc.array(day, { maxLength: 2 }),
);
const properties = fc.dictionary(fc.constantFrom('a', 'b', 'c d', '$e', '__proto__x'), value, { maxKeys: 3 });
const name = text.filter((one) => one !== '');
const label = name.filter((one) => !one.includes(';'));
const graphs = fc
  .record({
    nodes: fc.array(
      fc.record({ labels: fc.uniqueArray(fc.oneof(fc.constantFrom('A', 'B'), label), { maxLength: 3 }), properties }),
      {
        maxLength: 20,
      },
    ),
    edges: fc.array(
      fc.record({ source: fc.nat(), target: fc.nat(), type: fc.oneof(fc.constantFrom('E', 'F'), name), properties }),
      { maxLength: 20 },
    ),
  })
  .map(({ nodes, edges }) => ({ nodes, edges: nodes.length === 0 ? [] : edges }));

describe('export and import', () => {
  it('are the identity up to ids', async () => {
    let files = 0;
    await fc.assert(
      fc.asyncProperty(graphs, async (graph) => {
        const original = fresh('.db');
        const content = withDatabase(original, (db) => {
          writeGraph(db, graph);
          return contentOf(db);
        });
        const to = fresh();
        await json('export', original, '--to', to, '--format', 'neo4j');
        if (graph.nodes.length === 0) return;
        files += readdirSync(to).length;
        const copy = fresh('.db');
        await json('import', copy, '--quoted-empty', ...filesOf(to));
        expect(isDeepStrictEqual(withDatabase(copy, contentOf), content)).toBe(true);
        for (const path of [original, to, copy]) rmSync(path, { recursive: true });
      }),
      { ...randomRuns(11, 12), endOnFailure: true },
    );
    expect(files).toBeGreaterThan(20);
  });

  it('put values of several kinds into several files', async () => {
    const original = fresh('.db');
    withDatabase(original, (db) =>
      db.transaction((tx) => {
        for (const v of [1, 'x', 1.5, ['a', 'b'], '', []]) tx.addNode(['A', 'B'], { v });
        tx.addEdge(1, 2, 'T', { w: true });
      }),
    );
    const to = fresh();
    await json('export', original, '--to', to, '--format', 'neo4j');
    const files = Object.fromEntries(readdirSync(to).map((file) => [file, readFileSync(join(to, file), 'utf8')]));
    expect(files).toEqual({
      'nodes-A+B.csv': ':ID(Node),:LABEL,v:double\n1,A;B,1\n3,A;B,1.5\n',
      'nodes-A+B-2.csv': ':ID(Node),:LABEL,v:string\n2,A;B,x\n5,A;B,""\n',
      'nodes-A+B-3.csv': ':ID(Node),:LABEL,v:string[]\n4,A;B,a;b\n6,A;B,""\n',
      'edges-T.csv': ':START_ID(Node),:END_ID(Node),:TYPE,w:boolean\n1,2,T,true\n',
    });
  });
});

describe('what the files cannot hold', () => {
  it.each<[string, string[], Record<string, PropertyValue>]>([
    ['bytes', ['A'], { v: new Uint8Array([1]) }],
    ['a map', ['A'], { v: { a: 1 } }],
    ['a list of several kinds', ['A'], { v: [1, 'a'] }],
    ['a list in a list', ['A'], { v: [[1]] }],
    ['a delimiter in a list', ['A'], { v: ['a;b'] }],
    ['a list with only an empty text', ['A'], { v: [''] }],
    ['a delimiter in a label', ['A;B'], {}],
    ['a key with a colon', ['A'], { 'a:b': 1 }],
    ['a date of six digits', ['A'], { v: new Date('+010000-01-01T00:00:00.000Z') }],
  ])('is refused, and nothing is written: %s', async (_name, labels, own) => {
    const database = fresh('.db');
    withDatabase(database, (db) => {
      db.addNode(['Other'], {});
      db.addNode(labels, own);
    });
    const to = fresh();
    const { code, error } = await failure('export', database, '--to', to, '--format', 'neo4j');
    expect([code, error.code]).toEqual([1, 'SOMBRA_EXPORT_VALUE']);
    expect(error.message).toMatch(/^node 2: .*: leave it out by --properties, or export as csv or jsonl$/);
    expect(readdirSync(folder)).not.toContain(to.slice(folder.length + 1));
  });
});

describe('headers', () => {
  const edges = writeCsv(
    folder,
    'edges.csv',
    ':START_ID(M),roles:string[],:END_ID(P),:TYPE\nm1,"Neo|""The One""",7,ACTED\n',
  );
  const movies = writeCsv(
    folder,
    'movies.csv',
    'movieId:ID(M),title,year:int,big:long,short:short,score:double,old:boolean,note:IGNORE,:IGNORE,:LABEL\n' +
      'm1,"The ""Matrix""",1999,9007199254740993,7,8.5,true,no,no,Movie|Classic\n' +
      'm2,"",,,,,,,,\n',
  );

  it('are read as the manual has them', async () => {
    const persons = writeCsv(
      folder,
      'persons.csv',
      'id:ID(P){id-type:long},at:duration,where:point,:LABEL\n7,P1Y,"{x:1}",Person\n',
    );
    const database = fresh('.db');
    const args = ['--nodes', movies, persons, '--edges', edges, '--array-delimiter', '|', '--quoted-empty'];
    await json('import', database, ...args, '--columns', 'at:string,where:ignore');
    withDatabase(database, (db) => {
      expect([...db.nodes()]).toEqual([
        {
          id: 1,
          labels: ['Movie', 'Classic'],
          properties: {
            movieId: 'm1',
            title: 'The "Matrix"',
            year: 1999,
            big: 9007199254740993n,
            short: 7,
            score: 8.5,
            old: true,
          },
        },
        { id: 2, labels: [], properties: { movieId: 'm2', title: '' } },
        { id: 3, labels: ['Person'], properties: { id: 7, at: 'P1Y' } },
      ]);
      expect([...db.edges()]).toEqual([
        { id: 1, source: 1, target: 3, type: 'ACTED', properties: { roles: ['Neo', '"The One"'] } },
      ]);
    });
  });

  it('without --quoted-empty an empty cell is an absent value, quoted or not', async () => {
    const database = fresh('.db');
    await json('import', database, '--nodes', movies, '--array-delimiter', '|');
    expect(withDatabase(database, (db) => db.getNode(2)!.properties)).toEqual({ movieId: 'm2' });
  });

  it.each<[string, string, string]>([
    ['a duration', 'id:ID,at:duration\n1,P1Y\n', '--columns at:string'],
    ['a list of times', 'id:ID,at:localtime[]\n1,12:00\n', '--columns at:string'],
    ['options of a property', 'id:ID,at:datetime{timezone:+01:00}\n1,\n', 'only {id-type:…}'],
    ['an option of an id', 'id:ID(P){label:Person}\n1\n', 'only {id-type:…}'],
    ['braces that do not end', 'id:ID(P){id-type:long\n1\n', 'cannot be read'],
  ])('are refused: %s', async (_name, content, advice) => {
    const file = writeCsv(folder, `refused${(number += 1)}.csv`, content);
    const { code, error } = await failure('import', fresh('.db'), '--nodes', file);
    expect([code, error.code]).toEqual([1, 'SOMBRA_CSV_HEADER']);
    expect(error.message.startsWith(`${file}:1: `)).toBe(true);
    expect(error.message).toContain(advice);
  });

  it('an edge whose id is of another group is refused with its line', async () => {
    const persons = writeCsv(folder, 'others.csv', 'id:ID(P)\nm1\n');
    const { error } = await failure('import', fresh('.db'), '--nodes', persons, '--edges', edges);
    expect(error.code).toBe('SOMBRA_IMPORT_DANGLING_EDGE');
    expect(error.message.startsWith(`${edges}:2: `)).toBe(true);
  });
});
