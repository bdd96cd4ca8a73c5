/**
 * How a find goes about it: which index to read, or none. Candidates are compared by the number of records that they are
 * expected to read; the number of entries between two keys is guessed from two descents of the tree.
 */
import type { View } from '@sombra/pager';
import type { Dictionary } from '../names/dictionary.ts';
import { COMPONENT, CONTENT_CUT, IndexKeyWriter } from '../indexes/index-key.ts';
import type { PropertyIndex } from '../indexes/index-set.ts';
import { KIND, type OrderedValue } from '../values/ordered-value.ts';
import { GATHERED_MAX, type KeyBounds } from './index-scan.ts';
import type { Condition, Test } from './predicate.ts';

/** How records are come by. */
export type AccessKind =
  | 'label-scan'
  | 'all-scan'
  | 'index-equality'
  | 'index-range'
  | 'index-prefix'
  | 'index-in'
  | 'index-exists'
  | 'index-order'
  | 'union';

/**
 * What a prepared find remembers of its last plan, so that the next run only fills in the bounds. It counts as long as the
 * indexes are the same and the number of records is about the same.
 */
export interface PlanMemory {
  chosen?:
    | {
        readonly indexVersion: number;
        readonly rows: number;
        /** Number of the index; 0 for a scan. */
        readonly index: number;
        readonly ordered: boolean;
        readonly estimatedRows: number;
      }
    | undefined;
}

/** What was decided. */
export interface Plan {
  readonly access: AccessKind;
  readonly index: PropertyIndex | undefined;
  readonly ranges: readonly KeyBounds[];
  /** Records that will be read, as far as one can tell. */
  readonly estimatedRows: number;
  /** Conditions that the entries fulfil by themselves. */
  readonly answered: ReadonlySet<Condition>;
  /** Do the entries come in the order that is asked for? */
  readonly ordered: boolean;
  /** In an ordered one: records without a place in the order come last and have to be looked for. */
  readonly unorderedToo: boolean;
  /** In an ordered one: offset of the component by which entries are ordered. */
  readonly component: number;
  /** Do all entries have one and the same key, so that their ids ascend? */
  readonly oneKey: boolean;
}

/** What is to be decided. */
export interface PlanInput {
  readonly indexes: readonly PropertyIndex[];
  readonly condition: Condition;
  /** By what to order; undefined for the order of ids, or for none. */
  readonly orderBy: readonly { readonly key: string; readonly descending: boolean }[];
  /** Do the ids of rows that are equal in these descend? */
  readonly descendingIds: boolean;
  /** Rows that are asked for, those skipped included. */
  readonly wanted: number;
  /** Records of the label or type, or all. */
  readonly rows: number;
  readonly named: boolean;
  /** Are ids wanted in ascending order, so that entries have to be gathered? */
  readonly byId: boolean;
  /** Where an ordered find goes on: the first value by which it is ordered, of the row before. */
  readonly after: OrderedValue | undefined;
  /** Version of the indexes. */
  readonly indexVersion: number;
  readonly memory: PlanMemory | undefined;
}

/** What it costs to read a record by way of an index, against reading it in a scan. */
const INDEX_COST = 2;
/** Records for which a scan is not thought about: an index is right for them anyway. */
const SCAN_START = 16;
/** Points of an `in` whose number of entries is looked up; the rest is taken to be alike. */
const POINTS_LOOKED_AT = 32;
/** Part of the records that a condition is taken to hold for when nothing is known of it. */
const GUESS = 0.1;

/** Decides. */
export function planFind(view: View, dictionary: Dictionary, input: PlanInput): Plan {
  const { memory, rows, indexVersion } = input;
  const remembered = rememberedPlan(view, dictionary, input);
  if (remembered !== undefined) return remembered;
  const plan = bestPlan(view, dictionary, input);
  if (memory !== undefined) {
    const { index, ordered, estimatedRows } = plan;
    memory.chosen = {
      ...{ indexVersion, rows, index: index?.number ?? 0, estimatedRows },
      ordered: ordered && index !== undefined && input.orderBy.length > 0,
    };
  }
  return plan;
}

/** The plan that was chosen last, with the bounds of now; undefined when another one may be better, or it does not fit. */
function rememberedPlan(view: View, dictionary: Dictionary, input: PlanInput): Plan | undefined {
  const chosen = input.memory?.chosen;
  if (chosen === undefined || chosen.indexVersion !== input.indexVersion) return undefined;
  if (input.rows > chosen.rows * 2 + SCAN_START || input.rows * 2 + SCAN_START < chosen.rows) return undefined;
  if (chosen.index === 0) return scanOf(input);
  const index = input.indexes.find(({ number }) => number === chosen.index);
  if (index === undefined) return undefined;
  const tests = testsOf(input.condition);
  const { estimatedRows } = chosen;
  if (!chosen.ordered) return candidateOf(view, dictionary, index, tests, estimatedRows);
  return orderedOf(view, dictionary, index, tests, input, estimatedRows);
}

function testsOf(condition: Condition): Test[] {
  return conjunctsOf(condition).filter((one) => one.kind === 'test');
}

function scanOf(input: PlanInput): Plan {
  return {
    access: input.named ? 'label-scan' : 'all-scan',
    index: undefined,
    ranges: [],
    estimatedRows: input.rows,
    answered: new Set(),
    ordered: input.orderBy.length === 0,
    unorderedToo: false,
    component: 0,
    oneKey: false,
  };
}

function bestPlan(view: View, dictionary: Dictionary, input: PlanInput): Plan {
  const tests = testsOf(input.condition);
  const candidates = input.indexes
    .map((index) => candidateOf(view, dictionary, index, tests))
    .filter((one) => one !== undefined);
  let best = scanOf(input);
  const matching = Math.min(input.rows, ...candidates.map(({ estimatedRows }) => estimatedRows));
  const filters = conjunctsOf(input.condition).length;
  let cost = costOfScan(input, matching, filters);
  for (const candidate of candidates) {
    const own = costOf(input, candidate);
    if (own >= cost) continue;
    best = candidate;
    cost = own;
  }
  for (const index of input.indexes) {
    const candidate = orderedOf(view, dictionary, index, tests, input);
    if (candidate === undefined) continue;
    const own = costOfOrdered(input, candidate, matching, filters);
    if (own > cost) continue;
    best = candidate;
    cost = own;
  }
  return best;
}

function costOfScan({ rows, wanted, orderBy }: PlanInput, matching: number, filters: number): number {
  if (orderBy.length > 0) return SCAN_START + rows + (wanted < rows ? 0 : matching * INDEX_COST);
  if (wanted >= rows || matching === 0) return SCAN_START + rows;
  const part = filters === 0 ? 1 : matching < rows ? matching / rows : GUESS;
  return SCAN_START + Math.min(rows, wanted / part);
}

function costOf({ orderBy, byId, wanted }: PlanInput, plan: Plan): number {
  const { estimatedRows, oneKey } = plan;
  if (byId && !oneKey && estimatedRows > GATHERED_MAX) return Infinity;
  if (orderBy.length === 0 && oneKey) return Math.min(estimatedRows, wanted / GUESS) * INDEX_COST;
  return estimatedRows * INDEX_COST + (orderBy.length > 0 && wanted === Infinity ? estimatedRows : 0);
}

function costOfOrdered({ rows, wanted }: PlanInput, plan: Plan, matching: number, filters: number): number {
  const filtered = filters > plan.answered.size;
  const part = filtered ? Math.min(GUESS, matching / Math.max(1, plan.estimatedRows)) : 1;
  const read = Math.min(plan.estimatedRows, wanted / Math.max(part, 1e-9));
  const rest = plan.unorderedToo && read >= plan.estimatedRows ? rows : 0;
  return read * INDEX_COST + rest;
}

/** Conditions that must hold all of them. */
export function conjunctsOf(condition: Condition): Condition[] {
  return condition.kind === 'all' ? condition.parts.flatMap(conjunctsOf) : [condition];
}

/** Beginning of the keys by properties with one known value. */
interface Beginning {
  readonly bytes: Uint8Array;
  /** Properties that it covers. */
  readonly keys: number;
  readonly answered: Set<Condition>;
}

function beginningOf(dictionary: Dictionary, index: PropertyIndex, tests: readonly Test[], most: number): Beginning {
  const key = start(NO_BYTES);
  const answered = new Set<Condition>();
  let keys = 0;
  for (; keys < most; keys += 1) {
    const name = dictionary.keyName(index.keyIds[keys]!);
    const test = tests.find(
      (one) => one.key === name && one.operator === 'eq' && !one.fold && one.value.kind !== KIND.unordered,
    );
    if (test === undefined) break;
    key.cut = false;
    key.component(test.value);
    if (!key.cut) answered.add(test);
  }
  return { bytes: key.bytes.slice(0, key.length), keys, answered };
}

/** An index by what is asked of its properties; undefined when it lacks records that are asked for, or nothing narrows it. */
function candidateOf(
  view: View,
  dictionary: Dictionary,
  index: PropertyIndex,
  tests: readonly Test[],
  known?: number,
): Plan | undefined {
  const names = index.keyIds.map((key) => dictionary.keyName(key));
  // A record that lacks one of the properties is not in the index.
  if (!names.every((name) => tests.some((test) => test.key === name))) return undefined;
  const { bytes, keys, answered } = beginningOf(dictionary, index, tests, names.length);
  for (const test of tests) if (test.operator === 'exists' && names.includes(test.key)) answered.add(test);
  const plan = (access: AccessKind, ranges: readonly KeyBounds[], oneKey = false): Plan => ({
    access,
    index,
    ranges,
    // A unique value is there once, or not at all.
    estimatedRows: oneKey && index.unique && answered.size > 0 ? 1 : (known ?? estimate(view, index, ranges)),
    answered,
    ordered: false,
    unorderedToo: false,
    component: 0,
    oneKey,
  });
  const whole = [{ low: bytes, high: after(bytes) }];
  if (keys === names.length) return plan('index-equality', whole, true);
  const own = tests.filter((test) => test.key === names[keys]);
  const among = own.find((test) => test.operator === 'in' && !test.fold && test.others.length === 0);
  if (among !== undefined) return plan('index-in', pointsOf(bytes, among, answered));
  const bounds = boundsOf(bytes, own, answered);
  if (bounds !== undefined)
    return plan(own.some((test) => test.operator === 'startsWith' && !test.fold) ? 'index-prefix' : 'index-range', [
      bounds,
    ]);
  return plan(keys > 0 ? 'index-equality' : 'index-exists', whole);
}

/** An index whose last property is the one to order by, and whose others have one value each. */
function orderedOf(
  view: View,
  dictionary: Dictionary,
  index: PropertyIndex,
  tests: readonly Test[],
  { orderBy, after, descendingIds }: PlanInput,
  known?: number,
): Plan | undefined {
  const [by] = orderBy;
  if (by === undefined || orderBy.length > 1 || descendingIds) return undefined;
  const last = index.keyIds.length - 1;
  if (dictionary.keyName(index.keyIds[last]!) !== by.key) return undefined;
  const { bytes, keys, answered } = beginningOf(dictionary, index, tests, last);
  if (keys !== last) return undefined;
  const own = tests.filter((test) => test.key === by.key);
  const found = boundsOf(bytes, own, answered);
  const whole = found ?? { low: bytes, high: Uint8Array.of(...bytes, COMPONENT.unordered) };
  const bounds = after === undefined ? whole : onwards(bytes, whole, after, by.descending);
  return {
    access: 'index-order',
    index,
    ranges: [bounds],
    estimatedRows: known ?? estimate(view, index, [bounds]),
    answered,
    ordered: true,
    unorderedToo: found === undefined,
    component: bytes.length,
    oneKey: false,
  };
}

/** The bounds from a value on, it included: some rows that have it may come behind. */
function onwards(before: Uint8Array, bounds: KeyBounds, after: OrderedValue, descending: boolean): KeyBounds {
  // All that has an order comes before what has none.
  if (after.kind === KIND.unordered) return { low: bounds.high, high: bounds.high };
  if (descending) {
    const high = at(before, after, true);
    return { low: bounds.low, high: compare(high, bounds.high) < 0 ? high : bounds.high };
  }
  const low = at(before, after, false);
  return { low: compare(low, bounds.low) > 0 ? low : bounds.low, high: bounds.high };
}

function estimate(view: View, { tree }: PropertyIndex, ranges: readonly KeyBounds[]): number {
  let rows = 0;
  const looked = Math.min(ranges.length, POINTS_LOOKED_AT);
  for (let i = 0; i < looked; i += 1) {
    const { low, high } = ranges[i]!;
    rows += tree.estimate(view, low, low.length, high, high.length);
  }
  return looked === 0 ? 0 : Math.round((rows * ranges.length) / looked);
}

/** Bound behind all keys that begin so. */
function after(bytes: Uint8Array): Uint8Array {
  const key = start(bytes);
  key.after();
  return end(key);
}

/** The one key that is being put together: `end` copies it, and what comes in between must not `start` another. */
const scratch = new IndexKeyWriter();
const NO_BYTES = new Uint8Array(0);

function start(bytes: Uint8Array): IndexKeyWriter {
  scratch.clear();
  scratch.bytes.set(bytes);
  scratch.length = bytes.length;
  return scratch;
}

function end(key: IndexKeyWriter): Uint8Array {
  return key.bytes.slice(0, key.length);
}

/** The values of an `in`, in the order of their keys, each once. */
function pointsOf(before: Uint8Array, test: Test, answered: Set<Condition>): KeyBounds[] {
  const points: KeyBounds[] = [];
  let cut = false;
  for (const value of test.list) {
    const key = start(before);
    key.component(value);
    cut ||= key.cut;
    const low = end(key);
    points.push({ low, high: after(low) });
  }
  points.sort((a, b) => compare(a.low, b.low));
  if (!cut) answered.add(test);
  return points.filter(({ low }, i) => i === 0 || compare(low, points[i - 1]!.low) !== 0);
}

/** Bounds by tests of one property; undefined when none of them narrows it. */
function boundsOf(before: Uint8Array, tests: readonly Test[], answered: Set<Condition>): KeyBounds | undefined {
  let low: Uint8Array | undefined;
  let high: Uint8Array | undefined;
  for (const test of tests) {
    const bounds = boundsOfTest(before, test);
    if (bounds === undefined) continue;
    if (low === undefined || compare(bounds.low, low) > 0) low = bounds.low;
    if (high === undefined || compare(bounds.high, high) < 0) high = bounds.high;
    if (bounds.exact) answered.add(test);
  }
  return low === undefined ? undefined : { low, high: high! };
}

function boundsOfTest(
  before: Uint8Array,
  { operator, value, fold }: Test,
): (KeyBounds & { exact: boolean }) | undefined {
  if (fold || value.kind === KIND.unordered || value.kind === 0) return undefined;
  switch (operator) {
    case 'eq':
      return { low: at(before, value, false), high: at(before, value, true), exact: !isCutValue(before, value) };
    case 'gt':
      return {
        low: at(before, value, !isCutValue(before, value)),
        high: kindEnd(before, value),
        exact: !isCutValue(before, value),
      };
    case 'gte':
      return { low: at(before, value, false), high: kindEnd(before, value), exact: !isCutValue(before, value) };
    case 'lt':
      return {
        low: kindStart(before, value),
        high: at(before, value, isCutValue(before, value)),
        exact: !isCutValue(before, value),
      };
    case 'lte':
      return { low: kindStart(before, value), high: at(before, value, true), exact: !isCutValue(before, value) };
    case 'startsWith': {
      const key = start(before);
      const cut = key.beginning(value);
      const low = end(key);
      // No byte of UTF-8 is 255. What was cut ends with a mark that has a next one.
      if (cut) return { low, high: next(low), exact: false };
      key.byte(0xff);
      return { low, high: end(key), exact: true };
    }
    default:
      return undefined;
  }
}

/** Bound before or behind all keys with a value; of one that was cut, before or behind all that begin like it. */
function at(before: Uint8Array, value: OrderedValue, behind: boolean): Uint8Array {
  const cut = isCutValue(before, value);
  const key = start(before);
  if (cut) {
    key.beginning(value);
    return behind ? next(end(key)) : end(key);
  }
  key.component(value);
  if (behind) key.after();
  return end(key);
}

function isCutValue(before: Uint8Array, value: OrderedValue): boolean {
  const key = start(before);
  key.component(value);
  return key.cut;
}

/** What follows all keys that end with the mark of what was cut. */
function next(beginning: Uint8Array): Uint8Array {
  const bytes = beginning.slice();
  bytes[bytes.length - 1] = CONTENT_CUT + 1;
  return bytes;
}

function kindStart(before: Uint8Array, { kind }: OrderedValue): Uint8Array {
  return Uint8Array.of(...before, FIRST[kind]!);
}

function kindEnd(before: Uint8Array, { kind }: OrderedValue): Uint8Array {
  return Uint8Array.of(...before, (kind === KIND.boolean ? COMPONENT.true : FIRST[kind]!) + 1);
}

const FIRST: Readonly<Record<number, number>> = {
  [KIND.boolean]: COMPONENT.false,
  [KIND.number]: COMPONENT.number,
  [KIND.text]: COMPONENT.text,
  [KIND.bytes]: COMPONENT.bytes,
  [KIND.date]: COMPONENT.date,
};

function compare(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length);
  for (let i = 0; i < common; i += 1) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
