/**
 * Reads what is left of a damaged graph: nodes and edges whose records pass every check, in the order of their ids, and which ones are
 * lost, or may be. Nothing is guessed: a record of which anything is damaged is lost as a whole.
 */
import { CommitPages, type FilePages, type Pager, rootsPage, type View } from '@sombra/pager';
import { CorruptionError } from '@sombra/vfs';
import type { FoundLeaf } from '@sombra/btree';
import type { BulkEdge, BulkNode } from '../bulk/bulk-load.ts';
import { IdSet } from '../ids/id-set.ts';
import type { IndexDefinition } from '../indexes/definition.ts';
import { edgeEnds } from '../records/edge-record.ts';
import { EDGE_PROPERTIES_OFFSET } from '../records/record-format.ts';
import { RecordReader } from '../records/record-reader.ts';
import { COUNTER } from '../model/counters.ts';
import { ID_MAX } from '../model/limits.ts';
import { readU48 } from '../values/u48.ts';
import { type IdRange, idsOf, uncovered } from './id-ranges.ts';
import { type LostName, SalvagedNames } from './salvage-names.ts';
import { type SalvagedTree, type SalvageSource, SalvageTrees } from './salvage-trees.ts';

/** A node or edge that was there, and is lost. */
export interface LostRecord {
  readonly id: number;
  readonly why: string;
}

/** What is lost of the nodes, or of the edges. */
export interface LostRecords {
  /** How many there were, as the catalogue counts; null when that is lost, too. */
  readonly counted: number | null;
  readonly found: number;
  /** Those that are known to have been there. */
  readonly records: readonly LostRecord[];
  /** Ids of which nothing says whether they were in use. `to` is the greatest id there is when nothing says where they end. */
  readonly ranges: readonly IdRange[];
}

/** A property index of the damaged graph. */
export interface SalvagedIndex {
  readonly on: 'node' | 'edge';
  readonly name: string;
  readonly keys: readonly string[];
  readonly unique: boolean;
}

/** Counters of the catalogue; null when it is lost. */
export interface SalvageCounts {
  readonly nodes: number;
  readonly edges: number;
  readonly nextNode: number;
  readonly nextEdge: number;
}

const KEY_SIZE = 6;

/** One reading of a damaged graph: first `nodes`, then `edges`, each to its end; then what is lost is known. */
export class GraphSalvage {
  private readonly trees: SalvageTrees;
  private readonly names = new SalvagedNames();
  private readonly counts: SalvageCounts | null;
  private readonly records: RecordReader;
  private readonly nodeIds = new IdSet();
  private readonly missingNodes = new Map<number, string>();
  private readonly lostNodes: LostRecord[] = [];
  private readonly lostEdges: LostRecord[] = [];
  private edgeCount = 0;
  private lastNode = 0;
  private lastEdge = 0;
  private readonly unreadNodes: FoundLeaf[] = [];
  private readonly unreadEdges: FoundLeaf[] = [];

  /**
   * What is left of a commit whose catalogue can be read.
   * @param view  a snapshot of the pager
   * @throws IoError SOMBRA_IO
   */
  static ofCommit(pager: Pager, view: View, unproven: boolean): GraphSalvage {
    const known = freePagesOf(pager, view);
    const source: SalvageSource = {
      pages: new CommitPages(view),
      firstPage: rootsPage(pager.pageSize) + 1,
      rootOf: (name) => {
        const slot = view.findTree(name);
        return slot < 0 ? 0 : view.treeRoot(slot);
      },
      free: known ?? new Set(),
      freeComplete: known !== undefined,
      unproven,
    };
    return new GraphSalvage(source, {
      nodes: view.counter(COUNTER.nodeCount),
      edges: view.counter(COUNTER.edgeCount),
      nextNode: view.counter(COUNTER.nextNodeId),
      nextEdge: view.counter(COUNTER.nextEdgeId),
    });
  }

  /** What is left of a file whose catalogue cannot be read, as of its last checkpoint. @throws IoError SOMBRA_IO */
  static ofFile(pages: FilePages, unproven: boolean): GraphSalvage {
    const { free, complete } = pages.freePages();
    const firstPage = rootsPage(pages.pageSize) + 1;
    return new GraphSalvage({ pages, firstPage, rootOf: () => 0, free, freeComplete: complete, unproven }, null);
  }

  private constructor(source: SalvageSource, counts: SalvageCounts | null) {
    this.counts = counts;
    this.trees = new SalvageTrees(source);
    this.records = new RecordReader(this.names);
    for (const { page } of this.trees.tree('dictionary').leaves)
      this.attempt(() => {
        for (const { key, value } of this.trees.entries(page)) this.names.take(key, value);
      });
  }

  /** Leaves that could not be proved to be in use. */
  get unprovenLeaves(): number {
    return this.trees.unprovenLeaves;
  }

  /** Indexes that there were; definitions that are damaged are only counted. */
  get indexes(): { readonly found: readonly SalvagedIndex[]; readonly damaged: number } {
    const { names } = this;
    const found = names.definitions.map(({ on, name, keyIds, unique }: IndexDefinition) => ({
      on,
      name: on === 'node' ? names.labelName(name) : names.typeName(name),
      keys: keyIds.map((key) => names.keyName(key)),
      unique,
    }));
    return { found, damaged: names.lostDefinitions.length };
  }

  /** May definitions of indexes, and names that nothing has, be lost? */
  get dictionaryDamaged(): boolean {
    return this.trees.tree('dictionary').holes.length > 0;
  }

  /** Names that are lost, and what stands in their place. */
  get lostNames(): readonly LostName[] {
    return this.names.lost;
  }

  /** The first ids that the salvaged graph may give out. */
  get next(): { readonly nextNode: number; readonly nextEdge: number } {
    const { counts } = this;
    const missing = Math.max(0, ...this.missingNodes.keys());
    return {
      nextNode: Math.max(counts?.nextNode ?? 1, this.lastNode + 1, missing + 1),
      nextEdge: Math.max(counts?.nextEdge ?? 1, this.lastEdge + 1),
    };
  }

  /** Nodes that pass every check, by id. @throws IoError SOMBRA_IO */
  *nodes(): Generator<BulkNode & { readonly id: number }, void, undefined> {
    for (const { id, value } of this.rows(
      'nodes',
      this.lostNodes,
      this.unreadNodes,
      (last) => (this.lastNode = last),
    )) {
      const row = this.decode(id, this.lostNodes, () => {
        const shape = this.records.open(value, 0, value.length);
        return { id, labels: shape.labels, properties: this.records.values(shape) };
      });
      if (row === undefined) continue;
      this.nodeIds.add(id);
      yield row;
    }
  }

  /** Edges that pass every check, and whose ends do, by id. Call after `nodes` has ended. @throws IoError SOMBRA_IO */
  *edges(): Generator<BulkEdge & { readonly id: number }, void, undefined> {
    const { records, names, nodeIds } = this;
    for (const { id, value } of this.rows(
      'edges',
      this.lostEdges,
      this.unreadEdges,
      (last) => (this.lastEdge = last),
    )) {
      const row = this.decode(id, this.lostEdges, () => {
        const { source, target, type } = edgeEnds(id, value, 0, value.length);
        const shape = records.open(value, EDGE_PROPERTIES_OFFSET, value.length - EDGE_PROPERTIES_OFFSET);
        return { id, source, target, type: names.typeName(type), properties: records.values(shape) };
      });
      if (row === undefined) continue;
      const ends = [...new Set([row.source, row.target])].filter((end) => !nodeIds.has(end));
      for (const end of ends) this.missingNodes.set(end, `edge ${id} leads to or from it, and its record is lost`);
      if (ends.length > 0) {
        const what = ends.map((end) => `node ${end}`).join(' and ');
        this.lostEdges.push({
          id,
          why: `its record is sound, from node ${row.source} to ${row.target}, type ${row.type}; ${what} is lost`,
        });
        continue;
      }
      this.edgeCount += 1;
      yield row;
    }
  }

  /** What is lost. Call after `edges` has ended. */
  lost(): { readonly nodes: LostRecords; readonly edges: LostRecords } {
    const { counts, lostNodes, lostEdges, missingNodes, nodeIds } = this;
    const known = new Set(lostNodes.map(({ id }) => id));
    for (const [id, why] of missingNodes) if (!known.has(id)) lostNodes.push({ id, why });
    const { nextNode, nextEdge } = this.next;
    return {
      nodes: {
        counted: counts?.nodes ?? null,
        found: nodeIds.size,
        records: lostNodes,
        ranges: this.ranges(
          'nodes',
          this.unreadNodes,
          counts === null ? ID_MAX + 1 : nextNode,
          counts?.nodes === nodeIds.size,
        ),
      },
      edges: {
        counted: counts?.edges ?? null,
        found: this.edgeCount,
        records: lostEdges,
        ranges: this.ranges(
          'edges',
          this.unreadEdges,
          counts === null ? ID_MAX + 1 : nextEdge,
          counts?.edges === this.edgeCount,
        ),
      },
    };
  }

  private ranges(name: 'nodes' | 'edges', unread: readonly FoundLeaf[], next: number, complete: boolean): IdRange[] {
    if (complete) return [];
    const { leaves, holes }: SalvagedTree = this.trees.tree(name);
    const gone = new Set(unread);
    const covered = leaves.filter((leaf) => !gone.has(leaf)).map((leaf) => idsOf(leaf, next));
    return uncovered(
      [...holes, ...unread].map((span) => idsOf(span, next)),
      covered,
    );
  }

  /** Entries of a tree by id, each once. */
  private *rows(
    name: 'nodes' | 'edges',
    lost: LostRecord[],
    unread: FoundLeaf[],
    noteLast: (id: number) => void,
  ): Generator<{ readonly id: number; readonly value: Uint8Array }, void, undefined> {
    let last = 0;
    for (const leaf of this.trees.tree(name).leaves) {
      const entries = this.attempt(() => this.trees.entries(leaf.page));
      if (entries === undefined) {
        unread.push(leaf); // it could be read a moment ago
        continue;
      }
      for (const { key, value } of entries) {
        const id = key.length === KEY_SIZE ? readU48(key, 0) : 0;
        if (id < 1 || id > ID_MAX) continue;
        if (id <= last) {
          lost.push({
            id,
            why: `page ${leaf.page} has a record of it, and so has another page: this one was left out`,
          });
          continue;
        }
        last = id;
        noteLast(id);
        if (value === undefined) lost.push({ id, why: 'a page that its record continues on is damaged' });
        else yield { id, value };
      }
    }
  }

  private decode<T>(id: number, lost: LostRecord[], read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      lost.push({ id, why: error.message });
      return undefined;
    }
  }

  private attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (error instanceof CorruptionError) return undefined;
      throw error;
    }
  }
}

/** undefined: the freelist is damaged. */
function freePagesOf(pager: Pager, view: View): ReadonlySet<number> | undefined {
  try {
    return pager.freePages(view);
  } catch (error) {
    if (error instanceof CorruptionError) return undefined;
    throw error;
  }
}
