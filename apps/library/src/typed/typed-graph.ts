/**
 * The API with the types of a schema: the same objects and methods, with labels, edge types, properties and ids checked by the
 * compiler. `GraphDB.open(path, { schema })` returns it.
 */
import type { Direction, EdgeId, EdgesOfOptions, IdRange, NeighborOptions, NodeId, Rows } from '@sombra/graph';
import type { Connection } from '../connection/connection.ts';
import type { Snapshot } from '../reading/snapshot.ts';
import type { SnapshotOptions } from '../reading/snapshot-keeper.ts';
import type { SchemaDefinition } from '../schema/schema.ts';
import type { Transaction } from '../writing/transaction.ts';
import type {
  AnyEdgeOf,
  AnyNodeOf,
  EachNodeOf,
  EdgeIdOf,
  EdgeOf,
  EdgePropertiesAt,
  LabelOf,
  NodeIdOf,
  NodeOf,
  PropertiesAt,
  SourceIdOf,
  SourceLabelOf,
  TargetIdOf,
  TargetLabelOf,
  TypeOf,
} from './schema-types.ts';
import type { FindsOf, KeyOf } from './typed-find.ts';
import type { ExpandedOf, ExpandingOf, IncludeOf } from './typed-include.ts';
import type { OptionsOf, WalksOf } from './typed-walks.ts';
import type { LoadsOf, WritesOf } from './typed-writes.ts';

/** Options of a call that follows edges of one type. */
type Along<O, T> = Omit<O, 'type' | 'direction'> & { readonly type: T };
type Out = { readonly direction?: 'out' };
type In = { readonly direction: 'in' };
type Either = { readonly direction?: Direction };

/** An edge with the node at its other end. */
interface Expanded<E, N> {
  edge: E;
  node: N;
}

/** Reads of nodes and edges by id and along edges, typed. */
interface LookUpsOf<D extends SchemaDefinition> {
  getNode<L extends LabelOf<D>>(id: NodeIdOf<L>): NodeOf<D, L> | undefined;
  getNode(id: NodeId): AnyNodeOf<D> | undefined;
  getEdge<T extends TypeOf<D>>(id: EdgeIdOf<T>): EdgeOf<D, T> | undefined;
  getEdge(id: EdgeId): AnyEdgeOf<D> | undefined;
  /** Tells the compiler, too, that the id is that of a node with this label. */
  hasLabel<L extends LabelOf<D>>(id: NodeId, label: L): id is NodeIdOf<L>;
  getNodeProperty<Id extends NodeId, K extends KeyOf<PropertiesAt<D, Id>>>(
    id: Id,
    key: K,
  ): PropertiesAt<D, Id>[K] | undefined;
  getEdgeProperty<Id extends EdgeId, K extends KeyOf<EdgePropertiesAt<D, Id>>>(
    id: Id,
    key: K,
  ): EdgePropertiesAt<D, Id>[K] | undefined;
  nodeCount(label?: LabelOf<D>): number;
  edgeCount(type?: TypeOf<D>): number;
  neighbors<T extends TypeOf<D>>(id: NodeId, options: Along<NeighborOptions, T> & Out): TargetIdOf<D, T>[];
  neighbors<T extends TypeOf<D>>(id: NodeId, options: Along<NeighborOptions, T> & In): SourceIdOf<D, T>[];
  neighbors(id: NodeId, options?: OptionsOf<D, NeighborOptions>): NodeId[];
  expand<const H extends { readonly include: IncludeOf<D> }>(
    id: NodeId,
    options: ExpandingOf<D, H>,
  ): ExpandedOf<D, H>[];
  expand<T extends TypeOf<D>>(
    id: NodeId,
    options: Along<NeighborOptions, T> & Out,
  ): Expanded<EdgeOf<D, T>, EachNodeOf<D, TargetLabelOf<D, T>>>[];
  expand<T extends TypeOf<D>>(
    id: NodeId,
    options: Along<NeighborOptions, T> & In,
  ): Expanded<EdgeOf<D, T>, EachNodeOf<D, SourceLabelOf<D, T>>>[];
  expand(id: NodeId, options?: OptionsOf<D, NeighborOptions>): Expanded<AnyEdgeOf<D>, AnyNodeOf<D>>[];
  edgesOf<T extends TypeOf<D>>(id: NodeId, options: Along<EdgesOfOptions, T> & Either): EdgeOf<D, T>[];
  edgesOf(id: NodeId, options?: OptionsOf<D, EdgesOfOptions>): AnyEdgeOf<D>[];
  edgesBetween<T extends TypeOf<D>>(
    source: NodeId,
    target: NodeId,
    options: Along<EdgesOfOptions, T> & Either,
  ): EdgeOf<D, T>[];
  edgesBetween(source: NodeId, target: NodeId, options?: OptionsOf<D, EdgesOfOptions>): AnyEdgeOf<D>[];
  outgoing<T extends TypeOf<D>>(id: NodeId, options: Along<EdgesOfOptions, T>): EdgeOf<D, T>[];
  outgoing(id: NodeId, options?: OptionsOf<D, Omit<EdgesOfOptions, 'direction'>>): AnyEdgeOf<D>[];
  incoming<T extends TypeOf<D>>(id: NodeId, options: Along<EdgesOfOptions, T>): EdgeOf<D, T>[];
  incoming(id: NodeId, options?: OptionsOf<D, Omit<EdgesOfOptions, 'direction'>>): AnyEdgeOf<D>[];
  nodes<L extends LabelOf<D>>(options: { readonly label: L } & IdRange): Rows<NodeOf<D, L>>;
  nodes(options?: IdRange): Rows<AnyNodeOf<D>>;
  edges<T extends TypeOf<D>>(options: { readonly type: T } & IdRange): Rows<EdgeOf<D, T>>;
  edges(options?: IdRange): Rows<AnyEdgeOf<D>>;
  nodeIds<L extends LabelOf<D>>(options: L | ({ readonly label: L } & IdRange)): Rows<NodeIdOf<L>>;
  nodeIds(options?: IdRange): Rows<NodeId>;
  edgeIds<T extends TypeOf<D>>(options: T | ({ readonly type: T } & IdRange)): Rows<EdgeIdOf<T>>;
  edgeIds(options?: IdRange): Rows<EdgeId>;
}

/** Reads, typed. Traversals give ids of which no label is known; `hasLabel` and `getNode` make more of them. */
export type ReadsOf<D extends SchemaDefinition> = LookUpsOf<D> & FindsOf<D> & WalksOf<D>;

type Overlaid<Base, Typed> = Omit<Base, keyof Typed> & Typed;

/** A transaction of a database with a schema. */
export type TransactionOf<D extends SchemaDefinition> = Overlaid<
  Transaction,
  ReadsOf<D> & WritesOf<D> & { transaction<T>(fn: (tx: TransactionOf<D>) => T): T }
>;

/** A snapshot of a database with a schema. */
export type SnapshotOf<D extends SchemaDefinition> = Overlaid<Snapshot, ReadsOf<D>>;

/** What a database with a schema gives to read from and to write by. */
interface ConnectionOf<D extends SchemaDefinition> {
  transaction<T>(fn: (tx: TransactionOf<D>) => T): T;
  transactionAsync<T>(fn: (tx: TransactionOf<D>) => T): Promise<T>;
  beginTransaction(): TransactionOf<D>;
  snapshot(options?: SnapshotOptions): SnapshotOf<D>;
  read<T>(fn: (view: SnapshotOf<D>) => T): T;
}

/** A database with a schema. */
export type GraphDBOf<D extends SchemaDefinition> = Overlaid<
  Connection,
  ReadsOf<D> & WritesOf<D> & LoadsOf<D> & ConnectionOf<D>
>;
