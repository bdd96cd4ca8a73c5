/** Content of one file in memory. */
export class ByteBuffer {
  private bytes: Uint8Array;
  /** Size of the file, bytes. Behind it, `bytes` is zero. */
  size: number;

  /** @param bytes  copied */
  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.bytes = bytes.slice();
    this.size = bytes.length;
  }

  /** Copies from `at` on into `into`; number of bytes, fewer at the end of the file. */
  read(into: Uint8Array, at: number): number {
    const count = Math.max(0, Math.min(into.length, this.size - at));
    if (count > 0) into.set(this.bytes.subarray(at, at + count));
    return count;
  }

  /** @throws RangeError when there is not enough memory */
  write(bytes: Uint8Array, at: number): void {
    if (bytes.length === 0) return;
    const end = at + bytes.length;
    this.reserve(end);
    this.bytes.set(bytes, at);
    if (end > this.size) this.size = end;
  }

  /** Cuts, or extends with zeros. @throws RangeError when there is not enough memory */
  truncate(size: number): void {
    if (size < this.size) this.bytes.fill(0, size, this.size);
    else this.reserve(size);
    this.size = size;
  }

  /** A copy of the content. */
  content(): Uint8Array {
    return this.bytes.slice(0, this.size);
  }

  private reserve(size: number): void {
    const { length } = this.bytes;
    if (size <= length) return;
    const grown = new Uint8Array(Math.max(size, length + (length >>> 1), 4096));
    grown.set(this.bytes.subarray(0, this.size));
    this.bytes = grown;
  }
}
