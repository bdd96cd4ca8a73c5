/** Declared attributes of GEXF. */
import type { PropertyValue } from '@sombra/db';
import { syntaxProblem, unsupportedProblem } from '../errors/graph-file-error.ts';
import type { GraphFileOptions } from '../import/graph-file-source.ts';
import { CellError, quote } from '../values/scalar.ts';
import type { XmlAttributes } from '../xml/read-xml.ts';
import type { XmlType } from '../xml/xml-kinds.ts';
import { JSON_MARK, parseXmlList, parseXmlValue } from '../xml/xml-kinds.ts';

/** Id of the attribute that holds labels in exports. */
export const LABELS_ID = 'labels';
/** What the format itself has: the type of an edge, since version 1.3. */
export const KIND = 'kind';

const TYPES: Readonly<Record<string, XmlType>> = Object.freeze({
  boolean: 'boolean',
  byte: 'int',
  short: 'int',
  integer: 'int',
  long: 'int',
  biginteger: 'int',
  float: 'float',
  double: 'float',
  string: 'string',
  char: 'string',
  anyuri: 'string',
});

/** An attribute that a file declares. */
export interface GexfAttribute {
  readonly id: string;
  /** `names`: labels, or the type. */
  readonly role: 'names' | 'property';
  readonly title: string;
  readonly type: XmlType;
  readonly list: boolean;
  readonly fallback: string | undefined;
}

/** Reads the start tag of a declaration. @throws GraphFileError */
export function gexfAttributeOf(
  { id, title, type, [JSON_MARK]: mark }: XmlAttributes,
  kind: 'node' | 'edge',
  options: GraphFileOptions,
): Omit<GexfAttribute, 'fallback'> {
  if (id === undefined) throw syntaxProblem('an <attribute> has no id');
  const name = title ?? id;
  const wanted = kind === 'node' ? options.labelName : options.typeName;
  const isNames = wanted === undefined ? kind === 'node' && id === LABELS_ID : wanted === name;
  const lower = (type ?? 'string').toLowerCase();
  const list = lower.startsWith('list');
  return {
    id,
    role: isNames ? 'names' : 'property',
    title: name,
    type: typeOf(id, list ? lower.slice('list'.length) : lower, mark),
    list,
  };
}

function typeOf(id: string, name: string, mark: string | undefined): XmlType {
  if (mark !== undefined && mark !== 'json')
    throw unsupportedProblem(`the attribute ${quote(id)} has ${JSON_MARK}=${quote(mark)}; only "json" is known`);
  if (mark === 'json') return 'json';
  const type = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  if (type !== undefined) return type;
  throw unsupportedProblem(
    `the attribute ${quote(id)} has the type ${quote(name)}; known: ${Object.keys(TYPES).join(', ')}, and lists of them`,
  );
}

/** The value that a text is for an attribute. @throws CellError that names it */
export function gexfValue(text: string, { type, list, title }: GexfAttribute): PropertyValue | undefined {
  try {
    return list ? parseXmlList(text, type) : parseXmlValue(text, type);
  } catch (error) {
    throw error instanceof CellError ? new CellError(`${quote(title)}: ${error.message}`) : error;
  }
}
