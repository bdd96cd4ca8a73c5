/** Reading GraphML: one graph of nodes and edges with data. Each reading looks at the nodes only, or at the edges only. */
import type { PropertyValue } from '@sombra/db';
import { syntaxProblem, unsupportedProblem } from '../errors/graph-file-error.ts';
import type { TextFile } from '../files/text-file.ts';
import type { GraphFileOptions, GraphItem } from '../import/graph-file-source.ts';
import { edgeTypeOf, noteUndirected } from '../import/graph-file-source.ts';
import { CellError, quote } from '../values/scalar.ts';
import { parseLabelText } from '../xml/label-text.ts';
import type { XmlAttributes, XmlHandler } from '../xml/read-xml.ts';
import { PIECE_MAX, readXml } from '../xml/read-xml.ts';
import type { GraphmlKey } from './graphml-keys.ts';
import { graphmlKeyOf, graphmlValue } from './graphml-keys.ts';

/** What may stand within an element: it is read, passed over, or refused. */
type Child = 'read' | 'skip' | 'refuse';
const CHILDREN: Readonly<Record<string, Readonly<Record<string, Child>>>> = Object.freeze({
  '': { graphml: 'read' },
  graphml: { key: 'read', graph: 'read', desc: 'skip', data: 'skip' },
  key: { default: 'read', desc: 'skip' },
  graph: { node: 'read', edge: 'read', desc: 'skip', data: 'skip', hyperedge: 'refuse', locator: 'refuse' },
  node: { data: 'read', desc: 'skip', graph: 'refuse', port: 'refuse', locator: 'refuse' },
  edge: { data: 'read', desc: 'skip', graph: 'refuse' },
});
const REFUSED: Readonly<Record<string, string>> = Object.freeze({
  graph: 'a graph within a node or an edge',
  hyperedge: 'a hyperedge',
  port: 'a port',
  locator: 'a locator of data elsewhere',
});

/** Reads the nodes, or the edges, of a file. */
export function readGraphml(
  file: TextFile,
  kind: 'node' | 'edge',
  options: GraphFileOptions,
  onBytes: (bytes: number) => void,
): AsyncGenerator<GraphItem[]> {
  return readXml(file, new GraphmlHandler(file, kind, options), onBytes);
}

/** A node or an edge in the making. */
interface Element {
  readonly line: number;
  readonly attributes: XmlAttributes;
  readonly properties: { [key: string]: PropertyValue };
  /** Ids of its keys. */
  readonly keys: Set<string>;
  names: string | undefined;
  size: number;
}

class GraphmlHandler implements XmlHandler<GraphItem> {
  private readonly file: TextFile;
  private readonly kind: 'node' | 'edge';
  private readonly options: GraphFileOptions;
  private readonly path: string[] = [];
  /** Elements that are passed over, within each other. */
  private skipped = 0;
  private readonly keys = new Map<string, GraphmlKey>();
  private withDefault: GraphmlKey[] = [];
  /** The key that is declared, or that the data is of. */
  private key: GraphmlKey | undefined;
  private content = '';
  private graphs = 0;
  private directed = true;
  private element: Element | undefined;
  private items: GraphItem[] = [];

  constructor(file: TextFile, kind: 'node' | 'edge', options: GraphFileOptions) {
    this.file = file;
    this.kind = kind;
    this.options = options;
  }

  take(): GraphItem[] {
    const { items } = this;
    this.items = [];
    return items;
  }

  open(name: string, attributes: XmlAttributes, line: number): void {
    if (this.skipped > 0) {
      this.skipped += 1;
      return;
    }
    const parent = this.path.at(-1) ?? '';
    const children = CHILDREN[parent];
    const child = children !== undefined && Object.hasOwn(children, name) ? children[name] : undefined;
    if (child === 'refuse')
      throw unsupportedProblem(`${REFUSED[name]!}, <${name}>: a database has nodes and edges only`);
    if (child === undefined) this.checkForeign(parent, name);
    const isOther = (name === 'node' || name === 'edge') && name !== this.kind;
    if (child !== 'read' || isOther) {
      this.skipped = 1;
      return;
    }
    this.path.push(name);
    this.begin(name, attributes, line);
  }

  text(text: string): void {
    if (this.skipped > 0) return;
    const parent = this.path.at(-1);
    if (parent === 'data' || parent === 'default') this.addContent(text);
    else if (text.trim() !== '') throw syntaxProblem(`the text ${quote(text.trim())} stands outside of <data>`);
  }

  close(): void {
    if (this.skipped > 0) {
      this.skipped -= 1;
      return;
    }
    const name = this.path.pop();
    if (name === 'data') this.endData();
    else if (name === 'default') this.key = { ...this.key!, fallback: this.content };
    else if (name === 'key') this.endKey();
    else if (name === this.kind) this.endElement();
  }

  /** A text may come in any number of pieces. What is of another program is not kept. */
  private addContent(text: string): void {
    if (this.key!.role === 'foreign') return;
    this.content += text;
    this.checkSize(this.content.length);
  }

  private checkSize(size: number): void {
    if (size > PIECE_MAX) throw syntaxProblem(`the data of one element have more than ${PIECE_MAX} characters`);
  }

  private begin(name: string, attributes: XmlAttributes, line: number): void {
    this.content = '';
    if (name === 'key') this.key = { ...graphmlKeyOf(attributes, this.kind, this.options), fallback: undefined };
    else if (name === 'graph') this.beginGraph(attributes);
    else if (name === 'data') this.beginData(attributes);
    else if (name === this.kind)
      this.element = { line, attributes, properties: noProperties(), keys: new Set(), names: undefined, size: 0 };
  }

  /** Elements of other programs, which stand in their data. */
  private checkForeign(parent: string, name: string): void {
    if ((parent === 'data' || parent === 'default') && this.key?.role === 'foreign') return;
    if (parent === '') throw syntaxProblem(`the document is a <${name.slice(0, 60)}>, and no <graphml>`);
    throw syntaxProblem(`<${name.slice(0, 60)}> has no place within <${parent}>`);
  }

  private beginGraph({ edgedefault = 'directed' }: XmlAttributes): void {
    this.graphs += 1;
    if (this.graphs > 1) throw unsupportedProblem('a second <graph>: a file holds one');
    if (edgedefault !== 'directed' && edgedefault !== 'undirected')
      throw syntaxProblem(`edgedefault is ${quote(edgedefault)}: write directed or undirected`);
    this.directed = edgedefault === 'directed';
  }

  private endKey(): void {
    const key = this.key!;
    if (this.graphs > 0) throw syntaxProblem(`the key ${quote(key.id)} is declared after the graph: keys come first`);
    if (this.keys.has(key.id)) throw syntaxProblem(`the key ${quote(key.id)} is declared twice`);
    this.keys.set(key.id, key);
    if (key.fallback !== undefined && key.role !== 'foreign') {
      readValue(key, key.fallback);
      this.withDefault = [...this.withDefault, key];
    }
  }

  private beginData({ key: id }: XmlAttributes): void {
    if (id === undefined) throw syntaxProblem('a <data> names no key');
    const key = this.keys.get(id);
    if (key === undefined) throw syntaxProblem(`<data key=${quote(id)}> is of a key that no <key> declares`);
    const { keys } = this.element!;
    if (keys.has(id)) throw syntaxProblem(`the ${this.kind} has data of the key ${quote(id)} twice`);
    keys.add(id);
    this.key = key;
  }

  private endData(): void {
    const key = this.key!;
    if (key.role !== 'foreign') this.set(key, this.content);
    else
      this.options.note(
        `${this.file.path}: data of the key ${quote(key.id)} is left out: it has no attr.name, or is not for a ${this.kind}`,
      );
    this.content = '';
  }

  private set(key: GraphmlKey, text: string): void {
    const element = this.element!;
    element.size += text.length;
    this.checkSize(element.size);
    if (key.role === 'names') {
      element.names = text;
      return;
    }
    const value = readValue(key, text);
    if (value === undefined) return;
    if (Object.hasOwn(element.properties, key.name))
      throw syntaxProblem(`the ${this.kind} has two values of ${quote(key.name)}, of keys with the same attr.name`);
    element.properties[key.name] = value;
  }

  private endElement(): void {
    const element = this.element!;
    for (const key of this.withDefault) if (!element.keys.has(key.id)) this.set(key, key.fallback!);
    const { line, attributes, properties, names, size } = element;
    const { id } = attributes;
    if (this.kind === 'node') {
      if (id === undefined) throw syntaxProblem('a <node> has no id', line);
      const own = parseLabelText(names ?? '');
      const labels = own.length > 0 ? own : this.options.labels;
      this.items.push({ line, size, item: { kind: 'node', id, labels, properties } });
      return;
    }
    const { source, target, directed } = attributes;
    if (source === undefined || target === undefined) throw syntaxProblem('an <edge> has no source or no target', line);
    if (attributes['sourceport'] !== undefined || attributes['targetport'] !== undefined)
      throw unsupportedProblem('the edge ends at a port: a database has nodes and edges only');
    if (directed === undefined ? !this.directed : !isTrue(directed)) noteUndirected(this.file, this.options);
    const type = edgeTypeOf(names, this.options, line);
    this.items.push({ line, size, item: { kind: 'edge', id, type, source, target, properties } });
  }
}

function noProperties(): { [key: string]: PropertyValue } {
  return Object.create(null) as { [key: string]: PropertyValue };
}

function isTrue(text: string): boolean {
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw syntaxProblem(`directed is ${quote(text)}: write true or false`);
}

/** @throws CellError that names the key */
function readValue(key: GraphmlKey, text: string): PropertyValue | undefined {
  try {
    return graphmlValue(text, key);
  } catch (error) {
    throw error instanceof CellError ? new CellError(`${quote(key.name)}: ${error.message}`) : error;
  }
}
