/** What a find asks of records: conditions on properties, put together by and, or, not. */
import { DataError } from '@sombra/vfs';
import { checkOptions, describe } from '../model/options.ts';
import { isPlainPrototype } from '../model/bare-object.ts';
import { CONDITION_DEPTH_MAX } from '../model/limits.ts';
import { compareValues, KIND, OrderedValue } from '../values/ordered-value.ts';
import type { Properties, PropertyValue, ReadonlyValue } from '../model/types.ts';
import { foldText } from './folded-text.ts';
import { hasParameter, namesIn, type Parameter, type ParameterValues, resolved } from './parameters.ts';

/** Is case of account in texts? */
export type TextMode = 'sensitive' | 'insensitive';

type Compared<V> = V extends readonly (infer E)[]
  ? readonly Compared<E>[]
  : V extends { [key: string]: PropertyValue }
    ? ReadonlyValue
    : V;
type ElementOf<V> = V extends readonly (infer E)[] ? Compared<E> : V extends string ? string : never;
type TextOf<V> = V extends string ? string : never;

/**
 * Conditions on one property; all that are given must hold. None of them but `exists: false` holds for a property that is
 * missing, and none but `exists` for NaN. Values of different kinds are never equal, and none of them is less than the other.
 * Numbers compare by value whatever they are stored as, text by code points, false before true.
 */
export interface PropertyConditions<V = PropertyValue> {
  readonly eq?: Compared<V> | Parameter;
  /** Has another value; of another kind, too. NaN is compared with nothing, here neither: `{ ne: NaN }` finds nothing. */
  readonly ne?: Compared<V> | Parameter;
  readonly lt?: Compared<V> | Parameter;
  readonly lte?: Compared<V> | Parameter;
  readonly gt?: Compared<V> | Parameter;
  readonly gte?: Compared<V> | Parameter;
  /** At least the first and at most the second. */
  readonly between?: readonly [Compared<V> | Parameter, Compared<V> | Parameter] | Parameter;
  /** Equal to one of these. */
  readonly in?: readonly (Compared<V> | Parameter)[] | Parameter;
  /** Has a value, and is equal to none of these. */
  readonly notIn?: readonly (Compared<V> | Parameter)[] | Parameter;
  readonly startsWith?: TextOf<V> | Parameter;
  readonly endsWith?: TextOf<V> | Parameter;
  /** A text with this one in it, or a list with an element that is equal to it. */
  readonly contains?: ElementOf<V> | Parameter;
  /** Is the property there? */
  readonly exists?: boolean | Parameter;
  /** `insensitive`: texts compare without regard to case in the other conditions on this property, but not in order. Default `sensitive`. */
  readonly mode?: TextMode;
}

type Plain<V> = V extends boolean | number | bigint | string | Uint8Array | Date | readonly unknown[]
  ? Compared<V>
  : never;

/** A condition: a value that the property must be equal to, or an object of conditions (a map is compared with `{ eq: map }`). */
export type PropertyCondition<V = PropertyValue> = Plain<V> | PropertyConditions<V> | Parameter;

/** What finds know of a record. */
export interface RecordLike {
  readonly properties: object;
}

/** Conditions by property; all must hold. `P`: properties as read. */
export type WhereProperties<P = Properties> = {
  readonly [K in keyof P & string]?: PropertyCondition<NonNullable<P[K]>>;
};

/**
 * A function of the record. Written as a method, so that the compiler takes one of records of which more, or less, is known: a find
 * with the types of a schema is then a find.
 */
type RecordTest<R> = { test(record: R): boolean }['test'];

/** What records must fulfil: conditions by property, a predicate of `and`, `or`, `not`, or a function. */
export type Where<R extends RecordLike> =
  // A predicate is no object of conditions, though all of those may be absent.
  (WhereProperties<R['properties']> & { readonly [ASKED]?: never }) | Predicate<AskedOf<R>> | RecordTest<R>;

/** What a predicate asks, as a type: a key with its condition. */
type AskedTest<K extends string = string, C = PropertyCondition> = readonly [key: K, condition: C];
type TestsOf<P> = {
  [K in keyof P & string]-?: AskedTest<K, PropertyCondition<NonNullable<P[K]>>>;
}[keyof P & string];
/** What predicates may ask of a record. */
export type AskedOf<R extends RecordLike> = TestsOf<R['properties']> | RecordTest<R>;

/** A record of any kind. */
interface AnyRecord {
  readonly id: number;
  readonly properties: Properties;
}
/** A part of a predicate. */
type Part = WhereProperties | Predicate<unknown> | RecordTest<AnyRecord>;
/** What a part asks. */
type AskedBy<P> =
  P extends Predicate<infer Asked>
    ? Asked
    : P extends (record: never) => boolean
      ? P
      : { [K in keyof P & string]: AskedTest<K, Exclude<P[K], undefined>> }[keyof P & string];

declare const ASKED: unique symbol;

/**
 * A combination made by `and`, `or` or `not`; goes wherever a `where` goes. `Asked`: what it asks, as a type, so that it goes to
 * records only that have these properties.
 */
export class Predicate<out Asked = AskedTest> {
  /** For the compiler; never there. */
  declare readonly [ASKED]: Asked;
  /** @internal */
  readonly condition: Condition;
  /** How many predicates lie in each other, this one included. @internal */
  readonly depth: number;

  /** @internal Use `and`, `or`, `not`. */
  constructor(condition: Condition, depth: number) {
    this.condition = condition;
    this.depth = depth;
  }
}

/** Holds when all parts hold; without parts always. @throws DataError SOMBRA_OPTION, SOMBRA_NESTING */
export function and<const Parts extends readonly Part[]>(...parts: Parts): Predicate<AskedBy<Parts[number]>> {
  const depth = depthAround(parts);
  return new Predicate(combined('all', parts.map(parseWhere)), depth);
}

/** Holds when one of the parts holds; without parts never. @throws DataError SOMBRA_OPTION, SOMBRA_NESTING */
export function or<const Parts extends readonly Part[]>(...parts: Parts): Predicate<AskedBy<Parts[number]>> {
  const depth = depthAround(parts);
  return new Predicate(combined('any', parts.map(parseWhere)), depth);
}

/**
 * Holds when the part does not hold; so `not({ age: { lt: 3 } })` holds without an age, too.
 * @throws DataError SOMBRA_OPTION, SOMBRA_NESTING
 */
export function not<const Negated extends Part>(part: Negated): Predicate<AskedBy<Negated>> {
  const depth = depthAround([part]);
  return new Predicate({ kind: 'not', part: parseWhere(part) }, depth);
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
  | 'lte'
  | 'gt'
  | 'gte'
  | 'in'
  | 'notIn'
  | 'startsWith'
  | 'endsWith'
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
  /** For `in` and `notIn`: those with an order, ascending. */
  readonly list: readonly OrderedValue[];
  /** For `in` and `notIn`: lists and maps, and NaN. */
  readonly others: readonly PropertyValue[];
  /** Are texts compared without regard to case? Then those here are folded. */
  readonly fold: boolean;
}

/** A condition whose value is a parameter, until it is given. */
export interface OpenTest {
  readonly kind: 'open';
  readonly key: string;
  readonly operator: Operator;
  readonly given: unknown;
  readonly fold: boolean;
}

export type Condition =
  | Test
  | OpenTest
  | { readonly kind: 'all' | 'any'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | { readonly kind: 'label'; readonly label: string }
  | { readonly kind: 'call'; readonly call: (record: unknown) => boolean };

/** Always holds. */
export const ANYTHING: Condition = { kind: 'all', parts: [] };

const OPERATORS = [
  'eq',
  'ne',
  'lt',
  'lte',
  'gt',
  'gte',
  'between',
  'in',
  'notIn',
  'startsWith',
  'endsWith',
  'contains',
  'exists',
] as const;
type Operator = (typeof OPERATORS)[number];

/** Conditions together; those of the same kind are taken apart. */
export function combined(kind: 'all' | 'any', given: readonly Condition[]): Condition {
  const parts = given.flatMap((part) => (part.kind === kind ? part.parts : [part]));
  return parts.length === 1 ? parts[0]! : { kind, parts };
}

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
  return combined('all', parts);
}

function parseCondition(key: string, given: unknown, into: Condition[]): void {
  if (!isConditions(given)) {
    parseOperator(key, 'eq', given, false, into);
    return;
  }
  checkOptions(given, [...OPERATORS, 'mode'], `the condition on '${key}'`);
  const fold = isInsensitive(key, Object.hasOwn(given, 'mode') ? given['mode'] : undefined);
  let count = 0;
  for (const operator of OPERATORS) {
    if (!Object.hasOwn(given, operator)) continue;
    count += 1;
    parseOperator(key, operator, given[operator], fold, into);
  }
  if (count > 0) return;
  throw new DataError('SOMBRA_OPTION', `the condition on '${key}' is empty: a map is compared with { eq: {…} }`);
}

function isInsensitive(key: string, mode: unknown): boolean {
  if (mode === undefined || mode === 'sensitive') return false;
  if (mode === 'insensitive') return true;
  throw new DataError(
    'SOMBRA_OPTION',
    `the condition on '${key}': mode is 'sensitive' or 'insensitive', not ${describe(mode)}`,
  );
}

function isConditions(given: unknown): given is Record<string, unknown> {
  return (
    typeof given === 'object' &&
    given !== null &&
    !Array.isArray(given) &&
    isPlainPrototype(Object.getPrototypeOf(given))
  );
}

function parseOperator(key: string, operator: Operator, given: unknown, fold: boolean, into: Condition[]): void {
  if (hasParameter(given)) {
    into.push({ kind: 'open', key, operator, given, fold });
    return;
  }
  switch (operator) {
    case 'eq':
    case 'ne':
    case 'contains':
      into.push(compare(key, operator, given, fold));
      return;
    case 'between':
      if (!Array.isArray(given) || given.length !== 2) throw wrong(key, operator, 'a list of two values', given);
      into.push(ordered(key, 'gte', given[0]), ordered(key, 'lte', given[1]));
      return;
    case 'in':
    case 'notIn':
      if (!Array.isArray(given)) throw wrong(key, operator, 'a list of values', given);
      into.push(among(key, operator, given as unknown[], fold));
      return;
    case 'startsWith':
    case 'endsWith':
      if (typeof given !== 'string') throw wrong(key, operator, 'a text', given);
      into.push(compare(key, operator, given, fold));
      return;
    case 'exists':
      if (typeof given !== 'boolean') throw wrong(key, operator, 'true or false', given);
      into.push(given ? exists(key) : { kind: 'not', part: exists(key) });
      return;
    default:
      into.push(ordered(key, operator, given));
  }
}

/** Adds the names of the parameters of a condition to a set. */
export function parametersOf(condition: Condition, into: Set<string>): void {
  if (condition.kind === 'open') namesIn(condition.given, into);
  else if (condition.kind === 'not') parametersOf(condition.part, into);
  else if (condition.kind === 'all' || condition.kind === 'any')
    for (const part of condition.parts) parametersOf(part, into);
}

/** The condition with parameters replaced. @throws DataError SOMBRA_OPTION for a value that is missing or does not fit */
export function bindCondition(condition: Condition, values: ParameterValues): Condition {
  switch (condition.kind) {
    case 'open': {
      const { key, operator, given, fold } = condition;
      const tests: Condition[] = [];
      parseOperator(key, operator, resolved(given, values), fold, tests);
      return combined('all', tests);
    }
    case 'not':
      return { ...condition, part: bindCondition(condition.part, values) };
    case 'all':
    case 'any':
      return combined(
        condition.kind,
        condition.parts.map((part) => bindCondition(part, values)),
      );
    default:
      return condition;
  }
}

/** Does it ask functions of the caller? */
export function asksCaller(condition: Condition): boolean {
  switch (condition.kind) {
    case 'call':
      return true;
    case 'not':
      return asksCaller(condition.part);
    case 'all':
    case 'any':
      return condition.parts.some(asksCaller);
    default:
      return false;
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
  return testOf(key, operator, new OrderedValue(), undefined, false);
}

function testOf(
  key: string,
  operator: TestOperator,
  value: OrderedValue,
  given: PropertyValue | undefined,
  fold: boolean,
): Test {
  return { kind: 'test', key, operator, value, given, list: NOTHING, others: NOTHING, fold };
}

function compare(key: string, operator: TestOperator, given: unknown, fold = false): Test {
  const value = foldedValue(checkedValue(key, operator, given), fold);
  return testOf(key, operator, new OrderedValue().set(value), value, fold);
}

function foldedValue(value: PropertyValue, fold: boolean): PropertyValue {
  return fold && typeof value === 'string' ? foldText(value) : value;
}

function ordered(key: string, operator: TestOperator, given: unknown): Test {
  const test = compare(key, operator, given);
  if (test.value.kind === KIND.unordered && typeof given === 'object')
    throw wrong(key, operator, 'a boolean, number, text, Uint8Array or Date', given);
  return test;
}

function among(key: string, operator: 'in' | 'notIn', given: readonly unknown[], fold: boolean): Test {
  const list: OrderedValue[] = [];
  const others: PropertyValue[] = [];
  for (const one of given) {
    const value = foldedValue(checkedValue(key, operator, one), fold);
    const as = new OrderedValue().set(value);
    if (as.kind === KIND.unordered) others.push(value);
    else list.push(as);
  }
  list.sort(compareValues);
  return { ...testOf(key, operator, new OrderedValue(), undefined, fold), list, others };
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
      return `${condition.key} ${condition.operator}${condition.fold ? ' without case' : ''}`;
    case 'open':
      return `${condition.key} ${condition.operator}${condition.fold ? ' without case' : ''}`;
    case 'label':
      return `label ${condition.label}`;
    case 'call':
      return 'function';
    case 'not':
      return `not (${describeCondition(condition.part)})`;
    default:
      return condition.parts.map(describeCondition).join(condition.kind === 'all' ? ' and ' : ' or ');
  }
}
