/** Types of values in GraphML and GEXF, and what they lack: those values are JSON with tags, and marked as such. */
import type { PropertyValue } from '@sombra/db';
import { addKinds, columnTypeOf, kindsOf } from '../export/column-kinds.ts';
import { parseTagged, toTagged } from '../values/tagged-json.ts';
import { CellError, parseScalar, quote } from '../values/scalar.ts';
import { isXmlText, xmlJson } from './escape.ts';

/** Namespace of the attribute `sombra:type="json"`, which marks such values. */
export const MARK_NAMESPACE = 'https://github.com/sombra-db/sombra/xml';
export const JSON_MARK = 'sombra:type';

/** The type of all values of a property. */
export type XmlType = 'string' | 'int' | 'float' | 'boolean' | 'json';

const TEXT = kindsOf('x');
const OTHER = kindsOf({});
const INFINITE = /^([+-]?)inf(?:inity)?$/i;

/** Kinds of a value as bits, as `kindsOf` has them; an empty text is a text, and one that XML cannot hold is of another kind. */
export function xmlKindsOf(value: PropertyValue): number {
  if (typeof value === 'string') return isXmlText(value) ? TEXT : OTHER;
  return kindsOf(value);
}

/** The kinds of a property that has these and those. */
export function addXmlKinds(before: number | undefined, value: number): number {
  return addKinds(before, value);
}

/** The type that holds values of these kinds. */
export function xmlTypeOf(kinds: number): XmlType {
  const { scalar, list } = columnTypeOf(kinds);
  if (list) return 'json';
  return scalar === 'string' || scalar === 'int' || scalar === 'float' || scalar === 'boolean' ? scalar : 'json';
}

/** A value as text, not yet escaped. Floats are as XML Schema has them. */
export function xmlValue(value: PropertyValue, type: XmlType): string {
  if (type === 'json') return xmlJson(JSON.stringify(toTagged(value)));
  if (value === Infinity) return 'INF';
  if (value === -Infinity) return '-INF';
  return Object.is(value, -0) ? '-0' : String(value as string | number | bigint | boolean);
}

/** Reads a value; undefined when it is absent, which an empty text of another type means. @throws CellError */
export function parseXmlValue(text: string, type: XmlType): PropertyValue | undefined {
  if (type === 'string') return text;
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  switch (type) {
    case 'json':
      return parseTagged(trimmed);
    case 'int':
      return parseScalar(trimmed, 'int');
    case 'float':
      return parseFloatText(trimmed);
    case 'boolean':
      return trimmed === '1' ? true : trimmed === '0' ? false : parseScalar(trimmed, 'boolean');
  }
}

/** Also `INF` and `NaN` as other languages write them. */
function parseFloatText(text: string): PropertyValue {
  const infinite = INFINITE.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  return text.toLowerCase() === 'nan' ? NaN : parseScalar(text, 'float');
}

/** Reads a JSON list of values of one type, as some writers note lists. @throws CellError */
export function parseXmlList(text: string, type: XmlType): PropertyValue | undefined {
  if (text.trim() === '') return undefined;
  const list = parseTagged(text);
  const expected = type === 'int' || type === 'float' ? ['number', 'bigint'] : [type];
  if (Array.isArray(list) && list.every((one) => expected.includes(typeof one))) return list;
  throw new CellError(`${quote(text)} is no JSON list of values of the type ${type}`);
}
