/** What comes along with a node: edges with the nodes at their other ends, and what comes along with those. */
import { DataError } from '@sombra/vfs';
import { checkOptions, countOption, describe, directionOption, flagOption, ownOptions } from '../model/options.ts';
import type { Direction, EdgeRecord, NeighborOptions, NodeRecord } from '../model/types.ts';
import { checkTypes } from '../names/type-filter.ts';

/** Hops that lie in each other at most. */
export const INCLUDE_HOPS_MAX = 16;

/** Which edges are followed from a node, and what comes along with the nodes that they lead to. `limit` counts for each node. */
export interface Hop extends NeighborOptions {
  readonly include?: Include | undefined;
}

/** Hops by the names that their rows get. */
export interface Include {
  readonly [name: string]: Hop;
}

/** Asks for what comes along with each node. `I`: which hops. */
export interface Including<I = Include> {
  readonly include: I & OnlyHops<I>;
}

/** Lets nothing pass but the options of hops. */
export type OnlyHops<I> = {
  readonly [Name in keyof I]: { readonly [K in Exclude<keyof I[Name], keyof Hop>]?: never } & (I[Name] extends {
    readonly include: infer Inner;
  }
    ? { readonly include: OnlyHops<Inner> }
    : unknown);
};

/** An edge with the node at its other end. */
export interface Expanded<Node = NodeRecord> {
  edge: EdgeRecord;
  node: Node;
}

/** A node with what comes along: the rows of each hop, by its name. */
export type WithIncluded<I> = NodeRecord & { included: { [Name in keyof I]: Expanded<NodeAfter<I[Name]>>[] } };

/** A node that a hop leads to. */
type NodeAfter<H> = H extends { readonly include: infer I } ? WithIncluded<I> : NodeRecord;

/** A checked hop. */
export interface CheckedHop {
  readonly name: string;
  readonly direction: Direction;
  readonly type: string | readonly string[] | undefined;
  readonly distinct: boolean;
  readonly limit: number;
  readonly include: readonly CheckedHop[] | undefined;
}

export const HOP_OPTIONS = ['direction', 'type', 'distinct', 'limit', 'include'] as const;

/** Checks the hops of an option `include`. @throws DataError SOMBRA_OPTION */
export function parseInclude(given: unknown, where: string, depth = 1): readonly CheckedHop[] | undefined {
  if (given === undefined) return undefined;
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new DataError(
      'SOMBRA_OPTION',
      `${where}: include is an object of hops by their names, as in { friends: { type: 'KNOWS' } }, not ${describe(given)}`,
    );
  if (depth > INCLUDE_HOPS_MAX)
    throw new DataError(
      'SOMBRA_OPTION',
      `${where}: hops of include are nested more than ${INCLUDE_HOPS_MAX} levels deep`,
    );
  return Object.entries(ownOptions(given)!).map(([name, hop]) => {
    if (typeof hop !== 'object' || hop === null)
      throw new DataError(
        'SOMBRA_OPTION',
        `${where}: '${name}' of include is an object of options, not ${describe(hop)}`,
      );
    return parseHop(hop as Hop, name, where, depth);
  });
}

/**
 * Checks one hop.
 * @param name   under which its rows are given
 * @param where  name of the call, for messages
 * @throws DataError SOMBRA_OPTION
 */
export function parseHop(given: Hop | undefined, name: string, where: string, depth = 0): CheckedHop {
  const options = checkOptions(given, HOP_OPTIONS, where);
  checkTypes(options?.type);
  return {
    name,
    direction: directionOption(options?.direction),
    type: options?.type,
    distinct: flagOption(options?.distinct, false, 'distinct'),
    limit: countOption(options?.limit, Infinity, 'limit'),
    include: parseInclude(options?.include, where, depth + 1),
  };
}
