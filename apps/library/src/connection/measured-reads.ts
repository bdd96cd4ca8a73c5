/**
 * Reads of a database whose time is taken: one in 128 of the short ones, for the latency of reads, and each of those that may take
 * long, for slow operations. Rows that are streamed are not among them: their time is that of the program that takes them.
 */
import { Latency } from '@sombra/vfs';
import type { VfsEnv } from '@sombra/vfs';
import type {
  AlgorithmOptions,
  BfsOptions,
  Clustering,
  Components,
  ComponentsOptions,
  DegreeOptions,
  DfsOptions,
  DistanceOptions,
  EdgeAggregate,
  EdgeId,
  EdgeRecord,
  EdgesOfOptions,
  Find,
  GroupRow,
  KHopOptions,
  NeighborOptions,
  NodeAggregate,
  NodeDistance,
  NodeId,
  NodeRecord,
  PageRank,
  PageRankOptions,
  Path,
  PathOptions,
  RecordPath,
  TopologicalOptions,
  Triangles,
  WithRecords,
} from '@sombra/graph';
import type { Reports } from '../observing/reports.ts';
import { SingleWrites } from './single-writes.ts';

/** Short reads between two that are measured, less one; of the form 2^n - 1. */
const READS_PER_SAMPLE = 127;
/** Measured reads that are kept for quantiles. */
const SAMPLES_KEPT = 10_000;

/** See the top of the file. */
export abstract class MeasuredReads extends SingleWrites {
  protected readonly reports: Reports;
  protected readonly readLatency = new Latency(SAMPLES_KEPT);
  private readonly env: VfsEnv;
  private shortReads = 0;

  protected constructor(reports: Reports, env: VfsEnv) {
    super();
    this.reports = reports;
    this.env = env;
  }

  override getNode(id: NodeId): NodeRecord | undefined {
    try {
      return this.isSampled() ? this.sample(() => super.getNode(id)) : super.getNode(id);
    } catch (error) {
      this.reports.met(error);
    }
  }

  override getEdge(id: EdgeId): EdgeRecord | undefined {
    try {
      return this.isSampled() ? this.sample(() => super.getEdge(id)) : super.getEdge(id);
    } catch (error) {
      this.reports.met(error);
    }
  }

  override neighbors(id: NodeId, options?: NeighborOptions): NodeId[] {
    try {
      return this.isSampled() ? this.sample(() => super.neighbors(id, options)) : super.neighbors(id, options);
    } catch (error) {
      this.reports.met(error);
    }
  }

  override edgesOf(id: NodeId, options?: EdgesOfOptions): EdgeRecord[] {
    try {
      return this.isSampled() ? this.sample(() => super.edgesOf(id, options)) : super.edgesOf(id, options);
    } catch (error) {
      this.reports.met(error);
    }
  }

  override aggregateNodes(query: NodeAggregate): GroupRow[] {
    return this.reports.timed('aggregateNodes', () => super.aggregateNodes(query));
  }

  override aggregateEdges(query: EdgeAggregate): GroupRow[] {
    return this.reports.timed('aggregateEdges', () => super.aggregateEdges(query));
  }

  /** For FindRunner. @internal */
  override runFirst(find: Find): unknown {
    return this.reports.timed('find', () => super.runFirst(find));
  }

  /** For FindRunner. @internal */
  override runCount(find: Find): number {
    return this.reports.timed('count', () => super.runCount(find));
  }

  override kHop(id: NodeId, hops: number, options?: KHopOptions): NodeId[] {
    return this.reports.timed('kHop', () => super.kHop(id, hops, options));
  }

  override bfs(id: NodeId, options?: BfsOptions): { id: NodeId; depth: number }[] {
    return this.reports.timed('bfs', () => super.bfs(id, options));
  }

  override bfsLevels(id: NodeId, options?: BfsOptions): number[] {
    return this.reports.timed('bfsLevels', () => super.bfsLevels(id, options));
  }

  override levels(id: NodeId, options?: BfsOptions): NodeId[][] {
    return this.reports.timed('levels', () => super.levels(id, options));
  }

  override dfs(id: NodeId, options?: DfsOptions): { id: NodeId; depth: number }[] {
    return this.reports.timed('dfs', () => super.dfs(id, options));
  }

  override shortestPath(from: NodeId, to: NodeId, options: PathOptions & WithRecords): RecordPath | undefined;
  override shortestPath(from: NodeId, to: NodeId, options?: PathOptions): Path | undefined;
  override shortestPath(
    from: NodeId,
    to: NodeId,
    options?: PathOptions & Partial<WithRecords>,
  ): Path | RecordPath | undefined {
    return this.reports.timed('shortestPath', () => super.shortestPath(from, to, options));
  }

  override kShortestPaths(from: NodeId, to: NodeId, k: number, options: PathOptions & WithRecords): RecordPath[];
  override kShortestPaths(from: NodeId, to: NodeId, k: number, options?: PathOptions): Path[];
  override kShortestPaths(
    from: NodeId,
    to: NodeId,
    k: number,
    options?: PathOptions & Partial<WithRecords>,
  ): (Path | RecordPath)[] {
    return this.reports.timed('kShortestPaths', () => super.kShortestPaths(from, to, k, options));
  }

  override distances(from: NodeId, options?: DistanceOptions): NodeDistance[] {
    return this.reports.timed('distances', () => super.distances(from, options));
  }

  override components(options?: ComponentsOptions): Components {
    return this.reports.timed('components', () => super.components(options));
  }

  override triangles(options?: AlgorithmOptions): Triangles {
    return this.reports.timed('triangles', () => super.triangles(options));
  }

  override clustering(options?: AlgorithmOptions): Clustering {
    return this.reports.timed('clustering', () => super.clustering(options));
  }

  override pageRank(options?: PageRankOptions): PageRank {
    return this.reports.timed('pageRank', () => super.pageRank(options));
  }

  override degreeDistribution(options?: DegreeOptions): { degree: number; nodes: number }[] {
    return this.reports.timed('degreeDistribution', () => super.degreeDistribution(options));
  }

  override topologicalOrder(options?: TopologicalOptions): NodeId[] {
    return this.reports.timed('topologicalOrder', () => super.topologicalOrder(options));
  }

  override findCycle(options?: AlgorithmOptions): Path | undefined {
    return this.reports.timed('findCycle', () => super.findCycle(options));
  }

  /** Is this short read one of those that are measured? */
  private isSampled(): boolean {
    return (this.shortReads = (this.shortReads + 1) & READS_PER_SAMPLE) === 0;
  }

  private sample<T>(read: () => T): T {
    const begun = this.env.monotonicMs();
    const result = read();
    this.readLatency.record(this.env.monotonicMs() - begun);
    return result;
  }
}
