/**
 * Writes of many things by one call: adding nodes and edges that refer to each other, adding what may already exist, deleting
 * a list. Each is all or nothing: what fails takes the whole call back, and the transaction goes on.
 */
import { DataError } from '@sombra/vfs';
import { checkOptions, describe, flagOption, ownOptions } from '../model/options.ts';
import type { NodeQuery } from '../find/query.ts';
import type { EdgeId, EdgeFilter, NodeId, PropertyInput, ReadonlyValue } from '../model/types.ts';

/** A node to add. `ref`: what edges of the same call name it by. */
export interface NewNode {
  readonly ref?: string;
  /** One, a list, [] for none. */
  readonly labels: string | readonly string[];
  readonly properties?: PropertyInput | undefined;
}

/** An edge to add. An end is the id of a node, or the `ref` of a node of the same call. */
export interface NewEdge {
  readonly source: NodeId | string;
  readonly target: NodeId | string;
  readonly type: string;
  readonly properties?: PropertyInput | undefined;
}

/** What is added by one call. */
export interface AddManyInput {
  readonly nodes?: Iterable<NewNode>;
  readonly edges?: Iterable<NewEdge>;
}

/** Ids in the order of what was given, and those of nodes with a `ref` by it. */
export interface AddManyResult {
  readonly nodes: NodeId[];
  readonly edges: EdgeId[];
  readonly refs: ReadonlyMap<string, NodeId>;
}

/** What an upsert found or made. */
export interface Upserted<Id extends number = NodeId | EdgeId> {
  readonly id: Id;
  /** false: it was there, and was updated. */
  readonly created: boolean;
}

/** The writes and reads that these calls are made of: a transaction. */
export interface ManyWriter {
  readonly state: 'active' | 'committed' | 'rolled-back';
  addNode(labels: string | readonly string[], properties?: PropertyInput): NodeId;
  addEdge(source: NodeId, target: NodeId, type: string, properties?: PropertyInput): EdgeId;
  updateNodeProperties(id: NodeId, properties: PropertyInput): void;
  updateEdgeProperties(id: EdgeId, properties: PropertyInput): void;
  deleteNode(id: NodeId, options?: { readonly cascade?: boolean }): void;
  deleteEdge(id: EdgeId): void;
  hasNode(id: NodeId): boolean;
  hasEdge(id: EdgeId): boolean;
  edgesBetween(
    source: NodeId,
    target: NodeId,
    options?: EdgeFilter & { readonly limit?: number },
  ): { readonly id: EdgeId }[];
  findNode(query: NodeQuery): { readonly id: NodeId } | undefined;
  /** Is there a unique index on exactly these properties of the nodes with a label, in whatever order? @internal */
  hasUniqueIndex(label: string, keys: readonly string[]): boolean;
  savepoint(): number;
  rollbackTo(savepoint: number): void;
  releaseSavepoint(savepoint: number): void;
}

/**
 * Adds nodes, then edges between them and others.
 * @throws DataError SOMBRA_REFERENCE for a `ref` that is unknown or given twice, and as addNode and addEdge
 */
export function addMany(tx: ManyWriter, input: AddManyInput): AddManyResult {
  const given = checkOptions(input, ['nodes', 'edges'], 'addMany');
  return together(tx, () => {
    const refs = new Map<string, NodeId>();
    const nodes: NodeId[] = [];
    const edges: EdgeId[] = [];
    for (const node of rowsOf(given?.nodes, 'nodes')) {
      checkObject(node, 'addMany', 'a node');
      const { ref, labels, properties } = ownOptions(node)!;
      if (ref !== undefined && typeof ref !== 'string')
        throw new DataError(
          'SOMBRA_OPTION',
          `addMany: a ref is a text, not ${describe(ref)}; a number among ends is an id`,
        );
      if (ref !== undefined && refs.has(ref))
        refuseReference(`two nodes have the ref '${ref}': give each its own`, ref);
      const id = tx.addNode(labels, properties);
      nodes.push(id);
      if (ref !== undefined) refs.set(ref, id);
    }
    for (const edge of rowsOf(given?.edges, 'edges')) {
      checkObject(edge, 'addMany', 'an edge');
      const { source, target, type, properties } = ownOptions(edge)!;
      edges.push(tx.addEdge(nodeOf(refs, source), nodeOf(refs, target), type, properties));
    }
    return { nodes, edges, refs };
  });
}

/**
 * The node of a label that has the properties `match`: updated when it is there, else added. A unique index on exactly these
 * properties says that there is at most one.
 * @param properties  set on it, besides; null removes one. What `match` gives comes before them
 * @throws DataError SOMBRA_NO_UNIQUE_INDEX, and as addNode and updateNodeProperties
 */
export function upsertNode(
  tx: ManyWriter,
  label: string,
  match: Readonly<Record<string, ReadonlyValue>>,
  properties: PropertyInput = {},
): Upserted<NodeId> {
  checkObject(match, 'upsertNode', 'match');
  const keys = Object.keys(match);
  if (!tx.hasUniqueIndex(label, keys)) {
    const list = keys.map((key) => `'${key}'`).join(', ');
    throw new DataError(
      'SOMBRA_NO_UNIQUE_INDEX',
      `there is no unique index of '${label}' on ${list || 'no property'}: create one by createPropertyIndex('${label}', [${list}], { unique: true })`,
      { details: { label, keys } },
    );
  }
  const unequal = keys.find((key) => Number.isNaN(match[key]));
  if (unequal !== undefined)
    throw new DataError('SOMBRA_OPTION', `upsertNode: '${unequal}' is NaN, which is equal to nothing`);
  // A map among the values is a value, not an object of conditions.
  const where = Object.fromEntries(keys.map((key) => [key, { eq: match[key]! }]));
  const found = tx.findNode({ label, where });
  const wanted = { ...properties, ...match };
  if (found === undefined) return { id: tx.addNode(label, wanted), created: true };
  tx.updateNodeProperties(found.id, wanted);
  return { id: found.id, created: false };
}

/**
 * The first edge of a type from one node to another: updated when there is one, else added.
 * @param properties  set on it; null removes one
 * @throws as addEdge and updateEdgeProperties
 */
export function upsertEdge(
  tx: ManyWriter,
  source: NodeId,
  target: NodeId,
  type: string,
  properties: PropertyInput = {},
): Upserted<EdgeId> {
  // As a filter it could also be a list, or nothing, which every type fulfils.
  if (typeof type !== 'string')
    throw new DataError('SOMBRA_VALUE_KIND', `upsertEdge: the type is a string, not ${describe(type)}`);
  const id = tx.edgesBetween(source, target, { type, limit: 1 })[0]?.id;
  if (id === undefined) return { id: tx.addEdge(source, target, type, properties), created: true };
  tx.updateEdgeProperties(id, properties);
  return { id, created: false };
}

/**
 * Deletes nodes; missing ids are skipped.
 * @returns how many were deleted
 * @throws as deleteNode
 */
export function deleteNodes(
  tx: ManyWriter,
  ids: Iterable<NodeId>,
  options: { readonly cascade?: boolean } | undefined,
): number {
  options = checkOptions(options, ['cascade'], 'deleteNodes');
  const cascade = flagOption(options?.cascade, false, 'cascade');
  return together(tx, () => {
    let count = 0;
    for (const id of listed(ids, 'deleteNodes')) {
      if (!tx.hasNode(id)) continue;
      tx.deleteNode(id, { cascade });
      count += 1;
    }
    return count;
  });
}

/** Deletes edges, as `deleteNodes`. */
export function deleteEdges(tx: ManyWriter, ids: Iterable<EdgeId>): number {
  return together(tx, () => {
    let count = 0;
    for (const id of listed(ids, 'deleteEdges')) {
      if (!tx.hasEdge(id)) continue;
      tx.deleteEdge(id);
      count += 1;
    }
    return count;
  });
}

function nodeOf(refs: ReadonlyMap<string, NodeId>, end: NodeId | string): NodeId {
  if (typeof end !== 'string') return end;
  const id = refs.get(end);
  if (id !== undefined) return id;
  refuseReference(`no node of this call has the ref '${end}': give it to one of nodes, or use the id of a node`, end);
}

function refuseReference(message: string, ref: string): never {
  throw new DataError('SOMBRA_REFERENCE', message, { details: { ref } });
}

function rowsOf<T>(rows: Iterable<T> | undefined, what: string): Iterable<T> {
  if (rows === undefined) return [];
  if (typeof (rows as Iterable<T> | null)?.[Symbol.iterator] === 'function') return rows;
  throw new DataError('SOMBRA_OPTION', `addMany: ${what} is a list or another iterable, not ${describe(rows)}`);
}

function checkObject(given: unknown, call: string, what: string): void {
  if (typeof given === 'object' && given !== null) return;
  throw new DataError('SOMBRA_OPTION', `${call}: ${what} is an object, not ${describe(given)}`);
}

/** A copy, as the source may read the graph that is about to change. */
function listed<T>(items: Iterable<T>, call: string): T[] {
  if (typeof (items as Iterable<T> | null | undefined)?.[Symbol.iterator] !== 'function')
    throw new DataError('SOMBRA_OPTION', `${call} takes a list of ids, not ${describe(items)}`);
  return [...items];
}

function together<T>(tx: ManyWriter, work: () => T): T {
  const savepoint = tx.savepoint();
  let result: T;
  try {
    result = work();
  } catch (error) {
    // A limit or a failing disk has ended the transaction, and everything with it.
    if (tx.state === 'active') {
      tx.rollbackTo(savepoint);
      tx.releaseSavepoint(savepoint);
    }
    throw error;
  }
  tx.releaseSavepoint(savepoint);
  return result;
}
