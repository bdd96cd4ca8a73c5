import { CorruptionError, DataError, encodeText, StateError, TransactionError, writeU16 } from '@sombra/vfs';
import { COUNTERS } from '../format/catalogue.ts';
import type { Catalogue } from '../format/catalogue.ts';
import { putFree, takeFree } from './freelist.ts';
import { KIND_OFFSET, PAGE_KIND_FIRST_FREE, PAGE_KIND_ROOTS, TREE_ID_OFFSET } from '../format/page-header.ts';
import { rootsPage, TREE_NAME_MAX } from '../format/roots-page.ts';
import { ENDED, View } from '../reading/view.ts';
import type { ViewOwner } from '../reading/view.ts';
import type { Changes, TransactionHost } from './transaction-host.ts';

/** How a write transaction stands. */
export type TransactionState = 'active' | 'committed' | 'rolled-back';

/** First byte of a page that page operations may change: kind, flags, tree id, aux; what lies before is the pager's. */
const FIRST_EDITABLE = KIND_OFFSET;
const U48_MAX = 2 ** 48 - 1;
/** Reads that miss the cache between two looks at the deadline. */
const FAULTS_PER_DEADLINE = 256;
const NONE: readonly number[] = [];

interface Savepoint {
  readonly id: number;
  readonly pages: number;
  readonly saved: number;
  /** Pages that were freed untouched before it. */
  readonly untouched: number;
  /** Of the arena of page operations. */
  readonly operations: number;
  readonly catalogue: Catalogue;
}

/**
 * The one write transaction of a database. Page bytes change only through its page operations, which write the bytes and
 * note what becomes the log's delta.
 *
 * An error inside `edit`, `allocate`, `free` or a read through `view` rolls the transaction back before it is thrown: a
 * half-done change of a structure is never committed (rule E5).
 */
export class WriteTransaction implements Changes, ViewOwner {
  /** Sees this transaction's own changes. */
  readonly view: View;
  /** Number of the commit to come. */
  readonly lsn: number;
  /** Catalogue of this transaction: the pager's, with changes not yet in the roots page. @internal */
  readonly catalogue: Catalogue;

  /** Pages that a bulk load wrote to main for this commit, in places that were free. @internal */
  placed: readonly number[] = NONE;

  /** Time in ms at which it ends, Infinity for none. @internal */
  readonly deadline: number;

  private readonly host: TransactionHost;
  private readonly roots: number;
  private readonly savepoints: Savepoint[] = [];
  private nextSavepoint = 1;
  private current: TransactionState = 'active';
  private late = false;
  private faults = 0;

  /** Called by the pager. @param deadline  of the monotonic clock, ms; Infinity for none @internal */
  constructor(host: TransactionHost, catalogue: Catalogue, deadline: number) {
    this.host = host;
    this.deadline = deadline;
    this.lsn = catalogue.lsn;
    this.catalogue = catalogue;
    this.roots = rootsPage(host.cache.pageSize);
    this.view = new View(host.cache, this, catalogue.lsn, catalogue);
  }

  get state(): TransactionState {
    return this.current;
  }

  /** Pages that it may still change before SOMBRA_TRANSACTION_PAGES. */
  get pagesLeft(): number {
    return this.host.dirty.left;
  }

  /** Has it changed this page already? Then a further change takes nothing from `pagesLeft`, but for savepoints. */
  hasChanged(pageNumber: number): boolean {
    return this.host.dirty.indexOf(pageNumber) >= 0;
  }

  /**
   * A new page: from the freelist, or at the end of the file. Zero apart from its header. It stands in the log as an image.
   * @param kind    page kind, 16 to 255 for layers above
   * @param treeId  catalogue slot + 1, or 0
   * @returns page number; call `edit` for its base
   * @throws DataError SOMBRA_DATABASE_FULL; TransactionError SOMBRA_TRANSACTION_PAGES, SOMBRA_TRANSACTION_TIMEOUT;
   *   CorruptionError; IoError; StateError SOMBRA_TX_DONE
   */
  allocate(kind: number, treeId: number): number {
    this.check();
    if (!(kind >= PAGE_KIND_FIRST_FREE && kind <= 255))
      throw new RangeError(`page kind ${kind} is not of ${PAGE_KIND_FIRST_FREE} to 255`);
    try {
      let pageNumber = takeFree(this, this.catalogue, this.roots + 1);
      if (pageNumber === 0) {
        pageNumber = this.catalogue.pageCount;
        this.host.checkSize(pageNumber + 1);
        this.catalogue.pageCount = pageNumber + 1;
      }
      this.initialise(pageNumber, kind, treeId);
      return pageNumber;
    } catch (error) {
      throw this.abort(error);
    }
  }

  /** Makes `pageNumber` a new, zeroed page; what it held does not matter. For `allocate` and the freelist. @internal */
  initialise(pageNumber: number, kind: number, treeId: number): void {
    const { dirty, cache } = this.host;
    const d = dirty.addFresh(pageNumber); // may replace dirty.frame
    const base = dirty.frame[d]! << cache.shift;
    cache.bytes[base + KIND_OFFSET] = kind;
    writeU16(cache.bytes, base + TREE_ID_OFFSET, treeId);
  }

  /**
   * Gives a page back. Nothing may refer to it any more; its bytes become zero, kind 0, so that no code that remembers its number takes it
   * for what it was.
   * @throws StateError SOMBRA_PAGE_FREE, SOMBRA_TX_DONE; DataError SOMBRA_PAGE_RANGE; as `allocate`
   */
  free(pageNumber: number): void {
    this.checkFreeable(pageNumber);
    try {
      const { dirty, cache } = this.host;
      const again = dirty.untouched.has(pageNumber) && dirty.indexOf(pageNumber) < 0;
      if (again || cache.bytes[this.edit(pageNumber) + KIND_OFFSET]! < PAGE_KIND_FIRST_FREE)
        throw new StateError('SOMBRA_PAGE_FREE', `page ${pageNumber} is free already`);
      dirty.wipe(dirty.indexOf(pageNumber), pageNumber < this.host.committedPages);
      putFree(this, this.catalogue, pageNumber);
    } catch (error) {
      throw this.abort(error);
    }
  }

  /**
   * Gives a page back without reading, changing or logging it: only the freelist grows, so that a transaction may free far more
   * pages than it may change. The page keeps its bytes until it is allocated again. Only for pages that are never looked up by a
   * remembered number: those of a tree that ends as a whole (`dropTree`, `restartTree`), continuations of values.
   * @returns false when this transaction freed the page before, and nothing happened: the caller's structure leads to it twice
   * @throws DataError SOMBRA_PAGE_RANGE; StateError SOMBRA_TX_DONE; as `allocate`
   */
  freeUntouched(pageNumber: number): boolean {
    this.checkFreeable(pageNumber);
    try {
      const { dirty, cache } = this.host;
      const d = dirty.indexOf(pageNumber);
      if (d < 0) {
        if (!dirty.untouched.add(pageNumber)) return false;
      } else {
        if (cache.bytes[(dirty.frame[d]! << cache.shift) + KIND_OFFSET]! < PAGE_KIND_FIRST_FREE) return false;
        dirty.discard(d, pageNumber < this.host.committedPages);
      }
      putFree(this, this.catalogue, pageNumber);
      return true;
    } catch (error) {
      throw this.abort(error);
    }
  }

  private checkFreeable(pageNumber: number): void {
    this.check();
    if (pageNumber > this.roots && pageNumber < this.catalogue.pageCount && Number.isInteger(pageNumber)) return;
    throw new DataError('SOMBRA_PAGE_RANGE', `page ${pageNumber} is not a page that can be freed`);
  }

  /**
   * Makes a page writable. The bytes that `view.page` found before may be these or stay as they are.
   * @returns its base, unmoved until commit or rollback
   * @throws TransactionError SOMBRA_TRANSACTION_PAGES, SOMBRA_TRANSACTION_TIMEOUT; CorruptionError; IoError;
   *   StateError SOMBRA_TX_DONE
   */
  edit(pageNumber: number): number {
    if (this.current !== 'active') this.refuseEnded();
    const { dirty, cache } = this.host;
    try {
      if (this.deadline !== Infinity) this.checkDeadline();
      let d = dirty.indexOf(pageNumber);
      if (d < 0) d = dirty.addCommitted(pageNumber, this.view.page(pageNumber));
      else dirty.touch(d);
      return dirty.frame[d]! << cache.shift;
    } catch (error) {
      throw this.abort(error);
    }
  }

  /** Writes one byte at `offset` (16 to page size) of the page whose base `edit` returned. */
  setU8(base: number, offset: number, value: number): void {
    const d = this.change(base, offset, 1);
    this.host.cache.bytes[base + offset] = value;
    this.host.dirty.noteSet(d, base, offset, 1);
  }

  /** Writes an unsigned 16-bit number. */
  setU16(base: number, offset: number, value: number): void {
    const d = this.change(base, offset, 2);
    const { bytes } = this.host.cache;
    bytes[base + offset] = value;
    bytes[base + offset + 1] = value >>> 8;
    this.host.dirty.noteSet(d, base, offset, 2);
  }

  /** Writes an unsigned 32-bit number. */
  setU32(base: number, offset: number, value: number): void {
    const d = this.change(base, offset, 4);
    this.put32(base + offset, value);
    this.host.dirty.noteSet(d, base, offset, 4);
  }

  /** Writes an integer of 0 to 2^48 - 1 in six bytes. */
  setU48(base: number, offset: number, value: number): void {
    if (!(value >= 0 && value <= U48_MAX)) throw new RangeError(`${value} is not an unsigned 48-bit integer`);
    const d = this.change(base, offset, 6);
    const { bytes } = this.host.cache;
    const high = Math.floor(value / 0x1_0000_0000);
    this.put32(base + offset, value >>> 0);
    bytes[base + offset + 4] = high;
    bytes[base + offset + 5] = high >>> 8;
    this.host.dirty.noteSet(d, base, offset, 6);
  }

  /** Writes a safe, non-negative integer in eight bytes. */
  setU64(base: number, offset: number, value: number): void {
    if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER))
      throw new RangeError(`${value} is not a safe, non-negative integer`);
    const d = this.change(base, offset, 8);
    this.put32(base + offset, value >>> 0);
    this.put32(base + offset + 4, Math.floor(value / 0x1_0000_0000));
    this.host.dirty.noteSet(d, base, offset, 8);
  }

  /** Writes source[from, to). The source may be the cache's own bytes. */
  setBytes(base: number, offset: number, source: Uint8Array, from: number, to: number): void {
    if (!(from >= 0 && to >= from && to <= source.length))
      throw new RangeError(`bytes ${from} to ${to} of ${source.length}`);
    const length = to - from;
    if (length === 0) return;
    const d = this.change(base, offset, length);
    const { bytes } = this.host.cache;
    if (source === bytes) bytes.copyWithin(base + offset, from, to);
    else if (length > 48)
      bytes.set(from === 0 && to === source.length ? source : source.subarray(from, to), base + offset);
    else for (let i = 0; i < length; i += 1) bytes[base + offset + i] = source[from + i]!;
    this.host.dirty.noteSet(d, base, offset, length);
  }

  /** Moves `length` bytes within the page from offset `from` to offset `to`; they may overlap. */
  move(base: number, to: number, from: number, length: number): void {
    if (length === 0 || to === from) return;
    this.change(base, from, length);
    const d = this.change(base, to, length);
    this.host.cache.bytes.copyWithin(base + to, base + from, base + from + length);
    this.host.dirty.noteMove(d, to, from, length);
  }

  /** Fills `length` bytes with `byte`. */
  fill(base: number, offset: number, length: number, byte: number): void {
    if (length === 0) return;
    const d = this.change(base, offset, length);
    this.host.cache.bytes.fill(byte, base + offset, base + offset + length);
    this.host.dirty.noteFill(d, offset, length, byte & 0xff);
  }

  /**
   * Adds a tree without a root to the catalogue.
   * @param name  at most 47 bytes of UTF-8, not empty
   * @returns its slot, which stays its own until `dropTree`
   * @throws DataError SOMBRA_TREE_NAME, SOMBRA_TREE_EXISTS, SOMBRA_TREES_FULL
   */
  createTree(name: string): number {
    this.check();
    const { names, roots, counts } = this.catalogue;
    const length = encodeText(name).length;
    if (length === 0 || length > TREE_NAME_MAX) {
      throw new DataError(
        'SOMBRA_TREE_NAME',
        `the name of a tree has 1 to ${TREE_NAME_MAX} bytes, '${name}' has ${length}`,
      );
    }
    if (this.catalogue.findTree(name) >= 0)
      throw new DataError('SOMBRA_TREE_EXISTS', `there is a tree '${name}' already`);
    const slot = names.indexOf('');
    if (slot < 0)
      throw new DataError(
        'SOMBRA_TREES_FULL',
        `the catalogue holds ${names.length} trees: drop one, or use larger pages`,
      );
    names[slot] = name;
    roots[slot] = 0;
    counts[slot] = 0;
    this.catalogue.since[slot] = this.lsn;
    this.catalogue.slotsUsed = Math.max(this.catalogue.slotsUsed, slot + 1);
    return slot;
  }

  /** Removes a tree from the catalogue. Its owner frees its pages first. @throws DataError SOMBRA_TREE */
  dropTree(slot: number): void {
    this.checkTree(slot);
    this.catalogue.names[slot] = '';
    this.catalogue.roots[slot] = 0;
    this.catalogue.counts[slot] = 0;
    this.catalogue.since[slot] = Infinity;
    while (this.catalogue.slotsUsed > 0 && this.catalogue.names[this.catalogue.slotsUsed - 1] === '')
      this.catalogue.slotsUsed -= 1;
  }

  /**
   * The tree starts over, without root and entries. Its owner frees its pages first; from here on a page that an
   * earlier commit wrote is none of its pages, whatever its header says (`Catalogue.since`). @throws DataError SOMBRA_TREE
   */
  restartTree(slot: number): void {
    this.checkTree(slot);
    this.catalogue.roots[slot] = 0;
    this.catalogue.counts[slot] = 0;
    this.catalogue.since[slot] = this.lsn;
  }

  /** Sets the root page of a tree, 0 for none. @throws DataError SOMBRA_TREE, SOMBRA_PAGE_RANGE */
  setTreeRoot(slot: number, pageNumber: number): void {
    this.checkTree(slot);
    const exists = pageNumber > this.roots && pageNumber < this.catalogue.pageCount && Number.isInteger(pageNumber);
    if (pageNumber !== 0 && !exists)
      throw new DataError('SOMBRA_PAGE_RANGE', `page ${pageNumber} does not exist and cannot be the root of a tree`);
    this.catalogue.roots[slot] = pageNumber;
  }

  /** Adds to the number of entries of a tree. @throws DataError SOMBRA_TREE */
  addTreeCount(slot: number, delta: number): void {
    this.checkTree(slot);
    const count = this.catalogue.counts[slot]! + delta;
    if (!(count >= 0 && count <= Number.MAX_SAFE_INTEGER))
      throw new RangeError(`tree ${slot} would have ${count} entries`);
    this.catalogue.counts[slot] = count;
  }

  /** Sets one of the 16 counters to a safe, non-negative integer. @throws DataError SOMBRA_COUNTER */
  setCounter(index: number, value: number): void {
    if (this.current !== 'active') this.refuseEnded();
    if (!(index >= 0 && index < COUNTERS && Number.isInteger(index)))
      throw new DataError('SOMBRA_COUNTER', `counter ${index} does not exist; there are ${COUNTERS}`);
    if (!(value >= 0 && Number.isSafeInteger(value)))
      throw new DataError('SOMBRA_COUNTER', `${value} is not a safe, non-negative integer`);
    this.catalogue.counters[index] = value;
  }

  /**
   * Marks this place of the transaction.
   * @returns its id, for `rollbackTo` and `releaseSavepoint`
   */
  savepoint(): number {
    this.check();
    const { dirty } = this.host;
    const catalogue = this.host.takeCatalogue();
    catalogue.copyFrom(this.catalogue);
    const id = this.nextSavepoint++;
    const { count: pages, savedCount: saved } = dirty;
    const [untouched, operations] = [dirty.untouched.count, dirty.log.used];
    this.savepoints.push({ id, pages, saved, untouched, operations, catalogue });
    dirty.depth += 1;
    return id;
  }

  /**
   * Takes back everything since a savepoint, which stays open; savepoints after it are gone.
   * Bases from `edit` of pages that were not dirty then are void.
   * @throws StateError SOMBRA_SAVEPOINT
   */
  rollbackTo(savepoint: number): void {
    this.check();
    const depth = this.findSavepoint(savepoint);
    const { dirty } = this.host;
    const { pages, saved, untouched, operations, catalogue } = this.savepoints[depth]!;
    dirty.rewind(pages, saved);
    dirty.untouched.rewind(untouched);
    // Every page that was dirty then has the list that it had then, and no other page has one.
    dirty.log.giveBack(operations);
    for (const gone of this.savepoints.splice(depth + 1)) this.host.giveCatalogue(gone.catalogue);
    dirty.depth = depth + 1;
    this.catalogue.copyFrom(catalogue);
  }

  /** Ends a savepoint and those after it; their changes belong to what is around them. @throws StateError SOMBRA_SAVEPOINT */
  releaseSavepoint(savepoint: number): void {
    this.check();
    const depth = this.findSavepoint(savepoint);
    const { dirty } = this.host;
    while (this.savepoints.length > depth) {
      const { pages, saved, catalogue } = this.savepoints.pop()!;
      dirty.merge(pages, saved, this.savepoints.at(-1)?.pages ?? 0);
      this.host.giveCatalogue(catalogue);
    }
  }

  /**
   * Makes the changes permanent, as the sync mode promises.
   * @returns the lsn of the commit; without any change the lsn of the commit before
   * @throws TransactionError SOMBRA_COMMIT_UNKNOWN when the sync failed: the commit may or may not be there after the
   *   database is opened again; PoisonedError SOMBRA_LOCK_POISONED; IoError SOMBRA_DISK_FULL and other errors of the write:
   *   nothing was committed, the transaction is rolled back and the database stays writable
   */
  commit(): number {
    this.check();
    try {
      const lsn = this.host.commit(this);
      this.end('committed');
      this.host.afterCommit();
      return lsn;
    } catch (error) {
      throw this.abort(error);
    }
  }

  /**
   * Like `commit`, but without waiting for the sync: transactions that follow each other share one. Until the promise is
   * fulfilled, only write transactions of this connection see the changes. When 1,024 commits or 64 MiB of log wait for their sync,
   * this one does not join them: it blocks like `commit`, which makes all of them durable.
   * @returns fulfilled with the lsn when the commit is durable and published
   * @throws what `commit` throws for a failed write; the promise is rejected with SOMBRA_COMMIT_UNKNOWN when the sync failed
   */
  commitAsync(): Promise<number> {
    this.check();
    try {
      const promise = this.host.commitAsync(this);
      this.end('committed');
      this.host.afterCommit();
      return promise;
    } catch (error) {
      throw this.abort(error);
    }
  }

  /** Takes all changes back. Harmless when repeated. */
  rollback(): void {
    if (this.current !== 'active') return;
    const { dirty } = this.host;
    dirty.rewind(0, 0);
    this.end('rolled-back');
    this.host.rolledBack(this);
  }

  // ---- its view

  /** A page that its view does not find in the cache. An error rolls the transaction back. @internal */
  fault(view: View, pageNumber: number): number {
    if (this.current !== 'active') this.refuseRead();
    if ((this.faults += 1) % FAULTS_PER_DEADLINE === 0) this.checkDeadline();
    try {
      return this.host.pages.fault(view, pageNumber);
    } catch (error) {
      throw this.abort(error);
    }
  }

  /** The view has ended with the transaction. @internal */
  renew(): never {
    return this.refuseRead();
  }

  /** The view ends with the transaction only. @internal */
  release(): void {
    // nothing of it is kept
  }

  private refuseRead(): never {
    throw new StateError('SOMBRA_CLOSED', 'this view has ended with its transaction or was released: take a new one');
  }

  // ---- its end

  /** Has the time run out? Asked at each change, and every few hundred reads that miss the cache. */
  checkDeadline(): void {
    if (this.deadline === Infinity || this.host.now() < this.deadline) return;
    this.expire();
    this.refuseLate();
  }

  /** Was it rolled back because its time had run out? @internal */
  get isLate(): boolean {
    return this.late;
  }

  /** The time has run out: rolls back, unless it has ended. @internal */
  expire(): void {
    if (this.current !== 'active') return;
    this.late = true;
    this.rollback();
  }

  private refuseLate(): never {
    throw new TransactionError(
      'SOMBRA_TRANSACTION_TIMEOUT',
      'the transaction took longer than transactionTimeoutMs and was rolled back: do less in one transaction, or raise the limit',
    );
  }

  /** Rolls back because of `error`; for a read through the view that failed. */
  abort(error: unknown): unknown {
    this.rollback();
    return error;
  }

  /** Base of the roots page, made writable for the commit. @internal */
  editRoots(): number {
    const base = this.edit(this.roots);
    if (this.host.cache.bytes[base + KIND_OFFSET] !== PAGE_KIND_ROOTS) this.refuseRoots();
    return base;
  }

  private refuseRoots(): never {
    throw new CorruptionError('SOMBRA_ROOTS', `page ${this.roots} is not the roots page any more: restore a backup`);
  }

  private end(state: TransactionState): void {
    this.current = state;
    this.view.limit = ENDED;
    for (const { catalogue } of this.savepoints.splice(0)) this.host.giveCatalogue(catalogue);
  }

  private check(): void {
    if (this.current !== 'active') this.refuseEnded();
    if (this.deadline !== Infinity) this.checkDeadline();
  }

  /** Refuses a call after the end. @throws StateError SOMBRA_TX_DONE; TransactionError SOMBRA_TRANSACTION_TIMEOUT @internal */
  refuseEnded(): never {
    if (this.late) this.refuseLate();
    throw new StateError('SOMBRA_TX_DONE', `the transaction is ${this.current}: begin a new one`);
  }

  private checkTree(slot: number): void {
    if (this.current !== 'active') this.refuseEnded();
    const name = this.catalogue.names[slot];
    if (name === undefined || name === '')
      throw new DataError('SOMBRA_TREE', `there is no tree in catalogue slot ${slot}`);
  }

  private findSavepoint(id: number): number {
    const at = this.savepoints.findIndex((savepoint) => savepoint.id === id);
    if (at < 0)
      throw new StateError('SOMBRA_SAVEPOINT', `savepoint ${id} does not exist, was released or rolled back over`);
    return at;
  }

  /** Checks that bytes [offset, offset + length) of the page at `base` may change; index of the page. */
  private change(base: number, offset: number, length: number): number {
    const { cache, dirty } = this.host;
    const d = cache.frameDirty[base >>> cache.shift]!;
    if (!(d >= 0) || this.current !== 'active') this.notEditable(base);
    if (!(offset >= FIRST_EDITABLE && length > 0 && offset + length <= cache.pageSize)) {
      throw new RangeError(
        `bytes ${offset} to ${offset + length} are not all between ${FIRST_EDITABLE} and ${cache.pageSize}`,
      );
    }
    if (dirty.level[d] !== dirty.depth) this.touch(d);
    return d;
  }

  private touch(d: number): void {
    try {
      this.host.dirty.touch(d);
    } catch (error) {
      throw this.abort(error);
    }
  }

  private notEditable(base: number): never {
    this.check();
    throw new StateError(
      'SOMBRA_PAGE_NOT_EDITABLE',
      `there is no writable page at ${base}: change what edit() returned, before the transaction ends`,
    );
  }

  private put32(at: number, value: number): void {
    const { bytes } = this.host.cache;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
  }
}
