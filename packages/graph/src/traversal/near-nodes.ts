/** Bodies of the reader's methods that visit nodes around a node. */
import { DataError } from '@sombra/vfs';
import { checkId, checkOptions, countOption, describe, directionOption } from '../model/options.ts';
import type { BreadthFirst } from './breadth-first.ts';
import { TypeFilter } from '../names/type-filter.ts';
import type { KHopOptions, NodeId } from '../model/types.ts';
import type { VisitedNodes } from './depth-first.ts';
import type { ReadSource } from './read-source.ts';
import { toArray } from '../values/to-array.ts';
import { Filters, WALK_OPTIONS, walkBounds, type BfsOptions } from './walk-options.ts';
import { RUN_OPTIONS } from '../model/run-options.ts';

/**
 * Options of `dfs`. `order`: `pre` (default), a node before those that are reached through it, or `post`, behind them.
 * `maxDepth` counts the edges of the way that was walked, so a node to which a shorter way leads may be missing: use `bfs`
 * for all nodes of a distance.
 */
export interface DfsOptions extends BfsOptions {
  readonly order?: 'pre' | 'post';
}

/** Body of `bfs`. */
export function visitedNodes(source: ReadSource, id: NodeId, options: BfsOptions | undefined): VisitedNodes {
  return breadthFirst(source, id, options, 'bfs', ({ nodes, levelEnds }, first, count) => {
    const found = new Array<{ id: number; depth: number }>(count - first);
    for (let i = 0, depth = 0; i < count; i += 1) {
      if (i === levelEnds[depth]) depth += 1;
      if (i >= first) found[i - first] = { id: nodes[i]!, depth };
    }
    return found;
  });
}

/** Body of `bfsLevels`. */
export function levelSizes(source: ReadSource, id: NodeId, options: BfsOptions | undefined): number[] {
  return breadthFirst(source, id, options, 'bfsLevels', ({ levelEnds }, first, count) =>
    count === 0 ? [] : levelEnds.map((end, depth) => Math.max(0, end - Math.max(first, levelStart(levelEnds, depth)))),
  );
}

/** Body of `levels`. */
export function levelNodes(source: ReadSource, id: NodeId, options: BfsOptions | undefined): NodeId[][] {
  return breadthFirst(source, id, options, 'levels', ({ nodes, levelEnds }, first, count) =>
    count === 0
      ? []
      : levelEnds.map((end, depth) => toArray(nodes, Math.max(first, levelStart(levelEnds, depth)), end)),
  );
}

function levelStart(levelEnds: readonly number[], depth: number): number {
  return depth === 0 ? 0 : levelEnds[depth - 1]!;
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
  checkId(id, 'node');
  options = checkOptions(options, WALK_OPTIONS, where);
  const bounds = walkBounds(options);
  const filters = new Filters(reader, options);
  const filter = (filters.none ? store.filter : new TypeFilter()).set(options?.type, store.dictionary);
  const { breadthFirst: traversal } = workspace;
  if (bounds.limit === 0 || !reader.hasNode(id)) {
    traversal.levelEnds.length = 0;
    return result(traversal, 0, 0);
  }
  const first = (walked: BreadthFirst, count: number): number => {
    const { minDepth } = bounds;
    return minDepth === 0 ? 0 : Math.min(count, walked.levelEnds[minDepth - 1] ?? count);
  };
  if (filters.none) {
    const count = traversal.visit(view, id, bounds, filter, watch);
    return result(traversal, first(traversal, count), count);
  }
  const walked = workspace.breadthFirsts.take();
  const count = walked.visitFiltered(view, id, bounds, filter, filters, watch);
  const found = result(walked, first(walked, count), count);
  workspace.breadthFirsts.give(walked);
  return found;
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
