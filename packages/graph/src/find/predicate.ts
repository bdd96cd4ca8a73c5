/** What a find asks of records: conditions on properties, put together by and, or, not. */
import { DataError } from '@sombra/vfs';
import { checkOptions, describe } from '../model/options.ts';
import { isPlainPrototype } from '../model/bare-object.ts';
import { CONDITION_DEPTH_MAX } from '../model/limits.ts';
import { compareValues, KIND, OrderedValue } from '../values/ordered-value.ts';
import type { PropertyValue } from '../model/types.ts';

/**
 * Conditions on one property; all that are given must hold. None of them but `exists: false` holds for a property that is
 * missing, and none but `exists` for NaN. Values of different kinds are never equal, and none of them is less than the other.
 * Numbers compare by value whatever they are stored as, text by code points, false before true.
 */
export interface PropertyConditions {
  readonly eq?: PropertyValue;
  /** Has another value; of another kind, too. NaN is compared with nothing, here neither: `{ ne: NaN }` finds nothing. */
  readonly ne?: PropertyValue;
  readonly lt?: PropertyValue;
  readonly le?: PropertyValue;
  readonly gt?: PropertyValue;
  readonly ge?: PropertyValue;
  /** At least the first and at most the second. */
  readonly between?: readonly [PropertyValue, PropertyValue];
  /** Equal to one of these. */
  readonly in?: readonly PropertyValue[];
  /** A text that begins with this one. */
  readonly prefix?: string;
  /** A text with this one in it, or a list with an element that is equal to it. */
  readonly contains?: PropertyValue;
  readonly exists?: boolean;
}

/** A condition: a value that the property must be equal to, or an object of conditions (a map is compared with `{ eq: map }`). */
export type PropertyCondition =
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Date
  | readonly PropertyValue[]
  | PropertyConditions;

/** What records must fulfil: conditions by property, a predicate of `and`, `or`, `not`, or a function. */
export type Where<R> = WhereProperties | Predicate<R> | ((record: R) => boolean);

/** Conditions by property; all must hold. */
export type WhereProperties = Readonly<Record<string, PropertyCondition>>;

/** A combination made by `and`, `or` or `not`; goes wherever a `where` goes. */
export class Predicate<R> {
  /** @internal */
  readonly condition: Condition;
  /** How many predicates lie in each other, this one included. @internal */
  readonly depth: number;
  /** Tells predicates of nodes from those of edges; never there. */
  declare private readonly takes: (record: R) => void;

  /** @internal Use `and`, `or`, `not`. */
  constructor(condition: Condition, depth: number) {
    this.condition = condition;
    this.depth = depth;
  }
}

/** Holds when all parts hold; without parts always. @throws DataError SOMBRA_OPTION */
export function and<R>(...parts: readonly Where<R>[]): Predicate<R> {
  return new Predicate({ kind: 'all', parts: parts.map((part) => parseWhere(part)) }, depthAround(parts));
}

/** Holds when one of the parts holds; without parts never. @throws DataError SOMBRA_OPTION */
export function or<R>(...parts: readonly Where<R>[]): Predicate<R> {
  return new Predicate({ kind: 'any', parts: parts.map((part) => parseWhere(part)) }, depthAround(parts));
}

/** Holds when the part does not hold; so `not({ age: { lt: 3 } })` holds without an age, too. @throws DataError SOMBRA_OPTION */
export function not<R>(part: Where<R>): Predicate<R> {
  return new Predicate({ kind: 'not', part: parseWhere(part) }, depthAround([part]));
}

/**
 * Depth of a predicate of these parts. Plans, programs and descriptions go down in conditions as deep as these are.
 * @throws DataError SOMBRA_NESTING
 */
function depthAround(parts: readonly unknown[]): number {
  let depth = 1;
  for (const part of parts) if (part instanceof Predicate) depth = Math.max(depth, part.depth + 1);
  if (depth <= CONDITION_DEPTH_MAX) return depth;
  throw new DataError(
    'SOMBRA_NESTING',
    `conditions are nested more than ${CONDITION_DEPTH_MAX} levels deep: and() and or() take any number of parts, so give them all to one call`,
  );
}

/** Tests of one property; `ordered`: its value has a place in an order. */
export type TestOperator =
  | 'eq'
  | 'ne'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
  | 'in'
  | 'prefix'
  | 'contains'
  | 'exists'
  | 'ordered';

/** One test of one property. */
export interface Test {
  readonly kind: 'test';
  readonly key: string;
  readonly operator: TestOperator;
  /** What it is compared with. */
  readonly value: OrderedValue;
  /** The same as the caller gave it. */
  readonly given: PropertyValue | undefined;
  /** For `in`: those with an order, ascending. */
  readonly list: readonly OrderedValue[];
  /** For `in`: lists and maps. */
  readonly others: readonly PropertyValue[];
}

export type Condition =
  | Test
  | { readonly kind: 'all' | 'any'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | { readonly kind: 'call'; readonly call: (record: unknown) => boolean };

/** Always holds. */
export const ANYTHING: Condition = { kind: 'all', parts: [] };

const OPERATORS = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'between', 'in', 'prefix', 'contains', 'exists'] as const;

/**
 * Reads a `where` as callers give it. What it holds is copied.
 * @throws DataError SOMBRA_OPTION, SOMBRA_TEXT_SURROGATE
 */
export function parseWhere(where: unknown): Condition {
  if (where === undefined) return ANYTHING;
  if (where instanceof Predicate) return where.condition;
  if (typeof where === 'function') return { kind: 'call', call: where as (record: unknown) => boolean };
  if (typeof where !== 'object' || where === null || !isPlainPrototype(Object.getPrototypeOf(where)))
    throw new DataError(
      'SOMBRA_OPTION',
      `where is an object of properties, a predicate of and, or, not, or a function, not ${describe(where)}`,
    );
  const parts: Condition[] = [];
  for (const key of Object.keys(where)) parseCondition(key, (where as Record<string, unknown>)[key], parts);
  return parts.length === 1 ? parts[0]! : { kind: 'all', parts };
}

function parseCondition(key: string, given: unknown, into: Condition[]): void {
  if (!isConditions(given)) {
    into.push(compare(key, 'eq', given));
    return;
  }
  checkOptions(given, OPERATORS, `the condition on '${key}'`);
  if (Object.keys(given).length === 0)
    throw new DataError('SOMBRA_OPTION', `the condition on '${key}' is empty: a map is compared with { eq: {…} }`);
  for (const operator of OPERATORS)
    if (Object.hasOwn(given, operator)) parseOperator(key, operator, given[operator], into);
}

function isConditions(given: unknown): given is Record<string, unknown> {
  return (
    typeof given === 'object' &&
    given !== null &&
    !Array.isArray(given) &&
    isPlainPrototype(Object.getPrototypeOf(given))
  );
}

function parseOperator(key: string, operator: (typeof OPERATORS)[number], given: unknown, into: Condition[]): void {
  switch (operator) {
    case 'eq':
    case 'ne':
    case 'contains':
      into.push(compare(key, operator, given));
      return;
    case 'between':
      if (!Array.isArray(given) || given.length !== 2) throw wrong(key, operator, 'a list of two values', given);
      into.push(ordered(key, 'ge', given[0]), ordered(key, 'le', given[1]));
      return;
    case 'in':
      if (!Array.isArray(given)) throw wrong(key, operator, 'a list of values', given);
      into.push(parseIn(key, given as unknown[]));
      return;
    case 'prefix':
      if (typeof given !== 'string') throw wrong(key, operator, 'a text', given);
      into.push(compare(key, operator, given));
      return;
    case 'exists':
      if (typeof given !== 'boolean') throw wrong(key, operator, 'true or false', given);
      into.push(given ? exists(key) : { kind: 'not', part: exists(key) });
      return;
    default:
      into.push(ordered(key, operator, given));
  }
}

const NOTHING: readonly never[] = [];

function exists(key: string): Test {
  return valueless(key, 'exists');
}

/** Has the property a value with an order: is it there, and neither NaN nor a list nor a map? */
export function hasOrder(key: string): Test {
  return valueless(key, 'ordered');
}

function valueless(key: string, operator: 'exists' | 'ordered'): Test {
  return { kind: 'test', key, operator, value: new OrderedValue(), given: undefined, list: NOTHING, others: NOTHING };
}

function compare(key: string, operator: TestOperator, given: unknown): Test {
  const value = checkedValue(key, operator, given);
  return {
    kind: 'test',
    key,
    operator,
    value: new OrderedValue().set(value),
    given: value,
    list: NOTHING,
    others: NOTHING,
  };
}

function ordered(key: string, operator: TestOperator, given: unknown): Test {
  const test = compare(key, operator, given);
  if (test.value.kind === KIND.unordered && typeof given === 'object')
    throw wrong(key, operator, 'a boolean, number, text, Uint8Array or Date', given);
  return test;
}

function parseIn(key: string, given: readonly unknown[]): Test {
  const list: OrderedValue[] = [];
  const others: PropertyValue[] = [];
  for (const one of given) {
    const value = checkedValue(key, 'in', one);
    const as = new OrderedValue().set(value);
    if (as.kind === KIND.unordered) others.push(value);
    else list.push(as);
  }
  list.sort(compareValues);
  return { kind: 'test', key, operator: 'in', value: new OrderedValue(), given: undefined, list, others };
}

/** Refuses what no property can be. Deep inside of lists and maps nothing is looked at: it is never equal to anything then. */
function checkedValue(key: string, operator: string, given: unknown): PropertyValue {
  const isValue =
    typeof given === 'boolean' ||
    typeof given === 'number' ||
    typeof given === 'bigint' ||
    typeof given === 'string' ||
    given instanceof Date ||
    given instanceof Uint8Array ||
    Array.isArray(given) ||
    isConditions(given);
  if (isValue) return given as PropertyValue;
  if (given === null || given === undefined)
    throw new DataError(
      'SOMBRA_OPTION',
      `the condition '${operator}' on '${key}' is ${describe(given)}: what lacks the property is found with { exists: false }`,
    );
  throw wrong(key, operator, 'a value that a property can have', given);
}

function wrong(key: string, operator: string, wanted: string, given: unknown): DataError {
  return new DataError(
    'SOMBRA_OPTION',
    `the condition '${operator}' on '${key}' takes ${wanted}, not ${describe(given)}`,
  );
}

/** A test or combination in words, without values: for `explain`. */
export function describeCondition(condition: Condition): string {
  switch (condition.kind) {
    case 'test':
      return `${condition.key} ${condition.operator}`;
    case 'call':
      return 'function';
    case 'not':
      return `not (${describeCondition(condition.part)})`;
    default:
      return condition.parts.map(describeCondition).join(condition.kind === 'all' ? ' and ' : ' or ');
  }
}
