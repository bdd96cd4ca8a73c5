/**
 * The API with the types of a schema: the same objects and methods, with labels, edge types, properties and ids checked by the
 * compiler. `GraphDB.open(path, { schema })` returns it.
 */
import type {
  Direction,
  EdgeRecord,
  EdgesOfOptions,
  FindPlan,
  IdRange,
  NeighborOptions,
  NodeRecord,
  PreparedFind,
  RowQuery,
  Rows,
  Selection,
  Upserted,
} from '@sombra/graph';
import type { Connection } from '../connection/connection.ts';
import type { Snapshot } from '../reading/snapshot.ts';
import type { SnapshotOptions } from '../reading/snapshot-keeper.ts';
import type { Transaction } from '../writing/transaction.ts';
import type { SchemaDefinition } from '../schema/schema.ts';
import type {
  EdgeIdOf,
  EdgeOf,
  EdgeTypes,
  LabelOf,
  NodeIdOf,
  NodeOf,
  NodeTypes,
  PropertiesArgument,
  Read,
  SourceIdOf,
  TargetIdOf,
  TypeOf,
  Written,
} from './schema-types.ts';
import type { FiguresOf, GroupOf, RowsOf, SelectedOf } from './typed-find.ts';

type KeyOf<P> = keyof P & string;
/** Keys whose property may be absent. */
type OptionalKeyOf<P> = { [K in KeyOf<P>]: undefined extends P[K] ? K : never }[KeyOf<P>];
type Filter<D extends SchemaDefinition, O, T extends TypeOf<D> = TypeOf<D>> = Omit<O, 'type' | 'direction'> & {
  readonly type?: T | readonly T[];
};
type NodeRead<D extends SchemaDefinition, L extends LabelOf<D>> = Read<NodeTypes<D, L>>;
type EdgeRead<D extends SchemaDefinition, T extends TypeOf<D>> = Read<EdgeTypes<D, T>>;
type NodeRows<D extends SchemaDefinition, L extends LabelOf<D>> = RowsOf<NodeOf<D, L>>;
type EdgeRows<D extends SchemaDefinition, T extends TypeOf<D>> = RowsOf<EdgeOf<D, T>>;
/** Nodes with one label, or with all of some. Nodes with any of some have no properties in common: see the untyped form. */
type Labelled<L> = L | { readonly all: readonly L[] };

/** Nodes that have any of some labels, or any labels. */
interface AnyLabel<D extends SchemaDefinition> {
  readonly label?: { readonly any: readonly LabelOf<D>[] } | undefined;
}
/** Edges of any of some types, or of any type. */
interface AnyType<D extends SchemaDefinition> {
  readonly type?: readonly TypeOf<D>[] | undefined;
}

/** Reads, typed. Ids that traversals return are numbers; `hasLabel` and `getNode` make more of them. */
export interface ReadsOf<D extends SchemaDefinition> {
  getNode<L extends LabelOf<D>>(id: NodeIdOf<L>): NodeOf<D, L> | undefined;
  getNode(id: number): NodeRecord | undefined;
  getEdge<T extends TypeOf<D>>(id: EdgeIdOf<T>): EdgeOf<D, T> | undefined;
  getEdge(id: number): EdgeRecord | undefined;
  hasLabel<L extends LabelOf<D>>(id: number, label: L): id is NodeIdOf<L>;
  getNodeProperty<L extends LabelOf<D>, K extends KeyOf<Read<NodeTypes<D, L>>>>(
    id: NodeIdOf<L>,
    key: K,
  ): Read<NodeTypes<D, L>>[K] | undefined;
  getEdgeProperty<T extends TypeOf<D>, K extends KeyOf<Read<EdgeTypes<D, T>>>>(
    id: EdgeIdOf<T>,
    key: K,
  ): Read<EdgeTypes<D, T>>[K] | undefined;
  nodeCount(label?: LabelOf<D>): number;
  edgeCount(type?: TypeOf<D>): number;
  degree(
    id: number,
    options?: { readonly direction?: Direction; readonly type?: TypeOf<D> | readonly TypeOf<D>[] },
  ): number;
  neighbors<T extends TypeOf<D>>(
    id: number,
    options: Filter<D, NeighborOptions, T> & { readonly type: T; readonly direction?: 'out' },
  ): TargetIdOf<D, T>[];
  neighbors<T extends TypeOf<D>>(
    id: number,
    options: Filter<D, NeighborOptions, T> & { readonly type: T; readonly direction: 'in' },
  ): SourceIdOf<D, T>[];
  neighbors(id: number, options?: Filter<D, NeighborOptions> & { readonly direction?: Direction }): number[];
  edgesOf<T extends TypeOf<D>>(
    id: number,
    options: Filter<D, EdgesOfOptions, T> & { readonly type: T; readonly direction?: Direction },
  ): EdgeOf<D, T>[];
  edgesOf(id: number, options?: Filter<D, EdgesOfOptions> & { readonly direction?: Direction }): EdgeRecord[];
  edgesBetween<T extends TypeOf<D>>(
    source: number,
    target: number,
    options: Filter<D, EdgesOfOptions, T> & { readonly type: T; readonly direction?: Direction },
  ): EdgeOf<D, T>[];
  edgesBetween(
    source: number,
    target: number,
    options?: Filter<D, EdgesOfOptions> & { readonly direction?: Direction },
  ): EdgeRecord[];
  outgoing<T extends TypeOf<D>>(
    id: number,
    options: Filter<D, EdgesOfOptions, T> & { readonly type: T },
  ): EdgeOf<D, T>[];
  outgoing(id: number, options?: Filter<D, EdgesOfOptions>): EdgeRecord[];
  incoming<T extends TypeOf<D>>(
    id: number,
    options: Filter<D, EdgesOfOptions, T> & { readonly type: T },
  ): EdgeOf<D, T>[];
  incoming(id: number, options?: Filter<D, EdgesOfOptions>): EdgeRecord[];
  nodes<L extends LabelOf<D>>(options: { readonly label: L } & IdRange): Rows<NodeOf<D, L>>;
  nodes(options?: IdRange): Rows<NodeRecord>;
  edges<T extends TypeOf<D>>(options: { readonly type: T } & IdRange): Rows<EdgeOf<D, T>>;
  edges(options?: IdRange): Rows<EdgeRecord>;
  findNodes<L extends LabelOf<D>, K extends KeyOf<NodeRead<D, L>>>(
    query: { readonly label: Labelled<L>; readonly select: readonly K[] } & NodeRows<D, L>,
  ): Rows<SelectedOf<NodeIdOf<L>, NodeRead<D, L>, K>>;
  findNodes<L extends LabelOf<D>>(query: { readonly label: Labelled<L> } & NodeRows<D, L>): Rows<NodeOf<D, L>>;
  findNodes(query?: AnyLabel<D> & RowQuery<NodeRecord>): Rows<NodeRecord>;
  findNode<L extends LabelOf<D>, K extends KeyOf<NodeRead<D, L>>>(
    query: { readonly label: Labelled<L>; readonly select: readonly K[] } & NodeRows<D, L>,
  ): SelectedOf<NodeIdOf<L>, NodeRead<D, L>, K> | undefined;
  findNode<L extends LabelOf<D>>(query: { readonly label: Labelled<L> } & NodeRows<D, L>): NodeOf<D, L> | undefined;
  findNode(query?: AnyLabel<D> & RowQuery<NodeRecord>): NodeRecord | undefined;
  prepareNodes<L extends LabelOf<D>, K extends KeyOf<NodeRead<D, L>>>(
    query: { readonly label: Labelled<L>; readonly select: readonly K[] } & NodeRows<D, L>,
  ): PreparedFind<SelectedOf<NodeIdOf<L>, NodeRead<D, L>, K>>;
  prepareNodes<L extends LabelOf<D>>(
    query: { readonly label: Labelled<L> } & NodeRows<D, L>,
  ): PreparedFind<NodeOf<D, L>>;
  prepareNodes(query?: AnyLabel<D> & RowQuery<NodeRecord>): PreparedFind<NodeRecord>;
  countNodes<L extends LabelOf<D>>(query: { readonly label: Labelled<L> } & Pick<NodeRows<D, L>, 'where'>): number;
  countNodes(query?: AnyLabel<D> & Pick<RowQuery<NodeRecord>, 'where'>): number;
  explainNodes<L extends LabelOf<D>>(
    query: { readonly label: Labelled<L>; readonly select?: readonly KeyOf<NodeRead<D, L>>[] } & NodeRows<D, L>,
    options?: { readonly analyze?: boolean },
  ): FindPlan;
  explainNodes(
    query?: AnyLabel<D> & RowQuery<NodeRecord> & Partial<Selection>,
    options?: { readonly analyze?: boolean },
  ): FindPlan;
  aggregateNodes<L extends LabelOf<D>, const F extends FiguresOf<NodeRead<D, L>>>(
    query: { readonly label: Labelled<L> } & F & Pick<NodeRows<D, L>, 'where'>,
  ): GroupOf<NodeRead<D, L>, F>[];
  findEdges<T extends TypeOf<D>, K extends KeyOf<EdgeRead<D, T>>>(
    query: { readonly type: T; readonly select: readonly K[] } & EdgeRows<D, T>,
  ): Rows<SelectedOf<EdgeIdOf<T>, EdgeRead<D, T>, K>>;
  findEdges<T extends TypeOf<D>>(query: { readonly type: T } & EdgeRows<D, T>): Rows<EdgeOf<D, T>>;
  findEdges(query?: AnyType<D> & RowQuery<EdgeRecord>): Rows<EdgeRecord>;
  findEdge<T extends TypeOf<D>, K extends KeyOf<EdgeRead<D, T>>>(
    query: { readonly type: T; readonly select: readonly K[] } & EdgeRows<D, T>,
  ): SelectedOf<EdgeIdOf<T>, EdgeRead<D, T>, K> | undefined;
  findEdge<T extends TypeOf<D>>(query: { readonly type: T } & EdgeRows<D, T>): EdgeOf<D, T> | undefined;
  findEdge(query?: AnyType<D> & RowQuery<EdgeRecord>): EdgeRecord | undefined;
  prepareEdges<T extends TypeOf<D>, K extends KeyOf<EdgeRead<D, T>>>(
    query: { readonly type: T; readonly select: readonly K[] } & EdgeRows<D, T>,
  ): PreparedFind<SelectedOf<EdgeIdOf<T>, EdgeRead<D, T>, K>>;
  prepareEdges<T extends TypeOf<D>>(query: { readonly type: T } & EdgeRows<D, T>): PreparedFind<EdgeOf<D, T>>;
  prepareEdges(query?: AnyType<D> & RowQuery<EdgeRecord>): PreparedFind<EdgeRecord>;
  countEdges<T extends TypeOf<D>>(query: { readonly type: T } & Pick<EdgeRows<D, T>, 'where'>): number;
  countEdges(query?: AnyType<D> & Pick<RowQuery<EdgeRecord>, 'where'>): number;
  explainEdges<T extends TypeOf<D>>(
    query: { readonly type: T; readonly select?: readonly KeyOf<EdgeRead<D, T>>[] } & EdgeRows<D, T>,
    options?: { readonly analyze?: boolean },
  ): FindPlan;
  explainEdges(
    query?: AnyType<D> & RowQuery<EdgeRecord> & Partial<Selection>,
    options?: { readonly analyze?: boolean },
  ): FindPlan;
  aggregateEdges<T extends TypeOf<D>, const F extends FiguresOf<EdgeRead<D, T>>>(
    query: { readonly type: T } & F & Pick<EdgeRows<D, T>, 'where'>,
  ): GroupOf<EdgeRead<D, T>, F>[];
}

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
  setNodeProperty<L extends LabelOf<D>, K extends KeyOf<Written<NodeTypes<D, L>>>>(
    id: NodeIdOf<L>,
    key: K,
    value: Exclude<Written<NodeTypes<D, L>>[K], undefined>,
  ): void;
  removeNodeProperty<L extends LabelOf<D>>(id: NodeIdOf<L>, key: OptionalKeyOf<Written<NodeTypes<D, L>>>): boolean;
  setNodeProperties<L extends LabelOf<D>>(id: NodeIdOf<L>, properties: Written<NodeTypes<D, L>>): void;
  updateNodeProperties<L extends LabelOf<D>>(id: NodeIdOf<L>, properties: Partial<Written<NodeTypes<D, L>>>): void;
  setEdgeProperty<T extends TypeOf<D>, K extends KeyOf<Written<EdgeTypes<D, T>>>>(
    id: EdgeIdOf<T>,
    key: K,
    value: Exclude<Written<EdgeTypes<D, T>>[K], undefined>,
  ): void;
  removeEdgeProperty<T extends TypeOf<D>>(id: EdgeIdOf<T>, key: OptionalKeyOf<Written<EdgeTypes<D, T>>>): boolean;
  setEdgeProperties<T extends TypeOf<D>>(id: EdgeIdOf<T>, properties: Written<EdgeTypes<D, T>>): void;
  updateEdgeProperties<T extends TypeOf<D>>(id: EdgeIdOf<T>, properties: Partial<Written<EdgeTypes<D, T>>>): void;
  upsertNode<L extends LabelOf<D>>(
    label: L,
    match: Partial<NodeRead<D, L>>,
    properties?: Partial<Written<NodeTypes<D, L>>>,
  ): Upserted & { readonly id: NodeIdOf<L> };
  upsertEdge<T extends TypeOf<D>>(
    source: SourceIdOf<D, T>,
    target: TargetIdOf<D, T>,
    type: T,
    properties?: Partial<Written<EdgeTypes<D, T>>>,
  ): Upserted & { readonly id: EdgeIdOf<T> };
  addLabel(id: number, label: LabelOf<D>): boolean;
  removeLabel(id: number, label: LabelOf<D>): boolean;
}

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
export type GraphDBOf<D extends SchemaDefinition> = Overlaid<Connection, ReadsOf<D> & WritesOf<D> & ConnectionOf<D>>;
