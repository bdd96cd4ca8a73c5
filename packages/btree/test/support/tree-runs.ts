// Random runs of trees and cursors against sorted maps.
import type { Pager, View, WriteTransaction } from '@sombra/pager';
import { Pager as PagerClass } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import { BTree, BulkBuilder, type Cursor } from '../../src/index.ts';
import { bytes, digits, entriesOf, sorted, text } from './entries.ts';
import { codeOf } from './errors.ts';
import { problemsOf, SMALL } from './open.ts';
import { agree, capacityOf, keyOf, same, sameEntries, sameKeys, valueOf, type Operation } from './operations.ts';

export const TREE_WEIGHTS = {
  nothing: 1,
  put: 10,
  putMany: 5,
  insert: 2,
  delete: 5,
  deleteMany: 3,
  editInPlace: 4,
  begin: 4,
  commit: 4,
  rollback: 2,
  savepoint: 4,
  rollbackTo: 3,
  releaseSavepoint: 2,
  placeCursor: 5,
  stepCursor: 10,
  closeCursor: 1,
  snapshot: 2,
  releaseSnapshot: 1,
  checkpoint: 2,
  reopen: 1,
  dropTree: 1,
  clear: 1,
  bulkBuild: 1,
  read: 4,
  walk: 2,
} as const;

type Name = keyof typeof TREE_WEIGHTS;
/** Entries by tree. Copied before it changes. */
type Model = ReadonlyMap<string, ReadonlyMap<string, string>>;

const TREES = ['a', 'b', 'c'];

/** Which commit or transaction a cursor reads, and where it stands: its key, also when that was deleted meanwhile. */
interface Placed {
  readonly cursor: Cursor;
  readonly tree: string;
  readonly model: () => Model;
  readonly of: 'newest' | 'transaction' | View;
  place: string | undefined;
}

/** Trees and a model that must stay the same. */
class TreeRun {
  private readonly vfs = new MemoryVfs();
  private readonly cacheSize: number;
  private pager: Pager;
  private committed: Model = new Map();
  private draft: Map<string, Map<string, string>> = new Map();
  private tx: WriteTransaction | undefined;
  /** Names of the trees that the transaction has dropped, perhaps to create others with their names. */
  private dropped = new Set<string>();
  private marks: { id: number; model: Model; dropped: ReadonlySet<string> }[] = [];
  private snapshots: { view: View; model: Model }[] = [];
  private cursors: Placed[] = [];

  constructor(cacheSize: number) {
    this.cacheSize = cacheSize;
    this.pager = this.open();
  }

  step([name, a, b, c]: Operation<Name>): void {
    switch (name) {
      case 'nothing':
        return;
      case 'begin':
        return this.begin();
      case 'commit':
        return this.end(true);
      case 'rollback':
        return this.end(false);
      case 'savepoint':
        if (this.tx !== undefined && this.marks.length < 4)
          this.marks.push({ id: this.tx.savepoint(), model: copyOf(this.draft), dropped: new Set(this.dropped) });
        return;
      case 'rollbackTo':
      case 'releaseSavepoint':
        return this.endSavepoint(name, a);
      case 'snapshot':
        if (this.snapshots.length < 3) this.snapshots.push({ view: this.pager.snapshot(), model: this.committed });
        return;
      case 'releaseSnapshot':
        return this.releaseSnapshot(a);
      case 'checkpoint':
        if (this.tx === undefined) this.pager.checkpoint();
        return;
      case 'reopen':
        return this.reopen();
      case 'placeCursor':
        return this.placeCursor(a, b, c);
      case 'stepCursor':
        return this.stepCursor(a, b);
      case 'closeCursor':
        return this.closeCursors(this.cursors.splice(a % (this.cursors.length || 1), 1));
      case 'bulkBuild':
        return this.bulkBuild(a, b, c);
      case 'read':
        return this.read(a, b, c);
      case 'walk':
        return this.walk(a, b);
      default:
        return this.write(name, a, b, c);
    }
  }

  /** Everything must agree, the file must be sound, and no page may be lost. */
  finish(commit: boolean): void {
    this.end(commit);
    this.closeCursors(this.cursors.splice(0));
    for (const { view, model } of this.snapshots) this.compare(view, model, commit);
    this.compare(this.pager.view, this.committed, !commit);
    agree(problemsOf(this.pager));
    this.reopen();
    this.compare(this.pager.view, this.committed, commit);
    agree(problemsOf(this.pager));
    this.pager.close();
    same(this.vfs.list('.').join(), SMALL.path, 'the files that are left');
  }

  private open(): Pager {
    return PagerClass.open({ vfs: this.vfs, ...SMALL, cacheSize: this.cacheSize, maxTransactionPages: 500 });
  }

  private begin(): void {
    if (this.tx !== undefined) return;
    this.tx = this.pager.begin();
    this.draft = copyOf(this.committed);
    this.dropped = new Set();
  }

  private end(commit: boolean): void {
    if (this.tx === undefined) return;
    if (commit) {
      this.tx.commit();
      this.committed = this.draft;
    } else this.tx.rollback();
    this.tx = undefined;
    this.marks = [];
    const [over, open] = split(this.cursors, ({ of }) => of === 'transaction');
    for (const { cursor, place } of over)
      if (place !== undefined)
        same(
          codeOf(() => cursor.next()),
          'SOMBRA_CLOSED',
          'a step after the end of the transaction',
        );
    // One may have been placed at the newest commit after the transaction had dropped its tree.
    const [gone, kept] = split(open, ({ of, tree }) => of === 'newest' && commit && this.dropped.has(tree));
    this.closeCursors([...over, ...gone]);
    this.cursors = kept;
  }

  private endSavepoint(name: 'rollbackTo' | 'releaseSavepoint', a: number): void {
    if (this.tx === undefined || this.marks.length === 0) return;
    const at = a % this.marks.length;
    const { id, model, dropped } = this.marks[at]!;
    this.tx[name](id);
    if (name === 'rollbackTo') {
      BTree.rolledBack(this.tx.view);
      this.draft = copyOf(model);
      // A cursor's tree may not have been there yet, or may be one that was created in the place of another.
      const isGone = (tree: string): boolean => !model.has(tree) || (this.dropped.has(tree) && !dropped.has(tree));
      const [gone, open] = split(this.cursors, ({ of, tree }) => of === 'transaction' && isGone(tree));
      this.closeCursors(gone);
      this.cursors = open;
      this.dropped = new Set(dropped);
    }
    this.marks.length = name === 'rollbackTo' ? at + 1 : at;
  }

  private releaseSnapshot(a: number): void {
    const [released] = this.snapshots.splice(a % (this.snapshots.length || 1), 1);
    if (released === undefined) return;
    const [over, open] = split(this.cursors, ({ of }) => of === released.view);
    this.closeCursors(over);
    this.cursors = open;
    released.view.release();
  }

  private reopen(): void {
    this.end(false);
    this.closeCursors(this.cursors.splice(0));
    this.pager.close();
    for (const { view } of this.snapshots) same(view.closed, true, 'a snapshot of a closed database');
    this.snapshots = [];
    this.pager = this.open();
  }

  private closeCursors(cursors: readonly Placed[]): void {
    for (const { cursor } of cursors) cursor.close();
  }

  /** A write, in a transaction of its own if none is open. */
  private write(name: Name, a: number, b: number, c: number): void {
    const single = this.tx === undefined;
    this.begin();
    const tx = this.tx!;
    const at = TREES[a % TREES.length]!;
    if (name === 'dropTree') this.drop(tx, at);
    else {
      const tree = BTree.open(tx.view, at) ?? BTree.create(tx, at);
      let model = this.draft.get(at);
      if (model === undefined) this.draft.set(at, (model = new Map()));
      this.change(tx, tree, model, name, b, c);
      same(tree.count(tx.view), model.size, 'the number of entries');
    }
    if (single) this.end(true);
  }

  private drop(tx: WriteTransaction, name: string): void {
    BTree.open(tx.view, name)?.drop(tx);
    if (this.draft.delete(name)) this.dropped.add(name);
    const [gone, open] = split(this.cursors, ({ of, tree }) => typeof of === 'string' && tree === name);
    this.closeCursors(gone);
    this.cursors = open;
  }

  private change(
    tx: WriteTransaction,
    tree: BTree,
    model: Map<string, string>,
    name: Name,
    b: number,
    c: number,
  ): void {
    const put = (key: string, value: string, capacity: number): void => {
      const [keyBytes, valueBytes] = [bytes(key), bytes(value)];
      tree.put(tx, keyBytes, keyBytes.length, valueBytes, 0, valueBytes.length, capacity);
      model.set(key, value);
    };
    const remove = (key: string): void =>
      same(tree.delete(tx, bytes(key), key.length), model.delete(key), `deleting '${key}'`);
    const key = keyOf(b);
    switch (name) {
      case 'put':
        return put(key, valueOf(c), capacityOf(c));
      case 'putMany':
        // Ascending, descending, or all over the place.
        for (let i = 0, count = 10 + (c % 110); i < count; i += 1) {
          const one =
            c % 3 === 0 ? digits((b % 250) + i, 4) : c % 3 === 1 ? digits((b % 250) + count - i, 4) : keyOf(b + i * 97);
          put(one, valueOf(c + i * 33), 0);
        }
        return;
      case 'insert': {
        const value = bytes(valueOf(c));
        same(tree.insert(tx, bytes(key), key.length, value, 0, value.length), !model.has(key), `inserting '${key}'`);
        if (!model.has(key)) model.set(key, text(value));
        return;
      }
      case 'delete':
        return remove(model.has(key) || c % 4 === 0 ? key : (pick(model, b) ?? key));
      case 'deleteMany': {
        const keys = sorted(model).map(([one]) => one);
        const from = b % (keys.length || 1);
        const chosen =
          c % 3 === 0 ? keys.slice(from, from + (c % 150)) : keys.filter((_, i) => (i * 7 + c) % 5 < c % 5);
        for (const one of c % 2 === 0 ? chosen : chosen.reverse()) remove(one);
        return;
      }
      case 'editInPlace':
        return this.editInPlace(tx, tree, model, b, c);
      case 'clear':
        tree.clear(tx);
        return model.clear();
      default:
        throw new Error(`${name} is no write`);
    }
  }

  private editInPlace(tx: WriteTransaction, tree: BTree, model: Map<string, string>, b: number, c: number): void {
    const key = pick(model, b);
    if (key === undefined) return;
    const old = model.get(key)!;
    tree.find(tx.view, bytes(key), key.length);
    if (tree.foundOverflow !== 0)
      return same(
        codeOf(() => tree.editFound(tx)),
        'SOMBRA_VALUE_IN_OVERFLOW',
        'editing a large value',
      );
    same(tree.foundLength, old.length, 'the length found');
    const length = c % (tree.foundCapacity + 1);
    const offset = tree.editFound(tx) - tree.foundBase;
    tree.setFoundLength(tx, length);
    const value = bytes(old.slice(0, length).padEnd(length, 'e'));
    const from = Math.min(length, c % 7 === 0 ? 0 : old.length);
    if (from === 0) value.fill(0x65);
    tx.setBytes(tree.foundBase, offset + from, value, from, length);
    model.set(key, text(value));
  }

  private bulkBuild(a: number, b: number, c: number): void {
    const name = TREES[a % TREES.length]!;
    if (this.tx !== undefined || this.committed.has(name)) return;
    const model = new Map<string, string>();
    for (let i = b % 300; i > 0; i -= 1) model.set(keyOf(b + i * 31), valueOf(c + i * 33));
    const trial = this.pager.begin();
    const slot = trial.createTree(name);
    trial.rollback();
    const writer = this.pager.bulk();
    const builder = new BulkBuilder(writer, slot + 1, SMALL.pageSize, 0.5 + (c % 6) / 10);
    for (const [key, value] of sorted(model)) {
      const valueBytes = bytes(value);
      builder.add(bytes(key), key.length, valueBytes, 0, valueBytes.length, capacityOf(c));
    }
    const { root, count } = builder.finish();
    writer.finish((tx) => {
      same(tx.createTree(name), slot, 'the catalogue slot');
      tx.setTreeRoot(slot, root);
      tx.addTreeCount(slot, count);
    });
    this.committed = new Map([...this.committed, [name, model]]);
  }

  /** One of the views, with what it must see. */
  private reader(c: number): { view: View; model: () => Model; of: Placed['of'] } {
    const readers: { view: View; model: () => Model; of: Placed['of'] }[] = [
      { view: this.pager.view, model: () => this.committed, of: 'newest' },
    ];
    const { tx } = this;
    if (tx !== undefined)
      for (let i = 0; i < 3; i += 1) readers.push({ view: tx.view, model: () => this.draft, of: 'transaction' });
    for (const { view, model } of this.snapshots) readers.push({ view, model: () => model, of: view });
    return readers[c % readers.length]!;
  }

  private read(a: number, b: number, c: number): void {
    const { view, model } = this.reader(c);
    const name = TREES[a % TREES.length]!;
    const tree = BTree.open(view, name);
    const entries = model().get(name);
    same(tree === undefined, entries === undefined, `whether tree '${name}' is missing`);
    if (tree === undefined || entries === undefined) return;
    for (const key of [keyOf(b), pick(entries, b) ?? '', keyOf(c)]) {
      const value = tree.get(view, bytes(key));
      same(value === undefined ? undefined : text(value), entries.get(key), `the value of '${key}'`);
    }
  }

  private walk(a: number, c: number): void {
    const { view, model } = this.reader(c);
    const name = TREES[a % TREES.length]!;
    const tree = BTree.open(view, name);
    if (tree === undefined) return;
    const expected = sorted(model().get(name)!);
    sameEntries(entriesOf(tree, view, c % 2 === 0), c % 2 === 0 ? expected : expected.reverse(), 'entries');
  }

  private placeCursor(a: number, b: number, c: number): void {
    const { view, model, of } = this.reader(c);
    const name = TREES[a % TREES.length]!;
    let placed = this.cursors.find((one) => one.of === of && one.tree === name);
    if (placed === undefined) {
      const tree = BTree.open(view, name);
      if (tree === undefined || this.cursors.length >= 4) return;
      placed = { cursor: tree.cursor(view), tree: name, model, of, place: undefined };
      this.cursors.push(placed);
    }
    const keys = keysOf(placed);
    const key = c % 3 === 0 ? (keys[b % (keys.length || 1)] ?? '') : keyOf(b);
    const { cursor } = placed;
    switch (b % 4) {
      case 0:
        return this.settled(
          placed,
          cursor.seekBefore(bytes(key), key.length),
          keys.findLast((one) => one <= key),
        );
      case 1:
        return b % 8 === 1
          ? this.settled(placed, cursor.first(), keys[0])
          : this.settled(placed, cursor.last(), keys.at(-1));
      default:
        return this.settled(
          placed,
          cursor.seek(bytes(key), key.length),
          keys.find((one) => one >= key),
        );
    }
  }

  private stepCursor(a: number, b: number): void {
    const placed = this.cursors[a % (this.cursors.length || 1)];
    if (placed === undefined) return;
    const { cursor } = placed;
    const keys = keysOf(placed);
    for (let i = 1 + (b % 40); i > 0; i -= 1) {
      const { place } = placed;
      if (place === undefined)
        return same(b % 2 === 0 ? cursor.next() : cursor.previous(), false, 'a step from nowhere');
      if (b % 2 === 0)
        this.settled(
          placed,
          cursor.next(),
          keys.find((one) => one > place),
        );
      else
        this.settled(
          placed,
          cursor.previous(),
          keys.findLast((one) => one < place),
        );
    }
  }

  private settled(placed: Placed, found: boolean, expected: string | undefined): void {
    const { cursor, model, tree } = placed;
    placed.place = expected;
    same(found, expected !== undefined, 'whether the cursor found an entry');
    if (expected === undefined) return;
    same(text(cursor.key()), expected, 'the key under the cursor');
    same(text(cursor.value()), model().get(tree)!.get(expected), `the value of '${expected}' under the cursor`);
  }

  private compare(view: View, model: Model, forward: boolean): void {
    sameKeys(
      view
        .trees()
        .map(({ name }) => name)
        .sort(),
      [...model.keys()].sort(),
      'trees',
    );
    for (const [name, entries] of model) {
      const tree = BTree.open(view, name)!;
      const expected = sorted(entries);
      sameEntries(entriesOf(tree, view, forward), forward ? expected : expected.reverse(), 'entries');
      same(tree.count(view), entries.size, 'the number of entries');
    }
  }
}

/** Runs the operations on new trees, in a cache of so many pages. */
export function runTrees(cacheSize: number, operations: readonly Operation<Name>[]): void {
  const run = new TreeRun(cacheSize);
  for (const operation of operations) run.step(operation);
  run.finish(operations[0]![1] % 2 === 0);
}

function copyOf(model: Model): Map<string, Map<string, string>> {
  return new Map([...model].map(([name, entries]) => [name, new Map(entries)]));
}

function keysOf({ model, tree }: Placed): string[] {
  return [...model().get(tree)!.keys()].sort();
}

/** Key number `n` of a map, undefined if it is empty. */
function pick(from: ReadonlyMap<string, string>, n: number): string | undefined {
  let at = n % (from.size || 1);
  for (const key of from.keys()) if (at-- === 0) return key;
  return undefined;
}

function split<T>(list: readonly T[], goes: (one: T) => boolean): [T[], T[]] {
  return [list.filter(goes), list.filter((one) => !goes(one))];
}
