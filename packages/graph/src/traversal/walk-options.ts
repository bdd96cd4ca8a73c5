/** Options that traversals have in common. */
import { countOption, describe, directionOption } from '../model/options.ts';
import { DataError } from '@sombra/vfs';
import type { Direction, EdgeFilter, EdgeRecord, NodeRecord } from '../model/types.ts';
import { danglingEdge } from '../model/damage.ts';
import type { RecordSource } from '../model/record-source.ts';
import { missingNode } from '../model/damage.ts';
import { RUN_OPTIONS, type RunOptions } from '../model/run-options.ts';

/**
 * Predicates of a traversal. Without them no record is read.
 * `nodeFilter`: may this node be visited, and left again? The start is not asked. Asked at most once per node and call.
 * `edgeFilter`: may this edge be followed? Asked for edges to nodes that were not visited yet.
 * `depth` is that of the node which the edge leads to. Nodes that a predicate adds to its own transaction are not visited. They return true or false; what they throw ends the call.
 */
export interface WalkFilters {
  nodeFilter?(node: NodeRecord, depth: number): boolean;
  edgeFilter?(edge: EdgeRecord, depth: number): boolean;
}

/**
 * Options of `bfs`, `bfsLevels`, `levels` and `dfs`. Nodes above `minDepth` are passed through and not part of the result.
 * `limit`: stop after so many nodes of the result, the start included.
 */
export interface BfsOptions extends EdgeFilter, WalkFilters, RunOptions {
  readonly minDepth?: number;
  readonly maxDepth?: number;
  readonly limit?: number;
}

export const FILTER_OPTIONS = ['nodeFilter', 'edgeFilter'] as const;
export const WALK_OPTIONS = [
  'direction',
  'type',
  'minDepth',
  'maxDepth',
  'limit',
  ...FILTER_OPTIONS,
  ...RUN_OPTIONS,
] as const;

/** Depths and limit with their defaults. */
export interface WalkBounds {
  readonly direction: Direction;
  readonly minDepth: number;
  readonly maxDepth: number;
  readonly limit: number;
}

/** @throws DataError SOMBRA_OPTION */
export function walkBounds(options: BfsOptions | undefined): WalkBounds {
  return {
    direction: directionOption(options?.direction),
    minDepth: countOption(options?.minDepth, 0, 'minDepth'),
    maxDepth: countOption(options?.maxDepth, Infinity, 'maxDepth'),
    limit: countOption(options?.limit, Infinity, 'limit'),
  };
}

/** Asks the predicates of a traversal. */
export class Filters {
  private readonly reader: RecordSource;
  private readonly nodeFilter: WalkFilters['nodeFilter'];
  private readonly edgeFilter: WalkFilters['edgeFilter'];

  /** @throws DataError SOMBRA_OPTION for what is no function */
  constructor(reader: RecordSource, options: WalkFilters | undefined) {
    this.reader = reader;
    this.nodeFilter = checkFilter(options?.nodeFilter, 'nodeFilter');
    this.edgeFilter = checkFilter(options?.edgeFilter, 'edgeFilter');
  }

  /** Is there nothing to ask? */
  get none(): boolean {
    return this.nodeFilter === undefined && this.edgeFilter === undefined;
  }

  acceptsNode(id: number, depth: number): boolean {
    if (this.nodeFilter === undefined) return true;
    if (id === 0) throw missingNode(id);
    const node = this.reader.getNode(id);
    return node !== undefined && answer(this.nodeFilter(node, depth), 'nodeFilter');
  }

  acceptsEdge(id: number, depth: number): boolean {
    if (this.edgeFilter === undefined) return true;
    if (id === 0) throw danglingEdge(id);
    const edge = this.reader.getEdge(id);
    return edge !== undefined && answer(this.edgeFilter(edge, depth), 'edgeFilter');
  }
}

/** @throws DataError SOMBRA_OPTION for what is no function */
export function checkFilters(options: WalkFilters | undefined): void {
  checkFilter(options?.nodeFilter, 'nodeFilter');
  checkFilter(options?.edgeFilter, 'edgeFilter');
}

function checkFilter<T>(filter: T | undefined, name: string): T | undefined {
  if (filter === undefined || typeof filter === 'function') return filter;
  throw new DataError('SOMBRA_OPTION', `${name} is a function, not ${describe(filter)}`);
}

/** A promise would count as true: an async function has to be refused. */
function answer(given: boolean, name: string): boolean {
  if (typeof given === 'boolean') return given;
  throw new DataError('SOMBRA_OPTION', `${name} returns true or false, not ${describe(given)}`);
}
