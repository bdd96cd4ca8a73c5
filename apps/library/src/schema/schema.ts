/**
 * A schema: which labels, edge types and properties there are. One object gives the types of the whole API (typed-graph.ts)
 * and the rules that writes are checked against (schema-rules.ts).
 */
import { DataError } from '@sombra/vfs';
import { nearestName } from '../base/nearest-name.ts';

/**
 * A kind of value. `integer` is a safe integer, `bigint` any integer of 64 bits (read as a number when it is safe), `number` an
 * integer or a float, `any` everything.
 */
export type ValueKind = 'boolean' | 'integer' | 'bigint' | 'number' | 'string' | 'bytes' | 'date' | 'map' | 'any';

/** Texts that are allowed. */
export interface Enumeration {
  readonly oneOf: readonly string[];
  /** Is the property a list of them? Default false. */
  readonly list?: boolean;
  /** May the property be absent? Default false. */
  readonly optional?: boolean;
}

/**
 * A kind, `kind[]` for a list of it, `?` behind it when the property may be absent; or the texts that are allowed: a list of them
 * for one that is needed, `{ oneOf, list, optional }` for others.
 */
export type PropertyType =
  | ValueKind
  | `${ValueKind}[]`
  | `${ValueKind}?`
  | `${ValueKind}[]?`
  | readonly string[]
  | Enumeration;

/** Properties by key. */
export type PropertyTypes = Readonly<Record<string, PropertyType>>;

/** An edge type: labels that its ends need (any one of them), and its properties. */
export interface EdgeDefinition {
  readonly from: string | readonly string[];
  readonly to: string | readonly string[];
  readonly properties?: PropertyTypes;
}

/** What a schema says: properties of each label, ends and properties of each edge type. */
export interface SchemaDefinition {
  readonly nodes: Readonly<Record<string, PropertyTypes>>;
  readonly edges: Readonly<Record<string, EdgeDefinition>>;
}

/** How one property has to be. */
export interface PropertyRule {
  readonly kind: ValueKind;
  readonly list: boolean;
  readonly optional: boolean;
  /** Texts that are allowed; undefined: all. */
  readonly allowed: ReadonlySet<string> | undefined;
}

/** How an edge type has to be. */
export interface EdgeRule {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly properties: ReadonlyMap<string, PropertyRule>;
}

const KINDS: readonly string[] = ['boolean', 'integer', 'bigint', 'number', 'string', 'bytes', 'date', 'map', 'any'];

/** A checked schema. `Definition` carries what it says as a type. */
export class Schema<Definition extends SchemaDefinition = SchemaDefinition> {
  readonly definition: Definition;
  /** @internal */
  readonly labels: ReadonlyMap<string, ReadonlyMap<string, PropertyRule>>;
  /** @internal */
  readonly types: ReadonlyMap<string, EdgeRule>;

  constructor(definition: Definition) {
    if (!isObject(definition) || !isObject(definition.nodes) || !isObject(definition.edges)) {
      refuse('a schema is an object { nodes, edges }', 'schema');
    }
    this.definition = definition;
    this.labels = new Map(
      Object.entries(definition.nodes).map(([label, properties]) => [label, rulesOf(properties, `nodes.${label}`)]),
    );
    this.types = new Map(Object.entries(definition.edges).map(([type, edge]) => [type, this.edgeRule(type, edge)]));
  }

  private edgeRule(type: string, edge: EdgeDefinition): EdgeRule {
    const place = `edges.${type}`;
    if (!isObject(edge)) refuse(`${place} is an object { from, to, properties }`, place);
    return {
      from: this.endLabels(edge.from, `${place}.from`),
      to: this.endLabels(edge.to, `${place}.to`),
      properties: rulesOf(edge.properties ?? {}, `${place}.properties`),
    };
  }

  private endLabels(given: string | readonly string[], place: string): readonly string[] {
    const labels = typeof given === 'string' ? [given] : given;
    if (!Array.isArray(labels) || labels.length === 0) refuse(`${place} is a label, or a list of labels`, place);
    for (const label of labels as readonly string[]) {
      if (this.labels.has(label)) continue;
      const near = nearestName(String(label), [...this.labels.keys()]);
      const hint = near === undefined ? 'add it to nodes' : `did you mean '${near}'?`;
      refuse(`${place} names '${String(label)}', which is no label of the schema: ${hint}`, place);
    }
    return labels as readonly string[];
  }
}

/**
 * Makes a schema of its definition.
 * @throws DataError SOMBRA_CONFIG, details.field names the place
 */
export function defineSchema<const Definition extends SchemaDefinition>(definition: Definition): Schema<Definition> {
  return new Schema(definition);
}

function rulesOf(properties: PropertyTypes, place: string): ReadonlyMap<string, PropertyRule> {
  if (!isObject(properties)) refuse(`${place} is an object of property types`, place);
  return new Map(Object.entries(properties).map(([key, type]) => [key, ruleOf(type, `${place}.${key}`)]));
}

function ruleOf(type: PropertyType, place: string): PropertyRule {
  if (Array.isArray(type)) return enumerationRule({ oneOf: type as readonly string[] }, place);
  if (isObject(type)) return enumerationRule(type as Enumeration, place);
  const [, kind = '', list, optional] = /^([a-z]+)(\[\])?(\?)?$/.exec(String(type)) ?? [];
  if (!KINDS.includes(kind)) {
    const near = nearestName(String(type).replaceAll(/[[\]?]/g, ''), KINDS);
    const hint = near === undefined ? `allowed: ${KINDS.join(', ')}, each with [] and ?` : `did you mean '${near}'?`;
    refuse(`${place} is '${String(type).slice(0, 80)}': ${hint}`, place);
  }
  return { kind: kind as ValueKind, list: list !== undefined, optional: optional !== undefined, allowed: undefined };
}

function enumerationRule(type: Enumeration, place: string): PropertyRule {
  for (const field of Object.keys(type)) {
    if (field === 'oneOf' || field === 'list' || field === 'optional') continue;
    refuse(`${place} has a field '${field}'; allowed: oneOf, list, optional`, place);
  }
  const { oneOf, list = false, optional = false } = type;
  if (!Array.isArray(oneOf) || oneOf.length === 0 || oneOf.some((text) => typeof text !== 'string'))
    refuse(`${place}: the allowed texts are a list of one text or more`, place);
  if (typeof list !== 'boolean' || typeof optional !== 'boolean')
    refuse(`${place}: list and optional are true or false`, place);
  return { kind: 'string', list, optional, allowed: new Set(oneOf) };
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(message: string, field: string): never {
  throw new DataError('SOMBRA_CONFIG', message, { details: { field } });
}
