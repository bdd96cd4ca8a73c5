/** The read methods that a database, a snapshot and a transaction have in common. */
import type {
  BfsOptions,
  Direction,
  EdgeId,
  EdgeRecord,
  EdgesOfOptions,
  GraphReader,
  KHopOptions,
  NeighborOptions,
  NodeId,
  NodeRecord,
  Path,
  PathOptions,
  Properties,
  PropertyValue,
} from '@sombra/graph';

/**
 * Reads of a graph. A database sees the newest commit, a snapshot the commit it was taken at, a transaction its own writes.
 *
 * In general: a node or edge that does not exist is `undefined`, an empty list or 0, never an error. Returned objects belong
 * to the caller. Ids are safe integers from 1; anything else is refused with SOMBRA_ID_RANGE, an unknown option with
 * SOMBRA_OPTION. Every read can throw SOMBRA_CLOSED or SOMBRA_TX_DONE when its database or transaction has ended, and a
 * CorruptionError when the file is damaged.
 */
export abstract class GraphReads {
  /** What to read from. @throws when reading is over */
  protected abstract reads(): GraphReader;

  /** A node with its labels and properties. */
  getNode(id: NodeId): NodeRecord | undefined {
    return this.reads().getNode(id);
  }

  /** An edge with its ends, type and properties. */
  getEdge(id: EdgeId): EdgeRecord | undefined {
    return this.reads().getEdge(id);
  }

  hasNode(id: NodeId): boolean {
    return this.reads().hasNode(id);
  }

  hasEdge(id: EdgeId): boolean {
    return this.reads().hasEdge(id);
  }

  /** Is there a node with this id, and has it this label? */
  hasLabel(id: NodeId, label: string): boolean {
    return this.reads().getNode(id)?.labels.includes(label) ?? false;
  }

  /** One property of a node, without reading the others. */
  getNodeProperty(id: NodeId, key: string): PropertyValue | undefined {
    return this.reads().getNodeProperty(id, key);
  }

  /** One property of an edge, without reading the others. */
  getEdgeProperty(id: EdgeId, key: string): PropertyValue | undefined {
    return this.reads().getEdgeProperty(id, key);
  }

  /** Number of nodes, or of those with a label. Constant time. */
  nodeCount(label?: string): number {
    return this.reads().nodeCount(label);
  }

  /** Number of edges, or of those of a type. Constant time. */
  edgeCount(type?: string): number {
    return this.reads().edgeCount(type);
  }

  /** Number of edges of a node. Default direction `out`; in `both` a self loop counts 2. */
  degree(id: NodeId, options?: { readonly direction?: Direction; readonly type?: string | readonly string[] }): number {
    return this.reads().degree(id, options);
  }

  /** Every label that was ever used, in order of first use. */
  labels(): string[] {
    return this.reads().labels();
  }

  /** Every edge type that was ever used, in order of first use. */
  edgeTypes(): string[] {
    return this.reads().edgeTypes();
  }

  /** Every property key that was ever used, in order of first use. */
  propertyKeys(): string[] {
    return this.reads().propertyKeys();
  }

  /** Ids of the neighbours, one for each edge unless `distinct`. Default direction `out`, default all types. */
  neighbors(id: NodeId, options?: NeighborOptions): NodeId[] {
    return this.reads().neighbors(id, options);
  }

  /** Edges of a node, in the order of `neighbors`. */
  edgesOf(id: NodeId, options?: EdgesOfOptions): EdgeRecord[] {
    return this.reads().edgesOf(id, options);
  }

  /** Ids of the edges of a node, in the order of `neighbors`. */
  edgeIdsOf(id: NodeId, options?: EdgesOfOptions): EdgeId[] {
    return this.reads().edgeIdsOf(id, options);
  }

  /** Edges that leave a node. */
  outgoing(id: NodeId, options?: Omit<EdgesOfOptions, 'direction'>): EdgeRecord[] {
    return this.reads().outgoing(id, options);
  }

  /** Edges that arrive at a node. */
  incoming(id: NodeId, options?: Omit<EdgesOfOptions, 'direction'>): EdgeRecord[] {
    return this.reads().incoming(id, options);
  }

  /** Nodes by ascending id, in bounded memory. The iterator keeps what it began with until it ends or is left. */
  nodes(options?: { readonly label?: string }): IterableIterator<NodeRecord> {
    return this.reads().nodes(options);
  }

  /** Edges by ascending id, as `nodes`. */
  edges(options?: { readonly type?: string }): IterableIterator<EdgeRecord> {
    return this.reads().edges(options);
  }

  /** Ids of nodes, ascending, as `nodes`. */
  nodeIds(label?: string): IterableIterator<NodeId> {
    return this.reads().nodeIds(label);
  }

  /** Ids of edges, ascending, as `nodes`. */
  edgeIds(type?: string): IterableIterator<EdgeId> {
    return this.reads().edgeIds(type);
  }

  /**
   * Nodes that have a label (undefined: any) and equal properties, or for which a function says true. Reads every node of
   * the label.
   */
  findNodes(
    label: string | undefined,
    where: Properties | ((node: NodeRecord) => boolean),
    options?: { readonly limit?: number },
  ): NodeRecord[] {
    return this.reads().findNodes(label, where, options);
  }

  /** Nodes at most (default), exactly, or by walks of exactly `hops` edges away. */
  kHop(id: NodeId, hops: number, options?: KHopOptions): NodeId[] {
    return this.reads().kHop(id, hops, options);
  }

  /** Breadth-first: every node that can be reached with its distance, the start first. */
  bfs(id: NodeId, options?: BfsOptions): { id: NodeId; depth: number }[] {
    return this.reads().bfs(id, options);
  }

  /** How many nodes lie at distance 0, 1, 2, … The fast way to only count. */
  bfsLevels(id: NodeId, options?: BfsOptions): number[] {
    return this.reads().bfsLevels(id, options);
  }

  /**
   * A path with the fewest edges, or with `weight` the least sum of that edge property.
   * @returns undefined when there is none
   * @throws DataError SOMBRA_WEIGHT for a missing, negative or non-numeric weight
   */
  shortestPath(from: NodeId, to: NodeId, options?: PathOptions): Path | undefined {
    return this.reads().shortestPath(from, to, options);
  }
}
