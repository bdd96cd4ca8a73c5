/** How a node is named on the command line: by its id, or by a property that no other node has. */
import { DataError } from '@sombra/vfs';
import type { GraphDB, NodeRecord } from '@sombra/db';
import { usageError } from './usage-error.ts';
import { matchesText } from './values.ts';

/** A property and the text that its value is compared with. */
export interface Condition {
  readonly key: string;
  readonly text: string;
}

/** Reads `key=value`, and with `colon` also `key:value`. @returns undefined when it is neither */
export function parseCondition(text: string, colon = false): Condition | undefined {
  const at = text.search(colon ? /[=:]/ : /=/);
  return at < 1 ? undefined : { key: text.slice(0, at), text: text.slice(at + 1) };
}

/** Ids of nodes that meet every condition, ascending. Reads only the properties that are asked for. */
export function* findIds(db: GraphDB, label: string | undefined, conditions: readonly Condition[]): Generator<number> {
  for (const id of db.nodeIds(label)) {
    if (conditions.every(({ key, text }) => meets(db, id, key, text))) yield id;
  }
}

function meets(db: GraphDB, id: number, key: string, text: string): boolean {
  const value = db.getNodeProperty(id, key);
  return value !== undefined && matchesText(value, text);
}

/**
 * Which nodes a command is about.
 * @param given  the arguments, `id`, `key=value` or `key:value`
 * @param keys   values of `--key`, which stand for the arguments
 * @throws DataError SOMBRA_USAGE, SOMBRA_NODE_NOT_FOUND, SOMBRA_NODE_AMBIGUOUS
 */
export function selectNodes(
  db: GraphDB,
  given: readonly (string | undefined)[],
  keys: readonly string[],
  label: string | undefined,
): NodeRecord[] {
  const named = given.filter((text) => text !== undefined);
  const wanted = given.length;
  if (named.length > 0 && keys.length > 0) throw usageError('name each node once: by an argument, or by --key');
  const texts = named.length > 0 ? named : keys;
  if (texts.length !== wanted) {
    throw usageError(
      `this needs ${wanted === 1 ? 'a node' : `${wanted} nodes`}: give an id, or code=AUS, or --key code=AUS`,
    );
  }
  return texts.map((text) => selectNode(db, text, label));
}

function selectNode(db: GraphDB, text: string, label: string | undefined): NodeRecord {
  if (/^\d{1,15}$/.test(text)) {
    const node = Number(text) === 0 ? undefined : db.getNode(Number(text));
    if (node === undefined)
      throw new DataError('SOMBRA_NODE_NOT_FOUND', `there is no node ${text}: sombra find lists nodes`);
    return node;
  }
  const condition = parseCondition(text, true);
  if (condition === undefined)
    throw usageError(`${JSON.stringify(text)} names no node: give an id, or a property as code=AUS`);
  const ids: number[] = [];
  for (const id of findIds(db, label, [condition])) if (ids.push(id) > 4) break;
  const what = `${label === undefined ? 'node' : `node with label ${label}`} with ${condition.key}=${condition.text}`;
  if (ids.length === 0) throw new DataError('SOMBRA_NODE_NOT_FOUND', `there is no ${what}: sombra find lists nodes`);
  if (ids.length > 1) {
    const some = ids.slice(0, 3).map((id) => `${id} (${db.getNode(id)!.labels.join(':')})`);
    throw new DataError(
      'SOMBRA_NODE_AMBIGUOUS',
      `there is more than one ${what}: ${some.join(', ')}${ids.length > 3 ? ', …' : ''}; give the id, or --label`,
    );
  }
  return db.getNode(ids[0]!)!;
}
