/** What the readers and the writer of one graph share: trees, names, hints, decoders. */
import { BTree } from '@sombra/btree';
import type { BulkWriter, Pager, View, WriteTransaction } from '@sombra/pager';
import { CorruptionError, StateError } from '@sombra/vfs';
import { Adjacency } from '../adjacency/adjacency.ts';
import { Dictionary, type DictionaryMark } from '../names/dictionary.ts';
import { EdgeColumns } from '../adjacency/edge-columns.ts';
import { PropertyIndexes } from '../indexes/index-set.ts';
import { HintTable } from '../ids/hint-table.ts';
import { IdIndex } from '../ids/id-index.ts';
import { EDGE_PROPERTIES_OFFSET } from '../records/record-format.ts';
import { RecordReader } from '../records/record-reader.ts';
import { damagedRecord } from '../records/record-shape.ts';
import { Statistics } from '../names/statistics.ts';
import { TypeFilter } from '../names/type-filter.ts';
import { COUNTER } from '../model/counters.ts';
import type { PropertyValue } from '../model/types.ts';
import { danglingEdge } from '../model/damage.ts';

/** Names of the graph's trees, in the order in which they are created. */
export const TREES = ['nodes', 'edges', 'out', 'in', 'labels', 'edge-types', 'dictionary', 'statistics'] as const;

/** One hint stands for so many ids of the trees `nodes` and `edges`. */
const IDS_PER_HINT = 16;

/** Plain counters, read when asked for. */
export interface StoreCounters {
  transactions: number;
  commits: number;
  rollbacks: number;
  bulkLoads: number;
}

export class GraphStore {
  readonly pager: Pager;
  readonly nodes: BTree;
  readonly edges: BTree;
  readonly out: Adjacency;
  readonly in: Adjacency;
  readonly labelIndex: IdIndex;
  readonly typeIndex: IdIndex;
  readonly dictionaryTree: BTree;
  readonly dictionary: Dictionary;
  readonly statistics: Statistics;
  readonly indexes: PropertyIndexes;
  readonly records: RecordReader;
  readonly nodeHints: HintTable;
  readonly edgeHints: HintTable;
  /** The filter of the running query. */
  readonly filter = new TypeFilter();
  /** Accepts all types; never set to anything else. */
  readonly everyType = new TypeFilter();
  /** Edges of the node that a query works on. */
  readonly columns = new EdgeColumns();
  /** Edges that are only counted. */
  readonly scratch = new EdgeColumns();
  readonly counters: StoreCounters = { transactions: 0, commits: 0, rollbacks: 0, bulkLoads: 0 };
  /** Have other connections committed what `catchUp` has not taken up yet? */
  behind = false;
  /** Number of the newest commit of others. */
  private newestLsn = 0;

  /**
   * Opens the trees of a graph, which must exist.
   * @param hintMemory  bytes that hints may take
   * @throws CorruptionError SOMBRA_GRAPH_FORMAT when some are missing
   */
  constructor(pager: Pager, hintMemory: number) {
    this.pager = pager;
    const { view } = pager;
    const open = (name: string): BTree => {
      const tree = BTree.open(view, name);
      if (tree === undefined) {
        throw new CorruptionError(
          'SOMBRA_GRAPH_FORMAT',
          `the file has no tree '${name}', so it is not a whole graph: was it written by another program? Restore from a backup`,
        );
      }
      return tree;
    };
    const { pageSize } = view.cache;
    const part = Math.floor(hintMemory / 8);
    this.nodes = open('nodes');
    this.edges = open('edges');
    this.out = new Adjacency(open('out'), new HintTable(part * 3));
    this.in = new Adjacency(open('in'), new HintTable(part * 3));
    this.labelIndex = new IdIndex(open('labels'), pageSize);
    this.typeIndex = new IdIndex(open('edge-types'), pageSize);
    this.dictionaryTree = open('dictionary');
    this.statistics = new Statistics(open('statistics'));
    this.indexes = new PropertyIndexes(this.dictionaryTree);
    this.nodeHints = new HintTable(part);
    this.edgeHints = new HintTable(part);
    this.dictionary = new Dictionary(() => {
      this.records.forgetShapes();
    });
    this.records = new RecordReader(this.dictionary);
    this.dictionary.refresh(view, this.dictionaryTree);
    this.fitHints(view);
  }

  /** @throws StateError SOMBRA_RECOVERY_REQUIRED when the file has no tree at all: its creation was not finished */
  static refuseUncreated(pager: Pager): void {
    if (pager.view.trees().length > 0) return;
    throw new StateError(
      'SOMBRA_RECOVERY_REQUIRED',
      'the file is new and holds no graph yet: open it for writing once, which finishes its creation',
    );
  }

  /** Creates the trees in a file that has none, with one commit. Otherwise does nothing. */
  static create(pager: Pager): void {
    if (TREES.some((name) => pager.view.findTree(name) >= 0)) return;
    const trees = pager.view.trees();
    if (trees.length > 0) {
      throw new StateError(
        'SOMBRA_GRAPH_FORMAT',
        `the file holds other trees ('${trees[0]!.name}' and so on) and no graph: open it with the program that wrote it`,
      );
    }
    const tx = pager.begin();
    try {
      if (tx.view.findTree(TREES[0]) >= 0) {
        tx.rollback(); // another connection was faster
        return;
      }
      for (const name of TREES) BTree.create(tx, name);
      tx.setCounter(COUNTER.nextNodeId, 1);
      tx.setCounter(COUNTER.nextEdgeId, 1);
      tx.commit();
    } catch (error) {
      tx.rollback();
      throw error;
    }
  }

  // --- what reads and writes begin with: the names of the newest commit are known then ---------------------------------

  /** As Pager.begin. */
  begin(waitMs?: number): WriteTransaction {
    const tx = this.pager.begin(waitMs);
    if (!this.behind) return tx;
    try {
      this.catchUp(tx.view);
    } catch (error) {
      tx.rollback();
      throw error;
    }
    return tx;
  }

  /** As Pager.bulk. */
  bulk(waitMs?: number): BulkWriter {
    const writer = this.pager.bulk(waitMs);
    if (!this.behind) return writer;
    try {
      this.catchUp(this.pager.view);
    } catch (error) {
      writer.abort();
      throw error;
    }
    return writer;
  }

  /** As Pager.snapshot. */
  snapshot(options?: { readonly exempt?: boolean }): View {
    const view = this.pager.snapshot(options);
    if (!this.behind) return view;
    try {
      this.catchUp(view);
    } catch (error) {
      view.release();
      throw error;
    }
    return view;
  }

  /**
   * Other connections have committed. Only notes it: the pager tells it in the middle of its own work, where an error of the
   * disk would reach a caller that cannot know what to do about it. `catchUp` reads what is new.
   */
  advanced(newest: View): void {
    this.behind = true;
    this.newestLsn = newest.lsn;
    BTree.rolledBack(newest);
    this.statistics.restore();
    this.labelIndex.forget();
    this.typeIndex.forget();
  }

  /**
   * Takes up the names of a commit. After an error nothing has changed, and the next call tries again.
   * @param view  what will be read; an implicit view may see less than the newest commit until its turn ends
   * @throws CorruptionError SOMBRA_DICTIONARY, and what reading pages throws
   */
  catchUp(view: View): void {
    this.dictionary.refresh(view, this.dictionaryTree);
    this.fitHints(view);
    if (view.lsn >= this.newestLsn) this.behind = false;
  }

  // --- what becomes of writes --------------------------------------------------------------------------------------

  /** Lets the hint tables grow with the graph. */
  fitHints(view: View): void {
    const nodes = view.counter(COUNTER.nextNodeId);
    this.out.hints.fit(nodes);
    this.in.hints.fit(nodes);
    this.nodeHints.fit(Math.ceil(nodes / IDS_PER_HINT));
    this.edgeHints.fit(Math.ceil(view.counter(COUNTER.nextEdgeId) / IDS_PER_HINT));
  }

  /** The write transaction is about to be committed. Nothing is read after it: an error would deny a commit that is there. */
  committing(view: View): void {
    this.dictionary.committing(view);
    this.fitHints(view);
  }

  /** The write transaction was committed. @param published  false: others see it later, when it is synced */
  committed(published: boolean): void {
    if (published) this.dictionary.committed();
    this.counters.commits += 1;
  }

  /** A bulk load was committed. */
  bulkLoaded(): void {
    this.published();
    this.counters.bulkLoads += 1;
  }

  /** Trees that were built past the log were committed. */
  published(): void {
    this.dictionary.committed();
    this.labelIndex.forget();
    this.typeIndex.forget();
  }

  /** The write transaction was rolled back. @param names  names before it */
  rolledBack(names: DictionaryMark): void {
    this.dictionary.truncate(names);
    this.statistics.restore();
    this.labelIndex.forget();
    this.typeIndex.forget();
    this.counters.rollbacks += 1;
  }

  /** The write transaction went back to a savepoint. @param counts  pending statistics at that place */
  rolledBackTo(view: View, names: DictionaryMark, counts: Map<number, number>): void {
    BTree.rolledBack(view);
    this.dictionary.truncate(names);
    this.statistics.restore(counts);
    this.labelIndex.forget();
    this.typeIndex.forget();
  }

  /** Bytes that hints take now. */
  get hintMemory(): number {
    return this.out.hints.memory + this.in.hints.memory + this.nodeHints.memory + this.edgeHints.memory;
  }

  /**
   * Reads one property of the record that was found last in `tree`.
   * @param at    where its value begins in the page cache
   * @param skip  bytes before the property record
   */
  propertyFound(view: View, tree: BTree, at: number, skip: number, keyId: number): PropertyValue | undefined {
    if (tree.foundLength < skip) throw damagedRecord(`it has ${tree.foundLength} bytes`);
    if (tree.foundOverflow === 0)
      return this.records.property(view.cache.bytes, at + skip, tree.foundLength - skip, keyId);
    const copy = tree.readValue(view);
    return this.records.property(copy, skip, copy.length - skip, keyId);
  }

  /** For RecordSource. */
  withProperties(
    view: View,
    on: 'node' | 'edge',
    id: number,
    use: (bytes: Uint8Array, at: number, length: number) => void,
  ): boolean {
    const node = on === 'node';
    const tree = node ? this.nodes : this.edges;
    const skip = node ? 0 : EDGE_PROPERTIES_OFFSET;
    const at = node ? this.findNode(view, id) : this.findEdge(view, id);
    if (at < 0) return false;
    if (tree.foundLength < skip) throw damagedRecord(`it has ${tree.foundLength} bytes`);
    if (tree.foundOverflow === 0) use(view.cache.bytes, at + skip, tree.foundLength - skip);
    else {
      const copy = tree.readValue(view);
      use(copy, skip, copy.length - skip);
    }
    return true;
  }

  /** A property of an edge that exists, undefined if it has none. @param keyId  -1: a key that nothing has */
  edgeProperty(view: View, edge: number, keyId: number): PropertyValue | undefined {
    const at = this.findEdge(view, edge);
    if (at < 0) throw danglingEdge(edge);
    return keyId < 0 ? undefined : this.propertyFound(view, this.edges, at, EDGE_PROPERTIES_OFFSET, keyId);
  }

  /** Offset of a node's record as BTree.find gives it, -1 if there is none. */
  findNode(view: View, id: number): number {
    return findId(this.nodes, this.nodeHints, view, id);
  }

  /** Offset of an edge's record as BTree.find gives it, -1 if there is none. */
  findEdge(view: View, id: number): number {
    return findId(this.edges, this.edgeHints, view, id);
  }
}

function findId(tree: BTree, hints: HintTable, view: View, id: number): number {
  const place = hints.place(Math.floor(id / IDS_PER_HINT));
  const page = hints.pages[place]!;
  if (page !== 0) {
    const at = tree.findInLeafU48(view, page, id);
    if (at >= 0) return at;
  }
  const at = tree.findU48(view, id);
  if (at >= 0) hints.note(place, tree.foundPage, tree.foundSlot);
  return at;
}
