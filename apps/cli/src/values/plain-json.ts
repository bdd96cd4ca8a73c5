/** Property values as JSON for programs that do not care about kinds; tagged-json.ts keeps them apart. */
import type { EdgeRecord, NodeRecord, PropertyValue } from '@sombra/db';

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
