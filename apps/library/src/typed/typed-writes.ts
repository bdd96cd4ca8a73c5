/** Writes with the types of a schema. Nothing here exists at run time. */
import type { AddManyResult, BulkOptions, BulkResult, CreateIndexOptions, NodeId, Upserted } from '@sombra/graph';
import type { SchemaDefinition } from '../schema/schema.ts';
import type {
  EdgeIdOf,
  EdgeTypes,
  LabelOf,
  NodeIdOf,
  NodeTypes,
  PropertiesArgument,
  RestArgument,
  SourceIdOf,
  TargetIdOf,
  TypeOf,
  Written,
  WrittenAny,
} from './schema-types.ts';
import type { KeyOf } from './typed-find.ts';

/** Keys whose property may be absent. */
type OptionalKeyOf<P> = { [K in KeyOf<P>]: undefined extends P[K] ? K : never }[KeyOf<P>];
/** No keys but those of `Known`. */
type NothingBeside<Given, Known> = { readonly [K in Exclude<keyof Given, keyof Known>]?: never };
/** Properties as a field, which may be left out when none is needed. */
type PropertiesField<P> =
  Record<never, never> extends Written<P>
    ? { readonly properties?: Written<P> | undefined }
    : { readonly properties: Written<P> };

type OneLabel<D extends SchemaDefinition, L extends LabelOf<D>> = L extends unknown
  ? { readonly labels: L | readonly [L] } & PropertiesField<NodeTypes<D, L>>
  : never;
/** Which properties are needed is not known to the compiler here, but to the check of the write. */
interface SeveralLabels<D extends SchemaDefinition> {
  readonly labels: readonly [LabelOf<D>, LabelOf<D>, ...LabelOf<D>[]];
  readonly properties?: WrittenAny<D['nodes'][LabelOf<D>]> | undefined;
}
interface NoLabel {
  readonly labels: readonly [];
  readonly properties?: undefined;
}

/** A node to load. */
export type BulkNodeOf<D extends SchemaDefinition> = OneLabel<D, LabelOf<D>> | SeveralLabels<D> | NoLabel;
/** An edge to load; its ends are rows. */
export type BulkEdgeOf<D extends SchemaDefinition, T extends TypeOf<D> = TypeOf<D>> = T extends unknown
  ? { readonly source: number; readonly target: number; readonly type: T } & PropertiesField<EdgeTypes<D, T>>
  : never;

/** A node to add together with others. */
export type NewNodeOf<D extends SchemaDefinition> = BulkNodeOf<D> & { readonly ref?: string };
/** An edge to add together with others; an end is an id, or the `ref` of a node of the same call. */
export type NewEdgeOf<D extends SchemaDefinition, T extends TypeOf<D> = TypeOf<D>> = T extends unknown
  ? {
      readonly source: SourceIdOf<D, T> | string;
      readonly target: TargetIdOf<D, T> | string;
      readonly type: T;
    } & PropertiesField<EdgeTypes<D, T>>
  : never;

type LabelsIn<Given> = Given extends readonly (infer L)[] ? L : Given;
/** Rows that stand in the call, each held to the properties of all of its labels. */
type CheckedRows<D extends SchemaDefinition, Rows> = Rows extends readonly unknown[]
  ? number extends Rows['length']
    ? unknown
    : EachChecked<D, Rows>
  : unknown;
type EachChecked<D extends SchemaDefinition, Rows extends readonly unknown[]> = {
  readonly [I in keyof Rows]: Rows[I] extends { readonly labels: infer Labels }
    ? PropertiesField<NodeTypes<D, LabelsIn<Labels> & LabelOf<D>>> & {
        readonly ref?: string;
        readonly labels: unknown;
        readonly properties?: NothingBeside<PropertiesIn<Rows[I]>, NodeTypes<D, LabelsIn<Labels> & LabelOf<D>>>;
      }
    : never;
};
type PropertiesIn<Row> = Row extends { readonly properties: infer P } ? P : unknown;
type AddedIds<Rows extends readonly unknown[]> = {
  -readonly [I in keyof Rows]: Rows[I] extends { readonly labels: infer Labels }
    ? NodeIdOf<LabelsIn<Labels> & string>
    : never;
};
type RefIn<Rows extends readonly unknown[]> = Rows[number] extends infer Row
  ? Row extends { readonly ref: infer Ref extends string }
    ? Ref
    : never
  : never;
type RefId<Rows extends readonly unknown[], Ref> = Rows[number] extends infer Row
  ? Row extends { readonly ref: Ref; readonly labels: infer Labels }
    ? NodeIdOf<LabelsIn<Labels> & string>
    : never
  : never;

/** What was added: ids as labels and refs of the rows say, when the rows stand in the call. */
export type AddedOf<Rows> = Rows extends readonly unknown[]
  ? number extends Rows['length']
    ? AddManyResult
    : Omit<AddManyResult, 'nodes' | 'refs'> & {
        readonly nodes: AddedIds<Rows>;
        readonly refs: { get<Ref extends RefIn<Rows>>(ref: Ref): RefId<Rows, Ref> } & ReadonlyMap<string, NodeId>;
      }
  : AddManyResult;

/** Writes, typed. */
export interface WritesOf<D extends SchemaDefinition> {
  addNode<L extends LabelOf<D>>(
    labels: L | readonly L[],
    ...properties: PropertiesArgument<NodeTypes<D, L>>
  ): NodeIdOf<L>;
  addEdge<T extends TypeOf<D>>(
    source: SourceIdOf<D, T>,
    target: TargetIdOf<D, T>,
    type: T,
    ...properties: PropertiesArgument<EdgeTypes<D, T>>
  ): EdgeIdOf<T>;
  addMany<const Rows extends Iterable<NewNodeOf<D>> = readonly []>(input: {
    readonly nodes?: Rows & CheckedRows<D, Rows>;
    readonly edges?: Iterable<NewEdgeOf<D>>;
  }): AddedOf<Rows>;
  setNodeProperty<L extends LabelOf<D>, K extends KeyOf<Written<NodeTypes<D, L>>>>(
    id: NodeIdOf<L>,
    key: K,
    value: Exclude<Written<NodeTypes<D, L>>[K], undefined>,
  ): void;
  removeNodeProperty<L extends LabelOf<D>>(id: NodeIdOf<L>, key: OptionalKeyOf<Written<NodeTypes<D, L>>>): boolean;
  replaceNodeProperties<L extends LabelOf<D>>(id: NodeIdOf<L>, properties: Written<NodeTypes<D, L>>): void;
  updateNodeProperties<L extends LabelOf<D>>(id: NodeIdOf<L>, properties: Partial<Written<NodeTypes<D, L>>>): void;
  setEdgeProperty<T extends TypeOf<D>, K extends KeyOf<Written<EdgeTypes<D, T>>>>(
    id: EdgeIdOf<T>,
    key: K,
    value: Exclude<Written<EdgeTypes<D, T>>[K], undefined>,
  ): void;
  removeEdgeProperty<T extends TypeOf<D>>(id: EdgeIdOf<T>, key: OptionalKeyOf<Written<EdgeTypes<D, T>>>): boolean;
  replaceEdgeProperties<T extends TypeOf<D>>(id: EdgeIdOf<T>, properties: Written<EdgeTypes<D, T>>): void;
  updateEdgeProperties<T extends TypeOf<D>>(id: EdgeIdOf<T>, properties: Partial<Written<EdgeTypes<D, T>>>): void;
  /** `properties`: all that the label needs and `match` does not give, since it may have to add the node. */
  upsertNode<L extends LabelOf<D>, const Match extends Partial<Written<NodeTypes<D, L>>>>(
    label: L,
    match: Match & NothingBeside<Match, NodeTypes<D, L>>,
    ...properties: RestArgument<NodeTypes<D, L>, Match>
  ): Upserted<NodeIdOf<L>>;
  /** `properties`: all that the type needs, since it may have to add the edge. */
  upsertEdge<T extends TypeOf<D>>(
    source: SourceIdOf<D, T>,
    target: TargetIdOf<D, T>,
    type: T,
    ...properties: PropertiesArgument<EdgeTypes<D, T>>
  ): Upserted<EdgeIdOf<T>>;
  addLabel(id: NodeId, label: LabelOf<D>): boolean;
  removeLabel(id: NodeId, label: LabelOf<D>): boolean;
}

/** What is loaded. */
interface BulkSourceOf<D extends SchemaDefinition> {
  readonly nodes: Iterable<BulkNodeOf<D>>;
  readonly edges: Iterable<BulkEdgeOf<D>>;
}
type Keys<P> = KeyOf<P> | readonly KeyOf<P>[];

/** What goes past the transactions, typed. */
export interface LoadsOf<D extends SchemaDefinition> {
  bulkLoad(source: BulkSourceOf<D>, options?: BulkOptions): BulkResult;
  bulkLoadAsync(source: BulkSourceOf<D>, options?: BulkOptions): Promise<BulkResult>;
  createPropertyIndex<L extends LabelOf<D>>(
    label: L,
    keys: Keys<NodeTypes<D, L>>,
    options?: CreateIndexOptions,
  ): boolean;
  createPropertyIndexAsync<L extends LabelOf<D>>(
    label: L,
    keys: Keys<NodeTypes<D, L>>,
    options?: CreateIndexOptions,
  ): Promise<boolean>;
  createEdgePropertyIndex<T extends TypeOf<D>>(
    type: T,
    keys: Keys<EdgeTypes<D, T>>,
    options?: CreateIndexOptions,
  ): boolean;
  createEdgePropertyIndexAsync<T extends TypeOf<D>>(
    type: T,
    keys: Keys<EdgeTypes<D, T>>,
    options?: CreateIndexOptions,
  ): Promise<boolean>;
}
