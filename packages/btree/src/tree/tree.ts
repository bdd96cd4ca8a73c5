/**
 * A B+tree: byte keys in memcmp order, values that can be read and changed in place.
 *
 * A handle knows where its tree stands in the catalogue and holds no pages. Reads take the view to read from, writes the
 * transaction. Reads allocate nothing: they leave what they found in the handle's fields, which hold until the next call
 * on the handle, and their bases as long as a page's base does (see View.page).
 */
import { type PageCache, type Problem, rootsPage, type View, type WriteTransaction } from '@sombra/pager';
import { DataError, StateError } from '@sombra/vfs';
import { checkTree } from './check.ts';
import { Cursor } from './cursor.ts';
import { dropPages } from './drop.ts';
import { checkEntry } from './entry-limits.ts';
import { estimateRange } from './estimate.ts';
import { wrongPage } from '../page/fault.ts';
import { CELL_CAPACITY_OFFSET, KIND_LEAF, PREFIX_OFFSET, REFERENCE_LENGTH_OFFSET, SLOT_SIZE } from '../page/layout.ts';
import { checkChainLength, readChain } from '../page/overflow.ts';
import {
  childOf,
  overflowOf,
  pageIdentity,
  pageIdentityAt,
  prefixLengthOf,
  searchPage,
  searchU48,
  slotCountOf,
  slotsOf,
  treeLevel,
  valueOffsetOf,
  writeU48,
} from '../page/page.ts';
import { invalidateCursors, treeState, type TreeState } from './tree-state.ts';
import { treeWriter, type TreeWriter } from './tree-writer.ts';

export class BTree {
  /** Name in the catalogue. */
  readonly name: string;
  /** Catalogue slot. */
  readonly slot: number;
  /** What the tree's pages carry in their headers: slot + 1. */
  readonly treeId: number;
  /** Shared by all handles of the tree. @internal */
  readonly state: TreeState;

  /** Page of the entry last found. */
  foundPage = 0;
  /** Base of that page. */
  foundBase = 0;
  /** Its slot; -1 when nothing was found. */
  foundSlot = -1;
  /** Length of the value in bytes: of the whole value, also when it lies in overflow pages. */
  foundLength = 0;
  /** Bytes that the value may grow to in place. */
  foundCapacity = 0;
  /** First overflow page of the value, 0 for a value inside the leaf. */
  foundOverflow = 0;

  private readonly cache: PageCache;
  private readonly writer: TreeWriter;
  private readonly leafIdentity: number;
  /** Number of the page before the first one that a tree can have. */
  private readonly lastOther: number;
  private readonly idKey = new Uint8Array(6);
  private foundOffset = 0;

  private constructor(cache: PageCache, name: string, slot: number) {
    this.name = name;
    this.slot = slot;
    this.treeId = slot + 1;
    this.cache = cache;
    this.state = treeState(cache, slot);
    this.writer = treeWriter(cache);
    this.leafIdentity = pageIdentityAt(0, this.treeId);
    this.lastOther = rootsPage(cache.pageSize);
  }

  /**
   * Creates an empty tree.
   * @throws DataError SOMBRA_TREE_NAME, SOMBRA_TREE_EXISTS, SOMBRA_TREES_FULL; what WriteTransaction.allocate throws
   */
  static create(tx: WriteTransaction, name: string): BTree {
    const slot = tx.createTree(name);
    const tree = new BTree(tx.view.cache, name, slot);
    tx.setTreeRoot(slot, tx.allocate(KIND_LEAF, tree.treeId));
    tree.state.moves += 1;
    return tree;
  }

  /** Opens a tree that the view's commit has; undefined if there is none of this name. */
  static open(view: View, name: string): BTree | undefined {
    const slot = view.findTree(name);
    return slot < 0 ? undefined : new BTree(view.cache, view.catalogue.names[slot]!, slot);
  }

  /**
   * Call after WriteTransaction.rollbackTo: cursors on the transaction's view then look their place up again at the next
   * step. Handles need nothing.
   */
  static rolledBack(view: View): void {
    invalidateCursors(view.cache);
  }

  // --- reads -------------------------------------------------------------------------------------------------------

  /**
   * Looks a key up.
   * @param keyLength  bytes of `key` that count
   * @returns byte offset of the value in `view.cache.bytes`, a multiple of 4, or -1. With `foundOverflow` set the value
   *   lies elsewhere: `readValue` fetches it
   * @throws CorruptionError SOMBRA_TREE_PAGE; StateError SOMBRA_TREE_DROPPED; what View.page throws
   */
  find(view: View, key: Uint8Array, keyLength: number): number {
    this.foundSlot = -1;
    const memory = this.cache;
    let page = this.rootOf(view);
    let base = view.page(page);
    let level = treeLevel(memory, base, this.treeId, page);
    while (level > 0) {
      const found = searchPage(memory, base, key, keyLength);
      page = childOf(memory, base, slotsOf(memory, base), found >= 0 ? found : ~found - 1);
      level -= 1;
      base = view.page(page);
      if (pageIdentity(memory, base) !== pageIdentityAt(level, this.treeId)) throw this.wrongChild(page);
    }
    return this.noteFound(page, base, searchPage(memory, base, key, keyLength));
  }

  /** {@link find} for the six big-endian bytes of an id below 2^48. */
  findU48(view: View, id: number): number {
    this.foundSlot = -1;
    const memory = this.cache;
    const high = (id / 0x100000000) | 0;
    const low = id >>> 0;
    let page = this.rootOf(view);
    let base = view.page(page);
    let level = treeLevel(memory, base, this.treeId, page);
    while (level > 0) {
      const found = searchU48(memory, base, high, low);
      page = childOf(memory, base, slotsOf(memory, base), found >= 0 ? found : ~found - 1);
      level -= 1;
      base = view.page(page);
      if (pageIdentity(memory, base) !== pageIdentityAt(level, this.treeId)) throw this.wrongChild(page);
    }
    return this.noteFound(page, base, searchU48(memory, base, high, low));
  }

  /**
   * {@link find} at a place that is only a guess: `pageNumber` and `slot` may name anything. It reads no page from the file.
   * @returns -1 when the key is not there, or the page is not cached; the key may then be elsewhere in the tree. Never throws for
   *   a wrong guess
   */
  findAt(view: View, pageNumber: number, slot: number, key: Uint8Array, keyLength: number): number {
    const base = this.guessedLeaf(view, pageNumber);
    if (base < 0 || !isIndex(slot, slotCountOf(this.cache, base))) return -1;
    const found = searchPage(this.cache, base, key, keyLength);
    return found === slot ? this.noteFound(pageNumber, base, found) : this.nothing();
  }

  /**
   * {@link findU48} in a leaf that is only a guess; the slot is worked out from the id.
   * @returns -1 when the id is not there; it may then be elsewhere in the tree. Never throws for a wrong guess
   */
  findInLeafU48(view: View, pageNumber: number, id: number): number {
    const base = this.guessedLeaf(view, pageNumber);
    if (base < 0) return -1;
    return this.noteFound(pageNumber, base, searchU48(this.cache, base, (id / 0x100000000) | 0, id >>> 0));
  }

  /** {@link findAt} for an id: the slot is looked at first, nothing is searched when it is right. */
  findAtU48(view: View, pageNumber: number, slot: number, id: number): number {
    const memory = this.cache;
    const base = this.guessedLeaf(view, pageNumber);
    if (base < 0 || !isIndex(slot, slotCountOf(memory, base))) return -1;
    const slots = slotsOf(memory, base);
    const at = slots + slot * SLOT_SIZE;
    if (prefixLengthOf(memory, base) === 2) {
      const prefix = memory.halves[(base + PREFIX_OFFSET) >> 1]!;
      if (
        memory.words[(at + 4) >> 2] !== id >>> 0 ||
        memory.halves[(at + 2) >> 1] !== 4 ||
        ((prefix >>> 8) | ((prefix & 0xff) << 8)) !== ((id / 0x100000000) | 0)
      ) {
        return this.nothing();
      }
      return this.noteFound(pageNumber, base, slot);
    }
    const found = searchU48(memory, base, (id / 0x100000000) | 0, id >>> 0);
    return found === slot ? this.noteFound(pageNumber, base, found) : this.nothing();
  }

  /**
   * Copies the value last found, from overflow pages too.
   * @param view  the view that it was found in
   * @throws StateError SOMBRA_NOTHING_FOUND; CorruptionError SOMBRA_OVERFLOW_CHAIN
   */
  readValue(view: View): Uint8Array {
    if (this.foundSlot < 0) throw nothingFound();
    const length = this.foundLength;
    if (this.foundOverflow === 0) return this.cache.bytes.slice(this.foundOffset, this.foundOffset + length);
    checkChainLength(view, this.foundOverflow, length);
    const value = new Uint8Array(length);
    readChain(view, this.treeId, this.foundOverflow, length, value, 0);
    return value;
  }

  /** Copy of the value of a key, undefined if it is not there. */
  get(view: View, key: Uint8Array): Uint8Array | undefined {
    return this.find(view, key, key.length) < 0 ? undefined : this.readValue(view);
  }

  /** Is there an entry with this key? */
  has(view: View, key: Uint8Array): boolean {
    return this.find(view, key, key.length) >= 0;
  }

  /** Number of entries. */
  count(view: View): number {
    this.rootOf(view);
    return view.treeCount(this.slot);
  }

  /**
   * Guesses how many entries have low <= key < high, from two descents. Exact when they lie in one leaf; else as far off as the
   * pages of the tree are unevenly filled.
   */
  estimate(view: View, low: Uint8Array, lowLength: number, high: Uint8Array, highLength: number): number {
    return estimateRange(view, this, low, lowLength, high, highLength);
  }

  /** A cursor, not yet placed. Close it: it pins a page. */
  cursor(view: View): Cursor {
    this.rootOf(view);
    return new Cursor(this, view);
  }

  // --- writes ------------------------------------------------------------------------------------------------------
  // An error after the first change rolls the transaction back: a half-done split is never committed.

  /**
   * Inserts an entry or replaces the value of the one that is there.
   * @param key       at most keySizeMax bytes; copied
   * @param value     value[from, to) is stored: at most 64 MiB; copied; not the cache's own bytes
   * @param capacity  bytes that the value may later grow to in place (setFoundLength); rounded to 4, and to what a page takes
   * @throws DataError SOMBRA_KEY_TOO_LONG, SOMBRA_VALUE_TOO_LARGE; RangeError when key or value do not have so many bytes;
   *   what WriteTransaction.edit and allocate throw
   */
  put(
    tx: WriteTransaction,
    key: Uint8Array,
    keyLength: number,
    value: Uint8Array,
    from: number,
    to: number,
    capacity = 0,
  ): void {
    this.store(tx, key, keyLength, value, from, to, capacity, true);
  }

  /** Inserts an entry unless the key is there. @returns whether it was inserted. Otherwise as {@link put} */
  insert(
    tx: WriteTransaction,
    key: Uint8Array,
    keyLength: number,
    value: Uint8Array,
    from: number,
    to: number,
    capacity = 0,
  ): boolean {
    return this.store(tx, key, keyLength, value, from, to, capacity, false);
  }

  private store(
    tx: WriteTransaction,
    key: Uint8Array,
    keyLength: number,
    value: Uint8Array,
    from: number,
    to: number,
    capacity: number,
    replace: boolean,
  ): boolean {
    checkEntry(this.cache.pageSize, key, keyLength, value, from, to);
    const root = this.rootOf(tx.view);
    this.foundSlot = -1;
    try {
      return this.writer.put(tx, this, root, key, keyLength, value, from, to, capacity, replace);
    } catch (error) {
      throw tx.abort(error);
    }
  }

  /** {@link put} under the six big-endian bytes of an id below 2^48. */
  putU48(tx: WriteTransaction, id: number, value: Uint8Array, from: number, to: number, capacity = 0): void {
    writeU48(this.idKey, 0, id);
    this.put(tx, this.idKey, 6, value, from, to, capacity);
  }

  /** Deletes an entry. @returns false if the key was not there */
  delete(tx: WriteTransaction, key: Uint8Array, keyLength: number): boolean {
    const root = this.rootOf(tx.view);
    this.foundSlot = -1;
    try {
      return this.writer.delete(tx, this, root, key, keyLength);
    } catch (error) {
      throw tx.abort(error);
    }
  }

  /** {@link delete} under the six big-endian bytes of an id. */
  deleteU48(tx: WriteTransaction, id: number): boolean {
    writeU48(this.idKey, 0, id);
    return this.delete(tx, this.idKey, 6);
  }

  /**
   * Makes the page of the entry last found (through `tx.view`) writable.
   * @returns byte offset of the value: its bytes may then be changed by `tx.set…(foundBase, offset - foundBase, …)`
   *   until the next put, insert, delete or drop
   * @throws StateError SOMBRA_NOTHING_FOUND, SOMBRA_VALUE_IN_OVERFLOW (use `put`); what WriteTransaction.edit throws
   */
  editFound(tx: WriteTransaction): number {
    if (this.foundSlot < 0) throw nothingFound();
    if (this.foundOverflow !== 0) {
      throw new StateError(
        'SOMBRA_VALUE_IN_OVERFLOW',
        'a value in overflow pages cannot be changed in place: put a new one',
      );
    }
    const base = tx.edit(this.foundPage);
    if (base !== this.foundBase) {
      this.foundOffset += base - this.foundBase;
      this.foundBase = base;
      this.state.touches += 1;
    }
    return this.foundOffset;
  }

  /**
   * Sets the length of the entry's value after {@link editFound}; bytes that it gains are undefined until written.
   * @throws DataError SOMBRA_VALUE_TOO_LARGE beyond `foundCapacity`
   */
  setFoundLength(tx: WriteTransaction, length: number): void {
    this.editFound(tx);
    if (!(length >= 0 && length <= this.foundCapacity)) {
      throw new DataError(
        'SOMBRA_VALUE_TOO_LARGE',
        `${length} bytes do not fit into the ${this.foundCapacity} reserved for the value: put it again`,
      );
    }
    if (length === this.foundLength) return;
    const slots = slotsOf(this.cache, this.foundBase);
    tx.setU16(this.foundBase, this.cache.halves[(slots + this.foundSlot * SLOT_SIZE) >> 1]!, length);
    this.foundLength = length;
    this.state.touches += 1;
  }

  /** Deletes all entries and frees their pages. */
  clear(tx: WriteTransaction): void {
    const root = this.rootOf(tx.view);
    this.foundSlot = -1;
    try {
      this.state.moves += 1;
      dropPages(tx, this.treeId, root);
      tx.restartTree(this.slot);
      tx.setTreeRoot(this.slot, tx.allocate(KIND_LEAF, this.treeId));
    } catch (error) {
      throw tx.abort(error);
    }
  }

  /**
   * Takes a damaged tree out of the catalogue without reading it: its pages stay in use by nothing. The handle is of no use then.
   */
  abandon(tx: WriteTransaction): void {
    this.foundSlot = -1;
    this.state.moves += 1;
    tx.dropTree(this.slot);
  }

  /** Frees all pages of the tree and takes it out of the catalogue. The handle is of no use then. */
  drop(tx: WriteTransaction): void {
    const root = this.rootOf(tx.view);
    this.foundSlot = -1;
    try {
      this.state.moves += 1;
      dropPages(tx, this.treeId, root);
      tx.dropTree(this.slot);
    } catch (error) {
      throw tx.abort(error);
    }
  }

  /**
   * Reads the whole tree and tests everything that must hold of it.
   * @param mark  called with the number of each page of the tree, overflow pages included, as Pager.check wants it
   * @returns what is wrong; empty for a sound tree
   */
  check(view: View, mark?: (pageNumber: number) => void): Problem[] {
    const steps = this.checkSteps(view, mark);
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value;
    }
  }

  /** As `check`, in steps of some pages each: nothing in memory is held in between, but the view has to stay as it is. */
  checkSteps(view: View, mark?: (pageNumber: number) => void): Generator<undefined, Problem[], undefined> {
    return checkTree(view, this, this.rootOf(view), mark);
  }

  // --- parts -------------------------------------------------------------------------------------------------------

  /** Root page of the tree in a view. @throws StateError SOMBRA_TREE_DROPPED, SOMBRA_OTHER_DATABASE @internal */
  rootOf(view: View): number {
    if (view.cache !== this.cache) throw otherDatabase(this.name);
    const root = view.treeRoot(this.slot);
    // The slot of a dropped tree may be another tree's by now.
    if (root === 0 || view.catalogue.names[this.slot] !== this.name) throw dropped(this.name);
    return root;
  }

  /** Does the view have the tree, in the catalogue slot that this handle knows? @internal */
  existsIn(view: View): boolean {
    return view.cache === this.cache && view.treeRoot(this.slot) !== 0 && view.catalogue.names[this.slot] === this.name;
  }

  /** Base of a leaf of this tree, -1 when the page is something else or is not cached: the descent has to read it then. */
  private guessedLeaf(view: View, pageNumber: number): number {
    this.foundSlot = -1;
    if (view.cache !== this.cache || !(pageNumber > this.lastOther) || !isIndex(pageNumber, view.pageCount)) return -1;
    const { cache } = this;
    const base = view.cachedPage(pageNumber);
    if (base < 0 || pageIdentity(cache, base) !== this.leafIdentity) return -1;
    // A page that was freed with all the others keeps what it held.
    return cache.frameLsn[base >>> cache.shift]! >= view.catalogue.since[this.slot]! ? base : -1;
  }

  private nothing(): -1 {
    this.foundSlot = -1;
    return -1;
  }

  /** Notes what a search in a leaf found. @returns offset of the value, or -1 */
  private noteFound(page: number, base: number, found: number): number {
    this.foundSlot = -1;
    if (found < 0) return -1;
    const memory = this.cache;
    const { halves } = memory;
    const slots = slotsOf(memory, base);
    const value = base + valueOffsetOf(memory, base, slots, found);
    const cell = base + halves[(slots + found * SLOT_SIZE) >> 1]!;
    const length = halves[cell >> 1]!;
    const capacity = halves[(cell + CELL_CAPACITY_OFFSET) >> 1]!;
    this.foundPage = page;
    this.foundBase = base;
    this.foundOffset = value;
    this.foundCapacity = capacity;
    if (length <= capacity) {
      this.foundLength = length;
      this.foundOverflow = 0;
    } else {
      this.foundOverflow = overflowOf(memory, base, slots, found, value);
      this.foundLength = memory.words[(value + REFERENCE_LENGTH_OFFSET) >> 2]!;
    }
    this.foundSlot = found;
    return value;
  }

  private wrongChild(page: number): Error {
    return wrongPage(page, `is not the page of tree '${this.name}' that its parent points to`);
  }
}

/** Is this a whole number of 0 to `limit` - 1? */
function isIndex(value: number, limit: number): boolean {
  return (value | 0) === value && value >= 0 && value < limit;
}

function dropped(name: string): StateError {
  return new StateError(
    'SOMBRA_TREE_DROPPED',
    `tree '${name}' does not exist in this view: it was dropped, or is newer than the view`,
  );
}

function otherDatabase(name: string): StateError {
  return new StateError(
    'SOMBRA_OTHER_DATABASE',
    `this handle of tree '${name}' belongs to another database: open the tree there`,
  );
}

function nothingFound(): StateError {
  return new StateError('SOMBRA_NOTHING_FOUND', 'the last search of this handle found nothing');
}
