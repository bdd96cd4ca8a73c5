/**
 * An ordered key-value store in one file: named trees of byte keys, transactions with savepoints, snapshots.
 *
 * Invariants:
 * - At most one transaction runs; `context.running` is it. It is cleared before anything else can begin.
 * - Nothing here refers to the snapshots and iterators that callers hold, so that dropped ones are noticed.
 */
import {
  COUNTERS,
  Pager,
  TREE_NAME_MAX,
  type CheckpointResult,
  type PagerOptions,
  type PagerStats,
  type PagerWarning,
  type Problem,
  type View,
  type WriteTransaction,
} from '@sombra/pager';
import { DataError, StateError } from '@sombra/vfs';
import { bulkLoad, type KeyValuePair } from './key-value-bulk.ts';
import { kindOf } from './key-value-bytes.ts';
import { SnapshotContext, StoreContext, TransactionContext } from './key-value-context.ts';
import { checkOptions } from './key-value-range.ts';
import { DEFAULT_TREE, dropTree, KeyValueReader, KeyValueTree, treeName, type TreeInfo } from './key-value-tree.ts';
import { TreeHandles } from './tree-handles.ts';
import { BTree } from '../tree/tree.ts';

/** How a store is opened: the options of the pager, `vfs` and `path` needed. */
export type KeyValueStoreOptions = PagerOptions;

/** How a bulk load is made. */
export interface BulkLoadOptions {
  /** Name of the tree. Default `default`. */
  readonly tree?: string | undefined;
  /** Part of each leaf to fill, 0.5 to 1. Less leaves room for later puts between the entries. Default 1. */
  readonly fill?: number | undefined;
}

/** What a bulk load made. */
export interface BulkLoadResult {
  readonly count: number;
  /** Pages of the tree. */
  readonly pages: number;
}

/** Figures of a store. */
export interface KeyValueStats {
  readonly path: string;
  readonly trees: readonly TreeInfo[];
  readonly pager: PagerStats;
}

/** Ends snapshots that were dropped without `release`. */
const dropped = new FinalizationRegistry<View>((view) => view.release());

/**
 * The store as it was at one commit, for reading, whatever is written later. It is itself the reader of the default tree.
 * Release it: while it is held, checkpoints cannot pass it and the log grows.
 */
export class KeyValueSnapshot extends KeyValueReader {
  /** @internal */
  protected override readonly context: SnapshotContext;

  /** @internal */
  constructor(context: SnapshotContext) {
    super(context, DEFAULT_TREE);
    this.context = context;
    dropped.register(context, context.held, context);
  }

  /** Number of the commit that it shows. */
  get lsn(): number {
    return this.context.held.lsn;
  }

  /** The reader of a tree. @throws DataError SOMBRA_TREE_NAME, SOMBRA_TEXT_SURROGATE */
  tree(name: string): KeyValueReader {
    return new KeyValueReader(this.context, treeName(name, TREE_NAME_MAX));
  }

  /** All trees, in no particular order. */
  trees(): TreeInfo[] {
    return treesOf(this.context.view());
  }

  /** Ends the snapshot and its iterators. Harmless when repeated. */
  release(): void {
    dropped.unregister(this.context);
    this.context.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/**
 * What the callback of `transaction` writes with. It is itself the default tree; its reads see its own writes, which no other reader sees
 * before the callback has returned. An error of the disk or a limit in the middle of a write rolls the whole transaction back, and every
 * later call throws SOMBRA_TX_DONE.
 */
export class KeyValueTransaction extends KeyValueTree {
  /** @internal */
  protected override readonly context: TransactionContext;

  /** @internal */
  constructor(context: TransactionContext) {
    super(context, DEFAULT_TREE);
    this.context = context;
  }

  /** A tree. @throws DataError SOMBRA_TREE_NAME, SOMBRA_TEXT_SURROGATE */
  tree(name: string): KeyValueTree {
    return new KeyValueTree(this.context, treeName(name, TREE_NAME_MAX));
  }

  /** All trees, in no particular order. */
  trees(): TreeInfo[] {
    return treesOf(this.context.view());
  }

  /**
   * Removes a tree with its entries and its place among the trees. A later put creates it again.
   * @returns false when there is none of this name
   * @throws DataError SOMBRA_TREE_NAME, SOMBRA_TEXT_SURROGATE; otherwise as `clear`
   */
  dropTree(name: string): boolean {
    return dropTree(this.context, treeName(name, TREE_NAME_MAX));
  }

  /**
   * A transaction within this one: when `fn` throws, only what it wrote is taken back.
   * @throws StateError SOMBRA_PROMISE_IN_TRANSACTION, SOMBRA_TX_DONE; what `fn` throws
   */
  transaction<T>(fn: (tx: KeyValueTransaction) => T): T {
    checkCallback(fn);
    this.context.checkRunning();
    const { inner } = this.context;
    const savepoint = inner.savepoint();
    try {
      const result = fn(this);
      refusePromise(result);
      this.context.checkRunning();
      inner.releaseSavepoint(savepoint);
      return result;
    } catch (error) {
      this.takeBack(savepoint);
      throw error;
    }
  }

  private takeBack(savepoint: number): void {
    const { inner } = this.context;
    if (inner.state !== 'active') return;
    try {
      inner.rollbackTo(savepoint);
      inner.releaseSavepoint(savepoint);
      BTree.rolledBack(inner.view);
    } catch (error) {
      if (inner.state === 'active') throw error;
      // Its time ran out and everything is taken back. The error on its way goes on; the commit will say SOMBRA_TX_DONE.
    }
  }
}

/** An open store. It is itself the default tree; reads see the newest commit, each write is a transaction of its own. */
export class KeyValueStore extends KeyValueTree {
  /** @internal */
  protected override readonly context: StoreContext;
  private readonly pager: Pager;
  private handle: KeyValueTransaction | undefined;

  private constructor(pager: Pager) {
    const context = new StoreContext(pager, new TreeHandles());
    super(context, DEFAULT_TREE);
    this.context = context;
    this.pager = pager;
  }

  /**
   * Opens a store, creating the file and recovering from a crash as needed. How others may share the file is the pager's option
   * `locking`.
   * @throws DataError SOMBRA_CONFIG; StateError SOMBRA_FILE_KIND when the file is no key-value store, for example a graph of
   *   @sombra/db; whatever Pager.open throws
   */
  static open(options: KeyValueStoreOptions): KeyValueStore {
    if (typeof options !== 'object' || options === null)
      throw new DataError('SOMBRA_CONFIG', `a store is opened with an object of options, not ${kindOf(options)}`);
    if (typeof options.vfs !== 'object' || options.vfs === null) {
      throw new DataError(
        'SOMBRA_CONFIG',
        `vfs is ${kindOf(options.vfs)}: give a file system, for example new NodeVfs() of @sombra/vfs`,
        { details: { field: 'vfs' } },
      );
    }
    const pager = Pager.open(options);
    try {
      refuseOtherKind(pager);
    } catch (error) {
      pager.close();
      throw error;
    }
    return new KeyValueStore(pager);
  }

  /** Path of the file. */
  get path(): string {
    return this.pager.path;
  }

  get readOnly(): boolean {
    return this.pager.readOnly;
  }

  get closed(): boolean {
    return this.pager.closed;
  }

  /** What was noticed when the file was opened. */
  get warnings(): readonly PagerWarning[] {
    return this.pager.warnings;
  }

  /** A tree; it need not exist yet. @throws DataError SOMBRA_TREE_NAME, SOMBRA_TEXT_SURROGATE */
  tree(name: string): KeyValueTree {
    return new KeyValueTree(this.context, treeName(name, TREE_NAME_MAX));
  }

  /** All trees, in no particular order. */
  trees(): TreeInfo[] {
    return treesOf(this.context.view());
  }

  /**
   * Removes a tree with its entries and its place among the trees. A later put creates it again.
   * @returns false when there is none of this name
   * @throws DataError SOMBRA_TREE_NAME, SOMBRA_TEXT_SURROGATE; otherwise as `clear`
   */
  dropTree(name: string): boolean {
    return dropTree(this.context, treeName(name, TREE_NAME_MAX));
  }

  /**
   * Runs `fn` in a write transaction: commits when it returns, takes everything back when it throws, and throws what it threw.
   * Inside another transaction it is a savepoint: when `fn` throws, only what it wrote is taken back.
   * @returns what `fn` returns
   * @throws StateError SOMBRA_PROMISE_IN_TRANSACTION when `fn` returns a promise (taken back), SOMBRA_READ_ONLY, SOMBRA_CLOSED,
   *   SOMBRA_TX_DONE when an error that `fn` caught has ended the transaction; TransactionError SOMBRA_COMMIT_UNKNOWN (open
   *   the store again to see whether the commit is there), SOMBRA_TRANSACTION_TIMEOUT; IoError SOMBRA_BUSY (another connection
   *   writes), SOMBRA_IO, SOMBRA_DISK_FULL; PoisonedError SOMBRA_LOCK_POISONED
   */
  transaction<T>(fn: (tx: KeyValueTransaction) => T): T {
    checkCallback(fn);
    if (this.handle !== undefined) return this.handle.transaction(fn);
    return this.run(fn, (inner, result) => {
      inner.commit();
      return result;
    });
  }

  /**
   * As `transaction`, without waiting for the disk: `fn` runs at once, and transactions that follow each other share a sync.
   * Until the promise is fulfilled, only later transactions of this store see what was written. A write or a transaction that is
   * not asynchronous makes those before it durable with its own sync; so does an asynchronous one that finds 1,024 others, or 64 MiB
   * of log, waiting for theirs.
   * @returns what `fn` returns, when the commit is durable (with `syncMode` full) and every reader sees it
   * @throws nothing: the promise is rejected with what `transaction` throws, with StateError SOMBRA_TRANSACTION_ACTIVE inside a
   *   transaction, and with TransactionError SOMBRA_COMMIT_UNKNOWN when the shared sync failed
   */
  async transactionAsync<T>(fn: (tx: KeyValueTransaction) => T): Promise<T> {
    checkCallback(fn);
    const { result, durable } = this.run(fn, (inner, result) => ({ result, durable: inner.commitAsync() }));
    await durable;
    return result;
  }

  private run<T, R>(fn: (tx: KeyValueTransaction) => T, commit: (inner: WriteTransaction, result: T) => R): R {
    this.context.refuseInside();
    const inner = this.pager.begin();
    const running = new TransactionContext(this.pager, this.context.handles, inner);
    this.context.running = running;
    try {
      this.handle = new KeyValueTransaction(running);
      const result = fn(this.handle);
      refusePromise(result);
      running.checkRunning();
      running.end();
      return commit(inner, result);
    } catch (error) {
      running.end();
      inner.rollback();
      throw error;
    } finally {
      this.handle = undefined;
      this.context.running = undefined;
    }
  }

  /** The store as it is now, for reading, whatever is written later. Release it. */
  snapshot(): KeyValueSnapshot {
    this.context.view();
    return new KeyValueSnapshot(new SnapshotContext(this.pager, this.context.handles));
  }

  /**
   * Fills an empty tree from entries in ascending key order, much faster than puts: pages are filled one after the other,
   * written past the log and published by one commit. All or nothing. Exempt from `maxTransactionPages` and
   * `transactionTimeoutMs`.
   * @param entries  `[key, value]` each
   * @throws DataError SOMBRA_KEY_ORDER when a key is not greater than the one before, SOMBRA_OPTION, and as `put`;
   *   StateError SOMBRA_BULK_NOT_EMPTY; what `entries` throws
   */
  bulkLoad(entries: Iterable<KeyValuePair>, options?: BulkLoadOptions): BulkLoadResult {
    checkOptions(options, ['tree', 'fill']);
    const { tree = DEFAULT_TREE, fill = 1 } = options ?? {};
    const name = treeName(tree, TREE_NAME_MAX);
    if (typeof (entries as Partial<Iterable<KeyValuePair>> | null | undefined)?.[Symbol.iterator] !== 'function') {
      throw new DataError('SOMBRA_OPTION', `bulkLoad takes an iterable of entries, not ${kindOf(entries)}`);
    }
    this.context.refuseInside();
    this.pager.flush();
    const { count, pages } = bulkLoad(this.pager, this.context.handles, name, entries, fill);
    return { count, pages };
  }

  /**
   * Reads the whole file as of the newest commit and tests everything that must hold of it: pages, trees, order of keys,
   * overflow values, counts, the freelist, and that no page is lost or used twice.
   * @returns what is wrong; empty when all is well
   */
  check(): Problem[] {
    const view = this.context.view();
    const problems: Problem[] = [];
    const below = this.pager.check({
      reachable: (mark) => {
        for (const { name, root } of view.trees()) {
          if (root !== 0) problems.push(...BTree.open(view, name)!.check(view, mark));
        }
      },
    });
    return [...problems, ...below];
  }

  /** Figures for operators. A new object. */
  stats(): KeyValueStats {
    return { path: this.path, trees: this.trees(), pager: this.pager.stats() };
  }

  /**
   * Brings what is committed from the log into the file, as far as snapshots allow.
   * @throws StateError SOMBRA_READ_ONLY, SOMBRA_CLOSED; IoError (nothing is lost, the log is kept)
   */
  checkpoint(): CheckpointResult {
    this.context.view();
    return this.pager.checkpoint();
  }

  /**
   * Takes a running transaction back, ends snapshots and iterators, checkpoints, and leaves only the file. Harmless when
   * repeated.
   * @throws what the last checkpoint threw; the store is closed nevertheless and its commits are in the log
   */
  close(): void {
    if (this.pager.closed) return;
    this.context.close();
    this.pager.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A store has no counters; other programs on the pager, the graph among them, set them when they create a file. */
function refuseOtherKind(pager: Pager): void {
  const view = pager.snapshot(); // the implicit view would stay until the end of the turn
  try {
    for (let counter = 0; counter < COUNTERS; counter += 1) {
      if (view.counter(counter) === 0) continue;
      throw new StateError(
        'SOMBRA_FILE_KIND',
        `${pager.path} is no key-value store: open it with what wrote it (a graph with @sombra/db), or choose another path`,
        { details: { path: pager.path } },
      );
    }
  } finally {
    view.release();
  }
}

function treesOf(view: View): TreeInfo[] {
  return view.trees().map(({ name, count }) => ({ name, count }));
}

function checkCallback(fn: unknown): void {
  if (typeof fn !== 'function') throw new DataError('SOMBRA_OPTION', `transaction takes a function, not ${kindOf(fn)}`);
}

/** A promise would do its work after the commit. */
function refusePromise(result: unknown): void {
  if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== 'function') return;
  // What it still does fails with SOMBRA_TX_DONE; the error below says why.
  (result as PromiseLike<unknown>).then(undefined, () => undefined);
  throw new StateError(
    'SOMBRA_PROMISE_IN_TRANSACTION',
    'the callback of a transaction returned a promise; what it wrote was taken back: await before it, not in it',
  );
}
