/** Property values as JSON, as text, and compared with text. */
import type { EdgeRecord, NodeRecord, PropertyValue } from '@sombra/db';
import { parseScalar } from './csv/scalar.ts';

/** What JSON.parse gives. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A node in the output. */
export interface NodeJson {
  readonly id: number;
  readonly labels: readonly string[];
  readonly properties: { [key: string]: Json };
}

/** An edge in the output. */
export interface EdgeJson {
  readonly id: number;
  readonly source: number;
  readonly target: number;
  readonly type: string;
  readonly properties: { [key: string]: Json };
}

/**
 * A value as JSON. What JSON does not have becomes text: integers beyond 2^53 their digits, bytes base64, dates ISO 8601,
 * `NaN`, `Infinity`, `-Infinity`.
 */
export function toJson(value: PropertyValue): Json {
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
      return value.toString();
    default:
      if (value instanceof Date) return value.toISOString();
      if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
      if (Array.isArray(value)) return value.map(toJson);
      return propertiesToJson(value);
  }
}

/** Properties as JSON. */
export function propertiesToJson(map: { readonly [key: string]: PropertyValue }): { [key: string]: Json } {
  const json = Object.create(null) as { [key: string]: Json };
  for (const key of Object.keys(map)) json[key] = toJson(map[key]!);
  return json;
}

export function nodeToJson({ id, labels, properties }: NodeRecord): NodeJson {
  return { id, labels, properties: propertiesToJson(properties) };
}

export function edgeToJson({ id, source, target, type, properties }: EdgeRecord): EdgeJson {
  return { id, source, target, type, properties: propertiesToJson(properties) };
}

/** A value for people, on one line. */
export function toText(value: PropertyValue): string {
  const json = toJson(value);
  return oneLine(typeof json === 'string' ? json : JSON.stringify(json));
}

/** Properties for people, `key=value key=value`. */
export function propertiesToText(properties: { readonly [key: string]: PropertyValue }): string {
  return Object.keys(properties)
    .map((key) => `${oneLine(key)}=${toText(properties[key]!)}`)
    .join('  ');
}

/** Text without characters that would steer the terminal: they are shown as escapes. */
export function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (control) => {
    if (control === '\n') return '\\n';
    if (control === '\t') return '\\t';
    return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** `oneLine` for each line of a text. */
export function printable(text: string): string {
  return text.split('\n').map(oneLine).join('\n');
}

/**
 * Is a stored value what a text on the command line means? The text is read as the type of the stored value. As JSON it
 * also matches lists and maps, and `"1"` in quotes matches the text 1 only.
 */
export function matchesText(value: PropertyValue, text: string): boolean {
  if (text.length > 1 && text.startsWith('"') && text.endsWith('"'))
    return typeof value === 'string' && value === parseJson(text);
  if (typeof value === 'string') return value === text;
  if (Array.isArray(value) || isMap(value)) return JSON.stringify(toJson(value)) === JSON.stringify(parseJson(text));
  try {
    return sameScalar(value, text);
  } catch {
    return false; // the text is no value of that type
  }
}

function sameScalar(value: boolean | number | bigint | Date | Uint8Array, text: string): boolean {
  if (typeof value === 'boolean') return value === parseScalar(text, 'boolean');
  if (typeof value === 'bigint') return value === BigInt(parseScalar(text, 'int') as number | bigint);
  if (typeof value === 'number') return sameNumber(value, parseScalar(text, 'float') as number);
  if (value instanceof Date)
    return value.getTime() === (parseScalar(text, text.length === 10 ? 'date' : 'datetime') as Date).getTime();
  return Buffer.from(value).equals(parseScalar(text, 'bytes') as Uint8Array);
}

/** Equal, or both NaN. */
function sameNumber(a: number, b: number): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

function isMap(value: PropertyValue): value is { [key: string]: PropertyValue } {
  return typeof value === 'object' && !(value instanceof Date) && !(value instanceof Uint8Array);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
