/** How a node is named on the command line: by its id, or by a property that no other node has. */
import { DataError } from '@sombra/vfs';
import type { GraphDB, NodeRecord } from '@sombra/db';
import { usageError } from '../errors/usage-error.ts';
import { parseEquality } from './conditions.ts';

/** Nodes that a message about several of them names. */
const SHOWN_MAX = 3;

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
  const named = parseEquality(text);
  if (named === undefined)
    throw usageError(`${JSON.stringify(text)} names no node: give an id, or a property as code=AUS`);
  const found = [
    ...db.findNodes({ ...(label === undefined ? {} : { label }), where: named.where, limit: SHOWN_MAX + 1 }),
  ];
  const what = `${label === undefined ? 'node' : `node with label ${label}`} with ${text}`;
  if (found.length === 0) throw new DataError('SOMBRA_NODE_NOT_FOUND', `there is no ${what}: sombra find lists nodes`);
  if (found.length > 1) {
    const some = found.slice(0, SHOWN_MAX).map(({ id, labels }) => `${id} (${labels.join(':')})`);
    throw new DataError(
      'SOMBRA_NODE_AMBIGUOUS',
      `there is more than one ${what}: ${some.join(', ')}${found.length > SHOWN_MAX ? ', …' : ''}; give the id, or --label`,
    );
  }
  return found[0]!;
}
