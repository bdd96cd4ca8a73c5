// Goal: the command line and the headers together say what is imported, before anything is written. Method: tables of
// arguments; small files.
import { describe, expect, it } from 'vitest';
import { parseEdgeSpec, parseNodeSpec } from '../src/import/file-spec.ts';
import type { ImportOptions } from '../src/import/plan.ts';
import { planImport } from '../src/import/plan.ts';
import { temporaryFolder, writeCsv } from './support/files.ts';

const folder = temporaryFolder();
const people = writeCsv(folder, 'people.csv', 'id,name,born\n1,Ada,1815\n');
const knows = writeCsv(folder, 'knows.csv.gz', 'from,to,since\n1,1,1836\n');
const typed = writeCsv(folder, 'typed.csv', ':START_ID,:END_ID,:TYPE\n1,1,KNOWS\n');
const defaults = { delimiter: ',', arrayDelimiter: ';' };

describe('arguments', () => {
  it.each([
    ['people.csv', [], [], 'people.csv'],
    ['Person=people.csv', ['Person'], [], 'people.csv'],
    ['Person:Author=a=b.csv', ['Person', 'Author'], [], 'a=b.csv'],
    ['Person(P)=people.csv', ['Person'], ['P'], 'people.csv'],
    ['(P)=people.csv', [], ['P'], 'people.csv'],
    ['./a=b.csv', [], [], './a=b.csv'],
    ['folder/a=b.csv', [], [], 'folder/a=b.csv'],
    ['Ort=C:\\data\\o.csv', ['Ort'], [], 'C:\\data\\o.csv'],
  ])('--nodes %s', (text, names, groups, path) => expect(parseNodeSpec(text)).toEqual({ names, groups, path }));

  it('--edges with groups', () => {
    expect(parseEdgeSpec('KNOWS(P, Q)=k.csv')).toEqual({ names: ['KNOWS'], groups: ['P', 'Q'], path: 'k.csv' });
  });

  it.each([
    [parseNodeSpec, 'A(P,Q)=x'],
    [parseNodeSpec, 'A::B=x'],
    [parseEdgeSpec, 'A:B=x'],
    [parseEdgeSpec, 'A(P)=x'],
    [parseEdgeSpec, 'A(P,Q,R)=x'],
  ])('%s refuses %s', (parse, text) =>
    expect(() => parse(text)).toThrowError(expect.objectContaining({ code: 'SOMBRA_USAGE' })),
  );
});

describe('plan', () => {
  it('puts nodes before edges and knows types, labels and sizes', async () => {
    const plan = await planImport({
      ...defaults,
      edges: [`KNOWS=${knows}`],
      nodes: [people],
      label: 'Person:Author',
      columns: 'born:int,since:int',
    });
    expect(plan.files.map(({ kind, labels, type }) => ({ kind, labels, type }))).toEqual([
      { kind: 'nodes', labels: ['Person', 'Author'], type: null },
      { kind: 'edges', labels: [], type: 'KNOWS' },
    ]);
    expect(plan.files[0]!.columns[2]).toMatchObject({ name: 'born', type: { scalar: 'int' } });
    expect(plan.bytes).toBe(plan.files[0]!.file.size + plan.files[1]!.file.size);
  });

  it('needs no --type where a column has it', async () => {
    const plan = await planImport({ ...defaults, edges: [typed] });
    expect(plan.files[0]!.type).toBeNull();
  });

  it.each<[string, Partial<ImportOptions>, string, string]>([
    ['no file', {}, 'SOMBRA_USAGE', 'nothing to import'],
    ['a missing file', { nodes: ['none.csv'] }, 'SOMBRA_IMPORT_FILE', 'none.csv: there is no such file'],
    ['edges without a type', { edges: [knows] }, 'SOMBRA_CSV_HEADER', 'no column is :TYPE'],
    [
      'a type for no column',
      { nodes: [people], columns: 'age:int' },
      'SOMBRA_USAGE',
      '"age", which is a column of no file',
    ],
    ['an unknown type', { nodes: [people], columns: 'born:number' }, 'SOMBRA_USAGE', 'cannot be read'],
    ['no type', { nodes: [people], columns: 'born' }, 'SOMBRA_USAGE', 'cannot be read'],
    ['a long delimiter', { nodes: [people], delimiter: '||' }, 'SOMBRA_USAGE', '--delimiter'],
    ['a quote as delimiter', { nodes: [people], delimiter: '"' }, 'SOMBRA_USAGE', '--delimiter'],
  ])('refuses %s', async (_name, options, code, message) => {
    const error = (await planImport({ ...defaults, ...options }).catch((caught: unknown) => caught)) as {
      code: string;
      message: string;
    };
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  it('refuses an empty file', async () => {
    const empty = writeCsv(folder, 'empty.csv', '');
    await expect(planImport({ ...defaults, nodes: [empty] })).rejects.toMatchObject({ code: 'SOMBRA_CSV_HEADER' });
  });
});
