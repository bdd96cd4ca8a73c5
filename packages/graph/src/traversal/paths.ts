/** Streams of paths: of any length, and all shortest ones. */
import type { View } from '@sombra/pager';
import { DataError } from '@sombra/vfs';
import { checkId, checkOptions, countOption, describe, directionOption, flagOption } from '../model/options.ts';
import type { BreadthFirst } from './breadth-first.ts';
import { checkTypes, TypeFilter } from '../names/type-filter.ts';
import type { Direction, EdgeFilter, NodeId, Path, RecordPath, WithRecords } from '../model/types.ts';
import { recordsOf, recordsOption } from './path-records.ts';
import { PathWalk } from './path-walk.ts';
import type { ReadSource } from './read-source.ts';
import { checkFilters, FILTER_OPTIONS, Filters, type WalkFilters } from './walk-options.ts';
import type { Watch } from '../model/watch.ts';
import { RUN_OPTIONS, type RunOptions } from '../model/run-options.ts';

/**
 * Options of `paths`. Lengths are numbers of edges; `minLength` 1 and `maxLength` Infinity by default: give one, there may be
 * very many paths. `unique`: what a path has at most once, `edges` by default. `distinct`: each sequence of nodes once, whatever
 * parallel edges there are. `limit`: stop after so many paths. Predicates are asked again for each path.
 */
export interface PathsOptions extends EdgeFilter, WalkFilters, RunOptions {
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly unique?: 'nodes' | 'edges';
  readonly distinct?: boolean;
  readonly limit?: number;
}

/** Options of `allShortestPaths`; as in PathsOptions. */
export interface AllShortestOptions extends EdgeFilter, RunOptions {
  readonly maxDepth?: number;
  readonly distinct?: boolean;
  readonly limit?: number;
}

const PATHS_OPTIONS = [
  'direction',
  'type',
  'minLength',
  'maxLength',
  'unique',
  'distinct',
  'limit',
  'records',
] as const;
const SHORTEST_OPTIONS = ['direction', 'type', 'maxDepth', 'distinct', 'limit', 'records', ...RUN_OPTIONS] as const;

/** Checked arguments of `paths`. */
export interface PathsAsked {
  readonly from: NodeId;
  readonly to: NodeId | undefined;
  readonly minLength: number;
  readonly maxLength: number;
  readonly limit: number;
  readonly unique: 'nodes' | 'edges';
  readonly distinct: boolean;
  readonly records: boolean;
  readonly direction: Direction;
  readonly options: PathsOptions | undefined;
}

/** @throws DataError SOMBRA_ID_RANGE, SOMBRA_OPTION */
export function parsePaths(
  from: NodeId,
  to: NodeId | undefined,
  options: (PathsOptions & Partial<WithRecords>) | undefined,
): PathsAsked {
  checkId(from, 'node');
  if (to !== undefined) checkId(to, 'node');
  options = checkOptions(options, [...PATHS_OPTIONS, ...FILTER_OPTIONS, ...RUN_OPTIONS], 'paths');
  const unique = options?.unique ?? 'edges';
  if (unique !== 'nodes' && unique !== 'edges')
    throw new DataError('SOMBRA_OPTION', `unique is 'nodes' or 'edges', not ${describe(unique)}`);
  checkTypes(options?.type);
  checkFilters(options);
  return {
    ...{ from, to, unique, options },
    minLength: countOption(options?.minLength, 1, 'minLength'),
    maxLength: countOption(options?.maxLength, Infinity, 'maxLength'),
    limit: countOption(options?.limit, Infinity, 'limit'),
    distinct: flagOption(options?.distinct, false, 'distinct'),
    records: recordsOption(options),
    direction: directionOption(options?.direction),
  };
}

/** Body of `GraphReader.paths`. */
export function* walkPaths(source: ReadSource, asked: PathsAsked): IterableIterator<Path | RecordPath> {
  const { reader, store, workspace, view, watch } = source;
  const { from, to, minLength, maxLength, unique, distinct, direction, options } = asked;
  const filter = new TypeFilter().set(options?.type, store.dictionary);
  const filters = new Filters(reader, options);
  if (minLength > maxLength || !reader.hasNode(from) || (to !== undefined && !reader.hasNode(to))) return;
  const traversal = to === undefined ? undefined : workspace.breadthFirsts.take();
  try {
    const distances = traversal && distancesTo(traversal, view, to!, direction, filter, maxLength, watch);
    yield* found(
      new PathWalk(store, view, {
        ...{ from, to: to ?? 0, minLength, maxLength, direction, filter, filters },
        ...{ unique, distinct, distances, watch },
      }),
      asked,
      source,
    );
  } finally {
    if (traversal !== undefined) workspace.breadthFirsts.give(traversal);
  }
}

/** Checked arguments of `allShortestPaths`. */
export interface ShortestAsked {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly maxDepth: number;
  readonly limit: number;
  readonly distinct: boolean;
  readonly records: boolean;
  readonly direction: Direction;
  readonly type: EdgeFilter['type'];
}

/** @throws DataError SOMBRA_ID_RANGE, SOMBRA_OPTION */
export function parseShortest(
  from: NodeId,
  to: NodeId,
  options: (AllShortestOptions & Partial<WithRecords>) | undefined,
): ShortestAsked {
  checkId(from, 'node');
  checkId(to, 'node');
  options = checkOptions(options, SHORTEST_OPTIONS, 'allShortestPaths');
  checkTypes(options?.type);
  return {
    ...{ from, to, type: options?.type },
    maxDepth: countOption(options?.maxDepth, Infinity, 'maxDepth'),
    limit: countOption(options?.limit, Infinity, 'limit'),
    distinct: flagOption(options?.distinct, false, 'distinct'),
    records: recordsOption(options),
    direction: directionOption(options?.direction),
  };
}

/** Body of `GraphReader.allShortestPaths`. */
export function* walkShortest(source: ReadSource, asked: ShortestAsked): IterableIterator<Path | RecordPath> {
  const { reader, store, workspace, view, watch } = source;
  const { from, to, maxDepth, distinct, direction, type } = asked;
  const filter = new TypeFilter().set(type, store.dictionary);
  if (!reader.hasNode(from) || !reader.hasNode(to)) return;
  const traversal = workspace.breadthFirsts.take();
  try {
    const length = from === to ? 0 : traversal.shortestPath(view, from, to, direction, filter, maxDepth, watch)?.length;
    if (length === undefined) return;
    // Every way that never leaves the nodes which are near enough to the target is a shortest path: no dead ends.
    yield* found(
      new PathWalk(store, view, {
        ...{
          from,
          to,
          minLength: length,
          maxLength: length,
          direction,
          filter,
          filters: new Filters(reader, undefined),
        },
        ...{ unique: 'nodes', distinct, watch },
        distances: distancesTo(traversal, view, to, direction, filter, Math.max(0, length - 1), watch),
      }),
      asked,
      source,
    );
  } finally {
    workspace.breadthFirsts.give(traversal);
  }
}

function* found(
  walk: PathWalk,
  { limit, records }: { readonly limit: number; readonly records: boolean },
  source: ReadSource,
): IterableIterator<Path | RecordPath> {
  for (let count = 0; count < limit; ) {
    const path = walk.advance();
    if (path === undefined) return;
    const row = records ? recordsOf(source, path) : path;
    if (row === undefined) continue;
    yield row;
    count += 1;
  }
}

/** Distances of nodes to a target, up to a number of edges. */
function distancesTo(
  traversal: BreadthFirst,
  view: View,
  to: number,
  direction: Direction,
  filter: TypeFilter,
  maxDepth: number,
  watch: Watch | undefined,
): { of(node: number): number } {
  const bounds = { direction: reversed(direction), minDepth: 0, maxDepth, limit: Infinity };
  const count = traversal.visit(view, to, bounds, filter, watch);
  const depths = new Uint32Array(count);
  traversal.levelEnds.forEach((end, depth) =>
    depths.fill(depth, depth === 0 ? 0 : traversal.levelEnds[depth - 1], end),
  );
  return {
    of(node) {
      const place = traversal.placeOf(node);
      return place < 0 ? -1 : depths[place]!;
    },
  };
}

/** The same edges, walked the other way. */
export function reversed(direction: Direction): Direction {
  return direction === 'both' ? 'both' : direction === 'out' ? 'in' : 'out';
}
