/** Conditions on the command line, `age>=30`, `name^=A`, `code in:["A","B"]`, and what they ask of a find. */
import { and, not, or } from '@sombra/db';
import type { Predicate, PropertyConditions, PropertyValue } from '@sombra/db';
import { CellError, parseScalar } from '../values/scalar.ts';
import { parseJson } from '../values/exact-json.ts';
import { fromTagged, parseTagged } from '../values/tagged-json.ts';
import { usageError } from '../errors/usage-error.ts';

/** Operators, the longer ones first where one is a prefix of another. */
const COMPARISON = /^(.+?)(?: +(!=|<=|>=|\^=|\*=|=|<|>) *|(!=|<=|>=|\^=|\*=|=|<|>))(.*)$/s;
const IN = /^([^=<>]+?) +in:(.*)$/s;
const EXISTS = /^([^=<>]+?) +(not +)?exists$/s;
const DATE_LIKE = /^\d{4}-\d\d-\d\d/;

/** How a condition is written, for messages. */
export const CONDITION_FORMS = `key=value, with = != < <= > >= ^= (begins with) *= (contains), 'key in:["A","B"]', 'key exists'`;

/**
 * What conditions mean.
 * @param groups  conditions; all of one group must hold, for one of the groups
 * @throws DataError SOMBRA_USAGE
 */
export function parseConditions(groups: readonly (readonly string[])[]): Predicate {
  const parts = groups.map((group) => and(...group.map((text) => parseCondition(text))));
  return parts.length === 1 ? parts[0]! : or(...parts);
}

/**
 * Reads `key=value`, or `key:value`, which names a node by one of its properties.
 * @returns undefined when it is neither
 */
export function parseEquality(text: string): { readonly key: string; readonly where: Predicate } | undefined {
  const at = text.search(/[=:]/);
  const { key, operator, value } = parseComparison(at < 0 ? text : `${text.slice(0, at)}=${text.slice(at + 1)}`) ?? {};
  if (key === undefined || value === undefined || operator !== '=') return undefined;
  return { key, where: compare(key, operator, value) };
}

function parseCondition(text: string): Predicate {
  const list = IN.exec(text);
  if (list !== null) return and(property(list[1]!, { in: readList(list[2]!, text) }));
  const presence = EXISTS.exec(text);
  if (presence !== null) return and(property(presence[1]!, { exists: presence[2] === undefined }));
  const comparison = parseComparison(text);
  if (comparison === undefined)
    throw usageError(`--where ${JSON.stringify(text)} cannot be read: write ${CONDITION_FORMS}`);
  return compare(comparison.key, comparison.operator, comparison.value);
}

interface Comparison {
  readonly key: string;
  readonly operator: string;
  readonly value: string;
}

function parseComparison(text: string): Comparison | undefined {
  const match = COMPARISON.exec(text);
  if (match === null) return undefined;
  const [, key = '', spaced, close, value = ''] = match;
  return { key, operator: spaced ?? close!, value };
}

function compare(key: string, operator: string, text: string): Predicate {
  switch (operator) {
    case '=':
      return and(property(key, equalTo(text)));
    case '!=':
      return and(property(key, { exists: true }), not(property(key, equalTo(text))));
    case '^=':
      return and(property(key, { startsWith: quotedText(text) ?? text }));
    case '*=':
      return or(...unique([quotedText(text) ?? text, valueOf(text)]).map((contains) => property(key, { contains })));
    case '<':
      return and(property(key, { lt: valueOf(text) }));
    case '<=':
      return and(property(key, { lte: valueOf(text) }));
    case '>':
      return and(property(key, { gt: valueOf(text) }));
    default:
      return and(property(key, { gte: valueOf(text) }));
  }
}

function property(key: string, conditions: PropertyConditions): Readonly<Record<string, PropertyConditions>> {
  return { [key]: conditions };
}

/** Equal to the text, read as any type that it can be read as. */
function equalTo(text: string): PropertyConditions {
  const meanings = meaningsOf(text);
  return meanings.length === 1 ? { eq: meanings[0]! } : { in: meanings };
}

/** Values that a text may stand for: of different kinds, so that no two of them are equal. */
function meaningsOf(text: string): PropertyValue[] {
  const quoted = quotedText(text);
  if (quoted !== undefined) return [quoted];
  const meanings: PropertyValue[] = [text];
  const add = (value: PropertyValue | undefined): void => {
    if (value !== undefined) meanings.push(value);
  };
  add(tagged(text));
  add(attempt(() => parseScalar(text, 'int')) ?? attempt(() => parseScalar(text, 'float')));
  add(attempt(() => parseScalar(text, 'boolean')));
  add(attempt(() => parseScalar(text, text.length === 10 ? 'date' : 'datetime')));
  if (text !== '') add(attempt(() => parseScalar(text, 'bytes')));
  return meanings;
}

/** The one value that a text stands for where values are put in order: JSON, or a date, or else text. */
function valueOf(text: string): PropertyValue {
  const quoted = quotedText(text);
  if (quoted !== undefined) return quoted;
  const number = attempt(() => parseScalar(text, 'int')) ?? attempt(() => parseScalar(text, 'float'));
  if (number !== undefined) return number;
  if (text === 'true' || text === 'false') return text === 'true';
  const date = DATE_LIKE.test(text)
    ? attempt(() => parseScalar(text, text.length === 10 ? 'date' : 'datetime'))
    : undefined;
  return date ?? tagged(text) ?? text;
}

/** The text within quotes, as JSON has it. */
function quotedText(text: string): string | undefined {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return undefined;
  const json = attempt(() => parseJson(text));
  return typeof json === 'string' ? json : undefined;
}

/** A list, a map, or a value with a tag, as exports write them. */
function tagged(text: string): PropertyValue | undefined {
  return text.startsWith('[') || text.startsWith('{') ? attempt(() => parseTagged(text)) : undefined;
}

function readList(text: string, condition: string): PropertyValue[] {
  const list = attempt(() => parseJson(text));
  if (!Array.isArray(list))
    throw usageError(`--where ${JSON.stringify(condition)} needs a list in JSON, key in:["A","B"]`);
  return list.map((one) => {
    const value = attempt(() => fromTagged(one));
    if (value === undefined)
      throw usageError(`--where ${JSON.stringify(condition)} has a value that no property can be`);
    return value;
  });
}

function unique(values: readonly PropertyValue[]): readonly PropertyValue[] {
  return values[0] === values[1] ? [values[0]!] : values;
}

/** undefined for a text that is not of this form. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof CellError) return undefined;
    throw error;
  }
}
