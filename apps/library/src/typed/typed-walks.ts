/** Traversal and algorithms with the types of a schema. Nothing here exists at run time. */
import type {
  AllShortestOptions,
  NodeId,
  Path,
  PathOptions,
  PathsOptions,
  RecordPath,
  Rows,
  WithRecords,
} from '@sombra/graph';
import type { ReadMethods } from '../reading/read-methods.ts';
import type { SchemaDefinition } from '../schema/schema.ts';
import type { AnyEdgeOf, AnyNodeOf, EachEdgeOf, LabelOf, TypeOf } from './schema-types.ts';

type NumberKeyOf<P> = { [K in keyof P]: NonNullable<P[K]> extends number | bigint ? K : never }[keyof P] & string;

/** Options with the names of a schema in the place of any names. */
export type OptionsOf<D extends SchemaDefinition, O> = {
  [K in keyof O]: K extends 'type'
    ? TypeOf<D> | readonly TypeOf<D>[]
    : K extends 'label'
      ? LabelOf<D>
      : K extends 'weight'
        ? NumberKeyOf<AnyEdgeOf<D>['properties']>
        : K extends 'nodeFilter'
          ? (node: AnyNodeOf<D>, depth: number) => boolean
          : K extends 'edgeFilter'
            ? (edge: AnyEdgeOf<D>, depth: number) => boolean
            : O[K];
};

type Retyped<D extends SchemaDefinition, F> = F extends (...given: infer Given) => infer Found
  ? (...given: { [I in keyof Given]: Given[I] extends number | undefined ? Given[I] : OptionsOf<D, Given[I]> }) => Found
  : never;

/** What gives ids, numbers and paths, whatever the labels and types of what it comes by. */
type Walks = Pick<
  ReadMethods,
  | 'degree'
  | 'edgeIdsOf'
  | 'kHop'
  | 'bfs'
  | 'bfsAsync'
  | 'bfsLevels'
  | 'bfsLevelsAsync'
  | 'levels'
  | 'levelsAsync'
  | 'dfs'
  | 'distances'
  | 'distancesAsync'
  | 'components'
  | 'componentsAsync'
  | 'triangles'
  | 'trianglesAsync'
  | 'clustering'
  | 'clusteringAsync'
  | 'pageRank'
  | 'pageRankAsync'
  | 'degreeDistribution'
  | 'degreeDistributionAsync'
  | 'topologicalOrder'
  | 'topologicalOrderAsync'
  | 'findCycle'
  | 'findCycleAsync'
>;

/** A path with its nodes and edges. `E`: its edges. */
export type RecordPathOf<D extends SchemaDefinition, E = AnyEdgeOf<D>> = Omit<RecordPath, 'nodes' | 'edges'> & {
  nodes: AnyNodeOf<D>[];
  edges: E[];
};

/** Options of a call that follows edges of certain types, and gives records. */
type RecordsAlong<D extends SchemaDefinition, O, T> = Omit<OptionsOf<D, O>, 'type'> & {
  readonly type: T | readonly T[];
} & WithRecords;
type RecordsOf<D extends SchemaDefinition, O> = OptionsOf<D, O> & WithRecords;

/** Paths, typed: with records, their edges are of the types that were asked for. */
export interface PathsOf<D extends SchemaDefinition> {
  paths<T extends TypeOf<D>>(
    from: NodeId,
    to: NodeId | undefined,
    options: RecordsAlong<D, PathsOptions, T>,
  ): Rows<RecordPathOf<D, EachEdgeOf<D, T>>>;
  paths(from: NodeId, to: NodeId | undefined, options: RecordsOf<D, PathsOptions>): Rows<RecordPathOf<D>>;
  paths(from: NodeId, to?: NodeId, options?: OptionsOf<D, PathsOptions>): Rows<Path>;
  shortestPath<T extends TypeOf<D>>(
    from: NodeId,
    to: NodeId,
    options: RecordsAlong<D, PathOptions, T>,
  ): RecordPathOf<D, EachEdgeOf<D, T>> | undefined;
  shortestPath(from: NodeId, to: NodeId, options: RecordsOf<D, PathOptions>): RecordPathOf<D> | undefined;
  shortestPath(from: NodeId, to: NodeId, options?: OptionsOf<D, PathOptions>): Path | undefined;
  shortestPathAsync<T extends TypeOf<D>>(
    from: NodeId,
    to: NodeId,
    options: RecordsAlong<D, PathOptions, T>,
  ): Promise<RecordPathOf<D, EachEdgeOf<D, T>> | undefined>;
  shortestPathAsync(from: NodeId, to: NodeId, options: RecordsOf<D, PathOptions>): Promise<RecordPathOf<D> | undefined>;
  shortestPathAsync(from: NodeId, to: NodeId, options?: OptionsOf<D, PathOptions>): Promise<Path | undefined>;
  allShortestPaths<T extends TypeOf<D>>(
    from: NodeId,
    to: NodeId,
    options: RecordsAlong<D, AllShortestOptions, T>,
  ): Rows<RecordPathOf<D, EachEdgeOf<D, T>>>;
  allShortestPaths(from: NodeId, to: NodeId, options: RecordsOf<D, AllShortestOptions>): Rows<RecordPathOf<D>>;
  allShortestPaths(from: NodeId, to: NodeId, options?: OptionsOf<D, AllShortestOptions>): Rows<Path>;
  kShortestPaths<T extends TypeOf<D>>(
    from: NodeId,
    to: NodeId,
    k: number,
    options: RecordsAlong<D, PathOptions, T>,
  ): RecordPathOf<D, EachEdgeOf<D, T>>[];
  kShortestPaths(from: NodeId, to: NodeId, k: number, options: RecordsOf<D, PathOptions>): RecordPathOf<D>[];
  kShortestPaths(from: NodeId, to: NodeId, k: number, options?: OptionsOf<D, PathOptions>): Path[];
  kShortestPathsAsync<T extends TypeOf<D>>(
    from: NodeId,
    to: NodeId,
    k: number,
    options: RecordsAlong<D, PathOptions, T>,
  ): Promise<RecordPathOf<D, EachEdgeOf<D, T>>[]>;
  kShortestPathsAsync(
    from: NodeId,
    to: NodeId,
    k: number,
    options: RecordsOf<D, PathOptions>,
  ): Promise<RecordPathOf<D>[]>;
  kShortestPathsAsync(from: NodeId, to: NodeId, k: number, options?: OptionsOf<D, PathOptions>): Promise<Path[]>;
}

/** Traversal and algorithms, typed: they take only names that the schema has. */
export type WalksOf<D extends SchemaDefinition> = { [M in keyof Walks]: Retyped<D, Walks[M]> } & PathsOf<D>;
