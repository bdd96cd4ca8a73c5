/**
 * Names and their numbers: labels, edge types, property keys. All in memory; on disk in the tree `dictionary`.
 *
 * Invariants:
 * 1. Names only grow; ids of a kind are 0, 1, 2 … in order of first use.
 * 2. `stored` names of a kind are in the tree as of the running transaction; the names behind them were given a number by
 *    a statement that is still being checked.
 * 3. How many names a view knows is in its counters, so an older snapshot lists no newer name.
 *
 * Source: docs/format/dictionary.md.
 */
import type { BTree } from '@sombra/btree';
import type { View, WriteTransaction } from '@sombra/pager';
import { CorruptionError, DataError, decodeUtf8 } from '@sombra/vfs';
import { ByteWriter, textSize } from '../values/byte-writer.ts';
import { EDGE_TYPES_MAX, LABELS_MAX, NAME_SIZE_MAX, PROPERTY_KEYS_MAX } from '../model/limits.ts';
import { describe } from '../model/options.ts';

/** Kinds of names; the first byte of a dictionary key. */
export const NAME_KIND = { label: 1, edgeType: 2, propertyKey: 3 } as const;
export type NameKind = (typeof NAME_KIND)[keyof typeof NAME_KIND];

/** First byte of keys that hold definitions of property indexes; they follow all names. See property-index/definition.ts. */
export const INDEX_KIND = 4;

/** Dictionary key: kind, id as a big-endian u32. The value is the name in UTF-8. */
export const DICTIONARY_KIND_OFFSET = 0;
export const DICTIONARY_ID_OFFSET = DICTIONARY_KIND_OFFSET + 1;
export const DICTIONARY_KEY_SIZE = DICTIONARY_ID_OFFSET + 4;

/** Counters of the roots page that hold the catalogue version and the number of names per kind. */
export const COUNTER_CATALOGUE_VERSION = 2;
export const COUNTER_NAMES = { 1: 5, 2: 6, 3: 7 } as const;

/** Counter of the roots page that grows with each property index that is created or dropped. */
export const COUNTER_INDEX_VERSION = 8;

const WORDS = { 1: 'label', 2: 'edge type', 3: 'property key' } as const;
const LIMITS = { 1: LABELS_MAX, 2: EDGE_TYPES_MAX, 3: PROPERTY_KEYS_MAX } as const;
const KINDS = [1, 2, 3] as const;

/** Room for any key that a damaged tree may hold. */
const KEY_SCRATCH = new Uint8Array(8192);

/** The names of one kind. */
class NameTable {
  readonly names: string[] = [];
  readonly ids = new Map<string, number>();
  stored = 0;
}

/** How many names of each kind there were. */
export type DictionaryMark = readonly [number, number, number];

export class Dictionary {
  private readonly tables = { 1: new NameTable(), 2: new NameTable(), 3: new NameTable() } as const;
  private readonly key = new Uint8Array(DICTIONARY_KEY_SIZE);
  private readonly writer = new ByteWriter();
  private version = -1;
  /** Called after names were taken back: what was decoded with them is void. */
  private readonly onTakenBack: () => void;

  constructor(onTakenBack: () => void) {
    this.onTakenBack = onTakenBack;
  }

  /**
   * Loads what a view knows, if that is newer than what is in memory.
   * @throws CorruptionError SOMBRA_DICTIONARY
   */
  refresh(view: View, tree: BTree): void {
    const version = view.counter(COUNTER_CATALOGUE_VERSION);
    if (version === this.version) return;
    this.truncate([0, 0, 0]);
    const indexed = view.counter(COUNTER_INDEX_VERSION) > 0;
    const cursor = tree.cursor(view);
    try {
      for (let more = cursor.first(); more; more = cursor.next()) {
        const length = cursor.keyInto(KEY_SCRATCH);
        // Definitions of indexes are read when they are asked for. Where none was ever created, this is no definition.
        if (length === DICTIONARY_KEY_SIZE && KEY_SCRATCH[DICTIONARY_KIND_OFFSET] === INDEX_KIND && indexed) continue;
        this.load(KEY_SCRATCH, length, cursor.value());
      }
    } finally {
      cursor.close();
    }
    for (const kind of KINDS) {
      const table = this.tables[kind];
      table.stored = table.names.length;
      if (table.stored !== view.counter(COUNTER_NAMES[kind])) {
        throw damaged(
          `it holds ${table.stored} names of kind '${WORDS[kind]}', the counter says ${view.counter(COUNTER_NAMES[kind])}`,
        );
      }
    }
    this.version = version;
  }

  /** Id of a name that must exist, -1 if it does not. */
  find(kind: NameKind, name: string): number {
    return this.tables[kind].ids.get(name) ?? -1;
  }

  /** Name behind an id. @throws CorruptionError SOMBRA_DICTIONARY for an id that no name has */
  name(kind: NameKind, id: number): string {
    const name = this.tables[kind].names[id];
    if (name === undefined) throw damaged(`there is no ${WORDS[kind]} with number ${id}`);
    return name;
  }

  /** Names of a kind that a view knows, in order of first use. The array is the caller's. */
  names(kind: NameKind, count: number): string[] {
    return this.tables[kind].names.slice(0, count);
  }

  /** Number of names in memory. */
  count(kind: NameKind): number {
    return this.tables[kind].names.length;
  }

  /** For RecordNames. */
  labelName(id: number): string {
    return this.name(NAME_KIND.label, id);
  }

  /** For RecordNames. */
  keyName(id: number): string {
    return this.name(NAME_KIND.propertyKey, id);
  }

  /** For KeyNumbers. */
  keyId(name: string): number {
    return this.tables[3].ids.get(name) ?? this.add(NAME_KIND.propertyKey, name);
  }

  /**
   * Id of a name, which is added when it is new; `store` writes it later, `truncate` takes it back.
   * @throws DataError SOMBRA_LABEL_EMPTY, SOMBRA_NAME_TOO_LONG, SOMBRA_TEXT_SURROGATE, SOMBRA_DICTIONARY_FULL
   */
  intern(kind: NameKind, name: string): number {
    return this.tables[kind].ids.get(name) ?? this.add(kind, name);
  }

  /**
   * Ids of one label or a list of labels, as callers give them; repeated ones count once.
   * @param into  receives them
   * @throws DataError SOMBRA_VALUE_KIND, and as `intern`
   */
  internLabels(labels: string | readonly string[], into: number[]): void {
    if (typeof labels === 'string') {
      into.push(this.intern(NAME_KIND.label, labels));
      return;
    }
    if (!Array.isArray(labels))
      throw new DataError('SOMBRA_VALUE_KIND', `labels are a string or a list of strings, not ${describe(labels)}`);
    for (const label of labels as readonly string[]) {
      const id = this.intern(NAME_KIND.label, label);
      if (!into.includes(id)) into.push(id);
    }
  }

  /** Where the names end now, for `truncate`. */
  mark(): DictionaryMark {
    return [this.tables[1].names.length, this.tables[2].names.length, this.tables[3].names.length];
  }

  /** Takes back the names added since a mark. */
  truncate(mark: DictionaryMark): void {
    let changed = false;
    for (const kind of KINDS) {
      const table = this.tables[kind];
      const length = mark[kind - 1]!;
      if (table.names.length <= length) continue;
      changed = true;
      for (const name of table.names.splice(length)) table.ids.delete(name);
      table.stored = Math.min(table.stored, length);
    }
    if (changed) this.onTakenBack();
  }

  /** Is there a name that `store` would write? */
  get hasNew(): boolean {
    const { tables } = this;
    return (
      tables[1].stored < tables[1].names.length ||
      tables[2].stored < tables[2].names.length ||
      tables[3].stored < tables[3].names.length
    );
  }

  /** Writes the new names into the tree and the counters. */
  store(tx: WriteTransaction, tree: BTree): void {
    if (!this.hasNew) return;
    for (const kind of KINDS) {
      this.write(kind, this.tables[kind].stored, (key, value, length) => {
        tree.put(tx, key, key.length, value, 0, length);
      });
    }
    this.allStored(tx);
  }

  /** Gives all names as keys and values of the tree, in the order of the keys; both arrays are reused. */
  forEach(visit: (key: Uint8Array, value: Uint8Array, length: number) => void): void {
    for (const kind of KINDS) this.write(kind, 0, visit);
  }

  /** Sets the counters: the tree now holds all names. */
  allStored(tx: WriteTransaction): void {
    if (!this.hasNew) return;
    for (const kind of KINDS) {
      const table = this.tables[kind];
      if (table.stored !== table.names.length) tx.setCounter(COUNTER_NAMES[kind], table.names.length);
      table.stored = table.names.length;
    }
    tx.setCounter(COUNTER_CATALOGUE_VERSION, tx.view.counter(COUNTER_CATALOGUE_VERSION) + 1);
  }

  /** Call when a transaction that stored names was committed or taken back: `view` is what holds now. */
  settle(view: View): void {
    this.version = view.counter(COUNTER_CATALOGUE_VERSION);
  }

  /** Encodes the names of a kind from number `first` on. */
  private write(
    kind: NameKind,
    first: number,
    visit: (key: Uint8Array, value: Uint8Array, length: number) => void,
  ): void {
    const { names } = this.tables[kind];
    const { key, writer } = this;
    for (let id = first; id < names.length; id += 1) {
      writeDictionaryKey(key, kind, id);
      writer.length = 0;
      writer.utf8(names[id]!, textSize(names[id]!));
      visit(key, writer.bytes, writer.length);
    }
  }

  private add(kind: NameKind, name: string): number {
    const table = this.tables[kind];
    checkName(kind, name);
    const id = table.names.length;
    if (id >= LIMITS[kind]) {
      throw new DataError(
        'SOMBRA_DICTIONARY_FULL',
        `the database has ${id} different names of kind '${WORDS[kind]}', which is the limit: put what varies into property values`,
      );
    }
    table.names.push(name);
    table.ids.set(name, id);
    return id;
  }

  private load(key: Uint8Array, length: number, value: Uint8Array): void {
    const kind = key[0] as NameKind;
    const table = this.tables[kind] as NameTable | undefined;
    if (length !== DICTIONARY_KEY_SIZE || table === undefined) throw damaged('it holds a key of an unknown kind');
    const id = readDictionaryNumber(key);
    if (id !== table.names.length) throw damaged(`number ${table.names.length} of kind '${WORDS[kind]}' is missing`);
    if (value.length > NAME_SIZE_MAX) throw damaged(`a name of kind '${WORDS[kind]}' has ${value.length} bytes`);
    const name = decodeUtf8(value, 0, value.length);
    if (name === undefined) throw damaged(`a name of kind '${WORDS[kind]}' is no UTF-8`);
    if (name === '' && kind !== NAME_KIND.propertyKey) throw damaged(`a name of kind '${WORDS[kind]}' is empty`);
    if (table.ids.has(name)) throw damaged(`a name of kind '${WORDS[kind]}' occurs twice`);
    table.names.push(name);
    table.ids.set(name, id);
  }
}

/** Number in the key of a name. */
export function readDictionaryNumber(key: Uint8Array): number {
  return ((key[1]! << 24) | (key[2]! << 16) | (key[3]! << 8) | key[4]!) >>> 0;
}

/** Writes the key of a name. */
export function writeDictionaryKey(key: Uint8Array, kind: number, id: number): void {
  key[DICTIONARY_KIND_OFFSET] = kind;
  key[DICTIONARY_ID_OFFSET] = id >>> 24;
  key[DICTIONARY_ID_OFFSET + 1] = id >>> 16;
  key[DICTIONARY_ID_OFFSET + 2] = id >>> 8;
  key[DICTIONARY_ID_OFFSET + 3] = id;
}

/**
 * Refuses what cannot be a name.
 * @throws DataError SOMBRA_LABEL_EMPTY, SOMBRA_NAME_TOO_LONG, SOMBRA_TEXT_SURROGATE, SOMBRA_VALUE_KIND
 */
export function checkName(kind: NameKind, name: string): void {
  if (typeof name !== 'string')
    throw new DataError('SOMBRA_VALUE_KIND', `a ${WORDS[kind]} is a string, not ${describe(name)}`);
  if (name === '' && kind !== NAME_KIND.propertyKey)
    throw new DataError('SOMBRA_LABEL_EMPTY', `a ${WORDS[kind]} cannot be empty`);
  const size = textSize(name);
  if (size > NAME_SIZE_MAX) {
    throw new DataError(
      'SOMBRA_NAME_TOO_LONG',
      `a ${WORDS[kind]} has at most ${NAME_SIZE_MAX} bytes of UTF-8, this one has ${size}`,
    );
  }
}

function damaged(what: string): CorruptionError {
  return new CorruptionError(
    'SOMBRA_DICTIONARY',
    `the dictionary of names is damaged: ${what}; run verify, restore from a backup`,
  );
}
