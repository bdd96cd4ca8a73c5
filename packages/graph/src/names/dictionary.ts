/**
 * Names and their numbers: labels, edge types, property keys. All in memory; on disk in the tree `dictionary`.
 *
 * Invariants:
 * 1. Names only grow; ids of a kind are 0, 1, 2 … in order of first use.
 * 2. published <= stored <= number of names in memory, for each kind. Published names are in a commit that every connection
 *    sees, so they never change. Stored names are in the tree as of the running transaction, or in a commit that waits for its
 *    sync. The others were given a number by a statement that is still being checked.
 * 3. How many names a view knows is in its counters, so an older snapshot lists no newer name.
 * 4. `refresh` changes nothing before everything that it needs has been read: after an error the names are those from before.
 *
 * Source: docs/format/dictionary.md.
 */
import { COUNTER } from '../model/counters.ts';
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

/** Counter of the number of names, per kind. */
const NAME_COUNTER = { 1: COUNTER.labels, 2: COUNTER.edgeTypes, 3: COUNTER.propertyKeys } as const;

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
  published = 0;
}

/** Names of one kind that a commit has, from number `first` on, until all of them are read. */
class NewNames {
  readonly first: number;
  readonly names: string[] = [];
  private readonly kind: NameKind;
  private readonly known: NameTable;
  private readonly ids = new Set<string>();

  constructor(kind: NameKind, known: NameTable) {
    this.kind = kind;
    this.known = known;
    this.first = known.published;
  }

  /** Takes the entry of the tree that comes next. @throws CorruptionError SOMBRA_DICTIONARY */
  take(id: number, value: Uint8Array): void {
    const { kind, first, names, known, ids } = this;
    const word = WORDS[kind];
    if (id !== first + names.length) throw damaged(`number ${first + names.length} of kind '${word}' is missing`);
    if (value.length > NAME_SIZE_MAX) throw damaged(`a name of kind '${word}' has ${value.length} bytes`);
    const name = decodeUtf8(value, 0, value.length);
    if (name === undefined) throw damaged(`a name of kind '${word}' is not UTF-8`);
    if (name === '' && kind !== NAME_KIND.propertyKey) throw damaged(`a name of kind '${word}' is empty`);
    if (ids.has(name) || (known.ids.get(name) ?? first) < first) throw damaged(`a name of kind '${word}' occurs twice`);
    ids.add(name);
    names.push(name);
  }

  /** @param counted  number of names that the counter of the commit tells */
  check(counted: number): void {
    const found = this.first + this.names.length;
    if (found !== counted)
      throw damaged(`it holds ${found} names of kind '${WORDS[this.kind]}', the counter says ${counted}`);
  }
}

/** How many names of each kind there were. */
export type DictionaryMark = readonly [number, number, number];

export class Dictionary {
  private readonly tables = { 1: new NameTable(), 2: new NameTable(), 3: new NameTable() } as const;
  private readonly key = new Uint8Array(DICTIONARY_KEY_SIZE);
  private readonly writer = new ByteWriter();
  /** Catalogue version of the newest commit whose names are all published here; -1 before the first is loaded. */
  private version = -1;
  /** That of the commit that is being made. */
  private nextVersion = -1;
  /** Called after names were taken back: what was decoded with them is void. */
  private readonly onTakenBack: () => void;

  constructor(onTakenBack: () => void) {
    this.onTakenBack = onTakenBack;
  }

  /**
   * Loads the names that other connections have committed since. Only those are read.
   * @param view  of a commit; one whose names are known changes nothing
   * @throws CorruptionError SOMBRA_DICTIONARY, and what reading pages throws; nothing has changed then
   */
  refresh(view: View, tree: BTree): void {
    const version = view.counter(COUNTER.catalogueVersion);
    if (version <= this.version) return;
    const { tables } = this;
    const added = KINDS.map((kind) => new NewNames(kind, tables[kind]));
    if (this.version < 0) readAll(view, tree, added);
    else for (const kind of KINDS) this.readNew(view, tree, kind, added[kind - 1]!);
    for (const kind of KINDS) added[kind - 1]!.check(view.counter(NAME_COUNTER[kind]));
    // Nothing fails from here on. Names past the published ones were part of a commit that was never made.
    this.truncate([tables[1].published, tables[2].published, tables[3].published]);
    for (const kind of KINDS) {
      const table = tables[kind];
      for (const name of added[kind - 1]!.names) {
        table.ids.set(name, table.names.length);
        table.names.push(name);
      }
      table.stored = table.published = table.names.length;
    }
    this.version = version;
  }

  private readNew(view: View, tree: BTree, kind: NameKind, into: NewNames): void {
    if (view.counter(NAME_COUNTER[kind]) === into.first) return;
    writeDictionaryKey(this.key, kind, into.first);
    const cursor = tree.cursor(view);
    try {
      for (let more = cursor.seek(this.key, DICTIONARY_KEY_SIZE); more; more = cursor.next()) {
        const length = cursor.keyInto(KEY_SCRATCH);
        if (KEY_SCRATCH[DICTIONARY_KIND_OFFSET] !== kind) return;
        if (length !== DICTIONARY_KEY_SIZE) throw damaged('it holds a key of an unknown kind');
        into.take(readDictionaryNumber(KEY_SCRATCH), cursor.value());
      }
    } finally {
      cursor.close();
    }
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
      table.published = Math.min(table.published, length);
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
      if (table.stored !== table.names.length) tx.setCounter(NAME_COUNTER[kind], table.names.length);
      table.stored = table.names.length;
    }
    tx.setCounter(COUNTER.catalogueVersion, tx.view.counter(COUNTER.catalogueVersion) + 1);
  }

  /** The transaction is about to be committed. @param view  its own */
  committing(view: View): void {
    this.nextVersion = view.counter(COUNTER.catalogueVersion);
  }

  /** The commit that `committing` announced is published, and with it all that were made before it. */
  committed(): void {
    for (const kind of KINDS) this.tables[kind].published = this.tables[kind].stored;
    this.version = this.nextVersion;
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
        `the database has ${id} different names of kind '${WORDS[kind]}', which is the limit, and names are never removed, even when they are no longer used: put what varies into property values; an export into a new file leaves unused names behind`,
      );
    }
    table.names.push(name);
    table.ids.set(name, id);
    return id;
  }
}

/** Reads all names, and refuses entries that are neither a name nor the definition of an index. */
function readAll(view: View, tree: BTree, added: readonly NewNames[]): void {
  const indexed = view.counter(COUNTER.indexVersion) > 0;
  const cursor = tree.cursor(view);
  try {
    for (let more = cursor.first(); more; more = cursor.next()) {
      const length = cursor.keyInto(KEY_SCRATCH);
      const kind = KEY_SCRATCH[DICTIONARY_KIND_OFFSET]!;
      // Definitions of indexes are read when they are asked for. Where none was ever created, this is no definition.
      if (length === DICTIONARY_KEY_SIZE && kind === INDEX_KIND && indexed) continue;
      const into = added[kind - 1];
      if (length !== DICTIONARY_KEY_SIZE || into === undefined) throw damaged('it holds a key of an unknown kind');
      into.take(readDictionaryNumber(KEY_SCRATCH), cursor.value());
    }
  } finally {
    cursor.close();
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
 * Refuses an invalid name.
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
