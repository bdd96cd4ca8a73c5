/** The property indexes of a graph that is filled by a bulk load. */
import { BulkBuilder, type BulkTree } from '@sombra/btree';
import type { BulkWriter, View, WriteTransaction } from '@sombra/pager';
import { DataError } from '@sombra/vfs';
import { RecordReader } from '../records/record-reader.ts';
import type { GraphStore } from '../store/store.ts';
import type { Steps } from '../model/steps.ts';
import type { PropertyValue } from '../model/types.ts';
import { buildIndex, type ValueSource } from '../indexes/build-index.ts';
import { ID_SIZE, INDEX_KEY_MAX, idOf, IndexKeyWriter } from '../indexes/index-key.ts';
import type { PropertyIndex, PropertyIndexSet } from '../indexes/index-set.ts';
import { type KeyStream, KeySorter, SORT_BYTES } from '../sorting/key-sorter.ts';
import { OrderedValue } from '../values/ordered-value.ts';
import { valuesOfKey } from '../indexes/key-values.ts';
import { notUnique, UniqueCheck } from '../indexes/unique.ts';

/** Least memory for the keys of one index; all together take that of one sorter as long as that is more. */
const SORT_BYTES_MIN = 1024 * 1024;
/** Behind the key in a unique index: where the whole record lies in scratch space, and its size; 0 when the key is exact. */
const PLACE_SIZE = 6 + 4;

interface Gathered {
  readonly index: PropertyIndex;
  readonly sorter: KeySorter;
}

export class BulkPropertyIndexes {
  private readonly store: GraphStore;
  private readonly writer: BulkWriter;
  private readonly set: PropertyIndexSet;
  private readonly gathered = new Map<PropertyIndex, Gathered>();
  private readonly records: RecordReader;
  private readonly key = new IndexKeyWriter();
  private readonly value = new OrderedValue();
  private readonly built: { readonly index: PropertyIndex; readonly tree: BulkTree }[] = [];

  /** @param sortBytes  bytes of keys to gather for each index; for tests */
  constructor(store: GraphStore, writer: BulkWriter, view: View, sortBytes?: number) {
    this.store = store;
    this.writer = writer;
    this.set = store.indexes.of(view);
    this.records = new RecordReader(store.dictionary);
    const { all } = this.set;
    const bytes = sortBytes ?? Math.max(SORT_BYTES_MIN, Math.floor(SORT_BYTES / Math.max(1, all.length)));
    for (const index of all) {
      const keyMax = INDEX_KEY_MAX + (index.unique ? PLACE_SIZE : 0);
      this.gathered.set(index, { index, sorter: new KeySorter(keyMax, () => writer.scratch(), bytes) });
    }
  }

  /** Takes a row. @param names  its labels, or its type @param bytes  bytes[at, at + length) are its property record */
  add(on: 'node' | 'edge', names: readonly number[], id: number, bytes: Uint8Array, at: number, length: number): void {
    for (let i = 0; i < names.length; i += 1) {
      for (const index of this.set.of(on, names[i]!)) {
        const { key } = this;
        if (!key.record(this.records, bytes, at, length, index.keyIds, this.value)) continue;
        key.id(id);
        if (index.unique) this.addPlace(bytes, at, length);
        this.gathered.get(index)!.sorter.add(key.bytes, key.length);
      }
    }
  }

  /**
   * Builds the trees.
   * @param first  ids of the first rows
   * @param row    called for each entry. @returns is it time to yield?
   * @throws DataError SOMBRA_UNIQUE, with the number of the row
   */
  *build(first: FirstIds, row: () => boolean): Steps<void> {
    const { store, writer } = this;
    for (const { index, sorter } of this.gathered.values()) {
      const builder = new BulkBuilder(writer, index.tree.treeId, store.pager.pageSize);
      const sorted = sorter.sorted();
      const keys = index.unique ? new PlacedKeys(sorted, store, writer, first) : sorted;
      const source = keys instanceof PlacedKeys ? keys : NO_SOURCE;
      this.built.push({ index, tree: yield* buildIndex(builder, keys, index, source, row) });
    }
  }

  /** Puts the trees in the place of the empty ones. */
  publish(tx: WriteTransaction): void {
    for (const { index, tree } of this.built) {
      const { slot } = index.tree;
      index.tree.clear(tx);
      tx.free(tx.view.treeRoot(slot));
      tx.setTreeRoot(slot, tree.root);
      tx.addTreeCount(slot, tree.count);
    }
  }

  /** Appends where the record lies, once it was written to scratch space, which only keys need that are not exact. */
  private addPlace(bytes: Uint8Array, at: number, length: number): void {
    const { key } = this;
    let offset = 0;
    if (!key.exact) {
      const scratch = this.writer.scratch();
      offset = scratch.size;
      scratch.append(bytes.subarray(at, at + length));
    }
    key.id(offset);
    const size = key.exact ? 0 : length;
    for (let shift = 24; shift >= 0; shift -= 8) key.byte((size >>> shift) & 0xff);
  }
}

/** Ids of the first rows of a load. */
export interface FirstIds {
  readonly node: number;
  readonly edge: number;
}

const NO_SOURCE: ValueSource = {
  values: () => undefined,
  duplicate: (index) => new Error(`index ${index.number} is not unique`),
};

/** Keys of a unique index without the places behind them, and the values that these lead to. */
class PlacedKeys implements KeyStream, ValueSource {
  length = 0;
  private readonly keys: KeyStream;
  private readonly first: FirstIds;
  private readonly writer: BulkWriter;
  private readonly store: GraphStore;
  private readonly unique: UniqueCheck;
  private last = new Uint8Array(0);
  /** Of the entries with the key that is being read. */
  private readonly places = new Map<number, { readonly offset: number; readonly size: number }>();

  constructor(keys: KeyStream, store: GraphStore, writer: BulkWriter, first: FirstIds) {
    this.keys = keys;
    this.first = first;
    this.store = store;
    this.writer = writer;
    this.unique = new UniqueCheck(store, store.dictionary);
  }

  get key(): Uint8Array {
    return this.keys.key;
  }

  next(): boolean {
    const { keys, places } = this;
    if (!keys.next()) return false;
    const { key } = keys;
    this.length = keys.length - PLACE_SIZE;
    const size = this.length - ID_SIZE;
    if (this.last.length !== size || !this.last.every((byte, i) => byte === key[i])) {
      this.last = key.slice(0, size);
      places.clear();
    }
    const view = new DataView(key.buffer, key.byteOffset + this.length);
    places.set(idOf(key, this.length), {
      offset: view.getUint16(0) * 2 ** 32 + view.getUint32(2),
      size: view.getUint32(6),
    });
    return true;
  }

  values(index: PropertyIndex, id: number): PropertyValue[] | undefined {
    const place = this.places.get(id);
    if (place === undefined || place.size === 0) return undefined;
    const record = new Uint8Array(place.size);
    this.writer.scratch().read(place.offset, record);
    return this.unique.values(index, record, 0, record.length);
  }

  duplicate(index: PropertyIndex, other: number, id: number): Error {
    const values = this.values(index, id) ?? valuesOfKey(this.last);
    const { code, message, details } = notUnique(index, this.store.dictionary, values, other, id);
    return new DataError(code, message, { details: { ...details, row: id - this.first[index.on] } });
  }
}
