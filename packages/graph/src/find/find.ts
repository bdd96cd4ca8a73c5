/** Carrying out finds of nodes and edges: how records are come by, tested and put in order. */
import type { View } from '@sombra/pager';
import { DataError } from '@sombra/vfs';
import { NAME_KIND } from '../names/dictionary.ts';
import { RECORD_KINDS } from '../names/record-kind.ts';
import { EVERY_ID, type IdSource, ListedIds, NameScan, type Range, RecordScan } from '../ids/id-source.ts';
import { indexInfo, type PropertyIndexName } from '../indexes/index-info.ts';
import type { PropertyIndex } from '../indexes/index-set.ts';
import { ID_MAX } from '../model/limits.ts';
import { COUNTER } from '../model/counters.ts';
import type { GraphStore } from '../store/store.ts';
import { ascendingOnce, gather, GATHERED_MAX, IndexStream, OrderedWalk } from './index-scan.ts';
import { MergedScan } from './merged-scan.ts';
import { type AccessKind, conjunctsOf, type Plan, planFind } from './plan.ts';
import { combined, type Condition, describeCondition, hasOrder } from './predicate.ts';
import { Program } from './program.ts';
import { type Find, hasNoOrder, type Place } from './query.ts';
import { compareRows, RowSorter, type SortBy, SortKeyWriter } from './sort-rows.ts';

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
  /** For `union`: how each of several labels or types is read. */
  readonly parts?: readonly FindPlan[];
  /** What would make it faster. */
  readonly hint?: string;
  /** With `analyze`: records that were read, and rows that came of it. */
  readonly rowsRead?: number;
  readonly rowsMatched?: number;
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

/** Ids of the rows, in their order. */
export function* findIds(source: FindSource, find: Find): IterableIterator<number> {
  const run = FindRun.begin(source, find);
  if (run !== undefined && find.limit > 0) yield* run.ids();
}

/** Number of rows; limit and skip do not count. */
export function countFound(source: FindSource, find: Find): number {
  const { names, everyName, condition, on } = find;
  const one = names === undefined || names.length === 1;
  if (one && conjunctsOf(condition).length === 0) return source.rows(on, names?.[0]);
  if (on === 'edge' && names !== undefined && !everyName && conjunctsOf(condition).length === 0)
    return names.reduce((count, name) => count + source.rows(on, name), 0);
  return FindRun.begin(source, unordered(find), false)?.count() ?? 0;
}

/** The same rows, all of them, in any order: an index that gives an order lacks rows that have no place in it. */
function unordered(find: Find): Find {
  return { ...find, orderBy: [], after: undefined, limit: Infinity, skip: 0, memory: undefined };
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

/** Gives each record that fulfils the conditions of a find to `take`, in any order, each once. */
export function visitFound(source: FindSource, find: Find, take: (program: Program, id: number) => void): void {
  FindRun.begin(source, find, false)?.visit(take);
}

/** One way to a part of the records: those of a label or type, or all. */
interface Part {
  /** -1: all records. */
  readonly nameId: number;
  readonly plan: Plan;
}

const NO_INDEXES: readonly PropertyIndex[] = [];

/** One find at work. */
class FindRun {
  private readonly source: FindSource;
  private readonly find: Find;
  /** All of them together give the records; a record may be in several. */
  private readonly parts: readonly Part[];
  private readonly condition: Condition;
  private readonly program: Program;
  private readonly order: SortBy[];
  /** Ids beyond were given while the caller was given rows. */
  private readonly last: number;

  /** @returns undefined when nothing has the label or type */
  static begin(source: FindSource, find: Find, byId = find.orderBy.length === 0): FindRun | undefined {
    const { store } = source;
    const { names } = find;
    const kind = RECORD_KINDS[find.on].names;
    if (names === undefined) return new FindRun(source, find, everything(source, find, byId), find.condition);
    const known = names.filter((name) => store.dictionary.find(kind, name) >= 0);
    if (known.length === 0 || (find.everyName && known.length < names.length)) return undefined;
    const partOf = (name: string, condition: Condition): Part => {
      const nameId = store.dictionary.find(kind, name);
      // What comes together of several parts is put in order afterwards.
      const own = known.length > 1 && !find.everyName && find.orderBy.length > 0 ? unordered(find) : find;
      return { nameId, plan: planOf(source, { ...own, condition }, nameId, name, byId) };
    };
    if (!find.everyName)
      return new FindRun(
        source,
        find,
        known.map((name) => partOf(name, find.condition)),
        find.condition,
      );
    // Those of one of the labels are read, and tested for the others.
    let best: { part: Part; condition: Condition } | undefined;
    for (const name of known) {
      const others = known.filter((one) => one !== name).map((label): Condition => ({ kind: 'label', label }));
      const condition = others.length === 0 ? find.condition : combined('all', [...others, find.condition]);
      const part = partOf(name, condition);
      if (best === undefined || part.plan.estimatedRows < best.part.plan.estimatedRows) best = { part, condition };
    }
    return new FindRun(source, find, [best!.part], best!.condition);
  }

  private constructor(source: FindSource, find: Find, parts: readonly Part[], condition: Condition) {
    const { dictionary } = source.store;
    this.source = source;
    this.find = find;
    this.parts = parts;
    this.condition = condition;
    this.last = source.changing ? source.view.counter(RECORD_KINDS[find.on].nextId) - 1 : ID_MAX;
    this.program = this.programFor(condition);
    this.order = find.orderBy.map(({ key, descending }) => ({
      keyId: dictionary.find(NAME_KIND.propertyKey, key),
      descending,
    }));
  }

  *ids(): IterableIterator<number> {
    const { skip, limit, orderBy } = this.find;
    const { source, ordered } = this;
    let rows = orderBy.length === 0 ? this.byId() : ordered === undefined ? this.bySort() : this.byIndex(ordered);
    // What the caller does to a row could bring it back further on.
    if (source.changing && ordered !== undefined) rows = this.known(rows);
    let number = 0;
    for (const id of rows) {
      number += 1;
      if (number <= skip) continue;
      yield id;
      if (number - skip >= limit) return;
    }
  }

  count(): number {
    const [part] = this.parts;
    const known = this.parts.length === 1 && part!.plan.index !== undefined && this.filters(part!.plan).length === 0;
    let count = 0;
    if (!known) {
      this.visit(() => {
        count += 1;
      });
      return count;
    }
    const { view } = this.source;
    const ids = this.partScan(part!, EVERY_ID);
    for (let more = ids.next(view); more > 0; more = ids.next(view)) count += more;
    return count;
  }

  visit(take: (program: Program, id: number) => void): void {
    const { program, source } = this;
    const ids = this.scan();
    for (let more = ids.next(source.view); more > 0; more = ids.next(source.view)) {
      for (let i = 0; i < more; i += 1) if (program.matches(source.view, ids.ids[i]!)) take(program, ids.ids[i]!);
    }
  }

  explain(analyze: boolean): FindPlan {
    const { source, find, parts } = this;
    const sorted = find.orderBy.length > 0 && this.ordered === undefined;
    const plans = parts.map(({ plan }): FindPlan => {
      const { access, index, estimatedRows } = plan;
      const filters = this.filters(plan).map(describeCondition);
      const of = index === undefined ? {} : { index: indexInfo(index, source.store.dictionary) };
      return { access, ...of, estimatedRows, filters, sorted };
    });
    const hint = this.hint();
    const explained: FindPlan = {
      ...(plans.length === 1 ? plans[0]! : unionOf(plans, sorted, this.usesIndexes)),
      ...(hint === undefined ? {} : { hint }),
    };
    if (!analyze) return explained;
    let rowsMatched = 0;
    if (find.limit > 0) for (const id of this.ids()) if (id > 0) rowsMatched += 1;
    return { ...explained, rowsRead: this.program.rowsRead, rowsMatched };
  }

  /** The part whose index gives the order that is asked for. */
  private get ordered(): Part | undefined {
    const [part] = this.parts;
    const { orderBy } = this.find;
    return orderBy.length > 0 && this.parts.length === 1 && part!.plan.ordered ? part : undefined;
  }

  /** Are all parts read by way of an index? */
  private get usesIndexes(): boolean {
    return this.parts.every(({ plan }) => plan.index !== undefined);
  }

  private hint(): string | undefined {
    const { find, source } = this;
    if (find.names !== undefined || this.usesIndexes) return undefined;
    const { indexes, dictionary } = source.store;
    const keys = new Set(conjunctsOf(find.condition).flatMap((one) => (one.kind === 'test' ? [one.key] : [])));
    const index = indexes
      .of(source.view)
      .all.find((one) => one.on === find.on && keys.has(dictionary.keyName(one.keyIds[0]!)));
    if (index === undefined) return undefined;
    const { name, keys: indexed } = indexInfo(index, dictionary);
    const { plural, option } = RECORD_KINDS[find.on];
    return `all ${plural} are read; there is an index on ${indexed.join(', ')} of '${name}': give the ${option}`;
  }

  /** Conditions that the access does not answer. */
  private filters(plan: Plan): Condition[] {
    return conjunctsOf(this.condition).filter((one) => !plan.answered.has(one));
  }

  private programFor(condition: Condition): Program {
    const { source, find } = this;
    return new Program(source.store, find.on, condition, (id) => source.recordOf(find.on, id));
  }

  /** Ids to look at, each once, in whatever order they come fastest. */
  private scan(): IdSource {
    const { parts } = this;
    if (parts.length === 1) return this.partScan(parts[0]!, EVERY_ID);
    if (!this.usesIndexes) return this.everyRow(EVERY_ID);
    return this.gathered(EVERY_ID) ?? this.everyRow(EVERY_ID);
  }

  private partScan({ nameId, plan }: Part, range: Range): IdSource {
    return plan.index === undefined
      ? this.rowsOf(nameId, range)
      : new IndexStream(plan.index, plan.ranges, plan.estimatedRows);
  }

  /** All ids that have one of the names, in the order of ids. */
  private everyRow(range: Range): IdSource {
    const { parts } = this;
    const sources = parts.map(({ nameId }) => this.rowsOf(nameId, range));
    return sources.length === 1 ? sources[0]! : new MergedScan(sources, range.reverse);
  }

  /** All ids of the label or type, or of all. */
  private rowsOf(nameId: number, range: Range): IdSource {
    const { tree, byName } = this.source.store.table(this.find.on);
    return nameId < 0 ? new RecordScan(tree, range) : new NameScan(byName, nameId, range);
  }

  /** What the indexes of all parts give, in the order of ids; undefined when it is more than can be gathered. */
  private gathered(range: Range): IdSource | undefined {
    const { source, parts } = this;
    const lists: Float64Array[] = [];
    let count = 0;
    for (const part of parts) {
      const found = gather(this.partScan(part, range), source.view, GATHERED_MAX - count);
      if (found === undefined) return undefined;
      lists.push(found);
      count += found.length;
    }
    let all = lists[0]!;
    if (lists.length > 1) {
      all = new Float64Array(count);
      let at = 0;
      for (const list of lists) {
        all.set(list, at);
        at += list.length;
      }
    }
    all = all.subarray(0, ascendingOnce(all)).filter((id) => id >= range.from && id <= range.to);
    if (range.reverse) all.reverse();
    return new ListedIds(all, all.length);
  }

  /** Ids that come behind `after`, or all, by id. */
  private idRange(after: Place | undefined): Range {
    const { descendingIds } = this.find;
    if (after === undefined) return { ...EVERY_ID, to: this.last, reverse: descendingIds };
    return descendingIds
      ? { ...EVERY_ID, to: after.id - 1, reverse: true }
      : { ...EVERY_ID, from: Math.min(after.id + 1, ID_MAX), to: after.id === ID_MAX ? 0 : this.last };
  }

  private byId(): Iterable<number> {
    const { parts, find } = this;
    const range = this.idRange(find.after);
    const [part] = parts;
    const { plan } = part!;
    if (parts.length === 1 && plan.oneKey && find.after === undefined && !find.descendingIds)
      return this.matching(this.partScan(part!, range), this.program);
    // More than the plan expected: all rows are read in the order of their ids instead.
    const ids = this.usesIndexes ? this.gathered(range) : undefined;
    return this.matching(ids ?? this.everyRow(range), this.program);
  }

  private *byIndex({ nameId, plan }: Part): Iterable<number> {
    const { find, order, source } = this;
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
    const { after } = find;
    let behind = after === undefined ? undefined : writer.keyOf(after.values, order, after.id);
    for (const id of this.matching(walk, this.program)) {
      if (behind !== undefined) {
        const key = this.program.sortKey(source.view, id, order, writer);
        if (key === undefined || compareRows(key, behind) <= 0) continue;
        behind = undefined; // those that follow come behind it as well
      }
      yield id;
    }
    if (!plan.unorderedToo) return;
    const rest = this.programFor(
      combined('all', [{ kind: 'not', part: hasOrder(find.orderBy[0]!.key) }, this.condition]),
    );
    const range = this.idRange(after !== undefined && hasNoOrder(after.values[0]) ? after : undefined);
    try {
      yield* this.matching(this.rowsOf(nameId, range), rest);
    } finally {
      this.program.rowsRead += rest.rowsRead;
    }
  }

  private bySort(): Iterable<number> {
    const { source, order, find } = this;
    const { after, descendingIds } = find;
    const sorter = new RowSorter(find.skip + find.limit, undefined, descendingIds);
    const writer = new SortKeyWriter(descendingIds);
    const behind = after === undefined ? undefined : writer.keyOf(after.values, order, after.id);
    this.visit((program, id) => {
      const key = program.sortKey(source.view, id, order, writer);
      if (key !== undefined && (behind === undefined || compareRows(key, behind) > 0)) sorter.add(key);
    });
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

/** All records of a kind; edges by their types where each has an index that serves, since every edge has one type. */
function everything(source: FindSource, find: Find, byId: boolean): Part[] {
  const all: Part = { nameId: -1, plan: planOf(source, find, -1, undefined, byId) };
  const { store, view } = source;
  if (find.on === 'node' || find.orderBy.length > 0 || !store.indexes.of(view).has('edge')) return [all];
  const parts: Part[] = [];
  let estimatedRows = 0;
  for (const name of store.dictionary.names(NAME_KIND.edgeType, view.counter(COUNTER.edgeTypes))) {
    if (source.rows('edge', name) === 0) continue;
    const nameId = store.dictionary.find(NAME_KIND.edgeType, name);
    const plan = planOf(source, { ...find, memory: undefined }, nameId, name, byId);
    if (plan.index === undefined) return [all];
    parts.push({ nameId, plan });
    estimatedRows += plan.estimatedRows;
  }
  return parts.length > 0 && estimatedRows < all.plan.estimatedRows ? parts : [all];
}

function planOf(source: FindSource, find: Find, nameId: number, name: string | undefined, byId: boolean): Plan {
  const { store, view } = source;
  return planFind(view, store.dictionary, {
    indexes: nameId < 0 ? NO_INDEXES : store.indexes.of(view).of(find.on, nameId),
    condition: find.condition,
    orderBy: find.orderBy,
    descendingIds: find.descendingIds,
    wanted: find.skip + find.limit,
    rows: source.rows(find.on, name),
    named: nameId >= 0,
    byId,
    after: find.after?.values[0],
    indexVersion: view.counter(COUNTER.indexVersion),
    memory: find.names?.length === 1 ? find.memory : undefined,
  });
}

function unionOf(plans: readonly FindPlan[], sorted: boolean, usesIndexes: boolean): FindPlan {
  const estimatedRows = plans.reduce((sum, plan) => sum + plan.estimatedRows, 0);
  const filters = [...new Set(plans.flatMap((plan) => plan.filters))];
  return { access: usesIndexes ? 'union' : 'label-scan', parts: plans, estimatedRows, filters, sorted };
}
