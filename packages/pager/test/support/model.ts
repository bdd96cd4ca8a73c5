// A plain model of the pager: pages in a Map, states copied whole. Random operations go to both; the model says what
// every view must read.
import { KIND_OFFSET, PAGE_HEADER_SIZE } from '../../src/index.ts';
import type { Pager, View, WriteTransaction } from '../../src/index.ts';
import { firstDifference } from './bytes.ts';
import type { Random } from './random.ts';

/** What a database holds: page bodies from the kind byte on, counters, trees. Never changed in place. */
export interface ModelState {
  readonly pages: ReadonlyMap<number, Uint8Array>;
  readonly counters: readonly number[];
  readonly trees: ReadonlyMap<string, { root: number; count: number }>;
}

export const EMPTY: ModelState = { pages: new Map(), counters: new Array<number>(16).fill(0), trees: new Map() };

/** Differences between what a view reads and a state; empty when they agree. */
export function compare(view: View, state: ModelState): string[] {
  const wrong: string[] = [];
  for (const [page, body] of state.pages) wrong.push(...comparePage(view, page, body));
  return [...wrong, ...compareCounters(view, state), ...compareTrees(view, state)];
}

/** As `compare`, one page. @param body  from the kind byte on */
export function comparePage(view: View, page: number, body: Uint8Array): string[] {
  const base = view.page(page);
  const { bytes, pageSize } = view.cache;
  if (base % pageSize !== 0) return [`base ${base} of page ${page}`];
  const found = bytes.subarray(base + KIND_OFFSET, base + KIND_OFFSET + body.length);
  if (Buffer.compare(found, body) === 0) return [];
  const at = firstDifference(found, body);
  return [`page ${page} byte ${KIND_OFFSET + at} is ${found[at]}, expected ${body[at]} (lsn ${view.lsn})`];
}

export function compareCounters(view: View, state: ModelState): string[] {
  return state.counters.flatMap((value, index) =>
    view.counter(index) === value ? [] : [`counter ${index} is ${view.counter(index)}, expected ${value}`],
  );
}

export function compareTrees(view: View, state: ModelState): string[] {
  const text = (list: unknown[][]): string => JSON.stringify(list.map((row) => JSON.stringify(row)).sort());
  const found = text(view.trees().map(({ name, root, count }) => [name, root, count]));
  const expected = text([...state.trees].map(([name, { root, count }]) => [name, root, count]));
  return found === expected ? [] : [`trees are ${found}, expected ${expected}`];
}

/** One random change to the page at `base`, whose body the caller owns. */
function changePage(tx: WriteTransaction, base: number, body: Uint8Array, pageSize: number, random: Random): void {
  const free = pageSize - PAGE_HEADER_SIZE;
  const put = (offset: number, value: number, size: number): void => {
    let rest = value;
    for (let i = 0; i < size; i += 1) {
      body[offset + i - KIND_OFFSET] = rest % 256;
      rest = Math.floor(rest / 256);
    }
  };
  const near = random.chance(0.5) ? PAGE_HEADER_SIZE + random.below(64) : PAGE_HEADER_SIZE + random.below(free - 64);
  switch (random.below(8)) {
    case 0: {
      const value = random.below(256);
      tx.setU8(base, near, value);
      return put(near, value, 1);
    }
    case 1: {
      const value = random.below(65536);
      tx.setU16(base, near, value);
      return put(near, value, 2);
    }
    case 2: {
      const value = random.below(2 ** 32);
      tx.setU32(base, near, value);
      return put(near, value, 4);
    }
    case 3: {
      const value = random.below(2 ** 48);
      tx.setU48(base, near, value);
      return put(near, value, 6);
    }
    case 4: {
      const value = random.below(2 ** 53);
      tx.setU64(base, near, value);
      return put(near, value, 8);
    }
    case 5: {
      const length = Math.min(1 + random.below(random.chance(0.2) ? free : 40), pageSize - near);
      const source = random.bytes(length + 3);
      tx.setBytes(base, near, source, 2, 2 + length);
      body.set(source.subarray(2, 2 + length), near - KIND_OFFSET);
      return;
    }
    case 6: {
      const length = 1 + random.below(200);
      const from = PAGE_HEADER_SIZE + random.below(free - length + 1);
      const to = PAGE_HEADER_SIZE + random.below(free - length + 1);
      tx.move(base, to, from, length);
      body.copyWithin(to - KIND_OFFSET, from - KIND_OFFSET, from - KIND_OFFSET + length);
      return;
    }
    default: {
      const length = 1 + random.below(100);
      const at = PAGE_HEADER_SIZE + random.below(free - length + 1);
      const value = random.below(256);
      tx.fill(base, at, length, value);
      body.fill(value, at - KIND_OFFSET, at - KIND_OFFSET + length);
    }
  }
}

/** A state under change. */
class Draft {
  pages: Map<number, Uint8Array>;
  counters: number[];
  trees: Map<string, { root: number; count: number }>;
  constructor(state: ModelState) {
    this.pages = new Map(state.pages);
    this.counters = [...state.counters];
    this.trees = new Map(state.trees);
  }
  state(): ModelState {
    return { pages: new Map(this.pages), counters: [...this.counters], trees: new Map(this.trees) };
  }
}

/**
 * Makes random changes in a write transaction and in the model.
 * @param before  the state that the transaction began with
 * @param steps   number of operations
 * @returns the state that the transaction sees at its end
 */
export function randomChanges(
  tx: WriteTransaction,
  before: ModelState,
  steps: number,
  random: Random,
  savepoints = true,
): ModelState {
  let draft = new Draft(before);
  const { cache } = tx.view;
  const marks: { id: number; state: ModelState }[] = [];
  for (let step = 0; step < steps; step += 1) {
    const pages = [...draft.pages.keys()];
    const kind = random.below(100);
    if (kind < 18 || pages.length === 0) {
      const treeId = random.below(65536);
      const page = tx.allocate(16 + random.below(200), treeId);
      const base = tx.edit(page);
      const body = cache.bytes.slice(base + KIND_OFFSET, base + cache.pageSize);
      if (!body.subarray(8).every((byte) => byte === 0)) throw new Error(`page ${page} is not zero after allocate`);
      changePage(tx, base, body, cache.pageSize, random);
      draft.pages.set(page, body);
    } else if (kind < 28 && pages.length > 3) {
      const page = random.pick(pages);
      if (((page + tx.lsn) & 1) === 0) tx.free(page);
      else tx.freeUntouched(page);
      draft.pages.delete(page);
    } else if (kind < 80) {
      const page = random.pick(pages);
      const base = tx.edit(page);
      const body = draft.pages.get(page)!.slice();
      const times = random.chance(0.1) ? 60 : 1 + random.below(4);
      for (let i = 0; i < times; i += 1) changePage(tx, base, body, cache.pageSize, random);
      draft.pages.set(page, body);
    } else if (kind < 84) {
      const index = random.below(16);
      const value = random.below(2 ** 53);
      tx.setCounter(index, value);
      draft.counters[index] = value;
    } else if (kind < 88) {
      const name = `tree-${random.below(6)}`;
      const slot = tx.view.findTree(name);
      if (slot < 0) {
        tx.createTree(name);
        draft.trees.set(name, { root: 0, count: 0 });
      } else if (random.chance(0.3)) {
        tx.dropTree(slot);
        draft.trees.delete(name);
      } else {
        const root = pages.length > 0 ? random.pick(pages) : 0;
        tx.setTreeRoot(slot, root);
        tx.addTreeCount(slot, 3);
        draft.trees.set(name, { root, count: draft.trees.get(name)!.count + 3 });
      }
    } else if (kind < 93 && savepoints) {
      marks.push({ id: tx.savepoint(), state: draft.state() });
    } else if (kind < 96 && marks.length > 0) {
      const at = random.below(marks.length);
      const { id, state } = marks[at]!;
      tx.rollbackTo(id);
      marks.length = at + 1;
      draft = new Draft(state);
    } else if (marks.length > 0) {
      const at = random.below(marks.length);
      tx.releaseSavepoint(marks[at]!.id);
      marks.length = at;
    }
  }
  return draft.state();
}

/** The pages of a state, for `check`. */
export function reachableOf(state: ModelState): { reachable: (mark: (page: number) => void) => void } {
  return {
    reachable: (mark) => {
      for (const page of state.pages.keys()) mark(page);
    },
  };
}

/** Problems that `check` finds, and differences to the state. */
export function examine(pager: Pager, state: ModelState): string[] {
  return [
    ...compare(pager.view, state),
    ...pager.check(reachableOf(state)).map(({ code, message }) => `${code}: ${message}`),
  ];
}
