/** Finding nodes and edges by their properties: what is asked for, how it is read, what comes of it. */
import type { View } from '@sombra/pager';
import { DataError } from '@sombra/vfs';
import { NAME_KIND } from '../names/dictionary.ts';
import { EVERY_ID, type IdSource, ListedIds, NameScan, RecordScan } from '../ids/id-source.ts';
import { ID_MAX } from '../model/limits.ts';
import { checkOptions, countOption, describe, flagOption } from '../model/options.ts';
import { indexInfo, type PropertyIndexName } from '../indexes/index-info.ts';
import { COUNTER, type GraphStore } from '../store/store.ts';
import type { EdgeRecord, NodeRecord, Properties } from '../model/types.ts';
import { ascendingOnce, gather, GATHERED_MAX, IndexStream, OrderedWalk } from './index-scan.ts';
import { type AccessKind, conjunctsOf, type Plan, planFind } from './plan.ts';
import { ANYTHING, type Condition, describeCondition, hasOrder, parseWhere, type Where } from './predicate.ts';
import { Program } from './program.ts';
import { RowSorter, type SortBy, SortKeyWriter } from './sort-rows.ts';

/** By what to order. Kinds of values come as boolean, number, text, bytes, date; what has no order last in both directions. */
export interface OrderBy {
  readonly key: string;
  /** From the greatest to the least. Default false. */
  readonly descending?: boolean;
}

/** What `find` and `findEdges` have in common. */
interface RowQuery<R> {
  /** What rows must fulfil. Default: nothing. */
  readonly where?: Where<R> | undefined;
  /** Property or properties to order by; rows that are equal in these come by id, and so do all without it. */
  readonly orderBy?: string | OrderBy | readonly (string | OrderBy)[] | undefined;
  /** At most so many rows. Default: all. */
  readonly limit?: number | undefined;
  /** Rows to leave out at the beginning. Default 0. */
  readonly skip?: number | undefined;
}

/** A find of nodes. `label`: those that have it; without it all nodes are read, since indexes are on labels. */
export interface NodeQuery extends RowQuery<NodeRecord> {
  readonly label?: string | undefined;
}

/** A find of edges. */
export interface EdgeQuery extends RowQuery<EdgeRecord> {
  readonly type?: string | undefined;
}

/** Only these properties are read of each row. */
export interface Selection {
  readonly select: readonly string[];
}

/** A row with the selected properties that it has, in the order of `select`. */
export interface SelectedRecord {
  id: number;
  properties: Properties;
}

/** How a find is carried out. */
export interface FindPlan {
  readonly access: AccessKind;
  /** The index that is read. */
  readonly index?: PropertyIndexName;
  /** Records that will be read, as far as one can tell. */
  readonly estimatedRows: number;
  /** Conditions that are tested on the records, without their values. */
  readonly filters: readonly string[];
  /** Are rows put in order in memory, since no index gives the order? */
  readonly sorted: boolean;
  /** With `analyze`: records that were read, and rows that came of it. */
  readonly rowsRead?: number;
  readonly rowsMatched?: number;
}

/** A checked query. */
export interface Find {
  readonly on: 'node' | 'edge';
  readonly name: string | undefined;
  readonly condition: Condition;
  readonly orderBy: readonly { readonly key: string; readonly descending: boolean }[];
  readonly limit: number;
  readonly skip: number;
  readonly select: readonly string[] | undefined;
}

/** What finds read from. */
export interface FindSource {
  readonly store: GraphStore;
  /** What the reader sees. */
  readonly view: View;
  /** May the caller change the graph while rows are given to it? */
  readonly changing: boolean;
  /** The whole record, for the caller's functions. */
  recordOf(on: 'node' | 'edge', id: number): unknown;
  /** Nodes of a label, edges of a type, or all. */
  rows(on: 'node' | 'edge', name: string | undefined): number;
}

/**
 * Checks a query.
 * @param where  name of the call, for messages
 * @throws DataError SOMBRA_OPTION, SOMBRA_TEXT_SURROGATE
 */
export function parseFind(on: 'node' | 'edge', query: object | undefined, where: string, own: readonly string[]): Find {
  const name = on === 'node' ? 'label' : 'type';
  const given = checkOptions(query as (NodeQuery & EdgeQuery & Partial<Selection>) | undefined, [name, ...own], where);
  const named = given?.[name];
  if (named !== undefined && typeof named !== 'string')
    throw new DataError('SOMBRA_OPTION', `${name} is a name, not ${describe(named)}`);
  return {
    on,
    name: named,
    condition: parseWhere(given?.where),
    orderBy: parseOrder(given?.orderBy),
    limit: countOption(given?.limit, Infinity, 'limit'),
    skip: countOption(given?.skip, 0, 'skip'),
    select: parseSelect(given?.select),
  };
}

/** Options of finds, besides label or type. */
export const FIND_OPTIONS = ['where', 'orderBy', 'limit', 'skip', 'select'] as const;
/** Options of counts. */
export const COUNT_OPTIONS = ['where'] as const;

function parseOrder(given: NodeQuery['orderBy']): Find['orderBy'] {
  if (given === undefined) return [];
  const list = Array.isArray(given) ? (given as readonly (string | OrderBy)[]) : [given as string | OrderBy];
  return list.map((one) => {
    if (typeof one === 'string') return { key: one, descending: false };
    const own = checkOptions(one, ['key', 'descending'], 'orderBy');
    if (typeof own?.key !== 'string')
      throw new DataError('SOMBRA_OPTION', `orderBy: key is the name of a property, not ${describe(own?.key)}`);
    return { key: own.key, descending: flagOption(own.descending, false, 'descending') };
  });
}

function parseSelect(given: readonly string[] | undefined): readonly string[] | undefined {
  if (given === undefined) return undefined;
  if (!Array.isArray(given) || given.some((key) => typeof key !== 'string'))
    throw new DataError('SOMBRA_OPTION', `select is a list of names of properties, not ${describe(given)}`);
  return [...new Set(given as readonly string[])];
}

/** Ids of the rows, in their order. */
export function* findIds(source: FindSource, find: Find): IterableIterator<number> {
  const run = FindRun.begin(source, find);
  if (run !== undefined && find.limit > 0) yield* run.ids();
}

/** Number of rows; limit and skip do not count. */
export function countFound(source: FindSource, find: Find): number {
  if (find.condition === ANYTHING || conjunctsOf(find.condition).length === 0) return source.rows(find.on, find.name);
  return FindRun.begin(source, find, false)?.count() ?? 0;
}

/** How a find is carried out. @param analyze  carries it out */
export function explainFind(source: FindSource, find: Find, analyze: boolean): FindPlan {
  const run = FindRun.begin(source, find);
  if (run === undefined) {
    const none: FindPlan = { access: 'label-scan', estimatedRows: 0, filters: [], sorted: false };
    return analyze ? { ...none, rowsRead: 0, rowsMatched: 0 } : none;
  }
  return run.explain(analyze);
}

/** One find at work. */
class FindRun {
  private readonly source: FindSource;
  private readonly find: Find;
  private readonly nameId: number;
  private readonly plan: Plan;
  private readonly program: Program;
  private readonly order: SortBy[];
  /** Ids beyond were given while the caller was given rows. */
  private readonly last: number;

  /** @returns undefined when nothing has the label or type */
  static begin(source: FindSource, find: Find, byId = find.orderBy.length === 0): FindRun | undefined {
    const { store } = source;
    if (find.name === undefined) return new FindRun(source, find, -1, byId);
    const nameId = store.dictionary.find(find.on === 'node' ? NAME_KIND.label : NAME_KIND.edgeType, find.name);
    return nameId < 0 ? undefined : new FindRun(source, find, nameId, byId);
  }

  private constructor(source: FindSource, find: Find, nameId: number, byId: boolean) {
    const { store, view } = source;
    const { dictionary } = store;
    this.source = source;
    this.find = find;
    this.nameId = nameId;
    this.plan = planFind(view, dictionary, {
      indexes: nameId < 0 ? [] : store.indexes.of(view).of(find.on, nameId),
      condition: find.condition,
      orderBy: find.orderBy,
      wanted: find.skip + find.limit,
      rows: source.rows(find.on, find.name),
      named: nameId >= 0,
      byId,
    });
    this.last = source.changing
      ? view.counter(find.on === 'node' ? COUNTER.nextNodeId : COUNTER.nextEdgeId) - 1
      : ID_MAX;
    this.program = this.programFor(find.condition);
    this.order = find.orderBy.map(({ key, descending }) => ({
      keyId: dictionary.find(NAME_KIND.propertyKey, key),
      descending,
    }));
  }

  *ids(): IterableIterator<number> {
    const { skip, limit, orderBy } = this.find;
    const { source } = this;
    let rows = orderBy.length === 0 ? this.byId() : this.plan.ordered ? this.byIndex() : this.bySort();
    // What the caller does to a row could bring it back further on.
    if (source.changing && orderBy.length > 0 && this.plan.ordered) rows = this.known(rows);
    let number = 0;
    for (const id of rows) {
      number += 1;
      if (number <= skip) continue;
      yield id;
      if (number - skip >= limit) return;
    }
  }

  count(): number {
    const { plan, program, source } = this;
    const ids = this.scan();
    const known = plan.index !== undefined && this.filters().length === 0;
    let count = 0;
    for (let more = ids.next(source.view); more > 0; more = ids.next(source.view)) {
      if (known) {
        count += more;
        continue;
      }
      for (let i = 0; i < more; i += 1) if (program.matches(source.view, ids.ids[i]!)) count += 1;
    }
    return count;
  }

  explain(analyze: boolean): FindPlan {
    const { plan, source, find } = this;
    const { access, index, estimatedRows } = plan;
    const explained: FindPlan = {
      access,
      ...(index === undefined ? {} : { index: indexInfo(index, source.store.dictionary) }),
      estimatedRows,
      filters: this.filters().map(describeCondition),
      sorted: find.orderBy.length > 0 && !plan.ordered,
    };
    if (!analyze) return explained;
    let rowsMatched = 0;
    if (find.limit > 0) for (const id of this.ids()) if (id > 0) rowsMatched += 1;
    return { ...explained, rowsRead: this.program.rowsRead, rowsMatched };
  }

  /** Conditions that the access does not answer. */
  private filters(): Condition[] {
    return conjunctsOf(this.find.condition).filter((one) => !this.plan.answered.has(one));
  }

  private programFor(condition: Condition): Program {
    const { source, find } = this;
    return new Program(source.store, find.on, condition, (id) => source.recordOf(find.on, id));
  }

  /** Ids to look at, in whatever order they come fastest. */
  private scan(): IdSource {
    const { plan } = this;
    return plan.index === undefined ? this.everyRow() : new IndexStream(plan.index, plan.ranges, plan.estimatedRows);
  }

  /** All ids of the label or type, or of all. */
  private everyRow(): IdSource {
    const { source, find, nameId } = this;
    const { store } = source;
    const node = find.on === 'node';
    if (nameId < 0) return new RecordScan(node ? store.nodes : store.edges, EVERY_ID);
    return new NameScan(node ? store.labelIndex : store.typeIndex, nameId, EVERY_ID);
  }

  private byId(): Iterable<number> {
    const { plan, source } = this;
    const stream = this.scan();
    if (plan.index === undefined || plan.oneKey) return this.matching(stream, this.program);
    const found = gather(stream, source.view);
    // More than the plan expected: all rows are read in the order of their ids instead.
    if (found === undefined) return this.matching(this.everyRow(), this.program);
    const count = ascendingOnce(found);
    return this.matching(new ListedIds(found, count), this.program);
  }

  private *byIndex(): Iterable<number> {
    const { plan, find, order } = this;
    const writer = new SortKeyWriter();
    const walk = new OrderedWalk(
      plan.index!,
      plan.ranges[0]!,
      order[0]!.descending,
      plan.component,
      (view: View, ids: Float64Array) => {
        const sorter = new RowSorter(Infinity);
        for (const id of ids) {
          const key = this.program.sortKey(view, id, order, writer);
          if (key !== undefined) sorter.add(key);
        }
        return sorter.ids();
      },
    );
    yield* this.matching(walk, this.program);
    if (!plan.unorderedToo) return;
    const rest = this.programFor({
      kind: 'all',
      parts: [{ kind: 'not', part: hasOrder(find.orderBy[0]!.key) }, find.condition],
    });
    try {
      yield* this.matching(this.everyRow(), rest);
    } finally {
      this.program.rowsRead += rest.rowsRead;
    }
  }

  private bySort(): Iterable<number> {
    const { source, program, order, find } = this;
    const sorter = new RowSorter(find.skip + find.limit);
    const writer = new SortKeyWriter();
    const ids = this.scan();
    for (let more = ids.next(source.view); more > 0; more = ids.next(source.view)) {
      for (let i = 0; i < more; i += 1) {
        const id = ids.ids[i]!;
        if (!program.matches(source.view, id)) continue;
        const key = program.sortKey(source.view, id, order, writer);
        if (key !== undefined) sorter.add(key);
      }
    }
    return sorter.ids();
  }

  /** The rows that will be asked for, looked up at once. */
  private known(rows: Iterable<number>): number[] {
    const { skip, limit } = this.find;
    const found: number[] = [];
    for (const id of rows) {
      if (found.length === GATHERED_MAX)
        throw new DataError(
          'SOMBRA_SORT_MEMORY',
          `in a transaction an ordered find gives at most ${GATHERED_MAX} rows: give a limit, or find outside of it`,
        );
      found.push(id);
      if (found.length >= skip + limit) break;
    }
    return found;
  }

  private *matching(ids: IdSource, program: Program): Iterable<number> {
    const { source } = this;
    for (let more = ids.next(source.view); more > 0; more = ids.next(source.view)) {
      for (let i = 0; i < more; i += 1) {
        const id = ids.ids[i]!;
        // Where the caller may add rows, ids ascend, or all of them are known before the first is given.
        if (id > this.last) return;
        if (!program.matches(source.view, id)) continue;
        yield id;
        // The caller may have given names to properties, or taken them back.
        if (source.changing) program.bind(source.store.dictionary);
      }
    }
  }
}
