/**
 * A place in a tree, moved entry by entry in both directions.
 *
 * Invariants:
 * 1. While `valid`, the cursor pins its leaf, and `path`/`index` lead from the root to it: page and taken child (-1: the
 *    first) per level.
 * 2. A pinned committed page never changes, so the entry's key can be read from it at any time. A page that the running
 *    transaction has made its own can: there the key is copied at each step.
 * 3. Before a step the cursor compares the tree's counters and the view's lsn with those it was placed under. Entries may
 *    have moved: it looks its key up again. Only pages were copied: it fetches its leaf again.
 * 4. Going over to another leaf, the first key there must lie on the right side of the key left behind. So a damaged tree
 *    whose branches lead to one leaf more than once cannot keep a cursor going.
 */
import type { PageCache, View } from '@sombra/pager';
import { StateError } from '@sombra/vfs';
import { damagedPage, wrongOrder, wrongPage } from '../page/fault.ts';
import { compareKeys } from '../page/keys.ts';
import { CELL_CAPACITY_OFFSET, keySizeMax, LEVELS_MAX, REFERENCE_LENGTH_OFFSET, SLOT_SIZE } from '../page/layout.ts';
import { checkChainLength, readChain } from '../page/overflow.ts';
import {
  childOf,
  overflowOf,
  pageIdentity,
  pageIdentityAt,
  readKey,
  searchPage,
  slotCountOf,
  slotsOf,
  treeLevel,
  valueOffsetOf,
  writeU48,
} from '../page/page.ts';
import type { TreeState } from './tree-state.ts';

/** What a cursor needs to know of its tree. */
export interface CursorTree {
  readonly name: string;
  readonly treeId: number;
  readonly state: TreeState;
  rootOf(view: View): number;
}

export class Cursor {
  /** Does the cursor stand on an entry? The fields below hold only then, until the next step or write. */
  valid = false;
  /** Base of the leaf in `view.cache.bytes`. */
  base = 0;
  /** Page number of the leaf. */
  pageNumber = 0;
  /** Slot of the entry in the leaf. */
  slot = 0;
  /** Byte offset of the value in `view.cache.bytes`; with `overflow` set, use `value()`. */
  valueOffset = 0;
  /** Length of the value in bytes. */
  valueLength = 0;
  /** First overflow page of the value, 0 for a value inside the leaf. */
  overflow = 0;

  private readonly tree: CursorTree;
  private readonly view: View;
  private readonly memory: PageCache;
  private readonly path = new Uint32Array(LEVELS_MAX);
  private readonly index = new Int32Array(LEVELS_MAX);
  private rootLevel = 0;
  private count = 0;
  private slots = 0;
  private pinned = false;
  private closed = false;
  private moves = 0;
  private touches = 0;
  private limit = -1;
  /** Is the leaf a page that its transaction may change in place? Then `saved` holds the entry's key. */
  private changeable = false;
  private readonly saved: Uint8Array;
  private savedLength = 0;
  private readonly other: Uint8Array;

  /** Use BTree.cursor. @internal */
  constructor(tree: CursorTree, view: View) {
    this.tree = tree;
    this.view = view;
    this.memory = view.cache;
    this.saved = new Uint8Array(keySizeMax(view.cache.pageSize));
    this.other = new Uint8Array(keySizeMax(view.cache.pageSize));
  }

  /** Goes to the first entry. @returns false in an empty tree */
  first(): boolean {
    return this.toEdge(true);
  }

  /** Goes to the last entry. @returns false in an empty tree */
  last(): boolean {
    return this.toEdge(false);
  }

  /** Goes to the first entry with a key >= `key`. @returns false if there is none */
  seek(key: Uint8Array, keyLength: number): boolean {
    const found = this.descend(key, keyLength);
    return this.arrive(found >= 0 ? found : ~found, true);
  }

  /** Goes to the last entry with a key <= `key`. @returns false if there is none */
  seekBefore(key: Uint8Array, keyLength: number): boolean {
    const found = this.descend(key, keyLength);
    return this.arrive(found >= 0 ? found : ~found - 1, false);
  }

  /** {@link seek} for the six big-endian bytes of an id below 2^48. */
  seekU48(id: number): boolean {
    writeU48(this.other, 0, id);
    return this.seek(this.other, 6);
  }

  /** Goes to the next entry. @returns false at the end (the cursor is then not valid any more) */
  next(): boolean {
    if (!this.valid) return false;
    if (this.isStale()) {
      if (this.refind()) return this.arrive(this.slot + 1, true);
      return this.arrive(this.slot, true); // the entry is gone: its successor has its place
    }
    if (this.slot + 1 < this.count) {
      this.slot += 1;
      this.load();
      return true;
    }
    return this.arrive(this.slot + 1, true);
  }

  /** Goes to the entry before. @returns false at the beginning (the cursor is then not valid any more) */
  previous(): boolean {
    if (!this.valid) return false;
    if (this.isStale()) this.refind();
    if (this.slot > 0 && this.slot <= this.count) {
      this.slot -= 1;
      this.load();
      return true;
    }
    return this.arrive(this.slot - 1, false);
  }

  /** Copy of the entry's key. @throws StateError SOMBRA_CURSOR_NOWHERE */
  key(): Uint8Array {
    const length = this.keyInto(this.other);
    return this.other.slice(0, length);
  }

  /**
   * Writes the entry's key into `target`.
   * @param target  at least as long as the key
   * @returns its length
   */
  keyInto(target: Uint8Array): number {
    this.checkValid();
    if (this.changeable) {
      for (let i = 0; i < this.savedLength; i++) target[i] = this.saved[i]!;
      return this.savedLength;
    }
    return readKey(this.memory, this.base, this.slot, target);
  }

  /** Copy of the entry's value, from overflow pages too. @throws StateError SOMBRA_CURSOR_NOWHERE; CorruptionError */
  value(): Uint8Array {
    this.checkValid();
    if (this.isStale() && !this.refresh()) {
      throw new StateError('SOMBRA_CURSOR_NOWHERE', "the cursor's entry was deleted: take a step first");
    }
    if (this.overflow === 0) return this.memory.bytes.slice(this.valueOffset, this.valueOffset + this.valueLength);
    checkChainLength(this.view, this.overflow, this.valueLength);
    const value = new Uint8Array(this.valueLength);
    readChain(this.view, this.tree.treeId, this.overflow, this.valueLength, value, 0);
    return value;
  }

  /**
   * Looks the entry up again after changes of the tree, so that `valueOffset` and its like hold.
   * @returns false when the entry was deleted; the cursor then still knows its place for the next step
   */
  refresh(): boolean {
    if (!this.valid) return false;
    if (!this.isStale()) return true;
    if (!this.refind()) {
      // Let the next step look again: `slot` names the successor, which is not our entry.
      this.moves = -1;
      this.changeable = true;
      return false;
    }
    this.load();
    return true;
  }

  /** Number of the leaf that the entry lies in, while the cursor is at one. */
  get page(): number {
    return this.pageNumber;
  }

  /** Releases the page. Harmless when repeated. */
  close(): void {
    this.leave();
    this.closed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private isStale(): boolean {
    const { state } = this.tree;
    return this.moves !== state.moves || this.touches !== state.touches || this.limit !== this.view.limit;
  }

  /**
   * Finds the entry again after a change.
   * @returns true with `slot` at the entry, false with `slot` where it would be; the leaf is pinned either way
   */
  private refind(): boolean {
    const { state } = this.tree;
    if (this.moves === state.moves && this.limit === this.view.limit && !this.changeable) {
      this.touches = state.touches;
      const base = this.view.page(this.pageNumber);
      if (base !== this.base) {
        this.memory.pin(base);
        this.memory.unpin(this.base);
        this.enterLeaf(base);
        this.load();
      }
      return true;
    }
    if (!this.changeable) this.savedLength = readKey(this.memory, this.base, this.slot, this.saved);
    const found = this.descend(this.saved, this.savedLength);
    this.slot = found >= 0 ? found : ~found;
    this.valid = true;
    return found >= 0;
  }

  private leave(): void {
    this.valid = false;
    if (!this.pinned) return;
    this.pinned = false;
    this.memory.unpin(this.base);
  }

  /**
   * Begins a walk from the root: releases the leaf, and records the counters and lsn under which the new place is found. @returns the root
   */
  private begin(): number {
    if (this.closed) throw new StateError('SOMBRA_CLOSED', 'this cursor was closed: make a new one');
    this.leave();
    // First of all: the pager's own view may take up a newer commit here.
    const root = this.tree.rootOf(this.view);
    const { state } = this.tree;
    this.moves = state.moves;
    this.touches = state.touches;
    this.limit = this.view.limit;
    return root;
  }

  private enterLeaf(base: number): void {
    const { memory } = this;
    this.base = base;
    this.slots = slotsOf(memory, base);
    this.count = slotCountOf(memory, base);
    this.changeable = memory.frameDirty[base >>> memory.shift]! >= 0;
  }

  /** Walks down to the leaf for a key and pins it. @returns what searchPage finds there */
  private descend(key: Uint8Array, keyLength: number): number {
    let page = this.begin();
    const { memory, view } = this;
    let base = view.page(page);
    let level = treeLevel(memory, base, this.tree.treeId, page);
    this.rootLevel = level;
    for (;;) {
      this.path[level] = page;
      const found = searchPage(memory, base, key, keyLength);
      if (level === 0) {
        this.pin(base, page);
        return found;
      }
      const taken = found >= 0 ? found : ~found - 1;
      this.index[level] = taken;
      page = childOf(memory, base, slotsOf(memory, base), taken);
      level -= 1;
      base = this.childBase(level, page);
    }
  }

  private pin(base: number, page: number): void {
    this.memory.pin(base);
    this.pinned = true;
    this.pageNumber = page;
    this.enterLeaf(base);
  }

  private childBase(level: number, page: number): number {
    const base = this.view.page(page);
    if (pageIdentity(this.memory, base) !== pageIdentityAt(level, this.tree.treeId)) {
      throw wrongPage(page, `is not the page of tree '${this.tree.name}' that its parent points to`);
    }
    return base;
  }

  private toEdge(left: boolean): boolean {
    const page = this.begin();
    const base = this.view.page(page);
    const level = treeLevel(this.memory, base, this.tree.treeId, page);
    this.rootLevel = level;
    this.path[level] = page;
    this.downEdge(level, base, left);
    return this.arrive(left ? 0 : this.count - 1, left);
  }

  /** From a page of the path down to the first or last leaf below it, which is pinned. */
  private downEdge(from: number, at: number, left: boolean): void {
    const { memory } = this;
    let base = at;
    for (let level = from; level > 0; ) {
      const taken = left ? -1 : slotCountOf(memory, base) - 1;
      this.index[level] = taken;
      const page = childOf(memory, base, slotsOf(memory, base), taken);
      level -= 1;
      this.path[level] = page;
      base = this.childBase(level, page);
    }
    this.pin(base, this.path[0]!);
  }

  /** Stops at a slot of the leaf, or on the nearest entry of the neighbouring leaf when it has no such slot. */
  private arrive(slot: number, forward: boolean): boolean {
    if (slot >= 0 && slot < this.count) {
      this.slot = slot;
      this.load();
      return true;
    }
    if (!this.neighbour(forward)) {
      this.leave();
      return false;
    }
    this.slot = forward ? 0 : this.count - 1;
    this.load();
    return true;
  }

  /** Goes over to the leaf after or before this one. @returns false when there is none */
  private neighbour(forward: boolean): boolean {
    const { memory, view } = this;
    const step = forward ? 1 : -1;
    let level = 1;
    let base = 0;
    for (; ; level++) {
      if (level > this.rootLevel) return false;
      base = view.page(this.path[level]!);
      const taken = this.index[level]! + step;
      if (taken >= -1 && taken < slotCountOf(memory, base)) break;
    }
    // An empty leaf has no key to compare with: it can only be a damaged tree's, since the root's leaf has no neighbour.
    if (this.count === 0) throw damagedPage(memory, this.base, 'is empty');
    const edgeLength = readKey(memory, this.base, forward ? this.count - 1 : 0, this.other);
    this.leave();
    const taken = this.index[level]! + step;
    this.index[level] = taken;
    const page = childOf(memory, base, slotsOf(memory, base), taken);
    this.path[level - 1] = page;
    this.downEdge(level - 1, this.childBase(level - 1, page), forward);
    if (this.count === 0) throw damagedPage(memory, this.base, 'is empty');
    const near = readKey(memory, this.base, forward ? 0 : this.count - 1, this.saved);
    const order = compareKeys(this.saved, near, this.other, edgeLength);
    const far = readKey(memory, this.base, forward ? this.count - 1 : 0, this.other);
    const inside = this.count > 1 ? compareKeys(this.other, far, this.saved, near) : order;
    if (forward ? order <= 0 || inside <= 0 : order >= 0 || inside >= 0) throw wrongOrder(this.pageNumber);
    return true;
  }

  /** Reads where the value of the entry at `slot` lies. Damage leaves the cursor on no entry. */
  private load(): void {
    this.valid = false;
    const { memory, base, slot } = this;
    const value = base + valueOffsetOf(memory, base, this.slots, slot);
    const cell = base + memory.halves[(this.slots + slot * SLOT_SIZE) >> 1]!;
    const length = memory.halves[cell >> 1]!;
    this.valueOffset = value;
    this.overflow = 0;
    this.valueLength = length;
    if (length > memory.halves[(cell + CELL_CAPACITY_OFFSET) >> 1]!) {
      this.overflow = overflowOf(memory, base, this.slots, slot, value);
      this.valueLength = memory.words[(value + REFERENCE_LENGTH_OFFSET) >> 2]!;
    }
    if (this.changeable) this.savedLength = readKey(memory, base, slot, this.saved);
    this.valid = true;
  }

  private checkValid(): void {
    if (!this.valid) throw new StateError('SOMBRA_CURSOR_NOWHERE', 'the cursor stands on no entry: place it first');
    // The memory of a closed database serves another one.
    if (this.memory.bytes.length === 0) throw new StateError('SOMBRA_CLOSED', 'the database is closed: open it again');
  }
}
