// Goal: GEXF of other programs is read as it is meant, or refused with its line; an export reads back as the same graph. Method: random
// graphs of every kind there and back, documents as Gephi and NetworkX write them, and hostile ones.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { json } from './support/cli.ts';
import { temporaryFolder } from './support/files.ts';
import { Places, thereAndBack, withDatabase } from './support/graph-files.ts';

const folder = temporaryFolder();
const places = new Places(folder);

/** A document: declarations, nodes, edges, each from a line of its own on, 4, 5 and 6. */
function document(attributes: string, nodes: string, edges = '', graph = 'defaultedgetype="directed"'): string {
  return `<gexf version="1.3">\n<meta><creator>x</creator></meta>\n<graph ${graph}>\n${attributes}\n<nodes>${nodes}</nodes>\n<edges>${edges}</edges>\n</graph>\n</gexf>\n`;
}

describe('export and import', () => {
  it('are the identity up to ids, for graphs of every kind', () => thereAndBack(places, 'gexf', 10, true));

  it('write labels and weights where other programs look for them', async () => {
    const database = places.fresh('.db');
    withDatabase(database, (db) => {
      const [a, b] = [db.addNode(['A', 'B'], { label: 'a\n"<' }), db.addNode([], { n: 1, tags: ['x'] })];
      db.addEdge(a, b, 'T', { weight: 2, label: 5 });
      db.addEdge(b, a, 'U', { weight: 0.5 });
    });
    const to = places.fresh('.gexf');
    await json('export', database, '--to', to);
    expect(readFileSync(to, 'utf8').split('\n').slice(2)).toEqual([
      '<graph defaultedgetype="directed" mode="static">',
      '<attributes class="node">',
      '<attribute id="labels" title="labels" type="string"/>',
      '<attribute id="n1" title="n" type="long"/>',
      '<attribute id="n2" title="tags" type="string" sombra:type="json"/>',
      '</attributes>',
      '<attributes class="edge">',
      '<attribute id="e1" title="label" type="long"/>',
      '</attributes>',
      '<nodes>',
      '<node id="1" label="a&#10;&quot;&lt;"><attvalues><attvalue for="labels" value=":A:B"/></attvalues></node>',
      '<node id="2"><attvalues><attvalue for="n1" value="1"/><attvalue for="n2" value="[&quot;x&quot;]"/></attvalues></node>',
      '</nodes>',
      '<edges>',
      '<edge id="1" source="1" target="2" kind="T" weight="2"><attvalues><attvalue for="e1" value="5"/></attvalues></edge>',
      '<edge id="2" source="2" target="1" kind="U" weight="0.5"></edge>',
      '</edges>',
      '</graph>',
      '</gexf>',
      '',
    ]);
  });

  it('keep weights that no float holds', async () => {
    const database = places.fresh('.db');
    withDatabase(database, (db) => db.addEdge(db.addNode([]), db.addNode([]), 'T', { weight: 9007199254740993n }));
    const to = places.fresh('.gexf');
    await json('export', database, '--to', to);
    const copy = places.fresh('.db');
    await json('import', copy, '--gexf', to);
    expect(withDatabase(copy, (db) => db.getEdge(1)!.properties)).toEqual({ weight: 9007199254740993n });
  });
});

describe('documents of other programs', () => {
  it('Gephi: labels, weights, defaults, drawings, edges without a direction', async () => {
    const found = await places.imported(
      'gexf',
      document(
        '<attributes class="node" mode="static"><attribute id="0" title="url" type="string"/><attribute id="1" title="indegree" type="float"><default>3</default><options>1|3</options></attribute><attribute id="2" title="kind" type="string"/></attributes>' +
          '<attributes class="edge"><attribute id="0" title="relation" type="string"/><attribute id="1" title="tags" type="liststring"/></attributes>',
        '<node id="a" label="A"><attvalues><attvalue for="0" value="http://a"/><attvalue for="2" value="Site"/></attvalues><viz:color r="1"/><viz:size value="1"/></node><node id="b"><attvalues><attvalue for="1" value="1.5"/></attvalues></node>',
        '<edge id="e" source="a" target="b" weight="2.5" label="x"><attvalues><attvalue for="0" value="LINKS"/><attvalue for="1" value="[&quot;p&quot;]"/></attvalues></edge><edge source="b" target="b" type="directed"/>',
        'mode="static"',
      ),
      ...[
        '--label-column',
        'kind',
        '--type-column',
        'relation',
        '--type',
        'OTHER',
        '--label',
        'Page',
        '--edge-id-property',
        'old',
      ],
    );
    expect(found.nodes).toEqual([
      { id: 1, labels: ['Site'], properties: { url: 'http://a', indegree: 3, label: 'A' } },
      { id: 2, labels: ['Page'], properties: { indegree: 1.5 } },
    ]);
    expect(found.edges).toEqual([
      { id: 1, source: 1, target: 2, type: 'LINKS', properties: { old: 'e', tags: ['p'], label: 'x', weight: 2.5 } },
      { id: 2, source: 2, target: 2, type: 'OTHER', properties: {} },
    ]);
    expect(
      found.stderr
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/^warning: [^:]*: (\S+ \S+).*/, '$1'))
        .sort(),
    ).toEqual(['elements <viz:color>', 'elements <viz:size>', 'undirected edges']);
  });
});

const DECLARED = '<attributes class="node"><attribute id="d" title="d" type="integer"/></attributes>';
describe('is refused, with its line', () => {
  it.each<[string, string, string, string]>([
    [
      'a dynamic graph',
      document('', '', '', 'mode="dynamic"'),
      'SOMBRA_GRAPH_FILE_UNSUPPORTED',
      '3: <graph> has mode="dynamic"',
    ],
    [
      'a node with a beginning',
      document('', '\n<node id="a" start="2000"/>'),
      'SOMBRA_GRAPH_FILE_UNSUPPORTED',
      '6: <node> has the attribute start',
    ],
    [
      'a value with an end',
      document(DECLARED, '<node id="a"><attvalues><attvalue for="d" value="1" end="2"/></attvalues></node>'),
      'SOMBRA_GRAPH_FILE_UNSUPPORTED',
      '5: <attvalue> has',
    ],
    [
      'spells',
      document('', '', '<edge source="a" target="a">\n<spells/></edge>'),
      'SOMBRA_GRAPH_FILE_UNSUPPORTED',
      '7: <spells> within <edge>',
    ],
    [
      'nodes in a node',
      document('', '<node id="a"><nodes/></node>'),
      'SOMBRA_GRAPH_FILE_UNSUPPORTED',
      '5: <nodes> within <node>',
    ],
    ['a parent', document('', '<node id="a" pid="b"/>'), 'SOMBRA_GRAPH_FILE_UNSUPPORTED', '5: the node lies within'],
    [
      'a mutual edge',
      document('', '<node id="a"/>', '<edge source="a" target="a" type="mutual" kind="T"/>'),
      'SOMBRA_GRAPH_FILE_UNSUPPORTED',
      '6: the edge is mutual',
    ],
    [
      'a type that is none',
      document('<attributes class="node"><attribute id="d" type="date"/></attributes>', ''),
      'SOMBRA_GRAPH_FILE_UNSUPPORTED',
      '4: the attribute "d" has the type "date"',
    ],
    [
      'a list that is no JSON',
      document(
        '<attributes class="node"><attribute id="d" type="liststring"/></attributes>',
        '<node id="a"><attvalues><attvalue for="d" value="a|b"/></attvalues></node>',
      ),
      'SOMBRA_GRAPH_FILE_VALUE',
      '5: "d": "a|b" is not JSON',
    ],
    [
      'an invalid number',
      document(DECLARED, '<node id="a"><attvalues>\n<attvalue for="d" value="x"/></attvalues></node>'),
      'SOMBRA_GRAPH_FILE_VALUE',
      '6: "d": "x" is not an integer',
    ],
    [
      'an attribute that is not declared',
      document('', '<node id="a"><attvalues><attvalue for="d" value="x"/></attvalues></node>'),
      'SOMBRA_GRAPH_FILE_SYNTAX',
      '5: <attvalue for="d">',
    ],
    [
      'two values of a name',
      document(
        '<attributes class="node"><attribute id="d" title="label" type="string"/></attributes>',
        '\n<node id="a" label="x"><attvalues><attvalue for="d" value="y"/></attvalues></node>',
      ),
      'SOMBRA_GRAPH_FILE_SYNTAX',
      '6: the node has two values of "label"',
    ],
    [
      'an edge without a type',
      document('', '<node id="a"/>', '\n<edge source="a" target="a"/>'),
      'SOMBRA_GRAPH_FILE_SYNTAX',
      '7: the edge has no type',
    ],
    [
      'an end that is no node',
      document('', '<node id="a"/>', '<edge source="a" target="b" kind="T"/>'),
      'SOMBRA_IMPORT_DANGLING_EDGE',
      '6: the edge ends at "b"',
    ],
    [
      'an id that was used',
      document('', '<node id="a"/>\n<node id="a"/>'),
      'SOMBRA_IMPORT_DUPLICATE_ID',
      '6: the id "a"',
    ],
    ['another document', '<graphml/>', 'SOMBRA_GRAPH_FILE_SYNTAX', '1: the document is a <graphml>'],
    ['a file that ends early', '<gexf>\n<graph>', 'SOMBRA_GRAPH_FILE_SYNTAX', '2: this is not XML'],
    [
      'entities',
      '<!DOCTYPE g [<!ENTITY a "ha">]><gexf/>',
      'SOMBRA_GRAPH_FILE_UNSUPPORTED',
      '1: the document declares entities',
    ],
  ])('%s', async (_name, content, code, beginning) => {
    const found = await places.refused('gexf', content);
    expect([found.code, found.message.slice(0, beginning.length)]).toEqual([code, beginning]);
  });
});
