/** An export as the JSON object that `Graph.from` of graphology takes: one node or edge a line. */
import type { EdgeRecord, NodeRecord, Properties } from '@sombra/db';
import { DataError } from '@sombra/vfs';
import type { Selected } from '../export/selection.ts';
import { TextWriter } from '../export/text-writer.ts';
import type { Pace } from '../shell/pace.ts';
import type { Json } from '../values/plain-json.ts';
import { propertiesToTagged } from '../values/tagged-json.ts';
import { LABELS_ATTRIBUTE, TYPE_ATTRIBUTE } from './graphology-reader.ts';

const BEGINNING = '{"options":{"type":"directed","multi":true,"allowSelfLoops":true},\n"attributes":{},\n"nodes":[';

/**
 * Exports.
 * @param write  takes text; what it returns is waited for
 * @throws DataError SOMBRA_EXPORT_VALUE; what the database, `write` and `pace` throw
 */
export async function exportGraphology(
  selected: Selected,
  write: (text: string) => Promise<void> | void,
  pace: Pace,
): Promise<{ nodes: number; edges: number }> {
  const writer = new TextWriter(write);
  const rows = { nodes: 0, edges: 0 };
  await writer.add(BEGINNING);
  for (const node of selected.nodes()) {
    await writer.add(`${rows.nodes === 0 ? '' : ','}\n${JSON.stringify(nodeJson(node))}`);
    rows.nodes += 1;
    if (pace.row()) await pace.turn();
  }
  await writer.add('\n],\n"edges":[');
  for (const edge of selected.edges()) {
    await writer.add(`${rows.edges === 0 ? '' : ','}\n${JSON.stringify(edgeJson(edge))}`);
    rows.edges += 1;
    if (pace.row()) await pace.turn();
  }
  await writer.add('\n]}\n');
  await writer.end();
  return rows;
}

function nodeJson({ id, labels, properties }: NodeRecord): Json {
  const attributes = attributesOf(properties, LABELS_ATTRIBUTE, `node ${id}`);
  if (labels.length > 0) attributes[LABELS_ATTRIBUTE] = [...labels];
  return { key: String(id), attributes };
}

function edgeJson({ id, type, source, target, properties }: EdgeRecord): Json {
  const attributes = attributesOf(properties, TYPE_ATTRIBUTE, `edge ${id}`);
  attributes[TYPE_ATTRIBUTE] = type;
  return { key: String(id), source: String(source), target: String(target), attributes };
}

/** @throws DataError SOMBRA_EXPORT_VALUE when a property has the name that labels or types have */
function attributesOf(properties: Properties, taken: string, what: string): { [key: string]: Json } {
  if (!Object.hasOwn(properties, taken)) return propertiesToTagged(properties);
  const message = `${what}: the property ${taken} has the name that a graphology export gives to labels or types: leave it out by --properties, or export as csv or jsonl`;
  throw new DataError('SOMBRA_EXPORT_VALUE', message, { details: { format: 'graphology', what } });
}
