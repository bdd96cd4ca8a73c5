// Goal: GraphML of other programs is read as it is meant, or refused with its line; an export reads back as the same graph. Method: random
// graphs of every kind there and back, documents as Neo4j, NetworkX and yEd write them, and hostile ones.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { failure, json, sombra } from './support/cli.ts';
import { temporaryFolder } from './support/files.ts';
import { Places, thereAndBack, withDatabase } from './support/graph-files.ts';
import { importSocial } from './support/social.ts';

const folder = temporaryFolder();
const places = new Places(folder);

/** A document. @param keys  its declarations */
function document(keys: string, graph: string, attributes = 'edgedefault="directed"'): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<graphml>\n${keys}\n<graph ${attributes}>\n${graph}\n</graph>\n</graphml>\n`;
}

describe('export and import', () => {
  it('are the identity up to ids, for graphs of every kind', () => thereAndBack(places, 'graphml', 12, true));

  it('write what other programs read', async () => {
    const social = places.fresh('.db');
    await importSocial(folder, social);
    const to = places.fresh('.graphml');
    expect(await json('export', social, '--to', to, '--properties', 'name,since,tags,known')).toMatchObject({
      format: 'graphml',
      nodes: 4,
      edges: 5,
    });
    const text = readFileSync(to, 'utf8');
    expect(text.slice(0, text.indexOf('<node id="n3">'))).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:sombra="https://github.com/sombra-db/sombra/xml">\n' +
        '<key id="labels" for="node" attr.name="labels" attr.type="string"/>\n' +
        '<key id="n0" for="node" attr.name="name" attr.type="string"/>\n' +
        '<key id="n1" for="node" attr.name="tags" attr.type="string" sombra:type="json"/>\n' +
        '<key id="n2" for="node" attr.name="known" attr.type="boolean"/>\n' +
        '<key id="n3" for="node" attr.name="since" attr.type="string" sombra:type="json"/>\n' +
        '<key id="label" for="edge" attr.name="label" attr.type="string"/>\n' +
        '<key id="e0" for="edge" attr.name="since" attr.type="long"/>\n' +
        '<graph id="G" edgedefault="directed">\n' +
        '<node id="n1"><data key="labels">:Person:Author</data><data key="n0">Ada</data><data key="n1">["math","poetry"]</data>' +
        '<data key="n2">true</data></node>\n' +
        '<node id="n2"><data key="labels">:Person</data><data key="n0">Charles</data><data key="n2">true</data></node>\n',
    );
    expect(text.endsWith('</edge>\n</graph>\n</graphml>\n')).toBe(true);
    const stdout = await sombra([
      'export',
      social,
      '--to',
      '-',
      '--format',
      'graphml',
      '--properties',
      'name,since,tags,known',
    ]);
    expect(stdout).toMatchObject({ code: 0, stdout: text, stderr: '' });
  });

  it('refuse a type that XML cannot hold', async () => {
    const database = places.fresh('.db');
    withDatabase(database, (db) => db.addEdge(db.addNode('A'), db.addNode('A'), 'T\u0001'));
    const { error } = await failure('export', database, '--to', places.fresh('.graphml'));
    expect(error.code).toBe('SOMBRA_EXPORT_VALUE');
    expect(error.message).toMatch(/^edge 1: the type "T\\u0001" holds a control character/);
  });
});

describe('documents of other programs', () => {
  it('Neo4j: labels, types, lists', async () => {
    const found = await places.imported(
      'graphml',
      document(
        '<key id="name" for="node" attr.name="name" attr.type="string"/><key id="labels" for="node" attr.name="labels" attr.type="string"/>\n' +
          '<key id="nick" for="node" attr.name="nick" attr.type="string" attr.list="string"/><key id="label" for="edge" attr.name="label" attr.type="string"/>',
        '<node id="n7" labels=":Person:Author"><data key="labels">:Person:Author</data><data key="name">A &lt; &#233;&amp;</data><data key="nick">["a","b"]</data></node>\n' +
          '<node id="n8"><data key="name"><![CDATA[<x>]]></data></node>\n' +
          '<edge id="e1" source="n8" target="n7" label="KNOWS"><data key="label">KNOWS</data></edge>',
      ),
      '--id-property',
      'old',
      '--edge-id-property',
      'old',
    );
    expect(found).toEqual({
      stderr: '',
      nodes: [
        { id: 1, labels: ['Person', 'Author'], properties: { old: 'n7', name: 'A < é&', nick: ['a', 'b'] } },
        { id: 2, labels: [], properties: { old: 'n8', name: '<x>' } },
      ],
      edges: [{ id: 1, source: 2, target: 1, type: 'KNOWS', properties: { old: 'e1' } }],
    });
  });

  it('NetworkX: types, defaults, names of what holds labels and types, edges before nodes, no direction', async () => {
    const found = await places.imported(
      'graphml',
      document(
        '<key attr.name="w" attr.type="double" for="edge" id="d3"/><key attr.name="n" attr.type="long" for="all" id="d2"><default>5</default></key>\n' +
          '<key attr.name="old" attr.type="boolean" for="node" id="d1"/><key attr.name="kind" attr.type="string" for="all" id="d0"/>',
        '<edge source="0" target="1">\n  <data key="d3">1.5</data>\n  <data key="d0">ROAD</data>\n</edge>\n<edge source="1" target="1" directed="true"><data key="d3"> INF </data></edge>\n' +
          '<node id="0">\n  <data key="d0">City</data>\n  <data key="d1">1</data>\n</node>\n<node id="1"><data key="d2">9007199254740993</data><data key="d1"/></node>',
        'edgedefault="undirected"',
      ),
      ...['--label-column', 'kind', '--type-column', 'kind', '--label', 'Place', '--type', 'PATH'],
    );
    expect(found.nodes).toEqual([
      { id: 1, labels: ['City'], properties: { old: true, n: 5 } },
      { id: 2, labels: ['Place'], properties: { n: 9007199254740993n } },
    ]);
    expect(found.edges).toEqual([
      { id: 1, source: 1, target: 2, type: 'ROAD', properties: { w: 1.5, n: 5 } },
      { id: 2, source: 2, target: 2, type: 'PATH', properties: { w: Infinity, n: 5 } },
    ]);
    expect(found.stderr).toMatch(/^warning: .*: undirected edges are imported as edges from source to target; .*\n$/);
  });

  it('yEd: drawings are left out, which a warning says once', async () => {
    const found = await places.imported(
      'graphml',
      document(
        '<key for="node" id="d6" yfiles.type="nodegraphics"/><key for="node" id="d5" attr.name="url" attr.type="string"/>',
        '<desc>x<b/></desc><data key="d9">y</data>\n<node id="a"><data key="d6"><y:ShapeNode><y:Fill color="#FFF"/>text</y:ShapeNode></data><data key="d5">u</data></node>\n<node id="b"><data key="d6"/></node>',
      ),
    );
    expect(found.nodes).toEqual([
      { id: 1, labels: [], properties: { url: 'u' } },
      { id: 2, labels: [], properties: {} },
    ]);
    expect(found.stderr.match(/data of the key "d6" is left out/g)).toHaveLength(1);
  });

  it('an external document type is not fetched', async () => {
    const { nodes } = await places.imported(
      'graphml',
      '<!DOCTYPE graphml SYSTEM "http://graphml.graphdrawing.org/dtds/1.0rc/graphml.dtd">\n<graphml><graph><node id="a"/></graph></graphml>',
    );
    expect(nodes).toHaveLength(1);
  });
});

const KEY = '<key id="d" for="node" attr.name="d" attr.type="int"/>';
describe('is refused, with its line', () => {
  it.each<[string, string, string, string]>([
    [
      'a graph in a node',
      document('', '<node id="a">\n<graph/></node>'),
      'SOMBRA_GRAPH_FILE_UNSUPPORTED',
      '6: a graph within',
    ],
    ['a hyperedge', document('', '\n<hyperedge/>'), 'SOMBRA_GRAPH_FILE_UNSUPPORTED', '6: a hyperedge'],
    ['a port', document('', '<node id="a"><port name="p"/></node>'), 'SOMBRA_GRAPH_FILE_UNSUPPORTED', '5: a port'],
    [
      'an end at a port',
      document('', '<node id="a"/>\n<edge source="a" target="a" sourceport="p"/>'),
      'SOMBRA_GRAPH_FILE_UNSUPPORTED',
      '6: the edge ends at a port',
    ],
    ['a second graph', document('', '</graph>\n<graph>'), 'SOMBRA_GRAPH_FILE_UNSUPPORTED', '6: a second'],
    [
      'an invalid number',
      document(KEY, '<node id="a">\n<data key="d">\nx</data></node>'),
      'SOMBRA_GRAPH_FILE_VALUE',
      '7: "d": "x" is not an integer',
    ],
    [
      'an integer of more than 64 bits',
      document(KEY, '<node id="a"><data key="d">9223372036854775808</data></node>'),
      'SOMBRA_GRAPH_FILE_VALUE',
      '5: "d": "9223372036854775808" does not fit',
    ],
    [
      'a default that is no number',
      document('<key id="d" for="node" attr.type="int"><default>x</default></key>', ''),
      'SOMBRA_GRAPH_FILE_VALUE',
      '3: "d": "x"',
    ],
    [
      'a type that is none',
      document('<key id="d" for="node" attr.type="date"/>', ''),
      'SOMBRA_GRAPH_FILE_UNSUPPORTED',
      '3: the key "d" has the type "date"',
    ],
    [
      'data without a key',
      document('', '<node id="a"><data key="z"/></node>'),
      'SOMBRA_GRAPH_FILE_SYNTAX',
      '5: <data key="z">',
    ],
    [
      'data twice',
      document(KEY, '<node id="a"><data key="d">1</data>\n<data key="d">1</data></node>'),
      'SOMBRA_GRAPH_FILE_SYNTAX',
      '6: the node has data of the key "d" twice',
    ],
    [
      'an edge without a type',
      document('', '<node id="a"/>\n<edge source="a"\n target="a">\n</edge>'),
      'SOMBRA_GRAPH_FILE_SYNTAX',
      '7: the edge has no type',
    ],
    [
      'an edge without an end',
      document('', '<edge source="a"/>'),
      'SOMBRA_GRAPH_FILE_SYNTAX',
      '5: an <edge> has no source',
    ],
    [
      'an id that was used',
      document('', '<node id="a"/>\n<node id="a"/>'),
      'SOMBRA_IMPORT_DUPLICATE_ID',
      '6: the id "a"',
    ],
    [
      'an end that is no node',
      document('', '<node id="a"/>\n<edge source="a" target="b"/>'),
      'SOMBRA_IMPORT_DANGLING_EDGE',
      '6: the edge ends at "b"',
    ],
    ['another document', '<html/>', 'SOMBRA_GRAPH_FILE_SYNTAX', '1: the document is a <html>'],
    [
      'an element that is none',
      document('', '<vertex id="a"/>'),
      'SOMBRA_GRAPH_FILE_SYNTAX',
      '5: <vertex> has no place within <graph>',
    ],
    ['text between elements', document('', 'x<node id="a"/>'), 'SOMBRA_GRAPH_FILE_SYNTAX', '5: the text "x"'],
    ['an empty file', '', 'SOMBRA_GRAPH_FILE_SYNTAX', '1: this is not XML'],
    [
      'a file that ends early',
      document('', '<node id="a"/>').slice(0, -20),
      'SOMBRA_GRAPH_FILE_SYNTAX',
      '6: this is not XML',
    ],
    ['a file that ends within a tag', '<graphml>\n<graph', 'SOMBRA_GRAPH_FILE_SYNTAX', '2: this is not XML'],
    ['an unknown entity', document('', '<node id="&x;"/>'), 'SOMBRA_GRAPH_FILE_SYNTAX', '5: this is not XML'],
    [
      'entities that grow',
      '<!DOCTYPE g [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>\n<graphml><graph><node id="&b;"/></graph></graphml>',
      'SOMBRA_GRAPH_FILE_UNSUPPORTED',
      '1: the document declares entities',
    ],
    [
      'an entity of a file',
      '<!DOCTYPE g [<!ENTITY a SYSTEM "file:///etc/passwd">]><graphml/>',
      'SOMBRA_GRAPH_FILE_UNSUPPORTED',
      '1: the document declares entities',
    ],
    [
      'another encoding',
      '<?xml version="1.0" encoding="ISO-8859-1"?><graphml/>',
      'SOMBRA_GRAPH_FILE_UNSUPPORTED',
      '1: the encoding is ISO-8859-1',
    ],
    [
      'deep nesting',
      `<graphml><desc>${'<a>'.repeat(100_000)}`,
      'SOMBRA_GRAPH_FILE_UNSUPPORTED',
      '1: elements are nested more than 200',
    ],
  ])('%s', async (_name, content, code, beginning) => {
    const found = await places.refused(
      'graphml',
      content,
      ...(code === 'SOMBRA_IMPORT_DANGLING_EDGE' ? ['--type', 'T'] : []),
    );
    expect([found.code, found.message.slice(0, beginning.length)]).toEqual([code, beginning]);
  });

  it('bytes that are no UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from('<graphml>\n<!-- '), Buffer.from([0xe9]), Buffer.from(' --></graphml>')]);
    expect(await places.refused('graphml', bytes)).toMatchObject({ code: 'SOMBRA_IMPORT_FILE' });
  });

  it('a text without an end, in pieces', { timeout: 60_000 }, async () => {
    const key = '<key id="d" for="node" attr.name="d"/>';
    const pieces = `<![CDATA[${'x'.repeat(1_000_000)}]]>`.repeat(140);
    const found = await places.refused('graphml', document(key, `<node id="a"><data key="d">${pieces}`));
    expect([found.code, found.message.slice(0, 33)]).toEqual([
      'SOMBRA_GRAPH_FILE_SYNTAX',
      '5: the data of one element have m',
    ]);
  });

  it('a tag without an end', { timeout: 60_000 }, async () => {
    const found = await places.refused('graphml', `<graphml>\n<graph a="${'x'.repeat(140_000_000)}`);
    expect([found.code, found.message.slice(0, 21)]).toEqual(['SOMBRA_GRAPH_FILE_SYNTAX', '2: a tag or a text ha']);
  });

  it('what the engine refuses: a label that is too long', async () => {
    const key = '<key id="labels" for="node" attr.name="labels" attr.type="string"/>';
    const content = document(
      key,
      `<node id="a"/>\n<node id="b"><data key="labels">${'x'.repeat(70_000)}</data></node>`,
    );
    const found = await places.refused('graphml', content);
    expect([found.code, found.message.slice(0, 3)]).toEqual(['SOMBRA_NAME_TOO_LONG', '6: ']);
  });

  it('two formats at once, and an id property that is taken', async () => {
    const file = places.file(
      '.graphml',
      document('<key id="d" for="node" attr.name="old"/>', '<node id="a"><data key="d">1</data></node>'),
    );
    expect((await failure('import', places.fresh('.db'), '--graphml', file, '--jsonl', file)).error.code).toBe(
      'SOMBRA_USAGE',
    );
    const unused = await failure('import', places.fresh('.db'), '--graphml', file, '--id-column', 'x');
    expect([unused.error.code, unused.error.message]).toEqual([
      'SOMBRA_USAGE',
      '--id-column is for CSV files: leave it out with --graphml',
    ]);
    const taken = await failure('import', places.fresh('.db'), '--graphml', file, '--id-property', 'old');
    expect([taken.error.code, taken.error.message]).toEqual([
      'SOMBRA_GRAPH_FILE_VALUE',
      `${file}:5: the node has a property "old" already: give --id-property another name`,
    ]);
  });
});
