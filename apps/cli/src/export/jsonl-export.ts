/** An export as JSON Lines: one object a line, nodes before edges, both by id. */
import type { EdgeRecord, NodeRecord } from '@sombra/db';
import { propertiesToTagged } from '../values/tagged-json.ts';
import type { Pace } from '../shell/pace.ts';
import type { Selected } from './selection.ts';

/** Characters that are put together before they are written. */
const CHUNK = 64 * 1024;

/**
 * Exports.
 * @param write  takes text; what it returns is waited for
 * @throws what the database, `write` and `pace` throw
 */
export async function exportJsonl(
  selected: Selected,
  write: (text: string) => Promise<void> | void,
  pace: Pace,
): Promise<{ nodes: number; edges: number }> {
  let text = '';
  const rows = { nodes: 0, edges: 0 };
  for (const node of selected.nodes()) {
    text += nodeLine(node);
    rows.nodes += 1;
    if (text.length > CHUNK) {
      await write(text);
      text = '';
    }
    if (pace.row()) await pace.turn();
  }
  for (const edge of selected.edges()) {
    text += edgeLine(edge);
    rows.edges += 1;
    if (text.length > CHUNK) {
      await write(text);
      text = '';
    }
    if (pace.row()) await pace.turn();
  }
  await write(text);
  return rows;
}

function nodeLine({ id, labels, properties }: NodeRecord): string {
  return `${JSON.stringify({ node: id, labels, properties: propertiesToTagged(properties) })}\n`;
}

function edgeLine({ id, type, source, target, properties }: EdgeRecord): string {
  return `${JSON.stringify({ edge: id, type, source, target, properties: propertiesToTagged(properties) })}\n`;
}
