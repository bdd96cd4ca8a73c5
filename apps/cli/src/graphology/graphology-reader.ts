/** Reading the JSON object that `graph.export()` of graphology gives: `{ options, attributes, nodes, edges }`. */
import { StringDecoder } from 'node:string_decoder';
import { GraphFileError, syntaxProblem } from '../errors/graph-file-error.ts';
import { importError } from '../errors/import-error.ts';
import type { TextFile } from '../files/text-file.ts';
import { openText } from '../files/text-file.ts';
import type { GraphFileOptions, GraphItem } from '../import/graph-file-source.ts';
import { edgeTypeOf, noteUndirected } from '../import/graph-file-source.ts';
import { parseJson } from '../values/exact-json.ts';
import { CellError, quote } from '../values/scalar.ts';
import { propertiesFromTagged } from '../values/tagged-json.ts';
import type { JsonPart } from './json-splitter.ts';
import { JsonSplitter } from './json-splitter.ts';

/** Attributes that hold the labels of a node and the type of an edge. */
export const LABELS_ATTRIBUTE = '@labels';
export const TYPE_ATTRIBUTE = '@type';

const LISTS = new Set(['nodes', 'edges']);
const KEYS = new Set(['options', 'attributes', ...LISTS]);
const NODE_KEYS = new Set(['key', 'attributes']);
const EDGE_KEYS = new Set(['key', 'source', 'target', 'attributes', 'undirected']);
const BYTE_ORDER_MARK = '\uFEFF';

type JsonObject = Readonly<Record<string, unknown>>;

/** Reads the nodes, or the edges, of a file. */
export async function* readGraphology(
  file: TextFile,
  kind: 'node' | 'edge',
  options: GraphFileOptions,
  onBytes: (bytes: number) => void,
): AsyncGenerator<GraphItem[]> {
  const splitter = new JsonSplitter(LISTS);
  const decoder = new StringDecoder('utf8');
  const items: GraphItem[] = [];
  let line: number | undefined;
  let began = false;
  try {
    for await (const chunk of openText(file, onBytes) as AsyncIterable<Buffer>) {
      let text = decoder.write(chunk);
      if (!began && text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1);
      began = true;
      for (const part of splitter.write(text)) {
        line = part.line;
        const item = readPart(part, kind, file, options);
        if (item !== undefined) items.push(item);
      }
      line = undefined;
      if (items.length > 0) yield items.splice(0);
    }
    splitter.end();
  } catch (error) {
    throw placed(error, file, line ?? splitter.line);
  }
}

function placed(error: unknown, file: TextFile, line: number): unknown {
  if (error instanceof GraphFileError)
    return importError(error.code, { file: file.path, line: error.line ?? line }, error.message);
  return error instanceof CellError
    ? importError('SOMBRA_GRAPH_FILE_VALUE', { file: file.path, line }, error.message)
    : error;
}

function readPart(
  { key, text, line }: JsonPart,
  kind: 'node' | 'edge',
  file: TextFile,
  options: GraphFileOptions,
): GraphItem | undefined {
  if (!KEYS.has(key)) throw syntaxProblem(`${quote(key)} is no part of {"options","attributes","nodes","edges"}`);
  if (LISTS.has(key) && key !== `${kind}s`) return undefined;
  const object = objectOf(readJson(text), key === 'nodes' || key === 'edges' ? `one of ${key}` : key);
  const size = text.length;
  if (key === 'nodes') return { line, size, item: nodeOf(object, options) };
  if (key === 'edges') {
    if (object['undirected'] === true) noteUndirected(file, options);
    return { line, size, item: edgeOf(object, options, line) };
  }
  if (key === 'options' && object['type'] === 'undirected') noteUndirected(file, options);
  if (key === 'attributes' && Object.keys(object).length > 0)
    options.note(`${file.path}: the attributes of the graph itself are left out: only nodes and edges have properties`);
  return undefined;
}

/** What is no JSON is a mistake in the file; what JSON cannot hold exactly, one in a value. */
function readJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw error instanceof CellError && / is not JSON /.test(error.message) ? syntaxProblem(error.message) : error;
  }
}

function objectOf(json: unknown, what: string): JsonObject {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as JsonObject;
  throw syntaxProblem(`${what} is ${quote(JSON.stringify(json))}, and no object`);
}

function nodeOf(object: JsonObject, options: GraphFileOptions): GraphItem['item'] {
  checkKeys(object, NODE_KEYS, 'node');
  const { named, rest } = attributesOf(object, options.labelName ?? LABELS_ATTRIBUTE);
  const own = typeof named === 'string' ? [named] : (named ?? []);
  if (!Array.isArray(own) || !own.every((label) => typeof label === 'string'))
    throw syntaxProblem(`the labels are ${quote(JSON.stringify(named))}: write ["A","B"], or one label`);
  const labels = own.length > 0 ? own : options.labels;
  return { kind: 'node', id: idOf(object, 'key'), labels, properties: propertiesFromTagged(rest) };
}

function edgeOf(object: JsonObject, options: GraphFileOptions, line: number): GraphItem['item'] {
  checkKeys(object, EDGE_KEYS, 'edge');
  const { named, rest } = attributesOf(object, options.typeName ?? TYPE_ATTRIBUTE);
  if (named !== undefined && typeof named !== 'string')
    throw syntaxProblem(`the type is ${quote(JSON.stringify(named))}, and no text`);
  return {
    kind: 'edge',
    id: object['key'] === undefined ? undefined : idOf(object, 'key'),
    type: edgeTypeOf(named, options, line),
    source: idOf(object, 'source'),
    target: idOf(object, 'target'),
    properties: propertiesFromTagged(rest),
  };
}

/** The attribute that has a part of its own, undefined without one, and the others. */
function attributesOf(object: JsonObject, name: string): { named: unknown; rest: JsonObject } {
  const attributes = object['attributes'] === undefined ? {} : objectOf(object['attributes'], 'attributes');
  const rest = Object.create(null) as Record<string, unknown>;
  for (const [key, value] of Object.entries(attributes)) if (key !== name) rest[key] = value;
  return { named: Object.hasOwn(attributes, name) ? (attributes[name] ?? undefined) : undefined, rest };
}

function checkKeys(object: JsonObject, known: ReadonlySet<string>, kind: string): void {
  for (const key of Object.keys(object))
    if (!known.has(key))
      throw syntaxProblem(`${quote(key)} is no part of a serialized ${kind}: put it into attributes`);
}

/** An id; graphology makes texts of numbers. */
function idOf(object: JsonObject, key: string): string {
  const id = object[key];
  if (typeof id === 'string' || Number.isSafeInteger(id)) return String(id);
  throw syntaxProblem(`${quote(key)} is the key of a node or an edge, a text`);
}
