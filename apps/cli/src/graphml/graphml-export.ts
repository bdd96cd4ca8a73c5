/**
 * An export as GraphML, as much as possible as Neo4j writes it. Everything is read twice, at one commit: first for the keys, which
 * stand before the graph.
 */
import type { EdgeRecord, NodeRecord, Properties } from '@sombra/db';
import type { Selected } from '../export/selection.ts';
import { TextWriter } from '../export/text-writer.ts';
import type { Pace } from '../shell/pace.ts';
import { xmlAttribute, xmlText } from '../xml/escape.ts';
import { labelText } from '../xml/label-text.ts';
import type { LearnedKey } from '../xml/learned-keys.ts';
import { checkXmlName, LearnedKeys } from '../xml/learned-keys.ts';
import type { XmlType } from '../xml/xml-kinds.ts';
import { JSON_MARK, MARK_NAMESPACE, xmlValue } from '../xml/xml-kinds.ts';
import { LABELS_ID, TYPE_ID } from './graphml-keys.ts';

const TYPE_NAMES: Readonly<Record<XmlType, string>> = Object.freeze({
  string: 'string',
  int: 'long',
  float: 'double',
  boolean: 'boolean',
  json: 'string',
});

/**
 * Exports.
 * @param write  takes text; what it returns is waited for
 * @throws DataError SOMBRA_EXPORT_VALUE; what the database, `write` and `pace` throw
 */
export async function exportGraphml(
  selected: Selected,
  write: (text: string) => Promise<void> | void,
  pace: Pace,
): Promise<{ nodes: number; edges: number }> {
  const nodeKeys = new LearnedKeys('n', 'graphml');
  const edgeKeys = new LearnedKeys('e', 'graphml');
  for (const { id, properties } of selected.nodes()) {
    nodeKeys.learn(properties, `node ${id}`);
    if (pace.row()) await pace.turn();
  }
  for (const { id, type, properties } of selected.edges()) {
    checkXmlName(type, 'the type', `edge ${id}`, 'graphml');
    edgeKeys.learn(properties, `edge ${id}`);
    if (pace.row()) await pace.turn();
  }
  const writer = new TextWriter(write);
  await writer.add(beginning(nodeKeys, edgeKeys));
  const rows = { nodes: 0, edges: 0 };
  for (const node of selected.nodes()) {
    await writer.add(nodeElement(node, nodeKeys.all()));
    rows.nodes += 1;
    if (pace.row()) await pace.turn();
  }
  for (const edge of selected.edges()) {
    await writer.add(edgeElement(edge, edgeKeys.all()));
    rows.edges += 1;
    if (pace.row()) await pace.turn();
  }
  await writer.add('</graph>\n</graphml>\n');
  await writer.end();
  return rows;
}

function beginning(nodeKeys: LearnedKeys, edgeKeys: LearnedKeys): string {
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:sombra="${MARK_NAMESPACE}">`,
    `<key id="${LABELS_ID}" for="node" attr.name="labels" attr.type="string"/>`,
    ...[...nodeKeys.all().values()].map((key) => keyElement(key, 'node')),
    `<key id="${TYPE_ID}" for="edge" attr.name="label" attr.type="string"/>`,
    ...[...edgeKeys.all().values()].map((key) => keyElement(key, 'edge')),
    '<graph id="G" edgedefault="directed">',
  ];
  return `${lines.join('\n')}\n`;
}

function keyElement({ id, name, type }: LearnedKey, kind: 'node' | 'edge'): string {
  const mark = type === 'json' ? ` ${JSON_MARK}="json"` : '';
  return `<key id="${id}" for="${kind}" attr.name="${xmlAttribute(name)}" attr.type="${TYPE_NAMES[type]}"${mark}/>`;
}

function nodeElement({ id, labels, properties }: NodeRecord, keys: ReadonlyMap<string, LearnedKey>): string {
  const own = labels.length === 0 ? '' : dataElement(LABELS_ID, labelText(labels));
  return `<node id="n${id}">${own}${dataElements(properties, keys)}</node>\n`;
}

function edgeElement(
  { id, type, source, target, properties }: EdgeRecord,
  keys: ReadonlyMap<string, LearnedKey>,
): string {
  const own = dataElement(TYPE_ID, type) + dataElements(properties, keys);
  return `<edge id="e${id}" source="n${source}" target="n${target}">${own}</edge>\n`;
}

function dataElements(properties: Properties, keys: ReadonlyMap<string, LearnedKey>): string {
  let text = '';
  for (const name of Object.keys(properties)) {
    const { id, type } = keys.get(name)!;
    text += dataElement(id, xmlValue(properties[name]!, type));
  }
  return text;
}

function dataElement(key: string, text: string): string {
  return `<data key="${key}">${xmlText(text)}</data>`;
}
