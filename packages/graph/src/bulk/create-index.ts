/**
 * Creating a property index over the existing data. Keys are read off the records, sorted with bounded memory, and built
 * into a tree past the log (rule K8); one commit then puts tree and definition in place. Whatever fails before that leaves the
 * file without the index.
 */
import { RECORD_KINDS } from '../names/record-kind.ts';
import { BulkBuilder } from '@sombra/btree';
import type { BulkWriter, View } from '@sombra/pager';
import { assert, DataError } from '@sombra/vfs';
import { DICTIONARY_KEY_SIZE, INDEX_KIND, writeDictionaryKey } from '../names/dictionary.ts';
import { RUN_OPTIONS, type RunOptions } from '../model/run-options.ts';
import type { Steps } from '../model/steps.ts';
import { callbackOption, checkOptions, flagOption } from '../model/options.ts';
import { Progress, type ProgressReport } from '../model/progress.ts';
import { RecordReader } from '../records/record-reader.ts';
import { type GraphStore, TREES } from '../store/store.ts';
import { COUNTER } from '../model/counters.ts';
import { buildIndex, type ValueSource } from '../indexes/build-index.ts';
import { encodeDefinition, type IndexDefinition, indexKeys, indexTreeName } from '../indexes/definition.ts';
import { beginPausing } from './begin-pausing.ts';
import { dropOrphans, orphanDrop } from './drop-index.ts';
import { INDEX_KEY_MAX, IndexKeyWriter } from '../indexes/index-key.ts';
import { KeySorter } from '../sorting/key-sorter.ts';
import { OrderedValue } from '../values/ordered-value.ts';
import { notUnique, UniqueCheck } from '../indexes/unique.ts';

/** What creating an index does: reads the records, builds the tree, commits. */
export type IndexPhase = 'records' | 'build' | 'publish';

/** How far creating an index is. `rows`: records read, or entries built, so far. */
export type IndexProgress = ProgressReport<IndexPhase>;

/** Options of `createPropertyIndex` and `createEdgePropertyIndex`. What `onProgress` throws ends the creation. */
export interface CreateIndexOptions extends RunOptions {
  /** No two nodes of the label (edges of the type) may have the same values. Default false. */
  readonly unique?: boolean | undefined;
  /** Called every 10,000 rows, and when a phase begins. */
  readonly onProgress?: ((progress: IndexProgress) => void) | undefined;
}

/** Bytes of keys that are gathered when the thread must not be blocked: sorting them takes some milliseconds. */
const PAUSING_SORT_BYTES = 512 * 1024;

/** What an index was asked for with, once the options are known to be right. */
export interface IndexAsked {
  readonly on: 'node' | 'edge';
  readonly name: string;
  readonly keys: readonly string[];
  readonly unique: boolean;
  readonly onProgress: CreateIndexOptions['onProgress'];
}

/** @throws DataError SOMBRA_OPTION */
export function parseIndex(
  on: 'node' | 'edge',
  name: string,
  keys: string | readonly string[],
  given: CreateIndexOptions | undefined,
): IndexAsked {
  const options = checkOptions(given, ['unique', 'onProgress', ...RUN_OPTIONS], 'createPropertyIndex');
  return {
    on,
    name,
    keys: indexKeys(keys),
    unique: flagOption(options?.unique, false, 'unique'),
    onProgress: callbackOption(options?.onProgress, 'onProgress'),
  };
}

/**
 * Creates an index, in steps.
 * @param pausing    other calls may come in between: nothing blocks the thread for long. Otherwise it has a synchronous form
 * @param sortBytes  bytes of keys that are gathered before they go to scratch space; for tests
 * @returns false when there is this index already
 * @throws DataError SOMBRA_UNIQUE, SOMBRA_INDEX_EXISTS, SOMBRA_OPTION, SOMBRA_TREES_FULL, SOMBRA_DATABASE_FULL, those of names;
 *   StateError SOMBRA_ABORTED, SOMBRA_TRANSACTION_ACTIVE, SOMBRA_READ_ONLY, SOMBRA_CLOSED; IoError
 */
export function* createIndex(
  store: GraphStore,
  { on, name, keys: keyNames, unique, onProgress }: IndexAsked,
  pausing: boolean,
  sortBytes = pausing ? PAUSING_SORT_BYTES : undefined,
): Steps<boolean> {
  const { pager, dictionary } = store;
  dropOrphans(store, pausing ? yield* beginPausing(pager, (waitMs) => orphanDrop(store, waitMs)) : orphanDrop(store));
  const writer = pausing ? yield* beginPausing(pager, (waitMs) => store.bulk(waitMs)) : store.bulk();
  const names = dictionary.mark();
  let done = false;
  try {
    const { view } = store.pager;
    const set = store.indexes.of(view);
    const nameId = dictionary.intern(RECORD_KINDS[on].names, name);
    const keyIds = keyNames.map((key) => dictionary.keyId(key));
    const known = set.find(on, nameId, keyIds);
    if (known !== undefined) {
      if (known.unique !== unique) throw otherIndex(name, keyNames, known.unique);
      done = true;
      return false;
    }
    const number = view.counter(COUNTER.indexVersion) + 1;
    const definition: IndexDefinition = { number, on, name: nameId, keyIds, unique };
    yield* new IndexCreation(store, writer, definition, onProgress, sortBytes).run(pausing);
    store.published();
    done = true;
    return true;
  } finally {
    if (!done) dictionary.truncate(names);
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
  private readonly progress: Progress<IndexPhase>;
  private readonly view: View;
  private readonly sorter: KeySorter;
  private readonly unique: UniqueCheck;

  constructor(
    store: GraphStore,
    writer: BulkWriter,
    definition: IndexDefinition,
    onProgress: CreateIndexOptions['onProgress'],
    sortBytes: number | undefined,
  ) {
    this.store = store;
    this.writer = writer;
    this.definition = definition;
    this.progress = new Progress<IndexPhase>('records', onProgress);
    this.view = store.pager.view;
    this.sorter = new KeySorter(INDEX_KEY_MAX, () => writer.scratch(), sortBytes);
    this.unique = new UniqueCheck(store, store.dictionary);
  }

  *run(pausing: boolean): Steps<void> {
    const { store, writer, definition, view, progress } = this;
    progress.begin('records');
    yield;
    yield* this.gather();
    progress.begin('build');
    yield;
    const slot = freeSlot(view);
    const builder = new BulkBuilder(writer, slot + 1, store.pager.pageSize);
    const built = yield* buildIndex(builder, this.sorter.sorted(), definition, this, () => progress.row());
    progress.begin('publish');
    yield pausing ? writer.syncAhead() : undefined;
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
  private *gather(): Steps<void> {
    const { store, view, definition, sorter } = this;
    const { on, keyIds } = definition;
    const records = new RecordReader(store.dictionary);
    const key = new IndexKeyWriter();
    const value = new OrderedValue();
    const ids = store.table(on).byName;
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
        if (this.progress.row()) yield;
      }
    }
  }
}

/** The catalogue slot that a new tree gets; no other connection writes before it is created. @throws DataError SOMBRA_TREES_FULL */
function freeSlot(view: View): number {
  const { names } = view.catalogue;
  const slot = names.indexOf('');
  if (slot >= 0) return slot;
  throw new DataError(
    'SOMBRA_TREES_FULL',
    `there are ${names.length - TREES.length} property indexes, the maximum with pages of ${view.cache.pageSize} bytes: drop an index, or use larger pages`,
  );
}
