/** Reading adjacency: the trees `out` and `in`. Layout of the blocks: adjacency-block.ts. */
import { writeU48, type BTree, type Cursor } from '@sombra/btree';
import type { View } from '@sombra/pager';
import {
  BLOCK_CAPACITY_OFFSET,
  BLOCK_FIRST_TYPE_OFFSET,
  BLOCK_NEIGHBOURS_OFFSET,
  type BlockMemory,
  CHAINS_HEAD,
  checkBlock,
  collectBlock,
  damagedBlock,
  FLAG_CHAINS,
  headDegree,
  SIMPLE_BLOCK,
  TYPE_HEAD,
} from './adjacency-block.ts';
import type { EdgeColumns } from './edge-columns.ts';
import type { HintTable } from '../ids/hint-table.ts';
import { readU48 } from '../values/u48.ts';
import type { TypeFilter } from '../names/type-filter.ts';

/** Keys: node; node and type; node, type and first edge id. All big-endian. */
export const NODE_KEY_SIZE = 6;
export const TYPE_KEY_SIZE = NODE_KEY_SIZE + 2;
export const CHAIN_KEY_SIZE = TYPE_KEY_SIZE + 6;

/** In place of a neighbour: any. */
const ANY = -1;
/** In place of a neighbour to leave out: none. */
const NONE = -1;

/** Writes the key of a node, of its type head, or of a chain block, as long as the caller needs it. */
export function writeAdjacencyKey(key: Uint8Array, node: number, type = 0, edge = 0): void {
  writeU48(key, 0, node);
  key[NODE_KEY_SIZE] = type >>> 8;
  key[NODE_KEY_SIZE + 1] = type;
  writeU48(key, TYPE_KEY_SIZE, edge);
}

/** Reader of one direction. Keeps the place last found, like the tree's handle; nothing outlives the next call. */
export class Adjacency {
  readonly tree: BTree;
  readonly hints: HintTable;
  private readonly key = new Uint8Array(CHAIN_KEY_SIZE);
  private readonly found = new Uint8Array(8192);

  constructor(tree: BTree, hints: HintTable) {
    this.tree = tree;
    this.hints = hints;
  }

  /**
   * Finds a node's first block or head.
   * @returns its byte offset in the page cache, a multiple of 4; -1 when the node has no edges in this direction
   * @throws CorruptionError SOMBRA_ADJACENCY, and those of the tree
   */
  head(view: View, node: number): number {
    const { tree, hints } = this;
    const place = hints.place(node);
    const page = hints.pages[place]!;
    if (page !== 0) {
      const at = tree.findAtU48(view, page, hints.slots[place]!, node);
      if (at >= 0) {
        if (tree.foundOverflow !== 0) throw damagedBlock(node, 'it lies in overflow pages');
        return at;
      }
    }
    const at = tree.findU48(view, node);
    if (at < 0) return -1;
    if (tree.foundOverflow !== 0) throw damagedBlock(node, 'it lies in overflow pages');
    if (tree.foundLength < 8) throw damagedBlock(node, `a block of ${tree.foundLength} bytes`);
    hints.note(place, tree.foundPage, tree.foundSlot);
    return at;
  }

  /**
   * Tests a block at a place that `head` returned for the usual layout: one type, 32-bit ids, no chains.
   * @returns number of edges, whose neighbours are the words from `(at + BLOCK_NEIGHBOURS_OFFSET) >> 2` on, 0 if the filter
   *   does not accept their type; -1 for another layout: use `collect`
   */
  simpleCount(memory: BlockMemory, at: number, filter: TypeFilter): number {
    const word = memory.words[at >> 2]!;
    if ((word & 0xffff) !== SIMPLE_BLOCK) return -1;
    const count = word >>> 16;
    const capacity = memory.halves[(at + BLOCK_CAPACITY_OFFSET) >> 1]!;
    if (count > capacity || BLOCK_NEIGHBOURS_OFFSET + capacity * 8 !== this.tree.foundLength) return -1;
    return filter.all || filter.accepts(memory.halves[(at + BLOCK_FIRST_TYPE_OFFSET) >> 1]!) ? count : 0;
  }

  /** Number of edges of a node in this direction. @throws CorruptionError SOMBRA_ADJACENCY */
  degree(view: View, node: number, filter: TypeFilter, scratch: EdgeColumns): number {
    const at = this.head(view, node);
    if (at < 0) return 0;
    const memory = view.cache;
    const word = memory.words[at >> 2]!;
    if ((word & FLAG_CHAINS) === 0) {
      const header = checkBlock(memory, at, this.tree.foundLength, node);
      if (filter.all) return header >>> 16;
      scratch.length = 0;
      collectBlock(memory, at, header, filter, -1, scratch, node);
      return scratch.length;
    }
    const total = headDegree(memory, at, this.tree.foundLength, CHAINS_HEAD, node);
    const types = filter.ids;
    if (types === undefined) return total;
    let degree = 0;
    for (const type of types) degree += this.typeDegree(view, node, type);
    return degree;
  }

  /** Number of edges of one type in a node's chains. */
  typeDegree(view: View, node: number, type: number): number {
    const { tree, key } = this;
    writeAdjacencyKey(key, node, type);
    const at = tree.find(view, key, TYPE_KEY_SIZE);
    return at < 0 ? 0 : headDegree(view.cache, at, tree.foundLength, TYPE_HEAD, node);
  }

  /**
   * Appends a node's edges to `into`: by edge id while they lie in one block, else by type and edge id.
   * @param skip  neighbour to leave out, -1 for none
   */
  collect(view: View, node: number, filter: TypeFilter, skip: number, into: EdgeColumns): void {
    this.gather(view, node, filter, skip, ANY, Infinity, into);
  }

  /**
   * Appends those of a node's edges whose other end is `neighbour`, in the order of `collect`.
   * @param limit  when `into` holds so many edges, no further block is read
   */
  collectTo(view: View, node: number, neighbour: number, filter: TypeFilter, limit: number, into: EdgeColumns): void {
    if (into.length < limit) this.gather(view, node, filter, NONE, neighbour, limit, into);
  }

  private gather(
    view: View,
    node: number,
    filter: TypeFilter,
    skip: number,
    only: number,
    limit: number,
    into: EdgeColumns,
  ): void {
    const at = this.head(view, node);
    if (at < 0) return;
    const memory = view.cache;
    if ((memory.words[at >> 2]! & FLAG_CHAINS) === 0) {
      const word = checkBlock(memory, at, this.tree.foundLength, node);
      const from = into.length;
      collectBlock(memory, at, word, filter, skip, into, node);
      if (only !== ANY) into.keep(from, only);
      return;
    }
    headDegree(memory, at, this.tree.foundLength, CHAINS_HEAD, node);
    const cursor = this.tree.cursor(view);
    try {
      const types = filter.ids;
      if (types === undefined) {
        writeAdjacencyKey(this.key, node);
        if (cursor.seek(this.key, NODE_KEY_SIZE)) cursor.next();
        this.collectChains(cursor, view, node, -1, filter, skip, only, limit, into);
      } else {
        for (const type of types) {
          writeAdjacencyKey(this.key, node, type);
          cursor.seek(this.key, TYPE_KEY_SIZE);
          this.collectChains(cursor, view, node, type, filter, skip, only, limit, into);
        }
      }
    } finally {
      cursor.close();
    }
  }

  /** From the cursor's place on: all chain blocks of the node, or only of one type (-1: all). */
  private collectChains(
    cursor: Cursor,
    view: View,
    node: number,
    type: number,
    filter: TypeFilter,
    skip: number,
    only: number,
    limit: number,
    into: EdgeColumns,
  ): void {
    const memory = view.cache;
    const { found } = this;
    for (; cursor.valid && into.length < limit; cursor.next()) {
      const length = cursor.keyInto(found);
      if (readU48(found, 0) !== node) return;
      if (type >= 0 && ((found[NODE_KEY_SIZE]! << 8) | found[NODE_KEY_SIZE + 1]!) !== type) return;
      if (length === TYPE_KEY_SIZE) continue;
      if (length !== CHAIN_KEY_SIZE || cursor.overflow !== 0 || cursor.valueLength < 8)
        throw damagedBlock(node, 'a block of its chains is no block');
      const word = checkBlock(memory, cursor.valueOffset, cursor.valueLength, node);
      const from = into.length;
      collectBlock(memory, cursor.valueOffset, word, filter, skip, into, node);
      if (only !== ANY) into.keep(from, only);
    }
  }
}
