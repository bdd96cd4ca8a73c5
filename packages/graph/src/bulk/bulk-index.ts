import type { BulkBuilder } from '@sombra/btree';
import { buildIdBlock, idBlockSizeMax, idCapacity } from '../ids/id-block.ts';
import { INDEX_KEY_SIZE, writeIndexKey } from '../ids/id-index.ts';

/** Writes an index of labels or edge types, name by name and id by id in ascending order, into a tree being built. */
export class BulkIndex {
  private readonly tree: BulkBuilder;
  private readonly sizeMax: number;
  private readonly key = new Uint8Array(INDEX_KEY_SIZE);
  private readonly words: Uint32Array;
  private readonly bytes: Uint8Array;
  private readonly ids: Float64Array;
  private count = 0;
  private name = -1;

  constructor(tree: BulkBuilder, pageSize: number) {
    this.tree = tree;
    this.sizeMax = idBlockSizeMax(pageSize);
    this.words = new Uint32Array((this.sizeMax + 8) >> 2);
    this.bytes = new Uint8Array(this.words.buffer);
    this.ids = new Float64Array(this.sizeMax >> 2);
  }

  /** Adds an id of a name. */
  add(name: number, id: number): void {
    if (name !== this.name || this.count >= idCapacity(this.sizeMax, id)) {
      this.flush();
      this.name = name;
    }
    this.ids[this.count] = id;
    this.count += 1;
  }

  /** Writes what is still in hand. */
  flush(): void {
    if (this.count === 0) return;
    writeIndexKey(this.key, this.name, this.ids[0]!);
    const size = buildIdBlock(this.bytes, this.words, this.ids, 0, this.count);
    this.tree.add(this.key, INDEX_KEY_SIZE, this.bytes, 0, size);
    this.count = 0;
  }
}
