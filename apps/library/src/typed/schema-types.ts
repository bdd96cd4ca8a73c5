/** What a schema says, as types: values, properties, ids and records of each label and edge type. Nothing here exists at run time. */
import type { PropertyValue } from '@sombra/graph';
import type { SchemaDefinition, ValueKind } from '../schema/schema.ts';

declare const NODE: unique symbol;
declare const EDGE: unique symbol;

/** Labels of a schema. */
export type LabelOf<D extends SchemaDefinition> = keyof D['nodes'] & string;
/** Edge types of a schema. */
export type TypeOf<D extends SchemaDefinition> = keyof D['edges'] & string;

/** Id of a node that has the labels `L`, all of them. A number at run time. */
export type NodeIdOf<L extends string> = number & { readonly [NODE]: { readonly [K in L]: true } };
/** Id of an edge of type `T`. A number at run time. */
export type EdgeIdOf<T extends string> = number & { readonly [EDGE]: T };

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
  : WithoutMark<T> extends `${infer Kind}[]`
    ? KindValue<Kind>[]
    : KindValue<WithoutMark<T>>;

type OptionalKeys<P> = { [K in keyof P]: P[K] extends `${string}?` ? K : never }[keyof P];
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

/** Properties as written: an optional one may be null or undefined, which means absent. */
export type Written<P> = Flat<
  { readonly [K in Exclude<keyof P, OptionalKeys<P>>]: ValueOf<P[K]> } & {
    readonly [K in OptionalKeys<P>]?: ValueOf<P[K]> | null | undefined;
  }
>;

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

type EachId<L> = L extends string ? NodeIdOf<L> : never;
type EndId<Names> = EachId<Names extends readonly string[] ? Names[number] : Names>;
/** Ids that an edge type may begin at. */
export type SourceIdOf<D extends SchemaDefinition, T extends TypeOf<D>> = EndId<D['edges'][T]['from']>;
/** Ids that an edge type may end at. */
export type TargetIdOf<D extends SchemaDefinition, T extends TypeOf<D>> = EndId<D['edges'][T]['to']>;

/** A node with all the labels `L`. */
export interface NodeOf<D extends SchemaDefinition, L extends LabelOf<D>> {
  id: NodeIdOf<L>;
  labels: LabelOf<D>[];
  properties: Read<NodeTypes<D, L>>;
}

/** An edge of type `T`. */
export interface EdgeOf<D extends SchemaDefinition, T extends TypeOf<D>> {
  id: EdgeIdOf<T>;
  source: SourceIdOf<D, T>;
  target: TargetIdOf<D, T>;
  type: T;
  properties: Read<EdgeTypes<D, T>>;
}

/** Properties as a last argument, which may be left out when none is needed. */
export type PropertiesArgument<P> =
  Record<never, never> extends Written<P> ? [properties?: Written<P>] : [properties: Written<P>];
