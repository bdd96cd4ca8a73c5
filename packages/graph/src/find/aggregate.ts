/** Figures over the records that a find gives: counts, sums, extremes and averages, of all or by the values of some properties. */
import { DataError } from '@sombra/vfs';
import { NAME_KIND } from '../names/dictionary.ts';
import { checkOptions, describe, flagOption } from '../model/options.ts';
import type { EdgeRecord, NodeRecord, Properties, PropertyValue } from '../model/types.ts';
import { compareValues, KIND, OrderedValue } from '../values/ordered-value.ts';
import { type FindSource, visitFound } from './find.ts';
import type { RecordLike, Where } from './predicate.ts';
import { RECORD_KINDS } from '../names/record-kind.ts';
import { type Find, type LabelChoice, parseFind } from './query.ts';
import { compareRows, type SortBy, SortKeyWriter } from './sort-rows.ts';
import { Sum } from './sum.ts';

/** Memory that the groups of one call may take in bytes. */
export const GROUP_MEMORY = 64 * 1024 * 1024;
/** What a group, and a figure of it, takes besides its values, roughly. */
const GROUP_OVERHEAD = 256;
const FIGURE_OVERHEAD = 96;

/** What is asked of the records, besides `where`. `K`: names of properties. */
export interface Figures<K extends string = string> {
  /** Property or properties: one row for each combination of their values. Default: one row for all records. */
  readonly groupBy?: K | readonly K[] | undefined;
  /** Number of records. */
  readonly count?: boolean | undefined;
  /** Properties to add up; they must be numbers where they are not missing. */
  readonly sum?: readonly K[] | undefined;
  /** Properties whose average is taken, of those that have them; numbers, as for `sum`. */
  readonly avg?: readonly K[] | undefined;
  /** Properties whose least value is looked for, in the order of `orderBy`; what has no order is skipped. */
  readonly min?: readonly K[] | undefined;
  readonly max?: readonly K[] | undefined;
}

interface AggregateQuery<R extends RecordLike> extends Figures<keyof R['properties'] & string> {
  readonly where?: Where<R> | undefined;
}

/** Figures over nodes. */
export interface NodeAggregate extends AggregateQuery<NodeRecord> {
  readonly label?: LabelChoice | undefined;
}

/** Figures over edges. */
export interface EdgeAggregate extends AggregateQuery<EdgeRecord> {
  readonly type?: string | readonly string[] | undefined;
}

/**
 * Figures of one group; only those that were asked for are there. A property that no record of the group has, has no entry.
 * `sum`: whole numbers add up exactly, to a bigint beyond 2^53; with a fraction, or an infinity, among them, to a number. `avg` is
 * a number.
 */
export interface GroupRow {
  /** Values of `groupBy`; a missing one has no entry. */
  group: Properties;
  count?: number;
  sum?: Record<string, number | bigint>;
  avg?: Record<string, number>;
  min?: Properties;
  max?: Properties;
}

const OPTIONS = ['where', 'groupBy', 'count', 'sum', 'avg', 'min', 'max'] as const;

/** A checked question. */
export interface Aggregate {
  readonly find: Find;
  readonly groupBy: readonly string[];
  readonly count: boolean;
  readonly sum: readonly string[];
  readonly avg: readonly string[];
  readonly min: readonly string[];
  readonly max: readonly string[];
}

/** @throws DataError SOMBRA_OPTION, and as `parseFind` */
export function parseAggregate(on: 'node' | 'edge', query: object | undefined, where: string): Aggregate {
  const name = RECORD_KINDS[on].option;
  const given = checkOptions(query === undefined ? {} : query, [name, ...OPTIONS], where) as Figures &
    Record<string, unknown>;
  const asked: Aggregate = {
    find: parseFind(on, { [name]: given[name], where: given['where'] }, where, ['where']),
    groupBy: keysOf(typeof given.groupBy === 'string' ? [given.groupBy] : given.groupBy, 'groupBy'),
    count: flagOption(given.count, false, 'count'),
    sum: keysOf(given.sum, 'sum'),
    avg: keysOf(given.avg, 'avg'),
    min: keysOf(given.min, 'min'),
    max: keysOf(given.max, 'max'),
  };
  const { count, sum, avg, min, max } = asked;
  if (!count && sum.length + avg.length + min.length + max.length === 0)
    throw new DataError('SOMBRA_OPTION', `${where}: nothing is asked for: give one of count, sum, avg, min, max`);
  return asked;
}

function keysOf(given: readonly string[] | undefined, option: string): readonly string[] {
  if (given === undefined) return [];
  if (!Array.isArray(given) || given.some((key) => typeof key !== 'string'))
    throw new DataError('SOMBRA_OPTION', `${option} is a list of names of properties, not ${describe(given)}`);
  return [...new Set(given as readonly string[])];
}

interface Extreme {
  readonly place: OrderedValue;
  value: PropertyValue | undefined;
}

interface Group {
  readonly key: Uint8Array;
  readonly properties: Properties;
  count: number;
  readonly sums: readonly Sum[];
  readonly least: readonly Extreme[];
  readonly greatest: readonly Extreme[];
}

/**
 * Reads the records and adds them up. Groups come in the order of their values, as `orderBy` puts them.
 * @param memoryMax  bytes; for tests
 * @throws DataError SOMBRA_GROUP_MEMORY, SOMBRA_NOT_A_NUMBER
 */
export function aggregate(source: FindSource, asked: Aggregate, memoryMax = GROUP_MEMORY): GroupRow[] {
  const work = new Aggregation(source, asked, memoryMax);
  visitFound(source, asked.find, (program, id) => {
    program.load(source.view, id);
    work.add(program.bytes, program.at, program.length, id);
  });
  return work.rows();
}

/** One question at work. */
class Aggregation {
  private readonly source: FindSource;
  private readonly asked: Aggregate;
  private readonly memoryMax: number;
  private readonly order: readonly SortBy[];
  private readonly summed: readonly string[];
  private readonly writer = new SortKeyWriter();
  private readonly value = new OrderedValue();
  private readonly groups = new Map<string, Group>();
  private memory = 0;

  constructor(source: FindSource, asked: Aggregate, memoryMax: number) {
    this.source = source;
    this.asked = asked;
    this.memoryMax = memoryMax;
    this.order = asked.groupBy.map((key) => ({ keyId: this.keyId(key), descending: false }));
    this.summed = [...new Set([...asked.sum, ...asked.avg])];
  }

  add(bytes: Uint8Array, at: number, length: number, id: number): void {
    const { asked, summed } = this;
    const group = this.groupOf(bytes, at, length);
    group.count += 1;
    for (let i = 0; i < summed.length; i += 1) {
      const value = this.read(bytes, at, length, summed[i]!);
      if (value === undefined) continue;
      if (typeof value !== 'number' && typeof value !== 'bigint') throw noNumber(asked.find.on, id, summed[i]!, value);
      group.sums[i]!.add(value);
    }
    for (let i = 0; i < asked.min.length; i += 1) this.extreme(bytes, at, length, asked.min[i]!, group.least[i]!, -1);
    for (let i = 0; i < asked.max.length; i += 1) this.extreme(bytes, at, length, asked.max[i]!, group.greatest[i]!, 1);
  }

  rows(): GroupRow[] {
    const { asked, groups, summed } = this;
    if (asked.groupBy.length === 0 && groups.size === 0) this.newGroup('', new Uint8Array(0), {});
    const { sum, avg, min, max, count } = asked;
    return [...groups.values()]
      .sort((a, b) => compareRows(a.key, b.key))
      .map((group) => {
        const sumOf = (key: string): Sum => group.sums[summed.indexOf(key)]!;
        return {
          group: group.properties,
          ...(count ? { count: group.count } : {}),
          ...(sum.length > 0 ? { sum: entries(sum, (key) => sumOf(key).total) } : {}),
          ...(avg.length > 0 ? { avg: entries(avg, (key) => sumOf(key).mean) } : {}),
          ...(min.length > 0 ? { min: entries(min, (_, i) => group.least[i]!.value) } : {}),
          ...(max.length > 0 ? { max: entries(max, (_, i) => group.greatest[i]!.value) } : {}),
        };
      });
  }

  private keyId(key: string): number {
    return this.source.store.dictionary.find(NAME_KIND.propertyKey, key);
  }

  private read(bytes: Uint8Array, at: number, length: number, key: string): PropertyValue | undefined {
    const keyId = this.keyId(key);
    return keyId < 0 ? undefined : this.source.store.records.property(bytes, at, length, keyId);
  }

  /** @param way  -1 for the least, 1 for the greatest */
  private extreme(bytes: Uint8Array, at: number, length: number, key: string, extreme: Extreme, way: number): void {
    const given = this.read(bytes, at, length, key);
    if (given === undefined) return;
    const { value } = this;
    value.set(given);
    if (value.kind === KIND.unordered) return;
    if (extreme.value !== undefined && compareValues(value, extreme.place) * way <= 0) return;
    this.take(sizeOf(given) - sizeOf(extreme.value));
    extreme.place.set(given);
    extreme.value = given;
  }

  private groupOf(bytes: Uint8Array, at: number, length: number): Group {
    const { order, writer, groups, asked } = this;
    const key = writer.key(this.source.store.records, bytes, at, length, order, 0);
    let name = latin1(key);
    const properties: Properties = {};
    // What has no order has no place in the key: it is told apart by itself.
    for (const one of asked.groupBy) {
      const value = this.read(bytes, at, length, one);
      if (value !== undefined) setOwn(properties, one, value);
      if (value === undefined || isUnordered(value)) name += `\u0100${canonical(value)}`;
    }
    return groups.get(name) ?? this.newGroup(name, key, properties);
  }

  private newGroup(name: string, key: Uint8Array, properties: Properties): Group {
    const { asked, summed, groups } = this;
    const figures = summed.length + asked.min.length + asked.max.length;
    let size = GROUP_OVERHEAD + name.length * 2 + key.length + figures * FIGURE_OVERHEAD;
    for (const value of Object.values(properties)) size += sizeOf(value);
    this.take(size);
    const extremes = (keys: readonly string[]): Extreme[] =>
      keys.map(() => ({ place: new OrderedValue(), value: undefined }));
    const group: Group = {
      key,
      properties,
      count: 0,
      sums: summed.map(() => new Sum()),
      least: extremes(asked.min),
      greatest: extremes(asked.max),
    };
    groups.set(name, group);
    return group;
  }

  private take(bytes: number): void {
    this.memory += bytes;
    if (this.memory <= this.memoryMax) return;
    throw new DataError(
      'SOMBRA_GROUP_MEMORY',
      `${this.groups.size} groups take more than ${this.memoryMax >> 20} MiB: group by fewer properties, or give a narrower where`,
    );
  }
}

function entries<T>(keys: readonly string[], value: (key: string, at: number) => T | undefined): Record<string, T> {
  const found: Record<string, T> = {};
  keys.forEach((key, i) => {
    const one = value(key, i);
    if (one !== undefined) setOwn(found, key, one);
  });
  return found;
}

/** Keys such as `__proto__` are data. */
function setOwn<T>(object: Record<string, T>, key: string, value: T): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 1) text += String.fromCharCode(bytes[i]!);
  return text;
}

function isUnordered(value: PropertyValue): boolean {
  return new OrderedValue().set(value).kind === KIND.unordered;
}

/** A text that is the same for equal values, and for NaN. */
function canonical(value: PropertyValue | undefined): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'number' || typeof value === 'bigint') return `#${value === 0 ? 0 : value}`;
  if (typeof value !== 'object') return JSON.stringify(value);
  if (value instanceof Date) return `date ${value.getTime()}`;
  if (value instanceof Uint8Array) return `bytes ${value.join()}`;
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}`;
}

function sizeOf(value: PropertyValue | undefined): number {
  if (typeof value === 'string') return value.length * 2;
  if (value instanceof Uint8Array) return value.length;
  if (typeof value === 'object') return canonical(value).length * 2;
  return 0;
}

function noNumber(on: 'node' | 'edge', id: number, key: string, value: PropertyValue): DataError {
  return new DataError(
    'SOMBRA_NOT_A_NUMBER',
    `property '${key}' of ${on} ${id} is ${describe(value)}, which cannot be added up: leave such records out by where`,
    { details: { [on]: id, key } },
  );
}
