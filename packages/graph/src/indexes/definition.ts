/**
 * Definition of a property index: value of the tree `dictionary` under kind 4 and the number of the index. Little-endian.
 *
 *   offset  size  field     notes
 *        0     1  format    format number in the high four bits (1), flags in the low ones: 1 edges, 2 unique
 *        1     1  keyCount  1 to 8
 *        2     2  name      number of the label or edge type
 *        4        keys      4 bytes per property key
 *
 * Source: docs/format/property-index.md. index-key.test.ts compares its table with these constants.
 */
import { CorruptionError, DataError } from '@sombra/vfs';
import { describe } from '../model/options.ts';
import { INDEX_KEYS_MAX } from './index-key.ts';

export const DEFINITION_FORMAT = 1;
export const DEFINITION_FORMAT_OFFSET = 0;
export const DEFINITION_KEY_COUNT_OFFSET = DEFINITION_FORMAT_OFFSET + 1;
export const DEFINITION_NAME_OFFSET = DEFINITION_KEY_COUNT_OFFSET + 1;
export const DEFINITION_KEYS_OFFSET = DEFINITION_NAME_OFFSET + 2;
export const DEFINITION_KEY_SIZE = 4;
export const DEFINITION_EDGES = 1;
export const DEFINITION_UNIQUE = 2;

/** What an index is on. */
export interface IndexDefinition {
  /** Number that no other index of this file has or had. */
  readonly number: number;
  readonly on: 'node' | 'edge';
  /** Number of the label or edge type. */
  readonly name: number;
  readonly keyIds: readonly number[];
  readonly unique: boolean;
}

/** Name of the tree that holds an index. */
export function indexTreeName(number: number): string {
  return `index-${number}`;
}

/** Number of the index that a tree of this name holds, -1 for other trees. */
export function indexNumberOf(treeName: string): number {
  const match = /^index-([1-9]\d{0,15})$/.exec(treeName);
  return match === null ? -1 : Number(match[1]);
}

export function encodeDefinition({ on, name, keyIds, unique }: IndexDefinition): Uint8Array {
  const bytes = new Uint8Array(DEFINITION_KEYS_OFFSET + keyIds.length * DEFINITION_KEY_SIZE);
  const view = new DataView(bytes.buffer);
  bytes[DEFINITION_FORMAT_OFFSET] =
    (DEFINITION_FORMAT << 4) | (on === 'edge' ? DEFINITION_EDGES : 0) | (unique ? DEFINITION_UNIQUE : 0);
  bytes[DEFINITION_KEY_COUNT_OFFSET] = keyIds.length;
  view.setUint16(DEFINITION_NAME_OFFSET, name, true);
  keyIds.forEach((key, i) => view.setUint32(DEFINITION_KEYS_OFFSET + i * DEFINITION_KEY_SIZE, key, true));
  return bytes;
}

/** @throws CorruptionError SOMBRA_PROPERTY_INDEX */
export function decodeDefinition(number: number, bytes: Uint8Array): IndexDefinition {
  const flags = bytes[DEFINITION_FORMAT_OFFSET]! & 15;
  const keyCount = bytes[DEFINITION_KEY_COUNT_OFFSET]!;
  if (
    bytes.length < DEFINITION_KEYS_OFFSET ||
    bytes[DEFINITION_FORMAT_OFFSET]! >> 4 !== DEFINITION_FORMAT ||
    flags > (DEFINITION_EDGES | DEFINITION_UNIQUE) ||
    keyCount < 1 ||
    keyCount > INDEX_KEYS_MAX ||
    bytes.length !== DEFINITION_KEYS_OFFSET + keyCount * DEFINITION_KEY_SIZE
  ) {
    throw damagedIndex(`the definition of index ${number} is invalid; a newer version of Sombra may have written it`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    number,
    on: (flags & DEFINITION_EDGES) === 0 ? 'node' : 'edge',
    name: view.getUint16(DEFINITION_NAME_OFFSET, true),
    keyIds: Array.from({ length: keyCount }, (_, i) =>
      view.getUint32(DEFINITION_KEYS_OFFSET + i * DEFINITION_KEY_SIZE, true),
    ),
    unique: (flags & DEFINITION_UNIQUE) !== 0,
  };
}

/**
 * Names of the properties of an index.
 * @throws DataError SOMBRA_OPTION
 */
export function indexKeys(keys: string | readonly string[]): string[] {
  const list = typeof keys === 'string' ? [keys] : keys;
  if (!Array.isArray(list) || list.some((key) => typeof key !== 'string'))
    throw new DataError('SOMBRA_OPTION', `the keys of an index are a name or a list of names, not ${describe(keys)}`);
  if (list.length < 1 || list.length > INDEX_KEYS_MAX)
    throw new DataError('SOMBRA_OPTION', `an index is on 1 to ${INDEX_KEYS_MAX} properties, not on ${list.length}`);
  if (new Set(list).size !== list.length)
    throw new DataError('SOMBRA_OPTION', 'a property occurs twice among the keys of an index: name each once');
  return [...(list as readonly string[])];
}

/** An index or definition whose bytes are invalid. */
export function damagedIndex(what: string): CorruptionError {
  return new CorruptionError(
    'SOMBRA_PROPERTY_INDEX',
    `a property index is damaged: ${what}; run verify, then drop and create the index, or restore from a backup`,
  );
}
