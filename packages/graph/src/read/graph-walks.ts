/**
 * Traversal and algorithms of GraphReader. What they do stands in algorithms/; here is what a reader lends them: its view, a
 * commit that stays while they run, and a watch.
 */
import { ownOptions } from '../model/options.ts';
import type { View, WriteTransaction } from '@sombra/pager';
import { components, type Components, type ComponentsOptions } from '../algorithms/components.ts';
import { findCycle, topologicalOrder, type TopologicalOptions } from '../algorithms/cycles.ts';
import { degreeDistribution, type DegreeOptions } from '../algorithms/degree-distribution.ts';
import { kShortestPaths } from '../algorithms/k-shortest-paths.ts';
import {
  depthFirst,
  type DfsOptions,
  kHop,
  levelNodes,
  levelNodesSteps,
  levelSizes,
  levelSizesSteps,
  visitedNodes,
  visitedSteps,
} from '../traversal/near-nodes.ts';
import { pageRank, type PageRank, type PageRankOptions } from '../algorithms/page-rank.ts';
import {
  type AllShortestOptions,
  parsePaths,
  parseShortest,
  type PathsOptions,
  walkPaths,
  walkShortest,
} from '../traversal/paths.ts';
import { Rows } from '../model/rows.ts';
import type { ReadSource } from '../traversal/read-source.ts';
import type { RecordSource } from '../model/record-source.ts';
import {
  type DistanceOptions,
  distances,
  distancesSteps,
  type NodeDistance,
  type PathOptions,
  shortestPath,
  shortestPathSteps,
} from '../traversal/shortest-path.ts';
import { PausingRun, runSteps, type Steps } from '../model/steps.ts';
import type { AlgorithmOptions } from '../algorithms/subgraph.ts';
import { clustering, type Clustering, triangles, type Triangles } from '../algorithms/triangles.ts';
import type { BfsOptions } from '../traversal/walk-options.ts';
import { Watch } from '../model/watch.ts';
import type { RunOptions } from '../model/run-options.ts';
import type { Workspace } from '../traversal/workspace.ts';
import type { GraphStore } from '../store/store.ts';
import type {
  EdgeId,
  EdgeRecord,
  KHopOptions,
  NodeId,
  NodeRecord,
  Path,
  RecordPath,
  WithRecords,
} from '../model/types.ts';

/** The methods of GraphReader that follow edges further than one step. Its rules hold here too. */
export abstract class GraphWalks implements RecordSource {
  /** @internal */
  protected abstract readonly store: GraphStore;
  /** @internal */
  protected abstract readonly workspace: Workspace;
  /** What this reader sees. @internal */
  protected abstract get view(): View;

  abstract getNode(id: NodeId): NodeRecord | undefined;
  abstract getEdge(id: EdgeId): EdgeRecord | undefined;
  abstract hasNode(id: NodeId): boolean;
  abstract nodeCount(label?: string): number;
  abstract edgeCount(type?: string): number;

  /** A reader whose commit stays as it is until `letGo`. @internal */
  protected abstract holding(): GraphWalks;
  /** Ends what `holding` began. @internal */
  protected abstract letGo(): void;

  // --- traversal ---------------------------------------------------------------------------------------------------

  /** Nodes some steps away from a node, each once; see KHopOptions. Empty for a missing node. */
  kHop(id: NodeId, hops: number, options?: KHopOptions): NodeId[] {
    return kHop(this.source(options), id, hops, options);
  }

  /** Nodes by distance, the start first with depth 0. Empty for a missing node. */
  bfs(id: NodeId, options?: BfsOptions): { id: NodeId; depth: number }[] {
    return this.asking(options, (source) => visitedNodes(source, id, options));
  }

  /** Number of nodes per distance: [1, neighbours, …]. Empty for a missing node. Builds no object per node. */
  bfsLevels(id: NodeId, options?: BfsOptions): number[] {
    return this.asking(options, (source) => levelSizes(source, id, options));
  }

  /** Nodes per distance, in the order of `bfs`: [[start], neighbours, …]. Empty for a missing node. */
  levels(id: NodeId, options?: BfsOptions): NodeId[][] {
    return this.asking(options, (source) => levelNodes(source, id, options));
  }

  /** As `bfs`; see `pageRankAsync`. */
  bfsAsync(id: NodeId, options?: BfsOptions): Promise<{ id: NodeId; depth: number }[]> {
    return this.runAsync(options, (source) => visitedSteps(source, id, options));
  }

  /** As `bfsLevels`; see `pageRankAsync`. */
  bfsLevelsAsync(id: NodeId, options?: BfsOptions): Promise<number[]> {
    return this.runAsync(options, (source) => levelSizesSteps(source, id, options));
  }

  /** As `levels`; see `pageRankAsync`. */
  levelsAsync(id: NodeId, options?: BfsOptions): Promise<NodeId[][]> {
    return this.runAsync(options, (source) => levelNodesSteps(source, id, options));
  }

  /** Nodes in depth first order, with the length of the way that led there. Empty for a missing node. */
  dfs(id: NodeId, options?: DfsOptions): { id: NodeId; depth: number }[] {
    return this.asking(options, (source) => depthFirst(source, id, options));
  }

  /**
   * Paths from a node, to one node or wherever they end, one after the other: a path comes before its extensions, edges in the
   * order of `edgesOf`. Nothing for missing nodes. Memory stays bounded by the edges of the nodes on one path, and 4 bytes per
   * node id when `to` is given. With `records`, paths have their nodes and edges; a transaction leaves out a path of which it has
   * deleted something since. As `nodes`.
   */
  paths(from: NodeId, to: NodeId | undefined, options: PathsOptions & WithRecords): Rows<RecordPath>;
  paths(from: NodeId, to?: NodeId, options?: PathsOptions): Rows<Path>;
  paths(from: NodeId, to?: NodeId, options?: PathsOptions & Partial<WithRecords>): Rows<Path | RecordPath> {
    const asked = parsePaths(from, to, options);
    this.watch(options);
    return this.streamed(options, (source) => walkPaths(source, asked));
  }

  /**
   * A path with the fewest edges, or with the least sum of a weight; always the same one for the same graph.
   * @returns undefined when there is none, or when one of the nodes is missing
   * @throws DataError SOMBRA_WEIGHT for an edge that the search meets and whose weight is missing, NaN or negative
   */
  shortestPath(from: NodeId, to: NodeId, options: PathOptions & WithRecords): RecordPath | undefined;
  shortestPath(from: NodeId, to: NodeId, options?: PathOptions): Path | undefined;
  shortestPath(from: NodeId, to: NodeId, options?: PathOptions & Partial<WithRecords>): Path | RecordPath | undefined {
    return shortestPath(this.source(options), from, to, options);
  }

  /** As `shortestPath`; see `pageRankAsync`. */
  shortestPathAsync(from: NodeId, to: NodeId, options: PathOptions & WithRecords): Promise<RecordPath | undefined>;
  shortestPathAsync(from: NodeId, to: NodeId, options?: PathOptions): Promise<Path | undefined>;
  shortestPathAsync(
    from: NodeId,
    to: NodeId,
    options?: PathOptions & Partial<WithRecords>,
  ): Promise<Path | RecordPath | undefined> {
    return this.runAsync(options, (source) => shortestPathSteps(source, from, to, options));
  }

  /** All paths with the fewest edges, one after the other; parallel edges make different paths. As `paths`. */
  allShortestPaths(from: NodeId, to: NodeId, options: AllShortestOptions & WithRecords): Rows<RecordPath>;
  allShortestPaths(from: NodeId, to: NodeId, options?: AllShortestOptions): Rows<Path>;
  allShortestPaths(
    from: NodeId,
    to: NodeId,
    options?: AllShortestOptions & Partial<WithRecords>,
  ): Rows<Path | RecordPath> {
    const asked = parseShortest(from, to, options);
    this.watch(options);
    return this.streamed(options, (source) => walkShortest(source, asked));
  }

  /**
   * The k paths with the fewest edges, or least sums of a weight, that visit no node twice; best first. Parallel edges make
   * different paths. Which of several equal ones come is the same for the same graph. Empty for missing nodes.
   * @throws as `shortestPath`; the search meets every edge from which the target can be reached
   */
  kShortestPaths(from: NodeId, to: NodeId, k: number, options: PathOptions & WithRecords): RecordPath[];
  kShortestPaths(from: NodeId, to: NodeId, k: number, options?: PathOptions): Path[];
  kShortestPaths(
    from: NodeId,
    to: NodeId,
    k: number,
    options?: PathOptions & Partial<WithRecords>,
  ): (Path | RecordPath)[] {
    return this.run(options, (source) => kShortestPaths(source, from, to, k, options));
  }

  /** As `kShortestPaths`; see `pageRankAsync`. */
  kShortestPathsAsync(from: NodeId, to: NodeId, k: number, options: PathOptions & WithRecords): Promise<RecordPath[]>;
  kShortestPathsAsync(from: NodeId, to: NodeId, k: number, options?: PathOptions): Promise<Path[]>;
  kShortestPathsAsync(
    from: NodeId,
    to: NodeId,
    k: number,
    options?: PathOptions & Partial<WithRecords>,
  ): Promise<(Path | RecordPath)[]> {
    return this.runAsync(options, (source) => kShortestPaths(source, from, to, k, options));
  }

  /**
   * Every node that can be reached, with the fewest edges or the least sum of a weight, nearest first; the start with 0. Empty
   * for a missing node.
   * @throws as `shortestPath`
   */
  distances(from: NodeId, options?: DistanceOptions): NodeDistance[] {
    return distances(this.source(options), from, options);
  }

  /** As `distances`; see `pageRankAsync`. */
  distancesAsync(from: NodeId, options?: DistanceOptions): Promise<NodeDistance[]> {
    return this.runAsync(options, (source) => distancesSteps(source, from, options));
  }

  // --- the whole graph ---------------------------------------------------------------------------------------------

  /** Weak or strong components. */
  components(options?: ComponentsOptions): Components {
    return this.run(options, (source) => components(source, options));
  }

  /** As `components`; see `pageRankAsync`. */
  componentsAsync(options?: ComponentsOptions): Promise<Components> {
    return this.runAsync(options, (source) => components(source, options));
  }

  /** Triangles of the undirected simple graph: directions, parallel edges and self loops do not count. */
  triangles(options?: AlgorithmOptions): Triangles {
    return this.run(options, (source) => triangles(source, options));
  }

  /** As `triangles`; see `pageRankAsync`. */
  trianglesAsync(options?: AlgorithmOptions): Promise<Triangles> {
    return this.runAsync(options, (source) => triangles(source, options));
  }

  /** Clustering coefficients of the undirected simple graph. */
  clustering(options?: AlgorithmOptions): Clustering {
    return this.run(options, (source) => clustering(source, options));
  }

  /** As `clustering`; see `pageRankAsync`. */
  clusteringAsync(options?: AlgorithmOptions): Promise<Clustering> {
    return this.runAsync(options, (source) => clustering(source, options));
  }

  /** Ranks nodes by the ranks of the nodes that lead to them; see PageRankOptions. Parallel edges count. */
  pageRank(options?: PageRankOptions): PageRank {
    return this.run(options, (source) => pageRank(source, options));
  }

  /**
   * As `pageRank`, letting the event loop turn every few milliseconds, so that a signal can end it. It works on the commit that
   * was newest when it began. In a transaction nothing can be let in between: there it runs in one go before it returns.
   * @returns rejected with what the synchronous form throws
   */
  pageRankAsync(options?: PageRankOptions): Promise<PageRank> {
    return this.runAsync(options, (source) => pageRank(source, options));
  }

  /** How many nodes have which degree, by degree. `label` chooses the nodes that are counted and leaves no edge out. */
  degreeDistribution(options?: DegreeOptions): { degree: number; nodes: number }[] {
    return this.run(options, (source) => degreeDistribution(source, options));
  }

  /** As `degreeDistribution`; see `pageRankAsync`. */
  degreeDistributionAsync(options?: DegreeOptions): Promise<{ degree: number; nodes: number }[]> {
    return this.runAsync(options, (source) => degreeDistribution(source, options));
  }

  /**
   * All nodes in an order in which every edge leads onward; of those that may come next, the one with the least id.
   * @throws DataError SOMBRA_CYCLE, details: `nodes` and `edges` of one cycle, as `findCycle` gives them
   */
  topologicalOrder(options?: TopologicalOptions): NodeId[] {
    return this.run(options, (source) => topologicalOrder(source, options));
  }

  /** As `topologicalOrder`; see `pageRankAsync`. */
  topologicalOrderAsync(options?: TopologicalOptions): Promise<NodeId[]> {
    return this.runAsync(options, (source) => topologicalOrder(source, options));
  }

  /** One cycle of edges in their direction, which begins and ends at its least node; undefined when there is none. */
  findCycle(options?: AlgorithmOptions): Path | undefined {
    return this.run(options, (source) => findCycle(source, options));
  }

  /** As `findCycle`; see `pageRankAsync`. */
  findCycleAsync(options?: AlgorithmOptions): Promise<Path | undefined> {
    return this.runAsync(options, (source) => findCycle(source, options));
  }

  // --- parts -------------------------------------------------------------------------------------------------------

  /** The write transaction that this reader belongs to. @internal */
  protected get transaction(): WriteTransaction | undefined {
    return undefined;
  }

  /** This reader as traversals see it. */
  private source(given: RunOptions | undefined): ReadSource {
    const options = ownOptions(given);
    const watched = options?.signal !== undefined || options?.timeoutMs !== undefined;
    const watch = watched ? this.watch(options) : undefined;
    watch?.check();
    return this.watched(watch);
  }

  private watched(watch: Watch | undefined): ReadSource {
    return {
      reader: this,
      store: this.store,
      workspace: this.workspace,
      view: this.view,
      changing: this.transaction !== undefined,
      watch,
    };
  }

  private streamed<T>(options: RunOptions | undefined, walk: (source: ReadSource) => Iterable<T>): Rows<T> {
    return new Rows(() => this.steps(options, walk));
  }

  private *steps<T>(options: RunOptions | undefined, walk: (source: ReadSource) => Iterable<T>): IterableIterator<T> {
    const reader = this.holding();
    try {
      yield* walk(reader.source(options));
    } finally {
      reader.letGo();
    }
  }

  private watch(options: RunOptions | undefined): Watch {
    return new Watch(ownOptions(options), this.store.pager.env, this.transaction);
  }

  /** Reads what may ask predicates of the caller, which may write meanwhile. */
  private asking<T>(given: BfsOptions | undefined, read: (source: ReadSource) => T): T {
    const options = ownOptions(given);
    if (options?.nodeFilter === undefined && options?.edgeFilter === undefined) return read(this.source(options));
    const reader = this.holding();
    try {
      return read(reader.source(options));
    } finally {
      reader.letGo();
    }
  }

  private run<T>(options: RunOptions | undefined, begin: (source: ReadSource) => Steps<T>): T {
    const reader = this.holding();
    try {
      const watch = reader.watch(options);
      return runSteps(begin(reader.watched(watch)), watch);
    } finally {
      reader.letGo();
    }
  }

  private async runAsync<T>(options: RunOptions | undefined, begin: (source: ReadSource) => Steps<T>): Promise<T> {
    if (this.transaction !== undefined) return this.run(options, begin);
    const reader = this.holding();
    try {
      const watch = reader.watch(options);
      return await new PausingRun(begin(reader.watched(watch)), watch, this.store.pager.env).run();
    } finally {
      reader.letGo();
    }
  }
}
