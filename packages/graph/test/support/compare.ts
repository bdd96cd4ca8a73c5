// Comparing everything that a reader sees with the model.
import type { Direction, GraphReader } from '../../src/index.ts';
import type { Incidence, ModelGraph } from './model.ts';
import { sameStored } from './values.ts';

const DIRECTIONS: readonly Direction[] = ['out', 'in', 'both'];

function text(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? `${one}n` : one));
}

function sameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}

/** Differences between a reader and the model; empty when they agree. */
export function compare(reader: GraphReader, model: ModelGraph): string[] {
  const wrong: string[] = [];
  const check = (what: string, found: unknown, expected: unknown): void => {
    if (!sameStored(found, expected)) wrong.push(`${what} is ${text(found)}, expected ${text(expected)}`);
  };
  check('nodeCount', reader.nodeCount(), model.nodes.size);
  check('edgeCount', reader.edgeCount(), model.edges.size);
  check('labels', reader.labels(), model.labels);
  check('edgeTypes', reader.edgeTypes(), model.types);
  check('propertyKeys', reader.propertyKeys(), model.keys);
  check('propertyIndexes', reader.propertyIndexes(), model.indexInfos());
  check('nodeIds', [...reader.nodeIds()], ascending(model.nodes.keys()));
  check('edgeIds', [...reader.edgeIds()], ascending(model.edges.keys()));
  const nodes = members(model.nodes, ({ labels }) => labels);
  for (const label of model.labels) {
    check(`nodeIds(${label})`, [...reader.nodeIds(label)], nodes.get(label) ?? []);
    check(`nodeCount(${label})`, reader.nodeCount(label), nodes.get(label)?.length ?? 0);
  }
  const edges = members(model.edges, ({ type }) => [type]);
  for (const type of model.types) {
    check(`edgeIds(${type})`, [...reader.edgeIds(type)], edges.get(type) ?? []);
    check(`edgeCount(${type})`, reader.edgeCount(type), edges.get(type)?.length ?? 0);
  }
  const incidence = model.incidence();
  for (const id of model.nodes.keys()) wrong.push(...compareNode(reader, model, id, incidence));
  for (const id of model.edges.keys()) wrong.push(...compareEdge(reader, model, id));
  return wrong;
}

/** Ids by name, ascending. */
function members<T>(records: ReadonlyMap<number, T>, namesOf: (record: T) => readonly string[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const id of ascending(records.keys())) {
    for (const name of namesOf(records.get(id)!)) {
      const ids = found.get(name);
      if (ids === undefined) found.set(name, [id]);
      else ids.push(id);
    }
  }
  return found;
}

/** As `compare`, for one node, its edges included; the node may be missing. */
export function compareNode(
  reader: GraphReader,
  model: ModelGraph,
  id: number,
  incidence: Incidence = model.incidence(),
): string[] {
  const wrong: string[] = [];
  const node = model.nodes.get(id);
  const found = reader.getNode(id);
  if (!sameStored(found, node && { id, labels: node.labels, properties: node.properties })) {
    wrong.push(`node ${id} is ${text(found)}, expected ${text(node)}`);
  }
  if (reader.hasNode(id) !== (node !== undefined)) wrong.push(`hasNode(${id}) is ${reader.hasNode(id)}`);
  for (const direction of DIRECTIONS) wrong.push(...compareAdjacency(reader, model, incidence, id, direction));
  // Filters by type are tried in one direction, another one for the next node.
  const direction = DIRECTIONS[id % 3]!;
  const types = [...new Set(incidence.edges(id, direction).map((edge) => model.edges.get(edge)!.type))];
  if (types.length > 1) wrong.push(...compareAdjacency(reader, model, incidence, id, direction, [types[0]!]));
  if (types.length > 2) wrong.push(...compareAdjacency(reader, model, incidence, id, direction, types.slice(1)));
  return wrong;
}

function compareAdjacency(
  reader: GraphReader,
  model: ModelGraph,
  incidence: Incidence,
  id: number,
  direction: Direction,
  types?: readonly string[],
): string[] {
  const options = types === undefined ? { direction } : { direction, type: types.length === 1 ? types[0]! : types };
  const expected = incidence.edges(id, direction, types);
  const edges = reader.edgeIdsOf(id, options);
  const wrong: string[] = [];
  const check = (holds: boolean, what: string, found: unknown, wanted: unknown): void => {
    if (!holds) wrong.push(`node ${id} ${text(options)}: ${what} ${text(found)}, expected ${text(wanted)}`);
  };
  check(sameList(ascending(edges), ascending(expected)), 'edges', edges, expected);
  if (wrong.length > 0) return wrong;
  check(ordered(model, incidence, id, direction, edges), 'order of edges', edges, 'ascending, or by type');
  const ends = edges.map((edge) => otherEnd(model, id, edge, direction));
  const neighbours = reader.neighbors(id, options);
  check(sameList(neighbours, ends), 'neighbours', neighbours, ends);
  const degree = reader.degree(id, options);
  check(degree === incidence.degree(id, direction, types), 'degree', degree, incidence.degree(id, direction, types));
  if (direction !== DIRECTIONS[id % 3]) return wrong;
  const distinct = reader.neighbors(id, { ...options, distinct: true });
  check(sameList(distinct, [...new Set(ends)]), 'distinct neighbours', distinct, [...new Set(ends)]);
  return wrong;
}

/** Outgoing before incoming; in each part by edge id, or by type and edge id. */
function ordered(
  model: ModelGraph,
  incidence: Incidence,
  id: number,
  direction: Direction,
  edges: readonly number[],
): boolean {
  const isOut = (edge: number): boolean => direction !== 'in' && model.edges.get(edge)!.source === id;
  const firstIn = edges.findIndex((edge) => !isOut(edge));
  const split = firstIn < 0 ? edges.length : firstIn;
  return [edges.slice(0, split), edges.slice(split)].every((part, i) => {
    if (part.some((edge) => isOut(edge) !== (i === 0))) return false;
    const byType = part.toSorted((a, b) => incidence.typeNumber(a) - incidence.typeNumber(b) || a - b);
    return sameList(part, ascending(part)) || sameList(part, byType);
  });
}

function otherEnd(model: ModelGraph, id: number, edge: number, direction: Direction): number {
  const { source, target } = model.edges.get(edge)!;
  if (direction === 'both') return source === id ? target : source;
  return direction === 'out' ? target : source;
}

/** As `compare`, for one edge, which may be missing. */
export function compareEdge(reader: GraphReader, model: ModelGraph, id: number): string[] {
  const edge = model.edges.get(id);
  const found = reader.getEdge(id);
  const wrong = sameStored(found, edge && { id, ...edge })
    ? []
    : [`edge ${id} is ${text(found)}, expected ${text(edge)}`];
  if (reader.hasEdge(id) !== (edge !== undefined)) wrong.push(`hasEdge(${id}) is ${reader.hasEdge(id)}`);
  return wrong;
}

export function ascending(ids: Iterable<number>): number[] {
  return [...ids].sort((a, b) => a - b);
}
