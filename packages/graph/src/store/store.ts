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
import { RecordReader } from '../records/record-reader.ts';
import type { Shape } from '../records/record-shape.ts';
import { edgeEnds, type EdgeEnds } from '../records/edge-record.ts';
import { RECORD_KINDS, type RecordOn } from '../names/record-kind.ts';
import { RecordTable } from './record-table.ts';
import { Statistics } from '../names/statistics.ts';
import { TypeFilter } from '../names/type-filter.ts';
import { COUNTER } from '../model/counters.ts';
import type { PropertyValue } from '../model/types.ts';
import { danglingEdge } from '../model/damage.ts';

/** Names of the graph's trees, in the order in which they are created. */
export const TREES = ['nodes', 'edges', 'out', 'in', 'labels', 'edge-types', 'dictionary', 'statistics'] as const;

/** Plain counters, read when asked for. */
export interface StoreCounters {
  transactions: number;
  commits: number;
  rollbacks: number;
  bulkLoads: number;
}

export class GraphStore {
  readonly pager: Pager;
  readonly nodes: RecordTable;
  readonly edges: RecordTable;
  readonly out: Adjacency;
  readonly in: Adjacency;
  readonly dictionaryTree: BTree;
  readonly dictionary: Dictionary;
  readonly statistics: Statistics;
  readonly indexes: PropertyIndexes;
  readonly records: RecordReader;
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
    const { node, edge } = RECORD_KINDS;
    this.nodes = new RecordTable(node, open('nodes'), new IdIndex(open('labels'), pageSize), part);
    this.edges = new RecordTable(edge, open('edges'), new IdIndex(open('edge-types'), pageSize), part);
    this.out = new Adjacency(open('out'), new HintTable(part * 3));
    this.in = new Adjacency(open('in'), new HintTable(part * 3));
    this.dictionaryTree = open('dictionary');
    this.statistics = new Statistics(open('statistics'));
    this.indexes = new PropertyIndexes(this.dictionaryTree);
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
    this.nodes.byName.forget();
    this.edges.byName.forget();
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
    this.nodes.fitHints(view);
    this.edges.fitHints(view);
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
    this.nodes.byName.forget();
    this.edges.byName.forget();
  }

  /** The write transaction was rolled back. @param names  names before it */
  rolledBack(names: DictionaryMark): void {
    this.dictionary.truncate(names);
    this.statistics.restore();
    this.nodes.byName.forget();
    this.edges.byName.forget();
    this.counters.rollbacks += 1;
  }

  /** The write transaction went back to a savepoint. @param counts  pending statistics at that place */
  rolledBackTo(view: View, names: DictionaryMark, counts: Map<number, number>): void {
    BTree.rolledBack(view);
    this.dictionary.truncate(names);
    this.statistics.restore(counts);
    this.nodes.byName.forget();
    this.edges.byName.forget();
  }

  /** Bytes that hints take now. */
  get hintMemory(): number {
    return this.out.hints.memory + this.in.hints.memory + this.nodes.hints.memory + this.edges.hints.memory;
  }

  /** The nodes or the edges. */
  table(on: RecordOn): RecordTable {
    return on === 'node' ? this.nodes : this.edges;
  }

  /** Reads one property of the record that `table` found last. @param at  what its `find` gave */
  propertyFound(view: View, table: RecordTable, at: number, keyId: number): PropertyValue | undefined {
    const start = table.propertiesStart(at);
    return this.records.property(table.bytes(view), start, table.propertiesLength, keyId);
  }

  /** For RecordSource. */
  withProperties(
    view: View,
    on: RecordOn,
    id: number,
    use: (bytes: Uint8Array, at: number, length: number) => void,
  ): boolean {
    const table = this.table(on);
    const at = table.find(view, id);
    if (at < 0) return false;
    const start = table.propertiesStart(at);
    use(table.bytes(view), start, table.propertiesLength);
    return true;
  }

  /** A property of an edge that exists, undefined if it has none. @param keyId  -1: a key that nothing has */
  edgeProperty(view: View, edge: number, keyId: number): PropertyValue | undefined {
    const { edges } = this;
    const at = edges.find(view, edge);
    if (at < 0) throw danglingEdge(edge);
    return keyId < 0 ? undefined : this.propertyFound(view, edges, at, keyId);
  }

  /** Ends and type of an edge; undefined when there is none. @throws CorruptionError SOMBRA_RECORD */
  edgeEnds(view: View, id: number): EdgeEnds | undefined {
    const { edges } = this;
    const at = edges.find(view, id);
    return at < 0 ? undefined : edgeEnds(id, edges.bytes(view), edges.start(at), edges.length);
  }

  /** Labels and keys of a node; undefined when there is none. Belongs to `records`. @param records  decodes the record */
  nodeShape(view: View, id: number, records: RecordReader = this.records): Shape | undefined {
    const { nodes } = this;
    const at = nodes.find(view, id);
    return at < 0 ? undefined : records.open(nodes.bytes(view), nodes.start(at), nodes.length);
  }
}
