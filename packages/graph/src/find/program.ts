/**
 * A condition as a flat list of tests with jumps: each test says where to go on when it holds and when it does not. So one loop
 * evaluates any nesting, on the bytes of records where they lie, without building anything.
 */
import type { View } from '@sombra/pager';
import { DataError } from '@sombra/vfs';
import { type Dictionary, NAME_KIND } from '../names/dictionary.ts';
import { beginsWith, compareValues, endsWith, includesBytes, KIND, OrderedValue } from '../values/ordered-value.ts';
import { TAG } from '../records/record-format.ts';
import type { RecordReader } from '../records/record-reader.ts';
import { sameValue } from '../values/same-value.ts';
import type { RecordTable } from '../store/record-table.ts';
import type { GraphStore } from '../store/store.ts';
import type { PropertyValue } from '../model/types.ts';
import type { SortBy, SortKeyWriter } from './sort-rows.ts';
import { foldText, TextFolder } from './folded-text.ts';
import { type Condition, hasOrder, type Test, type TestOperator } from './predicate.ts';

const ACCEPT = -1;
const REJECT = -2;
const CALL = 100;
const LABEL = 101;
const CODES: Record<TestOperator, number> = {
  exists: 0,
  eq: 1,
  ne: 2,
  lt: 3,
  lte: 4,
  gt: 5,
  gte: 6,
  in: 7,
  startsWith: 8,
  contains: 9,
  ordered: 10,
  notIn: 11,
  endsWith: 12,
};
const {
  exists: EXISTS,
  eq: EQ,
  ne: NE,
  lt: LT,
  lte: LTE,
  gt: GT,
  gte: GTE,
  in: IN,
  notIn: NOT_IN,
  startsWith: STARTS_WITH,
  endsWith: ENDS_WITH,
  ordered: ORDERED,
} = CODES;

/** One step: a test of a property, or a call of the caller's function. */
interface Step {
  readonly code: number;
  readonly key: string;
  keyId: number;
  readonly value: OrderedValue;
  readonly given: PropertyValue | undefined;
  readonly list: readonly OrderedValue[];
  readonly others: readonly PropertyValue[];
  readonly fold: boolean;
  readonly call: ((record: unknown) => boolean) | undefined;
  /** Next step when it holds, and when it does not; ACCEPT or REJECT at the end. */
  readonly yes: number;
  readonly no: number;
}

/** Evaluates one condition on nodes or edges. */
export class Program {
  /** Records read since it was made. */
  rowsRead = 0;
  private readonly table: RecordTable;
  private readonly records: RecordReader;
  private readonly steps: Step[] = [];
  private readonly start: number;
  private readonly value = new OrderedValue();
  private readonly folder = new TextFolder();
  private readonly recordOf: (id: number) => unknown;
  /** The record that was loaded last: bytes[at, at + length), without what comes before its properties. */
  bytes: Uint8Array = NO_BYTES;
  at = 0;
  length = 0;

  /** @param recordOf  gives the record that a caller's function gets; undefined when it is gone */
  constructor(store: GraphStore, on: 'node' | 'edge', condition: Condition, recordOf: (id: number) => unknown) {
    this.table = store.table(on);
    this.records = store.records;
    this.recordOf = recordOf;
    this.start = this.compile(condition, ACCEPT, REJECT);
    this.bind(store.dictionary);
  }

  /** Looks names up. Call again when they may have changed: in a transaction, whenever the caller had a turn. */
  bind(dictionary: Dictionary): void {
    for (const step of this.steps) step.keyId = dictionary.find(NAME_KIND.propertyKey, step.key);
  }

  /**
   * Does the record fulfil the condition?
   * @returns false, too, when there is no such record
   * @throws CorruptionError SOMBRA_RECORD; what the caller's functions throw
   */
  matches(view: View, id: number): boolean {
    if (!this.load(view, id)) return false;
    this.rowsRead += 1;
    const { steps } = this;
    let at = this.start;
    while (at >= 0) {
      const step = steps[at]!;
      let holds: boolean;
      if (step.code === CALL) {
        const record = this.recordOf(id);
        holds = record !== undefined && step.call!(record);
        at = holds ? step.yes : step.no;
        // The function may have read other pages, so that this one is not where it was.
        if (at >= 0 && !this.load(view, id)) return false;
        continue;
      }
      if (step.code === LABEL) holds = this.hasLabel(step.key);
      else holds = step.keyId >= 0 && this.test(step);
      at = holds ? step.yes : step.no;
    }
    return at === ACCEPT;
  }

  /** Key by which a record is put in order; undefined when there is no such record. */
  sortKey(view: View, id: number, order: readonly SortBy[], writer: SortKeyWriter): Uint8Array | undefined {
    if (!this.load(view, id)) return undefined;
    return writer.key(this.records, this.bytes, this.at, this.length, order, id);
  }

  private test(step: Step): boolean {
    const { records, value } = this;
    const tag = records.locate(this.bytes, this.at, this.length, step.keyId);
    if (tag === 0) return false;
    const { code } = step;
    if (code === EXISTS) return true;
    if (tag === TAG.list || tag === TAG.map) return testContainer(step, records.located(tag));
    records.orderedLocated(tag, value);
    if (value.kind === KIND.unordered) return false; // NaN
    if (code === ORDERED) return true;
    if (step.fold && value.kind === KIND.text) this.folder.fold(value);
    switch (code) {
      case EQ:
        return step.value.kind !== KIND.unordered && compareValues(value, step.value) === 0;
      case NE:
        return step.value.kind === KIND.unordered ? !isNaNValue(step.given) : compareValues(value, step.value) !== 0;
      case LT:
        return value.kind === step.value.kind && compareValues(value, step.value) < 0;
      case LTE:
        return value.kind === step.value.kind && compareValues(value, step.value) <= 0;
      case GT:
        return value.kind === step.value.kind && compareValues(value, step.value) > 0;
      case GTE:
        return value.kind === step.value.kind && compareValues(value, step.value) >= 0;
      case IN:
        return isAmong(value, step.list);
      case NOT_IN:
        return !step.others.some(isNaNValue) && !isAmong(value, step.list);
      case STARTS_WITH:
        return beginsWith(value, step.value);
      case ENDS_WITH:
        return endsWith(value, step.value);
      default:
        return value.kind === KIND.text && includesBytes(value, step.value);
    }
  }

  private hasLabel(label: string): boolean {
    return this.records.open(this.bytes, this.at, this.length).labels.includes(label);
  }

  /** Looks a record up. @returns false when there is none */
  load(view: View, id: number): boolean {
    const { table } = this;
    const at = table.find(view, id);
    if (at < 0) return false;
    this.at = table.propertiesStart(at);
    this.length = table.propertiesLength;
    this.bytes = table.bytes(view);
    return true;
  }

  /** @returns the first step */
  private compile(condition: Condition, yes: number, no: number): number {
    switch (condition.kind) {
      case 'test':
        return this.add(condition, CODES[condition.operator], undefined, yes, no);
      case 'call':
        return this.add(undefined, CALL, condition.call, yes, no);
      case 'label':
        return this.add({ ...hasOrder(condition.label) }, LABEL, undefined, yes, no);
      case 'open':
        throw new DataError(
          'SOMBRA_OPTION',
          `the condition on '${condition.key}' has a parameter: prepare the find, and give its value when it is run`,
        );
      case 'not':
        return this.compile(condition.part, no, yes);
      default: {
        // From the last part to the first: each must know where the next one begins.
        let next = condition.kind === 'all' ? yes : no;
        for (const part of condition.parts.toReversed())
          next = condition.kind === 'all' ? this.compile(part, next, no) : this.compile(part, yes, next);
        return next;
      }
    }
  }

  private add(test: Test | undefined, code: number, call: Step['call'], yes: number, no: number): number {
    this.steps.push({
      code,
      key: test?.key ?? '',
      keyId: -1,
      value: test?.value ?? this.value,
      given: test?.given,
      list: test?.list ?? NOTHING,
      others: test?.others ?? NOTHING,
      fold: test?.fold ?? false,
      call,
      yes,
      no,
    });
    return this.steps.length - 1;
  }
}

const NO_BYTES = new Uint8Array(0);
const NOTHING: readonly never[] = [];

/** Tests a list or map, which have no order. */
function testContainer(step: Step, found: PropertyValue): boolean {
  switch (step.code) {
    case EQ:
      return sameValue(found, step.given!);
    case NE:
      return !isNaNValue(step.given) && !sameValue(found, step.given!);
    case IN:
      return step.others.some((one) => sameValue(found, one));
    case NOT_IN:
      return !step.others.some((one) => isNaNValue(one) || sameValue(found, one));
    case CODES.contains:
      return Array.isArray(found) && found.some((one) => sameElement(step, one));
    default:
      return false;
  }
}

function sameElement(step: Step, element: PropertyValue): boolean {
  return sameValue(step.fold && typeof element === 'string' ? foldText(element) : element, step.given!);
}

function isNaNValue(value: PropertyValue | undefined): boolean {
  return typeof value === 'number' && Number.isNaN(value);
}

function isAmong(value: OrderedValue, list: readonly OrderedValue[]): boolean {
  let low = 0;
  let high = list.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const order = compareValues(value, list[middle]!);
    if (order === 0) return true;
    if (order < 0) high = middle - 1;
    else low = middle + 1;
  }
  return false;
}
