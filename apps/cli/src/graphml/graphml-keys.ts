/** Keys of GraphML, which declare the data of nodes and edges. */
import type { PropertyValue } from '@sombra/db';
import { syntaxProblem, unsupportedProblem } from '../errors/graph-file-error.ts';
import type { GraphFileOptions } from '../import/graph-file-source.ts';
import { quote } from '../values/scalar.ts';
import type { XmlAttributes } from '../xml/read-xml.ts';
import type { XmlType } from '../xml/xml-kinds.ts';
import { JSON_MARK, parseXmlList, parseXmlValue } from '../xml/xml-kinds.ts';

/** Ids of the keys that hold labels and types, here and in exports of Neo4j. */
export const LABELS_ID = 'labels';
export const TYPE_ID = 'label';

const TYPES: Readonly<Record<string, XmlType>> = Object.freeze({
  boolean: 'boolean',
  int: 'int',
  long: 'int',
  float: 'float',
  double: 'float',
  string: 'string',
});

/** A key. */
export interface GraphmlKey {
  readonly id: string;
  /** `names`: labels or the type. `foreign`: of another program, for example how to draw a node. */
  readonly role: 'names' | 'property' | 'foreign';
  readonly name: string;
  readonly type: XmlType;
  readonly list: boolean;
  /** Text of the default; undefined without one. */
  readonly fallback: string | undefined;
}

/** Reads the start tag of a key. @returns undefined when it is not for this kind of element @throws GraphFileError */
export function graphmlKeyOf(
  attributes: XmlAttributes,
  kind: 'node' | 'edge',
  options: GraphFileOptions,
): Omit<GraphmlKey, 'fallback'> {
  const { id, for: of = 'all' } = attributes;
  if (id === undefined) throw syntaxProblem('a <key> has no id');
  const common = { id, list: attributes['attr.list'] !== undefined };
  const typeName = attributes['attr.list'] ?? attributes['attr.type'];
  const isForeign = attributes['attr.name'] === undefined && typeName === undefined;
  if ((of !== 'all' && of !== kind) || isForeign) return { ...common, role: 'foreign', name: id, type: 'string' };
  const name = attributes['attr.name'] ?? id;
  const type = typeOf(id, typeName ?? 'string', attributes[JSON_MARK]);
  const wanted = kind === 'node' ? options.labelName : options.typeName;
  const isNames =
    wanted === undefined ? of === kind && id === (kind === 'node' ? LABELS_ID : TYPE_ID) : wanted === name;
  return { ...common, role: isNames ? 'names' : 'property', name, type };
}

function typeOf(id: string, name: string, mark: string | undefined): XmlType {
  if (mark !== undefined && mark !== 'json')
    throw unsupportedProblem(`the key ${quote(id)} has ${JSON_MARK}=${quote(mark)}; only "json" is known`);
  if (mark === 'json') return 'json';
  const type = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  if (type !== undefined) return type;
  throw unsupportedProblem(`the key ${quote(id)} has the type ${quote(name)}; known: ${Object.keys(TYPES).join(', ')}`);
}

/** The value that a text is for a key. @throws CellError */
export function graphmlValue(text: string, { type, list }: GraphmlKey): PropertyValue | undefined {
  return list ? parseXmlList(text, type) : parseXmlValue(text, type);
}
