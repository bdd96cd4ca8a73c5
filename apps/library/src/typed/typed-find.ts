/** Finds with the types of a schema. Nothing here exists at run time. */
import type {
  FindPlan,
  Figures,
  PreparedFind,
  Properties,
  RecordLike,
  RowQuery,
  Rows,
  SelectedRecord,
  Selection,
} from '@sombra/graph';
import type { SchemaDefinition } from '../schema/schema.ts';
import type { IncludeOf, IncludingOf, WithIncludedOf } from './typed-include.ts';
import type { AnyEdgeOf, AnyNodeOf, EdgeOf, LabelOf, NodeOf, TypeOf } from './schema-types.ts';

export type KeyOf<P> = keyof P & string;

/** Nodes with one label, or with all of some. */
type Labelled<L> = L | { readonly all: readonly L[] };
/** Nodes that have any of some labels, or any labels. */
interface AnyLabel<D extends SchemaDefinition> {
  readonly label?: { readonly any: readonly LabelOf<D>[] } | undefined;
}
/** Edges of any of some types, or of any type. */
interface AnyType<D extends SchemaDefinition> {
  readonly type?: readonly TypeOf<D>[] | undefined;
}

/** A find of records `R`, which `Name` says. */
type Query<R extends RecordLike, Name> = Name & RowQuery<R>;
type Selecting<R extends RecordLike, Name, K extends KeyOf<R['properties']>> = Name & Selection<K> & RowQuery<R>;
type Explained<R extends RecordLike, Name> = Name & RowQuery<R> & Partial<Selection<KeyOf<R['properties']>>>;
type Counted<R extends RecordLike, Name> = Name & Pick<RowQuery<R>, 'where'>;
type ByLabel<L> = { readonly label: Labelled<L> };
type ByType<T> = { readonly type: T };

/** A row with the selected properties that it has. */
export interface SelectedOf<Id, P, K extends KeyOf<P>> {
  id: Id;
  properties: { [Key in K]?: NonNullable<P[Key]> };
}
type Selected<R extends RecordLike & { readonly id: unknown }, K extends KeyOf<R['properties']>> = SelectedOf<
  R['id'],
  R['properties'],
  K
>;
/** A row of a find that names no label or type. */
type SelectedAny<R extends RecordLike & { readonly id: number }> = SelectedRecord<R['id']> & {
  properties: { [K in KeyOf<R['properties']>]?: NonNullable<R['properties'][K]> };
};

type NumberKeyOf<P> = { [K in KeyOf<P>]: NonNullable<P[K]> extends number | bigint ? K : never }[KeyOf<P>];

/** Figures over records with the properties `P`; only numbers add up. */
export interface FiguresOf<P> extends Figures<KeyOf<P>> {
  readonly sum?: readonly NumberKeyOf<P>[] | undefined;
  readonly avg?: readonly NumberKeyOf<P>[] | undefined;
}

type GroupKey<F> = F extends { readonly groupBy: infer G } ? (G extends readonly (infer K)[] ? K : G) : never;
type Some<P, Keys> = { [K in Extract<Keys, KeyOf<P>>]?: NonNullable<P[K]> };
type Totals<Keys, T> = { [K in Extract<Keys, string>]?: T };

/** One group, typed by what was asked for. */
export type GroupOf<P, F> = { group: [GroupKey<F>] extends [never] ? Properties : Some<P, GroupKey<F>> } & (F extends {
  readonly count: true;
}
  ? { count: number }
  : unknown) &
  (F extends { readonly sum: readonly (infer K)[] } ? { sum: Totals<K, number | bigint> } : unknown) &
  (F extends { readonly avg: readonly (infer K)[] } ? { avg: Totals<K, number> } : unknown) &
  (F extends { readonly min: readonly (infer K)[] } ? { min: Some<P, K> } : unknown) &
  (F extends { readonly max: readonly (infer K)[] } ? { max: Some<P, K> } : unknown);

type ExplainOptions = { readonly analyze?: boolean };

/** Finds, typed. What names a label or type has the properties of it; what names none, any that the schema knows. */
export interface FindsOf<D extends SchemaDefinition> {
  findNodes<L extends LabelOf<D>, K extends KeyOf<NodeOf<D, L>['properties']>>(
    query: Selecting<NodeOf<D, L>, ByLabel<L>, K>,
  ): Rows<Selected<NodeOf<D, L>, K>>;
  findNodes<L extends LabelOf<D>, const I extends IncludeOf<D>>(
    query: Query<NodeOf<D, L>, ByLabel<L>> & IncludingOf<I>,
  ): Rows<WithIncludedOf<D, NodeOf<D, L>, I>>;
  findNodes<L extends LabelOf<D>>(query: Query<NodeOf<D, L>, ByLabel<L>>): Rows<NodeOf<D, L>>;
  findNodes(
    query: Selecting<AnyNodeOf<D>, AnyLabel<D>, KeyOf<AnyNodeOf<D>['properties']>>,
  ): Rows<SelectedAny<AnyNodeOf<D>>>;
  findNodes<const I extends IncludeOf<D>>(
    query: Query<AnyNodeOf<D>, AnyLabel<D>> & IncludingOf<I>,
  ): Rows<WithIncludedOf<D, AnyNodeOf<D>, I>>;
  findNodes(query?: Query<AnyNodeOf<D>, AnyLabel<D>>): Rows<AnyNodeOf<D>>;
  findNode<L extends LabelOf<D>, K extends KeyOf<NodeOf<D, L>['properties']>>(
    query: Selecting<NodeOf<D, L>, ByLabel<L>, K>,
  ): Selected<NodeOf<D, L>, K> | undefined;
  findNode<L extends LabelOf<D>, const I extends IncludeOf<D>>(
    query: Query<NodeOf<D, L>, ByLabel<L>> & IncludingOf<I>,
  ): WithIncludedOf<D, NodeOf<D, L>, I> | undefined;
  findNode<L extends LabelOf<D>>(query: Query<NodeOf<D, L>, ByLabel<L>>): NodeOf<D, L> | undefined;
  findNode(
    query: Selecting<AnyNodeOf<D>, AnyLabel<D>, KeyOf<AnyNodeOf<D>['properties']>>,
  ): SelectedAny<AnyNodeOf<D>> | undefined;
  findNode<const I extends IncludeOf<D>>(
    query: Query<AnyNodeOf<D>, AnyLabel<D>> & IncludingOf<I>,
  ): WithIncludedOf<D, AnyNodeOf<D>, I> | undefined;
  findNode(query?: Query<AnyNodeOf<D>, AnyLabel<D>>): AnyNodeOf<D> | undefined;
  prepareNodes<L extends LabelOf<D>, K extends KeyOf<NodeOf<D, L>['properties']>>(
    query: Selecting<NodeOf<D, L>, ByLabel<L>, K>,
  ): PreparedFind<Selected<NodeOf<D, L>, K>>;
  prepareNodes<L extends LabelOf<D>, const I extends IncludeOf<D>>(
    query: Query<NodeOf<D, L>, ByLabel<L>> & IncludingOf<I>,
  ): PreparedFind<WithIncludedOf<D, NodeOf<D, L>, I>>;
  prepareNodes<L extends LabelOf<D>>(query: Query<NodeOf<D, L>, ByLabel<L>>): PreparedFind<NodeOf<D, L>>;
  prepareNodes(
    query: Selecting<AnyNodeOf<D>, AnyLabel<D>, KeyOf<AnyNodeOf<D>['properties']>>,
  ): PreparedFind<SelectedAny<AnyNodeOf<D>>>;
  prepareNodes<const I extends IncludeOf<D>>(
    query: Query<AnyNodeOf<D>, AnyLabel<D>> & IncludingOf<I>,
  ): PreparedFind<WithIncludedOf<D, AnyNodeOf<D>, I>>;
  prepareNodes(query?: Query<AnyNodeOf<D>, AnyLabel<D>>): PreparedFind<AnyNodeOf<D>>;
  countNodes<L extends LabelOf<D>>(query: Counted<NodeOf<D, L>, ByLabel<L>>): number;
  countNodes(query?: Counted<AnyNodeOf<D>, AnyLabel<D>>): number;
  explainNodes<L extends LabelOf<D>>(
    query: Explained<NodeOf<D, L>, ByLabel<L>> & { readonly include?: IncludeOf<D> },
    options?: ExplainOptions,
  ): FindPlan;
  explainNodes(
    query?: Explained<AnyNodeOf<D>, AnyLabel<D>> & { readonly include?: IncludeOf<D> },
    options?: ExplainOptions,
  ): FindPlan;
  aggregateNodes<L extends LabelOf<D>, const F extends FiguresOf<NodeOf<D, L>['properties']>>(
    query: F & Counted<NodeOf<D, L>, ByLabel<L>>,
  ): GroupOf<NodeOf<D, L>['properties'], F>[];
  aggregateNodes<const F extends FiguresOf<AnyNodeOf<D>['properties']>>(
    query: F & Counted<AnyNodeOf<D>, AnyLabel<D>>,
  ): GroupOf<AnyNodeOf<D>['properties'], F>[];

  findEdges<T extends TypeOf<D>, K extends KeyOf<EdgeOf<D, T>['properties']>>(
    query: Selecting<EdgeOf<D, T>, ByType<T>, K>,
  ): Rows<Selected<EdgeOf<D, T>, K>>;
  findEdges<T extends TypeOf<D>>(query: Query<EdgeOf<D, T>, ByType<T>>): Rows<EdgeOf<D, T>>;
  findEdges(
    query: Selecting<AnyEdgeOf<D>, AnyType<D>, KeyOf<AnyEdgeOf<D>['properties']>>,
  ): Rows<SelectedAny<AnyEdgeOf<D>>>;
  findEdges(query?: Query<AnyEdgeOf<D>, AnyType<D>>): Rows<AnyEdgeOf<D>>;
  findEdge<T extends TypeOf<D>, K extends KeyOf<EdgeOf<D, T>['properties']>>(
    query: Selecting<EdgeOf<D, T>, ByType<T>, K>,
  ): Selected<EdgeOf<D, T>, K> | undefined;
  findEdge<T extends TypeOf<D>>(query: Query<EdgeOf<D, T>, ByType<T>>): EdgeOf<D, T> | undefined;
  findEdge(
    query: Selecting<AnyEdgeOf<D>, AnyType<D>, KeyOf<AnyEdgeOf<D>['properties']>>,
  ): SelectedAny<AnyEdgeOf<D>> | undefined;
  findEdge(query?: Query<AnyEdgeOf<D>, AnyType<D>>): AnyEdgeOf<D> | undefined;
  prepareEdges<T extends TypeOf<D>, K extends KeyOf<EdgeOf<D, T>['properties']>>(
    query: Selecting<EdgeOf<D, T>, ByType<T>, K>,
  ): PreparedFind<Selected<EdgeOf<D, T>, K>>;
  prepareEdges<T extends TypeOf<D>>(query: Query<EdgeOf<D, T>, ByType<T>>): PreparedFind<EdgeOf<D, T>>;
  prepareEdges(
    query: Selecting<AnyEdgeOf<D>, AnyType<D>, KeyOf<AnyEdgeOf<D>['properties']>>,
  ): PreparedFind<SelectedAny<AnyEdgeOf<D>>>;
  prepareEdges(query?: Query<AnyEdgeOf<D>, AnyType<D>>): PreparedFind<AnyEdgeOf<D>>;
  countEdges<T extends TypeOf<D>>(query: Counted<EdgeOf<D, T>, ByType<T>>): number;
  countEdges(query?: Counted<AnyEdgeOf<D>, AnyType<D>>): number;
  explainEdges<T extends TypeOf<D>>(query: Explained<EdgeOf<D, T>, ByType<T>>, options?: ExplainOptions): FindPlan;
  explainEdges(query?: Explained<AnyEdgeOf<D>, AnyType<D>>, options?: ExplainOptions): FindPlan;
  aggregateEdges<T extends TypeOf<D>, const F extends FiguresOf<EdgeOf<D, T>['properties']>>(
    query: F & Counted<EdgeOf<D, T>, ByType<T>>,
  ): GroupOf<EdgeOf<D, T>['properties'], F>[];
  aggregateEdges<const F extends FiguresOf<AnyEdgeOf<D>['properties']>>(
    query: F & Counted<AnyEdgeOf<D>, AnyType<D>>,
  ): GroupOf<AnyEdgeOf<D>['properties'], F>[];
}
