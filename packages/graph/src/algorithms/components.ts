/** Connected components: weak (edge directions are ignored) or strong (every node reaches every other one). */
import { DataError } from '@sombra/vfs';
import { describe, ownOptions } from '../model/options.ts';
import type { NodeId } from '../model/types.ts';
import { NeighbourRows, readEdgeLists } from './neighbour-rows.ts';
import { NodeValues } from './node-values.ts';
import type { ReadSource } from '../traversal/read-source.ts';
import { SLICE, type Steps } from '../model/steps.ts';
import { StrongSearch } from './strong-search.ts';
import { type AlgorithmOptions, readSubgraph, type Subgraph } from './subgraph.ts';

/** Options of `components`. `kind`: `weak` by default. */
export interface ComponentsOptions extends AlgorithmOptions {
  readonly kind?: 'weak' | 'strong';
}

/** Components of a graph, numbered 0, 1, 2 … from the largest; those of one size by their least node id. */
export class Components {
  /** How many there are. */
  readonly count: number;
  /** Nodes of each component. */
  readonly sizes: Uint32Array;
  /** The component of each node. */
  readonly of: NodeValues;

  constructor(sizes: Uint32Array, of: NodeValues) {
    this.count = sizes.length;
    this.sizes = sizes;
    this.of = of;
  }

  /** Ids of a component's nodes, ascending. Reads all nodes. */
  members(component: number): NodeId[] {
    const { nodes, values } = this.of;
    const found: number[] = [];
    for (let i = 0; i < nodes.length; i += 1) if (values[i] === component) found.push(nodes[i]!);
    return found;
  }
}

/**
 * Weak: union-find over the edges as they are read; 16 bytes per node, none per edge. Strong: Tarjan's algorithm without
 * recursion; 40 bytes per node and 4 per edge. Both besides the 12 bytes per node of a Subgraph.
 */
export function* components(source: ReadSource, options: ComponentsOptions | undefined): Steps<Components> {
  options = ownOptions(options);
  const subgraph = yield* readSubgraph(source, options, ['kind'], 'components');
  const kind = options?.kind ?? 'weak';
  if (kind === 'weak') return numbered(subgraph, yield* weakRoots(subgraph));
  if (kind === 'strong') return numbered(subgraph, yield* strongRoots(subgraph));
  throw new DataError('SOMBRA_OPTION', `kind is 'weak' or 'strong', not ${describe(kind)}`);
}

/** @returns per node the least node of its component */
function* weakRoots(subgraph: Subgraph): Steps<Uint32Array> {
  const { count } = subgraph;
  const parent = subgraph.budget.words(count);
  for (let i = 0; i < count; i += 1) parent[i] = i;
  const rows = new NeighbourRows(subgraph, 'out');
  for (let node = 0; node < count; ) {
    for (let work = 0; node < count && work < SLICE; node += 1) {
      rows.read(node);
      work += rows.length + 4;
      unite(parent, node, rows.row, rows.length);
    }
    yield;
  }
  for (let i = 0; i < count; i += 1) parent[i] = rootOf(parent, i);
  return parent;
}

/** Joins the components of a node and its neighbours; the least node is the root. */
function unite(parent: Uint32Array, node: number, row: Uint32Array, length: number): void {
  let root = rootOf(parent, node);
  for (let i = 0; i < length; i += 1) {
    const other = rootOf(parent, row[i]!);
    if (other === root) continue;
    if (other < root) {
      parent[root] = other;
      root = other;
    } else parent[other] = root;
  }
}

/** Root of a node; halves the way there. */
function rootOf(parent: Uint32Array, node: number): number {
  let at = node;
  for (;;) {
    const up = parent[at]!;
    if (up === at) return at;
    const next = parent[up]!;
    parent[at] = next;
    at = next;
  }
}

/** As `weakRoots`. */
function* strongRoots(subgraph: Subgraph): Steps<Uint32Array> {
  const lists = yield* readEdgeLists(subgraph, 'out', false);
  const search = new StrongSearch(lists, subgraph);
  while (search.advance(SLICE)) yield;
  return search.roots;
}

/** Numbers components by size, then by root, which is their least node. */
function numbered(subgraph: Subgraph, roots: Uint32Array): Components {
  const { budget, count, ids } = subgraph;
  const sizes = budget.words(count);
  for (let i = 0; i < count; i += 1) sizes[roots[i]!]! += 1;
  let found = 0;
  for (let i = 0; i < count; i += 1) if (sizes[i]! > 0) found += 1;
  const order = budget.words(found);
  for (let i = 0, at = 0; i < count; i += 1) if (sizes[i]! > 0) order[at++] = i;
  order.sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  const ordered = budget.words(found);
  for (let i = 0; i < found; i += 1) ordered[i] = sizes[order[i]!]!;
  for (let i = 0; i < found; i += 1) sizes[order[i]!] = i; // from here on the number of the component
  for (let i = 0; i < count; i += 1) roots[i] = sizes[roots[i]!]!;
  return new Components(ordered, new NodeValues(ids, roots));
}
