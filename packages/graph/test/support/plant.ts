// Planting damage: changes below the graph, through the pager and its trees, so that every checksum is right.
import { BTree } from '@sombra/btree';
import type { WriteTransaction } from '@sombra/pager';
import { writeAdjacencyKey } from '../../src/adjacency/adjacency.ts';
import { writeIndexKey } from '../../src/ids/id-index.ts';
import type { TREES } from '../../src/store/store.ts';
import type { OpenGraph } from './open.ts';

export type TreeName = (typeof TREES)[number];

/** Changes entries of the graph's trees in one commit. */
export class Planter {
  readonly tx: WriteTransaction;

  constructor(tx: WriteTransaction) {
    this.tx = tx;
  }

  tree(name: TreeName): BTree {
    return BTree.open(this.tx.view, name)!;
  }

  get(name: TreeName, key: Uint8Array): Uint8Array {
    const value = this.tree(name).get(this.tx.view, key);
    if (value === undefined) throw new Error(`tree ${name} has no such key`);
    return value;
  }

  put(name: TreeName, key: Uint8Array, value: Uint8Array | readonly number[]): void {
    const bytes = Uint8Array.from(value);
    this.tree(name).put(this.tx, key, key.length, bytes, 0, bytes.length);
  }

  delete(name: TreeName, key: Uint8Array): void {
    if (!this.tree(name).delete(this.tx, key, key.length)) throw new Error(`tree ${name} has no such key`);
  }

  /** Replaces a value by a changed copy. */
  change(name: TreeName, key: Uint8Array, change: (value: Uint8Array) => void): void {
    const value = this.get(name, key);
    change(value);
    this.put(name, key, value);
  }
}

/** Plants damage in one commit. */
export function plant(db: OpenGraph, change: (planter: Planter) => void): void {
  const tx = db.pager.begin();
  change(new Planter(tx));
  tx.commit();
}

/** Key of a node, of its type head, or of a chain block. */
export function adjacencyKey(node: number, type?: number, edge?: number): Uint8Array {
  const key = new Uint8Array(14);
  writeAdjacencyKey(key, node, type ?? 0, edge ?? 0);
  return key.slice(0, type === undefined ? 6 : edge === undefined ? 8 : 14);
}

/** Key of a node or edge record. */
export const recordKey = (id: number): Uint8Array => adjacencyKey(id);

/** Key of an index block. */
export function indexKey(name: number, id: number): Uint8Array {
  const key = new Uint8Array(10);
  writeIndexKey(key, name, id);
  return key;
}

/** Key of a name or a count. */
export function nameKey(kind: number, number: number): Uint8Array {
  return Uint8Array.of(kind, 0, 0, number >>> 8, number);
}
