/** One shortest path, by edges or by weight, and the cost of the way to every node. */
import { DataError } from '@sombra/vfs';
import { NAME_KIND } from '../names/dictionary.ts';
import { checkId, checkOptions, countOption, describe, directionOption } from '../model/options.ts';
import type { GraphStore } from '../store/store.ts';
import type { Direction, EdgeFilter, NodeId, Path, RecordPath, WithRecords } from '../model/types.ts';
import { SLICE, type Steps } from '../model/steps.ts';
import { TypeFilter } from '../names/type-filter.ts';
import type { BreadthFirst } from './breadth-first.ts';
import { SLICE_NODES } from './near-nodes.ts';
import { recordsOf, recordsOption, recordSteps } from './path-records.ts';
import type { Weight } from './weighted-path.ts';
import type { ReadSource } from './read-source.ts';
import { RUN_OPTIONS, type RunOptions } from '../model/run-options.ts';

/**
 * Options of `shortestPath` and `kShortestPaths`. `weight`: edge property to add up instead of counting edges. `maxDepth`: most
 * edges, without `weight`; `maxCost`: greatest sum, with `weight`.
 */
export interface PathOptions extends EdgeFilter, RunOptions {
  readonly maxDepth?: number;
  readonly weight?: string;
  readonly maxCost?: number;
}

/** Options of `distances`; as PathOptions. `limit`: stop after so many nodes, the start included. */
export interface DistanceOptions extends PathOptions {
  readonly limit?: number;
}

/** A node with the least number of edges, or sum of weights, that leads to it. */
export interface NodeDistance {
  id: NodeId;
  distance: number;
}

const COST_OPTIONS = ['direction', 'type', 'maxDepth', 'weight', 'maxCost', ...RUN_OPTIONS] as const;
export const PATH_OPTIONS = [...COST_OPTIONS, 'records'] as const;

/** Edges of a slice of a search by weight: each costs as much as several that are only followed. */
export const SEARCH_SLICE = SLICE >> 3;

/** What `shortestPath` was asked for, once the options are known to be right. */
interface PathAsked {
  readonly weight: Weight | undefined;
  readonly maxCost: number;
  readonly direction: Direction;
  readonly type: EdgeFilter['type'];
}

/** @throws DataError SOMBRA_ID_RANGE, SOMBRA_OPTION */
function parsePath(
  store: GraphStore,
  from: NodeId,
  to: NodeId,
  given: (PathOptions & Partial<WithRecords>) | undefined,
  where: string,
): PathAsked & { readonly records: boolean } {
  checkId(from, 'node');
  checkId(to, 'node');
  const options = checkOptions(given, PATH_OPTIONS, where);
  return {
    weight: weightOption(store, options),
    maxCost: costLimit(options),
    direction: directionOption(options?.direction),
    type: options?.type,
    records: recordsOption(options),
  };
}

/** Body of `GraphReader.shortestPath`. */
export function shortestPath(
  source: ReadSource,
  from: NodeId,
  to: NodeId,
  options: (PathOptions & Partial<WithRecords>) | undefined,
): Path | RecordPath | undefined {
  const asked = parsePath(source.store, from, to, options, 'shortestPath');
  const path = searchPath(source, from, to, asked);
  return path === undefined || !asked.records ? path : recordsOf(source, path);
}

function searchPath(
  { reader, store, workspace, view, watch }: ReadSource,
  from: NodeId,
  to: NodeId,
  { weight, maxCost, direction, type }: PathAsked,
): Path | undefined {
  const filter = store.filter.set(type, store.dictionary);
  if (!reader.hasNode(from) || !reader.hasNode(to)) return undefined;
  if (weight !== undefined) {
    const search = workspace.costSearches.take();
    const place = search.search({ view, from, to, direction, filter, weight, maxCost, watch, limit: Infinity });
    const path = place < 0 ? undefined : search.path(place);
    workspace.costSearches.give(search);
    return path;
  }
  if (from === to) return { nodes: [from], edges: [], length: 0 };
  return workspace.breadthFirst.shortestPath(view, from, to, direction, filter, maxCost, watch);
}

/** Body of `GraphReader.shortestPathAsync`. */
export function* shortestPathSteps(
  source: ReadSource,
  from: NodeId,
  to: NodeId,
  options: (PathOptions & Partial<WithRecords>) | undefined,
): Steps<Path | RecordPath | undefined> {
  const asked = parsePath(source.store, from, to, options, 'shortestPathAsync');
  const path = yield* searchPathSteps(source, from, to, asked);
  return path === undefined || !asked.records ? path : yield* recordSteps(source, path);
}

function* searchPathSteps(
  { reader, store, workspace, view, watch }: ReadSource,
  from: NodeId,
  to: NodeId,
  { weight, maxCost, direction, type }: PathAsked,
): Steps<Path | undefined> {
  const filter = new TypeFilter().set(type, store.dictionary);
  if (!reader.hasNode(from) || !reader.hasNode(to)) return undefined;
  if (weight !== undefined) {
    const query = { view, from, to, direction, filter, weight, maxCost, watch, limit: Infinity };
    const search = workspace.costSearches.take();
    try {
      search.begin(query);
      while (search.advance(query, SEARCH_SLICE)) yield;
      return search.target < 0 ? undefined : search.path(search.target);
    } finally {
      workspace.costSearches.give(search);
    }
  }
  if (from === to) return { nodes: [from], edges: [], length: 0 };
  const search = workspace.breadthFirsts.take();
  try {
    search.beginPath(view, from, to);
    while (search.advancePath(view, direction, filter, maxCost, watch, SLICE_NODES)) yield;
    return search.path();
  } finally {
    workspace.breadthFirsts.give(search);
  }
}

/** What `distances` was asked for, once the options are known to be right. */
function parseDistances(
  store: GraphStore,
  from: NodeId,
  given: DistanceOptions | undefined,
  where: string,
): PathAsked & { readonly limit: number } {
  checkId(from, 'node');
  const options = checkOptions(given, [...COST_OPTIONS, 'limit'], where);
  return {
    weight: weightOption(store, options),
    maxCost: costLimit(options),
    limit: countOption(options?.limit, Infinity, 'limit'),
    direction: directionOption(options?.direction),
    type: options?.type,
  };
}

/** Body of `GraphReader.distances`. */
export function distances(
  { reader, store, workspace, view, watch }: ReadSource,
  from: NodeId,
  options: DistanceOptions | undefined,
): NodeDistance[] {
  const { weight, maxCost, limit, direction, type } = parseDistances(store, from, options, 'distances');
  const filter = store.filter.set(type, store.dictionary);
  if (limit === 0 || !reader.hasNode(from)) return [];
  const found: NodeDistance[] = [];
  if (weight === undefined) {
    const { breadthFirst: traversal } = workspace;
    const bounds = { direction, minDepth: 0, maxDepth: maxCost, limit };
    const count = traversal.visit(view, from, bounds, filter, watch);
    addDistances(found, traversal, count);
    return found;
  }
  const search = workspace.costSearches.take();
  search.search({ view, from, to: 0, direction, filter, weight, maxCost, watch, limit });
  for (const place of search.settled) found.push({ id: search.nodeAt(place), distance: search.costAt(place) });
  workspace.costSearches.give(search);
  return found;
}

/** Body of `GraphReader.distancesAsync`. */
export function* distancesSteps(
  { reader, store, workspace, view, watch }: ReadSource,
  from: NodeId,
  options: DistanceOptions | undefined,
): Steps<NodeDistance[]> {
  const { weight, maxCost, limit, direction, type } = parseDistances(store, from, options, 'distancesAsync');
  const filter = new TypeFilter().set(type, store.dictionary);
  if (limit === 0 || !reader.hasNode(from)) return [];
  const found: NodeDistance[] = [];
  if (weight === undefined) {
    const search = workspace.breadthFirsts.take();
    try {
      const bounds = { direction, minDepth: 0, maxDepth: maxCost, limit };
      search.begin(view, from, bounds, undefined);
      while (search.advance(view, bounds, filter, undefined, watch, SLICE_NODES)) yield;
      const { count } = search;
      while (found.length < count) {
        addDistances(found, search, Math.min(count, found.length + SLICE));
        yield;
      }
      return found;
    } finally {
      workspace.breadthFirsts.give(search);
    }
  }
  const search = workspace.costSearches.take();
  try {
    const query = { view, from, to: 0, direction, filter, weight, maxCost, watch, limit };
    search.begin(query);
    while (search.advance(query, SEARCH_SLICE)) yield;
    for (const place of search.settled) {
      found.push({ id: search.nodeAt(place), distance: search.costAt(place) });
      if (found.length % SLICE === 0) yield;
    }
    return found;
  } finally {
    workspace.costSearches.give(search);
  }
}

/** Adds the nodes of a visit, from where the list ends to place `to`. */
function addDistances(found: NodeDistance[], { nodes, levelEnds }: BreadthFirst, to: number): void {
  let depth = 0;
  while (found.length >= levelEnds[depth]!) depth += 1;
  for (let i = found.length; i < to; i += 1) {
    if (i === levelEnds[depth]) depth += 1;
    found.push({ id: nodes[i]!, distance: depth });
  }
}

/** The weight that options ask for. @throws DataError SOMBRA_OPTION */
export function weightOption(store: GraphStore, options: PathOptions | undefined): Weight | undefined {
  const name = options?.weight;
  if (name === undefined) return undefined;
  if (typeof name !== 'string')
    throw new DataError('SOMBRA_OPTION', `weight is the name of a property, not ${describe(name)}`);
  return { keyId: store.dictionary.find(NAME_KIND.propertyKey, name), name };
}

/** Greatest number of edges, or sum of weights. @throws DataError SOMBRA_OPTION */
export function costLimit(options: PathOptions | undefined): number {
  const maxDepth = options?.maxDepth;
  const maxCost = options?.maxCost;
  const weight = options?.weight;
  if (weight === undefined) {
    if (maxCost !== undefined) throw new DataError('SOMBRA_OPTION', 'maxCost needs a weight; maxDepth limits edges');
    return countOption(maxDepth, Infinity, 'maxDepth');
  }
  if (maxDepth !== undefined)
    throw new DataError('SOMBRA_OPTION', 'maxDepth and weight cannot be combined: use maxCost');
  if (maxCost === undefined) return Infinity;
  if (typeof maxCost === 'number' && maxCost >= 0) return maxCost;
  throw new DataError('SOMBRA_OPTION', `maxCost is a number of at least 0, not ${describe(maxCost)}`);
}
