// Random runs of the key-value store against sorted maps.
import { MemoryVfs } from '@sombra/vfs';
import {
  KeyValueStore,
  type KeyValueReader,
  type KeyValueSnapshot,
  type KeyValueTransaction,
  type RangeIterator,
  type RangeOptions,
} from '../../src/index.ts';
import { bytes, digits, sorted, text } from './entries.ts';
import { codeOf } from './errors.ts';
import { SMALL } from './open.ts';
import { agree, keyOf, same, sameEntries, sameKeys, valueOf, type Operation } from './operations.ts';

export const STORE_WEIGHTS = {
  nothing: 1,
  put: 12,
  putMany: 4,
  delete: 6,
  clear: 1,
  dropTree: 1,
  transaction: 6,
  end: 7,
  fail: 3,
  promise: 1,
  refused: 2,
  snapshot: 2,
  releaseSnapshot: 1,
  beginWalk: 4,
  stepWalk: 8,
  endWalk: 2,
  checkpoint: 2,
  reopen: 1,
  bulkLoad: 1,
  read: 6,
  range: 8,
} as const;

type Name = keyof typeof STORE_WEIGHTS;
/** Entries by tree; trees without entries may be missing. Never changed once it is committed or held by a snapshot. */
type Model = Map<string, Map<string, string>>;

const TREES = ['default', 'a', 'b', 'Größe'];
const DEPTH_MAX = 3;

/** What ends a callback on purpose. */
class Fail extends Error {}

/** An iterator under way. */
interface OpenWalk {
  readonly iterator: RangeIterator<Uint8Array>;
  readonly tree: string;
  readonly range: RangeOptions;
  readonly of: 'store' | 'transaction' | KeyValueSnapshot;
  /** What it reads: of a store the commit of its first step; of a transaction what it has written by then. */
  model: Model | undefined;
  /** The key it gave last. */
  place: string | undefined;
  left: number;
}

/** Something to read, and what it must give. */
interface Source {
  readonly reader: KeyValueReader & { tree(name: string): KeyValueReader };
  readonly model: Model;
  readonly of: OpenWalk['of'];
}

/** A store and a model that must stay the same. */
class StoreRun {
  private readonly vfs = new MemoryVfs();
  private readonly cacheSize: number;
  private readonly operations: readonly Operation<Name>[];
  private at = 0;
  private store: KeyValueStore;
  private committed: Model = new Map();
  private snapshots: { snapshot: KeyValueSnapshot; model: Model }[] = [];
  private walks: OpenWalk[] = [];

  constructor(cacheSize: number, operations: readonly Operation<Name>[]) {
    this.cacheSize = cacheSize;
    this.operations = operations;
    this.store = this.open();
  }

  /** Carries out all operations. */
  run(): void {
    while (this.at < this.operations.length) this.step(this.operations[this.at++]!);
    this.finish();
  }

  private open(): KeyValueStore {
    return KeyValueStore.open({ vfs: this.vfs, ...SMALL, cacheSize: this.cacheSize, maxTransactionPages: 500 });
  }

  /** An operation outside of transactions. */
  private step([name, a, b, c]: Operation<Name>): void {
    switch (name) {
      case 'transaction':
        return this.transaction();
      case 'snapshot':
        if (this.snapshots.length < 3) this.snapshots.push({ snapshot: this.store.snapshot(), model: this.committed });
        return;
      case 'releaseSnapshot': {
        const [released] = this.snapshots.splice(a % (this.snapshots.length || 1), 1);
        released?.snapshot.release();
        for (const walk of this.walks) if (walk.of === released?.snapshot) isOver(walk, 'SOMBRA_CLOSED');
        this.walks = this.walks.filter(({ of }) => of !== released?.snapshot);
        return;
      }
      case 'checkpoint':
        this.store.checkpoint();
        return;
      case 'reopen':
        return this.reopen();
      case 'bulkLoad':
        return this.bulkLoad(a, b, c);
      case 'read':
      case 'range':
      case 'beginWalk': {
        return this.query(name, this.reader(c), a, b, c, this.walks);
      }
      case 'stepWalk':
      case 'endWalk':
        return this.stepWalks(this.walks, name, a, b);
      default: {
        const model = copyOf(this.committed);
        this.write(this.store, model, name, a, b, c);
        this.committed = model;
      }
    }
  }

  /** A transaction: the operations up to its end. */
  private transaction(): void {
    const draft = copyOf(this.committed);
    const code = this.ending((fn) => this.store.transaction(fn), draft, 1);
    if (code === undefined) this.committed = draft;
  }

  /**
   * Runs operations in a callback until one ends it.
   * @param draft  changed as the transaction is
   * @returns undefined when it was kept, else how it ended
   */
  private ending(
    begin: (fn: (tx: KeyValueTransaction) => unknown) => unknown,
    draft: Model,
    depth: number,
  ): string | undefined {
    let how: string | undefined;
    const walks: OpenWalk[] = [];
    try {
      begin((tx) => {
        while (this.at < this.operations.length) {
          const [name, a, b, c] = this.operations[this.at++]!;
          if (name === 'end') break;
          if (name === 'fail') throw new Fail();
          if (name === 'promise') {
            how = 'promise';
            return Promise.reject(new Fail());
          }
          if (name === 'transaction' && depth < DEPTH_MAX) {
            const before = copyOf(draft);
            const nested = (fn: (inner: KeyValueTransaction) => unknown): unknown =>
              a % 2 === 0 ? tx.transaction(fn) : this.store.transaction(fn);
            if (this.ending(nested, draft, depth + 1) !== undefined) restore(draft, before);
          } else if (name === 'stepWalk' || name === 'endWalk')
            this.stepWalks(b % 3 === 0 ? this.walks : walks, name, a, b);
          else if (name === 'read' || name === 'range') {
            this.query(
              name,
              c % 4 === 0 ? this.reader(c >> 2) : { reader: tx, model: draft, of: 'transaction' },
              a,
              b,
              c,
              walks,
            );
          } else if (name === 'beginWalk')
            this.query(name, { reader: tx, model: draft, of: 'transaction' }, a, b, c, walks);
          else if (name === 'dropTree') {
            const tree = TREES[a % TREES.length]!;
            for (const { iterator } of walks.filter((walk) => walk.tree === tree)) iterator.return();
            walks.splice(0, walks.length, ...walks.filter((walk) => walk.tree !== tree));
            this.write(tx, draft, name, a, b, c);
          } else if (
            name === 'put' ||
            name === 'putMany' ||
            name === 'delete' ||
            name === 'clear' ||
            name === 'refused'
          )
            this.write(tx, draft, name, a, b, c);
        }
        return undefined;
      });
    } catch (error) {
      if (error instanceof Fail) how = 'fail';
      else if ((error as { code?: string }).code !== 'SOMBRA_PROMISE_IN_TRANSACTION' || how !== 'promise') throw error;
    }
    for (const walk of walks) {
      if (depth === 1) isOver(walk, 'SOMBRA_TX_DONE');
      else walk.iterator.return();
    }
    return how;
  }

  private write(
    on: KeyValueStore | KeyValueTransaction,
    model: Model,
    name: Name,
    a: number,
    b: number,
    c: number,
  ): void {
    const at = TREES[a % TREES.length]!;
    const tree = at === 'default' && b % 2 === 0 ? on : on.tree(at);
    let entries = model.get(at);
    if (entries === undefined) model.set(at, (entries = new Map()));
    const key = keyOf(b);
    switch (name) {
      case 'put':
        tree.put(bytes(key), bytes(valueOf(c)));
        entries.set(key, valueOf(c));
        break;
      case 'putMany':
        for (let i = 0, count = 2 + (on === this.store ? c % 4 : c % 100); i < count; i += 1) {
          const one = c % 2 === 0 ? digits((b % 250) + i, 4) : keyOf(b + i * 97);
          // Text of ASCII and its bytes are the same key.
          tree.put(c % 3 === 0 && c % 2 === 0 ? one : bytes(one), bytes(valueOf(c + i * 33)));
          entries.set(one, valueOf(c + i * 33));
        }
        break;
      case 'delete': {
        const keys = [...entries.keys()];
        const one = c % 4 === 0 ? key : (keys[b % (keys.length || 1)] ?? key);
        same(tree.delete(bytes(one)), entries.delete(one), `deleting '${one}'`);
        break;
      }
      case 'clear':
        same(tree.clear(), entries.size, 'the number of entries cleared');
        entries.clear();
        break;
      case 'dropTree': {
        const there = on.trees().some((one) => one.name === at);
        same(on.dropTree(at), there, 'whether a tree was dropped');
        same(
          on.trees().some((one) => one.name === at),
          false,
          'whether the dropped tree is there',
        );
        entries.clear();
        break;
      }
      case 'refused': {
        const wrong: [() => unknown, string][] = [
          [() => tree.put('k'.repeat(513), 'v'), 'SOMBRA_KEY_TOO_LONG'],
          [() => tree.put('\ud800', 'v'), 'SOMBRA_TEXT_SURROGATE'],
          [() => tree.put(bytes(key), '\udfff'), 'SOMBRA_TEXT_SURROGATE'],
          [() => tree.delete(7 as never), 'SOMBRA_VALUE_KIND'],
          [
            () =>
              this.store.bulkLoad(
                [
                  ['b', '1'],
                  ['a', '1'],
                ],
                { tree: 'never' },
              ),
            on === this.store ? 'SOMBRA_KEY_ORDER' : 'SOMBRA_TRANSACTION_ACTIVE',
          ],
        ];
        const [run, code] = wrong[c % wrong.length]!;
        same(codeOf(run), code, 'the code of a refused write');
        break;
      }
      default:
    }
    if (entries.size === 0) model.delete(at);
    same(tree.count(), entries.size, 'the number of entries');
  }

  private bulkLoad(a: number, b: number, c: number): void {
    const name = TREES[a % TREES.length]!;
    const entries = new Map<string, string>();
    for (let i = 1 + (b % 300); i > 0; i -= 1) entries.set(keyOf(b + i * 31), valueOf(c + i * 33));
    const load = (): unknown =>
      this.store.bulkLoad(
        sorted(entries).map(([key, value]) => [bytes(key), bytes(value)] as const),
        { tree: name, fill: 0.5 + (c % 6) / 10 },
      );
    if (this.committed.has(name))
      return same(codeOf(load), 'SOMBRA_BULK_NOT_EMPTY', 'loading into a tree with entries');
    load();
    this.committed = new Map([...this.committed, [name, entries]]);
  }

  /** The store or a snapshot, with what it must read. */
  private reader(c: number): Source {
    const at = c % (this.snapshots.length + 1);
    if (at === 0) return { reader: this.store, model: this.committed, of: 'store' };
    const { snapshot, model } = this.snapshots[at - 1]!;
    return { reader: snapshot, model, of: snapshot };
  }

  private query(
    name: 'read' | 'range' | 'beginWalk',
    { reader, model, of }: Source,
    a: number,
    b: number,
    c: number,
    walks: OpenWalk[],
  ): void {
    const at = TREES[a % TREES.length]!;
    const tree = reader.tree(at);
    const entries = model.get(at) ?? new Map<string, string>();
    if (name === 'read') {
      for (const key of [keyOf(b), [...entries.keys()][b % (entries.size || 1)] ?? '']) {
        const value = tree.get(bytes(key));
        same(value === undefined ? undefined : text(value), entries.get(key), `the value of '${key}'`);
        same(tree.has(bytes(key)), entries.has(key), `whether '${key}' is there`);
      }
      same(tree.count(), entries.size, 'the number of entries');
      return;
    }
    const range = rangeOf(a >> 2, b, c, entries);
    if (name === 'beginWalk') {
      const left = range.limit ?? Infinity;
      if (walks.length < 3)
        walks.push({
          iterator: tree.keys(range),
          tree: at,
          range,
          of,
          model: of === 'store' ? undefined : model,
          place: undefined,
          left,
        });
      return;
    }
    const expected = inRange(entries, range);
    sameEntries(
      Array.from(tree.entries(range), ({ key, value }) => [text(key), text(value)]),
      expected,
      `entries of ${JSON.stringify(range)}`,
    );
    same(tree.count(range), expected.length, 'the number of entries in a range');
  }

  private stepWalks(walks: OpenWalk[], name: 'stepWalk' | 'endWalk', a: number, b: number): void {
    const at = a % (walks.length || 1);
    const walk = walks[at];
    if (walk === undefined) return;
    if (name === 'endWalk') {
      walk.iterator.return();
      same(walk.iterator.next().done, true, 'a step after the end');
      walks.splice(at, 1);
      return;
    }
    walk.model ??= this.committed;
    const keys = inRange(walk.model.get(walk.tree) ?? new Map<string, string>(), {
      ...walk.range,
      limit: Infinity,
    }).map(([key]) => key);
    for (let i = 1 + (b % 30); i > 0; i -= 1) {
      const { place } = walk;
      const next =
        walk.left <= 0
          ? undefined
          : place === undefined
            ? keys[0]
            : keys.find((key) => (walk.range.reverse === true ? key < place : key > place));
      const step = walk.iterator.next();
      same(step.done === true ? undefined : text(step.value), next, 'the key that an iterator gives');
      if (next === undefined) {
        walks.splice(at, 1);
        return;
      }
      walk.place = next;
      walk.left -= 1;
    }
  }

  private reopen(): void {
    const { walks, snapshots } = this;
    this.store.close();
    for (const walk of walks) isOver(walk, 'SOMBRA_CLOSED');
    for (const { snapshot } of snapshots)
      same(
        codeOf(() => snapshot.count()),
        'SOMBRA_CLOSED',
        'a read of a snapshot of a closed store',
      );
    this.walks = [];
    this.snapshots = [];
    this.store = this.open();
  }

  private finish(): void {
    for (const { snapshot, model } of this.snapshots) this.compare(snapshot, model, false);
    this.compare(this.store, this.committed, true);
    for (const { iterator } of this.walks.splice(0)) iterator.return();
    for (const { snapshot } of this.snapshots) snapshot.release();
    same(this.store.stats().pager.snapshots, 0, 'the number of snapshots held');
    this.reopen();
    this.compare(this.store, this.committed, false);
    agree(this.store.check().map(({ code, message }) => `${code}: ${message}`));
    this.store.close();
    same(this.vfs.list('.').join(), SMALL.path, 'the files that are left');
  }

  private compare(
    reader: KeyValueReader & {
      tree(name: string): KeyValueReader;
      trees(): readonly { name: string; count: number }[];
    },
    model: Model,
    reverse: boolean,
  ): void {
    const found = reader.trees().filter(({ count }) => count > 0);
    sameKeys(found.map(({ name }) => name).sort(), [...model.keys()].sort(), 'trees with entries');
    for (const [name, entries] of model) {
      const tree = reader.tree(name);
      const expected = sorted(entries);
      sameEntries(
        Array.from(tree.entries({ reverse }), ({ key, value }) => [text(key), text(value)]),
        reverse ? expected.reverse() : expected,
        'entries',
      );
      same(tree.count(), entries.size, 'the number of entries');
    }
  }
}

/** Runs the operations on a new store, in a cache of so many pages. */
export function runStore(cacheSize: number, operations: readonly Operation<Name>[]): void {
  new StoreRun(cacheSize, operations).run();
}

/** What an iterator reads has ended: the next step must say so, unless it had given all that it may. */
function isOver({ iterator, left }: OpenWalk, code: string): void {
  same(
    codeOf(() => iterator.next()),
    left > 0 ? code : 'no error',
    'a step of an iterator whose view has ended',
  );
}

/** A range with any of the options. */
function rangeOf(
  a: number,
  b: number,
  c: number,
  entries: ReadonlyMap<string, string>,
): RangeOptions & { readonly limit?: number } {
  const keys = [...entries.keys()];
  const bound = (n: number): Uint8Array =>
    bytes(n % 2 === 0 ? keyOf(n >> 1) : (keys[(n >> 1) % (keys.length || 1)] ?? 'k'));
  return {
    ...((a & 1) === 0 ? {} : { from: bound(b) }),
    ...((a & 2) === 0 ? {} : { to: bound(c) }),
    ...((a & 4) === 0 ? {} : { fromInclusive: (a & 8) === 0 }),
    ...((a & 16) === 0 ? {} : { toInclusive: (a & 32) === 0 }),
    ...((a & 192) === 64 ? { prefix: bound(b + c).subarray(0, c % 6) } : {}),
    ...((a & 256) === 0 ? {} : { reverse: (a & 512) === 0 }),
    ...((a & 3072) === 1024 ? { limit: c % 50 } : {}),
  };
}

/** The entries of a range, by the plain rules. */
function inRange(entries: ReadonlyMap<string, string>, range: RangeOptions): [string, string][] {
  const [from, to, prefix] = [range.from, range.to, range.prefix].map((bound) =>
    bound === undefined ? undefined : text(bound as Uint8Array),
  );
  const { fromInclusive = true, toInclusive = false, reverse = false, limit = Infinity } = range;
  const chosen = sorted(entries).filter(
    ([key]) =>
      (from === undefined || key > from || (fromInclusive && key === from)) &&
      (to === undefined || key < to || (toInclusive && key === to)) &&
      (prefix === undefined || key.startsWith(prefix)),
  );
  return (reverse ? chosen.reverse() : chosen).slice(0, limit);
}

function copyOf(model: Model): Model {
  return new Map([...model].map(([name, entries]) => [name, new Map(entries)]));
}

function restore(model: Model, before: Model): void {
  model.clear();
  for (const [name, entries] of before) model.set(name, entries);
}
