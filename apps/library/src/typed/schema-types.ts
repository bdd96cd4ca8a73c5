/** What a schema says, as types: values, properties, ids and records of each label and edge type. Nothing here exists at run time. */
import type { EdgeId, NodeId, Properties, PropertyValue, ReadonlyValue } from '@sombra/graph';
import type { SchemaDefinition, ValueKind } from '../schema/schema.ts';

declare const LABELS: unique symbol;
declare const TYPE: unique symbol;

/** Labels of a schema. */
export type LabelOf<D extends SchemaDefinition> = keyof D['nodes'] & string;
/** Edge types of a schema. */
export type TypeOf<D extends SchemaDefinition> = keyof D['edges'] & string;

/** Id of a node that has the labels `L`, all of them. A number at run time, but no plain number compiles in its place. */
export type NodeIdOf<L extends string> = NodeId & { readonly [LABELS]: { readonly [K in L]: true } };
/** Id of an edge of type `T`, as `NodeIdOf`. */
export type EdgeIdOf<T extends string> = EdgeId & { readonly [TYPE]: T };

interface KindValues {
  boolean: boolean;
  integer: number;
  bigint: number | bigint;
  number: number;
  string: string;
  bytes: Uint8Array;
  date: Date;
  map: { [key: string]: PropertyValue };
  any: PropertyValue;
}

type WithoutMark<T> = T extends `${infer Kind}?` ? Kind : T;
type KindValue<K> = K extends ValueKind ? KindValues[K] : never;

/** A value of a property type. */
export type ValueOf<T> = T extends readonly string[]
  ? T[number]
  : T extends { readonly oneOf: readonly (infer Text)[] }
    ? T extends { readonly list: true }
      ? Text[]
      : Text
    : WithoutMark<T> extends `${infer Kind}[]`
      ? KindValue<Kind>[]
      : KindValue<WithoutMark<T>>;

type IsOptional<T> = T extends `${string}?` | { readonly optional: true } ? true : false;
type OptionalKeys<P> = { [K in keyof P]: IsOptional<P[K]> extends true ? K : never }[keyof P];
type Flat<T> = { [K in keyof T]: T[K] };
type All<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer Both) => void
  ? Both
  : never;

/** Properties as read. `P`: property types by key. */
export type Read<P> = Flat<
  { -readonly [K in Exclude<keyof P, OptionalKeys<P>>]: ValueOf<P[K]> } & {
    -readonly [K in OptionalKeys<P>]?: ValueOf<P[K]>;
  }
>;

/** A value to be written: lists and maps in it may be read-only. */
type WrittenValue<V> = V extends readonly (infer E)[]
  ? readonly WrittenValue<E>[]
  : V extends { [key: string]: PropertyValue }
    ? { readonly [key: string]: ReadonlyValue }
    : V;

/** Properties as written: an optional one may be null or undefined, which means absent. */
export type Written<P> = Flat<
  { readonly [K in Exclude<keyof P, OptionalKeys<P>>]: WrittenValue<ValueOf<P[K]>> } & {
    readonly [K in OptionalKeys<P>]?: WrittenValue<ValueOf<P[K]>> | null | undefined;
  }
>;

/** Keys of all members of a union of property types, and the values of one of them. */
type EveryKey<Union> = Union extends unknown ? keyof Union & string : never;
type ValueAt<Union, K> = Union extends { readonly [Key in K & string]: infer T } ? ValueOf<T> : never;
/** Properties of a record of which only the schema is known: any of these may be there. Of any schema at all: any properties. */
export type ReadAny<Union> =
  string extends EveryKey<Union> ? Properties : { [K in EveryKey<Union>]?: ValueAt<Union, K> };

/** Properties as written to a record of which only the schema is known. */
export type WrittenAny<Union> = {
  readonly [K in EveryKey<Union>]?: WrittenValue<ValueAt<Union, K>> | null | undefined;
};

/** Property types of a node that has all the labels `L`. */
export type NodeTypes<D extends SchemaDefinition, L extends LabelOf<D>> = Flat<
  All<L extends unknown ? D['nodes'][L] : never>
>;
/** Property types of an edge. */
export type EdgeTypes<D extends SchemaDefinition, T extends TypeOf<D>> = D['edges'][T] extends {
  readonly properties: infer P;
}
  ? P
  : Readonly<Record<never, never>>;
type EachEdgeTypes<D extends SchemaDefinition, T extends TypeOf<D> = TypeOf<D>> = T extends unknown
  ? EdgeTypes<D, T>
  : never;

type Names<Given> = Given extends readonly string[] ? Given[number] : Given;
/** Labels that the source of an edge type may have. */
export type SourceLabelOf<D extends SchemaDefinition, T extends TypeOf<D>> = Names<D['edges'][T]['from']> & LabelOf<D>;
/** Labels that the target of an edge type may have. */
export type TargetLabelOf<D extends SchemaDefinition, T extends TypeOf<D>> = Names<D['edges'][T]['to']> & LabelOf<D>;
type EachId<L> = L extends string ? NodeIdOf<L> : never;
/** Ids that an edge type may begin at. */
export type SourceIdOf<D extends SchemaDefinition, T extends TypeOf<D>> = EachId<SourceLabelOf<D, T>>;
/** Ids that an edge type may end at. */
export type TargetIdOf<D extends SchemaDefinition, T extends TypeOf<D>> = EachId<TargetLabelOf<D, T>>;

/** A node with all the labels `L`. */
export interface NodeOf<D extends SchemaDefinition, L extends LabelOf<D>> {
  id: NodeIdOf<L>;
  labels: LabelOf<D>[];
  properties: Read<NodeTypes<D, L>>;
}
/** A node with one of the labels `L`. */
export type EachNodeOf<D extends SchemaDefinition, L extends LabelOf<D>> = L extends unknown ? NodeOf<D, L> : never;

/** A node of which no label is known. */
export interface AnyNodeOf<D extends SchemaDefinition> {
  id: NodeId;
  labels: LabelOf<D>[];
  properties: ReadAny<D['nodes'][LabelOf<D>]>;
}

/** An edge of type `T`. */
export interface EdgeOf<D extends SchemaDefinition, T extends TypeOf<D>> {
  id: EdgeIdOf<T>;
  source: SourceIdOf<D, T>;
  target: TargetIdOf<D, T>;
  type: T;
  properties: Read<EdgeTypes<D, T>>;
}

/** An edge of one of the types `T`. */
export type EachEdgeOf<D extends SchemaDefinition, T extends TypeOf<D>> = T extends unknown ? EdgeOf<D, T> : never;

/** An edge whose type is not known. */
export interface AnyEdgeOf<D extends SchemaDefinition> {
  id: EdgeId;
  source: NodeId;
  target: NodeId;
  type: TypeOf<D>;
  properties: ReadAny<EachEdgeTypes<D>>;
}

/** Labels that an id is known to have; every label when none is. */
export type LabelAt<D extends SchemaDefinition, Id> = Id extends NodeIdOf<infer L> ? L & LabelOf<D> : never;
/** Properties that the node with an id may have. */
export type PropertiesAt<D extends SchemaDefinition, Id> = [LabelAt<D, Id>] extends [never]
  ? AnyNodeOf<D>['properties']
  : Read<NodeTypes<D, LabelAt<D, Id>>>;
/** Properties that the edge with an id may have. */
export type EdgePropertiesAt<D extends SchemaDefinition, Id> =
  Id extends EdgeIdOf<infer T> ? Read<EdgeTypes<D, T & TypeOf<D>>> : AnyEdgeOf<D>['properties'];

/** Properties as a last argument, which may be left out when none is needed. */
export type PropertiesArgument<P> =
  Record<never, never> extends Written<P> ? [properties?: Written<P>] : [properties: Written<P>];
/** What `match` does not give, as a last argument, which may be left out when nothing else is needed. */
export type RestArgument<P, Match> =
  Record<never, never> extends Omit<Written<P>, keyof Match>
    ? [properties?: Omit<Written<P>, keyof Match>]
    : [properties: Omit<Written<P>, keyof Match>];
