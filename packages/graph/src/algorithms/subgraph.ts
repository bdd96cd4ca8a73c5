/** Which part of a graph an algorithm works on. */
import type { View } from '@sombra/pager';
import { CorruptionError, DataError } from '@sombra/vfs';
import { NAME_KIND } from '../names/dictionary.ts';
import { EVERY_ID, type IdSource, NameScan, NoIds, RecordScan } from '../ids/id-source.ts';
import { checkOptions, describe } from '../model/options.ts';
import type { GraphStore } from '../store/store.ts';
import { missingNode } from '../model/damage.ts';
import { COUNTER } from '../model/counters.ts';
import { TypeFilter } from '../names/type-filter.ts';
import { MemoryBudget } from './memory-budget.ts';
import type { ReadSource } from '../traversal/read-source.ts';
import type { Steps } from '../model/steps.ts';
import { RUN_OPTIONS, type RunOptions } from '../model/run-options.ts';

/**
 * Options of every algorithm over the whole graph.
 * `label`: only nodes that have it, and the edges among them. `type`: only edges of these types.
 * `maxMemoryMb`: most MiB of memory for the run, 1024 by default; beyond it DataError SOMBRA_MEMORY_LIMIT.
 */
export interface AlgorithmOptions extends RunOptions {
  readonly label?: string;
  readonly type?: string | readonly string[];
  readonly maxMemoryMb?: number;
}

const ALGORITHM_OPTIONS = ['label', 'type', 'maxMemoryMb', ...RUN_OPTIONS] as const;

/** Up to so many ids per node, and some, each id has a place of its own; else its place is searched for. */
const SPREAD_MAX = 8;
const SPREAD_FREE = 65_536;

/** The nodes and edge types of a run. Nodes are numbered 0, 1, 2 … by ascending id: `ids[index]` is the id. */
export class Subgraph {
  readonly store: GraphStore;
  readonly view: View;
  readonly filter: TypeFilter;
  readonly budget: MemoryBudget;
  /** Are edges left out that lead to nodes outside? */
  readonly partial: boolean;
  readonly ids: Float64Array<ArrayBuffer>;
  /** Number of nodes. */
  readonly count: number;
  /** Number of edges of these types in the whole graph, as it is counted; there may be fewer here. */
  readonly edgesMax: number;
  /** Per id its index plus 1; empty when ids are searched for. */
  private readonly places: Uint32Array;

  constructor(
    { reader, store, view }: ReadSource,
    filter: TypeFilter,
    budget: MemoryBudget,
    ids: Float64Array<ArrayBuffer>,
    partial: boolean,
  ) {
    this.store = store;
    this.view = view;
    this.filter = filter;
    this.budget = budget;
    this.ids = ids;
    this.count = ids.length;
    this.partial = partial;
    this.edgesMax =
      filter.ids === undefined
        ? reader.edgeCount()
        : filter.ids.reduce((sum, id) => sum + reader.edgeCount(store.dictionary.name(NAME_KIND.edgeType, id)), 0);
    if (this.edgesMax >= view.counter(COUNTER.nextEdgeId)) throw miscounted(this.edgesMax);
    const last = ids.at(-1) ?? 0;
    this.places = budget.words(last <= SPREAD_MAX * ids.length + SPREAD_FREE ? last + 1 : 0);
    if (this.places.length > 0) for (let i = 0; i < ids.length; i += 1) this.places[ids[i]!] = i + 1;
  }

  /** Index of a node, -1 for one outside. @throws CorruptionError SOMBRA_ADJACENCY for one that does not exist */
  indexOf(id: number): number {
    const { places } = this;
    const index = id < places.length ? places[id]! - 1 : places.length > 0 ? -1 : this.search(id);
    if (index < 0 && !this.partial) throw missingNode(id);
    return index;
  }

  private search(id: number): number {
    const { ids } = this;
    let low = 0;
    let high = ids.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = ids[middle]!;
      if (found === id) return middle;
      if (found < id) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}

/**
 * Checks the options that all algorithms have, and reads which nodes there are. Memory: 8 bytes per node, and 4 per id up to
 * the last one while at least every eighth id is there.
 * @param more   names of the options that this algorithm has besides
 * @param where  its name, for messages
 */
export function* readSubgraph(
  source: ReadSource,
  options: AlgorithmOptions | undefined,
  more: readonly string[],
  where: string,
): Steps<Subgraph> {
  options = checkOptions(options, [...ALGORITHM_OPTIONS, ...more], where);
  const label = options?.label;
  if (label !== undefined && typeof label !== 'string')
    throw new DataError('SOMBRA_OPTION', `label is a name, not ${describe(label)}`);
  const { store, view } = source;
  const budget = new MemoryBudget(options?.maxMemoryMb);
  const filter = new TypeFilter().set(options?.type, store.dictionary);
  const labelId = label === undefined ? -1 : store.dictionary.find(NAME_KIND.label, label);
  const scan: IdSource =
    label === undefined
      ? new RecordScan(store.nodes.tree, EVERY_ID)
      : labelId < 0
        ? new NoIds()
        : new NameScan(store.nodes.byName, labelId, EVERY_ID);
  const expected = source.reader.nodeCount(label);
  if (expected >= view.counter(COUNTER.nextNodeId)) throw miscounted(expected);
  const ids = budget.floats(expected);
  let count = 0;
  for (let found = scan.next(view); found > 0; found = scan.next(view)) {
    if (count + found > expected) throw miscounted(expected);
    ids.set(found === scan.ids.length ? scan.ids : scan.ids.subarray(0, found), count);
    count += found;
    yield;
  }
  if (count !== expected) throw miscounted(expected);
  return new Subgraph(source, filter, budget, ids, label !== undefined);
}

function miscounted(count: number): CorruptionError {
  return new CorruptionError(
    'SOMBRA_STATISTICS',
    `there are not as many nodes or edges as are counted, ${count}; run verify, restore from a backup`,
  );
}
