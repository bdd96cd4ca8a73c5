/** Unique indexes: does another record have the same values? */
import type { View } from '@sombra/pager';
import { DataError } from '@sombra/vfs';
import type { Dictionary } from '../names/dictionary.ts';
import { RECORD_KINDS } from '../names/record-kind.ts';
import { RecordReader } from '../records/record-reader.ts';
import { sameValues } from '../values/same-value.ts';
import type { PropertyValue } from '../model/types.ts';
import type { IndexDefinition } from './definition.ts';
import { ID_SIZE, idOf, INDEX_KEY_MAX, type IndexKeyWriter } from './index-key.ts';
import type { PropertyIndex } from './index-set.ts';

/** Gives the property record of a node or edge. */
export interface RecordSource {
  /**
   * @param use  called with bytes[at, at + length), which hold until it returns
   * @returns false when there is no such node or edge
   */
  withProperties(
    view: View,
    on: 'node' | 'edge',
    id: number,
    use: (bytes: Uint8Array, at: number, length: number) => void,
  ): boolean;
}

/** Room for any key that a damaged tree may hold. */
const KEY = new Uint8Array(8192);
const TEXT_MAX = 60;

export class UniqueCheck {
  private readonly source: RecordSource;
  private readonly dictionary: Dictionary;
  private readonly records: RecordReader;

  constructor(source: RecordSource, dictionary: Dictionary) {
    this.source = source;
    this.dictionary = dictionary;
    this.records = new RecordReader(dictionary);
  }

  /**
   * Refuses values that another record has.
   * @param key    of the record, without the id
   * @param id     of the record itself
   * @param bytes  bytes[at, at + length) are its property record
   * @throws DataError SOMBRA_UNIQUE
   */
  refuse(
    view: View,
    index: PropertyIndex,
    key: IndexKeyWriter,
    id: number,
    bytes: Uint8Array,
    at: number,
    length: number,
  ): void {
    const other = this.otherWith(view, index, key, id, bytes, at, length);
    if (other > 0) throw notUnique(index, this.dictionary, this.values(index, bytes, at, length), other, id);
  }

  /** Values of the index's properties in a record that has them all. */
  values(index: IndexDefinition, bytes: Uint8Array, at: number, length: number): PropertyValue[] {
    return index.keyIds.map((key) => this.records.property(bytes, at, length, key)!);
  }

  /** Values of the index's properties of a node or edge; undefined when there is no such. */
  valuesOf(view: View, index: IndexDefinition, id: number): PropertyValue[] | undefined {
    let values: PropertyValue[] | undefined;
    this.source.withProperties(view, index.on, id, (bytes, at, length) => {
      values = this.values(index, bytes, at, length);
    });
    return values;
  }

  /** @returns id of another record with the same values, 0 if there is none */
  private otherWith(
    view: View,
    index: PropertyIndex,
    key: IndexKeyWriter,
    id: number,
    bytes: Uint8Array,
    at: number,
    length: number,
  ): number {
    if (key.exact) return idsWith(view, index, key).find((other) => other !== id) ?? 0;
    const values = this.values(index, bytes, at, length);
    if (!sameValues(values, values)) return 0; // NaN
    for (const other of idsWith(view, index, key)) {
      if (other === id) continue;
      const found = this.valuesOf(view, index, other);
      if (found !== undefined && sameValues(values, found)) return other;
    }
    return 0;
  }
}

/** Ids of the entries with this key. */
function idsWith(view: View, { tree }: PropertyIndex, key: IndexKeyWriter): number[] {
  const found: number[] = [];
  const cursor = tree.cursor(view);
  try {
    for (let more = cursor.seek(key.bytes, key.length); more; more = cursor.next()) {
      const length = cursor.keyInto(KEY);
      if (length !== key.length + ID_SIZE || length > INDEX_KEY_MAX) break;
      let i = 0;
      while (i < key.length && KEY[i] === key.bytes[i]) i += 1;
      if (i < key.length) break;
      found.push(idOf(KEY, length));
    }
  } finally {
    cursor.close();
  }
  return found;
}

/**
 * @param values  undefined when they are not at hand
 * @param id      of the record that cannot have the values; `other` has them
 */
export function notUnique(
  index: IndexDefinition,
  dictionary: Dictionary,
  values: readonly PropertyValue[] | undefined,
  other: number,
  id: number,
): DataError {
  const { on } = index;
  const { names, option } = RECORD_KINDS[on];
  const name = dictionary.name(names, index.name);
  const keys = index.keyIds.map((key) => dictionary.keyName(key));
  const shown =
    values === undefined ? 'these values' : keys.map((key, i) => `${key} = ${shortText(values[i]!)}`).join(', ');
  return new DataError(
    'SOMBRA_UNIQUE',
    `${on} ${id} cannot have ${shown}: ${on} ${other} has it, and the index on ${keys.join(', ')} of '${name}' is unique; give another value, or change or delete ${on} ${other} first`,
    {
      details: {
        on,
        [option]: name,
        keys,
        value: values?.length === 1 ? values[0] : values,
        id: other,
        refused: id,
      },
    },
  );
}

function shortText(value: PropertyValue): string {
  const text =
    typeof value === 'bigint' || typeof value === 'boolean' || typeof value === 'number'
      ? String(value)
      : value instanceof Date
        ? value.toISOString()
        : value instanceof Uint8Array
          ? `${value.length} bytes`
          : JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}
