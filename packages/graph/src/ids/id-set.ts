const CHUNK_BITS = 17;
const CHUNK_IDS = 1 << CHUNK_BITS;

/** A set of ids, one bit each; what lies far from all others takes no room. */
export class IdSet {
  /** Number of ids. */
  size = 0;
  private readonly chunks = new Map<number, Uint32Array>();

  /** Adds an id. @returns false when it is there already */
  add(id: number): boolean {
    const number = Math.floor(id / CHUNK_IDS);
    let chunk = this.chunks.get(number);
    if (chunk === undefined) this.chunks.set(number, (chunk = new Uint32Array(CHUNK_IDS >> 5)));
    const bit = id - number * CHUNK_IDS;
    const mask = 1 << (bit & 31);
    if ((chunk[bit >> 5]! & mask) !== 0) return false;
    chunk[bit >> 5]! |= mask;
    this.size += 1;
    return true;
  }

  has(id: number): boolean {
    const number = Math.floor(id / CHUNK_IDS);
    const bit = id - number * CHUNK_IDS;
    return ((this.chunks.get(number)?.[bit >> 5] ?? 0) & (1 << (bit & 31))) !== 0;
  }
}
