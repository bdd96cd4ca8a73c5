/** What comes along with nodes, with the types of a schema. Nothing here exists at run time. */
import type { Direction, Expanded, NeighborOptions, OnlyHops } from '@sombra/graph';
import type { SchemaDefinition } from '../schema/schema.ts';
import type {
  AnyEdgeOf,
  AnyNodeOf,
  EachEdgeOf,
  EachNodeOf,
  SourceLabelOf,
  TargetLabelOf,
  TypeOf,
} from './schema-types.ts';
import type { OptionsOf } from './typed-walks.ts';

/** Hops by the names that their rows get. */
export interface IncludeOf<D extends SchemaDefinition> {
  readonly [name: string]: HopOf<D>;
}
/** Options of a hop. */
type HopOf<D extends SchemaDefinition> = OptionsOf<D, NeighborOptions> & { readonly include?: IncludeOf<D> };

/** Asks for what comes along with each node. `I`: which hops. */
export interface IncludingOf<I> {
  readonly include: I & OnlyHops<I>;
}

/** Types that a hop follows; none when it follows all. */
type TypeIn<D extends SchemaDefinition, H> = H extends { readonly type: infer T }
  ? (T extends readonly (infer One)[] ? One : T) & TypeOf<D>
  : never;
/** Directions that a hop may follow. */
type WayIn<H> = H extends { readonly direction: infer Way } ? Way : 'direction' extends keyof H ? Direction : 'out';
/** Labels at the ends of edges of the type `T` that are followed in a direction. */
type EndLabelOf<D extends SchemaDefinition, T extends TypeOf<D>, Way> =
  | (Way extends 'out' | 'both' ? TargetLabelOf<D, T> : never)
  | (Way extends 'in' | 'both' ? SourceLabelOf<D, T> : never);

type EdgeAfter<D extends SchemaDefinition, H> = [TypeIn<D, H>] extends [never]
  ? AnyEdgeOf<D>
  : EachEdgeOf<D, TypeIn<D, H>>;
type NodeAfter<D extends SchemaDefinition, H> = [TypeIn<D, H>] extends [never]
  ? AnyNodeOf<D>
  : EachNodeOf<D, EndLabelOf<D, TypeIn<D, H>, WayIn<H>>>;

/** Rows of a hop: edges of its types, with the nodes that these lead to and what comes along with them. */
export type ExpandedOf<D extends SchemaDefinition, H> = Omit<Expanded, 'edge' | 'node'> & {
  edge: EdgeAfter<D, H>;
  node: H extends { readonly include: infer I } ? WithIncludedOf<D, NodeAfter<D, H>, I> : NodeAfter<D, H>;
};
/** A node with what comes along. */
export type WithIncludedOf<D extends SchemaDefinition, Node, I> = Node & {
  included: { [Name in keyof I]: ExpandedOf<D, I[Name]>[] };
};

/** Options of `expand` with hops behind the first one. */
export type ExpandingOf<D extends SchemaDefinition, H> = H &
  HopOf<D> & { readonly [K in Exclude<keyof H, keyof HopOf<D>>]?: never } & (H extends { readonly include: infer I }
    ? IncludingOf<I>
    : unknown);
