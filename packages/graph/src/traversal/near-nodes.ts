/** Bodies of the reader's methods that visit nodes around a node. */
import { DataError } from '@sombra/vfs';
import { checkId, checkOptions, countOption, describe, directionOption } from '../model/options.ts';
import type { BreadthFirst } from './breadth-first.ts';
import { TypeFilter } from '../names/type-filter.ts';
import type { KHopOptions, NodeId } from '../model/types.ts';
import type { VisitedNodes } from './depth-first.ts';
import type { RecordSource } from '../model/record-source.ts';
import type { ReadSource } from './read-source.ts';
import { toArray } from '../values/to-array.ts';
import { Filters, WALK_OPTIONS, type WalkBounds, walkBounds, type BfsOptions } from './walk-options.ts';
import type { Steps } from '../model/steps.ts';
import { RUN_OPTIONS } from '../model/run-options.ts';

/**
 * Options of `dfs`. `order`: `pre` (default), a node before those that are reached through it, or `post`, behind them.
 * `maxDepth` counts the edges of the way that was walked, so a node to which a shorter way leads may be missing: use `bfs`
 * for all nodes of a distance.
 */
export interface DfsOptions extends BfsOptions {
  readonly order?: 'pre' | 'post';
}

/** Nodes that a search in slices expands from one to the next. */
export const SLICE_NODES = 1024;
/** Rows of a result that are made from one slice to the next. */
const SLICE_ROWS = 32_768;

/** Body of `bfs`. */
export function visitedNodes(source: ReadSource, id: NodeId, options: BfsOptions | undefined): VisitedNodes {
  return breadthFirst(source, id, options, 'bfs', (walked, first, count) => {
    const found = new Array<{ id: number; depth: number }>(count - first);
    fillVisited(found, walked, first, first, count);
    return found;
  });
}

/** Body of `bfsLevels`. */
export function levelSizes(source: ReadSource, id: NodeId, options: BfsOptions | undefined): number[] {
  return breadthFirst(source, id, options, 'bfsLevels', sizesOf);
}

/** Body of `levels`. */
export function levelNodes(source: ReadSource, id: NodeId, options: BfsOptions | undefined): NodeId[][] {
  return breadthFirst(source, id, options, 'levels', ({ nodes, levelEnds }, first, count) =>
    count === 0
      ? []
      : levelEnds.map((end, depth) => toArray(nodes, Math.max(first, levelStart(levelEnds, depth)), end)),
  );
}

/** Body of `bfsAsync`. */
export function visitedSteps(source: ReadSource, id: NodeId, options: BfsOptions | undefined): Steps<VisitedNodes> {
  return breadthFirstSteps(source, id, options, 'bfsAsync', function* (walked, first, count) {
    const found = new Array<{ id: number; depth: number }>(count - first);
    for (let from = first; from < count; from += SLICE_ROWS) {
      fillVisited(found, walked, first, from, Math.min(count, from + SLICE_ROWS));
      yield;
    }
    return found;
  });
}

/** Body of `bfsLevelsAsync`. */
export function levelSizesSteps(source: ReadSource, id: NodeId, options: BfsOptions | undefined): Steps<number[]> {
  return breadthFirstSteps(source, id, options, 'bfsLevelsAsync', function* (walked, first, count) {
    return sizesOf(walked, first, count);
  });
}

/** Body of `levelsAsync`. */
export function levelNodesSteps(source: ReadSource, id: NodeId, options: BfsOptions | undefined): Steps<NodeId[][]> {
  return breadthFirstSteps(source, id, options, 'levelsAsync', function* ({ nodes, levelEnds }, first, count) {
    if (count === 0) return [];
    const levels: NodeId[][] = [];
    for (const [depth, end] of levelEnds.entries()) {
      const level: NodeId[] = [];
      for (let at = Math.max(first, levelStart(levelEnds, depth)); at < end; at += 1) {
        level.push(nodes[at]!);
        if (level.length % SLICE_ROWS === 0) yield;
      }
      levels.push(level);
    }
    return levels;
  });
}

/** Puts the nodes of a visit from place `from` to `to`, with their depths, where they belong in a list that begins with `first`. */
function fillVisited(found: VisitedNodes, walked: BreadthFirst, first: number, from: number, to: number): void {
  const { nodes, levelEnds } = walked;
  let depth = 0;
  while (from >= levelEnds[depth]!) depth += 1;
  for (let i = from; i < to; i += 1) {
    if (i === levelEnds[depth]) depth += 1;
    found[i - first] = { id: nodes[i]!, depth };
  }
}

function sizesOf({ levelEnds }: BreadthFirst, first: number, count: number): number[] {
  if (count === 0) return [];
  return levelEnds.map((end, depth) => Math.max(0, end - Math.max(first, levelStart(levelEnds, depth))));
}

function levelStart(levelEnds: readonly number[], depth: number): number {
  return depth === 0 ? 0 : levelEnds[depth - 1]!;
}

/** First place of a visit that is part of the result. */
function firstOf({ levelEnds }: BreadthFirst, { minDepth }: WalkBounds, count: number): number {
  return minDepth === 0 ? 0 : Math.min(count, levelEnds[minDepth - 1] ?? count);
}

/** @throws DataError SOMBRA_ID_RANGE, SOMBRA_OPTION */
function parseWalk(
  reader: RecordSource,
  id: NodeId,
  given: BfsOptions | undefined,
  where: string,
): { readonly bounds: WalkBounds; readonly filters: Filters; readonly type: BfsOptions['type'] } {
  checkId(id, 'node');
  const options = checkOptions(given, WALK_OPTIONS, where);
  return { bounds: walkBounds(options), filters: new Filters(reader, options), type: options?.type };
}

/**
 * Visits nodes by distance.
 * @param result  makes the result of what was visited: `nodes` from `first` to `count`
 */
function breadthFirst<T>(
  { reader, store, workspace, view, watch }: ReadSource,
  id: NodeId,
  options: BfsOptions | undefined,
  where: string,
  result: (traversal: BreadthFirst, first: number, count: number) => T,
): T {
  const { bounds, filters, type } = parseWalk(reader, id, options, where);
  const filter = (filters.none ? store.filter : new TypeFilter()).set(type, store.dictionary);
  const { breadthFirst: traversal } = workspace;
  if (bounds.limit === 0 || !reader.hasNode(id)) {
    traversal.levelEnds.length = 0;
    return result(traversal, 0, 0);
  }
  if (filters.none) {
    const count = traversal.visit(view, id, bounds, filter, watch);
    return result(traversal, firstOf(traversal, bounds, count), count);
  }
  const walked = workspace.breadthFirsts.take();
  walked.begin(view, id, bounds, filters);
  walked.advance(view, bounds, filter, filters, watch, Infinity);
  const { count } = walked;
  const found = result(walked, firstOf(walked, bounds, count), count);
  workspace.breadthFirsts.give(walked);
  return found;
}

/** As `breadthFirst`, in slices. */
function* breadthFirstSteps<T>(
  { reader, store, workspace, view, watch }: ReadSource,
  id: NodeId,
  options: BfsOptions | undefined,
  where: string,
  result: (traversal: BreadthFirst, first: number, count: number) => Steps<T>,
): Steps<T> {
  const { bounds, filters: given, type } = parseWalk(reader, id, options, where);
  const filters = given.none ? undefined : given;
  const filter = new TypeFilter().set(type, store.dictionary);
  const walked = workspace.breadthFirsts.take();
  try {
    if (bounds.limit === 0 || !reader.hasNode(id)) {
      walked.levelEnds.length = 0;
      return yield* result(walked, 0, 0);
    }
    walked.begin(view, id, bounds, filters);
    while (walked.advance(view, bounds, filter, filters, watch, SLICE_NODES)) yield;
    const { count } = walked;
    return yield* result(walked, firstOf(walked, bounds, count), count);
  } finally {
    workspace.breadthFirsts.give(walked);
  }
}

/** Body of `dfs`. */
export function depthFirst(
  { reader, store, workspace, view, watch }: ReadSource,
  id: NodeId,
  options: DfsOptions | undefined,
): VisitedNodes {
  checkId(id, 'node');
  options = checkOptions(options, [...WALK_OPTIONS, 'order'], 'dfs');
  const bounds = walkBounds(options);
  const order = options?.order ?? 'pre';
  if (order !== 'pre' && order !== 'post')
    throw new DataError('SOMBRA_OPTION', `order is 'pre' or 'post', not ${describe(order)}`);
  const filters = new Filters(reader, options);
  const filter = (filters.none ? store.filter : new TypeFilter()).set(options?.type, store.dictionary);
  if (!reader.hasNode(id)) return [];
  const walk = workspace.depthFirsts.take();
  const found = walk.walk(view, id, bounds, filter, filters, order === 'post', watch);
  workspace.depthFirsts.give(walk);
  return found;
}

/** Body of `kHop`. */
export function kHop(
  { reader, store, workspace, view, watch }: ReadSource,
  id: NodeId,
  hops: number,
  options: KHopOptions | undefined,
): NodeId[] {
  checkId(id, 'node');
  options = checkOptions(options, ['direction', 'type', 'mode', 'limit', ...RUN_OPTIONS], 'kHop');
  const steps = countOption(hops, 0, 'hops');
  const limit = countOption(options?.limit, Infinity, 'limit');
  const kind = options?.mode ?? 'within';
  if (kind !== 'within' && kind !== 'exact' && kind !== 'walk')
    throw new DataError('SOMBRA_OPTION', `mode is 'within', 'exact' or 'walk', not ${describe(kind)}`);
  if (kind === 'walk' && steps === Infinity) throw new DataError('SOMBRA_OPTION', 'walks have a finite number of hops');
  if (!reader.hasNode(id)) return [];
  const direction = directionOption(options?.direction);
  const filter = store.filter.set(options?.type, store.dictionary);
  const { breadthFirst: traversal } = workspace;
  if (kind === 'walk' && steps > 0) {
    const count = traversal.walkEnds(view, id, direction, filter, steps, watch);
    return toArray(traversal.nodes, 0, Math.min(count, limit));
  }
  const bounds = { direction, minDepth: 0, maxDepth: steps, limit: Infinity };
  const count = traversal.visit(view, id, bounds, filter, watch);
  const { levelEnds } = traversal;
  let from = 0;
  if (kind === 'within') from = 1;
  else if (steps > 0) from = steps < levelEnds.length ? levelEnds[steps - 1]! : count;
  return toArray(traversal.nodes, from, Math.min(count, from + limit));
}
