/** From a line of JSON Lines to a node or an edge. */
import type { PropertyValue } from '@sombra/db';
import { CellError, quote } from '../values/scalar.ts';
import { parseJson } from '../values/exact-json.ts';
import { propertiesFromTagged } from '../values/tagged-json.ts';

/** An id in a file; 7 and "7" are two of them. */
export type LineId = string | number;

/** `{"node":1,"labels":["Person"],"properties":{"name":"Ada"}}` */
export interface NodeLine {
  readonly kind: 'node';
  readonly id: LineId;
  readonly labels: readonly string[];
  readonly properties: { readonly [key: string]: PropertyValue };
}

/** `{"edge":1,"type":"KNOWS","source":1,"target":2,"properties":{"since":1833}}` */
export interface EdgeLine {
  readonly kind: 'edge';
  /** undefined: none that could be kept. */
  readonly id: LineId | undefined;
  readonly type: string;
  readonly source: LineId;
  readonly target: LineId;
  readonly properties: { readonly [key: string]: PropertyValue };
}

/** A line that is not as documented. The message completes a sentence. */
export class LineError extends Error {}

const NODE_KEYS = new Set(['node', 'labels', 'properties']);
const EDGE_KEYS = new Set(['edge', 'type', 'source', 'target', 'properties']);
const NODE_SHAPE = '{"node":1,"labels":["Person"],"properties":{}}';
const EDGE_SHAPE = '{"edge":1,"type":"KNOWS","source":1,"target":2,"properties":{}}';
const NO_PROPERTIES = Object.freeze({});

/** Reads a line. @throws LineError; CellError for a property */
export function parseLine(line: string): NodeLine | EdgeLine {
  const json = readJson(line);
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new LineError(`${quote(line)} is no object: write ${NODE_SHAPE} or ${EDGE_SHAPE}`);
  const object = json as { readonly [key: string]: unknown };
  if (Object.hasOwn(object, 'node')) return nodeOf(object);
  if (Object.hasOwn(object, 'edge')) return edgeOf(object);
  throw new LineError(`the object is neither a node nor an edge: write ${NODE_SHAPE} or ${EDGE_SHAPE}`);
}

function readJson(line: string): unknown {
  try {
    return parseJson(line);
  } catch (error) {
    throw error instanceof CellError ? new LineError(error.message) : error;
  }
}

function nodeOf(object: { readonly [key: string]: unknown }): NodeLine {
  checkKeys(object, NODE_KEYS, NODE_SHAPE);
  const labels = object['labels'] ?? [];
  if (!Array.isArray(labels) || labels.some((label) => typeof label !== 'string'))
    throw new LineError('labels are a list of texts, ["Person"]');
  return {
    kind: 'node',
    id: idOf(object, 'node'),
    labels: labels as string[],
    properties: propertiesOf(object),
  };
}

function edgeOf(object: { readonly [key: string]: unknown }): EdgeLine {
  checkKeys(object, EDGE_KEYS, EDGE_SHAPE);
  const { type } = object;
  if (typeof type !== 'string') throw new LineError('the type of an edge is a text, "type":"KNOWS"');
  return {
    kind: 'edge',
    id: isId(object['edge']) ? object['edge'] : undefined,
    type,
    source: idOf(object, 'source'),
    target: idOf(object, 'target'),
    properties: propertiesOf(object),
  };
}

function checkKeys(object: object, known: ReadonlySet<string>, shape: string): void {
  for (const key of Object.keys(object))
    if (!known.has(key)) throw new LineError(`${quote(key)} is no part of ${shape}: put it into properties`);
}

function idOf(object: { readonly [key: string]: unknown }, key: string): LineId {
  const id = object[key];
  if (isId(id)) return id;
  throw new LineError(`${quote(key)} is the id of a node, an integer or a text`);
}

function isId(id: unknown): id is LineId {
  return typeof id === 'string' || Number.isSafeInteger(id);
}

function propertiesOf(object: { readonly [key: string]: unknown }): { readonly [key: string]: PropertyValue } {
  return Object.hasOwn(object, 'properties') ? propertiesFromTagged(object['properties']) : NO_PROPERTIES;
}
