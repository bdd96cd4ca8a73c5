// What a find must give, worked out on whole records one by one, in the plainest way.
import type { PropertyValue } from '../../src/index.ts';

/** A condition in words that both the engine (see `where`) and the naive scan understand. */
export type Question =
  | { readonly op: 'all' | 'any'; readonly parts: readonly Question[] }
  | { readonly op: 'not'; readonly part: Question }
  | { readonly op: 'call'; readonly key: string }
  | {
      readonly op: 'test';
      readonly key: string;
      readonly operator: string;
      readonly value: unknown;
      /** Without regard to case. */
      readonly fold?: boolean;
    };

export interface Row {
  readonly id: number;
  readonly properties: Readonly<Record<string, PropertyValue>>;
}

const KINDS = ['boolean', 'number', 'text', 'bytes', 'date'];

/** Kind of a value with an order, '' for NaN, lists and maps. */
function kindOf(value: unknown): string {
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'bigint') return 'number';
  if (typeof value === 'number') return Number.isNaN(value) ? '' : 'number';
  if (typeof value === 'string') return 'text';
  if (value instanceof Uint8Array) return 'bytes';
  return value instanceof Date ? 'date' : '';
}

/** Has the value a place in an order? */
export function hasOrder(value: unknown): boolean {
  return kindOf(value) !== '';
}

/** Order of two values of one kind. */
function compareAlike(a: unknown, b: unknown): number {
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string));
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array);
  if (a instanceof Date) return a.getTime() - (b as Date).getTime();
  const left = a as number;
  const right = b as number;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Order of any two values with an order. */
export function compareOrdered(a: unknown, b: unknown): number {
  const kinds = KINDS.indexOf(kindOf(a)) - KINDS.indexOf(kindOf(b));
  return kinds !== 0 ? kinds : compareAlike(a, b);
}

/** Equality of any two values. */
export function equal(a: unknown, b: unknown): boolean {
  if (kindOf(a) !== kindOf(b)) return false;
  if (kindOf(a) !== '') return compareAlike(a, b) === 0;
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [Object.entries(a as object), b as Record<string, unknown>];
  return (
    left.length === Object.keys(right).length &&
    left.every(([key, value]) => Object.hasOwn(right, key) && equal(value, right[key]))
  );
}

function test(found: unknown, operator: string, value: unknown): boolean {
  if (operator === 'exists') return (found !== undefined) === value;
  if (found === undefined || Number.isNaN(found)) return false;
  const alike = kindOf(found) !== '' && kindOf(found) === kindOf(value);
  switch (operator) {
    case 'eq':
      return equal(found, value);
    case 'ne':
      return !Number.isNaN(value) && !equal(found, value);
    case 'lt':
      return alike && compareAlike(found, value) < 0;
    case 'lte':
      return alike && compareAlike(found, value) <= 0;
    case 'gt':
      return alike && compareAlike(found, value) > 0;
    case 'gte':
      return alike && compareAlike(found, value) >= 0;
    case 'between':
      return test(found, 'gte', (value as unknown[])[0]) && test(found, 'lte', (value as unknown[])[1]);
    case 'in':
      return (value as unknown[]).some((one) => equal(found, one));
    case 'notIn':
      return !(value as unknown[]).some((one) => Number.isNaN(one) || equal(found, one));
    case 'endsWith':
      return typeof found === 'string' && found.endsWith(value as string);
    case 'startsWith':
      return typeof found === 'string' && found.startsWith(value as string);
    case 'contains':
      if (typeof found === 'string') return typeof value === 'string' && found.includes(value);
      return Array.isArray(found) && found.some((one) => equal(one, value));
    default:
      throw new Error(`unknown operator ${operator}`);
  }
}

/** Texts, and texts in lists, without case. */
function folded(value: unknown): unknown {
  if (typeof value === 'string') return value.toLowerCase().toUpperCase();
  return Array.isArray(value) ? value.map(folded) : value;
}

/** Does the row fulfil the question? */
export function fulfils(row: Row, question: Question): boolean {
  switch (question.op) {
    case 'all':
      return question.parts.every((part) => fulfils(row, part));
    case 'any':
      return question.parts.some((part) => fulfils(row, part));
    case 'not':
      return !fulfils(row, question.part);
    case 'call':
      return Object.hasOwn(row.properties, question.key);
    default: {
      const { key, operator, value, fold } = question;
      const found = Object.hasOwn(row.properties, key) ? row.properties[key] : undefined;
      return fold === true ? test(folded(found), operator, folded(value)) : test(found, operator, value);
    }
  }
}

/** Rows in the order of some properties, then by id; what has no order comes last. */
export function inOrder<T extends Row>(
  rows: readonly T[],
  order: readonly { key: string; descending: boolean }[],
  descendingIds = false,
): T[] {
  return rows.toSorted((a, b) => {
    for (const { key, descending } of order) {
      const [left, right] = [a, b].map((row) => (Object.hasOwn(row.properties, key) ? row.properties[key] : undefined));
      const [isLeft, isRight] = [kindOf(left) !== '', kindOf(right) !== ''];
      if (isLeft !== isRight) return isLeft ? -1 : 1;
      const difference = isLeft ? compareOrdered(left, right) : 0;
      if (difference !== 0) return descending ? -difference : difference;
    }
    return descendingIds ? b.id - a.id : a.id - b.id;
  });
}
