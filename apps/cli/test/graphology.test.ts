// Goal: the JSON object of graphology goes both ways, as the package itself reads and writes it. Method: random graphs of every kind there and
// back, also through a graph of the real package; the splitter against JSON.parse on texts cut anywhere; files that are wrong.
import { readFileSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { MultiDirectedGraph } from 'graphology';
import { describe, expect, it } from 'vitest';
import type { JsonPart } from '../src/graphology/json-splitter.ts';
import { JsonSplitter } from '../src/graphology/json-splitter.ts';
import { contentOf, randomRuns } from './support/arbitrary.ts';
import { failure, json } from './support/cli.ts';
import { temporaryFolder } from './support/files.ts';
import { Places, thereAndBack, withDatabase } from './support/graph-files.ts';
import { importSocial } from './support/social.ts';

const folder = temporaryFolder();
const places = new Places(folder);

describe('export and import', () => {
  it('are the identity up to ids, for graphs of every kind', () => thereAndBack(places, 'graphology', 10, false));

  it('are so by way of graphology', async () => {
    const database = places.fresh('.db');
    await importSocial(folder, database);
    withDatabase(database, (db) => {
      for (const { id } of db.nodes()) db.setNodeProperty(id, 'nr', id);
      for (const { id } of db.edges()) db.setEdgeProperty(id, 'nr', id);
    });
    const to = places.fresh('.json');
    expect(await json('export', database, '--to', to, '--format', 'graphology')).toMatchObject({
      format: 'graphology',
      nodes: 4,
      edges: 5,
    });
    const graph = MultiDirectedGraph.from(JSON.parse(readFileSync(to, 'utf8')) as never);
    expect([graph.order, graph.size, graph.outDegree('1'), graph.selfLoopCount]).toEqual([4, 5, 3, 1]);
    expect(graph.getNodeAttribute('1', 'name')).toBe('Ada');
    expect(graph.getNodeAttribute('1', '@labels')).toEqual(['Person', 'Author']);
    expect(graph.getEdgeAttributes('2')).toEqual({ '@type': 'TAUGHT', since: 1834, nr: 2 });
    const again = places.fresh('.json');
    writeFileSync(again, JSON.stringify(graph.export(), null, 2));
    const copy = places.fresh('.db');
    await json('import', copy, '--graphology', again);
    expect(withDatabase(copy, contentOf)).toEqual(withDatabase(database, contentOf));
  });

  it('refuse a property that has the name of the labels', async () => {
    const database = places.fresh('.db');
    withDatabase(database, (db) => db.addNode('A', { '@labels': 1 }));
    const { error } = await failure('export', database, '--to', places.fresh('.json'), '--format', 'graphology');
    expect([error.code, error.message.slice(0, 30)]).toEqual(['SOMBRA_EXPORT_VALUE', 'node 1: the property @labels h']);
  });
});

it('a graph of graphology: attributes, undirected edges, names of labels and types', async () => {
  const graph = new MultiDirectedGraph();
  graph.setAttribute('title', 'x');
  graph.addNode('a', { kind: 'City', size: 1.5, nothing: null });
  graph.addNode('b');
  graph.addEdgeWithKey('e', 'a', 'b', { kind: 'ROAD', at: { $date: '2024-01-01T00:00:00.000Z' } });
  const serialized = graph.export();
  const mixed = { ...serialized, edges: [...serialized.edges, { source: 'b', target: 'b', undirected: true }] };
  const found = await places.imported(
    'graphology',
    JSON.stringify(mixed),
    ...[
      '--label-column',
      'kind',
      '--type-column',
      'kind',
      '--type',
      'PATH',
      '--id-property',
      'old',
      '--edge-id-property',
      'old',
    ],
  );
  expect(found.nodes).toEqual([
    { id: 1, labels: ['City'], properties: { old: 'a', size: 1.5 } },
    { id: 2, labels: [], properties: { old: 'b' } },
  ]);
  expect(found.edges).toEqual([
    { id: 1, source: 1, target: 2, type: 'ROAD', properties: { old: 'e', at: new Date('2024-01-01') } },
    { id: 2, source: 2, target: 2, type: 'PATH', properties: {} },
  ]);
  expect(found.stderr).toMatch(/attributes of the graph itself are left out[^]*undirected edges are imported/);
});

describe('is refused, with its line', () => {
  it.each<[string, string, string, string]>([
    ['an empty file', '', 'SOMBRA_GRAPH_FILE_SYNTAX', '1: the file ends before'],
    ['a list', '[]', 'SOMBRA_GRAPH_FILE_SYNTAX', '1: this is not JSON: "[" stands where {'],
    ['a file that ends early', '{"nodes":[\n{"key":"a"}', 'SOMBRA_GRAPH_FILE_SYNTAX', '2: the file ends before'],
    ['a file that ends within a node', '{"nodes":[\n{"key":"a', 'SOMBRA_GRAPH_FILE_SYNTAX', '2: the file ends before'],
    ['something behind the end', '{"nodes":[]}\n{}', 'SOMBRA_GRAPH_FILE_SYNTAX', '2: there is "{" behind'],
    ['a comma too many', '{"nodes":[\n{"key":"a"},\n]}', 'SOMBRA_GRAPH_FILE_SYNTAX', '3: '],
    ['a missing comma', '{"nodes":[\n{"key":"a"} {"key":"b"}]}', 'SOMBRA_GRAPH_FILE_SYNTAX', '2: '],
    ['nodes that are no list', '{"nodes":{}}', 'SOMBRA_GRAPH_FILE_SYNTAX', '1: this is not JSON: "{" stands where ['],
    ['a key that is none', '{"vertices":[]}', 'SOMBRA_GRAPH_FILE_SYNTAX', '1: "vertices" is no part'],
    [
      'a key that stands twice',
      '{"nodes":[],\n"nodes":[]}',
      'SOMBRA_GRAPH_FILE_SYNTAX',
      '2: the key "nodes" stands twice',
    ],
    ['a node that is no object', '{"nodes":[\n7]}', 'SOMBRA_GRAPH_FILE_SYNTAX', '2: one of nodes is "7"'],
    ['a node without a key', '{"nodes":[{"attributes":{}}]}', 'SOMBRA_GRAPH_FILE_SYNTAX', '1: "key" is the key'],
    [
      'labels that are none',
      '{"nodes":[{"key":"a","attributes":{"@labels":[1]}}]}',
      'SOMBRA_GRAPH_FILE_SYNTAX',
      '1: the labels are "[1]"',
    ],
    ['a part of a node that is none', '{"nodes":[{"key":"a","x":1}]}', 'SOMBRA_GRAPH_FILE_SYNTAX', '1: "x" is no part'],
    [
      'an edge without a type',
      '{"nodes":[{"key":"a"}],"edges":[\n\n{"source":"a","target":"a"}]}',
      'SOMBRA_GRAPH_FILE_SYNTAX',
      '3: the edge has no type',
    ],
    [
      'an integer that would change',
      '{"nodes":[\n{"key":"a","attributes":{"n":9007199254740993}}]}',
      'SOMBRA_GRAPH_FILE_VALUE',
      '2: the integer "9007199254740993" is beyond 2^53',
    ],
    [
      'a number that would change',
      '{"nodes":[{"key":"a","attributes":{"n":1e400}}]}',
      'SOMBRA_GRAPH_FILE_VALUE',
      '1: "1e400" is too large',
    ],
    [
      'deep nesting',
      `{"nodes":[{"key":"a","attributes":{"n":${'['.repeat(200)}${']'.repeat(200)}}}]}`,
      'SOMBRA_GRAPH_FILE_VALUE',
      '1: lists and maps are nested',
    ],
    ['an id that was used', '{"nodes":[{"key":"a"},\n{"key":"a"}]}', 'SOMBRA_IMPORT_DUPLICATE_ID', '2: the id "a"'],
    [
      'an end that is no node',
      '{"edges":[\n{"source":"a","target":"a","attributes":{"@type":"T"}}]}',
      'SOMBRA_IMPORT_DANGLING_EDGE',
      '2: the edge begins at "a"',
    ],
  ])('%s', async (_name, content, code, beginning) => {
    const found = await places.refused('graphology', content);
    expect([found.code, found.message.slice(0, beginning.length)]).toEqual([code, beginning]);
  });
});

it('the splitter hands out what JSON.parse finds, wherever the text is cut', () => {
  fc.assert(
    fc.property(
      fc.record({ list: fc.array(fc.jsonValue(), { maxLength: 5 }), a: fc.jsonValue(), 'b"\\': fc.jsonValue() }),
      fc.array(fc.nat(40), { maxLength: 6 }),
      fc.constantFrom(undefined, 1, '\n\t '),
      (object, cuts, space) => {
        const text = JSON.stringify(object, null, space);
        const splitter = new JsonSplitter(new Set(['list']));
        const parts: JsonPart[] = [];
        let at = 0;
        for (const cut of [...cuts, text.length]) {
          parts.push(...splitter.write(text.slice(at, at + cut)));
          at += cut;
        }
        splitter.end();
        const lines = text.split('\n');
        for (const part of parts) expect(lines[part.line - 1]).toContain(part.text.trim().split('\n')[0]);
        const values = (key: string): unknown[] =>
          parts.filter((part) => part.key === key).map((part) => JSON.parse(part.text) as unknown);
        const again = { list: values('list'), a: values('a')[0], 'b"\\': values('b"\\')[0] };
        expect(isDeepStrictEqual(again, JSON.parse(text))).toBe(true);
      },
    ),
    randomRuns(3, 300),
  );
});
