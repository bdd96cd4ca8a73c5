/** The source of a schema, `defineSchema({…})`, that fits what was observed. */
import type { ObservedEnds, ObservedProperty, ObservedSchema } from './observed.ts';

/**
 * The source.
 * @returns with comments where the data has what a schema cannot say
 */
export function toTypeScript(schema: ObservedSchema): string {
  const lines = [`import { defineSchema } from '@sombra/db';`, ''];
  if (schema.sample !== null)
    lines.push(`// From the first ${schema.sample} rows of each label and type: other rows may not fit.`);
  lines.push('export const schema = defineSchema({', '  nodes: {');
  for (const { label, scanned, properties } of schema.labels)
    lines.push(...block(4, `${keyText(label)}: {`, propertyLines(properties, scanned, 6)));
  lines.push('  },', '  edges: {');
  for (const { type, scanned, ends, properties } of schema.edgeTypes) {
    const from = endLabels(ends, 'from');
    const to = endLabels(ends, 'to');
    if (from === undefined || to === undefined) {
      lines.push(
        `    // ${commentText(type)} is left out: it connects nodes without a label, which a schema cannot name.`,
      );
      continue;
    }
    lines.push(`    ${keyText(type)}: {`, `      from: ${from},`, `      to: ${to},`);
    if (properties.length > 0) lines.push(...block(6, 'properties: {', propertyLines(properties, scanned, 8)));
    lines.push('    },');
  }
  lines.push('  },', '});');
  return lines.join('\n');
}

function block(indent: number, head: string, body: readonly string[]): string[] {
  const space = ' '.repeat(indent);
  return body.length === 0 ? [`${space}${head}},`] : [`${space}${head}`, ...body, `${space}},`];
}

function propertyLines(properties: readonly ObservedProperty[], scanned: number, indent: number): string[] {
  return properties.map(
    (property) =>
      `${' '.repeat(indent)}${keyText(property.key)}: '${typeOf(property)}${property.present < scanned ? '?' : ''}',`,
  );
}

/** The narrowest type of a schema that holds all kinds. */
function typeOf({ kinds }: ObservedProperty): string {
  const names = kinds.map(({ kind }) => kind);
  if (!names.every((name) => name.startsWith('list<'))) return scalarType(names);
  const items = names.map((name) => name.slice('list<'.length, -1)).filter((name) => name !== '');
  return `${scalarType(items)}[]`;
}

function scalarType(kinds: readonly string[]): string {
  const set = new Set(kinds);
  const only = (...allowed: string[]): boolean => [...set].every((kind) => allowed.includes(kind));
  if (set.size === 0) return 'any';
  if (only('integer')) return 'integer';
  if (only('integer', 'bigint')) return 'bigint';
  if (only('integer', 'float')) return 'number';
  const [kind] = set;
  return set.size === 1 && SCHEMA_KINDS.has(kind!) ? kind! : 'any';
}
const SCHEMA_KINDS = new Set(['string', 'boolean', 'bytes', 'date', 'map']);

/** Labels of which every end has one, as few as are found greedily. @returns undefined when an end has none */
function endLabels(ends: readonly ObservedEnds[], side: 'from' | 'to'): string | undefined {
  let open = ends.map((end) => end[side]);
  if (open.some((labels) => labels.length === 0)) return undefined;
  const chosen: string[] = [];
  while (open.length > 0) {
    const counts = new Map<string, number>();
    for (const label of open.flat()) counts.set(label, (counts.get(label) ?? 0) + 1);
    const [best] = [...counts].sort((a, b) => b[1] - a[1])[0]!;
    chosen.push(best);
    open = open.filter((labels) => !labels.includes(best));
  }
  return chosen.length === 1 ? text(chosen[0]!) : `[${chosen.map(text).join(', ')}]`;
}

/** A name as a key of an object; __proto__ would otherwise set the prototype. */
function keyText(name: string): string {
  if (name === '__proto__') return `['__proto__']`;
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : text(name);
}

/** A text between single quotes. */
function text(value: string): string {
  const json = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${json.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}'`;
}

/** A text that cannot end a comment. */
function commentText(value: string): string {
  return text(value);
}
