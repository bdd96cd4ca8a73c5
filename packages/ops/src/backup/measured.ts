import { createHash } from 'node:crypto';

/** Counts and hashes the bytes that go through. */
export class Measured {
  size = 0;
  private readonly hash = createHash('sha256');

  async *through(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of bytes) {
      this.size += piece.length;
      this.hash.update(piece);
      yield piece;
    }
  }

  /** SHA-256 of all bytes, 64 hexadecimal digits. Once, at the end. */
  sha256(): string {
    return this.hash.digest('hex');
  }
}
