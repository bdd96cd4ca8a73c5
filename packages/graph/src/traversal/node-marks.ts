import { CorruptionError } from '@sombra/vfs';

/** Up to so many node ids the marks are an array with a place per id; above it a hash table. */
const DENSE_MAX = 1 << 24;
const FIRST_TABLE = 1 << 12;
const MARK_MAX = 0xffff_ffff;

/**
 * The set of nodes that a traversal has seen, in the order in which they were added: the n-th has index n. Reused without
 * being cleared: marks of an earlier traversal are below `base`.
 */
export class NodeMarks {
  /** Number of nodes in the set. */
  count = 0;
  /** Has each id a place of its own? Then `marks[id] >= base` means that it is in the set, and `marks[id] - base` is its index. */
  dense = true;
  marks = new Uint32Array(0);
  base = 1;
  /** Ids are below this. */
  limit = 0;

  private keys = new Float64Array(0);
  private indexes = new Uint32Array(0);

  /**
   * Starts over with an empty set.
   * @param limit     all ids are below
   * @param denseMax  for tests: up to which limit ids have places of their own
   */
  begin(limit: number, denseMax: number = DENSE_MAX): void {
    this.limit = limit;
    this.dense = limit <= denseMax;
    if (this.dense) {
      this.base += this.count;
      if (this.marks.length < limit) {
        this.marks = new Uint32Array(Math.min(Math.max(limit, this.marks.length * 2, 1024), Math.max(limit, denseMax)));
        this.base = 1;
      } else if (this.base + limit > MARK_MAX) {
        this.marks.fill(0);
        this.base = 1;
      }
    } else if (this.keys.length === 0) {
      this.keys = new Float64Array(FIRST_TABLE);
      this.indexes = new Uint32Array(FIRST_TABLE);
    } else if (this.keys.length > FIRST_TABLE && this.count * 8 < this.keys.length) {
      this.keys = new Float64Array(this.keys.length >> 1);
      this.indexes = new Uint32Array(this.keys.length);
    } else this.keys.fill(0);
    this.count = 0;
  }

  /**
   * Adds a node.
   * @returns false when it is in the set already
   * @throws CorruptionError SOMBRA_ADJACENCY for an id that no node can have
   */
  add(id: number): boolean {
    if (!this.dense) return this.addHashed(id);
    if (!(id > 0 && id < this.limit)) throw outside(id);
    const { marks, base } = this;
    if (marks[id]! >= base) return false;
    marks[id] = base + this.count;
    this.count += 1;
    return true;
  }

  /**
   * Adds the nodes words[from, to).
   * @param queue  receives each node that was not in the set, at its index; long enough for all of them
   * @throws as `add`
   */
  addAll(words: Uint32Array, from: number, to: number, queue: Float64Array): void {
    if (!this.dense) {
      for (let i = from; i < to; i += 1) if (this.addHashed(words[i]!)) queue[this.count - 1] = words[i]!;
      return;
    }
    const { marks, base, limit } = this;
    let { count } = this;
    for (let i = from; i < to; i += 1) {
      const id = words[i]!;
      if (id >= limit) throw outside(id);
      if (marks[id]! >= base) continue;
      marks[id] = base + count;
      queue[count] = id;
      count += 1;
    }
    this.count = count;
  }

  /** Index of a node, -1 when it is not in the set. */
  indexOf(id: number): number {
    if (this.dense) {
      const mark = this.marks[id]!;
      return mark >= this.base ? mark - this.base : -1;
    }
    const { keys } = this;
    let at = this.hash(id);
    while (keys[at] !== 0) {
      if (keys[at] === id) return this.indexes[at]!;
      at = (at + 1) & (keys.length - 1);
    }
    return -1;
  }

  private addHashed(id: number): boolean {
    if (!(id > 0 && id < this.limit)) throw outside(id);
    const { keys } = this;
    let at = this.hash(id);
    while (keys[at] !== 0) {
      if (keys[at] === id) return false;
      at = (at + 1) & (keys.length - 1);
    }
    keys[at] = id;
    this.indexes[at] = this.count;
    this.count += 1;
    if (this.count * 2 > keys.length) this.grow();
    return true;
  }

  private hash(id: number): number {
    const mixed = Math.imul((id >>> 0) ^ Math.imul(Math.floor(id / 0x1_0000_0000), 0x85eb_ca6b), 0x9e37_79b1);
    return (mixed ^ (mixed >>> 15)) & (this.keys.length - 1);
  }

  private grow(): void {
    const { keys, indexes } = this;
    this.keys = new Float64Array(keys.length * 2);
    this.indexes = new Uint32Array(keys.length * 2);
    for (let i = 0; i < keys.length; i += 1) {
      const id = keys[i]!;
      if (id === 0) continue;
      let at = this.hash(id);
      while (this.keys[at] !== 0) at = (at + 1) & (this.keys.length - 1);
      this.keys[at] = id;
      this.indexes[at] = indexes[i]!;
    }
  }
}

function outside(id: number): CorruptionError {
  return new CorruptionError(
    'SOMBRA_ADJACENCY',
    `an edge leads to node ${id}, which was never given out; run verify, restore from a backup`,
    {
      details: { node: id },
    },
  );
}
