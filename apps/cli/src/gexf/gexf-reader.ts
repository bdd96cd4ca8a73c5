/** Reading GEXF: a static graph of nodes and edges. Each reading looks at the nodes only, or at the edges only. */
import type { PropertyValue } from '@sombra/db';
import { syntaxProblem, unsupportedProblem } from '../errors/graph-file-error.ts';
import type { TextFile } from '../files/text-file.ts';
import type { GraphFileOptions, GraphItem } from '../import/graph-file-source.ts';
import { edgeTypeOf, noteUndirected } from '../import/graph-file-source.ts';
import { quote } from '../values/scalar.ts';
import { parseLabelText } from '../xml/label-text.ts';
import type { XmlAttributes, XmlHandler } from '../xml/read-xml.ts';
import { PIECE_MAX, readXml } from '../xml/read-xml.ts';
import { parseXmlValue } from '../xml/xml-kinds.ts';
import type { GexfAttribute } from './gexf-attributes.ts';
import { gexfAttributeOf, gexfValue, KIND } from './gexf-attributes.ts';

/** What may stand within an element: it is read, passed over, or refused. */
type Child = 'read' | 'skip' | 'refuse';
const ROW: Readonly<Record<string, Child>> = Object.freeze({
  attvalues: 'read',
  nodes: 'refuse',
  edges: 'refuse',
  parents: 'refuse',
  spells: 'refuse',
  slices: 'refuse',
});
const CHILDREN: Readonly<Record<string, Readonly<Record<string, Child>>>> = Object.freeze({
  '': { gexf: 'read' },
  gexf: { meta: 'skip', graph: 'read' },
  graph: { attributes: 'read', nodes: 'read', edges: 'read', spells: 'refuse', slices: 'refuse' },
  attributes: { attribute: 'read' },
  attribute: { default: 'read', options: 'skip' },
  nodes: { node: 'read' },
  edges: { edge: 'read' },
  node: ROW,
  edge: ROW,
  attvalues: { attvalue: 'read' },
});
/** Attributes that only dynamic graphs have. */
const DYNAMIC = ['start', 'end', 'startopen', 'endopen', 'timestamp', 'timestamps', 'intervals', 'spells'];

/** Reads the nodes, or the edges, of a file. */
export function readGexf(
  file: TextFile,
  kind: 'node' | 'edge',
  options: GraphFileOptions,
  onBytes: (bytes: number) => void,
): AsyncGenerator<GraphItem[]> {
  return readXml(file, new GexfHandler(file, kind, options), onBytes);
}

/** A node or an edge in the making. */
interface Element {
  readonly line: number;
  readonly attributes: XmlAttributes;
  readonly properties: { [key: string]: PropertyValue };
  /** Ids of its attributes. */
  readonly given: Set<string>;
  names: string | undefined;
  size: number;
}

class GexfHandler implements XmlHandler<GraphItem> {
  private readonly file: TextFile;
  private readonly kind: 'node' | 'edge';
  private readonly options: GraphFileOptions;
  private readonly path: string[] = [];
  /** Elements that are passed over, within each other. */
  private skipped = 0;
  private readonly declared = new Map<string, GexfAttribute>();
  private withDefault: GexfAttribute[] = [];
  private attribute: GexfAttribute | undefined;
  private content = '';
  private graphs = 0;
  private rows = false;
  private edgeDefault = 'undirected';
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
    const children = CHILDREN[parent] ?? {};
    const child = Object.hasOwn(children, name) ? children[name] : this.foreignChild(parent, name);
    if (child === 'refuse')
      throw unsupportedProblem(
        `<${name}> within <${parent}>: nested and dynamic graphs cannot be kept, only nodes and edges`,
      );
    const isOther =
      name === (this.kind === 'node' ? 'edges' : 'nodes') ||
      (name === 'attributes' && attributes['class'] !== this.kind);
    if (child === 'skip' || isOther) {
      this.checkClass(name, attributes);
      this.skipped = 1;
      return;
    }
    this.path.push(name);
    this.begin(name, attributes, line);
  }

  text(text: string): void {
    if (this.skipped > 0) return;
    if (this.path.at(-1) === 'default') {
      this.content += text;
      checkSize(this.content.length);
    } else if (text.trim() !== '') throw syntaxProblem(`the text ${quote(text.trim())} stands between elements`);
  }

  close(): void {
    if (this.skipped > 0) {
      this.skipped -= 1;
      return;
    }
    const name = this.path.pop();
    if (name === 'default') this.attribute = { ...this.attribute!, fallback: this.content };
    else if (name === 'attribute') this.endDeclaration();
    else if (name === this.kind) this.endElement();
  }

  private begin(name: string, attributes: XmlAttributes, line: number): void {
    if (name === 'graph') this.beginGraph(attributes);
    else if (name === 'attributes') checkStatic(name, attributes);
    else if (name === 'attribute')
      this.attribute = { ...gexfAttributeOf(attributes, this.kind, this.options), fallback: undefined };
    else if (name === 'default') this.content = '';
    else if (name === 'nodes' || name === 'edges') this.rows = true;
    else if (name === 'attvalue') this.value(attributes);
    else if (name === this.kind) {
      checkStatic(name, attributes);
      const properties = Object.create(null) as { [key: string]: PropertyValue };
      this.element = { line, attributes, properties, given: new Set(), names: undefined, size: 0 };
    }
  }

  /** Drawings (`viz:color` and the like) are left out; an element without a prefix is a mistake. */
  private foreignChild(parent: string, name: string): Child {
    if (parent === '') throw syntaxProblem(`the document is a <${name.slice(0, 60)}>, and no <gexf>`);
    if (!name.includes(':')) throw syntaxProblem(`<${name.slice(0, 60)}> has no place within <${parent}>`);
    this.options.note(`${this.file.path}: elements <${name.slice(0, 60)}> are left out: a database keeps no drawing`);
    return 'skip';
  }

  private checkClass(name: string, attributes: XmlAttributes): void {
    const of = attributes['class'];
    if (name === 'attributes' && of !== 'node' && of !== 'edge')
      throw syntaxProblem('<attributes> are of a class that is neither node nor edge');
  }

  private beginGraph(attributes: XmlAttributes): void {
    this.graphs += 1;
    if (this.graphs > 1) throw unsupportedProblem('a second <graph>: a file holds one');
    checkStatic('graph', attributes);
    this.edgeDefault = attributes['defaultedgetype'] ?? this.edgeDefault;
  }

  private endDeclaration(): void {
    const attribute = this.attribute!;
    const what = `the attribute ${quote(attribute.id)}`;
    if (this.rows) throw syntaxProblem(`${what} is declared after the ${this.kind}s: declarations come first`);
    if (this.declared.has(attribute.id)) throw syntaxProblem(`${what} is declared twice`);
    this.declared.set(attribute.id, attribute);
    if (attribute.fallback === undefined) return;
    gexfValue(attribute.fallback, attribute);
    this.withDefault = [...this.withDefault, attribute];
  }

  private value(attributes: XmlAttributes): void {
    checkStatic('attvalue', attributes);
    const { for: id = attributes['id'], value } = attributes;
    if (id === undefined || value === undefined) throw syntaxProblem('an <attvalue> has no for, or no value');
    const attribute = this.declared.get(id);
    if (attribute === undefined)
      throw syntaxProblem(`<attvalue for=${quote(id)}> is of no <attribute> of the ${this.kind}s`);
    const { given } = this.element!;
    if (given.has(id)) throw syntaxProblem(`the ${this.kind} has two values of the attribute ${quote(id)}`);
    given.add(id);
    this.set(attribute, value);
  }

  private set(attribute: GexfAttribute, text: string): void {
    const element = this.element!;
    element.size += text.length;
    checkSize(element.size);
    if (attribute.role === 'names') element.names = text;
    else this.setProperty(attribute.title, gexfValue(text, attribute));
  }

  private setProperty(key: string, value: PropertyValue | undefined): void {
    if (value === undefined) return;
    const { properties, line } = this.element!;
    if (Object.hasOwn(properties, key))
      throw syntaxProblem(`the ${this.kind} has two values of ${quote(key)}, which two attributes are called`, line);
    properties[key] = value;
  }

  private endElement(): void {
    const element = this.element!;
    for (const attribute of this.withDefault)
      if (!element.given.has(attribute.id)) this.set(attribute, attribute.fallback!);
    const { line, attributes, properties, names } = element;
    this.setProperty('label', attributes['label']);
    const { id, source, target } = attributes;
    const { size } = element;
    if (this.kind === 'node') {
      if (id === undefined) throw syntaxProblem('a <node> has no id', line);
      if (attributes['pid'] !== undefined) throw unsupportedProblem('the node lies within another one, its pid');
      const own = parseLabelText(names ?? '');
      const labels = own.length > 0 ? own : this.options.labels;
      this.items.push({ line, size, item: { kind: 'node', id, labels, properties } });
      return;
    }
    if (source === undefined || target === undefined) throw syntaxProblem('an <edge> has no source or no target', line);
    const { weight, type: direction = this.edgeDefault, [KIND]: kind } = attributes;
    if (weight !== undefined) this.setProperty('weight', parseXmlValue(weight, 'float'));
    this.checkDirection(direction, line);
    const type = edgeTypeOf(this.options.typeName === undefined ? kind : names, this.options, line);
    this.items.push({ line, size, item: { kind: 'edge', id, type, source, target, properties } });
  }

  private checkDirection(direction: string, line: number): void {
    if (direction === 'undirected') noteUndirected(this.file, this.options);
    else if (direction === 'mutual')
      throw unsupportedProblem('the edge is mutual: write two directed ones, an edge of a database has one direction');
    else if (direction !== 'directed')
      throw syntaxProblem(`the edge is ${quote(direction)}: write directed or undirected`, line);
  }
}

/** A text may come in any number of pieces. */
function checkSize(size: number): void {
  if (size > PIECE_MAX) throw syntaxProblem(`the values of one element have more than ${PIECE_MAX} characters`);
}

/** @throws GraphFileError SOMBRA_GRAPH_FILE_UNSUPPORTED for what changes over time */
function checkStatic(name: string, attributes: XmlAttributes): void {
  const key = DYNAMIC.find((one) => attributes[one] !== undefined);
  const { mode } = attributes;
  if (key === undefined && mode !== 'dynamic') return;
  const what = key === undefined ? 'mode="dynamic"' : `the attribute ${key}`;
  throw unsupportedProblem(`<${name}> has ${what}: a graph that changes over time cannot be kept, export a static one`);
}
