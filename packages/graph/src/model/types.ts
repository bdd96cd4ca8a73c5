/** Shapes that callers see. Ids are safe integers, 1 to 2^48 - 1. */

import type { RunOptions } from './run-options.ts';

declare const KIND: unique symbol;

/**
 * Id of a node: a number. The mark exists in the types only, so that an edge's id does not compile where a node's is meant. A plain
 * number has no mark and is taken for either.
 */
export type NodeId = number & { readonly [KIND]?: 'node' };
/** Id of an edge, as `NodeId`. */
export type EdgeId = number & { readonly [KIND]?: 'edge' };

/** Which edges of a node: those that leave it, those that reach it, or both (then self loops count once). */
export type Direction = 'out' | 'in' | 'both';

/**
 * A value that can be stored. A number is stored as an integer when it is a safe integer and not -0, else as a float; a
 * bigint as a 64-bit integer, read back as a number when it is safe. Maps are plain objects.
 */
export type PropertyValue =
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Date
  | PropertyValue[]
  | { [key: string]: PropertyValue };

/** A property value that is only looked at: lists and maps in it may be read-only. */
export type ReadonlyValue =
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Date
  | readonly ReadonlyValue[]
  | { readonly [key: string]: ReadonlyValue };

/** Properties as read: own keys only, nothing inherited, so `__proto__` and `toString` are ordinary keys. */
export type Properties = Record<string, PropertyValue>;

/** Properties as written: `null` and `undefined` mean that the property is absent. */
export type PropertyInput = Readonly<Record<string, ReadonlyValue | null | undefined>>;

/** A node. The object and everything in it is the caller's. */
export interface NodeRecord {
  id: NodeId;
  labels: string[];
  properties: Properties;
}

/** An edge. The object and everything in it is the caller's. */
export interface EdgeRecord {
  id: EdgeId;
  source: NodeId;
  target: NodeId;
  type: string;
  properties: Properties;
}

/** Which edges to follow. Default: all types, direction `out`. A type that no edge ever had matches nothing. */
export interface EdgeFilter {
  readonly direction?: Direction;
  readonly type?: string | readonly string[];
}

/** Options of `edgesOf` and `edgeIdsOf`. `limit`: at most so many rows. */
export interface EdgesOfOptions extends EdgeFilter {
  readonly limit?: number;
}

/** Options of `neighbors`. `distinct`: each neighbour once, instead of one row per edge. */
export interface NeighborOptions extends EdgesOfOptions {
  readonly distinct?: boolean;
}

/**
 * Options of `kHop`.
 * `mode` `within` (default): nodes at distance 1 to k; `exact`: nodes at distance k; `walk`: where walks of exactly k edges
 * end, which may be the start. Every node once.
 */
export interface KHopOptions extends EdgeFilter, RunOptions {
  readonly mode?: 'within' | 'exact' | 'walk';
  readonly limit?: number;
}

/** A path: one more node than edges. `weight` is there when the path was asked for by weight. */
export interface Path {
  nodes: NodeId[];
  edges: EdgeId[];
  length: number;
  weight?: number;
}

/** Asks for paths with their nodes and edges, instead of the ids of these: `RecordPath` in the place of `Path`. */
export interface WithRecords {
  readonly records: true;
}

/** A path with its nodes and edges, read from what the path was found in. The objects are the caller's. */
export interface RecordPath {
  nodes: NodeRecord[];
  edges: EdgeRecord[];
  length: number;
  weight?: number;
}
