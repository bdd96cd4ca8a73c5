/** Bytes that come in pieces of any size, cut into blocks. Blocks that lie in one piece are not copied. */

/** What is done with a block: `size` bytes of `bytes` at `at`. @returns size of the next block, bytes */
export type TakeBlock = (bytes: Uint8Array, at: number) => number;

/** See the top of the file. */
export class Blocks {
  private readonly take: TakeBlock;
  private size: number;
  /** A block that has come in part. */
  private part: Uint8Array;
  private filled = 0;

  /** @param size  of the first block, bytes */
  constructor(size: number, take: TakeBlock) {
    this.size = size;
    this.take = take;
    this.part = new Uint8Array(size);
  }

  /** Takes the next bytes. @throws what `take` throws */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const { size } = this;
      if (this.filled === 0 && bytes.length - at >= size) {
        this.size = this.take(bytes, at);
        at += size;
        continue;
      }
      if (this.part.length < size) this.part = new Uint8Array(size);
      const count = Math.min(size - this.filled, bytes.length - at);
      this.part.set(bytes.subarray(at, at + count), this.filled);
      this.filled += count;
      at += count;
      if (this.filled < size) return;
      this.filled = 0;
      this.size = this.take(this.part, 0);
    }
  }

  /** What has come of a block that is not whole. Borrowed. */
  get rest(): Uint8Array {
    return this.part.subarray(0, this.filled);
  }
}
