import { type BulkBuilder, writeU48 } from '@sombra/btree';
import { CHAIN_KEY_SIZE, NODE_KEY_SIZE, TYPE_KEY_SIZE, writeAdjacencyKey } from '../adjacency/adjacency.ts';
import {
  BLOCK_TYPES_MAX,
  BlockBuilder,
  blockSizeMax,
  capacityFor,
  CHAINS_HEAD,
  TYPE_HEAD,
} from '../adjacency/adjacency-block.ts';
import type { EdgeColumns } from '../adjacency/edge-columns.ts';
import type { RadixSorter } from '../sorting/radix-sort.ts';

/** Writes the adjacency of one direction, node by node, into a tree being built. Blocks are full: they have no room to grow. */
export class BulkAdjacency {
  private readonly tree: BulkBuilder;
  private readonly sizeMax: number;
  private readonly sorter: RadixSorter;
  private readonly builder = new BlockBuilder();
  private readonly key = new Uint8Array(CHAIN_KEY_SIZE);

  constructor(tree: BulkBuilder, pageSize: number, sorter: RadixSorter) {
    this.tree = tree;
    this.sorter = sorter;
    this.sizeMax = blockSizeMax(pageSize);
  }

  /** Adds a node, which is greater than the one before. @param list  its edges by edge id, at least one; reordered */
  add(node: number, list: EdgeColumns): void {
    const { builder, sizeMax } = this;
    const count = list.length;
    const typeCount = builder.countTypes(list, 0, count);
    const wide = BlockBuilder.isWide(list, 0, count);
    if (typeCount > BLOCK_TYPES_MAX || count > capacityFor(sizeMax, typeCount, wide)) {
      this.addChains(node, list);
      return;
    }
    const size = builder.build(list, 0, count, evenCapacity(count), wide);
    writeU48(this.key, 0, node);
    this.tree.add(this.key, NODE_KEY_SIZE, builder.bytes, 0, size);
  }

  private addChains(node: number, list: EdgeColumns): void {
    const { sizeMax } = this;
    list.groupByType(this.sorter);
    const total = list.length;
    this.addHead(node, NODE_KEY_SIZE, 0, CHAINS_HEAD, total);
    for (let from = 0; from < total; ) {
      const type = list.types[from]!;
      let end = from + 1;
      while (end < total && list.types[end] === type) end += 1;
      this.addHead(node, TYPE_KEY_SIZE, type, TYPE_HEAD, end - from);
      while (from < end) {
        const narrow = capacityFor(sizeMax, 1, false);
        const most = BlockBuilder.isWide(list, from, Math.min(end, from + narrow))
          ? capacityFor(sizeMax, 1, true)
          : narrow;
        const to = Math.min(end, from + most);
        this.addChainBlock(node, type, list, from, to);
        from = to;
      }
    }
  }

  private addChainBlock(node: number, type: number, list: EdgeColumns, from: number, to: number): void {
    const { builder, key } = this;
    builder.countTypes(list, from, to);
    const size = builder.build(list, from, to, evenCapacity(to - from), BlockBuilder.isWide(list, from, to));
    writeAdjacencyKey(key, node, type, list.edges[from]!);
    this.tree.add(key, CHAIN_KEY_SIZE, builder.bytes, 0, size);
  }

  private addHead(node: number, keySize: number, type: number, format: number, degree: number): void {
    writeAdjacencyKey(this.key, node, type);
    const size = this.builder.head(format, degree);
    this.tree.add(this.key, keySize, this.builder.bytes, 0, size);
  }
}

function evenCapacity(count: number): number {
  return (count + 1) & ~1;
}
