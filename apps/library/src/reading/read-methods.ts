/** The read methods that a database, a snapshot and a transaction have in common. */
import { FIND_OPTIONS, OpenFind, parseFind, PreparedFind } from '@sombra/graph';
import type {
  AlgorithmOptions,
  AllShortestOptions,
  BfsOptions,
  Clustering,
  Components,
  ComponentsOptions,
  DegreeOptions,
  DfsOptions,
  Direction,
  DistanceOptions,
  EdgeAggregate,
  EdgeId,
  EdgeQuery,
  EdgeRecord,
  EdgesOfOptions,
  Expanded,
  Find,
  FindPlan,
  FindRunner,
  GraphReader,
  GroupRow,
  Hop,
  IdRange,
  Include,
  Including,
  KHopOptions,
  NeighborOptions,
  NodeAggregate,
  NodeDistance,
  NodeId,
  NodeQuery,
  NodeRecord,
  PageRank,
  PageRankOptions,
  Path,
  PathOptions,
  PathsOptions,
  PropertyIndexInfo,
  PropertyValue,
  RecordPath,
  Rows,
  SelectedRecord,
  Selection,
  TopologicalOptions,
  Triangles,
  WithIncluded,
  WithRecords,
} from '@sombra/graph';

/**
 * Reads of a graph. A database sees the newest commit, a snapshot the commit it was taken at, a transaction its own writes.
 *
 * In general: a node or edge that does not exist is `undefined`, an empty list or 0, never an error. Returned objects belong
 * to the caller. Ids are safe integers from 1; anything else is refused with SOMBRA_ID_RANGE, an unknown option with
 * SOMBRA_OPTION. Every read can throw SOMBRA_CLOSED or SOMBRA_TX_DONE when its database or transaction has ended, and a
 * CorruptionError when the file is damaged.
 */
export abstract class ReadMethods implements FindRunner {
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

  /** Is there a node with this id, and does it have this label? */
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

  /** Labels with the number of their nodes, in order of first use. Constant time for each. */
  labelCounts(): { label: string; count: number }[] {
    return this.reads().labelCounts();
  }

  /** Edge types with the number of their edges, as `labelCounts`. */
  typeCounts(): { type: string; count: number }[] {
    return this.reads().typeCounts();
  }

  /** Property indexes, with the number of their entries. */
  propertyIndexes(): PropertyIndexInfo[] {
    return this.reads().propertyIndexes();
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

  /**
   * Edges of a node, each with the node at its other end, in the order of `neighbors`. `include`: with each of these nodes its own
   * edges and nodes, over up to 16 hops; see `Hop`.
   */
  expand<const I extends Include>(id: NodeId, options: NeighborOptions & Including<I>): Expanded<WithIncluded<I>>[];
  expand(id: NodeId, options?: NeighborOptions): Expanded[];
  expand(id: NodeId, options?: Hop): Expanded[] {
    return this.reads().expand(id, options as NeighborOptions);
  }

  /** Edges from one node to another; with direction `in` the other way round, with `both` all. */
  edgesBetween(source: NodeId, target: NodeId, options?: EdgesOfOptions): EdgeRecord[] {
    return this.reads().edgesBetween(source, target, options);
  }

  /** Edges that leave a node. */
  outgoing(id: NodeId, options?: Omit<EdgesOfOptions, 'direction'>): EdgeRecord[] {
    return this.reads().outgoing(id, options);
  }

  /** Edges that arrive at a node. */
  incoming(id: NodeId, options?: Omit<EdgesOfOptions, 'direction'>): EdgeRecord[] {
    return this.reads().incoming(id, options);
  }

  /**
   * Nodes by id, in bounded memory: all, or those of a label, of a range of ids, the first or last so many. The iterator keeps
   * what it began with until it ends or is left.
   */
  nodes(options?: { readonly label?: string | undefined } & IdRange): Rows<NodeRecord> {
    return this.reads().nodes(options);
  }

  /** Edges by id, as `nodes`. */
  edges(options?: { readonly type?: string | undefined } & IdRange): Rows<EdgeRecord> {
    return this.reads().edges(options);
  }

  /** Ids of nodes, as `nodes`. */
  nodeIds(options?: string | ({ readonly label?: string | undefined } & IdRange)): Rows<NodeId> {
    return this.reads().nodeIds(options);
  }

  /** Ids of edges, as `nodes`. */
  edgeIds(options?: string | ({ readonly type?: string | undefined } & IdRange)): Rows<EdgeId> {
    return this.reads().edgeIds(options);
  }

  /**
   * Nodes by their labels and conditions, in order, some of them, with some of their properties: see `NodeQuery`. Uses property
   * indexes where they help; rows stream, from what the first one was read from: run them to their end or leave them. `include`:
   * each node comes with edges and nodes around it, over several hops; see `Hop`.
   * @throws DataError SOMBRA_OPTION, SOMBRA_SORT_MEMORY when more rows have to be sorted than 64 MiB hold
   */
  findNodes(query: NodeQuery & Selection): Rows<SelectedRecord<NodeId>>;
  findNodes<const I extends Include>(query: NodeQuery & Including<I>): Rows<WithIncluded<I>>;
  findNodes(query?: NodeQuery): Rows<NodeRecord>;
  findNodes(query?: NodeQuery & Partial<Selection & Including>): Rows<NodeRecord | SelectedRecord> {
    return this.runFind(parseFind('node', query, 'findNodes', FIND_OPTIONS.node)) as Rows<NodeRecord | SelectedRecord>;
  }

  /** Edges by their type and conditions, as `findNodes`. */
  findEdges(query: EdgeQuery & Selection): Rows<SelectedRecord<EdgeId>>;
  findEdges(query?: EdgeQuery): Rows<EdgeRecord>;
  findEdges(query?: EdgeQuery & Partial<Selection>): Rows<EdgeRecord | SelectedRecord> {
    return this.runFind(parseFind('edge', query, 'findEdges', FIND_OPTIONS.edge)) as Rows<EdgeRecord | SelectedRecord>;
  }

  /** The first of `findNodes`; undefined when there is none. */
  findNode(query: NodeQuery & Selection): SelectedRecord<NodeId> | undefined;
  findNode<const I extends Include>(query: NodeQuery & Including<I>): WithIncluded<I> | undefined;
  findNode(query?: NodeQuery): NodeRecord | undefined;
  findNode(query?: NodeQuery & Partial<Selection & Including>): NodeRecord | SelectedRecord | undefined {
    return this.reads().findNode(query);
  }

  /** The first of `findEdges`; undefined when there is none. */
  findEdge(query: EdgeQuery & Selection): SelectedRecord<EdgeId> | undefined;
  findEdge(query?: EdgeQuery): EdgeRecord | undefined;
  findEdge(query?: EdgeQuery & Partial<Selection>): EdgeRecord | SelectedRecord | undefined {
    return this.reads().findEdge(query);
  }

  /** Number of nodes that `findNodes` would give. */
  countNodes(query?: Pick<NodeQuery, 'label' | 'where'>): number {
    return this.reads().countNodes(query);
  }

  /** Number of edges that `findEdges` would give. */
  countEdges(query?: Pick<EdgeQuery, 'type' | 'where'>): number {
    return this.reads().countEdges(query);
  }

  /** How `findNodes` would run: which index, how many rows. @param options  `analyze`: carry it out, and count */
  explainNodes(query?: NodeQuery & Partial<Selection & Including>, options?: { readonly analyze?: boolean }): FindPlan {
    return this.reads().explainNodes(query, options);
  }

  /** How `findEdges` would run, as `explainNodes`. */
  explainEdges(query?: EdgeQuery & Partial<Selection>, options?: { readonly analyze?: boolean }): FindPlan {
    return this.reads().explainEdges(query, options);
  }

  /**
   * Counts, sums, averages, least and greatest values over nodes: a row for each combination of the values of `groupBy`, in
   * their order; without it one row. See `GroupRow` for how large and mixed numbers are summed.
   * @throws DataError SOMBRA_GROUP_MEMORY when the groups take more than 64 MiB, SOMBRA_NOT_A_NUMBER
   */
  aggregateNodes(query: NodeAggregate): GroupRow[] {
    return this.reads().aggregateNodes(query);
  }

  /** Figures over edges, as `aggregateNodes`. */
  aggregateEdges(query: EdgeAggregate): GroupRow[] {
    return this.reads().aggregateEdges(query);
  }

  /**
   * A find of nodes that is checked and planned once, and run many times with other values: put `param('name')` in the place of a
   * value in `where`, or of `limit`, `skip` and `after`.
   */
  prepareNodes(query: NodeQuery & Selection): PreparedFind<SelectedRecord<NodeId>>;
  prepareNodes<const I extends Include>(query: NodeQuery & Including<I>): PreparedFind<WithIncluded<I>>;
  prepareNodes(query?: NodeQuery): PreparedFind<NodeRecord>;
  prepareNodes(query?: NodeQuery & Partial<Selection & Including>): PreparedFind<NodeRecord | SelectedRecord> {
    return new PreparedFind(this, new OpenFind('node', query, 'prepareNodes'));
  }

  /** A find of edges that is checked and planned once, as `prepareNodes`. */
  prepareEdges(query: EdgeQuery & Selection): PreparedFind<SelectedRecord<EdgeId>>;
  prepareEdges(query?: EdgeQuery): PreparedFind<EdgeRecord>;
  prepareEdges(query?: EdgeQuery & Partial<Selection>): PreparedFind<EdgeRecord | SelectedRecord> {
    return new PreparedFind(this, new OpenFind('edge', query, 'prepareEdges'));
  }

  /** For FindRunner. @internal */
  runFind(find: Find): Rows<unknown> {
    return this.reads().runFind(find);
  }

  /** For FindRunner. @internal */
  runFirst(find: Find): unknown {
    return this.reads().runFirst(find);
  }

  /** For FindRunner. @internal */
  runCount(find: Find): number {
    return this.reads().runCount(find);
  }

  /** For FindRunner. @internal */
  runExplain(find: Find, options: { readonly analyze?: boolean } | undefined): FindPlan {
    return this.reads().runExplain(find, options);
  }

  /** Nodes at most (default), exactly, or by walks of exactly `hops` edges away. */
  kHop(id: NodeId, hops: number, options?: KHopOptions): NodeId[] {
    return this.reads().kHop(id, hops, options);
  }

  /** Breadth-first: every node that can be reached with its distance, the start first. */
  bfs(id: NodeId, options?: BfsOptions): { id: NodeId; depth: number }[] {
    return this.reads().bfs(id, options);
  }

  /** How many nodes lie at distance 0, 1, 2, … The fastest way if you only need counts. */
  bfsLevels(id: NodeId, options?: BfsOptions): number[] {
    return this.reads().bfsLevels(id, options);
  }

  /** Nodes at distance 0, 1, 2, …, in the order of `bfs`. */
  levels(id: NodeId, options?: BfsOptions): NodeId[][] {
    return this.reads().levels(id, options);
  }

  /** As `bfs`; see `pageRankAsync`. */
  async bfsAsync(id: NodeId, options?: BfsOptions): Promise<{ id: NodeId; depth: number }[]> {
    return await this.reads().bfsAsync(id, options);
  }

  /** As `bfsLevels`; see `pageRankAsync`. */
  async bfsLevelsAsync(id: NodeId, options?: BfsOptions): Promise<number[]> {
    return await this.reads().bfsLevelsAsync(id, options);
  }

  /** As `levels`; see `pageRankAsync`. */
  async levelsAsync(id: NodeId, options?: BfsOptions): Promise<NodeId[][]> {
    return await this.reads().levelsAsync(id, options);
  }

  /** Depth-first: every node that can be reached, with the length of the path that led there. */
  dfs(id: NodeId, options?: DfsOptions): { id: NodeId; depth: number }[] {
    return this.reads().dfs(id, options);
  }

  /**
   * Paths from a node, to one node or wherever they end, streaming; a path comes before its extensions. With `records: true`, they
   * have their nodes and edges in the place of ids; a transaction leaves out a path of which it has deleted something since.
   */
  paths(from: NodeId, to: NodeId | undefined, options: PathsOptions & WithRecords): Rows<RecordPath>;
  paths(from: NodeId, to?: NodeId, options?: PathsOptions): Rows<Path>;
  paths(from: NodeId, to?: NodeId, options?: PathsOptions & Partial<WithRecords>): Rows<Path | RecordPath> {
    return this.reads().paths(from, to, options as WithRecords);
  }

  /**
   * A path with the fewest edges, or with `weight` the least sum of that edge property. `records`: as in `paths`.
   * @returns undefined when there is none
   * @throws DataError SOMBRA_WEIGHT for a missing, negative or non-numeric weight
   */
  shortestPath(from: NodeId, to: NodeId, options: PathOptions & WithRecords): RecordPath | undefined;
  shortestPath(from: NodeId, to: NodeId, options?: PathOptions): Path | undefined;
  shortestPath(from: NodeId, to: NodeId, options?: PathOptions & Partial<WithRecords>): Path | RecordPath | undefined {
    return this.reads().shortestPath(from, to, options as WithRecords);
  }

  /** As `shortestPath`; see `pageRankAsync`. */
  shortestPathAsync(from: NodeId, to: NodeId, options: PathOptions & WithRecords): Promise<RecordPath | undefined>;
  shortestPathAsync(from: NodeId, to: NodeId, options?: PathOptions): Promise<Path | undefined>;
  async shortestPathAsync(
    from: NodeId,
    to: NodeId,
    options?: PathOptions & Partial<WithRecords>,
  ): Promise<Path | RecordPath | undefined> {
    return await this.reads().shortestPathAsync(from, to, options as WithRecords);
  }

  /** All paths with the fewest edges, streaming. `records`: as in `paths`. */
  allShortestPaths(from: NodeId, to: NodeId, options: AllShortestOptions & WithRecords): Rows<RecordPath>;
  allShortestPaths(from: NodeId, to: NodeId, options?: AllShortestOptions): Rows<Path>;
  allShortestPaths(
    from: NodeId,
    to: NodeId,
    options?: AllShortestOptions & Partial<WithRecords>,
  ): Rows<Path | RecordPath> {
    return this.reads().allShortestPaths(from, to, options as WithRecords);
  }

  /** The k best paths that visit no node twice, best first. `records`: as in `paths`. @throws as `shortestPath` */
  kShortestPaths(from: NodeId, to: NodeId, k: number, options: PathOptions & WithRecords): RecordPath[];
  kShortestPaths(from: NodeId, to: NodeId, k: number, options?: PathOptions): Path[];
  kShortestPaths(
    from: NodeId,
    to: NodeId,
    k: number,
    options?: PathOptions & Partial<WithRecords>,
  ): (Path | RecordPath)[] {
    return this.reads().kShortestPaths(from, to, k, options as WithRecords);
  }

  /** As `kShortestPaths`; see `pageRankAsync`. */
  kShortestPathsAsync(from: NodeId, to: NodeId, k: number, options: PathOptions & WithRecords): Promise<RecordPath[]>;
  kShortestPathsAsync(from: NodeId, to: NodeId, k: number, options?: PathOptions): Promise<Path[]>;
  async kShortestPathsAsync(
    from: NodeId,
    to: NodeId,
    k: number,
    options?: PathOptions & Partial<WithRecords>,
  ): Promise<(Path | RecordPath)[]> {
    return await this.reads().kShortestPathsAsync(from, to, k, options as WithRecords);
  }

  /** Every node that can be reached with its distance by edges or by weight, nearest first. @throws as `shortestPath` */
  distances(from: NodeId, options?: DistanceOptions): NodeDistance[] {
    return this.reads().distances(from, options);
  }

  /** As `distances`; see `pageRankAsync`. */
  async distancesAsync(from: NodeId, options?: DistanceOptions): Promise<NodeDistance[]> {
    return await this.reads().distancesAsync(from, options);
  }

  /** Weakly or strongly connected components. */
  components(options?: ComponentsOptions): Components {
    return this.reads().components(options);
  }

  /** As `components`; see `pageRankAsync`. */
  async componentsAsync(options?: ComponentsOptions): Promise<Components> {
    return await this.reads().componentsAsync(options);
  }

  /** Triangles of the undirected simple graph. */
  triangles(options?: AlgorithmOptions): Triangles {
    return this.reads().triangles(options);
  }

  /** As `triangles`; see `pageRankAsync`. */
  async trianglesAsync(options?: AlgorithmOptions): Promise<Triangles> {
    return await this.reads().trianglesAsync(options);
  }

  /** Clustering coefficients of the undirected simple graph. */
  clustering(options?: AlgorithmOptions): Clustering {
    return this.reads().clustering(options);
  }

  /** As `clustering`; see `pageRankAsync`. */
  async clusteringAsync(options?: AlgorithmOptions): Promise<Clustering> {
    return await this.reads().clusteringAsync(options);
  }

  /** Ranks of nodes by the ranks of the nodes that lead to them. */
  pageRank(options?: PageRankOptions): PageRank {
    return this.reads().pageRank(options);
  }

  /**
   * As `pageRank`, over the commit that is newest now, in slices of a few milliseconds, so that other work goes on and a signal
   * can end it. In a transaction it runs in one go, before it returns.
   * @returns rejected with what `pageRank` throws
   */
  async pageRankAsync(options?: PageRankOptions): Promise<PageRank> {
    return await this.reads().pageRankAsync(options);
  }

  /** How many nodes have which degree. */
  degreeDistribution(options?: DegreeOptions): { degree: number; nodes: number }[] {
    return this.reads().degreeDistribution(options);
  }

  /** As `degreeDistribution`; see `pageRankAsync`. */
  async degreeDistributionAsync(options?: DegreeOptions): Promise<{ degree: number; nodes: number }[]> {
    return await this.reads().degreeDistributionAsync(options);
  }

  /** All nodes so that every edge leads onward. @throws DataError SOMBRA_CYCLE, with one cycle in its details */
  topologicalOrder(options?: TopologicalOptions): NodeId[] {
    return this.reads().topologicalOrder(options);
  }

  /** As `topologicalOrder`; see `pageRankAsync`. */
  async topologicalOrderAsync(options?: TopologicalOptions): Promise<NodeId[]> {
    return await this.reads().topologicalOrderAsync(options);
  }

  /** One cycle of edges in their direction; undefined when there is none. */
  findCycle(options?: AlgorithmOptions): Path | undefined {
    return this.reads().findCycle(options);
  }

  /** As `findCycle`; see `pageRankAsync`. */
  async findCycleAsync(options?: AlgorithmOptions): Promise<Path | undefined> {
    return await this.reads().findCycleAsync(options);
  }
}
