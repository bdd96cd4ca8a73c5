import type { View } from '@sombra/pager';
import { readU48 } from '../values/u48.ts';
import type { Findings } from '../model/findings.ts';
import { NeighbourCheck, type ValueSource } from '../indexes/build-index.ts';
import { damagedIndex } from '../indexes/definition.ts';
import { ID_SIZE, INDEX_KEY_MAX, IndexKeyWriter } from '../indexes/index-key.ts';
import { loadIndexes, type PropertyIndex, PropertyIndexSet } from '../indexes/index-set.ts';
import { OrderedValue } from '../values/ordered-value.ts';
import type { RecordTable } from '../store/record-table.ts';
import type { RecordReader } from '../records/record-reader.ts';
import type { Steps } from '../model/steps.ts';
import type { GraphStore } from '../store/store.ts';
import { recordReader, scan } from './verify-records.ts';

const KEY = new Uint8Array(8192);

/** Checks every property index against the records, both ways, and that what must be unique is. */
export function* verifyPropertyIndexes(store: GraphStore, view: View, findings: Findings): Steps<void> {
  let indexes: readonly PropertyIndex[] = [];
  findings.attempt('indexErrors', '', () => {
    indexes = loadIndexes(view, store.dictionaryTree);
  });
  if (indexes.length === 0) return;
  const check = new IndexCheck(store, view, findings);
  for (const index of indexes) yield* check.entries(index);
  const set = new PropertyIndexSet(indexes);
  for (const index of indexes) {
    if (set.find(index.on, index.name, index.keyIds) !== index)
      findings.add('indexErrors', `index ${index.number} is on the same properties as another one`);
  }
  for (const table of [store.nodes, store.edges]) if (set.has(table.kind.on)) yield* check.records(table, set);
}

class IndexCheck implements ValueSource {
  private readonly store: GraphStore;
  private readonly view: View;
  private readonly findings: Findings;
  private readonly reader: RecordReader;
  private readonly key = new IndexKeyWriter();
  private readonly value = new OrderedValue();

  constructor(store: GraphStore, view: View, findings: Findings) {
    this.store = store;
    this.view = view;
    this.findings = findings;
    this.reader = recordReader(view);
  }

  /** Every entry must be what its record says. */
  *entries(index: PropertyIndex): Steps<void> {
    const { view, findings, key } = this;
    const neighbours = index.unique ? new NeighbourCheck(index, this) : undefined;
    const report = (what: string): void => findings.add('indexErrors', `index ${index.number}: ${what}`);
    yield* scan(index.tree, view, findings, 'indexErrors', (cursor) => {
      const length = cursor.keyInto(KEY);
      if (length <= ID_SIZE || length > INDEX_KEY_MAX) return report(`there is a key of ${length} bytes`);
      const id = readU48(KEY, length - ID_SIZE);
      if (cursor.valueLength !== 0) report(`the entry of ${index.on} ${id} has a value`);
      findings.attempt('indexErrors', `index ${index.number}`, () => {
        if (id === 0 || !this.makeKey(index, id))
          return report(`there is an entry of ${index.on} ${id}, which should not be in it`);
        if (key.length !== length || !sameBytes(key.bytes, KEY, length))
          return report(`the entry of ${index.on} ${id} is not what its properties are`);
        neighbours?.next(KEY, length);
      });
    });
  }

  /** Every record must have its entries. */
  *records({ tree, kind: { on } }: RecordTable, set: PropertyIndexSet): Steps<void> {
    const { view, findings, key } = this;
    yield* scan(tree, view, findings, 'indexErrors', (cursor) => {
      if (cursor.keyInto(KEY) !== ID_SIZE) return;
      const id = readU48(KEY, 0);
      // Records that make no sense are reported by the check of the records.
      const names = this.namesOf(on, id);
      for (const name of names) {
        for (const index of set.of(on, name)) {
          findings.attempt('indexErrors', `index ${index.number}`, () => {
            if (this.makeKey(index, id) && index.tree.find(view, key.bytes, key.length) < 0)
              findings.add('indexErrors', `index ${index.number}: the entry of ${on} ${id} is missing`);
          });
        }
      }
    });
  }

  /** For ValueSource. */
  values(index: PropertyIndex, id: number): ReturnType<ValueSource['values']> {
    let values: ReturnType<ValueSource['values']>;
    this.store.withProperties(this.view, index.on, id, (bytes, at, length) => {
      values = index.keyIds.map((key) => this.reader.property(bytes, at, length, key)!);
    });
    return values;
  }

  /** For ValueSource. */
  duplicate(index: PropertyIndex, other: number, id: number): Error {
    return damagedIndex(`it is unique, and ${index.on} ${other} and ${id} have the same values`);
  }

  /** Labels of a node or type of an edge; none when the record is invalid. */
  private namesOf(on: 'node' | 'edge', id: number): readonly number[] {
    const { store, view, reader } = this;
    try {
      if (on === 'node') return store.nodeShape(view, id, reader)?.labelIds ?? [];
      const ends = store.edgeEnds(view, id);
      return ends === undefined ? [] : [ends.type];
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'SOMBRA_RECORD') throw error;
    }
    return [];
  }

  /** Makes the key that a node or edge must have in an index. @returns false when it must have none */
  private makeKey(index: PropertyIndex, id: number): boolean {
    const { store, view, reader, key, value } = this;
    if (!this.namesOf(index.on, id).includes(index.name)) return false;
    let complete = false;
    store.withProperties(view, index.on, id, (bytes, at, length) => {
      complete = key.record(reader, bytes, at, length, index.keyIds, value);
    });
    if (complete) key.id(id);
    return complete;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array, length: number): boolean {
  for (let i = 0; i < length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
