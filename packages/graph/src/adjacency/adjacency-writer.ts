/**
 * Changing adjacency. Small changes are made in place and log a few bytes; what needs another layout (more room, wide ids,
 * another type, chains) is read into columns and rewritten.
 *
 * Invariants, tested by verify:
 * 1. A node without edges in a direction has no entry there; a block is never empty.
 * 2. Edge ids ascend in a block, and over the blocks of a chain. A chain block's key is not above its first edge id, and
 *    above the last edge id of the block before.
 * 3. The head of chains holds the node's degree, each type head the degree of its type; neither is 0.
 */
import type { BTree, Cursor } from '@sombra/btree';
import type { WriteTransaction } from '@sombra/pager';
import { CHAIN_KEY_SIZE, NODE_KEY_SIZE, TYPE_KEY_SIZE, writeAdjacencyKey, type Adjacency } from './adjacency.ts';
import { readU48 } from '../values/u48.ts';
import {
  BLOCK_CAPACITY_OFFSET,
  BLOCK_COUNT_OFFSET,
  BLOCK_FIRST_TYPE_OFFSET,
  BLOCK_NEIGHBOURS_OFFSET,
  BLOCK_TYPES_MAX,
  BlockBuilder,
  blockSizeMax,
  capacityFor,
  CHAINS_HEAD,
  checkBlock,
  collectBlock,
  damagedBlock,
  edgesOffset,
  findEdge,
  FLAG_CHAINS,
  FLAG_WIDE,
  HEAD_DEGREE_OFFSET,
  headDegree,
  highsOffset,
  roomyCapacity,
  TYPE_HEAD,
  typeIndexesOffset,
  typesOffset,
} from './adjacency-block.ts';
import { EdgeColumns } from './edge-columns.ts';
import type { TypeFilter } from '../names/type-filter.ts';

const TWO_32 = 0x1_0000_0000;

export class AdjacencyWriter {
  private readonly reader: Adjacency;
  private readonly tree: BTree;
  private readonly everyType: TypeFilter;
  private readonly sizeMax: number;
  private readonly builder = new BlockBuilder();
  private readonly list = new EdgeColumns();
  private readonly key = new Uint8Array(CHAIN_KEY_SIZE);
  private readonly found = new Uint8Array(8192);

  /** @param everyType  a filter that accepts all types */
  constructor(reader: Adjacency, pageSize: number, everyType: TypeFilter) {
    this.reader = reader;
    this.tree = reader.tree;
    this.everyType = everyType;
    this.sizeMax = blockSizeMax(pageSize);
  }

  /** Adds an edge, whose id is above all of the node's. */
  append(tx: WriteTransaction, node: number, neighbour: number, edge: number, type: number): void {
    const { list } = this;
    const at = this.reader.head(tx.view, node);
    if (at < 0) {
      list.length = 0;
      list.push(neighbour, edge, type);
      this.writeBlock(tx, node, NODE_KEY_SIZE, 0, 1, roomyCapacity(1));
      return;
    }
    if ((tx.view.cache.words[at >> 2]! & FLAG_CHAINS) !== 0) {
      this.appendToChains(tx, node, neighbour, edge, type, at);
      return;
    }
    const word = checkBlock(tx.view.cache, at, this.tree.foundLength, node);
    if (this.appendInPlace(tx, at, word, neighbour, edge, type)) return;
    this.load(tx, at, word, node);
    list.push(neighbour, edge, type);
    this.writeInline(tx, node);
  }

  /**
   * Removes an edge.
   * @returns false when it is not there
   */
  remove(tx: WriteTransaction, node: number, edge: number, type: number): boolean {
    const { cache } = tx.view;
    const at = this.reader.head(tx.view, node);
    if (at < 0) return false;
    if ((cache.words[at >> 2]! & FLAG_CHAINS) !== 0) return this.removeFromChains(tx, node, edge, type);
    const word = checkBlock(cache, at, this.tree.foundLength, node);
    const place = findEdge(cache, at, word, edge);
    if (place < 0) return false;
    const left = (word >>> 16) - 1;
    if (left === 0) this.deleteHead(tx, node);
    else if (left * 4 < cache.halves[(at + BLOCK_CAPACITY_OFFSET) >> 1]! && left >= 2) {
      this.load(tx, at, word, node);
      this.list.removeAt(place);
      this.writeBlock(tx, node, NODE_KEY_SIZE, 0, left, roomyCapacity(left));
    } else this.removeInPlace(tx, at, word, place);
    return true;
  }

  /** Removes all entries of a node. */
  drop(tx: WriteTransaction, node: number): void {
    const at = this.reader.head(tx.view, node);
    if (at < 0) return;
    const chains = (tx.view.cache.words[at >> 2]! & FLAG_CHAINS) !== 0;
    if (chains) this.deleteChains(tx, node);
    this.deleteHead(tx, node);
  }

  // --- one block ---------------------------------------------------------------------------------------------------

  /** Appends to the block last found if it has a place, the type and the width. */
  private appendInPlace(
    tx: WriteTransaction,
    at: number,
    word: number,
    neighbour: number,
    edge: number,
    type: number,
  ): boolean {
    const { cache } = tx.view;
    const count = word >>> 16;
    const capacity = cache.halves[(at + BLOCK_CAPACITY_OFFSET) >> 1]!;
    const wide = (word & FLAG_WIDE) !== 0;
    if (count === capacity || (!wide && (neighbour >= TWO_32 || edge >= TWO_32))) return false;
    const typeCount = (word >>> 8) & 0xff;
    let index = 0;
    if (typeCount === 1) {
      if (cache.halves[(at + BLOCK_FIRST_TYPE_OFFSET) >> 1] !== type) return false;
    } else {
      const types = (at + typesOffset(capacity, wide)) >> 1;
      while (index < typeCount && cache.halves[types + index] !== type) index += 1;
      if (index === typeCount) return false;
    }
    const start = this.tree.editFound(tx);
    const base = this.tree.foundBase;
    const block = start - base;
    tx.setU32(base, block + BLOCK_NEIGHBOURS_OFFSET + count * 4, neighbour >>> 0);
    tx.setU32(base, block + edgesOffset(capacity) + count * 4, edge >>> 0);
    if (wide) {
      const highs = block + highsOffset(capacity);
      tx.setU16(base, highs + count * 2, Math.floor(neighbour / TWO_32));
      tx.setU16(base, highs + (capacity + count) * 2, Math.floor(edge / TWO_32));
    }
    if (typeCount > 1) tx.setU8(base, block + typeIndexesOffset(capacity, wide) + count, index);
    tx.setU16(base, block + BLOCK_COUNT_OFFSET, count + 1);
    return true;
  }

  /** Takes the edge at `place` out of the block last found; at least one stays. */
  private removeInPlace(tx: WriteTransaction, at: number, word: number, place: number): void {
    const capacity = tx.view.cache.halves[(at + BLOCK_CAPACITY_OFFSET) >> 1]!;
    const wide = (word & FLAG_WIDE) !== 0;
    const behind = (word >>> 16) - place - 1;
    const start = this.tree.editFound(tx);
    const base = this.tree.foundBase;
    const block = start - base;
    const close = (column: number, size: number): void => {
      if (behind > 0) tx.move(base, block + column + place * size, block + column + (place + 1) * size, behind * size);
    };
    close(BLOCK_NEIGHBOURS_OFFSET, 4);
    close(edgesOffset(capacity), 4);
    if (wide) {
      close(highsOffset(capacity), 2);
      close(highsOffset(capacity) + capacity * 2, 2);
    }
    if (((word >>> 8) & 0xff) > 1) close(typeIndexesOffset(capacity, wide), 1);
    tx.setU16(base, block + BLOCK_COUNT_OFFSET, (word >>> 16) - 1);
  }

  /** Reads the edges of a checked block into `list`. */
  private load(tx: WriteTransaction, at: number, word: number, node: number): void {
    this.list.length = 0;
    collectBlock(tx.view.cache, at, word, this.everyType, -1, this.list, node);
  }

  /** Writes `list` as the node's only block, or as chains when it does not fit. */
  private writeInline(tx: WriteTransaction, node: number): void {
    const { list, builder, sizeMax } = this;
    const count = list.length;
    const typeCount = builder.countTypes(list, 0, count);
    if (typeCount <= BLOCK_TYPES_MAX) {
      const wide = BlockBuilder.isWide(list, 0, count);
      const most = capacityFor(sizeMax, typeCount, wide);
      if (count <= most) {
        this.writeBlock(tx, node, NODE_KEY_SIZE, 0, count, Math.min(most, roomyCapacity(count)));
        return;
      }
    }
    this.writeChains(tx, node);
  }

  /** Writes list[from, to) as a block under `key`, of which the node's bytes are set here and the others by the caller. */
  private writeBlock(
    tx: WriteTransaction,
    node: number,
    keySize: number,
    from: number,
    to: number,
    capacity: number,
  ): void {
    const { builder, list, key } = this;
    builder.countTypes(list, from, to);
    const size = builder.build(list, from, to, capacity, BlockBuilder.isWide(list, from, to));
    if (keySize === NODE_KEY_SIZE) writeAdjacencyKey(key, node);
    this.tree.put(tx, key, keySize, builder.bytes, 0, size);
  }

  // --- chains ------------------------------------------------------------------------------------------------------

  /** Writes `list` as chains: head, and per type a head and full blocks. */
  private writeChains(tx: WriteTransaction, node: number): void {
    const { list, key } = this;
    list.sort(true);
    const total = list.length;
    this.writeHead(tx, node, NODE_KEY_SIZE, 0, CHAINS_HEAD, total);
    for (let from = 0; from < total; ) {
      const type = list.types[from]!;
      let end = from + 1;
      while (end < total && list.types[end] === type) end += 1;
      this.writeHead(tx, node, TYPE_KEY_SIZE, type, TYPE_HEAD, end - from);
      while (from < end) {
        const most = capacityFor(this.sizeMax, 1, BlockBuilder.isWide(list, from, Math.min(end, from + 128)));
        const to = Math.min(end, from + most);
        writeAdjacencyKey(key, node, type, list.edges[from]!);
        this.writeBlock(tx, node, CHAIN_KEY_SIZE, from, to, to < end ? most : Math.min(most, roomyCapacity(to - from)));
        from = to;
      }
    }
  }

  private writeHead(
    tx: WriteTransaction,
    node: number,
    keySize: number,
    type: number,
    format: number,
    degree: number,
  ): void {
    writeAdjacencyKey(this.key, node, type);
    const size = this.builder.head(format, degree);
    this.tree.put(tx, this.key, keySize, this.builder.bytes, 0, size);
  }

  private appendToChains(
    tx: WriteTransaction,
    node: number,
    neighbour: number,
    edge: number,
    type: number,
    at: number,
  ): void {
    const { tree, list, key } = this;
    const { view } = tx;
    const total = headDegree(view.cache, at, tree.foundLength, CHAINS_HEAD, node);
    this.setFoundDegree(tx, total + 1);
    writeAdjacencyKey(key, node, type);
    const head = tree.find(view, key, TYPE_KEY_SIZE);
    list.length = 0;
    if (head < 0) {
      this.writeHead(tx, node, TYPE_KEY_SIZE, type, TYPE_HEAD, 1);
    } else {
      this.setFoundDegree(tx, headDegree(view.cache, head, tree.foundLength, TYPE_HEAD, node) + 1);
      const block = this.findChainBlock(tx, node, type, edge);
      if (block < 0) throw damagedBlock(node, 'a chain has a head and no block');
      const word = checkBlock(view.cache, block, tree.foundLength, node);
      if (this.appendInPlace(tx, block, word, neighbour, edge, type)) return;
      const wide = (word & FLAG_WIDE) !== 0 || neighbour >= TWO_32 || edge >= TWO_32;
      const count = word >>> 16;
      const most = capacityFor(this.sizeMax, 1, wide);
      if (count < most) {
        this.load(tx, block, word, node);
        list.push(neighbour, edge, type);
        this.writeBlock(tx, node, CHAIN_KEY_SIZE, 0, list.length, Math.min(most, roomyCapacity(list.length)));
        return;
      }
    }
    list.push(neighbour, edge, type);
    writeAdjacencyKey(key, node, type, edge);
    this.writeBlock(tx, node, CHAIN_KEY_SIZE, 0, 1, roomyCapacity(7));
  }

  private removeFromChains(tx: WriteTransaction, node: number, edge: number, type: number): boolean {
    const { tree } = this;
    const { view } = tx;
    const at = this.findChainBlock(tx, node, type, edge);
    if (at < 0) return false;
    const word = checkBlock(view.cache, at, tree.foundLength, node);
    const place = findEdge(view.cache, at, word, edge);
    if (place < 0) return false;
    const left = (word >>> 16) - 1;
    if (left === 0) tree.delete(tx, this.key, CHAIN_KEY_SIZE);
    else {
      this.removeInPlace(tx, at, word, place);
      if (left * 4 < capacityFor(this.sizeMax, 1, false)) this.joinChainBlock(tx, node, type);
    }
    writeAdjacencyKey(this.key, node, type);
    const typeHead = tree.find(view, this.key, TYPE_KEY_SIZE);
    if (typeHead < 0) throw damagedBlock(node, 'a chain has no head');
    const ofType = headDegree(view.cache, typeHead, tree.foundLength, TYPE_HEAD, node) - 1;
    if (ofType > 0) this.setFoundDegree(tx, ofType);
    else tree.delete(tx, this.key, TYPE_KEY_SIZE);
    const head = this.reader.head(view, node);
    if (head < 0) throw damagedBlock(node, 'its chains have no head');
    const total = headDegree(view.cache, head, tree.foundLength, CHAINS_HEAD, node) - 1;
    this.setFoundDegree(tx, total);
    if (total * 4 <= capacityFor(this.sizeMax, 1, false)) this.leaveChains(tx, node);
    return true;
  }

  /** Few edges are left: writes them as one block again. */
  private leaveChains(tx: WriteTransaction, node: number): void {
    const { list } = this;
    list.length = 0;
    this.reader.collect(tx.view, node, this.everyType, -1, list);
    this.deleteChains(tx, node);
    if (list.length === 0) {
      this.deleteHead(tx, node);
      return;
    }
    list.sort(false);
    this.writeInline(tx, node);
  }

  /** Joins the small chain block in `key` with the block of the same type after or before it, if both together stay small. */
  private joinChainBlock(tx: WriteTransaction, node: number, type: number): void {
    if (!this.joinNextBlock(tx, node, type) && this.toPreviousBlock(tx, node, type)) this.joinNextBlock(tx, node, type);
  }

  /** Joins the chain block in `key` with its successor of the same type when both together fill at most half a block. */
  private joinNextBlock(tx: WriteTransaction, node: number, type: number): boolean {
    const { tree, list, key, found } = this;
    const { view } = tx;
    const cursor = tree.cursor(view);
    try {
      if (!cursor.seek(key, CHAIN_KEY_SIZE)) return false;
      const word = checkBlock(view.cache, cursor.valueOffset, cursor.valueLength, node);
      this.load(tx, cursor.valueOffset, word, node);
      if (!cursor.next() || !this.isChainBlock(cursor, node, type)) return false;
      const next = checkBlock(view.cache, cursor.valueOffset, cursor.valueLength, node);
      if ((list.length + (next >>> 16)) * 2 > capacityFor(this.sizeMax, 1, true)) return false;
      collectBlock(view.cache, cursor.valueOffset, next, this.everyType, -1, list, node);
    } finally {
      cursor.close();
    }
    tree.delete(tx, found, CHAIN_KEY_SIZE);
    this.writeBlock(tx, node, CHAIN_KEY_SIZE, 0, list.length, roomyCapacity(list.length));
    return true;
  }

  /** Makes `key` the key of the block before it in its chain. @returns false when it is the first */
  private toPreviousBlock(tx: WriteTransaction, node: number, type: number): boolean {
    const { key, found } = this;
    const cursor = this.tree.cursor(tx.view);
    try {
      if (!cursor.seek(key, CHAIN_KEY_SIZE) || !cursor.previous() || !this.isChainBlock(cursor, node, type))
        return false;
    } finally {
      cursor.close();
    }
    for (let i = 0; i < CHAIN_KEY_SIZE; i += 1) key[i] = found[i]!;
    return true;
  }

  /**
   * Finds the chain block that holds, or would hold, an edge; its key is left in `key`.
   * @returns its offset as `BTree.find`, -1 when the chain has no block at or before the edge
   */
  private findChainBlock(tx: WriteTransaction, node: number, type: number, edge: number): number {
    const { tree, key, found } = this;
    writeAdjacencyKey(key, node, type, edge);
    const cursor = tree.cursor(tx.view);
    try {
      if (!cursor.seekBefore(key, CHAIN_KEY_SIZE) || !this.isChainBlock(cursor, node, type)) return -1;
    } finally {
      cursor.close();
    }
    for (let i = 0; i < CHAIN_KEY_SIZE; i += 1) key[i] = found[i]!;
    return tree.find(tx.view, key, CHAIN_KEY_SIZE);
  }

  /** Does the cursor stand on a chain block of this node and type? Leaves its key in `found`. */
  private isChainBlock(cursor: Cursor, node: number, type: number): boolean {
    const { found } = this;
    if (cursor.keyInto(found) !== CHAIN_KEY_SIZE || cursor.overflow !== 0 || cursor.valueLength < 8) return false;
    return readU48(found, 0) === node && ((found[NODE_KEY_SIZE]! << 8) | found[NODE_KEY_SIZE + 1]!) === type;
  }

  private setFoundDegree(tx: WriteTransaction, degree: number): void {
    const start = this.tree.editFound(tx);
    tx.setU32(this.tree.foundBase, start - this.tree.foundBase + HEAD_DEGREE_OFFSET, degree);
  }

  /** Deletes everything under the node's key but the head itself. */
  private deleteChains(tx: WriteTransaction, node: number): void {
    const { tree, key, found } = this;
    for (;;) {
      const cursor = tree.cursor(tx.view);
      let length = 0;
      try {
        writeAdjacencyKey(key, node, 0, 0);
        if (cursor.seek(key, TYPE_KEY_SIZE)) length = cursor.keyInto(found);
      } finally {
        cursor.close();
      }
      if (length === 0 || readU48(found, 0) !== node) return;
      tree.delete(tx, found, length);
    }
  }

  private deleteHead(tx: WriteTransaction, node: number): void {
    this.tree.deleteU48(tx, node);
  }
}
