/** Traversal and algorithms with the types of a schema. Nothing here exists at run time. */
import type { ReadMethods } from '../reading/read-methods.ts';
import type { SchemaDefinition } from '../schema/schema.ts';
import type { AnyEdgeOf, AnyNodeOf, LabelOf, TypeOf } from './schema-types.ts';

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
  | 'bfsLevels'
  | 'levels'
  | 'dfs'
  | 'paths'
  | 'shortestPath'
  | 'allShortestPaths'
  | 'kShortestPaths'
  | 'kShortestPathsAsync'
  | 'distances'
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

/** Traversal and algorithms, typed: they take only names that the schema has. */
export type WalksOf<D extends SchemaDefinition> = { [M in keyof Walks]: Retyped<D, Walks[M]> };
