/** Maps page numbers to numbers where most pages have none: only blocks in which some page has a number take memory. */

const SHIFT = 10;
/** Pages of one block. */
const BLOCK = 1 << SHIFT;
const MASK = BLOCK - 1;

/** See the top of the file. Values fit in 31 bits; `none` is the value of a page that was never set. */
export class SparseTable {
  private blocks: (Int32Array | undefined)[] = [];
  private readonly none: number;

  constructor(none: number) {
    this.none = none;
  }

  get(pageNumber: number): number {
    const block = this.blocks[pageNumber >>> SHIFT];
    return block === undefined ? this.none : block[pageNumber & MASK]!;
  }

  set(pageNumber: number, value: number): void {
    const at = pageNumber >>> SHIFT;
    while (this.blocks.length <= at) this.blocks.push(undefined);
    const block = (this.blocks[at] ??= new Int32Array(BLOCK).fill(this.none));
    block[pageNumber & MASK] = value;
  }

  /** Forgets every value, and gives the memory back. */
  clear(): void {
    this.blocks = [];
  }

  /** Bytes that it takes. */
  get byteLength(): number {
    return this.blocks.reduce((sum, block) => sum + (block?.byteLength ?? 0) + 8, 0);
  }
}
