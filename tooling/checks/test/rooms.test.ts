// Goal: within a package an import goes down only, and no file reaches itself. Method: the import graph of all sources (type imports,
// dynamic imports and worker files count as well) is drawn and compared with the list of rooms in layers.js, from which lint takes its
// rules.
import { ESLint } from 'eslint';
import { describe, expect, it } from 'vitest';
import { LAYERS, ROOMS } from '../layers.js';
import { ROOT } from './repository.ts';
import { circles, roomOf, sourceGraph, upwardImports, type SourceGraph } from './source-graph.ts';

describe('the graph of imports', () => {
  it('finds circles, one file that imports itself included', () => {
    const graph: SourceGraph = new Map([
      ['a.ts', ['b.ts']],
      ['b.ts', ['c.ts', 'd.ts']],
      ['c.ts', ['a.ts']],
      ['d.ts', ['d.ts']],
      ['e.ts', ['a.ts']],
    ]);
    expect(circles(graph)).toEqual([['d.ts'], ['a.ts', 'b.ts', 'c.ts']]);
  });

  it('finds imports that go up', () => {
    const graph: SourceGraph = new Map([
      ['low/a.ts', ['high/b.ts', 'low/c.ts', 'top.ts', 'loose.ts']],
      ['high/b.ts', ['low/a.ts']],
    ]);
    expect(upwardImports(graph, ['low', '.', 'high', 'top.ts'])).toEqual([
      'low/a.ts -> high/b.ts',
      'low/a.ts -> top.ts',
      'low/a.ts -> loose.ts',
    ]);
  });
});

describe.each(Object.keys(LAYERS))('%s', (folder) => {
  const rooms = ROOMS[folder] ?? [];
  const graph = sourceGraph(folder);

  it('has its rooms in the list, one level deep', () => {
    expect(graph.size).toBeGreaterThan(0);
    const found = new Set([...graph.keys()].map((file) => roomOf(file, rooms)));
    expect([...found].sort()).toEqual([...rooms].sort());
    expect([...graph.keys()].filter((file) => file.split('/').length > 2)).toEqual([]);
  });

  it('imports files that exist', () => {
    const missing = [...graph].flatMap(([file, targets]) =>
      targets.filter((target) => !graph.has(target)).map((target) => `${file} -> ${target}`),
    );
    expect(missing.filter((line) => !line.endsWith('package.json'))).toEqual([]);
  });

  it('imports downward only', () => {
    const found = upwardImports(graph, rooms);
    expect(found).toEqual([]);
  });

  it('has no circle of files', () => {
    const found = circles(graph);
    expect(found).toEqual([]);
  });
});

it('is what lint refuses as well', async () => {
  const eslint = new ESLint({ cwd: ROOT });
  const refused = async (file: string, target: string): Promise<boolean> => {
    const [result] = await eslint.lintText(`import '${target}';\n`, { filePath: `${ROOT}${file}` });
    return result!.messages.some(({ ruleId }) => ruleId === 'no-restricted-imports');
  };
  expect(await refused('packages/btree/src/page/page.ts', '../tree/tree.ts')).toBe(true);
  expect(await refused('packages/btree/src/page/page.ts', '../index.ts')).toBe(true);
  expect(await refused('packages/btree/src/page/page.ts', './keys.ts')).toBe(false);
  expect(await refused('packages/btree/src/key-value/key-value-tree.ts', '../tree/tree.ts')).toBe(false);
  expect(await refused('packages/btree/src/page/page.ts', '@sombra/graph')).toBe(true);
  expect(await refused('packages/btree/src/page/page.ts', 'node:fs')).toBe(true);
  for (const [folder, rooms] of Object.entries(ROOMS)) {
    const lowest = rooms.find((room) => !room.endsWith('.ts'))!;
    const highest = rooms.findLast((room) => room !== '.')!;
    const file = lowest === '.' ? 'some.ts' : `${lowest}/some.ts`;
    const target = `${lowest === '.' ? './' : '../'}${highest.endsWith('.ts') ? highest : `${highest}/other.ts`}`;
    expect(await refused(`${folder}/src/${file}`, target), `${folder}: ${file} imports ${target}`).toBe(true);
  }
});
