/**
 * Index from a label to its nodes, or from an edge type to its edges: a tree of id blocks under (name, lower bound of the
 * ids in the block).
 *
 * Invariants, tested by verify:
 * 1. Blocks are not empty; ids ascend in a block and over the blocks of a name.
 * 2. A block's key is not above its first id, and above the last id of the block before.
 *
 * Usually ids come in ascending order: then the last block grows in place, by four bytes.
 */
import { writeU48, type BTree, type Cursor } from '@sombra/btree';
import type { View, WriteTransaction } from '@sombra/pager';
import { readU48 } from '../values/u48.ts';
import { ID_MAX } from '../model/limits.ts';
import {
  buildIdBlock,
  checkIdBlock,
  damagedIdBlock,
  idAt,
  ID_BLOCK_IDS_OFFSET,
  idBlockSizeMax,
  idCapacity,
  searchIds,
} from './id-block.ts';

/** Key: name id, then lower bound of the ids in the block; big-endian. */
export const INDEX_KEY_NAME_OFFSET = 0;
export const INDEX_KEY_ID_OFFSET = INDEX_KEY_NAME_OFFSET + 4;
export const INDEX_KEY_SIZE = INDEX_KEY_ID_OFFSET + 6;

const TWO_32 = 0x1_0000_0000;
const SMALL_BLOCK = 64;

/** Where a name's last block was. Only the writer uses it, and checks it. */
interface LastBlock {
  first: number;
  page: number;
  slot: number;
}

export class IdIndex {
  readonly tree: BTree;
  private readonly sizeMax: number;
  private readonly key = new Uint8Array(INDEX_KEY_SIZE);
  private readonly found = new Uint8Array(8192);
  private ids = new Float64Array(1024);
  private readonly buffer = new ArrayBuffer(4096);
  private readonly bytes = new Uint8Array(this.buffer);
  private readonly words = new Uint32Array(this.buffer);
  private readonly last = new Map<number, LastBlock>();

  constructor(tree: BTree, pageSize: number) {
    this.tree = tree;
    this.sizeMax = idBlockSizeMax(pageSize);
  }

  /** Forgets where last blocks are: call after any rollback. */
  forget(): void {
    this.last.clear();
  }

  // --- reading -----------------------------------------------------------------------------------------------------

  /**
   * Reads the next ids of a name.
   * @param after  ids greater than this one
   * @param into   receives them; as long as a block has ids (`batchSize`)
   * @returns how many; 0 at the end
   * @throws CorruptionError SOMBRA_ID_BLOCK, and those of the tree
   */
  read(view: View, name: number, after: number, into: Float64Array): number {
    if (after >= ID_MAX) return 0;
    const cursor = this.tree.cursor(view);
    try {
      this.writeKey(name, after + 1);
      let more = cursor.seekBefore(this.key, INDEX_KEY_SIZE) && this.isBlockOf(cursor, name);
      if (!more) more = cursor.seek(this.key, INDEX_KEY_SIZE) && this.isBlockOf(cursor, name);
      for (; more; more = cursor.next() && this.isBlockOf(cursor, name)) {
        const { words } = view.cache;
        const at = cursor.valueOffset;
        const size = checkIdBlock(words, at, cursor.valueLength);
        const count = (cursor.valueLength - ID_BLOCK_IDS_OFFSET) / size;
        let taken = 0;
        let last = after;
        for (let i = searchIds(words, at, size, count, after + 1); i < count && taken < into.length; i += 1) {
          const id = idAt(words, at, size, i);
          // Otherwise a scan that continues after the last id would never end.
          if (id <= last) throw damagedIdBlock(`id ${id} follows id ${last}`);
          last = id;
          into[taken++] = id;
        }
        if (taken > 0) return taken;
      }
      return 0;
    } finally {
      cursor.close();
    }
  }

  /** As `read`, backward: ids less than `before`, descending. */
  readBack(view: View, name: number, before: number, into: Float64Array): number {
    if (before <= 1) return 0;
    const cursor = this.tree.cursor(view);
    try {
      this.writeKey(name, before - 1);
      let more = cursor.seekBefore(this.key, INDEX_KEY_SIZE) && this.isBlockOf(cursor, name);
      for (; more; more = cursor.previous() && this.isBlockOf(cursor, name)) {
        const { words } = view.cache;
        const at = cursor.valueOffset;
        const size = checkIdBlock(words, at, cursor.valueLength);
        const count = (cursor.valueLength - ID_BLOCK_IDS_OFFSET) / size;
        let taken = 0;
        let last = before;
        for (let i = searchIds(words, at, size, count, before) - 1; i >= 0 && taken < into.length; i -= 1) {
          const id = idAt(words, at, size, i);
          // Otherwise a scan that continues before the last id would never end.
          if (id >= last) throw damagedIdBlock(`id ${id} stands before id ${last}`);
          last = id;
          into[taken++] = id;
        }
        if (taken > 0) return taken;
      }
      return 0;
    } finally {
      cursor.close();
    }
  }

  /** Length that an array for `read` needs so that a block fits. */
  get batchSize(): number {
    return this.sizeMax >> 2;
  }

  /** Does the index hold this id under this name? */
  has(view: View, name: number, id: number): boolean {
    const at = this.findBlock(view, name, id);
    if (at < 0) return false;
    const { words } = view.cache;
    const size = checkIdBlock(words, at, this.tree.foundLength);
    const count = (this.tree.foundLength - ID_BLOCK_IDS_OFFSET) / size;
    const place = searchIds(words, at, size, count, id);
    return place < count && idAt(words, at, size, place) === id;
  }

  // --- writing -----------------------------------------------------------------------------------------------------

  /** Adds an id that the name does not have yet. */
  add(tx: WriteTransaction, name: number, id: number): void {
    const at = this.findForAdd(tx.view, name, id);
    if (at < 0) {
      this.addFirst(tx, name, id);
      return;
    }
    const { tree } = this;
    const { words } = tx.view.cache;
    const length = tree.foundLength;
    const size = checkIdBlock(words, at, length);
    const count = (length - ID_BLOCK_IDS_OFFSET) / size;
    const ascending = idAt(words, at, size, count - 1) < id;
    if (ascending && length + size <= tree.foundCapacity && (size === 8 || id < TWO_32)) {
      const block = tree.editFound(tx);
      tree.setFoundLength(tx, length + size);
      const offset = block - tree.foundBase + length;
      tx.setU32(tree.foundBase, offset, id >>> 0);
      if (size === 8) tx.setU32(tree.foundBase, offset + 4, Math.floor(id / TWO_32));
      return;
    }
    this.load(words, at, size, count);
    const place = searchIds(words, at, size, count, id);
    this.insertId(place, count, id);
    this.writeBlocks(tx, name, count + 1, ascending);
  }

  /** Removes an id. @returns false when the name does not have it */
  remove(tx: WriteTransaction, name: number, id: number): boolean {
    const at = this.findBlock(tx.view, name, id);
    if (at < 0) return false;
    const { tree } = this;
    const { words } = tx.view.cache;
    const length = tree.foundLength;
    const size = checkIdBlock(words, at, length);
    const count = (length - ID_BLOCK_IDS_OFFSET) / size;
    const place = searchIds(words, at, size, count, id);
    if (place === count || idAt(words, at, size, place) !== id) return false;
    if (count === 1) {
      this.last.delete(name);
      tree.delete(tx, this.key, INDEX_KEY_SIZE);
      return true;
    }
    if (tree.foundCapacity > SMALL_BLOCK && (length - size) * 4 < tree.foundCapacity) {
      this.load(words, at, size, count);
      this.ids.copyWithin(place, place + 1, count);
      this.shrink(tx, name, count - 1);
      return true;
    }
    const block = tree.editFound(tx) - tree.foundBase;
    const from = block + ID_BLOCK_IDS_OFFSET + (place + 1) * size;
    if (place + 1 < count) tx.move(tree.foundBase, from - size, from, block + length - from);
    tree.setFoundLength(tx, length - size);
    return true;
  }

  /**
   * Removes many ids, block by block; those that the name does not have are skipped.
   * @param ids  ascending
   */
  removeAll(tx: WriteTransaction, name: number, ids: Float64Array): void {
    for (let next = 0; next < ids.length; ) {
      const at = this.findBlock(tx.view, name, ids[next]!);
      if (at < 0) {
        next += 1;
        continue;
      }
      const { words } = tx.view.cache;
      const size = checkIdBlock(words, at, this.tree.foundLength);
      const count = (this.tree.foundLength - ID_BLOCK_IDS_OFFSET) / size;
      this.load(words, at, size, count);
      const before = next;
      let kept = 0;
      for (let i = 0; i < count; i += 1) {
        const id = this.ids[i]!;
        while (next < ids.length && ids[next]! < id) next += 1;
        if (ids[next] === id) next += 1;
        else this.ids[kept++] = id;
      }
      if (next === before) next += 1; // it is behind the last id of its block
      if (kept < count) this.rewrite(tx, name, kept, size);
    }
  }

  /** Writes ids[0, count) in the place of the block that was found. */
  private rewrite(tx: WriteTransaction, name: number, count: number, size: number): void {
    const { tree } = this;
    if (count === 0) {
      this.last.delete(name);
      tree.delete(tx, this.key, INDEX_KEY_SIZE);
    } else if (tree.foundCapacity > SMALL_BLOCK && (ID_BLOCK_IDS_OFFSET + count * size) * 4 < tree.foundCapacity)
      this.shrink(tx, name, count);
    else this.writeBlocks(tx, name, count, false);
  }

  /** A name without a block at or before the id: joins the first block after it, or begins one. */
  private addFirst(tx: WriteTransaction, name: number, id: number): void {
    const { tree, found } = this;
    let count = 0;
    this.writeKey(name, id);
    const cursor = tree.cursor(tx.view);
    try {
      if (cursor.seek(this.key, INDEX_KEY_SIZE) && this.isBlockOf(cursor, name)) {
        const { words } = tx.view.cache;
        const size = checkIdBlock(words, cursor.valueOffset, cursor.valueLength);
        count = (cursor.valueLength - ID_BLOCK_IDS_OFFSET) / size;
        this.load(words, cursor.valueOffset, size, count);
      }
    } finally {
      cursor.close();
    }
    if (count > 0 && count < idCapacity(this.sizeMax, this.ids[count - 1]!)) {
      tree.delete(tx, found, INDEX_KEY_SIZE);
      this.last.delete(name);
    } else count = 0;
    this.insertId(0, count, id);
    this.writeKey(name, id);
    const size = buildIdBlock(this.bytes, this.words, this.ids, 0, count + 1);
    tree.put(
      tx,
      this.key,
      INDEX_KEY_SIZE,
      this.bytes,
      0,
      size,
      Math.min(this.sizeMax, Math.max(SMALL_BLOCK, size * 2)),
    );
  }

  /** Writes ids[0, count) back under the key of the block that was found, in two blocks if one does not take them. */
  private writeBlocks(tx: WriteTransaction, name: number, count: number, ascending: boolean): void {
    const { tree, ids, bytes, words, sizeMax } = this;
    const fits = idCapacity(sizeMax, ids[count - 1]!);
    if (count <= fits) {
      const size = buildIdBlock(bytes, words, ids, 0, count);
      tree.put(tx, this.key, INDEX_KEY_SIZE, bytes, 0, size, Math.min(sizeMax, size * 2));
      return;
    }
    // In ascending runs the full block stays as it is and the next one gets all its room at once.
    const first = ascending ? count - 1 : count >> 1;
    if (!ascending) {
      const size = buildIdBlock(bytes, words, ids, 0, first);
      tree.put(tx, this.key, INDEX_KEY_SIZE, bytes, 0, size, sizeMax);
    }
    this.writeKey(name, ids[first]!);
    const size = buildIdBlock(bytes, words, ids, first, count);
    tree.put(tx, this.key, INDEX_KEY_SIZE, bytes, 0, size, sizeMax);
    this.last.delete(name);
  }

  /** Writes ids[0, count), which are few, together with the next block if that has few too. */
  private shrink(tx: WriteTransaction, name: number, count: number): void {
    const { tree, bytes, words, found } = this;
    let total = count;
    const cursor = tree.cursor(tx.view);
    try {
      cursor.seek(this.key, INDEX_KEY_SIZE);
      if (cursor.next() && this.isBlockOf(cursor, name)) {
        const { words: page } = tx.view.cache;
        const size = checkIdBlock(page, cursor.valueOffset, cursor.valueLength);
        const next = (cursor.valueLength - ID_BLOCK_IDS_OFFSET) / size;
        if ((total + next) * 2 <= idCapacity(this.sizeMax, TWO_32)) {
          for (let i = 0; i < next; i += 1) this.ids[total + i] = idAt(page, cursor.valueOffset, size, i);
          total += next;
        }
      }
    } finally {
      cursor.close();
    }
    this.last.delete(name);
    if (total > count) tree.delete(tx, found, INDEX_KEY_SIZE);
    const size = buildIdBlock(bytes, words, this.ids, 0, total);
    tree.put(tx, this.key, INDEX_KEY_SIZE, bytes, 0, size, Math.max(SMALL_BLOCK, size * 2));
  }

  private load(words: Uint32Array, at: number, size: number, count: number): void {
    if (count + 1 > this.ids.length) this.ids = new Float64Array((count + 1) * 2);
    for (let i = 0; i < count; i += 1) this.ids[i] = idAt(words, at, size, i);
  }

  private insertId(place: number, count: number, id: number): void {
    this.ids.copyWithin(place + 1, place, count);
    this.ids[place] = id;
  }

  /** As `findBlock`, by way of what is remembered of the name's last block. */
  private findForAdd(view: View, name: number, id: number): number {
    const { tree, last } = this;
    const known = last.get(name);
    if (known !== undefined && known.first <= id) {
      this.writeKey(name, known.first);
      let at = tree.findAt(view, known.page, known.slot, this.key, INDEX_KEY_SIZE);
      if (at < 0) at = tree.find(view, this.key, INDEX_KEY_SIZE);
      if (at >= 0) {
        known.page = tree.foundPage;
        known.slot = tree.foundSlot;
        return at;
      }
    }
    const at = this.findBlock(view, name, id);
    if (at >= 0 && this.isLast(view, name)) {
      const first = readU48(this.key, INDEX_KEY_ID_OFFSET);
      tree.find(view, this.key, INDEX_KEY_SIZE);
      last.set(name, { first, page: tree.foundPage, slot: tree.foundSlot });
    }
    return at;
  }

  /** Is the block in `key` the last one of its name? */
  private isLast(view: View, name: number): boolean {
    const cursor = this.tree.cursor(view);
    try {
      cursor.seek(this.key, INDEX_KEY_SIZE);
      return !cursor.next() || !this.isBlockOf(cursor, name);
    } finally {
      cursor.close();
    }
  }

  /** The block that holds, or would hold, an id; its key is left in `key`. @returns as BTree.find */
  private findBlock(view: View, name: number, id: number): number {
    const { tree, key, found } = this;
    this.writeKey(name, id);
    const cursor = tree.cursor(view);
    try {
      if (!cursor.seekBefore(key, INDEX_KEY_SIZE) || !this.isBlockOf(cursor, name)) return -1;
    } finally {
      cursor.close();
    }
    for (let i = 0; i < INDEX_KEY_SIZE; i += 1) key[i] = found[i]!;
    return tree.find(view, key, INDEX_KEY_SIZE);
  }

  /** Does the cursor stand on a block of this name? Leaves its key in `found`. */
  private isBlockOf(cursor: Cursor, name: number): boolean {
    const { found } = this;
    const length = cursor.keyInto(found);
    if (length !== INDEX_KEY_SIZE) throw damagedIdBlock(`a key has ${length} bytes`);
    if (((found[0]! << 24) | (found[1]! << 16) | (found[2]! << 8) | found[3]!) >>> 0 !== name) return false;
    if (cursor.overflow !== 0) throw damagedIdBlock('a block lies in overflow pages');
    return true;
  }

  private writeKey(name: number, id: number): void {
    writeIndexKey(this.key, name, id);
  }
}

/** Writes the key of a block. */
export function writeIndexKey(key: Uint8Array, name: number, id: number): void {
  key[INDEX_KEY_NAME_OFFSET] = name >>> 24;
  key[INDEX_KEY_NAME_OFFSET + 1] = name >>> 16;
  key[INDEX_KEY_NAME_OFFSET + 2] = name >>> 8;
  key[INDEX_KEY_NAME_OFFSET + 3] = name;
  writeU48(key, INDEX_KEY_ID_OFFSET, id);
}
