/** An export as GEXF 1.3. Everything is read twice, at one commit: first for the attributes, which are declared before the nodes. */
import type { EdgeRecord, NodeRecord, Properties } from '@sombra/db';
import type { Selected } from '../export/selection.ts';
import { TextWriter } from '../export/text-writer.ts';
import type { Pace } from '../shell/pace.ts';
import { xmlAttribute } from '../xml/escape.ts';
import { labelText } from '../xml/label-text.ts';
import type { LearnedKey } from '../xml/learned-keys.ts';
import { checkXmlName, LearnedKeys } from '../xml/learned-keys.ts';
import type { XmlType } from '../xml/xml-kinds.ts';
import { JSON_MARK, MARK_NAMESPACE, xmlValue } from '../xml/xml-kinds.ts';
import { KIND, LABELS_ID } from './gexf-attributes.ts';

const TYPE_NAMES: Readonly<Record<XmlType, string>> = Object.freeze({
  string: 'string',
  int: 'long',
  float: 'double',
  boolean: 'boolean',
  json: 'string',
});

/** Properties that nodes or edges of GEXF have without a declaration, when their values are of these types. */
const OWN_NODE: Readonly<Record<string, readonly XmlType[]>> = Object.freeze({ label: ['string'] });
const OWN_EDGE: Readonly<Record<string, readonly XmlType[]>> = Object.freeze({
  label: ['string'],
  weight: ['float', 'int'],
});

/** Properties in the document: each is an attribute of the element, or has an `<attvalue>`. */
class Written {
  private readonly keys: ReadonlyMap<string, LearnedKey>;
  private readonly own: Readonly<Record<string, readonly XmlType[]>>;

  constructor(keys: ReadonlyMap<string, LearnedKey>, own: Readonly<Record<string, readonly XmlType[]>>) {
    this.keys = keys;
    this.own = own;
  }

  /** Declarations, a line each. */
  declarations(): string {
    let text = '';
    for (const key of this.keys.values()) {
      if (this.isOwn(key)) continue;
      const mark = key.type === 'json' ? ` ${JSON_MARK}="json"` : '';
      text += `<attribute id="${key.id}" title="${xmlAttribute(key.name)}" type="${TYPE_NAMES[key.type]}"${mark}/>\n`;
    }
    return text;
  }

  /** Attributes of the element, and its values. */
  of(properties: Properties): { attributes: string; values: string } {
    let [attributes, values] = ['', ''];
    for (const name of Object.keys(properties)) {
      const key = this.keys.get(name)!;
      const text = xmlAttribute(xmlValue(properties[name]!, key.type));
      if (this.isOwn(key)) attributes += ` ${name}="${text}"`;
      else values += `<attvalue for="${key.id}" value="${text}"/>`;
    }
    return { attributes, values };
  }

  /** An edge's weight is read as a float, which not every long integer is. */
  private isOwn({ name, type, wide }: LearnedKey): boolean {
    return !wide && Object.hasOwn(this.own, name) && this.own[name]!.includes(type);
  }
}

/**
 * Exports.
 * @param write  takes text; what it returns is waited for
 * @throws DataError SOMBRA_EXPORT_VALUE; what the database, `write` and `pace` throw
 */
export async function exportGexf(
  selected: Selected,
  write: (text: string) => Promise<void> | void,
  pace: Pace,
): Promise<{ nodes: number; edges: number }> {
  const nodeKeys = new LearnedKeys('n', 'gexf');
  const edgeKeys = new LearnedKeys('e', 'gexf');
  for (const { id, properties } of selected.nodes()) {
    nodeKeys.learn(properties, `node ${id}`);
    if (pace.row()) await pace.turn();
  }
  for (const { id, type, properties } of selected.edges()) {
    checkXmlName(type, 'the type', `edge ${id}`, 'gexf');
    edgeKeys.learn(properties, `edge ${id}`);
    if (pace.row()) await pace.turn();
  }
  const writtenNodes = new Written(nodeKeys.all(), OWN_NODE);
  const writtenEdges = new Written(edgeKeys.all(), OWN_EDGE);
  const writer = new TextWriter(write);
  await writer.add(beginning(writtenNodes, writtenEdges));
  const rows = { nodes: 0, edges: 0 };
  for (const node of selected.nodes()) {
    await writer.add(nodeElement(node, writtenNodes));
    rows.nodes += 1;
    if (pace.row()) await pace.turn();
  }
  await writer.add('</nodes>\n<edges>\n');
  for (const edge of selected.edges()) {
    await writer.add(edgeElement(edge, writtenEdges));
    rows.edges += 1;
    if (pace.row()) await pace.turn();
  }
  await writer.add('</edges>\n</graph>\n</gexf>\n');
  await writer.end();
  return rows;
}

function beginning(nodes: Written, edges: Written): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<gexf xmlns="http://gexf.net/1.3" version="1.3" xmlns:sombra="${MARK_NAMESPACE}">\n` +
    '<graph defaultedgetype="directed" mode="static">\n' +
    `<attributes class="node">\n<attribute id="${LABELS_ID}" title="labels" type="string"/>\n${nodes.declarations()}</attributes>\n` +
    `<attributes class="edge">\n${edges.declarations()}</attributes>\n<nodes>\n`
  );
}

function nodeElement({ id, labels, properties }: NodeRecord, written: Written): string {
  const { attributes, values } = written.of(properties);
  const own = labels.length === 0 ? '' : `<attvalue for="${LABELS_ID}" value="${xmlAttribute(labelText(labels))}"/>`;
  return `<node id="${id}"${attributes}>${content(own + values)}</node>\n`;
}

function edgeElement({ id, type, source, target, properties }: EdgeRecord, written: Written): string {
  const { attributes, values } = written.of(properties);
  const ends = `source="${source}" target="${target}" ${KIND}="${xmlAttribute(type)}"`;
  return `<edge id="${id}" ${ends}${attributes}>${content(values)}</edge>\n`;
}

function content(values: string): string {
  return values === '' ? '' : `<attvalues>${values}</attvalues>`;
}
