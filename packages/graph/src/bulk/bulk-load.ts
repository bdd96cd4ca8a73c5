/**
 * Filling an empty graph: every tree is built from left to right, in pages that are written straight to the file, past the log
 * and beyond its end, and one commit publishes them (rule K8). Steps:
 *
 * 1. Nodes are taken from the source, encoded, and added to the tree `nodes`; their labels are gathered.
 * 2. The same with edges; their ends and types are gathered. An end that is no node ends the load.
 * 3. The trees `out` and `in` are built from the edges by source and by target.
 * 4. The indexes, those on properties too, the dictionary and the statistics are built.
 * 5. The file is synced, and a commit puts the new trees in the place of the empty ones.
 * Whatever fails before the commit leaves the graph empty: the pages that were written are ignored.
 *
 * Memory: some 75 MB at most for gathered rows, 16 MB (1 MB for each index, if that is more) for keys of property indexes, 18 bytes for each edge of the node that has the most, a count per label and type,
 * and two pages per level of a tree.
 */
import { type BTree, BulkBuilder, type BulkTree, writeU48 } from '@sombra/btree';
import type { BulkWriter, WriteTransaction } from '@sombra/pager';
import { assert, DataError, StateError } from '@sombra/vfs';
import { beginPausing } from './begin-pausing.ts';
import { BulkAdjacency } from './bulk-adjacency.ts';
import { BulkIndex } from './bulk-index.ts';
import { BulkRows } from '../sorting/bulk-rows.ts';
import { type GivenIds, RowIds } from './row-ids.ts';
import { DICTIONARY_KEY_SIZE, INDEX_KIND, NAME_KIND, type NameKind, writeDictionaryKey } from '../names/dictionary.ts';
import { EdgeColumns } from '../adjacency/edge-columns.ts';
import { ID_MAX } from '../model/limits.ts';
import { callbackOption, checkOptions, countOption, describe, ownOptions } from '../model/options.ts';
import { Progress, type ProgressReport } from '../model/progress.ts';
import { RUN_OPTIONS, type RunOptions } from '../model/run-options.ts';
import type { Steps } from '../model/steps.ts';
import { RadixSorter } from '../sorting/radix-sort.ts';
import { RecordWriter } from '../records/record-writer.ts';
import { BulkPropertyIndexes } from './bulk-indexes.ts';
import { encodeDefinition } from '../indexes/definition.ts';
import { EDGE_PROPERTIES_OFFSET } from '../records/record-format.ts';
import { STATISTIC_SIZE, writeStatistic } from '../names/statistics.ts';
import type { GraphStore } from '../store/store.ts';
import { COUNTER } from '../model/counters.ts';
import type { PropertyInput } from '../model/types.ts';

/** A node to load. `labels`: one or a list, [] for none. */
export interface BulkNode {
  /** With `BulkSource.ids`: its id, greater than that of the row before. */
  readonly id?: number | undefined;
  readonly labels: string | readonly string[];
  readonly properties?: PropertyInput | undefined;
}

/** An edge to load. `source` and `target` are rows of `BulkSource.nodes`, counted from 0; with `BulkSource.ids` they are ids. */
export interface BulkEdge {
  /** With `BulkSource.ids`: its id, greater than that of the row before. */
  readonly id?: number | undefined;
  readonly source: number;
  readonly target: number;
  readonly type: string;
  readonly properties?: PropertyInput | undefined;
}

/** What is loaded. Each is iterated once, nodes first; they may be generators. */
export interface BulkSource {
  readonly nodes: Iterable<BulkNode>;
  readonly edges: Iterable<BulkEdge>;
  /** Every row has an id of its own: of a graph that keeps its ids. */
  readonly ids?: GivenIds | undefined;
}

/** What a bulk load does: takes nodes, takes edges, builds both directions of adjacency, builds indexes, commits. */
export type BulkPhase = 'nodes' | 'edges' | 'adjacency' | 'indexes' | 'publish';

/** How far a bulk load is. `rows`: of this phase, so far; in `adjacency` each edge counts once per direction. */
export type BulkProgress = ProgressReport<BulkPhase>;

/** Options of `bulkLoad`. What `onProgress` throws ends the load. `progressEvery`: rows from one call to the next, 10,000. */
export interface BulkOptions extends RunOptions {
  readonly onProgress?: ((progress: BulkProgress) => void) | undefined;
  readonly progressEvery?: number | undefined;
}

/** What was loaded. Row n of the nodes has id `firstNode` + n, row n of the edges `firstEdge` + n. */
export interface BulkResult {
  readonly nodes: number;
  readonly edges: number;
  readonly firstNode: number;
  readonly firstEdge: number;
  /** Pages written. */
  readonly pages: number;
  /** Number of the commit; of the one before when there was nothing to load. */
  readonly lsn: number;
}

const PROGRESS_EVERY = 10_000;
/** Rows, and bytes of keys, that are gathered when the thread must not be blocked: sorting them takes some milliseconds. */
const PAUSING_RUN_ROWS = 1 << 17;
const PAUSING_SORT_BYTES = 512 * 1024;

/** What a load was asked for with, once the options are known to be right. */
export interface BulkAsked {
  readonly source: BulkSource;
  readonly onProgress: BulkOptions['onProgress'];
  readonly progressEvery: number;
}

/** @throws DataError SOMBRA_OPTION */
export function parseBulk(source: BulkSource, given: BulkOptions | undefined): BulkAsked {
  const options = checkOptions(given, ['onProgress', 'progressEvery', ...RUN_OPTIONS], 'bulkLoad');
  checkSource(source);
  return {
    source,
    onProgress: callbackOption(options?.onProgress, 'onProgress'),
    progressEvery: countOption(options?.progressEvery, PROGRESS_EVERY, 'progressEvery', 1),
  };
}

/**
 * Fills an empty graph, in steps: no node and no edge. Names and ids that earlier ones had are kept and not given out again.
 * @param pausing  other calls may come in between: nothing blocks the thread for long. Otherwise it has a synchronous form
 * @param runRows  rows to gather before they go to scratch space; for tests
 * @throws StateError SOMBRA_BULK_NOT_EMPTY, SOMBRA_TRANSACTION_ACTIVE, SOMBRA_READ_ONLY, SOMBRA_CLOSED; DataError
 *   SOMBRA_NODE_NOT_FOUND for an end that is no row, SOMBRA_UNIQUE, SOMBRA_BULK_TOO_LARGE, SOMBRA_DATABASE_FULL, SOMBRA_OPTION, and as
 *   GraphTransaction.addNode; what the source throws
 */
export function* bulkLoad(
  store: GraphStore,
  { source, onProgress, progressEvery }: BulkAsked,
  pausing: boolean,
  runRows?: number,
): Steps<BulkResult> {
  const progress = new Progress<BulkPhase>('nodes', onProgress, progressEvery);
  const sizes = gatherSizes(pausing, runRows);
  const writer = pausing ? yield* beginPausing(store.pager, (waitMs) => store.bulk(waitMs)) : store.bulk();
  const names = store.dictionary.mark();
  let done = false;
  try {
    checkEmpty(store);
    const result = yield* new BulkLoad(store, writer, progress, sizes, source.ids).run(source, pausing);
    store.bulkLoaded();
    done = true;
    return result;
  } finally {
    if (!done) store.dictionary.truncate(names);
    writer.abort();
  }
}

/** Rows, and bytes of keys, to gather before they go to scratch space; undefined: as much as memory is meant for. */
interface GatherSizes {
  readonly rows: number | undefined;
  readonly bytes: number | undefined;
}

function gatherSizes(pausing: boolean, runRows: number | undefined): GatherSizes {
  if (runRows !== undefined) return { rows: runRows, bytes: runRows * 16 };
  if (pausing) return { rows: PAUSING_RUN_ROWS, bytes: PAUSING_SORT_BYTES };
  return { rows: undefined, bytes: undefined };
}

/** One bulk load. */
class BulkLoad {
  private readonly store: GraphStore;
  private readonly writer: BulkWriter;
  private readonly progress: Progress<BulkPhase>;
  private readonly pageSize: number;
  private readonly records = new RecordWriter();
  private readonly key = new Uint8Array(6);
  private readonly labels: BulkRows;
  private readonly properties: BulkPropertyIndexes;
  private readonly edges: BulkRows;
  private readonly firstNode: number;
  private readonly firstEdge: number;
  private readonly labelCounts: number[] = [];
  private readonly typeCounts: number[] = [];
  private nodeCount = 0;
  /** null: rows are numbered. */
  private readonly given: RowIds | null;

  constructor(
    store: GraphStore,
    writer: BulkWriter,
    progress: Progress<BulkPhase>,
    sizes: GatherSizes,
    ids: GivenIds | undefined,
  ) {
    const sorter = new RadixSorter();
    const scratch = () => writer.scratch();
    const { view, pageSize } = store.pager;
    this.store = store;
    this.writer = writer;
    this.progress = progress;
    this.pageSize = pageSize;
    this.labels = new BulkRows('labels of nodes', ['c'], scratch, sorter, sizes.rows);
    this.edges = new BulkRows('edges', ['a', 'b', 'c'], scratch, sorter, sizes.rows);
    this.properties = new BulkPropertyIndexes(store, writer, view, sizes.bytes);
    this.firstNode = view.counter(COUNTER.nextNodeId);
    this.firstEdge = view.counter(COUNTER.nextEdgeId);
    this.given = ids === undefined ? null : new RowIds(ids, this.firstNode, this.firstEdge);
  }

  *run(source: BulkSource, pausing: boolean): Steps<BulkResult> {
    const { store, writer, progress } = this;
    const nodes = yield* this.loadNodes(source.nodes);
    const edges = yield* this.loadEdges(source.edges);
    const { nodeCount, firstNode, firstEdge } = this;
    const loaded = { nodes: nodeCount, edges: this.edges.count, firstNode, firstEdge };
    if (nodeCount === 0 && this.given === null) return { ...loaded, pages: 0, lsn: store.pager.view.lsn };
    const out = yield* this.buildAdjacency(store.out.tree, 'a', 0);
    const into = yield* this.buildAdjacency(store.in.tree, 'b', this.edges.count);
    progress.begin('indexes');
    yield;
    const labels = yield* this.buildLabelIndex();
    const types = yield* this.buildTypeIndex();
    yield* this.properties.build({ node: firstNode, edge: firstEdge }, () => progress.row());
    progress.end();
    const dictionary = this.buildDictionary();
    const statistics = this.buildStatistics();
    progress.begin('publish');
    yield pausing ? writer.syncAhead() : undefined;
    const trees: [BTree, BulkTree][] = [
      [store.nodes.tree, nodes],
      [store.edges.tree, edges],
      [store.out.tree, out],
      [store.in.tree, into],
      [store.nodes.byName.tree, labels],
      [store.edges.byName.tree, types],
      [store.dictionaryTree, dictionary],
      [store.statistics.tree, statistics],
    ];
    const pages = writer.pages;
    const lsn = writer.finish((tx) => {
      for (const [tree, built] of trees) replaceTree(tx, tree, built);
      this.properties.publish(tx);
      this.setCounters(tx);
      store.committing(tx.view);
    });
    return { ...loaded, pages, lsn };
  }

  private *loadNodes(rows: Iterable<BulkNode>): Steps<BulkTree> {
    const { store, records, key, progress, labelCounts } = this;
    const { dictionary } = store;
    const tree = this.builder(store.nodes.tree);
    const labelIds: number[] = [];
    const inherited = rowsInherit();
    progress.begin('nodes');
    yield;
    for (const node of rows) {
      checkRow(node, 'node', this.nodeCount);
      const { labels, properties } = inherited ? ownOptions(node)! : node;
      labelIds.length = 0;
      dictionary.internLabels(labels, labelIds);
      const size = records.node(labelIds, properties, dictionary);
      const id = this.given?.node(node.id, this.nodeCount) ?? newId(this.firstNode, this.nodeCount, 'node');
      const offset = id - this.firstNode;
      writeU48(key, 0, id);
      tree.add(key, 6, records.bytes, 0, size);
      this.properties.add('node', labelIds, id, records.bytes, 0, size);
      for (let i = 0; i < labelIds.length; i += 1) {
        const label = labelIds[i]!;
        this.labels.add(offset, 0, label);
        labelCounts[label] = (labelCounts[label] ?? 0) + 1;
      }
      this.nodeCount += 1;
      if (progress.row()) yield;
    }
    progress.end();
    return tree.finish();
  }

  private *loadEdges(rows: Iterable<BulkEdge>): Steps<BulkTree> {
    const { store, records, key, progress, typeCounts, firstNode } = this;
    const { dictionary } = store;
    const tree = this.builder(store.edges.tree);
    const inherited = rowsInherit();
    progress.begin('edges');
    yield;
    const names = [0];
    for (const edge of rows) {
      const row = this.edges.count;
      checkRow(edge, 'edge', row);
      const { source, target, type: name, properties } = inherited ? ownOptions(edge)! : edge;
      // From here on offsets from the first id.
      const from = this.checkEnd(source, row, 'source');
      const to = this.checkEnd(target, row, 'target');
      const type = dictionary.intern(NAME_KIND.edgeType, name);
      const size = records.edge(firstNode + from, firstNode + to, type, properties, dictionary);
      const id = this.given?.edge(edge.id, row) ?? newId(this.firstEdge, row, 'edge');
      writeU48(key, 0, id);
      tree.add(key, 6, records.bytes, 0, size);
      names[0] = type;
      this.properties.add('edge', names, id, records.bytes, EDGE_PROPERTIES_OFFSET, size - EDGE_PROPERTIES_OFFSET);
      this.edges.add(from, to, type);
      typeCounts[type] = (typeCounts[type] ?? 0) + 1;
      if (progress.row()) yield;
    }
    progress.end();
    return tree.finish();
  }

  /** @returns offset of the node from the first id */
  private checkEnd(row: number, edge: number, what: 'source' | 'target'): number {
    const { given } = this;
    if (given !== null) return given.end(row, edge, what);
    if (Number.isInteger(row) && row >= 0 && row < this.nodeCount) return row;
    throw new DataError(
      'SOMBRA_NODE_NOT_FOUND',
      `the ${what} of edge row ${edge} is ${describe(row)}: give the number of one of the ${this.nodeCount} rows of nodes, counted from 0`,
      { details: { edge, [what]: row } },
    );
  }

  /** Builds one direction. @param by  column with the nodes whose adjacency it is @param done  rows of the phase so far */
  private *buildAdjacency(tree: BTree, by: 'a' | 'b', done: number): Steps<BulkTree> {
    const { firstNode, progress } = this;
    const builder = this.builder(tree);
    const adjacency = new BulkAdjacency(builder, this.pageSize, new RadixSorter());
    const list = new EdgeColumns();
    const rows = this.edges.sorted(by);
    progress.begin('adjacency', done);
    yield;
    let node = -1;
    while (rows.next()) {
      const next = by === 'a' ? rows.a : rows.b;
      if (next !== node) {
        if (list.length > 0) adjacency.add(firstNode + node, list);
        list.length = 0;
        node = next;
      }
      list.push(firstNode + (by === 'a' ? rows.b : rows.a), this.edgeOf(rows.row), rows.c);
      if (progress.row()) yield;
    }
    if (list.length > 0) adjacency.add(firstNode + node, list);
    progress.end();
    return builder.finish();
  }

  private *buildLabelIndex(): Steps<BulkTree> {
    const builder = this.builder(this.store.nodes.byName.tree);
    const index = new BulkIndex(builder, this.pageSize);
    for (const rows = this.labels.sorted('c'); rows.next(); ) {
      index.add(rows.c, this.firstNode + rows.a);
      if (this.progress.row()) yield;
    }
    index.flush();
    return builder.finish();
  }

  private *buildTypeIndex(): Steps<BulkTree> {
    const builder = this.builder(this.store.edges.byName.tree);
    const index = new BulkIndex(builder, this.pageSize);
    for (const rows = this.edges.sorted('c'); rows.next(); ) {
      index.add(rows.c, this.edgeOf(rows.row));
      if (this.progress.row()) yield;
    }
    index.flush();
    this.progress.end();
    return builder.finish();
  }

  private buildDictionary(): BulkTree {
    const builder = this.builder(this.store.dictionaryTree);
    this.store.dictionary.forEach((key, value, length) => builder.add(key, key.length, value, 0, length));
    const key = new Uint8Array(DICTIONARY_KEY_SIZE);
    for (const definition of this.store.indexes.of(this.store.pager.view).all) {
      writeDictionaryKey(key, INDEX_KIND, definition.number);
      const value = encodeDefinition(definition);
      builder.add(key, key.length, value, 0, value.length);
    }
    return builder.finish();
  }

  private buildStatistics(): BulkTree {
    const builder = this.builder(this.store.statistics.tree);
    const key = new Uint8Array(DICTIONARY_KEY_SIZE);
    const value = new Uint8Array(STATISTIC_SIZE);
    const write = (kind: NameKind, counts: readonly (number | undefined)[]): void => {
      for (let id = 0; id < counts.length; id += 1) {
        const count = counts[id] ?? 0;
        if (count === 0) continue;
        writeDictionaryKey(key, kind, id);
        writeStatistic(value, count);
        builder.add(key, DICTIONARY_KEY_SIZE, value, 0, STATISTIC_SIZE);
      }
    };
    write(NAME_KIND.label, this.labelCounts);
    write(NAME_KIND.edgeType, this.typeCounts);
    return builder.finish();
  }

  private setCounters(tx: WriteTransaction): void {
    const { nodeCount } = this;
    const edgeCount = this.edges.count;
    tx.setCounter(COUNTER.nextNodeId, this.given?.nextNode ?? this.firstNode + nodeCount);
    tx.setCounter(COUNTER.nextEdgeId, this.given?.nextEdge ?? this.firstEdge + edgeCount);
    tx.setCounter(COUNTER.nodeCount, nodeCount);
    tx.setCounter(COUNTER.edgeCount, edgeCount);
    this.store.dictionary.allStored(tx);
  }

  /** Id of an edge. @param row  its number */
  private edgeOf(row: number): number {
    return this.firstEdge + (this.given?.edgeOffset(row) ?? row);
  }

  private builder(tree: BTree): BulkBuilder {
    return new BulkBuilder(this.writer, tree.treeId, this.pageSize);
  }
}

/** Puts a built tree in the place of one that is no longer needed. */
function replaceTree(tx: WriteTransaction, tree: BTree, built: BulkTree): void {
  tree.drop(tx);
  const slot = tx.createTree(tree.name);
  assert(slot === tree.slot, 'a tree that is created again gets the slot it had');
  tx.setTreeRoot(slot, built.root);
  tx.addTreeCount(slot, built.count);
}

function checkSource(source: BulkSource): void {
  if (typeof source !== 'object' || source === null)
    throw new DataError(
      'SOMBRA_OPTION',
      `bulkLoad: the source is an object with nodes and edges, not ${describe(source)}`,
    );
  for (const part of ['nodes', 'edges'] as const) {
    if (typeof (source[part] as Iterable<unknown> | undefined)?.[Symbol.iterator] === 'function') continue;
    throw new DataError(
      'SOMBRA_OPTION',
      `bulkLoad: ${part} is a list or another iterable, not ${describe(source[part])}`,
    );
  }
}

function checkEmpty(store: GraphStore): void {
  const { view } = store.pager;
  const trees = [
    store.nodes.tree,
    store.edges.tree,
    store.out.tree,
    store.in.tree,
    store.nodes.byName.tree,
    store.edges.byName.tree,
  ];
  const nodes = view.counter(COUNTER.nodeCount);
  const edges = view.counter(COUNTER.edgeCount);
  if (nodes === 0 && edges === 0 && trees.every((tree) => tree.count(view) === 0)) return;
  throw new StateError(
    'SOMBRA_BULK_NOT_EMPTY',
    `a bulk load fills an empty database, this one has ${nodes} nodes and ${edges} edges: use transactions, or a new file`,
  );
}

function checkRow(row: unknown, what: 'node' | 'edge', number: number): void {
  if (typeof row === 'object' && row !== null) return;
  throw new DataError('SOMBRA_VALUE_KIND', `${what} row ${number} is ${describe(row)}: give an object`);
}

/** Would a row that lacks something get it from `Object.prototype`? A copy of each row costs too much to be made always. */
function rowsInherit(): boolean {
  return ['labels', 'properties', 'source', 'target', 'type'].some((name) => name in Object.prototype);
}

function newId(first: number, row: number, what: 'node' | 'edge'): number {
  const id = first + row;
  if (id > ID_MAX)
    throw new DataError('SOMBRA_ID_RANGE', `all ${ID_MAX} ${what} ids are used up: export the graph into a new file`);
  return id;
}
