/**
 * What a statement changes in property indexes. While the statement is checked, the keys that the record had and will have are
 * gathered, and unique ones are looked for; when it is carried out, they are put in place. Memory is reused.
 */
import type { BTree } from '@sombra/btree';
import type { View, WriteTransaction } from '@sombra/pager';
import type { Dictionary } from '../names/dictionary.ts';
import { RecordReader } from '../records/record-reader.ts';
import { damagedIndex } from './definition.ts';
import { ID_SIZE, IndexKeyWriter } from './index-key.ts';
import type { PropertyIndex, PropertyIndexSet } from './index-set.ts';
import { OrderedValue } from '../values/ordered-value.ts';
import { type RecordSource, UniqueCheck } from './unique.ts';

const NO_BYTES = new Uint8Array(0);

/** One index with the keys, without id, that a record had and will have in it; length 0: none. */
class Change {
  index!: PropertyIndex;
  readonly before = new IndexKeyWriter();
  readonly after = new IndexKeyWriter();

  begin(index: PropertyIndex): void {
    this.index = index;
    this.before.clear();
    this.after.clear();
  }

  get same(): boolean {
    const { before, after } = this;
    if (before.length !== after.length) return false;
    for (let i = 0; i < after.length; i += 1) if (before.bytes[i] !== after.bytes[i]) return false;
    return after.exact || !this.index.unique;
  }
}

/** Gathers the changes of one statement at a time; one per writer. */
export class IndexChanges {
  private readonly changes: Change[] = [];
  private count = 0;
  private readonly records: RecordReader;
  private readonly value = new OrderedValue();
  private readonly unique: UniqueCheck;

  constructor(dictionary: Dictionary, source: RecordSource) {
    this.records = new RecordReader(dictionary);
    this.unique = new UniqueCheck(source, dictionary);
  }

  /** A new statement. */
  begin(): void {
    this.count = 0;
  }

  /** Nothing to do? */
  get isEmpty(): boolean {
    return this.count === 0;
  }

  /**
   * The record as it is, before it changes.
   * @param names  its labels, or its type
   * @param bytes  bytes[at, at + length) are its property record
   */
  before(
    set: PropertyIndexSet,
    on: 'node' | 'edge',
    names: readonly number[],
    bytes: Uint8Array,
    at: number,
    length: number,
  ): void {
    for (let i = 0; i < names.length; i += 1) {
      for (const index of set.of(on, names[i]!)) {
        const change = this.changeOf(index);
        if (!change.before.record(this.records, bytes, at, length, index.keyIds, this.value)) change.before.clear();
      }
    }
  }

  /** The record as it will be. Parameters as `before`. */
  after(
    set: PropertyIndexSet,
    on: 'node' | 'edge',
    names: readonly number[],
    bytes: Uint8Array,
    at: number,
    length: number,
  ): void {
    for (let i = 0; i < names.length; i += 1) {
      for (const index of set.of(on, names[i]!)) {
        const change = this.changeOf(index);
        if (!change.after.record(this.records, bytes, at, length, index.keyIds, this.value)) change.after.clear();
      }
    }
  }

  /**
   * Looks for others that have what must be unique. Call before anything is changed.
   * @param id      of the record
   * @param bytes   bytes[at, at + length) are its property record as it will be
   * @throws DataError SOMBRA_UNIQUE
   */
  check(view: View, id: number, bytes: Uint8Array, at: number, length: number): void {
    for (let i = 0; i < this.count; i += 1) {
      const { index, after } = this.changes[i]!;
      if (!index.unique || after.length === 0 || this.changes[i]!.same) continue;
      this.unique.refuse(view, index, after, id, bytes, at, length);
    }
  }

  /** Puts the changes in place. @throws CorruptionError SOMBRA_PROPERTY_INDEX, and those of trees */
  apply(tx: WriteTransaction, id: number): void {
    for (let i = 0; i < this.count; i += 1) {
      const change = this.changes[i]!;
      const { before, after, index } = change;
      if (sameKey(before, after)) continue;
      if (before.length > 0) remove(tx, index.tree, before, id);
      if (after.length > 0) insert(tx, index.tree, after, id);
    }
    this.count = 0;
  }

  private changeOf(index: PropertyIndex): Change {
    for (let i = 0; i < this.count; i += 1) if (this.changes[i]!.index === index) return this.changes[i]!;
    const change = (this.changes[this.count] ??= new Change());
    change.begin(index);
    this.count += 1;
    return change;
  }
}

function sameKey(a: IndexKeyWriter, b: IndexKeyWriter): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a.bytes[i] !== b.bytes[i]) return false;
  return true;
}

function insert(tx: WriteTransaction, tree: BTree, key: IndexKeyWriter, id: number): void {
  key.id(id);
  const inserted = tree.insert(tx, key.bytes, key.length, NO_BYTES, 0, 0);
  key.length -= ID_SIZE;
  if (!inserted) throw damagedIndex(`tree '${tree.name}' has an entry of ${id} that should not be there`);
}

function remove(tx: WriteTransaction, tree: BTree, key: IndexKeyWriter, id: number): void {
  key.id(id);
  const removed = tree.delete(tx, key.bytes, key.length);
  key.length -= ID_SIZE;
  if (!removed) throw damagedIndex(`tree '${tree.name}' lacks the entry of ${id}`);
}
