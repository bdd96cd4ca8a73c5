/** One shortest path, by edges or by weight, and the cost of the way to every node. */
import { DataError } from '@sombra/vfs';
import { NAME_KIND } from '../names/dictionary.ts';
import { checkId, checkOptions, countOption, describe, directionOption } from '../model/options.ts';
import type { GraphStore } from '../store/store.ts';
import type { EdgeFilter, NodeId, Path } from '../model/types.ts';
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

export const PATH_OPTIONS = ['direction', 'type', 'maxDepth', 'weight', 'maxCost', ...RUN_OPTIONS] as const;

/** Body of `GraphReader.shortestPath`. */
export function shortestPath(
  { reader, store, workspace, view, watch }: ReadSource,
  from: NodeId,
  to: NodeId,
  options: PathOptions | undefined,
): Path | undefined {
  checkId(from, 'node');
  checkId(to, 'node');
  options = checkOptions(options, PATH_OPTIONS, 'shortestPath');
  const weight = weightOption(store, options);
  const maxCost = costLimit(options);
  const direction = directionOption(options?.direction);
  const filter = store.filter.set(options?.type, store.dictionary);
  if (!reader.hasNode(from) || !reader.hasNode(to)) return undefined;
  if (weight !== undefined) {
    const search = workspace.costSearches.take();
    const place = search.search({ view, from, to, direction, filter, weight, maxCost, watch, limit: Infinity });
    const path = place < 0 ? undefined : search.path(place);
    workspace.costSearches.give(search);
    return path;
  }
  if (from === to) return { nodes: [from], edges: [], length: 0 };
  const nodes: number[] = [];
  const edges: number[] = [];
  const found = workspace.breadthFirst.shortestPath(view, from, to, direction, filter, maxCost, nodes, edges, watch);
  return found ? { nodes, edges, length: edges.length } : undefined;
}

/** Body of `GraphReader.distances`. */
export function distances(
  { reader, store, workspace, view, watch }: ReadSource,
  from: NodeId,
  options: DistanceOptions | undefined,
): NodeDistance[] {
  checkId(from, 'node');
  options = checkOptions(options, [...PATH_OPTIONS, 'limit'], 'distances');
  const weight = weightOption(store, options);
  const maxCost = costLimit(options);
  const limit = countOption(options?.limit, Infinity, 'limit');
  const direction = directionOption(options?.direction);
  const filter = store.filter.set(options?.type, store.dictionary);
  if (limit === 0 || !reader.hasNode(from)) return [];
  const found: NodeDistance[] = [];
  if (weight === undefined) {
    const { breadthFirst: traversal } = workspace;
    const bounds = { direction, minDepth: 0, maxDepth: maxCost, limit };
    const count = traversal.visit(view, from, bounds, filter, watch);
    for (let i = 0, depth = 0; i < count; i += 1) {
      if (i === traversal.levelEnds[depth]) depth += 1;
      found.push({ id: traversal.nodes[i]!, distance: depth });
    }
    return found;
  }
  const search = workspace.costSearches.take();
  search.search({ view, from, to: 0, direction, filter, weight, maxCost, watch, limit });
  for (const place of search.settled) found.push({ id: search.nodeAt(place), distance: search.costAt(place) });
  workspace.costSearches.give(search);
  return found;
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
