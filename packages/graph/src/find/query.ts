/** Finds as callers ask for them, and how they are read. */
import { DataError } from '@sombra/vfs';
import { checkId, checkOptions, countOption, describe, flagOption, ownOptions } from '../model/options.ts';
import type { EdgeId, EdgeRecord, NodeId, NodeRecord, Properties, PropertyValue } from '../model/types.ts';
import { KIND, OrderedValue } from '../values/ordered-value.ts';
import { Parameter, type ParameterValues, resolved } from './parameters.ts';
import { type CheckedHop, type Including, parseInclude } from './include.ts';
import { RECORD_KINDS } from '../names/record-kind.ts';
import type { PlanMemory } from './plan.ts';
import { bindCondition, type Condition, parametersOf, parseWhere, type RecordLike, type Where } from './predicate.ts';

/**
 * By what to order: a property, or the id. Kinds of values come as boolean, number, text, bytes, date; what has no order last in
 * both directions.
 */
export type OrderBy<K extends string = string> =
  | { readonly key: K; /** From the greatest to the least. Default false. */ readonly descending?: boolean }
  | { readonly id: true; readonly descending?: boolean };

/** Which nodes by their labels: those with one label, with any of some, or with all of some. */
export type LabelChoice<L extends string = string> =
  | L
  | { readonly any: readonly L[] }
  | { readonly all: readonly L[] };

/** A row that a page begins behind: the last one of the page before, as the find gave it. */
export interface PageStart {
  readonly id: number;
  /** Needed when there is an `orderBy` with properties. */
  readonly properties?: object;
}

/** What finds of nodes and edges have in common. `R`: the whole record. */
export interface RowQuery<R extends RecordLike> {
  /** What rows must fulfil. Default: nothing. */
  readonly where?: Where<R> | undefined;
  /** Property or properties to order by; rows that are equal in these come by id, and so do all without it. */
  readonly orderBy?:
    | (keyof R['properties'] & string)
    | OrderBy<keyof R['properties'] & string>
    | readonly ((keyof R['properties'] & string) | OrderBy<keyof R['properties'] & string>)[]
    | undefined;
  /**
   * Only rows that come behind this one in the order of the find, whether it is still there or not: give the last row of a page to
   * get the next page.
   */
  readonly after?: PageStart | Parameter | undefined;
  /** At most so many rows. Default: all. */
  readonly limit?: number | Parameter | undefined;
  /** Rows to leave out at the beginning. Default 0. */
  readonly skip?: number | Parameter | undefined;
}

/** A find of nodes. `label`: those that have it; without it all nodes are read, since indexes are on labels. */
export interface NodeQuery extends RowQuery<NodeRecord> {
  readonly label?: LabelChoice | undefined;
}

/** A find of edges. `type`: one, or any of some. */
export interface EdgeQuery extends RowQuery<EdgeRecord> {
  readonly type?: string | readonly string[] | undefined;
}

/** Only these properties are read of each row. */
export interface Selection<K extends string = string> {
  readonly select: readonly K[];
}

/** A row with the selected properties that it has, in the order of `select`. */
export interface SelectedRecord<Id extends number = NodeId | EdgeId> {
  id: Id;
  properties: Properties;
}

/** A checked query. */
export interface Find {
  readonly on: 'node' | 'edge';
  /** Labels or types; undefined: all records. */
  readonly names: readonly string[] | undefined;
  /** Does a record need all of the names, or any? */
  readonly everyName: boolean;
  readonly condition: Condition;
  readonly orderBy: readonly { readonly key: string; readonly descending: boolean }[];
  readonly descendingIds: boolean;
  readonly after: Place | undefined;
  readonly limit: number;
  readonly skip: number;
  readonly select: readonly string[] | undefined;
  /** What comes along with each node. */
  readonly include: readonly CheckedHop[] | undefined;
  readonly memory: PlanMemory | undefined;
}

/** A place in the order of a find: between a row and the next one. */
export interface Place {
  readonly id: number;
  /** By what it is ordered, one value for each of `orderBy`. */
  readonly values: readonly OrderedValue[];
}

const ROW_OPTIONS = ['where', 'orderBy', 'after', 'limit', 'skip', 'select'] as const;
/** Options of finds, besides label or type. */
export const FIND_OPTIONS = { node: [...ROW_OPTIONS, 'include'], edge: ROW_OPTIONS } as const;
/** Options of counts. */
export const COUNT_OPTIONS = ['where'] as const;

/**
 * Checks a query.
 * @param where  name of the call, for messages
 * @throws DataError SOMBRA_OPTION, SOMBRA_TEXT_SURROGATE, SOMBRA_ID_RANGE, SOMBRA_NESTING
 */
export function parseFind(on: 'node' | 'edge', query: object | undefined, where: string, own: readonly string[]): Find {
  const name = RECORD_KINDS[on].option;
  const given: NodeQuery & EdgeQuery & Partial<Selection & Including> = checkOptions(
    query === undefined ? {} : query,
    [name, ...own],
    where,
  )!;
  const { names, everyName } = on === 'node' ? labelNames(given.label) : typeNames(given.type);
  const { orderBy, descendingIds } = parseOrder(given.orderBy);
  const select = parseSelect(given.select);
  const include = parseInclude(given.include, where);
  if (select !== undefined && include !== undefined)
    throw new DataError('SOMBRA_OPTION', `${where}: select and include cannot be combined: include gives whole nodes`);
  return {
    ...{ on, names, everyName, orderBy, descendingIds, select, include },
    condition: parseWhere(given.where),
    after: placeOf(given.after, orderBy, select),
    limit: countOption(given.limit as number | undefined, Infinity, 'limit'),
    skip: countOption(given.skip as number | undefined, 0, 'skip'),
    memory: undefined,
  };
}

function labelNames(given: unknown): { names: readonly string[] | undefined; everyName: boolean } {
  if (given === undefined) return { names: undefined, everyName: false };
  if (typeof given === 'string') return { names: [given], everyName: false };
  const forms = 'a name, or { any: […] }, or { all: […] }';
  if (Array.isArray(given))
    throw new DataError(
      'SOMBRA_OPTION',
      `label is ${forms}, not an array: say whether nodes need any of these labels or all`,
    );
  if (typeof given !== 'object' || given === null)
    throw new DataError('SOMBRA_OPTION', `label is ${forms}, not ${describe(given)}`);
  const { any, all } = checkOptions(given as { any?: unknown; all?: unknown }, ['any', 'all'], 'label')!;
  if ((any === undefined) === (all === undefined))
    throw new DataError('SOMBRA_OPTION', `label is ${forms}: give one of any and all`);
  return { names: nameList(any ?? all, 'label'), everyName: all !== undefined };
}

function typeNames(given: unknown): { names: readonly string[] | undefined; everyName: boolean } {
  if (given === undefined) return { names: undefined, everyName: false };
  return { names: typeof given === 'string' ? [given] : nameList(given, 'type'), everyName: false };
}

function nameList(given: unknown, option: string): readonly string[] {
  if (!Array.isArray(given) || given.length === 0 || given.some((name) => typeof name !== 'string'))
    throw new DataError(
      'SOMBRA_OPTION',
      `${option} is a name, or a list of names with at least one, not ${Array.isArray(given) && given.length === 0 ? 'an empty list' : describe(given)}`,
    );
  return [...new Set(given as readonly string[])];
}

function parseOrder(given: unknown): Pick<Find, 'orderBy' | 'descendingIds'> {
  const orderBy: { key: string; descending: boolean }[] = [];
  if (given === undefined) return { orderBy, descendingIds: false };
  const list = (Array.isArray(given) ? given : [given]) as readonly (string | OrderBy)[];
  for (const [i, one] of list.entries()) {
    if (typeof one === 'string') {
      orderBy.push({ key: one, descending: false });
      continue;
    }
    const own = checkOptions(one, ['key', 'id', 'descending'], 'orderBy');
    const { key, id } = (own ?? Object.create(null)) as { key?: unknown; id?: unknown };
    const descending = flagOption(own?.descending, false, 'descending');
    if (id === undefined && typeof key === 'string') {
      orderBy.push({ key, descending });
      continue;
    }
    if (id !== true || key !== undefined)
      throw new DataError(
        'SOMBRA_OPTION',
        `orderBy: give key, the name of a property, or id: true; key is ${describe(key)}, id is ${describe(id)}`,
      );
    if (i < list.length - 1)
      throw new DataError('SOMBRA_OPTION', 'orderBy: no two rows have the same id, so nothing can come behind it');
    return { orderBy, descendingIds: descending };
  }
  return { orderBy, descendingIds: false };
}

function parseSelect(given: readonly string[] | undefined): readonly string[] | undefined {
  if (given === undefined) return undefined;
  if (!Array.isArray(given) || given.some((key) => typeof key !== 'string'))
    throw new DataError('SOMBRA_OPTION', `select is a list of names of properties, not ${describe(given)}`);
  return [...new Set(given as readonly string[])];
}

function placeOf(given: unknown, orderBy: Find['orderBy'], select: Find['select']): Place | undefined {
  if (given === undefined) return undefined;
  if (typeof given !== 'object' || given === null)
    throw new DataError('SOMBRA_OPTION', `after is a row as the find gives it, not ${describe(given)}`);
  const { id, properties } = ownOptions(given as PageStart)!;
  checkId(id, on(given));
  if (orderBy.length > 0 && (typeof properties !== 'object' || properties === null))
    throw new DataError(
      'SOMBRA_OPTION',
      `after: the row needs its properties, since the find is ordered by '${orderBy[0]!.key}'`,
    );
  const values = orderBy.map(({ key }) => {
    if (select !== undefined && !select.includes(key))
      throw new DataError('SOMBRA_OPTION', `after: rows lack '${key}', by which they are ordered: add it to select`);
    const value = Object.hasOwn(properties!, key) ? (properties as Record<string, unknown>)[key] : undefined;
    const ordered = new OrderedValue();
    if (value === undefined || value === null) ordered.setUnordered();
    else ordered.set(value as PropertyValue);
    return ordered;
  });
  return { id, values };
}

function on(row: object): 'node' | 'edge' {
  return 'source' in row ? 'edge' : 'node';
}

/** A find whose parameters have no values yet. */
export class OpenFind {
  /** Names of the parameters. */
  readonly parameters: readonly string[];
  private readonly find: Find;
  private readonly rest: { readonly [K in 'after' | 'limit' | 'skip']?: Parameter };
  private readonly memory: PlanMemory = { chosen: undefined };

  /** @throws as `parseFind` */
  constructor(on: 'node' | 'edge', query: object | undefined, where: string) {
    const names = new Set<string>();
    const rest = Object.create(null) as Record<string, Parameter>;
    const given: Record<string, unknown> = {};
    for (const [option, value] of Object.entries(checkedQuery(query, where))) {
      if (!(value instanceof Parameter)) given[option] = value;
      else if (option === 'after' || option === 'limit' || option === 'skip') {
        rest[option] = value;
        names.add(value.name);
      } else throw new DataError('SOMBRA_OPTION', `${where}: ${option} cannot be a parameter; values of where can`);
    }
    this.find = parseFind(on, given, where, FIND_OPTIONS[on]);
    parametersOf(this.find.condition, names);
    this.rest = rest;
    this.parameters = [...names];
  }

  /** The find with these values. @throws DataError SOMBRA_OPTION, and as `parseFind` */
  bind(values: ParameterValues | undefined): Find {
    const given = checkOptions(values === undefined ? {} : values, this.parameters, 'parameters')!;
    const { find, rest, memory } = this;
    const option = (parameter: Parameter | undefined): unknown =>
      parameter === undefined ? undefined : resolved(parameter, given);
    const { after, limit, skip } = rest;
    return {
      ...find,
      condition: this.parameters.length === 0 ? find.condition : bindCondition(find.condition, given),
      after: after === undefined ? find.after : placeOf(option(after), find.orderBy, find.select),
      limit: countOption(option(limit) as number | undefined, find.limit, 'limit'),
      skip: countOption(option(skip) as number | undefined, find.skip, 'skip'),
      memory,
    };
  }
}

function checkedQuery(query: object | undefined, where: string): object {
  if (query === undefined) return {};
  if (typeof query === 'object' && query !== null && !Array.isArray(query)) return query;
  throw new DataError('SOMBRA_OPTION', `${where}: a query is an object, not ${describe(query)}`);
}

/** Is there no order by properties, or has the value no place in it? */
export function hasNoOrder(value: OrderedValue | undefined): boolean {
  return value === undefined || value.kind === KIND.unordered;
}
