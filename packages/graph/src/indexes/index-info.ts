import type { Dictionary } from '../names/dictionary.ts';
import { RECORD_KINDS } from '../names/record-kind.ts';
import type { IndexDefinition } from './definition.ts';

/** What an index is on. `name`: label or edge type. */
export interface PropertyIndexName {
  readonly on: 'node' | 'edge';
  readonly name: string;
  readonly keys: readonly string[];
  readonly unique: boolean;
}

/** A property index. `entries`: nodes or edges in it. */
export interface PropertyIndexInfo extends PropertyIndexName {
  readonly entries: number;
}

/** An index by the names behind its numbers. */
export function indexInfo(index: IndexDefinition, dictionary: Dictionary): PropertyIndexName {
  return {
    on: index.on,
    name: dictionary.name(RECORD_KINDS[index.on].names, index.name),
    keys: index.keyIds.map((key) => dictionary.keyName(key)),
    unique: index.unique,
  };
}
