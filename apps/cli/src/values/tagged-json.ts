/**
 * Property values as JSON without loss. What JSON does not have is an object with one key, a tag:
 *
 * | value                               | JSON                                                     |
 * | ----------------------------------- | -------------------------------------------------------- |
 * | integer beyond 2^53                 | `{"$integer":"9223372036854775807"}`                     |
 * | bytes                               | `{"$bytes":"AAEC"}`, base64                              |
 * | date                                | `{"$date":"2024-01-01T00:00:00.000Z"}`                   |
 * | NaN, infinities, -0                 | `{"$float":"NaN"}`, `"Infinity"`, `"-Infinity"`, `"-0"`  |
 * | float that looks like a long integer | `{"$float":"9007199254740992"}`                         |
 * | map with one key that begins with $ | `{"$map":{"$date":1}}`                                   |
 */
import type { PropertyValue } from '@sombra/db';
import { parseJson } from './exact-json.ts';
import { CellError, parseScalar, quote } from './scalar.ts';
import type { Json } from './plain-json.ts';

/** Levels of lists and maps that the engine takes. */
const NESTING_MAX = 32;
/** From here on JavaScript writes an exponent. */
const WRITTEN_WITH_EXPONENT = 1e21;

/** A value as JSON. */
export function toTagged(value: PropertyValue): Json {
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return value;
    case 'number':
      return isPlainNumber(value) ? value : { $float: floatName(value) };
    case 'bigint':
      return { $integer: value.toString() };
    default:
      if (value instanceof Date) return { $date: value.toISOString() };
      if (value instanceof Uint8Array)
        return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64') };
      if (Array.isArray(value)) return value.map(toTagged);
      return mapToTagged(value);
  }
}

/** Is a number in JSON read as itself, and as nothing else? */
function isPlainNumber(value: number): boolean {
  if (!Number.isFinite(value) || Object.is(value, -0)) return false;
  return !Number.isInteger(value) || Number.isSafeInteger(value) || Math.abs(value) >= WRITTEN_WITH_EXPONENT;
}

function floatName(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function mapToTagged(map: { readonly [key: string]: PropertyValue }): Json {
  const json = propertiesToTagged(map);
  return tagOf(json) === undefined ? json : { $map: json };
}

/** Properties as JSON; they are never a tag themselves. */
export function propertiesToTagged(properties: { readonly [key: string]: PropertyValue }): { [key: string]: Json } {
  const json = Object.create(null) as { [key: string]: Json };
  for (const key of Object.keys(properties)) json[key] = toTagged(properties[key]!);
  return json;
}

/** The only key of an object, when it begins with $. */
function tagOf(object: { readonly [key: string]: unknown }): string | undefined {
  const keys = Object.keys(object);
  return keys.length === 1 && keys[0]!.startsWith('$') ? keys[0] : undefined;
}

/** Reads one value from a JSON document. @throws CellError */
export function parseTagged(text: string): PropertyValue {
  return fromTagged(parseJson(text));
}

/** Reads properties from a JSON document, an object. @throws CellError */
export function parseTaggedProperties(text: string): { [key: string]: PropertyValue } {
  return propertiesFromTagged(parseJson(text));
}

/** The properties that a parsed JSON object stands for; null: the property is absent. @throws CellError */
export function propertiesFromTagged(json: unknown): { [key: string]: PropertyValue } {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new CellError('properties are an object, {"key":value}');
  const properties = Object.create(null) as { [key: string]: PropertyValue };
  for (const [key, value] of Object.entries(json)) {
    if (value === null) continue;
    try {
      properties[key] = fromTagged(value, 1);
    } catch (error) {
      throw error instanceof CellError ? new CellError(`property ${quote(key)}: ${error.message}`) : error;
    }
  }
  return properties;
}

/** The value that parsed JSON stands for. @throws CellError */
export function fromTagged(json: unknown, depth = 0): PropertyValue {
  if (typeof json !== 'object') return json as boolean | number | string;
  if (json === null) throw new CellError('null is no value: leave the property out');
  if (depth > NESTING_MAX) throw new CellError(`lists and maps are nested more than ${NESTING_MAX} levels deep`);
  if (Array.isArray(json)) return json.map((one) => fromTagged(one, depth + 1));
  const object = json as { readonly [key: string]: unknown };
  const tag = tagOf(object);
  if (tag === undefined) return mapFromTagged(object, depth);
  const content = object[tag];
  if (tag === '$map') {
    if (typeof content === 'object' && content !== null && !Array.isArray(content))
      return mapFromTagged(content as { readonly [key: string]: unknown }, depth);
    throw new CellError('$map holds an object');
  }
  if (typeof content !== 'string') throw new CellError(`${quote(tag)} holds a text`);
  return fromTag(tag, content);
}

function mapFromTagged(object: { readonly [key: string]: unknown }, depth: number): { [key: string]: PropertyValue } {
  const entries = Object.keys(object).map((key) => [key, fromTagged(object[key], depth + 1)] as const);
  return Object.fromEntries(entries);
}

function fromTag(tag: string, content: string): PropertyValue {
  switch (tag) {
    case '$integer':
      return parseScalar(content, 'int');
    case '$bytes':
      return parseScalar(content, 'bytes');
    case '$date':
      return parseAnyDate(content);
    case '$float':
      return parseScalar(content, 'float');
    default:
      throw new CellError(
        `there is no tag ${quote(tag)}: known are $integer, $bytes, $date, $float, $map; a map with this one key is {"$map":{…}}`,
      );
  }
}

/** A date as JavaScript writes it, also of years beyond four digits; or as a CSV file has it. */
function parseAnyDate(text: string): Date {
  const date = new Date(text);
  if (!Number.isNaN(date.getTime()) && date.toISOString() === text) return date;
  return parseScalar(text, text.length === 10 ? 'date' : 'datetime') as Date;
}
