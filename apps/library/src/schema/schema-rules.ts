/** Checks what is about to be written against a schema, before anything is changed: a refused write has written nothing. */
import { DataError } from '@sombra/vfs';
import type { PropertyInput } from '@sombra/graph';
import { nearestName } from '../base/nearest-name.ts';
import type { EdgeRule, PropertyRule, Schema, ValueKind } from './schema.ts';

export class SchemaRules {
  private readonly schema: Schema;

  constructor(schema: Schema) {
    this.schema = schema;
  }

  /**
   * A node as it will be. Labels that are not strings are left to the write itself, which refuses them.
   * @throws DataError SOMBRA_SCHEMA; details say label or key
   */
  checkNode(labels: string | readonly string[], properties: PropertyInput | undefined): void {
    const list = typeof labels === 'string' ? [labels] : labels;
    if (!Array.isArray(list) || list.some((label) => typeof label !== 'string')) return;
    const rules = list.map((label) => this.labelRules(label));
    for (const [key, value] of Object.entries(properties ?? {})) {
      if (value === null || value === undefined) continue;
      const own = rules.map((each) => each.get(key)).filter((rule) => rule !== undefined);
      if (own.length === 0)
        refuseKey(
          key,
          named(list, 'label'),
          rules.flatMap((each) => [...each.keys()]),
        );
      for (const rule of own) checkValue(rule, key, value);
    }
    for (const each of rules) checkPresent(each, properties, named(list, 'label'));
  }

  /**
   * An edge as it will be. A type that is not a string is left to the write itself, which refuses it.
   * @throws DataError SOMBRA_SCHEMA
   */
  checkEdge(type: string, properties: PropertyInput | undefined): void {
    if (typeof type !== 'string') return;
    const { properties: rules } = this.edgeRule(type);
    for (const [key, value] of Object.entries(properties ?? {})) {
      if (value === null || value === undefined) continue;
      const rule = rules.get(key);
      if (rule === undefined) refuseKey(key, `edge type '${type}'`, [...rules.keys()]);
      checkValue(rule, key, value);
    }
    checkPresent(rules, properties, `edge type '${type}'`);
  }

  /**
   * What an upsert has to give, whether it adds the node or finds it: otherwise the data would decide whether it is refused.
   * @throws DataError SOMBRA_SCHEMA
   */
  checkWholeNode(label: string, properties: PropertyInput): void {
    if (typeof label === 'string') checkPresent(this.labelRules(label), properties, named([label], 'label'));
  }

  /** As `checkWholeNode`. @throws DataError SOMBRA_SCHEMA */
  checkWholeEdge(type: string, properties: PropertyInput): void {
    if (typeof type === 'string') checkPresent(this.edgeRule(type).properties, properties, `edge type '${type}'`);
  }

  /**
   * The ends of a new edge.
   * @throws DataError SOMBRA_SCHEMA
   */
  checkEnds(type: string, source: readonly string[], target: readonly string[]): void {
    if (typeof type !== 'string') return;
    const { from, to } = this.edgeRule(type);
    checkEnd(type, 'source', from, source);
    checkEnd(type, 'target', to, target);
  }

  /**
   * A node that loses a label and keeps its edges.
   * @param labels  those that are left
   * @param has     has it edges of a type in a direction?
   * @throws DataError SOMBRA_SCHEMA
   */
  checkLostLabel(
    lost: string,
    labels: readonly string[],
    has: (type: string, direction: 'out' | 'in') => boolean,
  ): void {
    for (const [type, { from, to }] of this.schema.types) {
      if (from.includes(lost) && has(type, 'out')) checkEnd(type, 'source', from, labels);
      if (to.includes(lost) && has(type, 'in')) checkEnd(type, 'target', to, labels);
    }
  }

  private labelRules(label: string): ReadonlyMap<string, PropertyRule> {
    return this.schema.labels.get(label) ?? refuseName('label', label, [...this.schema.labels.keys()]);
  }

  private edgeRule(type: string): EdgeRule {
    return this.schema.types.get(type) ?? refuseName('edge type', type, [...this.schema.types.keys()]);
  }
}

function checkPresent(
  rules: ReadonlyMap<string, PropertyRule>,
  properties: PropertyInput | undefined,
  whose: string,
): void {
  for (const [key, rule] of rules) {
    const there = properties !== undefined && Object.hasOwn(properties, key);
    if (rule.optional || (there && properties[key] !== null && properties[key] !== undefined)) continue;
    refuse(`property '${key}' is missing: ${whose} needs it; give it, or make it optional in the schema`, { key });
  }
}

function checkValue(rule: PropertyRule, key: string, value: unknown): void {
  if (!rule.list) checkOne(rule, key, value);
  else if (Array.isArray(value) && value.every((each) => isOf(rule.kind, each))) {
    for (const each of value) checkAllowed(rule, key, each);
  } else refuse(`property '${key}' is ${kindOf(value)}; the schema wants a list of ${rule.kind}`, { key });
}

function checkOne(rule: PropertyRule, key: string, value: unknown): void {
  if (!isOf(rule.kind, value)) refuse(`property '${key}' is ${kindOf(value)}; the schema wants ${rule.kind}`, { key });
  checkAllowed(rule, key, value);
}

function checkAllowed({ allowed, list }: PropertyRule, key: string, value: unknown): void {
  if (allowed === undefined || allowed.has(value as string)) return;
  const texts = [...allowed].map((text) => `'${text}'`).join(', ');
  const where = list ? 'has' : 'is';
  refuse(`property '${key}' ${where} '${String(value).slice(0, 80)}'; the schema allows ${texts}`, { key });
}

function checkEnd(type: string, end: string, wanted: readonly string[], labels: readonly string[]): void {
  if (wanted.some((label) => labels.includes(label))) return;
  refuse(`the ${end} of an edge '${type}' needs ${named(wanted, 'label')}; it has ${named(labels, 'label')}`, { type });
}

function isOf(kind: ValueKind, value: unknown): boolean {
  if (kind === 'any') return true;
  if (kind === 'integer') return Number.isSafeInteger(value);
  if (kind === 'bigint') return Number.isSafeInteger(value) || typeof value === 'bigint';
  return kindOf(value) === kind;
}

function kindOf(value: unknown): string {
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Date) return 'date';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'map';
  return typeof value;
}

function named(names: readonly string[], what: string): string {
  if (names.length === 0) return `no ${what}`;
  return `${what} ${names.map((name) => `'${name}'`).join(', ')}`;
}

function refuseKey(key: string, whose: string, known: readonly string[]): never {
  const near = nearestName(key, known);
  const hint = near === undefined ? `known: ${known.join(', ') || 'none'}` : `did you mean '${near}'?`;
  refuse(`property '${key}' is not in the schema of ${whose}; ${hint}`, { key });
}

function refuseName(what: string, name: string, known: readonly string[]): never {
  const near = nearestName(name, known);
  const hint = near === undefined ? `known: ${known.join(', ') || 'none'}` : `did you mean '${near}'?`;
  refuse(`${what} '${name}' is not in the schema; ${hint}`, { name });
}

function refuse(message: string, details: Record<string, unknown>): never {
  throw new DataError('SOMBRA_SCHEMA', message, { details });
}
