const TWO_32 = 0x1_0000_0000;

/**
 * Fingerprint of a set of edges, 64 bits, whatever their order: sets that differ by damage have the same one by a chance of one
 * in 2^64. It tells that a direction of adjacency agrees with the records without looking each edge up.
 */
export class EdgeFingerprint {
  private count = 0;
  private low = 0;
  private high = 0;

  /** Adds an edge. @param own  the node in whose adjacency it stands @param other  the node at its other end */
  add(edge: number, own: number, other: number, type: number): void {
    const edgeHigh = (edge / TWO_32) | 0;
    const highs = ((own / TWO_32) << 16) | ((other / TWO_32) | 0);
    let a = mix(0x9e37_79b9, edge | 0);
    a = mix(a, own | 0);
    a = mix(a, other | 0);
    a = mix(a, highs);
    a = mix(a, (edgeHigh << 16) | type);
    let b = mix(0x85eb_ca6b, (edgeHigh << 16) | type);
    b = mix(b, highs);
    b = mix(b, other | 0);
    b = mix(b, own | 0);
    b = mix(b, edge | 0);
    this.low = (this.low + finish(a)) | 0;
    this.high = (this.high + finish(b)) | 0;
    this.count += 1;
  }

  equals(other: EdgeFingerprint): boolean {
    return this.count === other.count && this.low === other.low && this.high === other.high;
  }
}

/** One step of MurmurHash3 (Austin Appleby, public domain). */
function mix(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e_2d51);
  k = (k << 15) | (k >>> 17);
  const h = hash ^ Math.imul(k, 0x1b87_3593);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe654_6b64) | 0;
}

function finish(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85eb_ca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2_ae35);
  return h ^ (h >>> 16);
}
