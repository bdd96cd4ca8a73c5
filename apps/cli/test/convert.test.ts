// Goal: records become rows with typed properties and positions of their ends; what does not fit together is refused with
// file and line. Method: small files through the same steps as an import, without a database.
import { describe, expect, it } from 'vitest';
import { readBatches } from '../src/csv/records.ts';
import { Converter } from '../src/import/convert.ts';
import { IdTable } from '../src/import/id-table.ts';
import type { EdgeBatch, NodeBatch } from '../src/import/messages.ts';
import type { ImportOptions } from '../src/import/plan.ts';
import { planImport } from '../src/import/plan.ts';
import { temporaryFolder, writeCsv } from './support/files.ts';

const folder = temporaryFolder();
let files = 0;

function file(content: string): string {
  files += 1;
  return writeCsv(folder, `f${files}.csv`, content);
}

async function convert(options: Partial<ImportOptions>): Promise<(NodeBatch | EdgeBatch)[]> {
  const plan = await planImport({ delimiter: ',', arrayDelimiter: ';', ...options });
  const ids = new IdTable();
  const batches: (NodeBatch | EdgeBatch)[] = [];
  let position = 0;
  for (const [at, filePlan] of plan.files.entries()) {
    const converter = new Converter(plan, at, ids);
    for await (const batch of readBatches(filePlan.file, plan)) {
      const converted =
        filePlan.kind === 'nodes' ? await converter.nodes(batch, position) : await converter.edges(batch);
      if (converted.kind === 'nodes') position += converted.rows.length;
      batches.push(converted);
    }
  }
  return batches;
}

async function problem(options: Partial<ImportOptions>): Promise<{ code: string; message: string; details: unknown }> {
  return await convert(options).then(
    () => {
      throw new Error('no error');
    },
    (error: unknown) => error as never,
  );
}

describe('rows', () => {
  it('have typed properties, labels, and positions over files', async () => {
    const nodes = [
      `Person=${file('id,name,:LABEL,born:int\n7,Ada,Author;Countess,1815\n8,Alan,,\n')}`,
      `City=${file('id:ID,name\nx,London\n')}`,
    ];
    const edges = [`LIVED_IN=${file('from,to,years:int[]\n8,x,1\n7,x,1830;1831\n')}`];
    const [people, cities, lived] = await convert({ nodes, edges });
    expect(people).toEqual({
      kind: 'nodes',
      start: { file: 0, record: 1 },
      records: null,
      keys: ['id', 'name', 'born'],
      labels: ['Person'],
      rowLabels: [['Person', 'Author', 'Countess'], ['Person']],
      rows: [
        ['7', 'Ada', 1815],
        ['8', 'Alan', undefined],
      ],
    });
    expect(cities).toMatchObject({ rowLabels: null, rows: [['x', 'London']] });
    expect(lived).toEqual({
      kind: 'edges',
      start: { file: 2, record: 1 },
      records: null,
      keys: ['years'],
      type: 'LIVED_IN',
      rowTypes: null,
      sources: Float64Array.of(1, 0),
      targets: Float64Array.of(2, 2),
      rows: [[[1]], [[1830, 1831]]],
    });
  });

  it('keep groups of ids apart', async () => {
    const nodes = [`Person(P)=${file('id\n1\n2\n')}`, `City(C)=${file('id\n1\n')}`];
    const edges = [`IN(P,C)=${file('from,to\n2,1\n')}`, `LIKES=${file(':START_ID(C),:END_ID(P)\n1,1\n')}`];
    const [, , lives, likes] = (await convert({ nodes, edges })) as EdgeBatch[];
    expect([...lives!.sources, ...lives!.targets]).toEqual([1, 2]);
    expect([...likes!.sources, ...likes!.targets]).toEqual([2, 0]);
  });

  it('take the type of an edge from its column, or else from the file', async () => {
    const nodes = [file('id\n1\n')];
    const edges = [`ELSE=${file(':START_ID,:END_ID,:TYPE\n1,1,A\n1,1,\n')}`];
    expect(((await convert({ nodes, edges }))[1] as EdgeBatch).rowTypes).toEqual(['A', 'ELSE']);
  });

  it('count on over batches', async () => {
    const ids = Array.from({ length: 2500 }, (_, i) => `n${i}`);
    const nodes = [file(`id\n${ids.join('\n')}\n`)];
    const edges = [`T=${file(`from,to\n${ids.map((id, i) => `${id},n${2499 - i}`).join('\n')}\n`)}`];
    const batches = (await convert({ nodes, edges })).filter((batch) => batch.kind === 'edges');
    expect(batches.flatMap(({ sources }) => [...sources])).toEqual(ids.map((_, i) => i));
    expect(batches.flatMap(({ targets }) => [...targets])).toEqual(ids.map((_, i) => 2499 - i));
  });
});

describe('refused', () => {
  const one = 'id\n1\n';
  it.each([
    ['a bad number', ['id,n:int\n1,2\n2,x\n'], [], 'SOMBRA_CSV_CELL', 3, 'column n: "x" is not an integer'],
    ['a bad cell after a quoted line end', ['id,n:int\n"1\n1",2\n2,x\n'], [], 'SOMBRA_CSV_CELL', 4, 'column n'],
    ['a duplicate id', ['id\n1\n2\n\n1\n'], [], 'SOMBRA_IMPORT_DUPLICATE_ID', 5, 'the id "1" was used before'],
    ['a duplicate id over files', [one, one], [], 'SOMBRA_IMPORT_DUPLICATE_ID', 2, 'the id "1" was used before'],
    ['an empty id', ['id,n\n,5\n'], [], 'SOMBRA_CSV_CELL', 2, 'the id is empty'],
    ['a cell too few', ['id,n\n1,2\n3\n'], [], 'SOMBRA_CSV_SYNTAX', 3, '1 cells instead of 2'],
    ['a cell too many', ['id,n\n1,2,3\n'], [], 'SOMBRA_CSV_SYNTAX', 2, '3 cells instead of 2'],
    [
      'a start that is nowhere',
      [one],
      ['from,to\n1,1\n9,1\n'],
      'SOMBRA_IMPORT_DANGLING_EDGE',
      3,
      'the edge begins at "9"',
    ],
    ['an end that is nowhere', [one], ['from,to\n1,\n'], 'SOMBRA_IMPORT_DANGLING_EDGE', 2, 'the edge ends at ""'],
    [
      'an end in another group',
      [one],
      [':START_ID,:END_ID(G)\n1,1\n'],
      'SOMBRA_IMPORT_DANGLING_EDGE',
      2,
      'of no node of group "G"',
    ],
  ])('%s', async (_name, nodes, edges, code, line, message) => {
    const error = await problem({ nodes: nodes.map(file), edges: edges.map((text) => `T=${file(text)}`) });
    expect(error.code).toBe(code);
    expect(error.message).toContain(`.csv:${line}: `);
    expect(error.message).toContain(message);
    expect(error.details).toMatchObject({ line });
  });

  it('an edge without any type', async () => {
    const error = await problem({ nodes: [file(one)], edges: [file(':START_ID,:END_ID,:TYPE\n1,1,\n')] });
    expect(error.message).toContain(':2: the edge has no type');
  });
});
