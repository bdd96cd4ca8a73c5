/**
 * The k shortest simple paths: Yen's algorithm (Management Science 1971) with Lawler's rule, which branches off a path only
 * from where it left its parent, and so finds no path twice. Branches are searched by A*, led by the exact costs to the target
 * in the whole graph.
 */
import { DataError } from '@sombra/vfs';
import { checkId, checkOptions, countOption, directionOption } from '../model/options.ts';
import { TypeFilter } from '../names/type-filter.ts';
import type { NodeId, Path, RecordPath, WithRecords } from '../model/types.ts';
import { type CostQuery, estimateLimit, WeightedPath } from '../traversal/weighted-path.ts';
import { recordsOption, recordSteps } from '../traversal/path-records.ts';
import { reversed } from '../traversal/paths.ts';
import type { ReadSource } from '../traversal/read-source.ts';
import { costLimit, PATH_OPTIONS, type PathOptions, SEARCH_SLICE, weightOption } from '../traversal/shortest-path.ts';
import type { Steps } from '../model/steps.ts';

/** A path with where it left the one that it branched off from. */
interface Branch {
  readonly path: Path & { weight: number };
  /** Cost of the way to each of its nodes. */
  readonly costs: readonly number[];
  readonly branchedAt: number;
}

/** Body of `GraphReader.kShortestPaths`. */
export function* kShortestPaths(
  source: ReadSource,
  from: NodeId,
  to: NodeId,
  k: number,
  options: (PathOptions & Partial<WithRecords>) | undefined,
): Steps<(Path | RecordPath)[]> {
  checkId(from, 'node');
  checkId(to, 'node');
  options = checkOptions(options, PATH_OPTIONS, 'kShortestPaths');
  if (k === undefined) throw new DataError('SOMBRA_OPTION', 'k says how many paths are wanted');
  const wanted = countOption(k, 0, 'k');
  const { reader, store, view, watch } = source;
  const direction = directionOption(options?.direction);
  const filter = new TypeFilter().set(options?.type, store.dictionary);
  const weight = weightOption(store, options);
  const maxCost = costLimit(options);
  const records = recordsOption(options);
  if (wanted === 0 || !reader.hasNode(from) || !reader.hasNode(to)) return [];
  const query = { view, direction, filter, weight, maxCost, watch, limit: Infinity };
  const accepted: Branch[] = [];
  const candidates: Branch[] = [];
  const toTarget = new WeightedPath(store);
  const search = new WeightedPath(store);
  let most = maxCost;
  if (wanted === 1) {
    // Estimates are for what branches off the best path. Here they only choose between equal ones, which lie within its cost.
    const best = yield* searching(search, { ...query, from, to });
    if (best < 0) return [];
    most = search.costAt(best);
  }
  const nearEnough = { ...query, maxCost: estimateLimit(most), direction: reversed(direction) };
  yield* searching(toTarget, { ...nearEnough, from: to, to: 0 });
  const place = yield* searching(search, { ...query, from, to, estimates: toTarget });
  if (place >= 0) candidates.push({ path: search.path(place), costs: search.costsAlong(place), branchedAt: 0 });
  while (candidates.length > 0) {
    const next = candidates.shift()!;
    accepted.push(next);
    if (accepted.length === wanted) break;
    yield* branchOff(search, { ...query, to, estimates: toTarget }, next, accepted, candidates);
    // What comes behind those that are still wanted never gets its turn.
    candidates.length = Math.min(candidates.length, wanted - accepted.length);
  }
  const found: (Path | RecordPath)[] = [];
  for (const { path } of accepted) {
    const { nodes, edges, length } = path;
    const row = weight === undefined ? { nodes, edges, length } : path;
    const given = records ? yield* recordSteps(source, row) : row;
    if (given !== undefined) found.push(given);
  }
  return found;
}

/** Runs a search in slices. @returns place of the target, -1 when there is no path */
function* searching(search: WeightedPath, query: CostQuery): Steps<number> {
  search.begin(query);
  while (search.advance(query, SEARCH_SLICE)) yield;
  return search.target;
}

/** Searches the cheapest path that leaves `parent` at each of its nodes, and adds it to the candidates. */
function* branchOff(
  search: WeightedPath,
  query: Omit<CostQuery, 'from'>,
  parent: Branch,
  accepted: readonly Branch[],
  candidates: Branch[],
): Steps<undefined> {
  const { nodes, edges } = parent.path;
  const closedNodes = new Set<number>(nodes.slice(0, parent.branchedAt));
  for (let at = parent.branchedAt; at < edges.length; at += 1) {
    yield;
    const from = nodes[at]!;
    const closedEdges = new Set<number>();
    for (const { path } of accepted) if (beginsLike(path.edges, edges, at)) closedEdges.add(path.edges[at]!);
    closedNodes.add(from);
    // Costs go on from there instead of being added up afterwards: rounding is then that of the whole way.
    const place = yield* searching(search, { ...query, from, fromCost: parent.costs[at]!, closedNodes, closedEdges });
    if (place < 0) continue;
    const rest = search.path(place);
    const branch: Branch['path'] = {
      nodes: [...nodes.slice(0, at), ...rest.nodes],
      edges: [...edges.slice(0, at), ...rest.edges],
      length: at + rest.length,
      weight: rest.weight,
    };
    const costs = [...parent.costs.slice(0, at), ...search.costsAlong(place)];
    insert(candidates, { path: branch, costs, branchedAt: at });
  }
  return undefined;
}

/** Do two paths have their first `count` edges in common, and does the first one go on? */
function beginsLike(edges: readonly number[], other: readonly number[], count: number): boolean {
  if (edges.length <= count) return false;
  for (let i = 0; i < count; i += 1) if (edges[i] !== other[i]) return false;
  return true;
}

/** Keeps candidates in order: by cost, then by number of edges, then by their nodes and edges. */
function insert(candidates: Branch[], branch: Branch): void {
  let low = 0;
  let high = candidates.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(branch.path, candidates[middle]!.path)) high = middle;
    else low = middle + 1;
  }
  candidates.splice(low, 0, branch);
}

function isBefore(a: Branch['path'], b: Branch['path']): boolean {
  if (a.weight !== b.weight) return a.weight < b.weight;
  if (a.length !== b.length) return a.length < b.length;
  for (let i = 0; i < a.nodes.length; i += 1) if (a.nodes[i] !== b.nodes[i]) return a.nodes[i]! < b.nodes[i]!;
  for (let i = 0; i < a.edges.length; i += 1) if (a.edges[i] !== b.edges[i]) return a.edges[i]! < b.edges[i]!;
  return false;
}
