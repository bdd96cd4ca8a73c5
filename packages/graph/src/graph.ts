import { CorruptionError, IoError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { checkOptions, flagOption, ownOptions } from './model/options.ts';
import type { RunOptions } from './model/run-options.ts';
import { PausingRun, runSteps, type Steps } from './model/steps.ts';
import { Watch } from './model/watch.ts';
import type { CheckpointResult, Pager } from '@sombra/pager';
import { AdjacencyWriter } from './adjacency/adjacency-writer.ts';
import { type BulkOptions, type BulkResult, type BulkSource, bulkLoad, parseBulk } from './bulk/bulk-load.ts';
import { EdgeColumns } from './adjacency/edge-columns.ts';
import { type BackupOptions, type BackupResult, backupSteps, parseBackup } from './bulk/backup.ts';
import { type CheckpointOptions, checkpointSteps, parseCheckpoint } from './bulk/checkpoint.ts';
import { createIndex, type CreateIndexOptions, parseIndex } from './bulk/create-index.ts';
import { dropIndex } from './bulk/drop-index.ts';
import type { PropertyIndexName } from './indexes/index-info.ts';
import { IndexChanges } from './indexes/index-changes.ts';
import { RecordWriter } from './records/record-writer.ts';
import type { GraphReader } from './read/reader.ts';
import { GraphSnapshot, LiveReader } from './read/snapshot.ts';
import { COUNTER } from './model/counters.ts';
import { GraphStore } from './store/store.ts';
import { Workspace } from './traversal/workspace.ts';
import { GraphTransaction, type WriterParts } from './write/transaction.ts';
import { parseVerify, type VerifyOptions, type VerifyReport, verifyGraph } from './verify/verify.ts';

/** Part of the page cache's size that hints may take, on top of it: one in so many bytes. */
const HINT_PART = 4;

/** Figures of an open graph: counters since it was opened, and how things stand. */
export interface GraphStats {
  /** Write transactions begun, committed, rolled back. */
  readonly transactions: number;
  readonly commits: number;
  readonly rollbacks: number;
  readonly bulkLoads: number;
  /** Different labels, edge types and property keys ever used. */
  readonly labels: number;
  readonly edgeTypes: number;
  readonly propertyKeys: number;
  /** Bytes that hints take. */
  readonly hintMemory: number;
}

/** A property graph in the file of a pager. It holds nothing open besides: close the pager. */
export class Graph {
  readonly pager: Pager;
  /** Reads the newest commit. */
  readonly reader: GraphReader;

  private readonly store: GraphStore;
  private readonly workspace: Workspace;
  private readonly parts: WriterParts;
  private current: GraphTransaction | undefined;
  /** What holds WRITE between turns of the event loop. */
  private writing: PausingRun<unknown> | undefined;

  private constructor(pager: Pager, store: GraphStore) {
    const { pageSize } = pager;
    this.pager = pager;
    this.store = store;
    this.workspace = new Workspace(store);
    this.reader = new LiveReader(store, this.workspace, pager.view);
    this.parts = {
      records: new RecordWriter(),
      out: new AdjacencyWriter(store.out, pageSize, store.everyType),
      in: new AdjacencyWriter(store.in, pageSize, store.everyType),
      indexes: new IndexChanges(store.dictionary, store),
      incident: new EdgeColumns(),
    };
  }

  /**
   * Opens the graph of a file; creates it, by one commit, in a file that holds nothing.
   * @throws StateError SOMBRA_GRAPH_FORMAT when the file holds other trees, SOMBRA_RECOVERY_REQUIRED when it is read-only and
   *   holds nothing; CorruptionError SOMBRA_GRAPH_FORMAT,
   *   SOMBRA_DICTIONARY, and what the pager throws
   */
  static open(pager: Pager): Graph {
    if (pager.readOnly) GraphStore.refuseUncreated(pager);
    else GraphStore.create(pager);
    const { cache } = pager;
    const store = new GraphStore(pager, Math.floor((cache.cacheSize * cache.pageSize) / HINT_PART));
    const graph = new Graph(pager, store);
    pager.onAdvanced((newest) => {
      graph.settle();
      store.advanced(newest);
    });
    return graph;
  }

  /**
   * Begins the write transaction.
   * @param waitMs  how long it may block while another connection writes; see Pager.begin
   * @throws IoError SOMBRA_BUSY; StateError SOMBRA_TRANSACTION_ACTIVE, SOMBRA_READ_ONLY, SOMBRA_CLOSED; PoisonedError SOMBRA_LOCK_POISONED
   */
  begin(waitMs?: number): GraphTransaction {
    this.ready();
    const tx = this.store.begin(waitMs);
    this.current = new GraphTransaction(this.store, this.workspace, tx, this.parts);
    this.store.counters.transactions += 1;
    return this.current;
  }

  /**
   * The newest commit, for reading, whatever is committed later. Release it.
   * @param options  `exempt`: it does not end when the log is over its limit, for backups and exports
   * @throws StateError SOMBRA_CLOSED
   */
  snapshot(options?: { readonly exempt?: boolean }): GraphSnapshot {
    const exempt = flagOption(checkOptions(options, ['exempt'], 'snapshot')?.exempt, false, 'exempt');
    return new GraphSnapshot(this.store, this.workspace, this.store.snapshot({ exempt }));
  }

  /**
   * Fills an empty graph; see `bulkLoad`.
   * @throws StateError SOMBRA_BULK_NOT_EMPTY, and as `begin`; DataError for what the source gives; what the source throws
   */
  bulkLoad(source: BulkSource, options?: BulkOptions): BulkResult {
    this.ready();
    return runSteps(bulkLoad(this.store, parseBulk(source, options), false), this.watch(options));
  }

  /**
   * As `bulkLoad`, letting the event loop turn every few milliseconds. Reads go on meanwhile and see nothing of the load; until it has
   * ended, every write of this connection is refused with SOMBRA_BUSY, and other connections wait as for any writer.
   * While another connection writes, it waits without blocking. A signal ends it, and the graph stays empty.
   * @returns rejected with SOMBRA_ABORTED, and with what the synchronous form throws
   */
  async bulkLoadAsync(source: BulkSource, options?: BulkOptions): Promise<BulkResult> {
    this.ready();
    return await this.writePausing(bulkLoad(this.store, parseBulk(source, options), true), options);
  }

  /**
   * Creates an index on a property of the nodes with a label, or on several together, over all data that there is; a commit of
   * its own, whatever the size. From then on every write keeps it, and finds use it. A node is in the index when it has all the
   * properties. NaN, lists and maps have no order: they are found through `exists` only. For `unique` values are the same by content,
   * whatever they are stored as and in whatever order a map has its keys; NaN is never the same as anything.
   * @param keys  one name, or up to 8 in the order of their importance
   * @returns false when there is this index already
   * @throws DataError SOMBRA_UNIQUE when two nodes have the same values, SOMBRA_INDEX_EXISTS when there is one that differs in
   *   `unique`, SOMBRA_OPTION, SOMBRA_TREES_FULL, SOMBRA_DATABASE_FULL; StateError SOMBRA_ABORTED; as `begin`; nothing was
   *   changed then
   */
  createPropertyIndex(label: string, keys: string | readonly string[], options?: CreateIndexOptions): boolean {
    return this.createIndex('node', label, keys, options);
  }

  /** As `createPropertyIndex`, letting the event loop turn; see `bulkLoadAsync`. */
  createPropertyIndexAsync(
    label: string,
    keys: string | readonly string[],
    options?: CreateIndexOptions,
  ): Promise<boolean> {
    return this.createIndexAsync('node', label, keys, options);
  }

  /** As `createPropertyIndex`, on the edges of a type. */
  createEdgePropertyIndex(type: string, keys: string | readonly string[], options?: CreateIndexOptions): boolean {
    return this.createIndex('edge', type, keys, options);
  }

  /** As `createPropertyIndexAsync`, on the edges of a type. */
  createEdgePropertyIndexAsync(
    type: string,
    keys: string | readonly string[],
    options?: CreateIndexOptions,
  ): Promise<boolean> {
    return this.createIndexAsync('edge', type, keys, options);
  }

  /** Drops the index on exactly these properties; one commit of its own. @returns false when there is none */
  dropPropertyIndex(label: string, keys: string | readonly string[]): boolean {
    this.ready();
    return dropIndex(this.store, 'node', label, keys);
  }

  /** As `dropPropertyIndex`, on the edges of a type. */
  dropEdgePropertyIndex(type: string, keys: string | readonly string[]): boolean {
    this.ready();
    return dropIndex(this.store, 'edge', type, keys);
  }

  /**
   * Drops a property index and builds it again, letting the event loop turn; see `bulkLoadAsync`. Until it is there again, finds do without
   * it, and other connections can write what a unique index would have refused.
   * @param index  as `propertyIndexes` of a reader names it
   * @returns whether the pages of the old one were left behind, as they are damaged: a vacuum removes them
   * @throws DataError SOMBRA_UNIQUE: there is no such index then; as `createPropertyIndexAsync`
   */
  async rebuildPropertyIndexAsync(index: PropertyIndexName, options?: RunOptions): Promise<{ leftPages: boolean }> {
    const { on, name, keys, unique } = index;
    this.ready();
    let leftPages = false;
    try {
      dropIndex(this.store, on, name, keys);
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      dropIndex(this.store, on, name, keys, true);
      leftPages = true;
    }
    await this.createIndexAsync(on, name, keys, { ...options, unique });
    return { leftPages };
  }

  /**
   * Checks every page, record, edge and index of the newest commit.
   * @returns what was found; damage is reported, not thrown
   * @throws DataError SOMBRA_OPTION; StateError SOMBRA_ABORTED, SOMBRA_CLOSED; IoError
   */
  verifyIntegrity(options?: VerifyOptions): VerifyReport {
    const asked = parseVerify(options);
    return runSteps(verifyGraph(this.store, asked), this.watch(options));
  }

  /**
   * As `verifyIntegrity`, letting the event loop turn every few milliseconds, so that others go on reading and writing, and a
   * signal can end it. It checks the commit that was newest when it began, which is kept meanwhile.
   * @returns rejected with what the synchronous form throws
   */
  async verifyIntegrityAsync(options?: VerifyOptions): Promise<VerifyReport> {
    const asked = parseVerify(options);
    return await new PausingRun(verifyGraph(this.store, asked), this.watch(options), this.pager.env).run();
  }

  /**
   * As `Pager.checkpoint`, letting the event loop turn: others go on reading and writing, and a signal can end it. It brings what is
   * committed when this connection gets its turn to the file; what is committed later need not be in it. Ended early, nothing is
   * lost: the log is kept as it is.
   * @returns rejected with DataError SOMBRA_OPTION, StateError SOMBRA_ABORTED, SOMBRA_CLOSED, and what the synchronous form throws
   */
  async checkpointAsync(options?: CheckpointOptions): Promise<CheckpointResult> {
    this.ready();
    const steps = checkpointSteps(this.pager, parseCheckpoint(options));
    return await new PausingRun(steps, this.watch(options), this.pager.env).run();
  }

  /**
   * Copies the newest commit to a new file, which is a database of its own. The file has its name when it is whole and durable; ended
   * early, there is none. Meanwhile the log cannot shrink, and everything else goes on.
   * @param vfs   where the file is
   * @param path  there must be no such file
   * @returns rejected with DataError SOMBRA_FILE_EXISTS, SOMBRA_BACKUP_TARGET, SOMBRA_OPTION; IoError SOMBRA_DISK_FULL, SOMBRA_IO,
   *   SOMBRA_PERMISSION, SOMBRA_SYNC; CorruptionError; StateError SOMBRA_ABORTED, SOMBRA_CLOSED; what `onProgress` throws
   */
  async backup(vfs: Vfs, path: string, options?: BackupOptions): Promise<BackupResult> {
    this.ready();
    const steps = backupSteps(this.pager, vfs, path, parseBackup(options));
    return await new PausingRun(steps, this.watch(options), this.pager.env).run();
  }

  /** Figures for operators. A new object. */
  stats(): GraphStats {
    const { counters, hintMemory } = this.store;
    const { view } = this.pager;
    return {
      ...counters,
      labels: view.counter(COUNTER.labels),
      edgeTypes: view.counter(COUNTER.edgeTypes),
      propertyKeys: view.counter(COUNTER.propertyKeys),
      hintMemory,
    };
  }

  /**
   * Gives up what `bulkLoadAsync` or `createPropertyIndexAsync` is doing, so that others may write: nothing is changed, and their promise is
   * rejected with `error`, or with what the end of an iterator of the source throws. Never throws.
   */
  giveUpWriting(error: Error): void {
    const { writing } = this;
    writing?.end(error);
    if (this.writing === writing) this.writing = undefined;
  }

  private createIndex(
    on: 'node' | 'edge',
    name: string,
    keys: string | readonly string[],
    options: CreateIndexOptions | undefined,
  ): boolean {
    this.ready();
    return runSteps(createIndex(this.store, parseIndex(on, name, keys, options), false), this.watch(options));
  }

  private async createIndexAsync(
    on: 'node' | 'edge',
    name: string,
    keys: string | readonly string[],
    options: CreateIndexOptions | undefined,
  ): Promise<boolean> {
    this.ready();
    return await this.writePausing(createIndex(this.store, parseIndex(on, name, keys, options), true), options);
  }

  /** Runs what holds WRITE between its steps. */
  private async writePausing<T>(steps: Steps<T>, options: RunOptions | undefined): Promise<T> {
    const run = new PausingRun(steps, this.watch(options), this.pager.env);
    this.writing = run;
    try {
      return await run.run();
    } finally {
      if (this.writing === run) this.writing = undefined;
    }
  }

  private watch(options: RunOptions | undefined): Watch {
    return new Watch(ownOptions(options), this.pager.env, undefined);
  }

  /** Before a write. @throws IoError SOMBRA_BUSY */
  private ready(): void {
    if (this.writing !== undefined)
      throw new IoError(
        'SOMBRA_BUSY',
        'a bulk load or the creation of an index is under way on this connection: await its promise first',
        { details: { lock: 'TRANSACTION' } },
      );
    this.settle();
  }

  /** The transaction before may have been rolled back by the pager without telling it. */
  private settle(): void {
    if (this.current === undefined || this.current.state === 'active') return;
    this.current.settle();
    this.current = undefined;
  }
}
