/**
 * Creating a property index over the data that there is. Keys are read off the records, sorted with bounded memory, and built
 * into a tree past the log (rule K8); one commit then puts tree and definition in place. Whatever fails before that leaves the
 * file without the index.
 */
import { BulkBuilder } from '@sombra/btree';
import type { BulkWriter, View } from '@sombra/pager';
import { assert, DataError, StateError } from '@sombra/vfs';
import { DICTIONARY_KEY_SIZE, INDEX_KIND, NAME_KIND, writeDictionaryKey } from '../names/dictionary.ts';
import type { AbortSignalLike } from '../model/run-options.ts';
import { checkOptions, describe, flagOption } from '../model/options.ts';
import { RecordReader } from '../records/record-reader.ts';
import { type GraphStore, TREES } from '../store/store.ts';
import { COUNTER } from '../model/counters.ts';
import { buildIndex, type ValueSource } from '../indexes/build-index.ts';
import { encodeDefinition, type IndexDefinition, indexKeys, indexTreeName } from '../indexes/definition.ts';
import { dropOrphans } from './drop-index.ts';
import { INDEX_KEY_MAX, IndexKeyWriter } from '../indexes/index-key.ts';
import { KeySorter } from '../sorting/key-sorter.ts';
import { OrderedValue } from '../values/ordered-value.ts';
import { notUnique, UniqueCheck } from '../indexes/unique.ts';

/** What creating an index does: reads the records, builds the tree, commits. */
export type IndexPhase = 'records' | 'build' | 'publish';

/** How far creating an index is. `rows`: records read, or entries built, so far. */
export interface IndexProgress {
  readonly phase: IndexPhase;
  readonly rows: number;
}

/** Options of `createPropertyIndex` and `createEdgePropertyIndex`. What `onProgress` throws ends the creation. */
export interface CreateIndexOptions {
  /** No two nodes of the label (edges of the type) may have the same values. Default false. */
  readonly unique?: boolean | undefined;
  /** Called every 10,000 rows, and when a phase begins. */
  readonly onProgress?: ((progress: IndexProgress) => void) | undefined;
  /** Ends the creation with SOMBRA_ABORTED; looked at whenever `onProgress` would be called. */
  readonly signal?: AbortSignalLike | undefined;
}

const PROGRESS_EVERY = 10_000;

/**
 * Creates an index.
 * @param on         nodes of a label, or edges of a type
 * @param sortBytes  bytes of keys that are gathered before they go to scratch space; for tests
 * @returns false when there is this index already
 * @throws DataError SOMBRA_UNIQUE, SOMBRA_INDEX_EXISTS, SOMBRA_OPTION, SOMBRA_TREES_FULL, SOMBRA_DATABASE_FULL, those of names;
 *   StateError SOMBRA_ABORTED, SOMBRA_TRANSACTION_ACTIVE, SOMBRA_READ_ONLY, SOMBRA_CLOSED; IoError
 */
export function createIndex(
  store: GraphStore,
  on: 'node' | 'edge',
  name: string,
  keys: string | readonly string[],
  options: CreateIndexOptions | undefined,
  sortBytes?: number,
): boolean {
  options = checkOptions(options, ['unique', 'onProgress', 'signal'], 'createPropertyIndex');
  const unique = flagOption(options?.unique, false, 'unique');
  if (options?.onProgress !== undefined && typeof options.onProgress !== 'function')
    throw new DataError('SOMBRA_OPTION', `onProgress is a function, not ${describe(options.onProgress)}`);
  const keyNames = indexKeys(keys);
  dropOrphans(store);
  const writer = store.bulk();
  const { dictionary } = store;
  const names = dictionary.mark();
  try {
    const { view } = store.pager;
    const set = store.indexes.of(view);
    const nameId = dictionary.intern(on === 'node' ? NAME_KIND.label : NAME_KIND.edgeType, name);
    const keyIds = keyNames.map((key) => dictionary.keyId(key));
    const known = set.find(on, nameId, keyIds);
    if (known !== undefined) {
      if (known.unique !== unique) throw otherIndex(name, keyNames, known.unique);
      return false;
    }
    const number = view.counter(COUNTER.indexVersion) + 1;
    const definition: IndexDefinition = { number, on, name: nameId, keyIds, unique };
    new IndexCreation(store, writer, definition, options, sortBytes).run();
    store.published();
    return true;
  } catch (error) {
    dictionary.truncate(names);
    throw error;
  } finally {
    writer.abort();
  }
}

function otherIndex(name: string, keys: readonly string[], unique: boolean): DataError {
  return new DataError(
    'SOMBRA_INDEX_EXISTS',
    `there is an index on ${keys.join(', ')} of '${name}', which is ${unique ? '' : 'not '}unique: drop it first`,
  );
}

/** One creation. */
class IndexCreation implements ValueSource {
  private readonly store: GraphStore;
  private readonly writer: BulkWriter;
  private readonly definition: IndexDefinition;
  private readonly options: CreateIndexOptions | undefined;
  private readonly view: View;
  private readonly sorter: KeySorter;
  private readonly unique: UniqueCheck;
  private phase: IndexPhase = 'records';
  private rows = 0;

  constructor(
    store: GraphStore,
    writer: BulkWriter,
    definition: IndexDefinition,
    options: CreateIndexOptions | undefined,
    sortBytes: number | undefined,
  ) {
    this.store = store;
    this.writer = writer;
    this.definition = definition;
    this.options = options;
    this.view = store.pager.view;
    this.sorter = new KeySorter(INDEX_KEY_MAX, () => writer.scratch(), sortBytes);
    this.unique = new UniqueCheck(store, store.dictionary);
  }

  run(): void {
    const { store, writer, definition, view } = this;
    this.begin('records');
    this.gather();
    this.begin('build');
    const slot = freeSlot(view);
    const builder = new BulkBuilder(writer, slot + 1, store.pager.pageSize);
    const built = buildIndex(builder, this.sorter.sorted(), definition, this, () => this.row());
    this.begin('publish');
    writer.finish((tx) => {
      const name = indexTreeName(definition.number);
      assert(tx.createTree(name) === slot, 'an index gets the slot that its pages name');
      tx.setTreeRoot(slot, built.root);
      tx.addTreeCount(slot, built.count);
      store.dictionary.store(tx, store.dictionaryTree);
      const key = new Uint8Array(DICTIONARY_KEY_SIZE);
      writeDictionaryKey(key, INDEX_KIND, definition.number);
      const value = encodeDefinition(definition);
      store.dictionaryTree.put(tx, key, key.length, value, 0, value.length);
      tx.setCounter(COUNTER.indexVersion, definition.number);
      store.committing(tx.view);
    });
  }

  /** For ValueSource. */
  values(index: IndexDefinition, id: number): ReturnType<ValueSource['values']> {
    return this.unique.valuesOf(this.view, index, id);
  }

  /** For ValueSource. */
  duplicate(index: IndexDefinition, other: number, id: number): Error {
    return notUnique(index, this.store.dictionary, this.values(index, id)!, other, id);
  }

  /** Adds the keys of all records to the sorter. */
  private gather(): void {
    const { store, view, definition, sorter } = this;
    const { on, keyIds } = definition;
    const records = new RecordReader(store.dictionary);
    const key = new IndexKeyWriter();
    const value = new OrderedValue();
    const ids = on === 'node' ? store.labelIndex : store.typeIndex;
    const batch = new Float64Array(ids.batchSize);
    let id = 0;
    const take = (bytes: Uint8Array, at: number, length: number): void => {
      if (!key.record(records, bytes, at, length, keyIds, value)) return;
      key.id(id);
      sorter.add(key.bytes, key.length);
    };
    for (;;) {
      const count = ids.read(view, definition.name, id, batch);
      if (count === 0) return;
      for (let i = 0; i < count; i += 1) {
        id = batch[i]!;
        store.withProperties(view, on, id, take);
        this.row();
      }
    }
  }

  private begin(phase: IndexPhase): void {
    this.phase = phase;
    this.rows = 0;
    this.report();
  }

  private row(): void {
    this.rows += 1;
    if (this.rows % PROGRESS_EVERY === 0) this.report();
  }

  private report(): void {
    this.options?.onProgress?.({ phase: this.phase, rows: this.rows });
    const signal = this.options?.signal;
    if (signal?.aborted === true)
      throw new StateError(
        'SOMBRA_ABORTED',
        'the call was aborted by its signal, and nothing was changed: see the cause',
        {
          cause: signal.reason,
        },
      );
  }
}

/** The catalogue slot that a new tree gets; nobody else writes before it is created. @throws DataError SOMBRA_TREES_FULL */
function freeSlot(view: View): number {
  const { names } = view.catalogue;
  const slot = names.indexOf('');
  if (slot >= 0) return slot;
  throw new DataError(
    'SOMBRA_TREES_FULL',
    `there are ${names.length - TREES.length} property indexes, and with pages of ${view.cache.pageSize} bytes there cannot be more: drop an index, or use larger pages`,
  );
}
